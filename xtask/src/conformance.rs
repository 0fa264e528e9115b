//! `cargo xtask conformance`: the suite as cargo tests, one for each cluster and scenario.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// What the command line chooses; all else is handed to the test target.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    clusters: Vec<String>,
    kubernetes: Option<String>,
    backend: Option<String>,
    assets: Option<String>,
    image: Option<String>,
    logs: Option<String>,
    filters: Vec<String>,
}

impl Choice {
    /// Reads `[--cluster C]... [--kubernetes V] [--backend B] [--assets DIR] [--image I] [--logs DIR]
    /// [FILTER]...`.
    pub(crate) fn parse(args: &[&str]) -> Result<Self> {
        let mut choice = Self::default();
        let mut args = args.iter();
        while let Some(&arg) = args.next() {
            let (flag, inline) = match arg.split_once('=') {
                Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
                _ => (arg, None),
            };
            let mut value = || {
                let next = || args.next().map(|value| (*value).to_owned());
                inline
                    .clone()
                    .or_else(next)
                    .with_context(|| format!("{flag} needs a value"))
            };
            match flag {
                "--cluster" => choice.clusters.push(value()?),
                "--kubernetes" => choice.kubernetes = Some(value()?),
                "--backend" => choice.backend = Some(value()?),
                "--assets" => choice.assets = Some(absolute(&value()?)?),
                "--image" => choice.image = Some(value()?),
                "--logs" => choice.logs = Some(absolute(&value()?)?),
                // `--exact`, `--list` and their like are the test target's.
                _ => choice.filters.push(arg.to_owned()),
            }
        }
        Ok(choice)
    }

    /// The variables by which the test target knows what to run.
    fn environment(&self) -> impl Iterator<Item = (&'static str, String)> {
        let clusters = (!self.clusters.is_empty()).then(|| self.clusters.join(","));
        [
            ("PODGATE_CLUSTER", clusters),
            ("PODGATE_KUBERNETES", self.kubernetes.clone()),
            ("PODGATE_BACKEND", self.backend.clone()),
            ("PODGATE_ASSETS", self.assets.clone()),
            ("PODGATE_IMAGE", self.image.clone()),
            ("PODGATE_LOGS", self.logs.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// The test target runs in another folder.
fn absolute(path: &str) -> Result<String> {
    let absolute = std::path::absolute(path).with_context(|| format!("{path} is no path"))?;
    Ok(absolute.to_string_lossy().into_owned())
}

/// Runs the suite.
pub(crate) fn run(root: &Path, choice: &Choice) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args([
            "test",
            "--quiet",
            "--package",
            "podgate-suite",
            "--test",
            "suite",
            "--",
        ])
        .args(&choice.filters)
        .envs(choice.environment())
        .status()
        .context("cannot run cargo")?;
    if status.success() {
        Ok(())
    } else {
        bail!("the suite does not hold: {status}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_choice() {
        let args = [
            "--cluster",
            "psa-restricted",
            "--kubernetes=1.36",
            "root-pod",
            "--exact",
        ];
        let choice = Choice::parse(&args).expect("well formed");
        let environment: Vec<_> = choice.environment().collect();
        assert_eq!(
            environment,
            [
                ("PODGATE_CLUSTER", "psa-restricted".to_owned()),
                ("PODGATE_KUBERNETES", "1.36".to_owned()),
            ]
        );
        assert_eq!(choice.filters, ["root-pod", "--exact"]);
        assert!(Choice::parse(&["--cluster"]).is_err());
    }
}

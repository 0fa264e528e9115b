//! `cargo xtask image`: podgate as a container image, one static binary FROM scratch.
//!
//! The binary is linked statically against glibc: that works with the target that is there anyway,
//! where musl would have to be installed. All that a static glibc cannot do is to look up names and
//! users in ways that are plugged in, and `podgate serve` looks up none.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

/// What the image is called without `--tag`.
const TAG: &str = concat!("podgate:", env!("CARGO_PKG_VERSION"));

/// What the command line chooses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    tag: String,
    release: bool,
}

impl Choice {
    /// Reads `[--tag NAME] [--release]`.
    pub(crate) fn parse(args: &[&str]) -> Result<Self> {
        let mut choice = Self {
            tag: TAG.to_owned(),
            release: false,
        };
        let mut args = args.iter();
        while let Some(&arg) = args.next() {
            match arg {
                "--release" => choice.release = true,
                "--tag" => {
                    let tag = args.next().context("--tag needs a value: podgate:dev")?;
                    choice.tag = String::from(*tag);
                }
                _ => bail!("no such argument: {arg}"),
            }
        }
        Ok(choice)
    }
}

/// Builds the binary and the image.
pub(crate) fn run(root: &Path, choice: &Choice) -> Result<()> {
    let binary = build(root, choice.release)?;
    let context = target(root).join("image");
    fs::create_dir_all(context.join("run"))?;
    fs::copy(&binary, context.join("podgate"))
        .with_context(|| format!("cannot copy {}", binary.display()))?;
    let built = Command::new("docker")
        .args(["build", "--quiet", "--tag", &choice.tag, "--file"])
        .arg(root.join("Dockerfile"))
        .arg(&context)
        // What is built is said by its name.
        .stdout(Stdio::null())
        .status();
    let status = match built {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("docker is not installed: it builds the image")
        }
        built => built.context("cannot run docker")?,
    };
    ensure!(status.success(), "docker build failed: {status}");
    println!("{}", choice.tag);
    Ok(())
}

/// Only the last crate is told to link statically, so that all others are the ones of any other
/// build with this profile.
fn build(root: &Path, release: bool) -> Result<PathBuf> {
    let (profile, folder) = if release {
        ("release", "release")
    } else {
        ("dev", "debug")
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args([
            "rustc",
            "--quiet",
            "--package",
            "podgate",
            "--bin",
            "podgate",
        ])
        .args(["--profile", profile])
        .args([
            "--",
            "-C",
            "target-feature=+crt-static",
            "-C",
            "strip=symbols",
        ])
        .status()
        .context("cannot run cargo")?;
    ensure!(
        status.success(),
        "the static binary does not build: {status}"
    );
    Ok(target(root).join(folder).join("podgate"))
}

/// Where cargo builds.
fn target(root: &Path) -> PathBuf {
    let chosen = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    root.join(chosen.unwrap_or_else(|| PathBuf::from("target")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_choice() {
        let parsed = Choice::parse(&["--tag", "a:b", "--release"]).expect("well formed");
        assert_eq!((parsed.tag.as_str(), parsed.release), ("a:b", true));
        let default = Choice::parse(&[]).expect("well formed");
        assert!(default.tag.starts_with("podgate:") && !default.release);
        assert!(Choice::parse(&["--tag"]).is_err());
        assert!(Choice::parse(&["image"]).is_err());
    }
}

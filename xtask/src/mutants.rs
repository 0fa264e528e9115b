//! `cargo xtask mutants`: the suite on servers whose rules are slightly wrong. The program is the
//! binary of the package at the root, as this one depends on no other crate.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

pub(crate) fn run(root: &Path) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args([
            "run",
            "--quiet",
            "--package",
            "podgate-suite",
            "--bin",
            "mutants",
        ])
        .status()
        .context("cargo does not start")?;
    if !status.success() {
        bail!("the suite does not notice every mutant");
    }
    Ok(())
}

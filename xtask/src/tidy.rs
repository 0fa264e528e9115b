//! `cargo xtask tidy`: rules of this repository that neither the compiler nor clippy knows. It also
//! runs as a test of this crate.

mod dependencies;
mod sources;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

/// Checks the checkout at `root`; the error lists everything that breaks a rule.
pub(crate) fn run(root: &Path) -> Result<()> {
    let files = tracked_files(root)?;
    let mut broken = dependencies::check(&metadata(root)?)?;
    let architecture = root.join("ARCHITECTURE.md");
    let architecture = fs::read_to_string(&architecture)
        .with_context(|| format!("read {}", architecture.display()))?;
    broken.extend(sources::check_code_map(&architecture, &files));
    for file in &files {
        // A file that git tracks may be gone from the work tree, or be no text.
        let Ok(text) = fs::read_to_string(root.join(file)) else {
            continue;
        };
        broken.extend(sources::check_file(file, &text));
    }
    if broken.is_empty() {
        return Ok(());
    }
    bail!("{} rules broken\n{}", broken.len(), broken.join("\n"))
}

/// The files that git tracks, from the root.
fn tracked_files(root: &Path) -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root)
        .output()
        .context("run git")?;
    ensure!(output.status.success(), "git ls-files: {}", output.status);
    let files: Vec<String> = String::from_utf8(output.stdout)?
        .split_terminator('\0')
        .map(str::to_owned)
        .collect();
    ensure!(!files.is_empty(), "git tracks nothing here");
    Ok(files)
}

/// What cargo says of the workspace's packages.
fn metadata(root: &Path) -> Result<serde_json::Value> {
    // Cargo says which cargo runs this program.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root)
        .output()
        .context("run cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).context("read what cargo metadata printed")
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_checkout_is_tidy() {
        super::run(crate::root()).unwrap();
    }
}

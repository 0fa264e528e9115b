//! `cargo xtask ci`: everything that a push must pass, in the order in which it fails fastest.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

const STEPS: [(&str, &[&str]); 5] = [
    ("the format", &["fmt", "--all", "--check"]),
    (
        "the lints",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ],
    ),
    ("the tests", &["test"]),
    (
        "the documentation",
        &["doc", "--workspace", "--no-deps", "--quiet"],
    ),
    (
        "the dependencies",
        &["deny", "--log-level", "warn", "check"],
    ),
];

/// Runs every step, and names the one that does not hold.
pub(crate) fn run(root: &Path) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    for (what, args) in STEPS {
        let mut command = Command::new(&cargo);
        command
            .current_dir(root)
            .args(args)
            .env("RUSTDOCFLAGS", "--deny warnings");
        if args[0] == "deny" && !has_cargo_deny(&cargo) {
            eprintln!("LEFT OUT: {what}: cargo-deny is not installed (cargo install cargo-deny)");
            continue;
        }
        eprintln!("== {what}: cargo {}", args.join(" "));
        let status = command.status().context("cannot run cargo")?;
        if !status.success() {
            bail!("{what} does not hold: cargo {}", args.join(" "));
        }
    }
    Ok(())
}

fn has_cargo_deny(cargo: &std::ffi::OsStr) -> bool {
    let output = Command::new(cargo).args(["deny", "--version"]).output();
    output.is_ok_and(|output| output.status.success())
}

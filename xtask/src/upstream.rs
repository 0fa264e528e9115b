//! `cargo xtask upstream`: the test suite that Kubernetes has for Pod Security admission, against
//! `podgate serve`. Each minor of podgate meets the suite of that minor.
//!
//! The suite is `k8s.io/pod-security-admission/test`; the Go module in `upstream/psa` calls it, and each
//! minor gets a module of its own below `target/`, with that minor's versions.

mod events;
mod rounds;
mod server;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::codegen;
use events::Outcome;
use rounds::Round;
pub(crate) use server::Server;

/// Runs the suite against the minors that `args` choose.
pub(crate) fn run(root: &Path, args: &[&str]) -> Result<()> {
    let rounds = rounds::rounds(&codegen::versions(root)?, args)?;
    find_go()?;
    let podgate = build(root)?;
    let mut broken = Vec::new();
    for round in &rounds {
        // What keeps one minor from being judged keeps no other.
        match test(root, &podgate, round) {
            Ok(outcome) => {
                println!("{round}: {outcome}");
                if !outcome.holds() {
                    print!("{}", outcome.said);
                    broken.push(round.to_string());
                }
            }
            Err(error) => {
                println!("{round}: NOT RUN: {error:#}");
                broken.push(round.to_string());
            }
        }
    }
    ensure!(
        broken.is_empty(),
        "upstream's suite does not hold:\n{}",
        broken.join("\n")
    );
    Ok(())
}

/// Runs the test that reads and writes the examples of each minor's `k8s.io/api` as protobuf.
pub(crate) fn examples(root: &Path) -> Result<()> {
    find_go()?;
    let go = |args: &[&str]| -> Result<String> {
        let output = Command::new("go").args(args).output().context("run go")?;
        ensure!(
            output.status.success(),
            "go {}: {}",
            args.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?)
    };
    for (_, version) in codegen::versions(root)? {
        go(&["mod", "download", &format!("k8s.io/api@{version}")])?;
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["test", "--quiet", "--package", "podgate-apiserver", "--lib"])
        .args([
            "--",
            "--exact",
            "protobuf::tests::testdata::upstreams_examples",
        ])
        .env("PODGATE_GO_MODULES", go(&["env", "GOMODCACHE"])?.trim())
        .current_dir(root)
        .status()
        .context("run cargo")?;
    ensure!(
        status.success(),
        "not every example is read or written as upstream does"
    );
    Ok(())
}

/// Whether there is Go to run.
pub(crate) fn find_go() -> Result<()> {
    match Command::new("go").arg("version").output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("UPSTREAM'S SUITE DID NOT RUN: it needs Go, and there is no `go` in PATH")
        }
        output => ensure!(
            output.context("run go")?.status.success(),
            "go version fails"
        ),
    }
    Ok(())
}

/// Builds podgate, and says where it is.
pub(crate) fn build(root: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--package", "podgate"])
        .args(["--bin", "podgate", "--message-format"])
        .arg("json-render-diagnostics")
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("run cargo")?;
    ensure!(output.status.success(), "podgate does not build");
    String::from_utf8(output.stdout)?
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo does not say where podgate is")
}

/// Runs the suite against a server of its own.
fn test(root: &Path, podgate: &Path, round: &Round) -> Result<Outcome> {
    let dir = make_module(root, round)?;
    let server = Server::start(podgate, &dir, round)?;
    let output = Command::new("go")
        .args(["test", "-mod=mod", "-count=1", "-json", "."])
        .current_dir(&dir)
        .env("KUBECONFIG", server.kubeconfig())
        .env("FEATURES_OFF", round.off.join(","))
        .output()
        .context("run go test")?;
    let outcome = events::read(&output.stdout)?;
    ensure!(
        outcome.ran() > 0,
        "no test ran in {}: go test: {}\n{}{}",
        dir.display(),
        output.status,
        String::from_utf8_lossy(&output.stderr),
        outcome.said
    );
    Ok(outcome)
}

/// Writes the module that has the suite of `round`.
fn make_module(root: &Path, round: &Round) -> Result<PathBuf> {
    let Round { suite, version, .. } = round;
    let dir = root.join("target/upstream/psa").join(version);
    fs::create_dir_all(&dir)?;
    for file in ["doc.go", "psa_test.go"] {
        let from = root.join("upstream/psa").join(file);
        fs::copy(&from, dir.join(file)).with_context(|| from.display().to_string())?;
    }
    // Only the direct requirements are written: `-mod=mod` lets Go take the rest from them.
    fs::write(
        dir.join("go.mod"),
        format!(
            "module podgate.dev/upstream/psa\n\ngo 1.22\n\nrequire (\n\
             \tk8s.io/apimachinery {version}\n\
             \tk8s.io/client-go {version}\n\
             \tk8s.io/component-base {version}\n\
             \tk8s.io/pod-security-admission {suite}\n)\n"
        ),
    )?;
    Ok(dir)
}

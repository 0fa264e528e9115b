//! `cargo xtask informers`, `cargo xtask load` and `cargo xtask protobuf`: clients of client-go against `podgate
//! serve`; and the requests of `cargo xtask bench`.
//!
//! The clients are the Go module in `upstream/informers`, which knows nothing of podgate. Informers must be
//! told a consistent history while several writers change what they look at, across a watch that expires;
//! and of many pods created at once none may be lost, and none judged otherwise than `podgate check` does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::upstream::{Server, build, examples, find_go};

/// The cluster under load: what it enforces and what it warns about differ.
const CLUSTER: &str = "clusters/psa-baseline-warn-restricted.yaml";
const KUBERNETES: &str = "1.36";
/// So few changes are kept that a watch which is cut off in the middle of it all expires.
const HISTORY: &str = "500";

/// Runs the informers twice: as they are, and with their watches cut off for half of the time.
pub(crate) fn informers(root: &Path, args: &[&str]) -> Result<()> {
    let count = value(args, "--count")?.unwrap_or("10000");
    find_go()?;
    let podgate = podgate(root, args)?;
    let (dir, clients) = compile(root)?;
    for (history, expire) in [(None, false), (Some(HISTORY), true)] {
        let mut serve = vec!["--kubernetes", KUBERNETES];
        if let Some(history) = history {
            serve.extend(["--watch-history", history]);
        }
        let server = Server::start_with(&podgate, &dir, &serve)?;
        let mut command = Command::new(&clients);
        command.arg("--kubeconfig").arg(server.kubeconfig());
        command.args(["--count", count]);
        if expire {
            command.arg("--expire");
        }
        println!(
            "== informers{}",
            if expire {
                ", cut off until their watches expire"
            } else {
                ""
            }
        );
        run(command.arg("informers"))?;
    }
    Ok(())
}

/// Creates pods of mixed quality from six clients, without and with fifty watches that look on.
pub(crate) fn load(root: &Path, args: &[&str]) -> Result<()> {
    let count = value(args, "--count")?.unwrap_or("10000");
    find_go()?;
    let podgate = podgate(root, args)?;
    let (dir, clients) = compile(root)?;
    let pods = root.join("upstream/informers/pods.jsonl");
    let verdicts = check(root, &podgate, &dir, &pods)?;
    let cluster = root.join(CLUSTER).display().to_string();
    for watches in ["0", "50"] {
        let server = Server::start_with(
            &podgate,
            &dir,
            &["--cluster", &cluster, "--kubernetes", KUBERNETES],
        )?;
        let mut command = Command::new(&clients);
        command.arg("--kubeconfig").arg(server.kubeconfig());
        command.arg("--pods").arg(&pods);
        command.arg("--verdicts").arg(&verdicts);
        command.args(["--count", count, "--watches", watches]);
        println!("== load, {watches} watches");
        run(command.arg("load"))?;
        match server.memory() {
            Some(memory) => println!("memory of the server: {memory}"),
            None => println!("the memory of the server is not known on this system"),
        }
    }
    Ok(())
}

/// Reads and writes upstream's examples as protobuf, and then sends all manifests of the suite, and what was
/// recorded where that is there, as JSON and as protobuf.
pub(crate) fn protobuf(root: &Path) -> Result<()> {
    examples(root)?;
    let podgate = build(root)?;
    let (dir, clients) = compile(root)?;
    let mut objects = vec![
        root.join("upstream/informers/pods.jsonl"),
        root.join("scenarios"),
    ];
    let truth = std::env::var_os("PODGATE_TRUTH")
        .map_or_else(|| root.join("../shared/truth"), PathBuf::from);
    let recorded = truth.join(KUBERNETES);
    if recorded.is_dir() {
        objects.extend(["pods.ndjson.gz", "workloads.ndjson.gz"].map(|name| recorded.join(name)));
    } else {
        println!("LEFT OUT: no recorded requests; PODGATE_TRUTH names their folder");
    }
    let server = Server::start_with(&podgate, &dir, &["--kubernetes", KUBERNETES])?;
    let mut command = Command::new(&clients);
    command.arg("--kubeconfig").arg(server.kubeconfig());
    run(command.arg("protobuf").args(&objects))
}

/// The podgate that is asked for, or one that is built.
fn podgate(root: &Path, args: &[&str]) -> Result<PathBuf> {
    match value(args, "--podgate")? {
        Some(path) => Ok(PathBuf::from(path)),
        None => build(root),
    }
}

/// Asks a server for as much as it can answer, on one connection and on several.
pub(crate) fn requests(root: &Path, podgate: &Path) -> Result<()> {
    let (dir, clients) = compile(root)?;
    let server = Server::start_with(podgate, &dir, &["--kubernetes", KUBERNETES])?;
    let mut command = Command::new(&clients);
    command.arg("--kubeconfig").arg(server.kubeconfig());
    run(command.arg("requests"))
}

/// What `podgate check` says of each pod, in a file.
fn check(root: &Path, podgate: &Path, dir: &Path, pods: &Path) -> Result<PathBuf> {
    let lines = fs::read_to_string(pods)?;
    let manifests = dir.join("pods.json");
    fs::write(&manifests, &lines)?;
    let output = Command::new(podgate)
        .args(["check", "--cluster"])
        .arg(root.join(CLUSTER))
        .args(["--kubernetes", KUBERNETES, "--output", "jsonl"])
        .arg(&manifests)
        .output()
        .context("run podgate check")?;
    let verdicts = String::from_utf8(output.stdout)?;
    ensure!(
        verdicts.lines().count() == lines.lines().count(),
        "podgate check does not judge every pod: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let file = dir.join("verdicts.jsonl");
    fs::write(&file, verdicts)?;
    Ok(file)
}

/// Compiles the clients; the folder for what they need, and where they are.
fn compile(root: &Path) -> Result<(PathBuf, PathBuf)> {
    let dir = root.join("target/upstream/informers");
    fs::create_dir_all(&dir)?;
    let clients = dir.join("clients");
    let mut command = Command::new("go");
    command.arg("build").arg("-o").arg(&clients).arg(".");
    run(command.current_dir(root.join("upstream/informers")))?;
    Ok((dir, clients))
}

fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("run {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{}: {status}", command.get_program().display());
    }
    Ok(())
}

/// The value behind a flag.
fn value<'a>(args: &[&'a str], flag: &str) -> Result<Option<&'a str>> {
    match args.iter().position(|arg| *arg == flag) {
        Some(at) => Ok(Some(
            args.get(at + 1)
                .copied()
                .with_context(|| format!("{flag} needs a value"))?,
        )),
        None => Ok(None),
    }
}

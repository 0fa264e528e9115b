//! `cargo xtask bench`: how fast podgate is, side by side with what it is measured against.
//!
//! In each round every program runs once, in turn, on the same file of generated pods, whole process
//! against whole process; of several rounds the shortest time counts, because whatever else runs on the
//! machine makes times longer and never shorter. On a machine with `taskset` each is held to one core.
//! Beside the time by the clock stands that of the processor, which a busy machine changes less.
//!
//! - the reference: `upstream/bench`, `k8s.io/pod-security-admission` over the types of `k8s.io/api`
//! - podgate: `podgate audit FILE --enforce restricted -o jsonl`, on one core and on two
//! - a bare scan: the same bytes read in the same way, every value of a line skipped by `serde_json`
//!   (`IgnoredAny`), nothing looked at: what any reader of JSON has to do
//!
//! Then come the time from a start to the first verdict, and requests of `podgate serve` on one connection
//! and on several, as parts of what it answers to `GET /version`.
//!
//! The results and their meaning are in docs/performance.md.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde::de::IgnoredAny;

use crate::clients;

mod pods;

/// What the command line chooses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pods: usize,
    seed: u64,
    rounds: usize,
    reference: bool,
}

impl Choice {
    /// Reads `[--pods N] [--seed N] [--rounds N] [--without-reference]`.
    pub(crate) fn parse(args: &[&str]) -> Result<Self> {
        let mut choice = Self {
            pods: 50_000,
            seed: 1,
            rounds: 5,
            reference: true,
        };
        let mut args = args.iter();
        while let Some(&arg) = args.next() {
            let mut number = || -> Result<usize> {
                let text = args
                    .next()
                    .with_context(|| format!("{arg} needs a number"))?;
                text.parse()
                    .with_context(|| format!("{arg} {text}: no number"))
            };
            match arg {
                "--pods" => choice.pods = number()?,
                "--seed" => choice.seed = number()? as u64,
                "--rounds" => choice.rounds = number()?.max(1),
                "--without-reference" => choice.reference = false,
                _ => bail!("no such argument: {arg}"),
            }
        }
        Ok(choice)
    }
}

/// A program that is measured.
struct Runner {
    name: &'static str,
    cores: &'static str,
    command: Vec<String>,
    /// The exit codes that it ends with: some pods are rejected.
    codes: &'static [i32],
    best: Duration,
    /// The least time of processors, in ticks of [`TICKS`] to the second; none where the system does not
    /// tell.
    processor: Option<u64>,
    /// The most memory that it used, in KiB.
    peak: u64,
}

/// How many ticks `/proc/PID/stat` counts in a second (`USER_HZ`, the same on every Linux).
const TICKS: f64 = 100.0;

/// Runs the comparison and prints it.
pub(crate) fn run(root: &Path, choice: &Choice) -> Result<()> {
    let target = root.join("target");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut build = Command::new(cargo);
    build.args([
        "build",
        "--release",
        "--package",
        "podgate",
        "--package",
        "xtask",
    ]);
    finished(build.current_dir(root), "cargo build --release")?;
    let release = |name: &str| target.join("release").join(name).display().to_string();

    let folder = target.join("bench");
    fs::create_dir_all(&folder)?;
    let file = folder.join(format!("pods-{}-{}.jsonl", choice.pods, choice.seed));
    if !file.exists() {
        let unfinished = file.with_extension("part");
        let mut generate = Command::new(release("xtask"));
        generate.args([
            "bench-pods",
            &choice.pods.to_string(),
            &choice.seed.to_string(),
        ]);
        finished(generate.stdout(File::create(&unfinished)?), "the generator")?;
        fs::rename(&unfinished, &file)?;
    }
    let bytes = file.metadata()?.len();
    let file = file.display().to_string();

    let podgate = [
        &release("podgate"),
        "audit",
        &file,
        "--enforce",
        "restricted",
        "-o",
        "jsonl",
    ];
    let runner = |name, cores, command: &[&str], codes| Runner {
        name,
        cores,
        command: command.iter().map(|part| (*part).to_owned()).collect(),
        codes,
        best: Duration::MAX,
        processor: None,
        peak: 0,
    };
    let mut runners = vec![
        runner("podgate audit", "0", &podgate, &[0, 1]),
        runner("podgate audit, two cores", "0,1", &podgate, &[0, 1]),
        runner(
            "bare scan",
            "0",
            &[&release("xtask"), "bench-scan", &file],
            &[0],
        ),
    ];
    if choice.reference {
        let reference = reference(root, &folder)?;
        let reference = reference.display().to_string();
        runners.push(runner(
            "reference",
            "0",
            &[&reference, &file, "restricted"],
            &[0],
        ));
    }
    let pinned = Command::new("taskset")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok();
    for round in 0..choice.rounds {
        eprintln!("round {} of {}", round + 1, choice.rounds);
        for runner in &mut runners {
            runner.run(pinned)?;
        }
    }
    tell(&runners, choice, bytes, pinned);
    start_up(&release("podgate"), &folder)?;
    first_line(&podgate)?;
    if choice.reference {
        clients::requests(root, Path::new(&release("podgate")))?;
    }
    Ok(())
}

impl Runner {
    fn run(&mut self, pinned: bool) -> Result<()> {
        let mut command = if pinned {
            let mut command = Command::new("taskset");
            command.args(["-c", self.cores]).args(&self.command);
            command
        } else {
            let mut command = Command::new(&self.command[0]);
            command.args(&self.command[1..]);
            command
        };
        // Go takes more threads than it has cores for its collector otherwise.
        command.env("GOMAXPROCS", if self.cores == "0" { "1" } else { "2" });
        let started = Instant::now();
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut processor = None;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            self.peak = self.peak.max(memory(&child));
            processor = ticks(&child).or(processor);
            thread::sleep(Duration::from_millis(3));
        };
        self.best = self.best.min(started.elapsed());
        self.processor = [self.processor, processor].into_iter().flatten().min();
        let code = status.code().unwrap_or(-1);
        ensure!(
            self.codes.contains(&code),
            "{} ended with {code}",
            self.name
        );
        Ok(())
    }
}

/// The most memory that a process has used so far, in KiB; zero where the system does not tell.
fn memory(process: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

/// How long processors have worked for a process so far, in ticks, in its own code and for it in the
/// kernel.
fn ticks(process: &Child) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.id())).ok()?;
    // Its name, in brackets, may have spaces; behind it the state is the first field, the times the 12th
    // and the 13th.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11);
    let mut next = || times.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

/// Prints what came out, absolute for whoever runs it, and as ratios.
// No dump has so many bytes that a float could not count them.
#[expect(clippy::cast_precision_loss)]
fn tell(runners: &[Runner], choice: &Choice, bytes: u64, pinned: bool) {
    println!(
        "{} pods of {} bytes on average, the best of {} rounds{}",
        choice.pods,
        bytes / choice.pods as u64,
        choice.rounds,
        if pinned {
            ""
        } else {
            " (no taskset: the cores are not held)"
        }
    );
    let podgate = &runners[0];
    for runner in runners {
        let seconds = runner.best.as_secs_f64();
        let ratio = match (runner.processor, podgate.processor) {
            (Some(ticks), Some(podgate)) => format!("{:6.2}", ticks as f64 / podgate as f64),
            _ => "     -".to_owned(),
        };
        println!(
            "{:26} {:8.2} us a pod ({:6.2} of processors)  {:7.0} MiB/s  {:6.2} ({ratio}) x podgate audit  {:5} MiB at most",
            runner.name,
            seconds * 1e6 / choice.pods as f64,
            runner.processor.unwrap_or_default() as f64 / TICKS * 1e6 / choice.pods as f64,
            bytes as f64 / seconds / f64::from(1 << 20),
            seconds / podgate.best.as_secs_f64(),
            runner.peak / 1024
        );
    }
}

/// From the start of `podgate check` on one file to its end.
fn start_up(podgate: &str, folder: &Path) -> Result<()> {
    let file = folder.join("one.yaml");
    fs::write(
        &file,
        "apiVersion: v1\nkind: Pod\nmetadata: {name: one}\nspec: {containers: [{name: one, image: one}]}\n",
    )?;
    let mut best = Duration::MAX;
    for _ in 0..20 {
        let started = Instant::now();
        let mut check = Command::new(podgate);
        check.args(["check", "--enforce", "restricted"]).arg(&file);
        let status = check.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        best = best.min(started.elapsed());
        ensure!(
            status.code() == Some(1),
            "podgate check does not reject the pod"
        );
    }
    println!(
        "podgate check of one file: {:.1} ms from start to end",
        best.as_secs_f64() * 1e3
    );
    Ok(())
}

/// From the start of `podgate audit` on all pods to its first line.
fn first_line(audit: &[&str]) -> Result<()> {
    let mut best = Duration::MAX;
    for _ in 0..20 {
        let started = Instant::now();
        let mut command = Command::new(audit[0]);
        command.args(&audit[1..]).stderr(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().context("its output")?;
        let mut line = String::new();
        BufReader::with_capacity(1 << 12, output).read_line(&mut line)?;
        best = best.min(started.elapsed());
        // Nobody reads on, which ends it.
        child.wait()?;
        ensure!(line.ends_with('\n'), "podgate audit says nothing");
    }
    println!(
        "podgate audit of the file: {:.1} ms from start to the first line",
        best.as_secs_f64() * 1e3
    );
    Ok(())
}

/// Builds the reference.
fn reference(root: &Path, folder: &Path) -> Result<PathBuf> {
    let program = folder.join("reference");
    let mut build = Command::new("go");
    build.args(["build", "-o"]).arg(&program).arg(".");
    finished(
        build.current_dir(root.join("upstream/bench")),
        "go build (or --without-reference)",
    )?;
    Ok(program)
}

fn finished(command: &mut Command, what: &str) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("{what} does not start"))?;
    ensure!(status.success(), "{what} failed");
    Ok(())
}

/// Writes pods to standard output, one a line.
pub(crate) fn write_pods(args: &[&str]) -> Result<()> {
    let [count, seed] = args else {
        bail!("bench-pods takes a count and a seed");
    };
    let count: usize = count.parse()?;
    let mut pods = pods::Pods::new(seed.parse()?);
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    let mut line = String::new();
    for _ in 0..count {
        line.clear();
        pods.next(&mut line);
        line.push('\n');
        out.write_all(line.as_bytes())?;
    }
    Ok(out.flush()?)
}

/// Reads JSON Lines and skips every value.
pub(crate) fn scan(args: &[&str]) -> Result<()> {
    let [file] = args else {
        bail!("bench-scan takes a file");
    };
    let mut lines = BufReader::with_capacity(1 << 20, File::open(file)?);
    let mut line = Vec::new();
    let mut count = 0;
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        serde_json::from_slice::<IgnoredAny>(&line)?;
        count += 1;
    }
    println!("{count}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_pods() {
        let pods = |seed| {
            let mut pods = pods::Pods::new(seed);
            let mut text = String::new();
            for _ in 0..200 {
                pods.next(&mut text);
                text.push('\n');
            }
            text
        };
        assert_eq!(pods(1), pods(1));
        assert_ne!(pods(1), pods(2));
        let mut sizes = 0;
        for line in pods(1).lines() {
            let pod: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
            assert_eq!(pod["kind"], "Pod");
            sizes += line.len();
        }
        assert!((4_500..5_500).contains(&(sizes / 200)), "{}", sizes / 200);
    }

    #[test]
    fn reads_its_arguments() {
        let choice =
            Choice::parse(&["--pods", "7", "--rounds", "0", "--without-reference"]).unwrap();
        assert_eq!(
            (choice.pods, choice.rounds, choice.reference),
            (7, 1, false)
        );
        assert!(Choice::parse(&["--pods"]).is_err());
        assert!(Choice::parse(&["--cores", "3"]).is_err());
    }
}

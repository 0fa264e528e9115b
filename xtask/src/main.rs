//! The tasks of this workspace, run as `cargo xtask TASK`.
//!
//! A task runs cargo, Go or podgate and compares files; it decides nothing about policy, and it
//! depends on no other crate of the workspace.

mod bench;
mod ci;
mod clients;
mod codegen;
mod conformance;
mod image;
mod mutants;
mod tidy;
mod upstream;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
The tasks of this workspace

USAGE:
    cargo xtask TASK

TASKS:
    conformance [--cluster C]... [--kubernetes V] [--backend B] [FILTER]...
                         run the suite as cargo tests, one for each cluster and scenario, on the
                         embedded server, or on real ones that are booted first and removed
                         afterwards: apiserver (with --assets DIR), kind (with --image I);
                         --logs DIR keeps what they say;
                         what else stands there goes to the test target (--list, --exact)
    bench [--pods N] [--seed N] [--rounds N] [--without-reference]
                         podgate audit against Kubernetes' own evaluator and a bare scan of the same
                         bytes, in turn, on generated pods; requests of podgate serve
                         (docs/performance.md). Needs Go.
    ci                   everything that a push must pass
    codegen [--check]    write the schema tables from the Go types of k8s.io/api and from
                         admission/schema/defaults.txt; with --check only compare.
                         Needs Go and the Go modules of the minors.
    informers [--count N] [--podgate FILE]
                         let informers of client-go look on while six writers make 10,000 changes
                         on podgate serve, with and without watches that expire. Needs Go.
    load [--count N] [--podgate FILE]
                         create 10,000 pods on podgate serve from six clients, without and with
                         50 watches; compare each answer with podgate check. Needs Go.
    image [--tag NAME] [--release]
                         build podgate as a container image, podgate:VERSION. Needs Docker.
    mutants              try the suite on servers whose rules are slightly wrong: a check dropped, a
                         version shifted by one, a value allowed or refused; the suite must
                         notice each. Some minutes.
    protobuf             read and write Kubernetes' own examples of every kind, with every field set, as
                         protobuf of each minor; send the manifests of the suite to podgate serve as JSON
                         and as protobuf, and compare the answers. Needs Go.
    tidy                 check the rules of this repository that no compiler knows: which way
                         dependencies run, what ARCHITECTURE.md names, how files open.
    upstream [--kubernetes 1.NN|all]...
                         run Kubernetes' own test suite of Pod Security admission against
                         podgate serve, each minor's own; 1.25 and the newest without a
                         choice. Needs Go and the Go modules of the minors.
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Result<()> {
    match args {
        ["conformance", args @ ..] if !args.contains(&"--help") => {
            conformance::run(root(), &conformance::Choice::parse(args)?)
        }
        ["bench", args @ ..] if !args.contains(&"--help") => {
            bench::run(root(), &bench::Choice::parse(args)?)
        }
        ["bench-pods", args @ ..] => bench::write_pods(args),
        ["bench-scan", args @ ..] => bench::scan(args),
        ["ci"] => ci::run(root()),
        ["codegen"] => codegen::write(root()),
        ["codegen", "--check"] => codegen::check(root()),
        ["image", args @ ..] if !args.contains(&"--help") => {
            image::run(root(), &image::Choice::parse(args)?)
        }
        ["informers", args @ ..] if !args.contains(&"--help") => clients::informers(root(), args),
        ["load", args @ ..] if !args.contains(&"--help") => clients::load(root(), args),
        ["mutants"] => mutants::run(root()),
        ["protobuf"] => clients::protobuf(root()),
        ["tidy"] => tidy::run(root()),
        ["upstream", args @ ..] if !args.contains(&"--help") => upstream::run(root(), args),
        [] | ["help" | "--help" | "-h", ..] | [_, "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        _ => bail!("no such task: {}\n\n{HELP}", args.join(" ")),
    }
}

/// The root of the checkout that this program was built in.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in a folder of the workspace")
}

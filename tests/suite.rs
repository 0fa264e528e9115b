//! The conformance suite as cargo tests: one for each cluster and scenario, discovered when the
//! test runs, so that a new file is never silently skipped. (rstest's file globs freeze at compile
//! time, so it is libtest-mimic that runs this target.)
//!
//! `cargo xtask conformance` chooses clusters, versions and a backend through the environment:
//! `PODGATE_CLUSTER`, `PODGATE_KUBERNETES`, `PODGATE_BACKEND`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use podgate_harness::error::Error;
use podgate_harness::execute;
use podgate_harness::plan::{Plan, Selection};
use podgate_harness::report;
use podgate_harness::snapshot::{Store, Writing};
use podgate_harness::suite::{Project, Suite};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    match trials() {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(101)
        }
    }
}

fn trials() -> Result<Vec<Trial>, Error> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let project = Project::load(&root)?;
    let suite = Suite::load(&project)?;
    let chosen = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(backend) = chosen("PODGATE_BACKEND").filter(|backend| backend != "embedded") {
        return Err(Error::input(format!("there is no backend `{backend}`"))
            .hint("embedded is the only one"));
    }
    let clusters = chosen("PODGATE_CLUSTER").map(|c| c.split(',').map(str::to_owned).collect());
    let kubernetes = chosen("PODGATE_KUBERNETES")
        .map(|range| {
            range
                .parse()
                .map_err(|e| Error::input(format!("PODGATE_KUBERNETES: {e}")))
        })
        .transpose()?;
    let everything = clusters.is_none();
    let selection = Selection {
        clusters: clusters.unwrap_or_default(),
        kubernetes,
        ..Selection::default()
    };
    let plan = Plan::new(&suite, &selection)?;
    if plan.cells() == 0 {
        return Err(Error::input(
            "nothing to run: no scenario applies to the chosen clusters and versions",
        ));
    }

    let mut trials = Vec::new();
    for part in plan.parts() {
        let name = format!("{}::{}", part.clusters[0].name, part.scenarios[0].id);
        let (suite, root) = (suite.clone(), root.clone());
        trials.push(Trial::test(name, move || run(&suite, &part, &root)));
    }
    if everything {
        trials.push(Trial::test("no snapshot is unreferenced", move || {
            let store = Store::new(&suite.snapshots, Writing::Forbidden);
            let unreferenced = report::unreferenced(&suite, &store).map_err(|e| e.to_string())?;
            if unreferenced.is_empty() {
                return Ok(());
            }
            Err(format!("no scenario has these: {unreferenced:?}").into())
        }));
    }
    Ok(trials)
}

fn run(suite: &Suite, part: &Plan, root: &Path) -> Result<(), Failed> {
    let results = execute::execute(part).map_err(|e| e.to_string())?;
    let store = Store::new(&suite.snapshots, writing());
    let report = report::report(suite, part, &results, &store, false).map_err(|e| e.to_string())?;
    let mut message = String::new();
    for entry in &report.entries {
        let path = entry
            .path
            .strip_prefix(root)
            .unwrap_or(&entry.path)
            .display();
        if entry.comparison.missing {
            let _ = writeln!(message, "{path} is missing");
        } else if entry.comparison.reformatted {
            let _ = writeln!(message, "{path} says the same in another form");
        }
        for change in &entry.comparison.changes {
            let _ = writeln!(message, "{path}: {change}");
        }
        for (minor, unmet) in &entry.unmet {
            let _ = writeln!(
                message,
                "{}: on {minor}, {}: {}",
                unmet.place, unmet.object, unmet.message
            );
        }
        if entry.undecided > 0 {
            let _ = writeln!(
                message,
                "{path}: {} outcomes are undecided",
                entry.undecided
            );
        }
        if entry.proposed.is_some() {
            let _ = writeln!(
                message,
                "`cargo insta review` or `podgate review` shows what is pending"
            );
        }
    }
    if message.is_empty() {
        Ok(())
    } else {
        Err(message.into())
    }
}

/// In CI nothing is written.
fn writing() -> Writing {
    match std::env::var("CI").as_deref() {
        Ok("" | "0" | "false") | Err(_) => Writing::Allowed,
        Ok(_) => Writing::Forbidden,
    }
}

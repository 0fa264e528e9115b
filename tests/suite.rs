//! The conformance suite as cargo tests: one for each cluster and scenario, discovered when the
//! test runs, so that a new file is never silently skipped. (rstest's file globs freeze at compile
//! time, so it is libtest-mimic that runs this target.)
//!
//! `cargo xtask conformance` chooses clusters, versions and a backend through the environment:
//! `PODGATE_CLUSTER`, `PODGATE_KUBERNETES`, `PODGATE_BACKEND`, and for real servers `PODGATE_ASSETS`,
//! `PODGATE_IMAGE`, `PODGATE_LOGS`. Those are booted before the tests, one for all that can share it,
//! and are gone when the first test is judged.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use podgate_harness::backend::{self, Event, Settings, Watch};
use podgate_harness::error::Error;
use podgate_harness::execute::{self, Results, real};
use podgate_harness::lifecycle::{self, Run};
use podgate_harness::plan::{Plan, Selection};
use podgate_harness::report;
use podgate_harness::snapshot::{Store, Writing};
use podgate_harness::suite::{Project, Suite};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    match trials(&arguments) {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(101)
        }
    }
}

fn trials(arguments: &Arguments) -> Result<Vec<Trial>, Error> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let project = Project::load(&root)?;
    let suite = Suite::load(&project)?;
    let chosen = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let settings = Settings {
        assets: chosen("PODGATE_ASSETS").map(PathBuf::from),
        image: chosen("PODGATE_IMAGE"),
    };
    let backend = chosen("PODGATE_BACKEND").unwrap_or_else(|| "embedded".to_owned());
    let backend = backend::named(&backend, &settings)?;
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
    let mut plan = Plan::new(&suite, &selection)?;
    if let Some(backend) = &backend {
        plan.restrict(backend.as_ref(), selection.kubernetes.is_some())?;
        for left_out in &plan.not_applicable {
            if let Some(lacking) = &left_out.lacking {
                eprintln!(
                    "not run: {} on {:?}: {lacking}",
                    left_out.cluster, left_out.minors
                );
            }
        }
    }
    if plan.cells() == 0 {
        return Err(Error::input(
            "nothing to run: no scenario applies to the chosen clusters and versions",
        ));
    }

    let parts = plan.parts().into_iter().map(|part| {
        let name = format!("{}::{}", part.clusters[0].name, part.scenarios[0].id);
        (name, part)
    });
    let parts: Vec<(String, Plan)> = parts.collect();
    let observed = match &backend {
        Some(backend) if !arguments.list => {
            let mut asked = plan.clone();
            asked.retain(|cluster, scenario| {
                runs(arguments, &format!("{}::{}", cluster.name, scenario.id))
            });
            let options = lifecycle::Options {
                logs: chosen("PODGATE_LOGS").map(PathBuf::from),
                keep: false,
            };
            let run = Run::start(&options)?;
            let results = real::execute(&asked, backend.as_ref(), &run, None, &Told);
            for (title, error) in &results.failed {
                eprintln!("error: {title}: {error}");
            }
            run.end()?;
            Some(Arc::new((asked, results)))
        }
        _ => None,
    };
    let mut trials = Vec::new();
    for (name, part) in parts {
        let (suite, root, observed) = (suite.clone(), root.clone(), observed.clone());
        trials.push(Trial::test(name, move || {
            let results = match &observed {
                None => execute::execute(&part).map_err(|e| e.to_string())?,
                Some(observed) => of_part(&part, &observed.0, &observed.1)?,
            };
            judge(&suite, &part, &results, &root)
        }));
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

/// Whether libtest will run the test of that name.
fn runs(arguments: &Arguments, name: &str) -> bool {
    let matches = |wanted: &String| {
        if arguments.exact {
            name == wanted
        } else {
            name.contains(wanted.as_str())
        }
    };
    arguments.filter.as_ref().is_none_or(matches) && !arguments.skip.iter().any(matches)
}

/// What was observed of the one cluster and the one scenario of a part. A server that failed leaves
/// holes, and a hole is no pass.
fn of_part(part: &Plan, plan: &Plan, results: &Results) -> Result<Results, Failed> {
    let place = |plan: &Plan| {
        let cluster = plan
            .clusters
            .iter()
            .position(|c| c.name == part.clusters[0].name)?;
        let scenario = plan
            .scenarios
            .iter()
            .position(|s| s.id == part.scenarios[0].id)?;
        Some((cluster, scenario))
    };
    let cells = place(plan).and_then(|place| results.cells.get(&place).cloned());
    let cells = cells.unwrap_or_default();
    if let Some(job) = part.jobs.iter().find(|job| !cells.contains_key(&job.minor)) {
        return Err(format!("it did not run on {}: its server failed", job.minor).into());
    }
    let mut own = Results::default();
    own.cells.insert((0, 0), cells);
    Ok(own)
}

/// Tells on stderr how the servers come up and go.
struct Told;

impl Watch for Told {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Stage { boot, stage } => eprintln!("{boot}: {stage}"),
            Event::Booted {
                boot,
                version,
                took,
            } => eprintln!("{boot}: {version} is up after {:.1} s", took.as_secs_f64()),
            Event::Ended { boot, took } => {
                eprintln!("{boot}: gone after {:.1} s", took.as_secs_f64());
            }
            Event::Note(text) => eprintln!("{text}"),
            Event::Cell { .. } | Event::Kept { .. } => {}
        }
    }
}

fn judge(suite: &Suite, part: &Plan, results: &Results, root: &Path) -> Result<(), Failed> {
    let store = Store::new(&suite.snapshots, writing());
    let report = report::report(suite, part, results, &store, false).map_err(|e| e.to_string())?;
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

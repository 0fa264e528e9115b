//! Real servers: which backend the flags name, what it would boot, and a run on it.

use std::fmt::Write;
use std::path::Path;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use podgate_harness::backend::{self, Backend, Settings};
use podgate_harness::error::Error;
use podgate_harness::execute::{Results, real};
use podgate_harness::lifecycle::{self, Run};
use podgate_harness::plan::Plan;
use podgate_harness::record;

use crate::args::{self, ServerArgs};
use crate::show::progress::Progress;
use crate::show::{self, counted};

/// The backend that the flags name; `None` for the embedded server and an existing cluster, which are
/// not brought up.
pub(crate) fn backend(
    backend: args::Backend,
    assets: Option<&Path>,
    image: Option<&str>,
) -> Result<Option<Box<dyn Backend>>, Error> {
    if backend == args::Backend::Context {
        return Ok(None);
    }
    let name = backend.to_possible_value();
    let settings = Settings {
        assets: assets.map(Path::to_owned),
        image: image.map(str::to_owned),
    };
    backend::named(name.as_ref().map_or("", PossibleValue::get_name), &settings)
}

/// Refuses flags that would do nothing with the backend that was chosen.
pub(crate) fn refuse_idle_flags(args: &ServerArgs) -> Result<(), Error> {
    use args::Backend::{Apiserver, Context, Embedded, K3s, Kind};
    let real: &[args::Backend] = &[Apiserver, Kind, K3s];
    let kept: &[args::Backend] = &[Apiserver, Kind, K3s, Context];
    let existing = &args.existing;
    let flags = [
        ("--assets", args.assets.is_some(), &[Apiserver][..]),
        ("--image", args.image.is_some(), &[Kind, K3s]),
        ("--context", existing.context.is_some(), &[Context]),
        ("--parallel", args.parallel.is_some(), real),
        ("--keep", args.keep, kept),
        ("--logs", args.logs.is_some(), real),
    ];
    let idle = flags
        .iter()
        .find(|(_, given, fits)| *given && !fits.contains(&args.backend));
    let Some((flag, _, fits)) = idle else {
        return Ok(());
    };
    let name = |backend: &args::Backend| {
        let name = backend.to_possible_value();
        name.map_or(String::new(), |name| {
            format!("--backend {}", name.get_name())
        })
    };
    let fits: Vec<String> = fits.iter().map(name).collect();
    let hint = if args.backend == Embedded {
        "without --backend the embedded server answers, which boots nothing"
    } else {
        "leave it out"
    };
    Err(Error::input(format!("{flag} is for {}", fits.join(" and "))).hint(hint))
}

/// The boots with their cells, a line each.
pub(crate) fn plan(plan: &Plan, backend: Option<&dyn Backend>, existing: bool) -> String {
    let mut text = show::run::not_applicable(&record::not_applicable(plan));
    let Some(backend) = backend else {
        let (what, server) = if existing {
            ("an existing cluster", "cluster")
        } else {
            ("the embedded server", "server")
        };
        let _ = writeln!(
            text,
            "nothing to boot: {what} answers, {} in {}",
            counted(plan.cells(), "cell"),
            counted(plan.jobs.len(), server)
        );
        return text;
    };
    let boots = plan.boots();
    for boot in &boots {
        let jobs = boot.jobs.iter().map(|job| &plan.jobs[*job]);
        let clusters: Vec<&str> = plan
            .spec(boot)
            .clusters
            .iter()
            .map(|c| c.name.as_str())
            .collect();
        let cells = jobs.map(|job| job.scenarios.len()).sum();
        let _ = writeln!(
            text,
            "{} {:<5} {:>4}  {}",
            backend.name(),
            boot.minor,
            counted(cells, "cell"),
            clusters.join(", ")
        );
    }
    let _ = writeln!(
        text,
        "{}, {}",
        counted(boots.len(), "boot"),
        counted(plan.cells(), "cell")
    );
    text
}

/// Runs `plan` on `backend`.
pub(crate) fn execute(
    plan: &Plan,
    backend: &dyn Backend,
    args: &ServerArgs,
) -> Result<Results, Error> {
    let options = lifecycle::Options {
        keep: args.keep,
        logs: args.logs.clone(),
    };
    let run = Run::start(&options)?;
    let progress = Progress::new();
    let mut results = real::execute(plan, backend, &run, args.parallel, &progress);
    progress.end();
    if let Err(error) = run.end() {
        results
            .failed
            .push(("the end of the run".to_owned(), error));
    }
    Ok(results)
}

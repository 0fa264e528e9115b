//! `podgate verify`: has real servers confirm the snapshots, and notes which server confirmed which.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use podgate_harness::error::Error;
use podgate_harness::execute::Results;
use podgate_harness::plan::Plan;
use podgate_harness::record::Record;
use podgate_harness::report;
use podgate_harness::snapshot::{Store, Writing};
use podgate_harness::suite::Suite;
use podgate_harness::verified::{Verified, Version};

use super::servers;
use crate::args::{Backend, VerifyArgs};
use crate::exit::Exit;
use crate::show;
use crate::show::report::Report;

pub(crate) fn run(args: &VerifyArgs) -> Result<Exit, Error> {
    let started = Instant::now();
    servers::refuse_idle_flags(&args.server)?;
    let backend = match args.server.backend {
        Backend::Apiserver | Backend::Kind => servers::backend(
            args.server.backend,
            args.server.assets.as_deref(),
            args.server.image.as_deref(),
        )?,
        _ => None,
    };
    let Some(backend) = backend else {
        return Err(Error::input(
            "snapshots are confirmed by real servers of known versions alone",
        )
        .hint("say --backend apiserver or --backend kind"));
    };
    let (suite, mut plan) = super::plan(&args.select)?;
    plan.restrict(backend.as_ref(), args.select.kubernetes.is_some())?;
    if plan.cells() == 0 {
        return Ok(super::nothing_to_run(&plan));
    }
    if args.server.plan {
        show::data(&servers::plan(&plan, Some(backend.as_ref()), false))?;
        return Ok(Exit::Expected);
    }
    let results = servers::execute(&plan, backend.as_ref(), &args.server)?;
    let store = Store::new(&suite.snapshots, super::writing());
    let report = report::report(&suite, &plan, &results, &store, false)?;
    let record = Record::new(&plan, &results, &report, backend.name(), None);
    Report {
        record: &record,
        quiet: args.quiet,
        took: Some(started.elapsed()),
    }
    .tell(&args.reports)?;
    note(&suite, &plan, &results, &store, backend.name())?;
    for (title, error) in &results.failed {
        show::note(&format!("\n{title}:"));
        show::error(error);
    }
    Ok(Exit::of_run(&record))
}

/// Writes down what was confirmed, and says how much that is.
fn note(
    suite: &Suite,
    plan: &Plan,
    results: &Results,
    store: &Store,
    backend: &str,
) -> Result<(), Error> {
    let mut verified = Verified::load(store)?;
    report::confirm(&mut verified, plan, results, store)?;
    let today = Timestamp::now().strftime("%Y-%m-%d").to_string();
    for text in results.versions.values() {
        if let Ok(version) = text.parse::<Version>() {
            verified.asked(version, backend, &today);
        }
    }
    let mut there: BTreeSet<(&str, &str)> = BTreeSet::new();
    for cluster in &suite.clusters {
        for scenario in &suite.scenarios {
            let path = store.path(&cluster.name, Path::new(&scenario.id))?;
            if !scenario.minors_on(cluster).is_empty() && path.is_file() {
                there.insert((&cluster.name, &scenario.id));
            }
        }
    }
    verified.retain(|cluster, scenario| there.contains(&(cluster, scenario)));
    let file = Verified::file(store);
    let confirmed = format!("{} of {} snapshots", verified.len(), there.len());
    if super::writing() == Writing::Forbidden {
        show::note(&format!(
            "nothing is written in CI: {} stays as it is, though real servers confirm {confirmed}",
            file.display()
        ));
        return Ok(());
    }
    verified.save(store)?;
    show::note(&format!(
        "{}: real servers confirm {confirmed}",
        file.display()
    ));
    Ok(())
}

//! `podgate test`: runs scenarios and compares their outcomes with the snapshots.

use std::time::Instant;

use podgate_harness::backend::Backend;
use podgate_harness::error::Error;
use podgate_harness::execute;
use podgate_harness::record::{PartOf, Record};
use podgate_harness::report;
use podgate_harness::snapshot::{Store, Writing};

use super::servers;
use crate::args::TestArgs;
use crate::exit::Exit;
use crate::show;
use crate::show::report::Report;

pub(crate) fn run(args: &TestArgs) -> Result<Exit, Error> {
    let started = Instant::now();
    let (suite, mut plan) = super::plan(&args.select)?;
    servers::refuse_idle_flags(&args.server)?;
    let backend = servers::backend(
        args.server.backend,
        args.server.assets.as_deref(),
        args.server.image.as_deref(),
    )?;
    if let Some(backend) = &backend {
        plan.restrict(backend.as_ref(), args.select.kubernetes.is_some())?;
    }
    if plan.cells() == 0 {
        return Ok(super::nothing_to_run(&plan));
    }
    let shard = args.shard.as_deref().map(super::shard).transpose()?;
    let part = shard.map(|shard| PartOf {
        shard,
        plan: plan.fingerprint(),
    });
    let plan = match shard {
        Some(shard) => plan.shard(shard)?,
        None => plan,
    };

    if args.server.plan {
        show::data(&servers::plan(&plan, backend.as_deref()))?;
        return Ok(Exit::Expected);
    }
    let results = match &backend {
        None => execute::execute(&plan)?,
        Some(backend) => servers::execute(&plan, backend.as_ref(), &args.server)?,
    };
    let store = Store::new(&suite.snapshots, super::writing());
    let everything = args.select.names.is_empty() && args.select.cluster.is_empty();
    let report = report::report(&suite, &plan, &results, &store, everything)?;
    let name = backend.as_deref().map_or("embedded server", Backend::name);
    let record = Record::new(&plan, &results, &report, name, part);
    drop((plan, report));

    let report = Report {
        record: &record,
        quiet: args.quiet,
        took: Some(started.elapsed()),
    };
    report.tell(&args.reports)?;
    if super::writing() == Writing::Forbidden && record.snapshots.iter().any(|s| !s.agrees) {
        show::note("nothing is written in CI: run podgate test and podgate review elsewhere");
    }
    // A server that failed is told with its place and hint, which a record has no use for.
    for (title, error) in &results.failed {
        show::note(&format!("\n{title}:"));
        show::error(error);
    }
    Ok(Exit::of_run(&record))
}

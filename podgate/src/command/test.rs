//! `podgate test`: runs scenarios and compares their outcomes with the snapshots.

use std::time::Instant;

use podgate_harness::error::Error;
use podgate_harness::execute;
use podgate_harness::record::{EMBEDDED, PartOf, Record};
use podgate_harness::report;
use podgate_harness::snapshot::{Store, Writing};

use super::{existing, servers};
use crate::args::TestArgs;
use crate::exit::Exit;
use crate::show;
use crate::show::report::Report;

pub(crate) fn run(args: &TestArgs) -> Result<Exit, Error> {
    let started = Instant::now();
    servers::refuse_idle_flags(&args.server)?;
    let context = existing::open(args)?;
    let (suite, mut plan) = match &context {
        None => super::plan(&args.select)?,
        Some(context) => {
            let asked = args.select.kubernetes.as_deref();
            let version = existing::version(context, asked)?;
            super::plan_on(&args.select, Some(version))?
        }
    };
    let backend = servers::backend(
        args.server.backend,
        args.server.assets.as_deref(),
        args.server.image.as_deref(),
    )?;
    if let Some(backend) = &backend {
        plan.restrict(backend.as_ref(), args.select.kubernetes.is_some())?;
    }
    if let Some(context) = &context {
        context.narrow(&mut plan);
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
        show::data(&servers::plan(&plan, backend.as_deref(), context.is_some()))?;
        return Ok(Exit::Expected);
    }
    let results = match (&backend, &context) {
        (None, None) => execute::execute(&plan)?,
        (None, Some(context)) => existing::ask(&plan, context)?,
        (Some(backend), _) => servers::execute(&plan, backend.as_ref(), &args.server)?,
    };
    // What somebody's cluster answers is compared, and never recorded.
    let writing = match context {
        Some(_) => Writing::Forbidden,
        None => super::writing(),
    };
    let store = Store::new(&suite.snapshots, writing);
    let everything = args.select.names.is_empty() && args.select.cluster.is_empty();
    let report = report::report(&suite, &plan, &results, &store, everything)?;
    let name = match (&backend, &context) {
        (None, None) => EMBEDDED.to_owned(),
        (None, Some(context)) => existing::name(context),
        (Some(backend), _) => backend.name().to_owned(),
    };
    let record = Record::new(&plan, &results, &report, &name, part);
    drop((plan, report));

    let report = Report {
        record: &record,
        quiet: args.quiet,
        took: Some(started.elapsed()),
    };
    report.tell(&args.reports)?;
    let in_ci = context.is_none() && writing == Writing::Forbidden;
    if in_ci && record.snapshots.iter().any(|s| !s.agrees) {
        show::note("nothing is written in CI: run podgate test and podgate review elsewhere");
    }
    // A server that failed is told with its place and hint, which a record has no use for.
    for (title, error) in &results.failed {
        show::note(&format!("\n{title}:"));
        show::error(error);
    }
    Ok(Exit::of_run(&record))
}

//! `podgate test --backend context`: an existing cluster, which is not brought up.

use podgate_harness::backend::context::{Context, Options, Writes};
use podgate_harness::error::Error;
use podgate_harness::execute::Results;
use podgate_harness::lifecycle::{self, Run};
use podgate_harness::plan::Plan;
use podgate_harness::versions::MinorRange;

use crate::args::TestArgs;
use crate::show;
use crate::show::progress::Progress;

/// The existing cluster that the flags name. It answers already, and has told its version.
pub(crate) fn open(args: &TestArgs) -> Result<Option<Context>, Error> {
    let existing = &args.server.existing;
    let Some(context) = &existing.context else {
        return Ok(None);
    };
    if args.select.cluster.len() != 1 {
        return Err(Error::input(format!(
            "which cluster file is the cluster of context `{context}` said to be?"
        ))
        .hint(
            "--cluster names it, once: what the cluster answers is compared with its snapshots",
        ));
    }
    let writes = if existing.allow_writes {
        Writes::OwnNamespaces(Run::start(&lifecycle::Options {
            keep: args.server.keep,
            logs: args.server.logs.clone(),
        })?)
    } else if existing.namespaces.is_empty() {
        return Err(Error::input("a dry run needs a namespace that is there")
            .hint("-n names it; --allow-writes gives each scenario one of its own"));
    } else {
        Writes::DryRun(existing.namespaces.clone())
    };
    let options = Options {
        context: context.clone(),
        kubeconfig: existing.kubeconfig.clone(),
        writes,
    };
    Context::open(options).map(Some)
}

/// The version of the existing cluster, which has to be among those that were asked for.
pub(crate) fn version(context: &Context, asked: Option<&str>) -> Result<MinorRange, Error> {
    let asked = asked.map(super::range).transpose()?;
    match asked {
        Some(asked) if !asked.contains(context.minor()) => Err(Error::environment(format!(
            "the cluster is {}, and {asked} was asked for",
            context.version()
        ))
        .hint("leave --kubernetes out, or name another context")),
        _ => Ok(MinorRange::only(context.minor())),
    }
}

/// What answers, as the summary says it.
pub(crate) fn name(context: &Context) -> String {
    format!("context {} ({})", context.name(), context.version())
}

/// Asks an existing cluster, once all is there that the scenarios need.
pub(crate) fn ask(plan: &Plan, context: &Context) -> Result<Results, Error> {
    for text in context.check(plan)? {
        show::note(&text);
    }
    let progress = Progress::new();
    let results = context.execute(plan, &progress);
    progress.end();
    results
}

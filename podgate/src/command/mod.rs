//! The commands, one file each.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod clean;
pub(crate) mod coverage;
pub(crate) mod diff;
pub(crate) mod down;
mod existing;
pub(crate) mod explain;
pub(crate) mod fix;
pub(crate) mod init;
pub(crate) mod man;
pub(crate) mod matrix;
pub(crate) mod merge;
pub(crate) mod render;
pub(crate) mod review;
pub(crate) mod schemas;
pub(crate) mod serve;
mod servers;
pub(crate) mod test;
pub(crate) mod up;
pub(crate) mod verify;
pub(crate) mod versions;

use std::path::Path;

use podgate_harness::error::Error;
use podgate_harness::plan::{Plan, Selection};
use podgate_harness::record;
use podgate_harness::shard::Shard;
use podgate_harness::snapshot::Writing;
use podgate_harness::suite::{Cluster, Project, Suite};
use podgate_harness::versions::{MinorRange, ranges};
use podgate_policy::Minor;

use crate::args::Select;
use crate::exit::Exit;
use crate::show;

/// In CI nothing is written: a run there judges, it does not record.
pub(crate) fn writing() -> Writing {
    match std::env::var("CI").as_deref() {
        Ok("" | "0" | "false") | Err(_) => Writing::Allowed,
        Ok(_) => Writing::Forbidden,
    }
}

/// Reads the value of `--kubernetes`.
pub(crate) fn range(text: &str) -> Result<MinorRange, Error> {
    text.parse().map_err(|error: podgate_harness::versions::RangeError| {
        Error::input(format!("--kubernetes: {error}"))
            .hint("write it like 1.36, v1.36, 1.36.2, 1.23..1.36, 1.29.. or all; podgate versions lists them")
    })
}

/// The minor that was asked for, or the newest one that the cluster is for.
pub(crate) fn minor_of(asked: Option<&str>, cluster: Option<&Cluster>) -> Result<Minor, Error> {
    let Some(text) = asked else {
        let newest = cluster.and_then(|cluster| cluster.minors.last());
        return Ok(newest.copied().unwrap_or(Minor::NEWEST));
    };
    let range = range(text)?;
    let minor = range.first();
    if minor != range.last() {
        return Err(
            Error::input(format!("--kubernetes: `{text}` is more than one version"))
                .hint("a server has one version: write it like 1.36"),
        );
    }
    if let Some(cluster) = cluster.filter(|cluster| !cluster.minors.contains(&minor)) {
        let name = &cluster.name;
        let known: Vec<String> = ranges(&cluster.minors)
            .iter()
            .map(ToString::to_string)
            .collect();
        return Err(
            Error::input(format!("cluster `{name}` is not for Kubernetes {minor}"))
                .hint(format!("it is for {}", known.join(", "))),
        );
    }
    Ok(minor)
}

/// The suite of this folder, and the part of it that was asked for.
pub(crate) fn plan(select: &Select) -> Result<(Suite, Plan), Error> {
    let kubernetes = select.kubernetes.as_deref().map(range).transpose()?;
    plan_on(select, kubernetes)
}

/// The same on other versions than those that were asked for.
pub(crate) fn plan_on(
    select: &Select,
    kubernetes: Option<MinorRange>,
) -> Result<(Suite, Plan), Error> {
    let project = Project::load(Path::new(""))?;
    let suite = Suite::load(&project)?;
    let selection = Selection {
        scenarios: select.names.clone(),
        clusters: select.cluster.clone(),
        kubernetes,
        project: project.kubernetes,
    };
    let plan = Plan::new(&suite, &selection)?;
    Ok((suite, plan))
}

/// Says that nothing runs, which is never a pass.
pub(crate) fn nothing_to_run(plan: &Plan) -> Exit {
    show::note("nothing to run: no scenario applies to the chosen clusters and versions");
    show::note(show::run::not_applicable(&record::not_applicable(plan)).trim_end());
    Exit::NothingToRun
}

/// Reads the value of `--shard`. In an Indexed Job of Kubernetes, which counts from 0, `job/N` is the
/// shard of the pod's own index.
pub(crate) fn shard(text: &str) -> Result<Shard, Error> {
    const INDEX: &str = "JOB_COMPLETION_INDEX";
    let wrong = |message: String| {
        Error::input(format!("--shard {text}: {message}")).hint(
            "write it like 2/3; in an Indexed Job of Kubernetes, job/3 takes the pod's own index",
        )
    };
    let number = match text.split_once('/') {
        Some(("job", of)) => {
            let index = std::env::var(INDEX).map_err(|_| wrong(format!("{INDEX} is not set")))?;
            let index: usize = index
                .parse()
                .map_err(|_| wrong(format!("{INDEX} is `{index}`, no index")))?;
            format!("{}/{of}", index + 1)
        }
        _ => text.to_owned(),
    };
    number
        .parse()
        .map_err(|error: podgate_harness::shard::ShardError| wrong(error.to_string()))
}

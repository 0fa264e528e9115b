//! The commands, one file each.

pub(crate) mod check;
pub(crate) mod clean;
pub(crate) mod down;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod review;
pub(crate) mod serve;
mod servers;
pub(crate) mod test;
pub(crate) mod up;
pub(crate) mod versions;

use podgate_harness::error::Error;
use podgate_harness::snapshot::Writing;
use podgate_harness::suite::Cluster;
use podgate_harness::versions::{MinorRange, ranges};
use podgate_policy::Minor;

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

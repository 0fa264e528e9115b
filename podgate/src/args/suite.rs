//! The commands around a suite: what runs of it, and what is done with its snapshots.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::output::{Output, Reports};
use super::server::ServerArgs;

/// The part of a suite that runs.
#[derive(Clone, Debug, Args)]
pub(crate) struct Select {
    /// Scenarios: a name, or a folder of them. All when absent.
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,

    /// A cluster: the name of a file in clusters/, or a path. Repeatable; all when absent.
    #[arg(long, value_name = "CLUSTER")]
    pub(crate) cluster: Vec<String>,

    /// A version or a range: 1.36, v1.36, 1.36.2, 1.23..1.36, 1.29.., all. When absent what
    /// podgate.yaml says, and else each cluster's own.
    #[arg(long, value_name = "VERSION")]
    pub(crate) kubernetes: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  podgate test                                      everything, on every minor that a cluster is for
  podgate test root-pod --cluster psa-restricted    one scenario on one cluster
  podgate test --kubernetes 1.29..1.31              three minors
  CI=true podgate test                              writes nothing; a missing snapshot fails")]
pub(crate) struct TestArgs {
    #[command(flatten)]
    pub(crate) select: Select,

    /// Runs the K-th of N parts of what is selected; podgate merge joins them. In an Indexed Job
    /// of Kubernetes `job/N` takes K from `JOB_COMPLETION_INDEX`.
    #[arg(long, value_name = "K/N")]
    pub(crate) shard: Option<String>,

    #[command(flatten)]
    pub(crate) server: ServerArgs,

    #[command(flatten)]
    pub(crate) reports: Reports,

    /// Prints the matrix and what differs, but not the reason of every rejection.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  podgate verify --backend apiserver --assets DIR       every minor that there are binaries for
  podgate verify --backend kind --kubernetes 1.36       one minor, in disposable clusters
What they answer is compared with the snapshots as podgate test does it. Which server confirmed which
snapshot is written to verified.yaml beside them, and podgate test tells it.")]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) select: Select,

    #[command(flatten)]
    pub(crate) server: ServerArgs,

    #[command(flatten)]
    pub(crate) reports: Reports,

    /// Prints the matrix and what differs, but not the reason of every rejection.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  podgate matrix --cluster psa-restricted           objects by clusters, ranges of minors folded
  podgate matrix -o markdown > matrix.md
  podgate matrix --github                           strategy.matrix: a job for each cluster and minor
  podgate matrix --github --shards 4                strategy.matrix: a job for each of four shards")]
pub(crate) struct MatrixArgs {
    #[command(flatten)]
    pub(crate) select: Select,

    /// Only the K-th of N parts, as podgate test --shard K/N runs it.
    #[arg(long, value_name = "K/N")]
    pub(crate) shard: Option<String>,

    /// Prints the JSON that `strategy.matrix` of a GitHub workflow takes with fromJSON.
    #[arg(long, conflicts_with_all = ["output", "shard"])]
    pub(crate) github: bool,

    /// With --github: a job for each of N shards.
    #[arg(long, value_name = "N", requires = "github")]
    pub(crate) shards: Option<usize>,

    /// How it is printed.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: MatrixFormat,
}

/// How the matrix is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum MatrixFormat {
    /// For people.
    #[default]
    Text,
    /// A table for a pull request or a page.
    Markdown,
    /// One JSON document, a cell for each object, cluster and minor.
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  podgate test --shard 1/3 -o json > 1.json         on one machine; 2/3 and 3/3 on others
  podgate merge 1.json 2.json 3.json                what podgate test says, and its exit code")]
pub(crate) struct MergeArgs {
    /// What podgate test --shard K/N -o json printed. Each shard at least once.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) reports: Reports,

    /// Prints the matrix and what differs, but not the reason of every rejection.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Tripped is a check that a rejection, a warning or an audit annotation names. Passed is one that ran and has
nothing against an object that sets one of the fields it looks at, or that trips it elsewhere."
)]
pub(crate) struct CoverageArgs {
    #[command(flatten)]
    pub(crate) select: Select,

    /// How it is printed.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Output,
}

// Each is a flag that a person types, and clap knows which exclude each other.
#[expect(clippy::struct_excessive_bools)]
#[derive(Debug, Args)]
pub(crate) struct ReviewArgs {
    /// Accepts every pending snapshot but those in which something rejected is now admitted.
    #[arg(long, conflicts_with = "reject")]
    pub(crate) accept: bool,

    /// Rejects every pending snapshot.
    #[arg(long)]
    pub(crate) reject: bool,

    /// Lists what is pending, and asks nothing.
    #[arg(long, conflicts_with_all = ["accept", "reject"])]
    pub(crate) list: bool,

    /// Removes snapshots that no scenario refers to.
    #[arg(long)]
    pub(crate) remove_unreferenced: bool,

    /// Only these snapshots, as `CLUSTER/SCENARIO`.
    #[arg(value_name = "SNAPSHOT")]
    pub(crate) snapshots: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The folder; the current one when absent.
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) folder: PathBuf,
}

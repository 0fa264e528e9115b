//! podgate audit: what a configuration would do to a dump or a live cluster.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::input::{Input, Templates};

/// A dump may be more than a manifest, so audit says so in its own words.
const FILES: &str = "Files, folders, or `-` for standard input: what kubectl get -o json prints, JSON Lines or YAML, \
    packed with gzip or zstd or not";

const NAMESPACE: &str = "The namespace of pods that name none";

#[derive(Debug, Args)]
#[command(mut_arg("files", |it| it.help(FILES)))]
#[command(mut_arg("namespace", |it| it.help(NAMESPACE)))]
#[command(after_help = "Examples:
  kubectl get namespaces,pods -A -o json | podgate audit -      by the namespaces' own labels
  podgate audit pods.jsonl --enforce restricted                 if every namespace enforced restricted
  podgate audit dump/ --to psa-baseline --kubernetes 1.36       under the configuration of a cluster file
  podgate audit --context prod --enforce restricted             a live cluster, which is only read
  podgate audit dump/ --from psp-restricted --to psa-restricted only what newly breaks ends with 1
  podgate audit pods.jsonl.gz --enforce baseline -o jsonl | jq 'select(.ok | not)'")]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    pub(crate) input: Input,

    /// A live cluster, by the context of a kubeconfig, in place of files. Its pods are judged as they
    /// are stored, and the templates of its workloads by the whole chain. Nothing is written there: a
    /// role that may get and list is enough. No other context is looked at, the current one neither.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["files", "filenames", "shard", "recursive"])]
    pub(crate) context: Option<String>,

    /// The kubeconfig with that context. When absent those that `KUBECONFIG` names, and else
    /// `~/.kube/config`.
    #[arg(long, value_name = "FILE", requires = "context")]
    pub(crate) kubeconfig: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) templates: Templates,

    /// What judges today: a cluster, with a version behind an at sign or not. Only what newly breaks ends
    /// with 1 then. When absent today is what the labels of the namespaces say, and everything that
    /// violates ends with 1.
    #[arg(long, value_name = "CLUSTER[@VERSION]")]
    pub(crate) from: Option<String>,

    /// The configuration that is to come: the name of a file in clusters/, or a path.
    #[arg(long, value_name = "CLUSTER")]
    pub(crate) to: Option<String>,

    /// The level that every namespace is to enforce: privileged, baseline or restricted, with a version
    /// behind a colon: restricted:v1.29. Its own labels of other modes stay.
    #[arg(long, value_name = "LEVEL[:VERSION]")]
    pub(crate) enforce: Option<String>,

    /// The version: 1.36, v1.36 or 1.36.2. When absent that of the live cluster, and of files the
    /// newest, or the newest that the cluster is for.
    #[arg(long, value_name = "VERSION")]
    pub(crate) kubernetes: Option<String>,

    /// Violations that are known already, as --write-known writes them: only others end with 1.
    #[arg(long, value_name = "FILE")]
    pub(crate) known: Option<PathBuf>,

    /// Writes what is violated today into a file for --known.
    #[arg(long, value_name = "FILE")]
    pub(crate) write_known: Option<PathBuf>,

    /// Judges the K-th of N parts of the records of each file.
    #[arg(long, value_name = "K/N")]
    pub(crate) shard: Option<String>,

    /// How results are printed.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: AuditOutput,
}

/// How an audit is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuditOutput {
    /// For people, by namespace and owner.
    #[default]
    Text,
    /// One document: counts, namespaces with the labels to set, owners.
    Json,
    /// A line for each pod, with the keys of podgate check.
    Jsonl,
}

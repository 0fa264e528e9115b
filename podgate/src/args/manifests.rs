//! The commands that judge manifests: check, diff and fix.

use clap::Args;

use super::input::{Applies, Input, Rendered, Templates};
use super::output::Reports;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  podgate check k8s/ --enforce restricted              a folder, as the newest Kubernetes would judge it
  podgate check web.yaml --cluster psa-restricted --kubernetes all
  podgate check --helm charts/web --helm-values prod.yaml --enforce restricted
  podgate check -k overlays/prod --enforce baseline:v1.29 --warn restricted
  podgate check k8s/ --enforce restricted -o jsonl | jq 'select(.ok | not)'")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) input: Input,

    #[command(flatten)]
    pub(crate) rendered: Rendered,

    /// A cluster: the name of a file in clusters/, or a path. Repeatable.
    #[arg(long, value_name = "CLUSTER")]
    pub(crate) cluster: Vec<String>,

    /// The level that namespaces enforce: privileged, baseline or restricted, with a version behind
    /// a colon: restricted:v1.29.
    #[arg(long, value_name = "LEVEL[:VERSION]")]
    pub(crate) enforce: Option<String>,

    /// The level that namespaces warn about.
    #[arg(long, value_name = "LEVEL[:VERSION]")]
    pub(crate) warn: Option<String>,

    /// The level that namespaces audit.
    #[arg(long, value_name = "LEVEL[:VERSION]")]
    pub(crate) audit: Option<String>,

    /// A version or a range: 1.36, v1.36, 1.36.2, 1.23..1.36, all. When absent what podgate.yaml says,
    /// and else the newest.
    #[arg(long, value_name = "VERSION")]
    pub(crate) kubernetes: Option<String>,

    #[command(flatten)]
    pub(crate) templates: Templates,

    #[command(flatten)]
    pub(crate) applies: Applies,

    /// Prints each object as the server would store it, too.
    #[arg(long)]
    pub(crate) show_object: bool,

    #[command(flatten)]
    pub(crate) reports: Reports,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  podgate diff k8s/ --from psp-restricted@1.24 --to psa-restricted@1.25
  podgate diff dump.json --from psa-baseline --to psa-restricted
  podgate diff k8s/ --enforce restricted --from @1.29 --to @1.36     two versions alone
  kubectl get deploy -A -o json | podgate diff - --from psa-baseline --to psa-restricted -o jsonl")]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    pub(crate) input: Input,

    #[command(flatten)]
    pub(crate) rendered: Rendered,

    /// What judges today: a cluster, a version behind an at sign, or both. A cluster is the name of a
    /// file in clusters/, or a path; without a version it has the newest that it is for.
    #[arg(long, value_name = "CLUSTER[@VERSION]")]
    pub(crate) from: String,

    /// What will judge, in the same form.
    #[arg(long, value_name = "CLUSTER[@VERSION]")]
    pub(crate) to: String,

    /// The level that namespaces enforce on both sides: restricted:v1.29.
    #[arg(long, value_name = "LEVEL[:VERSION]")]
    pub(crate) enforce: Option<String>,

    /// Tells, too, what is admitted with other warnings, and what is rejected for another reason.
    #[arg(long)]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) templates: Templates,

    #[command(flatten)]
    pub(crate) applies: Applies,

    #[command(flatten)]
    pub(crate) reports: Reports,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  podgate fix k8s/ --enforce restricted                a diff of what is missing
  podgate fix k8s/ --enforce restricted | git apply
  podgate fix web.yaml --cluster psa-restricted --write
  kustomize build . | podgate fix - --enforce baseline --write > fixed.yaml

It ends with 0 where nothing is left to do once the change is made, and with 1 where an object
cannot be fixed: that object stays as it is.")]
pub(crate) struct FixArgs {
    #[command(flatten)]
    pub(crate) input: Input,

    #[command(flatten)]
    pub(crate) rendered: Rendered,

    /// A cluster whose level of Pod Security is to be met: the name of a file in clusters/, or a
    /// path. Repeatable.
    #[arg(long, value_name = "CLUSTER")]
    pub(crate) cluster: Vec<String>,

    /// The level to meet: baseline or restricted, with a version behind a colon: restricted:v1.29.
    #[arg(long, value_name = "LEVEL[:VERSION]")]
    pub(crate) enforce: Option<String>,

    /// A version or a range: 1.36, v1.36, 1.36.2, 1.23..1.36. When absent what podgate.yaml says, and
    /// else the newest.
    #[arg(long, value_name = "VERSION")]
    pub(crate) kubernetes: Option<String>,

    /// Changes the files, in place of printing a diff. Standard input is printed with the change
    /// made.
    #[arg(long)]
    pub(crate) write: bool,
}

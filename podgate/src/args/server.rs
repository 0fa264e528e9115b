//! The servers that answer: of a run, and those for working by hand.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Which servers answer, and how they are treated.
#[derive(Debug, Args)]
#[command(next_help_heading = "Servers")]
pub(crate) struct ServerArgs {
    /// What answers.
    #[arg(long, value_name = "BACKEND", default_value = "embedded")]
    pub(crate) backend: Backend,

    /// The folder of kube-apiserver, etcd and kube-controller-manager, or of a folder of them for
    /// each version, as setup-envtest keeps them. When absent what `KUBEBUILDER_ASSETS` says, and
    /// else the PATH.
    #[arg(long, value_name = "DIR")]
    pub(crate) assets: Option<PathBuf>,

    /// The image of kind's nodes or of k3s, in place of the one that podgate versions lists.
    #[arg(long, value_name = "IMAGE")]
    pub(crate) image: Option<String>,

    #[command(flatten)]
    pub(crate) existing: ExistingArgs,

    /// How many servers are up at a time. When absent as many as cores and free memory allow.
    #[arg(long, value_name = "N")]
    pub(crate) parallel: Option<NonZero<usize>>,

    /// Prints which servers would be booted for which scenarios, and boots none.
    #[arg(long)]
    pub(crate) plan: bool,

    /// Leaves the servers up, and says how to reach and remove them.
    #[arg(long)]
    pub(crate) keep: bool,

    /// Keeps what every component of the servers logs in this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) logs: Option<PathBuf>,
}

/// Which existing cluster answers, and what may be done to it.
#[derive(Debug, Args)]
pub(crate) struct ExistingArgs {
    /// The context of --backend context: which existing cluster answers. No other is looked at, the
    /// current one neither.
    #[arg(long, value_name = "NAME", required_if_eq("backend", "context"))]
    pub(crate) context: Option<String>,

    /// The kubeconfig with that context. When absent those that `KUBECONFIG` names, and else
    /// `~/.kube/config`.
    #[arg(long, value_name = "FILE", requires = "context")]
    pub(crate) kubeconfig: Option<PathBuf>,

    /// A namespace of that cluster where scenarios are asked about in dry run, under its own labels.
    /// Repeatable; scenarios that name none are asked about in the first.
    #[arg(
        short,
        long = "namespace",
        value_name = "NAMESPACE",
        requires = "context"
    )]
    pub(crate) namespaces: Vec<String>,

    /// Gives each scenario a namespace of its own on that cluster, which is removed again, in place
    /// of dry runs. Without it nothing is written there.
    #[arg(long, requires = "context", conflicts_with = "namespaces")]
    pub(crate) allow_writes: bool,
}

/// What answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// The API server inside podgate.
    #[default]
    Embedded,
    /// kube-apiserver and etcd as child processes.
    Apiserver,
    /// Disposable kind clusters.
    Kind,
    /// k3s in containers of the Docker engine.
    K3s,
    /// An existing cluster, by --context: in dry run, nothing is written.
    Context,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  podgate serve --cluster psa-restricted
  podgate serve --kubernetes 1.25 --address 127.0.0.1:6443
  podgate serve --write-kubeconfig kubeconfig &
  kubectl --kubeconfig kubeconfig apply --dry-run=server -f k8s/")]
pub(crate) struct ServeArgs {
    /// The cluster: the name of a file in clusters/, or a path. Its labels are on the namespace
    /// `default`. Without one, the server is as its version has it by default.
    #[arg(long, value_name = "CLUSTER")]
    pub(crate) cluster: Option<String>,

    /// The version: 1.36, v1.36 or 1.36.2. The newest that the cluster is for when absent.
    #[arg(long, value_name = "VERSION")]
    pub(crate) kubernetes: Option<String>,

    /// Where to listen. Port 0 stands for one that is free.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub(crate) address: SocketAddr,

    /// Where to write the kubeconfig, with the token of the cluster's admin. It is removed at the
    /// end. A temporary file when absent. A file that podgate did not write is left alone.
    #[arg(long, value_name = "FILE")]
    pub(crate) write_kubeconfig: Option<PathBuf>,

    /// How many changes are kept for those who watch: few make watches expire, for tests of clients.
    #[arg(long, value_name = "CHANGES", hide = true)]
    pub(crate) watch_history: Option<usize>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  podgate up --cluster psa-restricted --kubernetes 1.36
  podgate up --backend apiserver --cluster psp-restricted --write-kubeconfig kubeconfig
  podgate down 3f9a0c21")]
pub(crate) struct UpArgs {
    /// The cluster: the name of a file in clusters/, or a path. Its labels are on the namespace
    /// `default`.
    #[arg(long, value_name = "CLUSTER")]
    pub(crate) cluster: String,

    /// The version: 1.36, v1.36 or 1.36.2. The newest that the cluster is for when absent.
    #[arg(long, value_name = "VERSION")]
    pub(crate) kubernetes: Option<String>,

    /// Where to write a copy of the kubeconfig of the cluster's admin. A file that is there already
    /// is left alone.
    #[arg(long, value_name = "FILE")]
    pub(crate) write_kubeconfig: Option<PathBuf>,

    /// What answers: kind or apiserver. (`podgate serve` is the embedded server.)
    #[arg(long, value_name = "BACKEND", default_value = "kind")]
    pub(crate) backend: Backend,

    /// The folder of kube-apiserver, etcd and kube-controller-manager, or of a folder of them for
    /// each version. When absent what `KUBEBUILDER_ASSETS` says, and else the PATH.
    #[arg(long, value_name = "DIR")]
    pub(crate) assets: Option<PathBuf>,

    /// The node image of the kind cluster, in place of the one that podgate versions lists.
    #[arg(long, value_name = "IMAGE")]
    pub(crate) image: Option<String>,

    /// Keeps what every component of the server logs in this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) logs: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DownArgs {
    /// The server, as `up` has named it.
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  podgate clean                 what dead runs left; runs that are alive are left alone
  podgate clean --list          says what there is, and removes nothing
  podgate clean 3f9a0c21        what that run kept on purpose (--keep)")]
pub(crate) struct CleanArgs {
    /// Runs that have ended, whose servers were kept on purpose.
    #[arg(value_name = "RUN")]
    pub(crate) runs: Vec<String>,

    /// Lists what there is, and removes nothing.
    #[arg(long, conflicts_with = "runs")]
    pub(crate) list: bool,
}

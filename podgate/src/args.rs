//! The command line: every flag in one place; help and completions derive from it.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgMatches, Args, Parser, Subcommand, ValueEnum};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Will this cluster admit these pods, and if not, why?
///
/// podgate answers as kube-apiserver of the chosen minor does, on an embedded API server: no
/// cluster and no Docker needed.
#[derive(Debug, Parser)]
#[command(name = "podgate", version, styles = STYLES, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes (of several, 3 before 2 before 1):
  0  all as expected; for check: everything is admitted; for diff: nothing newly breaks
  1  a verdict or a snapshot differs; for check: something is not admitted; for diff: something breaks
  2  bad input or usage, or something undecided
  3  the environment failed
  4  nothing to run")]
pub(crate) struct Cli {
    /// Changes to this folder first.
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    pub(crate) directory: Option<PathBuf>,

    /// When to use colour.
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub(crate) color: ColorWhen,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs scenarios and compares their outcomes with the snapshots.
    Test(TestArgs),
    /// Has real servers confirm the snapshots, and notes which did.
    Verify(VerifyArgs),
    /// The verdicts on every object, by scenario, cluster and minor; or the jobs of a CI workflow.
    Matrix(MatrixArgs),
    /// Joins the shards of a run into one report and one exit code.
    Merge(MergeArgs),
    /// Which checks the scenarios trip and pass, at which versions; ends with 1 where one is left out.
    Coverage(CoverageArgs),
    /// Verdicts on manifests, ad hoc, without snapshots.
    Check(CheckArgs),
    /// What a configuration would do to the pods of a dump or of a live cluster, however large.
    Audit(AuditArgs),
    /// What changes for manifests between two configurations or two Kubernetes versions.
    Diff(DiffArgs),
    /// Changes manifests, as little as possible, so that a level admits them.
    Fix(FixArgs),
    /// What a check demands, since when, and how to satisfy it.
    Explain(ExplainArgs),
    /// The embedded API server on loopback, for kubectl and any other client.
    Serve(ServeArgs),
    /// Shows pending snapshots and accepts or rejects them.
    Review(ReviewArgs),
    /// Brings up a real server, for working by hand.
    Up(UpArgs),
    /// Takes a server down that `up` has brought up.
    Down(DownArgs),
    /// Removes what runs on real servers left that were killed.
    Clean(CleanArgs),
    /// Makes clusters/, scenarios/ and snapshots/ with an example that runs, and a workflow for GitHub.
    Init(InitArgs),
    /// The Kubernetes versions that podgate answers for, and what changed with each.
    Versions(VersionsArgs),
    /// Writes a manual page for each command into a folder.
    Man {
        /// The folder; it is made where it is not there.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Writes the JSON Schemas of cluster files, scenarios and podgate.yaml into a folder, for editors.
    Schemas {
        /// The folder; it is made where it is not there.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Prints a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// One JSON document a line.
    Jsonl,
    /// YAML.
    Yaml,
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

/// How the results of a run are told.
#[derive(Clone, Debug, Args)]
pub(crate) struct Reports {
    /// How results are printed.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Format,

    /// Writes the results to a file, too: json=run.json. Repeatable.
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report)]
    pub(crate) written: Vec<(Format, PathBuf)>,
}

/// Reads `FORMAT=FILE`.
fn report(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, file) = text
        .split_once('=')
        .filter(|(_, file)| !file.is_empty())
        .ok_or("write it as FORMAT=FILE, like markdown=summary.md")?;
    Ok((Format::from_str(format, false)?, PathBuf::from(file)))
}

/// The formats of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// One JSON document a line.
    Jsonl,
    /// YAML.
    Yaml,
    /// `JUnit` XML: for Jenkins, GitLab and others.
    Junit,
    /// SARIF 2.1.0: for code scanning.
    Sarif,
    /// Annotations of a GitHub workflow.
    Github,
    /// Markdown: for a pull request or a step summary.
    Markdown,
    /// One HTML page.
    Html,
}

impl Format {
    /// Whether it says where in a manifest a problem stands; to look for that takes a moment.
    pub(crate) const fn has_places(self) -> bool {
        matches!(
            self,
            Self::Text | Self::Junit | Self::Sarif | Self::Github | Self::Markdown
        )
    }
}

impl Reports {
    /// Every format that was asked for.
    pub(crate) fn all(&self) -> impl Iterator<Item = Format> {
        let written = self.written.iter().map(|(format, _)| *format);
        written.chain([self.output])
    }
}

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

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  podgate check k8s/ --enforce restricted              a folder, as the newest Kubernetes would judge it
  podgate check web.yaml --cluster psa-restricted --kubernetes all
  helm template web | podgate check - --enforce baseline:v1.29 --warn restricted
  podgate check k8s/ --enforce restricted -o jsonl | jq 'select(.ok | not)'")]
pub(crate) struct CheckArgs {
    /// Files, folders, or `-` for standard input.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// The same as naming a file without a flag.
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    pub(crate) filenames: Vec<PathBuf>,

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

    /// The namespace of objects that name none.
    #[arg(short, long, default_value = "default")]
    pub(crate) namespace: String,

    /// Who applies; the cluster's admin when absent.
    #[arg(long = "as", value_name = "USER")]
    pub(crate) requester: Option<String>,

    /// A group of that user. Repeatable.
    #[arg(long = "as-group", value_name = "GROUP", requires = "requester")]
    pub(crate) groups: Vec<String>,

    /// Prints each object as the server would store it, too.
    #[arg(long)]
    pub(crate) show_object: bool,

    /// Looks into folders below a folder, too.
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,

    #[command(flatten)]
    pub(crate) reports: Reports,
}

/// Puts the files in the order in which they were typed, whether behind `-f` or not.
pub(crate) fn in_order(
    files: &mut Vec<PathBuf>,
    filenames: &mut Vec<PathBuf>,
    matches: &ArgMatches,
) {
    let indices = |id: &str| {
        let indices = matches.indices_of(id).into_iter().flatten();
        indices.collect::<Vec<usize>>()
    };
    let at = [indices("files"), indices("filenames")].concat();
    let typed = files.drain(..).chain(filenames.drain(..));
    let mut typed: Vec<(usize, PathBuf)> = at.into_iter().zip(typed).collect();
    typed.sort_by_key(|(at, _)| *at);
    *files = typed.into_iter().map(|(_, file)| file).collect();
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  podgate diff k8s/ --from psp-restricted@1.24 --to psa-restricted@1.25
  podgate diff dump.json --from psa-baseline --to psa-restricted
  podgate diff k8s/ --enforce restricted --from @1.29 --to @1.36     two versions alone
  kubectl get deploy -A -o json | podgate diff - --from psa-baseline --to psa-restricted -o jsonl")]
pub(crate) struct DiffArgs {
    /// Files, folders, or `-` for standard input.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// The same as naming a file without a flag.
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    pub(crate) filenames: Vec<PathBuf>,

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

    /// The namespace of objects that name none.
    #[arg(short, long, default_value = "default")]
    pub(crate) namespace: String,

    /// Who applies; when absent whom the clusters name, and else their admin.
    #[arg(long = "as", value_name = "USER")]
    pub(crate) requester: Option<String>,

    /// A group of that user. Repeatable.
    #[arg(long = "as-group", value_name = "GROUP", requires = "requester")]
    pub(crate) groups: Vec<String>,

    /// Looks into folders below a folder, too.
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,

    #[command(flatten)]
    pub(crate) reports: Reports,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  kubectl get namespaces,pods -A -o json | podgate audit -      by the namespaces' own labels
  podgate audit pods.jsonl --enforce restricted                 if every namespace enforced restricted
  podgate audit dump/ --to psa-baseline --kubernetes 1.36       under the configuration of a cluster file
  podgate audit --context prod --enforce restricted             a live cluster, which is only read
  podgate audit pods.jsonl.gz --enforce baseline -o jsonl | jq 'select(.ok | not)'")]
pub(crate) struct AuditArgs {
    /// Files, folders, or `-` for standard input: what kubectl get -o json prints, JSON Lines or YAML,
    /// packed with gzip or zstd or not.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// A live cluster, by the context of a kubeconfig, in place of files. Its pods are judged as they
    /// are stored, and the templates of its workloads by the whole chain. Nothing is written there: a
    /// role that may get and list is enough. No other context is looked at, the current one neither.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["files", "shard", "recursive"])]
    pub(crate) context: Option<String>,

    /// The kubeconfig with that context. When absent those that `KUBECONFIG` names, and else
    /// `~/.kube/config`.
    #[arg(long, value_name = "FILE", requires = "context")]
    pub(crate) kubeconfig: Option<PathBuf>,

    /// Where the objects of another kind have a pod template: argoproj.io/Rollout=spec.template.
    /// Repeatable.
    #[arg(
        long = "template",
        value_name = "GROUP/KIND=PATH",
        requires = "context"
    )]
    pub(crate) templates: Vec<String>,

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

    /// The namespace of pods that name none.
    #[arg(short, long, default_value = "default")]
    pub(crate) namespace: String,

    /// Violations that are known already, as --write-known writes them: only others end with 1.
    #[arg(long, value_name = "FILE")]
    pub(crate) known: Option<PathBuf>,

    /// Writes what is violated today into a file for --known.
    #[arg(long, value_name = "FILE")]
    pub(crate) write_known: Option<PathBuf>,

    /// Judges the K-th of N parts of the records of each file.
    #[arg(long, value_name = "K/N")]
    pub(crate) shard: Option<String>,

    /// Looks into folders below a folder, too.
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,

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
    /// A line for each pod, with the keys of podgate check.
    Jsonl,
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
    /// Files, folders, or `-` for standard input.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// The same as naming a file without a flag.
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    pub(crate) filenames: Vec<PathBuf>,

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

    /// The namespace of objects that name none.
    #[arg(short, long, default_value = "default")]
    pub(crate) namespace: String,

    /// Changes the files, in place of printing a diff. Standard input is printed with the change
    /// made.
    #[arg(long)]
    pub(crate) write: bool,

    /// Looks into folders below a folder, too.
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The id of a check, as rejections name it: `capabilities_restricted`; or a field of a
    /// pod security policy: `hostPorts`. All are listed when absent.
    #[arg(value_name = "CHECK")]
    pub(crate) check: Option<String>,

    /// How it is printed.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Output,
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

#[derive(Debug, Args)]
pub(crate) struct VersionsArgs {
    /// How it is printed.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Output,
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

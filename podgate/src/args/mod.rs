//! The command line: every flag in one place; help and completions derive from it. Here the commands, and
//! beside it the flags of each by subject.

mod about;
mod audit;
mod input;
mod manifests;
mod output;
mod server;
mod suite;

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand, ValueEnum};

pub(crate) use about::{ExplainArgs, VersionsArgs};
pub(crate) use audit::{AuditArgs, AuditOutput};
pub(crate) use input::{Input, Rendered};
pub(crate) use manifests::{CheckArgs, DiffArgs, FixArgs};
pub(crate) use output::{Format, Output, Reports};
pub(crate) use server::{Backend, CleanArgs, DownArgs, ServeArgs, ServerArgs, UpArgs};
pub(crate) use suite::{
    CoverageArgs, InitArgs, MatrixArgs, MatrixFormat, MergeArgs, ReviewArgs, Select, TestArgs,
    VerifyArgs,
};

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

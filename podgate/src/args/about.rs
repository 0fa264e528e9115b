//! What podgate knows: explain and versions.

use clap::Args;

use super::output::Output;

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
pub(crate) struct VersionsArgs {
    /// How it is printed.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Output,
}

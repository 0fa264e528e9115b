//! What is read, and on whose behalf: the flags that check, audit, diff and fix share.

use std::path::PathBuf;

use clap::{ArgMatches, Args};
use podgate_harness::suite::Requester;

/// What is read: manifests or dumps.
#[derive(Clone, Debug, Args)]
pub(crate) struct Input {
    /// Files, folders, or `-` for standard input.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// The same as naming a file without a flag.
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    pub(crate) filenames: Vec<PathBuf>,

    /// Looks into folders below a folder, too.
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,

    /// The namespace of objects that name none.
    #[arg(short, long, default_value = "default")]
    pub(crate) namespace: String,
}

impl Input {
    /// Puts the files in the order in which they were typed, whether behind `-f` or not.
    pub(crate) fn in_order(&mut self, matches: &ArgMatches) {
        let indices = |id: &str| {
            let indices = matches.indices_of(id).into_iter().flatten();
            indices.collect::<Vec<usize>>()
        };
        let at = [indices("files"), indices("filenames")].concat();
        let typed = self.files.drain(..).chain(self.filenames.drain(..));
        let mut typed: Vec<(usize, PathBuf)> = at.into_iter().zip(typed).collect();
        typed.sort_by_key(|(at, _)| *at);
        self.files = typed.into_iter().map(|(_, file)| file).collect();
    }
}

/// On whose behalf it is asked.
#[derive(Clone, Debug, Args)]
pub(crate) struct Applies {
    /// Who applies; when absent whom the cluster names, and else its admin.
    #[arg(long = "as", value_name = "USER")]
    pub(crate) requester: Option<String>,

    /// A group of that user. Repeatable.
    #[arg(long = "as-group", value_name = "GROUP", requires = "requester")]
    pub(crate) groups: Vec<String>,
}

impl Applies {
    /// The user that was named.
    pub(crate) fn requester(&self) -> Option<Requester> {
        self.requester.as_ref().map(|user| Requester {
            user: user.clone(),
            groups: self.groups.clone(),
        })
    }
}

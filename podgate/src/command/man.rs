//! `podgate man`: the manual pages, from the same definitions as `--help`.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use podgate_harness::error::Error;

use crate::args::Cli;
use crate::exit::Exit;
use crate::show;

pub(crate) fn run(folder: &Path) -> Result<Exit, Error> {
    let written =
        fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    written.map_err(|error| {
        Error::input(format!(
            "cannot write manual pages into {}: {error}",
            folder.display()
        ))
    })?;
    show::note(&format!("wrote the manual pages into {}", folder.display()));
    Ok(Exit::Expected)
}

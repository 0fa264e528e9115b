//! `podgate down`: takes a server down that `podgate up` has brought up.

use podgate_harness::error::Error;
use podgate_harness::lifecycle;

use crate::args::DownArgs;
use crate::exit::Exit;
use crate::show;

pub(crate) fn run(args: &DownArgs) -> Result<Exit, Error> {
    let mut exit = Exit::Expected;
    for name in &args.names {
        let removed = lifecycle::remove(name)?.ok_or_else(|| {
            Error::input(format!("there is no server `{name}`"))
                .hint("podgate clean --list shows those that were kept")
        })?;
        for error in &removed.failed {
            show::error(error);
            exit = Exit::Environment;
        }
        if removed.failed.is_empty() {
            show::note(&format!("{name} is gone"));
        }
    }
    Ok(exit)
}

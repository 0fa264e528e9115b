//! `podgate merge`: the shards of a run as one report and one exit code.

use std::path::PathBuf;

use podgate_harness::error::Error;
use podgate_harness::record::Record;

use crate::args::MergeArgs;
use crate::exit::Exit;
use crate::show;
use crate::show::report::Report;

pub(crate) fn run(args: &MergeArgs) -> Result<Exit, Error> {
    let read = |file: &PathBuf| Ok((file.clone(), Record::read(file)?));
    let records = args.files.iter().map(read).collect::<Result<_, Error>>()?;
    let record = Record::merge(records)?;
    let report = Report {
        record: &record,
        quiet: args.quiet,
        took: None,
    };
    report.tell(&args.reports)?;
    for failed in &record.failed {
        show::note(&format!("{}: {}", failed.title, failed.message));
    }
    Ok(Exit::of_run(&record))
}

//! The record of a run in the formats that were asked for.

use std::fs;
use std::path::Path;
use std::time::Duration;

use podgate_harness::error::Error;
use podgate_harness::record::Record;

use crate::args::{Format, Output, Reports};
use crate::show::{self, differences, github, html, junit, markdown, problems, run, sarif};

/// A run and how it is told.
pub(crate) struct Report<'a> {
    /// What came of it.
    pub(crate) record: &'a Record,
    /// Whether the reasons of rejections are left out of the text.
    pub(crate) quiet: bool,
    /// How long it took; a merged run took no time that says anything.
    pub(crate) took: Option<Duration>,
}

impl Report<'_> {
    /// Writes the files, then prints.
    pub(crate) fn tell(&self, reports: &Reports) -> Result<(), Error> {
        for (format, file) in &reports.written {
            write(file, &self.render(*format)?)?;
        }
        show::data(&self.render(reports.output)?)?;
        if reports.output == Format::Jsonl {
            show::note(differences::text(self.record).trim_end());
        }
        Ok(())
    }

    fn render(&self, format: Format) -> Result<String, Error> {
        let record = self.record;
        match format {
            Format::Text => Ok([
                run::verdicts(record, self.quiet),
                differences::text(record),
                run::summary(record, self.took),
            ]
            .concat()),
            Format::Jsonl => record.cells.iter().map(show::json_line).collect(),
            Format::Json => Ok(show::serialized(record, Output::Json)?.unwrap_or_default()),
            Format::Yaml => Ok(show::serialized(record, Output::Yaml)?.unwrap_or_default()),
            Format::Junit => junit::document(junit::of_run(record, &problems::of(record))),
            Format::Sarif => sarif::document(&problems::of(record)),
            Format::Github => Ok(github::annotations(&problems::of(record))),
            Format::Markdown => Ok(markdown::run(record, &problems::of(record))),
            Format::Html => Ok(html::page(record, &problems::of(record))),
        }
    }
}

/// Writes a report into a file.
pub(crate) fn write(file: &Path, text: &str) -> Result<(), Error> {
    // A file is no terminal.
    let text = anstream::adapter::strip_str(text).to_string();
    fs::write(file, text).map_err(|error| {
        Error::input(format!("cannot write {}: {error}", file.display()))
            .hint("--report takes a format and a file in a folder that is there")
    })
}

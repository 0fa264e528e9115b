//! What people see. Data goes to stdout, everything else to stderr; a pipe gets no colour.

pub(crate) mod audit;
pub(crate) mod compared;
pub(crate) mod differences;
pub(crate) mod findings;
pub(crate) mod fixes;
pub(crate) mod github;
pub(crate) mod html;
pub(crate) mod junit;
pub(crate) mod markdown;
pub(crate) mod matrix;
pub(crate) mod place;
pub(crate) mod policies;
pub(crate) mod problems;
pub(crate) mod progress;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod sarif;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod verdicts;

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal, Write};

use podgate_harness::error::Error;
use podgate_harness::versions::ranges;
use podgate_policy::Minor;
use serde::Serialize;

use crate::args::Output;
use style::{ERROR, FAINT, HINT, Painted};

/// Writes data to stdout. A reader that has seen enough (`| head`) is no error.
pub(crate) fn data(text: &str) -> Result<(), Error> {
    let mut stdout = anstream::stdout().lock();
    written(
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush()),
    )
    .map(|_| ())
}

/// Writes data without colour to stdout as it is; whether a reader wants more.
pub(crate) fn bytes(data: &[u8]) -> Result<bool, Error> {
    let mut stdout = std::io::stdout().lock();
    written(stdout.write_all(data).and_then(|()| stdout.flush()))
}

fn written(result: std::io::Result<()>) -> Result<bool, Error> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Error::environment(format!(
            "cannot write to standard output: {error}"
        ))),
        Ok(()) => Ok(true),
    }
}

/// Writes a value in a machine's format; `None` for text, which is the caller's.
pub(crate) fn serialized<T: Serialize>(value: &T, output: Output) -> Result<Option<String>, Error> {
    Ok(match output {
        Output::Text => None,
        Output::Json => Some(serde_json::to_string_pretty(value).map_err(unwritable)? + "\n"),
        Output::Jsonl => Some(json_line(value)?),
        Output::Yaml => {
            let value = serde_json::to_value(value).map_err(unwritable)?;
            Some(podgate_manifest::to_yaml(&value))
        }
    })
}

/// Writes a value on one line.
pub(crate) fn json_line<T: Serialize>(value: &T) -> Result<String, Error> {
    Ok(serde_json::to_string(value).map_err(unwritable)? + "\n")
}

fn unwritable(error: impl Display) -> Error {
    Error::environment(format!("cannot write the result: {error}"))
}

/// Tells what went wrong, where, and what to do about it, on stderr.
pub(crate) fn error(error: &Error) {
    let mut stderr = anstream::stderr().lock();
    // What cannot be written to stderr can be told nowhere.
    let _ = match error.place() {
        Some(place) => {
            let shown = place.render();
            let shown = shown.strip_prefix("error:").unwrap_or(&shown);
            writeln!(stderr, "{}{shown}", Painted(ERROR, "error:"))
        }
        None => writeln!(stderr, "{} {}", Painted(ERROR, "error:"), error.message()),
    };
    if let Some(said) = error.said() {
        let _ = writeln!(stderr, "{}", Painted(FAINT, said));
    }
    if let Some(hint) = error
        .what_to_do()
        .filter(|hint| error.place().and_then(|p| p.hint()) != Some(hint))
    {
        let _ = writeln!(stderr, "{} {hint}", Painted(HINT, "hint:"));
    }
}

/// Says something that is not data, on stderr.
pub(crate) fn note(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _ = writeln!(stderr, "{text}");
}

/// Minors in as few ranges as they fit in: `1.23..1.25, 1.28..`.
pub(crate) fn minors(minors: &[Minor]) -> String {
    let ranges: Vec<String> = ranges(minors).iter().map(ToString::to_string).collect();
    ranges.join(", ")
}

/// `1 object`, `2 objects`
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// How many columns a text may use: the terminal's, within what reads well; in a pipe what `COLUMNS`
/// says, or else 80.
pub(crate) fn width() -> usize {
    columns().unwrap_or(80).clamp(40, 120)
}

/// How many columns a table may use: all of the terminal's; in a pipe somewhat more than a text.
pub(crate) fn table_width() -> usize {
    columns().unwrap_or(100).max(40)
}

fn columns() -> Option<usize> {
    if std::io::stdout().is_terminal() {
        return Some(textwrap::termwidth());
    }
    std::env::var("COLUMNS").ok()?.parse().ok()
}

//! What people see. Data goes to stdout, everything else to stderr; a pipe gets no colour.

pub(crate) mod matrix;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod verdicts;

use std::io::{ErrorKind, Write};

use podgate_harness::error::Error;
use serde::Serialize;

use crate::args::Output;
use style::{ERROR, HINT, Painted};

/// Writes data to stdout. A reader that has seen enough (`| head`) is no error.
pub(crate) fn data(text: &str) -> Result<(), Error> {
    let mut stdout = anstream::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Error::environment(format!(
            "cannot write to standard output: {error}"
        ))),
        Ok(()) => Ok(()),
    }
}

/// Writes a value in a machine's format; `None` for text, which is the caller's.
pub(crate) fn serialized<T: Serialize>(value: &T, output: Output) -> Option<Result<String, Error>> {
    let broken = |error: String| Error::environment(format!("cannot write the result: {error}"));
    match output {
        Output::Text => None,
        Output::Json => Some(
            serde_json::to_string_pretty(value)
                .map(|s| s + "\n")
                .map_err(|e| broken(e.to_string())),
        ),
        Output::Jsonl => Some(
            serde_json::to_string(value)
                .map(|s| s + "\n")
                .map_err(|e| broken(e.to_string())),
        ),
        Output::Yaml => Some(serde_yaml::to_string(value).map_err(|e| broken(e.to_string()))),
    }
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

/// How many columns a text may use: the terminal's, within what reads well.
pub(crate) fn width() -> usize {
    textwrap::termwidth().clamp(60, 120)
}

//! `podgate versions`: the Kubernetes versions that podgate answers for.

use std::fmt::Write;

use podgate_harness::error::Error;
use podgate_policy::{Minor, Server};
use serde_json::{Value, json};

use crate::args::VersionsArgs;
use crate::exit::Exit;
use crate::show;
use crate::show::style::{FAINT, Painted, STRONG};
use crate::show::verdicts;

pub(crate) fn run(args: &VersionsArgs) -> Result<Exit, Error> {
    let versions: Vec<Value> = Minor::all().map(version).collect();
    let text = match show::serialized(&versions, args.output)? {
        Some(text) => text,
        None => table(&versions),
    };
    show::data(&text)?;
    Ok(Exit::Expected)
}

/// Minors whose recorded answers no build of podgate was compared with: none were to be had.
const FROM_SOURCE_ONLY: [u8; 4] = [20, 22, 24, 37];

/// Whether there are no recorded answers of a real server of `minor`.
pub(crate) fn from_source_only(minor: Minor) -> bool {
    FROM_SOURCE_ONLY.contains(&minor.number())
}

fn version(minor: Minor) -> Value {
    let server = Server::new(minor);
    json!({
        "kubernetes": minor.to_string(),
        "podSecurity": match minor.number() {
            ..=21 => "absent",
            22 => "alpha, off by default",
            23 | 24 => "beta, on by default",
            _ => "stable",
        },
        "podSecurityPolicy": match minor.number() {
            ..=24 => "off by default",
            _ => "removed",
        },
        "newestPolicy": server.newest_policy().map(|number| format!("v1.{number}")),
        "compared": if from_source_only(minor) { "from source only" } else { "with a real server's answers" },
    })
}

fn table(versions: &[Value]) -> String {
    const HEADER: [&str; 5] = [
        "Kubernetes",
        "Pod Security Admission",
        "newest policy",
        "PodSecurityPolicy",
        "compared",
    ];
    const KEYS: [&str; 5] = [
        "kubernetes",
        "podSecurity",
        "newestPolicy",
        "podSecurityPolicy",
        "compared",
    ];
    let rows: Vec<[&str; 5]> = versions
        .iter()
        .map(|row| KEYS.map(|key| row[key].as_str().unwrap_or("-")))
        .collect();
    let mut widths = HEADER.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.len());
        }
    }
    let line = |cells: &[&str; 5]| -> String {
        let padded = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut text = String::new();
    let _ = writeln!(text, "{}", Painted(STRONG, &line(&HEADER)));
    for row in &rows {
        let _ = writeln!(text, "{}", line(row));
    }
    let note = "One minor stands for all its patch releases: none of them changed a verdict. The embedded server \
        is the only backend of this version.";
    let note = verdicts::filled(note, "", "", show::width());
    let _ = write!(text, "\n{}", Painted(FAINT, &note));
    text
}

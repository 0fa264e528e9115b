//! Every message of Pod Security that real servers recorded, read back as checks.
#![expect(
    clippy::disallowed_methods,
    reason = "the recordings are files; evaluators read none"
)]

use flate2::read::GzDecoder;
use podgate_policy::{Check, Minor, Server, checks_in_message};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

/// The folder of recorded answers, or nothing, said loudly, where it is not at hand.
fn truth() -> Option<PathBuf> {
    let folder = std::env::var_os("PODGATE_TRUTH").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/truth")),
        PathBuf::from,
    );
    if !folder.is_dir() {
        eprintln!(
            "LEFT OUT: no recorded answers at {} (set PODGATE_TRUTH)",
            folder.display()
        );
        return None;
    }
    Some(folder)
}

/// Every text of a JSON value.
fn texts(value: &serde_json::Value, visit: &mut dyn FnMut(&str)) {
    match value {
        serde_json::Value::String(text) => visit(text),
        serde_json::Value::Array(items) => items.iter().for_each(|item| texts(item, visit)),
        serde_json::Value::Object(fields) => fields.values().for_each(|item| texts(item, visit)),
        _ => {}
    }
}

/// The reasons of a detail. In the recordings no name holds a parenthesis, so they are what stands
/// outside of parentheses; a last one that is not followed by a parenthesis was cut off.
fn reasons(detail: &str) -> Vec<&str> {
    let pieces = detail
        .split_inclusive(')')
        .filter_map(|piece| piece.split_once(" ("));
    pieces
        .map(|(reason, _)| reason.trim_start_matches(", "))
        .collect()
}

/// The ids must account for every reason of the message, in order.
#[track_caller]
fn check(server: Server, message: &str) -> bool {
    let Some((_, rest)) = message.split_once("PodSecurity \"") else {
        return false;
    };
    let Some((_, detail)) = rest.split_once("\": ") else {
        return false;
    };
    // Where the warnings of one answer are too long together, each is cut to 256 characters.
    let is_cut = message.chars().count() == 256;
    assert!(is_cut || detail.ends_with(')'), "{message}");

    let ids = checks_in_message(server, message);
    let named = ids
        .iter()
        .map(|id| Check::find(id).expect("an id of the table"));
    let reasons = reasons(detail);
    assert_eq!(
        ids.len(),
        reasons.len(),
        "{} {message}: {ids:?}",
        server.minor()
    );
    assert!(
        named
            .zip(reasons)
            .all(|(check, reason)| check.reasons.contains(&reason)),
        "{} {message}: {ids:?}",
        server.minor()
    );
    true
}

#[test]
fn accounts_for_every_reason() {
    let Some(truth) = truth() else { return };
    let mut count = 0;
    for minor in Minor::all() {
        // Not every minor was recorded.
        let Ok(files) = fs::read_dir(truth.join(minor.to_string())) else {
            continue;
        };
        for file in files {
            let file = File::open(file.unwrap().path()).unwrap();
            for line in BufReader::new(GzDecoder::new(file)).lines() {
                let line: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
                texts(&line, &mut |text| {
                    count += usize::from(check(Server::new(minor), text));
                });
            }
        }
    }
    println!("{count} messages read");
    assert!(count > 10_000, "only {count} messages");
}

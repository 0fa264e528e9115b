//! Requests recorded from real servers are decoded as the servers did, and their failures are
//! written as the servers did.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use podgate_admission::decode::{DecodeError, cannot_be_handled, decode, decode_as};
use podgate_admission::resource::by_path;
use podgate_admission::schema::{STRUCTS, Struct};
use podgate_admission::status::{Cause, Details, Status};
use podgate_policy::Minor;
use serde_json::Value;

/// The recorded answers: one folder for each minor. They are no part of the repository.
fn truth() -> Option<PathBuf> {
    let folder = std::env::var_os("PODGATE_TRUTH").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/truth")),
        PathBuf::from,
    );
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("LEFT OUT: no recorded answers at {}", folder.display());
    None
}

fn lines(folder: &std::path::Path, minor: Minor, file: &str) -> Vec<Value> {
    let path = folder
        .join(minor.to_string())
        .join(format!("{file}.ndjson.gz"));
    let Ok(file) = std::fs::File::open(path) else {
        return Vec::new();
    };
    BufReader::new(GzDecoder::new(file))
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect()
}

fn schema_of(request: &Value) -> Option<&'static Struct> {
    let kind = request["kind"].as_str()?;
    STRUCTS.iter().copied().find(|s| s.name == kind)
}

#[test]
fn strict_errors_are_the_warnings_about_fields() {
    let Some(folder) = truth() else { return };
    let mut decoded = 0;
    let mut warned = BTreeMap::new();
    for minor in Minor::all() {
        for file in ["pods", "workloads", "config"] {
            for line in lines(&folder, minor, file) {
                let Some(schema) = schema_of(&line["request"]) else {
                    continue;
                };
                let bytes = line["request"].to_string();
                let result = decode(bytes.as_bytes(), schema, minor)
                    .unwrap_or_else(|e| panic!("{minor} {file}: {e}\n{line}"));
                decoded += 1;
                if minor < Minor::known(25) {
                    continue;
                }
                // The recordings have keys in the order of the alphabet, the requests had not, so the
                // order of the warnings is another one.
                let mut texts: Vec<_> = result.strict.iter().map(ToString::to_string).collect();
                texts.sort();
                let mut expected: Vec<_> = line["warnings"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .filter(|w| w.starts_with("unknown field") || w.starts_with("duplicate field"))
                    .collect();
                expected.sort_unstable();
                assert_eq!(texts, expected, "{minor} {file}: {line}");
                *warned.entry(minor).or_insert(0) += texts.len();
            }
        }
    }
    eprintln!("{decoded} requests, fields warned about by minor: {warned:?}");
    assert!(decoded > 10_000, "{decoded} requests decoded");
    assert!(warned[&Minor::known(25)] > 0, "{warned:?}");
}

#[test]
fn refused_bodies_are_refused_in_the_same_words() {
    let Some(folder) = truth() else { return };
    let mut refused = 0;
    for minor in Minor::all() {
        for line in lines(&folder, minor, "http") {
            let message = line["answer"]["message"].as_str().unwrap_or_default();
            let path = line["path"].as_str().unwrap();
            let unreadable =
                message.contains("cannot be handled") || message.contains("is unrecognized");
            if !unreadable || line["type"] != "application/json" {
                continue;
            }
            let (path, query) = path.split_once('?').unwrap_or((path, ""));
            let name = path.rsplit('/').next().unwrap();
            let resource = by_path("", "v1", name, minor).unwrap();
            let body = match &line["body"] {
                // What is no JSON was recorded as a text.
                Value::String(text) => text.clone(),
                body => body.to_string(),
            };
            let error = match decode_as(body.as_bytes(), resource, minor) {
                Err(error) => error.message,
                Ok(decoded) => {
                    assert_eq!(query, "fieldValidation=Strict", "{line}");
                    let strict = DecodeError::strict(&decoded.strict).unwrap();
                    cannot_be_handled("Pod", "v1", resource.kind, &strict.message)
                }
            };
            assert_eq!(error, message, "{minor}: {line}");
            refused += 1;
        }
    }
    eprintln!("{refused} bodies refused");
    assert!(refused > 8, "{refused} bodies refused");
}

#[test]
fn failures_are_written_as_recorded() {
    let Some(folder) = truth() else { return };
    let mut failures = 0;
    for minor in Minor::all() {
        for line in lines(&folder, minor, "http") {
            let answer = &line["answer"];
            if answer["kind"] != "Status" || answer["status"] != "Failure" {
                continue;
            }
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let details = &answer["details"];
            let causes = details["causes"].as_array().into_iter().flatten();
            let status = Status {
                code: u16::try_from(answer["code"].as_u64().unwrap()).unwrap(),
                reason: text(&answer["reason"]).leak(),
                message: text(&answer["message"]),
                details: details.is_object().then(|| {
                    Box::new(Details {
                        name: text(&details["name"]),
                        group: text(&details["group"]),
                        kind: text(&details["kind"]),
                        causes: causes
                            .map(|cause| Cause {
                                reason: text(&cause["reason"]).leak(),
                                message: text(&cause["message"]),
                                field: text(&cause["field"]),
                            })
                            .collect(),
                        retry_after_seconds: details["retryAfterSeconds"]
                            .as_u64()
                            .map_or(0, |n| u32::try_from(n).unwrap()),
                    })
                }),
            };
            let written: Value = serde_json::from_str(&status.to_json()).unwrap();
            assert_eq!(&written, answer, "{minor}: {line}");
            failures += 1;
        }
    }
    eprintln!("{failures} failures written");
    assert!(failures > 50, "{failures} failures written");
}

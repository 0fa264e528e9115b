//! Decodes every request that was recorded from real servers.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use podgate_admission::decode::decode;
use podgate_admission::schema::{STRUCTS, Struct};
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

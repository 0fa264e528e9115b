//! The recorded lines, the one place where they are normalised, and the count of agreements.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use podgate_admission::decode::decode_untyped;
use podgate_admission::encode::encode_untyped;
use podgate_policy::Minor;
use serde_json::Value as Json;

use crate::message;

fn folder() -> PathBuf {
    std::env::var_os("PODGATE_TRUTH").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/truth")),
        PathBuf::from,
    )
}

/// A recorded line.
pub(crate) struct Line {
    pub(crate) minor: Minor,
    pub(crate) json: Json,
    text: String,
}

impl Line {
    /// The value at `key` with its keys in the order in which they were sent, which decides about
    /// the order of warnings.
    pub(crate) fn sent(&self, key: &str) -> String {
        let line = decode_untyped(self.text.as_bytes()).expect("each line is JSON");
        encode_untyped(line.get(key).expect("the line has the request"))
    }
}

impl Line {
    /// The same for an item of the list at `path`.
    pub(crate) fn sent_at(&self, path: &[&str], index: usize) -> String {
        let line = decode_untyped(self.text.as_bytes()).expect("each line is JSON");
        encode_untyped(&line.list_at(path)[index])
    }
}

/// The lines of `1.NN/NAME.ndjson.gz` of every minor that has the file; none, and said so, where
/// there are no recordings at all.
pub(crate) fn lines(name: &str) -> Vec<Line> {
    let folder = folder();
    if !folder.is_dir() {
        eprintln!("LEFT OUT: no recorded answers; PODGATE_TRUTH names their folder");
        return Vec::new();
    }
    let mut lines = Vec::new();
    for minor in Minor::all() {
        let path = folder.join(format!("{minor}/{name}.ndjson.gz"));
        let Ok(file) = File::open(&path) else {
            continue;
        };
        for line in BufReader::new(GzDecoder::new(file)).lines() {
            let line = line.expect("recorded answers are gzipped UTF-8");
            lines.push(Line {
                minor,
                json: serde_json::from_str(&line).expect("each line is JSON"),
                text: line,
            });
        }
    }
    assert!(!lines.is_empty(), "{} has no {name}", folder.display());
    lines
}

/// Makes alike what the recordings cannot have in common with anything: the random suffix of the
/// token volume, and the source that the recorded servers' distribution adds to it.
pub(crate) fn normalise(spec: &mut Json) {
    fn name(value: &mut Json) {
        if value["name"]
            .as_str()
            .is_some_and(|name| name.starts_with("kube-api-access-"))
        {
            value["name"] = "kube-api-access-xxxxx".into();
        }
    }
    if let Some(volumes) = spec["volumes"].as_array_mut() {
        for volume in volumes {
            name(volume);
            if let Some(sources) = volume["projected"]["sources"].as_array_mut() {
                sources.retain(|source| source["configMap"]["name"] != "openshift-service-ca.crt");
            }
            if volume["projected"].is_null()
                && let Some(volume) = volume.as_object_mut()
            {
                volume.remove("projected");
            }
        }
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in spec[list].as_array_mut().into_iter().flatten() {
            container["volumeMounts"]
                .as_array_mut()
                .into_iter()
                .flatten()
                .for_each(name);
        }
    }
}

#[derive(Default)]
struct Count {
    agreed: usize,
    disagreed: usize,
}

/// How many lines of a file agreed, by minor.
pub(crate) struct Tally {
    file: &'static str,
    counts: BTreeMap<Minor, Count>,
    shown: usize,
}

/// So many disagreements are printed in full.
const SHOWN: usize = 12;

impl Tally {
    pub(crate) fn new(file: &str) -> Self {
        Self {
            file: file.to_owned().leak(),
            counts: BTreeMap::new(),
            shown: 0,
        }
    }

    /// Counts a line, and prints it where the two differ.
    pub(crate) fn compare(&mut self, minor: Minor, request: &Json, expected: &Json, actual: &Json) {
        let count = self.counts.entry(minor).or_default();
        let mut expected = expected.clone();
        if message::agree(&expected["message"], &actual["message"]) {
            expected["message"] = actual["message"].clone();
        }
        if expected == *actual {
            count.agreed += 1;
            return;
        }
        count.disagreed += 1;
        if self.shown < SHOWN {
            self.shown += 1;
            eprintln!("--- {minor} {}: {request}", self.file);
            differences("", &expected, actual);
        }
    }

    /// Prints the counts; any disagreement fails the test.
    pub(crate) fn finish(self) {
        let mut disagreed = 0;
        for (minor, count) in &self.counts {
            disagreed += count.disagreed;
            eprintln!(
                "{minor} {}: {} agreed, {} disagreed",
                self.file, count.agreed, count.disagreed
            );
        }
        assert_eq!(disagreed, 0, "of {} lines", self.file);
        let agreed: usize = self.counts.values().map(|count| count.agreed).sum();
        assert!(agreed > 0 || self.counts.is_empty(), "nothing was compared");
    }
}

/// Prints where two values differ.
fn differences(path: &str, expected: &Json, actual: &Json) {
    match (expected, actual) {
        (Json::Object(one), Json::Object(other)) => {
            let keys: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
            for key in keys {
                differences(&format!("{path}.{key}"), &expected[key], &actual[key]);
            }
        }
        (Json::Array(one), Json::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                differences(&format!("{path}[{index}]"), one, other);
            }
        }
        _ if expected == actual => {}
        _ => eprintln!("{path}\n  recorded {expected}\n  podgate  {actual}"),
    }
}

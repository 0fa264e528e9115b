//! The recorded sessions of clients with real servers, sent again: same codes, same headers, same
//! bodies, up to what no two servers have in common.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use http::Method;
use podgate_apiserver::ApiServer;
use serde_json::Value;

use crate::exchange::{Answer, send, server};

/// The exchanges that are not sent, by their place in the session, which is the same in all minors.
const LEFT_OUT: &[(std::ops::RangeInclusive<usize>, &str)] = &[
    (0..=0, "the build of a real server"),
    (4..=9, "a real server serves more"),
    (10..=18, "a real server serves more"),
    (22..=23, "aggregated discovery is not served"),
    (30..=30, "tables are not served"),
    (31..=31, "lists are not cut into pages"),
    (34..=35, "every namespace has its default service account"),
    (47..=47, "YAML is not read"),
    (53..=55, "tables are not served"),
    (57..=58, "watches are not served"),
    (
        63..=65,
        "lists are not cut into pages, and are always the newest",
    ),
    (74..=75, "server-side apply is not served"),
    (
        77..=77,
        "the stale version was taken out of the recorded body",
    ),
    (83..=84, "tables and scales are not served"),
    (90..=90, "tables are not served"),
    (92..=92, "tables are not served"),
    (104..=105, "namespaces end at once"),
];

/// The pod that is created by server-side apply in the session, and by POST here.
const APPLIED: usize = 73;

fn left_out(number: usize) -> bool {
    LEFT_OUT
        .iter()
        .any(|(numbers, _)| numbers.contains(&number))
}

#[test]
fn sessions() {
    let folder = std::env::var_os("PODGATE_TRUTH").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/truth")),
        PathBuf::from,
    );
    if !folder.is_dir() {
        eprintln!("LEFT OUT: no recorded answers; PODGATE_TRUTH names their folder");
        return;
    }
    let mut wrong = Vec::new();
    let mut count = 0;
    for minor in [23, 29, 36] {
        let file = File::open(folder.join(format!("1.{minor}/http.ndjson.gz"))).expect("a session");
        let server = server(minor);
        for (number, line) in BufReader::new(GzDecoder::new(file)).lines().enumerate() {
            let line = line.expect("gzipped UTF-8");
            if left_out(number) {
                continue;
            }
            let mut exchange: Value = serde_json::from_str(&line).expect("JSON");
            if number == APPLIED {
                exchange["method"] = "POST".into();
                exchange["path"] = "/api/v1/namespaces/web/pods".into();
                exchange["type"] = "application/json".into();
            }
            let answer = replay(&server, &exchange);
            count += 1;
            for difference in compare(&exchange, answer) {
                let (method, path) = (&exchange["method"], &exchange["path"]);
                wrong.push(format!("1.{minor} #{number} {method} {path}: {difference}"));
            }
        }
    }
    assert!(count > 0);
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn replay(server: &ApiServer, exchange: &Value) -> Answer {
    let method: Method = exchange["method"]
        .as_str()
        .and_then(|m| m.parse().ok())
        .expect("a method");
    let headers: Vec<(&str, &str)> = [
        ("accept", "accept"),
        ("content-type", "type"),
        ("impersonate-user", "as"),
    ]
    .into_iter()
    .filter_map(|(header, key)| Some((header, exchange[key].as_str()?)))
    .collect();
    let body = match &exchange["body"] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        body => body.to_string(),
    };
    let path = exchange["path"].as_str().expect("a path");
    send(server, &method, path, &headers, &body)
}

fn compare(exchange: &Value, answer: Answer) -> Vec<String> {
    let mut differences = Vec::new();
    let mut same = |what: &str, expected: Value, found: Value| {
        if expected != found {
            differences.push(format!("{what}\n  expected {expected}\n  found    {found}"));
        }
    };
    same("code", exchange["code"].clone(), answer.code.into());
    for header in [
        "Cache-Control",
        "Content-Type",
        "X-Content-Type-Options",
        "Warning",
    ] {
        // Of several values the recording has the last.
        let found = answer.headers.get_all(header).iter().next_back();
        let found = found.and_then(|v| v.to_str().ok());
        let mut expected = exchange["headers"][header].clone();
        let mut found = found.map_or(Value::Null, Value::from);
        redact(&mut expected);
        redact(&mut found);
        same(header, expected, found);
    }
    let (mut expected, mut found) = (exchange["answer"].clone(), answer.body);
    redact(&mut expected);
    redact(&mut found);
    same("body", expected, found);
    differences
}

/// Takes out what no two servers have in common, what this one does not keep, and what the recorded
/// servers have from their distribution.
fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("managedFields");
            fields.remove("storageVersionHash");
            for key in [
                "uid",
                "resourceVersion",
                "creationTimestamp",
                "deletionTimestamp",
            ] {
                if let Some(value) = fields.get_mut(key).filter(|value| value.is_string()) {
                    *value = format!("<{key}>").into();
                }
            }
            fields.values_mut().for_each(redact);
        }
        Value::Array(items) => {
            items.retain(|item| item["configMap"]["name"] != "openshift-service-ca.crt");
            items.iter_mut().for_each(redact);
        }
        Value::String(text) => {
            *text = redact_text(text);
        }
        _ => {}
    }
}

/// Takes suffixes and uids out of a text, and Go's print of what differs between two specs, which
/// stands on lines of its own.
fn redact_text(text: &str) -> String {
    let mut redacted = text.lines().next().unwrap_or_default().to_owned();
    for prefix in ["kube-api-access-", "gen-"] {
        if let Some(at) = redacted.find(prefix) {
            let from = at + prefix.len();
            if redacted.len() >= from + 5 {
                redacted.replace_range(from..from + 5, "xxxxx");
            }
        }
    }
    let words: Vec<&str> = redacted
        .split(' ')
        .map(|word| {
            let bare = word.trim_end_matches(',');
            let uid = bare.len() == 36 && bare.matches('-').count() == 4;
            if uid { "<uid>" } else { word }
        })
        .collect();
    words.join(" ")
}

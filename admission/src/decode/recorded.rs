//! Every request recorded from real servers is decoded, with the servers' warnings and refusals.

use std::collections::BTreeMap;

use podgate_policy::Minor;
use serde_json::Value;

use super::{DecodeError, cannot_be_handled, decode, decode_as, decode_untyped};
use crate::encode::encode_untyped;
use crate::resource::by_path;
use crate::schema::{STRUCTS, Struct};
use crate::truth::lines;

fn schema_of(request: &Value) -> Option<&'static Struct> {
    let kind = request["kind"].as_str()?;
    STRUCTS.iter().copied().find(|s| s.name == kind)
}

#[test]
fn strict_errors_are_the_warnings_about_fields() {
    let mut decoded = 0;
    let mut warned = BTreeMap::new();
    for file in ["pods", "workloads", "config"] {
        for (minor, line) in lines(file).into_iter().flatten() {
            // The order of the keys, which serde loses, is that of the warnings.
            let sent = decode_untyped(line.as_bytes()).unwrap();
            let line: Value = serde_json::from_str(&line).unwrap();
            let Some(schema) = schema_of(&line["request"]) else {
                continue;
            };
            let bytes = encode_untyped(sent.get("request").unwrap());
            let result = decode(bytes.as_bytes(), schema, minor)
                .unwrap_or_else(|e| panic!("{minor} {file}: {e}\n{line}"));
            decoded += 1;
            if minor < Minor::known(25) {
                continue;
            }
            let texts: Vec<_> = result.strict.iter().map(ToString::to_string).collect();
            let expected: Vec<_> = line["warnings"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .filter(|w| w.starts_with("unknown field") || w.starts_with("duplicate field"))
                .collect();
            assert_eq!(texts, expected, "{minor} {file}: {line}");
            *warned.entry(minor).or_insert(0) += texts.len();
        }
    }
    if decoded > 0 {
        assert!(decoded > 10_000, "{decoded} requests decoded");
        assert!(warned[&Minor::known(25)] > 0, "{warned:?}");
    }
}

#[test]
fn refused_bodies_are_refused_in_the_same_words() {
    let Some(lines) = lines("http") else { return };
    let mut refused = 0;
    for (minor, line) in lines {
        let line: Value = serde_json::from_str(&line).unwrap();
        let message = line["answer"]["message"].as_str().unwrap_or_default();
        let unreadable =
            message.contains("cannot be handled") || message.contains("is unrecognized");
        if !unreadable || line["type"] != "application/json" {
            continue;
        }
        let path = line["path"].as_str().unwrap();
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
    assert!(refused > 8, "{refused} bodies refused");
}

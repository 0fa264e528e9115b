//! Namespaces with good and bad labels, and what servers said of the labels.

use podgate_policy::labels::{self, LabelError};
use podgate_policy::{NamespacePolicy, Server, quote};
use serde_json::Value;
use std::collections::BTreeMap;

/// The labels after the patch, in which null removes a label.
fn patched(line: &Value) -> BTreeMap<&str, &str> {
    let mut labels = BTreeMap::new();
    for key in ["labels", "patch"] {
        for (name, value) in line[key].as_object().into_iter().flatten() {
            match value.as_str() {
                Some(value) => labels.insert(name.as_str(), value),
                None => labels.remove(name.as_str()),
            };
        }
    }
    labels
}

/// The list of errors as the message of a 422 has it.
fn render(errors: &[LabelError]) -> String {
    let texts: Vec<_> = errors
        .iter()
        .map(|error| {
            let value = quote(&error.value);
            format!(
                "metadata.labels[{}]: Invalid value: {value}: {error}",
                error.label()
            )
        })
        .collect();
    match texts.as_slice() {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    }
}

#[test]
fn are_judged_as_recorded() {
    let (mut good, mut bad) = (0, 0);
    let at_hand = super::visit("namespaces.ndjson.gz", |minor, line| {
        let server = Server::new(minor);
        // Without Pod Security labels are inert.
        if !server.has_pod_security() {
            return;
        }
        let after = patched(line);
        let label = |key: &'static str| after.get(key).copied();
        let (_, errors) = labels::parse(label, &NamespacePolicy::default(), server);
        let message = line["message"].as_str().unwrap_or_default();
        if errors.is_empty() {
            assert_eq!(line["code"], 200, "{minor} {after:?} {message}");
            good += 1;
        } else {
            assert_eq!(line["code"], 422, "{minor} {after:?}");
            let (_, recorded) = message.split_once(" is invalid: ").expect("a 422");
            assert_eq!(render(&errors), recorded, "{minor} {after:?}");
            bad += 1;
        }
    });
    assert!(
        !at_hand || (good > 100 && bad > 100),
        "only {good} good and {bad} bad"
    );
}

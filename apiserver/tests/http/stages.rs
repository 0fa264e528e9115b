//! What a real controller manager made of workloads, on a cluster with one node and no scheduler.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use podgate_apiserver::ApiServer;
use serde_json::{Value, json};

use crate::exchange::{Answer, get, send, server};
use crate::recorded::{lines, report};

/// Where the real controllers said more, since they try again: their events are compared without
/// repetitions, and without those that only say that there were more of them.
const COMBINED: &str = "(combined from similar events): ";

fn post(server: &ApiServer, path: &str, body: &Value) -> Answer {
    send(server, &Method::POST, path, &[], &body.to_string())
}

#[test]
fn stages() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for line in lines("stages") {
        let recorded = &line.recorded;
        let server = server(line.minor);
        let node = json!({"metadata": {"name": "node"}});
        assert_eq!(post(&server, "/api/v1/nodes", &node).code, 201);
        // Recorded namespaces are called by the number of their line.
        let namespace = format!("s{}", line.number + 1);
        let labels = &recorded["namespace"];
        let body = json!({"metadata": {"name": namespace, "labels": labels}});
        assert_eq!(post(&server, "/api/v1/namespaces", &body).code, 201);
        let request = &recorded["request"];
        let at = |version: &str, resource: &str| {
            let root = if version == "v1" { "api" } else { "apis" };
            format!("/{root}/{version}/namespaces/{namespace}/{resource}")
        };
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let (kind, name) = (text(&request["kind"]), text(&request["metadata"]["name"]));
        let own = at(
            &text(&request["apiVersion"]),
            &format!("{}s", kind.to_ascii_lowercase()),
        );
        let created = post(&server, &own, request);
        let code = u64::from(created.code);
        let items = |path: &str| -> Vec<Value> {
            let list = get(&server, path).body["items"].take();
            serde_json::from_value(list).expect("a list")
        };
        let after = json!({
            "workload": get(&server, &format!("{own}/{name}")).body["status"],
            "children": items(&at("apps/v1", "replicasets")).iter()
                .filter(|set| kind != "ReplicaSet" || set["metadata"]["name"] != name)
                .map(|set| json!({"name": set["metadata"]["name"], "status": set["status"],
                    "owner": set["metadata"]["ownerReferences"][0]["kind"]}))
                .collect::<Value>(),
            "pods": items(&at("v1", "pods")).iter()
                .map(|pod| json!({"name": pod["metadata"]["name"],
                    "generateName": pod["metadata"]["generateName"],
                    "owner": pod["metadata"]["ownerReferences"][0]["kind"]}))
                .collect::<Value>(),
            "events": items(&at("v1", "events")).iter()
                .map(|event| json!({"type": event["type"], "reason": event["reason"],
                    "message": event["message"],
                    "object": format!("{}/{}", text(&event["involvedObject"]["kind"]),
                        text(&event["involvedObject"]["name"])),
                    "source": event["source"]["component"]}))
                .collect::<Value>(),
        });
        count += 1;
        let (ours, theirs) = (shown(&after, &name), shown(&recorded["after"], &name));
        if code != recorded["code"] || ours != theirs {
            wrong.push(format!(
                "#{} {kind}/{name}\n  {ours:#?}\n  {theirs:#?}",
                line.number
            ));
        }
    }
    report(count, &wrong);
}

/// What is compared: all but times, counts of repetitions and the letters of random names.
fn shown(after: &Value, name: &str) -> BTreeMap<&'static str, Value> {
    let mut after = after.clone();
    redact(&mut after, name);
    let events = after["events"].as_array().expect("events").iter();
    let events: BTreeSet<String> = events
        .map(|event| {
            let mut event = event.clone();
            event.as_object_mut().expect("an event").remove("count");
            event.to_string().replace(COMBINED, "")
        })
        .collect();
    let pods = after["pods"].as_array().expect("pods").iter();
    let mut pods: Vec<String> = pods.map(Value::to_string).collect();
    pods.sort();
    BTreeMap::from([
        ("workload", after["workload"].take()),
        ("children", after["children"].take()),
        ("pods", pods.into()),
        ("events", events.into_iter().collect()),
    ])
}

/// Replaces what is random in all texts: what follows the workload's name, and times.
fn redact(value: &mut Value, workload: &str) {
    match value {
        Value::String(text) => *text = redacted(text, workload),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, workload)),
        Value::Object(fields) => {
            for (key, value) in fields {
                if key.ends_with("Time") {
                    *value = "TIME".into();
                } else {
                    redact(value, workload);
                }
            }
        }
        _ => {}
    }
}

/// The hash of a template has up to ten letters, a suffix has five; an ordinal stays.
fn redacted(text: &str, workload: &str) -> String {
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut out = String::new();
    let mut rest = text;
    let prefix = format!("{workload}-");
    while let Some(at) = rest.find(&prefix) {
        let tail = &rest[at + prefix.len()..];
        let end = tail.find(|c| !in_name(c)).unwrap_or(tail.len());
        out.push_str(&rest[..at + prefix.len()]);
        let parts: Vec<&str> = tail[..end]
            .split('-')
            .map(|part| match part.len() {
                5 => "SUFFIX",
                6.. => "HASH",
                _ => part,
            })
            .collect();
        // A name that goes on with a word of its own is another name.
        out.push_str(&parts.join("-"));
        rest = &tail[end..];
    }
    out + rest
}

//! What clients sent to real servers, sent again: same codes, same headers, same bodies, up to what
//! no two servers have in common.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use http::Method;
use podgate_admission::chain::Server;
use podgate_admission::decode::decode_untyped;
use podgate_apiserver::{ApiServer, Clock, Seeded};
use podgate_policy::Minor;
use serde_json::{Value, json};

use crate::exchange::{Answer, send, server};

/// The exchanges that are not sent, by their place in the session, which is the same in all minors.
const LEFT_OUT: &[(std::ops::RangeInclusive<usize>, &str)] = &[
    (0..=0, "the build of a real server"),
    (11..=11, "nothing of policy/v1 is served"),
    (16..=16, "events are served in v1 only"),
    (34..=35, "every namespace has its default service account"),
    (47..=47, "YAML is not read"),
    (
        77..=77,
        "the stale version was taken out of the recorded body",
    ),
    (85..=85, "no controller has worked on its deployment"),
    (104..=105, "namespaces end at once"),
];

/// The documents of discovery. What this server lists there has to be as recorded; real servers list
/// more.
const DISCOVERY: std::ops::RangeInclusive<usize> = 4..=23;

fn left_out(number: usize) -> bool {
    LEFT_OUT
        .iter()
        .any(|(numbers, _)| numbers.contains(&number))
}

#[test]
fn sessions() {
    let mut count = 0;
    let mut wrong = Vec::new();
    let mut current = None;
    for Line {
        minor,
        number,
        mut recorded,
    } in lines("http")
    {
        let (_, server) = current
            .take_if(|(of, _)| *of == minor)
            .unwrap_or_else(|| (minor, watched(minor)));
        if !left_out(number) {
            count += 1;
            let answer = replay(&server, &recorded);
            if DISCOVERY.contains(&number) {
                restrict(&mut recorded["answer"], &answer.body);
            }
            for difference in compare(&recorded, answer) {
                let (method, path) = (&recorded["method"], &recorded["path"]);
                wrong.push(format!("1.{minor} #{number} {method} {path}: {difference}"));
            }
        }
        current = Some((minor, server));
    }
    report(count, &wrong);
}

/// A server that can be watched, and whose watches are over as soon as nothing is left to tell.
fn watched(minor: u8) -> ApiServer {
    let mut server = server(minor).tracking_fields();
    server.keep_history(1000, |_| Box::pin(tokio::task::yield_now()));
    server
}

/// The events of a watch, one a line; anything else as it is. A real server begins with what is there
/// in no order, so they are put in one; the columns of tables stay with the first.
fn events(body: Value) -> Value {
    let lines = body.as_str().map(str::lines).into_iter().flatten();
    let events: Option<Vec<Value>> = lines.map(|line| serde_json::from_str(line).ok()).collect();
    let Some(mut events) = events.filter(|events| !events.is_empty()) else {
        return body;
    };
    let columns = "/object/columnDefinitions";
    let taken = events[0].pointer_mut(columns).map(Value::take);
    events.sort_by_key(|event| {
        let row = &event["object"]["rows"][0]["object"]["metadata"]["name"];
        let own = &event["object"]["metadata"]["name"];
        row.as_str().or(own.as_str()).map(str::to_owned)
    });
    if let (Some(taken), Some(place)) = (taken, events[0].pointer_mut(columns)) {
        *place = taken;
    }
    events.into()
}

/// Patches of pods in a namespace that was labelled after they were created.
#[test]
fn updates() {
    let mut count = 0;
    let mut wrong = Vec::new();
    let mut fresh = None;
    // As nothing is stored, one server serves all patches of a pod.
    let mut prepared: Option<(u8, [Value; 2], ApiServer)> = None;
    // They were recorded on the servers of `config`, whose defaults show in the annotations.
    let configs = lines("config");
    for Line {
        minor,
        number,
        recorded,
    } in lines("updates")
    {
        let about = [recorded["existing"].clone(), recorded["labels"].clone()];
        let (_, _, server) = prepared
            .take_if(|(of, what, _)| *of == minor && *what == about)
            .unwrap_or_else(|| {
                let server = fork(&mut fresh, minor, &configs);
                let codes = labelled_around(&server, &about);
                assert_eq!(codes, [200, 201, 200], "1.{minor} #{number}");
                (minor, about.clone(), server)
            });
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let name = text(&about[0]["metadata"]["name"]).expect("a name");
        let subresource = text(&recorded["subresource"]).map_or(String::new(), |s| format!("/{s}"));
        let path = format!("/api/v1/namespaces/web/pods/{name}{subresource}?dryRun=All");
        let kind = text(&recorded["type"]).expect("a type");
        let answer = patch(&server, &path, &kind, &recorded["patch"]);
        count += 1;
        let audit = answer.audit.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        let audit: Value = audit.collect();
        if !same_verdict(&recorded, &answer) || audit != recorded["audit"] {
            wrong.push(format!("1.{minor} #{number}\n  {recorded}\n  {answer:?}"));
        }
        prepared = Some((minor, about, server));
    }
    report(count, &wrong);
}

/// Creates a pod, whatever the defaults say, and then labels its namespace; the codes of that.
fn labelled_around(server: &ApiServer, [pod, labels]: &[Value; 2]) -> [u16; 3] {
    let level = "pod-security.kubernetes.io/enforce";
    let (path, kind) = ("/api/v1/namespaces/web", "application/merge-patch+json");
    let before = json!({"metadata": {"labels": {level: "privileged"}}});
    let mut after = json!({"metadata": {"labels": {level: null}}});
    for (label, value) in labels.as_object().expect("labels") {
        after["metadata"]["labels"][label] = value.clone();
    }
    [
        patch(server, path, kind, &before).code,
        post(server, &format!("{path}/pods"), pod).code,
        patch(server, path, kind, &after).code,
    ]
}

/// Changes of the labels of namespaces that have pods.
#[test]
fn namespaces() {
    let mut count = 0;
    let mut wrong = Vec::new();
    let mut fresh = None;
    for Line {
        minor,
        number,
        recorded,
    } in lines("namespaces")
    {
        let server = fork(&mut fresh, minor, &[]);
        for pod in recorded["existing"].as_array().expect("pods") {
            let created = post(&server, "/api/v1/namespaces/web/pods", pod);
            assert_eq!(created.code, 201, "1.{minor} #{number} {:?}", created.body);
        }
        let kind = "application/merge-patch+json";
        let path = "/api/v1/namespaces/web";
        let before = json!({"metadata": {"labels": recorded["labels"]}});
        assert_eq!(
            patch(&server, path, kind, &before).code,
            200,
            "1.{minor} #{number}"
        );
        let after = json!({"metadata": {"labels": recorded["patch"]}});
        let answer = patch(&server, &format!("{path}?dryRun=All"), kind, &after);
        count += 1;
        if !same_verdict(&recorded, &answer) {
            wrong.push(format!("1.{minor} #{number}\n  {recorded}\n  {answer:?}"));
        }
    }
    report(count, &wrong);
}

/// A line of a recording.
pub(crate) struct Line {
    pub(crate) minor: u8,
    /// Its place in the file, from 0.
    pub(crate) number: usize,
    pub(crate) recorded: Value,
}

/// The lines of `NAME.ndjson.gz` of every minor that has one.
pub(crate) fn lines(name: &str) -> Vec<Line> {
    let folder = std::env::var_os("PODGATE_TRUTH").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/truth")),
        PathBuf::from,
    );
    if !folder.is_dir() {
        eprintln!("LEFT OUT: no recorded answers; PODGATE_TRUTH names their folder");
        return Vec::new();
    }
    let mut found = Vec::new();
    for minor in Minor::all() {
        let Ok(file) = File::open(folder.join(format!("{minor}/{name}.ndjson.gz"))) else {
            continue;
        };
        let lines = BufReader::new(GzDecoder::new(file)).lines();
        found.extend(lines.enumerate().map(|(number, line)| Line {
            minor: minor.number(),
            number,
            recorded: serde_json::from_str(&line.expect("gzipped UTF-8")).expect("JSON"),
        }));
    }
    assert!(!found.is_empty(), "{} has no {name}", folder.display());
    found
}

#[track_caller]
pub(crate) fn report(count: usize, wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// A server of that minor with the namespace `web` and that configuration of `PodSecurity`; `fresh`
/// keeps one that nothing has happened to.
fn fork(fresh: &mut Option<(u8, ApiServer)>, minor: u8, configs: &[Line]) -> ApiServer {
    if fresh.as_ref().is_none_or(|(of, _)| *of != minor) {
        let mut server = Server::new(Minor::known(minor));
        let config = configs.iter().find(|line| line.minor == minor);
        for plugin in config
            .and_then(|line| line.recorded["config"]["plugins"].as_array())
            .into_iter()
            .flatten()
        {
            let name = plugin["name"].as_str().expect("a name");
            let text = plugin["configuration"].to_string();
            let configuration = decode_untyped(text.as_bytes()).expect("JSON");
            server
                .configure_plugin(name, &configuration)
                .expect("a configuration");
        }
        let server = ApiServer::new(server, Seeded::new(1, Clock::default()));
        post(
            &server,
            "/api/v1/namespaces",
            &json!({"metadata": {"name": "web"}}),
        );
        *fresh = Some((minor, server));
    }
    fresh.as_ref().expect("set just above").1.fork()
}

/// Whether code, message and warnings are as recorded. Some recorded namespaces are called `au1`.
fn same_verdict(recorded: &Value, answer: &Answer) -> bool {
    let in_web = |text: &str| {
        let words = text.split(' ').map(|word| {
            let number = word
                .strip_prefix("\"au")
                .and_then(|rest| rest.strip_suffix('"'));
            let named = number.is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
            if named { "\"web\"" } else { word }
        });
        words.collect::<Vec<_>>().join(" ")
    };
    let message = answer.body["message"]
        .as_str()
        .filter(|_| answer.code >= 400);
    let warnings = recorded["warnings"].as_array().expect("warnings").iter();
    let warnings = warnings.map(|warning| {
        let text = in_web(warning.as_str().expect("a text"));
        format!(
            "299 - \"{}\"",
            text.replace('\\', r"\\").replace('"', "\\\"")
        )
    });
    recorded["code"] == answer.code
        && recorded["message"].as_str().map(in_web).as_deref() == message
        && warnings.eq(answer.warnings())
}

fn post(server: &ApiServer, path: &str, body: &Value) -> Answer {
    send(server, &Method::POST, path, &[], &body.to_string())
}

fn patch(server: &ApiServer, path: &str, kind: &str, body: &Value) -> Answer {
    send(
        server,
        &Method::PATCH,
        path,
        &[("content-type", kind)],
        &body.to_string(),
    )
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
    let (mut expected, mut found) = (events(exchange["answer"].clone()), events(answer.body));
    redact(&mut expected);
    redact(&mut found);
    same("body", expected, found);
    differences
}

/// Takes out of a recorded document what has no counterpart in the one that was found.
fn restrict(expected: &mut Value, found: &Value) {
    /// What tells an item of a list apart: its name, or a path itself.
    fn id(item: &Value) -> Option<&str> {
        let keys = ["name", "resource", "subresource", "version"];
        let named = keys.iter().find_map(|key| item[key].as_str());
        named
            .or_else(|| item["metadata"]["name"].as_str())
            .or_else(|| item.as_str().filter(|text| text.starts_with('/')))
    }
    match (expected, found) {
        (Value::Array(items), Value::Array(found)) => {
            let counterpart = |item: &Value| found.iter().find(|other| id(item) == id(other));
            items.retain(|item| id(item).is_none() || counterpart(item).is_some());
            for item in items {
                if let Some(found) = counterpart(item) {
                    restrict(item, found);
                }
            }
        }
        (Value::Object(fields), found) => {
            // A real server has subresources where this one has none, and prefers a version of
            // `policy` in which this one serves nothing.
            let versions = found["versions"].as_array().cloned().unwrap_or_default();
            fields.retain(|key, _| key != "subresources" || found.get(key).is_some());
            for (key, value) in fields.iter_mut() {
                if key == "preferredVersion" && !versions.contains(value) {
                    value.clone_from(&found[key]);
                }
                // The list of OpenAPI, by group and version.
                if let (true, Some(paths)) = (key == "paths", value.as_object_mut()) {
                    paths.retain(|path, _| found["paths"].get(path).is_some());
                }
                restrict(value, &found[key]);
            }
        }
        _ => {}
    }
}

/// Takes out when fields were set, and what controllers have set: none had worked when the sessions
/// were recorded. Entries are ordered by their time, so they are sorted anew.
fn redact_owners(fields: &mut serde_json::Map<String, Value>) {
    let Some(entries) = fields
        .get_mut("managedFields")
        .and_then(Value::as_array_mut)
    else {
        return;
    };
    entries.retain(|entry| entry["manager"] != "kube-controller-manager");
    for entry in entries.iter_mut() {
        entry["time"] = "<time>".into();
    }
    entries.sort_by_key(ToString::to_string);
    if entries.is_empty() {
        fields.remove("managedFields");
    }
}

/// Takes out what no two servers have in common, what this one does not keep, and what the recorded
/// servers have from their distribution.
fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            redact_owners(fields);
            // No controller had worked on the recorded deployment.
            if let Some(annotations) = fields.get_mut("annotations").and_then(Value::as_object_mut)
            {
                annotations.remove("deployment.kubernetes.io/revision");
                if annotations.is_empty() {
                    fields.remove("annotations");
                }
            }
            // The descriptions of columns are upstream's sentences, and are left empty here.
            if fields.contains_key("priority") {
                fields.remove("description");
            }
            if let Some(cells) = fields.get_mut("cells").and_then(Value::as_array_mut) {
                cells.iter_mut().for_each(redact_age);
            }
            for key in [
                "serverAddress",
                "uid",
                "resourceVersion",
                "creationTimestamp",
                "deletionTimestamp",
                "continue",
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

/// A recorded object is some seconds old, one of a test is not, and both are created at some time.
fn redact_age(cell: &mut Value) {
    if let Some(text) = cell.as_str() {
        let seconds = text
            .strip_suffix('s')
            .is_some_and(|n| n.parse::<u32>().is_ok());
        if seconds || text.len() == 20 && text.ends_with('Z') {
            *cell = "<age>".into();
        }
    }
}

/// Takes suffixes, uids and hashes of documents out of a text, and Go's print of what differs between two specs, which
/// stands on lines of its own.
fn redact_text(text: &str) -> String {
    let mut redacted = text.lines().next().unwrap_or_default().to_owned();
    if let Some((path, _)) = redacted.split_once("?hash=") {
        return path.to_owned();
    }
    if let Some(at) = redacted.find(", current: ") {
        redacted.truncate(at);
    }
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

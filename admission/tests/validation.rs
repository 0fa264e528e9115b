//! Validation against upstream's own: objects made at random, and what the registry's strategies of
//! that minor said to them (`upstream/validation`, run once; a few hundred of the shortest objects
//! are kept, one for each text).

#[path = "truth/message.rs"]
mod message;
#[path = "truth/world.rs"]
mod world;

use std::io::{BufRead as _, BufReader};

use flate2::read::GzDecoder;
use podgate_admission::chain::{Server, admit};
use podgate_admission::encode::encode_untyped;
use podgate_admission::request::{Body, FieldValidation, Operation, Request, User};
use podgate_admission::resource;
use podgate_admission::value::Value;
use podgate_policy::Minor;
use rstest::rstest;
use serde_json::{Value as Json, json};

use world::{Names, Objects, tree};

const NAMESPACE: &str = "n";

/// What becomes of `body`: the stored object, or the message of the refusal.
fn send(
    minor: Minor,
    body: &Json,
    subresource: Option<&str>,
    old: Option<&Value<'static>>,
) -> Result<Value<'static>, String> {
    let text = |key: &str| body[key].as_str().unwrap_or_default();
    let mut objects = Objects::default();
    objects.namespace(NAMESPACE, &json!({}));
    if let Some(name) = body["spec"]["serviceAccountName"].as_str() {
        let account = json!({"metadata": {"name": name, "namespace": NAMESPACE}});
        objects.keep("serviceaccounts", NAMESPACE, tree(&account));
    }
    let user = User {
        name: "admin".to_owned(),
        groups: vec!["system:masters".to_owned()],
    };
    let bytes = body.to_string();
    let request = Request {
        operation: if old.is_some() {
            Operation::Update
        } else {
            Operation::Create
        },
        resource: resource::by_kind(text("apiVersion"), text("kind"), minor)
            .expect("every minor serves it"),
        subresource,
        namespace: NAMESPACE,
        name: old.map_or("", |old| old.text_at(&["metadata", "name"])),
        user: &user,
        dry_run: true,
        field_validation: FieldValidation::Ignore,
        body: Body::Json(bytes.as_bytes()),
        old,
    };
    let response = admit(
        &Server::new(minor),
        &objects,
        &mut Names::default(),
        request,
    );
    response
        .outcome
        .map(Value::into_owned)
        .map_err(|status| status.message)
}

/// The new object as a client would send it that had read the old one: with what is not its own.
fn update_of(old: &Value<'static>, new: &Json) -> Json {
    let mut new = new.clone();
    let mut keep = |path: &[&str]| {
        let mut place = &mut new;
        for key in path {
            place = &mut place[*key];
        }
        if let (true, Some(value)) = (place.is_null(), old.at(path)) {
            *place = serde_json::from_str(&encode_untyped(value)).expect("podgate writes JSON");
        }
    };
    for key in ["uid", "creationTimestamp", "namespace"] {
        keep(&["metadata", key]);
    }
    if old.text_at(&["kind"]) == "Pod" {
        for key in [
            "preemptionPolicy",
            "priority",
            "serviceAccount",
            "serviceAccountName",
            "tolerations",
        ] {
            keep(&["spec", key]);
        }
    }
    new
}

#[rstest]
#[case(22, include_bytes!("upstream/1.22.ndjson.gz"))]
#[case(25, include_bytes!("upstream/1.25.ndjson.gz"))]
#[case(30, include_bytes!("upstream/1.30.ndjson.gz"))]
#[case(36, include_bytes!("upstream/1.36.ndjson.gz"))]
#[case(37, include_bytes!("upstream/1.37.ndjson.gz"))]
fn upstream_says_the_same(#[case] minor: u8, #[case] file: &[u8]) {
    let minor = Minor::all()
        .find(|known| known.number() == minor)
        .expect("a minor");
    let mut disagreed = 0;
    let mut lines = 0;
    for line in BufReader::new(GzDecoder::new(file)).lines() {
        let line: Json = serde_json::from_str(&line.expect("a line")).expect("each line is JSON");
        let mut told = send(minor, &line["object"], None, None);
        if let (Ok(old), Some(new)) = (&told, line.get("new")) {
            told = send(minor, &update_of(old, new), line["sub"].as_str(), Some(old));
        }
        let told: Json = told.err().into();
        lines += 1;
        if !message::agree(&line["message"], &told) {
            disagreed += 1;
            eprintln!("{line}\n  podgate {told}");
        }
    }
    assert_eq!(disagreed, 0, "of {lines} for {minor}");
    assert!(lines > 500, "{lines} for {minor}");
}

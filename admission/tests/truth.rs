//! The chain against what real servers answered: every recorded request of every minor, compared in
//! code, message, warnings and, where it was recorded, the stored object.
//!
//! The recordings lie in the folder that `PODGATE_TRUTH` names, else beside the checkout; without
//! them nothing is compared, and the tests say so.

#[path = "truth/recorded.rs"]
mod recorded;
#[path = "truth/world.rs"]
mod world;

use podgate_admission::chain::{Server, admit};
use podgate_admission::encode::encode;
use podgate_admission::request::{Body, FieldValidation, Operation, Request, Response, User};
use podgate_admission::resource::{self, Resource};
use podgate_policy::Minor;
use serde_json::Value as Json;

use recorded::{Tally, normalise};
use world::{Names, Objects};

const NAMESPACE: &str = "truth";

fn admin() -> User {
    User {
        name: "admin".to_owned(),
        groups: vec![
            "system:masters".to_owned(),
            "system:authenticated".to_owned(),
        ],
    }
}

/// A namespace with these labels and its service account.
fn world(labels: &Json) -> Objects {
    let mut objects = Objects::default();
    objects.namespace(NAMESPACE, labels);
    objects
}

fn resource_of(object: &Json, minor: Minor) -> &'static Resource {
    let text = |key: &str| object[key].as_str().unwrap_or_default();
    resource::by_kind(text("apiVersion"), text("kind"), minor)
        .unwrap_or_else(|| panic!("{minor} serves no {}", text("kind")))
}

/// A create request for that document.
fn create<'a>(body: &'a [u8], resource: &'static Resource, user: &'a User) -> Request<'a> {
    Request {
        operation: Operation::Create,
        resource,
        subresource: None,
        namespace: NAMESPACE,
        name: "",
        user,
        dry_run: true,
        field_validation: FieldValidation::Warn,
        body: Body::Json(body),
        old: None,
    }
}

/// Code, message and warnings of a response in the form of the recordings.
fn told(response: &Response<'_>, created: u16) -> Json {
    let (code, message) = match &response.outcome {
        Ok(_) => (created, Json::Null),
        Err(status) => (status.code, status.message.clone().into()),
    };
    serde_json::json!({"code": code, "message": message, "warnings": response.warnings})
}

/// What a line says was told.
fn recorded_answer(line: &Json) -> Json {
    serde_json::json!({
        "code": line["code"],
        "message": line["message"],
        "warnings": line["warnings"].as_array().cloned().unwrap_or_default(),
    })
}

/// The stored object as a client reads it.
fn stored(response: &Response<'_>, resource: &Resource, minor: Minor) -> Option<Json> {
    let object = response.outcome.as_ref().ok()?;
    let json = encode(object, resource.schema, minor);
    Some(serde_json::from_str(&json).expect("the chain writes JSON"))
}

/// Each line is one create request.
fn creates(file: &str) {
    let mut tally = Tally::new(file);
    for recorded in recorded::lines(file) {
        let (minor, line) = (recorded.minor, &recorded.json);
        let server = Server::new(minor);
        let objects = world(&line["namespace"]);
        let body = recorded.sent("request");
        let resource = resource_of(&line["request"], minor);
        if line["code"] == 422 {
            tally.left_out(minor);
            continue;
        }
        let user = admin();
        let request = create(body.as_bytes(), resource, &user);
        let response = admit(&server, &objects, &mut Names::default(), request);
        let mut expected = recorded_answer(line);
        let mut actual = told(&response, 201);
        if line.get("spec").is_some() {
            let object = stored(&response, resource, minor).unwrap_or_default();
            for key in ["annotations", "spec"] {
                expected[key] = line.get(key).cloned().unwrap_or_default();
            }
            actual["annotations"] = object["metadata"]["annotations"].clone();
            actual["spec"] = object["spec"].clone();
            normalise(&mut expected["spec"]);
            normalise(&mut actual["spec"]);
        }
        tally.compare(minor, &line["request"], &expected, &actual);
    }
    tally.finish();
}

#[test]
fn pods() {
    creates("pods");
}

#[test]
fn workloads() {
    creates("workloads");
}

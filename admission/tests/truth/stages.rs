//! The pods that a real controller manager created, or could not create, for a workload.

use podgate_admission::chain::{Server, admit};
use podgate_admission::controller::pod_of;
use podgate_admission::encode::encode_untyped;
use podgate_admission::resource;
use serde_json::{Value as Json, json};

use crate::recorded::{self, Tally};
use crate::requests::{admin, answered, create_in, resource_of, told};
use crate::world::{Names, Objects};

/// What became of the workload's pods: the message without the pod's name, or none where pods were
/// created; nothing where the controller made none, rejected or not.
fn recorded_pods(after: &Json) -> Option<Json> {
    let events = after["events"].as_array().into_iter().flatten();
    let mut messages = events
        .filter(|event| event["type"] == "Warning" && event["reason"] == "FailedCreate")
        .filter_map(|event| event["message"].as_str());
    let denied = messages.find_map(|message| message.split_once("pods \""));
    if let Some((_, message)) = denied {
        return Some(without_name(message));
    }
    let created = after["pods"]
        .as_array()
        .is_some_and(|pods| !pods.is_empty());
    created.then_some(Json::Null)
}

/// The message behind the pod's name, which is made up.
fn without_name(message: &str) -> Json {
    let (_, rest) = message.split_once('"').expect("the name ends somewhere");
    rest.into()
}

#[test]
fn stages() {
    let mut tally = Tally::new("stages");
    for (nth, recorded) in recorded::lines("stages").into_iter().enumerate() {
        // The recorded namespaces are numbered, which messages show.
        let name = &format!("s{}", nth + 1);
        let (minor, line) = (recorded.minor, &recorded.json);
        let (server, user) = (Server::new(minor), admin());
        let mut objects = Objects::default();
        objects.namespace(name, &line["namespace"]);
        let body = recorded.sent("request");
        let resource = resource_of(&line["request"], minor);
        let request = create_in(name, body.as_bytes(), resource, &user);
        let response = admit(&server, &objects, &mut Names::default(), request);
        let mut expected = told(line);
        let mut actual = answered(&response, 201);
        if let Some(pods) = recorded_pods(&line["after"]) {
            expected["pods"] = pods;
            let stored = response.outcome.as_ref().expect("the workload was created");
            let planned = pod_of(resource, stored, minor).expect("its controller makes pods");
            let pod = encode_untyped(&planned.pod);
            let pods = resource::by_path("", "v1", "pods", minor).expect("pods are served");
            let request = create_in(name, pod.as_bytes(), pods, &planned.user);
            let response = admit(&server, &objects, &mut Names::default(), request);
            actual["pods"] = match &response.outcome {
                Ok(_) => Json::Null,
                Err(status) => {
                    let message = status.message.strip_prefix("pods \"");
                    message.map_or(json!(status.message), without_name)
                }
            };
        }
        tally.compare(minor, &line["request"], &expected, &actual);
    }
    tally.finish();
}

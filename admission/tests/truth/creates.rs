//! Pods and workloads that were created, each on a server with default configuration.

use podgate_admission::chain::{Server, admit};

use crate::recorded::{self, Tally, normalise};
use crate::requests::{admin, answered, create, resource_of, stored, told, world};
use crate::world::Names;

/// Compares a file whose lines are one create request each.
fn creates(file: &str) {
    let mut tally = Tally::new(file);
    for recorded in recorded::lines(file) {
        let (minor, line) = (recorded.minor, &recorded.json);
        let server = Server::new(minor);
        let objects = world(&line["namespace"]);
        let body = recorded.sent("request");
        let resource = resource_of(&line["request"], minor);
        let user = admin();
        let request = create(body.as_bytes(), resource, &user);
        let response = admit(&server, &objects, &mut Names::default(), request);
        let mut expected = told(line);
        let mut actual = answered(&response, 201);
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

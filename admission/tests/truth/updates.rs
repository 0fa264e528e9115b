//! Pods that were changed in a namespace that got its labels after them.

use podgate_admission::chain::{Server, admit};
use podgate_admission::decode::decode;
use podgate_admission::request::{Body, FieldValidation, Operation, Request};
use serde_json::{Value as Json, json};

use crate::recorded::{self, Tally};
use crate::requests::{admin, answered, audited, configured, create_in, resource_of, stored, told};
use crate::world::{Names, Objects};

const NAME: &str = "truth";

/// A patch as far as the recordings go: objects are merged, and lists of named things by name.
fn merge(target: &mut Json, patch: &Json) {
    match (target, patch) {
        (Json::Object(target), Json::Object(patch)) => {
            for (key, value) in patch {
                merge(target.entry(key.clone()).or_insert(Json::Null), value);
            }
        }
        (Json::Array(target), Json::Array(patch)) => {
            for item in patch {
                match target.iter_mut().find(|held| held["name"] == item["name"]) {
                    Some(held) => merge(held, item),
                    None => target.push(item.clone()),
                }
            }
        }
        (target, patch) => *target = patch.clone(),
    }
}

#[test]
fn updates() {
    let mut tally = Tally::new("updates");
    // They were recorded on the servers of `config`, whose defaults show in the audit annotations.
    let servers: Vec<_> = recorded::lines("config")
        .iter()
        .filter(|line| !line.json["config"].is_null())
        .map(|line| configured(line.minor, &line.json["config"]))
        .collect();
    for recorded in recorded::lines("updates") {
        let (minor, line) = (recorded.minor, &recorded.json);
        let server = servers.iter().find(|server| server.minor() == minor);
        let (server, user) = (server.expect("there is a config"), admin());
        let mut objects = Objects::default();
        objects.namespace(NAME, &json!({}));
        let body = recorded.sent("existing");
        let resource = resource_of(&line["existing"], minor);
        let request = create_in(NAME, body.as_bytes(), resource, &user);
        let before = Server::new(minor);
        let response = admit(&before, &objects, &mut Names::default(), request);
        let mut new = stored(&response, resource, minor).expect("the pod existed");
        let old = response.outcome.expect("the pod existed").into_owned();
        merge(&mut new, &line["patch"]);
        let patched = new.to_string();
        let patched = decode(patched.as_bytes(), resource.schema, minor).expect("it is a pod");
        objects.namespace(NAME, &line["labels"]);
        let request = Request {
            operation: Operation::Update,
            resource,
            subresource: line["subresource"].as_str(),
            namespace: NAME,
            name: old.text_at(&["metadata", "name"]),
            user: &user,
            dry_run: true,
            field_validation: FieldValidation::default(),
            body: Body::Decoded(patched.object),
            old: Some(&old),
        };
        let response = admit(server, &objects, &mut Names::default(), request);
        let (mut expected, mut actual) = (told(line), answered(&response, 200));
        expected["audit"] = line["audit"].clone();
        actual["audit"] = audited(&response);
        tally.compare(minor, line, &expected, &actual);
    }
    tally.finish();
}

//! Labels of namespaces: changed over existing pods, and under configured defaults and exemptions.

use podgate_admission::chain::{Server, admit};
use podgate_admission::request::{Body, FieldValidation, Operation, Request, User, World as _};
use podgate_admission::value::Value;
use serde_json::{Value as Json, json};

use crate::recorded::{self, Tally};
use crate::requests::{admin, answered, audited, configured, create_in, resource_of, told};
use crate::world::{Names, Objects, tree};

/// The namespace with `patch` merged in, as the handler of patches leaves it.
fn relabelled(old: &Value<'static>, patch: &Json) -> Value<'static> {
    let mut new = old.clone();
    let labels = patch.as_object().into_iter().flatten();
    if let Some(root) = new.as_object_mut() {
        let held = root.object_mut("metadata").object_mut("labels");
        for (key, value) in labels {
            match value.as_str() {
                Some(value) => held.insert(key.clone(), value.to_owned()),
                None => drop(held.remove(key)),
            }
        }
    }
    new
}

fn change_labels(
    server: &Server,
    objects: &Objects,
    name: &str,
    patch: &Json,
    user: &User,
) -> (Json, Json) {
    let old = objects.get("namespaces", "", name);
    let old = Value::clone(&old.expect("the namespace is there"));
    let resource = resource_of(
        &json!({"apiVersion": "v1", "kind": "Namespace"}),
        server.minor(),
    );
    let request = Request {
        operation: Operation::Update,
        resource,
        subresource: None,
        namespace: name,
        name,
        user,
        dry_run: true,
        field_validation: FieldValidation::default(),
        body: Body::Decoded(relabelled(&old, patch)),
        old: Some(&old),
    };
    let response = admit(server, objects, &mut Names::default(), request);
    (answered(&response, 200), audited(&response))
}

#[test]
fn namespaces() {
    const NAME: &str = "truth";
    let mut tally = Tally::new("namespaces");
    for recorded in recorded::lines("namespaces") {
        let (minor, line) = (recorded.minor, &recorded.json);
        let server = Server::new(minor);
        let user = admin();
        let mut objects = Objects::default();
        objects.namespace(NAME, &json!({}));
        for (nth, pod) in line["existing"]
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
        {
            let body = recorded.sent_at(&["existing"], nth);
            let request = create_in(NAME, body.as_bytes(), resource_of(pod, minor), &user);
            let response = admit(&server, &objects, &mut Names::default(), request);
            let stored = response.outcome.expect("the pod existed").into_owned();
            objects.keep("pods", NAME, stored);
        }
        // The patch says all labels that there are afterwards.
        let mut patch = line["patch"].clone();
        for key in line["labels"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key)
        {
            if patch.get(key).is_none() {
                patch[key] = Json::Null;
            }
        }
        objects.namespace(NAME, &line["labels"]);
        let (mut actual, _) = change_labels(&server, &objects, NAME, &patch, &user);
        name_namespace(&mut actual, NAME, line);
        tally.compare(minor, line, &told(line), &actual);
    }
    tally.finish();
}

/// The recordings do not say what the namespace was called: its name is read off their texts.
fn name_namespace(actual: &mut Json, name: &str, line: &Json) {
    let quoted = |text: &str, prefix: &str| -> Option<String> {
        let rest = text.strip_prefix(prefix)?;
        Some(rest.split('"').next()?.to_owned())
    };
    let texts = line["warnings"]
        .as_array()
        .into_iter()
        .flatten()
        .chain([&line["message"]]);
    let real = texts.filter_map(Json::as_str).find_map(|text| {
        quoted(text, "existing pods in namespace \"").or_else(|| quoted(text, "Namespace \""))
    });
    if let Some(real) = real {
        let text = actual
            .to_string()
            .replace(&format!("\\\"{name}\\\""), &format!("\\\"{real}\\\""));
        *actual = serde_json::from_str(&text).expect("a name was replaced by a name");
    }
}

#[test]
fn config() {
    let mut tally = Tally::new("config");
    let mut of: Option<(Server, Json)> = None;
    for recorded in recorded::lines("config") {
        let (minor, line) = (recorded.minor, &recorded.json);
        if !line["config"].is_null() {
            of = Some((configured(minor, &line["config"]), line["objects"].clone()));
            continue;
        }
        let Some((server, shared)) = &of else {
            panic!("the first line of {minor} is the configuration")
        };
        let name = line["namespace"].as_str().unwrap_or_default();
        let mut objects = Objects::default();
        objects.namespace(name, &line["labels"]);
        for object in shared.as_array().into_iter().flatten() {
            objects.keep(resource_of(object, minor).name, "", tree(object));
        }
        let mut user = admin();
        if let Some(named) = line["as"].as_str() {
            named.clone_into(&mut user.name);
        }
        let (mut actual, audit) = if line["patch"].is_null() {
            let body = recorded.sent("request");
            let resource = resource_of(&line["request"], minor);
            let request = create_in(name, body.as_bytes(), resource, &user);
            let response = admit(server, &objects, &mut Names::default(), request);
            (answered(&response, 201), audited(&response))
        } else {
            let patch = &line["patch"]["metadata"]["labels"];
            change_labels(server, &objects, name, patch, &user)
        };
        let mut expected = told(line);
        expected["audit"] = line["audit"].clone();
        actual["audit"] = audit;
        tally.compare(minor, line, &expected, &actual);
    }
    tally.finish();
}

//! Pods of clusters with pod security policies, for an admin and for others with rights of their own.

use podgate_admission::chain::{Server, admit, admit_explained};
use podgate_admission::plugins::pod_security_policy::explanation::{Explanation, Verdict};
use podgate_admission::rbac;
use podgate_admission::request::User;
use podgate_policy::Minor;
use serde_json::{Value as Json, json};

use crate::recorded::{self, Line, Tally, normalise};
use crate::requests::{admin, answered, create_in, resource_of, stored, told, world};
use crate::world::{Names, Objects, tree};

/// The lines of a file that both recorded minors must have.
fn lines(name: &str) -> Vec<Line> {
    let lines = recorded::lines(name);
    for minor in [21, 23].map(Minor::known) {
        let has = lines.iter().any(|line| line.minor == minor);
        assert!(has || lines.is_empty(), "{minor} has no {name}");
    }
    lines
}

fn server(minor: Minor) -> Server {
    let mut server = Server::new(minor);
    server
        .enable_admission_plugins(["PodSecurityPolicy"])
        .expect("the plugin exists");
    server
}

/// Creates the objects as the server does, with defaults and drops.
fn create_all(server: &Server, objects: &mut Objects, documents: &Json) {
    let user = admin();
    for document in documents.as_array().into_iter().flatten() {
        let resource = resource_of(document, server.minor());
        let namespace = document["metadata"]["namespace"].as_str();
        let namespace = namespace.unwrap_or_default();
        let body = document.to_string();
        let request = create_in(namespace, body.as_bytes(), resource, &user);
        let response = admit(server, objects, &mut Names::default(), request);
        let created = response.outcome.expect("the server took it").into_owned();
        objects.keep(resource.name, namespace, created);
    }
}

/// The recorded message with the errors of its policies in podgate's order: upstream's is random.
/// A message that is no permutation of podgate's stays as it is.
fn in_order(recorded: &Json, actual: &Json, explanation: Option<&Explanation>) -> Json {
    let (Some(text), Some(explanation)) = (recorded.as_str(), explanation) else {
        return recorded.clone();
    };
    let refusals = explanation.tried.iter().filter_map(|tried| {
        let Verdict::Refuses(errors) = &tried.verdict else {
            return None;
        };
        let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
        (!tried.usable_by.is_empty()).then(|| texts.join(" "))
    });
    let refusals: Vec<_> = refusals.collect();
    let Some((start, list)) = text.split_once("pod: [") else {
        return recorded.clone();
    };
    let known = permutations(&refusals)
        .into_iter()
        .any(|permutation| list.strip_suffix(']') == Some(&permutation.join(" ")));
    let same_start = actual
        .as_str()
        .is_some_and(|actual| actual.starts_with(start));
    if known && same_start {
        actual.clone()
    } else {
        recorded.clone()
    }
}

fn permutations(items: &[String]) -> Vec<Vec<&str>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let mut others = items.to_vec();
        others.remove(at);
        for rest in permutations(&others) {
            let rest = rest.iter().map(|text| {
                let found = items.iter().find(|item| item == text);
                found.expect("it is one of them").as_str()
            });
            all.push([item.as_str()].into_iter().chain(rest).collect());
        }
    }
    all
}

#[test]
fn pods_with_policies() {
    let mut tally = Tally::new("psp");
    for recorded in lines("psp") {
        let (minor, line) = (recorded.minor, &recorded.json);
        let server = server(minor);
        let mut objects = world(&json!({}));
        create_all(&server, &mut objects, &line["psps"]);
        let user = admin();
        let answers = line["truth"].as_array().into_iter().flatten();
        for (index, answer) in answers.enumerate() {
            let body = recorded.sent_at(&["pods"], index);
            let pod = &line["pods"][index];
            let resource = resource_of(pod, minor);
            let request = create_in("truth", body.as_bytes(), resource, &user);
            let names = &mut Names::default();
            let (response, explanation) = admit_explained(&server, &objects, names, request);
            let mut actual = answered(&response, 201);
            let mut expected = told(answer);
            expected["message"] = in_order(
                &expected["message"],
                &actual["message"],
                explanation.as_ref(),
            );
            let object = stored(&response, resource, minor).unwrap_or_default();
            for (key, value) in [
                ("annotations", &object["metadata"]["annotations"]),
                ("spec", &object["spec"]),
            ] {
                expected[key] = answer.get(key).cloned().unwrap_or_default();
                actual[key] = value.clone();
                normalise(&mut expected[key]);
                normalise(&mut actual[key]);
            }
            tally.compare(minor, pod, &expected, &actual);
        }
    }
    tally.finish();
}

#[test]
fn pods_of_users_with_rights() {
    let mut tally = Tally::new("psp-rbac");
    for recorded in lines("psp-rbac") {
        let (minor, line) = (recorded.minor, &recorded.json);
        let server = server(minor);
        let namespace = line["namespace"].as_str().expect("a namespace");
        let mut objects = Objects::default();
        objects.namespace("other", &json!({}));
        objects.namespace(namespace, &json!({}));
        let account = json!({"metadata": {"name": "builder", "namespace": namespace}});
        objects.keep("serviceaccounts", namespace, tree(&account));
        create_all(&server, &mut objects, &line["objects"]);
        for (index, asked) in line["requests"]
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
        {
            let groups = asked["groups"].as_array().into_iter().flatten();
            let user = User {
                name: asked["as"].as_str().expect("a user").to_owned(),
                groups: groups
                    .filter_map(|group| group.as_str().map(str::to_owned))
                    .collect(),
            };
            let create = rbac::Attributes {
                verb: "create",
                resource: "pods",
                namespace,
                ..rbac::Attributes::default()
            };
            assert!(rbac::authorize(&objects, &user, &create).allowed, "{asked}");
            let body = asked["pod"].to_string();
            let resource = resource_of(&asked["pod"], minor);
            let request = create_in(namespace, body.as_bytes(), resource, &user);
            let names = &mut Names::default();
            let (response, explanation) = admit_explained(&server, &objects, names, request);
            let mut actual = answered(&response, 201);
            let object = stored(&response, resource, minor).unwrap_or_default();
            actual["psp"] = object["metadata"]["annotations"]["kubernetes.io/psp"].clone();
            let mut expected = told(asked);
            expected["message"] = in_order(
                &expected["message"],
                &actual["message"],
                explanation.as_ref(),
            );
            expected["psp"] = asked["psp"].clone();
            expected["warnings"] = actual["warnings"].clone();
            tally.compare(
                minor,
                &json!([line["objects"], index, asked]),
                &expected,
                &actual,
            );
        }
    }
    tally.finish();
}

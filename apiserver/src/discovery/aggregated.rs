//! All groups with all their resources in one document, for clients that ask for it.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/discovery/aggregated`, and
//! `ConvertGroupVersionIntoToDiscovery` in `pkg/endpoints/installer.go`.

use http::HeaderMap;
use podgate_admission::encode::{encode, encode_untyped};
use podgate_admission::schema::{Struct, Type, roots};
use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;

use super::{Entry, GROUPS, entries, texts, versions};
use crate::answer::Answer;
use crate::negotiation::clauses;

/// The first minor that serves it without a feature gate, as `v2beta1`.
const FIRST: u8 = 27;
/// The first minor with `v2`.
const FIRST_WITH_V2: u8 = 30;
/// The last minor with `v2beta1`: `AggregatedDiscoveryRemoveBetaType` is on from 1.33.
const LAST_WITH_BETA: u8 = 32;

/// The version of the document that a client asks for and a server of `minor` has; nothing where it
/// gets the groups alone.
pub(super) fn negotiated(headers: &HeaderMap, minor: Minor) -> Option<&'static str> {
    let number = minor.number();
    clauses(headers).iter().find_map(|clause| {
        let is_list = clause.is_json()
            && clause.parameter("as") == Some("APIGroupDiscoveryList")
            && clause.parameter("g") == Some("apidiscovery.k8s.io");
        match clause.parameter("v") {
            Some("v2") if is_list && number >= FIRST_WITH_V2 => Some("v2"),
            Some("v2beta1") if is_list && (FIRST..=LAST_WITH_BETA).contains(&number) => {
                Some("v2beta1")
            }
            _ => None,
        }
    })
}

/// The document of `/api` (`core`) or of `/apis`.
pub(super) fn answer(core: bool, version: &str, minor: Minor, headers: &HeaderMap) -> Answer {
    let names: &[&str] = if core { &[""] } else { &GROUPS };
    let items: Vec<String> = names
        .iter()
        .filter_map(|name| {
            let versions = versions(name, minor);
            let versions = versions
                .iter()
                .map(|version| of_version(name, version, minor));
            let versions = versions.collect::<Vec<_>>();
            let metadata = metadata(name, minor);
            let versions = encode_untyped(&Value::from(versions));
            (versions != "[]")
                .then(|| format!("{{\"metadata\":{metadata},\"versions\":{versions}}}"))
        })
        .collect();
    let document = format!(
        "{{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/{version}\",\
         \"metadata\":{{}},\"items\":[{}]}}",
        items.join(",")
    );
    let content_type =
        format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
    Answer::json(200, document)
        .with_type(&content_type)
        .with_etag(headers)
}

/// The metadata of a group: its name, and what the minor writes of an object that has no more.
fn metadata(name: &str, minor: Minor) -> String {
    let metadata = if name.is_empty() {
        Object::new()
    } else {
        Object::from_iter([("name", name)])
    };
    encode(&Value::from(metadata), object_meta(minor), minor)
}

fn object_meta(minor: Minor) -> &'static Struct {
    match roots::POD.field("metadata", minor).map(|field| &field.ty) {
        Some(Type::Struct(schema)) => schema,
        _ => &roots::POD,
    }
}

fn of_version(group: &str, version: &'static str, minor: Minor) -> Value<'static> {
    let mut resources: Vec<Value<'static>> = Vec::new();
    let entries = entries(group, version, minor);
    for main in entries.iter().filter(|entry| entry.subresource.is_none()) {
        let below = entries
            .iter()
            .filter(|entry| entry.resource.name == main.resource.name)
            .filter_map(|entry| Some((entry.subresource?, entry)))
            .map(|(name, entry)| {
                let mut below = Object::from_iter([("subresource", name)]);
                below.insert("responseKind", response_kind(entry));
                below.insert("verbs", texts(entry.verbs));
                Value::from(below)
            })
            .collect::<Vec<_>>();
        let mut resource = Object::from_iter([("resource", main.resource.name)]);
        resource.insert("responseKind", response_kind(main));
        let scope = if main.resource.namespaced {
            "Namespaced"
        } else {
            "Cluster"
        };
        resource.insert("scope", scope);
        resource.insert("singularResource", main.resource.singular);
        resource.insert("verbs", texts(main.verbs));
        if !main.resource.short.is_empty() {
            resource.insert("shortNames", texts(main.resource.short));
        }
        if main.resource.in_all {
            resource.insert("categories", texts(&["all"]));
        }
        if !below.is_empty() {
            resource.insert("subresources", below);
        }
        resources.push(Value::from(resource));
    }
    let mut served = Object::from_iter([("version", version)]);
    served.insert("resources", resources);
    served.insert("freshness", "Current");
    Value::from(served)
}

fn response_kind(entry: &Entry) -> Value<'static> {
    let (group, version, kind) = entry.kind;
    Value::from(Object::from_iter([
        ("group", group),
        ("version", version),
        ("kind", kind),
    ]))
}

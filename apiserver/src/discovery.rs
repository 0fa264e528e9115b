//! What the server says it serves: `/api`, `/apis`, `/api/v1`, `/apis/GROUP`, `/apis/GROUP/VERSION`.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/discovery`. The order of the groups is that of
//! `apiVersionPriorities` in `k8s.io/kubernetes/pkg/controlplane/apiserver/aggregator.go`. Only what
//! this server does is listed, so no subresource `exec`.

use podgate_admission::resource::{RESOURCES, Resource};
use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;

use crate::registry;

/// The groups in the order in which a server lists them.
const GROUPS: [&str; 17] = [
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "flowcontrol.apiserver.k8s.io",
];

/// The first minor that says the singular name of resources.
const FIRST_WITH_SINGULAR: u8 = 27;

/// The document at `path`, if there is one.
pub(crate) fn document(path: &str, minor: Minor) -> Option<Value<'static>> {
    let mut parts = path.trim_matches('/').split('/');
    match (parts.next()?, parts.next(), parts.next(), parts.next()) {
        ("api", None, ..) => Some(api()),
        ("api", Some(version), None, _) => resources("", version, minor),
        ("apis", None, ..) => Some(groups(minor)),
        ("apis", Some(name), None, _) => {
            let mut found = header("APIGroup");
            for (key, value) in group(name, minor)? {
                found.insert(key, value);
            }
            Some(Value::from(found))
        }
        ("apis", Some(group), Some(version), None) => resources(group, version, minor),
        _ => None,
    }
}

/// Whether a real server has the group, so that it is the API and not the mux that refuses what is
/// not there below it.
pub(crate) fn has_group(name: &str) -> bool {
    GROUPS.contains(&name)
}

fn api() -> Value<'static> {
    let mut found = Object::from_iter([("kind", "APIVersions")]);
    found.insert("versions", vec![Value::from("v1")]);
    Value::from(found)
}

fn groups(minor: Minor) -> Value<'static> {
    let groups = GROUPS
        .iter()
        .filter_map(|name| group(name, minor))
        .map(Value::from);
    let mut list = header("APIGroupList");
    list.insert("groups", groups.collect::<Vec<_>>());
    Value::from(list)
}

/// A group with its versions, the preferred one first; nothing where none is served.
fn group(name: &str, minor: Minor) -> Option<Object<'static>> {
    let mut versions: Vec<&'static str> = Vec::new();
    for resource in RESOURCES {
        if resource.group == name
            && resource.exists_in(minor)
            && !versions.contains(&resource.version)
        {
            versions.push(resource.version);
        }
    }
    // `v1` is preferred to `v1beta1`.
    versions.sort_by_key(|version| (version.len(), *version));
    let version = |version: &&'static str| {
        let mut entry = Object::new();
        entry.insert("groupVersion", format!("{name}/{version}"));
        entry.insert("version", *version);
        Value::from(entry)
    };
    let preferred = version(versions.first()?);
    let mut group = Object::new();
    group.insert("name", name.to_owned());
    group.insert("versions", versions.iter().map(version).collect::<Vec<_>>());
    group.insert("preferredVersion", preferred);
    Some(group)
}

fn resources(group: &str, version: &str, minor: Minor) -> Option<Value<'static>> {
    let mut served: Vec<&'static Resource> = RESOURCES
        .iter()
        .filter(|r| r.group == group && r.version == version && r.exists_in(minor))
        .collect();
    served.sort_by_key(|resource| resource.name);
    let group_version = served.first()?.api_version();
    let mut list = if group.is_empty() {
        Object::from_iter([("kind", "APIResourceList")])
    } else {
        header("APIResourceList")
    };
    list.insert("groupVersion", group_version);
    let entries = served.iter().flat_map(|r| entries(r, minor));
    list.insert("resources", entries.collect::<Vec<_>>());
    Some(Value::from(list))
}

/// A resource, and behind it its subresources.
fn entries(resource: &'static Resource, minor: Minor) -> Vec<Value<'static>> {
    let entry = |name: String, singular: &'static str, verbs: &[&'static str]| {
        let mut entry = Object::new();
        entry.insert("name", name);
        entry.insert("singularName", singular);
        entry.insert("namespaced", resource.namespaced);
        entry.insert("kind", resource.kind);
        entry.insert("verbs", texts(verbs));
        entry
    };
    let singular = if minor.number() >= FIRST_WITH_SINGULAR {
        resource.singular
    } else {
        ""
    };
    let mut main = entry(
        resource.name.to_owned(),
        singular,
        registry::verbs(resource),
    );
    if !resource.short.is_empty() {
        main.insert("shortNames", texts(resource.short));
    }
    if resource.in_all {
        main.insert("categories", texts(&["all"]));
    }
    let mut entries = vec![Value::from(main)];
    for subresource in registry::subresources(resource, minor) {
        let verbs: &[&str] = if subresource.get {
            &["get", "patch", "update"]
        } else {
            &["update"]
        };
        let name = format!("{}/{}", resource.name, subresource.name);
        entries.push(Value::from(entry(name, "", verbs)));
    }
    entries
}

fn texts(texts: &[&'static str]) -> Vec<Value<'static>> {
    texts.iter().map(|&text| Value::from(text)).collect()
}

fn header(kind: &'static str) -> Object<'static> {
    Object::from_iter([("kind", kind), ("apiVersion", "v1")])
}

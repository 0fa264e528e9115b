//! What the server says it serves: `/`, `/api`, `/apis`, `/api/v1`, `/apis/GROUP`, `/apis/GROUP/VERSION`.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/discovery`, and `registerResourceHandlers` in
//! `pkg/endpoints/installer.go` for what is said of each resource. The order of the groups is that of
//! `apiVersionPriorities` in `k8s.io/kubernetes/pkg/controlplane/apiserver/aggregator.go`. Only what
//! this server does is listed, so no subresource `exec`.

mod aggregated;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::HOST;
use http::request::Parts;
use podgate_admission::resource::{RESOURCES, Resource};
use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;
use sha2::{Digest as _, Sha256};

use crate::answer::Answer;
use crate::{health, openapi, registry};

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

/// What is served at a place of the API: a resource, or one of its subresources.
struct Entry {
    resource: &'static Resource,
    subresource: Option<&'static str>,
    /// Group, version and kind of what comes back; the first two are empty where they are the
    /// resource's own.
    kind: (&'static str, &'static str, &'static str),
    verbs: &'static [&'static str],
}

/// The document at the path of a request, if there is one.
pub(crate) fn answer(path: &str, parts: &Parts, minor: Minor) -> Option<Answer> {
    let core = path == "/api";
    if (core || path == "/apis")
        && let Some(version) = aggregated::negotiated(&parts.headers, minor)
    {
        return Some(aggregated::answer(core, version, minor, &parts.headers));
    }
    let mut names = path.trim_start_matches('/').split('/');
    let document = match (names.next()?, names.next(), names.next(), names.next()) {
        ("" | "index.html", None, ..) => Some(index(minor)),
        ("api", None, ..) => Some(api(parts)),
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
    };
    document.map(|document| Answer::document(&document))
}

/// Whether a real server has the group, so that it is the API and not the mux that refuses what is
/// not there below it.
pub(crate) fn has_group(name: &str) -> bool {
    GROUPS.contains(&name)
}

/// The groups that have something on a server of `minor`, each with its versions, the preferred one
/// first. The core group has no name.
pub(crate) fn group_versions(
    minor: Minor,
) -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let names = std::iter::once("").chain(GROUPS);
    names
        .map(move |name| (name, versions(name, minor)))
        .filter(|(_, versions)| !versions.is_empty())
}

/// Every path that is not one of an object (`ListedPaths`).
fn index(minor: Minor) -> Value<'static> {
    let mut paths = vec![
        "/api".to_owned(),
        "/apis".to_owned(),
        "/apis/".to_owned(),
        "/version".to_owned(),
    ];
    for (group, versions) in group_versions(minor) {
        let root = if group.is_empty() {
            "/api".to_owned()
        } else {
            format!("/apis/{group}")
        };
        paths.extend(versions.iter().map(|version| format!("{root}/{version}")));
        if !group.is_empty() {
            paths.push(root);
        }
    }
    for endpoint in health::ENDPOINTS {
        paths.push(format!("/{endpoint}"));
        paths.extend(health::CHECKS.map(|check| format!("/{endpoint}/{check}")));
    }
    paths.extend(openapi::paths(minor).map(str::to_owned));
    paths.sort_unstable();
    let paths: Vec<Value<'static>> = paths.into_iter().map(Value::from).collect();
    Value::from(Object::from_iter([("paths", paths)]))
}

/// The core group. A real server says the address that others reach it at; this one says the address
/// that the client has for it.
fn api(parts: &Parts) -> Value<'static> {
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    let address = host.or(authority).unwrap_or("localhost").to_owned();
    let everywhere = Object::from_iter([
        ("clientCIDR", Value::from("0.0.0.0/0")),
        ("serverAddress", Value::from(address)),
    ]);
    let mut found = Object::from_iter([("kind", "APIVersions")]);
    found.insert("versions", vec![Value::from("v1")]);
    found.insert("serverAddressByClientCIDRs", vec![Value::from(everywhere)]);
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
    let versions = versions(name, minor);
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

/// The versions of a group, the preferred one first.
fn versions(group: &str, minor: Minor) -> Vec<&'static str> {
    let mut versions: Vec<&'static str> = Vec::new();
    for resource in RESOURCES {
        if resource.group == group
            && resource.exists_in(minor)
            && !versions.contains(&resource.version)
        {
            versions.push(resource.version);
        }
    }
    // `v1` is preferred to `v1beta1`.
    versions.sort_by_key(|version| (version.len(), *version));
    versions
}

fn resources(group: &str, version: &str, minor: Minor) -> Option<Value<'static>> {
    let entries = entries(group, version, minor);
    let group_version = entries.first()?.resource.api_version();
    let mut list = if group.is_empty() {
        Object::from_iter([("kind", "APIResourceList")])
    } else {
        header("APIResourceList")
    };
    list.insert("groupVersion", group_version);
    let entries = entries.iter().map(|entry| legacy(entry, minor));
    list.insert("resources", entries.collect::<Vec<_>>());
    Some(Value::from(list))
}

/// What a version of a group has, by name: each resource, and behind it its subresources.
fn entries(group: &str, version: &str, minor: Minor) -> Vec<Entry> {
    let mut served: Vec<&'static Resource> = RESOURCES
        .iter()
        .filter(|r| r.group == group && r.version == version && r.exists_in(minor))
        .collect();
    served.sort_by_key(|resource| resource.name);
    let mut entries = Vec::new();
    for resource in served {
        entries.push(Entry {
            resource,
            subresource: None,
            kind: ("", "", resource.kind),
            verbs: registry::verbs(resource, minor),
        });
        entries.extend(
            registry::subresources(resource, minor).map(|subresource| Entry {
                resource,
                subresource: Some(subresource.name),
                kind: registry::subresource_kind(resource, subresource.name, minor),
                verbs: registry::subresource_verbs(subresource),
            }),
        );
    }
    entries
}

/// An entry as an `APIResource`.
fn legacy(entry: &Entry, minor: Minor) -> Value<'static> {
    let resource = entry.resource;
    let with_singular = minor.number() >= FIRST_WITH_SINGULAR && entry.subresource.is_none();
    let name = match entry.subresource {
        Some(subresource) => format!("{}/{subresource}", resource.name),
        None => resource.name.to_owned(),
    };
    let (group, version, kind) = entry.kind;
    let mut found = Object::new();
    found.insert("name", name);
    found.insert(
        "singularName",
        if with_singular { resource.singular } else { "" },
    );
    found.insert("namespaced", resource.namespaced);
    for (key, text) in [("group", group), ("version", version)] {
        if !text.is_empty() {
            found.insert(key, text);
        }
    }
    found.insert("kind", kind);
    found.insert("verbs", texts(entry.verbs));
    if entry.subresource.is_none() {
        if !resource.short.is_empty() {
            found.insert("shortNames", texts(resource.short));
        }
        if resource.in_all {
            found.insert("categories", texts(&["all"]));
        }
        if !registry::is_review(resource) {
            found.insert("storageVersionHash", storage_version_hash(resource, minor));
        }
    }
    Value::from(found)
}

/// `StorageVersionHash`: which version of the kind is stored, so that clients notice when it changes.
fn storage_version_hash(resource: &Resource, minor: Minor) -> String {
    let mut versions = RESOURCES.iter();
    let stored = versions
        .find(|r| r.group == resource.group && r.name == resource.name && r.exists_in(minor))
        .map_or(resource.version, |stored| stored.version);
    let hash = Sha256::digest(format!("{}/{stored}/{}", resource.group, resource.kind));
    STANDARD.encode(&hash[..8])
}

fn texts(texts: &[&'static str]) -> Vec<Value<'static>> {
    texts.iter().map(|&text| Value::from(text)).collect()
}

fn header(kind: &'static str) -> Object<'static> {
    Object::from_iter([("kind", kind), ("apiVersion", "v1")])
}

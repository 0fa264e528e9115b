//! The operations of `OpenAPI`: what can be done at each path of the API.
//!
//! Upstream: `registerResourceHandlers` in `k8s.io/apiserver/pkg/endpoints/installer.go`.

use std::collections::BTreeMap;

use podgate_admission::resource::Resource;
use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;

use super::Version;
use super::definitions::{kind_at, typed};
use crate::registry;

/// The first minor in which `fieldValidation` is a parameter: before, an alpha gate hides it
/// (`disabledParams` in `k8s.io/apiserver/pkg/endpoints/installer.go`), and kubectl validates by itself.
const FIRST_WITH_FIELD_VALIDATION: u8 = 25;

/// The names of the definitions that operations speak of.
pub(super) struct Names<'n> {
    /// References to the kind and to its list.
    pub(super) own: &'n Value<'static>,
    pub(super) list: &'n Value<'static>,
    /// References to what subresources take and give where it is another kind, by their names.
    pub(super) of_subresources: BTreeMap<&'static str, Value<'static>>,
}

/// What the operations of a path take and give.
struct Subject<'s> {
    own: &'s Value<'static>,
    list: &'s Value<'static>,
    /// Group, version and kind.
    kind: (&'static str, &'static str, &'static str),
}

/// One method of a path.
struct Operation {
    method: &'static str,
    action: &'static str,
    /// What its id begins with.
    verb: &'static str,
    /// The query parameters, with their types.
    parameters: &'static [(&'static str, &'static str)],
    has_body: bool,
    gives_list: bool,
}

const LIST: Operation = Operation {
    method: "get",
    action: "list",
    verb: "list",
    parameters: &[
        ("allowWatchBookmarks", "boolean"),
        ("continue", "string"),
        ("fieldSelector", "string"),
        ("labelSelector", "string"),
        ("limit", "integer"),
        ("resourceVersion", "string"),
        ("resourceVersionMatch", "string"),
        ("timeoutSeconds", "integer"),
        ("watch", "boolean"),
    ],
    has_body: false,
    gives_list: true,
};
const CREATE: Operation = Operation {
    method: "post",
    action: "post",
    verb: "create",
    parameters: &[
        ("dryRun", "string"),
        ("fieldManager", "string"),
        ("fieldValidation", "string"),
    ],
    has_body: true,
    gives_list: false,
};
const DELETE_COLLECTION: Operation = Operation {
    method: "delete",
    action: "deletecollection",
    verb: "deleteCollection",
    parameters: &[
        ("dryRun", "string"),
        ("fieldSelector", "string"),
        ("gracePeriodSeconds", "integer"),
        ("labelSelector", "string"),
        ("propagationPolicy", "string"),
    ],
    has_body: false,
    gives_list: false,
};
const READ: Operation = Operation {
    method: "get",
    action: "get",
    verb: "read",
    parameters: &[],
    has_body: false,
    gives_list: false,
};
const REPLACE: Operation = Operation {
    method: "put",
    action: "put",
    verb: "replace",
    ..CREATE
};
const PATCH: Operation = Operation {
    method: "patch",
    action: "patch",
    verb: "patch",
    parameters: &[
        ("dryRun", "string"),
        ("fieldManager", "string"),
        ("fieldValidation", "string"),
        ("force", "boolean"),
    ],
    has_body: false,
    gives_list: false,
};
const DELETE: Operation = Operation {
    method: "delete",
    action: "delete",
    verb: "delete",
    parameters: &[
        ("dryRun", "string"),
        ("gracePeriodSeconds", "integer"),
        ("propagationPolicy", "string"),
    ],
    has_body: false,
    gives_list: false,
};

/// The paths of a resource with all that can be done there.
pub(super) fn paths(
    resource: &Resource,
    names: &Names<'_>,
    version: Version,
    minor: Minor,
) -> Vec<(String, Value<'static>)> {
    let root = if resource.group.is_empty() {
        format!("/api/{}", resource.version)
    } else {
        format!("/apis/{}/{}", resource.group, resource.version)
    };
    let inside = if resource.namespaced {
        "/namespaces/{namespace}"
    } else {
        ""
    };
    let collection = format!("{root}{inside}/{}", resource.name);
    let item = format!("{collection}/{{name}}");
    let kind = (resource.group, resource.version, resource.kind);
    let main = Subject {
        own: names.own,
        list: names.list,
        kind,
    };
    let path = |path: &str, operations: &[&Operation], suffix: &str, subject: &Subject<'_>| {
        let mut found = Object::new();
        for operation in operations {
            let everywhere = resource.namespaced && !path.contains("{namespace}");
            let scope = if resource.namespaced && !everywhere {
                "Namespaced"
            } else {
                ""
            };
            let suffix = if everywhere {
                "ForAllNamespaces"
            } else {
                suffix
            };
            let id = id(resource, operation, scope, suffix);
            found.insert(
                operation.method,
                operation.document(id, resource, subject, version, minor),
            );
        }
        let variables = ["name", "namespace"]
            .into_iter()
            .filter(|n| path.contains(&format!("{{{n}}}")));
        let parameters: Vec<Value<'static>> = variables
            .map(|name| parameter(name, "string", "path", version))
            .collect();
        if !parameters.is_empty() {
            found.insert("parameters", parameters);
        }
        (path.to_owned(), Value::from(found))
    };
    let verbs = registry::verbs(resource, minor);
    let has = |verb: &str| verbs.contains(&verb);
    let of_verbs = |operations: &[(&str, &'static Operation)]| -> Vec<&'static Operation> {
        let served = operations.iter().filter(|(verb, _)| has(verb));
        served.map(|(_, operation)| *operation).collect()
    };
    let mut paths = Vec::new();
    let on_collection = of_verbs(&[
        ("list", &LIST),
        ("create", &CREATE),
        ("deletecollection", &DELETE_COLLECTION),
    ]);
    paths.push(path(&collection, &on_collection, "", &main));
    let on_item = of_verbs(&[
        ("get", &READ),
        ("update", &REPLACE),
        ("patch", &PATCH),
        ("delete", &DELETE),
    ]);
    if !on_item.is_empty() {
        paths.push(path(&item, &on_item, "", &main));
    }
    if resource.namespaced && has("list") {
        let everywhere = format!("{root}/{}", resource.name);
        paths.push(path(&everywhere, &[&LIST], "", &main));
    }
    // What only a node could tell is not described.
    let described = |s: &registry::Subresource| !registry::is_at_node(s.name);
    for subresource in registry::subresources(resource, minor).filter(described) {
        let subject = match names.of_subresources.get(subresource.name) {
            Some(own) => {
                let kind = registry::subresource_kind(resource, subresource.name, minor);
                let kind = match kind {
                    ("", "", kind) => (resource.group, resource.version, kind),
                    kind => kind,
                };
                Subject { own, kind, ..main }
            }
            None => Subject { ..main },
        };
        let verbs = registry::subresource_verbs(subresource);
        let operations: Vec<&Operation> = [
            ("create", &CREATE),
            ("get", &READ),
            ("update", &REPLACE),
            ("patch", &PATCH),
        ]
        .into_iter()
        .filter(|(verb, _)| verbs.contains(verb))
        .map(|(_, operation)| operation)
        .collect();
        let suffix = capitalized(subresource.name);
        paths.push(path(
            &format!("{item}/{}", subresource.name),
            &operations,
            &suffix,
            &subject,
        ));
    }
    paths
}

impl Operation {
    fn document(
        &self,
        id: String,
        resource: &Resource,
        subject: &Subject<'_>,
        version: Version,
        minor: Minor,
    ) -> Value<'static> {
        let known =
            |name: &str| name != "fieldValidation" || minor.number() >= FIRST_WITH_FIELD_VALIDATION;
        let mut parameters: Vec<Value<'static>> = self
            .parameters
            .iter()
            .filter(|(name, _)| known(name))
            .map(|(name, ty)| parameter(name, ty, "query", version))
            .collect();
        let mut found = Object::from_iter([("operationId", id)]);
        found.insert("tags", vec![Value::from(tag(resource))]);
        if self.has_body && version == Version::V2 {
            let mut body = Object::from_iter([("in", "body"), ("name", "body")]);
            body.insert("required", Value::Bool(true));
            body.insert("schema", subject.own.clone());
            parameters.insert(0, Value::from(body));
        }
        if self.has_body && version == Version::V3 {
            let content = Object::from_iter([("*/*", schema(subject.own))]);
            let mut body = Object::from_iter([("content", content)]);
            body.insert("required", Value::Bool(true));
            found.insert("requestBody", body);
        }
        if !parameters.is_empty() {
            found.insert("parameters", parameters);
        }
        if version == Version::V2 {
            let patch = [
                "application/json-patch+json",
                "application/merge-patch+json",
                "application/strategic-merge-patch+json",
            ];
            let consumes: &[&'static str] = if self.method == "patch" {
                &patch
            } else {
                &["*/*"]
            };
            let texts =
                |texts: &[&'static str]| texts.iter().map(|&t| Value::from(t)).collect::<Vec<_>>();
            found.insert("consumes", texts(consumes));
            found.insert("produces", texts(&["application/json"]));
            found.insert("schemes", texts(&["https"]));
        }
        let given = if self.gives_list {
            subject.list
        } else {
            subject.own
        };
        let mut response = Object::from_iter([("description", "OK")]);
        match version {
            Version::V2 => response.insert("schema", given.clone()),
            Version::V3 => {
                let content = Object::from_iter([("application/json", schema(given))]);
                response.insert("content", content);
            }
        }
        let (group, group_version, kind) = subject.kind;
        let code = if self.method == "post" { "201" } else { "200" };
        found.insert("responses", Object::from_iter([(code, response)]));
        found.insert("x-kubernetes-action", self.action);
        found.insert(
            "x-kubernetes-group-version-kind",
            kind_at(group, group_version, kind.to_owned()),
        );
        Value::from(found)
    }
}

fn schema(reference: &Value<'static>) -> Object<'static> {
    Object::from_iter([("schema", reference.clone())])
}

fn parameter(
    name: &'static str,
    ty: &'static str,
    place: &'static str,
    version: Version,
) -> Value<'static> {
    let mut found = Object::from_iter([("in", place), ("name", name)]);
    if place == "path" {
        found.insert("required", Value::Bool(true));
    }
    match version {
        Version::V2 => found.insert("type", ty),
        Version::V3 => found.insert("schema", typed(ty, "")),
    }
    Value::from(found)
}

/// `listCoreV1NamespacedPod`
fn id(resource: &Resource, operation: &Operation, scope: &str, suffix: &str) -> String {
    let version = capitalized(resource.version);
    let group = group(resource);
    // The verb comes in two parts where a collection is deleted.
    let (verb, many) = match operation.verb {
        "deleteCollection" => ("delete", "Collection"),
        verb => (verb, ""),
    };
    format!(
        "{verb}{group}{version}{many}{scope}{}{suffix}",
        resource.kind
    )
}

/// `core_v1`
fn tag(resource: &Resource) -> String {
    let group = group(resource);
    let mut letters = group.chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    let group: String = first.chain(letters).collect();
    format!("{group}_{}", resource.version)
}

/// The group as ids have it: `RbacAuthorization`.
fn group(resource: &Resource) -> String {
    match resource.group {
        "" => "Core".to_owned(),
        group => group
            .trim_end_matches(".k8s.io")
            .split('.')
            .map(capitalized)
            .collect(),
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

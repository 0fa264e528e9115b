//! The end of a namespace: its content goes, and then the namespace itself.
//!
//! What has finalizers that nobody here takes off stays, and the namespace with it; its conditions say
//! so.
//!
//! Upstream: `pkg/controller/namespace/deletion/namespaced_resources_deleter.go` and
//! `status_condition_utils.go`.

use std::collections::BTreeMap;

use podgate_admission::chain::Server;
use podgate_admission::request::Source;
use podgate_admission::resource::{RESOURCES, Resource};
use podgate_admission::value::{Object, Value};

use super::garbage::{self, FOREGROUND, ORPHAN};
use super::sync::{Sync, meta};
use super::{condition, is_live};
use crate::state::State;
use crate::store::Stored;

/// The finalizer in the spec of a namespace, which the controller takes off.
const FINALIZER: &str = "kubernetes";
/// The first minor that waits for the pods before it deletes anything else (`OrderedNamespaceDeletion`).
const FIRST_WITH_PODS_FIRST: u8 = 33;

/// The conditions in their order: type, and reason and message where nothing is wrong.
const CONDITIONS: [(&str, &str, &str); 5] = [
    (
        "NamespaceDeletionDiscoveryFailure",
        "ResourcesDiscovered",
        "All resources successfully discovered",
    ),
    (
        "NamespaceDeletionGroupVersionParsingFailure",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    (
        "NamespaceContentRemaining",
        "ContentRemoved",
        "All content successfully removed",
    ),
    (
        "NamespaceFinalizersRemaining",
        "ContentHasNoFinalizers",
        "All content-preserving finalizers finished",
    ),
];

/// What is left in a namespace.
#[derive(Debug, Default, PartialEq, Eq)]
struct Remaining {
    /// How many objects of which resource.
    resources: BTreeMap<String, usize>,
    /// How many objects have which finalizer.
    finalizers: BTreeMap<String, usize>,
    /// Whether pods are left, for which all else waits without a word.
    pods: bool,
}

/// Goes as far with the end of a namespace as it can.
pub(super) fn end(server: &Server, state: &mut State, name: &str) {
    state.waiting.remove(name);
    let mut sync = Sync::new(server, state, name);
    let remaining = loop {
        let before = sync.state.store.revision();
        let remaining = empty(&mut sync);
        garbage::collect(&mut sync);
        if sync.state.store.revision() == before {
            break remaining;
        }
    };
    let Some(namespace) = state.store.find("namespaces", "", name).cloned() else {
        return;
    };
    if namespace.list_at(&["spec", "finalizers"]).is_empty() {
        return;
    }
    let namespace = report(state, &namespace, &remaining);
    if !remaining.pods && remaining.resources.is_empty() {
        finalize(state, &namespace);
    }
}

/// Deletes what is there, and tells what stays.
fn empty(sync: &mut Sync<'_>) -> Remaining {
    let mut remaining = Remaining::default();
    for resource in resources(sync) {
        for object in sync.list(resource.name) {
            delete(sync, resource.name, &object);
        }
        let left = sync.list(resource.name);
        if left.is_empty() {
            continue;
        }
        if resource.name == "pods" && sync.minor().number() >= FIRST_WITH_PODS_FIRST {
            remaining.pods = true;
            return remaining;
        }
        let named = format!("{}.{}", resource.name, resource.group);
        remaining.resources.insert(named, left.len());
        for object in &left {
            for finalizer in object.list_at(&["metadata", "finalizers"]) {
                let finalizer = finalizer.as_str().unwrap_or_default().to_owned();
                *remaining.finalizers.entry(finalizer).or_default() += 1;
            }
        }
    }
    remaining
}

/// The namespaced resources that are served, each once, pods first.
fn resources(sync: &Sync<'_>) -> Vec<&'static Resource> {
    let minor = sync.minor();
    let mut found: Vec<&'static Resource> = Vec::new();
    for resource in RESOURCES {
        let known = found.iter().any(|other| other.name == resource.name);
        if resource.namespaced && resource.exists_in(minor) && !known {
            found.push(resource);
        }
    }
    found.sort_by_key(|resource| resource.name != "pods");
    found
}

/// Deletes an object, and leaves what it owns to the garbage collector (propagation `Background`).
fn delete(sync: &mut Sync<'_>, resource: &str, object: &Stored) {
    if !is_live(object) {
        return;
    }
    let collected = |f: &Value<'_>| matches!(f.as_str(), Some(ORPHAN | FOREGROUND));
    let finalizers = object.list_at(&["metadata", "finalizers"]);
    if finalizers.iter().any(collected) {
        let object = sync.change(resource, object, |object| {
            let finalizers = object.object_mut("metadata").list_mut("finalizers");
            finalizers.retain(|f| !collected(f));
        });
        sync.delete(resource, &object);
    } else {
        sync.delete(resource, object);
    }
}

/// Writes the conditions, if they say anything new (`updateConditions`).
fn report(state: &mut State, namespace: &Stored, remaining: &Remaining) -> Stored {
    let now = state.source.now();
    let mut conditions = condition::of(namespace);
    let mut changed = false;
    for (name, reason, message) in CONDITIONS {
        let (status, reason, message) = match (name, remaining) {
            ("NamespaceContentRemaining", Remaining { resources, .. }) if !resources.is_empty() => {
                let each = resources
                    .iter()
                    .map(|(name, count)| format!("{name} has {count} resource instances"));
                let all = each.collect::<Vec<_>>().join(", ");
                let message = format!("Some resources are remaining: {all}");
                ("True", "SomeResourcesRemain", message)
            }
            ("NamespaceFinalizersRemaining", Remaining { finalizers, .. })
                if !finalizers.is_empty() =>
            {
                let each = finalizers
                    .iter()
                    .map(|(name, count)| format!("{name} in {count} resource instances"));
                let all = each.collect::<Vec<_>>().join(", ");
                let message =
                    format!("Some content in the namespace has finalizers remaining: {all}");
                ("True", "SomeFinalizersRemain", message)
            }
            _ => ("False", reason, message.to_owned()),
        };
        let mut new = condition::new(name, status, reason, message, &now, false);
        let old = conditions.iter_mut().find(|c| c.text_at(&["type"]) == name);
        if let Some(old) = old {
            if old.text_at(&["status"]) == status {
                let time = old.text_at(&["lastTransitionTime"]).to_owned();
                new.insert("lastTransitionTime", time);
            }
            let new = Value::from(new);
            changed |= *old != new;
            *old = new;
        } else {
            changed = true;
            conditions.push(new.into());
        }
    }
    if !changed {
        return namespace.clone();
    }
    write(state, namespace, |namespace| {
        namespace
            .object_mut("status")
            .insert("conditions", conditions);
    })
}

/// Takes the controller's finalizer off, and the namespace away if it was the last (`finalizeNamespace`).
fn finalize(state: &mut State, namespace: &Stored) {
    let namespace = write(state, namespace, |namespace| {
        let spec = namespace.object_mut("spec");
        let finalizers = spec.list_mut("finalizers");
        finalizers.retain(|f| f.as_str() != Some(FINALIZER));
        if finalizers.is_empty() {
            spec.remove("finalizers");
        }
    });
    let none = |path: &[&str]| namespace.list_at(path).is_empty();
    if none(&["spec", "finalizers"]) && none(&["metadata", "finalizers"]) {
        state
            .store
            .remove("namespaces", "", meta(&namespace, "name"));
    }
}

fn write(
    state: &mut State,
    namespace: &Stored,
    change: impl FnOnce(&mut Object<'static>),
) -> Stored {
    let mut changed = Value::clone(namespace);
    if let Some(fields) = changed.as_object_mut() {
        change(fields);
    }
    state.put("namespaces", "", meta(namespace, "name"), changed)
}

//! What goes when its owners go.
//!
//! An owner that was never here is not missed: objects that were copied from a cluster may name some.
//! (A real collector looks for them, and deletes what they own.)
//!
//! Upstream: `pkg/controller/garbagecollector/garbagecollector.go`.

use podgate_admission::resource::RESOURCES;
use podgate_admission::value::Value;

use super::sync::{Sync, uid};
use super::{is_live, job};
use crate::store::Stored;

/// The finalizer of an object whose dependents are to stay.
pub(crate) const ORPHAN: &str = "orphan";
/// The finalizer of an object whose dependents are to go first.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";

/// Goes over the objects of the namespace once.
pub(super) fn collect(sync: &mut Sync<'_>) {
    let (ending, orphans) = (sync.is_ending(), sync.state.store.has_orphans());
    if ending {
        job::untrack(sync);
    }
    // Most of the time there is nothing to do, and the objects may be many.
    if !ending && !orphans {
        return;
    }
    for resource in resources(sync) {
        for object in sync.list(resource) {
            if !is_live(&object) {
                finalize(sync, resource, &object);
            } else if sync.state.store.has_orphans() {
                dependent(sync, resource, &object);
            }
        }
    }
}

/// The namespaced resources that are served, each once.
fn resources(sync: &Sync<'_>) -> Vec<&'static str> {
    let minor = sync.minor();
    let mut names: Vec<&'static str> = RESOURCES
        .iter()
        .filter(|resource| resource.namespaced && resource.exists_in(minor))
        .map(|resource| resource.name)
        .collect();
    names.dedup();
    names
}

fn finalizers<'o>(object: &'o Value<'_>) -> impl Iterator<Item = &'o str> {
    let finalizers = object.list_at(&["metadata", "finalizers"]).iter();
    finalizers.filter_map(Value::as_str)
}

/// Does for an object that is being deleted what its finalizers wait for.
fn finalize(sync: &mut Sync<'_>, resource: &str, object: &Stored) {
    let has = |name: &str| finalizers(object).any(|finalizer| finalizer == name);
    if has(ORPHAN) {
        for (resource, dependent) in dependents(sync, object) {
            sync.release(resource, &dependent, uid(object));
        }
        lift(sync, resource, object, ORPHAN);
    } else if has(FOREGROUND) {
        let mut blocking = false;
        for (resource, dependent) in dependents(sync, object) {
            let references = dependent.list_at(&["metadata", "ownerReferences"]).iter();
            let blocks = |owner: &Value<'_>| {
                owner.text_at(&["uid"]) == uid(object)
                    && owner.get("blockOwnerDeletion").and_then(Value::as_bool) == Some(true)
            };
            let mut references = references.clone();
            sync.delete(resource, &dependent);
            blocking |= references.any(blocks) && sync.find(resource, &dependent).is_some();
        }
        if !blocking {
            lift(sync, resource, object, FOREGROUND);
        }
    }
}

/// Takes a finalizer off, and with the last one the object.
fn lift(sync: &mut Sync<'_>, resource: &str, object: &Stored, finalizer: &str) {
    let Some(object) = sync.find(resource, object) else {
        return;
    };
    let left = sync.change(resource, &object, |object| {
        let finalizers = object.object_mut("metadata").list_mut("finalizers");
        finalizers.retain(|f| f.as_str() != Some(finalizer));
    });
    if left.list_at(&["metadata", "finalizers"]).is_empty() {
        sync.delete(resource, &left);
    }
}

fn dependents(sync: &Sync<'_>, owner: &Value<'_>) -> Vec<(&'static str, Stored)> {
    let mut found = Vec::new();
    for resource in resources(sync) {
        for object in sync.list(resource) {
            let mut owners = object.list_at(&["metadata", "ownerReferences"]).iter();
            if owners.any(|reference| reference.text_at(&["uid"]) == uid(owner)) {
                found.push((resource, object));
            }
        }
    }
    found
}

/// Deletes an object that has lost all its owners (`attemptToDeleteItem`).
fn dependent(sync: &mut Sync<'_>, resource: &str, object: &Stored) {
    let owners = object.list_at(&["metadata", "ownerReferences"]);
    let (lost, left): (Vec<&Value<'_>>, Vec<_>) = owners.iter().partition(|o| is_lost(sync, o));
    if lost.is_empty() {
        return;
    }
    if left.is_empty() {
        sync.delete(resource, object);
        return;
    }
    for owner in lost {
        if let Some(object) = sync.find(resource, object) {
            sync.release(resource, &object, owner.text_at(&["uid"]));
        }
    }
}

/// Whether the owner that a reference names was here and is not any more.
fn is_lost(sync: &Sync<'_>, reference: &Value<'_>) -> bool {
    sync.state.store.was_removed(reference.text_at(&["uid"]))
}

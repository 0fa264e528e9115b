//! What changes while a server runs: the objects, and where names, uids and times come from.

use std::borrow::Cow;
use std::collections::BTreeSet;

use podgate_admission::resource::Resource;
use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;

use crate::controllers;
use crate::owned;
use crate::source::Seeded;
use crate::store::{Store, Stored};

/// The changing part of a server; a clone costs about nothing and goes its own way.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) source: Seeded,
    /// The namespaces in which something was written that the workload controllers have not seen.
    pub(crate) unsettled: BTreeSet<String>,
    /// Where new objects say who owns their fields, the minor whose rules tell. An object that does
    /// goes on doing so in any case.
    pub(crate) tracked: Option<Minor>,
    /// The namespaces in which a workload still waits for pods, which anything that is written may let in.
    pub(crate) waiting: BTreeSet<String>,
    /// The revision up to which the workload controllers have seen everything.
    pub(crate) settled: u64,
}

impl State {
    /// Stores what a controller or the server itself has written, under the next resource version.
    pub(crate) fn put(
        &mut self,
        resource: &str,
        namespace: &str,
        name: &str,
        object: impl Into<Value<'static>>,
    ) -> Stored {
        let mut object = object.into();
        let old = self.store.find(resource, namespace, name).cloned();
        if let Some(entries) = owned::by_controller(self, old.as_deref(), &object) {
            owned::set(&mut object, entries);
        }
        self.put_owned(resource, namespace, name, object)
    }

    /// Stores an object as it is, but for the resource version.
    pub(crate) fn put_owned(
        &mut self,
        resource: &str,
        namespace: &str,
        name: &str,
        object: impl Into<Value<'static>>,
    ) -> Stored {
        self.store.put(resource, namespace, name, |revision| {
            let mut object = object.into();
            if let Some(object) = object.as_object_mut() {
                set_version(object.object_mut("metadata"), revision);
            }
            object
        })
    }

    /// The revision at which the workloads of a namespace were at rest, if all that may move them since is
    /// in the history: not where they wait, and not where something outside of namespaces has changed,
    /// as nodes or the namespace itself.
    pub(crate) fn rested(&mut self, namespace: &str, settled: u64) -> Option<u64> {
        let waits = self.waiting.contains(namespace);
        let history = self.store.history()?;
        let outside = |key: &str| key.bytes().filter(|&byte| byte == b'/').count() == 1;
        let known = settled >= history.compacted()
            && !history.after(settled).any(|change| outside(&change.key));
        (known && !waits).then_some(settled)
    }

    /// Lets the controllers see that an object was written or removed.
    pub(crate) fn settle(
        &mut self,
        minor: Minor,
        resource: &Resource,
        namespace: &str,
        name: &str,
    ) {
        controllers::after(self, minor, resource, namespace, name);
    }
}

/// Sets `resourceVersion`.
pub(crate) fn set_version(metadata: &mut Object<'_>, revision: u64) {
    metadata.insert("resourceVersion", revision.to_string());
}

/// Writes into an object from admission what its path says of it: its kind and its version.
pub(crate) fn set_kind(object: &mut Value<'_>, resource: &Resource) {
    if let Some(object) = object.as_object_mut() {
        object.insert("kind", resource.kind);
        object.insert("apiVersion", resource.api_version());
    }
}

/// A stored object in the version of `resource`: resources that are served in several versions are
/// the same in all but their `apiVersion`.
pub(crate) fn in_version<'o>(object: &'o Stored, resource: &Resource) -> Cow<'o, Value<'static>> {
    let version = resource.api_version();
    if object.text_at(&["apiVersion"]) == version {
        return Cow::Borrowed(object);
    }
    let mut object = Value::clone(object);
    if let Some(object) = object.as_object_mut() {
        object.insert("apiVersion", version);
    }
    Cow::Owned(object)
}

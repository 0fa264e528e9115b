//! Who owns the replicas of a workload, as its scale tells: the entries of the workload become those of the
//! scale before a write to that, and go back into the workload's afterwards.
//!
//! Upstream: `k8s.io/apimachinery/pkg/util/managedfields/scalehandler.go`, `ScaleHandler`. An update through
//! the scale is another manager than one of the workload, as the version is part of its name: what an
//! update owned moves to an entry of its own, without a time.

use podgate_admission::resource::Resource;
use podgate_admission::schema::roots;
use podgate_admission::value::Value;
use podgate_policy::Minor;

use super::managed::{self, Entry, Managers, Operation};
use super::set::{Element, Set};

/// The first minor in which a write to a scale changes who owns the replicas.
const FIRST_WITH_HANDLER: u8 = 22;

/// The kind that field managers see in the place of the workload.
pub(crate) static SCALE: Resource = Resource {
    group: "autoscaling",
    version: "v1",
    kind: "Scale",
    name: "scale",
    singular: "",
    short: &[],
    in_all: false,
    namespaced: true,
    template: None,
    since: 0,
    until: u8::MAX,
    deprecated: None,
    schema: &roots::SCALE,
};

/// The entries of a workload, as far as its scale has them.
#[derive(Debug)]
pub(crate) struct ScaleEntries {
    workload: Managers,
    kept: Option<Vec<Value<'static>>>,
}

impl ScaleEntries {
    /// Of a workload as it is stored.
    pub(crate) fn of(workload: &Value<'static>, minor: Minor) -> Self {
        let entries = workload.list_at(&["metadata", "managedFields"]);
        Self {
            workload: managed::decode(entries).unwrap_or_default(),
            kept: (minor.number() < FIRST_WITH_HANDLER).then(|| entries.to_vec()),
        }
    }

    /// Those who own the replicas (`ToSubresource`).
    pub(crate) fn to_scale(&self) -> Vec<Value<'static>> {
        if self.kept.is_some() {
            return Vec::new();
        }
        let version = SCALE.api_version();
        let owners = self.workload.iter();
        let owners = owners.filter(|(_, entry)| entry.set.has(&replicas()));
        let entries: Managers = owners
            .map(|(manager, entry)| {
                let mut manager = manager.clone();
                if manager.operation == Operation::Update {
                    manager.version.clone_from(&version);
                }
                let entry = Entry {
                    set: all(),
                    version: version.clone(),
                    time: entry.time.clone(),
                };
                (manager, entry)
            })
            .collect();
        managed::encode(&entries)
    }

    /// The entries of the workload, in its version, after those of the scale have become `scale`
    /// (`ToParent`).
    pub(crate) fn to_workload(&self, scale: &[Value<'_>], version: &str) -> Vec<Value<'static>> {
        if let Some(kept) = &self.kept {
            return kept.clone();
        }
        let mut scale = managed::decode(scale).unwrap_or_default();
        let mut entries = Managers::new();
        for (manager, entry) in &self.workload {
            let mut entry = entry.clone();
            if entry.set.has(&replicas()) && scale.remove(manager).is_none() {
                entry.set = entry.set.difference(&all());
            }
            if !entry.set.is_empty() {
                entries.insert(manager.clone(), entry);
            }
        }
        for (manager, entry) in scale {
            if entry.set.has(&replicas()) {
                let time = self.workload.get(&manager);
                let entry = Entry {
                    set: all(),
                    version: version.to_owned(),
                    time: time.and_then(|entry| entry.time.clone()),
                };
                entries.insert(manager, entry);
            }
        }
        managed::encode(&entries)
    }
}

/// Where the replicas are, in a workload as in a scale.
fn replicas() -> [Element; 2] {
    [Element::field("spec"), Element::field("replicas")]
}

fn all() -> Set {
    Set::of_fields(&[&["spec", "replicas"]])
}

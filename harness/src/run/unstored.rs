//! What cannot be known of a scenario where nothing is stored: in a dry run, a server answers as if
//! nothing that was applied before were there.

use crate::foreign;
use crate::suite::Manifest;

/// What a dry run was asked to apply so far, none of which is stored.
#[derive(Debug, Default)]
pub(super) struct Unstored {
    applied: Vec<String>,
    /// The first of them that decides about others.
    deciding: Option<String>,
}

/// Kinds that admission or authorization looks up when it decides about another object.
const LOOKED_UP: [&str; 9] = [
    "ClusterRole",
    "ClusterRoleBinding",
    "Namespace",
    "PodSecurityPolicy",
    "PriorityClass",
    "Role",
    "RoleBinding",
    "RuntimeClass",
    "ServiceAccount",
];

/// Why the outcome of a step that changes `object` cannot be known.
pub(super) fn of_change(object: &str) -> String {
    format!(
        "a dry run stores nothing, so there is no {object} to change: --allow-writes applies it in a namespace of its own"
    )
}

/// Why an object that belongs to no namespace is left alone on somebody's cluster.
pub(super) fn of_everybody(object: &str) -> String {
    format!(
        "{object} belongs to no namespace, and on a cluster that is not its own podgate keeps to namespaces of its own"
    )
}

impl Unstored {
    /// Why the outcome of applying `manifest` cannot be known, where it cannot.
    pub(super) fn of_apply(&self, manifest: &Manifest) -> Option<String> {
        let object = manifest.reference();
        if self.applied.contains(&object) {
            return Some(of_change(&object));
        }
        let deciding = self.deciding.as_ref()?;
        Some(format!(
            "a dry run stores nothing, and {deciding} may decide about it: --allow-writes applies both in a namespace of their own"
        ))
    }

    /// `manifest` was applied, and is not there.
    pub(super) fn add(&mut self, manifest: &Manifest) {
        self.decides(manifest.kind(), &manifest.reference());
        self.applied.push(manifest.reference());
    }

    /// A step was to change or to delete `object`, `Kind/name` or the scenario's `Namespace`, and it
    /// is as it was.
    pub(super) fn left(&mut self, object: &str) {
        let kind = object.split('/').next().unwrap_or_default();
        self.decides(kind, object);
    }

    fn decides(&mut self, kind: &str, object: &str) {
        if self.deciding.is_none() && (LOOKED_UP.contains(&kind) || foreign::decides(kind)) {
            self.deciding = Some(object.to_owned());
        }
    }
}

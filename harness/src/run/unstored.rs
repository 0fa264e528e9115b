//! What cannot be known of a scenario of which something is left out: in a dry run a server answers as
//! if nothing that was applied before were there, and on somebody's cluster what belongs to no namespace
//! is left alone.

use crate::foreign;
use crate::suite::Manifest;

/// What a dry run was asked to apply so far, none of which is stored.
#[derive(Debug, Default)]
pub(super) struct Unstored {
    applied: Vec<String>,
}

/// The first object that was left out and decides about others.
#[derive(Debug, Default)]
pub(super) struct LeftOut(Option<String>);

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
    /// Why the outcome of applying `manifest` cannot be known, where it is there already; from now on
    /// it was applied, and is not there.
    pub(super) fn apply(&mut self, manifest: &Manifest) -> Option<String> {
        let object = manifest.reference();
        let known = self.applied.contains(&object);
        let reason = known.then(|| of_change(&object));
        self.applied.push(object);
        reason
    }
}

impl LeftOut {
    /// `object`, `Kind/name` or the scenario's `Namespace`, was to be applied, changed or deleted, and
    /// is as it was.
    pub(super) fn note(&mut self, object: &str) {
        let kind = object.split('/').next().unwrap_or_default();
        if self.0.is_none() && (LOOKED_UP.contains(&kind) || foreign::decides(kind)) {
            self.0 = Some(object.to_owned());
        }
    }

    /// Why what comes now cannot be known, where it cannot.
    pub(super) fn reason(&self) -> Option<String> {
        let deciding = self.0.as_ref()?;
        Some(format!(
            "{deciding} may decide about it, and is left out on a cluster that is not podgate's own"
        ))
    }
}

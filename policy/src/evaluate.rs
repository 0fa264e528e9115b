//! A policy against a pod.
//!
//! Upstream: `EvaluatePod` and `populate` in `policy/registry.go`.

use crate::checks::{self, Check};
use crate::level::LevelVersion;
use crate::server::Server;
use crate::view::Pod;

/// What one check has against a pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// The check.
    pub check: &'static Check,
    /// The succinct reason, as messages have it: `host namespaces`.
    pub reason: &'static str,
    /// The detail that messages add in parentheses: `hostNetwork=true`.
    pub detail: String,
    /// The paths of the fields at fault inside the pod, like `spec.volumes[0].hostPath` and
    /// `metadata.annotations[KEY]`; for a field that is missing the path where it should stand.
    pub fields: Vec<String>,
}

/// What `policy` has against `pod` on `server`, in the order of messages; empty where the pod
/// meets the policy, and then nothing was allocated. A server without Pod Security admits all.
#[must_use]
pub fn evaluate(server: Server, policy: LevelVersion, pod: &Pod<'_>) -> Vec<Violation> {
    checks::active(server, policy)
        .filter_map(|(check, revision)| {
            let forbidden = (revision.evaluate)(server, pod)?;
            Some(Violation {
                check,
                reason: forbidden.reason,
                detail: forbidden.detail,
                fields: forbidden.fields,
            })
        })
        .collect()
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;

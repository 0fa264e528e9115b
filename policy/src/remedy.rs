//! What makes a pod meet a policy: the fewest fields that can be set without asking what the program
//! needs, and what must be left to who knows it.
//!
//! A field is set where the pod says nothing, or says what nothing means anyway
//! (`allowPrivilegeEscalation: true`, `runAsNonRoot: false`, seccomp `Unconfined`). What a pod asks for
//! beyond that (a capability, a namespace or a path of the node, root by number) is there for some
//! need, and to take it away is no decision of a tool: it is named, and left. Which of the two it is,
//! is said beside each check ([`Check`]). Nothing invents a `runAsUser`.
//!
//! Upstream has no counterpart.

use crate::checks::Check;
use crate::evaluate::{Violation, evaluate};
use crate::level::LevelVersion;
use crate::server::Server;
use crate::view::Pod;

/// What makes a pod meet a policy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Remedy {
    /// The fields to change, each once.
    pub edits: Vec<FieldEdit>,
    /// The fields that only who wrote the program or its manifest can change. Where there are
    /// any, the edits alone do not help.
    pub left: Vec<LeftField>,
}

/// A field to change.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldEdit {
    /// The check that demands it.
    pub check: &'static Check,
    /// Its path inside the pod: `spec.securityContext.runAsNonRoot`.
    pub field: String,
    /// What becomes of it.
    pub operation: Operation,
    /// What may keep an admitted container from running after it, as a sentence without its period.
    pub caution: &'static str,
}

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It gets this value, whatever it is now.
    Set(Setting),
    /// The list gets this item, too.
    Append(&'static str),
}

/// A value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// A flag.
    Bool(bool),
    /// A text.
    Text(&'static str),
}

/// A field that is left as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftField {
    /// The check that has something against it.
    pub check: &'static Check,
    /// Its path inside the pod.
    pub field: String,
    /// Why no tool should change it.
    pub reason: &'static str,
}

pub(crate) const ASKED_FOR: &str =
    "the container asks for a capability: whether it can do without is known to who wrote it";
pub(crate) const ASKS_FOR_ROOT: &str =
    "it asks to run as root: which other user the image can run as is known to who built it";
pub(crate) const OF_THE_NODE: &str = "it mounts files of the node: the program needs another volume, or a namespace of the \
     privileged level";
pub(crate) const NOT_ON_WINDOWS: &str = "the API refuses the field on a pod with os.name windows, and policies before v1.25 demand it \
     all the same: use a newer policy";

/// What makes `pod` meet `policy` on `server`; nothing where it does already.
///
/// ```
/// use podgate_policy::remedy::{Operation, Setting, remedy};
/// use podgate_policy::view::{Container, Pod};
/// use podgate_policy::{Minor, Server};
///
/// let container = Container { name: "c", ..Default::default() };
/// let pod = Pod { containers: vec![container], ..Default::default() };
/// let policy = "restricted:latest".parse().unwrap();
///
/// let remedy = remedy(Server::new(Minor::known(36)), policy, &pod);
/// let fields: Vec<_> = remedy.edits.iter().map(|edit| edit.field.as_str()).collect();
/// assert_eq!(fields, [
///     "spec.containers[0].securityContext.allowPrivilegeEscalation",
///     "spec.containers[0].securityContext.capabilities.drop",
///     "spec.securityContext.runAsNonRoot",
///     "spec.securityContext.seccompProfile.type",
/// ]);
/// assert_eq!(remedy.edits[1].operation, Operation::Append("ALL"));
/// assert_eq!(remedy.edits[2].operation, Operation::Set(Setting::Bool(true)));
/// ```
#[must_use]
pub fn remedy(server: Server, policy: LevelVersion, pod: &Pod<'_>) -> Remedy {
    let mut remedy = Remedy::default();
    for violation in evaluate(server, policy, pod) {
        (violation.check.remedy)(pod, &violation, &mut remedy);
    }
    remedy
}

impl Remedy {
    pub(crate) fn edit(
        &mut self,
        violation: &Violation,
        field: &str,
        operation: Operation,
        caution: &'static str,
    ) {
        // Two checks may demand the same, as those of baseline and restricted do up to 1.23.
        if self.edits.iter().all(|edit| edit.field != field) {
            self.edits.push(FieldEdit {
                check: violation.check,
                field: field.to_owned(),
                operation,
                caution,
            });
        }
    }

    pub(crate) fn leave_field(&mut self, violation: &Violation, field: &str, reason: &'static str) {
        if self.left.iter().all(|left| left.field != field) {
            self.left.push(LeftField {
                check: violation.check,
                field: field.to_owned(),
                reason,
            });
        }
    }

    pub(crate) fn leave(&mut self, violation: &Violation, reason: &'static str) {
        for field in &violation.fields {
            self.leave_field(violation, field, reason);
        }
    }
}

#[cfg(test)]
mod tests;

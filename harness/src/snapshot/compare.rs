//! Compares the outcomes of a run with the recorded ones, and says what changed, the most dangerous
//! change first.

use std::collections::HashMap;
use std::fmt;

use podgate_policy::Minor;
use serde::{Deserialize, Serialize};

use super::fold::{Outcomes, Place, places};
use super::minors::Minors;
use crate::outcome::{Outcome, Stage, Step, Verdict};

/// A difference between what is recorded and what was observed, over all minors that differ alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// What changed.
    pub kind: ChangeKind,
    /// The object, as in [`Outcome::object`].
    pub object: String,
    /// The step, where the scenario has steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// Whether the object itself or its pods changed.
    pub of: Of,
    /// On which minors.
    pub minors: Minors,
    /// What is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Stage>,
    /// What was observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Stage>,
}

impl Change {
    /// Whether something that was rejected is not rejected any more. Such a change is accepted one
    /// by one, never in bulk.
    #[must_use]
    pub const fn is_dangerous(&self) -> bool {
        matches!(
            self.kind,
            ChangeKind::NowAdmitted | ChangeKind::PodsNotAsked
        )
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.object)?;
        if self.of == Of::Pods {
            f.write_str(" (its pods)")?;
        }
        if let Some(step) = &self.step {
            write!(f, " in step {}", step.number)?;
        }
        write!(f, " on {}: {}", self.minors, self.kind)
    }
}

/// Which of a workload's two stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Of {
    /// The object itself.
    Object,
    /// The pods that its controller creates.
    Pods,
}

/// What changed, the most dangerous first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeKind {
    /// What was rejected is admitted.
    NowAdmitted,
    /// The pods of a workload were rejected, and nobody asks for them any more, though the
    /// workload is admitted.
    PodsNotAsked,
    /// What was admitted is rejected.
    NowRejected,
    /// What was decided is undecided.
    NowUndecided,
    /// What was undecided is decided.
    NowDecided,
    /// It is rejected for another reason: by somebody else, with another code or other checks.
    Reason,
    /// The message differs, or the reason why it is undecided.
    Message,
    /// Another `PodSecurityPolicy` admitted it, or it changed something else.
    Policy,
    /// The warnings differ.
    Warnings,
    /// The same is answered to another requester, to another action or in another step.
    Request,
    /// Nothing is recorded.
    Added,
    /// Something is recorded that was not observed.
    Removed,
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NowAdmitted => "was rejected, is admitted",
            Self::PodsNotAsked => "was rejected, is not asked for any more",
            Self::NowRejected => "was admitted, is rejected",
            Self::NowUndecided => "was decided, is undecided",
            Self::NowDecided => "was undecided, is decided",
            Self::Reason => "is rejected for another reason",
            Self::Message => "the message differs",
            Self::Policy => "the policy differs, or what it changes",
            Self::Warnings => "the warnings differ",
            Self::Request => "the request differs",
            Self::Added => "is not recorded",
            Self::Removed => "is recorded, but was not observed",
        })
    }
}

/// What changed on `minors` from `before` to `after`: the most dangerous change first, changes of
/// the same kind in the order of the outcomes.
#[must_use]
pub fn changes(before: &Outcomes, after: &Outcomes, minors: Minors) -> Vec<Change> {
    let mut found = Found::default();
    for minor in minors.iter() {
        let old = before.get(&minor).map(Vec::as_slice).unwrap_or_default();
        let new = after.get(&minor).map(Vec::as_slice).unwrap_or_default();
        found.compare(minor, old, new);
    }
    let mut changes = found.changes;
    changes.sort_by_key(|change| change.kind);
    changes
}

#[derive(Default)]
struct Found<'a> {
    changes: Vec<Change>,
    /// Where a change of that kind to that stage stands in `changes`; several where the minors
    /// differ in how they changed.
    known: HashMap<(Place<'a>, Of, ChangeKind), Vec<usize>>,
}

impl<'a> Found<'a> {
    fn compare(&mut self, minor: Minor, old: &'a [Outcome], new: &'a [Outcome]) {
        if old.iter().zip(new).all(|(old, new)| same(old, new)) && old.len() == new.len() {
            return;
        }
        let mut recorded: HashMap<Place<'_>, &Outcome> = places(old).collect();
        for (place, new) in places(new) {
            let old = recorded.remove(&place);
            self.outcome(minor, place, old, Some(new));
        }
        for (place, old) in places(old).filter(|(place, _)| recorded.contains_key(place)) {
            self.outcome(minor, place, Some(old), None);
        }
    }

    fn outcome(
        &mut self,
        minor: Minor,
        place: Place<'a>,
        old: Option<&'a Outcome>,
        new: Option<&'a Outcome>,
    ) {
        let requested = |outcome: &'a Outcome| (&outcome.step, outcome.action);
        let moved = old.map(requested) != new.map(requested);
        let step = new.or(old).and_then(|outcome| outcome.step.as_ref());
        let mut stage = |of, old: Option<&'a Stage>, new: Option<&'a Stage>, kind| {
            self.add(minor, (place, of, kind), step, old, new);
        };
        let (old_own, new_own) = (old.map(|old| &old.own), new.map(|new| &new.own));
        if let Some(kind) = kind(old_own, new_own, moved) {
            stage(Of::Object, old_own, new_own, kind);
        }
        let old_pods = old.and_then(|old| old.pods.as_ref());
        let new_pods = new.and_then(|new| new.pods.as_ref());
        if let Some(mut kind) = kind(old_pods, new_pods, false) {
            let admitted = new_own.is_some_and(|own| own.verdict.is_admitted());
            let rejected = old_pods.is_some_and(|pods| pods.verdict.is_rejected());
            if kind == ChangeKind::Removed && rejected && admitted {
                kind = ChangeKind::PodsNotAsked;
            }
            stage(Of::Pods, old_pods, new_pods, kind);
        }
    }

    fn add(
        &mut self,
        minor: Minor,
        key: (Place<'a>, Of, ChangeKind),
        step: Option<&Step>,
        before: Option<&Stage>,
        after: Option<&Stage>,
    ) {
        let ((object, _), of, kind) = key;
        let known = self.known.entry(key).or_default();
        let alike = |change: &Change| {
            alike(change.before.as_ref(), before) && alike(change.after.as_ref(), after)
        };
        if let Some(at) = known.iter().find(|at| alike(&self.changes[**at])) {
            self.changes[*at].minors.insert(minor);
            return;
        }
        known.push(self.changes.len());
        self.changes.push(Change {
            kind,
            object: object.to_owned(),
            step: step.cloned(),
            of,
            minors: Minors::only(minor),
            before: before.cloned(),
            after: after.cloned(),
        });
    }
}

/// What changed between two stages, if anything that a snapshot records did.
fn kind(old: Option<&Stage>, new: Option<&Stage>, moved: bool) -> Option<ChangeKind> {
    let (old, new) = match (old, new) {
        (None, None) => return None,
        (None, Some(_)) => return Some(ChangeKind::Added),
        (Some(_), None) => return Some(ChangeKind::Removed),
        (Some(old), Some(new)) => (old, new),
    };
    let kind = match (&old.verdict, &new.verdict) {
        (Verdict::Rejected(_), Verdict::Admitted) => ChangeKind::NowAdmitted,
        (Verdict::Admitted, Verdict::Rejected(_)) => ChangeKind::NowRejected,
        (Verdict::Undecided { .. }, Verdict::Admitted | Verdict::Rejected(_)) => {
            ChangeKind::NowDecided
        }
        (Verdict::Admitted | Verdict::Rejected(_), Verdict::Undecided { .. }) => {
            ChangeKind::NowUndecided
        }
        (Verdict::Rejected(old), Verdict::Rejected(new))
            if (old.code, old.by, &old.checks) != (new.code, new.by, &new.checks) =>
        {
            ChangeKind::Reason
        }
        (old, new) if old != new => ChangeKind::Message,
        _ if old.psp != new.psp => ChangeKind::Policy,
        _ if old.warnings != new.warnings => ChangeKind::Warnings,
        _ if moved || old.requester != new.requester => ChangeKind::Request,
        _ => return None,
    };
    Some(kind)
}

fn same(old: &Outcome, new: &Outcome) -> bool {
    (&old.step, &old.object, old.action) == (&new.step, &new.object, new.action)
        && alike(Some(&old.own), Some(&new.own))
        && alike(old.pods.as_ref(), new.pods.as_ref())
}

/// Whether a snapshot writes two stages alike.
fn alike(one: Option<&Stage>, other: Option<&Stage>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => {
            one.requester == other.requester
                && one.verdict == other.verdict
                && one.psp == other.psp
                && one.warnings == other.warnings
        }
        _ => false,
    }
}

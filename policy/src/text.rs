//! The texts of verdicts, and the checks read back from them.
//!
//! Upstream: `AggregateCheckResults` in `policy/checks.go`, `EvaluatePod` in
//! `admission/admission.go`.

use crate::checks::{self, Check};
use crate::evaluate::Violation;
use crate::level::{Level, LevelVersion, PolicyVersion};
use crate::server::Server;
use std::collections::BTreeSet;

/// `reason (detail), reason (detail)`: all that is wrong with one pod (`ForbiddenDetail`).
#[must_use]
pub fn detail(violations: &[Violation]) -> String {
    let mut text = String::new();
    push_detail(&mut text, violations);
    text
}

fn push_detail(text: &mut String, violations: &[Violation]) {
    let length = |violation: &Violation| violation.reason.len() + violation.detail.len() + 5;
    text.reserve(violations.iter().map(length).sum());
    for (at, violation) in violations.iter().enumerate() {
        if at > 0 {
            text.push_str(", ");
        }
        text.push_str(violation.reason);
        if !violation.detail.is_empty() {
            text.push_str(" (");
            text.push_str(&violation.detail);
            text.push(')');
        }
    }
}

/// `reason, reason`: what the warnings about the pods of a namespace say (`ForbiddenReason`).
#[must_use]
pub fn reasons(violations: &[Violation]) -> String {
    violations
        .iter()
        .map(|violation| violation.reason)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Why a pod is rejected, without the `pods "NAME" is forbidden: ` before it.
#[must_use]
pub fn deny(server: Server, policy: LevelVersion, violations: &[Violation]) -> String {
    let mut text = String::new();
    if server.names_policy_in_messages() {
        text = format!("violates PodSecurity \"{policy}\": ");
    }
    push_detail(&mut text, violations);
    text
}

/// The warning to a requester.
#[must_use]
pub fn warn(server: Server, policy: LevelVersion, violations: &[Violation]) -> String {
    let detail = detail(violations);
    if server.names_policy_in_messages() {
        format!("would violate PodSecurity \"{policy}\": {detail}")
    } else {
        let LevelVersion { level, version } = policy;
        format!("would violate \"{version}\" version of \"{level}\" PodSecurity profile: {detail}")
    }
}

/// The audit annotation about violations (from 1.23 `audit-violations`, in 1.22 `audit`).
#[must_use]
pub fn audit(server: Server, policy: LevelVersion, violations: &[Violation]) -> String {
    if server.names_policy_in_messages() {
        warn(server, policy, violations)
    } else {
        detail(violations)
    }
}

/// The ids of the checks that a message of a server of this kind names, in order: of a rejection, a
/// warning or an audit annotation, whatever stands before it. Empty for any other text.
///
/// Details repeat what users wrote, unescaped, so a name in a manifest can look like another check.
/// A message is therefore read as a whole: each piece must be one that its check can give, and of
/// the checks that the policy runs, in their order. From a message that was cut off, the checks
/// are told that it names before its end.
///
/// ```
/// use podgate_policy::{Minor, Server, checks_in_message};
/// let server = Server::new(Minor::known(36));
/// let message = r#"pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true)"#;
/// assert_eq!(checks_in_message(server, message), ["hostNamespaces"]);
/// ```
#[must_use]
pub fn checks_in_message(server: Server, message: &str) -> Vec<&'static str> {
    if let Some((policy, detail)) = policy_and_detail(message) {
        let mut reader = Reader::new(server, policy, detail);
        let found = if reader.read(0, 0) {
            reader.found
        } else {
            reader.farthest
        };
        return found.into_iter().map(|(id, _)| id).collect();
    }
    // A rejection of 1.22 does not name its policy: it may be any that this server has, and
    // restricted runs all checks there. Nothing but a whole message will do.
    let bare = message
        .split_once(" is forbidden: ")
        .map(|(_, detail)| detail);
    if let (false, Some(detail)) = (server.names_policy_in_messages(), bare) {
        let policy = LevelVersion::new(Level::Restricted, PolicyVersion::Latest);
        let mut reader = Reader::new(server, policy, detail);
        if reader.read(0, 0) {
            return reader.found.into_iter().map(|(id, _)| id).collect();
        }
    }
    Vec::new()
}

/// A message that names its policy, cut into pieces: the text before them, and for each check that
/// it names the id and the piece, `reason (detail)`. `None` for any other text, and for a message
/// that was cut off.
///
/// ```
/// use podgate_policy::{Minor, Server, text};
/// let server = Server::new(Minor::known(36));
/// let message = r#"would violate PodSecurity "baseline:latest": host namespaces (hostPID=true), hostPort (container "c" uses hostPort 80)"#;
/// let (before, pieces) = text::pieces(server, message).unwrap();
/// assert_eq!(before, r#"would violate PodSecurity "baseline:latest": "#);
/// assert_eq!(pieces[1], ("hostPorts", r#"hostPort (container "c" uses hostPort 80)"#));
/// ```
#[must_use]
pub fn pieces(server: Server, message: &str) -> Option<(&str, Vec<(&'static str, &str)>)> {
    let (policy, detail) = policy_and_detail(message)?;
    let mut reader = Reader::new(server, policy, detail);
    if !reader.read(0, 0) {
        return None;
    }
    let ends = reader
        .found
        .iter()
        .skip(1)
        .map(|(_, start)| start - ", ".len());
    let ends = ends.chain([detail.len()]);
    let pieces = reader
        .found
        .iter()
        .zip(ends)
        .map(|(&(id, start), end)| (id, &detail[start..end]));
    Some((&message[..message.len() - detail.len()], pieces.collect()))
}

/// The policy that a rejection, a warning or an audit annotation names. Rejections of 1.22 name none.
#[must_use]
pub fn policy_in_message(message: &str) -> Option<LevelVersion> {
    policy_and_detail(message).map(|(policy, _)| policy)
}

/// The policy that a message names, and the text behind it.
fn policy_and_detail(message: &str) -> Option<(LevelVersion, &str)> {
    for marker in ["violates PodSecurity \"", "would violate PodSecurity \""] {
        if let Some((_, rest)) = message.split_once(marker) {
            let (policy, detail) = rest.split_once("\": ")?;
            return Some((policy.parse().ok()?, detail));
        }
    }
    let (_, rest) = message.split_once("would violate \"")?;
    let (version, rest) = rest.split_once("\" version of \"")?;
    let (level, detail) = rest.split_once("\" PodSecurity profile: ")?;
    Some((
        LevelVersion::new(level.parse().ok()?, version.parse().ok()?),
        detail,
    ))
}

/// Reads a detail by trying, with a memory of what led nowhere.
struct Reader<'a> {
    /// The checks that the policy runs, in order.
    checks: Vec<&'static Check>,
    detail: &'a str,
    /// The checks named so far, and where their pieces start.
    found: Vec<(&'static str, usize)>,
    /// The checks named up to the farthest place that was understood, and that place.
    farthest: Vec<(&'static str, usize)>,
    reached: usize,
    /// From which places, with which checks left, the rest cannot be read.
    dead_ends: BTreeSet<(usize, usize)>,
}

impl<'a> Reader<'a> {
    fn new(server: Server, policy: LevelVersion, detail: &'a str) -> Self {
        Self {
            checks: checks::active(server, policy)
                .map(|(check, _)| check)
                .collect(),
            detail,
            found: Vec::new(),
            farthest: Vec::new(),
            reached: 0,
            dead_ends: BTreeSet::new(),
        }
    }

    /// Whether the text from `start` on can be read as pieces of the checks from `first` on;
    /// `found` then names them.
    fn read(&mut self, start: usize, first: usize) -> bool {
        if self.dead_ends.contains(&(start, first)) {
            return false;
        }
        for index in first..self.checks.len() {
            let check = self.checks[index];
            for reason in check.reasons {
                let rest = self.detail[start..].strip_prefix(reason);
                let Some(rest) = rest.and_then(|rest| rest.strip_prefix(" (")) else {
                    continue;
                };
                let begin = self.detail.len() - rest.len();
                self.found.push((check.id, start));
                self.note(begin);
                // The first closing parenthesis that makes sense is the right one, most likely.
                for (length, _) in rest.match_indices(')') {
                    if self.ends_at(check, begin, begin + length, index) {
                        return true;
                    }
                }
                self.found.pop();
            }
        }
        self.dead_ends.insert((start, first));
        false
    }

    /// Whether the piece of `check` may be `begin..end`, and the rest can be read then.
    fn ends_at(&mut self, check: &Check, begin: usize, end: usize, index: usize) -> bool {
        let rest = &self.detail[end + 1..];
        if !rest.is_empty() && !rest.starts_with(", ") {
            return false;
        }
        let piece = &self.detail[begin..end];
        if !check.details.iter().any(|pattern| matches(pattern, piece)) {
            return false;
        }
        self.note(end);
        rest.is_empty() || self.read(end + ", ".len() + 1, index + 1)
    }

    /// Remembers the checks found up to `place`, if none went farther.
    fn note(&mut self, place: usize) {
        if place > self.reached {
            self.reached = place;
            self.farthest.clone_from(&self.found);
        }
    }
}

/// Whether `text` has the form of `pattern`, as [`Check::details`] explains it.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    if text.contains('"') && !pattern.contains('"') {
        return false;
    }
    let Some((start, pattern)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(start) else {
        return false;
    };
    let (middle, end) = pattern.rsplit_once('*').unwrap_or(("", pattern));
    for part in middle.split('*') {
        let Some((_, rest)) = text.split_once(part) else {
            return false;
        };
        text = rest;
    }
    text.ends_with(end)
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;

//! The text of a snapshot: written from outcomes, and read back into them.
//!
//! ```text
//! step 1: apply Deployment/web
//!
//! Deployment/web   applied by admin
//!   1.23..1.25  admitted
//!   1.26..      admitted
//!     warning: would violate PodSecurity "restricted:latest": ...
//!   pods   created by replicaset-controller
//!     1.23..      rejected 403 PodSecurity [privileged]
//!       pods "<pod>" is forbidden: violates PodSecurity "baseline:latest": ...
//!
//! Pod/web   applied by admin
//!   1.20..1.24  admitted
//!     policy: restricted, only because the requester is in system:masters
//!       spec.securityContext.fsGroup: 1
//! ```
//! The indentation says what a line belongs to. Below a range stand the lines of the message, or the
//! `PodSecurityPolicy` with each field that it gave a value, then the warnings; a warning of several lines goes on two columns further in. Any text reads back as
//! it was: see `text.rs` for what is quoted.

use std::fmt::Write;

use super::fold::{Outcomes, fold, ranges};
use super::minors::Range;
pub use super::read::read;
use super::text::{write_line, write_word};
use crate::outcome::{Stage, Verdict};

pub(super) const WARNING: &str = "warning: ";
pub(super) const POLICY: &str = "policy: ";
/// Behind the name of a policy.
pub(super) const ONLY_BY_MASTERS: &str = ", only because the requester is in system:masters";

/// The widest range is `1.20..1.37`.
const RANGE_WIDTH: usize = 10;

/// Writes outcomes in the one form that they have in a snapshot. Empty where there are none.
#[must_use]
pub fn write(outcomes: &Outcomes) -> String {
    let mut out = String::new();
    let mut step = None;
    for entry in fold(outcomes) {
        if !out.is_empty() {
            out.push('\n');
        }
        if entry.key.step != step {
            step = entry.key.step;
            if let Some(step) = step {
                let _ = write!(out, "step {}: ", step.number);
                write_line(&mut out, &step.label, None);
                out.push_str("\n\n");
            }
        }
        write_word(&mut out, entry.key.object);
        let _ = write!(out, "   {} by ", entry.key.action);
        write_word(&mut out, entry.key.requester);
        out.push('\n');
        write_ranges(&mut out, "  ", &ranges(&entry.own));
        for (requester, groups) in &entry.pods {
            out.push_str("  pods   created by ");
            write_word(&mut out, requester);
            out.push('\n');
            write_ranges(&mut out, "    ", &ranges(groups));
        }
    }
    out
}

fn write_ranges(out: &mut String, indent: &str, ranges: &[(Range, &Stage)]) {
    for (range, stage) in ranges {
        let range = range.to_string();
        let _ = write!(out, "{indent}{range:RANGE_WIDTH$}  ");
        let text = match &stage.verdict {
            Verdict::Admitted => {
                out.push_str("admitted\n");
                ""
            }
            Verdict::Undecided { reason } => {
                out.push_str("undecided\n");
                reason
            }
            Verdict::Rejected(rejection) => {
                let _ = write!(out, "rejected {} {}", rejection.code, rejection.by);
                for (at, check) in rejection.checks.iter().enumerate() {
                    out.push_str(if at == 0 { " [" } else { ", " });
                    write_word(out, check);
                }
                out.push_str(if rejection.checks.is_empty() {
                    "\n"
                } else {
                    "]\n"
                });
                &rejection.message
            }
        };
        if !text.is_empty() {
            for line in text.split('\n') {
                out.push_str(indent);
                out.push_str("  ");
                write_line(out, line, Some(WARNING));
                out.push('\n');
            }
        }
        if let Some(applied) = &stage.psp {
            let _ = write!(out, "{indent}  {POLICY}");
            write_word(out, &applied.policy);
            out.push_str(if applied.only_by_masters {
                ONLY_BY_MASTERS
            } else {
                ""
            });
            out.push('\n');
            for change in &applied.changes {
                let _ = write!(out, "{indent}    ");
                write_line(out, &change.to_string(), None);
                out.push('\n');
            }
        }
        for warning in &stage.warnings {
            for (at, line) in warning.split('\n').enumerate() {
                out.push_str(indent);
                out.push_str("  ");
                out.push_str(if at == 0 { WARNING } else { "  " });
                write_line(out, line, None);
                out.push('\n');
            }
        }
    }
}

/// Why a text is no snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct FormatError {
    /// The line of the text, counted from 1; of the file where the text was read from one.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

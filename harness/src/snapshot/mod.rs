//! Snapshots: the reviewed record of what a cluster answered to a scenario, on every minor.
//!
//! There is one file per cluster and scenario. Its text groups outcomes by ranges of minors that
//! behave alike ([`format`](mod@format)); a run over some minors, on whatever backend, is laid over what is
//! recorded and compared with it ([`Comparison`]); what differs is proposed beside the file
//! ([`Store`]) and accepted or rejected by a person ([`review`]).
//!
//! Only [`Store`] touches files. Whether it may write is its caller's decision: in CI it may not.

pub mod compare;
pub mod diff;
mod fold;
pub mod format;
pub mod insta;
mod minors;
mod read;
pub mod review;
pub mod store;
mod text;

pub use compare::{Change, ChangeKind, Of, changes};
pub use fold::Outcomes;
pub use format::FormatError;
pub use insta::Header;
pub use minors::Minors;
pub use review::{Accepted, Pending};
pub use store::{Store, StoreError, Writing};

use fold::overlay;

/// What a run says about the snapshot of one cluster and scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Whether nothing is recorded at all.
    pub missing: bool,
    /// What changed, the most dangerous change first.
    pub changes: Vec<Change>,
    /// Whether the recorded text says the same as `text` in another form: edited by hand, say.
    pub reformatted: bool,
    /// What the snapshot has to be for this run to agree with it: the minors that ran as they were
    /// observed, the others as they are recorded.
    pub text: String,
}

impl Comparison {
    /// Compares what is recorded (`None` where there is no snapshot) with what a run observed.
    ///
    /// `applicable` are the minors that the scenario has on this cluster; what is recorded for
    /// others is out of date and reported as removed. Minors that are applicable and did not run
    /// are neither compared nor changed.
    pub fn of(
        recorded: Option<&str>,
        observed: &Outcomes,
        applicable: Minors,
    ) -> Result<Self, FormatError> {
        let recorded_text = recorded.unwrap_or_default();
        let ran: Minors = observed.keys().copied().collect();
        // Most often everything ran and nothing changed: then nothing has to be read.
        if ran == applicable {
            let text = format::write(observed);
            if text == recorded_text {
                return Ok(Self {
                    missing: false,
                    changes: Vec::new(),
                    reformatted: false,
                    text,
                });
            }
        }
        let recorded = format::read(recorded_text)?;
        let merged = overlay(recorded.clone(), observed, applicable);
        let text = format::write(&merged);
        let (changes, reformatted) = if text == recorded_text {
            (Vec::new(), false)
        } else {
            let changes = changes(&recorded, &merged, ran | (Minors::ALL - applicable));
            let reformatted = changes.is_empty();
            (changes, reformatted)
        };
        Ok(Self {
            missing: recorded_text.is_empty() && !text.is_empty(),
            changes,
            reformatted,
            text,
        })
    }

    /// Whether the run agrees with what is recorded.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.changes.is_empty() && !self.reformatted
    }
}

#[cfg(test)]
mod tests;

//! The server that a scenario runs on, with what is known of it beside its answers.

use std::collections::BTreeMap;

use kube::Client;
use podgate_policy::Minor;

use crate::backend::Booted;
use crate::exchange::Answer;
use crate::outcome::Outcome;

/// The server that a scenario runs on.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// A client of its admin.
    pub client: &'a Client,
    /// Its minor.
    pub minor: Minor,
    /// What is known of a real server; `None` for the embedded one.
    pub real: Option<&'a Booted>,
    /// What the embedded server answers to the same scenario, in order; a real one is asked again for
    /// a while after a change where it answers otherwise.
    pub expected: Option<&'a [Outcome]>,
}

impl<'a> Target<'a> {
    /// The embedded server, or a copy of it.
    #[must_use]
    pub fn embedded(client: &'a Client, minor: Minor) -> Self {
        Self {
            client,
            minor,
            real: None,
            expected: None,
        }
    }

    /// The audit annotations of a request, where the answer tells them. Those of a real server stand
    /// in its audit log at best.
    pub(super) fn audit(self, answer: &Answer) -> Option<BTreeMap<String, String>> {
        match self.real {
            None => Some(answer.audit.iter().cloned().collect()),
            Some(_) => None,
        }
    }
}

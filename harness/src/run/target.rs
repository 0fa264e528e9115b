//! The server that a scenario runs on, with what is known of it beside its answers.

use std::collections::BTreeMap;

use kube::Client;
use podgate_policy::Minor;

use super::namespace_name;
use crate::backend::Booted;
use crate::exchange::Answer;
use crate::outcome::Outcome;
use crate::suite::{Cluster, Scenario};

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
    /// What may be done there.
    pub ground: Ground<'a>,
}

/// What a scenario may do to the server that it runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ground<'a> {
    /// Whatever it likes: the server is the run's own.
    #[default]
    Own,
    /// Whatever it likes within a namespace of its own, which carries this run's id: everything else
    /// is somebody's.
    Guest(&'a str),
    /// Nothing: the client makes dry runs of what is created, in these namespaces. A scenario that
    /// names none runs in the first.
    DryRun(&'a [String]),
}

/// The label by which a namespace on somebody's cluster is known to be a run's.
pub(crate) const RUN_LABEL: &str = "podgate.dev/run";

impl<'a> Target<'a> {
    /// The embedded server, or a copy of it.
    #[must_use]
    pub fn embedded(client: &'a Client, minor: Minor) -> Self {
        Self {
            client,
            minor,
            real: None,
            expected: None,
            ground: Ground::Own,
        }
    }

    /// The namespace that `scenario` runs in.
    pub(crate) fn namespace(self, cluster: &Cluster, scenario: &Scenario) -> String {
        if let Some(chosen) = &scenario.namespace.name {
            return chosen.clone();
        }
        match self.ground {
            Ground::Own => namespace_name(&scenario.id, &cluster.name),
            // Two people may run the same suite there.
            Ground::Guest(run) => namespace_name(&scenario.id, &format!("{}-{run}", cluster.name)),
            Ground::DryRun(namespaces) => namespaces.first().cloned().unwrap_or_default(),
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

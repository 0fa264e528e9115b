//! What a suite asks of the rules: for each check of the Pod Security Standards and each version at
//! which it changed the scenarios that trip it and that pass it, and for each field of a
//! `PodSecurityPolicy` the scenarios that it refuses.
//!
//! It is read from what the server said, never from what a file intends:
//!
//! - *tripped*: a rejection, a warning or an audit annotation names the check, and the policy in the
//!   same text says which version of it ran;
//! - *passed*: the check ran at that version and had nothing against an object that it is about. That
//!   it ran is told by the server too: by `enforce-policy` in the audit annotations, or by a text
//!   that names other checks of the same policy. An object is what a check is about when it sets one
//!   of the fields that the check looks at (of volumes, ports and sysctls: when it has one), or when
//!   the same object trips the check somewhere else in the matrix. A pod without a security context
//!   meets most of baseline, and shows nothing.
//!
//! Rejections of 1.22 do not name their policy, so they count for nothing here. Upstream has no
//! counterpart; its suite, `pod-security-admission/test`, has a fixture for each check and version.

mod exercise;

use std::collections::{BTreeMap, BTreeSet};

use podgate_policy::checks::{self, CHECKS};
use podgate_policy::{LevelVersion, Minor, Server, checks_in_message, psp, text};
use serde::Serialize;

use crate::execute::Results;
use crate::outcome::{By, Outcome, Stage};
use crate::plan::Plan;
use exercise::Objects;

/// The coverage of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// One entry for each check and version of it, in the order of messages.
    pub checks: Vec<CheckCoverage>,
    /// One entry for each field by which a `PodSecurityPolicy` refuses pods; empty where no cluster
    /// has the plugin.
    pub policy_fields: Vec<FieldCoverage>,
}

/// Who tried one version of a check. Scenarios are told by their ids, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckCoverage {
    /// The check.
    pub id: &'static str,
    /// The policy version with which it came or changed: `v1.25`.
    pub version: String,
    /// The scenarios that it has something against.
    pub tripped: BTreeSet<String>,
    /// The scenarios that it is about, and has nothing against.
    pub passed: BTreeSet<String>,
    /// Why no valid object trips it, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<&'static str>,
}

/// Versions of checks that no object can trip which the server accepts otherwise, and why.
const UNREACHABLE: [(&str, u64, &str); 1] = [(
    "procMount",
    35,
    "it allows Unmasked with hostUsers: false, and validation refuses it without (1.30 and newer)",
)];

/// Who tried one field of a `PodSecurityPolicy`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldCoverage {
    /// The field: `spec.runAsUser`.
    pub field: &'static str,
    /// The rule of its strategy, where denials tell it.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub rule: &'static str,
    /// The scenarios that it refuses.
    pub tripped: BTreeSet<String>,
    /// Why it refuses no pod, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<&'static str>,
}

/// Fields that refuse no pod although the plugin looks at them, and why.
const UNREACHABLE_FIELDS: [(&str, &str); 1] = [(
    "spec.requiredDropCapabilities",
    "the plugin drops them itself before it looks",
)];

impl CheckCoverage {
    /// Whether nothing trips it although something could, or nothing passes it.
    #[must_use]
    pub fn is_hole(&self) -> bool {
        (self.tripped.is_empty() && self.unreachable.is_none()) || self.passed.is_empty()
    }
}

impl FieldCoverage {
    /// Whether it refuses nothing although it could.
    #[must_use]
    pub fn is_hole(&self) -> bool {
        self.tripped.is_empty() && self.unreachable.is_none()
    }
}

impl Coverage {
    /// What the results of `plan` cover.
    #[must_use]
    pub fn of(plan: &Plan, results: &Results) -> Self {
        let mut tally = Tally::default();
        // First what is tripped: that an object trips a check somewhere tells what it is about.
        for (place, outcome) in outcomes(results) {
            for evaluation in evaluations(outcome, place.minor) {
                for id in &evaluation.tripped {
                    tally.trip(&place, outcome, id, &evaluation);
                }
            }
            tally.refuse(&place, outcome);
        }
        let mut objects = Objects::default();
        for (place, outcome) in outcomes(results) {
            let scenario = &plan.scenarios[place.scenario];
            for evaluation in evaluations(outcome, place.minor) {
                for (check, revision) in evaluation.ran() {
                    if evaluation.tripped.contains(&check.id) {
                        continue;
                    }
                    let seen = tally.passed.entry((check.id, revision)).or_default();
                    if seen.contains(&place.scenario) {
                        continue;
                    }
                    let object = (place.scenario, outcome.object.clone());
                    let about = tally
                        .objects
                        .get(check.id)
                        .is_some_and(|objects| objects.contains(&object))
                        || objects.exercise(scenario, place.scenario, &outcome.object, check);
                    if about {
                        seen.insert(place.scenario);
                    }
                }
            }
        }
        tally.into_coverage(plan)
    }

    /// The checks and versions that nothing trips or nothing passes.
    pub fn holes(&self) -> impl Iterator<Item = &CheckCoverage> {
        self.checks.iter().filter(|check| check.is_hole())
    }

    /// The fields that refuse nothing.
    pub fn field_holes(&self) -> impl Iterator<Item = &FieldCoverage> {
        self.policy_fields.iter().filter(|field| field.is_hole())
    }
}

/// A cell of a run.
struct Cell {
    scenario: usize,
    minor: Minor,
}

fn outcomes(results: &Results) -> impl Iterator<Item = (Cell, &Outcome)> {
    results
        .cells
        .iter()
        .flat_map(|(&(_, scenario), cells)| cells.iter().map(move |cell| (scenario, cell)))
        .flat_map(|(scenario, (&minor, cell))| {
            let place = move |outcome| (Cell { scenario, minor }, outcome);
            cell.run.outcomes.iter().map(place)
        })
}

/// A policy that a server evaluated, and the checks that it then named.
struct Evaluation {
    server: Server,
    policy: LevelVersion,
    tripped: Vec<&'static str>,
}

impl Evaluation {
    fn read(server: Server, message: &str) -> Option<Self> {
        Some(Self {
            server,
            policy: text::policy_in_message(message)?,
            tripped: checks_in_message(server, message),
        })
        // A text about something else names no check, and the warning about the pods of a namespace
        // only reasons.
        .filter(|evaluation| !evaluation.tripped.is_empty())
    }

    /// The checks that ran, each with the version from which it applies.
    fn ran(&self) -> impl Iterator<Item = (&'static checks::Check, u64)> {
        checks::active(self.server, self.policy).map(|(check, revision)| (check, revision.since))
    }
}

fn evaluations(outcome: &Outcome, minor: Minor) -> impl Iterator<Item = Evaluation> {
    // Feature gates decide verdicts, not which checks run.
    let server = Server::new(minor);
    let stages = std::iter::once(&outcome.own).chain(&outcome.pods);
    stages.flat_map(move |stage| of_stage(stage, server))
}

fn of_stage(stage: &Stage, server: Server) -> Vec<Evaluation> {
    const PREFIX: &str = "pod-security.kubernetes.io/";
    let annotation = |key: &str| {
        let annotations = stage.audit_annotations.as_ref()?;
        let value = annotations.get(&format!("{PREFIX}{key}"));
        value.map(String::as_str)
    };
    let rejection = stage.verdict.rejection();
    let message = rejection.filter(|rejection| rejection.by == By::PodSecurity);
    let mut evaluations: Vec<Evaluation> = message
        .map(|rejection| rejection.message.as_str())
        .into_iter()
        .chain(annotation("audit-violations"))
        .chain(stage.warnings.iter().map(String::as_str))
        .filter_map(|text| Evaluation::read(server, text))
        .collect();
    if stage.verdict.is_admitted()
        && let Some(policy) = annotation("enforce-policy").and_then(|it| it.parse().ok())
    {
        evaluations.push(Evaluation {
            server,
            policy,
            tripped: Vec::new(),
        });
    }
    evaluations
}

#[derive(Default)]
struct Tally {
    /// By check and the version from which it applies: scenarios.
    tripped: BTreeMap<(&'static str, u64), BTreeSet<usize>>,
    passed: BTreeMap<(&'static str, u64), BTreeSet<usize>>,
    /// By check: the objects that trip it somewhere.
    objects: BTreeMap<&'static str, BTreeSet<(usize, String)>>,
    /// By the index of a policy's field: scenarios.
    refused: BTreeMap<(&'static str, &'static str), BTreeSet<usize>>,
}

impl Tally {
    fn trip(&mut self, cell: &Cell, outcome: &Outcome, id: &'static str, of: &Evaluation) {
        let Some((_, since)) = of.ran().find(|(check, _)| check.id == id) else {
            return;
        };
        self.tripped
            .entry((id, since))
            .or_default()
            .insert(cell.scenario);
        let object = (cell.scenario, outcome.object.clone());
        self.objects.entry(id).or_default().insert(object);
    }

    fn refuse(&mut self, cell: &Cell, outcome: &Outcome) {
        let stages = std::iter::once(&outcome.own).chain(&outcome.pods);
        for rejection in stages.filter_map(|stage| stage.verdict.rejection()) {
            if rejection.by != By::PodSecurityPolicy {
                continue;
            }
            for field in psp::fields_in_message(&rejection.message) {
                let key = (field.field, field.rule);
                self.refused.entry(key).or_default().insert(cell.scenario);
            }
        }
    }

    fn into_coverage(self, plan: &Plan) -> Coverage {
        let ids = |scenarios: Option<&BTreeSet<usize>>| -> BTreeSet<String> {
            let scenarios = scenarios.into_iter().flatten();
            scenarios.map(|at| plan.scenarios[*at].id.clone()).collect()
        };
        let checks = CHECKS.into_iter().flat_map(|check| {
            check
                .revisions
                .iter()
                .map(move |revision| (check, revision))
        });
        let checks = checks.map(|(check, revision)| {
            let key = (check.id, revision.since);
            CheckCoverage {
                id: check.id,
                version: format!("v1.{}", revision.since),
                tripped: ids(self.tripped.get(&key)),
                passed: ids(self.passed.get(&key)),
                unreachable: UNREACHABLE
                    .iter()
                    .find(|(id, since, _)| (*id, *since) == key)
                    .map(|(.., why)| *why),
            }
        });
        let has_policies = plan.clusters.iter().any(|cluster| {
            let plugins = &cluster.flags.enable_admission_plugins;
            plugins.iter().any(|plugin| plugin == "PodSecurityPolicy")
        });
        let fields = psp::FIELDS.iter().filter(|_| has_policies);
        let policy_fields = fields.map(|field| FieldCoverage {
            field: field.field,
            rule: field.rule,
            tripped: ids(self.refused.get(&(field.field, field.rule))),
            unreachable: UNREACHABLE_FIELDS
                .iter()
                .find(|(name, _)| *name == field.field)
                .map(|(_, why)| *why),
        });
        Coverage {
            checks: checks.collect(),
            policy_fields: policy_fields.collect(),
        }
    }
}

#[cfg(test)]
mod tests;

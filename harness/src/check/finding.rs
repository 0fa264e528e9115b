//! One line of `podgate check -o jsonl`: the verdict on an object, on one cluster at one minor.

use std::collections::BTreeMap;

use podgate_policy::Minor;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::trial::{Trial, TriedPolicy};
use crate::fault::{self, About, Fault};
use crate::outcome::{By, Rejection, Stage, Verdict};
use crate::psp::{AppliedPolicy, FieldChange};
use crate::suite::Manifest;

/// The verdict on an object. Serialised it is the line that users' tools read; the names and the
/// order of its fields are part of the contract, so [`Serialize`] spells them out.
#[derive(Clone, Debug)]
pub struct Finding {
    /// `Kind/NAMESPACE/NAME`
    pub object: String,
    /// The file as the user named it.
    pub file: String,
    /// The line of the object, counted from one.
    pub line: usize,
    /// The file that it was rendered from, where that is known: the line is none of that file's.
    pub source: Option<String>,
    /// The cluster; `None` where the policy came from flags or from the input.
    pub cluster: Option<String>,
    /// The minor.
    pub minor: Minor,
    /// The answer to the object itself.
    pub answer: AnswerLine,
    /// Whether the object and all its pods are admitted.
    pub ok: bool,
    /// For workloads: the pods that its controller would create.
    pub pods: Option<Vec<PodFinding>>,
    /// The object as the server would store it, where that was asked for.
    pub stored: Option<serde_json::Value>,
}

impl Finding {
    /// Whether the object or one of its pods is rejected; `None` where that cannot be known.
    pub(crate) fn is_rejected(&self) -> Option<bool> {
        let of_pods = self.pods.iter().flatten().map(|pod| &pod.answer);
        let mut answers = std::iter::once(&self.answer).chain(of_pods);
        if answers.clone().any(|answer| answer.admitted == Some(false)) {
            return Some(true);
        }
        answers
            .all(|answer| answer.admitted.is_some())
            .then_some(false)
    }

    /// Finds where in `manifest`, which it is about, stands what the server speaks of.
    pub(super) fn locate(&mut self, manifest: &Manifest) {
        self.answer.locate(manifest, self.minor, About::Object);
        for pod in self.pods.iter_mut().flatten() {
            pod.answer.locate(manifest, self.minor, About::Pods);
        }
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("object", &self.object)?;
        line.serialize_entry("file", &self.file)?;
        line.serialize_entry("line", &self.line)?;
        if let Some(source) = &self.source {
            line.serialize_entry("source", source)?;
        }
        line.serialize_entry("cluster", &self.cluster)?;
        line.serialize_entry("kubernetes", &self.minor.to_string())?;
        self.answer.write(&mut line, Some(self.ok))?;
        if let Some(pods) = &self.pods {
            line.serialize_entry("pods", pods)?;
        }
        if let Some(stored) = &self.stored {
            line.serialize_entry("stored", stored)?;
        }
        line.end()
    }
}

/// The verdict on a pod of a workload.
#[derive(Clone, Debug)]
pub struct PodFinding {
    /// `Pod/NAMESPACE/NAME`, the name as the server generated it.
    pub object: String,
    /// The answer to the pod.
    pub answer: AnswerLine,
    /// The pod as the server would store it, where that was asked for.
    pub stored: Option<serde_json::Value>,
}

impl Serialize for PodFinding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("object", &self.object)?;
        self.answer.write(&mut line, None)?;
        if let Some(stored) = &self.stored {
            line.serialize_entry("stored", stored)?;
        }
        line.end()
    }
}

/// What the server answers to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerLine {
    /// Who asks: `admin`.
    pub r#as: String,
    /// Whether it is admitted; `None` where that cannot be known.
    pub admitted: Option<bool>,
    /// Why it cannot be known.
    pub undecided: Option<String>,
    /// By whom it is rejected.
    pub by: Option<By>,
    /// The HTTP code: 201 when admitted.
    pub code: Option<u16>,
    /// The ids of the checks that the message names.
    pub checks: Vec<String>,
    /// The message as the server writes it.
    pub message: Option<String>,
    /// The texts of the warnings.
    pub warnings: Vec<String>,
    /// The audit annotations.
    pub audit_annotations: BTreeMap<String, String>,
    /// The `PodSecurityPolicy` that a pod is admitted by.
    pub psp: Option<AppliedPolicy>,
    /// What each `PodSecurityPolicy` says of a pod, where the server has the plugin.
    pub trial: Option<Trial>,
    /// Where the fields stand for which it is rejected, where that was asked for.
    pub faults: Vec<Fault>,
    /// The same of each warning.
    pub warning_faults: Vec<Vec<Fault>>,
}

/// What is told of policies in a line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Policies<'a> {
    policy: Option<&'a str>,
    only_by_masters: bool,
    changes: &'a [FieldChange],
    tried: &'a [TriedPolicy],
}

impl AnswerLine {
    /// The line for what one requester was answered.
    #[must_use]
    pub fn of(stage: Stage) -> Self {
        let mut line = Self {
            r#as: stage.requester,
            admitted: None,
            undecided: None,
            by: None,
            code: None,
            checks: Vec::new(),
            message: None,
            warnings: stage.warnings,
            audit_annotations: stage.audit_annotations.unwrap_or_default(),
            psp: stage.psp,
            trial: None,
            faults: Vec::new(),
            warning_faults: Vec::new(),
        };
        match stage.verdict {
            Verdict::Admitted => {
                line.admitted = Some(true);
                line.code = Some(201);
            }
            Verdict::Rejected(rejection) => line.reject(rejection),
            Verdict::Undecided { reason } => line.undecided = Some(reason),
        }
        line
    }

    /// Writes its fields into a line; `ok` has its place among them.
    fn write<M: SerializeMap>(&self, line: &mut M, ok: Option<bool>) -> Result<(), M::Error> {
        line.serialize_entry("as", &self.r#as)?;
        line.serialize_entry("admitted", &self.admitted)?;
        if let Some(reason) = &self.undecided {
            line.serialize_entry("undecided", reason)?;
        }
        if let Some(ok) = ok {
            line.serialize_entry("ok", &ok)?;
        }
        line.serialize_entry("by", &self.by)?;
        line.serialize_entry("code", &self.code)?;
        line.serialize_entry("checks", &self.checks)?;
        line.serialize_entry("message", &self.message)?;
        line.serialize_entry("warnings", &self.warnings)?;
        line.serialize_entry("auditAnnotations", &self.audit_annotations)?;
        if let Some(trial) = &self.trial {
            let applied = self.psp.as_ref();
            let policies = Policies {
                policy: applied.map(|applied| applied.policy.as_str()),
                only_by_masters: applied.is_some_and(|applied| applied.only_by_masters),
                changes: applied.map_or(&[], |applied| &applied.changes),
                tried: &trial.tried,
            };
            line.serialize_entry("psp", &policies)?;
        }
        Ok(())
    }

    fn locate(&mut self, manifest: &Manifest, minor: Minor, about: About) {
        let faults = |message: &String| fault::faults(manifest, minor, message, about);
        self.faults = self.message.as_ref().map(faults).unwrap_or_default();
        self.warning_faults = self.warnings.iter().map(faults).collect();
    }

    pub(super) fn reject(&mut self, rejection: Rejection) {
        self.admitted = Some(false);
        self.by = Some(rejection.by);
        self.code = Some(rejection.code);
        self.checks = rejection.checks;
        self.message = Some(rejection.message);
    }
}

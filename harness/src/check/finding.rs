//! One line of `podgate check -o jsonl`: the verdict on an object, on one cluster at one minor.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::outcome::{By, Rejection, Stage, Verdict};

/// The verdict on an object. Serialised it is the line that users' tools read; the names and the
/// order of its fields are part of the contract.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// `Kind/NAMESPACE/NAME`
    pub object: String,
    /// The file as the user named it.
    pub file: String,
    /// The line of the object, counted from one.
    pub line: usize,
    /// The cluster; `None` where the policy came from flags or from the input.
    pub cluster: Option<String>,
    /// The minor: `1.36`.
    pub kubernetes: String,
    /// The answer to the object itself.
    #[serde(flatten)]
    pub answer: AnswerLine,
    /// Whether the object and all its pods are admitted.
    pub ok: bool,
    /// For workloads: the pods that its controller would create.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods: Option<Vec<PodFinding>>,
    /// The object as the server would store it, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored: Option<serde_json::Value>,
}

/// The verdict on a pod of a workload.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodFinding {
    /// `Pod/NAMESPACE/NAME`, the name as the server generated it.
    pub object: String,
    /// The answer to the pod.
    #[serde(flatten)]
    pub answer: AnswerLine,
    /// The pod as the server would store it, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored: Option<serde_json::Value>,
}

/// What the server answers to one request.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AnswerLine {
    /// Who asks: `admin`.
    pub r#as: String,
    /// Whether it is admitted; `None` where that cannot be known.
    pub admitted: Option<bool>,
    /// Why it cannot be known.
    #[serde(skip_serializing_if = "Option::is_none")]
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
            audit_annotations: stage.audit_annotations,
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

    pub(super) fn reject(&mut self, rejection: Rejection) {
        self.admitted = Some(false);
        self.by = Some(rejection.by);
        self.code = Some(rejection.code);
        self.checks = rejection.checks;
        self.message = Some(rejection.message);
    }
}

//! Tests of the text of snapshots and of their comparison. Files are tested in `tests/snapshots.rs`.

mod comparison;
mod generated;
mod text;

use std::collections::BTreeMap;

use podgate_policy::Minor;

use super::Outcomes;
use crate::outcome::{Action, By, Outcome, Rejection, Stage, Verdict};

const WARNING: &str = r#"would violate PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)"#;
const MESSAGE: &str = r#"pods "<pod>" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)"#;

fn stage(requester: &str, verdict: Verdict, warnings: &[&str]) -> Stage {
    Stage {
        requester: requester.into(),
        verdict,
        warnings: warnings.iter().map(ToString::to_string).collect(),
        psp: None,
        audit_annotations: Some(BTreeMap::new()),
    }
}

fn rejected(code: u16, by: By, checks: &[&str], message: &str) -> Verdict {
    let checks = checks.iter().map(ToString::to_string).collect();
    Verdict::Rejected(Rejection {
        code,
        by,
        checks,
        message: message.into(),
    })
}

fn pod(name: &str, verdict: Verdict) -> Outcome {
    Outcome {
        step: None,
        object: format!("Pod/{name}"),
        action: Action::Applied,
        own: stage("admin", verdict, &[]),
        pods: None,
    }
}

/// A Deployment under `restricted` as real servers treat it: the warning for it came with 1.26.
fn deployment(minor: Minor) -> Outcome {
    let warnings: &[&str] = if minor.number() < 26 { &[] } else { &[WARNING] };
    Outcome {
        step: None,
        object: "Deployment/web".into(),
        action: Action::Applied,
        own: stage("admin", Verdict::Admitted, warnings),
        pods: Some(stage(
            "replicaset-controller",
            rejected(403, By::PodSecurity, &["runAsNonRoot"], MESSAGE),
            &[],
        )),
    }
}

fn on(minors: impl IntoIterator<Item = u8>, outcomes: impl Fn(Minor) -> Vec<Outcome>) -> Outcomes {
    minors
        .into_iter()
        .map(Minor::known)
        .map(|minor| (minor, outcomes(minor)))
        .collect()
}

fn deployments() -> Outcomes {
    on(23..=37, |minor| vec![deployment(minor)])
}

const DEPLOYMENT: &str = r#"Deployment/web   applied by admin
  1.23..1.25  admitted
  1.26..      admitted
    warning: would violate PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)
  pods   created by replicaset-controller
    1.23..      rejected 403 PodSecurity [runAsNonRoot]
      pods "<pod>" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)
"#;

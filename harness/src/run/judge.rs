//! Turns answers into outcomes, and asks for the second stage of a workload.

use std::collections::BTreeMap;

use http::Method;
use podgate_admission::controller;
use podgate_admission::decode::decode_untyped;
use podgate_admission::encode::encode_untyped;
use podgate_admission::resource::{self, Resource};
use serde_json::Value;

use super::place::namespaced_path;
use super::write::Subject;
use super::{Ground, Runner, real};
use crate::attribute::{self, StatusView};
use crate::error::Error;
use crate::exchange::{Answer, Identity};
use crate::outcome::{self, Outcome, Stage, Step, Verdict};
use crate::redact::Redaction;

impl Runner<'_> {
    /// Turns an answer into an outcome; for a workload that stands, asks for its pods too.
    pub(super) async fn record(
        &mut self,
        (step, object, action): (Option<&Step>, String, outcome::Action),
        subject: Subject<'_>,
        answer: &Answer,
        identity: &Identity,
    ) -> Result<(), Error> {
        let resource = subject.resource;
        let (own, redaction) = self.judged(answer, subject, identity);
        self.made_up.clear();
        self.note_audit(false, answer.audit_id.as_ref(), &redaction);
        if answer.succeeded() && action == outcome::Action::Deleted {
            self.forget_workload(&object);
        }
        let mut outcome = Outcome {
            step: step.cloned(),
            object: match subject.manifest {
                // A refusal by a mutating plugin names the prefix, which is how the object is called here.
                Some(manifest) if manifest.generated_name => object,
                _ => redaction.text(&object),
            },
            action,
            own,
            pods: None,
        };
        let standing = answer.succeeded()
            && answer.body["kind"] == resource.kind
            && action != outcome::Action::Deleted;
        if standing {
            outcome.pods = self
                .pods(resource, &answer.body, answer.code == 201)
                .await?;
        }
        self.run.outcomes.push(outcome);
        Ok(())
    }

    /// What an answer says, with what is random taken out of it.
    pub(super) fn judged(
        &self,
        answer: &Answer,
        subject: Subject<'_>,
        identity: &Identity,
    ) -> (Stage, Redaction) {
        let namespace = answer.body["metadata"]["namespace"]
            .as_str()
            .or_else(|| subject.manifest?.document.namespace())
            .or(subject.namespace);
        let verdict = self.verdict(answer, subject.resource, namespace);
        let audit = self.target.audit(answer);
        let mut stage = stage(identity, verdict, &answer.warnings, audit);
        let mut redaction = self.redaction();
        for name in &self.made_up {
            redaction = redaction.pod(name);
        }
        if subject
            .manifest
            .is_some_and(|manifest| manifest.generated_name)
        {
            redaction = redaction.name(named(&answer.body).to_owned(), "<name>");
        }
        redaction.stage(&mut stage);
        (stage, redaction)
    }

    /// The second stage: the pod that the controller of `workload` would create, in dry run and in
    /// the controller's name.
    pub(super) async fn pods(
        &mut self,
        resource: &'static Resource,
        workload: &Value,
        new: bool,
    ) -> Result<Option<Stage>, Error> {
        let text = workload.to_string();
        let stored = decode_untyped(text.as_bytes())
            .map_err(|error| Error::environment(format!("the answer is no JSON: {error}")))?;
        let Some(planned) = controller::pod_of(resource, &stored, self.minor) else {
            return Ok(None);
        };
        let pods = resource::by_path("", "v1", "pods", self.minor)
            .ok_or_else(|| Error::environment("the server serves no pods"))?;
        let namespace = workload["metadata"]["namespace"]
            .as_str()
            .unwrap_or(&self.namespace);
        let identity = Identity::User {
            name: planned.user.name.clone(),
            groups: Vec::new(),
        };
        let path = format!("{}?dryRun=All", namespaced_path(namespace, "pods"));
        let body = encode_untyped(&planned.pod);
        loop {
            let json = Some(("application/json", body.as_bytes()));
            let answer = self.send(Method::POST, &path, json, &identity).await?;
            // That its name is taken is said last, by the store: a pod of a stateful set that runs.
            let verdict = if answer.code == 409 && answer.body["reason"] == "AlreadyExists" {
                Verdict::Admitted
            } else {
                self.verdict(&answer, pods, Some(namespace))
            };
            let audit = self.target.audit(&answer);
            let mut stage = stage(&identity, verdict, &answer.warnings, audit);
            if stage.verdict.is_admitted() {
                stage.psp = self.applied_policy(body.as_bytes(), &answer);
            }
            let mut redaction = self.redaction();
            for name in &planned.made_up {
                redaction = redaction.pod(name);
            }
            if planned.pod.at(&["metadata", "generateName"]).is_some() {
                redaction = redaction.pod(named(&answer.body));
            }
            redaction.stage(&mut stage);
            if self.may_lag(&stage) {
                tokio::time::sleep(real::AGAIN).await;
                continue;
            }
            self.note_audit(true, answer.audit_id.as_ref(), &redaction);
            self.note_workload(resource, workload, &stage);
            if new && stage.verdict.is_admitted() {
                self.stand_in_for_controllers(resource, workload, &body, &identity)
                    .await?;
            }
            return Ok(Some(stage));
        }
    }

    pub(super) fn verdict(
        &self,
        answer: &Answer,
        resource: &Resource,
        namespace: Option<&str>,
    ) -> Verdict {
        let namespace = namespace.unwrap_or(&self.namespace);
        if let Some(reason) = self.foreign.undecided(resource, namespace) {
            return Verdict::Undecided { reason };
        }
        if answer.succeeded() {
            return Verdict::Admitted;
        }
        let text = |key: &str| answer.body[key].as_str().unwrap_or_default();
        let detail = |key: &str| answer.body["details"][key].as_str().unwrap_or_default();
        let status = StatusView {
            resource: resource.name,
            code: answer.code,
            reason: text("reason"),
            message: text("message"),
            name: detail("name"),
            group: detail("group"),
            kind: detail("kind"),
        };
        attribute::verdict(&status, self.minor)
    }

    /// What is random here: the namespace, unless the scenario chose its name.
    pub(super) fn redaction(&self) -> Redaction {
        match (&self.scenario.namespace.name, self.target.ground) {
            (Some(_), _) => Redaction::new(),
            (None, Ground::DryRun(_)) => Redaction::new().existing_namespace(&self.namespace),
            (None, _) => Redaction::new().namespace(&self.namespace),
        }
    }
}

/// The name in an answer: of the object, or of the one that was refused.
pub(super) fn named(body: &Value) -> &str {
    let name = body["metadata"]["name"]
        .as_str()
        .or_else(|| body["details"]["name"].as_str());
    name.unwrap_or_default()
}

pub(super) fn stage(
    identity: &Identity,
    verdict: Verdict,
    warnings: &[String],
    audit: Option<BTreeMap<String, String>>,
) -> Stage {
    Stage {
        requester: identity.shown().to_owned(),
        verdict,
        warnings: warnings.to_vec(),
        psp: None,
        audit_annotations: audit,
    }
}

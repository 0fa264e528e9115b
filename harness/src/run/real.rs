//! What a scenario needs on a real server that the embedded one does not: service accounts come by a
//! controller, informers lag, controllers work on their own, and audit annotations go to a log.
//!
//! The plugins of a real server read namespaces, policies, roles and service accounts from informers,
//! which learn of a change a little later. So for a while after a change a request is asked in dry run
//! first, until the answer is the one that the embedded server gives to the same scenario. Where it
//! never becomes that one, the last answer counts: it is a difference, and not a delay.

use std::time::{Duration, Instant};

use http::Method;
use podgate_admission::resource::Resource;
use serde_json::{Value, json};

use super::place::{collection, namespaced_path};
use super::{Runner, Subject, Write};
use crate::error::Error;
use crate::exchange::Identity;
use crate::outcome::{Outcome, Stage, Verdict};
use crate::redact::{Redaction, sorted_policy_errors};

/// How long after a change an answer may be that of before.
const LAG: Duration = Duration::from_secs(10);

/// How long controllers may take for what they do at once on an idle machine.
const CONTROLLERS: Duration = Duration::from_secs(30);

/// How long an audit event may take to be in the log. It is written when the answer is.
const AUDIT: Duration = Duration::from_secs(2);

/// How often something is asked again.
pub(super) const AGAIN: Duration = Duration::from_millis(20);

/// The annotations of an audit event that are not those of admission.
const NOT_OF_ADMISSION: [&str; 3] = [
    "authentication.k8s.io/",
    "authorization.k8s.io/",
    "apiserver.latency.k8s.io/",
];

/// A stage whose audit annotations are in the log, not in the outcome yet.
pub(super) struct Pending {
    /// Which outcome, and whether its pods are meant.
    outcome: usize,
    pods: bool,
    id: String,
    redaction: Redaction,
}

impl Runner<'_> {
    /// Sees to it that a new namespace has its service account `default`, without which no pod is
    /// admitted. Upstream: `pkg/controller/serviceaccount/serviceaccounts_controller.go`.
    pub(super) async fn default_service_account(&self, namespace: &str) -> Result<(), Error> {
        let Some(real) = self.target.real else {
            return Ok(());
        };
        let path = namespaced_path(namespace, "serviceaccounts");
        if !real.controllers {
            let body = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
            let answer = self.post(&path, &body, &Identity::Admin).await?;
            if answer.succeeded() || answer.code == 409 {
                return Ok(());
            }
            return Err(Error::environment(format!(
                "{namespace}: no service account `default` can be made: {}",
                answer.message()
            )));
        }
        let path = format!("{path}/default");
        let started = Instant::now();
        while self.get(&path).await?.0 != 200 {
            if started.elapsed() > CONTROLLERS {
                return Err(Error::environment(format!(
                    "{namespace} has no service account `default`, and no controller makes it"
                ))
                .hint("is kube-controller-manager alive?"));
            }
            tokio::time::sleep(AGAIN).await;
        }
        Ok(())
    }

    /// Waits while the answer to `write` may still be that of before the last change.
    pub(super) async fn until_settled(
        &mut self,
        write: &Write<'_>,
        subject: Subject<'_>,
        identity: &Identity,
    ) -> Result<(), Error> {
        let expected = self.expected().map(|outcome| outcome.own.clone());
        // What the embedded server cannot decide says nothing about what is to come.
        let Some(expected) = expected.filter(|stage| !stage.verdict.is_undecided()) else {
            return Ok(());
        };
        while self.changed.elapsed() < LAG {
            let answer = self.write(write, identity, true).await?;
            let (stage, _) = self.judged(&answer, subject, identity);
            if agree(&stage, &expected) {
                break;
            }
            tokio::time::sleep(AGAIN).await;
        }
        Ok(())
    }

    /// What the embedded server answers in this place of the scenario.
    pub(super) fn expected(&self) -> Option<&Outcome> {
        self.target.real?;
        self.target.expected?.get(self.run.outcomes.len())
    }

    /// Whether the answer about the pods of a workload may still be that of before a change.
    pub(super) fn may_lag(&self, stage: &Stage) -> bool {
        let expected = self.expected().and_then(|outcome| outcome.pods.as_ref());
        expected.is_some_and(|expected| !expected.verdict.is_undecided() && !agree(stage, expected))
            && self.changed.elapsed() < LAG
    }

    /// Makes the pods of a new workload where no controller does. They are not touched again: a
    /// rollout would go no further on a server without nodes than a pod or two.
    pub(super) async fn stand_in_for_controllers(
        &self,
        resource: &Resource,
        workload: &Value,
        pod: &str,
        identity: &Identity,
    ) -> Result<(), Error> {
        let elsewhere = self.target.real.is_none_or(|real| real.controllers);
        if elsewhere || self.unstored.is_some() {
            return Ok(());
        }
        let spec = &workload["spec"];
        let wanted = |key: &str| spec[key].as_u64().unwrap_or(1);
        let count = match resource.kind {
            "Deployment" if spec["paused"] == true => 0,
            "Job" if spec["suspend"] == true => 0,
            "Deployment" | "ReplicaSet" | "ReplicationController" => wanted("replicas"),
            // The second waits until the first is ready.
            "StatefulSet" => wanted("replicas").min(1),
            "Job" => wanted("parallelism").min(wanted("completions")),
            // There is no node, and no time passes.
            _ => 0,
        };
        let namespace = workload["metadata"]["namespace"].as_str();
        let path = namespaced_path(namespace.unwrap_or(&self.namespace), "pods");
        for _ in 0..count {
            let body = Some(("application/json", pod.as_bytes()));
            self.send(Method::POST, &path, body, identity).await?;
        }
        Ok(())
    }

    /// Where controllers run, what they were told must be what the second stage says: a workload whose
    /// pods are refused says so in an event, a deployment in one of its replica set. What does not agree
    /// is told.
    pub(super) async fn ask_controllers(&mut self) -> Result<(), Error> {
        if self.target.real.is_none_or(|real| !real.controllers) {
            return Ok(());
        }
        for workload in std::mem::take(&mut self.workloads) {
            let started = Instant::now();
            loop {
                let disagreement = self.disagreement(&workload).await?;
                match disagreement {
                    None => break,
                    Some(text) if started.elapsed() > CONTROLLERS => {
                        self.run.disagreements.push((workload.object.clone(), text));
                        break;
                    }
                    Some(_) => tokio::time::sleep(AGAIN).await,
                }
            }
        }
        Ok(())
    }

    async fn disagreement(&self, workload: &Workload) -> Result<Option<String>, Error> {
        if workload.resource.kind == "DaemonSet" && self.wanted_on_no_node(workload).await? {
            return Ok(None);
        }
        let name = &workload.name;
        let is_owner = |object: &Value| {
            let own = object["name"].as_str().unwrap_or_default();
            match workload.resource.kind {
                // A deployment's pods are made by its replica set, whose name has a hash behind it.
                "Deployment" => {
                    let rest = own.strip_prefix(name.as_str());
                    object["kind"] == "ReplicaSet" && rest.is_some_and(|rest| rest.starts_with('-'))
                }
                kind => object["kind"] == kind && own == name,
            }
        };
        if workload.message.is_none() {
            let path = namespaced_path(&workload.namespace, "pods");
            let (_, pods) = self.get(&path).await?;
            let mut pods = pods["items"].as_array().into_iter().flatten();
            let owned = pods.any(|pod| {
                let owners = pod["metadata"]["ownerReferences"].as_array();
                owners.into_iter().flatten().any(is_owner)
            });
            return Ok((!owned).then(|| {
                "its pods are admitted in dry run, but its controller has made none".to_owned()
            }));
        }
        let path = namespaced_path(&workload.namespace, "events");
        let (_, events) = self.get(&path).await?;
        let events = events["items"].as_array().into_iter().flatten();
        let told: Vec<&str> = events
            .filter(|event| event["reason"] == "FailedCreate" && is_owner(&event["involvedObject"]))
            .filter_map(|event| event["message"].as_str())
            .collect();
        // The server tells several errors of policies in random order, to its controllers as to others.
        let told_alike = |text: &str| {
            let sorted = sorted_policy_errors(text);
            without_name(sorted.as_deref().unwrap_or(text)).to_owned()
        };
        let wanted = told_alike(workload.message.as_deref().unwrap_or_default());
        if told.iter().any(|text| told_alike(text) == wanted) {
            return Ok(None);
        }
        Ok(Some(match told.first() {
            None => "its pods are rejected in dry run, but no event says so".to_owned(),
            Some(told) => format!("its controller was told otherwise: {told}"),
        }))
    }

    /// Whether the controller of a daemon set found no node for it, and so makes no pod.
    async fn wanted_on_no_node(&self, workload: &Workload) -> Result<bool, Error> {
        let path = collection(workload.resource, Some(&workload.namespace));
        let (_, object) = self.get(&format!("{path}/{}", workload.name)).await?;
        let status = &object["status"];
        Ok(status["observedGeneration"].is_number() && status["desiredNumberScheduled"] == 0)
    }

    /// Notes a workload whose controller is asked in the end.
    pub(super) fn note_workload(
        &mut self,
        resource: &'static Resource,
        body: &Value,
        stage: &Stage,
    ) {
        let controllers = self.target.real.is_some_and(|real| real.controllers);
        let makes_pods = matches!(
            resource.kind,
            "Deployment"
                | "ReplicaSet"
                | "ReplicationController"
                | "StatefulSet"
                | "DaemonSet"
                | "Job"
        );
        let spec = &body["spec"];
        let none = ["replicas", "parallelism", "completions"];
        let waits = none.iter().any(|key| spec[key] == 0)
            || ["paused", "suspend"].iter().any(|key| spec[key] == true);
        if !controllers || !makes_pods || waits {
            return;
        }
        let message = match &stage.verdict {
            Verdict::Admitted => None,
            Verdict::Rejected(rejection) => Some(rejection.message.clone()),
            Verdict::Undecided { .. } => return,
        };
        let text = |key: &str| {
            body["metadata"][key]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let workload = Workload {
            object: format!("{}/{}", resource.kind, text("name")),
            resource,
            namespace: text("namespace"),
            name: text("name"),
            message,
        };
        // After a change only the last answer is its controller's.
        self.workloads
            .retain(|known| known.object != workload.object);
        self.workloads.push(workload);
    }

    /// Forgets a workload that is deleted: its controller has nothing left to do.
    pub(super) fn forget_workload(&mut self, object: &str) {
        self.workloads.retain(|known| known.object != object);
    }

    /// Notes that the annotations of a stage are to be read from the audit log.
    pub(super) fn note_audit(&mut self, pods: bool, id: Option<&String>, redaction: &Redaction) {
        let log = self.target.real.and_then(|real| real.audit_log.as_ref());
        if let (Some(_), Some(id)) = (log, id) {
            self.pending.push(Pending {
                outcome: self.run.outcomes.len(),
                pods,
                id: id.clone(),
                redaction: redaction.clone(),
            });
        }
    }

    /// Reads the annotations from the audit log.
    pub(super) async fn read_audit(&mut self) -> Result<(), Error> {
        let Some(log) = self.target.real.and_then(|real| real.audit_log.as_ref()) else {
            return Ok(());
        };
        for pending in std::mem::take(&mut self.pending) {
            let started = Instant::now();
            let annotations = loop {
                if let Some(found) = log.annotations(&pending.id)? {
                    break Some(found);
                }
                if started.elapsed() > AUDIT {
                    break None;
                }
                tokio::time::sleep(AGAIN).await;
            };
            let annotations = annotations.map(|mut annotations| {
                annotations.retain(|key, _| !NOT_OF_ADMISSION.iter().any(|p| key.starts_with(p)));
                for text in annotations.values_mut() {
                    *text = pending.redaction.text(text);
                }
                annotations
            });
            let outcome = self.run.outcomes.get_mut(pending.outcome);
            let stage = outcome.and_then(|outcome| {
                if pending.pods {
                    outcome.pods.as_mut()
                } else {
                    Some(&mut outcome.own)
                }
            });
            if let Some(stage) = stage {
                stage.audit_annotations = annotations;
            }
        }
        Ok(())
    }

    async fn get(&self, path: &str) -> Result<(u16, Value), Error> {
        let answer = self.send(Method::GET, path, None, &Identity::Admin).await?;
        Ok((answer.code, answer.body))
    }
}

/// A workload whose replica set is asked what became of its pods.
pub(super) struct Workload {
    object: String,
    resource: &'static Resource,
    namespace: String,
    name: String,
    /// The message by which its pods are rejected; `None`: they are admitted.
    message: Option<String>,
}

/// A refusal behind the name of the pod, which is made up.
fn without_name(message: &str) -> &str {
    message
        .split_once(" is forbidden: ")
        .map_or(message, |(_, reason)| reason)
}

fn agree(one: &Stage, other: &Stage) -> bool {
    one.verdict == other.verdict && one.warnings == other.warnings
}

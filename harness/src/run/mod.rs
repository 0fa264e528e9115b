//! Runs one scenario against an API server through a Kubernetes client, and reads the outcomes.
//!
//! The runner is handed a client and never makes a server, so that a scenario cannot pass on one
//! backend for another reason than on the next.

mod prepare;

mod judge;
mod place;
mod policy;
mod unstored;
mod write;

mod clear;
mod real;
mod roles;
mod target;

use std::collections::BTreeMap;
use std::time::Instant;

use http::Method;
use kube::Client;
use podgate_admission::plugins::Plugin;
use podgate_admission::resource::Resource;
use podgate_policy::Minor;
use serde_json::{Value, json};

use crate::error::Error;
use crate::exchange::{Answer, Call, Identity, exchange};
use crate::foreign::Foreign;
use crate::outcome::{self, By, Outcome, Rejection, Step, Verdict};
use crate::suite::{Action, Cluster, ExpectedVerdict, Manifest, Patch, Requester, Scenario};
use judge::{named, stage};
use place::{declared_namespaces, known_in_some_minor};
use unstored::{LeftOut, Unstored};
use write::{Subject, Write};

pub use clear::clear;
pub use place::namespace_name;
pub(crate) use place::{collection, served};
pub use prepare::prepare;
pub(crate) use prepare::{of_scenario, prepare_default, prepare_namespace, refused_namespace};
pub(crate) use roles::aggregate;
pub(crate) use target::RUN_LABEL;
pub use target::{Ground, Target};

/// What a scenario did on one cluster at one minor.
#[derive(Clone, Debug, Default)]
pub struct ScenarioRun {
    /// The outcomes, in order.
    pub outcomes: Vec<Outcome>,
    /// Objects that admission policy does not judge, `Kind/name`.
    pub not_judged: Vec<String>,
    /// The paths of the objects that it made outside of its own namespace, in order.
    pub made: Vec<String>,
    /// Workloads (`Kind/name`) whose controllers did otherwise than the second stage says, and how.
    pub disagreements: Vec<(String, String)>,
}

/// The time that `restart` writes: a fixed one, as outcomes must not depend on the clock.
const RESTARTED_AT: &str = "2020-01-01T00:00:00Z";

/// Runs `scenario` on a server that has been prepared for `cluster`.
pub async fn run(
    target: Target<'_>,
    cluster: &Cluster,
    scenario: &Scenario,
) -> Result<ScenarioRun, Error> {
    let Target { client, minor, .. } = target;
    let mut runner = Runner {
        target,
        client,
        scenario,
        minor,
        requester: scenario.requester.as_ref().or(cluster.requester.as_ref()),
        namespace: target.namespace(cluster, scenario),
        declared: declared_namespaces(cluster, scenario),
        foreign: Foreign::default(),
        made_up: Vec::new(),
        changed: Instant::now(),
        workloads: Vec::new(),
        pending: Vec::new(),
        has_psp: cluster
            .server(minor)
            .is_ok_and(|server| server.has(Plugin::PodSecurityPolicy)),
        unstored: None,
        left_out: LeftOut::default(),
        run: ScenarioRun::default(),
    };
    // A real server decides for itself.
    if target.real.is_none() {
        let objects = cluster.objects.iter().chain(&scenario.manifests);
        runner.foreign.add(objects, Some(&runner.namespace));
    }
    match target.ground {
        Ground::Own => {}
        Ground::Guest(_) => runner.declared = vec![runner.namespace.clone()],
        Ground::DryRun(namespaces) => {
            runner.declared = namespaces.to_vec();
            runner.unstored = Some(Unstored::default());
        }
    }
    if runner.unstored.is_none() {
        runner.make_namespace(cluster).await?;
        runner.default_service_account(&runner.namespace).await?;
        let made = prepare_namespace(client, cluster, minor, &runner.namespace).await?;
        runner.run.made.extend(made);
    }
    for step in &scenario.steps {
        let at = step.heading.as_ref();
        let identity = identity(step.requester.as_ref().or(runner.requester));
        match &step.action {
            Action::Apply(manifests) => {
                for &index in manifests {
                    runner
                        .apply(at, &scenario.manifests[index], &identity)
                        .await?;
                }
            }
            action if runner.leaves_alone(at, action, &identity) => {}
            Action::Patch(patch) => runner.patch(at, patch, &identity).await?,
            Action::Restart(object) => runner.restart(at, object, &identity).await?,
            Action::Delete(object) => runner.delete(at, object, &identity).await?,
        }
    }
    runner.ask_controllers().await?;
    runner.read_audit().await?;
    Ok(runner.run)
}

struct Runner<'a> {
    target: Target<'a>,
    client: &'a Client,
    scenario: &'a Scenario,
    minor: Minor,
    requester: Option<&'a Requester>,
    namespace: String,
    declared: Vec<String>,
    foreign: Foreign,
    /// Names of pods that are there, which their controllers made up.
    made_up: Vec<String>,
    /// When something was changed for the last time that informers learn of a little later.
    changed: Instant,
    /// Workloads whose controllers are asked in the end.
    workloads: Vec<real::Workload>,
    /// Stages whose annotations are in the audit log.
    pending: Vec<real::Pending>,
    /// Whether the cluster has the plugin `PodSecurityPolicy`.
    has_psp: bool,
    /// In a dry run: what was applied, and is not there.
    unstored: Option<Unstored>,
    /// What decides about others and is not as the scenario wants it.
    left_out: LeftOut,
    run: ScenarioRun,
}

impl Runner<'_> {
    async fn make_namespace(&self, cluster: &Cluster) -> Result<(), Error> {
        let mut labels = cluster.namespace.labels.clone();
        let mut annotations = cluster.namespace.annotations.clone();
        let own = &self.scenario.namespace;
        for (target, source) in [
            (&mut labels, &own.labels),
            (&mut annotations, &own.annotations),
        ] {
            for (key, value) in source {
                match value {
                    Some(value) => target.insert(key.clone(), value.clone()),
                    None => target.remove(key),
                };
            }
        }
        if let Ground::Guest(run) = self.target.ground {
            labels.insert(RUN_LABEL.to_owned(), run.to_owned());
        }
        let body = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": self.namespace, "labels": labels, "annotations": annotations},
        });
        let answer = self
            .post("/api/v1/namespaces", &body, &Identity::Admin)
            .await?;
        if answer.succeeded() {
            return Ok(());
        }
        let heads = [self.scenario.head.as_ref(), Some(&cluster.head)];
        let refused = refused_namespace(heads.into_iter().flatten(), self.minor, answer.message());
        Err(refused.unwrap_or_else(|| {
            let file = self.scenario.file.display();
            Error::input(format!("{file}: {}", answer.message()))
        }))
    }

    async fn apply(
        &mut self,
        step: Option<&Step>,
        manifest: &Manifest,
        identity: &Identity,
    ) -> Result<(), Error> {
        let Some(resource) = served(manifest, self.minor) else {
            if known_in_some_minor(manifest) {
                let message = format!(
                    "no matches for kind \"{}\" in version \"{}\"",
                    manifest.kind(),
                    manifest.api_version()
                );
                let (by, checks) = (By::NotFound, Vec::new());
                let verdict = Verdict::Rejected(Rejection {
                    code: 404,
                    by,
                    checks,
                    message,
                });
                self.run.outcomes.push(Outcome {
                    step: step.cloned(),
                    object: manifest.reference(),
                    action: outcome::Action::Applied,
                    own: stage(identity, verdict, &[], Some(BTreeMap::new())),
                    pods: None,
                });
            } else {
                self.run.not_judged.push(manifest.reference());
            }
            return Ok(());
        };
        let namespace = self.namespace_of(manifest, resource)?;
        let done = (step, manifest.reference(), outcome::Action::Applied);
        if let Some(reason) = self.not_applied(manifest, resource) {
            self.undecided(done, identity, reason);
            return Ok(());
        }
        let write = Write::Apply {
            collection: collection(resource, namespace.as_deref()),
            manifest,
        };
        let subject = Subject {
            resource,
            manifest: Some(manifest),
            namespace: namespace.as_deref(),
        };
        let answer = self.submit(&write, subject, identity).await?;
        if answer.code == 201
            && self.unstored.is_none()
            && namespace.as_ref() != Some(&self.namespace)
        {
            let name = named(&answer.body);
            let collection = collection(resource, namespace.as_deref());
            self.run.made.push(format!("{collection}/{name}"));
            if resource.kind == "Namespace" {
                self.default_service_account(name).await?;
            }
        }
        if let Verdict::Rejected(rejection) = self.verdict(&answer, resource, namespace.as_deref())
            && rejection.by == By::Decode
            && !self.expects_unreadable(&manifest.reference())
        {
            let (body, message) = (&manifest.body, &rejection.message);
            return Err(manifest
                .unreadable(body, resource, self.minor, message)
                .hint("a scenario that is about this says `rejected: Decode` under spec.expect"));
        }
        self.record(done, subject, &answer, identity).await?;
        let psp = self.new_pods_policy(manifest, &answer, identity).await?;
        if let Some(outcome) = self.run.outcomes.last_mut() {
            outcome.own.psp = psp.filter(|_| outcome.own.verdict.is_admitted());
        }
        Ok(())
    }

    /// Why an object is not applied here, where it is not.
    fn not_applied(&mut self, manifest: &Manifest, resource: &Resource) -> Option<String> {
        let object = manifest.reference();
        let earlier = self.left_out.reason();
        match (&mut self.unstored, self.target.ground) {
            (Some(unstored), _) => {
                self.left_out.note(&object);
                unstored.apply(manifest).or(earlier)
            }
            (None, Ground::Guest(_)) if !resource.namespaced => {
                self.left_out.note(&object);
                Some(unstored::of_everybody(&object))
            }
            (None, _) => earlier,
        }
    }

    /// Whether a step would change what is not there, or is not the run's to change; then that is its
    /// outcome.
    fn leaves_alone(&mut self, step: Option<&Step>, action: &Action, identity: &Identity) -> bool {
        let (object, done) = match action {
            Action::Apply(_) => return false,
            Action::Patch(patch) => (&patch.object, outcome::Action::Patched),
            Action::Restart(object) => (object, outcome::Action::Restarted),
            Action::Delete(object) => (object, outcome::Action::Deleted),
        };
        let reason = match self.target.ground {
            Ground::Own => return false,
            Ground::DryRun(_) => {
                self.left_out.note(object);
                unstored::of_change(object)
            }
            Ground::Guest(_) => match self.path_of(object) {
                Ok((resource, path))
                    if !resource.namespaced
                        && path != format!("/api/v1/namespaces/{}", self.namespace) =>
                {
                    self.left_out.note(object);
                    unstored::of_everybody(object)
                }
                // Nothing of what is left out decides about a deletion.
                _ if matches!(action, Action::Delete(_)) => return false,
                _ => match self.left_out.reason() {
                    Some(reason) => reason,
                    None => return false,
                },
            },
        };
        self.undecided((step, object.clone(), done), identity, reason);
        true
    }

    fn undecided(
        &mut self,
        (step, object, action): (Option<&Step>, String, outcome::Action),
        identity: &Identity,
        reason: String,
    ) {
        self.run.outcomes.push(Outcome {
            step: step.cloned(),
            object,
            action,
            own: stage(identity, Verdict::Undecided { reason }, &[], None),
            pods: None,
        });
    }

    /// Whether the scenario is about an object that the server cannot read. Anywhere else such an
    /// object is a mistake in the file.
    fn expects_unreadable(&self, object: &str) -> bool {
        self.scenario.expect.iter().any(|expectation| {
            expectation.object == object
                && expectation.own.verdict == Some(ExpectedVerdict::Rejected(By::Decode))
        })
    }

    async fn patch(
        &mut self,
        step: Option<&Step>,
        patch: &Patch,
        identity: &Identity,
    ) -> Result<(), Error> {
        let (resource, mut place) = self.path_of(&patch.object)?;
        if let Some(subresource) = &patch.subresource {
            place = format!("{place}/{subresource}");
        }
        let body = serde_json::to_vec(&patch.body).map_err(|e| Error::input(e.to_string()))?;
        let write = Write::Patch {
            path: place,
            content_type: patch.r#type.content_type(),
            body,
        };
        let done = (step, patch.object.clone(), outcome::Action::Patched);
        self.change(done, &write, resource, identity).await
    }

    /// What `kubectl rollout restart` does: an annotation of the template changes.
    async fn restart(
        &mut self,
        step: Option<&Step>,
        object: &str,
        identity: &Identity,
    ) -> Result<(), Error> {
        let (resource, path) = self.path_of(object)?;
        let template = resource.template.filter(|t| !t.is_empty()).ok_or_else(|| {
            Error::input(format!(
                "{}: `{object}` has no pods to restart",
                self.scenario.file.display()
            ))
        })?;
        let annotations = json!({"kubectl.kubernetes.io/restartedAt": RESTARTED_AT});
        let mut body = json!({"metadata": {"annotations": annotations}});
        for key in template.iter().rev() {
            body = json!({ *key: body });
        }
        let write = Write::Patch {
            path,
            content_type: "application/strategic-merge-patch+json",
            body: body.to_string().into_bytes(),
        };
        let done = (step, object.to_owned(), outcome::Action::Restarted);
        self.change(done, &write, resource, identity).await
    }

    async fn delete(
        &mut self,
        step: Option<&Step>,
        object: &str,
        identity: &Identity,
    ) -> Result<(), Error> {
        let (resource, path) = self.path_of(object)?;
        let write = Write::Delete { path };
        let done = (step, object.to_owned(), outcome::Action::Deleted);
        self.change(done, &write, resource, identity).await
    }

    /// Writes to an object that is there, and records what came of it.
    async fn change(
        &mut self,
        done: (Option<&Step>, String, outcome::Action),
        write: &Write<'_>,
        resource: &'static Resource,
        identity: &Identity,
    ) -> Result<(), Error> {
        let subject = Subject::known(resource);
        let answer = self.submit(write, subject, identity).await?;
        self.record(done, subject, &answer, identity).await
    }

    async fn post(&self, path: &str, body: &Value, identity: &Identity) -> Result<Answer, Error> {
        self.send(
            Method::POST,
            path,
            Some(("application/json", body.to_string().as_bytes())),
            identity,
        )
        .await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, &[u8])>,
        identity: &Identity,
    ) -> Result<Answer, Error> {
        exchange(
            self.client,
            Call {
                method,
                path: path.to_owned(),
                body,
                identity,
            },
        )
        .await
    }
}

fn identity(requester: Option<&Requester>) -> Identity {
    requester.map_or(Identity::Admin, |requester| Identity::User {
        name: requester.user.clone(),
        groups: requester.groups.clone(),
    })
}

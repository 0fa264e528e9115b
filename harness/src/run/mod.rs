//! Runs one scenario against an API server through a Kubernetes client, and reads the outcomes.
//!
//! The runner is handed a client and never makes a server, so that a scenario cannot pass on one
//! backend for another reason than on the next.

mod clear;
mod policy;
mod real;
mod roles;
mod target;
mod unstored;

use std::collections::BTreeMap;
use std::time::Instant;

use http::Method;
use kube::Client;
use podgate_admission::controller;
use podgate_admission::decode::decode_untyped;
use podgate_admission::encode::encode_untyped;
use podgate_admission::plugins::Plugin;
use podgate_admission::resource::{self, Resource};
use podgate_manifest::{Document, Segment};
use podgate_policy::Minor;
use serde_json::{Value, json};

use crate::attribute::{self, StatusView};
use crate::error::Error;
use crate::exchange::{Answer, Call, Identity, exchange};
use crate::foreign::Foreign;
use crate::outcome::{self, By, Outcome, Rejection, Stage, Step, Verdict};
use crate::redact::Redaction;
use crate::subject;
use crate::suite::cluster::NamespaceSpec;
use crate::suite::{Action, Cluster, ExpectedVerdict, Manifest, Patch, Requester, Scenario};

pub use clear::clear;
pub(crate) use roles::aggregate;
pub(crate) use target::RUN_LABEL;
pub use target::{Ground, Target};
use unstored::Unstored;

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

/// Puts the objects of `cluster` in place that do not belong into a scenario's namespace, namespaces
/// first.
pub async fn prepare(client: &Client, cluster: &Cluster, minor: Minor) -> Result<(), Error> {
    let (namespaces, others): (Vec<&Manifest>, Vec<&Manifest>) = cluster
        .objects
        .iter()
        .partition(|manifest| manifest.kind() == "Namespace");
    for manifest in namespaces.into_iter().chain(others) {
        let Some(resource) = served_or_refused(manifest, minor)? else {
            continue;
        };
        if !of_scenario(manifest, resource) {
            let namespace = manifest.document.namespace();
            apply_as_admin(client, manifest, &manifest.body, resource, namespace).await?;
        }
    }
    Ok(())
}

/// Puts the objects of `cluster` in place that belong to every scenario: those in its namespace, and
/// bindings of its service accounts. The paths of those that lie outside of it.
pub(crate) async fn prepare_namespace(
    client: &Client,
    cluster: &Cluster,
    minor: Minor,
    namespace: &str,
) -> Result<Vec<String>, Error> {
    let mut made = Vec::new();
    for manifest in &cluster.objects {
        let Some(resource) = served_or_refused(manifest, minor)? else {
            continue;
        };
        if of_scenario(manifest, resource) {
            let body = subject::with_namespace(manifest, namespace);
            let place = resource.namespaced.then_some(namespace);
            let place = manifest.document.namespace().or(place);
            apply_as_admin(client, manifest, &body, resource, place).await?;
            if place != Some(namespace) {
                made.push(format!("{}/{}", collection(resource, place), manifest.name));
            }
        }
    }
    Ok(made)
}

/// Makes the namespace `default` what the namespace of a scenario is: with the labels and annotations of
/// `cluster`, and its objects that belong into every scenario's.
pub(crate) async fn prepare_default(
    client: &Client,
    cluster: &Cluster,
    minor: Minor,
) -> Result<(), Error> {
    let NamespaceSpec {
        labels,
        annotations,
    } = &cluster.namespace;
    let body = json!({"metadata": {"labels": labels, "annotations": annotations}}).to_string();
    let call = Call {
        method: Method::PATCH,
        path: "/api/v1/namespaces/default".to_owned(),
        body: Some(("application/merge-patch+json", body.as_bytes())),
        identity: &Identity::Admin,
    };
    let answer = exchange(client, call).await?;
    if !answer.succeeded() {
        return Err(Error::input(format!(
            "{}: Kubernetes {minor} refuses what spec.namespace asks for: {}",
            cluster.file.display(),
            answer.message()
        )));
    }
    prepare_namespace(client, cluster, minor, "default")
        .await
        .map(drop)
}

pub(crate) fn of_scenario(manifest: &Manifest, resource: &Resource) -> bool {
    let placed = !resource.namespaced || manifest.document.namespace().is_some();
    !placed || subject::is_of_scenario(manifest)
}

/// The resource of an object of a cluster file. `None` for kinds that decide nothing here; an error
/// where the minor does not serve it, since a policy that is not there must not look like one that
/// admits.
fn served_or_refused(
    manifest: &Manifest,
    minor: Minor,
) -> Result<Option<&'static Resource>, Error> {
    match served(manifest, minor) {
        None if known_in_some_minor(manifest) => Err(manifest.error_at(
            "kind",
            format!(
                "Kubernetes {minor} serves no {} of {}",
                manifest.kind(),
                manifest.api_version()
            ),
            "spec.kubernetes of the cluster says which versions it is for",
        )),
        found => Ok(found),
    }
}

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
    run: ScenarioRun,
}

/// A request that changes something.
enum Write<'a> {
    /// What `kubectl apply` does: the object is created in a collection, or changed.
    Apply {
        collection: String,
        manifest: &'a Manifest,
    },
    Patch {
        path: String,
        content_type: &'static str,
        body: Vec<u8>,
    },
    Delete {
        path: String,
    },
}

/// The object that an answer is about.
#[derive(Clone, Copy)]
struct Subject<'a> {
    resource: &'static Resource,
    manifest: Option<&'a Manifest>,
    namespace: Option<&'a str>,
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
        match (&mut self.unstored, self.target.ground) {
            (Some(unstored), _) => {
                let reason = unstored.of_apply(manifest);
                unstored.add(manifest);
                reason
            }
            (None, Ground::Guest(_)) if !resource.namespaced => {
                Some(unstored::of_everybody(&manifest.reference()))
            }
            (None, _) => None,
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
            Ground::DryRun(_) => unstored::of_change(object),
            Ground::Guest(_) => match self.path_of(object) {
                Ok((resource, path))
                    if !resource.namespaced
                        && path != format!("/api/v1/namespaces/{}", self.namespace) =>
                {
                    unstored::of_everybody(object)
                }
                _ => return false,
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
        let subject = Subject::known(resource);
        let answer = self.submit(&write, subject, identity).await?;
        let done = (step, patch.object.clone(), outcome::Action::Patched);
        self.record(done, subject, &answer, identity).await
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
        let subject = Subject::known(resource);
        let answer = self.submit(&write, subject, identity).await?;
        let done = (step, object.to_owned(), outcome::Action::Restarted);
        self.record(done, subject, &answer, identity).await
    }

    async fn delete(
        &mut self,
        step: Option<&Step>,
        object: &str,
        identity: &Identity,
    ) -> Result<(), Error> {
        let (resource, path) = self.path_of(object)?;
        let write = Write::Delete { path };
        let subject = Subject::known(resource);
        let answer = self.submit(&write, subject, identity).await?;
        let done = (step, object.to_owned(), outcome::Action::Deleted);
        self.record(done, subject, &answer, identity).await
    }

    /// Makes a request that counts; on a real server when nothing of before lingers any more.
    async fn submit(
        &mut self,
        write: &Write<'_>,
        subject: Subject<'_>,
        identity: &Identity,
    ) -> Result<Answer, Error> {
        self.until_settled(write, subject, identity).await?;
        let answer = self.write(write, identity, false).await?;
        if answer.succeeded() && subject.resource.kind != "Pod" {
            if subject.resource.kind == "ClusterRole" {
                aggregate(self.target).await?;
            }
            self.changed = Instant::now();
        }
        Ok(answer)
    }

    async fn write(
        &mut self,
        write: &Write<'_>,
        identity: &Identity,
        dry_run: bool,
    ) -> Result<Answer, Error> {
        let query = if dry_run { "?dryRun=All" } else { "" };
        match write {
            Write::Apply {
                collection,
                manifest,
            } => {
                let body = manifest.body.as_bytes();
                let json = Some(("application/json", body));
                let path = format!("{collection}{query}");
                let mut answer = self.send(Method::POST, &path, json, identity).await?;
                if answer.code != 409 || answer.body["reason"] != "AlreadyExists" {
                    return Ok(answer);
                }
                if self.unstored.is_some() {
                    // That a name is taken is said last, by the store: the object was admitted. Its
                    // pods are those of the template as it was sent: they get its defaults themselves.
                    answer.code = 201;
                    answer.body = serde_json::from_str(&manifest.body).unwrap_or_default();
                    return Ok(answer);
                }
                let path = format!("{collection}/{}", manifest.name);
                self.look_at_pods(&path).await?;
                let change = Some(("application/merge-patch+json", body));
                let path = format!("{path}{query}");
                self.send(Method::PATCH, &path, change, identity).await
            }
            Write::Patch {
                path,
                content_type,
                body,
            } => {
                self.look_at_pods(path).await?;
                let body = Some((*content_type, body.as_slice()));
                let path = format!("{path}{query}");
                self.send(Method::PATCH, &path, body, identity).await
            }
            Write::Delete { path } => {
                // As kubectl does it: what the object owns goes too, whatever its kind does by default.
                let mut body = json!({"kind": "DeleteOptions", "apiVersion": "v1",
                    "propagationPolicy": "Background"});
                if dry_run {
                    body["dryRun"] = json!(["All"]);
                }
                let body = body.to_string();
                let body = Some(("application/json", body.as_bytes()));
                self.send(Method::DELETE, path, body, identity).await
            }
        }
    }

    /// Notes the names that are made up among the pods of a namespace that is about to change: the
    /// server's warnings name some of them. Controllers ask for such names, but those of stateful
    /// sets.
    async fn look_at_pods(&mut self, path: &str) -> Result<(), Error> {
        let name = path.strip_prefix("/api/v1/namespaces/");
        let Some(name) = name.filter(|name| !name.contains('/')) else {
            return Ok(());
        };
        let path = namespaced_path(name, "pods");
        let answer = self
            .send(Method::GET, &path, None, &Identity::Admin)
            .await?;
        let pods = answer.body["items"].as_array().into_iter().flatten();
        let names = pods.map(|pod| &pod["metadata"]).filter(|metadata| {
            let owners = metadata["ownerReferences"].as_array().into_iter().flatten();
            metadata["generateName"].is_string()
                && !owners
                    .into_iter()
                    .any(|owner| owner["kind"] == "StatefulSet")
        });
        let names = names.filter_map(|metadata| metadata["name"].as_str());
        self.made_up = names.map(str::to_owned).collect();
        Ok(())
    }

    /// Turns an answer into an outcome; for a workload that stands, asks for its pods too.
    async fn record(
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
    fn judged(
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
    async fn pods(
        &mut self,
        resource: &Resource,
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

    fn verdict(&self, answer: &Answer, resource: &Resource, namespace: Option<&str>) -> Verdict {
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
    fn redaction(&self) -> Redaction {
        match (&self.scenario.namespace.name, self.target.ground) {
            (Some(_), _) => Redaction::new(),
            (None, Ground::DryRun(_)) => Redaction::new().existing_namespace(&self.namespace),
            (None, _) => Redaction::new().namespace(&self.namespace),
        }
    }

    fn namespace_of(
        &self,
        manifest: &Manifest,
        resource: &Resource,
    ) -> Result<Option<String>, Error> {
        if !resource.namespaced {
            return Ok(None);
        }
        let Some(named) = manifest.document.namespace() else {
            return Ok(Some(self.namespace.clone()));
        };
        if self.declared.iter().any(|n| n == named) {
            return Ok(Some(named.to_owned()));
        }
        Err(manifest.error_at(
            "metadata.namespace",
            format!(
                "namespace `{named}` is declared neither in the cluster file nor in the scenario"
            ),
            "drop metadata.namespace, or set spec.namespace.name of the scenario",
        ))
    }

    /// The path of an object that a step names as `Kind/name`.
    fn path_of(&self, object: &str) -> Result<(&'static Resource, String), Error> {
        let wrong =
            |what: String| Error::input(format!("{}: {what}", self.scenario.file.display()));
        let (kind, name) = object.split_once('/').unwrap_or((object, ""));
        let manifest = self
            .scenario
            .manifests
            .iter()
            .find(|m| m.reference() == object);
        let resource = match manifest {
            Some(manifest) => served(manifest, self.minor),
            None => resource::RESOURCES
                .iter()
                .find(|r| r.kind == kind && r.exists_in(self.minor)),
        }
        .ok_or_else(|| {
            wrong(format!(
                "`{object}`: Kubernetes {} serves no {kind}",
                self.minor
            ))
        })?;
        if resource.kind == "Namespace"
            && (name.is_empty() || !self.declared.iter().any(|n| n == name))
        {
            return Ok((resource, format!("/api/v1/namespaces/{}", self.namespace)));
        }
        if name.is_empty() {
            return Err(wrong(format!("`{object}` names no object")).hint("write it as Kind/name"));
        }
        let namespace = match manifest {
            Some(manifest) => self.namespace_of(manifest, resource)?,
            None => resource.namespaced.then(|| self.namespace.clone()),
        };
        Ok((
            resource,
            format!("{}/{name}", collection(resource, namespace.as_deref())),
        ))
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

impl Subject<'_> {
    /// An object that is there already, or ought to be.
    fn known(resource: &'static Resource) -> Self {
        Self {
            resource,
            manifest: None,
            namespace: None,
        }
    }
}

async fn apply_as_admin(
    client: &Client,
    manifest: &Manifest,
    body: &str,
    resource: &Resource,
    namespace: Option<&str>,
) -> Result<(), Error> {
    let call = |method, path, content_type| Call {
        method,
        path,
        body: Some((content_type, body.as_bytes())),
        identity: &Identity::Admin,
    };
    let path = collection(resource, namespace);
    let post = call(Method::POST, path.clone(), "application/json");
    let mut answer = exchange(client, post).await?;
    if answer.code == 409 {
        // What is there from the start, such as the service account `default`.
        let path = format!("{path}/{}", manifest.name);
        let change = call(Method::PATCH, path, "application/merge-patch+json");
        answer = exchange(client, change).await?;
    }
    if answer.succeeded() {
        return Ok(());
    }
    let message = format!(
        "the server refuses {}: {}",
        manifest.reference(),
        answer.message()
    );
    Err(manifest.error_at(
        "",
        message,
        "objects of a cluster must be admitted before its scenarios run",
    ))
}

/// Why a server refuses a namespace, at the label or annotation that its message names, in the first
/// of the files that say what namespaces carry.
pub(crate) fn refused_namespace<'a>(
    heads: impl Iterator<Item = &'a Document>,
    minor: Minor,
    message: &str,
) -> Option<Error> {
    const HINT: &str =
        "every namespace carries what the cluster file and the scenario say under spec.namespace";
    let [field, key] = ["labels", "annotations"].into_iter().find_map(|field| {
        let (_, rest) = message.split_once(&format!("metadata.{field}["))?;
        Some([field, rest.split_once(']')?.0])
    })?;
    let path = ["spec", "namespace", field, key].map(Segment::from);
    let head = heads
        .into_iter()
        .find(|head| head.position(&path).is_some())?;
    let refused = format!("Kubernetes {minor} refuses the namespace: {message}");
    Some(
        head.error_at(&path, true, refused, Some(HINT.to_owned()))
            .into(),
    )
}

/// The name in an answer: of the object, or of the one that was refused.
fn named(body: &Value) -> &str {
    let name = body["metadata"]["name"]
        .as_str()
        .or_else(|| body["details"]["name"].as_str());
    name.unwrap_or_default()
}

fn stage(
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

fn identity(requester: Option<&Requester>) -> Identity {
    requester.map_or(Identity::Admin, |requester| Identity::User {
        name: requester.user.clone(),
        groups: requester.groups.clone(),
    })
}

pub(crate) fn served(manifest: &Manifest, minor: Minor) -> Option<&'static Resource> {
    resource::by_kind(manifest.api_version(), manifest.kind(), minor)
}

fn known_in_some_minor(manifest: &Manifest) -> bool {
    Minor::all().any(|minor| served(manifest, minor).is_some())
}

/// The path of the objects of a core resource in a namespace.
fn namespaced_path(namespace: &str, resource: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/{resource}")
}

/// The path of a resource's objects, in a namespace or in all.
pub(crate) fn collection(resource: &Resource, namespace: Option<&str>) -> String {
    let root = if resource.group.is_empty() {
        "/api".to_owned()
    } else {
        format!("/apis/{}", resource.group)
    };
    match namespace {
        Some(namespace) => format!(
            "{root}/{}/namespaces/{namespace}/{}",
            resource.version, resource.name
        ),
        None => format!("{root}/{}/{}", resource.version, resource.name),
    }
}

fn declared_namespaces(cluster: &Cluster, scenario: &Scenario) -> Vec<String> {
    let manifests = cluster.objects.iter().chain(&scenario.manifests);
    let namespaces = manifests
        .filter(|m| m.kind() == "Namespace")
        .map(|m| m.name.clone());
    namespaces.chain(scenario.namespace.name.clone()).collect()
}

/// The namespace of a scenario: a slug of its id and the cluster's name, within the 63 characters of
/// a label. What does not fit is replaced by a hash, so that two scenarios never share one.
#[must_use]
pub fn namespace_name(scenario: &str, cluster: &str) -> String {
    const LONGEST: usize = 63;
    let whole = format!("{scenario}-{cluster}");
    let mut slug: String = whole
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let plain = slug.trim_matches('-').to_owned();
    if plain == whole && plain.len() <= LONGEST {
        return plain;
    }
    // FNV-1a: short, stable, and nothing depends on its strength.
    let hash = whole.bytes().fold(0x811c_9dc5_u32, |h, b| {
        (h ^ u32::from(b)).wrapping_mul(0x0100_0193)
    });
    slug.truncate(LONGEST - 9);
    format!("{}-{hash:08x}", slug.trim_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_a_label_stays() {
        assert_eq!(
            namespace_name("root-pod", "psa-baseline"),
            "root-pod-psa-baseline"
        );
    }

    #[test]
    fn other_characters_are_replaced_and_told_apart_by_a_hash() {
        let slashed = namespace_name("psa/root_pod", "a");
        let dashed = namespace_name("psa-root_pod", "a");
        assert!(slashed.starts_with("psa-root-pod-a-"), "{slashed}");
        assert_ne!(slashed, dashed);
    }

    #[test]
    fn long_names_fit_and_differ() {
        let a = namespace_name(&"x".repeat(80), "one");
        let b = namespace_name(&"x".repeat(80), "two");
        assert!(a.len() <= 63 && b.len() <= 63 && a != b, "{a} {b}");
    }
}

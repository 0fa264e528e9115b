//! Deployments: a replica set for each template, scaled as the strategy allows.
//!
//! As nothing becomes ready by itself, a rolling update stops where the new pods would have to be
//! ready: with what `maxSurge` and `maxUnavailable` allow, old replicas that are not ready going
//! first. No time passes, so no rollout times out.
//!
//! Upstream: `pkg/controller/deployment/{deployment_controller,sync,rolling,recreate,progress}.go`.

use std::sync::Arc;

use podgate_admission::controller::{canonical, reference, service_account, template_hash};
use podgate_admission::resource::{self, Resource};
use podgate_admission::value::{Object, Value};

use super::condition;
use super::event::{Event, record};
use super::is_live;
use super::replica_set::FIRST_WITH_TERMINATING;
use super::rollout::{self, Strategy};
use super::sync::{Sync, generation, int_at, meta, replicas, selects, uid};
use crate::store::Stored;

const SOURCE: &str = "deployment-controller";
const HASH: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MOST: &str = "deployment.kubernetes.io/max-replicas";
/// The annotations that a replica set does not take over (`annotationsToSkip`).
const OWN: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MOST,
    "deprecated.deployment.rollback.to",
];
/// A deadline that stands for none (`HasProgressDeadline`).
const NO_DEADLINE: i64 = i32::MAX as i64;

/// `syncDeployment`
pub(super) fn sync(sync: &mut Sync<'_>, resource: &'static Resource, deployment: &Stored) {
    let Some(sets) = resource::by_path("apps", "v1", "replicasets", sync.minor()) else {
        return;
    };
    sync.claim(resource, deployment, "replicasets", |set| {
        selects(resource, deployment, set)
    });
    let mut rollout = Rollout {
        template: canonical(&template(deployment), sync.minor()),
        strategy: Strategy::of(deployment),
        conditions: condition::of(deployment),
        revision: None,
        failed: false,
        sync,
        resource,
        sets,
        deployment,
    };
    rollout.run();
}

/// The template without the label that tells its replica sets apart (`EqualIgnoreHash`).
fn template(workload: &Value<'static>) -> Value<'static> {
    let mut template = workload
        .at(&["spec", "template"])
        .cloned()
        .unwrap_or_default();
    let labels = template.at_mut(&["metadata", "labels"]);
    if let Some(labels) = labels.and_then(Value::as_object_mut) {
        labels.remove(HASH);
    }
    template
}

/// One look at one deployment.
struct Rollout<'r, 's> {
    sync: &'r mut Sync<'s>,
    resource: &'static Resource,
    /// The resource of its replica sets.
    sets: &'static Resource,
    deployment: &'r Stored,
    template: String,
    strategy: Strategy,
    conditions: condition::Conditions,
    /// The revision that the deployment is to be annotated with.
    revision: Option<String>,
    /// The new replica set was refused.
    failed: bool,
}

/// The replica sets of a deployment, oldest first.
struct Sets {
    new: Option<Stored>,
    old: Vec<Stored>,
}

impl Sets {
    /// All of them, the new one last.
    fn all(&self) -> impl Iterator<Item = &Stored> {
        self.old.iter().chain(&self.new)
    }

    /// The replicas that they want together (`GetReplicaCountForReplicaSets`).
    fn replicas(&self) -> i64 {
        self.all().map(|set| replicas(set)).sum()
    }

    /// A number of their status, together.
    fn status(&self, key: &str) -> i64 {
        self.all().map(|set| int_at(set, &["status", key])).sum()
    }

    fn active(&self) -> Vec<Stored> {
        let mut active: Vec<Stored> = self.all().cloned().collect();
        active.retain(|set| replicas(set) > 0);
        active
    }
}

impl Rollout<'_, '_> {
    fn run(&mut self) {
        if !is_live(self.deployment) {
            let sets = self.split();
            return self.write_status(&sets, false);
        }
        let paused = self.deployment.at(&["spec", "paused"]) == Some(&Value::Bool(true));
        self.check_paused(paused);
        if paused || self.is_scaling() {
            self.synced();
            self.scale();
            let sets = self.split();
            return self.write_status(&sets, false);
        }
        if self.deployment.text_at(&["spec", "strategy", "type"]) == "Recreate" {
            self.recreate();
        } else {
            self.roll();
        }
        if !self.failed {
            let sets = self.split();
            self.write_status(&sets, true);
        }
    }

    /// The replica sets as they are now.
    fn split(&self) -> Sets {
        let mut owned = self.sync.list("replicasets");
        owned.retain(|set| {
            super::sync::controller_of(set)
                .is_some_and(|owner| owner.text_at(&["uid"]) == uid(self.deployment))
        });
        let minor = self.sync.minor();
        let named = self.new_name();
        let at = owned
            .iter()
            .position(|set| canonical(&template(set), minor) == self.template)
            .or_else(|| owned.iter().position(|set| meta(set, "name") == named));
        let new = at.map(|at| owned.remove(at));
        Sets { new, old: owned }
    }

    fn hash(&self) -> String {
        template_hash(&template(self.deployment), self.sync.minor())
    }

    /// `generateReplicaSetName`
    fn new_name(&self) -> String {
        format!("{}-{}", meta(self.deployment, "name"), self.hash())
    }

    fn deadline(&self) -> bool {
        let deadline = self.deployment.at(&["spec", "progressDeadlineSeconds"]);
        deadline
            .and_then(Value::as_int)
            .is_some_and(|seconds| seconds != NO_DEADLINE)
    }

    fn set_condition(
        &mut self,
        name: &'static str,
        status: &'static str,
        reason: &'static str,
        message: String,
    ) {
        let now = self.sync.now();
        let condition = condition::new(name, status, reason, message, &now, true);
        condition::set(&mut self.conditions, condition);
    }

    fn progressing(&mut self, status: &'static str, reason: &'static str, message: String) {
        if self.deadline() {
            self.set_condition("Progressing", status, reason, message);
        }
    }

    /// `checkPausedConditions`
    fn check_paused(&mut self, paused: bool) {
        let said = condition::find(&self.conditions, "Progressing")
            .is_some_and(|c| c.text_at(&["reason"]) == "DeploymentPaused");
        if paused && !said {
            self.progressing(
                "Unknown",
                "DeploymentPaused",
                "Deployment is paused".to_owned(),
            );
        } else if !paused && said {
            let message = "Deployment is resumed".to_owned();
            self.progressing("Unknown", "DeploymentResumed", message);
        }
    }

    /// Whether the wanted number changed since the replica sets were scaled (`isScalingEvent`).
    fn is_scaling(&self) -> bool {
        let wanted = replicas(self.deployment);
        let mut active = self.split().active().into_iter();
        active.any(|set| annotated(&set, DESIRED).is_some_and(|desired| desired != wanted))
    }

    /// The new replica set with its annotations brought up to date, if it is there
    /// (`getNewReplicaSet`).
    fn synced(&mut self) -> Option<Stored> {
        let sets = self.split();
        let new = sets.new?;
        let next = 1 + sets.old.iter().map(|set| revision(set)).max().unwrap_or(0);
        let mut annotations = annotations_of(&new);
        self.copy_annotations(&mut annotations);
        let now = revision(&new);
        if now < next {
            if annotations.contains_key(REVISION) {
                let history = annotations.get(HISTORY).and_then(Value::as_str);
                let history = match history.filter(|history| !history.is_empty()) {
                    Some(history) => format!("{history},{now}"),
                    None => now.to_string(),
                };
                annotations.insert(HISTORY, history);
            }
            annotations.insert(REVISION, next.to_string());
        }
        let seconds = self.deployment.at(&["spec", "minReadySeconds"]);
        let stale = new.at(&["spec", "minReadySeconds"]) != seconds;
        let new = if annotations != annotations_of(&new) || stale {
            let seconds = seconds.cloned();
            self.sync.change("replicasets", &new, |set| {
                set.object_mut("metadata")
                    .insert("annotations", annotations);
                if stale {
                    let spec = set.object_mut("spec");
                    match seconds {
                        Some(seconds) => spec.insert("minReadySeconds", seconds),
                        None => {
                            spec.remove("minReadySeconds");
                        }
                    }
                    next_generation(set);
                }
            })
        } else {
            new
        };
        self.revision = Some(revision(&new).to_string());
        if condition::find(&self.conditions, "Progressing").is_none() {
            let message = format!("Found new replica set \"{}\"", meta(&new, "name"));
            self.progressing("True", "FoundNewReplicaSet", message);
        }
        Some(new)
    }

    /// The new replica set, made where it is not there yet; `None` where it is refused.
    fn ensure(&mut self) -> Option<Stored> {
        if let Some(new) = self.synced() {
            return Some(new);
        }
        let sets = self.split();
        let wanted = self.strategy.new_replicas(sets.replicas(), 0);
        let next = 1 + sets.old.iter().map(|set| revision(set)).max().unwrap_or(0);
        let name = self.new_name();
        let body = self.new_set(&name, wanted, next);
        let user = service_account(SOURCE);
        match self.sync.create(self.sets, body, &user) {
            Ok(new) => {
                if wanted > 0 {
                    let message = if self.sync.minor().number() >= FIRST_FROM_TO {
                        format!("Scaled up replica set {name} from 0 to {wanted}")
                    } else {
                        format!("Scaled up replica set {name} to {wanted}")
                    };
                    self.tell(false, "ScalingReplicaSet", &message);
                }
                self.revision = Some(next.to_string());
                let message = format!("Created new replica set \"{name}\"");
                self.progressing("True", "NewReplicaSetCreated", message);
                Some(new)
            }
            Err(status) => {
                let message = format!(
                    "Failed to create new replica set \"{name}\": {}",
                    status.message
                );
                let said = condition::find(&self.conditions, "Progressing")
                    .is_some_and(|c| c.text_at(&["message"]) == message);
                self.failed = true;
                if !said {
                    self.progressing("False", "ReplicaSetCreateError", message.clone());
                    self.tell(true, "ReplicaSetCreateError", &message);
                    self.write(None);
                }
                None
            }
        }
    }

    fn new_set(&self, name: &str, wanted: i64, next: i64) -> Value<'static> {
        let hash = self.hash();
        let mut template = template(self.deployment);
        if let Some(template) = template.as_object_mut() {
            let labels = template.object_mut("metadata").object_mut("labels");
            labels.insert(HASH, hash.clone());
        }
        let mut annotations = Object::new();
        self.copy_annotations(&mut annotations);
        annotations.insert(REVISION, next.to_string());
        self.annotate_replicas(&mut annotations);
        let mut metadata = Object::from_iter([
            ("name", name.to_owned()),
            ("namespace", self.sync.namespace.clone()),
        ]);
        let labels = template.at(&["metadata", "labels"]).cloned();
        metadata.insert("labels", labels.unwrap_or_default());
        metadata.insert("annotations", annotations);
        let owner = reference(self.resource, self.deployment);
        metadata.insert("ownerReferences", vec![owner]);
        let selector = self.deployment.at(&["spec", "selector"]);
        let mut selector = selector
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        selector.object_mut("matchLabels").insert(HASH, hash);
        let mut spec = Object::from_iter([("replicas", wanted)]);
        if let Some(seconds) = self.deployment.at(&["spec", "minReadySeconds"]) {
            spec.insert("minReadySeconds", seconds.clone());
        }
        spec.insert("selector", selector);
        spec.insert("template", template);
        let mut set = Object::from_iter([("apiVersion", "apps/v1"), ("kind", "ReplicaSet")]);
        set.insert("metadata", metadata);
        set.insert("spec", spec);
        set.into()
    }

    /// `copyDeploymentAnnotationsToReplicaSet`
    fn copy_annotations(&self, into: &mut Object<'static>) {
        for (key, value) in annotations_of(self.deployment) {
            if !OWN.contains(&&*key) {
                into.insert(key, value);
            }
        }
    }

    /// `SetReplicasAnnotations`
    fn annotate_replicas(&self, annotations: &mut Object<'static>) {
        let wanted = self.strategy.wanted;
        annotations.insert(DESIRED, wanted.to_string());
        annotations.insert(MOST, (wanted + self.strategy.surge).to_string());
    }

    /// `rolloutRolling`
    fn roll(&mut self) {
        let Some(new) = self.ensure() else { return };
        let sets = self.split();
        let wanted = self.strategy.wanted;
        let scale = match replicas(&new) {
            now if now > wanted => wanted,
            now if now < wanted => self.strategy.new_replicas(sets.replicas(), now),
            now => now,
        };
        if self.scale_to(&new, scale, false) {
            return;
        }
        let available = |set: &Stored| int_at(set, &["status", "availableReplicas"]);
        let least = wanted - self.strategy.unavailable;
        let missing = replicas(&new) - available(&new);
        let mut removable = sets.replicas() - least - missing;
        if removable <= 0 {
            return;
        }
        // Replicas that are not there for anybody go first (`cleanupUnhealthyReplicas`).
        for old in &sets.old {
            let unhealthy = (replicas(old) - available(old)).clamp(0, removable);
            self.scale_to(old, replicas(old) - unhealthy, false);
            removable -= unhealthy;
        }
        let sets = self.split();
        let mut removable = sets.status("availableReplicas") - least;
        for old in &sets.old {
            let gone = replicas(old).min(removable.max(0));
            self.scale_to(old, replicas(old) - gone, false);
            removable -= gone;
        }
    }

    /// `rolloutRecreate`
    fn recreate(&mut self) {
        self.synced();
        let sets = self.split();
        let mut scaled = false;
        for old in &sets.old {
            scaled |= self.scale_to(old, 0, false);
        }
        let running = sets.old.iter().any(|set| {
            let pods = self.sync.list("pods");
            pods.iter().any(|pod| {
                super::sync::controller_of(pod).is_some_and(|o| o.text_at(&["uid"]) == uid(set))
                    && !matches!(pod.text_at(&["status", "phase"]), "Failed" | "Succeeded")
            })
        });
        if scaled || running {
            return;
        }
        if let Some(new) = self.ensure() {
            self.scale_to(&new, self.strategy.wanted, false);
        }
    }

    /// Scales by the book after a change of the wanted number, or while paused (`scale`).
    fn scale(&mut self) {
        let sets = self.split();
        let wanted = self.strategy.wanted;
        let mut active = sets.active();
        let single = match active.len() {
            0 => sets.new.as_ref().or(sets.old.last()).cloned(),
            1 => active.pop(),
            _ => None,
        };
        if let Some(single) = single {
            self.scale_to(&single, wanted, false);
            return;
        }
        if active.is_empty() {
            return;
        }
        let saturated = sets.new.as_ref().is_some_and(|new| {
            replicas(new) == wanted
                && annotated(new, DESIRED) == Some(wanted)
                && int_at(new, &["status", "availableReplicas"]) == wanted
        });
        if saturated {
            for old in &sets.old {
                self.scale_to(old, 0, false);
            }
            return;
        }
        if !self.strategy.rolling {
            return;
        }
        let sizes: Vec<_> = active
            .iter()
            .map(|set| rollout::Size {
                replicas: replicas(set),
                most: annotated(set, MOST)
                    .filter(|most| *most > 0)
                    .unwrap_or_else(|| int_at(self.deployment, &["status", "replicas"])),
            })
            .collect();
        for (at, size) in rollout::proportional(&sizes, &self.strategy) {
            let set = Arc::clone(&active[at]);
            self.scale_to(&set, size, true);
        }
    }

    /// Scales a replica set, and tells so; whether it had another size (`scaleReplicaSet`).
    fn scale_to(&mut self, set: &Stored, to: i64, force: bool) -> bool {
        let from = replicas(set);
        if from == to && !force {
            return false;
        }
        let mut annotations = annotations_of(set);
        self.annotate_replicas(&mut annotations);
        if from == to && annotations == annotations_of(set) {
            return false;
        }
        self.sync.change("replicasets", set, |set| {
            set.object_mut("metadata")
                .insert("annotations", annotations);
            if from != to {
                set.object_mut("spec").insert("replicas", to);
                next_generation(set);
            }
        });
        if from == to {
            return false;
        }
        let (way, name) = (if from < to { "up" } else { "down" }, meta(set, "name"));
        let message = match self.sync.minor().number() {
            FIRST_FROM_TO.. => format!("Scaled {way} replica set {name} from {from} to {to}"),
            FIRST_TO_FROM.. => format!("Scaled {way} replica set {name} to {to} from {from}"),
            _ => format!("Scaled {way} replica set {name} to {to}"),
        };
        self.tell(false, "ScalingReplicaSet", &message);
        true
    }

    fn tell(&mut self, warning: bool, reason: &'static str, message: &str) {
        let event = Event {
            warning,
            reason,
            message,
            source: SOURCE,
        };
        record(self.sync, self.resource, self.deployment, event);
    }

    /// `calculateStatus`, and of a rollout its progress (`syncRolloutStatus`).
    fn write_status(&mut self, sets: &Sets, progress: bool) {
        let (wanted, available) = (self.strategy.wanted, sets.status("availableReplicas"));
        if available >= wanted - self.strategy.unavailable {
            let message = "Deployment has minimum availability.".to_owned();
            self.set_condition("Available", "True", "MinimumReplicasAvailable", message);
        } else {
            let message = "Deployment does not have minimum availability.".to_owned();
            self.set_condition("Available", "False", "MinimumReplicasUnavailable", message);
        }
        let updated = sets
            .new
            .as_ref()
            .map_or(0, |new| int_at(new, &["status", "replicas"]));
        let mut status = Object::new();
        status.insert("observedGeneration", generation(self.deployment));
        for (key, number) in [
            ("replicas", sets.status("replicas")),
            ("updatedReplicas", updated),
            ("readyReplicas", sets.status("readyReplicas")),
            ("availableReplicas", available),
            ("unavailableReplicas", (sets.replicas() - available).max(0)),
        ] {
            if number > 0 {
                status.insert(key, number);
            }
        }
        if self.sync.minor().number() >= FIRST_WITH_TERMINATING {
            status.insert("terminatingReplicas", sets.status("terminatingReplicas"));
        }
        if progress {
            self.estimate_progress(sets, &status);
            self.copy_failure(sets);
        }
        self.write(Some(status));
    }

    fn estimate_progress(&mut self, sets: &Sets, status: &Object<'static>) {
        if !self.deadline() {
            condition::remove(&mut self.conditions, "Progressing");
            return;
        }
        let old = |key: &str| int_at(self.deployment, &["status", key]);
        let new = |key: &str| status.get(key).and_then(Value::as_int).unwrap_or_default();
        let wanted = self.strategy.wanted;
        let current = condition::find(&self.conditions, "Progressing").cloned();
        let settled = current
            .as_ref()
            .is_some_and(|c| c.text_at(&["reason"]) == "NewReplicaSetAvailable");
        if settled && new("replicas") == new("updatedReplicas") {
            return;
        }
        let complete = ["updatedReplicas", "replicas", "availableReplicas"]
            .iter()
            .all(|key| new(key) == wanted);
        let advanced = new("updatedReplicas") > old("updatedReplicas")
            || new("replicas") - new("updatedReplicas") < old("replicas") - old("updatedReplicas")
            || new("readyReplicas") > old("readyReplicas")
            || new("availableReplicas") > old("availableReplicas");
        let subject = match &sets.new {
            Some(set) => format!("ReplicaSet \"{}\"", meta(set, "name")),
            None => format!("Deployment \"{}\"", meta(self.deployment, "name")),
        };
        if complete {
            let message = format!("{subject} has successfully progressed.");
            self.progressing("True", "NewReplicaSetAvailable", message);
        } else if advanced {
            // It is written again even with the same reason, since that tells of the progress.
            let now = self.sync.now();
            let message = format!("{subject} is progressing.");
            let mut condition = condition::new(
                "Progressing",
                "True",
                "ReplicaSetUpdated",
                message,
                &now,
                true,
            );
            if let Some(current) = current.filter(|c| c.text_at(&["status"]) == "True") {
                let time = current.text_at(&["lastTransitionTime"]).to_owned();
                condition.insert("lastTransitionTime", time);
            }
            condition::remove(&mut self.conditions, "Progressing");
            condition::set(&mut self.conditions, condition);
        }
    }

    /// The failure of a replica set is the deployment's, the new one's first
    /// (`getReplicaFailures`).
    fn copy_failure(&mut self, sets: &Sets) {
        const FAILURE: &str = "ReplicaFailure";
        let failures = sets.new.iter().chain(&sets.old).find_map(|set| {
            let conditions = condition::of(set);
            condition::find(&conditions, FAILURE).cloned()
        });
        let Some(Value::Object(mut failure)) = failures else {
            condition::remove(&mut self.conditions, FAILURE);
            return;
        };
        let time = failure
            .get("lastTransitionTime")
            .cloned()
            .unwrap_or_default();
        failure.insert("lastUpdateTime", time);
        condition::set(&mut self.conditions, failure);
    }

    /// Writes the deployment, if anything of it changed; without a status only its conditions.
    fn write(&mut self, status: Option<Object<'static>>) {
        let Some(stored) = self.sync.find("deployments", self.deployment) else {
            return;
        };
        let mut status = status.unwrap_or_else(|| {
            let old = stored.get("status").and_then(Value::as_object);
            old.cloned().unwrap_or_default()
        });
        status.remove("conditions");
        if let Some(count) = stored.at(&["status", "collisionCount"]) {
            status.insert("collisionCount", count.clone());
        }
        if !self.conditions.is_empty() {
            status.insert("conditions", self.conditions.clone());
        }
        let revision = self.revision.take();
        let known = annotations_of(&stored);
        let known = known.get(REVISION).and_then(Value::as_str);
        let stale = revision.filter(|revision| known != Some(revision));
        if stale.is_none() && stored.get("status").and_then(Value::as_object) == Some(&status) {
            return;
        }
        self.sync.change("deployments", &stored, |deployment| {
            if let Some(revision) = stale {
                deployment
                    .object_mut("metadata")
                    .object_mut("annotations")
                    .insert(REVISION, revision);
            }
            deployment.insert("status", status);
        });
    }
}

/// Events of new replica sets say how many there were, `from 0 to 2`.
const FIRST_FROM_TO: u8 = 32;
/// Events of scaling say how many there were, `to 2 from 1`.
const FIRST_TO_FROM: u8 = 25;

fn annotations_of(object: &Value<'static>) -> Object<'static> {
    let annotations = object.at(&["metadata", "annotations"]);
    annotations
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}

/// A number in an annotation.
fn annotated(set: &Value<'_>, key: &str) -> Option<i64> {
    set.at(&["metadata", "annotations", key])?
        .as_str()?
        .parse()
        .ok()
}

fn revision(set: &Value<'_>) -> i64 {
    annotated(set, REVISION).unwrap_or_default()
}

/// A change of the spec is a new generation.
fn next_generation(object: &mut Object<'static>) {
    let metadata = object.object_mut("metadata");
    let generation = metadata.get("generation").and_then(Value::as_int);
    metadata.insert("generation", generation.unwrap_or_default() + 1);
}

//! The workload controllers of one namespace, run until none of them has anything more to do.
//!
//! Upstream each controller has queues and retries; here all of them go over the namespace in turn,
//! before the next answer is given, until a turn changes nothing. A workload whose pod was refused is
//! not tried again before something else is written in its namespace. No scheduler and no kubelet
//! follows: pods stay pending, and never become ready unless somebody writes so.
//!
//! Upstream: `pkg/controller/controller_utils.go` (pods), `controller_ref_manager.go` (claims).

use std::collections::BTreeMap;

use podgate_admission::chain::{self, Server};
use podgate_admission::controller;
use podgate_admission::request::{Body, FieldValidation, Operation, Request, Source, User, World};
use podgate_admission::resource::{self, Resource};
use podgate_admission::status::Status;
use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;

use super::{
    aggregation, daemon_set, deployment, garbage, is_live, job, replica_set, stateful_set,
};
use crate::failure;
use crate::owned;
use crate::state::{State, set_kind};
use crate::store::{Stored, key};
use crate::verb;

/// How many pods are made for one workload before the next answer (`burstReplicas`,
/// `maxPodCreateDeletePerSync`).
const BURST: usize = 500;
/// Turns after which the controllers give up; a rollout settles within ten.
const MOST_TURNS: usize = 1000;

/// A namespace on its way to rest.
pub(super) struct Sync<'s> {
    pub(super) server: &'s Server,
    pub(super) state: &'s mut State,
    pub(super) namespace: String,
    /// What was tried for each workload, by uid.
    attempts: BTreeMap<String, Attempts>,
    /// The revision at which all workloads were at rest, where it is known what has changed since.
    rested: Option<u64>,
}

#[derive(Default)]
struct Attempts {
    /// The generation of the workload at which a pod was refused.
    refused: Option<i64>,
    /// The pods that were made.
    created: usize,
}

/// Lets the controllers run in a namespace until they are done. At `settled` they were.
pub(super) fn run(server: &Server, state: &mut State, namespace: &str, settled: u64) {
    let rested = state.rested(namespace, settled);
    let mut sync = Sync::new(server, state, namespace);
    sync.rested = rested;
    sync.turns();
    let attempts = sync.attempts.into_values();
    let waits = attempts.fold(false, |waits, a| {
        waits || a.refused.is_some() || a.created >= BURST
    });
    if waits {
        state.waiting.insert(namespace.to_owned());
    } else {
        state.waiting.remove(namespace);
    }
}

type Controller = fn(&mut Sync<'_>, &'static Resource, &Stored);

const CONTROLLERS: [(&str, &str, Controller); 6] = [
    ("apps", "deployments", deployment::sync),
    ("apps", "replicasets", replica_set::sync),
    ("", "replicationcontrollers", replica_set::sync),
    ("apps", "statefulsets", stateful_set::sync),
    ("apps", "daemonsets", daemon_set::sync),
    ("batch", "jobs", job::sync),
];

impl<'s> Sync<'s> {
    pub(super) fn new(server: &'s Server, state: &'s mut State, namespace: &str) -> Self {
        Self {
            server,
            state,
            namespace: namespace.to_owned(),
            attempts: BTreeMap::new(),
            rested: None,
        }
    }
}

impl Sync<'_> {
    /// Goes over the workloads until a turn changes nothing.
    fn turns(&mut self) {
        for _ in 0..MOST_TURNS {
            let before = self.state.store.revision();
            garbage::collect(self);
            for (group, name, one) in CONTROLLERS {
                let Some(resource) = resource::by_path(group, "v1", name, self.minor()) else {
                    continue;
                };
                for object in self.list(name) {
                    // What another controller has removed meanwhile is gone.
                    if self.is_concerned(resource, &object)
                        && let Some(object) = self.find(name, &object)
                    {
                        one(self, resource, &object);
                    }
                }
            }
            if self.state.store.revision() == before {
                return;
            }
        }
    }

    /// Whether a workload may have something to do: it changed itself, or something that it owns or
    /// might adopt did. Many workloads are at rest while a few change.
    fn is_concerned(&mut self, resource: &Resource, workload: &Value<'_>) -> bool {
        let Some(rested) = self.rested else {
            return true;
        };
        let key = key(resource.name, &self.namespace, meta(workload, "name"));
        let concerns = |object: &Stored| match controller_of(object) {
            Some(_) => {
                let mut owners = object.list_at(&["metadata", "ownerReferences"]).iter();
                owners.any(|owner| owner.text_at(&["uid"]) == uid(workload))
            }
            None => selects(resource, workload, object),
        };
        let Some(history) = self.state.store.history() else {
            return true;
        };
        history.after(rested).any(|change| {
            change.key == key
                || change.before.as_ref().is_some_and(concerns)
                || change.after.as_ref().is_some_and(concerns)
        })
    }

    pub(super) fn minor(&self) -> Minor {
        self.server.minor()
    }

    pub(super) fn now(&mut self) -> String {
        self.state.source.now()
    }

    /// Whether an object of this namespace is marked for deletion.
    pub(super) fn is_ending(&self) -> bool {
        self.state.store.has_ending(&self.namespace)
    }

    /// The objects of a resource in this namespace, oldest first.
    pub(super) fn list(&self, resource: &str) -> Vec<Stored> {
        self.state.store.list(resource, &self.namespace)
    }

    /// The object as it is now, if it is still the same one.
    pub(super) fn find(&self, resource: &str, object: &Value<'_>) -> Option<Stored> {
        let name = meta(object, "name");
        let found = self.state.store.find(resource, &self.namespace, name)?;
        (uid(found) == uid(object)).then(|| found.clone())
    }

    /// The objects that `owner` controls. Those without a controller that the selector selects are
    /// taken, those that it does not select any more are let go (`BaseControllerRefManager`).
    pub(super) fn claim(
        &mut self,
        resource: &Resource,
        owner: &Value<'_>,
        children: &str,
        selects: impl Fn(&Value<'_>) -> bool,
    ) -> Vec<Stored> {
        let mut claimed = Vec::new();
        for child in self.list(children) {
            match controller_of(&child) {
                Some(reference) if reference.text_at(&["uid"]) == uid(owner) => {
                    if selects(&child) {
                        claimed.push(child);
                    } else if is_live(owner) {
                        self.release(children, &child, uid(owner));
                    }
                }
                None if is_live(owner) && is_live(&child) && selects(&child) => {
                    let reference = controller::reference(resource, owner);
                    let adopted = self.change(children, &child, |object| {
                        let metadata = object.object_mut("metadata");
                        metadata.list_mut("ownerReferences").push(reference);
                    });
                    claimed.push(adopted);
                }
                _ => {}
            }
        }
        claimed
    }

    /// Takes the reference to an owner out of an object.
    pub(super) fn release(&mut self, resource: &str, object: &Stored, owner: &str) {
        self.change(resource, object, |object| {
            let metadata = object.object_mut("metadata");
            let owners = metadata.list_mut("ownerReferences");
            owners.retain(|reference| reference.text_at(&["uid"]) != owner);
            if owners.is_empty() {
                metadata.remove("ownerReferences");
            }
        });
    }

    /// Writes a changed object, past admission: what controllers change of what exists, no plugin
    /// here looks at.
    pub(super) fn change(
        &mut self,
        resource: &str,
        object: &Stored,
        change: impl FnOnce(&mut Object<'static>),
    ) -> Stored {
        let mut changed = Value::clone(object);
        if let Some(fields) = changed.as_object_mut() {
            change(fields);
        }
        let (namespace, name) = (meta(object, "namespace"), meta(object, "name"));
        self.state.put(resource, namespace, name, changed)
    }

    /// Writes the status of a workload, unless it says the same already.
    pub(super) fn set_status(
        &mut self,
        resource: &Resource,
        object: &Stored,
        status: Object<'static>,
    ) {
        if object.get("status").and_then(Value::as_object) != Some(&status) {
            self.change(resource.name, object, |object| {
                object.insert("status", status);
            });
        }
    }

    /// Creates an object through the whole admission chain.
    pub(super) fn create(
        &mut self,
        resource: &'static Resource,
        object: Value<'static>,
        user: &User,
    ) -> Result<Stored, Status> {
        let admit = if self.state.tracked.is_some() {
            chain::admit_owned
        } else {
            verb::admit_only
        };
        let (response, requested) = admit(
            self.server,
            &self.state.store,
            &mut self.state.source,
            Request {
                operation: Operation::Create,
                resource,
                subresource: None,
                namespace: &self.namespace,
                name: "",
                user,
                dry_run: false,
                field_validation: FieldValidation::default(),
                body: Body::Decoded(object),
                old: None,
            },
        );
        let mut object = response.outcome?;
        set_kind(&mut object, resource);
        let name = meta(&object, "name").to_owned();
        let taken = self.state.store.find(resource.name, &self.namespace, &name);
        if taken.is_some() {
            return Err(Status::already_exists(failure::resource(resource), &name));
        }
        let mut object = object.into_owned();
        owned::set(
            &mut object,
            owned::created(self.state, resource, requested.as_ref()),
        );
        Ok(self
            .state
            .put_owned(resource.name, &self.namespace, &name, object))
    }

    /// Creates a pod of a workload.
    pub(super) fn create_pod(
        &mut self,
        owner: &Value<'_>,
        planned: controller::Planned,
    ) -> Result<Stored, Status> {
        let Some(pods) = resource::by_path("", "v1", "pods", self.minor()) else {
            return Err(Status::no_such_path());
        };
        let created = self.create(pods, planned.pod, &planned.user);
        let attempts = self.attempts.entry(uid(owner).to_owned()).or_default();
        match created {
            Ok(_) => attempts.created += 1,
            Err(_) => attempts.refused = Some(generation(owner)),
        }
        created
    }

    /// How many of `wanted` pods may be made now: none after one was refused.
    pub(super) fn allowance(&self, owner: &Value<'_>, wanted: usize) -> usize {
        match self.attempts.get(uid(owner)) {
            Some(attempts) if attempts.refused == Some(generation(owner)) => 0,
            Some(attempts) => wanted.min(BURST.saturating_sub(attempts.created)),
            None => wanted.min(BURST),
        }
    }

    /// Deletes an object, which goes when it has no finalizers. Nothing runs, so nothing has to
    /// stop first; a pod is marked all the same.
    pub(super) fn delete(&mut self, resource: &str, object: &Stored) {
        let kept = !object.list_at(&["metadata", "finalizers"]).is_empty();
        if is_live(object) && (kept || resource == "pods") {
            let now = self.now();
            self.change(resource, object, |object| {
                let metadata = object.object_mut("metadata");
                metadata.insert("deletionTimestamp", now);
                metadata.insert("deletionGracePeriodSeconds", 0);
            });
        }
        if !kept {
            let (namespace, name) = (meta(object, "namespace"), meta(object, "name"));
            self.state.store.remove(resource, namespace, name);
        }
    }
}

/// Creates pods in batches of one, two, four and so on until one holds a refusal: the first
/// refusal (`slowStartBatch`).
pub(super) fn slow_start(
    count: usize,
    mut create: impl FnMut() -> Result<(), Status>,
) -> Result<(), Status> {
    let (mut left, mut batch) = (count, 1);
    while left > 0 {
        let size = batch.min(left);
        let mut refused = Ok(());
        for _ in 0..size {
            let created = create();
            if refused.is_ok() {
                refused = created;
            }
        }
        refused?;
        left -= size;
        batch *= 2;
    }
    Ok(())
}

/// A text of an object's metadata.
pub(super) fn meta<'v>(object: &'v Value<'_>, key: &str) -> &'v str {
    object.text_at(&["metadata", key])
}

pub(super) fn uid<'v>(object: &'v Value<'_>) -> &'v str {
    meta(object, "uid")
}

/// A number below `path`, or zero.
pub(super) fn int_at(object: &Value<'_>, path: &[&str]) -> i64 {
    object.at(path).and_then(Value::as_int).unwrap_or_default()
}

pub(super) fn generation(object: &Value<'_>) -> i64 {
    int_at(object, &["metadata", "generation"])
}

/// The pods or replicas that a workload wants.
pub(super) fn replicas(object: &Value<'_>) -> i64 {
    int_at(object, &["spec", "replicas"])
}

/// A count as the API writes it.
pub(super) fn int(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The other way round: what is below zero is none.
pub(super) fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

/// The reference to the controller of an object (`GetControllerOf`).
pub(super) fn controller_of<'v>(object: &'v Value<'static>) -> Option<&'v Value<'static>> {
    let owners = object.list_at(&["metadata", "ownerReferences"]);
    owners
        .iter()
        .find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))
}

/// Whether the selector of a workload selects an object: a `LabelSelector`, or the plain labels of a
/// `ReplicationController`.
pub(super) fn selects(resource: &Resource, workload: &Value<'_>, object: &Value<'_>) -> bool {
    let Some(selector) = workload.at(&["spec", "selector"]) else {
        return false;
    };
    if resource.kind == "ReplicationController" {
        let selector = Object::from_iter([("matchLabels", selector.clone())]);
        return aggregation::selects(&selector.into(), object);
    }
    aggregation::selects(selector, object)
}

/// Whether a pod is neither over nor being deleted (`IsPodActive`).
pub(super) fn is_active(pod: &Value<'_>) -> bool {
    is_live(pod) && !matches!(pod.text_at(&["status", "phase"]), "Succeeded" | "Failed")
}

/// Whether a pod is being deleted and not over (`IsPodTerminating`).
pub(super) fn is_terminating(pod: &Value<'_>) -> bool {
    !is_live(pod) && !matches!(pod.text_at(&["status", "phase"]), "Succeeded" | "Failed")
}

/// Whether somebody has written that a pod is ready (`IsPodReady`).
pub(super) fn is_ready(pod: &Value<'_>) -> bool {
    let conditions = pod.list_at(&["status", "conditions"]);
    let mut ready = conditions
        .iter()
        .filter(|c| c.text_at(&["type"]) == "Ready");
    ready
        .next()
        .is_some_and(|c| c.text_at(&["status"]) == "True")
}

/// Whether a pod has been ready for as long as its workload wants: no time passes here, so only
/// where that is no time (`IsPodAvailable`).
pub(super) fn is_available(pod: &Value<'_>, workload: &Value<'_>) -> bool {
    is_ready(pod) && int_at(workload, &["spec", "minReadySeconds"]) == 0
}

//! Pods of replica sets and replication controllers: as many as they want.
//!
//! When there are too many, the youngest go first. Upstream orders them by age on a logarithmic scale
//! and then by uid, which is random.
//!
//! Upstream: `pkg/controller/replicaset/replica_set.go`; `pkg/controller/replication` is the same
//! over a conversion.

use podgate_admission::controller::pod_of;
use podgate_admission::resource::Resource;
use podgate_admission::value::{Object, Value};

use super::condition;
use super::event::{Event, record};
use super::is_live;
use super::sync::{
    Sync, count, generation, int, is_active, is_available, is_ready, is_terminating, meta,
    replicas, selects, slow_start,
};
use crate::store::Stored;

/// Status tells of terminating replicas (`DeploymentReplicaSetTerminatingReplicas`).
pub(super) const FIRST_WITH_TERMINATING: u8 = 35;
const FAILURE: &str = "ReplicaFailure";

/// `syncReplicaSet`
pub(super) fn sync(sync: &mut Sync<'_>, resource: &'static Resource, set: &Stored) {
    let source = source(resource);
    let pods = sync.claim(resource, set, "pods", |pod| selects(resource, set, pod));
    let (active, over): (Vec<_>, Vec<_>) = pods.into_iter().partition(|pod| is_active(pod));
    let terminating = over.iter().filter(|pod| is_terminating(pod)).count();
    let wanted = count(replicas(set));
    let mut conditions = condition::of(set);
    if is_live(set) {
        if active.len() < wanted {
            let missing = sync.allowance(set, wanted - active.len());
            if missing > 0 {
                let created = slow_start(missing, || create(sync, resource, set));
                fail(sync, &mut conditions, created.err().map(|s| s.message));
            }
        } else {
            for pod in active.iter().rev().take(active.len() - wanted) {
                delete_pod(sync, resource, set, pod, source);
            }
            fail(sync, &mut conditions, None);
        }
    }
    // Upstream counts before it acts, and again when it hears of its own pods.
    let pods: Vec<Stored> = sync
        .claim(resource, set, "pods", |pod| selects(resource, set, pod))
        .into_iter()
        .filter(|pod| is_active(pod))
        .collect();
    let of = |which: &dyn Fn(&Stored) -> bool| int(pods.iter().filter(|p| which(p)).count());
    let mut status = Object::new();
    status.insert("replicas", int(pods.len()));
    let labelled = of(&|pod| carries_labels(set, pod));
    let (ready, available) = (of(&|pod| is_ready(pod)), of(&|pod| is_available(pod, set)));
    for (key, number) in [
        ("fullyLabeledReplicas", labelled),
        ("readyReplicas", ready),
        ("availableReplicas", available),
    ] {
        if number > 0 {
            status.insert(key, number);
        }
    }
    let tells = sync.minor().number() >= FIRST_WITH_TERMINATING;
    if tells && resource.kind == "ReplicaSet" {
        status.insert("terminatingReplicas", int(terminating));
    }
    status.insert("observedGeneration", generation(set));
    if !conditions.is_empty() {
        status.insert("conditions", conditions);
    }
    sync.set_status(resource, set, status);
}

fn source(resource: &Resource) -> &'static str {
    if resource.kind == "ReplicaSet" {
        "replicaset-controller"
    } else {
        "replication-controller"
    }
}

/// The condition follows the first refusal, and goes with the first success (`calculateStatus`).
fn fail(sync: &mut Sync<'_>, conditions: &mut condition::Conditions, message: Option<String>) {
    match message {
        Some(message) if condition::find(conditions, FAILURE).is_none() => {
            let now = sync.now();
            let failure = condition::new(FAILURE, "True", "FailedCreate", message, &now, false);
            condition::set(conditions, failure);
        }
        Some(_) => {}
        None => condition::remove(conditions, FAILURE),
    }
}

fn carries_labels(set: &Value<'_>, pod: &Value<'_>) -> bool {
    let wanted = set.at(&["spec", "template", "metadata", "labels"]);
    let wanted = wanted.and_then(Value::as_object);
    wanted.is_none_or(|wanted| {
        let mut labels = wanted.iter();
        labels.all(|(key, value)| pod.at(&["metadata", "labels", key]) == Some(value))
    })
}

fn create(
    sync: &mut Sync<'_>,
    resource: &'static Resource,
    set: &Stored,
) -> Result<(), podgate_admission::status::Status> {
    let Some(planned) = pod_of(resource, set, sync.minor()) else {
        return Ok(());
    };
    create_pod(sync, resource, set, planned, source(resource))
}

/// Creates a pod of a workload, and tells how that went (`createPods`).
pub(super) fn create_pod(
    sync: &mut Sync<'_>,
    resource: &Resource,
    owner: &Stored,
    planned: podgate_admission::controller::Planned,
    source: &'static str,
) -> Result<(), podgate_admission::status::Status> {
    let created = sync.create_pod(owner, planned);
    let (reason, message) = match &created {
        Ok(pod) => (
            "SuccessfulCreate",
            format!("Created pod: {}", meta(pod, "name")),
        ),
        Err(status) => (
            "FailedCreate",
            format!("Error creating: {}", status.message),
        ),
    };
    let event = Event {
        warning: created.is_err(),
        reason,
        message: &message,
        source,
    };
    record(sync, resource, owner, event);
    created.map(|_| ())
}

/// Deletes a pod of a workload, and tells so (`DeletePod`).
pub(super) fn delete_pod(
    sync: &mut Sync<'_>,
    resource: &Resource,
    owner: &Stored,
    pod: &Stored,
    source: &'static str,
) {
    sync.delete("pods", pod);
    let message = format!("Deleted pod: {}", meta(pod, "name"));
    let event = Event {
        warning: false,
        reason: "SuccessfulDelete",
        message: &message,
        source,
    };
    record(sync, resource, owner, event);
}

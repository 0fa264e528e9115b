//! Pods of jobs: as many at a time as they want.
//!
//! Pods that somebody has marked as over are counted, and not made again; that a job ends, be it by
//! success, failure or time, is not reproduced.
//!
//! Upstream: `syncJob` and `manageJob` in `pkg/controller/job/job_controller.go`.

use podgate_admission::controller::{Place, pod_at};
use podgate_admission::resource::Resource;
use podgate_admission::value::{Object, Value};

use super::condition;
use super::event::{Event, record};
use super::is_live;
use super::replica_set::{create_pod, delete_pod};
use super::sync::{
    Sync, controller_of, count, int, is_active, is_ready, is_terminating, selects, slow_start, uid,
};
use crate::store::Stored;

const SOURCE: &str = "job-controller";
const FINALIZER: &str = "batch.kubernetes.io/job-tracking";
const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// Status tells how many pods are ready (`JobReadyPods`).
const FIRST_WITH_READY: u8 = 24;
/// Status tells how many pods are being deleted (`JobPodReplacementPolicy`).
const FIRST_WITH_TERMINATING: u8 = 29;
/// Status has a place for pods that ended and are not counted yet (`JobTrackingWithFinalizers`).
const FIRST_WITH_TRACKING: u8 = 25;

pub(super) fn sync(sync: &mut Sync<'_>, resource: &'static Resource, job: &Stored) {
    let managed_by = job.text_at(&["spec", "managedBy"]);
    if !matches!(managed_by, "" | "kubernetes.io/job-controller") {
        return;
    }
    let mut pods = own_pods(sync, resource, job);
    let mut conditions = condition::of(job);
    let suspended = job.at(&["spec", "suspend"]) == Some(&Value::Bool(true));
    if is_live(job) {
        suspend(sync, resource, job, suspended, &mut conditions);
        act(sync, resource, job, &pods, suspended);
        pods = own_pods(sync, resource, job);
    }
    let of = |which: &dyn Fn(&Value<'_>) -> bool| int(pods.iter().filter(|p| which(p)).count());
    let phase = |name: &str| of(&|pod| pod.text_at(&["status", "phase"]) == name);
    let mut status = Object::new();
    if !conditions.is_empty() {
        status.insert("conditions", conditions);
    }
    let started = job.at(&["status", "startTime"]).cloned();
    match started {
        _ if suspended => {}
        Some(time) => status.insert("startTime", time),
        None => status.insert("startTime", sync.now()),
    }
    for (key, number) in [
        ("active", of(&|pod| is_active(pod))),
        ("succeeded", phase("Succeeded")),
        ("failed", phase("Failed")),
    ] {
        if number > 0 {
            status.insert(key, number);
        }
    }
    let minor = sync.minor().number();
    if minor >= FIRST_WITH_TERMINATING {
        status.insert("terminating", of(&|pod| is_terminating(pod)));
    }
    if minor >= FIRST_WITH_TRACKING {
        status.insert("uncountedTerminatedPods", Object::new());
    }
    if minor >= FIRST_WITH_READY {
        status.insert("ready", of(&|pod| is_active(pod) && is_ready(pod)));
    }
    sync.set_status(resource, job, status);
}

fn own_pods(sync: &mut Sync<'_>, resource: &'static Resource, job: &Stored) -> Vec<Stored> {
    sync.claim(resource, job, "pods", |pod| selects(resource, job, pod))
}

/// Says whether the job is suspended, once it was.
fn suspend(
    sync: &mut Sync<'_>,
    resource: &Resource,
    job: &Stored,
    suspended: bool,
    conditions: &mut condition::Conditions,
) {
    let said = condition::find(conditions, "Suspended").map(|c| c.text_at(&["status"]) == "True");
    let (status, reason, message, event) = match (suspended, said) {
        (true, None | Some(false)) => ("True", "JobSuspended", "Job suspended", "Suspended"),
        (false, Some(true)) => ("False", "JobResumed", "Job resumed", "Resumed"),
        _ => return,
    };
    let now = sync.now();
    let mut condition =
        condition::new("Suspended", status, reason, message.to_owned(), &now, false);
    condition.insert("lastProbeTime", now);
    condition::set(conditions, condition);
    let event = Event {
        warning: false,
        reason: event,
        message,
        source: SOURCE,
    };
    record(sync, resource, job, event);
}

fn act(
    sync: &mut Sync<'_>,
    resource: &'static Resource,
    job: &Stored,
    pods: &[Stored],
    suspended: bool,
) {
    let number = |key: &str| job.at(&["spec", key]).and_then(Value::as_int);
    let active: Vec<&Stored> = pods.iter().filter(|pod| is_active(pod)).collect();
    let mut succeeded = pods
        .iter()
        .filter(|pod| pod.text_at(&["status", "phase"]) == "Succeeded");
    let parallelism = count(number("parallelism").unwrap_or(1));
    let wanted = match number("completions") {
        _ if suspended => 0,
        Some(completions) => parallelism.min(count(completions).saturating_sub(succeeded.count())),
        // Once one has succeeded, no more are made.
        None if succeeded.next().is_some() => active.len().min(parallelism),
        None => parallelism,
    };
    for pod in active.iter().skip(wanted) {
        delete_pod(sync, resource, job, pod, SOURCE);
    }
    let taken = |index: i64| {
        let text = index.to_string();
        pods.iter().any(|pod| {
            let phase = pod.text_at(&["status", "phase"]);
            is_live(pod)
                && phase != "Failed"
                && pod.text_at(&["metadata", "annotations", INDEX]) == text
        })
    };
    let missing = sync.allowance(job, wanted.saturating_sub(active.len()));
    let mut indexes = (0..).filter(|index| !taken(*index));
    // The refusal is in the events, and nowhere in the status.
    let _ = slow_start(missing, || {
        let place = Place {
            index: indexes.next().unwrap_or_default(),
            ..Place::default()
        };
        match pod_at(resource, job, place, sync.minor()) {
            Some(planned) => create_pod(sync, resource, job, planned, SOURCE),
            None => Ok(()),
        }
    });
}

/// Lets go of pods that are being deleted, which have been counted, or have no job any more to count
/// them (`syncOrphanPod`).
pub(super) fn untrack(sync: &mut Sync<'_>) {
    for pod in sync.list("pods") {
        let tracked = |f: &Value<'_>| f.as_str() == Some(FINALIZER);
        if is_live(&pod) || !pod.list_at(&["metadata", "finalizers"]).iter().any(tracked) {
            continue;
        }
        let external = controller_of(&pod).is_some_and(|owner| {
            let jobs = sync.list("jobs");
            let job = jobs.iter().find(|job| uid(job) == owner.text_at(&["uid"]));
            job.is_some_and(|job| {
                let by = job.text_at(&["spec", "managedBy"]);
                !matches!(by, "" | "kubernetes.io/job-controller")
            })
        });
        if external {
            continue;
        }
        let changed = sync.change("pods", &pod, |pod| {
            let metadata = pod.object_mut("metadata");
            metadata.list_mut("finalizers").retain(|f| !tracked(f));
        });
        if changed.list_at(&["metadata", "finalizers"]).is_empty() {
            sync.delete("pods", &changed);
        }
    }
}

//! Pods of stateful sets, by their numbers.
//!
//! In order, each pod waits for those before it to be ready; nothing becomes ready by itself, so only
//! the first one is made, and a changed template changes nothing. In parallel all are made at once.
//! Claims, revision objects and partitions are not reproduced.
//!
//! Upstream: `updateStatefulSet` in `pkg/controller/statefulset/stateful_set_control.go`.

use podgate_admission::controller::{Place, pod_at, template_hash};
use podgate_admission::resource::Resource;
use podgate_admission::value::{Object, Value};

use super::event::{Event, record};
use super::is_live;
use super::sync::{Sync, generation, int, int_at, is_available, is_ready, meta, replicas, selects};
use crate::store::Stored;

const SOURCE: &str = "statefulset-controller";
const HASH: &str = "controller-revision-hash";
/// Messages begin with a capital letter (before, with a small one).
const FIRST_WITH_CAPITALS: u8 = 35;
/// Status always tells of available replicas, even of none.
const FIRST_WITH_AVAILABLE: u8 = 22;

pub(super) fn sync(sync: &mut Sync<'_>, resource: &'static Resource, set: &Stored) {
    let template = set.at(&["spec", "template"]).cloned().unwrap_or_default();
    let hash = template_hash(&template, sync.minor());
    let update = format!("{}-{hash}", meta(set, "name"));
    let mut pods = own_pods(sync, resource, set);
    if is_live(set) {
        act(sync, resource, set, &pods, &update);
        pods = own_pods(sync, resource, set);
    }
    let current = match set.text_at(&["status", "currentRevision"]) {
        "" => update.clone(),
        current => current.to_owned(),
    };
    let of = |which: &dyn Fn(&Value<'_>) -> bool| int(pods.iter().filter(|p| which(p)).count());
    let revision =
        |name: &str| of(&|pod| is_live(pod) && pod.text_at(&["metadata", "labels", HASH]) == name);
    let (all, ready) = (int(pods.len()), of(&|pod| is_ready(pod)));
    let updated = revision(&update);
    // All that is wanted is there (`completeRollingUpdate`).
    let wanted = replicas(set);
    let complete = [all, ready, updated].iter().all(|number| *number == wanted);
    let current = if complete { update.clone() } else { current };
    let mut status = Object::new();
    status.insert("observedGeneration", generation(set));
    status.insert("replicas", all);
    for (key, number) in [
        ("readyReplicas", ready),
        ("currentReplicas", revision(&current)),
        ("updatedReplicas", updated),
    ] {
        if number > 0 {
            status.insert(key, number);
        }
    }
    status.insert("currentRevision", current);
    status.insert("updateRevision", update);
    status.insert("collisionCount", 0);
    if sync.minor().number() >= FIRST_WITH_AVAILABLE {
        status.insert("availableReplicas", of(&|pod| is_available(pod, set)));
    }
    sync.set_status(resource, set, status);
}

/// The pods of the set: selected, and named after it (`isMemberOf`).
fn own_pods(sync: &mut Sync<'_>, resource: &'static Resource, set: &Stored) -> Vec<Stored> {
    sync.claim(resource, set, "pods", |pod| {
        selects(resource, set, pod) && ordinal(set, pod).is_some()
    })
}

/// The number in a pod's name, if it is named after the set.
fn ordinal(set: &Value<'_>, pod: &Value<'_>) -> Option<i64> {
    let name = meta(pod, "name").strip_prefix(meta(set, "name"))?;
    name.strip_prefix('-')?.parse().ok()
}

/// Makes and deletes what is next.
fn act(
    sync: &mut Sync<'_>,
    resource: &'static Resource,
    set: &Stored,
    pods: &[Stored],
    update: &str,
) {
    let start = int_at(set, &["spec", "ordinals", "start"]);
    let wanted = replicas(set);
    let monotonic = set.text_at(&["spec", "podManagementPolicy"]) != "Parallel";
    let at = |index: i64| {
        let mut pods = pods.iter();
        pods.find(|pod| ordinal(set, pod) == Some(start.saturating_add(index)))
    };
    let missing = (0..wanted).filter(|index| at(*index).is_none()).count();
    let mut allowed = sync.allowance(set, missing);
    // In parallel they are gone over in batches of one, two, four and so on, until one holds a
    // refusal.
    let (mut left, mut batch, mut refused) = (1, 1, false);
    for index in 0..wanted {
        match at(index) {
            Some(pod) if matches!(pod.text_at(&["status", "phase"]), "Failed" | "Succeeded") => {
                delete(sync, resource, set, pod);
                if monotonic {
                    return;
                }
            }
            Some(pod) if monotonic && !(is_live(pod) && is_available(pod, set)) => return,
            Some(_) => {}
            None if allowed == 0 => return,
            None => {
                allowed -= 1;
                refused |= !create(sync, resource, set, index);
                if monotonic {
                    return;
                }
            }
        }
        left -= 1;
        if left == 0 {
            if refused {
                return;
            }
            batch *= 2;
            left = batch;
        }
    }
    if refused {
        return;
    }
    let mut condemned: Vec<&Stored> = pods
        .iter()
        .filter(|pod| {
            ordinal(set, pod).is_some_and(|at| at < start || at >= start.saturating_add(wanted))
        })
        .collect();
    condemned.sort_by_key(|pod| std::cmp::Reverse(ordinal(set, pod)));
    let unhealthy = condemned
        .iter()
        .rev()
        .find(|pod| !is_available(pod, set))
        .map(|pod| meta(pod, "name"));
    for pod in &condemned {
        let blocked = !is_available(pod, set) && unhealthy != Some(meta(pod, "name"));
        if monotonic && (blocked || !is_live(pod)) {
            return;
        }
        delete(sync, resource, set, pod);
        if monotonic {
            return;
        }
    }
    if missing > 0 || set.text_at(&["spec", "updateStrategy", "type"]) == "OnDelete" {
        return;
    }
    let first = int_at(
        set,
        &["spec", "updateStrategy", "rollingUpdate", "partition"],
    );
    for index in (first..wanted).rev() {
        let Some(pod) = at(index) else { return };
        if is_live(pod) && pod.text_at(&["metadata", "labels", HASH]) != update {
            delete(sync, resource, set, pod);
            return;
        }
        if !is_available(pod, set) {
            return;
        }
    }
}

/// Creates a pod; whether it was admitted (`CreateStatefulPod`).
fn create(sync: &mut Sync<'_>, resource: &'static Resource, set: &Stored, index: i64) -> bool {
    let place = Place {
        index,
        ..Place::default()
    };
    let Some(planned) = pod_at(resource, set, place, sync.minor()) else {
        return false;
    };
    let name = meta(&planned.pod, "name").to_owned();
    match sync.create_pod(set, planned) {
        Ok(_) => {
            tell(sync, resource, set, "Create", &name, None);
            true
        }
        // It belongs to somebody else, and nobody is told.
        Err(status) if status.reason == "AlreadyExists" => false,
        Err(status) => {
            tell(sync, resource, set, "Create", &name, Some(&status.message));
            false
        }
    }
}

fn delete(sync: &mut Sync<'_>, resource: &Resource, set: &Stored, pod: &Stored) {
    sync.delete("pods", pod);
    tell(sync, resource, set, "Delete", meta(pod, "name"), None);
}

/// `recordPodEvent`
fn tell(
    sync: &mut Sync<'_>,
    resource: &Resource,
    set: &Stored,
    verb: &str,
    pod: &str,
    error: Option<&str>,
) {
    let shown = if sync.minor().number() >= FIRST_WITH_CAPITALS {
        verb.to_owned()
    } else {
        verb.to_ascii_lowercase()
    };
    let subject = format!("{shown} Pod {pod} in StatefulSet {}", meta(set, "name"));
    let message = match error {
        None => format!("{subject} successful"),
        Some(error) => format!("{subject} failed error: {error}"),
    };
    let reason = match (verb, error) {
        ("Create", None) => "SuccessfulCreate",
        ("Create", Some(_)) => "FailedCreate",
        _ => "SuccessfulDelete",
    };
    let event = Event {
        warning: error.is_some(),
        reason,
        message: &message,
        source: SOURCE,
    };
    record(sync, resource, set, event);
}

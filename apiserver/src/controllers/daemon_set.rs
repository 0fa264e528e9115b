//! Pods of daemon sets: one for each node that they are meant for.
//!
//! The embedded server has no node until somebody creates one, so there is no such pod until then. Of
//! what keeps a pod off a node, the name of the node, its labels and its taints are looked at; node
//! affinity and revision objects are not reproduced.
//!
//! Upstream: `pkg/controller/daemon/{daemon_controller,update}.go`.

use podgate_admission::controller::{Place, pod_at, template_hash};
use podgate_admission::request::World;
use podgate_admission::resource::Resource;
use podgate_admission::value::{Object, Value};

use super::is_live;
use super::replica_set::{create_pod, delete_pod};
use super::sync::{Sync, generation, int, is_available, is_ready, meta, selects, slow_start};
use crate::store::Stored;

const SOURCE: &str = "daemonset-controller";
const HASH: &str = "controller-revision-hash";

/// `syncDaemonSet`
pub(super) fn sync(sync: &mut Sync<'_>, resource: &'static Resource, set: &Stored) {
    let template = set.at(&["spec", "template"]).cloned().unwrap_or_default();
    let hash = template_hash(&template, sync.minor());
    let nodes = sync.state.store.list("nodes", "");
    let pods = own_pods(sync, resource, set);
    let on = |pods: &[Stored], node: &Value<'_>| -> Vec<Stored> {
        let name = meta(node, "name");
        let mut pods = pods.to_vec();
        pods.retain(|pod| target(pod) == name);
        pods
    };
    if is_live(set) {
        act(sync, resource, set, &nodes, &pods, &hash);
    }
    let pods = own_pods(sync, resource, set);
    let [
        mut desired,
        mut current,
        mut misplaced,
        mut ready,
        mut updated,
        mut available,
    ] = [0; 6];
    for node in &nodes {
        let here = on(&pods, node);
        let first = here.first();
        if !should_run(set, node) {
            misplaced += usize::from(first.is_some());
            continue;
        }
        desired += 1;
        if let Some(pod) = first {
            current += 1;
            ready += usize::from(is_ready(pod));
            available += usize::from(is_available(pod, set));
            updated += usize::from(is_updated(pod, &hash));
        }
    }
    let mut status = Object::new();
    status.insert("currentNumberScheduled", int(current));
    status.insert("numberMisscheduled", int(misplaced));
    status.insert("desiredNumberScheduled", int(desired));
    status.insert("numberReady", int(ready));
    status.insert("observedGeneration", generation(set));
    for (key, number) in [
        ("updatedNumberScheduled", updated),
        ("numberAvailable", available),
        ("numberUnavailable", desired - available),
    ] {
        if number > 0 {
            status.insert(key, int(number));
        }
    }
    sync.set_status(resource, set, status);
}

fn own_pods(sync: &mut Sync<'_>, resource: &'static Resource, set: &Stored) -> Vec<Stored> {
    sync.claim(resource, set, "pods", |pod| selects(resource, set, pod))
}

fn is_updated(pod: &Value<'_>, hash: &str) -> bool {
    pod.text_at(&["metadata", "labels", HASH]) == hash
}

/// Deletes what is over, too much or old, else makes what is missing (`manage`, `rollingUpdate`).
fn act(
    sync: &mut Sync<'_>,
    resource: &'static Resource,
    set: &Stored,
    nodes: &[Stored],
    pods: &[Stored],
    hash: &str,
) {
    let mut missing = Vec::new();
    for node in nodes {
        let name = meta(node, "name");
        let here = pods
            .iter()
            .filter(|pod| target(pod) == name && is_live(pod));
        let (over, here): (Vec<&Stored>, Vec<_>) =
            here.partition(|pod| pod.text_at(&["status", "phase"]) == "Failed");
        let wanted = should_run(set, node);
        let extra = here.iter().skip(usize::from(wanted));
        for pod in over.iter().chain(extra) {
            delete_pod(sync, resource, set, pod, SOURCE);
        }
        if wanted && here.is_empty() {
            missing.push(name);
        }
    }
    let mut next = missing.iter();
    let allowed = sync.allowance(set, missing.len());
    // The refusal is in the events, and nowhere in the status.
    let _ = slow_start(allowed, || {
        let Some(node) = next.next() else {
            return Ok(());
        };
        let place = Place {
            node,
            ..Place::default()
        };
        match pod_at(resource, set, place, sync.minor()) {
            Some(planned) => create_pod(sync, resource, set, planned, SOURCE),
            None => Ok(()),
        }
    });
    if set.text_at(&["spec", "updateStrategy", "type"]) == "OnDelete" {
        return;
    }
    // An old pod that is not available is replaced whatever `maxUnavailable` says; one that is, only
    // as far as that allows, of which at least one pod is always part.
    let mut replaced = false;
    for pod in pods
        .iter()
        .filter(|pod| is_live(pod) && !is_updated(pod, hash))
    {
        let available = is_available(pod, set);
        if !available || !replaced {
            replaced |= available;
            if sync.find("pods", pod).is_some() {
                delete_pod(sync, resource, set, pod, SOURCE);
            }
        }
    }
}

/// The node that a pod is made for (`GetTargetNodeName`).
fn target<'p>(pod: &'p Value<'_>) -> &'p str {
    let node = pod.text_at(&["spec", "nodeName"]);
    if !node.is_empty() {
        return node;
    }
    let terms = pod.list_at(&[
        "spec",
        "affinity",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
    ]);
    let mut fields = terms.iter().flat_map(|term| term.list_at(&["matchFields"]));
    let field = fields.find(|field| field.text_at(&["key"]) == "metadata.name");
    let value = field.and_then(|field| field.list_at(&["values"]).first());
    value.and_then(Value::as_str).unwrap_or_default()
}

/// Whether a node is meant to have a pod (`NodeShouldRunDaemonPod`).
fn should_run(set: &Value<'_>, node: &Value<'_>) -> bool {
    let spec = ["spec", "template", "spec"];
    let of = |key: &'static str| [spec[0], spec[1], spec[2], key];
    let named = set.text_at(&of("nodeName"));
    let selector = set.at(&of("nodeSelector")).and_then(Value::as_object);
    let selected = selector.is_none_or(|selector| {
        let mut labels = selector.iter();
        labels.all(|(key, value)| node.at(&["metadata", "labels", key]) == Some(value))
    });
    let tolerations = set.list_at(&of("tolerations"));
    let repelled = node.list_at(&["spec", "taints"]).iter().any(|taint| {
        taint.text_at(&["effect"]) != "PreferNoSchedule"
            && !is_own_taint(taint)
            && !tolerations.iter().any(|t| tolerates(t, taint))
    });
    (named.is_empty() || named == meta(node, "name")) && selected && !repelled
}

/// The taints that every daemon's pod tolerates (`AddOrUpdateDaemonPodTolerations`).
fn is_own_taint(taint: &Value<'_>) -> bool {
    matches!(
        (taint.text_at(&["key"]), taint.text_at(&["effect"])),
        (
            "node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable",
            "NoExecute"
        ) | (
            "node.kubernetes.io/disk-pressure"
                | "node.kubernetes.io/memory-pressure"
                | "node.kubernetes.io/pid-pressure"
                | "node.kubernetes.io/unschedulable",
            "NoSchedule"
        )
    )
}

/// `ToleratesTaint`
fn tolerates(toleration: &Value<'_>, taint: &Value<'_>) -> bool {
    let (says, is) = (
        |key| toleration.text_at(&[key]),
        |key| taint.text_at(&[key]),
    );
    let exists = says("operator") == "Exists";
    (says("effect").is_empty() || says("effect") == is("effect"))
        && (says("key") == is("key") || says("key").is_empty() && exists)
        && (exists || says("value") == is("value"))
}

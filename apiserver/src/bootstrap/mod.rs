//! What a cluster has before anybody asks it for anything: the system's namespaces, priority classes
//! and roles.
//!
//! Upstream: `k8s.io/kubernetes/pkg/controlplane/controller/systemnamespaces`,
//! `pkg/apis/scheduling/v1/helpers.go`.

mod roles;

use std::collections::BTreeSet;

use podgate_admission::request::Source;
use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;

use crate::controllers;
use crate::source::Seeded;
use crate::state::State;
use crate::store::Store;

const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

const PRIORITY_CLASSES: [(&str, i64, &str); 2] = [
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another \
         node if necessary.",
    ),
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
];

/// The first minor that labels namespaces with their name.
const FIRST_WITH_NAME_LABEL: u8 = 21;

/// The state of a cluster that has just started.
pub(crate) fn state(minor: Minor, source: Seeded) -> State {
    let mut state = State {
        store: Store::new(),
        source,
        unsettled: BTreeSet::new(),
        tracked: None,
        waiting: BTreeSet::new(),
        settled: 0,
    };
    for name in NAMESPACES {
        let mut metadata = meta(&mut state, "", name);
        if minor.number() >= FIRST_WITH_NAME_LABEL {
            let labels = Object::from_iter([("kubernetes.io/metadata.name", name)]);
            metadata.insert("labels", labels);
        }
        let mut namespace = object("v1", "Namespace", metadata);
        let finalizers = vec![Value::from("kubernetes")];
        namespace.insert("spec", Object::from_iter([("finalizers", finalizers)]));
        namespace.insert("status", Object::from_iter([("phase", "Active")]));
        state.put("namespaces", "", name, namespace);
        controllers::after_namespace(&mut state, minor, name);
    }
    for (name, value, description) in PRIORITY_CLASSES {
        let mut metadata = meta(&mut state, "", name);
        metadata.insert("generation", 1);
        let mut class = object("scheduling.k8s.io/v1", "PriorityClass", metadata);
        class.insert("value", value);
        class.insert("description", description);
        class.insert("preemptionPolicy", "PreemptLowerPriority");
        state.put("priorityclasses", "", name, class);
    }
    roles::create(&mut state, minor);
    controllers::aggregate(&mut state);
    state
}

/// The metadata of a new object; the namespace is empty for cluster-scoped ones.
pub(crate) fn meta(state: &mut State, namespace: &str, name: &str) -> Object<'static> {
    let mut metadata = Object::from_iter([("name", name.to_owned())]);
    if !namespace.is_empty() {
        metadata.insert("namespace", namespace.to_owned());
    }
    metadata.insert("uid", state.source.uid());
    metadata.insert("creationTimestamp", state.source.now());
    metadata
}

/// An object that has nothing but metadata yet.
pub(crate) fn object(
    version: &'static str,
    kind: &'static str,
    metadata: Object<'static>,
) -> Object<'static> {
    let mut object = Object::from_iter([("kind", kind), ("apiVersion", version)]);
    object.insert("metadata", metadata);
    object
}

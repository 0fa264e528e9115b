//! What the registry does to an object before it is validated: names, system fields, drops, status,
//! generation, and the syncs between annotations and fields.
//!
//! Upstream: `PrepareForCreate` and `PrepareForUpdate` of the strategies in
//! `pkg/registry/*/*/strategy.go`, and `BeforeCreate` and `BeforeUpdate` in
//! `k8s.io/apiserver/pkg/registry/rest`.

use podgate_policy::Minor;

use crate::chain::Attributes;
use crate::config::Server;
use crate::drop;
use crate::podspec;
use crate::resources;
use crate::value::{Object, Value};
use crate::versions::{self, Gate};

mod annotations;
mod update;

pub(crate) use annotations::{field_for, says};
pub(crate) use update::{for_update, same};

/// Prepares an object that is to be created.
pub(crate) fn for_create(attributes: &mut Attributes<'_>, object: &mut Value<'_>) {
    let (server, resource) = (attributes.server, attributes.resource);
    let (uid, now) = (attributes.source.uid(), attributes.source.now());
    let Some(root) = object.as_object_mut() else {
        return;
    };
    let metadata = root.object_mut("metadata");
    let prefix = metadata.get("generateName").and_then(Value::as_str);
    let named = metadata.get("name").and_then(Value::as_str);
    if let Some(prefix) = prefix.filter(|p| !p.is_empty())
        && named.unwrap_or_default().is_empty()
    {
        let name = generate_name(prefix, &attributes.source.suffix());
        attributes.name.clone_from(&name);
        metadata.insert("name", name);
    }
    if resource.namespaced && !attributes.namespace.is_empty() {
        metadata.insert("namespace", attributes.namespace.to_owned());
    }
    metadata.insert("uid", uid);
    metadata.insert("creationTimestamp", now.clone());
    // Without a generation of its own a kind keeps what the request said.
    if generation(server, resource.group, resource.kind) {
        metadata.insert("generation", 1_i64);
    }
    drops(attributes, object, None);
    let Some(root) = object.as_object_mut() else {
        return;
    };
    match (resource.group, resource.kind) {
        ("", "Pod") => pod(attributes, object, now),
        ("", "Namespace") => namespace(root),
        ("apps", "DaemonSet") => {
            template_generation(root, None);
            reset_status(root);
        }
        ("batch", "Job") => {
            job(server.minor(), root);
            if !attributes.labelled {
                share_labels(root);
            }
            reset_status(root);
        }
        (_, "CronJob" | "Deployment" | "ReplicaSet" | "StatefulSet" | "ReplicationController") => {
            reset_status(root);
        }
        _ => {}
    }
}

/// `WipeObjectMetaSystemFields`: what a request cannot say about a new object.
pub(crate) fn wipe(object: &mut Value<'_>) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for key in [
            "uid",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
        ] {
            metadata.remove(key);
        }
    }
}

/// `dedupOwnerReferencesAndAddWarning`
pub(crate) fn dedup_owners(attributes: &mut Attributes<'_>, object: &mut Value<'_>, late: bool) {
    let Some(Value::List(owners)) = object.at_mut(&["metadata", "ownerReferences"]) else {
        return;
    };
    let mut kept: Vec<Value<'_>> = Vec::with_capacity(owners.len());
    let mut twice: Vec<String> = Vec::new();
    for owner in owners.drain(..) {
        if kept.contains(&owner) {
            twice.push(owner.text_at(&["uid"]).to_owned());
        } else {
            kept.push(owner);
        }
    }
    *owners = kept;
    if twice.is_empty() {
        return;
    }
    let when = if late {
        " after mutating admission happens"
    } else {
        ""
    };
    attributes.warn(&format!(
        ".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
        twice.join(", ")
    ));
}

/// Of a prefix, so many bytes become part of a generated name (`MaxGeneratedNameLength`).
pub(crate) const LONGEST_PREFIX: usize = 63 - 5;

/// `SimpleNameGenerator` of `k8s.io/apiserver/pkg/storage/names`.
fn generate_name(prefix: &str, suffix: &str) -> String {
    let mut end = prefix.len().min(LONGEST_PREFIX);
    while !prefix.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", &prefix[..end])
}

/// Sets `key`, or removes it where there is nothing to set.
fn put<'a>(object: &mut Object<'a>, key: &'static str, value: Option<Value<'a>>) {
    match value {
        Some(value) => object.insert(key, value),
        None => {
            object.remove(key);
        }
    }
}

fn generation(server: &Server, group: &str, kind: &str) -> bool {
    let minor = server.minor();
    match (group, kind) {
        ("", "Pod") => versions::POD_GENERATION.contain(minor),
        ("", "PodTemplate") => versions::POD_TEMPLATE_GENERATION.contain(minor),
        ("batch", _) => versions::JOB_GENERATION.contain(minor),
        ("apps", "ControllerRevision") => false,
        ("apps" | "scheduling.k8s.io", _) | ("", "ReplicationController") => true,
        _ => false,
    }
}

fn reset_status(root: &mut Object<'_>) {
    root.insert("status", Object::new());
}

/// The drops of a pod's or template's spec, and of other kinds' own.
fn drops(attributes: &Attributes<'_>, object: &mut Value<'_>, old: Option<&Value<'_>>) {
    let (server, resource) = (attributes.server, attributes.resource);
    let old_template = old.and_then(|old| podspec::template(resource, old));
    let old_spec = old_template.and_then(|template| template.get("spec"));
    let template = podspec::template_mut(resource, object);
    if let Some(spec) = template.and_then(|template| template.get_mut("spec")) {
        drop::pod_spec(server, spec, old_spec);
    }
    if let Some(spec) = object.get_mut("spec") {
        let old = old.and_then(|old| old.get("spec"));
        drop::own_spec(server, resource.kind, spec, old);
    }
}

/// `podStrategy.PrepareForCreate`
fn pod(attributes: &mut Attributes<'_>, pod: &mut Value<'_>, now: String) {
    let server = attributes.server;
    let null = Value::Null;
    fill_resources(server, pod);
    let qos = pod.text_at(&["status", "qosClass"]).to_owned();
    let spec = pod.get("spec").unwrap_or(&null);
    let mut status = Object::new();
    status.insert("phase", "Pending");
    if qos.is_empty() {
        let pod_level = server.enabled(Gate::PodLevelResources);
        let class = resources::qos_class(spec, pod_level, server.minor());
        status.insert("qosClass", class);
    } else {
        status.insert("qosClass", qos);
    }
    let gates = pod.list_at(&["spec", "schedulingGates"]);
    if !gates.is_empty() {
        let mut condition = Object::new();
        condition.insert("type", "PodScheduled");
        condition.insert("status", "False");
        condition.insert("reason", "SchedulingGated");
        let message = "Scheduling is blocked due to non-empty scheduling gates";
        condition.insert("message", message);
        if versions::GATED_SINCE.contain(server.minor()) {
            condition.insert("lastTransitionTime", now);
        }
        status.insert("conditions", vec![condition.into()]);
    }
    if let Some(root) = pod.as_object_mut() {
        root.insert("status", status);
    }
    merge_label_keys(server, pod);
    annotations::sync(attributes, pod);
}

/// Fills in what a pod has by itself, where that is not done by defaulting.
fn fill_resources(server: &Server, pod: &mut Value<'_>) {
    if server.enabled(Gate::PodLevelResources)
        && versions::POD_LEVEL_DEFAULTS_LATE.contain(server.minor())
        && let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut)
    {
        resources::pod_level_resources(spec, true);
    }
}

/// `mutatePodAffinity` and `mutateTopologySpreadConstraints`: label keys become part of selectors.
fn merge_label_keys(server: &Server, pod: &mut Value<'_>) {
    let labels = pod.at(&["metadata", "labels"]).and_then(Value::as_object);
    let labels = labels.cloned().unwrap_or_default();
    let Some(spec) = pod.get_mut("spec") else {
        return;
    };
    if server.enabled(Gate::MatchLabelKeysInPodAffinity) {
        for kind in ["podAffinity", "podAntiAffinity"] {
            let Some(affinity) = spec.at_mut(&["affinity", kind]) else {
                continue;
            };
            let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
            for term in items_mut(affinity.get_mut(preferred)) {
                if let Some(term) = term.get_mut("podAffinityTerm") {
                    merge_keys(term, "matchLabelKeys", "In", &labels);
                    merge_keys(term, "mismatchLabelKeys", "NotIn", &labels);
                }
            }
            let required = "requiredDuringSchedulingIgnoredDuringExecution";
            for term in items_mut(affinity.get_mut(required)) {
                merge_keys(term, "matchLabelKeys", "In", &labels);
                merge_keys(term, "mismatchLabelKeys", "NotIn", &labels);
            }
        }
    }
    let spread = server.enabled(Gate::MatchLabelKeysInPodTopologySpread)
        && versions::SPREAD_SELECTOR_MERGE.contain(server.minor());
    if spread {
        for constraint in items_mut(spec.get_mut("topologySpreadConstraints")) {
            merge_keys(constraint, "matchLabelKeys", "In", &labels);
        }
    }
}

fn items_mut<'v, 'a>(list: Option<&'v mut Value<'a>>) -> &'v mut [Value<'a>] {
    list.and_then(Value::as_list_mut)
        .map(Vec::as_mut_slice)
        .unwrap_or_default()
}

/// Adds to a term's selector what its label keys select, if it has a selector.
fn merge_keys<'a>(term: &mut Value<'a>, keys: &str, operator: &'static str, labels: &Object<'a>) {
    let names: Vec<_> = term.list_at(&[keys]).to_vec();
    let Some(selector) = term.get_mut("labelSelector").and_then(Value::as_object_mut) else {
        return;
    };
    for key in names {
        let Some(value) = key.as_str().and_then(|key| labels.get(key)) else {
            continue;
        };
        let mut requirement = Object::new();
        requirement.insert("key", key.clone());
        requirement.insert("operator", operator);
        requirement.insert("values", vec![value.clone()]);
        selector
            .list_mut("matchExpressions")
            .push(requirement.into());
    }
}

/// `namespaceStrategy.PrepareForCreate`
fn namespace(root: &mut Object<'_>) {
    let mut status = Object::new();
    status.insert("phase", "Active");
    root.insert("status", status);
    let finalizers = root.object_mut("spec").list_mut("finalizers");
    if !finalizers.iter().any(|f| f.as_str() == Some("kubernetes")) {
        finalizers.push("kubernetes".into());
    }
}

const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// `templateGeneration` is an annotation in `apps/v1` (`pkg/apis/apps/v1/conversion.go`).
fn template_generation(root: &mut Object<'_>, generation: Option<i64>) {
    let annotations = root.object_mut("metadata").object_mut("annotations");
    let given = annotations
        .get(TEMPLATE_GENERATION)
        .and_then(Value::as_str)
        .and_then(|text| text.parse::<i64>().ok())
        .unwrap_or_default();
    let generation = generation.unwrap_or(given.max(1));
    annotations.insert(TEMPLATE_GENERATION, generation.to_string());
}

/// The labels that a Job has from its template (`SetDefaults_Job`) are the template's own map, so
/// what is added to that one is added to them.
fn share_labels(job: &mut Object<'_>) {
    let path = ["template", "metadata", "labels"];
    let labels = job.get("spec").and_then(|spec| spec.at(&path)).cloned();
    let metadata = job.object_mut("metadata");
    if let Some(labels) = labels
        && metadata.contains_key("labels")
    {
        metadata.insert("labels", labels);
    }
}

/// What an object has when it comes back from the store: it is defaulted once more, so that a `Job` has
/// the labels that its template has got since (`SetDefaults_Job`).
pub(crate) fn stored(attributes: &Attributes<'_>, object: &mut Value<'_>) {
    if !attributes.is("batch", "jobs") {
        return;
    }
    let path = ["spec", "template", "metadata", "labels"];
    let labels = object.at(&path).cloned();
    let own = object
        .at(&["metadata", "labels"])
        .and_then(Value::as_object);
    if own.is_none_or(Object::is_empty)
        && let Some(labels) = labels
        && let Some(root) = object.as_object_mut()
    {
        root.object_mut("metadata").insert("labels", labels);
    }
}

const JOB_TRACKING: &str = "batch.kubernetes.io/job-tracking";

/// `jobStrategy.PrepareForCreate`: the selector and labels of a `Job` that brings none, and the
/// mark that its pods are tracked.
pub(crate) fn job(minor: Minor, root: &mut Object<'_>) {
    let metadata = root.object_mut("metadata");
    if versions::JOB_TRACKING_ANNOTATION.contain(minor) {
        metadata.object_mut("annotations").insert(JOB_TRACKING, "");
    } else if versions::JOB_TRACKING_DROPPED.contain(minor)
        && let Some(annotations) = metadata
            .get_mut("annotations")
            .and_then(Value::as_object_mut)
    {
        annotations.remove(JOB_TRACKING);
    }
    let text = |key| {
        metadata
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (name, uid) = (text("name"), text("uid"));
    let spec = root.object_mut("spec");
    if spec.get("manualSelector").and_then(Value::as_bool) == Some(true) {
        return;
    }
    let prefixed = versions::JOB_PREFIXED_LABELS.contain(minor);
    let labels = spec
        .object_mut("template")
        .object_mut("metadata")
        .object_mut("labels");
    let mut label = |key: &'static str, value: &str| {
        if !labels.contains_key(key) {
            labels.insert(key, value.to_owned());
        }
    };
    label("job-name", &name);
    label("controller-uid", &uid);
    if prefixed {
        label("batch.kubernetes.io/job-name", &name);
        label("batch.kubernetes.io/controller-uid", &uid);
    }
    let key = if prefixed {
        "batch.kubernetes.io/controller-uid"
    } else {
        "controller-uid"
    };
    let selector = spec.object_mut("selector").object_mut("matchLabels");
    if !selector.contains_key(key) {
        selector.insert(key, uid);
    }
}

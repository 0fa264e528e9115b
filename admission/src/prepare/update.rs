//! What an update may change: subresources, status, system fields and the generation.
//!
//! Upstream: `PrepareForUpdate` of the strategies in `pkg/registry/*/*/strategy.go`, and
//! `BeforeUpdate` in `k8s.io/apiserver/pkg/registry/rest/update.go`.

use super::{TEMPLATE_GENERATION, drops, generation, put, template_generation};
use crate::chain::Attributes;
use crate::resources;
use crate::value::{Object, Value};
use crate::versions::{self, Gate};

/// Prepares an object that is to replace `old`.
pub(crate) fn for_update<'a>(
    attributes: &mut Attributes<'_>,
    object: &mut Value<'a>,
    old: &Value<'a>,
) {
    let resource = attributes.resource;
    let Some(root) = object.as_object_mut() else {
        return;
    };
    let generation = old.at(&["metadata", "generation"]).cloned();
    put(root.object_mut("metadata"), "generation", generation);
    if resource.kind == "Pod" {
        pod_update(attributes, root, old);
    } else if attributes.subresource == Some("status") {
        put(root, "spec", old.get("spec").cloned());
        if resource.kind == "Deployment" {
            let labels = old.at(&["metadata", "labels"]).cloned();
            put(root.object_mut("metadata"), "labels", labels);
        }
    } else if has_status(resource.kind) {
        put(root, "status", old.get("status").cloned());
    }
    if resource.kind == "Namespace" {
        put(root, "spec", old.get("spec").cloned());
    }
    if attributes.subresource != Some("status") {
        drops(attributes, object, Some(old));
        bump_generation(attributes, object, old);
    }
    system_fields(object, old);
}

fn has_status(kind: &str) -> bool {
    matches!(
        kind,
        "Deployment"
            | "ReplicaSet"
            | "StatefulSet"
            | "DaemonSet"
            | "ReplicationController"
            | "Job"
            | "CronJob"
            | "Namespace"
            | "PersistentVolumeClaim"
            | "ResourceQuota"
            | "Service"
    )
}

/// What a pod's subresources let through (`podEphemeralContainersStrategy`, `podStatusStrategy`,
/// `podResizeStrategy`).
fn pod_update<'a>(attributes: &Attributes<'_>, root: &mut Object<'a>, old: &Value<'a>) {
    let old_spec = old.get("spec").cloned();
    match attributes.subresource {
        Some("status") => {
            put(root, "spec", old_spec);
            let metadata = root.object_mut("metadata");
            metadata.remove("deletionTimestamp");
            let owners = old.at(&["metadata", "ownerReferences"]).cloned();
            put(metadata, "ownerReferences", owners);
            pod_addresses(root);
            return;
        }
        Some("ephemeralcontainers") => {
            let ephemeral = root.object_mut("spec").remove("ephemeralContainers");
            put(root, "spec", old_spec);
            put(root.object_mut("spec"), "ephemeralContainers", ephemeral);
            reset_metadata(root, old);
        }
        Some("resize") => {
            resize(attributes, root, old);
            keep_resources(attributes, root, old);
            return;
        }
        None => keep_resources(attributes, root, old),
        _ => {}
    }
    put(root, "status", old.get("status").cloned());
}

/// `Convert_v1_PodStatus_To_core_PodStatus` and back: the single address counts where it is not the first
/// of all, and is that where it is not said.
fn pod_addresses(root: &mut Object<'_>) {
    let Some(status) = root.get_mut("status").and_then(Value::as_object_mut) else {
        return;
    };
    let text = |value: Option<&Value<'_>>| value.and_then(Value::as_str).map(str::to_owned);
    let one = text(status.get("podIP")).unwrap_or_default();
    let all = status.get("podIPs").and_then(Value::as_list);
    let first = text(all.and_then(<[_]>::first).and_then(|ip| ip.get("ip")));
    if one.is_empty() {
        if let Some(first) = first {
            status.insert("podIP", first);
        }
    } else if first.is_none_or(|first| first != one) {
        let mut address = Object::new();
        address.insert("ip", one);
        status.insert("podIPs", vec![address.into()]);
    }
}

/// Since 1.37 a pod keeps its own resources where a request does not know of them.
fn keep_resources<'a>(attributes: &Attributes<'_>, root: &mut Object<'a>, old: &Value<'a>) {
    let server = attributes.server;
    if !versions::POD_LEVEL_DEFAULTS_LATE.contain(server.minor()) {
        return;
    }
    let spec = root.object_mut("spec");
    let missing = spec.get("resources").is_none_or(|r| *r == Value::Null);
    if let Some(own) = old.at(&["spec", "resources"]).filter(|_| missing) {
        spec.insert("resources", own.clone());
    }
    if attributes.subresource == Some("resize") && server.enabled(Gate::PodLevelResources) {
        resources::pod_level_resources(spec, true);
    }
}

/// `dropNonResizeUpdates`: only resources and resize policies change. A request that adds, removes or
/// renames containers stays as it is, for validation to refuse it.
fn resize<'a>(attributes: &Attributes<'_>, root: &mut Object<'a>, old: &Value<'a>) {
    const LISTS: [&str; 2] = ["containers", "initContainers"];
    let new_spec = root.get("spec").cloned().unwrap_or_default();
    let count = |spec: Option<&Value<'_>>, list: &str| spec.map_or(0, |s| s.list_at(&[list]).len());
    let old_spec = old.get("spec");
    if LISTS
        .iter()
        .any(|list| count(Some(&new_spec), list) != count(old_spec, list))
    {
        return;
    }
    put(root, "spec", old_spec.cloned());
    put(root, "status", old.get("status").cloned());
    reset_metadata(root, old);
    let Some(spec) = root.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    if versions::RESIZE_POD_LEVEL.contain(attributes.server.minor()) {
        put(spec, "resources", new_spec.get("resources").cloned());
    }
    for list in LISTS {
        let new = new_spec.list_at(&[list]);
        let Some(Value::List(containers)) = spec.get_mut(list) else {
            continue;
        };
        let same_name =
            |(old, new): (&Value<'_>, &Value<'_>)| old.text_at(&["name"]) == new.text_at(&["name"]);
        if !containers.iter().zip(new).all(same_name) {
            *containers = new.to_vec();
            continue;
        }
        for (container, new) in containers.iter_mut().zip(new) {
            if let Some(container) = container.as_object_mut() {
                for key in ["resources", "resizePolicy"] {
                    put(container, key, new.get(key).cloned());
                }
            }
        }
    }
}

/// `ResetObjectMetaForStatus`
fn reset_metadata<'a>(root: &mut Object<'a>, old: &Value<'a>) {
    let metadata = root.object_mut("metadata");
    for key in ["labels", "annotations", "finalizers", "ownerReferences"] {
        put(metadata, key, old.at(&["metadata", key]).cloned());
    }
}

/// A changed spec is a new generation.
fn bump_generation(attributes: &Attributes<'_>, object: &mut Value<'_>, old: &Value<'_>) {
    let resource = attributes.resource;
    if !generation(attributes.server, resource.group, resource.kind) {
        return;
    }
    let part = if resource.kind == "PodTemplate" {
        "template"
    } else {
        "spec"
    };
    let differs = |path: &[&str]| !same(object.at(path), old.at(path));
    let mut changed = differs(&[part]);
    if resource.kind == "Deployment" {
        // Annotations are copied to the replica sets.
        changed |= differs(&["metadata", "annotations"]);
    }
    let of_template = old
        .at(&["metadata", "annotations", TEMPLATE_GENERATION])
        .and_then(Value::as_str)
        .and_then(|text| text.parse::<i64>().ok())
        .unwrap_or_default();
    let of_template = of_template + i64::from(differs(&["spec", "template"]));
    let generation = old.at(&["metadata", "generation"]).and_then(Value::as_int);
    let Some(root) = object.as_object_mut() else {
        return;
    };
    if resource.kind == "DaemonSet" {
        template_generation(root, Some(of_template));
    }
    if changed {
        let next = generation.unwrap_or_default() + 1;
        root.object_mut("metadata").insert("generation", next);
    }
}

/// What an update cannot change.
fn system_fields(object: &mut Value<'_>, old: &Value<'_>) {
    let Some(root) = object.as_object_mut() else {
        return;
    };
    let metadata = root.object_mut("metadata");
    let old = |key: &str| old.at(&["metadata", key]).cloned().map(Value::into_owned);
    let missing = metadata
        .get("uid")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .is_empty();
    if let Some(uid) = old("uid").filter(|_| missing) {
        metadata.insert("uid", uid);
    }
    for key in ["creationTimestamp", "deletionTimestamp"] {
        if let Some(value) = old(key) {
            metadata.insert(key, value);
        }
    }
    if let Some(value) = old("deletionGracePeriodSeconds")
        && metadata.get("deletionGracePeriodSeconds").is_none()
    {
        metadata.insert("deletionGracePeriodSeconds", value);
    }
}

/// `apiequality.Semantic.DeepEqual`: the order of keys means nothing, and nothing is the same as
/// empty.
pub(crate) fn same(one: Option<&Value<'_>>, other: Option<&Value<'_>>) -> bool {
    fn empty(value: &Value<'_>) -> bool {
        match value {
            Value::Null => true,
            Value::List(items) => items.is_empty(),
            Value::Object(object) => object.iter().all(|(_, value)| empty(value)),
            _ => false,
        }
    }
    match (one, other) {
        (None, None) => true,
        (Some(value), None) | (None, Some(value)) => empty(value),
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let keys = one.iter().chain(other.iter()).map(|(key, _)| key);
            keys.into_iter()
                .all(|key| same(one.get(key), other.get(key)))
        }
        (Some(Value::List(one)), Some(Value::List(other))) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| same(Some(one), Some(other)))
        }
        (Some(one), Some(other)) => one == other || (empty(one) && empty(other)),
    }
}

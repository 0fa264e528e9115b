//! What may change in a pod that exists.
//!
//! Upstream: `ValidatePodUpdate`, `ValidatePodEphemeralContainersUpdate`,
//! `ValidatePodSpecificAnnotationUpdates`, `ValidateContainerUpdates`,
//! `validateOnlyAddedTolerations`, `validateOnlyDeletedSchedulingGates`,
//! `validateNodeSelectorMutation` and `validateNodeAffinityMutation` in
//! `pkg/apis/core/validation/validation.go`; quality of service in `pkg/apis/core/helper/qos`.
//!
//! Upstream lets a pod keep what was valid when it was created and is no longer. A pod that
//! podgate stores was created on the same minor, so nothing of that is needed here.

use crate::value::Value;

use super::field::{BadValue, Path};
use super::pod::{self, spec_of};
use super::tree::{
    entries, equal, equal_fields, field, int_opt, items, quantity, text, text_entries,
};
use super::{Validator, go, metadata, names, profiles, tolerations, versions};

/// `ValidatePodUpdate`
pub(crate) fn update(v: &mut Validator, new: &Value<'_>, old: &Value<'_>) {
    metadata_and_annotations(v, new, old);
    let (new_spec, old_spec) = (spec_of(new), spec_of(old));
    let path = Path::new("spec");
    for list in ["containers", "initContainers"] {
        if images(
            v,
            items(new_spec, list),
            items(old_spec, list),
            &path.child(list),
        ) {
            return;
        }
    }
    if active_deadline(v, new_spec, old_spec, &path.child("activeDeadlineSeconds")) {
        return;
    }
    added_tolerations(v, new_spec, old_spec, &path);
    scheduling_gates(v, new_spec, old_spec, &path.child("schedulingGates"));
    if equal(Some(new_spec), Some(old_spec)) {
        return;
    }
    if versions::QOS_IMMUTABLE.contains(&v.minor) && qos(new_spec) != qos(old_spec) {
        let class = new.get("status").map_or("", |s| text(s, "qosClass"));
        v.errors.invalid(
            &Path::new("metadata"),
            BadValue::Named(class),
            "Pod QoS is immutable",
        );
    }
    let gated =
        v.since(versions::GATED_POD_MUTABLE) && !items(old_spec, "schedulingGates").is_empty();
    if gated {
        node_selector(v, new_spec, old_spec, &path.child("nodeSelector"));
        let path = path.child("affinity");
        node_affinity(v, new_spec, old_spec, &path.child("nodeAffinity"));
    }
    if !same_but_for_updatable_fields(new_spec, old_spec, gated, v.minor) {
        let detail = if v.since(versions::UPDATABLE_FIELDS_LISTED) {
            "pod updates may not change fields other than \
             `spec.containers[*].image`,`spec.initContainers[*].image`,\
             `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
             tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was \
             previously negative)"
        } else if v.since(versions::GRACE_PERIOD_UPDATABLE) {
            "pod updates may not change fields other than `spec.containers[*].image`, \
             `spec.initContainers[*].image`, `spec.activeDeadlineSeconds`, `spec.tolerations` \
             (only additions to existing tolerations) or `spec.terminationGracePeriodSeconds` \
             (allow it to be set to 1 if it was previously negative)"
        } else {
            "pod updates may not change fields other than `spec.containers[*].image`, \
             `spec.initContainers[*].image`, `spec.activeDeadlineSeconds` or `spec.tolerations` \
             (only additions to existing tolerations)"
        };
        v.errors.forbidden_like(
            &path,
            format!("{detail}\n{}", difference(v.minor, "core.PodSpec")),
        );
    }
}

/// `ValidatePodEphemeralContainersUpdate`
pub(crate) fn ephemeral_containers(v: &mut Validator, new: &Value<'_>, old: &Value<'_>) {
    let before = v.errors.len();
    metadata_and_annotations(v, new, old);
    let is_static = pod::is_static(metadata::of(old));
    if is_static && v.since(versions::STATIC_POD_EPHEMERAL) {
        // Upstream returns this error instead of those of its own before.
        v.errors.truncate(before);
        v.errors.forbidden(
            &Path::new(""),
            "static pods do not support ephemeral containers",
        );
        return;
    }
    let path = Path::new("spec");
    let path = path.child("ephemeralContainers");
    let containers = items(spec_of(new), "ephemeralContainers");
    for old in items(spec_of(old), "ephemeralContainers") {
        let name = text(old, "name");
        let quoted = go::quote(name);
        match containers.iter().rev().find(|c| text(c, "name") == name) {
            None => v.errors.forbidden(
                &path,
                format!("existing ephemeral containers {quoted} may not be removed\n"),
            ),
            Some(new) if !equal(Some(new), Some(old)) => v.errors.forbidden_like(
                &path,
                format!(
                    "existing ephemeral containers {quoted} may not be changed\n{}",
                    difference(v.minor, "core.EphemeralContainer")
                ),
            ),
            Some(_) => {}
        }
    }
}

/// Stands for what `cmp.Diff`, or from 1.34 on a unified diff of JSON, would say.
fn difference(minor: u8, go_type: &str) -> String {
    if minor >= versions::JSON_VALUES {
        "@@{...}\n".to_owned()
    } else {
        format!("  {go_type}{{...}}\n")
    }
}

/// What every update of a pod begins with.
fn metadata_and_annotations(v: &mut Validator, new: &Value<'_>, old: &Value<'_>) {
    v.is_pod = true;
    let path = Path::new("metadata");
    let (new_meta, old_meta) = (metadata::of(new), metadata::of(old));
    metadata::update(v, new_meta, old_meta, &path);
    pod::metadata_and_spec(v, new);
    annotation_updates(v, new_meta, old_meta, &path.child("annotations"));
    pod::annotations(v, new_meta, spec_of(new), &path.child("annotations"));
}

/// `ValidatePodSpecificAnnotationUpdates`
pub(crate) fn annotation_updates(
    v: &mut Validator,
    new: &Value<'_>,
    old: &Value<'_>,
    path: &Path<'_>,
) {
    let kind = |key: &str| {
        if key.starts_with(profiles::APPARMOR_CONTAINER) {
            Some("AppArmor annotations")
        } else {
            (key == pod::MIRROR).then_some("mirror pod annotation")
        }
    };
    for (key, value) in text_entries(old, "annotations") {
        let kept = text_entries(new, "annotations").any(|entry| entry == (key, value));
        if let Some(kind) = kind(key)
            && !kept
        {
            v.errors
                .forbidden(&path.key(key), format!("may not remove or update {kind}"));
        }
    }
    for (key, _) in text_entries(new, "annotations") {
        let known = text_entries(old, "annotations").any(|(k, _)| k == key);
        if let Some(kind) = kind(key)
            && !known
        {
            v.errors
                .forbidden(&path.key(key), format!("may not add {kind}"));
        }
    }
}

/// `ValidateContainerUpdates`; whether upstream stops here.
fn images(v: &mut Validator, new: &[Value<'_>], old: &[Value<'_>], path: &Path<'_>) -> bool {
    if new.len() != old.len() {
        v.errors
            .forbidden(path, "pod updates may not add or remove containers");
        return true;
    }
    for (i, container) in new.iter().enumerate() {
        let image = text(container, "image");
        let path = path.index(i);
        if image.is_empty() {
            v.errors.required(&path.child("image"), "");
        }
        if image.trim() != image {
            v.errors.invalid(
                &path.child("image"),
                image,
                "must not have leading or trailing whitespace",
            );
        }
    }
    false
}

/// A deadline may come, and come nearer; whether upstream stops here.
fn active_deadline(v: &mut Validator, new: &Value<'_>, old: &Value<'_>, path: &Path<'_>) -> bool {
    let old = int_opt(old, "activeDeadlineSeconds");
    let Some(new) = int_opt(new, "activeDeadlineSeconds") else {
        if old.is_some() {
            v.errors.invalid(
                path,
                BadValue::Nil,
                "must not update from a positive integer to nil value",
            );
        }
        return false;
    };
    if !(0..=i64::from(i32::MAX)).contains(&new) {
        v.errors
            .invalid(path, new, names::range_error(0, i32::MAX.into()));
        return true;
    }
    if old.is_some_and(|old| old < new) {
        v.errors
            .invalid(path, new, "must be less than or equal to previous value");
        return true;
    }
    false
}

/// `validateOnlyAddedTolerations`
fn added_tolerations(v: &mut Validator, new: &Value<'_>, old: &Value<'_>, path: &Path<'_>) {
    let same = |a: &Value<'_>, b: &Value<'_>| {
        ["key", "operator", "value", "effect"]
            .iter()
            .all(|name| text(a, name) == text(b, name))
    };
    let kept = items(old, "tolerations")
        .iter()
        .all(|old| items(new, "tolerations").iter().any(|new| same(old, new)));
    if kept {
        tolerations::tolerations(v, items(new, "tolerations"), &path.child("tolerations"));
    } else {
        v.errors.forbidden(
            &path.child("tolerations"),
            "existing toleration can not be modified except its tolerationSeconds",
        );
    }
}

/// `validateOnlyDeletedSchedulingGates`
fn scheduling_gates(v: &mut Validator, new: &Value<'_>, old: &Value<'_>, path: &Path<'_>) {
    let gates = items(new, "schedulingGates");
    for (i, gate) in gates.iter().enumerate() {
        let name = text(gate, "name");
        // Upstream collects them in a map, where the last of two stays.
        if gates[i + 1..].iter().any(|gate| text(gate, "name") == name) {
            continue;
        }
        let known = items(old, "schedulingGates")
            .iter()
            .any(|gate| text(gate, "name") == name);
        if !known {
            let path = path.index(i);
            v.errors.forbidden(
                &path.child("name"),
                format!("only deletion is allowed, but found new scheduling gate '{name}'"),
            );
        }
    }
}

/// `validateNodeSelectorMutation`
fn node_selector(v: &mut Validator, new: &Value<'_>, old: &Value<'_>, path: &Path<'_>) {
    let kept = entries(old, "nodeSelector")
        .all(|(key, value)| entries(new, "nodeSelector").any(|(k, v)| k == key && v == value));
    if !kept {
        let value = go::print_map(field(new, "nodeSelector"), v.minor);
        v.errors.invalid(
            path,
            value,
            "only additions to spec.nodeSelector are allowed (no mutations or deletions)",
        );
    }
}

/// `validateNodeAffinityMutation`
fn node_affinity(v: &mut Validator, new: &Value<'_>, old: &Value<'_>, path: &Path<'_>) {
    const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
    const TERMS: [&str; 4] = ["affinity", "nodeAffinity", REQUIRED, "nodeSelectorTerms"];
    let (old, new) = (old.list_at(&TERMS), new.list_at(&TERMS));
    let path = path.child(REQUIRED);
    let path = path.child("nodeSelectorTerms");
    if old.is_empty() {
        return;
    }
    if old.len() != new.len() {
        v.errors.invalid(
            &path,
            go::Rendered::abridged("[]core.NodeSelectorTerm", v.minor),
            "no additions/deletions to non-empty NodeSelectorTerms list are allowed",
        );
        return;
    }
    for (i, (new, old)) in new.iter().zip(old).enumerate() {
        if !only_adds(new, old) {
            v.errors.invalid(
                &path.index(i),
                go::Rendered::abridged("core.NodeSelectorTerm", v.minor),
                "only additions are allowed (no mutations or deletions)",
            );
        }
    }
}

/// `validateNodeSelectorTermHasOnlyAdditions`
fn only_adds(new: &Value<'_>, old: &Value<'_>) -> bool {
    const LISTS: [&str; 2] = ["matchExpressions", "matchFields"];
    let matches_nothing = LISTS.iter().all(|list| items(old, list).is_empty());
    LISTS.iter().all(|list| {
        let (new, old) = (items(new, list), items(old, list));
        if matches_nothing {
            return new.is_empty();
        }
        new.len() >= old.len()
            && new
                .iter()
                .zip(old)
                .all(|(new, old)| equal(Some(new), Some(old)))
    })
}

/// Whether the specs differ in nothing but what an update may change. The fields that may change
/// under conditions have been looked at before.
fn same_but_for_updatable_fields(new: &Value<'_>, old: &Value<'_>, gated: bool, minor: u8) -> bool {
    let mut keys: Vec<&str> = [new, old]
        .iter()
        .filter_map(|spec| spec.as_object())
        .flat_map(|spec| spec.iter().map(|(key, _)| key))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().all(|key| {
        let (new_value, old_value) = (new.get(key), old.get(key));
        match key {
            "activeDeadlineSeconds" | "tolerations" | "schedulingGates" => true,
            "containers" | "initContainers" => items(new, key)
                .iter()
                .zip(items(old, key))
                .all(|(new, old)| same_but_for(new, old, "image")),
            "terminationGracePeriodSeconds" => {
                let raised = minor >= versions::GRACE_PERIOD_UPDATABLE
                    && int_opt(old, key).is_some_and(|old| old < 0)
                    && int_opt(new, key) == Some(1);
                raised || equal_fields(key, new_value, old_value)
            }
            "nodeSelector" if gated => true,
            "affinity" if gated => ["podAffinity", "podAntiAffinity"].iter().all(|kind| {
                equal(
                    new_value.and_then(|a| a.get(kind)),
                    old_value.and_then(|a| a.get(kind)),
                )
            }),
            _ => equal_fields(key, new_value, old_value),
        }
    })
}

/// Whether two objects differ in nothing but the field `name`.
pub(crate) fn same_but_for(new: &Value<'_>, old: &Value<'_>, name: &str) -> bool {
    let (Some(new), Some(old)) = (new.as_object(), old.as_object()) else {
        return equal(Some(new), Some(old));
    };
    let keys = |a: &crate::value::Object<'_>, b: &crate::value::Object<'_>| {
        a.iter()
            .all(|(key, value)| key == name || equal_fields(key, Some(value), b.get(key)))
    };
    keys(new, old) && keys(old, new)
}

/// `ComputePodQOS`: guaranteed pods limit all they ask for, best effort pods ask for nothing.
fn qos(spec: &Value<'_>) -> &'static str {
    const COMPUTE: [&str; 2] = ["cpu", "memory"];
    let containers = || {
        items(spec, "containers")
            .iter()
            .chain(items(spec, "initContainers"))
    };
    let amount = |container: &Value<'_>, map: &str, name: &str| {
        container
            .at(&["resources", map, name])
            .map(quantity)
            .filter(|amount| amount.sign().is_gt())
    };
    let nothing = containers().all(|c| {
        COMPUTE.iter().all(|name| {
            amount(c, "requests", name).is_none() && amount(c, "limits", name).is_none()
        })
    });
    if nothing {
        return "BestEffort";
    }
    let guaranteed = containers().all(|c| {
        COMPUTE.iter().all(|name| {
            let limit = amount(c, "limits", name);
            limit.is_some() && amount(c, "requests", name) == limit
        })
    });
    if guaranteed {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

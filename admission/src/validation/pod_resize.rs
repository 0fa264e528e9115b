//! What a request to `pods/NAME/resize` may change: processors and memory.
//!
//! Upstream: `ValidatePodResize`, `validatePodLevelResourcesResize`,
//! `validatePodResizeContainerOrdering`, `validateContainerResize` and `isPodResizeRequestSupported`
//! in `pkg/apis/core/validation/validation.go`. What else the request changes is put back before
//! (`prepare/update.rs`), unless it adds, removes or renames containers.

use podgate_policy::Minor;

use crate::resources::qos_class;
use crate::value::Value;

use super::field::{BadValue, Path};
use super::pod::{self, spec_of};
use super::tree::{entries, equal, field, items, quantity, text};
use super::{Validator, metadata, versions};

/// The lists of containers with resources.
const LISTS: [&str; 2] = ["containers", "initContainers"];
/// What may be resized.
const MUTABLE: [&str; 2] = ["cpu", "memory"];
const ONLY_MUTABLE: &str = "only cpu and memory resources are mutable";

static NOTHING: Value<'static> = Value::Null;

/// `ValidatePodResize`
pub(crate) fn resize(v: &mut Validator, new: &Value<'_>, old: &Value<'_>) {
    let before = v.errors.len();
    v.is_pod = true;
    let (new_meta, old_meta) = (metadata::of(new), metadata::of(old));
    metadata::update(v, new_meta, old_meta, &Path::new("metadata"));
    pod::metadata_and_spec(v, new);
    let (new_spec, old_spec) = (spec_of(new), spec_of(old));
    let own_resources = has_resources(new_spec) || has_resources(old_spec);
    if let Some(why) = never(v, old, own_resources) {
        // Upstream returns this error instead of those before.
        v.errors.truncate(before);
        v.errors.forbidden(&Path::new(""), why);
        return;
    }
    let path = Path::new("spec");
    quality_of_service(v, new, old, &path);
    if !runs_where_resizing_works(old) {
        v.errors
            .forbidden(&path, "Pod running on node without support for resize");
    }
    if own_resources {
        if !v.since(versions::RESIZE_POD_LEVEL) {
            v.errors.forbidden(
                &Path::new(""),
                "resize of pods with pod-level resources is forbidden when \
                 InPlacePodLevelResourcesVerticalScalingEnabled feature gate is disabled",
            );
            return;
        }
        pod_level(v, new_spec, old_spec, &path);
    }
    if reordered(v, new_spec, old_spec, &path) {
        return;
    }
    for list in ["initContainers", "containers"] {
        let list_path = path.child(list);
        for (i, (new, old)) in pairs(new_spec, old_spec, list).enumerate() {
            let all = list == "containers" || v.since(versions::RESIZE_INIT_CONTAINERS);
            if all || is_sidecar(old) {
                let path = list_path.index(i);
                not_removed(v, new, old, &path.child("resources"));
            }
        }
    }
    for (new, old) in pairs(new_spec, old_spec, "containers") {
        if !only_mutable_changed(new, old, v.minor) {
            v.errors.forbidden(&path, ONLY_MUTABLE);
        }
    }
    let init_path = path.child("initContainers");
    for (i, (new, old)) in pairs(new_spec, old_spec, "initContainers").enumerate() {
        init_container(v, new, old, &path, &init_path.index(i));
    }
    let untouched = v.errors.len() == before
        && field(new_spec, "resources").is_some() != field(old_spec, "resources").is_some();
    if untouched && !own_resources {
        // Resources that say nothing are something else than none.
        v.errors.forbidden(&path, ONLY_MUTABLE);
    }
}

/// Why a pod is never resized.
fn never(v: &Validator, old: &Value<'_>, own_resources: bool) -> Option<&'static str> {
    if own_resources && !v.since(versions::RESIZE_POD_LEVEL_GATED) {
        Some("pods with pod-level resources cannot be resized")
    } else if pod::is_static(metadata::of(old)) {
        Some("static pods cannot be resized")
    } else if old.text_at(&["spec", "os", "name"]) == "windows" {
        Some("windows pods cannot be resized")
    } else {
        None
    }
}

/// The class of a pod stays.
fn quality_of_service(v: &mut Validator, new: &Value<'_>, old: &Value<'_>, path: &Path<'_>) {
    let pod_level = v.since(versions::POD_LEVEL_RESOURCES);
    let minor = Minor::known(v.minor);
    let class = |pod: &Value<'_>| qos_class(spec_of(pod), pod_level, minor);
    let was = match old.text_at(&["status", "qosClass"]) {
        "" => class(old),
        said => said,
    };
    if was != class(new) {
        v.errors.invalid(
            path,
            BadValue::Named(new.text_at(&["status", "qosClass"])),
            "Pod QOS Class may not change as a result of resizing",
        );
    }
}

/// `isPodResizeRequestSupported`: the kubelet that runs the pod says which resources it has.
fn runs_where_resizing_works(pod: &Value<'_>) -> bool {
    let running = |status: &&Value<'_>| {
        let state = field(status, "state");
        state.is_some_and(|state| field(state, "running").is_some())
    };
    let mut statuses = pod.list_at(&["status", "containerStatuses"]).iter();
    let first = statuses.find(running);
    first.is_none_or(|status| field(status, "resources").is_some())
}

fn has_resources(spec: &Value<'_>) -> bool {
    let amounts = |name| entries(resources(spec), name).count();
    amounts("requests") + amounts("limits") > 0
}

/// `validatePodLevelResourcesResize`
fn pod_level(v: &mut Validator, new: &Value<'_>, old: &Value<'_>, path: &Path<'_>) {
    let resources_path = path.child("resources");
    let (new_own, old_own) = (field(new, "resources"), field(old, "resources"));
    match (new_own, old_own) {
        (None, Some(_)) => v
            .errors
            .forbidden(&resources_path, "pod-level resources cannot be removed"),
        (Some(new), Some(old)) => {
            for list in ["requests", "limits"] {
                if removed(new, old, list) {
                    v.errors.forbidden(
                        &resources_path.child(list),
                        format!("pod-level resource {list} cannot be removed"),
                    );
                }
            }
        }
        _ => {}
    }
    let kept = new_own.is_none_or(|new| {
        same_but_mutable(Some(new), old_own, v.minor)
            && equal(new.get("claims"), old_own.and_then(|old| old.get("claims")))
    });
    if !kept {
        v.errors.forbidden(
            path,
            "only cpu and memory resources are mutable at pod-level",
        );
    }
}

/// `validatePodResizeContainerOrdering`; whether it found something.
fn reordered(v: &mut Validator, new: &Value<'_>, old: &Value<'_>, path: &Path<'_>) -> bool {
    let before = v.errors.len();
    for list in LISTS {
        let path = path.child(list);
        if items(new, list).len() != items(old, list).len() {
            v.errors.forbidden(
                &path,
                format!("{list} may not be added or removed on resize"),
            );
            continue;
        }
        for (i, (new, old)) in pairs(new, old, list).enumerate() {
            if text(new, "name") != text(old, "name") {
                let path = path.index(i);
                v.errors.forbidden(
                    &path.child("name"),
                    format!("{list} may not be renamed or reordered on resize"),
                );
            }
        }
    }
    v.errors.len() > before
}

/// `validateContainerResize`
fn not_removed(v: &mut Validator, new: &Value<'_>, old: &Value<'_>, path: &Path<'_>) {
    for (list, detail) in [
        ("requests", "resource requests cannot be removed"),
        ("limits", "resource limits cannot be removed"),
    ] {
        if removed(resources(new), resources(old), list) {
            v.errors.forbidden(&path.child(list), detail);
        }
    }
    if !v.since(versions::MEMORY_LIMIT_DECREASES) {
        memory_limit(v, new, old, &path.child("limits"));
    }
}

/// Without a restart a container keeps its memory.
fn memory_limit(v: &mut Validator, new: &Value<'_>, old: &Value<'_>, path: &Path<'_>) {
    let mut policies = items(new, "resizePolicy").iter();
    let policy = policies.find(|policy| text(policy, "resourceName") == "memory");
    if policy.is_some_and(|policy| text(policy, "restartPolicy") == "RestartContainer") {
        return;
    }
    let limit = |container: &Value<'_>| {
        let amount = container.at(&["resources", "limits", "memory"]);
        amount.map(quantity)
    };
    let what = match (limit(new), limit(old)) {
        (Some(new), Some(old)) if new < old => "decreased",
        (Some(_), None) => "added",
        _ => return,
    };
    v.errors.forbidden(
        &path.key("memory"),
        format!("memory limits cannot be {what} unless resizePolicy is RestartContainer"),
    );
}

/// Init containers can be resized since 1.36, before only those that go on running.
fn init_container(
    v: &mut Validator,
    new: &Value<'_>,
    old: &Value<'_>,
    spec_path: &Path<'_>,
    path: &Path<'_>,
) {
    let sidecar = is_sidecar(new);
    let changed = !only_resources_equal(new, old);
    let only_mutable = only_mutable_changed(new, old, v.minor);
    if v.since(versions::RESIZE_INIT_CONTAINERS) {
        if !only_mutable {
            v.errors.forbidden(
                path,
                "only cpu and memory resources for init or sidecar containers are mutable",
            );
        }
        if changed && !sidecar {
            for policy in items(new, "resizePolicy") {
                if text(policy, "restartPolicy") == "RestartContainer" {
                    v.errors.forbidden(
                        path,
                        "non-sidecar init containers with a resize policy of RestartContainer \
                         cannot be resized",
                    );
                }
            }
        }
    } else if sidecar && !only_mutable {
        v.errors.forbidden(
            spec_path,
            "only cpu and memory resources for sidecar containers are mutable",
        );
    } else if !sidecar && changed {
        v.errors.forbidden(
            spec_path,
            "resources for non-sidecar init containers are immutable",
        );
    }
}

fn resources<'v, 'a>(holder: &'v Value<'a>) -> &'v Value<'a> {
    holder.get("resources").unwrap_or(&NOTHING)
}

fn is_sidecar(container: &Value<'_>) -> bool {
    text(container, "restartPolicy") == "Always"
}

fn pairs<'v, 'a, 'b>(
    new: &'v Value<'a>,
    old: &'v Value<'b>,
    list: &str,
) -> impl Iterator<Item = (&'v Value<'a>, &'v Value<'b>)> {
    items(new, list).iter().zip(items(old, list))
}

/// `resourcesRemoved`
fn removed(new: &Value<'_>, old: &Value<'_>, list: &str) -> bool {
    entries(old, list).any(|(name, _)| entries(new, list).all(|(other, _)| other != name))
}

fn only_resources_equal(new: &Value<'_>, old: &Value<'_>) -> bool {
    equal(new.get("resizePolicy"), old.get("resizePolicy"))
        && equal(resources(new).get("claims"), resources(old).get("claims"))
        && ["requests", "limits"]
            .iter()
            .all(|list| same_amounts(resources(new), resources(old), list, &[]))
}

/// Whether a container differs in nothing but what may be resized (`dropCPUMemoryResourcesFromContainer`).
fn only_mutable_changed(new: &Value<'_>, old: &Value<'_>, minor: u8) -> bool {
    let claims = resources(old).get("claims");
    let claims_kept = if minor >= versions::RESIZE_KEEPS_CLAIMS {
        equal(resources(new).get("claims"), claims)
    } else {
        // Upstream compares with a container that has lost its claims.
        equal(None, claims)
    };
    claims_kept
        && equal(new.get("resizePolicy"), old.get("resizePolicy"))
        && same_but_mutable(new.get("resources"), old.get("resources"), minor)
}

/// Whether requests and limits are the same but for processors and memory.
fn same_but_mutable(new: Option<&Value<'_>>, old: Option<&Value<'_>>, minor: u8) -> bool {
    let (new, old) = (new.unwrap_or(&NOTHING), old.unwrap_or(&NOTHING));
    ["requests", "limits"].iter().all(|list| {
        // Up to 1.34, what comes to a container that had nothing is not looked at.
        let unseen = minor < versions::RESIZE_POD_LEVEL_GATED && field(old, list).is_none();
        unseen || same_amounts(new, old, list, &MUTABLE)
    })
}

fn same_amounts(new: &Value<'_>, old: &Value<'_>, list: &str, but: &[&str]) -> bool {
    let covered = |one: &Value<'_>, other: &Value<'_>| {
        entries(one, list)
            .filter(|(name, _)| !but.contains(name))
            .all(|(name, amount)| {
                entries(other, list)
                    .any(|(other, same)| other == name && quantity(same) == quantity(amount))
            })
    };
    covered(new, old) && covered(old, new)
}

//! What a request to `pods/NAME/status` may say.
//!
//! Upstream: `ValidatePodStatusUpdate`, `validatePodConditions`, `ValidateContainerStateTransition`,
//! `validatePodIPs` and `validateHostIPs` in `pkg/apis/core/validation/validation.go`. Only a kubelet
//! reports users, allocated resources and claims of containers; those are not looked at.

use std::net::IpAddr;

use crate::value::Value;

use super::field::{BadValue, Path};
use super::pod_update::annotation_updates;
use super::tree::{field, int, items, text};
use super::{Validator, dns, go, metadata, names, versions};

/// `ValidatePodStatusUpdate`. The spec is that of `old` by then.
pub(crate) fn update(v: &mut Validator, new: &Value<'_>, old: &Value<'_>) {
    let path = Path::new("metadata");
    let (new_meta, old_meta) = (metadata::of(new), metadata::of(old));
    metadata::update(v, new_meta, old_meta, &path);
    annotation_updates(v, new_meta, old_meta, &path.child("annotations"));
    let nothing = Value::Null;
    let new_status = new.get("status").unwrap_or(&nothing);
    let old_status = old.get("status").unwrap_or(&nothing);
    let status_path = Path::new("status");
    let conditions_path = if v.since(versions::CONDITIONS_OF_STATUS) {
        status_path.child("conditions")
    } else {
        path.child("conditions")
    };
    conditions(v, new_status, &conditions_path);
    nominated_node(v, new_status, old_status, old, &status_path);
    if int(new_status, "observedGeneration") < 0 {
        v.errors.invalid(
            &status_path.child("observedGeneration"),
            int(new_status, "observedGeneration"),
            NON_NEGATIVE,
        );
    }
    let class = |status| text(status, "qosClass");
    if v.since(versions::QOS_OF_STATUS_IMMUTABLE) && class(new_status) != class(old_status) {
        v.errors.invalid(
            &status_path.child("qosClass"),
            BadValue::Named(class(new_status)),
            "field is immutable",
        );
    }
    transitions(v, new_status, old_status, old, &status_path);
    addresses(
        v,
        "podIPs",
        &go::POD_IP,
        new_status,
        old_status,
        &status_path,
    );
    if let Some(first) = items(new_status, "hostIPs").first() {
        let first = text(first, "ip");
        if first != text(new_status, "hostIP") {
            let path = status_path.child("hostIPs");
            let path = path.index(0);
            v.errors
                .invalid(&path.child("ip"), first, "must be equal to `hostIP`");
        }
        addresses(
            v,
            "hostIPs",
            &go::HOST_IP,
            new_status,
            old_status,
            &status_path,
        );
    }
}

const NON_NEGATIVE: &str = "must be a non-negative integer";

/// `validatePodConditions`
fn conditions(v: &mut Validator, status: &Value<'_>, path: &Path<'_>) {
    for (i, condition) in items(status, "conditions").iter().enumerate() {
        let path = path.index(i);
        let generation = int(condition, "observedGeneration");
        if generation < 0 {
            v.errors
                .invalid(&path.child("observedGeneration"), generation, NON_NEGATIVE);
        }
        let ty = text(condition, "type");
        if !matches!(ty, "PodScheduled" | "Ready" | "Initialized") {
            let wrong = names::qualified_name(ty, v.minor);
            v.errors.invalid_each(&path.child("Type"), ty, wrong);
        }
    }
}

fn nominated_node(
    v: &mut Validator,
    new: &Value<'_>,
    old: &Value<'_>,
    old_pod: &Value<'_>,
    path: &Path<'_>,
) {
    let node = text(new, "nominatedNodeName");
    if node.is_empty() || node == text(old, "nominatedNodeName") {
        return;
    }
    let path = path.child("nominatedNodeName");
    v.errors
        .invalid_each(&path, node, names::dns_subdomain(node));
    if v.since(versions::NOMINATED_NODE_CLEARED)
        && !old_pod.text_at(&["spec", "nodeName"]).is_empty()
    {
        v.errors.forbidden(
            &path,
            "may not be set on pods that are already bound to a node",
        );
    }
}

/// `ValidateContainerStateTransition`: what has ended and does not start again stays ended.
fn transitions(
    v: &mut Validator,
    new: &Value<'_>,
    old: &Value<'_>,
    old_pod: &Value<'_>,
    path: &Path<'_>,
) {
    let of_pod = old_pod.text_at(&["spec", "restartPolicy"]);
    for (list, containers, policy) in [
        ("containerStatuses", "containers", of_pod),
        ("initContainerStatuses", "initContainers", of_pod),
        ("ephemeralContainerStatuses", "ephemeralContainers", "Never"),
    ] {
        let path = path.child(list);
        let spec = old_pod.get("spec");
        for (i, was) in items(old, list).iter().enumerate() {
            let Some(end) = terminated(was) else {
                continue;
            };
            let name = text(was, "name");
            let own = spec.and_then(|spec| {
                let mut containers = items(spec, containers).iter();
                let container = containers.find(|container| text(container, "name") == name)?;
                container.get("restartPolicy")?.as_str()
            });
            let restarts = match own.unwrap_or(policy) {
                "Always" => true,
                "OnFailure" => int(end, "exitCode") != 0,
                _ => false,
            };
            if restarts {
                continue;
            }
            let back = items(new, list)
                .iter()
                .any(|is| text(is, "name") == name && terminated(is).is_none());
            if back {
                let path = path.index(i);
                v.errors.forbidden(
                    &path.child("state"),
                    "may not be transitioned to non-terminated state",
                );
            }
        }
    }
}

fn terminated<'v, 'a>(status: &'v Value<'a>) -> Option<&'v Value<'a>> {
    field(field(status, "state")?, "terminated")
}

/// `validatePodIPs` and `validateHostIPs`
fn addresses(
    v: &mut Validator,
    name: &str,
    ty: &'static go::Struct,
    new: &Value<'_>,
    old: &Value<'_>,
    path: &Path<'_>,
) {
    let all: Vec<_> = items(new, name).iter().map(|a| text(a, "ip")).collect();
    let path = path.child(name);
    let kept = |address: &str| {
        v.minor >= versions::BAD_ADDRESSES_KEPT
            && items(old, name)
                .iter()
                .any(|old| text(old, "ip") == address)
    };
    let looked_at: Vec<_> = all.iter().map(|address| !kept(address)).collect();
    for (i, address) in all.iter().enumerate().filter(|(i, _)| looked_at[*i]) {
        dns::address(v, address, &path.index(i));
    }
    if all.len() < 2 {
        return;
    }
    let parsed: Vec<Option<IpAddr>> = all.iter().map(|address| address.parse().ok()).collect();
    let mut dual = false;
    if let Some(bad) = parsed.iter().position(Option::is_none) {
        let why = if v.since(versions::HOST_IPS_KNOWN) {
            format!("invalid IP[{bad}]: {}", all[bad])
        } else {
            "ip <nil> is invalid".to_owned()
        };
        let detail = format!("failed to check for dual stack with error:{why}");
        v.errors.internal(&path, detail);
    } else {
        let families = |six: bool| parsed.iter().flatten().any(|ip| ip.is_ipv6() == six);
        dual = families(true) && families(false);
    }
    if let Some(list) = new.get(name).filter(|_| !dual || all.len() > 2) {
        v.errors.invalid(
            &path,
            go::print_list(list, ty, v.minor),
            "may specify no more than one IP for each IP family",
        );
    }
    if !v.since(versions::BAD_ADDRESSES_KEPT) {
        for (i, address) in items(new, name).iter().enumerate() {
            if all[..i].contains(&all[i]) {
                let printed = go::print(address, ty, v.minor);
                v.errors.duplicate(&path.index(i), printed);
            }
        }
    }
}

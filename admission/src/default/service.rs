//! `SetDefaults_Service`: what depends on the type of a service.

use podgate_policy::Minor;

use super::{fill, no_text};
use crate::value::{Object, Value};
use crate::versions;

const AFFINITY_SECONDS: i64 = 3 * 60 * 60;

pub(super) fn spec(minor: Minor, spec: &mut Object<'_>) {
    if no_text(spec, "type") {
        spec.insert("type", "ClusterIP");
    }
    if no_text(spec, "sessionAffinity") {
        spec.insert("sessionAffinity", "None");
    }
    match spec.get("sessionAffinity").and_then(Value::as_str) {
        Some("ClientIP") => {
            let client = spec
                .object_mut("sessionAffinityConfig")
                .object_mut("clientIP");
            fill(client, "timeoutSeconds", AFFINITY_SECONDS);
        }
        Some("None") => {
            spec.remove("sessionAffinityConfig");
        }
        _ => {}
    }
    let ports = spec.get_mut("ports").and_then(Value::as_list_mut);
    for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
        let unset = match port.get("targetPort") {
            Some(Value::Int(number)) => *number == 0,
            Some(Value::String(name)) => name.is_empty(),
            _ => true,
        };
        if unset && let Some(number) = port.get("port").cloned() {
            port.insert("targetPort", number);
        }
    }
    let ty = spec.get("type").and_then(Value::as_str).unwrap_or_default();
    let (balanced, node_port, cluster) =
        (ty == "LoadBalancer", ty == "NodePort", ty == "ClusterIP");
    let outside = spec.get("externalIPs").and_then(Value::as_list);
    let reachable = cluster
        && versions::EXTERNAL_ADDRESSES.contain(minor)
        && !outside.unwrap_or_default().is_empty();
    if (balanced || node_port || reachable) && no_text(spec, "externalTrafficPolicy") {
        spec.insert("externalTrafficPolicy", "Cluster");
    }
    let everywhere = versions::INTERNAL_TRAFFIC_POLICY_EVERYWHERE.contain(minor);
    if versions::INTERNAL_TRAFFIC_POLICY.contain(minor)
        && (balanced || node_port || cluster || everywhere)
    {
        fill(spec, "internalTrafficPolicy", "Cluster");
    }
    if balanced && versions::LOAD_BALANCER_NODE_PORTS.contain(minor) {
        fill(spec, "allocateLoadBalancerNodePorts", true);
    }
}

//! Ports of a pod's containers that get in each other's way.

use super::Warnings;
use crate::podspec;
use crate::quote::quote;
use crate::value::Value;

struct Port<'v> {
    path: String,
    name: &'v str,
    host: i64,
    container: i64,
    protocol: &'v str,
    address: &'v str,
}

fn ports<'v>(spec: &'v Value<'_>, at: &str) -> Vec<Port<'v>> {
    let mut found = Vec::new();
    for (role, index, container) in podspec::containers(spec) {
        for (nth, port) in container.list_at(&["ports"]).iter().enumerate() {
            let number = |key| port.get(key).and_then(Value::as_int).unwrap_or_default();
            found.push(Port {
                path: format!("{at}spec.{}[{index}].ports[{nth}]", role.field()),
                name: port.text_at(&["name"]),
                host: number("hostPort"),
                container: number("containerPort"),
                protocol: port.text_at(&["protocol"]),
                address: port.text_at(&["hostIP"]),
            });
        }
    }
    found
}

/// Ports of the same number and protocol, and addresses that no host port is bound to.
pub(super) fn overlaps(out: &mut Warnings, spec: &Value<'_>, at: &str) {
    let all = ports(spec, at);
    for (index, port) in all.iter().enumerate() {
        let path = &port.path;
        if !port.address.is_empty() && port.host == 0 {
            // Go's print of the struct.
            out.add(format!(
                "{path}: hostIP set without hostPort: {{Name:{} HostPort:{} ContainerPort:{} Protocol:{} HostIP:{}}}",
                port.name, port.host, port.container, port.protocol, port.address
            ));
        }
        for other in &all[..index] {
            if other.container != port.container || other.protocol != port.protocol {
                continue;
            }
            let bound_once = port.address.is_empty() != other.address.is_empty();
            let how = if port.address == other.address && port.host == other.host {
                "duplicate"
            } else if port.host == 0 || other.host == 0 {
                "overlapping"
            } else if port.host == other.host && bound_once {
                "dangerously ambiguous"
            } else {
                continue;
            };
            out.add(format!("{path}: {how} port definition with {}", other.path));
        }
    }
}

/// Ports of the same name, of which services see the first only.
pub(super) fn names(out: &mut Warnings, spec: &Value<'_>, at: &str) {
    let all = ports(spec, at);
    for (index, port) in all
        .iter()
        .enumerate()
        .filter(|(_, port)| !port.name.is_empty())
    {
        if let Some(first) = all[..index].iter().find(|other| other.name == port.name) {
            let (path, name, first) = (&port.path, quote(port.name), &first.path);
            out.add(format!(
                "{path}: duplicate port name {name} with {first}, services and probes that select ports by name will use {first}"
            ));
        }
    }
}

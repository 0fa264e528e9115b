//! Ports of containers, and who may have which port of the host.
//!
//! Upstream: `validateContainerPorts`, `AccumulateUniqueHostPorts`, `checkHostPortConflicts` and
//! `validatePodHostNetworkDeps` (before 1.28 `validateHostNetwork`) in
//! `pkg/apis/core/validation/validation.go`.

use crate::value::Value;

use super::field::Path;
use super::tree::{flag, int, items, text};
use super::{Validator, names, versions};

/// `validateContainerPorts`
pub(crate) fn container(v: &mut Validator, container: &Value<'_>, path: &Path<'_>) {
    let ports = items(container, "ports");
    let path = path.child("ports");
    for (i, port) in ports.iter().enumerate() {
        let path = path.index(i);
        let name = text(port, "name");
        if !name.is_empty() {
            let wrong = names::port_name(name, v.minor);
            if !wrong.is_empty() {
                v.errors.invalid_each(&path.child("name"), name, wrong);
            } else if ports[..i].iter().any(|p| text(p, "name") == name) {
                v.errors.duplicate(&path.child("name"), name);
            }
        }
        let container_port = int(port, "containerPort");
        if container_port == 0 {
            v.errors.required(&path.child("containerPort"), "");
        } else if let Some(wrong) = names::port_number(container_port) {
            v.errors
                .invalid(&path.child("containerPort"), container_port, wrong);
        }
        let host_port = int(port, "hostPort");
        if host_port != 0
            && let Some(wrong) = names::port_number(host_port)
        {
            v.errors.invalid(&path.child("hostPort"), host_port, wrong);
        }
        match text(port, "protocol") {
            "" => v.errors.required(&path.child("protocol"), ""),
            "SCTP" | "TCP" | "UDP" => {}
            protocol => {
                v.errors
                    .not_supported(&path.child("protocol"), protocol, &["SCTP", "TCP", "UDP"]);
            }
        }
    }
}

/// What must be unique among the ports of a host; `None` where no port of the host is used.
fn host_port<'v>(port: &'v Value<'_>) -> Option<(&'v str, &'v str, i64)> {
    let number = int(port, "hostPort");
    (number != 0).then(|| (text(port, "protocol"), text(port, "hostIP"), number))
}

/// `checkHostPortConflicts` of `containers`; `first` is the index of the first of them as the path
/// names it: upstream checks init containers one by one, and calls each the first.
pub(crate) fn host_port_conflicts(v: &mut Validator, containers: &[Value<'_>], path: &Path<'_>) {
    let before = |container: usize, port: usize, wanted: (&str, &str, i64)| {
        let earlier = containers[..container]
            .iter()
            .flat_map(|c| items(c, "ports"));
        let own = &items(&containers[container], "ports")[..port];
        earlier.chain(own).any(|p| host_port(p) == Some(wanted))
    };
    for (c, container) in containers.iter().enumerate() {
        for (p, port) in items(container, "ports").iter().enumerate() {
            let Some(wanted @ (protocol, ip, number)) = host_port(port) else {
                continue;
            };
            if before(c, p, wanted) {
                let path = path.index(c);
                let path = path.child("ports");
                let path = path.index(p);
                v.errors.duplicate(
                    &path.child("hostPort"),
                    &*format!("{protocol}/{ip}/{number}"),
                );
            }
        }
    }
}

/// `validatePodHostNetworkDeps`: in the network of the host, ports of containers are its ports.
pub(crate) fn host_network(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    if !flag(spec, "hostNetwork") {
        return;
    }
    let path = path.child("containers");
    for (c, container) in items(spec, "containers").iter().enumerate() {
        let path = path.index(c);
        let path = path.child("ports");
        for (p, port) in items(container, "ports").iter().enumerate() {
            let path = path.index(p);
            let (host_port, container_port) = (int(port, "hostPort"), int(port, "containerPort"));
            if host_port == container_port {
                continue;
            }
            if !v.since(versions::HOST_PORT_REPORTED) {
                v.errors.invalid(
                    &path.child("containerPort"),
                    container_port,
                    "must match `hostPort` when `hostNetwork` is true",
                );
            } else if v.is_pod || host_port != 0 {
                v.errors.invalid(
                    &path.child("hostPort"),
                    host_port,
                    "must match `containerPort` when `hostNetwork` is true",
                );
            }
        }
    }
}

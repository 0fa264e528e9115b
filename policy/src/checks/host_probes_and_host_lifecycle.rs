//! Probes and lifecycle handlers must not name a host.
//!
//! Restricted fields: `httpGet.host` and `tcpSocket.host` of the three probes and the two lifecycle
//! handlers of every container. Allowed: unset, empty. Since policy v1.34.
//!
//! Upstream: `policy/check_hostProbesAndhostLifecycle.go`.

use super::{Check, Documentation, Forbidden, Revision, wording};
use crate::level::Level;
use crate::server::Server;
use crate::view::Pod;
use std::collections::BTreeSet;

pub(super) static CHECK: Check = Check {
    id: "hostProbesAndHostLifecycle",
    level: Level::Baseline,
    revisions: &[Revision {
        since: 34,
        change: "",
        evaluate: host_probes_and_host_lifecycle_1_34,
    }],
    overridden_by: None,
    remedy: |_, violation, remedy| {
        remedy.leave(
            violation,
            "the probe may need the host that it names: podgate explain \
             hostProbesAndHostLifecycle says what takes its place",
        );
    },
    reasons: &["probe or lifecycle host"],
    details: &["container* use* probe or lifecycle host* \"*\""],
    documentation: Documentation {
        title: "no hosts in probes and lifecycle handlers",
        rule: "The kubelet runs HTTP and TCP probes and handlers from the node. With a host of its \
               own choice a pod makes the kubelet connect to any address that the node can reach, \
               past network policies. Every host is refused, 127.0.0.1 too; without one the \
               kubelet connects to the pod.",
        fields: &[
            "spec.containers[*].livenessProbe.httpGet.host",
            "spec.containers[*].livenessProbe.tcpSocket.host",
            "spec.containers[*].readinessProbe.httpGet.host",
            "spec.containers[*].readinessProbe.tcpSocket.host",
            "spec.containers[*].startupProbe.httpGet.host",
            "spec.containers[*].startupProbe.tcpSocket.host",
            "spec.containers[*].lifecycle.postStart.httpGet.host",
            "spec.containers[*].lifecycle.postStart.tcpSocket.host",
            "spec.containers[*].lifecycle.preStop.httpGet.host",
            "spec.containers[*].lifecycle.preStop.tcpSocket.host",
            "the same of spec.initContainers[*] and spec.ephemeralContainers[*]",
        ],
        allowed: &["unset", "empty"],
        fix: "Remove `host`: the pod's own address is the default. Where the server picks a site \
              by name, send the name as a `Host` header. Where it listens on loopback only, use an \
              `exec` probe.",
        example: "spec:\n  containers:\n  - name: app\n    livenessProbe:\n      httpGet:\n        \
                  path: /healthz\n        port: 8080\n        httpHeaders:\n        - name: Host\n          \
                  value: shop.example.com",
    },
};

fn host_probes_and_host_lifecycle_1_34(_: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    // Unlike in every other check the containers are a sorted set too.
    let mut names = BTreeSet::new();
    let mut hosts = BTreeSet::new();
    let mut fields = Vec::new();
    for container in &pod.containers {
        for (field, host) in &container.handler_hosts {
            if !host.is_empty() {
                names.insert(container.name);
                hosts.insert(*host);
                fields.push(container.path(field));
            }
        }
    }
    if names.is_empty() {
        return None;
    }
    Some(Forbidden {
        reason: "probe or lifecycle host",
        detail: format!(
            "{} {} {} {} {}",
            wording::plural(names.len(), "container", "containers"),
            wording::quoted(&names),
            wording::plural(names.len(), "uses", "use"),
            wording::plural(
                hosts.len(),
                "probe or lifecycle host",
                "probe or lifecycle hosts"
            ),
            wording::quoted(&hosts),
        ),
        fields,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, pod, server};
    use super::*;
    use crate::view::Container;
    use rstest::rstest;

    fn hosts<'a>(name: &'a str, handler_hosts: &[(&'static str, &'a str)]) -> Container<'a> {
        Container {
            name,
            handler_hosts: handler_hosts.to_vec(),
            ..Container::default()
        }
    }

    #[rstest]
    #[case(pod([hosts("a", &[]), hosts("b", &[("livenessProbe.httpGet.host", "")])]), "", &[])]
    #[case(
        pod([hosts("a", &[("livenessProbe.httpGet.host", "127.0.0.1")])]),
        r#"probe or lifecycle host (container "a" uses probe or lifecycle host "127.0.0.1")"#,
        &["spec.containers[0].livenessProbe.httpGet.host"]
    )]
    #[case(
        pod([
            hosts("c", &[("startupProbe.tcpSocket.host", "b"), ("lifecycle.preStop.httpGet.host", "a")]),
            hosts("b", &[("readinessProbe.httpGet.host", "a")]),
        ]),
        r#"probe or lifecycle host (containers "b", "c" use probe or lifecycle hosts "a", "b")"#,
        &[
            "spec.containers[0].startupProbe.tcpSocket.host",
            "spec.containers[0].lifecycle.preStop.httpGet.host",
            "spec.containers[1].readinessProbe.httpGet.host",
        ]
    )]
    fn table(#[case] pod: Pod<'_>, #[case] expected: &str, #[case] fields: &[&str]) {
        check(&CHECK, server(34), 34, &pod, expected, fields);
    }
}

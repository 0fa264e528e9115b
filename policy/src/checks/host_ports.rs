//! Ports of the host must be forbidden.
//!
//! Restricted fields: `ports[*].hostPort` of every container. Allowed: unset, 0.
//!
//! Upstream: `policy/check_hostPorts.go`.

use super::{Check, Documentation, Forbidden, Revision, wording};
use crate::level::Level;
use crate::server::Server;
use crate::view::{Container, Pod};
use std::collections::BTreeSet;

pub(super) static CHECK: Check = Check {
    id: "hostPorts",
    level: Level::Baseline,
    revisions: &[Revision {
        since: 0,
        change: "",
        evaluate: host_ports_1_0,
    }],
    overridden_by: None,
    remedy: |_, violation, remedy| {
        remedy.leave(
            violation,
            "clients may know the port of the node: a Service must take its place",
        );
    },
    reasons: &["hostPort"],
    details: &[
        "container \"*\" uses hostPort *",
        "container \"*\" uses hostPorts *",
        "containers \"*\" use hostPort *",
        "containers \"*\" use hostPorts *",
    ],
    documentation: Documentation {
        title: "no ports of the host",
        rule: "A host port opens a port of the node itself, past Services and often past network \
               policies, and can take the place of a service of the node. No container may claim \
               one. A pod with `hostNetwork: true` gets a host port for each of its ports from the \
               API server, and so violates this rule as well.",
        fields: &[
            "spec.containers[*].ports[*].hostPort",
            "spec.initContainers[*].ports[*].hostPort",
            "spec.ephemeralContainers[*].ports[*].hostPort",
        ],
        allowed: &["unset", "0"],
        fix: "Remove `hostPort` and reach the pod through a Service: of type NodePort or \
              LoadBalancer, or behind an Ingress or a Gateway, where clients are outside of the \
              cluster.",
        example: "spec:\n  containers:\n  - name: app\n    ports:\n    - containerPort: 8080",
    },
};

fn host_ports_1_0(_: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    let bad: Vec<&Container<'_>> = pod
        .containers
        .iter()
        .filter(|container| container.host_ports.iter().any(|port| *port != 0))
        .collect();
    if bad.is_empty() {
        return None;
    }
    let mut ports = BTreeSet::new();
    let mut fields = Vec::new();
    for container in &bad {
        for (index, port) in container.host_ports.iter().enumerate() {
            if *port != 0 {
                // Upstream sorts the numbers as texts: 10, 100, 9.
                ports.insert(port.to_string());
                fields.push(container.path(&format!("ports[{index}].hostPort")));
            }
        }
    }
    Some(Forbidden {
        reason: "hostPort",
        detail: format!(
            "{} {} {} {}",
            wording::containers(&bad),
            wording::plural(bad.len(), "uses", "use"),
            wording::plural(ports.len(), "hostPort", "hostPorts"),
            ports.into_iter().collect::<Vec<_>>().join(", "),
        ),
        fields,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, pod, server};
    use super::*;
    use rstest::rstest;

    fn ports<'a>(name: &'a str, host_ports: &[i64]) -> Container<'a> {
        Container {
            name,
            host_ports: host_ports.to_vec(),
            ..Container::default()
        }
    }

    #[rstest]
    #[case(pod([ports("a", &[]), ports("b", &[0])]), "", &[])]
    #[case(
        pod([ports("a", &[0, 8080])]),
        r#"hostPort (container "a" uses hostPort 8080)"#,
        &["spec.containers[0].ports[1].hostPort"]
    )]
    #[case(
        pod([ports("b", &[9, 100]), ports("ok", &[0]), ports("a", &[10])]),
        r#"hostPort (containers "b", "a" use hostPorts 10, 100, 9)"#,
        &[
            "spec.containers[0].ports[0].hostPort",
            "spec.containers[0].ports[1].hostPort",
            "spec.containers[2].ports[0].hostPort",
        ]
    )]
    #[case(
        pod([ports("a", &[80]), ports("b", &[80])]),
        r#"hostPort (containers "a", "b" use hostPort 80)"#,
        &["spec.containers[0].ports[0].hostPort", "spec.containers[1].ports[0].hostPort"]
    )]
    fn table(#[case] pod: Pod<'_>, #[case] expected: &str, #[case] fields: &[&str]) {
        check(&CHECK, server(36), 0, &pod, expected, fields);
    }
}

//! Sharing the network, PID or IPC namespace of the host must be disallowed.
//!
//! Restricted fields: `spec.hostNetwork`, `spec.hostPID`, `spec.hostIPC`. Allowed: unset, false.
//!
//! Upstream: `policy/check_hostNamespaces.go`.

use super::{Check, Documentation, Forbidden, Revision};
use crate::level::Level;
use crate::server::Server;
use crate::view::Pod;

pub(super) static CHECK: Check = Check {
    id: "hostNamespaces",
    level: Level::Baseline,
    revisions: &[Revision {
        since: 0,
        change: "",
        evaluate: host_namespaces_1_0,
    }],
    overridden_by: None,
    remedy: |_, violation, remedy| {
        remedy.leave(
            violation,
            "it asks for a namespace of the node, which no security context gives: \
             the program must do without, or run where the level allows it",
        );
    },
    reasons: &["host namespaces"],
    details: &["host*=true"],
    documentation: Documentation {
        title: "no namespaces of the host",
        rule: "A pod in the node's network namespace can reach services bound to the node's \
               loopback and read its traffic; in the PID namespace it sees, and may signal, every \
               process of the node; in the IPC namespace it shares memory with them. A pod must \
               use namespaces of its own.",
        fields: &["spec.hostNetwork", "spec.hostPID", "spec.hostIPC"],
        allowed: &["unset", "false"],
        fix: "Remove the three fields. Publish a port with a Service instead of `hostNetwork`, and \
              let the containers of one pod see each other's processes with \
              `shareProcessNamespace` instead of `hostPID`.",
        example: "spec:\n  hostNetwork: false\n  hostPID: false\n  hostIPC: false",
    },
};

fn host_namespaces_1_0(_: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    let shared = [
        (pod.host_network, "hostNetwork"),
        (pod.host_pid, "hostPID"),
        (pod.host_ipc, "hostIPC"),
    ];
    if shared.iter().all(|(is_shared, _)| !is_shared) {
        return None;
    }
    let fields = || {
        shared
            .iter()
            .filter(|(is_shared, _)| *is_shared)
            .map(|(_, field)| *field)
    };
    let detail: Vec<String> = fields().map(|field| format!("{field}=true")).collect();
    Some(Forbidden {
        reason: "host namespaces",
        detail: detail.join(", "),
        fields: fields().map(|field| format!("spec.{field}")).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, server};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case([false, false, false], "", &[])]
    #[case([true, false, false], "host namespaces (hostNetwork=true)", &["spec.hostNetwork"])]
    #[case([false, true, false], "host namespaces (hostPID=true)", &["spec.hostPID"])]
    #[case(
        [true, true, true],
        "host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)",
        &["spec.hostNetwork", "spec.hostPID", "spec.hostIPC"]
    )]
    fn table(#[case] shared: [bool; 3], #[case] expected: &str, #[case] fields: &[&str]) {
        let [host_network, host_pid, host_ipc] = shared;
        let pod = Pod {
            host_network,
            host_pid,
            host_ipc,
            ..Pod::default()
        };
        check(&CHECK, server(36), 0, &pod, expected, fields);
    }
}

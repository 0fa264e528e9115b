//! Sysctls outside of a safe subset must be disallowed.
//!
//! Restricted fields: `spec.securityContext.sysctls[*].name`. Allowed: the names in [`SAFE`], more
//! of them in newer policies, compared as they are written.
//!
//! Upstream: `policy/check_sysctls.go`.

use super::{Check, Documentation, Forbidden, Revision};
use crate::level::Level;
use crate::server::Server;
use crate::view::Pod;

pub(super) static CHECK: Check = Check {
    id: "sysctls",
    level: Level::Baseline,
    revisions: &[
        Revision {
            since: 0,
            change: "",
            evaluate: sysctls_1_0,
        },
        Revision {
            since: 27,
            change: "Allows net.ipv4.ip_local_reserved_ports.",
            evaluate: sysctls_1_27,
        },
        Revision {
            since: 29,
            change: "Allows net.ipv4.tcp_keepalive_time, net.ipv4.tcp_fin_timeout, \
                     net.ipv4.tcp_keepalive_intvl and net.ipv4.tcp_keepalive_probes.",
            evaluate: sysctls_1_29,
        },
        Revision {
            since: 32,
            change: "Allows net.ipv4.tcp_rmem and net.ipv4.tcp_wmem.",
            evaluate: sysctls_1_32,
        },
        Revision {
            since: 37,
            change: "Allows net.ipv4.tcp_slow_start_after_idle and net.ipv4.tcp_notsent_lowat.",
            evaluate: sysctls_1_37,
        },
    ],
    overridden_by: None,
    remedy: |_, violation, remedy| {
        remedy.leave(
            violation,
            "the program may need the kernel parameter: whoever runs the nodes can set it there",
        );
    },
    reasons: &["forbidden sysctls"],
    details: &["*"],
    documentation: Documentation {
        title: "safe sysctls only",
        rule: "Many kernel parameters hold for the whole node: a pod that sets them changes its \
               neighbours, or turns protections off. Only parameters that belong to the pod's own \
               namespaces may be set. Names are compared as written, so net/ipv4/tcp_syncookies \
               is refused.",
        fields: &["spec.securityContext.sysctls[*].name"],
        allowed: &[
            "kernel.shm_rmid_forced",
            "net.ipv4.ip_local_port_range",
            "net.ipv4.tcp_syncookies",
            "net.ipv4.ping_group_range",
            "net.ipv4.ip_unprivileged_port_start",
            "net.ipv4.ip_local_reserved_ports (from v1.27)",
            "net.ipv4.tcp_keepalive_time (from v1.29)",
            "net.ipv4.tcp_fin_timeout (from v1.29)",
            "net.ipv4.tcp_keepalive_intvl (from v1.29)",
            "net.ipv4.tcp_keepalive_probes (from v1.29)",
            "net.ipv4.tcp_rmem (from v1.32)",
            "net.ipv4.tcp_wmem (from v1.32)",
            "net.ipv4.tcp_slow_start_after_idle (from v1.37)",
            "net.ipv4.tcp_notsent_lowat (from v1.37)",
        ],
        fix: "Remove the sysctls that the message names. Parameters of the node, such as \
              net.core.somaxconn or vm.max_map_count, are set by whoever runs the nodes.",
        example: "spec:\n  securityContext:\n    sysctls:\n    - name: \
                  net.ipv4.ip_unprivileged_port_start\n      value: \"80\"",
    },
};

/// The safe names, in the order in which policy versions allowed them.
pub(crate) const SAFE: [&str; 14] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_notsent_lowat",
];

fn sysctls_1_0(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    sysctls(&SAFE[..5], server, pod)
}

fn sysctls_1_27(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    sysctls(&SAFE[..6], server, pod)
}

fn sysctls_1_29(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    sysctls(&SAFE[..10], server, pod)
}

fn sysctls_1_32(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    sysctls(&SAFE[..12], server, pod)
}

fn sysctls_1_37(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    sysctls(&SAFE, server, pod)
}

fn sysctls(allowed: &[&str], server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    // In the order of the pod, repetitions included.
    let bad = || {
        pod.sysctls
            .iter()
            .enumerate()
            .filter(|(_, name)| !server.rules().allow(CHECK.id, allowed, name))
    };
    bad().next()?;
    let names: Vec<&str> = bad().map(|(_, name)| *name).collect();
    Some(Forbidden {
        reason: "forbidden sysctls",
        detail: names.join(", "),
        fields: bad()
            .map(|(index, _)| format!("spec.securityContext.sysctls[{index}].name"))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, server};
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, &[], "", &[])]
    #[case(0, &SAFE[..5], "", &[])]
    #[case(
        0, &["net.ipv4.ip_local_reserved_ports"],
        "forbidden sysctls (net.ipv4.ip_local_reserved_ports)",
        &["spec.securityContext.sysctls[0].name"]
    )]
    #[case(
        37, &["net.ipv4.tcp_syncookies", "kernel.sem", "net/ipv4/tcp_syncookies", "kernel.sem"],
        "forbidden sysctls (kernel.sem, net/ipv4/tcp_syncookies, kernel.sem)",
        &[
            "spec.securityContext.sysctls[1].name",
            "spec.securityContext.sysctls[2].name",
            "spec.securityContext.sysctls[3].name",
        ]
    )]
    fn table(
        #[case] version: u64,
        #[case] names: &[&str],
        #[case] expected: &str,
        #[case] fields: &[&str],
    ) {
        let pod = Pod {
            sysctls: names.to_vec(),
            ..Pod::default()
        };
        check(&CHECK, server(37), version, &pod, expected, fields);
    }

    #[rstest]
    #[case("net.ipv4.ip_local_reserved_ports", 26, 27)]
    #[case("net.ipv4.tcp_keepalive_time", 28, 29)]
    #[case("net.ipv4.tcp_fin_timeout", 28, 29)]
    #[case("net.ipv4.tcp_keepalive_intvl", 28, 29)]
    #[case("net.ipv4.tcp_keepalive_probes", 28, 29)]
    #[case("net.ipv4.tcp_rmem", 31, 32)]
    #[case("net.ipv4.tcp_wmem", 31, 32)]
    #[case("net.ipv4.tcp_slow_start_after_idle", 36, 37)]
    #[case("net.ipv4.tcp_notsent_lowat", 36, 37)]
    fn becomes_safe(#[case] name: &str, #[case] before: u64, #[case] from: u64) {
        let pod = Pod {
            sysctls: vec![name],
            ..Pod::default()
        };
        let text = format!("forbidden sysctls ({name})");
        let fields = ["spec.securityContext.sysctls[0].name"];
        check(&CHECK, server(37), before, &pod, &text, &fields);
        check(&CHECK, server(37), from, &pod, "", &[]);
    }
}

//! The default masks of `/proc` must be kept, in a user namespace perhaps not.
//!
//! Restricted fields: `procMount` of every container's `securityContext`. Allowed: unset, Default;
//! from policy v1.35 anything in a pod with `hostUsers: false`.
//!
//! Upstream: `policy/check_procMount_baseline.go` (before 1.35 `policy/check_procMount.go`).

use super::{Check, Documentation, Forbidden, Revision, proc_mount_restricted, wording};
use crate::level::Level;
use crate::server::Server;
use crate::view::{Container, Pod};
use std::collections::BTreeSet;

pub(super) static CHECK: Check = Check {
    id: "procMount",
    level: Level::Baseline,
    revisions: &[
        Revision {
            since: 0,
            change: "",
            evaluate: proc_mount_1_0,
        },
        Revision {
            since: 35,
            change: "Pods in a user namespace (`spec.hostUsers: false`) may use any value.",
            evaluate: proc_mount_1_35,
        },
    ],
    overridden_by: Some(&proc_mount_restricted::CHECK),
    remedy: |_, violation, remedy| {
        remedy.leave(
            violation,
            "an unmasked /proc was asked for, by containers that run containers",
        );
    },
    reasons: &["procMount"],
    details: &["container* must not set securityContext.procMount to \"*\""],
    documentation: Documentation {
        title: "masked /proc",
        rule: "Container runtimes hide the parts of /proc that tell about the node or change it. \
               `Unmasked` shows them all, so it is refused; it is meant for containers that run \
               containers, in a user namespace.",
        fields: &[
            "spec.containers[*].securityContext.procMount",
            "spec.initContainers[*].securityContext.procMount",
            "spec.ephemeralContainers[*].securityContext.procMount",
        ],
        allowed: &[
            "unset",
            "Default",
            "anything in a pod with hostUsers: false, from v1.35",
        ],
        fix: "Remove `procMount`. Where containers are built or run inside of the container, give \
              the pod `hostUsers: false` and use a baseline policy of v1.35 or newer.",
        example: "spec:\n  containers:\n  - name: app\n    securityContext:\n      procMount: Default",
    },
};

pub(super) fn proc_mount_1_0(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    if server.relaxes_proc_mount(pod) {
        return None;
    }
    let mut bad: Vec<&Container<'_>> = Vec::new();
    let mut kinds = BTreeSet::new();
    for container in &pod.containers {
        match container.security_context.proc_mount {
            None => {}
            Some(kind) if server.rules().allow(CHECK.id, &["Default"], kind) => {}
            Some(kind) => {
                bad.push(container);
                kinds.insert(kind);
            }
        }
    }
    if bad.is_empty() {
        return None;
    }
    Some(Forbidden {
        reason: "procMount",
        detail: format!(
            "{} must not set securityContext.procMount to {}",
            wording::containers(&bad),
            wording::quoted(kinds),
        ),
        fields: bad
            .iter()
            .map(|it| it.path("securityContext.procMount"))
            .collect(),
    })
}

fn proc_mount_1_35(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    if pod.in_user_namespace() {
        return None;
    }
    proc_mount_1_0(server, pod)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, container, init, pod, server};
    use super::*;
    use crate::view::SecurityContext;
    use rstest::rstest;

    fn proc_mount(kind: Option<&str>) -> SecurityContext<'_> {
        SecurityContext {
            proc_mount: kind,
            ..SecurityContext::default()
        }
    }

    const ONE: &str =
        r#"procMount (container "a" must not set securityContext.procMount to "Unmasked")"#;
    const FIELD: &str = "spec.containers[0].securityContext.procMount";

    #[rstest]
    #[case(pod([container("a", proc_mount(None)), init("i", proc_mount(Some("Default")))]), "", &[])]
    #[case(pod([container("a", proc_mount(Some("Unmasked")))]), ONE, &[FIELD])]
    #[case(
        pod([init("i", proc_mount(Some("Unmasked"))), container("a", proc_mount(Some("")))]),
        r#"procMount (containers "i", "a" must not set securityContext.procMount to "", "Unmasked")"#,
        &["spec.initContainers[0].securityContext.procMount", FIELD]
    )]
    fn table(#[case] pod: Pod<'_>, #[case] expected: &str, #[case] fields: &[&str]) {
        check(&CHECK, server(36), 0, &pod, expected, fields);
        check(&CHECK, server(36), 35, &pod, expected, fields);
    }

    #[rstest]
    // From policy v1.35 on a user namespace is enough.
    #[case(36, false, 35, "")]
    #[case(36, false, 34, ONE)]
    // The gate counts on 1.31 to 1.34, at every policy version.
    #[case(34, false, 34, ONE)]
    #[case(34, true, 34, "")]
    #[case(31, true, 0, "")]
    #[case(30, true, 0, ONE)]
    #[case(36, true, 34, ONE)]
    fn in_a_user_namespace(
        #[case] minor: u8,
        #[case] gate: bool,
        #[case] version: u64,
        #[case] expected: &str,
    ) {
        let mut pod = pod([container("a", proc_mount(Some("Unmasked")))]);
        pod.host_users = Some(false);
        let server = server(minor).user_namespaces_pod_security_standards(gate);
        check(&CHECK, server, version, &pod, expected, &[FIELD]);
    }
}

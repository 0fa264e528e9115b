//! The default masks of `/proc` must be kept, in a user namespace too.
//!
//! Restricted fields: `procMount` of every container's `securityContext`. Allowed: unset, Default.
//! Since policy v1.35, where the check of baseline makes an exception.
//!
//! Upstream: `policy/check_procMount_restricted.go`.

use super::{Check, Documentation, Revision, proc_mount};
use crate::level::Level;

pub(super) static CHECK: Check = Check {
    id: "procMount_restricted",
    level: Level::Restricted,
    revisions: &[Revision {
        since: 35,
        change: "",
        evaluate: proc_mount::proc_mount_1_0,
    }],
    overridden_by: None,
    remedy: |_, violation, remedy| {
        remedy.leave(
            violation,
            "an unmasked /proc was asked for, by containers that run containers",
        );
    },
    reasons: &["procMount"],
    details: &["container* must not set securityContext.procMount to \"*\""],
    documentation: Documentation {
        title: "masked /proc, in user namespaces too",
        rule: "Container runtimes hide the parts of /proc that tell about the node or change it. \
               Baseline lets pods in a user namespace show them from v1.35 on; restricted never \
               does.",
        fields: &[
            "spec.containers[*].securityContext.procMount",
            "spec.initContainers[*].securityContext.procMount",
            "spec.ephemeralContainers[*].securityContext.procMount",
        ],
        allowed: &["unset", "Default"],
        fix: "Remove `procMount`. A pod that cannot do without belongs, with `hostUsers: false`, \
              in a namespace of the baseline level.",
        example: "spec:\n  containers:\n  - name: app\n    securityContext:\n      procMount: Default",
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{check, container, pod, server};
    use super::*;
    use crate::view::SecurityContext;
    use rstest::rstest;

    #[rstest]
    #[case(None, "", &[])]
    #[case(Some("Default"), "", &[])]
    #[case(
        Some("Unmasked"),
        r#"procMount (container "a" must not set securityContext.procMount to "Unmasked")"#,
        &["spec.containers[0].securityContext.procMount"]
    )]
    fn in_a_user_namespace(
        #[case] proc_mount: Option<&str>,
        #[case] expected: &str,
        #[case] fields: &[&str],
    ) {
        let context = SecurityContext {
            proc_mount,
            ..SecurityContext::default()
        };
        let mut pod = pod([container("a", context)]);
        pod.host_users = Some(false);
        check(&CHECK, server(36), 35, &pod, expected, fields);
    }
}

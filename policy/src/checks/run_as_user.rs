//! Containers must not ask for the user 0.
//!
//! Restricted fields: `runAsUser` of the pod's and every container's `securityContext`. Allowed:
//! unset, anything but 0; from policy v1.35 anything in a pod with `hostUsers: false`. Since policy
//! v1.23.
//!
//! Upstream: `policy/check_runAsUser.go`.

use super::{Check, Documentation, Forbidden, Revision, wording};
use crate::level::Level;
use crate::remedy::ASKS_FOR_ROOT;
use crate::server::Server;
use crate::view::{Container, Pod};

const FIELD: &str = "securityContext.runAsUser";

pub(super) static CHECK: Check = Check {
    id: "runAsUser",
    level: Level::Restricted,
    revisions: &[
        Revision {
            since: 23,
            change: "",
            evaluate: run_as_user_1_23,
        },
        Revision {
            since: 35,
            change: "Pods in a user namespace (`spec.hostUsers: false`) pass.",
            evaluate: run_as_user_1_35,
        },
    ],
    overridden_by: None,
    remedy: |_, violation, remedy| remedy.leave(violation, ASKS_FOR_ROOT),
    reasons: &["runAsUser=0"],
    details: &[
        "pod must not set runAsUser=0",
        "container \"*\" must not set runAsUser=0",
        "containers \"*\" must not set runAsUser=0",
        "pod and container \"*\" must not set runAsUser=0",
        "pod and containers \"*\" must not set runAsUser=0",
    ],
    documentation: Documentation {
        title: "no user 0",
        rule: "`runAsUser: 0` is root by another name, and contradicts `runAsNonRoot`, which this \
               level demands too. It is refused at the pod and at each container, even where \
               another setting overrides it.",
        fields: &[
            "spec.securityContext.runAsUser",
            "spec.containers[*].securityContext.runAsUser",
            "spec.initContainers[*].securityContext.runAsUser",
            "spec.ephemeralContainers[*].securityContext.runAsUser",
        ],
        allowed: &[
            "unset",
            "any number but 0",
            "anything in a pod with hostUsers: false, from v1.35",
        ],
        fix: "Remove `runAsUser: 0`, or set the number of the user that the image was made for. An \
              init container that runs as root to chown a volume can usually go: `fsGroup` does \
              the same.",
        example: "spec:\n  securityContext:\n    runAsUser: 1000\n    fsGroup: 1000",
    },
};

fn run_as_user_1_23(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    if server.relaxes_run_as(pod) {
        return None;
    }
    let pod_sets = pod.security_context.run_as_user == Some(0);
    let bad: Vec<&Container<'_>> = pod
        .containers
        .iter()
        .filter(|container| container.security_context.run_as_user == Some(0))
        .collect();
    if !pod_sets && bad.is_empty() {
        return None;
    }
    let pod_field = pod_sets.then(|| format!("spec.{FIELD}"));
    Some(Forbidden {
        reason: "runAsUser=0",
        detail: format!(
            "{} must not set runAsUser=0",
            wording::setters(pod_sets, &bad)
        ),
        fields: pod_field
            .into_iter()
            .chain(bad.iter().map(|it| it.path(FIELD)))
            .collect(),
    })
}

fn run_as_user_1_35(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    if pod.in_user_namespace() {
        return None;
    }
    run_as_user_1_23(server, pod)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, container, pod, server};
    use super::*;
    use crate::view::SecurityContext;
    use rstest::rstest;

    fn user<'a>(value: Option<i64>) -> SecurityContext<'a> {
        SecurityContext {
            run_as_user: value,
            ..SecurityContext::default()
        }
    }

    #[rstest]
    #[case(None, &[None, Some(1)], "", &[])]
    #[case(Some(1000), &[None], "", &[])]
    #[case(
        Some(0), &[Some(1000)],
        "runAsUser=0 (pod must not set runAsUser=0)",
        &["spec.securityContext.runAsUser"]
    )]
    #[case(
        Some(1000), &[Some(0)],
        r#"runAsUser=0 (container "c0" must not set runAsUser=0)"#,
        &["spec.containers[0].securityContext.runAsUser"]
    )]
    #[case(
        Some(0), &[Some(0), Some(1), Some(0)],
        r#"runAsUser=0 (pod and containers "c0", "c2" must not set runAsUser=0)"#,
        &[
            "spec.securityContext.runAsUser",
            "spec.containers[0].securityContext.runAsUser",
            "spec.containers[2].securityContext.runAsUser",
        ]
    )]
    fn table(
        #[case] of_pod: Option<i64>,
        #[case] of_containers: &[Option<i64>],
        #[case] expected: &str,
        #[case] fields: &[&str],
    ) {
        let containers = ["c0", "c1", "c2"].iter().zip(of_containers);
        let mut pod = pod(containers.map(|(name, value)| container(name, user(*value))));
        pod.security_context = user(of_pod);
        check(&CHECK, server(23), 23, &pod, expected, fields);
        check(&CHECK, server(36), 35, &pod, expected, fields);
    }

    const TEXT: &str = "runAsUser=0 (pod must not set runAsUser=0)";

    #[rstest]
    #[case(36, false, 35, "")]
    #[case(36, false, 34, TEXT)]
    #[case(36, true, 34, TEXT)]
    #[case(34, false, 34, TEXT)]
    #[case(34, true, 34, "")]
    #[case(29, true, 23, "")]
    #[case(28, true, 23, TEXT)]
    fn in_a_user_namespace(
        #[case] minor: u8,
        #[case] gate: bool,
        #[case] version: u64,
        #[case] expected: &str,
    ) {
        let pod = Pod {
            security_context: user(Some(0)),
            host_users: Some(false),
            ..Pod::default()
        };
        let server = server(minor).user_namespaces_pod_security_standards(gate);
        check(
            &CHECK,
            server,
            version,
            &pod,
            expected,
            &["spec.securityContext.runAsUser"],
        );
    }
}

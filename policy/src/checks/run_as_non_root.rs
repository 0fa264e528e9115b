//! Containers must be required to run as another user than root.
//!
//! Restricted fields: `runAsNonRoot` of the pod's and every container's `securityContext`. Allowed:
//! true; unset on a container where the pod says true; from policy v1.35 anything in a pod with
//! `hostUsers: false`.
//!
//! Upstream: `policy/check_runAsNonRoot.go`.

use super::{Check, Documentation, Forbidden, Revision, wording};
use crate::evaluate::Violation;
use crate::level::Level;
use crate::remedy::{ASKS_FOR_ROOT, Operation, Remedy, Setting};
use crate::server::Server;
use crate::view::{Container, Pod};

const REASON: &str = "runAsNonRoot != true";
const FIELD: &str = "securityContext.runAsNonRoot";

const CAUTION: &str = "a container whose image runs as root, or as a user without a number, does not start \
                       (CreateContainerConfigError): give the image a numbered USER, or set runAsUser to the number \
                       that it was built for";

pub(super) static CHECK: Check = Check {
    id: "runAsNonRoot",
    level: Level::Restricted,
    revisions: &[
        Revision {
            since: 0,
            change: "",
            evaluate: run_as_non_root_1_0,
        },
        Revision {
            since: 35,
            change: "Pods in a user namespace (`spec.hostUsers: false`) pass.",
            evaluate: run_as_non_root_1_35,
        },
    ],
    overridden_by: None,
    remedy,
    reasons: &[REASON],
    details: &[
        "pod must not set securityContext.runAsNonRoot=false",
        "pod and container \"*\" must not set securityContext.runAsNonRoot=false",
        "pod and containers \"*\" must not set securityContext.runAsNonRoot=false",
        "container \"*\" must not set securityContext.runAsNonRoot=false",
        "containers \"*\" must not set securityContext.runAsNonRoot=false",
        "pod or container \"*\" must set securityContext.runAsNonRoot=true",
        "pod or containers \"*\" must set securityContext.runAsNonRoot=true",
    ],
    documentation: Documentation {
        title: "not as root",
        rule: "Root in a container is root on the node once it gets out, so the kubelet must be \
               told to refuse a container that would start as user 0. True at the pod counts for \
               its containers; a false anywhere is refused, even where every container overrides \
               it.",
        fields: &[
            "spec.securityContext.runAsNonRoot",
            "spec.containers[*].securityContext.runAsNonRoot",
            "spec.initContainers[*].securityContext.runAsNonRoot",
            "spec.ephemeralContainers[*].securityContext.runAsNonRoot",
        ],
        allowed: &[
            "true",
            "unset on a container, where the pod says true",
            "anything in a pod with hostUsers: false, from v1.35",
        ],
        fix: "Set `runAsNonRoot: true` at the pod and remove it from the containers. The image \
              must then run as a numbered user other than 0: by USER in its Dockerfile, or by \
              `runAsUser`. With `fsGroup` the volumes become writable for that user.",
        example: "spec:\n  securityContext:\n    runAsNonRoot: true\n    runAsUser: 1000",
    },
};

fn run_as_non_root_1_0(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    if server.relaxes_run_as(pod) {
        return None;
    }
    let of_pod = pod.security_context.run_as_non_root;
    let with = |value: Option<bool>| -> Vec<&Container<'_>> {
        let containers = pod.containers.iter();
        containers
            .filter(|it| it.security_context.run_as_non_root == value)
            .collect()
    };

    // What says false hides what says nothing.
    let saying_false = with(Some(false));
    if of_pod == Some(false) || !saying_false.is_empty() {
        let pod_field = (of_pod == Some(false)).then(|| format!("spec.{FIELD}"));
        let container_fields = saying_false.iter().map(|it| it.path(FIELD));
        return Some(Forbidden {
            reason: REASON,
            detail: format!(
                "{} must not set securityContext.runAsNonRoot=false",
                wording::setters(of_pod == Some(false), &saying_false),
            ),
            fields: pod_field.into_iter().chain(container_fields).collect(),
        });
    }

    if of_pod == Some(true) {
        return None;
    }
    let saying_nothing = with(None);
    if saying_nothing.is_empty() {
        return None;
    }
    Some(Forbidden {
        reason: REASON,
        detail: format!(
            "pod or {} must set securityContext.runAsNonRoot=true",
            wording::containers(&saying_nothing),
        ),
        fields: saying_nothing.iter().map(|it| it.path(FIELD)).collect(),
    })
}

fn run_as_non_root_1_35(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    if pod.in_user_namespace() {
        return None;
    }
    run_as_non_root_1_0(server, pod)
}

/// It is said once at the pod, and where a container says the opposite, there.
fn remedy(pod: &Pod<'_>, violation: &Violation, remedy: &mut Remedy) {
    let of_pod = &pod.security_context;
    // The kubelet starts no container of which the two are said; older policies do not look.
    for container in &pod.containers {
        match (container.security_context.run_as_user, of_pod.run_as_user) {
            (Some(0), _) => {
                let field = container.path("securityContext.runAsUser");
                remedy.leave_field(violation, &field, ASKS_FOR_ROOT);
            }
            (None, Some(0)) => {
                let field = "spec.securityContext.runAsUser";
                remedy.leave_field(violation, field, ASKS_FOR_ROOT);
            }
            _ => {}
        }
    }
    let says = |value: Option<bool>| {
        let mut containers = pod.containers.iter();
        containers.any(|it| it.security_context.run_as_non_root == value)
    };
    let non_root = Operation::Set(Setting::Bool(true));
    if of_pod.run_as_non_root == Some(false) || (of_pod.run_as_non_root.is_none() && says(None)) {
        remedy.edit(violation, &format!("spec.{FIELD}"), non_root, CAUTION);
    }
    for container in &pod.containers {
        if container.security_context.run_as_non_root == Some(false) {
            remedy.edit(violation, &container.path(FIELD), non_root, CAUTION);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, container, init, pod, server};
    use super::*;
    use crate::view::SecurityContext;
    use rstest::rstest;

    fn non_root<'a>(value: Option<bool>) -> SecurityContext<'a> {
        SecurityContext {
            run_as_non_root: value,
            ..SecurityContext::default()
        }
    }

    const YES: Option<bool> = Some(true);
    const NO: Option<bool> = Some(false);

    #[rstest]
    #[case(YES, [YES, None], "", &[])]
    #[case(None, [YES, YES], "", &[])]
    #[case(
        None, [None, YES],
        r#"runAsNonRoot != true (pod or container "i" must set securityContext.runAsNonRoot=true)"#,
        &["spec.initContainers[0].securityContext.runAsNonRoot"]
    )]
    #[case(
        None, [None, None],
        r#"runAsNonRoot != true (pod or containers "i", "c" must set securityContext.runAsNonRoot=true)"#,
        &[
            "spec.initContainers[0].securityContext.runAsNonRoot",
            "spec.containers[0].securityContext.runAsNonRoot",
        ]
    )]
    #[case(
        NO, [YES, YES],
        "runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)",
        &["spec.securityContext.runAsNonRoot"]
    )]
    #[case(
        YES, [NO, None],
        r#"runAsNonRoot != true (container "i" must not set securityContext.runAsNonRoot=false)"#,
        &["spec.initContainers[0].securityContext.runAsNonRoot"]
    )]
    // The container that says nothing is not named beside one that says false.
    #[case(
        None, [NO, None],
        r#"runAsNonRoot != true (container "i" must not set securityContext.runAsNonRoot=false)"#,
        &["spec.initContainers[0].securityContext.runAsNonRoot"]
    )]
    #[case(
        NO, [NO, NO],
        r#"runAsNonRoot != true (pod and containers "i", "c" must not set securityContext.runAsNonRoot=false)"#,
        &[
            "spec.securityContext.runAsNonRoot",
            "spec.initContainers[0].securityContext.runAsNonRoot",
            "spec.containers[0].securityContext.runAsNonRoot",
        ]
    )]
    fn table(
        #[case] of_pod: Option<bool>,
        #[case] of_containers: [Option<bool>; 2],
        #[case] expected: &str,
        #[case] fields: &[&str],
    ) {
        let [of_init, of_regular] = of_containers;
        let mut pod = pod([
            container("c", non_root(of_regular)),
            init("i", non_root(of_init)),
        ]);
        pod.containers.reverse();
        pod.security_context = non_root(of_pod);
        check(&CHECK, server(36), 0, &pod, expected, fields);
        check(&CHECK, server(36), 35, &pod, expected, fields);
    }

    const IMPLICIT: &str =
        r#"runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)"#;

    #[rstest]
    #[case(36, false, 35, "")]
    #[case(36, false, 34, IMPLICIT)]
    #[case(36, true, 34, IMPLICIT)]
    #[case(34, false, 34, IMPLICIT)]
    #[case(34, true, 34, "")]
    #[case(29, true, 0, "")]
    #[case(28, true, 0, IMPLICIT)]
    fn in_a_user_namespace(
        #[case] minor: u8,
        #[case] gate: bool,
        #[case] version: u64,
        #[case] expected: &str,
    ) {
        let mut pod = pod([container("c", non_root(None))]);
        pod.host_users = Some(false);
        let server = server(minor).user_namespaces_pod_security_standards(gate);
        let fields = ["spec.containers[0].securityContext.runAsNonRoot"];
        check(&CHECK, server, version, &pod, expected, &fields);
    }

    #[test]
    fn windows_pods_do_not_pass() {
        let mut pod = pod([container("c", non_root(None))]);
        pod.os = Some("windows");
        let fields = ["spec.containers[0].securityContext.runAsNonRoot"];
        check(&CHECK, server(36), 35, &pod, IMPLICIT, &fields);
    }
}

//! Windows pods must not run as `HostProcess` containers.
//!
//! Restricted fields: `windowsOptions.hostProcess` of the pod's and every container's
//! `securityContext`. Allowed: unset, false.
//!
//! Upstream: `policy/check_windowsHostProcess.go`.

use super::{Check, Documentation, Forbidden, Revision, wording};
use crate::level::Level;
use crate::server::Server;
use crate::view::{Container, Pod};

const FIELD: &str = "securityContext.windowsOptions.hostProcess";

pub(super) static CHECK: Check = Check {
    id: "windowsHostProcess",
    level: Level::Baseline,
    revisions: &[Revision {
        since: 0,
        change: "",
        evaluate: windows_host_process_1_0,
    }],
    overridden_by: None,
    remedy: |_, violation, remedy| {
        remedy.leave(
            violation,
            "a HostProcess container is made for what only that allows",
        );
    },
    reasons: &["hostProcess"],
    details: &[
        "pod must not set securityContext.windowsOptions.hostProcess=true",
        "container \"*\" must not set securityContext.windowsOptions.hostProcess=true",
        "containers \"*\" must not set securityContext.windowsOptions.hostProcess=true",
        "pod and container \"*\" must not set securityContext.windowsOptions.hostProcess=true",
        "pod and containers \"*\" must not set securityContext.windowsOptions.hostProcess=true",
    ],
    documentation: Documentation {
        title: "no HostProcess containers on Windows",
        rule: "A HostProcess container runs as a process of the Windows node itself, with its \
               users, network and files: it is what a privileged container is on Linux. Neither \
               the pod nor a container may ask for it.",
        fields: &[
            "spec.securityContext.windowsOptions.hostProcess",
            "spec.containers[*].securityContext.windowsOptions.hostProcess",
            "spec.initContainers[*].securityContext.windowsOptions.hostProcess",
            "spec.ephemeralContainers[*].securityContext.windowsOptions.hostProcess",
        ],
        allowed: &["unset", "false"],
        fix: "Remove `hostProcess`, and with it `hostNetwork`, which HostProcess pods must set. \
              Agents of the node itself belong in a privileged namespace.",
        example: "spec:\n  os:\n    name: windows\n  securityContext:\n    windowsOptions:\n      \
                  hostProcess: false",
    },
};

fn windows_host_process_1_0(_: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    let pod_sets = pod.security_context.host_process == Some(true);
    let bad: Vec<&Container<'_>> = pod
        .containers
        .iter()
        .filter(|container| container.security_context.host_process == Some(true))
        .collect();
    if !pod_sets && bad.is_empty() {
        return None;
    }
    let pod_field = pod_sets.then(|| format!("spec.{FIELD}"));
    Some(Forbidden {
        reason: "hostProcess",
        detail: format!(
            "{} must not set securityContext.windowsOptions.hostProcess=true",
            wording::setters(pod_sets, &bad),
        ),
        fields: pod_field
            .into_iter()
            .chain(bad.iter().map(|it| it.path(FIELD)))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, container, init, pod, server};
    use super::*;
    use crate::view::SecurityContext;
    use rstest::rstest;

    fn host_process<'a>(value: Option<bool>) -> SecurityContext<'a> {
        SecurityContext {
            host_process: value,
            ..SecurityContext::default()
        }
    }

    #[rstest]
    #[case(None, &[None, Some(false)], "", &[])]
    #[case(Some(false), &[None], "", &[])]
    #[case(
        Some(true), &[Some(false)],
        "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)",
        &["spec.securityContext.windowsOptions.hostProcess"]
    )]
    #[case(
        None, &[Some(true)],
        r#"hostProcess (container "c0" must not set securityContext.windowsOptions.hostProcess=true)"#,
        &["spec.containers[0].securityContext.windowsOptions.hostProcess"]
    )]
    #[case(
        Some(true), &[Some(true), None, Some(true)],
        r#"hostProcess (pod and containers "c0", "c2" must not set securityContext.windowsOptions.hostProcess=true)"#,
        &[
            "spec.securityContext.windowsOptions.hostProcess",
            "spec.containers[0].securityContext.windowsOptions.hostProcess",
            "spec.containers[2].securityContext.windowsOptions.hostProcess",
        ]
    )]
    fn table(
        #[case] of_pod: Option<bool>,
        #[case] of_containers: &[Option<bool>],
        #[case] expected: &str,
        #[case] fields: &[&str],
    ) {
        let names = ["c0", "c1", "c2"];
        let containers = names.iter().zip(of_containers);
        let mut pod = pod(containers.map(|(name, value)| container(name, host_process(*value))));
        pod.security_context = host_process(of_pod);
        check(&CHECK, server(36), 0, &pod, expected, fields);
    }

    #[test]
    fn looks_at_init_containers() {
        check(
            &CHECK,
            server(36),
            0,
            &pod([init("i", host_process(Some(true)))]),
            r#"hostProcess (container "i" must not set securityContext.windowsOptions.hostProcess=true)"#,
            &["spec.initContainers[0].securityContext.windowsOptions.hostProcess"],
        );
    }
}

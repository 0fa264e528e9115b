//! Privilege escalation, such as by set-user-ID files, must be disallowed.
//!
//! Restricted fields: `allowPrivilegeEscalation` of every container's `securityContext`. Allowed:
//! false. Since policy v1.8.
//!
//! Upstream: `policy/check_allowPrivilegeEscalation.go`.

use super::{Check, Documentation, Forbidden, Revision, wording};
use crate::level::Level;
use crate::remedy::{NOT_ON_WINDOWS, Operation, Setting};
use crate::server::Server;
use crate::view::{Container, Pod};

const CAUTION: &str = "sudo, su and programs with file capabilities stop working in the container";

pub(super) static CHECK: Check = Check {
    id: "allowPrivilegeEscalation",
    level: Level::Restricted,
    revisions: &[
        Revision {
            since: 8,
            change: "",
            evaluate: allow_privilege_escalation_1_8,
        },
        Revision {
            since: 25,
            change: "Pods with `spec.os.name: windows` pass.",
            evaluate: allow_privilege_escalation_1_25,
        },
    ],
    overridden_by: None,
    remedy: |pod, violation, remedy| {
        if pod.is_windows() {
            return remedy.leave(violation, NOT_ON_WINDOWS);
        }
        for field in &violation.fields {
            remedy.edit(
                violation,
                field,
                Operation::Set(Setting::Bool(false)),
                CAUTION,
            );
        }
    },
    reasons: &["allowPrivilegeEscalation != false"],
    details: &[
        "container \"*\" must set securityContext.allowPrivilegeEscalation=false",
        "containers \"*\" must set securityContext.allowPrivilegeEscalation=false",
    ],
    documentation: Documentation {
        title: "no privilege escalation",
        rule: "A process must not be able to gain more privileges than its parent had, as with \
               set-user-ID programs like sudo or with file capabilities. Every container must say \
               so by itself: unset means allowed.",
        fields: &[
            "spec.containers[*].securityContext.allowPrivilegeEscalation",
            "spec.initContainers[*].securityContext.allowPrivilegeEscalation",
            "spec.ephemeralContainers[*].securityContext.allowPrivilegeEscalation",
        ],
        allowed: &["false"],
        fix: "Set `allowPrivilegeEscalation: false` on every container, the init containers too: \
              it cannot be set for the whole pod. A container that then fails uses sudo, su or a \
              program with file capabilities: start it as the user that it needs.",
        example: "spec:\n  containers:\n  - name: app\n    securityContext:\n      \
                  allowPrivilegeEscalation: false",
    },
};

fn allow_privilege_escalation_1_8(_: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    let bad: Vec<&Container<'_>> = pod
        .containers
        .iter()
        .filter(|it| it.security_context.allow_privilege_escalation != Some(false))
        .collect();
    if bad.is_empty() {
        return None;
    }
    Some(Forbidden {
        reason: "allowPrivilegeEscalation != false",
        detail: format!(
            "{} must set securityContext.allowPrivilegeEscalation=false",
            wording::containers(&bad)
        ),
        fields: bad
            .iter()
            .map(|it| it.path("securityContext.allowPrivilegeEscalation"))
            .collect(),
    })
}

fn allow_privilege_escalation_1_25(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    // Validation forbids the field on a Windows pod, so the pod could not meet the rule.
    if pod.is_windows() {
        return None;
    }
    allow_privilege_escalation_1_8(server, pod)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, container, ephemeral, init, pod, server};
    use super::*;
    use crate::view::SecurityContext;
    use rstest::rstest;

    fn escalation<'a>(value: Option<bool>) -> SecurityContext<'a> {
        SecurityContext {
            allow_privilege_escalation: value,
            ..SecurityContext::default()
        }
    }

    #[rstest]
    #[case(pod([container("a", escalation(Some(false)))]), "", &[])]
    #[case(
        pod([container("a", escalation(None)), container("b", escalation(Some(false)))]),
        r#"allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false)"#,
        &["spec.containers[0].securityContext.allowPrivilegeEscalation"]
    )]
    #[case(
        pod([
            init("i", escalation(Some(true))),
            container("a", escalation(None)),
            ephemeral("e", escalation(None)),
        ]),
        r#"allowPrivilegeEscalation != false (containers "i", "a", "e" must set securityContext.allowPrivilegeEscalation=false)"#,
        &[
            "spec.initContainers[0].securityContext.allowPrivilegeEscalation",
            "spec.containers[0].securityContext.allowPrivilegeEscalation",
            "spec.ephemeralContainers[0].securityContext.allowPrivilegeEscalation",
        ]
    )]
    fn table(#[case] pod: Pod<'_>, #[case] expected: &str, #[case] fields: &[&str]) {
        check(&CHECK, server(36), 8, &pod, expected, fields);
        check(&CHECK, server(36), 35, &pod, expected, fields);
    }

    #[test]
    fn windows_pods_pass_from_1_25() {
        let mut pod = pod([container("a", escalation(None))]);
        pod.os = Some("windows");
        check(&CHECK, server(36), 25, &pod, "", &[]);
        check(
            &CHECK,
            server(36),
            24,
            &pod,
            r#"allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false)"#,
            &["spec.containers[0].securityContext.allowPrivilegeEscalation"],
        );
    }
}

//! Containers must drop ALL capabilities, and may only add `NET_BIND_SERVICE`.
//!
//! Restricted fields: `capabilities.drop` and `capabilities.add` of every container's
//! `securityContext`. Allowed: drop must include ALL; add is unset, empty or `NET_BIND_SERVICE`.
//! Since policy v1.22.
//!
//! Upstream: `policy/check_capabilities_restricted.go`.

use super::capabilities_baseline::Additions;
use super::{Check, Documentation, Forbidden, Revision, wording};
use crate::evaluate::Violation;
use crate::level::Level;
use crate::remedy::{ASKED_FOR, NOT_ON_WINDOWS, Operation, Remedy, Setting};
use crate::server::Server;
use crate::view::{Container, Pod};

const CAUTION: &str =
    "a program that starts as root can no longer chown, change its user or bind a port below 1024";

pub(super) static CHECK: Check = Check {
    id: "capabilities_restricted",
    level: Level::Restricted,
    revisions: &[
        Revision {
            since: 22,
            change: "",
            evaluate: capabilities_restricted_1_22,
        },
        Revision {
            since: 25,
            change: "Pods with `spec.os.name: windows` pass.",
            evaluate: capabilities_restricted_1_25,
        },
    ],
    overridden_by: None,
    remedy,
    reasons: &["unrestricted capabilities"],
    details: &[
        "container* must set securityContext.capabilities.drop=[\"ALL\"]",
        "container* must not include \"*\" in securityContext.capabilities.add",
    ],
    documentation: Documentation {
        title: "all capabilities dropped",
        rule: "A container that needs no special power of root should hold none. Every container \
               must drop ALL by name, and may add back NET_BIND_SERVICE only, to bind ports below \
               1024. Names are compared exactly: `all` and CAP_ALL do not count.",
        fields: &[
            "spec.containers[*].securityContext.capabilities.drop",
            "spec.initContainers[*].securityContext.capabilities.drop",
            "spec.ephemeralContainers[*].securityContext.capabilities.drop",
            "spec.containers[*].securityContext.capabilities.add",
            "spec.initContainers[*].securityContext.capabilities.add",
            "spec.ephemeralContainers[*].securityContext.capabilities.add",
        ],
        allowed: &[
            "drop: a list with ALL in it",
            "add: unset, empty or NET_BIND_SERVICE",
        ],
        fix: "Set `drop: [ALL]` on every container, the init containers too: it cannot be set for \
              the whole pod. Remove all additions but NET_BIND_SERVICE. An image that starts as \
              root to change users usually needs neither root nor capabilities when it is started \
              as that user.",
        example: "spec:\n  containers:\n  - name: app\n    securityContext:\n      capabilities:\n        \
                  drop: [ALL]",
    },
};

fn capabilities_restricted_1_22(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    let keeping: Vec<&Container<'_>> = pod
        .containers
        .iter()
        .filter(|container| {
            let capabilities = container.security_context.capabilities.as_ref();
            capabilities.is_none_or(|it| !it.drop.contains(&"ALL"))
        })
        .collect();
    let additions = Additions::beyond(server, CHECK.id, &["NET_BIND_SERVICE"], pod);
    if keeping.is_empty() && additions.is_none() {
        return None;
    }

    let mut details = Vec::new();
    let mut fields = Vec::new();
    if !keeping.is_empty() {
        details.push(format!(
            "{} must set securityContext.capabilities.drop=[\"ALL\"]",
            wording::containers(&keeping)
        ));
        fields.extend(
            keeping
                .iter()
                .map(|it| it.path("securityContext.capabilities.drop")),
        );
    }
    if let Some(additions) = additions {
        details.push(additions.detail());
        fields.extend(additions.fields);
    }
    Some(Forbidden {
        reason: "unrestricted capabilities",
        detail: details.join("; "),
        fields,
    })
}

fn capabilities_restricted_1_25(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    // Validation forbids the field on a Windows pod, so the pod could not meet the rule.
    if pod.is_windows() {
        return None;
    }
    capabilities_restricted_1_22(server, pod)
}

/// ALL is dropped at each container, beside what it drops already. What a container adds is left.
fn remedy(pod: &Pod<'_>, violation: &Violation, remedy: &mut Remedy) {
    if pod.is_windows() {
        return remedy.leave(violation, NOT_ON_WINDOWS);
    }
    for container in &pod.containers {
        let field = container.path("securityContext.capabilities.drop");
        if !violation.fields.contains(&field) {
            continue;
        }
        let capabilities = container.security_context.capabilities.as_ref();
        let misspelt = capabilities.and_then(|it| {
            let mut dropped = it.drop.iter();
            dropped.position(|name| name.eq_ignore_ascii_case("ALL"))
        });
        match misspelt {
            Some(index) => {
                let item = format!("{field}[{index}]");
                remedy.edit(
                    violation,
                    &item,
                    Operation::Set(Setting::Text("ALL")),
                    CAUTION,
                );
            }
            None => remedy.edit(violation, &field, Operation::Append("ALL"), CAUTION),
        }
    }
    for field in &violation.fields {
        if field.contains("capabilities.add[") {
            remedy.leave_field(violation, field, ASKED_FOR);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, container, init, pod, server};
    use super::*;
    use crate::view::{Capabilities, SecurityContext};
    use rstest::rstest;

    fn caps<'a>(drop: &[&'a str], add: &[&'a str]) -> SecurityContext<'a> {
        let capabilities = Some(Capabilities {
            add: add.to_vec(),
            drop: drop.to_vec(),
        });
        SecurityContext {
            capabilities,
            ..SecurityContext::default()
        }
    }

    #[rstest]
    #[case(pod([container("a", caps(&["ALL"], &[]))]), "", &[])]
    #[case(pod([container("a", caps(&["KILL", "ALL"], &["NET_BIND_SERVICE"]))]), "", &[])]
    #[case(
        pod([container("a", SecurityContext::default())]),
        r#"unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"])"#,
        &["spec.containers[0].securityContext.capabilities.drop"]
    )]
    #[case(
        pod([
            init("i", caps(&["all"], &[])),
            container("a", caps(&["ALL"], &[])),
            container("b", caps(&["CAP_ALL"], &[])),
        ]),
        r#"unrestricted capabilities (containers "i", "b" must set securityContext.capabilities.drop=["ALL"])"#,
        &[
            "spec.initContainers[0].securityContext.capabilities.drop",
            "spec.containers[1].securityContext.capabilities.drop",
        ]
    )]
    #[case(
        pod([container("a", caps(&["ALL"], &["KILL"]))]),
        r#"unrestricted capabilities (container "a" must not include "KILL" in securityContext.capabilities.add)"#,
        &["spec.containers[0].securityContext.capabilities.add[0]"]
    )]
    #[case(
        pod([
            container("a", SecurityContext::default()),
            container("b", caps(&[], &["SYS_ADMIN", "NET_BIND_SERVICE"])),
            container("c", caps(&["ALL"], &["CHOWN"])),
        ]),
        "unrestricted capabilities (\
         containers \"a\", \"b\" must set securityContext.capabilities.drop=[\"ALL\"]; \
         containers \"b\", \"c\" must not include \"CHOWN\", \"SYS_ADMIN\" in securityContext.capabilities.add)",
        &[
            "spec.containers[0].securityContext.capabilities.drop",
            "spec.containers[1].securityContext.capabilities.drop",
            "spec.containers[1].securityContext.capabilities.add[0]",
            "spec.containers[2].securityContext.capabilities.add[0]",
        ]
    )]
    fn table(#[case] pod: Pod<'_>, #[case] expected: &str, #[case] fields: &[&str]) {
        check(&CHECK, server(36), 22, &pod, expected, fields);
        check(&CHECK, server(36), 35, &pod, expected, fields);
    }

    #[test]
    fn windows_pods_pass_from_1_25() {
        let mut pod = pod([container("a", SecurityContext::default())]);
        pod.os = Some("windows");
        check(&CHECK, server(36), 25, &pod, "", &[]);
        let text = r#"unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"])"#;
        let field = "spec.containers[0].securityContext.capabilities.drop";
        check(&CHECK, server(36), 24, &pod, text, &[field]);
        check(&CHECK, server(24), 23, &pod, text, &[field]);
    }
}

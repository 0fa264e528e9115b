//! Privileged containers disable most security mechanisms and must be disallowed.
//!
//! Restricted fields: `privileged` of every container's `securityContext`. Allowed: unset, false.
//!
//! Upstream: `policy/check_privileged.go`.

use super::{Check, Documentation, Forbidden, Revision, wording};
use crate::level::Level;
use crate::server::Server;
use crate::view::{Container, Pod};

pub(super) static CHECK: Check = Check {
    id: "privileged",
    level: Level::Baseline,
    revisions: &[Revision {
        since: 0,
        change: "",
        evaluate: privileged_1_0,
    }],
    overridden_by: None,
    remedy: |_, violation, remedy| {
        remedy.leave(
            violation,
            "a privileged container is made for what only that allows: find the capability or the device \
             that it needs, or run it in a namespace of the privileged level",
        );
    },
    reasons: &["privileged"],
    details: &[
        "container \"*\" must not set securityContext.privileged=true",
        "containers \"*\" must not set securityContext.privileged=true",
    ],
    documentation: Documentation {
        title: "no privileged containers",
        rule: "A privileged container has every capability, every device of the node and no \
               seccomp, AppArmor or SELinux confinement: whoever runs code in it owns the node. \
               No container may be privileged.",
        fields: &[
            "spec.containers[*].securityContext.privileged",
            "spec.initContainers[*].securityContext.privileged",
            "spec.ephemeralContainers[*].securityContext.privileged",
        ],
        allowed: &["unset", "false"],
        fix: "Remove `privileged` or set it to false. Where the container needs one kernel \
              feature, find the capability that covers it; where it needs a device, ask for a \
              device plugin. Agents of the node itself belong in a privileged namespace.",
        example: "spec:\n  containers:\n  - name: app\n    securityContext:\n      privileged: false",
    },
};

fn privileged_1_0(_: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    let bad: Vec<&Container<'_>> = pod
        .containers
        .iter()
        .filter(|container| container.security_context.privileged == Some(true))
        .collect();
    if bad.is_empty() {
        return None;
    }
    Some(Forbidden {
        reason: "privileged",
        detail: format!(
            "{} must not set securityContext.privileged=true",
            wording::containers(&bad)
        ),
        fields: bad
            .iter()
            .map(|it| it.path("securityContext.privileged"))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, container, ephemeral, init, pod, server};
    use super::*;
    use crate::view::SecurityContext;
    use rstest::rstest;

    fn privileged<'a>(value: Option<bool>) -> SecurityContext<'a> {
        SecurityContext {
            privileged: value,
            ..SecurityContext::default()
        }
    }

    #[rstest]
    #[case(pod([container("a", privileged(None)), init("b", privileged(Some(false)))]), "", &[])]
    #[case(
        pod([container("a", privileged(Some(true))), container("b", privileged(None))]),
        r#"privileged (container "a" must not set securityContext.privileged=true)"#,
        &["spec.containers[0].securityContext.privileged"]
    )]
    #[case(
        pod([
            init("i", privileged(Some(true))),
            container("a", privileged(None)),
            container("b", privileged(Some(true))),
            ephemeral("e", privileged(Some(true))),
        ]),
        r#"privileged (containers "i", "b", "e" must not set securityContext.privileged=true)"#,
        &[
            "spec.initContainers[0].securityContext.privileged",
            "spec.containers[1].securityContext.privileged",
            "spec.ephemeralContainers[0].securityContext.privileged",
        ]
    )]
    fn table(#[case] pod: Pod<'_>, #[case] expected: &str, #[case] fields: &[&str]) {
        check(&CHECK, server(36), 0, &pod, expected, fields);
    }
}

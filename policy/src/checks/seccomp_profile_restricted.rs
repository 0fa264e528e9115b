//! A seccomp profile must be set.
//!
//! Restricted fields: `seccompProfile.type` of the pod's and every container's `securityContext`.
//! Allowed: RuntimeDefault, Localhost; unset on a container where the pod sets one of them. Since
//! policy v1.19.
//!
//! Upstream: `policy/check_seccompProfile_restricted.go`.

use super::seccomp_profile_baseline::{
    self, CAUTION, EXPLICIT_DETAILS, FIELD, RUNTIME_DEFAULT, confines, explicit,
};
use super::{Check, Documentation, Forbidden, Revision, wording};
use crate::evaluate::Violation;
use crate::level::Level;
use crate::remedy::{NOT_ON_WINDOWS, Operation, Remedy, Setting};
use crate::server::Server;
use crate::view::{Container, Pod};

pub(super) static CHECK: Check = Check {
    id: "seccompProfile_restricted",
    level: Level::Restricted,
    revisions: &[
        Revision {
            since: 19,
            change: "",
            evaluate: seccomp_profile_restricted_1_19,
        },
        Revision {
            since: 25,
            change: "Pods with `spec.os.name: windows` pass.",
            evaluate: seccomp_profile_restricted_1_25,
        },
    ],
    overridden_by: None,
    remedy,
    reasons: &["seccompProfile"],
    details: &[
        EXPLICIT_DETAILS[0],
        EXPLICIT_DETAILS[1],
        EXPLICIT_DETAILS[2],
        "pod or container* must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
    ],
    documentation: Documentation {
        title: "a seccomp profile",
        rule: "A seccomp profile keeps a container from system calls that it has no use for. What \
               a pod that says nothing gets depends on the node, so the profile must be named: at \
               the pod for all its containers, or at each container.",
        fields: &[
            "spec.securityContext.seccompProfile.type",
            "spec.containers[*].securityContext.seccompProfile.type",
            "spec.initContainers[*].securityContext.seccompProfile.type",
            "spec.ephemeralContainers[*].securityContext.seccompProfile.type",
        ],
        allowed: &[
            "RuntimeDefault",
            "Localhost",
            "unset on a container, where the pod sets one of them",
        ],
        fix: "Set `type: RuntimeDefault` at the pod and remove `Unconfined` from the containers. \
              Where the default profile blocks a call that the program needs, write a profile \
              that allows it and use `type: Localhost`.",
        example: "spec:\n  securityContext:\n    seccompProfile:\n      type: RuntimeDefault",
    },
};

fn seccomp_profile_restricted_1_19(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    // What is set and not allowed hides what is not set.
    if let Some(forbidden) = explicit(server, pod) {
        return Some(forbidden);
    }
    if pod
        .security_context
        .seccomp
        .is_some_and(|kind| confines(server, kind))
    {
        return None;
    }
    let bad: Vec<&Container<'_>> = pod
        .containers
        .iter()
        .filter(|container| container.security_context.seccomp.is_none())
        .collect();
    if bad.is_empty() {
        return None;
    }
    Some(Forbidden {
        reason: "seccompProfile",
        detail: format!(
            "pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
            wording::containers(&bad),
        ),
        fields: bad.iter().map(|it| it.path(FIELD)).collect(),
    })
}

fn seccomp_profile_restricted_1_25(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    // Validation forbids the field on a Windows pod, so the pod could not meet the rule.
    if pod.is_windows() {
        return None;
    }
    seccomp_profile_restricted_1_19(server, pod)
}

/// The runtime's default is set once at the pod, and where something else was set, there.
fn remedy(pod: &Pod<'_>, violation: &Violation, remedy: &mut Remedy) {
    if pod.is_windows() {
        return remedy.leave(violation, NOT_ON_WINDOWS);
    }
    let mut unset = pod.containers.iter().map(|it| &it.security_context.seccomp);
    if pod.security_context.seccomp.is_none() && unset.any(Option::is_none) {
        let kind = Operation::Set(Setting::Text(RUNTIME_DEFAULT));
        remedy.edit(violation, &format!("spec.{FIELD}"), kind, CAUTION);
    }
    if violation.detail.contains(" must not set ") {
        seccomp_profile_baseline::remedy(pod, violation, remedy);
    }
    seccomp_profile_baseline::remedy_of_annotations(pod, violation, remedy);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, container, init, pod, server};
    use super::*;
    use crate::view::SecurityContext;
    use rstest::rstest;

    fn seccomp(kind: Option<&str>) -> SecurityContext<'_> {
        SecurityContext {
            seccomp: kind,
            ..SecurityContext::default()
        }
    }

    const GOOD: Option<&str> = Some("RuntimeDefault");
    const BAD: Option<&str> = Some("Unconfined");
    const POD_FIELD: &str = "spec.securityContext.seccompProfile.type";
    const INIT_FIELD: &str = "spec.initContainers[0].securityContext.seccompProfile.type";
    const REGULAR_FIELD: &str = "spec.containers[0].securityContext.seccompProfile.type";

    #[rstest]
    #[case(GOOD, [None, Some("Localhost")], "", &[])]
    #[case(None, [GOOD, GOOD], "", &[])]
    #[case(
        None, [None, None],
        r#"seccompProfile (pod or containers "i", "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")"#,
        &[INIT_FIELD, REGULAR_FIELD]
    )]
    #[case(
        None, [GOOD, None],
        r#"seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")"#,
        &[REGULAR_FIELD]
    )]
    #[case(
        BAD, [None, GOOD],
        r#"seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")"#,
        &[POD_FIELD]
    )]
    #[case(
        GOOD, [BAD, BAD],
        r#"seccompProfile (containers "i", "c" must not set securityContext.seccompProfile.type to "Unconfined")"#,
        &[INIT_FIELD, REGULAR_FIELD]
    )]
    #[case(
        None, [BAD, None],
        r#"seccompProfile (container "i" must not set securityContext.seccompProfile.type to "Unconfined")"#,
        &[INIT_FIELD]
    )]
    fn table(
        #[case] of_pod: Option<&str>,
        #[case] of_containers: [Option<&str>; 2],
        #[case] expected: &str,
        #[case] fields: &[&str],
    ) {
        let [of_init, of_regular] = of_containers;
        let mut pod = pod([
            init("i", seccomp(of_init)),
            container("c", seccomp(of_regular)),
        ]);
        pod.security_context = seccomp(of_pod);
        check(&CHECK, server(36), 19, &pod, expected, fields);
        check(&CHECK, server(36), 35, &pod, expected, fields);
        pod.os = Some("windows");
        check(&CHECK, server(36), 24, &pod, expected, fields);
        check(&CHECK, server(36), 25, &pod, "", &[]);
    }
}

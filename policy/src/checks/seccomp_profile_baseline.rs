//! Seccomp must not be turned off.
//!
//! Restricted fields, policies before v1.19: the annotations
//! `seccomp.security.alpha.kubernetes.io/pod` and `container.seccomp.security.alpha.kubernetes.io/*`
//! (allowed: unset, runtime/default, docker/default, localhost/*); from v1.19: `seccompProfile.type`
//! of the pod's and every container's `securityContext` (allowed: unset, RuntimeDefault, Localhost).
//!
//! Upstream: `policy/check_seccompProfile_baseline.go`.

use super::{Check, Documentation, Forbidden, Revision, seccomp_profile_restricted, wording};
use crate::evaluate::Violation;
use crate::level::Level;
use crate::quote::quote;
use crate::remedy::{Operation, Remedy, Setting};
use crate::server::Server;
use crate::view::{Container, Pod};
use std::collections::BTreeSet;

const ANNOTATIONS: &str = "metadata.annotations[";
const POD_ANNOTATION: &str = "seccomp.security.alpha.kubernetes.io/pod";
const CONTAINER_ANNOTATION_PREFIX: &str = "container.seccomp.security.alpha.kubernetes.io/";

pub(super) const FIELD: &str = "securityContext.seccompProfile.type";
pub(super) const RUNTIME_DEFAULT: &str = "RuntimeDefault";

/// How messages name a type that is set and not allowed, in baseline and restricted alike.
pub(super) const EXPLICIT_DETAILS: [&str; 3] = [
    "pod must not set securityContext.seccompProfile.type to \"*\"",
    "pod and container* must not set securityContext.seccompProfile.type to \"*\"",
    "container* must not set securityContext.seccompProfile.type to \"*\"",
];

pub(super) const CAUTION: &str = "system calls that the runtime's default profile blocks fail";

pub(super) static CHECK: Check = Check {
    id: "seccompProfile_baseline",
    level: Level::Baseline,
    revisions: &[
        Revision {
            since: 0,
            change: "",
            evaluate: seccomp_profile_baseline_1_0,
        },
        Revision {
            since: 19,
            change: "Looks at the fields `seccompProfile.type` in place of the annotations.",
            evaluate: seccomp_profile_baseline_1_19,
        },
    ],
    overridden_by: Some(&seccomp_profile_restricted::CHECK),
    remedy,
    reasons: &["seccompProfile"],
    details: &[
        EXPLICIT_DETAILS[0],
        EXPLICIT_DETAILS[1],
        EXPLICIT_DETAILS[2],
        "forbidden annotation *=\"*\"",
        "forbidden annotations *=\"*\"",
    ],
    documentation: Documentation {
        title: "seccomp not turned off",
        rule: "A seccomp profile keeps a container from system calls that it has no use for. \
               Without one more of the kernel can be attacked, so neither the pod nor a container \
               may ask for `Unconfined`. To say nothing is allowed, though it may well mean \
               unconfined.",
        fields: &[
            "spec.securityContext.seccompProfile.type",
            "spec.containers[*].securityContext.seccompProfile.type",
            "spec.initContainers[*].securityContext.seccompProfile.type",
            "spec.ephemeralContainers[*].securityContext.seccompProfile.type",
            "metadata.annotations[seccomp.security.alpha.kubernetes.io/pod] (before v1.19)",
            "metadata.annotations[container.seccomp.security.alpha.kubernetes.io/*] (before v1.19)",
        ],
        allowed: &[
            "unset",
            "RuntimeDefault (in annotations runtime/default or docker/default)",
            "Localhost (in annotations localhost/*)",
        ],
        fix: "Remove `Unconfined`, or better set `type: RuntimeDefault` at the pod. Where the \
              default profile blocks a call that the program needs, write a profile that allows \
              it and use `type: Localhost`.",
        example: "spec:\n  securityContext:\n    seccompProfile:\n      type: RuntimeDefault",
    },
};

fn seccomp_profile_baseline_1_0(_: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    // Upstream asks for the key of the pod and of each container. Looking at the annotations one
    // by one gives the same set without building a key for each container.
    let is_of_this_pod = |key: &str| {
        key == POD_ANNOTATION
            || key
                .strip_prefix(CONTAINER_ANNOTATION_PREFIX)
                .is_some_and(|name| {
                    pod.containers
                        .iter()
                        .any(|container| container.name == name)
                })
    };
    let mut forbidden = BTreeSet::new();
    for &(key, value) in &pod.annotations {
        if is_of_this_pod(key) && !is_allowed(value) {
            forbidden.insert((format!("{key}={}", quote(value)), key));
        }
    }
    if forbidden.is_empty() {
        return None;
    }
    let texts: Vec<&str> = forbidden.iter().map(|(text, _)| text.as_str()).collect();
    Some(Forbidden {
        reason: "seccompProfile",
        detail: format!(
            "forbidden {} {}",
            wording::plural(texts.len(), "annotation", "annotations"),
            texts.join(", "),
        ),
        fields: forbidden
            .iter()
            .map(|(_, key)| format!("metadata.annotations[{key}]"))
            .collect(),
    })
}

fn seccomp_profile_baseline_1_19(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    explicit(server, pod)
}

/// Whether that type confines.
pub(super) fn confines(server: Server, kind: &str) -> bool {
    let allowed = ["RuntimeDefault", "Localhost"];
    server.rules().allow("seccompProfile", &allowed, kind)
}

/// What is wrong with the types that are set.
pub(super) fn explicit(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    let of_pod = pod
        .security_context
        .seccomp
        .filter(|kind| !confines(server, kind));
    let mut kinds: BTreeSet<&str> = of_pod.into_iter().collect();
    let mut bad: Vec<&Container<'_>> = Vec::new();
    for container in &pod.containers {
        if let Some(kind) = container
            .security_context
            .seccomp
            .filter(|kind| !confines(server, kind))
        {
            bad.push(container);
            kinds.insert(kind);
        }
    }
    if of_pod.is_none() && bad.is_empty() {
        return None;
    }
    let pod_field = of_pod.map(|_| format!("spec.{FIELD}"));
    Some(Forbidden {
        reason: "seccompProfile",
        detail: format!(
            "{} must not set securityContext.seccompProfile.type to {}",
            wording::setters(of_pod.is_some(), &bad),
            wording::quoted(kinds),
        ),
        fields: pod_field
            .into_iter()
            .chain(bad.iter().map(|it| it.path(FIELD)))
            .collect(),
    })
}

/// Every field at fault gets the runtime's default. `Unconfined` is what a container that says nothing
/// gets on most nodes, so it is treated as unset.
pub(super) fn remedy(pod: &Pod<'_>, violation: &Violation, remedy: &mut Remedy) {
    for field in &violation.fields {
        if !field.starts_with(ANNOTATIONS) {
            let kind = Setting::Text(RUNTIME_DEFAULT);
            remedy.edit(violation, field, Operation::Set(kind), CAUTION);
        }
    }
    remedy_of_annotations(pod, violation, remedy);
}

/// Annotations must say the same as the fields (`validateSeccompAnnotationsAndFields` in
/// `pkg/apis/core/validation/validation.go`), and are copied into them before 1.27.
pub(super) fn remedy_of_annotations(pod: &Pod<'_>, violation: &Violation, remedy: &mut Remedy) {
    for (key, value) in &pod.annotations {
        let is_seccomp = *key == POD_ANNOTATION || key.starts_with(CONTAINER_ANNOTATION_PREFIX);
        if is_seccomp && !is_allowed(value) {
            let kind = Setting::Text("runtime/default");
            let field = format!("{ANNOTATIONS}{key}]");
            remedy.edit(violation, &field, Operation::Set(kind), CAUTION);
        }
    }
}

fn is_allowed(value: &str) -> bool {
    value == "runtime/default" || value == "docker/default" || value.starts_with("localhost/")
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

    #[rstest]
    #[case(None, [None, None], "", &[])]
    #[case(Some("RuntimeDefault"), [Some("Localhost"), None], "", &[])]
    #[case(
        Some("Unconfined"), [Some("RuntimeDefault"), Some("RuntimeDefault")],
        r#"seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")"#,
        &["spec.securityContext.seccompProfile.type"]
    )]
    #[case(
        None, [None, Some("Unconfined")],
        r#"seccompProfile (container "c" must not set securityContext.seccompProfile.type to "Unconfined")"#,
        &["spec.containers[0].securityContext.seccompProfile.type"]
    )]
    #[case(
        Some("Unconfined"), [Some(""), Some("Unconfined")],
        r#"seccompProfile (pod and containers "i", "c" must not set securityContext.seccompProfile.type to "", "Unconfined")"#,
        &[
            "spec.securityContext.seccompProfile.type",
            "spec.initContainers[0].securityContext.seccompProfile.type",
            "spec.containers[0].securityContext.seccompProfile.type",
        ]
    )]
    fn fields_from_1_19(
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
        check(&CHECK, server(36), 18, &pod, "", &[]);
    }

    const OF_C: &str = "container.seccomp.security.alpha.kubernetes.io/c";

    #[rstest]
    #[case(&[(POD_ANNOTATION, "runtime/default"), (OF_C, "docker/default")], "", &[])]
    #[case(&[(OF_C, "localhost/x")], "", &[])]
    #[case(&[("container.seccomp.security.alpha.kubernetes.io/other", "unconfined")], "", &[])]
    // Unlike AppArmor's, an empty annotation is refused.
    #[case(
        &[(POD_ANNOTATION, "")],
        r#"seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="")"#,
        &["metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]"]
    )]
    #[case(
        &[(POD_ANNOTATION, "uncon\"fined"), (OF_C, "unconfined")],
        r#"seccompProfile (forbidden annotations container.seccomp.security.alpha.kubernetes.io/c="unconfined", seccomp.security.alpha.kubernetes.io/pod="uncon\"fined")"#,
        &[
            "metadata.annotations[container.seccomp.security.alpha.kubernetes.io/c]",
            "metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]",
        ]
    )]
    fn annotations_before_1_19(
        #[case] annotations: &[(&'static str, &'static str)],
        #[case] expected: &str,
        #[case] fields: &[&str],
    ) {
        let mut pod = pod([container("c", seccomp(None))]);
        pod.annotations = annotations.to_vec();
        check(&CHECK, server(36), 18, &pod, expected, fields);
        check(&CHECK, server(36), 19, &pod, "", &[]);
    }
}

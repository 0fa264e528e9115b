//! AppArmor must not be turned off, nor profiles chosen that no administrator loaded.
//!
//! Restricted fields: the annotations `container.apparmor.security.beta.kubernetes.io/*` (allowed:
//! unset, empty, runtime/default, localhost/*) and, on servers that have it, `appArmorProfile.type`
//! of the pod's and every container's `securityContext` (allowed: unset, RuntimeDefault, Localhost).
//!
//! Upstream: `policy/check_appArmorProfile.go`.

use super::{Check, Documentation, Forbidden, Revision, wording};
use crate::level::Level;
use crate::quote::quote;
use crate::server::Server;
use crate::view::{Container, Pod};
use std::collections::BTreeSet;

const ANNOTATION_PREFIX: &str = "container.apparmor.security.beta.kubernetes.io/";
const FIELD: &str = "securityContext.appArmorProfile.type";

pub(super) static CHECK: Check = Check {
    id: "appArmorProfile",
    level: Level::Baseline,
    revisions: &[Revision {
        since: 0,
        change: "",
        evaluate: app_armor_profile_1_0,
    }],
    overridden_by: None,
    remedy: |_, violation, remedy| {
        remedy.leave(
            violation,
            "AppArmor was turned off for this container alone, which it has by default: try it with \
             RuntimeDefault, or load a profile of its own",
        );
    },
    reasons: &["forbidden AppArmor profile", "forbidden AppArmor profiles"],
    details: &[
        "pod* must not set AppArmor profile type to \"*\"",
        "container \"*\" must not set AppArmor profile type to \"*\"",
        "containers \"*\" must not set AppArmor profile type to \"*\"",
        "container \"*\" and annotation* must not set AppArmor profile type to \"*\"",
        "containers \"*\" and annotation* must not set AppArmor profile type to \"*\"",
        "annotation must not set AppArmor profile type to \"*\"",
        "annotations must not set AppArmor profile type to \"*\"",
        "container.apparmor.security.beta.kubernetes.io/*=\"*\"",
    ],
    documentation: Documentation {
        title: "AppArmor not turned off",
        rule: "On nodes with AppArmor the runtime's default profile confines every container. \
               `Unconfined` turns it off, so it is refused, in the field and in the older \
               annotations. Profiles that an administrator loaded on the node may be used.",
        fields: &[
            "spec.securityContext.appArmorProfile.type (servers from 1.30)",
            "spec.containers[*].securityContext.appArmorProfile.type (servers from 1.30)",
            "spec.initContainers[*].securityContext.appArmorProfile.type (servers from 1.30)",
            "spec.ephemeralContainers[*].securityContext.appArmorProfile.type (servers from 1.30)",
            "metadata.annotations[container.apparmor.security.beta.kubernetes.io/*]",
        ],
        allowed: &[
            "unset",
            "RuntimeDefault (in annotations runtime/default, or empty)",
            "Localhost (in annotations localhost/*)",
        ],
        fix: "Remove `Unconfined`, from the annotations too: servers from 1.30 copy a container's \
              annotation into its field. Where the default profile blocks what the program needs, \
              load a profile of your own on the nodes and use `type: Localhost`.",
        example: "spec:\n  securityContext:\n    appArmorProfile:\n      type: RuntimeDefault",
    },
};

fn app_armor_profile_1_0(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    let annotations = forbidden_annotations(pod);
    if server.app_armor_fields() {
        fields_and_annotations(pod, &annotations)
    } else {
        annotations_alone(&annotations)
    }
}

/// The forbidden annotations as `key="value"`, sorted, each with its key.
fn forbidden_annotations<'a>(pod: &Pod<'a>) -> BTreeSet<(String, &'a str)> {
    let is_allowed = |value: &str| {
        value.is_empty() || value == "runtime/default" || value.starts_with("localhost/")
    };
    pod.annotations
        .iter()
        .filter(|(key, value)| key.starts_with(ANNOTATION_PREFIX) && !is_allowed(value))
        .map(|&(key, value)| (format!("{key}={}", quote(value)), key))
        .collect()
}

/// The text of servers before 1.30.
fn annotations_alone(annotations: &BTreeSet<(String, &str)>) -> Option<Forbidden> {
    if annotations.is_empty() {
        return None;
    }
    let texts: Vec<&str> = annotations.iter().map(|(text, _)| text.as_str()).collect();
    Some(Forbidden {
        reason: reason(texts.len()),
        detail: texts.join(", "),
        fields: annotation_paths(annotations).collect(),
    })
}

/// The text of servers from 1.30: annotations are listed as if they were types, which puts
/// quotes inside of quotes.
fn fields_and_annotations(
    pod: &Pod<'_>,
    annotations: &BTreeSet<(String, &str)>,
) -> Option<Forbidden> {
    let is_bad = |kind: &&str| !matches!(*kind, "RuntimeDefault" | "Localhost");
    let of_pod = pod.security_context.app_armor.filter(is_bad);
    let mut kinds: BTreeSet<&str> = of_pod.into_iter().collect();
    let mut bad: Vec<&Container<'_>> = Vec::new();
    for container in &pod.containers {
        if let Some(kind) = container.security_context.app_armor.filter(is_bad) {
            bad.push(container);
            kinds.insert(kind);
        }
    }

    let mut setters = Vec::new();
    if of_pod.is_some() || !bad.is_empty() {
        setters.push(wording::setters(of_pod.is_some(), &bad));
    }
    if !annotations.is_empty() {
        setters.push(wording::plural(annotations.len(), "annotation", "annotations").to_owned());
    }
    if setters.is_empty() {
        return None;
    }

    let texts = annotations.iter().map(|(text, _)| text.as_str());
    let values: Vec<&str> = kinds.into_iter().chain(texts).collect();
    let pod_field = of_pod.map(|_| format!("spec.{FIELD}"));
    let container_fields = bad.iter().map(|it| it.path(FIELD));
    Some(Forbidden {
        reason: reason(values.len()),
        detail: format!(
            "{} must not set AppArmor profile type to {}",
            setters.join(" and "),
            wording::quoted(values),
        ),
        fields: pod_field
            .into_iter()
            .chain(container_fields)
            .chain(annotation_paths(annotations))
            .collect(),
    })
}

const fn reason(count: usize) -> &'static str {
    wording::plural(
        count,
        "forbidden AppArmor profile",
        "forbidden AppArmor profiles",
    )
}

fn annotation_paths(annotations: &BTreeSet<(String, &str)>) -> impl Iterator<Item = String> {
    annotations
        .iter()
        .map(|(_, key)| format!("metadata.annotations[{key}]"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, container, init, pod, server};
    use super::*;
    use crate::view::SecurityContext;
    use rstest::rstest;

    fn app_armor(kind: Option<&str>) -> SecurityContext<'_> {
        SecurityContext {
            app_armor: kind,
            ..SecurityContext::default()
        }
    }

    const OF_A: &str = "container.apparmor.security.beta.kubernetes.io/a";
    const OF_B: &str = "container.apparmor.security.beta.kubernetes.io/b";
    const PATH_A: &str = "metadata.annotations[container.apparmor.security.beta.kubernetes.io/a]";
    const PATH_B: &str = "metadata.annotations[container.apparmor.security.beta.kubernetes.io/b]";

    #[rstest]
    #[case(&[], "", &[])]
    #[case(&[(OF_A, ""), (OF_B, "runtime/default")], "", &[])]
    #[case(&[(OF_A, "localhost/x")], "", &[])]
    #[case(
        &[(OF_A, "unconfined")],
        r#"forbidden AppArmor profile (container.apparmor.security.beta.kubernetes.io/a="unconfined")"#,
        &[PATH_A]
    )]
    #[case(
        &[(OF_B, "x"), (OF_A, "un\"confined")],
        r#"forbidden AppArmor profiles (container.apparmor.security.beta.kubernetes.io/a="un\"confined", container.apparmor.security.beta.kubernetes.io/b="x")"#,
        &[PATH_A, PATH_B]
    )]
    fn before_1_30(
        #[case] annotations: &[(&'static str, &'static str)],
        #[case] expected: &str,
        #[case] fields: &[&str],
    ) {
        let mut pod = pod([container("a", app_armor(Some("Unconfined")))]);
        pod.annotations = annotations.to_vec();
        check(&CHECK, server(29), 0, &pod, expected, fields);
        check(&CHECK, server(29), 29, &pod, expected, fields);
    }

    #[rstest]
    #[case(None, [None, None], &[], "", &[])]
    #[case(Some("RuntimeDefault"), [Some("Localhost"), None], &[(OF_A, "")], "", &[])]
    #[case(
        Some("Unconfined"), [None, None], &[],
        r#"forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")"#,
        &["spec.securityContext.appArmorProfile.type"]
    )]
    #[case(
        None, [None, Some("Unconfined")], &[(OF_A, "unconfined")],
        r#"forbidden AppArmor profiles (container "a" and annotation must not set AppArmor profile type to "Unconfined", "container.apparmor.security.beta.kubernetes.io/a="unconfined"")"#,
        &["spec.containers[0].securityContext.appArmorProfile.type", PATH_A]
    )]
    // In a template the annotation stays alone, and one value makes a singular.
    #[case(
        None, [None, None], &[(OF_A, "unconfined")],
        r#"forbidden AppArmor profile (annotation must not set AppArmor profile type to "container.apparmor.security.beta.kubernetes.io/a="unconfined"")"#,
        &[PATH_A]
    )]
    #[case(
        Some("Unconfined"), [Some(""), Some("Unconfined")], &[(OF_B, "y"), (OF_A, "x")],
        r#"forbidden AppArmor profiles (pod and containers "i", "a" and annotations must not set AppArmor profile type to "", "Unconfined", "container.apparmor.security.beta.kubernetes.io/a="x"", "container.apparmor.security.beta.kubernetes.io/b="y"")"#,
        &[
            "spec.securityContext.appArmorProfile.type",
            "spec.initContainers[0].securityContext.appArmorProfile.type",
            "spec.containers[0].securityContext.appArmorProfile.type",
            PATH_A,
            PATH_B,
        ]
    )]
    fn from_1_30(
        #[case] of_pod: Option<&str>,
        #[case] of_containers: [Option<&str>; 2],
        #[case] annotations: &[(&'static str, &'static str)],
        #[case] expected: &str,
        #[case] fields: &[&str],
    ) {
        let [of_init, of_regular] = of_containers;
        let mut pod = pod([
            init("i", app_armor(of_init)),
            container("a", app_armor(of_regular)),
        ]);
        pod.security_context = app_armor(of_pod);
        pod.annotations = annotations.to_vec();
        check(&CHECK, server(30), 0, &pod, expected, fields);
        check(&CHECK, server(36), 35, &pod, expected, fields);
    }
}

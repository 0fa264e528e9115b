//! The SELinux type must be one of containers, and user and role must not be set.
//!
//! Restricted fields: `seLinuxOptions` of the pod's and every container's `securityContext`.
//! Allowed: `type` unset or in [`TYPES`]; `user` and `role` unset; `level` is free.
//!
//! Upstream: `policy/check_seLinuxOptions.go`.

use super::{Check, Documentation, Forbidden, Revision, wording};
use crate::level::Level;
use crate::server::Server;
use crate::view::{Container, Pod, SeLinuxOptions};
use std::collections::BTreeSet;

pub(super) static CHECK: Check = Check {
    id: "seLinuxOptions",
    level: Level::Baseline,
    revisions: &[
        Revision {
            since: 0,
            change: "",
            evaluate: se_linux_options_1_0,
        },
        Revision {
            since: 31,
            change: "Allows the type container_engine_t.",
            evaluate: se_linux_options_1_31,
        },
    ],
    overridden_by: None,
    remedy: |_, violation, remedy| {
        remedy.leave(
            violation,
            "the label was chosen for files that the container needs",
        );
    },
    reasons: &["seLinuxOptions"],
    details: &[
        "pod set forbidden securityContext.seLinuxOptions: *",
        "pod set forbidden securityContext.seLinuxOptions: type* \"*\"*",
        "pod and container \"*\" set forbidden securityContext.seLinuxOptions: *",
        "pod and containers \"*\" set forbidden securityContext.seLinuxOptions: *",
        "container \"*\" set forbidden securityContext.seLinuxOptions: *",
        "containers \"*\" set forbidden securityContext.seLinuxOptions: *",
    ],
    documentation: Documentation {
        title: "no SELinux users, roles and types of one's own",
        rule: "On nodes with SELinux its type decides what a container may touch; with a type such \
               as spc_t it is not confined at all. The type must be one of those made for \
               containers, and user and role are not for pods to choose. The level is free.",
        fields: &[
            "spec.securityContext.seLinuxOptions.type",
            "spec.securityContext.seLinuxOptions.user",
            "spec.securityContext.seLinuxOptions.role",
            "spec.containers[*].securityContext.seLinuxOptions.type",
            "spec.containers[*].securityContext.seLinuxOptions.user",
            "spec.containers[*].securityContext.seLinuxOptions.role",
            "the same of spec.initContainers[*] and spec.ephemeralContainers[*]",
        ],
        allowed: &[
            "type: unset or empty",
            "type: container_t",
            "type: container_init_t",
            "type: container_kvm_t",
            "type: container_engine_t (from v1.31)",
            "user and role: unset or empty",
        ],
        fix: "Remove `user` and `role`, and `type` unless it is one of the allowed. A container \
              that may not read its volume usually needs the right `level`, or `fsGroup`, and no \
              other type.",
        example: "spec:\n  securityContext:\n    seLinuxOptions:\n      level: \"s0:c123,c456\"",
    },
};

/// The types made for containers, in the order in which policy versions allowed them.
pub(crate) const TYPES: [&str; 5] = [
    "",
    "container_t",
    "container_init_t",
    "container_kvm_t",
    "container_engine_t",
];

fn se_linux_options_1_0(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    se_linux_options(&TYPES[..4], server, pod)
}

fn se_linux_options_1_31(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    se_linux_options(&TYPES, server, pod)
}

fn se_linux_options(allowed: &[&str], server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    let is_allowed = |kind: &str| server.rules().allow(CHECK.id, allowed, kind);
    let is_bad = |options: &SeLinuxOptions<'_>| {
        !is_allowed(options.kind) || !options.user.is_empty() || !options.role.is_empty()
    };
    let of_pod = pod.security_context.se_linux.filter(is_bad);
    let bad: Vec<&Container<'_>> = pod
        .containers
        .iter()
        .filter(|container| {
            container
                .security_context
                .se_linux
                .as_ref()
                .is_some_and(is_bad)
        })
        .collect();
    if of_pod.is_none() && bad.is_empty() {
        return None;
    }

    let mut types = BTreeSet::new();
    let (mut sets_user, mut sets_role) = (false, false);
    let mut fields = Vec::new();
    let mut note = |options: &SeLinuxOptions<'_>, path: &dyn Fn(&str) -> String| {
        if !is_allowed(options.kind) {
            types.insert(options.kind.to_owned());
            fields.push(path("securityContext.seLinuxOptions.type"));
        }
        if !options.user.is_empty() {
            sets_user = true;
            fields.push(path("securityContext.seLinuxOptions.user"));
        }
        if !options.role.is_empty() {
            sets_role = true;
            fields.push(path("securityContext.seLinuxOptions.role"));
        }
    };
    if let Some(options) = &of_pod {
        note(options, &|field| format!("spec.{field}"));
    }
    for container in &bad {
        if let Some(options) = &container.security_context.se_linux {
            note(options, &|field| container.path(field));
        }
    }

    let mut faults = Vec::new();
    if !types.is_empty() {
        let word = wording::plural(types.len(), "type", "types");
        faults.push(format!("{word} {}", wording::quoted(&types)));
    }
    // Older servers lose the tail, and print a text that ends behind its colon.
    if !types.is_empty() || server.tells_se_linux_user_and_role_alone() {
        if sets_user {
            faults.push("user may not be set".to_owned());
        }
        if sets_role {
            faults.push("role may not be set".to_owned());
        }
    }
    Some(Forbidden {
        reason: "seLinuxOptions",
        detail: format!(
            "{} set forbidden securityContext.seLinuxOptions: {}",
            wording::setters(of_pod.is_some(), &bad),
            faults.join("; "),
        ),
        fields,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, container, init, pod, server};
    use super::*;
    use crate::view::SecurityContext;
    use rstest::rstest;

    fn options([kind, user, role]: [&str; 3]) -> SecurityContext<'_> {
        let se_linux = Some(SeLinuxOptions { kind, user, role });
        SecurityContext {
            se_linux,
            ..SecurityContext::default()
        }
    }

    const NONE: [&str; 3] = ["", "", ""];

    #[rstest]
    #[case(NONE, [NONE, NONE], "", &[])]
    #[case(NONE, [["container_t", "", ""], ["container_kvm_t", "", ""]], "", &[])]
    #[case(
        ["spc_t", "", ""], [NONE, NONE],
        r#"seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t")"#,
        &["spec.securityContext.seLinuxOptions.type"]
    )]
    #[case(
        NONE, [NONE, ["", "u", ""]],
        r#"seLinuxOptions (container "c" set forbidden securityContext.seLinuxOptions: user may not be set)"#,
        &["spec.containers[0].securityContext.seLinuxOptions.user"]
    )]
    #[case(
        ["b", "", "r"], [["a", "", ""], ["b", "u", ""]],
        r#"seLinuxOptions (pod and containers "i", "c" set forbidden securityContext.seLinuxOptions: types "a", "b"; user may not be set; role may not be set)"#,
        &[
            "spec.securityContext.seLinuxOptions.type",
            "spec.securityContext.seLinuxOptions.role",
            "spec.initContainers[0].securityContext.seLinuxOptions.type",
            "spec.containers[0].securityContext.seLinuxOptions.type",
            "spec.containers[0].securityContext.seLinuxOptions.user",
        ]
    )]
    fn table(
        #[case] of_pod: [&str; 3],
        #[case] of_containers: [[&str; 3]; 2],
        #[case] expected: &str,
        #[case] fields: &[&str],
    ) {
        let [of_init, of_regular] = of_containers;
        let mut pod = pod([
            init("i", options(of_init)),
            container("c", options(of_regular)),
        ]);
        pod.security_context = options(of_pod);
        check(&CHECK, server(36), 0, &pod, expected, fields);
        check(&CHECK, server(36), 35, &pod, expected, fields);
    }

    #[rstest]
    #[case(25, ["", "u", "r"], "")]
    #[case(26, ["", "u", "r"], "user may not be set; role may not be set")]
    #[case(25, ["x", "u", "r"], r#"type "x"; user may not be set; role may not be set"#)]
    fn old_servers_lose_the_tail(#[case] minor: u8, #[case] of_pod: [&str; 3], #[case] tail: &str) {
        let pod = Pod {
            security_context: options(of_pod),
            ..Pod::default()
        };
        let text =
            format!("seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: {tail})");
        let fields = [
            "spec.securityContext.seLinuxOptions.type",
            "spec.securityContext.seLinuxOptions.user",
            "spec.securityContext.seLinuxOptions.role",
        ];
        let fields = if of_pod[0].is_empty() {
            &fields[1..]
        } else {
            &fields
        };
        check(&CHECK, server(minor), 0, &pod, &text, fields);
    }

    #[test]
    fn engines_are_containers_from_1_31() {
        let pod = Pod {
            security_context: options(["container_engine_t", "", ""]),
            ..Pod::default()
        };
        let text = r#"seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "container_engine_t")"#;
        check(&CHECK, server(31), 31, &pod, "", &[]);
        check(
            &CHECK,
            server(31),
            30,
            &pod,
            text,
            &["spec.securityContext.seLinuxOptions.type"],
        );
    }
}

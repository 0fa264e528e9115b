//! Adding capabilities beyond the default set of container runtimes must be disallowed.
//!
//! Restricted fields: `capabilities.add` of every container's `securityContext`. Allowed: unset,
//! empty, and the names in [`ALLOWED`], which are compared as they are written.
//!
//! Upstream: `policy/check_capabilities_baseline.go`.

use super::{Check, Documentation, Forbidden, Revision, capabilities_restricted, wording};
use crate::level::Level;
use crate::remedy::ASKED_FOR;
use crate::server::Server;
use crate::view::{Container, Pod};
use std::collections::BTreeSet;

pub(super) static CHECK: Check = Check {
    id: "capabilities_baseline",
    level: Level::Baseline,
    revisions: &[Revision {
        since: 0,
        change: "",
        evaluate: capabilities_baseline_1_0,
    }],
    overridden_by: Some(&capabilities_restricted::CHECK),
    remedy: |_, violation, remedy| remedy.leave(violation, ASKED_FOR),
    reasons: &["non-default capabilities"],
    details: &["container* must not include \"*\" in securityContext.capabilities.add"],
    documentation: Documentation {
        title: "no capabilities beyond the default set",
        rule: "Capabilities such as SYS_ADMIN, NET_ADMIN or SYS_PTRACE give root in a container \
               power over the node or over its neighbours. Only those that container runtimes \
               grant by default may be added, without NET_RAW. Names are compared exactly: \
               CAP_CHOWN, chown and ALL are refused.",
        fields: &[
            "spec.containers[*].securityContext.capabilities.add",
            "spec.initContainers[*].securityContext.capabilities.add",
            "spec.ephemeralContainers[*].securityContext.capabilities.add",
        ],
        allowed: &[
            "unset or empty",
            "AUDIT_WRITE",
            "CHOWN",
            "DAC_OVERRIDE",
            "FOWNER",
            "FSETID",
            "KILL",
            "MKNOD",
            "NET_BIND_SERVICE",
            "SETFCAP",
            "SETGID",
            "SETPCAP",
            "SETUID",
            "SYS_CHROOT",
        ],
        fix: "Remove the capabilities that the message names, and write the others without the \
              prefix CAP_. Often none is needed: a port below 1024 can be bound with the sysctl \
              net.ipv4.ip_unprivileged_port_start, and ping works with net.ipv4.ping_group_range.",
        example: "spec:\n  containers:\n  - name: app\n    securityContext:\n      capabilities:\n        \
                  add: [NET_BIND_SERVICE]",
    },
};

/// What may be added.
pub(crate) const ALLOWED: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

fn capabilities_baseline_1_0(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    let additions = Additions::beyond(server, CHECK.id, &ALLOWED, pod)?;
    Some(Forbidden {
        reason: "non-default capabilities",
        detail: additions.detail(),
        fields: additions.fields,
    })
}

/// The capabilities that containers add and a level does not allow.
pub(super) struct Additions<'a> {
    containers: Vec<&'a Container<'a>>,
    capabilities: BTreeSet<&'a str>,
    pub(super) fields: Vec<String>,
}

impl<'a> Additions<'a> {
    /// Those of `pod` that are not in `allowed`, the values of `check`; `None` where there are none.
    pub(super) fn beyond(
        server: Server,
        check: &str,
        allowed: &[&str],
        pod: &'a Pod<'a>,
    ) -> Option<Self> {
        let mut found = Self {
            containers: Vec::new(),
            capabilities: BTreeSet::new(),
            fields: Vec::new(),
        };
        for container in &pod.containers {
            let Some(capabilities) = &container.security_context.capabilities else {
                continue;
            };
            let mut is_bad = false;
            for (index, capability) in capabilities.add.iter().enumerate() {
                if !server.rules().allow(check, allowed, capability) {
                    is_bad = true;
                    found.capabilities.insert(capability);
                    let field = format!("securityContext.capabilities.add[{index}]");
                    found.fields.push(container.path(&field));
                }
            }
            if is_bad {
                found.containers.push(container);
            }
        }
        (!found.containers.is_empty()).then_some(found)
    }

    pub(super) fn detail(&self) -> String {
        format!(
            "{} must not include {} in securityContext.capabilities.add",
            wording::containers(&self.containers),
            wording::quoted(&self.capabilities),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, container, init, pod, server};
    use super::*;
    use crate::view::{Capabilities, SecurityContext};
    use rstest::rstest;

    fn adds<'a>(add: &[&'a str]) -> SecurityContext<'a> {
        let capabilities = Some(Capabilities {
            add: add.to_vec(),
            drop: Vec::new(),
        });
        SecurityContext {
            capabilities,
            ..SecurityContext::default()
        }
    }

    #[rstest]
    #[case(pod([container("a", SecurityContext::default()), container("b", adds(&[]))]), "", &[])]
    #[case(pod([container("a", adds(&ALLOWED))]), "", &[])]
    #[case(
        pod([container("a", adds(&["CHOWN", "NET_RAW"]))]),
        r#"non-default capabilities (container "a" must not include "NET_RAW" in securityContext.capabilities.add)"#,
        &["spec.containers[0].securityContext.capabilities.add[1]"]
    )]
    // Names are exact, sorted bytewise, and stand raw in the text.
    #[case(
        pod([
            init("i", adds(&["chown", "CAP_CHOWN", "ALL"])),
            container("ok", adds(&["KILL"])),
            container("a", adds(&["ALL", "a\"b"])),
        ]),
        "non-default capabilities (containers \"i\", \"a\" must not include \
         \"ALL\", \"CAP_CHOWN\", \"a\"b\", \"chown\" in securityContext.capabilities.add)",
        &[
            "spec.initContainers[0].securityContext.capabilities.add[0]",
            "spec.initContainers[0].securityContext.capabilities.add[1]",
            "spec.initContainers[0].securityContext.capabilities.add[2]",
            "spec.containers[1].securityContext.capabilities.add[0]",
            "spec.containers[1].securityContext.capabilities.add[1]",
        ]
    )]
    fn table(#[case] pod: Pod<'_>, #[case] expected: &str, #[case] fields: &[&str]) {
        check(&CHECK, server(36), 0, &pod, expected, fields);
    }
}

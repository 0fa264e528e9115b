//! Pods, and what is changed and left of them.

use rstest::rstest;

use super::*;
use crate::minor::Minor;
use crate::view::{Capabilities, Container, Role, SecurityContext};

fn container(role: Role, security_context: SecurityContext<'_>) -> Container<'_> {
    Container {
        role,
        name: "c",
        security_context,
        ..Container::default()
    }
}

/// A container that meets restricted where its pod says `runAsNonRoot` and a seccomp profile.
fn hardened<'a>() -> SecurityContext<'a> {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(capabilities(&[], &["ALL"])),
        ..SecurityContext::default()
    }
}

fn capabilities<'a>(add: &[&'a str], drop: &[&'a str]) -> Capabilities<'a> {
    Capabilities {
        add: add.to_vec(),
        drop: drop.to_vec(),
    }
}

fn pod<'a>(
    security_context: SecurityContext<'a>,
    containers: impl IntoIterator<Item = SecurityContext<'a>>,
) -> Pod<'a> {
    let roles = [Role::Init, Role::Regular, Role::Ephemeral];
    let containers = containers.into_iter().zip(roles);
    Pod {
        security_context,
        containers: containers
            .map(|(context, role)| container(role, context))
            .collect(),
        ..Pod::default()
    }
}

fn non_root<'a>(value: bool) -> SecurityContext<'a> {
    SecurityContext {
        run_as_non_root: Some(value),
        seccomp: Some("RuntimeDefault"),
        ..SecurityContext::default()
    }
}

/// `field=value`, `field+item`, and `!field` of what is left; without the paths' common parts.
fn told(remedy: &Remedy) -> Vec<String> {
    let short = |field: &str| {
        field
            .replace("spec.", "")
            .replace("securityContext.", "")
            .replace("ephemeralContainers", "ephemeral")
            .replace("initContainers", "init")
            .replace("containers[0]", "c")
    };
    let edits = remedy.edits.iter().map(|edit| {
        let change = match edit.operation {
            Operation::Set(Setting::Bool(value)) => format!("={value}"),
            Operation::Set(Setting::Text(value)) => format!("={value}"),
            Operation::Append(item) => format!("+{item}"),
        };
        format!("{}{change}", short(&edit.field))
    });
    let left = remedy
        .left
        .iter()
        .map(|left| format!("!{}", short(&left.field)));
    edits.chain(left).collect()
}

#[rstest]
#[case::nothing_to_do("restricted", pod(non_root(true), [hardened()]), &[])]
#[case::all_three_lists("restricted", pod(non_root(true), [SecurityContext::default(), hardened(), SecurityContext::default()]),
    &["init[0].allowPrivilegeEscalation=false", "ephemeral[0].allowPrivilegeEscalation=false",
      "init[0].capabilities.drop+ALL", "ephemeral[0].capabilities.drop+ALL"])]
#[case::baseline_demands_less("baseline", pod(SecurityContext::default(), [SecurityContext::default()]), &[])]
#[case::once_at_the_pod("restricted", pod(SecurityContext::default(), [hardened(), hardened()]),
    &["runAsNonRoot=true", "seccompProfile.type=RuntimeDefault"])]
#[case::false_where_it_stands("restricted",
    pod(SecurityContext { seccomp: Some("Localhost"), ..SecurityContext::default() },
        [hardened(), SecurityContext { run_as_non_root: Some(false), ..hardened() }]),
    &["runAsNonRoot=true", "c.runAsNonRoot=true"])]
// The pod's own word is not needed where every container has one, and is not touched.
#[case::containers_say_it("restricted",
    pod(SecurityContext::default(),
        [hardened(), hardened()].map(|it| SecurityContext { run_as_non_root: Some(true), seccomp: Some("Localhost"), ..it })),
    &[])]
#[case::false_at_the_pod("restricted",
    pod(non_root(false), [SecurityContext { run_as_non_root: Some(true), ..hardened() }]),
    &["runAsNonRoot=true"])]
#[case::unconfined("restricted",
    pod(SecurityContext { run_as_non_root: Some(true), ..SecurityContext::default() },
        [hardened(), SecurityContext { seccomp: Some("Unconfined"), ..hardened() }]),
    &["seccompProfile.type=RuntimeDefault", "c.seccompProfile.type=RuntimeDefault"])]
#[case::unconfined_at_baseline("baseline",
    pod(SecurityContext { seccomp: Some("Unconfined"), ..SecurityContext::default() }, [hardened()]),
    &["seccompProfile.type=RuntimeDefault"])]
#[case::drops_something("restricted",
    pod(non_root(true), [SecurityContext { capabilities: Some(capabilities(&["NET_BIND_SERVICE"], &["NET_RAW"])), ..hardened() }]),
    &["init[0].capabilities.drop+ALL"])]
#[case::misspelt("restricted",
    pod(non_root(true), [SecurityContext { capabilities: Some(capabilities(&[], &["MKNOD", "all"])), ..hardened() }]),
    &["init[0].capabilities.drop[1]=ALL"])]
#[case::adds("restricted",
    pod(non_root(true), [SecurityContext { capabilities: Some(capabilities(&["NET_BIND_SERVICE", "CHOWN"], &[])), ..hardened() }]),
    &["init[0].capabilities.drop+ALL", "!init[0].capabilities.add[1]"])]
#[case::adds_at_baseline("baseline",
    pod(non_root(true), [SecurityContext { capabilities: Some(capabilities(&["CHOWN", "NET_ADMIN"], &[])), ..hardened() }]),
    &["!init[0].capabilities.add[1]"])]
// A number is never made up, and none is taken away.
#[case::root("restricted",
    pod(SecurityContext { run_as_user: Some(0), ..non_root(true) }, [SecurityContext { run_as_user: Some(0), ..hardened() }, hardened()]),
    &["!runAsUser", "!init[0].runAsUser"])]
// Before v1.23 nothing is said against it, but runAsNonRoot would contradict it.
#[case::root_of_old_policies("restricted:v1.22",
    pod(SecurityContext { run_as_user: Some(0), seccomp: Some("RuntimeDefault"), ..SecurityContext::default() },
        [SecurityContext { run_as_user: Some(1), ..hardened() }, hardened()]),
    &["runAsNonRoot=true", "!runAsUser"])]
#[case::privileged("restricted",
    pod(non_root(true), [SecurityContext { privileged: Some(true), proc_mount: Some("Unmasked"), app_armor: Some("Unconfined"), ..hardened() }]),
    &["!init[0].appArmorProfile.type", "!init[0].privileged", "!init[0].procMount"])]
#[case::the_host("baseline",
    Pod { host_pid: true, sysctls: vec!["kernel.msgmax"], ..pod(SecurityContext::default(), []) },
    &["!hostPID", "!sysctls[0].name"])]
#[case::windows("restricted", Pod { os: Some("windows"), ..pod(SecurityContext::default(), [SecurityContext::default()]) },
    &["runAsNonRoot=true"])]
#[case::windows_and_old_policies("restricted:v1.24", Pod { os: Some("windows"), ..pod(SecurityContext::default(), [SecurityContext::default()]) },
    &["runAsNonRoot=true", "!init[0].allowPrivilegeEscalation", "!init[0].capabilities.drop", "!init[0].seccompProfile.type"])]
#[case::annotations("baseline:v1.18",
    Pod { annotations: vec![("seccomp.security.alpha.kubernetes.io/pod", "unconfined")], ..pod(SecurityContext::default(), []) },
    &["metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]=runtime/default"])]
fn is(#[case] policy: &str, #[case] pod: Pod<'_>, #[case] expected: &[&str]) {
    let policy = if policy.contains(':') {
        policy.to_owned()
    } else {
        format!("{policy}:latest")
    };
    let remedy = remedy(
        Server::new(Minor::known(36)),
        policy.parse().expect("a policy"),
        &pod,
    );
    assert_eq!(told(&remedy), expected);
}

/// Servers before 1.24 run the checks of baseline beside those of restricted: no field is told twice.
#[test]
fn every_field_is_told_once() {
    let context = SecurityContext {
        capabilities: Some(capabilities(&["NET_ADMIN"], &["ALL"])),
        seccomp: Some("Unconfined"),
        ..hardened()
    };
    let pod = pod(SecurityContext::default(), [context]);
    let policy = "restricted:latest".parse().expect("a policy");
    let remedy = remedy(Server::new(Minor::known(23)), policy, &pod);
    assert_eq!(
        told(&remedy),
        [
            "init[0].seccompProfile.type=RuntimeDefault",
            "runAsNonRoot=true",
            "!init[0].capabilities.add[0]"
        ]
    );
}

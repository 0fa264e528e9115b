//! Whole policies against whole pods.

use super::*;
use crate::minor::Minor;
use crate::text;
use crate::view::{Capabilities, Container, SecurityContext, Volume};
use rstest::rstest;

fn server(minor: u8) -> Server {
    Server::new(Minor::known(minor))
}

/// A pod that meets every policy.
fn hardened() -> Pod<'static> {
    let container = |name, role| Container {
        role,
        name,
        security_context: SecurityContext {
            privileged: Some(false),
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities {
                add: vec!["NET_BIND_SERVICE"],
                drop: vec!["ALL"],
            }),
            run_as_user: Some(1000),
            ..SecurityContext::default()
        },
        host_ports: vec![0],
        ..Container::default()
    };
    Pod {
        security_context: SecurityContext {
            run_as_non_root: Some(true),
            seccomp: Some("RuntimeDefault"),
            app_armor: Some("RuntimeDefault"),
            ..SecurityContext::default()
        },
        annotations: vec![(
            "container.apparmor.security.beta.kubernetes.io/c",
            "runtime/default",
        )],
        sysctls: vec!["net.ipv4.tcp_syncookies"],
        containers: vec![
            container("i", crate::view::Role::Init),
            container("c", crate::view::Role::Regular),
        ],
        volumes: vec![Volume {
            name: "v",
            source: Some("emptyDir"),
        }],
        ..Pod::default()
    }
}

#[test]
fn an_admitted_pod_allocates_nothing() {
    let pod = hardened();
    for minor in Minor::all() {
        for level in ["privileged", "baseline", "restricted"] {
            for version in ["v1.0", "v1.20", "v1.29", "latest"] {
                let policy: LevelVersion = format!("{level}:{version}").parse().unwrap();
                let allocations = allocation_counter::measure(|| {
                    assert_eq!(evaluate(Server::new(minor), policy, &pod), []);
                });
                assert_eq!(allocations.count_total, 0, "{minor} {policy}");
            }
        }
    }
}

// The texts of these two cases are recorded answers (1.23 and 1.29, pods.ndjson).
#[rstest]
#[case(
    23, "restricted:latest",
    r#"pods "p0" is forbidden: violates PodSecurity "restricted:latest": seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined"), allowPrivilegeEscalation != false (container "c0" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c0" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c0" must set securityContext.runAsNonRoot=true), runAsUser=0 (pod must not set runAsUser=0), seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")"#
)]
#[case(
    23, "baseline:v1.29",
    r#"pods "p0" is forbidden: violates PodSecurity "baseline:v1.29": seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")"#
)]
fn rejects_as_recorded(#[case] minor: u8, #[case] policy: LevelVersion, #[case] message: &str) {
    let pod = Pod {
        security_context: SecurityContext {
            seccomp: Some("Unconfined"),
            run_as_user: Some(0),
            ..SecurityContext::default()
        },
        containers: vec![Container {
            name: "c0",
            ..Container::default()
        }],
        ..Pod::default()
    };
    let violations = evaluate(server(minor), policy, &pod);
    let text = text::deny(server(minor), policy, &violations);
    assert_eq!(format!("pods \"p0\" is forbidden: {text}"), message);

    let ids: Vec<_> = violations
        .iter()
        .map(|violation| violation.check.id)
        .collect();
    assert_eq!(text::checks_in_message(server(minor), message), ids);
}

#[rstest]
#[case(
    36,
    "violates PodSecurity \"baseline:v1.99\": host namespaces (hostIPC=true), privileged (container \"c\" must not set securityContext.privileged=true)"
)]
#[case(
    22,
    "host namespaces (hostIPC=true), privileged (container \"c\" must not set securityContext.privileged=true)"
)]
fn words_verdicts(#[case] minor: u8, #[case] denied: &str) {
    let mut pod = hardened();
    pod.host_ipc = true;
    pod.containers[1].security_context.privileged = Some(true);
    let policy: LevelVersion = "baseline:v1.99".parse().unwrap();
    let server = server(minor);
    let violations = evaluate(server, policy, &pod);
    assert_eq!(text::deny(server, policy, &violations), denied);
    assert_eq!(text::reasons(&violations), "host namespaces, privileged");

    let detail = text::detail(&violations);
    let warned = text::warn(server, policy, &violations);
    let audited = text::audit(server, policy, &violations);
    if minor == 22 {
        let expected = "would violate \"v1.99\" version of \"baseline\" PodSecurity profile: ";
        assert_eq!(warned, format!("{expected}{detail}"));
        assert_eq!(audited, detail);
    } else {
        assert_eq!(
            warned,
            format!("would violate PodSecurity \"baseline:v1.99\": {detail}")
        );
        assert_eq!(audited, warned);
    }
}

#[rstest]
#[case(36, "privileged:latest")]
#[case(21, "restricted:latest")]
fn asks_nothing(#[case] minor: u8, #[case] policy: LevelVersion) {
    let pod = Pod {
        host_network: true,
        ..Pod::default()
    };
    assert_eq!(evaluate(server(minor), policy, &pod), []);
}

/// The revision is that of the clamped version: a newer label does not bring newer rules.
#[rstest]
#[case(26, "baseline:v1.27", 1)]
#[case(27, "baseline:v1.27", 0)]
#[case(27, "baseline:v1.26", 1)]
#[case(28, "baseline:latest", 0)]
fn clamps_versions(#[case] minor: u8, #[case] policy: LevelVersion, #[case] violations: usize) {
    let pod = Pod {
        sysctls: vec!["net.ipv4.ip_local_reserved_ports"],
        ..Pod::default()
    };
    assert_eq!(evaluate(server(minor), policy, &pod).len(), violations);
}

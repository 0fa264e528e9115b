//! Policies as wholes: the order of messages, broken policies, ephemeral containers.

use rstest::rstest;

use super::super::testing::{container, ephemeral, errors_on, init, options, pod, policy};
use super::super::{
    RuntimeClassOptions, SeLinuxOptions, SeLinuxStrategyOptions, SeccompProfile, VolumeSource,
    VolumeView,
};
use super::*;
use crate::minor::Minor;
use crate::view::Capabilities;

/// A policy that allows nothing, and a pod that offends it everywhere.
fn offended() -> (PodSecurityPolicy<'static>, PodView<'static>) {
    let policy = PodSecurityPolicy {
        name: "nothing",
        app_armor_allowed_profiles: Some("a"),
        se_linux: SeLinuxStrategyOptions {
            rule: "MustRunAs",
            options: Some(SeLinuxOptions {
                level: "s0",
                ..SeLinuxOptions::default()
            }),
        },
        volumes: Vec::new(),
        run_as_user: options("MustRunAs", &[(1, 1)]),
        run_as_group: Some(options("MustRunAs", &[(1, 1)])),
        supplemental_groups: options("MustRunAs", &[(1, 1)]),
        fs_group: options("MustRunAs", &[(1, 1)]),
        read_only_root_filesystem: true,
        allow_privilege_escalation: false,
        runtime_class: Some(RuntimeClassOptions::default()),
        ..policy()
    };
    let mut c = container("c");
    c.host_ports = vec![80];
    c.security_context.privileged = Some(true);
    c.security_context.proc_mount = Some("Unmasked");
    c.security_context.read_only_root_filesystem = Some(false);
    c.security_context.allow_privilege_escalation = Some(true);
    c.security_context.capabilities = Some(Capabilities {
        add: vec!["X"],
        drop: vec![],
    });
    let mut pod = pod([c]);
    pod.security_context = PodSecurityContext {
        fs_group: Some(0),
        supplemental_groups: Some(vec![0]),
        se_linux: Some(SeLinuxOptions::default()),
        seccomp: Some(SeccompProfile {
            kind: "Unconfined",
            localhost: None,
        }),
        run_as_user: Some(0),
        run_as_group: Some(0),
        run_as_non_root: None,
        sysctls: vec!["x"],
    };
    pod.host_network = true;
    pod.host_pid = true;
    pod.host_ipc = true;
    pod.runtime_class = Some("rc");
    pod.volumes = vec![VolumeView {
        name: "v",
        kind: "nfs",
        source: VolumeSource::Other,
    }];
    (policy, pod)
}

#[test]
fn messages_have_an_order() {
    let (policy, pod) = offended();
    let server = Server::new(Minor::known(23));
    let provider = Provider::new(&policy).expect("usable");
    let errors = provider.validate(server, &pod);
    let paths: Vec<_> = errors.iter().map(|error| &*error.path).collect();
    assert_eq!(
        paths,
        [
            "spec.securityContext.fsGroup",
            "spec.securityContext.supplementalGroups",
            "pod.metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]",
            "spec.securityContext.seLinuxOptions.level",
            "spec.securityContext.hostNetwork",
            "spec.securityContext.hostPID",
            "spec.securityContext.hostIPC",
            "pod.spec.securityContext.sysctls[0]",
            "spec.volumes[0]",
            "spec.runtimeClassName",
            "spec.containers[0].securityContext.runAsUser",
            "spec.containers[0].securityContext",
            "spec.containers[0].securityContext.seLinuxOptions.level",
            "pod.metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]",
            "pod.metadata.annotations[container.seccomp.security.alpha.kubernetes.io/c]",
            "spec.containers[0].securityContext.privileged",
            "spec.containers[0].securityContext.procMount",
            "spec.containers[0].securityContext.capabilities.add",
            "spec.containers[0].hostPort",
            "spec.containers[0].securityContext.readOnlyRootFilesystem",
            "spec.containers[0].securityContext.allowPrivilegeEscalation",
        ]
    );
}

#[test]
fn the_containers_come_in_the_order_of_the_lists() {
    let mut containers = [init("i"), container("c"), ephemeral("e")];
    for container in &mut containers {
        container.security_context.privileged = Some(true);
    }
    let pod = pod(containers);
    let path = |error: &String| error.split(':').next().map(str::to_owned);
    let paths = |minor| {
        let errors = errors_on(minor, &policy(), &pod);
        errors.iter().filter_map(path).collect::<Vec<_>>()
    };
    let all = [
        "spec.initContainers[0].securityContext.privileged",
        "spec.containers[0].securityContext.privileged",
        "spec.ephemeralContainers[0].securityContext.privileged",
    ];
    assert_eq!(paths(23), all);
    assert_eq!(paths(24), all);
    // Ephemeral containers are behind a gate until then, and dropped later.
    assert_eq!(paths(22), all[..2]);
    assert_eq!(paths(20), all[..2]);
}

#[test]
fn ephemeral_containers_are_filled_in_on_every_server() {
    let policy = PodSecurityPolicy {
        run_as_user: options("MustRunAs", &[(7, 7)]),
        ..policy()
    };
    let mut pod = pod([container("c"), ephemeral("e")]);
    let edits = Provider::new(&policy).expect("usable").mutate(&mut pod);
    let users: Vec<_> = edits
        .containers
        .iter()
        .map(|it| (it.role, it.run_as_user))
        .collect();
    assert_eq!(
        users,
        [(Role::Regular, Some(7)), (Role::Ephemeral, Some(7))]
    );
}

/// Two containers of one name, which validation refuses later: the first one's annotation is the
/// second one's, too.
#[test]
fn containers_of_one_name_share_a_profile() {
    let policy = PodSecurityPolicy {
        app_armor_default_profile: Some("a"),
        ..policy()
    };
    let mut pod = pod([init("c"), container("c")]);
    let edits = Provider::new(&policy).expect("usable").mutate(&mut pod);
    assert_eq!(edits.annotations.len(), 1);
}

#[rstest]
#[case(
    "MustRunAs",
    "",
    "MustRunAs",
    "MayRunAs",
    "[MustRunAs requires at least one range, MustRunAs requires SELinuxOptions, ranges must be supplied for MustRunAs, ranges must be supplied for MayRunAs]"
)]
#[case(
    "RunAsAny",
    "Nope",
    "RunAsAny",
    "RunAsAny",
    "[Unrecognized RunAsGroup strategy type Nope, MustRunAs requires SELinuxOptions]"
)]
fn broken_policies(
    #[case] user: &'static str,
    #[case] group: &'static str,
    #[case] fs_group: &'static str,
    #[case] supplemental_groups: &'static str,
    #[case] expected: &str,
) {
    let policy = PodSecurityPolicy {
        run_as_user: options(user, &[]),
        run_as_group: (!group.is_empty()).then(|| options(group, &[])),
        se_linux: SeLinuxStrategyOptions {
            rule: "MustRunAs",
            options: None,
        },
        fs_group: options(fs_group, &[]),
        supplemental_groups: options(supplemental_groups, &[]),
        ..policy()
    };
    let broken = Provider::new(&policy).expect_err("broken");
    assert_eq!(broken.to_string(), expected);
}

#[test]
fn one_reason_stands_alone() {
    let policy = PodSecurityPolicy {
        run_as_user: options("MustRunAs", &[]),
        ..policy()
    };
    let broken = Provider::new(&policy).expect_err("broken");
    assert_eq!(broken.to_string(), "MustRunAs requires at least one range");
}

//! What a server may mistake about `PodSecurityPolicy`: how it reads a policy, what it fills in, and
//! which of several policies a pod gets.
//!
//! Most mistakes are told as a policy that says something else than it does: a server that does not
//! look at `hostNetwork` judges as upstream does by a policy that allows it.

use crate::psp::{HostPortRange, IdRange, PodSecurityPolicy, StrategyOptions};

/// Reads a policy otherwise than it is written.
type Reading = for<'p> fn(&mut PodSecurityPolicy<'p>);

/// How a server treats policies.
#[derive(Clone, Copy, Default)]
pub(super) struct Policies {
    /// How it reads them; `None`: as they are written.
    pub(super) reading: Option<Reading>,
    /// A field that it does not fill in.
    pub(super) leaves_out: Option<Field>,
    /// How it chooses among them.
    pub(super) choice: Choice,
}

/// A field that policies fill in (`MutatePod`, `mutateContainer`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    SupplementalGroups,
    FsGroup,
    SeLinuxOptions,
    Seccomp,
    RuntimeClassName,
    AppArmor,
    RunAsUser,
    RunAsGroup,
    RunAsNonRoot,
    Capabilities,
    ReadOnlyRootFilesystem,
    AllowPrivilegeEscalation,
}

/// Which policy a pod gets (`computeSecurityContext` and `isAuthorizedForPolicy` of the plugin).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// Upstream's: of those that its service account or the requester may use the first by name
    /// that changes nothing, else the first that allows it; and updates are judged, too.
    #[default]
    Upstream,
    /// The first by name that allows it, whether it changes something or not.
    FirstByName,
    /// As upstream, in the reverse order of names.
    LastByName,
    /// Whether somebody may use it is not asked.
    UsableByAll,
    /// Only the rights of the requester count.
    UsableByRequester,
    /// Only the rights of the pod's service account count.
    UsableByServiceAccount,
    /// Updates are not judged.
    UpdatesPass,
}

const CHOICES: [(&str, Choice); 6] = [
    (
        "the first by name is taken, though it changes the pod",
        Choice::FirstByName,
    ),
    ("the last by name is taken", Choice::LastByName),
    ("everybody may use every one", Choice::UsableByAll),
    (
        "the rights of service accounts do not count",
        Choice::UsableByRequester,
    ),
    (
        "the rights of requesters do not count",
        Choice::UsableByServiceAccount,
    ),
    ("updates are not judged", Choice::UpdatesPass),
];

const FIELDS: [(&str, Field); 12] = [
    ("supplementalGroups", Field::SupplementalGroups),
    ("fsGroup", Field::FsGroup),
    ("seLinux", Field::SeLinuxOptions),
    ("seccomp", Field::Seccomp),
    ("runtimeClass", Field::RuntimeClassName),
    ("AppArmor", Field::AppArmor),
    ("runAsUser", Field::RunAsUser),
    ("runAsGroup", Field::RunAsGroup),
    ("runAsUser (runAsNonRoot)", Field::RunAsNonRoot),
    ("capabilities", Field::Capabilities),
    ("readOnlyRootFilesystem", Field::ReadOnlyRootFilesystem),
    ("allowPrivilegeEscalation", Field::AllowPrivilegeEscalation),
];

/// Readings, each with the field of the policy and what a server takes it for.
const READINGS: &[(&str, &str, Reading)] = &[
    ("privileged", "allowed", |p| p.privileged = true),
    ("privileged", "refused", |p| p.privileged = false),
    ("hostNetwork", "allowed", |p| p.host_network = true),
    ("hostNetwork", "refused", |p| p.host_network = false),
    ("hostPID", "allowed", |p| p.host_pid = true),
    ("hostPID", "refused", |p| p.host_pid = false),
    ("hostIPC", "allowed", |p| p.host_ipc = true),
    ("hostIPC", "refused", |p| p.host_ipc = false),
    ("hostPorts", "dropped", |p| {
        p.host_ports = vec![HostPortRange { min: 0, max: 65535 }];
    }),
    ("hostPorts", "none allowed", |p| p.host_ports.clear()),
    ("hostPorts", "only the first range", |p| {
        p.host_ports.truncate(1);
    }),
    ("hostPorts", "ends are not in a range", |p| {
        p.host_ports.iter_mut().for_each(|it| it.max -= 1);
    }),
    ("hostPorts", "one behind a range is allowed", |p| {
        p.host_ports.iter_mut().for_each(|it| it.max += 1);
    }),
    ("hostPorts", "one before a range is allowed", |p| {
        p.host_ports.iter_mut().for_each(|it| it.min -= 1);
    }),
    ("volumes", "dropped", |p| p.volumes = vec!["*"]),
    ("volumes", "the star is no type", |p| {
        p.volumes.retain(|it| *it != "*");
    }),
    ("volumes", "allows hostPath", |p| p.volumes.push("hostPath")),
    ("volumes", "allows secrets with projected", |p| {
        if p.volumes.contains(&"projected") {
            p.volumes.push("secret");
        }
    }),
    ("allowedHostPaths", "dropped", |p| {
        p.allowed_host_paths.clear();
    }),
    ("allowedHostPaths", "readOnly is not looked at", |p| {
        p.allowed_host_paths
            .iter_mut()
            .for_each(|it| it.read_only = false);
    }),
    ("allowedHostPaths", "only the first", |p| {
        p.allowed_host_paths.truncate(1);
    }),
    ("allowedFlexVolumes", "dropped", |p| {
        p.allowed_flex_volumes.clear();
    }),
    ("allowedCSIDrivers", "dropped", |p| {
        p.allowed_csi_drivers.clear();
    }),
    ("forbiddenSysctls", "dropped", |p| {
        p.forbidden_sysctls.clear();
    }),
    ("forbiddenSysctls", "all of them", |p| {
        p.forbidden_sysctls.push("*");
    }),
    ("allowedUnsafeSysctls", "dropped", |p| {
        p.allowed_unsafe_sysctls.push("*");
    }),
    ("allowedUnsafeSysctls", "none", |p| {
        p.allowed_unsafe_sysctls.clear();
    }),
    ("allowedProcMountTypes", "allows Unmasked", |p| {
        p.allowed_proc_mount_types.push("Unmasked");
    }),
    ("allowedProcMountTypes", "Default alone", |p| {
        p.allowed_proc_mount_types.clear();
    }),
    ("allowedCapabilities", "dropped", |p| {
        p.allowed_capabilities.push("*");
    }),
    ("allowedCapabilities", "none allowed", |p| {
        p.allowed_capabilities.clear();
    }),
    ("allowedCapabilities", "the star is no capability", |p| {
        p.allowed_capabilities.retain(|it| *it != "*");
    }),
    ("allowedCapabilities", "only the first", |p| {
        p.allowed_capabilities.truncate(1);
    }),
    ("defaultAddCapabilities", "dropped", |p| {
        p.default_add_capabilities.clear();
    }),
    ("requiredDropCapabilities", "dropped", |p| {
        p.required_drop_capabilities.clear();
    }),
    ("allowPrivilegeEscalation", "allowed", |p| {
        p.allow_privilege_escalation = true;
    }),
    ("allowPrivilegeEscalation", "refused", |p| {
        p.allow_privilege_escalation = false;
    }),
    ("defaultAllowPrivilegeEscalation", "dropped", |p| {
        p.default_allow_privilege_escalation = None;
    }),
    ("readOnlyRootFilesystem", "dropped", |p| {
        p.read_only_root_filesystem = false;
    }),
    ("readOnlyRootFilesystem", "always", |p| {
        p.read_only_root_filesystem = true;
    }),
    ("seLinux", "dropped", |p| p.se_linux.rule = "RunAsAny"),
    ("seccomp", "every profile allowed", |p| {
        p.seccomp_allowed_profiles = Some("*");
    }),
    ("seccomp", "no profile allowed", |p| {
        p.seccomp_allowed_profiles = None;
    }),
    ("seccomp", "without a default", |p| {
        p.seccomp_default_profile = None;
    }),
    ("AppArmor", "every profile allowed", |p| {
        p.app_armor_allowed_profiles = None;
    }),
    ("AppArmor", "without a default", |p| {
        p.app_armor_default_profile = None;
    }),
    ("runtimeClass", "dropped", |p| p.runtime_class = None),
    ("runtimeClass", "every class allowed", |p| {
        p.runtime_class
            .iter_mut()
            .for_each(|it| it.allowed = vec!["*"]);
    }),
    ("runtimeClass", "no class allowed", |p| {
        p.runtime_class.iter_mut().for_each(|it| it.allowed.clear());
    }),
    ("runtimeClass", "without a default", |p| {
        p.runtime_class.iter_mut().for_each(|it| it.default = None);
    }),
    ("runAsUser", "dropped", |p| p.run_as_user.rule = "RunAsAny"),
    ("runAsUser", "MustRunAsNonRoot is not known", |p| {
        if p.run_as_user.rule == "MustRunAsNonRoot" {
            p.run_as_user.rule = "RunAsAny";
        }
    }),
    ("runAsUser", "only the first range", |p| {
        p.run_as_user.ranges.truncate(1);
    }),
    ("runAsUser", "the first of a range is refused", |p| {
        first_refused(&mut p.run_as_user);
    }),
    ("runAsUser", "the last of a range is refused", |p| {
        last_refused(&mut p.run_as_user);
    }),
    ("runAsUser", "one behind a range is allowed", |p| {
        one_more(&mut p.run_as_user);
    }),
    ("runAsGroup", "dropped", |p| p.run_as_group = None),
    ("runAsGroup", "MayRunAs means MustRunAs", |p| {
        p.run_as_group.iter_mut().for_each(may_is_must);
    }),
    ("runAsGroup", "MustRunAs means MayRunAs", |p| {
        p.run_as_group.iter_mut().for_each(must_is_may);
    }),
    ("runAsGroup", "only the first range", |p| {
        p.run_as_group
            .iter_mut()
            .for_each(|it| it.ranges.truncate(1));
    }),
    ("runAsGroup", "the first of a range is refused", |p| {
        p.run_as_group.iter_mut().for_each(first_refused);
    }),
    ("runAsGroup", "the last of a range is refused", |p| {
        p.run_as_group.iter_mut().for_each(last_refused);
    }),
    ("runAsGroup", "one behind a range is allowed", |p| {
        p.run_as_group.iter_mut().for_each(one_more);
    }),
    ("supplementalGroups", "dropped", |p| {
        p.supplemental_groups.rule = "RunAsAny";
    }),
    ("supplementalGroups", "MayRunAs means MustRunAs", |p| {
        may_is_must(&mut p.supplemental_groups);
    }),
    ("supplementalGroups", "MustRunAs means MayRunAs", |p| {
        must_is_may(&mut p.supplemental_groups);
    }),
    ("supplementalGroups", "only the first range", |p| {
        p.supplemental_groups.ranges.truncate(1);
    }),
    (
        "supplementalGroups",
        "the first of a range is refused",
        |p| first_refused(&mut p.supplemental_groups),
    ),
    (
        "supplementalGroups",
        "the last of a range is refused",
        |p| last_refused(&mut p.supplemental_groups),
    ),
    ("supplementalGroups", "one behind a range is allowed", |p| {
        one_more(&mut p.supplemental_groups);
    }),
    ("fsGroup", "dropped", |p| p.fs_group.rule = "RunAsAny"),
    ("fsGroup", "MayRunAs means MustRunAs", |p| {
        may_is_must(&mut p.fs_group);
    }),
    ("fsGroup", "MustRunAs means MayRunAs", |p| {
        must_is_may(&mut p.fs_group);
    }),
    ("fsGroup", "only the first range", |p| {
        p.fs_group.ranges.truncate(1);
    }),
    ("fsGroup", "the first of a range is refused", |p| {
        first_refused(&mut p.fs_group);
    }),
    ("fsGroup", "the last of a range is refused", |p| {
        last_refused(&mut p.fs_group);
    }),
    ("fsGroup", "one behind a range is allowed", |p| {
        one_more(&mut p.fs_group);
    }),
];

fn may_is_must(options: &mut StrategyOptions<'_>) {
    if options.rule == "MayRunAs" {
        options.rule = "MustRunAs";
    }
}

fn must_is_may(options: &mut StrategyOptions<'_>) {
    if options.rule == "MustRunAs" {
        options.rule = "MayRunAs";
    }
}

fn change(options: &mut StrategyOptions<'_>, change: fn(&mut IdRange)) {
    options.ranges.iter_mut().for_each(change);
}

fn first_refused(options: &mut StrategyOptions<'_>) {
    change(options, |range| range.min += 1);
}

fn last_refused(options: &mut StrategyOptions<'_>) {
    change(options, |range| range.max -= 1);
}

fn one_more(options: &mut StrategyOptions<'_>) {
    change(options, |range| range.max += 1);
}

/// Every mistake, with its name: `hostNetwork of policies: allowed`.
pub(super) fn mistakes() -> Vec<(String, Policies)> {
    let readings = READINGS.iter().map(|(field, what, reading)| {
        let policies = Policies {
            reading: Some(*reading),
            ..Policies::default()
        };
        (format!("{field} of policies: {what}"), policies)
    });
    let left_out = FIELDS.iter().map(|(field, left_out)| {
        let policies = Policies {
            leaves_out: Some(*left_out),
            ..Policies::default()
        };
        (format!("{field} of policies: not filled in"), policies)
    });
    let choices = CHOICES.iter().map(|(what, choice)| {
        let policies = Policies {
            choice: *choice,
            ..Policies::default()
        };
        (format!("choice of policies: {what}"), policies)
    });
    readings.chain(left_out).chain(choices).collect()
}

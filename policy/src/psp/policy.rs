//! The policy as it is stored, after its own defaults, borrowed from whoever holds it.
//!
//! Upstream: `PodSecurityPolicySpec` in `k8s.io/api/policy/v1beta1/types.go`, and the four
//! annotations of a policy about seccomp and `AppArmor`.

use std::fmt;

use super::SeLinuxOptions;

/// A `PodSecurityPolicy`. Absent lists are empty ones, but for the annotations, which tell an
/// empty text from none.
#[expect(
    clippy::struct_excessive_bools,
    reason = "the fields are the API's, one by one"
)]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodSecurityPolicy<'p> {
    /// `metadata.name`
    pub name: &'p str,
    /// The annotation `seccomp.security.alpha.kubernetes.io/defaultProfileName`
    pub seccomp_default_profile: Option<&'p str>,
    /// The annotation `seccomp.security.alpha.kubernetes.io/allowedProfileNames`
    pub seccomp_allowed_profiles: Option<&'p str>,
    /// The annotation `apparmor.security.beta.kubernetes.io/defaultProfileName`
    pub app_armor_default_profile: Option<&'p str>,
    /// The annotation `apparmor.security.beta.kubernetes.io/allowedProfileNames`
    pub app_armor_allowed_profiles: Option<&'p str>,
    /// `spec.privileged`
    pub privileged: bool,
    /// `spec.defaultAddCapabilities`
    pub default_add_capabilities: Vec<&'p str>,
    /// `spec.requiredDropCapabilities`
    pub required_drop_capabilities: Vec<&'p str>,
    /// `spec.allowedCapabilities`
    pub allowed_capabilities: Vec<&'p str>,
    /// `spec.volumes`
    pub volumes: Vec<&'p str>,
    /// `spec.hostNetwork`
    pub host_network: bool,
    /// `spec.hostPorts`
    pub host_ports: Vec<HostPortRange>,
    /// `spec.hostPID`
    pub host_pid: bool,
    /// `spec.hostIPC`
    pub host_ipc: bool,
    /// `spec.seLinux`
    pub se_linux: SeLinuxStrategyOptions<'p>,
    /// `spec.runAsUser`
    pub run_as_user: StrategyOptions<'p>,
    /// `spec.runAsGroup`; absent is the same as `RunAsAny`
    pub run_as_group: Option<StrategyOptions<'p>>,
    /// `spec.supplementalGroups`
    pub supplemental_groups: StrategyOptions<'p>,
    /// `spec.fsGroup`
    pub fs_group: StrategyOptions<'p>,
    /// `spec.readOnlyRootFilesystem`
    pub read_only_root_filesystem: bool,
    /// `spec.defaultAllowPrivilegeEscalation`
    pub default_allow_privilege_escalation: Option<bool>,
    /// `spec.allowPrivilegeEscalation`, which is true where nothing is said
    pub allow_privilege_escalation: bool,
    /// `spec.allowedHostPaths`
    pub allowed_host_paths: Vec<AllowedHostPath<'p>>,
    /// `spec.allowedFlexVolumes[*].driver`
    pub allowed_flex_volumes: Vec<&'p str>,
    /// `spec.allowedCSIDrivers[*].name`
    pub allowed_csi_drivers: Vec<&'p str>,
    /// `spec.allowedUnsafeSysctls`
    pub allowed_unsafe_sysctls: Vec<&'p str>,
    /// `spec.forbiddenSysctls`
    pub forbidden_sysctls: Vec<&'p str>,
    /// `spec.allowedProcMountTypes`
    pub allowed_proc_mount_types: Vec<&'p str>,
    /// `spec.runtimeClass`
    pub runtime_class: Option<RuntimeClassOptions<'p>>,
}

impl PodSecurityPolicy<'_> {
    /// The least that a policy has to say, with its defaults: any user, any groups, any SELinux
    /// context, and nothing else allowed.
    #[must_use]
    pub fn run_as_any() -> Self {
        let any = || StrategyOptions {
            rule: "RunAsAny",
            ranges: Vec::new(),
        };
        Self {
            se_linux: SeLinuxStrategyOptions {
                rule: "RunAsAny",
                options: None,
            },
            run_as_user: any(),
            supplemental_groups: any(),
            fs_group: any(),
            allow_privilege_escalation: true,
            ..Self::default()
        }
    }
}

/// A rule about users or groups, with the ranges that it allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StrategyOptions<'p> {
    /// `rule`: `MustRunAs`, `RunAsAny`, for groups `MayRunAs`, for users `MustRunAsNonRoot`
    pub rule: &'p str,
    /// `ranges`
    pub ranges: Vec<IdRange>,
}

/// `spec.seLinux`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeLinuxStrategyOptions<'p> {
    /// `rule`: `MustRunAs` or `RunAsAny`
    pub rule: &'p str,
    /// `seLinuxOptions`
    pub options: Option<SeLinuxOptions<'p>>,
}

/// A range of user or group ids, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdRange {
    /// `min`
    pub min: i64,
    /// `max`
    pub max: i64,
}

impl IdRange {
    pub(super) const fn contains(self, id: i64) -> bool {
        self.min <= id && id <= self.max
    }
}

impl fmt::Display for IdRange {
    /// As Go prints the struct with `%v`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{} {}}}", self.min, self.max)
    }
}

/// A range of host ports, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPortRange {
    /// `min`
    pub min: i64,
    /// `max`
    pub max: i64,
}

/// An item of `spec.allowedHostPaths`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllowedHostPath<'p> {
    /// `pathPrefix`
    pub path_prefix: &'p str,
    /// `readOnly`
    pub read_only: bool,
}

/// `spec.runtimeClass`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuntimeClassOptions<'p> {
    /// `allowedRuntimeClassNames`
    pub allowed: Vec<&'p str>,
    /// `defaultRuntimeClassName`
    pub default: Option<&'p str>,
}

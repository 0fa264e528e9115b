//! The view of a pod that policies read, and that their edits are made to.
//!
//! It holds what the policy's strategies look at, borrowed from whoever holds the pod. A field that
//! upstream has as a pointer is an `Option`: absent is not the same as empty.

use std::borrow::Cow;

use crate::view::{Capabilities, Role};

/// A pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodView<'v> {
    /// The annotations about seccomp and `AppArmor`: those whose keys start with one of
    /// [`crate::view::ANNOTATION_PREFIXES`], in any order.
    pub annotations: Vec<(Cow<'v, str>, Cow<'v, str>)>,
    /// `spec.hostNetwork`
    pub host_network: bool,
    /// `spec.hostPID`
    pub host_pid: bool,
    /// `spec.hostIPC`
    pub host_ipc: bool,
    /// `spec.runtimeClassName`
    pub runtime_class: Option<&'v str>,
    /// `spec.securityContext`; absent is the same as empty
    pub security_context: PodSecurityContext<'v>,
    /// All containers in the order in which upstream visits them: init, regular, ephemeral.
    pub containers: Vec<ContainerView<'v>>,
    /// `spec.volumes`, in order
    pub volumes: Vec<VolumeView<'v>>,
}

impl<'v> PodView<'v> {
    /// The annotation `key`.
    pub(super) fn annotation(&self, key: &str) -> Option<&Cow<'v, str>> {
        let found = self.annotations.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value)
    }

    pub(super) fn set_annotation(&mut self, key: Cow<'v, str>, value: Cow<'v, str>) {
        match self.annotations.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => *old = value,
            None => self.annotations.push((key, value)),
        }
    }
}

/// `spec.securityContext`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodSecurityContext<'v> {
    /// `fsGroup`
    pub fs_group: Option<i64>,
    /// `supplementalGroups`: an empty list is not the same as none
    pub supplemental_groups: Option<Vec<i64>>,
    /// `seLinuxOptions`
    pub se_linux: Option<SeLinuxOptions<'v>>,
    /// `seccompProfile`
    pub seccomp: Option<SeccompProfile<'v>>,
    /// `runAsUser`
    pub run_as_user: Option<i64>,
    /// `runAsGroup`
    pub run_as_group: Option<i64>,
    /// `runAsNonRoot`
    pub run_as_non_root: Option<bool>,
    /// `sysctls[*].name`, in order
    pub sysctls: Vec<&'v str>,
}

/// A container.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerView<'v> {
    /// The list that it stands in.
    pub role: Role,
    /// Its index in that list.
    pub index: usize,
    /// `name`
    pub name: &'v str,
    /// `securityContext`; absent is the same as empty
    pub security_context: ContainerSecurityContext<'v>,
    /// `ports[*].hostPort`; zero where unset
    pub host_ports: Vec<i64>,
    /// `volumeMounts`
    pub volume_mounts: Vec<VolumeMount<'v>>,
}

impl ContainerView<'_> {
    /// The path of a field of the container inside the pod, like
    /// `spec.containers[1].securityContext.privileged`.
    #[must_use]
    pub fn path(&self, field: &str) -> String {
        format!("spec.{}[{}].{field}", self.role.field(), self.index)
    }
}

/// `securityContext` of a container.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerSecurityContext<'v> {
    /// `capabilities`
    pub capabilities: Option<Capabilities<'v>>,
    /// `privileged`
    pub privileged: Option<bool>,
    /// `procMount`
    pub proc_mount: Option<&'v str>,
    /// `seLinuxOptions`
    pub se_linux: Option<SeLinuxOptions<'v>>,
    /// `seccompProfile`
    pub seccomp: Option<SeccompProfile<'v>>,
    /// `runAsUser`
    pub run_as_user: Option<i64>,
    /// `runAsGroup`
    pub run_as_group: Option<i64>,
    /// `runAsNonRoot`
    pub run_as_non_root: Option<bool>,
    /// `readOnlyRootFilesystem`
    pub read_only_root_filesystem: Option<bool>,
    /// `allowPrivilegeEscalation`
    pub allow_privilege_escalation: Option<bool>,
}

/// `seLinuxOptions`; absent texts are empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeLinuxOptions<'v> {
    /// `level`
    pub level: &'v str,
    /// `role`
    pub role: &'v str,
    /// `type`
    pub kind: &'v str,
    /// `user`
    pub user: &'v str,
}

/// `seccompProfile`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeccompProfile<'v> {
    /// `type`
    pub kind: &'v str,
    /// `localhostProfile`
    pub localhost: Option<&'v str>,
}

/// An item of `volumeMounts`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VolumeMount<'v> {
    /// `name`
    pub name: &'v str,
    /// `readOnly`
    pub read_only: bool,
}

/// A volume.
#[derive(Clone, Debug, PartialEq)]
pub struct VolumeView<'v> {
    /// `name`
    pub name: &'v str,
    /// Its type as policies name it, the first of [`super::VOLUME_TYPES`] where it has several
    /// sources. It always has one: a volume without a source is given an `emptyDir` before policies
    /// see it.
    pub kind: &'static str,
    /// What policies look at in that source.
    pub source: VolumeSource<'v>,
}

/// What policies look at in a volume's source.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum VolumeSource<'v> {
    /// `hostPath`: its path
    HostPath(&'v str),
    /// `flexVolume`: its driver
    FlexVolume(&'v str),
    /// `csi`: its driver
    Csi(&'v str),
    /// `projected`: its sources
    Projected(Vec<ProjectedSource<'v>>),
    /// Any other, of which only the type matters.
    #[default]
    Other,
}

/// A source of a projected volume; what is absent is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProjectedSource<'v> {
    /// `serviceAccountToken`: path and audience
    pub token: Option<(&'v str, &'v str)>,
    /// `configMap`: its name
    pub config_map: Option<&'v str>,
    /// `downwardAPI`: its items
    pub downward_api: Option<Vec<DownwardItem<'v>>>,
}

/// An item of a projected volume's `downwardAPI`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DownwardItem<'v> {
    /// `path`
    pub path: &'v str,
    /// `fieldRef`: `apiVersion` and `fieldPath`
    pub field_ref: Option<(&'v str, &'v str)>,
}

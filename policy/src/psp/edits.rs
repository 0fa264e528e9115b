//! What a policy fills into a pod.
//!
//! Upstream mutates a copy of the pod and compares it with the pod; here the edits are recorded,
//! and none means that the policy changes nothing. That is the same: every edit puts a value where
//! there was none, or makes a list longer.

use std::borrow::Cow;

use crate::view::{Capabilities, Role};

use super::view::SeLinuxOptions;

/// The edits of one policy to one pod. What is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edits<'v> {
    /// `metadata.annotations`, in the order in which they are set
    pub annotations: Vec<(Cow<'v, str>, Cow<'v, str>)>,
    /// `spec.securityContext.supplementalGroups` becomes this one group
    pub supplemental_group: Option<i64>,
    /// `spec.securityContext.fsGroup`
    pub fs_group: Option<i64>,
    /// `spec.securityContext.seLinuxOptions`
    pub se_linux: Option<SeLinuxOptions<'v>>,
    /// `spec.runtimeClassName`
    pub runtime_class: Option<&'v str>,
    /// The containers that are changed, in the order of the view.
    pub containers: Vec<ContainerEdits<'v>>,
}

/// The edits to one container's `securityContext`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerEdits<'v> {
    /// The list that the container stands in.
    pub role: Role,
    /// Its index in that list.
    pub index: usize,
    /// `runAsUser`
    pub run_as_user: Option<i64>,
    /// `runAsGroup`
    pub run_as_group: Option<i64>,
    /// `runAsNonRoot`
    pub run_as_non_root: Option<bool>,
    /// `capabilities`, both lists
    pub capabilities: Option<Capabilities<'v>>,
    /// `readOnlyRootFilesystem`
    pub read_only_root_filesystem: Option<bool>,
    /// `allowPrivilegeEscalation`
    pub allow_privilege_escalation: Option<bool>,
}

impl Edits<'_> {
    /// Whether the policy leaves the pod as it is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Edits::default()
    }

    /// The fields that are set, as paths in the pod, in the order in which they are set.
    #[must_use]
    pub fn fields(&self) -> Vec<String> {
        let mut fields = Vec::new();
        let mut field = |is_set: bool, path: &str| {
            if is_set {
                fields.push(path.to_owned());
            }
        };
        field(
            self.supplemental_group.is_some(),
            "spec.securityContext.supplementalGroups",
        );
        field(self.fs_group.is_some(), "spec.securityContext.fsGroup");
        field(
            self.se_linux.is_some(),
            "spec.securityContext.seLinuxOptions",
        );
        field(self.runtime_class.is_some(), "spec.runtimeClassName");
        for (key, _) in &self.annotations {
            fields.push(format!("metadata.annotations[{key}]"));
        }
        for container in &self.containers {
            for (is_set, name) in [
                (container.run_as_user.is_some(), "runAsUser"),
                (container.run_as_group.is_some(), "runAsGroup"),
                (container.run_as_non_root.is_some(), "runAsNonRoot"),
                (container.capabilities.is_some(), "capabilities"),
                (
                    container.read_only_root_filesystem.is_some(),
                    "readOnlyRootFilesystem",
                ),
                (
                    container.allow_privilege_escalation.is_some(),
                    "allowPrivilegeEscalation",
                ),
            ] {
                if is_set {
                    let list = container.role.field();
                    let index = container.index;
                    fields.push(format!("spec.{list}[{index}].securityContext.{name}"));
                }
            }
        }
        fields
    }
}

impl ContainerEdits<'_> {
    /// Whether the container stays as it is.
    pub(super) fn is_empty(&self) -> bool {
        let untouched = ContainerEdits {
            role: self.role,
            index: self.index,
            ..ContainerEdits::default()
        };
        *self == untouched
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_paths_in_the_pod() {
        let edits = Edits {
            annotations: vec![("a/b".into(), "x".into())],
            supplemental_group: Some(1),
            fs_group: Some(1),
            se_linux: Some(SeLinuxOptions::default()),
            runtime_class: Some("rc"),
            containers: vec![ContainerEdits {
                role: Role::Init,
                index: 1,
                run_as_user: Some(1),
                run_as_group: Some(1),
                run_as_non_root: Some(true),
                capabilities: Some(Capabilities::default()),
                read_only_root_filesystem: Some(true),
                allow_privilege_escalation: Some(false),
            }],
        };
        assert_eq!(
            edits.fields(),
            [
                "spec.securityContext.supplementalGroups",
                "spec.securityContext.fsGroup",
                "spec.securityContext.seLinuxOptions",
                "spec.runtimeClassName",
                "metadata.annotations[a/b]",
                "spec.initContainers[1].securityContext.runAsUser",
                "spec.initContainers[1].securityContext.runAsGroup",
                "spec.initContainers[1].securityContext.runAsNonRoot",
                "spec.initContainers[1].securityContext.capabilities",
                "spec.initContainers[1].securityContext.readOnlyRootFilesystem",
                "spec.initContainers[1].securityContext.allowPrivilegeEscalation",
            ]
        );
        assert!(!edits.is_empty());
        assert!(Edits::default().is_empty() && Edits::default().fields().is_empty());
    }
}

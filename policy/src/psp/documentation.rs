//! What a person should know of each field of a policy: what it demands of pods, what it fills into
//! them, and what takes its place in the Pod Security Standards, which fill in nothing.
//!
//! Upstream: the page of Kubernetes' documentation that maps the one to the other. What a field does
//! stands with its source in the file of its strategy.

/// What a person should know of a field of a policy, or of annotations of it.
#[derive(Debug)]
pub struct Documentation {
    /// Its name: `hostPorts`.
    pub id: &'static str,
    /// Where it stands in a policy, as [`FieldError::policy_field`](super::FieldError) has it.
    pub paths: &'static [&'static str],
    /// The rule in a few words.
    pub title: &'static str,
    /// What it demands, and what a policy says that leaves it out.
    pub rule: &'static str,
    /// What it writes into a pod; `None` where it only judges.
    pub fills_in: Option<&'static str>,
    /// The checks of Pod Security that take its place.
    pub checks: &'static [&'static str],
    /// What remains of it under the Pod Security Standards.
    pub counterpart: &'static str,
}

impl Documentation {
    /// That of the field that an error about a pod names.
    #[must_use]
    pub fn at(path: &str) -> Option<&'static Self> {
        DOCUMENTATION
            .iter()
            .find(|field| field.paths.contains(&path))
    }
}

/// Every field, in the order of the API.
pub static DOCUMENTATION: [Documentation; 26] = [
    Documentation {
        id: "privileged",
        paths: &["spec.privileged"],
        title: "privileged containers",
        rule: "Containers may be privileged if it is true. Left out, they may not.",
        fills_in: None,
        checks: &["privileged"],
        counterpart: "Baseline and restricted refuse privileged containers.",
    },
    Documentation {
        id: "defaultAddCapabilities",
        paths: &["spec.defaultAddCapabilities"],
        title: "capabilities that are added",
        rule: "These capabilities may be added, and are added to each container that does not drop them.",
        fills_in: Some("capabilities.add of each container"),
        checks: &[],
        counterpart: "None: Pod Security adds nothing. Write the capabilities into the pod.",
    },
    Documentation {
        id: "requiredDropCapabilities",
        paths: &["spec.requiredDropCapabilities"],
        title: "capabilities that are dropped",
        rule: "Each container has to drop these capabilities, and may not add them.",
        fills_in: Some("capabilities.drop of each container"),
        checks: &["capabilities_restricted"],
        counterpart: "Restricted asks for drop: [ALL], which the pod has to say itself.",
    },
    Documentation {
        id: "allowedCapabilities",
        paths: &["spec.allowedCapabilities"],
        title: "capabilities that may be added",
        rule: "Containers may add these capabilities beside those of defaultAddCapabilities; * allows all, whatever is to be dropped. Left out, nothing may be added.",
        fills_in: None,
        checks: &["capabilities_baseline", "capabilities_restricted"],
        counterpart: "The list is fixed: baseline allows what container runtimes grant anyway, restricted NET_BIND_SERVICE.",
    },
    Documentation {
        id: "volumes",
        paths: &["spec.volumes"],
        title: "types of volumes",
        rule: "Pods may have volumes of these types; * allows all. An empty list allows none, and the token of the service account is one: a secret in 1.20, projected from 1.21 on, where secret covers it, too.",
        fills_in: None,
        checks: &["restrictedVolumes", "hostPathVolumes"],
        counterpart: "The list is fixed: restricted allows configMap, csi, downwardAPI, emptyDir, ephemeral, persistentVolumeClaim, projected and secret; baseline all but hostPath.",
    },
    Documentation {
        id: "hostNetwork",
        paths: &["spec.hostNetwork"],
        title: "the network of the host",
        rule: "Pods may use the network of their node if it is true. Their containerPorts are hostPorts then, which hostPorts has to allow as well.",
        fills_in: None,
        checks: &["hostNamespaces"],
        counterpart: "Baseline and restricted refuse it.",
    },
    Documentation {
        id: "hostPorts",
        paths: &["spec.hostPorts"],
        title: "ports of the host",
        rule: "Containers may use the ports of the node in these ranges. Left out, none.",
        fills_in: None,
        checks: &["hostPorts"],
        counterpart: "Baseline and restricted refuse every hostPort; there are no ranges.",
    },
    Documentation {
        id: "hostPID",
        paths: &["spec.hostPID"],
        title: "the processes of the host",
        rule: "Pods may see the processes of their node if it is true.",
        fills_in: None,
        checks: &["hostNamespaces"],
        counterpart: "Baseline and restricted refuse it.",
    },
    Documentation {
        id: "hostIPC",
        paths: &["spec.hostIPC"],
        title: "the shared memory of the host",
        rule: "Pods may use the IPC namespace of their node if it is true.",
        fills_in: None,
        checks: &["hostNamespaces"],
        counterpart: "Baseline and restricted refuse it.",
    },
    Documentation {
        id: "seLinux",
        paths: &["spec.seLinux"],
        title: "the SELinux context",
        rule: "MustRunAs demands seLinuxOptions as they stand here, the categories of the level in any order; RunAsAny demands nothing. MustRunAs without options is accepted by the API, and the policy is passed over.",
        fills_in: Some("securityContext.seLinuxOptions of the pod, with MustRunAs"),
        checks: &["seLinuxOptions"],
        counterpart: "Baseline and restricted allow some types, any level, and neither user nor role; they demand no context.",
    },
    Documentation {
        id: "runAsUser",
        paths: &["spec.runAsUser"],
        title: "the user",
        rule: "MustRunAs demands a uid within the ranges, MustRunAsNonRoot any uid but 0 or runAsNonRoot: true; RunAsAny demands nothing. MustRunAs without ranges is accepted by the API, and the policy is passed over.",
        fills_in: Some(
            "runAsUser of each container, the lowest of the first range, with MustRunAs; with MustRunAsNonRoot runAsNonRoot: true, unless a uid is set",
        ),
        checks: &["runAsNonRoot", "runAsUser"],
        counterpart: "Restricted asks for runAsNonRoot: true, even where a uid is set, and refuses uid 0. There are no ranges.",
    },
    Documentation {
        id: "runAsGroup",
        paths: &["spec.runAsGroup"],
        title: "the group",
        rule: "MustRunAs demands a gid within the ranges, MayRunAs where one is set; RunAsAny, or left out, demands nothing.",
        fills_in: Some(
            "runAsGroup of each container, the lowest of the first range, with MustRunAs",
        ),
        checks: &[],
        counterpart: "None: Pod Security never looks at groups.",
    },
    Documentation {
        id: "supplementalGroups",
        paths: &["spec.supplementalGroups"],
        title: "supplemental groups",
        rule: "MustRunAs demands at least one group and all within the ranges, MayRunAs where some are set; RunAsAny demands nothing.",
        fills_in: Some(
            "securityContext.supplementalGroups of the pod, the lowest of the first range, with MustRunAs; not where the pod has an empty list",
        ),
        checks: &[],
        counterpart: "None: Pod Security never looks at groups.",
    },
    Documentation {
        id: "fsGroup",
        paths: &["spec.fsGroup"],
        title: "the group that owns volumes",
        rule: "MustRunAs demands a gid within the ranges, MayRunAs where one is set; RunAsAny demands nothing.",
        fills_in: Some(
            "securityContext.fsGroup of the pod, the lowest of the first range, with MustRunAs",
        ),
        checks: &[],
        counterpart: "None: Pod Security never looks at groups.",
    },
    Documentation {
        id: "readOnlyRootFilesystem",
        paths: &["spec.readOnlyRootFilesystem"],
        title: "a root filesystem that is read only",
        rule: "Each container has to set readOnlyRootFilesystem: true if it is true. Left out, nobody has to.",
        fills_in: Some("readOnlyRootFilesystem of each container that does not set it"),
        checks: &[],
        counterpart: "None: no level of Pod Security asks for it.",
    },
    Documentation {
        id: "defaultAllowPrivilegeEscalation",
        paths: &["spec.defaultAllowPrivilegeEscalation"],
        title: "privilege escalation where nothing is said",
        rule: "It demands nothing by itself.",
        fills_in: Some("allowPrivilegeEscalation of each container that does not set it"),
        checks: &[],
        counterpart: "None: Pod Security fills in nothing. Write allowPrivilegeEscalation into the pod.",
    },
    Documentation {
        id: "allowPrivilegeEscalation",
        paths: &["spec.allowPrivilegeEscalation"],
        title: "privilege escalation",
        rule: "Containers may set allowPrivilegeEscalation: true unless it is false. Left out, it is true.",
        fills_in: Some(
            "allowPrivilegeEscalation: false of each container that does not set it, if it is false; which validation then refuses of a privileged container",
        ),
        checks: &["allowPrivilegeEscalation"],
        counterpart: "Restricted asks for allowPrivilegeEscalation: false, which each container has to say itself.",
    },
    Documentation {
        id: "allowedHostPaths",
        paths: &["spec.allowedHostPaths"],
        title: "paths of the host",
        rule: "hostPath volumes may have paths below these, and where readOnly is set only be mounted to read. Left out, any path, if volumes allows hostPath.",
        fills_in: None,
        checks: &["hostPathVolumes"],
        counterpart: "Baseline and restricted refuse every hostPath volume; there are no paths.",
    },
    Documentation {
        id: "allowedFlexVolumes",
        paths: &["spec.allowedFlexVolumes"],
        title: "drivers of flex volumes",
        rule: "flexVolume volumes may have these drivers. Left out, any, if volumes allows flexVolume.",
        fills_in: None,
        checks: &["restrictedVolumes"],
        counterpart: "Restricted refuses every flexVolume, baseline none; there are no drivers.",
    },
    Documentation {
        id: "allowedCSIDrivers",
        paths: &["spec.allowedCSIDrivers"],
        title: "drivers of inline CSI volumes",
        rule: "csi volumes may have these drivers. Left out, any, if volumes allows csi.",
        fills_in: None,
        checks: &[],
        counterpart: "None: every level allows inline CSI volumes, whatever their driver.",
    },
    Documentation {
        id: "allowedUnsafeSysctls",
        paths: &["spec.allowedUnsafeSysctls"],
        title: "unsafe sysctls that may be set",
        rule: "Pods may set these sysctls beside those that Kubernetes holds for safe; net.core.* stands for a family, * for all.",
        fills_in: None,
        checks: &["sysctls"],
        counterpart: "The list is fixed: baseline and restricted allow those that are safe.",
    },
    Documentation {
        id: "forbiddenSysctls",
        paths: &["spec.forbiddenSysctls"],
        title: "sysctls that may not be set",
        rule: "Pods may not set these sysctls, even if they are safe; net.core.* stands for a family, * for all.",
        fills_in: None,
        checks: &["sysctls"],
        counterpart: "The list is fixed: baseline and restricted allow those that are safe.",
    },
    Documentation {
        id: "allowedProcMountTypes",
        paths: &["spec.allowedProcMountTypes"],
        title: "how /proc is mounted",
        rule: "Containers may set procMount to these. But without the feature gate ProcMountType, which is off, the server drops the field, and Default is all that is allowed.",
        fills_in: None,
        checks: &["procMount"],
        counterpart: "Baseline and restricted allow Default.",
    },
    Documentation {
        id: "runtimeClass",
        paths: &["spec.runtimeClass"],
        title: "runtime classes",
        rule: "Pods may name one of allowedRuntimeClassNames, or none; * allows all. Left out, any.",
        fills_in: Some("spec.runtimeClassName, with defaultRuntimeClassName"),
        checks: &[],
        counterpart: "None: Pod Security never looks at runtime classes, but can exempt some.",
    },
    Documentation {
        id: "seccomp",
        paths: &[
            "metadata.annotations[seccomp.security.alpha.kubernetes.io/allowedProfileNames]",
            "metadata.annotations[seccomp.security.alpha.kubernetes.io/defaultProfileName]",
        ],
        title: "seccomp profiles",
        rule: "Pods may have these profiles; * allows all. Without the annotation they may have none. docker/default and runtime/default are the same. A profile in the field makes every policy change the pod, as each writes it into the annotation.",
        fills_in: Some(
            "the annotation seccomp.security.alpha.kubernetes.io/pod, of which the server makes seccompProfile",
        ),
        checks: &["seccompProfile_baseline", "seccompProfile_restricted"],
        counterpart: "Baseline refuses Unconfined, restricted asks for RuntimeDefault or Localhost, which the pod has to say itself.",
    },
    Documentation {
        id: "appArmor",
        paths: &[
            "metadata.annotations[apparmor.security.beta.kubernetes.io/allowedProfileNames]",
            "metadata.annotations[apparmor.security.beta.kubernetes.io/defaultProfileName]",
        ],
        title: "AppArmor profiles",
        rule: "Each container has to have one of these profiles. Without the annotation it may have any, or none.",
        fills_in: Some(
            "the annotation container.apparmor.security.beta.kubernetes.io/NAME of each container",
        ),
        checks: &["appArmorProfile"],
        counterpart: "Baseline and restricted allow runtime/default and localhost profiles, or none.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::CHECKS;

    #[test]
    fn every_counterpart_is_a_check_or_plainly_none() {
        for field in &DOCUMENTATION {
            for check in field.checks {
                assert!(CHECKS.iter().any(|known| known.id == *check), "{check}");
            }
            let none = field.counterpart.starts_with("None: ");
            assert_eq!(none, field.checks.is_empty(), "{}", field.id);
        }
    }

    #[test]
    fn every_path_leads_to_its_field() {
        for field in &DOCUMENTATION {
            for path in field.paths {
                let found = Documentation::at(path).map(|found| found.id);
                assert_eq!(found, Some(field.id), "{path}");
            }
        }
    }
}

//! The fields of a policy by which it refuses pods, read back from the server's words.
//!
//! A rejection of the `PodSecurityPolicy` plugin names the fields of the pod, never those of the
//! policy. Which of them demanded it is told by the texts, which differ from field to field.
//! Upstream: the `field.Invalid`, `field.Forbidden` and `field.Required` of
//! `pkg/security/podsecuritypolicy`.

/// A field of a policy by which it can refuse a pod, where the text tells them apart together with
/// the rule of its strategy.
#[derive(Debug, PartialEq, Eq)]
pub struct PolicyField {
    /// The field: `spec.runAsUser`, or `metadata.annotations[...]`.
    pub field: &'static str,
    /// The rule of its strategy: `MustRunAsNonRoot`; empty where the text leaves it open.
    pub rule: &'static str,
    /// What its denials say, each a pattern of which `*` stands for one printed value.
    denials: &'static [&'static str],
}

const fn field(
    field: &'static str,
    rule: &'static str,
    denials: &'static [&'static str],
) -> PolicyField {
    PolicyField {
        field,
        rule,
        denials,
    }
}

/// Every field by which a policy refuses pods, in the order in which [`Provider::validate`] looks
/// at them. Fields that only fill something in (`defaultAddCapabilities`,
/// `defaultAllowPrivilegeEscalation`, the annotations with default profiles) refuse nothing.
///
/// [`Provider::validate`]: super::Provider::validate
pub static FIELDS: &[PolicyField] = &[
    field(
        "spec.fsGroup",
        "",
        &[
            "spec.securityContext.fsGroup: Invalid value: *: unable to validate empty groups",
            "spec.securityContext.fsGroup: Invalid value: *: group ",
        ],
    ),
    field(
        "spec.supplementalGroups",
        "",
        &[
            "spec.securityContext.supplementalGroups: Invalid value: *: unable to validate empty groups",
            "spec.securityContext.supplementalGroups: Invalid value: *: group ",
        ],
    ),
    field(
        super::seccomp::FIELD,
        "",
        &[
            ": Forbidden: seccomp may not be set",
            " is not an allowed seccomp profile. Valid values are ",
        ],
    ),
    field(
        "spec.seLinux",
        "MustRunAs",
        &[
            "seLinuxOptions: Required value",
            "seLinuxOptions.level: Invalid value: *: must be ",
            "seLinuxOptions.role: Invalid value: *: must be ",
            "seLinuxOptions.type: Invalid value: *: must be ",
            "seLinuxOptions.user: Invalid value: *: must be ",
        ],
    ),
    field(
        "spec.hostNetwork",
        "",
        &[": Host network is not allowed to be used"],
    ),
    field(
        "spec.hostPID",
        "",
        &[": Host PID is not allowed to be used"],
    ),
    field(
        "spec.hostIPC",
        "",
        &[": Host IPC is not allowed to be used"],
    ),
    field("spec.forbiddenSysctls", "", &[": Forbidden: sysctl "]),
    field(
        "spec.allowedUnsafeSysctls",
        "",
        &[": Forbidden: unsafe sysctl "],
    ),
    field("spec.volumes", "", &[" volumes are not allowed to be used"]),
    field(
        "spec.allowedHostPaths",
        "",
        &[
            ".hostPath.pathPrefix: Invalid value: *: is not allowed to be used",
            ".readOnly: Invalid value: *: must be read-only",
        ],
    ),
    field(
        "spec.allowedFlexVolumes",
        "",
        &[": Flexvolume driver is not allowed to be used"],
    ),
    field(
        "spec.allowedCSIDrivers",
        "",
        &[": Inline CSI driver is not allowed to be used"],
    ),
    field(
        "spec.runtimeClass",
        "",
        &["spec.runtimeClassName: Invalid value: "],
    ),
    field(
        "spec.runAsUser",
        "MustRunAs",
        &[
            ".runAsUser: Required value",
            ".runAsUser: Invalid value: *: must be in the ranges: ",
        ],
    ),
    field(
        "spec.runAsUser",
        "MustRunAsNonRoot",
        &[
            ".runAsNonRoot: Required value: must be true",
            ".runAsNonRoot: Invalid value: false: must be true",
            ": running with the root UID is forbidden",
        ],
    ),
    field(
        "spec.runAsGroup",
        "",
        &[
            "].securityContext: Invalid value: *: unable to validate empty groups",
            "].securityContext: Invalid value: *: group ",
        ],
    ),
    field(
        super::app_armor::FIELD,
        "",
        &[
            ": Forbidden: AppArmor profile must be set",
            " is not an allowed profile. Allowed values: ",
        ],
    ),
    field(
        "spec.privileged",
        "",
        &[": Privileged containers are not allowed"],
    ),
    field(
        "spec.requiredDropCapabilities",
        "",
        &[
            ": required capabilities are not set on the securityContext",
            " is required to be dropped but was not found",
        ],
    ),
    field(
        "spec.allowedCapabilities",
        "",
        &[": capability may not be added"],
    ),
    field(
        "spec.hostPorts",
        "",
        &[" is not allowed to be used. Allowed ports: ["],
    ),
    field(
        "spec.allowPrivilegeEscalation",
        "",
        &[": Allowing privilege escalation for containers is not allowed"],
    ),
    field(
        "spec.allowedProcMountTypes",
        "",
        &[": ProcMountType is not allowed"],
    ),
    field(
        "spec.readOnlyRootFilesystem",
        "",
        &[
            ": ReadOnlyRootFilesystem must be set to true",
            ": ReadOnlyRootFilesystem may not be nil and must be set to true",
        ],
    ),
];

/// The fields of policies that a rejection of the plugin speaks of. Values are printed as users
/// wrote them, so a hostile name can make it tell one field too many; never one too few.
///
/// ```
/// use podgate_policy::psp::fields_in_message;
/// let message = r#"pods "p" is forbidden: PodSecurityPolicy: unable to admit pod: [spec.securityContext.hostPID: Invalid value: true: Host PID is not allowed to be used]"#;
/// assert_eq!(fields_in_message(message).next().unwrap().field, "spec.hostPID");
/// ```
pub fn fields_in_message(message: &str) -> impl Iterator<Item = &'static PolicyField> {
    let told = move |field: &&PolicyField| field.denials.iter().any(|denial| says(message, denial));
    FIELDS.iter().filter(told)
}

/// Whether a message has the two halves of the pattern one after the other. The value between them is
/// whatever a user wrote, so nothing is asked of it.
fn says(message: &str, denial: &str) -> bool {
    let Some((start, end)) = denial.split_once('*') else {
        return message.contains(denial);
    };
    message
        .split_once(start)
        .is_some_and(|(_, rest)| rest.contains(end))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("spec.securityContext.fsGroup: Invalid value: []int64{5}: group 5 must be in the ranges: [{1 2}]", &[("spec.fsGroup", "")])]
    #[case("spec.containers[0].securityContext: Invalid value: []int64{5}: group 5 must be in the ranges: [{1 2}]", &[("spec.runAsGroup", "")])]
    #[case("spec.containers[0].securityContext.runAsUser: Invalid value: 0: running with the root UID is forbidden", &[("spec.runAsUser", "MustRunAsNonRoot")])]
    #[case("spec.containers[0].securityContext.runAsUser: Required value", &[("spec.runAsUser", "MustRunAs")])]
    #[case("spec.volumes[0]: Invalid value: \"nfs\": nfs volumes are not allowed to be used", &[("spec.volumes", "")])]
    #[case("spec.containers[0].hostPort: Invalid value: 80: Host port 80 is not allowed to be used. Allowed ports: []", &[("spec.hostPorts", "")])]
    #[case("pod.spec.securityContext.sysctls[0]: Forbidden: unsafe sysctl \"a\" is not allowed", &[("spec.allowedUnsafeSysctls", "")])]
    #[case("exceeded quota", &[])]
    fn reads(#[case] message: &str, #[case] expected: &[(&str, &str)]) {
        let found = fields_in_message(message).map(|field| (field.field, field.rule));
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }
}

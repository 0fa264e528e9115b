//! What differs between API servers in Pod Security and in `PodSecurityPolicy`: every difference by
//! the server's minor that is not a matter of the policy's version stands in this file.
//!
//! Differences by policy version are the revisions of the checks (`checks/*.rs`). A server runs
//! those that were compiled into it, so [`Server::clamp`] also says which checks it knows at all:
//! `runAsUser` exists since 1.23 and `hostProbesAndHostLifecycle` since 1.34 for that reason alone.
//!
//! Upstream: the tags v0.22 to v0.37 of `pod-security-admission`, each minor against the next.

use crate::level::PolicyVersion;
use crate::minor::Minor;
use crate::rules::{self, Rules};
use crate::view::Pod;

/// An API server, as far as policies are concerned.
///
/// ```
/// use podgate_policy::{Minor, PolicyVersion, Server};
/// let server = Server::new(Minor::known(31));
/// assert_eq!(server.clamp(PolicyVersion::V1(99)), Some(31));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    minor: Minor,
    user_namespaces_pod_security_standards: bool,
    ephemeral_containers: Option<bool>,
    rules: &'static Rules,
}

impl Server {
    /// A server of that minor with default feature gates.
    #[must_use]
    pub const fn new(minor: Minor) -> Self {
        Self {
            minor,
            user_namespaces_pod_security_standards: false,
            ephemeral_containers: None,
            rules: &rules::UPSTREAM,
        }
    }

    /// The same server with that feature gate set. It is off by default, exists on 1.29 to 1.34 and
    /// has no effect elsewhere.
    #[must_use]
    pub const fn user_namespaces_pod_security_standards(self, enabled: bool) -> Self {
        Self {
            user_namespaces_pod_security_standards: enabled,
            ..self
        }
    }

    /// The same server with the feature gate `EphemeralContainers` set, which is on by default from
    /// 1.23.
    #[must_use]
    pub const fn ephemeral_containers(self, enabled: bool) -> Self {
        Self {
            ephemeral_containers: Some(enabled),
            ..self
        }
    }

    /// The same server judging by other rules than upstream's.
    #[must_use]
    pub const fn judging_by(self, rules: &'static Rules) -> Self {
        Self { rules, ..self }
    }

    /// What it judges by.
    #[must_use]
    pub const fn rules(self) -> &'static Rules {
        self.rules
    }

    /// Its minor.
    #[must_use]
    pub const fn minor(self) -> Minor {
        self.minor
    }

    /// Whether it has Pod Security at all; in 1.22 behind a feature gate that is off by default.
    #[must_use]
    pub const fn has_pod_security(self) -> bool {
        self.since(22)
    }

    /// The newest policy version that it knows: the highest minimum version of a revision compiled
    /// into it (`populate` in `policy/registry.go`). `None` where Pod Security does not exist.
    #[must_use]
    pub const fn newest_policy(self) -> Option<u64> {
        match self.minor.number() {
            ..=21 => None,
            22 => Some(22),
            23..=24 => Some(23),
            25..=26 => Some(25),
            27..=28 => Some(27),
            29..=30 => Some(29),
            31 => Some(31),
            32..=33 => Some(32),
            34 => Some(34),
            35..=36 => Some(35),
            _ => Some(37),
        }
    }

    /// The minor of the policy version that it evaluates for `version`: `latest` and all that is
    /// newer than it knows is the newest that it knows. Messages print the version as labelled.
    #[must_use]
    pub fn clamp(self, version: PolicyVersion) -> Option<u64> {
        let newest = self.newest_policy()?;
        Some(match version {
            PolicyVersion::V1(minor) => minor.min(newest),
            PolicyVersion::Latest => newest,
        })
    }

    /// Whether restricted leaves out baseline checks that a restricted one includes. Servers
    /// before 1.24 run both, and messages name both (`OverrideCheckIDs` in `policy/checks.go`).
    #[must_use]
    pub const fn overrides(self) -> bool {
        self.since(24)
    }

    /// Whether `appArmorProfile` is a field. Before 1.30 only annotations are judged, with other
    /// texts, whatever the version of the policy (`policy/check_appArmorProfile.go`).
    #[must_use]
    pub const fn app_armor_fields(self) -> bool {
        self.since(30)
    }

    /// Whether a forbidden SELinux user or role is told also when no type is forbidden. Before
    /// 1.26 the text then ends behind its colon (`policy/check_seLinuxOptions.go`).
    #[must_use]
    pub const fn tells_se_linux_user_and_role_alone(self) -> bool {
        self.since(26)
    }

    /// Whether restricted allows volumes of the source `image`; 1.31 and 1.32 know that source
    /// behind a feature gate, and call it `unknown` (`policy/check_restrictedVolumes.go`).
    #[must_use]
    pub const fn image_volumes(self) -> bool {
        self.since(33)
    }

    /// Whether `runAsNonRoot` and `runAsUser` pass for this pod at every policy version because it
    /// runs in a user namespace. That is a feature gate of 1.29 to 1.34; from 1.35 the policy
    /// version decides (`relaxPolicyForUserNamespacePod` in `policy/helpers.go`).
    #[must_use]
    pub fn relaxes_run_as(self, pod: &Pod<'_>) -> bool {
        self.user_namespaces_pod_security_standards
            && self.since(29)
            && !self.since(35)
            && pod.in_user_namespace()
    }

    /// The same for `procMount`, which the gate covers from 1.31.
    #[must_use]
    pub fn relaxes_proc_mount(self, pod: &Pod<'_>) -> bool {
        self.since(31) && self.relaxes_run_as(pod)
    }

    /// Whether a namespace that only enforces also warns at the enforced level
    /// (`PolicyToEvaluate` in `api/helpers.go`).
    #[must_use]
    pub const fn warns_as_enforced(self) -> bool {
        self.since(26)
    }

    /// Whether the warning about an exempt namespace lists only the modes that its labels set;
    /// 1.25 lists defaults too (`exemptNamespaceWarning` in `admission/admission.go`).
    #[must_use]
    pub const fn names_labelled_modes_only(self) -> bool {
        self.since(26)
    }

    /// Whether messages name the policy as `PodSecurity "LEVEL:VERSION"`. The texts of 1.22 are
    /// others (`EvaluatePod` in `admission/admission.go`).
    #[must_use]
    pub const fn names_policy_in_messages(self) -> bool {
        self.since(23)
    }

    /// Whether `PodSecurityPolicy` judges ephemeral containers (`VisitContainersWithPath` in
    /// `pkg/apis/core/pods/helpers.go`).
    #[must_use]
    pub const fn has_ephemeral_containers(self) -> bool {
        match self.ephemeral_containers {
            Some(enabled) => enabled,
            None => self.since(23),
        }
    }

    /// Whether `PodSecurityPolicy` takes the sysctl `net.ipv4.ip_unprivileged_port_start` for safe
    /// (`pkg/security/podsecuritypolicy/sysctl/mustmatchpatterns.go`).
    #[must_use]
    pub const fn unprivileged_port_start_is_safe(self) -> bool {
        self.since(22)
    }

    /// Whether this server is of the minor 1.`number` or newer.
    const fn since(self, number: u8) -> bool {
        self.minor.number() >= number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::CHECKS;
    use rstest::rstest;

    #[rstest]
    #[case(21, PolicyVersion::Latest, None)]
    #[case(22, PolicyVersion::Latest, Some(22))]
    #[case(22, PolicyVersion::V1(0), Some(0))]
    #[case(24, PolicyVersion::V1(24), Some(23))]
    #[case(24, PolicyVersion::V1(23), Some(23))]
    #[case(30, PolicyVersion::V1(30), Some(29))]
    #[case(33, PolicyVersion::V1(i64::MAX.unsigned_abs()), Some(32))]
    #[case(36, PolicyVersion::V1(36), Some(35))]
    #[case(37, PolicyVersion::Latest, Some(37))]
    fn clamps(#[case] minor: u8, #[case] version: PolicyVersion, #[case] expected: Option<u64>) {
        assert_eq!(Server::new(Minor::known(minor)).clamp(version), expected);
    }

    /// A revision came with the server of the same minor, except those of the first release: so
    /// the newest policy of a server is the newest revision that is no newer than the server.
    #[test]
    fn newest_policy_follows_from_the_revisions() {
        for minor in Minor::all().filter(|minor| minor.number() >= 22) {
            let compiled_in = CHECKS
                .iter()
                .flat_map(|check| check.revisions)
                .map(|revision| revision.since)
                .filter(|since| *since <= u64::from(minor.number()));
            assert_eq!(
                Server::new(minor).newest_policy(),
                compiled_in.max(),
                "{minor}"
            );
        }
    }
}

//! The checks of the Pod Security Standards: one file per check, and the table of all of them.
//!
//! Each file opens with the rule, and has one function per revision that states only what differs
//! from the revision before. A revision applies from its policy version until the next one.
//!
//! Upstream: `pod-security-admission/policy/checks.go` and `policy/check_*.go`.

use crate::evaluate::Violation;
use crate::level::{Level, LevelVersion};
use crate::minor::Minor;
use crate::remedy::Remedy;
use crate::server::Server;
use crate::view::Pod;

mod app_armor_profile;
pub(crate) mod capabilities_baseline;
mod host_namespaces;
mod host_path_volumes;
mod host_ports;
mod host_probes_and_host_lifecycle;
mod privileged;
mod proc_mount;
pub(crate) mod se_linux_options;
mod seccomp_profile_baseline;
pub(crate) mod sysctls;
mod windows_host_process;

mod allow_privilege_escalation;
mod capabilities_restricted;
mod proc_mount_restricted;
pub(crate) mod restricted_volumes;
mod run_as_non_root;
mod run_as_user;
mod seccomp_profile_restricted;

#[cfg(test)]
mod testing;
mod wording;

/// Every check, in the order of messages: those of baseline, then those of restricted, each in
/// bytewise order of the ids (`orderedIDs` in `policy/registry.go`).
pub static CHECKS: [&Check; 19] = [
    &app_armor_profile::CHECK,
    &capabilities_baseline::CHECK,
    &host_namespaces::CHECK,
    &host_path_volumes::CHECK,
    &host_ports::CHECK,
    &host_probes_and_host_lifecycle::CHECK,
    &privileged::CHECK,
    &proc_mount::CHECK,
    &se_linux_options::CHECK,
    &seccomp_profile_baseline::CHECK,
    &sysctls::CHECK,
    &windows_host_process::CHECK,
    &allow_privilege_escalation::CHECK,
    &capabilities_restricted::CHECK,
    &proc_mount_restricted::CHECK,
    &restricted_volumes::CHECK,
    &run_as_non_root::CHECK,
    &run_as_user::CHECK,
    &seccomp_profile_restricted::CHECK,
];

/// A rule of the Pod Security Standards.
#[derive(Debug)]
pub struct Check {
    /// Upstream's id, unique: `hostNamespaces`.
    pub id: &'static str,
    /// The level that it belongs to: baseline (then restricted includes it) or restricted.
    pub level: Level,
    /// Its revisions, oldest first.
    pub revisions: &'static [Revision],
    /// The check of restricted that runs in place of this one, where it is active and
    /// [`Server::overrides`]. Upstream states it the other way round, as `OverrideCheckIDs`.
    pub overridden_by: Option<&'static Check>,
    /// The reasons that it gives.
    pub reasons: &'static [&'static str],
    /// The details that it gives, as patterns in which `*` stands for any text; in a pattern
    /// without quotes, for any text without quotes.
    pub details: &'static [&'static str],
    /// What of a pod that violates it can be changed without asking what the program needs.
    pub(crate) remedy: fn(&Pod<'_>, &Violation, &mut Remedy),
    /// What a person should know of it.
    pub documentation: Documentation,
}

/// A check from some version of the policy on.
#[derive(Debug)]
pub struct Revision {
    /// The minor of the first policy version that it applies to: 25 for `v1.25`.
    pub since: u64,
    /// What changed with it, as a sentence; empty for the first revision.
    pub change: &'static str,
    pub(crate) evaluate: fn(Server, &Pod<'_>) -> Option<Forbidden>,
}

/// What a person should know of a check, in plain text.
#[derive(Clone, Copy, Debug)]
pub struct Documentation {
    /// The rule in a few words.
    pub title: &'static str,
    /// What it demands, and why.
    pub rule: &'static str,
    /// The fields that it looks at; `[*]` stands for every item.
    pub fields: &'static [&'static str],
    /// The values that it allows in them.
    pub allowed: &'static [&'static str],
    /// How to change a pod that violates it.
    pub fix: &'static str,
    /// A piece of a manifest that meets the rule, in YAML.
    pub example: &'static str,
}

/// What a revision has against a pod; see [`Violation`](crate::Violation).
#[derive(Debug, PartialEq)]
pub(crate) struct Forbidden {
    pub(crate) reason: &'static str,
    pub(crate) detail: String,
    pub(crate) fields: Vec<String>,
}

impl Check {
    /// The check with that id.
    #[must_use]
    pub fn find(id: &str) -> Option<&'static Self> {
        CHECKS.into_iter().find(|check| check.id == id)
    }

    /// The revision that a policy of the version 1.`version` runs, if it has the check at all.
    #[must_use]
    pub fn revision(&self, version: u64) -> Option<&'static Revision> {
        self.revisions
            .iter()
            .rev()
            .find(|revision| revision.since <= version)
    }

    /// The first policy version that has the check: 0 for `v1.0`.
    #[must_use]
    pub fn since(&self) -> u64 {
        self.revisions[0].since
    }
}

impl Revision {
    /// The oldest server that it was compiled into.
    #[must_use]
    pub fn first_server(&self) -> Minor {
        let has_it = |minor: &Minor| Server::new(*minor).newest_policy() >= Some(self.since);
        // A revision that no server has would be one of a server to come.
        Minor::all().find(has_it).unwrap_or(Minor::NEWEST)
    }
}

impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Check {}

/// The checks that `server` runs for `policy`, in the order of messages.
pub fn active(
    server: Server,
    policy: LevelVersion,
) -> impl Iterator<Item = (&'static Check, &'static Revision)> {
    let version = match policy.level {
        Level::Privileged => None,
        Level::Baseline | Level::Restricted => server.clamp(policy.version),
    };
    let overriding = policy.level == Level::Restricted && server.overrides();
    server.rules().checks.iter().filter_map(move |&check| {
        let version = version?;
        if check.level > policy.level {
            return None;
        }
        let overridden = overriding
            && check
                .overridden_by
                .is_some_and(|other| other.revision(version).is_some());
        if overridden {
            return None;
        }
        Some((check, check.revision(version)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn the_table_is_in_the_order_of_messages() {
        let keys: Vec<_> = CHECKS.iter().map(|check| (check.level, check.id)).collect();
        assert!(keys.is_sorted_by(|one, next| one < next), "{keys:?}");
        assert!(CHECKS.iter().all(|check| check.level != Level::Privileged));
    }

    /// The demands of `validateChecks` in `policy/registry.go`.
    #[test]
    fn the_table_is_valid() {
        for check in CHECKS {
            let since: Vec<_> = check
                .revisions
                .iter()
                .map(|revision| revision.since)
                .collect();
            assert!(
                !since.is_empty() && since.is_sorted_by(|one, next| one < next),
                "{check:?}"
            );
            assert_eq!(Check::find(check.id), Some(check));
            if let Some(other) = check.overridden_by {
                assert_eq!(
                    (check.level, other.level),
                    (Level::Baseline, Level::Restricted)
                );
            }
        }
    }

    #[test]
    fn every_check_is_documented() {
        for check in CHECKS {
            let it = &check.documentation;
            for text in [it.title, it.rule, it.fix, it.example] {
                assert!(
                    !text.is_empty() && text.trim_end() == text,
                    "{}: {text:?}",
                    check.id
                );
            }
            assert!(
                !it.fields.is_empty() && !it.allowed.is_empty(),
                "{}",
                check.id
            );
            assert!(
                it.rule.ends_with('.') && it.fix.ends_with('.'),
                "{}",
                check.id
            );
            for (index, revision) in check.revisions.iter().enumerate() {
                assert_eq!(revision.change.is_empty(), index == 0, "{}", check.id);
            }
        }
    }

    #[rstest]
    #[case("privileged", 22)]
    #[case("allowPrivilegeEscalation", 22)]
    #[case("capabilities_restricted", 22)]
    #[case("runAsUser", 23)]
    #[case("hostProbesAndHostLifecycle", 34)]
    #[case("procMount_restricted", 35)]
    fn came_with(#[case] id: &str, #[case] server: u8) {
        let check = Check::find(id).expect("an id of the table");
        assert_eq!(check.revisions[0].first_server(), Minor::known(server));
    }

    const BASELINE: [&str; 11] = [
        "appArmorProfile",
        "capabilities_baseline",
        "hostNamespaces",
        "hostPathVolumes",
        "hostPorts",
        "privileged",
        "procMount",
        "seLinuxOptions",
        "seccompProfile_baseline",
        "sysctls",
        "windowsHostProcess",
    ];

    /// `BASELINE` without and with some, then those of restricted.
    fn baseline(
        without: &[&str],
        with: &[&'static str],
        restricted: &[&'static str],
    ) -> Vec<&'static str> {
        let mut ids: Vec<_> = BASELINE
            .into_iter()
            .filter(|id| !without.contains(id))
            .collect();
        ids.extend(with);
        ids.sort_unstable();
        ids.extend(restricted);
        ids
    }

    #[rstest]
    #[case(36, "privileged:latest", vec![])]
    #[case(21, "restricted:latest", vec![])]
    #[case(22, "baseline:latest", baseline(&[], &[], &[]))]
    #[case(33, "baseline:latest", baseline(&[], &[], &[]))]
    #[case(34, "baseline:latest", baseline(&[], &["hostProbesAndHostLifecycle"], &[]))]
    #[case(36, "baseline:v1.33", baseline(&[], &[], &[]))]
    #[case(22, "restricted:latest", baseline(&[], &[], &["allowPrivilegeEscalation",
        "capabilities_restricted", "restrictedVolumes", "runAsNonRoot", "seccompProfile_restricted"]))]
    #[case(23, "restricted:latest", baseline(&[], &[], &["allowPrivilegeEscalation",
        "capabilities_restricted", "restrictedVolumes", "runAsNonRoot", "runAsUser",
        "seccompProfile_restricted"]))]
    #[case(24, "restricted:latest", baseline(
        &["capabilities_baseline", "hostPathVolumes", "seccompProfile_baseline"], &[],
        &["allowPrivilegeEscalation", "capabilities_restricted", "restrictedVolumes",
          "runAsNonRoot", "runAsUser", "seccompProfile_restricted"]))]
    #[case(24, "restricted:v1.0", baseline(&["hostPathVolumes"], &[],
        &["restrictedVolumes", "runAsNonRoot"]))]
    #[case(24, "restricted:v1.8", baseline(&["hostPathVolumes"], &[],
        &["allowPrivilegeEscalation", "restrictedVolumes", "runAsNonRoot"]))]
    #[case(36, "restricted:v1.21", baseline(&["hostPathVolumes", "seccompProfile_baseline"], &[],
        &["allowPrivilegeEscalation", "restrictedVolumes", "runAsNonRoot",
          "seccompProfile_restricted"]))]
    #[case(36, "restricted:latest", baseline(
        &["capabilities_baseline", "hostPathVolumes", "procMount", "seccompProfile_baseline"],
        &["hostProbesAndHostLifecycle"],
        &["allowPrivilegeEscalation", "capabilities_restricted", "procMount_restricted",
          "restrictedVolumes", "runAsNonRoot", "runAsUser", "seccompProfile_restricted"]))]
    fn activates(#[case] minor: u8, #[case] policy: LevelVersion, #[case] expected: Vec<&str>) {
        let server = Server::new(Minor::known(minor));
        let ids: Vec<_> = active(server, policy).map(|(check, _)| check.id).collect();
        assert_eq!(ids, expected);
    }
}

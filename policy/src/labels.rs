//! The labels of a namespace, read as a policy.
//!
//! A bad level fails closed where it is enforced and open where it only audits or warns; a bad
//! version is `latest`.
//!
//! Upstream: `PolicyToEvaluate` in `pod-security-admission/api/helpers.go`, and `api/constants.go`.

use crate::level::{Level, LevelError, LevelVersion, PolicyVersion, PolicyVersionError};
use crate::server::Server;
use std::fmt;

/// The label of the level that is enforced.
pub const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
/// The label of the version that is enforced.
pub const ENFORCE_VERSION: &str = "pod-security.kubernetes.io/enforce-version";
/// The label of the level that is audited.
pub const AUDIT: &str = "pod-security.kubernetes.io/audit";
/// The label of the version that is audited.
pub const AUDIT_VERSION: &str = "pod-security.kubernetes.io/audit-version";
/// The label of the level that is warned about.
pub const WARN: &str = "pod-security.kubernetes.io/warn";
/// The label of the version that is warned about.
pub const WARN_VERSION: &str = "pod-security.kubernetes.io/warn-version";

/// What a violation of a policy leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// The pod is rejected.
    Enforce,
    /// The request is annotated in the audit log.
    Audit,
    /// The requester is warned.
    Warn,
}

impl Mode {
    /// The modes, in the order of error lists.
    pub const ALL: [Self; 3] = [Self::Enforce, Self::Audit, Self::Warn];

    /// The label of its level.
    #[must_use]
    pub const fn level_label(self) -> &'static str {
        match self {
            Self::Enforce => ENFORCE,
            Self::Audit => AUDIT,
            Self::Warn => WARN,
        }
    }

    /// The label of its version.
    #[must_use]
    pub const fn version_label(self) -> &'static str {
        match self {
            Self::Enforce => ENFORCE_VERSION,
            Self::Audit => AUDIT_VERSION,
            Self::Warn => WARN_VERSION,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Enforce => "enforce",
            Self::Audit => "audit",
            Self::Warn => "warn",
        })
    }
}

/// What a namespace demands in each mode. The default demands nothing: `privileged:latest`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NamespacePolicy {
    /// What pods are rejected by.
    pub enforce: LevelVersion,
    /// What the audit log is annotated by.
    pub audit: LevelVersion,
    /// What the requester is warned by.
    pub warn: LevelVersion,
}

impl NamespacePolicy {
    /// The demand of one mode.
    #[must_use]
    pub const fn mode(&self, mode: Mode) -> LevelVersion {
        match mode {
            Mode::Enforce => self.enforce,
            Mode::Audit => self.audit,
            Mode::Warn => self.warn,
        }
    }

    /// Whether the two demand the same in every mode.
    #[must_use]
    pub fn equivalent(&self, other: &Self) -> bool {
        Mode::ALL
            .into_iter()
            .all(|mode| self.mode(mode).equivalent(&other.mode(mode)))
    }

    /// Whether it demands nothing in any mode.
    #[must_use]
    pub fn fully_privileged(&self) -> bool {
        Mode::ALL
            .into_iter()
            .all(|mode| self.mode(mode).level == Level::Privileged)
    }

    /// The policy as the warning about an exempt namespace prints it, like
    /// `enforce=restricted:latest, warn=baseline:v1.25`: the modes that are not privileged and,
    /// from 1.26 on, are set by `label`s, level or version (`exemptNamespaceWarning` in
    /// `admission/admission.go`; in 1.25 `CompactString` in `api/helpers.go`).
    #[must_use]
    pub fn compact<'a>(
        &self,
        server: Server,
        label: impl Fn(&'static str) -> Option<&'a str>,
    ) -> String {
        let is_named = |mode: &Mode| {
            let is_labelled = || {
                label(mode.level_label())
                    .or_else(|| label(mode.version_label()))
                    .is_some()
            };
            self.mode(*mode).level != Level::Privileged
                && (!server.names_labelled_modes_only() || is_labelled())
        };
        let modes = Mode::ALL.into_iter().filter(is_named);
        modes
            .map(|mode| format!("{mode}={}", self.mode(mode)))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// A label whose value is no level, or no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct LabelError {
    /// The mode that the label is for.
    pub mode: Mode,
    /// The value.
    pub value: String,
    /// What is wrong with it, in the API server's words.
    pub fault: LabelFault,
}

/// What is wrong with the value of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelFault {
    /// It is no level.
    #[error(transparent)]
    Level(#[from] LevelError),
    /// It is no version.
    #[error(transparent)]
    Version(#[from] PolicyVersionError),
}

impl LabelError {
    /// The key of the label.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self.fault {
            LabelFault::Level(_) => self.mode.level_label(),
            LabelFault::Version(_) => self.mode.version_label(),
        }
    }

    /// The name that 1.22 puts before the fault, as in `Enforce.Level: must be one of ...`.
    #[must_use]
    pub const fn alpha_name(&self) -> &'static str {
        match (self.mode, self.fault) {
            (Mode::Enforce, LabelFault::Level(_)) => "Enforce.Level",
            (Mode::Enforce, LabelFault::Version(_)) => "Enforce.Version",
            (Mode::Audit, LabelFault::Level(_)) => "Audit.Level",
            (Mode::Audit, LabelFault::Version(_)) => "Audit.Version",
            (Mode::Warn, LabelFault::Level(_)) => "Warn.Level",
            (Mode::Warn, LabelFault::Version(_)) => "Warn.Version",
        }
    }
}

/// Reads the labels of a namespace, `label` giving the value of a key. Each label replaces its own
/// half of `defaults`. There is always a policy; errors are in the order enforce, enforce-version,
/// audit, audit-version, warn, warn-version.
///
/// ```
/// use podgate_policy::{Minor, NamespacePolicy, Server, labels};
/// let server = Server::new(Minor::known(36));
/// let label = |key: &str| (key == labels::ENFORCE).then_some("Baseline");
/// let (policy, errors) = labels::parse(label, &NamespacePolicy::default(), server);
/// assert_eq!(policy.enforce.to_string(), "restricted:latest");
/// assert_eq!(errors[0].to_string(), "must be one of privileged, baseline, restricted");
/// ```
pub fn parse<'a>(
    label: impl Fn(&'static str) -> Option<&'a str>,
    defaults: &NamespacePolicy,
    server: Server,
) -> (NamespacePolicy, Vec<LabelError>) {
    let mut errors = Vec::new();
    let mut read = |mode: Mode| -> LevelVersion {
        let mut demand = defaults.mode(mode);
        if let Some(value) = label(mode.level_label()) {
            demand.level = value.parse().unwrap_or_else(|fault: LevelError| {
                errors.push(LabelError {
                    mode,
                    value: value.to_owned(),
                    fault: fault.into(),
                });
                match mode {
                    Mode::Enforce => Level::Restricted,
                    Mode::Audit | Mode::Warn => Level::Privileged,
                }
            });
        }
        if let Some(value) = label(mode.version_label()) {
            demand.version = value.parse().unwrap_or_else(|fault: PolicyVersionError| {
                errors.push(LabelError {
                    mode,
                    value: value.to_owned(),
                    fault: fault.into(),
                });
                PolicyVersion::Latest
            });
        }
        demand
    };
    let (enforce, audit, mut warn) = (read(Mode::Enforce), read(Mode::Audit), read(Mode::Warn));

    // Who enforces a level by a valid label and says nothing of warnings is warned as well: the
    // warning shows on workloads, whose pods are rejected only later.
    let enforce_is_labelled = label(ENFORCE).is_some_and(|value| value.parse::<Level>().is_ok());
    if server.warns_as_enforced()
        && label(WARN).is_none()
        && enforce_is_labelled
        && enforce.level > warn.level
    {
        warn.level = enforce.level;
        if label(WARN_VERSION).is_none() {
            warn.version = enforce.version;
        }
    }
    (
        NamespacePolicy {
            enforce,
            audit,
            warn,
        },
        errors,
    )
}

#[cfg(test)]
#[path = "labels_tests.rs"]
mod tests;

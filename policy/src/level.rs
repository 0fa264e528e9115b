//! Levels and versions of the Pod Security Standards, and their texts.
//!
//! Upstream: `pod-security-admission/api/helpers.go` (`ParseLevel`, `ParseVersion`, `CompareLevels`,
//! `Version.Older`, `LevelVersion`).

use std::fmt;
use std::str::FromStr;

/// A level of the Pod Security Standards; the order is by strictness, as in `CompareLevels`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// No restriction.
    #[default]
    Privileged,
    /// Known privilege escalations are refused.
    Baseline,
    /// Today's hardening practice is demanded.
    Restricted,
}

impl Level {
    /// The level as labels and messages spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text is no level. The wording is the API server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of privileged, baseline, restricted")]
pub struct LevelError;

impl FromStr for Level {
    type Err = LevelError;

    /// Reads the exact lowercase name; nothing is trimmed or folded.
    fn from_str(text: &str) -> Result<Self, LevelError> {
        match text {
            "privileged" => Ok(Self::Privileged),
            "baseline" => Ok(Self::Baseline),
            "restricted" => Ok(Self::Restricted),
            _ => Err(LevelError),
        }
    }
}

/// The version of a policy: the minor of Kubernetes whose standards apply, or the newest ones that
/// the server has. The order is that of `Version.Older`: `latest` is newer than every number.
///
/// It prints as it was labelled. What a server evaluates may be older: see
/// [`Server::clamp`](crate::Server::clamp).
///
/// ```
/// use podgate_policy::PolicyVersion;
/// let version: PolicyVersion = "v1.99".parse().unwrap();
/// assert_eq!(version.to_string(), "v1.99");
/// assert!(version < PolicyVersion::Latest);
/// assert!("1.25".parse::<PolicyVersion>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyVersion {
    /// `v1.N`
    V1(u64),
    /// `latest`
    #[default]
    Latest,
}

impl fmt::Display for PolicyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V1(minor) => write!(f, "v1.{minor}"),
            Self::Latest => f.write_str("latest"),
        }
    }
}

/// A text is no policy version. The wording is the API server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(r#"must be "latest" or "v1.x""#)]
pub struct PolicyVersionError;

impl FromStr for PolicyVersion {
    type Err = PolicyVersionError;

    /// Reads `latest` and what matches `^v1\.([0-9]|[1-9][0-9]*)$` and fits an `int64`.
    fn from_str(text: &str) -> Result<Self, PolicyVersionError> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        let digits = text.strip_prefix("v1.").ok_or(PolicyVersionError)?;
        let well_formed = !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (digits.len() == 1 || !digits.starts_with('0'));
        if !well_formed {
            return Err(PolicyVersionError);
        }
        // Go reads the number as an int of 64 bits.
        let minor: i64 = digits.parse().map_err(|_| PolicyVersionError)?;
        Ok(Self::V1(minor.unsigned_abs()))
    }
}

/// A level at a version: what one mode of a namespace demands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LevelVersion {
    /// The level.
    pub level: Level,
    /// The version, as labelled.
    pub version: PolicyVersion,
}

impl LevelVersion {
    /// `level` at `version`.
    #[must_use]
    pub const fn new(level: Level, version: PolicyVersion) -> Self {
        Self { level, version }
    }

    /// Whether the two demand the same: both privileged at whatever version, or equal.
    #[must_use]
    pub fn equivalent(&self, other: &Self) -> bool {
        (self.level == Level::Privileged && other.level == Level::Privileged) || self == other
    }
}

impl fmt::Display for LevelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.level, self.version)
    }
}

/// A text is no level with a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LevelVersionError {
    /// The part before the colon is no level.
    #[error("level {0}")]
    Level(#[from] LevelError),
    /// The part behind the colon is no version.
    #[error("version {0}")]
    Version(#[from] PolicyVersionError),
}

impl FromStr for LevelVersion {
    type Err = LevelVersionError;

    /// Reads `restricted:v1.25`, and `restricted` as `restricted:latest`.
    fn from_str(text: &str) -> Result<Self, LevelVersionError> {
        let (level, version) = match text.split_once(':') {
            Some((level, version)) => (level, version.parse()?),
            None => (text, PolicyVersion::Latest),
        };
        Ok(Self::new(level.parse()?, version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("privileged", Ok(Level::Privileged))]
    #[case("baseline", Ok(Level::Baseline))]
    #[case("restricted", Ok(Level::Restricted))]
    #[case("Baseline", Err(LevelError))]
    #[case(" baseline", Err(LevelError))]
    #[case("", Err(LevelError))]
    fn reads_levels(#[case] text: &str, #[case] expected: Result<Level, LevelError>) {
        assert_eq!(text.parse(), expected);
    }

    #[rstest]
    #[case("latest", Some(PolicyVersion::Latest))]
    #[case("v1.0", Some(PolicyVersion::V1(0)))]
    #[case("v1.9", Some(PolicyVersion::V1(9)))]
    #[case("v1.25", Some(PolicyVersion::V1(25)))]
    #[case("v1.2147483648", Some(PolicyVersion::V1(2_147_483_648)))]
    #[case(
        "v1.9223372036854775807",
        Some(PolicyVersion::V1(9_223_372_036_854_775_807))
    )]
    #[case("v1.9223372036854775808", None)]
    #[case("v1.99999999999999999999", None)]
    #[case("v1.01", None)]
    #[case("v1.00", None)]
    #[case("v1.", None)]
    #[case("v1.-1", None)]
    #[case("v1.+1", None)]
    #[case("v1.20.3", None)]
    #[case("v1.20 ", None)]
    #[case("v1.20\n", None)]
    #[case("v1.٣", None)]
    #[case("v2.0", None)]
    #[case("1.20", None)]
    #[case("Latest", None)]
    #[case("", None)]
    fn reads_versions(#[case] text: &str, #[case] expected: Option<PolicyVersion>) {
        assert_eq!(text.parse().ok(), expected);
        if let Some(version) = expected {
            assert_eq!(version.to_string(), text);
        }
    }

    #[test]
    fn orders_versions_as_upstream() {
        assert!(PolicyVersion::V1(9) < PolicyVersion::V1(10));
        assert!(PolicyVersion::V1(u64::MAX) < PolicyVersion::Latest);
    }

    #[rstest]
    #[case("privileged:v1.20", "privileged:latest", true)]
    #[case("baseline:v1.20", "baseline:latest", false)]
    #[case("baseline:v1.20", "baseline:v1.20", true)]
    #[case("privileged:v1.20", "baseline:v1.20", false)]
    fn compares(#[case] one: LevelVersion, #[case] other: LevelVersion, #[case] expected: bool) {
        assert_eq!(one.equivalent(&other), expected);
    }

    #[rstest]
    #[case("restricted", Ok("restricted:latest"))]
    #[case("restricted:v1.25", Ok("restricted:v1.25"))]
    #[case("strict", Err("level must be one of privileged, baseline, restricted"))]
    #[case("restricted:", Err(r#"version must be "latest" or "v1.x""#))]
    fn reads_level_versions(#[case] text: &str, #[case] expected: Result<&str, &str>) {
        let read = text.parse::<LevelVersion>();
        let printed = read.map(|it| it.to_string()).map_err(|it| it.to_string());
        assert_eq!(printed, expected.map(str::to_owned).map_err(str::to_owned));
    }
}

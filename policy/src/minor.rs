//! The minor version of a Kubernetes server, the key of everything that differs between servers.
//!
//! Inside one minor no patch release changed a policy, so podgate keys on the minor alone.

use std::fmt;
use std::str::FromStr;

/// A minor version of Kubernetes 1.x that podgate knows: 1.20 to 1.37.
///
/// ```
/// use podgate_policy::Minor;
/// let minor: Minor = "1.25".parse().unwrap();
/// assert!(minor >= Minor::OLDEST && minor < Minor::NEWEST);
/// assert_eq!(minor.to_string(), "1.25");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minor(u8);

impl Minor {
    /// The oldest minor that podgate answers for.
    pub const OLDEST: Self = Self(20);
    /// The newest minor that podgate answers for, and the default.
    pub const NEWEST: Self = Self(37);

    /// The minor 1.`number`, if podgate knows it.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number >= Self::OLDEST.0 && number <= Self::NEWEST.0 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The minor 1.`number`; for constants.
    ///
    /// # Panics
    /// When podgate does not know that minor.
    #[must_use]
    pub const fn known(number: u8) -> Self {
        match Self::new(number) {
            Some(minor) => minor,
            None => panic!("not a minor that podgate knows"),
        }
    }

    /// The number behind the dot: 25 for 1.25.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Every minor that podgate knows, oldest first.
    #[must_use]
    pub fn all() -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator {
        (0..=Self::NEWEST.0 - Self::OLDEST.0).map(|n| Self(Self::OLDEST.0 + n))
    }
}

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

/// Why a text is no minor that podgate knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MinorError {
    /// The text has not the form `1.36`, `v1.36` or `1.36.2`.
    #[error("`{0}` is no Kubernetes version (expected one like 1.36, v1.36 or 1.36.2)")]
    Form(String),
    /// The version is well formed, but outside of what podgate answers for.
    #[error("Kubernetes {0} is not one that podgate knows ({oldest} to {newest})", oldest = Minor::OLDEST, newest = Minor::NEWEST)]
    Unknown(String),
}

impl FromStr for Minor {
    type Err = MinorError;

    /// Reads `1.36`, `v1.36` and `1.36.2`; the patch is dropped, as it changes no verdict.
    fn from_str(text: &str) -> Result<Self, MinorError> {
        let form = || MinorError::Form(text.to_owned());
        let bare = text.strip_prefix('v').unwrap_or(text);
        let mut parts = bare.split('.');
        let number = |part: Option<&str>| -> Result<u32, MinorError> {
            let part = part.ok_or_else(form)?;
            if part.is_empty() || part.len() > 6 || !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(form());
            }
            part.parse().map_err(|_| form())
        };
        let major = number(parts.next())?;
        let minor = number(parts.next())?;
        if let Some(patch) = parts.next() {
            number(Some(patch))?;
        }
        if parts.next().is_some() {
            return Err(form());
        }
        u8::try_from(minor)
            .ok()
            .filter(|_| major == 1)
            .and_then(Self::new)
            .ok_or_else(|| MinorError::Unknown(format!("{major}.{minor}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("1.20", Ok(Minor::OLDEST))]
    #[case("v1.37", Ok(Minor::NEWEST))]
    #[case("1.36.2", Ok(Minor::known(36)))]
    #[case("1.19", Err(MinorError::Unknown("1.19".into())))]
    #[case("2.25", Err(MinorError::Unknown("2.25".into())))]
    #[case("1", Err(MinorError::Form("1".into())))]
    #[case("1.x", Err(MinorError::Form("1.x".into())))]
    #[case("1.36.2.1", Err(MinorError::Form("1.36.2.1".into())))]
    #[case("latest", Err(MinorError::Form("latest".into())))]
    fn reads(#[case] text: &str, #[case] expected: Result<Minor, MinorError>) {
        assert_eq!(text.parse(), expected);
    }
}

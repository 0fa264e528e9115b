//! Releases of kind, as `kind version` prints them.

use std::fmt;
use std::str::FromStr;

/// A release of kind. A build before a release (`v0.33.0-alpha`) is older than the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    major: u16,
    minor: u16,
    patch: u16,
    /// No build before it.
    released: bool,
}

/// A text that is no release of kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version of kind (expected one like v0.33.0)")]
pub struct ReleaseError(String);

impl Release {
    /// The release `v0.<minor>.0`; kind has no other major so far.
    #[must_use]
    pub const fn new(minor: u16) -> Self {
        Self {
            major: 0,
            minor,
            patch: 0,
            released: true,
        }
    }

    /// Reads what `kind version` prints: `kind v0.33.0 go1.26.8 linux/amd64`
    /// (kind, pkg/cmd/kind/version/version.go, `DisplayVersion`).
    pub fn from_output(output: &str) -> Result<Self, ReleaseError> {
        let line = output.trim();
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("kind"), Some(version)) => version.parse(),
            _ => Err(ReleaseError(line.to_owned())),
        }
    }
}

impl FromStr for Release {
    type Err = ReleaseError;

    fn from_str(text: &str) -> Result<Self, ReleaseError> {
        let error = || ReleaseError(text.to_owned());
        let core = text.strip_prefix('v').unwrap_or(text);
        // The name of a build stands behind a dash, its commit behind a plus.
        let (core, build) = match core.find(['-', '+']) {
            Some(at) => core.split_at(at),
            None => (core, ""),
        };
        let numbers: Vec<u16> = core
            .split('.')
            .map(|number| number.parse().map_err(|_| error()))
            .collect::<Result<_, _>>()?;
        let [major, minor, patch] = numbers[..] else {
            return Err(error());
        };
        Ok(Self {
            major,
            minor,
            patch,
            released: !build.starts_with('-'),
        })
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let build = if self.released { "" } else { "-alpha" };
        write!(f, "v{}.{}.{}{build}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("kind v0.33.0 go1.26.8 linux/amd64\n", "v0.33.0")]
    #[case("kind v0.17.0 go1.19.2 darwin/arm64", "v0.17.0")]
    #[case(
        "kind v0.34.0-alpha.12+fed26882aaaaaa go1.26.8 linux/amd64",
        "v0.34.0-alpha"
    )]
    fn reads(#[case] output: &str, #[case] shown: &str) {
        assert_eq!(Release::from_output(output).unwrap().to_string(), shown);
    }

    #[rstest]
    #[case("")]
    #[case("v0.33.0")]
    #[case("kind version unknown")]
    #[case("kind v0.33 go1.26.8")]
    fn refuses(#[case] output: &str) {
        assert!(Release::from_output(output).is_err());
    }

    #[test]
    fn a_build_before_a_release_is_older() {
        let alpha: Release = "v0.33.0-alpha".parse().unwrap();
        assert!(alpha < Release::new(33));
        assert!(Release::new(32) < alpha);
        assert!(Release::new(9) < Release::new(10));
    }
}

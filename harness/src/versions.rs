//! Ranges of Kubernetes minors, as users write them in files and on the command line.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use podgate_policy::Minor;
use podgate_policy::minor::MinorError;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// A range of minors, both ends included: `1.25`, `1.23..`, `..1.24`, `1.20..1.24` or `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinorRange {
    first: Minor,
    last: Minor,
}

/// Why a text is no range of minors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// One of its ends is no minor that podgate knows.
    #[error(transparent)]
    Minor(#[from] MinorError),
    /// The first minor is newer than the last.
    #[error("the range `{0}` ends before it starts")]
    Backwards(String),
}

impl MinorRange {
    /// Every minor that podgate knows.
    pub const ALL: Self = Self {
        first: Minor::OLDEST,
        last: Minor::NEWEST,
    };

    /// That one minor.
    #[must_use]
    pub const fn only(minor: Minor) -> Self {
        Self {
            first: minor,
            last: minor,
        }
    }

    /// From `first` to `last`, both included; `None` where that is empty.
    #[must_use]
    pub fn new(first: Minor, last: Minor) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// Its oldest minor.
    #[must_use]
    pub const fn first(self) -> Minor {
        self.first
    }

    /// Its newest minor.
    #[must_use]
    pub const fn last(self) -> Minor {
        self.last
    }

    /// Whether `minor` is in it.
    #[must_use]
    pub fn contains(self, minor: Minor) -> bool {
        self.first <= minor && minor <= self.last
    }

    /// What it has in common with `other`.
    #[must_use]
    pub fn and(self, other: Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last))
    }

    /// Its minors, oldest first.
    #[must_use]
    pub fn minors(self) -> impl DoubleEndedIterator<Item = Minor> {
        Minor::all().filter(move |minor| self.contains(*minor))
    }
}

impl JsonSchema for MinorRange {
    fn schema_name() -> Cow<'static, str> {
        "MinorRange".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        const MINOR: &str = r"v?1\.[0-9]+(\.[0-9]+)?";
        json_schema!({
            "description": "Minors of Kubernetes, both ends included.",
            "type": "string",
            "pattern": format!(r"^(all|{MINOR}|{MINOR}\.\.|\.\.{MINOR}|{MINOR}\.\.{MINOR})$"),
            "examples": ["1.25", "1.23..", "..1.24", "1.20..1.24"],
        })
    }
}

impl FromStr for MinorRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        if text == "all" {
            return Ok(Self::ALL);
        }
        let Some((first, last)) = text.split_once("..") else {
            return Ok(Self::only(text.parse()?));
        };
        if first.is_empty() && last.is_empty() {
            return Err(MinorError::Form(text.to_owned()).into());
        }
        let first = if first.is_empty() {
            Minor::OLDEST
        } else {
            first.parse()?
        };
        let last = if last.is_empty() {
            Minor::NEWEST
        } else {
            last.parse()?
        };
        Self::new(first, last).ok_or_else(|| RangeError::Backwards(text.to_owned()))
    }
}

impl fmt::Display for MinorRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else if self.last == Minor::NEWEST {
            write!(f, "{}..", self.first)
        } else {
            write!(f, "{}..{}", self.first, self.last)
        }
    }
}

/// Folds minors into the fewest ranges: `1.23..1.25, 1.28..`.
#[must_use]
pub fn ranges(minors: &[Minor]) -> Vec<MinorRange> {
    let mut folded: Vec<MinorRange> = Vec::new();
    for &minor in minors {
        match folded.last_mut() {
            Some(range) if range.last.number() + 1 == minor.number() => range.last = minor,
            _ => folded.push(MinorRange::only(minor)),
        }
    }
    folded
}

/// The minor of what a server calls its version: `v1.36.2`, `v1.34.1-gke.100`, `v1.33.4+k3s1`.
#[must_use]
pub fn minor_of(version: &str) -> Option<Minor> {
    let (minor, _) = version.strip_prefix("v1.")?.split_once('.')?;
    minor.parse::<u8>().ok().and_then(Minor::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("v1.36.2", Some("1.36"))]
    #[case("v1.34.1-gke.100", Some("1.34"))]
    #[case("v1.33.4-eks-99d6cc0", Some("1.33"))]
    #[case("v1.20.0+k3s1", Some("1.20"))]
    #[case("v1.19.16", None)]
    #[case("v1.99.0", None)]
    #[case("v2.30.0", None)]
    #[case("", None)]
    fn versions_of_servers(#[case] version: &str, #[case] minor: Option<&str>) {
        let found = minor_of(version).map(|minor| minor.to_string());
        assert_eq!(found.as_deref(), minor);
    }

    #[rstest]
    #[case("1.25", "1.25")]
    #[case("v1.36.2", "1.36")]
    #[case("1.23..", "1.23..")]
    #[case("..1.24", "1.20..1.24")]
    #[case("1.20..1.24", "1.20..1.24")]
    #[case("1.30..1.37", "1.30..")]
    #[case("all", "1.20..")]
    fn reads(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(text.parse::<MinorRange>().unwrap().to_string(), shown);
    }

    #[rstest]
    #[case("1.19", "Kubernetes 1.19 is not one that podgate knows (1.20 to 1.37)")]
    #[case(
        "..",
        "`..` is no Kubernetes version (expected one like 1.36, v1.36 or 1.36.2)"
    )]
    #[case("1.30..1.25", "the range `1.30..1.25` ends before it starts")]
    #[case(
        "1.30..1.38",
        "Kubernetes 1.38 is not one that podgate knows (1.20 to 1.37)"
    )]
    fn refuses(#[case] text: &str, #[case] message: &str) {
        assert_eq!(text.parse::<MinorRange>().unwrap_err().to_string(), message);
    }

    #[test]
    fn folds_neighbours() {
        let minors = [23, 24, 25, 28, 30, 31].map(Minor::known);
        let shown: Vec<_> = ranges(&minors).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["1.23..1.25", "1.28", "1.30..1.31"]);
    }
}

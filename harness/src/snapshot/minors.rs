//! Sets of minors, and the ranges that a snapshot writes them in.

use std::fmt;

use podgate_policy::Minor;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A set of the minors that podgate knows.
///
/// ```
/// use podgate_harness::snapshot::Minors;
/// use podgate_policy::Minor;
/// let minors: Minors = [23, 24, 25, 28].map(Minor::known).into_iter().collect();
/// assert_eq!(minors.to_string(), "1.23..1.25, 1.28");
/// assert_eq!((Minors::ALL - minors).to_string(), "1.20..1.22, 1.26..1.27, 1.29..");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minors(u32);

const COUNT: u8 = Minor::NEWEST.number() - Minor::OLDEST.number() + 1;
const _: () = assert!(COUNT < 32, "a set of minors has a bit for each");

impl Minors {
    /// No minor.
    pub const NONE: Self = Self(0);
    /// Every minor that podgate knows.
    pub const ALL: Self = Self((1 << COUNT) - 1);

    /// That one minor.
    #[must_use]
    pub const fn only(minor: Minor) -> Self {
        Self(1 << (minor.number() - Minor::OLDEST.number()))
    }

    /// The minors from `first` to `last`, both included; none where `last` is older.
    #[must_use]
    pub fn between(first: Minor, last: Minor) -> Self {
        Minor::all()
            .filter(|minor| first <= *minor && *minor <= last)
            .collect()
    }

    /// Adds a minor.
    pub fn insert(&mut self, minor: Minor) {
        self.0 |= Self::only(minor).0;
    }

    /// Whether `minor` is in the set.
    #[must_use]
    pub const fn contains(self, minor: Minor) -> bool {
        self.0 & Self::only(minor).0 != 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether every minor of this set is in `other`.
    #[must_use]
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The minors, oldest first.
    #[must_use]
    pub fn iter(self) -> impl DoubleEndedIterator<Item = Minor> {
        Minor::all().filter(move |minor| self.contains(*minor))
    }

    /// The fewest ranges that hold these minors, oldest first: first and last minor of each.
    pub fn ranges(self) -> impl Iterator<Item = (Minor, Minor)> {
        let mut rest = self.iter().peekable();
        std::iter::from_fn(move || {
            let first = rest.next()?;
            let mut last = first;
            while let Some(next) = rest.next_if(|next| next.number() == last.number() + 1) {
                last = next;
            }
            Some((first, last))
        })
    }
}

impl std::ops::BitOr for Minors {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl std::ops::BitAnd for Minors {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl std::ops::Sub for Minors {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl FromIterator<Minor> for Minors {
    fn from_iter<I: IntoIterator<Item = Minor>>(minors: I) -> Self {
        let mut set = Self::NONE;
        minors.into_iter().for_each(|minor| set.insert(minor));
        set
    }
}

impl fmt::Display for Minors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (first, last)) in self.ranges().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{}", Range(first, last))?;
        }
        Ok(())
    }
}

impl Serialize for Minors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Minors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut minors = Self::NONE;
        for range in text.split(", ").filter(|range| !range.is_empty()) {
            let Range(first, last) = range.parse().map_err(de::Error::custom)?;
            minors = minors | Self::between(first, last);
        }
        Ok(minors)
    }
}

/// A range of minors as a snapshot writes it: `1.25`, `1.23..1.25`, and open as `1.26..` where it
/// reaches the newest minor, so that a newer one that behaves alike changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range(pub(super) Minor, pub(super) Minor);

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(first, last) = *self;
        if last == Minor::NEWEST {
            write!(f, "{first}..")
        } else if first == last {
            write!(f, "{first}")
        } else {
            write!(f, "{first}..{last}")
        }
    }
}

impl std::str::FromStr for Range {
    type Err = podgate_policy::minor::MinorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((first, last)) = text.split_once("..") else {
            let minor = text.parse()?;
            return Ok(Self(minor, minor));
        };
        let first = first.parse()?;
        let last = match last {
            "" => Minor::NEWEST,
            last => last.parse()?,
        };
        if first > last {
            return Err(Self::Err::Form(text.to_owned()));
        }
        Ok(Self(first, last))
    }
}

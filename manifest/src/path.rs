//! Paths to fields, in Kubernetes' own spelling.

use std::fmt;

use crate::Position;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A member of a mapping.
    Key(String),
    /// An item of a sequence, counted from 0.
    Index(usize),
}

impl From<&str> for Segment {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Segment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// Where a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// The key, if the field is a member of a mapping.
    pub key: Option<Position>,
    /// The value.
    pub value: Position,
}

impl Location {
    /// The key if there is one, or else the value: where an editor should open the file.
    #[must_use]
    pub fn position(&self) -> Position {
        self.key.unwrap_or(self.value)
    }
}

/// A path as field errors spell it (`spec.containers[0].securityContext`, `metadata.labels[a.b/c]`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldPath(pub Vec<Segment>);

impl FieldPath {
    /// Reads a path. Brackets hold an index, or a key that may have dots in it.
    #[must_use]
    pub fn parse(path: &str) -> Self {
        let mut segments = Vec::new();
        let mut rest = path;
        while !rest.is_empty() {
            if let Some((inside, after)) =
                rest.strip_prefix('[').and_then(|rest| rest.split_once(']'))
            {
                segments.push(match inside.parse() {
                    Ok(index) => Segment::Index(index),
                    Err(_) => Segment::Key(inside.to_owned()),
                });
                rest = after;
            } else if let Some(after) = rest.strip_prefix('.') {
                rest = after;
            } else {
                let end = rest[1..].find(['.', '[']).map_or(rest.len(), |end| end + 1);
                segments.push(Segment::Key(rest[..end].to_owned()));
                rest = &rest[end..];
            }
        }
        Self(segments)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if key.contains('.') => write!(f, "[{key}]")?,
                Segment::Key(key) if i == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

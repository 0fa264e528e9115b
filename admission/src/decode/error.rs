//! What can be wrong with a request's bytes, in the server's words and with the place.

use std::fmt;

use crate::json::SyntaxError;
use crate::quote::quote;

/// A step on the way from the root of a document to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// The key of an object.
    Key(String),
    /// The index in a list, from zero.
    Index(usize),
}

/// Where in a document something is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The way from the root; empty for the document itself and for syntax errors.
    pub path: Vec<Segment>,
    /// The offset in bytes from the start of the document, from zero.
    pub offset: usize,
}

/// Why a server cannot make an object of a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DecodeError {
    /// The server's text.
    pub message: String,
    /// What it is about.
    pub location: Location,
}

impl DecodeError {
    /// The document is no JSON.
    #[must_use]
    pub fn syntax(error: SyntaxError) -> Self {
        Self {
            message: error.to_string(),
            location: Location {
                path: Vec::new(),
                offset: error.offset,
            },
        }
    }

    /// The same error with another text.
    pub(super) fn with(self, text: impl FnOnce(String) -> String) -> Self {
        Self {
            message: text(self.message),
            location: self.location,
        }
    }

    /// The fields that a server refuses under `fieldValidation=Strict`; `None` where there are none.
    #[must_use]
    pub fn strict(errors: &[StrictError]) -> Option<Self> {
        let first = errors.first()?;
        let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
        Some(Self {
            message: format!("strict decoding error: {}", texts.join(", ")),
            location: first.location.clone(),
        })
    }
}

/// What is wrong with a field, for a server that looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrictErrorKind {
    /// The type has no such field.
    Unknown,
    /// The object has the key already.
    Duplicate,
}

/// A field that the server drops or overwrites. Its `Display` is the server's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrictError {
    /// What is wrong.
    pub kind: StrictErrorKind,
    /// The path of the field: `spec.containers[0].foo`.
    pub path: String,
    /// Where its key stands.
    pub location: Location,
}

impl fmt::Display for StrictError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            StrictErrorKind::Unknown => "unknown",
            StrictErrorKind::Duplicate => "duplicate",
        };
        write!(f, "{kind} field {}", quote(&self.path))
    }
}

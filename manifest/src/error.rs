//! What a user sees when a manifest cannot be read.
//!
//! The messages are kubectl's own words where kubectl has them, without its outer layers
//! (`error parsing f.yaml: error converting YAML to JSON: yaml: line 3: `): the position says that.

use std::{fmt::Write as _, sync::Arc};

use crate::{
    Position,
    source::{floor, line_range, position},
};

/// A manifest that cannot be read, and where.
///
/// `Display` gives one line, `file:line:column: message`; [`Error::render`] gives the whole text
/// with the source line, a caret and the hint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.one_line())]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    file: Arc<str>,
    place: Option<Place>,
    message: String,
    hint: Option<String>,
}

/// A position, and its line as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    position: Position,
    shown: String,
    /// How many characters stand before the caret.
    caret: usize,
}

/// What is wrong at a byte of a text whose file and first line are known further up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) at: usize,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Flaw {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
            hint: None,
        }
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A line of the source is shown up to this many characters around the caret.
const SHOWN: usize = 120;

impl Error {
    /// An error of a file as a whole.
    #[must_use]
    pub fn of_file(file: &str, message: impl Into<String>, hint: Option<String>) -> Self {
        Self(Box::new(Inner {
            file: file.into(),
            place: None,
            message: message.into(),
            hint,
        }))
    }

    /// A flaw in `text`, a part of the file that begins on line `first_line`.
    pub(crate) fn of_flaw(file: &Arc<str>, text: &str, first_line: usize, flaw: Flaw) -> Self {
        let mut position = position(text, flaw.at);
        position.line += first_line - 1;
        Self::at_position(file, text, position, flaw)
    }

    /// A flaw in `text` whose position in the file is known.
    pub(crate) fn at_position(file: &Arc<str>, text: &str, position: Position, flaw: Flaw) -> Self {
        Self(Box::new(Inner {
            file: Arc::clone(file),
            place: Some(Place::new(position, text, flaw.at)),
            message: flaw.message,
            hint: flaw.hint,
        }))
    }

    /// Adds to the hint.
    #[must_use]
    pub(crate) fn and_hint(mut self, more: &str) -> Self {
        self.0.hint.get_or_insert_default().push_str(more);
        self
    }

    /// The file as the user named it, or `<stdin>`.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.0.file
    }

    /// Where in the file, if the error has a place in it.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.0.place.as_ref().map(|place| place.position)
    }

    /// The message: one lowercase fragment.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The error as shown to people, several lines without a final line break:
    ///
    /// ```text
    /// error: found character that cannot start any token
    ///  --> pod.yaml:3:1
    ///   |
    /// 3 | →name: web
    ///   | ^
    /// hint: YAML is indented with spaces, and this line is indented with a tab
    /// ```
    ///
    /// A tab in the source line is shown as an arrow, so that the caret stands under its column.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = format!("error: {}\n --> {}", self.0.message, self.0.file);
        if let Some(Place {
            position,
            shown,
            caret,
        }) = &self.0.place
        {
            let number = position.line.to_string();
            let margin = " ".repeat(number.len());
            let pad = " ".repeat(*caret);
            let _ = write!(
                out,
                ":{position}\n{margin} |\n{number} | {shown}\n{margin} | {pad}^",
            );
        }
        if let Some(hint) = &self.0.hint {
            let _ = write!(out, "\nhint: {hint}");
        }
        out
    }

    fn one_line(&self) -> String {
        match &self.0.place {
            Some(Place { position, .. }) => {
                format!("{}:{position}: {}", self.0.file, self.0.message)
            }
            None => format!("{}: {}", self.0.file, self.0.message),
        }
    }
}

impl Place {
    fn new(position: Position, text: &str, at: usize) -> Self {
        let line = line_range(text, at);
        let middle = floor(text, at).min(line.end);
        let (before, after) = (&text[line.start..middle], &text[middle..line.end]);
        let visible = |c: char| match c {
            '\t' => '→',
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        };
        // Of the longer half of a line no more is shown than the other half leaves room for.
        let shorter = |half: &str| half.chars().take(SHOWN / 2).count();
        let room_before = SHOWN - shorter(after);
        let room_after = SHOWN - shorter(before);
        let mut left: Vec<char> = before
            .chars()
            .rev()
            .take(room_before)
            .map(visible)
            .collect();
        if before.chars().rev().nth(room_before).is_some() {
            left.push('…');
        }
        let mut shown: String = left.iter().rev().collect();
        shown.extend(after.chars().take(room_after).map(visible));
        if after.chars().nth(room_after).is_some() {
            shown.push('…');
        }
        Self {
            position,
            shown,
            caret: left.len(),
        }
    }
}

#[cfg(test)]
mod tests;

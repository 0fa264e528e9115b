//! What can keep podgate from giving a verdict. A denial is a verdict, never an error.

use std::fmt;

use crate::snapshot::StoreError;

/// An error with the exit code that it leads to, and what to do about it.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    /// What somebody else said about it, as it was said.
    details: Option<String>,
    /// The place in the user's file, where there is one.
    place: Option<Box<podgate_manifest::Error>>,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The user's input is wrong: exit code 2.
    Input,
    /// The environment failed (no Docker, a cluster that did not start): exit code 3.
    Environment,
}

impl Error {
    /// Wrong input.
    #[must_use]
    pub fn input(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Input,
            message: message.into(),
            hint: None,
            details: None,
            place: None,
        }
    }

    /// A failed environment.
    #[must_use]
    pub fn environment(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Environment,
            message: message.into(),
            hint: None,
            details: None,
            place: None,
        }
    }

    /// The same with a word on what to do; it replaces an earlier one.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a word on what to do, unless there is one.
    #[must_use]
    pub fn or_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// The same with what somebody else said, such as the last lines of a component. Without any
    /// there is nothing to show.
    #[must_use]
    pub fn details(mut self, heading: impl fmt::Display, lines: &str) -> Self {
        if !lines.is_empty() {
            let lines = lines.lines().map(|line| format!("\n  {line}"));
            self.details = Some(format!("{heading}{}", lines.collect::<String>()));
        }
        self
    }

    /// What somebody else said about it: a heading and indented lines.
    #[must_use]
    pub fn said(&self) -> Option<&str> {
        self.details.as_deref()
    }

    /// Whose turn it is.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The message, without the hint.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The place in the user's file, with the line as it is shown, where there is one.
    #[must_use]
    pub fn place(&self) -> Option<&podgate_manifest::Error> {
        self.place.as_deref()
    }

    /// What to do about it. Where nobody knows better, a place in a file is to be mended.
    #[must_use]
    pub fn what_to_do(&self) -> Option<&str> {
        let mend = self
            .place
            .is_some()
            .then_some("mend it there, or leave it out");
        self.hint.as_deref().or(mend)
    }
}

impl fmt::Display for Error {
    /// The message, and what somebody else said; a hint stands on a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(details) = &self.details {
            write!(f, "\n{details}")?;
        }
        if let Some(hint) = self.what_to_do() {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// An error of a library with what stands behind it, as far as it does not say that itself.
pub(crate) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = error.source();
    }
    text
}

impl From<podgate_manifest::Error> for Error {
    fn from(error: podgate_manifest::Error) -> Self {
        Self {
            kind: ErrorKind::Input,
            message: error.to_string(),
            hint: error.hint().map(str::to_owned),
            details: None,
            place: Some(Box::new(error)),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Io { .. } => Self::input(error.to_string()).hint(
                "podgate keeps its snapshots there; -C changes the folder, podgate.yaml the place",
            ),
            StoreError::Format { .. } => Self::input(error.to_string())
                .hint("mend the line, or remove the file: then podgate test proposes it anew"),
            StoreError::Changed(_) => Self::input(error.to_string()).hint("review it again"),
            StoreError::Forbidden(_) => Self::input(error.to_string())
                .hint("run podgate review elsewhere; CI=true is set here"),
            StoreError::Path(_) => Self::input(error.to_string())
                .hint("names of clusters and paths of scenarios stay inside of their folder"),
        }
    }
}

//! Paths of fields, and the errors about them.
//!
//! Upstream: `path.go` and `errors.go` of `apimachinery/pkg/util/validation/field`.

use std::fmt;

use super::go::{self, Rendered};

/// The path of a field. It lives on the stack, as a list from the innermost step to the root, and
/// becomes a text only when there is an error to report: an admitted object costs no allocation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'p> {
    Name(&'p str),
    Index(usize),
    Key(&'p str),
}

impl<'p> Path<'p> {
    /// The path that consists of `name`. Upstream prints the empty one as `[]`.
    pub(crate) const fn new(name: &'p str) -> Self {
        Self {
            parent: None,
            step: Step::Name(name),
        }
    }

    /// The field `name` below this one.
    pub(crate) const fn child<'c>(&'c self, name: &'c str) -> Path<'c> {
        Path {
            parent: Some(self),
            step: Step::Name(name),
        }
    }

    /// The item at `index` of this list.
    pub(crate) const fn index(&self, index: usize) -> Path<'_> {
        Path {
            parent: Some(self),
            step: Step::Index(index),
        }
    }

    /// The value at `key` of this map.
    pub(crate) const fn key<'c>(&'c self, key: &'c str) -> Path<'c> {
        Path {
            parent: Some(self),
            step: Step::Key(key),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            fmt::Display::fmt(parent, f)?;
        }
        match self.step {
            Step::Name("") => f.write_str("[]"),
            Step::Name(name) if self.parent.is_some() => write!(f, ".{name}"),
            Step::Name(name) => f.write_str(name),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) => write!(f, "[{key}]"),
        }
    }
}

/// What kind of mistake an [`Error`] reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorType {
    /// A value that must be given is missing.
    Required,
    /// The value is malformed or out of bounds.
    Invalid,
    /// The value is none of an enumeration.
    NotSupported,
    /// The value is well formed, but may not be set here.
    Forbidden,
    /// The value must be unique and is not.
    Duplicate,
    /// The value refers to something that does not exist.
    NotFound,
    /// The value is too long.
    TooLong,
    /// The list has too many items.
    TooMany,
    /// The server failed.
    Internal,
}

impl ErrorType {
    /// The reason of the cause in the Status.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Required => "FieldValueRequired",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::Duplicate => "FieldValueDuplicate",
            Self::NotFound => "FieldValueNotFound",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::Internal => "InternalError",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Required => "Required value",
            Self::Invalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::Duplicate => "Duplicate value",
            Self::NotFound => "Not found",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
            Self::Internal => "Internal error",
        }
    }
}

/// One mistake in one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of mistake.
    pub kind: ErrorType,
    /// The path of the field: `spec.containers[0].name`.
    pub field: String,
    /// The value as the server of that minor prints it; `None` where it prints none.
    pub value: Option<String>,
    /// What is wrong with it; may be empty.
    pub detail: String,
    /// Whether the text is the server's to the byte. It is not where the server prints addresses
    /// of its memory (`0xc000000000` stands for each of them), a whole pod spec or a difference of
    /// two (see `validation/go.rs`): compare such texts by pattern.
    pub exact: bool,
}

impl Error {
    /// The text without the path: the message of the cause in the Status.
    #[must_use]
    pub fn body(&self) -> String {
        let mut body = String::from(self.kind.text());
        if let Some(value) = &self.value {
            body.push_str(": ");
            body.push_str(value);
        }
        if !self.detail.is_empty() {
            body.push_str(": ");
            body.push_str(&self.detail);
        }
        body
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

/// The value that an error names, before it is printed.
#[derive(Clone, Debug)]
pub(crate) enum BadValue<'v> {
    /// Go `string`.
    Text(&'v str),
    /// A named string type, or a pointer to a string: from 1.34 it is printed as JSON.
    Named(&'v str),
    /// Any integer type.
    Int(i64),
    /// Go `bool`.
    Bool(bool),
    /// A nil pointer.
    Nil,
    /// Nothing is printed (`field.OmitValueType`).
    Omitted,
    /// Anything else, printed already.
    Rendered(Rendered),
}

impl<'v> From<&'v str> for BadValue<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for BadValue<'_> {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl From<bool> for BadValue<'_> {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<Rendered> for BadValue<'_> {
    fn from(rendered: Rendered) -> Self {
        Self::Rendered(rendered)
    }
}

/// The errors found so far.
#[derive(Debug)]
pub(crate) struct Errors {
    list: Vec<Error>,
    /// Whether values are printed as JSON (1.34 and later) rather than as Go prints them.
    json: bool,
}

impl Errors {
    pub(crate) const fn new(json: bool) -> Self {
        Self {
            list: Vec::new(),
            json,
        }
    }

    pub(crate) fn into_list(self) -> Vec<Error> {
        self.list
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Forgets the errors from the `len`-th on.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.list.truncate(len);
    }

    fn push(&mut self, kind: ErrorType, path: &Path<'_>, value: Option<Rendered>, detail: String) {
        let (value, exact) = match value {
            Some(value) => (Some(value.text), value.exact),
            None => (None, true),
        };
        self.list.push(Error {
            kind,
            field: path.to_string(),
            value,
            detail,
            exact,
        });
    }

    fn render(&self, value: BadValue<'_>) -> Option<Rendered> {
        let text = match value {
            BadValue::Named(text) if self.json => go::json_string(text),
            BadValue::Text(text) | BadValue::Named(text) => go::quote(text),
            BadValue::Int(n) => n.to_string(),
            BadValue::Bool(b) => b.to_string(),
            BadValue::Nil if self.json => "null".to_owned(),
            BadValue::Nil => "\"null\"".to_owned(),
            BadValue::Omitted => return None,
            BadValue::Rendered(rendered) => return Some(rendered),
        };
        Some(Rendered::exact(text))
    }

    pub(crate) fn required(&mut self, path: &Path<'_>, detail: impl Into<String>) {
        self.push(ErrorType::Required, path, None, detail.into());
    }

    pub(crate) fn invalid<'v>(
        &mut self,
        path: &Path<'_>,
        value: impl Into<BadValue<'v>>,
        detail: impl Into<String>,
    ) {
        let value = self.render(value.into());
        self.push(ErrorType::Invalid, path, value, detail.into());
    }

    /// One error for each of `messages`.
    pub(crate) fn invalid_each(&mut self, path: &Path<'_>, value: &str, messages: Vec<String>) {
        for message in messages {
            self.invalid(path, value, message);
        }
    }

    /// `value` is a named string type, or a pointer to one; `supported` is listed as given.
    pub(crate) fn not_supported(&mut self, path: &Path<'_>, value: &str, supported: &[&str]) {
        self.not_supported_value(path, BadValue::Named(value), supported);
    }

    pub(crate) fn not_supported_value(
        &mut self,
        path: &Path<'_>,
        value: BadValue<'_>,
        supported: &[&str],
    ) {
        let quoted: Vec<_> = supported.iter().map(|s| go::quote(s)).collect();
        let value = self.render(value);
        let detail = format!("supported values: {}", quoted.join(", "));
        self.push(ErrorType::NotSupported, path, value, detail);
    }

    pub(crate) fn forbidden(&mut self, path: &Path<'_>, detail: impl Into<String>) {
        self.push(ErrorType::Forbidden, path, None, detail.into());
    }

    /// Forbidden, with a detail of which only the beginning is the server's.
    pub(crate) fn forbidden_like(&mut self, path: &Path<'_>, detail: impl Into<String>) {
        self.forbidden(path, detail);
        if let Some(last) = self.list.last_mut() {
            last.exact = false;
        }
    }

    pub(crate) fn duplicate<'v>(&mut self, path: &Path<'_>, value: impl Into<BadValue<'v>>) {
        let value = self.render(value.into());
        self.push(ErrorType::Duplicate, path, value, String::new());
    }

    pub(crate) fn not_found(&mut self, path: &Path<'_>, value: &str, detail: impl Into<String>) {
        let value = self.render(BadValue::Text(value));
        self.push(ErrorType::NotFound, path, value, detail.into());
    }

    pub(crate) fn too_long(&mut self, path: &Path<'_>, detail: String) {
        self.push(ErrorType::TooLong, path, None, detail);
    }

    pub(crate) fn too_many(&mut self, path: &Path<'_>, actual: usize, max: usize) {
        let value = Some(Rendered::exact(actual.to_string()));
        let detail = format!("must have at most {max} items");
        self.push(ErrorType::TooMany, path, value, detail);
    }

    pub(crate) fn internal(&mut self, path: &Path<'_>, detail: String) {
        self.push(ErrorType::Internal, path, None, detail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn prints_paths_as_upstream_does() {
        let spec = Path::new("spec");
        let containers = spec.child("containers");
        let port = containers.index(0);
        let port = port.child("ports");
        let port = port.index(12);
        assert_eq!(
            port.child("hostPort").to_string(),
            "spec.containers[0].ports[12].hostPort"
        );
        let metadata = Path::new("metadata");
        let annotations = metadata.child("annotations");
        assert_eq!(
            annotations.key("a.b/c").to_string(),
            "metadata.annotations[a.b/c]"
        );
        assert_eq!(Path::new("").to_string(), "[]");
    }

    #[rstest]
    #[case::before_json(
        false,
        "Invalid value: \"null\": no",
        "Invalid value: \"a\\u00ad<\": no"
    )]
    #[case::json(
        true,
        "Invalid value: null: no",
        "Invalid value: \"a\u{ad}\\u003c\": no"
    )]
    fn prints_values_by_minor(#[case] json: bool, #[case] nil: &str, #[case] named: &str) {
        let mut errors = Errors::new(json);
        let path = Path::new("spec");
        errors.invalid(&path, BadValue::Nil, "no");
        errors.invalid(&path, BadValue::Named("a\u{ad}<"), "no");
        errors.invalid(&path, BadValue::Omitted, "no");
        let bodies: Vec<_> = errors.into_list().iter().map(Error::body).collect();
        assert_eq!(bodies, [nil, named, "Invalid value: no"]);
    }
}

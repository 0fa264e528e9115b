//! Text within brackets: JSON, and the flow style of YAML.

use std::ops::Range;

use super::{Edit, Leaf};
use crate::resolve::{Scalar, resolve};

/// How a collection in brackets is written.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    /// Whether names and texts stand in double quotes.
    quoted: bool,
    /// What stands between a name and its value.
    colon: &'static str,
    /// What stands between a bracket and what is within.
    padding: &'static str,
    /// Where each member has a line of its own: how the members' lines begin, and how much further
    /// those of a collection below do.
    lines: Option<(String, String)>,
    ending: &'static str,
}

impl Flow {
    /// The style of the collection in `range`, of whose first member the key (or the item) is
    /// known, and where its value begins; both absent where it is empty, or in block style.
    pub(super) fn learned(
        text: &str,
        range: Range<usize>,
        key: Option<Range<usize>>,
        value: Option<usize>,
        json: bool,
    ) -> Self {
        let opens = text[range.start..].starts_with(['{', '[']);
        let key = key.filter(|_| opens);
        let quoted = key
            .as_ref()
            .is_some_and(|key| text[key.clone()].starts_with('"'));
        let between = match (&key, value) {
            (Some(key), Some(value)) => text.get(key.end..value).unwrap_or(": "),
            _ => ": ",
        };
        let lead = key
            .as_ref()
            .map_or("", |key| &text[range.start + 1..key.start]);
        let is_on_lines = lead.contains('\n');
        let indents = || {
            let inner = indent_of(text, key.as_ref().map_or(range.start, |key| key.start));
            let outer = indent_of(text, range.end.saturating_sub(1));
            let step = inner.strip_prefix(outer).filter(|step| !step.is_empty());
            (inner.to_owned(), step.unwrap_or("  ").to_owned())
        };
        Self {
            quoted: json || quoted,
            // Without quotes a name takes the colon for a part of itself.
            colon: if between.contains([' ', '\n']) || !(json || quoted) {
                ": "
            } else {
                ":"
            },
            padding: if !is_on_lines && lead.starts_with(' ') {
                " "
            } else {
                ""
            },
            lines: is_on_lines.then(indents),
            // Documents are read with this break, JSON texts as they are.
            ending: if lead.contains("\r\n") { "\r\n" } else { "\n" },
        }
    }

    /// The text behind the last member for further ones.
    pub(super) fn more_members(&self, members: &[(&str, &Edit)]) -> String {
        let text = |(name, edit): &(&str, &Edit)| {
            let value = self.value(edit);
            format!(
                "{}{}{}{value}",
                self.comma(),
                key(name, self.quoted),
                self.colon
            )
        };
        members.iter().map(text).collect()
    }

    /// The text behind the last item for further ones, in quotes like that one.
    pub(super) fn more_items(&self, items: &[Leaf], quote: Option<u8>) -> String {
        let quote = quote.or(self.quoted.then_some(b'"'));
        let text = |item| format!("{}{}", self.comma(), leaf(item, quote));
        items.iter().map(text).collect()
    }

    /// A new value. Its lines, if it gets some, stand one step deeper than those of this style.
    pub(super) fn value(&self, edit: &Edit) -> String {
        let quote = self.quoted.then_some(b'"');
        match edit {
            Edit::Set(value) => leaf(value, quote),
            Edit::Members(members) => {
                let inner = |(name, edit): &(String, Edit)| {
                    let value = self.deeper().value(edit);
                    format!("{}{}{value}", key(name, self.quoted), self.colon)
                };
                self.within('{', '}', members.iter().map(inner))
            }
            Edit::Append(items) => {
                self.within('[', ']', items.iter().map(|item| leaf(item, quote)))
            }
            // There are no items to edit; the proof refuses it.
            Edit::Items(_) => String::new(),
        }
    }
}

impl Flow {
    fn within(&self, open: char, close: char, parts: impl Iterator<Item = String>) -> String {
        let parts: Vec<String> = parts.collect();
        match &self.lines {
            None => {
                let (padding, comma) = (self.padding, self.comma());
                let padding = if open == '{' { padding } else { "" };
                format!("{open}{padding}{}{padding}{close}", parts.join(&comma))
            }
            Some((indent, _)) => {
                let deeper = self.deeper();
                let between = deeper.comma();
                let begin = between.strip_prefix(',').unwrap_or(&between);
                let ending = self.ending;
                let parts = parts.join(&between);
                // `indent` is that of the line with the bracket.
                format!("{open}{begin}{parts}{ending}{indent}{close}")
            }
        }
    }

    /// What stands between two members.
    fn comma(&self) -> String {
        match &self.lines {
            Some((indent, _)) => format!(",{}{indent}", self.ending),
            None if self.colon == ":" => ",".to_owned(),
            None => ", ".to_owned(),
        }
    }

    /// The style one level further in.
    fn deeper(&self) -> Self {
        let mut deeper = self.clone();
        if let Some((indent, step)) = &mut deeper.lines {
            indent.push_str(step);
        }
        deeper
    }
}

/// The blanks at the beginning of the line of a byte.
fn indent_of(text: &str, at: usize) -> &str {
    let line = text[..at].rfind('\n').map_or(0, |feed| feed + 1);
    let rest = &text[line..at];
    &rest[..rest.len() - rest.trim_start_matches([' ', '\t']).len()]
}

/// A scalar: a text in these quotes, or without any where YAML takes it for a text then.
pub(super) fn leaf(leaf: &Leaf, quote: Option<u8>) -> String {
    match (leaf, quote) {
        (Leaf::Bool(value), _) => value.to_string(),
        (Leaf::Text(text), Some(b'\'')) => format!("'{}'", text.replace('\'', "''")),
        (Leaf::Text(text), None) if is_plain(text) => text.clone(),
        (Leaf::Text(text), _) => serde_json::Value::from(text.as_str()).to_string(),
    }
}

/// A name.
pub(super) fn key(name: &str, quoted: bool) -> String {
    leaf(&Leaf::Text(name.to_owned()), quoted.then_some(b'"'))
}

/// Whether YAML takes it for the same text without quotes: words such as Kubernetes' own.
fn is_plain(text: &str) -> bool {
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/'));
    is_word && matches!(resolve("", text), Ok(Scalar::String(_)))
}

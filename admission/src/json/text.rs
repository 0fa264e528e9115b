//! The texts of a document, and how Go resolves their escapes (`unquoteBytes` in `decode.go`).

use std::borrow::Cow;

use crate::value::Text;

/// A text between its quotes, as it stands in the input; its escapes are valid.
#[derive(Clone, Copy, Debug)]
pub struct RawText<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) plain: bool,
    /// The offset of its opening quote.
    pub offset: usize,
}

impl<'a> RawText<'a> {
    /// The bytes between the quotes, escapes and invalid UTF-8 included.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether it is `text`, a name of the schema (no invalid UTF-8 is read as one).
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        if self.plain {
            self.bytes == text.as_bytes()
        } else {
            self.text() == text
        }
    }

    /// Whether it has no escapes.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        self.plain
    }

    /// The text itself where it stands in the input as it is.
    #[must_use]
    pub fn borrowed(&self) -> Option<&'a str> {
        self.plain
            .then(|| std::str::from_utf8(self.bytes).ok())
            .flatten()
    }

    /// The text: escapes resolved, U+FFFD for lone surrogates and for each byte that is no UTF-8.
    #[must_use]
    pub fn text(&self) -> Text<'a> {
        match self.borrowed() {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(unescape(self.bytes)),
        }
    }
}

/// Resolves escapes as Go's `unquoteBytes` does.
fn unescape(raw: &[u8]) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        push_lossy(&mut text, &rest[..at]);
        let (character, length) = match rest.get(at + 1) {
            Some(b'u') => unicode_escape(&rest[at..]),
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            // The lexer lets only a quote, a backslash and a slash come here.
            Some(&other) => (char::from(other), 2),
            None => break,
        };
        text.push(character);
        rest = &rest[at + length..];
    }
    push_lossy(&mut text, rest);
    text
}

/// The character of the escape `\uXXXX`, or of two that are a surrogate pair, and its length. Half
/// a pair is U+FFFD, and what follows it is read on its own.
fn unicode_escape(raw: &[u8]) -> (char, usize) {
    let Some(first) = code_unit(raw) else {
        return (char::REPLACEMENT_CHARACTER, 6);
    };
    if let Some(character) = char::from_u32(u32::from(first)) {
        return (character, 6);
    }
    let pair = raw.get(6..).and_then(code_unit).and_then(|second| {
        char::decode_utf16([first, second])
            .next()
            .and_then(Result::ok)
    });
    match pair {
        Some(character) => (character, 12),
        None => (char::REPLACEMENT_CHARACTER, 6),
    }
}

fn code_unit(raw: &[u8]) -> Option<u16> {
    let digits = raw.strip_prefix(b"\\u")?.first_chunk::<4>()?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Appends `bytes`, with U+FFFD for each byte that is no UTF-8.
fn push_lossy(text: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for _ in chunk.invalid() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

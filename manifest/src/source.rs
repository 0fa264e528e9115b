//! The text of one file or of standard input, decoded as kubectl decodes it, and positions in it.
//!
//! Upstream: `FileVisitor.Visit` in k8s.io/cli-runtime `pkg/resource/visitor.go`, which puts
//! `unicode.BOMOverride(unicode.UTF8.NewDecoder())` of golang.org/x/text in front of every file.

use std::{
    fmt, fs,
    io::{self, Read},
    ops::Range,
    path::Path,
    sync::Arc,
};

use crate::{Error, Rendered};

/// A place in the user's file. Both numbers start at 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, counted by line feeds.
    pub line: usize,
    /// The column in characters, not in bytes and not in cells of a terminal.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// The text of one file or stream.
///
/// A byte order mark decides between UTF-8 and the two UTF-16 encodings and is dropped. Bytes that
/// are not UTF-8 become U+FFFD, as kubectl has it; [`Source::first_invalid`] says where.
#[derive(Debug, Clone)]
pub struct Source {
    name: Arc<str>,
    text: Arc<str>,
    first_invalid: Option<usize>,
    rendered: Option<Arc<Rendered>>,
}

impl Source {
    /// The name that stands for standard input in messages.
    pub const STDIN: &'static str = "<stdin>";

    /// Takes the bytes of a file under the name that the user gave it.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, bytes: impl AsRef<[u8]>) -> Self {
        let (text, first_invalid) = decode(bytes.as_ref());
        Self {
            name: name.into(),
            text: text.into(),
            first_invalid,
            rendered: None,
        }
    }

    /// The same text, said to be rendered: its documents know which file they come from.
    #[must_use]
    pub fn rendered(self, from: Rendered) -> Self {
        Self {
            rendered: Some(Arc::new(from)),
            ..self
        }
    }

    /// Reads a file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        let bytes = fs::read(path).map_err(|error| crate::walk::unreadable(path, &error))?;
        Ok(Self::new(name, bytes))
    }

    /// Reads a stream to its end, for example standard input under the name [`Source::STDIN`].
    pub fn read(name: impl Into<Arc<str>>, mut reader: impl Read) -> Result<Self, Error> {
        let name = name.into();
        let mut bytes = Vec::new();
        let read: io::Result<usize> = reader.read_to_end(&mut bytes);
        read.map_err(|error| Error::of_file(&name, format!("cannot be read: {error}"), None))?;
        Ok(Self::new(name, bytes))
    }

    /// The name as the user gave it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The decoded text, without a byte order mark.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the first byte stood that was not UTF-8 and was read as U+FFFD.
    ///
    /// kubectl says nothing about it and sends the replacement; a caller may want to tell.
    #[must_use]
    pub fn first_invalid(&self) -> Option<Position> {
        self.first_invalid.map(|at| position(&self.text, at))
    }

    pub(crate) fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    pub(crate) fn shared_rendered(&self) -> Option<Arc<Rendered>> {
        self.rendered.clone()
    }

    pub(crate) fn shared_text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }
}

/// Decodes by byte order mark; the second value is the offset of the first replaced character.
fn decode(bytes: &[u8]) -> (String, Option<usize>) {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => decode_utf8(rest),
        [0xFF, 0xFE, rest @ ..] => decode_utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => decode_utf16(rest, u16::from_be_bytes),
        _ => decode_utf8(bytes),
    }
}

fn decode_utf8(bytes: &[u8]) -> (String, Option<usize>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), None),
        // Both Go and Rust put one U+FFFD for each maximal ill-formed part.
        Err(error) => (
            String::from_utf8_lossy(bytes).into_owned(),
            Some(error.valid_up_to()),
        ),
    }
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> (String, Option<usize>) {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut first_invalid = None;
    for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        if decoded.is_err() {
            first_invalid.get_or_insert(text.len());
        }
        text.push(decoded.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    if !odd.is_empty() {
        first_invalid.get_or_insert(text.len());
        text.push(char::REPLACEMENT_CHARACTER);
    }
    (text, first_invalid)
}

/// The position of byte `at` in `text`; past the end it is the end.
pub(crate) fn position(text: &str, at: usize) -> Position {
    Cursor::default().advance(text, at)
}

/// A place in a text that moves forward only, so that asking for the positions of many places in
/// their order costs one pass, on one long line too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor {
    at: usize,
    position: Position,
}

impl Default for Cursor {
    fn default() -> Self {
        Self::new(0, Position { line: 1, column: 1 })
    }
}

impl Cursor {
    /// Starts at a byte whose position is known.
    pub(crate) fn new(at: usize, position: Position) -> Self {
        Self { at, position }
    }

    /// Moves to a byte that is not before the cursor; past the end of the text it is the end.
    pub(crate) fn advance(&mut self, text: &str, to: usize) -> Position {
        let to = floor(text, to).max(self.at);
        let passed = &text[self.at..to];
        let mut rest = passed;
        if let Some(feed) = memchr::memrchr(b'\n', passed.as_bytes()) {
            self.position.line += memchr::memchr_iter(b'\n', passed.as_bytes()).count();
            self.position.column = 1;
            rest = &passed[feed + 1..];
        }
        self.position.column += rest.chars().count();
        self.at = to;
        self.position
    }
}

/// The beginning of the character that byte `at` is a part of; past the end it is the end.
pub(crate) fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The bytes of the line of `text` that holds byte `at`, without its line break.
pub(crate) fn line_range(text: &str, at: usize) -> Range<usize> {
    let at = floor(text, at);
    let start = memchr::memrchr(b'\n', &text.as_bytes()[..at]).map_or(0, |feed| feed + 1);
    let end = memchr::memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |feed| at + feed);
    start..start + text[start..end].trim_end_matches('\r').len()
}

/// The line of `text` that holds byte `at`, without its line break.
pub(crate) fn line_at(text: &str, at: usize) -> &str {
    &text[line_range(text, at)]
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain(b"a: b", "a: b", None)]
    #[case::utf8_mark(b"\xEF\xBB\xBFa: b", "a: b", None)]
    #[case::little_endian(b"\xFF\xFEa\0:\0", "a:", None)]
    #[case::big_endian(b"\xFE\xFF\0a\0:", "a:", None)]
    #[case::surrogates(b"\xFF\xFE\x3D\xD8\x00\xDE", "\u{1F600}", None)]
    #[case::odd(b"\xFF\xFEa\0:", "a\u{FFFD}", Some((1, 2)))]
    #[case::invalid(b"a\nb\xFFc", "a\nb\u{FFFD}c", Some((2, 2)))]
    #[case::truncated(b"a\xE2\x82", "a\u{FFFD}", Some((1, 2)))]
    #[case::empty(b"", "", None)]
    fn decodes(#[case] bytes: &[u8], #[case] text: &str, #[case] at: Option<(usize, usize)>) {
        let source = Source::new("f", bytes);
        assert_eq!(source.text(), text);
        assert_eq!(source.first_invalid().map(|p| (p.line, p.column)), at);
    }

    #[rstest]
    #[case(0, 1, 1, "ä: x")]
    #[case(2, 1, 2, "ä: x")]
    #[case(7, 2, 1, "b: y")]
    #[case(99, 3, 1, "")]
    fn positions(#[case] at: usize, #[case] line: usize, #[case] column: usize, #[case] of: &str) {
        let text = "ä: x\r\nb: y\n";
        assert_eq!(position(text, at), Position { line, column });
        assert_eq!(line_at(text, at), of);
    }
}

//! JSON as Go reads it: a pull lexer that borrows its texts from the input and skips values fast.
//!
//! Upstream's counterpart is `encoding/json` of Go and its fork `sigs.k8s.io/json`
//! (`internal/golang/encoding/json/scanner.go` for the grammar and its error texts, `decode.go` for
//! texts). serde differs from them on lone surrogates and invalid UTF-8 (Go: U+FFFD, one for each
//! byte), on nesting (Go: 10,000) and on every error text.

use std::fmt;

use wide::u8x16;

use crate::quote::quote;

mod text;

pub use text::RawText;

/// How deep objects and lists may nest in each other.
pub const MAX_DEPTH: usize = 10_000;

/// Why a text is no JSON; its `Display` is Go's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The byte that does not fit; `None` where the input ends too early.
    byte: Option<u8>,
    /// What was read when it came.
    context: &'static str,
    /// Its offset from the start of the input, in bytes, from zero.
    pub offset: usize,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.byte {
            None => f.write_str("unexpected end of JSON input"),
            Some(b'\'') => write!(f, r"invalid character '\'' {}", self.context),
            Some(b'"') => write!(f, "invalid character '\"' {}", self.context),
            Some(byte) => {
                let quoted = quote(char::from(byte).encode_utf8(&mut [0; 4]));
                let bare = &quoted[1..quoted.len() - 1];
                write!(f, "invalid character '{bare}' {}", self.context)
            }
        }
    }
}

impl std::error::Error for SyntaxError {}

/// What value stands next in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// `{`
    Object,
    /// `[`
    List,
    /// `"`
    String,
    /// A digit or `-`.
    Number,
    /// `true` or `false`
    Bool,
    /// `null`
    Null,
}

/// Reads one JSON value from the front of the input.
///
/// Each method expects that the value that it reads stands next: ask [`peek`](Self::peek) first.
#[derive(Clone, Debug)]
pub struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl<'a> Lexer<'a> {
    /// A lexer at the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            depth: 0,
        }
    }

    /// The offset of the next byte.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.at
    }

    /// The input between two offsets.
    #[must_use]
    pub fn slice(&self, from: usize, to: usize) -> &'a [u8] {
        &self.bytes[from..to]
    }

    /// What value stands next, behind white space.
    #[inline]
    pub fn peek(&mut self) -> Result<Token, SyntaxError> {
        match self.skip_space() {
            Some(b'{') => Ok(Token::Object),
            Some(b'[') => Ok(Token::List),
            Some(b'"') => Ok(Token::String),
            Some(b'-' | b'0'..=b'9') => Ok(Token::Number),
            Some(b't' | b'f') => Ok(Token::Bool),
            Some(b'n') => Ok(Token::Null),
            _ => Err(self.unexpected("looking for beginning of value")),
        }
    }

    /// The error for one level more than is allowed.
    #[must_use]
    pub fn too_deep(&self) -> SyntaxError {
        self.unexpected("exceeded max depth")
    }

    /// The error for a byte behind an item of a list or a member of an object that neither goes on
    /// nor ends there.
    #[must_use]
    pub fn misplaced(&self) -> SyntaxError {
        self.unexpected("after array element")
    }

    /// Opens an object: [`key`](Self::key) reads on.
    #[inline]
    pub fn open_object(&mut self) -> Result<(), SyntaxError> {
        self.open()
    }

    /// Opens a list: [`item`](Self::item) reads on.
    #[inline]
    pub fn open_list(&mut self) -> Result<(), SyntaxError> {
        self.open()
    }

    #[inline]
    fn open(&mut self) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn close(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    /// Goes to the quote that opens the next key of the object, or behind its end; whether there is a key.
    #[inline]
    fn next_key(&mut self, first: bool) -> Result<bool, SyntaxError> {
        let mut next = self.skip_space();
        if next == Some(b'}') {
            self.close();
            return Ok(false);
        }
        if !first {
            if next != Some(b',') {
                return Err(self.unexpected("after object key:value pair"));
            }
            self.at += 1;
            next = self.skip_space();
        }
        if next != Some(b'"') {
            return Err(self.unexpected("looking for beginning of object key string"));
        }
        Ok(true)
    }

    /// Reads over the next key of the object and its colon; whether there is one.
    #[inline]
    fn skip_key(&mut self, first: bool) -> Result<bool, SyntaxError> {
        if !self.next_key(first)? {
            return Ok(false);
        }
        self.skip_text()?;
        self.colon()?;
        Ok(true)
    }

    /// The next key of the object, its colon read, or `None` at the object's end; `first` right
    /// behind [`open_object`](Self::open_object).
    #[inline]
    pub fn key(&mut self, first: bool) -> Result<Option<RawText<'a>>, SyntaxError> {
        if !self.next_key(first)? {
            return Ok(None);
        }
        let key = self.text()?;
        self.colon()?;
        Ok(Some(key))
    }

    #[inline]
    fn colon(&mut self) -> Result<(), SyntaxError> {
        if self.skip_space() != Some(b':') {
            return Err(self.unexpected("after object key"));
        }
        self.at += 1;
        Ok(())
    }

    /// Whether the list has another item, which then stands next; `first` right behind
    /// [`open_list`](Self::open_list).
    #[inline]
    pub fn item(&mut self, first: bool) -> Result<bool, SyntaxError> {
        match self.skip_space() {
            Some(b']') => {
                self.close();
                Ok(false)
            }
            Some(_) if first => Ok(true),
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(self.unexpected("after array element")),
        }
    }

    /// The text that stands next.
    #[inline]
    pub fn text(&mut self) -> Result<RawText<'a>, SyntaxError> {
        let offset = self.at;
        let plain = self.skip_text()?;
        Ok(RawText {
            bytes: &self.bytes[offset + 1..self.at - 1],
            plain,
            offset,
        })
    }

    /// Reads over the text that stands next; whether it has no escapes.
    #[inline]
    fn skip_text(&mut self) -> Result<bool, SyntaxError> {
        let start = self.at + 1;
        // Most texts end among the first bytes.
        if let Some(step) = self.bytes.get(start..).and_then(<[u8]>::first_chunk)
            && let Some(found) = first_special(step)
            && self.bytes[start + found] == b'"'
        {
            self.at = start + found + 1;
            return Ok(true);
        }
        self.at = start;
        self.skip_long_text()
    }

    /// Reads over what is left of a text; whether it has no escapes.
    // Inlined it makes every loop around it slower.
    #[inline(never)]
    fn skip_long_text(&mut self) -> Result<bool, SyntaxError> {
        let mut plain = true;
        loop {
            self.at = special(self.bytes, self.at);
            match self.bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    plain = false;
                    self.escape()?;
                }
                _ => return Err(self.unexpected("in string literal")),
            }
        }
        self.at += 1;
        Ok(plain)
    }

    fn escape(&mut self) -> Result<(), SyntaxError> {
        self.at += 1;
        match self.bytes.get(self.at) {
            Some(b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !matches!(self.bytes.get(self.at), Some(b) if b.is_ascii_hexdigit()) {
                        return Err(self.cut_short("in \\u hexadecimal character escape"));
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.cut_short("in string escape code")),
        }
        Ok(())
    }

    /// The digits of the number that stands next, with sign, point and exponent.
    #[inline]
    pub fn number(&mut self) -> Result<&'a str, SyntaxError> {
        let start = self.at;
        if self.bytes[self.at] == b'-' {
            self.at += 1;
        }
        match self.bytes.get(self.at) {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.cut_short("in numeric literal")),
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if !self.at_digit() {
                return Err(self.cut_short("after decimal point in numeric literal"));
            }
            self.digits();
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            if !self.at_digit() {
                return Err(self.cut_short("in exponent of numeric literal"));
            }
            self.digits();
        }
        // What was read is ASCII, so nothing is lost.
        Ok(std::str::from_utf8(&self.bytes[start..self.at]).unwrap_or_default())
    }

    fn at_digit(&self) -> bool {
        matches!(self.bytes.get(self.at), Some(b'0'..=b'9'))
    }

    fn digits(&mut self) {
        while self.at_digit() {
            self.at += 1;
        }
    }

    /// The truth value that stands next.
    pub fn bool(&mut self) -> Result<bool, SyntaxError> {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(b"true") {
            self.at += 4;
            return Ok(true);
        }
        if rest.starts_with(b"false") {
            self.at += 5;
            return Ok(false);
        }
        let value = self.bytes[self.at] == b't';
        if value {
            self.literal(&[
                (b't', ""),
                (b'r', "in literal true (expecting 'r')"),
                (b'u', "in literal true (expecting 'u')"),
                (b'e', "in literal true (expecting 'e')"),
            ])?;
        } else {
            self.literal(&[
                (b'f', ""),
                (b'a', "in literal false (expecting 'a')"),
                (b'l', "in literal false (expecting 'l')"),
                (b's', "in literal false (expecting 's')"),
                (b'e', "in literal false (expecting 'e')"),
            ])?;
        }
        Ok(value)
    }

    /// The null that stands next.
    pub fn null(&mut self) -> Result<(), SyntaxError> {
        if self.bytes[self.at..].starts_with(b"null") {
            self.at += 4;
            return Ok(());
        }
        self.literal(&[
            (b'n', ""),
            (b'u', "in literal null (expecting 'u')"),
            (b'l', "in literal null (expecting 'l')"),
            (b'l', "in literal null (expecting 'l')"),
        ])
    }

    fn literal(&mut self, letters: &[(u8, &'static str)]) -> Result<(), SyntaxError> {
        for &(letter, context) in letters {
            if self.bytes.get(self.at) != Some(&letter) {
                return Err(self.cut_short(context));
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Reads over one value, whatever it is, without building anything.
    pub fn skip(&mut self) -> Result<(), SyntaxError> {
        let mut open = Nesting::default();
        'value: loop {
            match self.skip_space() {
                Some(b'"') => {
                    self.skip_text()?;
                }
                Some(b'{') => {
                    self.open_object()?;
                    if self.skip_key(true)? {
                        open.push(true);
                        continue 'value;
                    }
                }
                Some(b'[') => {
                    self.open_list()?;
                    if self.item(true)? {
                        open.push(false);
                        continue 'value;
                    }
                }
                Some(b'-' | b'0'..=b'9') => {
                    self.number()?;
                }
                Some(b't' | b'f') => {
                    self.bool()?;
                }
                Some(b'n') => self.null()?,
                _ => return Err(self.unexpected("looking for beginning of value")),
            }
            // A value has ended: the next one, or the end of what it stands in, follows.
            loop {
                let another = match open.top() {
                    None => return Ok(()),
                    Some(true) => self.skip_key(false)?,
                    Some(false) => self.item(false)?,
                };
                if another {
                    continue 'value;
                }
                open.pop();
            }
        }
    }

    /// Checks that nothing but white space is left.
    pub fn end(&mut self) -> Result<(), SyntaxError> {
        match self.skip_space() {
            None => Ok(()),
            Some(_) => Err(self.unexpected("after top-level value")),
        }
    }

    #[inline]
    fn skip_space(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at) {
                // Most JSON has none.
                Some(&next) if next > b' ' => return Some(next),
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                next => return next.copied(),
            }
        }
    }

    /// The error for the byte at hand, where the end of the input is an error of its own.
    fn unexpected(&self, context: &'static str) -> SyntaxError {
        SyntaxError {
            byte: self.bytes.get(self.at).copied(),
            context,
            offset: self.at,
        }
    }

    /// The error for the byte at hand inside of a number, a literal or an escape: at the end of the
    /// input Go feeds its scanner a space, which fits in none of these (`scanner.eof`).
    fn cut_short(&self, context: &'static str) -> SyntaxError {
        SyntaxError {
            byte: Some(self.bytes.get(self.at).copied().unwrap_or(b' ')),
            context,
            offset: self.at,
        }
    }
}

/// What the lexer is inside of while it skips: true for an object, one bit a level.
#[derive(Default)]
struct Nesting {
    full: Vec<u64>,
    bits: u64,
    levels: u32,
}

impl Nesting {
    fn push(&mut self, object: bool) {
        if self.levels == u64::BITS {
            self.full.push(self.bits);
            self.levels = 0;
        }
        self.bits = self.bits << 1 | u64::from(object);
        self.levels += 1;
    }

    fn pop(&mut self) {
        self.bits >>= 1;
        self.levels -= 1;
        if self.levels == 0
            && let Some(bits) = self.full.pop()
        {
            self.bits = bits;
            self.levels = u64::BITS;
        }
    }

    fn top(&self) -> Option<bool> {
        (self.levels > 0).then_some(self.bits & 1 == 1)
    }
}

/// How many bytes are looked at in one step.
const STEP: usize = 16;

/// The offset of the first byte that is a quote, a backslash or a control character.
#[inline]
fn first_special(step: &[u8; STEP]) -> Option<usize> {
    let step = u8x16::new(*step);
    let control = u8x16::splat(b' ' - 1);
    let found = step.simd_eq(u8x16::splat(b'"'))
        | step.simd_eq(u8x16::splat(b'\\'))
        | step.min(control).simd_eq(step);
    let found = found.to_bitmask();
    (found != 0).then(|| found.trailing_zeros() as usize)
}

/// The offset of the first byte from `at` on that is a quote, a backslash or a control character;
/// the length of the input where there is none.
#[inline]
fn special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(step) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        if let Some(found) = first_special(step) {
            return at + found;
        }
        at += STEP;
    }
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' || byte == b'\\' || byte < b' ' {
            break;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests;

//! JSON as Go's encoding/json reads it: the syntax errors in its words, U+FFFD for a lone
//! surrogate, ten thousand levels.
//!
//! Upstream: Go's encoding/json `scanner.go` and `decode.go`, which sigs.k8s.io/json forks.

mod strings;

use std::ops::Range;

pub(crate) use strings::RawString;
use strings::quoted;

use crate::{
    encode::number_out_of_range,
    error::Flaw,
    number::json_number,
    source::floor,
    tree::{Builder, MAX_DEPTH, Style, Tree},
};

/// Reads values from a text, from one byte on.
pub(crate) struct Reader<'t> {
    text: &'t str,
    at: usize,
}

/// Go's words for the place of a member's name.
const MEMBER: &str = "looking for beginning of object key string";

/// What a value begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

impl Token {
    /// The name in Go's messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// Whether the text is JSON to kubectl: `IsJSONBuffer` on the first 4096 bytes.
pub(crate) fn is_json(text: &str) -> bool {
    let peeked = &text[..floor(text, 4096)];
    peeked.trim_start().starts_with('{')
}

impl<'t> Reader<'t> {
    pub(crate) fn new(text: &'t str, at: usize) -> Self {
        Self { text, at }
    }

    /// The byte to be read next.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Skips white space; false at the end of the text.
    pub(crate) fn skip_space(&mut self) -> bool {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
        self.at < self.text.len()
    }

    /// What the value at hand is, by its first byte.
    pub(crate) fn token(&mut self) -> Result<Token, Flaw> {
        self.skip_space();
        Ok(match self.peek() {
            Some(b'{') => Token::Object,
            Some(b'[') => Token::Array,
            Some(b'"') => Token::String,
            Some(b't' | b'f') => Token::Bool,
            Some(b'n') => Token::Null,
            Some(b'-' | b'0'..=b'9') => Token::Number,
            _ => return Err(self.unexpected("looking for beginning of value")),
        })
    }

    /// Checks the value at hand, shows it to a visitor, and gives its bytes.
    pub(crate) fn visit(&mut self, visitor: &mut impl Visit) -> Result<Range<usize>, Flaw> {
        self.skip_space();
        let start = self.at;
        self.walk(visitor)?;
        Ok(start..self.at)
    }

    /// Steps into the array at hand, which has been checked before; then to each further item.
    pub(crate) fn next_item(&mut self) -> bool {
        self.skip_space();
        match self.peek() {
            Some(b'[' | b',') => {
                self.at += 1;
                self.skip_space();
                self.peek() != Some(b']')
            }
            _ => false,
        }
    }

    /// Reads the value at hand into a tree whose places count from the beginning of the text.
    pub(crate) fn tree(&mut self) -> Result<Tree, Flaw> {
        let mut builder = Builder::default();
        self.walk(&mut builder)?;
        Ok(builder.finish())
    }

    fn raw_string(&mut self) -> Result<RawString<'t>, Flaw> {
        let start = self.at + 1;
        let mut escaped = false;
        self.at = start;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let plain = rest.iter().position(|b| ENDS_PLAIN_TEXT[usize::from(*b)]);
            self.at += plain.unwrap_or(rest.len());
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.skip_escape()?;
                }
                _ => return Err(self.unexpected("in string literal")),
            }
        }
        let text = &self.text[start..self.at];
        self.at += 1;
        Ok(RawString { text, escaped })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_escape(&mut self) -> Result<(), Flaw> {
        self.at += 1;
        match self.peek() {
            Some(b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|b| b.is_ascii_hexdigit()) {
                        return Err(self.unexpected("in \\u hexadecimal character escape"));
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.unexpected("in string escape code")),
        }
        Ok(())
    }

    fn member_name(&mut self) -> Result<RawString<'t>, Flaw> {
        self.skip_space();
        if self.peek() != Some(b'"') {
            return Err(self.unexpected(MEMBER));
        }
        let name = self.raw_string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected("after object key"));
        }
        self.at += 1;
        Ok(name)
    }

    /// Reads the closing bracket (true) or, unless the collection is new, a comma (false).
    fn closes(&mut self, bracket: u8, context: &str, new: bool) -> Result<bool, Flaw> {
        self.skip_space();
        match self.peek() {
            Some(found) if found == bracket => {
                self.at += 1;
                Ok(true)
            }
            Some(b',') if !new => {
                self.at += 1;
                Ok(false)
            }
            Some(_) if new => Ok(false),
            _ => Err(self.unexpected(context)),
        }
    }

    /// Walks through one value without recursion.
    fn walk(&mut self, visitor: &mut impl Visit) -> Result<(), Flaw> {
        // True for an object, false for an array.
        let mut open: Vec<bool> = Vec::new();
        // The value has to be well formed before its numbers matter.
        let mut out_of_range = None;
        loop {
            let token = self.token()?;
            let at = self.at;
            match token {
                Token::Object | Token::Array => {
                    if open.len() == MAX_DEPTH {
                        return Err(Flaw::new(at, "exceeded max depth"));
                    }
                    self.at += 1;
                    let is_object = token == Token::Object;
                    visitor.open(at, is_object)?;
                    open.push(is_object);
                    let (bracket, context) = if is_object {
                        (b'}', MEMBER)
                    } else {
                        (b']', "looking for beginning of value")
                    };
                    if self.closes(bracket, context, true)? {
                        visitor.close();
                        open.pop();
                    } else {
                        if is_object {
                            self.visit_name(visitor)?;
                        }
                        continue;
                    }
                }
                Token::String => {
                    let value = self.raw_string()?;
                    visitor.string(at, value)?;
                }
                Token::Number => {
                    let number = self.number()?;
                    if is_out_of_range(number) {
                        out_of_range.get_or_insert_with(|| number_out_of_range(at, number));
                    }
                    visitor.scalar(at, Style::JsonNumber, number)?;
                }
                Token::Bool | Token::Null => {
                    let literal = self.literal()?;
                    visitor.scalar(at, Style::Plain, literal)?;
                }
            }
            loop {
                let Some(is_object) = open.last().copied() else {
                    return out_of_range.map_or(Ok(()), Err);
                };
                let (bracket, context) = if is_object {
                    (b'}', "after object key:value pair")
                } else {
                    (b']', "after array element")
                };
                if self.closes(bracket, context, false)? {
                    visitor.close();
                    open.pop();
                    continue;
                }
                if is_object {
                    self.visit_name(visitor)?;
                }
                break;
            }
        }
    }

    fn visit_name(&mut self, visitor: &mut impl Visit) -> Result<(), Flaw> {
        self.skip_space();
        let at = self.at;
        let name = self.member_name()?;
        visitor.name(at, name)
    }

    fn literal(&mut self) -> Result<&'static str, Flaw> {
        let literal = match self.peek() {
            Some(b't') => "true",
            Some(b'f') => "false",
            _ => "null",
        };
        for (i, expected) in literal.bytes().enumerate() {
            if self.peek() != Some(expected) {
                let context = format!(
                    "in literal {literal} (expecting '{}')",
                    char::from(literal.as_bytes()[i])
                );
                return Err(self.unexpected(&context));
            }
            self.at += 1;
        }
        Ok(literal)
    }

    fn number(&mut self) -> Result<&'t str, Flaw> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.skip_digits(),
            _ => return Err(self.unexpected("in numeric literal")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits("after decimal point in numeric literal")?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.some_digits("in exponent of numeric literal")?;
        }
        Ok(&self.text[start..self.at])
    }

    fn some_digits(&mut self, context: &str) -> Result<(), Flaw> {
        if !self.peek().is_some_and(|b| b.is_ascii_digit()) {
            return Err(self.unexpected(context));
        }
        self.skip_digits();
        Ok(())
    }

    fn skip_digits(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn unexpected(&self, context: &str) -> Flaw {
        match self.text[floor(self.text, self.at)..].chars().next() {
            None => Flaw::new(self.at.min(self.text.trim_end().len()), "unexpected EOF")
                .hint("the text ends before its last bracket or quote is closed"),
            Some(found) => {
                let flaw = Flaw::new(
                    self.at,
                    format!("invalid character {} {context}", quoted(found)),
                );
                match found {
                    '}' | ']' if context.starts_with("looking for") => {
                        flaw.hint("JSON takes no comma after the last member")
                    }
                    '\'' => flaw.hint("JSON puts strings in double quotes"),
                    _ if context == MEMBER => flaw.hint(
                        "what begins with { is JSON, with names in double quotes; \
                         to have it read as YAML begin with a line `---`",
                    ),
                    _ => flaw,
                }
            }
        }
    }
}

/// The bytes that need a look inside of a string: quotes, backslashes and control characters.
const ENDS_PLAIN_TEXT: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};

/// Whether a number is beyond float64: only a long one or one with an exponent can be.
fn is_out_of_range(number: &str) -> bool {
    (number.len() > 300 || number.contains(['e', 'E'])) && json_number(number).is_none()
}

/// What is made of a value while it is read.
pub(crate) trait Visit {
    /// The name of a member; its value follows.
    fn name(&mut self, at: usize, name: RawString<'_>) -> Result<(), Flaw>;
    fn string(&mut self, at: usize, value: RawString<'_>) -> Result<(), Flaw>;
    /// Any other scalar.
    fn scalar(&mut self, at: usize, style: Style, value: &str) -> Result<(), Flaw>;
    fn open(&mut self, at: usize, is_object: bool) -> Result<(), Flaw>;
    fn close(&mut self);
}

impl Visit for Builder {
    fn name(&mut self, at: usize, name: RawString<'_>) -> Result<(), Flaw> {
        self.string(at, name)
    }

    fn string(&mut self, at: usize, value: RawString<'_>) -> Result<(), Flaw> {
        Builder::scalar(self, at, Style::Explicit, None, &value.decode()).map(drop)
    }

    fn scalar(&mut self, at: usize, style: Style, value: &str) -> Result<(), Flaw> {
        Builder::scalar(self, at, style, None, value).map(drop)
    }

    fn open(&mut self, at: usize, is_object: bool) -> Result<(), Flaw> {
        if is_object {
            self.open_mapping(at)
        } else {
            self.open_sequence(at)
        }
        .map(drop)
    }

    fn close(&mut self) {
        Builder::close(self);
    }
}

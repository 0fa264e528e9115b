//! Reading one shape of JSON and giving up on every other.

use std::str::FromStr;

use super::{Scanner, Spare};
use crate::json::{Lexer, SyntaxError, Token};

/// It takes the decoder to tell what this is.
#[derive(Debug)]
pub(super) struct Unclear;

impl From<SyntaxError> for Unclear {
    fn from(_: SyntaxError) -> Self {
        Self
    }
}

pub(super) type Scan<T> = Result<T, Unclear>;

/// The keys of an object that were there: of one that is there twice, the decoder has to make sense.
#[derive(Default)]
pub(super) struct Once(u32);

impl Once {
    pub(super) fn then<T>(&mut self, key: u32, read: impl FnOnce() -> Scan<T>) -> Scan<T> {
        if self.has(key) {
            return Err(Unclear);
        }
        self.0 |= 1 << key;
        read()
    }

    pub(super) fn has(&self, key: u32) -> bool {
        self.0 & 1 << key != 0
    }
}

/// Each method reads the value that stands next, if that is what it is for.
pub(super) struct Reader<'a, 's> {
    pub(super) lexer: Lexer<'a>,
    pub(super) known: Scanner,
    pub(super) spare: &'s mut Spare<'a>,
}

impl<'a> Reader<'a, '_> {
    /// Whether a value of that shape stands next: null is none, and any other shape is for the decoder.
    #[inline]
    fn is(&mut self, token: Token) -> Scan<bool> {
        let next = self.lexer.peek()?;
        if next == token {
            return Ok(true);
        }
        if next == Token::Null {
            self.lexer.null()?;
            return Ok(false);
        }
        Err(Unclear)
    }

    /// Whether there is a value: null is none.
    pub(super) fn present(&mut self) -> Scan<bool> {
        if self.lexer.peek()? == Token::Null {
            self.lexer.null()?;
            return Ok(false);
        }
        Ok(true)
    }

    /// Reads an object; `field` says whether it read the value of the key, which is skipped
    /// otherwise.
    pub(super) fn object(
        &mut self,
        mut field: impl FnMut(&mut Self, &'a [u8]) -> Scan<bool>,
    ) -> Scan<()> {
        if !self.is(Token::Object)? {
            return Ok(());
        }
        self.lexer.open_object()?;
        let mut first = true;
        while let Some(key) = self.lexer.key(first)? {
            first = false;
            if !key.is_plain() {
                return Err(Unclear);
            }
            if !field(self, key.bytes())? {
                self.lexer.skip()?;
            }
        }
        Ok(())
    }

    /// Reads a list; `item` reads an item, at its index.
    pub(super) fn list(&mut self, mut item: impl FnMut(&mut Self, usize) -> Scan<()>) -> Scan<()> {
        if !self.is(Token::List)? {
            return Ok(());
        }
        self.lexer.open_list()?;
        let mut index = 0;
        while self.lexer.item(index == 0)? {
            item(self, index)?;
            index += 1;
        }
        Ok(())
    }

    pub(super) fn text(&mut self) -> Scan<Option<&'a str>> {
        if !self.is(Token::String)? {
            return Ok(None);
        }
        self.lexer.text()?.borrowed().map(Some).ok_or(Unclear)
    }

    pub(super) fn text_or_empty(&mut self) -> Scan<&'a str> {
        Ok(self.text()?.unwrap_or_default())
    }

    pub(super) fn expect(&mut self, text: &str) -> Scan<()> {
        match self.text()? {
            Some(found) if found == text => Ok(()),
            _ => Err(Unclear),
        }
    }

    pub(super) fn flag(&mut self) -> Scan<Option<bool>> {
        if !self.is(Token::Bool)? {
            return Ok(None);
        }
        Ok(Some(self.lexer.bool()?))
    }

    /// An integer that fits into `T`, as the field's type in Go is.
    pub(super) fn int<T: FromStr>(&mut self) -> Scan<Option<T>> {
        if !self.is(Token::Number)? {
            return Ok(None);
        }
        self.lexer.number()?.parse().map(Some).map_err(|_| Unclear)
    }

    pub(super) fn texts(&mut self) -> Scan<Vec<&'a str>> {
        let mut texts = self.spare.texts();
        self.list(|reader, _| {
            texts.push(reader.text_or_empty()?);
            Ok(())
        })?;
        Ok(texts)
    }

    /// The text at `key` of a map, where null is an empty text as the decoder has it.
    pub(super) fn entry(&mut self, key: &[u8]) -> Scan<Option<&'a str>> {
        let mut once = Once::default();
        let mut entry = None;
        self.object(|reader, found| {
            if found != key {
                return Ok(false);
            }
            entry = Some(once.then(0, || reader.text_or_empty())?);
            Ok(true)
        })?;
        Ok(entry)
    }

    /// The text at `name` of an object.
    pub(super) fn member(&mut self, name: &[u8]) -> Scan<Option<&'a str>> {
        let mut once = Once::default();
        let mut member = None;
        self.object(|reader, key| {
            if key != name {
                return Ok(false);
            }
            member = once.then(0, || reader.text())?;
            Ok(true)
        })?;
        Ok(member)
    }
}

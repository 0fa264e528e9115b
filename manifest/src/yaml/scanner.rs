//! Characters to tokens: indentation, simple keys, indicators.
//!
//! A key needs no mark of its own (`a: 1`): whether `a` was one shows only at the colon. So tokens
//! queue up until every simple key that is possible among them is settled.
//!
//! Upstream: go.yaml.in/yaml/v2 `scannerc.go`.

use std::collections::{BTreeMap, VecDeque};

use super::token::{Token, TokenKind};
use crate::{error::Flaw, tree::MAX_DEPTH};

/// A key must be followed by its colon within as many characters, and on its line.
const MAX_KEY_LENGTH: usize = 1024;

/// The scanner of one text.
#[derive(Debug)]
pub(super) struct Scanner<'t> {
    pub(super) text: &'t str,
    /// The byte to be read next, its line and its column in characters, both from 0.
    pub(super) at: usize,
    pub(super) line: usize,
    pub(super) column: usize,
    /// The column of the innermost block collection, -1 outside of any, and those around it.
    pub(super) indent: isize,
    indents: Vec<isize>,
    /// How many brackets are open.
    pub(super) flow_level: usize,
    pub(super) simple_key_allowed: bool,
    /// The last possible simple key of each flow level, and the levels by the number of its token.
    simple_keys: Vec<SimpleKey>,
    simple_keys_by_token: BTreeMap<usize, usize>,
    tokens: VecDeque<Token>,
    /// How many tokens were taken from the queue.
    taken: usize,
}

/// A place where a key may have begun.
#[derive(Debug, Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    /// A block mapping goes on here: anything but a key is an error.
    required: bool,
    token: usize,
    at: usize,
    line: usize,
    column: usize,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            line: 0,
            column: 0,
            indent: -1,
            indents: Vec::new(),
            flow_level: 0,
            simple_key_allowed: true,
            simple_keys: vec![SimpleKey::default()],
            simple_keys_by_token: BTreeMap::new(),
            tokens: VecDeque::new(),
            taken: 0,
        }
    }

    /// The next token, which stays in the queue.
    pub(super) fn peek(&mut self) -> Result<&Token, Flaw> {
        while self.needs_more()? {
            self.fetch()?;
        }
        Ok(&self.tokens[0])
    }

    /// Takes the next token from the queue.
    pub(super) fn take(&mut self) -> Result<Token, Flaw> {
        self.peek()?;
        self.taken += 1;
        match self.tokens.pop_front() {
            Some(token) => Ok(token),
            None => Err(self.flaw("did not find expected token")),
        }
    }

    /// Puts the token that was taken last back to the front of the queue.
    pub(super) fn put_back(&mut self, token: Token) {
        self.taken -= 1;
        self.tokens.push_front(token);
    }

    /// Whether the first token of the queue may still turn out to begin a key.
    fn needs_more(&mut self) -> Result<bool, Flaw> {
        if self.tokens.is_empty() {
            return Ok(true);
        }
        match self.simple_keys_by_token.get(&self.taken) {
            Some(level) => self.is_possible_key(*level),
            None => Ok(false),
        }
    }

    fn fetch(&mut self) -> Result<(), Flaw> {
        self.skip_to_token();
        self.unroll_indent(isize::try_from(self.column).unwrap_or(isize::MAX));
        let next = self.byte(0);
        let next_ends_word = self.is_blankz(1);
        match next {
            0 => self.fetch_stream_end(),
            b'%' if self.column == 0 => self.fetch_directive(),
            b'-' if self.at_document_indicator(b'-') => {
                self.fetch_document_indicator(TokenKind::DocumentStart)
            }
            b'.' if self.at_document_indicator(b'.') => {
                self.fetch_document_indicator(TokenKind::DocumentEnd)
            }
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                self.push_indicator(TokenKind::FlowEntry);
                Ok(())
            }
            b'-' if next_ends_word => self.fetch_block_entry(),
            b'?' if self.flow_level > 0 || next_ends_word => self.fetch_key(),
            b':' if self.flow_level > 0 || next_ends_word => self.fetch_value(),
            b'*' | b'&' => {
                self.begin_node()?;
                let token = self.scan_anchor(next == b'*')?;
                self.tokens.push_back(token);
                Ok(())
            }
            b'!' => {
                self.begin_node()?;
                let token = self.scan_tag()?;
                self.tokens.push_back(token);
                Ok(())
            }
            b'|' | b'>' if self.flow_level == 0 => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                let token = self.scan_block_scalar(next == b'|')?;
                self.tokens.push_back(token);
                Ok(())
            }
            b'\'' | b'"' => {
                self.begin_node()?;
                let token = self.scan_quoted_scalar(next == b'\'')?;
                self.tokens.push_back(token);
                Ok(())
            }
            _ if self.begins_plain_scalar() => {
                self.begin_node()?;
                let token = self.scan_plain_scalar()?;
                self.tokens.push_back(token);
                Ok(())
            }
            _ => Err(self.flaw("found character that cannot start any token")),
        }
    }

    /// A plain scalar begins with no indicator, except for `-`, `?` and `:` before other text.
    fn begins_plain_scalar(&self) -> bool {
        match self.byte(0) {
            b'-' => !matches!(self.byte(1), b' ' | b'\t'),
            b'?' | b':' => self.flow_level == 0 && !self.is_blankz(1),
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
            | b'"' | b'%' | b'@' | b'`' => false,
            _ => !self.is_blankz(0),
        }
    }

    /// Skips blanks, comments and line breaks. A tab may stand where no indentation is measured.
    fn skip_to_token(&mut self) {
        loop {
            while self.byte(0) == b' '
                || self.byte(0) == b'\t' && (self.flow_level > 0 || !self.simple_key_allowed)
            {
                self.skip();
            }
            if self.byte(0) == b'#' {
                self.skip_comment();
            }
            if self.break_len(0) == 0 {
                return;
            }
            self.skip_break();
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }

    /// Whether the possible key of a level still is one; a required one that is not is an error.
    fn is_possible_key(&mut self, level: usize) -> Result<bool, Flaw> {
        let Some(key) = self.simple_keys.get_mut(level) else {
            return Ok(false);
        };
        if !key.possible {
            return Ok(false);
        }
        let too_long = self.at - key.at > MAX_KEY_LENGTH
            && self.text[key.at..self.at].chars().count() > MAX_KEY_LENGTH;
        if key.line < self.line || too_long {
            if key.required {
                return Err(Flaw::new(key.at, "could not find expected ':'"));
            }
            key.possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    /// Before a node that may be a simple key, and that none can follow.
    fn begin_node(&mut self) -> Result<(), Flaw> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        Ok(())
    }

    fn save_simple_key(&mut self) -> Result<(), Flaw> {
        if !self.simple_key_allowed {
            return Ok(());
        }
        let required =
            self.flow_level == 0 && usize::try_from(self.indent).is_ok_and(|i| i == self.column);
        let token = self.next_token_number();
        self.remove_simple_key()?;
        let key = SimpleKey {
            possible: true,
            required,
            token,
            at: self.at,
            line: self.line,
            column: self.column,
        };
        let level = self.simple_keys.len() - 1;
        self.simple_keys[level] = key;
        self.simple_keys_by_token.insert(token, level);
        Ok(())
    }

    /// Gives up the possible key of this level, which must not be required.
    fn remove_simple_key(&mut self) -> Result<(), Flaw> {
        let level = self.simple_keys.len() - 1;
        let key = &mut self.simple_keys[level];
        if key.possible {
            if key.required {
                return Err(Flaw::new(key.at, "could not find expected ':'"));
            }
            key.possible = false;
            self.simple_keys_by_token.remove(&key.token);
        }
        Ok(())
    }

    fn next_token_number(&self) -> usize {
        self.taken + self.tokens.len()
    }

    /// Opens a block collection if the column is deeper than the innermost one. Its token goes to
    /// the end of the queue, or before the token with the given number if that is still there.
    fn roll_indent(
        &mut self,
        column: usize,
        before: Option<usize>,
        kind: TokenKind,
        at: usize,
    ) -> Result<(), Flaw> {
        let column = isize::try_from(column).unwrap_or(isize::MAX);
        if self.flow_level > 0 || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > MAX_DEPTH {
            return Err(Flaw::new(at, format!("exceeded max depth of {MAX_DEPTH}")));
        }
        self.insert(before, Token { kind, at, end: at });
        Ok(())
    }

    fn insert(&mut self, before: Option<usize>, token: Token) {
        match before.and_then(|number| number.checked_sub(self.taken)) {
            Some(place) if place <= self.tokens.len() => self.tokens.insert(place, token),
            _ => self.tokens.push_back(token),
        }
    }

    /// Closes the block collections that are deeper than the column.
    fn unroll_indent(&mut self, column: isize) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            self.tokens.push_back(Token {
                kind: TokenKind::BlockEnd,
                at: self.at,
                end: self.at,
            });
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn fetch_stream_end(&mut self) -> Result<(), Flaw> {
        // The end counts as the beginning of a line.
        if self.column != 0 {
            self.column = 0;
            self.line += 1;
        }
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.tokens.push_back(Token {
            kind: TokenKind::StreamEnd,
            at: self.at,
            end: self.at,
        });
        Ok(())
    }

    fn fetch_directive(&mut self) -> Result<(), Flaw> {
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let token = self.scan_directive()?;
        self.tokens.push_back(token);
        Ok(())
    }

    fn fetch_document_indicator(&mut self, kind: TokenKind) -> Result<(), Flaw> {
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let at = self.at;
        for _ in 0..3 {
            self.skip();
        }
        self.tokens.push_back(Token {
            kind,
            at,
            end: self.at,
        });
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind) -> Result<(), Flaw> {
        self.save_simple_key()?;
        // The number is the bracket's own, as upstream has it.
        let token = self.next_token_number();
        self.simple_keys.push(SimpleKey {
            token,
            ..SimpleKey::default()
        });
        self.flow_level += 1;
        if self.flow_level > MAX_DEPTH {
            return Err(self.flaw(&format!("exceeded max depth of {MAX_DEPTH}")));
        }
        self.simple_key_allowed = true;
        self.push_indicator(kind);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind) -> Result<(), Flaw> {
        self.remove_simple_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            if let Some(key) = self.simple_keys.pop() {
                self.simple_keys_by_token.remove(&key.token);
            }
        }
        self.simple_key_allowed = false;
        self.push_indicator(kind);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Result<(), Flaw> {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return Err(self.flaw("block sequence entries are not allowed in this context"));
            }
            self.roll_indent(self.column, None, TokenKind::BlockSequenceStart, self.at)?;
        }
        // In brackets the parser reports it.
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.push_indicator(TokenKind::BlockEntry);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result<(), Flaw> {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return Err(self.flaw("mapping keys are not allowed in this context"));
            }
            self.roll_indent(self.column, None, TokenKind::BlockMappingStart, self.at)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.push_indicator(TokenKind::Key);
        Ok(())
    }

    fn fetch_value(&mut self) -> Result<(), Flaw> {
        let level = self.simple_keys.len() - 1;
        if self.is_possible_key(level)? {
            let key = self.simple_keys[level];
            let token = Token {
                kind: TokenKind::Key,
                at: key.at,
                end: key.at,
            };
            self.insert(Some(key.token), token);
            let kind = TokenKind::BlockMappingStart;
            self.roll_indent(key.column, Some(key.token), kind, key.at)?;
            self.simple_keys[level].possible = false;
            self.simple_keys_by_token.remove(&key.token);
            self.simple_key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.simple_key_allowed {
                    return Err(self.flaw("mapping values are not allowed in this context"));
                }
                self.roll_indent(self.column, None, TokenKind::BlockMappingStart, self.at)?;
            }
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.push_indicator(TokenKind::Value);
        Ok(())
    }

    /// Takes an indicator of one character.
    fn push_indicator(&mut self, kind: TokenKind) {
        let at = self.at;
        self.skip();
        self.tokens.push_back(Token {
            kind,
            at,
            end: self.at,
        });
    }
}

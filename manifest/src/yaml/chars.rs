//! The characters under the scanner. Only those in ASCII and the line breaks have a meaning; behind
//! the end stands a NUL, which the text itself cannot hold.
//!
//! Upstream: go.yaml.in/yaml/v2 `yamlprivateh.go`, and `skip`, `skip_line`, `read` and `read_line` in
//! `scannerc.go`.

use super::scanner::Scanner;
use crate::error::Flaw;

impl<'t> Scanner<'t> {
    /// The byte a few bytes ahead.
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.text
            .as_bytes()
            .get(self.at + ahead)
            .copied()
            .unwrap_or(0)
    }

    /// How many bytes the line break a few bytes ahead takes; 0 if there is none.
    pub(super) fn break_len(&self, ahead: usize) -> usize {
        match self
            .text
            .as_bytes()
            .get(self.at + ahead..)
            .unwrap_or_default()
        {
            // The second is NEL.
            [b'\r', b'\n', ..] | [0xC2, 0x85, ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            // LS and PS
            [0xE2, 0x80, 0xA8 | 0xA9, ..] => 3,
            _ => 0,
        }
    }

    /// A line break or the end.
    pub(super) fn is_breakz(&self, ahead: usize) -> bool {
        self.byte(ahead) == 0 || self.break_len(ahead) > 0
    }

    /// A blank, a line break or the end.
    pub(super) fn is_blankz(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t') || self.is_breakz(ahead)
    }

    /// Whether three dashes or dots stand here as a word, at the beginning of a line.
    pub(super) fn at_document_indicator(&self, sign: u8) -> bool {
        self.column == 0 && (0..3).all(|i| self.byte(i) == sign) && self.is_blankz(3)
    }

    /// Skips one character.
    pub(super) fn skip(&mut self) {
        if let Some(c) = self.text[self.at..].chars().next() {
            self.at += c.len_utf8();
            self.column += 1;
        }
    }

    /// Skips characters and gives them.
    pub(super) fn skip_while(&mut self, wanted: impl Fn(&Self) -> bool) -> &'t str {
        let from = self.at;
        while self.at < self.text.len() && wanted(self) {
            self.skip();
        }
        &self.text[from..self.at]
    }

    /// Skips characters as [`Scanner::skip_while`] does, where words are always wanted.
    pub(super) fn skip_text_while(&mut self, wanted: impl Fn(&Self) -> bool) -> &'t str {
        let from = self.at;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let word = rest.iter().take_while(|b| matches!(b, b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'/' | b'_'));
            let length = word.count();
            self.at += length;
            self.column += length;
            if self.at == self.text.len() || !wanted(self) {
                return &self.text[from..self.at];
            }
            self.skip();
        }
    }

    pub(super) fn skip_comment(&mut self) {
        self.skip_text_while(|s| !s.is_breakz(0));
    }

    /// Skips a line break, if there is one, and gives it as it counts in a scalar.
    pub(super) fn skip_break(&mut self) -> &'static str {
        let kept = match (self.break_len(0), self.byte(2)) {
            (0, _) => return "",
            (3, 0xA8) => "\u{2028}",
            (3, _) => "\u{2029}",
            _ => "\n",
        };
        self.at += self.break_len(0);
        self.line += 1;
        self.column = 0;
        kept
    }

    pub(super) fn flaw(&self, message: &str) -> Flaw {
        Flaw::new(self.at, message)
    }

    pub(super) fn at_blank(&self) -> bool {
        matches!(self.byte(0), b' ' | b'\t')
    }

    pub(super) fn skip_blanks(&mut self) {
        self.skip_while(Self::at_blank);
    }

    /// Skips the rest of a line, which may hold a comment only.
    pub(super) fn finish_line(&mut self) -> Result<(), Flaw> {
        self.skip_blanks();
        if self.byte(0) == b'#' {
            self.skip_comment();
        }
        if !self.is_breakz(0) {
            return Err(self.flaw("did not find expected comment or line break"));
        }
        self.skip_break();
        Ok(())
    }
}

//! Characters to tokens: block, quoted and plain scalars.
//!
//! Upstream: go.yaml.in/yaml/v2 `scannerc.go`, from `yaml_parser_scan_block_scalar` on.

use super::{
    scanner::Scanner,
    token::{Token, TokenKind},
};
use crate::error::Flaw;

/// The line breaks and blanks between the words of a scalar over several lines.
#[derive(Default)]
struct Gap {
    blanks: String,
    first_break: String,
    more_breaks: String,
}

impl Gap {
    /// One line break folds into a blank, more of them lose the first.
    fn fold_into(&mut self, text: &mut String) {
        if self.first_break == "\n" {
            if self.more_breaks.is_empty() {
                text.push(' ');
            }
        } else {
            text.push_str(&self.first_break);
        }
        text.push_str(&self.more_breaks);
        self.first_break.clear();
        self.more_breaks.clear();
    }
}

impl Scanner<'_> {
    pub(super) fn scan_block_scalar(&mut self, literal: bool) -> Result<Token, Flaw> {
        let at = self.at;
        self.skip();
        let mut chomping = self.scan_chomping();
        let increment = self.scan_indentation_indicator()?;
        if chomping.is_none() && increment.is_some() {
            chomping = self.scan_chomping();
        }
        self.finish_line()?;
        let mut indent =
            increment.map(|increment| usize::try_from(self.indent).unwrap_or(0) + increment);
        let mut text = String::new();
        let mut first_break = "";
        let mut more_breaks = String::new();
        let mut was_blank = false;
        let mut end = self.scan_block_breaks(&mut indent, &mut more_breaks)?;
        while Some(self.column) == indent && self.byte(0) != 0 {
            let is_blank = self.at_blank();
            // A folded line break becomes a blank, unless a line around it is indented further.
            if !literal && first_break == "\n" && !was_blank && !is_blank {
                if more_breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(first_break);
            }
            text.push_str(&more_breaks);
            more_breaks.clear();
            was_blank = is_blank;
            text.push_str(self.skip_text_while(|s| !s.is_breakz(0)));
            first_break = self.skip_break();
            end = self.scan_block_breaks(&mut indent, &mut more_breaks)?;
        }
        if chomping != Some(b'-') {
            text.push_str(first_break);
        }
        if chomping == Some(b'+') {
            text.push_str(&more_breaks);
        }
        Ok(Token {
            kind: TokenKind::Scalar { text, plain: false },
            at,
            end,
        })
    }

    fn scan_chomping(&mut self) -> Option<u8> {
        let sign = self.byte(0);
        matches!(sign, b'+' | b'-').then(|| {
            self.skip();
            sign
        })
    }

    fn scan_indentation_indicator(&mut self) -> Result<Option<usize>, Flaw> {
        match self.byte(0) {
            b'0' => Err(self.flaw("found an indentation indicator equal to 0")),
            digit @ b'1'..=b'9' => {
                self.skip();
                Ok(Some(usize::from(digit - b'0')))
            }
            _ => Ok(None),
        }
    }

    /// Skips the indentation and empty lines of a block scalar. The first line that is not empty
    /// sets an indentation that is not known yet. Gives the end of what was skipped.
    fn scan_block_breaks(
        &mut self,
        indent: &mut Option<usize>,
        breaks: &mut String,
    ) -> Result<usize, Flaw> {
        let mut end = self.at;
        let mut deepest = 0;
        loop {
            let in_indentation = |s: &Self| indent.is_none_or(|indent| s.column < indent);
            self.skip_while(|s| s.byte(0) == b' ' && in_indentation(s));
            deepest = deepest.max(self.column);
            if self.byte(0) == b'\t' && in_indentation(self) {
                let message = "found a tab character where an indentation space is expected";
                return Err(self.flaw(message));
            }
            if self.break_len(0) == 0 {
                break;
            }
            breaks.push_str(self.skip_break());
            end = self.at;
        }
        let least = usize::try_from(self.indent + 1).unwrap_or(0).max(1);
        indent.get_or_insert(deepest.max(least));
        Ok(end)
    }

    pub(super) fn scan_quoted_scalar(&mut self, single: bool) -> Result<Token, Flaw> {
        let at = self.at;
        let quote = if single { b'\'' } else { b'"' };
        self.skip();
        let mut text = String::new();
        let mut gap = Gap::default();
        loop {
            if self.at_document_indicator(b'-') || self.at_document_indicator(b'.') {
                return Err(Flaw::new(at, "found unexpected document indicator"));
            }
            if self.byte(0) == 0 {
                return Err(Flaw::new(at, "found unexpected end of stream"));
            }
            let mut on_new_line = false;
            loop {
                text.push_str(self.skip_text_while(|s| {
                    !s.is_blankz(0) && s.byte(0) != quote && (single || s.byte(0) != b'\\')
                }));
                if single && self.byte(0) == quote && self.byte(1) == quote {
                    text.push('\'');
                    self.skip();
                    self.skip();
                } else if self.is_blankz(0) || self.byte(0) == quote {
                    break;
                } else if self.break_len(1) > 0 {
                    self.skip();
                    self.skip_break();
                    on_new_line = true;
                    break;
                } else {
                    text.push(self.scan_escape()?);
                }
            }
            if self.byte(0) == quote {
                break;
            }
            while self.at_blank() || self.break_len(0) > 0 {
                if !self.at_blank() {
                    if on_new_line {
                        gap.more_breaks.push_str(self.skip_break());
                    } else {
                        gap.blanks.clear();
                        gap.first_break.push_str(self.skip_break());
                        on_new_line = true;
                    }
                } else if on_new_line {
                    self.skip();
                } else {
                    gap.blanks.push(char::from(self.byte(0)));
                    self.skip();
                }
            }
            if on_new_line {
                gap.fold_into(&mut text);
            } else {
                text.push_str(&gap.blanks);
                gap.blanks.clear();
            }
        }
        self.skip();
        Ok(Token {
            kind: TokenKind::Scalar { text, plain: false },
            at,
            end: self.at,
        })
    }

    /// Reads an escape in double quotes. `\'` is one here, `\/` is not.
    fn scan_escape(&mut self) -> Result<char, Flaw> {
        let (c, digits) = match self.byte(1) {
            b'0' => ('\0', 0),
            b'a' => ('\x07', 0),
            b'b' => ('\x08', 0),
            b't' | b'\t' => ('\t', 0),
            b'n' => ('\n', 0),
            b'v' => ('\x0B', 0),
            b'f' => ('\x0C', 0),
            b'r' => ('\r', 0),
            b'e' => ('\x1B', 0),
            other @ (b' ' | b'"' | b'\'' | b'\\') => (char::from(other), 0),
            b'N' => ('\u{85}', 0),
            b'_' => ('\u{A0}', 0),
            b'L' => ('\u{2028}', 0),
            b'P' => ('\u{2029}', 0),
            b'x' => ('\0', 2),
            b'u' => ('\0', 4),
            b'U' => ('\0', 8),
            _ => return Err(self.flaw("found unknown escape character")),
        };
        if digits == 0 {
            self.skip();
            self.skip();
            return Ok(c);
        }
        let from = self.at + 2;
        let code = self
            .text
            .get(from..from + digits)
            .filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|code| u32::from_str_radix(code, 16).ok())
            .ok_or_else(|| self.flaw("did not find expected hexdecimal number"))?;
        let c = char::from_u32(code)
            .ok_or_else(|| self.flaw("found invalid Unicode character escape code"))?;
        for _ in 0..digits + 2 {
            self.skip();
        }
        Ok(c)
    }

    pub(super) fn scan_plain_scalar(&mut self) -> Result<Token, Flaw> {
        let at = self.at;
        let mut end = self.at;
        let indent = usize::try_from(self.indent + 1).unwrap_or(0);
        let mut text = String::new();
        let mut gap = Gap::default();
        let mut on_new_line = false;
        loop {
            let stops = self.at_document_indicator(b'-') || self.at_document_indicator(b'.');
            if stops || self.byte(0) == b'#' {
                break;
            }
            let in_brackets = self.flow_level > 0;
            let word = self.skip_text_while(|s| match s.byte(0) {
                b':' => !s.is_blankz(1),
                b',' | b'?' | b'[' | b']' | b'{' | b'}' => !in_brackets,
                _ => !s.is_blankz(0),
            });
            if !word.is_empty() {
                if on_new_line {
                    gap.fold_into(&mut text);
                    on_new_line = false;
                } else {
                    text.push_str(&gap.blanks);
                    gap.blanks.clear();
                }
                text.push_str(word);
                end = self.at;
            }
            if !(self.at_blank() || self.break_len(0) > 0) {
                break;
            }
            while self.at_blank() || self.break_len(0) > 0 {
                if !self.at_blank() {
                    if on_new_line {
                        gap.more_breaks.push_str(self.skip_break());
                    } else {
                        gap.blanks.clear();
                        gap.first_break.push_str(self.skip_break());
                        on_new_line = true;
                    }
                } else if !on_new_line {
                    gap.blanks.push(char::from(self.byte(0)));
                    self.skip();
                } else if self.column < indent && self.byte(0) == b'\t' {
                    return Err(self.flaw("found a tab character that violates indentation"));
                } else {
                    self.skip();
                }
            }
            if self.flow_level == 0 && self.column < indent {
                break;
            }
        }
        if on_new_line {
            self.simple_key_allowed = true;
        }
        Ok(Token {
            kind: TokenKind::Scalar { text, plain: true },
            at,
            end,
        })
    }
}

//! Characters to tokens: directives, anchors, aliases and tags.
//!
//! Upstream: go.yaml.in/yaml/v2 `scannerc.go`, from `yaml_parser_scan_directive` to
//! `yaml_parser_scan_uri_escapes`.

use super::{
    scanner::Scanner,
    token::{Token, TokenKind},
};
use crate::error::Flaw;

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

impl Scanner<'_> {
    pub(super) fn scan_directive(&mut self) -> Result<Token, Flaw> {
        let at = self.at;
        self.skip();
        let name = self.skip_while(|s| is_word(s.byte(0)));
        if name.is_empty() {
            return Err(self.flaw("could not find expected directive name"));
        }
        if !self.is_blankz(0) {
            return Err(self.flaw("found unexpected non-alphabetical character"));
        }
        let kind = match name {
            "YAML" => {
                self.skip_blanks();
                let major = self.scan_version_number()?;
                if self.byte(0) != b'.' {
                    return Err(self.flaw("did not find expected digit or '.' character"));
                }
                self.skip();
                let minor = self.scan_version_number()?;
                TokenKind::Version {
                    supported: (major, minor) == (1, 1),
                }
            }
            "TAG" => self.scan_tag_directive()?,
            _ => return Err(self.flaw("found unknown directive name")),
        };
        let end = self.at;
        self.finish_line()?;
        Ok(Token { kind, at, end })
    }

    fn scan_version_number(&mut self) -> Result<u32, Flaw> {
        let digits = self.skip_while(|s| s.byte(0).is_ascii_digit());
        match digits.len() {
            0 => Err(self.flaw("did not find expected version number")),
            1 | 2 => Ok(digits.parse().unwrap_or(0)),
            _ => Err(self.flaw("found extremely long version number")),
        }
    }

    fn scan_tag_directive(&mut self) -> Result<TokenKind, Flaw> {
        self.skip_blanks();
        let handle = self.scan_tag_handle(true)?;
        if !self.at_blank() {
            return Err(self.flaw("did not find expected whitespace"));
        }
        self.skip_blanks();
        let prefix = self.scan_tag_uri("")?;
        if !self.is_blankz(0) {
            return Err(self.flaw("did not find expected whitespace or line break"));
        }
        Ok(TokenKind::TagPrefix { handle, prefix })
    }

    pub(super) fn scan_anchor(&mut self, is_alias: bool) -> Result<Token, Flaw> {
        let at = self.at;
        self.skip();
        let name = self.skip_while(|s| is_word(s.byte(0))).to_owned();
        let ends = self.is_blankz(0)
            || matches!(
                self.byte(0),
                b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
            );
        if name.is_empty() || !ends {
            return Err(self.flaw("did not find expected alphabetic or numeric character"));
        }
        let kind = if is_alias {
            TokenKind::Alias(name)
        } else {
            TokenKind::Anchor(name)
        };
        Ok(Token {
            kind,
            at,
            end: self.at,
        })
    }

    pub(super) fn scan_tag(&mut self) -> Result<Token, Flaw> {
        let at = self.at;
        let (handle, suffix) = if self.byte(1) == b'<' {
            self.skip();
            self.skip();
            let suffix = self.scan_tag_uri("")?;
            if self.byte(0) != b'>' {
                return Err(self.flaw("did not find the expected '>'"));
            }
            self.skip();
            (String::new(), suffix)
        } else {
            let handle = self.scan_tag_handle(false)?;
            if handle.len() > 1 && handle.ends_with('!') {
                let suffix = self.scan_tag_uri("")?;
                (handle, suffix)
            } else {
                // It was no handle after all; and a lone `!` is a suffix without one.
                let suffix = self.scan_tag_uri(&handle)?;
                let lone = suffix.is_empty();
                if lone {
                    (String::new(), "!".to_owned())
                } else {
                    ("!".to_owned(), suffix)
                }
            }
        };
        if !self.is_blankz(0) {
            return Err(self.flaw("did not find expected whitespace or line break"));
        }
        Ok(Token {
            kind: TokenKind::Tag { handle, suffix },
            at,
            end: self.at,
        })
    }

    fn scan_tag_handle(&mut self, in_directive: bool) -> Result<String, Flaw> {
        if self.byte(0) != b'!' {
            return Err(self.flaw("did not find expected '!'"));
        }
        let from = self.at;
        self.skip();
        self.skip_while(|s| is_word(s.byte(0)));
        if self.byte(0) == b'!' {
            self.skip();
        } else if in_directive && self.at - from != 1 {
            return Err(self.flaw("did not find expected '!'"));
        }
        Ok(self.text[from..self.at].to_owned())
    }

    /// Reads a tag, or the rest of one of which `head` was taken for its handle.
    fn scan_tag_uri(&mut self, head: &str) -> Result<String, Flaw> {
        let mut uri = head.get(1..).unwrap_or_default().as_bytes().to_vec();
        let from = self.at;
        loop {
            match self.byte(0) {
                b'%' => self.scan_uri_escape(&mut uri)?,
                b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b',' | b'.'
                | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' | b'[' | b']' => {
                    uri.push(self.byte(0));
                    self.skip();
                }
                byte if is_word(byte) => {
                    uri.push(byte);
                    self.skip();
                }
                _ => break,
            }
        }
        if head.is_empty() && self.at == from {
            return Err(self.flaw("did not find expected tag URI"));
        }
        Ok(String::from_utf8_lossy(&uri).into_owned())
    }

    /// Reads the escapes of one character.
    fn scan_uri_escape(&mut self, uri: &mut Vec<u8>) -> Result<(), Flaw> {
        let mut left = None;
        while left != Some(0) {
            let digits = self.text.get(self.at + 1..self.at + 3);
            let octet = digits
                .filter(|d| self.byte(0) == b'%' && d.bytes().all(|b| b.is_ascii_hexdigit()))
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .ok_or_else(|| self.flaw("did not find URI escaped octet"))?;
            left = match left {
                None => match octet.leading_ones() {
                    0 => Some(0),
                    ones @ 2..=4 => Some(ones - 1),
                    _ => return Err(self.flaw("found an incorrect leading UTF-8 octet")),
                },
                Some(_) if octet & 0xC0 != 0x80 => {
                    return Err(self.flaw("found an incorrect trailing UTF-8 octet"));
                }
                Some(left) => Some(left - 1),
            };
            uri.push(octet);
            for _ in 0..3 {
                self.skip();
            }
        }
        Ok(())
    }
}

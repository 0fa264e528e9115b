//! Reads one YAML document into a [`Tree`], accepting what go-yaml v2 accepts.
//!
//! kubectl's YAML is what go-yaml v2 makes of it, and that is libyaml of 2014 with changes: YAML 1.1,
//! `?` ends a plain scalar within brackets, a tag swallows the comma behind it, `"\'"` is an escape
//! and `"\/"` is none. So this is a scanner of the same behaviour, in two steps as there: characters
//! to tokens ([`scanner`], [`properties`], [`scalar`]), tokens to nodes ([`parser`]).
//!
//! Upstream: go.yaml.in/yaml/v2 `readerc.go`, `scannerc.go`, `parserc.go`, and `parser` in
//! `decode.go`. As there, only the first document is read: what follows `...` is not looked at.

mod chars;
mod parser;
mod properties;
mod scalar;
mod scanner;
mod token;

use std::ops::Range;

use crate::{error::Flaw, hints, tree::Tree};
use scanner::Scanner;
use token::TokenKind;

/// Parses the first document; `None` if there is none.
pub(crate) fn parse(text: &str) -> Result<Option<Tree>, Flaw> {
    let read = match first_unreadable(text) {
        None => parser::parse(text),
        Some(at) => Err(Flaw::new(at, "control characters are not allowed")),
    };
    read.map_err(|flaw| {
        let hint = flaw
            .hint
            .or_else(|| hints::of_syntax(text, flaw.at, &flaw.message));
        // What is missing at the end is shown behind the last words.
        let at = flaw.at.min(text.trim_end().len());
        Flaw { at, hint, ..flaw }
    })
}

/// What an editor has to know of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// A scalar or an alias.
    Scalar,
    /// `{` or `[`
    Open,
    /// `}` or `]`
    Close,
}

/// Shows the parts of the first document and their bytes, in order.
pub(crate) fn parts(text: &str, mut show: impl FnMut(Part, Range<usize>)) -> Result<(), Flaw> {
    let mut scanner = Scanner::new(text);
    loop {
        let token = scanner.take()?;
        let part = match token.kind {
            TokenKind::StreamEnd | TokenKind::DocumentEnd => return Ok(()),
            TokenKind::Scalar { .. } | TokenKind::Alias(_) => Part::Scalar,
            TokenKind::FlowSequenceStart | TokenKind::FlowMappingStart => Part::Open,
            TokenKind::FlowSequenceEnd | TokenKind::FlowMappingEnd => Part::Close,
            _ => continue,
        };
        show(part, token.at..token.end);
    }
}

/// The first character that may not stand in YAML: `yaml_parser_update_buffer`.
fn first_unreadable(text: &str) -> Option<usize> {
    text.char_indices().find_map(|(at, c)| {
        let readable = matches!(c,
            '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{A0}'..='\u{FFFD}' | '\u{10000}'..);
        (!readable).then_some(at)
    })
}

//! Tokens to nodes: the grammar of YAML.
//!
//! It runs on a stack of its own, since documents may be nested deeper than the program's allows.
//!
//! Upstream: go.yaml.in/yaml/v2 `parserc.go`, whose states these are.

use std::collections::BTreeMap;

use super::{
    scanner::Scanner,
    token::{Token, TokenKind},
};
use crate::{
    error::Flaw,
    hints,
    tree::{Builder, NodeId, Style, Tree},
};

/// What is expected next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    DocumentEnd,
    BlockNode,
    BlockSequenceEntry,
    IndentlessSequenceEntry,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirstEntry,
    FlowSequenceEntry,
    FlowSequencePairKey,
    FlowSequencePairValue,
    FlowSequencePairEnd,
    FlowMappingFirstKey,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
}

struct Parser<'t> {
    scanner: Scanner<'t>,
    state: State,
    /// Where to go on after the node at hand.
    returns: Vec<State>,
    /// Where the open brackets stand.
    brackets: Vec<usize>,
    anchors: BTreeMap<String, NodeId>,
    tag_prefixes: BTreeMap<String, String>,
    builder: Builder,
}

/// Parses the first document; `None` if there is none.
pub(super) fn parse(text: &str) -> Result<Option<Tree>, Flaw> {
    let mut parser = Parser {
        scanner: Scanner::new(text),
        state: State::BlockNode,
        returns: vec![State::DocumentEnd],
        brackets: Vec::new(),
        anchors: BTreeMap::new(),
        tag_prefixes: BTreeMap::new(),
        builder: Builder::default(),
    };
    if !parser.document_start()? {
        return Ok(None);
    }
    while parser.state != State::DocumentEnd {
        parser.step()?;
    }
    // What ends the document has to be a token.
    parser.scanner.peek()?;
    Ok(Some(parser.builder.finish()))
}

impl Parser<'_> {
    /// Reads directives and `---`; false at the end of the stream.
    fn document_start(&mut self) -> Result<bool, Flaw> {
        let first = self.scanner.peek()?.clone();
        if first.kind == TokenKind::StreamEnd {
            return Ok(false);
        }
        let mut has_version = false;
        loop {
            let token = self.scanner.peek()?.clone();
            match token.kind {
                TokenKind::Version { supported } => {
                    if has_version {
                        return Err(Flaw::new(token.at, "found duplicate %YAML directive"));
                    }
                    if !supported {
                        return Err(Flaw::new(token.at, "found incompatible YAML document")
                            .hint("kubectl reads YAML 1.1: drop the %YAML line"));
                    }
                    has_version = true;
                }
                TokenKind::TagPrefix { handle, prefix } => {
                    if self.tag_prefixes.insert(handle, prefix).is_some() {
                        return Err(Flaw::new(token.at, "found duplicate %TAG directive"));
                    }
                }
                _ => break,
            }
            self.scanner.take()?;
        }
        for (handle, prefix) in [("!", "!"), ("!!", "tag:yaml.org,2002:")] {
            self.tag_prefixes
                .entry(handle.to_owned())
                .or_insert_with(|| prefix.to_owned());
        }
        let token = self.scanner.peek()?.clone();
        match token.kind {
            TokenKind::DocumentStart => {
                self.scanner.take()?;
                let next = self.scanner.peek()?;
                let at = next.at;
                if let TokenKind::Version { .. }
                | TokenKind::TagPrefix { .. }
                | TokenKind::DocumentStart
                | TokenKind::DocumentEnd
                | TokenKind::StreamEnd = next.kind
                {
                    self.empty(at)?;
                    self.go_back();
                }
                Ok(true)
            }
            _ if token == first => Ok(true),
            _ => Err(Flaw::new(
                token.at,
                "did not find expected <document start>",
            )),
        }
    }

    fn step(&mut self) -> Result<(), Flaw> {
        match self.state {
            State::DocumentEnd => Ok(()),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceEntry => self.block_sequence_entry(),
            State::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            State::BlockMappingKey => self.block_mapping_key(),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirstEntry => self.flow_sequence_entry(true),
            State::FlowSequenceEntry => self.flow_sequence_entry(false),
            State::FlowSequencePairKey => self.flow_sequence_pair_key(),
            State::FlowSequencePairValue => self.flow_sequence_pair_value(),
            State::FlowSequencePairEnd => {
                self.builder.close();
                self.state = State::FlowSequenceEntry;
                Ok(())
            }
            State::FlowMappingFirstKey => self.flow_mapping_key(true),
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(),
            State::FlowMappingEmptyValue => {
                let at = self.scanner.peek()?.at;
                self.state = State::FlowMappingKey;
                self.empty(at)
            }
        }
    }

    /// A node with its tag and anchor: a scalar, an alias, or the beginning of a collection.
    fn node(&mut self, block: bool, indentless: bool) -> Result<(), Flaw> {
        let mut token = self.scanner.take()?;
        let begin = token.at;
        let mut anchor = None;
        let mut tag = None;
        loop {
            match token.kind {
                TokenKind::Anchor(name) if anchor.is_none() => anchor = Some(name),
                TokenKind::Tag { .. } if tag.is_none() => tag = Some(token),
                _ => break,
            }
            token = self.scanner.take()?;
        }
        // The place of a node is its content's, not that of its tag or anchor.
        let at = token.at;
        let has_properties = anchor.is_some() || tag.is_some();
        let tag = tag.map(|tag| self.full_tag(tag)).transpose()?;
        let id = match token.kind {
            TokenKind::Alias(name) if !has_properties => {
                self.go_back();
                return self.alias(at, &name);
            }
            TokenKind::Scalar { text, plain } => {
                self.go_back();
                let plain = plain && tag.is_none();
                let style = if plain { Style::Plain } else { Style::Explicit };
                self.builder.scalar(at, style, tag, &text)?
            }
            TokenKind::FlowSequenceStart => {
                self.brackets.push(at);
                self.state = State::FlowSequenceFirstEntry;
                self.builder.open_sequence(at)?
            }
            TokenKind::FlowMappingStart => {
                self.brackets.push(at);
                self.state = State::FlowMappingFirstKey;
                self.builder.open_mapping(at)?
            }
            TokenKind::BlockSequenceStart if block => {
                self.state = State::BlockSequenceEntry;
                self.builder.open_sequence(at)?
            }
            TokenKind::BlockMappingStart if block => {
                self.state = State::BlockMappingKey;
                self.builder.open_mapping(at)?
            }
            TokenKind::BlockEntry if indentless => {
                self.scanner.put_back(token);
                self.state = State::IndentlessSequenceEntry;
                self.builder.open_sequence(at)?
            }
            _ if has_properties => {
                self.scanner.put_back(token);
                self.go_back();
                let style = if tag.is_none() {
                    Style::Plain
                } else {
                    Style::Explicit
                };
                self.builder.scalar(begin, style, tag, "")?
            }
            _ => {
                let at = self.open_bracket(at);
                return Err(Flaw::new(at, "did not find expected node content"));
            }
        };
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, id);
        }
        Ok(())
    }

    fn alias(&mut self, at: usize, name: &str) -> Result<(), Flaw> {
        let Some(target) = self.anchors.get(name) else {
            let message = format!("unknown anchor '{name}' referenced");
            return Err(Flaw::new(at, message).hint(hints::UNKNOWN_ANCHOR));
        };
        self.builder.alias(at, *target).map(drop)
    }

    fn full_tag(&self, token: Token) -> Result<String, Flaw> {
        let TokenKind::Tag { handle, suffix } = token.kind else {
            return Ok(String::new());
        };
        if handle.is_empty() {
            return Ok(suffix);
        }
        match self.tag_prefixes.get(&handle) {
            Some(prefix) => Ok(format!("{prefix}{suffix}")),
            None => Err(Flaw::new(token.at, "found undefined tag handle")),
        }
    }

    fn block_sequence_entry(&mut self) -> Result<(), Flaw> {
        let token = self.scanner.peek()?.clone();
        match token.kind {
            TokenKind::BlockEntry => {
                self.scanner.take()?;
                let next = &self.scanner.peek()?.kind;
                let empty = matches!(next, TokenKind::BlockEntry | TokenKind::BlockEnd);
                self.node_or_empty(empty, token.end, State::BlockSequenceEntry, false)
            }
            TokenKind::BlockEnd => self.close(),
            _ => Err(Flaw::new(token.at, "did not find expected '-' indicator")),
        }
    }

    fn indentless_sequence_entry(&mut self) -> Result<(), Flaw> {
        let token = self.scanner.peek()?.clone();
        if token.kind != TokenKind::BlockEntry {
            self.builder.close();
            self.go_back();
            return Ok(());
        }
        self.scanner.take()?;
        let next = &self.scanner.peek()?.kind;
        let empty = matches!(
            next,
            TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
        );
        self.node_or_empty(empty, token.end, State::IndentlessSequenceEntry, false)
    }

    fn block_mapping_key(&mut self) -> Result<(), Flaw> {
        let token = self.scanner.peek()?.clone();
        match token.kind {
            TokenKind::Key => {
                self.scanner.take()?;
                let empty = self.at_end_of_block_node()?;
                self.node_or_empty(empty, token.end, State::BlockMappingValue, true)
            }
            TokenKind::BlockEnd => self.close(),
            _ => Err(Flaw::new(token.at, "did not find expected key")),
        }
    }

    fn block_mapping_value(&mut self) -> Result<(), Flaw> {
        let token = self.scanner.peek()?.clone();
        if token.kind != TokenKind::Value {
            self.state = State::BlockMappingKey;
            return self.empty(token.at);
        }
        self.scanner.take()?;
        let empty = self.at_end_of_block_node()?;
        self.node_or_empty(empty, token.end, State::BlockMappingKey, true)
    }

    fn at_end_of_block_node(&mut self) -> Result<bool, Flaw> {
        let next = &self.scanner.peek()?.kind;
        Ok(matches!(
            next,
            TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
        ))
    }

    /// A block node after which `state` goes on, or an empty one at `at`.
    fn node_or_empty(
        &mut self,
        empty: bool,
        at: usize,
        state: State,
        indentless: bool,
    ) -> Result<(), Flaw> {
        if empty {
            self.state = state;
            self.empty(at)
        } else {
            self.returns.push(state);
            self.node(true, indentless)
        }
    }

    fn flow_sequence_entry(&mut self, first: bool) -> Result<(), Flaw> {
        let closes = |kind: &TokenKind| *kind == TokenKind::FlowSequenceEnd;
        self.flow_comma(first, closes, "did not find expected ',' or ']'")?;
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::FlowSequenceEnd => {
                self.brackets.pop();
                self.close()
            }
            TokenKind::Key => {
                let at = token.at;
                self.scanner.take()?;
                self.builder.open_mapping(at)?;
                self.state = State::FlowSequencePairKey;
                Ok(())
            }
            _ => {
                self.returns.push(State::FlowSequenceEntry);
                self.node(false, false)
            }
        }
    }

    fn flow_sequence_pair_key(&mut self) -> Result<(), Flaw> {
        let token = self.scanner.peek()?.clone();
        match token.kind {
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd => {
                // Upstream drops the token here, whatever it is.
                self.scanner.take()?;
                self.state = State::FlowSequencePairValue;
                self.empty(token.end)
            }
            _ => {
                self.returns.push(State::FlowSequencePairValue);
                self.node(false, false)
            }
        }
    }

    fn flow_sequence_pair_value(&mut self) -> Result<(), Flaw> {
        let token = self.scanner.peek()?.clone();
        if token.kind == TokenKind::Value {
            self.scanner.take()?;
            let next = &self.scanner.peek()?.kind;
            if !matches!(next, TokenKind::FlowEntry | TokenKind::FlowSequenceEnd) {
                self.returns.push(State::FlowSequencePairEnd);
                return self.node(false, false);
            }
        }
        self.state = State::FlowSequencePairEnd;
        self.empty(token.end)
    }

    fn flow_mapping_key(&mut self, first: bool) -> Result<(), Flaw> {
        let closes = |kind: &TokenKind| *kind == TokenKind::FlowMappingEnd;
        self.flow_comma(first, closes, "did not find expected ',' or '}'")?;
        match self.scanner.peek()?.kind {
            TokenKind::FlowMappingEnd => {
                self.brackets.pop();
                self.close()
            }
            TokenKind::Key => {
                self.scanner.take()?;
                let next = self.scanner.peek()?;
                let at = next.at;
                if let TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd =
                    next.kind
                {
                    self.state = State::FlowMappingValue;
                    self.empty(at)
                } else {
                    self.returns.push(State::FlowMappingValue);
                    self.node(false, false)
                }
            }
            _ => {
                self.returns.push(State::FlowMappingEmptyValue);
                self.node(false, false)
            }
        }
    }

    fn flow_mapping_value(&mut self) -> Result<(), Flaw> {
        let token = self.scanner.peek()?.clone();
        if token.kind == TokenKind::Value {
            self.scanner.take()?;
            let next = &self.scanner.peek()?.kind;
            if !matches!(next, TokenKind::FlowEntry | TokenKind::FlowMappingEnd) {
                self.returns.push(State::FlowMappingKey);
                return self.node(false, false);
            }
        }
        self.state = State::FlowMappingKey;
        self.empty(token.end)
    }

    /// Takes the comma between two entries.
    fn flow_comma(
        &mut self,
        first: bool,
        closes: impl Fn(&TokenKind) -> bool,
        message: &str,
    ) -> Result<(), Flaw> {
        let token = self.scanner.peek()?.clone();
        if first || closes(&token.kind) {
            return Ok(());
        }
        if token.kind == TokenKind::FlowEntry {
            return self.scanner.take().map(drop);
        }
        Err(Flaw::new(self.open_bracket(token.at), message))
    }

    /// Where an error in brackets is best shown: at the bracket, if it stands on a line above and
    /// so was left open most likely, or else where the error is.
    fn open_bracket(&self, at: usize) -> usize {
        match self.brackets.last() {
            Some(bracket) if self.scanner.text[*bracket..at].contains('\n') => *bracket,
            _ => at,
        }
    }

    /// Takes the token that ends a collection.
    fn close(&mut self) -> Result<(), Flaw> {
        self.scanner.take()?;
        self.builder.close();
        self.go_back();
        Ok(())
    }

    fn empty(&mut self, at: usize) -> Result<(), Flaw> {
        self.builder.scalar(at, Style::Plain, None, "").map(drop)
    }

    fn go_back(&mut self) {
        self.state = self.returns.pop().unwrap_or(State::DocumentEnd);
    }
}

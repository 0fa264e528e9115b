//! The tokens of YAML.

/// A token, and the bytes that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) at: usize,
    pub(super) end: usize,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    StreamEnd,
    /// `%YAML`, and whether the version is 1.1.
    Version {
        supported: bool,
    },
    /// `%TAG handle prefix`.
    TagPrefix {
        handle: String,
        prefix: String,
    },
    /// `---`
    DocumentStart,
    /// `...`
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    /// `- `
    BlockEntry,
    /// `,`
    FlowEntry,
    /// `? `, or the place before a key that its colon betrayed.
    Key,
    /// `: `
    Value,
    /// `*name`
    Alias(String),
    /// `&name`
    Anchor(String),
    /// `!handle!suffix`
    Tag {
        handle: String,
        suffix: String,
    },
    /// Text; plain without quotes.
    Scalar {
        text: String,
        plain: bool,
    },
}

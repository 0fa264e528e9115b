//! Reads one YAML document into a [`Tree`].
//!
//! Upstream: the `parser` of go.yaml.in/yaml/v2 `decode.go`, which builds its nodes from libyaml's
//! events. As there, only the first document of the text is read: what follows `...` is not seen.

use std::collections::BTreeMap;

use libyaml_safer::{EventData, Mark, Parser};

use crate::{
    error::Flaw,
    hints,
    tree::{Builder, NodeId, Style, Tree},
};

/// Parses the first document; `None` if there is none.
pub(crate) fn parse(text: &str) -> Result<Option<Tree>, Flaw> {
    let mut input = text.as_bytes();
    let mut parser = Parser::new();
    parser.set_input_string(&mut input);
    let mut anchors: BTreeMap<String, NodeId> = BTreeMap::new();
    let mut builder = Builder::default();
    loop {
        let event = parser.parse().map_err(|error| flaw(text, &error))?;
        let at = offset(event.start_mark);
        let (id, anchor) = match event.data {
            EventData::StreamStart { .. } | EventData::DocumentStart { .. } => continue,
            EventData::StreamEnd => return Ok(None),
            EventData::DocumentEnd { .. } => return Ok(Some(builder.finish())),
            EventData::SequenceEnd | EventData::MappingEnd => {
                builder.close();
                continue;
            }
            EventData::Alias { anchor } => {
                let Some(target) = anchors.get(&anchor) else {
                    let message = format!("unknown anchor '{anchor}' referenced");
                    return Err(Flaw::new(at, message).hint(hints::UNKNOWN_ANCHOR));
                };
                builder.alias(at, *target)?;
                continue;
            }
            EventData::Scalar {
                anchor,
                tag,
                value,
                plain_implicit,
                ..
            } => {
                let style = if plain_implicit {
                    Style::Plain
                } else {
                    Style::Explicit
                };
                (builder.scalar(at, style, tag, &value)?, anchor)
            }
            EventData::SequenceStart { anchor, .. } => (builder.open_sequence(at)?, anchor),
            EventData::MappingStart { anchor, .. } => (builder.open_mapping(at)?, anchor),
        };
        if let Some(anchor) = anchor {
            anchors.insert(anchor, id);
        }
    }
}

fn offset(mark: Mark) -> usize {
    usize::try_from(mark.index).unwrap_or(usize::MAX)
}

fn flaw(text: &str, error: &libyaml_safer::Error) -> Flaw {
    let at = error.problem_mark().map_or(0, offset);
    let message = error.problem();
    Flaw {
        at,
        message: message.to_owned(),
        hint: hints::of_syntax(text, at, message),
    }
}

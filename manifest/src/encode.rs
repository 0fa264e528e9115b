//! Writes a [`Tree`] as the JSON body that kubectl sends.
//!
//! kubectl goes from YAML to JSON (sigs.k8s.io/yaml), to `map[string]interface{}`
//! (sigs.k8s.io/json, integers preserved) and back to JSON (Go's encoding/json): members are sorted
//! by name, numbers take their shortest form, and `<`, `>`, `&` and the two Unicode line separators
//! are escaped in strings.

use std::fmt::Write as _;

use crate::{
    error::Flaw,
    number::{json_float, json_number},
    resolve::Scalar,
    tree::{Entry, Kind, MAX_DEPTH, NodeId, Style, Tree},
};

/// A collection that is being written, and whether it has a member already.
struct Open<'t> {
    rest: Rest<'t>,
    started: bool,
}

/// What of a collection is still to be written.
enum Rest<'t> {
    Items(Option<NodeId>),
    Members(std::vec::IntoIter<Entry<'t>>),
}

/// Writes the value at `root`, without recursion: documents may be nested deeper than a stack.
pub(crate) fn encode(tree: &Tree, root: NodeId, out: &mut String) -> Result<(), Flaw> {
    let mut open: Vec<Open<'_>> = Vec::new();
    // Upstream has converted all keys before it meets a number that JSON does not have.
    let mut unsupported = None;
    let mut value = root;
    loop {
        let id = tree.target(value);
        let rest = match tree.kind(id) {
            Kind::Sequence(first) => Some(('[', Rest::Items(first))),
            Kind::Mapping(_) => Some(('{', Rest::Members(tree.entries(id)?.into_iter()))),
            Kind::Scalar(..) | Kind::Alias(_) => None,
        };
        match rest {
            None => {
                if let Err(flaw) = scalar(tree, id, out) {
                    unsupported.get_or_insert(flaw);
                }
            }
            Some(_) if open.len() == MAX_DEPTH => {
                return Err(Flaw::new(tree.at(id), "exceeded max depth"));
            }
            Some((bracket, rest)) => {
                out.push(bracket);
                open.push(Open {
                    rest,
                    started: false,
                });
            }
        }
        value = loop {
            let Some(collection) = open.last_mut() else {
                return unsupported.map_or(Ok(()), Err);
            };
            let comma = if std::mem::replace(&mut collection.started, true) {
                ","
            } else {
                ""
            };
            match &mut collection.rest {
                Rest::Items(next) => {
                    if let Some(item) = *next {
                        *next = tree.next(item);
                        out.push_str(comma);
                        break item;
                    }
                    out.push(']');
                }
                Rest::Members(entries) => {
                    if let Some(entry) = entries.next() {
                        out.push_str(comma);
                        string(&entry.name, out);
                        out.push(':');
                        break entry.value;
                    }
                    out.push('}');
                }
            }
            open.pop();
        };
    }
}

fn scalar(tree: &Tree, id: NodeId, out: &mut String) -> Result<(), Flaw> {
    if let Kind::Scalar(Style::JsonNumber, text) = tree.kind(id) {
        let written = tree.written(text);
        let number =
            json_number(written).ok_or_else(|| number_out_of_range(tree.at(id), written))?;
        out.push_str(&number);
        return Ok(());
    }
    match tree.scalar(id)? {
        Some(Scalar::Bool(true)) => out.push_str("true"),
        Some(Scalar::Bool(false)) => out.push_str("false"),
        Some(Scalar::Int(value)) => out.push_str(&value.to_string()),
        #[expect(
            clippy::cast_precision_loss,
            reason = "beyond int64 upstream has a float64"
        )]
        Some(Scalar::Uint(value)) => out.push_str(&json_float(value as f64)),
        Some(Scalar::Float(value)) if value.is_finite() => {
            let text = json_float(value);
            // The text is read once more, and there `-0` is an integer.
            out.push_str(if text == "-0" { "0" } else { &text });
        }
        Some(Scalar::Float(value)) => {
            let name = if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "+Inf"
            } else {
                "-Inf"
            };
            let message = format!("json: unsupported value: {name}");
            return Err(Flaw::new(tree.at(id), message)
                .hint("JSON has no such number: if the text is meant, put it in quotes"));
        }
        Some(Scalar::String(text)) => string(&text, out),
        Some(Scalar::Null) | None => out.push_str("null"),
    }
    Ok(())
}

/// Upstream: `convertNumber` of sigs.k8s.io/json.
pub(crate) fn number_out_of_range(at: usize, number: &str) -> Flaw {
    let message = format!("json: cannot unmarshal number {number} into Go value of type float64");
    Flaw::new(at, message)
}

/// Writes a string as encoding/json does with HTML escaping, its default.
pub(crate) fn string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    let special = |c: char| {
        matches!(
            c,
            '"' | '\\' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\x1F'
        )
    };
    while let Some(at) = rest.find(special) {
        out.push_str(&rest[..at]);
        let mut tail = rest[at..].chars();
        match tail.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some('\x08') => out.push_str("\\b"),
            Some('\x0C') => out.push_str("\\f"),
            Some(c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            None => {}
        }
        rest = tail.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// Writes the mapping at `root` with members set that it does not have, given in order.
pub(crate) fn encode_with(
    tree: &Tree,
    root: NodeId,
    set: &[(&str, &str)],
    out: &mut String,
) -> Result<(), Flaw> {
    let mut members: Vec<(String, String)> = Vec::new();
    for entry in tree.entries(tree.target(root))? {
        if set.iter().all(|(name, _)| *name != entry.name) {
            let mut value = String::new();
            encode(tree, entry.value, &mut value)?;
            members.push((entry.name.into_owned(), value));
        }
    }
    for (name, text) in set {
        let mut value = String::new();
        string(text, &mut value);
        members.push(((*name).to_owned(), value));
    }
    members.sort();
    for (i, (name, value)) in members.iter().enumerate() {
        out.push(if i == 0 { '{' } else { ',' });
        string(name, out);
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
    Ok(())
}

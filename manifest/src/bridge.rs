//! Reads podgate's own files (`kind: Cluster`, `Scenario`, `Project`) into Rust types, with errors
//! that point into the file.

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment as SerdeSegment;

use crate::{Document, Error, Segment, nearest_name};

/// Reads a document into a type that is described with serde.
///
/// With `#[serde(deny_unknown_fields)]` an unknown field is reported at its key, with the nearest
/// known name as the hint.
pub fn from_document<T: DeserializeOwned>(document: &Document) -> Result<T, Error> {
    let body = document.body();
    let mut json = serde_json::Deserializer::from_str(&body);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let mut path: Vec<Segment> = error.path().iter().filter_map(segment).collect();
        let message = without_place(&error.inner().to_string());
        let Some((kind, name, known)) = unknown(&message) else {
            let quotes = message.starts_with("invalid type: ") && message.ends_with("a string");
            let hint = quotes.then(|| "put the value in quotes".to_owned());
            return document.error_at(&path, true, message, hint);
        };
        // Whether the path ends with the unknown name depends on the type that refused it.
        let last = Segment::Key(name.to_owned());
        if kind == "field" && path.last() != Some(&last) {
            path.push(last);
        }
        let hint = match nearest_name(name, known.iter().copied()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if known.is_empty() => None,
            None => Some(format!("known here: {}", known.join(", "))),
        };
        let message = format!("unknown {kind} `{name}`");
        document.error_at(&path, kind != "field", message, hint)
    })
}

fn segment(segment: &SerdeSegment) -> Option<Segment> {
    match segment {
        SerdeSegment::Seq { index } => Some(Segment::Index(*index)),
        SerdeSegment::Map { key } => Some(Segment::Key(key.clone())),
        SerdeSegment::Enum { variant } => Some(Segment::Key(variant.clone())),
        SerdeSegment::Unknown => None,
    }
}

/// Takes the place in the JSON text off, which means nothing to the user.
fn without_place(message: &str) -> String {
    message
        .rsplit_once(" at line ")
        .map_or(message, |(message, _)| message)
        .to_owned()
}

/// Takes serde's "unknown field `a`, expected one of `b`, `c`" apart.
fn unknown(message: &str) -> Option<(&str, &str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown ")?;
    let (kind, rest) = rest.split_once(" `")?;
    let (name, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).collect();
    matches!(kind, "field" | "variant").then_some((kind, name, known))
}

#[cfg(test)]
mod tests;

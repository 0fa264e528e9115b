//! Messages that agree up to what nobody can know: where something lay in the server's memory.
//!
//! Up to 1.33 a 422 prints values as Go's `%#v`. There an address stands for everything behind a
//! pointer, and podgate abridges structs that are made of little else to `NAME{...}`; and so it does
//! with whole specs as JSON.

use serde_json::Value as Json;

/// Whether podgate's message stands for the recorded one.
pub(crate) fn agree(recorded: &Json, actual: &Json) -> bool {
    match (recorded.as_str(), actual.as_str()) {
        (Some(recorded), Some(actual)) => texts_agree(&mask(recorded), &mask(actual)),
        _ => recorded == actual,
    }
}

fn texts_agree(recorded: &str, actual: &str) -> bool {
    let (mut recorded, mut actual) = (recorded, actual);
    while let Some((before, after)) = actual.split_once("{...}") {
        let Some(rest) = recorded.strip_prefix(before).and_then(behind_braces) else {
            return false;
        };
        (recorded, actual) = (rest, after);
    }
    recorded == actual
}

/// What follows the braces with which the text begins.
fn behind_braces(text: &str) -> Option<&str> {
    let mut depth = 0_u32;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return (byte == b'}').then(|| &text[at + 1..]);
        }
    }
    None
}

/// Makes all addresses of Go's heap the same.
fn mask(text: &str) -> String {
    let mut parts = text.split("0xc0");
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        masked.push_str("0xc0");
        masked.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    masked
}

//! Writes objects as the server writes them: as Go's `encoding/json` with escaped HTML.

use podgate_admission::value::{Object, Value};

/// Appends `value`.
pub(crate) fn write(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::Float(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::String(text) => string(text, out),
        Value::List(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Value::Object(object) => fields(object, &[], out),
    }
}

/// Appends `object` without the keys `except`.
pub(crate) fn fields(object: &Object<'_>, except: &[&str], out: &mut Vec<u8>) {
    out.push(b'{');
    let mut first = true;
    for (key, value) in object.iter().filter(|(key, _)| !except.contains(key)) {
        if !first {
            out.push(b',');
        }
        first = false;
        string(key, out);
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}

/// Appends a text with its quotes.
pub(crate) fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut written = 0;
    for (at, c) in text.char_indices() {
        let escape = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '<' => "\\u003c",
            '>' => "\\u003e",
            '&' => "\\u0026",
            '\u{2028}' => "\\u2028",
            '\u{2029}' => "\\u2029",
            c if c < ' ' => "",
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[written..at]);
        if escape.is_empty() {
            out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes());
        } else {
            out.extend_from_slice(escape.as_bytes());
        }
        written = at + c.len_utf8();
    }
    out.extend_from_slice(&text.as_bytes()[written..]);
    out.push(b'"');
}

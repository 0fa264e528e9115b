//! JSON strings: escapes, and characters in messages.
//!
//! Upstream: `unquote` in Go's encoding/json `decode.go`, `quoteChar` in `scanner.go`.

use std::borrow::Cow;

/// A character as Go's `quoteChar` writes it.
pub(super) fn quoted(found: char) -> String {
    match found {
        '\'' => r"'\''".to_owned(),
        '\\' => r"'\\'".to_owned(),
        '"' => "'\"'".to_owned(),
        '\n' => r"'\n'".to_owned(),
        '\r' => r"'\r'".to_owned(),
        '\t' => r"'\t'".to_owned(),
        c if c.is_control() => format!(r"'\x{:02x}'", u32::from(c)),
        // Go names the first byte of a longer character.
        c => {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes);
            format!("'{}'", char::from(bytes[0]))
        }
    }
}

/// The text of a string with escapes, which have been checked.
fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let code = rest.as_bytes()[at + 1];
        rest = &rest[at + 2..];
        out.push(match code {
            b'b' => '\x08',
            b'f' => '\x0C',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let (c, used) = unicode_escape(rest);
                rest = &rest[used..];
                c
            }
            other => char::from(other),
        });
    }
    out.push_str(rest);
    out
}

/// The character of `XXXX` or `XXXX\uYYYY`, and how many bytes it takes.
fn unicode_escape(rest: &str) -> (char, usize) {
    let hex = |digits: Option<&str>| digits.and_then(|d| u16::from_str_radix(d, 16).ok());
    let Some(first) = hex(rest.get(..4)) else {
        return (char::REPLACEMENT_CHARACTER, rest.len().min(4));
    };
    if let Some(c) = char::from_u32(u32::from(first)) {
        return (c, 4);
    }
    let second = (rest.get(4..6) == Some("\\u"))
        .then(|| hex(rest.get(6..10)))
        .flatten();
    let pair = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
    match pair {
        Some(c) => (c, 10),
        // A surrogate on its own; what follows stands for itself.
        None => (char::REPLACEMENT_CHARACTER, 4),
    }
}

/// A checked string between its quotes.
#[derive(Clone, Copy)]
pub(crate) struct RawString<'t> {
    pub(super) text: &'t str,
    pub(super) escaped: bool,
}

impl<'t> RawString<'t> {
    pub(crate) fn decode(self) -> Cow<'t, str> {
        if self.escaped {
            Cow::Owned(unescape(self.text))
        } else {
            Cow::Borrowed(self.text)
        }
    }
}

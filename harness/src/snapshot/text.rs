//! How texts stand in a snapshot: as they are where nobody can misread them, as JSON strings where
//! somebody could.
//!
//! A reviewer must see what a text holds. Control characters and characters that change the
//! direction of writing or have no width are therefore escaped, and so is what an editor or insta
//! would strip.

use std::fmt::Write;

/// Whether a text is shown escaped wherever it stands.
fn is_misleading(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Appends a line of a message, without its newline. A line that starts with `reserved` would be
/// read as something else, and is quoted.
pub(super) fn write_line(out: &mut String, line: &str, reserved: Option<&str>) {
    let plain = !line.is_empty()
        && !line.starts_with('"')
        && !line.ends_with(char::is_whitespace)
        && !line.chars().any(is_misleading)
        && !reserved.is_some_and(|reserved| line.starts_with(reserved));
    if plain {
        out.push_str(line);
    } else {
        write_quoted(out, line);
    }
}

/// Reads a line that [`write_line`] wrote; `None` where it starts like a JSON string and is none.
pub(super) fn read_line(text: &str) -> Option<String> {
    if text.starts_with('"') {
        serde_json::from_str(text.trim_end()).ok()
    } else {
        Some(text.to_owned())
    }
}

/// Appends a name: an object, a requester, a check.
pub(super) fn write_word(out: &mut String, word: &str) {
    let plain = !word.is_empty()
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._/:<>@*+=~".contains(&b));
    if plain {
        out.push_str(word);
    } else {
        write_quoted(out, word);
    }
}

/// Takes a name off the start of `text`, with the spaces in front of it.
pub(super) fn take_word(text: &mut &str) -> Option<String> {
    let rest = text.trim_start_matches(' ');
    if rest.starts_with('"') {
        let mut words = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        let word = words.next()?.ok()?;
        *text = &rest[words.byte_offset()..];
        return Some(word);
    }
    let end = rest.find([' ', ',', '[', ']']).unwrap_or(rest.len());
    let (word, rest) = rest.split_at(end);
    *text = rest;
    (!word.is_empty()).then(|| word.to_owned())
}

/// Appends a JSON string.
pub(super) fn write_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_misleading(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("plain text, \"quoted\" inside", "plain text, \"quoted\" inside")]
    #[case("  - Host: true,", "  - Host: true,")]
    #[case("", "\"\"")]
    #[case("ends in a space ", "\"ends in a space \"")]
    #[case("\"starts with a quote", "\"\\\"starts with a quote\"")]
    #[case("warning: is it?", "\"warning: is it?\"")]
    #[case("bell\u{7}", "\"bell\\u0007\"")]
    #[case("right\u{202e}left", "\"right\\u202eleft\"")]
    #[case("tag\u{e0041}", "\"tag\\udb40\\udc41\"")]
    #[case("Grüße", "Grüße")]
    fn lines(#[case] line: &str, #[case] written: &str) {
        let mut out = String::new();
        write_line(&mut out, line, Some("warning: "));
        assert_eq!(out, written);
        assert_eq!(read_line(&out).as_deref(), Some(line));
    }

    #[rstest]
    #[case("Pod/web", "Pod/web")]
    #[case("Pod/a b", "\"Pod/a b\"")]
    #[case("x,y]", "\"x,y]\"")]
    #[case("", "\"\"")]
    fn words(#[case] word: &str, #[case] written: &str) {
        let mut out = String::new();
        write_word(&mut out, word);
        assert_eq!(out, written);
        out.push_str(", next");
        let mut rest = out.as_str();
        assert_eq!(take_word(&mut rest).as_deref(), Some(word));
        assert_eq!(rest, ", next");
    }
}

//! Texts quoted as Go's `%q` prints them (`strconv.Quote`).

use std::fmt::Write;

/// `text` in double quotes, with Go's escapes: what Go does not take for printable becomes `\x7f`,
/// `\u200b` or `\U000e0001`.
///
/// ```
/// assert_eq!(podgate_policy::quote("a\"b\n"), r#""a\"b\n""#);
/// ```
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            ' '..='~' => quoted.push(character),
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0c' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\x0b' => quoted.push_str("\\v"),
            _ if is_printable(character) => quoted.push(character),
            _ => escape(character, &mut quoted),
        }
    }
    quoted.push('"');
    quoted
}

fn escape(character: char, out: &mut String) {
    let code = u32::from(character);
    let written = match code {
        0..=0x7f => write!(out, "\\x{code:02x}"),
        0x80..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
    written.expect("writing to a String cannot fail");
}

/// Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space. Rust
/// escapes the complement of the same set in debug output, but not behind another character where
/// a combining mark has something to combine with; so the character is looked at behind a letter.
fn is_printable(character: char) -> bool {
    let mut buffer = [b'a'; 5];
    let length = character.encode_utf8(&mut buffer[1..]).len();
    std::str::from_utf8(&buffer[..=length]).is_ok_and(|pair| pair.escape_debug().count() == 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    // The expectations are what Go 1.26 prints for `%q`.
    #[rstest]
    #[case("", r#""""#)]
    #[case("a b'c", r#""a b'c""#)]
    #[case("\"\\", r#""\"\\""#)]
    #[case("\x07\x08\x0c\n\r\t\x0b", r#""\a\b\f\n\r\t\v""#)]
    #[case("\x00\x1f\x7f", r#""\x00\x1f\x7f""#)]
    #[case("\u{80}\u{ad}\u{a0}", r#""\u0080\u00ad\u00a0""#)]
    #[case("\u{200b}\u{2000}\u{3000}", r#""\u200b\u2000\u3000""#)]
    #[case("\u{feff}\u{e000}", r#""\ufeff\ue000""#)]
    #[case("\u{f0000}\u{10ffff}", r#""\U000f0000\U0010ffff""#)]
    #[case("e\u{301}", "\"e\u{301}\"")]
    #[case("\u{301}", "\"\u{301}\"")]
    #[case("日本🎉☺", "\"日本🎉☺\"")]
    #[case("\u{fffd}", "\"\u{fffd}\"")]
    fn quotes_as_go(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(quote(text), expected);
    }
}

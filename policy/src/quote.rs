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

    // Expected texts are from Go's own tests (strconv/quote_test.go) and its documentation.
    #[rstest]
    #[case("\x07\x08\x0c\r\n\t\x0b", r#""\a\b\f\r\n\t\v""#)]
    #[case("\\", r#""\\""#)]
    #[case("abc'\"d", r#""abc'\"d""#)]
    #[case("\u{263a}", "\"\u{263a}\"")]
    #[case("\u{10ffff}", r#""\U0010ffff""#)]
    #[case("\x04", r#""\x04""#)]
    #[case("\x7f", r#""\x7f""#)]
    #[case("\u{a0}", r#""\u00a0""#)]
    #[case("\u{200b}", r#""\u200b""#)]
    #[case("e\u{301}", "\"e\u{301}\"")]
    #[case("\u{301}", "\"\u{301}\"")]
    #[case("!\u{a0}!\u{2000}!\u{3000}!", r#""!\u00a0!\u2000!\u3000!""#)]
    #[case("\u{fffd}", "\"\u{fffd}\"")]
    #[case("", r#""""#)]
    fn quotes_as_go(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(quote(text), expected);
    }
}

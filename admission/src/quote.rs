//! Go's `%q`: how servers quote texts in their messages (`strconv.Quote`).

use std::fmt::Write as _;

/// `text` as a Go string literal in double quotes.
///
/// ```
/// use podgate_admission::quote::quote;
/// assert_eq!(quote("a\"b\n\u{1}é\u{200b}"), r#""a\"b\n\x01é\u200b""#);
/// ```
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        // Writing to a String cannot fail.
        let _ = match character {
            '"' => quoted.write_str("\\\""),
            '\\' => quoted.write_str("\\\\"),
            '\u{7}' => quoted.write_str("\\a"),
            '\u{8}' => quoted.write_str("\\b"),
            '\u{c}' => quoted.write_str("\\f"),
            '\n' => quoted.write_str("\\n"),
            '\r' => quoted.write_str("\\r"),
            '\t' => quoted.write_str("\\t"),
            '\u{b}' => quoted.write_str("\\v"),
            ' '..='~' => quoted.write_char(character),
            '\0'..='\u{1f}' | '\u{7f}' => write!(quoted, "\\x{:02x}", u32::from(character)),
            _ if is_printable(character) => quoted.write_char(character),
            '\0'..='\u{ffff}' => write!(quoted, "\\u{:04x}", u32::from(character)),
            _ => write!(quoted, "\\U{:08x}", u32::from(character)),
        };
    }
    quoted.push('"');
    quoted
}

/// Go's `unicode.IsPrint` for what is not ASCII. Rust escapes the same categories in debug output,
/// and combining marks only at the start of a text, so the character is asked for as the second.
fn is_printable(character: char) -> bool {
    let mut pair = [0; 5];
    pair[0] = b'a';
    let length = character.encode_utf8(&mut pair[1..]).len();
    std::str::from_utf8(&pair[..=length])
        .is_ok_and(|pair| pair.escape_debug().nth(1) == Some(character))
}

#[cfg(test)]
mod tests {
    use super::quote;
    use rstest::rstest;

    // The expectations are what Go 1.26 prints for `%q`.
    #[rstest]
    #[case("", r#""""#)]
    #[case("a b", r#""a b""#)]
    #[case("\"\\", r#""\"\\""#)]
    #[case("\u{0}\u{1f}\u{7f}", r#""\x00\x1f\x7f""#)]
    #[case("\u{7}\u{8}\u{c}\n\r\t\u{b}", r#""\a\b\f\n\r\t\v""#)]
    #[case("\u{80}\u{ad}\u{a0}", r#""\u0080\u00ad\u00a0""#)]
    #[case("e\u{301}", "\"e\u{301}\"")]
    #[case("\u{301}", "\"\u{301}\"")]
    #[case("日本🎉", "\"日本🎉\"")]
    #[case("\u{fffd}", "\"\u{fffd}\"")]
    #[case("\u{feff}\u{e000}\u{f0000}", r#""\ufeff\ue000\U000f0000""#)]
    fn quotes(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(quote(text), expected);
    }
}

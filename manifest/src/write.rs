//! Writes YAML that kubectl reads as what was meant.
//!
//! `serde_yaml` writes `a: yes` for the text `yes`, and `- 1_000` for the text `1_000`: kubectl reads
//! a boolean and a number. Here a text is plain only where the resolver of this crate takes it for
//! text; any other is a JSON string, which is a YAML string too.

use std::fmt::Write as _;

use serde_json::Value;

use crate::resolve::{Scalar, resolve};

/// The YAML document of a value, with a line break at its end.
///
/// ```
/// use serde_json::json;
///
/// let value = json!({"a": "yes", "b": ["0644", 420, "nginx:1.27"], "c": {}});
/// let yaml = "a: \"yes\"\nb:\n- \"0644\"\n- 420\n- nginx:1.27\nc: {}\n";
/// assert_eq!(podgate_manifest::to_yaml(&value), yaml);
/// ```
#[must_use]
pub fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(members) if !members.is_empty() => block(value, 0, &mut out),
        Value::Array(items) if !items.is_empty() => block(value, 0, &mut out),
        value => {
            scalar(value, &mut out);
            out.push('\n');
        }
    }
    out
}

/// Writes a value that has members or items, each on lines of its own; the first line is indented
/// by the caller where it continues a line.
fn block(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(members) => {
            for (at, (key, value)) in members.iter().enumerate() {
                pad(indent, at, out);
                text(key, out);
                out.push(':');
                match value {
                    // Items stand as deep as their key, as kubectl writes them.
                    Value::Array(items) if !items.is_empty() => {
                        out.push('\n');
                        line(indent, out);
                        block(value, indent, out);
                    }
                    Value::Object(members) if !members.is_empty() => {
                        out.push('\n');
                        line(indent + 2, out);
                        block(value, indent + 2, out);
                    }
                    value => {
                        out.push(' ');
                        scalar(value, out);
                        out.push('\n');
                    }
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                pad(indent, at, out);
                out.push_str("- ");
                match item {
                    Value::Object(members) if !members.is_empty() => block(item, indent + 2, out),
                    Value::Array(items) if !items.is_empty() => block(item, indent + 2, out),
                    item => {
                        scalar(item, out);
                        out.push('\n');
                    }
                }
            }
        }
        _ => {}
    }
}

/// Indents every entry but the first, whose line is begun already.
fn pad(indent: usize, at: usize, out: &mut String) {
    if at > 0 {
        line(indent, out);
    }
}

fn line(indent: usize, out: &mut String) {
    let _ = write!(out, "{:indent$}", "");
}

/// Writes a value on the line: a scalar, or an empty mapping or sequence.
fn scalar(value: &Value, out: &mut String) {
    match value {
        Value::String(value) => text(value, out),
        value => {
            let _ = write!(out, "{value}");
        }
    }
}

fn text(value: &str, out: &mut String) {
    if is_plain(value) {
        out.push_str(value);
    } else {
        for character in Value::from(value).to_string().chars() {
            // JSON escapes the controls of ASCII; these are controls and line breaks of YAML, too.
            let escaped = matches!(
                character,
                '\u{7f}'
                    ..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
            );
            if escaped {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            } else {
                out.push(character);
            }
        }
    }
}

/// Whether a text may stand without quotes: made of harmless characters, and text to the resolver.
fn is_plain(text: &str) -> bool {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "._/-+@%$()".contains(c);
    let mut characters = text.chars();
    let starts_well = characters
        .next()
        .is_some_and(|c| c.is_ascii_alphanumeric() || "/._$(".contains(c));
    // A colon or a space between harmless characters is harmless; `: ` and ` #` are not.
    let all = text.split(' ').all(|word| {
        !word.is_empty() && !word.ends_with(':') && word.chars().all(|c| harmless(c) || c == ':')
    });
    starts_well
        && all
        && !text.starts_with("...")
        && matches!(resolve("", text), Ok(Scalar::String(found)) if found == text)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::{Source, read_documents};

    /// What is written is read back as what was meant.
    #[track_caller]
    fn check(value: &Value) -> String {
        let yaml = to_yaml(value);
        let source = Source::new("written.yaml", &yaml);
        let document = read_documents(&source)
            .next()
            .expect("a document")
            .expect("well formed");
        let read: Value = serde_json::from_str(&document.body()).expect("JSON");
        assert_eq!(&read, value, "{yaml}");
        yaml
    }

    #[rstest]
    fn texts_stay_texts(
        #[values(
            "yes",
            "n",
            "on",
            "0644",
            "08",
            "1_000",
            "1e3",
            "0x1F",
            ".inf",
            "~",
            "null",
            "=",
            "<<",
            "2001-01-01",
            "1:30",
            "- x",
            "a: b",
            "a:",
            "a #b",
            "#",
            "!!x",
            "&a",
            "*a",
            "{}",
            "[]",
            "\t",
            "",
            " x",
            "x ",
            "é\u{7f}",
            "\u{85}\u{9f}",
            "a\u{2028}b\u{2029}",
            "\u{feff}x\u{ffff}",
            "😀",
            "---",
            "...",
            "a\nb",
            "\"q\"",
            "'",
            "%x",
            "@",
            "`",
            "nginx:1.27",
            "true",
            "-",
            "?",
            "|",
            ">",
            "a  b"
        )]
        text: &str,
    ) {
        check(&json!({"a": text, "b": [text, {"c": text}], "d": {text: 1}}));
    }

    #[test]
    fn nests() {
        let value = json!({
            "empty": {"list": [], "map": {}},
            "lists": [[1, [2, 3]], [], {"a": {"b": [{"c": null, "d": -1.5}]}, "e": true}],
        });
        assert_eq!(
            check(&value),
            "empty:\n  list: []\n  map: {}\nlists:\n- - 1\n  - - 2\n    - 3\n- []\n- a:\n    b:\n    - c: null\n      \
             d: -1.5\n  e: true\n"
        );
    }

    #[rstest]
    #[case(json!([]), "[]\n")]
    #[case(json!("yes"), "\"yes\"\n")]
    #[case(json!(1), "1\n")]
    fn scalars_alone(#[case] value: Value, #[case] yaml: &str) {
        assert_eq!(to_yaml(&value), yaml);
    }
}

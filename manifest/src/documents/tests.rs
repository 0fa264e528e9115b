//! Tests of whole files.

use rstest::rstest;

use crate::{Source, read_documents, read_json_lines};

/// The bodies of a text, errors as `line:column message`.
fn read(text: &str) -> Vec<String> {
    read_documents(&Source::new("f.yaml", text))
        .map(|document| match document {
            Ok(document) => document.body().into_owned(),
            Err(error) => {
                let place = error.position().map(|p| p.to_string()).unwrap_or_default();
                format!("{place} {}", error.message())
            }
        })
        .collect()
}

#[rstest]
#[case::one("a: 1\n", &[r#"{"a":1}"#])]
#[case::sorted("b: 1\na: {d: 1, c: [x, 2]}", &[r#"{"a":{"c":["x",2],"d":1},"b":1}"#])]
#[case::separated("a: 1\n---\nb: 2\n", &[r#"{"a":1}"#, r#"{"b":2}"#])]
#[case::comment_after("a: 1\n--- # two\nb: 2", &[r#"{"a":1}"#, r#"{"b":2}"#])]
#[case::empty("", &[])]
#[case::comments("# nothing\n", &[])]
#[case::null("null\n---\n---\n# x\n---\n~\n", &[])]
#[case::mark_and_crlf("\u{FEFF}a: 1\r\n---\r\nb: |\r\n  x\r\n  y\r\n", &[r#"{"a":1}"#, r#"{"b":"x\ny\n"}"#])]
#[case::indented_separator("a: |\n  x\n  ---\n  y\n", &[r#"{"a":"x\n---\ny\n"}"#])]
#[case::end_marker("a: 1\n...\nb: [\n", &[r#"{"a":1}"#])]
#[case::bad_separator("a: 1\n---\nb: 2\n--- abc\nc: 3\n", &[r#"{"a":1}"#, "4:5 invalid Yaml document separator: abc", r#"{"c":3}"#])]
#[case::flow_after_separator("--- {a: b}\n", &["1:5 invalid Yaml document separator: {a: b}"])]
#[case::directive("%YAML 1.1\n---\na: 1\n", &["1:10 did not find expected <document start>", r#"{"a":1}"#])]
#[case::other_document("a: &x 1\n---\nb: *x\n", &[r#"{"a":1}"#, "3:4 unknown anchor 'x' referenced"])]
#[case::duplicates("a: {x: 1}\na: {z: 2}\n", &[r#"{"a":{"z":2}}"#])]
#[case::merge("x: &x {a: 1, b: 1}\nz: {<<: *x, b: 2}\n", &[r#"{"x":{"a":1,"b":1},"z":{"a":1,"b":2}}"#])]
#[case::merges("z: {<<: [{a: 1}, {a: 2, b: 2}]}\n", &[r#"{"z":{"a":1,"b":2}}"#])]
#[case::json("{\"b\": 5.0, \"a\": \"<\"}\n{\"c\":1}", &[r#"{"a":"\u003c","b":5}"#, r#"{"c":1}"#])]
#[case::json_then_separator("{\"a\":1}\n---\n{\"b\":1}\n", &[r#"{"a":1}"#, "2:2 invalid character '-' in numeric literal", r#"{"b":1}"#])]
#[case::text("just text", &["1:1 json: cannot unmarshal string into Go value of type unstructured.detector"])]
fn documents(#[case] text: &str, #[case] expected: &[&str]) {
    assert_eq!(read(text), expected);
}

/// What a stream of JSON Lines gives: the start and the body, or the place and the message.
fn lines(bytes: &[u8]) -> Vec<String> {
    read_json_lines("f.jsonl", bytes)
        .map(|document| match document {
            Ok(document) => format!("{} {}", document.start(), document.body()),
            Err(error) => format!("{} {}", error.position().unwrap(), error.message()),
        })
        .collect()
}

#[rstest]
#[case::lines(b"{\"a\":1}\n\n  {\"b\":2}\r\n{\"c\":3}", &["1:1 {\"a\":1}", "3:3 {\"b\":2}", "4:1 {\"c\":3}"])]
#[case::mark(b"\xEF\xBB\xBF{\"a\":1}\n", &["1:1 {\"a\":1}"])]
#[case::null(b"null\n{\"a\":1}\n", &["2:1 {\"a\":1}"])]
#[case::broken(b"{\"a\":\n{\"b\":2}\n", &["1:6 unexpected EOF", "2:1 {\"b\":2}"])]
#[case::no_object(b"[1]\n{\"b\":2}\n", &["1:1 json: cannot unmarshal array into Go value of type unstructured.detector", "2:1 {\"b\":2}"])]
#[case::two(b"{\"a\":1} {\"b\":2}\n{\"c\":3}\n", &["1:9 a line holds more than one JSON value", "2:1 {\"c\":3}"])]
#[case::empty(b"", &[])]
fn json_lines(#[case] bytes: &[u8], #[case] expected: &[&str]) {
    assert_eq!(lines(bytes), expected);
}

#[test]
fn a_stream_that_breaks_ends() {
    let broken = std::io::Read::chain(&b"{\"a\":1}\n"[..], Broken);
    let read: Vec<_> = read_json_lines("f.jsonl", std::io::BufReader::new(broken)).collect();
    assert_eq!(read.len(), 2);
    assert!(read[0].is_ok());
    assert_eq!(
        read[1].as_ref().unwrap_err().to_string(),
        "f.jsonl: cannot be read: gone"
    );
}

/// A stream that fails.
struct Broken;

impl std::io::Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("gone"))
    }
}

#[test]
fn json_goes_on_behind_an_error() {
    let text = "{\"a\": 1}\n{\"b\": }\n{\"c\": 1e999}\n{\"d\": 1}\n";
    assert_eq!(
        read(text),
        [
            r#"{"a":1}"#,
            "2:7 invalid character '}' looking for beginning of value",
            "3:7 json: cannot unmarshal number 1e999 into Go value of type float64",
            r#"{"d":1}"#,
        ]
    );
}

#[test]
fn yaml_goes_on_behind_an_error() {
    let text = "a: 1\n---\nb: [\n---\nc: .inf\n---\nd: 1\n";
    assert_eq!(
        read(text),
        [
            r#"{"a":1}"#,
            "3:4 did not find expected node content",
            "5:4 json: unsupported value: +Inf",
            r#"{"d":1}"#,
        ]
    );
}

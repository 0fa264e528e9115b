//! What users see.

use rstest::rstest;

use crate::{Source, read_documents};

fn render(text: &str) -> String {
    let mut documents = read_documents(&Source::new("pod.yaml", text));
    documents.find_map(Result::err).expect("an error").render()
}

#[rstest]
#[case::tab(
    "kind: Pod\nspec:\n\tcontainers: []\n",
    "\
error: found character that cannot start any token
 --> pod.yaml:3:1
  |
3 | →containers: []
  | ^
hint: YAML is indented with spaces: replace the tab"
)]
#[case::quote(
    "a: 1\nb: \"x\nc: 2\n",
    "\
error: found unexpected end of stream
 --> pod.yaml:2:4
  |
2 | b: \"x
  |    ^
hint: the quote that opens here is never closed"
)]
#[case::colon(
    "a: b: c\n",
    "\
error: mapping values are not allowed in this context
 --> pod.yaml:1:5
  |
1 | a: b: c
  |     ^
hint: either the indentation is off, or a value with `: ` in it needs quotes"
)]
#[case::key(
    "---\nkind: Pod\nname\nx: 1\n",
    "\
error: could not find expected ':'
 --> pod.yaml:3:1
  |
3 | name
  | ^
hint: a key needs a colon and a blank after it, and text over several lines needs `|`"
)]
#[case::bracket(
    "a: [1, 2\nb: 3\n",
    "\
error: did not find expected ',' or ']'
 --> pod.yaml:1:4
  |
1 | a: [1, 2
  |    ^
hint: a bracket that opens here or before is never closed, or a comma is missing"
)]
#[case::template(
    "a: {{ .Values.a }}\n",
    "\
error: invalid map key: map[interface {}]interface {}{\".Values.a\":interface {}(nil)}
 --> pod.yaml:1:5
  |
1 | a: {{ .Values.a }}
  |     ^
hint: this looks like a template: render it first"
)]
#[case::infinity(
    "kind: Pod\nspec: {a: .inf}\n",
    "\
error: json: unsupported value: +Inf
 --> pod.yaml:2:11
  |
2 | spec: {a: .inf}
  |           ^
hint: JSON has no such number: if the text is meant, put it in quotes"
)]
#[case::separator("kind: Pod\n--- abc\n", "\
error: invalid Yaml document separator: abc
 --> pod.yaml:2:5
  |
2 | --- abc
  |     ^
hint: after --- only a comment may follow: put the rest on its own line; kubectl drops the document before it, which begins on line 1")]
#[case::json_comma(
    "{\"a\": 1,\n \"b\": [1,]}\n",
    "\
error: invalid character ']' looking for beginning of value
 --> pod.yaml:2:10
  |
2 |  \"b\": [1,]}
  |          ^
hint: JSON takes no comma after the last member"
)]
#[case::json_end(
    "{\"a\": [1, 2",
    "\
error: unexpected EOF
 --> pod.yaml:1:12
  |
1 | {\"a\": [1, 2
  |            ^
hint: the text ends before its last bracket or quote is closed"
)]
#[case::json_then_yaml("{\"a\": 1}\n---\nb: 1\n", "\
error: invalid character '-' in numeric literal
 --> pod.yaml:2:2
  |
2 | ---
  |  ^
hint: a file that begins with { is JSON and takes no `---`: begin it with `---`, or drop the separators")]
fn rendered(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(render(text), expected);
}

#[test]
fn a_long_line_is_cut_around_the_caret() {
    let text = format!("a: [{}, \x01 {}]\n", "x".repeat(500), "y".repeat(500));
    let rendered = render(&text);
    let lines: Vec<_> = rendered.lines().collect();
    assert_eq!(lines[1], " --> pod.yaml:1:507");
    let caret = lines[4].chars().position(|c| c == '^').unwrap();
    assert_eq!(lines[3].chars().nth(caret), Some('\u{FFFD}'));
    assert!(lines[3].chars().count() < 140);
    assert!(lines[3].starts_with("1 | …xxx") && lines[3].ends_with("yyy…"));
}

#[test]
fn one_line() {
    let source = Source::new("pod.yaml", "a: &a [*a]\n");
    let error = read_documents(&source).next().unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "pod.yaml:1:8: anchor 'a' value contains itself"
    );
}

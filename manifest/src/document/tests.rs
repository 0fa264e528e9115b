//! Tests of positions, bodies and headers.

use std::path::PathBuf;

use rstest::rstest;

use crate::{Document, FieldPath, Rendered, Source, read_documents};

pub(crate) fn one(text: &str) -> Document {
    let mut documents = read_documents(&Source::new("f.yaml", text));
    documents
        .next()
        .expect("a document")
        .unwrap_or_else(|error| panic!("{}", error.render()))
}

/// `key value` of a field, `-` for a field without a key, nothing if it is not there.
fn place(document: &Document, path: &str) -> String {
    let Some(location) = document.position(&FieldPath::parse(path).0) else {
        return String::new();
    };
    let key = location.key.map_or("-".to_owned(), |key| key.to_string());
    format!("{key} {}", location.value)
}

const POD: &str = "\
# a pod
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {a.b/c: \"x\"}}
x-env: &env
- name: A
  value: ä
spec:
  hostNetwork:
  containers:
  - name: c
    env: *env
    resources: &r
      limits:
        cpu: 1
  - <<: {image: merged, name: d}
    resources: *r
    \"image\": own
";

#[rstest]
#[case("apiVersion", "2:1 2:13")]
#[case("metadata.labels[a.b/c]", "4:32 4:39")]
#[case("spec.hostNetwork", "9:3 9:15")]
#[case("spec.containers", "10:3 11:3")]
#[case("spec.containers[0]", "- 11:5")]
#[case("spec.containers[0].env", "12:5 6:1")]
#[case("spec.containers[0].env[0].value", "7:3 7:10")]
#[case("spec.containers[1].resources.limits.cpu", "15:9 15:14")]
#[case("spec.containers[1].name", "16:25 16:31")]
#[case("spec.containers[1].image", "18:5 18:14")]
#[case("spec.nothing", "")]
#[case("spec.containers[2]", "")]
#[case("kind.x", "")]
fn positions_in_yaml(#[case] path: &str, #[case] expected: &str) {
    assert_eq!(place(&one(POD), path), expected);
}

#[test]
fn positions_behind_other_documents() {
    let source = Source::new(
        "f.yaml",
        "# x\r\n---\r\na: 1\r\n---\r\n\r\nb:\r\n  c: 2\r\n",
    );
    let documents: Vec<_> = read_documents(&source).map(Result::unwrap).collect();
    assert_eq!(place(&documents[0], "a"), "3:1 3:4");
    assert_eq!(place(&documents[1], "b.c"), "7:3 7:6");
    assert_eq!(documents[1].start().to_string(), "6:1");
}

#[rstest]
#[case("kind", "1:2 1:10")]
#[case("spec", "2:3 2:11")]
#[case("spec.b", "3:5 3:9")]
#[case("spec.b[1].c", "4:13 4:23")]
#[case("spec.b[3]", "")]
#[case("dup", "6:15 6:22")]
fn positions_in_json(#[case] path: &str, #[case] expected: &str) {
    let text = "{\"kind\": \"Pod\",\n  \"spec\": {\n    \"b\":[1,\n      \"x\", {\"\\u0063\": 1}]\n  },\n  \"dup\": 1,   \"dup\": 2}";
    // Of two members with one name the last counts.
    let text = text.replace("\"x\", {", "     {");
    assert_eq!(place(&one(&text), path), expected);
}

#[test]
fn nearest_part_of_a_path() {
    let document = one(POD);
    let (found, location) = document.nearest(&FieldPath::parse("spec.containers[0].image").0);
    assert_eq!(
        (found, location.position().to_string()),
        (3, "11:5".to_owned())
    );
}

#[rstest]
#[case::full("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: b}", [Some("v1"), Some("Pod"), Some("a"), Some("b")])]
#[case::json("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"\\u0061\",\"namespace\":\"b\"}}", [Some("v1"), Some("Pod"), Some("a"), Some("b")])]
#[case::last_wins("{\"kind\":\"A\",\"kind\":1,\"metadata\":{\"name\":\"a\"},\"metadata\":{}}", [None; 4])]
#[case::elsewhere("{\"kind\":[\"x\"],\"spec\":{\"name\":\"n\"},\"metadata\":{\"l\":{\"name\":\"l\"},\"x\":[{\"name\":\"y\"}]},\"x\":[{\"kind\":\"y\"}]}", [None; 4])]
#[case::absent("a: 1", [None; 4])]
#[case::no_texts("apiVersion: 1\nkind: yes\nmetadata: {name: 1, namespace: ''}", [None; 4])]
#[case::no_metadata("kind: A\nmetadata: [x]", [None, Some("A"), None, None])]
fn headers(#[case] text: &str, #[case] expected: [Option<&str>; 4]) {
    let document = one(text);
    let found = [
        document.api_version(),
        document.kind(),
        document.name(),
        document.namespace(),
    ];
    assert_eq!(found, expected);
}

#[rstest]
#[case::escapes(
    "{\"a\": \"\\u003c<>&\\u2028\\u0001\\b\\f\\n\\r\\t\\\"\\\\\\/\u{7f}\"}",
    r#"{"a":"\u003c\u003c\u003e\u0026\u2028\u0001\b\f\n\r\t\"\\/"#
)]
#[case::surrogates(
    "{\"a\": \"\\ud83d\\ude00\\ud83dx\\ude00\\ud83d\\u0041\"}",
    "{\"a\":\"\u{1F600}\u{FFFD}x\u{FFFD}\u{FFFD}A\"}"
)]
#[case::numbers(
    "{\"a\": [0, -0, 1.50, 1E3, 1e-7, 12345678901234567890]}",
    r#"{"a":[0,0,1.5,1000,1e-7,12345678901234567000]}"#
)]
#[case::duplicates(
    "{\"b\": 1, \"a\": {\"x\": 1}, \"a\": {}, \"\": null}",
    r#"{"":null,"a":{},"b":1}"#
)]
fn bodies_of_json(#[case] text: &str, #[case] expected: &str) {
    let body = one(text).body().into_owned();
    assert!(body.starts_with(expected), "{body}");
    // What is sent reads back as it is.
    assert_eq!(one(&body).body(), body);
    assert_eq!(one(text).raw_json(), Some(text));
}

#[test]
fn field_paths() {
    for path in [
        "spec.containers[0].image",
        "metadata.labels[a.b/c]",
        "a",
        "",
        "a[0][1].b",
    ] {
        assert_eq!(FieldPath::parse(path).to_string(), path);
    }
    assert_eq!(FieldPath::parse("a..b.").0, FieldPath::parse("a.b").0);
    assert_eq!(FieldPath::parse("a[b").0.len(), 2);
}

const RENDERED: &str = "---
# Source: web/templates/web.yaml
kind: Pod
---
# Source: web/charts/cache/templates/cache.yaml
kind: List
items: [{kind: Pod}]
---
kind: Pod
metadata:
  annotations:
    config.kubernetes.io/origin: |
      path: ../base/x.yaml
---
kind: Pod
metadata:
  annotations:
    config.kubernetes.io/origin: |
      path: y.yaml
      repo: https://example.com/y
      ref: main
---
kind: Pod
";

fn source_files(source: &Source) -> Vec<Option<String>> {
    let documents = read_documents(source).flat_map(|document| document.unwrap().flatten());
    documents.map(|it| it.unwrap().source_file()).collect()
}

#[test]
fn what_an_object_was_rendered_from() {
    let expected = [
        Some("web/templates/web.yaml"),
        Some("web/charts/cache/templates/cache.yaml"),
        Some("../base/x.yaml"),
        None,
        None,
    ];
    let files = source_files(&Source::new("<stdin>", RENDERED));
    let files: Vec<Option<&str>> = files.iter().map(Option::as_deref).collect();
    assert_eq!(files, expected);
    // What somebody rendered into a file stands there, line by line.
    let in_a_file = source_files(&Source::new("web.yaml", RENDERED));
    assert!(in_a_file.iter().all(Option::is_none), "{in_a_file:?}");
}

#[test]
fn what_is_on_disk_is_named_as_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for file in ["chart/templates/web.yaml", "base/x.yaml"] {
        std::fs::create_dir_all(path(file).parent().unwrap()).unwrap();
        std::fs::write(path(file), "").unwrap();
    }
    let whole = path("chart/kustomization.yaml");
    let source = Source::new("chart", RENDERED).rendered(Rendered {
        folder: path("chart"),
        whole: Some(whole.clone()),
    });
    let shown = |path: PathBuf| Some(path.display().to_string());
    assert_eq!(
        source_files(&source),
        [
            shown(path("chart/templates/web.yaml")),
            Some("web/charts/cache/templates/cache.yaml".to_owned()),
            shown(path("base/x.yaml")),
            shown(whole.clone()),
            shown(whole),
        ]
    );
}

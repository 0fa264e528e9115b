//! Texts before and after.

use rstest::rstest;

use super::*;
use crate::{FieldPath, read_documents};

fn yes() -> Edit {
    Edit::Set(Leaf::Bool(true))
}

fn text(text: &str) -> Edit {
    Edit::Set(Leaf::Text(text.to_owned()))
}

fn item(text: &str) -> Edit {
    Edit::Append(vec![Leaf::Text(text.to_owned())])
}

/// The text after edits of the last object in it.
fn edited(before: &str, edits: &[(&str, Edit)]) -> Result<String, String> {
    let source = Source::new("f.yaml", before);
    let objects: Vec<Document> = read_documents(&source)
        .flat_map(|document| document.unwrap().flatten().map(Result::unwrap))
        .collect();
    let mut edit = Edit::none();
    for (path, one) in edits {
        assert!(edit.add(&FieldPath::parse(path).0, one.clone()), "{path}");
    }
    let changes = objects.last().unwrap().edit(&source, &edit);
    changes
        .map(|changes| apply(source.text(), &changes))
        .map_err(|error| error.to_string())
}

#[rstest]
// Members go behind the last one, comments stay where they are.
#[case("a: 1 # one\nspec:\n    b: # two\n        c: 1\n    # three\n\n# four\n", &[("spec.x.k", yes())],
    "a: 1 # one\nspec:\n    b: # two\n        c: 1\n    x:\n        k: true\n    # three\n\n# four\n")]
// One insertion where several fields share a way; the inner one first where two end together.
#[case("spec:\n  c:\n  - n: a\n", &[("spec.c[0].s.x", yes()), ("spec.c[0].s.k.z", item("ALL")), ("spec.s", yes())],
    "spec:\n  c:\n  - n: a\n    s:\n      x: true\n      k:\n        z:\n        - ALL\n  s: true\n")]
// Items stand deeper than their key where others do.
#[case("spec:\n  c:\n    - n: a\n", &[("spec.c[0].k", item("ALL"))],
    "spec:\n  c:\n    - n: a\n      k:\n        - ALL\n")]
#[case("a: false # why\nb: 'Off'\nc: \"No\"\nd:\n", &[("a", yes()), ("b", text("On")), ("c", text("Yes")), ("d", text("x"))],
    "a: true # why\nb: 'On'\nc: \"Yes\"\nd: x\n")]
#[case("d:\n- 'A' # a\n# b\ne: [\"B\", ]\nf: [C]\n", &[("d", item("ALL")), ("e", item("ALL")), ("f", item("ALL"))],
    "d:\n- 'A' # a\n- 'ALL'\n# b\ne: [\"B\", \"ALL\", ]\nf: [C, ALL]\n")]
// Nothing in it yet.
#[case("s: {} # none\nt:\nu: ~\nv: []\nw: null", &[("s.a", yes()), ("t.a", yes()), ("u.a", yes()), ("v", item("ALL")), ("w", item("ALL"))],
    "s: # none\n  a: true\nt:\n  a: true\nu:\n  a: true\nv: [ALL]\nw:\n- ALL")]
#[case("---\n{a: {b: c}, d: { e: f }}", &[("a.x.k", yes()), ("d.x.k", item("ALL")), ("g", yes())],
    "---\n{a: {b: c, x: {k: true}}, d: { e: f, x: { k: [ALL] } }, g: true}")]
#[case("s: {\n  \"a\": 1\n}\n", &[("s.x.k", yes())], "s: {\n  \"a\": 1,\n  \"x\": {\n    \"k\": true\n  }\n}\n")]
// Block scalars keep their own lines.
#[case("a:\n  b: |\n    text\n\nc: 1\n", &[("a.x", yes())], "a:\n  b: |\n    text\n  x: true\n\nc: 1\n")]
#[case("a:\n  b: |+\n    text\n\nc: 1\n", &[("a.x", yes())], "a:\n  b: |+\n    text\n\n  x: true\nc: 1\n")]
#[case("a:\n  b: one\n    two # three\n", &[("a.x", yes())], "a:\n  b: one\n    two # three\n  x: true\n")]
// Line breaks of Windows, none at the end, a mark at the beginning, other documents.
#[case("a:\r\n  b: 1\r\n---\r\na:\r\n  b: 1", &[("a.x.k", yes())], "a:\r\n  b: 1\r\n---\r\na:\r\n  b: 1\r\n  x:\r\n    k: true")]
#[case("a: 1\n---\na:\n  b: 1\n--- # next\n", &[("a.x", yes())], "a: 1\n---\na:\n  b: 1\n  x: true\n--- # next\n")]
// What stands on a line of its own.
#[case("s:\n  {}\nt:\r\n  # c\r\n  {} # d\r\nu: 1\n", &[("s.a", yes()), ("t.a", yes())], "s:\n  a: true\nt:\r\n  # c # d\r\n  a: true\r\nu: 1\n")]
// Items of a list.
#[case("items:\n- kind: A\n  s: {}\n- kind: B\n  s: {}\n", &[("s.x", yes())], "items:\n- kind: A\n  s: {}\n- kind: B\n  s:\n    x: true\n")]
// JSON.
#[case("{\n\t\"a\": {\n\t\t\"b\": 1\n\t}\n}\n", &[("a.x.k", item("ALL")), ("c", text("d"))],
    "{\n\t\"a\": {\n\t\t\"b\": 1,\n\t\t\"x\": {\n\t\t\t\"k\": [\n\t\t\t\t\"ALL\"\n\t\t\t]\n\t\t}\n\t},\n\t\"c\": \"d\"\n}\n")]
#[case("{\"a\":{\"b\":[]},\"c\":false}", &[("a.b", item("ALL")), ("a.x.k", yes()), ("c", yes())],
    "{\"a\":{\"b\":[\"ALL\"],\"x\":{\"k\":true}},\"c\":true}")]
#[case("{\r\n  \"a\": {}\r\n}", &[("a.x", yes())], "{\r\n  \"a\": {\r\n    \"x\": true\r\n  }\r\n}")]
#[case("{\"items\":[{\"kind\":\"A\"},{\"kind\":\"B\"}]}", &[("x", yes())], "{\"items\":[{\"kind\":\"A\"},{\"kind\":\"B\",\"x\":true}]}")]
// An anchor that nobody uses here, a merge key that brings something else.
#[case("b: &b\n  c: 1\na:\n  <<: *b\n  d: 1\n", &[("a.x", yes())], "b: &b\n  c: 1\na:\n  <<: *b\n  d: 1\n  x: true\n")]
fn becomes(#[case] before: &str, #[case] edits: &[(&str, Edit)], #[case] after: &str) {
    assert_eq!(edited(before, edits).as_deref(), Ok(after));
}

#[rstest]
#[case("a: &s {b: 1}\nc: *s\n", "c.x", "f.yaml:2:4: an alias")]
#[case("a: &s\n  b: 1\nc: *s\n", "a.x", "an alias elsewhere stands for this")]
#[case("a: &s\n  b:\n    c: 1\nd:\n  <<: *s\n", "d.b.x", "by a merge key")]
#[case("a: &s\n  b:\n    c: 1\nd:\n  <<: *s\n", "a.b.x", "an alias elsewhere")]
#[case("a: text\n", "a.x", "of another type")]
#[case("a: |\n  text\n", "a.x", "of another type")]
fn is_refused(#[case] before: &str, #[case] path: &str, #[case] why: &str) {
    let error = edited(before, &[(path, yes())]).expect_err("refused");
    assert!(error.contains(why), "{error}");
}

#[test]
fn edits_that_contradict_each_other_are_told() {
    let mut edit = Edit::none();
    assert!(edit.add(&["a".into()], yes()));
    assert!(edit.add(&["a".into()], yes()));
    assert!(!edit.add(&["a".into()], text("no")));
    assert!(!edit.add(&["a".into(), "b".into()], yes()));
}

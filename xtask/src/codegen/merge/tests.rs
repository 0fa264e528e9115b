//! Merging minors, without Go: the types are written here as the Go program prints them.

use serde_json::{Value, json};

use super::{Apply, Struct, Tables, apply_defaults, merge};
use crate::codegen::defaults;

fn text(name: &str) -> Value {
    json!({
        "name": name, "go": name, "type": {"kind": "String", "go": "string"}, "pointer": false,
        "omitEmpty": true, "numbers": [1], "patchStrategy": null, "patchMergeKey": "", "markers": {},
    })
}

fn with(mut field: Value, change: Value) -> Value {
    let Value::Object(change) = change else {
        panic!("an object");
    };
    field.as_object_mut().expect("an object").extend(change);
    field
}

/// Merges minors from 1.20 on, each given by the fields of its `v1.Spec`.
fn tables(minors: &[Value]) -> Tables {
    let types: Vec<_> = (20..)
        .zip(minors)
        .map(|(minor, fields)| {
            let types = json!({
                "roots": {"core/v1/Spec": "v1.Spec"},
                "structs": [{"id": "v1.Spec", "go": "v1.Spec", "markers": {}, "fields": fields}],
            });
            (minor, serde_json::from_value(types).unwrap())
        })
        .collect();
    merge(&types).unwrap()
}

fn entries(s: &Struct) -> Vec<(&str, u8, u8)> {
    s.fields
        .iter()
        .map(|f| (f.go.name.as_str(), f.since, f.until))
        .collect()
}

#[test]
fn fields_stand_in_the_newest_order_and_older_ones_where_they_stood() {
    let tables = tables(&[
        json!([text("a"), text("gone"), text("b")]),
        json!([text("a"), text("gone"), text("b")]),
        json!([text("b"), text("new"), text("a")]),
    ]);
    assert_eq!(
        entries(&tables.structs["v1.Spec"]),
        [
            ("b", 20, 22),
            ("new", 22, 22),
            ("a", 20, 22),
            ("gone", 20, 21)
        ]
    );
}

#[test]
fn a_field_that_changed_has_an_entry_for_each_form() {
    let pointer = with(text("a"), json!({"pointer": true}));
    let tables = tables(&[
        json!([text("a")]),
        json!([pointer]),
        json!([]),
        json!([pointer]),
    ]);
    let s = &tables.structs["v1.Spec"];
    assert_eq!(entries(s), [("a", 23, 23), ("a", 21, 21), ("a", 20, 20)]);
    assert!(s.fields[0].go.pointer && !s.fields[2].go.pointer);
}

#[test]
fn a_list_without_marker_is_applied_as_it_is_patched() {
    let list = json!({"type": {"kind": "List", "go": "[]string",
        "elem": {"kind": "String", "go": "string"}}});
    let list = |change| with(with(text("a"), list.clone()), change);
    let merged = json!({"patchStrategy": ["merge"], "patchMergeKey": "name"});
    let tables = tables(&[
        json!([list(json!({}))]),
        json!([list(merged.clone())]),
        json!([list(json!({"patchStrategy": ["merge"]}))]),
        json!([with(
            list(merged),
            json!({"markers": {"listType": "atomic"}})
        )]),
    ]);
    let applies: Vec<_> = tables.structs["v1.Spec"]
        .fields
        .iter()
        .rev()
        .map(|f| f.apply.clone())
        .collect();
    let by_name = Apply::Map(vec!["name".to_owned()]);
    assert_eq!(applies, [Apply::Atomic, by_name, Apply::Set, Apply::Atomic]);
}

#[test]
fn a_default_of_some_minors_splits_the_field() {
    let mut tables = tables(&[json!([text("a")]), json!([text("a")]), json!([text("a")])]);
    let list = defaults::parse("# why\n\nSpec.a \"x y\" 1.21..1.21\n").unwrap();
    apply_defaults(&mut tables, &list).unwrap();
    let s = &tables.structs["v1.Spec"];
    assert_eq!(entries(s), [("a", 22, 22), ("a", 21, 21), ("a", 20, 20)]);
    let defaults: Vec<_> = s.fields.iter().map(|f| f.default.as_deref()).collect();
    assert_eq!(defaults, [None, Some("Text(\"x y\")"), None]);
}

#[test]
fn a_default_must_fit() {
    let apply = |line: &str| {
        let list = defaults::parse(line)?;
        apply_defaults(
            &mut tables(&[json!([text("a")]), json!([text("a")])]),
            &list,
        )
    };
    assert!(apply("Spec.a \"x\"").is_ok());
    for line in [
        "Spec.b \"x\"",
        "Other.a \"x\"",
        "Spec.a 1",
        "Spec.a",
        "Spec.a \"x\" 1.21",
        "Spec.a \"x\" 1.25..",
        "Spec.a \"x\"\nSpec.a \"y\" 1.21..",
    ] {
        assert!(apply(line).is_err(), "{line}");
    }
}

//! Tests of lists.

use rstest::rstest;

use crate::{Source, read_documents};

/// The bodies of the items with their places, errors as place and message.
fn items(text: &str) -> Vec<String> {
    let document = read_documents(&Source::new("f.yaml", text))
        .next()
        .unwrap()
        .unwrap();
    document
        .items()
        .map(|item| match item {
            Ok(item) => {
                let place = item
                    .position(&["a".into()])
                    .map_or(item.start(), |l| l.position());
                format!("{} {place} {}", item.start(), item.body())
            }
            Err(error) => format!("{} {}", error.position().unwrap(), error.message()),
        })
        .collect()
}

#[rstest]
#[case::list(
    "kind: List\napiVersion: v1\nitems:\n- kind: A\n  a: 1\n- {kind: B, a: 2}\n",
    &["4:3 5:3 {\"a\":1,\"kind\":\"A\"}", "6:3 6:13 {\"a\":2,\"kind\":\"B\"}"])]
#[case::typed(
    "kind: PodList\napiVersion: v1\nitems:\n- a: 1\n- kind: ''\n  b: 2\n- apiVersion: v2\n",
    &["4:3 4:3 {\"a\":1,\"apiVersion\":\"v1\",\"kind\":\"Pod\"}",
      "5:3 5:3 {\"apiVersion\":\"v1\",\"b\":2,\"kind\":\"Pod\"}",
      "7:3 7:3 {\"apiVersion\":\"v2\"}"])]
#[case::aliases(
    "x: &x {a: 1, kind: A}\nitems: [*x, {<<: *x, a: 2}]\n",
    &["1:7 1:8 {\"a\":1,\"kind\":\"A\"}", "2:13 2:22 {\"a\":2,\"kind\":\"A\"}"])]
#[case::json(
    "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"items\":[ {\"b\":1,\"a\":[]},\n  {\"kind\":\"X\",\n \"a\":3} ]}",
    &["1:47 1:54 {\"a\":[],\"apiVersion\":\"v1\",\"b\":1,\"kind\":\"Pod\"}", "2:3 3:2 {\"a\":3,\"kind\":\"X\"}"])]
#[case::list_in_list(
    "kind: List\nitems:\n- kind: List\n  items: []\n- {kind: A}\n",
    &["4:3 *unstructured.Unstructured is not a list: no Items field in this object",
      "5:3 5:3 {\"kind\":\"A\"}"])]
#[case::no_object(
    "kind: List\nitems: [x, 5, [], {kind: A}]\n",
    &["2:9 json: cannot unmarshal string into Go value of type map[string]interface {}",
      "2:12 json: cannot unmarshal number into Go value of type map[string]interface {}",
      "2:15 json: cannot unmarshal array into Go value of type map[string]interface {}",
      "2:19 2:19 {\"kind\":\"A\"}"])]
#[case::no_object_in_json(
    "{\"items\": [true, {}]}",
    &["1:12 json: cannot unmarshal bool into Go value of type map[string]interface {}", "1:18 1:18 {\"apiVersion\":\"\",\"kind\":\"\"}"])]
#[case::no_list(
    "kind: List\nitems: 5\n",
    &["2:8 json: cannot unmarshal number into Go struct field decodeList.items of type []json.RawMessage"])]
#[case::no_list_in_json(
    "{\"items\": {}}",
    &["1:11 json: cannot unmarshal object into Go struct field decodeList.items of type []json.RawMessage"])]
#[case::empty("kind: List\nitems: []\n", &[])]
#[case::null("kind: List\nitems:\n", &[])]
#[case::null_in_json("{\"items\": null}", &[])]
fn lists(#[case] text: &str, #[case] expected: &[&str]) {
    assert_eq!(items(text), expected);
}

#[test]
fn flattened() {
    let read = |text: &str| -> Vec<String> {
        let source = Source::new("f", text);
        let document = read_documents(&source).next().unwrap().unwrap();
        document
            .flatten()
            .map(|d| d.unwrap().body().into_owned())
            .collect()
    };
    assert_eq!(read("kind: A\n"), [r#"{"kind":"A"}"#]);
    assert_eq!(read("items: [{kind: A}]\n"), [r#"{"kind":"A"}"#]);
    assert!(read("items: []\n").is_empty());
}

#[test]
fn items_of_a_long_line_cost_one_pass() {
    let one = r#"{"kind":"Pod","metadata":{"name":"p"}}"#;
    let count = 50_000;
    let text = format!(
        "{{\"kind\":\"List\",\"items\":[{}]}}",
        vec![one; count].join(",")
    );
    let list = read_documents(&Source::new("f", text))
        .next()
        .unwrap()
        .unwrap();
    let item = list.items().map(Result::unwrap).last().unwrap();
    assert_eq!(item.start().column, 25 + (one.len() + 1) * (count - 1));
    assert_eq!(item.name(), Some("p"));
}

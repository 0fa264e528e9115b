//! What `UnstructuredJSONScheme` and kubectl's `metadataOnlyObject` of k8s.io/apimachinery 0.32 answer.

use rstest::rstest;

use crate::document::tests::one;

#[rstest]
#[case(
    r#""x""#,
    "string into Go struct field metadataOnlyObject.metadata of type v1.ObjectMeta"
)]
#[case(
    "[]",
    "array into Go struct field metadataOnlyObject.metadata of type v1.ObjectMeta"
)]
#[case(
    r#"{"name":1}"#,
    "number into Go struct field ObjectMeta.metadata.name of type string"
)]
#[case(
    r#"{"name":[]}"#,
    "array into Go struct field ObjectMeta.metadata.name of type string"
)]
#[case(
    r#"{"uid":1}"#,
    "number into Go struct field ObjectMeta.metadata.uid of type types.UID"
)]
#[case(
    r#"{"generation":"1"}"#,
    "string into Go struct field ObjectMeta.metadata.generation of type int64"
)]
#[case(
    r#"{"generation":1.5}"#,
    "number 1.5 into Go struct field ObjectMeta.metadata.generation of type int64"
)]
#[case(
    r#"{"generation":1e3}"#,
    "number 1e3 into Go struct field ObjectMeta.metadata.generation of type int64"
)]
#[case(
    r#"{"labels":{"a":true}}"#,
    "bool into Go struct field ObjectMeta.metadata.labels of type string"
)]
#[case(
    r#"{"labels":{"a":{"x":1}}}"#,
    "object into Go struct field ObjectMeta.metadata.labels of type string"
)]
#[case(
    r#"{"labels":["a"]}"#,
    "array into Go struct field ObjectMeta.metadata.labels of type map[string]string"
)]
#[case(
    r#"{"annotations":{"a":1}}"#,
    "number into Go struct field ObjectMeta.metadata.annotations of type string"
)]
#[case(
    r#"{"finalizers":"a"}"#,
    "string into Go struct field ObjectMeta.metadata.finalizers of type []string"
)]
#[case(
    r#"{"finalizers":[1]}"#,
    "number into Go struct field ObjectMeta.metadata.finalizers of type string"
)]
#[case(
    r#"{"ownerReferences":[{"uid":1}]}"#,
    "number into Go struct field OwnerReference.metadata.ownerReferences.uid of type types.UID"
)]
#[case(
    r#"{"ownerReferences":[{"controller":"x"}]}"#,
    "string into Go struct field OwnerReference.metadata.ownerReferences.controller of type bool"
)]
#[case(
    r#"{"ownerReferences":{}}"#,
    "object into Go struct field ObjectMeta.metadata.ownerReferences of type []v1.OwnerReference"
)]
#[case(
    r#"{"ownerReferences":["a"]}"#,
    "string into Go struct field ObjectMeta.metadata.ownerReferences of type v1.OwnerReference"
)]
#[case(
    r#"{"creationTimestamp":1}"#,
    "number into Go struct field ObjectMeta.metadata.creationTimestamp of type string"
)]
#[case(
    r#"{"managedFields":[{"operation":1}]}"#,
    "number into Go struct field ManagedFieldsEntry.metadata.managedFields.operation of type v1.ManagedFieldsOperationType"
)]
#[case(
    r#"{"managedFields":["x"]}"#,
    "string into Go struct field ObjectMeta.metadata.managedFields of type v1.ManagedFieldsEntry"
)]
fn refused(#[case] metadata: &str, #[case] expected: &str) {
    let expected = format!("json: cannot unmarshal {expected}");
    let json = one(&format!(r#"{{"kind":"Pod","metadata":{metadata}}}"#));
    assert_eq!(json.check_object().unwrap_err().message(), expected);
    // In YAML a number has its shortest form by then.
    if !metadata.contains("1e3") {
        let yaml = one(&format!("kind: Pod\nmetadata: {metadata}\n"));
        assert_eq!(yaml.check_object().unwrap_err().message(), expected);
    }
}

#[rstest]
#[case("null")]
#[case(
    r#"{"name":null,"labels":{"a":null},"Name":1,"generation":3,"managedFields":[{"fieldsV1":1}]}"#
)]
fn taken(#[case] metadata: &str) {
    one(&format!(r#"{{"kind":"Pod","metadata":{metadata}}}"#))
        .check_object()
        .unwrap();
}

#[rstest]
#[case("apiVersion: v1\n", "1:1 Object 'Kind' is missing")]
#[case("kind: 1\n", "1:1 Object 'Kind' is missing")]
#[case(
    "kind: Pod\nmetadata:\n  labels:\n    a: yes\n",
    "4:8 json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string"
)]
#[case(
    "kind: Pod\napiVersion: 1\n",
    "2:13 json: cannot unmarshal number into Go struct field metadataOnlyObject.apiVersion of type string"
)]
fn places(#[case] text: &str, #[case] expected: &str) {
    let error = one(text).check_object().unwrap_err();
    assert_eq!(
        format!("{} {}", error.position().unwrap(), error.message()),
        expected
    );
    assert!(error.hint().is_some());
}

#[test]
fn an_item_needs_only_a_kind() {
    let list = one("kind: List\nitems:\n- kind: A\n  metadata: {name: 1}\n- {a: 1}\n");
    let items: Vec<_> = list
        .items()
        .map(|item| item.unwrap().check_object().is_ok())
        .collect();
    assert_eq!(items, [true, false]);
}

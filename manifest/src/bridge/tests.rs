//! Tests of reading podgate's own files.

use rstest::rstest;
use serde::Deserialize;

use crate::{document::tests::one, from_document};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only read")]
struct Cluster {
    api_version: String,
    kind: String,
    #[serde(default)]
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Spec {
    kubernetes: Option<String>,
    objects: Vec<Object>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only read")]
struct Object {
    path: String,
    #[serde(default)]
    mode: Option<Mode>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Create,
    Apply,
}

#[test]
fn reads() {
    let document = one(
        "apiVersion: v1\nkind: Cluster\nspec: {kubernetes: \"1.25\", objects: [{path: x, mode: apply}, {path: z, mode: create}]}\n",
    );
    let cluster: Cluster = from_document(&document).unwrap();
    assert_eq!(cluster.spec.kubernetes.as_deref(), Some("1.25"));
    assert_eq!(cluster.spec.objects.len(), 2);
}

#[rstest]
#[case::unknown(
    "apiVersion: v1\nkind: C\nspecc: {}\n",
    "3:1",
    "unknown field `specc`",
    "did you mean `spec`?"
)]
#[case::unknown_in_list(
    "apiVersion: v1\nkind: C\nspec:\n  objects:\n  - path: x\n  - paht: y\n",
    "6:5",
    "unknown field `paht`",
    "did you mean `path`?"
)]
#[case::nothing_near(
    "apiVersion: v1\nkind: C\nspec: {zzz: 1}\n",
    "3:8",
    "unknown field `zzz`",
    "known here: kubernetes, objects"
)]
#[case::wrong_type(
    "apiVersion: v1\nkind: C\nspec:\n  kubernetes: 1.25\n",
    "4:15",
    "invalid type: floating point `1.25`, expected a string",
    "put the value in quotes"
)]
#[case::missing(
    "apiVersion: v1\nkind: C\nspec:\n  objects:\n  - mode: apply\n",
    "5:5",
    "missing field `path`",
    "-"
)]
#[case::variant(
    "apiVersion: v1\nkind: C\nspec:\n  objects:\n  - path: x\n    mode: aply\n",
    "6:11",
    "unknown variant `aply`",
    "did you mean `apply`?"
)]
#[case::wrong_list(
    "apiVersion: v1\nkind: C\nspec:\n  objects: {a: 1}\n",
    "4:12",
    "invalid type: map, expected a sequence",
    "-"
)]
fn errors(#[case] text: &str, #[case] at: &str, #[case] message: &str, #[case] hint: &str) {
    let error = from_document::<Cluster>(&one(text)).unwrap_err();
    assert_eq!(error.message(), message);
    assert_eq!(
        error.position().unwrap().to_string(),
        at,
        "{}",
        error.render()
    );
    assert_eq!(error.hint().unwrap_or("-"), hint);
}

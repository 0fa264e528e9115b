//! Documents as client-go writes them.

mod testdata;

use podgate_policy::Minor;
use rstest::rstest;

use super::{of_json, to_json};

const NAMESPACES: (&str, &str) = ("v1", "Namespace");

/// A namespace `web` with a label, as client-go writes it, with its empty fields.
const WEB: &[u8] =
    b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09Namespace\x12\x27\x0a\x1f\x0a\x03web\x12\x00\x1a\x00\x22\x00\
      \x2a\x00\x32\x00\x38\x00\x42\x00\x5a\x0a\x0a\x03app\x12\x03one\x12\x00\x1a\x02\x0a\x00\
      \x1a\x00\x22\x00";

fn json(document: &[u8], expected: (&str, &str)) -> Result<String, String> {
    let json = to_json(document, expected, Minor::NEWEST).map_err(|status| status.message)?;
    Ok(String::from_utf8(json).expect("text"))
}

#[test]
fn a_namespace() {
    assert_eq!(
        json(WEB, NAMESPACES).expect("it is read"),
        r#"{"metadata":{"name":"web","labels":{"app":"one"}},"spec":{},"status":{},"kind":"Namespace","apiVersion":"v1"}"#
    );
}

#[test]
fn what_is_written_is_what_client_go_writes() {
    let json = json(WEB, NAMESPACES).expect("it is read");
    let written = of_json(json.as_bytes(), Minor::NEWEST).expect("it is written");
    assert_eq!(written, WEB);
}

// The texts are those of upstream's serializer.
#[rstest]
#[case(
    b"{}",
    "the object provided is unrecognized (must be of type Namespace): provided data does not appear to \
     be a protobuf message, expected prefix [107 56 115 0] ({})"
)]
#[case(
    b"",
    "the object provided is unrecognized (must be of type Namespace): empty data (<empty>)"
)]
#[case(
    b"k8s\0",
    "the object provided is unrecognized (must be of type Namespace): empty body (6b387300)"
)]
#[case(
    &WEB[..30],
    "the object provided is unrecognized (must be of type Namespace): unexpected EOF \
     (6b3873000a0f0a02763112094e616d65737061636512270a1f0a03776562)"
)]
#[case(
    b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09Namespace\x12\x02\x08\x01",
    "Namespace in version \"v1\" cannot be handled as a Namespace: proto: wrong wireType = 0 for field \
     ObjectMeta"
)]
fn what_is_malformed(#[case] document: &[u8], #[case] expected: &str) {
    assert_eq!(json(document, NAMESPACES), Err(expected.to_owned()));
}

/// What it is in JSON is refused there, with the words that are used there.
#[test]
fn another_kind() {
    assert_eq!(
        json(b"k8s\0\x0a\x08\x0a\x02v1\x12\x02No\x12\x00", NAMESPACES).expect("it is read"),
        r#"{"kind":"No","apiVersion":"v1"}"#
    );
}

//! Objects that clients send as protobuf: the few kinds that kubectl writes so, as JSON for the decoder.
//!
//! Upstream: `k8s.io/apimachinery/pkg/runtime/serializer/protobuf` (the envelope), and `generated.proto`
//! of each group, whose numbers of fields stand here. An object with a field that is not here is not
//! read at all, and the request is refused for its media type.

use podgate_admission::encode::encode_untyped;
use podgate_admission::value::{Object, Value};

/// The media type.
pub(crate) const TYPE: &str = "application/vnd.kubernetes.protobuf";
/// What every document begins with.
const MAGIC: &[u8] = b"k8s\0";

/// The type of a field.
#[derive(Clone, Copy)]
enum Field {
    Text,
    Truth,
    /// A list of texts.
    Texts,
    /// A map from texts to texts.
    Map,
    Message(&'static [Numbered]),
    /// The server sets it: what was sent does not matter.
    Ignored,
}

type Numbered = (u64, &'static str, Field);

const METADATA: &[Numbered] = &[
    (1, "name", Field::Text),
    (2, "generateName", Field::Text),
    (3, "namespace", Field::Text),
    (4, "selfLink", Field::Ignored),
    (5, "uid", Field::Text),
    (6, "resourceVersion", Field::Text),
    (7, "generation", Field::Ignored),
    (8, "creationTimestamp", Field::Ignored),
    (11, "labels", Field::Map),
    (12, "annotations", Field::Map),
    (14, "finalizers", Field::Texts),
];

const NAMESPACE: &[Numbered] = &[
    (1, "metadata", Field::Message(METADATA)),
    (
        2,
        "spec",
        Field::Message(&[(1, "finalizers", Field::Texts)]),
    ),
    (3, "status", Field::Ignored),
];

const CONFIG_MAP: &[Numbered] = &[
    (1, "metadata", Field::Message(METADATA)),
    (2, "data", Field::Map),
    (4, "immutable", Field::Truth),
];

const SERVICE_ACCOUNT: &[Numbered] = &[
    (1, "metadata", Field::Message(METADATA)),
    (4, "automountServiceAccountToken", Field::Truth),
];

const ACCESS_REVIEW: &[Numbered] = &[
    (1, "metadata", Field::Message(METADATA)),
    (
        2,
        "spec",
        Field::Message(&[
            (
                1,
                "resourceAttributes",
                Field::Message(&[
                    (1, "namespace", Field::Text),
                    (2, "verb", Field::Text),
                    (3, "group", Field::Text),
                    (4, "version", Field::Text),
                    (5, "resource", Field::Text),
                    (6, "subresource", Field::Text),
                    (7, "name", Field::Text),
                ]),
            ),
            (
                2,
                "nonResourceAttributes",
                Field::Message(&[(1, "path", Field::Text), (2, "verb", Field::Text)]),
            ),
        ]),
    ),
    (3, "status", Field::Ignored),
];

const RULES_REVIEW: &[Numbered] = &[
    (1, "metadata", Field::Message(METADATA)),
    (2, "spec", Field::Message(&[(1, "namespace", Field::Text)])),
    (3, "status", Field::Ignored),
];

/// Reads a document; nothing where it is none, or of something that is not read here.
pub(crate) fn to_json(document: &[u8]) -> Option<Vec<u8>> {
    let (mut kind, mut version, mut raw) = (String::new(), String::new(), None);
    for field in fields(document.strip_prefix(MAGIC)?) {
        match field? {
            (1, Wire::Bytes(names)) => {
                for field in fields(names) {
                    match field? {
                        (1, Wire::Bytes(text)) => version = utf8(text)?,
                        (2, Wire::Bytes(text)) => kind = utf8(text)?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = Some(bytes),
            _ => {}
        }
    }
    let schema = match (&*version, &*kind) {
        ("v1", "Namespace") => NAMESPACE,
        ("v1", "ConfigMap") => CONFIG_MAP,
        ("v1", "ServiceAccount") => SERVICE_ACCOUNT,
        ("authorization.k8s.io/v1", "SelfSubjectAccessReview") => ACCESS_REVIEW,
        ("authorization.k8s.io/v1", "SelfSubjectRulesReview") => RULES_REVIEW,
        _ => return None,
    };
    let mut object = message(raw.unwrap_or_default(), schema)?;
    object.insert("kind", kind);
    object.insert("apiVersion", version);
    Some(encode_untyped(&Value::from(object)).into_bytes())
}

fn message(bytes: &[u8], schema: &[Numbered]) -> Option<Object<'static>> {
    let mut object = Object::new();
    for field in fields(bytes) {
        let (number, wire) = field?;
        let (_, name, ty) = schema.iter().find(|(known, ..)| *known == number)?;
        match (ty, wire) {
            (Field::Ignored, _) => {}
            (Field::Text, Wire::Bytes(text)) => {
                // A text that is no pointer is written even if there is none.
                let text = utf8(text)?;
                if !text.is_empty() {
                    object.insert(*name, text);
                }
            }
            (Field::Truth, Wire::Number(number)) => object.insert(*name, number != 0),
            (Field::Texts, Wire::Bytes(text)) => {
                object.list_mut(name).push(Value::from(utf8(text)?));
            }
            (Field::Map, Wire::Bytes(entry)) => {
                let (mut key, mut value) = (String::new(), String::new());
                for field in fields(entry) {
                    match field? {
                        (1, Wire::Bytes(text)) => key = utf8(text)?,
                        (2, Wire::Bytes(text)) => value = utf8(text)?,
                        _ => return None,
                    }
                }
                object.object_mut(name).insert(key, value);
            }
            (Field::Message(schema), Wire::Bytes(bytes)) => {
                let inner = message(bytes, schema)?;
                object.insert(*name, inner);
            }
            _ => return None,
        }
    }
    Some(object)
}

/// A value on the wire.
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message with their numbers; nothing at the place where it is none.
fn fields(mut bytes: &[u8]) -> impl Iterator<Item = Option<(u64, Wire<'_>)>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let field = (|| {
            let tag = varint(&mut bytes)?;
            let wire = match tag & 7 {
                0 => Wire::Number(varint(&mut bytes)?),
                2 => {
                    let length = usize::try_from(varint(&mut bytes)?).ok()?;
                    let (value, rest) = bytes.split_at_checked(length)?;
                    bytes = rest;
                    Wire::Bytes(value)
                }
                _ => return None,
            };
            Some((tag >> 3, wire))
        })();
        if field.is_none() {
            bytes = &[];
        }
        Some(field)
    })
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn utf8(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::to_json;

    /// A namespace `web` with a label, as client-go writes it, with its empty fields.
    const WEB: &[u8] =
        b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09Namespace\x12\x1f\x0a\x19\x0a\x03web\x12\x00\x1a\x00\
        \x38\x00\x42\x00\x5a\x0a\x0a\x03app\x12\x03one\x12\x00\x1a\x00\x1a\x00\x22\x00";

    #[test]
    fn a_namespace() {
        let json = to_json(WEB).expect("it is read");
        let json = String::from_utf8(json).expect("text");
        assert_eq!(
            json,
            r#"{"metadata":{"name":"web","labels":{"app":"one"}},"spec":{},"kind":"Namespace","apiVersion":"v1"}"#
        );
    }

    #[rstest]
    #[case::no_protobuf(b"{}")]
    #[case::cut_off(&WEB[..30])]
    #[case::another_kind(b"k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod\x12\x00")]
    fn what_is_not_read(#[case] document: &[u8]) {
        assert_eq!(to_json(document), None);
    }
}

//! Objects as protobuf: what clients send so goes on as the JSON that says the same, and what the server
//! answers is written from the same tree.
//!
//! Upstream: `k8s.io/apimachinery/pkg/runtime/serializer/protobuf` (the envelope, `runtime.Unknown`). The
//! numbers of fields come from the schema tables, so every kind that is in them is read and written.

mod decode;
mod encode;
#[cfg(test)]
mod tests;
pub(crate) mod wire;

use podgate_admission::decode::{cannot_be_handled, decode_untyped, unrecognized};
use podgate_admission::encode::encode_untyped;
use podgate_admission::resource;
use podgate_admission::schema::{Struct, Type, roots};
use podgate_admission::status::Status;
use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;

use wire::{Malformed, Message, Reader, Wire};

/// The media type.
pub(crate) const TYPE: &str = "application/vnd.kubernetes.protobuf";
/// That of watches.
pub(crate) const STREAM_TYPE: &str = "application/vnd.kubernetes.protobuf;stream=watch";
/// What every document begins with.
const MAGIC: &[u8] = b"k8s\0";

/// What the envelope says of the object in it.
#[derive(Debug, Default)]
struct Envelope<'a> {
    api_version: String,
    kind: String,
    raw: &'a [u8],
}

/// The schema of a kind on a server of `minor`: of a resource, or of what goes with requests.
fn schema_of(api_version: &str, kind: &str, minor: Minor) -> Option<&'static Struct> {
    match (api_version, kind) {
        // Every group has them (`metav1.AddToGroupVersion`).
        (_, "DeleteOptions") => Some(&roots::DELETE_OPTIONS),
        ("v1", "Status") => Some(&roots::STATUS),
        ("v1", "Binding") => Some(&roots::BINDING),
        ("autoscaling/v1", "Scale") => Some(&roots::SCALE),
        ("policy/v1" | "policy/v1beta1", "Eviction") => Some(&roots::EVICTION),
        _ => resource::by_kind(api_version, kind, minor).map(|resource| resource.schema),
    }
}

/// Reads a document that a path takes where it has objects of `expected`, an `apiVersion` and a kind, and
/// writes it as JSON. Of a kind that is not known here there is nothing in it but its name: what is wrong
/// with it is found out where JSON is read.
pub(crate) fn to_json(
    document: &[u8],
    expected: (&str, &str),
    minor: Minor,
) -> Result<Vec<u8>, Status> {
    let envelope = envelope(document)
        .map_err(|Malformed(why)| Status::bad_request(unrecognized(expected.1, &why, document)))?;
    let or = |said: &str, default: &str| {
        let said = if said.is_empty() { default } else { said };
        said.to_owned()
    };
    let api_version = or(&envelope.api_version, expected.0);
    let kind = or(&envelope.kind, expected.1);
    let mut object = match schema_of(&api_version, &kind, minor) {
        Some(schema) => {
            decode::message(envelope.raw, schema, minor).map_err(|Malformed(why)| {
                let version = api_version.rsplit('/').next().unwrap_or_default();
                Status::bad_request(cannot_be_handled(&kind, version, expected.1, &why))
            })?
        }
        None => Object::new(),
    };
    object.insert("kind", kind);
    object.insert("apiVersion", api_version);
    Ok(encode_untyped(&Value::from(object)).into_bytes())
}

fn envelope(document: &[u8]) -> Result<Envelope<'_>, Malformed> {
    let unknown = match document.strip_prefix(MAGIC) {
        Some([]) => return Err("empty body".into()),
        Some(unknown) => unknown,
        None if document.is_empty() => return Err("empty data".into()),
        None => {
            return Err(
                "provided data does not appear to be a protobuf message, expected prefix \
                        [107 56 115 0]"
                    .into(),
            );
        }
    };
    let mut found = Envelope::default();
    let mut reader = Reader::new(unknown, "Unknown");
    while let Some((number, wire)) = reader.next()? {
        match (number, wire) {
            (1, Wire::Bytes(names)) => {
                let mut reader = Reader::new(names, "TypeMeta");
                while let Some(field) = reader.next()? {
                    let text = |text| String::from_utf8_lossy(text).into_owned();
                    match field {
                        (1, Wire::Bytes(version)) => found.api_version = text(version),
                        (2, Wire::Bytes(kind)) => found.kind = text(kind),
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(raw)) => found.raw = raw,
            _ => {}
        }
    }
    Ok(found)
}

/// Writes a document.
fn document(api_version: &str, kind: &str, raw: &Message) -> Vec<u8> {
    let mut names = Message::default();
    names.bytes(1, api_version.as_bytes());
    names.bytes(2, kind.as_bytes());
    let mut unknown = Message::default();
    unknown.message(1, &names);
    unknown.message(2, raw);
    // How the object is encoded, and its type: what they are anyway.
    unknown.bytes(3, b"");
    unknown.bytes(4, b"");
    [MAGIC, &unknown.into_bytes()].concat()
}

/// Writes an answer that is JSON as protobuf; nothing where it is of a kind that protobuf does not have,
/// as tables.
pub(crate) fn of_json(json: &[u8], minor: Minor) -> Option<Vec<u8>> {
    of_value(&decode_untyped(json).ok()?, minor)
}

fn of_value(object: &Value<'_>, minor: Minor) -> Option<Vec<u8>> {
    let (api_version, kind) = (object.text_at(&["apiVersion"]), object.text_at(&["kind"]));
    let metadata = || match roots::POD.field("metadata", minor)?.ty {
        Type::Struct(schema) => Some(schema),
        _ => None,
    };
    let raw = match kind {
        "PartialObjectMetadata" => partial(object, metadata()?, minor),
        "PartialObjectMetadataList" => {
            let items = object.list_at(&["items"]).iter();
            let items = items.map(|item| partial(item, metadata().unwrap_or(&roots::POD), minor));
            list(object, items, minor)?
        }
        _ => {
            if let Some(schema) = schema_of(api_version, kind, minor) {
                encode::message(object, schema, minor)
            } else {
                let schema = schema_of(api_version, kind.strip_suffix("List")?, minor)?;
                let items = object.list_at(&["items"]).iter();
                let items = items.map(|item| encode::message(item, schema, minor));
                list(object, items, minor)?
            }
        }
    };
    Some(document(api_version, kind, &raw))
}

/// Writes an event of a watch: the length in four bytes and `metav1.WatchEvent`, whose object is a document
/// (`lengthDelimitedFramer` in `serializer/protobuf`, `ServeHTTP` in
/// `k8s.io/apiserver/pkg/endpoints/handlers/watch.go`).
pub(crate) fn event(kind: &str, object: &[u8], events: &mut Vec<u8>) {
    let mut raw = Message::default();
    raw.bytes(1, object);
    let mut event = Message::default();
    event.bytes(1, kind.as_bytes());
    event.message(2, &raw);
    let event = event.into_bytes();
    let length = u32::try_from(event.len()).unwrap_or(u32::MAX);
    events.extend(length.to_be_bytes());
    events.extend(event);
}

fn partial(object: &Value<'_>, schema: &'static Struct, minor: Minor) -> Message {
    let mut message = Message::default();
    let metadata = object.get("metadata").unwrap_or(&Value::Null);
    message.message(1, &encode::message(metadata, schema, minor));
    message
}

fn list(list: &Value<'_>, items: impl Iterator<Item = Message>, minor: Minor) -> Option<Message> {
    let Type::Struct(schema) = roots::STATUS.field("metadata", minor)?.ty else {
        return None;
    };
    let mut message = Message::default();
    let metadata = list.get("metadata").unwrap_or(&Value::Null);
    message.message(1, &encode::message(metadata, schema, minor));
    for item in items {
        message.message(2, &item);
    }
    Some(message)
}

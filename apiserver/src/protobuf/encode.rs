//! From the tree of an object to a message, driven by the schema tables.
//!
//! Upstream: the `MarshalToSizedBuffer` methods in `generated.pb.go` of each group: fields in the order of
//! their numbers, a zero too where a field is no pointer, maps sorted by key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use podgate_admission::encode::encode_untyped;
use podgate_admission::schema::{Field, Struct, Type};
use podgate_admission::value::Value;
use podgate_policy::Minor;

use super::wire::Message;

/// Writes an object of the kind that `schema` describes.
pub(super) fn message(value: &Value<'_>, schema: &'static Struct, minor: Minor) -> Message {
    let mut known: Vec<&'static Field> = schema
        .fields
        .iter()
        .filter(|field| field.exists_in(minor) && !field.numbers.is_empty())
        .collect();
    known.sort_by_key(|field| field.numbers);
    let mut message = Message::default();
    fields(&known, 0, value, minor, &mut message);
    message
}

/// Writes fields that are sorted by their numbers and lie in the same embedded structs, of which there are
/// `depth`.
fn fields(
    known: &[&'static Field],
    depth: usize,
    of: &Value<'_>,
    minor: Minor,
    message: &mut Message,
) {
    for group in known.chunk_by(|a, b| a.numbers[depth] == b.numbers[depth]) {
        let [field] = group else {
            embedded(group, depth, of, minor, message);
            continue;
        };
        if field.numbers.len() > depth + 1 {
            embedded(group, depth, of, minor, message);
            continue;
        }
        let (number, value) = (field.numbers[depth], of.get(field.name));
        match (field.ty, value) {
            (Type::List(ty, _), Some(Value::List(items))) => {
                for item in items {
                    write(number, ty, item, minor, message);
                }
            }
            (Type::Map(ty, _), Some(Value::Object(entries))) => {
                let mut entries: Vec<_> = entries.iter().collect();
                entries.sort_by_key(|(key, _)| *key);
                for (key, value) in entries {
                    let mut entry = Message::default();
                    entry.bytes(1, key.as_bytes());
                    write(2, ty, value, minor, &mut entry);
                    message.message(number, &entry);
                }
            }
            (Type::List(..) | Type::Map(..), _) => {}
            (_, Some(value)) if *value != Value::Null => {
                write(number, &field.ty, value, minor, message);
            }
            // What is no pointer is written even where it was never set; bytes and raw JSON can be nil.
            (ty, _) if !field.pointer && !matches!(ty, Type::Bytes) => {
                write(number, &field.ty, &Value::Null, minor, message);
            }
            _ => {}
        }
    }
}

fn embedded(
    group: &[&'static Field],
    depth: usize,
    of: &Value<'_>,
    minor: Minor,
    message: &mut Message,
) {
    let mut inner = Message::default();
    fields(group, depth + 1, of, minor, &mut inner);
    message.message(group[0].numbers[depth], &inner);
}

/// Writes a value; null is Go's zero.
fn write(number: u32, ty: &'static Type, value: &Value<'_>, minor: Minor, message: &mut Message) {
    let text = value.as_str().unwrap_or_default();
    match ty {
        Type::Bool => message.varint(number, u64::from(value.as_bool() == Some(true))),
        Type::Int32 | Type::Int64 => {
            let int = value.as_int().unwrap_or_default();
            message.varint(number, int.cast_unsigned());
        }
        Type::String(_) => message.bytes(number, text.as_bytes()),
        Type::Bytes => {
            // What is stored was written by this server.
            let bytes = STANDARD.decode(text).unwrap_or_default();
            message.bytes(number, &bytes);
        }
        Type::Struct(schema) => message.message(number, &self::message(value, schema, minor)),
        Type::Quantity => {
            let mut inner = Message::default();
            let quantity = if text.is_empty() { "0" } else { text };
            inner.bytes(1, quantity.as_bytes());
            message.message(number, &inner);
        }
        Type::IntOrString => {
            let mut inner = Message::default();
            let int = value.as_int();
            inner.varint(1, u64::from(int.is_none() && *value != Value::Null));
            inner.varint(2, int.unwrap_or_default().cast_unsigned());
            inner.bytes(3, text.as_bytes());
            message.message(number, &inner);
        }
        Type::Time | Type::MicroTime => {
            let mut inner = Message::default();
            if let Ok(time) = text.parse::<Timestamp>() {
                // Go counts nanoseconds upwards before 1970 too.
                let (mut seconds, mut nanos) = (time.as_second(), time.subsec_nanosecond());
                if nanos < 0 {
                    (seconds, nanos) = (seconds - 1, nanos + 1_000_000_000);
                }
                inner.varint(1, seconds.cast_unsigned());
                inner.varint(2, i64::from(nanos).cast_unsigned());
            }
            message.message(number, &inner);
        }
        Type::Raw(_) => {
            let mut inner = Message::default();
            if *value != Value::Null {
                inner.bytes(1, encode_untyped(value).as_bytes());
            }
            message.message(number, &inner);
        }
        // A list in a map is a message around its items.
        Type::List(ty, _) => {
            let mut inner = Message::default();
            for item in value.as_list().unwrap_or_default() {
                write(1, ty, item, minor, &mut inner);
            }
            message.message(number, &inner);
        }
        // No field of the API is one of these.
        Type::Map(..) | Type::Float64 => {}
    }
}

//! From a message to the tree that its JSON would give, driven by the schema tables.
//!
//! Upstream: the `Unmarshal` methods in `generated.pb.go` of each group, and those that are written by
//! hand: `quantity_proto.go`, `time_proto.go`, `micro_time_proto.go` in `k8s.io/apimachinery`. A field that
//! the minor does not have is read over without a word, as its server would.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use podgate_admission::decode::decode_untyped;
use podgate_admission::schema::{Field, Struct, Type};
use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;

use super::wire::{Malformed, Reader, Wire};

/// Reads a message of the kind that `schema` describes.
pub(super) fn message<'a>(
    bytes: &'a [u8],
    schema: &'static Struct,
    minor: Minor,
) -> Result<Object<'a>, Malformed> {
    let mut object = Object::new();
    fields(bytes, schema, &[], minor, &mut object)?;
    Ok(object)
}

/// Reads the fields of a message over what `object` has; `outer` are the numbers of the embedded structs
/// that the message is in.
fn fields<'a>(
    bytes: &'a [u8],
    schema: &'static Struct,
    outer: &[u32],
    minor: Minor,
    object: &mut Object<'a>,
) -> Result<(), Malformed> {
    // Maps come entry by entry, and the last of a key counts.
    let mut maps: BTreeMap<&'static str, BTreeMap<Cow<'a, str>, Value<'a>>> = BTreeMap::new();
    let mut reader = Reader::new(bytes, schema.name);
    while let Some((number, wire)) = reader.next()? {
        let known = schema.fields.iter().find(|field| {
            field.exists_in(minor)
                && field.numbers.get(outer.len()) == Some(&number)
                && field.numbers.starts_with(outer)
        });
        let Some(field) = known else { continue };
        if field.numbers.len() > outer.len() + 1 {
            let inner = length_delimited(wire, schema.name)?;
            let numbers = [outer, &[number]].concat();
            fields(inner, schema, &numbers, minor, object)?;
            continue;
        }
        match field.ty {
            Type::Map(ty, _) => {
                let entry = length_delimited(wire, field.go)?;
                let (key, value) = entry_of(entry, ty, minor)?;
                maps.entry(field.name).or_default().insert(key, value);
            }
            Type::List(ty, _) => {
                let items = object.list_mut(field.name);
                match (ty, wire) {
                    // Numbers come one by one, or packed.
                    (Type::Int32 | Type::Int64 | Type::Bool, Wire::Bytes(packed)) => {
                        let mut packed = Reader::new(packed, schema.name);
                        while !packed.is_at_end() {
                            items.push(number_of(ty, packed.varint()?));
                        }
                    }
                    _ => items.push(value(ty, wire, field.go, None, minor)?),
                }
            }
            _ => one(field, wire, minor, object)?,
        }
    }
    for (name, entries) in maps {
        let map = object.object_mut(name);
        if map.is_empty() {
            *map = entries.into_iter().collect();
        } else {
            for (key, value) in entries {
                map.insert(key, value);
            }
        }
    }
    Ok(())
}

/// Reads a field that is neither list nor map. A zero of one that is no pointer is as good as none.
fn one<'a>(
    field: &'static Field,
    wire: Wire<'a>,
    minor: Minor,
    object: &mut Object<'a>,
) -> Result<(), Malformed> {
    let old = match field.ty {
        // A message that comes twice is filled over what was there.
        Type::Struct(_) => object.remove(field.name),
        _ => None,
    };
    let value = value(&field.ty, wire, field.go, old, minor)?;
    let zero = match &value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Int(number) => matches!(field.ty, Type::Int32 | Type::Int64) && *number == 0,
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    if zero && (!field.pointer || value == Value::Null) {
        object.remove(field.name);
    } else {
        object.insert(field.name, value);
    }
    Ok(())
}

fn entry_of<'a>(
    entry: &'a [u8],
    ty: &'static Type,
    minor: Minor,
) -> Result<(Cow<'a, str>, Value<'a>), Malformed> {
    let mut key = Cow::Borrowed("");
    let mut found = None;
    let mut reader = Reader::new(entry, "entry");
    while let Some((number, wire)) = reader.next()? {
        match number {
            1 => key = text(length_delimited(wire, "key")?),
            2 => found = Some(value(ty, wire, "value", None, minor)?),
            _ => {}
        }
    }
    let value = match (found, ty) {
        (Some(value), _) => value,
        (None, Type::Struct(_)) => Value::from(Object::new()),
        (None, Type::List(..)) => Value::List(Vec::new()),
        (None, Type::Bool) => Value::from(false),
        (None, Type::Int32 | Type::Int64) => Value::from(0),
        (None, Type::Quantity) => Value::from("0"),
        (None, _) => Value::from(""),
    };
    Ok((key, value))
}

/// Reads a value of a field that Go calls `name`, over `old`.
fn value<'a>(
    ty: &'static Type,
    wire: Wire<'a>,
    name: &str,
    old: Option<Value<'a>>,
    minor: Minor,
) -> Result<Value<'a>, Malformed> {
    let bytes = match (ty, wire) {
        (Type::Bool | Type::Int32 | Type::Int64, Wire::Varint(number)) => {
            return Ok(number_of(ty, number));
        }
        (Type::Bool | Type::Int32 | Type::Int64, _) => return Err(wrong_type(wire, name)),
        _ => length_delimited(wire, name)?,
    };
    Ok(match ty {
        Type::String(_) => Value::from(text(bytes)),
        Type::Bytes => Value::from(STANDARD.encode(bytes)),
        Type::Struct(schema) => {
            let mut object = match old {
                Some(Value::Object(object)) => object,
                _ => Object::new(),
            };
            fields(bytes, schema, &[], minor, &mut object)?;
            Value::from(object)
        }
        Type::Quantity => Value::from(text(only(bytes, "Quantity")?)),
        Type::IntOrString => int_or_string(bytes)?,
        Type::Time => time(bytes, false)?,
        Type::MicroTime => time(bytes, true)?,
        Type::Raw(_) => match only(bytes, "RawExtension")? {
            [] => Value::Null,
            json => decode_untyped(json).map_err(|error| Malformed(error.message))?,
        },
        // What maps have of lists is a message around one (`ExtraValue`, whose items have the number 1).
        Type::List(ty, _) => {
            let mut items = Vec::new();
            let mut reader = Reader::new(bytes, ty.go());
            while let Some((number, wire)) = reader.next()? {
                if number == 1 {
                    items.push(value(ty, wire, "Items", None, minor)?);
                }
            }
            Value::List(items)
        }
        Type::Map(..) | Type::Float64 | Type::Bool | Type::Int32 | Type::Int64 => {
            return Err(wrong_type(wire, name));
        }
    })
}

/// The bytes of the one field, of number 1, of a message that wraps them.
fn only<'a>(message: &'a [u8], of: &'a str) -> Result<&'a [u8], Malformed> {
    let mut found: &[u8] = &[];
    let mut reader = Reader::new(message, of);
    while let Some((number, wire)) = reader.next()? {
        if number == 1 {
            found = length_delimited(wire, "String_")?;
        }
    }
    Ok(found)
}

/// `intstr.IntOrString`: which of the two it is, the number, the text.
fn int_or_string(message: &[u8]) -> Result<Value<'_>, Malformed> {
    let (mut ty, mut int, mut string) = (0, Value::from(0), Cow::Borrowed(""));
    let mut reader = Reader::new(message, "IntOrString");
    while let Some((number, wire)) = reader.next()? {
        match (number, wire) {
            (1, Wire::Varint(number)) => ty = number,
            (1, wire) => return Err(wrong_type(wire, "Type")),
            (2, Wire::Varint(number)) => int = number_of(&Type::Int32, number),
            (2, wire) => return Err(wrong_type(wire, "IntVal")),
            (3, wire) => string = text(length_delimited(wire, "StrVal")?),
            _ => {}
        }
    }
    match ty {
        0 => Ok(int),
        1 => Ok(Value::from(string)),
        _ => Err("impossible IntOrString.Type".into()),
    }
}

/// `metav1.Timestamp`, in whole seconds, or in microseconds if `micro`. Nothing at all is Go's zero time.
fn time(message: &[u8], micro: bool) -> Result<Value<'static>, Malformed> {
    if message.is_empty() {
        return Ok(Value::Null);
    }
    let (mut seconds, mut nanos) = (0, 0);
    let mut reader = Reader::new(message, "Timestamp");
    while let Some((number, wire)) = reader.next()? {
        match (number, wire) {
            (1, Wire::Varint(number)) => seconds = number.cast_signed(),
            (1, wire) => return Err(wrong_type(wire, "Seconds")),
            (2, Wire::Varint(number)) => {
                #[expect(clippy::cast_possible_truncation, reason = "as Go does")]
                let number = number as i32;
                nanos = number;
            }
            (2, wire) => return Err(wrong_type(wire, "Nanos")),
            _ => {}
        }
    }
    let outside = "Time.MarshalJSON: year outside of range [0,9999]";
    let time = Timestamp::new(seconds, if micro { nanos / 1000 * 1000 } else { 0 });
    let time = time.map_err(|_| outside)?;
    let written = if micro {
        format!("{time:.6}")
    } else {
        format!("{time:.0}")
    };
    if written.starts_with('-') {
        return Err(outside.into());
    }
    Ok(Value::from(written))
}

/// A number as the type holds it: Go cuts off what is too much.
fn number_of(ty: &Type, number: u64) -> Value<'static> {
    match ty {
        Type::Bool => Value::from(number != 0),
        Type::Int32 => {
            #[expect(clippy::cast_possible_truncation, reason = "as Go does")]
            let number = number as i32;
            Value::from(i64::from(number))
        }
        _ => Value::from(number.cast_signed()),
    }
}

/// A text. Go does not look whether it is UTF-8 before it has to be written as JSON.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn length_delimited<'a>(wire: Wire<'a>, name: &str) -> Result<&'a [u8], Malformed> {
    match wire {
        Wire::Bytes(bytes) => Ok(bytes),
        wire => Err(wrong_type(wire, name)),
    }
}

fn wrong_type(wire: Wire<'_>, name: &str) -> Malformed {
    format!("proto: wrong wireType = {} for field {name}", wire.number()).into()
}

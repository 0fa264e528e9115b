//! The words of servers up to 1.22, whose decoder was `github.com/json-iterator/go`: the Go names on
//! the way to the value, what the decoder of its type expected, and the bytes around it.
//!
//! The texts of the types that requests get wrong are those of `iter_skip.go`, `iter_str.go`,
//! `iter_int.go`, `iter_object.go` and `reflect_slice.go`, the excerpts those of
//! `Iterator.ReportError`. Not reproduced: where more than one value is wrong, the later fields that
//! it names on the way to the first.

use super::place::{Place, Step, embedded};
use crate::schema::Type;

/// The error for the value at `offset`, which is none of type `ty`.
pub(super) fn mismatch(bytes: &[u8], offset: usize, ty: &Type, place: &Place<'_>) -> String {
    let byte = bytes.get(offset).copied().unwrap_or_default();
    let found = char::from(byte);
    if let (Type::Int32 | Type::Int64, b'-' | b'0'..=b'9') = (ty, byte) {
        return integer(bytes, offset, ty, place);
    }
    let text = match ty {
        Type::Bool => format!("ReadBool: expect t or f, but found {found}"),
        Type::String(_) | Type::Bytes => {
            format!("ReadString: expects \" or n, but found {found}")
        }
        Type::Int32 => "readUint32: unexpected character: \u{fffd}".to_owned(),
        Type::Int64 => "readUint64: unexpected character: \u{fffd}".to_owned(),
        Type::List(_, go) => format!("{go}: decode slice: expect [ or n, but found {found}"),
        Type::Map(..) => format!("ReadMapCB: expect {{ or n, but found {found}"),
        Type::Struct(_) => format!("readObjectStart: expect {{ or n, but found {found}"),
        _ => format!("Read: unexpected value type: {found}"),
    };
    // The decoder has read one byte of the value.
    report(bytes, offset + 1, &text, place)
}

/// The error for the number at `offset`, which is no integer or does not fit.
fn integer(bytes: &[u8], offset: usize, ty: &Type, place: &Place<'_>) -> String {
    let bits = if matches!(ty, Type::Int32) { 32 } else { 64 };
    let negative = usize::from(bytes[offset] == b'-');
    let start = offset + negative;
    let length = bytes[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let digits = String::from_utf8_lossy(&bytes[start..start + length]);
    let number: Option<u64> = digits.parse().ok();
    let fits = number.filter(|n| *n <= (1 << (bits - 1)) - 1 + negative as u64);
    let unsigned = number.filter(|n| bits == 64 || u32::try_from(*n).is_ok());
    match (fits, unsigned) {
        (Some(_), _) => {
            let text = "assertInteger: can not decode float as int";
            report(bytes, start + length, text, place)
        }
        (None, Some(number)) => {
            let text = format!("ReadInt{bits}: overflow: {number}");
            report(bytes, start + length, &text, place)
        }
        (None, None) => {
            let text = format!("readUint{bits}: overflow");
            report(bytes, start + length.min(8), &text, place)
        }
    }
}

/// The error of a type that reads its JSON itself, which ends at `end`.
pub(super) fn unmarshaler(bytes: &[u8], end: usize, message: &str, place: &Place<'_>) -> String {
    report(bytes, end, &format!("unmarshalerDecoder: {message}"), place)
}

/// `Iterator.ReportError`, and what each decoder on the way up writes before it.
fn report(bytes: &[u8], head: usize, text: &str, place: &Place<'_>) -> String {
    let around = |reach: usize| {
        let from = head.saturating_sub(reach);
        let to = (head + reach).min(bytes.len());
        (from, String::from_utf8_lossy(&bytes[from..to]))
    };
    let (from, near) = around(10);
    let (_, context) = around(50);
    let read = head - from;
    format!(
        "{}{text}, error found in #{read} byte of ...|{near}|..., bigger context ...|{context}|...",
        way(place)
    )
}

fn way(place: &Place<'_>) -> String {
    let mut way = String::new();
    let steps = place.steps();
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Field(schema, field) => {
                way.push_str(schema.go);
                way.push('.');
                if let Some(embedded) = embedded(schema, field) {
                    // It had another name then.
                    way.push_str(match embedded {
                        "ProbeHandler" => "Handler",
                        embedded => embedded,
                    });
                    way.push_str(": ");
                }
                way.push_str(field.go);
                way.push_str(": ");
            }
            Step::Index(_) => {
                // The list is the field above, or an item or value of it.
                if let Some(Step::Field(_, field)) = at.checked_sub(1).map(|at| &steps[at]) {
                    way.push_str(field.ty.go());
                    way.push_str(": ");
                }
            }
            Step::Root | Step::Key(_) => {}
        }
    }
    way
}

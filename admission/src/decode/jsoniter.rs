//! The words of servers up to 1.22, whose decoder was `github.com/json-iterator/go`: the Go names on
//! the way to the value, what the decoder of its type expected, and the bytes around it.
//!
//! From source only: the texts of the types that requests get wrong (`iter_skip.go`, `iter_str.go`,
//! `iter_int.go`, `iter_object.go`, `reflect_slice.go`) and the excerpts of `Iterator.ReportError`
//! are there; which of two numbers' digits stopped it is not reproduced to the byte.

use super::place::{Place, Step, embedded};
use crate::schema::Type;

/// The error for the value at `offset`, which is none of type `ty`.
pub(super) fn mismatch(bytes: &[u8], offset: usize, ty: &Type, place: &Place<'_>) -> String {
    let found = bytes.get(offset).map_or('\0', |&byte| char::from(byte));
    let digit = found.is_ascii_digit() || found == '-';
    let text = match ty {
        Type::Bool => format!("ReadBool: expect t or f, but found {found}"),
        Type::String(_) | Type::Bytes => {
            format!("ReadString: expects \" or n, but found {found}")
        }
        Type::Int32 | Type::Int64 if digit => {
            "assertInteger: can not decode float as int".to_owned()
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
                    way.push_str(embedded);
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

//! What Go says of JSON: how `fmt` prints a decoded value, and how `encoding/json` and the converter
//! name a type that does not fit.
//!
//! Upstream: `json.UnmarshalTypeError`, and `fromUnstructured` in
//! `k8s.io/apimachinery/pkg/runtime/converter.go`.

use std::fmt::Write as _;

use podgate_admission::schema::Type;
use serde_json::{Number, Value as Json};

/// `%v` of a value: `map[a:b]`, `[a b]`, texts without quotes.
pub(super) fn print(value: &Json) -> String {
    let mut out = String::new();
    write(&mut out, value);
    out
}

fn write(out: &mut String, value: &Json) {
    match value {
        Json::Null => out.push_str("<nil>"),
        Json::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Json::Number(number) => out.push_str(&print_number(number)),
        Json::String(text) => out.push_str(text),
        Json::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                write(out, item);
            }
            out.push(']');
        }
        Json::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            out.push_str("map[");
            for (i, (key, value)) in fields.into_iter().enumerate() {
                let between = if i > 0 { " " } else { "" };
                // Writing to a text does not fail.
                let _ = write!(out, "{between}{key}:");
                write(out, value);
            }
            out.push(']');
        }
    }
}

/// `%v` of a `float64` is the shortest form, with an exponent from 21 on and below -4.
fn print_number(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else {
        return number.to_string();
    };
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..21).contains(&exponent) {
        format!("{float}")
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{digits}e{sign}{:02}", exponent.abs())
    }
}

/// `json.UnmarshalTypeError` about a value that should be a `place`.
pub(super) fn mismatch(value: &Json, place: &str) -> String {
    let kind = match value {
        Json::Null => "null",
        Json::Bool(_) => "bool",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    };
    format!("json: cannot unmarshal {kind} into Go {place}")
}

/// What the converter says of a value that is no `ty`; nothing where the type reads JSON by itself.
pub(super) fn unconvertible(value: &Json, ty: &Type) -> Option<String> {
    let kind = match value {
        Json::Null => "invalid",
        Json::Bool(_) => "bool",
        Json::Number(number) if number.is_f64() => "float64",
        Json::Number(_) => "int64",
        Json::String(_) => "string",
        Json::Array(_) => "slice",
        Json::Object(_) => "map",
    };
    Some(match ty {
        Type::List(..) => format!("cannot restore slice from {kind}"),
        Type::Map(..) => format!("cannot restore map from {kind}"),
        Type::Struct(_) => format!("cannot restore struct from: {kind}"),
        Type::String(go) if kind == "int64" => format!("cannot convert int64 to {go}"),
        Type::String(_) => "unrecognized type: string".to_owned(),
        Type::Bool | Type::Int32 | Type::Int64 | Type::Float64 => {
            format!("unrecognized type: {}", ty.go())
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::print;

    #[rstest]
    #[case(json!({"b": ["x", 1, true], "a": {"c": null}}), "map[a:map[c:<nil>] b:[x 1 true]]")]
    #[case(json!([1.5, 1e21, 1e20, 1e-5, 0.0001]), "[1.5 1e+21 100000000000000000000 1e-05 0.0001]")]
    fn prints_as_go_does(#[case] value: serde_json::Value, #[case] expected: &str) {
        assert_eq!(print(&value), expected);
    }
}

//! Whether a value is what its schema says, and the words for where it is not.
//!
//! Upstream: `sigs.k8s.io/structured-merge-diff/typed/validate.go`. It meets the fields of a map in random
//! order, and so it tells of several errors in any order, or of the first alone.

use std::collections::BTreeSet;

use podgate_admission::quote::quote;
use podgate_admission::schema::Type;
use podgate_admission::value::Value;

use super::set::Element;
use super::shape::{Atom, Relation, Shape};

/// What of an object does not fit its schema, as upstream words it; a list that may not have an item
/// twice has none twice unless `duplicates` are allowed (`AsTyped`).
pub(super) fn check(value: &Value<'_>, shape: Shape, duplicates: bool) -> Result<(), String> {
    let mut errors = Vec::new();
    validate(value, shape, duplicates, &mut String::new(), &mut errors);
    match &*errors {
        [] => Ok(()),
        [error] => Err(error.clone()),
        errors => Err(format!("errors:\n  {}", errors.join("\n  "))),
    }
}

fn validate(
    value: &Value<'_>,
    shape: Shape,
    duplicates: bool,
    path: &mut String,
    errors: &mut Vec<String>,
) {
    let wrong = |expected: &str, path: &str| {
        let found = if expected == "numeric (int or float)" {
            go_type(value).to_owned()
        } else if expected == "string" {
            go_syntax(value)
        } else {
            format!("&{{{}}}", crate::patch::print(value))
        };
        located(path, &format!("expected {expected}, got {found}"))
    };
    match (shape.atom(value), value) {
        (_, Value::Null) => {}
        (Atom::Scalar, value) => errors.extend(expected(shape.ty, value).map(|e| wrong(e, path))),
        (Atom::List(relation, below), Value::List(items)) => {
            let mut seen = BTreeSet::new();
            for (at, item) in items.iter().enumerate() {
                let element = match relation {
                    Relation::Atomic => Element::Index(i64::try_from(at).unwrap_or(i64::MAX)),
                    _ => match below.element(relation, item) {
                        Ok(element) => element,
                        Err(error) => {
                            errors.push(located(path, &format!("element {at}: {error}")));
                            return;
                        }
                    },
                };
                if !duplicates && seen.contains(&element) {
                    errors.push(located(
                        path,
                        &format!("duplicate entries for key {element}"),
                    ));
                }
                deeper(path, &element, |path| {
                    validate(item, below, duplicates, path, errors);
                });
                seen.insert(element);
            }
        }
        (Atom::List(..), _) => errors.push(wrong("list", path)),
        (Atom::Map { .. }, Value::Object(object)) => {
            for (name, value) in object.iter() {
                let element = Element::field(name);
                let Some((below, _)) = shape.field(name) else {
                    errors.push(format!("{path}{element}: field not declared in schema"));
                    return;
                };
                deeper(path, &element, |path| {
                    validate(value, below, duplicates, path, errors);
                });
            }
        }
        (Atom::Map { .. }, _) => errors.push(wrong("map", path)),
    }
}

fn deeper(path: &mut String, element: &Element, walk: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push_str(&element.to_string());
    walk(path);
    path.truncate(length);
}

fn located(path: &str, error: &str) -> String {
    if path.is_empty() {
        error.to_owned()
    } else {
        format!("{path}: {error}")
    }
}

/// What a scalar has to be, where it is not that (`validateScalar`).
fn expected(ty: Type, value: &Value<'_>) -> Option<&'static str> {
    let scalar = !matches!(value, Value::List(_) | Value::Object(_));
    let (fits, expected) = match ty {
        Type::Bool => (matches!(value, Value::Bool(_)), "boolean"),
        Type::Int32 | Type::Int64 | Type::Float64 => (
            matches!(value, Value::Int(_) | Value::Float(_)),
            "numeric (int or float)",
        ),
        Type::String(_) | Type::Bytes => (matches!(value, Value::String(_)), "string"),
        _ => (scalar, "any scalar"),
    };
    (!fits).then_some(expected)
}

/// `%T` of a decoded value.
fn go_type(value: &Value<'_>) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::Float(_) => "float64",
        Value::String(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// `%#v` of a decoded value.
fn go_syntax(value: &Value<'_>) -> String {
    fn inner(value: &Value<'_>) -> String {
        match value {
            Value::String(text) => quote(text),
            Value::List(items) => {
                let items: Vec<_> = items.iter().map(inner).collect();
                format!("[]interface {{}}{{{}}}", items.join(", "))
            }
            Value::Object(object) => {
                let mut entries: Vec<_> = object
                    .iter()
                    .map(|(name, value)| format!("{}:{}", quote(name), inner(value)))
                    .collect();
                entries.sort();
                format!("map[string]interface {{}}{{{}}}", entries.join(", "))
            }
            Value::Null => "interface {}(nil)".to_owned(),
            scalar => crate::patch::print(scalar),
        }
    }
    format!("&value.valueUnstructured{{Value:{}}}", inner(value))
}

//! Tolerations: those of a pod's spec, and those of an annotation that nothing has read since 1.6.
//!
//! Upstream: `ValidateTolerations` and `ValidateTolerationsInPodAnnotations` in
//! `pkg/apis/core/validation/validation.go`, and `GetTolerationsFromPodAnnotations` in
//! `pkg/apis/core/helper/helpers.go`, which has `encoding/json` read the internal type: its fields are
//! found by their Go names, in upper or lower case.

use crate::decode::decode_untyped;
use crate::value::{Object, Value};

use super::field::{BadValue, Path};
use super::tree::{entry, int_opt, text};
use super::{Validator, go, metadata, names, versions};

/// The annotation.
const ANNOTATION: &str = "scheduler.alpha.kubernetes.io/tolerations";

/// `ValidateTolerations`
pub(crate) fn tolerations(v: &mut Validator, tolerations: &[Value<'_>], path: &Path<'_>) {
    const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    for (i, toleration) in tolerations.iter().enumerate() {
        let path = path.index(i);
        let key = text(toleration, "key");
        let operator = text(toleration, "operator");
        let operator_path = path.child("operator");
        if !key.is_empty() {
            metadata::label_name(v, key, &path.child("key"));
        }
        if key.is_empty() && operator != "Exists" {
            v.errors.invalid(
                &operator_path,
                BadValue::Named(operator),
                "operator must be Exists when `key` is empty, which means \"match all values and \
                 all keys\"",
            );
        }
        let effect = text(toleration, "effect");
        let effect_path = path.child("effect");
        if int_opt(toleration, "tolerationSeconds").is_some() && effect != "NoExecute" {
            v.errors.invalid(
                &effect_path,
                BadValue::Named(effect),
                "effect must be 'NoExecute' when `tolerationSeconds` is set",
            );
        }
        let value = text(toleration, "value");
        match operator {
            "Equal" | "" => {
                let wrong = names::label_value(value, v.minor);
                if !wrong.is_empty() {
                    v.errors.invalid(&operator_path, value, wrong.join(";"));
                }
            }
            "Exists" => {
                if !value.is_empty() {
                    let bad = if v.since(versions::TOLERATION_VALUE_PRINTED) {
                        BadValue::Text(value)
                    } else {
                        go::print(toleration, &go::TOLERATION, v.minor).into()
                    };
                    v.errors.invalid(
                        &operator_path,
                        bad,
                        "value must be empty when `operator` is 'Exists'",
                    );
                }
            }
            "Lt" | "Gt" if v.since(versions::TOLERATION_COMPARISONS) => {
                v.errors
                    .not_supported(&operator_path, operator, &["Equal", "Exists", "Lt", "Gt"]);
            }
            _ => v
                .errors
                .not_supported(&operator_path, operator, &["Equal", "Exists"]),
        }
        if !effect.is_empty() && !EFFECTS.contains(&effect) {
            v.errors.not_supported(&effect_path, effect, &EFFECTS);
        }
    }
}

/// `ValidateTolerationsInPodAnnotations`
pub(crate) fn annotated(v: &mut Validator, meta: &Value<'_>, path: &Path<'_>) {
    let Some(json) = entry(meta, "annotations", ANNOTATION).filter(|json| !json.is_empty()) else {
        return;
    };
    match read(json) {
        Ok(list) => tolerations(v, &list, &path.child(ANNOTATION)),
        Err(error) => v.errors.invalid(path, ANNOTATION, error),
    }
}

/// The fields of a toleration with their names in Go and in JSON.
const FIELDS: [(&str, &str); 5] = [
    ("Key", "key"),
    ("Operator", "operator"),
    ("Value", "value"),
    ("Effect", "effect"),
    ("TolerationSeconds", "tolerationSeconds"),
];

/// The tolerations of the annotation; the first type that is wrong is the error.
fn read(json: &str) -> Result<Vec<Value<'_>>, String> {
    let items = match decode_untyped(json.as_bytes()).map_err(|error| error.message)? {
        Value::Null => Vec::new(),
        Value::List(items) => items,
        other => return Err(mismatch(&other, "value of type []core.Toleration")),
    };
    items
        .into_iter()
        .map(|item| match item {
            Value::Null => Ok(Object::new().into()),
            Value::Object(object) => toleration(&object).map(Value::Object),
            other => Err(mismatch(&other, "value of type core.Toleration")),
        })
        .collect()
}

fn toleration<'a>(object: &Object<'a>) -> Result<Object<'a>, String> {
    let mut found = Object::new();
    for (go, json) in FIELDS {
        // Of several spellings the last one stays.
        for (_, value) in object
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(go))
        {
            let seconds = go == "TolerationSeconds";
            let fits = match value {
                Value::Null => continue,
                Value::Int(_) => seconds,
                Value::String(_) => !seconds,
                _ => false,
            };
            if !fits {
                let ty = match go {
                    "TolerationSeconds" => "int64",
                    "Operator" => "core.TolerationOperator",
                    "Effect" => "core.TaintEffect",
                    _ => "string",
                };
                let place = format!("struct field Toleration.{go} of type {ty}");
                return Err(mismatch(value, &place));
            }
            found.insert(json, value.clone());
        }
    }
    Ok(found)
}

/// `json.UnmarshalTypeError`
fn mismatch(value: &Value<'_>, place: &str) -> String {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) => "number",
        Value::Float(number) => {
            return format!("json: cannot unmarshal number {number} into Go {place}");
        }
        Value::String(_) => "string",
        Value::List(_) => "array",
        Value::Object(_) => "object",
    };
    format!("json: cannot unmarshal {kind} into Go {place}")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // The first is as recorded on 1.36, the others are `encoding/json`'s.
    #[rstest]
    #[case("x", "invalid character 'x' looking for beginning of value")]
    #[case(
        "{}",
        "json: cannot unmarshal object into Go value of type []core.Toleration"
    )]
    #[case(
        "[1]",
        "json: cannot unmarshal number into Go value of type core.Toleration"
    )]
    #[case(
        r#"[{"effect": 1}]"#,
        "json: cannot unmarshal number into Go struct field Toleration.Effect of type core.TaintEffect"
    )]
    #[case(
        r#"[{"tolerationSeconds": "1"}]"#,
        "json: cannot unmarshal string into Go struct field Toleration.TolerationSeconds of type int64"
    )]
    fn unreadable(#[case] json: &str, #[case] error: &str) {
        assert_eq!(read(json).unwrap_err(), error);
    }

    #[rstest]
    #[case("null", 0)]
    #[case("[]", 0)]
    #[case(r#"[null, {"KEY": "a", "tolerationseconds": 5, "unknown": {}}]"#, 2)]
    fn readable(#[case] json: &str, #[case] count: usize) {
        let list = read(json).unwrap();
        assert_eq!(list.len(), count);
        if let Some(last) = list.last() {
            assert_eq!(text(last, "key"), "a");
            assert_eq!(int_opt(last, "tolerationSeconds"), Some(5));
        }
    }
}

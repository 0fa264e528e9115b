//! Objects as JSON, written as the server writes them.
//!
//! Upstream's counterpart is Go's `encoding/json` under the serializer of
//! `k8s.io/apimachinery/pkg/runtime/serializer/json` (`json.NewEncoder(w).Encode(obj)`): fields of
//! structs in the order of the Go type, maps sorted by key, `<`, `>`, `&` and the line separators
//! U+2028 and U+2029 escaped, and a zero where a field that is always written is absent.

use std::fmt::Write as _;

use podgate_policy::Minor;

use crate::decode::{base64, is_zero};
use crate::schema::{Field, Struct, Type};
use crate::value::{Object, Value};

/// Writes an object of the kind that `schema` describes, as a server of `minor` does, without the
/// line end that follows in an answer.
#[must_use]
pub fn encode(value: &Value<'_>, schema: &Struct, minor: Minor) -> String {
    let mut writer = Writer {
        json: String::with_capacity(1024),
        minor,
    };
    match value {
        Value::Object(object) => writer.object(schema, object),
        other => writer.untyped(other),
    }
    writer.json
}

/// Writes any tree, keys in its order, with the server's escapes.
#[must_use]
pub fn encode_untyped(value: &Value<'_>) -> String {
    let mut writer = Writer {
        json: String::new(),
        minor: Minor::NEWEST,
    };
    writer.untyped(value);
    writer.json
}

/// Makes of an object what the store gives back: the protobuf in between does not tell an empty
/// list or map from none, and the conversion to the internal type and back leaves its traces.
pub fn as_stored(value: &mut Value<'_>, schema: &Struct, minor: Minor) {
    let Value::Object(object) = value else { return };
    object.retain(|name, value| match schema.field(name, minor) {
        Some(field) => {
            let empty = stored(&field.ty, value, minor);
            !empty && (field.pointer || !is_zero(&field.ty, value))
        }
        None => true,
    });
    leave_traces(object, schema, minor);
}

/// Makes of an object what the conversion to the internal type and back does, as long as it is not stored.
pub(crate) fn as_converted(value: &mut Value<'_>, schema: &Struct, minor: Minor) {
    let Value::Object(object) = value else { return };
    for (name, value) in object.iter_mut() {
        if let Some(field) = schema.field(name, minor) {
            converted(&field.ty, value, minor);
        }
    }
    leave_traces(object, schema, minor);
}

/// Does the same below a field, an item or a map's value.
fn converted(ty: &Type, value: &mut Value<'_>, minor: Minor) {
    match (ty, value) {
        (Type::Struct(schema), value) => as_converted(value, schema, minor),
        (Type::List(item, _), Value::List(items)) => {
            for value in items.iter_mut() {
                converted(item, value, minor);
            }
        }
        (Type::Map(item, _), Value::Object(entries)) => {
            for (_, value) in entries.iter_mut() {
                converted(item, value, minor);
            }
        }
        _ => {}
    }
}

fn leave_traces(object: &mut Object<'_>, schema: &Struct, minor: Minor) {
    match schema.name {
        "StatefulSetSpec" => name_claims(object),
        "Secret" => move_texts(object),
        "RollingUpdateDaemonSet" => fill_rolling_update(object, schema, minor),
        _ => {}
    }
}

/// The conversion from the internal type writes on each claim of a `StatefulSet` what it is
/// (`Convert_apps_StatefulSetSpec_To_v1_StatefulSetSpec`), whatever was sent.
fn name_claims(spec: &mut Object<'_>) {
    let claims = spec.get_mut("volumeClaimTemplates");
    for claim in claims.and_then(Value::as_list_mut).into_iter().flatten() {
        if let Some(claim) = claim.as_object_mut() {
            claim.insert("kind", "PersistentVolumeClaim");
            claim.insert("apiVersion", "v1");
        }
    }
}

/// The conversion to the internal type moves a Secret's texts into its data
/// (`Convert_v1_Secret_To_core_Secret`).
fn move_texts(secret: &mut Object<'_>) {
    let Some(Value::Object(texts)) = secret.remove("stringData") else {
        return;
    };
    let data = secret.object_mut("data");
    for (key, text) in texts {
        let bytes = text.as_str().unwrap_or_default().as_bytes();
        data.insert(key, base64(bytes));
    }
    data.sort();
}

/// The internal type of a daemon set's rolling update has numbers where v1 has pointers to them
/// (`Convert_Pointer_intstr_IntOrString_To_intstr_IntOrString`): one that has no default, since the
/// strategy is another, is zero then.
fn fill_rolling_update(update: &mut Object<'_>, schema: &Struct, minor: Minor) {
    for field in schema.fields.iter().filter(|field| field.exists_in(minor)) {
        if !update.contains_key(field.name) {
            update.insert(field.name, 0);
        }
    }
}

/// Does the same below a field, an item or a map's value; whether it is an empty list or map.
fn stored(ty: &Type, value: &mut Value<'_>, minor: Minor) -> bool {
    match (ty, value) {
        (Type::Struct(schema), value) => {
            as_stored(value, schema, minor);
            false
        }
        (Type::List(item, _), Value::List(items)) => {
            for value in items.iter_mut() {
                stored(item, value, minor);
            }
            items.is_empty()
        }
        (Type::Map(item, _), Value::Object(entries)) => {
            for (_, value) in entries.iter_mut() {
                stored(item, value, minor);
            }
            entries.is_empty()
        }
        _ => false,
    }
}

struct Writer {
    json: String,
    minor: Minor,
}

impl Writer {
    fn object(&mut self, schema: &Struct, object: &Object<'_>) {
        self.json.push('{');
        let start = self.json.len();
        let minor = self.minor;
        for field in schema.fields.iter().filter(|f| f.exists_in(minor)) {
            let value = object.get(field.name).unwrap_or(&Value::Null);
            if left_out(field, value) {
                continue;
            }
            if self.json.len() > start {
                self.json.push(',');
            }
            self.text(field.name);
            self.json.push(':');
            if matches!(value, Value::Null) && !field.pointer {
                self.zero(&field.ty);
            } else {
                self.value(&field.ty, value);
            }
        }
        self.json.push('}');
    }

    /// What Go writes for a field that is no pointer and was never set.
    fn zero(&mut self, ty: &Type) {
        match ty {
            Type::Struct(schema) => self.object(schema, &Object::new()),
            Type::Bytes => self.json.push_str("null"),
            ty => self.untyped(&crate::decode::zero(ty)),
        }
    }

    fn value(&mut self, ty: &Type, value: &Value<'_>) {
        match (ty, value) {
            (Type::Struct(schema), Value::Object(object)) => self.object(schema, object),
            (Type::List(item, _), Value::List(items)) => {
                self.list(items, |writer, value| writer.value(item, value));
            }
            (Type::Map(item, _), Value::Object(entries)) => {
                let mut sorted: Vec<_> = entries.iter().collect();
                sorted.sort_by_key(|(key, _)| *key);
                self.json.push('{');
                for (at, (key, value)) in sorted.into_iter().enumerate() {
                    self.key(at, key);
                    self.value(item, value);
                }
                self.json.push('}');
            }
            (_, value) => self.untyped(value),
        }
    }

    fn untyped(&mut self, value: &Value<'_>) {
        match value {
            Value::Null => self.json.push_str("null"),
            Value::Bool(true) => self.json.push_str("true"),
            Value::Bool(false) => self.json.push_str("false"),
            Value::Int(n) => self.json.push_str(&n.to_string()),
            Value::Float(n) => self.float(*n),
            Value::String(text) => self.text(text),
            Value::List(items) => self.list(items, Self::untyped),
            Value::Object(object) => {
                self.json.push('{');
                for (at, (key, value)) in object.iter().enumerate() {
                    self.key(at, key);
                    self.untyped(value);
                }
                self.json.push('}');
            }
        }
    }

    fn list(&mut self, items: &[Value<'_>], mut write: impl FnMut(&mut Self, &Value<'_>)) {
        self.json.push('[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.json.push(',');
            }
            write(self, item);
        }
        self.json.push(']');
    }

    fn key(&mut self, at: usize, key: &str) {
        if at > 0 {
            self.json.push(',');
        }
        self.text(key);
        self.json.push(':');
    }

    fn text(&mut self, text: &str) {
        self.json.push('"');
        let mut written = 0;
        for (at, character) in text.char_indices() {
            let short = match character {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\u{8}' => "\\b",
                '\u{c}' => "\\f",
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => "",
                _ => continue,
            };
            self.json.push_str(&text[written..at]);
            written = at + character.len_utf8();
            if short.is_empty() {
                // Writing to a String cannot fail.
                let _ = write!(self.json, "\\u{:04x}", u32::from(character));
            } else {
                self.json.push_str(short);
            }
        }
        self.json.push_str(&text[written..]);
        self.json.push('"');
    }

    /// Go's shortest form: an exponent below 1e-6 and from 1e21 on, of two digits only where it has
    /// two (`floatEncoder` in `encoding/json/encode.go`).
    fn float(&mut self, n: f64) {
        let magnitude = n.abs();
        let exponential = magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude);
        let written = if exponential {
            let text = format!("{n:e}");
            if text.contains("e-") {
                text
            } else {
                text.replace('e', "e+")
            }
        } else {
            format!("{n}")
        };
        self.json.push_str(&written);
    }
}

/// Whether Go leaves a field out that holds `value`.
fn left_out(field: &Field, value: &Value<'_>) -> bool {
    if !field.omitempty {
        return false;
    }
    match value {
        Value::Null => true,
        Value::List(items) => items.is_empty(),
        Value::Object(entries) if matches!(field.ty, Type::Map(..)) => entries.is_empty(),
        value => !field.pointer && is_zero(&field.ty, value),
    }
}

#[cfg(test)]
mod tests;

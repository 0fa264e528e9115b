//! `OpenAPI` 2.0 as protobuf, for clients that read nothing else: the messages of gnostic's
//! `openapi.v2`.
//!
//! Upstream: `ToProtoBinary` in `k8s.io/kube-openapi/pkg/handler`, and
//! `github.com/google/gnostic-models/openapiv2/OpenAPIv2.proto`, whose numbers of fields stand here.
//! Only what the documents of this server have is written.

use podgate_admission::encode::encode_untyped;
use podgate_admission::value::{Object, Value};

use crate::protobuf::wire;

/// A message in the making: fields of length-delimited bytes and of truth values.
#[derive(Default)]
struct Message(wire::Message);

impl Message {
    fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.0.bytes(field, bytes);
    }

    fn message(&mut self, field: u32, message: &Self) {
        self.0.message(field, &message.0);
    }

    /// A text at a key, if it is there.
    fn text(&mut self, field: u32, of: &Value<'_>, key: &str) {
        if let Some(text) = of.get(key).and_then(Value::as_str) {
            self.bytes(field, text.as_bytes());
        }
    }

    /// The texts of the list at a key.
    fn texts(&mut self, field: u32, of: &Value<'_>, key: &str) {
        for text in of.list_at(&[key]).iter().filter_map(Value::as_str) {
            self.bytes(field, text.as_bytes());
        }
    }

    /// A truth value at a key, if it is true.
    fn truth(&mut self, field: u32, of: &Value<'_>, key: &str) {
        if of.get(key).and_then(Value::as_bool) == Some(true) {
            self.0.varint(field, 1);
        }
    }

    /// A message for a value at a key, if it is there.
    fn at(&mut self, field: u32, of: &Value<'_>, key: &str, message: fn(&Value<'_>) -> Self) {
        if let Some(value) = of.get(key) {
            self.message(field, &message(value));
        }
    }

    /// `NamedX`s for the entries of an object.
    fn named(&mut self, field: u32, of: &Value<'_>, message: fn(&Value<'_>) -> Self) {
        for (name, value) in of.as_object().into_iter().flat_map(Object::iter) {
            self.named_one(field, name, &message(value));
        }
    }

    fn named_one(&mut self, field: u32, name: &str, value: &Self) {
        let mut entry = Self::default();
        entry.bytes(1, name.as_bytes());
        entry.message(2, value);
        self.message(field, &entry);
    }

    /// Extensions: `NamedAny`s whose value is YAML, which JSON is too.
    fn extensions(&mut self, field: u32, of: &Value<'_>) {
        for (name, value) in of.as_object().into_iter().flat_map(Object::iter) {
            if name.starts_with("x-") {
                let mut any = Self::default();
                any.bytes(2, encode_untyped(value).as_bytes());
                self.named_one(field, name, &any);
            }
        }
    }
}

/// Writes a document of version 2.0.
pub(super) fn document(document: &Value<'_>) -> Vec<u8> {
    let mut found = Message::default();
    found.text(1, document, "swagger");
    found.at(2, document, "info", info);
    found.at(8, document, "paths", paths);
    found.at(9, document, "definitions", schemas);
    found.0.into_bytes()
}

fn info(info: &Value<'_>) -> Message {
    let mut found = Message::default();
    found.text(1, info, "title");
    found.text(2, info, "version");
    found
}

fn paths(paths: &Value<'_>) -> Message {
    let mut found = Message::default();
    found.named(2, paths, path_item);
    found
}

fn path_item(item: &Value<'_>) -> Message {
    let mut found = Message::default();
    for (field, method) in [
        (2, "get"),
        (3, "put"),
        (4, "post"),
        (5, "delete"),
        (8, "patch"),
    ] {
        found.at(field, item, method, operation);
    }
    for item in item.list_at(&["parameters"]) {
        found.message(9, &parameters_item(item));
    }
    found
}

fn operation(operation: &Value<'_>) -> Message {
    let mut found = Message::default();
    found.texts(1, operation, "tags");
    found.text(5, operation, "operationId");
    found.texts(6, operation, "produces");
    found.texts(7, operation, "consumes");
    for item in operation.list_at(&["parameters"]) {
        found.message(8, &parameters_item(item));
    }
    found.at(9, operation, "responses", responses);
    found.texts(10, operation, "schemes");
    found.extensions(13, operation);
    found
}

fn parameters_item(item: &Value<'_>) -> Message {
    let place = item.text_at(&["in"]);
    let mut own = Message::default();
    let mut parameter = Message::default();
    if place == "body" {
        own.text(2, item, "name");
        own.text(3, item, "in");
        own.truth(4, item, "required");
        own.at(5, item, "schema", schema);
        parameter.message(1, &own);
    } else {
        let is_path = place == "path";
        own.truth(1, item, "required");
        own.text(2, item, "in");
        own.text(4, item, "name");
        own.text(if is_path { 5 } else { 6 }, item, "type");
        let mut non_body = Message::default();
        non_body.message(if is_path { 4 } else { 3 }, &own);
        parameter.message(2, &non_body);
    }
    let mut found = Message::default();
    found.message(1, &parameter);
    found
}

fn responses(responses: &Value<'_>) -> Message {
    let mut found = Message::default();
    found.named(1, responses, |response| {
        let mut own = Message::default();
        own.text(1, response, "description");
        if let Some(of) = response.get("schema") {
            let mut item = Message::default();
            item.message(1, &schema(of));
            own.message(2, &item);
        }
        let mut value = Message::default();
        value.message(1, &own);
        value
    });
    found
}

/// `Definitions` and `Properties`, which are the same.
fn schemas(schemas: &Value<'_>) -> Message {
    let mut found = Message::default();
    found.named(1, schemas, schema);
    found
}

fn schema(of: &Value<'_>) -> Message {
    let mut found = Message::default();
    found.text(1, of, "$ref");
    found.text(2, of, "format");
    found.texts(19, of, "required");
    if let Some(values) = of.get("additionalProperties") {
        let mut item = Message::default();
        item.message(1, &schema(values));
        found.message(21, &item);
    }
    if let Some(ty) = of.get("type").and_then(Value::as_str) {
        let mut item = Message::default();
        item.bytes(1, ty.as_bytes());
        found.message(22, &item);
    }
    if let Some(items) = of.get("items") {
        let mut item = Message::default();
        item.message(1, &schema(items));
        found.message(23, &item);
    }
    found.at(25, of, "properties", schemas);
    found.extensions(31, of);
    found
}

#[cfg(test)]
mod tests {
    use podgate_admission::decode::decode_untyped;

    use super::*;

    #[test]
    fn numbers_and_lengths() {
        let mut message = Message::default();
        message.bytes(31, &[0; 300]);
        // Field 31 of wire type 2, and 300 in two bytes of seven bits.
        let bytes = message.0.into_bytes();
        assert_eq!(&bytes[..4], &[0xfa, 0x01, 0xac, 0x02]);
        assert_eq!(bytes.len(), 304);
    }

    // As protoc writes it for the text format
    // `name: "a" value { format: "b" type { value: "c" } vendor_extension { name: "x-d" value { yaml: "1" } } }`.
    #[test]
    fn a_named_schema() {
        let json = br#"{"a":{"type":"c","format":"b","x-d":1}}"#;
        let schemas = schemas(&decode_untyped(json).expect("JSON"));
        let mut expected = vec![0x0a, 27, 0x0a, 1, b'a', 0x12, 22, 0x12, 1, b'b'];
        expected.extend([0xb2, 0x01, 3, 0x0a, 1, b'c']);
        expected.extend([
            0xfa, 0x01, 10, 0x0a, 3, b'x', b'-', b'd', 0x12, 3, 0x12, 1, b'1',
        ]);
        assert_eq!(schemas.0.into_bytes(), expected);
    }
}

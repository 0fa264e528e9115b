//! What kubectl demands of an object before it sends it: a kind, and metadata of the right types.
//! Everything else is the server's to judge.
//!
//! Upstream: `UnstructuredJSONScheme.Decode` in k8s.io/apimachinery
//! `pkg/apis/meta/v1/unstructured/helpers.go`, and `metadataValidatingDecoder` in k8s.io/cli-runtime
//! `pkg/resource/metadata_decoder.go`, which decodes into `ObjectMeta` (k8s.io/apimachinery
//! `pkg/apis/meta/v1/types.go`).

use crate::{
    error::Flaw,
    json::Token,
    resolve::Scalar,
    tree::{Kind, NodeId, Style, Tree},
};

/// A Go type as far as `ObjectMeta` needs it.
enum Type {
    /// A string, under the name of its Go type. A timestamp reports itself as a string too.
    String(&'static str),
    Int64,
    Bool,
    StringMap,
    List {
        go_type: &'static str,
        item: &'static Type,
    },
    Struct {
        go_type: &'static str,
        name: &'static str,
        fields: &'static [(&'static str, Type)],
    },
}

const STRING: Type = Type::String("string");
const TIME: Type = Type::String("string");

const OBJECT_META: Type = Type::Struct {
    go_type: "v1.ObjectMeta",
    name: "ObjectMeta",
    fields: &[
        ("name", STRING),
        ("generateName", STRING),
        ("namespace", STRING),
        ("selfLink", STRING),
        ("uid", Type::String("types.UID")),
        ("resourceVersion", STRING),
        ("generation", Type::Int64),
        ("creationTimestamp", TIME),
        ("deletionTimestamp", TIME),
        ("deletionGracePeriodSeconds", Type::Int64),
        ("labels", Type::StringMap),
        ("annotations", Type::StringMap),
        (
            "ownerReferences",
            Type::List {
                go_type: "[]v1.OwnerReference",
                item: &OWNER_REFERENCE,
            },
        ),
        (
            "finalizers",
            Type::List {
                go_type: "[]string",
                item: &STRING,
            },
        ),
        (
            "managedFields",
            Type::List {
                go_type: "[]v1.ManagedFieldsEntry",
                item: &MANAGED_FIELDS,
            },
        ),
    ],
};

const OWNER_REFERENCE: Type = Type::Struct {
    go_type: "v1.OwnerReference",
    name: "OwnerReference",
    fields: &[
        ("apiVersion", STRING),
        ("kind", STRING),
        ("name", STRING),
        ("uid", Type::String("types.UID")),
        ("controller", Type::Bool),
        ("blockOwnerDeletion", Type::Bool),
    ],
};

const MANAGED_FIELDS: Type = Type::Struct {
    go_type: "v1.ManagedFieldsEntry",
    name: "ManagedFieldsEntry",
    fields: &[
        ("manager", STRING),
        ("operation", Type::String("v1.ManagedFieldsOperationType")),
        ("apiVersion", STRING),
        ("time", TIME),
        ("fieldsType", STRING),
        ("subresource", STRING),
    ],
};

/// kubectl's own type around `ObjectMeta`.
const OBJECT: Type = Type::Struct {
    go_type: "metadataOnlyObject",
    name: "metadataOnlyObject",
    fields: &[
        ("apiVersion", STRING),
        ("kind", STRING),
        ("metadata", OBJECT_META),
    ],
};

/// The first field, in the order of the names, that kubectl cannot decode.
pub(crate) fn check(tree: &Tree, object: NodeId) -> Result<(), Flaw> {
    decode(tree, object, &OBJECT, "", "")
}

/// Decodes a value of a field: `owner` is the Go struct that has it, `path` leads to it.
fn decode(tree: &Tree, node: NodeId, into: &Type, owner: &str, path: &str) -> Result<(), Flaw> {
    let node = tree.target(node);
    let found = token(tree, node)?;
    let mismatch = |value: &str, go_type: &str| {
        let message = format!(
            "json: cannot unmarshal {value} into Go struct field {owner}.{path} of type {go_type}"
        );
        let flaw = Flaw::new(tree.at(node), message);
        match (found, go_type) {
            (Token::Bool | Token::Number, "string") => flaw.hint("put the value in quotes"),
            _ => flaw,
        }
    };
    match (into, found) {
        (_, Token::Null) | (Type::String(_), Token::String) | (Type::Bool, Token::Bool) => Ok(()),
        (Type::Int64, Token::Number) => {
            let number = number(tree, node)?;
            match number.parse::<i64>() {
                Ok(_) => Ok(()),
                Err(_) => Err(mismatch(&format!("number {number}"), "int64")),
            }
        }
        (Type::StringMap, Token::Object) => tree
            .entries(node)?
            .iter()
            .try_for_each(|entry| decode(tree, entry.value, &STRING, owner, path)),
        (Type::List { item, .. }, Token::Array) => {
            let Kind::Sequence(first) = tree.kind(node) else {
                return Ok(());
            };
            tree.siblings(first)
                .try_for_each(|node| decode(tree, node, item, owner, path))
        }
        (Type::Struct { name, fields, .. }, Token::Object) => {
            for entry in tree.entries(node)? {
                if let Some((field, of)) = fields.iter().find(|(field, _)| *field == entry.name) {
                    let dot = if path.is_empty() { "" } else { "." };
                    decode(tree, entry.value, of, name, &format!("{path}{dot}{field}"))?;
                }
            }
            Ok(())
        }
        (Type::String(go_type), _) => Err(mismatch(found.name(), go_type)),
        (Type::Int64, _) => Err(mismatch(found.name(), "int64")),
        (Type::Bool, _) => Err(mismatch(found.name(), "bool")),
        (Type::StringMap, _) => Err(mismatch(found.name(), "map[string]string")),
        (Type::List { go_type, .. } | Type::Struct { go_type, .. }, _) => {
            Err(mismatch(found.name(), go_type))
        }
    }
}

/// What a value is in JSON.
pub(crate) fn token(tree: &Tree, node: NodeId) -> Result<Token, Flaw> {
    let node = tree.target(node);
    Ok(match tree.kind(node) {
        Kind::Mapping(_) => Token::Object,
        Kind::Sequence(_) => Token::Array,
        Kind::Scalar(Style::JsonNumber, _) => Token::Number,
        Kind::Scalar(..) | Kind::Alias(_) => match tree.scalar(node)? {
            Some(Scalar::Bool(_)) => Token::Bool,
            Some(Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_)) => Token::Number,
            Some(Scalar::String(_)) => Token::String,
            Some(Scalar::Null) | None => Token::Null,
        },
    })
}

/// A number as it stands in the JSON that kubectl decodes: in a JSON file as it was written.
fn number(tree: &Tree, node: NodeId) -> Result<String, Flaw> {
    if let Kind::Scalar(Style::JsonNumber, text) = tree.kind(node) {
        return Ok(tree.written(text).to_owned());
    }
    let mut number = String::new();
    crate::encode::encode(tree, node, &mut number)?;
    Ok(number)
}

#[cfg(test)]
mod tests;

//! Patches: what becomes of an object, as JSON for the decoder.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/handlers/patch.go`. Server-side apply is elsewhere
//! ([`apply`](crate::apply)).

mod go;
mod operations;
mod strategic;

use podgate_admission::decode::{DecodeError, Segment, decode_untyped};
use podgate_admission::schema::{Struct, Type};
use podgate_admission::status::Status;
use podgate_admission::value::Value;
use podgate_policy::Minor;
use serde_json::{Map, Value as Json};

/// The kinds of patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// RFC 6902
    Json,
    /// RFC 7386
    Merge,
    /// Kubernetes' own, by the merge keys of the schema.
    Strategic,
}

impl Kind {
    /// The kind that a content type says.
    pub(crate) fn of(content_type: &str) -> Option<Self> {
        match content_type {
            "application/json-patch+json" => Some(Self::Json),
            "application/merge-patch+json" => Some(Self::Merge),
            "application/strategic-merge-patch+json" => Some(Self::Strategic),
            _ => None,
        }
    }
}

/// Applies `patch` to `object`, whose type is `schema`. `typed`: whether fields of the patch are
/// validated, and so its types looked at before anything else.
pub(crate) fn apply(
    kind: Kind,
    object: &Value<'_>,
    patch: &[u8],
    schema: &'static Struct,
    minor: Minor,
    typed: bool,
) -> Result<Json, Status> {
    let mut json = to_json(object);
    let patch = decode_untyped(patch)
        .map(|patch| to_json(&patch))
        .map_err(|error| undecodable(kind, typed, error.message))?;
    match kind {
        Kind::Json => {
            let operations = operations::decode(patch, typed)?;
            operations::apply(&mut json, &operations)?;
        }
        // The library takes any list for the document, and the server sees that it is no object.
        Kind::Merge if !typed && patch.is_array() => json = patch,
        Kind::Merge => {
            let patch = Json::Object(fields(kind, patch, typed)?);
            json_patch::merge(&mut json, &patch);
        }
        Kind::Strategic => {
            let patch = fields(kind, patch, typed)?;
            let original = match json {
                Json::Object(original) => original,
                _ => Map::new(),
            };
            // What the object is stays: it is known by its type there, not by what it says.
            let said = ["kind", "apiVersion"].map(|key| (key, original.get(key).cloned()));
            let mut merged = strategic::merge(original, patch, Some(schema), minor)?;
            for (key, value) in said {
                if let Some(value) = value {
                    merged.insert(key.to_owned(), value);
                }
            }
            json = Json::Object(merged);
        }
    }
    Ok(json)
}

/// The fields of a patch that has to be an object; null is one without any.
fn fields(kind: Kind, patch: Json, typed: bool) -> Result<Map<String, Json>, Status> {
    match patch {
        Json::Object(fields) => Ok(fields),
        Json::Null => Ok(Map::new()),
        other => {
            let error = go::mismatch(&other, "value of type map[string]interface {}");
            Err(undecodable(kind, typed, error))
        }
    }
}

/// The error for a patch that is not the JSON it has to be.
fn undecodable(kind: Kind, typed: bool, error: String) -> Status {
    Status::bad_request(match kind {
        Kind::Strategic => error,
        Kind::Merge if !typed => "Invalid JSON Patch".to_owned(),
        Kind::Json if !typed => error,
        Kind::Json | Kind::Merge => format!("error decoding patch: {error}"),
    })
}

/// What becomes of a patch that makes no such object any more, as the server prints it with the error:
/// the object after a JSON patch or a merge patch, the patch itself after a strategic one, which is
/// never written as JSON in between (`applyPatchToObject`).
pub(crate) fn misfit(
    kind: Kind,
    patch: &[u8],
    patched: &Json,
    error: DecodeError,
    schema: &'static Struct,
    minor: Minor,
) -> (String, String) {
    if kind != Kind::Strategic {
        return (patched.to_string(), error.message);
    }
    let patch = decode_untyped(patch).map(|patch| to_json(&patch));
    let printed = go::print(&patch.unwrap_or_default());
    let message = at(patched, &error.location.path, schema, minor)
        .and_then(|(value, ty)| go::unconvertible(value, &ty));
    (printed, message.unwrap_or(error.message))
}

/// The value at the end of a path, and what it has to be.
fn at<'v>(
    object: &'v Json,
    path: &[Segment],
    schema: &'static Struct,
    minor: Minor,
) -> Option<(&'v Json, Type)> {
    let mut value = object;
    let mut ty = Type::Struct(schema);
    for segment in path {
        (value, ty) = match (segment, ty) {
            (Segment::Key(key), Type::Struct(schema)) => {
                (value.get(key)?, schema.field(key, minor)?.ty)
            }
            (Segment::Key(key), Type::Map(item, _)) => (value.get(key)?, *item),
            (Segment::Index(index), Type::List(item, _)) => (value.get(index)?, *item),
            _ => return None,
        };
    }
    (!path.is_empty()).then_some((value, ty))
}

/// `%v` of a decoded value.
pub(crate) fn print(value: &Value<'_>) -> String {
    go::print(&to_json(value))
}

fn to_json(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Int(number) => Json::from(*number),
        Value::Float(number) => Json::from(*number),
        Value::String(text) => Json::String(text.clone().into_owned()),
        Value::List(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Object(object) => Json::Object(
            object
                .iter()
                .map(|(key, value)| (key.to_owned(), to_json(value)))
                .collect(),
        ),
    }
}

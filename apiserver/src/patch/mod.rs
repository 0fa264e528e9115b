//! Patches: what becomes of an object, as JSON for the decoder.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/handlers/patch.go`. Server-side apply is not served.

mod strategic;

use podgate_admission::schema::Struct;
use podgate_admission::status::Status;
use podgate_admission::value::Value;
use podgate_policy::Minor;
use serde_json::{Map, Value as Json};

use crate::failure;

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

/// Applies `patch` to `object`, whose type is `schema`.
pub(crate) fn apply(
    kind: Kind,
    object: &Value<'_>,
    patch: &[u8],
    schema: &'static Struct,
    minor: Minor,
) -> Result<Json, Status> {
    let mut json = to_json(object);
    match kind {
        Kind::Json => {
            let patch: json_patch::Patch =
                serde_json::from_slice(patch).map_err(|error| undecodable(&error))?;
            json_patch::patch(&mut json, &patch).map_err(|_| failure::patch_not_applicable())?;
        }
        Kind::Merge => {
            let patch =
                Json::Object(serde_json::from_slice(patch).map_err(|error| undecodable(&error))?);
            json_patch::merge(&mut json, &patch);
        }
        Kind::Strategic => {
            let patch: Map<String, Json> = serde_json::from_slice(patch)
                .map_err(|error| Status::bad_request(error.to_string()))?;
            let original = match json {
                Json::Object(original) => original,
                _ => Map::new(),
            };
            json = Json::Object(strategic::merge(original, patch, Some(schema), minor)?);
        }
    }
    Ok(json)
}

/// The error for a patch that is not the JSON it has to be. The text behind the colon is Go's on a
/// real server.
fn undecodable(error: &serde_json::Error) -> Status {
    Status::bad_request(format!("error decoding patch: {error}"))
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

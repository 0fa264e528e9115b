//! JSON patches, as the library of upstream carries them out: the members of RFC 6902 with a few
//! liberties. A key that is missing is null to `copy`, `move` and `test`, `replace` adds it, and an index
//! below zero counts from the end.
//!
//! Upstream: `gopkg.in/evanphx/json-patch.v4/patch.go`, and `applyJSPatch` in
//! `k8s.io/apiserver/pkg/endpoints/handlers/patch.go`.

use podgate_admission::status::Status;
use serde_json::Value as Json;

use super::go;
use crate::failure;

/// `maxJSONPatchOperations`
const MOST_OPERATIONS: usize = 10_000;

/// The operations of a patch. `typed`: whether upstream reads them as what they are first, and says so
/// where they are not.
pub(super) fn decode(patch: Json, typed: bool) -> Result<Vec<Json>, Status> {
    let failed = |error: String| {
        Status::bad_request(if typed {
            format!("error decoding patch: {error}")
        } else {
            error
        })
    };
    let (list, item) = if typed {
        ("[]handlers.jsonPatchOp", "handlers.jsonPatchOp")
    } else {
        ("jsonpatch.Patch", "jsonpatch.Operation")
    };
    let operations = match patch {
        Json::Null => Vec::new(),
        Json::Array(operations) => operations,
        other => {
            return Err(failed(go::mismatch(
                &other,
                &format!("value of type {list}"),
            )));
        }
    };
    for operation in &operations {
        match operation {
            Json::Null => {}
            Json::Object(fields) => {
                for name in ["op", "path", "from"] {
                    let text = |value: &&Json| !matches!(value, Json::Null | Json::String(_));
                    if let Some(value) = fields.get(name).filter(text)
                        && typed
                    {
                        let place = format!("struct field jsonPatchOp.{name} of type string");
                        return Err(failed(go::mismatch(value, &place)));
                    }
                }
            }
            other => {
                return Err(failed(go::mismatch(
                    other,
                    &format!("value of type {item}"),
                )));
            }
        }
    }
    if operations.len() > MOST_OPERATIONS {
        return Err(Status::request_too_large(&format!(
            "The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {}",
            operations.len()
        )));
    }
    Ok(operations)
}

/// Carries out the operations, all of them or none.
pub(super) fn apply(document: &mut Json, operations: &[Json]) -> Result<(), Status> {
    operations
        .iter()
        .try_for_each(|operation| carry_out(document, operation))
        .ok_or_else(failure::patch_not_applicable)
}

/// One operation; nothing where it does not apply.
fn carry_out(document: &mut Json, operation: &Json) -> Option<()> {
    let path = || operation.get("path")?.as_str();
    let from = || operation.get("from")?.as_str();
    let value = || operation.get("value").cloned().unwrap_or_default();
    match operation.get("op")?.as_str()? {
        "add" => add(document, path()?, value()),
        "remove" => remove(document, path()?),
        "replace" => replace(document, path()?, value()),
        "copy" => {
            let value = get(document, from()?)?;
            add(document, path()?, value)
        }
        "move" => {
            let value = get(document, from()?)?;
            remove(document, from()?)?;
            add(document, path()?, value)
        }
        "test" => {
            let path = path()?;
            let found = if path.is_empty() {
                document.clone()
            } else {
                get(document, path)?
            };
            (found == value()).then_some(())
        }
        _ => None,
    }
}

/// What holds the value at `path`, and its key there (`findObject`).
fn holder<'d>(document: &'d mut Json, path: &str) -> Option<(&'d mut Json, String)> {
    let (_, path) = path.split_once('/')?;
    let mut holder = document;
    let mut parts = path.split('/').peekable();
    loop {
        let key = parts.next()?.replace("~1", "/").replace("~0", "~");
        if parts.peek().is_none() {
            return Some((holder, key));
        }
        holder = match holder {
            Json::Object(fields) => fields.get_mut(&key)?,
            Json::Array(items) => {
                let at = index(&key, items.len())?;
                items.get_mut(at)?
            }
            _ => return None,
        };
        if !holder.is_object() && !holder.is_array() {
            return None;
        }
    }
}

/// The index that `key` names in a list of that length.
fn index(key: &str, length: usize) -> Option<usize> {
    let at: isize = key.parse().ok()?;
    if at < 0 {
        length.checked_sub(at.unsigned_abs())
    } else {
        Some(at.unsigned_abs())
    }
}

fn get(document: &mut Json, path: &str) -> Option<Json> {
    match holder(document, path)? {
        (Json::Object(fields), key) => Some(fields.get(&key).cloned().unwrap_or_default()),
        (Json::Array(items), key) => items.get(index(&key, items.len())?).cloned(),
        _ => None,
    }
}

fn add(document: &mut Json, path: &str, value: Json) -> Option<()> {
    match holder(document, path)? {
        (Json::Object(fields), key) => {
            fields.insert(key, value);
        }
        (Json::Array(items), key) if key == "-" => items.push(value),
        (Json::Array(items), key) => {
            let at = index(&key, items.len() + 1).filter(|at| *at <= items.len())?;
            items.insert(at, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(document: &mut Json, path: &str) -> Option<()> {
    match holder(document, path)? {
        (Json::Object(fields), key) => {
            fields.remove(&key)?;
        }
        (Json::Array(items), key) => {
            let at = index(&key, items.len()).filter(|at| *at < items.len())?;
            items.remove(at);
        }
        _ => return None,
    }
    Some(())
}

fn replace(document: &mut Json, path: &str, value: Json) -> Option<()> {
    if path.is_empty() {
        let whole = value.is_object() || value.is_array();
        *document = Some(value).filter(|_| whole)?;
        return Some(());
    }
    match holder(document, path)? {
        (Json::Object(fields), key) => {
            fields.insert(key, value);
        }
        (Json::Array(items), key) => {
            let at = index(&key, items.len())?;
            *items.get_mut(at)? = value;
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    // From the library's code.
    #[rstest]
    #[case(json!([{"op": "replace", "path": "/x", "value": 1}]), Some(json!({"a": ["p", "q"], "x": 1})))]
    #[case(json!([{"op": "copy", "from": "/zz", "path": "/x"}]), Some(json!({"a": ["p", "q"], "x": null})))]
    #[case(json!([{"op": "test", "path": "/zz", "value": null}]), Some(json!({"a": ["p", "q"]})))]
    #[case(json!([{"op": "remove", "path": "/a/-1"}]), Some(json!({"a": ["p"]})))]
    #[case(json!([{"op": "add", "path": "/a/2", "value": "r"}]), Some(json!({"a": ["p", "q", "r"]})))]
    #[case(json!([{"op": "add", "path": "/a~1b", "value": 1}]), Some(json!({"a": ["p", "q"], "a/b": 1})))]
    #[case(json!([{"op": "move", "from": "/a/0", "path": "/x"}]), Some(json!({"a": ["q"], "x": "p"})))]
    #[case(json!([{"op": "add", "path": "/a/3", "value": "r"}]), None)]
    #[case(json!([{"op": "remove", "path": "/zz"}]), None)]
    #[case(json!([{"op": "move", "from": "/zz", "path": "/x"}]), None)]
    #[case(json!([{"op": "test", "path": "/a/0", "value": "q"}]), None)]
    #[case(json!([{"op": "foo", "path": "/a"}]), None)]
    #[case(json!([{"op": "add", "path": "a", "value": 1}]), None)]
    #[case(json!([{"op": "add", "path": "/a/0/x", "value": 1}]), None)]
    fn operations(#[case] patch: Json, #[case] expected: Option<Json>) {
        let mut document = json!({"a": ["p", "q"]});
        let operations = decode(patch, true).expect("operations");
        let done = apply(&mut document, &operations).map_err(|status| status.code);
        match expected {
            Some(expected) => assert_eq!((done, document), (Ok(()), expected)),
            None => assert_eq!(done, Err(422)),
        }
    }

    // As recorded on 1.36, and from `encoding/json`.
    #[rstest]
    #[case(json!({"op": "x"}), true, "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp")]
    #[case(json!(["x"]), true, "error decoding patch: json: cannot unmarshal string into Go value of type handlers.jsonPatchOp")]
    #[case(json!([{"op": 1}]), true, "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string")]
    #[case(json!({}), false, "json: cannot unmarshal object into Go value of type jsonpatch.Patch")]
    fn undecodable(#[case] patch: Json, #[case] typed: bool, #[case] message: &str) {
        let status = decode(patch, typed).expect_err("refused");
        assert_eq!((status.code, status.message.as_str()), (400, message));
    }
}

//! Strategic merge patches: merge patches that know which lists are merged, and by which key.
//!
//! Upstream: `k8s.io/apimachinery/pkg/util/strategicpatch/patch.go`, with the options that the server
//! merges with (`MergeParallelList` and `IgnoreUnmatchedNulls`).

use podgate_admission::schema::{Field, Merge, Struct, Type};
use podgate_admission::status::Status;
use podgate_policy::Minor;
use serde_json::{Map, Value as Json};

use super::go;
use crate::failure;

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const ELEMENT_ORDER: &str = "$setElementOrder/";

/// What the schema says of a list or of an object.
#[derive(Clone, Copy, Debug, Default)]
struct Meta {
    /// The type of the object, or of the list's items; nothing for maps and scalars.
    schema: Option<&'static Struct>,
    /// Whether the list is merged.
    merged: bool,
    key: Option<&'static str>,
}

impl Meta {
    fn of(schema: Option<&'static Struct>, name: &str, minor: Minor) -> Self {
        let Some(field) = schema.and_then(|schema| schema.field(name, minor)) else {
            return Self::default();
        };
        let Field { ty, merge, .. } = field;
        let inner = match ty {
            Type::List(item, _) => *item,
            ty => ty,
        };
        Self {
            schema: match inner {
                Type::Struct(schema) => Some(schema),
                _ => None,
            },
            merged: matches!(merge, Some(Merge { merge: true, .. })),
            key: merge.and_then(|merge| merge.key),
        }
    }
}

/// `mergeMap`: the object that `patch` makes of `original`.
pub(super) fn merge(
    mut original: Map<String, Json>,
    mut patch: Map<String, Json>,
    schema: Option<&'static Struct>,
    minor: Minor,
) -> Result<Map<String, Json>, Status> {
    if let Some(directive) = patch.remove(DIRECTIVE) {
        return match directive.as_str() {
            Some("replace") => Ok(patch),
            Some("delete") => Ok(Map::new()),
            _ => {
                patch.insert(DIRECTIVE.to_owned(), directive.clone());
                Err(bad_directive(&directive, patch))
            }
        };
    }
    retain_keys(&mut original, &mut patch)?;
    order_lists(&mut original, &mut patch, schema, minor)?;
    for (key, value) in patch {
        if let Some(list) = key.strip_prefix(DELETE_FROM) {
            if let (Some(Json::Array(items)), Json::Array(unwanted)) =
                (original.get_mut(list), &value)
            {
                items.retain(|item| !unwanted.contains(item));
            }
            continue;
        }
        if value.is_null() {
            original.remove(&key);
            continue;
        }
        let merged = match (original.remove(&key), value) {
            (Some(Json::Object(old)), Json::Object(new)) => {
                let meta = Meta::of(schema, &key, minor);
                Json::Object(merge(old, new, meta.schema, minor)?)
            }
            (Some(Json::Array(old)), Json::Array(new)) => {
                let meta = Meta::of(schema, &key, minor);
                if meta.merged {
                    Json::Array(merge_list(old, new, meta, minor)?)
                } else {
                    Json::Array(new)
                }
            }
            // A scalar in place of a scalar, or anything in place of nothing or another type.
            (_, mut new) => {
                discard_nulls(&mut new);
                match without_directives(new) {
                    Some(new) => new,
                    None => continue,
                }
            }
        };
        original.insert(key, merged);
    }
    Ok(original)
}

/// `applyRetainKeysDirective`: drops what the patch does not name.
fn retain_keys(
    original: &mut Map<String, Json>,
    patch: &mut Map<String, Json>,
) -> Result<(), Status> {
    let Some(directive) = patch.remove(RETAIN_KEYS) else {
        return Ok(());
    };
    let bad = || Status::bad_request("invalid patch format of retainKeys".to_owned());
    let keys = directive.as_array().ok_or_else(bad)?;
    let named = |key: &str| keys.iter().any(|k| k.as_str() == Some(key));
    let all_named = patch.iter().all(|(key, value)| {
        value.is_null()
            || key.starts_with(DELETE_FROM)
            || key.starts_with(ELEMENT_ORDER)
            || named(key)
    });
    if !all_named {
        // `ErrPatchContentNotMatchRetainKeys`
        return Err(failure::patch_not_applicable());
    }
    original.retain(|key, _| named(key));
    Ok(())
}

/// `mergePatchIntoOriginal`: merges the lists for which the patch says in which order they are to be.
fn order_lists(
    original: &mut Map<String, Json>,
    patch: &mut Map<String, Json>,
    schema: Option<&'static Struct>,
    minor: Minor,
) -> Result<(), Status> {
    let directives: Vec<String> = patch
        .keys()
        .filter(|key| key.starts_with(ELEMENT_ORDER))
        .cloned()
        .collect();
    for directive in directives {
        let name = &directive[ELEMENT_ORDER.len()..];
        let meta = Meta::of(schema, name, minor);
        let Some(Json::Array(order)) = patch.remove(&directive) else {
            return Err(Status::bad_request(
                "invalid patch format of setElementOrder list".to_owned(),
            ));
        };
        let old = list(original, name)?;
        let new = list(patch, name)?;
        if let Some(new) = &new {
            check_order(new, &order, meta.key)?;
        }
        let merged = match (old.clone(), new) {
            (None, None) => continue,
            (Some(old), None) => old,
            (None, Some(new)) => new.into_iter().filter_map(without_directives).collect(),
            (Some(old), Some(new)) if meta.merged => merge_list(old, new, meta, minor)?,
            (Some(_), Some(new)) => new,
        };
        let merged = ordered(merged, &order, &old.unwrap_or_default(), meta.key);
        original.insert(name.to_owned(), Json::Array(merged));
    }
    Ok(())
}

/// `validatePatchWithSetOrderList`: the items of the patch are among those of the order, in that order.
fn check_order(patch: &[Json], order: &[Json], key: Option<&str>) -> Result<(), Status> {
    let mut wanted = order.iter();
    let directive = |item: &&Json| item.get(DIRECTIVE).is_some();
    let same = |a: &Json, b: &Json| match key {
        Some(key) => a.get(key) == b.get(key),
        None => a == b,
    };
    let mut items = patch.iter().filter(|item| !directive(item));
    if order.is_empty() || items.all(|item| wanted.any(|other| same(item, other))) {
        return Ok(());
    }
    Err(failure::unclassified(format!(
        "The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n",
        go::print(&Json::from(patch)),
        go::print(&Json::from(order)),
    )))
}

/// Takes the list `name` out.
fn list(of: &mut Map<String, Json>, name: &str) -> Result<Option<Vec<Json>>, Status> {
    match of.remove(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Array(items)) => Ok(Some(items)),
        Some(_) => Err(failure::unclassified(format!(
            "expected a []interface {{}} for {name}"
        ))),
    }
}

/// `mergeSlice`
fn merge_list(
    original: Vec<Json>,
    patch: Vec<Json>,
    meta: Meta,
    minor: Minor,
) -> Result<Vec<Json>, Status> {
    let Some(first) = original.first().or(patch.first()) else {
        return Ok(original);
    };
    if !first.is_object() {
        let mut merged = Vec::with_capacity(original.len() + patch.len());
        for item in original.iter().chain(&patch) {
            if !merged.contains(item) {
                merged.push(item.clone());
            }
        }
        return Ok(ordered(merged, &patch, &original, None));
    }
    let key = meta
        .key
        .ok_or_else(|| failure::unclassified("cannot merge lists without merge key".to_owned()))?;
    let (original, patch) = directives(original, patch, key)?;
    let mut merged = original.clone();
    for item in &patch {
        let Json::Object(item) = item else {
            return Err(failure::unclassified("list item is not a map".to_owned()));
        };
        let value = item.get(key).ok_or_else(|| no_key(item, key))?;
        let old = merged.iter_mut().find(|old| old.get(key) == Some(value));
        match old {
            Some(old) => {
                let Json::Object(fields) = old.take() else {
                    return Err(failure::unclassified("list item is not a map".to_owned()));
                };
                *old = Json::Object(merge(fields, item.clone(), meta.schema, minor)?);
            }
            None => merged.push(Json::Object(item.clone())),
        }
    }
    Ok(ordered(merged, &patch, &original, Some(key)))
}

/// `mergeSliceWithSpecialElements`: carries out the directives among the items.
fn directives(
    mut original: Vec<Json>,
    patch: Vec<Json>,
    key: &str,
) -> Result<(Vec<Json>, Vec<Json>), Status> {
    let mut rest = Vec::with_capacity(patch.len());
    let mut replace = false;
    for item in patch {
        match item.get(DIRECTIVE) {
            None => rest.push(item),
            Some(directive) => match directive.as_str() {
                Some("delete") => {
                    let value = item
                        .get(key)
                        .ok_or_else(|| no_key(item.as_object().unwrap_or(&Map::new()), key))?;
                    original.retain(|old| old.get(key) != Some(value));
                }
                Some("replace") => replace = true,
                Some("merge") => {
                    return Err(failure::unclassified(
                        "merging lists cannot yet be specified in the patch".to_owned(),
                    ));
                }
                _ => {
                    let fields = item.as_object().cloned().unwrap_or_default();
                    return Err(bad_directive(directive, fields));
                }
            },
        }
    }
    Ok(if replace {
        (rest, Vec::new())
    } else {
        (original, rest)
    })
}

/// Orders the items of `merged`: those of the patch as the patch has them, those that only the server
/// has as the server has them, and the latter among the former where the server has them before
/// (`normalizeElementOrder`, `mergeSortedSlice`).
fn ordered(merged: Vec<Json>, patch: &[Json], server: &[Json], key: Option<&str>) -> Vec<Json> {
    let same = |a: &Json, b: &Json| match key {
        Some(key) => a.get(key) == b.get(key),
        None => a == b,
    };
    let place = |list: &[Json], item: &Json| list.iter().position(|other| same(other, item));
    let (mut patched, mut left): (Vec<Json>, Vec<Json>) = merged
        .into_iter()
        .partition(|item| place(patch, item).is_some());
    patched.sort_by_key(|item| place(patch, item));
    left.sort_by_key(|item| place(server, item).unwrap_or(usize::MAX));
    let mut all = Vec::with_capacity(patched.len() + left.len());
    let mut left = left.into_iter().peekable();
    for item in patched {
        let behind = place(server, &item);
        while let Some(next) = left.next_if(|next| {
            place(server, next)
                .zip(behind)
                .is_some_and(|(next, behind)| next < behind)
        }) {
            all.push(next);
        }
        all.push(item);
    }
    all.extend(left);
    all
}

/// `discardNullValuesFromPatch`
fn discard_nulls(value: &mut Json) {
    match value {
        Json::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(discard_nulls);
        }
        Json::Array(items) => items.iter_mut().for_each(discard_nulls),
        _ => {}
    }
}

/// `removeDirectives`: the value without the objects that are directives.
fn without_directives(value: Json) -> Option<Json> {
    match value {
        Json::Object(fields) if fields.contains_key(DIRECTIVE) => None,
        Json::Object(fields) => Some(Json::Object(
            fields
                .into_iter()
                .filter_map(|(key, value)| Some((key, without_directives(value)?)))
                .collect(),
        )),
        Json::Array(items) => Some(Json::Array(
            items.into_iter().filter_map(without_directives).collect(),
        )),
        scalar => Some(scalar),
    }
}

fn bad_directive(directive: &Json, patch: Map<String, Json>) -> Status {
    failure::unclassified(format!(
        "unknown patch type: {} in map: {}",
        go::print(directive),
        go::print(&Json::Object(patch))
    ))
}

fn no_key(item: &Map<String, Json>, key: &str) -> Status {
    failure::unclassified(format!(
        "map: {} does not contain declared merge key: {key}",
        go::print(&Json::Object(item.clone()))
    ))
}

#[cfg(test)]
mod tests;

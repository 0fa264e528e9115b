//! Short ways to read the tree of an object as Go reads its struct: an absent field is the zero
//! value, and `null` is absent.

use crate::quantity::Quantity;
use crate::resources;
use crate::value::Value;

/// The field, where it is set.
pub(crate) fn field<'v, 'a>(value: &'v Value<'a>, name: &str) -> Option<&'v Value<'a>> {
    value.get(name).filter(|v| !matches!(v, Value::Null))
}

/// The amount; zero where it cannot be read, as decoding has refused it then.
pub(crate) fn quantity(value: &Value<'_>) -> Quantity {
    resources::quantity(value).unwrap_or_default()
}

/// The text, or an empty one.
pub(crate) fn text<'v>(value: &'v Value<'_>, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The text behind a pointer.
pub(crate) fn text_opt<'v>(value: &'v Value<'_>, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}

/// The integer, or zero.
pub(crate) fn int(value: &Value<'_>, name: &str) -> i64 {
    int_opt(value, name).unwrap_or_default()
}

/// The integer behind a pointer.
pub(crate) fn int_opt(value: &Value<'_>, name: &str) -> Option<i64> {
    value.get(name).and_then(Value::as_int)
}

/// Whether the field is true.
pub(crate) fn flag(value: &Value<'_>, name: &str) -> bool {
    flag_opt(value, name).unwrap_or_default()
}

/// The truth value behind a pointer.
pub(crate) fn flag_opt(value: &Value<'_>, name: &str) -> Option<bool> {
    value.get(name).and_then(Value::as_bool)
}

/// The items of the list.
pub(crate) fn items<'v, 'a>(value: &'v Value<'a>, name: &str) -> &'v [Value<'a>] {
    value.get(name).and_then(Value::as_list).unwrap_or_default()
}

/// The texts of the list.
pub(crate) fn texts<'v>(value: &'v Value<'_>, name: &str) -> impl Iterator<Item = &'v str> {
    items(value, name)
        .iter()
        .map(|v| v.as_str().unwrap_or_default())
}

/// The entries of the map.
pub(crate) fn entries<'v, 'a>(
    value: &'v Value<'a>,
    name: &str,
) -> impl Iterator<Item = (&'v str, &'v Value<'a>)> {
    value
        .get(name)
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(super::super::value::Object::iter)
}

/// The entries of a map of texts.
pub(crate) fn text_entries<'v>(
    value: &'v Value<'_>,
    name: &str,
) -> impl Iterator<Item = (&'v str, &'v str)> {
    entries(value, name).map(|(key, value)| (key, value.as_str().unwrap_or_default()))
}

/// The value at `key` of a map of texts.
pub(crate) fn entry<'v>(value: &'v Value<'_>, map: &str, key: &str) -> Option<&'v str> {
    value.get(map)?.get(key)?.as_str()
}

/// Whether the list or map has no entries, or is not there.
pub(crate) fn is_empty(value: Option<&Value<'_>>) -> bool {
    match value {
        Some(Value::List(items)) => items.is_empty(),
        Some(Value::Object(object)) => object.is_empty(),
        _ => true,
    }
}

/// Whether two trees mean the same to `apiequality.Semantic.DeepEqual`: empty lists and maps equal
/// absent ones, and the order of keys says nothing. An empty struct behind a pointer is something.
pub(crate) fn equal(a: Option<&Value<'_>>, b: Option<&Value<'_>>) -> bool {
    match (a, b) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            a.iter()
                .all(|(key, value)| equal_fields(key, Some(value), b.get(key)))
                && b.iter()
                    .all(|(key, value)| a.contains_key(key) || equal_fields(key, None, Some(value)))
        }
        (Some(Value::List(a)), Some(Value::List(b))) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(Some(a), Some(b)))
        }
        (Some(a), Some(b)) if !is_nothing(a) && !is_nothing(b) => a == b,
        (a, b) => a.is_none_or(is_nothing) && b.is_none_or(is_nothing),
    }
}

/// The same for the values of the field `name`.
pub(crate) fn equal_fields(name: &str, a: Option<&Value<'_>>, b: Option<&Value<'_>>) -> bool {
    /// The maps of a pod and of a claim's template.
    const MAPS: [&str; 9] = [
        "annotations",
        "labels",
        "limits",
        "matchLabels",
        "nodeSelector",
        "options",
        "overhead",
        "requests",
        "volumeAttributes",
    ];
    let set = |value: &&Value<'_>| match value {
        Value::Object(object) => !object.is_empty() || !MAPS.contains(&name),
        value => !is_nothing(value),
    };
    equal(a.filter(set), b.filter(set))
}

fn is_nothing(value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::List(items) => items.is_empty(),
        _ => false,
    }
}

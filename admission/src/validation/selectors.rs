//! Label selectors: their syntax, and what they match.
//!
//! Upstream: `ValidateLabelSelector` in `apimachinery/pkg/apis/meta/v1/validation`,
//! `LabelSelectorAsSelector` in `apimachinery/pkg/apis/meta/v1/helpers.go`, and
//! `apimachinery/pkg/labels`.

use crate::value::Value;

use super::field::{BadValue, Path};
use super::tree::{entry, field, items, text, text_entries, texts};
use super::{Validator, metadata, names, versions};

/// `ValidateLabelSelector`; nothing where there is no selector.
pub(crate) fn label_selector(v: &mut Validator, selector: Option<&Value<'_>>, path: &Path<'_>) {
    let Some(selector) = selector else { return };
    metadata::labels(v, selector, "matchLabels", &path.child("matchLabels"));
    let path = path.child("matchExpressions");
    for (i, requirement) in items(selector, "matchExpressions").iter().enumerate() {
        let path = path.index(i);
        let values = items(requirement, "values");
        let operator = text(requirement, "operator");
        match operator {
            "In" | "NotIn" => {
                if values.is_empty() {
                    v.errors.required(
                        &path.child("values"),
                        "must be specified when `operator` is 'In' or 'NotIn'",
                    );
                }
            }
            "Exists" | "DoesNotExist" => {
                if !values.is_empty() {
                    v.errors.forbidden(
                        &path.child("values"),
                        "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                    );
                }
            }
            _ => v.errors.invalid(
                &path.child("operator"),
                BadValue::Named(operator),
                "not a valid selector operator",
            ),
        }
        metadata::label_name(v, text(requirement, "key"), &path.child("key"));
        if v.since(versions::SELECTOR_VALUES) {
            let path = path.child("values");
            for (i, value) in texts(requirement, "values").enumerate() {
                let wrong = names::label_value(value, v.minor);
                v.errors.invalid_each(&path.index(i), value, wrong);
            }
        }
    }
}

/// How many requirements the selector has.
pub(crate) fn requirements(selector: &Value<'_>) -> usize {
    text_entries(selector, "matchLabels").count() + items(selector, "matchExpressions").len()
}

/// What became of a selector when it was compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// It cannot be compiled.
    Malformed,
    /// It matches the labels, or is empty.
    Yes,
    /// It does not; an absent selector matches nothing.
    No,
}

/// Compiles the selector and matches it with the labels of `meta`.
pub(crate) fn matches(selector: Option<&Value<'_>>, meta: &Value<'_>, minor: u8) -> Match {
    let Some(selector) = selector else {
        return Match::No;
    };
    let valid_key = |key: &str| names::qualified_name(key, minor).is_empty();
    let valid_value = |value: &str| names::label_value(value, minor).is_empty();
    let mut all = true;
    for (key, value) in text_entries(selector, "matchLabels") {
        if !valid_key(key) || !valid_value(value) {
            return Match::Malformed;
        }
        all &= entry(meta, "labels", key) == Some(value);
    }
    for requirement in items(selector, "matchExpressions") {
        let key = text(requirement, "key");
        let actual = entry(meta, "labels", key);
        let listed = |actual: Option<&str>| {
            actual.is_some_and(|a| texts(requirement, "values").any(|v| v == a))
        };
        let empty = items(requirement, "values").is_empty();
        let (well_formed, matched) = match text(requirement, "operator") {
            "In" => (!empty, listed(actual)),
            "NotIn" => (!empty, !listed(actual)),
            "Exists" => (empty, actual.is_some()),
            "DoesNotExist" => (empty, actual.is_none()),
            _ => (false, false),
        };
        if !well_formed || !valid_key(key) || !texts(requirement, "values").all(valid_value) {
            return Match::Malformed;
        }
        all &= matched;
    }
    if all { Match::Yes } else { Match::No }
}

/// The selector of `spec`, where it is set.
pub(crate) fn of<'v, 'a>(spec: &'v Value<'a>) -> Option<&'v Value<'a>> {
    field(spec, "selector")
}

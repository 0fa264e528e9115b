//! `RuntimeClass`: a pod's class exists, and brings its overhead, its nodes and its tolerations.
//!
//! Upstream: `plugin/pkg/admission/runtimeclass/admission.go`; the merge of tolerations is
//! `MergeTolerations` in `pkg/util/tolerations/tolerations.go`.

use std::sync::Arc;

use crate::chain::Attributes;
use crate::quote::quote;
use crate::request::Operation;
use crate::resources::quantity;
use crate::status::Status;
use crate::value::{Object, Value};

pub(crate) fn admit(attributes: &mut Attributes<'_>, pod: &mut Value<'_>) -> Result<(), Status> {
    let Some(class) = class(attributes, pod)? else {
        return Ok(());
    };
    if let Some(overhead) = overhead(&class) {
        let given = pod.at(&["spec", "overhead"]).and_then(Value::as_object);
        if given.is_some_and(|given| !given.is_empty() && !equal(given, overhead)) {
            return Err(attributes.forbidden(pod, MISMATCH));
        }
        if let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) {
            spec.insert("overhead", overhead.clone());
        }
    }
    let Some(scheduling) = class.get("scheduling").filter(|s| s.as_object().is_some()) else {
        return Ok(());
    };
    let demanded = scheduling.get("nodeSelector").and_then(Value::as_object);
    for (key, value) in demanded.into_iter().flat_map(Object::iter) {
        let demanded = value.as_str().unwrap_or_default();
        let given = pod
            .at(&["spec", "nodeSelector", key])
            .and_then(Value::as_str);
        if let Some(given) = given
            && given != demanded
        {
            let why = format!(
                "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {demanded}; pod.spec.nodeSelector[{key}] = {given}"
            );
            return Err(attributes.forbidden(pod, &why));
        }
    }
    let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) else {
        return Ok(());
    };
    for (key, value) in demanded.into_iter().flat_map(Object::iter) {
        spec.object_mut("nodeSelector")
            .insert(key.to_owned(), value.clone());
    }
    let mut all = spec.remove("tolerations").unwrap_or_default();
    if !matches!(all, Value::List(_)) {
        all = Value::List(Vec::new());
    }
    if let Value::List(mut all) = all {
        all.extend(scheduling.list_at(&["tolerations"]).iter().cloned());
        let merged = merge_tolerations(&all);
        if !merged.is_empty() {
            spec.insert("tolerations", merged);
        }
    }
    Ok(())
}

pub(crate) fn validate(attributes: &mut Attributes<'_>, pod: &Value<'_>) -> Result<(), Status> {
    let class = class(attributes, pod)?;
    if !applies(attributes) {
        return Ok(());
    }
    let given = pod.at(&["spec", "overhead"]).and_then(Value::as_object);
    match class.as_deref().and_then(overhead) {
        Some(overhead) if !given.is_some_and(|given| equal(given, overhead)) => {
            Err(attributes.forbidden(pod, MISMATCH))
        }
        None if given.is_some() => Err(attributes.forbidden(
            pod,
            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
        )),
        _ => Ok(()),
    }
}

const MISMATCH: &str = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

fn applies(attributes: &Attributes<'_>) -> bool {
    attributes.is_pod() && attributes.operation == Operation::Create
}

fn class(
    attributes: &Attributes<'_>,
    pod: &Value<'_>,
) -> Result<Option<Arc<Value<'static>>>, Status> {
    let name = pod
        .at(&["spec", "runtimeClassName"])
        .and_then(Value::as_str)
        .filter(|_| applies(attributes));
    let Some(name) = name else { return Ok(None) };
    if name.is_empty() {
        // What no cache has is asked for, and the client asks for nothing without a name.
        return Err(Status {
            code: 500,
            reason: "",
            message: "resource name may not be empty".to_owned(),
            details: None,
        });
    }
    if let Some(class) = attributes.world.get("runtimeclasses", "", name) {
        return Ok(Some(class));
    }
    let why = format!("pod rejected: RuntimeClass {} not found", quote(name));
    Err(attributes.forbidden(pod, &why))
}

fn overhead<'v>(class: &'v Value<'static>) -> Option<&'v Object<'static>> {
    class.at(&["overhead", "podFixed"])?.as_object()
}

fn equal(one: &Object<'_>, other: &Object<'_>) -> bool {
    one.len() == other.len()
        && one.iter().all(|(name, value)| {
            other
                .get(name)
                .is_some_and(|other| quantity(value) == quantity(other))
        })
}

/// `MergeTolerations`: what another one covers needs not be said.
fn merge_tolerations<'a>(all: &[Value<'a>]) -> Vec<Value<'a>> {
    let mut merged: Vec<Value<'a>> = Vec::with_capacity(all.len());
    for (index, toleration) in all.iter().enumerate() {
        let before = merged.iter().any(|other| is_superset(other, toleration));
        // Of equal ones the first is kept.
        let behind = all[index + 1..]
            .iter()
            .any(|other| !same(other, toleration) && is_superset(other, toleration));
        if !before && !behind {
            merged.push(toleration.clone());
        }
    }
    merged
}

fn same(one: &Value<'_>, other: &Value<'_>) -> bool {
    let seconds = |value: &Value<'_>| value.get("tolerationSeconds").and_then(Value::as_int);
    ["key", "operator", "value", "effect"]
        .iter()
        .all(|key| one.text_at(&[key]) == other.text_at(&[key]))
        && seconds(one) == seconds(other)
}

/// Whether `one` tolerates all that `other` does (`isSuperset`).
fn is_superset(one: &Value<'_>, other: &Value<'_>) -> bool {
    if same(one, other) {
        return true;
    }
    let equal = |key: &str| one.text_at(&[key]) == other.text_at(&[key]);
    let (operator, effect) = (one.text_at(&["operator"]), one.text_at(&["effect"]));
    // Without a key, `Exists` is all keys; without an effect, all effects are meant.
    let covers_key = equal("key") || (one.text_at(&["key"]).is_empty() && operator == "Exists");
    let covers_effect = equal("effect") || effect.is_empty();
    if !covers_key || !covers_effect {
        return false;
    }
    let seconds = |value: &Value<'_>| value.get("tolerationSeconds").and_then(Value::as_int);
    if effect == "NoExecute"
        && let Some(own) = seconds(one)
        && seconds(other).is_none_or(|others| others > own)
    {
        return false;
    }
    match operator {
        "Exists" => true,
        "" | "Equal" => other.text_at(&["operator"]) == "Equal" && equal("value"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode_untyped;
    use crate::encode::encode_untyped;
    use rstest::rstest;

    #[rstest]
    #[case(
        r#"[{"key":"a","operator":"Exists"},{"key":"a","operator":"Exists"}]"#,
        r#"[{"key":"a","operator":"Exists"}]"#
    )]
    #[case(
        r#"[{"key":"a","operator":"Equal","value":"1","effect":"NoExecute"},{"operator":"Exists"}]"#,
        r#"[{"operator":"Exists"}]"#
    )]
    #[case(
        r#"[{"key":"a","operator":"Exists","effect":"NoExecute","tolerationSeconds":5},{"key":"a","operator":"Exists","effect":"NoExecute"}]"#,
        r#"[{"key":"a","operator":"Exists","effect":"NoExecute"}]"#
    )]
    #[case(
        r#"[{"key":"a","operator":"Equal","value":"1"},{"key":"a","operator":"Equal","value":"2"}]"#,
        r#"[{"key":"a","operator":"Equal","value":"1"},{"key":"a","operator":"Equal","value":"2"}]"#
    )]
    fn merges(#[case] all: &str, #[case] merged: &str) {
        let all = decode_untyped(all.as_bytes()).unwrap();
        let merged_now = merge_tolerations(all.list_at(&[]));
        assert_eq!(encode_untyped(&Value::List(merged_now)), merged);
    }
}

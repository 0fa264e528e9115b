//! `RuntimeClass`: a pod's class exists, and brings its overhead, its nodes and its tolerations.
//!
//! Upstream: `plugin/pkg/admission/runtimeclass/admission.go`; the merge of tolerations is
//! `MergeTolerations` in `pkg/util/tolerations/tolerations.go`.

use std::sync::Arc;

use crate::chain::Attributes;
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
    let tolerations = scheduling.list_at(&["tolerations"]);
    if !tolerations.is_empty() {
        let list = spec.list_mut("tolerations");
        for toleration in tolerations {
            if !list.iter().any(|given| is_superset(given, toleration)) {
                // What the new one covers needs not be said any more.
                list.retain(|given| !is_superset(toleration, given));
                list.push(toleration.clone());
            }
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
    match attributes.world.get("runtimeclasses", "", name) {
        Some(class) => Ok(Some(class)),
        None => {
            let why = format!(
                "pod rejected: RuntimeClass {} not found",
                crate::quote::quote(name)
            );
            Err(attributes.forbidden(pod, &why))
        }
    }
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

/// Whether `one` tolerates all that `other` does.
fn is_superset(one: &Value<'_>, other: &Value<'_>) -> bool {
    let text = |value: &Value<'_>, key: &str| value.text_at(&[key]).to_owned();
    let same = |key: &str| text(one, key) == text(other, key);
    let seconds = |value: &Value<'_>| value.get("tolerationSeconds").and_then(Value::as_int);
    if one == other {
        return true;
    }
    let covers_key =
        same("key") || (text(one, "key").is_empty() && text(one, "operator") == "Exists");
    let covers_effect = same("effect") || text(one, "effect").is_empty();
    if !covers_key || !covers_effect {
        return false;
    }
    if text(one, "effect") == "NoExecute" && seconds(one).is_some() {
        let enough = seconds(other).is_some_and(|other| seconds(one) >= Some(other));
        if !enough {
            return false;
        }
    }
    match text(one, "operator").as_str() {
        "Exists" => true,
        _ => {
            let equal = matches!(text(other, "operator").as_str(), "" | "Equal");
            equal && same("value")
        }
    }
}

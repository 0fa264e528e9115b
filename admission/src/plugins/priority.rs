//! `Priority`: the number and the preemption policy of a pod come from its class.
//!
//! Upstream: `plugin/pkg/admission/priority/admission.go`; the two system classes are those of
//! `pkg/apis/scheduling/v1/helpers.go`, which every server makes for itself.

use crate::chain::Attributes;
use crate::request::Operation;
use crate::status::Status;
use crate::value::Value;

const SYSTEM: [(&str, i64); 2] = [
    ("system-node-critical", 2_000_001_000),
    ("system-cluster-critical", 2_000_000_000),
];

const PREEMPT: &str = "PreemptLowerPriority";

pub(crate) fn admit(attributes: &mut Attributes<'_>, pod: &mut Value<'_>) -> Result<(), Status> {
    if !attributes.is_pod() {
        return Ok(());
    }
    match attributes.operation {
        Operation::Create => create(attributes, pod),
        Operation::Update => {
            keep(attributes, pod);
            Ok(())
        }
        Operation::Delete => Ok(()),
    }
}

/// An update that leaves them out keeps them.
fn keep(attributes: &Attributes<'_>, pod: &mut Value<'_>) {
    let (Some(old), Some(spec)) = (
        attributes.old,
        pod.get_mut("spec").and_then(Value::as_object_mut),
    ) else {
        return;
    };
    for key in ["priority", "preemptionPolicy"] {
        if let (None, Some(value)) = (spec.get(key), old.at(&["spec", key])) {
            spec.insert(key, value.clone());
        }
    }
}

struct Class {
    name: String,
    value: i64,
    preemption: Option<String>,
}

fn create(attributes: &mut Attributes<'_>, pod: &mut Value<'_>) -> Result<(), Status> {
    let named = pod.text_at(&["spec", "priorityClassName"]);
    let class = if named.is_empty() {
        default_class(attributes)
    } else if let Some(class) = class(attributes, named) {
        class
    } else {
        let why = format!("no PriorityClass with name {named} was found");
        return Err(attributes.forbidden(pod, &why));
    };
    let given = pod.at(&["spec", "priority"]).and_then(Value::as_int);
    if let Some(given) = given
        && given != class.value
    {
        let why = format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller computed {} from the given PriorityClass name",
            class.value
        );
        return Err(attributes.forbidden(pod, &why));
    }
    let policy = pod
        .at(&["spec", "preemptionPolicy"])
        .and_then(Value::as_str);
    if let (Some(given), Some(policy)) = (policy, &class.preemption)
        && given != policy
    {
        let why = format!(
            "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission controller computed {policy} from the given PriorityClass name"
        );
        return Err(attributes.forbidden(pod, &why));
    }
    let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) else {
        return Ok(());
    };
    if !class.name.is_empty() {
        spec.insert("priorityClassName", class.name);
    }
    spec.insert("priority", class.value);
    if let Some(policy) = class.preemption {
        spec.insert("preemptionPolicy", policy);
    }
    Ok(())
}

fn class(attributes: &Attributes<'_>, name: &str) -> Option<Class> {
    if let Some(found) = attributes.world.get("priorityclasses", "", name) {
        return Some(read(&found));
    }
    let (name, value) = SYSTEM.into_iter().find(|(system, _)| *system == name)?;
    Some(Class {
        name: name.to_owned(),
        value,
        preemption: Some(PREEMPT.to_owned()),
    })
}

/// The class that is marked as default, of several the lowest; zero where there is none.
fn default_class(attributes: &Attributes<'_>) -> Class {
    let classes = attributes.world.list("priorityclasses", "");
    let default = classes
        .iter()
        .filter(|c| c.get("globalDefault").and_then(Value::as_bool) == Some(true))
        .map(|c| read(c))
        .min_by_key(|class| class.value);
    default.unwrap_or(Class {
        name: String::new(),
        value: 0,
        preemption: Some(PREEMPT.to_owned()),
    })
}

fn read(class: &Value<'_>) -> Class {
    let policy = class.get("preemptionPolicy").and_then(Value::as_str);
    Class {
        name: class.text_at(&["metadata", "name"]).to_owned(),
        value: class.get("value").and_then(Value::as_int).unwrap_or(0),
        preemption: policy.map(str::to_owned),
    }
}

/// Only one class can be the default.
pub(crate) fn validate(attributes: &mut Attributes<'_>, class: &Value<'_>) -> Result<(), Status> {
    if !attributes.is("scheduling.k8s.io", "priorityclasses")
        || attributes.operation == Operation::Delete
        || class.get("globalDefault").and_then(Value::as_bool) != Some(true)
    {
        return Ok(());
    }
    let default = default_class(attributes).name;
    let another = attributes.operation == Operation::Create
        || default != class.text_at(&["metadata", "name"]);
    if !default.is_empty() && another {
        let why = format!(
            "PriorityClass {default} is already marked as default. Only one default can exist"
        );
        return Err(attributes.forbidden(class, &why));
    }
    Ok(())
}

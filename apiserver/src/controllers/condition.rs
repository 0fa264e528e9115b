//! Conditions in a workload's status.
//!
//! Upstream: `SetDeploymentCondition` in `pkg/controller/deployment/util/deployment_util.go`, and
//! `SetCondition` in `pkg/controller/replicaset/replica_set_utils.go`.

use podgate_admission::value::{Object, Value};

/// Conditions in their order.
pub(super) type Conditions = Vec<Value<'static>>;

/// Those in the status of an object.
pub(super) fn of(object: &Value<'static>) -> Conditions {
    object.list_at(&["status", "conditions"]).to_vec()
}

/// The condition of that type.
pub(super) fn find<'c>(conditions: &'c Conditions, name: &str) -> Option<&'c Value<'static>> {
    conditions.iter().find(|c| c.text_at(&["type"]) == name)
}

/// Takes the condition of that type out.
pub(super) fn remove(conditions: &mut Conditions, name: &str) {
    conditions.retain(|c| c.text_at(&["type"]) != name);
}

/// A condition; `updated` where the kind says when it was last updated too.
pub(super) fn new(
    name: &'static str,
    status: &'static str,
    reason: &'static str,
    message: String,
    now: &str,
    updated: bool,
) -> Object<'static> {
    let mut condition = Object::from_iter([("type", name), ("status", status)]);
    if updated {
        condition.insert("lastUpdateTime", now.to_owned());
    }
    condition.insert("lastTransitionTime", now.to_owned());
    condition.insert("reason", reason);
    condition.insert("message", message);
    condition
}

/// Adds a condition, unless there is one of the same status and reason; one of the same status keeps
/// the time of its transition.
pub(super) fn set(conditions: &mut Conditions, mut condition: Object<'static>) {
    let text = |key| {
        let text = condition.get(key).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let (name, status, reason) = (text("type"), text("status"), text("reason"));
    if let Some(old) = find(conditions, &name)
        && old.text_at(&["status"]) == status
    {
        if old.text_at(&["reason"]) == reason {
            return;
        }
        let time = old.text_at(&["lastTransitionTime"]).to_owned();
        condition.insert("lastTransitionTime", time);
    }
    remove(conditions, &name);
    conditions.push(condition.into());
}

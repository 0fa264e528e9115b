//! Cluster roles that are gathered from others: `admin` from whatever is labelled for it.
//!
//! Upstream: `k8s.io/kubernetes/pkg/controller/clusterroleaggregation`.

use podgate_admission::request::World;
use podgate_admission::value::Value;

use crate::state::State;

/// Gathers the rules of all such roles again, until nothing changes: `view` goes into `edit`, and
/// that into `admin`.
pub(crate) fn settle(state: &mut State) {
    while gather(state) {}
}

/// Goes over the roles once; whether one has changed.
fn gather(state: &mut State) -> bool {
    let roles = state.store.list("clusterroles", "");
    let mut sorted: Vec<_> = roles.iter().collect();
    sorted.sort_by_key(|role| role.text_at(&["metadata", "name"]));
    let mut changed = false;
    for role in &roles {
        let selectors = role.list_at(&["aggregationRule", "clusterRoleSelectors"]);
        if selectors.is_empty() {
            continue;
        }
        let name = role.text_at(&["metadata", "name"]);
        let mut gathered: Vec<Value<'static>> = Vec::new();
        for selector in selectors {
            let chosen = sorted.iter().filter(|other| {
                other.text_at(&["metadata", "name"]) != name && selects(selector, other)
            });
            for rule in chosen.flat_map(|other| other.list_at(&["rules"])) {
                if !gathered.contains(rule) {
                    gathered.push(rule.clone());
                }
            }
        }
        if role.list_at(&["rules"]) != gathered {
            let mut new = Value::clone(role);
            if let Some(new) = new.as_object_mut() {
                new.insert("rules", gathered);
            }
            state.put("clusterroles", "", name, new);
            changed = true;
        }
    }
    changed
}

/// Whether a `LabelSelector` selects the object (`LabelSelectorAsSelector`).
pub(super) fn selects(selector: &Value<'_>, object: &Value<'_>) -> bool {
    let label = |key: &str| {
        object
            .at(&["metadata", "labels", key])
            .and_then(Value::as_str)
    };
    let wanted = selector.get("matchLabels").and_then(Value::as_object);
    wanted.is_none_or(|wanted| {
        wanted
            .iter()
            .all(|(key, value)| label(key) == value.as_str())
    }) && selector.list_at(&["matchExpressions"]).iter().all(|term| {
        let value = label(term.text_at(&["key"]));
        let listed = value.is_some_and(|value| {
            let mut values = term.list_at(&["values"]).iter();
            values.any(|v| v.as_str() == Some(value))
        });
        match term.text_at(&["operator"]) {
            "In" => listed,
            "NotIn" => !listed,
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    })
}

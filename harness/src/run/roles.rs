//! Cluster roles that are put together from others (`edit`, `admin` and their like), where no
//! controller does it: until then they allow nothing.
//!
//! Upstream: `pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go`.

use http::Method;
use serde_json::{Value, json};

use super::Target;
use crate::error::Error;
use crate::exchange::{Answer, Call, Identity, exchange};

const PATH: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles";

/// Gives every such role its rules, on a real server without controllers.
pub(crate) async fn aggregate(target: Target<'_>) -> Result<(), Error> {
    if target.real.is_none_or(|real| real.controllers) {
        return Ok(());
    }
    // `admin` takes from `edit`, which takes from `view`: until nothing changes any more.
    loop {
        let list = call(target, Method::GET, PATH, None).await?.body;
        let none = Vec::new();
        let all = list["items"].as_array().unwrap_or(&none);
        let mut changed = false;
        for role in all {
            let Some(rules) = rules_of(role, all) else {
                continue;
            };
            if role["rules"].as_array().unwrap_or(&none) == &rules {
                continue;
            }
            let name = role["metadata"]["name"].as_str().unwrap_or_default();
            let body = json!({ "rules": rules });
            let answer = call(target, Method::PATCH, &format!("{PATH}/{name}"), Some(body)).await?;
            if !answer.succeeded() {
                return Err(Error::environment(format!(
                    "the cluster role `{name}` cannot be put together: {}",
                    answer.message()
                )));
            }
            changed = true;
        }
        if !changed {
            return Ok(());
        }
    }
}

/// The rules of those among `roles` that `role` asks for; `None` where it asks for none.
fn rules_of(role: &Value, all: &[Value]) -> Option<Vec<Value>> {
    let selectors = role["aggregationRule"]["clusterRoleSelectors"].as_array()?;
    let selected = |other: &&Value| {
        other["metadata"]["name"] != role["metadata"]["name"]
            && selectors.iter().any(|selector| {
                let wanted = selector["matchLabels"].as_object().into_iter().flatten();
                let labels = &other["metadata"]["labels"];
                let mut wanted = wanted.peekable();
                wanted.peek().is_some() && wanted.all(|(key, value)| labels[key] == *value)
            })
    };
    let mut united: Vec<Value> = Vec::new();
    let chosen = all.iter().filter(selected);
    for rule in chosen.filter_map(|r| r["rules"].as_array()).flatten() {
        if !united.contains(rule) {
            united.push(rule.clone());
        }
    }
    Some(united)
}

async fn call(
    target: Target<'_>,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Result<Answer, Error> {
    let body = body.map(|body| body.to_string());
    let body = body.as_deref().map(str::as_bytes);
    let call = Call {
        method,
        path: path.to_owned(),
        body: body.map(|body| ("application/merge-patch+json", body)),
        identity: &Identity::Admin,
    };
    exchange(target.client, call).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::rules_of;

    #[test]
    fn rules_are_those_of_the_roles_that_are_selected() {
        let role = |name: &str, label: &str, rules: serde_json::Value| json!({"metadata": {"name": name, "labels": {label: "true"}}, "rules": rules});
        let mut edit = role("edit", "to-edit", json!([]));
        edit["aggregationRule"] =
            json!({"clusterRoleSelectors": [{"matchLabels": {"to-edit": "true"}}]});
        let roles = [
            edit.clone(),
            role("a", "to-edit", json!([{"verbs": ["get"]}])),
            role(
                "b",
                "to-edit",
                json!([{"verbs": ["get"]}, {"verbs": ["list"]}]),
            ),
            role("c", "to-admin", json!([{"verbs": ["delete"]}])),
        ];
        let expected = vec![json!({"verbs": ["get"]}), json!({"verbs": ["list"]})];
        assert_eq!(rules_of(&edit, &roles), Some(expected));
        assert_eq!(rules_of(&roles[1], &roles), None);
    }
}

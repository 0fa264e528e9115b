//! Objects that the embedded server would store but cannot act on: webhooks, admission policies
//! written in CEL, limit ranges and quotas. What they match cannot be decided, and is never said to
//! be admitted.

use podgate_admission::resource::Resource;
use serde_json::Value;

use crate::suite::Manifest;

/// The rules of the foreign objects of a cell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Foreign {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    object: String,
    /// The namespace whose objects are matched; `None`: every namespace.
    namespace: Option<String>,
    /// Groups and resources, `*` for all.
    matches: Vec<(String, String)>,
}

/// Kinds that decide about other objects, with where their rules lie.
const WITH_RULES: [(&str, &[&str], &str); 4] = [
    ("ValidatingWebhookConfiguration", &["webhooks"], "rules"),
    ("MutatingWebhookConfiguration", &["webhooks"], "rules"),
    (
        "ValidatingAdmissionPolicy",
        &["spec", "matchConstraints"],
        "resourceRules",
    ),
    (
        "MutatingAdmissionPolicy",
        &["spec", "matchConstraints"],
        "resourceRules",
    ),
];

/// Whether objects of that kind decide about other objects.
pub(crate) fn decides(kind: &str) -> bool {
    WITH_RULES.iter().any(|(known, ..)| *known == kind)
        || matches!(kind, "LimitRange" | "ResourceQuota")
}

impl Foreign {
    /// Adds the rules of those among `manifests` that decide about other objects. An object of a
    /// namespace that names none lies in `namespace`, or in each where that is `None`.
    pub(crate) fn add<'a>(
        &mut self,
        manifests: impl IntoIterator<Item = &'a Manifest>,
        namespace: Option<&str>,
    ) {
        let rules = manifests
            .into_iter()
            .filter(|manifest| decides(manifest.kind()))
            .map(|manifest| {
                let object: Value = serde_json::from_str(&manifest.body).unwrap_or_default();
                let own = manifest.document.namespace().or(namespace);
                let (namespace, matches) = match manifest.kind() {
                    "LimitRange" => (own, vec![pair("", "pods")]),
                    "ResourceQuota" => (own, quota(&object)),
                    kind => (None, of_rules(kind, &object)),
                };
                Rule {
                    object: manifest.reference(),
                    namespace: namespace.map(str::to_owned),
                    matches,
                }
            });
        self.rules.extend(rules);
    }

    /// Why the verdict on an object of `resource` in `namespace` cannot be known, where it cannot.
    #[must_use]
    pub(crate) fn undecided(&self, resource: &Resource, namespace: &str) -> Option<String> {
        let rule = self.rules.iter().find(|rule| {
            rule.namespace.as_deref().is_none_or(|own| own == namespace)
                && rule.matches.iter().any(|(group, name)| {
                    (group == "*" || group == resource.group)
                        && (name == "*" || name == resource.name)
                })
        })?;
        Some(format!(
            "{} decides about {}, and podgate does not evaluate it",
            rule.object, resource.name
        ))
    }
}

/// What the rules of a webhook or of a policy match.
fn of_rules(kind: &str, object: &Value) -> Vec<(String, String)> {
    let Some((_, holders, key)) = WITH_RULES.iter().find(|(known, ..)| *known == kind) else {
        return Vec::new();
    };
    let holder = holders.iter().fold(object, |value, key| &value[*key]);
    let holders = match holder {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    };
    let rules = holders.iter().filter_map(|holder| holder[*key].as_array());
    let mut matches = Vec::new();
    for rule in rules.flatten() {
        let texts = |key: &str| {
            let items = rule[key].as_array().into_iter().flatten();
            items.filter_map(Value::as_str)
        };
        for group in texts("apiGroups") {
            // `pods/exec` is a rule for a subresource.
            matches
                .extend(texts("resources").map(|r| pair(group, r.split('/').next().unwrap_or(r))));
        }
    }
    matches
}

/// What a quota counts: `count/deployments.apps` counts objects, `pods`, `requests.cpu` and their
/// like count pods.
fn quota(object: &Value) -> Vec<(String, String)> {
    let hard = object["spec"]["hard"].as_object().into_iter().flatten();
    let matches = hard.map(|(key, _)| match key.strip_prefix("count/") {
        Some(counted) => {
            let (resource, group) = counted.split_once('.').unwrap_or((counted, ""));
            pair(group, resource)
        }
        None => pair("", "pods"),
    });
    matches.collect()
}

fn pair(group: &str, resource: &str) -> (String, String) {
    (group.to_owned(), resource.to_owned())
}

//! Objects that the embedded server would store but cannot act on: webhooks and admission policies
//! written in CEL. What they match cannot be decided, and is never said to be admitted.

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
    groups: Vec<String>,
    resources: Vec<String>,
}

/// Kinds that decide about other objects, with where their rules lie.
const KINDS: [(&str, &[&str], &str); 4] = [
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
    KINDS.iter().any(|(known, ..)| *known == kind)
}

impl Foreign {
    /// Collects the rules of those among `manifests` that decide about other objects.
    pub(crate) fn of<'a>(manifests: impl IntoIterator<Item = &'a Manifest>) -> Self {
        let mut rules = Vec::new();
        for manifest in manifests {
            let Some((_, holders, key)) = KINDS.iter().find(|(kind, ..)| *kind == manifest.kind())
            else {
                continue;
            };
            let object: Value = serde_json::from_str(&manifest.body).unwrap_or_default();
            let holder = holders.iter().fold(&object, |value, key| &value[*key]);
            let holders = match holder {
                Value::Array(items) => items.iter().collect(),
                other => vec![other],
            };
            for rule in holders
                .iter()
                .filter_map(|holder| holder[*key].as_array())
                .flatten()
            {
                let texts = |key: &str| -> Vec<String> {
                    let items = rule[key].as_array().into_iter().flatten();
                    items.filter_map(Value::as_str).map(str::to_owned).collect()
                };
                rules.push(Rule {
                    object: manifest.reference(),
                    groups: texts("apiGroups"),
                    resources: texts("resources"),
                });
            }
        }
        Self { rules }
    }

    /// Why the verdict on an object of `resource` cannot be known, where it cannot.
    #[must_use]
    pub(crate) fn undecided(&self, resource: &Resource) -> Option<String> {
        let rule = self.rules.iter().find(|rule| {
            let group = rule.groups.iter().any(|g| g == "*" || g == resource.group);
            let name = rule.resources.iter().any(|r| {
                let r = r.split('/').next().unwrap_or_default();
                r == "*" || r == resource.name
            });
            group && name
        })?;
        Some(format!(
            "{} decides about {}, and podgate does not evaluate it",
            rule.object, resource.name
        ))
    }
}

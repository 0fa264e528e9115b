//! Subjects of role bindings in cluster files: a service account without a namespace is that of the
//! scenario. On a server such a binding is invalid, so nothing else can be meant.

use serde_json::Value;

use crate::suite::Manifest;

/// Whether the binding names a service account of the scenario's namespace.
pub(crate) fn is_of_scenario(manifest: &Manifest) -> bool {
    matches!(manifest.kind(), "RoleBinding" | "ClusterRoleBinding")
        && parsed(manifest).is_some_and(|binding| open(&binding).next().is_some())
}

/// The body with the namespace filled in where a service account has none.
pub(crate) fn with_namespace(manifest: &Manifest, namespace: &str) -> String {
    if !is_of_scenario(manifest) {
        return manifest.body.clone();
    }
    let Some(mut binding) = parsed(manifest) else {
        return manifest.body.clone();
    };
    for subject in binding["subjects"].as_array_mut().into_iter().flatten() {
        if is_open(subject) {
            subject["namespace"] = namespace.into();
        }
    }
    binding.to_string()
}

fn parsed(manifest: &Manifest) -> Option<Value> {
    serde_json::from_str(&manifest.body).ok()
}

fn open(binding: &Value) -> impl Iterator<Item = &Value> {
    binding["subjects"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|subject| is_open(subject))
}

fn is_open(subject: &Value) -> bool {
    subject["kind"] == "ServiceAccount" && subject["namespace"].as_str().is_none_or(str::is_empty)
}

#[cfg(test)]
mod tests {
    use podgate_manifest::{Source, read_documents};
    use rstest::rstest;

    use super::*;

    fn manifest(text: &str) -> Manifest {
        let source = Source::new("binding.yaml", text);
        Manifest::new(
            read_documents(&source)
                .next()
                .expect("a document")
                .expect("well formed"),
        )
    }

    #[rstest]
    #[case("{kind: ServiceAccount, name: default}", Some("web"))]
    #[case("{kind: ServiceAccount, name: default, namespace: ci}", Some("ci"))]
    #[case("{kind: Group, name: devs}", None)]
    fn fills_in_the_namespace(#[case] subject: &str, #[case] namespace: Option<&str>) {
        let text = format!("kind: RoleBinding\nmetadata: {{name: b}}\nsubjects: [{subject}]\n");
        let body: Value =
            serde_json::from_str(&with_namespace(&manifest(&text), "web")).expect("JSON");
        assert_eq!(body["subjects"][0]["namespace"].as_str(), namespace);
    }

    #[test]
    fn other_kinds_stay() {
        let text = "kind: Pod\nmetadata: {name: b}\nsubjects: [{kind: ServiceAccount, name: x}]\n";
        assert!(!is_of_scenario(&manifest(text)));
    }
}

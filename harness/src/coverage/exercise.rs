//! Whether an object of a scenario sets a field that a check looks at.

use std::collections::BTreeMap;

use podgate_admission::resource::RESOURCES;
use podgate_policy::Check;
use serde_json::Value;

use crate::suite::{Action, Manifest, Scenario};

const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// The pods and templates of objects, as the files have them; read once.
#[derive(Default)]
pub(super) struct Objects {
    read: BTreeMap<(usize, String), Vec<Value>>,
}

impl Objects {
    /// Whether `object` of `scenario`, the one with that index, is what `check` is about: in its
    /// manifest or in a patch of it, one of the fields is set.
    pub(super) fn exercise(
        &mut self,
        scenario: &Scenario,
        index: usize,
        object: &str,
        check: &Check,
    ) -> bool {
        let pods = self
            .read
            .entry((index, object.to_owned()))
            .or_insert_with(|| pods(scenario, object));
        let fields = check.documentation.fields;
        pods.iter()
            .any(|pod| fields.iter().any(|field| sets(pod, field)))
    }
}

/// The pod, or the pod template, in what a scenario says of an object.
fn pods(scenario: &Scenario, object: &str) -> Vec<Value> {
    let kind = object.split('/').next().unwrap_or_default();
    let same = |manifest: &&Manifest| manifest.reference() == object;
    let manifests = scenario.manifests.iter().filter(same);
    let patches = scenario.steps.iter().filter_map(|step| match &step.action {
        Action::Patch(patch) if patch.object == object => Some(patch.body.clone()),
        _ => None,
    });
    let template = RESOURCES
        .iter()
        .find(|resource| resource.kind == kind)
        .and_then(|resource| resource.template)
        .unwrap_or_default();
    manifests
        .filter_map(|manifest| serde_json::from_str(&manifest.body).ok())
        .chain(patches)
        .filter_map(|body: Value| {
            let pod = template.iter().try_fold(&body, |value, key| value.get(key));
            pod.cloned()
        })
        .collect()
}

/// Whether `pod` sets a field that the documentation of a check names. In a list that is not one of
/// containers an item is enough: that a volume is no host path is the item's own saying.
fn sets(pod: &Value, field: &str) -> bool {
    // A remark may stand behind the path: `... (before v1.19)`.
    let path = field.split(' ').next().unwrap_or_default();
    if let Some(key) = path.strip_prefix("metadata.annotations[") {
        let key = key.trim_end_matches(']');
        let annotations = pod["metadata"]["annotations"].as_object();
        return annotations.is_some_and(|annotations| match key.strip_suffix('*') {
            Some(prefix) => annotations.keys().any(|key| key.starts_with(prefix)),
            None => annotations.contains_key(key),
        });
    }
    match path.strip_prefix("spec.containers[*].") {
        Some(rest) => CONTAINERS.iter().any(|list| {
            let containers = pod["spec"][list].as_array().into_iter().flatten();
            containers
                .into_iter()
                .any(|container| sets_in(container, rest))
        }),
        None => sets_in(pod, path),
    }
}

fn sets_in(value: &Value, path: &str) -> bool {
    let (key, rest) = path.split_once('.').unwrap_or((path, ""));
    if let Some(list) = key.strip_suffix("[*]") {
        return !CONTAINERS.contains(&list)
            && value[list]
                .as_array()
                .is_some_and(|items| !items.is_empty());
    }
    match value.get(key) {
        None | Some(Value::Null) => false,
        Some(_) if rest.is_empty() => true,
        Some(value) => sets_in(value, rest),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("spec.hostPID", true)]
    #[case("spec.hostIPC", false)]
    #[case("spec.containers[*].securityContext.privileged", true)]
    #[case("spec.containers[*].securityContext.procMount", false)]
    #[case("spec.containers[*].ports[*].hostPort", true)]
    #[case("spec.volumes[*].hostPath", true)]
    #[case("spec.securityContext.sysctls[*].name", false)]
    #[case("metadata.annotations[a/b] (before v1.19)", true)]
    #[case("metadata.annotations[a/*]", true)]
    #[case("metadata.annotations[c/*]", false)]
    #[case("the same of spec.initContainers[*]", false)]
    fn finds(#[case] field: &str, #[case] expected: bool) {
        let pod = json!({
            "metadata": {"annotations": {"a/b": ""}},
            "spec": {
                "hostPID": false,
                "hostIPC": null,
                "volumes": [{"name": "v", "emptyDir": {}}],
                "containers": [{"name": "c", "ports": [{"containerPort": 80}]}],
                "ephemeralContainers": [{"name": "e", "securityContext": {"privileged": false}}],
            },
        });
        assert_eq!(sets(&pod, field), expected);
    }
}

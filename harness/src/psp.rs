//! The `PodSecurityPolicy` that a new pod was admitted by, and what it changed: read off what was
//! sent and what the server answered, so that every backend tells it alike.
//!
//! The plugin writes the policy's name into an annotation of the pod, and a policy fills in a fixed
//! set of fields (upstream: `plugin/pkg/admission/security/podsecuritypolicy/admission.go`, and
//! `MutatePod` and `MutateContainer` in `pkg/security/podsecuritypolicy/provider.go`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The annotation that names the policy of a pod.
pub const ANNOTATION: &str = "kubernetes.io/psp";

/// The annotation with a pod's seccomp profile.
pub(crate) const SECCOMP: &str = "seccomp.security.alpha.kubernetes.io/pod";
/// The prefix of the annotations with the `AppArmor` profile of a container.
pub(crate) const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// The fields of a pod's `securityContext` that a policy fills in.
const OF_POD: [&str; 3] = ["supplementalGroups", "fsGroup", "seLinuxOptions"];
/// The fields of a container's `securityContext` that a policy fills in, but for its capabilities.
const OF_CONTAINER: [&str; 6] = [
    "runAsUser",
    "runAsGroup",
    "runAsNonRoot",
    "seLinuxOptions",
    "readOnlyRootFilesystem",
    "allowPrivilegeEscalation",
];

/// The policy that a new pod was admitted by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppliedPolicy {
    /// Its name.
    pub policy: String,
    /// Whether the pod got it only because the requester is in `system:masters`: a controller that
    /// creates the same pod gets another policy or none.
    #[serde(default, skip_serializing_if = "is_false")]
    pub only_by_masters: bool,
    /// What it changed, in the order of the pod's fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<FieldChange>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a reference in"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// A field of a pod that a policy gave a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Its path: `spec.containers[0].securityContext.runAsUser`.
    pub field: String,
    /// What was sent; `None` where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What the pod has.
    pub after: Value,
}

impl AppliedPolicy {
    /// The policy of `stored`, a pod that a server with the plugin made of `sent`; `None` where it
    /// names none.
    #[must_use]
    pub fn of(sent: &Value, stored: &Value) -> Option<Self> {
        let policy = stored["metadata"]["annotations"][ANNOTATION].as_str()?;
        Some(Self {
            policy: policy.to_owned(),
            only_by_masters: false,
            changes: changes(sent, stored),
        })
    }
}

/// The fields of `stored` that a policy may fill in and that are not as they are in `sent`.
fn changes(sent: &Value, stored: &Value) -> Vec<FieldChange> {
    let mut changes = Changes(Vec::new());
    let (old, new) = (
        &sent["metadata"]["annotations"],
        &stored["metadata"]["annotations"],
    );
    for (key, after) in new.as_object().into_iter().flatten() {
        if key == SECCOMP || key.starts_with(APP_ARMOR) {
            changes.add(
                || format!("metadata.annotations[{key}]"),
                old.get(key),
                Some(after),
            );
        }
    }
    let (sent_spec, spec) = (&sent["spec"], &stored["spec"]);
    let (before, after) = (&sent_spec["securityContext"], &spec["securityContext"]);
    for name in OF_POD {
        changes.add(
            || format!("spec.securityContext.{name}"),
            before.get(name),
            after.get(name),
        );
    }
    // The server makes a field of the annotation. Where that was sent, it is not the policy's doing.
    if old.get(SECCOMP).is_none() {
        changes.add(
            || "spec.securityContext.seccompProfile".to_owned(),
            before.get("seccompProfile"),
            after.get("seccompProfile"),
        );
    }
    changes.add(
        || "spec.runtimeClassName".to_owned(),
        sent_spec.get("runtimeClassName"),
        spec.get("runtimeClassName"),
    );
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        let containers = spec[list].as_array().into_iter().flatten();
        for (at, container) in containers.enumerate() {
            let before = &sent_spec[list][at]["securityContext"];
            let after = &container["securityContext"];
            let path = |name: &str| format!("spec.{list}[{at}].securityContext.{name}");
            for name in OF_CONTAINER {
                changes.add(|| path(name), before.get(name), after.get(name));
            }
            for name in ["add", "drop"] {
                changes.add(
                    || path(&format!("capabilities.{name}")),
                    before["capabilities"].get(name),
                    after["capabilities"].get(name),
                );
            }
        }
    }
    changes.0
}

struct Changes(Vec<FieldChange>);

impl Changes {
    fn add(
        &mut self,
        field: impl FnOnce() -> String,
        before: Option<&Value>,
        after: Option<&Value>,
    ) {
        let Some(after) = after.filter(|after| before != Some(after)) else {
            return;
        };
        self.0.push(FieldChange {
            field: field(),
            before: before.filter(|before| !before.is_null()).cloned(),
            after: after.clone(),
        });
    }
}

impl fmt::Display for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.field)?;
        if let Some(before) = &self.before {
            write!(f, "{before} -> ")?;
        }
        write!(f, "{}", self.after)
    }
}

/// A text that is no change of a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `FIELD: VALUE` or `FIELD: VALUE -> VALUE`, the values in JSON")]
pub struct NoChange;

impl FromStr for FieldChange {
    type Err = NoChange;

    fn from_str(text: &str) -> Result<Self, NoChange> {
        let (field, values) = text.split_once(": ").ok_or(NoChange)?;
        let mut stream = serde_json::Deserializer::from_str(values).into_iter::<Value>();
        let first = stream.next().and_then(Result::ok).ok_or(NoChange)?;
        let rest = &values[stream.byte_offset()..];
        let (before, after) = if rest.is_empty() {
            (None, first)
        } else {
            let second = rest.strip_prefix(" -> ").ok_or(NoChange)?;
            (
                Some(first),
                serde_json::from_str(second).map_err(|_| NoChange)?,
            )
        };
        Ok(Self {
            field: field.to_owned(),
            before,
            after,
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn told(sent: &Value, stored: &Value) -> Vec<String> {
        let policy = AppliedPolicy::of(sent, stored).expect("the annotation is there");
        policy.changes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_pod_without_the_annotation_has_no_policy() {
        let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": []}});
        assert_eq!(AppliedPolicy::of(&pod, &pod), None);
    }

    #[test]
    fn what_was_sent_is_no_change() {
        let sent = json!({"metadata": {}, "spec": {
            "securityContext": {"fsGroup": 7},
            "containers": [{"name": "c", "securityContext": {"runAsUser": 7}}],
        }});
        let mut stored = sent.clone();
        stored["metadata"]["annotations"] = json!({ANNOTATION: "a"});
        stored["spec"]["containers"][0]["imagePullPolicy"] = "Always".into();
        stored["spec"]["containers"][0]["securityContext"]["procMount"] = "Default".into();
        assert_eq!(told(&sent, &stored), [""; 0]);
    }

    #[test]
    fn what_a_policy_fills_in() {
        let sent = json!({"metadata": {"annotations": {"a": "b"}}, "spec": {
            "initContainers": [{"name": "i"}],
            "containers": [{"name": "c", "securityContext": {"capabilities": {"drop": ["CHOWN"]}}}],
        }});
        let stored = json!({
            "metadata": {"annotations": {
                "a": "b", ANNOTATION: "p", SECCOMP: "runtime/default",
                "container.apparmor.security.beta.kubernetes.io/c": "runtime/default",
            }},
            "spec": {
                "runtimeClassName": "gvisor",
                "securityContext": {
                    "fsGroup": 1, "supplementalGroups": [1], "seLinuxOptions": {"level": "s0"},
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "initContainers": [{"name": "i", "securityContext": {"runAsNonRoot": true}}],
                "containers": [{"name": "c", "securityContext": {
                    "runAsUser": 1, "runAsGroup": 2, "readOnlyRootFilesystem": true,
                    "allowPrivilegeEscalation": false,
                    "capabilities": {"add": ["KILL"], "drop": ["ALL", "CHOWN"]},
                }}],
            },
        });
        let expected = [
            r#"metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: "runtime/default""#,
            r#"metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: "runtime/default""#,
            "spec.securityContext.supplementalGroups: [1]",
            "spec.securityContext.fsGroup: 1",
            r#"spec.securityContext.seLinuxOptions: {"level":"s0"}"#,
            r#"spec.securityContext.seccompProfile: {"type":"RuntimeDefault"}"#,
            r#"spec.runtimeClassName: "gvisor""#,
            "spec.initContainers[0].securityContext.runAsNonRoot: true",
            "spec.containers[0].securityContext.runAsUser: 1",
            "spec.containers[0].securityContext.runAsGroup: 2",
            "spec.containers[0].securityContext.readOnlyRootFilesystem: true",
            "spec.containers[0].securityContext.allowPrivilegeEscalation: false",
            r#"spec.containers[0].securityContext.capabilities.add: ["KILL"]"#,
            r#"spec.containers[0].securityContext.capabilities.drop: ["CHOWN"] -> ["ALL","CHOWN"]"#,
        ];
        assert_eq!(told(&sent, &stored), expected);
    }

    /// The policy writes the annotation for the field, the server the field for the annotation.
    #[test]
    fn seccomp_is_told_where_it_was_not_sent() {
        let field = json!({"type": "RuntimeDefault"});
        let stored = json!({
            "metadata": {"annotations": {ANNOTATION: "p", SECCOMP: "runtime/default"}},
            "spec": {"securityContext": {"seccompProfile": field}},
        });
        let by_field = json!({"spec": {"securityContext": {"seccompProfile": field}}});
        assert_eq!(
            told(&by_field, &stored),
            [
                r#"metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: "runtime/default""#
            ]
        );
        let by_annotation = json!({"metadata": {"annotations": {SECCOMP: "runtime/default"}}});
        assert_eq!(told(&by_annotation, &stored), [""; 0]);
    }

    #[rstest]
    #[case("spec.a: 1")]
    #[case(r#"spec.a[0].b: ["x -> y"] -> {"c":": "}"#)]
    fn changes_read_back(#[case] text: &str) {
        let change: FieldChange = text.parse().expect("it is a change");
        assert_eq!(change.to_string(), text);
    }

    #[rstest]
    #[case("spec.a")]
    #[case("spec.a: x")]
    #[case("spec.a: 1 2")]
    #[case("spec.a: 1 -> ")]
    fn other_texts_are_none(#[case] text: &str) {
        assert_eq!(text.parse::<FieldChange>(), Err(NoChange));
    }
}

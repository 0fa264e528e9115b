//! What a `PodSecurityPolicy` fills in on one server and nobody does on the other, as fields of the
//! manifest.
//!
//! Upstream: `MutatePod` and `MutateContainer` in `pkg/security/podsecuritypolicy/provider.go` fill in;
//! `applyAppArmorVersionSkew` in `pkg/registry/core/pod/strategy.go` reads the annotations of `AppArmor`
//! as the fields that replaced them.

use podgate_admission::versions::APP_ARMOR_TO_FIELD;
use podgate_manifest::{FieldPath, Segment};
use serde::Serialize;
use serde_json::{Value, json};

use super::super::context::Context;
use super::super::finding::{AnswerLine, Finding};
use super::{answers, decisive};
use crate::psp::{APP_ARMOR, FieldChange, SECCOMP};
use crate::suite::Manifest;

/// A field that a policy fills into a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Filled {
    /// Its path in the manifest: `spec.template.spec.containers[0].securityContext.runAsUser`.
    pub field: String,
    /// Its path in the pod.
    #[serde(skip)]
    pub in_pod: String,
    /// What the manifest has there; `None` where it has nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What the policy makes of it.
    pub value: Value,
    /// The checks of Pod Security that refuse the pod without it.
    pub checks: Vec<String>,
}

/// What only `from` fills in, and what only `to` does.
pub(super) fn between(
    from: &Finding,
    to: &Finding,
    manifest: &Manifest,
    server: &Context,
) -> (Vec<Filled>, Vec<Filled>) {
    let (before, after) = (changes(from), changes(to));
    if before.is_empty() && after.is_empty() {
        return Default::default();
    }
    // Of a pod that such a server refuses nobody knows what it would have filled in.
    let refused = answers(to).any(|answer| answer.trial.is_some() && answer.admitted != Some(true));
    let only = |of: &[FieldChange], other: &[FieldChange]| {
        let change = |change: &FieldChange| {
            let same = |it: &FieldChange| it.field == change.field && it.after == change.after;
            let known = other.iter().any(same);
            (!known).then(|| filled(change, manifest, server)).flatten()
        };
        of.iter().filter_map(change).collect::<Vec<_>>()
    };
    let lost = if refused {
        Vec::new()
    } else {
        only(before, after)
    };
    let gained = if from.ok {
        only(after, before)
    } else {
        Vec::new()
    };
    (lost, gained)
}

fn changes(finding: &Finding) -> &[FieldChange] {
    let applied = answers(finding).find_map(|answer: &AnswerLine| answer.psp.as_ref());
    applied.map_or(&[], |applied| &applied.changes)
}

/// The change as one of the manifest, in the fields that `server` has.
fn filled(change: &FieldChange, manifest: &Manifest, server: &Context) -> Option<Filled> {
    let mut path = FieldPath::parse(&change.field).0;
    let mut value = change.after.clone();
    if let [.., Segment::Key(key)] = path.as_slice() {
        if key == SECCOMP {
            // The field that replaced it is filled in as well, in every minor with policies.
            return None;
        }
        if let Some(container) = key.strip_prefix(APP_ARMOR)
            && APP_ARMOR_TO_FIELD.contain(server.minor)
            && let Some((field, profile)) = app_armor(manifest, server, container, &value)
        {
            (path, value) = (field, profile);
        }
    }
    let in_pod = FieldPath(path.clone()).to_string();
    let mut whole = template(manifest, server);
    whole.extend(path);
    Some(Filled {
        field: FieldPath(whole).to_string(),
        in_pod,
        before: change.before.clone(),
        value,
        checks: Vec::new(),
    })
}

/// Where the pod's template lies.
fn template(manifest: &Manifest, server: &Context) -> Vec<Segment> {
    let resource = manifest.resource(server.minor);
    let keys = resource.and_then(|it| it.template).unwrap_or_default();
    let keys = keys.iter().map(|key| Segment::from(*key));
    manifest.prefix().into_iter().chain(keys).collect()
}

/// The field of a container that replaced its annotation, with its value.
fn app_armor(
    manifest: &Manifest,
    server: &Context,
    container: &str,
    value: &Value,
) -> Option<(Vec<Segment>, Value)> {
    let profile = match value.as_str()? {
        "runtime/default" => json!({"type": "RuntimeDefault"}),
        "unconfined" => json!({"type": "Unconfined"}),
        local => {
            json!({"type": "Localhost", "localhostProfile": local.strip_prefix("localhost/")?})
        }
    };
    let body: Value = serde_json::from_str(&manifest.body).ok()?;
    let mut pod = &body;
    for segment in template(manifest, server) {
        let Segment::Key(key) = segment else {
            return None;
        };
        pod = &pod[&key];
    }
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    lists.into_iter().find_map(|list| {
        let containers = pod["spec"][list].as_array()?;
        let at = containers.iter().position(|it| it["name"] == container)?;
        let path = vec![
            "spec".into(),
            list.into(),
            at.into(),
            "securityContext".into(),
            "appArmorProfile".into(),
        ];
        Some((path, profile.clone()))
    })
}

/// Puts the fields into the manifest and asks again: once with all of them, whose verdict is
/// returned, and once without each, which tells the checks that this one answers.
pub(super) fn answer(
    fields: &mut [Filled],
    without: &Finding,
    manifest: &Manifest,
    ask: &dyn Fn(&Manifest) -> Finding,
) -> Finding {
    let body: Value = serde_json::from_str(&manifest.body).unwrap_or_default();
    let asked = |fields: &mut dyn Iterator<Item = &Filled>| {
        let mut object = body.clone();
        for filled in fields {
            set(
                &mut object,
                &FieldPath::parse(&filled.field).0,
                &filled.value,
            );
        }
        ask(&Manifest {
            body: object.to_string(),
            ..manifest.clone()
        })
    };
    let with_all = asked(&mut fields.iter());
    let answered: Vec<&String> = decisive(without)
        .checks
        .iter()
        .filter(|id| !decisive(&with_all).checks.contains(id))
        .collect();
    if answered.is_empty() {
        return with_all;
    }
    for at in 0..fields.len() {
        let others = fields.iter().enumerate().filter(|(other, _)| *other != at);
        let without = asked(&mut others.map(|(_, filled)| filled));
        let checks = decisive(&without).checks.iter();
        let needed = checks.filter(|id| answered.contains(id)).cloned();
        fields[at].checks = needed.collect();
    }
    with_all
}

/// Sets a field, and makes the objects on the way to it.
fn set(object: &mut Value, path: &[Segment], value: &Value) {
    match path {
        [] => *object = value.clone(),
        [Segment::Key(key), rest @ ..] => {
            if object.is_null() {
                *object = json!({});
            }
            if let Value::Object(fields) = object {
                set(fields.entry(key).or_insert(Value::Null), rest, value);
            }
        }
        [Segment::Index(at), rest @ ..] => {
            if let Some(item) = object.get_mut(*at) {
                set(item, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"{"a":{"b":1}}"#, "a.c.d", json!(2), json!({"a": {"b": 1, "c": {"d": 2}}}))]
    #[case(r#"{"l":[{"n":"x"},{"n":"y"}]}"#, "l[1].s.drop", json!(["ALL"]), json!({"l": [{"n": "x"}, {"n": "y", "s": {"drop": ["ALL"]}}]}))]
    #[case(r#"{"m":null}"#, "m.annotations[a.b/c]", json!("v"), json!({"m": {"annotations": {"a.b/c": "v"}}}))]
    // There is no such container, and none is made up.
    #[case(r#"{"l":[]}"#, "l[0].s", json!(1), json!({"l": []}))]
    fn fields_are_set(
        #[case] body: &str,
        #[case] field: &str,
        #[case] value: Value,
        #[case] expected: Value,
    ) {
        let mut object: Value = serde_json::from_str(body).expect("it is JSON");
        set(&mut object, &FieldPath::parse(field).0, &value);
        assert_eq!(object, expected);
    }
}

//! `DefaultTolerationSeconds`: pods bear a node that is not ready or not reachable for five minutes.
//!
//! Upstream: `plugin/pkg/admission/defaulttolerationseconds/admission.go`.

use crate::chain::Attributes;
use crate::request::Operation;
use crate::status::Status;
use crate::value::{Object, Value};

const TAINTS: [&str; 2] = [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
];

const SECONDS: i64 = 300;

#[expect(clippy::unnecessary_wraps, reason = "a plugin can refuse")]
pub(crate) fn admit(attributes: &mut Attributes<'_>, pod: &mut Value<'_>) -> Result<(), Status> {
    if !attributes.is_pod() || attributes.operation == Operation::Delete {
        return Ok(());
    }
    let tolerated = |taint: &str| {
        pod.list_at(&["spec", "tolerations"]).iter().any(|t| {
            let (key, effect) = (t.text_at(&["key"]), t.text_at(&["effect"]));
            (key.is_empty() || key == taint) && (effect.is_empty() || effect == "NoExecute")
        })
    };
    let missing = TAINTS.map(|taint| (!tolerated(taint)).then_some(taint));
    let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) else {
        return Ok(());
    };
    for taint in missing.into_iter().flatten() {
        let mut toleration = Object::new();
        toleration.insert("key", taint);
        toleration.insert("operator", "Exists");
        toleration.insert("effect", "NoExecute");
        toleration.insert("tolerationSeconds", SECONDS);
        spec.list_mut("tolerations").push(toleration.into());
    }
    Ok(())
}

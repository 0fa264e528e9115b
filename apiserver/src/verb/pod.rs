//! POST to a pod: its eviction, and the node that it is bound to.
//!
//! Upstream: `EvictionREST` and `BindingREST` in `k8s.io/kubernetes/pkg/registry/core/pod/storage`. No
//! disruption budgets are served, so nothing stands in the way of an eviction.

use podgate_admission::chain::Server;
use podgate_admission::decode::decode_untyped;
use podgate_admission::quote::quote;
use podgate_admission::request::Source as _;
use podgate_admission::status::{Grouped, Status};
use podgate_admission::value::{Object, Value};

use super::delete::{options_of, remove};
use super::read::meta;
use crate::answer::Answer;
use crate::call::Call;
use crate::failure;
use crate::state::State;
use crate::store::Stored;

/// What both answer.
const SUCCESS: &str =
    r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","code":201}"#;

/// Evicts a pod: deletes it as the eviction says.
pub(crate) fn evict(server: &Server, state: &mut State, call: &Call<'_>) -> Answer {
    answer(evicted(server, state, call))
}

/// Binds a pod to a node.
pub(crate) fn bind(state: &mut State, call: &Call<'_>) -> Answer {
    answer(bound(state, call))
}

fn answer(done: Result<(), Status>) -> Answer {
    match done {
        Ok(()) => Answer::json(201, SUCCESS.to_owned()),
        Err(status) => status.into(),
    }
}

fn evicted(server: &Server, state: &mut State, call: &Call<'_>) -> Result<(), Status> {
    let sent = read(call)?;
    if meta(&sent, "name") != call.name {
        return Err(Status::bad_request(
            "name in URL does not match name in Eviction object",
        ));
    }
    let pod = find(state, call)?;
    let wanted = sent.get("deleteOptions").cloned().unwrap_or_default();
    let mut options = options_of(call, &wanted);
    if call.options.dry_run() {
        options = options.with_dry_run(vec!["All".to_owned()]);
    }
    options.validate("DeleteOptions", call.minor)?;
    remove(server, state, call, &options, &pod)?;
    Ok(())
}

fn bound(state: &mut State, call: &Call<'_>) -> Result<(), Status> {
    let sent = read(call)?;
    if meta(&sent, "name") != call.name {
        return Err(Status::bad_request(
            "name in URL does not match name in Binding object",
        ));
    }
    check_target(&sent)?;
    let pod = find(state, call)?;
    let name = call.name;
    let refused = |why: String| {
        let resource = Grouped {
            group: "",
            name: "pods/binding",
        };
        Err(Status::conflict(resource, name, &why))
    };
    if !meta(&pod, "deletionTimestamp").is_empty() {
        return refused(format!(
            "pod {name} is being deleted, cannot be assigned to a host"
        ));
    }
    let node = pod.text_at(&["spec", "nodeName"]);
    if !node.is_empty() {
        return refused(format!(
            "pod {name} is already assigned to node {}",
            quote(node)
        ));
    }
    if call.options.dry_run() {
        return Ok(());
    }
    let now = state.source.now();
    let mut object = Value::clone(&pod);
    if let Some(pod) = object.as_object_mut() {
        let node = sent.text_at(&["target", "name"]).to_owned();
        pod.object_mut("spec").insert("nodeName", node);
        let given = sent
            .at(&["metadata", "annotations"])
            .and_then(Value::as_object);
        if let Some(given) = given.filter(|given| !given.is_empty()) {
            let annotations = pod.object_mut("metadata").object_mut("annotations");
            for (key, value) in given.iter() {
                annotations.insert(key.to_owned(), value.clone().into_owned());
            }
        }
        let conditions = pod.object_mut("status").list_mut("conditions");
        conditions.retain(|condition| condition.text_at(&["type"]) != "PodScheduled");
        let mut scheduled = Object::from_iter([("type", "PodScheduled"), ("status", "True")]);
        scheduled.insert("lastTransitionTime", now);
        conditions.push(Value::from(scheduled));
    }
    state.put_owned("pods", call.namespace, name, object);
    state.settle(call.minor, call.resource, call.namespace, name);
    Ok(())
}

/// `ValidatePodBinding`, whose errors upstream wraps in nothing.
fn check_target(sent: &Value<'_>) -> Result<(), Status> {
    let kind = sent.text_at(&["target", "kind"]);
    let mut errors = Vec::new();
    if !matches!(kind, "" | "Node") {
        errors.push(format!(
            "target.kind: Unsupported value: {}: supported values: \"Node\", \"<empty>\"",
            quote(kind)
        ));
    }
    if sent.text_at(&["target", "name"]).is_empty() {
        errors.push("target.name: Required value".to_owned());
    }
    match &*errors {
        [] => Ok(()),
        [error] => Err(failure::unclassified(error.clone())),
        errors => Err(failure::unclassified(format!("[{}]", errors.join(", ")))),
    }
}

fn read<'a>(call: &Call<'a>) -> Result<Value<'a>, Status> {
    call.check_content_type()?;
    call.options.validate("CreateOptions", call.minor)?;
    decode_untyped(call.body).map_err(|error| Status::bad_request(error.message))
}

fn find(state: &State, call: &Call<'_>) -> Result<Stored, Status> {
    state
        .store
        .find("pods", call.namespace, call.name)
        .cloned()
        .ok_or_else(|| Status::not_found(failure::resource(call.resource), call.name))
}

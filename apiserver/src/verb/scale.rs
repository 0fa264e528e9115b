//! The subresource `scale` of workloads: how many replicas there shall be, as an object of its own.
//!
//! Upstream: `ScaleREST` in `k8s.io/kubernetes/pkg/registry/apps/{deployment,replicaset,statefulset}/storage`
//! and `core/replicationcontroller/storage`; `pkg/apis/autoscaling/validation`.

use podgate_admission::chain::Server;
use podgate_admission::decode::decode_untyped;
use podgate_admission::encode::{encode, encode_untyped};
use podgate_admission::request::Source as _;
use podgate_admission::status::{Cause, Grouped, Status};
use podgate_admission::value::{Object, Value};

use super::apply;
use super::read::meta;
use super::update::{APPLY, check_name, check_uid, check_version, store_update};
use crate::answer::Answer;
use crate::apply::{SCALE, ScaleEntries, Write};
use crate::call::Call;
use crate::owned::Owners;
use crate::patch::{self, Kind};
use crate::path::Verb;
use crate::state::{State, in_version};
use crate::store::Stored;
use crate::{failure, options};

/// Reads or changes the scale of a workload.
pub(crate) fn scale(server: &Server, state: &mut State, call: &Call<'_>, verb: Verb) -> Answer {
    match scaled(server, state, call, verb) {
        Ok(answer) => answer,
        Err(status) => status.into(),
    }
}

fn scaled(
    server: &Server,
    state: &mut State,
    call: &Call<'_>,
    verb: Verb,
) -> Result<Answer, Status> {
    let resource = failure::resource(call.resource);
    let find = |state: &State| {
        state
            .store
            .find(call.resource.name, call.namespace, call.name)
            .cloned()
    };
    let applies = verb == Verb::Patch && call.content_type == APPLY;
    let kind = match verb {
        _ if applies => None,
        Verb::Patch => Some(Kind::of(call.content_type).ok_or_else(failure::no_such_patch)?),
        Verb::Update => {
            call.check_content_type()?;
            None
        }
        _ => None,
    };
    match verb {
        Verb::Patch if applies => call.options.validate(options::APPLY, call.minor)?,
        Verb::Patch => call.options.validate("PatchOptions", call.minor)?,
        Verb::Update => call.options.validate("UpdateOptions", call.minor)?,
        _ => {}
    }
    let Some(old) = find(state) else {
        return Err(Status::not_found(resource, call.name));
    };
    let current = of(&in_version(&old, call.resource), call);
    if verb == Verb::Get {
        return Ok(Answer::json(200, encode_untyped(&current)));
    }
    let entries = ScaleEntries::of(&old, call.minor);
    let now = state.source.now();
    let write = Write {
        minor: call.minor,
        resource: &SCALE,
        subresource: call.subresource,
        manager: &call.field_manager,
        now: &now,
    };
    let mut live = current.clone();
    if let Some(live) = live.as_object_mut() {
        let metadata = live.object_mut("metadata");
        metadata.insert("managedFields", entries.to_scale());
    }
    let (replicas, scale) = if applies {
        let force = call.options.force.unwrap_or_default();
        let merged = write.apply(Some(&live), &apply::read(call.body)?, force)?;
        let wanted = replicas_in(&merged.object, call, None)?;
        check_sent(&merged.object, &old, call)?;
        (wanted, merged.entries)
    } else {
        let body = match kind {
            None => call.body.to_vec(),
            Some(kind) => {
                let (schema, minor) = (call.resource.schema, call.minor);
                let patched = patch::apply(kind, &current, call.body, schema, minor, true)?;
                patched.to_string().into_bytes()
            }
        };
        let sent = decode_untyped(&body).map_err(|error| Status::bad_request(error.message))?;
        let wanted = replicas_in(&sent, call, kind.is_some().then_some(&body))?;
        check_sent(&sent, &old, call)?;
        (wanted, write.update(Some(&live), &sent, None, false))
    };
    let entries = entries.to_workload(&scale, &call.resource.api_version());
    let mut parent = in_version(&old, call.resource).into_owned();
    if let Some(parent) = parent.as_object_mut() {
        parent.object_mut("spec").insert("replicas", replicas);
        parent.object_mut("metadata").remove("managedFields");
    }
    let json = encode(&parent, call.resource.schema, call.minor);
    let answer = store_update(
        server,
        state,
        call,
        &old,
        json.as_bytes(),
        Owners::Applied(entries),
    );
    if !answer.succeeded() {
        return Ok(answer);
    }
    let now = if call.options.dry_run() {
        of(&parent, call)
    } else {
        of(find(state).as_deref().unwrap_or(&parent), call)
    };
    Ok(answer.with_body(encode_untyped(&now)))
}

/// Whether it is the scale that is there.
fn check_sent(sent: &Value<'_>, old: &Stored, call: &Call<'_>) -> Result<(), Status> {
    check_name(sent, call)?;
    check_uid(sent, old, call)?;
    check_version(sent, old, call)
}

/// The wanted replicas of a scale that was sent (`ValidateScale`).
fn replicas_in(
    sent: &Value<'_>,
    call: &Call<'_>,
    patched: Option<&Vec<u8>>,
) -> Result<i64, Status> {
    let invalid = |kind, name: &str, field: &str, message: String| {
        let cause = Cause {
            reason: "FieldValueInvalid",
            message: format!("Invalid value: {message}"),
            field: field.to_owned(),
        };
        Status::invalid(kind, name, vec![cause])
    };
    let given = match sent.at(&["spec", "replicas"]) {
        None | Some(Value::Null) => 0,
        Some(Value::Int(number)) if i32::try_from(*number).is_ok() => *number,
        Some(other) => {
            let found = match other {
                Value::Bool(_) => "bool".to_owned(),
                Value::String(_) => "string".to_owned(),
                Value::List(_) => "array".to_owned(),
                Value::Object(_) => "object".to_owned(),
                number => format!("number {}", encode_untyped(number)),
            };
            let why = format!(
                "json: cannot unmarshal {found} into Go struct field ScaleSpec.spec.replicas of type int32"
            );
            let nothing = Grouped {
                group: "",
                name: "",
            };
            return Err(match patched {
                Some(body) => {
                    let body = String::from_utf8_lossy(body);
                    let shown = podgate_admission::quote::quote(&body);
                    invalid(nothing, "", "patch", format!("{shown}: {why}"))
                }
                None => Status::bad_request(format!(
                    "Scale in version \"v1\" cannot be handled as a Scale: {why}"
                )),
            });
        }
    };
    if given < 0 {
        let kind = Grouped {
            group: "autoscaling",
            name: "Scale",
        };
        let message = format!("{given}: must be greater than or equal to 0");
        return Err(invalid(kind, call.name, "spec.replicas", message));
    }
    Ok(given)
}

/// The scale of a workload (`scaleFromDeployment` and its like).
fn of(workload: &Value<'_>, call: &Call<'_>) -> Value<'static> {
    let count = |path: &[&str]| workload.at(path).and_then(Value::as_int).unwrap_or(0);
    let mut metadata = Object::new();
    for key in [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "creationTimestamp",
    ] {
        metadata.insert(key, meta(workload, key).to_owned());
    }
    let mut spec = Object::new();
    if count(&["spec", "replicas"]) != 0 {
        spec.insert("replicas", count(&["spec", "replicas"]));
    }
    let mut status = Object::new();
    status.insert("replicas", count(&["status", "replicas"]));
    let selector = selector(workload, call);
    if !selector.is_empty() {
        status.insert("selector", selector);
    }
    let mut scale = Object::from_iter([("kind", "Scale"), ("apiVersion", "autoscaling/v1")]);
    scale.insert("metadata", metadata);
    scale.insert("spec", spec);
    scale.insert("status", status);
    Value::from(scale)
}

/// The selector of a workload as a query has it: `a=b,c in (d,e)`, sorted by key.
fn selector(workload: &Value<'_>, call: &Call<'_>) -> String {
    let plain = |labels: &Value<'_>| -> Vec<(String, String)> {
        let labels = labels.as_object().into_iter().flat_map(Object::iter);
        let text = |value: &Value<'_>| value.as_str().unwrap_or_default().to_owned();
        labels
            .map(|(key, value)| (key.to_owned(), format!("{key}={}", text(value))))
            .collect()
    };
    let Some(selector) = workload.at(&["spec", "selector"]) else {
        return String::new();
    };
    let mut terms = if call.resource.kind == "ReplicationController" {
        plain(selector)
    } else {
        selector.get("matchLabels").map(plain).unwrap_or_default()
    };
    for expression in selector.list_at(&["matchExpressions"]) {
        let key = expression.text_at(&["key"]);
        let values = expression.list_at(&["values"]).iter();
        let mut values: Vec<_> = values.filter_map(Value::as_str).collect();
        values.sort_unstable();
        let values = values.join(",");
        let term = match expression.text_at(&["operator"]) {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        };
        terms.push((key.to_owned(), term));
    }
    terms.sort();
    let terms: Vec<_> = terms.into_iter().map(|(_, term)| term).collect();
    terms.join(",")
}

//! GET: one object, or all that selectors select.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/handlers/get.go`. The order of a list is that of the
//! keys in etcd.

use podgate_admission::status::Status;
use podgate_admission::value::Value;

use crate::answer::Answer;
use crate::call::Call;
use crate::failure;
use crate::json;
use crate::selector::{FieldSelector, LabelSelector};
use crate::state::{State, in_version};
use crate::store::Stored;

/// One object.
pub(crate) fn get(state: &State, call: &Call<'_>) -> Answer {
    match state
        .store
        .find(call.resource.name, call.namespace, call.name)
    {
        Some(object) => Answer::object(200, &in_version(object, call.resource)),
        None => failure::not_found(call.resource, call.name).into(),
    }
}

/// The objects of a collection.
pub(crate) fn list(state: &State, call: &Call<'_>) -> Answer {
    match selected(state, call) {
        Ok(objects) => write(state, call, objects),
        Err(status) => status.into(),
    }
}

/// The objects that the request selects, in the order of their keys.
pub(super) fn selected<'s>(
    state: &'s State,
    call: &Call<'_>,
) -> Result<impl Iterator<Item = &'s Stored> + use<'s>, Status> {
    let labels = LabelSelector::parse(&call.options.label_selector)?;
    let fields = FieldSelector::parse(&call.options.field_selector, call.resource)?;
    Ok(state
        .store
        .scan(call.resource.name, call.namespace)
        .filter(move |object| labels.selects(object) && fields.selects(object)))
}

/// A list object. Its items carry no kind and no version of their own.
pub(super) fn write<'s>(
    state: &State,
    call: &Call<'_>,
    objects: impl IntoIterator<Item = &'s Stored>,
) -> Answer {
    let mut body = Vec::with_capacity(4096);
    body.extend_from_slice(b"{\"kind\":");
    json::string(&format!("{}List", call.resource.kind), &mut body);
    body.extend_from_slice(b",\"apiVersion\":");
    json::string(&call.resource.api_version(), &mut body);
    body.extend_from_slice(b",\"metadata\":{\"resourceVersion\":");
    json::string(&state.store.revision().to_string(), &mut body);
    body.extend_from_slice(b"},\"items\":[");
    for (at, object) in objects
        .into_iter()
        .filter_map(|object| object.as_object())
        .enumerate()
    {
        if at > 0 {
            body.push(b',');
        }
        json::fields(object, &["kind", "apiVersion"], &mut body);
    }
    body.extend_from_slice(b"]}");
    Answer::json(200, body)
}

/// A text of an object's metadata.
pub(super) fn meta<'v>(object: &'v Value<'_>, key: &str) -> &'v str {
    object.text_at(&["metadata", key])
}

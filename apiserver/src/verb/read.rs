//! GET: one object, or all that selectors select.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/handlers/get.go`. The order of a list is that of the
//! keys in etcd.

use podgate_admission::status::Status;
use podgate_admission::value::Value;

use crate::answer::Answer;
use crate::call::Call;
use crate::failure;
use crate::selector::{FieldSelector, LabelSelector};
use crate::state::{State, in_version};
use crate::store::Stored;
use crate::transform::{self, ListMeta};

/// One object.
pub(crate) fn get(state: &State, call: &Call<'_>) -> Answer {
    match state
        .store
        .find(call.resource.name, call.namespace, call.name)
    {
        Some(object) => shown(200, object, call),
        None => Status::not_found(failure::resource(call.resource), call.name).into(),
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
    let metadata = ListMeta(format!(
        "{{\"resourceVersion\":\"{}\"}}",
        state.store.revision()
    ));
    transform::list(&metadata, objects.into_iter().map(|object| &**object), call)
}

/// A stored object as the request's version shows it.
pub(super) fn shown(code: u16, object: &Stored, call: &Call<'_>) -> Answer {
    transform::object(code, &in_version(object, call.resource), call)
}

/// A text of an object's metadata.
pub(super) fn meta<'v>(object: &'v Value<'_>, key: &str) -> &'v str {
    object.text_at(&["metadata", key])
}

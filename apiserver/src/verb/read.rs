//! GET of one object.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/handlers/get.go`.

use podgate_admission::status::Status;
use podgate_admission::value::Value;

use super::list::parse_version;
use crate::answer::Answer;
use crate::call::Call;
use crate::failure;
use crate::state::{State, in_version};
use crate::store::Stored;
use crate::transform;

/// One object. A version that it shall have at least is one that the store has reached
/// (`CacheDelegator.Get` in `storage/cacher/delegator.go`).
pub(crate) fn get(state: &State, call: &Call<'_>) -> Answer {
    let current = state.store.revision();
    match parse_version(&call.options.resource_version) {
        Ok(wanted) if wanted > current => {
            return failure::too_large_version(wanted, current).into();
        }
        Ok(_) => {}
        Err(why) => return failure::unclassified(why).into(),
    }
    match state
        .store
        .find(call.resource.name, call.namespace, call.name)
    {
        Some(object) => shown(200, object, call),
        None => Status::not_found(failure::resource(call.resource), call.name).into(),
    }
}

/// A stored object as the request's version shows it.
pub(super) fn shown(code: u16, object: &Stored, call: &Call<'_>) -> Answer {
    transform::object(code, &in_version(object, call.resource), call)
}

/// A text of an object's metadata.
pub(super) fn meta<'v>(object: &'v Value<'_>, key: &str) -> &'v str {
    object.text_at(&["metadata", key])
}

//! The verbs of the API, one file each.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/handlers` over `pkg/registry/generic/registry/store.go`.

use std::borrow::Cow;

use podgate_admission::decode::decode_untyped;
use podgate_admission::encode::encode_untyped;
use podgate_admission::rbac;
use podgate_admission::status::Status;

use crate::call::Call;
use crate::state::State;
use crate::store::Stored;

mod create;
mod delete;
mod list;
mod read;
mod review;
mod update;
mod watch;

pub(crate) use create::create;
pub(crate) use delete::{delete, delete_collection};
pub(crate) use list::list;
pub(crate) use read::get;
pub(crate) use review::review;
pub(crate) use update::{patch, update};
pub(crate) use watch::watch;

/// The body without `metadata.managedFields`. This server tracks no owners of fields, and upstream's
/// takes what it cannot read as if it were not there (`decodeLiveOrNew` in
/// `k8s.io/apimachinery/pkg/util/managedfields/internal/fieldmanager.go`).
fn without_managed_fields(body: &[u8]) -> Cow<'_, [u8]> {
    const NAME: &[u8] = b"\"managedFields\"";
    if !body.windows(NAME.len()).any(|window| window == NAME) {
        return Cow::Borrowed(body);
    }
    let removed = decode_untyped(body).ok().and_then(|mut object| {
        let metadata = object.get_mut("metadata")?.as_object_mut()?;
        metadata.remove("managedFields")?;
        Some(encode_untyped(&object))
    });
    removed.map_or(Cow::Borrowed(body), |body| Cow::Owned(body.into_bytes()))
}

/// Refuses roles and bindings that grant what the requester does not have. Upstream does so behind the
/// mutating plugins; of those only the one that misses the namespace has something to say here.
fn check_escalation(
    state: &State,
    call: &Call<'_>,
    body: &[u8],
    old: Option<&Stored>,
) -> Result<(), Status> {
    let lost =
        call.resource.namespaced && state.store.find("namespaces", "", call.namespace).is_none();
    if lost || call.subresource.is_some() || call.resource.group != "rbac.authorization.k8s.io" {
        return Ok(());
    }
    // What is no JSON is left to the decoder.
    let object = decode_untyped(body).unwrap_or_default();
    rbac::confirm_no_escalation(
        &state.store,
        call.user,
        call.resource,
        call.namespace,
        &object,
        old.map(|old| &**old),
    )
}

//! The verbs of the API, one file each.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/handlers` over `pkg/registry/generic/registry/store.go`.

use podgate_admission::chain::{self, Server};
use podgate_admission::decode::decode_untyped;
use podgate_admission::rbac;
use podgate_admission::request::{Request, Response, Source, World};
use podgate_admission::status::Status;
use podgate_admission::value::Value;

use crate::call::Call;
use crate::state::State;
use crate::store::Stored;

mod apply;
mod create;
mod delete;
mod list;
mod node;
mod pod;
mod read;
mod review;
mod scale;
mod update;
mod watch;

pub(crate) use apply::apply;
pub(crate) use create::create;
pub(crate) use delete::{delete, delete_collection};
pub(crate) use list::list;
pub(crate) use node::at_node;
pub(crate) use pod::{bind, evict};
pub(crate) use read::get;
pub(crate) use review::review;
pub(crate) use scale::scale;
pub(crate) use update::{patch, update};
pub(crate) use watch::watch;

/// [`chain::admit`] where nobody asks what the request was.
pub(crate) fn admit_only<'a>(
    server: &Server,
    world: &dyn World,
    source: &mut dyn Source,
    request: Request<'a>,
) -> (Response<'a>, Option<Value<'static>>) {
    (chain::admit(server, world, source, request), None)
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

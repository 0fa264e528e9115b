//! POST: an object through admission into the store.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/handlers/create.go`, and `Create` in
//! `pkg/registry/generic/registry/store.go`. That the name is taken is found out last, by the store:
//! an object that admission refuses is refused, taken or not.

use podgate_admission::chain::{self, Server};
use podgate_admission::request::{Body, Operation, Request};
use podgate_admission::status::Status;
use podgate_admission::value::Value;

use super::read::shown;
use super::{admit_only, check_escalation};
use crate::answer::Answer;
use crate::call::Call;
use crate::controllers;
use crate::failure;
use crate::owned::{self, Owners};
use crate::state::{State, set_kind};
use crate::transform;

/// Creates an object.
pub(crate) fn create(server: &Server, state: &mut State, call: &Call<'_>) -> Answer {
    if let Err(status) = call.check_content_type() {
        return status.into();
    }
    if let Err(status) = call.options.validate("CreateOptions", call.minor) {
        return status.into();
    }
    let (body, owners) = owned::split(call.body);
    create_named(server, state, call, &body, owners)
}

/// Creates an object, be it by POST or by a PUT or an apply of one that is not there. The body has no
/// entries about owners.
pub(super) fn create_named(
    server: &Server,
    state: &mut State,
    call: &Call<'_>,
    body: &[u8],
    owners: Owners,
) -> Answer {
    if let Err(status) = check_escalation(state, call, body, None) {
        return status.into();
    }
    let dry_run = call.options.dry_run();
    let admit = if owned::wanted(state, None, &owners) {
        chain::admit_owned
    } else {
        admit_only
    };
    let (response, requested) = admit(
        server,
        &state.store,
        &mut state.source,
        Request {
            operation: Operation::Create,
            resource: call.resource,
            subresource: call.subresource,
            namespace: call.namespace,
            name: call.name,
            user: call.user,
            dry_run,
            field_validation: call.options.field_validation(),
            body: Body::Json(body),
            old: None,
        },
    );
    let answer = match response.outcome {
        Err(status) => status.into(),
        Ok(mut object) => {
            set_kind(&mut object, call.resource);
            let entries = owned::entries(state, call, None, requested.as_ref(), owners);
            owned::set(&mut object, entries);
            let name = object.text_at(&["metadata", "name"]);
            // A name that was made up is not taken by what the controllers are about to make.
            if dry_run && object.text_at(&["metadata", "generateName"]).is_empty() {
                controllers::settle(server, state);
            }
            if state
                .store
                .find(call.resource.name, call.namespace, name)
                .is_some()
            {
                taken(call, &object, name).into()
            } else if dry_run {
                transform::object(201, &object, call)
            } else {
                let name = name.to_owned();
                let stored = state.put_owned(
                    call.resource.name,
                    call.namespace,
                    &name,
                    object.into_owned(),
                );
                let answer = shown(201, &stored, call);
                state.settle(call.minor, call.resource, call.namespace, &name);
                answer
            }
        }
    };
    answer.with(response.warnings, response.audit)
}

fn taken(call: &Call<'_>, object: &Value<'_>, name: &str) -> Status {
    let generated = !object.text_at(&["metadata", "generateName"]).is_empty();
    if generated {
        failure::generated_name_exists(call.resource, name)
    } else {
        Status::already_exists(failure::resource(call.resource), name)
    }
}

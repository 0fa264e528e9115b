//! PATCH with an apply configuration.
//!
//! Upstream: `applyPatcher` in `k8s.io/apiserver/pkg/endpoints/handlers/patch.go`. That somebody may
//! not create what is not there is found out behind mutating admission there, here before.

use podgate_admission::chain::Server;
use podgate_admission::decode::decode_untyped;
use podgate_admission::encode::encode_untyped;
use podgate_admission::request::Source as _;
use podgate_admission::status::Status;
use podgate_admission::value::Value;
use podgate_manifest::{Source, read_documents};

use super::create::create_named;
use super::update::{check_name, check_version, store_update};
use crate::answer::Answer;
use crate::call::Call;
use crate::options;
use crate::owned::{self, Owners};
use crate::path::{ResourcePath, Verb};
use crate::state::{State, in_version};
use crate::{authorize, failure};

/// Applies a configuration to an object, or creates one from it.
pub(crate) fn apply(server: &Server, state: &mut State, call: &Call<'_>) -> Answer {
    match applied(server, state, call) {
        Ok(answer) => answer,
        Err(status) => status.into(),
    }
}

fn applied(server: &Server, state: &mut State, call: &Call<'_>) -> Result<Answer, Status> {
    call.options.validate(options::APPLY, call.minor)?;
    let old = state
        .store
        .find(call.resource.name, call.namespace, call.name)
        .cloned();
    if old.is_none() && call.subresource.is_some() {
        let resource = failure::resource(call.resource);
        return Err(Status::not_found(resource, call.name));
    }
    let patch = read(call.body)?;
    let now = state.source.now();
    let live = old.as_ref().map(|old| in_version(old, call.resource));
    let force = call.options.force.unwrap_or_default();
    let applied = owned::write(call, &now).apply(live.as_deref(), &patch, force)?;
    let body = encode_untyped(&applied.object);
    check_name(&applied.object, call)?;
    let owners = Owners::Applied(applied.entries);
    if let Some(old) = old {
        check_version(&applied.object, &old, call)?;
        return Ok(store_update(
            server,
            state,
            call,
            &old,
            body.as_bytes(),
            owners,
        ));
    }
    let attributes = ResourcePath {
        group: call.resource.group,
        version: call.resource.version,
        namespace: call.namespace,
        resource: call.resource.name,
        name: call.name,
        ..ResourcePath::default()
    };
    authorize::resource(&state.store, call.user, Some(Verb::Create), &attributes)?;
    Ok(create_named(server, state, call, body.as_bytes(), owners))
}

/// Reads the configuration, YAML or JSON.
pub(super) fn read(body: &[u8]) -> Result<Value<'static>, Status> {
    if let Ok(object @ Value::Object(_)) = decode_untyped(body) {
        return Ok(object.into_owned());
    }
    let source = Source::new("", body);
    let undecodable = |error: &str| Status::bad_request(format!("error decoding YAML: {error}"));
    let json = match read_documents(&source).next() {
        None => "{}".to_owned(),
        Some(Ok(document)) => document.body().into_owned(),
        Some(Err(error)) => return Err(undecodable(error.message())),
    };
    match decode_untyped(json.as_bytes()) {
        Ok(object @ Value::Object(_)) => Ok(object.into_owned()),
        Ok(_) => Err(undecodable(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal into Go value of \
             type map[string]interface {}",
        )),
        Err(error) => Err(undecodable(&error.message)),
    }
}

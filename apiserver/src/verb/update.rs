//! PUT and PATCH.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/handlers/{update,patch}.go`, and `Update` in
//! `pkg/registry/generic/registry/store.go`. There a stale version is found between mutating and
//! validating admission, here before both: a request that is both stale and refused by a mutating
//! plugin is answered as stale.

use podgate_admission::chain::{self, Server};
use podgate_admission::decode::{DecodeError, decode, decode_untyped, kind_of};
use podgate_admission::encode::encode;
use podgate_admission::quote::quote;
use podgate_admission::request::{Body, FieldValidation, Operation, Request};
use podgate_admission::resource::Resource;
use podgate_admission::status::{Cause, Grouped, Status};
use podgate_admission::value::Value;
use serde_json::Value as Json;

use super::create::create_named;
use super::read::{meta, shown};
use super::{admit_only, apply, check_escalation};
use crate::answer::Answer;
use crate::call::Call;
use crate::failure;
use crate::owned::{self, Owners};
use crate::patch::{self, Kind};
use crate::registry;
use crate::state::{State, in_version, set_kind};
use crate::store::Stored;
use crate::transform;

/// The first minor in which `fieldValidation` has an effect.
const FIRST_WITH_FIELD_VALIDATION: u8 = 25;
/// The first minor that compares the namespace before the name (`EnsureObjectNamespaceMatchesRequestNamespace`).
const FIRST_WITH_NAMESPACE_FIRST: u8 = 24;
/// The content type of an apply configuration.
pub(super) const APPLY: &str = "application/apply-patch+yaml";
const STALE: &str = "the object has been modified; please apply your changes to the latest version \
                     and try again";

/// Replaces an object.
pub(crate) fn update(server: &Server, state: &mut State, call: &Call<'_>) -> Answer {
    if let Err(status) = call.check_content_type() {
        return status.into();
    }
    if let Err(status) = call.options.validate("UpdateOptions", call.minor) {
        return status.into();
    }
    // A body that is no object is left to the decoder, which has the words for it.
    let sent = decode_untyped(call.body).unwrap_or_default();
    let old = state
        .store
        .find(call.resource.name, call.namespace, call.name)
        .cloned();
    if sent.as_object().is_some()
        && let Err(status) = check_name(&sent, call)
    {
        return status.into();
    }
    let Some(old) = old else {
        if registry::creates_on_update(call.resource) && call.subresource.is_none() {
            let (body, owners) = owned::split(call.body);
            return create_named(server, state, call, &body, owners);
        }
        return Status::not_found(failure::resource(call.resource), call.name).into();
    };
    let checks = check_uid(&sent, &old, call).and_then(|()| check_version(&sent, &old, call));
    if let Err(status) = checks {
        return status.into();
    }
    let (body, owners) = owned::split(call.body);
    store_update(server, state, call, &old, &body, owners)
}

/// Changes an object.
pub(crate) fn patch(server: &Server, state: &mut State, call: &Call<'_>) -> Answer {
    if call.content_type == APPLY {
        return apply(server, state, call);
    }
    let Some(kind) = Kind::of(call.content_type) else {
        return failure::no_such_patch().into();
    };
    if let Err(status) = call.options.validate("PatchOptions", call.minor) {
        return status.into();
    }
    let Some(old) = state
        .store
        .find(call.resource.name, call.namespace, call.name)
        .cloned()
    else {
        return Status::not_found(failure::resource(call.resource), call.name).into();
    };
    let current = in_version(&old, call.resource);
    let (schema, minor) = (call.resource.schema, call.minor);
    let typed = minor.number() >= FIRST_WITH_FIELD_VALIDATION
        && call.options.field_validation() != FieldValidation::Ignore;
    let patched =
        patch::apply(kind, &current, call.body, schema, minor, typed).and_then(|patched| {
            let body = patched.to_string();
            let sent = decode_untyped(body.as_bytes()).unwrap_or_default();
            check_decodes(kind, &patched, &body, call)?;
            check_name(&sent, call)?;
            check_version(&sent, &old, call)?;
            Ok(body)
        });
    match patched {
        Ok(body) => {
            let (body, owners) = owned::split(body.as_bytes());
            store_update(server, state, call, &old, &body, owners)
        }
        Err(status) => status.into(),
    }
}

/// Sends the new object through admission and stores it, unless nothing changed.
pub(super) fn store_update(
    server: &Server,
    state: &mut State,
    call: &Call<'_>,
    old: &Stored,
    body: &[u8],
    owners: Owners,
) -> Answer {
    if let Err(status) = check_escalation(state, call, body, Some(old)) {
        return status.into();
    }
    let admit = if owned::wanted(state, Some(old), &owners) {
        chain::admit_owned
    } else {
        admit_only
    };
    let (response, requested) = admit(
        server,
        &state.store,
        &mut state.source,
        Request {
            operation: Operation::Update,
            resource: call.resource,
            subresource: call.subresource,
            namespace: call.namespace,
            name: call.name,
            user: call.user,
            dry_run: call.options.dry_run(),
            field_validation: call.options.field_validation(),
            body: Body::Json(body),
            old: Some(old),
        },
    );
    let answer = match response.outcome {
        Err(status) => status.into(),
        Ok(mut object) => {
            let (schema, minor) = (call.resource.schema, call.minor);
            set_kind(&mut object, call.resource);
            // What was stored keeps its version until it is written; a dry run shows the old one.
            if let (Some(object), Some(version)) = (
                object.as_object_mut(),
                old.at(&["metadata", "resourceVersion"]),
            ) {
                object
                    .object_mut("metadata")
                    .insert("resourceVersion", version.clone());
            }
            let live = in_version(old, call.resource);
            let entries = owned::entries(state, call, Some(&live), requested.as_ref(), owners);
            let known = live.list_at(&["metadata", "managedFields"]);
            // Times alone are no change.
            owned::set(&mut object, known.to_vec());
            let changed = encode(&object, schema, minor) != encode(&live, schema, minor);
            if changed || !owned::same_but_times(known, &entries) {
                owned::set(&mut object, entries);
            }
            let json = encode(&object, schema, minor);
            let changed = json != encode(&live, schema, minor);
            if call.options.dry_run() || !changed {
                transform::object(200, &object, call)
            } else {
                let (resource, namespace, name) = (call.resource, call.namespace, call.name);
                let answer = if deleted_by(&object, old, resource) {
                    state.store.remove(resource.name, namespace, name);
                    transform::object(200, &object, call)
                } else {
                    let stored =
                        state.put_owned(resource.name, namespace, name, object.into_owned());
                    shown(200, &stored, call)
                };
                state.settle(minor, resource, namespace, name);
                answer
            }
        }
    };
    answer.with(response.warnings, response.audit)
}

/// Whether the update takes the last finalizer of an object that is being deleted
/// (`ShouldDeleteDuringUpdate`); a namespace has others in its spec (`ShouldDeleteNamespaceDuringUpdate`).
fn deleted_by(new: &Value<'_>, old: &Value<'_>, resource: &Resource) -> bool {
    let finalizers =
        |object: &Value<'_>, part: &str| !object.list_at(&[part, "finalizers"]).is_empty();
    let namespace = resource.group.is_empty() && resource.name == "namespaces";
    let grace = new
        .at(&["metadata", "deletionGracePeriodSeconds"])
        .and_then(Value::as_int);
    !(finalizers(new, "metadata") || namespace && finalizers(new, "spec"))
        && (finalizers(old, "metadata") || namespace && finalizers(old, "spec"))
        && !meta(old, "deletionTimestamp").is_empty()
        && grace.unwrap_or_default() == 0
}

/// Refuses what a patch makes of an object where that is no such object any more. Upstream shows all
/// of it after a JSON patch or a merge patch, in an order of its own.
fn check_decodes(kind: Kind, patched: &Json, body: &str, call: &Call<'_>) -> Result<(), Status> {
    let strict = call.options.field_validation() == FieldValidation::Strict
        && call.minor.number() >= FIRST_WITH_FIELD_VALIDATION;
    let (schema, minor) = (call.resource.schema, call.minor);
    let decoded = if patched.is_object() {
        decode(body.as_bytes(), schema, minor)
    } else {
        // The server looks for the kind first.
        kind_of(body.as_bytes())
            .map_err(|mut error| {
                error.message = format!(
                    "couldn't get version/kind; json parse error: {}",
                    error.message
                );
                error
            })
            .and_then(|_| decode(body.as_bytes(), schema, minor))
    };
    let error = match decoded {
        Ok(decoded) if strict => DecodeError::strict(&decoded.strict),
        Ok(_) => None,
        Err(error) => Some(error),
    };
    let Some(error) = error else { return Ok(()) };
    let (shown, error) = patch::misfit(kind, call.body, patched, error, schema, minor);
    let cause = Cause {
        reason: "FieldValueInvalid",
        message: format!("Invalid value: {}: {error}", quote(&shown)),
        field: "patch".to_owned(),
    };
    let nothing = Grouped {
        group: "",
        name: "",
    };
    Err(Status::invalid(nothing, "", vec![cause]))
}

/// `checkName` in `endpoints/handlers/rest.go`; since 1.24 the namespace is looked at before, and a namespace
/// is in none, where it was in itself (`ExpectedNamespaceForResource`).
pub(super) fn check_name(sent: &Value<'_>, call: &Call<'_>) -> Result<(), Status> {
    let (name, namespace) = (meta(sent, "name"), meta(sent, "namespace"));
    let namespace_first = call.minor.number() >= FIRST_WITH_NAMESPACE_FIRST;
    let requested = if call.resource.kind == "Namespace" && !namespace_first {
        call.name
    } else {
        call.namespace
    };
    let elsewhere = !requested.is_empty() && !namespace.is_empty() && namespace != requested;
    if elsewhere && namespace_first {
        return Err(Status::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if name.is_empty() {
        return Err(Status::bad_request(format!(
            "the name of the object ({} based on URL) was undeterminable: name must be provided",
            call.name
        )));
    }
    if name != call.name {
        return Err(Status::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            call.name
        )));
    }
    if elsewhere {
        return Err(Status::bad_request(format!(
            "the namespace of the object ({namespace}) does not match the namespace on the request ({requested})"
        )));
    }
    Ok(())
}

/// `Preconditions.Check` in `k8s.io/apiserver/pkg/storage/interfaces.go`, as the store words it.
pub(super) fn check_uid(sent: &Value<'_>, old: &Value<'_>, call: &Call<'_>) -> Result<(), Status> {
    let (sent, stored) = (meta(sent, "uid"), meta(old, "uid"));
    if sent.is_empty() || sent == stored {
        return Ok(());
    }
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: /registry/{}, ResourceVersion: 0, \
         AdditionalErrorMsg: Precondition failed: UID in precondition: {sent}, UID in object meta: \
         {stored}",
        registry::key(call.resource, call.namespace, call.name)
    );
    Err(Status::conflict(
        failure::resource(call.resource),
        call.name,
        &why,
    ))
}

/// Refuses changes to another version than the stored one.
pub(super) fn check_version(
    sent: &Value<'_>,
    old: &Value<'_>,
    call: &Call<'_>,
) -> Result<(), Status> {
    let sent = meta(sent, "resourceVersion");
    if matches!(sent, "" | "0") {
        if registry::wants_version(call.resource) {
            return Err(version_missing(call.resource, call.name));
        }
        return Ok(());
    }
    if sent == meta(old, "resourceVersion") {
        Ok(())
    } else {
        Err(Status::conflict(
            failure::resource(call.resource),
            call.name,
            STALE,
        ))
    }
}

fn version_missing(resource: &Resource, name: &str) -> Status {
    let cause = Cause {
        reason: "FieldValueInvalid",
        message: "Invalid value: 0: must be specified for an update".to_owned(),
        field: "metadata.resourceVersion".to_owned(),
    };
    // Upstream names the resource where the kind belongs.
    Status::invalid(failure::resource(resource), name, vec![cause])
}

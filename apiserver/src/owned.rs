//! `managedFields` in what is stored: whose write it was, and what an object says of it.
//!
//! Upstream: `FieldManager.UpdateNoErrors` in the handlers of `k8s.io/apiserver/pkg/endpoints/handlers`,
//! and `IgnoreManagedFieldsTimestampsTransformer` in `handlers/fieldmanager/equality.go`.

use std::borrow::Cow;

use podgate_admission::decode::decode_untyped;
use podgate_admission::encode::encode_untyped;
use podgate_admission::request::Source;
use podgate_admission::resource::{self, Resource};
use podgate_admission::value::Value;
use podgate_policy::Minor;

use crate::apply::Write;
use crate::call::Call;
use crate::state::State;
use crate::store::Stored;

/// The field manager of the controllers: what their user agent begins with.
const CONTROLLERS: &str = "kube-controller-manager";
/// The field manager of what a server makes for itself.
const SERVER: &str = "kube-apiserver";
const FIELD: &str = "managedFields";

/// What a request says about who owns the fields of its object.
#[derive(Debug)]
pub(crate) enum Owners {
    /// They are worked out from what changes; these entries were sent.
    Sent(Option<Vec<Value<'static>>>),
    /// They are known: it was applied.
    Applied(Vec<Value<'static>>),
}

/// Begins to keep track, which nobody has done up to now: what is there is the server's own.
pub(crate) fn start(minor: Minor, state: &mut State) {
    state.tracked = Some(minor);
    for resource in resource::RESOURCES {
        let objects: Vec<Stored> = state
            .store
            .scan(resource.name, "")
            .filter(|object| object.text_at(&["apiVersion"]) == resource.api_version())
            .cloned()
            .collect();
        for object in objects {
            let now = object.text_at(&["metadata", "creationTimestamp"]);
            let write = Write {
                minor,
                resource,
                subresource: None,
                manager: SERVER,
                now,
            };
            let mut owned = Value::clone(&object);
            let mut requested = owned.clone();
            if let Some(namespace) = requested
                .as_object_mut()
                .filter(|_| resource.kind == "Namespace")
            {
                // The registry sets the finalizer, after it is known who owns what.
                namespace.remove("spec");
            }
            let entries = write.update(None, &requested, None, true);
            let (namespace, name) = (meta(&object, "namespace"), meta(&object, "name"));
            set(&mut owned, entries);
            state.store.put(resource.name, namespace, name, |_| owned);
        }
    }
}

/// Takes the entries out of a body, where there are any.
pub(crate) fn split(body: &[u8]) -> (Cow<'_, [u8]>, Owners) {
    let name = format!("\"{FIELD}\"").into_bytes();
    let nothing = Owners::Sent(None);
    if !body.windows(name.len()).any(|window| window == name) {
        return (Cow::Borrowed(body), nothing);
    }
    // What is no JSON is left to the decoder.
    let Ok(mut object) = decode_untyped(body) else {
        return (Cow::Borrowed(body), nothing);
    };
    let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
    let Some(sent) = metadata.and_then(|metadata| metadata.remove(FIELD)) else {
        return (Cow::Borrowed(body), nothing);
    };
    let sent = match sent.into_owned() {
        Value::List(entries) => Some(entries),
        _ => None,
    };
    let rest = encode_untyped(&object).into_bytes();
    (Cow::Owned(rest), Owners::Sent(sent))
}

/// Whether it has to be known what a request asks for, before admission: else nobody will own it.
pub(crate) fn wanted(state: &State, old: Option<&Stored>, owners: &Owners) -> bool {
    match owners {
        Owners::Applied(_) => false,
        Owners::Sent(Some(_)) => true,
        Owners::Sent(None) => match old {
            None => state.tracked.is_some(),
            Some(old) => !old.list_at(&["metadata", FIELD]).is_empty(),
        },
    }
}

/// The entries after a request: `requested` is its object before admission.
pub(crate) fn entries(
    state: &mut State,
    call: &Call<'_>,
    old: Option<&Value<'_>>,
    requested: Option<&Value<'_>>,
    owners: Owners,
) -> Vec<Value<'static>> {
    let sent = match owners {
        Owners::Applied(entries) => return entries,
        Owners::Sent(sent) => sent,
    };
    let Some(requested) = requested else {
        return Vec::new();
    };
    let now = state.source.now();
    write(call, &now).update(old, requested, sent.as_deref(), state.tracked.is_some())
}

/// A request as a write.
pub(crate) fn write<'a>(call: &'a Call<'_>, now: &'a str) -> Write<'a> {
    Write {
        minor: call.minor,
        resource: call.resource,
        subresource: call.subresource,
        manager: &call.field_manager,
        now,
    }
}

/// The entries after a controller has written an object past admission. What changes the status goes
/// through that subresource.
pub(crate) fn by_controller(
    state: &mut State,
    old: Option<&Value<'_>>,
    new: &Value<'_>,
) -> Option<Vec<Value<'static>>> {
    let minor = state.tracked?;
    let resource = resource::by_kind(new.text_at(&["apiVersion"]), new.text_at(&["kind"]), minor)?;
    let status = old.is_some_and(|old| old.get("status") != new.get("status"));
    let now = state.source.now();
    let write = Write {
        minor,
        resource,
        subresource: status.then_some("status"),
        manager: CONTROLLERS,
        now: &now,
    };
    Some(write.update(old, new, None, true))
}

/// The entries after a controller has created an object: `requested` is what it asked for.
pub(crate) fn created(
    state: &mut State,
    resource: &'static Resource,
    requested: Option<&Value<'_>>,
) -> Vec<Value<'static>> {
    let (Some(minor), Some(requested)) = (state.tracked, requested) else {
        return Vec::new();
    };
    let now = state.source.now();
    let write = Write {
        minor,
        resource,
        subresource: None,
        manager: CONTROLLERS,
        now: &now,
    };
    write.update(None, requested, None, true)
}

/// Writes entries into an object, or none.
pub(crate) fn set<'a>(object: &mut Value<'a>, entries: Vec<Value<'a>>) {
    let Some(object) = object.as_object_mut() else {
        return;
    };
    let metadata = object.object_mut("metadata");
    if entries.is_empty() {
        metadata.remove(FIELD);
    } else {
        metadata.insert(FIELD, entries);
    }
}

/// Whether two lists of entries differ in nothing but times: then a write that changes nothing else
/// changes nothing.
pub(crate) fn same_but_times(old: &[Value<'_>], new: &[Value<'_>]) -> bool {
    let differs = |(old, new): (&Value<'_>, &Value<'_>)| {
        let fields = [
            "manager",
            "operation",
            "apiVersion",
            "subresource",
            "fieldsV1",
        ];
        fields.iter().any(|field| old.get(field) != new.get(field))
    };
    old.len() == new.len() && !old.iter().zip(new).any(differs)
}

fn meta<'v>(object: &'v Value<'_>, key: &str) -> &'v str {
    object.text_at(&["metadata", key])
}

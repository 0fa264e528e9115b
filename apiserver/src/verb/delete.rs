//! DELETE, of one object and of collections.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/handlers/delete.go`, `BeforeDelete` in
//! `pkg/registry/rest/delete.go`, and `Delete` in `pkg/registry/generic/registry/store.go`.
//!
//! What a cluster's controllers and kubelets would do next is done before the next answer: a pod that
//! runs somewhere is stopped, a namespace is emptied. What the answer says is what a real server answers
//! before they have done it.

use podgate_admission::chain::{self, Server};
use podgate_admission::decode::decode_untyped;
use podgate_admission::request::{Body, Operation, Request, Source};
use podgate_admission::resource::Resource;
use podgate_admission::status::Status;
use podgate_admission::value::{Object, Value};

use super::list::page;
use super::read::meta;
use crate::answer::{self, Answer};
use crate::call::Call;
use crate::controllers::garbage::{FOREGROUND, ORPHAN};
use crate::failure;
use crate::options::Options;
use crate::registry;
use crate::state::{State, in_version, set_version};
use crate::store::Stored;
use crate::transform;

/// The first minor whose answers carry the version at which the object went, and not the last one that it
/// had (`conditionalDelete` in `k8s.io/apiserver/pkg/storage/etcd3/store.go`).
const FIRST_WITH_REVISION_OF_DELETION: u8 = 26;

/// Deletes one object.
pub(crate) fn delete(server: &Server, state: &mut State, call: &Call<'_>) -> Answer {
    let (options, sent) = match delete_options(call) {
        Ok(found) => found,
        Err(status) => return status.into(),
    };
    let Some(old) = state
        .store
        .find(call.resource.name, call.namespace, call.name)
        .cloned()
    else {
        return Status::not_found(failure::resource(call.resource), call.name).into();
    };
    if let Err(status) = check_preconditions(&sent, &old, call) {
        return status.into();
    }
    match remove(server, state, call, &options, &old) {
        Err(status) => status.into(),
        Ok(object)
            if registry::returns_deleted(call.resource) || !finalizers(&object).is_empty() =>
        {
            transform::object(200, &object, call)
        }
        Ok(_) => Answer::document(&answer::success(
            call.name,
            call.resource.group,
            call.resource.name,
            meta(&old, "uid"),
        )),
    }
}

/// Deletes all that the selectors select, and answers with what it was.
pub(crate) fn delete_collection(server: &Server, state: &mut State, call: &Call<'_>) -> Answer {
    let options = match delete_options(call) {
        Ok((options, _)) => options,
        Err(status) => return status.into(),
    };
    let page = match page(state, call) {
        Ok(page) => page,
        Err(answer) => return answer,
    };
    let answer = page.answer(call);
    for object in &page.objects {
        if let Err(status) = remove(server, state, call, &options, object) {
            return status.into();
        }
    }
    answer
}

/// Sends one deletion through admission and carries it out; returns what the answer shows.
pub(super) fn remove(
    server: &Server,
    state: &mut State,
    call: &Call<'_>,
    options: &Options,
    old: &Stored,
) -> Result<Value<'static>, Status> {
    let name = meta(old, "name");
    chain::admit(
        server,
        &state.store,
        &mut state.source,
        Request {
            operation: Operation::Delete,
            resource: call.resource,
            subresource: None,
            namespace: call.namespace,
            name,
            user: call.user,
            dry_run: options.dry_run(),
            field_validation: options.field_validation(),
            body: Body::Decoded(Value::Null),
            old: Some(old),
        },
    )
    .outcome?;
    let mut object = in_version(old, call.resource).into_owned();
    let pending = meta(old, "deletionTimestamp").is_empty();
    if pending && let Some(fields) = object.as_object_mut() {
        garbage_finalizer(fields.object_mut("metadata"), call.resource, options);
    }
    let core = call.resource.group.is_empty();
    // A namespace has to be emptied first.
    let namespace = core && call.resource.name == "namespaces";
    let kept = !finalizers(&object).is_empty()
        || namespace && !object.list_at(&["spec", "finalizers"]).is_empty();
    if let Some(fields) = object.as_object_mut()
        && pending
    {
        let now = state.source.now();
        if core && call.resource.name == "pods" {
            let grace = grace_period(old, options);
            mark(fields.object_mut("metadata"), now, Some(grace));
        } else if namespace {
            mark(fields.object_mut("metadata"), now, None);
            fields.object_mut("status").insert("phase", "Terminating");
        } else if kept {
            mark(fields.object_mut("metadata"), now, Some(0));
        }
    }
    if options.dry_run() {
        return Ok(object);
    }
    let graceful = namespace || core && call.resource.name == "pods";
    if pending && (kept || graceful) {
        // What is to go is marked first, be it for no time at all
        // (`updateForGracefulDeletionAndFinalizers`).
        let stored = state.put_owned(call.resource.name, meta(old, "namespace"), name, object);
        object = Value::clone(&stored);
    }
    if !kept {
        let removed = state
            .store
            .remove(call.resource.name, meta(old, "namespace"), name);
        if let (Some(revision), Some(fields)) = (removed, object.as_object_mut())
            && call.minor.number() >= FIRST_WITH_REVISION_OF_DELETION
        {
            set_version(fields.object_mut("metadata"), revision);
        }
    }
    state.settle(call.minor, call.resource, meta(old, "namespace"), name);
    Ok(object)
}

/// Sets the finalizer that waits for what the options want to become of the dependents
/// (`deletionFinalizersForGarbageCollection`). Where they say nothing, those that are set count, and
/// then what the resource does (`DefaultGarbageCollectionPolicy` of the strategies).
fn garbage_finalizer(metadata: &mut Object<'static>, resource: &Resource, options: &Options) {
    let is_one = |f: &Value<'_>| matches!(f.as_str(), Some(ORPHAN | FOREGROUND));
    let policy = options.propagation_policy.as_deref();
    let set = metadata.get("finalizers").and_then(Value::as_list);
    let has_one = set.is_some_and(|set| set.iter().any(is_one));
    let wanted = match policy {
        Some("Orphan") => Some(ORPHAN),
        Some("Foreground") => Some(FOREGROUND),
        None if has_one => return,
        None if registry::orphans_by_default(resource) => Some(ORPHAN),
        _ => None,
    };
    if wanted.is_none() && !has_one {
        return;
    }
    let finalizers = metadata.list_mut("finalizers");
    finalizers.retain(|f| !is_one(f));
    finalizers.extend(wanted.map(Value::from));
    if finalizers.is_empty() {
        metadata.remove("finalizers");
    }
}

/// Marks an object as being deleted; its generation counts that as a change.
fn mark(metadata: &mut Object<'static>, now: String, grace: Option<i64>) {
    metadata.insert("deletionTimestamp", now);
    if let Some(grace) = grace {
        metadata.insert("deletionGracePeriodSeconds", grace);
        if let Some(generation) = metadata.get("generation").and_then(Value::as_int) {
            metadata.insert("generation", generation + 1);
        }
    }
}

/// How many seconds a pod has to stop: none where nothing runs (`CheckGracefulDelete` in
/// `pkg/registry/core/pod/strategy.go`).
fn grace_period(pod: &Value<'_>, options: &Options) -> i64 {
    let asked = options.grace_period_seconds.or_else(|| {
        pod.at(&["spec", "terminationGracePeriodSeconds"])
            .and_then(Value::as_int)
    });
    let over = matches!(pod.text_at(&["status", "phase"]), "Failed" | "Succeeded");
    match asked.unwrap_or_default() {
        _ if over || pod.text_at(&["spec", "nodeName"]).is_empty() => 0,
        seconds if seconds < 0 => 1,
        seconds => seconds,
    }
}

fn finalizers<'v>(object: &'v Value<'_>) -> &'v [Value<'v>] {
    object.list_at(&["metadata", "finalizers"])
}

/// The options of the query, or those of the body, which then count alone; and the body.
fn delete_options<'a>(call: &Call<'a>) -> Result<(Options, Value<'a>), Status> {
    let mut options = call.options.clone();
    let mut sent = Value::Null;
    if !call.body.is_empty() {
        call.check_content_type()?;
        sent = decode_untyped(call.body).map_err(|error| Status::bad_request(error.message))?;
        options = options_of(call, &sent);
    }
    options.validate("DeleteOptions", call.minor)?;
    // The older way to say the same.
    if let Some(orphan) = options.orphan_dependents {
        let policy = if orphan { "Orphan" } else { "Background" };
        options.propagation_policy = Some(policy.to_owned());
    }
    Ok((options, sent))
}

/// The options of a request with what `DeleteOptions` in its body say.
pub(super) fn options_of(call: &Call<'_>, sent: &Value<'_>) -> Options {
    let dry_run = sent.list_at(&["dryRun"]).iter();
    let dry_run = dry_run.filter_map(|value| value.as_str().map(str::to_owned));
    let mut options = call.options.clone().with_dry_run(dry_run.collect());
    options.grace_period_seconds = sent.get("gracePeriodSeconds").and_then(Value::as_int);
    let policy = sent.get("propagationPolicy").and_then(Value::as_str);
    options.propagation_policy = policy.map(str::to_owned);
    options.orphan_dependents = sent.get("orphanDependents").and_then(Value::as_bool);
    options
}

/// `BeforeDelete`: the preconditions of the options hold. The conflict names the kind where the
/// resource belongs, as upstream does.
fn check_preconditions(sent: &Value<'_>, old: &Value<'_>, call: &Call<'_>) -> Result<(), Status> {
    let wanted = |key: &str| sent.at(&["preconditions", key]).and_then(Value::as_str);
    if let Some(uid) = wanted("uid")
        && uid != meta(old, "uid")
    {
        let why = format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object \
             might have been deleted and then recreated",
            meta(old, "uid")
        );
        return Err(Status::conflict(
            failure::kind(call.resource),
            call.name,
            &why,
        ));
    }
    if let Some(version) = wanted("resourceVersion")
        && version != meta(old, "resourceVersion")
    {
        let why = format!(
            "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion \
             in record ({}). The object might have been modified",
            meta(old, "resourceVersion")
        );
        return Err(Status::conflict(
            failure::kind(call.resource),
            call.name,
            &why,
        ));
    }
    Ok(())
}

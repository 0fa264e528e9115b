//! GET of a collection with `watch=true`: what changes from now on, or since a version.
//!
//! Upstream: `handleWatch` in `k8s.io/apiserver/pkg/endpoints/handlers/get.go`, and `Watch` in
//! `storage/cacher/cacher.go`. Once the options are understood, what is wrong with the version is told
//! by an event of the watch and not by the code of the answer (`newErrWatcher`).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use podgate_admission::status::Status;

use super::list::parse_version;
use crate::answer::Answer;
use crate::call::Call;
use crate::failure;
use crate::selector::{FieldSelector, LabelSelector};
use crate::state::State;
use crate::store::{key, prefix};
use crate::watch::{Beginning, Interest, Now, Pace, View, Watch, Watches};

/// How long a watch lasts that does not say so, at least (`--min-request-timeout`); at most it is twice
/// as long, which spreads the ends of watches that began together.
const LEAST_SECONDS: u64 = 1800;

/// Starts a watch. `shared` holds `state`.
pub(crate) fn watch(
    state: &mut State,
    shared: &Arc<Mutex<State>>,
    watches: &Watches,
    call: &Call<'_>,
) -> Answer {
    match start(state, shared, watches, call) {
        Ok(watch) => Answer::events(watch),
        Err(status) => status.into(),
    }
}

fn start(
    state: &mut State,
    shared: &Arc<Mutex<State>>,
    watches: &Watches,
    call: &Call<'_>,
) -> Result<Watch, Status> {
    let options = &call.options;
    let labels = LabelSelector::parse(&options.label_selector)?;
    options.validate_watch(call.minor)?;
    let mut fields = FieldSelector::parse(&options.field_selector, call.resource)?;
    // The older paths may end in a name.
    if !call.name.is_empty() {
        if fields.is_empty() {
            fields = FieldSelector::named(call.name);
        } else if fields.name() != Some(call.name) {
            return Err(Status::bad_request(
                "fieldSelector metadata.name doesn't match requested name",
            ));
        }
    }
    let version = parse_version(&options.resource_version).map_err(failure::unclassified)?;
    let everywhere = call.resource.namespaced && call.namespace.is_empty();
    let prefix = match fields.name() {
        Some(name) if !everywhere => key(call.resource.name, call.namespace, name),
        _ => prefix(call.resource.name, call.namespace),
    };
    let interest = Interest {
        prefix: prefix.into(),
        labels,
        fields,
        kind: call.resource.kind,
        api_version: call.resource.api_version(),
    };
    let beginning = beginning(state, version, &interest, call);
    let revision = state.store.revision();
    let reader = match state.store.history() {
        Some(history) => history.reader(),
        None => return Err(failure::method_not_allowed()),
    };
    let left = match u64::try_from(options.timeout_seconds) {
        Ok(0) => LEAST_SECONDS + reader * 7919 % LEAST_SECONDS,
        Ok(seconds) => seconds,
        Err(_) => 0,
    };
    let pace = Pace {
        timer: watches.timer,
        left: Duration::from_secs(left),
        bookmarks: options.bookmarks,
    };
    let now = Now { revision, reader };
    let shared = Arc::clone(shared);
    let view = View::of(call, state.source.clock().clone());
    Ok(Watch::new(
        shared, watches, now, interest, beginning, pace, view,
    ))
}

fn beginning(state: &mut State, version: u64, interest: &Interest, call: &Call<'_>) -> Beginning {
    let current = state.store.revision();
    let now = |state: &State| {
        let objects = state.store.scan(call.resource.name, call.namespace);
        objects.filter(|o| interest.selects(o)).cloned().collect()
    };
    match call.options.initial_events(call.minor) {
        Some(true) if version > current => {
            Beginning::Refused(failure::too_large_version(version, current))
        }
        Some(true) if call.options.bookmarks => Beginning::NowAndSaySo(now(state)),
        Some(true) => Beginning::Now(now(state)),
        None if version == 0 => Beginning::Now(now(state)),
        Some(false) if version == 0 => Beginning::After(current),
        Some(false) | None => match state.store.history().map(|history| history.compacted()) {
            Some(oldest) if version < oldest => Beginning::Refused(failure::expired(format!(
                "too old resource version: {version} ({oldest})"
            ))),
            _ => Beginning::After(version),
        },
    }
}

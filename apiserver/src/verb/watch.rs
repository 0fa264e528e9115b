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
use crate::state::{State, in_version};
use crate::store::prefix;
use crate::transform::{self, Form};
use crate::watch::{Beginning, Interest, Now, Pace, Show, Timer, Watch};

/// How long a watch lasts that does not say so, at least (`--min-request-timeout`); at most it is twice
/// as long, which spreads the ends of watches that began together.
const LEAST_SECONDS: u64 = 1800;

/// Starts a watch. `shared` holds `state`.
pub(crate) fn watch(
    state: &mut State,
    shared: &Arc<Mutex<State>>,
    timer: Timer,
    call: &Call<'_>,
) -> Answer {
    match start(state, shared, timer, call) {
        Ok(watch) => Answer::events(watch),
        Err(status) => status.into(),
    }
}

fn start(
    state: &mut State,
    shared: &Arc<Mutex<State>>,
    timer: Timer,
    call: &Call<'_>,
) -> Result<Watch, Status> {
    let options = &call.options;
    let labels = LabelSelector::parse(&options.label_selector)?;
    options.validate_watch(call.minor)?;
    let fields = FieldSelector::parse(&options.field_selector, call.resource)?;
    let version = parse_version(&options.resource_version).map_err(failure::unclassified)?;
    let interest = Interest {
        prefix: prefix(call.resource.name, call.namespace),
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
        timer,
        left: Duration::from_secs(left),
        bookmarks: options.bookmarks,
    };
    let now = Now {
        revision,
        reader,
        time: call.now.clone(),
    };
    let shared = Arc::clone(shared);
    let show = show(call);
    Ok(Watch::new(shared, now, interest, beginning, pace, show))
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

/// How the client wants to see objects. What it cannot see that way is told instead of it.
fn show(call: &Call<'_>) -> Show {
    let Form {
        resource,
        minor,
        representation,
        include,
    } = Form::of(call);
    let include = include.to_owned();
    // The columns of tables are named once.
    let mut first = true;
    Box::new(move |object, now| {
        let form = Form {
            resource,
            minor,
            representation,
            include: &include,
        };
        let shown = transform::embedded(&in_version(object, resource), &form, now, first);
        first = false;
        shown.unwrap_or_else(|status| status.to_json())
    })
}

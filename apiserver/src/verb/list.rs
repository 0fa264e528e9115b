//! GET of a collection: all that selectors select, at once or in pages, as it is or as it was.
//!
//! Upstream: `k8s.io/apiserver/pkg/storage/etcd3/store.go` and `storage/cacher/delegator.go`, `GetList`;
//! `ValidateListOptions` in `storage/interfaces.go`. Nothing is ever stale here: there is one store, so
//! every list is as new as can be, or as old as it asked for.

use std::sync::Arc;

use podgate_admission::encode::encode_untyped;
use podgate_admission::quote::quote;
use podgate_admission::status::Status;
use podgate_admission::value::Object;

use crate::answer::Answer;
use crate::call::Call;
use crate::continuation::Continuation;
use crate::failure;
use crate::options::EXACT;
use crate::selector::{FieldSelector, LabelSelector};
use crate::state::State;
use crate::store::{Compacted, Stored};
use crate::transform::{self, ListMeta};

/// The first minor that tells of a version that is to come in the same words everywhere.
const FIRST_WITH_TOO_LARGE: u8 = 34;
/// The first minor that reads the version of a list before anything else.
const FIRST_WITH_EARLY_VERSION: u8 = 33;

/// The objects of a collection.
pub(crate) fn list(state: &State, call: &Call<'_>) -> Answer {
    match page(state, call) {
        Ok(page) => page.answer(call),
        Err(answer) => answer,
    }
}

/// A list, or a part of one.
#[derive(Debug)]
pub(super) struct Page {
    /// The revision at which the list is.
    revision: u64,
    /// The token for the next page.
    resume: Option<String>,
    /// How many follow behind this page, where that is known.
    remaining: Option<usize>,
    /// In the order of their keys.
    pub(super) objects: Vec<Stored>,
}

impl Page {
    /// The list object.
    pub(super) fn answer(&self, call: &Call<'_>) -> Answer {
        let mut metadata = Object::from_iter([("resourceVersion", self.revision.to_string())]);
        if let Some(token) = &self.resume {
            metadata.insert("continue", token.clone());
        }
        if let Some(count) = self.remaining {
            metadata.insert(
                "remainingItemCount",
                i64::try_from(count).unwrap_or(i64::MAX),
            );
        }
        let metadata = ListMeta(encode_untyped(&metadata.into()));
        transform::list(&metadata, self.objects.iter().map(|object| &**object), call)
    }
}

/// The objects that the request selects, at the version that it wants.
pub(super) fn page(state: &State, call: &Call<'_>) -> Result<Page, Answer> {
    let options = &call.options;
    let labels = LabelSelector::parse(&options.label_selector)?;
    options.validate_list(call.minor)?;
    let fields = FieldSelector::parse(&options.field_selector, call.resource)?;
    let all = labels.is_empty() && fields.is_empty();
    let Place { at, from } = place(state, call)?;
    let revision = at.unwrap_or_else(|| state.store.revision());
    let limit = match usize::try_from(options.limit) {
        // A list from the watch cache that may be any version is not cut (`computeListLimit`).
        Ok(limit) if limit > 0 && options.resource_version != "0" => limit,
        _ => usize::MAX,
    };
    let found = state
        .store
        .scan_at(call.resource.name, call.namespace, revision)
        .map_err(|Compacted| expired(call, from.as_deref()))?;
    let first = match &from {
        Some(start) => found.partition_point(|(key, _)| *key < start.as_str()),
        None => 0,
    };
    let mut page = Page {
        revision,
        resume: None,
        remaining: None,
        objects: Vec::new(),
    };
    let found = &found[first..];
    for (number, (key, object)) in found.iter().enumerate() {
        if !labels.selects(object) || !fields.selects(object) {
            continue;
        }
        page.objects.push(Arc::clone(object));
        let left = found.len() - number - 1;
        if page.objects.len() == limit && left > 0 {
            let next = Continuation::after(key, revision);
            page.resume = Some(next.encode(call.minor));
            // What a selector would leave of the rest nobody has looked at.
            page.remaining = all.then_some(left);
            break;
        }
    }
    Ok(page)
}

/// Where a list begins.
struct Place {
    /// The revision at which it is; nothing for the newest.
    at: Option<u64>,
    /// The first key.
    from: Option<String>,
}

fn place(state: &State, call: &Call<'_>) -> Result<Place, Status> {
    let options = &call.options;
    let version = &*options.resource_version;
    let current = state.store.revision();
    if !options.resume.is_empty() {
        let token = Continuation::decode(&options.resume, call.minor)
            .map_err(|why| Status::bad_request(format!("invalid continue token: {why}")))?;
        if !matches!(version, "" | "0") {
            return Err(Status::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        let at = u64::try_from(token.revision).ok();
        if let Some(at) = at {
            check_exact(at, current, call)?;
        }
        return Ok(Place {
            at,
            from: Some(token.start),
        });
    }
    let exact = options.version_match == EXACT
        || options.version_match.is_empty() && options.limit > 0 && !matches!(version, "" | "0");
    let at = parse_version(version).map_err(|why| {
        if exact || call.minor.number() >= FIRST_WITH_EARLY_VERSION {
            Status::bad_request(format!("invalid resource version: {why}"))
        } else {
            failure::unclassified(why)
        }
    })?;
    if exact {
        check_exact(at, current, call)?;
    } else if at > current {
        return Err(failure::too_large_version(at, current));
    }
    Ok(Place {
        at: exact.then_some(at),
        from: None,
    })
}

/// A version that is to come cannot be listed.
fn check_exact(wanted: u64, current: u64, call: &Call<'_>) -> Result<(), Status> {
    if wanted <= current {
        Ok(())
    } else if call.minor.number() >= FIRST_WITH_TOO_LARGE {
        Err(failure::too_large_version(wanted, current))
    } else {
        // What etcd says goes through as it is.
        Err(failure::unclassified(
            "etcdserver: mvcc: required revision is a future revision".to_owned(),
        ))
    }
}

/// `ParseResourceVersion` in `k8s.io/apiserver/pkg/storage/api_object_versioner.go`: zero for none.
pub(super) fn parse_version(version: &str) -> Result<u64, String> {
    use std::num::IntErrorKind::PosOverflow;
    if version.is_empty() {
        return Ok(0);
    }
    let why = match version.parse() {
        // Go takes no sign.
        Ok(number) if !version.starts_with('+') => return Ok(number),
        Err(error) if *error.kind() == PosOverflow && !version.starts_with('+') => {
            "value out of range"
        }
        _ => "invalid syntax",
    };
    let version = quote(version);
    Err(format!(
        "resourceVersion: Invalid value: {version}: strconv.ParseUint: parsing {version}: {why}"
    ))
}

/// The version of a list is not kept any more (`interpretListError` in `etcd3/errors.go`). Who was in the
/// middle of it is given a token to go on with what is there now.
fn expired(call: &Call<'_>, from: Option<&str>) -> Answer {
    let Some(start) = from else {
        let why = "The resourceVersion for the provided list is too old.";
        return failure::expired(why).into();
    };
    let mut status = failure::expired(
        "The provided continue parameter is too old to display a consistent list result. You can start \
         a new list without the continue parameter, or use the continue token in this response to \
         retrieve the remainder of the results. Continuing with the provided token results in an \
         inconsistent list - objects that were created, modified, or deleted between the time the first \
         chunk was returned and now may show up in the list.",
    )
    .to_value();
    let token = Continuation {
        revision: -1,
        start: start.to_owned(),
    };
    if let Some(status) = status.as_object_mut() {
        let token = token.encode(call.minor);
        status.object_mut("metadata").insert("continue", token);
    }
    Answer::json(410, encode_untyped(&status))
}

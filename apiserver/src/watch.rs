//! The body of a watch: events as lines of JSON, as they happen.
//!
//! It holds a place in the history of the store, and nothing else: who reads slowly takes up no memory,
//! and is sent away when the history has moved past the place, as upstream ends a watch whose buffer is
//! full. What many watches want in the same form is written once for all of them; each puts its own
//! event around it.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/handlers/watch.go`, `WatchServer.HandleHTTP`, and
//! `storage/cacher/cache_watcher.go`.

mod encodings;
mod view;

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use podgate_admission::status::Status;
use podgate_admission::value::{Object, Value};

use crate::history::Change;
use crate::selector::{FieldSelector, LabelSelector};
use crate::state::{State, set_version};
use crate::store::Stored;
use encodings::{Encodings, Key};
pub(crate) use view::View;

/// What keeps the time of watches, handed in by who has a runtime: `tokio::time::sleep` in a box.
pub type Timer = fn(Duration) -> Waiting;

/// It is over when the time is.
pub type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What all watches of a server have in common.
#[derive(Clone, Debug)]
pub(crate) struct Watches {
    pub(crate) timer: Timer,
    encodings: Arc<Mutex<Encodings>>,
}

/// `defaultBookmarkFrequency` in `storage/cacher/cacher.go`
const BOOKMARK_EVERY: Duration = Duration::from_mins(1);
/// How long before its end a watch tells once more where it is (`nextBookmarkTime`).
const BEFORE_THE_END: Duration = Duration::from_secs(2);
/// How many changes are looked at before the client is given something.
const BATCH: usize = 256;
/// How many bytes, about, a client is given at once.
const FRAME: usize = 64 * 1024;
/// What tells that all that was there has been sent.
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// What a watch is about.
#[derive(Debug)]
pub(crate) struct Interest {
    /// What the keys in the store begin with.
    pub(crate) prefix: Arc<str>,
    pub(crate) labels: LabelSelector,
    pub(crate) fields: FieldSelector,
    pub(crate) kind: &'static str,
    pub(crate) api_version: String,
}

/// How a watch begins.
#[derive(Debug)]
pub(crate) enum Beginning {
    /// With what there is now.
    Now(Vec<Stored>),
    /// The same, and then with word that this was all.
    NowAndSaySo(Vec<Stored>),
    /// After a revision.
    After(u64),
    /// Not at all, and that is why.
    Refused(Status),
}

/// Where a watch begins.
#[derive(Debug)]
pub(crate) struct Now {
    /// The revision of the store.
    pub(crate) revision: u64,
    /// A number of its history.
    pub(crate) reader: u64,
}

/// How long a watch lasts, and whether it tells where it is meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) timer: Timer,
    pub(crate) left: Duration,
    pub(crate) bookmarks: bool,
}

/// The events of one client.
pub(crate) struct Watch {
    state: Arc<Mutex<State>>,
    encodings: Arc<Mutex<Encodings>>,
    interest: Interest,
    view: View,
    pace: Pace,
    reader: u64,
    /// The revision up to which everything has been told.
    at: u64,
    initial: std::vec::IntoIter<Stored>,
    /// The revision of the bookmark that ends the initial events, until it is sent.
    initial_end: Option<u64>,
    refused: Option<Status>,
    end: Waiting,
    bookmark: Option<Waiting>,
    ended: bool,
}

impl Watches {
    /// None yet, whose time `timer` keeps.
    pub(crate) fn new(timer: Timer) -> Self {
        Self {
            timer,
            encodings: Arc::default(),
        }
    }
}

impl Watch {
    /// Starts a watch of the store in `state`.
    pub(crate) fn new(
        state: Arc<Mutex<State>>,
        watches: &Watches,
        Now { revision, reader }: Now,
        interest: Interest,
        beginning: Beginning,
        mut pace: Pace,
        view: View,
    ) -> Self {
        let (mut at, mut initial, mut initial_end, mut refused) =
            (revision, Vec::new(), None, None);
        match beginning {
            Beginning::Now(objects) => initial = objects,
            Beginning::NowAndSaySo(objects) => {
                initial = objects;
                initial_end = Some(revision);
            }
            Beginning::After(after) => at = after,
            Beginning::Refused(status) => refused = Some(status),
        }
        Self {
            state,
            encodings: Arc::clone(&watches.encodings),
            interest,
            view,
            reader,
            at,
            initial: initial.into_iter(),
            initial_end,
            refused,
            end: (pace.timer)(pace.left),
            bookmark: pace.next_bookmark(),
            pace,
            ended: false,
        }
    }

    /// The next events, as many as there are by now; nothing when it is over.
    pub(crate) fn poll_events(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.ended || self.end.as_mut().poll(context).is_ready() {
            self.ended = true;
            return Poll::Ready(None);
        }
        if let Some(status) = self.refused.take() {
            self.ended = true;
            let mut event = Vec::new();
            let status = self.view.encode(status.to_json());
            self.view.event("ERROR", &status, &mut event);
            return Poll::Ready(Some(event.into()));
        }
        let events = self.initial_events();
        if !events.is_empty() {
            return Poll::Ready(Some(events.into()));
        }
        loop {
            let Some(changes) = self.changes(context) else {
                self.ended = true;
                return Poll::Ready(None);
            };
            if changes.is_empty() {
                break;
            }
            let mut events = Vec::new();
            for change in changes {
                self.write(&change, &mut events);
                self.at = change.revision;
                if events.len() >= FRAME {
                    break;
                }
            }
            if !events.is_empty() {
                return Poll::Ready(Some(events.into()));
            }
        }
        if let Some(bookmark) = &mut self.bookmark
            && bookmark.as_mut().poll(context).is_ready()
        {
            // This is polled again before it waits, and the new one with it.
            self.bookmark = self.pace.next_bookmark();
            let mut event = Vec::new();
            self.bookmark_event(self.at, false, &mut event);
            return Poll::Ready(Some(event.into()));
        }
        Poll::Pending
    }

    /// What was there at the beginning, as far as it has not been sent.
    fn initial_events(&mut self) -> Vec<u8> {
        let mut events = Vec::new();
        while events.len() < FRAME
            && let Some(object) = self.initial.next()
        {
            let written = self.view.write(&object);
            self.view.event("ADDED", &written, &mut events);
        }
        if events.len() < FRAME
            && let Some(revision) = self.initial_end.take()
        {
            self.bookmark_event(revision, true, &mut events);
        }
        events
    }

    /// The changes that follow; where there are none, the next one wakes this. Nothing where the history
    /// has moved past, or is closed.
    fn changes(&mut self, context: &Context<'_>) -> Option<Vec<Arc<Change>>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let history = state.store.history()?;
        // Others may have changed more than is kept while this had nothing to tell.
        if let Some(quiet) = history.quiet_until(self.reader) {
            self.at = self.at.max(quiet);
            history.forget(self.reader);
        }
        if history.is_closed() || self.at < history.compacted() {
            return None;
        }
        let prefix = &self.interest.prefix;
        let of_interest = |change: &&Arc<Change>| change.key.starts_with(&**prefix);
        let changes: Vec<_> = history
            .after(self.at)
            .filter(of_interest)
            .take(BATCH)
            .cloned()
            .collect();
        if changes.is_empty() {
            self.at = self.at.max(history.newest());
            history.wait(self.reader, Arc::clone(prefix), context.waker());
        }
        Some(changes)
    }

    /// Writes what a change is to this client (`convertToWatchEvent`): an object that comes into what the
    /// selectors select is new to it, one that leaves it is gone.
    fn write(&mut self, change: &Change, events: &mut Vec<u8>) {
        let selected = |object: &Option<Stored>| {
            let object = object.as_ref();
            object.filter(|o| self.interest.selects(o)).cloned()
        };
        let (kind, object, gone) = match (selected(&change.before), selected(&change.after)) {
            (None, None) => return,
            (None, Some(after)) => ("ADDED", after, false),
            (Some(_), Some(after)) => ("MODIFIED", after, false),
            (Some(before), None) => ("DELETED", before, true),
        };
        let revision = change.revision;
        let view = &mut self.view;
        let form = view.form();
        let mut write = || {
            if gone {
                // The object as it was, with the version of the change.
                let mut object = Value::clone(&object);
                if let Some(object) = object.as_object_mut() {
                    set_version(object.object_mut("metadata"), revision);
                }
                view.write(&Arc::new(object))
            } else {
                view.write(&object)
            }
        };
        let written = match form {
            Some(form) => {
                let key = Key {
                    revision,
                    gone,
                    form,
                };
                let encodings = self.encodings.lock();
                let mut encodings = encodings.unwrap_or_else(PoisonError::into_inner);
                encodings.get_or_write(key, write)
            }
            None => write().into(),
        };
        self.view.event(kind, &written, events);
    }

    /// An object with nothing but a version.
    fn bookmark_event(&mut self, revision: u64, initial_end: bool, events: &mut Vec<u8>) {
        let mut metadata = Object::new();
        set_version(&mut metadata, revision);
        if initial_end {
            let annotations = Object::from_iter([(INITIAL_EVENTS_END, "true")]);
            metadata.insert("annotations", annotations);
        }
        let mut object = Object::from_iter([("kind", self.interest.kind)]);
        object.insert("apiVersion", self.interest.api_version.clone());
        object.insert("metadata", metadata);
        let written = self.view.write(&Arc::new(object.into()));
        self.view.event("BOOKMARK", &written, events);
    }
}

impl Interest {
    pub(crate) fn selects(&self, object: &Value<'_>) -> bool {
        self.labels.selects(object) && self.fields.selects(object)
    }
}

impl Pace {
    /// When to tell next where the watch is: after a minute, or shortly before the end.
    fn next_bookmark(&mut self) -> Option<Waiting> {
        let last = self.left.checked_sub(BEFORE_THE_END)?;
        let wait = last.min(BOOKMARK_EVERY);
        self.left -= wait;
        (self.bookmarks && !wait.is_zero()).then(|| (self.timer)(wait))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(history) = state.store.history() {
            history.forget(self.reader);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("interest", &self.interest)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

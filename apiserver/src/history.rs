//! What has changed of late: the writes of a store, oldest first, as far back as they are kept.
//!
//! A watch is a place in here that moves on, so that a reader who is slow costs nothing but the history
//! that is kept anyway, and is left behind when that has moved past it. Lists of an older revision are
//! made by undoing what came after.
//!
//! Upstream: `k8s.io/apiserver/pkg/storage/cacher/watch_cache.go`, whose ring of events this is, and the
//! compaction of etcd.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;

use podgate_admission::value::Value;

use crate::store::Stored;

/// How many bytes, about, the objects of the past may take up.
const MOST_BYTES: usize = 64 << 20;

/// One write.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) revision: u64,
    /// The key of the object in the store.
    pub(crate) key: String,
    /// What was there before; nothing where the object is new.
    pub(crate) before: Option<Stored>,
    /// What is there since; nothing where the object is gone.
    pub(crate) after: Option<Stored>,
}

/// The last writes, and who waits for the next.
#[derive(Debug)]
pub(crate) struct History {
    changes: VecDeque<Arc<Change>>,
    /// How many changes are kept.
    most: usize,
    /// The bytes, about, of the objects that only the history still has.
    bytes: usize,
    /// The revision of the last change that is not kept any more.
    compacted: u64,
    /// Whether nothing more is told to anybody.
    closed: bool,
    waiting: BTreeMap<u64, Waiting>,
    readers: u64,
}

/// Who waits for a change.
#[derive(Debug)]
struct Waiting {
    /// What the keys begin with of which to be told.
    prefix: Arc<str>,
    waker: Waker,
    /// The revision of the first such change.
    told: Option<u64>,
}

impl History {
    /// Starts at a revision, and keeps the last `most` changes from there on.
    pub(crate) fn new(revision: u64, most: usize) -> Self {
        Self {
            changes: VecDeque::new(),
            most: most.max(1),
            bytes: 0,
            compacted: revision,
            closed: false,
            waiting: BTreeMap::new(),
            readers: 0,
        }
    }

    /// Writes a change down, and wakes who waits for one like it.
    pub(crate) fn record(&mut self, change: Change) {
        for waiting in self.waiting.values_mut() {
            if waiting.told.is_none() && change.key.starts_with(&*waiting.prefix) {
                waiting.told = Some(change.revision);
                waiting.waker.wake_by_ref();
            }
        }
        self.bytes += bytes(&change);
        self.changes.push_back(Arc::new(change));
        // The last change is kept in any case: those who are up to date shall not be left behind.
        while self.changes.len() > 1
            && (self.changes.len() > self.most || self.bytes > MOST_BYTES)
            && let Some(oldest) = self.changes.pop_front()
        {
            self.bytes -= bytes(&oldest);
            self.compacted = oldest.revision;
        }
    }

    /// The oldest revision from which on every change is known.
    pub(crate) fn compacted(&self) -> u64 {
        self.compacted
    }

    /// The revision of the last change.
    pub(crate) fn newest(&self) -> u64 {
        self.changes.back().map_or(self.compacted, |c| c.revision)
    }

    /// The changes after a revision, oldest first.
    pub(crate) fn after(&self, revision: u64) -> impl DoubleEndedIterator<Item = &Arc<Change>> {
        let first = self.changes.partition_point(|c| c.revision <= revision);
        self.changes.range(first..)
    }

    /// A number for somebody who is going to wait.
    pub(crate) fn reader(&mut self) -> u64 {
        self.readers += 1;
        self.readers
    }

    /// Wakes `reader` at the next change of what has a key that begins with `prefix`.
    pub(crate) fn wait(&mut self, reader: u64, prefix: Arc<str>, waker: &Waker) {
        let waiting = Waiting {
            prefix,
            waker: waker.clone(),
            told: None,
        };
        self.waiting.insert(reader, waiting);
    }

    /// The revision up to which nothing has happened for which `reader` waits, if it does.
    pub(crate) fn quiet_until(&self, reader: u64) -> Option<u64> {
        let waiting = self.waiting.get(&reader)?;
        Some(waiting.told.map_or(self.newest(), |told| told - 1))
    }

    /// `reader` waits no longer.
    pub(crate) fn forget(&mut self, reader: u64) {
        self.waiting.remove(&reader);
    }

    /// Ends it for all readers.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        for (_, waiting) in std::mem::take(&mut self.waiting) {
            waiting.waker.wake();
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }
}

/// What a change keeps that nobody else does: the object that it replaced. The one that it wrote is in
/// the store, or was replaced by another change.
fn bytes(change: &Change) -> usize {
    size_of::<Change>() + change.key.len() + change.before.as_ref().map_or(0, |object| size(object))
}

fn size(value: &Value<'_>) -> usize {
    let inside = match value {
        Value::String(text) => text.len(),
        Value::List(items) => items.iter().map(size).sum(),
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| size_of::<String>() + key.len() + size(value))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => 0,
    };
    size_of::<Value<'_>>() + inside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(revision: u64, before: usize) -> Change {
        Change {
            revision,
            key: format!("pods/a/{revision}"),
            before: Some(Arc::new(Value::from("x".repeat(before)))),
            after: None,
        }
    }

    fn revisions(history: &History, after: u64) -> Vec<u64> {
        history.after(after).map(|c| c.revision).collect()
    }

    #[test]
    fn keeps_the_last_changes() {
        let mut history = History::new(5, 3);
        assert_eq!(history.compacted(), 5);
        for revision in 6..=10 {
            history.record(change(revision, 10));
        }
        assert_eq!(history.compacted(), 7);
        assert_eq!(revisions(&history, 7), [8, 9, 10]);
        assert_eq!(revisions(&history, 9), [10]);
        assert_eq!(revisions(&history, 10), [0; 0]);
    }

    #[test]
    fn keeps_no_more_than_so_many_bytes_but_the_last_change() {
        let mut history = History::new(1, 1000);
        for revision in 2..=5 {
            history.record(change(revision, MOST_BYTES / 2 - 1024));
        }
        assert_eq!(revisions(&history, 1), [4, 5]);
        history.record(change(6, 2 * MOST_BYTES));
        assert_eq!(revisions(&history, 1), [6]);
        history.record(change(7, 1));
        assert_eq!(revisions(&history, 1), [7]);
        assert!(history.bytes < 1024);
    }

    #[test]
    fn wakes_who_waits_for_such_a_change() {
        let mut history = History::new(1, 10);
        let waker = Waker::noop();
        let (pods, all, other) = (1, 2, 3);
        history.wait(pods, "pods/a/2".into(), waker);
        history.wait(all, "pods/".into(), waker);
        history.wait(other, "services/".into(), waker);
        let quiet = |history: &History| [pods, all, other].map(|r| history.quiet_until(r));
        assert_eq!(quiet(&history), [Some(1); 3]);
        history.record(change(3, 1));
        assert_eq!(quiet(&history), [Some(3), Some(2), Some(3)]);
        let mut second = change(4, 1);
        second.key = "pods/a/2".to_owned();
        history.record(second);
        assert_eq!(quiet(&history), [Some(3), Some(2), Some(4)]);
        history.forget(all);
        assert_eq!(history.quiet_until(all), None);
    }
}

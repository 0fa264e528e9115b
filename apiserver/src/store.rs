//! The objects of one server, by key, in a map that shares its nodes with its copies: a copy of the
//! whole store costs one reference count, and a write after that copies one path of the tree.
//!
//! Upstream's counterpart is etcd behind `k8s.io/apiserver/pkg/storage/etcd3`. The keys are etcd's
//! without the `/registry/` in front, so lists over all namespaces come in upstream's order: that of
//! the bytes of `NAMESPACE/NAME`, in which `a-b/x` stands before `a/x`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use podgate_admission::request::World;
use podgate_admission::value::Value;
use rpds::RedBlackTreeMapSync;

use crate::history::{Change, History};

/// An object as it is stored, in the version that is stored.
pub(crate) type Stored = Arc<Value<'static>>;

#[derive(Clone, Debug)]
struct Entry {
    object: Stored,
    /// The revision at which it was created, which orders objects by age.
    created: u64,
}

/// All objects, and the revision of the last write.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    objects: RedBlackTreeMapSync<String, Entry>,
    revision: u64,
    /// The uids of the objects that were removed, for whoever looks after their dependents.
    removed: BTreeSet<String>,
    /// How many objects of a namespace are marked for deletion; namespaces that have none are not here.
    ending: BTreeMap<String, usize>,
    /// How many references name an owner, by its uid.
    owners: BTreeMap<String, usize>,
    past: Past,
}

/// The history of a store, where one is kept. A copy of the store keeps none: nobody watches it yet, and
/// it shall cost nothing.
#[derive(Debug, Default)]
struct Past(Option<Box<History>>);

impl Clone for Past {
    fn clone(&self) -> Self {
        Self(None)
    }
}

/// The revision is older than the history goes back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Compacted;

impl Store {
    /// An empty store. As in etcd, the first write makes revision 2.
    pub(crate) fn new() -> Self {
        Self {
            objects: RedBlackTreeMapSync::new_sync(),
            revision: 1,
            removed: BTreeSet::new(),
            ending: BTreeMap::new(),
            owners: BTreeMap::new(),
            past: Past(None),
        }
    }

    /// Keeps the last `most` changes from now on.
    pub(crate) fn keep_history(&mut self, most: usize) {
        self.past = Past(Some(Box::new(History::new(self.revision, most))));
    }

    /// The history, where one is kept.
    pub(crate) fn history(&mut self) -> Option<&mut History> {
        self.past.0.as_deref_mut()
    }

    /// The revision of the last write.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// The object `name` of `resource`; the namespace is empty for cluster-scoped resources.
    pub(crate) fn find(&self, resource: &str, namespace: &str, name: &str) -> Option<&Stored> {
        self.objects
            .get(key(resource, namespace, name).as_str())
            .map(|entry| &entry.object)
    }

    /// Writes an object that `make` builds from the revision of this write, and returns it.
    pub(crate) fn put(
        &mut self,
        resource: &str,
        namespace: &str,
        name: &str,
        make: impl FnOnce(u64) -> Value<'static>,
    ) -> Stored {
        self.revision += 1;
        let key = key(resource, namespace, name);
        let object = Arc::new(make(self.revision));
        let before = self.objects.get(&key).cloned();
        self.count(
            namespace,
            before.as_ref().map(|e| &*e.object),
            Some(&object),
        );
        let created = before.as_ref().map_or(self.revision, |entry| entry.created);
        if let Past(Some(history)) = &mut self.past {
            history.record(Change {
                revision: self.revision,
                key: key.clone(),
                before: before.map(|entry| entry.object),
                after: Some(Arc::clone(&object)),
            });
        }
        self.objects.insert_mut(
            key,
            Entry {
                object: Arc::clone(&object),
                created,
            },
        );
        object
    }

    /// Takes an object out; the revision of that write, or nothing where there was no object.
    pub(crate) fn remove(&mut self, resource: &str, namespace: &str, name: &str) -> Option<u64> {
        let key = key(resource, namespace, name);
        let before = Arc::clone(&self.objects.get(&key)?.object);
        self.removed
            .insert(before.text_at(&["metadata", "uid"]).to_owned());
        self.objects.remove_mut(&key);
        self.count(namespace, Some(&before), None);
        self.revision += 1;
        if let Past(Some(history)) = &mut self.past {
            history.record(Change {
                revision: self.revision,
                key,
                before: Some(before),
                after: None,
            });
        }
        Some(self.revision)
    }

    /// Keeps count of what the garbage collector looks at.
    fn count(&mut self, namespace: &str, before: Option<&Value<'_>>, after: Option<&Value<'_>>) {
        let ending = |object: &Value<'_>| {
            !object
                .text_at(&["metadata", "deletionTimestamp"])
                .is_empty()
        };
        for owner in after.into_iter().flat_map(owners) {
            *self.owners.entry(owner.to_owned()).or_default() += 1;
        }
        for owner in before.into_iter().flat_map(owners) {
            if let Some(count) = self.owners.get_mut(owner) {
                *count -= 1;
                if *count == 0 {
                    self.owners.remove(owner);
                }
            }
        }
        match (before.is_some_and(ending), after.is_some_and(ending)) {
            (false, true) => *self.ending.entry(namespace.to_owned()).or_default() += 1,
            (true, false) => {
                if let Some(count) = self.ending.get_mut(namespace) {
                    *count -= 1;
                }
                self.ending.retain(|_, count| *count > 0);
            }
            _ => {}
        }
    }

    /// Whether an object of a namespace is marked for deletion.
    pub(crate) fn has_ending(&self, namespace: &str) -> bool {
        self.ending.contains_key(namespace)
    }

    /// Whether the owner of an object was removed since [`forget_removed`](Self::forget_removed).
    pub(crate) fn has_orphans(&self) -> bool {
        self.removed.iter().any(|uid| self.owners.contains_key(uid))
    }

    /// Whether an object with that uid was removed since [`forget_removed`](Self::forget_removed).
    pub(crate) fn was_removed(&self, uid: &str) -> bool {
        self.removed.contains(uid)
    }

    /// Everybody who had to know has heard of what was removed.
    pub(crate) fn forget_removed(&mut self) {
        self.removed.clear();
    }

    /// Takes out all that is in a namespace.
    pub(crate) fn remove_namespace(&mut self, namespace: &str) {
        let inside = |key: &str| {
            let mut parts = key.splitn(3, '/').skip(1);
            parts.next() == Some(namespace) && parts.next().is_some()
        };
        let keys: Vec<String> = self
            .objects
            .keys()
            .filter(|key| inside(key))
            .cloned()
            .collect();
        for key in keys {
            let mut parts = key.splitn(3, '/');
            if let (Some(resource), Some(namespace), Some(name)) =
                (parts.next(), parts.next(), parts.next())
            {
                self.remove(resource, namespace, name);
            }
        }
    }

    /// The objects of `resource` in `namespace` (empty: in all), in the order of their keys.
    pub(crate) fn scan<'s>(
        &'s self,
        resource: &str,
        namespace: &str,
    ) -> impl Iterator<Item = &'s Stored> + use<'s> {
        self.entries(resource, namespace)
            .map(|(_, entry)| &entry.object)
    }

    /// The objects that [`scan`](Self::scan) gave at a revision, each with its key behind the prefix that
    /// all have in common: `NAME`, or `NAMESPACE/NAME`.
    pub(crate) fn scan_at(
        &self,
        resource: &str,
        namespace: &str,
        revision: u64,
    ) -> Result<Vec<(&str, &Stored)>, Compacted> {
        let prefix = prefix(resource, namespace);
        let now = self
            .entries(resource, namespace)
            .map(|(key, entry)| (&key[prefix.len()..], &entry.object));
        if revision >= self.revision {
            return Ok(now.collect());
        }
        let Past(Some(history)) = &self.past else {
            return Err(Compacted);
        };
        if revision < history.compacted() {
            return Err(Compacted);
        }
        let mut then: BTreeMap<&str, &Stored> = now.collect();
        for change in history.after(revision).rev() {
            if let Some(key) = change.key.strip_prefix(&prefix) {
                match &change.before {
                    Some(object) => then.insert(key, object),
                    None => then.remove(key),
                };
            }
        }
        Ok(then.into_iter().collect())
    }

    fn entries<'s>(
        &'s self,
        resource: &str,
        namespace: &str,
    ) -> impl Iterator<Item = (&'s String, &'s Entry)> + use<'s> {
        let first = prefix(resource, namespace);
        // `0` is the byte behind `/`, so this is the first key behind all that begin with `first`.
        let behind = format!("{}0", &first[..first.len() - 1]);
        self.objects
            .range((Bound::Included(first), Bound::Excluded(behind)))
    }
}

impl World for Store {
    fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Stored> {
        self.find(resource, namespace, name).cloned()
    }

    fn list(&self, resource: &str, namespace: &str) -> Vec<Stored> {
        let mut entries: Vec<_> = self
            .entries(resource, namespace)
            .map(|(_, entry)| entry)
            .collect();
        entries.sort_by_key(|entry| entry.created);
        entries
            .into_iter()
            .map(|entry| Arc::clone(&entry.object))
            .collect()
    }
}

/// The uids of the owners that an object names.
fn owners<'o>(object: &'o Value<'_>) -> impl Iterator<Item = &'o str> {
    let references = object.list_at(&["metadata", "ownerReferences"]).iter();
    references.map(|reference| reference.text_at(&["uid"]))
}

/// What the keys of a resource in a namespace (empty: in all) begin with.
pub(crate) fn prefix(resource: &str, namespace: &str) -> String {
    if namespace.is_empty() {
        format!("{resource}/")
    } else {
        format!("{resource}/{namespace}/")
    }
}

/// The key of an object. Neither part can hold a slash, except in a reference that names nothing.
pub(crate) fn key(resource: &str, namespace: &str, name: &str) -> String {
    let mut key = String::with_capacity(resource.len() + namespace.len() + name.len() + 2);
    key.push_str(resource);
    key.push('/');
    if !namespace.is_empty() {
        key.push_str(namespace);
        key.push('/');
    }
    key.push_str(name);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &'static str) -> Value<'static> {
        Value::from(name)
    }

    fn names<'a>(objects: impl IntoIterator<Item = &'a Stored>) -> Vec<&'a str> {
        objects.into_iter().filter_map(|o| o.as_str()).collect()
    }

    fn filled() -> Store {
        let mut store = Store::new();
        for (namespace, name) in [("b", "z"), ("a-b", "y"), ("a", "x"), ("a", "w")] {
            store.put("pods", namespace, name, |_| named(name));
        }
        store.put("podtemplates", "a", "other", |_| named("other"));
        store
    }

    #[test]
    fn lists_in_order_of_keys_and_in_order_of_age() {
        let store = filled();
        assert_eq!(names(store.scan("pods", "")), ["y", "w", "x", "z"]);
        assert_eq!(names(store.scan("pods", "a")), ["w", "x"]);
        assert_eq!(names(&store.list("pods", "")), ["z", "y", "x", "w"]);
        assert_eq!(names(&store.list("pods", "a")), ["x", "w"]);
        assert!(store.list("pod", "").is_empty());
    }

    #[test]
    fn an_update_keeps_the_age_and_a_copy_stays_as_it_was() {
        let mut store = filled();
        let copy = store.clone();
        store.put("pods", "a", "x", |revision| {
            Value::from(format!("x at {revision}"))
        });
        store.remove("pods", "b", "z");
        assert_eq!(names(&store.list("pods", "")), ["y", "x at 7", "w"]);
        assert_eq!(store.revision(), 8);
        assert_eq!(names(&copy.list("pods", "")), ["z", "y", "x", "w"]);
        assert_eq!(copy.revision(), 6);
    }

    #[test]
    fn the_content_of_a_namespace_goes_and_nothing_else() {
        let mut store = filled();
        store.put("namespaces", "", "a", |_| named("a"));
        store.remove_namespace("a");
        assert_eq!(names(store.scan("pods", "")), ["y", "z"]);
        assert_eq!(names(store.scan("podtemplates", "")), [""; 0]);
        assert_eq!(names(store.scan("namespaces", "")), ["a"]);
    }

    #[test]
    fn a_list_of_the_past_is_what_it_was() {
        let mut store = filled();
        assert_eq!(store.scan_at("pods", "a", 5), Err(Compacted));
        store.keep_history(4);
        let at = |store: &Store, revision| {
            let found = store.scan_at("pods", "", revision)?;
            let shown = found
                .iter()
                .map(|(k, o)| format!("{k}={}", o.as_str().unwrap_or_default()));
            Ok::<_, Compacted>(shown.collect::<Vec<_>>().join(" "))
        };
        store.put("pods", "a", "x", |_| named("changed"));
        store.remove("pods", "b", "z");
        store.put("podtemplates", "a", "other", |_| named("changed"));
        store.put("pods", "a", "v", |_| named("new"));
        let now = "a-b/y=y a/v=new a/w=w a/x=changed";
        assert_eq!(at(&store, 10).as_deref(), Ok(now));
        assert_eq!(at(&store, 11).as_deref(), Ok(now));
        assert_eq!(at(&store, 9).as_deref(), Ok("a-b/y=y a/w=w a/x=changed"));
        assert_eq!(
            at(&store, 7).as_deref(),
            Ok("a-b/y=y a/w=w a/x=changed b/z=z")
        );
        assert_eq!(at(&store, 6).as_deref(), Ok("a-b/y=y a/w=w a/x=x b/z=z"));
        store.put("nodes", "", "n", |_| named("n"));
        assert_eq!(at(&store, 6), Err(Compacted));
        assert_eq!(at(&store.clone(), 9), Err(Compacted));
    }

    #[test]
    fn removing_what_is_not_there_is_no_write() {
        let mut store = filled();
        assert_eq!(store.remove("pods", "a", "nothing"), None);
        assert_eq!(store.revision(), 6);
    }
}

//! The other objects of a recorded request, and names and times that repeat themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use podgate_admission::decode::decode_untyped;
use podgate_admission::request::{Source, World};
use podgate_admission::value::Value;
use serde_json::{Value as Json, json};

/// JSON as a tree.
pub(crate) fn tree(json: &Json) -> Value<'static> {
    let text = json.to_string();
    decode_untyped(text.as_bytes())
        .expect("it is JSON")
        .into_owned()
}

type Key = (String, String, String);

/// Objects by resource, namespace and name.
#[derive(Default)]
pub(crate) struct Objects {
    objects: BTreeMap<Key, Arc<Value<'static>>>,
    order: Vec<Key>,
}

impl Objects {
    /// Keeps an object under its own name.
    pub(crate) fn keep(&mut self, resource: &str, namespace: &str, object: Value<'static>) {
        let name = object.text_at(&["metadata", "name"]).to_owned();
        let key = (resource.to_owned(), namespace.to_owned(), name);
        if !self.objects.contains_key(&key) {
            self.order.push(key.clone());
        }
        self.objects.insert(key, Arc::new(object));
    }

    /// A namespace with its `default` service account.
    pub(crate) fn namespace(&mut self, name: &str, labels: &Json) {
        let namespace = json!({"metadata": {"name": name, "labels": labels}});
        self.keep("namespaces", "", tree(&namespace));
        let account = json!({"metadata": {"name": "default", "namespace": name}});
        self.keep("serviceaccounts", name, tree(&account));
    }
}

impl World for Objects {
    fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Arc<Value<'static>>> {
        let key = (resource.to_owned(), namespace.to_owned(), name.to_owned());
        self.objects.get(&key).cloned()
    }

    fn list(&self, resource: &str, namespace: &str) -> Vec<Arc<Value<'static>>> {
        let of = |key: &&Key| key.0 == resource && (namespace.is_empty() || key.1 == namespace);
        self.order
            .iter()
            .filter(of)
            .map(|key| self.objects[key].clone())
            .collect()
    }
}

/// Names, uids and times in a row.
#[derive(Default)]
pub(crate) struct Names(u32);

impl Source for Names {
    fn suffix(&mut self) -> String {
        self.0 += 1;
        format!("x{:04}", self.0)
    }

    fn uid(&mut self) -> String {
        self.0 += 1;
        format!("00000000-0000-4000-8000-{:012}", self.0)
    }

    fn now(&mut self) -> String {
        "2026-01-01T00:00:00Z".to_owned()
    }
}

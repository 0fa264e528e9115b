//! The other objects of a recorded request, and names and times that repeat themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use podgate_admission::decode::decode_untyped;
use podgate_admission::request::{Source, World};
use podgate_admission::value::Value;
use serde_json::{Value as Json, json};

type Key = (String, String, String);

/// Objects by resource, namespace and name.
#[derive(Default)]
pub struct Objects {
    objects: BTreeMap<Key, Arc<Value<'static>>>,
    order: Vec<Key>,
}

impl Objects {
    pub fn add(&mut self, resource: &str, object: &Json) {
        let text = |key: &str| {
            object["metadata"][key]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let json = object.to_string();
        let value = decode_untyped(json.as_bytes())
            .expect("JSON is decoded")
            .into_owned();
        self.insert(resource, &text("namespace"), &text("name"), value);
    }

    pub fn insert(&mut self, resource: &str, namespace: &str, name: &str, value: Value<'static>) {
        let key = (resource.to_owned(), namespace.to_owned(), name.to_owned());
        self.order.push(key.clone());
        self.objects.insert(key, Arc::new(value));
    }

    /// A namespace with its `default` service account.
    pub fn namespace(&mut self, name: &str, labels: &Json) {
        self.add(
            "namespaces",
            &json!({"metadata": {"name": name, "labels": labels}}),
        );
        let metadata = json!({"name": "default", "namespace": name});
        self.add("serviceaccounts", &json!({"metadata": metadata}));
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
pub struct Names(u32);

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

//! What controllers say of what they did: events about the workload.
//!
//! An event that says the same again is counted, as upstream's correlator does; that it combines
//! similar events after the tenth is not reproduced.
//!
//! Upstream: `k8s.io/client-go/tools/record` (`makeEvent`, `eventAggregator`).

use podgate_admission::resource::Resource;
use podgate_admission::value::{Object, Value};

use super::sync::{Sync, int_at, meta, uid};
use crate::bootstrap;

/// An event in the making.
#[derive(Clone, Copy)]
pub(super) struct Event<'e> {
    /// Whether it is a `Warning`; a `Normal` one otherwise.
    pub(super) warning: bool,
    pub(super) reason: &'static str,
    pub(super) message: &'e str,
    /// Who says it: `replicaset-controller`.
    pub(super) source: &'static str,
}

/// Records an event about an object.
pub(super) fn record(
    sync: &mut Sync<'_>,
    resource: &Resource,
    about: &Value<'_>,
    event: Event<'_>,
) {
    let known = sync.list("events").into_iter().find(|known| {
        known.text_at(&["involvedObject", "uid"]) == uid(about)
            && known.text_at(&["reason"]) == event.reason
            && known.text_at(&["message"]) == event.message
            && known.text_at(&["source", "component"]) == event.source
    });
    let now = sync.now();
    if let Some(known) = known {
        let count = int_at(&known, &["count"]) + 1;
        sync.change("events", &known, |known| {
            known.insert("count", count);
            known.insert("lastTimestamp", now);
        });
        return;
    }
    // Upstream writes the time in nanoseconds behind the object's name.
    let name = format!(
        "{}.{:016x}",
        meta(about, "name"),
        sync.state.store.revision() + 1
    );
    let namespace = sync.namespace.clone();
    let metadata = bootstrap::meta(sync.state, &namespace, &name);
    let mut object = bootstrap::object("v1", "Event", metadata);
    let mut involved = Object::from_iter([
        ("kind", resource.kind.to_owned()),
        ("namespace", namespace.clone()),
        ("name", meta(about, "name").to_owned()),
        ("uid", uid(about).to_owned()),
    ]);
    involved.insert("apiVersion", resource.api_version());
    involved.insert("resourceVersion", meta(about, "resourceVersion").to_owned());
    object.insert("involvedObject", involved);
    object.insert("reason", event.reason);
    object.insert("message", event.message.to_owned());
    let source = Object::from_iter([("component", event.source)]);
    object.insert("source", source);
    object.insert("firstTimestamp", now.clone());
    object.insert("lastTimestamp", now);
    object.insert("count", 1);
    object.insert("type", if event.warning { "Warning" } else { "Normal" });
    object.insert("reportingComponent", event.source);
    sync.state.put("events", &namespace, &name, object);
}

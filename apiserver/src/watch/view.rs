//! How one client wants to see objects, and the events around them.
//!
//! Upstream: `transformObject` in `k8s.io/apiserver/pkg/endpoints/handlers/response.go`, and the encoders of
//! `endpoints/handlers/watch.go`. Another content type has its place here: in what an object is written as, and
//! in what stands around it.

use podgate_admission::resource::Resource;
use podgate_policy::Minor;

use super::encodings;
use crate::call::Call;
use crate::negotiation::{Kind, Representation};
use crate::protobuf;
use crate::source::Clock;
use crate::state::in_version;
use crate::store::Stored;
use crate::transform::{self, Form};

/// The form that a client asked for.
#[derive(Debug)]
pub(crate) struct View {
    minor: Minor,
    resource: &'static Resource,
    representation: Representation,
    include: String,
    /// What time it is, for the ages in tables.
    clock: Clock,
    /// Whether the columns of the table were named, which is done once.
    named: bool,
}

impl View {
    /// As a request wants it.
    pub(crate) fn of(call: &Call<'_>, clock: Clock) -> Self {
        Self {
            minor: call.minor,
            resource: call.resource,
            representation: call.representation,
            include: call.options.include_object.clone(),
            clock,
            named: false,
        }
    }

    /// What this has in common with the views of others; nothing where each client is told something of
    /// its own, as of a table.
    pub(super) fn form(&self) -> Option<encodings::Form> {
        (self.representation.kind != Kind::Table).then_some(encodings::Form {
            version: (self.resource.group, self.resource.version),
            representation: self.representation,
        })
    }

    /// Writes an object. What cannot be seen that way is told instead of it.
    pub(super) fn write(&mut self, object: &Stored) -> Vec<u8> {
        let form = Form {
            minor: self.minor,
            resource: self.resource,
            representation: self.representation,
            include: &self.include,
        };
        let now = match self.representation.kind {
            Kind::Table => self.clock.time(),
            _ => String::new(),
        };
        let object = in_version(object, self.resource);
        let shown = transform::embedded(&object, &form, &now, !self.named);
        self.named = true;
        self.encode(shown.unwrap_or_else(|status| status.to_json()))
    }

    /// A document in the content type that is wanted; nothing where it has no form in that, as a table has
    /// none in protobuf.
    pub(super) fn encode(&self, json: String) -> Vec<u8> {
        if self.representation.protobuf {
            protobuf::of_json(json.as_bytes(), self.minor).unwrap_or_default()
        } else {
            json.into_bytes()
        }
    }

    /// Writes an event around a document: in JSON a line. About nothing there is no event.
    pub(super) fn event(&self, kind: &str, document: &[u8], events: &mut Vec<u8>) {
        if document.is_empty() {
            return;
        }
        if self.representation.protobuf {
            return protobuf::event(kind, document, events);
        }
        events.reserve(document.len() + 48);
        events.extend_from_slice(b"{\"type\":\"");
        events.extend_from_slice(kind.as_bytes());
        events.extend_from_slice(b"\",\"object\":");
        events.extend_from_slice(document);
        events.extend_from_slice(b"}\n");
    }
}

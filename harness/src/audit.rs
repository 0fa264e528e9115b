//! What a configuration would do to pods that some server has stored: what `podgate audit` asks.
//!
//! Made for a million pods. A dump is read in chunks of about a mebibyte, never as a whole; each chunk
//! is cut at the borders of its records, scanned once into the view that policies read, judged, and
//! written, in one loop, on every core; results come in the order of the input. Pods as stored are
//! judged by Pod Security alone: they passed everything else when they were created. The templates of
//! workloads go through the whole chain, as do pods where the plugin `PodSecurityPolicy` decides.
//!
//! Upstream's counterpart is the check of existing pods in `admission/admission.go` of
//! pod-security-admission (`EvaluatePodsInNamespace`), which looks at 3,000 pods for one second.

mod chain;
mod chunk;
mod configuration;
mod document;
mod judge;
mod known;
mod line;
pub mod live;
mod namespaces;
mod report;
mod run;
mod source;
mod tally;
mod today;

pub use chunk::{Chunk, LONGEST};
pub use document::Document;
pub use judge::{Detail, Judge, Part};
pub use known::Known;
pub use namespaces::Namespaces;
pub use report::{
    CheckReport, Counts, FaultReport, NamespaceReport, Over, Owner, OwnerReport, Report,
    TemplateReport, Unread,
};
pub use run::{Options, Watch, audit};

//! Clusters, scenarios, backends, outcomes and snapshots: what a suite is and how it runs.
//!
//! Every backend, the embedded server too, is reached as a Kubernetes client: one code path, so that
//! a scenario cannot pass for another reason than on a real cluster. Only [`check`], made for bulk,
//! calls the admission chain directly.

pub mod suite;
pub mod versions;

pub mod plan;

pub mod backend;
pub mod exchange;
pub mod execute;
mod foreign;
pub mod lifecycle;
pub mod run;
mod subject;

pub mod attribute;
pub mod expect;
pub mod outcome;
pub mod psp;
pub mod redact;
pub mod report;
pub mod snapshot;

pub mod coverage;
pub mod fault;
pub mod mutation;
pub mod record;
pub mod shard;
pub mod verified;

pub mod audit;
pub mod check;
mod digest;
pub mod error;
pub mod fix;
pub mod render;
pub mod template;

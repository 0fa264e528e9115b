//! Clusters, scenarios, backends, outcomes and snapshots.

pub mod attribute;
pub mod outcome;
pub mod redact;
pub mod snapshot;

//! Clusters, scenarios, backends, outcomes and snapshots.

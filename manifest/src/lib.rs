//! Reads manifests as kubectl reads them, with positions.

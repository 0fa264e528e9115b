//! Disposable clusters of kind: Kubernetes in containers, created and deleted by the run.

pub mod images;
pub mod release;

//! Pure evaluators of pod security: a view of a pod and a policy in, a verdict out.
//!
//! Upstream's counterpart is `k8s.io/pod-security-admission/{api,policy}`. Nothing here reads a
//! clock, a file, the environment or a network, and nothing iterates a hash map: the same input
//! gives the same bytes.

pub mod minor;
pub mod view;

pub use minor::Minor;

//! Pure evaluators of pod security: a view of a pod and a policy in, a verdict out.
//!
//! Upstream's counterparts are `k8s.io/pod-security-admission/{api,policy}`, and for
//! [`PodSecurityPolicy`](psp) `pkg/security/podsecuritypolicy`. Nothing here reads a
//! clock, a file, the environment or a network, and nothing iterates a hash map: the same input
//! gives the same bytes.
//!
//! ```
//! use podgate_policy::view::{Container, Pod, SecurityContext};
//! use podgate_policy::{Minor, Server, evaluate, text};
//!
//! let server = Server::new(Minor::known(36));
//! let security_context = SecurityContext { privileged: Some(true), ..Default::default() };
//! let container = Container { name: "c", security_context, ..Default::default() };
//! let pod = Pod { containers: vec![container], ..Default::default() };
//!
//! let policy = "baseline:latest".parse().unwrap();
//! let violations = evaluate(server, policy, &pod);
//! assert_eq!(
//!     text::deny(server, policy, &violations),
//!     r#"violates PodSecurity "baseline:latest": privileged (container "c" must not set securityContext.privileged=true)"#,
//! );
//! assert_eq!(violations[0].check.id, "privileged");
//! assert_eq!(violations[0].fields, ["spec.containers[0].securityContext.privileged"]);
//! ```

pub mod checks;
mod evaluate;
pub mod labels;
mod level;
pub mod minor;
pub mod psp;
mod quote;
pub mod remedy;
pub mod rules;
mod server;
pub mod text;
pub mod view;

pub use checks::{CHECKS, Check};
pub use evaluate::{Violation, evaluate};
pub use labels::NamespacePolicy;
pub use level::{
    Level, LevelError, LevelVersion, LevelVersionError, PolicyVersion, PolicyVersionError,
};
pub use minor::Minor;
pub use quote::quote;
pub use rules::Rules;
pub use server::Server;
pub use text::checks_in_message;

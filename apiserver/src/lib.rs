//! The embedded API server: storage and HTTP over the admission chain, as a tower Service that any
//! Kubernetes client can be put on, in process and without a socket.
//!
//! ```
//! # use podgate_admission::chain::Server;
//! # use podgate_apiserver::{ApiServer, Clock, Seeded};
//! # use podgate_policy::Minor;
//! let server = ApiServer::new(Server::new(Minor::NEWEST), Seeded::new(1, Clock::default()));
//! let scenario = server.fork();
//! // kube::Client::new(scenario, "default")
//! ```
//!
//! Upstream's counterparts are `k8s.io/apiserver` and `k8s.io/kubernetes/pkg/controlplane`, with the
//! few controllers without which a cluster does not behave like one.
//!
//! Known differences: no watch, no server-side apply, no tables, no `managedFields`, JSON only, and
//! lists are never cut into pages. What is not served is refused, not half done.

mod answer;
mod authorize;
mod bootstrap;
mod call;
mod controllers;
mod discovery;
mod failure;
mod options;
mod patch;
mod path;
mod registry;
mod selector;
mod server;
mod source;
mod state;
mod store;
pub mod user;
mod verb;
mod version;

pub use answer::{AuditAnnotations, Body};
pub use server::ApiServer;
pub use source::{Clock, Seeded};

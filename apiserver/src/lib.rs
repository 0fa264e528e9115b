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
//! Requests are judged by RBAC, with the roles and bindings of a new cluster, as whoever the headers
//! impersonate; without such headers they are the admin's. `AuditAnnotations` beside a response are
//! what a real server writes into its audit log.
//!
//! Known differences, all of them refusals or omissions, never other verdicts: JSON only, but for apply
//! configurations. Only a server that [keeps a history](ApiServer::keep_history) can be watched, and
//! only its lists can be of the past. Only one that [tracks fields](ApiServer::tracking_fields) has
//! `managedFields` on all that it stores. Where a patch makes no such object any more, the refusal shows
//! the object with its keys in another order.
//!
//! Controllers have done their work before the next answer: workloads have their pods, what is owned
//! goes with its owner, a refused pod leaves an event and a condition. No scheduler and no kubelet
//! follows, so pods stay pending, and a rollout goes as far as it can with pods that never become
//! ready. A refused pod is tried again when something is written in its namespace. There is no node
//! until one is created, and so no pod of a daemon set. No clock runs: cron jobs make no jobs, and
//! nothing times out. Hashes in names are not upstream's; no controller revisions and no claims of
//! stateful sets are made; jobs never end.

mod answer;
mod apply;
mod authorize;
mod bootstrap;
mod call;
mod continuation;
mod controllers;
mod discovery;
mod failure;
mod health;
mod history;
mod negotiation;
mod openapi;
mod options;
mod owned;
mod patch;
mod path;
mod printers;
mod protobuf;
mod registry;
mod selector;
#[cfg(feature = "serve")]
pub mod serve;
mod server;
mod source;
mod state;
mod store;
mod transform;
pub mod user;
mod verb;
mod version;
mod watch;

pub use answer::{AuditAnnotations, Body};
pub use server::ApiServer;
pub use source::{Clock, Seeded};
pub use watch::{Timer, Waiting};

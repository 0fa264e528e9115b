//! What kube-apiserver does to an object between the request and the store, for every minor:
//! decode and default, mutating plugins, field drops and syncs, validation, warnings, validating
//! plugins.
//!
//! Everything is one synchronous call, [`admit`](chain::admit): the world (other objects), the
//! names to generate and the time are handed in. Upstream's counterpart is the create and update
//! handlers of `k8s.io/apiserver` with the registry strategies and admission plugins of
//! `k8s.io/kubernetes`.

pub mod chain;
pub mod config;
pub mod controller;
pub mod decode;
pub mod default;
mod drop;
pub mod encode;
mod image;
pub mod json;
pub mod plugins;
mod podspec;
mod prepare;
pub mod quantity;
pub mod quote;
pub mod rbac;
pub mod request;
pub mod resource;
mod resources;
pub mod scan;
pub mod schema;
pub mod status;
pub mod validation;
pub mod value;
pub mod versions;
pub mod view;
mod warning_header;
mod warnings;

#[cfg(test)]
mod truth;

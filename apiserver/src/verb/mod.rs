//! The verbs of the API, one file each.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/handlers` over `pkg/registry/generic/registry/store.go`.

mod create;
mod delete;
mod read;
mod review;
mod update;

pub(crate) use create::create;
pub(crate) use delete::{delete, delete_collection};
pub(crate) use read::{get, list};
pub(crate) use review::review;
pub(crate) use update::{patch, update};

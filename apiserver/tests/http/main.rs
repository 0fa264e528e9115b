//! The server as an HTTP client sees it, one request at a time.

mod authorization;
mod controllers;
mod discovery;
mod exchange;
mod node;
mod pod_security_policy;
mod protobuf;
mod read;
mod recorded;
mod scale;
mod stages;
mod subresources;
mod write;

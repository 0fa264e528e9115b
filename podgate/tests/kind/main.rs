//! The backend kind, end to end: podgate as a person starts it, with stand-ins for kind, for Docker and for what runs
//! in a node; and, where kind is there, with kind itself on a stand-in for Docker.

#![cfg(unix)]

#[path = "../cli/folder.rs"]
#[allow(dead_code, reason = "it is shared with the tests of the command line")]
mod folder;

mod boots;
mod failures;
mod real_kind;
mod runs;
mod standin;

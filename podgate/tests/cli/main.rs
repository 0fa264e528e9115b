//! End to end: the binary in a folder of its own, as a person at a terminal or a CI job runs it.
//! One module for each command, and one for what is asked of all of them.

mod audit;
mod bad_input;
mod check;
mod context;
mod coverage;
mod diff;
mod dumps;
mod explain;
mod fix;
mod folder;
mod formats;
mod help;
mod init;
mod policies;
mod project;
#[cfg(unix)]
mod render;
mod reports;
mod review;
#[cfg(unix)]
mod session;
mod shards;
mod teams;
mod templates;
mod terminal;
mod test;
mod versions;

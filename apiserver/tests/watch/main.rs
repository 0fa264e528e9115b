//! Watches of a server in this process, where nothing lies in a socket and time passes when a test says so.

mod bookmarks;
mod exchange;
mod forms;
mod time;
mod watcher;

use podgate_admission::chain::Server;
use podgate_apiserver::{ApiServer, Clock, Seeded};
use podgate_policy::Minor;
use serde_json::{Value, json};

/// A server of that minor that has just started, and keeps that many changes.
fn server(minor: u8, history: usize) -> ApiServer {
    let mut server = ApiServer::new(
        Server::new(Minor::known(minor)),
        Seeded::new(1, Clock::default()),
    );
    server.keep_history(history, time::timer);
    server
}

fn pod(name: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "c", "image": "nginx"}]},
    })
}

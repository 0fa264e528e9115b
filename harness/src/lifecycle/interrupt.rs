//! Ctrl-C, SIGTERM and the end of the terminal: what the run made is removed, then the process ends
//! as the signal would have ended it, with 128 and the signal's number as a shell counts.

use std::sync::{Arc, Weak};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::Shared;
use crate::error::Error;

/// Removes what the run made when a signal comes. The thread waits as long as the process lives: a
/// signal that comes when the run is over ends the process all the same.
pub(super) fn listen(shared: &Arc<Shared>) -> Result<(), Error> {
    let failed =
        |error: std::io::Error| Error::environment(format!("cannot listen for signals: {error}"));
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(failed)?;
    let shared: Weak<Shared> = Arc::downgrade(shared);
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let Some(signal) = signals.forever().next() else {
                return;
            };
            // Removing can take a while, where a container runtime is asked: who cannot wait
            // presses Ctrl-C again.
            thread::spawn(move || {
                if let Some(signal) = signals.forever().next() {
                    eprintln!("podgate: not everything is removed: podgate clean finds the rest");
                    std::process::exit(128 + signal);
                }
            });
            if let Some(shared) = shared.upgrade() {
                // Nothing is made any more: the lock is never let go of.
                let mut state = shared.state();
                if !state.things.is_empty() {
                    eprintln!("\npodgate: interrupted, removing what was made");
                }
                state.remove_all();
                std::process::exit(128 + signal);
            }
            std::process::exit(128 + signal);
        })
        .map_err(failed)?;
    Ok(())
}

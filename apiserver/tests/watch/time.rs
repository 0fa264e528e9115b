//! The time of a test: it stands still until it is told to pass.

use std::cell::Cell;
use std::task::Poll;
use std::time::Duration;

use podgate_apiserver::Waiting;

thread_local! {
    /// How long this test has run by its own clock; every test has a thread of its own.
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Is over when so much time has passed. It wakes nobody: a test looks after it let time pass.
pub(crate) fn timer(wait: Duration) -> Waiting {
    let until = NOW.get() + wait;
    Box::pin(std::future::poll_fn(move |_| {
        if NOW.get() >= until {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }))
}

pub(crate) fn pass(time: Duration) {
    NOW.set(NOW.get() + time);
}

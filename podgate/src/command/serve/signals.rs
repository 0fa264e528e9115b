//! What ends a server: Ctrl-C, and on Unix SIGTERM and the end of the terminal.

use podgate_harness::error::Error;

/// A future that is done when the process is told to end. The signals are taken from the moment on in
/// which this returns.
#[cfg(unix)]
pub(super) fn ended() -> Result<impl Future<Output = ()>, Error> {
    use tokio::signal::unix::{SignalKind, signal};

    let take = |kind| signal(kind).map_err(|e| refused(&e));
    let mut interrupt = take(SignalKind::interrupt())?;
    let mut terminate = take(SignalKind::terminate())?;
    let mut hangup = take(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

/// A future that is done when the process is told to end.
#[cfg(windows)]
pub(super) fn ended() -> Result<impl Future<Output = ()>, Error> {
    let mut ctrl_c = tokio::signal::windows::ctrl_c().map_err(|e| refused(&e))?;
    Ok(async move {
        ctrl_c.recv().await;
    })
}

fn refused(error: &std::io::Error) -> Error {
    Error::environment(format!("cannot wait for signals: {error}"))
}

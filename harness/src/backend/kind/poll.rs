//! Asking again until something is so, with the last thing that was seen when it never is.

use std::future::Future;
use std::time::{Duration, Instant};

use crate::error::Error;

/// How long to wait between two questions. They are cheap, and a boot is made of such waits.
const INTERVAL: Duration = Duration::from_millis(200);

/// Asks until the answer is `Ok(Ok(_))`, for at most `limit`. `Ok(Err(seen))` says what was seen instead; an error
/// of the environment, such as a server that does not answer yet, counts as seen too.
pub(super) async fn poll<T, F>(
    what: &str,
    limit: Duration,
    mut ask: impl FnMut() -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<Result<T, String>, Error>>,
{
    let started = Instant::now();
    loop {
        let seen = match ask().await {
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(seen)) => seen,
            Err(error) => error.message().to_owned(),
        };
        if started.elapsed() >= limit {
            return Err(Error::environment(format!(
                "waited {} s in vain for {what}: {seen}",
                limit.as_secs()
            ))
            .hint("a machine under load takes longer: fewer boots side by side (--parallel 1) may help"));
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

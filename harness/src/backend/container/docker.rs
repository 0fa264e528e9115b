//! What is asked of the Docker engine beside starting containers: whether it is there, whether it has
//! an image, what a container wrote, and that a container goes away.
//!
//! The engine is the one that testcontainers uses: that of `DOCKER_HOST`, or of the usual sockets.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};
use std::thread;

use futures_util::StreamExt as _;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as DockerError;
use testcontainers::bollard::query_parameters::{
    InspectContainerOptions, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
};
use testcontainers::core::client::docker_client_instance;

use super::RUN_LABEL;
use crate::error::{Error, causes};

/// Runs what `ask` asks to its end, wherever this is called. The client keeps no connection from one
/// call to the next, so each may have a runtime of its own.
pub(super) fn wait<T, F>(ask: impl FnOnce() -> F + Send) -> Result<T, Error>
where
    T: Send,
    F: Future<Output = Result<T, Error>>,
{
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::environment(format!("the runtime does not start: {e}")))?;
        runtime.block_on(ask())
    };
    // A thread that runs a runtime already cannot run another.
    let ended = thread::scope(|scope| scope.spawn(run).join());
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The engine, if it answers.
pub(super) async fn engine() -> Result<Docker, Error> {
    let docker = docker_client_instance().await.map_err(|error| {
        Error::environment(format!("there is no Docker engine: {}", causes(&error))).hint(START)
    })?;
    match docker.ping().await {
        Ok(_) => Ok(docker),
        Err(error) => Err(unreachable(&error)),
    }
}

const START: &str = "start one (dockerd, Docker Desktop), or say in DOCKER_HOST where it is; the embedded \
    backend needs none";

fn unreachable(error: &DockerError) -> Error {
    if kind(error) == Some(ErrorKind::PermissionDenied) {
        return Error::environment(
            "the Docker engine does not let this user in: permission denied on its socket",
        )
        .hint("add the user to the group docker and log in again, or set DOCKER_HOST to an engine of your own");
    }
    Error::environment(format!("no Docker engine answers: {}", causes(error))).hint(START)
}

/// What the operating system said, if it said something.
fn kind(error: &DockerError) -> Option<ErrorKind> {
    let mut source: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        source = error.source();
    }
    None
}

/// Whether the engine has the image already.
pub(super) async fn has_image(docker: &Docker, image: &str) -> Result<bool, Error> {
    match docker.inspect_image(image).await {
        Ok(_) => Ok(true),
        Err(DockerError::DockerResponseServerError {
            status_code: 404, ..
        }) => Ok(false),
        Err(error) => Err(failed("look for an image", &error)),
    }
}

/// The end of what a container wrote, newest last; empty where it cannot be had.
pub(super) async fn log(docker: &Docker, container: &str, lines: &str) -> String {
    let options = LogsOptionsBuilder::new()
        .stdout(true)
        .stderr(true)
        .tail(lines)
        .build();
    let mut stream = docker.logs(container, Some(options));
    let mut text = String::new();
    while let Some(Ok(line)) = stream.next().await {
        text.push_str(&line.to_string());
    }
    text
}

/// Whether a container is there and runs.
pub(super) async fn is_running(docker: &Docker, container: &str) -> Result<bool, Error> {
    let found = docker
        .inspect_container(container, None::<InspectContainerOptions>)
        .await;
    match found {
        Ok(found) => Ok(found.state.and_then(|state| state.running).unwrap_or(false)),
        Err(DockerError::DockerResponseServerError {
            status_code: 404, ..
        }) => Ok(false),
        Err(error) => Err(failed("look for a container", &error)),
    }
}

/// Removes the container of a run, if it is there and the run's; whether it was.
pub(super) async fn remove(docker: &Docker, container: &str, run: &str) -> Result<bool, Error> {
    let found = docker
        .inspect_container(container, None::<InspectContainerOptions>)
        .await;
    let found = match found {
        Ok(found) => found,
        Err(DockerError::DockerResponseServerError {
            status_code: 404, ..
        }) => return Ok(false),
        Err(error) => return Err(failed("look for a container", &error)),
    };
    let labels = found.config.and_then(|config| config.labels);
    let owner = labels.as_ref().and_then(|labels| labels.get(RUN_LABEL));
    if owner.map(String::as_str) != Some(run) {
        return Ok(false);
    }
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true);
    match docker
        .remove_container(container, Some(options.build()))
        .await
    {
        // Somebody else is removing it, or has.
        Ok(())
        | Err(DockerError::DockerResponseServerError {
            status_code: 404 | 409,
            ..
        }) => Ok(true),
        Err(error) => Err(failed("remove a container", &error)),
    }
}

/// Why the engine did not do what it was asked to.
fn failed(what: &str, error: &DockerError) -> Error {
    Error::environment(format!(
        "the Docker engine does not {what}: {}",
        causes(error)
    ))
    .hint("docker info, and the engine's own log, say more")
}

//! The removal of a run's namespace from an existing cluster after the run itself could not do it: it
//! was interrupted, or killed.

use std::path::Path;
use std::thread;

use http::Method;
use kube::Client;

use super::kubeconfig;
use crate::error::{Error, causes};
use crate::exchange::{Answer, Call, Identity, exchange};
use crate::run::RUN_LABEL;

/// Deletes the namespace, if it is there and carries the label of `run`; whether it did. It is not
/// waited for.
pub(crate) fn remove(
    file: Option<&Path>,
    context: &str,
    name: &str,
    run: &str,
) -> Result<bool, Error> {
    let removal = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::environment(format!("the runtime does not start: {e}")))?;
        runtime.block_on(delete(file, context, name, run))
    };
    // Whoever drops a run may be running a runtime already.
    let ended = thread::scope(|scope| scope.spawn(removal).join());
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

async fn delete(file: Option<&Path>, context: &str, name: &str, run: &str) -> Result<bool, Error> {
    let left = |why: &str| {
        Error::environment(format!(
            "the namespace `{name}` of context `{context}` is left there: {why}"
        ))
        .hint(format!(
            "kubectl --context {context} delete namespace {name}"
        ))
    };
    let config = kubeconfig::configuration(file, context).await?;
    let client = Client::try_from(config).map_err(|error| left(&causes(&error)))?;
    let path = format!("/api/v1/namespaces/{name}");
    let found = call(&client, Method::GET, &path).await?;
    if found.code == 404 || found.body["metadata"]["labels"][RUN_LABEL] != run {
        return Ok(false);
    }
    if !found.body["metadata"]["deletionTimestamp"].is_null() {
        return Ok(false);
    }
    let answer = call(&client, Method::DELETE, &path).await?;
    if answer.succeeded() || matches!(answer.code, 404 | 409) {
        Ok(true)
    } else {
        Err(left(answer.message()))
    }
}

async fn call(client: &Client, method: Method, path: &str) -> Result<Answer, Error> {
    let call = Call {
        method,
        path: path.to_owned(),
        body: None,
        identity: &Identity::Admin,
    };
    exchange(client, call).await
}

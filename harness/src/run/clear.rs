//! Removes what a scenario made on a real server, so that the next one is not judged by it.
//!
//! Upstream: the namespace controller (`pkg/controller/namespace/deletion`) empties a namespace that
//! is deleted, and finalizes it. Where no controller manager runs, podgate does both.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use http::Method;
use podgate_admission::resource::{self, Resource};
use serde_json::{Value, json};

use super::{Ground, Target, collection, served};
use crate::error::Error;
use crate::exchange::{Answer, Call, Identity, exchange};
use crate::suite::{Cluster, Scenario};

use super::ScenarioRun;

/// How long a namespace may take to be gone, where controllers empty it.
const GONE: Duration = Duration::from_mins(1);

/// Removes what `run` made: the scenario's namespace, and what it made outside of it. A namespace
/// whose name was chosen is gone when this returns: the next scenario may have chosen it, too.
pub async fn clear(
    target: Target<'_>,
    cluster: &Cluster,
    scenario: &Scenario,
    run: &ScenarioRun,
) -> Result<(), Error> {
    for path in run.made.iter().rev() {
        if path.starts_with(NAMESPACES) && path.matches('/').count() == 4 {
            clear_namespace(target, cluster, scenario, path, true).await?;
        } else {
            let answer = call(target, Method::DELETE, path, Some(at_once())).await?;
            gone_or(&answer, path)?;
        }
    }
    let name = target.namespace(cluster, scenario);
    let path = format!("{NAMESPACES}{name}");
    let until_gone = scenario.namespace.name.is_some() || target.ground != Ground::Own;
    clear_namespace(target, cluster, scenario, &path, until_gone).await
}

const NAMESPACES: &str = "/api/v1/namespaces/";

async fn clear_namespace(
    target: Target<'_>,
    cluster: &Cluster,
    scenario: &Scenario,
    path: &str,
    until_gone: bool,
) -> Result<(), Error> {
    let answer = call(target, Method::DELETE, path, Some(at_once())).await?;
    gone_or(&answer, path)?;
    if answer.code == 404 {
        return Ok(());
    }
    if target.real.is_some_and(|real| !real.controllers) {
        empty(target, cluster, scenario, path).await?;
        finalize(target, path).await?;
    }
    let started = Instant::now();
    while until_gone && call(target, Method::GET, path, None).await?.code != 404 {
        if started.elapsed() > GONE {
            return Err(Error::environment(format!(
                "{path} was deleted a minute ago and is still there"
            ))
            .hint("something in it has a finalizer that nobody removes"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Deletes what can be in a namespace: the kinds of the scenario and its cluster, and what the
/// server or podgate adds to them.
async fn empty(
    target: Target<'_>,
    cluster: &Cluster,
    scenario: &Scenario,
    path: &str,
) -> Result<(), Error> {
    let name = path.strip_prefix(NAMESPACES).unwrap_or_default();
    let manifests = cluster.objects.iter().chain(&scenario.manifests);
    let mut resources: Vec<&Resource> = manifests
        .filter_map(|manifest| served(manifest, target.minor))
        .collect();
    for name in ["pods", "serviceaccounts"] {
        resources.extend(resource::by_path("", "v1", name, target.minor));
    }
    let paths: BTreeSet<String> = resources
        .into_iter()
        .filter(|resource| resource.namespaced)
        .map(|resource| collection(resource, Some(name)))
        .collect();
    for path in paths {
        let answer = call(target, Method::DELETE, &path, Some(at_once())).await?;
        gone_or(&answer, &path)?;
    }
    Ok(())
}

async fn finalize(target: Target<'_>, path: &str) -> Result<(), Error> {
    let mut namespace = call(target, Method::GET, path, None).await?.body;
    if namespace["kind"] != "Namespace" {
        return Ok(());
    }
    namespace["spec"]["finalizers"] = json!([]);
    let path = format!("{path}/finalize");
    let answer = call(target, Method::PUT, &path, Some(namespace)).await?;
    gone_or(&answer, &path)
}

fn at_once() -> Value {
    json!({
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "gracePeriodSeconds": 0,
        "propagationPolicy": "Background",
    })
}

/// That it is gone already is what was wanted; a namespace that is being deleted is a conflict.
fn gone_or(answer: &Answer, path: &str) -> Result<(), Error> {
    if answer.succeeded() || matches!(answer.code, 404 | 409) {
        return Ok(());
    }
    Err(Error::environment(format!(
        "what a scenario made cannot be removed: {path}: {}",
        answer.message()
    )))
}

async fn call(
    target: Target<'_>,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Result<Answer, Error> {
    let body = body.map(|body| body.to_string());
    let call = Call {
        method,
        path: path.to_owned(),
        body: body
            .as_deref()
            .map(|body| ("application/json", body.as_bytes())),
        identity: &Identity::Admin,
    };
    exchange(target.client, call).await
}

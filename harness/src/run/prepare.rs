//! Puts the objects of a cluster file in place, before scenarios and in the namespace of each.

use http::Method;
use kube::Client;
use podgate_admission::resource::Resource;
use podgate_manifest::{Document, Segment};
use podgate_policy::Minor;
use serde_json::json;

use super::place::{collection, known_in_some_minor, served};
use crate::error::Error;
use crate::exchange::{Call, Identity, exchange};
use crate::subject;
use crate::suite::cluster::NamespaceSpec;
use crate::suite::{Cluster, Manifest};

/// Puts the objects of `cluster` in place that do not belong into a scenario's namespace, namespaces
/// first.
pub async fn prepare(client: &Client, cluster: &Cluster, minor: Minor) -> Result<(), Error> {
    let (namespaces, others): (Vec<&Manifest>, Vec<&Manifest>) = cluster
        .objects
        .iter()
        .partition(|manifest| manifest.kind() == "Namespace");
    for manifest in namespaces.into_iter().chain(others) {
        let Some(resource) = served_or_refused(manifest, minor)? else {
            continue;
        };
        if !of_scenario(manifest, resource) {
            let namespace = manifest.document.namespace();
            apply_as_admin(client, manifest, &manifest.body, resource, namespace).await?;
        }
    }
    Ok(())
}

/// Puts the objects of `cluster` in place that belong to every scenario: those in its namespace, and
/// bindings of its service accounts. The paths of those that lie outside of it.
pub(crate) async fn prepare_namespace(
    client: &Client,
    cluster: &Cluster,
    minor: Minor,
    namespace: &str,
) -> Result<Vec<String>, Error> {
    let mut made = Vec::new();
    for manifest in &cluster.objects {
        let Some(resource) = served_or_refused(manifest, minor)? else {
            continue;
        };
        if of_scenario(manifest, resource) {
            let body = subject::with_namespace(manifest, namespace);
            let place = resource.namespaced.then_some(namespace);
            let place = manifest.document.namespace().or(place);
            apply_as_admin(client, manifest, &body, resource, place).await?;
            if place != Some(namespace) {
                made.push(format!("{}/{}", collection(resource, place), manifest.name));
            }
        }
    }
    Ok(made)
}

/// Makes the namespace `default` what the namespace of a scenario is: with the labels and annotations of
/// `cluster`, and its objects that belong into every scenario's.
pub(crate) async fn prepare_default(
    client: &Client,
    cluster: &Cluster,
    minor: Minor,
) -> Result<(), Error> {
    let NamespaceSpec {
        labels,
        annotations,
    } = &cluster.namespace;
    let body = json!({"metadata": {"labels": labels, "annotations": annotations}}).to_string();
    let call = Call {
        method: Method::PATCH,
        path: "/api/v1/namespaces/default".to_owned(),
        body: Some(("application/merge-patch+json", body.as_bytes())),
        identity: &Identity::Admin,
    };
    let answer = exchange(client, call).await?;
    if !answer.succeeded() {
        return Err(Error::input(format!(
            "{}: Kubernetes {minor} refuses what spec.namespace asks for: {}",
            cluster.file.display(),
            answer.message()
        )));
    }
    prepare_namespace(client, cluster, minor, "default")
        .await
        .map(drop)
}

pub(crate) fn of_scenario(manifest: &Manifest, resource: &Resource) -> bool {
    let placed = !resource.namespaced || manifest.document.namespace().is_some();
    !placed || subject::is_of_scenario(manifest)
}

/// The resource of an object of a cluster file. `None` for kinds that decide nothing here; an error
/// where the minor does not serve it, since a policy that is not there must not look like one that
/// admits.
pub(super) fn served_or_refused(
    manifest: &Manifest,
    minor: Minor,
) -> Result<Option<&'static Resource>, Error> {
    match served(manifest, minor) {
        None if known_in_some_minor(manifest) => Err(manifest.error_at(
            "kind",
            format!(
                "Kubernetes {minor} serves no {} of {}",
                manifest.kind(),
                manifest.api_version()
            ),
            "spec.kubernetes of the cluster says which versions it is for",
        )),
        found => Ok(found),
    }
}

pub(super) async fn apply_as_admin(
    client: &Client,
    manifest: &Manifest,
    body: &str,
    resource: &Resource,
    namespace: Option<&str>,
) -> Result<(), Error> {
    let call = |method, path, content_type| Call {
        method,
        path,
        body: Some((content_type, body.as_bytes())),
        identity: &Identity::Admin,
    };
    let path = collection(resource, namespace);
    let post = call(Method::POST, path.clone(), "application/json");
    let mut answer = exchange(client, post).await?;
    if answer.code == 409 {
        // What is there from the start, such as the service account `default`.
        let path = format!("{path}/{}", manifest.name);
        let change = call(Method::PATCH, path, "application/merge-patch+json");
        answer = exchange(client, change).await?;
    }
    if answer.succeeded() {
        return Ok(());
    }
    let message = format!(
        "the server refuses {}: {}",
        manifest.reference(),
        answer.message()
    );
    Err(manifest.error_at(
        "",
        message,
        "objects of a cluster must be admitted before its scenarios run",
    ))
}

/// Why a server refuses a namespace, at the label or annotation that its message names, in the first
/// of the files that say what namespaces carry.
pub(crate) fn refused_namespace<'a>(
    heads: impl Iterator<Item = &'a Document>,
    minor: Minor,
    message: &str,
) -> Option<Error> {
    const HINT: &str =
        "every namespace carries what the cluster file and the scenario say under spec.namespace";
    let [field, key] = ["labels", "annotations"].into_iter().find_map(|field| {
        let (_, rest) = message.split_once(&format!("metadata.{field}["))?;
        Some([field, rest.split_once(']')?.0])
    })?;
    let path = ["spec", "namespace", field, key].map(Segment::from);
    let head = heads
        .into_iter()
        .find(|head| head.position(&path).is_some())?;
    let refused = format!("Kubernetes {minor} refuses the namespace: {message}");
    Some(
        head.error_at(&path, true, refused, Some(HINT.to_owned()))
            .into(),
    )
}

//! The requests of a scenario that change something.

use std::time::Instant;

use http::Method;
use podgate_admission::resource::Resource;
use serde_json::json;

use super::place::namespaced_path;
use super::{Runner, aggregate};
use crate::error::Error;
use crate::exchange::{Answer, Identity};
use crate::suite::Manifest;

/// A request that changes something.
pub(super) enum Write<'a> {
    /// What `kubectl apply` does: the object is created in a collection, or changed.
    Apply {
        collection: String,
        manifest: &'a Manifest,
    },
    Patch {
        path: String,
        content_type: &'static str,
        body: Vec<u8>,
    },
    Delete {
        path: String,
    },
}

/// The object that an answer is about.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) resource: &'static Resource,
    pub(super) manifest: Option<&'a Manifest>,
    pub(super) namespace: Option<&'a str>,
}

impl Subject<'_> {
    /// An object that is there already, or ought to be.
    pub(super) fn known(resource: &'static Resource) -> Self {
        Self {
            resource,
            manifest: None,
            namespace: None,
        }
    }
}

impl Runner<'_> {
    /// Makes a request that counts; on a real server when nothing of before lingers any more.
    pub(super) async fn submit(
        &mut self,
        write: &Write<'_>,
        subject: Subject<'_>,
        identity: &Identity,
    ) -> Result<Answer, Error> {
        self.until_settled(write, subject, identity).await?;
        let answer = self.write(write, identity, false).await?;
        if answer.succeeded() && subject.resource.kind != "Pod" {
            if subject.resource.kind == "ClusterRole" {
                aggregate(self.target).await?;
            }
            self.changed = Instant::now();
        }
        Ok(answer)
    }

    pub(super) async fn write(
        &mut self,
        write: &Write<'_>,
        identity: &Identity,
        dry_run: bool,
    ) -> Result<Answer, Error> {
        let query = if dry_run { "?dryRun=All" } else { "" };
        match write {
            Write::Apply {
                collection,
                manifest,
            } => {
                let body = manifest.body.as_bytes();
                let json = Some(("application/json", body));
                let path = format!("{collection}{query}");
                let mut answer = self.send(Method::POST, &path, json, identity).await?;
                if answer.code != 409 || answer.body["reason"] != "AlreadyExists" {
                    return Ok(answer);
                }
                if self.unstored.is_some() {
                    // That a name is taken is said last, by the store: the object was admitted. Its
                    // pods are those of the template as it was sent: they get its defaults themselves.
                    answer.code = 201;
                    answer.body = serde_json::from_str(&manifest.body).unwrap_or_default();
                    return Ok(answer);
                }
                let path = format!("{collection}/{}", manifest.name);
                self.look_at_pods(&path).await?;
                let change = Some(("application/merge-patch+json", body));
                let path = format!("{path}{query}");
                self.send(Method::PATCH, &path, change, identity).await
            }
            Write::Patch {
                path,
                content_type,
                body,
            } => {
                self.look_at_pods(path).await?;
                let body = Some((*content_type, body.as_slice()));
                let path = format!("{path}{query}");
                self.send(Method::PATCH, &path, body, identity).await
            }
            Write::Delete { path } => {
                // As kubectl does it: what the object owns goes too, whatever its kind does by default.
                let mut body = json!({"kind": "DeleteOptions", "apiVersion": "v1",
                    "propagationPolicy": "Background"});
                if dry_run {
                    body["dryRun"] = json!(["All"]);
                }
                let body = body.to_string();
                let body = Some(("application/json", body.as_bytes()));
                self.send(Method::DELETE, path, body, identity).await
            }
        }
    }

    /// Notes the names that are made up among the pods of a namespace that is about to change: the
    /// server's warnings name some of them. Controllers ask for such names, but those of stateful
    /// sets.
    pub(super) async fn look_at_pods(&mut self, path: &str) -> Result<(), Error> {
        let name = path.strip_prefix("/api/v1/namespaces/");
        let Some(name) = name.filter(|name| !name.contains('/')) else {
            return Ok(());
        };
        let path = namespaced_path(name, "pods");
        let answer = self
            .send(Method::GET, &path, None, &Identity::Admin)
            .await?;
        let pods = answer.body["items"].as_array().into_iter().flatten();
        let names = pods.map(|pod| &pod["metadata"]).filter(|metadata| {
            let owners = metadata["ownerReferences"].as_array().into_iter().flatten();
            metadata["generateName"].is_string()
                && !owners
                    .into_iter()
                    .any(|owner| owner["kind"] == "StatefulSet")
        });
        let names = names.filter_map(|metadata| metadata["name"].as_str());
        self.made_up = names.map(str::to_owned).collect();
        Ok(())
    }
}

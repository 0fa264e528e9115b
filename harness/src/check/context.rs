//! What the judged objects meet: a server with the cluster's configuration, the context that the
//! input brings, and a namespace for each object.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use podgate_admission::request::User;
use podgate_admission::resource::{self, Resource};
use podgate_apiserver::{ApiServer, Clock, Seeded};
use podgate_policy::{LevelVersion, Minor, labels};
use serde_json::json;

use super::judge::without_server_fields;
use crate::error::Error;
use crate::exchange::{Call, Identity, exchange};
use crate::foreign::Foreign;
use crate::run;
use crate::suite::{Cluster, Manifest, Requester};

/// The Pod Security labels that flags put on every namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// `--enforce`
    pub enforce: Option<LevelVersion>,
    /// `--warn`
    pub warn: Option<LevelVersion>,
    /// `--audit`
    pub audit: Option<LevelVersion>,
}

impl Policy {
    /// Whether no flag was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn labels(&self) -> impl Iterator<Item = (&'static str, String)> {
        let modes = [
            (self.enforce, labels::ENFORCE, labels::ENFORCE_VERSION),
            (self.audit, labels::AUDIT, labels::AUDIT_VERSION),
            (self.warn, labels::WARN, labels::WARN_VERSION),
        ];
        modes
            .into_iter()
            .filter_map(|(mode, level, version)| Some((mode?, level, version)))
            .flat_map(|(mode, level, version)| {
                [
                    (level, mode.level.to_string()),
                    (version, mode.version.to_string()),
                ]
            })
    }
}

/// One server that judges: a cluster configuration, or none, at one minor.
#[derive(Clone, Debug)]
pub struct Target {
    /// The cluster; `None` where flags or the input say what holds.
    pub cluster: Option<Cluster>,
    /// The minor.
    pub minor: Minor,
}

/// A prepared [`Target`].
#[derive(Debug)]
pub(super) struct Context {
    pub(super) server: ApiServer,
    pub(super) cluster: Option<String>,
    pub(super) minor: Minor,
    pub(super) user: User,
    pub(super) requester: String,
    pub(super) foreign: Foreign,
}

impl Context {
    /// Prepares a server for `target`: the objects of its cluster, the context in the input, and the
    /// namespaces `namespaces` with the labels of `policy`.
    pub(super) fn new(
        target: &Target,
        policy: Policy,
        requester: Option<&Requester>,
        context: &[Manifest],
        namespaces: &BTreeSet<String>,
        default_namespace: &str,
    ) -> Result<Self, Error> {
        let config = match &target.cluster {
            Some(cluster) => cluster.server(target.minor)?,
            None => podgate_admission::config::Server::new(target.minor),
        };
        let server = ApiServer::new(config, Seeded::new(1, Clock::default()));
        let requester = requester.or(target.cluster.as_ref().and_then(|c| c.requester.as_ref()));
        let cluster_objects = target.cluster.iter().flat_map(|cluster| &cluster.objects);
        let mut foreign = Foreign::default();
        foreign.add(cluster_objects, None);
        foreign.add(context, Some(default_namespace));

        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|e| Error::environment(format!("the runtime does not start: {e}")))?;
        let setup = Setup {
            target,
            policy,
            context,
            namespaces,
            default_namespace,
        };
        // A client needs the runtime that it will run on from its first moment.
        runtime.block_on(async {
            setup
                .run(&kube::Client::new(server.clone(), "default"))
                .await
        })?;
        Ok(Self {
            server,
            cluster: target.cluster.as_ref().map(|cluster| cluster.name.clone()),
            minor: target.minor,
            user: user(requester),
            requester: requester.map_or_else(|| "admin".to_owned(), |r| r.user.clone()),
            foreign,
        })
    }

    /// Lets somebody else ask, and returns who asked so far.
    pub(super) fn asked_by(&mut self, requester: &Requester) -> (User, String) {
        let user = std::mem::replace(&mut self.user, user(Some(requester)));
        let shown = std::mem::replace(&mut self.requester, requester.user.clone());
        (user, shown)
    }

    /// Lets those ask again who asked before [`asked_by`](Self::asked_by).
    pub(super) fn asks_again(&mut self, (user, shown): (User, String)) {
        self.user = user;
        self.requester = shown;
    }

    /// The same with a server of its own.
    pub(super) fn fork(&self) -> Self {
        Self {
            server: self.server.fork(),
            cluster: self.cluster.clone(),
            minor: self.minor,
            user: self.user.clone(),
            requester: self.requester.clone(),
            foreign: self.foreign.clone(),
        }
    }
}

struct Setup<'a> {
    target: &'a Target,
    policy: Policy,
    context: &'a [Manifest],
    namespaces: &'a BTreeSet<String>,
    default_namespace: &'a str,
}

impl Setup<'_> {
    async fn run(&self, client: &kube::Client) -> Result<(), Error> {
        if let Some(cluster) = &self.target.cluster {
            run::prepare(client, cluster, self.target.minor).await?;
        }
        for namespace in self.namespaces {
            self.namespace(client, namespace).await?;
        }
        let (first, then): (Vec<_>, Vec<_>) = self
            .context
            .iter()
            .filter(|manifest| manifest.kind() != "Namespace")
            // A binding may name a role that stands behind it, but nothing is looked up before use.
            .partition(|manifest| manifest.kind() == "ServiceAccount");
        for manifest in first.into_iter().chain(then) {
            self.object(client, manifest).await?;
        }
        if let Some(cluster) = &self.target.cluster {
            for namespace in self.namespaces {
                run::prepare_namespace(client, cluster, self.target.minor, namespace).await?;
            }
        }
        Ok(())
    }

    /// Makes a namespace: what the cluster's file says, under what the input says, under the flags.
    async fn namespace(&self, client: &kube::Client, name: &str) -> Result<(), Error> {
        let mut labels: BTreeMap<String, String> = BTreeMap::new();
        let mut annotations = BTreeMap::new();
        if let Some(cluster) = &self.target.cluster {
            labels.extend(cluster.namespace.labels.clone());
            annotations.extend(cluster.namespace.annotations.clone());
        }
        let own = self
            .context
            .iter()
            .find(|m| m.kind() == "Namespace" && m.name == name);
        if let Some(own) = own {
            let object: serde_json::Value = serde_json::from_str(&own.body).unwrap_or_default();
            for (key, target) in [("labels", &mut labels), ("annotations", &mut annotations)] {
                let pairs = object["metadata"][key].as_object().into_iter().flatten();
                target.extend(pairs.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))));
            }
        }
        labels.extend(
            self.policy
                .labels()
                .map(|(key, value)| (key.to_owned(), value)),
        );
        let metadata = json!({"name": name, "labels": labels, "annotations": annotations});
        let body =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}).to_string();
        let call = |method, path, content_type, body| Call {
            method,
            path,
            body: Some((content_type, body)),
            identity: &Identity::Admin,
        };
        let path = "/api/v1/namespaces".to_owned();
        let post = call(Method::POST, path, "application/json", body.as_bytes());
        let mut answer = exchange(client, post).await?;
        if answer.code == 409 {
            // `default` and its like are there from the start.
            let path = format!("/api/v1/namespaces/{name}");
            let content_type = "application/merge-patch+json";
            let change = call(Method::PATCH, path, content_type, body.as_bytes());
            answer = exchange(client, change).await?;
        }
        if answer.succeeded() {
            return Ok(());
        }
        let message = answer.message();
        if let Some(own) = own {
            let field = ["labels", "annotations"].into_iter().find_map(|field| {
                let (_, rest) = message.split_once(&format!("metadata.{field}["))?;
                Some(format!("metadata.{field}[{}]", rest.split_once(']')?.0))
            });
            return Err(own.error_at(
                field.as_deref().unwrap_or("metadata.name"),
                format!("Kubernetes {} refuses it: {message}", self.target.minor),
                "nothing can be judged in a namespace that is refused",
            ));
        }
        let head = self.target.cluster.iter().map(|cluster| &cluster.head);
        match run::refused_namespace(head, self.target.minor, message) {
            Some(error) => Err(error),
            // There can be no such namespace: the server says so of each object in it.
            None => Ok(()),
        }
    }

    async fn object(&self, client: &kube::Client, manifest: &Manifest) -> Result<(), Error> {
        let Some(resource) = served(manifest, self.target.minor) else {
            return Ok(());
        };
        let namespace = manifest
            .document
            .namespace()
            .unwrap_or(self.default_namespace);
        let body = without_server_fields(&manifest.body);
        let call = Call {
            method: Method::POST,
            path: run::collection(resource, resource.namespaced.then_some(namespace)),
            body: Some(("application/json", body.as_bytes())),
            identity: &Identity::Admin,
        };
        let answer = exchange(client, call).await?;
        // The `default` service account of a namespace is there already, and is the same object.
        if answer.succeeded() || answer.code == 409 {
            return Ok(());
        }
        Err(manifest.error_at(
            "",
            format!(
                "Kubernetes {} refuses it: {}",
                self.target.minor,
                answer.message()
            ),
            "the judged objects may need it, so nothing is judged without it",
        ))
    }
}

/// The resource of a manifest on a server of `minor`.
pub(super) fn served(manifest: &Manifest, minor: Minor) -> Option<&'static Resource> {
    resource::by_kind(manifest.api_version(), manifest.kind(), minor)
}

fn user(requester: Option<&Requester>) -> User {
    match requester {
        None => podgate_apiserver::user::admin(),
        Some(requester) => {
            podgate_apiserver::user::impersonated(requester.user.clone(), requester.groups.clone())
        }
    }
}

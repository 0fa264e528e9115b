//! What the user of a context may do there, asked of the server itself: by a
//! `SelfSubjectAccessReview`, which decides and stores nothing.
//!
//! Upstream: `ResourceAttributes` in `k8s.io/api/authorization/v1/types.go`; what is asked about
//! impersonation is what `withLegacyImpersonation` in `k8s.io/apiserver/pkg/endpoints/filters` asks.

use std::collections::BTreeSet;
use std::fmt;

use http::Method;
use kube::Client;
use serde_json::json;

use crate::error::Error;
use crate::exchange::{Call, Identity, exchange};

/// Something that one may be allowed to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Permission {
    pub(super) verb: &'static str,
    pub(super) group: String,
    pub(super) resource: String,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
}

impl Permission {
    pub(super) fn new(verb: &'static str, group: &str, resource: &str) -> Self {
        Self {
            verb,
            group: group.to_owned(),
            resource: resource.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn within(mut self, namespace: Option<&str>) -> Self {
        self.namespace = namespace.map(str::to_owned);
        self
    }

    pub(super) fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// What it takes to act as somebody.
    pub(super) fn impersonate(identity: &Identity) -> BTreeSet<Self> {
        let Identity::User { name, groups } = identity else {
            return BTreeSet::new();
        };
        let account = name.strip_prefix("system:serviceaccount:");
        let user = match account.and_then(|account| account.split_once(':')) {
            Some((namespace, account)) => Self::new("impersonate", "", "serviceaccounts")
                .within(Some(namespace))
                .named(account),
            None => Self::new("impersonate", "", "users").named(name),
        };
        let groups = groups
            .iter()
            .map(|group| Self::new("impersonate", "", "groups").named(group));
        [user].into_iter().chain(groups).collect()
    }

    /// Whether the client's user has it.
    pub(super) async fn is_granted(&self, client: &Client) -> Result<bool, Error> {
        const PATH: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "verb": self.verb,
                "group": self.group,
                "resource": self.resource,
                "namespace": self.namespace.as_deref().unwrap_or_default(),
                "name": self.name.as_deref().unwrap_or_default(),
            }},
        })
        .to_string();
        let call = Call {
            method: Method::POST,
            path: PATH.to_owned(),
            body: Some(("application/json", review.as_bytes())),
            identity: &Identity::Admin,
        };
        let answer = exchange(client, call).await?;
        if !answer.succeeded() {
            return Err(Error::environment(format!(
                "the cluster does not say what its user may do: {}",
                answer.message()
            ))
            .hint("system:basic-user, which everybody has by default, grants selfsubjectaccessreviews"));
        }
        Ok(answer.body["status"]["allowed"] == true)
    }
}

impl fmt::Display for Permission {
    /// As a person would say it: `create deployments.apps in namespace web`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        if let Some(name) = &self.name {
            write!(f, " {name}")?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None => Ok(()),
        }
    }
}

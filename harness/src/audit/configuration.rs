//! A configuration: what it demands of namespaces, and what its Pod Security says of a pod as stored.
//!
//! Upstream: `ValidatePod` and `EvaluatePod` in `admission/admission.go` of pod-security-admission; the
//! same for requests is `podgate_admission::plugins::pod_security`, and a test demands equal answers.

use std::collections::BTreeMap;

use podgate_admission::config::Server;
use podgate_admission::plugins::Plugin;
use podgate_policy::labels::{self, LabelError};
use podgate_policy::view::Pod;
use podgate_policy::{LevelVersion, NamespacePolicy, Violation, evaluate};

use crate::check::{self, Policy, Target};
use crate::error::Error;
use crate::suite::Requester;

/// A server with its configuration, and the labels that flags put on every namespace.
#[derive(Debug)]
pub(super) struct Configuration {
    pub(super) server: Server,
    pub(super) policy: podgate_policy::Server,
    /// How the whole chain judges, and whether it judges pods, too.
    pub(super) chain: check::Options,
    pub(super) by_chain: bool,
    /// Whether the plugin is on.
    pub(super) judges: bool,
    /// Whether it comes from a cluster's file.
    has_cluster: bool,
    /// What flags put on every namespace.
    flags: Policy,
    /// What the cluster's file puts on every namespace.
    labels: BTreeMap<String, String>,
    /// What a namespace demands of which nothing else is known.
    pub(super) implicit: Demand,
    user: String,
}

/// What a namespace demands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Demand {
    pub(super) policy: NamespacePolicy,
    pub(super) errors: Vec<LabelError>,
    /// `policy.enforce` as annotations have it.
    pub(super) enforced: String,
}

/// What a server says of a pod.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    /// Why it is exempt.
    pub(super) exempt: Option<&'static str>,
    pub(super) enforce: Vec<Violation>,
    pub(super) audit: Vec<Violation>,
    pub(super) warn: Vec<Violation>,
}

impl Configuration {
    /// `locate` says whether the whole chain is to tell the fields at fault.
    pub(super) fn new(
        target: &Target,
        flags: Policy,
        requester: Option<&Requester>,
        locate: bool,
    ) -> Result<Self, Error> {
        let cluster = target.cluster.as_ref();
        let server = match cluster {
            Some(cluster) => cluster.server(target.minor)?,
            None => Server::new(target.minor),
        };
        let requester = requester.or(cluster.and_then(|cluster| cluster.requester.as_ref()));
        let mut configuration = Self {
            chain: check::Options {
                files: Vec::new(),
                recursive: false,
                rendered: Vec::new(),
                templates: Vec::new(),
                namespace: "default".to_owned(),
                policy: flags,
                requester: requester.cloned(),
                show_object: false,
                locate,
                targets: vec![target.clone()],
            },
            by_chain: server.has(Plugin::PodSecurityPolicy),
            policy: server.policy(),
            judges: server.has(Plugin::PodSecurity),
            has_cluster: cluster.is_some(),
            flags,
            labels: cluster
                .map(|cluster| cluster.namespace.labels.clone())
                .unwrap_or_default(),
            implicit: Demand::default(),
            user: requester.map_or_else(
                || podgate_apiserver::user::admin().name,
                |requester| requester.user.clone(),
            ),
            server,
        };
        configuration.implicit = configuration.demand(&BTreeMap::new());
        Ok(configuration)
    }

    /// Who asks, as lines say it.
    pub(super) fn requester(&self) -> &str {
        let requester = self.chain.requester.as_ref();
        requester.map_or("admin", |requester| requester.user.as_str())
    }

    /// Whether the labels of namespaces can change who is admitted.
    pub(super) fn reads_labels(&self) -> bool {
        self.judges && self.flags.enforce.is_none()
    }

    /// Whether it says what pods may do wherever a namespace says nothing.
    pub(super) fn has_policy(&self) -> bool {
        self.has_cluster || !self.flags.is_empty() || self.implicit.demands()
    }

    /// What a namespace with these labels demands.
    pub(super) fn demand(&self, own: &BTreeMap<String, String>) -> Demand {
        let mut all = self.labels.clone();
        all.extend(own.clone());
        all.extend(
            self.flags
                .labels()
                .map(|(key, value)| (key.to_owned(), value)),
        );
        let (policy, errors) = labels::parse(
            |key| all.get(key).map(String::as_str),
            &self.server.pod_security.defaults,
            self.policy,
        );
        let enforced = policy.enforce.to_string();
        Demand {
            policy,
            errors,
            enforced,
        }
    }

    /// What the server says of a pod.
    pub(super) fn judgement(&self, demand: &Demand, namespace: &str, pod: &Pod<'_>) -> Judgement {
        let mut judgement = Judgement::default();
        if !self.judges {
            return judgement;
        }
        let configuration = &self.server.pod_security;
        let class = pod.runtime_class;
        let privileged = demand.errors.is_empty() && demand.policy.fully_privileged();
        judgement.exempt = if configuration.exempts_namespace(namespace) {
            Some("namespace")
        } else if configuration.exempts_user(&self.user) {
            Some("user")
        } else if !privileged
            && class.is_some_and(|class| configuration.exempts_runtime_class(class))
        {
            Some("runtimeClass")
        } else {
            None
        };
        if judgement.exempt.is_some() || privileged {
            return judgement;
        }
        let policy = &demand.policy;
        let judge = |of: LevelVersion| evaluate(self.policy, of, pod);
        judgement.enforce = judge(policy.enforce);
        judgement.audit = if policy.audit == policy.enforce {
            judgement.enforce.clone()
        } else {
            judge(policy.audit)
        };
        // Who is rejected is not warned.
        if judgement.enforce.is_empty() && policy.warn != policy.enforce {
            judgement.warn = judge(policy.warn);
        }
        judgement
    }
}

impl Demand {
    /// Whether it asks for anything.
    pub(super) fn demands(&self) -> bool {
        !self.policy.fully_privileged()
    }
}

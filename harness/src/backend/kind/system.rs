//! What a kind cluster's own pods need before they are admitted, and its removal before the configuration under test
//! goes in.
//!
//! Static pods run whatever the API server thinks of them, but the kubelet shows each as a mirror pod, which is
//! admitted like any other (kubernetes/kubernetes#53467); `kube-proxy`, `kindnet`, `coredns` and the
//! `local-path-provisioner` are made by controllers. With the plugin `PodSecurityPolicy` and no policy, or with
//! restricted defaults of Pod Security, none of them comes into being.

use std::time::Duration;

use http::Method;
use kube::Client;
use serde_json::{Value, json};

use super::poll::poll;
use crate::error::Error;
use crate::exchange::{Answer, Call, Identity, exchange};
use crate::suite::{Admission, Flags};

/// How long the cluster's own pods may take to be there once they may be.
const PODS: Duration = Duration::from_mins(3);
/// How long the API server may take to notice that a policy is gone.
const NOTICED: Duration = Duration::from_secs(30);

/// The namespaces of the pods that a kind cluster brings.
const NAMESPACES: [&str; 2] = ["kube-system", "local-path-storage"];
/// The name of what is put in and removed again.
const NAME: &str = "podgate-system";
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// What the system's pods are let in by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Leave {
    /// A policy and the right to use it.
    policy: bool,
    /// Labels of their namespaces.
    labels: bool,
}

impl Leave {
    /// What a server with these flags takes.
    pub(super) fn of(flags: &Flags, admission: Option<&Admission>) -> Self {
        Self {
            policy: flags
                .enable_admission_plugins
                .iter()
                .any(|plugin| plugin == "PodSecurityPolicy"),
            // Whether it has defaults that reject them is not looked into: the labels are removed again.
            labels: admission.is_some(),
        }
    }

    /// Whether the server does not admit the system's pods as it is.
    pub(super) const fn is_needed(self) -> bool {
        self.policy || self.labels
    }

    /// Lets the system's pods in. What a pod was answered with before is what it has to be answered with once the
    /// leave is taken back.
    pub(super) async fn give(self, client: &Client) -> Result<u16, Error> {
        let before = dry_run(client).await?.code;
        if self.policy {
            for (path, _, object) in policy() {
                let body = object.to_string();
                let made = ask(client, Method::POST, path.to_owned(), Some(&body)).await?;
                done(made, &[409])?;
            }
        }
        if self.labels {
            label(client, &json!("privileged")).await?;
        }
        Ok(before)
    }

    /// Waits until the system's pods are there, as far as the cluster has any.
    pub(super) async fn used(client: &Client) -> Result<(), Error> {
        poll("the pods of kube-system", PODS, || async {
            for namespace in NAMESPACES {
                for kind in ["daemonsets", "deployments"] {
                    let path = format!("/apis/apps/v1/namespaces/{namespace}/{kind}");
                    let list = done(ask(client, Method::GET, path, None).await?, &[404])?;
                    for object in list.body["items"].as_array().into_iter().flatten() {
                        if !has_pods(object) {
                            let name = object["metadata"]["name"].as_str().unwrap_or_default();
                            return Ok(Err(format!("{name} has none yet")));
                        }
                    }
                }
            }
            Ok(Ok(()))
        })
        .await
    }

    /// Takes the leave back, and waits until the API server has noticed.
    pub(super) async fn take_back(self, client: &Client, before: u16) -> Result<(), Error> {
        if self.policy {
            for (path, name, _) in policy().into_iter().rev() {
                let path = format!("{path}/{name}");
                done(ask(client, Method::DELETE, path, None).await?, &[404])?;
            }
        }
        if self.labels {
            label(client, &Value::Null).await?;
        }
        poll("the system's leave to be gone", NOTICED, || async {
            let code = dry_run(client).await?.code;
            let seen = format!("a pod is answered with {code}, and with {before} before");
            Ok(if code == before { Ok(()) } else { Err(seen) })
        })
        .await
    }
}

/// Whether the controller of a daemon set or of a deployment has made all its pods.
fn has_pods(object: &Value) -> bool {
    let number = |value: &Value| value.as_i64().unwrap_or_default();
    let status = &object["status"];
    let seen = number(&status["observedGeneration"]) >= number(&object["metadata"]["generation"]);
    let made = match status["desiredNumberScheduled"].as_i64() {
        Some(desired) => number(&status["currentNumberScheduled"]) >= desired,
        None => number(&status["replicas"]) >= number(&object["spec"]["replicas"]),
    };
    seen && made
}

/// Path, name and object of what lets the system's pods in where policies decide: nodes make mirror pods, the
/// controllers of kube-system all others. Policies come first, so that whoever may use one finds it.
fn policy() -> [(&'static str, &'static str, Value); 3] {
    const RBAC: &str = "rbac.authorization.k8s.io";
    let any = json!({"rule": "RunAsAny"});
    let groups = ["system:nodes", "system:serviceaccounts:kube-system"]
        .map(|name| json!({"apiGroup": RBAC, "kind": "Group", "name": name}));
    [
        (
            "/apis/policy/v1beta1/podsecuritypolicies",
            NAME,
            json!({
                "apiVersion": "policy/v1beta1",
                "kind": "PodSecurityPolicy",
                "metadata": {"name": NAME},
                "spec": {
                    "privileged": true,
                    "allowPrivilegeEscalation": true,
                    "allowedCapabilities": ["*"],
                    "volumes": ["*"],
                    "hostNetwork": true,
                    "hostPID": true,
                    "hostIPC": true,
                    "hostPorts": [{"min": 0, "max": 65535}],
                    "runAsUser": any,
                    "seLinux": any,
                    "supplementalGroups": any,
                    "fsGroup": any,
                },
            }),
        ),
        (
            "/apis/rbac.authorization.k8s.io/v1/clusterroles",
            NAME,
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRole",
                "metadata": {"name": NAME},
                "rules": [{
                    "apiGroups": ["policy"],
                    "resources": ["podsecuritypolicies"],
                    "resourceNames": [NAME],
                    "verbs": ["use"],
                }],
            }),
        ),
        (
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            NAME,
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": NAME},
                "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": NAME},
                "subjects": groups,
            }),
        ),
    ]
}

/// Sets or removes the label of the namespaces that there are.
async fn label(client: &Client, level: &Value) -> Result<(), Error> {
    for namespace in NAMESPACES {
        let path = format!("/api/v1/namespaces/{namespace}");
        let body = json!({"metadata": {"labels": {ENFORCE: level}}}).to_string();
        done(ask(client, Method::PATCH, path, Some(&body)).await?, &[404])?;
    }
    Ok(())
}

/// Asks for a pod in kube-system that no policy of a tenant admits, without making it.
async fn dry_run(client: &Client) -> Result<Answer, Error> {
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": NAME},
        "spec": {
            "hostNetwork": true,
            "containers": [{"name": "pause", "image": "pause", "securityContext": {"privileged": true}}],
        },
    });
    let path = "/api/v1/namespaces/kube-system/pods?dryRun=All".to_owned();
    ask(client, Method::POST, path, Some(&pod.to_string())).await
}

pub(super) async fn ask(
    client: &Client,
    method: Method,
    path: String,
    body: Option<&str>,
) -> Result<Answer, Error> {
    let content_type = match method {
        Method::PATCH => "application/merge-patch+json",
        _ => "application/json",
    };
    let call = Call {
        method,
        path,
        body: body.map(|body| (content_type, body.as_bytes())),
        identity: &Identity::Admin,
    };
    exchange(client, call).await
}

/// The answer, unless it is a refusal other than those that are `expected`.
fn done(answer: Answer, expected: &[u16]) -> Result<Answer, Error> {
    if answer.succeeded() || expected.contains(&answer.code) {
        return Ok(answer);
    }
    Err(Error::environment(format!(
        "the new cluster refuses what its own pods need: {}",
        answer.message()
    ))
    .hint("podgate does this as the admin of the cluster that it has just made: please report it"))
}

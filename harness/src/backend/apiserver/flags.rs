//! The flags of each component, as a kubeadm cluster of the minor has them.
//!
//! Upstream: cmd/kubeadm/app/phases/controlplane/manifests.go (`getAPIServerCommand`,
//! `getControllerManagerCommand`). Left out is what serves nodes, aggregated servers and leader
//! election: there is one server, no node and nothing to aggregate.

use std::path::Path;

use podgate_policy::Minor;

use super::credentials::Credentials;
use crate::suite::Flags;

/// The last minor whose components also listen without TLS unless told not to
/// (cmd/kube-controller-manager/app/options, `--port`).
const INSECURE_PORT_TO: Minor = Minor::known(23);

/// The flags of etcd.
pub(super) fn etcd(data: &Path, port: u16) -> Vec<String> {
    let url = format!("http://127.0.0.1:{port}");
    vec![
        flag("data-dir", data.display()),
        flag("listen-client-urls", &url),
        flag("advertise-client-urls", &url),
        // One member talks to no peer.
        flag("listen-peer-urls", "http://127.0.0.1:0"),
        // What a power cut could lose is thrown away all the same.
        "--unsafe-no-fsync".to_owned(),
    ]
}

/// What kube-apiserver is given beside the flags of the cluster file.
pub(super) struct ApiServer<'a> {
    pub(super) etcd: u16,
    pub(super) port: u16,
    pub(super) credentials: &'a Credentials,
    pub(super) audit_policy: &'a Path,
    pub(super) audit_log: &'a Path,
    pub(super) admission: Option<&'a Path>,
}

impl ApiServer<'_> {
    /// The flags of kube-apiserver.
    pub(super) fn flags(&self, cluster: &Flags) -> Vec<String> {
        let credentials = self.credentials;
        let mut flags = vec![
            flag("etcd-servers", format!("http://127.0.0.1:{}", self.etcd)),
            flag("bind-address", "127.0.0.1"),
            flag("advertise-address", "127.0.0.1"),
            // An address of loopback is none that the service `kubernetes` may have.
            flag("endpoint-reconciler-type", "none"),
            flag("secure-port", self.port),
            flag("tls-cert-file", credentials.certificate.display()),
            flag("tls-private-key-file", credentials.key.display()),
            flag("token-auth-file", credentials.tokens.display()),
            flag("authorization-mode", "Node,RBAC"),
            flag("allow-privileged", true),
            flag("enable-bootstrap-token-auth", true),
            flag("service-cluster-ip-range", "10.96.0.0/12"),
            flag(
                "service-account-issuer",
                "https://kubernetes.default.svc.cluster.local",
            ),
            flag(
                "service-account-key-file",
                credentials.service_account_public_key.display(),
            ),
            flag(
                "service-account-signing-key-file",
                credentials.service_account_key.display(),
            ),
            flag("audit-policy-file", self.audit_policy.display()),
            flag("audit-log-path", self.audit_log.display()),
        ];
        let mut enabled = cluster.enable_admission_plugins.clone();
        let node = "NodeRestriction";
        let said = |names: &[String]| names.iter().any(|name| name == node);
        if !said(&enabled) && !said(&cluster.disable_admission_plugins) {
            enabled.insert(0, node.to_owned());
        }
        if !enabled.is_empty() {
            flags.push(flag("enable-admission-plugins", enabled.join(",")));
        }
        if !cluster.disable_admission_plugins.is_empty() {
            let disabled = cluster.disable_admission_plugins.join(",");
            flags.push(flag("disable-admission-plugins", disabled));
        }
        flags.extend(gates(cluster));
        if let Some(admission) = self.admission {
            flags.push(flag("admission-control-config-file", admission.display()));
        }
        flags
    }
}

/// The flags of kube-controller-manager.
pub(super) fn controller_manager(
    minor: Minor,
    kubeconfig: &Path,
    credentials: &Credentials,
    cluster: &Flags,
) -> Vec<String> {
    let mut flags = vec![
        flag("kubeconfig", kubeconfig.display()),
        flag("use-service-account-credentials", true),
        flag(
            "service-account-private-key-file",
            credentials.service_account_key.display(),
        ),
        flag("root-ca-file", credentials.authority.display()),
        flag("controllers", "*"),
        flag("leader-elect", false),
        // Nobody asks it anything.
        flag("secure-port", 0),
    ];
    if minor <= INSECURE_PORT_TO {
        flags.push(flag("port", 0));
    }
    flags.extend(gates(cluster));
    flags
}

fn gates(cluster: &Flags) -> Option<String> {
    let gates = cluster.feature_gates.iter();
    let gates: Vec<String> = gates.map(|(gate, on)| format!("{gate}={on}")).collect();
    (!gates.is_empty()).then(|| flag("feature-gates", gates.join(",")))
}

fn flag(name: &str, value: impl std::fmt::Display) -> String {
    format!("--{name}={value}")
}

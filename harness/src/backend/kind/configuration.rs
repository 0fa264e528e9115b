//! The configuration that kind is handed: kind.x-k8s.io/v1alpha4, from a cluster file and a minor.
//!
//! Flags of kube-apiserver are patches of the kubeadm configuration that kind writes. kind has one template for
//! each version of kubeadm's API: v1beta2 before 1.23, v1beta3 from there on, and since v0.32.0 v1beta4 for 1.36
//! and newer, whose `extraArgs` are a list (kind, pkg/cluster/internal/kubeadm/config.go, `Config`). A patch that
//! names another version is dropped without a word. One that names none always applies, and kind turns its map of
//! arguments into the list where that is needed (kind, `pkg/internal/patch/kubeadm_merge.go`): so none of ours does.

use std::collections::BTreeMap;
use std::path::Path;

use podgate_manifest::to_yaml;
use podgate_policy::Minor;
use serde_json::{Value, json};

use super::images::{Cgroup, FAIL_CGROUP_V1};
use crate::suite::Flags;

/// The plugin that kubeadm turns on itself. Whoever sets the flag has to name it
/// (kubeadm, app/phases/controlplane/manifests.go, `getAPIServerCommand`).
const NODE_RESTRICTION: &str = "NodeRestriction";

/// Where the node and its kube-apiserver find the files of the admission configuration.
const FOLDER: &str = "/etc/kubernetes/podgate";

/// What a kind cluster is made from.
#[derive(Clone, Copy, Debug)]
pub struct Configuration<'a> {
    /// Its name, in lower case: letters, digits, dots and dashes.
    pub name: &'a str,
    /// The node image, as `docker pull` takes it.
    pub image: &'a str,
    /// The minor of the Kubernetes in it.
    pub minor: Minor,
    /// The flags of kube-apiserver.
    pub flags: &'a Flags,
    /// The folder with the files of the admission configuration and the name of the first of them.
    pub admission: Option<(&'a Path, &'a str)>,
    /// The control groups of the host.
    pub cgroup: Cgroup,
    /// Whether the admission configuration rejects the system's own pods until it is told otherwise: then the
    /// kubelet shall try again soon.
    pub rejects_system_pods: bool,
}

impl Configuration<'_> {
    /// The arguments of kube-apiserver that a cluster like this has to run with; those that kubeadm sets
    /// itself are not among them.
    #[must_use]
    pub fn arguments(&self) -> BTreeMap<&'static str, String> {
        let mut arguments = self.extra_arguments();
        let gates = &self.flags.feature_gates;
        if !gates.is_empty() {
            let gates: Vec<String> = gates
                .iter()
                .map(|(gate, on)| format!("{gate}={on}"))
                .collect();
            arguments.insert("feature-gates", gates.join(","));
        }
        arguments
    }

    /// Those that a patch sets. The gates are not among them: kind has a field for them.
    fn extra_arguments(&self) -> BTreeMap<&'static str, String> {
        let Flags {
            enable_admission_plugins: enabled,
            disable_admission_plugins: disabled,
            ..
        } = self.flags;
        let mut arguments = BTreeMap::new();
        let own = !disabled.iter().any(|plugin| plugin == NODE_RESTRICTION);
        if !enabled.is_empty() || !own {
            let mut plugins: Vec<&str> = Vec::new();
            let others = enabled.iter().map(String::as_str);
            for plugin in own.then_some(NODE_RESTRICTION).into_iter().chain(others) {
                if !plugins.contains(&plugin) {
                    plugins.push(plugin);
                }
            }
            arguments.insert("enable-admission-plugins", plugins.join(","));
        }
        if !disabled.is_empty() {
            arguments.insert("disable-admission-plugins", disabled.join(","));
        }
        if let Some((_, file)) = self.admission {
            arguments.insert("admission-control-config-file", format!("{FOLDER}/{file}"));
        }
        arguments
    }

    /// The file for `kind create cluster --config`.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let mut node = json!({"role": "control-plane", "image": self.image});
        if let Some((folder, _)) = self.admission {
            node["extraMounts"] = json!([{
                "hostPath": folder,
                "containerPath": FOLDER,
                "readOnly": true,
                // The folder is the run's alone; without SELinux this says nothing.
                "selinuxRelabel": true,
            }]);
        }
        let mut cluster = json!({
            "apiVersion": "kind.x-k8s.io/v1alpha4",
            "kind": "Cluster",
            "name": self.name,
            "nodes": [node],
        });
        // kind hands them to every component, and keeps what it sets itself: a gate that only the API server
        // knows of would let controllers make other pods than those that are judged.
        if !self.flags.feature_gates.is_empty() {
            cluster["featureGates"] = json!(self.flags.feature_gates);
        }
        let patches: Vec<String> = [self.cluster_patch(), self.kubelet_patch()]
            .into_iter()
            .flatten()
            .map(|patch| to_yaml(&patch))
            .collect();
        if !patches.is_empty() {
            cluster["kubeadmConfigPatches"] = json!(patches);
        }
        to_yaml(&cluster)
    }

    fn cluster_patch(&self) -> Option<Value> {
        let arguments = self.extra_arguments();
        if arguments.is_empty() {
            return None;
        }
        let mut server = json!({"extraArgs": arguments});
        if self.admission.is_some() {
            server["extraVolumes"] = json!([{
                "name": "podgate",
                "hostPath": FOLDER,
                "mountPath": FOLDER,
                "readOnly": true,
                "pathType": "Directory",
            }]);
        }
        Some(json!({"kind": "ClusterConfiguration", "apiServer": server}))
    }

    fn kubelet_patch(&self) -> Option<Value> {
        let mut kubelet = json!({});
        if self.cgroup == Cgroup::V1 && self.minor >= FAIL_CGROUP_V1 {
            kubelet["failCgroupV1"] = json!(false);
        }
        if self.rejects_system_pods {
            // How often the kubelet looks after a pod that has not changed: a minute is its default, and so
            // long a mirror pod that was rejected once would be missing.
            kubelet["syncFrequency"] = json!("5s");
        }
        if kubelet.as_object().is_some_and(serde_json::Map::is_empty) {
            return None;
        }
        kubelet["kind"] = json!("KubeletConfiguration");
        Some(kubelet)
    }
}

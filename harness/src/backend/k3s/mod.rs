//! k3s in a container: Kubernetes' own server code in one process, with a controller manager and
//! without a node.
//!
//! The flags of a cluster file become `--kube-apiserver-arg`, and its admission configuration lies in
//! files in the container. k3s starts no agent here, so that the container needs no privileges: pods
//! are decided about, and stay pending.
//!
//! Upstream: `apiServer` in k3s' pkg/daemons/control/server.go for its own flags, and `GetArgs` in
//! pkg/daemons/config for what becomes of them: a flag that is given replaces k3s' own.

pub mod images;

use std::collections::BTreeMap;
use std::time::Duration;

use podgate_policy::Minor;

use super::{Backend, BootSpec, Booted, Watch, container};
use crate::error::Error;
use crate::lifecycle::Run;
use crate::suite::Cluster;

/// k3s in containers of the Docker engine.
#[derive(Clone, Debug)]
pub struct K3s {
    image: Option<String>,
}

/// Where the admission configuration lies in the container.
const FOLDER: &str = "/etc/podgate";

/// What k3s would start beside the server, and admission does not need.
const WITHOUT: [&str; 5] = [
    "traefik",
    "servicelb",
    "metrics-server",
    "local-storage",
    "coredns",
];

impl K3s {
    /// Containers of `image`, or of the image of each minor. The error is that of a machine without a
    /// Docker engine.
    pub fn new(image: Option<String>) -> Result<Self, Error> {
        container::engine()?;
        Ok(Self { image })
    }

    /// The container that is started for `spec`.
    pub fn container(&self, spec: &BootSpec<'_>) -> Result<container::Spec, Error> {
        let admission = match spec.admission() {
            Some(admission) => admission.files()?,
            None => Vec::new(),
        };
        let mut arguments: Vec<String> = ["server", "--disable-agent", "--flannel-backend=none"]
            .map(str::to_owned)
            .to_vec();
        arguments.push("--disable-network-policy".to_owned());
        arguments.push("--disable-cloud-controller".to_owned());
        arguments.push(format!("--disable={}", WITHOUT.join(",")));
        let flags = apiserver_flags(spec, admission.first().map(|(name, _)| name.as_str()));
        let flags = flags.iter();
        arguments.extend(flags.map(|(flag, value)| format!("--kube-apiserver-arg={flag}={value}")));
        let files = admission.into_iter();
        Ok(container::Spec {
            component: "k3s",
            image: self
                .image
                .clone()
                .unwrap_or_else(|| images::image(spec.minor)),
            arguments,
            files: files
                .map(|(name, text)| (format!("{FOLDER}/{name}"), text))
                .collect(),
            port: 6443,
            kubeconfig: "/etc/rancher/k3s/k3s.yaml".to_owned(),
            controllers: true,
            patience: Duration::from_mins(3),
        })
    }
}

/// The flags of kube-apiserver that k3s is given, by their names.
fn apiserver_flags(spec: &BootSpec<'_>, admission: Option<&str>) -> BTreeMap<&'static str, String> {
    // k3s enables this one itself, unless the flag is given.
    const OWN: &str = "NodeRestriction";
    let asked = spec.flags();
    let mut flags = BTreeMap::new();
    let mut enabled = asked.enable_admission_plugins.clone();
    let disabled = &asked.disable_admission_plugins;
    if !enabled.is_empty() || disabled.iter().any(|name| name == OWN) {
        if !enabled.iter().chain(disabled).any(|name| name == OWN) {
            enabled.insert(0, OWN.to_owned());
        }
        flags.insert("enable-admission-plugins", enabled.join(","));
    }
    if !disabled.is_empty() {
        flags.insert("disable-admission-plugins", disabled.join(","));
    }
    if !asked.feature_gates.is_empty() {
        let gates = asked.feature_gates.iter();
        let gates: Vec<String> = gates.map(|(gate, on)| format!("{gate}={on}")).collect();
        flags.insert("feature-gates", gates.join(","));
    }
    if let Some(name) = admission {
        flags.insert("admission-control-config-file", format!("{FOLDER}/{name}"));
    }
    flags
}

/// k3s says with which flags it runs kube-apiserver: those that were asked for have to be among them.
fn took(log: &str, arguments: &[String]) -> Result<(), Error> {
    const SAID: &str = "Running kube-apiserver ";
    let failed = |what: String| {
        Error::environment(format!("the configuration did not take: {what}"))
            .hint("--logs DIR keeps what k3s says")
    };
    let running = log
        .lines()
        .find_map(|line| line.split_once(SAID))
        .ok_or_else(|| failed("k3s does not say how it runs kube-apiserver".to_owned()))?;
    // It stands in quotes of the log line.
    let running: Vec<&str> = running.1.trim_end_matches('"').split(' ').collect();
    let asked = arguments
        .iter()
        .filter_map(|argument| argument.strip_prefix("--kube-apiserver-arg="));
    for flag in asked {
        if !running
            .iter()
            .any(|said| said.strip_prefix("--") == Some(flag))
        {
            return Err(failed(format!("kube-apiserver runs without --{flag}")));
        }
    }
    Ok(())
}

impl Backend for K3s {
    fn name(&self) -> &'static str {
        "k3s"
    }

    fn serves(&self, _: Minor) -> Result<(), Error> {
        Ok(())
    }

    fn configures(&self, _: &Cluster, _: Minor) -> Result<(), Error> {
        Ok(())
    }

    fn memory(&self) -> u64 {
        768
    }

    fn boot(&self, spec: &BootSpec<'_>, run: &Run, watch: &dyn Watch) -> Result<Booted, Error> {
        let container = self.container(spec)?;
        let booted = container::boot(&container, spec, run, watch)?;
        let name = container::name(spec, run);
        took(&container::log(&name)?, &container.arguments)?;
        Ok(booted)
    }
}

#[cfg(test)]
mod tests;

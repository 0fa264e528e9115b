//! kind itself, on a stand-in for Docker: it takes the configurations, and what it makes of them for kubeadm has the
//! flags that were asked for beside those that kind sets.

use std::path::{Path, PathBuf};

use podgate_harness::backend::kind::configuration::Configuration;
use podgate_harness::backend::kind::images::{Cgroup, NodeImage};
use podgate_harness::suite::Cluster;
use podgate_policy::Minor;
use serde_json::Value;

use crate::standin::{Fault, StandIn, kubeadm};

/// The kind of this machine: `PODGATE_KIND`, or that on `PATH`.
fn kind() -> Option<PathBuf> {
    let named = std::env::var_os("PODGATE_KIND").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = named.or_else(|| {
        std::env::split_paths(&path)
            .map(|folder| folder.join("kind"))
            .find(|f| f.is_file())
    });
    if found.is_none() {
        eprintln!(
            "LEFT OUT: there is no kind, by PODGATE_KIND or on PATH, that could read the configurations"
        );
    }
    found
}

fn clusters() -> Vec<Cluster> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clusters");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| Cluster::load(file).unwrap())
        .collect()
}

#[test]
fn kind_takes_the_configuration_of_every_cluster_at_every_minor() {
    let Some(kind) = kind() else { return };
    let standin = StandIn::with(Fault::None, Some(&kind));
    let mut count = 0;
    for cluster in clusters() {
        for &minor in &cluster.minors {
            count += 1;
            let name = format!("podgate-{}", minor.number());
            let image = NodeImage::of(minor).to_string();
            let folder = standin.folder.path();
            let configuration = Configuration {
                name: &name,
                image: &image,
                minor,
                flags: &cluster.flags,
                admission: cluster
                    .admission
                    .as_ref()
                    .map(|_| (folder, "admission.json")),
                cgroup: if minor.number() % 2 == 0 {
                    Cgroup::V1
                } else {
                    Cgroup::V2
                },
                rejects_system_pods: cluster.admission.is_some(),
            };
            standin.folder.write("kind.yaml", &configuration.to_yaml());
            // The node never comes up: only what kind has written for it is of interest.
            standin.set("no-init", "not here");
            let mut command = standin.command(&[]);
            command = replaced(&command, &kind);
            command.args([
                "create",
                "cluster",
                "--config",
                "kind.yaml",
                "--kubeconfig",
                "kubeconfig",
            ]);
            let output = command.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                said.contains("failed to init node with kubeadm"),
                "{} {minor}: {said}",
                cluster.name
            );
            let made = kubeadm(&folder.join("standin"), &name);
            has_the_arguments(&made, &configuration, &cluster, minor);
        }
    }
    assert!(count >= 90, "only {count} configurations were read");
}

/// The same environment and folder for another program.
fn replaced(command: &std::process::Command, program: &Path) -> std::process::Command {
    let mut other = std::process::Command::new(program);
    other.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => other.env(name, value),
            None => other.env_remove(name),
        };
    }
    other
}

fn has_the_arguments(made: &Value, wanted: &Configuration<'_>, cluster: &Cluster, minor: Minor) {
    let at = format!("{} on {minor}: {made:#}", cluster.name);
    let arguments = &made["apiServer"]["extraArgs"];
    let argument = |name: &str| match arguments {
        Value::Array(list) => list
            .iter()
            .find(|a| a["name"] == name)
            .map(|a| a["value"].clone()),
        map => map.get(name).cloned(),
    };
    for (name, value) in wanted.arguments() {
        assert_eq!(argument(name), Some(Value::String(value)), "{name}, {at}");
    }
    // What kind sets itself is still there.
    assert!(argument("runtime-config").is_some(), "{at}");
    let names = made["apiServer"]["certSANs"].as_array().unwrap();
    assert!(names.iter().any(|name| name == "localhost"), "{at}");
    let volumes = made["apiServer"]["extraVolumes"].as_array();
    assert_eq!(volumes.is_some(), wanted.admission.is_some(), "{at}");
    let version = made["apiVersion"].as_str().unwrap();
    assert_eq!(arguments.is_array(), version.ends_with("/v1beta4"), "{at}");
}

#[test]
fn a_cluster_comes_up_with_kind_itself() {
    let Some(kind) = kind() else { return };
    let standin = StandIn::with(Fault::None, Some(&kind));
    standin.folder.write(
        "clusters/plugins.yaml",
        "apiVersion: podgate.dev/v1alpha1\nkind: Cluster\nmetadata: {name: plugins}\n\
         spec: {apiServer: {enableAdmissionPlugins: [DenyServiceExternalIPs]}}\n",
    );
    let up = ["up", "--cluster", "plugins", "--kubernetes", "1.36"];
    let run = standin.podgate(&up).ends(0);
    let id = run.stdout["ready: ".len()..].split(',').next().unwrap();
    assert_eq!(standin.clusters().len(), 1);
    standin.podgate(&["down", id]).ends(0);
    standin.nothing_is_left();
}

#[test]
fn an_image_that_is_not_to_be_had() {
    let Some(kind) = kind() else { return };
    let standin = StandIn::with(Fault::None, Some(&kind));
    standin.folder.write(
        "clusters/plain.yaml",
        "apiVersion: podgate.dev/v1alpha1\nkind: Cluster\nmetadata: {name: plain}\n",
    );
    standin.set("no-image", "manifest for kindest/node:v1.36.9 not found\n");
    let image = "kindest/node:v1.36.9";
    standin
        .podgate(&[
            "up",
            "--cluster",
            "plain",
            "--kubernetes",
            "1.36",
            "--image",
            image,
        ])
        .ends(3)
        .tells(&[
            image,
            "is not here and cannot be pulled: manifest for",
            "hint: `docker pull",
        ]);
    standin.nothing_is_left();
}

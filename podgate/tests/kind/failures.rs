//! Clusters that do not come up or do not go: exit code 3, a sentence of cause, a sentence of what to do, and nothing
//! left behind.

use std::fs;

use rstest::rstest;

use crate::boots;
use crate::standin::{Fault, StandIn};

const CLUSTER: &str = "apiVersion: podgate.dev/v1alpha1
kind: Cluster
metadata: {name: plugins}
spec:
  apiServer: {enableAdmissionPlugins: [DenyServiceExternalIPs]}
";

const UP: [&str; 5] = ["up", "--cluster", "plugins", "--kubernetes", "1.36"];

fn standin(fault: Fault) -> StandIn {
    let standin = StandIn::new(fault);
    standin.folder.write("clusters/plugins.yaml", CLUSTER);
    standin
}

#[track_caller]
fn fails(standin: &StandIn, cause: &str, what_to_do: &str) {
    let run = standin
        .podgate(&UP)
        .ends(3)
        .tells(&["error: ", cause, "\nhint: ", what_to_do]);
    assert_eq!(run.stdout, "");
    standin.nothing_is_left();
}

#[test]
fn no_kind() {
    let standin = standin(Fault::None);
    standin.folder.remove("bin/kind");
    fails(&standin, "there is no kind on PATH", "install it");
}

#[test]
fn no_engine() {
    let standin = standin(Fault::None);
    standin.folder.remove("bin/docker");
    let mut command = standin.command(&UP);
    // Elsewhere than in this folder there may be one.
    command.env("PATH", standin.folder.path().join("bin"));
    let shell = format!(
        "#!/bin/sh\ncat {}\n",
        standin.folder.path().join("standin/version").display()
    );
    standin
        .folder
        .write("bin/kind", &shell.replace("cat ", "exec /bin/cat "));
    crate::folder::run(&mut command, "").ends(3).tells(&[
        "needs Docker or Podman, and neither is on PATH",
        "hint: install Docker",
    ]);
    standin.nothing_is_left();
}

#[rstest]
#[case::not_running(
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    "the engine of docker does not answer: Cannot connect",
    "start it"
)]
#[case::no_permission(
    "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
    "docker may not be used by this user: permission denied",
    "join the group"
)]
fn an_engine_that_does_not_answer(
    #[case] said: &str,
    #[case] cause: &str,
    #[case] what_to_do: &str,
) {
    let standin = standin(Fault::None);
    standin.set("no-engine", said);
    fails(&standin, cause, what_to_do);
}

#[test]
fn a_kind_that_is_too_old_for_the_image() {
    let standin = standin(Fault::None);
    standin.set("version", "kind v0.31.0 go1.25.5 linux/amd64\n");
    fails(
        &standin,
        "kind v0.31.0 is too old for 1.36, whose node image was built for v0.32.0",
        "install kind v0.32.0 or newer",
    );
    assert!(!standin.asked().contains("create"), "{}", standin.asked());
}

#[test]
fn a_kind_that_is_too_new_for_the_image_on_cgroup_v1() {
    let standin = standin(Fault::None);
    standin.set("info", r#"{"CgroupVersion": "1"}"#);
    standin.folder.write(
        "clusters/old.yaml",
        "apiVersion: podgate.dev/v1alpha1\nkind: Cluster\nmetadata: {name: old}\n",
    );
    standin
        .podgate(&["up", "--cluster", "old", "--kubernetes", "1.20"])
        .ends(3)
        .tells(&[
            "kind v0.33.0 is too new for 1.20 on a host with cgroup v1",
            "hint: take a kind before v0.20.0",
        ]);
}

#[rstest]
#[case::image(
    "ERROR: failed to create cluster: failed to pull image \"kindest/node:v1.36.1\": command \"docker pull\" failed\n\
     Command Output: manifest unknown\n",
    "the node image kindest/node:v1.36.1 of plugins on 1.36 is not here and cannot be pulled: manifest unknown",
    "--image names another one"
)]
#[case::disk(
    "ERROR: failed to create cluster: x\nCommand Output: write /var: no space left on device\n",
    "the disk is full",
    "make room"
)]
#[case::anything_else(
    "one\ntwo\nERROR: failed to create cluster: failed to init node with kubeadm: exit status 1\n",
    "kind could not create plugins on 1.36: failed to init node with kubeadm: exit status 1\n",
    "--logs DIR"
)]
fn kind_cannot_create_the_cluster(
    #[case] output: &str,
    #[case] cause: &str,
    #[case] what_to_do: &str,
) {
    let standin = standin(Fault::None);
    standin.set("failure", output);
    fails(&standin, cause, what_to_do);
}

#[test]
fn a_patch_that_did_not_take() {
    fails(
        &standin(Fault::PatchDropped),
        "the configuration did not take: kube-apiserver runs with --enable-admission-plugins=NodeRestriction, and \
         --enable-admission-plugins=NodeRestriction,DenyServiceExternalIPs was asked for",
        "try the kind release",
    );
}

#[test]
fn flags_that_nobody_acts_on() {
    let standin = StandIn::new(Fault::NotActedOn);
    standin
        .folder
        .write("clusters/defaults.yaml", boots::DEFAULTS);
    standin
        .podgate(&["up", "--cluster", "defaults", "--kubernetes", "1.36"])
        .ends(3)
        .tells(&[
            "the configuration did not take: defaults on 1.36 answers to the pod `privileged` as a server does without",
            "hint: ",
        ]);
    standin.nothing_is_left();
}

#[test]
fn another_kubernetes_in_the_image() {
    let standin = standin(Fault::None);
    let image = ["--image", "kindest/node:v1.35.5"];
    standin
        .podgate(&[&UP[..], &image].concat())
        .ends(3)
        .tells(&[
            "the node image kindest/node:v1.35.5 runs Kubernetes v1.35.",
            "1.36 was asked for",
        ]);
    standin.nothing_is_left();
}

#[test]
fn a_cluster_that_cannot_be_deleted() {
    let standin = standin(Fault::PatchDropped);
    standin.set("stuck", "device or resource busy");
    let run = standin.podgate(&UP).ends(3);
    let [cluster] = &standin.clusters()[..] else {
        panic!("one cluster is left: {:?}", standin.clusters());
    };
    let run = run.tells(&[
        &format!("the kind cluster {cluster} is still there, it cannot be deleted"),
        "device or resource busy",
        "podgate clean tries again; by hand: docker rm -f -v",
    ]);
    assert!(
        run.stderr.contains("the configuration did not take"),
        "{}",
        run.stderr
    );
    // Whatever held it is gone, and podgate remembers.
    fs::remove_file(standin.folder.path().join("standin/stuck")).unwrap();
    standin.podgate(&["clean"]).ends(0).says(&[cluster]);
    standin.nothing_is_left();
}

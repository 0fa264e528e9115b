//! `podgate serve` as a process: from the ready line to the signal that ends it, and what becomes of
//! the kubeconfig.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{Api, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config, Error};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::TempDir;

const RESTRICTED: &str = "\
apiVersion: podgate.dev/v1alpha1
kind: Cluster
metadata:
  name: restricted
spec:
  kubernetes: '1.25..1.30'
  namespace:
    labels:
      pod-security.kubernetes.io/enforce: restricted
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: builder
";

/// A server that is ready. It is killed where a test does not end it.
struct Serving {
    child: Child,
    ready: String,
}

impl Serving {
    fn start(folder: &TempDir, args: &[&str]) -> Self {
        let mut child = command(folder, args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("podgate runs");
        let mut ready = String::new();
        let stdout = child.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut ready).expect("text");
        Self { child, ready }
    }

    fn end(mut self, signal: Signal) -> (ExitStatus, String) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a pid"), signal).expect("it runs");
        let mut notes = String::new();
        let stderr = self.child.stderr.take().expect("its notes");
        BufReader::new(stderr)
            .read_to_string(&mut notes)
            .expect("text");
        (self.child.wait().expect("it ends"), notes)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // One that has ended is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `podgate serve` in `folder`, which is also where it puts temporary files.
fn command(folder: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_podgate"));
    command
        .arg("serve")
        .args(args)
        .current_dir(folder)
        .env("TMPDIR", folder.path());
    command
}

fn refused(folder: &TempDir, args: &[&str]) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command(folder, args).output().expect("podgate runs");
    assert_eq!(stdout, b"");
    (status.code(), String::from_utf8(stderr).expect("text"))
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("restricted.yaml"), RESTRICTED).expect("written");
    folder
}

/// What is in `folder` besides the cluster file.
fn left(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.into_string().expect("text"));
    names.filter(|name| name != "restricted.yaml").collect()
}

async fn client(kubeconfig: &Path) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    Client::try_from(config.expect("a configuration")).expect("a client")
}

#[tokio::test]
async fn from_ready_to_the_end() {
    let folder = folder();
    let kubeconfig = folder.path().join("kubeconfig");
    let args = [
        "--cluster",
        "restricted.yaml",
        "--write-kubeconfig",
        "kubeconfig",
    ];
    let serving = Serving::start(&folder, &args);
    // Without --kubernetes it is the newest that the cluster is for.
    let ready = "ready: Kubernetes 1.30 at https://127.0.0.1:";
    assert!(serving.ready.starts_with(ready), "{}", serving.ready);
    assert!(
        serving.ready.ends_with(", kubeconfig kubeconfig\n"),
        "{}",
        serving.ready
    );
    let mode = fs::metadata(&kubeconfig).expect("it").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let client = client(&kubeconfig).await;
    assert_eq!(
        client.apiserver_version().await.expect("a version").minor,
        "30"
    );
    let pod = |account: &str| -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "root"},
            "spec": {"serviceAccountName": account, "containers": [{"name": "c", "image": "nginx"}]},
        }))
        .expect("a pod")
    };
    let pods: Api<Pod> = Api::default_namespaced(client.clone());
    let refused = pods.create(&PostParams::default(), &pod("builder")).await;
    let Err(Error::Api(status)) = refused else {
        panic!("default enforces restricted");
    };
    assert_eq!(status.code, 403);
    assert!(
        status
            .message
            .contains(r#"violates PodSecurity "restricted:latest""#)
    );

    let web = serde_json::from_value(json!({"metadata": {"name": "web"}})).expect("a namespace");
    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces
        .create(&PostParams::default(), &web)
        .await
        .expect("created");
    let pods: Api<Pod> = Api::namespaced(client, "web");
    let admitted = pods.create(&PostParams::default(), &pod("default")).await;
    let created = admitted
        .expect("web enforces nothing")
        .metadata
        .creation_timestamp;
    let age = created
        .expect("a time")
        .0
        .duration_until(jiff::Timestamp::now());
    assert!(age.as_hours() == 0, "the clock is not the machine's: {age}");

    let (status, notes) = serving.end(Signal::TERM);
    assert!(status.success(), "{status}: {notes}");
    assert!(notes.contains("no scheduler and no kubelet run"), "{notes}");
    assert_eq!(left(&folder), [""; 0]);
}

#[test]
fn a_kubeconfig_that_nobody_named_is_temporary() {
    let folder = folder();
    let serving = Serving::start(&folder, &[]);
    let (_, path) = serving.ready.rsplit_once("kubeconfig ").expect("a path");
    let path = PathBuf::from(path.trim_end());
    assert!(path.starts_with(folder.path()) && path.is_file());
    let (status, notes) = serving.end(Signal::INT);
    assert!(status.success(), "{status}: {notes}");
    assert!(notes.contains("no cluster file"), "{notes}");
    assert_eq!(left(&folder), [""; 0]);
}

#[test]
fn a_file_of_somebody_else_is_left_alone() {
    let folder = folder();
    let path = folder.path().join("config");
    let args = ["--write-kubeconfig", "config"];
    let foreign = "apiVersion: v1\nkind: Config\nclusters: []\n";
    let named = "apiVersion: v1\nkind: Config\nclusters: [{name: podgate}]\ncontexts: [{name: podgate}]\n\
                 users: [{name: podgate, user: {token: x}}]\n";
    for text in [foreign, named, "", "no: [yaml", "\u{0}"] {
        fs::write(&path, text).expect("written");
        let (code, said) = refused(&folder, &args);
        assert_eq!(code, Some(2), "{said}");
        assert!(
            said.contains("config is there, and podgate did not write it"),
            "{said}"
        );
        assert_eq!(fs::read_to_string(&path).expect("it"), text);
    }
}

#[test]
fn a_file_of_an_earlier_server_is_replaced_and_belongs_to_the_later() {
    let folder = folder();
    let path = folder.path().join("kubeconfig");
    let args = ["--write-kubeconfig", "kubeconfig"];
    let earlier = Serving::start(&folder, &args);
    let first = fs::read_to_string(&path).expect("it");
    let later = Serving::start(&folder, &args);
    let second = fs::read_to_string(&path).expect("it");
    assert_ne!(first, second);
    assert!(earlier.end(Signal::TERM).0.success());
    assert_eq!(fs::read_to_string(&path).expect("still there"), second);

    // As `kubectl config set-context --current --namespace=web` leaves it.
    let changed = second.replace(
        "    user: podgate\n",
        "    namespace: web\n    user: podgate\n",
    );
    assert_ne!(changed, second);
    fs::write(&path, changed).expect("written");
    assert!(later.end(Signal::TERM).0.success());
    assert_eq!(left(&folder), [""; 0]);
}

#[test]
fn what_the_user_puts_into_the_file_stays() {
    let folder = folder();
    let path = folder.path().join("kubeconfig");
    let serving = Serving::start(&folder, &["--write-kubeconfig", "kubeconfig"]);
    let text = fs::read_to_string(&path).expect("it");
    let more = text.replace(
        "contexts:\n",
        "contexts:\n- name: mine\n  context: {cluster: podgate}\n",
    );
    fs::write(&path, &more).expect("written");
    assert!(serving.end(Signal::TERM).0.success());
    assert_eq!(fs::read_to_string(&path).expect("still there"), more);
}

#[test]
fn what_cannot_be_served() {
    let folder = folder();
    let check = |args: &[&str], code: i32, expected: &str| {
        let (found, said) = refused(&folder, args);
        assert_eq!(found, Some(code), "{said}");
        assert!(said.contains(expected), "{said}");
        assert_eq!(left(&folder), [""; 0]);
    };
    let of = |version| ["--cluster", "restricted.yaml", "--kubernetes", version];
    check(
        &of("1.36"),
        2,
        "cluster `restricted` is not for Kubernetes 1.36",
    );
    check(&of("1.25..1.26"), 2, "more than one version");
    check(
        &["--cluster", "restricte"],
        2,
        "there is no cluster `restricte`",
    );
    check(&["--address", "here"], 2, "invalid socket address");
    check(
        &["--write-kubeconfig", "nowhere/kubeconfig"],
        2,
        "cannot write nowhere/kubeconfig",
    );

    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    check(&["--address", &address], 3, "cannot listen on 127.0.0.1");
}

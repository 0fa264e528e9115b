//! What stands in for kind, for Docker, and for what runs in a node.
//!
//! Two scripts take the places of the programs. The control plane of a node is an embedded API server that the test
//! hosts, configured as the file for kind says, or as the configuration says that the real kind has made for kubeadm.
//! A kubelet of sorts shows the mirror pod of kube-apiserver as soon as it is admitted, as a real one does.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use http::Method;
use kube::Client;
use podgate_apiserver::serve::{self, Options};
use podgate_apiserver::{Clock, Seeded};
use podgate_harness::backend::embedded;
use podgate_harness::exchange::{Call, Identity, exchange};
use podgate_harness::suite::Cluster;
use podgate_policy::Minor;
use serde_json::{Value, json};

use crate::folder::{Folder, Run, run};

/// How the control plane in a node does not do as it is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does.
    #[default]
    None,
    /// The patch of the configuration was dropped: nothing is configured.
    PatchDropped,
    /// The flags are there, and the server does not act on them.
    NotActedOn,
}

/// A folder with a suite, with kind and Docker on its `PATH`.
pub(crate) struct StandIn {
    pub(crate) folder: Folder,
    ended: Arc<AtomicBool>,
    host: Option<JoinHandle<()>>,
}

impl StandIn {
    /// Both programs are scripts.
    pub(crate) fn new(fault: Fault) -> Self {
        Self::with(fault, None)
    }

    /// Docker is a script, and `kind` the program given.
    pub(crate) fn with(fault: Fault, kind: Option<&Path>) -> Self {
        let folder = Folder::new();
        for name in ["nodes", "requests", "answers", "images", "runs", "kubeadm"] {
            fs::create_dir_all(folder.path().join("standin").join(name)).unwrap();
        }
        folder
            .write("bin/docker", include_str!("docker.sh"))
            .write("standin/version", "kind v0.33.0 go1.26.8 linux/amd64\n")
            .write(
                "standin/info",
                r#"{"CgroupVersion": "2", "MemoryLimit": true, "PidsLimit": true, "CPUShares": true}"#,
            );
        match kind {
            None => {
                folder.write("bin/kind", include_str!("kind.sh"));
            }
            Some(kind) => std::os::unix::fs::symlink(kind, folder.path().join("bin/kind")).unwrap(),
        }
        for program in fs::read_dir(folder.path().join("bin")).unwrap() {
            let program = program.unwrap().path();
            if !program.is_symlink() {
                fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
        let ended = Arc::new(AtomicBool::new(false));
        let host = thread::spawn({
            let (standin, ended) = (folder.path().join("standin"), Arc::clone(&ended));
            move || host(&standin, fault, &ended)
        });
        Self {
            folder,
            ended,
            host: Some(host),
        }
    }

    /// Says something to the scripts: a file of that name decides what they do.
    pub(crate) fn set(&self, name: &str, text: &str) -> &Self {
        self.folder.write(&format!("standin/{name}"), text);
        self
    }

    /// podgate with these programs on its `PATH`, and with folders of its own for state and for temporary files.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let at = |name: &str| self.folder.path().join(name);
        fs::create_dir_all(at("tmp")).unwrap();
        let mut command = self.folder.command(arguments);
        command
            .env("PATH", format!("{}:/usr/bin:/bin", at("bin").display()))
            .env("STANDIN", at("standin"))
            .env("TMPDIR", at("tmp"))
            .env("XDG_STATE_HOME", at("state"));
        for name in [
            "PODGATE_KIND",
            "KIND_EXPERIMENTAL_PROVIDER",
            "DOCKER_HOST",
            "KUBECONFIG",
        ] {
            command.env_remove(name);
        }
        // kind looks for its user's configuration of Docker.
        command.env("HOME", self.folder.path());
        command
    }

    pub(crate) fn podgate(&self, arguments: &[&str]) -> Run {
        run(&mut self.command(arguments), "")
    }

    /// What the scripts were asked.
    pub(crate) fn asked(&self) -> String {
        fs::read_to_string(self.folder.path().join("standin/log")).unwrap_or_default()
    }

    /// The clusters that are there.
    pub(crate) fn clusters(&self) -> Vec<String> {
        names(&self.folder.path().join("standin/nodes"))
    }

    /// Asserts that no cluster, no temporary file and no ledger is left.
    #[track_caller]
    pub(crate) fn nothing_is_left(&self) {
        assert_eq!(self.clusters(), <[&str; 0]>::default(), "clusters are left");
        assert_eq!(
            names(&self.folder.path().join("tmp")),
            <[&str; 0]>::default()
        );
        let ledgers = self.folder.path().join("state/podgate/runs");
        assert_eq!(names(&ledgers), <[&str; 0]>::default(), "ledgers are left");
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let host = self.host.take().unwrap().join();
        if !thread::panicking() {
            host.expect("the control planes of the stand-in");
        }
    }
}

/// The names in a folder, sorted; none where there is no folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// Answers requests for control planes until the test has ended.
fn host(standin: &Path, fault: Fault, ended: &AtomicBool) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        while !ended.load(Ordering::Relaxed) {
            for name in names(&standin.join("requests")) {
                let request = standin.join("requests").join(&name);
                let text = fs::read_to_string(&request).unwrap();
                fs::remove_file(&request).unwrap();
                let config = text.lines().nth(1).unwrap_or_default();
                let wanted = if config.is_empty() {
                    Wanted::by_kubeadm(standin, &name)
                } else if let Ok(config) = fs::read_to_string(config) {
                    Wanted::by_kind(&serde_yaml::from_str(&config).unwrap())
                } else {
                    // A run that was told to end has taken its files along and waits for nothing.
                    continue;
                };
                let kubeconfig = control_plane(standin, &name, wanted, fault).await;
                let answer = standin.join("answers").join(&name);
                fs::write(answer.with_file_name(format!(".{name}")), kubeconfig).unwrap();
                fs::rename(answer.with_file_name(format!(".{name}")), answer).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}

/// What a node is to run.
#[derive(Debug, Default)]
struct Wanted {
    minor: Option<Minor>,
    arguments: BTreeMap<String, String>,
    /// Folders of the host by where the node has them.
    mounts: BTreeMap<String, PathBuf>,
}

impl Wanted {
    /// Reads a configuration of kind as kind and kubeadm do.
    fn by_kind(config: &Value) -> Self {
        let node = &config["nodes"][0];
        let mut wanted = Self {
            minor: Some(minor(node["image"].as_str().unwrap())),
            ..Self::default()
        };
        for mount in node["extraMounts"].as_array().into_iter().flatten() {
            let text = |key: &str| mount[key].as_str().unwrap().to_owned();
            wanted
                .mounts
                .insert(text("containerPath"), text("hostPath").into());
        }
        wanted
            .arguments
            .insert("enable-admission-plugins".into(), "NodeRestriction".into());
        if let Some(gates) = config["featureGates"].as_object() {
            let gates: Vec<String> = gates
                .iter()
                .map(|(gate, on)| format!("{gate}={on}"))
                .collect();
            wanted
                .arguments
                .insert("feature-gates".into(), gates.join(","));
        }
        for patch in config["kubeadmConfigPatches"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let patch: Value = serde_yaml::from_str(patch.as_str().unwrap()).unwrap();
            wanted.add(&patch["apiServer"]["extraArgs"]);
        }
        wanted
    }

    /// Reads what the real kind has written for kubeadm.
    fn by_kubeadm(standin: &Path, name: &str) -> Self {
        let image = fs::read_to_string(standin.join("images").join(name)).unwrap();
        let mut wanted = Self {
            minor: Some(minor(&image)),
            ..Self::default()
        };
        let run = fs::read_to_string(standin.join("runs").join(name)).unwrap();
        for word in run
            .split_whitespace()
            .filter(|word| word.starts_with("--volume="))
        {
            let mut parts = word["--volume=".len()..].split(':');
            let (host, node) = (parts.next().unwrap(), parts.next().unwrap());
            wanted.mounts.insert(node.to_owned(), host.into());
        }
        wanted
            .arguments
            .insert("enable-admission-plugins".into(), "NodeRestriction".into());
        wanted.add(&kubeadm(standin, name)["apiServer"]["extraArgs"]);
        wanted
    }

    /// Takes arguments over: a map, or a list since v1beta4.
    fn add(&mut self, arguments: &Value) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        for (name, value) in arguments.as_object().into_iter().flatten() {
            self.arguments.insert(name.clone(), text(value));
        }
        for argument in arguments.as_array().into_iter().flatten() {
            self.arguments
                .insert(text(&argument["name"]), text(&argument["value"]));
        }
    }

    fn list(&self, argument: &str) -> Vec<&str> {
        let list = self.arguments.get(argument).map_or("", String::as_str);
        list.split(',').filter(|item| !item.is_empty()).collect()
    }

    /// The same as a cluster file.
    fn cluster(&self) -> Value {
        let gates = self.list("feature-gates").into_iter().map(|gate| {
            let (name, on) = gate.split_once('=').unwrap();
            (name.to_owned(), Value::Bool(on == "true"))
        });
        let mut server = json!({
            "enableAdmissionPlugins": self.list("enable-admission-plugins"),
            "disableAdmissionPlugins": self.list("disable-admission-plugins"),
            "featureGates": gates.collect::<serde_json::Map<_, _>>(),
        });
        if let Some(file) = self.arguments.get("admission-control-config-file") {
            let (folder, name) = file.rsplit_once('/').unwrap();
            server["admissionControlConfigFile"] = json!(self.mounts[folder].join(name));
        }
        json!({
            "apiVersion": "podgate.dev/v1alpha1",
            "kind": "Cluster",
            "metadata": {"name": "standin"},
            "spec": {"kubernetes": self.minor.unwrap().to_string(), "apiServer": server},
        })
    }
}

/// The configuration of the cluster that the real kind has written for kubeadm.
pub(crate) fn kubeadm(standin: &Path, name: &str) -> Value {
    let text = fs::read_to_string(standin.join("kubeadm").join(name)).unwrap();
    let documents = text
        .split("\n---\n")
        .map(|text| serde_yaml::from_str::<Value>(text).unwrap());
    let mut documents = documents.filter(|document| document["kind"] == "ClusterConfiguration");
    documents.next().unwrap()
}

/// The minor of an image by its tag.
fn minor(image: &str) -> Minor {
    let (_, tag) = image.split_once(":v").expect("images carry a tag");
    let mut numbers = tag.split('.');
    assert_eq!(numbers.next(), Some("1"));
    Minor::known(numbers.next().unwrap().parse().unwrap())
}

/// Starts a control plane; its kubeconfig.
async fn control_plane(standin: &Path, name: &str, wanted: Wanted, fault: Fault) -> String {
    let minor = wanted.minor.unwrap();
    let mut acted_on = wanted.cluster();
    let mut shown = wanted.arguments;
    if fault != Fault::None {
        acted_on["spec"]["apiServer"] = json!({});
    }
    if fault == Fault::PatchDropped {
        shown = BTreeMap::from([("enable-admission-plugins".into(), "NodeRestriction".into())]);
    }
    let file = standin.join(format!("{name}.yaml"));
    fs::write(&file, acted_on.to_string()).unwrap();
    let cluster = Cluster::load(&file).unwrap();
    let source = Seeded::new(1, Clock::default());
    let server = embedded::stand_alone(Some(&cluster), minor, source)
        .await
        .unwrap();
    let client = Client::new(server.clone(), "default");
    let listening = serve::listen(server, Options::default()).await.unwrap();
    let kubeconfig = listening.access().kubeconfig();
    tokio::spawn(listening.serve(std::future::pending()));
    tokio::spawn(kubelet(
        client,
        format!("kube-apiserver-{name}-control-plane"),
        shown,
    ));
    kubeconfig
}

/// Makes the mirror pod of kube-apiserver, as often as it takes until it is admitted. It needs what the real one
/// does of the host.
async fn kubelet(client: Client, name: String, arguments: BTreeMap<String, String>) {
    let arguments = arguments
        .iter()
        .map(|(name, value)| format!("--{name}={value}"));
    let command: Vec<String> = ["kube-apiserver".to_owned()]
        .into_iter()
        .chain(arguments)
        .collect();
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "kube-system"},
        "spec": {
            "hostNetwork": true,
            "containers": [{"name": "kube-apiserver", "image": "kube-apiserver", "command": command}],
        },
    })
    .to_string();
    loop {
        let call = Call {
            method: Method::POST,
            path: "/api/v1/namespaces/kube-system/pods".to_owned(),
            body: Some(("application/json", pod.as_bytes())),
            identity: &Identity::Admin,
        };
        if exchange(&client, call).await.unwrap().succeeded() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

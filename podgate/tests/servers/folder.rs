//! A folder with a small suite, stand-ins for the binaries, and places of its own for temporary files
//! and for what podgate remembers, so that what is left can be seen.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use sysinfo::{ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};
use tempfile::TempDir;

const BY_LABEL: &str = "\
apiVersion: podgate.dev/v1alpha1
kind: Cluster
metadata: {name: by-label}
spec:
  kubernetes: '1.30..1.36'
  namespace: {labels: {pod-security.kubernetes.io/enforce: baseline}}
";

const BY_FILE: &str = "\
apiVersion: podgate.dev/v1alpha1
kind: Cluster
metadata: {name: by-file}
spec: {kubernetes: '1.30..1.36'}
---
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: {enforce: restricted, enforce-version: latest}
";

const PODS: &str = "\
apiVersion: podgate.dev/v1alpha1
kind: Scenario
metadata: {name: pods}
spec: {expect: [{object: Pod/bad, rejected: PodSecurity, checks: [privileged]}]}
---
{apiVersion: v1, kind: Pod, metadata: {name: good}, spec: {
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}},
  containers: [{name: c, image: i,
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: bad}, spec: {
  containers: [{name: c, image: i, securityContext: {privileged: true}}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {
  replicas: 2, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}},
    spec: {containers: [{name: c, image: i, securityContext: {privileged: true}}]}}}}
";

pub(crate) struct Folder {
    root: TempDir,
}

impl Folder {
    /// The suite, with its snapshots as the embedded server answers, and stand-ins of 1.36.
    pub(crate) fn new() -> Self {
        let folder = Self {
            root: TempDir::new().expect("a folder"),
        };
        for (path, text) in [
            ("clusters/by-label.yaml", BY_LABEL),
            ("clusters/by-file.yaml", BY_FILE),
            ("scenarios/pods.yaml", PODS),
        ] {
            folder.write(path, text);
        }
        for name in ["tmp", "state"] {
            fs::create_dir(folder.path(name)).expect(name);
        }
        folder.assets("assets");
        folder.run(&["test", "--kubernetes", "1.36"], &[]);
        let accepted = folder.run(&["review", "--accept"], &[]);
        assert!(accepted.status.success(), "{accepted:?}");
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect(name);
    }

    /// Puts the stand-ins into a folder.
    pub(crate) fn assets(&self, name: &str) {
        let folder = self.path(name);
        fs::create_dir_all(&folder).expect(name);
        let this = std::env::current_exe().expect("this program");
        for component in ["etcd", "kube-apiserver"] {
            symlink(&this, folder.join(component)).expect(component);
        }
    }

    pub(crate) fn command(&self, args: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_podgate"));
        command
            .args(args)
            .current_dir(self.root.path())
            .env_clear()
            .env("PATH", "")
            .envs(self.places())
            .envs(variables.iter().copied());
        command
    }

    /// The variables by which podgate finds its places.
    pub(crate) fn places(&self) -> [(&'static str, PathBuf); 4] {
        [
            ("XDG_STATE_HOME", self.path("state")),
            ("TMPDIR", self.path("tmp")),
            // Neither is ever looked at.
            ("HOME", self.path("home")),
            ("KUBECONFIG", self.path("no-kubeconfig")),
        ]
    }

    pub(crate) fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> Output {
        self.command(args, variables)
            .output()
            .expect("podgate runs")
    }

    /// `podgate test` on the stand-ins.
    pub(crate) fn test(&self, args: &[&str], stand_in: &str) -> Output {
        let args = [&TEST, args].concat();
        self.run(&args, &[("STAND_IN", stand_in)])
    }

    /// The same, while it runs.
    pub(crate) fn start(&self, args: &[&str], stand_in: &str) -> Running {
        let args = [&TEST, args].concat();
        let mut command = self.command(&args, &[("STAND_IN", stand_in)]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("podgate runs");
        let stderr = BufReader::new(child.stderr.take().expect("its notes"));
        Running { child, stderr }
    }

    /// The processes that were started in this folder and still run, by their command lines.
    pub(crate) fn processes(&self) -> Vec<String> {
        let mut system = System::new().expect("a system with processes");
        let what = ProcessRefreshKind::nothing()
            .with_cmd(UpdateKind::Always)
            .without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
        let root = self.root.path().to_string_lossy().into_owned();
        let alive = system
            .processes()
            .values()
            .filter(|process| process.status() != ProcessStatus::Zombie);
        let lines = alive.map(|process| {
            let words: Vec<_> = process
                .cmd()
                .iter()
                .map(|word| word.to_string_lossy())
                .collect();
            words.join(" ")
        });
        let mut lines: Vec<String> = lines.filter(|line| line.contains(&root)).collect();
        lines.sort();
        lines
    }

    /// What lies in a folder.
    pub(crate) fn names(&self, folder: &str) -> Vec<OsString> {
        let entries = fs::read_dir(self.path(folder)).into_iter().flatten();
        entries
            .map(|entry| entry.expect("an entry").file_name())
            .collect()
    }

    /// Nothing of any run is left.
    #[track_caller]
    pub(crate) fn is_clean(&self) {
        assert_eq!(self.processes(), Vec::<String>::new());
        assert_eq!(self.names("tmp"), Vec::<OsString>::new());
        assert_eq!(self.names("state/podgate/runs"), Vec::<OsString>::new());
        assert!(!self.path("home").exists() && !self.path("no-kubeconfig").exists());
    }
}

const TEST: [&str; 7] = [
    "test",
    "--backend",
    "apiserver",
    "--assets",
    "assets",
    "--kubernetes",
    "1.36",
];

/// A podgate that runs.
pub(crate) struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Running {
    /// Reads on until a line of stderr has `text` in it.
    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) {
        let mut seen = String::new();
        loop {
            let from = seen.len();
            let read = self.stderr.read_line(&mut seen).expect("text");
            assert!(read > 0, "`{text}` is not in:\n{seen}");
            if seen[from..].contains(text) {
                return;
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a pid"), signal).expect("it runs");
    }

    /// Waits for its end, reading what it has still to say.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let mut said = String::new();
        std::io::Read::read_to_string(&mut self.stderr, &mut said).expect("text");
        (self.child.wait().expect("it ends"), said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended is as good; a test that failed leaves none behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text of an output.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

//! `podgate test --backend context`: an existing cluster, which here is a `podgate serve`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rstest::rstest;

use crate::folder::Folder;

/// A server with a cluster file of the folder, and its kubeconfig there.
pub(crate) struct Theirs(Child);

impl Theirs {
    /// The server of `psa-restricted`.
    fn start(folder: &Folder) -> Self {
        Self::of(folder, "psa-restricted", "1.36")
    }

    /// The server of a cluster file.
    pub(crate) fn of(folder: &Folder, cluster: &str, minor: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_podgate"))
            .current_dir(folder.path())
            .args(["serve", "--cluster", cluster, "--kubernetes", minor])
            .args(["--write-kubeconfig", "kubeconfig"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("podgate runs");
        let mut ready = String::new();
        let stdout = child.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut ready).expect("text");
        assert!(ready.starts_with("ready: "), "{ready}");
        Self(child)
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const CONTEXT: [&str; 7] = [
    "test",
    "--backend",
    "context",
    "--context",
    "podgate",
    "--kubeconfig",
    "kubeconfig",
];

#[rstest]
#[case::dry_run(&["--cluster", "psa-restricted", "-n", "default"])]
#[case::the_version_that_it_is(&["--cluster", "psa-restricted", "-n", "default", "--kubernetes", "1.30.."])]
#[case::own_namespaces(&["--cluster", "psa-restricted", "--allow-writes"])]
fn the_example_holds_there(#[case] more: &[&str]) {
    let folder = Folder::suite();
    let _theirs = Theirs::start(&folder);
    let before = folder.files("snapshots");
    let arguments = [&CONTEXT, more].concat();
    folder.podgate(&arguments).ends(0).says(&[
        "Kubernetes 1.36, context podgate (v1.36",
        "the snapshot agrees\n",
    ]);
    assert_eq!(folder.files("snapshots"), before, "nothing is recorded");
}

#[test]
fn what_it_answers_otherwise_is_told_and_not_recorded() {
    let folder = Folder::suite();
    let _theirs = Theirs::start(&folder);
    let before = folder.files("snapshots");
    let more = ["--cluster", "psa-baseline-warn-restricted", "-n", "default"];
    let arguments = [&CONTEXT, more.as_slice()].concat();
    folder
        .podgate(&arguments)
        .ends(1)
        .says(&["Pod/root on 1.36: was admitted, is rejected\n"])
        .tells(&[
            "in the namespace default the label pod-security.kubernetes.io/enforce is restricted",
        ]);
    assert_eq!(folder.files("snapshots"), before, "nothing is recorded");
}

#[rstest]
#[case::no_namespace(&["--cluster", "psa-restricted"], 2, "a dry run needs a namespace that is there", "-n names it")]
#[case::no_cluster(&["-n", "default"], 2, "which cluster file is the cluster of context `podgate` said to be?", "--cluster names it")]
#[case::missing_namespace(&["--cluster", "psa-restricted", "-n", "web"], 3, "context `podgate` has no namespace `web`", "-n names one that exists")]
#[case::another_version(&["--cluster", "psa-restricted", "-n", "default", "--kubernetes", "1.30"], 3, "and 1.30 was asked for", "leave --kubernetes out")]
#[case::both(&["--cluster", "psa-restricted", "-n", "default", "--allow-writes"], 2, "cannot be used with", "--help")]
fn what_cannot_be_asked(
    #[case] more: &[&str],
    #[case] code: i32,
    #[case] message: &str,
    #[case] hint: &str,
) {
    let folder = Folder::suite();
    let _theirs = Theirs::start(&folder);
    let arguments = [&CONTEXT, more].concat();
    folder
        .podgate(&arguments)
        .ends(code)
        .tells(&[message, hint]);
}

#[rstest]
#[case::no_kubeconfig(&["--backend", "context", "--context", "x", "--kubeconfig", "nowhere"], 3, "cannot read the kubeconfig nowhere", "--kubeconfig or KUBECONFIG names the file")]
#[case::nameless(&["--backend", "context"], 2, "--context <NAME>", "--help")]
#[case::idle(&["--context", "x"], 2, "--context is for --backend context", "without --backend the embedded server answers")]
fn what_is_not_there(
    #[case] more: &[&str],
    #[case] code: i32,
    #[case] message: &str,
    #[case] hint: &str,
) {
    let folder = Folder::suite();
    let arguments = [&["test", "--cluster", "psa-restricted"], more].concat();
    let arguments = if more.contains(&"--backend") {
        [arguments.as_slice(), &["-n", "default"]].concat()
    } else {
        arguments
    };
    folder
        .podgate(&arguments)
        .ends(code)
        .tells(&[message, hint]);
}

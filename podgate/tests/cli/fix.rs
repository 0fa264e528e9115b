//! `podgate fix`: the diff that patch takes, the files that it writes, the exit codes.

use std::process::Command;

use crate::folder::Folder;

const WEB: &str = "# The shop.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # as the Service says
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        # the program
        - name: web
          image: \"nginx:1.27\"
          securityContext: {}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
";

const FIXED: &str = "# The shop.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # as the Service says
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        # the program
        - name: web
          image: \"nginx:1.27\"
          securityContext:
            allowPrivilegeEscalation: false
            capabilities:
              drop:
                - ALL
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
";

const HOST: &str = "apiVersion: v1
kind: Pod
metadata: {name: host}
spec:
  hostPID: true
  containers: [{name: a, image: a, securityContext: {runAsUser: 0}}]
";

const FIX: [&str; 4] = ["fix", "k8s", "--enforce", "restricted"];

#[test]
fn the_diff_is_one_that_patch_takes() {
    let folder = Folder::new();
    folder.write("k8s/web.yaml", WEB);
    let run = folder.podgate(&FIX).ends(0);
    assert!(
        run.stdout
            .starts_with("--- a/k8s/web.yaml\n+++ b/k8s/web.yaml\n@@ "),
        "{run:?}"
    );
    assert!(
        run.stderr
            .contains("can be fixed Deployment/web (k8s/web.yaml:2)"),
        "{run:?}"
    );
    assert!(run.stderr.contains("CreateContainerConfigError"), "{run:?}");
    assert_eq!(folder.read("k8s/web.yaml"), WEB);

    folder.write("fix.patch", &run.stdout);
    let applied = Command::new("git")
        .args(["apply", "fix.patch"])
        .current_dir(folder.path())
        .status();
    assert!(applied.expect("git runs").success());
    assert_eq!(folder.read("k8s/web.yaml"), FIXED);
    folder
        .podgate(&["check", "k8s", "--enforce", "restricted"])
        .ends(0);

    let again = folder.podgate(&FIX).ends(0);
    assert_eq!((again.stdout, again.stderr), (String::new(), String::new()));
}

#[test]
fn what_cannot_be_fixed_is_said_and_left() {
    let folder = Folder::new();
    let both = format!("{HOST}---\n{WEB}");
    folder.write("k8s/all.yaml", &both);
    let run = folder.podgate(&[&FIX[..], &["--write"]].concat()).ends(1);
    assert_eq!(run.stdout, "");
    assert_eq!(folder.read("k8s/all.yaml"), format!("{HOST}---\n{FIXED}"));
    assert!(
        run.stderr
            .contains("left as it is Pod/host (k8s/all.yaml:1)"),
        "{run:?}"
    );
    assert!(
        run.stderr
            .contains("k8s/all.yaml:5:3: hostNamespaces: spec.hostPID:"),
        "{run:?}"
    );
    assert!(
        run.stderr.contains("k8s/all.yaml:6:54: runAsNonRoot:"),
        "{run:?}"
    );
    assert!(run.stderr.contains("2 objects: 1 fixed, 1 left"), "{run:?}");
    let again = folder.podgate(&[&FIX[..], &["--write"]].concat()).ends(1);
    assert!(
        again.stderr.contains("2 objects: 1 ok already, 1 left"),
        "{again:?}"
    );
}

#[cfg(unix)]
#[test]
fn links_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new();
    folder.write("base/web.yaml", WEB);
    let target = folder.path().join("base/web.yaml");
    let rights = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(&target, rights.clone()).unwrap();
    std::fs::create_dir(folder.path().join("k8s")).unwrap();
    let link = folder.path().join("k8s/web.yaml");
    symlink("../base/web.yaml", &link).unwrap();
    // Named by both of its paths it is changed once.
    let arguments = [
        "fix",
        "k8s",
        "-f",
        "base/web.yaml",
        "--enforce",
        "restricted",
        "--write",
    ];
    folder.podgate(&arguments).ends(0);
    assert!(link.is_symlink());
    assert_eq!(folder.read("base/web.yaml"), FIXED);
    let metadata = std::fs::metadata(&target).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o640);
    let files = folder.files("base");
    assert_eq!(files.len(), 1, "{files:?}");
}

#[test]
fn standard_input_is_a_filter_with_write() {
    let folder = Folder::new();
    let arguments = ["fix", "-", "--enforce", "restricted", "--write"];
    let run = folder
        .with_stdin(&arguments, &WEB.replace('\n', "\r\n"))
        .ends(0);
    assert_eq!(run.stdout, FIXED.replace('\n', "\r\n"));
    let run = folder.with_stdin(&arguments, FIXED).ends(0);
    assert_eq!(run.stdout, FIXED);
    let run = folder.with_stdin(&arguments[..4], WEB).ends(0);
    assert!(run.stdout.starts_with("--- a/stdin.yaml\n"), "{run:?}");
}

#[test]
fn what_is_no_level_to_meet_is_said() {
    let folder = Folder::suite();
    folder.write("k8s/web.yaml", WEB);
    for (arguments, says) in [
        (
            vec!["fix", "k8s", "--cluster", "psp-restricted"],
            "PodSecurityPolicy",
        ),
        (
            vec![
                "fix",
                "k8s",
                "--enforce",
                "restricted",
                "--kubernetes",
                "1.21",
            ],
            "no level to fix for",
        ),
        (vec!["fix", "k8s"], "there is no policy"),
        (vec!["fix"], "nothing to fix"),
        (
            vec!["fix", "none.yaml", "--enforce", "restricted"],
            "none.yaml",
        ),
    ] {
        if says == "PodSecurityPolicy" {
            folder.write("clusters/psp-restricted.yaml", PSP);
        }
        let run = folder.podgate(&arguments).ends(2);
        assert!(run.stderr.contains(says), "{run:?}");
        assert_eq!(run.stdout, "");
    }
    folder.write(
        "map/map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
    );
    folder
        .podgate(&["fix", "map", "--enforce", "restricted"])
        .ends(4);
    folder.write("map/map.yaml", "a: {{ .Values }}\n");
    folder
        .podgate(&["fix", "map", "--enforce", "restricted"])
        .ends(2);
}

const PSP: &str = "apiVersion: podgate.dev/v1alpha1
kind: Cluster
metadata: {name: psp-restricted}
spec:
  kubernetes: ..1.24
  apiServer: {enableAdmissionPlugins: [PodSecurityPolicy]}
";

#[test]
fn a_cluster_says_its_level() {
    let folder = Folder::suite();
    folder.write("k8s/web.yaml", WEB);
    let clusters = folder.files("clusters");
    assert!(
        clusters
            .iter()
            .any(|(path, _)| path.ends_with("psa-restricted.yaml")),
        "{clusters:?}"
    );
    folder
        .podgate(&["fix", "k8s", "--cluster", "psa-restricted", "--write"])
        .ends(0);
    assert_eq!(folder.read("k8s/web.yaml"), FIXED);
}

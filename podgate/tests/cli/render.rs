//! `--helm` and `--kustomize`: with stand-ins for the programs always, and with the real ones on
//! `examples/` where they are on the PATH.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};

use crate::folder::{Folder, Run, run};

const CHART: &str = "apiVersion: v2\nname: web\nversion: 0.1.0\n";

/// What helm prints of a chart with a subchart that is packed.
const RENDERED: &str = "---
# Source: web/templates/web.yaml
apiVersion: v1
kind: Secret
metadata: {name: web}
---
# Source: web/templates/web.yaml
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - name: web
      image: web
      securityContext:
        {}
---
# Source: web/charts/cache/templates/cache.yaml
apiVersion: v1
kind: Pod
metadata: {name: cache}
spec:
  hostPID: true
  containers: [{name: cache, image: cache}]
";

/// A folder with a chart, and a program that poses as helm; the script has the arguments in `$*`.
fn with_helm(script: &str) -> Folder {
    let folder = Folder::new();
    folder
        .write("charts/web/Chart.yaml", CHART)
        .write("charts/web/templates/web.yaml", "{{ }}\n")
        .write("printed", RENDERED);
    program(&folder, "bin/helm", script);
    folder
}

fn program(folder: &Folder, name: &str, script: &str) {
    folder.write(name, &format!("#!/bin/sh\n{script}\n"));
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.path().join(name), executable).unwrap();
}

/// podgate with the programs of the folder in front of all others, and the ledger of runs in it.
fn command(folder: &Folder, arguments: &[&str]) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let bin = folder.path().join("bin").display().to_string();
    let mut command = folder.command(arguments);
    fs::create_dir_all(folder.path().join("tmp")).unwrap();
    command
        .env("PATH", format!("{bin}:{path}"))
        .env("XDG_STATE_HOME", folder.path().join("state"))
        .env("TMPDIR", folder.path().join("tmp"))
        .env_remove("PODGATE_HELM")
        .env_remove("PODGATE_KUSTOMIZE");
    command
}

fn podgate(folder: &Folder, arguments: &[&str]) -> Run {
    let ran = run(&mut command(folder, arguments), "");
    nothing_is_left(folder);
    ran
}

#[track_caller]
fn nothing_is_left(folder: &Folder) {
    for place in ["tmp", "state/podgate/runs"] {
        let left = fs::read_dir(folder.path().join(place))
            .into_iter()
            .flatten();
        let left: Vec<PathBuf> = left.map(|it| it.unwrap().path()).collect();
        assert_eq!(left, Vec::<PathBuf>::new());
    }
}

const CHECK: [&str; 5] = ["check", "--helm", "charts/web", "--enforce", "baseline"];

#[test]
fn findings_name_the_template_and_the_rendered_line() {
    let folder = with_helm("cat printed");
    let ran = podgate(&folder, &CHECK).ends(1).says(&[
        "✓ Pod/default/web  charts/web/templates/web.yaml, rendered 8\n",
        // Its subchart is packed, so it is named as helm names it.
        "✗ Pod/default/cache  web/charts/cache/templates/cache.yaml, rendered 19\n",
        "at web/charts/cache/templates/cache.yaml, rendered 23:3\n",
        "context: Secret/web\n",
        "rendered: lines of what was rendered",
        "2 objects judged: 1 ok, 1 not ok",
    ]);
    assert_eq!(ran.stderr, "");
}

#[test]
fn machines_get_both_places() {
    let folder = with_helm("cat printed");
    let places = |run: &Run| -> Vec<Value> {
        let lines = run.json_lines();
        let place = |it: &Value| json!([it["file"], it["line"], it["source"]]);
        lines.iter().map(place).collect()
    };
    let helm = podgate(&folder, &[&CHECK[..], &["-o", "jsonl"]].concat()).ends(1);
    let (template, packed) = (
        "charts/web/templates/web.yaml",
        "web/charts/cache/templates/cache.yaml",
    );
    assert_eq!(
        places(&helm),
        [
            json!(["charts/web", 8, template]),
            json!(["charts/web", 19, packed])
        ]
    );
    let piped = folder.with_stdin(
        &["check", "-", "--enforce", "baseline", "-o", "jsonl"],
        RENDERED,
    );
    assert_eq!(
        places(&piped.ends(1)),
        [
            json!(["<stdin>", 8, "web/templates/web.yaml"]),
            json!(["<stdin>", 19, packed])
        ]
    );
}

/// What somebody rendered into a file stands there, line by line.
#[test]
fn what_stands_in_a_file_is_named_by_that() {
    let folder = Folder::new();
    folder.write("web.yaml", RENDERED);
    let check = ["check", "web.yaml", "--enforce", "baseline"];
    folder
        .podgate(&check)
        .ends(1)
        .says(&["✗ Pod/default/cache  web.yaml:19\n", "at web.yaml:23:3\n"]);
    let run = folder.podgate(&[&check[..], &["-o", "github"]].concat());
    let run = run.ends(1);
    assert!(
        run.stdout
            .starts_with("::error file=web.yaml,line=23,col=3,"),
        "{run:?}"
    );
}

/// A line of the rendered text would be a wrong line of the template.
#[rstest]
#[case(
    "github",
    "::error file=charts/web/templates/web.yaml,title=Pod/default/web"
)]
#[case("junit", "classname=\"charts/web/templates/web.yaml\"")]
#[case("markdown", "at charts/web/templates/web.yaml, rendered 15:7")]
fn reports_name_the_template(#[case] format: &str, #[case] text: &str) {
    let folder = with_helm("cat printed");
    let arguments = [
        "check",
        "--helm",
        "charts/web",
        "--enforce",
        "restricted",
        "-o",
        format,
    ];
    let ran = podgate(&folder, &arguments).ends(1);
    let plain = ran.stdout.replace('\\', "");
    assert!(plain.contains(text), "{text} is not in\n{plain}");
}

#[test]
fn sarif_names_no_line_of_a_template() {
    let folder = with_helm("cat printed");
    let ran = podgate(&folder, &[&CHECK[..], &["-o", "sarif"]].concat()).ends(1);
    let log: Value = serde_json::from_str(&ran.stdout).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    let uri = "web/charts/cache/templates/cache.yaml";
    assert_eq!(place, &json!({"artifactLocation": {"uri": uri}}));
}

#[test]
fn helm_gets_what_the_flags_say() {
    let folder = with_helm("echo \"$*\" > arguments; cat printed");
    let flags = [
        "--kubernetes",
        "1.29..1.31",
        "-n",
        "shop",
        "--helm-values",
        "a.yaml",
        "--helm-values",
        "b.yaml",
    ];
    let more = ["--helm-set", "a.b=c", "--helm-release", "blue"];
    podgate(&folder, &[&CHECK[..], &flags, &more].concat())
        .ends(1)
        .says(&["Pod/shop/web"])
        .tells(&["charts are rendered once, for Kubernetes 1.31, the newest of those asked for"]);
    assert_eq!(
        folder.read("arguments"),
        "template --namespace shop --kube-version v1.31.0 --values a.yaml --values b.yaml --set a.b=c -- blue charts/web\n"
    );
}

#[test]
fn what_helm_says_beside_is_passed_on() {
    let folder = with_helm("echo 'coalesce.go: warning: a value is dropped' >&2; cat printed");
    podgate(&folder, &CHECK)
        .ends(1)
        .tells(&["helm: coalesce.go: warning: a value is dropped"]);
}

#[rstest]
#[case::refuses(
    "echo 'Error: parse error at (web/templates/web.yaml:1)' >&2; exit 1", 2,
    &["error: helm cannot render charts/web: exit status: 1", "helm says:", "  Error: parse error at (web/templates/web.yaml:1)", "hint: mend charts/web"]
)]
#[case::dependencies(
    "echo 'Error: found in Chart.yaml, but missing in charts/ directory: redis' >&2; exit 1", 2,
    &["hint: helm dependency build charts/web"]
)]
#[case::killed("kill -9 $$", 3, &["error: helm was ended while it rendered charts/web"])]
#[case::nothing("true", 2, &["there is no object in it", "charts/web"])]
#[case::too_much("exec cat /dev/zero", 2, &["error: helm prints more than 64 MiB of charts/web", "hint: "])]
#[case::garbage("echo '{{ .Values }}: ['", 2, &["charts/web:1"])]
fn what_goes_wrong(#[case] script: &str, #[case] code: i32, #[case] told: &[&str]) {
    podgate(&with_helm(script), &CHECK).ends(code).tells(told);
}

#[test]
fn programs_that_are_missing() {
    let folder = with_helm("cat printed");
    folder.write("k8s/kustomization.yaml", "resources: []\n");
    let without = |arguments: &[&str]| run(command(&folder, arguments).env("PATH", ""), "");
    without(&CHECK).ends(3).tells(&[
        "error: there is no helm to render charts/web with",
        "hint: install helm",
    ]);
    without(&["check", "-k", "k8s", "--enforce", "baseline"])
        .ends(3)
        .tells(&[
            "error: there is no kustomize and no kubectl to render k8s with",
            "hint: install one",
        ]);
    let mut named = command(&folder, &CHECK);
    let helm = folder.path().join("bin/helm");
    let ran = run(
        named.env("PATH", "/usr/bin:/bin").env("PODGATE_HELM", helm),
        "",
    );
    ran.ends(1).says(&["charts/web/templates/web.yaml"]);
}

#[test]
fn charts_and_kustomizations_that_are_not_there() {
    let folder = with_helm("cat printed");
    podgate(
        &folder,
        &["check", "--helm", "charts/wob", "--enforce", "baseline"],
    )
    .ends(2)
    .tells(&["error: --helm charts/wob: there is no such chart"]);
    podgate(&folder, &["check", "-k", "charts", "--enforce", "baseline"])
        .ends(2)
        .tells(&[
            "error: --kustomize charts: there is no kustomization in it",
            "hint: name a folder with one of",
        ]);
}

#[test]
fn a_chart_that_is_named_like_a_folder_of_manifests() {
    let folder = with_helm("cat printed");
    for named in [&["charts/web"][..], &["charts", "-R"]] {
        podgate(
            &folder,
            &[&["check", "--enforce", "baseline"], named].concat(),
        )
        .ends(2)
        .tells(&["it is a Helm chart", "charts/web", "--helm charts/web"]);
    }
}

#[test]
fn fix_shows_and_writes_nothing() {
    let folder = with_helm("cat printed");
    let before = folder.files("charts");
    let arguments = ["fix", "--helm", "charts/web", "--enforce", "restricted"];
    podgate(&folder, &arguments)
        .ends(1)
        .says(&[
            "--- a/charts/web (rendered)\n+++ b/charts/web (rendered)\n",
            "-        {}\n+        allowPrivilegeEscalation: false\n",
        ])
        .tells(&[
            "can be fixed Pod/web (charts/web/templates/web.yaml, rendered 8)",
            "left as it is Pod/cache (web/charts/cache/templates/cache.yaml, rendered 19)",
            "hint: nothing is written",
        ]);
    podgate(&folder, &[&arguments[..], &["--write"]].concat())
        .ends(2)
        .tells(&["error: --write cannot change what is rendered", "hint: "]);
    assert_eq!(folder.files("charts"), before);
}

#[test]
fn diff_compares_what_is_rendered_for_the_newer_version() {
    let folder = with_helm("echo \"$*\" > arguments; cat printed");
    let arguments = [
        "diff",
        "--helm",
        "charts/web",
        "--enforce",
        "baseline",
        "--from",
        "@1.21",
        "--to",
        "@1.25",
    ];
    podgate(&folder, &arguments)
        .ends(1)
        .says(&["✗ Pod/default/cache  web/charts/cache/templates/cache.yaml, rendered 19"]);
    assert!(folder.read("arguments").contains("--kube-version v1.25.0 "));
}

/// What kustomize prints where a kustomization asks for `originAnnotations`.
const BUILT: &str = "apiVersion: v1
kind: Pod
metadata:
  annotations:
    config.kubernetes.io/origin: |
      path: ../base/web.yaml
  name: web
spec: {containers: [{name: web, image: web}]}
---
apiVersion: v1
kind: Pod
metadata: {name: made}
spec: {containers: [{name: web, image: web}]}
";

#[rstest]
#[case::kustomize("kustomize", "build -- k8s/prod\n")]
#[case::kubectl("kubectl", "kustomize -- k8s/prod\n")]
fn kustomizations(#[case] name: &str, #[case] arguments: &str) {
    let folder = Folder::new();
    folder
        .write("k8s/prod/kustomization.yaml", "resources: [../base]\n")
        .write("k8s/base/web.yaml", "")
        .write("printed", BUILT);
    program(
        &folder,
        &format!("bin/{name}"),
        "echo \"$*\" > arguments; cat printed",
    );
    let mut command = command(
        &folder,
        &["check", "-k", "k8s/prod", "--enforce", "baseline"],
    );
    // No other than the stand-in: /bin has what its script needs.
    let path = format!(
        "{}:{}",
        folder.path().join("bin").display(),
        coreutils(&folder).display()
    );
    run(command.env("PATH", path), "").ends(0).says(&[
        "✓ Pod/default/web  k8s/base/web.yaml, rendered 1\n",
        // Nothing says where it comes from, but from this kustomization.
        "✓ Pod/default/made  k8s/prod/kustomization.yaml, rendered 10\n",
    ]);
    assert_eq!(folder.read("arguments"), arguments);
}

/// A folder with `cat` alone.
fn coreutils(folder: &Folder) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path);
    let cat = folders.find(|folder| folder.join("cat").is_file()).unwrap();
    let own = folder.path().join("coreutils");
    fs::create_dir_all(&own).unwrap();
    std::os::unix::fs::symlink(cat.join("cat"), own.join("cat")).unwrap();
    own
}

#[test]
fn a_kustomization_that_is_named_like_a_folder_of_manifests() {
    let folder = Folder::new();
    folder
        .write("k8s/kustomization.yaml", "resources: [web.yaml]\n")
        .write("k8s/web.yaml", BUILT);
    folder
        .podgate(&["check", "k8s", "--enforce", "baseline"])
        .ends(0)
        .tells(&[
            "k8s/kustomization.yaml is not built",
            "-k k8s judges what kustomize makes of them",
        ]);
}

/// Whoever ends podgate ends helm, too; after SIGKILL podgate clean does.
#[rstest]
#[case(Signal::TERM)]
#[case(Signal::INT)]
#[case(Signal::KILL)]
fn a_helm_that_hangs(#[case] signal: Signal) {
    let folder = with_helm("mkfifo wait; echo $$ > started; cat wait");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        folder.path().join("started"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    let mut child = command(&folder, &CHECK)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It blocks until helm runs and says its number.
    let mut line = String::new();
    let started = fs::File::open(folder.path().join("started")).unwrap();
    BufReader::new(started).read_line(&mut line).unwrap();
    let helm = Pid::from_raw(line.trim().parse().unwrap()).unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
    let status = child.wait().unwrap();
    if signal == Signal::KILL {
        run(&mut command(&folder, &["clean"]), "").ends(0);
    } else {
        assert_eq!(status.code(), Some(128 + signal.as_raw()));
    }
    let gone = test_kill_process(helm).is_err() || is_zombie(helm);
    assert!(gone, "helm is still there");
    nothing_is_left(&folder);
}

/// Whether it has ended, and only waits for somebody to ask how: init, after SIGKILL of podgate.
fn is_zombie(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.is_ok_and(|stat| {
        stat.rsplit(") ")
            .next()
            .is_some_and(|rest| rest.starts_with('Z'))
    })
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// podgate at the root of the repository with the real programs, if there is such a one.
fn really(program: &str, arguments: &[&str]) -> Option<Run> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|folder| folder.join(program).is_file()) {
        eprintln!("LEFT OUT: there is no {program} on the PATH, so it was not asked");
        return None;
    }
    let folder = Folder::new();
    let ran = run(command(&folder, arguments).current_dir(root()), "");
    nothing_is_left(&folder);
    Some(ran)
}

#[test]
fn the_real_helm() {
    let check = [
        "check",
        "--helm",
        "examples/chart",
        "--enforce",
        "restricted",
        "--kubernetes",
        "1.36",
    ];
    let Some(ran) = really("helm", &check) else {
        return;
    };
    let ran = ran.ends(1);
    for template in [
        "✗ Deployment/default/release-name-shop  examples/chart/templates/shop.yaml, rendered ",
        "✗ StatefulSet/default/release-name-cache  examples/chart/charts/cache/templates/cache.yaml, rendered ",
        "✗ Job/default/release-name-migrate  examples/chart/templates/migrate.yaml, rendered ",
        "✗ Pod/default/release-name-answers  examples/chart/templates/tests/answers.yaml, rendered ",
        "context: Secret/release-name-shop\n",
        "4 objects judged: 4 not ok",
    ] {
        assert!(ran.stdout.contains(template), "{template}\n{}", ran.stdout);
    }
    let hardened = [
        "--helm-values",
        "examples/chart/hardened.yaml",
        "--helm-release",
        "blue",
    ];
    let ran = really("helm", &[&check[..], &hardened].concat())
        .unwrap()
        .ends(0);
    assert!(
        ran.stdout.contains("✓ Deployment/default/blue-shop"),
        "{}",
        ran.stdout
    );
    let broken = [&check[..], &["--helm-set", "securityContext=7"]].concat();
    really("helm", &broken).unwrap().ends(2);
    let none = [&check[..], &["--helm-values", "examples/none.yaml"]].concat();
    really("helm", &none)
        .unwrap()
        .ends(2)
        .tells(&["helm says:", "examples/none.yaml"]);
}

#[rstest]
#[case("kustomize")]
#[case("kubectl")]
fn the_real_kustomize(#[case] program: &str) {
    let check = [
        "check",
        "-k",
        "examples/overlay",
        "--enforce",
        "restricted",
        "--kubernetes",
        "1.36",
    ];
    if let Some(ran) = really(program, &check) {
        let ran = ran.ends(1);
        for text in [
            "✗ Deployment/default/web  examples/overlay/web.yaml, rendered ",
            "allowPrivilegeEscalation",
        ] {
            assert!(ran.stdout.contains(text), "{text}\n{}", ran.stdout);
        }
        // The patch counts.
        assert!(!ran.stdout.contains("runAsNonRoot"), "{}", ran.stdout);
    }
}

//! `podgate check`: the formats, the flags, the exit codes.

use rstest::rstest;
use serde_json::{Value, json};

use crate::folder::Folder;

const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"a","image":"a"}]}}"#;
const HOST: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"host"},"spec":{"hostNetwork":true,"containers":[{"name":"a","image":"a"}]}}"#;
const DEPLOYMENT: &str = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"hostPID":true,"containers":[{"name":"a","image":"a"}]}}}}"#;

fn folder() -> Folder {
    let folder = Folder::new();
    folder
        .write("pod.json", POD)
        .write("host.json", HOST)
        .write("web.json", DEPLOYMENT);
    folder
}

/// The keys of a line, in the order in which they are written.
fn keys(line: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut depth = 0;
    let mut rest = line;
    while let Some(at) = rest.find(['{', '}', '[', ']', '"']) {
        let (sign, after) = (rest.as_bytes()[at], &rest[at + 1..]);
        rest = after;
        match sign {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {
                let mut end = 0;
                while after.as_bytes()[end] != b'"' {
                    end += if after.as_bytes()[end] == b'\\' { 2 } else { 1 };
                }
                rest = &after[end + 1..];
                if depth == 1 && rest.starts_with(':') {
                    keys.push(after[..end].to_owned());
                }
            }
        }
    }
    keys
}

/// What the contract writes down, word for word.
const FIELDS: [&str; 14] = [
    "object",
    "file",
    "line",
    "cluster",
    "kubernetes",
    "as",
    "admitted",
    "ok",
    "by",
    "code",
    "checks",
    "message",
    "warnings",
    "auditAnnotations",
];

#[test]
fn a_line_has_the_fields_of_the_contract_in_order() {
    let run = folder()
        .podgate(&[
            "check",
            "host.json",
            "web.json",
            "--enforce",
            "baseline",
            "-o",
            "jsonl",
        ])
        .ends(1);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(keys(lines[0]), FIELDS);
    let with_pods: Vec<&str> = FIELDS.into_iter().chain(["pods"]).collect();
    assert_eq!(keys(lines[1]), with_pods);
    let shown = folder()
        .podgate(&[
            "check",
            "web.json",
            "--enforce",
            "baseline",
            "-o",
            "jsonl",
            "--show-object",
        ])
        .ends(1);
    let with_stored: Vec<&str> = with_pods.into_iter().chain(["stored"]).collect();
    assert_eq!(keys(shown.stdout.trim_end()), with_stored);
}

#[test]
fn a_line_says_what_the_server_says() {
    let run = folder()
        .podgate(&[
            "check",
            "host.json",
            "--enforce",
            "baseline",
            "-o",
            "jsonl",
            "--kubernetes",
            "1.36",
        ])
        .ends(1);
    assert_eq!(
        run.json_lines(),
        [json!({
            "object": "Pod/default/host",
            "file": "host.json",
            "line": 1,
            "cluster": null,
            "kubernetes": "1.36",
            "as": "admin",
            "admitted": false,
            "ok": false,
            "by": "PodSecurity",
            "code": 403,
            "checks": ["hostNamespaces"],
            "message": "pods \"host\" is forbidden: violates PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true)",
            "warnings": [],
            "auditAnnotations": {"pod-security.kubernetes.io/enforce-policy": "baseline:latest"},
        })]
    );
    assert_eq!(run.stderr, "");
}

#[test]
fn a_workload_stands_and_its_pods_do_not() {
    let lines = folder()
        .podgate(&["check", "web.json", "--enforce", "baseline", "-o", "jsonl"])
        .ends(1)
        .json_lines();
    let line = &lines[0];
    assert_eq!(line["object"], "Deployment/shop/web");
    assert_eq!(
        (&line["admitted"], &line["ok"]),
        (&json!(true), &json!(false))
    );
    assert_eq!((&line["code"], &line["by"]), (&json!(201), &Value::Null));
    let pod = &line["pods"][0];
    assert_eq!(pod["as"], "replicaset-controller");
    assert_eq!(
        (&pod["admitted"], &pod["code"]),
        (&json!(false), &json!(403))
    );
    let object = pod["object"].as_str().unwrap();
    let name = object.strip_prefix("Pod/shop/").unwrap();
    let message = pod["message"].as_str().unwrap();
    assert!(
        name.starts_with("web-") && message.starts_with(&format!("pods \"{name}\" is forbidden")),
        "{object}: {message}"
    );
    folder()
        .podgate(&["check", "web.json", "--enforce", "baseline"])
        .ends(1)
        .says(&[
            "✗ Deployment/shop/web  web.json:1\n  admitted\n",
            "  pods (created by replicaset-controller): rejected 403 by PodSecurity\n    - host namespaces (hostPID=true)\n",
            "hint: podgate explain hostNamespaces\n",
            "judged as Kubernetes 1.37 (from source only); enforce baseline:latest\n1 object judged: 1 not ok\n",
        ]);
}

#[test]
fn json_and_yaml_are_lists_of_the_same() {
    let folder = folder();
    let arguments = [
        "check",
        "pod.json",
        "host.json",
        "web.json",
        "--enforce",
        "baseline",
        "-o",
    ];
    let with = |format| {
        let arguments: Vec<&str> = arguments.into_iter().chain([format]).collect();
        folder.podgate(&arguments).ends(1)
    };
    let lines = Value::Array(with("jsonl").json_lines());
    let json = with("json").stdout;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), lines);
    let yaml = with("yaml").stdout;
    assert_eq!(serde_yaml::from_str::<Value>(&yaml).unwrap(), lines);
    assert!(
        yaml.contains("\n  object: Pod/default/a\n") && yaml.contains("\n  kubernetes: \"1.37\"\n"),
        "{yaml}"
    );
    assert!(
        json.starts_with("[\n  {\n    \"object\": \"Pod/default/a\",\n    \"file\""),
        "{json}"
    );
}

#[rstest]
#[case::admitted(&["pod.json", "--enforce", "baseline"], 0)]
#[case::rejected(&["pod.json", "--enforce", "restricted"], 1)]
#[case::pods_rejected(&["web.json", "--enforce", "baseline"], 1)]
#[case::only_warned(&["host.json", "--warn", "baseline"], 0)]
#[case::unreadable_beats_rejected(&["host.json", "none.json", "--enforce", "baseline"], 2)]
#[case::nothing_to_judge(&["service.yaml", "--enforce", "baseline"], 4)]
#[case::no_policy(&["pod.json"], 2)]
#[case::no_file(&["--enforce", "baseline"], 2)]
#[case::no_such_flag(&["pod.json", "--enforces", "baseline"], 2)]
#[case::group_without_user(&["pod.json", "--enforce", "baseline", "--as-group", "dev"], 2)]
fn exit_codes(#[case] arguments: &[&str], #[case] code: i32) {
    let folder = folder();
    folder.write(
        "service.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n",
    );
    let arguments: Vec<&str> = ["check"].iter().chain(arguments).copied().collect();
    folder.podgate(&arguments).ends(code);
}

#[test]
fn without_a_policy_it_says_what_would_be_one() {
    folder().podgate(&["check", "pod.json"]).ends(2).tells(&[
        "there is no policy to judge by",
        "hint: ",
        "--cluster",
        "--enforce",
        "Namespace",
    ]);
}

#[test]
fn the_three_modes() {
    let run = folder()
        .podgate(&[
            "check",
            "host.json",
            "--enforce",
            "privileged",
            "--warn",
            "baseline:v1.29",
            "--audit",
            "restricted",
            "-o",
            "jsonl",
        ])
        .ends(0);
    let line = &run.json_lines()[0];
    assert_eq!(
        line["warnings"],
        json!(["would violate PodSecurity \"baseline:v1.29\": host namespaces (hostNetwork=true)"])
    );
    let annotations = &line["auditAnnotations"];
    assert_eq!(
        annotations["pod-security.kubernetes.io/enforce-policy"],
        "privileged:latest"
    );
    let violations = annotations["pod-security.kubernetes.io/audit-violations"]
        .as_str()
        .unwrap();
    assert!(
        violations.starts_with("would violate PodSecurity \"restricted:latest\": host namespaces"),
        "{violations}"
    );
    folder()
        .podgate(&["check", "host.json", "--warn", "baseline:v1.29", "--kubernetes", "1.36"])
        .ends(0)
        .says(&[
            "✓ Pod/default/host  host.json:1\n  admitted\n    warning: would violate PodSecurity \"baseline:v1.29\"\n      - host namespaces",
            "judged as Kubernetes 1.36; warn baseline:v1.29\n1 object judged: 1 ok\n",
        ]);
}

#[test]
fn standard_input() {
    let folder = folder();
    folder
        .with_stdin(
            &["check", "-", "--enforce", "restricted", "-o", "jsonl"],
            POD,
        )
        .ends(1)
        .says(&["\"object\":\"Pod/default/a\",\"file\":\"<stdin>\",\"line\":1,"]);
    let yaml = "# comment\napiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec: {containers: [{name: a, image: a}]}\n";
    folder
        .with_stdin(&["check", "pod.json", "-", "--enforce", "baseline"], yaml)
        .ends(0)
        .says(&[
            "✓ Pod/default/a  pod.json:1",
            "✓ Pod/default/b  <stdin>:2",
            "2 objects judged: 2 ok",
        ]);
    folder
        .with_stdin(&["check", "-", "--enforce", "baseline"], "")
        .ends(2)
        .tells(&["there is no object in it", "<stdin>"]);
}

#[rstest]
#[case::stdin(&["check", "-", "--enforce", "restricted", "-o", "jsonl"], "<stdin>")]
#[case::file(&["check", "pods.jsonl", "--enforce", "restricted", "-o", "jsonl"], "pods.jsonl")]
fn a_line_that_cannot_be_read_does_not_stop_the_others(
    #[case] arguments: &[&str],
    #[case] file: &str,
) {
    let folder = Folder::new();
    let input = format!("{POD}\n{{\"kind\": bad\n{HOST}\n");
    folder.write("pods.jsonl", &input);
    let run = folder.with_stdin(arguments, &input).ends(2);
    let lines = run.json_lines();
    assert_eq!(lines.len(), 3, "{}", run.stdout);
    assert_eq!(
        (&lines[0]["object"], &lines[0]["line"]),
        (&json!("Pod/default/a"), &json!(1))
    );
    assert_eq!(
        keys(run.stdout.lines().nth(1).unwrap()),
        ["error", "file", "line"]
    );
    assert_eq!(
        (&lines[1]["file"], &lines[1]["line"]),
        (&json!(file), &json!(2))
    );
    assert_eq!(
        (&lines[2]["object"], &lines[2]["line"]),
        (&json!("Pod/default/host"), &json!(3))
    );
    run.tells(&["error: ", &format!(" --> {file}:2:"), "^", "hint: "]);
}

/// What the server cannot read has a verdict of its own: one line for each object.
#[test]
fn an_object_that_the_server_cannot_read_has_one_line() {
    let folder = folder();
    folder.edit("pod.json", "\"spec\":{", "\"spec\":{\"hostPID\":\"no\",");
    let run = folder
        .podgate(&[
            "check",
            "pod.json",
            "--enforce",
            "baseline",
            "-o",
            "jsonl",
            "--kubernetes",
            "1.36",
        ])
        .ends(2)
        .tells(&[
            " --> pod.json:1:",
            "hint: spec.hostPID of a Pod is true or false, without quotes",
        ]);
    let lines = run.json_lines();
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (&lines[0]["by"], &lines[0]["code"]),
        (&json!("Decode"), &json!(400))
    );
}

#[test]
fn files_are_positional_or_behind_f() {
    let arguments = [
        "check",
        "-f",
        "host.json",
        "pod.json",
        "--warn",
        "baseline",
        "--filename=web.json",
        "host.json",
    ];
    folder().podgate(&arguments).ends(0).says(&[
        "Pod/default/host",
        "Pod/default/a",
        "Deployment/shop/web",
        "Pod/default/host",
        "4 objects judged: 4 ok",
    ]);
}

#[test]
fn folders_in_folders_are_asked_for() {
    let folder = Folder::new();
    folder
        .write("apps/a.json", POD)
        .write("apps/deep/b.json", HOST);
    folder
        .podgate(&["check", "apps", "--enforce", "baseline"])
        .ends(0)
        .says(&["1 object judged: 1 ok"]);
    folder
        .podgate(&["check", "-R", "apps", "--enforce", "baseline"])
        .ends(1)
        .says(&["2 objects judged: 1 ok, 1 not ok"]);
    folder.remove("apps/a.json");
    folder
        .podgate(&["check", "apps", "--enforce", "baseline"])
        .ends(2)
        .tells(&[
            "no manifests",
            "hint: folders in it are read with --recursive",
        ]);
}

#[test]
fn the_namespace_of_objects_that_name_none() {
    let lines = folder()
        .podgate(&[
            "check", "pod.json", "web.json", "-n", "prod", "--warn", "baseline", "-o", "jsonl",
        ])
        .ends(0)
        .json_lines();
    assert_eq!(lines[0]["object"], "Pod/prod/a");
    assert_eq!(lines[1]["object"], "Deployment/shop/web");
}

#[test]
fn who_asks() {
    let folder = folder();
    let refused = "pods is forbidden: User \"alice\" cannot create resource \"pods\" in API group \"\" in the namespace \"default\"";
    let asks = |more: &[&str]| {
        let arguments = [
            "check",
            "pod.json",
            "--enforce",
            "baseline",
            "-o",
            "jsonl",
            "--as",
            "alice",
        ];
        let arguments: Vec<&str> = arguments.iter().chain(more).copied().collect();
        folder.podgate(&arguments)
    };
    let line = asks(&[]).ends(1).json_lines().remove(0);
    assert_eq!(
        (&line["as"], &line["by"]),
        (&json!("alice"), &json!("RBAC"))
    );
    assert_eq!(line["message"], refused);
    let line = asks(&["--as-group", "dev", "--as-group", "system:masters"])
        .ends(0)
        .json_lines()
        .remove(0);
    assert_eq!((&line["as"], &line["ok"]), (&json!("alice"), &json!(true)));
    // Roles in the input are context.
    folder.write(
        "rbac.yaml",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: alice}\n\
         roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}\n\
         subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: dev}]\n",
    );
    asks(&["--as-group", "dev", "rbac.yaml"]).ends(0);
    asks(&["--as-group", "ops", "rbac.yaml"]).ends(1);
    folder
        .podgate(&[
            "check",
            "pod.json",
            "--kubernetes",
            "1.36",
            "--warn",
            "baseline",
            "--as",
            "alice",
            "--as-group",
            "dev",
        ])
        .ends(1)
        .says(&["rejected 403 by RBAC", "asked by alice, dev\n"]);
}

#[test]
fn a_service_account_that_is_not_there() {
    let folder = Folder::new();
    folder.write(
        "pod.json",
        &POD.replace(
            "\"spec\":{",
            "\"spec\":{\"serviceAccountName\":\"builder\",",
        ),
    );
    folder
        .podgate(&["check", "pod.json", "--enforce", "baseline"])
        .ends(1)
        .says(&[
            "rejected 403 by ServiceAccount",
            "serviceaccount \"builder\" not found",
            "hint: it is neither in the input",
        ]);
    folder.write(
        "account.yaml",
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: builder}\n",
    );
    folder
        .podgate(&["check", "pod.json", "account.yaml", "--enforce", "baseline"])
        .ends(0)
        .says(&["✓ Pod/default/a", "context: ServiceAccount/builder"]);
}

#[test]
fn labels_are_inert_before_the_plugin() {
    let note = "note: Pod Security Admission is not on in Kubernetes 1.21: --enforce, --warn and --audit change nothing there";
    let run = folder()
        .podgate(&[
            "check",
            "host.json",
            "pod.json",
            "--enforce",
            "restricted",
            "--kubernetes",
            "1.21",
        ])
        .ends(0)
        .tells(&[note]);
    assert_eq!(run.stderr.matches("note:").count(), 1, "{}", run.stderr);
    assert!(!run.stdout.contains("note:"));
}

#[test]
fn every_minor() {
    let folder = folder();
    let arguments = [
        "check",
        "host.json",
        "--enforce",
        "baseline",
        "--kubernetes",
        "all",
    ];
    folder
        .podgate(&arguments)
        .ends(1)
        .tells(&["not on in Kubernetes 1.20..1.22:"])
        .says(&[
            "✗ Pod/default/host",
            "  Kubernetes 1.20..1.22\n    admitted\n",
            "  Kubernetes 1.23..\n    rejected 403 by PodSecurity\n",
            "judged as Kubernetes 1.20..; enforce baseline:latest\n",
        ]);
    let arguments: Vec<&str> = arguments.into_iter().chain(["-o", "jsonl"]).collect();
    let lines = folder.podgate(&arguments).ends(1).json_lines();
    let minors: Vec<String> = lines
        .iter()
        .map(|line| line["kubernetes"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<String> = (20..=37).map(|minor| format!("1.{minor}")).collect();
    assert_eq!(minors, expected);
}

#[rstest]
#[case("1.30", "1.30")]
#[case("v1.30", "1.30")]
#[case("1.30.4", "1.30")]
#[case("1.29..1.31", "1.29..1.31")]
#[case("1.36..", "1.36..")]
#[case("1.37", "1.37 (from source only)")]
fn the_version_used_is_said(#[case] asked: &str, #[case] said: &str) {
    folder()
        .podgate(&[
            "check",
            "pod.json",
            "--enforce",
            "baseline",
            "--kubernetes",
            asked,
        ])
        .ends(0)
        .says(&[&format!(
            "judged as Kubernetes {said}; enforce baseline:latest\n"
        )]);
}

#[test]
fn a_cluster_judges() {
    let suite = Folder::suite();
    suite.write("pod.json", POD);
    suite
        .podgate(&[
            "check",
            "pod.json",
            "--cluster",
            "psa-restricted",
            "--kubernetes",
            "1.36",
        ])
        .ends(1)
        .says(&[
            "✗ Pod/default/a",
            "judged as cluster psa-restricted, Kubernetes 1.36\n",
        ]);
    let lines = suite
        .podgate(&[
            "check",
            "pod.json",
            "--cluster",
            "psa-restricted",
            "--cluster",
            "clusters/psa-baseline-warn-restricted.yaml",
            "-o",
            "jsonl",
        ])
        .ends(1)
        .json_lines();
    let verdicts: Vec<_> = lines
        .iter()
        .map(|line| (&line["cluster"], &line["kubernetes"], &line["ok"]))
        .collect();
    assert_eq!(
        verdicts,
        [
            (&json!("psa-restricted"), &json!("1.37"), &json!(false)),
            (
                &json!("psa-baseline-warn-restricted"),
                &json!("1.37"),
                &json!(true)
            ),
        ]
    );
    suite
        .podgate(&[
            "check",
            "pod.json",
            "--cluster",
            "psa-restricted",
            "--kubernetes",
            "1.22",
        ])
        .ends(2)
        .tells(&[
            "cluster `psa-restricted` is not for Kubernetes 1.22",
            "hint: it is for 1.23..",
        ]);
}

#[test]
fn a_cluster_file_needs_no_repository() {
    let folder = folder();
    folder.write(
        "c.yaml",
        "apiVersion: podgate.dev/v1alpha1\nkind: Cluster\nmetadata: {name: c}\n\
         spec: {kubernetes: \"..1.30\", namespace: {labels: {pod-security.kubernetes.io/enforce: restricted}}}\n",
    );
    folder
        .podgate(&["check", "pod.json", "--cluster", "c.yaml"])
        .ends(1)
        .says(&["judged as cluster c, Kubernetes 1.30\n"]);
    folder
        .podgate(&["check", "pod.json", "--cluster", "c"])
        .ends(2)
        .tells(&["there is no cluster `c`", "--cluster takes a path, too"]);
}

#[test]
fn the_stored_object() {
    let lines = folder()
        .podgate(&[
            "check",
            "pod.json",
            "web.json",
            "--enforce",
            "privileged",
            "-o",
            "jsonl",
            "--show-object",
        ])
        .ends(0)
        .json_lines();
    let spec = &lines[0]["stored"]["spec"];
    assert_eq!(spec["restartPolicy"], "Always");
    assert_eq!(spec["serviceAccountName"], "default");
    assert_eq!(lines[1]["stored"]["spec"]["replicas"], 1);
    let pod = &lines[1]["pods"][0]["stored"];
    assert_eq!(pod["metadata"]["ownerReferences"][0]["kind"], "ReplicaSet");
    assert_eq!(pod["spec"]["hostPID"], true);
    folder()
        .podgate(&[
            "check",
            "pod.json",
            "--enforce",
            "privileged",
            "--show-object",
        ])
        .ends(0)
        .says(&[
            "  stored:\n    apiVersion: v1\n",
            "      restartPolicy: Always\n",
        ]);
}

#[test]
fn a_dump_of_live_objects_reads_like_manifests() {
    let folder = folder();
    folder.write(
        "dump.json",
        r#"{"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": [
            {"apiVersion": "v1", "kind": "Pod",
             "metadata": {"name": "a", "namespace": "prod", "uid": "6f0c", "resourceVersion": "77", "generation": 3,
               "creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}]},
             "spec": {"containers": [{"name": "a", "image": "a"}], "nodeName": "n1", "serviceAccountName": "default"},
             "status": {"phase": "Running", "podIP": "10.0.0.1", "startTime": 5}},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
             "metadata": {"name": "r", "namespace": "prod", "uid": "6f0d", "resourceVersion": "78"}, "rules": []}
        ]}"#,
    );
    let run = folder
        .podgate(&[
            "check",
            "dump.json",
            "--enforce",
            "baseline",
            "-o",
            "jsonl",
            "--show-object",
        ])
        .ends(0);
    let line = run.json_lines().remove(0);
    assert_eq!(
        (&line["object"], &line["line"]),
        (&json!("Pod/prod/a"), &json!(2))
    );
    let metadata = &line["stored"]["metadata"];
    assert_ne!(metadata["uid"], "6f0c");
    assert_eq!(metadata.get("managedFields"), None);
    assert_eq!(line["stored"]["status"]["phase"], "Pending");
}

#[test]
fn judged_objects_do_not_see_each_other() {
    folder()
        .podgate(&["check", "pod.json", "pod.json", "--enforce", "baseline"])
        .ends(0)
        .says(&["2 objects judged: 2 ok"]);
}

#[rstest]
#[case::before_1_16("extensions/v1beta1", "Deployment")]
#[case::typo("apps/v1beta9", "Deployment")]
#[case::small("apps/v1", "deployment")]
fn a_workload_that_no_server_knows_is_refused(#[case] version: &str, #[case] kind: &str) {
    let folder = Folder::new();
    folder.write(
        "old.yaml",
        &format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: old}}\n"),
    );
    folder
        .podgate(&["check", "old.yaml", "--enforce", "baseline"])
        .ends(1)
        .says(&[
            "rejected 404 by NotFound",
            &format!("no matches for kind \"{kind}\" in version \"{version}\""),
            "hint: ",
        ]);
}

#[test]
fn what_podgate_cannot_act_on_is_undecided() {
    let folder = folder();
    folder.write(
        "limits.yaml",
        "apiVersion: v1\nkind: LimitRange\nmetadata: {name: limits}\nspec: {limits: []}\n---\n\
         apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: quota, namespace: shop}\nspec: {hard: {count/deployments.apps: 1}}\n",
    );
    let run = folder
        .podgate(&[
            "check",
            "pod.json",
            "web.json",
            "limits.yaml",
            "--warn",
            "baseline",
            "-o",
            "jsonl",
        ])
        .ends(2);
    let lines = run.json_lines();
    assert_eq!(
        (&lines[0]["admitted"], &lines[0]["ok"]),
        (&Value::Null, &json!(false))
    );
    assert_eq!(
        lines[0]["undecided"],
        "LimitRange/limits decides about pods, and podgate does not evaluate it"
    );
    assert_eq!(
        lines[1]["undecided"],
        "ResourceQuota/quota decides about deployments, and podgate does not evaluate it"
    );
    // The limit range is of another namespace.
    assert_eq!(lines[1]["pods"][0]["admitted"], true);
    folder
        .podgate(&["check", "pod.json", "limits.yaml", "--warn", "baseline"])
        .ends(2)
        .says(&[
            "? Pod/default/a",
            "undecided: LimitRange/limits decides about pods",
            "1 object judged: 1 undecided",
        ]);
}

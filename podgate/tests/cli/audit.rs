//! `podgate audit`: what it reads, what it prints, how it ends.

use rstest::rstest;
use serde_json::{Value, json};

use crate::context::Theirs;
use crate::folder::Folder;

const GOOD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"good","namespace":"shop"},"spec":{"containers":[{"name":"a","image":"a"}]}}"#;
const HOST: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"host","namespace":"shop"},"spec":{"hostNetwork":true,"containers":[{"name":"a","image":"a"}]}}"#;
const SHOP: &str = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop","labels":{"pod-security.kubernetes.io/enforce":"baseline"}}}"#;

/// A deployment with a pod of its own; its template has this `spec`.
fn deployment(namespace: &str, name: &str, spec: &Value) -> String {
    let metadata = json!({"name": name, "namespace": namespace});
    let workload = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}}, "spec": spec}},
    });
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "spec": spec,
        "metadata": {
            "name": format!("{name}-abc-1"), "namespace": namespace, "labels": {"pod-template-hash": "abc"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{name}-abc"), "uid": "u", "controller": true}],
        },
    });
    format!("{workload}\n{pod}\n")
}

fn namespace(name: &str, labels: &Value) -> String {
    let metadata = json!({"name": name, "labels": labels});
    format!(
        "{}\n",
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    )
}

fn plain() -> Value {
    json!({"containers": [{"name": "main", "image": "i"}]})
}

fn on_the_host() -> Value {
    json!({"hostNetwork": true, "containers": [{"name": "main", "image": "i", "securityContext": {"privileged": true}}]})
}

fn hardened() -> Value {
    json!({
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "main", "image": "i", "securityContext": {
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
        }}],
    })
}

/// Three namespaces: `shop` has no labels and three deployments of each quality, `old` enforces
/// restricted and has one that violates it, `docs` is clean.
fn three_namespaces() -> String {
    [
        namespace("shop", &json!({})),
        namespace(
            "old",
            &json!({"pod-security.kubernetes.io/enforce": "restricted"}),
        ),
        namespace("docs", &json!({})),
        namespace("empty", &json!({})),
        deployment("shop", "plain", &plain()),
        deployment("shop", "host", &on_the_host()),
        deployment("shop", "hard", &hardened()),
        deployment("old", "plain", &plain()),
        deployment("docs", "hard", &hardened()),
    ]
    .concat()
}

/// What is new is told apart from what is rejected today, by the labels of the namespaces.
#[test]
fn today_is_what_the_labels_say() {
    let folder = Folder::new();
    folder.write("dump.jsonl", &three_namespaces());
    let run = folder.podgate(&["audit", "dump.jsonl", "--enforce", "restricted"]);
    run.ends(1).says(&[
        "old  enforce restricted:latest: 1 of 1 pod violate it (1 today already)",
        "Deployment/plain  1 pod: plain-abc-1; rejected today already",
        "the same of its template, which breaks at the next restart, by PodSecurity, today already",
        "shop  enforce restricted:latest: 2 of 3 pods violate it\n",
        "Deployment/host  1 pod: host-abc-1\n",
        "5 pods, 3 violating (1 today already); 5 pod templates, 3 breaking (1 today already)",
    ]);
    let run = folder.podgate(&["audit", "dump.jsonl", "--enforce", "baseline"]);
    run.ends(1).says(&[
        "old  enforce baseline:latest: 0 of 1 pod violate it",
        "rejected today, admitted then: Deployment/plain (1 pod), Deployment/plain\n    (template)",
        "5 pods, 1 violating; 5 pod templates, 1 breaking\n",
        "rejected today and admitted then: 1 pod, 1 pod template",
    ]);
}

/// With `--from` only what newly breaks ends with 1, as with `podgate diff`.
#[rstest]
#[case::all_is_new(&["--from", "psa-privileged", "--to", "psa-restricted"], 1, 3)]
#[case::some_is(&["--from", "psa-baseline", "--enforce", "restricted"], 1, 2)]
#[case::nothing_is(&["--from", "psa-restricted", "--to", "psa-baseline"], 0, 0)]
#[case::another_version(&["--from", "psa-restricted@1.30", "--to", "psa-restricted"], 0, 0)]
fn from_says_what_today_is(#[case] args: &[&str], #[case] code: i32, #[case] breaks: usize) {
    let folder = Folder::new();
    // The labels of `old` would hold on both sides.
    let dump = three_namespaces().replace("pod-security.kubernetes.io/enforce", "nothing");
    folder.write("dump.jsonl", &dump);
    for level in ["privileged", "baseline", "restricted"] {
        let cluster = format!(
            "apiVersion: podgate.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: psa-{level}}}\n\
             spec: {{namespace: {{labels: {{pod-security.kubernetes.io/enforce: {level}}}}}}}\n"
        );
        folder.write(&format!("clusters/psa-{level}.yaml"), &cluster);
    }
    let args = [&["audit", "dump.jsonl"], args].concat();
    folder.podgate(&args).ends(code);
    let run = folder
        .podgate(&[&args[..], &["-o", "jsonl"]].concat())
        .ends(code);
    let lines = run.json_lines();
    assert_eq!(lines.len(), 10);
    for kind in ["Pod/", "Deployment/"] {
        let of_kind = lines.iter().filter(|line| {
            let object = line["object"].as_str().unwrap();
            object.starts_with(kind) && line["change"] == "breaks"
        });
        assert_eq!(of_kind.count(), breaks, "{kind}");
    }
    let keys: Vec<&String> = lines[0].as_object().unwrap().keys().collect();
    assert!(keys.contains(&&"change".to_owned()), "{keys:?}");
}

/// A configuration cannot be compared with itself.
#[test]
fn from_needs_another_side() {
    let folder = Folder::suite();
    folder.write("dump.jsonl", GOOD);
    let run = folder.podgate(&["audit", "dump.jsonl", "--from", "psa-restricted"]);
    run.ends(2).tells(&[
        "what is to come is what judges today: psa-restricted",
        "--to CLUSTER",
    ]);
}

/// With many workloads each stands in a line with those of the same checks.
#[test]
fn many_workloads_are_told_in_short() {
    let folder = Folder::new();
    let namespaces = (0..30).map(|at| {
        let name = format!("team-{at:02}");
        namespace(&name, &json!({})) + &deployment(&name, "host", &on_the_host())
    });
    let dump: String = namespaces.collect();
    folder.write("dump.jsonl", &(dump + &three_namespaces()));
    let run = folder.podgate(&["audit", "dump.jsonl", "--enforce", "baseline"]);
    let run = run.ends(1).says(&[
        "team-00  enforce baseline:latest: 1 of 1 pod violate it\n  \
         hostNamespaces, privileged: Deployment/host (1 pod, template)\n\
         team-01  ",
        "told in short: -o json has the containers and fields of each workload\n",
        "privileged  31 namespaces\n  kubectl label ns \\\n    shop team-00",
        "shop (1 of 3 pods, 1",
        "and 11 more\n",
        "35 pods, 31 violating; 35 pod templates, 31 breaking\n",
    ]);
    assert!(!run.stdout.contains("spec.hostNetwork"), "{}", run.stdout);
}

/// Of templates audit says what diff says, with its exit code.
#[rstest]
#[case("psp@1.24", "psa-restricted", "1.25")]
#[case("psp@1.21", "psp", "1.24")]
#[case("psa-restricted@1.30", "psp", "1.24")]
fn agrees_with_diff(#[case] from: &str, #[case] to: &str, #[case] minor: &str) {
    let folder = Folder::suite();
    folder.write("clusters/psp.yaml", PSP);
    let dump = three_namespaces().replace("\"name\":\"hard\"", "\"name\":\"good\"");
    let workloads = dump
        .lines()
        .filter(|line| !line.contains(r#""kind":"Pod""#));
    let workloads: Vec<&str> = workloads.collect();
    folder.write("dump.json", &workloads.join("\n"));
    let sides = ["--from", from, "--to", to, "--kubernetes", minor];
    let audit = folder.podgate(&[&["audit", "dump.json", "-o", "jsonl"], &sides[..]].concat());
    let there = format!("{to}@{minor}");
    let sides = ["--from", from, "--to", &there];
    let diff = folder.podgate(&[&["diff", "dump.json", "-o", "jsonl"], &sides[..]].concat());
    let changes = |lines: Vec<Value>| {
        let verdicts = lines.into_iter().filter(|line| {
            let change = line["change"].as_str();
            matches!(change, Some("breaks" | "admitted" | "undecided"))
        });
        let changes = verdicts.map(|line| format!("{} {}", line["object"], line["change"]));
        changes.collect::<Vec<_>>()
    };
    assert_eq!(audit.code, diff.code, "{}{}", audit.stderr, diff.stderr);
    assert_eq!(changes(audit.json_lines()), changes(diff.json_lines()));
}

/// What is exempt is asked for no label.
#[test]
fn exempt_namespaces_are_left_alone() {
    let folder = Folder::new();
    folder.write("dump.jsonl", &three_namespaces());
    folder.write(
        "clusters/defaults.yaml",
        r"
apiVersion: podgate.dev/v1alpha1
kind: Cluster
metadata: {name: defaults}
---
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: {enforce: baseline}
    exemptions: {namespaces: [shop]}
",
    );
    let run = folder.podgate(&["audit", "dump.jsonl", "--to", "defaults"]);
    run.ends(1).says(&[
        "old  enforce restricted:latest: 1 of 1 pod violate it (1 today already)",
        "restricted  1 namespace\n  kubectl label ns docs pod-security.kubernetes.io/enforce=restricted\n",
        "enforces more than that already: old\n",
        "exempt: shop\n",
        "5 pods, 1 violating (1 today already), 3 exempt;",
    ]);
}

/// The labels to set are commands to copy; a namespace that enforces more is not asked to enforce less.
#[test]
fn tells_the_labels_to_set() {
    let folder = Folder::new();
    let kube_system =
        namespace("kube-system", &json!({})) + &deployment("kube-system", "b", &plain());
    folder.write("dump.jsonl", &(three_namespaces() + &kube_system));
    let run = folder.podgate(&["audit", "dump.jsonl", "--enforce", "restricted:v1.29"]);
    run.ends(1).says(&[
        "The strictest level today: no pod and no pod template of the namespace violates it\n\
         restricted  1 namespace\n  \
         kubectl label ns docs pod-security.kubernetes.io/enforce=restricted pod-security.kubernetes.io/enforce-version=v1.29\n",
        "baseline  2 namespaces\n",
        "kubectl label ns kube-system pod-security.kubernetes.io/enforce=baseline",
        "pod-security.kubernetes.io/warn=restricted pod-security.kubernetes.io/warn-version=v1.29 ",
        "enforces more than that already: old\n",
        "warn and audit of restricted say:\n",
        "kube-system (1 of 1 pod, 1 of 1",
        "privileged  1 namespace\n",
        "kubectl label ns shop pod-security.kubernetes.io/enforce=privileged",
        "warn and audit of baseline say:\n    hostNamespaces, privileged: shop (1 of 3 pods, 1 of 3 templates)\n",
        "nothing in it to judge: empty\n",
    ]);
}

/// What the labels ask for is what the audit said: once they are set, nothing is rejected.
#[test]
fn the_labels_hold() {
    let folder = Folder::new();
    let dump = three_namespaces().replace("\"restricted\"", "\"baseline\"");
    folder.write("dump.jsonl", &dump);
    let run = folder.podgate(&[
        "audit",
        "dump.jsonl",
        "--enforce",
        "restricted",
        "-o",
        "json",
    ]);
    let document: Value = serde_json::from_str(&run.ends(1).stdout).unwrap();
    let mut set = String::new();
    for found in document["namespaces"].as_array().unwrap() {
        let name = found["namespace"].as_str().unwrap();
        set += &namespace(name, &found["labels"]);
    }
    assert!(
        set.contains("baseline") || set.contains("restricted"),
        "{set}"
    );
    let objects: Vec<&str> = dump
        .lines()
        .filter(|line| !line.contains("\"Namespace\""))
        .collect();
    folder.write("dump.jsonl", &(set + &objects.join("\n")));
    folder.podgate(&["audit", "dump.jsonl"]).ends(0);
}

#[test]
fn is_one_document() {
    let folder = Folder::new();
    folder.write("dump.jsonl", &(three_namespaces() + "x\n"));
    let args = [
        "audit",
        "dump.jsonl",
        "--enforce",
        "restricted",
        "-o",
        "json",
    ];
    let run = folder.podgate(&args);
    let document: Value = serde_json::from_str(&run.ends(2).stdout).unwrap();
    let summary = &document["summary"];
    assert_eq!(summary["kubernetes"], "1.37");
    let counts = [
        "pods",
        "violating",
        "already",
        "workloads",
        "breaking",
        "breakingAlready",
        "failing",
        "unread",
    ];
    let counts = counts.map(|key| summary[key].as_u64().unwrap_or_else(|| panic!("{key}")));
    assert_eq!(counts, [5, 3, 1, 5, 3, 1, 6, 1]);
    assert_eq!(document["unread"]["count"], 1);
    assert_eq!(document["unread"]["first"][0]["file"], "dump.jsonl");
    let namespaces = document["namespaces"].as_array().unwrap();
    let passes: Vec<String> = namespaces
        .iter()
        .map(|it| format!("{} {}", it["namespace"], it["passes"]))
        .collect();
    assert_eq!(
        passes,
        [
            r#""docs" "restricted""#,
            r#""empty" null"#,
            r#""old" "baseline""#,
            r#""shop" "privileged""#
        ]
    );
    let shop = &namespaces[3];
    assert_eq!(
        shop["labels"]["pod-security.kubernetes.io/enforce"],
        "privileged"
    );
    assert_eq!(
        shop["labels"]["pod-security.kubernetes.io/warn"],
        "baseline"
    );
    assert_eq!(
        shop["baseline"],
        json!({"pods": 1, "templates": 1, "checks": {"hostNamespaces": 2, "privileged": 2}})
    );
    let host = &shop["owners"][0];
    assert_eq!(host["owner"], "Deployment/host");
    let privileged = host["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["check"] == "privileged");
    assert_eq!(
        privileged,
        Some(&json!({
            "check": "privileged", "pods": 1, "containers": ["main"],
            "message": "privileged (container \"main\" must not set securityContext.privileged=true)",
            "fields": ["spec.containers[0].securityContext.privileged"],
        }))
    );
    let template = &shop["templates"][0];
    assert_eq!(template["object"], "Deployment/shop/host");
    let keys = ["admitted", "by", "code", "already"].map(|key| template[key].clone());
    assert_eq!(
        keys,
        [json!(false), json!("PodSecurity"), json!(403), json!(false)]
    );
    let fields = template["fields"].as_array().unwrap();
    let field = json!({
        "check": "privileged", "container": "main",
        "field": "spec.template.spec.containers[0].securityContext.privileged",
    });
    assert!(fields.contains(&field), "{fields:?}");
}

#[rstest]
#[case::admitted(GOOD, &["--enforce", "baseline"], 0)]
#[case::violating(HOST, &["--enforce", "baseline"], 1)]
#[case::not_json("x", &["--enforce", "baseline"], 2)]
#[case::no_policy(GOOD, &[], 2)]
#[case::empty("", &["--enforce", "baseline"], 4)]
#[case::nothing_judged(SHOP, &["--enforce", "baseline"], 4)]
fn ends_with(#[case] text: &str, #[case] args: &[&str], #[case] code: i32) {
    let folder = Folder::new();
    folder.write("dump.jsonl", text);
    let args = [&["audit", "dump.jsonl"], args].concat();
    let run = folder.podgate(&args);
    assert_eq!(run.code, code, "{}{}", run.stdout, run.stderr);
}

/// Every form of the same dump says the same, but for the lines.
#[test]
fn reads_every_form() {
    let folder = Folder::new();
    let indented = |objects: &[&str]| {
        let items: Vec<Value> = objects
            .iter()
            .map(|object| serde_json::from_str(object).unwrap())
            .collect();
        serde_json::to_string_pretty(
            &serde_json::json!({"apiVersion": "v1", "items": items, "kind": "List"}),
        )
        .unwrap()
    };
    folder
        .write("lines.jsonl", &format!("{SHOP}\n{GOOD}\n\n{HOST}\n"))
        .write(
            "crlf.jsonl",
            &format!("\u{feff}{SHOP}\r\n{GOOD}\r\n{HOST}\r\n"),
        )
        .write("last.jsonl", &format!("{GOOD}\n{HOST}\n{SHOP}"))
        .write("list.json", &indented(&[SHOP, GOOD, HOST]))
        .write("objects.json", &format!("{SHOP} {GOOD}\n{HOST}"))
        .write(
            "dump.yaml",
            &format!("---\n{SHOP}\n---\n{GOOD}\n---\n{HOST}\n"),
        );
    for file in [
        "lines.jsonl",
        "crlf.jsonl",
        "last.jsonl",
        "list.json",
        "objects.json",
        "dump.yaml",
    ] {
        let run = folder.podgate(&["audit", file, "-o", "jsonl"]);
        assert_eq!(run.code, 1, "{file}: {}", run.stderr);
        let said: Vec<String> = run
            .stdout
            .lines()
            .map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                format!(
                    "{} {} {}",
                    line["object"].as_str().unwrap(),
                    line["ok"],
                    line["checks"]
                )
            })
            .collect();
        assert_eq!(
            said,
            [
                "Pod/shop/good true []",
                "Pod/shop/host false [\"hostNamespaces\"]"
            ],
            "{file}"
        );
    }
}

/// What was violated before does not fail; what is new does.
#[test]
fn known_violations_do_not_fail() {
    let folder = Folder::new();
    folder
        .write("a.jsonl", HOST)
        .write("b.jsonl", &HOST.replace("\"shop\"", "\"other\""));
    let enforce = ["--enforce", "baseline"];
    let write = [
        &["audit", "a.jsonl", "--write-known", "known.jsonl"],
        &enforce[..],
    ]
    .concat();
    assert_eq!(folder.podgate(&write).code, 1);
    let again = [
        &["audit", "a.jsonl", "--known", "known.jsonl"],
        &enforce[..],
    ]
    .concat();
    assert_eq!(folder.podgate(&again).code, 0);
    let both = [
        &["audit", "a.jsonl", "b.jsonl", "--known", "known.jsonl"],
        &enforce[..],
    ]
    .concat();
    assert_eq!(folder.podgate(&both).code, 1);
}

/// A template is known like the pods of its workload, whoever rejects it.
#[test]
fn known_templates_do_not_fail() {
    let folder = Folder::new();
    let invalid = json!({"containers": [{"name": "main", "image": ""}]});
    let only = |text: String| text.lines().next().unwrap().to_owned() + "\n";
    let dump = only(deployment("shop", "host", &on_the_host()))
        + &only(deployment("shop", "wrong", &invalid));
    folder.write("a.jsonl", &dump);
    let args = ["audit", "a.jsonl", "--enforce", "baseline"];
    let write = [&args[..], &["--write-known", "known.jsonl"]].concat();
    folder.podgate(&write).ends(1);
    assert_eq!(
        folder.read("known.jsonl"),
        "{\"namespace\":\"shop\",\"owner\":\"Deployment/host\",\"check\":\"hostNamespaces\"}\n\
         {\"namespace\":\"shop\",\"owner\":\"Deployment/host\",\"check\":\"privileged\"}\n\
         {\"namespace\":\"shop\",\"owner\":\"Deployment/wrong\",\"check\":\"Validation\"}\n"
    );
    let known = ["--known", "known.jsonl"];
    let again = folder.podgate(&[&args[..], &known].concat());
    again
        .ends(0)
        .says(&["2 pod templates, 2 breaking (1 today already, 2 known)"]);
    // The pods of the workload are known by the same lines; another check is new.
    folder.write("a.jsonl", &deployment("shop", "host", &on_the_host()));
    folder.podgate(&[&args[..], &known].concat()).ends(0);
    let more = [&["audit", "a.jsonl", "--enforce", "restricted"], &known[..]].concat();
    folder.podgate(&more).ends(1);
}

/// Under a `PodSecurityPolicy` pods and templates go through the whole chain, with the rights of their
/// service accounts; and what the policy fills in is missing once it is gone.
#[rstest]
#[case("1.20")]
#[case("1.22")]
#[case("1.24")]
fn policies_decide_with_the_rights_of_service_accounts(#[case] minor: &str) {
    let folder = Folder::new();
    folder.write("clusters/psp.yaml", PSP);
    folder.write(
        "clusters/psa.yaml",
        "apiVersion: podgate.dev/v1alpha1\nkind: Cluster\nmetadata: {name: psa}\n\
         spec: {namespace: {labels: {pod-security.kubernetes.io/enforce: restricted}}}\n",
    );
    let other_account = {
        let mut spec = plain();
        spec["serviceAccountName"] = "nobody".into();
        spec
    };
    let dump = [
        namespace("shop", &json!({})),
        deployment("shop", "plain", &plain()),
        deployment("shop", "host", &on_the_host()),
        deployment("shop", "nobody", &other_account),
    ];
    folder.write("dump.jsonl", &dump.concat());
    let args = [
        "audit",
        "dump.jsonl",
        "--to",
        "psp",
        "--kubernetes",
        minor,
        "-o",
        "json",
    ];
    let run = folder.podgate(&args);
    let document: Value = serde_json::from_str(&run.ends(1).stdout).unwrap();
    let shop = &document["namespaces"][0];
    let names = |list: &str, key: &str| {
        let list = shop[list].as_array().unwrap().iter();
        let names = list.map(|it| it[key].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        names("owners", "owner"),
        ["Deployment/host", "Deployment/nobody"]
    );
    assert_eq!(
        names("templates", "object"),
        ["Deployment/shop/host", "Deployment/shop/nobody"]
    );
    for list in ["owners", "templates"] {
        let said: Vec<String> = shop[list]
            .as_array()
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(
            said[0].contains("Host network is not allowed to be used"),
            "{}",
            said[0]
        );
        assert!(said[1].contains("unable to admit pod: []"), "{}", said[1]);
        assert!(
            said.iter().all(|it| it.contains("PodSecurityPolicy")),
            "{said:?}"
        );
    }
    assert_eq!(document["summary"]["pods"], 3);
    // What only the policy admits breaks without it; what it refuses is no news.
    let from = format!("psp@{minor}");
    let args = [
        "audit",
        "dump.jsonl",
        "--from",
        &from,
        "--to",
        "psa",
        "--kubernetes",
        "1.25",
        "-o",
        "jsonl",
    ];
    let run = folder.podgate(&args).ends(1);
    let changes: Vec<String> = run
        .json_lines()
        .iter()
        .map(|line| format!("{} {}", line["object"].as_str().unwrap(), line["change"]))
        .collect();
    assert_eq!(
        changes,
        [
            "Deployment/shop/plain \"breaks\"",
            "Pod/shop/plain-abc-1 \"breaks\"",
            "Deployment/shop/host null",
            "Pod/shop/host-abc-1 null",
            "Deployment/shop/nobody null",
            "Pod/shop/nobody-abc-1 null",
        ]
    );
}

/// One policy that fills in what restricted asks for, for the service account `default` of a namespace.
const PSP: &str = r#"
apiVersion: podgate.dev/v1alpha1
kind: Cluster
metadata: {name: psp}
spec: {kubernetes: "1.20..1.24", apiServer: {enableAdmissionPlugins: [PodSecurityPolicy]}}
---
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {name: restricted}
spec:
  allowPrivilegeEscalation: false
  requiredDropCapabilities: [ALL]
  volumes: [projected, secret]
  runAsUser: {rule: MustRunAsNonRoot}
  seLinux: {rule: RunAsAny}
  supplementalGroups: {rule: RunAsAny}
  fsGroup: {rule: RunAsAny}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: use-restricted}
rules: [{apiGroups: [policy], resources: [podsecuritypolicies], resourceNames: [restricted], verbs: [use]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: use-restricted}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: use-restricted}
subjects: [{kind: ServiceAccount, name: default}]
"#;

/// The same of a live cluster: the templates go through the whole chain with the service accounts that are
/// there, and a pod as its controller would create it again.
#[rstest]
#[case("1.20")]
#[case("1.24")]
fn a_live_cluster_under_policies(#[case] minor: &str) {
    let folder = Folder::new();
    let mut nobodys = plain();
    nobodys["serviceAccountName"] = "nobody".into();
    let account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody"}});
    let mut objects = vec![account];
    for (name, mut spec) in [
        ("plain", plain()),
        ("host", on_the_host()),
        ("nobody", nobodys),
    ] {
        // It is there with a user: what is admitted is not what starts.
        spec["securityContext"] = json!({"runAsUser": 1000});
        objects.push(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}}, "spec": spec}},
        }));
    }
    let objects: Vec<String> = objects.iter().map(ToString::to_string).collect();
    let objects = format!("---\n{}\n", objects.join("\n---\n"));
    folder.write("clusters/psp.yaml", PSP);
    folder.write(
        "clusters/running.yaml",
        &(PSP.replace("{name: psp}", "{name: running}") + &objects),
    );
    let _theirs = Theirs::of(&folder, "running", minor);
    let live = [
        "audit",
        "--context",
        "podgate",
        "--kubeconfig",
        "kubeconfig",
        "-o",
        "jsonl",
    ];
    let run = folder
        .podgate(&[&live[..], &["--to", "psp"]].concat())
        .ends(1);
    let said: Vec<String> = run
        .json_lines()
        .iter()
        .map(|line| {
            let object = line["object"].as_str().unwrap().split('-').next().unwrap();
            let by = line["pods"][0]["by"].as_str().or(line["by"].as_str());
            format!("{object} {} {}", line["ok"], by.unwrap_or_default())
        })
        .collect();
    assert_eq!(
        said,
        [
            // Of the others there is none: they were refused then, too.
            "Pod/default/plain true ",
            "Deployment/default/host false PodSecurityPolicy",
            "Deployment/default/nobody false PodSecurityPolicy",
            "Deployment/default/plain true ",
        ]
    );
    run.tells(&["the AdmissionConfiguration cannot be read from a live cluster"]);
    // Who says what today is does not need to be told that it cannot be read.
    let from = ["--from", "psp", "--enforce", "restricted"];
    let run = folder.podgate(&[&live[..], &from].concat());
    assert!(
        !run.stderr.contains("AdmissionConfiguration"),
        "{}",
        run.stderr
    );
}

/// However many cores read it, lines come in the order of the input.
#[test]
fn lines_come_in_order() {
    let folder = Folder::new();
    let pod = |at: usize| GOOD.replace("\"good\"", &format!("\"p{at}\""));
    let text: String = (0..30_000).map(|at| pod(at) + "\n").collect();
    folder.write("dump.jsonl", &text);
    let run = folder.podgate(&[
        "audit",
        "dump.jsonl",
        "--enforce",
        "baseline",
        "-o",
        "jsonl",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.stdout.lines().count(), 30_000);
    for (at, line) in run.stdout.lines().enumerate() {
        let expected = format!(
            "{{\"object\":\"Pod/shop/p{at}\",\"file\":\"dump.jsonl\",\"line\":{},",
            at + 1
        );
        assert!(line.starts_with(&expected), "{line}");
    }
}

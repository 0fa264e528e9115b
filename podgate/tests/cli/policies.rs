//! `PodSecurityPolicy` from the command line: who admits a pod and why not, and what is said of a
//! version that has no such plugin.

use rstest::rstest;
use serde_json::{Value, json};

use crate::folder::Folder;

/// A policy that fills something in, for the service account `builder` alone; and a broken one.
const CLUSTER: &str = r#"
apiVersion: podgate.dev/v1alpha1
kind: Cluster
metadata: {name: psp}
spec:
  kubernetes: "1.20..1.24"
  apiServer: {enableAdmissionPlugins: [PodSecurityPolicy]}
---
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {name: strict}
spec:
  requiredDropCapabilities: [ALL]
  volumes: ["*"]
  runAsUser: {rule: RunAsAny}
  seLinux: {rule: RunAsAny}
  supplementalGroups: {rule: RunAsAny}
  fsGroup: {rule: RunAsAny}
---
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {name: broken}
spec:
  runAsUser: {rule: MustRunAs}
  seLinux: {rule: RunAsAny}
  supplementalGroups: {rule: RunAsAny}
  fsGroup: {rule: RunAsAny}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: builder}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: use-strict}
rules: [{apiGroups: [policy], resources: [podsecuritypolicies], resourceNames: [strict], verbs: [use]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: use-strict}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: use-strict}
subjects: [{kind: ServiceAccount, name: builder}]
"#;

fn deployment(account: &str) -> String {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"serviceAccountName": account, "containers": [{"name": "c", "image": "i"}]},
            },
        },
    })
    .to_string()
}

fn pod(context: &Value) -> String {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "i", "securityContext": context}]},
    })
    .to_string()
}

fn folder(manifest: &str) -> Folder {
    let folder = Folder::new();
    folder
        .write("clusters/psp.yaml", CLUSTER)
        .write("m.json", manifest);
    folder
}

const CHECK: [&str; 4] = ["check", "m.json", "--cluster", "psp"];

#[test]
fn what_a_policy_changes_is_a_difference() {
    let kept = json!({"capabilities": {"drop": ["KILL"]}});
    folder(&pod(&kept)).podgate(&CHECK).ends(0).says(&[
        "admitted by policy strict, with changes\n",
        "~ spec.containers[0].securityContext.capabilities.drop: [\"KILL\"] ->\n        [\"ALL\",\"KILL\"]\n",
        "only because admin is in system:masters",
    ]);
    let run = folder(&deployment("builder"))
        .podgate(&CHECK)
        .ends(0)
        .says(&[
            "pods (created by replicaset-controller): admitted by policy strict, with changes\n",
            "+ spec.containers[0].securityContext.capabilities.drop: [\"ALL\"]\n",
        ]);
    assert!(!run.stdout.contains("system:masters"), "{}", run.stdout);
}

#[test]
fn an_admins_deployment_whose_pods_nobody_may_create() {
    let run = folder(&deployment("default")).podgate(&CHECK).ends(1);
    let text = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "PodSecurityPolicy: unable to admit pod: []",
        "- policy broken: is broken, and passed over: MustRunAs requires at least one range",
        "- policy strict: allows the pod, but neither service account default nor replicaset-controller may use it",
        "hint: service account default needs a RoleBinding in the pod's namespace that gives it the verb `use` on \
         PodSecurityPolicy strict",
        "replicaset-controller creates the pods, so what admin, who applied the workload, may use does not count",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn a_refusal_names_policies_and_their_fields() {
    folder(&pod(&json!({"privileged": true})))
        .podgate(&CHECK)
        .ends(1)
        .says(&[
            "unable to admit pod:\n",
            "- policy strict: spec.containers[0].securityContext.privileged:",
            "(spec.privileged)\n      at m.json:1:",
            "hint: podgate explain privileged\n",
        ]);
}

#[test]
fn a_line_tells_of_policies_behind_the_fields_of_the_contract() {
    let arguments = [&CHECK[..], &["-o", "jsonl"]].concat();
    let line = folder(&deployment("default"))
        .podgate(&arguments)
        .ends(1)
        .json_lines()
        .remove(0);
    assert_eq!(line["psp"], Value::Null, "a deployment has no policy");
    let psp = &line["pods"][0]["psp"];
    assert_eq!(psp["policy"], Value::Null);
    assert_eq!(psp["tried"][0]["says"], "broken");
    let strict = json!({
        "policy": "strict", "says": "changes",
        "fields": ["spec.containers[0].securityContext.capabilities"], "usableBy": [],
    });
    assert_eq!(psp["tried"][1], strict);

    let line = folder(&pod(&json!({})))
        .podgate(&arguments)
        .ends(0)
        .json_lines()
        .remove(0);
    let psp = &line["psp"];
    assert_eq!(
        (&psp["policy"], &psp["onlyByMasters"]),
        (&json!("strict"), &json!(true))
    );
    let field = "spec.containers[0].securityContext.capabilities.drop";
    assert_eq!(psp["changes"], json!([{"field": field, "after": ["ALL"]}]));
}

/// Every field of a policy that a pod may meet has a page.
#[test]
fn refusals_of_the_suite_can_be_explained() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let scenarios = [
        "host",
        "privileges",
        "users-and-groups",
        "profiles",
        "volumes",
    ]
    .map(|name| format!("scenarios/psp/{name}.yaml"));
    let folder = Folder::new();
    let mut arguments = vec!["-C", root, "check"];
    arguments.extend(scenarios.iter().map(String::as_str));
    arguments.extend(["--cluster", "psp-fields", "-o", "jsonl"]);
    let lines = folder.podgate(&arguments).ends(1).json_lines();
    let tried = lines
        .iter()
        .flat_map(|line| line["psp"]["tried"].as_array().into_iter().flatten());
    let errors = tried.flat_map(|tried| tried["errors"].as_array().into_iter().flatten());
    let mut fields: Vec<&str> = errors.filter_map(|e| e["policyField"].as_str()).collect();
    fields.sort_unstable();
    fields.dedup();
    assert!(fields.len() > 10, "{fields:?}");
    let pages = folder.podgate(&["explain", "-o", "json"]).ends(0).stdout;
    let pages: Value = serde_json::from_str(&pages).unwrap();
    for field in fields {
        let known = pages.as_array().unwrap().iter().any(|page| {
            let id = page["id"].as_str().unwrap_or_default();
            field == format!("spec.{id}") || field.contains(&format!("[{}.", id.to_lowercase()))
        });
        assert!(known, "{field}");
    }
}

#[rstest]
#[case("1.25", "1.25")]
#[case("1.23..1.26", "1.26")]
#[case("1.24..", "1.37")]
fn the_plugin_is_gone_since_1_25(#[case] versions: &str, #[case] minor: &str) {
    let folder = folder(&pod(&json!({})));
    let cluster = CLUSTER.replacen("1.20..1.24", versions, 1);
    folder.write("clusters/psp.yaml", &cluster);
    let gone = format!(
        "plugin \"PodSecurityPolicy\" is unknown to Kubernetes {minor}: it was removed in 1.25"
    );
    let what_to_do =
        "hint: limit the cluster to Kubernetes 1.24 and older, or enforce a level of PodSecurity";
    folder.podgate(&CHECK).ends(2).tells(&[&gone, what_to_do]);
}

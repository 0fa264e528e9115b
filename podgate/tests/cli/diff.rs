//! `podgate diff`: what changes, both ways, what a policy filled in, the formats and the exit codes.

use rstest::rstest;
use serde_json::{Value, json};

use crate::folder::Folder;

/// A policy that fills in what restricted asks for, but for `runAsNonRoot`; everybody may use it.
const PSP: &str = r#"
apiVersion: podgate.dev/v1alpha1
kind: Cluster
metadata: {name: psp}
spec:
  kubernetes: "1.20..1.24"
  apiServer: {enableAdmissionPlugins: [PodSecurityPolicy]}
---
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata:
  name: strict
  annotations:
    seccomp.security.alpha.kubernetes.io/allowedProfileNames: "runtime/default"
    seccomp.security.alpha.kubernetes.io/defaultProfileName: "runtime/default"
    apparmor.security.beta.kubernetes.io/allowedProfileNames: "runtime/default"
    apparmor.security.beta.kubernetes.io/defaultProfileName: "runtime/default"
spec:
  allowPrivilegeEscalation: false
  requiredDropCapabilities: [ALL]
  volumes: ["*"]
  runAsUser: {rule: RunAsAny}
  seLinux: {rule: RunAsAny}
  supplementalGroups: {rule: RunAsAny}
  fsGroup: {rule: MustRunAs, ranges: [{min: 7, max: 7}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: use-strict}
rules: [{apiGroups: [policy], resources: [podsecuritypolicies], resourceNames: [strict], verbs: [use]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: use-strict}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: use-strict}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:authenticated"}]
"#;

fn psa(level: &str) -> String {
    format!(
        "apiVersion: podgate.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: {level}}}\nspec:\n  kubernetes: \"1.23..\"\n  \
         namespace: {{labels: {{pod-security.kubernetes.io/enforce: {level}}}}}\n"
    )
}

fn deployment(name: &str, spec: &Value) -> String {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": spec},
        },
    })
    .to_string()
}

/// What restricted asks for.
fn hardened() -> Value {
    json!({
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "c", "image": "i", "securityContext": {
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
        }}],
    })
}

fn plain() -> Value {
    json!({"containers": [{"name": "c", "image": "i"}]})
}

fn folder(manifests: &[String]) -> Folder {
    let folder = Folder::new();
    folder
        .write("clusters/psp.yaml", PSP)
        .write("clusters/restricted.yaml", &psa("restricted"))
        .write("clusters/baseline.yaml", &psa("baseline"))
        .write("m.jsonl", &manifests.join("\n"));
    folder
}

fn diff<'a>(from: &'a str, to: &'a str) -> Vec<&'a str> {
    vec!["diff", "m.jsonl", "--from", from, "--to", to]
}

#[test]
fn what_a_policy_filled_in_is_told_with_the_check_that_asks_for_it() {
    let folder = folder(&[deployment("web", &plain())]);
    let mut arguments = diff("psp@1.24", "restricted@1.36");
    folder.podgate(&arguments).ends(1).says(&[
        "✗ Deployment/default/web  m.jsonl:1\n",
        "  pods newly rejected 403 by PodSecurity\n",
        "  policy strict filled in what spec.template has to say itself now:\n",
        "    + spec.securityContext.seccompProfile: {\"type\":\"RuntimeDefault\"}\n",
        "    + spec.containers[0].securityContext.allowPrivilegeEscalation: false\n",
        "    + spec.containers[0].securityContext.capabilities.drop: [\"ALL\"]\n",
        "  and it never asked for:\n",
        "    - runAsNonRoot != true",
        "  filled in no longer, though nothing asks for it:\n",
        "    - spec.securityContext.fsGroup: 7\n",
        "1 object compared: 1 newly rejected\n",
    ]);
    arguments.extend(["-o", "jsonl"]);
    let lines = folder.podgate(&arguments).ends(1).json_lines();
    let [line] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    let template = "spec.template.spec";
    let container = format!("{template}.containers[0].securityContext");
    // Since 1.30 AppArmor has a field, and the annotation is the old way to say it.
    assert_eq!(
        line["filledIn"],
        json!([
            {"field": format!("{container}.appArmorProfile"), "value": {"type": "RuntimeDefault"}, "checks": []},
            {"field": format!("{template}.securityContext.fsGroup"), "value": 7, "checks": []},
            {"field": format!("{template}.securityContext.seccompProfile"), "value": {"type": "RuntimeDefault"},
             "checks": ["seccompProfile_restricted"]},
            {"field": format!("{container}.allowPrivilegeEscalation"), "value": false, "checks": ["allowPrivilegeEscalation"]},
            {"field": format!("{container}.capabilities.drop"), "value": ["ALL"], "checks": ["capabilities_restricted"]},
        ])
    );
    assert_eq!(line["change"], "breaks");
    assert_eq!(line["by"], "PodSecurity");
    assert_eq!(line["remaining"]["checks"], json!(["runAsNonRoot"]));
    assert_eq!(line["from"]["kubernetes"], "1.24");
    assert_eq!(line["from"]["ok"], true);
    assert_eq!(line["to"]["cluster"], "restricted");
    assert_eq!(line["to"]["ok"], false);
}

/// With what is told, and what is told to be missing besides, the manifest is admitted.
#[test]
fn what_is_told_is_enough() {
    let folder = folder(&[deployment("web", &hardened())]);
    folder
        .podgate(&diff("psp@1.24", "restricted@1.25"))
        .ends(0)
        .says(&[
            "~ Deployment/default/web",
            "admitted by both, with other fields\n",
            "filled in no longer, though nothing asks for it:\n",
            "container.apparmor.security.beta.kubernetes.io/c",
            "fsGroup: 7",
            "1 object compared: 1 admitted with other fields\n",
        ]);
}

#[rstest]
// A pod of its own is judged like a workload's.
#[case("baseline@1.36", "restricted@1.36", 1, "breaks", Some("PodSecurity"), &["allowPrivilegeEscalation", "capabilities_restricted", "runAsNonRoot", "seccompProfile_restricted"])]
#[case("restricted@1.36", "baseline@1.36", 0, "admitted", Some("PodSecurity"), &["allowPrivilegeEscalation", "capabilities_restricted", "runAsNonRoot", "seccompProfile_restricted"])]
fn both_ways(
    #[case] from: &str,
    #[case] to: &str,
    #[case] code: i32,
    #[case] change: &str,
    #[case] by: Option<&str>,
    #[case] checks: &[&str],
) {
    let pod =
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": plain()});
    let folder = folder(&[pod.to_string(), deployment("hard", &hardened())]);
    let mut arguments = diff(from, to);
    arguments.extend(["-o", "jsonl"]);
    let lines = folder.podgate(&arguments).ends(code).json_lines();
    let [line] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    assert_eq!(line["object"], "Pod/default/p");
    assert_eq!(line["change"], change);
    assert_eq!(line["by"].as_str(), by);
    assert_eq!(line["checks"], json!(checks));
    assert_eq!(line["filledIn"], json!([]));
}

/// Two versions alone: what differs is the server. The engine type of `SELinux` came in 1.31.
#[test]
fn two_versions_of_one_level() {
    let engine = json!({
        "securityContext": {"seLinuxOptions": {"type": "container_engine_t"}},
        "containers": [{"name": "c", "image": "i"}],
    });
    let folder = folder(&[deployment("engine", &engine), deployment("web", &plain())]);
    let with = |from: &str, to: &str, code: i32, summary: &str| {
        let mut arguments = diff(from, to);
        arguments.extend(["--enforce", "baseline"]);
        folder.podgate(&arguments).ends(code).says(&[summary]);
    };
    with(
        "@1.30",
        "@1.31",
        0,
        "2 objects compared: 1 newly admitted\n",
    );
    with(
        "@1.31",
        "@1.30",
        1,
        "2 objects compared: 1 newly rejected\n",
    );
    with("@1.25", "@1.26", 0, "2 objects compared: nothing changes\n");
}

#[test]
fn other_words_are_told_when_asked() {
    let folder = folder(&[deployment(
        "web",
        &json!({"hostPID": true, "containers": [{"name": "c", "image": "i"}]}),
    )]);
    let arguments = diff("baseline@1.36", "restricted@1.36");
    let summary = "1 object compared: 1 with other warnings or reasons";
    folder
        .podgate(&arguments)
        .ends(0)
        .says(&[summary, " (--all tells them)\n"]);
    let all: Vec<&str> = arguments.iter().copied().chain(["--all"]).collect();
    folder.podgate(&all).ends(0).says(&[
        "~ Deployment/default/web",
        "  today pods rejected 403 by PodSecurity\n    - host namespaces (hostPID=true)\n",
        "  then pods rejected 403 by PodSecurity\n    - host namespaces (hostPID=true)\n",
        "    - runAsNonRoot != true",
        summary,
    ]);
}

#[rstest]
#[case(&["diff", "--from", "psp", "--to", "restricted"], 2, "there is nothing to compare")]
#[case(&["diff", "m.jsonl", "--from", "psp", "--to", "psp@1.24"], 2, "--from and --to are both psp, Kubernetes 1.24")]
#[case(&["diff", "m.jsonl", "--from", "psp@1.25", "--to", "restricted"], 2, "cluster `psp` is not for Kubernetes 1.25")]
#[case(&["diff", "m.jsonl", "--from", "psp@new", "--to", "restricted"], 2, "--from psp@new: ")]
#[case(&["diff", "m.jsonl", "--from", "resticted", "--to", "psp"], 2, "resticted")]
#[case(&["diff", "m.jsonl", "--from", "@1.29", "--to", "@1.30"], 2, "there is no policy to judge by")]
#[case(&["diff", "clusters/psp.yaml", "--from", "psp", "--to", "restricted", "-o", "json"], 4, "")]
#[case(&["diff", "broken.json", "m.jsonl", "--from", "baseline", "--to", "restricted"], 2, "broken.json")]
fn wrong_input(#[case] arguments: &[&str], #[case] code: i32, #[case] tells: &str) {
    let folder = folder(&[deployment("web", &plain())]);
    folder.write("broken.json", "{");
    folder.podgate(arguments).ends(code).tells(&[tells]);
}

/// Other tools get what newly breaks, at the line of the field.
#[test]
fn reports() {
    let folder = folder(&[deployment("web", &plain()), deployment("hard", &hardened())]);
    let mut arguments = diff("psp@1.24", "restricted@1.25");
    let formats = ["junit=j.xml", "sarif=s.json", "markdown=m.md"];
    arguments.extend(formats.iter().flat_map(|format| ["--report", format]));
    arguments.extend(["-o", "github"]);
    let run = folder.podgate(&arguments).ends(1);
    assert!(
        run.stdout.starts_with("::error file=m.jsonl,line=1,"),
        "{run:?}"
    );
    let junit = folder.read("j.xml");
    assert!(
        junit.contains(r#"tests="2" failures="1" errors="0""#),
        "{junit}"
    );
    assert!(
        junit.contains("newly-breaks") && junit.contains("nobody fills in any more"),
        "{junit}"
    );
    let sarif: Value = serde_json::from_str(&folder.read("s.json")).unwrap();
    let rules = sarif["runs"][0]["results"].as_array().unwrap().iter();
    let rules: Vec<&str> = rules
        .map(|result| result["ruleId"].as_str().unwrap())
        .collect();
    assert!(rules.contains(&"runAsNonRoot"), "{rules:?}");
    assert!(
        folder
            .read("m.md")
            .contains("**newly rejected 403 by PodSecurity**")
    );
}

/// Many objects are compared on all cores, in order.
#[test]
fn order_is_kept() {
    let manifests: Vec<String> = (0..200)
        .map(|at| {
            let spec = if at % 2 == 0 { plain() } else { hardened() };
            deployment(&format!("d{at}"), &spec)
        })
        .collect();
    let folder = folder(&manifests);
    let mut arguments = diff("baseline@1.36", "restricted@1.36");
    arguments.extend(["-o", "jsonl"]);
    let lines = folder.podgate(&arguments).ends(1).json_lines();
    let names: Vec<&str> = lines
        .iter()
        .map(|line| line["object"].as_str().unwrap())
        .collect();
    let expected: Vec<String> = (0..200)
        .step_by(2)
        .map(|at| format!("Deployment/default/d{at}"))
        .collect();
    assert_eq!(names, expected);
}

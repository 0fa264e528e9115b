//! Which clusters share a real server: those that ask for the same one, and bring nothing that the
//! others would see.

use std::fs;

use podgate_harness::plan::{Plan, Selection};
use podgate_harness::suite::{Project, Suite};
use rstest::rstest;

const SCENARIO: &str =
    "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}\n";

/// The boots of two clusters of 1.36 whose files end like this, each as the names of its clusters.
fn boots(one: &str, other: &str) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["clusters", "scenarios"] {
        fs::create_dir(folder.path().join(name)).expect(name);
    }
    for (name, rest) in [("one", one), ("other", other)] {
        let text = format!(
            "apiVersion: podgate.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: {name}}}\n{rest}"
        );
        let path = folder.path().join(format!("clusters/{name}.yaml"));
        fs::write(path, text).expect("a cluster");
    }
    fs::write(
        folder.path().join("scenarios/p.yaml"),
        format!("---\n{SCENARIO}"),
    )
    .expect("a scenario");
    let project = Project::load(folder.path()).expect("a project");
    let suite = Suite::load(&project).expect("a suite");
    let selection = Selection {
        kubernetes: Some("1.36".parse().expect("a minor")),
        ..Selection::default()
    };
    let plan = Plan::new(&suite, &selection).expect("a plan");
    let names = |boot| {
        let clusters = plan.spec(boot).clusters;
        clusters
            .iter()
            .map(|cluster| cluster.name.clone())
            .collect()
    };
    plan.boots().iter().map(names).collect()
}

const LABELS: &str =
    "spec: {namespace: {labels: {pod-security.kubernetes.io/enforce: restricted}}}\n";
const GATE: &str = "spec: {apiServer: {featureGates: {ProcMountType: true}}}\n";
const DEFAULTS: &str = "\
---
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: {enforce: LEVEL}
";
const ACCOUNT: &str = "---\n{apiVersion: v1, kind: ServiceAccount, metadata: {name: a}}\n";
const PLACED: &str = "---\n{apiVersion: v1, kind: Namespace, metadata: {name: x}}\n---\n{apiVersion: v1, kind: ServiceAccount, metadata: {name: a, namespace: x}}\n";
const ROLE: &str = "---\n{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}, rules: []}\n";

#[rstest]
#[case::labels(LABELS, "", true)]
#[case::objects_of_each_scenario(ACCOUNT, "", true)]
#[case::flags(GATE, "", false)]
#[case::the_same_flags(GATE, GATE, true)]
#[case::objects_for_all(ROLE, "", false)]
#[case::the_same_objects_for_all(ROLE, ROLE, false)]
#[case::objects_in_a_place_of_their_own(PLACED, "", false)]
fn sharing(#[case] one: &str, #[case] other: &str, #[case] shared: bool) {
    assert_eq!(boots(one, other).len() == 1, shared);
}

#[test]
fn admission_configurations_are_compared() {
    let level = |level: &str| DEFAULTS.replace("LEVEL", level);
    assert_eq!(boots(&level("baseline"), "").len(), 2);
    assert_eq!(boots(&level("baseline"), &level("restricted")).len(), 2);
    assert_eq!(
        boots(&level("baseline"), &level("baseline")),
        [["one", "other"]]
    );
}

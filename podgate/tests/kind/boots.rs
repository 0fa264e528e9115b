//! Clusters that come up: what is created, what is proved, and that it is gone afterwards.

use rstest::rstest;

use crate::standin::{Fault, StandIn, names};

const RESTRICTED: &str = "apiVersion: podgate.dev/v1alpha1
kind: Cluster
metadata: {name: restricted}
spec:
  namespace: {labels: {pod-security.kubernetes.io/enforce: restricted}}
";

/// The whole server rejects, its own pods too unless they are let in.
pub(crate) const DEFAULTS: &str = "apiVersion: podgate.dev/v1alpha1
kind: Cluster
metadata: {name: defaults}
---
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1beta1
    kind: PodSecurityConfiguration
    defaults: {enforce: restricted, enforce-version: latest}
";

/// Policies decide, and there is none.
pub(crate) const POLICIES: &str = "apiVersion: podgate.dev/v1alpha1
kind: Cluster
metadata: {name: policies}
spec:
  kubernetes: \"..1.24\"
  apiServer: {enableAdmissionPlugins: [PodSecurityPolicy]}
";

#[rstest]
#[case::labels("restricted", RESTRICTED, "1.36")]
#[case::an_admission_configuration("defaults", DEFAULTS, "1.36")]
#[case::policies("policies", POLICIES, "1.24")]
fn a_cluster_comes_up_and_goes(#[case] name: &str, #[case] cluster: &str, #[case] minor: &str) {
    let standin = StandIn::new(Fault::None);
    standin
        .folder
        .write(&format!("clusters/{name}.yaml"), cluster);
    let run = standin
        .podgate(&[
            "up",
            "--cluster",
            name,
            "--kubernetes",
            minor,
            "--write-kubeconfig",
            "mine",
        ])
        .ends(0)
        .says(&["ready: ", &format!("Kubernetes v{minor}."), "mine"]);
    let id = run.stdout["ready: ".len()..].split(',').next().unwrap();
    let [created] = &standin.clusters()[..] else {
        panic!("one cluster is there: {:?}", standin.clusters());
    };
    let prefix = format!("podgate-{id}-{}-{name}", minor.replace('.', "-"));
    assert!(created.starts_with(&prefix), "{created}");
    let kubeconfig = standin.folder.read("mine");
    assert!(kubeconfig.contains("https://127.0.0.1:"), "{kubeconfig}");

    standin.podgate(&["clean"]).ends(0);
    assert_eq!(
        standin.clusters().len(),
        1,
        "what was kept on purpose stays"
    );
    standin.podgate(&["down", id]).ends(0);
    assert!(!standin.folder.path().join("mine").exists());
    standin.nothing_is_left();
}

#[test]
fn the_users_own_kubeconfig_is_never_named() {
    let standin = StandIn::new(Fault::None);
    standin.folder.write("clusters/restricted.yaml", RESTRICTED);
    standin.podgate(&["up", "--cluster", "restricted"]).ends(0);
    let asked = standin.asked();
    for line in asked.lines().filter(|line| line.contains("cluster --name")) {
        assert!(line.contains("--kubeconfig"), "{line}");
        assert!(line.contains("/tmp/podgate-"), "{line}");
    }
    assert_eq!(
        names(&standin.folder.path().join(".kube")),
        <[&str; 0]>::default()
    );
}

#[test]
fn a_kubeconfig_that_is_there_is_left_alone() {
    let standin = StandIn::new(Fault::None);
    standin
        .folder
        .write("clusters/restricted.yaml", RESTRICTED)
        .write("mine", "mine\n");
    standin
        .podgate(&[
            "up",
            "--cluster",
            "restricted",
            "--write-kubeconfig",
            "mine",
        ])
        .ends(2)
        .tells(&["mine is there already", "hint:"]);
    assert_eq!(standin.folder.read("mine"), "mine\n");
    assert_eq!(standin.asked(), "", "nothing was started");
}

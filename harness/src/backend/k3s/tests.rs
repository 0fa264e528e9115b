//! What is generated for k3s, for every minor, and what k3s has to say to be believed.

use std::fs;

use rstest::rstest;
use tempfile::TempDir;

use super::*;

const CLUSTER: &str = "apiVersion: podgate.dev/v1alpha1
kind: Cluster
metadata: {name: c}
spec:
  kubernetes: all
";

/// A cluster from a file with `more` behind its spec, and the plugin's own file beside it.
fn cluster(more: &str) -> (TempDir, Cluster) {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("c.yaml");
    fs::write(&file, format!("{CLUSTER}{more}")).expect("written");
    let own =
        "apiVersion: pod-security.admission.config.k8s.io/v1\nkind: PodSecurityConfiguration\n";
    fs::write(folder.path().join("own.yaml"), own).expect("written");
    let cluster = Cluster::load(&file).unwrap_or_else(|error| panic!("{error}"));
    (folder, cluster)
}

fn generated(cluster: &Cluster, minor: Minor) -> container::Spec {
    let spec = BootSpec {
        title: String::new(),
        name: "c".to_owned(),
        minor,
        clusters: vec![cluster],
    };
    let k3s = K3s { image: None };
    k3s.container(&spec)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn flags(spec: &container::Spec) -> Vec<&str> {
    let arguments = spec.arguments.iter();
    arguments
        .filter_map(|argument| argument.strip_prefix("--kube-apiserver-arg="))
        .collect()
}

#[test]
fn every_minor_has_a_container() {
    let (_folder, cluster) = cluster("");
    for minor in Minor::all() {
        let spec = generated(&cluster, minor);
        assert_eq!(spec.image, images::image(minor));
        assert_eq!(spec.arguments[0], "server");
        assert!(spec.arguments.contains(&"--disable-agent".to_owned()));
        assert!(flags(&spec).is_empty() && spec.files.is_empty(), "{spec:?}");
    }
}

#[rstest]
#[case::enabled("  apiServer: {enableAdmissionPlugins: [AlwaysPullImages]}\n", &["enable-admission-plugins=NodeRestriction,AlwaysPullImages"])]
#[case::its_own("  apiServer: {enableAdmissionPlugins: [NodeRestriction]}\n", &["enable-admission-plugins=NodeRestriction"])]
#[case::disabled("  apiServer: {disableAdmissionPlugins: [ServiceAccount]}\n", &["disable-admission-plugins=ServiceAccount"])]
#[case::its_own_disabled(
    "  apiServer: {enableAdmissionPlugins: [AlwaysPullImages], disableAdmissionPlugins: [NodeRestriction]}\n",
    &["disable-admission-plugins=NodeRestriction", "enable-admission-plugins=AlwaysPullImages"]
)]
#[case::gates("  apiServer: {featureGates: {ProcMountType: true}}\n", &["feature-gates=ProcMountType=true"])]
fn flags_of_a_cluster(#[case] more: &str, #[case] expected: &[&str]) {
    let (_folder, cluster) = cluster(more);
    assert_eq!(flags(&generated(&cluster, Minor::known(30))), expected);
}

#[test]
fn the_admission_configuration_lies_in_the_container() {
    let (_folder, cluster) = cluster(
        "---\napiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n\
         plugins: [{name: PodSecurity, path: own.yaml}]\n",
    );
    let spec = generated(&cluster, Minor::known(30));
    assert_eq!(
        flags(&spec),
        ["admission-control-config-file=/etc/podgate/admission.json"]
    );
    let paths: Vec<&str> = spec.files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        ["/etc/podgate/admission.json", "/etc/podgate/plugin-0.json"]
    );
    // It names the other relative to itself.
    assert!(
        spec.files[0].1.contains(r#""path":"plugin-0.json""#),
        "{:?}",
        spec.files
    );
    assert!(spec.files[1].1.contains("PodSecurityConfiguration"));
}

const SAYS: &str = r#"time="2026-11-23T12:00:00Z" level=info msg="Starting k3s v1.30.14+k3s2"
time="2026-11-23T12:00:01Z" level=info msg="Running kube-apiserver --admission-control-config-file=/etc/podgate/admission.json --enable-admission-plugins=NodeRestriction,AlwaysPullImages --secure-port=6444"
"#;

#[rstest]
#[case(SAYS, &["server"], None)]
#[case(SAYS, &["--kube-apiserver-arg=enable-admission-plugins=NodeRestriction,AlwaysPullImages"], None)]
#[case(SAYS, &["--kube-apiserver-arg=secure-port=6444"], None)]
#[case(SAYS, &["--kube-apiserver-arg=enable-admission-plugins=NodeRestriction"], Some("runs without --enable-admission-plugins=NodeRestriction"))]
#[case(SAYS, &["--kube-apiserver-arg=feature-gates=A=true"], Some("runs without --feature-gates=A=true"))]
#[case("", &["server"], Some("does not say how it runs kube-apiserver"))]
fn what_did_not_take_is_told(
    #[case] log: &str,
    #[case] arguments: &[&str],
    #[case] refused: Option<&str>,
) {
    let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
    let error = took(log, &arguments)
        .err()
        .map(|error| error.message().to_owned());
    match (error, refused) {
        (None, None) => {}
        (Some(error), Some(refused)) => assert!(error.contains(refused), "{error}"),
        (error, refused) => panic!("{error:?}, expected {refused:?}"),
    }
}

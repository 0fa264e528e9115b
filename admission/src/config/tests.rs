//! Flags and configurations that are refused, in the server's words and with their place.

use podgate_policy::Minor;
use rstest::rstest;

use super::{ConfigError, Server, admission_configuration};
use crate::decode::decode_untyped;
use crate::plugins::Plugin;
use crate::versions::Gate;

/// Where and what, in one text.
fn told(error: &ConfigError) -> String {
    let path: String = error.path.iter().map(ToString::to_string).collect();
    format!("{path}: {}", error.message)
}

#[rstest]
#[case(36, "PodSecurity", Ok(()))]
#[case(36, "NodeRestriction", Ok(()))]
#[case(36, "LimitRanger", Ok(()))]
#[case(
    36,
    "AlwaysPullImages",
    Err(r#"[0]: podgate cannot act on admission plugin "AlwaysPullImages": not built yet"#)
)]
#[case(20, "PodSecurityPolicy", Ok(()))]
#[case(24, "PodSecurityPolicy", Ok(()))]
#[case(
    25,
    "PodSecurityPolicy",
    Err(
        "[0]: enable-admission-plugins plugin \"PodSecurityPolicy\" is unknown to Kubernetes 1.25: it was removed in 1.25\nhint: limit the cluster to Kubernetes 1.24 and older, or enforce a level of PodSecurity in its place, by labels of namespaces or in the admission control config file"
    )
)]
#[case(
    21,
    "PodSecurity",
    Err(r#"[0]: enable-admission-plugins plugin "PodSecurity" is unknown to Kubernetes 1.21"#)
)]
#[case(
    36,
    "Foo",
    Err(r#"[0]: enable-admission-plugins plugin "Foo" is unknown"#)
)]
fn plugins_are_enabled(#[case] minor: u8, #[case] name: &str, #[case] expected: Result<(), &str>) {
    let mut server = Server::new(Minor::known(minor));
    let enabled = server.enable_admission_plugins([name]);
    assert_eq!(
        enabled.map_err(|error| told(&error)),
        expected.map_err(str::to_owned)
    );
}

#[test]
fn plugins_are_disabled() {
    let mut server = Server::new(Minor::NEWEST);
    assert!(server.has(Plugin::PodSecurity));
    server.disable_admission_plugins(["PodSecurity"]).unwrap();
    assert!(!server.has(Plugin::PodSecurity));
    let error = server.enable_admission_plugins(["PodSecurity"]);
    assert_eq!(
        told(&error.unwrap_err()),
        "[0]: [PodSecurity] in enable-admission-plugins and disable-admission-plugins overlapped"
    );
}

#[rstest]
#[case(22, false)]
#[case(23, true)]
#[case(36, true)]
fn pod_security_is_on(#[case] minor: u8, #[case] on: bool) {
    let mut server = Server::new(Minor::known(minor));
    assert_eq!(server.has(Plugin::PodSecurity), on);
    if !on {
        server.set_feature_gate("PodSecurity", true).unwrap();
        assert!(server.has(Plugin::PodSecurity));
    }
}

#[rstest]
#[case(34, "ProcMountType", true, None)]
#[case(36, "ProcMountType", true, None)]
#[case(
    36,
    "ProcMountType",
    false,
    Some(
        ".ProcMountType: cannot set feature gate ProcMountType to false, feature is locked to true"
    )
)]
#[case(
    36,
    "NoSuchGate",
    true,
    Some(
        ".NoSuchGate: podgate does not know the feature gate NoSuchGate for Kubernetes 1.36, or it changes nothing that podgate looks at"
    )
)]
#[case(26, "UserNamespacesStatelessPodsSupport", true, None)]
fn gates_are_set(
    #[case] minor: u8,
    #[case] name: &str,
    #[case] on: bool,
    #[case] expected: Option<&str>,
) {
    let mut server = Server::new(Minor::known(minor));
    let error = server.set_feature_gate(name, on).err();
    assert_eq!(error.as_ref().map(told).as_deref(), expected);
}

#[test]
fn a_gate_keeps_what_it_was_set_to() {
    let mut server = Server::new(Minor::known(30));
    assert!(!server.enabled(Gate::UserNamespacesSupport));
    server
        .set_feature_gate("UserNamespacesSupport", true)
        .unwrap();
    assert!(server.enabled(Gate::UserNamespacesSupport));
    server
        .set_feature_gate("UserNamespacesSupport", false)
        .unwrap();
    assert!(!server.enabled(Gate::UserNamespacesSupport));
}

const V1: &str =
    r#""apiVersion":"pod-security.admission.config.k8s.io/v1","kind":"PodSecurityConfiguration""#;

// The texts are what servers print behind `failed to apply admission: `.
#[rstest]
#[case("", None)]
#[case(r#","defaults":{"enforce":"baseline","enforce-version":""}"#, None)]
#[case(
    r#","defalts":{}"#,
    Some(r#".defalts: couldn't init admission plugin "PodSecurity": strict decoding error: unknown field "defalts""#)
)]
#[case(
    r#","defaults":{"enforced":"x"}"#,
    Some(r#".defaults.enforced: couldn't init admission plugin "PodSecurity": strict decoding error: unknown field "defaults.enforced""#)
)]
#[case(
    r#","defaults":{"enforce-version":1.2}"#,
    Some(
        r#".defaults.enforce-version: couldn't init admission plugin "PodSecurity": json: cannot unmarshal number into Go struct field PodSecurityDefaults.defaults.enforce-version of type string"#
    )
)]
#[case(
    r#","defaults":{"enforce":"foo","audit-version":"x"}"#,
    Some(r#".defaults.enforce: failed to initialize admission plugin "PodSecurity": PodSecurity configuration error: [enforce: must be one of privileged, baseline, restricted, audit-version: must be "latest" or "v1.x"]"#)
)]
#[case(
    r#","defaults":{"warn":"Baseline"}"#,
    Some(
        r#".defaults.warn: failed to initialize admission plugin "PodSecurity": PodSecurity configuration error: warn: must be one of privileged, baseline, restricted"#
    )
)]
// A level is only looked at when all is decoded.
#[case(
    r#","defaults":{"warn":"Baseline"},"exemptions":{"namespaces":"x"}"#,
    Some(r#".exemptions.namespaces: couldn't init admission plugin "PodSecurity": json: cannot unmarshal string into Go struct field PodSecurityExemptions.exemptions.namespaces of type []string"#)
)]
#[case(
    r#","exemptions":{"namespaces":["x","x"],"usernames":[""]}"#,
    Some(r#".exemptions.namespaces[1]: failed to initialize admission plugin "PodSecurity": PodSecurity invalid: [exemptions.namespaces[1]: Duplicate value: "x", exemptions.usernames[0]: Invalid value: "": username must not be empty]"#)
)]
fn pod_security_configurations(#[case] more: &str, #[case] expected: Option<&str>) {
    let json = format!("{{{V1}{more}}}");
    let tree = decode_untyped(json.as_bytes()).unwrap();
    let mut server = Server::new(Minor::NEWEST);
    let error = server.configure_plugin("PodSecurity", &tree).err();
    assert_eq!(error.as_ref().map(told).as_deref(), expected);
}

#[rstest]
#[case(22, "v1alpha1", true)]
#[case(22, "v1beta1", false)]
#[case(24, "v1", false)]
#[case(25, "v1", true)]
#[case(36, "v1alpha1", true)]
fn pod_security_configuration_versions(
    #[case] minor: u8,
    #[case] version: &str,
    #[case] read: bool,
) {
    let json = format!(
        r#"{{"apiVersion":"pod-security.admission.config.k8s.io/{version}","kind":"PodSecurityConfiguration"}}"#
    );
    let tree = decode_untyped(json.as_bytes()).unwrap();
    let mut server = Server::new(Minor::known(minor));
    let error = server.configure_plugin("PodSecurity", &tree).err();
    let expected = (!read).then(|| {
        format!(
            r#".apiVersion: couldn't init admission plugin "PodSecurity": no kind "PodSecurityConfiguration" is registered for version "pod-security.admission.config.k8s.io/{version}" in scheme "k8s.io/pod-security-admission/admission/api/scheme/scheme.go:31""#
        )
    });
    assert_eq!(error.as_ref().map(told), expected);
}

#[rstest]
#[case(
    r#"{"defaults":{}}"#,
    r#": couldn't init admission plugin "PodSecurity": Object 'Kind' is missing in '{"defaults":{}}'"#
)]
#[case(
    r#"{"kind":"PodSecurityConfiguration"}"#,
    r#": couldn't init admission plugin "PodSecurity": Object 'apiVersion' is missing in '{"kind":"PodSecurityConfiguration"}'"#
)]
// Another `AdmissionConfiguration` inside.
#[case(
    r#"{"apiVersion":"apiserver.config.k8s.io/v1","kind":"AdmissionConfiguration"}"#,
    r#".apiVersion: couldn't init admission plugin "PodSecurity": no kind "AdmissionConfiguration" is registered for version "apiserver.config.k8s.io/v1" in scheme "k8s.io/pod-security-admission/admission/api/scheme/scheme.go:31""#
)]
fn no_pod_security_configuration(#[case] json: &str, #[case] expected: &str) {
    let tree = decode_untyped(json.as_bytes()).unwrap();
    let mut server = Server::new(Minor::NEWEST);
    let error = server.configure_plugin("PodSecurity", &tree).unwrap_err();
    assert_eq!(told(&error), expected);
}

#[test]
fn admission_configurations() {
    let json = br#"{"apiVersion":"apiserver.config.k8s.io/v1","kind":"AdmissionConfiguration",
        "plugins":[{"name":"PodSecurity","path":"psa.yaml"},{"name":"X","configuration":{}}]}"#;
    let tree = decode_untyped(json).unwrap();
    let plugins = admission_configuration(&tree).unwrap();
    assert_eq!(plugins[0].path, Some("psa.yaml"));
    assert!(plugins[0].configuration.is_none());
    assert!(plugins[1].configuration.is_some());

    let json = br#"{"apiVersion":"apiserver.config.k8s.io/v1","kind":"AdmissionConfiguration","plugins":[{"nam":"x"}]}"#;
    let tree = decode_untyped(json).unwrap();
    assert_eq!(
        told(&admission_configuration(&tree).unwrap_err()),
        r#".plugins[0].nam: failed to read plugin config: strict decoding error: unknown field "plugins[0].nam""#
    );
}

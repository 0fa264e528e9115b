//! What the API says of policies. The texts are read from upstream's source; the order of the first
//! ones was tried on real servers.

use rstest::rstest;
use serde_json::{Value as Json, json};

use crate::decode::decode_untyped;
use crate::resource;
use crate::validation::{Settings, invalid, validate_create, validate_update};
use crate::value::Value;
use podgate_policy::Minor;

const MINOR: Minor = Minor::known(23);

fn tree(json: &Json) -> Value<'static> {
    let text = json.to_string();
    decode_untyped(text.as_bytes()).expect("JSON").into_owned()
}

/// A good policy with these fields and annotations in place of its own.
fn policy(annotations: &Json, spec: &Json) -> Value<'static> {
    let any = json!({"rule": "RunAsAny"});
    let mut full = json!({
        "runAsUser": any, "seLinux": any, "supplementalGroups": any, "fsGroup": any,
        "allowPrivilegeEscalation": true,
    });
    for (key, value) in spec.as_object().expect("an object") {
        full[key] = value.clone();
    }
    tree(&json!({"metadata": {"name": "x", "annotations": annotations}, "spec": full}))
}

fn errors(object: &Value<'_>) -> Vec<String> {
    let resource = resource::by_kind("policy/v1beta1", "PodSecurityPolicy", MINOR);
    let resource = resource.expect("it is served");
    let errors = validate_create(object, resource, &Settings::new(MINOR));
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn the_kind_is_that_of_another_group() {
    let resource = resource::by_kind("policy/v1beta1", "PodSecurityPolicy", MINOR);
    let resource = resource.expect("it is served");
    let object = tree(&json!({"metadata": {"name": "x"}, "spec": {}}));
    let settings = Settings::new(MINOR);
    let errors = validate_create(&object, resource, &settings);
    let status = invalid(resource, "x", &errors, &settings);
    assert_eq!(
        status.message,
        r#"PodSecurityPolicy.extensions "x" is invalid: [spec.runAsUser.rule: Unsupported value: "": supported values: "MustRunAs", "MustRunAsNonRoot", "RunAsAny", spec.seLinux.rule: Unsupported value: "": supported values: "MustRunAs", "RunAsAny", spec.supplementalGroups.rule: Unsupported value: "": supported values: "MayRunAs", "MustRunAs", "RunAsAny", spec.fsGroup.rule: Unsupported value: "": supported values: "MayRunAs", "MustRunAs", "RunAsAny"]"#
    );
}

const TYPES: &str = r#"spec.volumes: Unsupported value: "cephfs": supported values: "*", "awsElasticBlockStore", "azureDisk", "azureFile", "cephFS", "cinder", "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "fc", "flexVolume", "flocker", "gcePersistentDisk", "gitRepo", "glusterfs", "hostPath", "iscsi", "nfs", "persistentVolumeClaim", "photonPersistentDisk", "portworxVolume", "projected", "quobyte", "rbd", "scaleIO", "secret", "storageos", "vsphereVolume""#;

#[rstest]
#[case::good(json!({}), &[])]
#[case::accepted_though_broken(json!({"runAsUser": {"rule": "MustRunAs"}, "seLinux": {"rule": "MustRunAs"}, "fsGroup": {"rule": "MayRunAs"}}), &[])]
#[case::ranges(json!({"runAsUser": {"rule": "MustRunAs", "ranges": [{"min": 5, "max": 1}, {"min": -2, "max": -1}]}}), &[
    "spec.runAsUser.ranges[0].min: Invalid value: 5: min cannot be greater than max",
    "spec.runAsUser.ranges[1].min: Invalid value: -2: min cannot be negative",
    "spec.runAsUser.ranges[1].max: Invalid value: -1: max cannot be negative",
])]
#[case::group_rule(json!({"runAsGroup": {"rule": "Nope"}}), &[r#"spec.runAsGroup.rule: Unsupported value: "Nope": supported values: "MustRunAs", "RunAsAny", "MayRunAs""#])]
#[case::group_without_ranges(json!({"runAsGroup": {"rule": "MayRunAs"}}), &["spec.runAsGroup.ranges: Invalid value: []policy.IDRange(nil): must provide at least one range"])]
#[case::group_with_ranges(json!({"runAsGroup": {"rule": "RunAsAny", "ranges": [{"min": 1, "max": 2}]}}), &["spec.runAsGroup.ranges: Invalid value: []policy.IDRange{policy.IDRange{Min:1, Max:2}}: Ranges must be empty"])]
#[case::volumes(json!({"volumes": ["emptyDir", "*", "cephfs"]}), &[TYPES])]
#[case::drop_and_allow_all(json!({"requiredDropCapabilities": ["KILL"], "allowedCapabilities": ["*"]}), &[r#"requiredDropCapabilities: Invalid value: []core.Capability{"KILL"}: must be empty when all capabilities are allowed by a wildcard"#])]
#[case::drop_and_allow(json!({"requiredDropCapabilities": ["A", "B"], "allowedCapabilities": ["B"], "defaultAddCapabilities": ["A", "C"]}), &[
    r#"defaultAddCapabilities: Invalid value: "A": capability is listed in defaultAddCapabilities and requiredDropCapabilities"#,
    r#"allowedCapabilities: Invalid value: "B": capability is listed in allowedCapabilities and requiredDropCapabilities"#,
])]
#[case::escalation(json!({"defaultAllowPrivilegeEscalation": true, "allowPrivilegeEscalation": false}), &["spec.defaultAllowPrivilegeEscalation: Invalid value: true: Cannot set DefaultAllowPrivilegeEscalation to true without also setting AllowPrivilegeEscalation to true"])]
#[case::proc_mounts(json!({"allowedProcMountTypes": ["Default", "x"]}), &[r#"spec.allowedProcMountTypes[1]: Unsupported value: "x": supported values: "Default", "Unmasked""#])]
#[case::host_paths(json!({"allowedHostPaths": [{"pathPrefix": "/a/../.."}, {}, {"pathPrefix": ".."}]}), &[
    r#"spec.allowedHostPaths[0]: Invalid value: "/a/../..": must not contain '..'"#,
    "spec.allowedHostPaths[1]: Required value: is required",
])]
#[case::drivers(json!({"allowedFlexVolumes": [{}], "allowedCSIDrivers": [{"name": "A.b"}, {"name": "a_b"}]}), &[
    "spec.allowedFlexVolumes.allowedFlexVolumes[0].driver: Required value: must specify a driver",
    r#"spec.allowedCSIDrivers.allowedCSIDriver[1].name: Invalid value: "a_b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#,
])]
#[case::sysctls(json!({"allowedUnsafeSysctls": ["", "a..b", "a.*", "a*"], "forbiddenSysctls": ["*", "b"]}), &[
    r#"spec.allowedUnsafeSysctls[0]: Invalid value: "": empty sysctl not allowed"#,
    r#"spec.allowedUnsafeSysctls[1]: Invalid value: "a..b": must have at most 253 characters and match regex ([a-z0-9]([-_a-z0-9]*[a-z0-9])?\.)*([a-z0-9][-_a-z0-9]*)?[a-z0-9*]"#,
    "spec.forbiddenSysctls.items: Forbidden: if '*' is present, must not specify other sysctls",
    r#"spec.allowedUnsafeSysctls[0]: Invalid value: "": sysctl overlaps with *"#,
    r#"spec.allowedUnsafeSysctls[1]: Invalid value: "a..b": sysctl overlaps with *"#,
    r#"spec.allowedUnsafeSysctls[2]: Invalid value: "a.*": sysctl overlaps with *"#,
    r#"spec.allowedUnsafeSysctls[3]: Invalid value: "a*": sysctl overlaps with *"#,
])]
#[case::overlaps(json!({"allowedUnsafeSysctls": ["a.*", "b", "c.d"], "forbiddenSysctls": ["a.b.*", "b", "c.*", "a.x"]}), &[
    r#"spec.forbiddenSysctls[0]: Invalid value: "a.b.*": sysctl overlaps with a.*"#,
    r#"spec.forbiddenSysctls[3]: Invalid value: "a.x": sysctl overlaps with a.*"#,
    r#"spec.allowedUnsafeSysctls[1]: Invalid value: "b": sysctl overlaps with b"#,
    r#"spec.allowedUnsafeSysctls[2]: Invalid value: "c.d": sysctl overlaps with c.*"#,
])]
#[case::runtime_classes(json!({"runtimeClass": {"allowedRuntimeClassNames": ["a", "*", "a"], "defaultRuntimeClassName": "b"}}), &[
    r#"spec.runtimeClass.allowedRuntimeClassNames[2]: Duplicate value: "a""#,
    r#"spec.runtimeClass.allowedRuntimeClassNames: Invalid value: []string{"a", "*", "a"}: if '*' is present, must not specify other RuntimeClass names"#,
])]
#[case::default_runtime_class(json!({"runtimeClass": {"allowedRuntimeClassNames": [], "defaultRuntimeClassName": "b"}}), &[r#"spec.runtimeClass.allowedRuntimeClassNames: Required value: default "b" must be allowed"#])]
fn specs(#[case] spec: Json, #[case] expected: &[&str]) {
    assert_eq!(errors(&policy(&json!({}), &spec)), expected);
}

#[rstest]
#[case("apparmor.security.beta.kubernetes.io/defaultProfileName", "x", &[r#"Invalid value: "x": invalid AppArmor profile name: "x""#])]
#[case("apparmor.security.beta.kubernetes.io/allowedProfileNames", "runtime/default,x,localhost/y", &[r#"Invalid value: "runtime/default,x,localhost/y": invalid AppArmor profile name: "x""#])]
#[case("seccomp.security.alpha.kubernetes.io/defaultProfileName", "x", &[r#"Invalid value: "x": must be a valid seccomp profile"#])]
#[case("seccomp.security.alpha.kubernetes.io/defaultProfileName", "docker/default", &[])]
#[case("seccomp.security.alpha.kubernetes.io/allowedProfileNames", "*,x,localhost/../y", &[
    r#"Invalid value: "x": must be a valid seccomp profile"#,
    r#"Invalid value: "../y": must not contain '..'"#,
])]
#[case("seccomp.security.alpha.kubernetes.io/allowedProfileNames", "", &[])]
fn annotations(#[case] key: &str, #[case] value: &str, #[case] expected: &[&str]) {
    let found = errors(&policy(&json!({key: value}), &json!({})));
    let path = format!("metadata.annotations[{key}]: ");
    let bodies: Vec<_> = found
        .iter()
        .map(|error| error.strip_prefix(&path).expect("the path"))
        .collect();
    assert_eq!(bodies, expected);
}

#[test]
fn updates_are_held_to_the_same() {
    let resource = resource::by_kind("policy/v1beta1", "PodSecurityPolicy", MINOR);
    let resource = resource.expect("it is served");
    let version = |spec: &Json| {
        let mut object = policy(&json!({}), spec);
        let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
        let metadata = metadata.expect("it has metadata");
        metadata.insert("resourceVersion", "1");
        object
    };
    let (old, new) = (version(&json!({})), version(&json!({"volumes": ["x"]})));
    let settings = Settings::new(MINOR);
    let errors = validate_update(&new, &old, resource, None, &settings);
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].field, "spec.volumes");
}

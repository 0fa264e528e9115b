//! The documents by what clients look for in them.

use podgate_admission::decode::decode_untyped;
use rstest::rstest;

use super::*;

fn v2(minor: u8) -> Value<'static> {
    document(Version::V2, Minor::known(minor), |_, _| true)
}

/// Every reference of a document.
fn references<'v>(value: &'v Value<'_>, found: &mut Vec<&'v str>) {
    match value {
        Value::List(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(entries) => {
            for (key, value) in entries.iter() {
                match value.as_str() {
                    Some(name) if key == "$ref" => found.push(name),
                    _ => references(value, found),
                }
            }
        }
        _ => {}
    }
}

#[rstest]
#[case(Version::V2, &["definitions"], "#/definitions/")]
#[case(Version::V3, &["components", "schemas"], "#/components/schemas/")]
fn every_reference_leads_somewhere(
    #[case] version: Version,
    #[case] path: &[&str],
    #[case] prefix: &str,
) {
    for minor in Minor::all() {
        let document = document(version, minor, |_, _| true);
        let definitions = document.at(path).expect("definitions");
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let name = reference.strip_prefix(prefix).expect("a definition");
            let definition = definitions.get(name).expect(name);
            assert!(definition.as_object().is_some(), "{minor} {name}");
        }
    }
}

// As in upstream's api/openapi-spec of 1.20 to 1.37.
#[rstest]
#[case("io.k8s.api.core.v1.Container", 36, r#"["name"]"#)]
#[case("io.k8s.api.core.v1.PodSpec", 20, r#"["containers"]"#)]
#[case("io.k8s.api.apps.v1.DeploymentSpec", 20, r#"["selector","template"]"#)]
#[case(
    "io.k8s.api.apps.v1.StatefulSetSpec",
    30,
    r#"["selector","template","serviceName"]"#
)]
#[case("io.k8s.api.apps.v1.StatefulSetSpec", 33, r#"["selector","template"]"#)]
#[case("io.k8s.api.batch.v1.CronJobSpec", 23, r#"["schedule","jobTemplate"]"#)]
#[case("io.k8s.api.rbac.v1.RoleBinding", 36, r#"["roleRef"]"#)]
#[case(
    "io.k8s.api.policy.v1beta1.PodSecurityPolicySpec",
    23,
    r#"["seLinux","runAsUser","supplementalGroups","fsGroup"]"#
)]
#[case(
    "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement",
    36,
    r#"["key","operator"]"#
)]
#[case("io.k8s.api.node.v1.RuntimeClass", 36, r#"["handler"]"#)]
fn required(#[case] name: &str, #[case] minor: u8, #[case] expected: &str) {
    let document = v2(minor);
    let definition = document.at(&["definitions", name]).expect("a definition");
    assert_eq!(
        encode_untyped(definition.get("required").expect("a list")),
        expected
    );
}

#[test]
fn patches_and_kinds() {
    let document = v2(36);
    let at = |definition: &str, field: &str| {
        let path = ["definitions", definition, "properties", field];
        encode_untyped(document.at(&path).expect("a field"))
    };
    assert_eq!(
        at("io.k8s.api.core.v1.PodSpec", "containers"),
        r##"{"type":"array","items":{"$ref":"#/definitions/io.k8s.api.core.v1.Container"},"x-kubernetes-list-map-keys":["name"],"x-kubernetes-list-type":"map","x-kubernetes-patch-merge-key":"name","x-kubernetes-patch-strategy":"merge"}"##
    );
    assert_eq!(
        at("io.k8s.api.apps.v1.DeploymentSpec", "strategy"),
        r##"{"$ref":"#/definitions/io.k8s.api.apps.v1.DeploymentStrategy","x-kubernetes-patch-strategy":"retainKeys"}"##
    );
    let pod = document
        .at(&["definitions", "io.k8s.api.core.v1.Pod"])
        .expect("pods");
    assert_eq!(
        encode_untyped(pod.get("x-kubernetes-group-version-kind").expect("kinds")),
        r#"[{"group":"","kind":"Pod","version":"v1"}]"#
    );
}

// As in upstream's api/openapi-spec of 1.20 to 1.37.
#[rstest]
#[case(
    "/apis/apps/v1 deployments/{name}/scale put",
    36,
    "replaceAppsV1NamespacedDeploymentScale",
    "io.k8s.api.autoscaling.v1.Scale",
    r#"{"group":"autoscaling","kind":"Scale","version":"v1"}"#
)]
#[case(
    "/api/v1 pods/{name}/binding post",
    36,
    "createCoreV1NamespacedPodBinding",
    "io.k8s.api.core.v1.Binding",
    r#"{"group":"","kind":"Binding","version":"v1"}"#
)]
#[case(
    "/api/v1 pods/{name}/eviction post",
    22,
    "createCoreV1NamespacedPodEviction",
    "io.k8s.api.policy.v1.Eviction",
    r#"{"group":"policy","kind":"Eviction","version":"v1"}"#
)]
#[case(
    "/api/v1 pods/{name}/eviction post",
    21,
    "createCoreV1NamespacedPodEviction",
    "io.k8s.api.policy.v1beta1.Eviction",
    r#"{"group":"policy","kind":"Eviction","version":"v1beta1"}"#
)]
#[case(
    "/api/v1 pods/{name}/status put",
    36,
    "replaceCoreV1NamespacedPodStatus",
    "io.k8s.api.core.v1.Pod",
    r#"{"group":"","kind":"Pod","version":"v1"}"#
)]
fn subresources(
    #[case] place: &str,
    #[case] minor: u8,
    #[case] id: &str,
    #[case] definition: &str,
    #[case] kind: &str,
) {
    let document = v2(minor);
    let (path, method) = place.rsplit_once(' ').expect("a path and a method");
    let path = path.replace(' ', "/namespaces/{namespace}/");
    let operation = document.at(&["paths", &path, method]).expect("a method");
    assert_eq!(operation.text_at(&["operationId"]), id);
    let found = operation.get("x-kubernetes-group-version-kind");
    assert_eq!(encode_untyped(found.expect("a kind")), kind);
    let body = &operation.list_at(&["parameters"])[0];
    let reference = format!("#/definitions/{definition}");
    assert_eq!(body.text_at(&["schema", "$ref"]), reference);
    let own = document.at(&["definitions", definition]);
    let kinds = own.and_then(|own| own.get("x-kubernetes-group-version-kind"));
    assert_eq!(encode_untyped(kinds.expect("kinds")), format!("[{kind}]"));
}

// What `kubectl --validate` asks before it leaves the validation to the server.
#[rstest]
#[case(24, false)]
#[case(25, true)]
fn patches_take_a_field_validation(#[case] minor: u8, #[case] expected: bool) {
    let document = v2(minor);
    let path = [
        "paths",
        "/api/v1/namespaces/{namespace}/pods/{name}",
        "patch",
    ];
    let patch = document.at(&path).expect("patches of pods");
    assert_eq!(patch.text_at(&["operationId"]), "patchCoreV1NamespacedPod");
    let mut parameters = patch.list_at(&["parameters"]).iter();
    assert_eq!(
        parameters.any(|parameter| parameter.text_at(&["name"]) == "fieldValidation"),
        expected
    );
}

#[test]
fn each_version_of_a_group_has_a_document() {
    let documents = Documents::new(Minor::known(24));
    let names: Vec<&str> = documents.v3.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "api/v1",
            "apis/apps/v1",
            "apis/authorization.k8s.io/v1",
            "apis/batch/v1",
            "apis/batch/v1beta1",
            "apis/node.k8s.io/v1",
            "apis/node.k8s.io/v1beta1",
            "apis/policy/v1beta1",
            "apis/rbac.authorization.k8s.io/v1",
            "apis/scheduling.k8s.io/v1"
        ]
    );
    let index = decode_untyped(&documents.index.body).expect("JSON");
    let url = index.text_at(&["paths", "apis/apps/v1", "serverRelativeURL"]);
    let hash = &documents.v3["apis/apps/v1"].hash;
    assert_eq!(url, format!("/openapi/v3/apis/apps/v1?hash={hash}"));
}

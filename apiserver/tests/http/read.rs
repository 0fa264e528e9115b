//! GET of objects and of lists, on what a server has when it has just started.

use http::Method;
use rstest::rstest;
use serde_json::json;

use crate::exchange::{get, send, server};

#[test]
fn the_system_is_there() {
    let server = server(36);
    let list = get(&server, "/api/v1/namespaces");
    assert_eq!(
        list.names(),
        ["default", "kube-node-lease", "kube-public", "kube-system"]
    );
    assert_eq!(list.body["kind"], "NamespaceList");
    let first = &list.body["items"][0];
    assert_eq!(first.get("kind"), None);
    assert_eq!(
        first["metadata"]["labels"],
        json!({"kubernetes.io/metadata.name": "default"})
    );
    assert_eq!(first["spec"], json!({"finalizers": ["kubernetes"]}));
    assert_eq!(first["status"], json!({"phase": "Active"}));
    let accounts = get(&server, "/api/v1/serviceaccounts");
    assert_eq!(accounts.names(), ["default"; 4]);
    let class = get(
        &server,
        "/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical",
    )
    .body;
    assert_eq!(class["value"], 2_000_001_000);
}

#[test]
fn older_servers_have_tokens_and_no_name_labels() {
    let server = server(20);
    let namespace = get(&server, "/api/v1/namespaces/default").body;
    assert_eq!(namespace["metadata"].get("labels"), None);
    let account = get(
        &server,
        "/api/v1/namespaces/default/serviceaccounts/default",
    )
    .body;
    let secret = account["secrets"][0]["name"].as_str().expect("a secret");
    let secret = get(
        &server,
        &format!("/api/v1/namespaces/default/secrets/{secret}"),
    )
    .body;
    assert_eq!(secret["type"], "kubernetes.io/service-account-token");
    assert_eq!(
        secret["metadata"]["annotations"]["kubernetes.io/service-account.uid"],
        account["metadata"]["uid"]
    );
}

#[rstest]
#[case("/api/v1/namespaces/missing", "namespaces", "", "missing")]
#[case(
    "/apis/apps/v1/namespaces/web/deployments/d",
    "deployments.apps",
    "apps",
    "d"
)]
fn not_found(#[case] path: &str, #[case] what: &str, #[case] group: &str, #[case] name: &str) {
    let answer = get(&server(36), path);
    let mut details = json!({"name": name, "kind": what.split('.').next()});
    if !group.is_empty() {
        details["group"] = json!(group);
    }
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": format!("{what} \"{name}\" not found"), "reason": "NotFound",
        "details": details, "code": 404,
    });
    assert_eq!((answer.code, answer.body), (404, status));
}

#[rstest]
#[case("labelSelector=kubernetes.io/metadata.name%3Dkube-public", &["kube-public"])]
#[case("labelSelector=kubernetes.io/metadata.name+in+(default,kube-public)", &["default", "kube-public"])]
#[case("labelSelector=!kubernetes.io/metadata.name", &[])]
#[case("fieldSelector=metadata.name%3Ddefault", &["default"])]
#[case("fieldSelector=status.phase!%3DActive", &[])]
fn selected(#[case] query: &str, #[case] expected: &[&str]) {
    let answer = get(&server(36), &format!("/api/v1/namespaces?{query}"));
    assert_eq!(answer.names(), expected);
}

// As recorded on 1.23 and 1.36.
#[rstest]
#[case(
    "labelSelector=((",
    "found '(', expected: !, identifier, or 'end of string'"
)]
#[case("fieldSelector=spec.foo%3Dx", "field label not supported: spec.foo")]
fn bad_selectors(#[case] query: &str, #[case] message: &str) {
    let answer = get(&server(36), &format!("/api/v1/namespaces/web/pods?{query}"));
    assert_eq!((answer.code, answer.message()), (400, message));
}

#[rstest]
#[case("application/json", 200)]
#[case("*/*", 200)]
#[case("application/json;as=Table;v=v1;g=meta.k8s.io, application/json", 200)]
#[case("application/json;as=Table;v=v1;g=meta.k8s.io", 200)]
#[case("application/json;as=Table;v=v2;g=meta.k8s.io", 406)]
#[case("application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", 200)]
#[case(
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    406
)]
#[case("application/vnd.kubernetes.protobuf", 200)]
#[case("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io", 406)]
#[case("application/yaml", 406)]
fn media_types(#[case] accept: &str, #[case] code: u16) {
    let headers = [("accept", accept)];
    let answer = send(
        &server(36),
        &Method::GET,
        "/api/v1/namespaces/default",
        &headers,
        "",
    );
    assert_eq!(answer.code, code);
}

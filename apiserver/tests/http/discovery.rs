//! What the server says of itself, and what it says of paths that it does not have.

use http::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::exchange::{get, send, server};

#[test]
fn version_and_health() {
    let server = server(36);
    let version = get(&server, "/version").body;
    assert_eq!(
        (&version["major"], &version["minor"]),
        (&json!("1"), &json!("36"))
    );
    for path in ["/healthz", "/livez", "/readyz"] {
        let answer = get(&server, path);
        assert_eq!((answer.code, answer.body), (200, json!("ok")));
        assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
}

// The recorded answers of 1.36 and 1.23 have the same shapes.
#[test]
fn groups_and_resources() {
    let server = server(36);
    assert_eq!(get(&server, "/api").body["versions"], json!(["v1"]));
    let group = json!({
        "kind": "APIGroup", "apiVersion": "v1", "name": "apps",
        "versions": [{"groupVersion": "apps/v1", "version": "v1"}],
        "preferredVersion": {"groupVersion": "apps/v1", "version": "v1"},
    });
    assert_eq!(get(&server, "/apis/apps").body, group);
    let groups = get(&server, "/apis").body["groups"].clone();
    let names: Vec<&Value> = groups
        .as_array()
        .expect("groups")
        .iter()
        .map(|g| &g["name"])
        .collect();
    assert_eq!(
        names,
        [
            "apps",
            "authentication.k8s.io",
            "authorization.k8s.io",
            "batch",
            "rbac.authorization.k8s.io",
            "scheduling.k8s.io",
            "node.k8s.io"
        ]
    );
    let list = get(&server, "/api/v1").body;
    assert_eq!(list.get("apiVersion"), None);
    let pods: Vec<&Value> = resources(&list)
        .iter()
        .filter(|r| r["name"].as_str().is_some_and(|n| n.starts_with("pods")))
        .collect();
    let verbs = [
        "create",
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "update",
        "watch",
    ];
    let expected = json!([
        {"name": "pods", "singularName": "pod", "namespaced": true, "kind": "Pod", "verbs": verbs, "shortNames": ["po"], "categories": ["all"], "storageVersionHash": "xPOwRZ+Yhw8="},
        {"name": "pods/attach", "singularName": "", "namespaced": true, "kind": "PodAttachOptions", "verbs": ["create", "get"]},
        {"name": "pods/binding", "singularName": "", "namespaced": true, "kind": "Binding", "verbs": ["create"]},
        {"name": "pods/ephemeralcontainers", "singularName": "", "namespaced": true, "kind": "Pod", "verbs": ["get", "patch", "update"]},
        {"name": "pods/eviction", "singularName": "", "namespaced": true, "group": "policy", "version": "v1", "kind": "Eviction", "verbs": ["create"]},
        {"name": "pods/exec", "singularName": "", "namespaced": true, "kind": "PodExecOptions", "verbs": ["create", "get"]},
        {"name": "pods/log", "singularName": "", "namespaced": true, "kind": "Pod", "verbs": ["get"]},
        {"name": "pods/portforward", "singularName": "", "namespaced": true, "kind": "PodPortForwardOptions", "verbs": ["create", "get"]},
        {"name": "pods/proxy", "singularName": "", "namespaced": true, "kind": "PodProxyOptions", "verbs": ["create", "delete", "get", "patch", "update"]},
        {"name": "pods/resize", "singularName": "", "namespaced": true, "kind": "Pod", "verbs": ["get", "patch", "update"]},
        {"name": "pods/status", "singularName": "", "namespaced": true, "kind": "Pod", "verbs": ["get", "patch", "update"]},
    ]);
    assert_eq!(json!(pods), expected);
}

#[test]
fn older_servers_serve_other_versions() {
    let old = server(22);
    let list = get(&old, "/api/v1").body;
    let pods = resources(&list)
        .iter()
        .find(|r| r["name"] == "pods")
        .expect("pods");
    assert_eq!(pods["singularName"], "");
    assert!(
        resources(&list)
            .iter()
            .all(|r| r["name"] != "pods/ephemeralcontainers")
    );
    let batch = get(&old, "/apis/batch").body;
    assert_eq!(batch["preferredVersion"]["version"], "v1");
    assert_eq!(batch["versions"][1]["version"], "v1beta1");
    assert_eq!(get(&old, "/apis/policy/v1beta1").code, 200);
}

#[track_caller]
fn resources(list: &Value) -> &[Value] {
    list["resources"].as_array().expect("resources")
}

// As recorded on 1.23 and 1.36.
#[rstest]
#[case("/nope")]
#[case("/apis/nope")]
#[case("/apis/nope/v1/foos")]
#[case("/version/nope")]
fn no_page(#[case] path: &str) {
    let answer = get(&server(36), path);
    assert_eq!(
        (answer.code, answer.body),
        (404, json!("404 page not found\n"))
    );
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
}

#[rstest]
#[case(Method::GET, "/apis/batch/v1beta1", 404)]
#[case(Method::GET, "/apis/policy/v1beta1", 404)]
#[case(Method::GET, "/api/v1/foos", 404)]
#[case(Method::GET, "/api/v2", 404)]
#[case(Method::GET, "/api/v1/pods/one", 404)]
#[case(Method::GET, "/api/v1/namespaces/web/pods/one/nope", 404)]
#[case(Method::GET, "/api/v1/namespaces/web/nodes", 404)]
#[case(Method::POST, "/api/v1/pods", 405)]
#[case(Method::POST, "/api/v1/namespaces/web/pods/one", 405)]
#[case(Method::PUT, "/api/v1/namespaces/web/pods", 405)]
#[case(Method::DELETE, "/api/v1/namespaces", 405)]
#[case(Method::DELETE, "/api/v1/pods", 405)]
#[case(
    Method::GET,
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    405
)]
#[case(Method::GET, "/api/v1/pods?watch=1", 405)]
fn no_route(#[case] method: Method, #[case] path: &str, #[case] code: u16) {
    let answer = send(&server(36), &method, path, &[], "{}");
    let (reason, message) = if code == 404 {
        (
            "NotFound",
            "the server could not find the requested resource",
        )
    } else {
        (
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        )
    };
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "details": {}, "code": code,
    });
    assert_eq!((answer.code, answer.body), (code, status));
    assert_eq!(answer.headers["cache-control"], "no-cache, private");
}

#[test]
fn checks_one_by_one() {
    let server = server(36);
    let report = get(&server, "/readyz?verbose&exclude=ping&exclude=no").body;
    let expected = "[+]ping excluded: ok\n\
        warn: some health checks cannot be excluded: no matches for \"no\"\nreadyz check passed\n";
    assert_eq!(report, expected);
    assert_eq!(get(&server, "/livez/ping").body, "ok");
    assert_eq!(get(&server, "/livez/etcd").code, 404);
}

const V2: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const BETA: &str = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

#[rstest]
#[case(26, "APIGroupList", "v1")]
#[case(27, "APIGroupDiscoveryList", "apidiscovery.k8s.io/v2beta1")]
#[case(29, "APIGroupDiscoveryList", "apidiscovery.k8s.io/v2beta1")]
#[case(30, "APIGroupDiscoveryList", "apidiscovery.k8s.io/v2")]
#[case(37, "APIGroupDiscoveryList", "apidiscovery.k8s.io/v2")]
fn aggregated_discovery(#[case] minor: u8, #[case] kind: &str, #[case] version: &str) {
    let accept = format!("{V2},{BETA},application/json");
    let headers = [("accept", accept.as_str())];
    let answer = send(&server(minor), &Method::GET, "/apis", &headers, "");
    assert_eq!(
        (&answer.body["kind"], &answer.body["apiVersion"]),
        (&json!(kind), &json!(version))
    );
}

#[test]
fn the_beta_of_aggregated_discovery_ends_with_1_32() {
    for (minor, kind) in [(32, "APIGroupDiscoveryList"), (33, "APIGroupList")] {
        let headers = [("accept", BETA)];
        let answer = send(&server(minor), &Method::GET, "/apis", &headers, "");
        assert_eq!(answer.body["kind"], kind);
    }
}

#[test]
fn a_document_that_the_client_has_is_not_sent_again() {
    let server = server(36);
    let first = send(&server, &Method::GET, "/api", &[("accept", V2)], "");
    let tag = first.headers["etag"].to_str().expect("a tag");
    assert_eq!(first.headers["vary"], "Accept");
    let headers = [("accept", V2), ("if-none-match", tag)];
    let second = send(&server, &Method::GET, "/api", &headers, "");
    assert_eq!((second.code, &second.body), (304, &json!("")));
    assert_eq!(second.headers["etag"], tag);
}

#[rstest]
#[case(32, None)]
#[case(33, Some("32"))]
#[case(37, Some("36"))]
fn compatibility_versions(#[case] minor: u8, #[case] expected: Option<&str>) {
    let version = get(&server(minor), "/version").body;
    assert_eq!(version["minCompatibilityMinor"].as_str(), expected);
}

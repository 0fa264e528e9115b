//! Objects as protobuf, both ways. That every field of every kind is where it has to be is compared with
//! upstream's own examples beside the code.

use http::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::exchange::{Answer, send, server};

const TYPE: &str = "application/vnd.kubernetes.protobuf";

/// What a server answers as protobuf.
fn protobuf(path: &str, method: &Method, body: &Value) -> (u16, Vec<u8>) {
    let server = server(36);
    let answer = send(
        &server,
        method,
        path,
        &[("accept", TYPE), ("content-type", "application/json")],
        &body.to_string(),
    );
    assert_eq!(answer.headers["content-type"], TYPE);
    (answer.code, answer.bytes)
}

fn pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"a": "b", "c": ""}},
        "spec": {
            "containers": [{
                "name": "c", "image": "nginx",
                "ports": [{"containerPort": 80}],
                "resources": {"limits": {"cpu": "100m"}},
                "livenessProbe": {"httpGet": {"port": "web"}, "periodSeconds": 3},
            }],
            "volumes": [{"name": "v", "emptyDir": {}}],
            "securityContext": {"runAsNonRoot": false, "supplementalGroups": [1, 2]},
        },
    })
}

/// What the server writes as protobuf it reads again, and it says the same as the JSON.
#[rstest]
#[case("/api/v1/namespaces/default/pods", pod())]
#[case("/api/v1/namespaces/default/configmaps", json!({
    "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"},
    "data": {"a": "1", "b": ""}, "binaryData": {"c": "AAH/"}, "immutable": false,
}))]
#[case("/apis/apps/v1/namespaces/default/deployments", json!({
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
    "spec": {
        "replicas": 0, "selector": {"matchLabels": {"a": "b"}},
        "strategy": {"rollingUpdate": {"maxSurge": "10%", "maxUnavailable": 1}},
        "template": pod(),
    },
}))]
fn round_trips(#[case] path: &str, #[case] mut object: Value) {
    if object["kind"] == "Deployment" {
        let template = &mut object["spec"]["template"];
        template["metadata"] = json!({"labels": {"a": "b"}});
        for key in ["apiVersion", "kind"] {
            template.as_object_mut().expect("an object").remove(key);
        }
    }
    let dry = format!("{path}?dryRun=All");
    let (code, bytes) = protobuf(&dry, &Method::POST, &object);
    assert_eq!(code, 201);
    let json = send(&server(36), &Method::POST, &dry, &[], &object.to_string());
    let again = send(
        &server(36),
        &Method::POST,
        &dry,
        &[("content-type", TYPE)],
        &bytes,
    );
    assert_eq!(again.code, 201, "{:?}", again.body);
    let without = |answer: Answer| {
        let mut body = answer.body;
        body["metadata"]["managedFields"].take();
        body
    };
    assert_eq!(without(again), without(json));
}

/// Statuses, lists, tables.
#[rstest]
#[case("/api/v1/namespaces/none", 404, "\x12\x06Status")]
#[case("/api/v1/namespaces", 200, "\x12\x0dNamespaceList")]
#[case("/api/v1/namespaces?labelSelector=((", 400, "expected: !, identifier")]
fn answers(#[case] path: &str, #[case] code: u16, #[case] says: &str) {
    let (found, bytes) = protobuf(path, &Method::GET, &Value::Null);
    assert_eq!(found, code);
    assert!(bytes.starts_with(b"k8s\0"));
    assert!(
        bytes.windows(says.len()).any(|at| at == says.as_bytes()),
        "{}",
        bytes.escape_ascii()
    );
}

#[rstest]
#[case(
    b"{}",
    "the object provided is unrecognized (must be of type Namespace): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] ({})"
)]
#[case(
    b"k8s\0\x0a\x08\x0a\x02v1\x12\x02No\x12\x00",
    "No in version \"v1\" cannot be handled as a Namespace: no kind \"No\" is registered for version \"v1\" in scheme \"k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30\""
)]
fn malformed(#[case] body: &[u8], #[case] message: &str) {
    let answer = send(
        &server(36),
        &Method::POST,
        "/api/v1/namespaces",
        &[("content-type", TYPE)],
        body,
    );
    assert_eq!((answer.code, answer.message()), (400, message));
}

/// A patch is no object: it has types of its own.
#[test]
fn no_patch() {
    let path = "/api/v1/namespaces/default";
    let headers = [("content-type", TYPE)];
    let answer = send(&server(36), &Method::PATCH, path, &headers, "k8s\0");
    assert_eq!(answer.code, 415);
}

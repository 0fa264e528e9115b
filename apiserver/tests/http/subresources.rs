//! Subresources of pods: resizes and statuses. The texts are those that 1.36 answered.

use http::Method;
use podgate_apiserver::ApiServer;
use rstest::rstest;
use serde_json::{Value, json};

use crate::exchange::{Answer, get, send, server};

const PODS: &str = "/api/v1/namespaces/web/pods";

/// A server with the namespace `web` and a pod for each that a test asks for.
fn web(minor: u8, spec: &Value) -> ApiServer {
    let server = server(minor);
    let mut pod =
        json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "x"}]}});
    for (key, value) in spec.as_object().expect("a spec") {
        pod["spec"][key] = value.clone();
    }
    for (path, body) in [
        ("/api/v1/namespaces", json!({"metadata": {"name": "web"}})),
        (PODS, pod),
    ] {
        let answer = send(&server, &Method::POST, path, &[], &body.to_string());
        assert_eq!(answer.code, 201, "{}", answer.body);
    }
    server
}

fn patch(server: &ApiServer, subresource: &str, kind: &str, body: &Value) -> Answer {
    let kind = format!("application/{kind}-patch+json");
    let path = format!("{PODS}/p/{subresource}");
    let headers = [("content-type", &*kind)];
    send(server, &Method::PATCH, &path, &headers, &body.to_string())
}

/// The container `c` with those fields.
fn container(fields: &Value) -> Value {
    let mut container = json!({"name": "c", "image": "x"});
    for (key, value) in fields.as_object().expect("fields") {
        container[key] = value.clone();
    }
    json!({"containers": [container]})
}

fn requests(amounts: &Value) -> Value {
    json!({"resources": {"requests": amounts}})
}

#[test]
fn a_resize_changes_resources_and_nothing_else() {
    let spec = container(&requests(&json!({"cpu": "1"})));
    let server = web(36, &spec);
    let body = json!({
        "metadata": {"labels": {"a": "b"}},
        "spec": {
            "hostNetwork": true,
            "containers": [{"name": "c", "image": "y", "resources": {"requests": {"cpu": "2"}}}],
        },
        "status": {"phase": "Failed"},
    });
    let answer = patch(&server, "resize", "strategic-merge", &body);
    assert_eq!(answer.code, 200, "{}", answer.body);
    let pod = get(&server, &format!("{PODS}/p")).body;
    let container = &pod["spec"]["containers"][0];
    assert_eq!(container["resources"], json!({"requests": {"cpu": "2"}}));
    assert_eq!(container["image"], "x");
    assert_eq!(pod["metadata"]["labels"], Value::Null);
    assert_eq!(pod["spec"]["hostNetwork"], Value::Null);
    assert_eq!(pod["status"]["phase"], "Pending");
    assert_eq!(pod["metadata"]["generation"], 2);
}

#[rstest]
#[case::class(json!({}), requests(&json!({"cpu": "2"})), r#"spec: Invalid value: "BestEffort": Pod QOS Class may not change as a result of resizing"#)]
#[case::other_resources(json!({}), requests(&json!({"ephemeral-storage": "2Gi"})), "spec: Forbidden: only cpu and memory resources are mutable")]
#[case::invalid(json!({}), requests(&json!({"cpu": "-1"})), r#"spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0"#)]
#[case::removed(container(&requests(&json!({"cpu": "1", "memory": "1Gi"}))), requests(&json!({"cpu": null})), "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed")]
#[case::policy(
    {
        let mut spec = container(&requests(&json!({"cpu": "1"})));
        spec["restartPolicy"] = json!("Never");
        spec
    },
    json!({"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]}),
    "[spec.containers[0].resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when pod `restartPolicy` is 'Never', spec: Forbidden: only cpu and memory resources are mutable]"
)]
#[case::windows(json!({"os": {"name": "windows"}}), requests(&json!({"cpu": "1"})), "[]: Forbidden: windows pods cannot be resized")]
fn resizes_are_refused(#[case] spec: Value, #[case] fields: Value, #[case] message: &str) {
    let server = web(36, &spec);
    let mut change = json!({"name": "c"});
    for (key, value) in fields.as_object().expect("fields") {
        change[key] = value.clone();
    }
    let body = json!({"spec": {"containers": [change]}});
    let answer = patch(&server, "resize", "strategic-merge", &body);
    let expected = format!("Pod \"p\" is invalid: {message}");
    assert_eq!((answer.code, answer.message()), (422, &*expected));
}

#[rstest]
#[case("strategic-merge", json!({"spec": {"containers": [{"name": "new", "image": "x"}]}}), "spec.containers: Forbidden: containers may not be added or removed on resize")]
#[case("merge", json!({"spec": {"containers": [{"name": "new", "image": "x"}]}}), "spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize")]
#[case("strategic-merge", json!({"spec": {"initContainers": [{"name": "new", "image": "x"}]}}), "spec.initContainers: Forbidden: initContainers may not be added or removed on resize")]
fn a_resize_keeps_the_containers(#[case] kind: &str, #[case] body: Value, #[case] message: &str) {
    let server = web(36, &json!({}));
    let answer = patch(&server, "resize", kind, &body);
    let expected = format!("Pod \"p\" is invalid: {message}");
    assert_eq!((answer.code, answer.message()), (422, &*expected));
}

// From source only: 1.33 is the first minor with resizes, and the only one that keeps memory limits.
#[rstest]
#[case(32, 404, "the server could not find the requested resource")]
#[case(
    33,
    422,
    "Pod \"p\" is invalid: spec.containers[0].resources.limits[memory]: Forbidden: memory limits cannot be decreased unless resizePolicy is RestartContainer"
)]
#[case(34, 200, "")]
fn resizes_of_other_minors(#[case] minor: u8, #[case] code: u16, #[case] message: &str) {
    let limits = |memory: &str| json!({"resources": {"requests": {"memory": "1Mi"}, "limits": {"memory": memory}}});
    let server = web(minor, &container(&limits("2Gi")));
    let body = json!({"spec": container(&limits("1Gi"))});
    let answer = patch(&server, "resize", "strategic-merge", &body);
    assert_eq!(answer.code, code, "{}", answer.body);
    if code != 200 {
        assert_eq!(answer.message(), message);
    }
}

#[rstest]
#[case(json!({"conditions": [{"type": "a b", "status": "True"}]}), "status.conditions[0].Type: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')")]
#[case(json!({"podIP": "x"}), r#"status.podIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#)]
#[case(json!({"podIPs": [{"ip": "1.2.3.4"}, {"ip": "5.6.7.8"}]}), r#"status.podIPs: Invalid value: [{"IP":"1.2.3.4"},{"IP":"5.6.7.8"}]: may specify no more than one IP for each IP family"#)]
#[case(json!({"podIPs": [{"ip": "1.2.3.4"}, {"ip": "bad"}]}), r#"[status.podIPs[1]: Invalid value: "bad": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff), status.podIPs: Internal error: failed to check for dual stack with error:invalid IP[1]: bad, status.podIPs: Invalid value: [{"IP":"1.2.3.4"},{"IP":"bad"}]: may specify no more than one IP for each IP family]"#)]
#[case(json!({"hostIP": "1.1.1.1", "hostIPs": [{"ip": "2.2.2.2"}]}), r#"status.hostIPs[0].ip: Invalid value: "2.2.2.2": must be equal to `hostIP`"#)]
#[case(json!({"qosClass": "Guaranteed"}), r#"status.qosClass: Invalid value: "Guaranteed": field is immutable"#)]
#[case(json!({"observedGeneration": -1}), "status.observedGeneration: Invalid value: -1: must be a non-negative integer")]
fn statuses_are_refused(#[case] status: Value, #[case] message: &str) {
    let server = web(36, &json!({}));
    let answer = patch(&server, "status", "merge", &json!({"status": status}));
    let expected = format!("Pod \"p\" is invalid: {message}");
    assert_eq!((answer.code, answer.message()), (422, &*expected));
}

#[test]
fn what_has_ended_stays_ended() {
    let server = web(36, &json!({"restartPolicy": "Never"}));
    let status = |state: &Value| {
        json!({"status": {"containerStatuses": [
            {"name": "c", "image": "x", "imageID": "y", "ready": false, "restartCount": 0, "state": state},
        ]}})
    };
    let ended = status(&json!({"terminated": {"exitCode": 1}}));
    assert_eq!(patch(&server, "status", "merge", &ended).code, 200);
    let answer = patch(&server, "status", "merge", &status(&json!({"running": {}})));
    assert_eq!(
        (answer.code, answer.message()),
        (
            422,
            "Pod \"p\" is invalid: status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"
        )
    );
}

#[test]
fn the_first_address_is_the_address() {
    let server = web(36, &json!({}));
    let body = json!({"status": {"podIPs": [{"ip": "1.2.3.4"}, {"ip": "::1"}]}});
    let status = patch(&server, "status", "merge", &body).body["status"].clone();
    assert_eq!(status["podIP"], "1.2.3.4");
    let body = json!({"status": {"podIP": "5.6.7.8"}});
    let status = patch(&server, "status", "merge", &body).body["status"].clone();
    assert_eq!(status["podIPs"], json!([{"ip": "5.6.7.8"}]));
}

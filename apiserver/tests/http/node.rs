//! What of a pod only its node could tell. The texts are those that 1.36 answered.

use http::Method;
use podgate_apiserver::ApiServer;
use rstest::rstest;
use serde_json::{Value, json};

use crate::exchange::{get, send, server};

const PODS: &str = "/api/v1/namespaces/default/pods";

fn post(server: &ApiServer, path: &str, body: &Value) {
    let answer = send(server, &Method::POST, path, &[], &body.to_string());
    assert_eq!(answer.code, 201, "{}", answer.body);
}

/// A server with a pod of one container and one of several, one that is on a node that is not there, and
/// two that are on nodes that are.
fn filled(minor: u8) -> ApiServer {
    let server = server(minor);
    let addresses = json!([{"type": "InternalIP", "address": "10.0.0.1"}]);
    for (name, status) in [("empty", json!({})), ("n", json!({"addresses": addresses}))] {
        let node = json!({"metadata": {"name": name}, "status": status});
        post(&server, "/api/v1/nodes", &node);
    }
    for (name, node) in [
        ("p", ""),
        ("lost", "none"),
        ("bare", "empty"),
        ("bound", "n"),
    ] {
        let spec = json!({"nodeName": node, "containers": [{"name": "c", "image": "x"}]});
        post(
            &server,
            PODS,
            &json!({"metadata": {"name": name}, "spec": spec}),
        );
    }
    let container = |name| json!({"name": name, "image": "x"});
    let spec =
        json!({"containers": [container("a"), container("b")], "initContainers": [container("i")]});
    post(
        &server,
        PODS,
        &json!({"metadata": {"name": "two"}, "spec": spec}),
    );
    server
}

#[rstest]
#[case::no_log("GET", "p/log", 204, "")]
#[case::of_a_container("GET", "two/log?container=i&follow=1", 204, "")]
#[case::exec("GET", "p/exec", 400, "pod p does not have a host assigned")]
#[case::exec_posted(
    "POST",
    "p/exec?command=ls&stdout=1",
    400,
    "pod p does not have a host assigned"
)]
#[case::attach("POST", "p/attach?stdin=1", 400, "pod p does not have a host assigned")]
#[case::port_forward(
    "POST",
    "two/portforward",
    400,
    "pod two does not have a host assigned"
)]
#[case::proxy("GET", "p/proxy", 400, "address not allowed")]
#[case::proxy_below("PATCH", "https:p:80/proxy/x/y", 400, "address not allowed")]
#[case::proxy_of_nothing("GET", "x:y:z:w/proxy", 400, r#"invalid pod request "x:y:z:w""#)]
#[case::options("OPTIONS", "p/proxy", 400, "address not allowed")]
#[case::no_pod("GET", "x/log", 404, r#"pods "x" not found"#)]
#[case::no_pod_to_exec_in("POST", "x/exec", 404, r#"pods "x" not found"#)]
#[case::which_container(
    "GET",
    "two/log",
    400,
    "a container name must be specified for pod two, choose one of: [i a b]"
)]
#[case::no_container("GET", "p/exec?container=x", 400, "container x is not valid for pod p")]
#[case::no_number(
    "GET",
    "p/log?tailLines=abc",
    400,
    r#"strconv.ParseInt: parsing "abc": invalid syntax"#
)]
#[case::numbers("GET", "p/log?limitBytes=0&tailLines=-3", 422, r#"PodLogOptions "p" is invalid: [tailLines: Invalid value: -3: must be greater than or equal to 0, limitBytes: Invalid value: 0: must be greater than 0]"#)]
#[case::since("GET", "p/log?sinceSeconds=3&sinceTime=2020-01-01T00:00:00Z", 422, r#"PodLogOptions "p" is invalid: []: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"#)]
#[case::seconds(
    "GET",
    "p/log?sinceSeconds=0",
    422,
    r#"PodLogOptions "p" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0"#
)]
#[case::stream(
    "GET",
    "p/log?stream=Stdout",
    422,
    r#"PodLogOptions "p" is invalid: stream: Forbidden: may not be specified"#
)]
#[case::no_node("GET", "lost/log", 404, r#"pods "none" not found"#)]
#[case::no_address(
    "GET",
    "bare/exec",
    500,
    "no preferred addresses found; known addresses: []"
)]
#[case::no_kubelet(
    "GET",
    "bound/log",
    500,
    "error dialing backend: no kubelet runs on node n"
)]
#[case::log_is_read(
    "POST",
    "p/log",
    405,
    "the server does not allow this method on the requested resource"
)]
#[case::no_put(
    "PUT",
    "p/exec",
    405,
    "the server does not allow this method on the requested resource"
)]
#[case::too_long(
    "GET",
    "p/log/x",
    404,
    "the server could not find the requested resource"
)]
fn answers(#[case] method: &str, #[case] path: &str, #[case] code: u16, #[case] message: &str) {
    let method: Method = method.parse().expect("a method");
    let answer = send(&filled(36), &method, &format!("{PODS}/{path}"), &[], "");
    let found = answer.body["message"].as_str().unwrap_or_default();
    assert_eq!((answer.code, found), (code, message));
}

/// From source only.
#[test]
fn older_servers_know_no_streams() {
    let answer = get(&filled(31), &format!("{PODS}/p/log?stream=x"));
    assert_eq!(answer.code, 204);
}

#[test]
fn who_may_read_pods_may_not_read_their_logs() {
    let server = filled(36);
    let rules = "/apis/rbac.authorization.k8s.io/v1";
    let all = json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]});
    let role = json!({"metadata": {"name": "r"}, "rules": [all]});
    post(&server, &format!("{rules}/clusterroles"), &role);
    let binding = json!({
        "metadata": {"name": "r"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "u"}],
    });
    post(&server, &format!("{rules}/clusterrolebindings"), &binding);
    let headers = [("impersonate-user", "u")];
    for (method, subresource, verb) in [("GET", "log", "get"), ("POST", "exec", "create")] {
        let method: Method = method.parse().expect("a method");
        let answer = send(
            &server,
            &method,
            &format!("{PODS}/p/{subresource}"),
            &headers,
            "",
        );
        let message = format!(
            r#"pods "p" is forbidden: User "u" cannot {verb} resource "pods/{subresource}" in API group "" in the namespace "default""#
        );
        assert_eq!((answer.code, answer.message()), (403, &*message));
    }
}

//! RBAC, impersonation and access reviews, on the roles that a server has when it has just started.

use http::Method;
use rstest::rstest;
use serde_json::json;

use crate::exchange::{get, send, server};

const RULES: &str = "/apis/rbac.authorization.k8s.io/v1";

// As recorded on 1.23 and 1.36.
#[test]
fn a_stranger_is_refused() {
    let headers = [("impersonate-user", "alice")];
    let path = "/api/v1/namespaces/web/pods";
    for (method, verb) in [(Method::GET, "list"), (Method::POST, "create")] {
        let answer = send(&server(36), &method, path, &headers, "{}");
        let message = format!(
            r#"pods is forbidden: User "alice" cannot {verb} resource "pods" in API group "" in the namespace "web""#
        );
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": "Forbidden", "details": {"kind": "pods"}, "code": 403,
        });
        assert_eq!((answer.code, answer.body), (403, status));
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
}

#[rstest]
#[case("system:masters", "/api/v1/namespaces/web/secrets", 200)]
#[case("dev", "/api/v1/namespaces/web/secrets", 403)]
#[case("dev", "/apis", 200)]
#[case("dev", "/version", 200)]
#[case("dev", "/metrics", 403)]
#[case("dev", "/apis/nope/v1/foos", 403)]
fn groups_have_rights(#[case] group: &str, #[case] path: &str, #[case] code: u16) {
    let headers = [("impersonate-user", "x"), ("impersonate-group", group)];
    assert_eq!(
        send(&server(36), &Method::GET, path, &headers, "").code,
        code
    );
}

#[rstest]
#[case("admin", "rolebindings")]
#[case("admin", "secrets")]
#[case("admin", "pods/log")]
#[case("edit", "secrets")]
#[case("edit", "pods/log")]
#[case("view", "pods/log")]
fn roles_are_gathered(#[case] role: &str, #[case] resource: &str) {
    let role = get(&server(36), &format!("{RULES}/clusterroles/{role}")).body;
    let rules = role["rules"].as_array().expect("rules");
    assert!(rules.iter().any(|rule| {
        rule["resources"]
            .as_array()
            .is_some_and(|r| r.contains(&json!(resource)))
    }));
    let view = get(&server(36), &format!("{RULES}/clusterroles/view")).body;
    assert!(!view["rules"].to_string().contains("\"secrets\""));
}

// The first two as recorded on 1.36, without managed fields; the reason of the third is read from
// upstream's source.
#[rstest]
#[case(None, json!({"allowed": true}))]
#[case(Some("alice"), json!({"allowed": false}))]
#[case(Some("system:serviceaccount:kube-system:replicaset-controller"), json!({
    "allowed": true,
    "reason": r#"RBAC: allowed by ClusterRoleBinding "system:controller:replicaset-controller" of ClusterRole "system:controller:replicaset-controller" to ServiceAccount "replicaset-controller/kube-system""#,
}))]
#[case(Some("system:serviceaccount:kube-system:deployment-controller"), json!({"allowed": false}))]
fn reviews(#[case] user: Option<&str>, #[case] status: serde_json::Value) {
    let headers: Vec<_> = user
        .map(|user| ("impersonate-user", user))
        .into_iter()
        .collect();
    let attributes = json!({"namespace": "web", "verb": "create", "resource": "pods"});
    let review = json!({
        "kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
        "spec": {"resourceAttributes": attributes},
    });
    let answer = send(
        &server(36),
        &Method::POST,
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        &headers,
        &review.to_string(),
    );
    let mut expected = review;
    expected["metadata"] = json!({});
    expected["status"] = status;
    assert_eq!((answer.code, answer.body), (201, expected));
}

#[test]
fn a_review_about_somebody() {
    let review = json!({"spec": {
        "user": "system:serviceaccount:web:default",
        "resourceAttributes": {"group": "policy", "resource": "podsecuritypolicies", "name": "x", "verb": "use", "namespace": "web"},
    }});
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    let answer = send(&server(36), &Method::POST, path, &[], &review.to_string());
    assert_eq!(
        (answer.code, &answer.body["status"]),
        (201, &json!({"allowed": false}))
    );
}

#[test]
fn an_admin_of_a_namespace_gives_away_what_he_has() {
    let server = server(36);
    let post = |path: &str, user: Option<&str>, body: &serde_json::Value| {
        let headers: Vec<_> = user
            .map(|user| ("impersonate-user", user))
            .into_iter()
            .collect();
        send(&server, &Method::POST, path, &headers, &body.to_string())
    };
    post(
        "/api/v1/namespaces",
        None,
        &json!({"metadata": {"name": "web"}}),
    );
    let binding = |name: &str, role: &str, user: &str| {
        json!({
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        })
    };
    let path = format!("{RULES}/namespaces/web/rolebindings");
    assert_eq!(post(&path, None, &binding("a", "admin", "alice")).code, 201);
    assert_eq!(
        post(&path, Some("alice"), &binding("b", "edit", "bob")).code,
        201
    );
    let refused = post(&path, Some("alice"), &binding("c", "cluster-admin", "bob"));
    let message = concat!(
        "rolebindings.rbac.authorization.k8s.io \"c\" is forbidden: user \"alice\" ",
        "(groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions not currently ",
        "held:\n{APIGroups:[\"*\"], Resources:[\"*\"], Verbs:[\"*\"]}\n",
        "{NonResourceURLs:[\"*\"], Verbs:[\"*\"]}",
    );
    assert_eq!((refused.code, refused.message()), (403, message));
    let missing = post(
        &format!("{RULES}/namespaces/none/rolebindings"),
        None,
        &binding("a", "edit", "bob"),
    );
    assert_eq!(
        (missing.code, missing.message()),
        (404, "namespaces \"none\" not found")
    );
}

/// Who asks: from 1.28 on, and everybody may ask.
#[rstest]
#[case(27, 404)]
#[case(28, 201)]
fn who_asks(#[case] minor: u8, #[case] code: u16) {
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let headers = [
        ("impersonate-user", "system:serviceaccount:web:default"),
        ("content-type", "application/json"),
    ];
    let masters = [
        headers[0],
        headers[1],
        ("impersonate-group", "system:masters"),
    ];
    let answer = send(&server(minor), &Method::POST, path, &masters, "{}");
    assert_eq!(answer.code, code);
    if code == 404 {
        return;
    }
    let answer = send(&server(minor), &Method::POST, path, &headers, "{}");
    let groups = [
        "system:serviceaccounts",
        "system:serviceaccounts:web",
        "system:authenticated",
    ];
    assert_eq!(
        answer.body,
        json!({
            "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"},
            "status": {"userInfo": {"username": headers[0].1, "groups": groups}},
        })
    );
}

#[test]
fn what_one_may_do() {
    let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    let headers = [("impersonate-user", "alice")];
    let answer = send(&server(36), &Method::POST, path, &headers, "{}");
    assert_eq!(
        (answer.code, answer.message()),
        (400, "no namespace on request")
    );
    let body = r#"{"spec": {"namespace": "web"}}"#;
    let answer = send(&server(36), &Method::POST, path, &headers, body).body;
    assert_eq!(answer["spec"], json!({}));
    assert_eq!(answer["metadata"], json!({}));
    assert_eq!(answer["status"]["incomplete"], json!(false));
    let rules = answer["status"]["resourceRules"].as_array().expect("rules");
    assert!(rules.contains(&json!({
        "verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"],
    })));
}

/// Who lists or watches by name asks for that object, which a role may name. From source
/// (`requestinfo.go`); a collection is deleted without a name all the same.
#[rstest]
#[case("GET", "configmaps?fieldSelector=metadata.name%3Da", 200)]
#[case(
    "GET",
    "configmaps?fieldSelector=metadata.name%3D%3Da,metadata.namespace%3Dweb",
    200
)]
#[case("GET", "configmaps?fieldSelector=metadata.name%3Db", 403)]
#[case("GET", "configmaps?fieldSelector=metadata.name%21%3Da", 403)]
#[case("GET", "configmaps?fieldSelector=x", 403)]
#[case("GET", "configmaps", 403)]
#[case("DELETE", "configmaps?fieldSelector=metadata.name%3Da", 403)]
// It cannot be watched: it keeps no history.
#[case("GET", "configmaps?watch=1&fieldSelector=metadata.name%3Da", 405)]
#[case("GET", "configmaps?watch=1", 403)]
fn a_role_for_one_name(#[case] method: &str, #[case] path: &str, #[case] code: u16) {
    let server = server(36);
    let role = json!({"metadata": {"name": "one"}, "rules": [{
        "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a"], "verbs": ["*"],
    }]});
    let binding = json!({
        "metadata": {"name": "one"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "one"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "u"}],
    });
    for (kind, object) in [("clusterroles", role), ("clusterrolebindings", binding)] {
        let path = format!("{RULES}/{kind}");
        let answer = send(&server, &Method::POST, &path, &[], &object.to_string());
        assert_eq!(answer.code, 201, "{}", answer.body);
    }
    let headers = [("impersonate-user", "u")];
    let method = method.parse().expect("a method");
    let path = format!("/api/v1/namespaces/web/{path}");
    let answer = send(&server, &method, &path, &headers, "");
    assert_eq!(answer.code, code, "{}", answer.body);
}

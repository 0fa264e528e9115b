//! Creating, changing and deleting objects: what the recorded sessions do not show.

use http::Method;
use podgate_apiserver::ApiServer;
use podgate_policy::Minor;
use rstest::rstest;
use serde_json::{Value, json};

use crate::exchange::{Answer, get, send, server};

const WEB: &str = "/api/v1/namespaces/web";
const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/web/roles";

/// A server with the namespace `web`.
fn web(minor: u8) -> ApiServer {
    let server = server(minor);
    let namespace = json!({"metadata": {"name": "web"}});
    assert_eq!(post(&server, "/api/v1/namespaces", &namespace).code, 201);
    server
}

fn post(server: &ApiServer, path: &str, body: &Value) -> Answer {
    send(server, &Method::POST, path, &[], &body.to_string())
}

fn put(server: &ApiServer, path: &str, body: &Value) -> Answer {
    send(server, &Method::PUT, path, &[], &body.to_string())
}

fn patch(server: &ApiServer, path: &str, kind: &str, body: &Value) -> Answer {
    let kind = format!("application/{kind}-patch+json");
    let headers = [("content-type", &*kind)];
    send(server, &Method::PATCH, path, &headers, &body.to_string())
}

fn delete(server: &ApiServer, path: &str, body: &str) -> Answer {
    send(server, &Method::DELETE, path, &[], body)
}

fn config_map(name: &str) -> Value {
    json!({"metadata": {"name": name}, "data": {"a": "b"}})
}

fn pod(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}})
}

#[test]
fn a_body_may_leave_out_what_the_path_says() {
    let server = web(36);
    let created = post(&server, &format!("{WEB}/configmaps"), &config_map("x")).body;
    assert_eq!(
        (&created["kind"], &created["apiVersion"]),
        (&json!("ConfigMap"), &json!("v1"))
    );
    assert_eq!(created["metadata"]["namespace"], "web");
    assert_eq!(get(&server, &format!("{WEB}/configmaps/x")).body, created);
}

/// The volume with the token is a secret in 1.20 and projected behind that.
#[test]
fn every_minor_takes_a_pod() {
    for minor in Minor::all() {
        let server = web(minor.number());
        let created = post(&server, &format!("{WEB}/pods"), &pod("a"));
        assert_eq!(created.code, 201, "{minor} {:?}", created.body);
        let volume = &created.body["spec"]["volumes"][0];
        let source = if minor.number() == 20 {
            "secret"
        } else {
            "projected"
        };
        assert!(volume[source].is_object(), "{minor} {volume}");
        assert_eq!(
            get(&server, &format!("{WEB}/pods/a")).body,
            created.body,
            "{minor}"
        );
    }
}

#[test]
fn a_body_has_a_limit() {
    let large = "x".repeat(3 * 1024 * 1024 + 1);
    let answer = post(&web(36), &format!("{WEB}/configmaps"), &json!(large));
    let message = "Request entity too large: limit is 3145728";
    assert_eq!((answer.code, answer.message()), (413, message));
}

#[test]
fn names_are_generated() {
    let server = web(36);
    let generated = json!({"metadata": {"generateName": "x-"}});
    let names: Vec<Value> = (0..2)
        .map(|_| {
            post(&server, &format!("{WEB}/configmaps"), &generated).body["metadata"]["name"].clone()
        })
        .collect();
    assert!(names.iter().all(|n| {
        n.as_str()
            .is_some_and(|n| n.len() == 7 && n.starts_with("x-"))
    }));
    assert_ne!(names[0], names[1]);
}

#[test]
fn a_dry_run_leaves_no_trace() {
    let server = web(36);
    let before = get(&server, &format!("{WEB}/configmaps")).body;
    assert_eq!(
        post(
            &server,
            &format!("{WEB}/configmaps?dryRun=All"),
            &config_map("x")
        )
        .code,
        201
    );
    assert_eq!(get(&server, &format!("{WEB}/configmaps")).body, before);
    post(&server, &format!("{WEB}/configmaps"), &config_map("x"));
    let stored = get(&server, &format!("{WEB}/configmaps/x")).body;
    let path = format!("{WEB}/configmaps/x?dryRun=All");
    let patched = patch(&server, &path, "merge", &json!({"data": {"a": "c"}}));
    assert_eq!(
        (patched.code, &patched.body["data"]["a"]),
        (200, &json!("c"))
    );
    assert_eq!(delete(&server, &path, "").code, 200);
    assert_eq!(
        delete(
            &server,
            &format!("{WEB}/configmaps/x"),
            r#"{"dryRun": ["All"]}"#
        )
        .code,
        200
    );
    assert_eq!(get(&server, &format!("{WEB}/configmaps/x")).body, stored);
}

#[test]
fn an_update_that_changes_nothing_is_no_write() {
    let server = web(36);
    post(&server, &format!("{WEB}/configmaps"), &config_map("x"));
    let stored = get(&server, &format!("{WEB}/configmaps/x")).body;
    let path = format!("{WEB}/configmaps/x");
    assert_eq!(put(&server, &path, &stored).body, stored);
    assert_eq!(put(&server, &path, &config_map("x")).body, stored);
    assert_eq!(patch(&server, &path, "merge", &json!({})).body, stored);
    let changed = patch(&server, &path, "merge", &json!({"data": {"a": "c"}})).body;
    assert_ne!(
        changed["metadata"]["resourceVersion"],
        stored["metadata"]["resourceVersion"]
    );
    assert_eq!(changed["metadata"]["uid"], stored["metadata"]["uid"]);
}

#[rstest]
#[case(json!({"metadata": {"name": "x", "resourceVersion": "1"}}), 409, "Operation cannot be fulfilled on configmaps \"x\": the object has been modified; please apply your changes to the latest version and try again")]
#[case(json!({"metadata": {"name": "y"}}), 400, "the name of the object (y) does not match the name on the URL (x)")]
#[case(json!({"metadata": {}}), 400, "the name of the object (x based on URL) was undeterminable: name must be provided")]
#[case(json!({"metadata": {"name": "x", "namespace": "other"}}), 400, "the namespace of the provided object does not match the namespace sent on the request")]
fn updates_are_refused(#[case] body: Value, #[case] code: u16, #[case] message: &str) {
    let server = web(36);
    post(&server, &format!("{WEB}/configmaps"), &config_map("x"));
    let answer = put(&server, &format!("{WEB}/configmaps/x"), &body);
    assert_eq!((answer.code, answer.message()), (code, message));
}

#[rstest]
#[case::stale("merge", json!({"metadata": {"resourceVersion": "1"}}), 409, "Operation cannot be fulfilled on configmaps \"x\": the object has been modified; please apply your changes to the latest version and try again")]
#[case::renamed("merge", json!({"metadata": {"name": "y"}}), 400, "the name of the object (y) does not match the name on the URL (x)")]
#[case::not_applicable("json", json!([{"op": "remove", "path": "/data/none"}]), 422, "the server rejected our request due to an error in our request")]
#[case::no_object("merge", json!({"data": 1, "metadata": null}), 422, " \"\" is invalid: patch: Invalid value: \"{\\\"apiVersion\\\":\\\"v1\\\",\\\"data\\\":1,\\\"kind\\\":\\\"ConfigMap\\\"}\": json: cannot unmarshal number into Go struct field ConfigMap.data of type map[string]string")]
// As 1.36 answered, with `data` in place of the fields of a pod.
#[case::no_operation("json", json!([{"op": "foo", "path": "/data"}]), 422, "the server rejected our request due to an error in our request")]
#[case::no_pointer("json", json!([{"op": "add", "path": "data", "value": 1}]), 422, "the server rejected our request due to an error in our request")]
#[case::no_operations("json", json!({"op": "x"}), 400, "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp")]
#[case::no_fields("merge", json!([]), 400, "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}")]
#[case::no_fields_either("strategic-merge", json!("x"), 400, "json: cannot unmarshal string into Go value of type map[string]interface {}")]
#[case::no_directive("strategic-merge", json!({"data": {"$patch": "foo", "b": "c"}}), 500, "unknown patch type: foo in map: map[$patch:foo b:c]")]
#[case::no_map("strategic-merge", json!({"data": "x"}), 422, " \"\" is invalid: patch: Invalid value: \"map[data:x]\": cannot restore map from string")]
fn patches_are_refused(
    #[case] kind: &str,
    #[case] body: Value,
    #[case] code: u16,
    #[case] message: &str,
) {
    let server = web(36);
    post(&server, &format!("{WEB}/configmaps"), &config_map("x"));
    let answer = patch(&server, &format!("{WEB}/configmaps/x"), kind, &body);
    assert_eq!((answer.code, answer.message()), (code, message));
}

/// As 1.23 answered: nothing looks at the types of a patch there, and a list takes the object's place.
#[test]
fn a_list_as_merge_patch_of_an_old_minor() {
    let server = web(23);
    post(&server, &format!("{WEB}/configmaps"), &config_map("x"));
    let answer = patch(&server, &format!("{WEB}/configmaps/x"), "merge", &json!([]));
    assert_eq!(answer.code, 422);
    assert!(
        answer.message().starts_with(r#" "" is invalid: patch: Invalid value: "[]": couldn't get version/kind; json parse error: "#),
        "{}",
        answer.message()
    );
}

/// A strategic patch goes into an object whose type is known, and which says it again.
#[test]
fn a_strategic_patch_does_not_change_the_kind() {
    let server = web(36);
    post(&server, &format!("{WEB}/configmaps"), &config_map("x"));
    let body = json!({"kind": "Foo", "apiVersion": "v9", "data": {"a": "c"}});
    let answer = patch(
        &server,
        &format!("{WEB}/configmaps/x"),
        "strategic-merge",
        &body,
    );
    assert_eq!(
        (answer.code, &answer.body["kind"]),
        (200, &json!("ConfigMap"))
    );
    assert_eq!(answer.body["data"]["a"], "c");
}

/// The field manager of 1.36 takes what it cannot read as if it were not there.
#[test]
fn bad_managed_fields_are_no_matter() {
    let server = web(36);
    let mut pod = pod("p");
    pod["metadata"]["managedFields"] = json!([{"operation": "Foo", "manager": "m".repeat(200)}]);
    assert_eq!(post(&server, &format!("{WEB}/pods"), &pod).code, 201);
}

#[test]
fn unknown_fields_of_patches_are_warnings_or_errors() {
    let server = web(36);
    post(&server, &format!("{WEB}/configmaps"), &config_map("x"));
    let path = format!("{WEB}/configmaps/x");
    let answer = patch(&server, &path, "merge", &json!({"foo": 1}));
    assert_eq!(
        (answer.code, answer.warnings()),
        (200, vec![r#"299 - "unknown field \"foo\"""#])
    );
    let strict = patch(
        &server,
        &format!("{path}?fieldValidation=Strict"),
        "merge",
        &json!({"foo": 1}),
    );
    assert_eq!(strict.code, 422);
    assert!(
        strict
            .message()
            .ends_with(r#"strict decoding error: unknown field "foo""#)
    );
}

#[test]
fn force_is_for_apply() {
    let server = web(36);
    let answer = patch(
        &server,
        &format!("{WEB}/configmaps/x?force=true"),
        "merge",
        &json!({}),
    );
    let message = r#"PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch"#;
    assert_eq!((answer.code, answer.message()), (422, message));
}

#[test]
fn some_resources_are_created_by_put() {
    let server = web(36);
    let role = json!({"metadata": {"name": "r"}, "rules": []});
    assert_eq!(put(&server, &format!("{ROLES}/r"), &role).code, 201);
    assert_eq!(get(&server, &format!("{ROLES}/r")).code, 200);
    let missing = put(&server, &format!("{WEB}/configmaps/x"), &config_map("x"));
    assert_eq!(
        (missing.code, missing.message()),
        (404, "configmaps \"x\" not found")
    );
}

#[test]
fn a_deletion_is_answered_with_a_status_or_with_the_object() {
    let server = web(36);
    let created = post(&server, &format!("{WEB}/configmaps"), &config_map("x")).body;
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": {"name": "x", "kind": "configmaps", "uid": created["metadata"]["uid"]},
    });
    assert_eq!(
        delete(&server, &format!("{WEB}/configmaps/x"), "").body,
        status
    );
    post(
        &server,
        &format!("{WEB}/serviceaccounts"),
        &json!({"metadata": {"name": "x"}}),
    );
    let deleted = delete(&server, &format!("{WEB}/serviceaccounts/x"), "").body;
    assert_eq!(deleted["kind"], "ServiceAccount");
    assert_eq!(deleted["metadata"].get("deletionTimestamp"), None);
}

#[rstest]
#[case(
    r#"{"preconditions": {"uid": "x"}}"#,
    409,
    "Operation cannot be fulfilled on ConfigMap \"x\": the UID in the precondition (x) does not match"
)]
#[case(
    r#"{"preconditions": {"resourceVersion": "1"}}"#,
    409,
    "Operation cannot be fulfilled on ConfigMap \"x\": the ResourceVersion in the precondition (1) does not"
)]
#[case(
    r#"{"propagationPolicy": "No"}"#,
    422,
    "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"No\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
)]
fn deletions_are_refused(#[case] body: &str, #[case] code: u16, #[case] message: &str) {
    let server = web(36);
    post(&server, &format!("{WEB}/configmaps"), &config_map("x"));
    let answer = delete(&server, &format!("{WEB}/configmaps/x"), body);
    assert_eq!(answer.code, code);
    assert!(
        answer.message().starts_with(message),
        "{}",
        answer.message()
    );
}

#[test]
fn finalizers_keep_an_object_until_they_are_gone() {
    let server = web(36);
    let mut object = config_map("x");
    object["metadata"]["finalizers"] = json!(["example.com/f"]);
    let path = format!("{WEB}/configmaps/x");
    post(&server, &format!("{WEB}/configmaps"), &object);
    let deleted = delete(&server, &path, "").body;
    assert!(deleted["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(get(&server, &path).body, deleted);
    let released = patch(
        &server,
        &path,
        "merge",
        &json!({"metadata": {"finalizers": null}}),
    );
    assert_eq!((released.code, get(&server, &path).code), (200, 404));
}

#[test]
fn collections_are_deleted() {
    let server = web(36);
    for name in ["a", "b", "c"] {
        let mut object = pod(name);
        object["metadata"]["labels"] = json!({"n": name});
        post(&server, &format!("{WEB}/pods"), &object);
    }
    let answer = delete(&server, &format!("{WEB}/pods?labelSelector=n+in+(a,c)"), "");
    assert_eq!((answer.code, answer.names()), (200, vec!["a", "c"]));
    assert_eq!(get(&server, &format!("{WEB}/pods")).names(), ["b"]);
}

#[test]
fn a_running_pod_is_given_its_time() {
    let server = web(36);
    let mut running = pod("a");
    running["spec"]["nodeName"] = json!("n");
    post(&server, &format!("{WEB}/pods"), &running);
    let deleted = delete(&server, &format!("{WEB}/pods/a"), "").body;
    assert_eq!(deleted["metadata"]["deletionGracePeriodSeconds"], 30);
    assert_eq!(get(&server, &format!("{WEB}/pods/a")).code, 404);
}

/// As the namespace controller of 1.36 says it; what older ones say of other resources meanwhile too.
#[rstest]
#[case::pods_alone(36, "pods", "ContentRemoved", "All content successfully removed")]
#[case::pods(
    32,
    "pods",
    "SomeResourcesRemain",
    "Some resources are remaining: pods. has 1 resource instances"
)]
#[case::others(
    36,
    "configmaps",
    "SomeResourcesRemain",
    "Some resources are remaining: configmaps. has 1 resource instances"
)]
fn a_namespace_waits_for_finalizers(
    #[case] minor: u8,
    #[case] resource: &str,
    #[case] reason: &str,
    #[case] message: &str,
) {
    let server = web(minor);
    let mut object = if resource == "pods" {
        pod("a")
    } else {
        json!({"metadata": {"name": "a"}})
    };
    object["metadata"]["finalizers"] = json!(["example.com/hold"]);
    let path = format!("{WEB}/{resource}");
    assert_eq!(post(&server, &path, &object).code, 201);
    post(
        &server,
        &format!("{WEB}/secrets"),
        &json!({"metadata": {"name": "s"}}),
    );
    delete(&server, WEB, "");
    let namespace = get(&server, WEB).body;
    assert_eq!(namespace["status"]["phase"], "Terminating");
    let condition = &namespace["status"]["conditions"][3];
    assert_eq!(condition["type"], "NamespaceContentRemaining");
    assert_eq!(condition["reason"], reason);
    assert_eq!(condition["message"], message);
    let held = get(&server, &format!("{path}/a")).body;
    assert!(held["metadata"]["deletionTimestamp"].is_string(), "{held}");
    // Pods go before all else, since 1.33.
    let others = get(&server, &format!("{WEB}/secrets"));
    let waiting = minor == 36 && resource == "pods";
    assert_eq!(others.names(), if waiting { vec!["s"] } else { vec![] });
    let again = post(&server, &path, &pod("b"));
    assert_eq!(again.code, 403);
    let merge = [("content-type", "application/merge-patch+json")];
    let none = json!({"metadata": {"finalizers": null}}).to_string();
    send(&server, &Method::PATCH, &format!("{path}/a"), &merge, &none);
    assert_eq!(get(&server, WEB).code, 404);
}

#[test]
fn a_namespace_ends_with_all_that_is_in_it() {
    let server = web(36);
    post(&server, &format!("{WEB}/pods"), &pod("a"));
    let deleted = delete(&server, WEB, "").body;
    assert_eq!(deleted["status"]["phase"], "Terminating");
    assert_eq!(deleted["spec"]["finalizers"], json!(["kubernetes"]));
    assert_eq!(get(&server, WEB).code, 404);
    assert_eq!(get(&server, &format!("{WEB}/pods")).names(), [""; 0]);
    let again = json!({"metadata": {"name": "web"}});
    assert_eq!(post(&server, "/api/v1/namespaces", &again).code, 201);
    assert_eq!(
        get(&server, &format!("{WEB}/serviceaccounts")).names(),
        ["default"]
    );
    let refused = delete(&server, "/api/v1/namespaces/default", "");
    assert_eq!(
        (refused.code, refused.message()),
        (
            403,
            "namespaces \"default\" is forbidden: this namespace may not be deleted"
        )
    );
}

#[test]
fn the_default_service_account_comes_back() {
    let server = web(36);
    let path = format!("{WEB}/serviceaccounts/default");
    let uid = |answer: Answer| answer.body["metadata"]["uid"].clone();
    let first = uid(get(&server, &path));
    assert_eq!(uid(delete(&server, &path, "")), first);
    let second = get(&server, &path);
    assert_eq!(second.code, 200);
    assert_ne!(uid(second), first);
}

#[test]
fn roles_give_rights_and_are_gathered() {
    let server = web(36);
    let alice = [("impersonate-user", "alice")];
    let try_pod = |server: &ApiServer, name| {
        let path = format!("{WEB}/pods");
        send(server, &Method::POST, &path, &alice, &pod(name).to_string()).code
    };
    let binding = json!({
        "metadata": {"name": "b"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "alice"}],
    });
    assert_eq!(try_pod(&server, "a"), 403);
    let rules = "/apis/rbac.authorization.k8s.io/v1";
    assert_eq!(
        post(
            &server,
            &format!("{rules}/namespaces/web/rolebindings"),
            &binding
        )
        .code,
        201
    );
    assert_eq!(try_pod(&server, "a"), 201);
    let debug =
        json!({"verbs": ["patch"], "apiGroups": [""], "resources": ["pods/ephemeralcontainers"]});
    let role = json!({
        "metadata": {"name": "debug", "labels": {"rbac.authorization.k8s.io/aggregate-to-edit": "true"}},
        "rules": [debug],
    });
    assert_eq!(
        post(&server, &format!("{rules}/clusterroles"), &role).code,
        201
    );
    for gathered in ["edit", "admin"] {
        let role = get(&server, &format!("{rules}/clusterroles/{gathered}")).body;
        assert!(
            role["rules"]
                .as_array()
                .is_some_and(|rules| rules.contains(&debug))
        );
    }
}

#[test]
fn what_a_plugin_notes_is_told_beside_the_answer() {
    let server = web(36);
    let answer = post(&server, &format!("{WEB}/pods"), &pod("a"));
    let noted = (
        "pod-security.kubernetes.io/enforce-policy".to_owned(),
        "privileged:latest".to_owned(),
    );
    assert_eq!(answer.audit, [noted]);
}

/// As 1.36 answered: who sends texts owns the data that they become.
#[test]
fn who_owns_the_texts_of_a_secret() {
    let server = server(36).tracking_fields();
    let path = "/api/v1/namespaces/default/secrets";
    let body = r#"{"metadata":{"name":"s"},"stringData":{"a":"x"}}"#;
    let stored = send(&server, &Method::POST, path, &[], body).body;
    assert_eq!(stored["data"], json!({"a": "eA=="}));
    let entries = &stored["metadata"]["managedFields"];
    let owned = json!({"f:data": {".": {}, "f:a": {}}, "f:type": {}});
    assert_eq!(entries[0]["fieldsV1"], owned);
}

/// As 1.23, 1.30 and 1.36 answered: an empty list that always stands there is owned, no list is not.
#[rstest]
#[case(r#"{"metadata":{"name":"r"},"rules":[]}"#, json!({"f:rules": {}}))]
#[case(r#"{"metadata":{"name":"r"}}"#, Value::Null)]
fn who_owns_an_empty_list(#[case] body: &str, #[case] owned: Value) {
    let server = server(36).tracking_fields();
    let path = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
    let stored = send(&server, &Method::POST, path, &[], body).body;
    assert_eq!(stored["metadata"]["managedFields"][0]["fieldsV1"], owned);
}

/// As 1.23 and 1.36 answered: who applies what is there already owns it since then, or since no time.
#[rstest]
#[case(23, true)]
#[case(24, true)]
#[case(25, false)]
#[case(36, false)]
fn when_an_apply_that_changes_nothing_was(#[case] minor: u8, #[case] timed: bool) {
    let server = server(minor).tracking_fields();
    let path = "/api/v1/namespaces/default/configmaps";
    let body = r#"{"metadata":{"name":"m"},"data":{"a":"x"}}"#;
    send(&server, &Method::POST, path, &[], body);
    let body = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"data":{"a":"x"}}"#;
    let headers = [("content-type", "application/apply-patch+yaml")];
    let path = format!("{path}/m?fieldManager=b");
    let applied = send(&server, &Method::PATCH, &path, &headers, body).body;
    let entries = &applied["metadata"]["managedFields"];
    assert_eq!(entries[0]["manager"], "b");
    assert_eq!(!entries[0]["time"].is_null(), timed);
}

/// As 1.23 and 1.30 answered: what a namespace says of its own namespace.
#[rstest]
#[case(23, 400)]
#[case(24, 200)]
#[case(36, 200)]
fn a_namespace_in_another(#[case] minor: u8, #[case] code: u16) {
    let body = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"default","namespace":"other"}}"#;
    let headers = [("content-type", "application/apply-patch+yaml")];
    let path = "/api/v1/namespaces/default?fieldManager=b";
    let answer = send(&server(minor), &Method::PATCH, path, &headers, body);
    assert_eq!(answer.code, code, "{}", answer.body);
    if code != 200 {
        assert_eq!(
            answer.message(),
            "the namespace of the object (other) does not match the namespace on the request (default)"
        );
    }
}

//! What becomes of workloads after they were made: rollouts, scales, deletions.

use http::Method;
use podgate_apiserver::ApiServer;
use rstest::rstest;
use serde_json::{Value, json};

use crate::exchange::{get, send, server};

const MERGE: (&str, &str) = ("content-type", "application/merge-patch+json");
const PODS: &str = "/api/v1/namespaces/web/pods";
const SETS: &str = "/apis/apps/v1/namespaces/web/replicasets";

fn apps(resource: &str) -> String {
    format!("/apis/apps/v1/namespaces/web/{resource}")
}

/// A server with the namespace `web` and a workload of three pods in it.
fn with(resource: &str, more: &Value) -> ApiServer {
    let server = server(36);
    let namespace = json!({"metadata": {"name": "web"}}).to_string();
    let path = "/api/v1/namespaces";
    assert_eq!(
        send(&server, &Method::POST, path, &[], &namespace).code,
        201
    );
    let mut workload = json!({"metadata": {"name": "w"}, "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "image": "nginx"}]},
        },
    }});
    for (key, value) in more.as_object().expect("fields of the spec") {
        workload["spec"][key] = value.clone();
    }
    let path = apps(resource);
    let answer = send(&server, &Method::POST, &path, &[], &workload.to_string());
    assert_eq!(answer.code, 201, "{:?}", answer.body);
    server
}

#[track_caller]
fn patch(server: &ApiServer, path: &str, body: &Value) {
    let answer = send(server, &Method::PATCH, path, &[MERGE], &body.to_string());
    assert_eq!(answer.code, 200, "{:?}", answer.body);
}

fn restart(server: &ApiServer, resource: &str) {
    let annotations = json!({"annotations": {"again": "1"}});
    let body = json!({"spec": {"template": {"metadata": annotations}}});
    patch(server, &format!("{}/w", apps(resource)), &body);
}

/// The replicas that the replica sets want, by their revision.
fn sizes(server: &ApiServer) -> Vec<(String, i64)> {
    let list = get(server, SETS).body;
    let items = list["items"].as_array().expect("a list").iter();
    let mut sizes: Vec<_> = items
        .map(|set| {
            let revision = &set["metadata"]["annotations"]["deployment.kubernetes.io/revision"];
            let size = set["spec"]["replicas"].as_i64().expect("a number");
            (revision.as_str().expect("a revision").to_owned(), size)
        })
        .collect();
    sizes.sort();
    sizes
}

// No pod is ever ready: the old ones go only as far as that leaves no fewer than have to be there,
// counted without the new ones.
#[rstest]
#[case(json!({}), [("1", 3), ("2", 1)])]
#[case(json!({"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 2}}}), [("1", 1), ("2", 2)])]
#[case(json!({"strategy": {"type": "Recreate"}}), [("1", 0), ("2", 3)])]
fn rollouts(#[case] more: Value, #[case] expected: [(&str, i64); 2]) {
    let server = with("deployments", &more);
    assert_eq!(get(&server, PODS).names().len(), 3);
    restart(&server, "deployments");
    let expected = expected.map(|(revision, size)| (revision.to_owned(), size));
    assert_eq!(sizes(&server), expected);
    let pods: i64 = expected.iter().map(|(_, size)| size).sum();
    assert_eq!(i64::try_from(get(&server, PODS).names().len()), Ok(pods));
}

#[rstest]
#[case("deployments", 5, 5)]
#[case("deployments", 0, 0)]
#[case("replicasets", 1, 1)]
// The first pod is not ready, so nothing else happens, until it is not wanted either.
#[case("statefulsets", 5, 1)]
#[case("statefulsets", 0, 0)]
fn scales(#[case] resource: &str, #[case] to: i64, #[case] pods: usize) {
    let server = with(resource, &json!({}));
    get(&server, PODS);
    let body = json!({"spec": {"replicas": to}});
    patch(&server, &format!("{}/w", apps(resource)), &body);
    assert_eq!(get(&server, PODS).names().len(), pods);
}

#[test]
fn a_stateful_set_in_parallel_replaces_its_last_pod_only() {
    let server = with("statefulsets", &json!({"podManagementPolicy": "Parallel"}));
    let before = get(&server, PODS).body;
    restart(&server, "statefulsets");
    let after = get(&server, PODS);
    assert_eq!(after.names(), ["w-0", "w-1", "w-2"]);
    let same = |at: usize| {
        let uid = |list: &Value| list["items"][at]["metadata"]["uid"].clone();
        uid(&before) == uid(&after.body)
    };
    assert_eq!([same(0), same(1), same(2)], [true, true, false]);
}

#[rstest]
#[case("Background", 0, 0)]
#[case("Foreground", 0, 0)]
#[case("Orphan", 1, 3)]
fn deletions(#[case] policy: &str, #[case] sets: usize, #[case] pods: usize) {
    let server = with("deployments", &json!({}));
    let path = format!("{}/w", apps("deployments"));
    let body = json!({"propagationPolicy": policy}).to_string();
    assert_eq!(send(&server, &Method::DELETE, &path, &[], &body).code, 200);
    assert_eq!(get(&server, &path).code, 404);
    assert_eq!(get(&server, SETS).names().len(), sets);
    assert_eq!(get(&server, PODS).names().len(), pods);
}

#[test]
fn a_deleted_pod_is_made_again_and_a_dry_run_makes_none() {
    let server = with("replicasets", &json!({}));
    let list = get(&server, PODS);
    let first = list.names()[0].to_owned();
    let path = format!("{PODS}/{first}");
    assert_eq!(send(&server, &Method::DELETE, &path, &[], "").code, 200);
    let after = get(&server, PODS);
    assert!(after.names().len() == 3 && !after.names().contains(&&*first));
    let path = format!("{}?dryRun=All", apps("replicasets"));
    let mut other = get(&server, &format!("{SETS}/w")).body;
    other["metadata"] = json!({"name": "other"});
    assert_eq!(
        send(&server, &Method::POST, &path, &[], &other.to_string()).code,
        201
    );
    assert_eq!(get(&server, PODS).names().len(), 3);
}

#[test]
fn there_is_no_daemon_without_a_node() {
    let server = with("daemonsets", &json!({"replicas": null}));
    assert_eq!(get(&server, PODS).names().len(), 0);
    let node = json!({"metadata": {"name": "n"}}).to_string();
    send(&server, &Method::POST, "/api/v1/nodes", &[], &node);
    assert_eq!(get(&server, PODS).names().len(), 1);
}

#[test]
fn a_refused_pod_is_tried_again_when_its_namespace_allows_it() {
    let server = with("replicasets", &json!({"replicas": 0}));
    let label = |level: &str| {
        let labels = json!({"pod-security.kubernetes.io/enforce": level});
        patch(
            &server,
            "/api/v1/namespaces/web",
            &json!({"metadata": {"labels": labels}}),
        );
    };
    label("restricted");
    patch(
        &server,
        &format!("{SETS}/w"),
        &json!({"spec": {"replicas": 2}}),
    );
    let set = get(&server, &format!("{SETS}/w")).body;
    assert_eq!(set["status"]["conditions"][0]["type"], "ReplicaFailure");
    assert_eq!(get(&server, PODS).names().len(), 0);
    label("baseline");
    assert_eq!(get(&server, PODS).names().len(), 2);
    let set = get(&server, &format!("{SETS}/w")).body;
    assert_eq!(set["status"]["conditions"], Value::Null);
}

/// Up to 1.23 a service account has a secret of its own, which goes with it.
#[rstest]
#[case(23, 1)]
#[case(24, 0)]
fn secrets_go_with_their_service_account(#[case] minor: u8, #[case] count: usize) {
    let server = server(minor);
    let accounts = "/api/v1/namespaces/default/serviceaccounts";
    let body = r#"{"metadata": {"name": "sa"}}"#;
    let secrets = |server: &ApiServer| {
        let list = get(server, "/api/v1/namespaces/default/secrets");
        let names = list.names().into_iter();
        names.filter(|name| name.starts_with("sa-token-")).count()
    };
    let code = send(&server, &Method::POST, accounts, &[], body).code;
    assert_eq!((code, secrets(&server)), (201, count));
    let path = format!("{accounts}/sa");
    let code = send(&server, &Method::DELETE, &path, &[], "").code;
    assert_eq!((code, secrets(&server)), (200, 0));
}

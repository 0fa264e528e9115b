//! The server under the real client, `kube`, in the ways in which podgate's harness uses it.

use http::{Method, Request};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, Error};
use podgate_admission::chain::Server;
use podgate_apiserver::{ApiServer, AuditAnnotations, Clock, Seeded};
use podgate_policy::Minor;
use serde_json::json;

fn client() -> Client {
    let server = ApiServer::new(
        Server::new(Minor::known(36)),
        Seeded::new(1, Clock::default()),
    );
    Client::new(server, "web")
}

async fn web(client: &Client) {
    let namespace: Namespace = serde_json::from_value(json!({
        "metadata": {"name": "web", "labels": {
            "pod-security.kubernetes.io/enforce": "baseline",
            "pod-security.kubernetes.io/warn": "restricted",
        }},
    }))
    .expect("a namespace");
    let namespaces = Api::<Namespace>::all(client.clone());
    namespaces
        .create(&PostParams::default(), &namespace)
        .await
        .expect("created");
}

fn pod(name: &str) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "nginx"}]},
    }))
    .expect("a pod")
}

#[tokio::test]
async fn objects_come_and_go() {
    let client = client();
    web(&client).await;
    let pods = Api::<Pod>::default_namespaced(client);
    let post = PostParams::default();
    let dry_run = PostParams {
        dry_run: true,
        ..PostParams::default()
    };

    let tried = pods.create(&dry_run, &pod("one")).await.expect("admitted");
    assert_eq!(tried.metadata.resource_version, None);
    assert_eq!(
        pods.list(&ListParams::default())
            .await
            .expect("a list")
            .items,
        []
    );

    pods.create(&post, &pod("one")).await.expect("created");
    pods.create(&post, &pod("two")).await.expect("created");
    let Err(Error::Api(status)) = pods.create(&post, &pod("one")).await else {
        panic!("the name is taken");
    };
    assert_eq!((status.code, &*status.reason), (409, "AlreadyExists"));

    let chosen = pods
        .list(&ListParams::default().labels("app=two"))
        .await
        .expect("a list");
    assert_eq!(chosen.items.len(), 1);

    let patch = json!({"metadata": {"labels": {"x": "y"}}});
    let patched = pods
        .patch("one", &PatchParams::default(), &Patch::Merge(&patch))
        .await
        .expect("patched");
    assert_eq!(patched.metadata.labels.expect("labels")["x"], "y");
    let ephemeral = json!({"spec": {"ephemeralContainers": [{"name": "dbg", "image": "busybox"}]}});
    let patched = pods
        .patch_subresource(
            "ephemeralcontainers",
            "one",
            &PatchParams::default(),
            &Patch::Strategic(&ephemeral),
        )
        .await
        .expect("patched");
    let spec = patched.spec.expect("a spec");
    assert_eq!(spec.ephemeral_containers.expect("one")[0].name, "dbg");
    assert_eq!(
        pods.get("one")
            .await
            .expect("it")
            .metadata
            .labels
            .expect("labels")
            .len(),
        2
    );

    let mut wanted = pod("one");
    wanted.metadata.labels = Some([("owner".to_owned(), "me".to_owned())].into());
    let applied = pods
        .patch(
            "one",
            &PatchParams::apply("me").force(),
            &Patch::Apply(&wanted),
        )
        .await
        .expect("applied");
    assert_eq!(applied.metadata.labels.expect("labels")["owner"], "me");

    let deleted = pods
        .delete("one", &DeleteParams::default())
        .await
        .expect("deleted");
    assert!(
        deleted
            .left()
            .expect("the pod")
            .metadata
            .deletion_timestamp
            .is_some()
    );
    assert!(pods.get_opt("one").await.expect("an answer").is_none());
}

#[tokio::test]
async fn a_refusal_is_a_status() {
    let client = client();
    web(&client).await;
    let mut pod = pod("root");
    let spec = pod.spec.as_mut().expect("a spec");
    spec.host_network = Some(true);
    let pods = Api::<Pod>::default_namespaced(client);
    let Err(Error::Api(status)) = pods.create(&PostParams::default(), &pod).await else {
        panic!("the pod is refused");
    };
    let message = r#"pods "root" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)"#;
    assert_eq!((status.code, &*status.message), (403, message));
}

#[tokio::test]
async fn the_raw_answer_has_warnings_and_audit_annotations() {
    let client = client();
    web(&client).await;
    let request = Request::builder()
        .method(Method::POST)
        .uri("/api/v1/namespaces/web/pods?dryRun=All")
        .header("content-type", "application/json")
        .body(kube::client::Body::from(
            serde_json::to_vec(&pod("one")).expect("JSON"),
        ))
        .expect("a request");
    let response = client.send(request).await.expect("a response");
    assert_eq!(response.status(), 201);
    let warnings: Vec<_> = response.headers().get_all("warning").iter().collect();
    assert_eq!(warnings.len(), 1);
    let warning = warnings[0].to_str().expect("text");
    assert!(
        warning.starts_with(r#"299 - "would violate PodSecurity \"restricted:latest\": allowPriv"#)
    );
    let audit = response
        .extensions()
        .get::<AuditAnnotations>()
        .expect("annotations");
    let policy = (
        "pod-security.kubernetes.io/enforce-policy".to_owned(),
        "baseline:latest".to_owned(),
    );
    assert!(audit.0.contains(&policy));
}

#[tokio::test]
async fn forks_go_their_own_way() {
    let server = ApiServer::new(
        Server::new(Minor::known(36)),
        Seeded::new(1, Clock::default()),
    );
    let fork = server.fork();
    web(&Client::new(fork.clone(), "web")).await;
    let there = Api::<Namespace>::all(Client::new(fork, "web"));
    let here = Api::<Namespace>::all(Client::new(server, "web"));
    assert!(there.get_opt("web").await.expect("an answer").is_some());
    assert!(here.get_opt("web").await.expect("an answer").is_none());
}

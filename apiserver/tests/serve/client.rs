//! The real client, `kube`, over the socket and from the kubeconfig; and who is refused.

use http_body_util::Full;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{Api, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config, Error};
use podgate_apiserver::serve::{Access, Limits};
use rstest::rstest;
use serde_json::json;

use super::running::Running;

async fn config(running: &Running) -> Config {
    let kubeconfig = Kubeconfig::from_yaml(&running.access.kubeconfig()).expect("a kubeconfig");
    assert_eq!(
        kubeconfig.extensions.as_ref().expect("extensions")[0].name,
        Access::EXTENSION
    );
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .expect("a configuration")
}

#[tokio::test]
async fn from_the_kubeconfig_to_a_verdict() {
    let running = Running::start(Limits::default()).await;
    let config = config(&running).await;
    let client = Client::try_from(config.clone()).expect("a client");
    assert_eq!(
        client.apiserver_version().await.expect("a version").minor,
        "36"
    );
    let namespace: Namespace = serde_json::from_value(json!({
        "metadata": {"name": "web", "labels": {"pod-security.kubernetes.io/enforce": "baseline"}},
    }))
    .expect("a namespace");
    Api::all(client.clone())
        .create(&PostParams::default(), &namespace)
        .await
        .expect("created");
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "root"},
        "spec": {"hostNetwork": true, "containers": [{"name": "c", "image": "nginx"}]},
    }))
    .expect("a pod");
    let refused = Api::namespaced(client, "web")
        .create(&PostParams::default(), &pod)
        .await;
    let Err(Error::Api(status)) = refused else {
        panic!("the pod is refused");
    };
    let message = r#"pods "root" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)"#;
    assert_eq!((status.code, &*status.message), (403, message));

    let mut config = config;
    config.auth_info.impersonate = Some("alice".to_owned());
    let alice = Client::try_from(config).expect("a client");
    let refused = Api::namespaced(alice, "web")
        .create(&PostParams::default(), &pod)
        .await;
    let Err(Error::Api(status)) = refused else {
        panic!("alice is refused");
    };
    let message = r#"pods is forbidden: User "alice" cannot create resource "pods" in API group "" in the namespace "web""#;
    assert_eq!((status.code, &*status.message), (403, message));
    running.stop().await;
}

#[rstest]
#[case::http1("http/1.1")]
#[case::http2("h2")]
#[tokio::test]
async fn nobody_gets_in_without_the_token(#[case] protocol: &str) {
    const UNAUTHORIZED: &str = concat!(
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","#,
        r#""message":"Unauthorized","reason":"Unauthorized","code":401}"#,
        "\n"
    );
    let running = Running::start(Limits::default()).await;
    let wrong = format!("Bearer {}x", running.access.token());
    for token in [None, Some("Bearer x"), Some(&*wrong), Some("Basic eDp5")] {
        for path in ["/api/v1/namespaces", "/readyz", "/nowhere"] {
            let mut request = running.request("GET", path);
            let headers = request.headers_mut().expect("headers");
            headers.remove("authorization");
            if let Some(token) = token {
                headers.insert("authorization", token.parse().expect("a value"));
            }
            let request = request.body(Full::default()).expect("a request");
            let answer = running.send(protocol, request).await;
            assert_eq!((answer.code, &*answer.body), (401, UNAUTHORIZED));
        }
    }
    let request = running
        .request("GET", "/readyz")
        .body(Full::default())
        .expect("a request");
    let answer = running.send(protocol, request).await;
    assert_eq!((answer.code, &*answer.body), (200, "ok"));
    running.stop().await;
}

//! Watches: what they begin with, what they tell, and how they end.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use podgate_apiserver::serve::Limits;
use rstest::rstest;
use serde_json::{Value, json};

use super::running::Running;

pub(super) const PODS: &str = "/api/v1/namespaces/default/pods";

/// A watch of a running server, read line by line.
pub(super) struct Events {
    body: Incoming,
    read: Vec<u8>,
}

impl Events {
    pub(super) async fn of(running: &Running, path: &str) -> Self {
        let stream = TokioIo::new(running.connect("http/1.1").await);
        let (mut sender, connection) = http1::handshake(stream).await.expect("HTTP/1.1");
        tokio::spawn(async move { drop(connection.await) });
        let request = running.request("GET", path);
        let request = request.body(Full::<Bytes>::default()).expect("a request");
        let response = sender.send_request(request).await.expect("a response");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers()["transfer-encoding"], "chunked");
        Self {
            body: response.into_body(),
            read: Vec::new(),
        }
    }

    /// The next event; nothing where the watch is over.
    pub(super) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.read.iter().position(|&byte| byte == b'\n') {
                let rest = self.read.split_off(end + 1);
                let line = std::mem::replace(&mut self.read, rest);
                return Some(serde_json::from_slice(&line).expect("JSON"));
            }
            let frame = self.body.frame().await?.expect("a frame");
            self.read
                .extend_from_slice(&frame.into_data().expect("data"));
        }
    }

    /// The next event as `TYPE NAME`.
    async fn next_is(&mut self, expected: &str) -> Value {
        let event = self.next().await.expect("an event");
        let kind = event["type"].as_str().expect("a type");
        let name = event["object"]["metadata"]["name"].as_str();
        assert_eq!(format!("{kind} {}", name.unwrap_or_default()), expected);
        event
    }
}

pub(super) async fn send(running: &Running, method: &str, path: &str, body: Value) -> Value {
    let mut request = running.request(method, path);
    if method == "PATCH" {
        request = request.header("content-type", "application/merge-patch+json");
    }
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let request = request.body(Full::from(body)).expect("a request");
    let answer = running.send("http/1.1", request).await;
    assert!(answer.code < 300, "{}", answer.body);
    serde_json::from_str(&answer.body).expect("JSON")
}

pub(super) fn pod(name: &str, app: &str) -> Value {
    json!({
        "metadata": {"name": name, "labels": {"app": app}},
        "spec": {"containers": [{"name": "c", "image": "nginx"}]},
    })
}

pub(super) fn label(app: &str) -> Value {
    json!({"metadata": {"labels": {"app": app}}})
}

async fn version(running: &Running) -> String {
    let list = send(running, "GET", PODS, Value::Null).await;
    list["metadata"]["resourceVersion"]
        .as_str()
        .expect("a version")
        .to_owned()
}

#[tokio::test]
async fn what_is_there_and_what_changes() {
    let running = Running::start(Limits::default()).await;
    send(&running, "POST", PODS, pod("b", "x")).await;
    send(&running, "POST", PODS, pod("a", "x")).await;
    let mut all = Events::of(&running, &format!("{PODS}?watch=true")).await;
    let mut none = Events::of(
        &running,
        "/api/v1/namespaces/kube-system/pods?watch=1&timeoutSeconds=1",
    )
    .await;
    all.next_is("ADDED a").await;
    let added = all.next_is("ADDED b").await;
    assert_eq!(added["object"]["kind"], "Pod");
    let patched = send(&running, "PATCH", &format!("{PODS}/b"), label("y")).await;
    assert_eq!(all.next_is("MODIFIED b").await["object"], patched);
    send(&running, "DELETE", &format!("{PODS}/b"), Value::Null).await;
    let modified = all.next_is("MODIFIED b").await;
    assert_eq!(
        modified["object"]["metadata"]["deletionGracePeriodSeconds"],
        0
    );
    let deleted = all.next_is("DELETED b").await;
    assert_eq!(
        deleted["object"]["metadata"]["resourceVersion"],
        version(&running).await
    );
    assert_eq!(none.next().await, None);
    running.stop().await;
}

#[tokio::test]
async fn what_comes_into_a_selector_and_leaves_it() {
    let running = Running::start(Limits::default()).await;
    let from = version(&running).await;
    let selector = format!("{PODS}?watch=1&resourceVersion={from}&labelSelector=app%3Dx");
    let mut labelled = Events::of(&running, &selector).await;
    let selector = format!("{PODS}?watch=1&resourceVersion={from}&fieldSelector=metadata.name%3Db");
    let mut named = Events::of(&running, &selector).await;
    send(&running, "POST", PODS, pod("a", "y")).await;
    send(&running, "POST", PODS, pod("b", "x")).await;
    send(&running, "PATCH", &format!("{PODS}/a"), label("x")).await;
    let left = send(&running, "PATCH", &format!("{PODS}/b"), label("y")).await;
    labelled.next_is("ADDED b").await;
    labelled.next_is("ADDED a").await;
    let gone = labelled.next_is("DELETED b").await;
    let metadata = &gone["object"]["metadata"];
    assert_eq!(metadata["labels"]["app"], "x");
    assert_eq!(
        metadata["resourceVersion"],
        left["metadata"]["resourceVersion"]
    );
    named.next_is("ADDED b").await;
    named.next_is("MODIFIED b").await;
    running.stop().await;
}

#[tokio::test]
async fn from_a_version_on() {
    let running = Running::start(Limits::default()).await;
    let first = send(&running, "POST", PODS, pod("a", "x")).await;
    send(&running, "POST", PODS, pod("b", "x")).await;
    let from = first["metadata"]["resourceVersion"]
        .as_str()
        .expect("a version");
    let mut events = Events::of(&running, &format!("{PODS}?watch=1&resourceVersion={from}")).await;
    events.next_is("ADDED b").await;
    running.stop().await;
}

#[tokio::test]
async fn what_is_no_longer_known() {
    let running = Running::start_with(|options| options.history = 2).await;
    for name in ["a", "b", "c"] {
        send(&running, "POST", PODS, pod(name, "x")).await;
    }
    let oldest: u64 = version(&running).await.parse().expect("a number");
    let oldest = oldest - 2;
    let from = oldest - 1;
    let mut events = Events::of(&running, &format!("{PODS}?watch=1&resourceVersion={from}")).await;
    let expired = json!({"type": "ERROR", "object": {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": format!("too old resource version: {from} ({oldest})"),
        "reason": "Expired", "code": 410,
    }});
    assert_eq!(events.next().await, Some(expired));
    assert_eq!(events.next().await, None);
    let mut events = Events::of(
        &running,
        &format!("{PODS}?watch=1&resourceVersion={oldest}"),
    )
    .await;
    events.next_is("ADDED b").await;
    running.stop().await;
}

/// The list that a watch can begin with, as informers ask for it since 1.35.
#[tokio::test]
async fn a_list_as_a_watch() {
    let running = Running::start(Limits::default()).await;
    send(&running, "POST", PODS, pod("a", "x")).await;
    let query =
        "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut events = Events::of(&running, &format!("{PODS}?{query}")).await;
    events.next_is("ADDED a").await;
    let version = version(&running).await;
    let bookmark = json!({"type": "BOOKMARK", "object": {
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"resourceVersion": version, "annotations": {"k8s.io/initial-events-end": "true"}},
        "spec": {"containers": null}, "status": {},
    }});
    assert_eq!(events.next().await, Some(bookmark));
    running.stop().await;
}

#[rstest]
#[case(
    "resourceVersion=x",
    500,
    r#"resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax"#
)]
#[case(
    "labelSelector=((",
    400,
    "found '(', expected: !, identifier, or 'end of string'"
)]
#[case("resourceVersionMatch=Exact", 422, r#"ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]"#)]
#[tokio::test]
async fn what_is_refused(#[case] query: &str, #[case] code: u16, #[case] message: &str) {
    let running = Running::start(Limits::default()).await;
    let request = running.request("GET", &format!("{PODS}?watch=1&{query}"));
    let request = request.body(Full::default()).expect("a request");
    let answer = running.send("http/1.1", request).await;
    let status: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(
        (answer.code, status["message"].as_str()),
        (code, Some(message))
    );
    running.stop().await;
}

/// What `kube`'s own watch makes of it.
#[tokio::test]
async fn the_watch_of_kube() {
    use futures_util::StreamExt;
    use k8s_openapi::api::core::v1::Pod;
    use kube::api::{Api, DeleteParams, PostParams, WatchEvent, WatchParams};
    use kube::config::{KubeConfigOptions, Kubeconfig};
    use kube::{Client, Config};

    let running = Running::start(Limits::default()).await;
    let kubeconfig = Kubeconfig::from_yaml(&running.access.kubeconfig()).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .expect("a configuration");
    let client = Client::try_from(config).expect("a client");
    let pods = Api::<Pod>::namespaced(client, "default");
    let events = pods
        .watch(&WatchParams::default(), "0")
        .await
        .expect("a watch");
    let mut events = std::pin::pin!(events);
    let new: Pod = serde_json::from_value(pod("a", "x")).expect("a pod");
    let created = pods
        .create(&PostParams::default(), &new)
        .await
        .expect("created");
    pods.delete("a", &DeleteParams::default())
        .await
        .expect("deleted");
    // Nothing was there, and that was all.
    let first = events.next().await.expect("an event").expect("no error");
    assert!(matches!(first, WatchEvent::Bookmark(_)), "{first:?}");
    let mut versions = Vec::new();
    for expected in ["added", "modified", "deleted"] {
        let (kind, pod) = match events.next().await.expect("an event").expect("no error") {
            WatchEvent::Added(pod) => ("added", pod),
            WatchEvent::Modified(pod) => ("modified", pod),
            WatchEvent::Deleted(pod) => ("deleted", pod),
            other => panic!("{other:?}"),
        };
        assert_eq!((kind, &pod.metadata.uid), (expected, &created.metadata.uid));
        let version = pod.metadata.resource_version.expect("a version");
        versions.push(version.parse::<u64>().expect("a number"));
    }
    assert!(versions.is_sorted() && versions[0] < versions[2]);
    running.stop().await;
}

/// The end of the server is the end of its watches, and not the end of its patience.
#[rstest]
#[case::http1("http/1.1")]
#[case::http2("h2")]
#[tokio::test]
async fn the_server_ends_its_watches(#[case] protocol: &str) {
    let running = Running::start(Limits::default()).await;
    let request = running.request("GET", &format!("{PODS}?watch=1"));
    let request = request.body(Full::default()).expect("a request");
    let answer = running.begin(protocol, request).await;
    running.stop().await;
    assert_eq!(answer.await.body, "");
}

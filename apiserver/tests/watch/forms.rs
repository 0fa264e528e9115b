//! Watches of the same things by several clients, each in the form that it wants.

use rstest::rstest;
use serde_json::{Value, json};

use super::exchange::{PODS, bytes, document, told, watch};
use super::{pod, server};

fn labelled(value: &str) -> Value {
    json!({"metadata": {"labels": {"app": value}}})
}

/// Two who look on, and one who comes later and begins where they began, are told the same to the byte.
#[rstest]
#[case::objects("application/json")]
#[case::protobuf("application/vnd.kubernetes.protobuf;stream=watch")]
#[case::metadata("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")]
#[case::tables("application/json;as=Table;g=meta.k8s.io;v=v1")]
#[tokio::test]
async fn all_are_told_the_same(#[case] accept: &str) {
    let server = server(36, 100);
    let list = document(&server, "GET", PODS, &Value::Null).await;
    let version = list["metadata"]["resourceVersion"].as_str().expect("one");
    let path = format!("{PODS}?watch=1&resourceVersion={version}");
    let mut one = watch(&server, &path, accept).await;
    let mut other = watch(&server, &path, accept).await;
    // Another form in between changes nothing.
    let mut plain = watch(
        &server,
        &path,
        "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1beta1",
    )
    .await;
    let mut texts = [Vec::new(), Vec::new()];
    let a = format!("{PODS}/a");
    for (method, path, body) in [
        ("POST", PODS, pod("a")),
        ("PATCH", &*a, labelled("x")),
        ("DELETE", &*a, Value::Null),
    ] {
        document(&server, method, path, &body).await;
        assert!(!bytes(&mut plain).0.is_empty());
        texts[0].extend(bytes(&mut one).0);
        texts[1].extend(bytes(&mut other).0);
    }
    assert!(!texts[0].is_empty());
    assert_eq!(texts[0], texts[1]);
    let mut late = watch(&server, &path, accept).await;
    assert_eq!(texts[0], bytes(&mut late).0);
}

/// One change is an addition to one, a change to another and the end of the object to a third.
#[tokio::test]
async fn each_selector_has_its_own_events() {
    let server = server(36, 100);
    let mut created = pod("a");
    created["metadata"]["labels"] = json!({"app": "x"});
    let created = document(&server, "POST", PODS, &created).await;
    let version = created["metadata"]["resourceVersion"].as_str();
    let path = format!("{PODS}?watch=1&resourceVersion={}", version.expect("one"));
    let mut watches = Vec::new();
    for selector in ["", "&labelSelector=app%3Dx", "&labelSelector=app%3Dy"] {
        watches.push(watch(&server, &format!("{path}{selector}"), "*/*").await);
    }
    let patched = document(&server, "PATCH", &format!("{PODS}/a"), &labelled("y")).await;
    let mut events = Vec::new();
    for watch in &mut watches {
        let (line, _) = bytes(watch);
        let event: Value = serde_json::from_slice(&line).expect("JSON");
        events.push(event);
    }
    let kinds: Vec<_> = events.iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["MODIFIED", "DELETED", "ADDED"]);
    assert_eq!(
        (&events[0]["object"], &events[2]["object"]),
        (&patched, &patched)
    );
    // What is gone is shown as it was, with the version at which it went.
    let gone = &events[1]["object"]["metadata"];
    assert_eq!(gone["labels"]["app"], "x");
    assert_eq!(
        gone["resourceVersion"],
        patched["metadata"]["resourceVersion"]
    );
}

/// Who waits for what does not happen is not left behind by what does.
#[rstest]
#[case::another_namespace("/api/v1/namespaces/kube-system/pods?watch=1&resourceVersion=")]
#[case::another_name(
    "/api/v1/namespaces/default/pods?watch=1&fieldSelector=metadata.name%3Db&resourceVersion="
)]
#[tokio::test]
async fn what_is_of_no_interest_costs_nothing(#[case] path: &str) {
    const KEPT: usize = 5;
    let server = server(36, KEPT);
    let created = document(&server, "POST", PODS, &pod("a")).await;
    let version = created["metadata"]["resourceVersion"].as_str();
    let path = format!("{path}{}", version.expect("one"));
    let mut watch = watch(&server, &path, "*/*").await;
    assert_eq!(told(&mut watch), [""; 0]);
    for number in 0..2 * KEPT {
        let patch = labelled(&number.to_string());
        document(&server, "PATCH", &format!("{PODS}/a"), &patch).await;
    }
    let there = path.split('?').next().expect("a path");
    document(&server, "POST", there, &pod("b")).await;
    assert_eq!(told(&mut watch), ["ADDED b"]);
}

/// The older paths, which are still there; the answers are those of 1.36.
#[rstest]
#[case::all("/api/v1/watch/pods", 200, "ADDED a ADDED b")]
#[case::namespace("/api/v1/watch/namespaces/default/pods", 200, "ADDED a ADDED b")]
#[case::object("/api/v1/watch/namespaces/default/pods/a", 200, "ADDED a")]
#[case::nothing("/api/v1/watch/namespaces/default/pods/x", 200, "")]
#[case::a_namespace("/api/v1/watch/namespaces/default", 200, "ADDED default")]
#[case::selected(
    "/api/v1/watch/namespaces/default/pods?watch=0&fieldSelector=metadata.name%3Db",
    200,
    "ADDED b"
)]
#[case::both(
    "/api/v1/watch/namespaces/default/pods/a?fieldSelector=metadata.name%3Da,status.phase%3DPending",
    200,
    "ADDED a"
)]
#[case::another(
    "/api/v1/watch/namespaces/default/pods/a?fieldSelector=metadata.name%3Dx",
    400,
    "fieldSelector metadata.name doesn't match requested name"
)]
#[case::no_name(
    "/api/v1/watch/namespaces/default/pods/a?fieldSelector=status.phase%3DPending",
    400,
    "fieldSelector metadata.name doesn't match requested name"
)]
#[case::no_kind(
    "/api/v1/watch/nothing",
    404,
    "the server could not find the requested resource"
)]
#[case::subresource(
    "/api/v1/watch/namespaces/default/pods/a/status",
    404,
    "the server could not find the requested resource"
)]
#[case::proxy(
    "/api/v1/proxy/pods",
    404,
    "the server could not find the requested resource"
)]
#[tokio::test]
async fn older_paths(#[case] path: &str, #[case] code: u16, #[case] expected: &str) {
    let server = server(36, 100);
    for name in ["a", "b"] {
        document(&server, "POST", PODS, &pod(name)).await;
    }
    let response = super::exchange::send(&server, "GET", path, &[], &Value::Null).await;
    assert_eq!(response.status(), code);
    let mut body = response.into_body();
    if code == 200 {
        assert_eq!(told(&mut body).join(" "), expected);
    } else {
        let status: Value = serde_json::from_slice(&bytes(&mut body).0).expect("JSON");
        assert_eq!(status["message"], expected);
    }
}

#[rstest]
#[case(
    "POST",
    "/api/v1/watch/pods",
    405,
    "the server does not allow this method on the requested resource"
)]
#[case(
    "GET",
    "/apis/apps/v1/watch",
    500,
    "Internal Server Error: \"/apis/apps/v1/watch\": failed to create RequestInfo: unable to determine kind and namespace from url, /apis/apps/v1/watch\n"
)]
#[tokio::test]
async fn what_is_no_watch(
    #[case] method: &str,
    #[case] path: &str,
    #[case] code: u16,
    #[case] expected: &str,
) {
    let response = super::exchange::send(&server(36, 9), method, path, &[], &Value::Null).await;
    assert_eq!(response.status(), code);
    let (body, _) = bytes(&mut response.into_body());
    let text = String::from_utf8(body).expect("text");
    let message = serde_json::from_str::<Value>(&text).ok();
    let message = message.and_then(|status| status["message"].as_str().map(str::to_owned));
    assert_eq!(message.unwrap_or(text), expected);
}

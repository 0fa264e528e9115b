//! Requests, and what a watch has told by now.

use futures_util::FutureExt;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use podgate_apiserver::{ApiServer, Body};
use serde_json::Value;
use tower::ServiceExt;

/// The pods of the namespace in which the tests write.
pub(crate) const PODS: &str = "/api/v1/namespaces/default/pods";

pub(crate) async fn send(
    server: &ApiServer,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let request = request.body(Full::<bytes::Bytes>::from(body));
    let response = server.clone().oneshot(request.expect("a request")).await;
    response.expect("a response")
}

/// The document that is answered, which is no refusal.
pub(crate) async fn document(server: &ApiServer, method: &str, path: &str, body: &Value) -> Value {
    let headers: &[_] = match method {
        "PATCH" => &[("content-type", "application/merge-patch+json")],
        _ => &[],
    };
    let response = send(server, method, path, headers, body).await;
    assert!(response.status().is_success(), "{}", response.status());
    let body = response.into_body().collect().await.expect("a body");
    serde_json::from_slice(&body.to_bytes()).expect("JSON")
}

/// Begins a watch.
pub(crate) async fn watch(server: &ApiServer, path: &str, accept: &str) -> Body {
    let response = send(server, "GET", path, &[("accept", accept)], &Value::Null).await;
    assert!(response.status().is_success(), "{}", response.status());
    response.into_body()
}

/// The bytes that have come by now, and whether that was the end.
pub(crate) fn bytes(watch: &mut Body) -> (Vec<u8>, bool) {
    let mut told = Vec::new();
    while let Some(frame) = watch.frame().now_or_never() {
        let Some(frame) = frame else {
            return (told, true);
        };
        told.extend_from_slice(&frame.expect("a frame").into_data().expect("data"));
    }
    (told, false)
}

/// The events that have come by now: the type of each and the name or, where it has none, the version of
/// its object; `end` where that was all.
pub(crate) fn told(watch: &mut Body) -> Vec<String> {
    let (lines, ended) = bytes(watch);
    let mut told = Vec::new();
    for line in lines.split(|&byte| byte == b'\n').filter(|l| !l.is_empty()) {
        let event: Value = serde_json::from_slice(line).expect("JSON");
        let kind = event["type"].as_str().expect("a type");
        let metadata = &event["object"]["metadata"];
        let named = metadata["name"].as_str();
        let named = named.or(metadata["resourceVersion"].as_str());
        told.push(format!("{kind} {}", named.expect("a name or a version")));
    }
    if ended {
        told.push("end".to_owned());
    }
    told
}

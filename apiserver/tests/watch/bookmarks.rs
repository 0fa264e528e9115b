//! When a watch tells where it is, and when it ends.

use std::time::Duration;

use futures_util::FutureExt;
use http::Request;
use http_body_util::{BodyExt, Full};
use podgate_apiserver::{ApiServer, Body};
use rstest::rstest;
use serde_json::Value;
use tower::ServiceExt;

use super::{pod, server, time};

const PODS: &str = "/api/v1/namespaces/default/pods";

async fn send(server: &ApiServer, method: &str, path: &str, body: String) -> Body {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Full::<bytes::Bytes>::from(body));
    let response = server.clone().oneshot(request.expect("a request")).await;
    let response = response.expect("a response");
    assert!(response.status().is_success(), "{}", response.status());
    response.into_body()
}

/// What has come by now: the type of each event and the version of its object, then `end`.
fn told(watch: &mut Body) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(frame) = watch.frame().now_or_never() {
        let Some(frame) = frame else {
            told.push("end".to_owned());
            break;
        };
        let data = frame.expect("a frame").into_data().expect("data");
        for line in data.split(|&byte| byte == b'\n').filter(|l| !l.is_empty()) {
            let event: Value = serde_json::from_slice(line).expect("JSON");
            let version = event["object"]["metadata"]["resourceVersion"].as_str();
            let kind = event["type"].as_str().expect("a type");
            told.push(format!("{kind} {}", version.expect("a version")));
        }
    }
    told
}

#[rstest]
// The last one comes two seconds before the end.
#[case::short("allowWatchBookmarks=1&timeoutSeconds=3", &[(0, ""), (1, "B"), (1, ""), (1, "end")])]
#[case::long("allowWatchBookmarks=1&timeoutSeconds=150", &[(59, ""), (1, "B"), (60, "B"), (27, ""), (1, "B"), (2, "end")])]
#[case::too_short("allowWatchBookmarks=1&timeoutSeconds=2", &[(1, ""), (1, "end")])]
#[case::unwanted("timeoutSeconds=120", &[(60, ""), (58, ""), (2, "end")])]
#[case::as_long_as_the_server_likes("", &[(1799, ""), (1800, "end")])]
#[tokio::test]
async fn a_minute_apart_and_before_the_end(#[case] query: &str, #[case] steps: &[(u64, &str)]) {
    let server = server(36, 100);
    let list = send(&server, "GET", PODS, String::new()).await;
    let list = list.collect().await.expect("a list").to_bytes();
    let list: Value = serde_json::from_slice(&list).expect("JSON");
    let version = list["metadata"]["resourceVersion"].as_str().expect("one");
    let path = format!("{PODS}?watch=1&resourceVersion={version}&{query}");
    let mut watch = send(&server, "GET", &path, String::new()).await;
    for &(seconds, expected) in steps {
        time::pass(Duration::from_secs(seconds));
        let told = told(&mut watch).join(" ");
        assert_eq!(told, expected.replace('B', &format!("BOOKMARK {version}")));
    }
}

/// A bookmark is about the whole store: it has the version of what the watch is not about.
#[tokio::test]
async fn with_the_version_of_the_last_change() {
    let server = server(36, 100);
    let path = format!("{PODS}?watch=1&resourceVersion=0&allowWatchBookmarks=1");
    let mut watch = send(&server, "GET", &path, String::new()).await;
    told(&mut watch);
    let created = send(&server, "POST", PODS, pod("a").to_string()).await;
    let created = created.collect().await.expect("a pod").to_bytes();
    let created: Value = serde_json::from_slice(&created).expect("JSON");
    let version = created["metadata"]["resourceVersion"].as_str();
    let version: u64 = version.and_then(|v| v.parse().ok()).expect("a version");
    assert_eq!(told(&mut watch), [format!("ADDED {version}")]);
    let maps = "/api/v1/namespaces/default/configmaps";
    let map = r#"{"metadata":{"name":"a"}}"#.to_owned();
    send(&server, "POST", maps, map).await;
    assert_eq!(told(&mut watch), [""; 0]);
    time::pass(Duration::from_mins(1));
    assert_eq!(told(&mut watch), [format!("BOOKMARK {}", version + 1)]);
}

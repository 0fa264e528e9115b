//! When a watch tells where it is, and when it ends.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::exchange::{PODS, document, told, watch};
use super::{pod, server, time};

fn version(object: &Value) -> u64 {
    let version = object["metadata"]["resourceVersion"].as_str();
    version.and_then(|v| v.parse().ok()).expect("a version")
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
    let version = version(&document(&server, "GET", PODS, &Value::Null).await);
    let path = format!("{PODS}?watch=1&resourceVersion={version}&{query}");
    let mut watch = watch(&server, &path, "*/*").await;
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
    let mut watch = watch(&server, &path, "*/*").await;
    told(&mut watch);
    let created = document(&server, "POST", PODS, &pod("a")).await;
    assert_eq!(told(&mut watch), ["ADDED a"]);
    let map = json!({"metadata": {"name": "a"}});
    document(
        &server,
        "POST",
        "/api/v1/namespaces/default/configmaps",
        &map,
    )
    .await;
    assert_eq!(told(&mut watch), [""; 0]);
    time::pass(Duration::from_mins(1));
    let expected = format!("BOOKMARK {}", version(&created) + 1);
    assert_eq!(told(&mut watch), [expected]);
}

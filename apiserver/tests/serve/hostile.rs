//! Clients that mean no good, and that the server goes on all the same.

use std::time::Duration;

use http_body_util::Full;
use podgate_apiserver::serve::Limits;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::running::{Answer, Running};
use super::watch::{Events, PODS, label, pod, send};

/// The server still answers.
async fn goes_on(running: &Running) {
    let request = running.request("GET", "/readyz").body(Full::default());
    let answer = running.send("h2", request.expect("a request")).await;
    assert_eq!((answer.code, &*answer.body), (200, "ok"));
}

async fn post(running: &Running, path: &str, body: String) -> Answer {
    let request = running.request("POST", path).body(Full::from(body));
    running.send("http/1.1", request.expect("a request")).await
}

#[rstest]
#[case::noise(b"\x00\x01\x02\xff\xfe\r\n\r\n")]
#[case::no_version(b"GET /readyz\r\n\r\n")]
#[case::another_version(b"GET /readyz HTTP/9.9\r\n\r\n")]
#[case::a_folded_header(b"GET /readyz HTTP/1.1\r\nhost: x\r\n folded\r\n\r\n")]
#[case::two_lengths(
    b"POST /api HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef"
)]
#[case::a_length_that_is_none(b"POST /api HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n")]
#[case::a_chunk_that_is_none(
    b"POST /api/v1/namespaces HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"
)]
#[tokio::test]
async fn what_is_no_http(#[case] bytes: &[u8]) {
    let running = Running::start(Limits::default()).await;
    let mut stream = running.connect("http/1.1").await;
    stream.write_all(bytes).await.expect("sent");
    let mut answer = Vec::new();
    // The end comes with or without a farewell of TLS.
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    let refused = answer.starts_with("HTTP/1.1 4") || answer.is_empty();
    assert!(refused, "{answer}");
    goes_on(&running).await;
    running.stop().await;
}

#[tokio::test]
async fn headers_that_never_end() {
    let running = Running::start(Limits {
        header_timeout: Duration::from_millis(200),
        ..Limits::default()
    })
    .await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut stream = running.connect("http/1.1").await;
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nx-slow: ")
            .await
            .expect("sent");
        slow.push(stream);
    }
    for mut stream in slow {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    goes_on(&running).await;
    running.stop().await;
}

#[tokio::test]
async fn a_flood_of_connections() {
    let running = Running::start(Limits {
        connections: 8,
        header_timeout: Duration::from_millis(100),
        ..Limits::default()
    })
    .await;
    let mut flood = Vec::new();
    for _ in 0..200 {
        flood.push(
            TcpStream::connect(running.address)
                .await
                .expect("connected"),
        );
    }
    goes_on(&running).await;
    drop(flood);
    goes_on(&running).await;
    running.stop().await;
}

/// As many labels as a body holds.
#[tokio::test]
async fn labels_without_end() {
    let running = Running::start(Limits::default()).await;
    let labels = |count: usize| {
        let labels: Vec<String> = (0..count).map(|n| format!("\"l{n}\":\"\"")).collect();
        format!(
            r#"{{"metadata":{{"name":"x","labels":{{{}}}}}}}"#,
            labels.join(",")
        )
    };
    let answer = post(&running, "/api/v1/namespaces", labels(1_000_000)).await;
    assert_eq!(answer.code, 413, "{}", answer.body);
    let answer = post(&running, "/api/v1/namespaces?dryRun=All", labels(200_000)).await;
    assert_eq!(answer.code, 201, "{:.300}", answer.body);
    goes_on(&running).await;
    running.stop().await;
}

#[rstest]
#[case::lists("[", "]")]
#[case::objects(r#"{"a":"#, "}")]
#[tokio::test]
async fn json_without_a_bottom(#[case] open: &str, #[case] close: &str) {
    let running = Running::start(Limits::default()).await;
    for depth in [2_000, 200_000] {
        let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        let body = format!(r#"{{"metadata":{{"name":"x"}},"spec":{deep}}}"#);
        let answer = post(&running, PODS, body).await;
        assert!((400..500).contains(&answer.code), "{:.300}", answer.body);
        let status: Value = serde_json::from_str(&answer.body).expect("a status");
        assert_eq!(status["kind"], "Status");
        let answer = post(&running, PODS, deep).await;
        assert!((400..500).contains(&answer.code), "{:.300}", answer.body);
    }
    goes_on(&running).await;
    running.stop().await;
}

/// Who does not read is left behind: it is told what comes without a gap, up to an end.
#[tokio::test]
async fn a_watch_that_nobody_reads() {
    const CHANGES: usize = 400;
    let running = Running::start_with(|options| options.history = 5).await;
    let mut first = pod("big", "0");
    first["metadata"]["annotations"] = json!({"big": "x".repeat(200_000)});
    send(&running, "POST", PODS, first).await;
    let mut events = Events::of(&running, &format!("{PODS}?watch=1")).await;
    for number in 1..=CHANGES {
        send(
            &running,
            "PATCH",
            &format!("{PODS}/big"),
            label(&number.to_string()),
        )
        .await;
    }
    let mut told = 0;
    while let Some(event) = events.next().await {
        let app = event["object"]["metadata"]["labels"]["app"].as_str();
        assert_eq!(app, Some(&*told.to_string()));
        told += 1;
    }
    assert!(told < CHANGES, "what nobody read was kept somewhere");
    goes_on(&running).await;
    running.stop().await;
}

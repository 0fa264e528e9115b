//! What is too much, what takes too long, and how it ends.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use podgate_apiserver::serve::Limits;
use rstest::rstest;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::running::{Answer, Running};

/// Long enough to be over in a test, and short enough to wait for.
const SHORT: Duration = Duration::from_millis(1);

#[rstest]
#[case::http1("http/1.1")]
#[case::http2("h2")]
#[tokio::test]
async fn a_body_too_large(#[case] protocol: &str) {
    const LIMIT: usize = 3 * 1024 * 1024;
    const TOO_LARGE: &str = "Request entity too large: limit is 3145728";
    let running = Running::start(Limits::default()).await;
    for (size, method, path, code, message) in [
        (LIMIT, "POST", "/api/v1/namespaces", 400, None),
        (
            LIMIT + 1,
            "POST",
            "/api/v1/namespaces",
            413,
            Some(TOO_LARGE),
        ),
        (
            4 * LIMIT,
            "POST",
            "/api/v1/namespaces",
            413,
            Some(TOO_LARGE),
        ),
        (LIMIT + 1, "GET", "/api/v1/namespaces", 200, None),
    ] {
        let body = Full::from(vec![b' '; size]);
        let request = running.request(method, path).body(body).expect("a request");
        let answer = running.send(protocol, request).await;
        assert_eq!(answer.code, code, "{size} {}", answer.body);
        if let Some(message) = message {
            let status: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
            assert_eq!(status["message"], message);
            assert_eq!(status["reason"], "RequestEntityTooLarge");
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn headers_too_large() {
    let running = Running::start(Limits::default()).await;
    let request = running
        .request("GET", "/readyz")
        .header("x", "x".repeat(2 << 20))
        .body(Full::default())
        .expect("a request");
    assert_eq!(running.send("http/1.1", request).await.code, 431);
    // As many groups as a requester may have.
    let mut request = running
        .request("GET", "/readyz")
        .header("impersonate-user", "alice");
    for group in 0..1000 {
        request = request.header("impersonate-group", format!("group-{group}"));
    }
    let request = request.body(Full::default()).expect("a request");
    assert_eq!(running.send("http/1.1", request).await.code, 200);
    running.stop().await;
}

#[tokio::test]
async fn who_says_nothing_is_dropped() {
    let limits = Limits {
        header_timeout: SHORT,
        ..Limits::default()
    };
    let running = Running::start(limits).await;
    let mut stream = TcpStream::connect(running.address)
        .await
        .expect("connected");
    assert_eq!(stream.read(&mut [0; 1]).await.expect("an end"), 0);
    running.stop().await;
}

#[rstest]
#[case::http1("http/1.1")]
#[case::http2("h2")]
#[tokio::test]
async fn who_asks_nothing_is_dropped(#[case] protocol: &str) {
    let limits = Limits {
        idle_timeout: SHORT,
        ..Limits::default()
    };
    let running = Running::start(limits).await;
    let mut stream = running.connect(protocol).await;
    let mut rest = Vec::new();
    // The end comes with or without a farewell of TLS.
    let _ = stream.read_to_end(&mut rest).await;
    running.stop().await;
}

#[tokio::test]
async fn who_never_finishes_is_answered() {
    let limits = Limits {
        request_timeout: SHORT,
        ..Limits::default()
    };
    let running = Running::start(limits).await;
    let stream = TokioIo::new(running.connect("http/1.1").await);
    let (mut sender, connection) = http1::handshake(stream).await.expect("HTTP/1.1");
    let connection = tokio::spawn(async move { drop(connection.await) });
    let request = running.request("POST", "/api/v1/namespaces").body(Endless);
    let response = sender.send_request(request.expect("a request")).await;
    let answer = Answer::of(response.expect("a response")).await;
    assert_eq!(answer.code, 504, "{}", answer.body);
    connection.abort();
    running.stop().await;
}

/// A body that never ends, and of which nothing comes.
struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn connections_on_top_wait() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let running = Running::start(limits).await;
    let stream = TokioIo::new(running.connect("http/1.1").await);
    let (mut sender, connection) = http1::handshake(stream).await.expect("HTTP/1.1");
    let connection = tokio::spawn(async move { drop(connection.await) });
    let mut other = Box::pin(running.connect("http/1.1"));
    for _ in 0..20 {
        let request = running
            .request("GET", "/readyz")
            .body(Full::<Bytes>::default());
        let answer = async {
            let response = sender.send_request(request.expect("a request")).await;
            Answer::of(response.expect("a response")).await
        };
        tokio::select! {
            biased;
            _ = &mut other => panic!("two connections at a time"),
            answer = answer => assert_eq!(answer.code, 200),
        }
    }
    connection.abort();
    drop(sender);
    (&mut other).await;
    drop(other);
    running.stop().await;
}

#[tokio::test]
async fn nothing_is_left() {
    let metrics = tokio::runtime::Handle::current().metrics();
    assert_eq!(metrics.num_alive_tasks(), 0);
    let running = Running::start(Limits::default()).await;
    let address = running.address;
    // Connections in every stage: before the handshake, before a request, after one.
    let mut silent = TcpStream::connect(address).await.expect("connected");
    let mut http1 = running.connect("http/1.1").await;
    let mut http2 = running.connect("h2").await;
    let request = running.request("GET", "/readyz").body(Full::default());
    running.send("h2", request.expect("a request")).await;

    running.stop().await;
    assert_eq!(silent.read(&mut [0; 1]).await.expect("an end"), 0);
    for stream in [&mut http1, &mut http2] {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    let refused = TcpStream::connect(address)
        .await
        .expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    tokio::task::yield_now().await;
    assert_eq!(metrics.num_alive_tasks(), 0);
}

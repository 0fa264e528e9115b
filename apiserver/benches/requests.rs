//! What requests of the embedded server cost, without a socket: `cargo bench -p podgate-apiserver`.

use bytes::Bytes;
use criterion::Criterion;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use podgate_admission::chain::Server;
use podgate_apiserver::{ApiServer, Clock, Seeded};
use podgate_policy::Minor;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"web-"},"spec":{"containers":[{"name":"app",
    "image":"registry.example.com/app:1"}]}}"#;
const PODS: &str = "/api/v1/namespaces/default/pods";

/// Sends a request, and reads the answer to its end.
fn send(runtime: &Runtime, server: &ApiServer, method: &Method, path: &str, body: &'static str) {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Full::new(Bytes::from_static(body.as_bytes())));
    let request = request.expect("a request");
    let code = runtime.block_on(async {
        let response = server.clone().oneshot(request).await.expect("a response");
        let code = response.status();
        response.into_body().collect().await.expect("a body");
        code
    });
    assert!(
        matches!(code, StatusCode::OK | StatusCode::CREATED),
        "{method} {path}: {code}"
    );
}

fn requests(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let server = ApiServer::new(Server::new(Minor::NEWEST), Seeded::new(1, Clock::default()));
    for _ in 0..100 {
        send(&runtime, &server, &Method::POST, PODS, POD);
    }
    let dry_run = format!("{PODS}?dryRun=All");
    let mut group = criterion.benchmark_group("embedded server");
    for (name, method, path, body) in [
        ("GET /version", Method::GET, "/version", ""),
        ("list 100 pods", Method::GET, PODS, ""),
        ("create a pod in dry run", Method::POST, &dry_run, POD),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| send(&runtime, &server, &method, path, body));
        });
    }
    group.bench_function("fork", |bencher| bencher.iter(|| server.fork()));
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    requests(&mut criterion);
    criterion.final_summary();
}

//! A cluster that is somebody's: the embedded server behind a socket, with every request written down.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use podgate_apiserver::{ApiServer, Clock, Seeded};
use podgate_harness::run;
use podgate_harness::suite::Cluster;
use podgate_policy::Minor;
use serde_json::Value;
use tempfile::TempDir;
use tower_service::Service as _;

/// What the cluster does beside answering.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manners {
    /// In whose name it takes requests that act as nobody else; the admin's when absent.
    pub(crate) user: Option<&'static str>,
    /// What it answers in the place of the server, by the end of the path: code and body.
    pub(crate) answers: BTreeMap<&'static str, (u16, Value)>,
    /// What it does in the place of answering, by the path with its query, and how often that was asked
    /// for before.
    pub(crate) trouble: Option<fn(uri: &str, before: usize) -> Option<Trouble>>,
}

/// What a server does that has too much to do.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// It answers that, with these headers.
    Answer(u16, Vec<(&'static str, String)>, Value),
    /// It closes the connection.
    Close,
    /// It sends the beginning of the answer.
    CutOff,
}

/// A cluster with a kubeconfig that names it.
pub(crate) struct Somebodys {
    folder: TempDir,
    server: ApiServer,
    log: Log,
}

/// The requests that came in: method, path with query.
type Log = Arc<Mutex<Vec<(String, String)>>>;

impl Somebodys {
    /// A server of `minor` with the configuration and the objects of `cluster`.
    pub(crate) fn new(cluster: &Cluster, minor: Minor, manners: Manners) -> Self {
        let server = cluster
            .server(minor)
            .unwrap_or_else(|error| panic!("{error}"));
        let server = ApiServer::new(server, Seeded::new(1, Clock::default()));
        let log = Log::default();
        let address = listen(server.clone(), Arc::clone(&log), manners);
        let folder = TempDir::new().expect("a folder");
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: another\n\
             clusters: [{{name: c, cluster: {{server: 'http://{address}'}}}}, {{name: x, cluster: {{server: 'http://127.0.0.1:1'}}}}]\n\
             users: [{{name: u, user: {{token: t}}}}]\n\
             contexts: [{{name: theirs, context: {{cluster: c, user: u}}}}, {{name: another, context: {{cluster: x, user: u}}}}]\n"
        );
        std::fs::write(folder.path().join("kubeconfig"), kubeconfig).expect("written");
        let this = Self {
            folder,
            server,
            log,
        };
        let prepared = on_a_runtime(async {
            let client = kube::Client::new(this.server.clone(), "default");
            run::prepare(&client, cluster, minor).await
        });
        prepared.unwrap_or_else(|error| panic!("{error}"));
        this
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// Creates an object as its admin, behind podgate's back.
    pub(crate) fn create(&self, path: &str, object: &Value) {
        let request = Request::post(path).header("content-type", "application/json");
        let request = request.body(Full::new(Bytes::from(object.to_string())));
        let answer = self.ask(request.expect("a request"));
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    /// The names of what is stored under a path.
    pub(crate) fn names(&self, path: &str) -> Vec<String> {
        let request = Request::get(path).body(Full::new(Bytes::new()));
        let answer = self.ask(request.expect("a request"));
        let body = on_a_runtime(answer.into_body().collect())
            .expect("a body")
            .to_bytes();
        let list: Value = serde_json::from_slice(&body).expect("JSON");
        let items = list["items"]
            .as_array()
            .unwrap_or_else(|| panic!("{path}: {list}"));
        let names = items.iter().map(|item| item["metadata"]["name"].as_str());
        names.map(|name| name.expect("a name").to_owned()).collect()
    }

    /// What the server warns about when a namespace is labelled in dry run, as kubectl asks for it.
    pub(crate) fn warnings_of_labels(&self, namespace: &str, labels: &Value) -> Vec<String> {
        let patch = serde_json::json!({"metadata": {"labels": labels}}).to_string();
        let request = Request::patch(format!("/api/v1/namespaces/{namespace}?dryRun=All"))
            .header("content-type", "application/merge-patch+json")
            .body(Full::new(Bytes::from(patch)));
        let answer = self.ask(request.expect("a request"));
        assert!(answer.status().is_success(), "{}", answer.status());
        let warnings = answer.headers().get_all("warning").iter();
        let text = |value: &HeaderValue| {
            let value = value.to_str().expect("a text");
            let quoted = value.strip_prefix("299 - \"").expect("a warning");
            quoted.trim_end_matches('"').replace("\\\"", "\"")
        };
        warnings.map(text).collect()
    }

    fn ask(&self, request: Request<Full<Bytes>>) -> Response<podgate_apiserver::Body> {
        let Ok(answer) = on_a_runtime(self.server.clone().call(request));
        answer
    }

    /// The requests since the last time that somebody asked.
    pub(crate) fn requests(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.log.lock().expect("no panic"))
    }
}

/// Serves until the process ends.
fn listen(server: ApiServer, log: Log, manners: Manners) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    listener.set_nonblocking(true).expect("for tokio");
    thread::spawn(move || {
        on_a_runtime(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            while let Ok((stream, _)) = listener.accept().await {
                let (server, log, manners) = (server.clone(), Arc::clone(&log), manners.clone());
                let service = hyper::service::service_fn(move |request| {
                    answer(server.clone(), Arc::clone(&log), manners.clone(), request)
                });
                tokio::spawn(async move {
                    let http = hyper::server::conn::http1::Builder::new();
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
    });
    address
}

/// The connection was closed in the middle of a request.
#[derive(Debug, thiserror::Error)]
#[error("closed")]
struct Closed;

async fn answer(
    mut server: ApiServer,
    log: Log,
    manners: Manners,
    mut request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Closed> {
    let (method, uri) = (request.method().to_string(), request.uri().to_string());
    let before = {
        let mut log = log.lock().expect("no panic");
        let before = log.iter().filter(|(_, known)| *known == uri).count();
        log.push((method, uri.clone()));
        before
    };
    let trouble = manners.trouble.and_then(|trouble| trouble(&uri, before));
    match &trouble {
        Some(Trouble::Close) => return Err(Closed),
        Some(Trouble::Answer(code, headers, body)) => {
            let mut response = Response::builder().status(*code);
            for (name, value) in headers {
                response = response.header(*name, value);
            }
            let body = Full::new(Bytes::from(body.to_string()));
            return Ok(response.body(body).expect("a response"));
        }
        Some(Trouble::CutOff) | None => {}
    }
    let path = request.uri().path();
    let instead = manners.answers.iter().find(|(end, _)| path.ends_with(*end));
    if let Some((_, (code, body))) = instead {
        let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
        *response.status_mut() = StatusCode::from_u16(*code).expect("a code");
        return Ok(response);
    }
    let headers = request.headers_mut();
    if let Some(user) = manners.user
        && !headers.contains_key("impersonate-user")
    {
        headers.insert("impersonate-user", HeaderValue::from_static(user));
    }
    let Ok(response) = server.call(request).await;
    let (parts, body) = response.into_parts();
    let mut body = body.collect().await.expect("a body").to_bytes();
    if trouble.is_some() {
        body.truncate(body.len() / 2);
    }
    Ok(Response::from_parts(parts, Full::new(body)))
}

fn on_a_runtime<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(future)
}

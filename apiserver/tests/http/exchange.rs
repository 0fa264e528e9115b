//! One request and its response.

use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use podgate_admission::chain::Server;
use podgate_apiserver::{ApiServer, AuditAnnotations, Clock, Seeded};
use podgate_policy::Minor;
use serde_json::Value;
use tower::ServiceExt;

/// A server of that minor that has just started.
pub(crate) fn server(minor: u8) -> ApiServer {
    ApiServer::new(
        Server::new(Minor::known(minor)),
        Seeded::new(1, Clock::default()),
    )
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    /// The body; a text where it is no JSON.
    pub(crate) body: Value,
    /// The same as it came.
    pub(crate) bytes: Vec<u8>,
    pub(crate) audit: Vec<(String, String)>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().expect("a message")
    }

    pub(crate) fn warnings(&self) -> Vec<&str> {
        let values = self.headers.get_all("warning").iter();
        values.map(|v| v.to_str().expect("a text")).collect()
    }

    /// The names of the items.
    #[track_caller]
    pub(crate) fn names(&self) -> Vec<&str> {
        let items = self.body["items"].as_array().expect("a list");
        items
            .iter()
            .map(|item| item["metadata"]["name"].as_str().expect("a name"))
            .collect()
    }
}

/// Sends a request: headers as pairs, the body as it is.
pub(crate) fn send(
    server: &ApiServer,
    method: &Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &(impl AsRef<[u8]> + ?Sized),
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request
        .body(Full::<bytes::Bytes>::from(body.as_ref().to_vec()))
        .expect("a request");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let response = server.clone().oneshot(request).await.expect("a response");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        Answer {
            code: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&bytes))),
            bytes: bytes.to_vec(),
            audit: parts
                .extensions
                .get::<AuditAnnotations>()
                .map(|audit| audit.0.clone())
                .unwrap_or_default(),
        }
    })
}

pub(crate) fn get(server: &ApiServer, path: &str) -> Answer {
    send(server, &Method::GET, path, &[], "")
}

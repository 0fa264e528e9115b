//! What the server answers, before it becomes an HTTP response.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/handlers/responsewriters`.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, WARNING};
use http_body::{Frame, SizeHint};
use http_body_util::Full;
use podgate_admission::status::Status;
use podgate_admission::value::{Object, Value};

use crate::{json, warning};

/// The body of a response: all of it at once.
#[derive(Debug, Default)]
pub struct Body(Full<Bytes>);

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// The audit annotations of a request with their keys, in the order in which plugins made them.
///
/// A real server writes them into its audit log only. This one puts them beside the response too, as
/// an extension of [`http::Response`], where a caller in the same process finds them:
/// `response.extensions().get::<AuditAnnotations>()`. It is there only when there are some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditAnnotations(pub Vec<(String, String)>);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    code: u16,
    body: Vec<u8>,
    plain: bool,
    nosniff: bool,
    warnings: Vec<String>,
    audit: Vec<(String, String)>,
}

impl Answer {
    /// JSON that is already written.
    pub(crate) fn json(code: u16, mut body: Vec<u8>) -> Self {
        // Go's encoder ends every document with a line feed.
        body.push(b'\n');
        Self {
            code,
            body,
            plain: false,
            nosniff: false,
            warnings: Vec::new(),
            audit: Vec::new(),
        }
    }

    /// A text that is no JSON.
    pub(crate) fn text(code: u16, text: &str) -> Self {
        Self {
            code,
            body: text.as_bytes().to_vec(),
            plain: true,
            nosniff: true,
            warnings: Vec::new(),
            audit: Vec::new(),
        }
    }

    /// The text for a path that is none of the API's.
    pub(crate) fn no_page() -> Self {
        Self::text(404, "404 page not found\n")
    }

    /// An object.
    pub(crate) fn object(code: u16, object: &Value<'_>) -> Self {
        let mut body = Vec::with_capacity(2048);
        json::write(object, &mut body);
        Self::json(code, body)
    }

    /// A refusal by authorization, which upstream answers before any handler runs.
    pub(crate) fn forbidden(status: &Status) -> Self {
        Self {
            nosniff: true,
            ..Self::from(status)
        }
    }

    /// The same with the warnings and the audit annotations of admission.
    pub(crate) fn with(mut self, warnings: Vec<String>, audit: Vec<(String, String)>) -> Self {
        self.warnings = warnings;
        self.audit = audit;
        self
    }

    /// Becomes a response.
    pub(crate) fn into_response(self) -> http::Response<Body> {
        const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache, private");
        const JSON: HeaderValue = HeaderValue::from_static("application/json");
        const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
        const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
        let mut response = http::Response::new(Body(Full::new(Bytes::from(self.body))));
        *response.status_mut() = http::StatusCode::from_u16(self.code)
            .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, NO_CACHE);
        headers.insert(CONTENT_TYPE, if self.plain { TEXT } else { JSON });
        if self.nosniff {
            headers.insert(HeaderName::from_static("x-content-type-options"), NOSNIFF);
        }
        for value in warning::headers(&self.warnings) {
            headers.append(WARNING, value);
        }
        if !self.audit.is_empty() {
            response
                .extensions_mut()
                .insert(AuditAnnotations(self.audit));
        }
        response
    }
}

impl From<&Status> for Answer {
    fn from(status: &Status) -> Self {
        Self::object(status.code, &failure(status))
    }
}

impl From<Status> for Answer {
    fn from(status: Status) -> Self {
        Self::from(&status)
    }
}

/// The Status object of a failure.
fn failure(status: &Status) -> Value<'_> {
    let mut object = header("Failure");
    object.insert("message", status.message.as_str());
    if !status.reason.is_empty() {
        object.insert("reason", status.reason);
    }
    if let Some(details) = &status.details {
        let mut written = Object::new();
        for (key, value) in [
            ("name", &details.name),
            ("group", &details.group),
            ("kind", &details.kind),
        ] {
            if !value.is_empty() {
                written.insert(key, value.as_str());
            }
        }
        if !details.causes.is_empty() {
            let causes = details.causes.iter().map(|cause| {
                let texts = [
                    ("reason", cause.reason),
                    ("message", &cause.message),
                    ("field", &cause.field),
                ];
                Value::from(Object::from_iter(
                    texts.into_iter().filter(|(_, text)| !text.is_empty()),
                ))
            });
            written.insert("causes", causes.collect::<Vec<_>>());
        }
        if details.retry_after_seconds > 0 {
            written.insert("retryAfterSeconds", i64::from(details.retry_after_seconds));
        }
        object.insert("details", written);
    }
    object.insert("code", i64::from(status.code));
    Value::from(object)
}

/// The Status object that says that an object was deleted.
///
/// Upstream: `k8s.io/apiserver/pkg/registry/generic/registry/store.go`, `finalizeDelete`.
pub(crate) fn success<'a>(name: &'a str, group: &'a str, kind: &'a str, uid: &'a str) -> Value<'a> {
    let mut object = header("Success");
    let details = [
        ("name", name),
        ("group", group),
        ("kind", kind),
        ("uid", uid),
    ];
    object.insert(
        "details",
        Object::from_iter(details.into_iter().filter(|(_, text)| !text.is_empty())),
    );
    Value::from(object)
}

fn header(status: &'static str) -> Object<'static> {
    let mut object = Object::from_iter([("kind", "Status"), ("apiVersion", "v1")]);
    object.insert("metadata", Object::new());
    object.insert("status", status);
    object
}

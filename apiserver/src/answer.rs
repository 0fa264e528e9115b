//! What the server answers, before it becomes an HTTP response.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/handlers/responsewriters`.

use std::borrow::Cow;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH, RETRY_AFTER, VARY,
    WARNING,
};
use http_body::{Frame, SizeHint};
use http_body_util::Full;
use podgate_admission::encode::{encode, encode_untyped};
use podgate_admission::schema::Struct;
use podgate_admission::status::Status;
use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;
use sha2::{Digest as _, Sha512};

use crate::watch::Watch;
use crate::{failure, protobuf};

/// The body of a response: all of it at once, or the events of a watch as they happen.
#[derive(Debug, Default)]
pub struct Body(Content);

#[derive(Debug)]
enum Content {
    Whole(Full<Bytes>),
    Events(Box<Watch>),
}

impl Default for Content {
    fn default() -> Self {
        Self::Whole(Full::default())
    }
}

impl Body {
    /// Whether it goes on until the client, the server or a time limit ends it.
    #[must_use]
    pub fn is_watch(&self) -> bool {
        matches!(self.0, Content::Events(_))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.0 {
            Content::Whole(body) => Pin::new(body).poll_frame(context),
            Content::Events(watch) => watch
                .poll_events(context)
                .map(|events| events.map(|events| Ok(Frame::data(events)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Content::Whole(body) => body.is_end_stream(),
            Content::Events(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Content::Whole(body) => body.size_hint(),
            Content::Events(_) => SizeHint::default(),
        }
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
    /// After how many seconds the client may try again; zero where nothing is said.
    retry_after: u32,
    /// What comes instead of the body.
    watch: Option<Box<Watch>>,
    /// What stands in the place of the usual headers, or beside them.
    headers: Vec<(HeaderName, String)>,
    warnings: Vec<String>,
    audit: Vec<(String, String)>,
}

impl Answer {
    /// JSON that is already written.
    pub(crate) fn json(code: u16, mut body: String) -> Self {
        // Go's encoder ends every document with a line feed.
        body.push('\n');
        Self {
            code,
            body: body.into_bytes(),
            plain: false,
            nosniff: false,
            retry_after: 0,
            watch: None,
            headers: Vec::new(),
            warnings: Vec::new(),
            audit: Vec::new(),
        }
    }

    /// Whether it is no refusal.
    pub(crate) fn succeeded(&self) -> bool {
        self.code < 300
    }

    /// The same with another document, of which nothing but the text is known here.
    pub(crate) fn with_body(mut self, mut body: String) -> Self {
        body.push('\n');
        self.body = body.into_bytes();
        self
    }

    /// A text that is no JSON.
    pub(crate) fn text(code: u16, text: &str) -> Self {
        Self {
            code,
            body: text.as_bytes().to_vec(),
            plain: true,
            nosniff: true,
            retry_after: 0,
            watch: None,
            headers: Vec::new(),
            warnings: Vec::new(),
            audit: Vec::new(),
        }
    }

    /// Bytes of some type.
    pub(crate) fn bytes(body: Vec<u8>, content_type: &str) -> Self {
        Self {
            body,
            nosniff: false,
            ..Self::text(200, "")
        }
        .with_type(content_type)
    }

    /// Nothing but a code.
    pub(crate) fn empty(code: u16) -> Self {
        Self {
            nosniff: false,
            ..Self::text(code, "")
        }
    }

    /// The text for a path that is none of the API's.
    pub(crate) fn no_page() -> Self {
        Self::text(404, "404 page not found\n")
    }

    /// An object of the API.
    pub(crate) fn object(code: u16, object: &Value<'_>, schema: &Struct, minor: Minor) -> Self {
        Self::json(code, encode(object, schema, minor))
    }

    /// An object that has no schema: its keys come in their order.
    pub(crate) fn document(object: &Value<'_>) -> Self {
        Self::json(200, encode_untyped(object))
    }

    /// The events of a watch.
    pub(crate) fn events(watch: Watch) -> Self {
        Self {
            watch: Some(Box::new(watch)),
            ..Self::json(200, String::new())
        }
    }

    /// The same as protobuf, where it is an object or events of such. A text stays what it is, and what has
    /// no form in protobuf, as a table, is refused (`errNotMarshalable` in
    /// `k8s.io/apimachinery/pkg/runtime/serializer/protobuf`).
    pub(crate) fn into_protobuf(mut self, minor: Minor) -> Self {
        if self.watch.is_some() {
            // Its events are written in that form.
            return self.with_type(protobuf::STREAM_TYPE);
        }
        if self.plain {
            return self;
        }
        if let Some(body) = protobuf::of_json(&self.body, minor) {
            self.body = body;
        } else {
            let status = failure::not_convertible(
                "object *v1.Table does not implement the protobuf marshalling interface and cannot be \
                 encoded to a protobuf message"
                    .to_owned(),
            );
            self.code = status.code;
            let json = status.to_json();
            self.body = protobuf::of_json(json.as_bytes(), minor).unwrap_or_default();
        }
        self.with_type(protobuf::TYPE)
    }

    /// A refusal by authorization, which upstream answers before any handler runs.
    pub(crate) fn forbidden(status: &Status) -> Self {
        Self {
            nosniff: true,
            ..Self::from(status)
        }
    }

    /// The same with another content type.
    pub(crate) fn with_type(self, content_type: &str) -> Self {
        self.with_header(CONTENT_TYPE, content_type)
    }

    /// The same with a header, in the place of the one that it would have.
    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The same with a tag that tells it from any other; without a body where that is the one that the
    /// client has (`ServeHTTPWithETag` in `endpoints/discovery/aggregated/etag.go`).
    pub(crate) fn with_etag(mut self, request: &HeaderMap) -> Self {
        let tag = format!("\"{}\"", hash(&self.body));
        if request
            .get(IF_NONE_MATCH)
            .is_some_and(|known| known == tag.as_str())
        {
            self.code = 304;
            self.body.clear();
        }
        self.with_header(ETAG, &tag)
            .with_header(VARY, "Accept")
            .with_header(CACHE_CONTROL, "public")
    }

    /// The same with the warnings and the audit annotations of admission.
    pub(crate) fn with(mut self, warnings: Vec<String>, audit: Vec<(String, String)>) -> Self {
        self.warnings = warnings;
        self.audit = audit;
        self
    }

    /// The same with a warning in front, unless admission has put it there.
    pub(crate) fn warning_first(mut self, warning: Option<String>) -> Self {
        if let Some(warning) = warning
            && !self.warnings.contains(&warning)
        {
            self.warnings.insert(0, warning);
        }
        self
    }

    /// Becomes a response.
    pub(crate) fn into_response(self) -> http::Response<Body> {
        const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache, private");
        const JSON: HeaderValue = HeaderValue::from_static("application/json");
        const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
        const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
        let is_empty = self.body.is_empty() && self.watch.is_none();
        let content = match self.watch {
            Some(watch) => Content::Events(watch),
            None => Content::Whole(Full::new(Bytes::from(self.body))),
        };
        let mut response = http::Response::new(Body(content));
        *response.status_mut() = http::StatusCode::from_u16(self.code)
            .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, NO_CACHE);
        headers.insert(CONTENT_TYPE, if self.plain { TEXT } else { JSON });
        if self.nosniff {
            headers.insert(HeaderName::from_static("x-content-type-options"), NOSNIFF);
        }
        if self.retry_after > 0 {
            headers.insert(RETRY_AFTER, self.retry_after.into());
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        if is_empty {
            headers.remove(CONTENT_TYPE);
        }
        for value in self.warnings.iter().filter_map(|text| warning(text)) {
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
        Self {
            retry_after: status.details.as_ref().map_or(0, |d| d.retry_after_seconds),
            ..Self::json(status.code, status.to_json())
        }
    }
}

impl From<Status> for Answer {
    fn from(status: Status) -> Self {
        Self::from(&status)
    }
}

/// SHA-512 in upper case, as upstream tags documents.
pub(crate) fn hash(document: &[u8]) -> String {
    format!("{:X}", Bytes::copy_from_slice(&Sha512::digest(document)))
}

/// The Status object that says that an object was deleted.
///
/// Upstream: `k8s.io/apiserver/pkg/registry/generic/registry/store.go`, `finalizeDelete`.
pub(crate) fn success<'a>(name: &'a str, group: &'a str, kind: &'a str, uid: &'a str) -> Value<'a> {
    let mut object = Object::from_iter([("kind", "Status"), ("apiVersion", "v1")]);
    object.insert("metadata", Object::new());
    object.insert("status", "Success");
    let details = [
        ("name", name),
        ("group", group),
        ("kind", kind),
        ("uid", uid),
    ];
    object.insert(
        "details",
        details
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .collect::<Object<'_>>(),
    );
    Value::from(object)
}

/// `299 - "TEXT"` (`NewWarningHeader` in `k8s.io/apimachinery/pkg/util/net/http.go`). Which texts are
/// sent, and how much of them, admission has decided.
fn warning(text: &str) -> Option<HeaderValue> {
    let text = if text.contains(['\\', '"']) {
        Cow::Owned(text.replace('\\', r"\\").replace('"', r#"\""#))
    } else {
        Cow::Borrowed(text)
    };
    HeaderValue::try_from(format!("299 - \"{text}\"").into_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a b", r#"299 - "a b""#)]
    #[case(r#"say "x\y""#, r#"299 - "say \"x\\y\"""#)]
    #[case("ä", r#"299 - "ä""#)]
    fn warnings_are_quoted(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(
            warning(text).expect("a header").as_bytes(),
            expected.as_bytes()
        );
    }
}

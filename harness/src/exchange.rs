//! One request and its answer, the same on every backend: users' documents as they are, and of the
//! answer the code, the warnings and the body. `kube::Api` would drop the first two, and what its
//! types do not know.

use http::{HeaderName, Method, Request};
use kube::Client;
use kube::client::Body;
use serde_json::Value;

use crate::error::{Error, causes};

/// What the server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP code.
    pub code: u16,
    /// The texts of the `Warning` headers.
    pub warnings: Vec<String>,
    /// The audit annotations that the embedded server puts beside its answer.
    pub audit: Vec<(String, String)>,
    /// What a real server calls the request in its audit log.
    pub audit_id: Option<String>,
    /// The body: the object, or a Status.
    pub body: Value,
}

impl Answer {
    /// Whether the server did what it was asked for.
    #[must_use]
    pub const fn succeeded(&self) -> bool {
        self.code < 300
    }

    /// The message of a Status.
    #[must_use]
    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

/// In whose name a request is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The client's own: the cluster's admin.
    Admin,
    /// Somebody else, by impersonation.
    User {
        /// The user's name.
        name: String,
        /// Groups beside those that the server derives.
        groups: Vec<String>,
    },
}

impl Identity {
    /// Whether authorization lets it do everything: a member of `system:masters`.
    #[must_use]
    pub fn is_master(&self) -> bool {
        match self {
            Self::Admin => true,
            Self::User { groups, .. } => groups.iter().any(|group| group == "system:masters"),
        }
    }

    /// The name that outcomes show: `admin`, the user's, or a service account's short one.
    #[must_use]
    pub fn shown(&self) -> &str {
        match self {
            Self::Admin => "admin",
            Self::User { name, .. } => name
                .strip_prefix("system:serviceaccount:kube-system:")
                .unwrap_or(name),
        }
    }
}

/// A request to the API server.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The HTTP method.
    pub method: Method,
    /// The path with its query.
    pub path: String,
    /// The body and its content type.
    pub body: Option<(&'static str, &'a [u8])>,
    /// In whose name.
    pub identity: &'a Identity,
}

/// Makes one request.
pub async fn exchange(client: &Client, call: Call<'_>) -> Result<Answer, Error> {
    const IMPERSONATE_USER: HeaderName = HeaderName::from_static("impersonate-user");
    const IMPERSONATE_GROUP: HeaderName = HeaderName::from_static("impersonate-group");

    let broken = |what: &dyn std::fmt::Display| {
        Error::environment(format!("{} {}: {what}", call.method, call.path))
    };
    let mut request = Request::builder().method(&call.method).uri(&call.path);
    request = request.header(http::header::ACCEPT, "application/json");
    if let Identity::User { name, groups } = call.identity {
        request = request.header(IMPERSONATE_USER, name);
        for group in groups {
            request = request.header(IMPERSONATE_GROUP, group);
        }
    }
    let body = match call.body {
        Some((content_type, bytes)) => {
            request = request.header(http::header::CONTENT_TYPE, content_type);
            Body::from(bytes.to_vec())
        }
        None => Body::empty(),
    };
    let request = request.body(body).map_err(|e| broken(&e))?;
    let response = client
        .send(request)
        .await
        .map_err(|e| broken(&causes(&e)))?;
    let code = response.status().as_u16();
    let warnings = response
        .headers()
        .get_all(http::header::WARNING)
        .iter()
        .filter_map(|value| warning_text(value.as_bytes()))
        .collect();
    let audit = response
        .extensions()
        .get::<podgate_apiserver::AuditAnnotations>()
        .map(|annotations| annotations.0.clone())
        .unwrap_or_default();
    let audit_id = response
        .headers()
        .get("audit-id")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let bytes = response
        .into_body()
        .collect_bytes()
        .await
        .map_err(|e| broken(&e))?;
    let body = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes)
            .map_err(|e| broken(&format!("the answer is no JSON: {e}")))?
    };
    Ok(Answer {
        code,
        warnings,
        audit,
        audit_id,
        body,
    })
}

/// The text of a `Warning` header value: `299 - "TEXT"`, with a date behind it at most.
fn warning_text(value: &[u8]) -> Option<String> {
    let value = String::from_utf8_lossy(value);
    let quoted = value.strip_prefix("299 ")?.split_once(" \"")?.1;
    let mut text = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some(text),
            '\\' => text.push(characters.next()?),
            character => text.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        r#"299 - "would violate PodSecurity \"restricted:latest\": x""#,
        Some(r#"would violate PodSecurity "restricted:latest": x"#)
    )]
    #[case(r#"299 kube "a \\ b" "Mon, 23 Nov 2026 00:00:00 GMT""#, Some(r"a \ b"))]
    #[case(r#"299 - """#, Some(""))]
    #[case(r#"199 - "x""#, None)]
    #[case(r#"299 - "x"#, None)]
    fn reads_warnings(#[case] value: &str, #[case] text: Option<&str>) {
        assert_eq!(warning_text(value.as_bytes()).as_deref(), text);
    }
}

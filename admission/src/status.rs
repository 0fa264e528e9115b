//! The Status object: what the server answers where it does not answer with the object.
//!
//! Upstream's counterpart is `k8s.io/apimachinery/pkg/api/errors/errors.go`, the source of the
//! messages, and `util/validation/field/errors.go` for lists of invalid fields.

use crate::encode::encode_untyped;
use crate::quote::quote;
use crate::value::{Object, Value};

/// `meta/v1.Status` of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The HTTP code.
    pub code: u16,
    /// `reason`: `Forbidden`, `Invalid`, `NotFound` ...
    pub reason: &'static str,
    /// `message`, as the user reads it.
    pub message: String,
    /// `details`
    pub details: Option<Box<Details>>,
}

/// `meta/v1.StatusDetails`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The name of the object; empty where it has none.
    pub name: String,
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind, or the resource: upstream writes either here.
    pub kind: String,
    /// What exactly is wrong.
    pub causes: Vec<Cause>,
    /// After how many seconds a client may try again; zero where nothing is said.
    pub retry_after_seconds: u32,
}

/// `meta/v1.StatusCause`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// `FieldValueInvalid` and the like.
    pub reason: &'static str,
    /// The text behind the field's path.
    pub message: String,
    /// The path of the field.
    pub field: String,
}

/// A group with one of its resources or kinds, as messages name them: `deployments.apps`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grouped<'a> {
    /// The API group; empty for the core group.
    pub group: &'a str,
    /// The resource (`deployments`) or the kind (`Deployment`).
    pub name: &'a str,
}

impl std::fmt::Display for Grouped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        Ok(())
    }
}

impl Grouped<'_> {
    fn details(self, name: &str) -> Details {
        Details {
            name: name.to_owned(),
            group: self.group.to_owned(),
            kind: self.name.to_owned(),
            ..Details::default()
        }
    }
}

impl Status {
    fn new(code: u16, reason: &'static str, message: String, details: Option<Details>) -> Self {
        Self {
            code,
            reason,
            message,
            details: details.map(Box::new),
        }
    }

    /// An admission plugin or the authorizer says no: `NewForbidden`. Where the object has no name
    /// the message is about the resource as a whole.
    #[must_use]
    pub fn forbidden(resource: Grouped<'_>, name: &str, error: &str) -> Self {
        let message = if name.is_empty() {
            format!("{resource} is forbidden: {error}")
        } else {
            format!("{resource} {} is forbidden: {error}", quote(name))
        };
        let details = resource.details(name);
        Self::new(403, "Forbidden", message, Some(details))
    }

    /// Validation says no: `NewInvalid`. The message has each text once, the causes have all.
    #[must_use]
    pub fn invalid(kind: Grouped<'_>, name: &str, causes: Vec<Cause>) -> Self {
        let mut texts: Vec<String> = Vec::new();
        for cause in &causes {
            let text = format!("{}: {}", cause.field, cause.message);
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        // `utilerrors.aggregate`
        let list = match texts.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let message = if causes.is_empty() {
            format!("{kind} {} is invalid", quote(name))
        } else {
            format!("{kind} {} is invalid: {list}", quote(name))
        };
        let mut details = kind.details(name);
        details.causes = causes;
        Self::new(422, "Invalid", message, Some(details))
    }

    /// `NewNotFound`
    #[must_use]
    pub fn not_found(resource: Grouped<'_>, name: &str) -> Self {
        let message = format!("{resource} {} not found", quote(name));
        Self::new(404, "NotFound", message, Some(resource.details(name)))
    }

    /// The server has no such path: `NewGenericServerResponse` as the mux answers.
    #[must_use]
    pub fn no_such_path() -> Self {
        Self::new(
            404,
            "NotFound",
            "the server could not find the requested resource".to_owned(),
            Some(Details::default()),
        )
    }

    /// `NewAlreadyExists`
    #[must_use]
    pub fn already_exists(resource: Grouped<'_>, name: &str) -> Self {
        let message = format!("{resource} {} already exists", quote(name));
        Self::new(409, "AlreadyExists", message, Some(resource.details(name)))
    }

    /// `NewConflict`: the object changed since it was read, or another reason in `error`.
    #[must_use]
    pub fn conflict(resource: Grouped<'_>, name: &str, error: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {resource} {}: {error}",
            quote(name)
        );
        Self::new(409, "Conflict", message, Some(resource.details(name)))
    }

    /// `NewApplyConflict`: fields of a server-side apply that others own.
    #[must_use]
    pub fn apply_conflict(causes: Vec<Cause>, message: String) -> Self {
        let details = Details {
            causes,
            ..Details::default()
        };
        Self::new(409, "Conflict", message, Some(details))
    }

    /// `NewBadRequest`
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message.into(), None)
    }

    /// `NewUnauthorized`
    #[must_use]
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(401, "Unauthorized", message.into(), None)
    }

    /// `NewInternalError`
    #[must_use]
    pub fn internal_error(error: &str) -> Self {
        let details = Details {
            // The reason of this cause is empty upstream.
            causes: vec![Cause {
                reason: "",
                message: error.to_owned(),
                field: String::new(),
            }],
            ..Details::default()
        };
        let message = format!("Internal error occurred: {error}");
        Self::new(500, "InternalError", message, Some(details))
    }

    /// `NewServerTimeout`: the operation cannot be completed now.
    #[must_use]
    pub fn server_timeout(resource: Grouped<'_>, operation: &str, retry_after: u32) -> Self {
        let message = format!(
            "The {operation} operation against {resource} could not be completed at this time, \
             please try again."
        );
        let mut details = resource.details(operation);
        details.retry_after_seconds = retry_after;
        Self::new(500, "ServerTimeout", message, Some(details))
    }

    /// `NewMethodNotSupported`: `method` is upstream's verb (`create`, `delete collection`).
    #[must_use]
    pub fn method_not_supported(resource: Grouped<'_>, method: &str) -> Self {
        let message = format!(
            "{method} is not supported on resources of kind {}",
            quote(&resource.to_string())
        );
        let details = resource.details("");
        Self::new(405, "MethodNotAllowed", message, Some(details))
    }

    /// The server cannot read the body's media type.
    #[must_use]
    pub fn unsupported_media_type(message: impl Into<String>) -> Self {
        Self::new(415, "UnsupportedMediaType", message.into(), None)
    }

    /// `NewRequestEntityTooLargeError`
    #[must_use]
    pub fn request_too_large(message: &str) -> Self {
        let message = format!("Request entity too large: {message}");
        Self::new(413, "RequestEntityTooLarge", message, None)
    }

    /// The object of the answer, fields in the server's order.
    #[must_use]
    pub fn to_value(&self) -> Value<'static> {
        let mut status = Object::new();
        status.insert("kind", "Status");
        status.insert("apiVersion", "v1");
        status.insert("metadata", Object::new());
        status.insert("status", "Failure");
        insert_text(&mut status, "message", &self.message);
        insert_text(&mut status, "reason", self.reason);
        if let Some(details) = &self.details {
            status.insert("details", details.to_value());
        }
        status.insert("code", i64::from(self.code));
        Value::Object(status)
    }

    /// The body of the answer.
    #[must_use]
    pub fn to_json(&self) -> String {
        encode_untyped(&self.to_value())
    }
}

impl Details {
    fn to_value(&self) -> Value<'static> {
        let mut details = Object::new();
        insert_text(&mut details, "name", &self.name);
        insert_text(&mut details, "group", &self.group);
        insert_text(&mut details, "kind", &self.kind);
        if !self.causes.is_empty() {
            let causes: Vec<_> = self.causes.iter().map(Cause::to_value).collect();
            details.insert("causes", causes);
        }
        if self.retry_after_seconds > 0 {
            details.insert("retryAfterSeconds", i64::from(self.retry_after_seconds));
        }
        Value::Object(details)
    }
}

impl Cause {
    fn to_value(&self) -> Value<'static> {
        let mut cause = Object::new();
        insert_text(&mut cause, "reason", self.reason);
        insert_text(&mut cause, "message", &self.message);
        insert_text(&mut cause, "field", &self.field);
        Value::Object(cause)
    }
}

/// Every text of a Status is left out where it is empty.
fn insert_text(object: &mut Object<'static>, key: &'static str, text: &str) {
    if !text.is_empty() {
        object.insert(key, text.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::{Cause, Details, Grouped, Status};
    use rstest::rstest;
    use serde_json::Value as Json;

    const PODS: Grouped<'_> = Grouped {
        group: "",
        name: "pods",
    };
    const DEPLOYMENT: Grouped<'_> = Grouped {
        group: "apps",
        name: "Deployment",
    };

    fn cause(message: &str, field: &str) -> Cause {
        Cause {
            reason: "FieldValueRequired",
            message: message.to_owned(),
            field: field.to_owned(),
        }
    }

    // The bodies are those of real servers' answers, in the order of `meta/v1.Status`.
    #[rstest]
    #[case(
        Status::forbidden(PODS, "dup", "violates PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true)"),
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods \"dup\" is forbidden: violates PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true)","reason":"Forbidden","details":{"name":"dup","kind":"pods"},"code":403}"#
    )]
    #[case(
        Status::forbidden(PODS, "", "User \"alice\" cannot list resource \"pods\" in API group \"\" in the namespace \"web\""),
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods is forbidden: User \"alice\" cannot list resource \"pods\" in API group \"\" in the namespace \"web\"","reason":"Forbidden","details":{"kind":"pods"},"code":403}"#
    )]
    #[case(
        Status::already_exists(PODS, "one"),
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods \"one\" already exists","reason":"AlreadyExists","details":{"name":"one","kind":"pods"},"code":409}"#
    )]
    #[case(
        Status::not_found(PODS, "nope"),
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods \"nope\" not found","reason":"NotFound","details":{"name":"nope","kind":"pods"},"code":404}"#
    )]
    #[case(
        Status::no_such_path(),
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"the server could not find the requested resource","reason":"NotFound","details":{},"code":404}"#
    )]
    #[case(
        Status::conflict(PODS, "one", "the object has been modified; please apply your changes to the latest version and try again"),
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Operation cannot be fulfilled on pods \"one\": the object has been modified; please apply your changes to the latest version and try again","reason":"Conflict","details":{"name":"one","kind":"pods"},"code":409}"#
    )]
    #[case(
        Status::bad_request("the namespace of the provided object does not match the namespace sent on the request"),
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"the namespace of the provided object does not match the namespace sent on the request","reason":"BadRequest","code":400}"#
    )]
    #[case(
        Status::internal_error("failed to lookup namespace \"x\""),
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Internal error occurred: failed to lookup namespace \"x\"","reason":"InternalError","details":{"causes":[{"message":"failed to lookup namespace \"x\""}]},"code":500}"#
    )]
    #[case(
        Status::invalid(DEPLOYMENT, "bad", vec![cause("Required value", "spec.selector")]),
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Deployment.apps \"bad\" is invalid: spec.selector: Required value","reason":"Invalid","details":{"name":"bad","group":"apps","kind":"Deployment","causes":[{"reason":"FieldValueRequired","message":"Required value","field":"spec.selector"}]},"code":422}"#
    )]
    fn bodies(#[case] status: Status, #[case] expected: &str) {
        assert_eq!(status.to_json(), expected);
    }

    #[test]
    fn the_message_has_each_text_once_and_the_causes_have_all() {
        let causes = vec![
            cause("Required value", "b"),
            cause("Required value", "a"),
            cause("Required value", "b"),
        ];
        let status = Status::invalid(PODS, "p", causes.clone());
        assert_eq!(
            status.message,
            r#"pods "p" is invalid: [b: Required value, a: Required value]"#
        );
        assert_eq!(status.details.unwrap().causes, causes);

        let twice = vec![cause("x", "a"), cause("x", "a")];
        assert_eq!(
            Status::invalid(PODS, "p", twice).message,
            r#"pods "p" is invalid: a: x"#
        );
    }

    #[test]
    fn failures_are_written_as_recorded() {
        let Some(lines) = crate::truth::lines("http") else {
            return;
        };
        let mut failures = 0;
        for (minor, line) in lines {
            let line: Json = serde_json::from_str(&line).unwrap();
            let answer = &line["answer"];
            if answer["kind"] != "Status" || answer["status"] != "Failure" {
                continue;
            }
            let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
            let details = &answer["details"];
            let causes = details["causes"].as_array().into_iter().flatten();
            let status = Status {
                code: u16::try_from(answer["code"].as_u64().unwrap()).unwrap(),
                reason: text(&answer["reason"]).leak(),
                message: text(&answer["message"]),
                details: details.is_object().then(|| {
                    Box::new(Details {
                        name: text(&details["name"]),
                        group: text(&details["group"]),
                        kind: text(&details["kind"]),
                        causes: causes
                            .map(|cause| Cause {
                                reason: text(&cause["reason"]).leak(),
                                message: text(&cause["message"]),
                                field: text(&cause["field"]),
                            })
                            .collect(),
                        retry_after_seconds: details["retryAfterSeconds"]
                            .as_u64()
                            .map_or(0, |n| u32::try_from(n).unwrap()),
                    })
                }),
            };
            let written: Json = serde_json::from_str(&status.to_json()).unwrap();
            assert_eq!(&written, answer, "{minor}: {line}");
            failures += 1;
        }
        assert!(failures > 50, "{failures} failures written");
    }
}

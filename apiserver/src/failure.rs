//! The failures that come from the store and from HTTP, as far as [`Status`] has no constructor.
//!
//! Upstream: `k8s.io/apimachinery/pkg/api/errors/errors.go`.

use podgate_admission::resource::Resource;
use podgate_admission::status::{Cause, Details, Grouped, Status};

/// The resource as messages name it.
pub(crate) fn resource(resource: &Resource) -> Grouped<'static> {
    Grouped {
        group: resource.group,
        name: resource.name,
    }
}

/// The kind as messages name it.
pub(crate) fn kind(resource: &Resource) -> Grouped<'static> {
    Grouped {
        group: resource.group,
        name: resource.kind,
    }
}

/// `NewGenerateNameConflict`
pub(crate) fn generated_name_exists(of: &Resource, name: &str) -> Status {
    let mut status = Status::already_exists(resource(of), name);
    status
        .message
        .push_str(", the server was not able to generate a unique name for the object");
    status
}

/// An error that upstream gives no reason: its text, with code 500 (`ErrorToAPIStatus` in
/// `k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/status.go`).
pub(crate) fn unclassified(message: String) -> Status {
    Status {
        code: 500,
        reason: "",
        message,
        details: None,
    }
}

/// `NewResourceExpired`
pub(crate) fn expired(message: impl Into<String>) -> Status {
    Status {
        code: 410,
        reason: "Expired",
        message: message.into(),
        details: None,
    }
}

/// `NewTooLargeResourceVersionError` in `k8s.io/apiserver/pkg/storage/errors.go`: a version that nobody has
/// written yet.
pub(crate) fn too_large_version(wanted: u64, current: u64) -> Status {
    Status {
        code: 504,
        reason: "Timeout",
        message: format!("Timeout: Too large resource version: {wanted}, current: {current}"),
        details: Some(Box::new(Details {
            causes: vec![Cause {
                reason: "ResourceVersionTooLarge",
                message: "Too large resource version".to_owned(),
                field: String::new(),
            }],
            // `resourceVersionTooHighRetrySeconds` in `storage/cacher/watch_cache.go`
            retry_after_seconds: 1,
            ..Details::default()
        })),
    }
}

/// `NewGenericServerResponse` for a method that a path does not have.
pub(crate) fn method_not_allowed() -> Status {
    generic(
        405,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
    )
}

/// `NewGenericServerResponse` for the content type of a patch that no route consumes.
pub(crate) fn no_such_patch() -> Status {
    generic(415, "UnsupportedMediaType", "415: Unsupported Media Type")
}

/// `NewGenericServerResponse` for a JSON patch that cannot be applied.
pub(crate) fn patch_not_applicable() -> Status {
    generic(
        422,
        "Invalid",
        "the server rejected our request due to an error in our request",
    )
}

fn generic(code: u16, reason: &'static str, message: &str) -> Status {
    Status {
        code,
        reason,
        message: message.to_owned(),
        details: Some(Box::new(Details::default())),
    }
}

/// `NewUnsupportedMediaTypeError` in `endpoints/handlers/negotiation/errors.go`.
pub(crate) fn unsupported_media_type(accepted: &str) -> Status {
    Status::unsupported_media_type(format!(
        "the body of the request was in an unknown format - accepted media types include: {accepted}"
    ))
}

/// `NewNotAcceptableError` in `endpoints/handlers/negotiation/errors.go`.
pub(crate) fn not_acceptable(accepted: &str) -> Status {
    Status {
        code: 406,
        reason: "NotAcceptable",
        message: format!("only the following media types are accepted: {accepted}"),
        details: None,
    }
}

/// `newNotAcceptableError` in `endpoints/handlers/response.go`: the object has no such form.
pub(crate) fn not_convertible(message: String) -> Status {
    Status {
        code: 406,
        reason: "NotAcceptable",
        message,
        details: None,
    }
}

/// `NewTimeoutError`, as `WithTimeoutForNonLongRunningRequests` in
/// `k8s.io/apiserver/pkg/server/filters/timeout.go` has it.
#[cfg(feature = "serve")]
pub(crate) fn timeout() -> Status {
    generic(
        504,
        "Timeout",
        "Timeout: request did not complete within the allotted timeout",
    )
}

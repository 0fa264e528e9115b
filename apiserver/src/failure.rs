//! The failures that come from the store and from HTTP, not from admission.
//!
//! Upstream: `k8s.io/apimachinery/pkg/api/errors/errors.go`.

use podgate_admission::resource::Resource;
use podgate_admission::status::{Details, Status};

/// `NewBadRequest`
pub(crate) fn bad_request(message: String) -> Status {
    Status {
        code: 400,
        reason: "BadRequest",
        message,
        details: None,
    }
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

/// `NewNotFound`
pub(crate) fn not_found(resource: &Resource, name: &str) -> Status {
    about(404, "NotFound", resource, name, |what| {
        format!("{what} \"{name}\" not found")
    })
}

/// `NewAlreadyExists`
pub(crate) fn already_exists(resource: &Resource, name: &str) -> Status {
    about(409, "AlreadyExists", resource, name, |what| {
        format!("{what} \"{name}\" already exists")
    })
}

/// `NewGenerateNameConflict`
pub(crate) fn generated_name_exists(resource: &Resource, name: &str) -> Status {
    about(409, "AlreadyExists", resource, name, |what| {
        format!(
            "{what} \"{name}\" already exists, the server was not able to generate a unique name \
             for the object"
        )
    })
}

/// `NewConflict`
pub(crate) fn conflict(resource: &Resource, name: &str, why: &str) -> Status {
    about(409, "Conflict", resource, name, |what| {
        format!("Operation cannot be fulfilled on {what} \"{name}\": {why}")
    })
}

fn about(
    code: u16,
    reason: &'static str,
    resource: &Resource,
    name: &str,
    message: impl FnOnce(&str) -> String,
) -> Status {
    Status {
        code,
        reason,
        message: message(&resource.qualified()),
        details: Some(Box::new(Details {
            name: name.to_owned(),
            group: resource.group.to_owned(),
            kind: resource.name.to_owned(),
            ..Details::default()
        })),
    }
}

/// `NewGenericServerResponse` for a path that no route has.
pub(crate) fn no_route() -> Status {
    generic(
        404,
        "NotFound",
        "the server could not find the requested resource",
    )
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
        details: Some(Box::default()),
    }
}

/// `NewUnsupportedMediaTypeError` in `endpoints/handlers/negotiation/errors.go`.
pub(crate) fn unsupported_media_type(accepted: &str) -> Status {
    Status {
        code: 415,
        reason: "UnsupportedMediaType",
        message: format!(
            "the body of the request was in an unknown format - accepted media types include: \
             {accepted}"
        ),
        details: None,
    }
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

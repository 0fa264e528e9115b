//! POST of access reviews: questions about rights, answered and never stored.
//!
//! Upstream: `k8s.io/kubernetes/pkg/registry/authorization`. Their validation is not here: a review
//! that says nothing about a resource or a path is answered with no.

use podgate_admission::decode::decode_as;
use podgate_admission::rbac::{self, Attributes};
use podgate_admission::request::User;
use podgate_admission::status::Status;
use podgate_admission::value::{Object, Value};

use crate::answer::Answer;
use crate::call::Call;
use crate::state::State;

/// Answers a review.
pub(crate) fn review(state: &State, call: &Call<'_>) -> Answer {
    match answer(state, call) {
        Ok(review) => Answer::object(201, &review, call.resource.schema, call.minor),
        Err(status) => status.into(),
    }
}

fn answer<'a>(state: &State, call: &Call<'a>) -> Result<Value<'a>, Status> {
    call.check_content_type()?;
    call.options.validate("CreateOptions", call.minor)?;
    let decoded = decode_as(call.body, call.resource, call.minor)
        .map_err(|error| Status::bad_request(error.message))?;
    let mut review = decoded.object;
    let user = if call.resource.kind == "SelfSubjectAccessReview" {
        call.user.clone()
    } else {
        User {
            name: review.text_at(&["spec", "user"]).to_owned(),
            groups: review
                .list_at(&["spec", "groups"])
                .iter()
                .filter_map(|group| group.as_str().map(str::to_owned))
                .collect(),
        }
    };
    let decision = rbac::authorize(&state.store, &user, &attributes(&review));
    let mut status = Object::new();
    status.insert("allowed", decision.allowed);
    if !decision.reason.is_empty() {
        status.insert("reason", decision.reason);
    }
    if let Some(review) = review.as_object_mut() {
        review.insert("kind", call.resource.kind);
        review.insert("apiVersion", call.resource.api_version());
        review.insert("status", status);
    }
    Ok(review)
}

fn attributes<'v>(review: &'v Value<'_>) -> Attributes<'v> {
    let of = |key: &str| review.text_at(&["spec", "resourceAttributes", key]);
    if let Some(path) = review.at(&["spec", "nonResourceAttributes", "path"]) {
        return Attributes {
            verb: review.text_at(&["spec", "nonResourceAttributes", "verb"]),
            path: path.as_str(),
            ..Attributes::default()
        };
    }
    Attributes {
        verb: of("verb"),
        group: of("group"),
        resource: of("resource"),
        subresource: of("subresource"),
        namespace: of("namespace"),
        name: of("name"),
        path: None,
    }
}

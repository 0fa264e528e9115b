//! POST of reviews: questions about who asks and about rights, answered and never stored.
//!
//! Upstream: `k8s.io/kubernetes/pkg/registry/{authentication,authorization}`. Their validation is not here:
//! a review that says nothing about a resource or a path is answered with no.

use podgate_admission::decode::decode_as;
use podgate_admission::rbac::{self, Attributes};
use podgate_admission::request::User;
use podgate_admission::status::Status;
use podgate_admission::value::{Object, Value};

use crate::answer::Answer;
use crate::call::Call;
use crate::owned::{self, Owners};
use crate::state::State;

/// Answers a review.
pub(crate) fn review(state: &mut State, call: &Call<'_>) -> Answer {
    match answer(state, call) {
        Ok(review) => Answer::object(201, &review, call.resource.schema, call.minor),
        Err(status) => status.into(),
    }
}

fn answer<'a>(state: &mut State, call: &Call<'a>) -> Result<Value<'a>, Status> {
    call.check_content_type()?;
    call.options.validate("CreateOptions", call.minor)?;
    let decoded = decode_as(call.body, call.resource, call.minor)
        .map_err(|error| Status::bad_request(error.message))?;
    let mut review = decoded.object;
    match call.resource.kind {
        "SelfSubjectReview" => return Ok(own(call)),
        "SelfSubjectRulesReview" => return rules(state, call, &review),
        _ => {}
    }
    // A review is created like anything else, and forgotten.
    if state.tracked.is_some() {
        let requested = review.clone().into_owned();
        let owners = Owners::Sent(None);
        let entries = owned::entries(state, call, None, Some(&requested), owners);
        owned::set(&mut review, entries);
    }
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

/// Who asks (`selfsubjectreview/rest.go`).
fn own(call: &Call<'_>) -> Value<'static> {
    let mut user = Object::from_iter([("username", call.user.name.clone())]);
    let groups = call.user.groups.iter().cloned();
    user.insert("groups", groups.map(Value::from).collect::<Vec<_>>());
    let mut answer = answered(call, Object::from_iter([("userInfo", user)]));
    answer.insert(
        "metadata",
        Object::from_iter([("creationTimestamp", call.now.clone())]),
    );
    answer.into()
}

/// All that the requester may do in a namespace (`selfsubjectrulesreview/rest.go`).
fn rules(state: &State, call: &Call<'_>, sent: &Value<'_>) -> Result<Value<'static>, Status> {
    let namespace = sent.text_at(&["spec", "namespace"]);
    if namespace.is_empty() {
        return Err(Status::bad_request("no namespace on request"));
    }
    let (found, missing) = rbac::rules(&state.store, call.user, namespace);
    let of = |key: &str, fields: &[&str]| -> Vec<Value<'static>> {
        let about = |rule: &&Value<'static>| !rule.list_at(&[key]).is_empty();
        let pick = |rule: &Value<'static>| {
            let value = |field: &&str| Some(((*field).to_owned(), rule.get(field)?.clone()));
            Value::from(fields.iter().filter_map(value).collect::<Object<'static>>())
        };
        found.iter().filter(about).map(pick).collect()
    };
    let mut status = Object::new();
    let of_resources = ["verbs", "apiGroups", "resources", "resourceNames"];
    status.insert("resourceRules", of("resources", &of_resources));
    let of_paths = ["verbs", "nonResourceURLs"];
    status.insert("nonResourceRules", of("nonResourceURLs", &of_paths));
    status.insert("incomplete", !missing.is_empty());
    match &*missing {
        [] => {}
        [one] => status.insert("evaluationError", one.clone()),
        many => status.insert("evaluationError", format!("[{}]", many.join(", "))),
    }
    Ok(answered(call, status).into())
}

/// A review with nothing of what was sent.
fn answered(call: &Call<'_>, status: Object<'static>) -> Object<'static> {
    let mut review = Object::from_iter([("kind", call.resource.kind)]);
    review.insert("apiVersion", call.resource.api_version());
    review.insert("status", status);
    review
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

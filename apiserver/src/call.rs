//! One request to a resource, taken apart and checked for what it is; and the media types.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/installer.go` (which methods a path has) and
//! `endpoints/handlers/negotiation` (media types).

use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use podgate_admission::request::User;
use podgate_admission::resource::{self, Resource};
use podgate_admission::status::Status;
use podgate_policy::Minor;

use crate::negotiation::Representation;
use crate::options::Options;
use crate::path::{ResourcePath, Verb};
use crate::registry;
use crate::{discovery, failure, protobuf};

/// The media types that a real server reads and writes.
const UPSTREAM_TYPES: &str =
    "application/json, application/yaml, application/vnd.kubernetes.protobuf";
/// Those of them that this one does.
const TYPES: &str = "application/json, application/vnd.kubernetes.protobuf";

/// How many bytes of a user agent name a field manager (`FieldManagerMaxLength`).
const LONGEST_MANAGER: usize = 128;

/// A request to a resource that is served.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) minor: Minor,
    pub(crate) resource: &'static Resource,
    pub(crate) subresource: Option<&'static str>,
    /// Empty for cluster-scoped resources, and for lists over all namespaces.
    pub(crate) namespace: &'a str,
    /// Empty for collections.
    pub(crate) name: &'a str,
    pub(crate) user: &'a User,
    pub(crate) options: Options,
    /// The form that the answer shall have.
    pub(crate) representation: Representation,
    /// When the request came.
    pub(crate) now: String,
    /// The `Content-Type` without its parameters; empty where there is none.
    pub(crate) content_type: &'a str,
    /// Who owns the fields that the request sets; empty where it does not say.
    pub(crate) field_manager: String,
    pub(crate) body: &'a [u8],
}

/// What serves a path, or why nothing does.
#[derive(Debug)]
pub(crate) enum Route {
    /// A resource, and its subresource.
    To(&'static Resource, Option<&'static str>),
    /// The group is not served at all.
    NoGroup,
    /// The group is served, the path is not.
    Nothing,
    /// The path is served, but not with that method.
    NotAllowed,
}

/// Finds what serves a path on a server of `minor`.
pub(crate) fn route(path: &ResourcePath<'_>, verb: Option<Verb>, minor: Minor) -> Route {
    if !path.group.is_empty() && !discovery::has_group(path.group) {
        return Route::NoGroup;
    }
    let Some(found) = resource::by_path(path.group, path.version, path.resource, minor) else {
        return Route::Nothing;
    };
    let everywhere = found.namespaced && path.namespace.is_empty();
    let misplaced = !found.namespaced && !path.namespace.is_empty() && found.name != "namespaces";
    let longer = path.longer && path.subresource != Some("proxy");
    if longer || misplaced || everywhere && !path.name.is_empty() {
        return Route::Nothing;
    }
    let review = registry::is_review(found);
    if path.watch && (review || path.subresource.is_some()) {
        return Route::Nothing;
    }
    let (subresource, allowed) = match (path.subresource, verb) {
        (None, Some(Verb::DeleteCollection)) => {
            let all = registry::deletes_collections(found, minor);
            (None, !everywhere && all)
        }
        (None, Some(Verb::Create)) if review => (None, path.name.is_empty() && !everywhere),
        (None, _) if review => (None, false),
        (None, Some(Verb::List | Verb::Watch)) => (None, true),
        (None, Some(Verb::Create)) => (None, path.name.is_empty() && !everywhere),
        (None, None) => (None, false),
        (None, Some(_)) => (None, !path.name.is_empty()),
        (Some(name), verb) => {
            let Some(served) = registry::subresources(found, minor).find(|s| s.name == name) else {
                return Route::Nothing;
            };
            let allowed = match verb {
                _ if served.name == "proxy" => true,
                _ if registry::is_at_node(served.name) => {
                    let verbs = registry::subresource_verbs(served);
                    verb.is_some_and(|verb| verbs.contains(&verb.as_str()))
                }
                Some(Verb::Create) => matches!(served.name, "binding" | "eviction"),
                _ if matches!(served.name, "binding" | "eviction") => false,
                Some(Verb::Get | Verb::Patch) => served.get,
                Some(Verb::Update) => true,
                _ => false,
            };
            (Some(served.name), allowed)
        }
    };
    if allowed {
        Route::To(found, subresource)
    } else {
        Route::NotAllowed
    }
}

/// The content type of a request without its parameters.
pub(crate) fn content_type(headers: &HeaderMap) -> &str {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map_or("", |value| {
            value.split(';').next().unwrap_or_default().trim()
        })
}

/// Who owns the fields that a request sets: `fieldManager`, or the program that the user agent names
/// (`managerOrUserAgent` in `endpoints/handlers/create.go`).
pub(crate) fn field_manager(options: &Options, headers: &HeaderMap) -> String {
    if !options.field_manager.is_empty() {
        return options.field_manager.clone();
    }
    let agent = headers.get(USER_AGENT).map(HeaderValue::as_bytes);
    let agent = String::from_utf8_lossy(agent.unwrap_or_default());
    let mut manager = String::new();
    for character in agent.split('/').next().unwrap_or_default().chars() {
        if character.is_control() || character.is_whitespace() && character != ' ' {
            continue;
        }
        if manager.len() + character.len_utf8() > LONGEST_MANAGER {
            break;
        }
        manager.push(character);
    }
    manager
}

/// The JSON that says the same as a body in protobuf.
pub(crate) fn json_of(
    body: &[u8],
    resource: &Resource,
    subresource: Option<&str>,
    verb: Verb,
    minor: Minor,
) -> Result<Vec<u8>, Status> {
    if matches!(verb, Verb::Delete | Verb::DeleteCollection) {
        return protobuf::to_json(body, ("v1", "DeleteOptions"), minor);
    }
    let (group, version, kind) = match subresource {
        Some(name) => registry::subresource_kind(resource, name, minor),
        None => ("", "", resource.kind),
    };
    let api_version = match (group, version) {
        ("", "") => resource.api_version(),
        (group, version) => format!("{group}/{version}"),
    };
    protobuf::to_json(body, (&api_version, kind), minor)
}

impl Call<'_> {
    /// Refuses bodies that are not JSON, which those in protobuf have become; where nothing is said, they are.
    pub(crate) fn check_content_type(&self) -> Result<(), Status> {
        match self.content_type {
            "" | "application/json" => Ok(()),
            "application/yaml" => Err(failure::unsupported_media_type(TYPES)),
            _ => Err(failure::unsupported_media_type(UPSTREAM_TYPES)),
        }
    }
}

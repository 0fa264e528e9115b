//! Who may do what: every request is judged by RBAC before anything else is done with it.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/filters/authorization.go`, `GetAuthorizerAttributes` and
//! `WithAuthorization`. A real cluster has the node authorizer before RBAC; requests of kubelets
//! (`system:nodes`) are judged by RBAC alone here, which has no rules for them.

use podgate_admission::rbac::{self, Attributes};
use podgate_admission::request::{User, World};
use podgate_admission::status::Status;

use crate::path::{ResourcePath, Verb};

/// Judges a request for a resource.
pub(crate) fn resource(
    world: &dyn World,
    user: &User,
    verb: Option<Verb>,
    path: &ResourcePath<'_>,
) -> Result<(), Status> {
    judge(
        world,
        user,
        &Attributes {
            verb: verb.map_or("", Verb::as_str),
            group: path.group,
            resource: path.resource,
            subresource: path.subresource.unwrap_or_default(),
            namespace: path.namespace,
            name: path.name,
            path: None,
        },
    )
}

/// Judges a request for a path that is no resource's; `verb` is the method in small letters.
pub(crate) fn other(world: &dyn World, user: &User, verb: &str, path: &str) -> Result<(), Status> {
    judge(
        world,
        user,
        &Attributes {
            verb,
            path: Some(path),
            ..Attributes::default()
        },
    )
}

fn judge(world: &dyn World, user: &User, attributes: &Attributes<'_>) -> Result<(), Status> {
    let decision = rbac::authorize(world, user, attributes);
    if decision.allowed {
        Ok(())
    } else {
        Err(rbac::forbidden(user, attributes, &decision.reason))
    }
}

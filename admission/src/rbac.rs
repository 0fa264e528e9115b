//! What a user may do, by the roles and bindings of the cluster.
//!
//! Upstream: `plugin/pkg/auth/authorizer/rbac/rbac.go` (the authorizer),
//! `pkg/registry/rbac/validation/rule.go` (`VisitRulesFor`, which rules apply to a user),
//! `pkg/apis/rbac/v1/evaluation_helpers.go` (what a rule allows), and for the texts
//! `k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go`.

use std::sync::Arc;

use crate::quote::quote;
use crate::request::{User, World};
use crate::status::{Grouped, Status};
use crate::value::Value;

mod escalation;

pub use escalation::confirm_no_escalation;

const GROUP: &str = "rbac.authorization.k8s.io";
/// The group whose members may do everything; no rule is asked about them.
const MASTERS: &str = "system:masters";

/// What a user wants to do, in the terms of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes<'a> {
    /// `get`, `create`, `use` ...; for paths that are no resources the method in small letters.
    pub verb: &'a str,
    /// The API group; empty for the core group.
    pub group: &'a str,
    /// The resource: `pods`.
    pub resource: &'a str,
    /// The subresource: `ephemeralcontainers`; empty where there is none.
    pub subresource: &'a str,
    /// The namespace; empty for cluster-scoped resources, and for all namespaces.
    pub namespace: &'a str,
    /// The name; empty where the request has none, as on create.
    pub name: &'a str,
    /// The path, where it is no resource's; the fields above but the verb say nothing then.
    pub path: Option<&'a str>,
}

/// What the rules say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether some rule allows it.
    pub allowed: bool,
    /// Of a permission the binding that gives it, which access reviews tell; empty for those who may
    /// do everything. Of a refusal what went wrong while looking, which the user is told: roles that
    /// are not there.
    pub reason: String,
}

/// Whether the user may do everything, whatever the rules say.
#[must_use]
pub fn is_master(user: &User) -> bool {
    user.groups.iter().any(|group| group == MASTERS)
}

/// Whether `user` may do that.
pub fn authorize(world: &dyn World, user: &User, attributes: &Attributes<'_>) -> Decision {
    if is_master(user) {
        return Decision {
            allowed: true,
            reason: String::new(),
        };
    }
    let mut missing = Vec::new();
    let grant = any_rule(world, user, attributes.namespace, &mut missing, |rule| {
        allows(rule, attributes)
    });
    let reason = match (&grant, &*missing) {
        (Some(grant), _) => format!("RBAC: allowed by {}", grant.describe(user)),
        (None, []) => String::new(),
        (None, [one]) => format!("RBAC: {one}"),
        (None, many) => format!("RBAC: [{}]", many.join(", ")),
    };
    Decision {
        allowed: grant.is_some(),
        reason,
    }
}

/// All rules that hold for `user` in `namespace`, and what could not be looked up (`RulesFor`). Those of
/// `MASTERS` come from the cluster's bindings like any other's.
pub fn rules(
    world: &dyn World,
    user: &User,
    namespace: &str,
) -> (Vec<Value<'static>>, Vec<String>) {
    let (mut rules, mut missing) = (Vec::new(), Vec::new());
    any_rule(world, user, namespace, &mut missing, |rule| {
        rules.push(rule.clone());
        false
    });
    (rules, missing)
}

/// A binding that is about a user, in the namespace that it holds in; empty for all.
struct Grant<'n> {
    binding: Arc<Value<'static>>,
    namespace: &'n str,
}

impl Grant<'_> {
    /// The binding as access reviews name it (`clusterRoleBindingDescriber`, `roleBindingDescriber`,
    /// `describeSubject`): a name comes before its namespace.
    fn describe(&self, user: &User) -> String {
        let Self { binding, namespace } = self;
        let null = Value::Null;
        let subject = subject(binding, user, namespace).unwrap_or(&null);
        let (kind, name) = (subject.text_at(&["kind"]), subject.text_at(&["name"]));
        let who = match (kind, subject.text_at(&["namespace"])) {
            ("ServiceAccount", "") => format!("{name}/{namespace}"),
            ("ServiceAccount", own) => format!("{name}/{own}"),
            _ => name.to_owned(),
        };
        let name = binding.text_at(&["metadata", "name"]);
        let which = if namespace.is_empty() {
            format!("ClusterRoleBinding {}", quote(name))
        } else {
            format!("RoleBinding {}", quote(&format!("{name}/{namespace}")))
        };
        format!(
            "{which} of {} {} to {kind} {}",
            binding.text_at(&["roleRef", "kind"]),
            quote(binding.text_at(&["roleRef", "name"])),
            quote(&who)
        )
    }
}

/// The first binding with a rule that `holds` says yes to, of those that apply to the user in the
/// namespace (`VisitRulesFor`); `missing` gets what could not be looked up until then.
fn any_rule<'n>(
    world: &dyn World,
    user: &User,
    namespace: &'n str,
    missing: &mut Vec<String>,
    mut holds: impl FnMut(&Value<'static>) -> bool,
) -> Option<Grant<'n>> {
    let mut bound = |bindings: &str, namespace: &'n str| {
        let mut bindings = world.list(bindings, namespace).into_iter();
        let binding = bindings.find(|binding| {
            subject(binding, user, namespace).is_some()
                && match role(world, binding, namespace) {
                    Ok(role) => role.list_at(&["rules"]).iter().any(&mut holds),
                    Err(error) => {
                        missing.push(error);
                        false
                    }
                }
        })?;
        Some(Grant { binding, namespace })
    };
    let everywhere = bound("clusterrolebindings", "");
    if everywhere.is_some() || namespace.is_empty() {
        return everywhere;
    }
    bound("rolebindings", namespace)
}

/// The refusal that the user reads (`Forbidden`, `forbiddenMessage`).
#[must_use]
pub fn forbidden(user: &User, attributes: &Attributes<'_>, reason: &str) -> Status {
    let Attributes {
        verb,
        group,
        resource,
        subresource,
        namespace,
        name,
        path,
    } = *attributes;
    let who = quote(&user.name);
    let mut message = if let Some(path) = path {
        format!("User {who} cannot {verb} path {}", quote(path))
    } else {
        let slash = if subresource.is_empty() { "" } else { "/" };
        let what = quote(&format!("{resource}{slash}{subresource}"));
        let place = if namespace.is_empty() {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace {}", quote(namespace))
        };
        format!(
            "User {who} cannot {verb} resource {what} in API group {} {place}",
            quote(group)
        )
    };
    if !reason.is_empty() {
        message = format!("{message}: {reason}");
    }
    if path.is_some() {
        let mut status = Status::forbidden(Grouped { group, name: "" }, "", &message);
        status.message = format!("forbidden: {message}");
        return status;
    }
    let resource = Grouped {
        group,
        name: resource,
    };
    Status::forbidden(resource, name, &message)
}

/// The first subject of the binding that is the user; a service account without a namespace is that
/// of the binding (`appliesTo`).
fn subject<'b, 'v>(binding: &'b Value<'v>, user: &User, namespace: &str) -> Option<&'b Value<'v>> {
    let mut subjects = binding.list_at(&["subjects"]).iter();
    subjects.find(|subject| {
        let name = subject.text_at(&["name"]);
        match subject.text_at(&["kind"]) {
            "User" => name == user.name,
            "Group" => user.groups.iter().any(|group| group == name),
            "ServiceAccount" => {
                let of = match subject.text_at(&["namespace"]) {
                    "" => namespace,
                    named => named,
                };
                !of.is_empty()
                    && user
                        .name
                        .strip_prefix("system:serviceaccount:")
                        .and_then(|rest| rest.split_once(':'))
                        .is_some_and(|account| account == (of, name))
            }
            _ => false,
        }
    })
}

/// The role of a binding, or why there is none (`GetRoleReferenceRules`).
fn role(
    world: &dyn World,
    binding: &Value<'_>,
    namespace: &str,
) -> Result<Arc<Value<'static>>, String> {
    let name = binding.text_at(&["roleRef", "name"]);
    let (role, kind) = match binding.text_at(&["roleRef", "kind"]) {
        "Role" => (world.get("roles", namespace, name), "role"),
        "ClusterRole" => (world.get("clusterroles", "", name), "clusterrole"),
        other => return Err(format!("unsupported role reference kind: {}", quote(other))),
    };
    role.ok_or_else(|| format!("{kind}.{GROUP} {} not found", quote(name)))
}

/// `RuleAllows`
fn allows(rule: &Value<'_>, attributes: &Attributes<'_>) -> bool {
    let has = |list: &str, wanted: &str| {
        rule.list_at(&[list])
            .iter()
            .filter_map(Value::as_str)
            .any(|value| value == "*" || value == wanted)
    };
    if !has("verbs", attributes.verb) {
        return false;
    }
    if let Some(path) = attributes.path {
        return rule
            .list_at(&["nonResourceURLs"])
            .iter()
            .filter_map(Value::as_str)
            .any(|url| url == path || url.strip_suffix('*').is_some_and(|u| path.starts_with(u)));
    }
    has("apiGroups", attributes.group)
        && rule
            .list_at(&["resources"])
            .iter()
            .filter_map(Value::as_str)
            .any(|resource| is_resource(resource, attributes))
        && names(rule, attributes.name)
}

/// `ResourceMatches`: `pods`, `pods/status`, `*/status` and `*`.
fn is_resource(rule: &str, attributes: &Attributes<'_>) -> bool {
    let Attributes {
        resource,
        subresource,
        ..
    } = *attributes;
    if rule == "*" {
        return true;
    }
    match rule.split_once('/') {
        None => subresource.is_empty() && rule == resource,
        Some((of, sub)) => {
            !subresource.is_empty() && sub == subresource && (of == "*" || of == resource)
        }
    }
}

/// `ResourceNameMatches`
fn names(rule: &Value<'_>, name: &str) -> bool {
    let names = rule.list_at(&["resourceNames"]);
    names.is_empty() || names.iter().any(|value| value.as_str() == Some(name))
}

#[cfg(test)]
mod tests;

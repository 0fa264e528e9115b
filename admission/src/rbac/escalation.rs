//! Nobody gives away rights that he does not have.
//!
//! Upstream: `pkg/registry/rbac/*/policybased/storage.go` (what is checked when),
//! `pkg/registry/rbac/validation/{rule,policy_compact}.go` (`ConfirmNoEscalation`, the text), and
//! `k8s.io/component-helpers/auth/rbac/validation/policy_comparator.go` (`Covers`).

use std::collections::BTreeSet;

use podgate_policy::Minor;

use super::{Attributes, GROUP, any_rule, authorize, is_master, role};
use crate::encode::encode;
use crate::quote::quote;
use crate::request::{User, World};
use crate::resource::Resource;
use crate::status::{Grouped, Status};
use crate::value::Value;

const NO_AGGREGATION: &str = "must have cluster-admin privileges to use the aggregationRule";

/// Refuses a role or a binding that grants what the user does not have; other objects pass. `object`
/// is the new one, `old` the stored one on update; the namespace is that of the URL.
pub fn confirm_no_escalation(
    world: &dyn World,
    user: &User,
    resource: &Resource,
    namespace: &str,
    object: &Value<'_>,
    old: Option<&Value<'_>>,
) -> Result<(), Status> {
    if resource.group != GROUP || is_master(user) {
        return Ok(());
    }
    if old.is_some_and(|old| only_garbage_collection(object, old, resource)) {
        return Ok(());
    }
    let name = object.text_at(&["metadata", "name"]);
    let may = |verb: &str, resource: &str, name: &str| {
        let attributes = Attributes {
            verb,
            group: GROUP,
            resource,
            namespace,
            name,
            ..Attributes::default()
        };
        authorize(world, user, &attributes).allowed
    };
    let refuse = |why: &str| {
        let resource = Grouped {
            group: GROUP,
            name: resource.name,
        };
        Err(Status::forbidden(resource, name, why))
    };
    if matches!(resource.name, "roles" | "clusterroles") {
        if may("escalate", resource.name, old.map_or("", |_| name)) {
            return Ok(());
        }
        if let Some(why) = missing(world, user, namespace, &atoms(object.list_at(&["rules"]))) {
            return refuse(&why);
        }
        let gathers = |role: &Value<'_>| {
            !role
                .list_at(&["aggregationRule", "clusterRoleSelectors"])
                .is_empty()
        };
        let aggregated = gathers(object) || old.is_some_and(gathers);
        if aggregated && missing(world, user, namespace, &FULL_AUTHORITY).is_some() {
            return refuse(NO_AGGREGATION);
        }
        return Ok(());
    }
    let to = object.text_at(&["roleRef", "name"]);
    let (roles, kind) = match object.text_at(&["roleRef", "kind"]) {
        "Role" => ("roles", "role"),
        _ => ("clusterroles", "clusterrole"),
    };
    if may("bind", roles, to) {
        return Ok(());
    }
    let kind = Grouped {
        group: GROUP,
        name: kind,
    };
    let bound = role(world, object, namespace).map_err(|_| Status::not_found(kind, to))?;
    match missing(world, user, namespace, &atoms(bound.list_at(&["rules"]))) {
        Some(why) => refuse(&why),
        None => Ok(()),
    }
}

/// Whether nothing changes but what the garbage collector has to change (`IsOnlyMutatingGCFields`).
fn only_garbage_collection(new: &Value<'_>, old: &Value<'_>, resource: &Resource) -> bool {
    let written = |object: &Value<'_>| {
        let mut object = object.clone();
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|key, _| !matches!(key, "finalizers" | "ownerReferences"));
        }
        encode(&object, resource.schema, Minor::NEWEST)
    };
    written(new) == written(old)
}

/// A rule that allows one verb on one thing (`BreakdownRule`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Atom<'v> {
    Resource {
        verb: &'v str,
        group: &'v str,
        resource: &'v str,
        name: Option<&'v str>,
    },
    Path {
        verb: &'v str,
        url: &'v str,
    },
}

const FULL_AUTHORITY: [Atom<'static>; 2] = [
    Atom::Resource {
        verb: "*",
        group: "*",
        resource: "*",
        name: None,
    },
    Atom::Path {
        verb: "*",
        url: "*",
    },
];

fn texts<'v>(rule: &'v Value<'_>, key: &str) -> impl Iterator<Item = &'v str> + Clone {
    rule.list_at(&[key]).iter().filter_map(Value::as_str)
}

fn atoms<'v>(rules: &'v [Value<'_>]) -> Vec<Atom<'v>> {
    let mut atoms = Vec::new();
    for rule in rules {
        let names: Vec<Option<&str>> = match texts(rule, "resourceNames").map(Some).collect() {
            names if Vec::is_empty(&names) => vec![None],
            names => names,
        };
        for group in texts(rule, "apiGroups") {
            for resource in texts(rule, "resources") {
                for verb in texts(rule, "verbs") {
                    atoms.extend(names.iter().map(|&name| Atom::Resource {
                        verb,
                        group,
                        resource,
                        name,
                    }));
                }
            }
        }
        for url in texts(rule, "nonResourceURLs") {
            atoms.extend(texts(rule, "verbs").map(|verb| Atom::Path { verb, url }));
        }
    }
    atoms
}

/// `ConfirmNoEscalation`: the refusal, where the user's own rules do not cover all that is granted.
fn missing(
    world: &dyn World,
    user: &User,
    namespace: &str,
    granted: &[Atom<'_>],
) -> Option<String> {
    let mut unresolved = Vec::new();
    let mut uncovered = granted.to_vec();
    any_rule(world, user, namespace, &mut unresolved, |rule| {
        uncovered.retain(|atom| !covers(rule, atom));
        false
    });
    if uncovered.is_empty() {
        return None;
    }
    let mut message = format!(
        "user {} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
        quote(&user.name),
        list(&user.groups),
        described(&uncovered)
            .into_iter()
            .collect::<Vec<_>>()
            .join("\n")
    );
    if !unresolved.is_empty() {
        let errors = match &*unresolved {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        message = format!("{message}; resolution errors: [{errors}]");
    }
    Some(message)
}

/// `ruleCovers`
fn covers(rule: &Value<'_>, atom: &Atom<'_>) -> bool {
    let has = |key: &str, wanted: &str| texts(rule, key).any(|v| v == "*" || v == wanted);
    match *atom {
        Atom::Path { verb, url } => {
            let covered = |owned: &str| {
                let prefix = owned.strip_suffix('*').map(|p| p.trim_end_matches('*'));
                owned == url || prefix.is_some_and(|prefix| url.starts_with(prefix))
            };
            has("verbs", verb) && texts(rule, "nonResourceURLs").any(covered)
        }
        Atom::Resource {
            verb,
            group,
            resource,
            name,
        } => {
            let any = resource.split_once('/').map(|(_, sub)| format!("*/{sub}"));
            let of_any = any.is_some_and(|any| texts(rule, "resources").any(|r| r == any));
            let mut only = texts(rule, "resourceNames").peekable();
            let named = only.peek().is_none() || name.is_some_and(|name| only.any(|n| n == name));
            has("verbs", verb)
                && has("apiGroups", group)
                && (has("resources", resource) || of_any)
                && named
        }
    }
}

/// `CompactRules` and `CompactString`: what is missing, the verbs on one thing together.
fn described(atoms: &[Atom<'_>]) -> BTreeSet<String> {
    let mut things: Vec<(Atom<'_>, Vec<&str>)> = Vec::new();
    let mut lines = BTreeSet::new();
    for atom in atoms {
        match *atom {
            Atom::Path { verb, url } => {
                lines.insert(format!(
                    "{{NonResourceURLs:{}, Verbs:{}}}",
                    list(&[url]),
                    list(&[verb])
                ));
            }
            Atom::Resource {
                verb,
                group,
                resource,
                name,
            } => {
                let thing = Atom::Resource {
                    verb: "",
                    group,
                    resource,
                    name,
                };
                match things.iter_mut().find(|(known, _)| *known == thing) {
                    Some((_, verbs)) => verbs.push(verb),
                    None => things.push((thing, vec![verb])),
                }
            }
        }
    }
    for (thing, verbs) in things {
        if let Atom::Resource {
            group,
            resource,
            name,
            ..
        } = thing
        {
            let name = name.map_or(String::new(), |name| {
                format!(", ResourceNames:{}", list(&[name]))
            });
            lines.insert(format!(
                "{{APIGroups:{}, Resources:{}{name}, Verbs:{}}}",
                list(&[group]),
                list(&[resource]),
                list(&verbs)
            ));
        }
    }
    lines
}

/// A list of texts as Go prints it with `%q`.
fn list(texts: &[impl AsRef<str>]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quote(text.as_ref())).collect();
    format!("[{}]", quoted.join(" "))
}

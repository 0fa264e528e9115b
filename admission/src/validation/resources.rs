//! What containers and pods ask for and may use.
//!
//! Upstream: `ValidateContainerResourceRequirements` (before 1.32 `ValidateResourceRequirements`),
//! `validatePodResources`, `validatePodResourceConsistency`, `validateResourceClaimNames`,
//! `validatePodResourceClaims`, `validateResizePolicy` and `validateOverhead` in
//! `pkg/apis/core/validation/validation.go`; names of resources in
//! `pkg/apis/core/helper/helpers.go`; sums in `component-helpers/resource/helpers.go`.

use crate::quantity::Quantity;
use crate::value::Value;

use super::field::{BadValue, Path};
use super::metadata;
use super::tree::{self, entries, field, items, text, text_opt};
use super::{Validator, go, names, versions};

/// Whose resources are looked at: the names differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Container,
    Pod,
}

/// `ValidateContainerResourceRequirements` of the field `resources`.
pub(crate) fn container(
    v: &mut Validator,
    container: &Value<'_>,
    spec: &Value<'_>,
    path: &Path<'_>,
) {
    if let Some(resources) = field(container, "resources") {
        requirements(
            v,
            resources,
            Owner::Container,
            spec,
            &path.child("resources"),
        );
    }
}

/// `validateOverhead`: the overhead is validated like limits.
pub(crate) fn overhead(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    if field(spec, "overhead").is_some() {
        let path = path.child("overhead");
        limits_and_requests(v, spec, ("overhead", ""), Owner::Container, &path);
    }
}

fn requirements(
    v: &mut Validator,
    resources: &Value<'_>,
    owner: Owner,
    spec: &Value<'_>,
    path: &Path<'_>,
) {
    limits_and_requests(v, resources, ("limits", "requests"), owner, path);
    claim_names(v, resources, spec, &path.child("claims"));
}

/// `validateResourceRequirements` without claims. The two maps are fields of `holder`.
fn limits_and_requests(
    v: &mut Validator,
    holder: &Value<'_>,
    (limits, requests): (&str, &str),
    owner: Owner,
    path: &Path<'_>,
) {
    let (limits_path, requests_path) = (path.child("limits"), path.child("requests"));
    let (mut compute, mut huge_pages) = (false, false);
    for (name, quantity) in entries(holder, limits) {
        amount(v, name, quantity, owner, &limits_path.key(name));
        huge_pages |= is_huge_pages(name);
        compute |= matches!(name, "cpu" | "memory");
    }
    for (name, quantity) in entries(holder, requests) {
        let path = requests_path.key(name);
        resource_name(v, name, owner, &path);
        value(v, name, quantity, &path);
        let overcommit = is_native(name) && !is_huge_pages(name);
        match field(holder, limits).and_then(|limits| limits.get(name)) {
            Some(limit) => {
                let (wanted, most) = (tree::quantity(quantity), tree::quantity(limit));
                let relation = if wanted != most && !overcommit {
                    "equal to"
                } else if wanted > most {
                    "less than or equal to"
                } else {
                    ""
                };
                if !relation.is_empty() {
                    let mut detail = format!("must be {relation} {name} limit");
                    if v.since(versions::LIMIT_NAMED) {
                        detail.push_str(" of ");
                        detail.push_str(&printed(limit));
                    }
                    v.errors
                        .invalid(&requests_path, &*printed(quantity), detail);
                }
            }
            None if !overcommit => v.errors.required(
                &limits_path,
                "Limit must be set for non overcommitable resources",
            ),
            None => {}
        }
        divisible(v, name, quantity, &path);
        huge_pages |= is_huge_pages(name);
        compute |= matches!(name, "cpu" | "memory");
    }
    if huge_pages && !compute {
        v.errors.forbidden(path, "HugePages require cpu or memory");
    }
}

fn amount(v: &mut Validator, name: &str, quantity: &Value<'_>, owner: Owner, path: &Path<'_>) {
    resource_name(v, name, owner, path);
    value(v, name, quantity, path);
    divisible(v, name, quantity, path);
}

/// The quantity's text.
pub(crate) fn printed(quantity: &Value<'_>) -> String {
    match quantity {
        Value::String(text) => text.clone().into_owned(),
        Value::Int(n) => n.to_string(),
        _ => "0".to_owned(),
    }
}

/// `ValidateResourceQuantityValue`
pub(crate) fn value(v: &mut Validator, name: &str, quantity: &Value<'_>, path: &Path<'_>) {
    let amount = tree::quantity(quantity);
    if amount.sign().is_lt() {
        v.errors.invalid(
            path,
            &*printed(quantity),
            "must be greater than or equal to 0",
        );
    }
    if (INTEGER.contains(&name) || is_extended(name, v.minor)) && !is_whole(&amount) {
        let value = if v.since(versions::JSON_VALUES) {
            go::Rendered::exact(go::json_string(&printed(quantity)))
        } else {
            go::Rendered::abridged("resource.Quantity", v.minor)
        };
        v.errors.invalid(path, value, "must be an integer");
    }
}

/// `validateResourceQuantityHugePageValue`
fn divisible(v: &mut Validator, name: &str, quantity: &Value<'_>, path: &Path<'_>) {
    let Some(size) = name.strip_prefix(HUGE_PAGES) else {
        return;
    };
    if !v.since(versions::DIVISIBLE_HUGE_PAGES) {
        return;
    }
    if !is_multiple(quantity, size) {
        let text = printed(quantity);
        v.errors.invalid(
            path,
            &*text,
            format!("{text} is not positive integer multiple of {name}"),
        );
    }
}

/// `IsHugePageResourceValueDivisible`
pub(crate) fn is_multiple(quantity: &Value<'_>, size: &str) -> bool {
    Quantity::parse(size).is_ok_and(|size| {
        size.sign().is_gt()
            && is_whole(&size)
            && tree::quantity(quantity).value() % size.value() == 0
    })
}

/// Whether the amount in thousandths is a whole number of units; upstream takes what does not fit
/// into 64 bits for zero.
fn is_whole(amount: &Quantity) -> bool {
    let thousandths = amount.milli_value();
    matches!(thousandths, i64::MIN | i64::MAX) || thousandths % 1000 == 0
}

const HUGE_PAGES: &str = "hugepages-";

const INTEGER: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

const STANDARD: [&str; 11] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "storage",
    "requests.storage",
];

fn is_huge_pages(name: &str) -> bool {
    name.starts_with(HUGE_PAGES)
}

/// `IsNativeResource`
fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// `IsExtendedResourceName`
fn is_extended(name: &str, minor: u8) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && names::qualified_name(&format!("requests.{name}"), minor).is_empty()
}

/// `validateContainerResourceName`, or `validatePodResourceName`
fn resource_name(v: &mut Validator, name: &str, owner: Owner, path: &Path<'_>) {
    // The common case first, without a look at the syntax.
    if matches!(name, "cpu" | "memory") {
        return;
    }
    let before = v.errors.len();
    for wrong in names::qualified_name(name, v.minor) {
        v.errors.invalid(path, named(name, v.minor), wrong);
    }
    let well_formed = v.errors.len() == before;
    let domain = name.contains('/');
    let standard = STANDARD.contains(&name)
        || INTEGER.contains(&name)
        || is_huge_pages(name)
        || name.starts_with("requests.hugepages-");
    if well_formed && !domain && !standard {
        v.errors.invalid(
            path,
            named(name, v.minor),
            "must be a standard resource type or fully qualified",
        );
    }
    match owner {
        Owner::Pod => {
            if v.errors.len() == before && !is_huge_pages(name) {
                v.errors
                    .not_supported(path, name, &["cpu", HUGE_PAGES, "memory"]);
            }
        }
        Owner::Container if !domain => {
            if name != "ephemeral-storage" && !is_huge_pages(name) {
                v.errors.invalid(
                    path,
                    named(name, v.minor),
                    "must be a standard resource for containers",
                );
            }
        }
        Owner::Container => {
            if !is_native(name) && !is_extended(name, v.minor) {
                v.errors.invalid(
                    path,
                    named(name, v.minor),
                    "doesn't follow extended resource name standard",
                );
            }
        }
    }
}

/// The name as a bad value: where upstream passes a `core.ResourceName`, its `String` is printed.
fn named(name: &str, minor: u8) -> BadValue<'_> {
    if versions::BARE_RESOURCE_NAMES.contains(&minor) {
        go::Rendered::exact(name.to_owned()).into()
    } else {
        BadValue::Named(name)
    }
}

/// `validateResourceClaimNames`
fn claim_names(v: &mut Validator, resources: &Value<'_>, spec: &Value<'_>, path: &Path<'_>) {
    let claims = items(resources, "claims");
    let mut seen: Vec<(String, &str)> = Vec::new();
    for (i, claim) in claims.iter().enumerate() {
        let path = path.index(i);
        let name = text(claim, "name");
        if name.is_empty() {
            v.errors.required(&path, "");
            continue;
        }
        let request = text(claim, "request");
        if seen.iter().any(|(key, _)| key == name) {
            v.errors.duplicate(&path, name);
        } else if !v.since(versions::CLAIM_REQUESTS) || request.is_empty() {
            for _ in seen.iter().filter(|(_, claim)| *claim == name) {
                v.errors.duplicate(&path, name);
            }
            seen.push((name.to_owned(), name));
        } else {
            let wrong = names::dns_label(request, v.minor);
            v.errors
                .invalid_each(&path.child("request"), request, wrong);
            let key = format!("{name}/{request}");
            if seen.iter().any(|(other, _)| *other == key) {
                v.errors.duplicate(&path, &*key);
            } else {
                seen.push((key, name));
            }
        }
        let mut known: Vec<_> = items(spec, "resourceClaims")
            .iter()
            .map(|claim| text(claim, "name"))
            .filter(|name| !name.is_empty())
            .collect();
        if !known.contains(&name) {
            known.sort_unstable();
            known.dedup();
            let detail = if known.is_empty() {
                "must be one of the names in pod.spec.resourceClaims which is empty".to_owned()
            } else {
                format!(
                    "must be one of the names in pod.spec.resourceClaims: {}",
                    known.join(", ")
                )
            };
            v.errors.not_found(&path, name, detail);
        }
    }
}

/// `validatePodResourceClaims`. A template has no metadata of the pod.
pub(crate) fn pod_claims(
    v: &mut Validator,
    spec: &Value<'_>,
    pod_meta: Option<&Value<'_>>,
    path: &Path<'_>,
) {
    let claims = items(spec, "resourceClaims");
    let path = path.child("resourceClaims");
    for (i, claim) in claims.iter().enumerate() {
        let is_static = pod_meta.is_some_and(super::pod::is_static);
        if v.since(versions::STATIC_POD_CLAIMS) && is_static {
            v.errors
                .forbidden(&Path::new(""), "static pods do not support resource claims");
            continue;
        }
        let path = path.index(i);
        let name = text(claim, "name");
        let name_path = path.child("name");
        let flat = v.since(versions::RESOURCE_CLAIMS_FLAT);
        // Up to 1.30 the two fields are in `source`.
        let source = if flat {
            Some(claim)
        } else {
            field(claim, "source")
        };
        let template = source.and_then(|s| text_opt(s, "resourceClaimTemplateName"));
        if name.is_empty() {
            v.errors.required(&name_path, "");
        } else if claims[..i].iter().any(|c| text(c, "name") == name) {
            v.errors.duplicate(&name_path, name);
        } else {
            let wrong = names::dns_label(name, v.minor);
            let well_formed = wrong.is_empty();
            v.errors.invalid_each(&name_path, name, wrong);
            let checks_final = !flat && v.since(versions::RESOURCE_CLAIM_NAMES);
            if let Some(meta) = pod_meta
                && well_formed
                && checks_final
                && template.is_some()
            {
                let full = format!("{}-{name}", text(meta, "name"));
                for wrong in names::dns_subdomain(&full) {
                    v.errors.invalid(
                        &name_path,
                        &*full,
                        format!("final ResourceClaim name: {wrong}"),
                    );
                }
            }
        }
        let source_path = path.child("source");
        let path = if flat { &path } else { &source_path };
        let claim_name = source.and_then(|s| text_opt(s, "resourceClaimName"));
        let detail = match (claim_name, template) {
            (Some(_), Some(_)) => {
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be \
                 specified"
            }
            (None, None) => "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
            _ => "",
        };
        if !detail.is_empty() {
            let value = if flat {
                go::print(claim, &go::POD_RESOURCE_CLAIM, v.minor)
            } else {
                go::Rendered::abridged("core.ClaimSource", v.minor)
            };
            v.errors.invalid(path, value, detail);
        }
        if !v.since(versions::RESOURCE_CLAIM_NAMES) {
            continue;
        }
        for (field, name) in [
            ("resourceClaimName", claim_name),
            ("resourceClaimTemplateName", template),
        ] {
            if let Some(name) = name {
                v.errors
                    .invalid_each(&path.child(field), name, names::dns_subdomain(name));
            }
        }
    }
}

/// `validateResizePolicy`
pub(crate) fn resize_policy(
    v: &mut Validator,
    container: &Value<'_>,
    spec: &Value<'_>,
    path: &Path<'_>,
) {
    let policies = items(container, "resizePolicy");
    let path = path.child("resizePolicy");
    for (i, policy) in policies.iter().enumerate() {
        let resource = text(policy, "resourceName");
        if policies[..i]
            .iter()
            .any(|p| text(p, "resourceName") == resource)
        {
            v.errors
                .duplicate(&path.index(i), BadValue::Named(resource));
        }
        match resource {
            "cpu" | "memory" => {}
            "" => v.errors.required(&path, ""),
            _ => v.errors.not_supported(&path, resource, &["cpu", "memory"]),
        }
        let restart = text(policy, "restartPolicy");
        match restart {
            "NotRequired" | "RestartContainer" => {}
            "" => v.errors.required(&path, ""),
            _ => v
                .errors
                .not_supported(&path, restart, &["NotRequired", "RestartContainer"]),
        }
        let never = text(spec, "restartPolicy") == "Never";
        if v.since(versions::RESIZE_NEVER) && never && restart != "NotRequired" {
            let detail = if v.since(versions::RESIZE_NEVER_POD) {
                "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
            } else {
                "must be 'NotRequired' when `restartPolicy` is 'Never'"
            };
            v.errors.invalid(&path, BadValue::Named(restart), detail);
        }
    }
}

/// `validatePodResources`
pub(crate) fn pod(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let Some(resources) = field(spec, "resources") else {
        return;
    };
    let path = path.child("resources");
    if field(spec, "os").is_some_and(|os| text(os, "name") == "windows") {
        v.errors
            .forbidden(&path, "may not be set for a windows pod");
        return;
    }
    if field(resources, "claims").is_some() {
        v.errors.forbidden(
            &path.child("claims"),
            "claims may not be set for Resources at pod-level",
        );
    }
    requirements(v, resources, Owner::Pod, spec, &path);
    consistency(v, spec, resources, &path);
}

/// `validatePodResourceConsistency`
fn consistency(v: &mut Validator, spec: &Value<'_>, resources: &Value<'_>, path: &Path<'_>) {
    let requests_path = path.child("requests");
    for (name, most) in entries(resources, "requests") {
        let Some(sum) = aggregate(spec, "requests", name) else {
            continue;
        };
        if sum > tree::quantity(most) {
            let detail = format!(
                "must be greater than or equal to aggregate container requests of {}",
                sum.canonical()
            );
            v.errors
                .invalid(&requests_path.key(name), &*printed(most), detail);
        }
    }
    let limits_path = path.child("limits");
    for (name, most) in entries(resources, "limits") {
        if !is_huge_pages(name) {
            continue;
        }
        let Some(sum) = aggregate(spec, "limits", name) else {
            continue;
        };
        if sum > tree::quantity(most) {
            let detail = format!(
                "must be greater than or equal to aggregate container limits of {}",
                sum.canonical()
            );
            v.errors
                .invalid(&limits_path.key(name), &*printed(most), detail);
        }
    }
    let containers_path = path.child("containers");
    for (i, container) in items(spec, "containers").iter().enumerate() {
        let Some(own) = field(container, "resources") else {
            continue;
        };
        for (name, limit) in entries(own, "limits") {
            let Some(most) = field(resources, "limits").and_then(|limits| limits.get(name)) else {
                continue;
            };
            if tree::quantity(limit) > tree::quantity(most) {
                let path = containers_path.index(i);
                let path = path.key(name);
                v.errors.invalid(
                    &path.child("limits"),
                    &*printed(limit),
                    format!(
                        "must be less than or equal to pod limits of {}",
                        printed(most)
                    ),
                );
            }
        }
    }
}

/// `AggregateContainerRequests` and `AggregateContainerLimits` for one resource: containers and
/// sidecars run together; the other init containers run one by one beside the sidecars so far.
fn aggregate(spec: &Value<'_>, map: &str, name: &str) -> Option<Quantity> {
    let own = |container: &Value<'_>| -> Option<Quantity> {
        let amounts = field(field(container, "resources")?, map)?;
        amounts.get(name).map(tree::quantity)
    };
    let mut any = false;
    let mut sum = Quantity::default();
    for container in items(spec, "containers") {
        if let Some(amount) = own(container) {
            any = true;
            sum.add(&amount);
        }
    }
    let (mut sidecars, mut peak) = (Quantity::default(), Quantity::default());
    for container in items(spec, "initContainers") {
        let Some(mut amount) = own(container) else {
            continue;
        };
        any = true;
        if text(container, "restartPolicy") == "Always" {
            sum.add(&amount);
            sidecars.add(&amount);
            amount.clone_from(&sidecars);
        } else {
            amount.add(&sidecars);
        }
        peak = peak.max(amount);
    }
    any.then(|| sum.max(peak))
}

/// `ValidatePositiveQuantityValue`
pub(crate) fn positive(v: &mut Validator, quantity: &Value<'_>, path: &Path<'_>) -> bool {
    let positive = tree::quantity(quantity).sign().is_gt();
    if !positive {
        v.errors
            .invalid(path, &*printed(quantity), "must be greater than zero");
    }
    positive
}

/// `ValidateNonnegativeField` of the integer `name`, where it is set.
pub(crate) fn non_negative_field(
    v: &mut Validator,
    holder: &Value<'_>,
    name: &str,
    path: &Path<'_>,
) {
    if let Some(n) = super::tree::int_opt(holder, name) {
        metadata::non_negative(v, n, &path.child(name));
    }
}

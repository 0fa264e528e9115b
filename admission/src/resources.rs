//! Resources of a pod: their defaults, and the class of service that follows from them.
//!
//! Upstream's counterparts are `SetDefaults_ResourceList`, `defaultPodRequests` and
//! `defaultHugePagePodLimits` in `pkg/apis/core/v1/defaults.go`, and `ComputePodQOS` in
//! `pkg/apis/core/helper/qos/qos.go`.

use std::cmp::Ordering;

use podgate_policy::Minor;

use crate::podspec;
use crate::quantity::{MILLI, Quantity};
use crate::value::{Object, Value};
use crate::versions;

/// The quantity in the tree.
pub(crate) fn quantity(value: &Value<'_>) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Int(number) => Quantity::parse(&number.to_string()).ok(),
        Value::Float(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    }
}

/// What is finer than a thousandth is rounded up.
pub(crate) fn round_up_to_milli(value: &mut Value<'_>) {
    if let Some(mut quantity) = quantity(value) {
        quantity.round_up(MILLI);
        *value = quantity.canonical().into_owned().into();
    }
}

/// Limits and requests of the whole pod, filled in from its containers where there are some already.
///
/// Upstream: `SetDefaults_Pod` in `pkg/apis/core/v1/defaults.go`; from 1.37 on (`complete`)
/// `DefaultPodLevelResources` in `pkg/api/pod/util.go`, which fills in limits, too.
pub(crate) fn pod_level_resources(spec: &mut Object<'_>, complete: bool) {
    let list = |resources: &Value<'_>, which: &str| -> Totals {
        let entries = resources.get(which).and_then(Value::as_object);
        entries
            .into_iter()
            .flat_map(Object::iter)
            .filter_map(|(name, value)| Some((name.to_owned(), quantity(value)?)))
            .collect()
    };
    let Some(resources) = spec.get("resources").filter(|r| r.as_object().is_some()) else {
        return;
    };
    let (mut limits, mut requests) = (list(resources, "limits"), list(resources, "requests"));
    if limits.is_empty() && requests.is_empty() {
        return;
    }
    let aggregate = |which: &str| {
        aggregate(spec, |container| {
            container
                .get("resources")
                .map(|r| list(r, which))
                .unwrap_or_default()
        })
    };
    for (name, quantity) in aggregate("limits") {
        let huge = name.starts_with("hugepages-");
        if huge && !requests.iter().chain(&limits).any(|(n, _)| *n == name) {
            limits.push((name, quantity));
        }
    }
    if complete || !limits.is_empty() {
        let from_containers = aggregate("requests")
            .into_iter()
            .filter(|(name, _)| name == "cpu" || name == "memory");
        let from_limits = limits
            .iter()
            .filter(|(name, _)| name == "cpu" || name == "memory" || name.starts_with("hugepages-"))
            .cloned();
        for (name, quantity) in from_containers.chain(from_limits) {
            if !requests.iter().any(|(n, _)| *n == name) {
                requests.push((name, quantity));
            }
        }
    }
    if complete {
        for (name, quantity) in aggregate("limits") {
            let requested = requests.iter().find(|(n, _)| *n == name);
            if let Some((_, requested)) = requested
                && limits.iter().all(|(n, _)| *n != name)
                && all_limit(spec, &name)
            {
                let least = if *requested > quantity {
                    requested.clone()
                } else {
                    quantity
                };
                limits.push((name, least));
            }
        }
    }
    let resources = spec.object_mut("resources");
    for (which, totals) in [("limits", limits), ("requests", requests)] {
        if !totals.is_empty() {
            let list: Object<'_> = totals
                .into_iter()
                .map(|(name, quantity)| (name, quantity.canonical().into_owned()))
                .collect();
            resources.insert(which, list);
        }
    }
}

/// Whether every container has a limit of that resource.
fn all_limit(spec: &Object<'_>, name: &str) -> bool {
    podspec::ROLES
        .iter()
        .filter_map(|role| spec.get(role.field())?.as_list())
        .flatten()
        .all(|container| container.at(&["resources", "limits", name]).is_some())
}

type Totals = Vec<(String, Quantity)>;

/// `AggregateContainerRequests` of `k8s.io/component-helpers/resource`: all containers together, or
/// the most that is needed while init containers run.
fn aggregate(spec: &Object<'_>, of: impl Fn(&Value<'_>) -> Totals) -> Totals {
    let containers = |list: &str| spec.get(list).and_then(Value::as_list).unwrap_or_default();
    let mut total = Totals::new();
    for container in containers("containers") {
        add(&mut total, &of(container));
    }
    let (mut sidecars, mut starting) = (Totals::new(), Totals::new());
    for container in containers("initContainers") {
        let mut needed = of(container);
        if container.text_at(&["restartPolicy"]) == "Always" {
            add(&mut total, &needed);
            add(&mut sidecars, &needed);
            needed.clone_from(&sidecars);
        } else {
            add(&mut needed, &sidecars);
        }
        raise(&mut starting, &needed);
    }
    raise(&mut total, &starting);
    total
}

fn add(total: &mut Totals, more: &Totals) {
    for (name, quantity) in more {
        match total.iter_mut().find(|(n, _)| n == name) {
            Some((_, sum)) => sum.add(quantity),
            None => total.push((name.clone(), quantity.clone())),
        }
    }
}

fn raise(total: &mut Totals, least: &Totals) {
    for (name, quantity) in least {
        match total.iter_mut().find(|(n, _)| n == name) {
            Some((_, most)) if *most < *quantity => most.clone_from(quantity),
            Some(_) => {}
            None => total.push((name.clone(), quantity.clone())),
        }
    }
}

/// The class of service of a pod: `Guaranteed`, `Burstable` or `BestEffort` (`ComputePodQOS` in
/// `pkg/apis/core/helper/qos/qos.go`).
pub(crate) fn qos_class(spec: &Value<'_>, pod_level: bool, minor: Minor) -> &'static str {
    if versions::QOS_BY_CONTAINER.contain(minor) {
        return qos_by_container(spec, pod_level);
    }
    let positive = |resources: Option<&Value<'_>>, which: &str| -> Totals {
        resources
            .and_then(|r| r.get(which))
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(Object::iter)
            .filter(|(name, _)| matches!(*name, "cpu" | "memory"))
            .filter_map(|(name, value)| Some((name.to_owned(), quantity(value)?)))
            .filter(|(_, quantity)| quantity.sign() == Ordering::Greater)
            .collect()
    };
    let own = spec
        .get("resources")
        .filter(|r| pod_level && r.as_object().is_some());
    let (mut requests, mut limits, mut guaranteed) = (Totals::new(), Totals::new(), true);
    let mut count = |resources: Option<&Value<'_>>| {
        let limited = positive(resources, "limits");
        add(&mut requests, &positive(resources, "requests"));
        guaranteed &= ["cpu", "memory"]
            .iter()
            .all(|r| limited.iter().any(|(n, _)| n == r));
        add(&mut limits, &limited);
    };
    if own.is_some() {
        count(own);
    } else {
        for list in ["containers", "initContainers"] {
            for container in spec.list_at(&[list]) {
                count(container.get("resources"));
            }
        }
    }
    if requests.is_empty() && limits.is_empty() {
        return "BestEffort";
    }
    let equal = requests.len() == limits.len()
        && requests.iter().all(|(name, quantity)| {
            limits
                .iter()
                .any(|(n, limit)| n == name && limit == quantity)
        });
    if guaranteed && equal {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// Since 1.37: each container has a class, and a pod whose containers differ is burstable.
fn qos_by_container(spec: &Value<'_>, pod_level: bool) -> &'static str {
    let own = spec.get("resources").filter(|_| pod_level);
    let named = |resources: &Value<'_>| {
        ["requests", "limits"]
            .iter()
            .filter_map(|list| resources.get(list)?.as_object())
            .flat_map(Object::iter)
            .any(|(name, _)| matches!(name, "cpu" | "memory") || name.starts_with("hugepages-"))
    };
    if let Some(own) = own.filter(|own| named(own)) {
        return one_class(["cpu", "memory"].map(|name| amount_class(Some(own), name)));
    }
    let containers = ["initContainers", "containers"]
        .into_iter()
        .flat_map(|list| spec.list_at(&[list]));
    one_class(containers.flat_map(|container| {
        ["cpu", "memory"].map(|name| amount_class(container.get("resources"), name))
    }))
}

/// The class that all have, or that of those that differ.
fn one_class(classes: impl IntoIterator<Item = &'static str>) -> &'static str {
    let mut classes = classes.into_iter();
    let first = classes.next().unwrap_or("BestEffort");
    if classes.all(|class| class == first) {
        first
    } else {
        "Burstable"
    }
}

/// `resourceQOS`
fn amount_class(resources: Option<&Value<'_>>, name: &str) -> &'static str {
    let amount = |list: &str| {
        let amount = resources.and_then(|resources| quantity(resources.at(&[list, name])?));
        amount.unwrap_or_default()
    };
    let request = amount("requests");
    if request != amount("limits") {
        "Burstable"
    } else if request.is_zero() {
        "BestEffort"
    } else {
        "Guaranteed"
    }
}

//! Where a pod may run: node selectors, affinity, topology spread, gates.
//!
//! Upstream: `validateAffinity` and what it calls, `validateTopologySpreadConstraints`,
//! `validateSchedulingGates`, `validateReadinessGates` and `validateSchedulingGroup` in `pkg/apis/core/validation/validation.go`.

use crate::value::Value;

use super::field::{BadValue, Path};
use super::tree::{entries, field, int, int_opt, items, text, text_opt, texts};
use super::{Validator, metadata, names, selectors, versions};

/// `validateAffinity`
pub(crate) fn affinity(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let Some(affinity) = field(spec, "affinity") else {
        return;
    };
    let path = path.child("affinity");
    if let Some(affinity) = field(affinity, "nodeAffinity") {
        node_affinity(v, affinity, &path.child("nodeAffinity"));
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let Some(affinity) = field(affinity, kind) else {
            continue;
        };
        let path = path.child(kind);
        let required = path.child(REQUIRED);
        for (i, term) in items(affinity, REQUIRED).iter().enumerate() {
            pod_affinity_term(v, term, &required.index(i));
        }
        let preferred = path.child(PREFERRED);
        for (i, weighted) in items(affinity, PREFERRED).iter().enumerate() {
            let path = preferred.index(i);
            weight(v, weighted, &path);
            let term = weighted.get("podAffinityTerm").unwrap_or(&NOTHING);
            pod_affinity_term(v, term, &path.child("podAffinityTerm"));
        }
    }
}

static NOTHING: Value<'static> = Value::Null;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

fn weight(v: &mut Validator, weighted: &Value<'_>, path: &Path<'_>) {
    let weight = int(weighted, "weight");
    if !(1..=100).contains(&weight) {
        v.errors
            .invalid(&path.child("weight"), weight, "must be in the range 1-100");
    }
}

/// `validateNodeAffinity`
fn node_affinity(v: &mut Validator, affinity: &Value<'_>, path: &Path<'_>) {
    if let Some(selector) = field(affinity, REQUIRED) {
        let path = path.child(REQUIRED);
        let path = path.child("nodeSelectorTerms");
        let terms = items(selector, "nodeSelectorTerms");
        if terms.is_empty() {
            v.errors
                .required(&path, "must have at least one node selector term");
        }
        let any_values = !v.since(versions::NODE_AFFINITY_VALUES);
        for (i, term) in terms.iter().enumerate() {
            node_selector_term(v, term, any_values, &path.index(i));
        }
    }
    let path = path.child(PREFERRED);
    for (i, preferred) in items(affinity, PREFERRED).iter().enumerate() {
        let path = path.index(i);
        weight(v, preferred, &path);
        let term = preferred.get("preference").unwrap_or(&NOTHING);
        node_selector_term(v, term, true, &path.child("preference"));
    }
}

/// `ValidateNodeSelectorTerm`
fn node_selector_term(v: &mut Validator, term: &Value<'_>, any_values: bool, path: &Path<'_>) {
    let expressions = path.child("matchExpressions");
    for (i, requirement) in items(term, "matchExpressions").iter().enumerate() {
        node_selector_requirement(v, requirement, any_values, &expressions.index(i));
    }
    let fields = path.child("matchFields");
    for (i, requirement) in items(term, "matchFields").iter().enumerate() {
        node_field_requirement(v, requirement, &fields.index(i));
    }
}

/// `ValidateNodeSelectorRequirement`
fn node_selector_requirement(
    v: &mut Validator,
    requirement: &Value<'_>,
    any_values: bool,
    path: &Path<'_>,
) {
    let values = items(requirement, "values").len();
    let values_path = path.child("values");
    let operator = text(requirement, "operator");
    match operator {
        "In" | "NotIn" => {
            if values == 0 {
                v.errors.required(
                    &values_path,
                    "must be specified when `operator` is 'In' or 'NotIn'",
                );
            }
        }
        "Exists" | "DoesNotExist" => {
            if values > 0 {
                v.errors.forbidden(
                    &values_path,
                    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                );
            }
        }
        "Gt" | "Lt" => {
            if values != 1 {
                v.errors.required(
                    &values_path,
                    "must be specified single value when `operator` is 'Lt' or 'Gt'",
                );
            }
        }
        _ => v.errors.invalid(
            &path.child("operator"),
            BadValue::Named(operator),
            "not a valid selector operator",
        ),
    }
    metadata::label_name(v, text(requirement, "key"), &path.child("key"));
    if !any_values {
        for (i, value) in texts(requirement, "values").enumerate() {
            let wrong = names::label_value(value, v.minor);
            v.errors.invalid_each(&values_path.index(i), value, wrong);
        }
    }
}

/// `ValidateNodeFieldSelectorRequirement`: the only field is the node's name.
fn node_field_requirement(v: &mut Validator, requirement: &Value<'_>, path: &Path<'_>) {
    let values_path = path.child("values");
    let operator = text(requirement, "operator");
    match operator {
        "In" | "NotIn" => {
            if items(requirement, "values").len() != 1 {
                v.errors.required(
                    &values_path,
                    "must be only one value when `operator` is 'In' or 'NotIn' for node field \
                     selector",
                );
            }
        }
        _ => v.errors.invalid(
            &path.child("operator"),
            BadValue::Named(operator),
            "not a valid selector operator",
        ),
    }
    let key = text(requirement, "key");
    if key != "metadata.name" {
        v.errors
            .invalid(&path.child("key"), key, "not a valid field selector key");
        return;
    }
    for (i, value) in texts(requirement, "values").enumerate() {
        v.errors
            .invalid_each(&values_path.index(i), value, names::dns_subdomain(value));
    }
}

/// `validatePodAffinityTerm`
fn pod_affinity_term(v: &mut Validator, term: &Value<'_>, path: &Path<'_>) {
    let selector = field(term, "labelSelector");
    if v.since(versions::AFFINITY_LABEL_SELECTOR) {
        selectors::label_selector(v, selector, &path.child("labelSelector"));
        let namespaces = field(term, "namespaceSelector");
        selectors::label_selector(v, namespaces, &path.child("namespaceSelector"));
    } else {
        selectors::label_selector(v, selector, &path.child("matchExpressions"));
    }
    for namespace in texts(term, "namespaces") {
        let wrong = names::dns_label(namespace, v.minor);
        v.errors
            .invalid_each(&path.child("namespace"), namespace, wrong);
    }
    label_keys(v, term, selector, path);
    let key = text(term, "topologyKey");
    let path = path.child("topologyKey");
    if key.is_empty() {
        v.errors.required(&path, "can not be empty");
    }
    metadata::label_name(v, key, &path);
}

/// `ValidateMatchLabelKeysAndMismatchLabelKeys`
pub(crate) fn label_keys(
    v: &mut Validator,
    term: &Value<'_>,
    selector: Option<&Value<'_>>,
    path: &Path<'_>,
) {
    for name in ["matchLabelKeys", "mismatchLabelKeys"] {
        // `validateLabelKeys`
        if items(term, name).is_empty() {
            continue;
        }
        let path = path.child(name);
        if selector.is_none() {
            v.errors
                .forbidden(&path, "must not be specified when labelSelector is not set");
            continue;
        }
        for (i, key) in texts(term, name).enumerate() {
            metadata::label_name(v, key, &path.index(i));
        }
    }
    if let Some(selector) = selector {
        let expressions = items(selector, "matchExpressions");
        for (i, expression) in expressions.iter().enumerate() {
            let key = text(expression, "key");
            let before = entries(selector, "matchLabels").any(|(k, _)| k == key)
                || expressions[..i].iter().any(|e| text(e, "key") == key);
            let index = texts(term, "matchLabelKeys")
                .enumerate()
                .filter(|(_, k)| *k == key)
                .last();
            if let Some((index, _)) = index
                && before
            {
                v.errors.invalid(
                    &path.index(index),
                    key,
                    "exists in both matchLabelKeys and labelSelector",
                );
            }
        }
    }
    let keys_path = path.child("matchLabelKeys");
    for (i, key) in texts(term, "matchLabelKeys").enumerate() {
        if texts(term, "mismatchLabelKeys").any(|k| k == key) {
            v.errors.invalid(
                &keys_path.index(i),
                key,
                "exists in both matchLabelKeys and mismatchLabelKeys",
            );
        }
    }
}

/// `validateTopologySpreadConstraints`
pub(crate) fn topology_spread(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    const ACTIONS: [&str; 2] = ["DoNotSchedule", "ScheduleAnyway"];
    const POLICIES: [&str; 2] = ["Honor", "Ignore"];
    const POSITIVE: &str = "must be greater than zero";
    let constraints = items(spec, "topologySpreadConstraints");
    let path = path.child("topologySpreadConstraints");
    for (i, constraint) in constraints.iter().enumerate() {
        let path = path.index(i);
        let skew = int(constraint, "maxSkew");
        if skew <= 0 {
            v.errors.invalid(&path.child("maxSkew"), skew, POSITIVE);
        }
        let key = text(constraint, "topologyKey");
        if key.is_empty() {
            v.errors
                .required(&path.child("topologyKey"), "can not be empty");
        }
        let action = text(constraint, "whenUnsatisfiable");
        if !ACTIONS.contains(&action) {
            v.errors
                .not_supported(&path.child("whenUnsatisfiable"), action, &ACTIONS);
        }
        let repeated = constraints[i + 1..].iter().any(|other| {
            text(other, "topologyKey") == key && text(other, "whenUnsatisfiable") == action
        });
        if repeated {
            v.errors.duplicate(
                &path.child("{topologyKey, whenUnsatisfiable}"),
                &*format!("{{{key}, {action}}}"),
            );
        }
        if let Some(domains) = int_opt(constraint, "minDomains") {
            let path = path.child("minDomains");
            if domains <= 0 {
                v.errors.invalid(&path, domains, POSITIVE);
            }
            if action != "DoNotSchedule" {
                v.errors.invalid(
                    &path,
                    domains,
                    format!(
                        "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
                    ),
                );
            }
        }
        for name in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            if let Some(policy) = text_opt(constraint, name)
                && !POLICIES.contains(&policy)
            {
                v.errors.not_supported(&path.child(name), policy, &POLICIES);
            }
        }
        let selector = field(constraint, "labelSelector");
        if v.since(versions::TOPOLOGY_KEYS_MERGED) {
            label_keys(v, constraint, selector, &path);
        } else {
            topology_label_keys(v, constraint, selector, &path.child("matchLabelKeys"));
        }
        if v.since(versions::TOPOLOGY_SELECTOR) {
            selectors::label_selector(v, selector, &path.child("labelSelector"));
        }
    }
}

/// `ValidateMatchLabelKeysInTopologySpread`, earlier `validateMatchLabelKeys`
fn topology_label_keys(
    v: &mut Validator,
    constraint: &Value<'_>,
    selector: Option<&Value<'_>>,
    path: &Path<'_>,
) {
    if items(constraint, "matchLabelKeys").is_empty() {
        return;
    }
    if selector.is_none() && v.since(versions::TOPOLOGY_SELECTOR) {
        v.errors
            .forbidden(path, "must not be specified when labelSelector is not set");
    }
    for (i, key) in texts(constraint, "matchLabelKeys").enumerate() {
        metadata::label_name(v, key, &path.index(i));
        let selected = selector.is_some_and(|selector| {
            entries(selector, "matchLabels").any(|(k, _)| k == key)
                || items(selector, "matchExpressions")
                    .iter()
                    .any(|e| text(e, "key") == key)
        });
        if selected {
            v.errors.invalid(
                &path.index(i),
                key,
                "exists in both matchLabelKeys and labelSelector",
            );
        }
    }
}

/// `validateReadinessGates`
pub(crate) fn readiness_gates(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let path = path.child("readinessGates");
    for (i, gate) in items(spec, "readinessGates").iter().enumerate() {
        let path = path.index(i);
        metadata::label_name(v, text(gate, "conditionType"), &path.child("conditionType"));
    }
}

/// `validateSchedulingGates`
pub(crate) fn scheduling_gates(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let gates = items(spec, "schedulingGates");
    let path = path.child("schedulingGates");
    for (i, gate) in gates.iter().enumerate() {
        let path = path.index(i);
        let name = text(gate, "name");
        if v.since(versions::GATES_QUALIFIED) {
            metadata::label_name(v, name, &path);
        } else if name.is_empty() {
            v.errors.required(&path, "must not be empty");
        }
        if gates[..i].iter().any(|g| text(g, "name") == name) {
            v.errors.duplicate(&path, name);
        }
    }
}

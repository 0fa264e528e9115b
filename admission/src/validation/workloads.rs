//! Deployments, replica sets, stateful sets, daemon sets and replication controllers.
//!
//! Upstream: `pkg/apis/apps/validation/validation.go`, `ValidateReplicationController` and
//! `ValidatePodTemplateSpecForRC` in `pkg/apis/core/validation/validation.go`, and the `Validate`
//! and `ValidateUpdate` of the strategies in `pkg/registry/{apps,core}`.

use std::borrow::Cow;

use crate::value::Value;

use super::field::{BadValue, Path};
use super::names::{self, NameRule};
use super::pod::spec_of;
use super::resources::non_negative_field;
use super::selectors::{self, Match};
use super::tree::{equal, equal_fields, field, int, int_opt, is_empty, items, text};
use super::{Validator, claims, go, metadata, pod, versions};

/// A kind with a selector and a template that this file knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    ReplicationController,
}

use Workload::{DaemonSet, Deployment, ReplicaSet, ReplicationController, StatefulSet};

/// The template of an object without one.
static NO_TEMPLATE: Value<'static> = Value::Null;

fn template_of<'v, 'a>(spec: &'v Value<'a>) -> &'v Value<'a> {
    spec.get("template").unwrap_or(&NO_TEMPLATE)
}

/// What the strategy does on create.
pub(crate) fn create(v: &mut Validator, kind: Workload, object: &Value<'_>) {
    let (meta, path) = (metadata::of(object), Path::new("metadata"));
    let long_name = v.since(versions::CONTROLLER_GENERATED_NAME_UNCHECKED);
    if kind == ReplicationController && long_name {
        metadata::object_meta_with_long_name(v, meta, &path);
    } else {
        let label = kind == StatefulSet && v.since(versions::STATEFUL_SET_LABEL_NAME);
        let rule = if label {
            NameRule::Label
        } else {
            NameRule::Subdomain
        };
        metadata::object_meta(v, meta, true, rule, &path);
    }
    spec(v, kind, spec_of(object), None);
}

/// What the strategy does on update.
pub(crate) fn update(v: &mut Validator, kind: Workload, new: &Value<'_>, old: &Value<'_>) {
    let (new_spec, old_spec) = (spec_of(new), spec_of(old));
    let once = v.since(versions::UPDATE_VALIDATED_ONCE);
    let update_meta = |v: &mut Validator| {
        let path = Path::new("metadata");
        metadata::update(v, metadata::of(new), metadata::of(old), &path);
    };
    match kind {
        Deployment => {
            update_meta(v);
            spec(v, kind, new_spec, Some(old_spec));
            selector_immutable(v, new_spec, old_spec);
        }
        ReplicaSet => {
            if !once {
                create(v, kind, new);
            }
            update_meta(v);
            spec(v, kind, new_spec, Some(old_spec));
            selector_immutable(v, new_spec, old_spec);
        }
        DaemonSet => {
            if !once {
                create(v, kind, new);
            }
            update_meta(v);
            if once {
                selector_immutable(v, new_spec, old_spec);
            }
            spec(v, kind, new_spec, Some(old_spec));
            if !once {
                selector_immutable(v, new_spec, old_spec);
            }
        }
        ReplicationController => {
            if !once {
                create(v, kind, new);
            }
            update_meta(v);
            spec(v, kind, new_spec, Some(old_spec));
        }
        StatefulSet => {
            if v.since(versions::STATEFUL_SET_LABEL_NAME) {
                update_meta(v);
                spec(v, kind, new_spec, Some(old_spec));
            } else {
                create(v, kind, new);
                update_meta(v);
            }
            if v.since(versions::STATEFUL_SET_FIELDS_IMMUTABLE) {
                stateful_set_fields(v, new_spec, old_spec);
            } else {
                stateful_set_immutable(v, new_spec, old_spec);
            }
        }
    }
}

fn selector_immutable(v: &mut Validator, new: &Value<'_>, old: &Value<'_>) {
    if !equal(new.get("selector"), old.get("selector")) {
        let path = Path::new("spec");
        let value = selector_value(v, new);
        v.errors
            .invalid(&path.child("selector"), value, "field is immutable");
    }
}

/// Whether the claims are the same, but for their `apiVersion` and `kind`: a server writes those
/// (`Convert_apps_StatefulSetSpec_To_v1_StatefulSetSpec`), and does not read them.
fn same_claims(new: &Value<'_>, old: Option<&Value<'_>>) -> bool {
    let (Some(new), Some(old)) = (new.as_list(), old.and_then(Value::as_list)) else {
        return equal(Some(new), old);
    };
    let fields = |a: &Value<'_>, b: &Value<'_>| {
        a.as_object().is_none_or(|a| {
            a.iter().all(|(key, value)| {
                matches!(key, "apiVersion" | "kind") || equal_fields(key, Some(value), b.get(key))
            })
        })
    };
    new.len() == old.len()
        && new
            .iter()
            .zip(old)
            .all(|(a, b)| fields(a, b) && fields(b, a))
}

/// The selector as a bad value.
pub(crate) fn selector_value(v: &Validator, spec: &Value<'_>) -> BadValue<'static> {
    match selectors::of(spec) {
        Some(selector) => go::print(selector, &go::LABEL_SELECTOR, v.minor).into(),
        None => BadValue::Nil,
    }
}

/// The part of `ValidateStatefulSetUpdate` about what must not change, from 1.37 on.
fn stateful_set_fields(v: &mut Validator, new: &Value<'_>, old: &Value<'_>) {
    selector_immutable(v, new, old);
    let path = Path::new("spec");
    let claims = |spec| Value::from(items(spec, "volumeClaimTemplates").to_vec());
    if !same_claims(&claims(new), Some(&claims(old))) {
        let value = if items(new, "volumeClaimTemplates").is_empty() {
            go::Rendered::exact("null".to_owned())
        } else {
            go::Rendered::abridged("[]core.PersistentVolumeClaim", v.minor)
        };
        v.errors.invalid(
            &path.child("volumeClaimTemplates"),
            value,
            "field is immutable",
        );
    }
    for name in ["serviceName", "podManagementPolicy"] {
        if text(new, name) != text(old, name) {
            v.errors.invalid(
                &path.child(name),
                BadValue::Named(text(new, name)),
                "field is immutable",
            );
        }
    }
}

/// The part of `ValidateStatefulSetUpdate` about what must not change, up to 1.36.
fn stateful_set_immutable(v: &mut Validator, new: &Value<'_>, old: &Value<'_>) {
    // The first minor with which a field may change, and the list of them in the text.
    const MUTABLE: [(&str, u8); 7] = [
        ("replicas", 0),
        ("template", 0),
        ("updateStrategy", 0),
        ("persistentVolumeClaimRetentionPolicy", 23),
        ("minReadySeconds", 23),
        ("ordinals", 26),
        ("revisionHistoryLimit", 33),
    ];
    let fields = match v.minor {
        ..22 => "'replicas', 'template', and 'updateStrategy'",
        22 => "'replicas', 'template', 'updateStrategy' and 'minReadySeconds'",
        23..26 => {
            "'replicas', 'template', 'updateStrategy', 'persistentVolumeClaimRetentionPolicy' and \
             'minReadySeconds'"
        }
        26..33 => {
            "'replicas', 'ordinals', 'template', 'updateStrategy', \
             'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds'"
        }
        33.. => {
            "'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', \
             'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds'"
        }
    };
    let minor = v.minor;
    let mutable = |key: &str| {
        MUTABLE
            .iter()
            .any(|(name, since)| *name == key && *since <= minor)
    };
    let keys = |a: &Value<'_>, b: &Value<'_>| {
        a.as_object().is_none_or(|a| {
            a.iter().all(|(key, value)| match key {
                _ if mutable(key) => true,
                "volumeClaimTemplates" => same_claims(value, b.get(key)),
                _ => equal_fields(key, Some(value), b.get(key)),
            })
        })
    };
    if !(keys(new, old) && keys(old, new)) {
        v.errors.forbidden(
            &Path::new("spec"),
            format!("updates to statefulset spec for fields other than {fields} are forbidden"),
        );
    }
}

fn spec(v: &mut Validator, kind: Workload, spec: &Value<'_>, old: Option<&Value<'_>>) {
    let path = Path::new("spec");
    match kind {
        Deployment => deployment(v, spec, old, &path),
        ReplicaSet => {
            non_negative_field(v, spec, "replicas", &path);
            non_negative_field(v, spec, "minReadySeconds", &path);
            if selector(v, kind, spec, &path) {
                template(v, kind, spec, old, &path);
            }
        }
        StatefulSet => stateful_set(v, spec, old.is_some(), &path),
        DaemonSet => daemon_set(v, spec, old, &path),
        ReplicationController => {
            non_negative_field(v, spec, "minReadySeconds", &path);
            if is_empty(field(spec, "selector")) {
                v.errors.required(&path.child("selector"), "");
            }
            non_negative_field(v, spec, "replicas", &path);
            match field(spec, "template") {
                None => v.errors.required(&path.child("template"), ""),
                Some(_) => template(v, kind, spec, old, &path),
            }
        }
    }
}

/// The selector of a workload, except a daemon set's; whether it can be compiled.
fn selector(v: &mut Validator, kind: Workload, spec: &Value<'_>, path: &Path<'_>) -> bool {
    let selector = selectors::of(spec);
    let path = path.child("selector");
    match selector {
        None => v.errors.required(&path, ""),
        Some(set) => {
            selectors::label_selector(v, selector, &path);
            if selectors::requirements(set) == 0 {
                let value = selector_value(v, spec);
                // Replica sets say so too.
                let name = if kind == StatefulSet {
                    "statefulset"
                } else {
                    "deployment"
                };
                v.errors.invalid(
                    &path,
                    value,
                    format!("empty selector is invalid for {name}"),
                );
            }
        }
    }
    let malformed =
        selectors::matches(selector, metadata::of(template_of(spec)), v.minor) == Match::Malformed;
    if malformed {
        let value = selector_value(v, spec);
        let detail = if kind == StatefulSet {
            ""
        } else {
            "invalid label selector"
        };
        v.errors.invalid(&path, value, detail);
    }
    !malformed
}

/// The labels of the template must be selected.
fn selected(v: &mut Validator, spec: &Value<'_>, matched: Match, path: &Path<'_>) {
    if matched == Match::No {
        let path = path.child("metadata");
        let labels = field(metadata::of(template_of(spec)), "labels");
        let value = go::print_map(labels, v.minor);
        v.errors.invalid(
            &path.child("labels"),
            value,
            "`selector` does not match template `labels`",
        );
    }
}

/// `ValidatePodTemplateSpecForReplicaSet` and `ValidatePodTemplateSpecForRC`
fn template(
    v: &mut Validator,
    kind: Workload,
    spec: &Value<'_>,
    old: Option<&Value<'_>>,
    path: &Path<'_>,
) {
    let path = &path.child("template");
    let template = template_of(spec);
    let matched = if kind == ReplicationController {
        map_matches(spec, metadata::of(template))
    } else {
        selectors::matches(selectors::of(spec), metadata::of(template), v.minor)
    };
    selected(v, spec, matched, path);
    pod::template(v, template, path);
    if int(spec, "replicas") > 1 {
        gce_disks(v, template, old, path);
    }
    let name = if kind == ReplicationController {
        "ReplicationController"
    } else {
        "ReplicaSet"
    };
    runs_forever(v, template, name, path);
}

/// Whether the map `selector` is among the labels.
fn map_matches(spec: &Value<'_>, meta: &Value<'_>) -> Match {
    let all = super::tree::text_entries(spec, "selector")
        .all(|(key, value)| super::tree::entry(meta, "labels", key) == Some(value));
    if all { Match::Yes } else { Match::No }
}

/// What is started again and again has neither a deadline nor another restart policy.
fn runs_forever(v: &mut Validator, template: &Value<'_>, name: &str, path: &Path<'_>) {
    let path = path.child("spec");
    let spec = spec_of(template);
    let policy = text(spec, "restartPolicy");
    if policy != "Always" {
        v.errors
            .not_supported(&path.child("restartPolicy"), policy, &["Always"]);
    }
    if int_opt(spec, "activeDeadlineSeconds").is_some() {
        v.errors.forbidden(
            &path.child("activeDeadlineSeconds"),
            format!("activeDeadlineSeconds in {name} is not Supported"),
        );
    }
}

/// `ValidateReadOnlyPersistentDisks`
fn gce_disks(v: &mut Validator, template: &Value<'_>, old: Option<&Value<'_>>, path: &Path<'_>) {
    if v.since(versions::GCE_DISKS_UNCHECKED) {
        return;
    }
    let writable = |volume: &Value<'_>| {
        field(volume, "gcePersistentDisk").is_some_and(|disk| !super::tree::flag(disk, "readOnly"))
    };
    let before = old.is_some_and(|old| {
        items(spec_of(template_of(old)), "volumes")
            .iter()
            .any(writable)
    });
    if before && v.since(versions::GCE_DISKS_KEPT) {
        return;
    }
    let path = path.child("spec");
    let path = path.child("volumes");
    for (i, volume) in items(spec_of(template), "volumes").iter().enumerate() {
        if writable(volume) {
            let path = path.index(i);
            let path = path.child("gcePersistentDisk");
            v.errors.invalid(
                &path.child("readOnly"),
                false,
                "must be true for replicated pods > 1; GCE PD can only be mounted on multiple \
                 machines if it is read-only",
            );
        }
    }
}

/// `ValidateDeploymentSpec`
fn deployment(v: &mut Validator, spec: &Value<'_>, old: Option<&Value<'_>>, path: &Path<'_>) {
    non_negative_field(v, spec, "replicas", path);
    if selector(v, Deployment, spec, path) {
        template(v, Deployment, spec, old, path);
    }
    deployment_strategy(v, spec, &path.child("strategy"));
    non_negative_field(v, spec, "minReadySeconds", path);
    non_negative_field(v, spec, "revisionHistoryLimit", path);
    non_negative_field(v, spec, "progressDeadlineSeconds", path);
    if let Some(deadline) = int_opt(spec, "progressDeadlineSeconds")
        && deadline <= int(spec, "minReadySeconds")
    {
        v.errors.invalid(
            &path.child("progressDeadlineSeconds"),
            deadline,
            "must be greater than minReadySeconds",
        );
    }
}

/// `ValidateDeploymentStrategy`
fn deployment_strategy(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let strategy = spec.get("strategy").unwrap_or(&NO_TEMPLATE);
    let rolling = field(strategy, "rollingUpdate");
    let rolling_path = path.child("rollingUpdate");
    match text(strategy, "type") {
        "Recreate" => {
            if rolling.is_some() {
                v.errors.forbidden(
                    &rolling_path,
                    "may not be specified when strategy `type` is 'Recreate'",
                );
            }
        }
        "RollingUpdate" => {
            let Some(rolling) = rolling else {
                v.errors
                    .required(&rolling_path, "this should be defaulted and never be nil");
                return;
            };
            let unavailable = Amount::of(rolling, "maxUnavailable");
            let surge = Amount::of(rolling, "maxSurge");
            unavailable.well_formed(v, &rolling_path);
            surge.well_formed(v, &rolling_path);
            if unavailable.number() == 0 && surge.number() == 0 {
                unavailable.invalid(v, "may not be 0 when `maxSurge` is 0", &rolling_path);
            }
            unavailable.at_most_all(v, &rolling_path);
        }
        _ => {
            let value = go::print(strategy, &go::DEPLOYMENT_STRATEGY, v.minor);
            v.errors
                .not_supported_value(path, value.into(), &["Recreate", "RollingUpdate"]);
        }
    }
}

/// A number of pods or a percentage of them.
struct Amount<'v, 'a> {
    name: &'static str,
    value: Cow<'v, Value<'a>>,
}

impl<'v, 'a> Amount<'v, 'a> {
    fn of(holder: &'v Value<'a>, name: &'static str) -> Self {
        let value = match field(holder, name) {
            Some(value) => Cow::Borrowed(value),
            None => Cow::Owned(Value::Int(0)),
        };
        Self { name, value }
    }

    fn invalid(&self, v: &mut Validator, detail: impl Into<String>, path: &Path<'_>) {
        let value = go::print_int_or_string(&self.value, v.minor);
        v.errors.invalid(&path.child(self.name), value, detail);
    }

    /// `ValidatePositiveIntOrPercent`
    fn well_formed(&self, v: &mut Validator, path: &Path<'_>) {
        match &*self.value {
            Value::String(text) => {
                for wrong in names::percent(text) {
                    self.invalid(v, wrong, path);
                }
            }
            other => {
                let n = other.as_int().unwrap_or_default();
                metadata::non_negative(v, n, &path.child(self.name));
            }
        }
    }

    /// `getPercentValue`
    fn percent(&self) -> Option<i64> {
        let text = self.value.as_str()?;
        names::percent(text)
            .is_empty()
            .then(|| text.trim_end_matches('%').parse().unwrap_or(i64::MAX))
    }

    /// `getIntOrPercentValue`
    fn number(&self) -> i64 {
        self.percent().unwrap_or_else(|| match &*self.value {
            Value::String(text) => text.parse().unwrap_or_default(),
            other => other.as_int().unwrap_or_default(),
        })
    }

    /// `IsNotMoreThan100Percent`
    fn at_most_all(&self, v: &mut Validator, path: &Path<'_>) {
        if self.percent().is_some_and(|percent| percent > 100) {
            self.invalid(v, "must not be greater than 100%", path);
        }
    }
}

/// `ValidateDaemonSetSpec`
fn daemon_set(v: &mut Validator, spec: &Value<'_>, old: Option<&Value<'_>>, path: &Path<'_>) {
    let selector = selectors::of(spec);
    selectors::label_selector(v, selector, &path.child("selector"));
    let template = template_of(spec);
    let template_path = path.child("template");
    let matched = selectors::matches(selector, metadata::of(template), v.minor);
    selected(v, spec, matched, &template_path);
    if selector.is_some_and(|selector| selectors::requirements(selector) == 0) {
        let value = selector_value(v, spec);
        v.errors.invalid(
            &path.child("selector"),
            value,
            "empty selector is invalid for daemonset",
        );
    }
    pod::template(v, template, &template_path);
    gce_disks(v, template, old, &template_path);
    runs_forever(v, template, "DaemonSet", &template_path);
    non_negative_field(v, spec, "minReadySeconds", path);
    daemon_set_strategy(v, spec, &path.child("updateStrategy"));
    non_negative_field(v, spec, "revisionHistoryLimit", path);
}

/// `ValidateDaemonSetUpdateStrategy`
fn daemon_set_strategy(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let strategy = spec.get("updateStrategy").unwrap_or(&NO_TEMPLATE);
    let rolling_path = path.child("rollingUpdate");
    match text(strategy, "type") {
        "OnDelete" => {}
        "RollingUpdate" => {
            let Some(rolling) = field(strategy, "rollingUpdate") else {
                v.errors.required(&rolling_path, "");
                return;
            };
            let unavailable = Amount::of(rolling, "maxUnavailable");
            let surge = Amount::of(rolling, "maxSurge");
            unavailable.well_formed(v, &rolling_path);
            if !v.since(versions::DAEMON_SET_SURGE) {
                if unavailable.number() == 0 {
                    unavailable.invalid(v, "cannot be 0", &rolling_path);
                }
                unavailable.at_most_all(v, &rolling_path);
                return;
            }
            surge.well_formed(v, &rolling_path);
            unavailable.at_most_all(v, &rolling_path);
            surge.at_most_all(v, &rolling_path);
            match (unavailable.number() != 0, surge.number() != 0) {
                (true, true) => surge.invalid(
                    v,
                    "may not be set when maxUnavailable is non-zero",
                    &rolling_path,
                ),
                (false, false) => v.errors.required(
                    &rolling_path.child("maxUnavailable"),
                    "cannot be 0 when maxSurge is 0",
                ),
                _ => {}
            }
        }
        _ => {
            let value = go::print(strategy, &go::DAEMON_SET_UPDATE_STRATEGY, v.minor);
            v.errors
                .not_supported_value(path, value.into(), &["RollingUpdate", "OnDelete"]);
        }
    }
}

/// `ValidateStatefulSetSpec`
fn stateful_set(v: &mut Validator, spec: &Value<'_>, is_update: bool, path: &Path<'_>) {
    let policy_path = path.child("podManagementPolicy");
    match text(spec, "podManagementPolicy") {
        "OrderedReady" | "Parallel" => {}
        "" => v.errors.required(&policy_path, ""),
        policy => v.errors.invalid(
            &policy_path,
            BadValue::Named(policy),
            "must be 'OrderedReady' or 'Parallel'",
        ),
    }
    stateful_set_strategy(v, spec, &path.child("updateStrategy"));
    if let Some(policy) = field(spec, "persistentVolumeClaimRetentionPolicy") {
        let path = path.child("persistentVolumeClaimRetentionPolicy");
        for name in ["whenDeleted", "whenScaled"] {
            let action = text(policy, name);
            if !matches!(action, "Retain" | "Delete") {
                v.errors
                    .not_supported(&path.child(name), action, &["Retain", "Delete"]);
            }
        }
    }
    let validates_template = v.since(versions::STATEFUL_SET_TEMPLATE);
    if validates_template && !is_update {
        let path = path.child("volumeClaimTemplates");
        for (i, claim) in items(spec, "volumeClaimTemplates").iter().enumerate() {
            let path = path.index(i);
            claims::spec(v, spec_of(claim), &path.child("spec"));
        }
    }
    non_negative_field(v, spec, "replicas", path);
    non_negative_field(v, spec, "minReadySeconds", path);
    if let Some(ordinals) = field(spec, "ordinals") {
        metadata::non_negative(v, int(ordinals, "start"), &path.child("ordinals.start"));
    }
    let service = text(spec, "serviceName");
    if v.since(versions::STATEFUL_SET_SERVICE_NAME) && !is_update && !service.is_empty() {
        let wrong = names::dns_label(service, v.minor);
        v.errors
            .invalid_each(&path.child("serviceName"), service, wrong);
    }
    let template = template_of(spec);
    let template_path = path.child("template");
    if selector(v, StatefulSet, spec, path) {
        let matched = selectors::matches(selectors::of(spec), metadata::of(template), v.minor);
        selected(v, spec, matched, &template_path);
        if validates_template {
            match as_instantiated(spec) {
                Some(template) => pod::template(v, &template, &template_path),
                None => pod::template(v, template, &template_path),
            }
        }
        pod::template_meta(v, template, &template_path);
    }
    runs_forever(v, template, "StatefulSet", &template_path);
}

/// The template as the controller fills it in before it creates pods: the claims are volumes, and
/// the host's name is the controller's. `None` where that changes nothing.
fn as_instantiated<'a>(spec: &Value<'a>) -> Option<Value<'a>> {
    let template = template_of(spec);
    let claims = items(spec, "volumeClaimTemplates");
    let own = spec_of(template);
    let named = !text(own, "hostname").is_empty() || !text(own, "subdomain").is_empty();
    if !named && claims.is_empty() {
        return None;
    }
    let mut template = template.clone();
    let pod = template.get_mut("spec")?.as_object_mut()?;
    pod.remove("hostname");
    pod.remove("subdomain");
    if claims.is_empty() {
        return Some(template);
    }
    let name_of = |claim: &Value<'_>| text(metadata::of(claim), "name").to_owned();
    let volumes = pod.list_mut("volumes");
    volumes.retain(|volume| {
        !claims
            .iter()
            .any(|claim| name_of(claim) == text(volume, "name"))
    });
    for claim in claims.iter().rev() {
        let name = name_of(claim);
        let source: crate::value::Object<'a> = [("claimName", Value::from(name.clone()))]
            .into_iter()
            .collect();
        let volume: crate::value::Object<'a> = [
            ("name", Value::from(name)),
            ("persistentVolumeClaim", Value::from(source)),
        ]
        .into_iter()
        .collect();
        volumes.insert(0, Value::from(volume));
    }
    Some(template)
}

fn stateful_set_strategy(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let strategy = spec.get("updateStrategy").unwrap_or(&NO_TEMPLATE);
    let rolling = field(strategy, "rollingUpdate");
    let rolling_path = path.child("rollingUpdate");
    match text(strategy, "type") {
        "" => v.errors.required(path, ""),
        "OnDelete" => {
            if let Some(rolling) = rolling {
                let value = go::print(rolling, &go::ROLLING_UPDATE_STATEFUL_SET, v.minor);
                v.errors.invalid(
                    &rolling_path,
                    value,
                    "only allowed for updateStrategy 'RollingUpdate'",
                );
            }
        }
        "RollingUpdate" => {
            let Some(rolling) = rolling else { return };
            non_negative_field(v, rolling, "partition", &rolling_path);
            if field(rolling, "maxUnavailable").is_some() {
                let unavailable = Amount::of(rolling, "maxUnavailable");
                unavailable.well_formed(v, &rolling_path);
                if unavailable.number() == 0 {
                    unavailable.invalid(v, "cannot be 0", &rolling_path);
                }
                unavailable.at_most_all(v, &rolling_path);
            }
        }
        _ => {
            let value = go::print(strategy, &go::STATEFUL_SET_UPDATE_STRATEGY, v.minor);
            v.errors
                .invalid(path, value, "must be 'RollingUpdate' or 'OnDelete'");
        }
    }
}

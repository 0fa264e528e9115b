//! Jobs.
//!
//! Upstream: `pkg/apis/batch/validation/validation.go`, and the strategy in
//! `pkg/registry/batch/job`. The server has generated the selector of a job before.

use crate::value::Value;

use super::field::{BadValue, Path};
use super::names::{self, NameRule};
use super::pod::spec_of;
use super::resources::non_negative_field;
use super::selectors::{self, Match};
use super::tree::{entry, equal, equal_fields, field, flag, int_opt, items, text, text_opt};
use super::workloads::selector_value;
use super::{Validator, go, job_policies, metadata, pod, pod_update, versions};

static NOTHING: Value<'static> = Value::Null;

const UID: &str = "controller-uid";
const NAME: &str = "job-name";
const PREFIXED_UID: &str = "batch.kubernetes.io/controller-uid";
const PREFIXED_NAME: &str = "batch.kubernetes.io/job-name";

/// `ValidateJob`
pub(crate) fn create(v: &mut Validator, job: &Value<'_>) {
    create_with(v, job, true);
}

/// `prefixed`: whether the labels with a prefix must be there.
fn create_with(v: &mut Validator, job: &Value<'_>, prefixed: bool) {
    let meta = metadata::of(job);
    let meta_path = Path::new("metadata");
    metadata::object_meta(v, meta, true, NameRule::Subdomain, &meta_path);
    let spec = spec_of(job);
    let path = Path::new("spec");
    generated_selector(
        v,
        meta,
        spec,
        prefixed && v.since(versions::JOB_PREFIXED_LABELS),
    );
    job_spec(v, spec, &path);
    selected(v, spec, &path);
    if versions::JOB_TRACKING_ANNOTATION.contains(&v.minor) {
        const TRACKING: &str = "batch.kubernetes.io/job-tracking";
        if entry(meta, "annotations", TRACKING).is_some() {
            let path = meta_path.child("annotations");
            v.errors
                .forbidden(&path.key(TRACKING), "cannot add this annotation");
        }
    }
    if v.since(versions::JOB_COMPLETION_MODE) {
        name_allows_completions(v, meta, spec);
    }
}

/// `validateNameAllowsCompletions`: the highest index ends a pod's host name.
fn name_allows_completions(v: &mut Validator, meta: &Value<'_>, spec: &Value<'_>) {
    let completions = int_opt(spec, "completions").unwrap_or_default();
    if !is_indexed(spec) || completions <= 0 {
        return;
    }
    let name = text(meta, "name");
    let host = format!("{name}-{}", completions - 1);
    if !names::dns_label(&host, v.minor).is_empty() {
        let path = Path::new("metadata");
        v.errors.invalid(
            &path.child("name"),
            name,
            format!("will not able to create pod with invalid DNS label: {host}"),
        );
    }
}

pub(crate) fn is_indexed(spec: &Value<'_>) -> bool {
    text_opt(spec, "completionMode") == Some("Indexed")
}

/// `validateGeneratedSelector`
fn generated_selector(v: &mut Validator, meta: &Value<'_>, spec: &Value<'_>, prefixed: bool) {
    let Some(selector) = selectors::of(spec) else {
        return;
    };
    if flag(spec, "manualSelector") {
        return;
    }
    let (uid, name) = (text(meta, "uid"), text(meta, "name"));
    if uid.is_empty() {
        let path = Path::new("metadata");
        v.errors.required(&path.child("uid"), "");
    }
    let wanted = [
        (UID, uid),
        (NAME, name),
        (PREFIXED_UID, uid),
        (PREFIXED_NAME, name),
    ];
    let wanted = if prefixed { &wanted[..] } else { &wanted[..2] };
    let template = spec.get("template").unwrap_or(&NOTHING);
    let path = Path::new("spec");
    for (key, value) in wanted {
        // `ValidateHasLabel`
        let path = path.child("template");
        let path = path.child("metadata");
        let path = path.child("labels");
        let path = path.key(key);
        let detail = format!("must be '{value}'");
        match entry(metadata::of(template), "labels", key) {
            None => v.errors.required(&path, detail),
            Some(actual) if actual != *value => {
                let labels = field(metadata::of(template), "labels");
                let printed = go::print_map(labels, v.minor);
                v.errors.invalid(&path, printed, detail);
            }
            Some(_) => {}
        }
    }
    let labels: crate::value::Object<'_> = wanted.iter().copied().collect();
    let meta: crate::value::Object<'_> = [("labels", Value::from(labels))].into_iter().collect();
    if selectors::matches(Some(selector), &Value::from(meta), v.minor) == Match::No {
        let value = selector_value(v, spec);
        v.errors.invalid(
            &path.child("selector"),
            value,
            "`selector` not auto-generated",
        );
    }
}

/// The part of `ValidateJobSpec` about the selector.
fn selected(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let selector = selectors::of(spec);
    let selector_path = path.child("selector");
    if selector.is_none() {
        v.errors.required(&selector_path, "");
    }
    selectors::label_selector(v, selector, &selector_path);
    let meta = metadata::of(spec.get("template").unwrap_or(&NOTHING));
    if selectors::matches(selector, meta, v.minor) == Match::No {
        let path = path.child("template");
        let path = path.child("metadata");
        let value = go::print_map(field(meta, "labels"), v.minor);
        v.errors.invalid(
            &path.child("labels"),
            value,
            "`selector` does not match template `labels`",
        );
    }
}

/// `validateJobSpec`
pub(crate) fn job_spec(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    const MAX_MANAGER: usize = 63;
    for name in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        non_negative_field(v, spec, name, path);
    }
    let per_index = field(spec, "backoffLimitPerIndex").is_some();
    if field(spec, "maxFailedIndexes").is_some() && !per_index {
        v.errors.required(
            &path.child("backoffLimitPerIndex"),
            "when maxFailedIndexes is specified",
        );
    }
    if let Some(manager) = text_opt(spec, "managedBy") {
        let path = path.child("managedBy");
        domain_prefixed_path(v, manager, &path);
        if manager.len() > MAX_MANAGER {
            let detail = metadata::too_long_max_length(v, MAX_MANAGER);
            v.errors.too_long(&path, detail);
        }
    }
    completion_mode(v, spec, path);
    if field(spec, "podFailurePolicy").is_some() {
        job_policies::pod_failure_policy(v, spec, &path.child("podFailurePolicy"));
    }
    if let Some(policy) = field(spec, "successPolicy") {
        let path = path.child("successPolicy");
        if is_indexed(spec) {
            job_policies::success_policy(v, policy, spec, &path);
        } else {
            v.errors.invalid(
                &path,
                go::print(policy, &go::SUCCESS_POLICY, v.minor),
                "requires indexed completion mode",
            );
        }
    }
    job_policies::pod_replacement_policy(v, spec, &path.child("podReplacementPolicy"));
    let template = spec.get("template").unwrap_or(&NOTHING);
    let template_path = path.child("template");
    pod::template(v, template, &template_path);
    let path = template_path.child("spec");
    let path = path.child("restartPolicy");
    match text(spec_of(template), "restartPolicy") {
        "Always" | "" => v
            .errors
            .required(&path, "valid values: \"OnFailure\", \"Never\""),
        "Never" => {}
        "OnFailure" => {
            if field(spec, "podFailurePolicy").is_some() {
                v.errors.invalid(
                    &path,
                    BadValue::Named("OnFailure"),
                    "only \"Never\" is supported when podFailurePolicy is specified",
                );
            }
        }
        policy => v
            .errors
            .not_supported(&path, policy, &["OnFailure", "Never"]),
    }
}

/// `IsDomainPrefixedPath`
fn domain_prefixed_path(v: &mut Validator, value: &str, path: &Path<'_>) {
    if value.is_empty() {
        v.errors.required(path, "");
        return;
    }
    match value.split_once('/') {
        Some((domain, rest)) if !domain.is_empty() && !rest.is_empty() => {
            v.errors
                .invalid_each(path, domain, names::dns_subdomain(domain));
            if let Some(wrong) = names::http_path(rest) {
                v.errors.invalid(path, rest, wrong);
            }
        }
        _ => v.errors.invalid(
            path,
            value,
            "must be a domain-prefixed path (such as \"acme.io/foo\")",
        ),
    }
}

/// The rules of `validateJobSpec` that depend on the completion mode.
fn completion_mode(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    const MAX_PARALLELISM: i64 = 100_000;
    const MAX_FAILED: i64 = 100_000;
    const MANY_COMPLETIONS: i64 = 100_000;
    const MAX_FOR_MANY: i64 = 10_000;
    let mode = text_opt(spec, "completionMode");
    let parallelism = int_opt(spec, "parallelism");
    let completions = int_opt(spec, "completions");
    let failed = int_opt(spec, "maxFailedIndexes");
    let per_index = int_opt(spec, "backoffLimitPerIndex");
    let failed_path = path.child("maxFailedIndexes");
    let parallelism_path = path.child("parallelism");
    if let Some(mode) = mode
        && !matches!(mode, "NonIndexed" | "Indexed")
    {
        v.errors.not_supported(
            &path.child("completionMode"),
            mode,
            &["NonIndexed", "Indexed"],
        );
    }
    if mode.is_none() || mode == Some("NonIndexed") {
        for (name, value) in [
            ("backoffLimitPerIndex", per_index),
            ("maxFailedIndexes", failed),
        ] {
            if let Some(value) = value {
                v.errors
                    .invalid(&path.child(name), value, "requires indexed completion mode");
            }
        }
    }
    if mode != Some("Indexed") {
        return;
    }
    if completions.is_none() {
        v.errors.required(
            &path.child("completions"),
            "when completion mode is Indexed",
        );
    }
    if let Some(parallelism) = parallelism
        && parallelism > MAX_PARALLELISM
    {
        v.errors.invalid(
            &parallelism_path,
            parallelism,
            format!(
                "must be less than or equal to {MAX_PARALLELISM} when completion mode is Indexed"
            ),
        );
    }
    if let Some(failed) = failed {
        if completions.is_some_and(|completions| failed > completions) {
            v.errors.invalid(
                &failed_path,
                failed,
                "must be less than or equal to completions",
            );
        }
        if failed > MAX_FAILED {
            v.errors.invalid(
                &failed_path,
                failed,
                format!("must be less than or equal to {MAX_FAILED}"),
            );
        }
    }
    if completions.is_none_or(|completions| completions <= MANY_COMPLETIONS) || per_index.is_none()
    {
        return;
    }
    let limit = format!(
        "must be less than or equal to {MAX_FOR_MANY} when completions are above \
         {MANY_COMPLETIONS} and used with backoff limit per index"
    );
    if failed.is_none() {
        v.errors.required(
            &failed_path,
            format!("must be specified when completions is above {MANY_COMPLETIONS}"),
        );
    }
    for (path, value) in [(&parallelism_path, parallelism), (&failed_path, failed)] {
        if let Some(value) = value
            && value > MAX_FOR_MANY
        {
            v.errors.invalid(path, value, limit.clone());
        }
    }
}

/// What the strategy of jobs does on update: `ValidateJobUpdate`, and before that `ValidateJob`.
pub(crate) fn update(v: &mut Validator, new: &Value<'_>, old: &Value<'_>) {
    let (new_spec, old_spec) = (spec_of(new), spec_of(old));
    let old_meta = metadata::of(old_spec.get("template").unwrap_or(&NOTHING));
    let prefixed = [PREFIXED_NAME, PREFIXED_UID]
        .iter()
        .all(|key| entry(old_meta, "labels", key).is_some());
    let once = v.since(versions::JOB_UPDATE_VALIDATED_ONCE);
    if !once {
        create_with(v, new, prefixed);
    }
    let path = Path::new("metadata");
    metadata::update(v, metadata::of(new), metadata::of(old), &path);
    let path = Path::new("spec");
    job_spec(v, new_spec, &path);
    selected(v, new_spec, &path);
    completions(v, new_spec, old_spec, &path.child("completions"));
    immutable(v, new_spec, old_spec, "selector", &path);
    template(v, new_spec, old, &path);
    for name in [
        "completionMode",
        "podFailurePolicy",
        "backoffLimitPerIndex",
        "managedBy",
        "successPolicy",
    ] {
        immutable(v, new_spec, old_spec, name, &path);
    }
    if once {
        name_allows_completions(v, metadata::of(new), new_spec);
    }
}

/// `ValidateImmutableField` of the field `name`.
fn immutable(v: &mut Validator, new: &Value<'_>, old: &Value<'_>, name: &str, path: &Path<'_>) {
    if equal(new.get(name), old.get(name)) {
        return;
    }
    let path = path.child(name);
    let value = match field(new, name) {
        None => BadValue::Nil,
        Some(_) if name == "selector" => selector_value(v, new),
        Some(Value::String(text)) => BadValue::Named(text),
        Some(Value::Int(n)) => BadValue::Int(*n),
        Some(policy) if name == "podFailurePolicy" => {
            go::print(policy, &go::POD_FAILURE_POLICY, v.minor).into()
        }
        Some(policy) => go::print(policy, &go::SUCCESS_POLICY, v.minor).into(),
    };
    v.errors.invalid(&path, value, "field is immutable");
}

/// `validateCompletions`
fn completions(v: &mut Validator, new: &Value<'_>, old: &Value<'_>, path: &Path<'_>) {
    let (wanted, before) = (int_opt(new, "completions"), int_opt(old, "completions"));
    if wanted == before {
        return;
    }
    let value = wanted.map_or(BadValue::Nil, BadValue::Int);
    if !v.since(versions::ELASTIC_INDEXED_JOBS) || !is_indexed(new) {
        v.errors.invalid(path, value, "field is immutable");
    } else if wanted.is_some() && wanted != int_opt(new, "parallelism") {
        v.errors.invalid(
            path,
            value,
            "can only be modified in tandem with spec.parallelism",
        );
    }
}

/// `validatePodTemplateUpdate`: a suspended job's pods may be scheduled elsewhere.
fn template(v: &mut Validator, new: &Value<'_>, old_job: &Value<'_>, path: &Path<'_>) {
    let old = spec_of(old_job);
    let (Some(new_template), Some(old_template)) = (new.get("template"), old.get("template"))
    else {
        return;
    };
    let suspended = flag(old, "suspend");
    let status = old_job.get("status").unwrap_or(&NOTHING);
    let not_started = field(status, "startTime").is_none();
    let is_active = int_opt(status, "active").unwrap_or_default() > 0;
    let was_suspended = items(status, "conditions")
        .iter()
        .any(|c| text(c, "type") == "Suspended" && text(c, "status") == "True");
    let resources = v.since(versions::JOB_MUTABLE_RESOURCES);
    let directives = v.since(versions::JOB_MUTABLE_SCHEDULING)
        && suspended
        && if resources {
            (not_started || was_suspended) && !is_active
        } else {
            not_started
        };
    if equal(Some(new_template), Some(old_template))
        || (directives && same_but_for_scheduling(new_template, old_template, v.minor))
    {
        return;
    }
    if resources && directives && suspended {
        // `validatePodResourceUpdatesOnly`, whose path is one step of that name.
        v.errors.invalid(
            &path.child("template.spec"),
            go::Rendered::abridged("core.PodSpec", v.minor),
            "field is immutable",
        );
    } else {
        v.errors.invalid(
            &path.child("template"),
            go::Rendered::abridged("core.PodTemplateSpec", v.minor),
            "field is immutable",
        );
    }
}

/// Whether the templates differ only in labels, annotations and what tells the scheduler where to
/// go, and, where that may change, in what the containers ask for.
fn same_but_for_scheduling(new: &Value<'_>, old: &Value<'_>, minor: u8) -> bool {
    let (new, old) = (spec_of(new), spec_of(old));
    let keys = |a: &Value<'_>, b: &Value<'_>| {
        a.as_object().is_none_or(|object| {
            object.iter().all(|(key, value)| match key {
                "nodeSelector" | "tolerations" => true,
                "schedulingGates" if minor >= versions::JOB_MUTABLE_GATES => true,
                "affinity" => ["podAffinity", "podAntiAffinity"].iter().all(|kind| {
                    equal(
                        value.get(kind),
                        b.get(key).and_then(|other| other.get(kind)),
                    )
                }),
                "containers" | "initContainers" if minor >= versions::JOB_MUTABLE_RESOURCES => {
                    let (a, b) = (items(a, key), items(b, key));
                    a.len() == b.len()
                        && a.iter()
                            .zip(b)
                            .all(|(a, b)| pod_update::same_but_for(a, b, "resources"))
                }
                _ => equal_fields(key, Some(value), b.get(key)),
            })
        })
    };
    keys(new, old) && keys(old, new)
}

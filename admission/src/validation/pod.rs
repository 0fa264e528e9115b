//! Pods and their templates as a whole: the order in which a spec is looked at.
//!
//! Upstream: `ValidatePodCreate`, `validatePodMetadataAndSpec`, `ValidatePodSpec`,
//! `ValidatePodTemplateSpec`, `ValidatePodTemplate` and `ValidatePodSpecificAnnotations` in
//! `pkg/apis/core/validation/validation.go`.

use crate::value::Value;

use super::field::Path;
use super::names::{self, NameRule};
use super::tree::{entry, field, int_opt, items, text, text_opt};
use super::{
    Validator, containers, dns, env, metadata, ports, profiles, resources, scheduling,
    security_context, tolerations, versions, volumes, windows,
};

/// The annotation of a pod that mirrors a static one.
pub(crate) const MIRROR: &str = "kubernetes.io/config.mirror";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// The spec of an object without one.
static NO_SPEC: Value<'static> = Value::Null;

/// `spec` of `object`.
pub(crate) fn spec_of<'v, 'a>(object: &'v Value<'a>) -> &'v Value<'a> {
    object.get("spec").unwrap_or(&NO_SPEC)
}

/// Whether the metadata is that of a static pod's mirror.
pub(crate) fn is_static(meta: &Value<'_>) -> bool {
    entry(meta, "annotations", MIRROR).is_some()
}

/// `ValidatePodCreate`
pub(crate) fn create(v: &mut Validator, pod: &Value<'_>) {
    v.is_pod = true;
    metadata_and_spec(v, pod);
    let (meta, spec) = (metadata::of(pod), spec_of(pod));
    let path = Path::new("spec");
    if !items(spec, "ephemeralContainers").is_empty() {
        v.errors.forbidden(
            &path.child("ephemeralContainers"),
            "cannot be set on create",
        );
    }
    let gated = !items(spec, "schedulingGates").is_empty();
    if gated && !text(spec, "nodeName").is_empty() {
        v.errors.forbidden(
            &path.child("nodeName"),
            "cannot be set until all schedulingGates have been cleared",
        );
    }
    profiles::seccomp_match(v, meta, spec, &path);
    profiles::apparmor_match(v, meta, spec, &path);
}

/// `validatePodMetadataAndSpec`
pub(crate) fn metadata_and_spec(v: &mut Validator, pod: &Value<'_>) {
    let (meta, spec) = (metadata::of(pod), spec_of(pod));
    let (meta_path, path) = (Path::new("metadata"), Path::new("spec"));
    metadata::object_meta(v, meta, true, NameRule::Subdomain, &meta_path);
    annotations(v, meta, spec, &meta_path.child("annotations"));
    pod_spec(v, spec, Some(meta), &path);
    if text(spec, "serviceAccountName").is_empty() {
        tokens(v, spec, &path);
    }
    containers::only_for_pod(v, spec, "containers", &path);
    containers::only_for_pod(v, spec, "initContainers", &path);
}

/// Without a service account there are no tokens.
fn tokens(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let path = path.child("volumes");
    for (i, volume) in items(spec, "volumes").iter().enumerate() {
        let Some(projected) = field(volume, "projected") else {
            continue;
        };
        let path = path.index(i);
        let path = path.child("projected");
        let path = path.child("sources");
        for (i, source) in items(projected, "sources").iter().enumerate() {
            if field(source, "serviceAccountToken").is_some() {
                let path = path.index(i);
                v.errors.forbidden(
                    &path.child("serviceAccountToken"),
                    "must not be specified when serviceAccountName is not set",
                );
            }
        }
    }
}

/// `ValidatePodSpecificAnnotations`
pub(crate) fn annotations(v: &mut Validator, meta: &Value<'_>, spec: &Value<'_>, path: &Path<'_>) {
    if super::tree::is_empty(meta.get("annotations")) {
        return;
    }
    if let Some(mirror) = entry(meta, "annotations", MIRROR)
        && text(spec, "nodeName").is_empty()
    {
        v.errors.invalid(
            &path.key(MIRROR),
            mirror,
            "must set spec.nodeName if mirror pod annotation is set",
        );
    }
    tolerations::annotated(v, meta, path);
    if let Some(cost) = entry(meta, "annotations", DELETION_COST)
        && v.since(versions::POD_DELETION_COST)
        && !is_deletion_cost(cost)
    {
        v.errors
            .invalid(&path.key(DELETION_COST), cost, "must be a 32bit integer");
    }
    profiles::seccomp_annotations(v, meta, path);
    profiles::apparmor_annotations(v, meta, spec, path);
}

/// `GetDeletionCostFromPodAnnotations`: no plus sign, no leading zeros.
fn is_deletion_cost(cost: &str) -> bool {
    let first = cost == "0" || cost.starts_with(|c: char| c == '-' || ('1'..='9').contains(&c));
    first && cost.parse::<i32>().is_ok()
}

/// `ValidatePodSpec`. A template has no metadata of the pod.
pub(crate) fn pod_spec(
    v: &mut Validator,
    spec: &Value<'_>,
    pod_meta: Option<&Value<'_>>,
    path: &Path<'_>,
) {
    if v.since(versions::GRACE_PERIOD_REQUIRED)
        && int_opt(spec, "terminationGracePeriodSeconds").is_none()
    {
        v.errors
            .required(&path.child("terminationGracePeriodSeconds"), "");
    }
    let volumes = volumes::volumes(v, spec, pod_meta, path);
    resources::pod_claims(v, spec, pod_meta, path);
    containers::regular(v, spec, &volumes, path);
    containers::init(v, spec, &volumes, path);
    containers::ephemeral(v, spec, &volumes, path);
    if v.since(versions::POD_LEVEL_RESOURCES) {
        resources::pod(v, spec, path);
    }
    if v.since(versions::HOST_PORT_REPORTED) {
        ports::host_network(v, spec, path);
    }
    restart_policy(v, spec, path);
    dns::policy(v, spec, path);
    metadata::labels(v, spec, "nodeSelector", &path.child("nodeSelector"));
    security_context::pod(v, spec, path);
    if v.since(versions::SHARED_PROCESSES_IN_SPEC) {
        security_context::shared_processes(v, spec, path);
    }
    scheduling::affinity(v, spec, path);
    dns::config(v, spec, path);
    scheduling::readiness_gates(v, spec, path);
    scheduling::scheduling_gates(v, spec, path);
    scheduling::topology_spread(v, spec, path);
    windows::host_process_pod(v, spec, path);
    security_context::user_namespace(v, spec, path);
    dns::host_name_override(v, spec, path);
    for name in ["serviceAccountName", "nodeName"] {
        subdomain(v, spec, name, path);
    }
    if let Some(seconds) = int_opt(spec, "activeDeadlineSeconds")
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        v.errors.invalid(
            &path.child("activeDeadlineSeconds"),
            seconds,
            names::range_error(1, i32::MAX.into()),
        );
    }
    for name in ["hostname", "subdomain"] {
        let label = text(spec, name);
        if !label.is_empty() {
            let wrong = names::dns_label(label, v.minor);
            v.errors.invalid_each(&path.child(name), label, wrong);
        }
    }
    tolerations::tolerations(v, items(spec, "tolerations"), &path.child("tolerations"));
    dns::host_aliases(v, spec, path);
    subdomain(v, spec, "priorityClassName", path);
    if let Some(class) = text_opt(spec, "runtimeClassName") {
        v.errors.invalid_each(
            &path.child("runtimeClassName"),
            class,
            names::dns_subdomain(class),
        );
    }
    preemption_policy(v, spec, path);
    resources::overhead(v, spec, path);
    windows::os(v, spec, path);
    env::file_key_volumes(v, spec, path);
}

/// A name that must be a subdomain, unless it is empty.
fn subdomain(v: &mut Validator, spec: &Value<'_>, name: &str, path: &Path<'_>) {
    let value = text(spec, name);
    if !value.is_empty() {
        v.errors
            .invalid_each(&path.child(name), value, names::dns_subdomain(value));
    }
}

/// `validateRestartPolicy`
fn restart_policy(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let path = path.child("restartPolicy");
    match text(spec, "restartPolicy") {
        "Always" | "OnFailure" | "Never" => {}
        "" => v.errors.required(&path, ""),
        policy => v
            .errors
            .not_supported(&path, policy, &["Always", "OnFailure", "Never"]),
    }
}

/// `ValidatePreemptionPolicy`
fn preemption_policy(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let path = path.child("preemptionPolicy");
    match text_opt(spec, "preemptionPolicy") {
        None | Some("PreemptLowerPriority" | "Never") => {}
        Some("") => v.errors.required(&path, ""),
        Some(policy) => v
            .errors
            .not_supported(&path, policy, &["PreemptLowerPriority", "Never"]),
    }
}

/// `ValidatePodTemplateSpec`
pub(crate) fn template(v: &mut Validator, template: &Value<'_>, path: &Path<'_>) {
    let (meta, spec) = (metadata::of(template), spec_of(template));
    template_meta(v, template, path);
    let spec_path = path.child("spec");
    pod_spec(v, spec, None, &spec_path);
    profiles::seccomp_match(v, meta, spec, &spec_path);
    profiles::apparmor_match(v, meta, spec, &spec_path);
    if !items(spec, "ephemeralContainers").is_empty() {
        v.errors.forbidden(
            &spec_path.child("ephemeralContainers"),
            "ephemeral containers not allowed in pod template",
        );
    }
}

/// The part of `ValidatePodTemplateSpec` that looks at labels and annotations.
pub(crate) fn template_meta(v: &mut Validator, template: &Value<'_>, path: &Path<'_>) {
    let meta = metadata::of(template);
    metadata::labels(v, meta, "labels", &path.child("labels"));
    let annotations_path = path.child("annotations");
    metadata::annotations(v, meta, &annotations_path);
    annotations(v, meta, spec_of(template), &annotations_path);
}

/// `ValidatePodTemplate`
pub(crate) fn create_template(v: &mut Validator, object: &Value<'_>) {
    metadata::object_meta(
        v,
        metadata::of(object),
        true,
        NameRule::Subdomain,
        &Path::new("metadata"),
    );
    template_of(v, object);
}

/// `ValidatePodTemplateUpdate`
pub(crate) fn update_template(v: &mut Validator, new: &Value<'_>, old: &Value<'_>) {
    metadata::update(
        v,
        metadata::of(new),
        metadata::of(old),
        &Path::new("metadata"),
    );
    template_of(v, new);
}

fn template_of(v: &mut Validator, object: &Value<'_>) {
    let path = Path::new("template");
    template(v, object.get("template").unwrap_or(&NO_SPEC), &path);
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("0", true)]
    #[case("-10", true)]
    #[case("2147483647", true)]
    #[case("2147483648", false)]
    #[case("+1", false)]
    #[case("010", false)]
    #[case("", false)]
    fn knows_deletion_costs(#[case] cost: &str, #[case] valid: bool) {
        assert_eq!(is_deletion_cost(cost), valid);
    }
}

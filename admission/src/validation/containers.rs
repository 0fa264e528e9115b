//! Containers, init containers and ephemeral containers, in the order of upstream.
//!
//! Upstream: `validateContainers`, `validateInitContainers`, `validateEphemeralContainers`,
//! `validateContainerCommon`, `validateContainerRestartPolicy`,
//! `validateInitContainerRestartPolicy`, `validatePullPolicy` and `validateContainersOnlyForPod`
//! in `pkg/apis/core/validation/validation.go`; `VisitContainersWithPath` in
//! `pkg/apis/core/pods/helpers.go`. Before 1.25 regular and init containers were validated by one
//! function in another order.

use crate::value::Value;

use super::field::Path;
use super::tree::{field, items, text, text_opt};
use super::volumes::Volumes;
use super::{
    Validator, env, go, mounts, names, ports, probes, resources, security_context, versions,
};

/// Calls `visitor` for each container of the spec: init, regular, ephemeral.
pub(crate) fn visit(
    spec: &Value<'_>,
    path: &Path<'_>,
    mut visitor: impl FnMut(&Value<'_>, &Path<'_>),
) {
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        let path = path.child(list);
        for (i, container) in items(spec, list).iter().enumerate() {
            visitor(container, &path.index(i));
        }
    }
}

/// Whether a container of the spec is called `name`.
pub(crate) fn exists(spec: &Value<'_>, name: &str) -> bool {
    ["initContainers", "containers", "ephemeralContainers"]
        .iter()
        .flat_map(|list| items(spec, list))
        .any(|container| text(container, "name") == name)
}

/// Whether one of the containers is called `name`.
fn among(containers: &[Value<'_>], name: &str) -> bool {
    containers.iter().any(|c| text(c, "name") == name)
}

/// `validateContainers`
pub(crate) fn regular(
    v: &mut Validator,
    spec: &Value<'_>,
    volumes: &Volumes<'_, '_>,
    path: &Path<'_>,
) {
    let containers = items(spec, "containers");
    let path = path.child("containers");
    if containers.is_empty() {
        v.errors.required(&path, "");
        return;
    }
    if !v.since(versions::CONTAINER_COMMON) {
        before_common(v, containers, spec, volumes, &path);
        ports::host_port_conflicts(v, containers, &path);
        return;
    }
    for (i, container) in containers.iter().enumerate() {
        let path = path.index(i);
        common(v, container, spec, volumes, &path);
        let name = text(container, "name");
        if among(&containers[..i], name) {
            v.errors.duplicate(&path.child("name"), name);
        }
        probes::lifecycle(v, container, spec, &path);
        probes::all(v, container, spec, &path);
        if v.since(versions::CONTAINER_RESTART_RULES) {
            restart_policy(v, container, &path);
        } else if field(container, "restartPolicy").is_some() {
            v.errors.forbidden(
                &path.child("restartPolicy"),
                "may not be set for non-init containers",
            );
        }
    }
    ports::host_port_conflicts(v, containers, &path);
}

/// `validateContainers` up to 1.24, for init containers too.
fn before_common(
    v: &mut Validator,
    containers: &[Value<'_>],
    spec: &Value<'_>,
    volumes: &Volumes<'_, '_>,
    path: &Path<'_>,
) {
    const MESSAGE_POLICY: &str = "must be 'File' or 'FallbackToLogsOnError'";
    for (i, container) in containers.iter().enumerate() {
        let path = &path.index(i);
        let name = text(container, "name");
        container_name(v, name, path);
        if among(&containers[..i], name) {
            v.errors.duplicate(&path.child("name"), name);
        }
        image(v, container, path);
        probes::lifecycle(v, container, spec, path);
        probes::probe(v, container, "livenessProbe", spec, path);
        if v.since(versions::PROBE_GRACE_PERIOD) {
            probes::no_grace_period(v, container, path);
            probes::probe(v, container, "startupProbe", spec, path);
        }
        probes::success_threshold(v, container, "livenessProbe", path);
        probes::probe(v, container, "startupProbe", spec, path);
        probes::success_threshold(v, container, "startupProbe", path);
        let policy_path = path.child("terminationMessagePolicy");
        match text(container, "terminationMessagePolicy") {
            "File" | "FallbackToLogsOnError" => {}
            "" => v.errors.required(&policy_path, MESSAGE_POLICY),
            policy => v.errors.invalid(
                &policy_path,
                super::field::BadValue::Named(policy),
                MESSAGE_POLICY,
            ),
        }
        probes::probe(v, container, "readinessProbe", spec, path);
        rest(v, container, spec, volumes, path);
    }
}

/// `validateContainerCommon`
fn common(
    v: &mut Validator,
    container: &Value<'_>,
    spec: &Value<'_>,
    volumes: &Volumes<'_, '_>,
    path: &Path<'_>,
) {
    container_name(v, text(container, "name"), path);
    image(v, container, path);
    let policy_path = path.child("terminationMessagePolicy");
    match text(container, "terminationMessagePolicy") {
        "File" | "FallbackToLogsOnError" => {}
        "" => v.errors.required(&policy_path, ""),
        policy => {
            v.errors
                .not_supported(&policy_path, policy, &["File", "FallbackToLogsOnError"]);
        }
    }
    rest(v, container, spec, volumes, path);
}

fn container_name(v: &mut Validator, name: &str, path: &Path<'_>) {
    let path = path.child("name");
    if name.is_empty() {
        v.errors.required(&path, "");
    } else {
        let wrong = names::dns_label(name, v.minor);
        v.errors.invalid_each(&path, name, wrong);
    }
}

fn image(v: &mut Validator, container: &Value<'_>, path: &Path<'_>) {
    if text(container, "image").is_empty() {
        v.errors.required(&path.child("image"), "");
    }
}

/// What both orders end with.
fn rest(
    v: &mut Validator,
    container: &Value<'_>,
    spec: &Value<'_>,
    volumes: &Volumes<'_, '_>,
    path: &Path<'_>,
) {
    ports::container(v, container, path);
    env::env(v, container, path);
    env::env_from(v, container, path);
    mounts::mounts(v, container, volumes, path);
    mounts::devices(v, container, volumes, path);
    pull_policy(
        v,
        text(container, "imagePullPolicy"),
        &path.child("imagePullPolicy"),
    );
    resources::container(v, container, spec, path);
    resources::resize_policy(v, container, spec, path);
    security_context::container(v, container, security_context::host_users(spec), path);
}

/// `validatePullPolicy`
pub(crate) fn pull_policy(v: &mut Validator, policy: &str, path: &Path<'_>) {
    match policy {
        "Always" | "IfNotPresent" | "Never" => {}
        "" => v.errors.required(path, ""),
        policy => v
            .errors
            .not_supported(path, policy, &["Always", "IfNotPresent", "Never"]),
    }
}

/// `validateContainerRestartPolicy`
fn restart_policy(v: &mut Validator, container: &Value<'_>, path: &Path<'_>) {
    const MAX_RULES: usize = 20;
    const MAX_CODES: usize = 255;
    let rules = items(container, "restartPolicyRules");
    let policy_path = path.child("restartPolicy");
    match text_opt(container, "restartPolicy") {
        None if rules.is_empty() => return,
        None => v.errors.required(
            &policy_path,
            "must specify restartPolicy when restart rules are used",
        ),
        Some("Always" | "Never" | "OnFailure") => {}
        Some(policy) => {
            v.errors
                .not_supported(&policy_path, policy, &["Always", "Never", "OnFailure"]);
        }
    }
    let rules_path = path.child("restartPolicyRules");
    at_most(v, rules.len(), MAX_RULES, &rules_path);
    for (i, rule) in rules.iter().enumerate() {
        let path = rules_path.index(i);
        let action = text(rule, "action");
        let restart_all = v.since(versions::RESTART_ALL_CONTAINERS);
        if action != "Restart" && !(restart_all && action == "RestartAllContainers") {
            let supported: &[&str] = if restart_all {
                &["Restart", "RestartAllContainers"]
            } else {
                &["Restart"]
            };
            v.errors
                .not_supported(&path.child("action"), action, supported);
        }
        let path = path.child("exitCodes");
        let Some(codes) = field(rule, "exitCodes") else {
            v.errors.required(&path, "must be specified");
            continue;
        };
        let operator = text(codes, "operator");
        if !matches!(operator, "In" | "NotIn") {
            v.errors
                .not_supported(&path.child("operator"), operator, &["In", "NotIn"]);
        }
        at_most(
            v,
            items(codes, "values").len(),
            MAX_CODES,
            &path.child("values"),
        );
    }
}

fn at_most(v: &mut Validator, count: usize, max: usize, path: &Path<'_>) {
    if count <= max {
        return;
    }
    if v.since(versions::TOO_MANY_RESTART_RULES) {
        v.errors.too_many(path, count, max);
    } else {
        let detail = super::metadata::too_long(v, max);
        v.errors.too_long(path, detail);
    }
}

/// `validateInitContainers`
pub(crate) fn init(
    v: &mut Validator,
    spec: &Value<'_>,
    volumes: &Volumes<'_, '_>,
    path: &Path<'_>,
) {
    let containers = items(spec, "initContainers");
    let regular = items(spec, "containers");
    let path = path.child("initContainers");
    if !v.since(versions::CONTAINER_COMMON) && !containers.is_empty() {
        before_common(v, containers, spec, volumes, &path);
        for container in containers {
            ports::host_port_conflicts(v, std::slice::from_ref(container), &path);
        }
    }
    for (i, container) in containers.iter().enumerate() {
        let list_path = &path;
        let path = list_path.index(i);
        let current = v.since(versions::CONTAINER_COMMON);
        if current {
            common(v, container, spec, volumes, &path);
        }
        let sidecar = v.since(versions::SIDECARS) && init_restart_policy(v, container, &path);
        let name = text(container, "name");
        let taken = among(regular, name) || (!name.is_empty() && among(&containers[..i], name));
        if taken {
            v.errors.duplicate(&path.child("name"), name);
        }
        if current {
            ports::host_port_conflicts(v, std::slice::from_ref(container), list_path);
        }
        if sidecar {
            probes::lifecycle(v, container, spec, &path);
            probes::all(v, container, spec, &path);
        } else {
            probes::none(v, container, &path);
        }
        init_resize_policy(v, container, sidecar, &path);
    }
}

/// `validateInitContainerRestartPolicy`; whether the container is a sidecar.
fn init_restart_policy(v: &mut Validator, container: &Value<'_>, path: &Path<'_>) -> bool {
    let rules = items(container, "restartPolicyRules");
    let policy = text_opt(container, "restartPolicy");
    match policy {
        None => {
            if !rules.is_empty() && v.since(versions::INIT_RESTART_RULES_NEED_POLICY) {
                v.errors.required(
                    &path.child("restartPolicy"),
                    "must specify restartPolicy when restart rules are used",
                );
            }
        }
        Some("Always") => {
            if !v.since(versions::CONTAINER_RESTART_RULES) {
                return true;
            }
            if v.since(versions::RESTART_ALL_CONTAINERS) {
                restart_policy(v, container, path);
            } else if !rules.is_empty() {
                v.errors.forbidden(
                    &path.child("restartPolicyRules"),
                    "restartPolicyRules are not allowed for init containers with restart policy \
                     Always",
                );
            }
        }
        Some(_) if v.since(versions::CONTAINER_RESTART_RULES) => restart_policy(v, container, path),
        Some(policy) => {
            v.errors
                .not_supported(&path.child("restartPolicy"), policy, &["Always"]);
        }
    }
    policy == Some("Always")
}

fn init_resize_policy(v: &mut Validator, container: &Value<'_>, sidecar: bool, path: &Path<'_>) {
    let policies = items(container, "resizePolicy");
    let path = path.child("resizePolicy");
    if !v.since(versions::SIDECAR_RESIZE_POLICY) && !policies.is_empty() {
        v.errors.invalid(
            &path,
            go::Rendered::abridged("[]core.ContainerResizePolicy", v.minor),
            "must not be set for init containers",
        );
    }
    let refuses = v.since(versions::INIT_RESIZE_RESTART);
    if sidecar || !refuses {
        return;
    }
    for (i, policy) in policies.iter().enumerate() {
        if text(policy, "restartPolicy") == "RestartContainer" {
            let path = path.index(i);
            v.errors.invalid(
                &path.child("restartPolicy"),
                super::field::BadValue::Named("RestartContainer"),
                "must not be set to 'RestartContainer' for non-sidecar initContainers",
            );
        }
    }
}

/// `validateEphemeralContainers`
pub(crate) fn ephemeral(
    v: &mut Validator,
    spec: &Value<'_>,
    volumes: &Volumes<'_, '_>,
    path: &Path<'_>,
) {
    let containers = items(spec, "ephemeralContainers");
    let others = [items(spec, "containers"), items(spec, "initContainers")];
    let path = path.child("ephemeralContainers");
    for (i, container) in containers.iter().enumerate() {
        let path = path.index(i);
        let name = text(container, "name");
        let target = text(container, "targetContainerName");
        let is_other = |name: &str| others.iter().any(|list| among(list, name));
        let taken = |name: &str| is_other(name) || among(&containers[..i], name);
        let target_path = path.child("targetContainerName");
        if v.since(versions::CONTAINER_COMMON) {
            common(v, container, spec, volumes, &path);
            padded_image(v, container, &path);
            if taken(name) {
                v.errors.duplicate(&path.child("name"), name);
            }
            if !target.is_empty() && !is_other(target) {
                v.errors.not_found(&target_path, target, "");
            }
        } else {
            if !target.is_empty() && !taken(target) {
                v.errors.not_found(&target_path, target, "");
            }
            if name.is_empty() {
                v.errors
                    .required(&path, "ephemeralContainer requires a name");
                continue;
            }
            // Upstream validates a list of this one container, so its paths have two indexes.
            let one = std::slice::from_ref(container);
            before_common(v, one, spec, volumes, &path);
            ports::host_port_conflicts(v, one, &path);
            padded_image(v, container, &path.index(0));
            if taken(name) {
                v.errors.duplicate(&path.child("name"), name);
            }
        }
        allowed_fields(v, container, &path);
        let mounts_path = path.child("volumeMounts");
        for (i, mount) in items(container, "volumeMounts").iter().enumerate() {
            let path = mounts_path.index(i);
            for name in ["subPath", "subPathExpr"] {
                if !text(mount, name).is_empty() {
                    v.errors.forbidden(&path.child(name), NOT_EPHEMERAL);
                }
            }
        }
    }
}

const NOT_EPHEMERAL: &str = "cannot be set for an Ephemeral Container";

/// `validateFieldAllowList` with `allowedEphemeralContainerFields`: what must not be set, in the
/// order of Go's struct.
fn allowed_fields(v: &mut Validator, container: &Value<'_>, path: &Path<'_>) {
    for name in [
        "ports",
        "resources",
        "resizePolicy",
        "restartPolicy",
        "restartPolicyRules",
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
        "lifecycle",
    ] {
        let set = field(container, name).is_some_and(|value| {
            name != "resources" || value.as_object().is_some_and(|o| !o.is_empty())
        });
        if set {
            v.errors.forbidden(&path.child(name), NOT_EPHEMERAL);
        }
    }
}

/// `validateContainersOnlyForPod`
pub(crate) fn only_for_pod(v: &mut Validator, spec: &Value<'_>, list: &str, path: &Path<'_>) {
    let path = path.child(list);
    for (i, container) in items(spec, list).iter().enumerate() {
        padded_image(v, container, &path.index(i));
    }
}

fn padded_image(v: &mut Validator, container: &Value<'_>, path: &Path<'_>) {
    let image = text(container, "image");
    if image.trim() != image {
        v.errors.invalid(
            &path.child("image"),
            image,
            "must not have leading or trailing whitespace",
        );
    }
}

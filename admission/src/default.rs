//! Defaulting: what the server fills in while it decodes an object.
//!
//! Defaults that depend on nothing stand in the schema ([`crate::schema::Field::default`]) and are
//! applied by one walk over the tree; those that depend on other fields, on the kind or on the
//! minor are the functions below. Upstream's counterparts are `pkg/apis/core/v1/defaults.go` and
//! its like in `apps`, `batch` and `rbac`, and for the alias `serviceAccount` the conversions in
//! `pkg/apis/core/v1/conversion.go`.

use podgate_policy::Minor;

use crate::chain::Server;
use crate::image;
use crate::resource::Resource;
use crate::resources;
use crate::schema::{Field, Scalar, Struct, Type};
use crate::value::{Object, Value};
use crate::versions::{self, Gate};

mod service;

/// Fills the defaults into a decoded object of `resource`.
pub fn apply(server: &Server, resource: &Resource, object: &mut Value<'_>) {
    let Some(root) = object.as_object_mut() else {
        return;
    };
    match (resource.group, resource.kind) {
        ("", "Pod") => pod(server, root),
        ("", "ReplicationController") => replication_controller(root),
        ("", "Namespace") => namespace(server.minor(), root),
        ("", "Service") => service::spec(server.minor(), root.object_mut("spec")),
        ("batch", "Job") => {
            labels_of_template(root);
            job(server, root.object_mut("spec"));
        }
        _ => {}
    }
    walk(server, resource.schema, root);
}

/// Fills in what a struct and everything below it defaults to.
fn walk(server: &Server, schema: &'static Struct, object: &mut Object<'_>) {
    conditional(server, schema.name, object);
    for field in schema.fields {
        if !field.exists_in(server.minor()) {
            continue;
        }
        if let Some(default) = field.default
            && is_unset(field, object.get(field.name))
        {
            object.insert(field.name, scalar(default));
        }
        match (field.ty, object.get_mut(field.name)) {
            (Type::Struct(inner), None | Some(Value::Null)) if !field.pointer => {
                // A Go struct that is no pointer is always there, and so are its defaults.
                let mut value = Object::new();
                walk(server, inner, &mut value);
                if !value.is_empty() {
                    object.insert(field.name, value);
                }
            }
            (ty, Some(value)) => walk_value(server, &ty, value),
            (_, None) => {}
        }
    }
}

fn walk_value(server: &Server, ty: &Type, value: &mut Value<'_>) {
    match (ty, value) {
        (Type::Struct(inner), Value::Object(object)) => walk(server, inner, object),
        (Type::List(item, _), Value::List(items)) => {
            for value in items {
                walk_value(server, item, value);
            }
        }
        (Type::Map(item, _), Value::Object(entries)) => {
            for (_, value) in entries.iter_mut() {
                if matches!(item, Type::Quantity) {
                    resources::round_up_to_milli(value);
                }
                walk_value(server, item, value);
            }
        }
        _ => {}
    }
}

fn is_unset(field: &Field, value: Option<&Value<'_>>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(_) if field.pointer => false,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Int(number)) => *number == 0,
        Some(Value::Bool(truth)) => !truth,
        Some(_) => false,
    }
}

fn scalar(default: Scalar) -> Value<'static> {
    match default {
        Scalar::Bool(truth) => truth.into(),
        Scalar::Int(number) => number.into(),
        Scalar::Text(text) => text.into(),
        Scalar::Empty => Object::new().into(),
    }
}

/// The defaults of a struct that depend on its other fields.
fn conditional(server: &Server, name: &str, object: &mut Object<'_>) {
    match name {
        "PodSpec" => pod_spec(server, object),
        "Container" | "EphemeralContainer" => pull_policy(object, "image", "imagePullPolicy"),
        "Volume" => volume(server, object),
        "DeploymentStrategy" => deployment_strategy(object),
        "DaemonSetUpdateStrategy" => daemon_set_strategy(server, object),
        "StatefulSetUpdateStrategy" => stateful_set_strategy(server, object),
        "StatefulSetSpec" => stateful_set(server, object),
        "Subject" => subject(object),
        "LimitRangeItem" => limit_range_item(object),
        _ => {}
    }
}

/// Whether there is nothing at `key`, or a null.
fn absent(object: &Object<'_>, key: &str) -> bool {
    matches!(object.get(key), None | Some(Value::Null))
}

/// Whether there is no text at `key`, or an empty one.
fn no_text(object: &Object<'_>, key: &str) -> bool {
    object
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .is_empty()
}

fn fill<'a>(object: &mut Object<'a>, key: &'static str, value: impl Into<Value<'a>>) {
    if absent(object, key) {
        object.insert(key, value);
    }
}

/// `SetDefaults_Pod` and `Convert_v1_Pod_To_core_Pod`: what pods default and templates do not.
fn pod(server: &Server, pod: &mut Object<'_>) {
    let spec = pod.object_mut("spec");
    let grace = spec.get("terminationGracePeriodSeconds");
    if versions::NEGATIVE_GRACE_PERIOD.contain(server.minor())
        && grace
            .and_then(Value::as_int)
            .is_some_and(|seconds| seconds < 0)
    {
        spec.insert("terminationGracePeriodSeconds", 1_i64);
    }
    for list in ["containers", "initContainers"] {
        let Some(containers) = spec.get_mut(list).and_then(Value::as_list_mut) else {
            continue;
        };
        for container in containers {
            if let Some(resources) = container
                .get_mut("resources")
                .and_then(Value::as_object_mut)
            {
                requests_from_limits(resources);
            }
            if list == "containers"
                && versions::RESIZE_POLICY.contain(server.minor())
                && server.enabled(Gate::InPlacePodVerticalScaling)
            {
                resize_policy(container);
            }
        }
    }
    if server.enabled(Gate::PodLevelResources)
        && !versions::POD_LEVEL_DEFAULTS_LATE.contain(server.minor())
    {
        resources::pod_level_resources(spec, false);
    }
    fill(spec, "enableServiceLinks", true);
    host_network_ports(spec);
}

fn requests_from_limits(resources: &mut Object<'_>) {
    let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned() else {
        return;
    };
    let requests = resources.object_mut("requests");
    for (name, quantity) in limits {
        if !requests.contains_key(&name) {
            requests.insert(name, quantity);
        }
    }
}

/// What a container requests can be resized without a restart, unless it says otherwise.
fn resize_policy(container: &mut Value<'_>) {
    for resource in ["cpu", "memory"] {
        let requested = container.at(&["resources", "requests", resource]).is_some();
        let said = container
            .list_at(&["resizePolicy"])
            .iter()
            .any(|policy| policy.text_at(&["resourceName"]) == resource);
        if requested
            && !said
            && let Some(container) = container.as_object_mut()
        {
            let mut policy = Object::new();
            policy.insert("resourceName", resource);
            policy.insert("restartPolicy", "NotRequired");
            container.list_mut("resizePolicy").push(policy.into());
        }
    }
}

/// With host networking each container port is a host port. Ephemeral containers have none.
fn host_network_ports(spec: &mut Object<'_>) {
    if spec.get("hostNetwork").and_then(Value::as_bool) != Some(true) {
        return;
    }
    for list in ["containers", "initContainers"] {
        let Some(containers) = spec.get_mut(list).and_then(Value::as_list_mut) else {
            continue;
        };
        for container in containers {
            let Some(ports) = container.get_mut("ports").and_then(Value::as_list_mut) else {
                continue;
            };
            for port in ports.iter_mut().filter_map(Value::as_object_mut) {
                let number = |key| port.get(key).and_then(Value::as_int).unwrap_or_default();
                if number("hostPort") == 0 {
                    let number = number("containerPort");
                    port.insert("hostPort", number);
                }
            }
        }
    }
}

/// `SetDefaults_PodSpec`, and the alias `serviceAccount`, of which the newer name wins.
fn pod_spec(server: &Server, spec: &mut Object<'_>) {
    fill(spec, "securityContext", Object::new());
    if versions::HOST_PORTS_IN_TEMPLATES.contain(server.minor()) {
        host_network_ports(spec);
    }
    let (name, alias) = ("serviceAccountName", "serviceAccount");
    if no_text(spec, name)
        && let Some(given) = spec.get(alias).cloned()
    {
        spec.insert(name, given);
    }
    if !no_text(spec, name)
        && let Some(given) = spec.get(name).cloned()
    {
        spec.insert(alias, given);
    }
}

/// `SetDefaults_Container`: images that may change under their tag are pulled each time.
fn pull_policy(object: &mut Object<'_>, image: &str, policy: &'static str) {
    if no_text(object, policy) {
        let image = object
            .get(image)
            .and_then(Value::as_str)
            .unwrap_or_default();
        let always = image::is_latest(image);
        object.insert(policy, if always { "Always" } else { "IfNotPresent" });
    }
}

/// `SetDefaults_Volume`: a volume without a source that the server knows is an empty directory.
fn volume(server: &Server, volume: &mut Object<'_>) {
    let sourceless = volume
        .iter()
        .all(|(key, value)| key == "name" || matches!(value, Value::Null));
    if sourceless {
        volume.insert("emptyDir", Object::new());
    }
    if server.enabled(Gate::ImageVolume)
        && let Some(image) = volume.get_mut("image").and_then(Value::as_object_mut)
    {
        pull_policy(image, "reference", "pullPolicy");
    }
}

/// `SetDefaults_Deployment`
fn deployment_strategy(strategy: &mut Object<'_>) {
    if no_text(strategy, "type") {
        strategy.insert("type", "RollingUpdate");
    }
    if is_rolling_update(strategy) {
        let rolling = strategy.object_mut("rollingUpdate");
        fill(rolling, "maxUnavailable", "25%");
        fill(rolling, "maxSurge", "25%");
    }
}

/// `SetDefaults_DaemonSet`
fn daemon_set_strategy(server: &Server, strategy: &mut Object<'_>) {
    if no_text(strategy, "type") {
        strategy.insert("type", "RollingUpdate");
    }
    if is_rolling_update(strategy) {
        let rolling = strategy.object_mut("rollingUpdate");
        fill(rolling, "maxUnavailable", 1_i64);
        if server.enabled(Gate::DaemonSetUpdateSurge) {
            fill(rolling, "maxSurge", 0_i64);
        }
    }
}

/// `SetDefaults_StatefulSet`: an empty `rollingUpdate` comes only with a type that was not given.
fn stateful_set_strategy(server: &Server, strategy: &mut Object<'_>) {
    if no_text(strategy, "type") {
        strategy.insert("type", "RollingUpdate");
        fill(strategy, "rollingUpdate", Object::new());
    }
    if is_rolling_update(strategy)
        && let Some(rolling) = strategy
            .get_mut("rollingUpdate")
            .and_then(Value::as_object_mut)
    {
        fill(rolling, "partition", 0_i64);
        if server.enabled(Gate::MaxUnavailableStatefulSet) {
            fill(rolling, "maxUnavailable", 1_i64);
        }
    }
}

fn is_rolling_update(strategy: &Object<'_>) -> bool {
    strategy.get("type").and_then(Value::as_str) == Some("RollingUpdate")
}

fn stateful_set(server: &Server, spec: &mut Object<'_>) {
    if server.enabled(Gate::StatefulSetAutoDeletePVC) {
        let policy = spec.object_mut("persistentVolumeClaimRetentionPolicy");
        for key in ["whenDeleted", "whenScaled"] {
            if no_text(policy, key) {
                policy.insert(key, "Retain");
            }
        }
    }
}

/// `SetDefaults_Job`: what jobs default, and the job template of a `CronJob` does not.
fn job(server: &Server, spec: &mut Object<'_>) {
    if absent(spec, "completions") && absent(spec, "parallelism") {
        spec.insert("completions", 1_i64);
    }
    fill(spec, "parallelism", 1_i64);
    let per_index = !absent(spec, "backoffLimitPerIndex");
    let limit = if per_index { i64::from(i32::MAX) } else { 6 };
    fill(spec, "backoffLimit", limit);
    if server.enabled(Gate::IndexedJob) {
        fill(spec, "completionMode", "NonIndexed");
    }
    if server.enabled(Gate::SuspendJob) {
        fill(spec, "suspend", false);
    }
    if server.enabled(Gate::JobPodReplacementPolicy) {
        let policy = if absent(spec, "podFailurePolicy") {
            "TerminatingOrFailed"
        } else {
            "Failed"
        };
        fill(spec, "podReplacementPolicy", policy);
    }
    if versions::JOB_MANUAL_SELECTOR.contain(server.minor()) {
        fill(spec, "manualSelector", false);
    }
    if versions::POD_CONDITION_STATUS_IN_JOBS.contain(server.minor()) {
        let rules = spec
            .get_mut("podFailurePolicy")
            .and_then(|p| p.get_mut("rules"));
        for rule in rules.and_then(Value::as_list_mut).into_iter().flatten() {
            let patterns = rule.get_mut("onPodConditions").and_then(Value::as_list_mut);
            for pattern in patterns
                .into_iter()
                .flatten()
                .filter_map(Value::as_object_mut)
            {
                if no_text(pattern, "status") {
                    pattern.insert("status", "True");
                }
            }
        }
    }
}

/// A Job without labels takes those of its template. The job template of a `CronJob` does not.
fn labels_of_template(job: &mut Object<'_>) {
    let template = job
        .get("spec")
        .and_then(|spec| spec.at(&["template", "metadata", "labels"]))
        .and_then(Value::as_object)
        .cloned();
    let Some(labels) = template else { return };
    let metadata = job.object_mut("metadata");
    if is_empty(metadata.get("labels")) {
        metadata.insert("labels", labels);
    }
}

/// `SetDefaults_ReplicationController`: selector and labels are those of the template.
fn replication_controller(controller: &mut Object<'_>) {
    let labels = controller
        .get("spec")
        .and_then(|spec| spec.at(&["template", "metadata", "labels"]))
        .and_then(Value::as_object)
        .cloned();
    let Some(labels) = labels else { return };
    let spec = controller.object_mut("spec");
    if is_empty(spec.get("selector")) {
        spec.insert("selector", labels.clone());
    }
    let metadata = controller.object_mut("metadata");
    if is_empty(metadata.get("labels")) {
        metadata.insert("labels", labels);
    }
}

fn is_empty(map: Option<&Value<'_>>) -> bool {
    map.and_then(Value::as_object).is_none_or(Object::is_empty)
}

/// `SetDefaults_Namespace`
fn namespace(minor: Minor, namespace: &mut Object<'_>) {
    if !versions::NAMESPACE_NAME_LABEL.contain(minor) {
        return;
    }
    let metadata = namespace.object_mut("metadata");
    if no_text(metadata, "name") {
        return;
    }
    if let Some(name) = metadata.get("name").cloned() {
        metadata
            .object_mut("labels")
            .insert("kubernetes.io/metadata.name", name);
    }
}

/// `SetDefaults_LimitRangeItem`: limits default to the most, requests to limits or the least.
fn limit_range_item(item: &mut Object<'_>) {
    if item.get("type").and_then(Value::as_str) != Some("Container") {
        return;
    }
    for (to, from) in [
        ("default", "max"),
        ("defaultRequest", "default"),
        ("defaultRequest", "min"),
    ] {
        let given = item.get(from).and_then(Value::as_object).cloned();
        let held = item.object_mut(to);
        for (name, quantity) in given.unwrap_or_default() {
            if !held.contains_key(&name) {
                held.insert(name, quantity);
            }
        }
    }
}

/// `SetDefaults_Subject` of `rbac`
fn subject(subject: &mut Object<'_>) {
    let kind = subject.get("kind").and_then(Value::as_str);
    if no_text(subject, "apiGroup") && matches!(kind, Some("User" | "Group")) {
        subject.insert("apiGroup", "rbac.authorization.k8s.io");
    }
}

//! Drops: fields of a pod that the server knows but does not keep while their feature gate is off.
//!
//! Upstream: `dropDisabledFields` in `pkg/api/pod/util.go`, and for workloads' own fields their
//! strategies in `pkg/registry/apps` and `pkg/registry/batch`, for policies
//! `pkg/api/podsecuritypolicy/util.go`. A field that the stored object has
//! already is kept.

use crate::config::Server;
use crate::podspec;
use crate::value::{Object, Value};
use crate::versions::{self, Gate};

/// The fields of a pod's spec that go away with a gate. `[]` is each item of a list, `*` each list
/// of containers.
static POD: &[(Gate, &[&str])] = &[
    (Gate::UserNamespacesSupport, &["hostUsers"]),
    (
        Gate::SupplementalGroupsPolicy,
        &["securityContext.supplementalGroupsPolicy"],
    ),
    (Gate::PodLevelResources, &["resources"]),
    (
        Gate::NodeInclusionPolicyInPodTopologySpread,
        &[
            "topologySpreadConstraints[].nodeAffinityPolicy",
            "topologySpreadConstraints[].nodeTaintsPolicy",
        ],
    ),
    (
        Gate::MinDomainsInPodTopologySpread,
        &["topologySpreadConstraints[].minDomains"],
    ),
    (
        Gate::MatchLabelKeysInPodTopologySpread,
        &["topologySpreadConstraints[].matchLabelKeys"],
    ),
    (
        Gate::MatchLabelKeysInPodAffinity,
        &[
            "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[].matchLabelKeys",
            "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[].mismatchLabelKeys",
            "affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm.matchLabelKeys",
            "affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm.mismatchLabelKeys",
            "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[].matchLabelKeys",
            "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[].mismatchLabelKeys",
            "affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm.matchLabelKeys",
            "affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm.mismatchLabelKeys",
        ],
    ),
    (
        Gate::PodAffinityNamespaceSelector,
        &[
            "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[].namespaceSelector",
            "affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm.namespaceSelector",
            "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[].namespaceSelector",
            "affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm.namespaceSelector",
        ],
    ),
    (
        Gate::DynamicResourceAllocation,
        &["resourceClaims", "*[].resources.claims"],
    ),
    (
        Gate::ClusterTrustBundleProjection,
        &["volumes[].projected.sources[].clusterTrustBundle"],
    ),
    (
        Gate::PodCertificateRequest,
        &["volumes[].projected.sources[].podCertificate"],
    ),
    (
        Gate::AtomicWriteVolumeUserFields,
        &[
            "volumes[].secret.defaultUser",
            "volumes[].secret.items[].user",
            "volumes[].configMap.defaultUser",
            "volumes[].configMap.items[].user",
            "volumes[].downwardAPI.defaultUser",
            "volumes[].downwardAPI.items[].user",
            "volumes[].projected.defaultUser",
            "volumes[].projected.sources[].secret.items[].user",
            "volumes[].projected.sources[].configMap.items[].user",
            "volumes[].projected.sources[].downwardAPI.items[].user",
            "volumes[].projected.sources[].serviceAccountToken.user",
            "volumes[].projected.sources[].clusterTrustBundle.user",
            "volumes[].projected.sources[].podCertificate.user",
        ],
    ),
    (
        Gate::GRPCContainerProbeTLS,
        &[
            "*[].livenessProbe.grpc.mode",
            "*[].readinessProbe.grpc.mode",
            "*[].startupProbe.grpc.mode",
        ],
    ),
    (Gate::EvictionRequestAPI, &["evictionResponders"]),
    (Gate::GenericWorkload, &["workloadRef", "schedulingGroup"]),
    (Gate::InPlacePodVerticalScaling, &["*[].resizePolicy"]),
    (Gate::SidecarContainers, &["initContainers[].restartPolicy"]),
    (
        Gate::RecursiveReadOnlyMounts,
        &["*[].volumeMounts[].recursiveReadOnly"],
    ),
    (Gate::HostnameOverride, &["hostnameOverride"]),
    (Gate::EnvFiles, &["*[].env[].valueFrom.fileKeyRef"]),
    (
        Gate::SELinuxChangePolicy,
        &["securityContext.seLinuxChangePolicy"],
    ),
    (Gate::PodSchedulingReadiness, &["schedulingGates"]),
    (Gate::IdentifyPodOS, &["os"]),
    (Gate::EphemeralContainers, &["ephemeralContainers"]),
    (Gate::GenericEphemeralVolume, &["volumes[].ephemeral"]),
    (
        Gate::ProbeTerminationGracePeriod,
        &[
            "*[].livenessProbe.terminationGracePeriodSeconds",
            "*[].startupProbe.terminationGracePeriodSeconds",
        ],
    ),
];

/// The fields of other specs than a pod's that go away with a gate, by kind.
static SPECS: &[(&str, Gate, &[&str])] = &[
    (
        "PodSecurityPolicy",
        Gate::ProcMountType,
        &["allowedProcMountTypes"],
    ),
    (
        "StatefulSet",
        Gate::StatefulSetAutoDeletePVC,
        &["persistentVolumeClaimRetentionPolicy"],
    ),
    ("StatefulSet", Gate::StatefulSetStartOrdinal, &["ordinals"]),
    (
        "StatefulSet",
        Gate::MaxUnavailableStatefulSet,
        &["updateStrategy.rollingUpdate.maxUnavailable"],
    ),
    (
        "StatefulSet",
        Gate::StatefulSetMinReadySeconds,
        &["minReadySeconds"],
    ),
    (
        "DaemonSet",
        Gate::DaemonSetUpdateSurge,
        &["updateStrategy.rollingUpdate.maxSurge"],
    ),
    ("Job", Gate::TTLAfterFinished, &["ttlSecondsAfterFinished"]),
    ("Job", Gate::IndexedJob, &["completionMode"]),
    ("Job", Gate::SuspendJob, &["suspend"]),
    ("Job", Gate::JobPodFailurePolicy, &["podFailurePolicy"]),
    ("Job", Gate::JobManagedBy, &["managedBy"]),
    ("Job", Gate::JobSuccessPolicy, &["successPolicy"]),
    (
        "Job",
        Gate::JobBackoffLimitPerIndex,
        &["backoffLimitPerIndex", "maxFailedIndexes"],
    ),
    (
        "Job",
        Gate::JobPodReplacementPolicy,
        &["podReplacementPolicy"],
    ),
    ("CronJob", Gate::CronJobTimeZone, &["timeZone"]),
];

/// Drops what a pod's spec may not have, unless the `old` one has it.
pub(crate) fn pod_spec(server: &Server, spec: &mut Value<'_>, old: Option<&Value<'_>>) {
    for (gate, fields) in POD {
        drop_fields(server, *gate, fields, spec, old);
    }
    let in_use = |found: fn(&Value<'_>) -> bool| old.is_some_and(found);
    if versions::CLAIM_TEMPLATE_CLAIMS.contain(server.minor()) {
        remove(
            spec,
            "volumes[].ephemeral.volumeClaimTemplate.spec.resources.claims",
        );
    }
    if !server.enabled(Gate::ProcMountType) && !in_use(has_proc_mount) {
        each_container(spec, |container| {
            let context = container
                .get_mut("securityContext")
                .and_then(Value::as_object_mut);
            if let Some(context) = context
                && context
                    .get("procMount")
                    .is_some_and(|p| p.as_str().is_some())
            {
                context.insert("procMount", "Default");
            }
        });
    }
    if versions::RESTART_RULES.contain(server.minor())
        && !server.enabled(Gate::ContainerRestartRules)
        && !in_use(has_restart_rules)
    {
        drop_restart_rules(spec);
    }
    let sleeps = |spec: &Value<'_>| SLEEPS.iter().any(|path| present(spec, path));
    if !server.enabled(Gate::PodLifecycleSleepAction) && !in_use(sleeps) {
        drop_sleep(
            spec,
            versions::SLEEPLESS_HANDLERS_DROPPED.contain(server.minor()),
        );
    }
    let stops = |spec: &Value<'_>| present(spec, "*[].lifecycle.stopSignal");
    if !server.enabled(Gate::ContainerStopSignals) && !in_use(stops) {
        each_lifecycle(spec, |lifecycle| lifecycle.remove("stopSignal").is_some());
    }
    let images = |spec: &Value<'_>| present(spec, "volumes[].image");
    if !server.enabled(Gate::ImageVolume) && !in_use(images) {
        drop_image_volumes(spec);
    }
}

/// Drops what the spec of another kind than a pod may not have.
pub(crate) fn own_spec(server: &Server, kind: &str, spec: &mut Value<'_>, old: Option<&Value<'_>>) {
    for (of, gate, fields) in SPECS {
        if *of == kind {
            drop_fields(server, *gate, fields, spec, old);
        }
    }
    if kind == "Job" && old.is_none() && !server.enabled(Gate::JobBackoffLimitPerIndex) {
        let rules = spec.at_mut(&["podFailurePolicy", "rules"]);
        if let Some(rules) = rules.and_then(Value::as_list_mut) {
            rules.retain(|rule| rule.text_at(&["action"]) != "FailIndex");
        }
    }
}

fn drop_fields(
    server: &Server,
    gate: Gate,
    fields: &[&str],
    spec: &mut Value<'_>,
    old: Option<&Value<'_>>,
) {
    if server.enabled(gate) {
        return;
    }
    if old.is_some_and(|old| fields.iter().any(|field| present(old, field))) {
        return;
    }
    for field in fields {
        remove(spec, field);
    }
}

/// Whether there is a value at the path.
fn present(value: &Value<'_>, path: &str) -> bool {
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    if step == "*[]" {
        return podspec::containers(value).any(|(_, _, container)| present(container, rest));
    }
    let key = step.strip_suffix("[]").unwrap_or(step);
    let Some(inner) = value.get(key) else {
        return false;
    };
    match inner {
        Value::List(items) if step != key => items.iter().any(|item| present(item, rest)),
        Value::Null => false,
        _ if rest.is_empty() => true,
        inner => present(inner, rest),
    }
}

/// Takes out what lies at the path.
fn remove(value: &mut Value<'_>, path: &str) {
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    if step == "*[]" {
        for role in podspec::ROLES {
            if let Some(Value::List(containers)) = value.get_mut(role.field()) {
                for container in containers {
                    remove(container, rest);
                }
            }
        }
        return;
    }
    let key = step.strip_suffix("[]").unwrap_or(step);
    let Some(object) = value.as_object_mut() else {
        return;
    };
    if rest.is_empty() {
        object.remove(key);
        return;
    }
    match object.get_mut(key) {
        Some(Value::List(items)) if step != key => items.iter_mut().for_each(|i| remove(i, rest)),
        Some(inner) => remove(inner, rest),
        None => {}
    }
}

fn each_container<'a>(spec: &mut Value<'a>, visit: impl FnMut(&mut Object<'a>)) {
    let mut visit = visit;
    if let Some(spec) = spec.as_object_mut() {
        podspec::for_each_container(spec, |_, container| visit(container));
    }
}

fn has_proc_mount(spec: &Value<'_>) -> bool {
    podspec::containers(spec).any(|(_, _, container)| {
        let mount = container.at(&["securityContext", "procMount"]);
        mount
            .and_then(Value::as_str)
            .is_some_and(|mount| mount != "Default")
    })
}

/// `containerRestartRulesInUse`
fn has_restart_rules(spec: &Value<'_>) -> bool {
    let init = spec.list_at(&["initContainers"]).iter().any(|container| {
        podspec::text(container, &["restartPolicy"]).is_some_and(|policy| policy != "Always")
            || !container.list_at(&["restartPolicyRules"]).is_empty()
    });
    init || present(spec, "containers[].restartPolicy")
}

fn drop_restart_rules(spec: &mut Value<'_>) {
    for role in podspec::ROLES {
        let Some(Value::List(containers)) = spec.get_mut(role.field()) else {
            continue;
        };
        for container in containers.iter_mut().filter_map(Value::as_object_mut) {
            container.remove("restartPolicyRules");
            let sidecar = role == podgate_policy::view::Role::Init
                && container.get("restartPolicy").and_then(Value::as_str) == Some("Always");
            if !sidecar {
                container.remove("restartPolicy");
            }
        }
    }
}

const SLEEPS: [&str; 2] = [
    "*[].lifecycle.preStop.sleep",
    "*[].lifecycle.postStart.sleep",
];

/// `dropPodLifecycleSleepAction`. `tidy`: a handler that only slept goes away with its `sleep`, and so does
/// a lifecycle without handlers; otherwise validation sees a handler that does nothing.
fn drop_sleep(spec: &mut Value<'_>, tidy: bool) {
    each_lifecycle(spec, |lifecycle| {
        for hook in ["preStop", "postStart"] {
            let Some(handler) = lifecycle.get_mut(hook).and_then(Value::as_object_mut) else {
                continue;
            };
            if handler.remove("sleep").is_some() && tidy && handler.is_empty() {
                lifecycle.remove(hook);
            }
        }
        tidy
    });
}

/// Calls `change` with each container's lifecycle, and removes those that it left empty.
fn each_lifecycle(spec: &mut Value<'_>, mut change: impl FnMut(&mut Object<'_>) -> bool) {
    each_container(spec, |container| {
        let Some(lifecycle) = container
            .get_mut("lifecycle")
            .and_then(Value::as_object_mut)
        else {
            return;
        };
        if change(lifecycle) && lifecycle.is_empty() {
            container.remove("lifecycle");
        }
    });
}

/// `dropImageVolumes`: the volumes and their mounts.
fn drop_image_volumes(spec: &mut Value<'_>) {
    let is_image = |volume: &Value<'_>| volume.get("image").is_some_and(|i| *i != Value::Null);
    let Some(Value::List(volumes)) = spec.get_mut("volumes") else {
        return;
    };
    let names: Vec<_> = volumes
        .iter()
        .filter(|volume| is_image(volume))
        .map(|volume| volume.text_at(&["name"]).to_owned())
        .collect();
    if names.is_empty() {
        return;
    }
    volumes.retain(|volume| !is_image(volume));
    each_container(spec, |container| {
        if let Some(Value::List(mounts)) = container.get_mut("volumeMounts") {
            mounts.retain(|mount| !names.iter().any(|name| name == mount.text_at(&["name"])));
        }
    });
}

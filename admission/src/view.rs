//! The view of a pod that policies read, taken from the tree.
//!
//! Upstream's counterpart is the conversion to `v1.Pod` in
//! `plugin/pkg/admission/security/podsecurity/admission.go`.

use podgate_policy::view::{
    ANNOTATION_PREFIXES, Capabilities, Container, Pod, Role, SeLinuxOptions, SecurityContext,
    Volume,
};

use crate::podspec;
use crate::value::{Object, Value};

/// The view of a pod or pod template: an object with `metadata` and `spec`.
#[must_use]
pub fn of<'v>(pod: &'v Value<'_>) -> Pod<'v> {
    let annotations = pod
        .at(&["metadata", "annotations"])
        .and_then(Value::as_object);
    let annotations = annotations
        .into_iter()
        .flat_map(Object::iter)
        .filter(|(key, _)| ANNOTATION_PREFIXES.iter().any(|p| key.starts_with(p)))
        .filter_map(|(key, value)| Some((key, value.as_str()?)))
        .collect();
    let Some(spec) = pod.get("spec") else {
        return Pod {
            annotations,
            ..Pod::default()
        };
    };
    let flag = |key| spec.get(key).and_then(Value::as_bool);
    let context = spec.get("securityContext");
    Pod {
        annotations,
        os: spec.at(&["os", "name"]).and_then(Value::as_str),
        host_network: flag("hostNetwork").unwrap_or_default(),
        host_pid: flag("hostPID").unwrap_or_default(),
        host_ipc: flag("hostIPC").unwrap_or_default(),
        host_users: flag("hostUsers"),
        runtime_class: spec.get("runtimeClassName").and_then(Value::as_str),
        security_context: context.map(security_context).unwrap_or_default(),
        sysctls: spec
            .list_at(&["securityContext", "sysctls"])
            .iter()
            .map(|sysctl| sysctl.text_at(&["name"]))
            .collect(),
        containers: podspec::containers(spec)
            .map(|(role, index, value)| container(role, index, value))
            .collect(),
        volumes: spec.list_at(&["volumes"]).iter().map(volume).collect(),
    }
}

fn container<'v>(role: Role, index: usize, container: &'v Value<'_>) -> Container<'v> {
    let context = container.get("securityContext");
    Container {
        role,
        index,
        name: container.text_at(&["name"]),
        security_context: context.map(security_context).unwrap_or_default(),
        host_ports: podspec::host_ports(container),
        handler_hosts: HANDLERS
            .iter()
            .filter_map(|(path, name)| Some((*name, podspec::text(container, path)?)))
            .collect(),
    }
}

/// The hosts of handlers, in the order in which upstream looks at them
/// (`check_hostProbesAndHostLifecycle.go`).
pub(crate) const HANDLERS: [(&[&str], &str); 10] = [
    (
        &["livenessProbe", "httpGet", "host"],
        "livenessProbe.httpGet.host",
    ),
    (
        &["livenessProbe", "tcpSocket", "host"],
        "livenessProbe.tcpSocket.host",
    ),
    (
        &["readinessProbe", "httpGet", "host"],
        "readinessProbe.httpGet.host",
    ),
    (
        &["readinessProbe", "tcpSocket", "host"],
        "readinessProbe.tcpSocket.host",
    ),
    (
        &["startupProbe", "httpGet", "host"],
        "startupProbe.httpGet.host",
    ),
    (
        &["startupProbe", "tcpSocket", "host"],
        "startupProbe.tcpSocket.host",
    ),
    (
        &["lifecycle", "postStart", "httpGet", "host"],
        "lifecycle.postStart.httpGet.host",
    ),
    (
        &["lifecycle", "postStart", "tcpSocket", "host"],
        "lifecycle.postStart.tcpSocket.host",
    ),
    (
        &["lifecycle", "preStop", "httpGet", "host"],
        "lifecycle.preStop.httpGet.host",
    ),
    (
        &["lifecycle", "preStop", "tcpSocket", "host"],
        "lifecycle.preStop.tcpSocket.host",
    ),
];

fn security_context<'v>(context: &'v Value<'_>) -> SecurityContext<'v> {
    let flag = |key| context.get(key).and_then(Value::as_bool);
    // A profile without a type is there all the same, with an empty type.
    let profile = |key| {
        let profile = context.get(key).filter(|p| p.as_object().is_some())?;
        Some(profile.text_at(&["type"]))
    };
    let capabilities = context
        .get("capabilities")
        .filter(|c| c.as_object().is_some());
    let se_linux = context
        .get("seLinuxOptions")
        .filter(|o| o.as_object().is_some());
    SecurityContext {
        privileged: flag("privileged"),
        allow_privilege_escalation: flag("allowPrivilegeEscalation"),
        capabilities: capabilities.map(|c| Capabilities {
            add: texts(c.list_at(&["add"])),
            drop: texts(c.list_at(&["drop"])),
        }),
        proc_mount: context.get("procMount").and_then(Value::as_str),
        run_as_non_root: flag("runAsNonRoot"),
        run_as_user: context.get("runAsUser").and_then(Value::as_int),
        se_linux: se_linux.map(|o| SeLinuxOptions {
            kind: o.text_at(&["type"]),
            user: o.text_at(&["user"]),
            role: o.text_at(&["role"]),
        }),
        seccomp: profile("seccompProfile"),
        app_armor: profile("appArmorProfile"),
        host_process: context
            .at(&["windowsOptions", "hostProcess"])
            .and_then(Value::as_bool),
    }
}

fn texts<'v>(items: &'v [Value<'_>]) -> Vec<&'v str> {
    items
        .iter()
        .map(|item| item.as_str().unwrap_or_default())
        .collect()
}

/// The sources of volumes in the order of `v1.VolumeSource`, which decides where several are set.
pub(crate) const VOLUME_SOURCES: [&str; 30] = [
    "hostPath",
    "emptyDir",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "persistentVolumeClaim",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "downwardAPI",
    "fc",
    "azureFile",
    "configMap",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "projected",
    "portworxVolume",
    "scaleIO",
    "storageos",
    "csi",
    "ephemeral",
    "image",
];

fn volume<'v>(volume: &'v Value<'_>) -> Volume<'v> {
    Volume {
        name: volume.text_at(&["name"]),
        source: VOLUME_SOURCES
            .into_iter()
            .find(|source| !matches!(volume.get(source), None | Some(Value::Null))),
    }
}

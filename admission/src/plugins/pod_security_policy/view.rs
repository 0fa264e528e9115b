//! A pod as policies read it.

use podgate_policy::psp::{
    ContainerSecurityContext, ContainerView, DownwardItem, PodSecurityContext, PodView,
    ProjectedSource, SeLinuxOptions, SeccompProfile, VOLUME_TYPES, VolumeMount, VolumeSource,
    VolumeView,
};
use podgate_policy::view::{ANNOTATION_PREFIXES, Capabilities, Role};

use crate::podspec;
use crate::value::{Object, Value};

/// The view of a pod that has its defaults.
pub(super) fn of<'v>(pod: &'v Value<'_>) -> PodView<'v> {
    let annotations = pod
        .at(&["metadata", "annotations"])
        .and_then(Value::as_object);
    let annotations = annotations
        .into_iter()
        .flat_map(Object::iter)
        .filter(|(key, _)| ANNOTATION_PREFIXES.iter().any(|p| key.starts_with(p)))
        .filter_map(|(key, value)| Some((key.into(), value.as_str()?.into())))
        .collect();
    let flag = |key| pod.at(&["spec", key]).and_then(Value::as_bool) == Some(true);
    let context = pod.at(&["spec", "securityContext"]);
    let containers = pod.get("spec").into_iter().flat_map(podspec::containers);
    PodView {
        annotations,
        host_network: flag("hostNetwork"),
        host_pid: flag("hostPID"),
        host_ipc: flag("hostIPC"),
        runtime_class: pod
            .at(&["spec", "runtimeClassName"])
            .and_then(Value::as_str),
        security_context: context.map(pod_context).unwrap_or_default(),
        containers: containers
            .map(|(role, index, value)| container(role, index, value))
            .collect(),
        volumes: pod
            .list_at(&["spec", "volumes"])
            .iter()
            .map(volume)
            .collect(),
    }
}

fn pod_context<'v>(context: &'v Value<'_>) -> PodSecurityContext<'v> {
    let number = |key| context.get(key).and_then(Value::as_int);
    let groups = context.get("supplementalGroups").and_then(Value::as_list);
    PodSecurityContext {
        fs_group: number("fsGroup"),
        supplemental_groups: groups.map(|it| it.iter().filter_map(Value::as_int).collect()),
        se_linux: context.get("seLinuxOptions").and_then(se_linux),
        seccomp: context.get("seccompProfile").and_then(seccomp),
        run_as_user: number("runAsUser"),
        run_as_group: number("runAsGroup"),
        run_as_non_root: context.get("runAsNonRoot").and_then(Value::as_bool),
        sysctls: context
            .list_at(&["sysctls"])
            .iter()
            .map(|sysctl| sysctl.text_at(&["name"]))
            .collect(),
    }
}

fn container<'v>(role: Role, index: usize, container: &'v Value<'_>) -> ContainerView<'v> {
    let context = container.get("securityContext");
    ContainerView {
        role,
        index,
        name: container.text_at(&["name"]),
        security_context: context.map(container_context).unwrap_or_default(),
        host_ports: podspec::host_ports(container),
        volume_mounts: container
            .list_at(&["volumeMounts"])
            .iter()
            .map(|mount| VolumeMount {
                name: mount.text_at(&["name"]),
                read_only: mount.get("readOnly").and_then(Value::as_bool) == Some(true),
            })
            .collect(),
    }
}

fn container_context<'v>(context: &'v Value<'_>) -> ContainerSecurityContext<'v> {
    let flag = |key| context.get(key).and_then(Value::as_bool);
    let number = |key| context.get(key).and_then(Value::as_int);
    let capabilities = context.get("capabilities");
    ContainerSecurityContext {
        capabilities: capabilities
            .filter(|it| it.as_object().is_some())
            .map(|it| Capabilities {
                add: texts(it.list_at(&["add"])),
                drop: texts(it.list_at(&["drop"])),
            }),
        privileged: flag("privileged"),
        proc_mount: context.get("procMount").and_then(Value::as_str),
        se_linux: context.get("seLinuxOptions").and_then(se_linux),
        seccomp: context.get("seccompProfile").and_then(seccomp),
        run_as_user: number("runAsUser"),
        run_as_group: number("runAsGroup"),
        run_as_non_root: flag("runAsNonRoot"),
        read_only_root_filesystem: flag("readOnlyRootFilesystem"),
        allow_privilege_escalation: flag("allowPrivilegeEscalation"),
    }
}

/// `seLinuxOptions` of a pod or of a policy.
pub(super) fn se_linux<'v>(options: &'v Value<'_>) -> Option<SeLinuxOptions<'v>> {
    options.as_object()?;
    Some(SeLinuxOptions {
        level: options.text_at(&["level"]),
        role: options.text_at(&["role"]),
        kind: options.text_at(&["type"]),
        user: options.text_at(&["user"]),
    })
}

fn seccomp<'v>(profile: &'v Value<'_>) -> Option<SeccompProfile<'v>> {
    profile.as_object()?;
    Some(SeccompProfile {
        kind: profile.text_at(&["type"]),
        localhost: profile.get("localhostProfile").and_then(Value::as_str),
    })
}

/// The texts of a list.
pub(super) fn texts<'v>(items: &'v [Value<'_>]) -> Vec<&'v str> {
    items
        .iter()
        .map(|item| item.as_str().unwrap_or_default())
        .collect()
}

fn volume<'v>(volume: &'v Value<'_>) -> VolumeView<'v> {
    let found = VOLUME_TYPES.iter().find_map(|&(source, kind)| {
        let value = volume.get(source)?;
        (!matches!(value, Value::Null)).then_some((value, kind))
    });
    let name = volume.text_at(&["name"]);
    let Some((value, kind)) = found else {
        // Its default, which it has by now.
        return VolumeView {
            name,
            kind: "emptyDir",
            source: VolumeSource::Other,
        };
    };
    let source = match kind {
        "hostPath" => VolumeSource::HostPath(value.text_at(&["path"])),
        "flexVolume" => VolumeSource::FlexVolume(value.text_at(&["driver"])),
        "csi" => VolumeSource::Csi(value.text_at(&["driver"])),
        "projected" => {
            let sources = value.list_at(&["sources"]).iter();
            VolumeSource::Projected(sources.map(projected).collect())
        }
        _ => VolumeSource::Other,
    };
    VolumeView { name, kind, source }
}

fn projected<'v>(source: &'v Value<'_>) -> ProjectedSource<'v> {
    let of = |key| source.get(key).filter(|it| it.as_object().is_some());
    let item = |item: &'v Value<'_>| {
        let field_ref = item.get("fieldRef").filter(|it| it.as_object().is_some());
        DownwardItem {
            path: item.text_at(&["path"]),
            field_ref: field_ref
                .map(|it| (it.text_at(&["apiVersion"]), it.text_at(&["fieldPath"]))),
        }
    };
    ProjectedSource {
        token: of("serviceAccountToken")
            .map(|token| (token.text_at(&["path"]), token.text_at(&["audience"]))),
        config_map: of("configMap").map(|map| map.text_at(&["name"])),
        downward_api: of("downwardAPI").map(|it| it.list_at(&["items"]).iter().map(item).collect()),
    }
}

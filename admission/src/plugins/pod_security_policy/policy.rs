//! A stored `PodSecurityPolicy` as its strategies read it.

use podgate_policy::psp::{
    AllowedHostPath, HostPortRange, IdRange, PodSecurityPolicy, RuntimeClassOptions,
    SeLinuxStrategyOptions, StrategyOptions,
};

use super::view::{se_linux, texts};
use crate::podspec;
use crate::value::Value;

/// The policy, borrowed from the object, which has its defaults.
pub(super) fn of<'v>(object: &'v Value<'_>) -> PodSecurityPolicy<'v> {
    let annotation = |key| podspec::annotation(object, key);
    let flag = |key| object.at(&["spec", key]).and_then(Value::as_bool);
    let list = |key| texts(object.list_at(&["spec", key]));
    let strategy = |key| object.at(&["spec", key]).map(strategy).unwrap_or_default();
    let ports = object.list_at(&["spec", "hostPorts"]).iter().map(bounds);
    let se_linux_options = object.at(&["spec", "seLinux", "seLinuxOptions"]);
    PodSecurityPolicy {
        name: object.text_at(&["metadata", "name"]),
        seccomp_default_profile: annotation(
            "seccomp.security.alpha.kubernetes.io/defaultProfileName",
        ),
        seccomp_allowed_profiles: annotation(
            "seccomp.security.alpha.kubernetes.io/allowedProfileNames",
        ),
        app_armor_default_profile: annotation(
            "apparmor.security.beta.kubernetes.io/defaultProfileName",
        ),
        app_armor_allowed_profiles: annotation(
            "apparmor.security.beta.kubernetes.io/allowedProfileNames",
        ),
        privileged: flag("privileged").unwrap_or_default(),
        default_add_capabilities: list("defaultAddCapabilities"),
        required_drop_capabilities: list("requiredDropCapabilities"),
        allowed_capabilities: list("allowedCapabilities"),
        volumes: list("volumes"),
        host_network: flag("hostNetwork").unwrap_or_default(),
        host_ports: ports.map(|(min, max)| HostPortRange { min, max }).collect(),
        host_pid: flag("hostPID").unwrap_or_default(),
        host_ipc: flag("hostIPC").unwrap_or_default(),
        se_linux: SeLinuxStrategyOptions {
            rule: object.text_at(&["spec", "seLinux", "rule"]),
            options: se_linux_options.and_then(se_linux),
        },
        run_as_user: strategy("runAsUser"),
        run_as_group: object
            .at(&["spec", "runAsGroup"])
            .filter(|it| it.as_object().is_some())
            .map(self::strategy),
        supplemental_groups: strategy("supplementalGroups"),
        fs_group: strategy("fsGroup"),
        read_only_root_filesystem: flag("readOnlyRootFilesystem").unwrap_or_default(),
        default_allow_privilege_escalation: flag("defaultAllowPrivilegeEscalation"),
        allow_privilege_escalation: flag("allowPrivilegeEscalation").unwrap_or(true),
        allowed_host_paths: object
            .list_at(&["spec", "allowedHostPaths"])
            .iter()
            .map(|path| AllowedHostPath {
                path_prefix: path.text_at(&["pathPrefix"]),
                read_only: path.get("readOnly").and_then(Value::as_bool) == Some(true),
            })
            .collect(),
        allowed_flex_volumes: names(object.list_at(&["spec", "allowedFlexVolumes"]), "driver"),
        allowed_csi_drivers: names(object.list_at(&["spec", "allowedCSIDrivers"]), "name"),
        allowed_unsafe_sysctls: list("allowedUnsafeSysctls"),
        forbidden_sysctls: list("forbiddenSysctls"),
        allowed_proc_mount_types: list("allowedProcMountTypes"),
        runtime_class: object
            .at(&["spec", "runtimeClass"])
            .filter(|it| it.as_object().is_some())
            .map(|options| RuntimeClassOptions {
                allowed: texts(options.list_at(&["allowedRuntimeClassNames"])),
                default: options
                    .get("defaultRuntimeClassName")
                    .and_then(Value::as_str),
            }),
    }
}

fn strategy<'v>(options: &'v Value<'_>) -> StrategyOptions<'v> {
    let ranges = options.list_at(&["ranges"]).iter().map(bounds);
    StrategyOptions {
        rule: options.text_at(&["rule"]),
        ranges: ranges.map(|(min, max)| IdRange { min, max }).collect(),
    }
}

/// The ends of a range.
fn bounds(range: &Value<'_>) -> (i64, i64) {
    let number = |key| range.get(key).and_then(Value::as_int).unwrap_or_default();
    (number("min"), number("max"))
}

fn names<'v>(items: &'v [Value<'_>], key: &str) -> Vec<&'v str> {
    items.iter().map(|item| item.text_at(&[key])).collect()
}

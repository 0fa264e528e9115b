//! Security contexts of pods and containers, sysctls, user namespaces.
//!
//! Upstream: `validatePodSpecSecurityContext`, `ValidateSecurityContext`, `validateSysctls`,
//! `ValidateHostSysctl`, `validateHostUsers` and `ValidateProcMountType` in
//! `pkg/apis/core/validation/validation.go`; namespaces of sysctls in
//! `component-helpers/node/util/sysctl`.

use std::borrow::Cow;

use crate::value::Value;

use super::field::{BadValue, Path};
use super::tree::{field, flag, flag_opt, int_opt, items, text, text_opt, texts};
use super::{Validator, containers, go, names, profiles, versions, windows};

/// `validatePodSpecSecurityContext`, and before 1.28 `ValidatePodSecurityContext`, which looked at
/// the ports of pods in the host's network first.
pub(crate) fn pod(v: &mut Validator, spec: &Value<'_>, spec_path: &Path<'_>) {
    if !v.since(versions::HOST_PORT_REPORTED) {
        super::ports::host_network(v, spec, spec_path);
    }
    let Some(context) = field(spec, "securityContext") else {
        return;
    };
    let path = &spec_path.child("securityContext");
    for name in ["fsGroup", "runAsUser", "runAsGroup"] {
        id(v, context, name, path);
    }
    let groups = path.child("supplementalGroups");
    for (i, group) in items(context, "supplementalGroups").iter().enumerate() {
        let group = group.as_int().unwrap_or_default();
        if let Some(wrong) = names::id(group) {
            v.errors.invalid(&groups.index(i), group, wrong);
        }
    }
    if !v.since(versions::SHARED_PROCESSES_IN_SPEC) {
        shared_processes(v, spec, path);
    }
    sysctls(v, spec, context, &path.child("sysctls"));
    if let Some(policy) = text_opt(context, "fsGroupChangePolicy")
        && !matches!(policy, "Always" | "OnRootMismatch")
    {
        v.errors.not_supported(
            &path.child("fsGroupChangePolicy"),
            policy,
            &["Always", "OnRootMismatch"],
        );
    }
    profiles::seccomp_field(v, context, path);
    windows::options(v, context, path);
    profiles::apparmor_field(v, context, path);
    if let Some(policy) = text_opt(context, "supplementalGroupsPolicy")
        && !matches!(policy, "Merge" | "Strict")
    {
        v.errors.not_supported(
            &path.child("supplementalGroupsPolicy"),
            policy,
            &["Merge", "Strict"],
        );
    }
    if let Some(policy) = text_opt(context, "seLinuxChangePolicy") {
        let path = path.child("seLinuxChangePolicy");
        let supported: &[_] = if v.since(versions::SELINUX_MOUNT_OPTION) {
            &["MountOption", "Recursive"]
        } else {
            &["Recursive"]
        };
        if !supported.contains(&policy) {
            v.errors.not_supported(&path, policy, supported);
        }
    }
}

/// `validateShareProcessNamespace`
pub(crate) fn shared_processes(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    if flag(spec, "hostPID") && flag(spec, "shareProcessNamespace") {
        v.errors.invalid(
            &path.child("shareProcessNamespace"),
            true,
            "ShareProcessNamespace and HostPID cannot both be enabled",
        );
    }
}

fn id(v: &mut Validator, context: &Value<'_>, name: &str, path: &Path<'_>) {
    if let Some(id) = int_opt(context, name)
        && let Some(wrong) = names::id(id)
    {
        v.errors.invalid(&path.child(name), id, wrong);
    }
}

/// `ValidateSecurityContext` of a container.
pub(crate) fn container(
    v: &mut Validator,
    container: &Value<'_>,
    host_users: bool,
    path: &Path<'_>,
) {
    let Some(context) = field(container, "securityContext") else {
        return;
    };
    let path = &path.child("securityContext");
    let privileged = flag(context, "privileged");
    if privileged && !v.allow_privileged {
        v.errors
            .forbidden(&path.child("privileged"), "disallowed by cluster policy");
    }
    id(v, context, "runAsUser", path);
    id(v, context, "runAsGroup", path);
    if let Some(proc_mount) = text_opt(context, "procMount") {
        let path = path.child("procMount");
        if !matches!(proc_mount, "Default" | "Unmasked") {
            v.errors
                .not_supported(&path, proc_mount, &["Default", "Unmasked"]);
        }
        if v.since(versions::UNMASKED_NEEDS_USER_NAMESPACE)
            && host_users
            && proc_mount == "Unmasked"
        {
            v.errors.invalid(
                &path,
                BadValue::Named(proc_mount),
                "`hostUsers` must be false to use `Unmasked`",
            );
        }
    }
    profiles::seccomp_field(v, context, path);
    if flag_opt(context, "allowPrivilegeEscalation") == Some(false) {
        let value = |v: &Validator| go::print(context, &go::SECURITY_CONTEXT, v.minor);
        if privileged {
            let value = value(v);
            v.errors.invalid(
                path,
                value,
                "cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
            );
        }
        if let Some(capabilities) = field(context, "capabilities") {
            for capability in texts(capabilities, "add") {
                if capability == "CAP_SYS_ADMIN" {
                    let value = value(v);
                    v.errors.invalid(
                        path,
                        value,
                        "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` \
                         CAP_SYS_ADMIN",
                    );
                }
            }
        }
    }
    windows::options(v, context, path);
    profiles::apparmor_field(v, context, path);
}

/// `validateSysctls`
fn sysctls(v: &mut Validator, spec: &Value<'_>, context: &Value<'_>, path: &Path<'_>) {
    let sysctls = items(context, "sysctls");
    for (i, sysctl) in sysctls.iter().enumerate() {
        let path = path.index(i);
        let path = path.child("name");
        let name = text(sysctl, "name");
        if name.is_empty() {
            v.errors.required(&path, "");
        } else if let Some(wrong) = names::sysctl(name, v.minor) {
            v.errors.invalid(&path, name, wrong);
        } else if sysctls[..i].iter().any(|s| text(s, "name") == name) {
            v.errors.duplicate(&path, name);
        }
        if v.since(versions::HOST_SYSCTLS)
            && let Some(wrong) = host_sysctl(name, spec)
        {
            v.errors.invalid(&path, name, wrong);
        }
    }
}

/// `ValidateHostSysctl`: what is wrong with a sysctl of a namespace that the pod has from the host.
pub(crate) fn host_sysctl(name: &str, spec: &Value<'_>) -> Option<&'static str> {
    const IPC: [&str; 3] = ["kernel.shm", "kernel.msg", "fs.mqueue."];
    let name = dotted(name);
    if flag(spec, "hostNetwork") && name.starts_with("net.") {
        return Some("may not be specified when 'hostNetwork' is true");
    }
    let ipc = name == "kernel.sem" || IPC.iter().any(|prefix| name.starts_with(prefix));
    (flag(spec, "hostIPC") && ipc).then_some("may not be specified when 'hostIPC' is true")
}

/// `NormalizeName`: a name whose first separator is a slash has slashes and dots exchanged.
fn dotted(name: &str) -> Cow<'_, str> {
    match name.find(['.', '/']) {
        Some(first) if name.as_bytes()[first] == b'/' => name
            .chars()
            .map(|c| match c {
                '/' => '.',
                '.' => '/',
                c => c,
            })
            .collect(),
        _ => Cow::Borrowed(name),
    }
}

/// Whether the pod shares the users of its host: it does unless it says no.
pub(crate) fn host_users(spec: &Value<'_>) -> bool {
    flag_opt(spec, "hostUsers").unwrap_or(true)
}

/// `validateHostUsers`
pub(crate) fn user_namespace(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    if host_users(spec) {
        return;
    }
    let detail = if v.since(versions::HOST_USERS_TEXT) {
        "when `hostUsers` is false"
    } else {
        "when `pod.Spec.HostUsers` is false"
    };
    if !v.since(versions::HOST_USERS_ANY_VOLUME) {
        const ALLOWED: [&str; 5] = [
            "emptyDir",
            "secret",
            "downwardAPI",
            "configMap",
            "projected",
        ];
        let volumes = path.child("volumes");
        for (i, volume) in items(spec, "volumes").iter().enumerate() {
            if !ALLOWED.iter().any(|name| field(volume, name).is_some()) {
                v.errors.forbidden(
                    &volumes.index(i),
                    format!("volume type not supported {detail}"),
                );
            }
        }
    }
    for (name, printed) in [
        ("hostNetwork", "hostNetwork"),
        ("hostPID", "HostPID"),
        ("hostIPC", "HostIPC"),
    ] {
        if flag(spec, name) {
            v.errors.forbidden(&path.child(printed), detail);
        }
    }
    if v.since(versions::HOST_USERS_TEXT) {
        containers::visit(spec, path, |container, path| {
            if !items(container, "volumeDevices").is_empty() {
                v.errors.forbidden(&path.child("volumeDevices"), detail);
            }
        });
    }
}

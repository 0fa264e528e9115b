//! What Windows pods may and must set: `os`, `windowsOptions`, host process containers.
//!
//! Upstream: `validateOS`, `validateLinux`, `validateWindows`, `validateWindowsHostProcessPod` and
//! `validateWindowsSecurityContextOptions` in `pkg/apis/core/validation/validation.go`.

use crate::value::Value;

use super::field::{BadValue, Path};
use super::tree::{field, flag, flag_opt, text, text_opt};
use super::{Validator, containers, names, versions};

/// `validateOS`, and the rules for the operating system that the pod names.
pub(crate) fn os(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let Some(os) = field(spec, "os") else { return };
    let os_path = path.child("os");
    match text(os, "name") {
        "" => {
            let detail = if v.since(versions::OS_REQUIRED_SILENT) {
                ""
            } else {
                "cannot be empty"
            };
            v.errors.required(&os_path.child("name"), detail);
        }
        "linux" => linux(v, spec, path),
        "windows" => windows(v, spec, path),
        name => v
            .errors
            .not_supported(&os_path, name, &["linux", "windows"]),
    }
}

fn linux(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    const DETAIL: &str = "windows options cannot be set for a linux pod";
    if has_windows_options(spec) {
        let path = path.child("securityContext");
        v.errors.forbidden(&path.child("windowsOptions"), DETAIL);
    }
    containers::visit(spec, path, |container, path| {
        if has_windows_options(container) {
            let path = path.child("securityContext");
            v.errors.forbidden(&path.child("windowsOptions"), DETAIL);
        }
    });
}

fn has_windows_options(holder: &Value<'_>) -> bool {
    field(holder, "securityContext").is_some_and(|c| field(c, "windowsOptions").is_some())
}

/// The fields of a pod's security context that a Windows pod must not set, in upstream's order;
/// some fields of the spec come between.
const POD_CONTEXT: [&str; 11] = [
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "seLinuxChangePolicy",
];

const CONTAINER_CONTEXT: [&str; 10] = [
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
];

const NOT_FOR_WINDOWS: &str = "cannot be set for a windows pod";

fn host_fields(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    if field(spec, "hostUsers").is_some() {
        v.errors
            .forbidden(&path.child("hostUsers"), NOT_FOR_WINDOWS);
    }
    for name in ["hostPID", "hostIPC"] {
        if flag(spec, name) {
            v.errors.forbidden(&path.child(name), NOT_FOR_WINDOWS);
        }
    }
}

fn shared_processes(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    if field(spec, "shareProcessNamespace").is_some() {
        v.errors
            .forbidden(&path.child("shareProcessNamespace"), NOT_FOR_WINDOWS);
    }
}

fn windows(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    const DETAIL: &str = NOT_FOR_WINDOWS;
    let context = field(spec, "securityContext");
    let context_path = path.child("securityContext");
    for name in POD_CONTEXT {
        let set = context.and_then(|c| field(c, name)).is_some_and(|value| {
            name != "sysctls" || value.as_list().is_some_and(|sysctls| !sysctls.is_empty())
        });
        if set {
            v.errors.forbidden(&context_path.child(name), DETAIL);
        }
        // Up to 1.36 the fields of the spec were among those of the security context.
        let among = !v.since(versions::SHARED_PROCESSES_IN_SPEC);
        match name {
            "seLinuxOptions" if among => host_fields(v, spec, path),
            "sysctls" if among => shared_processes(v, spec, path),
            _ => {}
        }
    }
    if v.since(versions::SHARED_PROCESSES_IN_SPEC) {
        host_fields(v, spec, path);
        shared_processes(v, spec, path);
    }
    containers::visit(spec, path, |container, path| {
        let Some(context) = field(container, "securityContext") else {
            return;
        };
        let path = path.child("securityContext");
        for name in CONTAINER_CONTEXT {
            if field(context, name).is_some() {
                v.errors.forbidden(&path.child(name), DETAIL);
            }
        }
    });
}

/// `hostProcess` of the Windows options of a pod or container.
fn host_process(holder: &Value<'_>) -> Option<bool> {
    let options = field(field(holder, "securityContext")?, "windowsOptions")?;
    flag_opt(options, "hostProcess")
}

/// `validateWindowsHostProcessPod`
pub(crate) fn host_process_pod(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    const GATE_OFF: &str =
        "not allowed when feature gate 'WindowsHostProcessContainers' is not enabled";
    let on = v.windows_host_process;
    let pod = host_process(spec);
    if !on && pod.is_some() {
        let path = path.child("securityContext");
        let path = path.child("windowsOptions");
        v.errors.forbidden(&path.child("hostProcess"), GATE_OFF);
        return;
    }
    let (mut all, mut host_processes) = (0_usize, 0_usize);
    containers::visit(spec, path, |container, path| {
        all += 1;
        let own = host_process(container);
        if !on && own.is_some() {
            let path = path.child("securityContext");
            let path = path.child("windowsOptions");
            v.errors.forbidden(&path.child("hostProcess"), GATE_OFF);
        }
        if let (Some(pod), Some(own)) = (pod, own)
            && pod != own
        {
            let path = path.child("securityContext");
            let path = path.child("windowsOptions");
            v.errors.invalid(
                &path.child("hostProcess"),
                own,
                format!("pod hostProcess value must be identical if both are specified, was {pod}"),
            );
        }
        host_processes += usize::from(own.or(pod) == Some(true));
    });
    if host_processes == 0 {
        return;
    }
    if !on {
        v.errors.forbidden(
            path,
            "pod must not contain Windows hostProcess containers when feature gate \
             'WindowsHostProcessContainers' is not enabled",
        );
        return;
    }
    if host_processes != all {
        v.errors.invalid(
            path,
            "",
            "If pod contains any hostProcess containers then all containers must be HostProcess \
             containers",
        );
    }
    if !flag(spec, "hostNetwork") {
        v.errors.invalid(
            &path.child("hostNetwork"),
            false,
            "hostNetwork must be true if pod contains any hostProcess containers",
        );
    }
    if !v.allow_privileged {
        v.errors.forbidden(
            path,
            "hostProcess containers are disallowed by cluster policy",
        );
    }
}

/// `validateWindowsSecurityContextOptions` of a security context.
pub(crate) fn options(v: &mut Validator, context: &Value<'_>, path: &Path<'_>) {
    const MAX_KIB: usize = 64;
    let Some(options) = field(context, "windowsOptions") else {
        return;
    };
    let path = path.child("windowsOptions");
    if let Some(name) = text_opt(options, "gmsaCredentialSpecName") {
        for wrong in names::dns_subdomain(name) {
            v.errors.invalid(
                &path.child("gmsaCredentialSpecName"),
                BadValue::Named(name),
                wrong,
            );
        }
    }
    if let Some(spec) = text_opt(options, "gmsaCredentialSpec") {
        let path = path.child("gmsaCredentialSpec");
        if spec.is_empty() {
            v.errors.invalid(
                &path,
                BadValue::Named(spec),
                "gmsaCredentialSpec cannot be an empty string",
            );
        } else if spec.len() > MAX_KIB * 1024 {
            v.errors.invalid(
                &path,
                BadValue::Named(spec),
                format!("gmsaCredentialSpec size must be under {MAX_KIB} KiB"),
            );
        }
    }
    if let Some(name) = text_opt(options, "runAsUserName") {
        let path = path.child("runAsUserName");
        for wrong in user_name(name) {
            v.errors.invalid(&path, BadValue::Named(name), wrong);
        }
    }
}

/// What is wrong with `DOMAIN\USER`.
fn user_name(name: &str) -> Vec<String> {
    const MAX_DOMAIN: usize = 256;
    const MAX_USER: usize = 104;
    let one = |text: &str| vec![text.to_owned()];
    if name.is_empty() {
        return one("runAsUserName cannot be an empty string");
    }
    if name.bytes().any(|b| b.is_ascii_control()) {
        return one("runAsUserName cannot contain control characters");
    }
    let (domain, user) = match name.split_once('\\') {
        None => (None, name),
        Some((_, user)) if user.contains('\\') => {
            return one("runAsUserName cannot contain more than one backslash");
        }
        Some((domain, user)) => (Some(domain), user),
    };
    let mut errors = Vec::new();
    if let Some(domain) = domain {
        if domain.len() >= MAX_DOMAIN {
            errors.push(format!(
                "runAsUserName's Domain length must be under {MAX_DOMAIN} characters"
            ));
        }
        if !is_net_bios_name(domain) && !is_domain(domain) {
            errors.push(
                "runAsUserName's Domain doesn't match the NetBios nor the DNS format".to_owned(),
            );
        }
    }
    if user.is_empty() {
        errors.push("runAsUserName's User cannot be empty".to_owned());
    } else if user.len() > MAX_USER {
        errors.push(format!(
            "runAsUserName's User length must not be longer than {MAX_USER} characters"
        ));
    }
    if !user.is_empty() && user.bytes().all(|b| matches!(b, b'.' | b' ')) {
        errors.push("runAsUserName's User cannot contain only periods or spaces".to_owned());
    }
    if user.contains([
        '"', '/', '\\', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '@', '[', ']',
    ]) {
        errors.push(
            "runAsUserName's User cannot contain the following characters: \
             \"/\\:;|=,+*?<>@[]"
                .to_owned(),
        );
    }
    errors
}

fn is_net_bios_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().count() <= 15
        && !name.starts_with('.')
        && !name.contains(['\\', '/', ':', '*', '?', '"', '<', '>', '|'])
}

fn is_domain(name: &str) -> bool {
    name.split('.').all(|label| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("ContainerUser", 0)]
    #[case("NT AUTHORITY\\SYSTEM", 0)]
    #[case("corp.example.com\\web", 0)]
    #[case("", 1)]
    #[case("a\\b\\c", 1)]
    #[case("bad|domain\\u", 1)]
    #[case("d\\", 1)]
    #[case("...", 1)]
    #[case("a@b", 1)]
    fn reads_user_names(#[case] name: &str, #[case] errors: usize) {
        assert_eq!(user_name(name).len(), errors);
    }
}

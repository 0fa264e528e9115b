//! Pod security policies.
//!
//! Upstream: `ValidatePodSecurityPolicy` and `ValidatePodSecurityPolicyUpdate` in
//! `pkg/apis/policy/validation/validation.go`. Some of its paths are not those of the fields. Rules
//! without the ranges or options that they need are accepted; the plugin passes such policies over.

use podgate_policy::psp::VOLUME_TYPES;

use crate::value::Value;

use super::field::{BadValue, Path};
use super::names::NameRule;
use super::tree::{entry, field, flag_opt, int, items, text, text_opt, texts};
use super::{Validator, go, metadata, names, profiles, volume_sources};

const RUN_AS: [&str; 2] = ["MustRunAs", "RunAsAny"];
const GROUPS: [&str; 3] = ["MayRunAs", "MustRunAs", "RunAsAny"];
const USERS: [&str; 3] = ["MustRunAs", "MustRunAsNonRoot", "RunAsAny"];

/// `policy.IDRange`
static ID_RANGE: go::Struct = go::Struct {
    name: "policy.IDRange",
    tagged: None,
    fields: &[
        go::Field("Min", "min", go::Type::Plain, 0),
        go::Field("Max", "max", go::Type::Plain, 0),
    ],
};

/// `ValidatePodSecurityPolicy`
pub(crate) fn create(v: &mut Validator, object: &Value<'_>) {
    let path = Path::new("metadata");
    let meta = metadata::of(object);
    metadata::object_meta(v, meta, false, NameRule::Subdomain, &path);
    contents(v, object);
}

/// `ValidatePodSecurityPolicyUpdate`
pub(crate) fn update(v: &mut Validator, new: &Value<'_>, old: &Value<'_>) {
    let path = Path::new("metadata");
    metadata::update(v, metadata::of(new), metadata::of(old), &path);
    contents(v, new);
}

fn contents(v: &mut Validator, object: &Value<'_>) {
    let path = Path::new("metadata");
    annotations(v, metadata::of(object), &path.child("annotations"));
    spec(v, object.get("spec").unwrap_or(&Value::Null));
}

/// `ValidatePodSecurityPolicySpecificAnnotations`
fn annotations(v: &mut Validator, meta: &Value<'_>, path: &Path<'_>) {
    const APP_ARMOR_DEFAULT: &str = "apparmor.security.beta.kubernetes.io/defaultProfileName";
    const APP_ARMOR_ALLOWED: &str = "apparmor.security.beta.kubernetes.io/allowedProfileNames";
    const SECCOMP_DEFAULT: &str = "seccomp.security.alpha.kubernetes.io/defaultProfileName";
    const SECCOMP_ALLOWED: &str = "seccomp.security.alpha.kubernetes.io/allowedProfileNames";
    let set = |key: &str| entry(meta, "annotations", key).filter(|value| !value.is_empty());
    if let Some(profile) = set(APP_ARMOR_DEFAULT) {
        app_armor(v, profile, profile, &path.key(APP_ARMOR_DEFAULT));
    }
    if let Some(profiles) = set(APP_ARMOR_ALLOWED) {
        for profile in profiles.split(',') {
            app_armor(v, profile, profiles, &path.key(APP_ARMOR_ALLOWED));
        }
    }
    if let Some(profile) = set(SECCOMP_DEFAULT) {
        profiles::seccomp_annotation(v, profile, &path.key(SECCOMP_DEFAULT));
    }
    for profile in set(SECCOMP_ALLOWED)
        .into_iter()
        .flat_map(|it| it.split(','))
    {
        if profile != "*" {
            profiles::seccomp_annotation(v, profile, &path.key(SECCOMP_ALLOWED));
        }
    }
}

fn app_armor(v: &mut Validator, profile: &str, annotation: &str, path: &Path<'_>) {
    if let Some(wrong) = profiles::apparmor_annotation(profile) {
        v.errors.invalid(path, annotation, wrong);
    }
}

/// `ValidatePodSecurityPolicySpec`
fn spec(v: &mut Validator, spec: &Value<'_>) {
    let path = Path::new("spec");
    strategy(v, spec, "runAsUser", &USERS, &path);
    run_as_group(v, spec, &path);
    strategy(v, spec, "seLinux", &RUN_AS, &path);
    strategy(v, spec, "supplementalGroups", &GROUPS, &path);
    strategy(v, spec, "fsGroup", &GROUPS, &path);
    volumes(v, spec, &path);
    capabilities(v, spec);
    let default = flag_opt(spec, "defaultAllowPrivilegeEscalation");
    if default == Some(true) && flag_opt(spec, "allowPrivilegeEscalation") == Some(false) {
        v.errors.invalid(
            &path.child("defaultAllowPrivilegeEscalation"),
            true,
            "Cannot set DefaultAllowPrivilegeEscalation to true without also setting \
             AllowPrivilegeEscalation to true",
        );
    }
    let types = path.child("allowedProcMountTypes");
    for (index, kind) in texts(spec, "allowedProcMountTypes").enumerate() {
        const TYPES: [&str; 2] = ["Default", "Unmasked"];
        if !TYPES.contains(&kind) {
            v.errors.not_supported(&types.index(index), kind, &TYPES);
        }
    }
    host_paths(v, spec, &path.child("allowedHostPaths"));
    drivers(v, spec, &path);
    sysctls(v, spec, &path);
    runtime_class(v, spec, &path);
}

/// A rule with its ranges: `validatePSPRunAsUser`, `validatePSPSELinux`,
/// `validatePSPSupplementalGroup`, `validatePSPFSGroup`. `seLinux` has no ranges.
fn strategy(v: &mut Validator, spec: &Value<'_>, name: &str, rules: &[&str], path: &Path<'_>) {
    let path = path.child(name);
    let strategy = field(spec, name).unwrap_or(&Value::Null);
    let rule = text(strategy, "rule");
    if !rules.contains(&rule) {
        v.errors.not_supported(&path.child("rule"), rule, rules);
    }
    ranges(v, strategy, &path.child("ranges"));
}

/// `validatePSPRunAsGroup`
fn run_as_group(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let Some(strategy) = field(spec, "runAsGroup") else {
        return;
    };
    let path = path.child("runAsGroup");
    let ranges_path = path.child("ranges");
    let refuse = |v: &mut Validator, detail: &str| {
        let ranges = strategy.get("ranges").unwrap_or(&Value::Null);
        let value = go::print_list(ranges, &ID_RANGE, v.minor);
        v.errors.invalid(&ranges_path, value, detail);
    };
    let none = items(strategy, "ranges").is_empty();
    match text(strategy, "rule") {
        "RunAsAny" if none => {}
        "RunAsAny" => refuse(v, "Ranges must be empty"),
        "MustRunAs" | "MayRunAs" => {
            if none {
                refuse(v, "must provide at least one range");
            }
            ranges(v, strategy, &ranges_path);
        }
        rule => {
            let rules = ["MustRunAs", "RunAsAny", "MayRunAs"];
            v.errors.not_supported(&path.child("rule"), rule, &rules);
        }
    }
}

/// `validateIDRanges`
fn ranges(v: &mut Validator, strategy: &Value<'_>, path: &Path<'_>) {
    for (index, range) in items(strategy, "ranges").iter().enumerate() {
        let path = path.index(index);
        let (min, max) = (int(range, "min"), int(range, "max"));
        if min < 0 {
            v.errors
                .invalid(&path.child("min"), min, "min cannot be negative");
        }
        if max < 0 {
            v.errors
                .invalid(&path.child("max"), max, "max cannot be negative");
        }
        if min > max {
            let detail = "min cannot be greater than max";
            v.errors.invalid(&path.child("min"), min, detail);
        }
    }
}

/// `validatePodSecurityPolicyVolumes`
fn volumes(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let mut types: Vec<_> = VOLUME_TYPES.iter().map(|(_, kind)| *kind).collect();
    types.push("*");
    types.sort_unstable();
    for kind in texts(spec, "volumes") {
        if !types.contains(&kind) {
            v.errors.not_supported(&path.child("volumes"), kind, &types);
        }
    }
}

/// What `ValidatePodSecurityPolicySpec` says of capabilities, and `validatePSPCapsAgainstDrops`.
fn capabilities(v: &mut Validator, spec: &Value<'_>) {
    const REQUIRED: &str = "requiredDropCapabilities";
    let required: Vec<_> = texts(spec, REQUIRED).collect();
    if !required.is_empty() && texts(spec, "allowedCapabilities").any(|it| it == "*") {
        let value = go::print_named_texts(spec.get(REQUIRED), "core.Capability", v.minor);
        let detail = "must be empty when all capabilities are allowed by a wildcard";
        v.errors.invalid(&Path::new(REQUIRED), value, detail);
    }
    for name in ["defaultAddCapabilities", "allowedCapabilities"] {
        for capability in texts(spec, name).filter(|it| required.contains(it)) {
            let detail = format!("capability is listed in {name} and {REQUIRED}");
            v.errors
                .invalid(&Path::new(name), BadValue::Named(capability), detail);
        }
    }
}

/// `validatePSPAllowedHostPaths`: the first that is empty ends it.
fn host_paths(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    for (index, allowed) in items(spec, "allowedHostPaths").iter().enumerate() {
        let prefix = text(allowed, "pathPrefix");
        if prefix.is_empty() {
            v.errors.required(&path.index(index), "is required");
            return;
        }
        if prefix.split('/').any(|segment| segment == "..") {
            v.errors
                .invalid(&path.index(index), prefix, "must not contain '..'");
        }
    }
}

/// `validatePSPAllowedFlexVolumes` and `validatePSPAllowedCSIDrivers`
fn drivers(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let flex = path.child("allowedFlexVolumes");
    let flex = flex.child("allowedFlexVolumes");
    for (index, volume) in items(spec, "allowedFlexVolumes").iter().enumerate() {
        if text(volume, "driver").is_empty() {
            let path = flex.index(index);
            v.errors
                .required(&path.child("driver"), "must specify a driver");
        }
    }
    let csi = path.child("allowedCSIDrivers");
    let csi = csi.child("allowedCSIDriver");
    for (index, driver) in items(spec, "allowedCSIDrivers").iter().enumerate() {
        let path = csi.index(index);
        volume_sources::csi_driver(v, text(driver, "name"), &path.child("name"));
    }
}

/// `validatePodSecurityPolicySysctls` and `validatePodSecurityPolicySysctlListsDoNotOverlap`
fn sysctls(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    const ALLOWED: &str = "allowedUnsafeSysctls";
    const FORBIDDEN: &str = "forbiddenSysctls";
    for name in [ALLOWED, FORBIDDEN] {
        let path = path.child(name);
        let patterns: Vec<_> = texts(spec, name).collect();
        for (index, pattern) in patterns.iter().enumerate() {
            if pattern.is_empty() {
                let detail = "empty sysctl not allowed";
                v.errors.invalid(&path.index(index), *pattern, detail);
            } else if let Some(wrong) = names::sysctl_pattern(pattern) {
                v.errors.invalid(&path.index(index), *pattern, wrong);
            }
        }
        let all =
            |pattern: &&str| pattern.starts_with('*') && names::sysctl_pattern(pattern).is_none();
        if patterns.len() > 1 && patterns.iter().any(all) {
            let detail = "if '*' is present, must not specify other sysctls";
            v.errors.forbidden(&path.child("items"), detail);
        }
    }
    for (i, allowed) in texts(spec, ALLOWED).enumerate() {
        for (j, forbidden) in texts(spec, FORBIDDEN).enumerate() {
            let Some(within) = overlap(allowed, forbidden) else {
                continue;
            };
            let (name, index, inner, outer) = match within {
                Within::Forbidden => (ALLOWED, i, allowed, forbidden),
                Within::Allowed => (FORBIDDEN, j, forbidden, allowed),
            };
            let path = path.child(name);
            let detail = format!("sysctl overlaps with {outer}");
            v.errors.invalid(&path.index(index), inner, detail);
        }
    }
}

/// Which of two overlapping patterns is the wider one.
enum Within {
    Forbidden,
    Allowed,
}

fn overlap(allowed: &str, forbidden: &str) -> Option<Within> {
    match (allowed.strip_suffix('*'), forbidden.strip_suffix('*')) {
        (allowed_prefix, Some(prefix)) if allowed_prefix.unwrap_or(allowed).starts_with(prefix) => {
            Some(Within::Forbidden)
        }
        (Some(prefix), forbidden_prefix)
            if forbidden_prefix.unwrap_or(forbidden).starts_with(prefix) =>
        {
            Some(Within::Allowed)
        }
        (None, None) if allowed == forbidden => Some(Within::Forbidden),
        _ => None,
    }
}

/// `validateRuntimeClassStrategy`
fn runtime_class(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    const ALLOWED: &str = "allowedRuntimeClassNames";
    let Some(options) = field(spec, "runtimeClass") else {
        return;
    };
    let path = path.child("runtimeClass");
    let list = path.child(ALLOWED);
    let allowed: Vec<_> = texts(options, ALLOWED).collect();
    for (index, name) in allowed.iter().enumerate() {
        let path = list.index(index);
        if *name != "*" {
            let wrong = names::dns_subdomain(name);
            v.errors.invalid_each(&path, name, wrong);
        }
        if allowed[..index].contains(name) {
            v.errors.duplicate(&path, *name);
        }
    }
    let any = allowed.contains(&"*");
    if let Some(default) = text_opt(options, "defaultRuntimeClassName") {
        let wrong = names::dns_subdomain(default);
        v.errors
            .invalid_each(&path.child("defaultRuntimeClassName"), default, wrong);
        if !any && !allowed.contains(&default) {
            let detail = format!("default {} must be allowed", go::quote(default));
            v.errors.required(&list, detail);
        }
    }
    if any && allowed.len() > 1 {
        let value = go::print_texts(options.get(ALLOWED), v.minor);
        let detail = "if '*' is present, must not specify other RuntimeClass names";
        v.errors.invalid(&list, value, detail);
    }
}

#[cfg(test)]
#[path = "pod_security_policy_tests.rs"]
mod tests;

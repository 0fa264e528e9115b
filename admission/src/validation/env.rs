//! Variables of containers and where they come from; the downward API.
//!
//! Upstream: `ValidateEnv`, `ValidateEnvFrom`, `validateEnvVarValueFrom`,
//! `validateObjectFieldSelector`, `validateContainerResourceFieldSelector`,
//! `validateContainerResourceDivisor`, `validateConfigMapKeySelector`, `validateSecretKeySelector`,
//! `validateFileKeySelector` and `validateFileKeyRefVolumes` in
//! `pkg/apis/core/validation/validation.go`; labels of the downward API in
//! `pkg/apis/core/pods/helpers.go` and `pkg/fieldpath/fieldpath.go`.

use crate::value::Value;

use super::field::Path;
use super::tree::{field, items, quantity, text};
use super::{Validator, containers, names, versions, volumes};

/// `ValidateEnv`
pub(crate) fn env(v: &mut Validator, container: &Value<'_>, path: &Path<'_>) {
    let path = path.child("env");
    for (i, variable) in items(container, "env").iter().enumerate() {
        let path = path.index(i);
        let name = text(variable, "name");
        if name.is_empty() {
            v.errors.required(&path.child("name"), "");
        } else {
            let wrong = variable_name(v, name);
            v.errors.invalid_each(&path.child("name"), name, wrong);
        }
        value_from(v, variable, &path.child("valueFrom"));
    }
}

fn variable_name(v: &Validator, name: &str) -> Vec<String> {
    if v.since(versions::RELAXED_ENV_NAMES) {
        names::relaxed_env_name(name)
    } else {
        names::env_name(name)
    }
}

/// `validateEnvVarValueFrom`
fn value_from(v: &mut Validator, variable: &Value<'_>, path: &Path<'_>) {
    let Some(source) = field(variable, "valueFrom") else {
        return;
    };
    let mut sources = 0;
    if let Some(selector) = field(source, "fieldRef") {
        sources += 1;
        field_selector(v, selector, FieldUse::Env, &path.child("fieldRef"));
    }
    if let Some(selector) = field(source, "resourceFieldRef") {
        sources += 1;
        resource_selector(v, selector, false, &path.child("resourceFieldRef"));
    }
    for name in ["configMapKeyRef", "secretKeyRef"] {
        if let Some(selector) = field(source, name) {
            sources += 1;
            key_selector(v, selector, &path.child(name));
        }
    }
    if let Some(selector) = field(source, "fileKeyRef") {
        sources += 1;
        file_key_selector(v, selector, &path.child("fileKeyRef"));
    }
    if sources == 0 {
        let detail = if v.since(versions::ENV_FILES) {
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, \
             `secretKeyRef` or `fileKeyRef`"
        } else {
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or \
             `secretKeyRef`"
        };
        v.errors.invalid(path, "", detail);
    } else if !text(variable, "value").is_empty() {
        v.errors
            .invalid(path, "", "may not be specified when `value` is not empty");
    } else if sources > 1 {
        v.errors.invalid(
            path,
            "",
            "may not have more than one field specified at a time",
        );
    }
}

/// Who asks the downward API: what is offered differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldUse {
    /// A variable.
    Env,
    /// A file in a volume.
    Volume,
}

impl FieldUse {
    /// The offered fields, sorted.
    fn offered(self, minor: u8) -> Vec<&'static str> {
        match self {
            Self::Volume => vec![
                "metadata.annotations",
                "metadata.labels",
                "metadata.name",
                "metadata.namespace",
                "metadata.uid",
            ],
            Self::Env => {
                let mut offered = vec![
                    "metadata.name",
                    "metadata.namespace",
                    "metadata.uid",
                    "spec.nodeName",
                    "spec.serviceAccountName",
                    "status.hostIP",
                ];
                if minor >= versions::HOST_IPS_KNOWN {
                    offered.push("status.hostIPs");
                }
                offered.extend(["status.podIP", "status.podIPs"]);
                offered
            }
        }
    }
}

/// `validateObjectFieldSelector`
pub(crate) fn field_selector(
    v: &mut Validator,
    selector: &Value<'_>,
    user: FieldUse,
    path: &Path<'_>,
) {
    let (api_version, label) = (text(selector, "apiVersion"), text(selector, "fieldPath"));
    if api_version.is_empty() {
        v.errors.required(&path.child("apiVersion"), "");
        return;
    }
    let label_path = path.child("fieldPath");
    if label.is_empty() {
        v.errors.required(&label_path, "");
        return;
    }
    let internal = match convert_label(api_version, label, v.minor) {
        Ok(internal) => internal,
        Err(error) => {
            v.errors.invalid(
                &label_path,
                label,
                format!("error converting fieldPath: {error}"),
            );
            return;
        }
    };
    if let Some((label, subscript)) = subscripted(internal) {
        if label == "metadata.annotations" {
            let lowered = subscript.to_lowercase();
            let wrong = names::qualified_name(&lowered, v.minor);
            let printed = if v.since(versions::ANNOTATION_KEY_LOWERED) {
                &lowered
            } else {
                subscript
            };
            v.errors.invalid_each(path, printed, wrong);
        } else {
            let wrong = names::qualified_name(subscript, v.minor);
            v.errors.invalid_each(path, subscript, wrong);
        }
        return;
    }
    let offered = user.offered(v.minor);
    if !offered.contains(&internal) {
        v.errors.not_supported(&label_path, internal, &offered);
    }
    // `validateDownwardAPIHostIPs`, while the gate PodHostIPs was off by default
    let host_ips_off = v.since(versions::HOST_IPS_KNOWN) && !v.since(versions::HOST_IPS);
    if host_ips_off && label == "status.hostIPs" {
        v.errors.forbidden(
            path,
            "may not be set when feature gate 'PodHostIPs' is not enabled",
        );
    }
}

/// `SplitMaybeSubscriptedPath`: `metadata.labels['app']` is a label and a subscript.
fn subscripted(label: &str) -> Option<(&str, &str)> {
    let (label, subscript) = label.strip_suffix("']")?.split_once("['")?;
    (!label.is_empty()).then_some((label, subscript))
}

/// `ConvertDownwardAPIFieldLabel`
fn convert_label<'v>(version: &str, label: &'v str, minor: u8) -> Result<&'v str, String> {
    if version != "v1" {
        return Err(format!("unsupported pod version: {version}"));
    }
    if let Some((name, _)) = subscripted(label) {
        return match name {
            "metadata.annotations" | "metadata.labels" => Ok(label),
            _ => Err(format!("field label does not support subscript: {label}")),
        };
    }
    match label {
        "metadata.annotations"
        | "metadata.labels"
        | "metadata.name"
        | "metadata.namespace"
        | "metadata.uid"
        | "spec.nodeName"
        | "spec.restartPolicy"
        | "spec.serviceAccountName"
        | "spec.schedulerName"
        | "status.phase"
        | "status.hostIP"
        | "status.podIP"
        | "status.podIPs" => Ok(label),
        "status.hostIPs" if minor >= versions::HOST_IPS_KNOWN => Ok(label),
        "spec.host" => Ok("spec.nodeName"),
        _ => Err(format!("field label not supported: {label}")),
    }
}

/// `validateContainerResourceFieldSelector`
pub(crate) fn resource_selector(
    v: &mut Validator,
    selector: &Value<'_>,
    volume: bool,
    path: &Path<'_>,
) {
    const OFFERED: [&str; 6] = [
        "limits.cpu",
        "limits.ephemeral-storage",
        "limits.memory",
        "requests.cpu",
        "requests.ephemeral-storage",
        "requests.memory",
    ];
    const BYTES: [&str; 13] = [
        "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei",
    ];
    let resource = text(selector, "resource");
    let huge_pages = ["limits.hugepages-", "requests.hugepages-"]
        .iter()
        .any(|prefix| resource.starts_with(prefix));
    if volume && text(selector, "containerName").is_empty() {
        v.errors.required(&path.child("containerName"), "");
    } else if resource.is_empty() {
        v.errors.required(&path.child("resource"), "");
    } else if !(OFFERED.contains(&resource) || huge_pages && v.since(versions::DOWNWARD_HUGE_PAGES))
    {
        v.errors.not_supported_value(
            &path.child("resource"),
            super::field::BadValue::Text(resource),
            &OFFERED,
        );
    }
    let Some(divisor) = field(selector, "divisor") else {
        return;
    };
    if quantity(divisor).is_zero() {
        return;
    }
    // `validateContainerResourceDivisor`
    let divisor = divisor.as_str().unwrap_or_default();
    let path = path.child("divisor");
    let (known, what) = match resource.split_once('.').map_or("", |(_, name)| name) {
        "cpu" => {
            if !matches!(divisor, "1m" | "1") {
                v.errors.invalid(
                    &path,
                    resource,
                    "only divisor's values 1m and 1 are supported with the cpu resource",
                );
            }
            return;
        }
        "memory" => (OFFERED.contains(&resource), "memory"),
        "ephemeral-storage" => (OFFERED.contains(&resource), "local ephemeral storage"),
        _ => (huge_pages, "hugepages"),
    };
    if known && !BYTES.contains(&divisor) {
        v.errors.invalid(
            &path,
            resource,
            format!(
                "only divisor's values {} are supported with the {what} resource",
                BYTES.join(", ")
            ),
        );
    }
}

/// `validateConfigMapKeySelector` and `validateSecretKeySelector`
fn key_selector(v: &mut Validator, selector: &Value<'_>, path: &Path<'_>) {
    let name = text(selector, "name");
    v.errors
        .invalid_each(&path.child("name"), name, names::dns_subdomain(name));
    let key = text(selector, "key");
    if key.is_empty() {
        v.errors.required(&path.child("key"), "");
    } else {
        v.errors
            .invalid_each(&path.child("key"), key, names::config_map_key(key));
    }
}

/// `validateFileKeySelector`
fn file_key_selector(v: &mut Validator, selector: &Value<'_>, path: &Path<'_>) {
    let key = text(selector, "key");
    if key.is_empty() {
        v.errors.required(&path.child("key"), "");
    } else {
        v.errors
            .invalid_each(&path.child("key"), key, names::relaxed_env_name(key));
    }
    let volume = text(selector, "volumeName");
    if volume.is_empty() {
        v.errors.required(&path.child("volumeName"), "");
    } else {
        let wrong = names::dns_label(volume, v.minor);
        v.errors
            .invalid_each(&path.child("volumeName"), volume, wrong);
    }
    let file = text(selector, "path");
    if file.is_empty() {
        v.errors.required(&path.child("path"), "");
    } else {
        volumes::no_backsteps(v, file, &path.child("path"));
    }
}

/// `validateFileKeyRefVolumes`
pub(crate) fn file_key_volumes(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    containers::visit(spec, path, |container, path| {
        let path = path.child("env");
        for (i, variable) in items(container, "env").iter().enumerate() {
            let Some(selector) =
                field(variable, "valueFrom").and_then(|source| field(source, "fileKeyRef"))
            else {
                continue;
            };
            let path = path.index(i);
            let path = path.child("valueFrom");
            let path = path.child("fileKeyRef");
            let path = path.child("volumeName");
            let name = text(selector, "volumeName");
            match items(spec, "volumes")
                .iter()
                .rev()
                .find(|volume| text(volume, "name") == name)
            {
                None => v.errors.not_found(&path, name, ""),
                Some(volume) if field(volume, "emptyDir").is_none() => {
                    v.errors
                        .invalid(&path, name, "referenced volume must be of type emptyDir");
                }
                Some(_) => {}
            }
        }
    });
}

/// `ValidateEnvFrom`
pub(crate) fn env_from(v: &mut Validator, container: &Value<'_>, path: &Path<'_>) {
    let path = path.child("envFrom");
    for (i, source) in items(container, "envFrom").iter().enumerate() {
        let indexed = path.index(i);
        let prefix = text(source, "prefix");
        if !prefix.is_empty() {
            let wrong = variable_name(v, prefix);
            v.errors
                .invalid_each(&indexed.child("prefix"), prefix, wrong);
        }
        let mut sources = 0;
        for name in ["configMapRef", "secretRef"] {
            let Some(reference) = field(source, name) else {
                continue;
            };
            sources += 1;
            let reference_path = indexed.child(name);
            let path = reference_path.child("name");
            let name = text(reference, "name");
            if name.is_empty() {
                v.errors.required(&path, "");
            } else {
                let wrong = names::NameRule::Subdomain.check(name, true, v.minor);
                v.errors.invalid_each(&path, name, wrong);
            }
        }
        // Upstream reports these at the list, not at the item.
        if sources == 0 {
            v.errors.invalid(
                &path,
                "",
                "must specify one of: `configMapRef` or `secretRef`",
            );
        } else if sources > 1 {
            v.errors.invalid(
                &path,
                "",
                "may not have more than one field specified at a time",
            );
        }
    }
}

//! The sources of volumes, but for projections and claims.
//!
//! Upstream: the functions `validate...VolumeSource` in
//! `pkg/apis/core/validation/validation.go`, one for each source.

use crate::value::Value;

use super::field::{BadValue, Path};
use super::tree::{entries, field, flag, int, int_opt, items, quantity, text, text_opt};
use super::volumes::{file_mode, local_descending_path, local_path, no_backsteps};
use super::{Validator, containers, go, metadata, names, versions};

/// The mistakes of the source of that kind.
pub(crate) fn source(v: &mut Validator, kind: &str, source: &Value<'_>, path: &Path<'_>) {
    match kind {
        "emptyDir"
            if field(source, "sizeLimit").is_some_and(|limit| quantity(limit).sign().is_lt()) =>
        {
            v.errors.forbidden(
                &path.child("sizeLimit"),
                "SizeLimit field must be a valid resource quantity",
            );
        }
        "hostPath" => host_path(v, source, path),
        "gitRepo" => {
            required(v, source, "repository", path);
            local_descending_path(v, text(source, "directory"), &path.child("directory"));
        }
        "gcePersistentDisk" => disk(v, source, "pdName", path),
        "awsElasticBlockStore" => disk(v, source, "volumeID", path),
        "secret" => {
            required(v, source, "secretName", path);
            files(v, source, path);
        }
        "configMap" => {
            required(v, source, "name", path);
            files(v, source, path);
        }
        "nfs" => {
            required(v, source, "server", path);
            required(v, source, "path", path);
            let export = text(source, "path");
            if !export.starts_with('/') {
                v.errors
                    .invalid(&path.child("path"), export, "must be an absolute path");
            }
        }
        "iscsi" => iscsi(v, source, path),
        "glusterfs" => {
            required(v, source, "endpoints", path);
            required(v, source, "path", path);
        }
        "flocker" => flocker(v, source, path),
        "persistentVolumeClaim" => required(v, source, "claimName", path),
        "rbd" => {
            if items(source, "monitors").is_empty() {
                v.errors.required(&path.child("monitors"), "");
            }
            required(v, source, "image", path);
        }
        "cinder" => {
            required(v, source, "volumeID", path);
            secret_name(v, source, path);
        }
        "cephfs" if items(source, "monitors").is_empty() => {
            v.errors.required(&path.child("monitors"), "");
        }
        "quobyte" => quobyte(v, source, path),
        "fc" => fibre_channel(v, source, path),
        "flexVolume" => flex(v, source, path),
        "azureFile" => {
            required(v, source, "secretName", path);
            required(v, source, "shareName", path);
        }
        "vsphereVolume" => required(v, source, "volumePath", path),
        "photonPersistentDisk" => required(v, source, "pdID", path),
        "portworxVolume" => required(v, source, "volumeID", path),
        "azureDisk" => azure_disk(v, source, path),
        "storageos" => {
            let volume = text(source, "volumeName");
            required(v, source, "volumeName", path);
            label(v, volume, &path.child("volumeName"));
            label(
                v,
                text(source, "volumeNamespace"),
                &path.child("volumeNamespace"),
            );
            secret_name(v, source, path);
        }
        "scaleIO" => {
            for name in ["gateway", "system", "volumeName"] {
                required(v, source, name, path);
            }
        }
        "csi" => csi(v, source, path),
        "image" => {
            if v.is_pod || v.since(versions::IMAGE_REFERENCE_IN_TEMPLATES) {
                required(v, source, "reference", path);
            }
            containers::pull_policy(v, text(source, "pullPolicy"), &path.child("pullPolicy"));
        }
        _ => {}
    }
}

/// The text must not be empty.
fn required(v: &mut Validator, holder: &Value<'_>, name: &str, path: &Path<'_>) {
    if text(holder, name).is_empty() {
        v.errors.required(&path.child(name), "");
    }
}

/// The text must be a label, unless it is empty.
fn label(v: &mut Validator, value: &str, path: &Path<'_>) {
    if !value.is_empty() {
        let wrong = names::dns_label(value, v.minor);
        v.errors.invalid_each(path, value, wrong);
    }
}

fn secret_name(v: &mut Validator, source: &Value<'_>, path: &Path<'_>) {
    if let Some(secret) = field(source, "secretRef") {
        let path = path.child("secretRef");
        required(v, secret, "name", &path);
    }
}

/// `validateHostPathVolumeSource`
fn host_path(v: &mut Validator, source: &Value<'_>, path: &Path<'_>) {
    const TYPES: [&str; 8] = [
        "",
        "BlockDevice",
        "CharDevice",
        "Directory",
        "DirectoryOrCreate",
        "File",
        "FileOrCreate",
        "Socket",
    ];
    let host_path = text(source, "path");
    if host_path.is_empty() {
        v.errors.required(&path.child("path"), "");
        return;
    }
    no_backsteps(v, host_path, &path.child("path"));
    if let Some(ty) = text_opt(source, "type")
        && !TYPES.contains(&ty)
    {
        v.errors.not_supported(&path.child("type"), ty, &TYPES);
    }
}

/// `validateGCEPersistentDiskVolumeSource` and `validateAWSElasticBlockStoreVolumeSource`
fn disk(v: &mut Validator, source: &Value<'_>, id: &str, path: &Path<'_>) {
    required(v, source, id, path);
    let partition = int(source, "partition");
    if !(0..=255).contains(&partition) {
        v.errors.invalid(
            &path.child("partition"),
            partition,
            names::range_error(1, 255),
        );
    }
}

/// The mode and the items of a secret or config map.
fn files(v: &mut Validator, source: &Value<'_>, path: &Path<'_>) {
    file_mode(v, source, "defaultMode", path);
    let path = path.child("items");
    for (i, item) in items(source, "items").iter().enumerate() {
        key_to_path(v, item, &path.index(i));
    }
}

/// `validateKeyToPath`
pub(crate) fn key_to_path(v: &mut Validator, item: &Value<'_>, path: &Path<'_>) {
    required(v, item, "key", path);
    required(v, item, "path", path);
    local_path(v, text(item, "path"), &path.child("path"));
    file_mode(v, item, "mode", path);
}

/// `validateISCSIVolumeSource`
fn iscsi(v: &mut Validator, source: &Value<'_>, path: &Path<'_>) {
    const PREFIX: &str = "must be valid format starting with iqn, eui, or naa";
    let check = |v: &mut Validator, name: &str, path: &Path<'_>| {
        let kind = name.get(..3).unwrap_or_default();
        if !matches!(kind, "iqn" | "eui" | "naa") {
            v.errors.invalid(path, name, PREFIX);
        } else if !is_iscsi_name(name) {
            v.errors.invalid(path, name, "must be valid format");
        }
    };
    required(v, source, "targetPortal", path);
    required(v, source, "iqn", path);
    let name = text(source, "iqn");
    if !name.is_empty() {
        check(v, name, &path.child("iqn"));
    }
    let lun = int(source, "lun");
    if !(0..=255).contains(&lun) {
        v.errors
            .invalid(&path.child("lun"), lun, names::range_error(0, 255));
    }
    let chap = flag(source, "chapAuthDiscovery") || flag(source, "chapAuthSession");
    if chap && field(source, "secretRef").is_none() {
        v.errors.required(&path.child("secretRef"), "");
    }
    if let Some(initiator) = text_opt(source, "initiatorName") {
        check(v, initiator, &path.child("initiatorname"));
    }
}

/// The three regular expressions of names of initiators. The one of `iqn` may match anywhere.
fn is_iscsi_name(name: &str) -> bool {
    let numbered = |prefix: &str, length: usize| {
        name.strip_prefix(prefix).is_some_and(|rest| {
            let mut chars = rest.chars();
            chars.next().is_some_and(|c| c != '\n') && {
                let id = chars.as_str();
                id.len() == length && id.bytes().all(|b| b.is_ascii_alphanumeric())
            }
        })
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let qualified = |rest: &str| {
        // YYYY-MM.AUTHORITY:NAME
        let (Some(year), Some("-"), Some(month), Some(".")) = (
            rest.get(..4),
            rest.get(4..5),
            rest.get(5..7),
            rest.get(7..8),
        ) else {
            return false;
        };
        let Some((authority, name)) = rest[8..].split_once(':') else {
            return false;
        };
        digits(year)
            && digits(month)
            && !authority.is_empty()
            && authority
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
            && !name.is_empty()
            && !name.contains([',', ';', '*', '&', '$', '|', ' ', '\t', '\n', '\r', '\u{c}'])
    };
    match &name[..3] {
        "eui" => numbered("eui", 16),
        "naa" => numbered("naa", 32),
        _ => name
            .match_indices("iqn.")
            .any(|(at, prefix)| qualified(&name[at + prefix.len()..])),
    }
}

/// `validateFlockerVolumeSource`
fn flocker(v: &mut Validator, source: &Value<'_>, path: &Path<'_>) {
    let (name, uuid) = (text(source, "datasetName"), text(source, "datasetUUID"));
    if name.is_empty() && uuid.is_empty() {
        v.errors
            .required(path, "one of datasetName and datasetUUID is required");
    }
    if !name.is_empty() && !uuid.is_empty() {
        v.errors.invalid(
            path,
            "resource",
            "datasetName and datasetUUID can not be specified simultaneously",
        );
    }
    if name.contains('/') {
        v.errors
            .invalid(&path.child("datasetName"), name, "must not contain '/'");
    }
}

/// `validateQuobyteVolumeSource`
fn quobyte(v: &mut Validator, source: &Value<'_>, path: &Path<'_>) {
    const PAIRS: &str = "must be a host:port pair or multiple pairs separated by commas";
    let registry = text(source, "registry");
    if registry.is_empty() {
        v.errors.required(&path.child("registry"), PAIRS);
    } else if text(source, "tenant").len() >= 65 {
        v.errors.required(
            &path.child("tenant"),
            "must be a UUID and may not exceed a length of 64 characters",
        );
    } else {
        for pair in registry.split(',') {
            if !is_host_port(pair) {
                v.errors.invalid(&path.child("registry"), registry, PAIRS);
            }
        }
    }
    required(v, source, "volume", path);
}

/// Whether Go's `net.SplitHostPort` takes it.
fn is_host_port(pair: &str) -> bool {
    let Some((host, port)) = pair.rsplit_once(':') else {
        return false;
    };
    let host_ok = match host.strip_prefix('[') {
        Some(host) => host
            .strip_suffix(']')
            .is_some_and(|host| !host.contains(['[', ']'])),
        None => !host.contains([':', '[', ']']),
    };
    host_ok && !port.contains(['[', ']'])
}

/// `validateFCVolumeSource`
fn fibre_channel(v: &mut Validator, source: &Value<'_>, path: &Path<'_>) {
    let names_path = path.child("targetWWNs");
    let names = !items(source, "targetWWNs").is_empty();
    let ids = !items(source, "wwids").is_empty();
    if !names && !ids {
        v.errors.required(
            &names_path,
            "must specify either targetWWNs or wwids, but not both",
        );
    }
    if names && ids {
        let value = go::print_texts(field(source, "targetWWNs"), v.minor);
        v.errors.invalid(
            &names_path,
            value,
            "targetWWNs and wwids can not be specified simultaneously",
        );
    }
    if names {
        let path = path.child("lun");
        match int_opt(source, "lun") {
            None => v
                .errors
                .required(&path, "lun is required if targetWWNs is specified"),
            Some(lun) if !(0..=255).contains(&lun) => {
                v.errors
                    .invalid(&path, lun, super::names::range_error(0, 255));
            }
            Some(_) => {}
        }
    }
}

/// `validateFlexVolumeSource`
fn flex(v: &mut Validator, source: &Value<'_>, path: &Path<'_>) {
    required(v, source, "driver", path);
    let path = path.child("options");
    for (key, _) in entries(source, "options") {
        let namespace = key.split_once('/').map_or(key, |(namespace, _)| namespace);
        let namespace = format!(".{}", namespace.to_lowercase());
        if namespace.ends_with(".kubernetes.io") || namespace.ends_with(".k8s.io") {
            v.errors.invalid(
                &path.key(key),
                key,
                "kubernetes.io and k8s.io namespaces are reserved",
            );
        }
    }
}

/// `validateAzureDisk`
fn azure_disk(v: &mut Validator, source: &Value<'_>, path: &Path<'_>) {
    const MANAGED: &str = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/\
                           microsoft.compute/disks/{disk-id}";
    const BLOB: &str =
        "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";
    required(v, source, "diskName", path);
    required(v, source, "diskURI", path);
    if let Some(mode) = text_opt(source, "cachingMode")
        && !matches!(mode, "None" | "ReadOnly" | "ReadWrite")
    {
        v.errors.not_supported(
            &path.child("cachingMode"),
            mode,
            &["None", "ReadOnly", "ReadWrite"],
        );
    }
    let Some(kind) = text_opt(source, "kind") else {
        return;
    };
    if !matches!(kind, "Dedicated" | "Managed" | "Shared") {
        v.errors.not_supported(
            &path.child("kind"),
            kind,
            &["Dedicated", "Managed", "Shared"],
        );
    }
    let uri = text(source, "diskURI");
    let (prefix, form) = if kind == "Managed" {
        ("/subscriptions/", MANAGED)
    } else {
        ("https://", BLOB)
    };
    if !uri.starts_with(prefix) {
        v.errors
            .not_supported_value(&path.child("diskURI"), BadValue::Text(uri), &[form]);
    }
}

/// `ValidateCSIDriverName`
pub(crate) fn csi_driver(v: &mut Validator, driver: &str, path: &Path<'_>) {
    if driver.is_empty() {
        v.errors.required(path, "");
    }
    if driver.len() > 63 {
        let detail = metadata::too_long(v, 63);
        v.errors.too_long(path, detail);
    }
    if !driver.is_empty() || !v.since(versions::CSI_DRIVER_REQUIRED) {
        let wrong = names::dns_subdomain(&driver.to_lowercase());
        v.errors.invalid_each(path, driver, wrong);
    }
}

/// `validateCSIVolumeSource`
fn csi(v: &mut Validator, source: &Value<'_>, path: &Path<'_>) {
    csi_driver(v, text(source, "driver"), &path.child("driver"));
    if let Some(secret) = field(source, "nodePublishSecretRef") {
        let name = text(secret, "name");
        if name.is_empty() {
            let path = if v.since(versions::CSI_SECRET_PATH) {
                path.child("nodePublishSecretRef")
            } else {
                path.child("nodePublishSecretRef ")
            };
            v.errors.required(&path.child("name"), "");
        } else {
            v.errors
                .invalid_each(&path.child("name"), name, names::dns_subdomain(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("iqn.2015-02.example.com:test", true)]
    #[case("iqn.2015-02.example.com", false)]
    #[case("iqn.15-02.example.com:test", false)]
    #[case("iqn.2015-02.example.com:a b", false)]
    #[case("eui.0123456789ABCDEF", true)]
    #[case("eui.0123456789ABCDE", false)]
    #[case("naa.62004567BA64678D0123456789ABCDEF", true)]
    fn knows_iscsi_names(#[case] name: &str, #[case] valid: bool) {
        assert_eq!(is_iscsi_name(name), valid);
    }

    #[rstest]
    #[case("host:80", true)]
    #[case("[::1]:80", true)]
    #[case("::1:80", false)]
    #[case("host", false)]
    fn splits_hosts_and_ports(#[case] pair: &str, #[case] valid: bool) {
        assert_eq!(is_host_port(pair), valid);
    }
}

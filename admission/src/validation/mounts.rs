//! Where containers mount volumes, and which they use as block devices.
//!
//! Upstream: `ValidateVolumeMounts`, `ValidateVolumeDevices`, `validateMountPropagation` and
//! `validateMountRecursiveReadOnly` in `pkg/apis/core/validation/validation.go`. Their paths of
//! sub paths and modes lack the index of the mount.

use crate::value::Value;

use super::field::Path;
use super::tree::{field, flag, items, text, text_opt};
use super::volumes::{self, Volumes};
use super::{Validator, versions};

/// `ValidateVolumeMounts`
pub(crate) fn mounts(
    v: &mut Validator,
    container: &Value<'_>,
    volumes: &Volumes<'_, '_>,
    path: &Path<'_>,
) {
    let mounts = items(container, "volumeMounts");
    let devices = items(container, "volumeDevices");
    let path = path.child("volumeMounts");
    for (i, mount) in mounts.iter().enumerate() {
        let indexed = path.index(i);
        let name = text(mount, "name");
        let name_path = indexed.child("name");
        if name.is_empty() {
            v.errors.required(&name_path, "");
        }
        if volumes.get(name).is_none() {
            v.errors.not_found(&name_path, name, "");
        }
        let mount_path = text(mount, "mountPath");
        let mount_path_path = indexed.child("mountPath");
        if mount_path.is_empty() {
            v.errors.required(&mount_path_path, "");
        }
        if mounts[..i]
            .iter()
            .any(|m| text(m, "mountPath") == mount_path)
        {
            v.errors
                .invalid(&mount_path_path, mount_path, "must be unique");
        }
        if devices.iter().any(|d| text(d, "name") == name) {
            v.errors
                .invalid(&name_path, name, "must not already exist in volumeDevices");
        }
        if last_of_each(devices).any(|d| text(d, "devicePath") == mount_path) {
            v.errors.invalid(
                &mount_path_path,
                mount_path,
                "must not already exist as a path in volumeDevices",
            );
        }
        let sub_path = text(mount, "subPath");
        let sub_path_expr = text(mount, "subPathExpr");
        let image = volumes
            .get(name)
            .is_some_and(|v| field(v, "image").is_some());
        if image && versions::IMAGE_SUB_PATHS_REFUSED.contains(&v.minor) {
            for (field, value) in [("subPath", sub_path), ("subPathExpr", sub_path_expr)] {
                if !value.is_empty() {
                    v.errors.invalid(
                        &indexed.child(field),
                        value,
                        "not allowed in image volume sources",
                    );
                }
            }
        }
        if !sub_path.is_empty() {
            volumes::local_descending_path(v, sub_path, &path.child("subPath"));
        }
        if !sub_path_expr.is_empty() {
            if !sub_path.is_empty() {
                v.errors.invalid(
                    &indexed.child("subPathExpr"),
                    sub_path_expr,
                    "subPathExpr and subPath are mutually exclusive",
                );
            }
            volumes::local_descending_path(v, sub_path_expr, &path.child("subPathExpr"));
        }
        propagation(v, mount, container, &path.child("mountPropagation"));
        recursive_read_only(v, mount, &path.child("recursiveReadOnly"));
    }
}

/// The items as a Go map by name has them: of several with one name the last.
fn last_of_each<'v, 'a>(items: &'v [Value<'a>]) -> impl Iterator<Item = &'v Value<'a>> {
    items.iter().enumerate().filter_map(|(i, item)| {
        let later = items[i + 1..]
            .iter()
            .any(|other| text(other, "name") == text(item, "name"));
        (!later).then_some(item)
    })
}

/// `validateMountPropagation`
fn propagation(v: &mut Validator, mount: &Value<'_>, container: &Value<'_>, path: &Path<'_>) {
    const MODES: [&str; 3] = ["Bidirectional", "HostToContainer", "None"];
    let Some(mode) = text_opt(mount, "mountPropagation") else {
        return;
    };
    if !MODES.contains(&mode) {
        v.errors.not_supported(path, mode, &MODES);
    }
    let privileged = field(container, "securityContext").is_some_and(|c| flag(c, "privileged"));
    if mode == "Bidirectional" && !privileged {
        v.errors.forbidden(
            path,
            "Bidirectional mount propagation is available only to privileged containers",
        );
    }
}

/// `validateMountRecursiveReadOnly`
fn recursive_read_only(v: &mut Validator, mount: &Value<'_>, path: &Path<'_>) {
    match text_opt(mount, "recursiveReadOnly") {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if !flag(mount, "readOnly") {
                v.errors
                    .forbidden(path, "may only be specified when readOnly is true");
            }
            if text_opt(mount, "mountPropagation").is_some_and(|mode| mode != "None") {
                v.errors.forbidden(
                    path,
                    "may only be specified when mountPropagation is None or not specified",
                );
            }
        }
        Some(mode) => {
            v.errors
                .not_supported(path, mode, &["Disabled", "Enabled", "IfPossible"]);
        }
    }
}

/// `ValidateVolumeDevices`
pub(crate) fn devices(
    v: &mut Validator,
    container: &Value<'_>,
    volumes: &Volumes<'_, '_>,
    path: &Path<'_>,
) {
    let devices = items(container, "volumeDevices");
    let mounts = items(container, "volumeMounts");
    let path = path.child("volumeDevices");
    for (i, device) in devices.iter().enumerate() {
        let path = path.index(i);
        let (name_path, device_path_path) = (path.child("name"), path.child("devicePath"));
        let (name, device_path) = (text(device, "name"), text(device, "devicePath"));
        if name.is_empty() {
            v.errors.required(&name_path, "");
        } else if devices[..i].iter().any(|d| text(d, "name") == name) {
            v.errors.invalid(&name_path, name, "must be unique");
        }
        match volumes.get(name) {
            None => v.errors.not_found(&name_path, name, ""),
            Some(volume) => {
                let ephemeral = v.since(versions::EPHEMERAL_BLOCK);
                let block = field(volume, "persistentVolumeClaim").is_some()
                    || (ephemeral && field(volume, "ephemeral").is_some());
                if !block {
                    let detail = if ephemeral {
                        "can only use volume source type of PersistentVolumeClaim or Ephemeral \
                         for block mode"
                    } else {
                        "can only use volume source type of PersistentVolumeClaim for block mode"
                    };
                    v.errors.invalid(&name_path, name, detail);
                }
            }
        }
        if device_path.is_empty() {
            v.errors.required(&device_path_path, "");
        }
        let backsteps = volumes::has_backsteps(device_path);
        // A path with back steps does not count as taken.
        let taken = devices[..i].iter().map(|d| text(d, "devicePath"));
        if taken
            .filter(|p| !volumes::has_backsteps(p))
            .any(|p| p == device_path)
        {
            v.errors
                .invalid(&device_path_path, device_path, "must be unique");
        }
        if backsteps {
            v.errors.invalid(
                &device_path_path,
                device_path,
                "can not contain backsteps ('..')",
            );
        }
        if mounts.iter().any(|m| text(m, "name") == name) {
            v.errors
                .invalid(&name_path, name, "must not already exist in volumeMounts");
        }
        if last_of_each(mounts).any(|m| text(m, "mountPath") == device_path) {
            v.errors.invalid(
                &device_path_path,
                device_path,
                "must not already exist as a path in volumeMounts",
            );
        }
    }
}

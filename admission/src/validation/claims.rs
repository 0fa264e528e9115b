//! Claims of persistent volumes, as templates in ephemeral volumes and stateful sets have them.
//!
//! Upstream: `validateEphemeralVolumeSource`, `ValidatePersistentVolumeClaimTemplate`,
//! `ValidateTemplateObjectMeta`, `ValidatePersistentVolumeClaimSpec`, `validateDataSource` and
//! `validateDataSourceRef` in `pkg/apis/core/validation/validation.go`.

use crate::value::Value;

use super::field::{BadValue, Path};
use super::tree::{equal, field, items, text, text_opt, texts};
use super::{Validator, go, metadata, names, resources, selectors, versions};

/// `validateEphemeralVolumeSource`
pub(crate) fn ephemeral(v: &mut Validator, source: &Value<'_>, path: &Path<'_>) {
    match field(source, "volumeClaimTemplate") {
        None => v.errors.required(&path.child("volumeClaimTemplate"), ""),
        Some(template) => {
            let path = path.child("volumeClaimTemplate");
            template_meta(v, metadata::of(template), &path.child("metadata"));
            spec(v, super::pod::spec_of(template), &path.child("spec"));
        }
    }
}

/// Whether the claim of the ephemeral volume at `path` will have a name that is one, as
/// `validateVolumeSource` checks it; `pod` is empty in a template.
pub(crate) fn name(v: &mut Validator, volume: &str, pod: &str, path: &Path<'_>) {
    if !pod.is_empty() && !volume.is_empty() {
        let claim = format!("{pod}-{volume}");
        for wrong in names::dns_subdomain(&claim) {
            let quoted = go::quote(&claim);
            v.errors.invalid(
                &path.child("name"),
                volume,
                format!("PVC name {quoted}: {wrong}"),
            );
        }
    }
}

/// `ValidateTemplateObjectMeta`: only labels and annotations may be set.
fn template_meta(v: &mut Validator, meta: &Value<'_>, path: &Path<'_>) {
    // The fields of `ObjectMeta` in order, as upstream prints them: Go's name with the first
    // letter in lower case.
    const FORBIDDEN: [(&str, &str); 13] = [
        ("name", "name"),
        ("generateName", "generateName"),
        ("namespace", "namespace"),
        ("selfLink", "selfLink"),
        ("uid", "uID"),
        ("resourceVersion", "resourceVersion"),
        ("generation", "generation"),
        ("creationTimestamp", "creationTimestamp"),
        ("deletionTimestamp", "deletionTimestamp"),
        ("deletionGracePeriodSeconds", "deletionGracePeriodSeconds"),
        ("ownerReferences", "ownerReferences"),
        ("finalizers", "finalizers"),
        ("managedFields", "managedFields"),
    ];
    metadata::annotations(v, meta, &path.child("annotations"));
    metadata::labels(v, meta, "labels", &path.child("labels"));
    let detail = if v.since(versions::TEMPLATE_META_TEXT) {
        "cannot be set"
    } else {
        "cannot be set for an ephemeral volume"
    };
    for (name, printed) in FORBIDDEN {
        let set = field(meta, name)
            .is_some_and(|value| !matches!(value, Value::Int(0)) && value.as_str() != Some(""));
        if set {
            v.errors.forbidden(&path.child(printed), detail);
        }
    }
}

/// `ValidatePersistentVolumeClaimSpec`
pub(crate) fn spec(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    const MODES: [&str; 4] = [
        "ReadOnlyMany",
        "ReadWriteMany",
        "ReadWriteOnce",
        "ReadWriteOncePod",
    ];
    let modes = if v.since(versions::READ_WRITE_ONCE_POD) {
        &MODES[..]
    } else {
        &MODES[..3]
    };
    let modes_path = path.child("accessModes");
    if items(spec, "accessModes").is_empty() {
        v.errors
            .required(&modes_path, "at least 1 access mode is required");
    }
    selectors::label_selector(v, selectors::of(spec), &path.child("selector"));
    let (mut once_pod, mut other) = (false, false);
    for mode in texts(spec, "accessModes") {
        if !modes.contains(&mode) {
            v.errors.not_supported(&modes_path, mode, modes);
        }
        once_pod |= mode == "ReadWriteOncePod";
        other |= mode != "ReadWriteOncePod" && modes.contains(&mode);
    }
    if once_pod && other {
        v.errors.forbidden(
            &modes_path,
            "may not use ReadWriteOncePod with other access modes",
        );
    }
    let storage_path = path.child("resources");
    let storage_path = storage_path.key("storage");
    match spec.at(&["resources", "requests", "storage"]) {
        None => v.errors.required(&storage_path, ""),
        Some(storage) => {
            if resources::positive(v, storage, &storage_path) {
                resources::value(v, "storage", storage, &storage_path);
            }
        }
    }
    class(v, spec, "storageClassName", path);
    if let Some(mode) = text_opt(spec, "volumeMode")
        && !matches!(mode, "Block" | "Filesystem")
    {
        v.errors
            .not_supported(&path.child("volumeMode"), mode, &["Block", "Filesystem"]);
    }
    data_sources(v, spec, path);
    if v.since(versions::VOLUME_ATTRIBUTES_CLASS) {
        class(v, spec, "volumeAttributesClassName", path);
    }
}

/// A class, unless its name is empty.
fn class(v: &mut Validator, spec: &Value<'_>, name: &str, path: &Path<'_>) {
    let class = text(spec, name);
    if !class.is_empty() {
        v.errors
            .invalid_each(&path.child(name), class, names::dns_subdomain(class));
    }
}

fn data_sources(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let (source, reference) = (field(spec, "dataSource"), field(spec, "dataSourceRef"));
    if let Some(source) = source {
        data_source(v, source, &path.child("dataSource"));
    }
    let mut namespace = "";
    if let Some(reference) = reference {
        let path = path.child("dataSourceRef");
        data_source(v, reference, &path);
        namespace = text(reference, "namespace");
        if !namespace.is_empty() {
            let wrong = names::dns_label(namespace, v.minor);
            v.errors
                .invalid_each(&path.child("namespace"), namespace, wrong);
        }
    }
    let (Some(source), Some(reference)) = (source, reference) else {
        return;
    };
    let same = ["apiGroup", "kind", "name"]
        .iter()
        .all(|name| equal(source.get(name), reference.get(name)));
    let detail = if !namespace.is_empty() {
        "may not be specified when dataSourceRef.namespace is specified"
    } else if same {
        return;
    } else {
        "must match dataSourceRef"
    };
    // The value that upstream prints is the path of the field.
    let value = if v.since(versions::JSON_VALUES) {
        go::Rendered::exact("{}".to_owned())
    } else {
        go::Rendered::abridged("field.Path", v.minor)
    };
    v.errors.invalid(path, value, detail);
}

/// `validateDataSource`, and the same part of `validateDataSourceRef`
fn data_source(v: &mut Validator, source: &Value<'_>, path: &Path<'_>) {
    for name in ["name", "kind"] {
        if text(source, name).is_empty() {
            v.errors.required(&path.child(name), "");
        }
    }
    let (group, kind) = (text(source, "apiGroup"), text(source, "kind"));
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        let detail = if v.since(versions::DATA_SOURCE_TEXT) {
            "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        } else {
            ""
        };
        v.errors.invalid(path, BadValue::Text(kind), detail);
    }
    if !group.is_empty() && v.since(versions::DATA_SOURCE_GROUP) {
        v.errors
            .invalid_each(&path.child("apiGroup"), group, names::dns_subdomain(group));
    }
}

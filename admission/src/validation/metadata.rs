//! `metadata` of every kind: names, labels, annotations, owners, finalizers, and what an update
//! must leave as it is.
//!
//! Upstream: `objectmeta.go` in `apimachinery/pkg/api/validation`, `validation.go` in
//! `apimachinery/pkg/apis/meta/v1/validation`, and `ValidateObjectMeta` in
//! `pkg/apis/core/validation/validation.go`, which adds the rule about finalizers without a domain.

use crate::value::Value;

use super::field::{BadValue, Path};
use super::names::{self, NameRule};
use super::tree::{field, flag, int, items, text, text_entries, texts};
use super::{Validator, go, versions};

/// What an absent `metadata` is read as.
static NO_METADATA: Value<'static> = Value::Null;

/// `metadata` of `object`.
pub(crate) fn of<'v, 'a>(object: &'v Value<'a>) -> &'v Value<'a> {
    object.get("metadata").unwrap_or(&NO_METADATA)
}

/// `ValidateObjectMeta` of `pkg/apis/core/validation`.
pub(crate) fn object_meta(
    v: &mut Validator,
    meta: &Value<'_>,
    namespaced: bool,
    rule: NameRule,
    path: &Path<'_>,
) {
    accessor(v, meta, namespaced, rule, path);
    core_finalizers(v, meta, path);
}

/// `ValidateObjectMetaWithOpts`, which replication controllers use: the prefix of a generated name
/// is not looked at.
pub(crate) fn object_meta_with_long_name(v: &mut Validator, meta: &Value<'_>, path: &Path<'_>) {
    let name = text(meta, "name");
    let name_path = path.child("name");
    if name.is_empty() {
        if !text(meta, "generateName").is_empty() {
            let generated = go::quote(text(meta, "generateName"));
            v.errors.internal(
                &name_path,
                format!("generateName was specified ({generated}), but no name was generated"),
            );
        }
        v.errors
            .required(&name_path, "name or generateName is required");
    } else {
        v.errors
            .invalid_each(&name_path, name, names::dns_subdomain_in_bytes(name));
    }
    common(v, meta, true, path);
    core_finalizers(v, meta, path);
}

/// `ValidateObjectMetaAccessor`
pub(crate) fn accessor(
    v: &mut Validator,
    meta: &Value<'_>,
    namespaced: bool,
    rule: NameRule,
    path: &Path<'_>,
) {
    let generate_name = text(meta, "generateName");
    if !generate_name.is_empty() {
        let wrong = rule.check(generate_name, true, v.minor);
        v.errors
            .invalid_each(&path.child("generateName"), generate_name, wrong);
    }
    let name = text(meta, "name");
    if name.is_empty() {
        v.errors
            .required(&path.child("name"), "name or generateName is required");
    } else {
        let wrong = rule.check(name, false, v.minor);
        v.errors.invalid_each(&path.child("name"), name, wrong);
    }
    common(v, meta, namespaced, path);
}

fn common(v: &mut Validator, meta: &Value<'_>, namespaced: bool, path: &Path<'_>) {
    let namespace = text(meta, "namespace");
    let namespace_path = path.child("namespace");
    if !namespaced {
        if !namespace.is_empty() {
            v.errors
                .forbidden(&namespace_path, "not allowed on this type");
        }
    } else if namespace.is_empty() {
        v.errors.required(&namespace_path, "");
    } else {
        let wrong = NameRule::Label.check(namespace, false, v.minor);
        v.errors.invalid_each(&namespace_path, namespace, wrong);
    }
    let cluster_name = text(meta, "clusterName");
    if !v.since(versions::NO_CLUSTER_NAME) && !cluster_name.is_empty() {
        let wrong = names::dns1035_label(cluster_name);
        v.errors
            .invalid_each(&path.child("clusterName"), cluster_name, wrong);
    }
    non_negative(v, int(meta, "generation"), &path.child("generation"));
    labels(v, meta, "labels", &path.child("labels"));
    annotations(v, meta, &path.child("annotations"));
    owner_references(v, meta, &path.child("ownerReferences"));
    finalizers(v, meta, &path.child("finalizers"));
    managed_fields(v, meta, &path.child("managedFields"));
}

/// `ValidateNonnegativeField`
pub(crate) fn non_negative(v: &mut Validator, value: i64, path: &Path<'_>) {
    if value < 0 {
        v.errors
            .invalid(path, value, "must be greater than or equal to 0");
    }
}

/// `ValidateLabels` of the map `name` in `holder`. The path has no keys.
pub(crate) fn labels(v: &mut Validator, holder: &Value<'_>, name: &str, path: &Path<'_>) {
    for (key, value) in text_entries(holder, name) {
        label_name(v, key, path);
        let wrong = names::label_value(value, v.minor);
        v.errors.invalid_each(path, value, wrong);
    }
}

/// `ValidateLabelName`
pub(crate) fn label_name(v: &mut Validator, name: &str, path: &Path<'_>) {
    let wrong = names::qualified_name(name, v.minor);
    v.errors.invalid_each(path, name, wrong);
}

/// `ValidateAnnotations` of `meta`.
pub(crate) fn annotations(v: &mut Validator, meta: &Value<'_>, path: &Path<'_>) {
    const LIMIT: usize = 256 * 1024;
    let mut size = 0;
    for (key, value) in text_entries(meta, "annotations") {
        size += key.len() + value.len();
        let wrong = if key.bytes().any(|b| b.is_ascii_uppercase()) || !key.is_ascii() {
            names::qualified_name(&key.to_lowercase(), v.minor)
        } else {
            names::qualified_name(key, v.minor)
        };
        v.errors.invalid_each(path, key, wrong);
    }
    if size > LIMIT {
        let detail = too_long(v, LIMIT);
        v.errors.too_long(path, detail);
    }
}

/// The detail of `field.TooLong`.
pub(crate) fn too_long(v: &Validator, max: usize) -> String {
    if v.since(versions::TOO_LONG_IN_BYTES) {
        format!("may not be more than {max} bytes")
    } else {
        format!("must have at most {max} bytes")
    }
}

/// The detail of `field.TooLongMaxLength`, which became [`too_long`].
pub(crate) fn too_long_max_length(v: &Validator, max: usize) -> String {
    if v.since(versions::TOO_LONG_IN_BYTES) {
        too_long(v, max)
    } else {
        format!("may not be longer than {max}")
    }
}

/// `ValidateOwnerReferences`
fn owner_references(v: &mut Validator, meta: &Value<'_>, path: &Path<'_>) {
    let owners = items(meta, "ownerReferences");
    let mut first_controller: Option<String> = None;
    for (i, owner) in owners.iter().enumerate() {
        if v.since(versions::OWNERS_INDEXED) {
            owner_reference(v, owner, &path.index(i));
        } else {
            owner_reference(v, owner, path);
        }
        if !flag(owner, "controller") {
            continue;
        }
        let (kind, name) = (text(owner, "kind"), text(owner, "name"));
        let controller = if v.since(versions::OWNER_KINDS) {
            format!("{kind}/{name}")
        } else {
            name.to_owned()
        };
        match &first_controller {
            Some(first) if !first.is_empty() => {
                let detail = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in \
                     references for {first} and {controller}"
                );
                if let Some(owners) = field(meta, "ownerReferences") {
                    let value = go::print_list(owners, &go::OWNER_REFERENCE, v.minor);
                    v.errors.invalid(path, value, detail);
                }
            }
            // Upstream takes an empty name for none.
            _ => first_controller = Some(controller),
        }
    }
}

/// `validateOwnerReference`
fn owner_reference(v: &mut Validator, owner: &Value<'_>, path: &Path<'_>) {
    let api_version = text(owner, "apiVersion");
    let (group, version) = match api_version.split_once('/') {
        Some((_, version)) if version.contains('/') => ("", ""),
        Some((group, version)) => (group, version),
        None => ("", api_version),
    };
    let indexed = v.since(versions::OWNERS_INDEXED);
    if api_version.is_empty() && indexed {
        v.errors
            .required(&path.child("apiVersion"), "must not be empty");
    } else if version.is_empty() {
        let detail = if indexed {
            "must be <group>/<version> or <version>"
        } else {
            "version must not be empty"
        };
        v.errors
            .invalid(&path.child("apiVersion"), api_version, detail);
    }
    for name in ["kind", "name", "uid"] {
        if !text(owner, name).is_empty() {
            continue;
        }
        if indexed {
            v.errors.required(&path.child(name), "must not be empty");
            continue;
        }
        let detail = if v.since(versions::OWNER_FIELDS_UNNAMED) {
            "must not be empty".to_owned()
        } else {
            format!("{name} must not be empty")
        };
        v.errors.invalid(&path.child(name), "", detail);
    }
    if group.is_empty() && version == "v1" && text(owner, "kind") == "Event" {
        let value = go::print(owner, &go::OWNER_REFERENCE, v.minor);
        v.errors.invalid(
            path,
            value,
            "/v1, Kind=Event is disallowed from being an owner",
        );
    }
}

/// `ValidateFinalizers`. The path has no indexes.
fn finalizers(v: &mut Validator, meta: &Value<'_>, path: &Path<'_>) {
    let (mut orphan, mut foreground) = (false, false);
    for finalizer in texts(meta, "finalizers") {
        let wrong = names::qualified_name(finalizer, v.minor);
        v.errors.invalid_each(path, finalizer, wrong);
        orphan |= finalizer == "orphan";
        foreground |= finalizer == "foregroundDeletion";
    }
    if orphan && foreground {
        let value = go::print_texts(field(meta, "finalizers"), v.minor);
        v.errors.invalid(
            path,
            value,
            "finalizer orphan and foregroundDeletion cannot be both set",
        );
    }
}

/// `validateKubeFinalizerName` for each finalizer.
fn core_finalizers(v: &mut Validator, meta: &Value<'_>, path: &Path<'_>) {
    let path = path.child("finalizers");
    for (i, finalizer) in texts(meta, "finalizers").enumerate() {
        core_finalizer(v, finalizer, &path.index(i));
    }
}

/// `validateKubeFinalizerName`
pub(crate) fn core_finalizer(v: &mut Validator, finalizer: &str, path: &Path<'_>) {
    let standard = matches!(finalizer, "kubernetes" | "orphan" | "foregroundDeletion");
    if !finalizer.contains('/') && !standard {
        v.errors.invalid(
            path,
            finalizer,
            "name is neither a standard finalizer name nor is it fully qualified",
        );
    }
}

/// `ValidateManagedFields`
fn managed_fields(v: &mut Validator, meta: &Value<'_>, path: &Path<'_>) {
    for (i, entry) in items(meta, "managedFields").iter().enumerate() {
        let indexed = path.index(i);
        let path = if v.since(versions::MANAGED_FIELDS_INDEXED) {
            &indexed
        } else {
            path
        };
        let operation = text(entry, "operation");
        if !matches!(operation, "Apply" | "Update") {
            v.errors.invalid(
                &path.child("operation"),
                BadValue::Named(operation),
                "must be `Apply` or `Update`",
            );
        }
        let fields_type = text(entry, "fieldsType");
        if !matches!(fields_type, "" | "FieldsV1") {
            v.errors
                .invalid(&path.child("fieldsType"), fields_type, "must be `FieldsV1`");
        }
        if !v.since(versions::MANAGED_FIELDS_INDEXED) {
            continue;
        }
        for (name, max) in [("manager", 128), ("subresource", 256)] {
            if text(entry, name).len() > max {
                let detail = too_long(v, max);
                v.errors.too_long(&path.child(name), detail);
            }
        }
    }
}

/// `ValidateObjectMetaUpdate` of `pkg/apis/core/validation`, with which strategies begin.
pub(crate) fn update(v: &mut Validator, new: &Value<'_>, old: &Value<'_>, path: &Path<'_>) {
    accessor_update(v, new, old, path);
    core_finalizers(v, new, path);
}

/// `ValidateObjectMetaUpdate`, but for what the store sets itself: resource version, generation,
/// time of creation.
pub(crate) fn accessor_update(
    v: &mut Validator,
    new: &Value<'_>,
    old: &Value<'_>,
    path: &Path<'_>,
) {
    if field(old, "deletionTimestamp").is_some() {
        let mut added: Vec<_> = texts(new, "finalizers")
            .filter(|f| !texts(old, "finalizers").any(|o| o == *f))
            .collect();
        added.sort_unstable();
        added.dedup();
        if !added.is_empty() {
            let added: Vec<_> = added.into_iter().map(go::quote).collect();
            v.errors.forbidden(
                &path.child("finalizers"),
                format!(
                    "no new finalizers can be added if the object is being deleted, found new \
                     finalizers []string{{{}}}",
                    added.join(", ")
                ),
            );
        }
    }
    for name in ["name", "namespace"] {
        if text(new, name) != text(old, name) {
            v.errors
                .invalid(&path.child(name), text(new, name), "field is immutable");
        }
    }
    let uid = text(new, "uid");
    if !uid.is_empty() && uid != text(old, "uid") {
        v.errors.invalid(
            &path.child("uid"),
            BadValue::Named(uid),
            "field is immutable",
        );
    }
    if let (Some(time), None) = (
        field(new, "deletionTimestamp"),
        field(old, "deletionTimestamp"),
    ) {
        // `metav1.Time` prints itself: `time.Time.String`, or its JSON.
        let value = if v.since(versions::JSON_VALUES) {
            go::Rendered::exact(go::json_string(time.as_str().unwrap_or_default()))
        } else {
            go::Rendered::abridged("v1.Time", v.minor)
        };
        v.errors.invalid(
            &path.child("deletionTimestamp"),
            value,
            "field is immutable",
        );
    }
    labels(v, new, "labels", &path.child("labels"));
    annotations(v, new, &path.child("annotations"));
    owner_references(v, new, &path.child("ownerReferences"));
    managed_fields(v, new, &path.child("managedFields"));
}

//! Seccomp and `AppArmor`: fields, annotations, and that both say the same.
//!
//! Upstream: `validateSeccompProfileField`, `ValidateSeccompPodAnnotations`,
//! `validateSeccompAnnotationsAndFields`, `ValidateAppArmorProfileField`,
//! `ValidateAppArmorPodAnnotations`, `ValidateAppArmorProfileFormat` and
//! `validateAppArmorAnnotationsAndFieldsMatchOnCreate` in
//! `pkg/apis/core/validation/validation.go`.

use crate::value::Value;

use super::field::{BadValue, Path};
use super::tree::{entry, field, text, text_entries, text_opt};
use super::{Validator, containers, go, metadata, volumes};

const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
/// The annotation of a container's `AppArmor` profile, without the container's name.
pub(crate) const APPARMOR_CONTAINER: &str = "container.apparmor.security.beta.kubernetes.io/";
const LOCALHOST: &str = "localhost/";

/// `validateSeccompProfileField` of a security context.
pub(crate) fn seccomp_field(v: &mut Validator, context: &Value<'_>, path: &Path<'_>) {
    const TYPES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];
    let Some(profile) = field(context, "seccompProfile") else {
        return;
    };
    let path = path.child("seccompProfile");
    let ty = text(profile, "type");
    if ty.is_empty() {
        v.errors.required(
            &path.child("type"),
            "type is required when seccompProfile is set",
        );
    } else if !TYPES.contains(&ty) {
        v.errors.not_supported(&path.child("type"), ty, &TYPES);
    }
    let path = path.child("localhostProfile");
    match text_opt(profile, "localhostProfile") {
        None if ty == "Localhost" => v
            .errors
            .required(&path, "must be set when seccomp type is Localhost"),
        Some(file) if ty == "Localhost" => volumes::local_descending_path(v, file, &path),
        Some(_) => {
            let value = go::print(profile, &go::SECCOMP_PROFILE, v.minor);
            v.errors.invalid(
                &path,
                value,
                "can only be set when seccomp type is Localhost",
            );
        }
        None => {}
    }
}

/// `ValidateSeccompPodAnnotations`
pub(crate) fn seccomp_annotations(v: &mut Validator, meta: &Value<'_>, path: &Path<'_>) {
    if let Some(profile) = entry(meta, "annotations", SECCOMP_POD) {
        seccomp_annotation(v, profile, &path.child(SECCOMP_POD));
    }
    for (key, profile) in text_entries(meta, "annotations") {
        if key.starts_with(SECCOMP_CONTAINER) {
            seccomp_annotation(v, profile, &path.child(key));
        }
    }
}

/// `ValidateSeccompProfile`
pub(crate) fn seccomp_annotation(v: &mut Validator, profile: &str, path: &Path<'_>) {
    if matches!(profile, "runtime/default" | "docker/default" | "unconfined") {
        return;
    }
    match profile.strip_prefix(LOCALHOST) {
        Some(file) => volumes::local_descending_path(v, file, path),
        None => v
            .errors
            .invalid(path, profile, "must be a valid seccomp profile"),
    }
}

/// `validateSeccompAnnotationsAndFields`
pub(crate) fn seccomp_match(
    v: &mut Validator,
    meta: &Value<'_>,
    spec: &Value<'_>,
    path: &Path<'_>,
) {
    if metadata_has_no_annotations(meta) {
        return;
    }
    if let Some(profile) = Profile::of(spec, "seccompProfile")
        && let Some(annotation) = entry(meta, "annotations", SECCOMP_POD)
    {
        let path = path.child("securityContext");
        let path = path.child("seccompProfile");
        seccomp_matches(v, annotation, &profile, &path);
    }
    containers::visit(spec, path, |container, path| {
        if let Some(profile) = Profile::of(container, "seccompProfile")
            && let Some(annotation) = container_annotation(meta, SECCOMP_CONTAINER, container)
        {
            let path = path.child("securityContext");
            let path = path.child("seccompProfile");
            seccomp_matches(v, annotation, &profile, &path);
        }
    });
}

/// The two fields of a profile.
struct Profile<'v> {
    ty: &'v str,
    localhost: Option<&'v str>,
}

impl<'v> Profile<'v> {
    /// The profile called `name` in the security context of `holder`.
    fn of(holder: &'v Value<'_>, name: &str) -> Option<Self> {
        let profile = field(field(holder, "securityContext")?, name)?;
        Some(Self {
            ty: text(profile, "type"),
            localhost: text_opt(profile, "localhostProfile"),
        })
    }
}

/// The annotation `prefix` of the container.
fn container_annotation<'v>(
    meta: &'v Value<'_>,
    prefix: &str,
    container: &Value<'_>,
) -> Option<&'v str> {
    let name = text(container, "name");
    text_entries(meta, "annotations")
        .find(|(key, _)| key.strip_prefix(prefix) == Some(name))
        .map(|(_, value)| value)
}

fn metadata_has_no_annotations(meta: &Value<'_>) -> bool {
    super::tree::is_empty(meta.get("annotations"))
}

/// `validateSeccompAnnotationsAndFieldsMatch`
fn seccomp_matches(v: &mut Validator, annotation: &str, profile: &Profile<'_>, path: &Path<'_>) {
    let other_type = match profile.ty {
        "Unconfined" => annotation != "unconfined",
        "RuntimeDefault" => !matches!(annotation, "runtime/default" | "docker/default"),
        "Localhost" => !annotation.starts_with(LOCALHOST),
        _ => return,
    };
    if other_type {
        v.errors.forbidden(
            &path.child("type"),
            "seccomp type in annotation and field must match",
        );
    } else if profile.ty == "Localhost" && annotation.strip_prefix(LOCALHOST) != profile.localhost {
        v.errors.forbidden(
            &path.child("localhostProfile"),
            "seccomp profile in annotation and field must match",
        );
    }
}

/// `ValidateAppArmorProfileField` of a security context.
pub(crate) fn apparmor_field(v: &mut Validator, context: &Value<'_>, path: &Path<'_>) {
    const MAX: usize = 4095;
    let Some(profile) = field(context, "appArmorProfile") else {
        return;
    };
    let path = path.child("appArmorProfile");
    let localhost = text_opt(profile, "localhostProfile");
    let localhost_path = path.child("localhostProfile");
    match text(profile, "type") {
        "Localhost" => {
            let Some(file) = localhost else {
                v.errors.required(
                    &localhost_path,
                    "must be set when AppArmor type is Localhost",
                );
                return;
            };
            if file.trim() != file {
                v.errors
                    .invalid(&localhost_path, file, "must not be padded with whitespace");
            } else if file.is_empty() {
                v.errors.required(
                    &localhost_path,
                    "must be set when AppArmor type is Localhost",
                );
            }
            if file.len() > MAX {
                let detail = metadata::too_long_max_length(v, MAX);
                v.errors.too_long(&localhost_path, detail);
            }
        }
        "RuntimeDefault" | "Unconfined" => {
            if let Some(file) = localhost {
                v.errors.invalid(
                    &localhost_path,
                    BadValue::Named(file),
                    "can only be set when AppArmor type is Localhost",
                );
            }
        }
        "" => v.errors.required(
            &path.child("type"),
            "type is required when appArmorProfile is set",
        ),
        ty => v.errors.not_supported(
            &path.child("type"),
            ty,
            &["Localhost", "RuntimeDefault", "Unconfined"],
        ),
    }
}

/// `ValidateAppArmorPodAnnotations`
pub(crate) fn apparmor_annotations(
    v: &mut Validator,
    meta: &Value<'_>,
    spec: &Value<'_>,
    path: &Path<'_>,
) {
    for (key, profile) in text_entries(meta, "annotations") {
        let Some(container) = key.strip_prefix(APPARMOR_CONTAINER) else {
            continue;
        };
        let path = path.key(key);
        if !containers::exists(spec, container) {
            v.errors.invalid(&path, container, "container not found");
        }
        if let Some(wrong) = apparmor_annotation(profile) {
            v.errors.invalid(&path, profile, wrong);
        }
    }
}

/// `ValidateAppArmorProfileFormat`: what is wrong with the profile of an annotation.
pub(crate) fn apparmor_annotation(profile: &str) -> Option<String> {
    let known = matches!(profile, "" | "runtime/default" | "unconfined");
    (!known && !profile.starts_with(LOCALHOST))
        .then(|| format!("invalid AppArmor profile name: {}", go::quote(profile)))
}

/// `validateAppArmorAnnotationsAndFieldsMatchOnCreate`
pub(crate) fn apparmor_match(
    v: &mut Validator,
    meta: &Value<'_>,
    spec: &Value<'_>,
    path: &Path<'_>,
) {
    let windows = field(spec, "os").is_some_and(|os| text(os, "name") == "windows");
    if windows || metadata_has_no_annotations(meta) {
        return;
    }
    containers::visit(spec, path, |container, path| {
        let Some(profile) = Profile::of(container, "appArmorProfile")
            .or_else(|| Profile::of(spec, "appArmorProfile"))
        else {
            return;
        };
        let Some(annotation) = container_annotation(meta, APPARMOR_CONTAINER, container) else {
            return;
        };
        let other_type = match profile.ty {
            "Unconfined" => annotation != "unconfined",
            "RuntimeDefault" => annotation != "runtime/default",
            "Localhost" => !annotation.starts_with(LOCALHOST),
            _ => return,
        };
        let path = path.child("securityContext");
        let path = path.child("appArmorProfile");
        if other_type {
            v.errors.forbidden(
                &path.child("type"),
                "apparmor type in annotation and field must match",
            );
        } else if profile.ty == "Localhost"
            && annotation.strip_prefix(LOCALHOST) != profile.localhost
        {
            v.errors.forbidden(
                &path.child("localhostProfile"),
                "apparmor profile in annotation and field must match",
            );
        }
    });
}

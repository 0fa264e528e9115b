//! Projected volumes and those of the downward API.
//!
//! Upstream: `validateProjectedVolumeSource`, `validateProjectionSources`,
//! `validateDownwardAPIVolumeSource` and `validateDownwardAPIVolumeFile` in
//! `pkg/apis/core/validation/validation.go`.

use crate::value::Value;

use super::env::{self, FieldUse};
use super::field::Path;
use super::tree::{field, int, items, text};
use super::volume_sources::key_to_path;
use super::volumes::{file_mode, local_path};
use super::{Validator, certificates, versions};

/// `validateDownwardAPIVolumeSource`. The path of a file is that of the volume.
pub(crate) fn downward_api(v: &mut Validator, source: &Value<'_>, path: &Path<'_>) {
    file_mode(v, source, "defaultMode", path);
    for file in items(source, "items") {
        downward_api_file(v, file, path);
    }
}

/// `validateDownwardAPIVolumeFile`
fn downward_api_file(v: &mut Validator, file: &Value<'_>, path: &Path<'_>) {
    let target = text(file, "path");
    if target.is_empty() {
        v.errors.required(&path.child("path"), "");
    }
    local_path(v, target, &path.child("path"));
    let resource = field(file, "resourceFieldRef");
    if let Some(selector) = field(file, "fieldRef") {
        env::field_selector(v, selector, FieldUse::Volume, &path.child("fieldRef"));
        if resource.is_some() {
            v.errors.invalid(
                path,
                "resource",
                "fieldRef and resourceFieldRef can not be specified simultaneously",
            );
        }
    } else if let Some(selector) = resource {
        env::resource_selector(v, selector, true, &path.child("resourceFieldRef"));
    } else {
        v.errors
            .required(path, "one of fieldRef and resourceFieldRef is required");
    }
    file_mode(v, file, "mode", path);
}

/// `validateProjectedVolumeSource`
pub(crate) fn projected(v: &mut Validator, projection: &Value<'_>, path: &Path<'_>) {
    file_mode(v, projection, "defaultMode", path);
    let mut targets: Vec<&str> = Vec::new();
    let sources_path = path.child("sources");
    for (i, source) in items(projection, "sources").iter().enumerate() {
        let source_path = sources_path.index(i);
        let mut kinds = 0;
        for kind in ["secret", "configMap"] {
            let Some(source) = field(source, kind) else {
                continue;
            };
            kinds += 1;
            let source_path = source_path.child(kind);
            let name = text(source, "name");
            if name.is_empty() {
                v.errors.required(&source_path.child("name"), "");
            }
            let items_path = source_path.child("items");
            for (i, item) in items(source, "items").iter().enumerate() {
                key_to_path(v, item, &items_path.index(i));
                taken(v, text(item, "path"), name, &mut targets, path);
            }
        }
        if let Some(source) = field(source, "downwardAPI") {
            kinds += 1;
            let source_path = source_path.child("downwardAPI");
            for file in items(source, "items") {
                downward_api_file(v, file, &source_path);
                let target = text(file, "path");
                taken(v, target, target, &mut targets, path);
            }
        }
        if let Some(token) = field(source, "serviceAccountToken") {
            kinds += 1;
            let token_path = source_path.child("serviceAccountToken");
            let seconds = int(token, "expirationSeconds");
            let detail = if seconds < 10 * 60 {
                "may not specify a duration less than 10 minutes"
            } else if seconds > 1 << 32 {
                "may not specify a duration larger than 2^32 seconds"
            } else {
                ""
            };
            if !detail.is_empty() {
                v.errors
                    .invalid(&token_path.child("expirationSeconds"), seconds, detail);
            }
            let target = text(token, "path");
            if target.is_empty() {
                v.errors.required(&path.child("path"), "");
            } else if v.since(versions::LOCAL_TOKEN_PATH) {
                local_path(v, target, &path.child("path"));
            }
        }
        if let Some(bundle) = field(source, "clusterTrustBundle") {
            kinds += 1;
            let own_path = source_path.child("clusterTrustBundle");
            certificates::trust_bundle(v, bundle, &mut targets, path, &own_path);
        }
        if let Some(certificate) = field(source, "podCertificate") {
            kinds += 1;
            let own_path = source_path.child("podCertificate");
            certificates::pod_certificate(v, certificate, &mut targets, path, &own_path);
        }
        if kinds > 1 {
            let detail = if v.since(versions::VOLUME_TYPE_PER_SOURCE) {
                "may not specify more than 1 volume type per source"
            } else {
                "may not specify more than 1 volume type"
            };
            v.errors.forbidden(&source_path, detail);
        }
    }
}

/// Notes `target`, or reports that it is taken, with `value`.
pub(crate) fn taken<'v>(
    v: &mut Validator,
    target: &'v str,
    value: &str,
    targets: &mut Vec<&'v str>,
    path: &Path<'_>,
) {
    if target.is_empty() {
        return;
    }
    if targets.contains(&target) {
        v.errors.invalid(path, value, "conflicting duplicate paths");
    } else {
        targets.push(target);
    }
}

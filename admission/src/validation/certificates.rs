//! Trust bundles and certificates of pods, as sources of projected volumes. Both are on by default since
//! 1.37; where their gates are off they are dropped before validation.
//!
//! Upstream: `validateProjectionSources`, `ValidateUserAnnotations` and `validateUserField` in
//! `pkg/apis/core/validation/validation.go`, `ValidateSignerName` and `ValidateClusterTrustBundleName`
//! in `pkg/apis/core/validation/names.go`, `IsDomainPrefixedKey` in `apimachinery`.

use crate::value::Value;

use super::field::Path;
use super::projected::taken;
use super::tree::{field, int_opt, text, text_entries, text_opt};
use super::volumes::local_path;
use super::{Validator, go, metadata, names, selectors};

const DAY: i64 = 24 * 60 * 60;
const KEY_TYPES: [&str; 6] = [
    "RSA3072",
    "RSA4096",
    "ECDSAP256",
    "ECDSAP384",
    "ECDSAP521",
    "ED25519",
];

/// A `clusterTrustBundle` among the sources of `volume`.
pub(crate) fn trust_bundle<'v>(
    v: &mut Validator,
    bundle: &'v Value<'_>,
    targets: &mut Vec<&'v str>,
    volume: &Path<'_>,
    path: &Path<'_>,
) {
    let selector = field(bundle, "labelSelector");
    match (text_opt(bundle, "name"), text_opt(bundle, "signerName")) {
        (Some(_), Some(_)) => {
            let value = go::print(bundle, &go::CLUSTER_TRUST_BUNDLE_PROJECTION, v.minor);
            v.errors
                .invalid(path, value, "only one of name and signerName may be used");
        }
        (Some(name), None) => {
            bundle_name(v, name, &path.child("name"));
            if let Some(selector) = selector {
                let value = go::print(selector, &go::LABEL_SELECTOR, v.minor);
                v.errors.invalid(
                    &path.child("labelSelector"),
                    value,
                    "labelSelector must be unset if name is specified",
                );
            }
        }
        (None, Some(signer)) => {
            let signer_path = path.child("signerName");
            if signer.is_empty() {
                v.errors
                    .required(&signer_path, "must be a valid signer name");
            }
            signer_name(v, signer, &signer_path);
            selectors::label_selector(v, selector, &path.child("labelSelector"));
        }
        (None, None) => v
            .errors
            .required(path, "either name or signerName must be specified"),
    }
    let target = text(bundle, "path");
    let target_path = path.child("path");
    if target.is_empty() {
        v.errors.required(&target_path, "");
    }
    user(v, bundle, path);
    local_path(v, target, &target_path);
    taken(v, target, target, targets, volume);
}

/// The name of a bundle is that of its signer, with colons, and a name behind it.
fn bundle_name(v: &mut Validator, name: &str, path: &Path<'_>) {
    if name.is_empty() {
        v.errors.required(path, "must be a valid object name");
    }
    let own = name.rsplit_once(':').map_or(name, |(_, own)| own);
    for wrong in names::dns_subdomain(own) {
        let detail = format!("not a valid clustertrustbundlename: {wrong}");
        v.errors.invalid(path, name, detail);
    }
}

/// A `podCertificate` among the sources of `volume`.
pub(crate) fn pod_certificate<'v>(
    v: &mut Validator,
    certificate: &'v Value<'_>,
    targets: &mut Vec<&'v str>,
    volume: &Path<'_>,
    path: &Path<'_>,
) {
    let signer = text(certificate, "signerName");
    signer_name(v, signer, &path.child("signerName"));
    user_annotations(v, certificate, &path.child("userAnnotations"));
    user(v, certificate, path);
    let key_type = text(certificate, "keyType");
    if !KEY_TYPES.contains(&key_type) {
        v.errors
            .not_supported(&path.child("keyType"), key_type, &KEY_TYPES);
    }
    if let Some(seconds) = int_opt(certificate, "maxExpirationSeconds") {
        let host = signer.split('/').next().unwrap_or_default();
        let kubernetes = host == "kubernetes.io" || host.ends_with(".kubernetes.io");
        let longest = if kubernetes { DAY } else { 91 * DAY };
        let detail = if seconds < 3600 {
            "if provided, maxExpirationSeconds must be >= 3600".to_owned()
        } else if seconds > longest {
            format!("if provided, maxExpirationSeconds must be <= {longest}")
        } else {
            String::new()
        };
        if !detail.is_empty() {
            let path = path.child("maxExpirationSeconds");
            v.errors.invalid(&path, seconds, detail);
        }
    }
    let mut files = 0;
    for name in ["credentialBundlePath", "keyPath", "certificateChainPath"] {
        let target = text(certificate, name);
        if !target.is_empty() {
            files += 1;
            local_path(v, target, &path.child(name));
            taken(v, target, target, targets, volume);
        }
    }
    if files == 0 {
        v.errors.required(
            path,
            "specify at least one of credentialBundlePath, keyPath, and certificateChainPath",
        );
    }
}

/// `ValidateUserAnnotations`
fn user_annotations(v: &mut Validator, certificate: &Value<'_>, path: &Path<'_>) {
    /// `TotalAnnotationSizeLimitB`
    const MAX: usize = 256 * 1024;
    let mut size = 0;
    for (key, value) in text_entries(certificate, "userAnnotations") {
        size += key.len() + value.len();
        let key = key.to_lowercase();
        if key.is_empty() {
            v.errors.required(path, "");
            continue;
        }
        let wrong = names::qualified_name(&key, v.minor);
        if wrong.is_empty() && !key.contains('/') {
            let detail = r#"must be a domain-prefixed key (such as "acme.io/foo")"#;
            v.errors.invalid(path, key.as_str(), detail);
        }
        v.errors.invalid_each(path, &key, wrong);
    }
    if size > MAX {
        let detail = metadata::too_long(v, MAX);
        v.errors.too_long(path, detail);
    }
}

/// `validateUserField`
fn user(v: &mut Validator, source: &Value<'_>, path: &Path<'_>) {
    if let Some(id) = int_opt(source, "user")
        && let Some(wrong) = names::id(id)
    {
        v.errors.invalid(&path.child("user"), id, wrong);
    }
}

/// `ValidateSignerName`
fn signer_name(v: &mut Validator, name: &str, path: &Path<'_>) {
    const DOMAIN: usize = 253;
    const NAME: usize = DOMAIN + 1 + (253 + 63 + 1);
    if name.is_empty() {
        v.errors.required(path, "");
        return;
    }
    let Some((domain, rest)) = name.split_once('/').filter(|(_, rest)| !rest.contains('/')) else {
        v.errors.invalid(
            path,
            name,
            "must be a fully qualified domain and path of the form 'example.com/signer-name'",
        );
        return;
    };
    if domain.len() > DOMAIN {
        let detail = metadata::too_long(v, DOMAIN);
        v.errors.too_long(path, detail);
    }
    let minor = v.minor;
    labels(v, domain, path, |label| names::dns_label(label, minor));
    if !domain.contains('.') {
        v.errors.invalid(
            path,
            domain,
            "should be a domain with at least two segments separated by dots",
        );
    }
    labels(v, rest, path, names::dns_subdomain);
    if name.len() > NAME {
        let detail = metadata::too_long(v, NAME);
        v.errors.too_long(path, detail);
    }
}

/// Reports the first label between dots that is none.
fn labels(v: &mut Validator, text: &str, path: &Path<'_>, rule: impl Fn(&str) -> Vec<String>) {
    let first = text.split('.').find_map(|label| {
        let wrong = rule(label);
        (!wrong.is_empty()).then_some((label, wrong))
    });
    let Some((label, wrong)) = first else { return };
    for wrong in wrong {
        let detail = format!("validating label {}: {wrong}", go::quote(label));
        v.errors.invalid(path, text, detail);
    }
}

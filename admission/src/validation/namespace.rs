//! Namespaces and service accounts.
//!
//! Upstream: `ValidateNamespace`, `ValidateNamespaceUpdate`, `ValidateServiceAccount` and
//! `ValidateServiceAccountUpdate` in `pkg/apis/core/validation/validation.go`.

use crate::value::Value;

use super::field::Path;
use super::names::{self, NameRule};
use super::tree::texts;
use super::{Validator, metadata};

/// `ValidateNamespace`
pub(crate) fn create(v: &mut Validator, object: &Value<'_>) {
    metadata::object_meta(
        v,
        metadata::of(object),
        false,
        NameRule::Label,
        &Path::new("metadata"),
    );
    let Some(spec) = object.get("spec") else {
        return;
    };
    let path = Path::new("spec");
    let path = path.child("finalizers");
    for finalizer in texts(spec, "finalizers") {
        let wrong = names::qualified_name(finalizer, v.minor);
        v.errors.invalid_each(&path, finalizer, wrong);
        metadata::core_finalizer(v, finalizer, &path);
    }
}

/// What the strategy of namespaces does on update.
pub(crate) fn update(v: &mut Validator, new: &Value<'_>, old: &Value<'_>) {
    create(v, new);
    metadata::update(
        v,
        metadata::of(new),
        metadata::of(old),
        &Path::new("metadata"),
    );
}

/// `ValidateServiceAccount`
pub(crate) fn service_account(v: &mut Validator, object: &Value<'_>) {
    metadata::object_meta(
        v,
        metadata::of(object),
        true,
        NameRule::Subdomain,
        &Path::new("metadata"),
    );
}

/// `ValidateServiceAccountUpdate`
pub(crate) fn service_account_update(v: &mut Validator, new: &Value<'_>, old: &Value<'_>) {
    metadata::update(
        v,
        metadata::of(new),
        metadata::of(old),
        &Path::new("metadata"),
    );
    service_account(v, new);
}

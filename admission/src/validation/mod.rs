//! API validation: what makes a server answer 422, in its words and in its order.
//!
//! Input is the tree of an object after decoding, defaulting, mutation and field drops; fields
//! that a server of the minor would not have are gone. Upstream's counterpart is
//! `pkg/apis/{core,apps,batch}/validation` with the registry strategies that call it
//! (`pkg/registry/*/*/strategy.go`); each file names the functions that it stands for.
//!
//! Where upstream iterates a Go map, its order is random; here it is that of the tree.

pub mod field;
mod go;
mod metadata;
pub(crate) mod names;
mod namespace;
mod quantity;
mod selectors;
mod tree;
mod versions;

use podgate_policy::Minor;

use crate::resource::Resource;
use crate::status::{Cause, Details, Status};
use crate::value::Value;

use field::{Error, Errors, Path};
use names::NameRule;

/// What validation depends on besides the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The minor of the server.
    pub minor: Minor,
    /// The flag `--allow-privileged`.
    pub allow_privileged: bool,
}

impl Settings {
    /// A server of that minor with the flags of a kubeadm cluster.
    #[must_use]
    pub const fn new(minor: Minor) -> Self {
        Self {
            minor,
            allow_privileged: true,
        }
    }
}

/// One validation under way.
#[derive(Debug)]
pub(crate) struct Validator {
    pub(crate) minor: u8,
    pub(crate) allow_privileged: bool,
    pub(crate) errors: Errors,
}

impl Validator {
    fn new(settings: &Settings) -> Self {
        let minor = settings.minor.number();
        Self {
            minor,
            allow_privileged: settings.allow_privileged,
            errors: Errors::new(minor >= versions::JSON_VALUES),
        }
    }
}

/// The errors of creating `object`, in upstream's order; none where it is valid, or where podgate
/// knows no rules for the resource.
#[must_use]
pub fn validate_create(
    object: &Value<'_>,
    resource: &'static Resource,
    settings: &Settings,
) -> Vec<Error> {
    let mut v = Validator::new(settings);
    match (resource.group, resource.name) {
        ("", "namespaces") => namespace::create(&mut v, object),
        ("", "serviceaccounts") => namespace::service_account(&mut v, object),
        _ => {}
    }
    v.errors.into_list()
}

/// The errors of changing `old` to `new`; a `subresource` may have rules of its own.
#[must_use]
pub fn validate_update(
    new: &Value<'_>,
    old: &Value<'_>,
    resource: &'static Resource,
    subresource: Option<&str>,
    settings: &Settings,
) -> Vec<Error> {
    let mut v = Validator::new(settings);
    let path = Path::new("metadata");
    let (new_meta, old_meta) = (metadata::of(new), metadata::of(old));
    // `validateCommonFields` in `apiserver/pkg/registry/rest/update.go`
    metadata::accessor(
        &mut v,
        new_meta,
        resource.namespaced,
        NameRule::PathSegment,
        &path,
    );
    metadata::update(&mut v, new_meta, old_meta, &path);
    match (resource.group, resource.name, subresource) {
        ("", "namespaces", None) => namespace::update(&mut v, new, old),
        ("", "serviceaccounts", None) => namespace::service_account_update(&mut v, new, old),
        _ => {}
    }
    v.errors.into_list()
}

/// The answer 422 with `errors` about the object `name`: `errors.NewInvalid`.
///
/// The message leaves duplicates out, the causes do not.
#[must_use]
pub fn invalid(resource: &Resource, name: &str, errors: &[Error]) -> Status {
    let mut texts: Vec<String> = Vec::with_capacity(errors.len());
    for error in errors {
        let text = error.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    let texts = match &texts[..] {
        [only] => only.clone(),
        texts => format!("[{}]", texts.join(", ")),
    };
    let kind = if resource.group.is_empty() {
        resource.kind.to_owned()
    } else {
        format!("{}.{}", resource.kind, resource.group)
    };
    Status {
        code: 422,
        reason: "Invalid",
        message: format!("{kind} {} is invalid: {texts}", go::quote(name)),
        details: Some(Box::new(Details {
            name: name.to_owned(),
            group: resource.group.to_owned(),
            kind: resource.kind.to_owned(),
            causes: errors
                .iter()
                .map(|error| Cause {
                    reason: error.kind.reason(),
                    message: error.body(),
                    field: error.field.clone(),
                })
                .collect(),
            retry_after_seconds: 0,
        })),
    }
}

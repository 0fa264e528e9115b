//! API validation: what makes a server answer 422, in its words and in its order.
//!
//! Input is the tree of an object after decoding, defaulting, mutation and field drops; fields
//! that a server of the minor would not have are gone. Upstream's counterpart is
//! `pkg/apis/{core,apps,batch,policy}/validation` with the registry strategies that call it
//! (`pkg/registry/*/*/strategy.go`); each file names the functions that it stands for.
//!
//! Where upstream iterates a Go map, its order is random; here it is that of the tree.

mod certificates;
mod claims;
mod containers;
mod cron;
mod cron_jobs;
mod dns;
mod env;
pub mod field;
mod go;
mod job_policies;
mod jobs;
mod metadata;
mod mounts;
pub(crate) mod names;
mod namespace;
mod pod;
mod pod_resize;
mod pod_security_policy;
mod pod_status;
mod pod_update;
mod ports;
mod probes;
mod profiles;
mod projected;
mod resources;
mod scheduling;
mod security_context;
mod selectors;
mod tolerations;
mod tree;
mod versions;
mod volume_sources;
mod volumes;
mod windows;
mod workloads;

use podgate_policy::Minor;

use crate::resource::Resource;
use crate::status::{Cause, Grouped, Status};
use crate::value::Value;
use crate::versions::Gate;

use field::{Error, ErrorType, Errors, Path};
use names::NameRule;
use workloads::Workload;

/// What validation depends on besides the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The minor of the server.
    pub minor: Minor,
    /// The flag `--allow-privileged`.
    pub allow_privileged: bool,
    /// The feature gate `WindowsHostProcessContainers`.
    pub windows_host_process: bool,
}

impl Settings {
    /// A server of that minor with the flags of a kubeadm cluster.
    #[must_use]
    pub fn new(minor: Minor) -> Self {
        Self {
            minor,
            allow_privileged: true,
            windows_host_process: Gate::WindowsHostProcessContainers.default_on(minor),
        }
    }
}

/// One validation under way.
#[derive(Debug)]
pub(crate) struct Validator {
    pub(crate) minor: u8,
    pub(crate) allow_privileged: bool,
    pub(crate) windows_host_process: bool,
    /// Whether the object is a pod, and not something with a template of one.
    pub(crate) is_pod: bool,
    pub(crate) errors: Errors,
}

impl Validator {
    fn new(settings: Settings) -> Self {
        let minor = settings.minor.number();
        Self {
            minor,
            allow_privileged: settings.allow_privileged,
            windows_host_process: settings.windows_host_process,
            is_pod: false,
            errors: Errors::new(minor >= versions::JSON_VALUES),
        }
    }

    /// The errors in the order in which the server tells them.
    fn into_errors(self, resource: &Resource) -> Vec<Error> {
        let declarative = self.since(versions::DECLARATIVE_ERRORS_LAST);
        let mut errors = self.errors.into_list();
        // What declarative validation says stands behind all else, in the order of the fields
        // (`ValidateDeclarativelyWithMigrationChecks` in `apiserver/pkg/registry/rest`).
        let (kind, fields): (_, &[&str]) = match resource.kind {
            "CronJob" => (ErrorType::Required, &["spec.schedule"]),
            "ReplicationController" => (
                ErrorType::Invalid,
                &["metadata.name", "spec.replicas", "spec.minReadySeconds"],
            ),
            _ => return errors,
        };
        if declarative {
            errors.sort_by_key(|error| {
                let place = fields.iter().position(|field| *field == error.field);
                place.filter(|_| error.kind == kind).map(|place| place + 1)
            });
        }
        errors
    }

    /// Whether the server validates in a way that began with `minor`, one of [`versions`].
    pub(crate) const fn since(&self, minor: u8) -> bool {
        self.minor >= minor
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
    let mut v = Validator::new(*settings);
    if let Some(kind) = workload(resource) {
        workloads::create(&mut v, kind, object);
        return v.into_errors(resource);
    }
    match (resource.group, resource.name) {
        ("", "pods") => pod::create(&mut v, object),
        ("", "podtemplates") => pod::create_template(&mut v, object),
        ("", "namespaces") => namespace::create(&mut v, object),
        ("", "serviceaccounts") => namespace::service_account(&mut v, object),
        ("batch", "jobs") => jobs::create(&mut v, object),
        ("batch", "cronjobs") => cron_jobs::create(&mut v, object),
        ("policy", "podsecuritypolicies") => pod_security_policy::create(&mut v, object),
        _ => {}
    }
    v.into_errors(resource)
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
    let mut v = Validator::new(*settings);
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
    metadata::accessor_update(&mut v, new_meta, old_meta, &path);
    if let (Some(kind), None) = (workload(resource), subresource) {
        workloads::update(&mut v, kind, new, old);
        return v.into_errors(resource);
    }
    match (resource.group, resource.name, subresource) {
        ("", "pods", None) => pod_update::update(&mut v, new, old),
        ("", "pods", Some("ephemeralcontainers")) => {
            pod_update::ephemeral_containers(&mut v, new, old);
        }
        ("", "pods", Some("resize")) => pod_resize::resize(&mut v, new, old),
        ("", "pods", Some("status")) => pod_status::update(&mut v, new, old),
        ("", "podtemplates", None) => pod::update_template(&mut v, new, old),
        ("", "namespaces", None) => namespace::update(&mut v, new, old),
        ("", "serviceaccounts", None) => namespace::service_account_update(&mut v, new, old),
        ("batch", "jobs", None) => jobs::update(&mut v, new, old),
        ("batch", "cronjobs", None) => cron_jobs::update(&mut v, new, old),
        ("policy", "podsecuritypolicies", None) => {
            pod_security_policy::update(&mut v, new, old);
        }
        _ => {}
    }
    v.into_errors(resource)
}

/// The workload that the resource is, if `workloads.rs` knows it.
fn workload(resource: &Resource) -> Option<Workload> {
    match (resource.group, resource.name) {
        ("apps", "deployments") => Some(Workload::Deployment),
        ("apps", "replicasets") => Some(Workload::ReplicaSet),
        ("apps", "statefulsets") => Some(Workload::StatefulSet),
        ("apps", "daemonsets") => Some(Workload::DaemonSet),
        ("", "replicationcontrollers") => Some(Workload::ReplicationController),
        _ => None,
    }
}

/// The answer 422 with `errors` about the object `name`: `errors.NewInvalid` with the kind as
/// `objectGVKAndKind` finds it in `apiserver/pkg/registry/rest/create.go`.
#[must_use]
pub fn invalid(resource: &Resource, name: &str, errors: &[Error], settings: &Settings) -> Status {
    let kind = resource.kind;
    let group = match kind {
        "DaemonSet" | "Deployment" | "ReplicaSet"
            if versions::KINDS_OF_EXTENSIONS.contains(&settings.minor.number()) =>
        {
            "extensions"
        }
        // Policies came from that group, and their type is registered there first.
        "PodSecurityPolicy" => "extensions",
        _ => resource.group,
    };
    let mut causes: Vec<Cause> = Vec::with_capacity(errors.len());
    for error in errors {
        let cause = Cause {
            reason: error.kind.reason(),
            message: error.body(),
            field: error.field.clone(),
        };
        let told = settings.minor.number() >= versions::CAUSES_ONCE && causes.contains(&cause);
        if !told {
            causes.push(cause);
        }
    }
    Status::invalid(Grouped { group, name: kind }, name, causes)
}

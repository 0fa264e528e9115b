//! What the server has to know of each resource beyond its schema.
//!
//! Upstream: the strategies and stores below `k8s.io/kubernetes/pkg/registry`.

use podgate_admission::resource::Resource;
use podgate_policy::Minor;

/// Whether a PUT of an object that is not there creates it (`AllowCreateOnUpdate`).
pub(crate) fn creates_on_update(resource: &Resource) -> bool {
    matches!(
        resource.name,
        "runtimeclasses"
            | "rolebindings"
            | "clusterrolebindings"
            | "roles"
            | "clusterroles"
            | "leases"
            | "limitranges"
            | "events"
            | "services"
            | "endpoints"
    )
}

/// Whether an update has to name the version that it changes (`AllowUnconditionalUpdate` is false).
pub(crate) fn wants_version(resource: &Resource) -> bool {
    matches!(
        (resource.group, resource.name),
        ("admissionregistration.k8s.io" | "coordination.k8s.io", _)
            | (
                _,
                "runtimeclasses" | "poddisruptionbudgets" | "csidrivers" | "csinodes"
            )
    )
}

/// Whether a DELETE answers with the object instead of a Status (`ReturnDeletedObject`).
pub(crate) fn returns_deleted(resource: &Resource) -> bool {
    matches!(
        resource.name,
        "pods"
            | "namespaces"
            | "serviceaccounts"
            | "podtemplates"
            | "resourcequotas"
            | "services"
            | "persistentvolumes"
            | "persistentvolumeclaims"
            | "podsecuritypolicies"
            | "storageclasses"
            | "volumeattachments"
            | "csidrivers"
            | "csinodes"
    )
}

/// Whether what an object owns stays when it is deleted, unless the request says otherwise
/// (`DefaultGarbageCollectionPolicy`).
pub(crate) fn orphans_by_default(resource: &Resource) -> bool {
    matches!(
        (resource.version, resource.name),
        (_, "replicationcontrollers" | "jobs") | ("v1beta1", "cronjobs")
    )
}

/// The first minor that deletes all services of a namespace at once: before, `REST` in
/// `core/service/storage/rest.go` hid the store that can.
const FIRST_TO_DELETE_SERVICES: u8 = 23;

/// Whether a server of `minor` deletes all objects of the resource at once.
pub(crate) fn deletes_collections(resource: &Resource, minor: Minor) -> bool {
    match resource.name {
        "namespaces" => false,
        "services" => minor.number() >= FIRST_TO_DELETE_SERVICES,
        _ => true,
    }
}

/// Whether the resource is only asked, never stored: a review of who somebody is, or what they may do.
pub(crate) fn is_review(resource: &Resource) -> bool {
    matches!(
        resource.group,
        "authentication.k8s.io" | "authorization.k8s.io"
    )
}

/// The verbs of a resource on a server of `minor`, in alphabetical order.
pub(crate) fn verbs(resource: &Resource, minor: Minor) -> &'static [&'static str] {
    if is_review(resource) {
        &["create"]
    } else if deletes_collections(resource, minor) {
        &[
            "create",
            "delete",
            "deletecollection",
            "get",
            "list",
            "patch",
            "update",
            "watch",
        ]
    } else {
        &[
            "create", "delete", "get", "list", "patch", "update", "watch",
        ]
    }
}

/// A subresource that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subresource {
    /// As paths name it.
    pub(crate) name: &'static str,
    /// Whether it can be read.
    pub(crate) get: bool,
}

/// The subresources of `resource` that a server of `minor` has and this one serves.
pub(crate) fn subresources(resource: &Resource, minor: Minor) -> impl Iterator<Item = Subresource> {
    let named =
        |name: &'static str, there: bool, get: bool| there.then_some(Subresource { name, get });
    let pods = resource.group.is_empty() && resource.name == "pods";
    let namespaces = resource.group.is_empty() && resource.name == "namespaces";
    let scales = matches!(
        resource.name,
        "deployments" | "replicasets" | "statefulsets" | "replicationcontrollers"
    );
    // Ephemeral containers are behind an alpha gate up to 1.22.
    [
        named("attach", pods, true),
        named("binding", pods, false),
        named("ephemeralcontainers", pods && minor.number() >= 23, true),
        named("eviction", pods, false),
        named("exec", pods, true),
        named("finalize", namespaces, false),
        named("log", pods, true),
        named("portforward", pods, true),
        named("proxy", pods, true),
        // Resizing is behind an alpha gate up to 1.32.
        named("resize", pods && minor.number() >= 33, true),
        named("scale", scales, true),
        named(
            "status",
            !is_review(resource) && resource.schema.field("status", minor).is_some(),
            true,
        ),
    ]
    .into_iter()
    .flatten()
}

/// Whether a subresource is what only the node of a pod could tell.
pub(crate) fn is_at_node(subresource: &str) -> bool {
    matches!(
        subresource,
        "attach" | "exec" | "log" | "portforward" | "proxy"
    )
}

/// The verbs of a subresource, in alphabetical order.
pub(crate) fn subresource_verbs(subresource: Subresource) -> &'static [&'static str] {
    match subresource.name {
        "attach" | "exec" | "portforward" => &["create", "get"],
        "log" => &["get"],
        "proxy" => &["create", "delete", "get", "patch", "update"],
        "binding" | "eviction" => &["create"],
        _ if subresource.get => &["get", "patch", "update"],
        _ => &["update"],
    }
}

/// Group, version and kind of what a subresource takes and gives; group and version are empty where
/// they are the resource's own.
pub(crate) fn subresource_kind(
    resource: &Resource,
    subresource: &str,
    minor: Minor,
) -> (&'static str, &'static str, &'static str) {
    match subresource {
        "scale" => ("autoscaling", "v1", "Scale"),
        "eviction" if minor.number() >= 22 => ("policy", "v1", "Eviction"),
        "eviction" => ("policy", "v1beta1", "Eviction"),
        "binding" => ("", "", "Binding"),
        "attach" => ("", "", "PodAttachOptions"),
        "exec" => ("", "", "PodExecOptions"),
        "portforward" => ("", "", "PodPortForwardOptions"),
        "proxy" => ("", "", "PodProxyOptions"),
        _ => ("", "", resource.kind),
    }
}

/// The key of an object in etcd, without `/registry/` in front.
///
/// Upstream: `SpecialDefaultResourcePrefixes` in `k8s.io/kubernetes/pkg/kubeapiserver`.
pub(crate) fn key(resource: &Resource, namespace: &str, name: &str) -> String {
    let prefix = match resource.name {
        "replicationcontrollers" => "controllers",
        "endpoints" => "services/endpoints",
        "services" => "services/specs",
        "nodes" => "minions",
        "ingresses" => "ingress",
        "podsecuritypolicies" => "podsecuritypolicy",
        name => name,
    };
    if namespace.is_empty() {
        format!("{prefix}/{name}")
    } else {
        format!("{prefix}/{namespace}/{name}")
    }
}

//! The resources that podgate serves, with what the admission chain has to know of each.
//!
//! Upstream's counterparts: the storage of `pkg/registry/*/*/storage` (names), the REST storage
//! providers in `pkg/registry/*/rest` and the `prerelease-lifecycle` marks in `k8s.io/api` (which
//! minor serves what).

use podgate_policy::Minor;

use crate::schema::{Struct, roots};

/// A resource of the API: a kind under a path.
#[derive(Debug)]
pub struct Resource {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The version: `v1`.
    pub version: &'static str,
    /// The kind: `Deployment`.
    pub kind: &'static str,
    /// The name in paths: `deployments`.
    pub name: &'static str,
    /// The singular name, the kind in lower case: `deployment`. Discovery says it since 1.27.
    pub singular: &'static str,
    /// Short names: `deploy`.
    pub short: &'static [&'static str],
    /// Whether it is in the category `all`, as discovery says and `kubectl get all` asks.
    pub in_all: bool,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Where the pod template lies, from the object's root; `None` where there is none. A pod is
    /// its own template, at an empty path.
    pub template: Option<&'static [&'static str]>,
    /// The first minor that serves it (as the number behind the dot).
    pub since: u8,
    /// The last minor that serves it; [`u8::MAX`] where the newest still does.
    pub until: u8,
    /// From which minor on, and in favour of what, every request for it is warned about.
    pub deprecated: Option<Deprecation>,
    /// The schema.
    pub schema: &'static Struct,
}

/// That a version of a kind is on its way out: the marks `prerelease-lifecycle-gen` in `k8s.io/api`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// The first minor that warns.
    pub since: u8,
    /// Version and kind to use in its place, where there are such.
    pub replacement: Option<&'static str>,
}

impl Resource {
    /// `v1` or `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Whether a server of `minor` serves it.
    #[must_use]
    pub const fn exists_in(&self, minor: Minor) -> bool {
        self.since <= minor.number() && minor.number() <= self.until
    }

    /// What a server of `minor` warns about in its answer to every request for the resource
    /// (`WarningMessage` in `k8s.io/apiserver/pkg/endpoints/deprecation`).
    #[must_use]
    pub fn deprecation_warning(&self, minor: Minor) -> Option<String> {
        let Deprecation { since, replacement } =
            self.deprecated.filter(|it| it.since <= minor.number())?;
        let removed = match self.until {
            u8::MAX => String::new(),
            last => format!(", unavailable in v1.{}+", last + 1),
        };
        let instead = replacement.map_or_else(String::new, |it| format!("; use {it}"));
        Some(format!(
            "{} {} is deprecated in v1.{since}+{removed}{instead}",
            self.api_version(),
            self.kind
        ))
    }

    /// The resource as error messages name it: `pods`, `deployments.apps`.
    #[must_use]
    pub fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.name.to_owned()
        } else {
            format!("{}.{}", self.name, self.group)
        }
    }
}

/// What most resources are: namespaced, without a pod template, there in every minor.
const R: Resource = Resource {
    group: "",
    version: "v1",
    kind: "",
    name: "",
    singular: "",
    short: &[],
    in_all: false,
    namespaced: true,
    template: None,
    since: Minor::OLDEST.number(),
    until: u8::MAX,
    deprecated: None,
    schema: &roots::POD,
};
const SINCE_21: Option<Deprecation> = Some(Deprecation {
    since: 21,
    replacement: None,
});
const SINCE_22: Option<Deprecation> = Some(Deprecation {
    since: 22,
    replacement: None,
});
const FOR_BATCH_V1: Option<Deprecation> = Some(Deprecation {
    since: 21,
    replacement: Some("batch/v1 CronJob"),
});
const SPEC_TEMPLATE: &[&str] = &["spec", "template"];
const JOB_TEMPLATE: &[&str] = &["spec", "jobTemplate", "spec", "template"];

/// Every resource that some minor serves; where there are several versions of one, the stored
/// version first. (1.20 has `CronJob` only as `batch/v1beta1`, and stores it so until 1.21.)
// One resource a line: the table is read by its columns.
#[rustfmt::skip]
pub static RESOURCES: &[Resource] = &[
    Resource { group: "", version: "v1", kind: "Pod", name: "pods", singular: "pod", short: &["po"], in_all: true, template: Some(&[]), schema: &roots::POD, ..R },
    Resource { group: "", version: "v1", kind: "Namespace", name: "namespaces", singular: "namespace", short: &["ns"], namespaced: false, schema: &roots::NAMESPACE, ..R },
    Resource { group: "", version: "v1", kind: "ServiceAccount", name: "serviceaccounts", singular: "serviceaccount", short: &["sa"], schema: &roots::SERVICE_ACCOUNT, ..R },
    Resource { group: "", version: "v1", kind: "ReplicationController", name: "replicationcontrollers", singular: "replicationcontroller", short: &["rc"], in_all: true, template: Some(SPEC_TEMPLATE), schema: &roots::REPLICATION_CONTROLLER, ..R },
    Resource { group: "", version: "v1", kind: "PodTemplate", name: "podtemplates", singular: "podtemplate", template: Some(&["template"]), schema: &roots::POD_TEMPLATE, ..R },
    Resource { group: "", version: "v1", kind: "Event", name: "events", singular: "event", short: &["ev"], schema: &roots::EVENT, ..R },
    Resource { group: "", version: "v1", kind: "Node", name: "nodes", singular: "node", short: &["no"], namespaced: false, schema: &roots::NODE, ..R },
    Resource { group: "", version: "v1", kind: "ConfigMap", name: "configmaps", singular: "configmap", short: &["cm"], schema: &roots::CONFIG_MAP, ..R },
    Resource { group: "", version: "v1", kind: "Secret", name: "secrets", singular: "secret", schema: &roots::SECRET, ..R },
    Resource { group: "", version: "v1", kind: "LimitRange", name: "limitranges", singular: "limitrange", short: &["limits"], schema: &roots::LIMIT_RANGE, ..R },
    Resource { group: "", version: "v1", kind: "ResourceQuota", name: "resourcequotas", singular: "resourcequota", short: &["quota"], schema: &roots::RESOURCE_QUOTA, ..R },
    Resource { group: "", version: "v1", kind: "Service", name: "services", singular: "service", short: &["svc"], in_all: true, schema: &roots::SERVICE, ..R },
    Resource { group: "", version: "v1", kind: "PersistentVolumeClaim", name: "persistentvolumeclaims", singular: "persistentvolumeclaim", short: &["pvc"], schema: &roots::PERSISTENT_VOLUME_CLAIM, ..R },
    Resource { group: "apps", version: "v1", kind: "Deployment", name: "deployments", singular: "deployment", short: &["deploy"], in_all: true, template: Some(SPEC_TEMPLATE), schema: &roots::DEPLOYMENT, ..R },
    Resource { group: "apps", version: "v1", kind: "ReplicaSet", name: "replicasets", singular: "replicaset", short: &["rs"], in_all: true, template: Some(SPEC_TEMPLATE), schema: &roots::REPLICA_SET, ..R },
    Resource { group: "apps", version: "v1", kind: "StatefulSet", name: "statefulsets", singular: "statefulset", short: &["sts"], in_all: true, template: Some(SPEC_TEMPLATE), schema: &roots::STATEFUL_SET, ..R },
    Resource { group: "apps", version: "v1", kind: "DaemonSet", name: "daemonsets", singular: "daemonset", short: &["ds"], in_all: true, template: Some(SPEC_TEMPLATE), schema: &roots::DAEMON_SET, ..R },
    Resource { group: "apps", version: "v1", kind: "ControllerRevision", name: "controllerrevisions", singular: "controllerrevision", schema: &roots::CONTROLLER_REVISION, ..R },
    Resource { group: "batch", version: "v1", kind: "Job", name: "jobs", singular: "job", in_all: true, template: Some(SPEC_TEMPLATE), schema: &roots::JOB, ..R },
    Resource { group: "batch", version: "v1", kind: "CronJob", name: "cronjobs", singular: "cronjob", short: &["cj"], in_all: true, template: Some(JOB_TEMPLATE), since: 21, schema: &roots::CRON_JOB, ..R },
    Resource { group: "batch", version: "v1beta1", kind: "CronJob", name: "cronjobs", singular: "cronjob", short: &["cj"], in_all: true, template: Some(JOB_TEMPLATE), until: 24, deprecated: FOR_BATCH_V1, schema: &roots::CRON_JOB_V1BETA1, ..R },
    Resource { group: "rbac.authorization.k8s.io", version: "v1", kind: "Role", name: "roles", singular: "role", schema: &roots::ROLE, ..R },
    Resource { group: "rbac.authorization.k8s.io", version: "v1", kind: "ClusterRole", name: "clusterroles", singular: "clusterrole", namespaced: false, schema: &roots::CLUSTER_ROLE, ..R },
    Resource { group: "rbac.authorization.k8s.io", version: "v1", kind: "RoleBinding", name: "rolebindings", singular: "rolebinding", schema: &roots::ROLE_BINDING, ..R },
    Resource { group: "rbac.authorization.k8s.io", version: "v1", kind: "ClusterRoleBinding", name: "clusterrolebindings", singular: "clusterrolebinding", namespaced: false, schema: &roots::CLUSTER_ROLE_BINDING, ..R },
    Resource { group: "policy", version: "v1beta1", kind: "PodSecurityPolicy", name: "podsecuritypolicies", singular: "podsecuritypolicy", short: &["psp"], namespaced: false, until: 24, deprecated: SINCE_21, schema: &roots::POD_SECURITY_POLICY, ..R },
    Resource { group: "scheduling.k8s.io", version: "v1", kind: "PriorityClass", name: "priorityclasses", singular: "priorityclass", short: &["pc"], namespaced: false, schema: &roots::PRIORITY_CLASS, ..R },
    Resource { group: "node.k8s.io", version: "v1", kind: "RuntimeClass", name: "runtimeclasses", singular: "runtimeclass", namespaced: false, schema: &roots::RUNTIME_CLASS, ..R },
    Resource { group: "node.k8s.io", version: "v1beta1", kind: "RuntimeClass", name: "runtimeclasses", singular: "runtimeclass", namespaced: false, until: 24, deprecated: SINCE_22, schema: &roots::RUNTIME_CLASS_V1BETA1, ..R },
    Resource { group: "authorization.k8s.io", version: "v1", kind: "SubjectAccessReview", name: "subjectaccessreviews", singular: "subjectaccessreview", namespaced: false, schema: &roots::SUBJECT_ACCESS_REVIEW, ..R },
    Resource { group: "authorization.k8s.io", version: "v1", kind: "SelfSubjectAccessReview", name: "selfsubjectaccessreviews", singular: "selfsubjectaccessreview", namespaced: false, schema: &roots::SELF_SUBJECT_ACCESS_REVIEW, ..R },
    Resource { group: "authorization.k8s.io", version: "v1", kind: "LocalSubjectAccessReview", name: "localsubjectaccessreviews", singular: "localsubjectaccessreview", schema: &roots::LOCAL_SUBJECT_ACCESS_REVIEW, ..R },
    Resource { group: "authorization.k8s.io", version: "v1", kind: "SelfSubjectRulesReview", name: "selfsubjectrulesreviews", singular: "selfsubjectrulesreview", namespaced: false, schema: &roots::SELF_SUBJECT_RULES_REVIEW, ..R },
    // `v1beta1`, in 1.27 alone, has to be asked for with `--runtime-config`.
    Resource { group: "authentication.k8s.io", version: "v1", kind: "SelfSubjectReview", name: "selfsubjectreviews", singular: "selfsubjectreview", namespaced: false, since: 28, schema: &roots::SELF_SUBJECT_REVIEW, ..R },
];

/// The resource of that `apiVersion` and kind on a server of `minor`.
#[must_use]
pub fn by_kind(api_version: &str, kind: &str, minor: Minor) -> Option<&'static Resource> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    RESOURCES
        .iter()
        .find(|r| r.group == group && r.version == version && r.kind == kind && r.exists_in(minor))
}

/// The resource at that place of the API on a server of `minor`.
#[must_use]
pub fn by_path(group: &str, version: &str, name: &str, minor: Minor) -> Option<&'static Resource> {
    RESOURCES
        .iter()
        .find(|r| r.group == group && r.version == version && r.name == name && r.exists_in(minor))
}

#[cfg(test)]
mod tests;

//! The second stage: the pod that the controller of a workload would create, and as whom.
//!
//! It is asked for, not waited for: what comes out is the body of a create request. Upstream:
//! `GetPodFromTemplate` in `pkg/controller/controller_utils.go`, and the controllers in
//! `pkg/controller/{deployment,replicaset,replication,statefulset,daemon,job,cronjob}`.

use podgate_policy::Minor;

use crate::encode::encode;
use crate::podspec;
use crate::prepare;
use crate::request::User;
use crate::resource::Resource;
use crate::schema::roots;
use crate::value::{Object, Value};
use crate::versions;

/// A pod to be created.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The pod, as its controller sends it.
    pub pod: Value<'static>,
    /// The controller's service account.
    pub user: User,
    /// The names in it that a real controller makes up otherwise: a replica set's with its hash and
    /// a cron job's next job, and the prefix of the pod's name that follows from it.
    pub made_up: Vec<String>,
}

/// Which of the pods of a workload it is, where its controller tells them apart.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The pod's number, counted from 0: of a stateful set (whose ordinals may start elsewhere), or
    /// of an indexed job.
    pub index: i64,
    /// The node that a daemon's pod is made for.
    pub node: &'a str,
}

impl Default for Place<'_> {
    fn default() -> Self {
        Self {
            index: 0,
            node: NODE,
        }
    }
}

/// The pod that the controller of a stored workload would create first, on a cluster of `minor`;
/// `None` where no controller makes pods of the object, or where it has no template. How many
/// pods are wanted, and whether the workload is paused, is not looked at.
#[must_use]
pub fn pod_of(resource: &Resource, stored: &Value<'_>, minor: Minor) -> Option<Planned> {
    pod_at(resource, stored, Place::default(), minor)
}

/// The pod that the controller would create at a place; as [`pod_of`] otherwise.
#[must_use]
pub fn pod_at(
    resource: &Resource,
    stored: &Value<'_>,
    place: Place<'_>,
    minor: Minor,
) -> Option<Planned> {
    let template = podspec::template(resource, stored)?.clone().into_owned();
    let owner = Owner::of(resource, stored);
    match resource.kind {
        "Deployment" => Some(deployment(&owner, template, minor)),
        "ReplicaSet" => Some(plain(&owner, template, "replicaset-controller")),
        "ReplicationController" => Some(plain(&owner, template, "replication-controller")),
        "StatefulSet" => Some(stateful_set(&owner, template, stored, place, minor)),
        "DaemonSet" => Some(daemon_set(&owner, template, stored, place, minor)),
        "Job" => {
            let spec = stored.get("spec")?;
            Some(job(&owner, template, spec, place, minor))
        }
        "CronJob" => cron_job(&owner, stored, minor),
        _ => None,
    }
}

/// The controller's reference to a stored object, for what it creates (`NewControllerRef`).
#[must_use]
pub fn reference(resource: &Resource, stored: &Value<'_>) -> Value<'static> {
    Owner::of(resource, stored).reference()
}

/// Where a child's uid is not known yet.
const UID: &str = "00000000-0000-4000-8000-000000000000";

/// What a pod says of the workload that owns it.
struct Owner {
    api_version: String,
    kind: &'static str,
    name: String,
    uid: String,
    namespace: String,
}

impl Owner {
    fn of(resource: &Resource, stored: &Value<'_>) -> Self {
        let text = |key| stored.text_at(&["metadata", key]).to_owned();
        let uid = Some(text("uid")).filter(|uid| !uid.is_empty());
        Self {
            api_version: resource.api_version(),
            kind: resource.kind,
            name: text("name"),
            uid: uid.unwrap_or_else(|| UID.to_owned()),
            namespace: text("namespace"),
        }
    }

    /// The child of that kind, which owns the pod in its place.
    fn child(&self, api_version: &str, kind: &'static str, name: String) -> Self {
        Self {
            api_version: api_version.to_owned(),
            kind,
            name,
            uid: UID.to_owned(),
            namespace: self.namespace.clone(),
        }
    }

    /// `NewControllerRef`
    fn reference(&self) -> Value<'static> {
        let mut reference = Object::new();
        reference.insert("apiVersion", self.api_version.clone());
        reference.insert("kind", self.kind);
        reference.insert("name", self.name.clone());
        reference.insert("uid", self.uid.clone());
        reference.insert("controller", true);
        reference.insert("blockOwnerDeletion", true);
        reference.into()
    }

    /// `getPodsPrefix`: with a dash behind it, unless the name is too long for one.
    fn prefix(&self) -> String {
        const LONGEST: usize = 253;
        if self.name.len() < LONGEST {
            format!("{}-", self.name)
        } else {
            self.name.clone()
        }
    }
}

/// `GetPodFromTemplate`
fn plan(owner: &Owner, template: Value<'static>, controller: &str, prefix: String) -> Planned {
    let mut template = match template {
        Value::Object(template) => template,
        _ => Object::new(),
    };
    let own = template.remove("metadata").unwrap_or_default();
    let mut metadata = Object::new();
    metadata.insert("generateName", prefix);
    if !owner.namespace.is_empty() {
        metadata.insert("namespace", owner.namespace.clone());
    }
    for key in ["labels", "annotations", "finalizers"] {
        if let Some(value) = own.get(key) {
            metadata.insert(key, value.clone());
        }
    }
    metadata.insert("ownerReferences", vec![owner.reference()]);
    let mut pod = Object::new();
    pod.insert("apiVersion", "v1");
    pod.insert("kind", "Pod");
    pod.insert("metadata", metadata);
    pod.insert("spec", template.remove("spec").unwrap_or_default());
    Planned {
        pod: pod.into(),
        user: service_account(controller),
        made_up: Vec::new(),
    }
}

/// The service account that a controller acts as: the one of its name.
#[must_use]
pub fn service_account(name: &str) -> User {
    User {
        name: format!("system:serviceaccount:kube-system:{name}"),
        groups: [
            "system:serviceaccounts",
            "system:serviceaccounts:kube-system",
            "system:authenticated",
        ]
        .map(str::to_owned)
        .to_vec(),
    }
}

fn plain(owner: &Owner, template: Value<'static>, controller: &str) -> Planned {
    plan(owner, template, controller, owner.prefix())
}

/// Its replica set carries a hash of the template, and so do the pods (`getNewReplicaSet` in
/// `pkg/controller/deployment/sync.go`).
fn deployment(owner: &Owner, mut template: Value<'static>, minor: Minor) -> Planned {
    let hash = template_hash(&template, minor);
    let name = format!("{}-{hash}", owner.name);
    label(&mut template, "pod-template-hash", hash);
    let replica_set = owner.child("apps/v1", "ReplicaSet", name.clone());
    let mut planned = plain(&replica_set, template, "replicaset-controller");
    planned.made_up = vec![replica_set.prefix(), name];
    planned
}

/// `newVersionedStatefulSetPod` in `pkg/controller/statefulset/stateful_set_utils.go`: the first
/// pod has its ordinal's name, and its claims come before the template's volumes.
fn stateful_set(
    owner: &Owner,
    mut template: Value<'static>,
    stored: &Value<'_>,
    place: Place<'_>,
    minor: Minor,
) -> Planned {
    let start = stored
        .at(&["spec", "ordinals", "start"])
        .and_then(Value::as_int);
    let ordinal = start.unwrap_or_default().saturating_add(place.index);
    let name = format!("{}-{ordinal}", owner.name);
    let revision = format!("{}-{}", owner.name, template_hash(&template, minor));
    label(
        &mut template,
        "statefulset.kubernetes.io/pod-name",
        name.clone(),
    );
    if versions::POD_INDEX_LABEL.contain(minor) {
        label(
            &mut template,
            "apps.kubernetes.io/pod-index",
            ordinal.to_string(),
        );
    }
    label(&mut template, "controller-revision-hash", revision);
    let mut planned = plain(owner, template, "statefulset-controller");
    let Some(pod) = planned.pod.as_object_mut() else {
        return planned;
    };
    pod.object_mut("metadata").insert("name", name.clone());
    let spec = pod.object_mut("spec");
    spec.insert("hostname", name);
    let service = stored.text_at(&["spec", "serviceName"]);
    if service.is_empty() {
        spec.remove("subdomain");
    } else {
        spec.insert("subdomain", service.to_owned());
    }
    let claims = stored.list_at(&["spec", "volumeClaimTemplates"]);
    let named: Vec<_> = claims
        .iter()
        .map(|c| c.text_at(&["metadata", "name"]))
        .collect();
    let mut volumes: Vec<Value<'static>> = Vec::new();
    for claim in &named {
        let mut source = Object::new();
        source.insert("claimName", format!("{claim}-{}-{ordinal}", owner.name));
        let mut volume = Object::new();
        volume.insert("name", (*claim).to_owned());
        volume.insert("persistentVolumeClaim", source);
        volumes.push(volume.into());
    }
    let given = spec.remove("volumes").unwrap_or_default();
    let kept = given.list_at(&[]).iter();
    volumes.extend(
        kept.filter(|v| !named.contains(&v.text_at(&["name"])))
            .cloned(),
    );
    if !volumes.is_empty() {
        spec.insert("volumes", volumes);
    }
    planned
}

/// The node that a daemon's pod is made for where none is named; no policy reads its name.
const NODE: &str = "node";

/// `CreatePodTemplate` and `ReplaceDaemonSetPodNodeNameNodeAffinity` in
/// `pkg/controller/daemon/util/daemonset_util.go`.
fn daemon_set(
    owner: &Owner,
    mut template: Value<'static>,
    stored: &Value<'_>,
    place: Place<'_>,
    minor: Minor,
) -> Planned {
    let hash = template_hash(&template, minor);
    let generation = podspec::annotation(stored, "deprecated.daemonset.template.generation");
    if let Some(generation) = generation {
        label(
            &mut template,
            "pod-template-generation",
            generation.to_owned(),
        );
    }
    label(&mut template, "controller-revision-hash", hash);
    let mut planned = plain(owner, template, "daemon-set-controller");
    let Some(pod) = planned.pod.as_object_mut() else {
        return planned;
    };
    let spec = pod.object_mut("spec");
    let host_network = spec.get("hostNetwork").and_then(Value::as_bool) == Some(true);
    for (taint, effect) in [
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    ] {
        tolerate(spec, taint, effect);
    }
    if host_network {
        tolerate(spec, "network-unavailable", "NoSchedule");
    }
    let mut field = Object::new();
    field.insert("key", "metadata.name");
    field.insert("operator", "In");
    field.insert("values", vec![Value::from(place.node.to_owned())]);
    let mut term = Object::new();
    term.insert("matchFields", vec![field.into()]);
    spec.object_mut("affinity")
        .object_mut("nodeAffinity")
        .object_mut("requiredDuringSchedulingIgnoredDuringExecution")
        .insert("nodeSelectorTerms", vec![term.into()]);
    planned
}

/// `AddOrUpdateTolerationInPodSpec`: one that says the same with other seconds is replaced.
fn tolerate(spec: &mut Object<'static>, taint: &str, effect: &'static str) {
    let mut toleration = Object::new();
    toleration.insert("key", format!("node.kubernetes.io/{taint}"));
    toleration.insert("operator", "Exists");
    toleration.insert("effect", effect);
    let toleration = Value::from(toleration);
    let matches = |given: &Value<'_>| {
        ["key", "operator", "effect", "value"]
            .iter()
            .all(|key| given.text_at(&[key]) == toleration.text_at(&[key]))
    };
    let list = spec.list_mut("tolerations");
    match list.iter().position(matches) {
        Some(at) => list[at] = toleration,
        None => list.push(toleration),
    }
}

const INDEX: &str = "batch.kubernetes.io/job-completion-index";
const TRACKING: &str = "batch.kubernetes.io/job-tracking";

/// `manageJob` in `pkg/controller/job/job_controller.go`, and `indexed_job_utils.go` beside it.
fn job(
    owner: &Owner,
    mut template: Value<'static>,
    spec: &Value<'_>,
    place: Place<'_>,
    minor: Minor,
) -> Planned {
    if versions::JOB_TRACKING_FINALIZER.contain(minor)
        && let Some(template) = template.as_object_mut()
    {
        let finalizers = template.object_mut("metadata").list_mut("finalizers");
        if !finalizers.iter().any(|f| f.as_str() == Some(TRACKING)) {
            finalizers.push(TRACKING.into());
        }
    }
    let indexed = spec.text_at(&["completionMode"]) == "Indexed";
    if !indexed {
        return plain(owner, template, "job-controller");
    }
    let labelled = versions::POD_INDEX_LABEL.contain(minor);
    let number = place.index.to_string();
    if let Some(template) = template.as_object_mut() {
        let annotations = template.object_mut("metadata").object_mut("annotations");
        annotations.insert(INDEX, number.clone());
        if spec.get("backoffLimitPerIndex").is_some() {
            annotations.insert("batch.kubernetes.io/job-index-failure-count", "0");
        }
        let holder = if labelled { "labels" } else { "annotations" };
        let pod = template.object_mut("spec");
        pod.insert("hostname", format!("{}-{number}", owner.name));
        index_variables(pod, &format!("metadata.{holder}['{INDEX}']"));
    }
    if labelled {
        label(&mut template, INDEX, number.clone());
    }
    let index = format!("-{number}-");
    let longest = prepare::LONGEST_PREFIX - index.len();
    let name = owner.name.get(..longest).unwrap_or(&owner.name);
    plan(owner, template, "job-controller", format!("{name}{index}"))
}

/// `addCompletionIndexEnvVariables`
fn index_variables(spec: &mut Object<'static>, field: &str) {
    const NAME: &str = "JOB_COMPLETION_INDEX";
    for list in ["initContainers", "containers"] {
        let Some(Value::List(containers)) = spec.get_mut(list) else {
            continue;
        };
        for container in containers.iter_mut().filter_map(Value::as_object_mut) {
            let env = container.list_mut("env");
            if env
                .iter()
                .any(|variable| variable.text_at(&["name"]) == NAME)
            {
                continue;
            }
            let mut variable = Object::new();
            variable.insert("name", NAME);
            variable
                .object_mut("valueFrom")
                .object_mut("fieldRef")
                .insert("fieldPath", field.to_owned());
            env.push(variable.into());
        }
    }
}

/// The minute for which the next job is made; its number is part of the job's name.
const MINUTE: &str = "29000000";

/// `getJobFromTemplate2` in `pkg/controller/cronjob/utils.go`, and the pod of that job.
fn cron_job(owner: &Owner, stored: &Value<'_>, minor: Minor) -> Option<Planned> {
    let name = format!("{}-{MINUTE}", owner.name);
    let mut created = stored.at(&["spec", "jobTemplate"])?.clone().into_owned();
    let root = created.as_object_mut()?;
    let metadata = root.object_mut("metadata");
    metadata.insert("name", name.clone());
    metadata.insert("uid", UID);
    // The API server labels the template of a job that it stores.
    prepare::job(minor, root);
    let job_owner = owner.child("batch/v1", "Job", name.clone());
    let spec = created.get("spec")?;
    let template = spec.get("template")?.clone();
    let mut planned = job(&job_owner, template, spec, Place::default(), minor);
    let prefix = planned
        .pod
        .text_at(&["metadata", "generateName"])
        .to_owned();
    planned.made_up = vec![prefix, name];
    Some(planned)
}

fn label(template: &mut Value<'static>, key: &'static str, value: String) {
    if let Some(template) = template.as_object_mut() {
        template
            .object_mut("metadata")
            .object_mut("labels")
            .insert(key, value);
    }
}

/// A hash of the template in ten letters and digits, whatever the order of its keys. Upstream hashes
/// Go's print of the struct (`ComputeHash`), which is not reproduced; the alphabet is that of
/// `SafeEncodeString`.
#[must_use]
pub fn template_hash(template: &Value<'_>, minor: Minor) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let fnv = canonical(template, minor)
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
    format!("{fnv:010}")
        .bytes()
        .map(|digit| char::from(ALPHABET[usize::from(digit) % ALPHABET.len()]))
        .collect()
}

/// The JSON of a pod template with its keys in the order of the schema, so that equal templates
/// have equal texts.
#[must_use]
pub fn canonical(template: &Value<'_>, minor: Minor) -> String {
    let holder = Object::from_iter([("template", template.clone())]);
    encode(&holder.into(), &roots::POD_TEMPLATE, minor)
}

#[cfg(test)]
mod tests;

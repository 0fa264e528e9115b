//! What is judged by the whole chain: the templates of workloads, which break at the next restart if their
//! pods are rejected, and, where the plugin `PodSecurityPolicy` decides, the pods themselves.
//!
//! A dump rarely holds all that the chain asks for. The service accounts and the classes that a template
//! names exist where it was dumped, so they are taken to be there; what other plugins would fill in is
//! theirs to fill in again (the volume of the token, the priority, the overhead of a runtime class).

use std::collections::BTreeMap;
use std::sync::Arc;

use podgate_manifest::{Source, read_documents};
use serde_json::{Value, json};

use crate::check::{self, Finding};
use crate::error::Error;
use crate::suite::{Manifest, Requester};
use crate::template::Template;

/// Where service account tokens are mounted (`plugin/pkg/admission/serviceaccount/admission.go`).
const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// An object that waits for the chain.
#[derive(Debug)]
pub(super) struct Waiting {
    asked: (Manifest, Option<Requester>),
    line: usize,
    /// Where in the lines of the chunk its own belongs.
    pub(super) at: usize,
    /// Whether it is a pod as stored, and no workload.
    pub(super) is_pod: bool,
    /// Whether Pod Security rejects that pod today, where it is asked.
    pub(super) today: Option<bool>,
}

impl Waiting {
    /// The pod in `bytes`, as its controller would create it again. As the item of a list it says
    /// neither `apiVersion` nor `kind`.
    pub(super) fn pod(bytes: &[u8], file: &str, line: usize, at: usize) -> Result<Self, String> {
        let mut object = read(bytes)?;
        object["apiVersion"] = "v1".into();
        object["kind"] = "Pod".into();
        let requester = creator(&object);
        renew(&mut object);
        Self::new(&object, requester, file, (line, at), true)
    }

    /// The workload in `bytes`; of a kind that is not Kubernetes' own with what is known of its template.
    pub(super) fn workload(
        bytes: &[u8],
        template: Option<&Arc<Template>>,
        file: &str,
        place: (usize, usize),
    ) -> Result<Self, String> {
        let mut workload = Self::new(&read(bytes)?, None, file, place, false)?;
        if let Some(template) = template {
            let (manifest, requester) = workload.asked;
            let manifest = manifest.with_template(template);
            let manifest = manifest.map_err(|error| error.message().to_owned())?;
            workload.asked = (manifest, requester);
        }
        Ok(workload)
    }

    fn new(
        object: &Value,
        requester: Option<Requester>,
        file: &str,
        (line, at): (usize, usize),
        is_pod: bool,
    ) -> Result<Self, String> {
        let manifest = manifest(object, file).ok_or("it cannot be sent")?;
        Ok(Self {
            asked: (manifest, requester),
            line,
            at,
            is_pod,
            today: None,
        })
    }

    /// The object as it is sent.
    pub(super) const fn manifest(&self) -> &Manifest {
        &self.asked.0
    }
}

fn read(bytes: &[u8]) -> Result<Value, String> {
    let object: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if object.is_object() {
        Ok(object)
    } else {
        Err("this is no object".to_owned())
    }
}

/// Judges what waits: a finding for each, in its order. `labels` are those of the namespaces that the dump has.
pub(super) fn judge(
    options: &check::Options,
    waiting: &[Waiting],
    labels: impl Fn(&str) -> Option<BTreeMap<String, String>>,
) -> Result<Vec<Finding>, Error> {
    let mut context: BTreeMap<String, Value> = BTreeMap::new();
    for one in waiting {
        let namespace = one.manifest().document.namespace();
        let namespace = namespace.unwrap_or(&options.namespace);
        if let Some(labels) = labels(namespace) {
            add(
                &mut context,
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}),
            );
        }
        let object: Value = serde_json::from_str(&one.manifest().asked()).unwrap_or_default();
        let Some(spec) = pod_spec(&object) else {
            continue;
        };
        let text = |key: &str| spec[key].as_str().filter(|name| !name.is_empty());
        if let Some(name) = text("serviceAccountName") {
            add(
                &mut context,
                json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}),
            );
        }
        if let Some(name) = text("priorityClassName").filter(|name| !name.starts_with("system-")) {
            add(
                &mut context,
                json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": 0}),
            );
        }
        if let Some(name) = text("runtimeClassName") {
            add(
                &mut context,
                json!({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, "handler": "any"}),
            );
        }
    }
    let context: Vec<Manifest> = context
        .values()
        .filter_map(|object| manifest(object, "<taken to be there>"))
        .collect();
    let judged = waiting.iter().map(|one| &one.asked);
    let mut findings = check::judge_read(options, &context, judged)?;
    for (finding, one) in findings.iter_mut().zip(waiting) {
        finding.line = one.line;
    }
    Ok(findings)
}

fn add(context: &mut BTreeMap<String, Value>, object: Value) {
    let metadata = &object["metadata"];
    let key = format!(
        "{} {} {}",
        object["kind"], metadata["namespace"], metadata["name"]
    );
    context.insert(key, object);
}

fn manifest(object: &Value, file: &str) -> Option<Manifest> {
    let source = Source::new(file, object.to_string());
    let document = read_documents(&source).next()?.ok()?;
    Some(Manifest::new(document))
}

/// The spec of the pod that an object makes, or is.
fn pod_spec(object: &Value) -> Option<&Value> {
    template_of(object).map(|template| &template["spec"])
}

/// The template of the pod that an object makes, or the pod that it is.
pub(super) fn template_of(object: &Value) -> Option<&Value> {
    let paths = [
        "/spec/jobTemplate/spec/template",
        "/spec/template",
        "/template",
        "",
    ];
    let mut templates = paths.iter().filter_map(|path| object.pointer(path));
    templates.find(|template| template["spec"].is_object())
}

/// Who created a stored pod: the controller that owns it, by its service account
/// (`pkg/controller/controller_utils.go`, `cmd/kube-controller-manager`).
fn creator(pod: &Value) -> Option<Requester> {
    let owners = pod.pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners.iter().find(|owner| owner["controller"] == true)?;
    let name = match owner["kind"].as_str()? {
        "ReplicaSet" => "replicaset-controller",
        "ReplicationController" => "replication-controller",
        "DaemonSet" => "daemon-set-controller",
        "StatefulSet" => "statefulset-controller",
        "Job" => "job-controller",
        _ => return None,
    };
    Some(Requester {
        user: format!("system:serviceaccount:kube-system:{name}"),
        groups: Vec::new(),
    })
}

/// Takes out of a stored pod what plugins filled in and fill in again.
fn renew(pod: &mut Value) {
    let Some(spec) = pod["spec"].as_object_mut() else {
        return;
    };
    for key in ["priority", "preemptionPolicy", "overhead", "nodeName"] {
        spec.remove(key);
    }
    let mut tokens: Vec<Value> = Vec::new();
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in spec
            .get_mut(list)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Some(mounts) = container["volumeMounts"].as_array_mut() {
                mounts.retain(|mount| {
                    let token = mount["mountPath"] == TOKEN_PATH;
                    if token {
                        tokens.push(mount["name"].clone());
                    }
                    !token
                });
            }
        }
    }
    if let Some(volumes) = spec.get_mut("volumes").and_then(Value::as_array_mut) {
        volumes.retain(|volume| !tokens.contains(&volume["name"]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_pod_is_created_again_by_its_controller() {
        let mut pod = json!({
            "metadata": {"ownerReferences": [{"kind": "Job", "controller": false}, {"kind": "ReplicaSet", "controller": true}]},
            "spec": {
                "nodeName": "n", "priority": 0, "hostPID": true,
                "containers": [{"volumeMounts": [{"name": "t", "mountPath": TOKEN_PATH}, {"name": "v", "mountPath": "/v"}]}],
                "volumes": [{"name": "t"}, {"name": "v"}],
            },
        });
        let user = creator(&pod).map(|requester| requester.user);
        assert_eq!(
            user.as_deref(),
            Some("system:serviceaccount:kube-system:replicaset-controller")
        );
        renew(&mut pod);
        let expected = json!({
            "hostPID": true,
            "containers": [{"volumeMounts": [{"name": "v", "mountPath": "/v"}]}],
            "volumes": [{"name": "v"}],
        });
        assert_eq!(pod["spec"], expected);
    }
}

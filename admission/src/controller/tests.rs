//! What controllers add to a template, by kind and minor.

use podgate_policy::Minor;
use rstest::rstest;

use super::{Planned, pod_of};
use crate::decode::decode_untyped;
use crate::encode::encode_untyped;
use crate::resource;
use crate::value::Value;

/// The pod of a workload in JSON.
#[track_caller]
fn planned(api_version: &str, kind: &str, spec: &str, minor: u8) -> Planned {
    let json = format!(
        r#"{{"metadata":{{"name":"w","namespace":"n","uid":"u","annotations":{{"deprecated.daemonset.template.generation":"1"}}}},"spec":{spec}}}"#
    );
    let stored = decode_untyped(json.as_bytes()).unwrap();
    let minor = Minor::known(minor);
    let resource = resource::by_kind(api_version, kind, minor).unwrap();
    pod_of(resource, &stored, minor).unwrap()
}

fn at<'v>(planned: &'v Planned, path: &[&str]) -> Option<&'v Value<'static>> {
    planned.pod.at(path)
}

const TEMPLATE: &str = r#""template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c"}],"volumes":[{"name":"data","emptyDir":{}},{"name":"v"}]}}"#;

#[rstest]
#[case("apps/v1", "ReplicaSet", "replicaset-controller", "w-")]
#[case("v1", "ReplicationController", "replication-controller", "w-")]
#[case("apps/v1", "DaemonSet", "daemon-set-controller", "w-")]
#[case("batch/v1", "Job", "job-controller", "w-")]
fn owned_and_named(
    #[case] api_version: &str,
    #[case] kind: &str,
    #[case] controller: &str,
    #[case] prefix: &str,
) {
    let planned = planned(api_version, kind, &format!("{{{TEMPLATE}}}"), 36);
    let user = format!("system:serviceaccount:kube-system:{controller}");
    assert_eq!(planned.user.name, user);
    assert_eq!(planned.pod.text_at(&["metadata", "generateName"]), prefix);
    assert_eq!(planned.pod.text_at(&["metadata", "labels", "a"]), "b");
    let owner = &planned.pod.list_at(&["metadata", "ownerReferences"])[0];
    assert_eq!(owner.text_at(&["kind"]), kind);
    assert_eq!(owner.text_at(&["uid"]), "u");
    assert!(planned.made_up.is_empty());
}

#[test]
fn a_deployment_has_a_replica_set_with_a_hash() {
    let planned = planned("apps/v1", "Deployment", &format!("{{{TEMPLATE}}}"), 36);
    let hash = planned
        .pod
        .text_at(&["metadata", "labels", "pod-template-hash"]);
    assert_eq!(hash.len(), 10);
    assert_eq!(planned.made_up, [format!("w-{hash}-"), format!("w-{hash}")]);
    let prefix = planned.pod.text_at(&["metadata", "generateName"]);
    assert_eq!(prefix, planned.made_up[0]);
}

#[rstest]
#[case(27, None)]
#[case(28, Some("3"))]
fn a_stateful_set_counts(#[case] minor: u8, #[case] index: Option<&str>) {
    let spec = format!(
        r#"{{"ordinals":{{"start":3}},"serviceName":"s","volumeClaimTemplates":[{{"metadata":{{"name":"data"}}}}],{TEMPLATE}}}"#
    );
    let planned = planned("apps/v1", "StatefulSet", &spec, minor);
    assert_eq!(planned.pod.text_at(&["metadata", "name"]), "w-3");
    assert_eq!(planned.pod.text_at(&["spec", "hostname"]), "w-3");
    assert_eq!(planned.pod.text_at(&["spec", "subdomain"]), "s");
    assert_eq!(
        encode_untyped(at(&planned, &["spec", "volumes"]).unwrap()),
        r#"[{"name":"data","persistentVolumeClaim":{"claimName":"data-w-3"}},{"name":"v"}]"#
    );
    let label = at(
        &planned,
        &["metadata", "labels", "apps.kubernetes.io/pod-index"],
    );
    assert_eq!(label.and_then(Value::as_str), index);
}

#[test]
fn a_daemon_stays() {
    let spec = r#"{"template":{"spec":{"hostNetwork":true,"tolerations":[{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":5}]}}}"#;
    let planned = planned("apps/v1", "DaemonSet", spec, 36);
    let tolerations = planned.pod.list_at(&["spec", "tolerations"]);
    assert_eq!(tolerations.len(), 7);
    assert!(tolerations[0].get("tolerationSeconds").is_none());
    let affinity = at(&planned, &["spec", "affinity"]).unwrap();
    assert_eq!(
        encode_untyped(affinity),
        r#"{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In","values":["node"]}]}]}}}"#
    );
    let labels = at(&planned, &["metadata", "labels", "pod-template-generation"]);
    assert_eq!(labels.and_then(Value::as_str), Some("1"));
}

#[rstest]
#[case(
    24,
    "metadata.annotations['batch.kubernetes.io/job-completion-index']",
    0
)]
#[case(
    27,
    "metadata.annotations['batch.kubernetes.io/job-completion-index']",
    1
)]
#[case(28, "metadata.labels['batch.kubernetes.io/job-completion-index']", 1)]
fn an_indexed_job_counts(#[case] minor: u8, #[case] field: &str, #[case] finalizers: usize) {
    let spec = format!(r#"{{"completionMode":"Indexed",{TEMPLATE}}}"#);
    let planned = planned("batch/v1", "Job", &spec, minor);
    let pod = &planned.pod;
    assert_eq!(pod.text_at(&["metadata", "generateName"]), "w-0-");
    assert_eq!(pod.list_at(&["metadata", "finalizers"]).len(), finalizers);
    let env = &pod.list_at(&["spec", "containers"])[0].list_at(&["env"])[0];
    assert_eq!(env.text_at(&["valueFrom", "fieldRef", "fieldPath"]), field);
}

#[test]
fn a_cron_job_has_a_job_with_labels() {
    let spec = format!(r#"{{"jobTemplate":{{"spec":{{{TEMPLATE}}}}}}}"#);
    let planned = planned("batch/v1", "CronJob", &spec, 36);
    let name = &planned.made_up[1];
    let label = planned.pod.text_at(&["metadata", "labels", "job-name"]);
    assert_eq!(label, name);
    assert_eq!(
        planned.pod.list_at(&["metadata", "ownerReferences"])[0].text_at(&["name"]),
        name
    );
    assert_eq!(
        planned.user.name,
        "system:serviceaccount:kube-system:job-controller"
    );
}

#[test]
fn a_pod_template_has_no_controller() {
    let minor = Minor::NEWEST;
    let resource = resource::by_kind("v1", "PodTemplate", minor).unwrap();
    let stored = decode_untyped(br#"{"metadata":{"name":"t"},"template":{"spec":{}}}"#).unwrap();
    assert!(pod_of(resource, &stored, minor).is_none());
}

//! Single requests through the chain: what each plugin says, in which order, and what is stored.
//!
//! The texts are those of real servers (`facts` C2 to C5) or read from upstream's source.

#[path = "truth/world.rs"]
mod world;

use podgate_admission::chain::{Server, admit};
use podgate_admission::encode::encode;
use podgate_admission::request::{Body, FieldValidation, Operation, Request, User};
use podgate_admission::resource;
use podgate_policy::Minor;
use rstest::rstest;
use serde_json::{Value as Json, json};

use world::{Names, Objects, tree};

const NAMESPACE: &str = "n";

/// What a request came to: the stored object or the message, and the warnings.
struct Told {
    code: u16,
    message: String,
    causes: Vec<String>,
    warnings: Vec<String>,
    object: Json,
}

struct Case {
    server: Server,
    objects: Objects,
    field_validation: FieldValidation,
}

impl Case {
    fn new(minor: u8) -> Self {
        let mut objects = Objects::default();
        objects.namespace(NAMESPACE, &json!({}));
        Self {
            server: Server::new(Minor::known(minor)),
            objects,
            field_validation: FieldValidation::Warn,
        }
    }

    fn labelled(minor: u8, labels: &Json) -> Self {
        let mut case = Self::new(minor);
        case.objects.namespace(NAMESPACE, labels);
        case
    }

    fn with(mut self, resource: &str, object: &Json) -> Self {
        let cluster = matches!(
            resource,
            "priorityclasses" | "runtimeclasses" | "namespaces"
        );
        let namespace = if cluster { "" } else { NAMESPACE };
        self.objects.keep(resource, namespace, tree(object));
        self
    }

    #[track_caller]
    fn create(&self, object: &str) -> Told {
        self.create_in(NAMESPACE, object)
    }

    #[track_caller]
    fn create_in(&self, namespace: &str, object: &str) -> Told {
        let json: Json = serde_json::from_str(object).unwrap();
        let text = |key: &str| json[key].as_str().unwrap();
        let minor = self.server.minor();
        let resource = resource::by_kind(text("apiVersion"), text("kind"), minor).unwrap();
        let user = User::default();
        let request = Request {
            operation: Operation::Create,
            resource,
            subresource: None,
            namespace: if resource.namespaced { namespace } else { "" },
            name: "",
            user: &user,
            dry_run: false,
            field_validation: self.field_validation,
            body: Body::Json(object.as_bytes()),
            old: None,
        };
        let response = admit(&self.server, &self.objects, &mut Names::default(), request);
        let causes = match &response.outcome {
            Ok(_) => Vec::new(),
            Err(status) => status
                .details
                .iter()
                .flat_map(|details| &details.causes)
                .map(|cause| cause.message.clone())
                .collect(),
        };
        let (code, message, object) = match &response.outcome {
            Ok(object) => {
                let json = encode(object, resource.schema, minor);
                (201, String::new(), serde_json::from_str(&json).unwrap())
            }
            Err(status) => (status.code, status.message.clone(), Json::Null),
        };
        Told {
            code,
            message,
            causes,
            warnings: response.warnings,
            object,
        }
    }
}

/// A pod with more in its spec.
fn pod(more: &str) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p"}},"spec":{{"containers":[{{"name":"c","image":"i"}}]{more}}}}}"#
    )
}

#[rstest]
#[case(
    r#","serviceAccountName":"x""#,
    r#"pods "p" is forbidden: error looking up service account n/x: serviceaccount "x" not found"#
)]
#[case(
    r#","priorityClassName":"nope""#,
    r#"pods "p" is forbidden: no PriorityClass with name nope was found"#
)]
#[case(
    r#","priority":7"#,
    r#"pods "p" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name"#
)]
#[case(
    r#","preemptionPolicy":"Never""#,
    r#"pods "p" is forbidden: the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission controller computed PreemptLowerPriority from the given PriorityClass name"#
)]
#[case(
    r#","runtimeClassName":"x""#,
    r#"pods "p" is forbidden: pod rejected: RuntimeClass "x" not found"#
)]
#[case(
    r#","overhead":{"cpu":"1"}"#,
    r#"pods "p" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"#
)]
fn plugins_refuse(#[case] more: &str, #[case] message: &str) {
    // Each of them beats PodSecurity, save the last, which runs behind it.
    let level = if more.contains("overhead") {
        "privileged"
    } else {
        "restricted"
    };
    let labels = json!({"pod-security.kubernetes.io/enforce": level});
    let told = Case::labelled(36, &labels).create(&pod(more));
    assert_eq!((told.code, told.message.as_str()), (403, message));
}

#[test]
fn a_generated_name_is_known_only_behind_the_first_phase() {
    let case = Case::labelled(
        36,
        &json!({"pod-security.kubernetes.io/enforce": "baseline"}),
    );
    let generated = |more: &str| pod(more).replace(r#""name":"p""#, r#""generateName":"web-""#);
    let told = case.create(&generated(r#","serviceAccountName":"x""#));
    assert!(
        told.message
            .starts_with(r#"pods "web-" is forbidden: error"#),
        "{}",
        told.message
    );
    let told = case.create(&generated(r#","hostPID":true"#));
    assert!(
        told.message.starts_with(r#"pods "web-x"#),
        "{}",
        told.message
    );
}

#[test]
fn namespaces_must_be_there_and_stay() {
    let case = Case::new(36).with(
        "namespaces",
        &json!({"metadata": {"name": "going"}, "status": {"phase": "Terminating"}}),
    );
    let told = case.create_in("missing", &pod(""));
    assert_eq!(
        (told.code, told.message.as_str()),
        (404, r#"namespaces "missing" not found"#)
    );
    let told = case.create_in("going", &pod(""));
    assert_eq!(
        (told.code, told.message.as_str()),
        (
            403,
            r#"pods "p" is forbidden: unable to create new content in namespace going because it is being terminated"#
        )
    );
    let elsewhere = pod("").replace(r#""name":"p""#, r#""name":"p","namespace":"other""#);
    let told = case.create(&elsewhere);
    assert_eq!(
        (told.code, told.message.as_str()),
        (
            400,
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    );
}

#[rstest]
#[case(24, FieldValidation::Strict, 201, &[])]
#[case(25, FieldValidation::Ignore, 201, &[])]
#[case(25, FieldValidation::Warn, 201, &[r#"unknown field "spec.foo""#])]
#[case(25, FieldValidation::Strict, 400, &[])]
fn unknown_fields(
    #[case] minor: u8,
    #[case] field_validation: FieldValidation,
    #[case] code: u16,
    #[case] warnings: &[&str],
) {
    let mut case = Case::new(minor);
    case.field_validation = field_validation;
    let told = case.create(&pod(r#","foo":1"#));
    assert_eq!(told.code, code);
    assert_eq!(told.warnings, warnings);
    if code == 400 {
        assert_eq!(
            told.message,
            r#"Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.foo""#
        );
    }
}

#[rstest]
#[case(20, "default-token-x0001", "secret")]
#[case(21, "kube-api-access-x0001", "projected")]
#[case(36, "kube-api-access-x0001", "projected")]
fn the_token_volume(#[case] minor: u8, #[case] name: &str, #[case] source: &str) {
    let told = Case::new(minor).create(&pod(""));
    let volume = &told.object["spec"]["volumes"][0];
    assert_eq!(volume["name"], name);
    assert!(volume[source].is_object(), "{volume}");
    let mount = &told.object["spec"]["containers"][0]["volumeMounts"][0];
    assert_eq!(
        mount["mountPath"],
        "/var/run/secrets/kubernetes.io/serviceaccount"
    );
}

#[test]
fn a_service_account_brings_its_secrets_and_limits_them() {
    let case = Case::new(36).with(
        "serviceaccounts",
        &json!({"metadata": {"name": "a", "annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}},
            "automountServiceAccountToken": false, "imagePullSecrets": [{"name": "pull"}],
            "secrets": [{"name": "mine"}]}),
    );
    let told = case.create(&pod(r#","serviceAccount":"a""#));
    assert_eq!(
        told.object["spec"]["imagePullSecrets"],
        json!([{"name": "pull"}])
    );
    assert_eq!(told.object["spec"]["serviceAccountName"], "a");
    assert!(told.object["spec"]["volumes"].is_null());
    let told = case.create(&pod(
        r#","serviceAccountName":"a","volumes":[{"name":"v","secret":{"secretName":"other"}}]"#,
    ));
    assert_eq!(
        told.message,
        r#"pods "p" is forbidden: volume with secret.secretName="other" is not allowed because service account a does not reference that secret"#
    );
}

#[test]
fn classes_fill_in() {
    let case = Case::new(36)
        .with(
            "priorityclasses",
            &json!({"metadata": {"name": "high"}, "value": 5, "globalDefault": true, "preemptionPolicy": "Never"}),
        )
        .with(
            "runtimeclasses",
            &json!({"metadata": {"name": "box"}, "handler": "h", "overhead": {"podFixed": {"cpu": "1"}},
                "scheduling": {"nodeSelector": {"a": "b"}, "tolerations": [{"key": "k", "operator": "Exists"}]}}),
        );
    let spec = case.create(&pod(r#","runtimeClassName":"box""#)).object["spec"].clone();
    assert_eq!(spec["priority"], 5);
    assert_eq!(spec["priorityClassName"], "high");
    assert_eq!(spec["preemptionPolicy"], "Never");
    assert_eq!(spec["overhead"], json!({"cpu": "1"}));
    assert_eq!(spec["nodeSelector"], json!({"a": "b"}));
    assert_eq!(spec["tolerations"].as_array().map(Vec::len), Some(3));
    let told = case.create(&pod(
        r#","runtimeClassName":"box","nodeSelector":{"a":"c"}"#,
    ));
    assert_eq!(
        told.message,
        r#"pods "p" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[a] = b; pod.spec.nodeSelector[a] = c"#
    );
    let told = case.create(&pod(r#","priorityClassName":"system-node-critical""#));
    assert_eq!(told.object["spec"]["priority"], 2_000_001_000);
}

#[rstest]
#[case(32, None, r#","hostUsers":false"#, "/spec/hostUsers", json!(null))]
#[case(32, Some("UserNamespacesSupport"), r#","hostUsers":false"#, "/spec/hostUsers", json!(false))]
#[case(33, None, r#","hostUsers":false"#, "/spec/hostUsers", json!(false))]
#[case(23, None, r#","os":{"name":"linux"}"#, "/spec/os", json!(null))]
#[case(24, None, r#","os":{"name":"linux"}"#, "/spec/os/name", json!("linux"))]
#[case(30, None, r#","volumes":[{"name":"v","image":{"reference":"x"}}]"#, "/spec/volumes/0/emptyDir", json!({}))]
#[case(31, None, r#","volumes":[{"name":"v","image":{"reference":"x"}}]"#, "/spec/volumes/1", json!(null))]
#[case(35, None, r#","volumes":[{"name":"v","image":{"reference":"x"}}]"#, "/spec/volumes/0/image/pullPolicy", json!("Always"))]
#[case(26, Some("PodSchedulingReadiness"), r#","schedulingGates":[{"name":"g"}]"#, "/status/conditions/0/reason", json!("SchedulingGated"))]
#[case(26, None, r#","schedulingGates":[{"name":"g"}]"#, "/spec/schedulingGates", json!(null))]
#[case(32, None, "", "/metadata/generation", json!(null))]
#[case(33, None, "", "/metadata/generation", json!(1))]
fn fields_are_kept_or_dropped(
    #[case] minor: u8,
    #[case] gate: Option<&str>,
    #[case] more: &str,
    #[case] at: &str,
    #[case] expected: Json,
) {
    let mut case = Case::new(minor);
    if let Some(gate) = gate {
        case.server.set_feature_gate(gate, true).unwrap();
    }
    let told = case.create(&pod(more));
    assert_eq!(told.message, "");
    let found = told.object.pointer(at).cloned().unwrap_or_default();
    assert_eq!(found, expected);
}

#[rstest]
#[case(32, "Default")]
#[case(33, "Unmasked")]
fn proc_mount(#[case] minor: u8, #[case] expected: &str) {
    let json = pod(r#","hostUsers":false"#).replace(
        r#""image":"i""#,
        r#""image":"i","securityContext":{"procMount":"Unmasked"}"#,
    );
    let told = Case::new(minor).create(&json);
    let found = &told.object["spec"]["containers"][0]["securityContext"]["procMount"];
    assert_eq!(found, expected, "{}", told.message);
}

#[rstest]
#[case(r#""limits":{"cpu":"1","memory":"1Gi"}"#, "Guaranteed")]
#[case(r#""requests":{"cpu":"0.5"}"#, "Burstable")]
#[case(r#""requests":{"cpu":"0"}"#, "BestEffort")]
#[case("", "BestEffort")]
fn quality_of_service(#[case] resources: &str, #[case] expected: &str) {
    let json = pod("").replace(
        r#""image":"i""#,
        &format!(r#""image":"i","resources":{{{resources}}}"#),
    );
    assert_eq!(
        Case::new(36).create(&json).object["status"]["qosClass"],
        expected
    );
}

/// No cache has it, and a client asks for nothing without a name.
#[test]
fn a_runtime_class_without_a_name_is_an_error_of_the_server() {
    let told = Case::new(36).create(&pod(r#","runtimeClassName":"""#));
    assert_eq!(
        (told.code, told.message.as_str()),
        (500, "resource name may not be empty")
    );
}

// As 1.36 answered.
#[rstest]
#[case(
    "x",
    r#"metadata.annotations: Invalid value: "scheduler.alpha.kubernetes.io/tolerations": invalid character 'x' looking for beginning of value"#
)]
#[case(
    r#"[{"effect":"foo","operator":"Exists"}]"#,
    r#"metadata.annotations.scheduler.alpha.kubernetes.io/tolerations[0].effect: Unsupported value: "foo": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute""#
)]
#[case("[]", "")]
fn annotated_tolerations(#[case] annotation: &str, #[case] message: &str) {
    let mut pod: Json = serde_json::from_str(&pod("")).unwrap();
    pod["metadata"]["annotations"] =
        json!({"scheduler.alpha.kubernetes.io/tolerations": annotation});
    let told = Case::new(36).create(&pod.to_string());
    let expected = match message {
        "" => String::new(),
        message => format!("Pod \"p\" is invalid: {message}"),
    };
    assert_eq!(told.message, expected);
}

/// Trust bundles and certificates are on in 1.37; older servers drop them.
#[rstest]
#[case(
    r#"{"clusterTrustBundle":{"path":"x"}}"#,
    "clusterTrustBundle: Required value: either name or signerName must be specified"
)]
#[case(
    r#"{"clusterTrustBundle":{"name":"a","signerName":"b/c","path":"x"}}"#,
    r#"clusterTrustBundle: Invalid value: {"Name":"a","SignerName":"b/c","LabelSelector":null,"Optional":null,"Path":"x","User":null}: only one of name and signerName may be used"#
)]
#[case(
    r#"{"podCertificate":{"signerName":"a.b/c","keyType":"RSA","keyPath":"x"}}"#,
    r#"podCertificate.keyType: Unsupported value: "RSA": supported values: "RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519""#
)]
#[case(
    r#"{"podCertificate":{"signerName":"a.b/c","keyType":"ED25519","keyPath":"x","maxExpirationSeconds":1}}"#,
    "podCertificate.maxExpirationSeconds: Invalid value: 1: if provided, maxExpirationSeconds must be >= 3600"
)]
#[case(
    r#"{"podCertificate":{"signerName":"a.b/c","keyType":"ED25519"}}"#,
    "podCertificate: Required value: specify at least one of credentialBundlePath, keyPath, and certificateChainPath"
)]
fn certificates(#[case] source: &str, #[case] message: &str) {
    let pod = pod(&format!(
        r#","volumes":[{{"name":"v","projected":{{"sources":[{source}]}}}}]"#
    ));
    let told = Case::new(37).create(&pod);
    let expected = format!("Pod \"p\" is invalid: spec.volumes[0].projected.sources[0].{message}");
    assert_eq!((told.code, told.message), (422, expected));
    assert_eq!(Case::new(36).create(&pod).code, 201);
}

#[test]
fn windows_host_processes_are_behind_a_gate() {
    let pod =
        pod(r#","hostNetwork":true,"securityContext":{"windowsOptions":{"hostProcess":true}}"#);
    let mut case = Case::new(22);
    assert_eq!(case.create(&pod).code, 422);
    case.server
        .set_feature_gate("WindowsHostProcessContainers", true)
        .unwrap();
    assert_eq!(case.create(&pod).message, "");
}

#[test]
fn a_gated_pod_says_since_when() {
    let gated = |minor| Case::new(minor).create(&pod(r#","schedulingGates":[{"name":"a"}]"#));
    let since = |pod: &Json| pod["status"]["conditions"][0]["lastTransitionTime"].clone();
    let pod = gated(36).object;
    assert_eq!(since(&pod), pod["metadata"]["creationTimestamp"]);
    assert_eq!(since(&gated(30).object), Json::Null);
}

// As 1.37 answered: limits are filled in, too, and each container has a class of its own.
#[rstest]
#[case(36, json!({"requests": {"cpu": "1"}}), "Burstable")]
#[case(37, json!({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}}), "Guaranteed")]
fn resources_of_a_pod(#[case] minor: u8, #[case] resources: Json, #[case] class: &str) {
    let limits = r#"{"cpu":"1","memory":"1Gi"}"#;
    let told = Case::new(minor).create(&format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p"}},"spec":{{"resources":{{"requests":{{"cpu":"1"}}}},"containers":[{{"name":"c","image":"i","resources":{{"limits":{limits}}}}}]}}}}"#
    ));
    assert_eq!(told.object["spec"]["resources"], resources);
    assert_eq!(told.object["status"]["qosClass"], class);
}

/// 1.29 drops a handler's sleep while the gate is off, later minors the handler with it. An empty
/// lifecycle stays where nobody looks for a sleep.
#[rstest]
#[case(23, json!({}), json!({}))]
#[case(29, json!({}), json!({}))]
#[case(29, json!({"preStop": {"sleep": {"seconds": 1}}}), Json::Null)]
#[case(30, json!({}), Json::Null)]
#[case(30, json!({"preStop": {"sleep": {"seconds": 1}}}), Json::Null)]
fn lifecycles(#[case] minor: u8, #[case] sent: Json, #[case] lifecycle: Json) {
    let mut case = Case::new(minor);
    if minor >= 29 {
        let gate = "PodLifecycleSleepAction";
        case.server.set_feature_gate(gate, false).unwrap();
    }
    let pod = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p"}},"spec":{{"containers":[{{"name":"c","image":"i","lifecycle":{sent}}}]}}}}"#
    );
    let told = case.create(&pod);
    assert_eq!(told.object["spec"]["containers"][0]["lifecycle"], lifecycle);
    let handler = minor == 29 && sent != json!({});
    let message = "Pod \"p\" is invalid: spec.containers[0].lifecycle.preStop: Required value: must specify a handler type";
    assert_eq!(told.message, if handler { message } else { "" });
}

/// Up to 1.36 some things were looked at twice, and told twice.
#[rstest]
#[case(36, 2)]
#[case(37, 1)]
fn causes_of_what_is_looked_at_twice(#[case] minor: u8, #[case] count: usize) {
    let stateful_set = r#"{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"s"},"spec":{"serviceName":"s","selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b","x":"y z"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}"#;
    let causes = Case::new(minor).create(stateful_set).causes;
    let told = causes.iter().filter(|cause| cause.contains("\"y z\""));
    assert_eq!(told.count(), count, "{causes:?}");
}

/// What the strategy adds to the template is the job's as well, once it comes back from the store.
#[test]
fn a_job_has_the_labels_of_a_template_without_any() {
    let told = Case::new(36).create(
        r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"j"},"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}}"#,
    );
    let labels = &told.object["metadata"]["labels"];
    assert_eq!(labels["job-name"], "j");
    assert_eq!(
        labels,
        &told.object["spec"]["template"]["metadata"]["labels"]
    );
}

#[rstest]
#[case(26, "controller-uid")]
#[case(27, "batch.kubernetes.io/controller-uid")]
fn a_job_selects_its_pods(#[case] minor: u8, #[case] key: &str) {
    let told = Case::new(minor).create(
        r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"j"},"spec":{"template":{"metadata":{"labels":{"a":"b"}},"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}}"#,
    );
    let spec = &told.object["spec"];
    let uid = &told.object["metadata"]["uid"];
    assert_eq!(
        spec["selector"]["matchLabels"],
        json!({key: uid}),
        "{}",
        told.message
    );
    assert_eq!(
        &spec["template"]["metadata"]["labels"]["controller-uid"],
        uid
    );
    assert_eq!(spec["completions"], 1);
    // The template's labels are the job's as well, one map in the server's memory.
    assert_eq!(
        told.object["metadata"]["labels"],
        spec["template"]["metadata"]["labels"]
    );
}

#[test]
fn a_job_with_labels_keeps_them() {
    let told = Case::new(36).create(
        r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"j","labels":{"a":"b"}},"spec":{"template":{"metadata":{"labels":{"a":"b"}},"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}}"#,
    );
    assert_eq!(told.object["metadata"]["labels"], json!({"a": "b"}));
}

#[test]
fn a_cron_job_leaves_the_defaults_of_jobs_to_them() {
    let told = Case::new(36).create(
        r#"{"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"j"},"spec":{"schedule":"* * * * *","jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}}}}"#,
    );
    let job = &told.object["spec"]["jobTemplate"]["spec"];
    assert!(
        job["completions"].is_null() && job["backoffLimit"].is_null(),
        "{job}"
    );
    assert_eq!(job["template"]["spec"]["dnsPolicy"], "ClusterFirst");
}

// `Convert_v1_Pod_To_core_Pod`, which comes before the warnings: only templates are warned about.
#[rstest]
#[case(26, -1)]
#[case(27, 1)]
fn a_negative_grace_period_of_a_pod_becomes_one(#[case] minor: u8, #[case] expected: i64) {
    let told = Case::new(minor).create(&pod(r#","terminationGracePeriodSeconds":-1"#));
    assert_eq!(
        told.object["spec"]["terminationGracePeriodSeconds"],
        expected
    );
    assert!(told.warnings.is_empty(), "{:?}", told.warnings);
}

#[rstest]
#[case("ClusterIP", json!(null))]
#[case("NodePort", json!("Cluster"))]
fn services(#[case] ty: &str, #[case] expected: Json) {
    let told = Case::new(36).create(&format!(
        r#"{{"apiVersion":"v1","kind":"Service","metadata":{{"name":"s"}},"spec":{{"type":"{ty}","ports":[{{"port":80}}]}}}}"#
    ));
    let spec = &told.object["spec"];
    assert_eq!(spec["externalTrafficPolicy"], expected, "{}", told.message);
    assert_eq!(spec["internalTrafficPolicy"], "Cluster");
    assert_eq!(spec["ports"][0]["targetPort"], 80);
}

#[rstest]
#[case(26, r#","nodeSelector":{"beta.kubernetes.io/os":"linux"}"#, r#"spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead"#)]
#[case(
    33,
    r#","volumes":[{"name":"v","gitRepo":{"repository":"r"}}]"#,
    "spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+"
)]
#[case(
    36,
    r#","hostAliases":[{"ip":"1.2.3.4"},{"ip":"1.2.3.4"}]"#,
    r#"spec.hostAliases[1].ip: duplicate ip "1.2.3.4""#
)]
#[case(
    36,
    r#","imagePullSecrets":[{"name":""}]"#,
    r#"spec.imagePullSecrets[0].name: invalid empty name """#
)]
#[case(36, r#","affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"z"}]}}"#, "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null labelSelector results in matching no pod")]
#[case(36, r#","volumes":[{"name":"v","configMap":{"name":"m","items":[{"key":"a","path":"x"},{"key":"b","path":"x/y"}]}}]"#, r#"volume "v" (ConfigMap "m"): overlapping paths: "x/y" with "x""#)]
#[case(36, r#","initContainers":[{"name":"i","image":"i","env":[{"name":"A","value":"1"},{"name":"A","value":"2"}]}]"#, r#"spec.initContainers[0].env[1]: hides previous definition of "A", which may be dropped when using apply"#)]
#[case(36, r#","initContainers":[{"name":"i","image":"i","resources":{"limits":{"memory":"100m"}}}]"#, r#"spec.initContainers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer"#)]
fn warnings(#[case] minor: u8, #[case] more: &str, #[case] expected: &str) {
    let told = Case::new(minor).create(&pod(more));
    assert!(
        told.warnings.iter().any(|text| text == expected),
        "{:?} {}",
        told.warnings,
        told.message
    );
}

#[test]
fn a_name_that_is_no_label_is_warned_about() {
    let dotted = pod("").replace(r#""name":"p""#, r#""name":"a.b""#);
    let told = Case::new(36).create(&dotted);
    assert_eq!(
        told.warnings,
        [
            "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]"
        ]
    );
    assert!(Case::new(26).create(&dotted).warnings.is_empty());
}

#[test]
fn a_namespace_becomes_active_and_is_judged_by_its_labels() {
    let namespace = |labels: &str| {
        format!(
            r#"{{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"x","labels":{{{labels}}}}}}}"#
        )
    };
    let told = Case::new(36).create(&namespace(""));
    assert_eq!(told.object["status"]["phase"], "Active");
    assert_eq!(told.object["spec"]["finalizers"], json!(["kubernetes"]));
    assert_eq!(
        told.object["metadata"]["labels"]["kubernetes.io/metadata.name"],
        "x"
    );
    let told = Case::new(36).create(&namespace(
        r#""pod-security.kubernetes.io/warn-version":"x""#,
    ));
    assert_eq!(
        (told.code, told.message.as_str()),
        (
            422,
            r#"Namespace "x" is invalid: metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "x": must be "latest" or "v1.x""#
        )
    );
    assert_eq!(
        Case::new(21)
            .create(&namespace(
                r#""pod-security.kubernetes.io/warn-version":"x""#
            ))
            .code,
        201
    );
}

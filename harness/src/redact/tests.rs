//! Texts as real servers print them, and that redaction is done after one time.

//! Texts that servers write anew each time, and what is left of them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::outcome::{Action, By, Rejection};

#[rstest]
// The generated name of PodSecurity's denial, and the prefix in PodSecurityPolicy's.
#[case(
    r#"pods "web-5d4f-xv4qj" is forbidden: violates PodSecurity "baseline:latest": privileged (container "web" must not set securityContext.privileged=true)"#,
    r#"pods "<pod>" is forbidden: violates PodSecurity "baseline:latest": privileged (container "web" must not set securityContext.privileged=true)"#
)]
#[case(
    r#"pods "web-5d4f-" is forbidden: PodSecurityPolicy: unable to admit pod: []"#,
    r#"pods "<pod>" is forbidden: PodSecurityPolicy: unable to admit pod: []"#
)]
// The namespace, as a whole word only.
#[case(
    r#"pods "a" is forbidden: error looking up service account psa-x/default: serviceaccount "default" not found"#,
    r#"pods "a" is forbidden: error looking up service account <namespace>/default: serviceaccount "default" not found"#
)]
#[case(
    r#"in the namespace "psa-x" or "psa-x-2" or "my-psa-x" or psa-x.svc"#,
    r#"in the namespace "<namespace>" or "psa-x-2" or "my-psa-x" or <namespace>.svc"#
)]
// What needs no context, each as a real server prints it.
#[case(
    r"spec.containers[0].securityContext: Invalid value: core.SecurityContext{Capabilities:(*core.Capabilities)(nil), Privileged:(*bool)(0xc0039938bd), RunAsUser:(*int64)(0xc000a1)}: cannot",
    r"spec.containers[0].securityContext: Invalid value: core.SecurityContext{Capabilities:(*core.Capabilities)(nil), Privileged:(*bool)(<address>), RunAsUser:(*int64)(<address>)}: cannot"
)]
#[case(
    r#"Operation cannot be fulfilled on pods "one": StorageError: invalid object, Code: 4, Key: /registry/pods/web/one, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: 11111111-1111-1111-1111-111111111111, UID in object meta: 00a5d848-3666-4d26-abd9-a639a24fc0df"#,
    r#"Operation cannot be fulfilled on pods "one": StorageError: invalid object, Code: 4, Key: /registry/pods/web/one, ResourceVersion: <resourceVersion>, AdditionalErrorMsg: Precondition failed: UID in precondition: <uid>, UID in object meta: <uid>"#
)]
#[case(
    "Timeout: Too large resource version: 999999999, current: 213",
    "Timeout: Too large resource version: <resourceVersion>, current: <resourceVersion>"
)]
#[case(
    r#"{"Name":"kube-api-access-x7k2p"} and kube-api-access-mine and at 2024-05-06T07:08:09Z, 2024-05-06 07:08:09.123 +0000 UTC m=+1.5"#,
    r#"{"Name":"kube-api-access-<suffix>"} and kube-api-access-mine and at <time>, <time>"#
)]
#[case(
    r#"map[string]string{"app":"a", "pod-template-hash":"5d4f8"}, pod-template-hash=5d4f8"#,
    r#"map[string]string{"app":"a", "pod-template-hash":"<hash>"}, pod-template-hash=<hash>"#
)]
// The errors of two policies, in the random order of their names.
#[case(
    r#"pods "p" is forbidden: PodSecurityPolicy: unable to admit pod: [spec.volumes[0]: Invalid value: "hostPath": hostPath volumes are not allowed to be used pod.spec.securityContext.sysctls[0]: Forbidden: unsafe sysctl "kernel.x" is not allowed spec.containers[0].securityContext.privileged: Invalid value: true: Privileged containers are not allowed]"#,
    r#"pods "p" is forbidden: PodSecurityPolicy: unable to admit pod: [pod.spec.securityContext.sysctls[0]: Forbidden: unsafe sysctl "kernel.x" is not allowed spec.containers[0].securityContext.privileged: Invalid value: true: Privileged containers are not allowed spec.volumes[0]: Invalid value: "hostPath": hostPath volumes are not allowed to be used]"#
)]
// Nothing to redact.
#[case("app-1.2.3:0xc000 of 2024-05-06", "app-1.2.3:0xc000 of 2024-05-06")]
fn texts(#[case] text: &str, #[case] redacted: &str) {
    let redaction = Redaction::new()
        .namespace("psa-x")
        .pod("web-5d4f-xv4qj")
        .pod("web-5d4f-");
    assert_eq!(redaction.text(text), redacted);
}

#[test]
fn both_stages_and_the_name() {
    let stage = |text: &str| Stage {
        requester: "admin".into(),
        verdict: Verdict::Rejected(Rejection {
            code: 404,
            by: By::NamespaceLifecycle,
            checks: Vec::new(),
            message: text.into(),
        }),
        warnings: vec![text.into()],
        psp: None,
        audit_annotations: Some(BTreeMap::from([("k".into(), text.into())])),
    };
    let outcome = |name: &str, text: &str| Outcome {
        step: None,
        object: name.into(),
        action: Action::Patched,
        own: stage(text),
        pods: Some(stage(text)),
    };
    let mut redacted = outcome("Namespace/ns1", r#"namespaces "ns1" not found"#);
    Redaction::new().namespace("ns1").outcome(&mut redacted);
    assert_eq!(
        redacted,
        outcome(
            "Namespace/<namespace>",
            r#"namespaces "<namespace>" not found"#
        )
    );
}

/// Parts that redaction looks at, and parts that look like them.
fn texts_near_the_rules() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "ns",
        "<ns>",
        "<namespace>",
        "namespace",
        "pod",
        "<pod>",
        "web-",
        "web-abcde",
        "-",
        " ",
        ".",
        "\"",
        "/",
        ":",
        "00a5d848-3666-4d26-abd9-a639a24fc0df",
        "2024-05-06T07:08:09",
        "Z",
        "+01:00",
        ")(0xc0039938bd)",
        "resource version: 12",
        ", current: 3",
        "resourceVersion: ",
        "7",
        "kube-api-access-",
        "bcdfg",
        "pod-template-hash=",
        "abc",
        " is forbidden: PodSecurityPolicy: unable to admit pod: [",
        "]",
        " spec.a: Invalid value: 1: b",
        " pod.spec.x: Forbidden: z",
        " metadata.y",
        " Required value",
        "spec.b: Required value",
    ]);
    prop::collection::vec(part, 0..14).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn twice_is_once(text in texts_near_the_rules()) {
        for (namespace, pod) in [("ns", "web-abcde"), ("namespace", "pod"), ("web", "web-")] {
            let redaction = Redaction::new().namespace(namespace).pod(pod);
            let once = redaction.text(&text);
            prop_assert_eq!(redaction.text(&once), once);
        }
    }
}

/// The order of the server is that of the names, which are made up.
#[test]
fn warnings_about_existing_pods_are_sorted_without_their_names() {
    let lines = |pods: [&str; 2]| {
        let heading = r#"existing pods in namespace "x" violate the new PodSecurity enforce level "restricted:latest""#;
        let about = pods.map(str::to_owned);
        Stage {
            requester: "admin".into(),
            verdict: Verdict::Admitted,
            warnings: [[heading.to_owned()].as_slice(), &about].concat(),
            psp: None,
            audit_annotations: Some(BTreeMap::new()),
        }
    };
    let mut stage = lines([
        "web-1-b (and 1 other pod): seccompProfile",
        "web-2-a: hostPort",
    ]);
    let redaction = Redaction::new().pod("web-1-b").pod("web-2-a");
    redaction.stage(&mut stage);
    let sorted = ["<pod> (and 1 other pod): seccompProfile", "<pod>: hostPort"];
    assert_eq!(stage.warnings[1..], sorted);
    // The other way round it is the same.
    let mut stage = lines([
        "web-1-b: hostPort",
        "web-2-a (and 1 other pod): seccompProfile",
    ]);
    redaction.stage(&mut stage);
    assert_eq!(stage.warnings[1..], sorted);
    // Names that somebody chose stay in their order.
    let mut stage = lines(["b: hostPort", "a: seccompProfile"]);
    redaction.stage(&mut stage);
    assert_eq!(stage.warnings[1..], ["b: hostPort", "a: seccompProfile"]);
}

/// A namespace that was there before may be called like a pod, a container or a deployment.
#[rstest]
#[case(
    r#"pods "web" is forbidden: violates PodSecurity "baseline:latest": host namespaces (container "web")"#,
    r#"pods "web" is forbidden: violates PodSecurity "baseline:latest": host namespaces (container "web")"#
)]
#[case(
    r#"pods is forbidden: User "web" cannot create resource "pods" in API group "" in the namespace "web""#,
    r#"pods is forbidden: User "web" cannot create resource "pods" in API group "" in the namespace "<namespace>""#
)]
#[case(
    r#"pods "web" is forbidden: error looking up service account web/web: serviceaccount "web" not found"#,
    r#"pods "web" is forbidden: error looking up service account <namespace>/web: serviceaccount "web" not found"#
)]
#[case(
    r#"pods "web" is forbidden: unable to create new content in namespace web because it is being terminated"#,
    r#"pods "web" is forbidden: unable to create new content in namespace <namespace> because it is being terminated"#
)]
#[case(
    r#"User "system:serviceaccount:web:web" cannot create"#,
    r#"User "system:serviceaccount:<namespace>:web" cannot create"#
)]
#[case(
    r#"namespaces "web" not found"#,
    r#"namespaces "<namespace>" not found"#
)]
fn an_existing_namespace_is_redacted_where_it_is_one(#[case] text: &str, #[case] redacted: &str) {
    let redaction = Redaction::new().existing_namespace("web");
    assert_eq!(redaction.text(text), redacted);
    assert_eq!(redaction.text(redacted), redacted);
}

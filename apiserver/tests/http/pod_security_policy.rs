//! Policies as objects of the API, and a cluster whose users are held to them.

use http::Method;
use podgate_admission::chain::Server;
use podgate_admission::request::{Body, FieldValidation, Operation, Request, User};
use podgate_admission::resource;
use podgate_apiserver::{ApiServer, Clock, Seeded};
use podgate_policy::Minor;
use rstest::rstest;
use serde_json::{Value, json};

use crate::exchange::{Answer, get, send, server};

const POLICIES: &str = "/apis/policy/v1beta1/podsecuritypolicies";
const DEPRECATED: &str =
    r#"299 - "policy/v1beta1 PodSecurityPolicy is deprecated in v1.21+, unavailable in v1.25+""#;

fn policy(spec: &Value) -> Value {
    let any = json!({"rule": "RunAsAny"});
    let mut full =
        json!({"runAsUser": any, "seLinux": any, "supplementalGroups": any, "fsGroup": any});
    for (key, value) in spec.as_object().expect("an object") {
        full[key] = value.clone();
    }
    json!({
        "apiVersion": "policy/v1beta1", "kind": "PodSecurityPolicy",
        "metadata": {"name": "x"}, "spec": full,
    })
}

fn post(server: &ApiServer, path: &str, user: &str, body: &Value) -> Answer {
    let impersonated = [("impersonate-user", user)];
    let headers: &[_] = if user.is_empty() { &[] } else { &impersonated };
    send(server, &Method::POST, path, headers, &body.to_string())
}

#[rstest]
#[case(20, &[])]
#[case(21, &[DEPRECATED])]
#[case(24, &[DEPRECATED])]
fn every_answer_warns(#[case] minor: u8, #[case] expected: &[&str]) {
    let server = server(minor);
    let one = format!("{POLICIES}/x");
    let created = post(&server, POLICIES, "", &policy(&json!({})));
    assert_eq!((created.code, &*created.warnings()), (201, expected));
    let again = post(&server, POLICIES, "", &policy(&json!({})));
    assert_eq!((again.code, &*again.warnings()), (409, expected));
    let invalid = post(&server, POLICIES, "", &policy(&json!({"volumes": ["x"]})));
    assert_eq!((invalid.code, &*invalid.warnings()), (422, expected));
    let refused = r#"PodSecurityPolicy.extensions "x" is invalid: spec.volumes: Unsupported value: "x": supported values: "*", "#;
    assert!(
        invalid.message().starts_with(refused),
        "{}",
        invalid.message()
    );
    for path in [POLICIES, &one] {
        let read = get(&server, path);
        assert_eq!((read.code, &*read.warnings()), (200, expected), "{path}");
    }
    let missing = get(&server, &format!("{POLICIES}/missing"));
    assert_eq!((missing.code, &*missing.warnings()), (404, expected));
    let deleted = send(&server, &Method::DELETE, &one, &[], "");
    assert_eq!((deleted.code, &*deleted.warnings()), (200, expected));
}

#[test]
fn a_refusal_by_rbac_does_not_warn() {
    let refused = post(&server(24), POLICIES, "alice", &policy(&json!({})));
    let message = r#"podsecuritypolicies.policy is forbidden: User "alice" cannot create resource "podsecuritypolicies" in API group "policy" at the cluster scope"#;
    assert_eq!((refused.code, refused.message()), (403, message));
    assert!(refused.warnings().is_empty());
}

#[test]
fn policies_are_gone_in_1_25() {
    assert_eq!(get(&server(25), POLICIES).code, 404);
}

#[test]
fn a_policy_is_stored_with_its_defaults_and_without_proc_mounts() {
    let server = server(23);
    let spec = json!({"allowedProcMountTypes": ["Default", "Unmasked"]});
    let created = post(&server, POLICIES, "", &policy(&spec)).body;
    assert_eq!(created["spec"]["allowPrivilegeEscalation"], true);
    assert_eq!(created["spec"].get("allowedProcMountTypes"), None);
    assert_eq!(get(&server, &format!("{POLICIES}/x")).body, created);
}

/// A cluster with the plugin, one policy, and `alice`, who may create pods in `web`.
fn cluster() -> ApiServer {
    let mut config = Server::new(Minor::known(24));
    config
        .enable_admission_plugins(["PodSecurityPolicy"])
        .expect("the plugin exists");
    let server = ApiServer::new(config, Seeded::new(1, Clock::default()));
    let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/web";
    let namespace = json!({"metadata": {"name": "web"}});
    let spec = json!({"volumes": ["projected"], "requiredDropCapabilities": ["ALL"]});
    let edit = json!({
        "metadata": {"name": "edit"}, "subjects": [{"kind": "User", "name": "alice"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
    });
    for (path, object) in [
        ("/api/v1/namespaces", &namespace),
        (POLICIES, &policy(&spec)),
        (&*format!("{roles}/rolebindings"), &edit),
    ] {
        let created = post(&server, path, "", object);
        assert_eq!(created.code, 201, "{}", created.body);
    }
    server
}

/// Lets a subject use the policy in `web`.
fn let_use(server: &ApiServer, subject: &Value) {
    let group = "/apis/rbac.authorization.k8s.io/v1/namespaces/web";
    let role = json!({"metadata": {"name": "use"}, "rules": [{
        "verbs": ["use"], "apiGroups": ["policy"], "resources": ["podsecuritypolicies"],
        "resourceNames": ["x"],
    }]});
    let reference = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "use"});
    let binding = json!({"metadata": {"name": "use"}, "roleRef": reference, "subjects": [subject]});
    for (resource, object) in [("roles", role), ("rolebindings", binding)] {
        let created = post(server, &format!("{group}/{resource}"), "", &object);
        assert_eq!(created.code, 201, "{}", created.body);
    }
}

const PODS: &str = "/api/v1/namespaces/web/pods";
const CONTROLLER: &str = "system:serviceaccount:kube-system:replicaset-controller";

/// The right to create pods is one thing, the right to use a policy another: of the one who asks, or
/// of the pod's service account. A controller that creates the pod has none of its own.
#[test]
fn the_user_or_the_account_must_be_allowed_to_use_a_policy() {
    let pod = json!({
        "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]},
    });
    let denied = r#"pods "p" is forbidden: PodSecurityPolicy: unable to admit pod: []"#;
    let dry = format!("{PODS}?dryRun=All");
    let create = |server: &ApiServer, user: &str| {
        let answer = post(server, &dry, user, &pod);
        let message = answer.body["message"].as_str().unwrap_or_default();
        (answer.code, message.to_owned())
    };
    let server = cluster();
    let admitted = (201, String::new());
    assert_eq!(create(&server, "alice"), (403, denied.to_owned()));
    assert_eq!(create(&server, CONTROLLER), (403, denied.to_owned()));
    // The admin is in system:masters.
    assert_eq!(create(&server, ""), admitted);

    let by_user = server.fork();
    let_use(&by_user, &json!({"kind": "User", "name": "alice"}));
    assert_eq!(create(&by_user, "alice"), admitted);
    assert_eq!(create(&by_user, CONTROLLER), (403, denied.to_owned()));

    let_use(
        &server,
        &json!({"kind": "ServiceAccount", "name": "default"}),
    );
    assert_eq!(create(&server, "alice"), admitted);
    assert_eq!(create(&server, CONTROLLER), admitted);
    let stored = post(&server, PODS, "alice", &pod);
    assert_eq!(
        stored.body["metadata"]["annotations"]["kubernetes.io/psp"],
        "x"
    );
    let context = &stored.body["spec"]["containers"][0]["securityContext"];
    assert_eq!(context["capabilities"], json!({"drop": ["ALL"]}));
    let prefix = "podsecuritypolicy.policy.k8s.io";
    let audit = |phase| (format!("{prefix}/{phase}-policy"), "x".to_owned());
    for entry in [audit("admit"), audit("validate")] {
        assert!(stored.audit.contains(&entry), "{:?}", stored.audit);
    }
}

/// The admin's pods are admitted for no other reason than that he may do everything.
#[test]
fn admission_alone_can_be_explained() {
    let server = cluster();
    let admin = User {
        name: "kubernetes-admin".to_owned(),
        groups: vec!["system:masters".to_owned()],
    };
    let pod = br#"{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}"#;
    let (response, explanation) = server.admit_explained(Request {
        operation: Operation::Create,
        resource: resource::by_kind("v1", "Pod", Minor::known(24)).expect("it is served"),
        subresource: None,
        namespace: "web",
        name: "",
        user: &admin,
        dry_run: true,
        field_validation: FieldValidation::Warn,
        body: Body::Json(pod),
        old: None,
    });
    assert!(response.outcome.is_ok());
    assert!(
        explanation
            .expect("a policy was looked for")
            .only_by_masters()
    );
}

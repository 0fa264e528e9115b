//! The plugin `PodSecurityPolicy` through the chain: which policy a pod gets and for whom, in which
//! phase, and what is told of it. What each field of a policy does is in the tables beside the
//! strategies; that all of it together is what servers answer, in the recordings.

#[path = "truth/world.rs"]
mod world;

use podgate_admission::chain::{Server, admit, admit_explained};
use podgate_admission::encode::encode;
use podgate_admission::plugins::pod_security_policy::Explanation;
use podgate_admission::plugins::pod_security_policy::explanation::{
    Grant, Holder, Phase, Tried, Verdict,
};
use podgate_admission::request::{Body, FieldValidation, Operation, Request, User};
use podgate_admission::resource;
use podgate_admission::value::Value;
use podgate_policy::Minor;
use rstest::rstest;
use serde_json::{Value as Json, json};

use world::{Names, Objects, tree};

const NAMESPACE: &str = "web";

/// A server with the plugin, and its objects.
struct Cluster {
    server: Server,
    objects: Objects,
}

/// What came of a request.
struct Told {
    code: u16,
    message: String,
    warnings: Vec<String>,
    audit: Vec<(String, String)>,
    /// The object as it would be stored.
    object: Json,
    tree: Option<Value<'static>>,
    explanation: Option<Explanation>,
}

impl Told {
    /// The policy that the pod got.
    fn policy(&self) -> Option<&str> {
        self.object["metadata"]["annotations"]["kubernetes.io/psp"].as_str()
    }

    /// The audit annotations of the plugin, without its prefix.
    fn audit(&self) -> Vec<(&str, &str)> {
        let own = self.audit.iter().filter_map(|(key, value)| {
            let key = key.strip_prefix("podsecuritypolicy.policy.k8s.io/")?;
            Some((key, value.as_str()))
        });
        own.collect()
    }
}

fn user(name: &str, groups: &[&str]) -> User {
    User {
        name: name.to_owned(),
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
    }
}

fn admin() -> User {
    user("admin", &["system:masters", "system:authenticated"])
}

fn alice() -> User {
    user("alice", &["system:authenticated"])
}

impl Cluster {
    fn new(minor: u8) -> Self {
        let mut cluster = Self::without_plugin(minor);
        cluster
            .server
            .enable_admission_plugins(["PodSecurityPolicy"])
            .expect("the plugin exists");
        cluster
    }

    fn without_plugin(minor: u8) -> Self {
        let mut objects = Objects::default();
        objects.namespace(NAMESPACE, &json!({}));
        Self {
            server: Server::new(Minor::known(minor)),
            objects,
        }
    }

    /// Adds a policy that lets everybody run with every type of volume, but for what `spec` says.
    fn policy(self, name: &str, spec: &Json) -> Self {
        self.annotated_policy(name, &json!({}), spec)
    }

    fn annotated_policy(mut self, name: &str, annotations: &Json, spec: &Json) -> Self {
        let any = json!({"rule": "RunAsAny"});
        let mut full = json!({
            "runAsUser": any, "seLinux": any, "supplementalGroups": any, "fsGroup": any,
            "volumes": ["*"],
        });
        for (key, value) in spec.as_object().expect("an object") {
            full[key] = value.clone();
        }
        let metadata = json!({"name": name, "annotations": annotations});
        let policy = json!({"metadata": metadata, "spec": full});
        let api_version = "policy/v1beta1";
        let created = self.request(&admin(), api_version, "PodSecurityPolicy", &policy);
        let policy = created.tree.expect("the policy was taken");
        self.objects.keep("podsecuritypolicies", "", policy);
        self
    }

    /// Binds a role with these rules to a subject, in the namespace.
    fn bind(mut self, name: &str, rule: &Json, subject: &Json) -> Self {
        let granted = json!({"metadata": {"name": name}, "rules": [rule]});
        self.objects.keep("roles", NAMESPACE, tree(&granted));
        let reference = json!({"kind": "Role", "name": name});
        let binding =
            json!({"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]});
        self.objects.keep("rolebindings", NAMESPACE, tree(&binding));
        self
    }

    /// Lets everybody with that name use a policy.
    fn usable(self, policy: &str, who: &str) -> Self {
        let subject = match who.split_once(' ') {
            Some((kind, name)) => json!({"kind": kind, "name": name}),
            None => json!({"kind": "User", "name": who}),
        };
        let name = format!("{policy}-{}", who.replace(' ', "-"));
        self.bind(&name, &use_of("policy", policy), &subject)
    }

    fn request(&self, user: &User, api_version: &str, kind: &str, object: &Json) -> Told {
        let minor = self.server.minor();
        let resource = resource::by_kind(api_version, kind, minor).expect("it is served");
        let body = object.to_string();
        self.send(Request {
            operation: Operation::Create,
            resource,
            subresource: None,
            namespace: if resource.namespaced { NAMESPACE } else { "" },
            name: "",
            user,
            dry_run: true,
            field_validation: FieldValidation::Warn,
            body: Body::Json(body.as_bytes()),
            old: None,
        })
    }

    fn create(&self, user: &User, pod: &Json) -> Told {
        self.request(user, "v1", "Pod", pod)
    }

    fn update(&self, user: &User, subresource: Option<&str>, old: &Told, new: &Json) -> Told {
        let minor = self.server.minor();
        let body = new.to_string();
        let old = old.tree.as_ref().expect("the pod is there");
        self.send(Request {
            operation: Operation::Update,
            resource: resource::by_kind("v1", "Pod", minor).expect("it is served"),
            subresource,
            namespace: NAMESPACE,
            name: old.text_at(&["metadata", "name"]),
            user,
            dry_run: true,
            field_validation: FieldValidation::Warn,
            body: Body::Json(body.as_bytes()),
            old: Some(old),
        })
    }

    fn send(&self, request: Request<'_>) -> Told {
        let (minor, schema) = (self.server.minor(), request.resource.schema);
        let names = &mut Names::default();
        let (response, explanation) = admit_explained(&self.server, &self.objects, names, request);
        let (warnings, audit) = (response.warnings, response.audit);
        let (code, message, tree) = match response.outcome {
            Ok(object) => (201, String::new(), Some(object.into_owned())),
            Err(status) => (status.code, status.message, None),
        };
        let object = tree.as_ref().map_or(Json::Null, |object| {
            serde_json::from_str(&encode(object, schema, minor)).expect("the chain writes JSON")
        });
        Told {
            code,
            message,
            warnings,
            audit,
            object,
            tree,
            explanation,
        }
    }
}

/// A rule that lets its holders use a policy.
fn use_of(group: &str, policy: &str) -> Json {
    json!({
        "verbs": ["use"], "apiGroups": [group], "resources": ["podsecuritypolicies"],
        "resourceNames": [policy],
    })
}

/// A pod with one container.
fn pod(spec: &Json, container: &Json) -> Json {
    let mut full = json!({"containers": [{"name": "c", "image": "i"}]});
    for (key, value) in spec.as_object().expect("an object") {
        full[key] = value.clone();
    }
    for (key, value) in container.as_object().expect("an object") {
        full["containers"][0][key] = value.clone();
    }
    json!({"metadata": {"name": "p"}, "spec": full})
}

fn plain() -> Json {
    pod(&json!({}), &json!({}))
}

fn privileged() -> Json {
    let context = json!({"securityContext": {"privileged": true}});
    pod(&json!({}), &context)
}

#[test]
fn policies_do_nothing_without_the_plugin() {
    let told = Cluster::without_plugin(23)
        .policy("strict", &json!({}))
        .create(&alice(), &privileged());
    assert_eq!((told.code, told.policy()), (201, None));
    assert_eq!(told.explanation, None);
}

// D3
#[rstest]
#[case::no_policy(
    Cluster::new(23),
    admin(),
    "no providers available to validate pod request"
)]
#[case::only_broken_ones(
    Cluster::new(23).policy("broken", &json!({"runAsUser": {"rule": "MustRunAs"}})),
    admin(),
    "no providers available to validate pod request"
)]
#[case::none_usable(
    Cluster::new(23).policy("strict", &json!({})),
    alice(),
    "unable to admit pod: []"
)]
#[case::usable_and_violated(
    Cluster::new(23).policy("strict", &json!({})),
    admin(),
    "unable to admit pod: [spec.containers[0].securityContext.privileged: Invalid value: true: Privileged containers are not allowed]"
)]
#[case::said_twice_by_two(
    Cluster::new(23).policy("b", &json!({})).policy("a", &json!({"volumes": []})),
    admin(),
    r#"unable to admit pod: [spec.volumes[0]: Invalid value: "projected": projected volumes are not allowed to be used spec.containers[0].securityContext.privileged: Invalid value: true: Privileged containers are not allowed spec.containers[0].securityContext.privileged: Invalid value: true: Privileged containers are not allowed]"#
)]
#[case::only_of_usable_ones(
    Cluster::new(23).policy("a", &json!({"volumes": []})).policy("b", &json!({})).usable("b", "alice"),
    alice(),
    "unable to admit pod: [spec.containers[0].securityContext.privileged: Invalid value: true: Privileged containers are not allowed]"
)]
fn refusals(#[case] cluster: Cluster, #[case] user: User, #[case] expected: &str) {
    let told = cluster.create(&user, &privileged());
    let message = format!(r#"pods "p" is forbidden: PodSecurityPolicy: {expected}"#);
    assert_eq!((told.code, &*told.message), (403, &*message));
    assert!(told.audit().is_empty());
}

#[test]
fn a_refusal_names_the_prefix_of_a_generated_name() {
    let mut pod = privileged();
    pod["metadata"] = json!({"generateName": "web-"});
    let told = Cluster::new(23).create(&admin(), &pod);
    let expected = r#"pods "web-" is forbidden: PodSecurityPolicy: no providers available to validate pod request"#;
    assert_eq!(told.message, expected);
}

// D2
#[rstest]
#[case::first_by_name(&[("b", json!({})), ("a", json!({}))], "a")]
#[case::unchanged_beats_earlier(
    &[("a", json!({"requiredDropCapabilities": ["ALL"]})), ("z", json!({}))],
    "z"
)]
#[case::first_that_changes(
    &[("b", json!({"requiredDropCapabilities": ["ALL"]})), ("a", json!({"readOnlyRootFilesystem": true}))],
    "a"
)]
#[case::one_that_allows(
    &[("a", json!({"volumes": []})), ("b", json!({"requiredDropCapabilities": ["ALL"]}))],
    "b"
)]
#[case::broken_ones_are_passed_over(
    &[("a", json!({"fsGroup": {"rule": "MayRunAs"}})), ("b", json!({}))],
    "b"
)]
fn choice(#[case] policies: &[(&str, Json)], #[case] expected: &str) {
    let mut cluster = Cluster::new(23);
    for (name, spec) in policies {
        cluster = cluster.policy(name, spec);
    }
    let told = cluster.create(&admin(), &plain());
    assert_eq!(told.policy(), Some(expected), "{}", told.message);
    let audit = [("admit-policy", expected), ("validate-policy", expected)];
    assert_eq!(told.audit(), audit);
}

/// The profile is written into an annotation, which every policy does: so none leaves the pod as it
/// is, and the first by name gets it, though a later one would not have changed anything else.
#[test]
fn a_seccomp_field_makes_every_policy_change_the_pod() {
    let any = json!({"seccomp.security.alpha.kubernetes.io/allowedProfileNames": "*"});
    let told = Cluster::new(23)
        .annotated_policy("a", &any, &json!({"requiredDropCapabilities": ["ALL"]}))
        .annotated_policy("b", &any, &json!({}))
        .create(
            &admin(),
            &pod(
                &json!({"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}),
                &json!({}),
            ),
        );
    assert_eq!(told.policy(), Some("a"));
    let annotation = "seccomp.security.alpha.kubernetes.io/pod";
    let annotations = &told.object["metadata"]["annotations"];
    assert_eq!(annotations[annotation], "runtime/default");
}

#[test]
fn the_annotation_of_a_user_is_overwritten() {
    let mut pod = plain();
    pod["metadata"]["annotations"] = json!({"kubernetes.io/psp": "mine"});
    let told = Cluster::new(23)
        .policy("a", &json!({}))
        .create(&admin(), &pod);
    assert_eq!(told.policy(), Some("a"));
}

// D1: the pod's service account or the requester, in either group, in the pod's namespace.
#[rstest]
#[case::requester(&use_of("policy", "a"), json!({"kind": "User", "name": "alice"}), true)]
#[case::group_that_is_not_served(&use_of("extensions", "a"), json!({"kind": "User", "name": "alice"}), true)]
#[case::other_group(&use_of("apps", "a"), json!({"kind": "User", "name": "alice"}), false)]
#[case::other_policy(&use_of("policy", "b"), json!({"kind": "User", "name": "alice"}), false)]
#[case::other_verb(&json!({"verbs": ["get"], "apiGroups": ["policy"], "resources": ["podsecuritypolicies"]}), json!({"kind": "User", "name": "alice"}), false)]
#[case::all(&json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}), json!({"kind": "User", "name": "alice"}), true)]
#[case::service_account(&use_of("policy", "a"), json!({"kind": "ServiceAccount", "name": "default"}), true)]
#[case::elsewhere(&use_of("policy", "a"), json!({"kind": "ServiceAccount", "name": "default", "namespace": "other"}), false)]
#[case::service_accounts(&use_of("policy", "a"), json!({"kind": "Group", "name": "system:serviceaccounts"}), true)]
#[case::of_the_namespace(&use_of("policy", "a"), json!({"kind": "Group", "name": "system:serviceaccounts:web"}), true)]
#[case::everybody(&use_of("policy", "a"), json!({"kind": "Group", "name": "system:authenticated"}), true)]
fn rights(#[case] rule: &Json, #[case] subject: Json, #[case] expected: bool) {
    let cluster = Cluster::new(23)
        .policy("a", &json!({}))
        .bind("r", rule, &subject);
    let told = cluster.create(&alice(), &plain());
    assert_eq!(told.policy().is_some(), expected, "{}", told.message);
}

/// A real request of a service account is authenticated; the service account of a pod is only a
/// name, and has not that group.
#[test]
fn the_account_of_a_pod_is_not_authenticated() {
    let nobody = user("nobody", &[]);
    let subject = json!({"kind": "Group", "name": "system:authenticated"});
    let cluster =
        Cluster::new(23)
            .policy("a", &json!({}))
            .bind("r", &use_of("policy", "a"), &subject);
    assert_eq!(cluster.create(&nobody, &plain()).code, 403);
    let account = user(
        "system:serviceaccount:web:default",
        &["system:serviceaccounts", "system:authenticated"],
    );
    assert_eq!(cluster.create(&account, &plain()).code, 201);
}

// 0 and G: the phases.

#[test]
fn a_refusal_comes_before_validation() {
    let mut invalid = privileged();
    invalid["spec"]["restartPolicy"] = "Sometimes".into();
    let cluster = Cluster::new(23).policy("a", &json!({}));
    let told = cluster.create(&admin(), &invalid);
    assert!(told.message.contains("PodSecurityPolicy: unable to admit"));
    invalid["spec"]["containers"][0]["securityContext"] = json!({});
    assert_eq!(cluster.create(&admin(), &invalid).code, 422);
}

/// Nobody reconciles what a policy fills in with the rest of the pod.
#[test]
fn a_privileged_container_is_given_what_validation_refuses() {
    let told = Cluster::new(23)
        .policy(
            "a",
            &json!({"privileged": true, "allowPrivilegeEscalation": false}),
        )
        .create(&admin(), &privileged());
    assert_eq!(told.code, 422);
    let expected = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
    assert!(told.message.ends_with(expected), "{}", told.message);
}

/// `PodSecurity` judges what the policy has made of the pod, and says nothing where the policy
/// refused it.
#[test]
fn pod_security_sees_the_changed_pod() {
    let restricted = json!({
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/warn": "baseline",
    });
    let mut cluster = Cluster::new(23).annotated_policy(
        "a",
        &json!({
            "seccomp.security.alpha.kubernetes.io/allowedProfileNames": "*",
            "seccomp.security.alpha.kubernetes.io/defaultProfileName": "runtime/default",
        }),
        &json!({
            "requiredDropCapabilities": ["ALL"],
            "allowPrivilegeEscalation": false,
            "runAsUser": {"rule": "MustRunAsNonRoot"},
        }),
    );
    cluster.objects.namespace(NAMESPACE, &restricted);
    let told = cluster.create(&admin(), &plain());
    assert_eq!(told.code, 201, "{}", told.message);
    let refused = cluster.create(&admin(), &privileged());
    assert!(refused.message.contains("PodSecurityPolicy: unable"));
    assert_eq!(refused.warnings, [""; 0]);
    assert!(refused.audit.is_empty());
}

// D5 and C2: the volume that brings the token.
#[rstest]
#[case(20, json!(["secret"]), true)]
#[case(20, json!(["projected"]), false)]
#[case(21, json!(["secret"]), true)]
#[case(21, json!(["projected"]), true)]
#[case(23, json!(["configMap"]), false)]
#[case(24, json!([]), false)]
fn the_token_needs_a_volume(#[case] minor: u8, #[case] volumes: Json, #[case] expected: bool) {
    let cluster = Cluster::new(minor).policy("a", &json!({"volumes": volumes}));
    let told = cluster.create(&admin(), &plain());
    assert_eq!(told.code == 201, expected, "{}", told.message);
    let without = pod(&json!({"automountServiceAccountToken": false}), &json!({}));
    assert_eq!(cluster.create(&admin(), &without).code, 201);
}

/// The server will reset the field, but policies come first.
#[test]
fn proc_mounts_are_seen_as_sent() {
    let unmasked = pod(
        &json!({}),
        &json!({"securityContext": {"procMount": "Unmasked"}}),
    );
    let spec = json!({"allowedProcMountTypes": ["Unmasked"]});
    let cluster = Cluster::new(23).policy("a", &spec);
    let told = cluster.create(&admin(), &unmasked);
    let expected = r#"Invalid value: "Unmasked": ProcMountType is not allowed]"#;
    assert!(told.message.ends_with(expected), "{}", told.message);
    let told = Cluster::without_plugin(23).create(&admin(), &unmasked);
    let context = &told.object["spec"]["containers"][0]["securityContext"];
    assert_eq!(context["procMount"], "Default");
}

#[rstest]
#[case(20, 201, "")]
#[case(22, 201, "")]
#[case(
    23,
    403,
    "spec.ephemeralContainers[0].securityContext.privileged: Invalid value: true: Privileged containers are not allowed]"
)]
#[case(
    24,
    403,
    "spec.ephemeralContainers[0].securityContext.privileged: Invalid value: true: Privileged containers are not allowed]"
)]
fn ephemeral_containers_of_a_new_pod(#[case] minor: u8, #[case] code: u16, #[case] expected: &str) {
    let ephemeral = json!([{"name": "e", "image": "i", "securityContext": {"privileged": true}}]);
    let told = Cluster::new(minor).policy("a", &json!({})).create(
        &admin(),
        &pod(&json!({"ephemeralContainers": ephemeral}), &json!({})),
    );
    assert_eq!(told.code, code);
    assert!(told.message.ends_with(expected), "{}", told.message);
}

// D2: updates.

#[test]
fn nearly_every_update_is_judged_again_for_its_own_requester() {
    let cluster = Cluster::new(23).policy("a", &json!({}));
    let old = cluster.create(&admin(), &plain());
    let mut labelled = old.object.clone();
    labelled["metadata"]["labels"] = json!({"a": "b"});
    let told = cluster.update(&admin(), None, &old, &labelled);
    assert_eq!(told.code, 201, "{}", told.message);
    assert_eq!(told.audit(), [("validate-policy", "a")]);
    let told = cluster.update(&alice(), None, &old, &labelled);
    let expected = r#"pods "p" is forbidden: PodSecurityPolicy: unable to validate pod: []"#;
    assert_eq!((told.code, &*told.message), (403, expected));
    let explanation = told.explanation.expect("it was asked for");
    assert_eq!(explanation.phase, Phase::Validate);
    assert_eq!(explanation.admitted_by, None);
}

#[test]
fn garbage_collection_is_not_judged() {
    let cluster = Cluster::new(23).policy("a", &json!({}));
    let old = cluster.create(&admin(), &plain());
    let mut owned = old.object.clone();
    owned["metadata"]["finalizers"] = json!(["example.com/f"]);
    owned["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": "1"}]);
    let told = cluster.update(&alice(), None, &old, &owned);
    assert_eq!((told.code, told.audit()), (201, vec![]), "{}", told.message);
}

/// A policy that would have to change the pod is passed over without a word.
#[test]
fn updates_change_nothing() {
    let cluster = Cluster::new(23).policy("a", &json!({}));
    let old = cluster.create(&admin(), &plain());
    let cluster = Cluster::new(23).policy("b", &json!({"requiredDropCapabilities": ["ALL"]}));
    let mut labelled = old.object.clone();
    labelled["metadata"]["labels"] = json!({"a": "b"});
    let told = cluster.update(&admin(), None, &old, &labelled);
    let expected = r#"pods "p" is forbidden: PodSecurityPolicy: unable to validate pod: []"#;
    assert_eq!((told.code, &*told.message), (403, expected));
}

/// The policy that a pod was admitted by is asked before those whose names come first.
#[test]
fn updates_ask_the_policy_of_the_pod_first() {
    let cluster = Cluster::new(23).policy("b", &json!({}));
    let old = cluster.create(&admin(), &plain());
    let cluster = cluster.policy("a", &json!({}));
    let mut labelled = old.object.clone();
    labelled["metadata"]["labels"] = json!({"a": "b"});
    let told = cluster.update(&admin(), None, &old, &labelled);
    assert_eq!(told.audit(), [("validate-policy", "b")]);
}

#[rstest]
#[case("ephemeralcontainers")]
#[case("status")]
fn subresources_pass_by(#[case] subresource: &str) {
    let cluster = Cluster::new(23).policy("a", &json!({}));
    let old = cluster.create(&admin(), &plain());
    let mut new = old.object.clone();
    let debug = json!({
        "name": "e", "image": "i", "imagePullPolicy": "Always",
        "terminationMessagePolicy": "File", "securityContext": {"privileged": true},
    });
    new["spec"]["ephemeralContainers"] = json!([debug]);
    let told = cluster.update(&alice(), Some(subresource), &old, &new);
    assert_eq!(
        (told.code, told.explanation),
        (201, None),
        "{}",
        told.message
    );
}

#[test]
fn templates_are_not_judged() {
    let labels = json!({"app": "a"});
    let deployment = json!({
        "metadata": {"name": "d"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": privileged()["spec"]},
        },
    });
    let told = Cluster::new(23).request(&alice(), "apps/v1", "Deployment", &deployment);
    assert_eq!((told.code, told.explanation), (201, None));
}

// What the server does not tell.

fn verdicts(explanation: &Explanation) -> Vec<(&str, &Verdict, usize)> {
    let tried = explanation.tried.iter();
    tried
        .map(|tried| (&*tried.policy, &tried.verdict, tried.usable_by.len()))
        .collect()
}

#[test]
fn a_refusal_is_explained_policy_by_policy() {
    let told = Cluster::new(23)
        .policy("a-broken", &json!({"runAsUser": {"rule": "MustRunAs"}}))
        .policy("b-strict", &json!({}))
        .policy(
            "c-not-usable",
            &json!({"privileged": true, "readOnlyRootFilesystem": true}),
        )
        .policy("d-not-usable", &json!({"privileged": true}))
        .usable("b-strict", "alice")
        .create(&alice(), &privileged());
    assert_eq!(told.code, 403);
    let explanation = told.explanation.expect("it was asked for");
    assert_eq!(
        (explanation.phase, &explanation.admitted_by),
        (Phase::Admit, &None)
    );
    let [broken, strict, changing, allowing] = &verdicts(&explanation)[..] else {
        panic!("four policies were tried");
    };
    let reason = Verdict::Broken("MustRunAs requires at least one range".to_owned());
    assert_eq!(*broken, ("a-broken", &reason, 0));
    let ("b-strict", Verdict::Refuses(errors), 1) = strict else {
        panic!("{strict:?}");
    };
    assert_eq!(errors[0].policy_field, "spec.privileged");
    let changes = Verdict::Changes(vec![
        "spec.containers[0].securityContext.readOnlyRootFilesystem".into(),
    ]);
    assert_eq!(*changing, ("c-not-usable", &changes, 0));
    assert_eq!(*allowing, ("d-not-usable", &Verdict::Allows, 0));
    assert!(!explanation.only_by_masters());
}

#[test]
fn an_admission_is_explained_by_who_may_use_the_policy() {
    let cluster = Cluster::new(23).policy("a", &json!({}));
    let told = cluster.create(&admin(), &plain());
    let explanation = told.explanation.expect("it was asked for");
    assert_eq!(explanation.admitted_by.as_deref(), Some("a"));
    assert!(explanation.only_by_masters());

    let cluster = cluster.usable("a", "ServiceAccount default");
    let told = cluster.create(&admin(), &plain());
    let explanation = told.explanation.expect("it was asked for");
    assert!(!explanation.only_by_masters());
    let binding = r#"RBAC: allowed by RoleBinding "a-ServiceAccount-default/web" of Role "a-ServiceAccount-default" to ServiceAccount "default/web""#;
    let grant = |holder, user: &str, binding: Option<&str>| Grant {
        holder,
        user: user.to_owned(),
        binding: binding.map(str::to_owned),
    };
    assert_eq!(
        explanation.tried,
        [Tried {
            policy: "a".to_owned(),
            verdict: Verdict::Allows,
            usable_by: vec![
                grant(
                    Holder::ServiceAccount,
                    "system:serviceaccount:web:default",
                    Some(binding)
                ),
                grant(Holder::Requester, "admin", None),
            ],
        }]
    );
}

#[test]
fn nobody_asks_and_nothing_is_explained() {
    let cluster = Cluster::new(23).policy("a", &json!({}));
    let body = plain().to_string();
    let user = admin();
    let request = || Request {
        operation: Operation::Create,
        resource: resource::by_kind("v1", "Pod", cluster.server.minor()).expect("it is served"),
        subresource: None,
        namespace: NAMESPACE,
        name: "",
        user: &user,
        dry_run: true,
        field_validation: FieldValidation::Warn,
        body: Body::Json(body.as_bytes()),
        old: None,
    };
    let names = || Names::default();
    let response = admit(&cluster.server, &cluster.objects, &mut names(), request());
    let (explained, _) =
        admit_explained(&cluster.server, &cluster.objects, &mut names(), request());
    assert_eq!(response.outcome, explained.outcome);
    assert_eq!(response.audit, explained.audit);
}

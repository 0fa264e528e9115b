//! Rules against attributes, and the texts of refusals.

use std::sync::Arc;

use podgate_policy::Minor;
use rstest::rstest;

use super::*;
use crate::decode::decode_untyped;
use crate::resource::by_kind;

/// Objects of a cluster: resource, namespace, object.
struct Cluster(Vec<(&'static str, &'static str, Arc<Value<'static>>)>);

impl World for Cluster {
    fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Arc<Value<'static>>> {
        let mut objects = self.list(resource, namespace).into_iter();
        objects.find(|object| object.text_at(&["metadata", "name"]) == name)
    }

    fn list(&self, resource: &str, namespace: &str) -> Vec<Arc<Value<'static>>> {
        self.0
            .iter()
            .filter(|(r, n, _)| *r == resource && *n == namespace)
            .map(|(_, _, object)| Arc::clone(object))
            .collect()
    }
}

fn cluster() -> Cluster {
    let objects = [
        (
            "clusterroles",
            "",
            r#"{"metadata":{"name":"reader"},"rules":[{"verbs":["get","list"],"apiGroups":["","apps"],"resources":["pods","*/scale"]},{"verbs":["get"],"nonResourceURLs":["/version","/api/*"]}]}"#,
        ),
        (
            "clusterroles",
            "",
            r#"{"metadata":{"name":"all"},"rules":[{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}]}"#,
        ),
        (
            "roles",
            "web",
            r#"{"metadata":{"name":"debug"},"rules":[{"verbs":["patch"],"apiGroups":[""],"resources":["pods/ephemeralcontainers"],"resourceNames":["one"]}]}"#,
        ),
        (
            "clusterrolebindings",
            "",
            r#"{"metadata":{"name":"readers"},"roleRef":{"kind":"ClusterRole","name":"reader"},"subjects":[{"kind":"Group","name":"dev"}]}"#,
        ),
        (
            "clusterrolebindings",
            "",
            r#"{"roleRef":{"kind":"ClusterRole","name":"gone"},"subjects":[{"kind":"User","name":"bob"}]}"#,
        ),
        (
            "rolebindings",
            "web",
            r#"{"metadata":{"name":"debuggers"},"roleRef":{"kind":"Role","name":"debug"},"subjects":[{"kind":"User","name":"alice"}]}"#,
        ),
        (
            "rolebindings",
            "web",
            r#"{"metadata":{"name":"builders"},"roleRef":{"kind":"ClusterRole","name":"all"},"subjects":[{"kind":"ServiceAccount","name":"builder"},{"kind":"ServiceAccount","name":"other","namespace":"ci"}]}"#,
        ),
    ];
    Cluster(
        objects
            .into_iter()
            .map(|(resource, namespace, json)| {
                let object = decode_untyped(json.as_bytes()).expect("JSON").into_owned();
                (resource, namespace, Arc::new(object))
            })
            .collect(),
    )
}

fn user(name: &str, groups: &[&str]) -> User {
    User {
        name: name.to_owned(),
        groups: groups.iter().map(|&g| g.to_owned()).collect(),
    }
}

/// `verb group resource/subresource namespace/name`, with `-` for nothing.
fn attributes(text: &str) -> Attributes<'_> {
    let bare = |text| if text == "-" { "" } else { text };
    let mut words = text.split(' ');
    let mut next = || words.next().unwrap_or("-");
    let (verb, group, resource, object) = (next(), next(), next(), next());
    if verb == "path" {
        return Attributes {
            verb: group,
            path: Some(resource),
            ..Attributes::default()
        };
    }
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let (namespace, name) = object.split_once('/').unwrap_or((object, ""));
    Attributes {
        verb,
        group: bare(group),
        resource,
        subresource,
        namespace: bare(namespace),
        name,
        path: None,
    }
}

#[rstest]
#[case("root", &["system:masters"], "delete - nodes -/n", true)]
#[case("x", &["dev"], "list - pods -", true)]
#[case("x", &["dev"], "get - pods web/one", true)]
#[case("x", &["dev"], "create - pods web", false)]
#[case("x", &["dev"], "get batch pods web/one", false)]
#[case("x", &["dev"], "get - pods/log web/one", false)]
#[case("x", &["dev"], "get apps deployments/scale web/d", true)]
#[case("x", &["dev"], "get apps deployments web/d", false)]
#[case("x", &["dev"], "path get /version", true)]
#[case("x", &["dev"], "path get /api/v1", true)]
#[case("x", &["dev"], "path get /apis", false)]
#[case("x", &["dev"], "path post /version", false)]
#[case("alice", &[], "patch - pods/ephemeralcontainers web/one", true)]
#[case("alice", &[], "patch - pods/ephemeralcontainers web/two", false)]
#[case("alice", &[], "patch - pods/ephemeralcontainers other/one", false)]
#[case("alice", &[], "patch - pods web/one", false)]
#[case("system:serviceaccount:web:builder", &[], "create - pods web", true)]
#[case("system:serviceaccount:ci:builder", &[], "create - pods web", false)]
#[case("system:serviceaccount:ci:other", &[], "create - pods/status web", true)]
#[case("system:serviceaccount:ci:other", &[], "list - pods -", false)]
fn rules_decide(
    #[case] name: &str,
    #[case] groups: &[&str],
    #[case] wanted: &str,
    #[case] expected: bool,
) {
    let decision = authorize(&cluster(), &user(name, groups), &attributes(wanted));
    assert_eq!(decision.allowed, expected);
}

// As upstream's describers write them; no recording has one.
#[rstest]
#[case("root", &["system:masters"], "delete - nodes -/n", "")]
#[case("x", &["dev"], "create - pods web", "")]
#[case("x", &["dev"], "list - pods -", r#"RBAC: allowed by ClusterRoleBinding "readers" of ClusterRole "reader" to Group "dev""#)]
#[case("alice", &[], "patch - pods/ephemeralcontainers web/one", r#"RBAC: allowed by RoleBinding "debuggers/web" of Role "debug" to User "alice""#)]
#[case("system:serviceaccount:web:builder", &[], "create - pods web", r#"RBAC: allowed by RoleBinding "builders/web" of ClusterRole "all" to ServiceAccount "builder/web""#)]
#[case("system:serviceaccount:ci:other", &[], "create - pods web", r#"RBAC: allowed by RoleBinding "builders/web" of ClusterRole "all" to ServiceAccount "other/ci""#)]
fn permissions_name_their_binding(
    #[case] name: &str,
    #[case] groups: &[&str],
    #[case] wanted: &str,
    #[case] expected: &str,
) {
    let decision = authorize(&cluster(), &user(name, groups), &attributes(wanted));
    assert_eq!(decision.reason, expected);
}

#[test]
fn a_refusal_tells_of_missing_roles() {
    let decision = authorize(
        &cluster(),
        &user("bob", &[]),
        &attributes("list - pods web"),
    );
    let reason = r#"RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found"#;
    assert_eq!((decision.allowed, &*decision.reason), (false, reason));
}

// The first two as recorded on 1.23 and 1.36.
#[rstest]
#[case("list - pods web", r#"pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "web""#)]
#[case("create - pods web", r#"pods is forbidden: User "alice" cannot create resource "pods" in API group "" in the namespace "web""#)]
#[case("patch apps deployments/scale web/d", r#"deployments.apps "d" is forbidden: User "alice" cannot patch resource "deployments/scale" in API group "apps" in the namespace "web""#)]
#[case("list - nodes -", r#"nodes is forbidden: User "alice" cannot list resource "nodes" in API group "" at the cluster scope"#)]
#[case(
    "path get /metrics",
    r#"forbidden: User "alice" cannot get path "/metrics""#
)]
fn texts(#[case] wanted: &str, #[case] expected: &str) {
    let status = forbidden(&user("alice", &[]), &attributes(wanted), "");
    assert_eq!((status.code, &*status.message), (403, expected));
}

fn granting(name: &str, json: &str) -> Result<(), String> {
    let object = decode_untyped(json.as_bytes()).expect("JSON");
    let resource = by_kind(
        "rbac.authorization.k8s.io/v1",
        object.text_at(&["kind"]),
        Minor::NEWEST,
    );
    let resource = resource.expect("a resource");
    let namespace = if resource.namespaced { "web" } else { "" };
    let user = user(name, &["dev"]);
    confirm_no_escalation(&cluster(), &user, resource, namespace, &object, None)
        .map_err(|status| status.message)
}

#[rstest]
#[case("x", r#"{"kind":"Role","metadata":{"name":"r"},"rules":[{"verbs":["get","list"],"apiGroups":[""],"resources":["pods","deployments/scale"]}]}"#)]
#[case("x", r#"{"kind":"ClusterRole","metadata":{"name":"r"},"rules":[{"verbs":["get"],"nonResourceURLs":["/api/v1","/version"]}]}"#)]
#[case("x", r#"{"kind":"RoleBinding","metadata":{"name":"b"},"roleRef":{"kind":"ClusterRole","name":"reader"}}"#)]
#[case("system:serviceaccount:web:builder", r#"{"kind":"RoleBinding","metadata":{"name":"b"},"roleRef":{"kind":"ClusterRole","name":"all"}}"#)]
#[case("alice", r#"{"kind":"Role","metadata":{"name":"r"},"rules":[{"verbs":["patch"],"apiGroups":[""],"resources":["pods/ephemeralcontainers"],"resourceNames":["one"]}]}"#)]
fn own_rights_can_be_granted(#[case] name: &str, #[case] object: &str) {
    assert_eq!(granting(name, object), Ok(()));
}

#[rstest]
#[case("x", r#"{"kind":"Role","metadata":{"name":"r"},"rules":[{"verbs":["get","create","delete"],"apiGroups":[""],"resources":["pods"]}]}"#, "roles.rbac.authorization.k8s.io \"r\" is forbidden: user \"x\" (groups=[\"dev\"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"create\" \"delete\"]}")]
#[case("alice", r#"{"kind":"Role","metadata":{"name":"r"},"rules":[{"verbs":["patch"],"apiGroups":[""],"resources":["pods/ephemeralcontainers"],"resourceNames":["two"]}]}"#, "roles.rbac.authorization.k8s.io \"r\" is forbidden: user \"alice\" (groups=[\"dev\"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"pods/ephemeralcontainers\"], ResourceNames:[\"two\"], Verbs:[\"patch\"]}")]
#[case("x", r#"{"kind":"ClusterRole","metadata":{"name":"r"},"rules":[{"verbs":["get"],"nonResourceURLs":["/apis"]}]}"#, "clusterroles.rbac.authorization.k8s.io \"r\" is forbidden: user \"x\" (groups=[\"dev\"]) is attempting to grant RBAC permissions not currently held:\n{NonResourceURLs:[\"/apis\"], Verbs:[\"get\"]}")]
#[case("x", r#"{"kind":"ClusterRole","metadata":{"name":"r"},"aggregationRule":{"clusterRoleSelectors":[{}]}}"#, "clusterroles.rbac.authorization.k8s.io \"r\" is forbidden: must have cluster-admin privileges to use the aggregationRule")]
#[case("x", r#"{"kind":"RoleBinding","metadata":{"name":"b"},"roleRef":{"kind":"ClusterRole","name":"all"}}"#, "rolebindings.rbac.authorization.k8s.io \"b\" is forbidden: user \"x\" (groups=[\"dev\"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"*\"], Resources:[\"*\"], Verbs:[\"*\"]}")]
#[case(
    "x",
    r#"{"kind":"RoleBinding","metadata":{"name":"b"},"roleRef":{"kind":"Role","name":"none"}}"#,
    "role.rbac.authorization.k8s.io \"none\" not found"
)]
fn other_rights_cannot(#[case] name: &str, #[case] object: &str, #[case] message: &str) {
    assert_eq!(granting(name, object), Err(message.to_owned()));
}

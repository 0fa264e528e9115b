//! The roles and bindings that a server creates for itself, as far as they are about resources that
//! this one serves: those of users and those of the controllers that make pods.
//!
//! Upstream: `k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy`. What differs between
//! minors there is about resources that are not served here, but for one. `cluster-admin`, `admin`, `edit` and
//! `view` have the rules of all minors; those of the last three are gathered from the roles that are
//! labelled for them, which is the aggregation controller's work.

use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;

use super::{meta, object};
use crate::state::State;

/// The first minor in which everybody may ask who they are.
const FIRST_WITH_WHOAMI: u8 = 28;
const API_VERSION: &str = "rbac.authorization.k8s.io/v1";
const GROUP: &str = "rbac.authorization.k8s.io";

/// Verbs, groups, resources.
type Rule = (
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);

/// Name, the role that it is gathered into, rules, paths to `get`.
type Role = (
    &'static str,
    Option<&'static str>,
    &'static [Rule],
    &'static [&'static str],
);

const READ: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &["create", "delete", "deletecollection", "patch", "update"];
const READ_WRITE: &[&str] = &[
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];
/// All but the deletion of collections.
const OWN: &[&str] = &[
    "create", "delete", "get", "list", "patch", "update", "watch",
];
const FOLLOW: &[&str] = &["get", "list", "update", "watch"];
const UPDATE: &[&str] = &["update"];
const CORE: &[&str] = &[""];
const APPS: &[&str] = &["apps"];
const BATCH: &[&str] = &["batch"];
const ALL: &[&str] = &["*"];
const EVENTS: Rule = (&["create", "patch", "update"], CORE, &["events"]);
const MAKE_PODS: Rule = (
    &["create", "delete", "list", "patch", "watch"],
    CORE,
    &["pods"],
);

const TO_ADMIN: &[Rule] = &[
    (
        &["create"],
        &["authorization.k8s.io"],
        &["localsubjectaccessreviews"],
    ),
    (READ_WRITE, &[GROUP], &["rolebindings", "roles"]),
];

const TO_EDIT: &[Rule] = &[
    (
        READ,
        CORE,
        &[
            "pods/attach",
            "pods/exec",
            "pods/portforward",
            "pods/proxy",
            "secrets",
            "services/proxy",
        ],
    ),
    (&["impersonate"], CORE, &["serviceaccounts"]),
    (
        WRITE,
        CORE,
        &[
            "pods",
            "pods/attach",
            "pods/exec",
            "pods/portforward",
            "pods/proxy",
        ],
    ),
    (&["create"], CORE, &["pods/eviction"]),
    (
        WRITE,
        CORE,
        &[
            "configmaps",
            "events",
            "persistentvolumeclaims",
            "replicationcontrollers",
            "replicationcontrollers/scale",
            "secrets",
            "serviceaccounts",
            "services",
            "services/proxy",
        ],
    ),
    (&["create"], CORE, &["serviceaccounts/token"]),
    (
        WRITE,
        APPS,
        &[
            "daemonsets",
            "deployments",
            "deployments/rollback",
            "deployments/scale",
            "replicasets",
            "replicasets/scale",
            "statefulsets",
            "statefulsets/scale",
        ],
    ),
    (WRITE, BATCH, &["cronjobs", "jobs"]),
];

const TO_VIEW: &[Rule] = &[
    (
        READ,
        CORE,
        &[
            "configmaps",
            "persistentvolumeclaims",
            "persistentvolumeclaims/status",
            "pods",
            "replicationcontrollers",
            "replicationcontrollers/scale",
            "serviceaccounts",
            "services",
            "services/status",
        ],
    ),
    (
        READ,
        CORE,
        &[
            "events",
            "limitranges",
            "namespaces/status",
            "pods/log",
            "pods/status",
            "replicationcontrollers/status",
            "resourcequotas",
            "resourcequotas/status",
        ],
    ),
    (READ, CORE, &["namespaces"]),
    (
        READ,
        APPS,
        &[
            "controllerrevisions",
            "daemonsets",
            "daemonsets/status",
            "deployments",
            "deployments/scale",
            "deployments/status",
            "replicasets",
            "replicasets/scale",
            "replicasets/status",
            "statefulsets",
            "statefulsets/scale",
            "statefulsets/status",
        ],
    ),
    (
        READ,
        BATCH,
        &["cronjobs", "cronjobs/status", "jobs", "jobs/status"],
    ),
];

/// The roles for users that have rules of their own.
const ROLES: &[Role] = &[
    ("system:aggregate-to-admin", Some("admin"), TO_ADMIN, &[]),
    ("system:aggregate-to-edit", Some("edit"), TO_EDIT, &[]),
    ("system:aggregate-to-view", Some("view"), TO_VIEW, &[]),
    (
        "system:basic-user",
        None,
        &[(
            &["create"],
            &["authorization.k8s.io"],
            &["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
        )],
        &[],
    ),
    (
        "system:discovery",
        None,
        &[],
        &[
            "/api",
            "/api/*",
            "/apis",
            "/apis/*",
            "/healthz",
            "/livez",
            "/openapi",
            "/openapi/*",
            "/readyz",
            "/version",
            "/version/",
        ],
    ),
    (
        "system:public-info-viewer",
        None,
        &[],
        &["/healthz", "/livez", "/readyz", "/version", "/version/"],
    ),
];

/// The roles that are gathered from others: name, and the role that they are gathered into.
const AGGREGATED: [(&str, Option<&str>); 3] = [
    ("admin", None),
    ("edit", Some("admin")),
    ("view", Some("edit")),
];

/// The controllers by the name of their service account in `kube-system`, with their rules.
const CONTROLLERS: &[(&str, &[Rule])] = &[
    (
        "cronjob-controller",
        &[
            (FOLLOW, BATCH, &["cronjobs"]),
            (OWN, BATCH, &["jobs"]),
            (UPDATE, BATCH, &["cronjobs/status"]),
            (UPDATE, BATCH, &["cronjobs/finalizers"]),
            (&["delete", "list", "watch"], CORE, &["pods"]),
            EVENTS,
        ],
    ),
    (
        "daemon-set-controller",
        &[
            (READ, APPS, &["daemonsets"]),
            (UPDATE, APPS, &["daemonsets/status"]),
            (UPDATE, APPS, &["daemonsets/finalizers"]),
            (&["list", "watch"], CORE, &["nodes"]),
            MAKE_PODS,
            (&["create"], CORE, &["pods/binding"]),
            (OWN, APPS, &["controllerrevisions"]),
            EVENTS,
        ],
    ),
    (
        "deployment-controller",
        &[
            (FOLLOW, APPS, &["deployments"]),
            (UPDATE, APPS, &["deployments/status"]),
            (UPDATE, APPS, &["deployments/finalizers"]),
            (OWN, APPS, &["replicasets"]),
            (FOLLOW, CORE, &["pods"]),
            EVENTS,
        ],
    ),
    (
        "generic-garbage-collector",
        &[
            (
                &["delete", "get", "list", "patch", "update", "watch"],
                ALL,
                ALL,
            ),
            EVENTS,
        ],
    ),
    (
        "job-controller",
        &[
            (
                &["get", "list", "patch", "update", "watch"],
                BATCH,
                &["jobs"],
            ),
            (UPDATE, BATCH, &["jobs/status"]),
            (UPDATE, BATCH, &["jobs/finalizers"]),
            MAKE_PODS,
            EVENTS,
        ],
    ),
    (
        "namespace-controller",
        &[
            (&["delete", "get", "list", "watch"], CORE, &["namespaces"]),
            (UPDATE, CORE, &["namespaces/finalize", "namespaces/status"]),
            (
                &["delete", "deletecollection", "get", "list", "watch"],
                ALL,
                ALL,
            ),
        ],
    ),
    (
        "replicaset-controller",
        &[
            (FOLLOW, APPS, &["replicasets"]),
            (UPDATE, APPS, &["replicasets/status"]),
            (UPDATE, APPS, &["replicasets/finalizers"]),
            MAKE_PODS,
            EVENTS,
        ],
    ),
    (
        "replication-controller",
        &[
            (FOLLOW, CORE, &["replicationcontrollers"]),
            (UPDATE, CORE, &["replicationcontrollers/status"]),
            (UPDATE, CORE, &["replicationcontrollers/finalizers"]),
            MAKE_PODS,
            EVENTS,
        ],
    ),
    (
        "service-account-controller",
        &[(&["create"], CORE, &["serviceaccounts"]), EVENTS],
    ),
    (
        "statefulset-controller",
        &[
            (&["list", "watch"], CORE, &["pods"]),
            (READ, APPS, &["statefulsets"]),
            (UPDATE, APPS, &["statefulsets/status"]),
            (UPDATE, APPS, &["statefulsets/finalizers"]),
            (
                &["create", "delete", "get", "patch", "update"],
                CORE,
                &["pods"],
            ),
            (OWN, APPS, &["controllerrevisions"]),
            (
                &["create", "get", "list", "watch"],
                CORE,
                &["persistentvolumeclaims"],
            ),
            (&["delete", "update"], CORE, &["persistentvolumeclaims"]),
            (UPDATE, CORE, &["pods/finalizers"]),
            EVENTS,
        ],
    ),
];

/// The bindings of groups: the role, whose name the binding has, and its groups.
const BINDINGS: [(&str, &[&str]); 4] = [
    ("cluster-admin", &["system:masters"]),
    ("system:basic-user", &["system:authenticated"]),
    ("system:discovery", &["system:authenticated"]),
    (
        "system:public-info-viewer",
        &["system:authenticated", "system:unauthenticated"],
    ),
];

/// Writes all of them.
pub(super) fn create(state: &mut State, minor: Minor) {
    let everything = vec![rule((ALL, ALL, ALL)), paths(ALL, ALL)];
    role(state, "cluster-admin", None, everything);
    for &(name, into, rules, urls) in ROLES {
        let mut rules: Vec<_> = rules.iter().copied().map(rule).collect();
        if name == "system:basic-user" && minor.number() >= FIRST_WITH_WHOAMI {
            let whoami = &["selfsubjectreviews"];
            rules.push(rule((&["create"], &["authentication.k8s.io"], whoami)));
        }
        if !urls.is_empty() {
            rules.push(paths(&["get"], urls));
        }
        role(state, name, into, rules);
    }
    for (name, into) in AGGREGATED {
        let labels = Object::from_iter([(label(name), "true")]);
        let selector = Object::from_iter([("matchLabels", labels)]);
        let aggregation =
            Object::from_iter([("clusterRoleSelectors", vec![Value::from(selector)])]);
        let mut gathered = header(state, "ClusterRole", name, into);
        gathered.insert("aggregationRule", aggregation);
        state.put("clusterroles", "", name, gathered);
    }
    for &(controller, rules) in CONTROLLERS {
        let name = format!("system:controller:{controller}");
        role(
            state,
            &name,
            None,
            rules.iter().copied().map(rule).collect(),
        );
        let mut subject = Object::from_iter([("kind", "ServiceAccount"), ("name", controller)]);
        subject.insert("namespace", "kube-system");
        bind(state, &name, vec![Value::from(subject)]);
    }
    for (name, groups) in BINDINGS {
        let subjects = groups.iter().map(|&group| {
            let subject = [("kind", "Group"), ("apiGroup", GROUP), ("name", group)];
            Value::from(Object::from_iter(subject))
        });
        bind(state, name, subjects.collect());
    }
}

fn role(state: &mut State, name: &str, into: Option<&str>, rules: Vec<Value<'static>>) {
    let mut role = header(state, "ClusterRole", name, into);
    role.insert("rules", rules);
    state.put("clusterroles", "", name, role);
}

fn bind(state: &mut State, name: &str, subjects: Vec<Value<'static>>) {
    let mut binding = header(state, "ClusterRoleBinding", name, None);
    let mut role = Object::from_iter([("apiGroup", GROUP), ("kind", "ClusterRole")]);
    role.insert("name", name.to_owned());
    binding.insert("subjects", subjects);
    binding.insert("roleRef", role);
    state.put("clusterrolebindings", "", name, binding);
}

/// An object of the group with the label that all of them carry.
fn header(
    state: &mut State,
    kind: &'static str,
    name: &str,
    into: Option<&str>,
) -> Object<'static> {
    let mut metadata = meta(state, "", name);
    let mut labels = Object::from_iter([("kubernetes.io/bootstrapping", "rbac-defaults")]);
    if let Some(into) = into {
        labels.insert(label(into), "true");
    }
    metadata.insert("labels", labels);
    object(API_VERSION, kind, metadata)
}

/// The label of roles whose rules are gathered into the role `into`.
fn label(into: &str) -> String {
    format!("rbac.authorization.k8s.io/aggregate-to-{into}")
}

fn rule((verbs, groups, resources): Rule) -> Value<'static> {
    let lists = [
        ("verbs", verbs),
        ("apiGroups", groups),
        ("resources", resources),
    ];
    Value::from(Object::from_iter(
        lists.map(|(key, list)| (key, texts(list))),
    ))
}

fn paths(verbs: &[&'static str], urls: &[&'static str]) -> Value<'static> {
    let lists = [("verbs", verbs), ("nonResourceURLs", urls)];
    Value::from(Object::from_iter(
        lists.map(|(key, list)| (key, texts(list))),
    ))
}

fn texts(texts: &[&'static str]) -> Vec<Value<'static>> {
    texts.iter().map(|&text| Value::from(text)).collect()
}

//! `podgate audit --context`: every pod and every template, read by a user who may get and list and
//! nothing else; what a server with too much to do leaves out is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use podgate_harness::audit::live::{Live, Options};
use podgate_harness::audit::{Detail, Known, Owner, Report, Watch};
use podgate_harness::check::{Policy, Target};
use podgate_harness::error::{Error, ErrorKind};
use podgate_policy::{Level, Minor, Server, text};
use rstest::rstest;
use serde_json::{Value, json};

use crate::Mine;
use crate::cluster::{Manners, Somebodys, Trouble};

/// How much a cluster has.
#[derive(Clone, Copy)]
struct Size {
    namespaces: usize,
    /// Pods of the workload that restricted refuses, in each namespace.
    bad: usize,
    /// Pods of the one that it admits.
    good: usize,
}

impl Size {
    /// One pod belongs to nobody.
    const fn pods(self) -> usize {
        self.namespaces * (self.bad + self.good) + 1
    }
}

const SMALL: Size = Size {
    namespaces: NAMESPACES,
    bad: 100,
    good: 40,
};

const LARGE: Size = Size {
    namespaces: 500,
    bad: 70,
    good: 30,
};

const NAMESPACES: usize = 8;
const PODS: usize = SMALL.pods();

fn deployment(name: &str, replicas: usize, spec: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": spec},
        },
    })
}

fn hardened() -> Value {
    json!({
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "c", "image": "i", "securityContext": {
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
        }}],
    })
}

/// A cluster with many pods. Its user may get and list what an audit needs.
fn cluster(trouble: Option<fn(&str, usize) -> Option<Trouble>>) -> Somebodys {
    cluster_of(SMALL, trouble)
}

/// The same of a size.
fn cluster_of(size: Size, trouble: Option<fn(&str, usize) -> Option<Trouble>>) -> Somebodys {
    let mine = Mine::new(&[("any", crate::APPLIED)]);
    let manners = Manners {
        user: Some("auditor"),
        trouble,
        ..Manners::default()
    };
    let theirs = Somebodys::new(&mine.suite.clusters[0], Minor::known(36), manners);
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let rule = |group: &str, resources: &[&str]| json!({"apiGroups": [group], "resources": resources, "verbs": ["get", "list"]});
    let rules = [
        rule(
            "",
            &[
                "namespaces",
                "pods",
                "serviceaccounts",
                "replicationcontrollers",
            ],
        ),
        rule(
            "apps",
            &["deployments", "statefulsets", "daemonsets", "replicasets"],
        ),
        rule("batch", &["jobs", "cronjobs"]),
        rule("node.k8s.io", &["runtimeclasses"]),
        rule("scheduling.k8s.io", &["priorityclasses"]),
    ];
    theirs.create(
        &format!("{rbac}/clusterroles"),
        &json!({"metadata": {"name": "auditor"}, "rules": rules}),
    );
    theirs.create(
        &format!("{rbac}/clusterrolebindings"),
        &json!({
            "metadata": {"name": "auditor"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "auditor"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "auditor"}],
        }),
    );
    let privileged = json!({
        "hostNetwork": true,
        "containers": [{"name": "main", "image": "i", "securityContext": {"privileged": true}}],
    });
    for at in 0..size.namespaces {
        let namespace = format!("team-{at}");
        theirs.create(
            "/api/v1/namespaces",
            &json!({"metadata": {"name": namespace}}),
        );
        let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
        theirs.create(&path, &deployment("bad", size.bad, &privileged));
        theirs.create(&path, &deployment("good", size.good, &hardened()));
    }
    // One that nobody owns, and whose server has filled in what a manifest would not have.
    let pod = json!({"metadata": {"name": "alone"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    theirs.create("/api/v1/namespaces/team-0/pods", &pod);
    theirs.requests();
    theirs
}

/// Keeps the lines.
#[derive(Default)]
struct Lines(Mutex<Vec<u8>>);

impl Watch for Lines {
    fn lines(&self, lines: &[u8]) -> Result<bool, Error> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(lines);
        Ok(true)
    }

    fn progress(&self, _: u64, _: usize) {}

    fn size(&self, _: u64) {}
}

impl Lines {
    fn json(&self) -> Vec<Value> {
        let all = self.0.lock().expect("no panic");
        let lines = all
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        lines
            .map(|line| serde_json::from_slice(line).expect("JSON"))
            .collect()
    }
}

fn audited(theirs: &Somebodys, detail: Detail, lines: &Lines) -> Result<Report, Error> {
    audited_with(theirs, detail, lines, &[])
}

fn audited_with(
    theirs: &Somebodys,
    detail: Detail,
    lines: &Lines,
    templates: &[&str],
) -> Result<Report, Error> {
    let templates = templates
        .iter()
        .map(|text| Arc::new(text.parse().expect("a template")));
    let kubeconfig = theirs.kubeconfig();
    let live = Live::open("theirs", Some(&kubeconfig))?;
    assert_eq!(live.minor(), Minor::known(36));
    let options = Options {
        policy: Policy {
            enforce: Some("restricted:latest".parse().expect("a level")),
            ..Policy::default()
        },
        to: Target {
            cluster: None,
            minor: live.minor(),
        },
        requester: None,
        detail,
        known: Known::default(),
        from: None,
        templates: templates.collect(),
    };
    live.audit(&options, lines)
}

fn owner(name: &str) -> Owner {
    Owner {
        kind: "Deployment".to_owned(),
        name: name.to_owned(),
    }
}

/// Everything is in the report, whatever the server was up to.
#[track_caller]
fn complete(report: &Report) {
    complete_of(SMALL, report);
}

/// The same of a size.
#[track_caller]
fn complete_of(size: Size, report: &Report) {
    let Size {
        namespaces, bad, ..
    } = size;
    assert_eq!(report.counts.pods, size.pods());
    assert_eq!(report.counts.violating, namespaces * bad + 1);
    assert_eq!(report.counts.unread, 0, "{:?}", report.unread);
    assert_eq!(report.counts.workloads, 2 * namespaces);
    assert_eq!(report.counts.breaking, namespaces);
    for at in 0..namespaces {
        let name = format!("team-{at}");
        let namespace = &report.namespaces[&name];
        assert_eq!(namespace.strictest(), Level::Privileged);
        let found = &namespace.owners[&owner("bad")];
        assert_eq!(found.pods, bad);
        let privileged = &found.checks["privileged"];
        assert_eq!(privileged.containers, BTreeSet::from(["main".to_owned()]));
        let template = &namespace.templates[&owner("bad")];
        assert!(
            template.checks.iter().any(|id| id == "hostNamespaces"),
            "{template:?}"
        );
        let field = "spec.template.spec.hostNetwork".to_owned();
        assert!(
            template.faults.iter().any(|fault| fault.field == field),
            "{template:?}"
        );
        assert!(!namespace.templates.contains_key(&owner("good")));
    }
    assert_eq!(report.namespaces["team-0"].owners.len(), 2);
}

#[rstest]
#[case::small(SMALL)]
#[case::large(LARGE)]
fn a_reader_sees_everything_in_pages(#[case] size: Size) {
    let theirs = cluster_of(size, None);
    let report = audited(&theirs, Detail::Groups, &Lines::default())
        .unwrap_or_else(|error| panic!("{error}"));
    complete_of(size, &report);
    assert!(report.notes.is_empty(), "{:?}", report.notes);
    let requests = theirs.requests();
    for (method, uri) in &requests {
        assert_eq!(method, "GET", "{uri}");
        assert!(uri.contains("limit=500") || uri == "/version", "{uri}");
    }
    let pods = requests
        .iter()
        .filter(|(_, uri)| uri.starts_with("/api/v1/pods?"));
    assert_eq!(pods.count(), size.pods().div_ceil(500));
}

/// What kubectl label --dry-run=server warns about, in the same words, counts the same pods.
#[test]
fn the_server_warns_about_the_same_pods() {
    let theirs = cluster(None);
    let lines = Lines::default();
    audited(&theirs, Detail::Lines, &lines).unwrap_or_else(|error| panic!("{error}"));
    let mut found: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in lines.json() {
        let object = line["object"].as_str().expect("a name");
        let Some(pod) = object.strip_prefix("Pod/").filter(|_| line["ok"] == false) else {
            continue;
        };
        let (namespace, _) = pod.split_once('/').expect("a namespace");
        let server = Server::new(Minor::known(36));
        let (_, pieces) =
            text::pieces(server, line["message"].as_str().expect("a message")).expect("violations");
        let reasons = pieces
            .iter()
            .map(|(_, piece)| piece.split(" (").next().unwrap_or_default());
        let key = (namespace.to_owned(), reasons.collect::<Vec<_>>().join(", "));
        *found.entry(key).or_default() += 1;
    }
    let mut warned: BTreeMap<(String, String), usize> = BTreeMap::new();
    for at in 0..NAMESPACES {
        let namespace = format!("team-{at}");
        let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
        let warnings = theirs.warnings_of_labels(&namespace, &labels);
        for warning in &warnings[1..] {
            let (pods, reasons) = warning.split_once(": ").expect("pods and reasons");
            let others = pods
                .split_once(" (and ")
                .map(|(_, rest)| rest.split(' ').next().unwrap_or_default());
            let count = others.map_or(0, |others| others.parse().expect("a number"));
            *warned
                .entry((namespace.clone(), reasons.to_owned()))
                .or_default() += count + 1;
        }
    }
    assert_eq!(found, warned);
    assert_eq!(found.values().sum::<usize>(), NAMESPACES * SMALL.bad + 1);
}

fn status(code: u16, fresh: Option<&str>) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "code": code, "message": "told so", "metadata": {"continue": fresh}})
}

fn token(uri: &str) -> Option<&str> {
    uri.split(['?', '&'])
        .find_map(|pair| pair.strip_prefix("continue="))
}

fn busy(uri: &str, before: usize) -> Option<Trouble> {
    let now = vec![("retry-after", "0".to_owned())];
    (uri.contains("limit=") && before == 0).then(|| Trouble::Answer(429, now, status(429, None)))
}

fn closing(uri: &str, before: usize) -> Option<Trouble> {
    (uri.starts_with("/api/v1/pods?") && before == 0).then_some(Trouble::Close)
}

fn cut_off(uri: &str, before: usize) -> Option<Trouble> {
    (uri.starts_with("/api/v1/pods?") && before == 0).then_some(Trouble::CutOff)
}

/// The token of every second page has expired, and the list begins again.
fn expired(uri: &str, before: usize) -> Option<Trouble> {
    let second = uri.starts_with("/api/v1/pods?") && token(uri).is_some() && before == 0;
    second.then(|| Trouble::Answer(410, Vec::new(), status(410, None)))
}

/// The same, with a token for a later version.
fn expired_with_another(uri: &str, before: usize) -> Option<Trouble> {
    let token = token(uri).filter(|_| uri.starts_with("/api/v1/pods?") && before == 0)?;
    Some(Trouble::Answer(410, Vec::new(), status(410, Some(token))))
}

#[rstest]
#[case(busy, 0)]
#[case(closing, 0)]
#[case(cut_off, 0)]
#[case(expired, 2)]
#[case(expired_with_another, 2)]
fn nothing_is_left_out(#[case] trouble: fn(&str, usize) -> Option<Trouble>, #[case] notes: usize) {
    let theirs = cluster(Some(trouble));
    let report = audited(&theirs, Detail::Groups, &Lines::default())
        .unwrap_or_else(|error| panic!("{error}"));
    complete(&report);
    assert_eq!(report.notes.len(), notes, "{:?}", report.notes);
    for note in &report.notes {
        assert!(
            note.contains("/api/v1/pods: the list expired after"),
            "{note}"
        );
    }
}

fn refusing_the_rest(uri: &str, _: usize) -> Option<Trouble> {
    let second = uri.starts_with("/api/v1/pods?") && token(uri).is_some();
    second.then(|| Trouble::Answer(400, Vec::new(), status(400, None)))
}

fn hiding_deployments(uri: &str, _: usize) -> Option<Trouble> {
    let hidden = uri.starts_with("/apis/apps/v1/deployments?");
    hidden.then(|| Trouble::Answer(403, Vec::new(), status(403, None)))
}

/// What could not be read is counted, and the rest is judged.
#[rstest]
#[case(refusing_the_rest, PODS - 500, 500, 2 * NAMESPACES, "/api/v1/pods", "400 Bad Request: told so")]
#[case(
    hiding_deployments,
    1,
    PODS,
    0,
    "/apis/apps/v1/deployments",
    "403 Forbidden: told so"
)]
fn what_is_left_out_is_counted(
    #[case] trouble: fn(&str, usize) -> Option<Trouble>,
    #[case] unread: usize,
    #[case] pods: usize,
    #[case] workloads: usize,
    #[case] file: &str,
    #[case] error: &str,
) {
    let theirs = cluster(Some(trouble));
    let report = audited(&theirs, Detail::Groups, &Lines::default())
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.counts.unread, unread);
    assert_eq!(report.counts.pods, pods);
    assert_eq!(report.counts.workloads, workloads);
    let [told] = report.unread.as_slice() else {
        panic!("{:?}", report.unread)
    };
    assert_eq!((told.file.as_str(), told.error.as_str()), (file, error));
}

/// The namespaces as they were listed before `team-0` came.
fn before_one_came(uri: &str, _: usize) -> Option<Trouble> {
    let listed = uri.starts_with("/api/v1/namespaces?");
    let names = (1..NAMESPACES).map(|at| json!({"metadata": {"name": format!("team-{at}")}}));
    let items: Vec<Value> = names.collect();
    listed.then(|| Trouble::Answer(200, Vec::new(), json!({"metadata": {}, "items": items})))
}

/// The same, and no service account there yet either.
fn before_anything_came(uri: &str, before: usize) -> Option<Trouble> {
    let accounts = uri.starts_with("/api/v1/serviceaccounts?");
    let none = || Trouble::Answer(200, Vec::new(), json!({"metadata": {}, "items": []}));
    before_one_came(uri, before).or_else(|| accounts.then(none))
}

/// A namespace that comes while the audit runs does not end it: its pods are judged, and so are its
/// templates where it is known of in time; else they are counted as unread.
#[rstest]
#[case(before_one_came, 0)]
#[case(before_anything_came, 2)]
fn a_namespace_may_come_while_it_runs(
    #[case] trouble: fn(&str, usize) -> Option<Trouble>,
    #[case] unread: usize,
) {
    let theirs = cluster(Some(trouble));
    let report = audited(&theirs, Detail::Groups, &Lines::default())
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.counts.pods, PODS);
    assert_eq!(report.counts.unread, unread);
    assert_eq!(report.counts.workloads, 2 * NAMESPACES - unread);
    for told in &report.unread {
        assert_eq!(told.file, "/apis/apps/v1/deployments");
        assert_eq!(told.error, "namespace team-0 came while the audit ran");
    }
    let breaks = report.namespaces["team-0"].templates.len();
    assert_eq!(breaks, usize::from(unread == 0));
}

fn hiding_pods(uri: &str, _: usize) -> Option<Trouble> {
    let hidden = uri.starts_with("/api/v1/pods?");
    hidden.then(|| Trouble::Answer(403, Vec::new(), status(403, None)))
}

fn hiding_namespaces(uri: &str, _: usize) -> Option<Trouble> {
    let hidden = uri.starts_with("/api/v1/namespaces?");
    hidden.then(|| Trouble::Answer(403, Vec::new(), status(403, None)))
}

/// Without these there is no audit at all.
#[rstest]
#[case(hiding_pods, "/api/v1/pods")]
#[case(hiding_namespaces, "/api/v1/namespaces")]
fn an_audit_needs(#[case] trouble: fn(&str, usize) -> Option<Trouble>, #[case] path: &str) {
    let theirs = cluster(Some(trouble));
    let error = audited(&theirs, Detail::Groups, &Lines::default()).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Environment);
    assert!(error.message().contains(path), "{error}");
    assert!(
        error
            .what_to_do()
            .is_some_and(|hint| hint.contains("get and list")),
        "{error}"
    );
}

/// A server with a kind of somebody else: one object with a template, one that refers to a deployment.
fn rollouts(uri: &str, _: usize) -> Option<Trouble> {
    let path = uri.split_once('?').map_or(uri, |(path, _)| path);
    let group = "argoproj.io/v1alpha1";
    let body = match path {
        "/apis/argoproj.io" => json!({"preferredVersion": {"groupVersion": group}}),
        "/apis/argoproj.io/v1alpha1" => json!({"resources": [
            {"name": "rollouts/status", "kind": "Rollout"}, {"name": "rollouts", "kind": "Rollout"},
        ]}),
        "/apis/argoproj.io/v1alpha1/rollouts" => json!({
            "apiVersion": group, "kind": "RolloutList", "metadata": {},
            "items": [
                {"metadata": {"name": "bad", "namespace": "team-0"}, "spec": {"template": {
                    "metadata": {"labels": {"app": "bad"}},
                    "spec": {"hostNetwork": true, "containers": [{"name": "c", "image": "i"}]},
                }}},
                {"metadata": {"name": "refers", "namespace": "team-0"}, "spec": {"workloadRef": {"name": "bad"}}},
            ],
        }),
        _ => return None,
    };
    Some(Trouble::Answer(200, Vec::new(), body))
}

#[test]
fn templates_of_other_kinds() {
    let theirs = cluster(Some(rollouts));
    let template = ["argoproj.io/Rollout=spec.template"];
    let report = audited_with(&theirs, Detail::Groups, &Lines::default(), &template)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.counts.workloads, 2 * NAMESPACES + 1);
    let rollout = Owner {
        kind: "Rollout".to_owned(),
        name: "bad".to_owned(),
    };
    let found = &report.namespaces["team-0"].templates[&rollout];
    let field = "spec.template.spec.hostNetwork".to_owned();
    assert!(found.faults.iter().any(|it| it.field == field), "{found:?}");
    assert_eq!(report.counts.unread, 1);
    assert_eq!(
        report.unread[0].error,
        "Rollout/refers: there is no pod template at spec.template"
    );
    let lines = Lines::default();
    audited_with(&theirs, Detail::Lines, &lines, &template).unwrap_or_else(|e| panic!("{e}"));
    let lines = lines.json();
    let line = lines.iter().find(|it| it["object"] == "Rollout/team-0/bad");
    let line = line.expect("a line");
    assert_eq!(
        (&line["admitted"], &line["ok"], &line["pods"][0]["as"]),
        (&json!(true), &json!(false), &json!("replicaset-controller"))
    );
}

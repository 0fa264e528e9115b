//! The context backend against a cluster that is somebody's: what scenarios come to there, and that
//! the cluster is the same afterwards.

mod audit;
mod cluster;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cluster::{Manners, Somebodys};
use podgate_harness::backend::context::{Context, Options, Writes};
use podgate_harness::error::{Error, ErrorKind};
use podgate_harness::execute::{self, Results};
use podgate_harness::lifecycle::{self, Run};
use podgate_harness::outcome::{Outcome, Verdict};
use podgate_harness::plan::{Plan, Selection};
use podgate_harness::suite::{Project, Suite};
use podgate_policy::Minor;
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

const MINOR: &str = "1.36";

/// A cluster that rejects root in the namespaces that say so, with what every namespace of it has.
const CLUSTER: &str = "
apiVersion: podgate.dev/v1alpha1
kind: Cluster
metadata: {name: theirs}
spec:
  namespace: {labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: high}
value: 1000
";

/// Pods and workloads that are admitted and rejected, in a namespace that nobody chose.
const APPLIED: &str = "
apiVersion: v1
kind: Pod
metadata: {name: root}
spec: {containers: [{name: a, image: a, securityContext: {runAsUser: 0}}]}
---
apiVersion: v1
kind: Pod
metadata: {generateName: any-}
spec: {hostNetwork: true, containers: [{name: a, image: a}]}
---
apiVersion: v1
kind: Pod
metadata: {name: good}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers: [{name: a, image: a, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec: {containers: [{name: a, image: a}]}
";

/// A suite of its own, in a folder that is gone after the test.
struct Mine {
    _folder: TempDir,
    suite: Suite,
}

impl Mine {
    fn new(scenarios: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().expect("a folder");
        let write = |path: String, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        write("clusters/theirs.yaml".to_owned(), CLUSTER);
        for (name, text) in scenarios {
            write(format!("scenarios/{name}.yaml"), text);
        }
        let suite = load(folder.path());
        Self {
            _folder: folder,
            suite,
        }
    }

    fn somebodys(&self, manners: Manners) -> Somebodys {
        let theirs = Somebodys::new(&self.suite.clusters[0], Minor::known(36), manners);
        let enforce = json!({"pod-security.kubernetes.io/enforce": "restricted"});
        theirs.create(
            "/api/v1/namespaces",
            &json!({"metadata": {"name": "web", "labels": enforce}}),
        );
        theirs.requests();
        theirs
    }
}

fn load(folder: &Path) -> Suite {
    let project = Project::load(folder).unwrap_or_else(|error| panic!("{error}"));
    Suite::load(&project).unwrap_or_else(|error| panic!("{error}"))
}

fn plan(suite: &Suite, cluster: &str, minor: &str) -> Plan {
    let selection = Selection {
        clusters: vec![cluster.to_owned()],
        kubernetes: Some(minor.parse().expect("a version")),
        ..Selection::default()
    };
    Plan::new(suite, &selection).unwrap_or_else(|error| panic!("{error}"))
}

fn options(kubeconfig: PathBuf, writes: Writes) -> Options {
    Options {
        context: "theirs".to_owned(),
        kubeconfig: Some(kubeconfig),
        writes,
    }
}

/// Opens the context for dry runs in the namespace `web`.
fn open(theirs: &Somebodys) -> Result<Context, Error> {
    let writes = Writes::DryRun(vec!["web".to_owned()]);
    Context::open(options(theirs.kubeconfig(), writes))
}

/// What the scenarios of `mine` come to there, with what is worth knowing.
fn dry_run(mine: &Mine, theirs: &Somebodys) -> Result<(Vec<String>, Results), Error> {
    let context = open(theirs)?;
    assert_eq!(context.minor().to_string(), MINOR);
    let mut plan = plan(&mine.suite, "theirs", MINOR);
    context.narrow(&mut plan);
    let mut notes = context.check(&plan)?;
    let left_out = plan.not_applicable.iter().map(|cells| {
        let (scenario, lacking) = (cells.scenario.as_deref(), cells.lacking.as_deref());
        format!(
            "{}: {}",
            scenario.unwrap_or_default(),
            lacking.unwrap_or_default()
        )
    });
    notes.extend(left_out);
    Ok((notes, context.execute(&plan, &())?))
}

fn outcomes(results: &Results) -> Vec<&Outcome> {
    let cells = results.cells.values().flat_map(BTreeMap::values);
    cells.flat_map(|cell| &cell.run.outcomes).collect()
}

/// The verdicts, in words.
fn verdicts(results: &Results) -> Vec<String> {
    let shown = |verdict: &Verdict| match verdict {
        Verdict::Admitted => "admitted".to_owned(),
        Verdict::Rejected(rejection) => format!("rejected by {}", rejection.by),
        Verdict::Undecided { .. } => "undecided".to_owned(),
    };
    let line = |outcome: &&Outcome| {
        let own = format!("{} {}", outcome.object, shown(&outcome.own.verdict));
        match &outcome.pods {
            Some(pods) => format!("{own}, its pods {}", shown(&pods.verdict)),
            None => own,
        }
    };
    outcomes(results).iter().map(line).collect()
}

/// Nothing came in that could have written anything.
#[track_caller]
fn only_read(theirs: &Somebodys) {
    let requests = theirs.requests();
    assert!(!requests.is_empty());
    for (method, uri) in requests {
        let query = uri.split_once('?').map_or("", |(_, query)| query);
        let dry = query.split('&').any(|pair| pair == "dryRun=All");
        assert!(
            method == "GET" || (method == "POST" && dry),
            "{method} {uri}"
        );
    }
}

fn everything(theirs: &Somebodys) -> Vec<Vec<String>> {
    let paths = [
        "/api/v1/namespaces",
        "/api/v1/pods",
        "/api/v1/serviceaccounts",
        "/apis/apps/v1/deployments",
        "/apis/apps/v1/replicasets",
        "/apis/rbac.authorization.k8s.io/v1/rolebindings",
    ];
    paths.map(|path| theirs.names(path)).to_vec()
}

#[test]
fn a_dry_run_decides_like_the_real_thing_and_writes_nothing() {
    let mine = Mine::new(&[("applied", APPLIED)]);
    let theirs = mine.somebodys(Manners::default());
    let before = everything(&theirs);
    let (notes, there) = dry_run(&mine, &theirs).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(notes, Vec::<String>::new());
    let here = execute::execute(&plan(&mine.suite, "theirs", MINOR));
    let here = here.unwrap_or_else(|error| panic!("{error}"));
    for (there, here) in outcomes(&there).into_iter().zip(outcomes(&here)) {
        // What stands in an audit log, a client does not see.
        let mut seen = here.clone();
        seen.own.audit_annotations = None;
        if let Some(pods) = &mut seen.pods {
            pods.audit_annotations = None;
        }
        assert_eq!(*there, seen);
    }
    assert_eq!(
        verdicts(&there),
        [
            "Pod/root rejected by PodSecurity",
            "Pod/any- rejected by PodSecurity",
            "Pod/good admitted",
            "Deployment/web admitted, its pods rejected by PodSecurity",
        ]
    );
    only_read(&theirs);
    assert_eq!(everything(&theirs), before);
}

#[test]
fn every_scenario_of_this_repository_writes_nothing() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let suite = load(&root);
    let cluster = suite
        .cluster("psa-restricted")
        .unwrap_or_else(|error| panic!("{error}"));
    let theirs = Somebodys::new(&cluster, Minor::known(36), Manners::default());
    let labels = json!(cluster.namespace.labels);
    theirs.create(
        "/api/v1/namespaces",
        &json!({"metadata": {"name": "web", "labels": labels}}),
    );
    theirs.requests();
    let before = everything(&theirs);
    let context = open(&theirs).unwrap_or_else(|error| panic!("{error}"));
    let mut plan = plan(&suite, "psa-restricted", MINOR);
    context.narrow(&mut plan);
    context
        .check(&plan)
        .unwrap_or_else(|error| panic!("{error}"));
    let there = context
        .execute(&plan, &())
        .unwrap_or_else(|error| panic!("{error}"));
    only_read(&theirs);
    assert_eq!(everything(&theirs), before);
    // What it decides, it decides as the embedded server does.
    let here = execute::execute(&plan).unwrap_or_else(|error| panic!("{error}"));
    let (mut equal, mut undecided) = (0, 0);
    for (there, here) in outcomes(&there).into_iter().zip(outcomes(&here)) {
        assert_eq!(there.object, here.object);
        if matches!(there.own.verdict, Verdict::Undecided { .. }) {
            undecided += 1;
            continue;
        }
        // A warning about existing pods needs some, and those of a dry run are not there.
        assert_eq!(there.own.verdict, here.own.verdict, "{}", there.object);
        equal += 1;
    }
    assert!(
        equal > 2 * undecided && undecided > 0,
        "{equal} decided, {undecided} undecided"
    );
}

#[rstest]
#[case::steps(
    "apiVersion: podgate.dev/v1alpha1
kind: Scenario
spec:
  steps:
  - apply: [Pod/a]
  - patch: {object: Namespace, type: merge, body: {metadata: {labels: {x: y}}}}
  - apply: [Pod/a, Pod/b]
  - delete: Pod/a
---
apiVersion: v1
kind: Pod
metadata: {name: a}
spec: {containers: [{name: a, image: a}]}
---
# Never applied before, but the namespace is not what the step made of it.
apiVersion: v1
kind: Pod
metadata: {name: b}
spec: {containers: [{name: b, image: b}]}
",
    &["Pod/a rejected by PodSecurity", "Namespace undecided", "Pod/a undecided", "Pod/b undecided", "Pod/a undecided"]
)]
#[case::what_decides_is_not_stored(
    "apiVersion: v1
kind: Pod
metadata: {name: before}
spec: {containers: [{name: a, image: a}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
apiVersion: v1
kind: Pod
metadata: {name: after}
spec: {serviceAccountName: robot, containers: [{name: a, image: a}]}
",
    &["Pod/before rejected by PodSecurity", "ServiceAccount/robot admitted", "Pod/after undecided"]
)]
fn what_needs_a_store_is_undecided(#[case] scenario: &str, #[case] expected: &[&str]) {
    let mine = Mine::new(&[("s", scenario)]);
    let theirs = mine.somebodys(Manners::default());
    let (_, results) = dry_run(&mine, &theirs).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(verdicts(&results), expected);
    only_read(&theirs);
}

#[test]
fn what_is_there_already_is_judged_all_the_same() {
    let mine = Mine::new(&[("applied", APPLIED)]);
    let theirs = mine.somebodys(Manners::default());
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "a"}]}});
    theirs.create(
        "/apis/apps/v1/namespaces/web/deployments",
        &json!({"metadata": {"name": "web"}, "spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": template}}),
    );
    theirs.requests();
    let (_, results) = dry_run(&mine, &theirs).unwrap_or_else(|error| panic!("{error}"));
    let verdicts = verdicts(&results);
    assert_eq!(
        verdicts[3],
        "Deployment/web admitted, its pods rejected by PodSecurity"
    );
    only_read(&theirs);
}

#[test]
fn a_webhook_that_refuses_dry_runs_leaves_it_undecided() {
    const MESSAGE: &str = r#"admission webhook "policy.example.com" does not support dry run"#;
    let status = json!({"kind": "Status", "status": "Failure", "reason": "BadRequest", "code": 400, "message": MESSAGE});
    let answers = BTreeMap::from([("/pods", (400, status))]);
    let mine = Mine::new(&[("applied", APPLIED)]);
    let theirs = mine.somebodys(Manners {
        answers,
        ..Manners::default()
    });
    let (_, results) = dry_run(&mine, &theirs).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(verdicts(&results)[0], "Pod/root undecided");
    let reason = Verdict::Undecided {
        reason: MESSAGE.to_owned(),
    };
    assert_eq!(outcomes(&results)[0].own.verdict, reason);
}

#[test]
fn a_namespace_decides_under_its_own_labels() {
    let mine = Mine::new(&[("applied", APPLIED)]);
    let theirs = Somebodys::new(
        &mine.suite.clusters[0],
        Minor::known(36),
        Manners::default(),
    );
    let labels = json!({"pod-security.kubernetes.io/enforce": "baseline"});
    theirs.create(
        "/api/v1/namespaces",
        &json!({"metadata": {"name": "web", "labels": labels}}),
    );
    let (notes, results) = dry_run(&mine, &theirs).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        notes,
        [
            "in the namespace web the label pod-security.kubernetes.io/enforce is baseline, where cluster theirs has \
          restricted: its own labels decide"
        ]
    );
    assert_eq!(verdicts(&results)[0], "Pod/root admitted");
}

#[test]
fn scenarios_for_other_namespaces_are_left_out() {
    let head =
        "apiVersion: podgate.dev/v1alpha1\nkind: Scenario\nspec: {namespace: {name: shop}}\n---\n";
    let shop = format!("{head}{APPLIED}");
    let head = "apiVersion: podgate.dev/v1alpha1\nkind: Scenario\nspec: {namespace: {labels: {pod-security.kubernetes.io/enforce: baseline}}}\n---\n";
    let labels = format!("{head}{APPLIED}");
    let mine = Mine::new(&[("applied", APPLIED), ("labels", &labels), ("shop", &shop)]);
    let theirs = mine.somebodys(Manners::default());
    let (notes, results) = dry_run(&mine, &theirs).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        notes,
        [
            "labels: it sets pod-security.kubernetes.io/enforce on its namespace; --allow-writes makes it one",
            "shop: it is for the namespace shop, which -n does not name"
        ]
    );
    assert_eq!(outcomes(&results).len(), 4);
    only_read(&theirs);
}

#[test]
fn what_the_user_may_not_do_is_told_first() {
    let mine = Mine::new(&[("applied", APPLIED)]);
    let manners = Manners {
        user: Some("dev"),
        ..Manners::default()
    };
    let theirs = mine.somebodys(manners);
    let error = dry_run(&mine, &theirs)
        .map(drop)
        .expect_err("dev may do nothing");
    assert_eq!(error.kind(), ErrorKind::Environment);
    assert_eq!(
        error.message(),
        "the user of context `theirs` may not create pods in namespace web, nor create deployments.apps in namespace web"
    );
    only_read(&theirs);

    // With these it can be asked; the pods of the deployment cannot be asked for in its controller's name.
    theirs.create(
        "/apis/rbac.authorization.k8s.io/v1/namespaces/web/roles",
        &json!({"metadata": {"name": "dev"}, "rules": [
            {"apiGroups": ["", "apps"], "resources": ["pods", "deployments"], "verbs": ["create"]}]}),
    );
    theirs.create(
        "/apis/rbac.authorization.k8s.io/v1/namespaces/web/rolebindings",
        &json!({"metadata": {"name": "dev"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "dev"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "dev"}]}),
    );
    let (notes, results) = dry_run(&mine, &theirs).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(verdicts(&results)[0], "Pod/root rejected by PodSecurity");
    assert!(
        notes.contains(
            &"the user of context theirs may not impersonate serviceaccounts replicaset-controller in namespace \
              kube-system: what the pods of a Deployment would be answered is undecided"
                .to_owned()
        ),
        "{notes:?}"
    );
    assert!(
        notes
            .iter()
            .any(|note| note.starts_with("whether the namespace web is there")),
        "{notes:?}"
    );
}

#[rstest]
#[case::unauthorized(
    "/version", 401, json!({"kind": "Status", "message": "Unauthorized"}),
    "does not know the user of context `theirs`: Unauthorized", "log in again"
)]
#[case::unknown("/version", 200, json!({"gitVersion": "v1.99.0"}), "is v1.99.0, which podgate does not know", "1.20 to 1.37")]
#[case::no_cluster("/version", 404, json!({"message": "page not found"}), "does not say its version", "1.20 to 1.37")]
#[case::no_namespace("/namespaces/web", 404, json!({}), "has no namespace `web`", "-n names one that exists")]
#[case::going("/namespaces/web", 200, json!({"status": {"phase": "Terminating"}}), "is being deleted", "-n names one that stays")]
#[case::no_object("/priorityclasses/high", 404, json!({}), "has no PriorityClass/high, which cluster theirs has", "create it there yourself")]
#[case::broken("/namespaces/web", 500, json!({"message": "etcd is gone"}), "does not show web: 500 etcd is gone", "kubectl get")]
fn what_is_missing_is_told(
    #[case] path: &'static str,
    #[case] code: u16,
    #[case] body: Value,
    #[case] message: &str,
    #[case] hint: &str,
) {
    let mine = Mine::new(&[("applied", APPLIED)]);
    let answers = BTreeMap::from([(path, (code, body))]);
    let theirs = mine.somebodys(Manners {
        answers,
        ..Manners::default()
    });
    let error = dry_run(&mine, &theirs)
        .map(drop)
        .expect_err("something is missing");
    assert_eq!(error.kind(), ErrorKind::Environment);
    assert!(error.message().contains(message), "{error}");
    assert!(
        error.what_to_do().is_some_and(|text| text.contains(hint)),
        "{error}"
    );
    only_read(&theirs);
}

#[test]
fn a_cluster_that_does_not_answer_is_told() {
    let mine = Mine::new(&[("applied", APPLIED)]);
    let theirs = mine.somebodys(Manners::default());
    let nobody = Options {
        context: "another".to_owned(),
        kubeconfig: Some(theirs.kubeconfig()),
        writes: Writes::DryRun(vec!["web".to_owned()]),
    };
    let error = Context::open(nobody).map(drop).expect_err("nobody listens");
    assert_eq!(error.kind(), ErrorKind::Environment);
    assert!(
        error
            .message()
            .contains("context `another` does not answer at http://127.0.0.1:1/"),
        "{error}"
    );
    assert!(error.message().contains("Connection refused"), "{error}");
    // The context that was not named is never asked.
    assert!(theirs.requests().is_empty());
}

#[test]
fn with_writes_allowed_each_scenario_has_a_namespace_that_is_removed() {
    let steps = "apiVersion: podgate.dev/v1alpha1
kind: Scenario
spec:
  steps:
  - apply: [Deployment/web]
  - patch: {object: Namespace, type: merge, body: {metadata: {labels: {pod-security.kubernetes.io/enforce: privileged}}}}
  - restart: Deployment/web
  - apply: [PriorityClass/low, Pod/low]
  - delete: Deployment/web
---
# Its priority class is left out, so what the server says of it is no verdict.
apiVersion: v1
kind: Pod
metadata: {name: low}
spec: {priorityClassName: low, containers: [{name: a, image: a}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec: {containers: [{name: a, image: a}]}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: low}
value: 1
";
    let mine = Mine::new(&[("applied", APPLIED), ("steps", steps)]);
    let theirs = mine.somebodys(Manners::default());
    let before = everything(&theirs);
    let run = Run::start(&lifecycle::Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let id = run.id().to_owned();
    let context = Context::open(options(theirs.kubeconfig(), Writes::OwnNamespaces(run)));
    let context = context.unwrap_or_else(|error| panic!("{error}"));
    let plan = plan(&mine.suite, "theirs", MINOR);
    context
        .check(&plan)
        .unwrap_or_else(|error| panic!("{error}"));
    let results = context
        .execute(&plan, &())
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        verdicts(&results),
        [
            "Pod/root rejected by PodSecurity",
            "Pod/any- rejected by PodSecurity",
            "Pod/good admitted",
            "Deployment/web admitted, its pods rejected by PodSecurity",
            "Deployment/web admitted, its pods rejected by PodSecurity",
            "Namespace admitted",
            "Deployment/web admitted, its pods admitted",
            "PriorityClass/low undecided",
            "Pod/low undecided",
            "Deployment/web admitted",
        ]
    );
    let unmet = results.cells.values().flat_map(BTreeMap::values);
    let unmet: Vec<_> = unmet.flat_map(|cell| &cell.unmet).collect();
    assert!(unmet.is_empty(), "{unmet:?}");
    assert_eq!(everything(&theirs), before);
    // Whatever was written lay in a namespace of the run, or was one.
    let writes = theirs.requests().into_iter().filter(|(method, uri)| {
        method != "GET" && !uri.contains("dryRun=All") && !uri.contains("selfsubjectaccessreviews")
    });
    for (method, uri) in writes {
        let own = format!("-theirs-{id}");
        assert!(
            uri == "/api/v1/namespaces" || uri.contains(&own),
            "{method} {uri}"
        );
    }
}

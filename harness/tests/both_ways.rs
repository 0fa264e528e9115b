//! `check` calls the admission chain directly; scenarios reach the same server as a Kubernetes
//! client does. Here the same requests are made both ways, and the answers have to be equal: code,
//! message, warnings, audit annotations, who asked, and what the pods of a workload are answered.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use podgate_harness::backend::embedded::Boot;
use podgate_harness::check::{self, AnswerLine, Item, Options, Policy, Target};
use podgate_harness::outcome::{self, By, Outcome, Rejection, Stage, Verdict};
use podgate_harness::redact::Redaction;
use podgate_harness::run::{self, ScenarioRun};
use podgate_harness::suite::{
    Action, Cluster, Expectation, Expected, ExpectedVerdict, Project, Scenario, ScenarioNamespace,
    Step, Suite,
};
use podgate_policy::Minor;

const NAMESPACE: &str = "both-ways";
const MINORS: [u8; 9] = [20, 21, 22, 23, 25, 28, 30, 34, 37];

/// What the suite has none of: objects that a server cannot read, fields that it does not know,
/// names that it makes up, workloads of every kind, service accounts that are not there.
const MORE: &str = r#"---
{apiVersion: v1, kind: Pod, metadata: {name: wrong-type}, spec: {hostNetwork: "yes", containers: [{name: a, image: a}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: invalid}, spec: {containers: []}}
---
{apiVersion: v1, kind: Pod, metadata: {name: unknown-field}, spec: {containers: [{name: a, image: a, privileged: true}]}}
---
{apiVersion: v1, kind: Pod, metadata: {generateName: made-up-}, spec: {containers: [{name: a, image: a, securityContext: {privileged: true}}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: no-account}, spec: {serviceAccountName: nobody, containers: [{name: a, image: a}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: no-class}, spec: {runtimeClassName: none, containers: [{name: a, image: a}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: no-priority}, spec: {priorityClassName: none, containers: [{name: a, image: a}]}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {serviceName: db, selector: {matchLabels: {a: b}},
  template: {metadata: {labels: {a: b}}, spec: {hostPID: true, containers: [{name: a, image: a}]}},
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]}}
---
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent}, spec: {selector: {matchLabels: {a: b}},
  template: {metadata: {labels: {a: b}}, spec: {serviceAccountName: nobody, containers: [{name: a, image: a}]}}}}
---
{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: plain}, spec: {selector: {matchLabels: {a: b}},
  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a, ports: [{containerPort: 80, hostPort: 80}]}]}}}}
---
{apiVersion: v1, kind: ReplicationController, metadata: {name: old}, spec: {selector: {a: b},
  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a}]}}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: mismatch}, spec: {selector: {matchLabels: {a: c}},
  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a}]}}}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: once}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}
---
{apiVersion: batch/v1, kind: CronJob, metadata: {name: nightly}, spec: {schedule: "0 3 * * *", jobTemplate: {spec: {template:
  {spec: {restartPolicy: Never, containers: [{name: a, image: a, securityContext: {runAsUser: 0}}]}}}}}}
---
{apiVersion: batch/v1beta1, kind: CronJob, metadata: {name: earlier}, spec: {schedule: "0 3 * * *", jobTemplate: {spec: {template:
  {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}}}
---
{apiVersion: v1, kind: PodTemplate, metadata: {name: form}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a}]}}}
"#;

/// Requesters who may do nothing, and who may make pods and nothing else.
const ALICE: &str = "
apiVersion: podgate.dev/v1alpha1
kind: Cluster
metadata: {name: alice}
spec: {as: {user: alice, groups: [dev]}, namespace: {labels: {pod-security.kubernetes.io/enforce: baseline}}}
";
const BOB: &str = "
apiVersion: podgate.dev/v1alpha1
kind: Cluster
metadata: {name: bob}
spec: {as: {user: bob}, namespace: {labels: {pod-security.kubernetes.io/warn: restricted}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: pods}
rules: [{apiGroups: [''], resources: [pods], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: pods}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: pods}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: bob}]
";

fn suite() -> Suite {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    Suite::load(&Project::load(&root).unwrap()).unwrap()
}

/// The scenario as one that applies its manifests once, in the namespace of this test.
fn applied(mut scenario: Scenario) -> Scenario {
    scenario
        .manifests
        .retain(|manifest| manifest.document.namespace().is_none());
    scenario.namespace = ScenarioNamespace {
        name: Some(NAMESPACE.to_owned()),
        ..Default::default()
    };
    scenario.steps = vec![Step {
        heading: None,
        requester: None,
        action: Action::Apply((0..scenario.manifests.len()).collect()),
    }];
    scenario.requester = None;
    // What the server cannot read is an answer here, and no mistake.
    scenario.expect = scenario
        .manifests
        .iter()
        .map(|manifest| Expectation {
            object: manifest.reference(),
            clusters: None,
            kubernetes: None,
            step: None,
            own: Expected {
                verdict: Some(ExpectedVerdict::Rejected(By::Decode)),
                ..Expected::default()
            },
            pods: Expected::default(),
            warnings: Vec::new(),
            place: String::new(),
        })
        .collect();
    scenario
}

/// What a client is answered.
fn through_the_server(cluster: &Cluster, scenario: &Scenario, minor: Minor) -> Vec<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let run: ScenarioRun = runtime.block_on(async {
        let boot = Boot::new(cluster, minor).unwrap();
        run::prepare(&boot.client(), cluster, minor).await.unwrap();
        run::run(
            run::Target::embedded(&boot.fork(), minor),
            cluster,
            scenario,
        )
        .await
        .unwrap()
    });
    run.outcomes
}

/// What `check` says of the same objects, in the form of outcomes.
fn directly(cluster: &Cluster, scenario: &Scenario, minor: Minor) -> Vec<Outcome> {
    let options = Options {
        files: vec![scenario.file.clone()],
        recursive: false,
        rendered: Vec::new(),
        templates: Vec::new(),
        namespace: NAMESPACE.to_owned(),
        policy: Policy::default(),
        requester: None,
        show_object: false,
        locate: false,
        targets: vec![Target {
            cluster: Some(cluster.clone()),
            minor,
        }],
    };
    let items = check::check(&options).unwrap();
    let findings = items.into_iter().filter_map(|item| match item {
        Item::Judged(mut findings, _) => findings.pop(),
        _ => None,
    });
    let here = format!("/{NAMESPACE}/");
    findings
        .filter(|finding| finding.object.contains(&here))
        .map(|finding| {
            let object = finding.object.replace(&here, "/");
            let pods = finding.pods.into_iter().flatten().next().map(|pod| {
                let mut stage = stage(pod.answer);
                let name = pod.object.rsplit('/').next().unwrap_or_default();
                Redaction::new().pod(name).stage(&mut stage);
                stage
            });
            let mut own = stage(finding.answer);
            Redaction::new().stage(&mut own);
            if object.ends_with('-')
                && let Some(rejection) = own.verdict.rejection()
            {
                // The name that the server made up stands in quotes in its message.
                let name = rejection
                    .message
                    .split('"')
                    .find(|part| part.starts_with("made-up-"))
                    .unwrap_or_default();
                let redaction = Redaction::new().name(name.to_owned(), "<name>");
                redaction.stage(&mut own);
            }
            Outcome {
                step: None,
                object,
                action: outcome::Action::Applied,
                own,
                pods,
            }
        })
        .collect()
}

fn stage(answer: AnswerLine) -> Stage {
    let verdict = match (answer.admitted, answer.by) {
        (Some(true), _) => Verdict::Admitted,
        (Some(false), Some(by)) => Verdict::Rejected(Rejection {
            code: answer.code.unwrap(),
            by,
            checks: answer.checks,
            message: answer.message.unwrap(),
        }),
        other => panic!("undecided: {other:?}"),
    };
    Stage {
        requester: answer.r#as,
        verdict,
        warnings: answer.warnings,
        psp: answer.psp,
        audit_annotations: Some(answer.audit_annotations),
    }
}

/// Compares both ways on every cluster and some minors, and returns how many answers by whom.
fn compare(clusters: &[Cluster], scenario: &Scenario) -> BTreeMap<String, usize> {
    let scenario = applied(scenario.clone());
    let mut count = BTreeMap::new();
    for cluster in clusters {
        for minor in MINORS.map(Minor::known) {
            if !cluster.minors.contains(&minor) {
                continue;
            }
            let client = through_the_server(cluster, &scenario, minor);
            let direct = directly(cluster, &scenario, minor);
            for (client, direct) in client.iter().zip(&direct) {
                assert_eq!(
                    client, direct,
                    "{} on {} {minor}",
                    scenario.id, cluster.name
                );
            }
            assert_eq!(client.len(), direct.len());
            for stage in client.iter().flat_map(|o| [Some(&o.own), o.pods.as_ref()]) {
                let by = stage.map(|stage| stage.verdict.rejection().map(|r| r.by.to_string()));
                if let Some(by) = by {
                    *count.entry(by.unwrap_or_default()).or_default() += 1;
                }
            }
        }
    }
    count
}

#[test]
fn the_suite_is_answered_alike() {
    let suite = suite();
    let mut answers = 0;
    for scenario in &suite.scenarios {
        let clusters = suite.clusters.iter().filter(|it| scenario.runs_on(it));
        let clusters: Vec<Cluster> = clusters.cloned().collect();
        answers += compare(&clusters, scenario).values().sum::<usize>();
    }
    assert!(answers > 500, "{answers}");
}

#[test]
fn other_objects_and_requesters_are_answered_alike() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let cluster = |name: &str, text: &str| Cluster::load(&write(name, text)).unwrap();
    let scenario = Scenario::load(&write("more.yaml", MORE), folder.path()).unwrap();
    let mut clusters = suite().clusters;
    clusters.push(cluster("alice.yaml", ALICE));
    clusters.push(cluster("bob.yaml", BOB));
    let count = compare(&clusters, &scenario);
    // Each of them has to decide something, or nothing is shown.
    let deciding = [
        "",
        "Decode",
        "NotFound",
        "PodSecurity",
        "Priority",
        "RBAC",
        "RuntimeClass",
        "ServiceAccount",
        "Validation",
    ];
    for by in deciding {
        assert!(
            count.get(by).is_some_and(|count| *count > 0),
            "nothing by `{by}`: {count:?}"
        );
    }
}

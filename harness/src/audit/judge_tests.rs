//! Pods as stored against the whole chain, and the scan against the decoder.

use std::collections::BTreeMap;
use std::sync::Arc;

use podgate_policy::{Level, Minor};
use rstest::rstest;

use super::*;
use crate::audit::Owner;
use crate::audit::chunk::Records;

fn target(minor: u8) -> Target {
    let minor = Minor::known(minor);
    Target {
        cluster: None,
        minor,
    }
}

fn policy(enforce: &str, warn: &str, audit: &str) -> Policy {
    Policy {
        enforce: enforce.parse().ok(),
        warn: warn.parse().ok(),
        audit: audit.parse().ok(),
    }
}

fn chunk(records: &[String]) -> Chunk {
    Chunk {
        file: "f.jsonl".into(),
        bytes: records.join("\n").into_bytes(),
        records: Records::Lines,
        line: 1,
        ..Chunk::default()
    }
}

/// Pods that trip checks of both levels, or none.
fn pods() -> Vec<String> {
    let specs = [
        r#"{"containers":[{"name":"a","image":"i"}]}"#,
        r#"{"hostNetwork":true,"hostPID":true,"containers":[{"name":"a","image":"i","ports":[{"containerPort":80,"hostPort":80}]}]}"#,
        r#"{"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"a","image":"i","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}"#,
        r#"{"containers":[{"name":"a","image":"i","securityContext":{"privileged":true}},{"name":"b","image":"i","securityContext":{"capabilities":{"add":["SYS_ADMIN","CHOWN"]}}}],"volumes":[{"name":"h","hostPath":{"path":"/"}}]}"#,
        r#"{"os":{"name":"linux"},"containers":[{"name":"a","image":"i","livenessProbe":{"httpGet":{"port":1,"host":"h"}},"securityContext":{"runAsUser":0,"procMount":"Default"}}]}"#,
    ];
    let pod = |(at, spec): (usize, &&str)| {
        format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p{at}","namespace":"shop"}},"spec":{spec}}}"#
        )
    };
    specs.iter().enumerate().map(pod).collect()
}

/// The lines that `podgate check` writes about the same pods, but for what came of other plugins.
#[rstest]
#[case(policy("restricted:latest", "", ""))]
#[case(policy("baseline:v1.24", "restricted:v1.25", "restricted:latest"))]
#[case(policy("privileged:latest", "baseline:latest", ""))]
#[case(policy("privileged:latest", "privileged:latest", "privileged:latest"))]
fn says_what_check_says(#[case] policy: Policy) {
    for minor in [22, 23, 25, 29, 34, 37] {
        let judge = Judge::new(&target(minor), policy, None, Detail::Lines).unwrap();
        let part = judge.judge(&chunk(&pods()), &Namespaces::default());
        let audited = String::from_utf8(part.lines).unwrap();
        let objects: Vec<_> = pods().iter().map(|pod| (read(pod), None)).collect();
        let findings = check::judge_read(&judge.to.chain, &[], objects.iter()).unwrap();
        assert_eq!(audited.lines().count(), findings.len());
        for (at, (line, mut finding)) in audited.lines().zip(findings).enumerate() {
            finding.line = at + 1;
            finding.file = "f.jsonl".to_owned();
            assert_eq!(line, serde_json::to_string(&finding).unwrap(), "1.{minor}");
        }
    }
}

fn read(json: &str) -> crate::suite::Manifest {
    let source = podgate_manifest::Source::new("f.jsonl", json);
    let document = podgate_manifest::read_documents(&source).next().unwrap();
    crate::suite::Manifest::new(document.unwrap())
}

/// A judge without a cluster that prints lines.
fn lines(minor: u8, policy: Policy) -> Judge {
    Judge::new(&target(minor), policy, None, Detail::Lines).unwrap()
}

/// What the scan leaves to the decoder is told as what the scan reads itself.
#[test]
fn both_ways_of_reading_agree() {
    let judge = lines(37, policy("restricted:latest", "", ""));
    let quick: Vec<String> = pods();
    // An escape in a key is left to the decoder, and says the same.
    let slow: Vec<String> = quick
        .iter()
        .map(|pod| pod.replace("\"kind\"", "\"k\\u0069nd\""))
        .collect();
    for pod in &slow {
        assert!(
            judge
                .scan(pod.as_bytes(), false, &mut Spare::default())
                .is_none()
        );
    }
    let judged = |records: &[String]| judge.judge(&chunk(records), &Namespaces::default());
    assert_eq!(judged(&quick).lines, judged(&slow).lines);
}

#[test]
fn counts_what_it_does_not_judge() {
    let judge = lines(37, policy("baseline:latest", "", ""));
    let records = [
        "{",
        "3",
        "{}",
        r#"{"apiVersion":"v1","kind":"ConfigMap"}"#,
        r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}}"#,
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"hostPID":"yes"}}"#,
        r#"{"apiVersion":"v1","kind":"PodList","items":[{}]}"#,
    ];
    let part = judge.judge(&chunk(&records.map(str::to_owned)), &Namespaces::default());
    let counts = part.report.counts;
    assert_eq!((counts.pods, counts.unread, counts.namespaces), (0, 5, 1));
    assert_eq!(
        part.report.not_judged,
        BTreeMap::from([("ConfigMap".to_owned(), 1)])
    );
    let lines = String::from_utf8(part.lines).unwrap();
    assert_eq!(
        lines.lines().next(),
        Some(r#"{"error":"unexpected end of JSON input","file":"f.jsonl","line":1}"#)
    );
}

#[test]
fn namespaces_decide_by_their_labels() {
    let judge = Judge::new(&target(37), Policy::default(), None, Detail::Groups).unwrap();
    let namespace = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop","labels":{"pod-security.kubernetes.io/enforce":"baseline"}}}"#;
    let mut records = pods();
    records.push(namespace.to_owned());
    let chunk = chunk(&records);
    let mut namespaces = Arc::default();
    assert!(!judge.has_policy(&namespaces));
    let before = judge.judge(&chunk, &namespaces).report;
    assert_eq!(before.counts.violating, 0);
    judge.namespaces(&chunk, &mut namespaces);
    assert!(judge.has_policy(&namespaces));
    assert_eq!(judge.late(&before, &namespaces), [("shop".to_owned(), 5)]);
    let after = judge.judge(&chunk, &namespaces).report;
    assert_eq!(judge.late(&after, &namespaces), []);
    let shop = &after.namespaces["shop"];
    assert_eq!(
        (
            shop.pods,
            shop.violating,
            shop.baseline.pods,
            shop.restricted.pods
        ),
        (5, 3, 3, 4)
    );
    assert_eq!(shop.strictest(), Level::Privileged);
    let owner = &shop.owners[&Owner {
        kind: "Pod".to_owned(),
        name: String::new(),
    }];
    assert_eq!((owner.pods, owner.first.as_str()), (3, "p1"));
    let privileged = &owner.checks["privileged"];
    assert_eq!(
        privileged.detail,
        r#"privileged (container "a" must not set securityContext.privileged=true)"#
    );
    assert_eq!(privileged.containers.iter().collect::<Vec<_>>(), ["a"]);
    assert_eq!(
        privileged.fields.iter().collect::<Vec<_>>(),
        ["spec.containers[0].securityContext.privileged"]
    );
}

#[test]
fn shards_share_out_every_record_once() {
    let records: Vec<String> = (0..50).flat_map(|_| pods()).collect();
    let pods = |shard| {
        let judge = lines(37, policy("baseline:latest", "", ""));
        judge
            .shard(shard)
            .judge(&chunk(&records), &Namespaces::default())
            .report
            .counts
            .pods
    };
    let of_three = [1, 2, 3].map(|number| pods(Some(Shard { number, of: 3 })));
    assert_eq!(of_three.iter().sum::<usize>(), pods(None));
    assert!(of_three.iter().all(|pods| *pods > 80), "{of_three:?}");
}

/// Templates go through the whole chain: what another plugin would say is said, too.
#[test]
fn templates_are_judged_by_the_whole_chain() {
    let judge = lines(37, policy("baseline:latest", "", ""));
    let deployment = |name: &str, spec: &str| {
        format!(
            r#"{{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"name":"{name}","namespace":"shop","uid":"u"}},"spec":{{"selector":{{"matchLabels":{{"a":"b"}}}},"template":{{"metadata":{{"labels":{{"a":"b"}}}},"spec":{spec}}}}}}}"#
        )
    };
    let good = deployment(
        "good",
        r#"{"serviceAccountName":"own","containers":[{"name":"a","image":"i"}]}"#,
    );
    let bad = deployment(
        "bad",
        r#"{"hostPID":true,"containers":[{"name":"a","image":"i"}]}"#,
    );
    let mut records = pods();
    records.insert(1, good);
    records.insert(3, bad);
    records.push(r#"{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"bad-1","ownerReferences":[{"controller":true,"kind":"Deployment"}]}}"#.to_owned());
    let part = judge.judge(&chunk(&records), &Namespaces::default());
    let lines = String::from_utf8(part.lines).unwrap();
    let objects: Vec<String> = lines
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            format!(
                "{} {} {}",
                line["object"].as_str().unwrap_or_default(),
                line["line"],
                line["ok"]
            )
        })
        .collect();
    assert_eq!(
        objects,
        [
            "Pod/shop/p0 1 true",
            "Deployment/shop/good 2 true",
            "Pod/shop/p1 3 false",
            "Deployment/shop/bad 4 false",
            "Pod/shop/p2 5 true",
            "Pod/shop/p3 6 false",
            "Pod/shop/p4 7 false",
        ]
    );
    let counts = part.report.counts;
    assert_eq!((counts.workloads, counts.breaking), (2, 1));
    assert_eq!(
        part.report.not_judged,
        BTreeMap::from([("ReplicaSet".to_owned(), 1)])
    );
    let owner = Owner {
        kind: "Deployment".to_owned(),
        name: "bad".to_owned(),
    };
    let judge = Judge::new(
        &target(37),
        policy("baseline:latest", "", ""),
        None,
        Detail::Groups,
    );
    let part = judge
        .unwrap()
        .judge(&chunk(&records), &Namespaces::default());
    let shop = &part.report.namespaces["shop"];
    let template = &shop.templates[&owner];
    assert_eq!(template.checks, ["hostNamespaces"]);
    let field = &template.faults[0];
    assert_eq!(
        (field.check.as_str(), field.field.as_str()),
        ("hostNamespaces", "spec.template.spec.hostPID")
    );
    assert_eq!((shop.workloads, shop.templates.len()), (2, 1));
    assert_eq!((shop.baseline.pods, shop.baseline.templates), (3, 1));
    assert_eq!((shop.restricted.pods, shop.restricted.templates), (4, 2));
}

/// What a chunk allocates does not grow with the pods that are admitted.
#[test]
fn an_admitted_pod_allocates_nothing() {
    let admitted = pods()[2].replace(
        r#""name":"p2""#,
        // As long as pods are, which say more than their lines do.
        &format!(
            r#""name":"p2","annotations":{{"a":"{}"}}"#,
            "x".repeat(2_000)
        ),
    );
    let judge = lines(
        36,
        policy("restricted:latest", "restricted:v1.24", "baseline:v1.30"),
    );
    let namespaces = Namespaces::default();
    let allocated = |pods: usize| {
        let chunk = chunk(&vec![admitted.clone(); pods]);
        let mut part = Part::default();
        let allocated = allocation_counter::measure(|| part = judge.judge(&chunk, &namespaces));
        assert_eq!(part.report.counts.pods, pods);
        assert_eq!(part.report.counts.violating, 0);
        allocated.count_total
    };
    // The buffer of the lines and the lists of the first pod.
    let first = allocated(1);
    assert!(first < 20, "{first}");
    assert_eq!(allocated(1_000), first);
}

/// Pods that come and go stand under a name that stays.
#[rstest]
#[case(
    "ReplicaSet",
    "web-5f",
    r#""pod-template-hash":"5f""#,
    "Deployment/web"
)]
#[case("ReplicaSet", "web-5f", "", "ReplicaSet/web-5f")]
#[case("Job", "backup-29384756", "", "CronJob/backup")]
#[case("Job", "backup-20261123", "", "Job/backup-20261123")]
#[case("Job", "migrate-2", "", "Job/migrate-2")]
#[case("StatefulSet", "db-29384756", "", "StatefulSet/db-29384756")]
fn an_owner_outlives_its_pods(
    #[case] kind: &str,
    #[case] name: &str,
    #[case] labels: &str,
    #[case] expected: &str,
) {
    let judge = lines(37, policy("baseline:latest", "", ""));
    let pod = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p","labels":{{{labels}}},"ownerReferences":[{{"kind":"{kind}","name":"{name}","controller":true}}]}},"spec":{{}}}}"#
    );
    let mut spare = Spare::default();
    let scanned = judge.scan(pod.as_bytes(), false, &mut spare).unwrap();
    assert_eq!(owner(&scanned).to_string(), expected);
}

/// Where nothing but what is new depends on labels that come late, that is a note.
#[test]
fn labels_of_today_that_come_late_are_noted() {
    let judge = Judge::new(
        &target(37),
        policy("restricted:latest", "", ""),
        None,
        Detail::Groups,
    );
    let judge = judge.unwrap().today(&target(37), None, false).unwrap();
    let mut namespaces = Namespaces::default();
    let mut report = judge.judge(&chunk(&pods()), &namespaces).report;
    let labels = [("pod-security.kubernetes.io/enforce", "baseline")];
    let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
    judge.namespace(&mut namespaces, "shop", &BTreeMap::from(labels));
    assert_eq!(judge.late(&report, &namespaces), []);
    judge.late_today(&mut report, &namespaces);
    let [note] = report.notes.as_slice() else {
        panic!("{:?}", report.notes)
    };
    assert!(note.contains("shop stands behind 5 of its pods"), "{note}");
}

//! Snapshots read, folded, merged and written; and insta reading what was written.

use std::collections::BTreeMap;

use podgate_policy::Minor;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::outcome::{Action, By, Outcome, Rejection, Stage, Step, Verdict};

const WARNING: &str = r#"would violate PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)"#;
const MESSAGE: &str = r#"pods "<pod>" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)"#;

fn stage(requester: &str, verdict: Verdict, warnings: &[&str]) -> Stage {
    Stage {
        requester: requester.into(),
        verdict,
        warnings: warnings.iter().map(ToString::to_string).collect(),
        audit_annotations: BTreeMap::new(),
    }
}

fn rejected(code: u16, by: By, checks: &[&str], message: &str) -> Verdict {
    let checks = checks.iter().map(ToString::to_string).collect();
    Verdict::Rejected(Rejection {
        code,
        by,
        checks,
        message: message.into(),
    })
}

fn pod(name: &str, verdict: Verdict) -> Outcome {
    Outcome {
        step: None,
        object: format!("Pod/{name}"),
        action: Action::Applied,
        own: stage("admin", verdict, &[]),
        pods: None,
    }
}

/// A Deployment under `restricted` as real servers treat it: the warning for it came with 1.26.
fn deployment(minor: Minor) -> Outcome {
    let warnings: &[&str] = if minor.number() < 26 { &[] } else { &[WARNING] };
    Outcome {
        step: None,
        object: "Deployment/web".into(),
        action: Action::Applied,
        own: stage("admin", Verdict::Admitted, warnings),
        pods: Some(stage(
            "replicaset-controller",
            rejected(403, By::PodSecurity, &["runAsNonRoot"], MESSAGE),
            &[],
        )),
    }
}

fn on(minors: impl IntoIterator<Item = u8>, outcomes: impl Fn(Minor) -> Vec<Outcome>) -> Outcomes {
    minors
        .into_iter()
        .map(Minor::known)
        .map(|minor| (minor, outcomes(minor)))
        .collect()
}

fn deployments() -> Outcomes {
    on(23..=37, |minor| vec![deployment(minor)])
}

const DEPLOYMENT: &str = r#"Deployment/web   applied by admin
  1.23..1.25  admitted
  1.26..      admitted
    warning: would violate PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)
  pods   created by replicaset-controller
    1.23..      rejected 403 PodSecurity [runAsNonRoot]
      pods "<pod>" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)
"#;

#[test]
fn writes_the_form_of_the_design() {
    assert_eq!(format::write(&deployments()), DEPLOYMENT);
    assert_eq!(format::read(DEPLOYMENT).unwrap(), deployments());
}

#[test]
fn writes_steps_gaps_and_single_minors() {
    let step = |number, label: &str| {
        Some(Step {
            number,
            label: label.into(),
        })
    };
    let outcomes = on([20, 22, 23, 25], |minor| {
        let verdict = match minor.number() {
            22 | 25 => rejected(
                422,
                By::Validation,
                &[],
                "Pod \"a\" is invalid: x\n  - y\n\nz",
            ),
            _ => Verdict::Admitted,
        };
        let apply = Outcome {
            step: step(1, "apply"),
            ..pod("a", verdict)
        };
        let patch = Outcome {
            step: step(2, "patch Namespace"),
            action: Action::Patched,
            ..pod(
                "a",
                Verdict::Undecided {
                    reason: "no right to impersonate".into(),
                },
            )
        };
        vec![apply, patch]
    });
    let text = r#"step 1: apply

Pod/a   applied by admin
  1.20        admitted
  1.22        rejected 422 Validation
    Pod "a" is invalid: x
      - y
    ""
    z
  1.23        admitted
  1.25        rejected 422 Validation
    Pod "a" is invalid: x
      - y
    ""
    z

step 2: patch Namespace

Pod/a   patched by admin
  1.20        undecided
    no right to impersonate
  1.22..1.23  undecided
    no right to impersonate
  1.25        undecided
    no right to impersonate
"#;
    assert_eq!(format::write(&outcomes), text);
    assert_eq!(format::read(text).unwrap(), outcomes);
}

#[test]
fn a_newer_minor_that_changes_nothing_rewrites_nothing() {
    // As the podgate before the newest minor had left it: open, though that minor had not run.
    let mut outcomes = deployments();
    outcomes.remove(&Minor::NEWEST);
    let newest = on([Minor::NEWEST.number()], |minor| vec![deployment(minor)]);
    let compared = Comparison::of(Some(DEPLOYMENT), &newest, Minors::ALL).unwrap();
    assert!(compared.agrees());
    assert_eq!(compared.text, DEPLOYMENT);
    // Where the newest minor is not applicable, the range ends.
    let closed = Minors::ALL - Minors::only(Minor::NEWEST);
    let compared = Comparison::of(Some(DEPLOYMENT), &outcomes, closed).unwrap();
    assert!(
        compared.text.contains("  1.26..1.36  admitted"),
        "{}",
        compared.text
    );
}

#[rstest]
#[case::split_ranges(
    "Pod/a applied by admin\n  1.20 admitted\n  1.21..1.24   admitted\n\n\n  1.25.. admitted   \n"
)]
#[case::windows("Pod/a   applied by admin\r\n  1.20..      admitted\r\n")]
#[case::quoted("\"Pod/a\"   applied by \"admin\"\n  1.20..1.37  admitted")]
fn another_form_of_the_same_is_no_change(#[case] edited: &str) {
    let outcomes = on(20..=37, |_| vec![pod("a", Verdict::Admitted)]);
    assert_eq!(format::read(edited).unwrap(), outcomes);
    let compared = Comparison::of(Some(edited), &outcomes, Minors::ALL).unwrap();
    assert!(compared.changes.is_empty() && compared.reformatted && !compared.agrees());
    assert_eq!(
        compared.text,
        "Pod/a   applied by admin\n  1.20..      admitted\n"
    );
}

#[rstest]
#[case("  1.20.. admitted", 1, "the object that this belongs to is missing")]
#[case(
    "Pod/a",
    1,
    "what was done with the object is missing (one of applied, patched, restarted, deleted)"
)]
#[case("Pod/a applied", 1, "`by` and the requester are missing")]
#[case("Pod/a applied by admin too", 1, "`too` is too much")]
#[case(
    "Pod/a applied by admin\n   1.20.. admitted",
    2,
    "a range of minors is missing"
)]
#[case(
    "Pod/a applied by admin\n  1.20.. allowed",
    2,
    "expected `admitted`, `rejected` or `undecided`"
)]
#[case(
    "Pod/a applied by admin\n  1.20.. rejected",
    2,
    "the HTTP code is missing"
)]
#[case(
    "Pod/a applied by admin\n  1.20.. rejected 403 Me",
    2,
    "`Me` is none of those who reject requests"
)]
#[case(
    "Pod/a applied by admin\n  1.20.. rejected 403 PodSecurity [a",
    2,
    "the list of checks has no end"
)]
#[case(
    "Pod/a applied by admin\n  1.24..1.20 admitted",
    2,
    "`1.24..1.20` is no Kubernetes version (expected one like 1.36, v1.36 or 1.36.2)"
)]
#[case(
    "Pod/a applied by admin\n  1.99 admitted",
    2,
    "Kubernetes 1.99 is not one that podgate knows (1.20 to 1.37)"
)]
#[case(
    "Pod/a applied by admin\n  1.20.. admitted\n\n  1.21 admitted",
    4,
    "1.21 stands here twice"
)]
#[case(
    "Pod/a applied by admin\n  1.20.. admitted\n    hello",
    3,
    "expected a warning"
)]
#[case(
    "Pod/a applied by admin\n  1.20.. admitted\n   warning: w",
    3,
    "this is indented by one space too few or too many"
)]
#[case(
    "Pod/a applied by admin\n  1.20.. admitted\n    warning: \"w",
    3,
    "this is no JSON string"
)]
#[case(
    "Pod/a applied by admin\n  1.20 admitted\n  pods   created by x\n    1.21 admitted",
    4,
    "there are pods on 1.21, but no object"
)]
fn refuses(#[case] text: &str, #[case] line: usize, #[case] reason: &str) {
    assert_eq!(
        format::read(text),
        Err(FormatError {
            line,
            reason: reason.into()
        })
    );
}

#[test]
fn a_run_over_some_minors_rewrites_only_them() {
    let before = on(20..=37, |_| vec![pod("a", Verdict::Admitted)]);
    let ran = on([25], |_| {
        vec![pod(
            "a",
            rejected(403, By::PodSecurity, &["privileged"], "m"),
        )]
    });
    let compared = Comparison::of(Some(&format::write(&before)), &ran, Minors::ALL).unwrap();
    let mut after = before;
    after.extend(ran);
    assert_eq!(format::read(&compared.text).unwrap(), after);
    let [change] = compared.changes.as_slice() else {
        panic!("{:?}", compared.changes)
    };
    assert_eq!(change.kind, ChangeKind::NowRejected);
    assert_eq!(change.minors, Minors::only(Minor::known(25)));
    assert!(!compared.missing);
}

#[test]
fn a_missing_snapshot_is_no_agreement() {
    let compared = Comparison::of(None, &deployments(), Minors::ALL).unwrap();
    assert!(compared.missing && !compared.agrees());
    assert_eq!(compared.text, DEPLOYMENT);
    assert!(
        compared
            .changes
            .iter()
            .all(|change| change.kind == ChangeKind::Added)
    );
    // Minors that never ran are missing as well.
    let some = format::write(&on(23..=30, |minor| vec![deployment(minor)]));
    let compared = Comparison::of(Some(&some), &deployments(), Minors::ALL).unwrap();
    assert!(!compared.missing && !compared.agrees());
    assert!(
        compared
            .changes
            .iter()
            .all(|change| change.minors.to_string() == "1.31..")
    );
}

#[test]
fn what_is_not_applicable_any_more_is_removed() {
    let applicable = Minors::between(Minor::known(25), Minor::NEWEST);
    let ran = on(25..=37, |minor| vec![deployment(minor)]);
    let compared = Comparison::of(Some(DEPLOYMENT), &ran, applicable).unwrap();
    assert!(
        compared
            .changes
            .iter()
            .all(|c| { c.kind == ChangeKind::Removed && c.minors.to_string() == "1.23..1.24" })
    );
    assert_eq!(compared.changes.len(), 2);
    assert!(
        compared.text.contains("  1.25        admitted\n"),
        "{}",
        compared.text
    );
}

#[test]
fn what_another_backend_decided_stays() {
    let undecided = |minor| {
        let mut outcome = deployment(minor);
        outcome.own.verdict = Verdict::Undecided {
            reason: "a webhook is asked".into(),
        };
        outcome.own.warnings.clear();
        vec![outcome]
    };
    let ran = on(23..=37, undecided);
    let compared = Comparison::of(Some(DEPLOYMENT), &ran, Minors::ALL).unwrap();
    assert!(compared.agrees(), "{:?}", compared.changes);
    // The other way round it is a change.
    let text = format::write(&ran);
    let compared = Comparison::of(Some(&text), &deployments(), Minors::ALL).unwrap();
    assert_eq!(compared.changes[0].kind, ChangeKind::NowDecided);
}

#[rstest]
#[case(rejected(403, By::PodSecurity, &["a"], "m"), Verdict::Admitted, ChangeKind::NowAdmitted)]
#[case(Verdict::Admitted, rejected(403, By::PodSecurity, &["a"], "m"), ChangeKind::NowRejected)]
#[case(rejected(403, By::PodSecurity, &["a"], "m"), rejected(403, By::RBAC, &["a"], "m"), ChangeKind::Reason)]
#[case(rejected(403, By::PodSecurity, &["a"], "m"), rejected(403, By::PodSecurity, &["b"], "m"), ChangeKind::Reason)]
#[case(rejected(403, By::Other, &[], "m"), rejected(422, By::Other, &[], "m"), ChangeKind::Reason)]
#[case(rejected(403, By::Other, &[], "m"), rejected(403, By::Other, &[], "n"), ChangeKind::Message)]
fn kinds_of_changes(#[case] before: Verdict, #[case] after: Verdict, #[case] kind: ChangeKind) {
    let [before, after] = [before, after].map(|v| on([30], |_| vec![pod("a", v.clone())]));
    let changes = changes(&before, &after, Minors::ALL);
    assert_eq!(
        changes.iter().map(|change| change.kind).collect::<Vec<_>>(),
        [kind]
    );
    assert_eq!(changes[0].is_dangerous(), kind == ChangeKind::NowAdmitted);
}

#[test]
fn pods_that_nobody_asks_for_any_more_are_dangerous() {
    let after = on(23..=37, |minor| {
        vec![Outcome {
            pods: None,
            ..deployment(minor)
        }]
    });
    let [change] = &changes(&deployments(), &after, Minors::ALL)[..] else {
        panic!()
    };
    assert_eq!(
        (change.kind, change.of),
        (ChangeKind::PodsNotAsked, Of::Pods)
    );
    assert!(change.is_dangerous());
    assert_eq!(
        change.to_string(),
        "Deployment/web (its pods) on 1.23..: was rejected, is not asked for any more"
    );
}

#[test]
fn the_dangerous_change_comes_first() {
    let no = || rejected(403, By::PodSecurity, &["privileged"], "m");
    let before = on(20..=37, |_| {
        vec![pod("a", Verdict::Admitted), pod("b", no())]
    });
    let after = on(20..=37, |minor| {
        let b = if minor.number() == 30 {
            Verdict::Admitted
        } else {
            no()
        };
        vec![pod("a", no()), pod("b", b), pod("c", Verdict::Admitted)]
    });
    let changes = changes(&before, &after, Minors::ALL);
    let shown: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "Pod/b on 1.30: was rejected, is admitted",
            "Pod/a on 1.20..: was admitted, is rejected",
            "Pod/c on 1.20..: is not recorded",
        ]
    );
}

#[test]
fn a_renamed_requester_or_step_loses_no_rejection() {
    let step = |number| {
        Some(Step {
            number,
            label: "apply".into(),
        })
    };
    let before = on([30], |_| {
        vec![Outcome {
            step: step(1),
            ..pod("a", rejected(403, By::PodSecurity, &[], "m"))
        }]
    });
    let after = on([30], |_| {
        let own = stage("bob", Verdict::Admitted, &[]);
        vec![Outcome {
            step: step(2),
            own,
            ..pod("a", Verdict::Admitted)
        }]
    });
    assert_eq!(
        changes(&before, &after, Minors::ALL)[0].kind,
        ChangeKind::NowAdmitted
    );
    let same = on([30], |_| {
        vec![Outcome {
            step: step(2),
            ..before[&Minor::known(30)][0].clone()
        }]
    });
    assert_eq!(
        changes(&before, &same, Minors::ALL)[0].kind,
        ChangeKind::Request
    );
}

#[test]
fn an_object_may_come_twice_in_a_step() {
    let no = |minor: Minor| rejected(403, By::Other, &[], &minor.to_string());
    let outcomes = on(20..=22, |minor| {
        vec![
            pod("a", Verdict::Admitted),
            pod("b", no(minor)),
            pod("a", no(minor)),
            pod("a", Verdict::Admitted),
        ]
    });
    assert_eq!(format::read(&format::write(&outcomes)).unwrap(), outcomes);
}

/// Texts that are hard to keep apart from the format around them.
fn texts() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "a",
        " ",
        "  ",
        "\n",
        "\t",
        "\r",
        "---",
        "\"",
        "\\",
        "warning: ",
        "pods   created by x",
        "1.20..  admitted",
        "step 1: x",
        "[",
        "]",
        ",",
        "\u{0}",
        "\u{7f}",
        "\u{202e}",
        "\u{a0}",
        "\u{2028}",
        "ü",
        "\u{1f980}",
        "#",
        "'",
        ": ",
    ]);
    prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        Just(Verdict::Admitted),
        texts().prop_map(|reason| Verdict::Undecided { reason }),
        (
            400..600u16,
            prop::sample::select(By::ALL),
            prop::collection::vec(texts(), 0..3),
            texts()
        )
            .prop_map(|(code, by, checks, message)| {
                Verdict::Rejected(Rejection {
                    code,
                    by,
                    checks,
                    message,
                })
            }),
    ]
}

fn stages() -> impl Strategy<Value = Stage> {
    let requester = prop_oneof![Just("admin".to_owned()), texts()];
    (requester, verdicts(), prop::collection::vec(texts(), 0..3)).prop_map(
        |(requester, verdict, warnings)| Stage {
            requester,
            verdict,
            warnings,
            audit_annotations: BTreeMap::new(),
        },
    )
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let step = prop_oneof![
        Just(None),
        (1..4u32, texts()).prop_map(|(number, label)| Some(Step { number, label })),
    ];
    let action = prop::sample::select(Action::ALL.to_vec());
    (step, texts(), action, stages(), prop::option::of(stages())).prop_map(
        |(step, object, action, own, pods)| Outcome {
            step,
            object,
            action,
            own,
            pods,
        },
    )
}

/// Two runs of a scenario: each minor has some of the same few outcomes, in their order.
fn runs() -> impl Strategy<Value = [Outcomes; 2]> {
    let picks = || {
        prop::collection::vec(
            (20..=37u8, prop::collection::btree_set(0..8usize, 1..6)),
            0..8,
        )
    };
    (prop::collection::vec(outcome(), 8), picks(), picks()).prop_map(|(mut outcomes, one, two)| {
        for (at, outcome) in outcomes.iter_mut().enumerate() {
            outcome
                .object
                .push_str(["a", "b", "c", "d", "e", "f", "g", "h"][at]);
        }
        outcomes.sort_by_key(|outcome| outcome.step.as_ref().map(|step| step.number));
        [one, two].map(|run| {
            let pick = |at: usize| outcomes[at].clone();
            let outcomes = run
                .into_iter()
                .map(|(minor, picks)| (Minor::known(minor), picks.into_iter().map(pick).collect()));
            outcomes.collect()
        })
    })
}

proptest! {
    #[test]
    fn every_text_reads_back([outcomes, _] in runs()) {
        let text = format::write(&outcomes);
        let read = format::read(&text).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
        prop_assert_eq!(&read, &outcomes, "{}", text);
        prop_assert_eq!(format::write(&read), text.clone());
        // Insta's file changes nothing of it.
        let (inside, _) = insta::read(&insta::write(&Header::default(), &text)).unwrap();
        prop_assert_eq!(inside, text);
    }

    #[test]
    fn what_is_accepted_agrees([before, ran] in runs(), applicable in any::<u32>()) {
        let applicable: Minors =
            Minor::all().filter(|minor| applicable & (1 << (minor.number() % 32)) != 0).collect();
        let ran: Outcomes =
            ran.into_iter().filter(|(minor, _)| applicable.contains(*minor)).collect();
        let first = Comparison::of(Some(&format::write(&before)), &ran, applicable).unwrap();
        let second = Comparison::of(Some(&first.text), &ran, applicable).unwrap();
        prop_assert!(second.agrees(), "{:#?}\n{}\n{}", second, first.text, second.text);
    }

    #[test]
    fn minors_that_disagree_on_the_order_are_written_in_one([one, two] in runs()) {
        // As no run does: every second minor backwards.
        let mut outcomes = one;
        for (minor, list) in two {
            outcomes.insert(minor, list.into_iter().rev().collect());
        }
        let text = format::write(&outcomes);
        let read = format::read(&text).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
        prop_assert_eq!(format::write(&read), text);
    }
}

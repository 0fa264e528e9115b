//! What a run changes, and what it calls the changes.

use podgate_policy::Minor;
use rstest::rstest;

use super::{DEPLOYMENT, deployment, deployments, on, pod, rejected, stage};
use crate::outcome::{By, Outcome, Step, Verdict};
use crate::snapshot::{ChangeKind, Comparison, Minors, Of, changes, format};

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

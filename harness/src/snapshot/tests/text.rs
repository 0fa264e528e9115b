//! How outcomes are written and read.

use podgate_policy::Minor;
use rstest::rstest;

use super::{DEPLOYMENT, deployments, on, pod, rejected};
use crate::outcome::{Action, By, Outcome, Step, Verdict};
use crate::snapshot::{Comparison, FormatError, Minors, format};

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
    "expected a policy or a warning"
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
#[case(
    "Pod/a applied by admin\n  1.20 admitted\n    policy: a or b\n",
    3,
    "`or b` is too much"
)]
#[case(
    "Pod/a applied by admin\n  1.20 admitted\n    policy: a\n      spec.x\n",
    4,
    "expected `FIELD: VALUE` or `FIELD: VALUE -> VALUE`, the values in JSON"
)]
#[case(
    "Pod/a applied by admin\n  1.20 rejected 403 RBAC\n    no\n    warning: x\n    policy: a\n",
    5,
    "expected a warning"
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

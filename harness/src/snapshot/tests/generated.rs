//! What holds of any outcomes: they read back, and what is accepted agrees.

use std::collections::BTreeMap;

use podgate_policy::Minor;
use proptest::prelude::*;
use serde_json::json;

use crate::outcome::{Action, By, Outcome, Rejection, Stage, Step, Verdict};
use crate::psp::{AppliedPolicy, FieldChange};
use crate::snapshot::{Comparison, Header, Minors, Outcomes, format, insta};

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

fn policies() -> impl Strategy<Value = AppliedPolicy> {
    let values = || texts().prop_map(|text| json!([text]));
    let fields = texts().prop_map(|text| text.replace(": ", ""));
    let change =
        (fields, prop::option::of(values()), values()).prop_map(|(field, before, after)| {
            FieldChange {
                field,
                before,
                after,
            }
        });
    (texts(), any::<bool>(), prop::collection::vec(change, 0..3)).prop_map(
        |(policy, only_by_masters, changes)| AppliedPolicy {
            policy,
            only_by_masters,
            changes,
        },
    )
}

fn stages() -> impl Strategy<Value = Stage> {
    let requester = prop_oneof![Just("admin".to_owned()), texts()];
    (
        requester,
        verdicts(),
        prop::option::of(policies()),
        prop::collection::vec(texts(), 0..3),
    )
        .prop_map(|(requester, verdict, psp, warnings)| Stage {
            requester,
            // Only what is admitted got a policy.
            psp: psp.filter(|_| verdict.is_admitted()),
            verdict,
            warnings,
            audit_annotations: Some(BTreeMap::new()),
        })
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

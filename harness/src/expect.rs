//! Holds the expectations of a scenario against its outcomes. No review of a snapshot turns a
//! failed expectation green.

use podgate_policy::Minor;

use crate::outcome::{Outcome, Rejection, Stage, Verdict};
use crate::psp::AppliedPolicy;
use crate::suite::{Cluster, Expectation, Expected, ExpectedVerdict, Scenario};

/// An expectation that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Where the expectation stands: `file:line`.
    pub place: String,
    /// The object.
    pub object: String,
    /// What was expected and what came instead.
    pub message: String,
}

/// The expectations of `scenario` that do not hold of `outcomes` on `cluster` at `minor`.
#[must_use]
pub fn unmet(
    scenario: &Scenario,
    cluster: &Cluster,
    minor: Minor,
    outcomes: &[Outcome],
) -> Vec<Unmet> {
    let mut unmet = Vec::new();
    for expectation in &scenario.expect {
        if expectation.applies(cluster, minor) {
            unmet.extend(
                differences(expectation, outcomes)
                    .into_iter()
                    .map(|message| Unmet {
                        place: expectation.place.clone(),
                        object: expectation.object.clone(),
                        message,
                    }),
            );
        }
    }
    unmet
}

fn differences(expectation: &Expectation, outcomes: &[Outcome]) -> Vec<String> {
    let outcome = outcomes.iter().rev().find(|outcome| {
        outcome.object == expectation.object
            && expectation
                .step
                .is_none_or(|step| outcome.step.as_ref().is_some_and(|s| s.number == step))
    });
    let Some(outcome) = outcome else {
        return vec!["it has no outcome here".to_owned()];
    };
    let mut differences = Vec::new();
    differences.extend(compare(
        "the object",
        &expectation.own,
        &outcome.own.verdict,
    ));
    differences.extend(compare_policy("the object", &expectation.own, &outcome.own));
    if expectation.pods != Expected::default() {
        match &outcome.pods {
            Some(pods) => {
                differences.extend(compare("its pods", &expectation.pods, &pods.verdict));
                differences.extend(compare_policy("its pods", &expectation.pods, pods));
            }
            None => differences.push("it has no pods to judge".to_owned()),
        }
    }
    for text in &expectation.warnings {
        if !outcome
            .own
            .warnings
            .iter()
            .any(|warning| warning.contains(text))
        {
            differences.push(format!("no warning contains `{text}`"));
        }
    }
    differences
}

fn compare(whose: &str, expected: &Expected, verdict: &Verdict) -> Option<String> {
    let wanted = match &expected.verdict {
        Some(ExpectedVerdict::Admitted) => "admitted".to_owned(),
        Some(ExpectedVerdict::Rejected(by)) => format!("rejected by {by}"),
        None => String::new(),
    };
    match (&expected.verdict, verdict) {
        (Some(_), Verdict::Undecided { reason }) => {
            return Some(format!(
                "{whose} should be {wanted}, but that is undecided: {reason}"
            ));
        }
        (Some(ExpectedVerdict::Admitted), Verdict::Rejected(Rejection { by, message, .. })) => {
            return Some(format!(
                "{whose} should be admitted, but is rejected by {by}: {message}"
            ));
        }
        (Some(ExpectedVerdict::Rejected(_)), Verdict::Admitted) => {
            return Some(format!("{whose} should be {wanted}, but is admitted"));
        }
        (
            Some(ExpectedVerdict::Rejected(wanted_by)),
            Verdict::Rejected(Rejection { by, message, .. }),
        ) if wanted_by != by => {
            return Some(format!(
                "{whose} should be {wanted}, but is rejected by {by}: {message}"
            ));
        }
        _ => {}
    }
    let (checks, message) = match verdict {
        Verdict::Rejected(Rejection {
            checks, message, ..
        }) => (checks.as_slice(), message.as_str()),
        _ => (&[][..], ""),
    };
    let missing: Vec<&str> = expected
        .checks
        .iter()
        .filter(|wanted| !checks.contains(wanted))
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        let named = if checks.is_empty() {
            "none".to_owned()
        } else {
            checks.join(", ")
        };
        return Some(format!(
            "{whose} should be rejected on {}, but the checks named are: {named}",
            missing.join(", ")
        ));
    }
    match &expected.message {
        Some(text) if !message.contains(text) => Some(format!(
            "the message about {whose} does not contain `{text}`: {message}"
        )),
        _ => None,
    }
}

/// Compares the policy that admitted a pod, and what it changed, with what is expected of them.
fn compare_policy(whose: &str, expected: &Expected, stage: &Stage) -> Option<String> {
    let psp = stage.psp.as_ref();
    let got = psp.map(|psp| psp.policy.as_str());
    if let Some(wanted) = &expected.policy
        && got != Some(wanted)
    {
        let got = got.map_or("none".to_owned(), |got| format!("`{got}`"));
        return Some(format!(
            "{whose} should be admitted by policy `{wanted}`, but the policy is {got}"
        ));
    }
    let wanted = expected.changes.as_ref()?;
    let changed: Vec<&str> = psp
        .map(|AppliedPolicy { changes, .. }| changes.iter().map(|c| c.field.as_str()).collect())
        .unwrap_or_default();
    let named = || match changed.as_slice() {
        [] => "nothing".to_owned(),
        changed => changed.join(", "),
    };
    let missing: Vec<&str> = wanted
        .iter()
        .map(String::as_str)
        .filter(|wanted| !changed.contains(wanted))
        .collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Some(format!(
            "the policy should change {missing} of {whose}, but changes {}",
            named()
        ));
    }
    (wanted.is_empty() && !changed.is_empty()).then(|| {
        format!(
            "the policy should change nothing of {whose}, but changes {}",
            named()
        )
    })
}

//! What `PodSecurityPolicy` objects did with a pod: which one admitted it, what it changed, and of a
//! refusal what each of them said and who might have used it.

use std::fmt::Write;

use podgate_harness::check::{AnswerLine, Says, Trial, TriedPolicy};
use podgate_harness::fault::Fault;
use podgate_harness::outcome::{By, Stage, Verdict};
use podgate_harness::psp::AppliedPolicy;
use podgate_policy::psp::Documentation;

use super::style::{ADMITTED, HINT, Painted, WARNED};
use super::verdicts;

/// `admitted by policy restricted, with changes`
pub(crate) fn admitted(applied: &AppliedPolicy) -> String {
    let mut head = format!("admitted by policy {}", applied.policy);
    if !applied.changes.is_empty() {
        head.push_str(", with changes");
    }
    head
}

/// Each field that a policy changed: `+ spec.securityContext.fsGroup: 1`.
pub(crate) fn changes(applied: &AppliedPolicy, indent: &str, width: usize) -> String {
    let mut text = String::new();
    for change in &applied.changes {
        let sign = match change.before {
            None => Painted(ADMITTED, "+"),
            Some(_) => Painted(WARNED, "~"),
        };
        let line = format!("{sign} {change}");
        text.push_str(&verdicts::filled(&line, indent, "    ", width));
    }
    text
}

/// What is to be said where only a member of `system:masters` got the policy.
pub(crate) fn only_by_masters(requester: &str, indent: &str, width: usize) -> String {
    let hint = format!(
        "{} only because {requester} is in system:masters, who may use every policy; the same pod created by a \
         controller gets another policy or none",
        Painted(HINT, "hint:")
    );
    verdicts::filled(&hint, indent, "      ", width)
}

/// What each policy says of a pod that is refused, a line each, and who would need to `use` one;
/// `applied_by` is who applied the workload of the pod, if it has one.
pub(crate) fn refusal(
    answer: &AnswerLine,
    trial: &Trial,
    applied_by: Option<&str>,
    indent: &str,
    width: usize,
) -> String {
    let mut text = String::new();
    let message = answer.message.as_deref().unwrap_or_default();
    // What the list holds follows by policy.
    let head = match message.split_once(": [") {
        Some((head, errors)) if errors != "]" => format!("{head}:"),
        _ => message.to_owned(),
    };
    text.push_str(&verdicts::filled(&head, indent, "", width));
    let users: Vec<String> = trial.users.iter().map(|user| shown(user)).collect();
    let faults: Vec<&Fault> = answer.faults.iter().collect();
    for tried in &trial.tried {
        for line in lines(tried, &users) {
            let places = verdicts::places(&faults, |fault| line.starts_with(&fault.text));
            let line = format!("- policy {}: {line}", tried.policy);
            text.push_str(&verdicts::filled(&line, indent, "  ", width));
            text.push_str(&verdicts::at(&places, &format!("{indent}  "), width));
        }
    }
    if let Some(hint) = needed(trial, &users, applied_by) {
        let hint = format!("{} {hint}", Painted(HINT, "hint:"));
        text.push_str(&verdicts::filled(&hint, indent, "      ", width));
    }
    let fields = refused_fields(trial);
    if !fields.is_empty() {
        let hint = format!(
            "{} podgate explain {}",
            Painted(HINT, "hint:"),
            fields.join(", or ")
        );
        text.push_str(&verdicts::filled(&hint, indent, "      ", width));
    }
    text
}

/// The fields of usable policies that the pod meets, each once.
fn refused_fields(trial: &Trial) -> Vec<&'static str> {
    let mut fields = Vec::new();
    for tried in trial
        .tried
        .iter()
        .filter(|tried| !tried.usable_by.is_empty())
    {
        let Says::Refuses { errors } = &tried.says else {
            continue;
        };
        for field in errors
            .iter()
            .filter_map(|e| Documentation::at(e.policy_field))
        {
            if !fields.contains(&field.id) {
                fields.push(field.id);
            }
        }
    }
    fields
}

fn lines(tried: &TriedPolicy, users: &[String]) -> Vec<String> {
    let may_not = match users {
        [only] => format!("{only} may not use it"),
        users => format!("neither {} may use it", users.join(" nor ")),
    };
    match &tried.says {
        Says::Broken { reason } => vec![format!("is broken, and passed over: {reason}")],
        Says::Refuses { .. } if tried.usable_by.is_empty() => {
            vec![format!("refuses the pod, and {may_not}")]
        }
        Says::Refuses { errors } => errors
            .iter()
            .map(|error| format!("{} ({})", error.error, error.policy_field))
            .collect(),
        Says::Allows | Says::Changes { .. } if tried.usable_by.is_empty() => {
            vec![format!("allows the pod, but {may_not}")]
        }
        Says::Allows => vec!["allows the pod".to_owned()],
        Says::Changes { fields } => vec![format!(
            "would have to change {}, and nothing is changed any more",
            fields.join(", ")
        )],
    }
}

/// Who would have to be given which right, where only rights are missing.
fn needed(trial: &Trial, users: &[String], applied_by: Option<&str>) -> Option<String> {
    let allowing: Vec<&str> = trial
        .tried
        .iter()
        .filter(|tried| tried.would_admit() && tried.usable_by.is_empty())
        .map(|tried| tried.policy.as_str())
        .collect();
    let (first, others) = users.split_first()?;
    if allowing.is_empty() {
        return None;
    }
    let mut hint = format!(
        "{first} needs a RoleBinding in the pod's namespace that gives it the verb `use` on PodSecurityPolicy {}",
        allowing.join(" or ")
    );
    if let (Some(applied_by), Some(creator)) = (applied_by, others.first()) {
        let _ = write!(
            hint,
            "; {creator} creates the pods, so what {applied_by}, who applied the workload, may use does not count"
        );
    }
    Some(hint)
}

/// A user as people call them: `service account default`, `replicaset-controller`.
fn shown(user: &str) -> String {
    match user.strip_prefix("system:serviceaccount:") {
        Some(account) => match account.split_once(':') {
            Some(("kube-system", name)) if name.ends_with("-controller") => name.to_owned(),
            Some((_, name)) => format!("service account {name}"),
            None => user.to_owned(),
        },
        None => user.to_owned(),
    }
}

/// What is to be said of a refusal whose message is empty: it tells nobody who is missing what.
pub(crate) fn nobody_may_use(stage: &Stage, of_pods: bool) -> Option<String> {
    let Verdict::Rejected(rejection) = &stage.verdict else {
        return None;
    };
    if rejection.by != By::PodSecurityPolicy || !rejection.message.ends_with(" pod: []") {
        return None;
    }
    let creator = &stage.requester;
    let whose = if of_pods {
        format!(
            "{creator} creates the pods, so that the rights of whoever applied the workload do not count, an admin's \
             neither: their service account needs a RoleBinding"
        )
    } else {
        format!("the pod's service account, or {creator}, needs a RoleBinding")
    };
    Some(format!(
        "no policy that allows it may be used: {whose} that gives it the verb `use` on a PodSecurityPolicy"
    ))
}

#[cfg(test)]
mod tests {
    use podgate_harness::check::{PolicyError, UsableBy};
    use podgate_harness::outcome::Rejection;
    use rstest::rstest;

    use super::*;

    fn tried(says: Says, usable: bool) -> TriedPolicy {
        let user = UsableBy {
            user: "alice".into(),
            binding: None,
        };
        TriedPolicy {
            policy: "p".into(),
            says,
            usable_by: usable.then_some(user).into_iter().collect(),
        }
    }

    fn refuses() -> Says {
        let error = PolicyError {
            error: "spec.x: Forbidden: no".into(),
            policy_field: "spec.y",
        };
        Says::Refuses {
            errors: vec![error],
        }
    }

    #[rstest]
    #[case(tried(refuses(), true), "spec.x: Forbidden: no (spec.y)")]
    #[case(
        tried(refuses(), false),
        "refuses the pod, and neither service account web nor alice may use it"
    )]
    #[case(
        tried(Says::Allows, false),
        "allows the pod, but neither service account web nor alice may use it"
    )]
    #[case(
        tried(Says::Broken { reason: "no ranges".into() }, true),
        "is broken, and passed over: no ranges"
    )]
    #[case(
        tried(Says::Changes { fields: vec!["spec.a".into()] }, true),
        "would have to change spec.a, and nothing is changed any more"
    )]
    fn policies_in_words(#[case] policy: TriedPolicy, #[case] expected: &str) {
        let users = ["system:serviceaccount:team:web", "alice"].map(shown);
        assert_eq!(lines(&policy, &users), [expected]);
    }

    #[rstest]
    #[case("system:serviceaccount:kube-system:job-controller", "job-controller")]
    #[case("system:serviceaccount:team:web", "service account web")]
    #[case("alice", "alice")]
    fn users_in_words(#[case] user: &str, #[case] expected: &str) {
        assert_eq!(shown(user), expected);
    }

    #[test]
    fn rights_are_missing_only_where_a_policy_allows() {
        let trial = |tried| Trial {
            users: vec!["system:serviceaccount:team:web".into(), "alice".into()],
            tried: vec![tried],
        };
        let users = ["service account web".to_owned(), "alice".to_owned()];
        let allowing = trial(tried(Says::Allows, false));
        let own = "service account web needs a RoleBinding in the pod's namespace that gives it the verb `use` on \
                   PodSecurityPolicy p";
        assert_eq!(needed(&allowing, &users, None).as_deref(), Some(own));
        let of_pods = format!(
            "{own}; alice creates the pods, so what admin, who applied the workload, may use does not count"
        );
        assert_eq!(needed(&allowing, &users, Some("admin")), Some(of_pods));
        assert_eq!(needed(&trial(tried(refuses(), false)), &users, None), None);
    }

    #[rstest]
    #[case("PodSecurityPolicy: unable to admit pod: []", true)]
    #[case("PodSecurityPolicy: unable to admit pod: [x]", false)]
    fn an_empty_list_is_explained(#[case] message: &str, #[case] expected: bool) {
        let stage = Stage {
            requester: "replicaset-controller".into(),
            verdict: Verdict::Rejected(Rejection {
                code: 403,
                by: By::PodSecurityPolicy,
                checks: Vec::new(),
                message: message.into(),
            }),
            psp: None,
            warnings: Vec::new(),
            audit_annotations: None,
        };
        assert_eq!(nobody_may_use(&stage, true).is_some(), expected);
    }
}

//! What `podgate diff` tells people: each object for which something changes, what made the
//! difference, and what a policy filled in that the manifest has to say itself from now on.

use std::fmt::Write;

use podgate_harness::check::diff::{Change, Compared, Difference, Filled, Options};
use podgate_harness::check::{AnswerLine, Finding, Item, Target};
use podgate_harness::fault::Fault;
use podgate_policy::{Minor, Server, text};

use super::style::{ADMITTED, FAINT, HINT, Painted, REJECTED, STRONG, UNDECIDED, WARNED};
use super::{counted, findings, place, policies, verdicts, width};
use crate::command::versions;

/// Everything that changes.
pub(crate) fn text(items: &[Item<Compared>], options: &Options, all: bool) -> String {
    let mut text = String::new();
    let mut count = Count::default();
    for item in items {
        match item {
            Item::Judged(compared, _) => {
                let difference = compared.difference.as_deref();
                count.add(difference.map(|it| it.change), all);
                if let Some(difference) = difference.filter(|it| all || it.change.is_verdict()) {
                    object(&mut text, difference);
                }
            }
            Item::Unreadable(..) => count.unreadable += 1,
            Item::Context(_) | Item::NotJudged(_) => {}
        }
    }
    for item in items {
        if let Item::NotJudged(place) = item {
            let place = findings::shown(place);
            let _ = writeln!(text, "{} {place}", Painted(FAINT, "not judged:"));
        }
    }
    let is_rendered = |item: &Item<Compared>| match item {
        Item::Judged(compared, _) => {
            compared.difference.is_some() && compared.place.source.is_some()
        }
        _ => false,
    };
    if items.iter().any(is_rendered) {
        let _ = writeln!(text, "{}", Painted(FAINT, place::RENDERED));
    }
    text.push_str(&verdicts::filled(&sides(options), "", "  ", width()));
    text.push_str(&verdicts::filled(&count.summary(), "", "  ", width()));
    text
}

/// `from psp-restricted, Kubernetes 1.24, to psa-restricted, Kubernetes 1.25`
pub(crate) fn sides(options: &Options) -> String {
    let mut text = format!("from {}, to {}", side(&options.from), side(&options.to));
    if let Some(level) = options.policy.enforce {
        let _ = write!(text, "; enforce {level}");
    }
    text
}

/// `psp-restricted, Kubernetes 1.24 (from source only)`
pub(crate) fn side(target: &Target) -> String {
    let cluster = target.cluster.as_ref();
    let cluster = cluster.map(|cluster| format!("{}, ", cluster.name));
    let source = if versions::from_source_only(target.minor) {
        " (from source only)"
    } else {
        ""
    };
    format!(
        "{}Kubernetes {}{source}",
        cluster.unwrap_or_default(),
        target.minor
    )
}

/// How many objects met which end.
#[derive(Default)]
struct Count {
    compared: usize,
    breaks: usize,
    admitted: usize,
    stored: usize,
    undecided: usize,
    unreadable: usize,
    words: usize,
    all: bool,
}

impl Count {
    fn add(&mut self, change: Option<Change>, all: bool) {
        self.compared += 1;
        self.all = all;
        match change {
            Some(Change::Breaks) => self.breaks += 1,
            Some(Change::Admitted) => self.admitted += 1,
            Some(Change::Stored) => self.stored += 1,
            Some(Change::Undecided) => self.undecided += 1,
            Some(Change::Warnings | Change::Reason) => self.words += 1,
            None => {}
        }
    }

    fn summary(&self) -> String {
        if self.compared == 0 && self.unreadable == 0 {
            return "there is nothing to compare: no pod and no workload".to_owned();
        }
        let words = if self.all {
            "with other warnings or reasons"
        } else {
            "with other warnings or reasons (--all tells them)"
        };
        let parts = [
            (self.breaks, REJECTED, "newly rejected"),
            (self.admitted, ADMITTED, "newly admitted"),
            (self.stored, WARNED, "admitted with other fields"),
            (self.undecided, UNDECIDED, "undecided"),
            (self.unreadable, REJECTED, "unreadable"),
            (self.words, FAINT, words),
        ];
        let parts = parts.iter().filter(|(count, ..)| *count > 0);
        let mut parts: Vec<String> = parts
            .map(|(count, style, what)| Painted(*style, &format!("{count} {what}")).to_string())
            .collect();
        if parts.is_empty() {
            parts.push("nothing changes".to_owned());
        }
        let compared = counted(self.compared, "object");
        format!("{compared} compared: {}", parts.join(", "))
    }
}

fn object(text: &mut String, difference: &Difference) {
    let sign = match difference.change {
        Change::Breaks => Painted(REJECTED, "✗"),
        Change::Admitted => Painted(ADMITTED, "✓"),
        Change::Undecided => Painted(UNDECIDED, "?"),
        Change::Stored | Change::Warnings | Change::Reason => Painted(WARNED, "~"),
    };
    let to = &difference.to;
    let place = place::of_finding(to);
    let _ = writeln!(
        text,
        "{sign} {}  {}",
        Painted(STRONG, &to.object),
        Painted(FAINT, &place)
    );
    match difference.change {
        Change::Breaks => breaks(text, difference),
        Change::Admitted => {
            let _ = writeln!(text, "  newly admitted; today {}", head(&difference.from));
            reasons(text, &difference.from, |_| true);
            filled(text, &difference.fills_in, "+", |_| FILLS.to_owned());
        }
        Change::Undecided => {
            for (when, finding) in [("today", &difference.from), ("then", to)] {
                let reason = answers(finding).find_map(|(_, answer)| answer.undecided.as_ref());
                if let Some(reason) = reason {
                    let line = format!("{when} {} {reason}", Painted(UNDECIDED, "undecided:"));
                    text.push_str(&verdicts::filled(&line, "  ", "  ", width()));
                }
            }
        }
        Change::Stored => {
            let _ = writeln!(text, "  admitted by both, with other fields");
            filled(text, &difference.filled_in, "-", |_| LOST.to_owned());
            filled(text, &difference.fills_in, "+", |_| FILLS.to_owned());
        }
        Change::Warnings => {
            warnings(text, &difference.from, to, "no longer:");
            warnings(text, to, &difference.from, "new:");
        }
        Change::Reason => {
            for (when, finding) in [("today", &difference.from), ("then", to)] {
                let _ = writeln!(text, "  {when} {}", head(finding));
                reasons(text, finding, |_| true);
            }
        }
    }
}

/// What a policy filled in, where nobody asks for it.
const LOST: &str = "filled in no longer, though nothing asks for it:";
/// What only the policy to come fills in.
const FILLS: &str = "a policy fills in:";

fn breaks(text: &mut String, difference: &Difference) {
    let _ = writeln!(
        text,
        "  {}",
        head(&difference.to).replacen("rejected", "newly rejected", 1)
    );
    let (needed, rest): (Vec<Filled>, Vec<Filled>) = difference
        .filled_in
        .iter()
        .cloned()
        .partition(|filled| !filled.checks.is_empty());
    let policy = answers(&difference.from).find_map(|(_, answer)| answer.psp.as_ref());
    if let Some(policy) = policy.filter(|_| !needed.is_empty()) {
        filled(text, &needed, "+", |template| {
            let policy = &policy.policy;
            format!("policy {policy} filled in what {template} has to say itself now:")
        });
    }
    let answered = |id: &str| {
        let mut ids = needed.iter().flat_map(|filled| &filled.checks);
        ids.any(|known| known == id)
    };
    match &difference.remaining {
        Some(remaining) if remaining.ok => {}
        Some(_) if !needed.is_empty() => {
            let _ = writeln!(text, "  and it never asked for:");
            reasons(text, &difference.to, |id| !answered(id));
        }
        _ => reasons(text, &difference.to, |_| true),
    }
    filled(text, &rest, "-", |_| LOST.to_owned());
    if !needed.is_empty() {
        return;
    }
    if let Some(hint) = findings::hint(decisive(&difference.to).1) {
        let hint = format!("{} {hint}", Painted(HINT, "hint:"));
        text.push_str(&verdicts::filled(&hint, "  ", "      ", width()));
    }
}

/// The answers to an object and to its pods; whether it is to pods.
fn answers(finding: &Finding) -> impl Iterator<Item = (bool, &AnswerLine)> {
    let pods = finding.pods.iter().flatten().map(|pod| (true, &pod.answer));
    std::iter::once((false, &finding.answer)).chain(pods)
}

fn decisive(finding: &Finding) -> (bool, &AnswerLine) {
    let rejected = answers(finding).find(|(_, answer)| answer.admitted == Some(false));
    rejected.unwrap_or((false, &finding.answer))
}

/// `pods rejected 403 by PodSecurity`
fn head(finding: &Finding) -> String {
    let (of_pods, answer) = decisive(finding);
    let whose = if of_pods { "pods " } else { "" };
    let by = answer.by.map(|by| by.to_string()).unwrap_or_default();
    let code = answer.code.unwrap_or_default();
    format!("{whose}rejected {code} by {by}")
}

/// Why it is rejected: of Pod Security what `told` lets through, by the check.
fn reasons(text: &mut String, finding: &Finding, told: impl Fn(&str) -> bool) {
    let (of_pods, answer) = decisive(finding);
    let Some(message) = &answer.message else {
        return;
    };
    let faults: Vec<&Fault> = answer.faults.iter().collect();
    if let Some((_, pieces)) = text::pieces(Server::new(finding.minor), message) {
        let told: Vec<(&str, &str)> = pieces.into_iter().filter(|(id, _)| told(id)).collect();
        text.push_str(&verdicts::violations(&told, &faults, "    ", width()));
        return;
    }
    text.push_str(&match &answer.trial {
        Some(trial) => {
            let applied_by = of_pods.then_some(finding.answer.r#as.as_str());
            policies::refusal(answer, trial, applied_by, "    ", width())
        }
        None => verdicts::message(message, finding.minor, &faults, "    ", width()),
    });
}

/// The fields below a title. Those of a template are told from its own root, and the title is handed
/// where that is.
fn filled(text: &mut String, fields: &[Filled], sign: &str, title: impl Fn(&str) -> String) {
    let Some(first) = fields.first() else {
        return;
    };
    let template = first.field.strip_suffix(&first.in_pod);
    let title = match template.unwrap_or_default().trim_end_matches('.') {
        "" => title("the pod"),
        template => title(template),
    };
    text.push_str(&verdicts::filled(&title, "  ", "  ", width()));
    let style = if sign == "+" { ADMITTED } else { WARNED };
    for field in fields {
        let line = format!("{} {}: {}", Painted(style, sign), field.in_pod, field.value);
        text.push_str(&verdicts::filled(&line, "    ", "    ", width()));
    }
}

/// The warnings of one side that the other has not.
fn warnings(text: &mut String, of: &Finding, other: &Finding, when: &str) {
    let minor: Minor = of.minor;
    let known = |warning: &String| answers(other).any(|(_, it)| it.warnings.contains(warning));
    let mut told: Vec<&String> = Vec::new();
    for warning in answers(of).flat_map(|(_, answer)| &answer.warnings) {
        if !known(warning) && !told.contains(&warning) {
            told.push(warning);
        }
    }
    for warning in told {
        let _ = writeln!(text, "  {when}");
        text.push_str(&verdicts::warning(warning, minor, &[], "    ", width()));
    }
}

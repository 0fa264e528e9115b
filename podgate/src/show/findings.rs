//! What `podgate check` tells people: each object with its verdict and the reasons, then what was
//! not judged, and what it was judged against.

use std::fmt::Write;

use podgate_harness::check::{AnswerLine, Finding, Item, Options, Place};
use podgate_harness::fault::Fault;
use podgate_harness::outcome::By;
use podgate_policy::Minor;
use serde_json::Value;

use super::style::{ADMITTED, FAINT, HINT, Painted, REJECTED, STRONG, UNDECIDED, WARNED};
use super::{counted, minors, place, policies, verdicts, width};
use crate::command::check::of_finding;
use crate::command::versions;
use crate::exit::Exit;

/// Everything that became of the input.
pub(crate) fn text(items: &[Item], options: &Options) -> String {
    let mut text = String::new();
    let mut count = Count::default();
    for item in items {
        match item {
            Item::Judged(findings, _) => {
                count.add(findings);
                object(&mut text, findings);
            }
            Item::Unreadable(..) => count.unreadable += 1,
            Item::Context(_) | Item::NotJudged(_) => {}
        }
    }
    let context: Vec<&str> = items
        .iter()
        .filter_map(|item| match item {
            Item::Context(place) => Some(place.object.as_str()),
            _ => None,
        })
        .collect();
    if !context.is_empty() {
        let line = format!("context: {}", context.join(", "));
        let _ = write!(text, "{}", verdicts::filled(&line, "", "  ", width()));
    }
    for item in items {
        if let Item::NotJudged(place) = item {
            let _ = writeln!(text, "{} {}", Painted(FAINT, "not judged:"), shown(place));
        }
    }
    let is_rendered = |item: &Item| match item {
        Item::Judged(findings, _) => findings.iter().any(|finding| finding.source.is_some()),
        _ => false,
    };
    if items.iter().any(is_rendered) {
        let _ = writeln!(text, "{}", Painted(FAINT, place::RENDERED));
    }
    let against = against(options, items);
    let _ = write!(text, "{}", verdicts::filled(&against, "", "  ", width()));
    let _ = writeln!(text, "{}", count.summary());
    text
}

/// How many objects met which end.
#[derive(Default)]
struct Count {
    ok: usize,
    not_ok: usize,
    undecided: usize,
    unreadable: usize,
}

impl Count {
    fn add(&mut self, findings: &[Finding]) {
        match findings.iter().map(of_finding).max() {
            Some(Exit::Expected) | None => self.ok += 1,
            Some(Exit::Different) => self.not_ok += 1,
            Some(_) => self.undecided += 1,
        }
    }

    fn summary(&self) -> String {
        let judged = self.ok + self.not_ok + self.undecided;
        let mut parts = Vec::new();
        for (count, style, what) in [
            (self.ok, ADMITTED, "ok"),
            (self.not_ok, REJECTED, "not ok"),
            (self.undecided, UNDECIDED, "undecided"),
            (self.unreadable, REJECTED, "unreadable"),
        ] {
            if count > 0 {
                parts.push(Painted(style, &format!("{count} {what}")).to_string());
            }
        }
        match (judged, parts.is_empty()) {
            (0, true) => "there is nothing to judge: no pod and no workload".to_owned(),
            (0, false) => format!("nothing judged: {}", parts.join(", ")),
            (judged, _) => format!("{} judged: {}", counted(judged, "object"), parts.join(", ")),
        }
    }
}

/// `Kind/name (file:line)`
pub(crate) fn shown(place: &Place) -> String {
    if place.object.is_empty() {
        format!("{}: no Kubernetes object", place.file)
    } else {
        let hint = place
            .template
            .as_ref()
            .map(|template| format!(": it has a pod template, which --template {template} judges"));
        let hint = hint.unwrap_or_default();
        format!("{} ({}){hint}", place.object, place::of_object(place))
    }
}

/// What was judged against: versions, and where the policy comes from.
fn against(options: &Options, items: &[Item]) -> String {
    let mut parts = Vec::new();
    let mut clusters: Vec<Option<&str>> = Vec::new();
    for target in &options.targets {
        let name = target.cluster.as_ref().map(|c| c.name.as_str());
        if !clusters.contains(&name) {
            clusters.push(name);
        }
    }
    for cluster in clusters {
        let of_cluster: Vec<Minor> = options
            .targets
            .iter()
            .filter(|t| t.cluster.as_ref().map(|c| c.name.as_str()) == cluster)
            .map(|t| t.minor)
            .collect();
        let on = cluster
            .map(|name| format!("cluster {name}, "))
            .unwrap_or_default();
        let source = match of_cluster.as_slice() {
            [only] if versions::from_source_only(*only) => " (from source only)",
            _ => "",
        };
        parts.push(format!("{on}Kubernetes {}{source}", minors(&of_cluster)));
    }
    let modes = [
        ("enforce", options.policy.enforce),
        ("warn", options.policy.warn),
        ("audit", options.policy.audit),
    ];
    for (mode, level) in modes {
        if let Some(level) = level {
            parts.push(format!("{mode} {level}"));
        }
    }
    if let Some(requester) = &options.requester {
        let groups: Vec<String> = requester
            .groups
            .iter()
            .map(|group| format!(", {group}"))
            .collect();
        parts.push(format!("asked by {}{}", requester.user, groups.concat()));
    }
    let by_input = options.policy.is_empty() && options.targets.iter().all(|t| t.cluster.is_none());
    if by_input {
        let decides =
            |item: &&str| item.starts_with("Namespace/") || item.starts_with("PodSecurityPolicy/");
        let named = items.iter().filter_map(|item| match item {
            Item::Context(place) => Some(place.object.as_str()),
            _ => None,
        });
        let named: Vec<&str> = named.filter(decides).collect();
        parts.push(format!("policy of {}", named.join(", ")));
    }
    format!("judged as {}", parts.join("; "))
}

/// One object with the verdicts on it. Minors that agree are told together.
fn object(text: &mut String, findings: &[Finding]) {
    let Some(first) = findings.first() else {
        return;
    };
    let sign = match findings.iter().map(of_finding).max() {
        Some(Exit::Different) => Painted(REJECTED, "✗").to_string(),
        Some(Exit::BadInput) => Painted(UNDECIDED, "?").to_string(),
        _ => Painted(ADMITTED, "✓").to_string(),
    };
    let _ = writeln!(
        text,
        "{sign} {}  {}",
        Painted(STRONG, &first.object),
        Painted(FAINT, &place::of_finding(first))
    );
    let mut groups: Vec<(&Finding, Vec<Minor>)> = Vec::new();
    for finding in findings {
        let known = groups.iter_mut().find(|(other, _)| alike(other, finding));
        match known {
            Some((newest, minors)) => {
                // They differ in words at most, and the newest words are the ones to read.
                *newest = finding;
                minors.push(finding.minor);
            }
            None => groups.push((finding, vec![finding.minor])),
        }
    }
    let several = groups.len() > 1;
    for (finding, of_group) in groups {
        let mut indent = "  ";
        if several {
            let on = finding.cluster.as_deref().unwrap_or("Kubernetes");
            let _ = writeln!(text, "  {on} {}", Painted(STRONG, &minors(&of_group)));
            indent = "    ";
        }
        let minor = finding.minor;
        answer(text, &finding.answer, None, indent, minor);
        for pod in finding.pods.iter().flatten() {
            let who = format!("{indent}pods (created by {}):", pod.answer.r#as);
            let same = !finding.answer.warnings.is_empty()
                && finding.answer.warnings == pod.answer.warnings;
            if same && pod.answer.admitted == Some(true) {
                let admitted = Painted(ADMITTED, "admitted");
                let warning = Painted(WARNED, "with the same warning");
                let _ = writeln!(text, "{who} {admitted}, {warning}");
            } else {
                let _ = write!(text, "{who} ");
                let start = text.len();
                let applied_by = Some(finding.answer.r#as.as_str());
                answer(text, &pod.answer, applied_by, indent, minor);
                // The verdict stands behind who it is about.
                text.replace_range(start..start + indent.len(), "");
            }
        }
        if let Some(stored) = &finding.stored {
            stored_object(text, "stored", stored, indent);
        }
        for pod in finding.pods.iter().flatten() {
            if let Some(stored) = &pod.stored {
                stored_object(text, "pod stored", stored, indent);
            }
        }
    }
}

fn alike(a: &Finding, b: &Finding) -> bool {
    let same = |a: &AnswerLine, b: &AnswerLine| {
        a.admitted == b.admitted
            && a.by == b.by
            && a.checks == b.checks
            && a.warnings == b.warnings
            && a.psp == b.psp
            && a.trial == b.trial
            && (a.message == b.message || !a.checks.is_empty())
    };
    let pods = |finding: &Finding| finding.pods.as_ref().map_or(0, Vec::len);
    a.cluster == b.cluster
        && a.stored == b.stored
        && same(&a.answer, &b.answer)
        && pods(a) == pods(b)
        && a.pods
            .iter()
            .flatten()
            .zip(b.pods.iter().flatten())
            .all(|(a, b)| a.stored == b.stored && same(&a.answer, &b.answer))
}

/// The verdict on an object; `applied_by` is who applied the workload that it is a pod of.
fn answer(
    text: &mut String,
    answer: &AnswerLine,
    applied_by: Option<&str>,
    indent: &str,
    minor: Minor,
) {
    let inner = format!("{indent}  ");
    match answer.admitted {
        Some(true) => {
            let head = answer.psp.as_ref().map(policies::admitted);
            let head = head.as_deref().unwrap_or("admitted");
            let _ = writeln!(text, "{indent}{}", Painted(ADMITTED, head));
            if let Some(applied) = &answer.psp {
                text.push_str(&policies::changes(applied, &inner, width()));
                if applied.only_by_masters {
                    text.push_str(&policies::only_by_masters(&answer.r#as, &inner, width()));
                }
            }
        }
        Some(false) => {
            let by = answer.by.map(|by| by.to_string()).unwrap_or_default();
            let code = answer.code.unwrap_or_default();
            let head = format!("rejected {code} by {by}");
            let _ = writeln!(text, "{indent}{}", Painted(REJECTED, &head));
            if let (Some(By::PodSecurityPolicy), Some(trial)) = (answer.by, &answer.trial) {
                text.push_str(&policies::refusal(
                    answer,
                    trial,
                    applied_by,
                    &inner,
                    width(),
                ));
            } else if let Some(message) = &answer.message {
                text.push_str(&verdicts::message(
                    message,
                    minor,
                    &answer.faults.iter().collect::<Vec<_>>(),
                    &inner,
                    width(),
                ));
            }
            if let Some(hint) = hint(answer) {
                let hint = format!("{} {hint}", Painted(HINT, "hint:"));
                text.push_str(&verdicts::filled(&hint, &inner, "      ", width()));
            }
        }
        None => {
            let reason = answer.undecided.as_deref().unwrap_or_default();
            let undecided = format!("{} {reason}", Painted(UNDECIDED, "undecided:"));
            text.push_str(&verdicts::filled(&undecided, indent, "  ", width()));
        }
    }
    for (at, warning) in answer.warnings.iter().enumerate() {
        let faults = answer.warning_faults.get(at).into_iter().flatten();
        let faults: Vec<&Fault> = faults.collect();
        text.push_str(&verdicts::warning(warning, minor, &faults, &inner, width()));
    }
}

/// What to do about a rejection, where that is not plain from the message.
pub(crate) fn hint(answer: &AnswerLine) -> Option<String> {
    match answer.by? {
        By::PodSecurity => match answer.checks.as_slice() {
            [] => None,
            [only] => Some(format!("podgate explain {only}")),
            [first, rest @ ..] => {
                Some(format!("podgate explain {first}, or {}", rest.join(", ")))
            }
        },
        By::ServiceAccount if answer.message.as_ref()?.ends_with("not found") => Some(
            "it is neither in the input nor in the cluster file; check its manifest along, as a server needs it, too"
                .to_owned(),
        ),
        By::NotFound if answer.message.as_ref()?.starts_with("no matches for kind") => {
            Some("that version of the API is not served there; podgate versions lists the minors".to_owned())
        }
        _ => None,
    }
}

fn stored_object(text: &mut String, what: &str, stored: &Value, indent: &str) {
    let _ = writeln!(text, "{indent}{}", Painted(FAINT, &format!("{what}:")));
    let yaml = podgate_manifest::to_yaml(stored);
    for line in yaml.lines() {
        let _ = writeln!(text, "{indent}  {line}");
    }
}

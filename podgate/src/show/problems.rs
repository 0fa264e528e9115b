//! What is wrong in a run, one problem each, for the formats of other tools: `JUnit`, SARIF,
//! annotations, Markdown, HTML.

use std::fmt::Write;

use podgate_harness::check::diff::{Change, Compared};
use podgate_harness::check::{self, Finding, Item};
use podgate_harness::error::Error;
use podgate_harness::fault::{Fault, Place};
use podgate_harness::outcome::{Outcome, Stage, Verdict};
use podgate_harness::record::{Cell, Record, Snapshot, folded};
use podgate_harness::snapshot::{self, ChangeKind, Of};
use podgate_policy::Minor;

use super::{matrix, policies};

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// It fails.
    Error,
    /// It is told, and fails nothing.
    Warning,
}

impl Severity {
    /// The word that SARIF and GitHub have for it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// How bad it is.
    pub(crate) level: Severity,
    /// What kind it is of, in one word for machines: `now-admitted`, `missing-snapshot`.
    pub(crate) rule: &'static str,
    /// The same for people.
    pub(crate) title: String,
    /// The cluster; empty where it is about none.
    pub(crate) cluster: String,
    /// The scenario; empty where it is about none.
    pub(crate) scenario: String,
    /// The object, as the matrix calls it; empty where it is about a whole snapshot.
    pub(crate) object: String,
    /// The minors, in ranges.
    pub(crate) kubernetes: String,
    /// What was, what is, what was expected: lines.
    pub(crate) message: String,
    /// Where a person should look first.
    pub(crate) place: Option<Place>,
    /// The fields at fault, where a server refuses them.
    pub(crate) faults: Vec<Fault>,
}

impl Problem {
    /// `Pod/root in hello on psa-restricted 1.23..`
    pub(crate) fn subject(&self) -> String {
        let parts = [
            ("", &self.object),
            ("in ", &self.scenario),
            ("on ", &self.cluster),
            ("", &self.kubernetes),
        ];
        let parts = parts.iter().filter(|(_, text)| !text.is_empty());
        let parts: Vec<String> = parts
            .map(|(before, text)| format!("{before}{text}"))
            .collect();
        parts.join(" ")
    }
}

/// Everything that keeps what was checked from being ok, and every warning. Minors that say the same
/// are told together.
pub(crate) fn of_check(items: &[Item]) -> Vec<Problem> {
    let mut found: Vec<(Problem, Vec<Minor>)> = Vec::new();
    for item in items {
        match item {
            Item::Judged(findings, _) => {
                for (problem, minor) in findings.iter().flat_map(of_finding) {
                    match found.iter_mut().find(|(known, _)| *known == problem) {
                        Some((_, minors)) => minors.push(minor),
                        None => found.push((problem, vec![minor])),
                    }
                }
            }
            Item::Unreadable(error, place) => found.push((unreadable(error, place), Vec::new())),
            Item::Context(_) | Item::NotJudged(_) => {}
        }
    }
    let with_minors = |(problem, minors): (Problem, Vec<Minor>)| Problem {
        kubernetes: folded(&minors),
        ..problem
    };
    found.into_iter().map(with_minors).collect()
}

/// Everything that newly breaks from one server to another, or cannot be known.
pub(crate) fn of_diff(items: &[Item<Compared>]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for item in items {
        match item {
            Item::Judged(compared, _) => problems.extend(of_compared(compared)),
            Item::Unreadable(error, place) => problems.push(unreadable(error, place)),
            Item::Context(_) | Item::NotJudged(_) => {}
        }
    }
    problems
}

/// The same of one object.
pub(crate) fn of_compared(compared: &Compared) -> Vec<Problem> {
    let Some(difference) = &compared.difference else {
        return Vec::new();
    };
    let sides = match difference.change {
        Change::Breaks => vec![&difference.to],
        Change::Undecided => vec![&difference.from, &difference.to],
        _ => return Vec::new(),
    };
    let found = sides.into_iter().flat_map(of_finding);
    let wrong = |problem: &Problem| match difference.change {
        Change::Undecided => problem.rule == "undecided",
        _ => problem.level == Severity::Error,
    };
    let mut problems: Vec<Problem> = found
        .filter(|(problem, _)| wrong(problem))
        .map(|(problem, minor)| Problem {
            kubernetes: minor.to_string(),
            ..problem
        })
        .collect();
    if let (Change::Breaks, Some(first)) = (difference.change, problems.first_mut()) {
        first.rule = "newly-breaks";
        first.title = format!("newly {}", first.title);
        for filled in &difference.filled_in {
            let _ = write!(
                first.message,
                "\nnobody fills in any more: {}: {}",
                filled.field, filled.value
            );
        }
    }
    problems
}

fn unreadable(error: &Error, place: &check::Place) -> Problem {
    let at = error.place().and_then(podgate_manifest::Error::position);
    let at = at.map_or((place.line, 1), |at| (at.line, at.column));
    Problem {
        level: Severity::Error,
        rule: "unreadable",
        title: "cannot be read".to_owned(),
        cluster: String::new(),
        scenario: String::new(),
        object: place.object.clone(),
        kubernetes: String::new(),
        message: error
            .place()
            .map_or(error.message(), |it| it.message())
            .to_owned(),
        place: Some(Place {
            file: place.file.clone(),
            line: at.0,
            column: at.1,
            source: place.source.clone(),
        }),
        faults: Vec::new(),
    }
}

/// What is wrong with one object on one cluster at one minor.
pub(crate) fn of_finding(finding: &Finding) -> Vec<(Problem, Minor)> {
    let pods = finding.pods.iter().flatten().map(|pod| (&pod.answer, true));
    let mut problems = Vec::new();
    for (answer, of_pods) in std::iter::once((&finding.answer, false)).chain(pods) {
        let who = if of_pods { " (its pods)" } else { "" };
        let problem = |level, rule, title: String, message: &str, faults: &[Fault]| Problem {
            level,
            rule,
            title,
            cluster: finding.cluster.clone().unwrap_or_default(),
            scenario: String::new(),
            object: format!("{}{who}", finding.object),
            kubernetes: String::new(),
            message: message.to_owned(),
            place: Some(Place {
                file: finding.file.clone(),
                line: finding.line,
                column: 1,
                source: finding.source.clone(),
            }),
            faults: faults.to_vec(),
        };
        if let (Some(by), Some(message)) = (answer.by, &answer.message) {
            let title = format!("rejected {} by {by}", answer.code.unwrap_or_default());
            problems.push(problem(
                Severity::Error,
                "rejected",
                title,
                message,
                &answer.faults,
            ));
        }
        if let Some(reason) = &answer.undecided {
            let title = "undecided".to_owned();
            problems.push(problem(Severity::Error, "undecided", title, reason, &[]));
        }
        // What the workload was warned about, its pods are warned about again.
        if of_pods && finding.answer.warnings == answer.warnings {
            continue;
        }
        for (at, warning) in answer.warnings.iter().enumerate() {
            let faults = answer
                .warning_faults
                .get(at)
                .map(Vec::as_slice)
                .unwrap_or_default();
            let title = "warning".to_owned();
            problems.push(problem(
                Severity::Warning,
                "warning",
                title,
                warning,
                faults,
            ));
        }
    }
    problems
        .into_iter()
        .map(|problem| (problem, finding.minor))
        .collect()
}

/// Everything that is wrong, what was rejected and is admitted now first.
pub(crate) fn of(record: &Record) -> Vec<Problem> {
    let mut problems: Vec<(bool, Problem)> = Vec::new();
    for snapshot in &record.snapshots {
        if snapshot.missing {
            problems.push((
                false,
                of_snapshot(record, snapshot, "missing-snapshot", "there is no snapshot"),
            ));
        } else if snapshot.reformatted {
            let title = "the snapshot says the same in another form";
            problems.push((false, of_snapshot(record, snapshot, "reformatted", title)));
        } else {
            for (at, change) in snapshot.changes.iter().enumerate() {
                let faults = snapshot.faults.get(at).cloned().unwrap_or_default();
                problems.push((
                    change.is_dangerous(),
                    of_change(record, snapshot, change, faults),
                ));
            }
        }
        problems.extend(unmet(record, snapshot).map(|problem| (false, problem)));
    }
    problems.extend(
        undecided(record)
            .into_iter()
            .map(|problem| (false, problem)),
    );
    problems.extend(record.unreferenced.iter().map(|path| {
        let problem = Problem {
            level: Severity::Error,
            rule: "unreferenced-snapshot",
            title: "no scenario on any cluster has this snapshot".to_owned(),
            cluster: String::new(),
            scenario: String::new(),
            object: String::new(),
            kubernetes: String::new(),
            message: path.display().to_string(),
            place: Some(Place {
                file: path.display().to_string(),
                line: 1,
                column: 1,
                source: None,
            }),
            faults: Vec::new(),
        };
        (false, problem)
    }));
    problems.sort_by_key(|(dangerous, _)| !dangerous);
    problems.into_iter().map(|(_, problem)| problem).collect()
}

fn of_snapshot(record: &Record, snapshot: &Snapshot, rule: &'static str, title: &str) -> Problem {
    Problem {
        level: Severity::Error,
        rule,
        title: title.to_owned(),
        cluster: snapshot.cluster.clone(),
        scenario: snapshot.scenario.clone(),
        object: String::new(),
        kubernetes: String::new(),
        message: snapshot.file.display().to_string(),
        place: start(record, &snapshot.scenario),
        faults: Vec::new(),
    }
}

fn of_change(
    record: &Record,
    snapshot: &Snapshot,
    change: &snapshot::Change,
    faults: Vec<Fault>,
) -> Problem {
    let object = match &change.step {
        Some(step) => format!("{}. {}", step.number, change.object),
        None => change.object.clone(),
    };
    let whose = if change.of == Of::Pods {
        " (its pods)"
    } else {
        ""
    };
    let line = |what: &str, stage: &Option<Stage>| {
        let stage = stage.as_ref();
        stage.map_or_else(String::new, |stage| format!("{what}: {}\n", told(stage)))
    };
    let message = line("recorded", &change.before) + &line("observed", &change.after);
    Problem {
        level: Severity::Error,
        rule: rule(change.kind),
        title: change.kind.to_string(),
        cluster: snapshot.cluster.clone(),
        scenario: snapshot.scenario.clone(),
        object: format!("{object}{whose}"),
        kubernetes: change.minors.to_string(),
        message: message.trim_end().to_owned(),
        place: faults.first().map(|fault| fault.place.clone()).or_else(|| {
            let place = record.place(&snapshot.scenario, &change.object).cloned();
            place.or_else(|| start(record, &snapshot.scenario))
        }),
        faults,
    }
}

const fn rule(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::NowAdmitted => "now-admitted",
        ChangeKind::PodsNotAsked => "pods-not-asked",
        ChangeKind::NowRejected => "now-rejected",
        ChangeKind::NowUndecided => "now-undecided",
        ChangeKind::NowDecided => "now-decided",
        ChangeKind::Reason => "other-reason",
        ChangeKind::Message => "other-message",
        ChangeKind::Warnings => "other-warnings",
        ChangeKind::Policy => "other-policy",
        ChangeKind::Request => "other-request",
        ChangeKind::Added => "not-recorded",
        ChangeKind::Removed => "not-observed",
    }
}

/// The verdict and its reason on one line, and a line for each warning.
pub(crate) fn told(stage: &Stage) -> String {
    let mut text = match &stage.verdict {
        Verdict::Admitted => "admitted".to_owned(),
        Verdict::Rejected(it) => format!("rejected {} by {}: {}", it.code, it.by, it.message),
        Verdict::Undecided { reason } => format!("undecided: {reason}"),
    };
    if let Some(applied) = &stage.psp {
        text = policies::admitted(applied);
        if applied.only_by_masters {
            let _ = write!(
                text,
                ", only because {} is in system:masters",
                stage.requester
            );
        }
        for change in &applied.changes {
            let _ = write!(text, "\n  {change}");
        }
    }
    for warning in &stage.warnings {
        text.push_str("\n  warning: ");
        text.push_str(warning);
    }
    text
}

/// The expectations that do not hold, each with its minors.
fn unmet<'a>(record: &'a Record, snapshot: &'a Snapshot) -> impl Iterator<Item = Problem> + 'a {
    let mut told: Vec<(&str, &str, &str, Vec<Minor>)> = Vec::new();
    for unmet in &snapshot.unmet {
        let key = (
            unmet.place.as_str(),
            unmet.object.as_str(),
            unmet.message.as_str(),
        );
        match told
            .iter_mut()
            .find(|(place, object, message, _)| (*place, *object, *message) == key)
        {
            Some((.., minors)) => minors.push(unmet.kubernetes),
            None => told.push((key.0, key.1, key.2, vec![unmet.kubernetes])),
        }
    }
    told.into_iter()
        .map(|(place, object, message, minors)| Problem {
            level: Severity::Error,
            rule: "not-as-expected",
            title: "not as expected".to_owned(),
            cluster: snapshot.cluster.clone(),
            scenario: snapshot.scenario.clone(),
            object: object.to_owned(),
            kubernetes: folded(&minors),
            message: message.to_owned(),
            place: line_of(place).or_else(|| start(record, &snapshot.scenario)),
            faults: Vec::new(),
        })
}

/// What cannot be known, which is never a pass.
fn undecided(record: &Record) -> Vec<Problem> {
    let mut found: Vec<(&Cell, String, &str, Vec<Minor>)> = Vec::new();
    for cell in &record.cells {
        let Some(reason) = reason(&cell.outcome) else {
            continue;
        };
        let label = matrix::label(&cell.outcome);
        let same = |(known, object, why, _): &&mut (&Cell, String, &str, _)| {
            (known.cluster == cell.cluster && known.scenario == cell.scenario)
                && (*object == label && *why == reason)
        };
        match found.iter_mut().find(same) {
            Some((.., minors)) => minors.push(cell.kubernetes),
            None => found.push((cell, label, reason, vec![cell.kubernetes])),
        }
    }
    let problem = |(cell, object, reason, minors): (&Cell, String, &str, Vec<_>)| Problem {
        level: Severity::Error,
        rule: "undecided",
        title: "undecided".to_owned(),
        cluster: cell.cluster.clone(),
        scenario: cell.scenario.clone(),
        object,
        kubernetes: folded(&minors),
        message: reason.to_owned(),
        place: record.place(&cell.scenario, &cell.object).cloned(),
        faults: Vec::new(),
    };
    found.into_iter().map(problem).collect()
}

fn reason(outcome: &Outcome) -> Option<&str> {
    let stages = std::iter::once(&outcome.own).chain(&outcome.pods);
    stages.into_iter().find_map(|stage| match &stage.verdict {
        Verdict::Undecided { reason } => Some(reason.as_str()),
        _ => None,
    })
}

/// The place in `file:line`.
fn line_of(place: &str) -> Option<Place> {
    let (file, line) = place.rsplit_once(':')?;
    Some(Place {
        file: file.to_owned(),
        line: line.parse().ok()?,
        column: 1,
        source: None,
    })
}

/// The first line of a scenario's file.
fn start(record: &Record, scenario: &str) -> Option<Place> {
    let scenario = record.scenarios.iter().find(|known| known.id == scenario)?;
    Some(Place {
        file: scenario.file.display().to_string(),
        line: 1,
        column: 1,
        source: None,
    })
}

//! What differs from the snapshots and from the expectations; nothing where nothing does.

use std::fmt::Write;

use anstyle::Style;
use podgate_harness::outcome::Stage;
use podgate_harness::plan::Plan;
use podgate_harness::report::{Entry, Report};
use podgate_harness::snapshot::{Change, ChangeKind};
use podgate_policy::Minor;

use super::style::{ADMITTED, Painted, REJECTED, WARNED};
use super::{minors, verdicts, width};

/// Everything that differs, what was rejected and is admitted now first.
pub(crate) fn text(plan: &Plan, report: &Report) -> String {
    let mut text = String::new();
    let mut changed: Vec<_> = report
        .entries
        .iter()
        .filter(|e| !e.comparison.agrees())
        .collect();
    // What was rejected and is admitted now must not hide behind other news.
    changed.sort_by_key(|e| !e.comparison.changes.iter().any(Change::is_dangerous));
    let missing = missing(plan, &changed);
    changed.retain(|entry| !entry.comparison.missing);
    for entry in changed {
        let cluster = &plan.clusters[entry.cluster].name;
        let scenario = &plan.scenarios[entry.scenario].id;
        let place = format!("{scenario} on {cluster}");
        if entry.comparison.reformatted {
            let head = Painted(WARNED, "reformatted");
            let line = format!("{head} {place}: the snapshot says the same in another form");
            text.push_str(&verdicts::filled(&line, "", "  ", width()));
        } else {
            let _ = writeln!(text, "{} {place}", Painted(REJECTED, "changed"));
            for change in &entry.comparison.changes {
                text.push_str(&self::change(change));
            }
        }
        if let Some(path) = &entry.proposed {
            let _ = writeln!(text, "  written to {}", path.display());
        }
    }
    text.push_str(&missing);
    for entry in &report.entries {
        text.push_str(&unmet(plan, entry));
    }
    for path in &report.unreferenced {
        let head = Painted(WARNED, "unreferenced");
        let line = format!(
            "{head} {}: no scenario on any cluster has this snapshot",
            path.display()
        );
        text.push_str(&verdicts::filled(&line, "", "  ", width()));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn change(change: &Change) -> String {
    let style = if change.is_dangerous() {
        REJECTED
    } else {
        WARNED
    };
    let mut text = format!("  {}\n", Painted(style, &change.to_string()));
    let newest = change.minors.iter().next_back().unwrap_or(Minor::NEWEST);
    for (sign, style, stage) in [
        ("-", REJECTED, &change.before),
        ("+", ADMITTED, &change.after),
    ] {
        if let Some(stage) = stage {
            let shown = match change.kind {
                ChangeKind::Warnings => warnings(stage, newest),
                _ => self::stage(stage, newest),
            };
            text.push_str(&signed(sign, style, &shown));
        }
    }
    text
}

/// How many columns the sign in front of a line takes.
const SIGN: usize = 6;

fn stage(stage: &Stage, minor: Minor) -> String {
    let mut text = format!("{}\n", verdicts::head(stage));
    text.push_str(&verdicts::body(stage, minor, "  ", width() - SIGN));
    for warning in &stage.warnings {
        text.push_str(&verdicts::warning(warning, minor, "  ", width() - SIGN));
    }
    text
}

/// The warnings alone, where nothing else differs.
fn warnings(stage: &Stage, minor: Minor) -> String {
    if stage.warnings.is_empty() {
        return "no warning\n".to_owned();
    }
    let warning = |text: &String| verdicts::warning(text, minor, "", width() - SIGN);
    stage.warnings.iter().map(warning).collect()
}

/// Every line of a text behind a sign.
fn signed(sign: &str, style: Style, text: &str) -> String {
    let sign = Painted(style, sign);
    let mut signed = String::new();
    for line in text.lines() {
        let _ = writeln!(signed, "    {sign} {line}");
    }
    signed
}

/// Scenarios without a snapshot, with the clusters that have none.
fn missing(plan: &Plan, changed: &[&Entry]) -> String {
    let mut missing: Vec<(usize, Vec<&str>)> = Vec::new();
    for entry in changed.iter().filter(|entry| entry.comparison.missing) {
        let cluster = plan.clusters[entry.cluster].name.as_str();
        match missing
            .iter_mut()
            .find(|(scenario, _)| *scenario == entry.scenario)
        {
            Some((_, clusters)) => clusters.push(cluster),
            None => missing.push((entry.scenario, vec![cluster])),
        }
    }
    let mut text = String::new();
    for (scenario, clusters) in missing {
        let line = format!(
            "{} {}: no snapshot on {}",
            Painted(WARNED, "missing"),
            plan.scenarios[scenario].id,
            clusters.join(", ")
        );
        text.push_str(&verdicts::filled(&line, "", "  ", width()));
    }
    text
}

/// The expectations that do not hold in one entry, each with its minors.
fn unmet(plan: &Plan, entry: &Entry) -> String {
    let mut told: Vec<(&str, String, Vec<Minor>)> = Vec::new();
    for (minor, unmet) in &entry.unmet {
        let message = format!("{}: {}", unmet.object, unmet.message);
        match told
            .iter_mut()
            .find(|(place, known, _)| *place == unmet.place && *known == message)
        {
            Some((.., minors)) => minors.push(*minor),
            None => told.push((&unmet.place, message, vec![*minor])),
        }
    }
    let mut text = String::new();
    for (place, message, of_message) in told {
        let cluster = &plan.clusters[entry.cluster].name;
        let head = Painted(REJECTED, "not as expected");
        let line = format!("{head} {place} on {cluster} {}", minors(&of_message));
        text.push_str(&verdicts::filled(&line, "", "  ", width()));
        text.push_str(&verdicts::filled(&message, "  ", "  ", width()));
    }
    text
}

//! What differs from the snapshots and from the expectations; nothing where nothing does.

use std::fmt::Write;

use anstyle::Style;
use podgate_harness::fault::Fault;
use podgate_harness::outcome::Stage;
use podgate_harness::record::{Record, Snapshot};
use podgate_harness::snapshot::{Change, ChangeKind};
use podgate_policy::Minor;

use super::style::{ADMITTED, Painted, REJECTED, WARNED};
use super::{minors, verdicts, width};

/// Everything that differs, what was rejected and is admitted now first.
pub(crate) fn text(record: &Record) -> String {
    let mut text = String::new();
    let mut changed: Vec<_> = record.snapshots.iter().filter(|e| !e.agrees).collect();
    // What was rejected and is admitted now must not hide behind other news.
    changed.sort_by_key(|e| !e.changes.iter().any(Change::is_dangerous));
    let missing = missing(&changed);
    changed.retain(|entry| !entry.missing);
    for entry in changed {
        let place = format!("{} on {}", entry.scenario, entry.cluster);
        if entry.reformatted {
            let head = Painted(WARNED, "reformatted");
            let line = format!("{head} {place}: the snapshot says the same in another form");
            text.push_str(&verdicts::filled(&line, "", "  ", width()));
        } else {
            let _ = writeln!(text, "{} {place}", Painted(REJECTED, "changed"));
            for (at, change) in entry.changes.iter().enumerate() {
                let faults = entry.faults.get(at).into_iter().flatten();
                text.push_str(&self::change(change, &faults.collect::<Vec<_>>()));
            }
        }
        if let Some(path) = &entry.proposed {
            let _ = writeln!(text, "  written to {}", path.display());
        }
    }
    text.push_str(&missing);
    for entry in &record.snapshots {
        text.push_str(&unmet(entry));
    }
    for path in &record.unreferenced {
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

/// What was and what is; `faults` are in what is.
fn change(change: &Change, faults: &[&Fault]) -> String {
    let style = if change.is_dangerous() {
        REJECTED
    } else {
        WARNED
    };
    let mut text = format!("  {}\n", Painted(style, &change.to_string()));
    let newest = change.minors.iter().next_back().unwrap_or(Minor::NEWEST);
    for (sign, style, stage, faults) in [
        ("-", REJECTED, &change.before, &[][..]),
        ("+", ADMITTED, &change.after, faults),
    ] {
        if let Some(stage) = stage {
            let shown = match change.kind {
                ChangeKind::Warnings => warnings(stage, newest, faults),
                _ => self::stage(stage, newest, faults),
            };
            text.push_str(&signed(sign, style, &shown));
        }
    }
    text
}

/// How many columns the sign in front of a line takes.
const SIGN: usize = 6;

fn stage(stage: &Stage, minor: Minor, faults: &[&Fault]) -> String {
    let mut text = format!("{}\n", verdicts::head(stage));
    text.push_str(&verdicts::body(stage, minor, faults, "  ", width() - SIGN));
    for warning in &stage.warnings {
        text.push_str(&verdicts::warning(
            warning,
            minor,
            faults,
            "  ",
            width() - SIGN,
        ));
    }
    text
}

/// The warnings alone, where nothing else differs.
fn warnings(stage: &Stage, minor: Minor, faults: &[&Fault]) -> String {
    if stage.warnings.is_empty() {
        return "no warning\n".to_owned();
    }
    let warning = |text: &String| verdicts::warning(text, minor, faults, "", width() - SIGN);
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
fn missing(changed: &[&Snapshot]) -> String {
    let mut missing: Vec<(&str, Vec<&str>)> = Vec::new();
    for entry in changed.iter().filter(|entry| entry.missing) {
        match missing
            .iter_mut()
            .find(|(scenario, _)| *scenario == entry.scenario)
        {
            Some((_, clusters)) => clusters.push(&entry.cluster),
            None => missing.push((&entry.scenario, vec![&entry.cluster])),
        }
    }
    let mut text = String::new();
    for (scenario, clusters) in missing {
        let line = format!(
            "{} {scenario}: no snapshot on {}",
            Painted(WARNED, "missing"),
            clusters.join(", ")
        );
        text.push_str(&verdicts::filled(&line, "", "  ", width()));
    }
    text
}

/// The expectations that do not hold in one entry, each with its minors.
fn unmet(entry: &Snapshot) -> String {
    let mut told: Vec<(&str, String, Vec<Minor>)> = Vec::new();
    for unmet in &entry.unmet {
        let message = format!("{}: {}", unmet.object, unmet.message);
        match told
            .iter_mut()
            .find(|(place, known, _)| *place == unmet.place && *known == message)
        {
            Some((.., minors)) => minors.push(unmet.kubernetes),
            None => told.push((&unmet.place, message, vec![unmet.kubernetes])),
        }
    }
    let mut text = String::new();
    for (place, message, of_message) in told {
        let cluster = &entry.cluster;
        let head = Painted(REJECTED, "not as expected");
        let line = format!("{head} {place} on {cluster} {}", minors(&of_message));
        text.push_str(&verdicts::filled(&line, "", "  ", width()));
        text.push_str(&verdicts::filled(&message, "  ", "  ", width()));
    }
    text
}

//! The labels that namespaces can be given today, as commands to copy, and what `warn` and `audit` then
//! say: short, however many namespaces there are.

use std::collections::BTreeMap;
use std::fmt::Write;

use podgate_harness::audit::{NamespaceReport, Over, Report};
use podgate_policy::Level;

use super::super::counted;
use super::super::style::{FAINT, Painted, STRONG};
use super::super::verdicts::filled;

/// How many namespaces a list names.
const SHOWN: usize = 20;

/// How many names a command has in one line.
const NAMED: usize = 6;

/// A namespace with its name.
type Named<'r> = (&'r str, &'r NamespaceReport);

/// Labels to set.
type Labels = Vec<(&'static str, String)>;

/// The labels to set, by the strictest level that namespaces pass.
pub(super) fn text(report: &Report, width: usize) -> String {
    let all = || {
        report
            .namespaces
            .iter()
            .map(|(name, it)| (name.as_str(), it))
    };
    let judged = |it: &Named<'_>| it.1.has_objects() && !it.1.exempted;
    if !all().any(|it| judged(&it)) {
        return String::new();
    }
    let read = match report.counts {
        counts if counts.workloads == 0 => "no pod (no pod template was read)",
        counts if counts.pods == 0 => "no pod template (no pod was read)",
        _ => "no pod and no pod template",
    };
    let mut text = format!("The strictest level today: {read} of the namespace violates it\n");
    for level in [Level::Restricted, Level::Baseline, Level::Privileged] {
        let of_level = all().filter(judged).filter(|it| it.1.strictest() == level);
        let of_level: Vec<Named<'_>> = of_level.collect();
        if !of_level.is_empty() {
            of(&mut text, level, &of_level, width);
        }
    }
    let names = |chosen: Vec<Named<'_>>| {
        chosen
            .into_iter()
            .map(|(name, _)| name.to_owned())
            .collect()
    };
    let exempt: Vec<String> = names(all().filter(|it| it.1.exempted).collect());
    let empty = |it: &Named<'_>| !it.1.has_objects() && !it.1.exempted;
    let empty: Vec<String> = names(all().filter(empty).collect());
    for (what, names) in [("exempt", exempt), ("nothing in it to judge", empty)] {
        if !names.is_empty() {
            listed(&mut text, what, &names, "", width);
        }
    }
    text
}

/// The namespaces whose strictest level is `level`.
fn of(text: &mut String, level: Level, namespaces: &[Named<'_>], width: usize) {
    let count = counted(namespaces.len(), "namespace");
    let _ = writeln!(
        text,
        "{}  {}",
        Painted(STRONG, level.as_str()),
        Painted(FAINT, &count)
    );
    let mut commands: BTreeMap<(Labels, bool), Vec<&str>> = BTreeMap::new();
    let mut done = Vec::new();
    for (name, namespace) in namespaces {
        let labels = namespace.labels();
        if labels.is_empty() {
            done.push((*name, *namespace));
            continue;
        }
        let overwrites = labels
            .iter()
            .any(|(key, _)| namespace.own.contains_key(*key));
        commands.entry((labels, overwrites)).or_default().push(name);
    }
    for ((labels, overwrites), names) in commands {
        command(text, &labels, overwrites, &names, width);
    }
    let (stricter, there) = (
        "enforces more than that already",
        "has labels like these already",
    );
    for (what, more) in [(there, false), (stricter, true)] {
        let names = done
            .iter()
            .filter(|(_, it)| (it.own_level() > Some(level)) == more);
        let names: Vec<String> = names.map(|(name, _)| (*name).to_owned()).collect();
        if !names.is_empty() {
            listed(text, what, &names, "  ", width);
        }
    }
    warnings(text, namespaces, width);
}

/// What the next level has against the objects of namespaces: those of the same checks stand together.
fn warnings(text: &mut String, namespaces: &[Named<'_>], width: usize) {
    let next = namespaces
        .iter()
        .filter_map(|(name, it)| Some((name, it, it.next()?)));
    let mut by_checks: BTreeMap<Vec<&str>, Vec<String>> = BTreeMap::new();
    let mut of = Level::Privileged;
    for (name, namespace, (level, over)) in next {
        of = level;
        let checks = over.checks.keys().copied().collect();
        let told = by_checks.entry(checks).or_default();
        told.push(format!("{name} ({})", said(namespace, over)));
    }
    if by_checks.is_empty() {
        return;
    }
    let _ = writeln!(text, "  warn and audit of {of} say:");
    for (checks, names) in by_checks {
        listed(text, &checks.join(", "), &names, "    ", width);
    }
}

/// How many objects of a namespace a level has something against: `3 of 4 pods, 1 of 2 templates`.
fn said(namespace: &NamespaceReport, over: &Over) -> String {
    let counts = [
        (over.pods, namespace.pods, "pod"),
        (over.templates, namespace.workloads, "template"),
    ];
    let counts = counts.iter().filter(|(count, ..)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(count, all, what)| format!("{count} of {}", counted(*all, what)))
        .collect();
    counts.join(", ")
}

/// The command that sets labels: in one line where there are few names.
fn command(
    text: &mut String,
    labels: &[(&str, String)],
    overwrites: bool,
    names: &[&str],
    width: usize,
) {
    let labels: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let mut labels = labels.join(" ");
    if overwrites {
        labels.push_str(" --overwrite");
    }
    if names.len() <= NAMED {
        let _ = writeln!(text, "  kubectl label ns {} {labels}", names.join(" "));
        return;
    }
    let names = filled(&names.join(" "), "    ", "", width.saturating_sub(2));
    let names = names.trim_end().replace('\n', " \\\n");
    let _ = writeln!(text, "  kubectl label ns \\\n{names} \\\n    {labels}");
}

/// Names, the first of them.
pub(super) fn listed(text: &mut String, what: &str, names: &[String], indent: &str, width: usize) {
    let more = names.len().saturating_sub(SHOWN);
    let mut line = format!("{what}: {}", names[..names.len() - more].join(", "));
    if more > 0 {
        let _ = write!(line, ", and {more} more");
    }
    text.push_str(&filled(&line, indent, "  ", width));
}

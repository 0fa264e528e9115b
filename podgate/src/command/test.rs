//! `podgate test`: runs scenarios and compares their outcomes with the snapshots.

use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

use podgate_harness::error::Error;
use podgate_harness::execute::{self, Results};
use podgate_harness::outcome::Outcome;
use podgate_harness::plan::{Plan, Selection};
use podgate_harness::report::{self, Entry, Report};
use podgate_harness::snapshot::{Change, Store, Writing};
use podgate_harness::suite::{Project, Suite};
use podgate_policy::Minor;
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::{Backend, Output, TestArgs};
use crate::exit::Exit;
use crate::show;
use crate::show::matrix;
use crate::show::style::{ADMITTED, FAINT, Painted, REJECTED, STRONG, UNDECIDED, WARNED};
use crate::show::verdicts::{self, Placed};

pub(crate) fn run(args: &TestArgs) -> Result<Exit, Error> {
    let started = Instant::now();
    let project = Project::load(Path::new(""))?;
    let suite = Suite::load(&project)?;
    let asked = args.kubernetes.as_deref().map(super::range).transpose()?;
    let selection = Selection {
        scenarios: args.names.clone(),
        clusters: args.cluster.clone(),
        kubernetes: asked.or(project.kubernetes),
    };
    let plan = Plan::new(&suite, &selection)?;
    if plan.cells() == 0 {
        show::note("nothing to run: no scenario applies to the chosen clusters and versions");
        return Ok(Exit::NothingToRun);
    }

    let results = match args.backend {
        Backend::Embedded => execute::execute(&plan)?,
    };
    let store = Store::new(&suite.snapshots, writing());
    let everything = args.names.is_empty() && args.cluster.is_empty();
    let report = report::report(&suite, &plan, &results, &store, everything)?;

    match args.output {
        Output::Text => {
            show::data(&verdict_text(&plan, &results, args.quiet))?;
            show::data(&difference_text(&plan, &report))?;
            show::data(&summary(&plan, &report, started))?;
        }
        Output::Jsonl => {
            let mut text = String::new();
            for cell in cells(&plan, &results) {
                let line =
                    serde_json::to_string(&cell).map_err(|e| Error::environment(e.to_string()))?;
                text.push_str(&line);
                text.push('\n');
            }
            show::data(&text)?;
            show::note(&difference_text(&plan, &report));
        }
        output => {
            let document = document(&plan, &results, &report);
            if let Some(text) = show::serialized(&document, output) {
                show::data(&text?)?;
            }
        }
    }
    Ok(exit(&report))
}

/// In CI nothing is written: a run there judges, it does not record.
pub(crate) fn writing() -> Writing {
    match std::env::var("CI").as_deref() {
        Ok("" | "0" | "false") | Err(_) => Writing::Allowed,
        Ok(_) => Writing::Forbidden,
    }
}

fn exit(report: &Report) -> Exit {
    let mut exit = Exit::Expected;
    if report.entries.iter().any(|entry| !entry.holds()) || !report.unreferenced.is_empty() {
        exit = Exit::Different;
    }
    if report.entries.iter().any(|entry| entry.undecided > 0) {
        exit = exit.max(Exit::BadInput);
    }
    exit
}

fn verdict_text(plan: &Plan, results: &Results, quiet: bool) -> String {
    let mut text = format!("{}\n", matrix::table(plan, results));
    let legend = textwrap::fill(matrix::LEGEND, show::width());
    let _ = writeln!(text, "{}\n", Painted(FAINT, &legend));
    if quiet {
        return text;
    }
    for (at, scenario) in plan.scenarios.iter().enumerate() {
        let placed: Vec<Placed<'_>> = outcomes(plan, results, at).collect();
        let reasons = verdicts::reasons(&placed, show::width());
        let not_judged = not_judged(plan, results, at);
        if reasons.is_empty() && not_judged.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{}", Painted(STRONG, &scenario.id));
        if let Some(description) = &scenario.description {
            let options = textwrap::Options::new(show::width())
                .initial_indent("  ")
                .subsequent_indent("  ");
            let _ = writeln!(
                text,
                "{}",
                Painted(FAINT, &textwrap::fill(description, options))
            );
        }
        text.push_str(&reasons);
        if !not_judged.is_empty() {
            let _ = writeln!(text, "  not judged: {}", not_judged.join(", "));
        }
        text.push('\n');
    }
    text
}

/// The outcomes of one scenario by cluster, then by minor.
fn outcomes<'a>(
    plan: &'a Plan,
    results: &'a Results,
    scenario: usize,
) -> impl Iterator<Item = Placed<'a>> {
    let clusters = plan.clusters.iter().enumerate();
    clusters.flat_map(move |(at, cluster)| {
        let cells = results.cells.get(&(at, scenario)).into_iter().flatten();
        cells.flat_map(move |(minor, cell)| {
            let placed = move |outcome| Placed {
                cluster: &cluster.name,
                minor: *minor,
                outcome,
            };
            cell.run.outcomes.iter().map(placed)
        })
    })
}

fn not_judged(plan: &Plan, results: &Results, scenario: usize) -> Vec<String> {
    let mut objects: Vec<String> = (0..plan.clusters.len())
        .filter_map(|cluster| results.cells.get(&(cluster, scenario)))
        .flat_map(|cells| cells.values())
        .flat_map(|cell| cell.run.not_judged.iter().cloned())
        .collect();
    objects.sort();
    objects.dedup();
    objects
}

/// What differs from the snapshots and from the expectations; empty where nothing does.
fn difference_text(plan: &Plan, report: &Report) -> String {
    let mut text = String::new();
    let mut changed: Vec<_> = report
        .entries
        .iter()
        .filter(|e| !e.comparison.agrees())
        .collect();
    // What was rejected and is admitted now must not hide behind other news.
    changed.sort_by_key(|e| !e.comparison.changes.iter().any(Change::is_dangerous));
    let missing = missing_text(plan, &changed);
    changed.retain(|entry| !entry.comparison.missing);
    for entry in changed {
        let cluster = &plan.clusters[entry.cluster].name;
        let scenario = &plan.scenarios[entry.scenario].id;
        let place = format!("{scenario} on {cluster}");
        if entry.comparison.reformatted {
            let _ = writeln!(
                text,
                "{} {place}: the snapshot says the same in another form",
                Painted(WARNED, "reformatted")
            );
        } else {
            let _ = writeln!(text, "{} {place}", Painted(REJECTED, "changed"));
            for change in &entry.comparison.changes {
                let style = if change.is_dangerous() {
                    REJECTED
                } else {
                    WARNED
                };
                let _ = writeln!(text, "  {}", Painted(style, &change.to_string()));
                for (sign, stage) in [("-", &change.before), ("+", &change.after)] {
                    let Some(stage) = stage else { continue };
                    let _ = writeln!(text, "    {sign} {}", verdicts::head(&stage.verdict));
                    if let Some(rejection) = stage.verdict.rejection() {
                        let _ = writeln!(text, "    {sign}   {}", rejection.message);
                    }
                    for warning in &stage.warnings {
                        let _ = writeln!(text, "    {sign}   warning: {warning}");
                    }
                }
            }
        }
        if let Some(path) = &entry.proposed {
            let _ = writeln!(text, "  written to {}", path.display());
        }
    }
    text.push_str(&missing);
    for entry in &report.entries {
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
        for (place, message, minors) in told {
            let ranges: Vec<String> = podgate_harness::versions::ranges(&minors)
                .iter()
                .map(ToString::to_string)
                .collect();
            let cluster = &plan.clusters[entry.cluster].name;
            let _ = writeln!(
                text,
                "{} {place} on {cluster} {}\n  {message}",
                Painted(REJECTED, "not as expected"),
                ranges.join(", ")
            );
        }
    }
    for path in &report.unreferenced {
        let _ = writeln!(
            text,
            "{} {}: no scenario on any cluster has this snapshot",
            Painted(WARNED, "unreferenced"),
            path.display()
        );
    }
    text
}

/// Scenarios without a snapshot, with the clusters that have none.
fn missing_text(plan: &Plan, changed: &[&Entry]) -> String {
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
        let _ = writeln!(
            text,
            "{} {}: no snapshot on {}",
            Painted(WARNED, "missing"),
            plan.scenarios[scenario].id,
            clusters.join(", ")
        );
    }
    text
}

fn summary(plan: &Plan, report: &Report, started: Instant) -> String {
    let mut text = String::new();
    for (cluster, scenario, ranges) in &plan.not_applicable {
        let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
        let what = match scenario {
            Some(scenario) => format!("{scenario} on {cluster}"),
            None => cluster.clone(),
        };
        let _ = writeln!(
            text,
            "{} {what}: {}",
            Painted(FAINT, "not applicable"),
            ranges.join(", ")
        );
    }
    let minors = plan.jobs.iter().map(|job| job.minor);
    let first = minors
        .clone()
        .min()
        .map(|m| m.to_string())
        .unwrap_or_default();
    let last = minors.max().map(|m| m.to_string()).unwrap_or_default();
    let outcomes: usize = report.entries.iter().map(|e| e.outcomes).sum();
    let undecided: usize = report.entries.iter().map(|e| e.undecided).sum();
    let _ = writeln!(
        text,
        "Kubernetes {}, embedded server: {} outcomes in {} cells ({} on {}), {:.2} s",
        if first == last {
            first
        } else {
            format!("{first} to {last}")
        },
        outcomes,
        plan.cells(),
        counted(plan.scenarios.len(), "scenario"),
        counted(plan.clusters.len(), "cluster"),
        started.elapsed().as_secs_f64()
    );
    let unmet = report
        .entries
        .iter()
        .filter(|e| !e.unmet.is_empty())
        .count();
    let missing = report
        .entries
        .iter()
        .filter(|e| e.comparison.missing)
        .count();
    let differ = report
        .entries
        .iter()
        .filter(|e| !e.comparison.missing && !e.comparison.agrees())
        .count();
    let mut bad: Vec<String> = Vec::new();
    for (count, what) in [
        (missing, "missing"),
        (differ, "changed"),
        (unmet, "not as expected"),
        (report.unreferenced.len(), "unreferenced"),
    ] {
        if count > 0 {
            bad.push(format!("{count} {what}"));
        }
    }
    if undecided > 0 {
        let _ = writeln!(
            text,
            "{}",
            Painted(
                UNDECIDED,
                &format!("{} undecided", counted(undecided, "outcome"))
            )
        );
    }
    if bad.is_empty() {
        let _ = writeln!(
            text,
            "{}",
            Painted(
                ADMITTED,
                &format!("all {} snapshots agree", report.entries.len())
            )
        );
    } else {
        let _ = writeln!(
            text,
            "{}",
            Painted(REJECTED, &format!("snapshots: {}", bad.join(", ")))
        );
        if report.entries.iter().any(|e| e.proposed.is_some()) {
            let _ = writeln!(
                text,
                "podgate review shows what is pending, and accepts or rejects it"
            );
        } else if writing() == Writing::Forbidden && missing + differ > 0 {
            let _ = writeln!(
                text,
                "nothing is written in CI: run podgate test and podgate review elsewhere"
            );
        }
    }
    text
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// One outcome with the cell that it stands in.
#[derive(Serialize)]
struct Cell<'a> {
    cluster: &'a str,
    scenario: &'a str,
    object: &'a str,
    kubernetes: String,
    outcome: &'a Outcome,
}

fn cells<'a>(plan: &'a Plan, results: &'a Results) -> impl Iterator<Item = Cell<'a>> {
    plan.scenarios
        .iter()
        .enumerate()
        .flat_map(move |(at, scenario)| {
            outcomes(plan, results, at).map(move |placed| Cell {
                cluster: placed.cluster,
                scenario: &scenario.id,
                object: &placed.outcome.object,
                kubernetes: placed.minor.to_string(),
                outcome: placed.outcome,
            })
        })
}

fn document(plan: &Plan, results: &Results, report: &Report) -> Value {
    let snapshots: Vec<Value> = report
        .entries
        .iter()
        .map(|entry| {
            json!({
                "cluster": plan.clusters[entry.cluster].name,
                "scenario": plan.scenarios[entry.scenario].id,
                "file": entry.path,
                "agrees": entry.comparison.agrees(),
                "missing": entry.comparison.missing,
                "reformatted": entry.comparison.reformatted,
                "changes": entry.comparison.changes,
                "proposed": entry.proposed,
                "unmet": entry.unmet.iter().map(|(minor, unmet)| json!({
                    "kubernetes": minor.to_string(),
                    "object": unmet.object,
                    "place": unmet.place,
                    "message": unmet.message,
                })).collect::<Vec<_>>(),
            })
        })
        .collect();
    let not_applicable: Vec<Value> = plan
        .not_applicable
        .iter()
        .map(|(cluster, scenario, ranges)| {
            json!({
                "cluster": cluster,
                "scenario": scenario,
                "kubernetes": ranges.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "cells": cells(plan, results).collect::<Vec<_>>(),
        "snapshots": snapshots,
        "unreferenced": report.unreferenced,
        "notApplicable": not_applicable,
    })
}

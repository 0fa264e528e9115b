//! `podgate test`: runs scenarios and compares their outcomes with the snapshots.

use std::path::Path;
use std::time::Instant;

use podgate_harness::error::Error;
use podgate_harness::execute::{self, Results};
use podgate_harness::outcome::Outcome;
use podgate_harness::plan::{Plan, Selection};
use podgate_harness::report::{self, Report};
use podgate_harness::snapshot::{Change, Store, Writing};
use podgate_harness::suite::{Project, Suite};
use serde::Serialize;

use super::servers;
use crate::args::{Output, TestArgs};
use crate::exit::Exit;
use crate::show::{self, differences, run};

pub(crate) fn run(args: &TestArgs) -> Result<Exit, Error> {
    let started = Instant::now();
    let project = Project::load(Path::new(""))?;
    let suite = Suite::load(&project)?;
    let selection = Selection {
        scenarios: args.names.clone(),
        clusters: args.cluster.clone(),
        kubernetes: args.kubernetes.as_deref().map(super::range).transpose()?,
        project: project.kubernetes,
    };
    let mut plan = Plan::new(&suite, &selection)?;
    let backend = servers::backend(
        args.server.backend,
        args.server.assets.as_deref(),
        args.server.image.as_deref(),
    )?;
    if let Some(backend) = &backend {
        plan.restrict(backend.as_ref(), selection.kubernetes.is_some())?;
    }
    if plan.cells() == 0 {
        show::note("nothing to run: no scenario applies to the chosen clusters and versions");
        show::note(run::not_applicable(&plan).trim_end());
        return Ok(Exit::NothingToRun);
    }

    if args.server.plan {
        show::data(&servers::plan(&plan, backend.as_deref()))?;
        return Ok(Exit::Expected);
    }
    let results = match &backend {
        None => execute::execute(&plan)?,
        Some(backend) => servers::execute(&plan, backend.as_ref(), &args.server)?,
    };
    let store = Store::new(&suite.snapshots, super::writing());
    let everything = args.names.is_empty() && args.cluster.is_empty();
    let report = report::report(&suite, &plan, &results, &store, everything)?;

    match args.output {
        Output::Text => {
            show::data(&run::verdicts(&plan, &results, args.quiet))?;
            show::data(&differences::text(&plan, &report))?;
            show::data(&run::summary(
                &plan,
                &report,
                backend.as_deref(),
                started.elapsed(),
            ))?;
        }
        Output::Jsonl => {
            let mut text = String::new();
            for cell in cells(&plan, &results) {
                text.push_str(&show::json_line(&cell)?);
            }
            show::data(&text)?;
            show::note(differences::text(&plan, &report).trim_end());
        }
        output => {
            let document = document(&plan, &results, &report);
            show::serialized(&document, output)?.map_or(Ok(()), |text| show::data(&text))?;
        }
    }
    if super::writing() == Writing::Forbidden
        && report.entries.iter().any(|e| !e.comparison.agrees())
    {
        show::note("nothing is written in CI: run podgate test and podgate review elsewhere");
    }
    for (title, error) in &results.failed {
        show::note(&format!("\n{title}:"));
        show::error(error);
    }
    let failed = results.failed.iter().map(|(_, error)| Exit::of(error));
    Ok(failed.fold(exit(&report), Exit::max))
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
            run::outcomes(plan, results, at).map(move |placed| Cell {
                cluster: placed.cluster,
                scenario: &scenario.id,
                object: &placed.outcome.object,
                kubernetes: placed.minor.to_string(),
                outcome: placed.outcome,
            })
        })
}

/// What `-o json` and `-o yaml` write.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    cells: Vec<Cell<'a>>,
    snapshots: Vec<Snapshot<'a>>,
    unreferenced: Vec<&'a Path>,
    not_applicable: Vec<NotApplicable<'a>>,
}

#[derive(Serialize)]
struct Snapshot<'a> {
    cluster: &'a str,
    scenario: &'a str,
    file: &'a Path,
    agrees: bool,
    missing: bool,
    reformatted: bool,
    changes: &'a [Change],
    proposed: Option<&'a Path>,
    unmet: Vec<Unmet<'a>>,
}

#[derive(Serialize)]
struct Unmet<'a> {
    kubernetes: String,
    object: &'a str,
    place: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct NotApplicable<'a> {
    cluster: &'a str,
    scenario: Option<&'a str>,
    kubernetes: Vec<String>,
}

fn document<'a>(plan: &'a Plan, results: &'a Results, report: &'a Report) -> Document<'a> {
    let snapshots = report.entries.iter().map(|entry| Snapshot {
        cluster: &plan.clusters[entry.cluster].name,
        scenario: &plan.scenarios[entry.scenario].id,
        file: &entry.path,
        agrees: entry.comparison.agrees(),
        missing: entry.comparison.missing,
        reformatted: entry.comparison.reformatted,
        changes: &entry.comparison.changes,
        proposed: entry.proposed.as_deref(),
        unmet: entry
            .unmet
            .iter()
            .map(|(minor, unmet)| Unmet {
                kubernetes: minor.to_string(),
                object: &unmet.object,
                place: &unmet.place,
                message: &unmet.message,
            })
            .collect(),
    });
    let not_applicable = plan.not_applicable.iter().map(|cells| NotApplicable {
        cluster: &cells.cluster,
        scenario: cells.scenario.as_deref(),
        kubernetes: cells.minors.iter().map(ToString::to_string).collect(),
    });
    Document {
        cells: cells(plan, results).collect(),
        snapshots: snapshots.collect(),
        unreferenced: report.unreferenced.iter().map(AsRef::as_ref).collect(),
        not_applicable: not_applicable.collect(),
    }
}

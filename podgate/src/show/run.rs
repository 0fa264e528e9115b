//! What `podgate test` tells people of a run: the matrix, the reason of every rejection, what did
//! not run, and the sum.

use std::fmt::Write;
use std::time::Duration;

use podgate_harness::backend::Backend;
use podgate_harness::execute::Results;
use podgate_harness::plan::Plan;
use podgate_harness::report::Report;
use podgate_policy::Minor;

use super::style::{ADMITTED, FAINT, Painted, REJECTED, STRONG, UNDECIDED};
use super::verdicts::{self, Placed};
use super::{counted, matrix, minors, table_width, width};
use crate::command::versions;

/// The matrix, and unless `quiet` the reason of every rejection.
pub(crate) fn verdicts(plan: &Plan, results: &Results, quiet: bool) -> String {
    let mut text = matrix::table(plan, results).render(table_width()) + "\n";
    let legend = verdicts::filled(&matrix::legend(plan, results), "", "", width());
    let _ = writeln!(text, "{}\n", Painted(FAINT, legend.trim_end()));
    if quiet {
        return text;
    }
    for (at, scenario) in plan.scenarios.iter().enumerate() {
        let placed: Vec<Placed<'_>> = outcomes(plan, results, at).collect();
        let reasons = verdicts::reasons(&placed, width());
        let not_judged = not_judged(plan, results, at);
        if reasons.is_empty() && not_judged.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{}", Painted(STRONG, &scenario.id));
        if let Some(description) = &scenario.description {
            let description = verdicts::filled(description, "  ", "", width());
            let _ = writeln!(text, "{}", Painted(FAINT, description.trim_end()));
        }
        text.push_str(&reasons);
        if !not_judged.is_empty() {
            let line = format!("not judged: {}", not_judged.join(", "));
            text.push_str(&verdicts::filled(&line, "  ", "  ", width()));
        }
        text.push('\n');
    }
    text
}

/// The outcomes of one scenario by cluster, then by minor.
pub(crate) fn outcomes<'a>(
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

/// What was selected and does not run.
pub(crate) fn not_applicable(plan: &Plan) -> String {
    let mut text = String::new();
    for cells in &plan.not_applicable {
        let what = match &cells.scenario {
            Some(scenario) => format!("{scenario} on {}", cells.cluster),
            None => cells.cluster.clone(),
        };
        let minors = minors(&cells.minors);
        let _ = match &cells.lacking {
            Some(lacking) => writeln!(
                text,
                "{} {what}: {minors}: {lacking}",
                Painted(UNDECIDED, "not run")
            ),
            None => writeln!(
                text,
                "{} {what}: {minors}",
                Painted(FAINT, "not applicable")
            ),
        };
    }
    text
}

/// How much ran, and whether all of it is as recorded and expected.
pub(crate) fn summary(
    plan: &Plan,
    report: &Report,
    backend: Option<&dyn Backend>,
    took: Duration,
) -> String {
    let mut text = not_applicable(plan);
    let outcomes: usize = report.entries.iter().map(|e| e.outcomes).sum();
    let mut cells = counted(plan.cells(), "cell");
    let not_applicable: usize = plan.not_applicable.iter().map(|n| n.cells).sum();
    if not_applicable > 0 {
        let _ = write!(cells, ", {not_applicable} not applicable");
    }
    let ran = format!(
        "{}, {}: {} in {cells} ({} on {}), {:.2} s",
        versions(plan),
        backend.map_or("embedded server", Backend::name),
        counted(outcomes, "outcome"),
        counted(plan.scenarios.len(), "scenario"),
        counted(plan.clusters.len(), "cluster"),
        took.as_secs_f64()
    );
    text.push_str(&verdicts::filled(&ran, "", "  ", width()));

    let entries = &report.entries;
    let undecided: usize = entries.iter().map(|e| e.undecided).sum();
    if undecided > 0 {
        let undecided = format!("{} undecided", counted(undecided, "outcome"));
        let _ = writeln!(text, "{}", Painted(UNDECIDED, &undecided));
    }
    let missing = entries.iter().filter(|e| e.comparison.missing).count();
    let differ = entries.iter().filter(|e| !e.comparison.agrees()).count() - missing;
    let mut bad: Vec<String> = Vec::new();
    for (count, what) in [
        (missing, "missing"),
        (differ, "changed"),
        (report.unreferenced.len(), "unreferenced"),
    ] {
        if count > 0 {
            bad.push(format!("{count} {what}"));
        }
    }
    let agree = match entries.len() {
        0 => return text + "nothing was compared\n",
        1 => "the snapshot agrees".to_owned(),
        count => format!("all {count} snapshots agree"),
    };
    let _ = if bad.is_empty() {
        writeln!(text, "{}", Painted(ADMITTED, &agree))
    } else {
        let bad = format!("snapshots: {}", bad.join(", "));
        writeln!(text, "{}", Painted(REJECTED, &bad))
    };
    let unmet: Vec<&str> = entries
        .iter()
        .flat_map(|e| e.unmet.iter().map(|(_, unmet)| unmet.place.as_str()))
        .collect();
    if !unmet.is_empty() {
        let mut places = unmet;
        places.sort_unstable();
        places.dedup();
        let unmet = match places.len() {
            1 => "1 expectation does not hold".to_owned(),
            count => format!("{count} expectations do not hold"),
        };
        let _ = writeln!(text, "{}", Painted(REJECTED, &unmet));
    }
    if entries.iter().any(|e| e.proposed.is_some()) {
        text.push_str("podgate review shows what is pending\n");
    }
    if !report.unreferenced.is_empty() {
        text.push_str("podgate review --remove-unreferenced removes them\n");
    }
    text
}

/// The versions that ran: `Kubernetes 1.23 to 1.37`, of one whether it was compared with a real
/// server.
fn versions(plan: &Plan) -> String {
    let mut ran: Vec<Minor> = plan.jobs.iter().map(|job| job.minor).collect();
    ran.sort_unstable();
    ran.dedup();
    match ran.as_slice() {
        [only] if versions::from_source_only(*only) => {
            format!("Kubernetes {only} (from source only)")
        }
        [first, .., last] if usize::from(last.number() - first.number()) + 1 == ran.len() => {
            format!("Kubernetes {first} to {last}")
        }
        _ => format!("Kubernetes {}", minors(&ran)),
    }
}

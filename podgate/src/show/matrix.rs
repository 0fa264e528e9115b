//! The matrix: objects by clusters, each cell folded over the minors.

use std::collections::BTreeMap;

use podgate_harness::execute::Results;
use podgate_harness::outcome::{Outcome, Verdict};
use podgate_harness::plan::Plan;
use podgate_harness::versions::{MinorRange, ranges};
use podgate_policy::Minor;

use super::style::{ADMITTED, REJECTED, UNDECIDED, WARNED};
use super::table::{Line, Table, nothing};

/// What a reader must know first about an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sight {
    Admitted,
    Changed,
    Warned,
    ByMasters,
    PodsRejected,
    Rejected,
    Undecided,
}

impl Sight {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match &outcome.own.verdict {
            Verdict::Undecided { .. } => return Self::Undecided,
            Verdict::Rejected(_) => return Self::Rejected,
            Verdict::Admitted => {}
        }
        let pods = outcome.pods.as_ref();
        match pods.map(|pods| &pods.verdict) {
            Some(Verdict::Undecided { .. }) => return Self::Undecided,
            Some(Verdict::Rejected(_)) => return Self::PodsRejected,
            _ => {}
        }
        let stages = || std::iter::once(&outcome.own).chain(pods);
        let policies = || stages().filter_map(|stage| stage.psp.as_ref());
        if policies().any(|psp| psp.only_by_masters) {
            Self::ByMasters
        } else if stages().any(|stage| !stage.warnings.is_empty()) {
            Self::Warned
        } else if policies().any(|psp| !psp.changes.is_empty()) {
            Self::Changed
        } else {
            Self::Admitted
        }
    }

    fn line(self) -> Line {
        let (style, text) = match self {
            Self::Admitted => (ADMITTED, "✓"),
            Self::Changed => (ADMITTED, "✓ changed"),
            Self::Warned => (WARNED, "✓ warns"),
            Self::ByMasters => (WARNED, "✓ masters"),
            Self::PodsRejected => (REJECTED, "✗ pods"),
            Self::Rejected => (REJECTED, "✗"),
            Self::Undecided => (UNDECIDED, "?"),
        };
        (style, text.to_owned())
    }
}

/// What the signs stand for; those of `PodSecurityPolicy` only where they stand in the matrix.
pub(crate) fn legend(plan: &Plan, results: &Results) -> String {
    let sights = || {
        let clusters = 0..plan.clusters.len();
        let cells = clusters.flat_map(|cluster| {
            let scenarios = 0..plan.scenarios.len();
            scenarios.filter_map(move |scenario| results.cells.get(&(cluster, scenario)))
        });
        let outcomes = cells
            .flat_map(|cells| cells.values())
            .flat_map(|cell| &cell.run.outcomes);
        outcomes.map(Sight::of)
    };
    let of = |wanted, meaning: &'static str| {
        let stands_there = sights().any(|sight| sight == wanted);
        if stands_there { meaning } else { "" }
    };
    let changed = of(
        Sight::Changed,
        "; ✓ changed: its PodSecurityPolicy changed the pod",
    );
    let by_masters = of(
        Sight::ByMasters,
        "; ✓ masters: only because the requester is in system:masters",
    );
    format!(
        "✓ admitted{changed}; ✓ warns: admitted with a warning{by_masters}; ✗ rejected; \
         ✗ pods: the workload is admitted, its pods are rejected; ? undecided; · does not run here"
    )
}

/// The matrix of a run.
pub(crate) fn table(plan: &Plan, results: &Results) -> Table {
    // A cluster on which none of the chosen scenarios runs has no column.
    let ran: Vec<usize> = (0..plan.clusters.len())
        .filter(|cluster| results.cells.keys().any(|(of, _)| of == cluster))
        .collect();
    let name = |cluster: &usize| plan.clusters[*cluster].name.clone();
    let mut table = Table::new(ran.iter().map(name).collect());
    for (at, scenario) in plan.scenarios.iter().enumerate() {
        // Rows in the order in which objects appear; a later minor may have objects of its own.
        let mut labels: Vec<String> = Vec::new();
        let mut cells: BTreeMap<(String, usize), Vec<(Minor, Sight)>> = BTreeMap::new();
        for &cluster in &ran {
            for (minor, cell) in results.cells.get(&(cluster, at)).into_iter().flatten() {
                for outcome in &cell.run.outcomes {
                    let label = label(outcome);
                    if !labels.contains(&label) {
                        labels.push(label.clone());
                    }
                    cells
                        .entry((label, cluster))
                        .or_default()
                        .push((*minor, Sight::of(outcome)));
                }
            }
        }
        if labels.is_empty() {
            continue;
        }
        table.heading(&scenario.id);
        for label in labels {
            let row = ran
                .iter()
                .map(|&cluster| match cells.get(&(label.clone(), cluster)) {
                    Some(sights) => fold(sights),
                    None => nothing(),
                })
                .collect();
            table.row(format!("  {label}"), row);
        }
    }
    table
}

/// How an outcome is called in the matrix.
pub(crate) fn label(outcome: &Outcome) -> String {
    match &outcome.step {
        Some(step) => format!("{}. {} {}", step.number, outcome.action, outcome.object),
        None => outcome.object.clone(),
    }
}

/// One line where all minors agree, otherwise one for each range that does.
fn fold(sights: &[(Minor, Sight)]) -> Vec<Line> {
    let mut by_sight: Vec<(Sight, Vec<Minor>)> = Vec::new();
    for &(minor, sight) in sights {
        match by_sight.iter_mut().find(|(known, _)| *known == sight) {
            Some((_, minors)) => minors.push(minor),
            None => by_sight.push((sight, vec![minor])),
        }
    }
    if let [(sight, _)] = by_sight.as_slice() {
        return vec![sight.line()];
    }
    let mut lines: Vec<(MinorRange, Sight)> = by_sight
        .into_iter()
        .flat_map(|(sight, minors)| ranges(&minors).into_iter().map(move |range| (range, sight)))
        .collect();
    lines.sort_by_key(|(range, _)| range.first());
    let shown = |(range, sight): (MinorRange, Sight)| {
        let (style, text) = sight.line();
        (style, format!("{range} {text}"))
    };
    lines.into_iter().map(shown).collect()
}

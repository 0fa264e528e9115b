//! The matrix: objects by clusters, each cell folded over the minors.

use anstyle::Style;
use podgate_harness::outcome::{Outcome, Verdict};
use podgate_harness::record::{Cell, Record};
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

    /// The sign for it, as the legend explains.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Admitted => "✓",
            Self::Changed => "✓ changed",
            Self::Warned => "✓ warns",
            Self::ByMasters => "✓ masters",
            Self::PodsRejected => "✗ pods",
            Self::Rejected => "✗",
            Self::Undecided => "?",
        }
    }

    const fn style(self) -> Style {
        match self {
            Self::Admitted | Self::Changed => ADMITTED,
            Self::Warned | Self::ByMasters => WARNED,
            Self::PodsRejected | Self::Rejected => REJECTED,
            Self::Undecided => UNDECIDED,
        }
    }
}

/// What the signs stand for; those of `PodSecurityPolicy` only where they stand in the matrix.
pub(crate) fn legend(record: &Record) -> String {
    let sights = || record.cells.iter().map(|cell| Sight::of(&cell.outcome));
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
pub(crate) fn table(record: &Record) -> Table {
    let mut table = Table::new(record.columns());
    for row in rows(record) {
        match row {
            Row::Scenario(id) => table.heading(id),
            Row::Object(label, sights) => {
                let cells = sights.iter().map(|sights| match sights.as_slice() {
                    [] => nothing(),
                    sights => fold(sights).into_iter().map(line).collect(),
                });
                table.row(format!("  {label}"), cells.collect());
            }
        }
    }
    table
}

/// A row of the matrix.
pub(crate) enum Row<'a> {
    /// The objects of this scenario follow.
    Scenario(&'a str),
    /// An object, and what is to be seen of it on each cluster.
    Object(String, Vec<Vec<(Minor, Sight)>>),
}

/// The rows of the matrix.
pub(crate) fn rows(record: &Record) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut scenario = None;
    for object in objects(record) {
        if scenario.replace(object.scenario) != Some(object.scenario) {
            rows.push(Row::Scenario(object.scenario));
        }
        let cells = object.cells.iter();
        let sights = cells.map(|cells| sights(cells)).collect();
        rows.push(Row::Object(object.label, sights));
    }
    rows
}

/// An object of a scenario, with what came of it.
pub(crate) struct Object<'a> {
    pub(crate) scenario: &'a str,
    /// How it is called in the matrix.
    pub(crate) label: String,
    /// Its cells on each cluster that is a column.
    pub(crate) cells: Vec<Vec<&'a Cell>>,
}

/// The objects of a run in the order in which they appear; a later minor may have objects of its own.
pub(crate) fn objects(record: &Record) -> Vec<Object<'_>> {
    let clusters = record.columns();
    let mut objects: Vec<Object<'_>> = Vec::new();
    for cells in record.cells.chunk_by(|a, b| a.scenario == b.scenario) {
        let start = objects.len();
        for cell in cells {
            let label = label(&cell.outcome);
            let known = objects[start..].iter().position(|it| it.label == label);
            let at = known.map_or(objects.len(), |at| start + at);
            if at == objects.len() {
                objects.push(Object {
                    scenario: &cell.scenario,
                    label,
                    cells: vec![Vec::new(); clusters.len()],
                });
            }
            if let Some(cluster) = clusters.iter().position(|c| *c == cell.cluster) {
                objects[at].cells[cluster].push(cell);
            }
        }
    }
    objects
}

/// What is to be seen of an object on a cluster, minor by minor.
pub(crate) fn sights(cells: &[&Cell]) -> Vec<(Minor, Sight)> {
    let sights = cells.iter();
    sights
        .map(|cell| (cell.kubernetes, Sight::of(&cell.outcome)))
        .collect()
}

/// How an outcome is called in the matrix.
pub(crate) fn label(outcome: &Outcome) -> String {
    match &outcome.step {
        Some(step) => format!("{}. {} {}", step.number, outcome.action, outcome.object),
        None => outcome.object.clone(),
    }
}

/// What is to be seen, once where all minors agree, otherwise for each range that does.
pub(crate) fn fold(sights: &[(Minor, Sight)]) -> Vec<(Option<MinorRange>, Sight)> {
    let mut by_sight: Vec<(Sight, Vec<Minor>)> = Vec::new();
    for &(minor, sight) in sights {
        match by_sight.iter_mut().find(|(known, _)| *known == sight) {
            Some((_, minors)) => minors.push(minor),
            None => by_sight.push((sight, vec![minor])),
        }
    }
    if let [(sight, _)] = by_sight.as_slice() {
        return vec![(None, *sight)];
    }
    let mut lines: Vec<(Option<MinorRange>, Sight)> = by_sight
        .into_iter()
        .flat_map(|(sight, minors)| {
            let ranges = ranges(&minors).into_iter();
            ranges.map(move |range| (Some(range), sight))
        })
        .collect();
    lines.sort_by_key(|(range, _)| range.map(MinorRange::first));
    lines
}

fn line((range, sight): (Option<MinorRange>, Sight)) -> Line {
    let (style, text) = (sight.style(), sight.sign());
    match range {
        None => (style, text.to_owned()),
        Some(range) => (style, format!("{range} {text}")),
    }
}

//! The record of a run: all that a report can tell, in one document that can be written, read and
//! merged. `podgate test -o json` prints it, and every report is made from it alone.
//!
//! Its order depends on names only, never on how a run was shared out: scenarios, then clusters, then
//! minors, and the outcomes of a cell as they happened.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use podgate_policy::Minor;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::execute::Results;
use crate::fault::{self, About, Fault, Place};
use crate::outcome::{Action, Outcome};
use crate::plan::Plan;
use crate::report::{Entry, Report};
use crate::shard::Shard;
use crate::snapshot::{Change, Of};
use crate::suite::Manifest;
use crate::verified::Confirmation;
use crate::versions::ranges;

/// What [`Record::backend`] calls the embedded server.
pub const EMBEDDED: &str = "embedded server";

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Which part of a run it is; `None` for a whole one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<PartOf>,
    /// What answered: [`EMBEDDED`], or the name of a backend.
    pub backend: String,
    /// Servers that failed: their cells are not there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Failed>,
    /// The clusters that were chosen, in the order of reports.
    pub clusters: Vec<String>,
    /// The outcomes.
    pub cells: Vec<Cell>,
    /// The snapshots that they were compared with.
    pub snapshots: Vec<Snapshot>,
    /// Snapshots that no scenario on any cluster has.
    pub unreferenced: Vec<PathBuf>,
    /// What somebody edited in the file of confirmations, and counts for nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edited: Vec<String>,
    /// What was selected and does not run.
    pub not_applicable: Vec<NotApplicable>,
    /// The scenarios that ran.
    pub scenarios: Vec<ScenarioRecord>,
}

/// The part of a run that a record is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartOf {
    /// Which shard of how many.
    #[serde(flatten)]
    pub shard: Shard,
    /// What tells the whole plan from others.
    pub plan: String,
}

/// One outcome with the cell that it stands in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The cluster.
    pub cluster: String,
    /// The scenario.
    pub scenario: String,
    /// The object.
    pub object: String,
    /// The minor.
    #[serde(with = "text")]
    pub kubernetes: Minor,
    /// What the server answered.
    pub outcome: Outcome,
}

/// How one snapshot compares with the outcomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The cluster.
    pub cluster: String,
    /// The scenario.
    pub scenario: String,
    /// The file.
    pub file: PathBuf,
    /// How many cells were compared with it.
    pub cells: usize,
    /// Whether it says what was observed.
    pub agrees: bool,
    /// Whether there is none.
    pub missing: bool,
    /// Whether it says the same in another form.
    pub reformatted: bool,
    /// What changed, the most dangerous change first.
    pub changes: Vec<Change>,
    /// Where the new outcomes were written for review.
    pub proposed: Option<PathBuf>,
    /// Expectations that do not hold.
    pub unmet: Vec<Unmet>,
    /// The real servers that confirmed it as it is.
    #[serde(default, skip_serializing_if = "Confirmation::is_none")]
    pub confirmed: Confirmation,
    /// Where in the manifests the changes have their reasons: one list for each of `changes`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Vec<Fault>>,
}

/// A server that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Which.
    pub title: String,
    /// Why.
    pub message: String,
    /// Whether the user's input is at fault, and not the environment.
    pub input: bool,
}

/// An expectation that does not hold at one minor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmet {
    /// The minor.
    #[serde(with = "text")]
    pub kubernetes: Minor,
    /// The object.
    pub object: String,
    /// Where the expectation stands: `file:line`.
    pub place: String,
    /// What was expected and what came instead.
    pub message: String,
}

/// Cells that were selected and do not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotApplicable {
    /// The cluster.
    pub cluster: String,
    /// The scenario, where it is the scenario that is not for them.
    pub scenario: Option<String>,
    /// The minors.
    #[serde(with = "texts")]
    pub kubernetes: Vec<Minor>,
    /// How many cells that are.
    pub cells: usize,
    /// Why they do not run although they are for these minors: what the backend lacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacking: Option<String>,
}

/// A scenario that ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScenarioRecord {
    /// Its id.
    pub id: String,
    /// Its file.
    pub file: PathBuf,
    /// What it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where its objects stand.
    pub objects: Vec<ObjectRecord>,
    /// Objects that admission policy does not judge, by name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub not_judged: BTreeSet<String>,
}

/// An object of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectRecord {
    /// `Kind/name`
    pub object: String,
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
    /// Where in it stands what servers refused or warned about, each once. What a patch brought is in
    /// no manifest.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub faults: BTreeSet<Fault>,
}

impl Record {
    /// The record of a run on `backend`. `shard` says which part of the plan ran, where it was not
    /// all of it.
    #[must_use]
    pub fn new(
        plan: &Plan,
        results: &Results,
        report: &Report,
        backend: &str,
        shard: Option<PartOf>,
    ) -> Self {
        let failed = results.failed.iter().map(|(title, error)| Failed {
            title: title.clone(),
            message: error.message().to_owned(),
            input: error.kind() == ErrorKind::Input,
        });
        let mut record = Self {
            shard,
            backend: backend.to_owned(),
            failed: failed.collect(),
            clusters: plan.clusters.iter().map(|c| c.name.clone()).collect(),
            cells: cells(plan, results).collect(),
            snapshots: report
                .entries
                .iter()
                .map(|entry| snapshot(plan, entry))
                .collect(),
            unreferenced: report.unreferenced.iter().cloned().collect(),
            edited: report.edited.clone(),
            not_applicable: not_applicable(plan),
            scenarios: scenarios(plan, results),
        };
        record.sort();
        record
    }

    fn sort(&mut self) {
        let Self { clusters, .. } = self;
        let cluster = |name: &str| clusters.iter().position(|known| known == name);
        // A cell's own outcomes keep their order: the sorts are stable.
        self.cells.sort_by(|a, b| {
            let key = |cell: &Cell| (cluster(&cell.cluster), cell.kubernetes);
            a.scenario
                .cmp(&b.scenario)
                .then_with(|| key(a).cmp(&key(b)))
        });
        self.snapshots.sort_by(|a, b| {
            let by_cluster = || cluster(&a.cluster).cmp(&cluster(&b.cluster));
            a.scenario.cmp(&b.scenario).then_with(by_cluster)
        });
        self.unreferenced.sort();
        self.scenarios.sort_by(|a, b| a.id.cmp(&b.id));
    }

    /// Joins the shards of one run. A shard may be given twice; one that is missing, that differs
    /// from its twin or that belongs to another run is an error.
    pub fn merge(records: Vec<(PathBuf, Self)>) -> Result<Self, Error> {
        let Some((first, _)) = records.first() else {
            return Err(Error::input("there is nothing to merge"));
        };
        let first = first.display().to_string();
        if let [(_, only)] = records.as_slice()
            && only.shard.is_none()
        {
            return Ok(only.clone());
        }
        let mut shards: Vec<Option<(PathBuf, Self)>> = Vec::new();
        let mut whole: Option<PartOf> = None;
        let mut backend: Option<String> = None;
        for (file, record) in records {
            let shown = file.display();
            let Some(part) = record.shard.clone() else {
                return Err(Error::input(format!(
                    "{shown} is the record of a whole run, no shard"
                ))
                .hint("merge what podgate test --shard K/N -o json printed"));
            };
            let whole = whole.get_or_insert_with(|| part.clone());
            let other = (part.shard.of, &part.plan) != (whole.shard.of, &whole.plan);
            if other || record.backend != *backend.get_or_insert_with(|| record.backend.clone()) {
                return Err(Error::input(format!(
                    "{shown} is a shard of another run than {first}"
                ))
                .hint("every shard needs the same podgate, suite, selection, backend and count"));
            }
            shards.resize(part.shard.of.max(shards.len()), None);
            let Some(slot) = part
                .shard
                .number
                .checked_sub(1)
                .and_then(|at| shards.get_mut(at))
            else {
                return Err(Error::input(format!(
                    "{shown}: there is no shard {}",
                    part.shard
                )));
            };
            match slot {
                Some((twin, known)) if *known != record => {
                    let twin = twin.display();
                    return Err(Error::input(format!(
                        "{twin} and {shown} are both shard {}, and differ",
                        part.shard
                    ))
                    .hint("a run has no luck in it: look whether one of them is of another day"));
                }
                slot => *slot = Some((file, record)),
            }
        }
        let missing: Vec<String> = (1..)
            .zip(&shards)
            .filter(|(_, shard)| shard.is_none())
            .map(|(number, _)| format!("{number}/{}", shards.len()))
            .collect();
        if !missing.is_empty() {
            return Err(Error::input(format!("shards are missing: {}", missing.join(", ")))
                .hint("a run with a part left out is no pass; run them, or find out why they did not end"));
        }
        let mut merged: Option<Self> = None;
        for (_, record) in shards.into_iter().flatten() {
            match &mut merged {
                None => merged = Some(record),
                Some(merged) => merged.add(record),
            }
        }
        let mut merged = merged.ok_or_else(|| Error::input("there is nothing to merge"))?;
        merged.shard = None;
        merged.sort();
        Ok(merged)
    }

    fn add(&mut self, other: Self) {
        self.failed.extend(other.failed);
        self.cells.extend(other.cells);
        self.snapshots.extend(other.snapshots);
        for path in other.unreferenced {
            if !self.unreferenced.contains(&path) {
                self.unreferenced.push(path);
            }
        }
        // What does not run is the whole plan's, and every shard has it.
        for scenario in other.scenarios {
            match self
                .scenarios
                .iter_mut()
                .find(|known| known.id == scenario.id)
            {
                Some(known) => {
                    known.not_judged.extend(scenario.not_judged);
                    // Both list the manifests of one file.
                    for (known, object) in known.objects.iter_mut().zip(scenario.objects) {
                        known.faults.extend(object.faults);
                    }
                }
                None => self.scenarios.push(scenario),
            }
        }
    }

    /// Reads what `podgate test -o json` printed.
    pub fn read(file: &Path) -> Result<Self, Error> {
        const HINT: &str = "merge reads what podgate test --shard K/N -o json printed";
        let shown = file.display();
        let text = std::fs::read_to_string(file)
            .map_err(|error| Error::input(format!("cannot read {shown}: {error}")).hint(HINT))?;
        serde_json::from_str(&text).map_err(|error| {
            Error::input(format!("{shown} is no record of a run: {error}")).hint(HINT)
        })
    }

    /// The clusters on which something ran, in the order of reports.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        let ran: BTreeSet<&str> = self
            .cells
            .iter()
            .map(|cell| cell.cluster.as_str())
            .collect();
        let clusters = self.clusters.iter();
        clusters
            .filter(|name| ran.contains(name.as_str()))
            .cloned()
            .collect()
    }

    /// Whether a snapshot or an expectation does not hold.
    #[must_use]
    pub fn differs(&self) -> bool {
        let bad = |snapshot: &Snapshot| !snapshot.agrees || !snapshot.unmet.is_empty();
        self.snapshots.iter().any(bad) || !self.unreferenced.is_empty()
    }

    /// How many outcomes are undecided, stages counted one by one.
    #[must_use]
    pub fn undecided(&self) -> usize {
        let stages = self
            .cells
            .iter()
            .flat_map(|cell| std::iter::once(&cell.outcome.own).chain(&cell.outcome.pods));
        stages.filter(|stage| stage.verdict.is_undecided()).count()
    }

    /// Where an object of a scenario stands.
    #[must_use]
    pub fn place(&self, scenario: &str, object: &str) -> Option<&Place> {
        let scenario = self.scenarios.iter().find(|known| known.id == scenario)?;
        scenario.object(object).map(|known| &known.place)
    }
}

impl ScenarioRecord {
    /// The object that an outcome names, where the scenario has a manifest of it.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<&ObjectRecord> {
        self.objects.iter().find(|known| known.object == name)
    }

    /// The object whose manifest has what an outcome is about.
    #[must_use]
    pub fn manifest_of(&self, outcome: &Outcome) -> Option<&ObjectRecord> {
        self.object(&outcome.object)
            .filter(|_| is_of_manifest(outcome))
    }
}

/// Whether what was asked stands in a manifest: what a patch brought is in none.
const fn is_of_manifest(outcome: &Outcome) -> bool {
    matches!(outcome.action, Action::Applied | Action::Restarted)
}

/// What was selected in `plan` and does not run.
#[must_use]
pub fn not_applicable(plan: &Plan) -> Vec<NotApplicable> {
    let cells = plan.not_applicable.iter();
    cells
        .map(|cells| NotApplicable {
            cluster: cells.cluster.clone(),
            scenario: cells.scenario.clone(),
            kubernetes: cells.minors.clone(),
            cells: cells.cells,
            lacking: cells.lacking.clone(),
        })
        .collect()
}

fn cells<'a>(plan: &'a Plan, results: &'a Results) -> impl Iterator<Item = Cell> + 'a {
    results
        .cells
        .iter()
        .flat_map(move |(&(cluster, scenario), cells)| {
            cells.iter().flat_map(move |(minor, cell)| {
                cell.run.outcomes.iter().map(move |outcome| Cell {
                    cluster: plan.clusters[cluster].name.clone(),
                    scenario: plan.scenarios[scenario].id.clone(),
                    object: outcome.object.clone(),
                    kubernetes: *minor,
                    outcome: outcome.clone(),
                })
            })
        })
}

fn snapshot(plan: &Plan, entry: &Entry) -> Snapshot {
    let scenario = &plan.scenarios[entry.scenario];
    let changes = entry.comparison.changes.clone();
    let faults = changes.iter().map(|change| {
        let Some(stage) = &change.after else {
            return Vec::new();
        };
        let about = match change.of {
            Of::Object => About::Object,
            Of::Pods => About::Pods,
        };
        let rejection = stage.verdict.rejection().map(|it| it.message.as_str());
        let message = rejection.or(stage.warnings.first().map(String::as_str));
        let manifest = fault::manifest_in(scenario, &change.object);
        match (manifest, message, change.minors.iter().next_back()) {
            (Some(manifest), Some(message), Some(minor)) => {
                fault::faults(manifest, minor, message, about)
            }
            _ => Vec::new(),
        }
    });
    Snapshot {
        cluster: plan.clusters[entry.cluster].name.clone(),
        scenario: scenario.id.clone(),
        file: entry.path.clone(),
        cells: entry.cells,
        agrees: entry.comparison.agrees(),
        missing: entry.comparison.missing,
        reformatted: entry.comparison.reformatted,
        faults: faults.collect(),
        changes,
        proposed: entry.proposed.clone(),
        confirmed: entry.confirmation.clone(),
        unmet: entry
            .unmet
            .iter()
            .map(|(minor, unmet)| Unmet {
                kubernetes: *minor,
                object: unmet.object.clone(),
                place: unmet.place.clone(),
                message: unmet.message.clone(),
            })
            .collect(),
    }
}

/// The scenarios that have a cell, with the places of their objects.
fn scenarios(plan: &Plan, results: &Results) -> Vec<ScenarioRecord> {
    let mut not_judged: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for (&(_, scenario), cells) in &results.cells {
        let objects = not_judged.entry(scenario).or_default();
        objects.extend(
            cells
                .values()
                .flat_map(|cell| cell.run.not_judged.iter().cloned()),
        );
    }
    let mut messages = messages(results);
    let record = |(at, not_judged): (usize, BTreeSet<String>)| {
        let scenario = &plan.scenarios[at];
        let messages = messages.remove(&at).unwrap_or_default();
        let object = |manifest: &Manifest| {
            let object = manifest.reference();
            ObjectRecord {
                place: Place::of(manifest),
                faults: faults(manifest, messages.get(object.as_str())),
                object,
            }
        };
        ScenarioRecord {
            id: scenario.id.clone(),
            file: scenario.file.clone(),
            description: scenario.description.clone(),
            objects: scenario.manifests.iter().map(object).collect(),
            not_judged,
        }
    };
    not_judged.into_iter().map(record).collect()
}

/// What servers had against an object, in their words, with the last minor that says so.
type Messages<'a> = BTreeMap<(About, &'a str), Minor>;

/// The messages about what was applied, by scenario and object.
fn messages(results: &Results) -> BTreeMap<usize, BTreeMap<&str, Messages<'_>>> {
    let mut messages: BTreeMap<usize, BTreeMap<&str, Messages<'_>>> = BTreeMap::new();
    for (&(_, scenario), cells) in &results.cells {
        let of_scenario = messages.entry(scenario).or_default();
        for (minor, cell) in cells {
            for outcome in cell.run.outcomes.iter().filter(|it| is_of_manifest(it)) {
                let of_object = of_scenario.entry(&outcome.object).or_default();
                for (about, stage) in std::iter::once((About::Object, &outcome.own))
                    .chain(outcome.pods.iter().map(|pods| (About::Pods, pods)))
                {
                    let rejection = stage.verdict.rejection().map(|it| &it.message);
                    for message in rejection.into_iter().chain(&stage.warnings) {
                        of_object.insert((about, message), *minor);
                    }
                }
            }
        }
    }
    messages
}

fn faults(manifest: &Manifest, messages: Option<&Messages<'_>>) -> BTreeSet<Fault> {
    let found = messages
        .into_iter()
        .flatten()
        .flat_map(|(&(about, message), &minor)| fault::faults(manifest, minor, message, about));
    // A message that names no field is about the object, whose place is known.
    found.filter(|fault| !fault.field.is_empty()).collect()
}

/// A value as the text that it is shown as.
mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<T: Display, S: Serializer>(it: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(it)
    }

    pub(super) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Several values as the texts that they are shown as.
mod texts {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<T: Display, S: Serializer>(it: &[T], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(it.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, T, D>(from: D) -> Result<Vec<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let texts = Vec::<String>::deserialize(from)?;
        let read = |text: String| text.parse().map_err(de::Error::custom);
        texts.into_iter().map(read).collect()
    }
}

/// Minors in as few ranges as they fit in: `1.23..1.25, 1.28..`.
#[must_use]
pub fn folded(minors: &[Minor]) -> String {
    let ranges: Vec<String> = ranges(minors).iter().map(ToString::to_string).collect();
    ranges.join(", ")
}

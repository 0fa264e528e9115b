//! Holds the results of a run against the snapshots: what agrees, what differs, what is missing,
//! and what nothing refers to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use podgate_policy::Minor;

use crate::error::Error;
use crate::execute::Results;
use crate::expect::Unmet;
use crate::plan::Plan;
use crate::snapshot::{Comparison, Header, Minors, Outcomes, Store};
use crate::suite::Suite;
use crate::verified::{Confirmation, Verified, Version};

/// What a run says about a suite.
#[derive(Debug, Default)]
pub struct Report {
    /// One entry for each scenario on each cluster that ran.
    pub entries: Vec<Entry>,
    /// Snapshots that no scenario on any cluster has. Known only to a run of everything.
    pub unreferenced: BTreeSet<PathBuf>,
    /// What somebody edited in the file of confirmations, and counts for nothing.
    pub edited: Vec<String>,
}

/// One scenario on one cluster, over all minors that ran.
#[derive(Debug)]
pub struct Entry {
    /// Index into the plan's clusters.
    pub cluster: usize,
    /// Index into the plan's scenarios.
    pub scenario: usize,
    /// The snapshot.
    pub path: PathBuf,
    /// How the outcomes compare with it.
    pub comparison: Comparison,
    /// Where the new outcomes were written for review.
    pub proposed: Option<PathBuf>,
    /// Expectations that do not hold.
    pub unmet: Vec<(Minor, Unmet)>,
    /// The real servers that confirmed the snapshot, if the outcomes agree with it.
    pub confirmation: Confirmation,
    /// How many cells ran.
    pub cells: usize,
    /// How many outcomes they have, stages counted one by one.
    pub outcomes: usize,
    /// How many of those are undecided.
    pub undecided: usize,
}

impl Entry {
    /// Whether all is as recorded and as expected.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.comparison.agrees() && self.unmet.is_empty()
    }
}

/// Compares `results` with the snapshots in `store`, and proposes what differs.
pub fn report(
    suite: &Suite,
    plan: &Plan,
    results: &Results,
    store: &Store,
    complete: bool,
) -> Result<Report, Error> {
    let verified = Verified::load(store)?;
    let mut entries = Vec::new();
    for (&(cluster_at, scenario_at), cells) in &results.cells {
        let cluster = &plan.clusters[cluster_at];
        let scenario = &plan.scenarios[scenario_at];
        let observed: Outcomes = cells
            .iter()
            .map(|(minor, cell)| (*minor, cell.run.outcomes.clone()))
            .collect();
        let path = store.path(&cluster.name, Path::new(&scenario.id))?;
        let applicable: Minors = scenario.minors_on(cluster).into_iter().collect();
        let comparison = store.compare(&path, &observed, applicable)?;
        let proposed = if comparison.agrees() {
            store.settle(&path, observed.keys().copied().collect())?;
            None
        } else {
            let header = Header {
                source: format!("scenarios/{}.yaml", scenario.id),
                description: scenario.description.clone(),
                expression: Some(format!(
                    "podgate test {} --cluster {}",
                    scenario.id, cluster.name
                )),
            };
            store.propose(&path, &header, &comparison.text)?
        };
        let confirmation = if comparison.agrees() && verified.knows(&cluster.name, &scenario.id) {
            // What was observed on every minor is what is recorded.
            let read = (observed.len() < applicable.iter().count()).then(|| store.outcomes(&path));
            let read = read.transpose()?;
            let recorded = read.as_ref().unwrap_or(&observed);
            verified.confirmation(&cluster.name, &scenario.id, recorded)
        } else {
            Confirmation::default()
        };
        let stages = observed
            .values()
            .flatten()
            .flat_map(|o| [Some(&o.own), o.pods.as_ref()])
            .flatten();
        let (outcomes, undecided) = stages.fold((0, 0), |(all, undecided), stage| {
            (
                all + 1,
                undecided + usize::from(stage.verdict.is_undecided()),
            )
        });
        let unmet = cells
            .iter()
            .flat_map(|(minor, cell)| cell.unmet.iter().map(|unmet| (*minor, unmet.clone())))
            .collect();
        entries.push(Entry {
            cluster: cluster_at,
            scenario: scenario_at,
            path,
            comparison,
            proposed,
            unmet,
            confirmation,
            cells: cells.len(),
            outcomes,
            undecided,
        });
    }
    let unreferenced = if complete {
        unreferenced(suite, store)?
    } else {
        BTreeSet::new()
    };
    Ok(Report {
        entries,
        unreferenced,
        edited: verified.edited,
    })
}

/// Notes in `verified` which snapshots the real servers of `results` confirm.
pub fn confirm(
    verified: &mut Verified,
    plan: &Plan,
    results: &Results,
    store: &Store,
) -> Result<(), Error> {
    let versions = results.versions.iter().map(|(minor, text)| {
        let version = text.parse::<Version>();
        let version = version.map_err(|error| Error::environment(error.to_string()))?;
        Ok((*minor, version))
    });
    let versions = versions.collect::<Result<BTreeMap<Minor, Version>, Error>>()?;
    for (&(cluster, scenario), cells) in &results.cells {
        let cluster = &plan.clusters[cluster].name;
        let scenario = &plan.scenarios[scenario].id;
        let path = store.path(cluster, Path::new(scenario))?;
        // A controller that does otherwise, or an expectation that does not hold, confirms nothing.
        let agreed = cells.iter().filter(|(_, cell)| cell.unmet.is_empty());
        let on: BTreeMap<Minor, Version> = agreed
            .filter_map(|(minor, _)| Some((*minor, versions.get(minor)?.clone())))
            .collect();
        let observed: Outcomes = cells
            .iter()
            .map(|(minor, cell)| (*minor, cell.run.outcomes.clone()))
            .collect();
        verified.confirm(cluster, scenario, &store.outcomes(&path)?, &observed, &on);
    }
    Ok(())
}

/// The snapshots that no scenario on any cluster has.
pub fn unreferenced(suite: &Suite, store: &Store) -> Result<BTreeSet<PathBuf>, Error> {
    let mut paths = BTreeSet::new();
    for cluster in &suite.clusters {
        for scenario in &suite.scenarios {
            if !scenario.minors_on(cluster).is_empty() {
                paths.insert(store.path(&cluster.name, Path::new(&scenario.id))?);
            }
        }
    }
    Ok(store.unreferenced(&paths)?)
}

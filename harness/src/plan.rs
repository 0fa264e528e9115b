//! What a run consists of: which scenarios on which cluster at which minors, and what is left out.

use std::collections::BTreeMap;

use podgate_policy::Minor;

use crate::backend::{Backend, BootSpec};
use crate::error::Error;
use crate::run::namespace_name;
use crate::suite::{Cluster, Scenario, Suite};
use crate::versions::{MinorRange, ranges};

/// What the user asked for.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Scenarios: an id, its last part, or a folder of ids; none: all.
    pub scenarios: Vec<String>,
    /// Clusters, by name or file; none: all.
    pub clusters: Vec<String>,
    /// Minors; none: the project's.
    pub kubernetes: Option<MinorRange>,
    /// The minors of the project, which nobody asked for by name; none: each cluster's own.
    pub project: Option<MinorRange>,
}

/// The scenarios of one cluster at one minor: they share a boot.
#[derive(Clone, Debug)]
pub struct Job {
    /// Index into [`Plan::clusters`].
    pub cluster: usize,
    /// The minor.
    pub minor: Minor,
    /// Indexes into [`Plan::scenarios`].
    pub scenarios: Vec<usize>,
}

/// The jobs that one real server does for: what their clusters ask of it is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// The minor.
    pub minor: Minor,
    /// Indexes into [`Plan::jobs`].
    pub jobs: Vec<usize>,
}

/// A plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The chosen clusters, by name.
    pub clusters: Vec<Cluster>,
    /// The chosen scenarios, by id.
    pub scenarios: Vec<Scenario>,
    /// What runs, by cluster and then by minor.
    pub jobs: Vec<Job>,
    /// What does not run although it was selected, and why not.
    pub not_applicable: Vec<NotApplicable>,
}

/// Cells that were selected and do not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotApplicable {
    /// The cluster.
    pub cluster: String,
    /// The scenario, where it is the scenario that is not for them.
    pub scenario: Option<String>,
    /// The minors.
    pub minors: Vec<Minor>,
    /// How many cells that are.
    pub cells: usize,
    /// Why they do not run although they are for these minors: what the backend lacks.
    pub lacking: Option<String>,
}

impl Plan {
    /// Lays out what `selection` asks for. Asking for a cluster or a scenario by name at a version
    /// that it is not for is an error: a cell that silently does not run would look like a pass.
    pub fn new(suite: &Suite, selection: &Selection) -> Result<Self, Error> {
        let clusters = if selection.clusters.is_empty() {
            suite.clusters.clone()
        } else {
            let chosen = selection.clusters.iter().map(|name| suite.cluster(name));
            let mut clusters: Vec<Cluster> = Vec::new();
            for cluster in chosen {
                let cluster = cluster?;
                // A cluster that is named twice runs once.
                if !clusters.iter().any(|known| known.name == cluster.name) {
                    clusters.push(cluster);
                }
            }
            clusters
        };
        let mut plan = Self {
            clusters,
            scenarios: select_scenarios(suite, &selection.scenarios)?,
            jobs: Vec::new(),
            not_applicable: Vec::new(),
        };
        for at in 0..plan.clusters.len() {
            plan.add_cluster(at, selection)?;
        }
        Ok(plan)
    }

    fn add_cluster(&mut self, at: usize, selection: &Selection) -> Result<(), Error> {
        let cluster = &self.clusters[at];
        let asked: Vec<Minor> = match selection.kubernetes.or(selection.project) {
            Some(range) => range.minors().collect(),
            None => cluster.minors.clone(),
        };
        let (applicable, outside): (Vec<Minor>, Vec<Minor>) = asked
            .into_iter()
            .partition(|minor| cluster.minors.contains(minor));
        let chosen = |scenario: &&Scenario| scenario.runs_on(cluster);
        if !outside.is_empty() {
            if !selection.clusters.is_empty() && selection.kubernetes.is_some() {
                return Err(Error::input(format!(
                    "cluster `{}` is not for Kubernetes {}",
                    cluster.name,
                    shown(&outside)
                ))
                .hint(format!("it is for {}", shown(&cluster.minors))));
            }
            self.not_applicable.push(NotApplicable {
                cluster: cluster.name.clone(),
                scenario: None,
                cells: outside.len() * self.scenarios.iter().filter(chosen).count(),
                minors: outside,
                lacking: None,
            });
        }
        for scenario in &self.scenarios {
            if !scenario.runs_on(cluster) {
                // Both were named, and the scenario leaves the cluster out.
                if !selection.scenarios.is_empty() && !selection.clusters.is_empty() {
                    self.not_applicable.push(NotApplicable {
                        cluster: cluster.name.clone(),
                        scenario: Some(scenario.id.clone()),
                        cells: applicable.len(),
                        minors: applicable.clone(),
                        lacking: None,
                    });
                }
                continue;
            }
            let outside: Vec<Minor> = applicable
                .iter()
                .copied()
                .filter(|minor| !scenario.runs_in(*minor))
                .collect();
            if outside.is_empty() {
                continue;
            }
            // Of a folder that was named nobody said that all of it runs everywhere.
            let named = selection
                .scenarios
                .iter()
                .any(|name| is_named(scenario, name));
            if named && selection.kubernetes.is_some() {
                return Err(Error::input(format!(
                    "scenario `{}` is not for Kubernetes {}",
                    scenario.id,
                    shown(&outside)
                ))
                .hint(format!("it is for {}", shown(&scenario.minors_on(cluster)))));
            }
            self.not_applicable.push(NotApplicable {
                cluster: cluster.name.clone(),
                scenario: Some(scenario.id.clone()),
                cells: outside.len(),
                minors: outside,
                lacking: None,
            });
        }
        for minor in applicable {
            let runs = |s: &usize| {
                self.scenarios[*s].runs_on(cluster) && self.scenarios[*s].runs_in(minor)
            };
            let scenarios: Vec<usize> = (0..self.scenarios.len()).filter(runs).collect();
            if !scenarios.is_empty() {
                self.jobs.push(Job {
                    cluster: at,
                    minor,
                    scenarios,
                });
            }
        }
        Ok(())
    }

    /// Takes out what `backend` cannot bring up here, and says so loudly; where the minor was asked
    /// for, that is an error. What it cannot configure is one always: a flag that is left out could
    /// admit what the cluster rejects.
    pub fn restrict(&mut self, backend: &dyn Backend, asked: bool) -> Result<(), Error> {
        let mut served: BTreeMap<Minor, Option<String>> = BTreeMap::new();
        for job in &self.jobs {
            if served.contains_key(&job.minor) {
                continue;
            }
            let lacking = match backend.serves(job.minor) {
                Ok(()) => None,
                Err(error) if asked => return Err(error),
                // What is lacking is the same for minors whose reasons differ in nothing else.
                Err(error) => {
                    let minor = job.minor.to_string();
                    Some(error.message().replace(&minor, "that version"))
                }
            };
            served.insert(job.minor, lacking);
        }
        for job in std::mem::take(&mut self.jobs) {
            let cluster = &self.clusters[job.cluster];
            match &served[&job.minor] {
                None => {
                    backend.configures(cluster, job.minor)?;
                    self.jobs.push(job);
                }
                Some(lacking) => {
                    let name = &cluster.name;
                    let known = self.not_applicable.iter_mut().find(|cells| {
                        cells.cluster == *name && cells.lacking.as_ref() == Some(lacking)
                    });
                    if let Some(known) = known {
                        known.minors.push(job.minor);
                        known.cells += job.scenarios.len();
                        continue;
                    }
                    self.not_applicable.push(NotApplicable {
                        cluster: name.clone(),
                        scenario: None,
                        minors: vec![job.minor],
                        cells: job.scenarios.len(),
                        lacking: Some(lacking.clone()),
                    });
                }
            }
        }
        Ok(())
    }

    /// The real servers that the plan takes, by minor.
    #[must_use]
    pub fn boots(&self) -> Vec<Boot> {
        let mut boots: Vec<Boot> = Vec::new();
        for (at, job) in self.jobs.iter().enumerate() {
            let cluster = &self.clusters[job.cluster];
            let shared = boots.iter_mut().find(|boot| {
                let first = &self.clusters[self.jobs[boot.jobs[0]].cluster];
                boot.minor == job.minor && first.shares_server_with(cluster)
            });
            match shared {
                Some(boot) => boot.jobs.push(at),
                None => boots.push(Boot {
                    minor: job.minor,
                    jobs: vec![at],
                }),
            }
        }
        boots.sort_by_key(|boot| boot.minor);
        boots
    }

    /// What a backend is told of one of [`boots`](Self::boots).
    #[must_use]
    pub fn spec(&self, boot: &Boot) -> BootSpec<'_> {
        let clusters = boot
            .jobs
            .iter()
            .map(|job| &self.clusters[self.jobs[*job].cluster]);
        let clusters: Vec<&Cluster> = clusters.collect();
        let first = &clusters[0].name;
        let others = match clusters.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        BootSpec {
            title: format!("{first}{others} on {}", boot.minor),
            name: namespace_name(&boot.minor.to_string(), first),
            minor: boot.minor,
            clusters,
        }
    }

    /// The plan in parts of one cluster and one scenario each.
    #[must_use]
    pub fn parts(&self) -> Vec<Self> {
        let mut parts = Vec::new();
        for (c, cluster) in self.clusters.iter().enumerate() {
            for (s, scenario) in self.scenarios.iter().enumerate() {
                let with = |job: &&Job| job.cluster == c && job.scenarios.contains(&s);
                let jobs: Vec<Job> = self
                    .jobs
                    .iter()
                    .filter(with)
                    .map(|job| Job {
                        cluster: 0,
                        minor: job.minor,
                        scenarios: vec![0],
                    })
                    .collect();
                if !jobs.is_empty() {
                    parts.push(Self {
                        clusters: vec![cluster.clone()],
                        scenarios: vec![scenario.clone()],
                        jobs,
                        not_applicable: Vec::new(),
                    });
                }
            }
        }
        parts
    }

    /// Leaves only those scenarios on those clusters that `runs` says.
    pub fn retain(&mut self, runs: impl Fn(&Cluster, &Scenario) -> bool) {
        for job in &mut self.jobs {
            let cluster = &self.clusters[job.cluster];
            job.scenarios
                .retain(|scenario| runs(cluster, &self.scenarios[*scenario]));
        }
        self.jobs.retain(|job| !job.scenarios.is_empty());
    }

    /// How many cells (a scenario on a cluster at a minor) it has.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.jobs.iter().map(|job| job.scenarios.len()).sum()
    }
}

/// Ranges as a reader sees them: `1.20..1.24, 1.30`.
fn shown(minors: &[Minor]) -> String {
    ranges(minors)
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Whether `name` is that one scenario, not a folder of them.
fn is_named(scenario: &Scenario, name: &str) -> bool {
    let name = name.trim_end_matches('/');
    scenario.id == name
        || scenario.id.rsplit('/').next() == Some(name)
        || scenario.file.as_os_str() == name
}

fn select_scenarios(suite: &Suite, names: &[String]) -> Result<Vec<Scenario>, Error> {
    if names.is_empty() {
        return Ok(suite.scenarios.clone());
    }
    let matches = |scenario: &Scenario, name: &str| {
        is_named(scenario, name)
            || scenario
                .id
                .strip_prefix(name.trim_end_matches('/'))
                .is_some_and(|rest| rest.starts_with('/'))
    };
    for name in names {
        if !suite.scenarios.iter().any(|s| matches(s, name)) {
            let known: Vec<String> = suite.scenarios.iter().map(|s| s.id.clone()).collect();
            return Err(Error::input(format!("there is no scenario `{name}`")).hint(
                crate::suite::nearest_hint(name, &known, "the scenarios are"),
            ));
        }
    }
    let chosen = |s: &&Scenario| names.iter().any(|name| matches(s, name));
    Ok(suite.scenarios.iter().filter(chosen).cloned().collect())
}

//! What a run consists of: which scenarios on which cluster at which minors, and what is left out.

use podgate_policy::Minor;

use crate::error::Error;
use crate::suite::{Cluster, Scenario, Suite};
use crate::versions::{MinorRange, ranges};

/// What the user asked for.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Scenarios: an id, its last part, or a folder of ids; none: all.
    pub scenarios: Vec<String>,
    /// Clusters, by name or file; none: all.
    pub clusters: Vec<String>,
    /// Minors; none: each cluster's own.
    pub kubernetes: Option<MinorRange>,
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

/// A plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The chosen clusters, by name.
    pub clusters: Vec<Cluster>,
    /// The chosen scenarios, by id.
    pub scenarios: Vec<Scenario>,
    /// What runs, by cluster and then by minor.
    pub jobs: Vec<Job>,
    /// Cells that are not applicable: the cluster's name, the scenario's id where it is the
    /// scenario that does not apply, and the ranges of minors.
    pub not_applicable: Vec<(String, Option<String>, Vec<MinorRange>)>,
}

impl Plan {
    /// Lays out what `selection` asks for. Asking for a cluster or a scenario by name at a version
    /// that it is not for is an error: a cell that silently does not run would look like a pass.
    pub fn new(suite: &Suite, selection: &Selection) -> Result<Self, Error> {
        let clusters = if selection.clusters.is_empty() {
            suite.clusters.clone()
        } else {
            selection
                .clusters
                .iter()
                .map(|name| suite.cluster(name))
                .collect::<Result<_, _>>()?
        };
        let scenarios = select_scenarios(suite, &selection.scenarios)?;

        let mut jobs = Vec::new();
        let mut not_applicable = Vec::new();
        for (at, cluster) in clusters.iter().enumerate() {
            let own = cluster.minors()?;
            let asked: Vec<Minor> = match selection.kubernetes {
                Some(range) => range.minors().collect(),
                None => own.clone(),
            };
            let (applicable, outside): (Vec<Minor>, Vec<Minor>) =
                asked.into_iter().partition(|minor| own.contains(minor));
            if !outside.is_empty() {
                if !selection.clusters.is_empty() {
                    return Err(Error::input(format!(
                        "cluster `{}` is not for Kubernetes {}",
                        cluster.name,
                        shown(&outside)
                    ))
                    .hint(format!("it is for {}", shown(&own))));
                }
                not_applicable.push((cluster.name.clone(), None, ranges(&outside)));
            }
            for minor in applicable {
                let of_minor: Vec<usize> = (0..scenarios.len())
                    .filter(|&s| scenarios[s].runs_on(cluster))
                    .filter(|&s| {
                        scenarios[s]
                            .kubernetes
                            .is_none_or(|range| range.contains(minor))
                    })
                    .collect();
                if !of_minor.is_empty() {
                    jobs.push(Job {
                        cluster: at,
                        minor,
                        scenarios: of_minor,
                    });
                }
            }
            for scenario in scenarios.iter().filter(|s| s.runs_on(cluster)) {
                let Some(range) = scenario.kubernetes else {
                    continue;
                };
                let outside: Vec<Minor> = match selection.kubernetes {
                    Some(asked) => asked.minors().filter(|m| own.contains(m)).collect(),
                    None => own.clone(),
                };
                let outside: Vec<Minor> = outside
                    .into_iter()
                    .filter(|minor| !range.contains(*minor))
                    .collect();
                if outside.is_empty() {
                    continue;
                }
                if !selection.scenarios.is_empty() && selection.kubernetes.is_some() {
                    return Err(Error::input(format!(
                        "scenario `{}` is not for Kubernetes {}",
                        scenario.id,
                        shown(&outside)
                    ))
                    .hint(format!("it is for {range}")));
                }
                not_applicable.push((
                    cluster.name.clone(),
                    Some(scenario.id.clone()),
                    ranges(&outside),
                ));
            }
        }
        Ok(Self {
            clusters,
            scenarios,
            jobs,
            not_applicable,
        })
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

fn select_scenarios(suite: &Suite, names: &[String]) -> Result<Vec<Scenario>, Error> {
    if names.is_empty() {
        return Ok(suite.scenarios.clone());
    }
    let matches = |scenario: &Scenario, name: &str| {
        let name = name.trim_end_matches('/');
        scenario.id == name
            || scenario.id.rsplit('/').next() == Some(name)
            || scenario
                .id
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('/'))
            || scenario.file.as_os_str() == name
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

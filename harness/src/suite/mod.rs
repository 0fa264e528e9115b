//! A suite: the clusters and scenarios of a repository, and where its snapshots lie.

pub mod cluster;
pub mod manifest;
pub mod project;
mod read;
pub mod scenario;
pub mod schema;
mod server;

use std::path::{Path, PathBuf};

pub use cluster::{Cluster, Flags, Requester};
pub use manifest::Manifest;
pub use project::Project;
pub use scenario::{
    Action, Expectation, Expected, ExpectedVerdict, Patch, PatchType, Scenario, ScenarioNamespace,
    Step,
};
pub use server::Admission;

use crate::error::Error;
pub use read::nearest_hint;

/// The clusters and scenarios of a repository.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The clusters, by name.
    pub clusters: Vec<Cluster>,
    /// The scenarios, by id.
    pub scenarios: Vec<Scenario>,
    /// The folder of the snapshots.
    pub snapshots: PathBuf,
}

impl Suite {
    /// Loads everything that `project` names.
    pub fn load(project: &Project) -> Result<Self, Error> {
        const HINT: &str = "podgate init writes an example; -C changes the folder, and podgate.yaml names \
            other folders than clusters, scenarios and snapshots";
        let tree = |folder: &Path| read::tree(folder).map_err(|error| error.or_hint(HINT));
        let mut suite = Self::with_clusters(project, tree(&project.clusters)?)?;
        for file in tree(&project.scenarios)? {
            let scenario = Scenario::load(&file, &project.scenarios)?;
            if let Some(twin) = suite.scenarios.iter().find(|s| s.id == scenario.id) {
                return Err(Error::input(format!(
                    "{} and {} are both scenario `{}`",
                    twin.file.display(),
                    file.display(),
                    scenario.id
                ))
                .hint("the path without its extension tells scenarios apart, in snapshots too"));
            }
            suite.scenarios.push(scenario);
        }
        suite.scenarios.sort_by(|a, b| a.id.cmp(&b.id));
        for scenario in &suite.scenarios {
            suite.check(scenario)?;
        }
        Ok(suite)
    }

    /// Loads the clusters alone, and those only where there is a folder of them: somebody who names
    /// a cluster file needs no repository.
    pub fn clusters(project: &Project) -> Result<Self, Error> {
        let files = if project.clusters.is_dir() {
            read::tree(&project.clusters)?
        } else {
            Vec::new()
        };
        Self::with_clusters(project, files)
    }

    fn with_clusters(project: &Project, files: Vec<PathBuf>) -> Result<Self, Error> {
        let mut clusters: Vec<Cluster> = Vec::new();
        for file in files {
            let cluster = Cluster::load(&file)?;
            if let Some(twin) = clusters.iter().find(|c| c.name == cluster.name) {
                return Err(read::at_value(
                    &cluster.head,
                    "metadata.name",
                    format!(
                        "the cluster in {} is called `{}`, too",
                        twin.file.display(),
                        cluster.name
                    ),
                    "the name tells clusters apart, in snapshots too",
                ));
            }
            clusters.push(cluster);
        }
        clusters.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            clusters,
            scenarios: Vec::new(),
            snapshots: project.snapshots.clone(),
        })
    }

    /// Refuses clusters that are not there, and expectations that hold nowhere: they would never be
    /// looked at.
    fn check(&self, scenario: &Scenario) -> Result<(), Error> {
        let Some(head) = &scenario.head else {
            return Ok(());
        };
        let known = |path: &str, names: Option<&Vec<String>>| {
            let names = names.into_iter().flatten().enumerate();
            for (at, name) in names {
                if !self.clusters.iter().any(|c| c.name == *name) {
                    let (message, hint) = unknown_cluster(name, &self.clusters);
                    return Err(read::at_value(
                        head,
                        &format!("{path}[{at}]"),
                        message,
                        hint,
                    ));
                }
            }
            Ok(())
        };
        known("spec.clusters", scenario.clusters.as_ref())?;
        for (at, expectation) in scenario.expect.iter().enumerate() {
            let path = format!("spec.expect[{at}]");
            known(&format!("{path}.clusters"), expectation.clusters.as_ref())?;
            let applies = self.clusters.iter().any(|cluster| {
                let minors = scenario.minors_on(cluster);
                minors
                    .iter()
                    .any(|minor| expectation.applies(cluster, *minor))
            });
            if !applies {
                return Err(read::at_value(
                    head,
                    &path,
                    "this expectation is for no cluster and version on which the scenario runs",
                    "widen its clusters or its kubernetes, or those of the scenario",
                ));
            }
        }
        Ok(())
    }

    /// The cluster called `name`, or the one in the file `name`.
    pub fn cluster(&self, name: &str) -> Result<Cluster, Error> {
        if let Some(cluster) = self.clusters.iter().find(|c| c.name == name) {
            return Ok(cluster.clone());
        }
        let path = Path::new(name);
        if path.is_file() {
            return Cluster::load(path);
        }
        let (message, hint) = unknown_cluster(name, &self.clusters);
        Err(Error::input(message).hint(hint))
    }
}

/// What is said about a cluster that is not there, and what to do about it.
fn unknown_cluster(name: &str, clusters: &[Cluster]) -> (String, String) {
    let known: Vec<String> = clusters.iter().map(|c| c.name.clone()).collect();
    let hint = if known.is_empty() {
        "there are none here: podgate init writes two, -C changes the folder, and --cluster takes a path, too"
            .to_owned()
    } else {
        read::nearest_hint(name, &known, "the clusters are")
    };
    (format!("there is no cluster `{name}`"), hint)
}

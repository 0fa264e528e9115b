//! A suite: the clusters and scenarios of a repository, and where its snapshots lie.

pub mod cluster;
pub mod manifest;
pub mod project;
mod read;
pub mod scenario;
mod server;

use std::path::{Path, PathBuf};

pub use cluster::{Cluster, Flags, Requester};
pub use manifest::Manifest;
pub use project::Project;
pub use scenario::{
    Action, Expectation, Expected, ExpectedVerdict, Patch, PatchType, Scenario, Step,
};

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
        let mut suite = Self::with_clusters(project, read::tree(&project.clusters)?)?;
        for file in read::tree(&project.scenarios)? {
            suite
                .scenarios
                .push(Scenario::load(&file, &project.scenarios)?);
        }
        suite.scenarios.sort_by(|a, b| a.id.cmp(&b.id));
        suite.check_cluster_names()?;
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
                return Err(Error::input(format!(
                    "{} and {} are both called `{}`",
                    twin.file.display(),
                    file.display(),
                    cluster.name
                ))
                .hint("metadata.name tells clusters apart, in snapshots too"));
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

    fn check_cluster_names(&self) -> Result<(), Error> {
        for scenario in &self.scenarios {
            let expected = scenario
                .expect
                .iter()
                .flat_map(|e| e.clusters.iter().flatten());
            for name in scenario.clusters.iter().flatten().chain(expected) {
                if !self.clusters.iter().any(|c| c.name == *name) {
                    return Err(unknown_cluster(name, &self.clusters, Some(&scenario.file)));
                }
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
        Err(unknown_cluster(name, &self.clusters, None))
    }
}

fn unknown_cluster(name: &str, clusters: &[Cluster], file: Option<&Path>) -> Error {
    let known: Vec<String> = clusters.iter().map(|c| c.name.clone()).collect();
    let place = file
        .map(|f| format!("{}: ", f.display()))
        .unwrap_or_default();
    Error::input(format!("{place}there is no cluster `{name}`")).hint(read::nearest_hint(
        name,
        &known,
        "the clusters are",
    ))
}

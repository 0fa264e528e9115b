//! One kind cluster as a thing of a run: how it is named, and how it is deleted, also by another process after the
//! one that made it has died.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::engine::{Engine, run};
use crate::error::Error;

/// With the suffix of its node it becomes a label's value, 63 characters at most; kind's own limit is by one
/// greater (pkg/cluster/internal/create/create.go, `clusterNameMax`), and such a node never registers.
const LONGEST: usize = 63 - "-control-plane".len();

/// How long a container may take to appear after the client that asked for it was killed.
const APPEARS: Duration = Duration::from_secs(2);
/// How long a cluster may take to go.
const GOES: Duration = Duration::from_secs(10);

/// A cluster that was made, or is about to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KindCluster {
    /// Its name, which has the run's id in it.
    pub name: String,
    /// The kind that made it.
    pub kind: PathBuf,
    /// Where it runs.
    pub engine: Engine,
    /// The kubeconfig that kind wrote for it.
    pub kubeconfig: PathBuf,
    /// The environment that led kind to the engine.
    environment: BTreeMap<String, String>,
}

impl KindCluster {
    /// A cluster of the run `id`, for the boot `boot`.
    #[must_use]
    pub fn new(id: &str, boot: &str, kind: PathBuf, engine: Engine, kubeconfig: PathBuf) -> Self {
        Self {
            name: name(id, boot),
            kind,
            engine,
            kubeconfig,
            environment: engine.environment(),
        }
    }

    /// The name of its only node, which is that of a container too.
    #[must_use]
    pub fn node(&self) -> String {
        format!("{}-control-plane", self.name)
    }

    /// kind with its engine, without a subcommand.
    #[must_use]
    pub fn kind(&self) -> Command {
        let mut command = Command::new(&self.kind);
        command.envs(&self.environment);
        command
    }

    /// The engine, without a subcommand.
    #[must_use]
    pub fn engine(&self) -> Command {
        let mut command = Command::new(self.engine.program());
        command.envs(&self.environment);
        command
    }

    /// Deletes it; what is not there is deleted already. Whether there was anything to delete.
    ///
    /// An engine finishes what it was asked for although its client was killed: a container may appear late, and one
    /// that is just being started is not removed at once.
    pub fn delete(&self) -> Result<bool, Error> {
        let started = Instant::now();
        let mut there = false;
        let mut said = String::new();
        loop {
            let containers = self.containers()?;
            if containers.is_empty() && (there || started.elapsed() >= APPEARS) {
                return Ok(there);
            }
            if started.elapsed() >= GOES {
                break;
            }
            if !containers.is_empty() {
                there = true;
                said = self.try_to_delete(&containers)?;
                if self.containers()?.is_empty() {
                    return Ok(true);
                }
            }
            thread::sleep(Duration::from_millis(200));
        }
        let program = self.engine.program();
        Err(Error::environment(format!(
            "the kind cluster {} is still there, it cannot be deleted: {said}",
            self.name
        ))
        .hint(format!(
            "podgate clean tries again; by hand: {program} rm -f -v {}",
            self.node()
        )))
    }

    /// Asks kind to delete it, and the engine where kind does not. What the last of them said.
    fn try_to_delete(&self, containers: &[String]) -> Result<String, Error> {
        // kind locks the kubeconfig that it edits, and makes its folder where that is gone. The user's it shall never
        // take, so it gets one that nobody has.
        let folder = self.kubeconfig.parent();
        let kubeconfig = match folder.filter(|folder| folder.is_dir()) {
            Some(_) => self.kubeconfig.clone(),
            None => std::env::temp_dir().join(format!("{}.kubeconfig", self.name)),
        };
        let mut kind = self.kind();
        kind.args(["delete", "cluster", "--name", &self.name, "--kubeconfig"])
            .arg(kubeconfig);
        // A kind that is gone by now is no reason to leave the cluster.
        if run(&mut kind).is_ok_and(|output| output.status.success()) {
            return Ok("kind says that it is deleted".to_owned());
        }
        let mut engine = self.engine();
        engine.args(["rm", "-f", "-v"]).args(containers);
        Ok(last_line(&run(&mut engine)?.stderr))
    }

    /// Its containers, by name; all of them carry its name as a label
    /// (kind, pkg/cluster/internal/providers/docker/constants.go).
    fn containers(&self) -> Result<Vec<String>, Error> {
        let label = format!("label=io.x-k8s.kind.cluster={}", self.name);
        let mut command = self.engine();
        command.args(["ps", "-a", "--filter", &label, "--format", "{{.Names}}"]);
        let output = run(&mut command)?;
        if !output.status.success() {
            let program = self.engine.program();
            return Err(Error::environment(format!(
                "{program} does not tell whether the kind cluster {} is still there: {}",
                self.name,
                last_line(&output.stderr)
            ))
            .hint("podgate clean looks again once it answers"));
        }
        let names = String::from_utf8_lossy(&output.stdout);
        Ok(names.lines().map(str::to_owned).collect())
    }
}

/// `podgate-1a2b3c4d-1-36-psa-restricted`, no longer than kind likes it.
fn name(id: &str, boot: &str) -> String {
    let slug: String = boot
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let mut name = format!("podgate-{id}-{slug}");
    if name.len() > LONGEST {
        // What tells two boots of a run apart may stand at the end.
        let hash = slug.bytes().fold(0x811c_9dc5_u32, |h, b| {
            (h ^ u32::from(b)).wrapping_mul(0x0100_0193)
        });
        name.truncate(LONGEST - 9);
        name = format!("{}-{hash:08x}", name.trim_end_matches('-'));
    }
    name.trim_end_matches('-').to_owned()
}

fn last_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    // What follows is of use to people who mend kind.
    let said = lines.take_while(|line| !line.starts_with("Stack Trace"));
    said.last()
        .unwrap_or("it does not say why")
        .trim_start_matches("ERROR: ")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_tell_boots_apart() {
        assert_eq!(
            name("1a2b3c4d", "1.36-psa-restricted"),
            "podgate-1a2b3c4d-1-36-psa-restricted"
        );
        let long = |last: &str| {
            name(
                "1a2b3c4d",
                &format!("1.36-{}-{last}", "a-long-name".repeat(5)),
            )
        };
        assert!(long("x").len() <= 49);
        assert_ne!(long("x"), long("y"));
    }
}

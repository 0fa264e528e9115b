//! The container engine under kind: which one, whether it answers, and what its host is like.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::images::Cgroup;
use crate::error::Error;
use crate::lifecycle::on_path;

/// The variable by which kind is told which engine to take
/// (kind, pkg/internal/runtime/runtime.go, `GetDefault`).
pub const PROVIDER: &str = "KIND_EXPERIMENTAL_PROVIDER";

/// What decides which engine and which of its hosts is asked. Whoever removes a cluster later has to ask the same.
const SELECTORS: [&str; 4] = [
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "CONTAINER_HOST",
    "XDG_RUNTIME_DIR",
];

/// What a cluster takes while its image is unpacked and its node runs, in bytes.
const DISK: u64 = 3 << 30;

/// A container engine that kind works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Docker.
    Docker,
    /// Podman.
    Podman,
    /// containerd with nerdctl.
    Nerdctl,
}

/// What the engine's host is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its control groups.
    pub cgroup: Cgroup,
    /// Where the engine keeps images and containers, where it runs on this machine.
    pub storage: Option<PathBuf>,
}

impl Engine {
    /// The engine that was asked for, or the first one that is installed.
    pub fn find() -> Result<Self, Error> {
        let all = [Self::Docker, Self::Podman, Self::Nerdctl];
        match std::env::var(PROVIDER) {
            Ok(name) if !name.is_empty() => {
                let named = all.into_iter().find(|engine| engine.program() == name);
                named.ok_or_else(|| {
                    Error::environment(format!("{PROVIDER} names `{name}`, which kind does not work with"))
                        .hint("take docker, podman or nerdctl, or unset it")
                })
            }
            _ => all
                .into_iter()
                .find(|engine| on_path(engine.program()).is_some())
                .ok_or_else(|| {
                    Error::environment("a kind cluster needs Docker or Podman, and neither is on PATH").hint(
                        "install Docker (https://docs.docker.com/get-docker/) or Podman; the embedded backend needs \
                         neither",
                    )
                }),
        }
    }

    /// Its program, which is also its name for kind.
    #[must_use]
    pub const fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Nerdctl => "nerdctl",
        }
    }

    /// Asks the engine about its host: whether it answers at all is known then, too.
    pub fn host(self) -> Result<Host, Error> {
        let format = if self == Self::Podman {
            "json"
        } else {
            "{{json .}}"
        };
        let output = run(Command::new(self.program()).args(["info", "--format", format]))?;
        let failed = |text: &str| self.unreachable(text);
        if !output.status.success() {
            return Err(failed(&String::from_utf8_lossy(&output.stderr)));
        }
        let info: Value = serde_json::from_slice(&output.stdout)
            .map_err(|_| failed(&String::from_utf8_lossy(&output.stdout)))?;
        // Docker's client answers for itself where its engine does not.
        if let Some(error) = info["ServerErrors"][0].as_str() {
            return Err(failed(error));
        }
        let (cgroup, storage) = match self {
            Self::Podman => (&info["host"]["cgroupVersion"], &info["store"]["graphRoot"]),
            _ => (&info["CgroupVersion"], &info["DockerRootDir"]),
        };
        let elsewhere = std::env::var("DOCKER_HOST").is_ok_and(|host| !host.starts_with("unix:"));
        Ok(Host {
            cgroup: match cgroup.as_str() {
                Some("1" | "v1") => Cgroup::V1,
                _ => Cgroup::V2,
            },
            storage: storage.as_str().map(PathBuf::from).filter(|_| !elsewhere),
        })
    }

    /// Why the engine does not answer, in a sentence.
    fn unreachable(self, said: &str) -> Error {
        let program = self.program();
        let said = said.trim().trim_start_matches("ERROR: ");
        let last = said.lines().last().unwrap_or_default();
        if said.to_lowercase().contains("permission denied") {
            return Error::environment(format!("{program} may not be used by this user: {last}")).hint(format!(
                "join the group of its socket (sudo usermod -aG {program} $USER, then log in anew), or take a rootless \
                 engine"
            ));
        }
        Error::environment(format!("the engine of {program} does not answer: {last}")).hint(
            format!("start it, and try `{program} info`; the embedded backend needs none"),
        )
    }

    /// The environment in which kind asks this engine, and asks the same one again later.
    #[must_use]
    pub fn environment(self) -> BTreeMap<String, String> {
        let selected = SELECTORS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
        [(PROVIDER.to_owned(), self.program().to_owned())]
            .into_iter()
            .chain(selected)
            .collect()
    }
}

impl Host {
    /// An error where the disk of the engine has no room for a cluster.
    pub fn has_room(&self) -> Result<(), Error> {
        let Some(storage) = &self.storage else {
            return Ok(());
        };
        // A folder that cannot be asked, as that of an engine in a virtual machine, says nothing.
        let Ok(disk) = rustix::fs::statvfs(storage) else {
            return Ok(());
        };
        room(storage, disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}

fn room(storage: &Path, free: u64) -> Result<(), Error> {
    if free >= DISK {
        return Ok(());
    }
    let mib = |bytes: u64| bytes >> 20;
    Err(Error::environment(format!(
        "the disk of {} has {} MiB left, and a kind cluster takes about {}",
        storage.display(),
        mib(free),
        mib(DISK)
    ))
    .hint("make room, for example with `docker system prune`"))
}

/// Runs a command to its end.
pub(super) fn run(command: &mut Command) -> Result<Output, Error> {
    use std::os::unix::process::CommandExt;
    // A group of its own: Ctrl-C reaches podgate alone, which then cleans up with commands like this one.
    command.process_group(0).stdin(std::process::Stdio::null());
    command.output().map_err(|error| {
        let program = command.get_program().display();
        Error::environment(format!("cannot start {program}: {error}"))
            .hint(format!("is {program} a program for this machine?"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: dial \
         unix /var/run/docker.sock: connect: permission denied",
        "may not be used by this user"
    )]
    #[case(
        "ERROR: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        "does not answer: Cannot connect to the Docker daemon"
    )]
    fn tells_why_an_engine_cannot_be_used(#[case] said: &str, #[case] cause: &str) {
        let error = Engine::Docker.unreachable(said);
        assert!(error.message().contains(cause), "{error}");
        assert!(error.what_to_do().is_some());
        assert_eq!(error.to_string().lines().count(), 2, "{error}");
    }

    #[test]
    fn a_full_disk_is_told_with_figures() {
        let storage = Path::new("/var/lib/docker");
        assert!(room(storage, DISK).is_ok());
        let error = room(storage, DISK - 1).unwrap_err();
        assert_eq!(
            error.message(),
            "the disk of /var/lib/docker has 3071 MiB left, and a kind cluster takes about 3072"
        );
    }
}

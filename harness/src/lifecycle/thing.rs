//! The things that a run makes outside of its own memory, and how each is removed.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::{Deserialize, Serialize};

use super::process::Seen;
use crate::backend::container;
use crate::backend::context::namespace;
use crate::backend::kind::cluster::KindCluster;
use crate::error::Error;

/// A thing that a run makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Thing {
    /// A folder with all that is in it.
    Folder {
        /// Its path; its name ends in the run's id.
        path: PathBuf,
    },
    /// A process with its group.
    Process {
        /// What it is to podgate: `etcd`.
        component: String,
        /// Its id, once it runs.
        pid: Option<u32>,
        /// When it started, in seconds since 1970.
        started: Option<u64>,
    },
    /// A kind cluster; its name has the run's id in it.
    KindCluster(KindCluster),
    /// A kubeconfig at a place of the user's.
    Kubeconfig {
        /// Its path.
        path: PathBuf,
        /// What was written, as a hash: a file with other content is the user's by now.
        written: u64,
    },
    /// A container of the Docker engine, with its volumes.
    Container {
        /// Its name.
        name: String,
        /// The run's id, which stands in a label of the container.
        run: String,
    },
    /// A namespace on a cluster that was there before.
    Namespace {
        /// Its name.
        name: String,
        /// The run's id, which stands in a label of the namespace.
        run: String,
        /// The context of the cluster.
        context: String,
        /// The kubeconfig that has the context; `None`: the user's usual ones.
        kubeconfig: Option<PathBuf>,
    },
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder { path } => write!(f, "folder {}", path.display()),
            Self::Process { component, pid, .. } => match pid {
                Some(pid) => write!(f, "{component} (process {pid})"),
                None => f.write_str(component),
            },
            Self::KindCluster(cluster) => write!(f, "kind cluster {}", cluster.name),
            Self::Kubeconfig { path, .. } => write!(f, "kubeconfig {}", path.display()),
            Self::Container { name, .. } => write!(f, "container {name}"),
            Self::Namespace { name, context, .. } => {
                write!(f, "namespace {name} of context {context}")
            }
        }
    }
}

/// How long a process may take to be gone after it was killed.
const GONE: Duration = Duration::from_secs(10);

impl Thing {
    /// A kubeconfig that is about to be written.
    #[must_use]
    pub fn kubeconfig(path: &Path, text: &str) -> Self {
        Self::Kubeconfig {
            path: path.to_owned(),
            written: hash(text.as_bytes()),
        }
    }

    /// Removes it in the run that made it.
    pub(super) fn remove(&self, child: Option<&mut Child>) -> Result<(), Error> {
        match self {
            Self::Folder { path } => remove_folder(path),
            Self::Process { component, pid, .. } => {
                if let (Some(child), Some(pid)) = (child, pid) {
                    kill_group(*pid);
                    child.wait().map_err(|error| {
                        Error::environment(format!("{component} ({pid}) does not end: {error}"))
                    })?;
                }
                Ok(())
            }
            Self::KindCluster(cluster) => cluster.delete().map(drop),
            Self::Kubeconfig { path, written } => remove_unchanged(path, *written).map(drop),
            Self::Container { run, .. } | Self::Namespace { run, .. } => {
                self.remove_left(run).map(drop)
            }
        }
    }

    /// Removes it after the run `id` that made it has died, and only if it is that run's. Whether
    /// there was anything to remove.
    pub(super) fn remove_left(&self, id: &str) -> Result<bool, Error> {
        match self {
            Self::Folder { path } => {
                let own = path
                    .file_name()
                    .is_some_and(|name| name.to_string_lossy() == format!("podgate-{id}"));
                let there = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
                if own && there {
                    remove_folder(path)?;
                }
                Ok(own && there)
            }
            Self::Process {
                component,
                pid: Some(pid),
                started,
            } => {
                let is_own = |seen: &Seen| Some(seen.started) == *started && seen.belongs_to(id);
                if !Seen::of(*pid).is_some_and(|seen| is_own(&seen)) {
                    return Ok(false);
                }
                kill_group(*pid);
                until_gone(component, *pid, is_own)?;
                Ok(true)
            }
            // Whether it ever started is not known; the mark in its environment finds it.
            Self::Process { pid: None, .. } => Ok(false),
            Self::KindCluster(cluster) => Ok(cluster.name.contains(id) && cluster.delete()?),
            Self::Kubeconfig { path, written } => remove_unchanged(path, *written),
            Self::Container { name, .. } => container::remove(name, id),
            Self::Namespace {
                name,
                context,
                kubeconfig,
                ..
            } => namespace::remove(kubeconfig.as_deref(), context, name, id),
        }
    }
}

/// Kills a process and waits until it is gone; `still` tells it from one that got its id later.
pub(super) fn end_process(pid: u32, still: impl Fn(&Seen) -> bool) -> Result<(), Error> {
    if let Some(raw) = raw(pid) {
        let _ = kill_process(raw, Signal::KILL);
    }
    until_gone("process", pid, still)
}

fn until_gone(component: &str, pid: u32, still: impl Fn(&Seen) -> bool) -> Result<(), Error> {
    let started = Instant::now();
    while Seen::of(pid).is_some_and(|seen| still(&seen)) {
        if started.elapsed() > GONE {
            return Err(Error::environment(format!(
                "{component} ({pid}) was killed and does not end"
            )));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn kill_group(pid: u32) {
    if let Some(pid) = raw(pid) {
        // A group that is gone already is what was wanted.
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

fn raw(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

/// Removes a file that still has the content that was written. Whether there was such a file.
fn remove_unchanged(path: &Path, written: u64) -> Result<bool, Error> {
    let failed = |error: &io::Error| {
        Error::environment(format!("cannot remove {}: {error}", path.display()))
            .hint("podgate clean tries again")
    };
    match fs::read(path) {
        Ok(found) if hash(&found) == written => {
            fs::remove_file(path).map_err(|e| failed(&e))?;
            Ok(true)
        }
        Ok(_) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed(&error)),
    }
}

/// FNV-1a: nothing depends on its strength.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn remove_folder(path: &Path) -> Result<(), Error> {
    // A process that was killed may still be writing its last file.
    let mut tries = 0;
    loop {
        match fs::remove_dir_all(path) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(_) if tries < 20 => {
                tries += 1;
                thread::sleep(Duration::from_millis(25));
            }
            Err(error) => {
                return Err(Error::environment(format!(
                    "cannot remove {}: {error}",
                    path.display()
                ))
                .hint("podgate clean tries again"));
            }
        }
    }
}

/// Makes a folder that nobody else may look into: keys and tokens will lie in it.
pub(super) fn make_private_folder(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .mode(0o700)
        .create(path)
        .map_err(|error| {
            Error::environment(format!(
                "cannot make the folder {}: {error}",
                path.display()
            ))
            .hint("TMPDIR names another place")
        })
}

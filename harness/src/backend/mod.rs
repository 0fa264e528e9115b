//! Where a run's API servers come from.
//!
//! The embedded server is made anew for every cluster and minor, in process. Every other backend is
//! a [`Backend`]: it brings up one real server with the configuration that a cluster file asks for,
//! and says where its kubeconfig lies. All else is the same code for every one of them: the proof
//! that the configuration is in force, objects, scenarios, and the removal of what those made.

pub mod apiserver;
mod audit;
pub mod container;
pub mod context;
pub mod embedded;
pub mod k3s;
pub mod kind;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use podgate_policy::Minor;

pub use audit::AuditLog;

use crate::error::Error;
use crate::lifecycle::Run;
use crate::suite::{Admission, Cluster, Flags};

/// What a backend has to be told.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The folder of the binaries, for `apiserver`.
    pub assets: Option<PathBuf>,
    /// The node image, for `kind`, or the image of `k3s`.
    pub image: Option<String>,
}

/// The backend of that name; `None` for `embedded`.
pub fn named(name: &str, settings: &Settings) -> Result<Option<Box<dyn Backend>>, Error> {
    Ok(match name {
        "embedded" => None,
        "apiserver" => Some(Box::new(apiserver::ApiServer::new(
            settings.assets.as_deref(),
        )?)),
        "kind" => Some(Box::new(kind::Kind::find(settings.image.as_deref())?)),
        "k3s" => Some(Box::new(k3s::K3s::new(settings.image.clone())?)),
        _ => {
            return Err(Error::input(format!("there is no backend `{name}`"))
                .hint("the backends are embedded, apiserver, kind and k3s"));
        }
    })
}

/// Brings up real API servers.
pub trait Backend: Sync {
    /// Its name on the command line: `kind`.
    fn name(&self) -> &'static str;

    /// Whether a server of `minor` can be had here. The error is that of the environment, with a
    /// word on what would be needed; it ends the run only where somebody asked for that minor.
    fn serves(&self, minor: Minor) -> Result<(), Error>;

    /// Whether the server of `minor` can be given all that `cluster` says. A flag or a gate that
    /// cannot be set is an error of the input, and never ignored.
    fn configures(&self, cluster: &Cluster, minor: Minor) -> Result<(), Error>;

    /// How much memory one server takes, in MiB: by it boots go side by side.
    fn memory(&self) -> u64;

    /// Brings up a server and waits until it answers. Whatever it makes on the way is claimed from
    /// `run` first, so that nothing outlives the run, whichever way that ends.
    fn boot(&self, spec: &BootSpec<'_>, run: &Run, watch: &dyn Watch) -> Result<Booted, Error>;
}

/// What is to be booted.
#[derive(Clone, Debug)]
pub struct BootSpec<'a> {
    /// What people call it: `psa-restricted on 1.36`.
    pub title: String,
    /// A name for files, containers and clusters, with no more than letters, digits, dots and
    /// dashes. It is unique within the run, not beyond it.
    pub name: String,
    /// The minor.
    pub minor: Minor,
    /// The clusters that share the server; all ask for the same API server.
    pub clusters: Vec<&'a Cluster>,
}

impl BootSpec<'_> {
    /// The flags of kube-apiserver.
    #[must_use]
    pub fn flags(&self) -> &Flags {
        &self.clusters[0].flags
    }

    /// The `AdmissionConfiguration`.
    #[must_use]
    pub fn admission(&self) -> Option<&Admission> {
        self.clusters[0].admission.as_ref()
    }
}

/// A real server that answers. Dropping it takes it down, unless the run keeps its things.
#[derive(Debug)]
pub struct Booted {
    /// The kubeconfig of the cluster's admin, whose current context is the cluster's. It belongs to
    /// the run alone.
    pub kubeconfig: PathBuf,
    /// What `/version` calls it: `v1.36.2`.
    pub version: String,
    /// Whether a kube-controller-manager runs.
    pub controllers: bool,
    /// The audit log, where it can be read.
    pub audit_log: Option<AuditLog>,
    /// What stands as long as this does.
    pub standing: Box<dyn Standing>,
}

/// The parts of a server that runs.
pub trait Standing: fmt::Debug + Send + Sync {
    /// Tells which part is not running any more, with the last lines that it wrote. A request that
    /// gets no answer is told with it.
    fn check(&self) -> Result<(), Error>;
}

/// Somebody who watches a run.
pub trait Watch: Sync {
    /// Something happened.
    fn event(&self, event: Event<'_>);
}

/// What happens in a run on real servers.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A boot enters a stage: `psa-restricted on 1.36`, `starting etcd`.
    Stage {
        /// The boot's title.
        boot: &'a str,
        /// What it does now.
        stage: &'a str,
    },
    /// A server answers, and has the configuration.
    Booted {
        /// The boot's title.
        boot: &'a str,
        /// What the server calls its version.
        version: &'a str,
        /// How long it took.
        took: Duration,
    },
    /// A scenario ran.
    Cell {
        /// The boot's title.
        boot: &'a str,
        /// How many have run there.
        done: usize,
        /// How many will.
        all: usize,
    },
    /// A server is gone again.
    Ended {
        /// The boot's title.
        boot: &'a str,
        /// How long it stood.
        took: Duration,
    },
    /// A server stays up.
    Kept {
        /// The boot's title.
        boot: &'a str,
        /// How to reach and to remove it.
        reach: &'a str,
    },
    /// Something that is worth a line of its own.
    Note(&'a str),
}

/// Nobody watches.
impl Watch for () {
    fn event(&self, _: Event<'_>) {}
}

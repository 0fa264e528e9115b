//! The order of one request, which decides what error the user sees: decode, default, mutating
//! plugins, name generation, drops and syncs, validation, warnings, validating plugins.

use crate::request::{Request, Response, Source, World};
use podgate_policy::Minor;

/// The configuration of one API server: its minor, its plugins and their configuration, its gates.
#[derive(Clone, Debug)]
pub struct Server {
    minor: Minor,
}

impl Server {
    /// A server of that minor with the flags of a kubeadm cluster and nothing else.
    #[must_use]
    pub fn new(minor: Minor) -> Self {
        Self { minor }
    }

    /// Its minor.
    #[must_use]
    pub fn minor(&self) -> Minor {
        self.minor
    }
}

/// Runs one request through the chain of `server`.
pub fn admit<'a>(
    server: &Server,
    world: &dyn World,
    source: &mut dyn Source,
    request: Request<'a>,
) -> Response<'a> {
    let _ = (server, world, source, request);
    unreachable!("replaced before anything calls it")
}

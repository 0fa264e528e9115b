//! The embedded API server, in process: one per cluster and minor, copied for every scenario.

use kube::Client;
use podgate_admission::chain::Server;
use podgate_apiserver::{ApiServer, Clock, Seeded};
use podgate_policy::Minor;

use crate::error::Error;
use crate::run;
use crate::suite::Cluster;

/// A server with the configuration and the objects of a cluster.
pub struct Boot {
    server: ApiServer,
}

impl Boot {
    /// Configures a server of `minor` as `cluster` says. Its objects are not there yet.
    pub fn new(cluster: &Cluster, minor: Minor) -> Result<Self, Error> {
        // The same seed and clock in every run: what a run made up is redacted all the same.
        let source = Seeded::new(1, Clock::default());
        Ok(Self {
            server: ApiServer::new(cluster.server(minor)?, source),
        })
    }

    /// A client of the server itself.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(self.server.clone(), "default")
    }

    /// A client of a copy of the server: what it changes, nobody else sees.
    #[must_use]
    pub fn fork(&self) -> Client {
        Client::new(self.server.fork(), "default")
    }
}

/// A server that stays, for people and their clients: one of `cluster`, or one with nothing but the
/// defaults of `minor`.
///
/// There is no scenario whose namespace could carry what the cluster file says, so `default` does.
pub async fn stand_alone(
    cluster: Option<&Cluster>,
    minor: Minor,
    source: Seeded,
) -> Result<ApiServer, Error> {
    let Some(cluster) = cluster else {
        return Ok(ApiServer::new(Server::new(minor), source));
    };
    let server = ApiServer::new(cluster.server(minor)?, source);
    let client = Client::new(server.clone(), "default");
    run::prepare(&client, cluster, minor).await?;
    run::prepare_default(&client, cluster, minor).await?;
    Ok(server)
}

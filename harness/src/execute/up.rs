//! One real server for people and their clients: it has the configuration and the objects of a cluster file, and
//! stands until somebody removes it.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use http::Method;
use kube::Client;
use podgate_policy::Minor;

use super::{proof, real};
use crate::backend::{Backend, BootSpec, Booted, Watch};
use crate::error::Error;
use crate::exchange::{Call, Identity, exchange};
use crate::lifecycle::{Run, Thing};
use crate::run::{self, Ground, Target};
use crate::suite::Cluster;

/// A server that stands.
#[derive(Debug)]
pub struct Up {
    /// What `/version` calls it.
    pub version: String,
    /// The kubeconfig of its admin.
    pub kubeconfig: PathBuf,
    /// The server.
    pub booted: Booted,
}

/// Brings up a server of `minor` as `cluster` says, and writes a copy of its kubeconfig where that was asked for.
/// The namespace `default` carries what the namespaces of scenarios do.
pub fn up(
    backend: &dyn Backend,
    cluster: &Cluster,
    minor: Minor,
    kubeconfig: Option<&Path>,
    run: &Run,
    watch: &dyn Watch,
) -> Result<Up, Error> {
    backend.serves(minor)?;
    backend.configures(cluster, minor)?;
    let spec = BootSpec {
        title: format!("{} on {minor}", cluster.name),
        name: run::namespace_name(&minor.to_string(), &cluster.name),
        minor,
        clusters: vec![cluster],
    };
    let booted = backend.boot(&spec, run, watch)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::environment(format!("the runtime does not start: {e}")))?;
    runtime.block_on(async {
        let client = real::client(&booted.kubeconfig).await?;
        run::prepare(&client, cluster, minor).await?;
        let target = Target {
            client: &client,
            minor,
            real: Some(&booted),
            expected: None,
            ground: Ground::Own,
        };
        run::aggregate(target).await?;
        proof::in_force(target, cluster, &spec.title).await?;
        if !booted.controllers {
            default_service_account(&client).await?;
        }
        run::prepare_default(&client, cluster, minor).await
    })?;
    let path = match kubeconfig {
        Some(path) => copy(&booted.kubeconfig, path, run)?,
        None => booted.kubeconfig.clone(),
    };
    Ok(Up {
        version: booted.version.clone(),
        kubeconfig: path,
        booted,
    })
}

/// Makes what a controller would have made: without it no pod of the namespace is admitted.
async fn default_service_account(client: &Client) -> Result<(), Error> {
    const ALREADY_THERE: u16 = 409;
    let call = Call {
        method: Method::POST,
        path: "/api/v1/namespaces/default/serviceaccounts".to_owned(),
        body: Some((
            "application/json",
            br#"{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}"#,
        )),
        identity: &Identity::Admin,
    };
    let answer = exchange(client, call).await?;
    if answer.succeeded() || answer.code == ALREADY_THERE {
        return Ok(());
    }
    Err(Error::environment(format!(
        "the server refuses its default service account: {}",
        answer.message()
    )))
}

/// Refuses a place where a file is already: podgate writes over nobody's kubeconfig.
pub fn refuse_existing(path: &Path) -> Result<(), Error> {
    if path.symlink_metadata().is_ok() {
        return Err(exists(path));
    }
    Ok(())
}

fn exists(path: &Path) -> Error {
    Error::input(format!("{} is there already", path.display()))
        .hint("name another file, or remove that one")
}

/// Copies a kubeconfig to a place of the user's. The copy is the run's, until somebody changes it.
fn copy(from: &Path, to: &Path, run: &Run) -> Result<PathBuf, Error> {
    let failed = |error: &std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => exists(to),
        _ => Error::input(format!("cannot write {}: {error}", to.display())),
    };
    let text = std::fs::read_to_string(from)
        .map_err(|error| Error::environment(format!("cannot read {}: {error}", from.display())))?;
    refuse_existing(to)?;
    let to = std::path::absolute(to).map_err(|e| failed(&e))?;
    let claim = run.claim(Thing::kubeconfig(&to, &text))?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&to)
        .map_err(|e| failed(&e))?;
    file.write_all(text.as_bytes()).map_err(|e| failed(&e))?;
    // It goes with the run: at once where what follows fails, with `podgate down` else.
    std::mem::forget(claim);
    Ok(to)
}

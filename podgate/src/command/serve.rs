//! `podgate serve`: the embedded API server on a socket, until somebody ends it.

mod kubeconfig;
mod signals;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use podgate_apiserver::serve::{self, Listening, Options};
use podgate_apiserver::{Clock, Seeded};
use podgate_harness::backend::embedded;
use podgate_harness::error::Error;
use podgate_harness::suite::{Cluster, Project, Suite};
use podgate_policy::Minor;

use crate::args::ServeArgs;
use crate::exit::Exit;
use crate::show;
use kubeconfig::{KubeconfigFile, refuse_foreign};

pub(crate) fn run(args: &ServeArgs) -> Result<Exit, Error> {
    // Before anything starts: the file is only written at the end.
    if let Some(path) = &args.write_kubeconfig {
        refuse_foreign(path)?;
    }
    let cluster = cluster(args)?;
    let minor = super::minor_of(args.kubernetes.as_deref(), cluster.as_ref())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::environment(format!("the runtime does not start: {error}")))?;
    runtime.block_on(serve(args, cluster.as_ref(), minor))
}

fn cluster(args: &ServeArgs) -> Result<Option<Cluster>, Error> {
    let Some(name) = &args.cluster else {
        return Ok(None);
    };
    let suite = Suite::clusters(&Project::load(Path::new(""))?)?;
    suite.cluster(name).map(Some)
}

async fn serve(args: &ServeArgs, cluster: Option<&Cluster>, minor: Minor) -> Result<Exit, Error> {
    // From here on a signal ends the server and not the process, which has a file to remove.
    let ended = signals::ended()?;
    let server = embedded::stand_alone(cluster, minor, source()).await?;
    let mut options = Options {
        address: args.address,
        ..Options::default()
    };
    if let Some(changes) = args.watch_history {
        options.history = changes;
    }
    let listening = serve::listen(server, options).await.map_err(start_error)?;
    let kubeconfig = KubeconfigFile::write(args.write_kubeconfig.as_deref(), listening.access())?;
    announce(&listening, cluster, minor, kubeconfig.path())?;
    listening.serve(ended).await;
    kubeconfig.remove()?;
    Ok(Exit::Expected)
}

/// Names and uids that differ from one server to the next, and the time of the clock.
fn source() -> Seeded {
    let seed = Timestamp::now().as_nanosecond().unsigned_abs();
    // The lower half changes from one start to the next.
    #[allow(clippy::cast_possible_truncation)]
    let seed = seed as u64;
    let clock = || Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Seeded::new(seed, Clock::Live(Arc::new(clock)))
}

fn start_error(error: serve::Error) -> Error {
    match error {
        serve::Error::Listen { address, source } => {
            Error::environment(format!("cannot listen on {address}: {source}"))
                .hint("--address 127.0.0.1:0 takes a port that is free")
        }
        error => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            Error::environment(format!("{error}{}", cause.unwrap_or_default()))
        }
    }
}

/// Says that the server is ready, in one line for scripts that wait for it; the rest is for people.
fn announce(
    listening: &Listening,
    cluster: Option<&Cluster>,
    minor: Minor,
    kubeconfig: &Path,
) -> Result<(), Error> {
    let url = listening.access().url();
    let kubeconfig = kubeconfig.display();
    show::data(&format!(
        "ready: Kubernetes {minor} at {url}, kubeconfig {kubeconfig}\n"
    ))?;
    if !listening.address().ip().is_loopback() {
        show::note("other machines reach this server too; nobody gets in without its token");
    }
    match cluster {
        Some(cluster) => show::note(&format!(
            "cluster {}; the namespace default carries its labels, other namespaces what you give them",
            cluster.name
        )),
        None => show::note("no cluster file: namespaces carry the labels that you give them"),
    }
    show::note("no scheduler and no kubelet run: workloads make their pods, and pods stay Pending");
    show::note(&format!(
        "export KUBECONFIG={kubeconfig}; Ctrl-C ends the server"
    ));
    Ok(())
}

//! `podgate up`: a disposable real server by hand. It stands until `podgate down`.

use std::path::Path;
use std::time::Instant;

use podgate_harness::error::Error;
use podgate_harness::execute::up::{refuse_existing, up};
use podgate_harness::lifecycle::{Options, Run};
use podgate_harness::suite::{Project, Suite};

use super::servers;
use crate::args::UpArgs;
use crate::exit::Exit;
use crate::show;
use crate::show::progress::Progress;

pub(crate) fn run(args: &UpArgs) -> Result<Exit, Error> {
    // Before anything starts: the file is only written at the end.
    if let Some(path) = &args.write_kubeconfig {
        refuse_existing(path)?;
    }
    let suite = Suite::clusters(&Project::load(Path::new(""))?)?;
    let cluster = suite.cluster(&args.cluster)?;
    let minor = super::minor_of(args.kubernetes.as_deref(), Some(&cluster))?;
    let backend = servers::backend(args.backend, args.assets.as_deref(), args.image.as_deref())?
        .ok_or_else(|| {
            Error::input("the embedded server and an existing cluster are none that are brought up")
                .hint("podgate serve is the embedded server")
        })?;
    let options = Options {
        keep: true,
        logs: args.logs.clone(),
    };
    let started = Instant::now();
    let run = Run::start(&options)?;
    let progress = Progress::new();
    let up = up(
        backend.as_ref(),
        &cluster,
        minor,
        args.write_kubeconfig.as_deref(),
        &run,
        &progress,
    );
    progress.end();
    let up = up?;
    let name = run.id();
    let kubeconfig = up.kubeconfig.display();
    run.keep(&format!(
        "kubectl --kubeconfig {kubeconfig}; podgate down {name} removes it"
    ))?;
    let took = started.elapsed().as_secs();
    show::data(&format!(
        "ready: {name}, Kubernetes {} in {took} s, kubeconfig {kubeconfig}\n",
        up.version
    ))?;
    show::note(&format!(
        "cluster {}; the namespace default carries its labels, other namespaces what you give them",
        cluster.name
    ));
    if !up.booted.controllers {
        show::note(
            "no kube-controller-manager runs: only default has its service account, and workloads make no pods",
        );
    }
    show::note(&format!(
        "export KUBECONFIG={kubeconfig}; podgate down {name} takes it down"
    ));
    Ok(Exit::Expected)
}

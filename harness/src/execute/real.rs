//! Executes a plan on real servers: boots side by side, the scenarios of a boot one after the other.
//!
//! The scenarios of a boot share one server, so what one of them made is removed before the next
//! is judged.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use podgate_policy::Minor;
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use super::{CellResult, Results, proof};
use crate::backend::embedded::Boot as Embedded;
use crate::backend::{Backend, BootSpec, Booted, Event, Watch};
use crate::error::Error;
use crate::expect::{self, Unmet};
use crate::lifecycle::Run;
use crate::plan::{Boot, Job, Plan};
use crate::run::{self, Ground, ScenarioRun, Target};
use crate::suite::{Cluster, Scenario};

/// Executes `plan` on servers that `backend` brings up, at most `parallel` at a time; by default as
/// many as there are cores, and as fit into the memory that is free.
///
/// A server that does not come up, or that fails on the way, does not keep the others from their
/// scenarios: its error is among [`Results::failed`].
#[must_use]
pub fn execute(
    plan: &Plan,
    backend: &dyn Backend,
    run: &Run,
    parallel: Option<NonZero<usize>>,
    watch: &dyn Watch,
) -> Results {
    let boots = plan.boots();
    let parallel = parallel.unwrap_or_else(|| side_by_side(backend.memory()));
    let next = AtomicUsize::new(0);
    let ended: Mutex<BTreeMap<usize, Ended>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..parallel.get().min(boots.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(boot) = boots.get(at) else { break };
                    let result = run_boot(plan, boot, backend, run, watch);
                    let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
                    ended.insert(at, result);
                }
            });
        }
    });
    let mut results = Results::default();
    for (at, result) in ended.into_inner().unwrap_or_else(PoisonError::into_inner) {
        match result {
            Ok((version, cells)) => {
                results.versions.insert(boots[at].minor, version);
                for (job, scenario, cell) in cells {
                    let job = &plan.jobs[job];
                    let cells = results.cells.entry((job.cluster, scenario)).or_default();
                    cells.insert(job.minor, cell);
                }
            }
            Err(error) => results.failed.push((plan.spec(&boots[at]).title, error)),
        }
    }
    results
}

/// Jobs and scenarios (indexes into the plan) with what came of them.
type Cells = Vec<(usize, usize, CellResult)>;

/// What a server calls its version, and what it answered.
type Ended = Result<(String, Cells), Error>;

fn run_boot(
    plan: &Plan,
    boot: &Boot,
    backend: &dyn Backend,
    run: &Run,
    watch: &dyn Watch,
) -> Ended {
    let spec = plan.spec(boot);
    let started = Instant::now();
    let booted = backend.boot(&spec, run, watch)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::environment(format!("the runtime does not start: {e}")))?;
    let cells = runtime.block_on(async {
        let client = client(&booted.kubeconfig).await?;
        watch.event(Event::Booted {
            boot: &spec.title,
            version: &booted.version,
            took: started.elapsed(),
        });
        run_jobs(plan, boot, &spec, &booted, &client, watch).await
    });
    // Where a part of the server has died, that is why a request got no answer.
    let cells = cells.map_err(|error| match booted.standing.check() {
        Err(cause) => cause,
        Ok(()) => error,
    })?;
    let title = &spec.title;
    if run.keeps() {
        let kubeconfig = booted.kubeconfig.display();
        let id = run.id();
        let reach = format!("kubectl --kubeconfig {kubeconfig}; podgate clean {id} removes it");
        run.keep(&reach)?;
        watch.event(Event::Kept {
            boot: title,
            reach: &reach,
        });
    }
    let version = booted.version.clone();
    drop(booted);
    if !run.keeps() {
        watch.event(Event::Ended {
            boot: title,
            took: started.elapsed(),
        });
    }
    Ok((version, cells))
}

async fn run_jobs(
    plan: &Plan,
    boot: &Boot,
    spec: &BootSpec<'_>,
    booted: &Booted,
    client: &Client,
    watch: &dyn Watch,
) -> Result<Cells, Error> {
    let jobs: Vec<(usize, &Job)> = boot.jobs.iter().map(|at| (*at, &plan.jobs[*at])).collect();
    let all = jobs.iter().map(|(_, job)| job.scenarios.len()).sum();
    let mut cells = Vec::with_capacity(all);
    for (at, job) in jobs {
        let cluster = &plan.clusters[job.cluster];
        let target = Target {
            client,
            minor: job.minor,
            real: Some(booted),
            expected: None,
            ground: Ground::Own,
        };
        run::prepare(client, cluster, job.minor).await?;
        run::aggregate(target).await?;
        let embedded = Embedded::new(cluster, job.minor)?;
        run::prepare(&embedded.client(), cluster, job.minor).await?;
        proof::in_force(target, cluster, &spec.title).await?;
        for &scenario_at in &job.scenarios {
            let scenario = &plan.scenarios[scenario_at];
            let copy = embedded.fork();
            let expected = run::run(Target::embedded(&copy, job.minor), cluster, scenario).await?;
            let target = Target {
                expected: Some(&expected.outcomes),
                ..target
            };
            let run = run::run(target, cluster, scenario).await?;
            run::clear(target, cluster, scenario, &run).await?;
            let unmet = unmet(cluster, scenario, job.minor, &run);
            cells.push((at, scenario_at, CellResult { run, unmet }));
            watch.event(Event::Cell {
                boot: &spec.title,
                done: cells.len(),
                all,
            });
        }
    }
    Ok(cells)
}

/// What does not hold of a run: expectations, and what controllers did otherwise.
pub(crate) fn unmet(
    cluster: &Cluster,
    scenario: &Scenario,
    minor: Minor,
    run: &ScenarioRun,
) -> Vec<Unmet> {
    let mut unmet = expect::unmet(scenario, cluster, minor, &run.outcomes);
    unmet.extend(run.disagreements.iter().map(|(object, message)| Unmet {
        place: scenario.file.display().to_string(),
        object: object.clone(),
        message: message.clone(),
    }));
    unmet
}

/// A client of the current context of a kubeconfig; no other file and no variable is looked at.
pub async fn client(kubeconfig: &Path) -> Result<Client, Error> {
    let failed = |what: &dyn std::fmt::Display| {
        Error::environment(format!("{}: {what}", kubeconfig.display()))
    };
    let file = Kubeconfig::read_from(kubeconfig).map_err(|e| failed(&e))?;
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(file, &options).await;
    let mut config = config.map_err(|e| failed(&e))?;
    // The servers of a run are on this machine.
    config.proxy_url = None;
    Client::try_from(config).map_err(|e| failed(&e))
}

/// How many boots of so many MiB go side by side.
#[must_use]
pub fn side_by_side(memory: u64) -> NonZero<usize> {
    let cores = thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let what = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let Ok(system) = System::new_with_specifics(what) else {
        return NonZero::<usize>::MIN;
    };
    let free = system.available_memory() / (1024 * 1024);
    let fit = usize::try_from(free / memory.max(1)).unwrap_or(usize::MAX);
    NonZero::new(cores.get().min(fit)).unwrap_or(NonZero::<usize>::MIN)
}

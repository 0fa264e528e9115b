//! Executes a plan on the embedded server, or in [`real`] on real ones: jobs side by side, one current-thread runtime per core, each with servers of
//! its own. (A request in process costs about ten times as much on a multi-thread runtime.)

mod proof;
pub mod real;
pub mod up;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use podgate_policy::Minor;

use crate::backend::embedded::Boot;
use crate::error::Error;
use crate::expect::{self, Unmet};
use crate::plan::{Job, Plan};
use crate::run::{self, ScenarioRun, Target};

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Results {
    /// By cluster and scenario (indexes into the plan): the cells by minor.
    pub cells: BTreeMap<(usize, usize), BTreeMap<Minor, CellResult>>,
    /// What the real servers call their versions, by minor: `v1.36.2`.
    pub versions: BTreeMap<Minor, String>,
    /// Real servers that failed, by their titles: their cells are not there.
    pub failed: Vec<(String, Error)>,
}

/// What came of one scenario on one cluster at one minor.
#[derive(Clone, Debug)]
pub struct CellResult {
    /// The outcomes and what was not judged.
    pub run: ScenarioRun,
    /// Expectations that do not hold.
    pub unmet: Vec<Unmet>,
}

/// Executes `plan` on the embedded server. The first error ends the run: it is the user's input or
/// the environment that is at fault, never a verdict.
pub fn execute(plan: &Plan) -> Result<Results, Error> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Results::default());
    let failure: Mutex<Option<(usize, Error)>> = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..cores.min(plan.jobs.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = plan.jobs.get(at) else { break };
                    match run_job(plan, job) {
                        Ok(cells) => {
                            let mut results =
                                results.lock().unwrap_or_else(PoisonError::into_inner);
                            for (scenario, cell) in cells {
                                let cells =
                                    results.cells.entry((job.cluster, scenario)).or_default();
                                cells.insert(job.minor, cell);
                            }
                        }
                        Err(error) => {
                            // Which error is told must not depend on the threads: the first job's.
                            let mut failure =
                                failure.lock().unwrap_or_else(PoisonError::into_inner);
                            if failure.as_ref().is_none_or(|(earlier, _)| at < *earlier) {
                                *failure = Some((at, error));
                            }
                            break;
                        }
                    }
                }
            });
        }
    });
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some((_, error)) => Err(error),
        None => Ok(results.into_inner().unwrap_or_else(PoisonError::into_inner)),
    }
}

fn run_job(plan: &Plan, job: &Job) -> Result<Vec<(usize, CellResult)>, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|e| Error::environment(format!("the runtime does not start: {e}")))?;
    runtime.block_on(async {
        let cluster = &plan.clusters[job.cluster];
        let boot = Boot::new(cluster, job.minor)?;
        run::prepare(&boot.client(), cluster, job.minor).await?;
        let mut cells = Vec::with_capacity(job.scenarios.len());
        for &at in &job.scenarios {
            let scenario = &plan.scenarios[at];
            let run =
                run::run(Target::embedded(&boot.fork(), job.minor), cluster, scenario).await?;
            let unmet = expect::unmet(scenario, cluster, job.minor, &run.outcomes);
            cells.push((at, CellResult { run, unmet }));
        }
        Ok(cells)
    })
}

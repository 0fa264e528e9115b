//! Tries a suite on servers that judge by slightly wrong rules. A suite that is worth something
//! notices each: an outcome or an expectation comes out differently somewhere.
//!
//! The wrong rules are data ([`podgate_policy::rules`]), so all of them are tried in one process.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use podgate_admission::plugins::Plugin;
use podgate_policy::Minor;
use podgate_policy::rules::{Mutant, mutants};

use crate::error::Error;
use crate::execute::{self, Results};
use crate::plan::Plan;
use crate::suite::Cluster;

/// What became of one mutant.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The mutant.
    pub mutant: Mutant,
    /// Where it was noticed first; `None` where the suite takes it for upstream.
    pub noticed: Option<Noticed>,
}

/// A cell in which a mutant was noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noticed {
    /// The cluster.
    pub cluster: String,
    /// The minor.
    pub minor: Minor,
    /// The scenario.
    pub scenario: String,
}

/// Tries every mutant on the suite of `plan`, in the order of [`mutants`].
pub fn run(plan: &Plan) -> Result<Vec<Tried>, Error> {
    let upstream = execute::execute(plan)?;
    // One job each, so that a mutant is done with at the first difference.
    let jobs: Vec<Plan> = plan.jobs.iter().map(|job| alone(plan, job)).collect();
    let mutants = mutants();
    let next = AtomicUsize::new(0);
    // The job that noticed most so far is asked first.
    let catches: Vec<AtomicUsize> = jobs.iter().map(|_| AtomicUsize::new(0)).collect();
    let tried: Mutex<Vec<(usize, Result<Tried, Error>)>> = Mutex::new(Vec::new());
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(mutant) = mutants.get(at) else { break };
                    let result = try_one(plan, &upstream, &jobs, &catches, mutant);
                    let mut tried = tried.lock().unwrap_or_else(PoisonError::into_inner);
                    tried.push((at, result));
                }
            });
        }
    });
    let mut tried = tried.into_inner().unwrap_or_else(PoisonError::into_inner);
    tried.sort_by_key(|(at, _)| *at);
    tried.into_iter().map(|(_, result)| result).collect()
}

/// Whether a server of the cluster asks that plugin anything.
fn has_plugin(cluster: &Cluster, minor: Minor, plugin: &str) -> bool {
    let plugin = Plugin::by_name(plugin);
    let server = cluster.server(minor);
    plugin.is_some_and(|plugin| server.is_ok_and(|server| server.has(plugin)))
}

/// A plan of one job.
fn alone(plan: &Plan, job: &crate::plan::Job) -> Plan {
    let mut plan = Plan {
        clusters: vec![plan.clusters[job.cluster].clone()],
        scenarios: job
            .scenarios
            .iter()
            .map(|at| plan.scenarios[*at].clone())
            .collect(),
        jobs: vec![job.clone()],
        not_applicable: Vec::new(),
    };
    let scenarios = plan.scenarios.len();
    plan.jobs[0].cluster = 0;
    plan.jobs[0].scenarios = (0..scenarios).collect();
    plan
}

fn try_one(
    plan: &Plan,
    upstream: &Results,
    jobs: &[Plan],
    catches: &[AtomicUsize],
    mutant: &Mutant,
) -> Result<Tried, Error> {
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.retain(|at| {
        has_plugin(
            &plan.clusters[plan.jobs[*at].cluster],
            plan.jobs[*at].minor,
            mutant.plugin,
        )
    });
    order.sort_by_key(|at| std::cmp::Reverse(catches[*at].load(Ordering::Relaxed)));
    let mut noticed = None;
    for at in order {
        let mut changed = jobs[at].clone();
        changed.clusters[0].rules = mutant.rules;
        let results = execute::execute(&changed)?;
        let job = &plan.jobs[at];
        noticed = difference(&results, upstream, job).map(|scenario| Noticed {
            cluster: plan.clusters[job.cluster].name.clone(),
            minor: job.minor,
            scenario: plan.scenarios[scenario].id.clone(),
        });
        if noticed.is_some() {
            catches[at].fetch_add(1, Ordering::Relaxed);
            break;
        }
    }
    Ok(Tried {
        mutant: mutant.clone(),
        noticed,
    })
}

/// The first scenario of a job that came out otherwise, by its index in the whole plan.
fn difference(results: &Results, upstream: &Results, job: &crate::plan::Job) -> Option<usize> {
    let scenarios = job.scenarios.iter().enumerate();
    scenarios
        .map(|(at, scenario)| (at, *scenario))
        .find_map(|(at, scenario)| {
            let changed = results.cells.get(&(0, at))?.get(&job.minor)?;
            let known = upstream
                .cells
                .get(&(job.cluster, scenario))?
                .get(&job.minor)?;
            let same = known.run.outcomes == changed.run.outcomes && known.unmet == changed.unmet;
            (!same).then_some(scenario)
        })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::plan::Selection;
    use crate::suite::{Project, Suite};

    /// A suite with one privileged pod notices that nobody looks for privileged pods any more, and
    /// that baseline asks for what this pod leaves out; nothing about sysctls.
    #[test]
    fn what_a_suite_asks_is_what_it_notices() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "clusters/c.yaml",
            "apiVersion: podgate.dev/v1alpha1\nkind: Cluster\nmetadata: {name: c}\nspec:\n  kubernetes: \"1.36\"\n  \
             namespace: {labels: {pod-security.kubernetes.io/enforce: baseline}}\n",
        );
        write(
            "scenarios/s.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers: [{name: c, image: i, securityContext: {privileged: true}}]\n",
        );
        let suite = Suite::load(&Project::load(folder.path()).unwrap()).unwrap();
        let plan = Plan::new(&suite, &Selection::default()).unwrap();
        let tried = run(&plan).unwrap();
        let noticed: Vec<&str> = tried
            .iter()
            .filter(|it| it.noticed.is_some())
            .map(|it| it.mutant.name.as_str())
            .collect();
        assert_eq!(
            noticed,
            [
                "privileged: dropped",
                "privileged: moved to restricted",
                "allowPrivilegeEscalation: moved to baseline",
                "capabilities_restricted: moved to baseline",
                "runAsNonRoot: moved to baseline",
                "seccompProfile_restricted: moved to baseline",
            ]
        );
        let first = tried.iter().find_map(|it| it.noticed.as_ref()).unwrap();
        assert_eq!(
            (first.cluster.as_str(), first.scenario.as_str()),
            ("c", "s")
        );
    }
}

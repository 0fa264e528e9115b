//! An existing cluster, reached through a context that the user named. It was there before the run
//! and is there after it, so nothing is written: what scenarios apply is a dry run in namespaces that
//! exist, under their own labels. Only where writes are allowed does a scenario get a namespace of its
//! own, which is removed again.
//!
//! The configuration of such a server is not podgate's, and its flags cannot be seen. What it answers
//! is held against the snapshots of the cluster file that it is said to be.

mod access;
mod dry_run;
mod kubeconfig;
pub(crate) mod namespace;
mod preflight;

use std::path::{Path, PathBuf};

use http::Method;
use kube::client::ClientBuilder;
use kube::{Client, Config};
use podgate_policy::Minor;
use tokio::runtime::Runtime;
use tower::BoxError;
use tower::filter::FilterLayer;
use tower::util::BoxService;

use super::embedded::Boot as Embedded;
use super::{Booted, Event, Standing, Watch};
use crate::error::{Error, causes};
use crate::exchange::{Answer, Call, Identity, exchange};
use crate::execute::{CellResult, Results, real};
use crate::lifecycle::{Run, Thing};
use crate::plan::{NotApplicable, Plan};
use crate::run::{self, Ground, ScenarioRun, Target};
use crate::suite::{Cluster, Scenario};

/// Which cluster, and what may be done to it.
#[derive(Debug)]
pub struct Options {
    /// The name of the context.
    pub context: String,
    /// The kubeconfig; `None`: the files that `KUBECONFIG` names, or `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// What may be done there.
    pub writes: Writes,
}

/// What may be done to an existing cluster.
#[derive(Debug)]
pub enum Writes {
    /// Dry runs in these namespaces, and nothing else. A scenario that names no namespace runs in the
    /// first; there is at least one.
    DryRun(Vec<String>),
    /// Each scenario has a namespace of its own, which carries the id of this run and goes with it.
    OwnNamespaces(Run),
}

/// An existing cluster that is only read: no other request than a GET leaves this process.
pub(crate) struct Reader {
    pub(crate) runtime: Runtime,
    pub(crate) client: Client,
    pub(crate) minor: Minor,
    /// What the server calls its version: `v1.36.2`.
    pub(crate) version: String,
}

impl Reader {
    /// Reaches the cluster of the context `name`, and asks for its version.
    pub(crate) fn open(file: Option<&Path>, name: &str) -> Result<Self, Error> {
        let runtime = runtime()?;
        let (client, minor, version) = runtime.block_on(async {
            let config = kubeconfig::configuration(file, name).await?;
            let server = config.cluster_url.to_string();
            let filter = FilterLayer::new(dry_run::only_reads);
            let client = builder(config, name)?.with_layer(&filter).build();
            let (minor, version) = preflight::version(&client, name, &server).await?;
            Ok::<_, Error>((client, minor, version))
        })?;
        Ok(Self {
            runtime,
            client,
            minor,
            version,
        })
    }
}

fn runtime() -> Result<Runtime, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::environment(format!("the runtime does not start: {e}")))
}

/// An existing cluster that answers.
pub struct Context {
    runtime: Runtime,
    client: Client,
    options: Options,
    minor: Minor,
    server: Booted,
}

/// An existing cluster stands without podgate.
#[derive(Debug)]
struct Elsewhere;

impl Standing for Elsewhere {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }
}

impl Context {
    /// Reaches the cluster, and asks for its version.
    pub fn open(options: Options) -> Result<Self, Error> {
        let runtime = runtime()?;
        let (name, file) = (&options.context, options.kubeconfig.as_deref());
        let (client, minor, version) = runtime.block_on(async {
            let config = kubeconfig::configuration(file, name).await?;
            let server = config.cluster_url.to_string();
            let client = client(config, name, &options.writes)?;
            let (minor, version) = preflight::version(&client, name, &server).await?;
            Ok::<_, Error>((client, minor, version))
        })?;
        Ok(Self {
            runtime,
            client,
            minor,
            server: Booted {
                kubeconfig: options.kubeconfig.clone().unwrap_or_default(),
                version,
                // A dry run leaves nothing to controllers.
                controllers: matches!(options.writes, Writes::OwnNamespaces(_)),
                audit_log: None,
                standing: Box::new(Elsewhere),
            },
            options,
        })
    }

    /// The name of the context.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.options.context
    }

    /// The minor that runs there.
    #[must_use]
    pub const fn minor(&self) -> Minor {
        self.minor
    }

    /// What the server calls its version: `v1.36.2`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.server.version
    }

    /// Takes out the scenarios that dry runs in the given namespaces can say nothing about: those that
    /// choose another namespace, or what their namespace enforces.
    pub fn narrow(&self, plan: &mut Plan) {
        let Writes::DryRun(namespaces) = &self.options.writes else {
            return;
        };
        for (at, scenario) in plan.scenarios.iter().enumerate() {
            let Some(lacking) = lacking(scenario, namespaces) else {
                continue;
            };
            for job in &mut plan.jobs {
                let before = job.scenarios.len();
                job.scenarios.retain(|scenario| *scenario != at);
                if job.scenarios.len() < before {
                    plan.not_applicable.push(NotApplicable {
                        cluster: plan.clusters[job.cluster].name.clone(),
                        scenario: Some(scenario.id.clone()),
                        minors: vec![job.minor],
                        cells: 1,
                        lacking: Some(lacking.clone()),
                    });
                }
            }
        }
        plan.jobs.retain(|job| !job.scenarios.is_empty());
    }

    /// Whether all is there that the scenarios need: namespaces, permissions, the objects of the
    /// cluster file. Returned is what is worth knowing but keeps nobody from asking, a sentence each.
    pub fn check(&self, plan: &Plan) -> Result<Vec<String>, Error> {
        let mut notes = Vec::new();
        for job in &plan.jobs {
            let cluster = &plan.clusters[job.cluster];
            let scenarios: Vec<&Scenario> = job
                .scenarios
                .iter()
                .map(|at| &plan.scenarios[*at])
                .collect();
            let found = preflight::check(self, cluster, &scenarios);
            notes.extend(self.runtime.block_on(found)?);
        }
        Ok(notes)
    }

    /// Runs the scenarios of `plan` there, one after the other.
    pub fn execute(&self, plan: &Plan, watch: &dyn Watch) -> Result<Results, Error> {
        let mut results = Results::default();
        let all = plan.cells();
        let mut done = 0;
        for job in &plan.jobs {
            let cluster = &plan.clusters[job.cluster];
            for &at in &job.scenarios {
                let scenario = &plan.scenarios[at];
                let run = self.runtime.block_on(self.run(cluster, scenario))?;
                let unmet = real::unmet(cluster, scenario, job.minor, &run);
                let cells = results.cells.entry((job.cluster, at)).or_default();
                cells.insert(job.minor, CellResult { run, unmet });
                done += 1;
                watch.event(Event::Cell {
                    boot: &self.options.context,
                    done,
                    all,
                });
            }
        }
        Ok(results)
    }

    async fn run(&self, cluster: &Cluster, scenario: &Scenario) -> Result<ScenarioRun, Error> {
        let mut target = Target {
            client: &self.client,
            minor: self.minor,
            real: Some(&self.server),
            expected: None,
            ground: Ground::Own,
        };
        match &self.options.writes {
            Writes::DryRun(namespaces) => {
                target.ground = Ground::DryRun(namespaces);
                run::run(target, cluster, scenario).await
            }
            Writes::OwnNamespaces(run) => {
                target.ground = Ground::Guest(run.id());
                // Informers there lag behind what a step changes: what is to come is known from the
                // embedded server, and waited for.
                let embedded = Embedded::new(cluster, self.minor)?;
                run::prepare(&embedded.client(), cluster, self.minor).await?;
                let here = embedded.client();
                let here = Target::embedded(&here, self.minor);
                let expected = run::run(here, cluster, scenario).await?;
                target.expected = Some(&expected.outcomes);
                let claim = run.claim(Thing::Namespace {
                    name: target.namespace(cluster, scenario),
                    run: run.id().to_owned(),
                    context: self.options.context.clone(),
                    kubeconfig: self.options.kubeconfig.clone(),
                })?;
                let result = run::run(target, cluster, scenario).await;
                if let Ok(result) = &result
                    && !run.keeps()
                {
                    run::clear(target, cluster, scenario, result).await?;
                }
                drop(claim);
                result
            }
        }
    }

    async fn get(&self, path: String) -> Result<Answer, Error> {
        let call = Call {
            method: Method::GET,
            path,
            body: None,
            identity: &Identity::Admin,
        };
        exchange(&self.client, call).await
    }
}

/// The labels and annotations by which a namespace says what it enforces.
const POD_SECURITY: &str = "pod-security.kubernetes.io/";

/// Why a scenario is not one for dry runs in `namespaces`, where it is not.
fn lacking(scenario: &Scenario, namespaces: &[String]) -> Option<String> {
    let own = &scenario.namespace;
    if let Some(chosen) = own
        .name
        .as_ref()
        .filter(|chosen| !namespaces.contains(chosen))
    {
        return Some(format!(
            "it is for the namespace {chosen}, which -n does not name"
        ));
    }
    let label = own
        .labels
        .keys()
        .find(|key| key.starts_with(POD_SECURITY))?;
    Some(format!(
        "it sets {label} on its namespace; --allow-writes makes it one"
    ))
}

/// A client of the context; where nothing may be written, one that cannot write.
fn client(config: Config, name: &str, writes: &Writes) -> Result<Client, Error> {
    let builder = builder(config, name)?;
    Ok(match writes {
        Writes::DryRun(_) => {
            let filter = FilterLayer::new(dry_run::only_dry_runs);
            builder.with_layer(&filter).build()
        }
        Writes::OwnNamespaces(_) => builder.build(),
    })
}

/// What a client of the named context sends its requests to.
type Stack = BoxService<
    http::Request<kube::client::Body>,
    http::Response<Box<kube::client::DynBody>>,
    BoxError,
>;

fn builder(mut config: Config, name: &str) -> Result<ClientBuilder<Stack>, Error> {
    // An answer is an outcome, whatever it says: nothing is asked twice.
    config.default_retry = false;
    ClientBuilder::try_from(config).map_err(|error| {
        Error::environment(format!(
            "context `{name}` cannot be used: {}",
            causes(&error)
        ))
        .hint("the certificates, the token or the command in the kubeconfig are wrong")
    })
}

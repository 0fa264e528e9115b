//! podgate's own image in a real Docker engine, through testcontainers: the scenarios of the suite run
//! against `podgate serve` in containers, with the runner and the snapshots of every other backend.
//!
//! The containers are those of the k3s backend: its files, its flags, its port, its kubeconfig. Only
//! the image is podgate's, so the flags are handed on in a cluster file. What k3s itself makes of them
//! is not shown here.
//!
//! `PODGATE_IMAGE` names the image (`cargo xtask image` builds it); without it these tests are left out.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use podgate_harness::backend::container::{self, Spec};
use podgate_harness::backend::k3s::K3s;
use podgate_harness::backend::{Backend, BootSpec, Booted, Event, Watch};
use podgate_harness::error::{Error, ErrorKind};
use podgate_harness::execute::real;
use podgate_harness::lifecycle::{self, Run};
use podgate_harness::plan::{Plan, Selection};
use podgate_harness::report;
use podgate_harness::snapshot::{Store, Writing};
use podgate_harness::suite::{Cluster, Project, Suite};
use podgate_policy::Minor;
use testcontainers::bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
};
use testcontainers::bollard::{Docker, models::ContainerCreateBody};

/// Before and after `PodSecurityPolicy`.
const MINORS: [&str; 2] = ["1.24", "1.36"];

/// The image under test; `None`, said loudly, where nobody named one.
fn image() -> Option<String> {
    let image = std::env::var("PODGATE_IMAGE").ok();
    if image.is_none() {
        // Not through a macro of the standard library: tests hide what those print.
        let _ = writeln!(
            std::io::stderr(),
            "LEFT OUT: podgate in a container (PODGATE_IMAGE is not set; `cargo xtask image` builds the image)"
        );
    }
    image
}

/// podgate's image in the place of k3s.
struct InsteadOfK3s(K3s);

impl InsteadOfK3s {
    fn new(image: &str) -> Self {
        Self(K3s::new(Some(image.to_owned())).unwrap_or_else(|error| panic!("{error}")))
    }

    /// The container of k3s, with podgate's flags in the place of its own.
    fn container(&self, spec: &BootSpec<'_>) -> Result<Spec, Error> {
        let mut container = self.0.container(spec)?;
        let cluster = cluster_file(&container.arguments, spec.minor);
        container
            .files
            .push(("/etc/podgate/cluster.yaml".to_owned(), cluster));
        container.component = "podgate";
        container.kubeconfig = String::from("/run/podgate/kubeconfig");
        container.arguments = ["--cluster", "/etc/podgate/cluster.yaml"]
            .map(str::to_owned)
            .to_vec();
        container.patience = Duration::from_secs(30);
        Ok(container)
    }
}

/// The cluster file that says what k3s would have been told.
fn cluster_file(arguments: &[String], minor: Minor) -> String {
    let flags: HashMap<&str, &str> = arguments
        .iter()
        .filter_map(|argument| {
            argument
                .strip_prefix("--kube-apiserver-arg=")?
                .split_once('=')
        })
        .collect();
    let list = |flag: &str| {
        let names = flags.get(flag).copied().unwrap_or_default();
        names
            .split(',')
            .filter(|name| !name.is_empty())
            .collect::<Vec<&str>>()
    };
    let gates: serde_json::Map<String, serde_json::Value> = list("feature-gates")
        .iter()
        .filter_map(|gate| gate.split_once('='))
        .map(|(gate, on)| (gate.to_owned(), (on == "true").into()))
        .collect();
    serde_json::json!({
        "apiVersion": "podgate.dev/v1alpha1",
        "kind": "Cluster",
        "metadata": {"name": "instead-of-k3s"},
        "spec": {
            "kubernetes": minor.to_string(),
            "apiServer": {
                "enableAdmissionPlugins": list("enable-admission-plugins"),
                "disableAdmissionPlugins": list("disable-admission-plugins"),
                "featureGates": gates,
                "admissionControlConfigFile": flags.get("admission-control-config-file"),
            },
        },
    })
    .to_string()
}

impl Backend for InsteadOfK3s {
    fn name(&self) -> &'static str {
        "podgate in a container"
    }

    fn serves(&self, minor: Minor) -> Result<(), Error> {
        self.0.serves(minor)
    }

    fn configures(&self, cluster: &Cluster, minor: Minor) -> Result<(), Error> {
        self.0.configures(cluster, minor)
    }

    fn memory(&self) -> u64 {
        64
    }

    fn boot(&self, spec: &BootSpec<'_>, run: &Run, watch: &dyn Watch) -> Result<Booted, Error> {
        container::boot(&self.container(spec)?, spec, run, watch)
    }
}

/// Notes how long each boot took.
#[derive(Default)]
struct Times(Mutex<Vec<(String, Duration)>>);

impl Watch for Times {
    fn event(&self, event: Event<'_>) {
        if let Event::Booted { boot, took, .. } = event {
            self.0
                .lock()
                .expect("no panic")
                .push((boot.to_owned(), took));
        }
    }
}

fn suite() -> Suite {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let project = Project::load(&root).unwrap_or_else(|error| panic!("{error}"));
    Suite::load(&project).unwrap_or_else(|error| panic!("{error}"))
}

fn run() -> Run {
    Run::start(&lifecycle::Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// The containers that carry the id of a run, be they up or not.
fn containers(run: &str) -> usize {
    docker(async |docker| {
        let label = HashMap::from([("label", vec![format!("podgate.dev/run={run}")])]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&label);
        docker
            .list_containers(Some(options.build()))
            .await
            .expect("a list")
            .len()
    })
}

fn docker<T>(ask: impl AsyncFnOnce(Docker) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let docker = testcontainers::core::client::docker_client_instance().await;
        ask(docker.expect("an engine")).await
    })
}

#[test]
fn the_suite_holds_in_containers() {
    let Some(image) = image() else { return };
    let suite = suite();
    let backend = InsteadOfK3s::new(&image);
    let times = Times::default();
    for minor in MINORS {
        let run = run();
        let id = run.id().to_owned();
        let is_for = |cluster: &&Cluster| cluster.minors.iter().any(|m| m.to_string() == minor);
        let clusters = suite.clusters.iter().filter(is_for);
        let selection = Selection {
            clusters: clusters.map(|cluster| cluster.name.clone()).collect(),
            kubernetes: Some(minor.parse().expect("a version")),
            ..Selection::default()
        };
        let plan = Plan::new(&suite, &selection).unwrap_or_else(|error| panic!("{error}"));
        assert!(plan.cells() > 0);
        let results = real::execute(&plan, &backend, &run, None, &times);
        assert!(results.failed.is_empty(), "{:?}", results.failed);
        let store = Store::new(&suite.snapshots, Writing::Forbidden);
        let report = report::report(&suite, &plan, &results, &store, false);
        let report = report.unwrap_or_else(|error| panic!("{error}"));
        let cells: usize = report.entries.iter().map(|entry| entry.cells).sum();
        assert_eq!(cells, plan.cells(), "every cell ran");
        for entry in &report.entries {
            let path = entry.path.display();
            assert!(
                entry.comparison.agrees(),
                "{path}: {:?}",
                entry.comparison.changes
            );
            assert!(entry.unmet.is_empty() && entry.undecided == 0, "{path}");
        }
        drop(run);
        assert_eq!(containers(&id), 0, "the containers of the run are gone");
    }
    for (boot, took) in times.0.into_inner().expect("no panic") {
        let _ = writeln!(std::io::stderr(), "{boot}: ready after {took:.2?}");
    }
}

/// One boot of a cluster of the suite.
fn boot(run: &Run, change: impl FnOnce(&mut Spec), image: &str) -> Result<Booted, Error> {
    let suite = suite();
    let restricted = suite
        .clusters
        .iter()
        .find(|cluster| cluster.name == "psa-restricted");
    let spec = BootSpec {
        title: "a boot".to_owned(),
        name: "boot".to_owned(),
        minor: Minor::NEWEST,
        clusters: vec![restricted.expect("a cluster for every minor with Pod Security")],
    };
    let mut container = InsteadOfK3s::new(image).container(&spec)?;
    change(&mut container);
    container::boot(&container, &spec, run, &())
}

#[track_caller]
fn fails(result: Result<Booted, Error>, run: &Run, cause: &str, remedy: &str) {
    let error = result.expect_err("it does not start");
    assert_eq!(error.kind(), ErrorKind::Environment);
    assert!(error.to_string().contains(cause), "{error}");
    assert!(
        error.what_to_do().is_some_and(|text| text.contains(remedy)),
        "{error}"
    );
    assert_eq!(containers(run.id()), 0, "nothing is left: {error}");
}

#[test]
fn what_does_not_start_says_why_and_leaves_nothing() {
    let Some(image) = image() else { return };
    let run = run();
    let ends = |spec: &mut Spec| spec.arguments = vec!["--cluster".into(), "/nowhere.yaml".into()];
    fails(
        boot(&run, ends, &image),
        &run,
        "there is no cluster `/nowhere.yaml`",
        "--logs",
    );
    let missing = |spec: &mut Spec| spec.image = "podgate-nowhere.invalid/k3s:v1".to_owned();
    fails(
        boot(&run, missing, &image),
        &run,
        "podgate-nowhere.invalid/k3s:v1 is not here, and cannot be pulled",
        "--image",
    );
    // It runs, and writes its kubeconfig elsewhere.
    let slow = |spec: &mut Spec| {
        spec.kubeconfig = "/elsewhere".to_owned();
        spec.patience = Duration::from_secs(1);
    };
    fails(
        boot(&run, slow, &image),
        &run,
        "is not ready after 1 s",
        "--logs",
    );
}

#[test]
fn only_the_runs_own_containers_go() {
    let Some(image) = image() else { return };
    let foreign = format!("podgate-test-foreign-{}", std::process::id());
    docker(async |docker| {
        let body = ContainerCreateBody {
            image: Some(image.clone()),
            labels: Some(HashMap::from([(
                "podgate.dev/run".to_owned(),
                "another".to_owned(),
            )])),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::new().name(&foreign).build();
        docker
            .create_container(Some(options), body)
            .await
            .expect("created");
    });
    let run = run();
    let booted = boot(&run, |_| {}, &image).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(containers(run.id()), 1);
    booted
        .standing
        .check()
        .unwrap_or_else(|error| panic!("{error}"));
    // Even where the run's ledger is wrong about whose it is.
    let claim = run.claim(lifecycle::Thing::Container {
        name: foreign.clone(),
        run: run.id().to_owned(),
    });
    drop(claim.expect("noted"));
    drop(booted);
    assert_eq!(containers(run.id()), 0);
    let left = containers("another");
    docker(async |docker| {
        let options = RemoveContainerOptionsBuilder::new().force(true).build();
        docker
            .remove_container(&foreign, Some(options))
            .await
            .expect("removed");
    });
    assert_eq!(left, 1, "a foreign container is left alone");
}

//! The backend `apiserver`: kube-apiserver and etcd as child processes, and kube-controller-manager
//! beside them where its binary is there.
//!
//! Upstream: controller-runtime's envtest (pkg/internal/testing/controlplane) starts them the same
//! way; the flags are kubeadm's.

pub mod assets;
mod credentials;
mod flags;
mod proof;
mod trouble;

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use http::Request;
use kube::Client;
use podgate_policy::Minor;
use serde_json::json;

use super::{AuditLog, Backend, BootSpec, Booted, Event, Standing, Watch};
use crate::error::Error;
use crate::exchange::{Call, Identity, exchange};
use crate::execute::real;
use crate::lifecycle::{Process, Run, Scratch};
use crate::suite::Cluster;
use assets::{Assets, Binaries};
use credentials::{Credentials, private};

/// How long kube-apiserver may take until it is ready. It takes a few seconds on an idle machine.
const READY: Duration = Duration::from_mins(2);

/// How often ports are chosen anew where somebody took one meanwhile.
const TRIES: usize = 5;

/// Everything that is written is noted, as admission annotates it.
const AUDIT_POLICY: &str = r#"{
  "apiVersion": "audit.k8s.io/v1",
  "kind": "Policy",
  "omitStages": ["RequestReceived"],
  "rules": [
    {"level": "Metadata", "verbs": ["create", "update", "patch", "delete"]},
    {"level": "None"}
  ]
}
"#;

/// kube-apiserver and etcd as child processes.
#[derive(Debug)]
pub struct ApiServer {
    assets: Assets,
}

impl ApiServer {
    /// Looks for the binaries, in `folder` or where [`Assets::find`] looks without one.
    pub fn new(folder: Option<&Path>) -> Result<Self, Error> {
        Ok(Self {
            assets: Assets::find(folder)?,
        })
    }
}

impl Backend for ApiServer {
    fn name(&self) -> &'static str {
        "apiserver"
    }

    fn serves(&self, minor: Minor) -> Result<(), Error> {
        self.assets.of_minor(minor).map(drop)
    }

    fn configures(&self, cluster: &Cluster, minor: Minor) -> Result<(), Error> {
        // Every flag can be given to the process; the embedded server knows which of them the
        // binary would refuse.
        cluster.server(minor).map(drop)
    }

    fn memory(&self) -> u64 {
        700
    }

    fn boot(&self, spec: &BootSpec<'_>, run: &Run, watch: &dyn Watch) -> Result<Booted, Error> {
        let binaries = self.assets.of_minor(spec.minor)?;
        let mut tries = 0;
        loop {
            tries += 1;
            match ControlPlane::start(binaries, spec, run, watch) {
                Err(Failure::PortTaken(_)) if tries < TRIES => {}
                Err(Failure::PortTaken(error) | Failure::Other(error)) => return Err(error),
                Ok(booted) => return Ok(booted),
            }
        }
    }
}

/// Why a control plane does not start.
enum Failure {
    /// Somebody took a port between its choice and its use.
    PortTaken(Error),
    Other(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// The processes of a control plane. They end, the last one first, before their files go.
#[derive(Debug)]
struct ControlPlane {
    controller_manager: Option<Process>,
    apiserver: Process,
    etcd: Process,
    _files: Scratch,
}

impl Standing for ControlPlane {
    fn check(&self) -> Result<(), Error> {
        // Without etcd the others end, too: it is the one to blame.
        let processes = [Some(&self.etcd), Some(&self.apiserver)];
        let processes = processes
            .into_iter()
            .chain([self.controller_manager.as_ref()]);
        processes.flatten().try_for_each(|process| {
            process
                .exited()
                .map_or(Ok(()), |how| Err(trouble::ended(process, how)))
        })
    }
}

impl ControlPlane {
    fn start(
        binaries: &Binaries,
        spec: &BootSpec<'_>,
        run: &Run,
        watch: &dyn Watch,
    ) -> Result<Booted, Failure> {
        let stage = |stage: &str| {
            let boot = &spec.title;
            watch.event(Event::Stage { boot, stage });
        };
        let files = run.scratch(&spec.name)?;
        let folder = files.path().to_owned();
        let credentials = Credentials::make(&folder)?;
        let admission = admission_files(spec, &folder)?;
        let audit_policy = private(&folder, "audit-policy.json", AUDIT_POLICY)?;
        let audit_log = folder.join("audit.log");
        let start = |component: &str, program: &Path, flags: Vec<String>| {
            let mut command = Command::new(program);
            command.args(flags).current_dir(&folder);
            run.spawn(component, command, &run.log(&spec.name, component)?)
        };

        stage("starting etcd and kube-apiserver");
        let [etcd_port, port] = free_ports()?;
        let etcd = flags::etcd(&folder.join("etcd"), etcd_port);
        let etcd = start("etcd", &binaries.etcd, etcd)?;
        let flags = flags::ApiServer {
            etcd: etcd_port,
            port,
            credentials: &credentials,
            audit_policy: &audit_policy,
            audit_log: &audit_log,
            admission: admission.as_deref(),
        };
        let flags = flags.flags(spec.flags());
        let apiserver = start("kube-apiserver", &binaries.apiserver, flags)?;
        let mut plane = Self {
            controller_manager: None,
            apiserver,
            etcd,
            _files: files,
        };

        let kubeconfig = credentials.kubeconfig(&folder, "kubeconfig", port, &credentials.admin)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::environment(format!("the runtime does not start: {e}")))?;
        let version = runtime.block_on(async {
            let client = real::client(&kubeconfig).await?;
            stage("waiting for /readyz");
            plane.until_ready(&client).await?;
            proof::plugins(&plane.apiserver, spec)?;
            proof::version(&client, spec.minor)
                .await
                .map_err(Failure::from)
        })?;
        if let Some(program) = &binaries.controller_manager {
            stage("starting kube-controller-manager");
            let own = credentials.kubeconfig(
                &folder,
                "controller-manager.kubeconfig",
                port,
                &credentials.controller_manager,
            )?;
            let flags = flags::controller_manager(spec.minor, &own, &credentials, spec.flags());
            plane.controller_manager = Some(start("kube-controller-manager", program, flags)?);
            runtime.block_on(async {
                let client = real::client(&kubeconfig).await?;
                plane.until_controllers_work(&client).await?;
                make_node(&client).await
            })?;
        }
        Ok(Booted {
            kubeconfig,
            version,
            controllers: plane.controller_manager.is_some(),
            audit_log: Some(AuditLog::new(audit_log)),
            standing: Box::new(plane),
        })
    }

    /// Waits until `/readyz` says `ok`, and nothing else will do: while it starts, kube-apiserver
    /// answers other requests already.
    async fn until_ready(&self, client: &Client) -> Result<(), Failure> {
        let started = Instant::now();
        let mut last = String::from("no answer");
        while started.elapsed() < READY {
            for process in [&self.etcd, &self.apiserver] {
                if let Some(how) = process.exited() {
                    let error = trouble::ended(process, how);
                    return Err(if trouble::port_was_taken(process) {
                        Failure::PortTaken(error)
                    } else {
                        Failure::Other(error)
                    });
                }
            }
            let request = Request::get("/readyz").body(Vec::new());
            let request = request.map_err(|e| Error::environment(e.to_string()))?;
            match client.request_text(request).await {
                Ok(text) if text == "ok" => return Ok(()),
                Ok(text) => last = text,
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(trouble::not_ready(&self.apiserver, READY, &last).into())
    }

    /// Waits until the service account controller has done its first work.
    async fn until_controllers_work(&self, client: &Client) -> Result<(), Error> {
        let started = Instant::now();
        while started.elapsed() < READY {
            self.check()?;
            let path = "/api/v1/namespaces/default/serviceaccounts/default";
            if get(client, path).await? == 200 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let process = self.controller_manager.as_ref().unwrap_or(&self.apiserver);
        Err(trouble::not_ready(
            process,
            READY,
            "the service account `default` is not there",
        ))
    }
}

async fn get(client: &Client, path: &str) -> Result<u16, Error> {
    let call = Call {
        method: http::Method::GET,
        path: path.to_owned(),
        body: None,
        identity: &Identity::Admin,
    };
    Ok(exchange(client, call).await?.code)
}

/// A node, so that daemon sets make pods. Nobody runs them.
async fn make_node(client: &Client) -> Result<(), Error> {
    let body =
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "podgate"}}).to_string();
    let call = Call {
        method: http::Method::POST,
        path: "/api/v1/nodes".to_owned(),
        body: Some(("application/json", body.as_bytes())),
        identity: &Identity::Admin,
    };
    let answer = exchange(client, call).await?;
    if answer.succeeded() {
        return Ok(());
    }
    Err(Error::environment(format!(
        "no node can be made: {}",
        answer.message()
    )))
}

/// Writes the admission configuration; the path of its main file.
fn admission_files(spec: &BootSpec<'_>, folder: &Path) -> Result<Option<PathBuf>, Error> {
    let Some(admission) = spec.admission() else {
        return Ok(None);
    };
    let mut first = None;
    for (name, body) in admission.files()? {
        let path = private(folder, &name, &body)?;
        first.get_or_insert(path);
    }
    Ok(first)
}

/// Ports that nobody listens on. Somebody may take one before it is used: then others are chosen.
fn free_ports() -> Result<[u16; 2], Error> {
    let failed = |error: std::io::Error| {
        Error::environment(format!("no port of 127.0.0.1 is free: {error}"))
    };
    // All are held until all are chosen, or the same one would come twice.
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed);
    let listeners = [listen()?, listen()?];
    let mut ports = [0; 2];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr().map_err(failed)?.port();
    }
    Ok(ports)
}

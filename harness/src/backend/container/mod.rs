//! A server in a container, through testcontainers: started with files in it, reached through a port
//! of this machine that the engine chose, and gone with the run that started it.
//!
//! What the container is, a [`Spec`] says; k3s is one, podgate's own image another.

mod docker;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kube::config::Kubeconfig;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as DockerError;
use testcontainers::bollard::models::{HostConfig, PortBinding};
use testcontainers::core::client::ClientError;
use testcontainers::core::{ContainerAsync, IntoContainerPort as _};
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{
    ContainerRequest, CopyDataSource, GenericImage, ImageExt as _, TestcontainersError,
};

use super::{BootSpec, Booted, Event, Standing, Watch};
use crate::error::{Error, causes};
use crate::exchange::{Answer, Call, Identity, exchange};
use crate::execute::real;
use crate::lifecycle::{Claim, Run, Thing};
use crate::versions::minor_of;

/// The label by which a container is known to be a run's.
const RUN_LABEL: &str = "podgate.dev/run";

/// A container with an API server in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// What it is to podgate: `k3s`.
    pub component: &'static str,
    /// The image: `rancher/k3s:v1.36.5-k3s1`.
    pub image: String,
    /// What is handed to the image's entry point.
    pub arguments: Vec<String>,
    /// What is there before anything runs: paths in the container, and texts.
    pub files: Vec<(String, String)>,
    /// The port on which the API server listens, in the container.
    pub port: u16,
    /// Where the kubeconfig of the cluster's admin is written, in the container.
    pub kubeconfig: String,
    /// Whether a kube-controller-manager runs.
    pub controllers: bool,
    /// How long it may take until `/readyz` says ok.
    pub patience: Duration,
}

/// Whether the engine that containers are started on answers.
pub fn engine() -> Result<(), Error> {
    docker::wait(|| async { docker::engine().await.map(drop) })
}

/// Removes the container of a run that is gone, if it is there and that run's; whether it was.
pub(crate) fn remove(name: &str, run: &str) -> Result<bool, Error> {
    docker::wait(|| async { docker::remove(&docker::engine().await?, name, run).await })
}

/// What the container of a boot is called.
pub(super) fn name(boot: &BootSpec<'_>, run: &Run) -> String {
    format!("podgate-{}-{}", run.id(), boot.name)
}

/// All that a container wrote so far.
pub(super) fn log(name: &str) -> Result<String, Error> {
    docker::wait(|| async { Ok(docker::log(&docker::engine().await?, name, "all").await) })
}

/// Starts `spec` and waits until its server answers.
pub fn boot(
    spec: &Spec,
    boot: &BootSpec<'_>,
    run: &Run,
    watch: &dyn Watch,
) -> Result<Booted, Error> {
    let name = name(boot, run);
    let stage = |stage: &str| {
        watch.event(Event::Stage {
            boot: &boot.title,
            stage,
        });
    };
    docker::wait(|| async {
        let docker = docker::engine().await?;
        if docker::has_image(&docker, &spec.image).await? {
            stage(&format!("starting {}", spec.image));
        } else {
            stage(&format!("pulling {}", spec.image));
        }
        let claim = run.claim(Thing::Container {
            name: name.clone(),
            run: run.id().to_owned(),
        })?;
        let standing = Container {
            component: spec.component,
            name: name.clone(),
            log: run.log(&boot.name, spec.component)?,
            _claim: claim,
        };
        let started = Instant::now();
        let container = request(spec, &name, run.id()).start().await;
        let container = container.map_err(|error| not_started(spec, &error))?;
        // From here on it belongs to the run, which outlives this runtime and may keep it.
        let container = std::mem::ManuallyDrop::new(container);
        stage("waiting until it is ready");
        let folder = run.subfolder(&boot.name)?;
        let ready = Waiting {
            spec,
            docker: &docker,
            container: &container,
            name: &name,
            started,
        };
        let (kubeconfig, version) = ready.until_ready(&folder).await?;
        if minor_of(&version) != Some(boot.minor) {
            return Err(Error::environment(format!(
                "the server in {} is {version}, and {} was asked for",
                spec.image, boot.minor
            ))
            .hint("--image names another image, --kubernetes another version"));
        }
        Ok(Booted {
            kubeconfig,
            version,
            controllers: spec.controllers,
            audit_log: None,
            standing: Box::new(standing),
        })
    })
}

/// What testcontainers is asked for.
fn request(spec: &Spec, name: &str, run: &str) -> ContainerRequest<GenericImage> {
    let (image, tag) = match spec.image.rsplit_once(':') {
        // A colon before a slash is that of a registry's port.
        Some((image, tag)) if !tag.contains('/') => (image, tag),
        _ => (spec.image.as_str(), "latest"),
    };
    let mut request = GenericImage::new(image, tag)
        .with_exposed_port(spec.port.tcp())
        .with_container_name(name)
        .with_label(RUN_LABEL, run)
        .with_cmd(&spec.arguments)
        .with_startup_timeout(spec.patience);
    for (path, text) in &spec.files {
        request = request.with_copy_to(path, CopyDataSource::Data(text.clone().into_bytes()));
    }
    if !is_local() {
        return request;
    }
    // An engine publishes ports to the whole network unless it is told otherwise.
    let port = format!("{}/tcp", spec.port);
    request.with_host_config_modifier(move |host: &mut HostConfig| {
        let binding = PortBinding {
            host_ip: Some("127.0.0.1".to_owned()),
            host_port: None,
        };
        host.publish_all_ports = Some(false);
        host.port_bindings = Some([(port.clone(), Some(vec![binding]))].into());
    })
}

/// Whether the engine's ports are those of this machine: not where it is reached over the network,
/// nor from inside of a container.
fn is_local() -> bool {
    let remote = std::env::var("DOCKER_HOST").is_ok_and(|host| !host.starts_with("unix:"));
    !remote && !Path::new("/.dockerenv").exists()
}

/// Why testcontainers did not start a container.
fn not_started(spec: &Spec, error: &TestcontainersError) -> Error {
    let image = &spec.image;
    let said = |error: &DockerError| match error {
        DockerError::DockerResponseServerError { message, .. } => message.clone(),
        error => causes(error),
    };
    match error {
        TestcontainersError::Client(ClientError::PullImage { err, .. }) => {
            Error::environment(format!(
                "the image {image} is not here, and cannot be pulled: {}",
                said(err)
            ))
            .hint(format!(
                "docker pull {image} where there is a registry, or --image names one that is here"
            ))
        }
        TestcontainersError::Client(ClientError::StartContainer(error)) => {
            let said = said(error);
            let taken = ["port is already allocated", "address already in use"];
            let hint = if taken.iter().any(|text| said.contains(text)) {
                "end what listens there, or try again: the engine chooses the port"
            } else {
                "docker info, and the engine's own log, say more"
            };
            Error::environment(format!("the container of {image} does not start: {said}"))
                .hint(hint)
        }
        error => Error::environment(format!(
            "the container of {image} does not start: {}",
            causes(error)
        ))
        .hint("docker info, and the engine's own log, say more"),
    }
}

/// A container whose server is not ready yet.
struct Waiting<'a> {
    spec: &'a Spec,
    docker: &'a Docker,
    container: &'a ContainerAsync<GenericImage>,
    name: &'a str,
    started: Instant,
}

impl Waiting<'_> {
    /// Waits until the server has written a kubeconfig and says that it is ready. The kubeconfig, as
    /// it holds outside of the container, and the server's version.
    async fn until_ready(&self, folder: &Path) -> Result<(PathBuf, String), Error> {
        let path = folder.join("kubeconfig");
        let mut last;
        loop {
            match self.kubeconfig().await {
                Ok(kubeconfig) => {
                    write(&path, &kubeconfig)?;
                    match ready(&path).await {
                        Ok(version) => return Ok((path, version)),
                        Err(error) => last = error.message().to_owned(),
                    }
                }
                Err(error) => last = error,
            }
            let running = self.container.is_running().await.unwrap_or(false);
            if !running || self.started.elapsed() > self.spec.patience {
                return Err(self.gave_up(running, &last).await);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The kubeconfig that the server wrote, as it holds outside of the container.
    async fn kubeconfig(&self) -> Result<String, String> {
        let path = &self.spec.kubeconfig;
        let failed = |error: TestcontainersError| causes(&error);
        let text = self.container.copy_file_from(path, Vec::new()).await;
        let text = String::from_utf8(text.map_err(failed)?).map_err(|error| error.to_string())?;
        let mut kubeconfig = Kubeconfig::from_yaml(&text).map_err(|error| causes(&error))?;
        if kubeconfig.clusters.is_empty() {
            return Err(format!("{path} names no cluster yet"));
        }
        let port = self
            .container
            .get_host_port_ipv4(self.spec.port.tcp())
            .await;
        let port = port.map_err(failed)?;
        let host = self.container.get_host().await.map_err(failed)?.to_string();
        for cluster in &mut kubeconfig.clusters {
            if let Some(cluster) = &mut cluster.cluster {
                // The certificate may not know the name of the host.
                let here = host == "localhost";
                let host = if here { "127.0.0.1" } else { &host };
                cluster.server = Some(format!("https://{host}:{port}"));
                cluster.tls_server_name = (!here).then(|| "localhost".to_owned());
            }
        }
        serde_json::to_string(&kubeconfig).map_err(|error| error.to_string())
    }

    async fn gave_up(&self, running: bool, last: &str) -> Error {
        let what = if running {
            let seconds = self.spec.patience.as_secs();
            format!("is not ready after {seconds} s: {last}")
        } else {
            "has ended".to_owned()
        };
        let log = docker::log(self.docker, self.name, "20").await;
        let component = self.spec.component;
        let end = if log.is_empty() {
            "it wrote nothing".to_owned()
        } else {
            format!("its last lines:\n{}", log.trim_end())
        };
        Error::environment(format!("{component} in a container {what}; {end}"))
            .hint("--logs DIR keeps all that it wrote; --keep leaves the container")
    }
}

/// Writes a file that nobody else may read: there is a token in it.
fn write(path: &Path, text: &str) -> Result<(), Error> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Error::environment(format!("cannot write {}: {error}", path.display())))
}

/// The server's version, once it is ready.
async fn ready(kubeconfig: &Path) -> Result<String, Error> {
    let client = real::client(kubeconfig).await?;
    let request = http::Request::get("/readyz").body(Vec::new());
    let request = request.map_err(|error| Error::environment(error.to_string()))?;
    let said = client.request_text(request).await;
    let said = said.map_err(|error| Error::environment(causes(&error)))?;
    if said.trim() != "ok" {
        return Err(Error::environment(format!("/readyz says {said}")));
    }
    let call = Call {
        method: http::Method::GET,
        path: "/version".to_owned(),
        body: None,
        identity: &Identity::Admin,
    };
    let Answer { body, .. } = exchange(&client, call).await?;
    let version = body["gitVersion"].as_str();
    Ok(version.unwrap_or_default().to_owned())
}

/// A container of a run. Dropping it writes down its log and removes it, unless the run keeps it.
#[derive(Debug)]
struct Container {
    component: &'static str,
    name: String,
    log: PathBuf,
    _claim: Claim,
}

impl Standing for Container {
    fn check(&self) -> Result<(), Error> {
        let (running, log) = docker::wait(|| async {
            let docker = docker::engine().await?;
            let running = docker::is_running(&docker, &self.name).await?;
            Ok((running, docker::log(&docker, &self.name, "20").await))
        })?;
        if running {
            return Ok(());
        }
        Err(Error::environment(format!(
            "{} in a container has ended; its last lines:\n{}",
            self.component,
            log.trim_end()
        ))
        .hint("--logs DIR keeps all that it wrote; --keep leaves the container"))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let written = docker::wait(|| async {
            let docker = docker::engine().await?;
            Ok(docker::log(&docker, &self.name, "all").await)
        });
        // A log that cannot be had keeps nobody from ending.
        if let Ok(text) = written {
            let _ = fs::write(&self.log, text);
        }
    }
}

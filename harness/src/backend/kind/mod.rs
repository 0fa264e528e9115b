//! Disposable clusters of kind: Kubernetes in containers, created and deleted by the run.
//!
//! A boot writes the configuration, has kind create the cluster with a kubeconfig of its own, waits until the API
//! server serves and its default service account exists, and compares the flags with which kube-apiserver runs.
//! Everything is claimed from the run first, and goes with it.

pub mod cluster;
pub mod configuration;
mod create;
pub mod engine;
pub mod images;
mod poll;
mod proof;
pub mod release;
mod system;

use std::path::PathBuf;
use std::process::Command;

use podgate_policy::Minor;

use self::cluster::KindCluster;
use self::configuration::Configuration;
use self::engine::{Engine, Host};
use self::images::{Cgroup, CgroupV1, NodeImage, PRIVATE_CGROUPS};
use self::release::Release;
use super::{Backend, BootSpec, Booted, Event, Standing, Watch};
use crate::error::Error;
use crate::lifecycle::{Claim, Run, Thing, on_path};
use crate::suite::Cluster;

/// The variable that names the kind binary.
pub const BINARY: &str = "PODGATE_KIND";

const INSTALL: &str = "https://kind.sigs.k8s.io/docs/user/quick-start/#installation";

/// kind on this machine.
#[derive(Clone, Debug)]
pub struct Kind {
    binary: PathBuf,
    release: Release,
    engine: Engine,
    host: Host,
    image: Option<String>,
}

impl Kind {
    /// Finds kind and a container engine that answers. `image` is a node image for every boot, in place of those
    /// that [`NodeImage`] knows.
    pub fn find(image: Option<&str>) -> Result<Self, Error> {
        let binary = match std::env::var_os(BINARY).filter(|name| !name.is_empty()) {
            Some(named) => PathBuf::from(named),
            None => on_path("kind").ok_or_else(|| {
                Error::environment("there is no kind on PATH").hint(format!(
                    "install it ({INSTALL}), or let {BINARY} name its binary"
                ))
            })?,
        };
        let output = engine::run(Command::new(&binary).arg("version"))
            .map_err(|error| error.hint(format!("{BINARY} names the binary of kind")))?;
        let release =
            Release::from_output(&String::from_utf8_lossy(&output.stdout)).map_err(|error| {
                Error::environment(format!(
                    "{} does not say its version: {error}",
                    binary.display()
                ))
                .hint(format!("install kind anew ({INSTALL})"))
            })?;
        let engine = Engine::find()?;
        let host = engine.host()?;
        host.has_room()?;
        Ok(Self {
            binary,
            release,
            engine,
            host,
            image: image.map(str::to_owned),
        })
    }

    fn image(&self, minor: Minor) -> String {
        match &self.image {
            Some(image) => image.clone(),
            None => NodeImage::of(minor).to_string(),
        }
    }
}

impl Backend for Kind {
    fn name(&self) -> &'static str {
        "kind"
    }

    fn serves(&self, minor: Minor) -> Result<(), Error> {
        // Whoever names an image knows what runs it.
        if self.image.is_some() {
            return Ok(());
        }
        runs(self.release, self.host.cgroup, NodeImage::of(minor))
    }

    fn configures(&self, cluster: &Cluster, minor: Minor) -> Result<(), Error> {
        // All that a cluster file can say, kind can be told; whether this minor takes it, the model of its server
        // knows, with the place in the file.
        cluster.server(minor).map(drop)
    }

    fn memory(&self) -> u64 {
        // A node with its control plane, when nothing else runs on it.
        1200
    }

    fn boot(&self, spec: &BootSpec<'_>, run: &Run, watch: &dyn Watch) -> Result<Booted, Error> {
        let folder = run.subfolder(&spec.name)?;
        let cluster = KindCluster::new(
            run.id(),
            &spec.name,
            self.binary.clone(),
            self.engine,
            folder.join("kubeconfig"),
        );
        let mut admission = None;
        if let Some(configured) = spec.admission() {
            let folder = run.subfolder(&format!("{}/admission", spec.name))?;
            let files = configured.files()?;
            for (name, body) in &files {
                create::write(&folder.join(name), body)?;
            }
            admission = Some((folder, files[0].0.clone()));
        }
        let image = self.image(spec.minor);
        let leave = system::Leave::of(spec.flags(), spec.admission());
        let configuration = Configuration {
            name: &cluster.name,
            image: &image,
            minor: spec.minor,
            flags: spec.flags(),
            admission: admission
                .as_ref()
                .map(|(folder, file)| (folder.as_path(), file.as_str())),
            cgroup: self.host.cgroup,
            rejects_system_pods: leave.is_needed(),
        };
        let file = folder.join("kind.yaml");
        create::write(&file, &configuration.to_yaml())?;

        let claim = run.claim(Thing::KindCluster(cluster.clone()))?;
        create::create(&cluster, &file, spec, run, watch)?;
        let server = Server {
            cluster: cluster.clone(),
            claim,
        };
        let stage = |stage: &str| {
            let boot = &spec.title;
            watch.event(Event::Stage { boot, stage });
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::environment(format!("the runtime does not start: {e}")))?;
        let version = runtime
            .block_on(create::settle(
                &cluster,
                &configuration,
                leave,
                spec,
                &stage,
            ))
            .map_err(|error| server.check().err().unwrap_or(error))?;
        Ok(Booted {
            kubeconfig: cluster.kubeconfig.clone(),
            version,
            controllers: true,
            audit_log: None,
            standing: Box::new(server),
        })
    }
}

/// Whether a kind of `release` runs `image` on a host with `cgroup`.
fn runs(release: Release, cgroup: Cgroup, image: &NodeImage) -> Result<(), Error> {
    let minor = image.minor;
    if release < image.built_for {
        return Err(Error::environment(format!(
            "kind {release} is too old for {minor}, whose node image was built for {}",
            image.built_for
        ))
        .hint(format!(
            "install kind {} or newer ({INSTALL}), or name an older image with --image",
            image.built_for
        )));
    }
    if cgroup == Cgroup::V1
        && image.on_cgroup_v1() == CgroupV1::OlderKind
        && release >= PRIVATE_CGROUPS
    {
        return Err(Error::environment(format!(
            "kind {release} is too new for {minor} on a host with cgroup v1"
        ))
        .hint(format!(
            "take a kind before {PRIVATE_CGROUPS} for this minor, or a host with cgroup v2; `podgate versions` lists \
             what each minor needs"
        )));
    }
    Ok(())
}

/// A cluster that stands.
#[derive(Debug)]
struct Server {
    cluster: KindCluster,
    #[expect(dead_code, reason = "it is held: the cluster goes with it")]
    claim: Claim,
}

impl Standing for Server {
    fn check(&self) -> Result<(), Error> {
        let node = self.cluster.node();
        let mut command = self.cluster.engine();
        command.args(["inspect", "--format", "{{.State.Status}}", &node]);
        let output = engine::run(&mut command)?;
        let state = String::from_utf8_lossy(&output.stdout);
        let state = state.trim();
        if state == "running" {
            return Ok(());
        }
        let state = if output.status.success() {
            state
        } else {
            "not there any more"
        };
        let mut command = self.cluster.engine();
        command.args(["logs", "--tail", "8", &node]);
        let last = engine::run(&mut command)
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
            .unwrap_or_default();
        let last = if last.is_empty() {
            last
        } else {
            format!(":\n{last}")
        };
        Err(
            Error::environment(format!("the node {node} of kind is {state}{last}"))
                .hint("somebody or something has ended it: memory, the engine, or a clean-up"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(33, 37, Cgroup::V2, None)]
    #[case(32, 37, Cgroup::V2, Some("kind v0.32.0 is too old for 1.37,"))]
    #[case(33, 20, Cgroup::V2, None)]
    #[case(33, 20, Cgroup::V1, Some("kind v0.33.0 is too new for 1.20 on"))]
    #[case(19, 20, Cgroup::V1, None)]
    #[case(33, 21, Cgroup::V1, None)]
    #[case(33, 36, Cgroup::V1, None)]
    fn which_kind_runs_which_image(
        #[case] release: u16,
        #[case] minor: u8,
        #[case] cgroup: Cgroup,
        #[case] refusal: Option<&str>,
    ) {
        let image = NodeImage::of(Minor::known(minor));
        let error = runs(Release::new(release), cgroup, image).err();
        let message = error.as_ref().map(Error::message).unwrap_or_default();
        assert_eq!(error.is_some(), refusal.is_some(), "{message}");
        assert!(
            message.starts_with(refusal.unwrap_or_default()),
            "{message}"
        );
        assert!(error.is_none_or(|error| error.what_to_do().is_some()));
    }
}

//! `podgate serve` as a child process.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::rounds::Round;

/// A server that is gone when this is dropped.
pub(crate) struct Server {
    child: Child,
    kubeconfig: PathBuf,
}

impl Server {
    /// Starts a server as `round` wants it, with its files in `dir`, and waits until it is ready.
    pub(super) fn start(podgate: &Path, dir: &Path, round: &Round) -> Result<Self> {
        let cluster = dir.join("cluster.yaml");
        let gates: Vec<_> = round
            .on
            .iter()
            .map(|gate| format!("{gate}: true"))
            .collect();
        fs::write(
            &cluster,
            format!(
                "apiVersion: podgate.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: upstream}}\n\
                 spec: {{apiServer: {{featureGates: {{{}}}}}}}\n",
                gates.join(", ")
            ),
        )?;
        let cluster = cluster.display().to_string();
        let kubernetes = format!("1.{}", round.minor);
        let args = ["--cluster", &cluster, "--kubernetes", &kubernetes];
        Self::start_with(podgate, dir, &args)
    }

    /// Starts a server with these arguments, with its files in `dir`, and waits until it is ready.
    pub(crate) fn start_with(podgate: &Path, dir: &Path, args: &[&str]) -> Result<Self> {
        let kubeconfig = dir.join("kubeconfig");
        let notes = dir.join("serve.log");
        let child = Command::new(podgate)
            .arg("serve")
            .args(args)
            .arg("--write-kubeconfig")
            .arg(&kubeconfig)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&notes)?)
            .spawn()
            .with_context(|| format!("run {}", podgate.display()))?;
        let mut server = Self { child, kubeconfig };
        let stdout = server.child.stdout.take().context("its output")?;
        let mut ready = String::new();
        BufReader::new(stdout).read_line(&mut ready)?;
        ensure!(
            ready.starts_with("ready: "),
            "podgate serve does not start: {}",
            fs::read_to_string(&notes)?
        );
        Ok(server)
    }

    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// How much memory it has, and how much it had at most, where the system tells.
    pub(crate) fn memory(&self) -> Option<String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_once(':').map(|(_, value)| value.trim())
        };
        Some(format!("{}, at most {}", line("VmRSS")?, line("VmHWM")?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A process that is gone already is as good; and its file has nothing to say any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.kubeconfig);
    }
}

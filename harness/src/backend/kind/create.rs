//! Creating a cluster: kind itself, what its output says where it fails, and the wait until the cluster can be asked.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use http::{Method, Request};
use kube::Client;

use super::cluster::KindCluster;
use super::configuration::Configuration;
use super::poll::poll;
use super::proof;
use super::system::{Leave, ask};
use crate::backend::{BootSpec, Event, Watch};
use crate::error::Error;
use crate::execute::real;
use crate::lifecycle::Run;

/// How long the API server may take to be ready once kind says that the cluster is there.
const READY: Duration = Duration::from_mins(2);
/// How long the controllers and the kubelet may take to make what every cluster has.
const BOOTSTRAPPED: Duration = Duration::from_mins(3);

/// Has kind create the cluster.
pub(super) fn create(
    cluster: &KindCluster,
    configuration: &Path,
    spec: &BootSpec<'_>,
    run: &Run,
    watch: &dyn Watch,
) -> Result<(), Error> {
    let log = run.log(&spec.name, "kind")?;
    let mut command = cluster.kind();
    command
        .args(["create", "cluster", "--name", &cluster.name])
        .arg("--config")
        .arg(configuration)
        .arg("--kubeconfig")
        .arg(&cluster.kubeconfig);
    let process = run.spawn("kind", command, &log)?;
    let mut told = 0;
    let status = loop {
        let ended = process.exited();
        let output = fs::read(&log).unwrap_or_default();
        let output = String::from_utf8_lossy(&output);
        let stages: Vec<String> = output.lines().filter_map(stage).collect();
        for stage in stages.iter().skip(told) {
            watch.event(Event::Stage {
                boot: &spec.title,
                stage,
            });
        }
        told = stages.len();
        if let Some(status) = ended {
            break status;
        }
        thread::sleep(Duration::from_millis(100));
    };
    if status.success() {
        return Ok(());
    }
    let output = fs::read(&log).unwrap_or_default();
    Err(failure(&spec.title, &String::from_utf8_lossy(&output)))
}

/// The stage that a line of kind's output announces: ` • Preparing nodes 📦  ...`.
fn stage(line: &str) -> Option<String> {
    let stage = line.trim_start().strip_prefix('•')?;
    let stage: String = stage.chars().filter(char::is_ascii).collect();
    Some(stage.trim_end_matches(['.', ' ']).trim().to_lowercase())
}

/// Why kind could not create a cluster, from what it printed.
fn failure(title: &str, output: &str) -> Error {
    let said = without_noise(output);
    let text = said.join("\n");
    let error = said
        .iter()
        .rev()
        .find_map(|line| line.strip_prefix("ERROR: "));
    let error = error
        .or(said.last().copied())
        .unwrap_or("it does not say why")
        .trim_start_matches("failed to create cluster: ");
    // What the command under kind said, where there was one.
    let under = said
        .iter()
        .rposition(|line| line.starts_with("Command Output:"))
        .map(|at| {
            let mut lines = said[at..].to_vec();
            lines[0] = lines[0].trim_start_matches("Command Output:").trim();
            lines
        });
    let cause = under
        .as_deref()
        .and_then(|lines| lines.last())
        .copied()
        .unwrap_or(error);
    let lower = text.to_lowercase();
    if lower.contains("no space left on device") {
        return Error::environment(format!(
            "the disk is full: kind could not create {title}: {cause}"
        ))
        .hint("make room, for example with `docker system prune`");
    }
    if let Some(image) = between(error, "failed to pull image \"", "\"") {
        return Error::environment(format!(
            "the node image {image} of {title} is not here and cannot be pulled: {cause}"
        ))
        .hint(format!(
            "`docker pull {image}` tells more; --image names another one"
        ));
    }
    if lower.contains("port is already allocated") || lower.contains("address already in use") {
        return Error::environment(format!(
            "a port that kind chose for {title} was taken meanwhile: {cause}"
        ))
        .hint("run it again");
    }
    // kubeadm says in a line of its own what it died of.
    let error = said
        .iter()
        .rev()
        .find_map(|line| line.strip_prefix("error: "))
        .unwrap_or(error);
    let last = &said[said.len().saturating_sub(LAST_LINES)..];
    Error::environment(format!(
        "kind could not create {title}: {error}\n{}",
        last.join("\n")
    ))
    .hint("--logs DIR keeps all that kind printed; --image names another node image")
}

/// The lines of kind's output that people may want: without Go's stack traces and without the log of kubeadm, which
/// kind asks for in detail.
fn without_noise(output: &str) -> Vec<&str> {
    let lines: Vec<&str> = output
        .lines()
        .map(str::trim_end)
        .take_while(|line| !line.starts_with("Stack Trace"))
        .collect();
    let is_frame = |at: usize| lines.get(at).is_some_and(|line| line.starts_with('\t'));
    let is_log = |line: &str| {
        let mut bytes = line.bytes();
        matches!(bytes.next(), Some(b'I' | b'W')) && bytes.take(4).all(|b| b.is_ascii_digit())
    };
    let kept = lines.iter().enumerate().filter(|(at, line)| {
        let noise = line.trim().is_empty() || is_log(line);
        // A frame has the function's name on one line, its place on the next.
        !noise && !is_frame(*at) && !is_frame(at + 1)
    });
    kept.map(|(_, line)| *line).collect()
}

/// How much of kind's output is told.
const LAST_LINES: usize = 12;

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let start = text.find(before)? + before.len();
    let end = text[start..].find(after)? + start;
    Some(&text[start..end])
}

/// Waits until the cluster serves and has what every cluster has, and proves that it is configured as asked.
/// What its version is.
pub(super) async fn settle(
    cluster: &KindCluster,
    configuration: &Configuration<'_>,
    leave: Leave,
    spec: &BootSpec<'_>,
    stage: &dyn Fn(&str),
) -> Result<String, Error> {
    let client = real::client(&cluster.kubeconfig).await?;
    stage("waiting for the API server");
    poll("the API server to be ready", READY, || async {
        let request = Request::get("/readyz").body(Vec::new());
        let request = request.expect("a constant path makes a request");
        Ok(match client.request_text(request).await {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("/readyz: {error}")),
        })
    })
    .await?;
    let version = ask(&client, Method::GET, "/version".to_owned(), None).await?;
    let version = version.body["gitVersion"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    if !version.starts_with(&format!("v{}.", spec.minor)) {
        return Err(Error::environment(format!(
            "the node image {} runs Kubernetes {version}, and {} was asked for",
            configuration.image, spec.minor
        ))
        .hint("--kubernetes has to name the minor that is in the image"));
    }
    stage("waiting for the default service account");
    for namespace in ["default", "kube-system"] {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/default");
        found(
            &client,
            &format!("the default service account of {namespace}"),
            path,
        )
        .await?;
    }
    let before = if leave.is_needed() {
        stage("letting the system's own pods in");
        Some(leave.give(&client).await?)
    } else {
        None
    };
    stage("comparing the flags of kube-apiserver");
    let path = format!(
        "/api/v1/namespaces/kube-system/pods/kube-apiserver-{}",
        cluster.node()
    );
    let pod = found(&client, "the pod of kube-apiserver", path).await?;
    proof::arguments(&pod, &configuration.arguments())?;
    if let Some(before) = before {
        stage("waiting for the system's own pods");
        Leave::used(&client).await?;
        leave.take_back(&client, before).await?;
    }
    Ok(version)
}

/// Waits for an object.
async fn found(client: &Client, what: &str, path: String) -> Result<serde_json::Value, Error> {
    poll(what, BOOTSTRAPPED, || async {
        let answer = ask(client, Method::GET, path.clone(), None).await?;
        let seen = format!("the API server answers {}", answer.code);
        Ok(if answer.succeeded() {
            Ok(answer.body)
        } else {
            Err(seen)
        })
    })
    .await
}

/// Writes a file of the boot.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|error| {
        Error::environment(format!("cannot write {}: {error}", path.display()))
            .hint("TMPDIR names another place")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        " • Ensuring node image (kindest/node:v1.36.1) 🖼️  ...",
        Some("ensuring node image (kindest/node:v1.36.1)")
    )]
    #[case(" • Preparing nodes 📦   ...", Some("preparing nodes"))]
    #[case(" ✓ Preparing nodes 📦 ", None)]
    #[case("Creating cluster \"x\" ...", None)]
    fn stages(#[case] line: &str, #[case] expected: Option<&str>) {
        assert_eq!(stage(line).as_deref(), expected);
    }

    const PULL: &str = "Creating cluster \"x\" ...
 • Ensuring node image (kindest/node:v1.36.1) 🖼  ...
 ✗ Ensuring node image (kindest/node:v1.36.1) 🖼
ERROR: failed to create cluster: failed to pull image \"kindest/node:v1.36.1@sha256:34\": command \"docker pull kindest/node:v1.36.1@sha256:34\" failed with error: exit status 1
Command Output: Error response from daemon: Get \"https://x/v2/\": dial tcp: lookup x: no such host

Stack Trace:
sigs.k8s.io/kind/pkg/errors.WithStack
";

    #[rstest]
    #[case(
        PULL,
        "the node image kindest/node:v1.36.1@sha256:34 of x on 1.36 is not here and cannot be pulled: Error response from daemon: Get \"https://x/v2/\": dial tcp: lookup x: no such host"
    )]
    #[case(
        "ERROR: failed to create cluster: command \"docker run\" failed\nCommand Output: write /x: no space left on device\n",
        "the disk is full: kind could not create x on 1.36: write /x: no space left on device"
    )]
    #[case("", "kind could not create x on 1.36: it does not say why\n")]
    fn failures_are_told_in_a_sentence(#[case] output: &str, #[case] expected: &str) {
        let error = failure("x on 1.36", output);
        assert_eq!(error.message(), expected);
        assert!(error.what_to_do().is_some());
    }

    /// What kind v0.33.0 printed, with fewer lines in between.
    const KUBEADM: &str = " ✗ Starting control-plane 🕹
ERROR: failed to create cluster: failed to init node with kubeadm: command \"docker exec x kubeadm init\" failed with error: exit status 1

Command Output: I1123 13:53:52.013318      97 initconfiguration.go:262] loading configuration
I1123 13:53:52.033941      97 initconfiguration.go:363] more
[init] Using Kubernetes version: v1.36.2
error: error execution phase mark-control-plane: nodes \"x\" not found
k8s.io/kubernetes/cmd/kubeadm/app/cmd/phases/workflow.(*Runner).Run.func1
\tcmd/kubeadm/app/cmd/phases/workflow/runner.go:262
runtime.goexit
\truntime/asm_amd64.s:1771

Stack Trace:
sigs.k8s.io/kind/pkg/errors.WithStack
\tpkg/errors/errors.go:59
";

    #[test]
    fn of_other_failures_the_last_lines_are_told() {
        let error = failure("x on 1.36", KUBEADM);
        let mut lines = error.message().lines();
        assert_eq!(
            lines.next(),
            Some(
                "kind could not create x on 1.36: error execution phase mark-control-plane: nodes \"x\" not found"
            )
        );
        assert_eq!(lines.clone().count(), 5, "{error}");
        assert!(
            lines
                .next_back()
                .is_some_and(|line| line.starts_with("error: ")),
            "{error}"
        );
        let long = format!("{}ERROR: y\n", "line\n".repeat(40));
        let told = failure("x on 1.36", &long);
        assert_eq!(told.message().lines().count(), 1 + LAST_LINES);
    }
}

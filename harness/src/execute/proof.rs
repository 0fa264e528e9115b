//! Proof that a real server has the configuration of a cluster, before any scenario counts: a pod that
//! it must refuse is refused.
//!
//! A configuration that was dropped on the way admits everything, and every scenario that expects
//! nothing else would pass. So a pod is chosen that the embedded server judges otherwise with the
//! configuration than without it.

use std::path::PathBuf;

use podgate_manifest::{Source, read_documents};

use crate::backend::embedded::Boot;
use crate::error::Error;
use crate::outcome::Stage;
use crate::run::{self, Target};
use crate::suite::cluster::NamespaceSpec;
use crate::suite::{Cluster, Flags, Manifest, Scenario, ScenarioNamespace, Step};

/// Pods that some policy or other refuses, the worst first.
const CANARIES: &str = r"---
{apiVersion: v1, kind: Pod, metadata: {name: privileged}, spec: {hostNetwork: true, hostPID: true,
  volumes: [{name: host, hostPath: {path: /}}],
  containers: [{name: c, image: canary, securityContext: {privileged: true}}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: capable}, spec: {
  containers: [{name: c, image: canary, ports: [{containerPort: 1, hostPort: 1}],
    securityContext: {capabilities: {add: [SYS_ADMIN]}}}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: plain}, spec: {containers: [{name: c, image: canary}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: root}, spec: {
  containers: [{name: c, image: canary, securityContext: {runAsUser: 0}}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: hardened}, spec: {
  securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}},
  containers: [{name: c, image: canary,
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]}}
";

/// Proves that the server has the configuration of `cluster`. Where no canary tells the
/// configuration from none, there is nothing that a scenario could be misjudged by.
pub(super) async fn in_force(
    target: Target<'_>,
    cluster: &Cluster,
    title: &str,
) -> Result<(), Error> {
    let canaries = canaries()?;
    let with = judged(&canaries, cluster, cluster, target).await?;
    let bare = Cluster {
        flags: Flags::default(),
        admission: None,
        ..cluster.clone()
    };
    let unlabelled = Cluster {
        namespace: NamespaceSpec::default(),
        ..bare.clone()
    };
    for (without, what) in [
        (&bare, "the configuration of its API server"),
        (&unlabelled, "the labels of its namespaces"),
    ] {
        let without = judged(&canaries, without, cluster, target).await?;
        let differ = |at: &usize| {
            with[*at].verdict != without[*at].verdict || with[*at].warnings != without[*at].warnings
        };
        let refused =
            |at: &usize| with[*at].verdict.is_rejected() && without[*at].verdict.is_admitted();
        let all = 0..canaries.manifests.len();
        let Some(at) = all
            .clone()
            .find(refused)
            .or_else(|| all.clone().find(differ))
        else {
            continue;
        };
        let canary = only(&canaries, at);
        let copy = embedded(cluster, target).await?;
        let run = run::run(Target::embedded(&copy, target.minor), cluster, &canary).await?;
        let target = Target {
            expected: Some(&run.outcomes),
            ..target
        };
        let run = run::run(target, cluster, &canary).await?;
        run::clear(target, cluster, &canary, &run).await?;
        let own = run.outcomes.first().map(|outcome| &outcome.own);
        let took = own.is_some_and(|own| {
            own.verdict.is_rejected() == with[at].verdict.is_rejected()
                && own.warnings.is_empty() == with[at].warnings.is_empty()
        });
        if !took {
            let name = &canary.manifests[0].name;
            return Err(Error::environment(format!(
                "the configuration did not take: {title} answers to the pod `{name}` as a server does \
                 without {what}"
            ))
            .hint("nothing that such a server admits says anything: --logs DIR keeps what it was started with"));
        }
        return Ok(());
    }
    Ok(())
}

fn canaries() -> Result<Scenario, Error> {
    let source = Source::new("canary", CANARIES);
    let mut manifests = Vec::new();
    for document in read_documents(&source) {
        manifests.extend(Manifest::from_document(document?)?);
    }
    Ok(scenario(manifests))
}

fn only(canaries: &Scenario, at: usize) -> Scenario {
    scenario(vec![canaries.manifests[at].clone()])
}

fn scenario(manifests: Vec<Manifest>) -> Scenario {
    Scenario {
        id: "podgate-canary".to_owned(),
        file: PathBuf::from("canary"),
        head: None,
        description: None,
        requester: None,
        namespace: ScenarioNamespace::default(),
        clusters: None,
        kubernetes: None,
        steps: vec![Step {
            heading: None,
            requester: None,
            action: crate::suite::Action::Apply((0..manifests.len()).collect()),
        }],
        manifests,
        has_steps: false,
        expect: Vec::new(),
    }
}

/// What the embedded server, configured as `configured` says, answers to the canaries.
async fn judged(
    canaries: &Scenario,
    configured: &Cluster,
    cluster: &Cluster,
    target: Target<'_>,
) -> Result<Vec<Stage>, Error> {
    let client = embedded_as(configured, cluster, target).await?;
    let target = Target::embedded(&client, target.minor);
    let run = run::run(target, configured, canaries).await?;
    Ok(run
        .outcomes
        .into_iter()
        .map(|outcome| outcome.own)
        .collect())
}

async fn embedded(cluster: &Cluster, target: Target<'_>) -> Result<kube::Client, Error> {
    embedded_as(cluster, cluster, target).await
}

async fn embedded_as(
    configured: &Cluster,
    cluster: &Cluster,
    target: Target<'_>,
) -> Result<kube::Client, Error> {
    let client = Boot::new(configured, target.minor)?.client();
    run::prepare(&client, cluster, target.minor).await?;
    Ok(client)
}

//! Coverage over a suite of two scenarios on the embedded server.

use std::fs;
use std::path::Path;

use super::*;
use crate::execute;
use crate::plan::Selection;
use crate::suite::{Project, Suite};

const CLUSTER: &str = "
apiVersion: podgate.dev/v1alpha1
kind: Cluster
metadata: {name: c}
spec:
  kubernetes: \"1.33..1.36\"
  namespace: {labels: {pod-security.kubernetes.io/enforce: baseline}}
";

const PODS: &str = "
apiVersion: v1
kind: Pod
metadata: {name: plain}
spec:
  containers: [{name: c, image: i}]
---
apiVersion: v1
kind: Pod
metadata: {name: not-privileged}
spec:
  containers: [{name: c, image: i, securityContext: {privileged: false}}]
---
apiVersion: v1
kind: Pod
metadata: {name: probes-a-host}
spec:
  containers: [{name: c, image: i, livenessProbe: {tcpSocket: {port: 80, host: example.com}}}]
---
apiVersion: v1
kind: Pod
metadata: {name: shares}
spec:
  hostPID: true
  containers: [{name: c, image: i}]
";

fn coverage(folder: &Path, pods: &str) -> Coverage {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("clusters/c.yaml", CLUSTER);
    write("scenarios/s.yaml", pods);
    let suite = Suite::load(&Project::load(folder).unwrap()).unwrap();
    let plan = Plan::new(&suite, &Selection::default()).unwrap();
    let results = execute::execute(&plan).unwrap();
    Coverage::of(&plan, &results)
}

#[test]
fn what_the_server_said_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let coverage = coverage(folder.path(), PODS);
    let of = |id: &str, version: &str| {
        let found = coverage
            .checks
            .iter()
            .find(|check| check.id == id && check.version == version)
            .unwrap();
        (!found.tripped.is_empty(), !found.passed.is_empty())
    };
    assert_eq!(of("hostNamespaces", "v1.0"), (true, false));
    assert_eq!(of("privileged", "v1.0"), (false, true));
    assert_eq!(of("hostProbesAndHostLifecycle", "v1.34"), (true, false));
    // Pods without a host port, a volume or a profile show nothing.
    assert_eq!(of("hostPorts", "v1.0"), (false, false));
    assert_eq!(of("hostPathVolumes", "v1.0"), (false, false));
    // No policy here is restricted.
    assert_eq!(of("runAsNonRoot", "v1.0"), (false, false));
    assert!(coverage.policy_fields.is_empty());
    assert_eq!(
        coverage.checks.len(),
        CHECKS.iter().map(|c| c.revisions.len()).sum::<usize>()
    );
    assert!(coverage.holes().count() >= coverage.checks.len() - 1);
}

/// What one version allows and the one before refuses passes and trips with the same object.
#[test]
fn an_object_that_trips_elsewhere_is_what_the_check_is_about() {
    let folder = tempfile::tempdir().unwrap();
    let pods = "
apiVersion: podgate.dev/v1alpha1
kind: Scenario
metadata: {name: s}
spec:
  steps:
  - patch: {object: Namespace, type: merge, body: {metadata: {labels: {pod-security.kubernetes.io/enforce-version: v1.30}}}}
  - apply: [Pod/engine]
  - patch: {object: Namespace, type: merge, body: {metadata: {labels: {pod-security.kubernetes.io/enforce-version: v1.31}}}}
  - apply: [Pod/engine]
---
apiVersion: v1
kind: Pod
metadata: {name: engine}
spec:
  securityContext: {seLinuxOptions: {type: container_engine_t}}
  containers: [{name: c, image: i}]
";
    let coverage = coverage(folder.path(), pods);
    let of = |version: &str| {
        let mut checks = coverage.checks.iter();
        let found = checks.find(|c| c.id == "seLinuxOptions" && c.version == version);
        found.map(|c| (c.tripped.len(), c.passed.len())).unwrap()
    };
    assert_eq!(of("v1.0"), (1, 0));
    assert_eq!(of("v1.31"), (0, 1));
}

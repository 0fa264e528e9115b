//! `cargo xtask codegen`: writes `admission/src/schema/tables.rs` from the Go types of `k8s.io/api`
//! of each minor and from the defaults in `admission/schema/defaults.txt`.
//!
//! The Go program in `upstream/schema` prints the types of one minor. It is run for each minor, and
//! the answers are merged: a field knows the first and the last minor that has it.

mod defaults;
mod emit;
mod go;
mod merge;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// Where the generated tables lie.
const TABLES: &str = "admission/src/schema/tables.rs";
/// Where the versions lie.
const VERSIONS: &str = "upstream/schema/versions.txt";
/// Where the defaults lie.
const DEFAULTS: &str = "admission/schema/defaults.txt";

/// A kind whose struct, with all that it reaches, gets into the tables.
struct Root {
    /// Group, version and kind, as `upstream/schema` takes them.
    gvk: &'static str,
    /// The last minor that serves it; its types may outlive it in `k8s.io/api`. The first one needs
    /// no mention: types do not come before their kind is served.
    until: u8,
}

const fn root(gvk: &'static str) -> Root {
    Root {
        gvk,
        until: u8::MAX,
    }
}

/// The kinds that podgate serves, those of `RESOURCES` in `admission/src/resource.rs`, and behind them what
/// clients send to subresources or beside a request, and are answered without an object.
const ROOTS: &[Root] = &[
    root("core/v1/Namespace"),
    root("core/v1/ServiceAccount"),
    root("core/v1/Pod"),
    root("core/v1/ReplicationController"),
    root("core/v1/PodTemplate"),
    root("core/v1/Event"),
    root("core/v1/Node"),
    root("core/v1/ConfigMap"),
    root("core/v1/Secret"),
    root("core/v1/LimitRange"),
    root("core/v1/ResourceQuota"),
    root("core/v1/Service"),
    root("core/v1/PersistentVolumeClaim"),
    root("apps/v1/Deployment"),
    root("apps/v1/ReplicaSet"),
    root("apps/v1/StatefulSet"),
    root("apps/v1/DaemonSet"),
    root("apps/v1/ControllerRevision"),
    root("batch/v1/Job"),
    root("batch/v1/CronJob"),
    Root {
        gvk: "batch/v1beta1/CronJob",
        until: 24,
    },
    root("rbac.authorization.k8s.io/v1/Role"),
    root("rbac.authorization.k8s.io/v1/ClusterRole"),
    root("rbac.authorization.k8s.io/v1/RoleBinding"),
    root("rbac.authorization.k8s.io/v1/ClusterRoleBinding"),
    Root {
        gvk: "policy/v1beta1/PodSecurityPolicy",
        until: 24,
    },
    root("scheduling.k8s.io/v1/PriorityClass"),
    root("node.k8s.io/v1/RuntimeClass"),
    Root {
        gvk: "node.k8s.io/v1beta1/RuntimeClass",
        until: 24,
    },
    root("authorization.k8s.io/v1/SubjectAccessReview"),
    root("authorization.k8s.io/v1/SelfSubjectAccessReview"),
    root("authorization.k8s.io/v1/LocalSubjectAccessReview"),
    root("authorization.k8s.io/v1/SelfSubjectRulesReview"),
    root("authentication.k8s.io/v1/SelfSubjectReview"),
    root("autoscaling/v1/Scale"),
    root("core/v1/Binding"),
    // `policy/v1` has the same; the k8s.io/api of 1.20 has no such package.
    root("policy/v1beta1/Eviction"),
    root("core/v1/DeleteOptions"),
    root("core/v1/Status"),
];

/// The version of `k8s.io/api`, and of its sister modules, for each minor, oldest first.
pub(crate) fn versions(root: &Path) -> Result<Vec<(u8, String)>> {
    go::versions(&root.join(VERSIONS))
}

/// Writes the tables.
pub(crate) fn write(root: &Path) -> Result<()> {
    let path = root.join(TABLES);
    fs::write(&path, generate(root)?).with_context(|| format!("write {}", path.display()))
}

/// Compares the tables with what would be written.
pub(crate) fn check(root: &Path) -> Result<()> {
    let path = root.join(TABLES);
    let committed =
        fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let generated = generate(root)?;
    if let Some((n, (old, new))) = (1..)
        .zip(committed.lines().zip(generated.lines()))
        .find(|(_, (old, new))| old != new)
    {
        bail!("{TABLES}:{n} is not what codegen writes\n  committed: {old}\n  generated: {new}");
    }
    if committed != generated {
        bail!("{TABLES} is shorter or longer than what codegen writes");
    }
    Ok(())
}

fn generate(root: &Path) -> Result<String> {
    let path = root.join(DEFAULTS);
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let defaults = defaults::parse(&text).with_context(|| DEFAULTS)?;
    let mut tables = merge::merge(&go::read_types(root, ROOTS)?)?;
    merge::apply_defaults(&mut tables, &defaults).with_context(|| DEFAULTS)?;
    emit::rust(&tables)
}

//! Volumes of the type `hostPath` must be forbidden.
//!
//! Restricted fields: `spec.volumes[*].hostPath`. Allowed: unset.
//!
//! Upstream: `policy/check_hostPathVolumes.go`.

use super::{Check, Documentation, Forbidden, Revision, restricted_volumes, wording};
use crate::level::Level;
use crate::remedy::OF_THE_NODE;
use crate::server::Server;
use crate::view::Pod;

pub(super) static CHECK: Check = Check {
    id: "hostPathVolumes",
    level: Level::Baseline,
    revisions: &[Revision {
        since: 0,
        change: "",
        evaluate: host_path_volumes_1_0,
    }],
    overridden_by: Some(&restricted_volumes::CHECK),
    remedy: |_, violation, remedy| remedy.leave(violation, OF_THE_NODE),
    reasons: &["hostPath volumes"],
    details: &["volume \"*\"", "volumes \"*\""],
    documentation: Documentation {
        title: "no hostPath volumes",
        rule: "A hostPath volume shows the pod a file or folder of the node. With the right path \
               that is the kubelet's credentials, the container runtime's socket or other pods' \
               data, so no volume may be of that type, read-only or not.",
        fields: &["spec.volumes[*].hostPath"],
        allowed: &["unset"],
        fix: "Use a volume that belongs to the pod: emptyDir for scratch space, a \
              persistentVolumeClaim (a class of local volumes where the node's disk is wanted) for \
              data, configMap or secret for configuration. An agent that must read the node, such \
              as a log collector, belongs in a privileged namespace.",
        example: "spec:\n  volumes:\n  - name: scratch\n    emptyDir: {}",
    },
};

fn host_path_volumes_1_0(_: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    let bad = || {
        pod.volumes
            .iter()
            .enumerate()
            .filter(|(_, it)| it.source == Some("hostPath"))
    };
    let count = bad().count();
    if count == 0 {
        return None;
    }
    Some(Forbidden {
        reason: "hostPath volumes",
        detail: format!(
            "{} {}",
            wording::plural(count, "volume", "volumes"),
            wording::quoted(bad().map(|(_, volume)| volume.name)),
        ),
        fields: bad()
            .map(|(index, _)| format!("spec.volumes[{index}].hostPath"))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, server};
    use super::*;
    use crate::view::Volume;
    use rstest::rstest;

    #[rstest]
    #[case(&[], "", &[])]
    #[case(&[("a", "emptyDir"), ("b", "nfs")], "", &[])]
    #[case(
        &[("a", "emptyDir"), ("b", "hostPath")],
        r#"hostPath volumes (volume "b")"#,
        &["spec.volumes[1].hostPath"]
    )]
    #[case(
        &[("b", "hostPath"), ("c", "secret"), ("a", "hostPath")],
        r#"hostPath volumes (volumes "b", "a")"#,
        &["spec.volumes[0].hostPath", "spec.volumes[2].hostPath"]
    )]
    fn table(
        #[case] volumes: &[(&'static str, &'static str)],
        #[case] expected: &str,
        #[case] fields: &[&str],
    ) {
        let volumes = volumes.iter().map(|&(name, source)| Volume {
            name,
            source: Some(source),
        });
        let pod = Pod {
            volumes: volumes.collect(),
            ..Pod::default()
        };
        check(&CHECK, server(23), 0, &pod, expected, fields);
    }
}

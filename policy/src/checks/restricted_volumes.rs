//! Only volumes that belong to the pod, or that an administrator provides, may be used.
//!
//! Restricted fields: `spec.volumes[*]`. Allowed: the sources in [`ALLOWED`], and `image` on
//! servers that know it for safe.
//!
//! Upstream: `policy/check_restrictedVolumes.go`.

use super::{Check, Documentation, Forbidden, Revision, wording};
use crate::level::Level;
use crate::remedy::OF_THE_NODE;
use crate::server::Server;
use crate::view::{Pod, Volume};
use std::collections::BTreeSet;

const HOLDS_DATA: &str =
    "it holds data: it must move into a PersistentVolume, which a claim refers to";

pub(super) static CHECK: Check = Check {
    id: "restrictedVolumes",
    level: Level::Restricted,
    revisions: &[Revision {
        since: 0,
        change: "",
        evaluate: restricted_volumes_1_0,
    }],
    overridden_by: None,
    remedy: |_, violation, remedy| {
        for field in &violation.fields {
            let of_node = field.ends_with("].hostPath");
            let reason = if of_node { OF_THE_NODE } else { HOLDS_DATA };
            remedy.leave_field(violation, field, reason);
        }
    },
    reasons: &["restricted volume types"],
    details: &[
        "volume \"*\" uses restricted volume type \"*\"",
        "volumes \"*\" use restricted volume type* \"*\"",
    ],
    documentation: Documentation {
        title: "safe volume types only",
        rule: "Besides hostPath, the volume types that name a server, a disk or a driver of \
               storage themselves let a pod reach storage that no administrator gave it. Storage \
               is asked for by a claim; everything else is made for the pod.",
        fields: &["spec.volumes[*]"],
        allowed: &[
            "configMap",
            "csi",
            "downwardAPI",
            "emptyDir",
            "ephemeral",
            "persistentVolumeClaim",
            "projected",
            "secret",
            "image (servers from 1.33)",
        ],
        fix: "Move the volume into a PersistentVolume and refer to it by a \
              persistentVolumeClaim: the fields are the same there, `nfs` and `iscsi` included. \
              For scratch space use emptyDir, or `ephemeral` for a volume of a storage class; in \
              place of gitRepo, an init container that clones into an emptyDir.",
        example: "spec:\n  volumes:\n  - name: data\n    persistentVolumeClaim:\n      claimName: data",
    },
};

/// The sources that every server allows.
pub(crate) const ALLOWED: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// The sources that messages name; any other is `unknown`.
pub(crate) const NAMED: [&str; 21] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
];

fn restricted_volumes_1_0(server: Server, pod: &Pod<'_>) -> Option<Forbidden> {
    let is_allowed = |volume: &Volume<'_>| {
        volume.source.is_some_and(|source| {
            server.rules().allow(CHECK.id, &ALLOWED, source)
                || (source == "image" && server.image_volumes())
        })
    };
    let bad = || {
        pod.volumes
            .iter()
            .enumerate()
            .filter(|(_, volume)| !is_allowed(volume))
    };
    let count = bad().count();
    if count == 0 {
        return None;
    }
    let named = |volume: &Volume<'_>| volume.source.filter(|source| NAMED.contains(source));
    let kinds: BTreeSet<&str> = bad()
        .map(|(_, volume)| named(volume).unwrap_or("unknown"))
        .collect();
    Some(Forbidden {
        reason: "restricted volume types",
        detail: format!(
            "{} {} {} {} {}",
            wording::plural(count, "volume", "volumes"),
            wording::quoted(bad().map(|(_, volume)| volume.name)),
            wording::plural(count, "uses", "use"),
            wording::plural(
                kinds.len(),
                "restricted volume type",
                "restricted volume types"
            ),
            wording::quoted(kinds),
        ),
        fields: bad()
            .map(|(index, volume)| match volume.source {
                Some(source) => format!("spec.volumes[{index}].{source}"),
                None => format!("spec.volumes[{index}]"),
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, server};
    use super::*;
    use rstest::rstest;

    fn volumes(sources: &[(&'static str, &'static str)]) -> Pod<'static> {
        let volumes = sources.iter().map(|&(name, source)| Volume {
            name,
            source: Some(source),
        });
        Pod {
            volumes: volumes.collect(),
            ..Pod::default()
        }
    }

    #[rstest]
    #[case(&[], "", &[])]
    #[case(
        &[("b", "nfs")],
        r#"restricted volume types (volume "b" uses restricted volume type "nfs")"#,
        &["spec.volumes[0].nfs"]
    )]
    #[case(
        &[("b", "nfs"), ("s", "secret"), ("a", "hostPath")],
        r#"restricted volume types (volumes "b", "a" use restricted volume types "hostPath", "nfs")"#,
        &["spec.volumes[0].nfs", "spec.volumes[2].hostPath"]
    )]
    #[case(
        &[("b", "iscsi"), ("a", "iscsi")],
        r#"restricted volume types (volumes "b", "a" use restricted volume type "iscsi")"#,
        &["spec.volumes[0].iscsi", "spec.volumes[1].iscsi"]
    )]
    fn table(
        #[case] sources: &[(&'static str, &'static str)],
        #[case] expected: &str,
        #[case] fields: &[&str],
    ) {
        check(&CHECK, server(36), 0, &volumes(sources), expected, fields);
    }

    #[test]
    fn allows_what_belongs_to_the_pod() {
        let sources: Vec<_> = ALLOWED.into_iter().map(|source| (source, source)).collect();
        check(&CHECK, server(22), 0, &volumes(&sources), "", &[]);
    }

    #[test]
    fn names_every_source_that_it_refuses() {
        for source in NAMED {
            check(
                &CHECK,
                server(36),
                0,
                &volumes(&[("v", source)]),
                &format!(
                    r#"restricted volume types (volume "v" uses restricted volume type "{source}")"#
                ),
                &[&format!("spec.volumes[0].{source}")],
            );
        }
    }

    #[rstest]
    #[case(33, Some("image"), "", "")]
    #[case(32, Some("image"), "unknown", "spec.volumes[0].image")]
    #[case(36, None, "unknown", "spec.volumes[0]")]
    fn knows_sources_by_server(
        #[case] minor: u8,
        #[case] source: Option<&'static str>,
        #[case] named: &str,
        #[case] field: &str,
    ) {
        let pod = Pod {
            volumes: vec![Volume { name: "v", source }],
            ..Pod::default()
        };
        let text = format!(
            r#"restricted volume types (volume "v" uses restricted volume type "{named}")"#
        );
        let expected = if named.is_empty() { "" } else { &text };
        check(&CHECK, server(minor), 0, &pod, expected, &[field]);
    }
}

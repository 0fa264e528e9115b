//! `volumes`, `allowedFlexVolumes`, `allowedCSIDrivers`: the types of volumes that a pod may have,
//! and the drivers of two of them.
//!
//! `*` allows every type; an empty list allows none. `secret` also allows a projected volume with
//! nothing but a service account's token, the cluster's certificates and the namespace, which is
//! what pods get from 1.21 in place of a secret. Empty lists of drivers allow any.
//!
//! Upstream: `validatePodVolumes` and `allowsVolumeType` in `provider.go`, and `GetVolumeFSType` and
//! `IsOnlyServiceAccountTokenSources` in `util/util.go`.

use super::error::FieldError;
use super::host_paths;
use super::policy::PodSecurityPolicy;
use super::view::{ContainerView, PodView, ProjectedSource, VolumeSource, VolumeView};
use crate::quote;

/// The types of volumes: the name of the source in a pod and the name that policies use, in the
/// order in which upstream looks at the sources of a volume that has several.
pub const VOLUME_TYPES: [(&str, &str); 29] = [
    ("hostPath", "hostPath"),
    ("emptyDir", "emptyDir"),
    ("gcePersistentDisk", "gcePersistentDisk"),
    ("awsElasticBlockStore", "awsElasticBlockStore"),
    ("gitRepo", "gitRepo"),
    ("secret", "secret"),
    ("nfs", "nfs"),
    ("iscsi", "iscsi"),
    ("glusterfs", "glusterfs"),
    ("persistentVolumeClaim", "persistentVolumeClaim"),
    ("rbd", "rbd"),
    ("flexVolume", "flexVolume"),
    ("cinder", "cinder"),
    ("cephfs", "cephFS"),
    ("flocker", "flocker"),
    ("downwardAPI", "downwardAPI"),
    ("fc", "fc"),
    ("azureFile", "azureFile"),
    ("configMap", "configMap"),
    ("vsphereVolume", "vsphereVolume"),
    ("quobyte", "quobyte"),
    ("azureDisk", "azureDisk"),
    ("photonPersistentDisk", "photonPersistentDisk"),
    ("storageos", "storageos"),
    ("projected", "projected"),
    ("portworxVolume", "portworxVolume"),
    ("scaleIO", "scaleIO"),
    ("csi", "csi"),
    ("ephemeral", "ephemeral"),
];

/// Judges the volumes; `containers` are those that the server looks at.
pub(super) fn validate<'c, C>(
    policy: &PodSecurityPolicy<'_>,
    pod: &PodView<'_>,
    containers: impl Fn() -> C,
    errors: &mut Vec<FieldError>,
) where
    C: Iterator<Item = &'c ContainerView<'c>>,
{
    for (index, volume) in pod.volumes.iter().enumerate() {
        if !allows(policy, volume) {
            let path = format!("spec.volumes[{index}]");
            let kind = volume.kind;
            let detail = format!("{kind} volumes are not allowed to be used");
            errors.push(FieldError::invalid(
                "spec.volumes",
                path,
                quote(kind),
                &detail,
            ));
            continue;
        }
        let mut driver = |allowed: &[&str], driver: &str, policy_field, field: &str, detail| {
            if !allowed.is_empty() && !allowed.contains(&driver) {
                let path = format!("spec.volumes[{index}].{field}");
                errors.push(FieldError::invalid(
                    policy_field,
                    path,
                    quote(driver),
                    detail,
                ));
            }
        };
        match volume.source {
            VolumeSource::HostPath(path) => {
                host_paths::validate(policy, index, volume.name, path, containers(), errors);
            }
            VolumeSource::FlexVolume(name) => driver(
                &policy.allowed_flex_volumes,
                name,
                "spec.allowedFlexVolumes",
                "driver",
                "Flexvolume driver is not allowed to be used",
            ),
            VolumeSource::Csi(name) => driver(
                &policy.allowed_csi_drivers,
                name,
                "spec.allowedCSIDrivers",
                "csi.driver",
                "Inline CSI driver is not allowed to be used",
            ),
            VolumeSource::Projected(_) | VolumeSource::Other => {}
        }
    }
}

fn allows(policy: &PodSecurityPolicy<'_>, volume: &VolumeView<'_>) -> bool {
    let allowed = &policy.volumes;
    allowed.contains(&"*")
        || allowed.contains(&volume.kind)
        || match &volume.source {
            VolumeSource::Projected(sources) => {
                allowed.contains(&"secret") && sources.iter().all(is_token_source)
            }
            _ => false,
        }
}

/// Whether a source is one of those that bring a pod its token.
fn is_token_source(source: &ProjectedSource<'_>) -> bool {
    let any =
        source.token.is_some() || source.config_map.is_some() || source.downward_api.is_some();
    let items = source.downward_api.as_deref().unwrap_or_default();
    any && source.token.is_none_or(|token| token == ("token", ""))
        && source
            .config_map
            .is_none_or(|name| name == "kube-root-ca.crt")
        && items.iter().all(|item| {
            item.path == "namespace" && item.field_ref == Some(("v1", "metadata.namespace"))
        })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::testing::{check, policy};
    use super::super::{DownwardItem, Edits};
    use super::*;

    type List = &'static [&'static str];

    fn other(kind: &'static str) -> VolumeView<'static> {
        VolumeView {
            name: "v",
            kind,
            source: VolumeSource::Other,
        }
    }

    fn of(volumes: impl IntoIterator<Item = VolumeView<'static>>) -> PodView<'static> {
        PodView {
            volumes: volumes.into_iter().collect(),
            ..PodView::default()
        }
    }

    #[rstest]
    #[case::none(&[], &[r#"spec.volumes[0]: Invalid value: "emptyDir": emptyDir volumes are not allowed to be used"#, r#"spec.volumes[1]: Invalid value: "cephFS": cephFS volumes are not allowed to be used"#])]
    #[case::one(&["emptyDir"], &[r#"spec.volumes[1]: Invalid value: "cephFS": cephFS volumes are not allowed to be used"#])]
    #[case::both(&["cephFS", "emptyDir"], &[])]
    #[case::any(&["*"], &[])]
    fn types(#[case] allowed: List, #[case] errors: &[&str]) {
        let policy = PodSecurityPolicy {
            volumes: allowed.to_vec(),
            ..policy()
        };
        let pod = of([other("emptyDir"), other("cephFS")]);
        check(&policy, pod, &Edits::default(), errors);
    }

    const FLEX: &str = r#"spec.volumes[0].driver: Invalid value: "c/d": Flexvolume driver is not allowed to be used"#;
    const CSI: &str = r#"spec.volumes[1].csi.driver: Invalid value: "c/d": Inline CSI driver is not allowed to be used"#;

    #[rstest]
    #[case(&[], &[], &[])]
    #[case(&["a/b"], &[], &[FLEX])]
    #[case(&[], &["a/b"], &[CSI])]
    #[case(&["a/b", "c/d"], &["c/d"], &[])]
    fn drivers(#[case] flex: List, #[case] csi: List, #[case] errors: &[&str]) {
        let policy = PodSecurityPolicy {
            allowed_flex_volumes: flex.to_vec(),
            allowed_csi_drivers: csi.to_vec(),
            ..policy()
        };
        let volume = |kind, source| VolumeView {
            name: "v",
            kind,
            source,
        };
        let pod = of([
            volume("flexVolume", VolumeSource::FlexVolume("c/d")),
            volume("csi", VolumeSource::Csi("c/d")),
        ]);
        check(&policy, pod, &Edits::default(), errors);
    }

    #[test]
    fn the_driver_of_a_type_that_is_not_allowed_is_not_looked_at() {
        let policy = PodSecurityPolicy {
            volumes: Vec::new(),
            allowed_csi_drivers: vec!["a"],
            ..policy()
        };
        let pod = of([VolumeView {
            name: "v",
            kind: "csi",
            source: VolumeSource::Csi("b"),
        }]);
        let error =
            r#"spec.volumes[0]: Invalid value: "csi": csi volumes are not allowed to be used"#;
        check(&policy, pod, &Edits::default(), &[error]);
    }

    fn token(path: &'static str, audience: &'static str) -> ProjectedSource<'static> {
        ProjectedSource {
            token: Some((path, audience)),
            ..ProjectedSource::default()
        }
    }

    fn config_map(name: &'static str) -> ProjectedSource<'static> {
        ProjectedSource {
            config_map: Some(name),
            ..ProjectedSource::default()
        }
    }

    fn downward(
        path: &'static str,
        field_ref: Option<(&'static str, &'static str)>,
    ) -> ProjectedSource<'static> {
        ProjectedSource {
            downward_api: Some(vec![DownwardItem { path, field_ref }]),
            ..ProjectedSource::default()
        }
    }

    const NAMESPACE: Option<(&str, &str)> = Some(("v1", "metadata.namespace"));

    #[rstest]
    #[case::the_servers(&[token("token", ""), config_map("kube-root-ca.crt"), downward("namespace", NAMESPACE)], true)]
    #[case::none(&[], true)]
    #[case::a_secret(&[ProjectedSource::default()], false)]
    #[case::other_file(&[token("other", "")], false)]
    #[case::audience(&[token("token", "vault")], false)]
    #[case::other_map(&[config_map("mine")], false)]
    #[case::other_path(&[downward("labels", NAMESPACE)], false)]
    #[case::other_field(&[downward("namespace", Some(("v1", "metadata.labels")))], false)]
    #[case::other_version(&[downward("namespace", Some(("v2", "metadata.namespace")))], false)]
    #[case::resource(&[downward("namespace", None)], false)]
    #[case::one_is_enough(&[token("token", ""), config_map("mine")], false)]
    fn secret_allows_the_token(
        #[case] sources: &[ProjectedSource<'static>],
        #[case] allowed: bool,
    ) {
        let volume = || VolumeView {
            name: "v",
            kind: "projected",
            source: VolumeSource::Projected(sources.to_vec()),
        };
        let refused = r#"spec.volumes[0]: Invalid value: "projected": projected volumes are not allowed to be used"#;
        for (types, allowed) in [
            (vec!["secret"], allowed),
            (vec!["projected"], true),
            (vec!["configMap"], false),
        ] {
            let policy = PodSecurityPolicy {
                volumes: types,
                ..policy()
            };
            let errors: &[&str] = if allowed { &[] } else { &[refused] };
            check(&policy, of([volume()]), &Edits::default(), errors);
        }
    }
}

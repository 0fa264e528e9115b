//! The volumes of a pod: one source each, and what holds for paths in volumes.
//!
//! Upstream: `ValidateVolumes`, `validateVolumeSource`, `validateLocalDescendingPath`,
//! `validatePathNoBacksteps` and `ValidateLocalNonReservedPath` in
//! `pkg/apis/core/validation/validation.go`. The sources are in `volume_sources.rs` and
//! `projected.rs`.

use crate::value::Value;

use super::field::Path;
use super::tree::{field, items, text};
use super::{Validator, claims, names, projected, volume_sources};

/// The volumes that mounts may refer to: those without a mistake.
#[derive(Debug)]
pub(crate) struct Volumes<'v, 'a> {
    all: &'v [Value<'a>],
    /// The indexes of the others.
    invalid: Vec<usize>,
}

impl<'v, 'a> Volumes<'v, 'a> {
    /// The volume called `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&'v Value<'a>> {
        self.all
            .iter()
            .enumerate()
            .find(|(i, volume)| text(volume, "name") == name && !self.invalid.contains(i))
            .map(|(_, volume)| volume)
    }
}

/// `ValidateVolumes`. A template has no metadata of the pod.
pub(crate) fn volumes<'v, 'a>(
    v: &mut Validator,
    spec: &'v Value<'a>,
    pod_meta: Option<&Value<'_>>,
    path: &Path<'_>,
) -> Volumes<'v, 'a> {
    let mut volumes = Volumes {
        all: items(spec, "volumes"),
        invalid: Vec::new(),
    };
    let pod = pod_meta.map_or("", |meta| text(meta, "name"));
    let path = path.child("volumes");
    for (i, volume) in volumes.all.iter().enumerate() {
        let path = path.index(i);
        let name_path = path.child("name");
        let name = text(volume, "name");
        let before = v.errors.len();
        source(v, volume, name, pod, &path);
        if name.is_empty() {
            v.errors.required(&name_path, "");
        } else {
            let wrong = names::dns_label(name, v.minor);
            v.errors.invalid_each(&name_path, name, wrong);
        }
        let taken = volumes.all[..i]
            .iter()
            .enumerate()
            .any(|(j, other)| text(other, "name") == name && !volumes.invalid.contains(&j));
        if taken {
            v.errors.duplicate(&name_path, name);
        }
        if v.errors.len() > before {
            volumes.invalid.push(i);
        }
        if let Some(claim) = field(volume, "persistentVolumeClaim")
            && !pod.is_empty()
        {
            let claim = text(claim, "claimName");
            let created = volumes.all.iter().any(|other| {
                field(other, "ephemeral").is_some()
                    && claim
                        .strip_prefix(pod)
                        .and_then(|rest| rest.strip_prefix('-'))
                        == Some(text(other, "name"))
            });
            if created {
                let path = path.child("persistentVolumeClaim");
                v.errors.invalid(
                    &path.child("claimName"),
                    claim,
                    "must not reference a PVC that gets created for an ephemeral volume",
                );
            }
        }
    }
    volumes
}

/// A kind of source: its field, and where upstream reports that it is one too many, and its own
/// mistakes. Some of these paths are none of the API.
struct Source(&'static str, &'static str, &'static str);

/// The sources in the order in which upstream looks for them.
static SOURCES: [Source; 30] = [
    Source("emptyDir", "emptyDir", "emptyDir"),
    Source("hostPath", "hostPath", "hostPath"),
    Source("gitRepo", "gitRepo", "gitRepo"),
    Source("gcePersistentDisk", "gcePersistentDisk", "persistentDisk"),
    Source(
        "awsElasticBlockStore",
        "awsElasticBlockStore",
        "awsElasticBlockStore",
    ),
    Source("secret", "secret", "secret"),
    Source("nfs", "nfs", "nfs"),
    Source("iscsi", "iscsi", "iscsi"),
    Source("glusterfs", "glusterfs", "glusterfs"),
    Source("flocker", "flocker", "flocker"),
    Source(
        "persistentVolumeClaim",
        "persistentVolumeClaim",
        "persistentVolumeClaim",
    ),
    Source("rbd", "rbd", "rbd"),
    Source("cinder", "cinder", "cinder"),
    Source("cephfs", "cephFS", "cephfs"),
    Source("quobyte", "quobyte", "quobyte"),
    Source("downwardAPI", "downwarAPI", "downwardAPI"),
    Source("fc", "fc", "fc"),
    Source("flexVolume", "flexVolume", "flexVolume"),
    Source("configMap", "configMap", "configMap"),
    Source("azureFile", "azureFile", "azureFile"),
    Source("vsphereVolume", "vsphereVolume", "vsphereVolume"),
    Source(
        "photonPersistentDisk",
        "photonPersistentDisk",
        "photonPersistentDisk",
    ),
    Source("portworxVolume", "portworxVolume", "portworxVolume"),
    Source("azureDisk", "azureDisk", "azureDisk"),
    Source("storageos", "storageos", "storageos"),
    Source("projected", "projected", "projected"),
    Source("scaleIO", "scaleIO", "scaleIO"),
    Source("csi", "csi", "csi"),
    Source("ephemeral", "ephemeral", "ephemeral"),
    Source("image", "image", "image"),
];

/// `validateVolumeSource`
fn source(v: &mut Validator, volume: &Value<'_>, name: &str, pod: &str, path: &Path<'_>) {
    let mut found = false;
    for Source(kind, surplus, own) in &SOURCES {
        let Some(source) = field(volume, kind) else {
            continue;
        };
        if found {
            v.errors.forbidden(
                &path.child(surplus),
                "may not specify more than 1 volume type",
            );
        } else {
            found = true;
            let (volume, path) = (path, path.child(own));
            match *kind {
                "downwardAPI" => projected::downward_api(v, source, &path),
                "projected" => projected::projected(v, source, &path),
                "ephemeral" => {
                    claims::ephemeral(v, source, &path);
                    claims::name(v, name, pod, volume);
                }
                kind => volume_sources::source(v, kind, source, &path),
            }
        }
        if *kind == "iscsi"
            && field(source, "initiatorName").is_some()
            && name.len() + 1 + text(source, "targetPortal").len() > 64
        {
            v.errors.invalid(
                &path.child("name"),
                name,
                "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters \
                 if iscsi.initiatorName is specified.",
            );
        }
    }
    if !found {
        v.errors.required(path, "must specify a volume type");
    }
}

/// Whether a part of the path is `..`.
pub(crate) fn has_backsteps(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}

/// `validatePathNoBacksteps`
pub(crate) fn no_backsteps(v: &mut Validator, target: &str, path: &Path<'_>) {
    if has_backsteps(target) {
        v.errors.invalid(path, target, "must not contain '..'");
    }
}

/// `validateLocalDescendingPath`
pub(crate) fn local_descending_path(v: &mut Validator, target: &str, path: &Path<'_>) {
    if target.starts_with('/') {
        v.errors.invalid(path, target, "must be a relative path");
    }
    no_backsteps(v, target, path);
}

/// `ValidateLocalNonReservedPath`
pub(crate) fn local_path(v: &mut Validator, target: &str, path: &Path<'_>) {
    local_descending_path(v, target, path);
    if target.starts_with("..") && !target.starts_with("../") {
        v.errors.invalid(path, target, "must not start with '..'");
    }
}

/// A mode of a file: three octal digits.
pub(crate) fn file_mode(v: &mut Validator, holder: &Value<'_>, name: &str, path: &Path<'_>) {
    if let Some(mode) = super::tree::int_opt(holder, name)
        && !(0..=0o777).contains(&mode)
    {
        v.errors.invalid(
            &path.child(name),
            mode,
            "must be a number between 0 and 0777 (octal), both inclusive",
        );
    }
}

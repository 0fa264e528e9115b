//! Where objects lie: namespaces, and the paths of requests.

use podgate_admission::resource::{self, Resource};
use podgate_policy::Minor;

use super::Runner;
use crate::error::Error;
use crate::suite::{Cluster, Manifest, Scenario};

impl Runner<'_> {
    pub(super) fn namespace_of(
        &self,
        manifest: &Manifest,
        resource: &Resource,
    ) -> Result<Option<String>, Error> {
        if !resource.namespaced {
            return Ok(None);
        }
        let Some(named) = manifest.document.namespace() else {
            return Ok(Some(self.namespace.clone()));
        };
        if self.declared.iter().any(|n| n == named) {
            return Ok(Some(named.to_owned()));
        }
        Err(manifest.error_at(
            "metadata.namespace",
            format!(
                "namespace `{named}` is declared neither in the cluster file nor in the scenario"
            ),
            "drop metadata.namespace, or set spec.namespace.name of the scenario",
        ))
    }

    /// The path of an object that a step names as `Kind/name`.
    pub(super) fn path_of(&self, object: &str) -> Result<(&'static Resource, String), Error> {
        let wrong =
            |what: String| Error::input(format!("{}: {what}", self.scenario.file.display()));
        let (kind, name) = object.split_once('/').unwrap_or((object, ""));
        let manifest = self
            .scenario
            .manifests
            .iter()
            .find(|m| m.reference() == object);
        let resource = match manifest {
            Some(manifest) => served(manifest, self.minor),
            None => resource::RESOURCES
                .iter()
                .find(|r| r.kind == kind && r.exists_in(self.minor)),
        }
        .ok_or_else(|| {
            wrong(format!(
                "`{object}`: Kubernetes {} serves no {kind}",
                self.minor
            ))
        })?;
        if resource.kind == "Namespace"
            && (name.is_empty() || !self.declared.iter().any(|n| n == name))
        {
            return Ok((resource, format!("/api/v1/namespaces/{}", self.namespace)));
        }
        if name.is_empty() {
            return Err(wrong(format!("`{object}` names no object")).hint("write it as Kind/name"));
        }
        let namespace = match manifest {
            Some(manifest) => self.namespace_of(manifest, resource)?,
            None => resource.namespaced.then(|| self.namespace.clone()),
        };
        Ok((
            resource,
            format!("{}/{name}", collection(resource, namespace.as_deref())),
        ))
    }
}

pub(crate) fn served(manifest: &Manifest, minor: Minor) -> Option<&'static Resource> {
    resource::by_kind(manifest.api_version(), manifest.kind(), minor)
}

pub(super) fn known_in_some_minor(manifest: &Manifest) -> bool {
    Minor::all().any(|minor| served(manifest, minor).is_some())
}

/// The path of the objects of a core resource in a namespace.
pub(super) fn namespaced_path(namespace: &str, resource: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/{resource}")
}

/// The path of a resource's objects, in a namespace or in all.
pub(crate) fn collection(resource: &Resource, namespace: Option<&str>) -> String {
    let root = if resource.group.is_empty() {
        "/api".to_owned()
    } else {
        format!("/apis/{}", resource.group)
    };
    match namespace {
        Some(namespace) => format!(
            "{root}/{}/namespaces/{namespace}/{}",
            resource.version, resource.name
        ),
        None => format!("{root}/{}/{}", resource.version, resource.name),
    }
}

pub(super) fn declared_namespaces(cluster: &Cluster, scenario: &Scenario) -> Vec<String> {
    let manifests = cluster.objects.iter().chain(&scenario.manifests);
    let namespaces = manifests
        .filter(|m| m.kind() == "Namespace")
        .map(|m| m.name.clone());
    namespaces.chain(scenario.namespace.name.clone()).collect()
}

/// The namespace of a scenario: a slug of its id and the cluster's name, within the 63 characters of
/// a label. What does not fit is replaced by a hash, so that two scenarios never share one.
#[must_use]
pub fn namespace_name(scenario: &str, cluster: &str) -> String {
    const LONGEST: usize = 63;
    let whole = format!("{scenario}-{cluster}");
    let mut slug: String = whole
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let plain = slug.trim_matches('-').to_owned();
    if plain == whole && plain.len() <= LONGEST {
        return plain;
    }
    // FNV-1a: short, stable, and nothing depends on its strength.
    let hash = whole.bytes().fold(0x811c_9dc5_u32, |h, b| {
        (h ^ u32::from(b)).wrapping_mul(0x0100_0193)
    });
    slug.truncate(LONGEST - 9);
    format!("{}-{hash:08x}", slug.trim_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_a_label_stays() {
        assert_eq!(
            namespace_name("root-pod", "psa-baseline"),
            "root-pod-psa-baseline"
        );
    }

    #[test]
    fn other_characters_are_replaced_and_told_apart_by_a_hash() {
        let slashed = namespace_name("psa/root_pod", "a");
        let dashed = namespace_name("psa-root_pod", "a");
        assert!(slashed.starts_with("psa-root-pod-a-"), "{slashed}");
        assert_ne!(slashed, dashed);
    }

    #[test]
    fn long_names_fit_and_differ() {
        let a = namespace_name(&"x".repeat(80), "one");
        let b = namespace_name(&"x".repeat(80), "two");
        assert!(a.len() <= 63 && b.len() <= 63 && a != b, "{a} {b}");
    }
}

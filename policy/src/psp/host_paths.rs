//! `allowedHostPaths`: the paths of the node that `hostPath` volumes may start with, some of them
//! only for mounts that cannot be written to. Without a list any path is fine.
//!
//! A prefix ends where a segment of the path does. Where several prefixes match, one that may be
//! written to counts.
//!
//! Upstream: `AllowsHostVolumePath` and `hasPathPrefix` in `util/util.go`, and `validatePodVolumes`
//! in `provider.go`.

use super::error::FieldError;
use super::policy::{AllowedHostPath, PodSecurityPolicy};
use super::view::ContainerView;
use crate::quote;

const FIELD: &str = "spec.allowedHostPaths";

/// Judges the `hostPath` volume `name` at `index`, which is mounted in some of `containers`.
pub(super) fn validate<'c>(
    policy: &PodSecurityPolicy<'_>,
    index: usize,
    name: &str,
    path: &str,
    containers: impl Iterator<Item = &'c ContainerView<'c>>,
    errors: &mut Vec<FieldError>,
) {
    match access(&policy.allowed_host_paths, path) {
        Access::Write => {}
        Access::None => {
            let field = format!("spec.volumes[{index}].hostPath.pathPrefix");
            let detail = "is not allowed to be used";
            errors.push(FieldError::invalid(FIELD, field, quote(path), detail));
        }
        Access::Read => {
            for container in containers {
                for (index, mount) in container.volume_mounts.iter().enumerate() {
                    if mount.name == name && !mount.read_only {
                        let field = container.path(&format!("volumeMounts[{index}].readOnly"));
                        errors.push(FieldError::invalid(
                            FIELD,
                            field,
                            false,
                            "must be read-only",
                        ));
                    }
                }
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    None,
    Read,
    Write,
}

fn access(allowed: &[AllowedHostPath<'_>], path: &str) -> Access {
    if allowed.is_empty() {
        return Access::Write;
    }
    let mut matching = allowed
        .iter()
        .filter(|it| has_path_prefix(path, it.path_prefix))
        .peekable();
    if matching.peek().is_none() {
        Access::None
    } else if matching.all(|it| it.read_only) {
        Access::Read
    } else {
        Access::Write
    }
}

fn has_path_prefix(path: &str, prefix: &str) -> bool {
    let trim = |text| str::strip_suffix(text, '/').unwrap_or(text);
    let rest = trim(path).strip_prefix(trim(prefix));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::testing::{check, container, init, pod, policy};
    use super::super::{Edits, VolumeMount, VolumeSource, VolumeView};
    use super::*;

    #[rstest]
    #[case("/foo", "/foo", true)]
    #[case("/foo/", "/foo", true)]
    #[case("/foo", "/foo/", true)]
    #[case("/foo//", "/foo", true)]
    #[case("/foo/bar", "/foo", true)]
    #[case("/foobar", "/foo", false)]
    #[case("/fo", "/foo", false)]
    #[case("/anything", "/", true)]
    #[case("/", "/", true)]
    #[case("relative", "/", false)]
    #[case("", "/", true)]
    fn prefixes(#[case] path: &str, #[case] prefix: &str, #[case] expected: bool) {
        assert_eq!(has_path_prefix(path, prefix), expected);
    }

    #[rstest]
    #[case(&[], Access::Write)]
    #[case(&[("/b", false)], Access::None)]
    #[case(&[("/a", false)], Access::Write)]
    #[case(&[("/a", true)], Access::Read)]
    #[case(&[("/a", true), ("/", false)], Access::Write)]
    #[case(&[("/b", false), ("/", true)], Access::Read)]
    fn several(#[case] allowed: &[(&'static str, bool)], #[case] expected: Access) {
        let allowed = allowed
            .iter()
            .map(|&(path_prefix, read_only)| AllowedHostPath {
                path_prefix,
                read_only,
            });
        assert_eq!(access(&allowed.collect::<Vec<_>>(), "/a/b"), expected);
    }

    #[rstest]
    #[case("/foobar", false, &[r#"spec.volumes[0].hostPath.pathPrefix: Invalid value: "/foobar": is not allowed to be used"#])]
    #[case("/foo/x", false, &[])]
    #[case("/foo/x", true, &[
        "spec.initContainers[0].volumeMounts[0].readOnly: Invalid value: false: must be read-only",
        "spec.containers[0].volumeMounts[2].readOnly: Invalid value: false: must be read-only",
    ])]
    fn messages(#[case] path: &'static str, #[case] read_only: bool, #[case] errors: &[&str]) {
        let policy = PodSecurityPolicy {
            allowed_host_paths: vec![AllowedHostPath {
                path_prefix: "/foo",
                read_only,
            }],
            ..policy()
        };
        let mount = |name, read_only| VolumeMount { name, read_only };
        let (mut i, mut c) = (init("i"), container("c"));
        i.volume_mounts = vec![mount("v", false)];
        c.volume_mounts = vec![mount("v", true), mount("w", false), mount("v", false)];
        let mut pod = pod([i, c]);
        pod.volumes = vec![VolumeView {
            name: "v",
            kind: "hostPath",
            source: VolumeSource::HostPath(path),
        }];
        check(&policy, pod, &Edits::default(), errors);
    }
}

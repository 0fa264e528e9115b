//! `readOnlyRootFilesystem`: where it is true, containers must have a root file system that they
//! cannot write to, and are given one where they say nothing.
//!
//! Upstream: `mutateContainer` and `validateContainer` in `provider.go`.

use super::error::FieldError;
use super::policy::PodSecurityPolicy;
use super::view::ContainerView;

const FIELD: &str = "spec.readOnlyRootFilesystem";

/// The value for a container that says nothing.
pub(super) fn value(policy: &PodSecurityPolicy<'_>, container: &ContainerView<'_>) -> Option<bool> {
    let own = container.security_context.read_only_root_filesystem;
    (policy.read_only_root_filesystem && own.is_none()).then_some(true)
}

pub(super) fn validate(
    policy: &PodSecurityPolicy<'_>,
    container: &ContainerView<'_>,
    errors: &mut Vec<FieldError>,
) {
    if !policy.read_only_root_filesystem {
        return;
    }
    let (value, detail) = match container.security_context.read_only_root_filesystem {
        Some(true) => return,
        Some(false) => ("false", "ReadOnlyRootFilesystem must be set to true"),
        None => (
            "\"null\"",
            "ReadOnlyRootFilesystem may not be nil and must be set to true",
        ),
    };
    let path = container.path("securityContext.readOnlyRootFilesystem");
    errors.push(FieldError::invalid(FIELD, path, value, detail));
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::testing::{check, container, pod, policy};
    use super::super::{ContainerEdits, Edits};
    use super::*;

    #[rstest]
    #[case(false, None, false, &[])]
    #[case(false, Some(false), false, &[])]
    #[case(true, None, true, &[])]
    #[case(true, Some(true), false, &[])]
    #[case(true, Some(false), false, &["spec.containers[0].securityContext.readOnlyRootFilesystem: Invalid value: false: ReadOnlyRootFilesystem must be set to true"])]
    fn table(
        #[case] required: bool,
        #[case] own: Option<bool>,
        #[case] filled: bool,
        #[case] errors: &[&str],
    ) {
        let policy = PodSecurityPolicy {
            read_only_root_filesystem: required,
            ..policy()
        };
        let mut c = container("c");
        c.security_context.read_only_root_filesystem = own;
        let edits = filled.then(|| ContainerEdits {
            read_only_root_filesystem: Some(true),
            ..ContainerEdits::default()
        });
        let edits = Edits {
            containers: edits.into_iter().collect(),
            ..Edits::default()
        };
        check(&policy, pod([c]), &edits, errors);
    }

    #[test]
    fn without_mutation() {
        let policy = PodSecurityPolicy {
            read_only_root_filesystem: true,
            ..policy()
        };
        let mut errors = Vec::new();
        validate(&policy, &container("c"), &mut errors);
        assert_eq!(
            errors[0].to_string(),
            r#"spec.containers[0].securityContext.readOnlyRootFilesystem: Invalid value: "null": ReadOnlyRootFilesystem may not be nil and must be set to true"#
        );
    }
}

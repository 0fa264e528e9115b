//! `privileged`: whether containers may be privileged.
//!
//! Upstream: `validateContainer` in `provider.go`.

use super::error::FieldError;
use super::policy::PodSecurityPolicy;
use super::view::ContainerView;

pub(super) fn validate(
    policy: &PodSecurityPolicy<'_>,
    container: &ContainerView<'_>,
    errors: &mut Vec<FieldError>,
) {
    if !policy.privileged && container.security_context.privileged == Some(true) {
        let path = container.path("securityContext.privileged");
        let detail = "Privileged containers are not allowed";
        errors.push(FieldError::invalid("spec.privileged", path, true, detail));
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::Edits;
    use super::super::testing::{check, container, init, pod, policy};
    use super::*;

    #[rstest]
    #[case(false, None, &[])]
    #[case(false, Some(false), &[])]
    #[case(false, Some(true), &[
        "spec.initContainers[0].securityContext.privileged: Invalid value: true: Privileged containers are not allowed",
        "spec.containers[1].securityContext.privileged: Invalid value: true: Privileged containers are not allowed",
    ])]
    #[case(true, Some(true), &[])]
    fn table(#[case] allowed: bool, #[case] privileged: Option<bool>, #[case] errors: &[&str]) {
        let policy = PodSecurityPolicy {
            privileged: allowed,
            ..policy()
        };
        let (mut i, mut c) = (init("i"), container("c"));
        i.security_context.privileged = privileged;
        c.security_context.privileged = privileged;
        let pod = pod([i, container("plain"), c]);
        check(&policy, pod, &Edits::default(), errors);
    }
}

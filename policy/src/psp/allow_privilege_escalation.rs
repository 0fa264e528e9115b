//! `allowPrivilegeEscalation`, `defaultAllowPrivilegeEscalation`: whether processes may gain more
//! rights than their parent.
//!
//! The default is given to containers that say nothing; without one, `false` where the policy does
//! not allow `true`. A policy allows it unless it says otherwise. The default is not reconciled with
//! anything else: a privileged container that is given `false` is refused by validation later.
//!
//! Upstream: `mutateContainer` and `validateContainer` in `provider.go`.

use super::error::FieldError;
use super::policy::PodSecurityPolicy;
use super::view::ContainerView;

const FIELD: &str = "spec.allowPrivilegeEscalation";

/// The value for a container that says nothing.
pub(super) fn value(policy: &PodSecurityPolicy<'_>, container: &ContainerView<'_>) -> Option<bool> {
    if container
        .security_context
        .allow_privilege_escalation
        .is_some()
    {
        return None;
    }
    let refused = (!policy.allow_privilege_escalation).then_some(false);
    policy.default_allow_privilege_escalation.or(refused)
}

pub(super) fn validate(
    policy: &PodSecurityPolicy<'_>,
    container: &ContainerView<'_>,
    errors: &mut Vec<FieldError>,
) {
    if policy.allow_privilege_escalation {
        return;
    }
    let value = match container.security_context.allow_privilege_escalation {
        Some(false) => return,
        Some(true) => "true",
        None => "\"null\"",
    };
    let path = container.path("securityContext.allowPrivilegeEscalation");
    let detail = "Allowing privilege escalation for containers is not allowed";
    errors.push(FieldError::invalid(FIELD, path, value, detail));
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::testing::{check, container, pod, policy};
    use super::super::{ContainerEdits, Edits};
    use super::*;

    const REFUSED: &str = "spec.containers[0].securityContext.allowPrivilegeEscalation: Invalid value: true: Allowing privilege escalation for containers is not allowed";

    #[rstest]
    #[case(true, None, None, None, &[])]
    #[case(true, None, Some(true), None, &[])]
    #[case(true, Some(false), None, Some(false), &[])]
    #[case(true, Some(true), None, Some(true), &[])]
    #[case(true, Some(false), Some(true), None, &[])]
    #[case(false, None, None, Some(false), &[])]
    #[case(false, None, Some(false), None, &[])]
    #[case(false, None, Some(true), None, &[REFUSED])]
    #[case(false, Some(true), None, Some(true), &[REFUSED])]
    fn table(
        #[case] allowed: bool,
        #[case] default: Option<bool>,
        #[case] own: Option<bool>,
        #[case] filled: Option<bool>,
        #[case] errors: &[&str],
    ) {
        let policy = PodSecurityPolicy {
            allow_privilege_escalation: allowed,
            default_allow_privilege_escalation: default,
            ..policy()
        };
        let mut c = container("c");
        c.security_context.allow_privilege_escalation = own;
        let edits = filled.map(|value| ContainerEdits {
            allow_privilege_escalation: Some(value),
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
            allow_privilege_escalation: false,
            ..policy()
        };
        let mut errors = Vec::new();
        validate(&policy, &container("c"), &mut errors);
        assert_eq!(
            errors[0].to_string(),
            r#"spec.containers[0].securityContext.allowPrivilegeEscalation: Invalid value: "null": Allowing privilege escalation for containers is not allowed"#
        );
    }
}

//! `runtimeClass`: the runtime classes that pods may name, `*` for any, and the one that pods
//! without one get. A pod without a class is always fine.
//!
//! Upstream: `MutatePod` and `validateRuntimeClassName` in `provider.go`.

use super::error::FieldError;
use super::policy::PodSecurityPolicy;
use super::view::PodView;
use crate::quote;

/// The class for a pod that names none.
pub(super) fn class<'v>(policy: &PodSecurityPolicy<'v>, pod: &PodView<'v>) -> Option<&'v str> {
    let default = policy.runtime_class.as_ref()?.default;
    default.filter(|_| pod.runtime_class.is_none())
}

pub(super) fn validate(
    policy: &PodSecurityPolicy<'_>,
    pod: &PodView<'_>,
    errors: &mut Vec<FieldError>,
) {
    let (Some(options), Some(class)) = (&policy.runtime_class, pod.runtime_class) else {
        return;
    };
    if !options.allowed.iter().any(|&it| it == "*" || it == class) {
        let path = "spec.runtimeClassName".to_owned();
        errors.push(FieldError::invalid(
            "spec.runtimeClass",
            path,
            quote(class),
            "",
        ));
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::testing::{check, policy};
    use super::super::{Edits, RuntimeClassOptions};
    use super::*;

    const REFUSED: &str = r#"spec.runtimeClassName: Invalid value: "a""#;

    fn options(
        allowed: &[&'static str],
        default: Option<&'static str>,
    ) -> RuntimeClassOptions<'static> {
        RuntimeClassOptions {
            allowed: allowed.to_vec(),
            default,
        }
    }

    #[rstest]
    #[case(None, Some("a"), None, &[])]
    #[case(options(&[], None), None, None, &[])]
    #[case(options(&[], None), Some("a"), None, &[REFUSED])]
    #[case(options(&["b", "a"], None), Some("a"), None, &[])]
    #[case(options(&["*"], None), Some("a"), None, &[])]
    #[case(options(&["b"], Some("b")), None, Some("b"), &[])]
    #[case(options(&["b"], Some("b")), Some("a"), None, &[REFUSED])]
    #[case(options(&[], Some("a")), None, Some("a"), &[REFUSED])]
    fn table(
        #[case] runtime_class: impl Into<Option<RuntimeClassOptions<'static>>>,
        #[case] class: Option<&'static str>,
        #[case] filled: Option<&'static str>,
        #[case] errors: &[&str],
    ) {
        let policy = PodSecurityPolicy {
            runtime_class: runtime_class.into(),
            ..policy()
        };
        let pod = PodView {
            runtime_class: class,
            ..PodView::default()
        };
        let edits = Edits {
            runtime_class: filled,
            ..Edits::default()
        };
        check(&policy, pod, &edits, errors);
    }
}

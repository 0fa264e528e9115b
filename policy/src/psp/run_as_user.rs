//! `runAsUser`: the user that containers run as.
//!
//! `MustRunAs` demands a user of its ranges, and fills in the smallest of the first range where a
//! container has none. `MustRunAsNonRoot` demands any user but root, or the promise of
//! `runAsNonRoot`, which it gives itself where the container names neither. `RunAsAny` does
//! nothing. What counts is what is in effect: the container's value, else the pod's.
//!
//! Upstream: `user/{mustrunas,nonroot,runasany}.go`, and `mutateContainer` in `provider.go` for the
//! promise.

use super::error::FieldError;
use super::groups::print_ranges;
use super::policy::{IdRange, StrategyOptions};
use super::view::ContainerView;

const FIELD: &str = "spec.runAsUser";

/// The rule.
#[derive(Clone, Copy, Debug)]
pub(super) enum Strategy<'p> {
    MustRunAs(&'p [IdRange]),
    MustRunAsNonRoot,
    RunAsAny,
}

impl<'p> Strategy<'p> {
    pub(super) fn new(options: &'p StrategyOptions<'_>) -> Result<Self, String> {
        match options.rule {
            "MustRunAs" if options.ranges.is_empty() => {
                Err("MustRunAs requires at least one range".to_owned())
            }
            "MustRunAs" => Ok(Self::MustRunAs(&options.ranges)),
            "MustRunAsNonRoot" => Ok(Self::MustRunAsNonRoot),
            "RunAsAny" => Ok(Self::RunAsAny),
            rule => Err(format!("Unrecognized RunAsUser strategy type {rule}")),
        }
    }

    /// The user for a container that has none.
    pub(super) fn user(self) -> Option<i64> {
        match self {
            Self::MustRunAs(ranges) => Some(ranges[0].min),
            Self::MustRunAsNonRoot | Self::RunAsAny => None,
        }
    }

    /// `runAsNonRoot` for a container that has neither that nor a user.
    pub(super) fn non_root(self) -> Option<bool> {
        matches!(self, Self::MustRunAsNonRoot).then_some(true)
    }

    /// Judges the values that are in effect for a container.
    pub(super) fn validate(
        self,
        container: &ContainerView<'_>,
        non_root: Option<bool>,
        user: Option<i64>,
        errors: &mut Vec<FieldError>,
    ) {
        let path = |field: &str| container.path(&format!("securityContext.{field}"));
        let error = match (self, non_root, user) {
            (Self::MustRunAs(_), _, None) => FieldError::required(FIELD, path("runAsUser"), ""),
            (Self::MustRunAs(ranges), _, Some(user)) => {
                if ranges.iter().any(|range| range.contains(user)) {
                    return;
                }
                let detail = format!("must be in the ranges: {}", print_ranges(ranges));
                FieldError::invalid(FIELD, path("runAsUser"), user, &detail)
            }
            (Self::MustRunAsNonRoot, None, None) => {
                FieldError::required(FIELD, path("runAsNonRoot"), "must be true")
            }
            (Self::MustRunAsNonRoot, Some(false), _) => {
                FieldError::invalid(FIELD, path("runAsNonRoot"), false, "must be true")
            }
            (Self::MustRunAsNonRoot, _, Some(0)) => {
                let detail = "running with the root UID is forbidden";
                FieldError::invalid(FIELD, path("runAsUser"), 0, detail)
            }
            (Self::MustRunAsNonRoot | Self::RunAsAny, ..) => return,
        };
        errors.push(error);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::testing::{check, container, options, pod, policy};
    use super::super::{ContainerEdits, Edits, PodSecurityPolicy, PodView};
    use super::*;

    /// A pod of one container: the values of the pod, and of the container.
    fn runs(
        of_pod: (Option<bool>, Option<i64>),
        of_container: (Option<bool>, Option<i64>),
    ) -> PodView<'static> {
        let mut c = container("c");
        (
            c.security_context.run_as_non_root,
            c.security_context.run_as_user,
        ) = of_container;
        let mut pod = pod([c]);
        (
            pod.security_context.run_as_non_root,
            pod.security_context.run_as_user,
        ) = of_pod;
        pod
    }

    fn fills(user: Option<i64>, non_root: Option<bool>) -> Edits<'static> {
        Edits {
            containers: vec![ContainerEdits {
                run_as_user: user,
                run_as_non_root: non_root,
                ..ContainerEdits::default()
            }],
            ..Edits::default()
        }
    }

    const NOTHING: (Option<bool>, Option<i64>) = (None, None);

    #[rstest]
    #[case::filled(runs(NOTHING, NOTHING), fills(Some(1000), None), "")]
    #[case::of_the_pod(runs((None, Some(2000)), NOTHING), Edits::default(), "")]
    #[case::of_the_container(runs((None, Some(0)), (None, Some(1000))), Edits::default(), "")]
    #[case::root(runs(NOTHING, (Some(true), Some(0))), Edits::default(), "spec.containers[0].securityContext.runAsUser: Invalid value: 0: must be in the ranges: [{1000 1999} {2000 2000}]")]
    #[case::root_pod(runs((None, Some(0)), NOTHING), Edits::default(), "spec.containers[0].securityContext.runAsUser: Invalid value: 0: must be in the ranges: [{1000 1999} {2000 2000}]")]
    fn must_run_as(#[case] pod: PodView<'_>, #[case] edits: Edits<'_>, #[case] error: &str) {
        let policy = PodSecurityPolicy {
            run_as_user: options("MustRunAs", &[(1000, 1999), (2000, 2000)]),
            ..policy()
        };
        let errors: &[&str] = if error.is_empty() { &[] } else { &[error] };
        check(&policy, pod, &edits, errors);
    }

    #[rstest]
    #[case::promised(runs(NOTHING, NOTHING), fills(None, Some(true)), "")]
    #[case::any_user(runs((None, Some(7)), NOTHING), Edits::default(), "")]
    #[case::promise_of_the_pod(runs((Some(true), None), NOTHING), Edits::default(), "")]
    #[case::taken_back(runs((Some(true), None), (Some(false), None)), Edits::default(), "spec.containers[0].securityContext.runAsNonRoot: Invalid value: false: must be true")]
    #[case::taken_back_though_no_root(runs((Some(false), Some(7)), NOTHING), Edits::default(), "spec.containers[0].securityContext.runAsNonRoot: Invalid value: false: must be true")]
    #[case::root(runs(NOTHING, (None, Some(0))), Edits::default(), "spec.containers[0].securityContext.runAsUser: Invalid value: 0: running with the root UID is forbidden")]
    #[case::promised_root(runs((Some(true), Some(0)), NOTHING), Edits::default(), "spec.containers[0].securityContext.runAsUser: Invalid value: 0: running with the root UID is forbidden")]
    fn must_run_as_non_root(
        #[case] pod: PodView<'_>,
        #[case] edits: Edits<'_>,
        #[case] error: &str,
    ) {
        let policy = PodSecurityPolicy {
            run_as_user: options("MustRunAsNonRoot", &[]),
            ..policy()
        };
        let errors: &[&str] = if error.is_empty() { &[] } else { &[error] };
        check(&policy, pod, &edits, errors);
    }

    #[test]
    fn run_as_any() {
        let pod = runs((Some(false), Some(0)), NOTHING);
        check(&policy(), pod, &Edits::default(), &[]);
    }

    // Mutation always leaves a value; validation alone would miss it.
    #[rstest]
    #[case(
        Strategy::MustRunAsNonRoot,
        "spec.containers[0].securityContext.runAsNonRoot: Required value: must be true"
    )]
    #[case(
        Strategy::MustRunAs(&[]),
        "spec.containers[0].securityContext.runAsUser: Required value"
    )]
    fn without_mutation(#[case] strategy: Strategy<'_>, #[case] expected: &str) {
        let mut errors = Vec::new();
        strategy.validate(&container("c"), None, None, &mut errors);
        assert_eq!(errors[0].to_string(), expected);
    }

    #[rstest]
    #[case("MustRunAs", "MustRunAs requires at least one range")]
    #[case("MayRunAs", "Unrecognized RunAsUser strategy type MayRunAs")]
    fn broken(#[case] rule: &'static str, #[case] expected: &str) {
        let options = options(rule, &[]);
        assert_eq!(Strategy::new(&options).expect_err("broken"), expected);
    }
}

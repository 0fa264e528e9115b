//! `fsGroup`, `supplementalGroups`, `runAsGroup`: the groups that a pod's processes and files
//! belong to.
//!
//! `MustRunAs` demands groups of its ranges, and fills in the smallest of the first range where the
//! pod names none. `MayRunAs` demands the same of groups that the pod names, and fills in nothing.
//! `RunAsAny` does neither, and is what an absent `runAsGroup` means. An explicit empty list of
//! supplementary groups is not filled, and `MustRunAs` then refuses it.
//!
//! Upstream: `group/{mustrunas,mayrunas,runasany,helpers}.go`.

use super::error::FieldError;
use super::policy::{IdRange, StrategyOptions};

/// The rule of one of the three fields.
#[derive(Clone, Copy, Debug)]
pub(super) enum Strategy<'p> {
    MustRunAs(&'p [IdRange]),
    MayRunAs(&'p [IdRange]),
    RunAsAny,
}

impl<'p> Strategy<'p> {
    /// `field` is the Go name of the policy's field, for the reason why it is broken.
    pub(super) fn new(field: &str, options: &'p StrategyOptions<'_>) -> Result<Self, String> {
        let ranges = &options.ranges[..];
        match options.rule {
            "RunAsAny" => Ok(Self::RunAsAny),
            rule @ ("MustRunAs" | "MayRunAs") if ranges.is_empty() => {
                Err(format!("ranges must be supplied for {rule}"))
            }
            "MustRunAs" => Ok(Self::MustRunAs(ranges)),
            "MayRunAs" => Ok(Self::MayRunAs(ranges)),
            rule => Err(format!("Unrecognized {field} strategy type {rule}")),
        }
    }

    /// The group for a pod that names none (`Generate`, `GenerateSingle`).
    pub(super) fn group(self) -> Option<i64> {
        match self {
            Self::MustRunAs(ranges) => Some(ranges[0].min),
            Self::MayRunAs(_) | Self::RunAsAny => None,
        }
    }

    /// Judges the groups of a pod; `None` where it names none.
    pub(super) fn validate(
        self,
        policy_field: &'static str,
        path: impl Fn() -> String,
        groups: Option<&[i64]>,
        errors: &mut Vec<FieldError>,
    ) {
        let (ranges, required) = match self {
            Self::MustRunAs(ranges) => (ranges, true),
            Self::MayRunAs(ranges) => (ranges, false),
            Self::RunAsAny => return,
        };
        let named = groups.unwrap_or_default();
        let value = || print_list(groups);
        if required && named.is_empty() {
            let detail = "unable to validate empty groups against required ranges";
            errors.push(FieldError::invalid(policy_field, path(), value(), detail));
        }
        for &group in named {
            if !ranges.iter().any(|range| range.contains(group)) {
                let detail = format!(
                    "group {group} must be in the ranges: {}",
                    print_ranges(ranges)
                );
                errors.push(FieldError::invalid(policy_field, path(), value(), &detail));
            }
        }
    }
}

/// Go's `%#v` of a `[]int64`.
fn print_list(groups: Option<&[i64]>) -> String {
    let Some(groups) = groups else {
        return "[]int64(nil)".to_owned();
    };
    let groups: Vec<_> = groups.iter().map(ToString::to_string).collect();
    format!("[]int64{{{}}}", groups.join(", "))
}

/// Go's `%v` of a `[]IDRange`.
pub(super) fn print_ranges(ranges: &[IdRange]) -> String {
    let ranges: Vec<_> = ranges.iter().map(ToString::to_string).collect();
    format!("[{}]", ranges.join(" "))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::testing::{check, container, options, pod, policy};
    use super::super::{ContainerEdits, Edits, PodSecurityContext, PodSecurityPolicy, PodView};
    use super::*;

    const SPLIT: &[(i64, i64)] = &[(1, 5), (8, 9)];

    fn fs_group(rule: &'static str) -> PodSecurityPolicy<'static> {
        PodSecurityPolicy {
            fs_group: options(rule, SPLIT),
            ..policy()
        }
    }

    #[rstest]
    #[case("MustRunAs", None, Some(1), "")]
    #[case("MustRunAs", Some(9), None, "")]
    #[case(
        "MustRunAs",
        Some(7),
        None,
        "spec.securityContext.fsGroup: Invalid value: []int64{7}: group 7 must be in the ranges: [{1 5} {8 9}]"
    )]
    #[case(
        "MustRunAs",
        Some(0),
        None,
        "spec.securityContext.fsGroup: Invalid value: []int64{0}: group 0 must be in the ranges: [{1 5} {8 9}]"
    )]
    #[case("MayRunAs", None, None, "")]
    #[case("MayRunAs", Some(5), None, "")]
    #[case(
        "MayRunAs",
        Some(6),
        None,
        "spec.securityContext.fsGroup: Invalid value: []int64{6}: group 6 must be in the ranges: [{1 5} {8 9}]"
    )]
    #[case("RunAsAny", Some(6), None, "")]
    fn fs_groups(
        #[case] rule: &'static str,
        #[case] group: Option<i64>,
        #[case] filled: Option<i64>,
        #[case] error: &str,
    ) {
        let mut pod = PodView::default();
        pod.security_context.fs_group = group;
        let edits = Edits {
            fs_group: filled,
            ..Edits::default()
        };
        let errors: &[&str] = if error.is_empty() { &[] } else { &[error] };
        check(&fs_group(rule), pod, &edits, errors);
    }

    const EMPTY: &str = "spec.securityContext.supplementalGroups: Invalid value: []int64{}: unable to validate empty groups against required ranges";
    const TWO: &[&str] = &[
        "spec.securityContext.supplementalGroups: Invalid value: []int64{6, 1, 10}: group 6 must be in the ranges: [{1 5} {8 9}]",
        "spec.securityContext.supplementalGroups: Invalid value: []int64{6, 1, 10}: group 10 must be in the ranges: [{1 5} {8 9}]",
    ];

    #[rstest]
    #[case("MustRunAs", None, Some(1), &[])]
    #[case("MustRunAs", Some(&[][..]), None, &[EMPTY])]
    #[case("MustRunAs", Some(&[6, 1, 10][..]), None, TWO)]
    #[case("MayRunAs", None, None, &[])]
    #[case("MayRunAs", Some(&[][..]), None, &[])]
    #[case("MayRunAs", Some(&[6, 1, 10][..]), None, TWO)]
    #[case("RunAsAny", Some(&[6, 1, 10][..]), None, &[])]
    fn supplemental_groups(
        #[case] rule: &'static str,
        #[case] groups: Option<&[i64]>,
        #[case] filled: Option<i64>,
        #[case] errors: &[&str],
    ) {
        let policy = PodSecurityPolicy {
            supplemental_groups: options(rule, SPLIT),
            ..policy()
        };
        let mut pod = PodView::default();
        pod.security_context.supplemental_groups = groups.map(<[i64]>::to_vec);
        let edits = Edits {
            supplemental_group: filled,
            ..Edits::default()
        };
        check(&policy, pod, &edits, errors);
    }

    // Container groups are judged as they are in effect, and at a path without the field's name.
    #[rstest]
    #[case(Some("MustRunAs"), None, None, Some(1), &[])]
    #[case(Some("MustRunAs"), Some(8), None, None, &[])]
    #[case(Some("MustRunAs"), None, Some(2), None, &[])]
    #[case(Some("MustRunAs"), Some(7), Some(2), None, &[])]
    #[case(Some("MustRunAs"), Some(2), Some(7), None, &["spec.containers[0].securityContext: Invalid value: []int64{7}: group 7 must be in the ranges: [{1 5} {8 9}]"])]
    #[case(Some("MayRunAs"), Some(7), None, None, &["spec.containers[0].securityContext: Invalid value: []int64{7}: group 7 must be in the ranges: [{1 5} {8 9}]"])]
    #[case(Some("MayRunAs"), None, None, None, &[])]
    #[case(Some("RunAsAny"), Some(7), None, None, &[])]
    #[case(None, Some(7), None, None, &[])]
    fn run_as_group(
        #[case] rule: Option<&'static str>,
        #[case] of_pod: Option<i64>,
        #[case] of_container: Option<i64>,
        #[case] filled: Option<i64>,
        #[case] errors: &[&str],
    ) {
        let policy = PodSecurityPolicy {
            run_as_group: rule.map(|rule| options(rule, SPLIT)),
            ..policy()
        };
        let mut c = container("c");
        c.security_context.run_as_group = of_container;
        let mut pod = pod([c]);
        pod.security_context = PodSecurityContext {
            run_as_group: of_pod,
            ..PodSecurityContext::default()
        };
        let edits = filled.map(|group| ContainerEdits {
            run_as_group: Some(group),
            ..ContainerEdits::default()
        });
        let edits = Edits {
            containers: edits.into_iter().collect(),
            ..Edits::default()
        };
        check(&policy, pod, &edits, errors);
    }

    // After mutation a group is always there; validation alone would miss it.
    #[test]
    fn nothing_is_printed_as_a_nil_slice() {
        let ranges = [IdRange { min: 1, max: 1 }];
        let mut errors = Vec::new();
        Strategy::MustRunAs(&ranges).validate("spec.fsGroup", || "p".to_owned(), None, &mut errors);
        assert_eq!(
            errors[0].to_string(),
            "p: Invalid value: []int64(nil): unable to validate empty groups against required ranges"
        );
    }

    #[rstest]
    #[case("MustRunAs", "ranges must be supplied for MustRunAs")]
    #[case("MayRunAs", "ranges must be supplied for MayRunAs")]
    #[case("Nope", "Unrecognized FSGroup strategy type Nope")]
    fn broken(#[case] rule: &'static str, #[case] expected: &str) {
        let options = options(rule, &[]);
        assert_eq!(
            Strategy::new("FSGroup", &options).expect_err("broken"),
            expected
        );
    }
}

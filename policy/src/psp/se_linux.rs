//! `seLinux`: the SELinux context of containers.
//!
//! `MustRunAs` demands exactly the policy's options, and fills them into the pod where it has none;
//! containers without options of their own inherit them. `RunAsAny` does nothing. Levels are equal
//! where they have the same categories in whatever order.
//!
//! Upstream: `selinux/{mustrunas,runasany}.go`.

use super::error::FieldError;
use super::policy::SeLinuxStrategyOptions;
use super::view::SeLinuxOptions;
use crate::quote;

const FIELD: &str = "spec.seLinux";

/// The rule.
#[derive(Clone, Copy, Debug)]
pub(super) enum Strategy<'p> {
    MustRunAs(SeLinuxOptions<'p>),
    RunAsAny,
}

impl<'p> Strategy<'p> {
    pub(super) fn new(options: &SeLinuxStrategyOptions<'p>) -> Result<Self, String> {
        match (options.rule, options.options) {
            ("MustRunAs", Some(options)) => Ok(Self::MustRunAs(options)),
            ("MustRunAs", None) => Err("MustRunAs requires SELinuxOptions".to_owned()),
            ("RunAsAny", _) => Ok(Self::RunAsAny),
            (rule, _) => Err(format!("Unrecognized SELinuxContext strategy type {rule}")),
        }
    }

    /// The options for a pod that has none.
    pub(super) fn options(self) -> Option<SeLinuxOptions<'p>> {
        match self {
            Self::MustRunAs(options) => Some(options),
            Self::RunAsAny => None,
        }
    }

    /// Judges the options of a pod, or those that are in effect for a container. `path` makes the
    /// path of `seLinuxOptions`.
    pub(super) fn validate(
        self,
        path: impl Fn() -> String,
        options: Option<&SeLinuxOptions<'_>>,
        errors: &mut Vec<FieldError>,
    ) {
        let Self::MustRunAs(wanted) = self else {
            return;
        };
        let Some(options) = options else {
            errors.push(FieldError::required(FIELD, path(), ""));
            return;
        };
        let mut refuse = |allowed: bool, name: &str, wanted: &str, actual: &str| {
            if !allowed {
                let path = format!("{}.{name}", path());
                let detail = format!("must be {wanted}");
                errors.push(FieldError::invalid(FIELD, path, quote(actual), &detail));
            }
        };
        refuse(
            equal_levels(wanted.level, options.level),
            "level",
            wanted.level,
            options.level,
        );
        for (name, wanted, actual) in [
            ("role", wanted.role, options.role),
            ("type", wanted.kind, options.kind),
            ("user", wanted.user, options.user),
        ] {
            refuse(wanted == actual, name, wanted, actual);
        }
    }
}

/// `equalLevels`: the same text, or the same sensitivity and the same categories.
fn equal_levels(one: &str, other: &str) -> bool {
    let categories = |text: &str| {
        let mut categories: Vec<String> = text.split(',').map(str::to_owned).collect();
        categories.sort();
        categories
    };
    one == other
        || match (one.split_once(':'), other.split_once(':')) {
            (Some((one, of_one)), Some((other, of_other))) => {
                one == other && categories(of_one) == categories(of_other)
            }
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::testing::{check, container, pod, policy};
    use super::super::{Edits, PodSecurityPolicy};
    use super::*;

    fn options(
        level: &'static str,
        role: &'static str,
        kind: &'static str,
        user: &'static str,
    ) -> SeLinuxOptions<'static> {
        SeLinuxOptions {
            level,
            role,
            kind,
            user,
        }
    }

    fn must(options: Option<SeLinuxOptions<'static>>) -> PodSecurityPolicy<'static> {
        PodSecurityPolicy {
            se_linux: SeLinuxStrategyOptions {
                rule: "MustRunAs",
                options,
            },
            ..policy()
        }
    }

    #[rstest]
    #[case("s0:c1,c2", "s0:c1,c2", true)]
    #[case("s0:c1,c2", "s0:c2,c1", true)]
    #[case("s0:c1,c2", "s1:c1,c2", false)]
    #[case("s0:c1,c2", "s0:c1", false)]
    #[case("s0:c1,c1", "s0:c1", false)]
    #[case("s0", "s0", true)]
    #[case("s0", "s0:", false)]
    #[case("a:b:c", "a:b:c", true)]
    #[case("", "", true)]
    fn levels(#[case] one: &str, #[case] other: &str, #[case] expected: bool) {
        assert_eq!(equal_levels(one, other), expected);
    }

    #[test]
    fn fills_the_pod_and_not_its_containers() {
        let wanted = options("s0:c1", "", "t", "u");
        let edits = Edits {
            se_linux: Some(wanted),
            ..Edits::default()
        };
        check(&must(Some(wanted)), pod([container("c")]), &edits, &[]);
    }

    #[test]
    fn empty_options_are_filled_in_all_the_same() {
        let wanted = SeLinuxOptions::default();
        let edits = Edits {
            se_linux: Some(wanted),
            ..Edits::default()
        };
        check(&must(Some(wanted)), pod([container("c")]), &edits, &[]);
    }

    #[test]
    fn every_container_repeats_what_it_inherits() {
        let wanted = options("s0:c1", "r", "t", "");
        let mut own = container("own");
        own.security_context.se_linux = Some(options("s0:c1", "r", "t", ""));
        let mut pod = pod([container("c"), own]);
        pod.security_context.se_linux = Some(options("s1", "\"", "t", "u"));
        check(
            &must(Some(wanted)),
            pod,
            &Edits::default(),
            &[
                r#"spec.securityContext.seLinuxOptions.level: Invalid value: "s1": must be s0:c1"#,
                r#"spec.securityContext.seLinuxOptions.role: Invalid value: "\"": must be r"#,
                r#"spec.securityContext.seLinuxOptions.user: Invalid value: "u": must be "#,
                r#"spec.containers[0].securityContext.seLinuxOptions.level: Invalid value: "s1": must be s0:c1"#,
                r#"spec.containers[0].securityContext.seLinuxOptions.role: Invalid value: "\"": must be r"#,
                r#"spec.containers[0].securityContext.seLinuxOptions.user: Invalid value: "u": must be "#,
            ],
        );
    }

    #[test]
    fn nothing_is_required() {
        let mut errors = Vec::new();
        let strategy = Strategy::MustRunAs(SeLinuxOptions::default());
        strategy.validate(|| "p".to_owned(), None, &mut errors);
        assert_eq!(errors[0].to_string(), "p: Required value");
    }

    #[rstest]
    #[case("MustRunAs", "MustRunAs requires SELinuxOptions")]
    #[case("MayRunAs", "Unrecognized SELinuxContext strategy type MayRunAs")]
    fn broken(#[case] rule: &'static str, #[case] expected: &str) {
        let options = SeLinuxStrategyOptions {
            rule,
            options: None,
        };
        assert_eq!(Strategy::new(&options).expect_err("broken"), expected);
    }
}

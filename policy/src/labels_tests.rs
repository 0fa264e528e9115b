//! Labels against the policies that upstream reads from them.

use super::*;
use crate::minor::Minor;
use rstest::rstest;

fn server(minor: u8) -> Server {
    Server::new(Minor::known(minor))
}

/// Reads `enforce=baseline warn-version=v1.20`.
fn lookup<'a>(labels: &'a str) -> impl Fn(&'static str) -> Option<&'a str> {
    move |key| {
        let name = key
            .strip_prefix("pod-security.kubernetes.io/")
            .expect("a key of the six");
        let mut pairs = labels
            .split_whitespace()
            .filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

fn print(policy: &NamespacePolicy) -> String {
    format!("{} {} {}", policy.enforce, policy.audit, policy.warn)
}

const NOTHING: &str = "privileged:latest privileged:latest privileged:latest";

#[rstest]
#[case(36, "", NOTHING, &[])]
#[case(
    36, "enforce=baseline audit=restricted audit-version=v1.20 warn=baseline warn-version=v1.99",
    "baseline:latest restricted:v1.20 baseline:v1.99", &[]
)]
// A version alone keeps the level.
#[case(36, "enforce-version=v1.20", "privileged:v1.20 privileged:latest privileged:latest", &[])]
// A bad enforced level fails closed and keeps its version; what audits and warns fails open.
#[case(
    36, "enforce=foo enforce-version=v1.20 audit=foo audit-version=v1.21 warn=foo",
    "restricted:v1.20 privileged:v1.21 privileged:latest",
    &["enforce: must be one of privileged, baseline, restricted",
      "audit: must be one of privileged, baseline, restricted",
      "warn: must be one of privileged, baseline, restricted"]
)]
#[case(
    36, "enforce= enforce-version=v2.0 audit=Baseline audit-version=1.20 warn-version=v1.01",
    "restricted:latest privileged:latest privileged:latest",
    &["enforce: must be one of privileged, baseline, restricted",
      "enforce-version: must be \"latest\" or \"v1.x\"",
      "audit: must be one of privileged, baseline, restricted",
      "audit-version: must be \"latest\" or \"v1.x\"",
      "warn-version: must be \"latest\" or \"v1.x\""]
)]
// From 1.26 on a namespace that enforces also warns.
#[case(
    25, "enforce=restricted enforce-version=v1.20",
    "restricted:v1.20 privileged:latest privileged:latest", &[]
)]
#[case(
    26, "enforce=restricted enforce-version=v1.20",
    "restricted:v1.20 privileged:latest restricted:v1.20", &[]
)]
#[case(
    26, "enforce=restricted enforce-version=v1.20 warn-version=v1.21",
    "restricted:v1.20 privileged:latest restricted:v1.21", &[]
)]
#[case(
    26, "enforce=restricted enforce-version=v1.x",
    "restricted:latest privileged:latest restricted:latest",
    &["enforce-version: must be \"latest\" or \"v1.x\""]
)]
// Not from a bad label, and not where warnings are labelled, even badly.
#[case(
    26, "enforce=foo", "restricted:latest privileged:latest privileged:latest",
    &["enforce: must be one of privileged, baseline, restricted"]
)]
#[case(26, "enforce=restricted warn=privileged", "restricted:latest privileged:latest privileged:latest", &[])]
#[case(
    26, "enforce=restricted warn=foo", "restricted:latest privileged:latest privileged:latest",
    &["warn: must be one of privileged, baseline, restricted"]
)]
#[case(26, "enforce=privileged", NOTHING, &[])]
fn reads(
    #[case] minor: u8,
    #[case] labels: &str,
    #[case] expected: &str,
    #[case] expected_errors: &[&str],
) {
    let (policy, errors) = parse(lookup(labels), &NamespacePolicy::default(), server(minor));
    assert_eq!(print(&policy), expected);
    let errors: Vec<_> = errors
        .iter()
        .map(|error| {
            let name = error
                .label()
                .strip_prefix("pod-security.kubernetes.io/")
                .unwrap();
            assert_eq!(lookup(labels)(error.label()), Some(error.value.as_str()));
            format!("{name}: {error}")
        })
        .collect();
    assert_eq!(errors, expected_errors);
}

#[rstest]
#[case("", "baseline:v1.25 restricted:v1.26 baseline:v1.27")]
#[case(
    "enforce=privileged audit=baseline",
    "privileged:v1.25 baseline:v1.26 baseline:v1.27"
)]
#[case("enforce=baseline", "baseline:v1.25 restricted:v1.26 baseline:v1.27")]
// Stricter than the configured warning: level and version follow.
#[case(
    "enforce=restricted",
    "restricted:v1.25 restricted:v1.26 restricted:v1.25"
)]
// The level of the configuration does not spread to warnings.
#[case(
    "enforce-version=v1.20",
    "baseline:v1.20 restricted:v1.26 baseline:v1.27"
)]
fn starts_from_defaults(#[case] labels: &str, #[case] expected: &str) {
    let defaults = NamespacePolicy {
        enforce: "baseline:v1.25".parse().unwrap(),
        audit: "restricted:v1.26".parse().unwrap(),
        warn: "baseline:v1.27".parse().unwrap(),
    };
    let (policy, errors) = parse(lookup(labels), &defaults, server(36));
    assert_eq!(print(&policy), expected);
    assert_eq!(errors, []);
}

#[rstest]
#[case(36, "enforce=restricted", "enforce=restricted:latest")]
#[case(
    25,
    "enforce=restricted",
    "enforce=restricted:latest, warn=baseline:latest"
)]
#[case(
    36,
    "enforce=restricted warn=baseline",
    "enforce=restricted:latest, warn=baseline:latest"
)]
#[case(
    36,
    "enforce=privileged audit=restricted audit-version=v1.20 warn-version=v1.21",
    "audit=restricted:v1.20, warn=baseline:v1.21"
)]
fn prints_compactly(#[case] minor: u8, #[case] labels: &str, #[case] expected: &str) {
    let baseline: LevelVersion = "baseline".parse().unwrap();
    let defaults = NamespacePolicy {
        warn: baseline,
        ..NamespacePolicy::default()
    };
    let (policy, _) = parse(lookup(labels), &defaults, server(minor));
    assert_eq!(policy.compact(server(minor), lookup(labels)), expected);
}

#[test]
fn names_errors_as_1_22() {
    let labels = "enforce=x enforce-version=x audit=x audit-version=x warn=x warn-version=x";
    let (_, errors) = parse(lookup(labels), &NamespacePolicy::default(), server(22));
    let names: Vec<_> = errors.iter().map(LabelError::alpha_name).collect();
    let expected = [
        "Enforce.Level",
        "Enforce.Version",
        "Audit.Level",
        "Audit.Version",
        "Warn.Level",
        "Warn.Version",
    ];
    assert_eq!(names, expected);
}

#[rstest]
#[case("", "enforce=privileged enforce-version=v1.20", true)]
#[case("audit=baseline", "audit=baseline audit-version=latest", true)]
#[case("audit=baseline", "audit=baseline audit-version=v1.36", false)]
fn compares(#[case] one: &str, #[case] other: &str, #[case] expected: bool) {
    let read = |labels| parse(lookup(labels), &NamespacePolicy::default(), server(36)).0;
    assert_eq!(read(one).equivalent(&read(other)), expected);
    assert!(!expected || read(one).fully_privileged() == read(other).fully_privileged());
}

//! Messages read back, hostile ones among them. Those of real servers are read in
//! `tests/recorded_messages.rs`.

use super::*;
use crate::minor::Minor;
use rstest::rstest;

fn server(minor: u8) -> Server {
    Server::new(Minor::known(minor))
}

#[rstest]
#[case("abc", "abc", true)]
#[case("abc", "abcd", false)]
#[case("a*c", "abbc", true)]
#[case("a*c", "ac", true)]
#[case("a*c", "abb", false)]
#[case("a*bc*d", "a--bc--d", true)]
#[case("a*bc*d", "a--b--d", false)]
#[case("a*b*b", "ab", false)]
#[case("*", "", true)]
#[case("*", "a\"b", false)]
#[case("\"*\"", "\"a\"b\"", true)]
fn matches_patterns(#[case] pattern: &str, #[case] text: &str, #[case] expected: bool) {
    assert_eq!(matches(pattern, text), expected);
}

const CAPABILITIES: &str =
    r#"(container "c" must not include "X" in securityContext.capabilities.add)"#;

#[rstest]
#[case(36, "nothing of the kind", &[])]
#[case(36, r#"pods "p" is forbidden: error looking up service account"#, &[])]
#[case(36, r#"pods "p" is forbidden: violates PodSecurity "strict:latest": privileged (x)"#, &[])]
#[case(
    36, "Error creating: pods \"p-1\" is forbidden: violates PodSecurity \"baseline:v1.99\": \
         host namespaces (hostNetwork=true), hostPort (container \"a\" uses hostPort 80)",
    &["hostNamespaces", "hostPorts"]
)]
#[case(36, "would violate PodSecurity \"baseline:latest\": host namespaces (hostPID=true)", &["hostNamespaces"])]
// A server without the plugin runs no check.
#[case(21, "would violate PodSecurity \"baseline:latest\": host namespaces (hostPID=true)", &[])]
// The same reason belongs to different checks at different levels and versions.
#[case(
    36, "violates PodSecurity \"baseline:latest\": seccompProfile (pod must not set \
         securityContext.seccompProfile.type to \"Unconfined\")",
    &["seccompProfile_baseline"]
)]
#[case(
    36, "violates PodSecurity \"restricted:latest\": seccompProfile (pod must not set \
         securityContext.seccompProfile.type to \"Unconfined\")",
    &["seccompProfile_restricted"]
)]
#[case(
    36, "violates PodSecurity \"restricted:v1.18\": seccompProfile (forbidden annotation k=\"v\")",
    &["seccompProfile_baseline"]
)]
#[case(
    23, "violates PodSecurity \"restricted:latest\": seccompProfile (pod must not set \
         securityContext.seccompProfile.type to \"Unconfined\"), runAsUser=0 (pod must not set \
         runAsUser=0), seccompProfile (pod must not set securityContext.seccompProfile.type to \
         \"Unconfined\")",
    &["seccompProfile_baseline", "runAsUser", "seccompProfile_restricted"]
)]
#[case(
    23, "violates PodSecurity \"restricted:latest\": seccompProfile (pod or container \"c\" must \
         set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")",
    &["seccompProfile_restricted"]
)]
#[case(
    36, "violates PodSecurity \"baseline:latest\": procMount (container \"c\" must not set \
         securityContext.procMount to \"Unmasked\")",
    &["procMount"]
)]
#[case(
    36, "violates PodSecurity \"restricted:v1.34\": procMount (container \"c\" must not set \
         securityContext.procMount to \"Unmasked\")",
    &["procMount"]
)]
#[case(
    36, "violates PodSecurity \"restricted:latest\": procMount (container \"c\" must not set \
         securityContext.procMount to \"Unmasked\")",
    &["procMount_restricted"]
)]
// 1.22 names no policy when it rejects, and both halves the other way round when it warns.
#[case(
    22, r#"pods "p" is forbidden: host namespaces (hostPID=true), runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)"#,
    &["hostNamespaces", "runAsNonRoot"]
)]
#[case(22, r#"pods "p" is forbidden: host namespaces (hostPID=true), and more"#, &[])]
#[case(
    22, r#"would violate "latest" version of "baseline" PodSecurity profile: host namespaces (hostPID=true)"#,
    &["hostNamespaces"]
)]
// Cut off.
#[case(
    36, "would violate PodSecurity \"restricted:latest\": host namespaces (hostPID=true), \
         allowPrivilegeEscalation != false (containers \"a\", \"b",
    &["hostNamespaces", "allowPrivilegeEscalation"]
)]
#[case(
    36, "would violate PodSecurity \"restricted:latest\": host namespaces (hostPID=true), allowP",
    &["hostNamespaces"]
)]
fn reads(#[case] minor: u8, #[case] message: &str, #[case] expected: &[&str]) {
    assert_eq!(checks_in_message(server(minor), message), expected);
}

/// Names of capabilities that look like other checks, or end the text early.
#[rstest]
#[case("a)")]
#[case("a), privileged (b")]
#[case(r#"a"), privileged (container "x" must not set securityContext.privileged=true), (b"#)]
#[case(r#"X" in securityContext.capabilities.add), privileged (container "a"#)]
#[case(r#"X" in securityContext.capabilities.add), seLinuxOptions (pod set "#)]
#[case(r#"X" in securityContext.capabilities.add), forbidden sysctls (y"#)]
#[case(&"), hostPort (".repeat(200))]
fn is_not_deceived(#[case] capability: &str) {
    let hostile = CAPABILITIES.replace('X', capability);
    let message = format!(
        "violates PodSecurity \"baseline:latest\": non-default capabilities {hostile}, \
         host namespaces (hostPID=true), hostPath volumes (volume \"v\")"
    );
    let expected = ["capabilities_baseline", "hostNamespaces", "hostPathVolumes"];
    assert_eq!(checks_in_message(server(36), &message), expected);
}

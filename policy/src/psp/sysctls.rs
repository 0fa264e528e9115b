//! `forbiddenSysctls`, `allowedUnsafeSysctls`: the kernel parameters of a pod.
//!
//! Safe ones are allowed unless they are forbidden, all others are not unless they are allowed. A
//! pattern that ends in `*` stands for all names that start so.
//!
//! Upstream: `sysctl/mustmatchpatterns.go`.

use super::error::FieldError;
use super::policy::PodSecurityPolicy;
use super::view::PodView;
use crate::quote;
use crate::server::Server;

/// The names that are safe on every server.
const SAFE: [&str; 4] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
];
/// Safe on newer servers.
const UNPRIVILEGED_PORT_START: &str = "net.ipv4.ip_unprivileged_port_start";

pub(super) fn validate(
    policy: &PodSecurityPolicy<'_>,
    server: Server,
    pod: &PodView<'_>,
    errors: &mut Vec<FieldError>,
) {
    let is_safe = |name: &str| {
        SAFE.contains(&name)
            || name == UNPRIVILEGED_PORT_START && server.unprivileged_port_start_is_safe()
    };
    for (index, name) in pod.security_context.sysctls.iter().enumerate() {
        let (policy_field, unsafe_) = if matches(&policy.forbidden_sysctls, name) {
            ("spec.forbiddenSysctls", "")
        } else if is_safe(name) || matches(&policy.allowed_unsafe_sysctls, name) {
            continue;
        } else {
            ("spec.allowedUnsafeSysctls", "unsafe ")
        };
        let path = format!("pod.spec.securityContext.sysctls[{index}]");
        let detail = format!("{unsafe_}sysctl {} is not allowed", quote(name));
        errors.push(FieldError::forbidden(policy_field, path, &detail));
    }
}

fn matches(patterns: &[&str], name: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == *pattern,
        })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::testing::{errors_on, policy};
    use super::*;

    type List = &'static [&'static str];

    const SAFE_NAME: &str = "net.ipv4.tcp_syncookies";

    #[rstest]
    #[case::safe(&[], &[], SAFE_NAME, "")]
    #[case::as_written(&[], &[], "net/ipv4/tcp_syncookies", r#"unsafe sysctl "net/ipv4/tcp_syncookies" is not allowed"#)]
    #[case::unsafe_(&[], &[], "kernel.x", r#"unsafe sysctl "kernel.x" is not allowed"#)]
    #[case::allowed(&[], &["kernel.x"], "kernel.x", "")]
    #[case::not_a_prefix(&[], &["kernel.x"], "kernel.xy", r#"unsafe sysctl "kernel.xy" is not allowed"#)]
    #[case::by_pattern(&[], &["kernel.*"], "kernel.x", "")]
    #[case::all(&[], &["*"], "kernel.x", "")]
    #[case::forbidden(&["kernel.x"], &[], "kernel.x", r#"sysctl "kernel.x" is not allowed"#)]
    #[case::forbidden_though_safe(&["net.*"], &[], SAFE_NAME, r#"sysctl "net.ipv4.tcp_syncookies" is not allowed"#)]
    #[case::forbidden_though_allowed(&["kernel.x"], &["*"], "kernel.x", r#"sysctl "kernel.x" is not allowed"#)]
    fn table(
        #[case] forbidden: List,
        #[case] allowed: List,
        #[case] name: &'static str,
        #[case] detail: &str,
    ) {
        let policy = PodSecurityPolicy {
            forbidden_sysctls: forbidden.to_vec(),
            allowed_unsafe_sysctls: allowed.to_vec(),
            ..policy()
        };
        let mut pod = PodView::default();
        pod.security_context.sysctls = vec![SAFE[0], name];
        let expected = format!("pod.spec.securityContext.sysctls[1]: Forbidden: {detail}");
        let mut errors = errors_on(23, &policy, &pod);
        errors.retain(|error| error.contains("[1]"));
        if detail.is_empty() {
            assert_eq!(errors, [""; 0]);
        } else {
            assert_eq!(errors, [expected]);
        }
    }

    #[rstest]
    #[case(20, 1)]
    #[case(21, 1)]
    #[case(22, 0)]
    #[case(24, 0)]
    fn unprivileged_port_start(#[case] minor: u8, #[case] errors: usize) {
        let mut pod = PodView::default();
        pod.security_context.sysctls = vec![UNPRIVILEGED_PORT_START];
        assert_eq!(errors_on(minor, &policy(), &pod).len(), errors);
    }
}

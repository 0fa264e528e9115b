//! `hostNetwork`, `hostPID`, `hostIPC`: whether a pod may use the namespaces of its node.
//!
//! Upstream: `ValidatePod` in `provider.go`. The paths are those of upstream's internal type, where
//! the three stand in the security context.

use super::error::FieldError;
use super::policy::PodSecurityPolicy;
use super::view::PodView;

pub(super) fn validate(
    policy: &PodSecurityPolicy<'_>,
    pod: &PodView<'_>,
    errors: &mut Vec<FieldError>,
) {
    for (allowed, used, policy_field, name) in [
        (
            policy.host_network,
            pod.host_network,
            "spec.hostNetwork",
            "Host network",
        ),
        (policy.host_pid, pod.host_pid, "spec.hostPID", "Host PID"),
        (policy.host_ipc, pod.host_ipc, "spec.hostIPC", "Host IPC"),
    ] {
        if used && !allowed {
            let path = policy_field.replace("spec.", "spec.securityContext.");
            let detail = format!("{name} is not allowed to be used");
            errors.push(FieldError::invalid(policy_field, path, true, &detail));
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::Edits;
    use super::super::testing::{check, policy};
    use super::*;

    #[rstest]
    #[case([false, false, false], [false, false, false], &[])]
    #[case([false, false, false], [true, true, true], &[
        "spec.securityContext.hostNetwork: Invalid value: true: Host network is not allowed to be used",
        "spec.securityContext.hostPID: Invalid value: true: Host PID is not allowed to be used",
        "spec.securityContext.hostIPC: Invalid value: true: Host IPC is not allowed to be used",
    ])]
    #[case([true, false, true], [true, true, true], &[
        "spec.securityContext.hostPID: Invalid value: true: Host PID is not allowed to be used",
    ])]
    #[case([true, true, true], [true, true, true], &[])]
    fn table(#[case] allowed: [bool; 3], #[case] used: [bool; 3], #[case] errors: &[&str]) {
        let policy = PodSecurityPolicy {
            host_network: allowed[0],
            host_pid: allowed[1],
            host_ipc: allowed[2],
            ..policy()
        };
        let pod = PodView {
            host_network: used[0],
            host_pid: used[1],
            host_ipc: used[2],
            ..PodView::default()
        };
        check(&policy, pod, &Edits::default(), errors);
    }
}

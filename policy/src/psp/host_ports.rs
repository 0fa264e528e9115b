//! `hostPorts`: the ports of the node that containers may use.
//!
//! Pods with `hostNetwork` have their container ports as host ports before policies see them.
//!
//! Upstream: `hasInvalidHostPort` in `provider.go`. The path names the container, not the port.

use super::error::FieldError;
use super::policy::{HostPortRange, PodSecurityPolicy};
use super::view::ContainerView;

pub(super) fn validate(
    policy: &PodSecurityPolicy<'_>,
    container: &ContainerView<'_>,
    errors: &mut Vec<FieldError>,
) {
    let ranges = &policy.host_ports;
    for &port in &container.host_ports {
        let allowed = |range: &HostPortRange| range.min <= port && port <= range.max;
        if port > 0 && !ranges.iter().any(allowed) {
            let detail = format!(
                "Host port {port} is not allowed to be used. Allowed ports: [{}]",
                print(ranges)
            );
            let path = container.path("hostPort");
            errors.push(FieldError::invalid("spec.hostPorts", path, port, &detail));
        }
    }
}

fn print(ranges: &[HostPortRange]) -> String {
    let ranges = ranges.iter().map(|range| {
        if range.min == range.max {
            range.min.to_string()
        } else {
            format!("{}-{}", range.min, range.max)
        }
    });
    ranges.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::Edits;
    use super::super::testing::{check, container, pod, policy};
    use super::*;

    #[rstest]
    #[case(&[], &[0, 0], &[])]
    #[case(&[], &[80], &["spec.containers[0].hostPort: Invalid value: 80: Host port 80 is not allowed to be used. Allowed ports: []"])]
    #[case(&[(80, 80), (100, 200)], &[80, 100, 200, 0], &[])]
    #[case(&[(80, 80), (100, 200)], &[99, 80, 201], &[
        "spec.containers[0].hostPort: Invalid value: 99: Host port 99 is not allowed to be used. Allowed ports: [80,100-200]",
        "spec.containers[0].hostPort: Invalid value: 201: Host port 201 is not allowed to be used. Allowed ports: [80,100-200]",
    ])]
    #[case(&[(0, 65535)], &[1, 65535], &[])]
    fn table(#[case] ranges: &[(i64, i64)], #[case] ports: &[i64], #[case] errors: &[&str]) {
        let ranges = ranges.iter().map(|&(min, max)| HostPortRange { min, max });
        let policy = PodSecurityPolicy {
            host_ports: ranges.collect(),
            ..policy()
        };
        let mut c = container("c");
        c.host_ports = ports.to_vec();
        check(&policy, pod([c]), &Edits::default(), errors);
    }
}

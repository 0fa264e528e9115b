//! `allowedProcMountTypes`: how `/proc` may be mounted in containers.
//!
//! Without a list only `Default`, which is also what nothing means. Servers drop the list from
//! policies unless the feature gate `ProcMountType` is on, which it is not by default; the pod's
//! field is dropped too, but only after policies have seen it.
//!
//! Upstream: `validateContainer` in `provider.go`.

use super::error::FieldError;
use super::policy::PodSecurityPolicy;
use super::view::ContainerView;
use crate::quote;

pub(super) fn validate(
    policy: &PodSecurityPolicy<'_>,
    container: &ContainerView<'_>,
    errors: &mut Vec<FieldError>,
) {
    let proc_mount = container.security_context.proc_mount.unwrap_or("Default");
    let allowed = match &policy.allowed_proc_mount_types[..] {
        [] => &["Default"],
        listed => listed,
    };
    if !allowed.contains(&proc_mount) {
        errors.push(FieldError::invalid(
            "spec.allowedProcMountTypes",
            container.path("securityContext.procMount"),
            quote(proc_mount),
            "ProcMountType is not allowed",
        ));
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::Edits;
    use super::super::testing::{check, container, pod, policy};
    use super::*;

    #[rstest]
    #[case(&[], None, "")]
    #[case(&[], Some("Default"), "")]
    #[case(&[], Some("Unmasked"), r#"Invalid value: "Unmasked": ProcMountType is not allowed"#)]
    #[case(&[], Some("Bogus"), r#"Invalid value: "Bogus": ProcMountType is not allowed"#)]
    #[case(&["Default", "Unmasked"], Some("Unmasked"), "")]
    #[case(&["Unmasked"], None, r#"Invalid value: "Default": ProcMountType is not allowed"#)]
    fn table(
        #[case] allowed: &[&'static str],
        #[case] proc_mount: Option<&'static str>,
        #[case] error: &str,
    ) {
        let policy = PodSecurityPolicy {
            allowed_proc_mount_types: allowed.to_vec(),
            ..policy()
        };
        let mut c = container("c");
        c.security_context.proc_mount = proc_mount;
        let error = format!("spec.containers[0].securityContext.procMount: {error}");
        let errors: &[&str] = if error.ends_with(": ") {
            &[]
        } else {
            &[&error]
        };
        check(&policy, pod([c]), &Edits::default(), errors);
    }
}

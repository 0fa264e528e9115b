//! `defaultAddCapabilities`, `requiredDropCapabilities`, `allowedCapabilities`.
//!
//! A container is given the default ones, but for those that it drops itself, and drops the required
//! ones; where either list grows, both are written anew, sorted. It may add what is allowed or given
//! by default. `*` among the allowed ones ends all checks. Names are compared as they are.
//!
//! Upstream: `capabilities/capabilities.go`.

use std::collections::BTreeSet;

use super::error::FieldError;
use super::policy::PodSecurityPolicy;
use super::view::ContainerView;
use crate::quote;
use crate::view::Capabilities;

/// The capabilities of a container after the policy; `None` where nothing changes.
pub(super) fn capabilities<'v>(
    policy: &PodSecurityPolicy<'v>,
    container: &ContainerView<'v>,
) -> Option<Capabilities<'v>> {
    if policy.default_add_capabilities.is_empty() && policy.required_drop_capabilities.is_empty() {
        return None;
    }
    let own = container.security_context.capabilities.as_ref();
    let set = |list: Option<&Vec<&'v str>>| -> BTreeSet<&'v str> {
        list.into_iter().flatten().copied().collect()
    };
    let (own_add, own_drop) = (set(own.map(|it| &it.add)), set(own.map(|it| &it.drop)));
    let mut add = own_add.clone();
    let given = policy.default_add_capabilities.iter();
    add.extend(given.filter(|capability| !own_drop.contains(*capability)));
    let mut drop = own_drop.clone();
    drop.extend(&policy.required_drop_capabilities);
    if add.len() == own_add.len() && drop.len() == own_drop.len() {
        return None;
    }
    Some(Capabilities {
        add: add.into_iter().collect(),
        drop: drop.into_iter().collect(),
    })
}

pub(super) fn validate(
    policy: &PodSecurityPolicy<'_>,
    container: &ContainerView<'_>,
    errors: &mut Vec<FieldError>,
) {
    let path = |field: &str| container.path(&format!("securityContext.capabilities{field}"));
    let required = &policy.required_drop_capabilities;
    let given = &policy.default_add_capabilities;
    let Some(capabilities) = &container.security_context.capabilities else {
        if !required.is_empty() || !given.is_empty() {
            let detail = "required capabilities are not set on the securityContext";
            let field = "spec.requiredDropCapabilities";
            errors.push(FieldError::invalid(field, path(""), "\"null\"", detail));
        }
        return;
    };
    let allowed = &policy.allowed_capabilities;
    if allowed.contains(&"*") {
        return;
    }
    for capability in &capabilities.add {
        if !given.contains(capability) && !allowed.contains(capability) {
            errors.push(FieldError::invalid(
                "spec.allowedCapabilities",
                path(".add"),
                quote(capability),
                "capability may not be added",
            ));
        }
    }
    for capability in required {
        if !capabilities.drop.contains(capability) {
            errors.push(FieldError::invalid(
                "spec.requiredDropCapabilities",
                path(".drop"),
                print_list(&capabilities.drop),
                &format!("{capability} is required to be dropped but was not found"),
            ));
        }
    }
}

/// Go's `%#v` of a `[]core.Capability`.
fn print_list(list: &[&str]) -> String {
    if list.is_empty() {
        return "[]core.Capability(nil)".to_owned();
    }
    let list: Vec<_> = list.iter().map(|capability| quote(capability)).collect();
    format!("[]core.Capability{{{}}}", list.join(", "))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::testing::{check, container, pod, policy};
    use super::super::{ContainerEdits, Edits};
    use super::*;

    type List = &'static [&'static str];

    fn lists(add: List, drop: List) -> Capabilities<'static> {
        Capabilities {
            add: add.to_vec(),
            drop: drop.to_vec(),
        }
    }

    fn rules(given: List, required: List, allowed: List) -> PodSecurityPolicy<'static> {
        PodSecurityPolicy {
            default_add_capabilities: given.to_vec(),
            required_drop_capabilities: required.to_vec(),
            allowed_capabilities: allowed.to_vec(),
            ..policy()
        }
    }

    const REFUSED: &str = r#"spec.containers[0].securityContext.capabilities.add: Invalid value: "X": capability may not be added"#;

    #[rstest]
    #[case::nothing(rules(&[], &[], &[]), None, None, &[])]
    #[case::none_to_add(rules(&[], &[], &[]), lists(&["X"], &[]), None, &[REFUSED])]
    #[case::drops_are_free(rules(&[], &[], &[]), lists(&[], &["X"]), None, &[])]
    #[case::allowed(rules(&[], &[], &["X"]), lists(&["X"], &[]), None, &[])]
    #[case::any(rules(&[], &[], &["*"]), lists(&["X"], &[]), None, &[])]
    #[case::as_written(rules(&[], &[], &["x", "CAP_X"]), lists(&["X"], &[]), None, &[REFUSED])]
    #[case::given(rules(&["X"], &[], &[]), None, lists(&["X"], &[]), &[])]
    #[case::given_already(rules(&["X"], &[], &[]), lists(&["X"], &[]), None, &[])]
    #[case::given_but_dropped(rules(&["X"], &[], &[]), lists(&[], &["X"]), None, &[])]
    #[case::dropped(rules(&[], &["ALL"], &[]), None, lists(&[], &["ALL"]), &[])]
    #[case::dropped_already(rules(&[], &["ALL"], &[]), lists(&[], &["ALL"]), None, &[])]
    #[case::sorted_when_changed(rules(&[], &["B"], &["*"]), lists(&["Z", "Y", "Z"], &["C", "A"]), lists(&["Y", "Z"], &["A", "B", "C"]), &[])]
    #[case::as_it_is_when_not(rules(&[], &["A"], &["*"]), lists(&["Z", "Y", "Z"], &["C", "A"]), None, &[])]
    #[case::refused_and_dropped(rules(&["G"], &["A"], &["Y"]), lists(&["X"], &[]), lists(&["G", "X"], &["A"]), &[REFUSED])]
    fn table(
        #[case] policy: PodSecurityPolicy<'_>,
        #[case] own: impl Into<Option<Capabilities<'static>>>,
        #[case] changed: impl Into<Option<Capabilities<'static>>>,
        #[case] errors: &[&str],
    ) {
        let mut c = container("c");
        c.security_context.capabilities = own.into();
        let edits = changed.into().map(|capabilities| ContainerEdits {
            capabilities: Some(capabilities),
            ..ContainerEdits::default()
        });
        let edits = Edits {
            containers: edits.into_iter().collect(),
            ..Edits::default()
        };
        check(&policy, pod([c]), &edits, errors);
    }

    // Mutation drops what must be dropped; validation alone would miss it.
    #[rstest]
    #[case(None, r#"spec.containers[0].securityContext.capabilities: Invalid value: "null": required capabilities are not set on the securityContext"#)]
    #[case(lists(&[], &[]), "spec.containers[0].securityContext.capabilities.drop: Invalid value: []core.Capability(nil): A is required to be dropped but was not found")]
    #[case(lists(&[], &["B", "C"]), r#"spec.containers[0].securityContext.capabilities.drop: Invalid value: []core.Capability{"B", "C"}: A is required to be dropped but was not found"#)]
    fn without_mutation(
        #[case] own: impl Into<Option<Capabilities<'static>>>,
        #[case] expected: &str,
    ) {
        let mut c = container("c");
        c.security_context.capabilities = own.into();
        let mut errors = Vec::new();
        validate(&rules(&[], &["A"], &[]), &c, &mut errors);
        assert_eq!(errors[0].to_string(), expected);
    }
}

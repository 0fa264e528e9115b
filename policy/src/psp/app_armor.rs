//! `AppArmor`, by two annotations of the policy.
//!
//! `.../allowedProfileNames` lists the profiles that containers may have; where it is there each
//! container must have one. Without it anything goes. `.../defaultProfileName` is given to
//! containers without a profile.
//!
//! Upstream: `apparmor/strategy.go`.

use std::borrow::Cow;

use super::error::FieldError;
use super::policy::PodSecurityPolicy;
use super::view::{ContainerView, PodView};
use crate::quote;

pub(super) const FIELD: &str =
    "metadata.annotations[apparmor.security.beta.kubernetes.io/allowedProfileNames]";
/// The annotation of a container, followed by its name.
const PREFIX: &str = "container.apparmor.security.beta.kubernetes.io/";

/// The annotation for a container that has none.
pub(super) fn annotation<'v>(
    policy: &PodSecurityPolicy<'v>,
    pod: &PodView<'v>,
    container: &str,
) -> Option<(Cow<'v, str>, Cow<'v, str>)> {
    let default = policy.app_armor_default_profile.filter(|p| !p.is_empty())?;
    let key = format!("{PREFIX}{container}");
    if pod.annotation(&key).is_some_and(|it| !it.is_empty()) {
        return None;
    }
    Some((Cow::Owned(key), Cow::Borrowed(default)))
}

pub(super) fn validate(
    policy: &PodSecurityPolicy<'_>,
    pod: &PodView<'_>,
    container: &ContainerView<'_>,
    errors: &mut Vec<FieldError>,
) {
    let Some(allowed) = policy.app_armor_allowed_profiles else {
        return;
    };
    let key = format!("{PREFIX}{}", container.name);
    let profile = pod.annotation(&key).map_or("", |profile| &**profile);
    let detail = if profile.is_empty() {
        "AppArmor profile must be set".to_owned()
    } else if allowed.split(',').any(|it| it == profile) {
        return;
    } else {
        let allowed = quote(allowed);
        format!("{profile} is not an allowed profile. Allowed values: {allowed}")
    };
    let path = format!("pod.metadata.annotations[{key}]");
    errors.push(FieldError::forbidden(FIELD, path, &detail));
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::Edits;
    use super::super::testing::{check, container, pod, policy};
    use super::*;

    #[rstest]
    #[case::anything_goes(None, None, Some("unconfined"), None, "")]
    #[case::nothing_goes_too(None, None, None, None, "")]
    #[case::filled(Some("runtime/default"), None, None, Some("runtime/default"), "")]
    #[case::empty_is_filled(Some("x"), None, Some(""), Some("x"), "")]
    #[case::not_overwritten(Some("x"), None, Some("y"), None, "")]
    #[case::empty_default(Some(""), None, None, None, "")]
    #[case::allowed(
        None,
        Some("runtime/default,localhost/a"),
        Some("localhost/a"),
        None,
        ""
    )]
    #[case::filled_and_allowed(Some("a"), Some("a"), None, Some("a"), "")]
    #[case::required(None, Some("a"), None, None, "AppArmor profile must be set")]
    #[case::required_by_an_empty_list(None, Some(""), None, None, "AppArmor profile must be set")]
    #[case::refused(
        None,
        Some("runtime/default,localhost/a"),
        Some("unconfined"),
        None,
        r#"unconfined is not an allowed profile. Allowed values: "runtime/default,localhost/a""#
    )]
    #[case::refused_default(
        Some("b"),
        Some("a"),
        None,
        Some("b"),
        r#"b is not an allowed profile. Allowed values: "a""#
    )]
    fn table(
        #[case] default: Option<&'static str>,
        #[case] allowed: Option<&'static str>,
        #[case] profile: Option<&'static str>,
        #[case] filled: Option<&'static str>,
        #[case] detail: &str,
    ) {
        let policy = PodSecurityPolicy {
            app_armor_default_profile: default,
            app_armor_allowed_profiles: allowed,
            ..policy()
        };
        let key = "container.apparmor.security.beta.kubernetes.io/c";
        let mut pod = pod([container("c")]);
        if let Some(profile) = profile {
            pod.set_annotation(key.into(), profile.into());
        }
        let edits = Edits {
            annotations: filled
                .map(|value| (key.into(), value.into()))
                .into_iter()
                .collect(),
            ..Edits::default()
        };
        let error = format!("pod.metadata.annotations[{key}]: Forbidden: {detail}");
        let errors: &[&str] = if detail.is_empty() { &[] } else { &[&error] };
        check(&policy, pod, &edits, errors);
    }
}

//! Seccomp, by two annotations of the policy.
//!
//! `.../allowedProfileNames` lists the profiles that a pod and its containers may have, `*` for any;
//! without it none may be set. `.../defaultProfileName` is given to a pod that has no profile. A
//! profile of the pod's field is written into the pod's annotation, whatever the policy says: so
//! such a pod is changed by every policy, and the first by name gets it. Containers inherit the
//! pod's profile, so a forbidden one is told for the pod and for each of them.
//!
//! Upstream: `seccomp/strategy.go`, and `SeccompAnnotationForField` in `pkg/api/pod/util.go`.

use std::borrow::Cow;

use super::error::FieldError;
use super::policy::PodSecurityPolicy;
use super::view::{ContainerView, PodView, SeccompProfile};

pub(super) const FIELD: &str =
    "metadata.annotations[seccomp.security.alpha.kubernetes.io/allowedProfileNames]";
/// The annotation of a pod.
pub(super) const POD_KEY: &str = "seccomp.security.alpha.kubernetes.io/pod";
/// The annotation of a container, followed by its name.
const CONTAINER_PREFIX: &str = "container.seccomp.security.alpha.kubernetes.io/";
/// Two names of one profile: a policy that allows one allows the other.
const RUNTIME_DEFAULT: [&str; 2] = ["docker/default", "runtime/default"];

/// The two annotations, read.
#[derive(Clone, Debug)]
pub(super) struct Strategy<'p> {
    default: Option<&'p str>,
    /// The allowed profiles without `*`.
    allowed: Vec<&'p str>,
    any: bool,
    /// The annotation as it stands, for messages.
    printed: &'p str,
}

impl<'p> Strategy<'p> {
    pub(super) fn new(policy: &PodSecurityPolicy<'p>) -> Self {
        let profiles = policy.seccomp_allowed_profiles.into_iter();
        let (any, allowed): (Vec<_>, Vec<_>) = profiles
            .flat_map(|list| list.split(','))
            .partition(|profile| *profile == "*");
        Self {
            default: policy.seccomp_default_profile.filter(|p| !p.is_empty()),
            allowed,
            any: !any.is_empty(),
            printed: policy.seccomp_allowed_profiles.unwrap_or_default(),
        }
    }

    /// The annotation that the pod is given; `None` where it has one, or gets none.
    pub(super) fn annotation<'v>(&self, pod: &PodView<'v>) -> Option<Cow<'v, str>>
    where
        'p: 'v,
    {
        if pod.annotation(POD_KEY).is_some_and(|it| !it.is_empty()) {
            return None;
        }
        let profile = match &pod.security_context.seccomp {
            Some(profile) => translated(profile),
            None => Cow::Borrowed(self.default?),
        };
        Some(profile).filter(|profile| !profile.is_empty())
    }

    pub(super) fn validate_pod(&self, pod: &PodView<'_>, errors: &mut Vec<FieldError>) {
        let field = pod.security_context.seccomp.as_ref().map(translated);
        let annotation = pod.annotation(POD_KEY).filter(|it| !it.is_empty());
        let profile = annotation.or(field.as_ref()).map_or("", |it| &**it);
        self.validate(profile, || POD_KEY.to_owned(), errors);
    }

    pub(super) fn validate_container(
        &self,
        pod: &PodView<'_>,
        container: &ContainerView<'_>,
        errors: &mut Vec<FieldError>,
    ) {
        let key = || format!("{CONTAINER_PREFIX}{}", container.name);
        let own = container.security_context.seccomp.as_ref();
        let annotation = || pod.annotation(&key());
        let of_pod = || pod.security_context.seccomp.as_ref().map(translated);
        let profile = own
            .map(translated)
            .or_else(|| annotation().cloned())
            .or_else(of_pod)
            .or_else(|| pod.annotation(POD_KEY).cloned())
            .unwrap_or_default();
        self.validate(&profile, key, errors);
    }

    fn validate(&self, profile: &str, key: impl Fn() -> String, errors: &mut Vec<FieldError>) {
        let path = || format!("pod.metadata.annotations[{}]", key());
        if !self.any && self.allowed.is_empty() {
            if !profile.is_empty() {
                errors.push(FieldError::forbidden(
                    FIELD,
                    path(),
                    "seccomp may not be set",
                ));
            }
            return;
        }
        if !self.allows(profile) {
            let detail = format!(
                "{profile} is not an allowed seccomp profile. Valid values are {}",
                self.printed
            );
            errors.push(FieldError::forbidden(FIELD, path(), &detail));
        }
    }

    fn allows(&self, profile: &str) -> bool {
        let listed = |profile: &str| self.allowed.contains(&profile);
        self.any
            || listed(profile)
            || RUNTIME_DEFAULT.contains(&profile) && RUNTIME_DEFAULT.into_iter().any(listed)
    }
}

/// A profile of a field as annotations have it; empty for a type that they do not know.
fn translated<'v>(profile: &SeccompProfile<'v>) -> Cow<'v, str> {
    match (profile.kind, profile.localhost) {
        ("Unconfined", _) => Cow::Borrowed("unconfined"),
        ("RuntimeDefault", _) => Cow::Borrowed("runtime/default"),
        ("Localhost", Some(file)) => Cow::Owned(format!("localhost/{file}")),
        _ => Cow::Borrowed(""),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::testing::{check, container, pod, policy};
    use super::super::{Edits, PodSecurityPolicy};
    use super::*;

    fn profiles(
        default: Option<&'static str>,
        allowed: Option<&'static str>,
    ) -> PodSecurityPolicy<'static> {
        PodSecurityPolicy {
            seccomp_default_profile: default,
            seccomp_allowed_profiles: allowed,
            ..policy()
        }
    }

    /// The annotation and the field of a pod without containers; a field is `Type` or `Type:FILE`.
    fn of(annotation: Option<&'static str>, field: Option<&'static str>) -> PodView<'static> {
        let mut pod = PodView::default();
        if let Some(value) = annotation {
            pod.set_annotation(POD_KEY.into(), value.into());
        }
        pod.security_context.seccomp = field.map(profile);
        pod
    }

    fn profile(text: &'static str) -> SeccompProfile<'static> {
        match text.split_once(':') {
            Some((kind, file)) => SeccompProfile {
                kind,
                localhost: Some(file),
            },
            None => SeccompProfile {
                kind: text,
                localhost: None,
            },
        }
    }

    const ANY: Option<&str> = Some("*");

    #[rstest]
    #[case::nothing(None, of(None, None), None)]
    #[case::default(Some("docker/default"), of(None, None), Some("docker/default"))]
    #[case::empty_default(Some(""), of(None, None), None)]
    #[case::has_one(Some("docker/default"), of(Some("x"), Some("Unconfined")), None)]
    #[case::empty_one(Some("x"), of(Some(""), None), Some("x"))]
    #[case::field(None, of(None, Some("RuntimeDefault")), Some("runtime/default"))]
    #[case::field_beats_default(Some("x"), of(None, Some("Unconfined")), Some("unconfined"))]
    #[case::file(None, of(None, Some("Localhost:a/b")), Some("localhost/a/b"))]
    #[case::no_file(Some("x"), of(None, Some("Localhost")), None)]
    #[case::unknown(Some("x"), of(None, Some("Bogus")), None)]
    fn annotates(
        #[case] default: Option<&'static str>,
        #[case] pod: PodView<'static>,
        #[case] expected: Option<&'static str>,
    ) {
        let annotations = expected.map(|value| (POD_KEY.into(), value.into()));
        let edits = Edits {
            annotations: annotations.into_iter().collect(),
            ..Edits::default()
        };
        check(&profiles(default, ANY), pod, &edits, &[]);
    }

    #[rstest]
    #[case::none_allowed(None, Some("unconfined"), "seccomp may not be set")]
    #[case::none_needed(None, None, "")]
    #[case::one_needed(
        Some("docker/default,localhost/x"),
        None,
        " is not an allowed seccomp profile. Valid values are docker/default,localhost/x"
    )]
    #[case::other(
        Some("docker/default,localhost/x"),
        Some("unconfined"),
        "unconfined is not an allowed seccomp profile. Valid values are docker/default,localhost/x"
    )]
    #[case::alias(Some("docker/default"), Some("runtime/default"), "")]
    #[case::alias_reversed(Some("runtime/default"), Some("docker/default"), "")]
    #[case::any(ANY, Some("x"), "")]
    #[case::any_among_others(Some("x,*"), None, "")]
    #[case::empty_list(Some(""), None, "")]
    #[case::empty_list_allows_nothing_else(
        Some(""),
        Some("x"),
        "x is not an allowed seccomp profile. Valid values are "
    )]
    fn pods(
        #[case] allowed: Option<&'static str>,
        #[case] annotation: Option<&'static str>,
        #[case] detail: &str,
    ) {
        let path = "pod.metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]";
        let error = format!("{path}: Forbidden: {detail}");
        let errors: &[&str] = if detail.is_empty() { &[] } else { &[&error] };
        let policy = profiles(None, allowed);
        check(&policy, of(annotation, None), &Edits::default(), errors);
    }

    /// The container's field, then its annotation, then the pod's field, then the pod's annotation.
    #[rstest]
    #[case::own_field(Some("Unconfined"), Some("a"), Some("RuntimeDefault"), "unconfined")]
    #[case::own_annotation(None, Some("a"), Some("RuntimeDefault"), "a")]
    #[case::own_empty_annotation(None, Some(""), Some("RuntimeDefault"), "")]
    #[case::of_the_pod(None, None, Some("RuntimeDefault"), "runtime/default")]
    #[case::annotation_of_the_pod(None, None, None, "of-pod")]
    fn containers(
        #[case] own: Option<&'static str>,
        #[case] annotation: Option<&'static str>,
        #[case] of_pod: Option<&'static str>,
        #[case] effective: &str,
    ) {
        let mut c = container("c");
        c.security_context.seccomp = own.map(profile);
        let mut pod = pod([c]);
        pod.set_annotation(POD_KEY.into(), "of-pod".into());
        pod.security_context.seccomp = of_pod.map(profile);
        if let Some(value) = annotation {
            pod.set_annotation(format!("{CONTAINER_PREFIX}c").into(), value.into());
        }
        let key = "container.seccomp.security.alpha.kubernetes.io/c";
        let error = format!(
            "pod.metadata.annotations[{key}]: Forbidden: {effective} is not an allowed seccomp profile. Valid values are nothing"
        );
        let of_pod = "pod.metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: Forbidden: of-pod is not an allowed seccomp profile. Valid values are nothing";
        let policy = profiles(None, Some("nothing"));
        check(&policy, pod, &Edits::default(), &[of_pod, &error]);
    }
}

//! One policy at work: the order in which its strategies mutate a pod, and the order in which they
//! validate it, which is that of the messages.
//!
//! Upstream: `provider.go` and `factory.go`.

use super::edits::{ContainerEdits, Edits};
use super::error::{BrokenPolicy, FieldError};
use super::policy::PodSecurityPolicy;
use super::view::{ContainerView, PodSecurityContext, PodView};
use super::{
    allow_privilege_escalation, app_armor, capabilities, groups, host_namespaces, host_ports,
    privileged, proc_mount, read_only_root_filesystem, run_as_user, runtime_class, se_linux,
    seccomp, sysctls, volumes,
};
use crate::rules::{self, Field, Rules};
use crate::server::Server;
use crate::view::Role;

/// A policy with strategies that can be used.
#[derive(Clone, Debug)]
pub struct Provider<'p> {
    policy: &'p PodSecurityPolicy<'p>,
    rules: &'static Rules,
    run_as_user: run_as_user::Strategy<'p>,
    run_as_group: groups::Strategy<'p>,
    se_linux: se_linux::Strategy<'p>,
    seccomp: seccomp::Strategy<'p>,
    fs_group: groups::Strategy<'p>,
    supplemental_groups: groups::Strategy<'p>,
}

impl<'p> Provider<'p> {
    /// Makes a provider of a policy, unless one of its rules lacks what it needs. The API accepts
    /// such policies (`CreateStrategies`).
    pub fn new(policy: &'p PodSecurityPolicy<'p>) -> Result<Self, BrokenPolicy> {
        let mut reasons = Vec::new();
        let user = note(
            run_as_user::Strategy::new(&policy.run_as_user),
            &mut reasons,
        );
        let run_as_group = match &policy.run_as_group {
            Some(options) => groups::Strategy::new("RunAsGroup", options),
            None => Ok(groups::Strategy::RunAsAny),
        };
        let run_as_group = note(run_as_group, &mut reasons);
        let se_linux = note(se_linux::Strategy::new(&policy.se_linux), &mut reasons);
        let fs_group = groups::Strategy::new("FSGroup", &policy.fs_group);
        let fs_group = note(fs_group, &mut reasons);
        let supplemental = groups::Strategy::new("SupplementalGroups", &policy.supplemental_groups);
        let supplemental = note(supplemental, &mut reasons);
        match (user, run_as_group, se_linux, fs_group, supplemental) {
            (
                Some(run_as_user),
                Some(run_as_group),
                Some(se_linux),
                Some(fs_group),
                Some(supplemental_groups),
            ) => Ok(Self {
                policy,
                rules: &rules::UPSTREAM,
                run_as_user,
                run_as_group,
                se_linux,
                seccomp: seccomp::Strategy::new(policy),
                fs_group,
                supplemental_groups,
            }),
            _ => Err(BrokenPolicy { reasons }),
        }
    }

    /// The same provider by other rules than upstream's.
    #[must_use]
    pub fn judging_by(self, rules: &'static Rules) -> Self {
        Self { rules, ..self }
    }

    /// The name of the policy.
    #[must_use]
    pub const fn name(&self) -> &'p str {
        self.policy.name
    }

    /// Fills what the policy has values for into the pod, and tells what that was (`MutatePod`).
    pub fn mutate<'v>(&self, pod: &mut PodView<'v>) -> Edits<'v>
    where
        'p: 'v,
    {
        let fills_in = |field| self.rules.fill_in(field);
        let mut edits = Edits::default();
        let context = &mut pod.security_context;
        if context.supplemental_groups.is_none() && fills_in(Field::SupplementalGroups) {
            edits.supplemental_group = self.supplemental_groups.group();
            context.supplemental_groups = edits.supplemental_group.map(|group| vec![group]);
        }
        if context.fs_group.is_none() && fills_in(Field::FsGroup) {
            edits.fs_group = self.fs_group.group();
            context.fs_group = edits.fs_group;
        }
        if context.se_linux.is_none() && fills_in(Field::SeLinuxOptions) {
            edits.se_linux = self.se_linux.options();
            context.se_linux = edits.se_linux;
        }
        if let Some(profile) = self.seccomp.annotation(pod)
            && fills_in(Field::Seccomp)
        {
            pod.set_annotation(seccomp::POD_KEY.into(), profile.clone());
            edits.annotations.push((seccomp::POD_KEY.into(), profile));
        }
        if let Some(class) = runtime_class::class(self.policy, pod)
            && fills_in(Field::RuntimeClassName)
        {
            pod.runtime_class = Some(class);
            edits.runtime_class = Some(class);
        }
        for at in 0..pod.containers.len() {
            let name = pod.containers[at].name;
            if let Some((key, value)) = app_armor::annotation(self.policy, pod, name)
                && fills_in(Field::AppArmor)
            {
                pod.set_annotation(key.clone(), value.clone());
                edits.annotations.push((key, value));
            }
            let container = &mut pod.containers[at];
            let changed = self.mutate_container(&pod.security_context, container);
            if !changed.is_empty() {
                edits.containers.push(changed);
            }
        }
        edits
    }

    /// Does the same for a container, whose values are those of the pod where it has none of its own
    /// (`mutateContainer`). SELinux options are never missing here: the pod has just got them.
    fn mutate_container<'v>(
        &self,
        pod: &PodSecurityContext<'v>,
        container: &mut ContainerView<'v>,
    ) -> ContainerEdits<'v>
    where
        'p: 'v,
    {
        let fills_in = |field| self.rules.fill_in(field);
        let mut edits = ContainerEdits {
            role: container.role,
            index: container.index,
            ..ContainerEdits::default()
        };
        let context = &mut container.security_context;
        if context.run_as_user.or(pod.run_as_user).is_none() && fills_in(Field::RunAsUser) {
            edits.run_as_user = self.run_as_user.user();
            context.run_as_user = edits.run_as_user;
        }
        if context.run_as_group.or(pod.run_as_group).is_none() && fills_in(Field::RunAsGroup) {
            edits.run_as_group = self.run_as_group.group();
            context.run_as_group = edits.run_as_group;
        }
        if context.run_as_non_root.or(pod.run_as_non_root).is_none()
            && context.run_as_user.or(pod.run_as_user).is_none()
            && fills_in(Field::RunAsNonRoot)
        {
            edits.run_as_non_root = self.run_as_user.non_root();
            context.run_as_non_root = edits.run_as_non_root;
        }
        if fills_in(Field::Capabilities) {
            edits.capabilities = capabilities::capabilities(self.policy, container);
        }
        if fills_in(Field::ReadOnlyRootFilesystem) {
            edits.read_only_root_filesystem =
                read_only_root_filesystem::value(self.policy, container);
        }
        if fills_in(Field::AllowPrivilegeEscalation) {
            edits.allow_privilege_escalation =
                allow_privilege_escalation::value(self.policy, container);
        }
        let context = &mut container.security_context;
        if edits.capabilities.is_some() {
            context.capabilities.clone_from(&edits.capabilities);
        }
        if edits.read_only_root_filesystem.is_some() {
            context.read_only_root_filesystem = edits.read_only_root_filesystem;
        }
        if edits.allow_privilege_escalation.is_some() {
            context.allow_privilege_escalation = edits.allow_privilege_escalation;
        }
        edits
    }

    /// What the policy holds against the pod, in the order of the server's messages; nothing where
    /// it allows it (`ValidatePod`). Servers that do not have ephemeral containers yet fill them in,
    /// but do not judge them.
    #[must_use]
    pub fn validate(&self, server: Server, pod: &PodView<'_>) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let policy = self.policy;
        let ephemeral = server.has_ephemeral_containers();
        let containers = || {
            let all = pod.containers.iter();
            all.filter(move |it| ephemeral || it.role != Role::Ephemeral)
        };
        let context = &pod.security_context;
        self.fs_group.validate(
            "spec.fsGroup",
            || "spec.securityContext.fsGroup".to_owned(),
            context.fs_group.as_ref().map(std::slice::from_ref),
            &mut errors,
        );
        self.supplemental_groups.validate(
            "spec.supplementalGroups",
            || "spec.securityContext.supplementalGroups".to_owned(),
            context.supplemental_groups.as_deref(),
            &mut errors,
        );
        self.seccomp.validate_pod(pod, &mut errors);
        self.se_linux.validate(
            || "spec.securityContext.seLinuxOptions".to_owned(),
            context.se_linux.as_ref(),
            &mut errors,
        );
        host_namespaces::validate(policy, pod, &mut errors);
        sysctls::validate(policy, server, pod, &mut errors);
        volumes::validate(policy, pod, containers, &mut errors);
        runtime_class::validate(policy, pod, &mut errors);
        for container in containers() {
            self.validate_container(pod, container, &mut errors);
        }
        // So every test of a denial tries the table that reads denials back.
        debug_assert!(
            errors.iter().all(|error| {
                let message = error.to_string();
                super::fields_in_message(&message).any(|it| it.field == error.policy_field)
            }),
            "the table of fields lacks one of {errors:?}"
        );
        errors
    }

    /// `validateContainer`
    fn validate_container(
        &self,
        pod: &PodView<'_>,
        container: &ContainerView<'_>,
        errors: &mut Vec<FieldError>,
    ) {
        let policy = self.policy;
        let (own, of_pod) = (&container.security_context, &pod.security_context);
        let non_root = own.run_as_non_root.or(of_pod.run_as_non_root);
        let user = own.run_as_user.or(of_pod.run_as_user);
        self.run_as_user.validate(container, non_root, user, errors);
        let group = own.run_as_group.or(of_pod.run_as_group);
        self.run_as_group.validate(
            "spec.runAsGroup",
            || container.path("securityContext"),
            group.as_ref().map(std::slice::from_ref),
            errors,
        );
        self.se_linux.validate(
            || container.path("securityContext.seLinuxOptions"),
            own.se_linux.as_ref().or(of_pod.se_linux.as_ref()),
            errors,
        );
        app_armor::validate(policy, pod, container, errors);
        self.seccomp.validate_container(pod, container, errors);
        privileged::validate(policy, container, errors);
        proc_mount::validate(policy, container, errors);
        capabilities::validate(policy, container, errors);
        host_ports::validate(policy, container, errors);
        read_only_root_filesystem::validate(policy, container, errors);
        allow_privilege_escalation::validate(policy, container, errors);
    }
}

/// Keeps the reason of a strategy that cannot be made.
fn note<T>(strategy: Result<T, String>, reasons: &mut Vec<String>) -> Option<T> {
    strategy.map_err(|reason| reasons.push(reason)).ok()
}

#[cfg(test)]
#[path = "provider_tests.rs"]
mod tests;

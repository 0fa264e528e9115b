//! `PodSecurityPolicy`, in Kubernetes 1.20 to 1.24: what one policy fills into a pod, and what it
//! holds against the pod that comes out.
//!
//! A policy is turned into a [`Provider`], which first mutates a view of a pod, and returns its
//! [`Edits`], and then validates it. A policy that edits nothing changes nothing: upstream's
//! comparison of the two pods is [`Edits::is_empty`] here. Which of several policies a pod gets,
//! and who may use it, is the admission plugin's business.
//!
//! Each strategy stands in a file of its own: the field of the policy, what it fills in, what it
//! demands. Upstream: `pkg/security/podsecuritypolicy`.
//!
//! ```
//! use podgate_policy::psp::{ContainerView, IdRange, PodSecurityPolicy, PodView, Provider};
//! use podgate_policy::{Minor, Server};
//!
//! let mut policy = PodSecurityPolicy { name: "restricted", ..PodSecurityPolicy::run_as_any() };
//! policy.run_as_user.rule = "MustRunAs";
//! policy.run_as_user.ranges = vec![IdRange { min: 1000, max: 65535 }];
//! policy.required_drop_capabilities = vec!["ALL"];
//! let provider = Provider::new(&policy).unwrap();
//!
//! let mut pod = PodView { host_network: true, ..PodView::default() };
//! pod.containers.push(ContainerView { name: "c", ..ContainerView::default() });
//! let edits = provider.mutate(&mut pod);
//! assert_eq!(edits.containers[0].run_as_user, Some(1000));
//!
//! let errors = provider.validate(Server::new(Minor::known(23)), &pod);
//! assert_eq!(
//!     errors[0].to_string(),
//!     "spec.securityContext.hostNetwork: Invalid value: true: Host network is not allowed to be used",
//! );
//! assert_eq!(errors[0].policy_field, "spec.hostNetwork");
//! ```

mod documentation;
mod edits;
mod error;
mod fields;
mod policy;
mod provider;
mod view;

mod allow_privilege_escalation;
mod app_armor;
mod capabilities;
mod groups;
mod host_namespaces;
mod host_paths;
mod host_ports;
mod privileged;
mod proc_mount;
mod read_only_root_filesystem;
mod run_as_user;
mod runtime_class;
mod se_linux;
mod seccomp;
mod sysctls;
mod volumes;

#[cfg(test)]
mod testing;

pub use documentation::{DOCUMENTATION, Documentation};
pub use edits::{ContainerEdits, Edits};
pub use error::{BrokenPolicy, FieldError};
pub use fields::{FIELDS, PolicyField, fields_in_message};
pub use policy::{
    AllowedHostPath, HostPortRange, IdRange, PodSecurityPolicy, RuntimeClassOptions,
    SeLinuxStrategyOptions, StrategyOptions,
};
pub use provider::Provider;
pub use view::{
    ContainerSecurityContext, ContainerView, DownwardItem, PodSecurityContext, PodView,
    ProjectedSource, SeLinuxOptions, SeccompProfile, VolumeMount, VolumeSource, VolumeView,
};
pub use volumes::VOLUME_TYPES;

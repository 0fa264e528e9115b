//! The admission plugins, each in a file of its own, and the list of all that an API server has.
//!
//! Upstream's counterparts are `plugin/pkg/admission` and the list `AllOrderedPlugins` in
//! `pkg/kubeapiserver/options/plugins.go`.

use podgate_policy::Minor;

use crate::chain::Attributes;
use crate::status::Status;
use crate::value::Value;
use crate::versions::{self, Minors};

pub mod default_toleration_seconds;
pub mod namespace_lifecycle;
pub mod pod_security;
pub mod pod_security_policy;
pub mod priority;
pub mod runtime_class;
pub mod service_account;

/// An admission plugin by its upstream name.
#[allow(
    missing_docs,
    reason = "the names are upstream's and stand for themselves"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plugin {
    AlwaysAdmit,
    AlwaysDeny,
    AlwaysPullImages,
    CertificateApproval,
    CertificateSigning,
    CertificateSubjectRestriction,
    ClusterTrustBundleAttest,
    DefaultIngressClass,
    DefaultStorageClass,
    DefaultTolerationSeconds,
    DenyServiceExternalIPs,
    EventRateLimit,
    ExtendedResourceToleration,
    ImagePolicyWebhook,
    JobValidation,
    LimitPodHardAntiAffinityTopology,
    LimitRanger,
    MutatingAdmissionPolicy,
    MutatingAdmissionWebhook,
    NamespaceAutoProvision,
    NamespaceExists,
    NamespaceLifecycle,
    NodeDeclaredFeatureValidator,
    NodeRestriction,
    OwnerReferencesPermissionEnforcement,
    PersistentVolumeClaimResize,
    PersistentVolumeLabel,
    PodGroupProtection,
    PodGroupWorkloadExists,
    PodNodeSelector,
    PodResizeValidator,
    PodSecurity,
    PodSecurityPolicy,
    PodTolerationRestriction,
    PodTopologyLabels,
    Priority,
    ResourceQuota,
    RuntimeClass,
    SecurityContextDeny,
    ServiceAccount,
    StorageObjectInUseProtection,
    TaintNodesByCondition,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionWebhook,
}

/// What podgate does about a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It is built.
    Built,
    /// It never changes what happens to pods, workloads and namespaces.
    Inert,
    /// It is not there, and why that matters.
    Missing(&'static str),
}

const INERT: Support = Support::Inert;
const NOT_BUILT: Support = Support::Missing("not built yet");
const BY_OBJECTS: Support =
    Support::Missing("not built yet; without objects for it to read it changes nothing");

struct Known {
    plugin: Plugin,
    name: &'static str,
    minors: Minors,
    default_on: bool,
    support: Support,
}

macro_rules! plugins {
    ($($plugin:ident $default_on:literal $support:expr, $minors:expr;)*) => {
        static KNOWN: &[Known] = &[$(Known {
            plugin: Plugin::$plugin,
            name: stringify!($plugin),
            minors: $minors,
            default_on: $default_on,
            support: $support,
        }),*];
    };
}

plugins! {
    // name                              on     support             minors
    AlwaysAdmit                          false  INERT,              versions::ALWAYS;
    AlwaysDeny                           false  NOT_BUILT,          versions::ALWAYS;
    AlwaysPullImages                     false  NOT_BUILT,          versions::ALWAYS;
    CertificateApproval                  true   INERT,              versions::ALWAYS;
    CertificateSigning                   true   INERT,              versions::ALWAYS;
    CertificateSubjectRestriction        true   INERT,              versions::ALWAYS;
    ClusterTrustBundleAttest             true   INERT,              versions::TRUST_BUNDLE_ATTEST;
    DefaultIngressClass                  true   INERT,              versions::ALWAYS;
    DefaultStorageClass                  true   INERT,              versions::ALWAYS;
    DefaultTolerationSeconds             true   Support::Built,     versions::ALWAYS;
    DenyServiceExternalIPs               false  INERT,              versions::DENY_EXTERNAL_IPS;
    EventRateLimit                       false  INERT,              versions::ALWAYS;
    ExtendedResourceToleration           false  NOT_BUILT,          versions::ALWAYS;
    ImagePolicyWebhook                   false  NOT_BUILT,          versions::ALWAYS;
    JobValidation                        true   INERT,              versions::LATE_PLUGINS;
    LimitPodHardAntiAffinityTopology     false  NOT_BUILT,          versions::ALWAYS;
    LimitRanger                          true   BY_OBJECTS,         versions::ALWAYS;
    MutatingAdmissionPolicy              true   BY_OBJECTS,         versions::MUTATING_POLICY;
    MutatingAdmissionWebhook             true   BY_OBJECTS,         versions::ALWAYS;
    NamespaceAutoProvision               false  NOT_BUILT,          versions::ALWAYS;
    NamespaceExists                      false  NOT_BUILT,          versions::ALWAYS;
    NamespaceLifecycle                   true   Support::Built,     versions::ALWAYS;
    NodeDeclaredFeatureValidator         true   INERT,              versions::NODE_DECLARED_FEATURES;
    NodeRestriction                      false  INERT,              versions::ALWAYS;
    OwnerReferencesPermissionEnforcement false  NOT_BUILT,          versions::ALWAYS;
    PersistentVolumeClaimResize          true   INERT,              versions::ALWAYS;
    PersistentVolumeLabel                false  INERT,              versions::VOLUME_LABEL;
    PodGroupProtection                   true   INERT,              versions::LATE_PLUGINS;
    PodGroupWorkloadExists               true   INERT,              versions::LATE_PLUGINS;
    PodNodeSelector                      false  NOT_BUILT,          versions::ALWAYS;
    PodResizeValidator                   true   INERT,              versions::LATE_PLUGINS;
    PodSecurity                          true   Support::Built,     versions::POD_SECURITY;
    PodSecurityPolicy                    false  Support::Built,     versions::POD_SECURITY_POLICY;
    PodTolerationRestriction             false  NOT_BUILT,          versions::ALWAYS;
    PodTopologyLabels                    true   INERT,              versions::TOPOLOGY_LABELS;
    Priority                             true   Support::Built,     versions::ALWAYS;
    ResourceQuota                        true   BY_OBJECTS,         versions::ALWAYS;
    RuntimeClass                         true   Support::Built,     versions::ALWAYS;
    SecurityContextDeny                  false  NOT_BUILT,          versions::SECURITY_CONTEXT_DENY;
    ServiceAccount                       true   Support::Built,     versions::ALWAYS;
    StorageObjectInUseProtection         true   INERT,              versions::ALWAYS;
    TaintNodesByCondition                true   INERT,              versions::ALWAYS;
    ValidatingAdmissionPolicy            true   BY_OBJECTS,         versions::VALIDATING_POLICY;
    ValidatingAdmissionWebhook           true   BY_OBJECTS,         versions::ALWAYS;
}

impl Plugin {
    /// The plugin called `name` on the command line.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        KNOWN.iter().find(|k| k.name == name).map(|k| k.plugin)
    }

    /// Every plugin of every minor.
    pub fn all() -> impl Iterator<Item = Self> {
        KNOWN.iter().map(|known| known.plugin)
    }

    fn known(self) -> &'static Known {
        // The table lists the plugins in the order of the enum, which a test holds to.
        &KNOWN[self as usize]
    }

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.known().name
    }

    /// Whether a server of `minor` has it.
    #[must_use]
    pub fn exists_in(self, minor: Minor) -> bool {
        self.known().minors.contain(minor)
    }

    /// Whether it is on where nothing else is said.
    #[must_use]
    pub fn default_on(self) -> bool {
        self.known().default_on
    }

    /// What podgate does about it.
    #[must_use]
    pub fn support(self) -> Support {
        self.known().support
    }
}

/// A plugin that podgate has built: what it does before names are generated, and what after
/// validation. Upstream's `MutationInterface` and `ValidationInterface`.
pub(crate) struct Built {
    pub(crate) plugin: Plugin,
    pub(crate) admit: Option<Admit>,
    pub(crate) validate: Option<Validate>,
}

/// Changes the object, or refuses it.
pub(crate) type Admit = for<'a> fn(&mut Attributes<'_>, &mut Value<'a>) -> Result<(), Status>;

/// Refuses the object, or warns about it.
pub(crate) type Validate = fn(&mut Attributes<'_>, &Value<'_>) -> Result<(), Status>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (index, known) in KNOWN.iter().enumerate() {
            assert_eq!(known.plugin as usize, index, "{}", known.name);
        }
    }

    #[test]
    fn pod_security_policy_came_and_went() {
        let exists = |number| Plugin::PodSecurityPolicy.exists_in(Minor::known(number));
        assert!(exists(20) && exists(24) && !exists(25));
    }
}

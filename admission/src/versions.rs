//! The one table of what differs between minors in admission and is neither schema nor policy.
//!
//! The code of the chain asks this table and never compares minors itself. Upstream's counterparts
//! are the release branches of `pkg/registry`, `pkg/api/pod`, `pkg/apis/core/v1` and
//! `plugin/pkg/admission`; for feature gates, `pkg/features/kube_features.go`.

use podgate_policy::Minor;

/// A range of minors, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minors {
    first: u8,
    last: u8,
}

impl Minors {
    const fn from(first: u8) -> Self {
        Self {
            first,
            last: u8::MAX,
        }
    }

    const fn until(last: u8) -> Self {
        Self { first: 0, last }
    }

    const fn between(first: u8, last: u8) -> Self {
        Self { first, last }
    }

    /// Whether `minor` lies in the range.
    #[must_use]
    pub const fn contain(self, minor: Minor) -> bool {
        self.first <= minor.number() && minor.number() <= self.last
    }
}

/// A text that was reworded over time: each wording with the first minor that has it, oldest first.
#[derive(Clone, Copy, Debug)]
pub struct Wording(&'static [(u8, &'static str)]);

impl Wording {
    /// The wording of `minor`; `None` where that minor does not say it at all.
    #[must_use]
    pub fn of(self, minor: Minor) -> Option<&'static str> {
        self.0
            .iter()
            .rev()
            .find(|(since, _)| *since <= minor.number())
            .map(|(_, text)| *text)
    }
}

// Decoding (`endpoints/handlers/create.go`).

/// The server looks for unknown and duplicate fields (`fieldValidation`).
pub const FIELD_VALIDATION: Minors = Minors::from(25);

// Defaults (`pkg/apis/core/v1/defaults.go`, `pkg/apis/apps/v1`, `pkg/apis/batch/v1`).

/// `hostNetwork` fills in host ports in templates too, not only in pods.
pub const HOST_PORTS_IN_TEMPLATES: Minors = Minors::until(27);
/// Namespaces get the label `kubernetes.io/metadata.name`.
pub const NAMESPACE_NAME_LABEL: Minors = Minors::from(21);
/// A `Job`'s `manualSelector` is filled in with `false`.
pub const JOB_MANUAL_SELECTOR: Minors = Minors::from(29);

/// The status that a failure policy's pattern asks for is filled in, but only in Jobs.
pub const POD_CONDITION_STATUS_IN_JOBS: Minors = Minors::between(25, 30);
/// Containers' `resizePolicy` is filled in, where its gate is on.
pub const RESIZE_POLICY: Minors = Minors::between(27, 32);
/// A `Service`'s `internalTrafficPolicy` is filled in.
pub const INTERNAL_TRAFFIC_POLICY: Minors = Minors::from(22);
/// Even that of a `Service` that only stands for an outside name.
pub const INTERNAL_TRAFFIC_POLICY_EVERYWHERE: Minors = Minors::between(22, 23);
/// A `Service`'s `allocateLoadBalancerNodePorts` is filled in.
pub const LOAD_BALANCER_NODE_PORTS: Minors = Minors::from(22);
/// A `Service` with outside addresses counts as reachable from outside.
pub const EXTERNAL_ADDRESSES: Minors = Minors::from(29);

// Plugins (`plugin/pkg/admission`, `pkg/kubeapiserver/options/plugins.go`).

/// All minors.
pub const ALWAYS: Minors = Minors::from(0);
/// The plugin `ClusterTrustBundleAttest` exists.
pub const TRUST_BUNDLE_ATTEST: Minors = Minors::from(27);
/// The plugin `DenyServiceExternalIPs` exists.
pub const DENY_EXTERNAL_IPS: Minors = Minors::from(21);
/// The plugin `ValidatingAdmissionPolicy` exists.
pub const VALIDATING_POLICY: Minors = Minors::from(26);
/// The plugin `MutatingAdmissionPolicy` exists.
pub const MUTATING_POLICY: Minors = Minors::from(32);
/// The plugin `PodTopologyLabels` exists.
pub const TOPOLOGY_LABELS: Minors = Minors::from(33);
/// The plugin `NodeDeclaredFeatureValidator` exists.
pub const NODE_DECLARED_FEATURES: Minors = Minors::from(35);
/// The plugins `JobValidation`, `PodGroupProtection`, `PodGroupWorkloadExists` and
/// `PodResizeValidator` exist.
pub const LATE_PLUGINS: Minors = Minors::from(36);
/// The plugin `PersistentVolumeLabel` exists.
pub const VOLUME_LABEL: Minors = Minors::until(30);
/// The plugin `SecurityContextDeny` exists.
pub const SECURITY_CONTEXT_DENY: Minors = Minors::until(29);

/// A pod gets its token as a projected volume, not as a secret.
pub const PROJECTED_TOKEN: Minors = Minors::from(21);
/// `ServiceAccount` looks at updates of ephemeral containers and demands a name of its own.
pub const SERVICE_ACCOUNT_ON_UPDATE: Minors = Minors::from(25);
/// `ServiceAccount` looks at `envFrom` for mountable secrets.
pub const MOUNTABLE_ENV_FROM: Minors = Minors::from(27);

/// The plugin `PodSecurity` exists.
pub const POD_SECURITY: Minors = Minors::from(22);
/// The plugin `PodSecurityPolicy` exists.
pub const POD_SECURITY_POLICY: Minors = Minors::until(24);
/// `PodSecurity` as of its alpha: other texts, fewer short cuts.
pub const POD_SECURITY_ALPHA: Minors = Minors::between(22, 22);
/// An exempt namespace with labels is warned about.
pub const EXEMPT_WARNING: Minors = Minors::from(25);
/// A changed `seccomp.security.alpha.kubernetes.io/pod` annotation makes an update significant.
pub const SIGNIFICANT_POD_SECCOMP: Minors = Minors::until(24);
/// A changed `container.seccomp.security.alpha.kubernetes.io/` annotation does.
pub const SIGNIFICANT_CONTAINER_SECCOMP: Minors = Minors::until(26);
/// The name of a namespace that cannot be looked up is quoted.
pub const LOOKUP_QUOTED: Minors = Minors::from(25);
/// The versions of `PodSecurityConfiguration`, each with the minors that read it.
pub const POD_SECURITY_CONFIGURATION: [(&str, Minors); 3] = [
    ("v1alpha1", Minors::from(22)),
    ("v1beta1", Minors::from(23)),
    ("v1", Minors::from(25)),
];

// Drops and syncs (`pkg/registry/core/pod/strategy.go`, `pkg/api/pod/util.go`).

/// Seccomp annotations of a new pod are copied to fields that are not set.
pub const SECCOMP_TO_FIELD: Minors = Minors::until(26);
/// Seccomp fields of a new pod are copied to annotations that are not set.
pub const SECCOMP_TO_ANNOTATION: Minors = Minors::until(24);
/// `AppArmor` annotations of a new pod are copied to fields that are not set.
pub const APP_ARMOR_TO_FIELD: Minors = Minors::from(30);
/// `AppArmor` fields of a new pod are copied to annotations that are not set.
pub const APP_ARMOR_TO_ANNOTATION: Minors = Minors::between(30, 33);
/// A pod has `metadata.generation`.
pub const POD_GENERATION: Minors = Minors::from(33);
/// The condition of a pod that is gated says since when.
pub const GATED_SINCE: Minors = Minors::from(31);
/// A handler that only slept is dropped as a whole while the gate is off.
pub const SLEEPLESS_HANDLERS_DROPPED: Minors = Minors::from(30);
/// Resources of a pod are filled in behind the mutating plugins, and not by defaulting.
pub const POD_LEVEL_DEFAULTS_LATE: Minors = Minors::from(37);
/// Each container has a class of service, zero amounts and all.
pub const QOS_BY_CONTAINER: Minors = Minors::from(37);
/// A resize may be one of the pod's own resources.
pub const RESIZE_POD_LEVEL: Minors = Minors::from(36);
/// A `PodTemplate` has `metadata.generation`.
pub const POD_TEMPLATE_GENERATION: Minors = Minors::from(22);
/// Where containers may not have restart rules, a restart policy of their own is dropped; before,
/// validation refuses it.
pub const RESTART_RULES: Minors = Minors::from(34);
/// Jobs and `CronJob`s have `metadata.generation`.
pub const JOB_GENERATION: Minors = Minors::from(22);
/// Labels of a `Job`'s pods carry the prefix `batch.kubernetes.io/`, beside the old ones.
pub const JOB_PREFIXED_LABELS: Minors = Minors::from(27);
/// A `Job` is marked with `batch.kubernetes.io/job-tracking`.
pub const JOB_TRACKING_ANNOTATION: Minors = Minors::between(25, 27);
/// That mark is taken off again, as the controller does not track with finalizers yet.
pub const JOB_TRACKING_DROPPED: Minors = Minors::between(22, 24);
/// `resources.claims` of claim templates, which never meant anything, are dropped.
pub const CLAIM_TEMPLATE_CLAIMS: Minors = Minors::between(26, 28);
/// `matchLabelKeys` of topology spread constraints are merged into their selectors.
pub const SPREAD_SELECTOR_MERGE: Minors = Minors::from(34);

// Controllers (`pkg/controller`).

/// Pods of a `StatefulSet` or an indexed `Job` are labelled with their index.
pub const POD_INDEX_LABEL: Minors = Minors::from(28);
/// Pods of a `Job` have a finalizer until the controller has counted them.
pub const JOB_TRACKING_FINALIZER: Minors = Minors::from(25);

// Warnings (`pkg/api/pod/warnings.go` and the strategies' `WarningsOnCreate`).

/// Strategies warn at all.
pub const STRATEGY_WARNINGS: Minors = Minors::from(22);
/// A name that is no DNS label is warned about.
pub const NAME_WARNING: Minors = Minors::from(27);
/// More node labels are deprecated, and values of preferred terms are looked at.
pub const NODE_AFFINITY_VALUES: Minors = Minors::from(33);
/// The node labels that were deprecated late.
pub const LATE_NODE_LABELS: Minors = Minors::from(31);
/// Claims of ephemeral volumes and of `StatefulSet`s are looked at.
pub const CLAIM_WARNINGS: Minors = Minors::from(26);
/// Label selectors that match nothing.
pub const NULL_SELECTOR: Minors = Minors::from(28);
/// Volumes of the same name (an error before and after: only the warning went away).
pub const DUPLICATE_VOLUMES: Minors = Minors::until(27);
/// Files of volumes that hide each other.
pub const OVERLAPPING_PATHS: Minors = Minors::from(32);
/// Until then the paths of a projection without items are those of the one before.
pub const OVERLAPPING_PATHS_CARRIED: Minors = Minors::between(32, 33);
/// Ports that hide each other, and host addresses without host port.
pub const PORT_WARNINGS: Minors = Minors::from(28);
/// Ports of the same name in two containers.
pub const PORT_NAMES: Minors = Minors::from(33);
/// A negative grace period: a template's is warned about, a pod's becomes 1.
pub const NEGATIVE_GRACE_PERIOD: Minors = Minors::from(27);
/// Addresses in a form that is not the standard one.
pub const ADDRESS_FORMS: Minors = Minors::from(33);
/// A negative `revisionHistoryLimit` of a `StatefulSet`.
pub const REVISION_HISTORY_LIMIT: Minors = Minors::from(33);
/// A template's `AppArmor` annotation is fine where it says what the pod's field says; before, any
/// field of the pod silenced the warning.
pub const APP_ARMOR_COMPARED: Minors = Minors::from(34);
/// Where an environment variable replaces another, it depends on its value.
pub const ENV_BY_VALUE: Minors = Minors::from(28);
/// Huge parallelism, and failure policies that name no container.
pub const JOB_SPEC_WARNINGS: Minors = Minors::from(28);
/// A time zone in a schedule is warned about on create (later it is an error).
pub const TIME_ZONE_ON_CREATE: Minors = Minors::between(22, 28);
/// A time zone in a schedule; the path is upstream's.
pub const TIME_ZONE: Wording = Wording(&[
    (
        22,
        "CRON_TZ or TZ used in spec.spec.schedule is not officially supported",
    ),
    (
        29,
        "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead",
    ),
]);
/// `ReplicationController` templates are called `template`, not `spec.template`.
pub const SHORT_CONTROLLER_PATH: Minors = Minors::until(26);

/// Seccomp annotations.
pub const SECCOMP_ANNOTATION: Wording = Wording(&[
    (
        22,
        r#"deprecated since v1.19, non-functional in v1.25+; use the "seccompProfile" field instead"#,
    ),
    (
        25,
        r#"deprecated since v1.19, non-functional in a future release; use the "seccompProfile" field instead"#,
    ),
    (
        27,
        r#"non-functional in v1.27+; use the "seccompProfile" field instead"#,
    ),
]);

/// `AppArmor` annotations.
pub const APP_ARMOR_ANNOTATION: Wording = Wording(&[(
    30,
    r#"deprecated since v1.30; use the "appArmorProfile" field instead"#,
)]);

/// An environment variable that replaces another.
pub const ENV_HIDDEN: Wording =
    Wording(&[(28, ""), (30, ", which may be dropped when using apply")]);

const STORAGE_GONE: Wording = Wording(&[
    (
        22,
        "deprecated in v1.22, support removal is planned in v1.26",
    ),
    (27, "deprecated in v1.22, non-functional in v1.25+"),
]);

const CEPH_GONE: Wording = Wording(&[(28, "deprecated in v1.28, non-functional in v1.31+")]);

/// Volume sources that are on their way out, in the order in which upstream looks at them. The
/// claim template of an ephemeral volume is looked at between `glusterfs` and `cephfs`.
pub const DEPRECATED_VOLUMES: [(&str, Wording); 9] = [
    (
        "photonPersistentDisk",
        Wording(&[(22, "deprecated in v1.11, non-functional in v1.16+")]),
    ),
    (
        "gitRepo",
        Wording(&[
            (22, "deprecated in v1.11"),
            (33, "deprecated in v1.11, and disabled by default in v1.33+"),
        ]),
    ),
    (
        "scaleIO",
        Wording(&[(22, "deprecated in v1.16, non-functional in v1.22+")]),
    ),
    ("flocker", STORAGE_GONE),
    ("storageos", STORAGE_GONE),
    ("quobyte", STORAGE_GONE),
    (
        "glusterfs",
        Wording(&[
            (
                25,
                "deprecated in v1.25, this feature will be removed soon after in a subsequent release",
            ),
            (27, "deprecated in v1.25, non-functional in v1.26+"),
        ]),
    ),
    ("cephfs", CEPH_GONE),
    ("rbd", CEPH_GONE),
];

// Feature gates.

/// The feature gates that change what happens to a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gate {
    /// `spec.template.spec.affinity` terms' `matchLabelKeys` and `mismatchLabelKeys`
    MatchLabelKeysInPodAffinity,
    /// `spec.affinity` terms' `namespaceSelector`
    PodAffinityNamespaceSelector,
    /// `topologySpreadConstraints[*].matchLabelKeys`
    MatchLabelKeysInPodTopologySpread,
    /// `topologySpreadConstraints[*].minDomains`
    MinDomainsInPodTopologySpread,
    /// `topologySpreadConstraints[*].nodeAffinityPolicy` and `nodeTaintsPolicy`
    NodeInclusionPolicyInPodTopologySpread,
    /// `containers[*].volumeMounts[*].recursiveReadOnly`
    RecursiveReadOnlyMounts,
    /// `containers[*].securityContext.procMount`
    ProcMountType,
    /// `spec.ephemeralContainers`
    EphemeralContainers,
    /// `volumes[*].ephemeral`
    GenericEphemeralVolume,
    /// `spec.os`
    IdentifyPodOS,
    /// Probes' `terminationGracePeriodSeconds`
    ProbeTerminationGracePeriod,
    /// `spec.hostUsers`
    UserNamespacesSupport,
    /// Pods with `hostUsers: false` are held to less.
    UserNamespacesPodSecurityStandards,
    /// `spec.schedulingGates`
    PodSchedulingReadiness,
    /// `spec.resourceClaims` and containers' `resources.claims`
    DynamicResourceAllocation,
    /// `containers[*].resizePolicy`
    InPlacePodVerticalScaling,
    /// `initContainers[*].restartPolicy`
    SidecarContainers,
    /// `containers[*].restartPolicy` and `restartPolicyRules`
    ContainerRestartRules,
    /// Lifecycle handlers' `sleep`
    PodLifecycleSleepAction,
    /// `projected.sources[*].clusterTrustBundle`
    ClusterTrustBundleProjection,
    /// `projected.sources[*].podCertificate`
    PodCertificateRequest,
    /// Who owns the files of secrets and their like: `defaultUser` and `user`
    AtomicWriteVolumeUserFields,
    /// gRPC probes' `mode`
    GRPCContainerProbeTLS,
    /// `spec.evictionResponders`
    EvictionRequestAPI,
    /// `securityContext.windowsOptions.hostProcess`
    WindowsHostProcessContainers,
    /// `spec.securityContext.supplementalGroupsPolicy`
    SupplementalGroupsPolicy,
    /// `spec.securityContext.seLinuxChangePolicy`
    SELinuxChangePolicy,
    /// `volumes[*].image`
    ImageVolume,
    /// `spec.resources`
    PodLevelResources,
    /// `lifecycle.stopSignal`
    ContainerStopSignals,
    /// `spec.hostnameOverride`
    HostnameOverride,
    /// `env[*].valueFrom.fileKeyRef`
    EnvFiles,
    /// `spec.workloadRef`, `spec.schedulingGroup`
    GenericWorkload,
    /// A `StatefulSet`'s `persistentVolumeClaimRetentionPolicy`
    StatefulSetAutoDeletePVC,
    /// A `StatefulSet`'s `ordinals`
    StatefulSetStartOrdinal,
    /// A `StatefulSet`'s `updateStrategy.rollingUpdate.maxUnavailable`
    MaxUnavailableStatefulSet,
    /// A `StatefulSet`'s `minReadySeconds`
    StatefulSetMinReadySeconds,
    /// A `DaemonSet`'s `updateStrategy.rollingUpdate.maxSurge`
    DaemonSetUpdateSurge,
    /// A `Job`'s `completionMode`
    IndexedJob,
    /// A `Job`'s `suspend`
    SuspendJob,
    /// A `Job`'s `managedBy`
    JobManagedBy,
    /// A `Job`'s `successPolicy`
    JobSuccessPolicy,
    /// A `Job`'s `backoffLimitPerIndex` and `maxFailedIndexes`
    JobBackoffLimitPerIndex,
    /// A `Job`'s `podReplacementPolicy`
    JobPodReplacementPolicy,
    /// A `Job`'s `podFailurePolicy`
    JobPodFailurePolicy,
    /// A `Job`'s `ttlSecondsAfterFinished`
    TTLAfterFinished,
    /// A `CronJob`'s `timeZone`
    CronJobTimeZone,
    /// The plugin `PodSecurity`
    PodSecurity,
}

/// The life of a feature gate, each step with its first minor.
#[derive(Clone, Copy, Debug)]
pub struct GateHistory {
    /// The gate.
    pub gate: Gate,
    /// Its name on the command line.
    pub name: &'static str,
    /// The first minor that knows it.
    pub since: u8,
    /// The first minor that has it on by default.
    pub on: u8,
    /// The first minor that does not let it be set.
    pub locked: u8,
    /// The last minor that knows it.
    pub until: u8,
}

const NEVER: u8 = u8::MAX;

macro_rules! gates {
    ($($gate:ident $since:literal $on:tt $locked:tt $until:tt)*) => {
        /// Every gate that podgate knows. What is on and forgotten stays on.
        pub static GATES: &[GateHistory] = &[$(GateHistory {
            gate: Gate::$gate,
            name: stringify!($gate),
            since: $since,
            on: $on,
            locked: $locked,
            until: $until,
        }),*];
    };
}

gates! {
    // name                                  since on    locked until
    MatchLabelKeysInPodAffinity              29    31    33     NEVER
    PodAffinityNamespaceSelector             21    22    24     25
    MatchLabelKeysInPodTopologySpread        25    27    NEVER  NEVER
    MinDomainsInPodTopologySpread            24    27    30     31
    NodeInclusionPolicyInPodTopologySpread   25    26    33     NEVER
    RecursiveReadOnlyMounts                  30    31    33     NEVER
    ProcMountType                            20    33    36     NEVER
    EphemeralContainers                      20    23    25     26
    GenericEphemeralVolume                   20    21    23     24
    IdentifyPodOS                            23    24    25     26
    ProbeTerminationGracePeriod              21    25    28     28
    UserNamespacesSupport                    25    33    36     NEVER
    UserNamespacesPodSecurityStandards       29    NEVER NEVER  34
    PodSchedulingReadiness                   26    27    30     NEVER
    DynamicResourceAllocation                26    34    NEVER  34
    InPlacePodVerticalScaling                27    33    35     NEVER
    SidecarContainers                        28    29    33     NEVER
    ContainerRestartRules                    34    35    NEVER  NEVER
    PodLifecycleSleepAction                  29    30    34     NEVER
    ClusterTrustBundleProjection             29    37    NEVER  NEVER
    PodCertificateRequest                    34    37    NEVER  NEVER
    AtomicWriteVolumeUserFields              37    NEVER NEVER  NEVER
    GRPCContainerProbeTLS                    37    NEVER NEVER  NEVER
    EvictionRequestAPI                       37    NEVER NEVER  NEVER
    WindowsHostProcessContainers             22    23    26     27
    SupplementalGroupsPolicy                 31    33    35     NEVER
    SELinuxChangePolicy                      32    33    36     NEVER
    ImageVolume                              31    35    36     NEVER
    PodLevelResources                        32    34    NEVER  NEVER
    ContainerStopSignals                     33    NEVER NEVER  NEVER
    HostnameOverride                         34    35    NEVER  NEVER
    EnvFiles                                 34    35    NEVER  NEVER
    GenericWorkload                          35    NEVER NEVER  NEVER
    StatefulSetAutoDeletePVC                 23    27    32     34
    StatefulSetStartOrdinal                  26    27    31     33
    MaxUnavailableStatefulSet                24    37    NEVER  NEVER
    StatefulSetMinReadySeconds               22    23    25     26
    DaemonSetUpdateSurge                     21    22    25     26
    IndexedJob                               21    22    24     25
    SuspendJob                               21    22    24     25
    JobManagedBy                             30    32    35     NEVER
    JobSuccessPolicy                         30    31    33     NEVER
    JobBackoffLimitPerIndex                  28    29    33     NEVER
    JobPodReplacementPolicy                  28    29    34     NEVER
    JobPodFailurePolicy                      25    26    31     32
    TTLAfterFinished                         20    21    23     24
    CronJobTimeZone                          24    25    27     28
    PodSecurity                              22    23    25     27
}

impl Gate {
    /// The gate called `name` on a server of `minor`.
    #[must_use]
    pub fn by_name(name: &str, minor: Minor) -> Option<&'static GateHistory> {
        let renamed = match name {
            // Until 1.27 user namespaces were for pods without volumes only.
            "UserNamespacesStatelessPodsSupport" if minor.number() <= 27 => "UserNamespacesSupport",
            "UserNamespacesSupport" if minor.number() <= 27 => return None,
            name => name,
        };
        GATES
            .iter()
            .find(|h| h.name == renamed && h.since <= minor.number() && minor.number() <= h.until)
    }

    /// Its history.
    ///
    /// # Panics
    /// Never: every gate stands in [`GATES`], which a test holds to.
    #[must_use]
    pub fn history(self) -> &'static GateHistory {
        GATES
            .iter()
            .find(|h| h.gate == self)
            .expect("every gate has a history")
    }

    /// Whether it is on by default on a server of `minor`.
    #[must_use]
    pub fn default_on(self, minor: Minor) -> bool {
        self.history().on <= minor.number()
    }
}

//! Where the minors differ: each constant is the first minor that validates in the new way.
//!
//! Upstream spreads this over `PodValidationOptions` (`pkg/api/pod/util.go`, from default feature
//! gates) and the history of `pkg/apis/core/validation/validation.go`. Fields that a minor does
//! not know or drops are gone from the tree before validation, so rules about them need no entry.

use std::ops::Range;

// How errors are printed.

/// Values are printed as JSON of the internal type, rather than as Go's `%#v`.
pub(crate) const JSON_VALUES: u8 = 34;
/// Too long values are reported as `may not be more than N bytes`.
pub(crate) const TOO_LONG_IN_BYTES: u8 = 32;

/// The minors that print bad names of resources without quotes.
pub(crate) const BARE_RESOURCE_NAMES: Range<u8> = 29..34;
/// The minors that name the kinds of `apps` after the group `extensions`, in which the same types
/// are registered: which group comes first depends on how the binary was built.
pub(crate) const KINDS_OF_EXTENSIONS: Range<u8> = 26..27;

// Names and metadata.

/// A label that would be a subdomain is told that it `must not contain dots`.
pub(crate) const LABEL_WITHOUT_DOTS: u8 = 27;
/// Qualified names are called label keys, and their length is counted in bytes.
pub(crate) const LABEL_KEYS: u8 = 35;
/// A port name without a letter is no longer told that a number would do.
pub(crate) const PORT_NAME_LETTER: u8 = 25;
/// Values in the expressions of a label selector must be label values.
pub(crate) const SELECTOR_VALUES: u8 = 26;
/// Two controlling owners are named with their kinds.
pub(crate) const OWNER_KINDS: u8 = 26;
/// Owner references say `must not be empty` without repeating the field.
pub(crate) const OWNER_FIELDS_UNNAMED: u8 = 34;
/// `clusterName` is gone.
pub(crate) const NO_CLUSTER_NAME: u8 = 24;
/// Managed fields are indexed, and their managers and subresources checked one by one.
pub(crate) const MANAGED_FIELDS_INDEXED: u8 = 22;
/// The name of a replication controller is checked without its `generateName`.
pub(crate) const CONTROLLER_GENERATED_NAME_UNCHECKED: u8 = 35;

/// A bad key of an annotation in a `fieldPath` is printed in lower case, as it is checked.
pub(crate) const ANNOTATION_KEY_LOWERED: u8 = 25;

/// An owner reference is named with its index, and what it lacks is `Required`.
pub(crate) const OWNERS_INDEXED: u8 = 37;
/// A job that changes is no longer validated as a new one, too.
pub(crate) const JOB_UPDATE_VALIDATED_ONCE: u8 = 37;
/// Each field of a stateful set that must not change has an error of its own.
pub(crate) const STATEFUL_SET_FIELDS_IMMUTABLE: u8 = 37;
/// `seLinuxChangePolicy` may be `MountOption`, with the gate `SELinuxMount`.
pub(crate) const SELINUX_MOUNT_OPTION: u8 = 37;
/// `shareProcessNamespace` is named as a field of the spec, behind the security context; so are what a
/// Windows pod may not have of the host's.
pub(crate) const SHARED_PROCESSES_IN_SPEC: u8 = 37;
/// The image of an image volume must have a reference in templates, too.
pub(crate) const IMAGE_REFERENCE_IN_TEMPLATES: u8 = 37;

/// No error is told twice: the second looks at the same things are gone.
pub(crate) const CAUSES_ONCE: u8 = 37;
/// What declarative validation has taken over is told last.
pub(crate) const DECLARATIVE_ERRORS_LAST: u8 = 37;

// Claims.

/// `volumeAttributesClassName` is looked at; in templates it was never dropped before.
pub(crate) const VOLUME_ATTRIBUTES_CLASS: u8 = 34;

// Pods.

/// `controller.kubernetes.io/pod-deletion-cost` must be a 32 bit integer.
pub(crate) const POD_DELETION_COST: u8 = 22;
/// `terminationGracePeriodSeconds` must be there (the default is always filled in).
pub(crate) const GRACE_PERIOD_REQUIRED: u8 = 31;
/// Container lists are validated by `validateContainerCommon`, which changed the order.
pub(crate) const CONTAINER_COMMON: u8 = 25;
/// Startup probes are looked at twice, and readiness probes must not have a grace period.
pub(crate) const PROBE_GRACE_PERIOD: u8 = 21;
/// Init containers with `restartPolicy: Always` may have probes and lifecycle hooks.
pub(crate) const SIDECARS: u8 = 28;
/// Containers may have a restart policy and rules of their own.
pub(crate) const CONTAINER_RESTART_RULES: u8 = 35;
/// An init container's rules without a policy are reported.
pub(crate) const INIT_RESTART_RULES_NEED_POLICY: u8 = 35;
/// `RestartAllContainers` is an action of a restart rule.
pub(crate) const RESTART_ALL_CONTAINERS: u8 = 36;
/// Too many restart rules are `Too many` rather than `Too long`.
pub(crate) const TOO_MANY_RESTART_RULES: u8 = 36;
/// `resizePolicy` of init containers is allowed.
pub(crate) const SIDECAR_RESIZE_POLICY: u8 = 33;
/// `RestartContainer` is refused for init containers that are no sidecars.
pub(crate) const INIT_RESIZE_RESTART: u8 = 36;
/// `resizePolicy` must be `NotRequired` when nothing restarts.
pub(crate) const RESIZE_NEVER: u8 = 29;
/// ... of the *pod*, the text says since.
pub(crate) const RESIZE_NEVER_POD: u8 = 36;
/// Environment variables may be named with any printable ASCII but `=`.
pub(crate) const RELAXED_ENV_NAMES: u8 = 32;
/// `fileKeyRef` is named among the sources of a variable.
pub(crate) const ENV_FILES: u8 = 35;
/// `status.hostIPs` is a field of the downward API.
pub(crate) const HOST_IPS_KNOWN: u8 = 28;
/// ... and allowed by default.
pub(crate) const HOST_IPS: u8 = 29;
/// Huge pages are resources of the downward API.
pub(crate) const DOWNWARD_HUGE_PAGES: u8 = 23;
/// Huge pages must be multiples of their size.
pub(crate) const DIVISIBLE_HUGE_PAGES: u8 = 21;
/// The limit is named when a request exceeds it.
pub(crate) const LIMIT_NAMED: u8 = 27;
/// Duplicate claims of a container are found by claim and request.
pub(crate) const CLAIM_REQUESTS: u8 = 31;
/// Pods have resources of their own.
pub(crate) const POD_LEVEL_RESOURCES: u8 = 34;
/// `hostPort` is reported, and not `containerPort`, with the host's network; templates may leave
/// it out.
pub(crate) const HOST_PORT_REPORTED: u8 = 28;
/// Block devices may come from ephemeral volumes.
pub(crate) const EPHEMERAL_BLOCK: u8 = 23;
/// Image volumes may not be mounted in part.
pub(crate) const IMAGE_SUB_PATHS_REFUSED: std::ops::Range<u8> = 31..33;
/// A sleep of zero seconds is allowed.
pub(crate) const SLEEP_ZERO: u8 = 33;
/// ... and the text names the gate that allows it.
pub(crate) const SLEEP_ZERO_GATE: u8 = 32;
/// `Unmasked` needs a user namespace.
pub(crate) const UNMASKED_NEEDS_USER_NAMESPACE: u8 = 30;
/// Sysctls of a namespace that is the host's are refused.
pub(crate) const HOST_SYSCTLS: u8 = 29;
/// Sysctl names may contain slashes.
pub(crate) const SYSCTL_SLASHES: u8 = 25;
/// ... and the text has the anchors of the regular expression.
pub(crate) const SYSCTL_ANCHORED: u8 = 25;
/// `hostUsers`: the text names the field as users write it, and block devices are refused too.
pub(crate) const HOST_USERS_TEXT: u8 = 34;
/// `hostUsers: false` no longer restricts the types of volumes.
pub(crate) const HOST_USERS_ANY_VOLUME: u8 = 28;
/// `os.name` is required without a text.
pub(crate) const OS_REQUIRED_SILENT: u8 = 34;
/// 32 search domains of a resolver, rather than 6.
pub(crate) const DNS_SEARCH_EXPANDED: u8 = 26;
/// Search domains may have underscores, and be a dot.
pub(crate) const RELAXED_DNS_SEARCH: u8 = 33;
/// The regular expression with underscores is in the text too.
pub(crate) const DNS_UNDERSCORE_REGEX: u8 = 34;
/// Addresses are checked by `IsValidIP`, and host aliases are indexed.
pub(crate) const IP_TEXT: u8 = 30;
/// Addresses must not have leading zeros, nor be IPv4 mapped to IPv6.
pub(crate) const STRICT_IPS: u8 = 36;
/// Scheduling gates are qualified names.
pub(crate) const GATES_QUALIFIED: u8 = 27;
/// Values in required node affinity must be label values.
pub(crate) const NODE_AFFINITY_VALUES: u8 = 33;
/// The selector of a pod affinity term is reported at `labelSelector`.
pub(crate) const AFFINITY_LABEL_SELECTOR: u8 = 21;
/// `value` is printed, and not the toleration, when `operator` is `Exists`.
pub(crate) const TOLERATION_VALUE_PRINTED: u8 = 32;
/// `Lt` and `Gt` are known, though not allowed by default.
pub(crate) const TOLERATION_COMPARISONS: u8 = 35;
/// Label selectors of topology spread constraints are validated.
pub(crate) const TOPOLOGY_SELECTOR: u8 = 27;
/// `matchLabelKeys` of topology spread constraints are merged into the selector.
pub(crate) const TOPOLOGY_KEYS_MERGED: u8 = 34;
/// Tokens of a service account must be projected to a local path.
pub(crate) const LOCAL_TOKEN_PATH: u8 = 30;
/// `may not specify more than 1 volume type per source`
pub(crate) const VOLUME_TYPE_PER_SOURCE: u8 = 31;
/// A CSI driver without a name is told that only.
pub(crate) const CSI_DRIVER_REQUIRED: u8 = 35;
/// The path of a CSI secret's name lost a stray space.
pub(crate) const CSI_SECRET_PATH: u8 = 24;
/// Claim templates of ephemeral volumes share the text of other templates.
pub(crate) const TEMPLATE_META_TEXT: u8 = 26;
/// `ReadWriteOncePod`
pub(crate) const READ_WRITE_ONCE_POD: u8 = 27;
/// Data sources without API group are explained.
pub(crate) const DATA_SOURCE_TEXT: u8 = 26;
/// The API group of a data source must be a subdomain.
pub(crate) const DATA_SOURCE_GROUP: u8 = 29;
/// Writable GCE disks in replicated pods are allowed.
pub(crate) const GCE_DISKS_UNCHECKED: u8 = 29;
/// ... and writable ones that were there before are kept.
pub(crate) const GCE_DISKS_KEPT: u8 = 28;
/// Names of resource claims are checked together with the pod's, and at `source`.
pub(crate) const RESOURCE_CLAIMS_FLAT: u8 = 31;
/// Static pods may not have resource claims.
pub(crate) const STATIC_POD_CLAIMS: u8 = 32;
/// The name of a resource claim must be one.
pub(crate) const RESOURCE_CLAIM_NAMES: u8 = 27;

// Updates of pods.

/// Static pods do not support ephemeral containers.
pub(crate) const STATIC_POD_EPHEMERAL: u8 = 27;
/// The text of a forbidden update lists its exceptions with commas only.
pub(crate) const UPDATABLE_FIELDS_LISTED: u8 = 27;
/// `terminationGracePeriodSeconds` may go from negative to one.
pub(crate) const GRACE_PERIOD_UPDATABLE: u8 = 22;
/// Quality of service must not change by an update.
pub(crate) const QOS_IMMUTABLE: std::ops::Range<u8> = 29..32;
/// Node selectors and affinities of gated pods may be narrowed.
pub(crate) const GATED_POD_MUTABLE: u8 = 27;
/// Conditions are found at `status.conditions`, before at `metadata.conditions`.
pub(crate) const CONDITIONS_OF_STATUS: u8 = 33;
/// Quality of service must not change by an update of the status.
pub(crate) const QOS_OF_STATUS_IMMUTABLE: u8 = 32;
/// A pod on a node is nominated to no other.
pub(crate) const NOMINATED_NODE_CLEARED: u8 = 35;
/// Bad addresses that were there before are kept, and the same one twice is told only once.
pub(crate) const BAD_ADDRESSES_KEPT: u8 = 33;

// Resizes of pods.

/// A memory limit may go down without a restart.
pub(crate) const MEMORY_LIMIT_DECREASES: u8 = 34;
/// Pods with resources of their own are refused by a gate, among all else that is wrong.
pub(crate) const RESIZE_POD_LEVEL_GATED: u8 = 35;
/// ... and that gate is on.
pub(crate) const RESIZE_POD_LEVEL: u8 = 36;
/// Init containers that come to an end can be resized, too.
pub(crate) const RESIZE_INIT_CONTAINERS: u8 = 36;
/// A container with claims can be resized.
pub(crate) const RESIZE_KEEPS_CLAIMS: u8 = 37;

// Workloads.

/// Updates no longer validate the new object a second time.
pub(crate) const UPDATE_VALIDATED_ONCE: u8 = 34;
/// Names of stateful sets are labels, and are not validated again on update.
pub(crate) const STATEFUL_SET_LABEL_NAME: u8 = 27;
/// `serviceName` of a stateful set must be a label.
pub(crate) const STATEFUL_SET_SERVICE_NAME: u8 = 33;
/// Pod templates and claim templates of stateful sets are validated.
pub(crate) const STATEFUL_SET_TEMPLATE: u8 = 34;
/// Surge in rolling updates of daemon sets.
pub(crate) const DAEMON_SET_SURGE: u8 = 22;
/// Jobs carry labels with a prefix.
pub(crate) const JOB_PREFIXED_LABELS: u8 = 27;
/// Completion modes of jobs, and the pods' host names.
pub(crate) const JOB_COMPLETION_MODE: u8 = 21;
/// Indexed jobs can be scaled.
pub(crate) const ELASTIC_INDEXED_JOBS: u8 = 27;
/// Scheduling directives of suspended jobs may change.
pub(crate) const JOB_MUTABLE_SCHEDULING: u8 = 23;
/// ... scheduling gates among them.
pub(crate) const JOB_MUTABLE_GATES: u8 = 27;
/// ... and resources.
pub(crate) const JOB_MUTABLE_RESOURCES: u8 = 36;
/// The action `FailIndex`.
pub(crate) const JOB_FAIL_INDEX: u8 = 28;
/// The annotation of the tracking finalizer is reserved (until 1.27).
pub(crate) const JOB_TRACKING_ANNOTATION: std::ops::Range<u8> = 22..25;
/// `timeZone` of a cron job excludes a zone in the schedule.
pub(crate) const CRON_TIME_ZONE: u8 = 24;
/// A zone in the schedule is refused.
pub(crate) const CRON_NO_ZONE_IN_SCHEDULE: u8 = 29;
/// Time zones are checked for their characters.
pub(crate) const CRON_TIME_ZONE_CHARACTERS: u8 = 27;

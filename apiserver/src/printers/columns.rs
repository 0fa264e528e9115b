//! The columns of each kind, in their order.
//!
//! Upstream: `AddHandlers` in `pkg/printers/internalversion/printers.go`.

use podgate_admission::resource::Resource;
use podgate_policy::Minor;

use super::Cell::{Bool, Containers, Count, Int, Labels, Ratio, Selector, Since, Text, With};
use super::{Column, Path, cells, pod};

/// What most columns are: a text that is always shown, in every minor.
const C: Column = Column {
    name: "",
    ty: "string",
    format: "",
    wide: false,
    since: Minor::OLDEST.number(),
    until: u8::MAX,
    cell: Text(&[], ""),
};
const NAME: Column = Column {
    name: "Name",
    format: "name",
    cell: Text(&["metadata", "name"], ""),
    ..C
};
const CREATED: Path = &["metadata", "creationTimestamp"];
const AGE: Column = Column {
    name: "Age",
    cell: Since(CREATED),
    ..C
};
const TEMPLATE: Path = &["spec", "template", "spec", "containers"];
const JOB_TEMPLATE: Path = &[
    "spec",
    "jobTemplate",
    "spec",
    "template",
    "spec",
    "containers",
];

const fn names(containers: Path) -> Column {
    Column {
        name: "Containers",
        wide: true,
        cell: Containers(containers, "name"),
        ..C
    }
}

const fn images(containers: Path) -> Column {
    Column {
        name: "Images",
        wide: true,
        cell: Containers(containers, "image"),
        ..C
    }
}

const fn selector(path: Path) -> Column {
    Column {
        name: "Selector",
        wide: true,
        cell: Selector(path, "<none>"),
        ..C
    }
}

const fn label_map(name: &'static str, path: Path) -> Column {
    Column {
        name,
        wide: true,
        cell: Labels(path),
        ..C
    }
}

const fn text(name: &'static str, path: Path, absent: &'static str) -> Column {
    Column {
        name,
        cell: Text(path, absent),
        ..C
    }
}

const fn int(name: &'static str, path: Path) -> Column {
    Column {
        name,
        ty: "integer",
        cell: Int(path),
        ..C
    }
}

const fn wide(column: Column) -> Column {
    Column {
        wide: true,
        ..column
    }
}

const fn since(since: u8, column: Column) -> Column {
    Column { since, ..column }
}

const fn until(until: u8, column: Column) -> Column {
    Column { until, ..column }
}

// One column a line: the tables are read by their columns.
#[rustfmt::skip]
mod tables {
    use super::{
        AGE, Bool, C, CREATED, Column, Count, Int, JOB_TEMPLATE, NAME, Ratio, Selector, TEMPLATE, Text, With,
        cells, images, int, label_map, names, pod, selector, since, text, until, wide,
    };

    const RESTARTS: Column = Column { name: "Restarts", cell: With(pod::restarts), ..C };
    pub(super) static POD: &[Column] = &[
        NAME,
        Column { name: "Ready", cell: With(pod::ready), ..C },
        Column { name: "Status", cell: With(pod::status), ..C },
        until(21, Column { ty: "integer", ..RESTARTS }),
        since(22, RESTARTS),
        AGE,
        Column { name: "IP", wide: true, cell: With(pod::ip), ..C },
        wide(text("Node", &["spec", "nodeName"], "<none>")),
        wide(text("Nominated Node", &["status", "nominatedNodeName"], "<none>")),
        Column { name: "Readiness Gates", wide: true, cell: With(pod::readiness_gates), ..C },
    ];
    pub(super) static POD_TEMPLATE: &[Column] = &[
        NAME,
        Column { wide: false, ..names(&["template", "spec", "containers"]) },
        Column { wide: false, ..images(&["template", "spec", "containers"]) },
        Column { wide: false, ..label_map("Pod Labels", &["template", "metadata", "labels"]) },
    ];
    pub(super) static REPLICATION_CONTROLLER: &[Column] = &[
        NAME,
        int("Desired", &["spec", "replicas"]),
        int("Current", &["status", "replicas"]),
        int("Ready", &["status", "readyReplicas"]),
        AGE,
        names(TEMPLATE),
        images(TEMPLATE),
        label_map("Selector", &["spec", "selector"]),
    ];
    pub(super) static REPLICA_SET: &[Column] = &[
        NAME,
        int("Desired", &["spec", "replicas"]),
        int("Current", &["status", "replicas"]),
        int("Ready", &["status", "readyReplicas"]),
        AGE,
        names(TEMPLATE),
        images(TEMPLATE),
        selector(&["spec", "selector"]),
    ];
    pub(super) static DAEMON_SET: &[Column] = &[
        NAME,
        int("Desired", &["status", "desiredNumberScheduled"]),
        int("Current", &["status", "currentNumberScheduled"]),
        int("Ready", &["status", "numberReady"]),
        int("Up-to-date", &["status", "updatedNumberScheduled"]),
        int("Available", &["status", "numberAvailable"]),
        Column { wide: false, ..label_map("Node Selector", &["spec", "template", "spec", "nodeSelector"]) },
        AGE,
        names(TEMPLATE),
        images(TEMPLATE),
        selector(&["spec", "selector"]),
    ];
    pub(super) static JOB: &[Column] = &[
        NAME,
        since(30, Column { name: "Status", cell: With(cells::job_status), ..C }),
        Column { name: "Completions", cell: With(cells::completions), ..C },
        Column { name: "Duration", cell: With(cells::job_duration), ..C },
        AGE,
        names(TEMPLATE),
        images(TEMPLATE),
        selector(&["spec", "selector"]),
    ];
    pub(super) static CRON_JOB: &[Column] = &[
        NAME,
        text("Schedule", &["spec", "schedule"], ""),
        since(30, text("Timezone", &["spec", "timeZone"], "<none>")),
        Column { name: "Suspend", ty: "boolean", cell: With(cells::suspend), ..C },
        Column { name: "Active", ty: "integer", cell: Count(&[&["status", "active"]]), ..C },
        Column { name: "Last Schedule", cell: With(cells::last_schedule), ..C },
        AGE,
        names(JOB_TEMPLATE),
        images(JOB_TEMPLATE),
        selector(&["spec", "jobTemplate", "spec", "selector"]),
    ];
    pub(super) static SERVICE: &[Column] = &[
        NAME,
        text("Type", &["spec", "type"], ""),
        Column { name: "Cluster-IP", cell: With(cells::cluster_ip), ..C },
        Column { name: "External-IP", cell: With(cells::external_ip), ..C },
        Column { name: "Port(s)", cell: With(cells::ports), ..C },
        AGE,
        label_map("Selector", &["spec", "selector"]),
    ];
    pub(super) static STATEFUL_SET: &[Column] = &[
        NAME,
        Column { name: "Ready", cell: Ratio(&["status", "readyReplicas"], &["spec", "replicas"]), ..C },
        AGE,
        names(TEMPLATE),
        images(TEMPLATE),
    ];
    pub(super) static NODE: &[Column] = &[
        NAME,
        Column { name: "Status", cell: With(cells::node_status), ..C },
        Column { name: "Roles", cell: With(cells::node_roles), ..C },
        AGE,
        text("Version", &["status", "nodeInfo", "kubeletVersion"], ""),
        Column { name: "Internal-IP", wide: true, cell: With(cells::internal_ip), ..C },
        Column { name: "External-IP", wide: true, cell: With(cells::node_external_ip), ..C },
        wide(text("OS-Image", &["status", "nodeInfo", "osImage"], "<unknown>")),
        Column { name: "Kernel-Version", wide: true, cell: With(cells::kernel_version), ..C },
        wide(text("Container-Runtime", &["status", "nodeInfo", "containerRuntimeVersion"], "<unknown>")),
    ];
    pub(super) static EVENT: &[Column] = &[
        Column { name: "Last Seen", cell: With(cells::last_seen), ..C },
        text("Type", &["type"], ""),
        text("Reason", &["reason"], ""),
        Column { name: "Object", cell: With(cells::involved_object), ..C },
        wide(text("Subobject", &["involvedObject", "fieldPath"], "")),
        Column { name: "Source", wide: true, cell: With(cells::event_source), ..C },
        Column { name: "Message", cell: With(cells::event_message), ..C },
        Column { name: "First Seen", wide: true, cell: With(cells::first_seen), ..C },
        Column { name: "Count", wide: true, cell: With(cells::event_count), ..C },
        wide(NAME),
    ];
    pub(super) static NAMESPACE: &[Column] = &[
        NAME,
        text("Status", &["status", "phase"], ""),
        AGE,
    ];
    pub(super) static SECRET: &[Column] = &[
        NAME,
        text("Type", &["type"], ""),
        Column { name: "Data", cell: Count(&[&["data"]]), ..C },
        AGE,
    ];
    pub(super) static SERVICE_ACCOUNT: &[Column] = &[
        NAME,
        until(34, Column { name: "Secrets", cell: Count(&[&["secrets"]]), ..C }),
        AGE,
    ];
    pub(super) static PERSISTENT_VOLUME_CLAIM: &[Column] = &[
        NAME,
        Column { name: "Status", cell: With(cells::claim_status), ..C },
        text("Volume", &["spec", "volumeName"], ""),
        Column { name: "Capacity", cell: With(cells::claim_capacity), ..C },
        Column { name: "Access Modes", cell: With(cells::claim_access_modes), ..C },
        Column { name: "StorageClass", cell: With(cells::storage_class), ..C },
        since(29, text("VolumeAttributesClass", &["spec", "volumeAttributesClassName"], "<unset>")),
        AGE,
        wide(text("VolumeMode", &["spec", "volumeMode"], "<unset>")),
    ];
    pub(super) static DEPLOYMENT: &[Column] = &[
        NAME,
        Column { name: "Ready", cell: Ratio(&["status", "readyReplicas"], &["spec", "replicas"]), ..C },
        Column { name: "Up-to-date", cell: Int(&["status", "updatedReplicas"]), ..C },
        Column { name: "Available", cell: Int(&["status", "availableReplicas"]), ..C },
        AGE,
        names(TEMPLATE),
        images(TEMPLATE),
        Column { name: "Selector", wide: true, cell: Selector(&["spec", "selector"], ""), ..C },
    ];
    pub(super) static CONFIG_MAP: &[Column] = &[
        NAME,
        Column { name: "Data", cell: Count(&[&["data"], &["binaryData"]]), ..C },
        AGE,
    ];
    pub(super) static POD_SECURITY_POLICY: &[Column] = &[
        NAME,
        Column { name: "Priv", cell: With(cells::privileged), ..C },
        Column { name: "Caps", cell: With(cells::allowed_capabilities), ..C },
        text("SELinux", &["spec", "seLinux", "rule"], ""),
        text("RunAsUser", &["spec", "runAsUser", "rule"], ""),
        text("FsGroup", &["spec", "fsGroup", "rule"], ""),
        text("SupGroup", &["spec", "supplementalGroups", "rule"], ""),
        Column { name: "ReadOnlyRootFs", cell: Bool(&["spec", "readOnlyRootFilesystem"]), ..C },
        Column { name: "Volumes", cell: With(cells::volumes), ..C },
    ];
    pub(super) static ROLE_BINDING: &[Column] = &[
        NAME,
        Column { name: "Role", cell: With(cells::role), ..C },
        AGE,
        Column { name: "Users", wide: true, cell: With(cells::users), ..C },
        Column { name: "Groups", wide: true, cell: With(cells::groups), ..C },
        Column { name: "ServiceAccounts", wide: true, cell: With(cells::service_accounts), ..C },
    ];
    pub(super) static CONTROLLER_REVISION: &[Column] = &[
        NAME,
        Column { name: "Controller", cell: With(cells::controller), ..C },
        Column { name: "Revision", cell: Int(&["revision"]), ..C },
        AGE,
    ];
    pub(super) static RESOURCE_QUOTA: &[Column] = &[
        NAME,
        until(32, AGE),
        Column { name: "Request", cell: With(cells::quota_requests), ..C },
        Column { name: "Limit", cell: With(cells::quota_limits), ..C },
        since(33, AGE),
    ];
    pub(super) static PRIORITY_CLASS: &[Column] = &[
        NAME,
        int("Value", &["value"]),
        Column { name: "Global-Default", ty: "boolean", cell: Bool(&["globalDefault"]), ..C },
        AGE,
        since(32, text("PreemptionPolicy", &["preemptionPolicy"], "")),
    ];
    pub(super) static RUNTIME_CLASS: &[Column] = &[
        NAME,
        text("Handler", &["handler"], ""),
        AGE,
    ];
    pub(super) static DEFAULT: &[Column] = &[
        NAME,
        Column { name: "Created At", ty: "date", cell: Text(CREATED, ""), ..C },
    ];
}

/// The columns of a resource on a server of `minor`.
pub(super) fn of(resource: &Resource, minor: Minor) -> impl Iterator<Item = &'static Column> {
    let number = minor.number();
    table(resource)
        .iter()
        .filter(move |column| column.since <= number && number <= column.until)
}

/// Whether the resource has no printer of its own.
pub(super) fn is_default(resource: &Resource) -> bool {
    std::ptr::eq(table(resource), tables::DEFAULT)
}

fn table(resource: &Resource) -> &'static [Column] {
    match resource.name {
        "pods" => tables::POD,
        "podtemplates" => tables::POD_TEMPLATE,
        "replicationcontrollers" => tables::REPLICATION_CONTROLLER,
        "replicasets" => tables::REPLICA_SET,
        "daemonsets" => tables::DAEMON_SET,
        "jobs" => tables::JOB,
        "cronjobs" => tables::CRON_JOB,
        "services" => tables::SERVICE,
        "statefulsets" => tables::STATEFUL_SET,
        "nodes" => tables::NODE,
        "events" => tables::EVENT,
        "namespaces" => tables::NAMESPACE,
        "secrets" => tables::SECRET,
        "serviceaccounts" => tables::SERVICE_ACCOUNT,
        "persistentvolumeclaims" => tables::PERSISTENT_VOLUME_CLAIM,
        "deployments" => tables::DEPLOYMENT,
        "configmaps" => tables::CONFIG_MAP,
        "podsecuritypolicies" => tables::POD_SECURITY_POLICY,
        "rolebindings" | "clusterrolebindings" => tables::ROLE_BINDING,
        "controllerrevisions" => tables::CONTROLLER_REVISION,
        "resourcequotas" => tables::RESOURCE_QUOTA,
        "priorityclasses" => tables::PRIORITY_CLASS,
        "runtimeclasses" => tables::RUNTIME_CLASS,
        _ => tables::DEFAULT,
    }
}

//! The cells that no path of the object says.
//!
//! Upstream: the functions of `pkg/printers/internalversion/printers.go` that are named with each.

use podgate_admission::value::{Object, Value};

use super::{Printed, age};

/// The first minor that counts a series of events as upstream counts it, without one more.
const FIRST_WITH_SERIES_COUNT: u8 = 23;
/// The first minor that knows `SuccessCriteriaMet` of jobs.
const FIRST_WITH_SUCCESS_CRITERIA: u8 = 34;
/// The first minor that shows the architecture of a node beside its kernel.
const FIRST_WITH_ARCHITECTURE: u8 = 36;
const NONE: &str = "<none>";

/// `FormatLabels` in `k8s.io/apimachinery/pkg/labels`
pub(super) fn labels(labels: Option<&Value<'_>>) -> String {
    let entries = labels
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Object::iter);
    let mut pairs: Vec<(&str, &str)> = entries
        .map(|(key, value)| (key, value.as_str().unwrap_or_default()))
        .collect();
    if pairs.is_empty() {
        return NONE.to_owned();
    }
    pairs.sort_unstable();
    let pairs = pairs
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"));
    pairs.collect::<Vec<_>>().join(",")
}

/// A label selector as selectors are written; nothing where it selects all or nothing
/// (`LabelSelectorAsSelector` in `k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go`, `String` of
/// `labels.Selector`).
pub(super) fn selector(selector: Option<&Value<'_>>) -> String {
    let Some(selector) = selector else {
        return String::new();
    };
    let of_labels = selector.get("matchLabels").and_then(Value::as_object);
    let mut requirements: Vec<(&str, String)> = of_labels
        .into_iter()
        .flat_map(Object::iter)
        .map(|(key, value)| (key, format!("{key}={}", value.as_str().unwrap_or_default())))
        .collect();
    for expression in selector.list_at(&["matchExpressions"]) {
        let key = expression.text_at(&["key"]);
        let values = expression.list_at(&["values"]).iter();
        let mut values: Vec<&str> = values.filter_map(Value::as_str).collect();
        values.sort_unstable();
        let values = values.join(",");
        let text = match expression.text_at(&["operator"]) {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        };
        requirements.push((key, text));
    }
    requirements.sort_by_key(|(key, _)| *key);
    let texts: Vec<String> = requirements.into_iter().map(|(_, text)| text).collect();
    texts.join(",")
}

/// `printJob`: how many pods succeeded, of how many.
pub(super) fn completions(printed: &Printed<'_>) -> Value<'static> {
    let succeeded = printed.int(&["status", "succeeded"]);
    let wanted = printed
        .object
        .at(&["spec", "completions"])
        .and_then(Value::as_int);
    Value::from(match (wanted, printed.int(&["spec", "parallelism"])) {
        (Some(wanted), _) => format!("{succeeded}/{wanted}"),
        (None, parallelism @ 2..) => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    })
}

/// `printJob`: how long it has run.
pub(super) fn job_duration(printed: &Printed<'_>) -> Value<'static> {
    let started = printed.object.text_at(&["status", "startTime"]);
    let completed = printed.object.text_at(&["status", "completionTime"]);
    Value::from(match (started, completed) {
        ("", _) => String::new(),
        (started, "") => printed.since(started),
        (started, completed) => age::between(started, completed),
    })
}

/// `printJob`: the status, which is shown since 1.30.
pub(super) fn job_status(printed: &Printed<'_>) -> Value<'static> {
    let has = |condition: &str| {
        let conditions = printed.object.list_at(&["status", "conditions"]).iter();
        let mut of_type = conditions.filter(|c| c.text_at(&["type"]) == condition);
        of_type
            .next()
            .is_some_and(|c| c.text_at(&["status"]) == "True")
    };
    let deleted = !printed
        .object
        .text_at(&["metadata", "deletionTimestamp"])
        .is_empty();
    let success = printed.minor.number() >= FIRST_WITH_SUCCESS_CRITERIA;
    let found = [
        ("Complete", has("Complete")),
        ("Failed", has("Failed")),
        ("Terminating", deleted),
        ("Suspended", has("Suspended")),
        ("FailureTarget", has("FailureTarget")),
        ("SuccessCriteriaMet", success && has("SuccessCriteriaMet")),
    ];
    let found = found.into_iter().find(|(_, is)| *is);
    Value::from(found.map_or("Running", |(status, _)| status))
}

/// `printBoolPtr`
pub(super) fn suspend(printed: &Printed<'_>) -> Value<'static> {
    let suspended = printed
        .object
        .at(&["spec", "suspend"])
        .and_then(Value::as_bool);
    Value::from(match suspended {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    })
}

/// `printCronJob`: when a job was made last.
pub(super) fn last_schedule(printed: &Printed<'_>) -> Value<'static> {
    Value::from(
        match printed.object.text_at(&["status", "lastScheduleTime"]) {
            "" => NONE.to_owned(),
            time => printed.since(time),
        },
    )
}

/// `printService`: the first of its addresses.
pub(super) fn cluster_ip(printed: &Printed<'_>) -> Value<'static> {
    let first = printed.object.list_at(&["spec", "clusterIPs"]).first();
    let first = first.and_then(Value::as_str).unwrap_or(NONE);
    Value::from(first.to_owned())
}

/// `getServiceExternalIP`
pub(super) fn external_ip(printed: &Printed<'_>) -> Value<'static> {
    let external = texts(printed.object, &["spec", "externalIPs"]);
    Value::from(match printed.object.text_at(&["spec", "type"]) {
        "ClusterIP" | "NodePort" if external.is_empty() => NONE.to_owned(),
        "ClusterIP" | "NodePort" => external.join(","),
        "LoadBalancer" => {
            let ingress = printed
                .object
                .list_at(&["status", "loadBalancer", "ingress"])
                .iter();
            let mut found: Vec<&str> = ingress
                .map(|ingress| match ingress.text_at(&["ip"]) {
                    "" => ingress.text_at(&["hostname"]),
                    ip => ip,
                })
                .filter(|address| !address.is_empty())
                .collect();
            found.sort_unstable();
            found.dedup();
            found.extend(external);
            if found.is_empty() {
                "<pending>".to_owned()
            } else {
                found.join(",")
            }
        }
        "ExternalName" => printed.object.text_at(&["spec", "externalName"]).to_owned(),
        _ => "<unknown>".to_owned(),
    })
}

/// `makePortString`
pub(super) fn ports(printed: &Printed<'_>) -> Value<'static> {
    let ports = printed
        .object
        .list_at(&["spec", "ports"])
        .iter()
        .map(|port| {
            let number = |key: &str| port.get(key).and_then(Value::as_int).unwrap_or_default();
            let (own, node, protocol) = (
                number("port"),
                number("nodePort"),
                port.text_at(&["protocol"]),
            );
            if node > 0 {
                format!("{own}:{node}/{protocol}")
            } else {
                format!("{own}/{protocol}")
            }
        });
    let ports = ports.collect::<Vec<_>>().join(",");
    Value::from(if ports.is_empty() {
        NONE.to_owned()
    } else {
        ports
    })
}

/// `printNode`: whether it is ready, and whether pods may go there.
pub(super) fn node_status(printed: &Printed<'_>) -> Value<'static> {
    let mut conditions = printed.object.list_at(&["status", "conditions"]).iter();
    let ready = conditions.rfind(|c| c.text_at(&["type"]) == "Ready");
    let ready = match ready.map(|c| c.text_at(&["status"])) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let cordoned = printed
        .object
        .at(&["spec", "unschedulable"])
        .and_then(Value::as_bool);
    Value::from(if cordoned == Some(true) {
        format!("{ready},SchedulingDisabled")
    } else {
        ready.to_owned()
    })
}

/// `findNodeRoles`
pub(super) fn node_roles(printed: &Printed<'_>) -> Value<'static> {
    let labels = printed
        .object
        .at(&["metadata", "labels"])
        .and_then(Value::as_object);
    let mut roles: Vec<&str> = labels
        .into_iter()
        .flat_map(Object::iter)
        .filter_map(
            |(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
                None if key == "kubernetes.io/role" => value.as_str(),
                role => role,
            },
        )
        .filter(|role| !role.is_empty())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    Value::from(if roles.is_empty() {
        NONE.to_owned()
    } else {
        roles.join(",")
    })
}

/// `getNodeInternalIP`
pub(super) fn internal_ip(printed: &Printed<'_>) -> Value<'static> {
    node_address(printed, "InternalIP")
}

/// `getNodeExternalIP`
pub(super) fn node_external_ip(printed: &Printed<'_>) -> Value<'static> {
    node_address(printed, "ExternalIP")
}

fn node_address(printed: &Printed<'_>, kind: &str) -> Value<'static> {
    let mut addresses = printed.object.list_at(&["status", "addresses"]).iter();
    let found = addresses.find(|address| address.text_at(&["type"]) == kind);
    Value::from(
        found
            .map_or(NONE, |address| address.text_at(&["address"]))
            .to_owned(),
    )
}

/// `printNode`: the kernel, and since 1.36 the architecture.
pub(super) fn kernel_version(printed: &Printed<'_>) -> Value<'static> {
    let info = |key| printed.object.text_at(&["status", "nodeInfo", key]);
    let kernel = match info("kernelVersion") {
        "" => "<unknown>",
        kernel => kernel,
    };
    Value::from(match info("architecture") {
        architecture
            if architecture.is_empty() || printed.minor.number() < FIRST_WITH_ARCHITECTURE =>
        {
            kernel.to_owned()
        }
        architecture => format!("{kernel} ({architecture})"),
    })
}

/// `printEvent`: when it was first.
pub(super) fn first_seen(printed: &Printed<'_>) -> Value<'static> {
    Value::from(first_timestamp(printed))
}

fn first_timestamp(printed: &Printed<'_>) -> String {
    printed.since(match printed.object.text_at(&["firstTimestamp"]) {
        "" => printed.object.text_at(&["eventTime"]),
        time => time,
    })
}

/// `printEvent`: when it was last.
pub(super) fn last_seen(printed: &Printed<'_>) -> Value<'static> {
    if printed.object.get("series").is_some() {
        let last = printed.object.text_at(&["series", "lastObservedTime"]);
        return Value::from(printed.since(last));
    }
    Value::from(match printed.object.text_at(&["lastTimestamp"]) {
        "" => first_timestamp(printed),
        time => printed.since(time),
    })
}

/// `printEvent`: how often it was.
pub(super) fn event_count(printed: &Printed<'_>) -> Value<'static> {
    if printed.object.get("series").is_some() {
        let more = i64::from(printed.minor.number() < FIRST_WITH_SERIES_COUNT);
        return Value::from(printed.int(&["series", "count"]) + more);
    }
    // One that has no count was once.
    Value::from(printed.int(&["count"]).max(1))
}

/// `printEvent`: what it is about.
pub(super) fn involved_object(printed: &Printed<'_>) -> Value<'static> {
    let kind = printed
        .object
        .text_at(&["involvedObject", "kind"])
        .to_lowercase();
    Value::from(match printed.object.text_at(&["involvedObject", "name"]) {
        "" => kind,
        name => format!("{kind}/{name}"),
    })
}

/// `formatEventSource`
pub(super) fn event_source(printed: &Printed<'_>) -> Value<'static> {
    let first = |source: &[&str], reporting: &str| match printed.object.text_at(source) {
        "" => printed.object.text_at(&[reporting]).to_owned(),
        text => text.to_owned(),
    };
    let component = first(&["source", "component"], "reportingComponent");
    let instance = first(&["source", "host"], "reportingInstance");
    Value::from(if instance.is_empty() {
        component
    } else {
        format!("{component}, {instance}")
    })
}

/// `printEvent`: its message without what surrounds it.
pub(super) fn event_message(printed: &Printed<'_>) -> Value<'static> {
    Value::from(printed.object.text_at(&["message"]).trim().to_owned())
}

/// `printPersistentVolumeClaim`
pub(super) fn claim_status(printed: &Printed<'_>) -> Value<'static> {
    let deleted = !printed
        .object
        .text_at(&["metadata", "deletionTimestamp"])
        .is_empty();
    Value::from(if deleted {
        "Terminating".to_owned()
    } else {
        printed.object.text_at(&["status", "phase"]).to_owned()
    })
}

/// `printPersistentVolumeClaim`: what a claim that has a volume got.
pub(super) fn claim_capacity(printed: &Printed<'_>) -> Value<'static> {
    Value::from(match printed.object.text_at(&["spec", "volumeName"]) {
        "" => String::new(),
        _ => match printed.object.text_at(&["status", "capacity", "storage"]) {
            "" => "0".to_owned(),
            capacity => capacity.to_owned(),
        },
    })
}

/// `GetAccessModesAsString` in `pkg/apis/core/helper`, of a claim that has a volume.
pub(super) fn claim_access_modes(printed: &Printed<'_>) -> Value<'static> {
    let modes = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let bound = !printed.object.text_at(&["spec", "volumeName"]).is_empty();
    let has = texts(printed.object, &["status", "accessModes"]);
    let short = modes
        .into_iter()
        .filter(|(mode, _)| bound && has.contains(mode));
    Value::from(short.map(|(_, short)| short).collect::<Vec<_>>().join(","))
}

/// `GetPersistentVolumeClaimClass` in `pkg/apis/core/helper`
pub(super) fn storage_class(printed: &Printed<'_>) -> Value<'static> {
    const ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";
    let annotated = printed.object.at(&["metadata", "annotations", ANNOTATION]);
    let class = annotated.or_else(|| printed.object.at(&["spec", "storageClassName"]));
    Value::from(class.and_then(Value::as_str).unwrap_or_default().to_owned())
}

/// `printPodSecurityPolicy`: a truth value as a text.
pub(super) fn privileged(printed: &Printed<'_>) -> Value<'static> {
    let privileged = printed
        .object
        .at(&["spec", "privileged"])
        .and_then(Value::as_bool);
    Value::from(if privileged == Some(true) {
        "true"
    } else {
        "false"
    })
}

/// `printPodSecurityPolicy`
pub(super) fn allowed_capabilities(printed: &Printed<'_>) -> Value<'static> {
    Value::from(texts(printed.object, &["spec", "allowedCapabilities"]).join(","))
}

/// `printPodSecurityPolicy`
pub(super) fn volumes(printed: &Printed<'_>) -> Value<'static> {
    Value::from(texts(printed.object, &["spec", "volumes"]).join(","))
}

/// `printRoleBinding`: the role that it binds.
pub(super) fn role(printed: &Printed<'_>) -> Value<'static> {
    let part = |key| printed.object.text_at(&["roleRef", key]);
    Value::from(format!("{}/{}", part("kind"), part("name")))
}

/// `SubjectsStrings` in `pkg/apis/rbac/helpers.go`
pub(super) fn users(printed: &Printed<'_>) -> Value<'static> {
    subjects(printed, "User")
}

/// `SubjectsStrings`
pub(super) fn groups(printed: &Printed<'_>) -> Value<'static> {
    subjects(printed, "Group")
}

/// `SubjectsStrings`
pub(super) fn service_accounts(printed: &Printed<'_>) -> Value<'static> {
    subjects(printed, "ServiceAccount")
}

fn subjects(printed: &Printed<'_>, kind: &str) -> Value<'static> {
    let subjects = printed.object.list_at(&["subjects"]).iter();
    let of_kind = subjects.filter(|subject| subject.text_at(&["kind"]) == kind);
    let names = of_kind.map(|subject| {
        let name = subject.text_at(&["name"]);
        match kind {
            "ServiceAccount" => format!("{}/{name}", subject.text_at(&["namespace"])),
            _ => name.to_owned(),
        }
    });
    Value::from(names.collect::<Vec<_>>().join(", "))
}

/// `printControllerRevision`: whose revision it is (`formatResourceName`).
pub(super) fn controller(printed: &Printed<'_>) -> Value<'static> {
    let owners = printed
        .object
        .list_at(&["metadata", "ownerReferences"])
        .iter();
    let is_controller = |owner: &&Value<'_>| owner.get("controller").and_then(Value::as_bool);
    let owner = owners
        .clone()
        .find(|owner| is_controller(owner) == Some(true));
    Value::from(owner.map_or_else(
        || NONE.to_owned(),
        |owner| {
            let kind = owner.text_at(&["kind"]).to_lowercase();
            let group = owner
                .text_at(&["apiVersion"])
                .split_once('/')
                .map(|(group, _)| group);
            let group =
                group.map_or_else(String::new, |group| format!(".{}", group.to_lowercase()));
            format!("{kind}{group}/{}", owner.text_at(&["name"]))
        },
    ))
}

/// `printResourceQuota`: all but limits.
pub(super) fn quota_requests(printed: &Printed<'_>) -> Value<'static> {
    quota(printed, false)
}

/// `printResourceQuota`: what begins with `limits.`
pub(super) fn quota_limits(printed: &Printed<'_>) -> Value<'static> {
    quota(printed, true)
}

fn quota(printed: &Printed<'_>, limits: bool) -> Value<'static> {
    let hard = printed
        .object
        .at(&["status", "hard"])
        .and_then(Value::as_object);
    let mut entries: Vec<(&str, &str)> = hard
        .into_iter()
        .flat_map(Object::iter)
        .filter(|(name, _)| name.starts_with("limits.") == limits)
        .map(|(name, quantity)| (name, quantity.as_str().unwrap_or("0")))
        .collect();
    entries.sort_unstable();
    let entries = entries.into_iter().map(|(name, hard)| {
        let used = match printed.object.text_at(&["status", "used", name]) {
            "" => "0",
            used => used,
        };
        format!("{name}: {used}/{hard}")
    });
    Value::from(entries.collect::<Vec<_>>().join(", "))
}

/// The texts of a list.
fn texts<'v>(object: &'v Value<'_>, path: &[&str]) -> Vec<&'v str> {
    let items = object.list_at(path).iter();
    items.filter_map(Value::as_str).collect()
}

//! What tables say of a pod.
//!
//! Upstream: `printPod` in `pkg/printers/internalversion/printers.go`.

use podgate_admission::value::Value;

use super::Printed;

/// The first minor that writes the number of restarts with the time of the last one.
const FIRST_WITH_RESTART_TIME: u8 = 22;
/// The first minor that says of a pod with scheduling gates that it is gated.
const FIRST_WITH_GATES: u8 = 26;
/// The first minor that knows sidecars, and looks at the condition `Initialized`.
const FIRST_WITH_SIDECARS: u8 = 28;
/// The first minor that does not call a pod that is over `Terminating`.
const FIRST_WITH_TERMINAL_PHASES: u8 = 31;
/// The first minor that shows the error of one container behind the completion of another.
const FIRST_WITH_ERRORS: u8 = 35;
const NONE: &str = "<none>";

/// How many of how many containers are ready.
pub(super) fn ready(printed: &Printed<'_>) -> Value<'static> {
    let summary = summarize(printed);
    Value::from(format!("{}/{}", summary.ready, summary.total))
}

/// Its phase, or what keeps it from running.
pub(super) fn status(printed: &Printed<'_>) -> Value<'static> {
    Value::from(summarize(printed).reason)
}

/// How often its containers were started again; since 1.22 a text, with when it was last.
pub(super) fn restarts(printed: &Printed<'_>) -> Value<'static> {
    let Summary {
        restarts,
        last_restart,
        ..
    } = summarize(printed);
    let number = printed.minor.number();
    if number < FIRST_WITH_RESTART_TIME {
        return Value::from(restarts);
    }
    let never = restarts == 0 && number >= FIRST_WITH_SIDECARS;
    Value::from(if last_restart.is_empty() || never {
        restarts.to_string()
    } else {
        format!("{restarts} ({} ago)", printed.since(&last_restart))
    })
}

/// The first of its addresses.
pub(super) fn ip(printed: &Printed<'_>) -> Value<'static> {
    let first = printed.object.list_at(&["status", "podIPs"]).first();
    Value::from(match first.map(|ip| ip.text_at(&["ip"])) {
        None | Some("") => NONE.to_owned(),
        Some(ip) => ip.to_owned(),
    })
}

/// How many of its readiness gates are open.
pub(super) fn readiness_gates(printed: &Printed<'_>) -> Value<'static> {
    let gates = printed.object.list_at(&["spec", "readinessGates"]);
    if gates.is_empty() {
        return Value::from(NONE);
    }
    let open = gates
        .iter()
        .filter(|gate| condition(printed.object, gate.text_at(&["conditionType"])) == Some("True"));
    Value::from(format!("{}/{}", open.count(), gates.len()))
}

/// What the statuses of the containers come to.
struct Summary {
    reason: String,
    ready: usize,
    total: usize,
    restarts: i64,
    /// Empty where none is known.
    last_restart: String,
}

fn summarize(printed: &Printed<'_>) -> Summary {
    let (pod, number) = (printed.object, printed.minor.number());
    let phase = pod.text_at(&["status", "phase"]);
    let mut summary = Summary {
        reason: match pod.text_at(&["status", "reason"]) {
            "" => phase.to_owned(),
            reason => reason.to_owned(),
        },
        ready: 0,
        total: pod.list_at(&["spec", "containers"]).len(),
        restarts: 0,
        last_restart: String::new(),
    };
    let gated = |c: &Value<'_>| {
        c.text_at(&["type"]) == "PodScheduled" && c.text_at(&["reason"]) == "SchedulingGated"
    };
    if number >= FIRST_WITH_GATES && pod.list_at(&["status", "conditions"]).iter().any(gated) {
        "SchedulingGated".clone_into(&mut summary.reason);
    }
    let sidecars: Vec<&str> = pod
        .list_at(&["spec", "initContainers"])
        .iter()
        .filter(|c| number >= FIRST_WITH_SIDECARS && c.text_at(&["restartPolicy"]) == "Always")
        .map(|c| c.text_at(&["name"]))
        .collect();
    summary.total += sidecars.len();
    let mut of_sidecars = (0, String::new());
    let initializing = initialize(pod, &sidecars, &mut summary, &mut of_sidecars);
    let initialized =
        number >= FIRST_WITH_SIDECARS && condition(pod, "Initialized") == Some("True");
    if !initializing || initialized {
        summary.restarts = of_sidecars.0;
        if number >= FIRST_WITH_SIDECARS {
            summary.last_restart = of_sidecars.1;
        }
        run(pod, number, &mut summary);
    }
    if !pod.text_at(&["metadata", "deletionTimestamp"]).is_empty() {
        let over = matches!(phase, "Failed" | "Succeeded") && number >= FIRST_WITH_TERMINAL_PHASES;
        if pod.text_at(&["status", "reason"]) == "NodeLost" {
            "Unknown".clone_into(&mut summary.reason);
        } else if !over {
            "Terminating".clone_into(&mut summary.reason);
        }
    }
    summary
}

/// Looks at the init containers up to the first that is not through; whether there is one. What the
/// sidecars among them add is counted beside.
fn initialize(
    pod: &Value<'_>,
    sidecars: &[&str],
    summary: &mut Summary,
    of_sidecars: &mut (i64, String),
) -> bool {
    let count = pod.list_at(&["spec", "initContainers"]).len();
    let statuses = pod.list_at(&["status", "initContainerStatuses"]).iter();
    for (at, container) in statuses.enumerate() {
        let sidecar = sidecars.contains(&container.text_at(&["name"]));
        count_restarts(container, &mut summary.restarts, &mut summary.last_restart);
        if sidecar {
            count_restarts(container, &mut of_sidecars.0, &mut of_sidecars.1);
        }
        let terminated = container.at(&["state", "terminated"]);
        let exit = terminated.map(|t| int(t, "exitCode"));
        if exit == Some(0) {
            continue;
        }
        if sidecar && is_true(container, "started") {
            summary.ready += usize::from(is_true(container, "ready"));
            continue;
        }
        let waiting = container.text_at(&["state", "waiting", "reason"]);
        summary.reason = if let Some(terminated) = terminated {
            format!("Init:{}", end(terminated))
        } else if !matches!(waiting, "" | "PodInitializing") {
            format!("Init:{waiting}")
        } else {
            format!("Init:{at}/{count}")
        };
        return true;
    }
    false
}

/// Looks at the containers, the last one first.
fn run(pod: &Value<'_>, number: u8, summary: &mut Summary) {
    let (mut running, mut error) = (false, None);
    for container in pod.list_at(&["status", "containerStatuses"]).iter().rev() {
        count_restarts(container, &mut summary.restarts, &mut summary.last_restart);
        let waiting = container.text_at(&["state", "waiting", "reason"]);
        if !waiting.is_empty() {
            waiting.clone_into(&mut summary.reason);
        } else if let Some(terminated) = container.at(&["state", "terminated"]) {
            summary.reason = end(terminated);
            if int(terminated, "exitCode") != 0 {
                error = Some(summary.reason.clone());
            }
        } else if is_true(container, "ready") && container.at(&["state", "running"]).is_some() {
            running = true;
            summary.ready += 1;
        }
    }
    if summary.reason != "Completed" {
        return;
    }
    let error = error.filter(|_| number >= FIRST_WITH_ERRORS);
    if running && condition(pod, "Ready") == Some("True") {
        "Running".clone_into(&mut summary.reason);
    } else if let Some(error) = error {
        summary.reason = error;
    } else if running {
        "NotReady".clone_into(&mut summary.reason);
    }
}

/// How a container ended: its reason, or else the signal or the code.
fn end(terminated: &Value<'_>) -> String {
    match (terminated.text_at(&["reason"]), int(terminated, "signal")) {
        ("", 0) => format!("ExitCode:{}", int(terminated, "exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

/// Adds the restarts of a container, and keeps the latest time at which one ended.
fn count_restarts(container: &Value<'_>, restarts: &mut i64, last: &mut String) {
    *restarts += int(container, "restartCount");
    let finished = container.text_at(&["lastState", "terminated", "finishedAt"]);
    // Times of one shape are in the order of their texts.
    if finished > last.as_str() {
        finished.clone_into(last);
    }
}

/// The status of the first condition of that type.
fn condition<'v>(pod: &'v Value<'_>, ty: &str) -> Option<&'v str> {
    let mut conditions = pod.list_at(&["status", "conditions"]).iter();
    let found = conditions.find(|c| c.text_at(&["type"]) == ty)?;
    Some(found.text_at(&["status"]))
}

fn int(value: &Value<'_>, key: &str) -> i64 {
    value.get(key).and_then(Value::as_int).unwrap_or_default()
}

fn is_true(value: &Value<'_>, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool) == Some(true)
}

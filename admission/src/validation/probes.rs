//! Probes and lifecycle hooks, and what they do.
//!
//! Upstream: `validateProbe`, `validateLivenessProbe`, `validateReadinessProbe`,
//! `validateStartupProbe`, `validateLifecycle`, `validateHandler` and the actions in
//! `pkg/apis/core/validation/validation.go`.

use crate::value::Value;

use super::field::{BadValue, Path};
use super::tree::{field, int, int_opt, items, text};
use super::{Validator, go, metadata, names, versions};

/// The three probes of a container since 1.25.
pub(crate) fn all(v: &mut Validator, container: &Value<'_>, spec: &Value<'_>, path: &Path<'_>) {
    probe(v, container, "livenessProbe", spec, path);
    success_threshold(v, container, "livenessProbe", path);
    probe(v, container, "readinessProbe", spec, path);
    no_grace_period(v, container, path);
    probe(v, container, "startupProbe", spec, path);
    success_threshold(v, container, "startupProbe", path);
}

/// `validateProbe` of the probe `name`.
pub(crate) fn probe(
    v: &mut Validator,
    container: &Value<'_>,
    name: &str,
    spec: &Value<'_>,
    path: &Path<'_>,
) {
    let Some(probe) = field(container, name) else {
        return;
    };
    let path = path.child(name);
    handler(
        v,
        probe,
        &["exec", "httpGet", "tcpSocket", "grpc"],
        spec,
        &path,
    );
    for name in [
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ] {
        metadata::non_negative(v, int(probe, name), &path.child(name));
    }
    if let Some(seconds) = int_opt(probe, "terminationGracePeriodSeconds")
        && seconds <= 0
    {
        v.errors.invalid(
            &path.child("terminationGracePeriodSeconds"),
            seconds,
            "must be greater than 0",
        );
    }
}

/// Liveness and startup probes must succeed after one success.
pub(crate) fn success_threshold(
    v: &mut Validator,
    container: &Value<'_>,
    name: &str,
    path: &Path<'_>,
) {
    if let Some(probe) = field(container, name) {
        let threshold = int(probe, "successThreshold");
        if threshold != 1 {
            let path = path.child(name);
            v.errors
                .invalid(&path.child("successThreshold"), threshold, "must be 1");
        }
    }
}

/// A readiness probe kills nothing, so it has no grace period.
pub(crate) fn no_grace_period(v: &mut Validator, container: &Value<'_>, path: &Path<'_>) {
    if let Some(probe) = field(container, "readinessProbe")
        && let Some(seconds) = int_opt(probe, "terminationGracePeriodSeconds")
    {
        let path = path.child("readinessProbe");
        v.errors.invalid(
            &path.child("terminationGracePeriodSeconds"),
            seconds,
            "must not be set for readinessProbes",
        );
    }
}

/// `validateLifecycle`, where there is one.
pub(crate) fn lifecycle(
    v: &mut Validator,
    container: &Value<'_>,
    spec: &Value<'_>,
    path: &Path<'_>,
) {
    let Some(lifecycle) = field(container, "lifecycle") else {
        return;
    };
    let path = path.child("lifecycle");
    for name in ["postStart", "preStop"] {
        if let Some(hook) = field(lifecycle, name) {
            let kinds = ["exec", "httpGet", "tcpSocket", "sleep"];
            handler(v, hook, &kinds, spec, &path.child(name));
        }
    }
    if let Some(signal) = field(lifecycle, "stopSignal") {
        let signal = signal.as_str().unwrap_or_default();
        stop_signal(v, signal, spec, &path.child("stopSignal"));
    }
}

/// `validateStopSignal`
fn stop_signal(v: &mut Validator, signal: &str, spec: &Value<'_>, path: &Path<'_>) {
    match field(spec, "os").map(|os| text(os, "name")) {
        None => v.errors.forbidden(
            path,
            "may not be set for containers with empty `spec.os.name`",
        ),
        Some("windows") => {
            if !matches!(signal, "SIGKILL" | "SIGTERM") {
                v.errors
                    .not_supported(path, signal, &["SIGKILL", "SIGTERM"]);
            }
        }
        Some("linux") => {
            if !LINUX_SIGNALS.contains(&signal) {
                v.errors.not_supported(path, signal, &LINUX_SIGNALS);
            }
        }
        Some(_) => {}
    }
}

/// The signals of Linux, sorted.
const LINUX_SIGNALS: [&str; 65] = [
    "SIGABRT",
    "SIGALRM",
    "SIGBUS",
    "SIGCHLD",
    "SIGCLD",
    "SIGCONT",
    "SIGFPE",
    "SIGHUP",
    "SIGILL",
    "SIGINT",
    "SIGIO",
    "SIGIOT",
    "SIGKILL",
    "SIGPIPE",
    "SIGPOLL",
    "SIGPROF",
    "SIGPWR",
    "SIGQUIT",
    "SIGRTMAX",
    "SIGRTMAX-1",
    "SIGRTMAX-10",
    "SIGRTMAX-11",
    "SIGRTMAX-12",
    "SIGRTMAX-13",
    "SIGRTMAX-14",
    "SIGRTMAX-2",
    "SIGRTMAX-3",
    "SIGRTMAX-4",
    "SIGRTMAX-5",
    "SIGRTMAX-6",
    "SIGRTMAX-7",
    "SIGRTMAX-8",
    "SIGRTMAX-9",
    "SIGRTMIN",
    "SIGRTMIN+1",
    "SIGRTMIN+10",
    "SIGRTMIN+11",
    "SIGRTMIN+12",
    "SIGRTMIN+13",
    "SIGRTMIN+14",
    "SIGRTMIN+15",
    "SIGRTMIN+2",
    "SIGRTMIN+3",
    "SIGRTMIN+4",
    "SIGRTMIN+5",
    "SIGRTMIN+6",
    "SIGRTMIN+7",
    "SIGRTMIN+8",
    "SIGRTMIN+9",
    "SIGSEGV",
    "SIGSTKFLT",
    "SIGSTOP",
    "SIGSYS",
    "SIGTERM",
    "SIGTRAP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGUSR1",
    "SIGUSR2",
    "SIGVTALRM",
    "SIGWINCH",
    "SIGXCPU",
    "SIGXFSZ",
];

/// `validateHandler`: exactly one of `kinds`.
fn handler(
    v: &mut Validator,
    handler: &Value<'_>,
    kinds: &[&str],
    spec: &Value<'_>,
    path: &Path<'_>,
) {
    let mut found = false;
    for kind in kinds {
        let Some(action) = field(handler, kind) else {
            continue;
        };
        let path = path.child(kind);
        if found {
            v.errors
                .forbidden(&path, "may not specify more than 1 handler type");
            continue;
        }
        found = true;
        match *kind {
            "exec" => {
                if items(action, "command").is_empty() {
                    v.errors.required(&path.child("command"), "");
                }
            }
            "httpGet" => http_get(v, action, &path),
            "sleep" => sleep(v, int(action, "seconds"), spec, &path),
            _ => port(v, action, &path.child("port")),
        }
    }
    if !found {
        v.errors.required(path, "must specify a handler type");
    }
}

/// `validateHTTPGetAction`
fn http_get(v: &mut Validator, action: &Value<'_>, path: &Path<'_>) {
    if text(action, "path").is_empty() {
        v.errors.required(&path.child("path"), "");
    }
    port(v, action, &path.child("port"));
    let scheme = text(action, "scheme");
    if !matches!(scheme, "HTTP" | "HTTPS") {
        v.errors
            .not_supported(&path.child("scheme"), scheme, &["HTTP", "HTTPS"]);
    }
    for header in items(action, "httpHeaders") {
        let name = text(header, "name");
        v.errors.invalid_each(
            &path.child("httpHeaders"),
            name,
            names::http_header_name(name),
        );
    }
}

/// `ValidatePortNumOrName` of the field `port`.
fn port(v: &mut Validator, action: &Value<'_>, path: &Path<'_>) {
    if let Some(Value::String(name)) = field(action, "port") {
        let wrong = names::port_name(name, v.minor);
        v.errors.invalid_each(path, name, wrong);
    } else {
        let port = int(action, "port");
        if let Some(wrong) = names::port_number(port) {
            v.errors.invalid(path, port, wrong);
        }
    }
}

/// `validateSleepAction`
fn sleep(v: &mut Validator, seconds: i64, spec: &Value<'_>, path: &Path<'_>) {
    let grace = int(spec, "terminationGracePeriodSeconds");
    let too_short = if v.since(versions::SLEEP_ZERO) {
        seconds < 0
    } else {
        seconds <= 0
    };
    if !too_short && seconds <= grace {
        return;
    }
    let detail = if v.since(versions::SLEEP_ZERO) {
        format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})")
    } else {
        let hint = if v.since(versions::SLEEP_ZERO_GATE) {
            ". Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep."
        } else {
            ""
        };
        format!(
            "must be greater than 0 and less than terminationGracePeriodSeconds ({grace}){hint}"
        )
    };
    v.errors.invalid(path, seconds, detail);
}

/// What an init container that is no sidecar must not have.
pub(crate) fn none(v: &mut Validator, container: &Value<'_>, path: &Path<'_>) {
    for (name, go_type) in [
        ("lifecycle", "core.Lifecycle"),
        ("livenessProbe", "core.Probe"),
        ("readinessProbe", "core.Probe"),
        ("startupProbe", "core.Probe"),
    ] {
        if field(container, name).is_none() {
            continue;
        }
        let path = path.child(name);
        if v.since(versions::SIDECARS) {
            v.errors.forbidden(
                &path,
                "may not be set for init containers without restartPolicy=Always",
            );
        } else if v.since(versions::CONTAINER_COMMON) {
            v.errors
                .forbidden(&path, "may not be set for init containers");
        } else {
            v.errors.invalid(
                &path,
                BadValue::Rendered(go::Rendered::abridged(go_type, v.minor)),
                "must not be set for init containers",
            );
        }
    }
}

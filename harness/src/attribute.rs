//! By whom a request was rejected, read off the server's `Status` alone, by the same code for every
//! backend.
//!
//! A test must never count as a rejection by a policy what was rejected for another reason. So
//! every form is anchored where the server writes it, and texts that a user chooses (names, values,
//! a webhook's message) can lie only behind such an anchor. Upstream writes these messages in
//! `k8s.io/apimachinery/pkg/api/errors`, in the admission plugins named at each rule below, and in
//! `k8s.io/apiserver/pkg/endpoints/handlers`.

use podgate_policy::{Minor, checks_in_message};

use crate::outcome::{By, Verdict};

/// The parts of a failed request's `meta/v1.Status` that say who rejected it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusView<'a> {
    /// The resource of the request as it stands in the path: `pods`, `namespaces`. It tells the
    /// namespace that a pod was to be created in from one that was itself asked for.
    pub resource: &'a str,
    /// `code`, or the HTTP code where there is no Status at all.
    pub code: u16,
    /// `reason`: `Forbidden`, `Invalid`; empty where the server says none.
    pub reason: &'a str,
    /// `message`
    pub message: &'a str,
    /// `details.name`
    pub name: &'a str,
    /// `details.group`
    pub group: &'a str,
    /// `details.kind`: the resource in denials, the kind in validation errors.
    pub kind: &'a str,
}

/// By whom the request of this failure was rejected.
#[must_use]
pub fn attribute(status: &StatusView<'_>) -> By {
    let message = status.message;
    // A Kind that the user made up stands at the start of this message, so it is looked at before
    // any message that starts with a fixed text (transformDecodeError in endpoints/handlers/rest.go).
    if status.code == 400 && message.contains(" cannot be handled as a ") {
        return By::Decode;
    }
    // A webhook chooses code, reason and details as it likes, and the text behind its name.
    if starts_with_any(message, WEBHOOK) {
        return By::Webhook;
    }
    // A ValidatingAdmissionPolicy chooses the code.
    let denial = denial(status);
    if denial.is_some_and(|text| text.starts_with("ValidatingAdmissionPolicy '")) {
        return By::ValidatingAdmissionPolicy;
    }
    match status.code {
        400 | 413 | 415 => By::Decode,
        403 => denial.map_or(By::Other, |text| by_denial(status, text)),
        404 if status.kind == "namespaces" && status.resource != "namespaces" => {
            By::NamespaceLifecycle
        }
        404 => By::NotFound,
        409 => By::Conflict,
        422 => By::Validation,
        500 if message.starts_with("No API token found for service account \"") => {
            By::ServiceAccount
        }
        500 if message.starts_with("insufficient quota to match these scopes: ") => {
            By::ResourceQuota
        }
        _ => By::Other,
    }
}

/// The verdict in the failure of a server of `minor`. Where it only says that the requester may not
/// act as somebody else, or that a webhook has no answer to a dry run, what the answer would be is
/// undecided.
#[must_use]
pub fn verdict(status: &StatusView<'_>, minor: Minor) -> Verdict {
    if refuses_impersonation(status) || refuses_dry_run(status) {
        return Verdict::Undecided {
            reason: status.message.to_owned(),
        };
    }
    Verdict::rejected(status, |message| {
        let checks = checks_in_message(podgate_policy::Server::new(minor), message);
        checks.into_iter().map(str::to_owned).collect()
    })
}

/// Whether the server refuses to let the requester act as somebody else, so that what that somebody
/// would be answered stays unknown (endpoints/filters/impersonation). The verb is `impersonate`, or
/// one that starts so where impersonation is constrained (from 1.35).
#[must_use]
pub fn refuses_impersonation(status: &StatusView<'_>) -> bool {
    status.code == 403
        && denial(status).is_some_and(|text| {
            text.strip_prefix("User ")
                .and_then(after_quoted)
                .is_some_and(|rest| rest.starts_with(" cannot impersonate"))
        })
}

/// Whether a webhook is not asked because the request is a dry run and the webhook is not made for
/// those (`NewDryRunUnsupportedErr` in admission/plugin/webhook/errors): what it would answer stays
/// unknown.
#[must_use]
pub fn refuses_dry_run(status: &StatusView<'_>) -> bool {
    let name = status.message.strip_prefix("admission webhook ");
    status.code == 400 && name.and_then(after_quoted) == Some(" does not support dry run")
}

/// Starts of messages about webhooks: `ToStatusErr` and `NewDryRunUnsupportedErr` in
/// admission/plugin/webhook/errors, `ErrCallingWebhook` in util/webhook wrapped by
/// `NewInternalError`.
const WEBHOOK: &[&str] = &[
    "admission webhook \"",
    "Internal error occurred: admission webhook \"",
    "Internal error occurred: failed calling webhook \"",
];

/// What a denial says after `is forbidden: `, if this message has the form that `NewForbidden`
/// gives it: the resource, the name as Go quotes it, the reason.
fn denial<'a>(status: &StatusView<'a>) -> Option<&'a str> {
    let rest = status.message;
    if status.kind.is_empty() {
        return rest.strip_prefix("forbidden: ");
    }
    let rest = rest.strip_prefix(status.kind)?;
    let rest = if status.group.is_empty() {
        rest
    } else {
        rest.strip_prefix('.')?.strip_prefix(status.group)?
    };
    let rest = if status.name.is_empty() {
        rest
    } else {
        after_quoted(rest.strip_prefix(' ')?)?
    };
    rest.strip_prefix(" is forbidden: ")
}

/// What follows the Go string (`%q`) that `text` starts with. Go escapes quotes and backslashes in
/// it, so no name can end it early.
fn after_quoted(text: &str) -> Option<&str> {
    let body = text.strip_prefix('"')?;
    let mut escaped = false;
    for (at, byte) in body.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(&body[at + 1..]),
            _ => {}
        }
    }
    None
}

/// The plugin that writes denials which start like this. No plugin starts one with a text that the
/// user chose.
fn by_denial(status: &StatusView<'_>, text: &str) -> By {
    let pods = status.kind == "pods" && status.group.is_empty();
    if pods && is_pod_security(text) {
        By::PodSecurity
    } else if pods && text.starts_with("PodSecurityPolicy: ") {
        By::PodSecurityPolicy
    } else if starts_with_any(text, &["User \"", "user \""]) {
        By::RBAC
    } else if starts_with_any(text, NAMESPACE_LIFECYCLE) {
        By::NamespaceLifecycle
    } else if starts_with_any(text, PRIORITY) {
        By::Priority
    } else if starts_with_any(text, RUNTIME_CLASS) {
        By::RuntimeClass
    } else if starts_with_any(text, RESOURCE_QUOTA) {
        By::ResourceQuota
    } else if is_service_account(text) {
        By::ServiceAccount
    } else if is_limit_ranger(text) {
        By::LimitRanger
    } else {
        By::Other
    }
}

/// apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go
const NAMESPACE_LIFECYCLE: &[&str] = &[
    "unable to create new content in namespace ",
    "this namespace may not be deleted",
];

/// plugin/pkg/admission/priority/admission.go
const PRIORITY: &[&str] = &[
    "no PriorityClass with name ",
    "the integer value of priority (",
    "the string value of PreemptionPolicy (",
    "PriorityClass ",
];

/// plugin/pkg/admission/runtimeclass/admission.go
const RUNTIME_CLASS: &[&str] = &[
    "pod rejected: RuntimeClass ",
    "pod rejected: Pod's Overhead ",
    "pod rejected: Pod Overhead ",
    "conflict: runtimeClass.scheduling.nodeSelector[",
];

/// apiserver/pkg/admission/plugin/resourcequota/controller.go
const RESOURCE_QUOTA: &[&str] = &[
    "exceeded quota: ",
    "failed quota: ",
    "status unknown for quota: ",
    "insufficient quota to consume: ",
    "quota usage is negative for resource(s): ",
];

/// plugin/pkg/admission/serviceaccount/admission.go
fn is_service_account(text: &str) -> bool {
    let refuses_reference = || {
        starts_with_any(
            text,
            &[
                "volume with secret.secretName=\"",
                "init container ",
                "container ",
                "ephemeral container ",
                "imagePullSecrets[",
            ],
        ) && (text.ends_with(" does not reference that secret")
            || text.ends_with(" does not reference that imagePullSecret"))
    };
    starts_with_any(
        text,
        &[
            "error looking up service account ",
            "Error looking up service account token for ",
            "no service account specified for pod ",
            "a mirror pod may not reference ",
            "a mirror pod may not use ServiceAccountToken volume projections",
        ],
    ) || refuses_reference()
}

/// plugin/pkg/admission/limitranger/admission.go; several errors stand in brackets.
fn is_limit_ranger(text: &str) -> bool {
    let first = text.strip_prefix('[').unwrap_or(text);
    let usage = || {
        let rest = first
            .strip_prefix("maximum ")
            .or_else(|| first.strip_prefix("minimum "));
        rest.is_some_and(|rest| rest.contains(" usage per "))
    };
    let ratio = || {
        let resource = first.split(' ').next().unwrap_or_default();
        first[resource.len()..].starts_with(" max limit to request ratio per ")
    };
    usage() || ratio() || first.ends_with("there was an error enforcing limit ranges")
}

/// `EvaluatePod` in pod-security-admission's admission/admission.go. From 1.23 the denial names the
/// policy; 1.22 writes the bare list of reasons, which starts with the reason of some check.
fn is_pod_security(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("violates PodSecurity ") else {
        return POD_SECURITY_REASONS.iter().any(|reason| {
            text.strip_prefix(reason)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ',']))
        });
    };
    after_quoted(rest).is_some_and(|rest| rest.starts_with(": "))
}

/// The reasons of the checks of 1.22 (`ForbiddenReason` in policy/check_*.go), without the plural.
const POD_SECURITY_REASONS: &[&str] = &[
    "forbidden AppArmor profile",
    "forbidden AppArmor profiles",
    "non-default capabilities",
    "host namespaces",
    "hostPath volumes",
    "hostPort",
    "privileged",
    "procMount",
    "seLinuxOptions",
    "seccompProfile",
    "forbidden sysctls",
    "hostProcess",
    "allowPrivilegeEscalation != false",
    "unrestricted capabilities",
    "restricted volume types",
    "runAsNonRoot != true",
    "runAsUser=0",
];

fn starts_with_any(text: &str, starts: &[&str]) -> bool {
    starts.iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests;

//! `PodSecurity`: the Pod Security Standards, as a namespace's labels ask for them.
//!
//! Upstream: `k8s.io/pod-security-admission/admission/admission.go`, and the plugin around it in
//! `plugin/pkg/admission/security/podsecurity/admission.go`. The checks themselves are in the crate
//! `podgate-policy`.

use std::collections::BTreeMap;

use podgate_policy::labels::{self, LabelError};
use podgate_policy::{Level, LevelVersion, NamespacePolicy, Violation, evaluate, text};

use crate::chain::Attributes;
use crate::config::Server;
use crate::podspec;
use crate::quote::quote;
use crate::request::Operation;
use crate::status::{Cause, Details, Status};
use crate::value::Value;
use crate::versions;
use crate::view;

mod configuration;

pub use configuration::Configuration;

/// Subresources that cannot change what a pod may do.
const IGNORED: [&str; 8] = [
    "exec",
    "attach",
    "binding",
    "eviction",
    "log",
    "portforward",
    "proxy",
    "status",
];

/// How many pods of a namespace are looked at when its labels change.
const MAX_PODS: usize = 3000;

pub(crate) fn validate(attributes: &mut Attributes<'_>, object: &Value<'_>) -> Result<(), Status> {
    if attributes.operation == Operation::Delete {
        return Ok(());
    }
    match (attributes.resource.group, attributes.resource.name) {
        ("", "namespaces") => namespace(attributes, object),
        ("", "pods") => pod(attributes, object),
        ("", "replicationcontrollers" | "podtemplates")
        | ("apps", "replicasets" | "deployments" | "statefulsets" | "daemonsets")
        | ("batch", "jobs" | "cronjobs") => {
            controller(attributes, object);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// `ValidatePod`
fn pod(attributes: &mut Attributes<'_>, object: &Value<'_>) -> Result<(), Status> {
    if attributes.subresource.is_some_and(|s| IGNORED.contains(&s)) || is_exempt(attributes) {
        return Ok(());
    }
    let Some((policy, errors)) = policy_of_namespace(attributes) else {
        let why = format!("failed to lookup namespace {}", named(attributes));
        attributes.audit(AUDIT_PREFIX, "error", &why);
        return Err(Status::internal_error(&why));
    };
    let alpha = versions::POD_SECURITY_ALPHA.contain(attributes.server.minor());
    if errors.is_empty() && policy.fully_privileged() {
        if !alpha {
            let policy = LevelVersion::default().to_string();
            attributes.audit(AUDIT_PREFIX, "enforce-policy", &policy);
        }
        return Ok(());
    }
    if attributes.operation == Operation::Update
        && let Some(old) = attributes.old
        && !is_significant(attributes, object, old)
    {
        return Ok(());
    }
    evaluate_pod(attributes, &policy, &errors, object, true)
}

/// `ValidatePodController`: a workload is warned about, never rejected.
fn controller(attributes: &mut Attributes<'_>, object: &Value<'_>) {
    if attributes.subresource.is_some() || is_exempt(attributes) {
        return;
    }
    let Some((policy, errors)) = policy_of_namespace(attributes) else {
        let why = format!(
            "failed to lookup namespace {name}: namespace {quoted} not found",
            name = named(attributes),
            quoted = quote(attributes.namespace)
        );
        attributes.audit(AUDIT_PREFIX, "error", &why);
        return;
    };
    let silent = |level_version: LevelVersion| level_version.level == Level::Privileged;
    if errors.is_empty() && silent(policy.warn) && silent(policy.audit) {
        return;
    }
    if let Some(template) = podspec::template(attributes.resource, object) {
        // Only the enforced policy can reject.
        let _ = evaluate_pod(attributes, &policy, &errors, template, false);
    }
}

/// The namespace's name as errors have it.
fn named(attributes: &Attributes<'_>) -> String {
    if versions::LOOKUP_QUOTED.contain(attributes.server.minor()) {
        quote(attributes.namespace)
    } else {
        attributes.namespace.to_owned()
    }
}

/// Whether the namespace or the user is exempt.
fn is_exempt(attributes: &mut Attributes<'_>) -> bool {
    let configuration = &attributes.server.pod_security;
    let why = if configuration.exempts_namespace(attributes.namespace) {
        "namespace"
    } else if configuration.exempts_user(&attributes.user.name) {
        "user"
    } else {
        return false;
    };
    exempt(attributes, why);
    true
}

fn exempt(attributes: &mut Attributes<'_>, why: &str) {
    if !versions::POD_SECURITY_ALPHA.contain(attributes.server.minor()) {
        attributes.audit(AUDIT_PREFIX, "exempt", why);
    }
}

fn policy_of_namespace(attributes: &Attributes<'_>) -> Option<(NamespacePolicy, Vec<LabelError>)> {
    let namespace = attributes
        .world
        .get("namespaces", "", attributes.namespace)?;
    Some(policy_of(attributes, &namespace))
}

/// `PolicyToEvaluate`
fn policy_of(
    attributes: &Attributes<'_>,
    namespace: &Value<'_>,
) -> (NamespacePolicy, Vec<LabelError>) {
    let server = attributes.server;
    labels::parse(
        |key| label(namespace, key),
        &server.pod_security.defaults,
        server.policy(),
    )
}

fn label<'v>(namespace: &'v Value<'_>, key: &str) -> Option<&'v str> {
    namespace.at(&["metadata", "labels", key])?.as_str()
}

/// `EvaluatePod`
fn evaluate_pod(
    attributes: &mut Attributes<'_>,
    policy: &NamespacePolicy,
    errors: &[LabelError],
    pod: &Value<'_>,
    enforce: bool,
) -> Result<(), Status> {
    let class = pod
        .at(&["spec", "runtimeClassName"])
        .and_then(Value::as_str);
    if class.is_some_and(|class| attributes.server.pod_security.exempts_runtime_class(class)) {
        exempt(attributes, "runtimeClass");
        return Ok(());
    }
    let alpha = versions::POD_SECURITY_ALPHA.contain(attributes.server.minor());
    if !errors.is_empty() {
        let why = failed_to_parse(attributes.server, errors);
        attributes.audit(AUDIT_PREFIX, "error", &why);
    }
    let server = attributes.server.policy();
    let view = view::of(pod);
    let mut judged: Vec<(LevelVersion, Vec<Violation>)> = Vec::with_capacity(3);
    let mut judge = |of: LevelVersion| -> Vec<Violation> {
        if let Some((_, violations)) = judged.iter().find(|(done, _)| *done == of) {
            return violations.clone();
        }
        let violations = evaluate(server, of, &view);
        judged.push((of, violations.clone()));
        violations
    };
    let mut denied = None;
    if enforce {
        if !alpha {
            attributes.audit(AUDIT_PREFIX, "enforce-policy", &policy.enforce.to_string());
        }
        let violations = judge(policy.enforce);
        if !violations.is_empty() {
            let why = text::deny(server, policy.enforce, &violations);
            denied = Some(attributes.forbidden(pod, &why));
        }
    }
    let violations = judge(policy.audit);
    if !violations.is_empty() {
        let key = if alpha { "audit" } else { "audit-violations" };
        let why = text::audit(server, policy.audit, &violations);
        attributes.audit(AUDIT_PREFIX, key, &why);
    }
    if let Some(status) = denied {
        return Err(status);
    }
    let violations = judge(policy.warn);
    if !violations.is_empty() {
        attributes.warn(&text::warn(server, policy.warn, &violations));
    }
    Ok(())
}

/// `isSignificantPodUpdate`: whether an update can change a verdict.
fn is_significant(attributes: &Attributes<'_>, pod: &Value<'_>, old: &Value<'_>) -> bool {
    let minor = attributes.server.minor();
    let annotation = |key: &str| {
        let of = |pod| podspec::annotation(pod, key).unwrap_or_default();
        of(pod) != of(old)
    };
    if versions::SIGNIFICANT_POD_SECCOMP.contain(minor)
        && annotation("seccomp.security.alpha.kubernetes.io/pod")
    {
        return true;
    }
    let container = |new: &Value<'_>, old: &Value<'_>| {
        let name = new.text_at(&["name"]);
        new.text_at(&["image"]) != old.text_at(&["image"])
            || (versions::SIGNIFICANT_CONTAINER_SECCOMP.contain(minor)
                && annotation(&format!(
                    "container.seccomp.security.alpha.kubernetes.io/{name}"
                )))
    };
    for list in ["containers", "initContainers"] {
        let (new, old) = (pod.list_at(&["spec", list]), old.list_at(&["spec", list]));
        if new.len() != old.len() || new.iter().zip(old).any(|(new, old)| container(new, old)) {
            return true;
        }
    }
    let old = old.list_at(&["spec", "ephemeralContainers"]);
    pod.list_at(&["spec", "ephemeralContainers"])
        .iter()
        .any(|new| {
            let name = new.text_at(&["name"]);
            old.iter()
                .find(|old| old.text_at(&["name"]) == name)
                .is_none_or(|old| container(new, old))
        })
}

/// `ValidateNamespace`
fn namespace(attributes: &mut Attributes<'_>, object: &Value<'_>) -> Result<(), Status> {
    if attributes.subresource.is_some() {
        return Ok(());
    }
    let (policy, errors) = policy_of(attributes, object);
    // A request for a namespace carries its name as the namespace (`RequestInfo`, and the handler of
    // creates sets it).
    let exempt_here = attributes
        .server
        .pod_security
        .exempts_namespace(object.text_at(&["metadata", "name"]));
    let minor = attributes.server.minor();
    if attributes.operation == Operation::Create {
        if !errors.is_empty() {
            return Err(invalid(attributes, &errors));
        }
        if exempt_here && versions::EXEMPT_WARNING.contain(minor) {
            warn_exempt(attributes, object, &policy);
        }
        return Ok(());
    }
    let Some(old) = attributes.old else {
        return Ok(());
    };
    let (old_policy, old_errors) = policy_of(attributes, old);
    if !errors.is_empty() && errors != old_errors {
        return Err(invalid(attributes, &errors));
    }
    let (new, old) = (policy.enforce, old_policy.enforce);
    let relaxed = new.version == old.version && new.level <= old.level;
    if new == old || new.level == Level::Privileged || relaxed {
        return Ok(());
    }
    if exempt_here {
        if versions::EXEMPT_WARNING.contain(minor) {
            warn_exempt(attributes, object, &policy);
        } else {
            exempt(attributes, "namespace");
        }
        return Ok(());
    }
    warn_about_pods(attributes, object.text_at(&["metadata", "name"]), new);
    Ok(())
}

/// `exemptNamespaceWarning`
fn warn_exempt(attributes: &mut Attributes<'_>, namespace: &Value<'_>, policy: &NamespacePolicy) {
    let defaults = &attributes.server.pod_security.defaults;
    if policy.fully_privileged() || policy.equivalent(defaults) {
        return;
    }
    let name = quote(namespace.text_at(&["metadata", "name"]));
    let policy = policy.compact(attributes.server.policy(), |key| label(namespace, key));
    attributes.warn(&format!(
        "namespace {name} is exempt from Pod Security, and the policy ({policy}) will be ignored"
    ));
}

/// `EvaluatePodsInNamespace`, without its time limit.
fn warn_about_pods(attributes: &mut Attributes<'_>, namespace: &str, enforce: LevelVersion) {
    let server = attributes.server.policy();
    let alpha = versions::POD_SECURITY_ALPHA.contain(attributes.server.minor());
    let mut pods = attributes.world.list("pods", namespace);
    pods.retain(|pod| {
        let class = pod
            .at(&["spec", "runtimeClassName"])
            .and_then(Value::as_str);
        !class.is_some_and(|class| attributes.server.pod_security.exempts_runtime_class(class))
    });
    if !alpha {
        // The first pod of each controller comes before further ones of the same.
        let mut controllers = Vec::new();
        pods.sort_by_cached_key(|pod| {
            let owners = pod.list_at(&["metadata", "ownerReferences"]);
            let controller = owners
                .iter()
                .find(|o| o.get("controller").and_then(Value::as_bool) == Some(true));
            let Some(controller) = controller else {
                return false;
            };
            let uid = controller.text_at(&["uid"]).to_owned();
            let further = controllers.contains(&uid);
            controllers.push(uid);
            further
        });
    }
    let total = pods.len();
    pods.truncate(MAX_PODS);
    if alpha && pods.len() < total {
        attributes.warn(&format!(
            "Large namespace: only checking the first {MAX_PODS} of {total} pods"
        ));
    }
    // By the reasons against them: how many pods, and the first name.
    let mut groups: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for pod in &pods {
        let violations = evaluate(server, enforce, &view::of(pod));
        if violations.is_empty() {
            continue;
        }
        let (reasons, name) = (
            text::reasons(&violations),
            pod.text_at(&["metadata", "name"]),
        );
        if alpha {
            attributes.warn(&format!("{name}: {reasons}"));
            continue;
        }
        let (count, first) = groups
            .entry(reasons)
            .or_insert_with(|| (0, name.to_owned()));
        *count += 1;
        if name < first.as_str() {
            name.clone_into(first);
        }
    }
    if alpha {
        return;
    }
    if pods.len() < total {
        attributes.warn(&format!(
            "new PodSecurity enforce level only checked against the first {} of {total} existing pods",
            pods.len()
        ));
    }
    if !groups.is_empty() {
        attributes.warn(&format!(
            "existing pods in namespace {} violate the new PodSecurity enforce level \"{enforce}\"",
            quote(namespace)
        ));
    }
    let mut lines: Vec<_> = groups
        .into_iter()
        .map(|(reasons, (count, first))| match count {
            1 => format!("{first}: {reasons}"),
            2 => format!("{first} (and 1 other pod): {reasons}"),
            _ => format!("{first} (and {} other pods): {reasons}", count - 1),
        })
        .collect();
    lines.sort();
    for line in lines {
        attributes.warn(&line);
    }
}

/// The prefix of the plugin's audit annotations.
pub const AUDIT_PREFIX: &str = "pod-security.kubernetes.io/";

/// The audit annotation `error` about labels of a namespace that are wrong, as `server` writes it.
#[must_use]
pub fn failed_to_parse(server: &Server, errors: &[LabelError]) -> String {
    format!("Failed to parse policy: {}", aggregate(server, errors))
}

/// The errors about labels as one text: Go's aggregate.
fn aggregate(server: &Server, errors: &[LabelError]) -> String {
    let alpha = versions::POD_SECURITY_ALPHA.contain(server.minor());
    let texts: Vec<_> = errors
        .iter()
        .map(|error| {
            if alpha {
                return format!("{}: {error}", error.alpha_name());
            }
            format!("{}: {}", field(error), body(error))
        })
        .collect();
    match &texts[..] {
        [only] => only.clone(),
        texts => format!("[{}]", texts.join(", ")),
    }
}

fn field(error: &LabelError) -> String {
    format!("metadata.labels[{}]", error.label())
}

fn body(error: &LabelError) -> String {
    format!("Invalid value: {}: {error}", quote(&error.value))
}

/// The answer to a namespace with bad labels.
fn invalid(attributes: &Attributes<'_>, errors: &[LabelError]) -> Status {
    let alpha = versions::POD_SECURITY_ALPHA.contain(attributes.server.minor());
    let texts = aggregate(attributes.server, errors);
    let message = if alpha {
        texts
    } else {
        format!("Namespace {} is invalid: {texts}", quote(&attributes.name))
    };
    let causes = errors.iter().map(|error| Cause {
        reason: "FieldValueInvalid",
        message: body(error),
        field: field(error),
    });
    Status {
        code: 422,
        reason: "Invalid",
        message,
        details: Some(Box::new(Details {
            name: attributes.name.clone(),
            kind: "Namespace".to_owned(),
            causes: if alpha { Vec::new() } else { causes.collect() },
            ..Details::default()
        })),
    }
}

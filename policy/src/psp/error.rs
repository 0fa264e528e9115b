//! What a policy holds against a pod, in the server's words; and why a policy cannot be used.
//!
//! Upstream: `Error` in `k8s.io/apimachinery/pkg/util/validation/field/errors.go`, and
//! `CreateStrategies` in `factory.go`.

use std::fmt;

/// One field of a pod that a policy does not allow. It is printed as the server prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The path as upstream writes it, which is not always that of a field of the pod:
    /// `spec.securityContext.hostNetwork`, `pod.metadata.annotations[...]`.
    pub path: String,
    /// What is wrong: `Invalid value: true: Host network is not allowed to be used`.
    pub body: String,
    /// The field of the policy that demands it: `spec.hostNetwork`, or
    /// `metadata.annotations[...]`.
    pub policy_field: &'static str,
}

impl FieldError {
    /// `field.Invalid`; the value is printed already, the detail may be empty.
    pub(super) fn invalid(
        policy_field: &'static str,
        path: String,
        value: impl fmt::Display,
        detail: &str,
    ) -> Self {
        Self::new(
            policy_field,
            path,
            format!("Invalid value: {value}"),
            detail,
        )
    }

    /// `field.Required`
    pub(super) fn required(policy_field: &'static str, path: String, detail: &str) -> Self {
        Self::new(policy_field, path, "Required value".to_owned(), detail)
    }

    /// `field.Forbidden`
    pub(super) fn forbidden(policy_field: &'static str, path: String, detail: &str) -> Self {
        Self::new(policy_field, path, "Forbidden".to_owned(), detail)
    }

    fn new(policy_field: &'static str, path: String, mut body: String, detail: &str) -> Self {
        if !detail.is_empty() {
            body.push_str(": ");
            body.push_str(detail);
        }
        Self {
            path,
            body,
            policy_field,
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.body)
    }
}

/// A policy that the API accepts and the plugin then passes over, as if it were not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct BrokenPolicy {
    /// What its strategies lack, one or more.
    pub reasons: Vec<String>,
}

impl fmt::Display for BrokenPolicy {
    /// As Go prints an aggregate of errors.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reasons[..] {
            [one] => f.write_str(one),
            many => write!(f, "[{}]", many.join(", ")),
        }
    }
}

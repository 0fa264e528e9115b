//! What was observed: for each object and step of a scenario, whether the server admitted it, by
//! whom it was rejected, and the same for the pods that its controller would create.
//!
//! Upstream has no counterpart. The words are those of the API: a verdict is read from the
//! server's `Status` (see [`attribute`](crate::attribute)), warnings are the texts of its
//! `Warning` headers.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attribute::{StatusView, attribute};
use crate::psp::AppliedPolicy;

/// What became of one object in one step of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The step, where the scenario has steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// The object as `Kind/name`, or `Kind/namespace/name` where it lies outside of the scenario's
    /// own namespace, with `/subresource` behind it where one was asked for.
    pub object: String,
    /// What was done with it.
    pub action: Action,
    /// What the server answered.
    #[serde(flatten)]
    pub own: Stage,
    /// For a workload: what the server answers to the pod of its template, created as its
    /// controller would create it. `None` for objects that make no pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pods: Option<Stage>,
}

/// A step of a scenario, as its outcomes are headed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Step {
    /// Its place among the steps, counted from 1.
    pub number: u32,
    /// What it does, in a few words: `patch Namespace`, `restart Deployment/web`.
    pub label: String,
}

/// What was done with an object.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It was created, or updated where it existed, as `kubectl apply` does.
    #[default]
    Applied,
    /// It was patched.
    Patched,
    /// Its pod template was given a new `kubectl.kubernetes.io/restartedAt`.
    Restarted,
    /// It was deleted.
    Deleted,
}

impl Action {
    /// Every action, in the order of their definition.
    pub const ALL: [Self; 4] = [Self::Applied, Self::Patched, Self::Restarted, Self::Deleted];

    /// The word in front of `by`: `applied`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Patched => "patched",
            Self::Restarted => "restarted",
            Self::Deleted => "deleted",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What one requester was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// Who asked: `admin`, `alice`, `replicaset-controller`.
    pub requester: String,
    /// The server's decision.
    pub verdict: Verdict,
    /// The `PodSecurityPolicy` that a new pod was admitted by, where the cluster has that plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psp: Option<AppliedPolicy>,
    /// The texts of the `Warning` headers, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The audit annotations; `None` (`null` in JSON) where they cannot be known: a real server
    /// writes them to its audit log only. They are reported, but stand in no snapshot.
    #[serde(default = "no_annotations", skip_serializing_if = "is_known_and_empty")]
    pub audit_annotations: Option<BTreeMap<String, String>>,
}

#[expect(clippy::unnecessary_wraps)] // serde wants the field's type
fn no_annotations() -> Option<BTreeMap<String, String>> {
    Some(BTreeMap::new())
}

#[expect(clippy::ref_option)] // serde hands over a reference to the field
fn is_known_and_empty(annotations: &Option<BTreeMap<String, String>>) -> bool {
    annotations.as_ref().is_some_and(BTreeMap::is_empty)
}

/// A server's decision on one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// The server did what it was asked.
    Admitted,
    /// The server answered with a failure.
    Rejected(Rejection),
    /// What the server would do cannot be known here.
    Undecided {
        /// Why not.
        reason: String,
    },
}

/// A failure that a server answered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The HTTP code.
    pub code: u16,
    /// By whom.
    pub by: By,
    /// The ids of the Pod Security checks that the message names, in its order. Empty unless
    /// [`By::PodSecurity`] rejected it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
    /// The message as the server wrote it.
    pub message: String,
}

impl Verdict {
    /// The verdict in a failure that a server answered with; `checks_in_message` reads the ids of
    /// the checks off a message of Pod Security.
    pub fn rejected(
        status: &StatusView<'_>,
        checks_in_message: impl FnOnce(&str) -> Vec<String>,
    ) -> Self {
        let by = attribute(status);
        let checks = match by {
            By::PodSecurity => checks_in_message(status.message),
            _ => Vec::new(),
        };
        Self::Rejected(Rejection {
            code: status.code,
            by,
            checks,
            message: status.message.to_owned(),
        })
    }

    /// Whether the server did what it was asked.
    #[must_use]
    pub const fn is_admitted(&self) -> bool {
        matches!(self, Self::Admitted)
    }

    /// Whether the server refused.
    #[must_use]
    pub const fn is_rejected(&self) -> bool {
        matches!(self, Self::Rejected(_))
    }

    /// Whether it cannot be known.
    #[must_use]
    pub const fn is_undecided(&self) -> bool {
        matches!(self, Self::Undecided { .. })
    }

    /// The rejection, if this is one.
    #[must_use]
    pub const fn rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Rejected(rejection) => Some(rejection),
            _ => None,
        }
    }
}

/// Declares [`By`] with the words that stand for it in files and reports.
macro_rules! by {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// By whom a request was rejected.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum By {
            $($(#[$doc])* $name,)+
        }

        impl By {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The word for it: `PodSecurity`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }
    };
}

by! {
    /// The `PodSecurity` admission plugin.
    PodSecurity,
    /// The `PodSecurityPolicy` admission plugin (to 1.24).
    PodSecurityPolicy,
    /// The validation of the object, or of the labels of a namespace by `PodSecurity`: 422.
    Validation,
    /// The body was no object of the kind that was asked for: 400, 413, 415.
    Decode,
    /// Authorization.
    RBAC,
    /// The `ServiceAccount` admission plugin.
    ServiceAccount,
    /// The namespace does not exist, is being deleted, or may not be deleted.
    NamespaceLifecycle,
    /// The Priority admission plugin.
    Priority,
    /// The `RuntimeClass` admission plugin.
    RuntimeClass,
    /// The `LimitRanger` admission plugin.
    LimitRanger,
    /// The `ResourceQuota` admission plugin.
    ResourceQuota,
    /// A `ValidatingAdmissionPolicy`.
    ValidatingAdmissionPolicy,
    /// An admission webhook, or the failure to call one.
    Webhook,
    /// There is no such object or resource.
    NotFound,
    /// The object exists, was changed meanwhile, or has a field that another manager owns.
    Conflict,
    /// Anything else.
    Other,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names nobody who rejects requests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of those who reject requests")]
pub struct UnknownBy(pub String);

impl FromStr for By {
    type Err = UnknownBy;

    fn from_str(text: &str) -> Result<Self, UnknownBy> {
        let found = Self::ALL.iter().find(|by| by.as_str() == text);
        found.copied().ok_or_else(|| UnknownBy(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for &by in By::ALL {
            assert_eq!(by.to_string().parse(), Ok(by));
            assert_eq!(serde_json::to_value(by).unwrap(), by.as_str());
        }
        assert!("podsecurity".parse::<By>().is_err());
    }

    #[test]
    fn outcomes_as_json() {
        let outcome = Outcome {
            step: None,
            object: "Deployment/web".into(),
            action: Action::Applied,
            own: Stage {
                requester: "admin".into(),
                verdict: Verdict::Admitted,
                warnings: vec!["w".into()],
                psp: None,
                audit_annotations: Some(BTreeMap::new()),
            },
            pods: Some(Stage {
                requester: "replicaset-controller".into(),
                verdict: Verdict::Rejected(Rejection {
                    code: 403,
                    by: By::PodSecurity,
                    checks: vec!["privileged".into()],
                    message: "m".into(),
                }),
                warnings: Vec::new(),
                psp: None,
                audit_annotations: Some(BTreeMap::new()),
            }),
        };
        let json = serde_json::json!({
            "object": "Deployment/web",
            "action": "applied",
            "requester": "admin",
            "verdict": "admitted",
            "warnings": ["w"],
            "pods": {
                "requester": "replicaset-controller",
                "verdict": {"rejected": {
                    "code": 403, "by": "PodSecurity", "checks": ["privileged"], "message": "m",
                }},
            },
        });
        assert_eq!(serde_json::to_value(&outcome).unwrap(), json);
        assert_eq!(serde_json::from_value::<Outcome>(json).unwrap(), outcome);
    }
}

//! What each `PodSecurityPolicy` of a cluster said of a pod, and who may use it: more than a server
//! tells, whose denials name no policy and leave out those that nobody may use.

use podgate_admission::plugins::pod_security_policy::Explanation;
use podgate_admission::plugins::pod_security_policy::explanation::{self, Verdict};
use serde::Serialize;

/// What came of all policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The users whose right to use a policy counts for the pod: its service account, and who
    /// creates it.
    pub users: Vec<String>,
    /// Every policy of the cluster, in the order in which they were tried.
    pub tried: Vec<TriedPolicy>,
}

/// What came of one policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TriedPolicy {
    /// Its name.
    pub policy: String,
    /// What it says of the pod.
    #[serde(flatten)]
    pub says: Says,
    /// Who may use it for the pod.
    pub usable_by: Vec<UsableBy>,
}

/// What a policy says of a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "says", rename_all = "camelCase")]
pub enum Says {
    /// It allows the pod as it is.
    Allows,
    /// It allows the pod once it has changed these fields.
    Changes {
        /// Paths in the pod.
        fields: Vec<String>,
    },
    /// It refuses the pod.
    Refuses {
        /// Why.
        errors: Vec<PolicyError>,
    },
    /// Nobody can use it: the API accepts it, but its rules lack something.
    Broken {
        /// What they lack.
        reason: String,
    },
}

/// A field of a pod that a policy does not allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyError {
    /// The error as the server writes it.
    pub error: String,
    /// The field of the policy that demands it: `spec.hostNetwork`.
    pub policy_field: &'static str,
}

/// Somebody's right to use a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UsableBy {
    /// The user's name.
    pub user: String,
    /// The binding that gives the right, as the server describes it; `None` for members of
    /// `system:masters`.
    pub binding: Option<String>,
}

impl TriedPolicy {
    /// Whether the pod would be admitted if somebody might use the policy.
    #[must_use]
    pub const fn would_admit(&self) -> bool {
        matches!(self.says, Says::Allows | Says::Changes { .. })
    }
}

impl From<Explanation> for Trial {
    fn from(explanation: Explanation) -> Self {
        Self {
            users: explanation.users,
            tried: explanation
                .tried
                .into_iter()
                .map(TriedPolicy::from)
                .collect(),
        }
    }
}

impl From<explanation::Tried> for TriedPolicy {
    fn from(tried: explanation::Tried) -> Self {
        let says = match tried.verdict {
            Verdict::Allows => Says::Allows,
            Verdict::Changes(fields) => Says::Changes { fields },
            Verdict::Refuses(errors) => {
                let error = |error: podgate_policy::psp::FieldError| PolicyError {
                    error: error.to_string(),
                    policy_field: error.policy_field,
                };
                Says::Refuses {
                    errors: errors.into_iter().map(error).collect(),
                }
            }
            Verdict::Broken(reason) => Says::Broken { reason },
        };
        let usable_by = tried.usable_by.into_iter().map(|grant| UsableBy {
            user: grant.user,
            binding: grant.binding,
        });
        Self {
            policy: tried.policy,
            says,
            usable_by: usable_by.collect(),
        }
    }
}

//! Why a pod got the policy that it got, or none: each policy that was tried, what came of it, and
//! who may use it.
//!
//! The server tells of a refusal what the policies hold against the pod, without their names, and
//! nothing at all of those that cannot be used; of an admission it tells the name in an annotation.
//! This is the rest, made only where it is asked for ([`admit_explained`](crate::chain::admit_explained)).

use podgate_policy::psp::{FieldError, PodSecurityPolicy, PodView, Provider};

use super::authorize::{Users, grant};
use crate::chain::Attributes;

/// The part of admission that looked for a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A new pod, which a policy may still change.
    Admit,
    /// A pod that can be changed no more: a new one behind all mutating plugins, or an update.
    Validate,
}

impl Phase {
    /// The verb in the server's messages.
    pub(super) const fn verb(self) -> &'static str {
        match self {
            Self::Admit => "admit",
            Self::Validate => "validate",
        }
    }
}

/// What came of all policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Where it was decided: the phase that refused the pod, else the first one that ran, in which
    /// policies may still change the pod.
    pub phase: Phase,
    /// The policy that the pod got; `None` where it was refused.
    pub admitted_by: Option<String>,
    /// The users whose right to use a policy counts, in the order in which they are asked.
    pub users: Vec<String>,
    /// Every policy of the cluster, in the order in which they were tried.
    pub tried: Vec<Tried>,
}

/// What came of one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Its name.
    pub policy: String,
    /// What it says of the pod.
    pub verdict: Verdict,
    /// Who may use it for the pod: nobody, the pod's service account, the requester, or both.
    pub usable_by: Vec<Grant>,
}

/// What a policy says of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It allows the pod as it is.
    Allows,
    /// It allows the pod with changes to these fields, which only [`Phase::Admit`] can make.
    Changes(Vec<String>),
    /// It refuses the pod, for these reasons.
    Refuses(Vec<FieldError>),
    /// It cannot be used by anybody, as the API accepts it but its rules lack something.
    Broken(String),
}

/// Somebody's right to use a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// In what capacity the user counts.
    pub holder: Holder,
    /// The user's name.
    pub user: String,
    /// The binding that gives the right, as the server describes it: `RBAC: allowed by RoleBinding
    /// "b/web" of Role "r" to Group "dev"`. `None` for members of `system:masters`, who may do
    /// everything: no pod of anybody else gets this policy by that.
    pub binding: Option<String>,
}

/// In what capacity a user counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The pod runs as this service account.
    ServiceAccount,
    /// The user makes the request.
    Requester,
}

impl Explanation {
    /// Whether the pod was admitted for no other reason than that the requester is in
    /// `system:masters`. A controller that creates the same pod would be refused.
    #[must_use]
    pub fn only_by_masters(&self) -> bool {
        let chosen = self.tried.iter().find(|tried| {
            let admitted_by = self.admitted_by.as_deref();
            admitted_by == Some(tried.policy.as_str())
        });
        chosen.is_some_and(|tried| tried.usable_by.iter().all(|grant| grant.binding.is_none()))
    }
}

/// Tries all policies once more, and notes what comes of each.
pub(super) fn of(
    attributes: &Attributes<'_>,
    users: &Users<'_>,
    policies: &[PodSecurityPolicy<'_>],
    pod: &PodView<'_>,
    phase: Phase,
    admitted_by: Option<String>,
) -> Explanation {
    let server = attributes.server.policy();
    let tried = policies.iter().map(|policy| Tried {
        policy: policy.name.to_owned(),
        verdict: match Provider::new(policy) {
            Err(broken) => Verdict::Broken(broken.to_string()),
            Ok(provider) => {
                let mut pod = pod.clone();
                let edits = provider.mutate(&mut pod);
                let errors = provider.validate(server, &pod);
                if !errors.is_empty() {
                    Verdict::Refuses(errors)
                } else if edits.is_empty() {
                    Verdict::Allows
                } else {
                    Verdict::Changes(edits.fields())
                }
            }
        },
        usable_by: grants(attributes, users, policy.name),
    });
    let account = users.service_account.iter();
    let asked = account
        .chain([users.requester])
        .map(|user| user.name.clone());
    Explanation {
        phase,
        admitted_by,
        users: asked.collect(),
        tried: tried.collect(),
    }
}

fn grants(attributes: &Attributes<'_>, users: &Users<'_>, policy: &str) -> Vec<Grant> {
    let account = users.service_account.as_ref();
    let holders = [
        (Holder::ServiceAccount, account),
        (Holder::Requester, Some(users.requester)),
    ];
    let grants = holders.into_iter().filter_map(|(holder, user)| {
        let user = user?;
        let decision = grant(attributes.world, user, attributes.namespace, policy)?;
        Some(Grant {
            holder,
            user: user.name.clone(),
            binding: Some(decision.reason).filter(|reason| !reason.is_empty()),
        })
    });
    grants.collect()
}

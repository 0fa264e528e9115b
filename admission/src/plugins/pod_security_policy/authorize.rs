//! Who may use a policy for a pod: its service account or the requester, in its namespace.

use podgate_policy::rules::Choice;

use crate::chain::Attributes;
use crate::rbac::{self, Decision};
use crate::request::{User, World};
use crate::value::Value;

/// The groups in which the right to use a policy may be given: its own, and the one that it came
/// from, in which it is not even served any more.
const GROUPS: [&str; 2] = ["policy", "extensions"];

/// The users whose rights count, in the order in which they are asked.
pub(super) struct Users<'r> {
    pub(super) service_account: Option<User>,
    pub(super) requester: &'r User,
}

impl<'r> Users<'r> {
    pub(super) fn new(attributes: &Attributes<'r>, pod: &Value<'_>) -> Self {
        let name = pod.text_at(&["spec", "serviceAccountName"]);
        Self {
            service_account: (!name.is_empty())
                .then(|| service_account(attributes.namespace, name)),
            requester: attributes.user,
        }
    }

    /// `isAuthorizedForPolicy`: by upstream's rules both are asked.
    pub(super) fn may_use(
        &self,
        world: &dyn World,
        namespace: &str,
        policy: &str,
        choice: Choice,
    ) -> bool {
        let granted = |user| grant(world, user, namespace, policy).is_some();
        let service_account = || self.service_account.as_ref().is_some_and(granted);
        match choice {
            Choice::UsableByAll => true,
            Choice::UsableByRequester => granted(self.requester),
            Choice::UsableByServiceAccount => service_account(),
            _ => service_account() || granted(self.requester),
        }
    }
}

/// The user that a service account is here: without `system:authenticated`, which only requests have
/// (`serviceaccount.UserInfo`).
fn service_account(namespace: &str, name: &str) -> User {
    User {
        name: format!("system:serviceaccount:{namespace}:{name}"),
        groups: vec![
            "system:serviceaccounts".to_owned(),
            format!("system:serviceaccounts:{namespace}"),
        ],
    }
}

/// The decision that lets the user use the policy (`authorizedForPolicy`).
pub(super) fn grant(
    world: &dyn World,
    user: &User,
    namespace: &str,
    policy: &str,
) -> Option<Decision> {
    let decide = |group| {
        let attributes = rbac::Attributes {
            verb: "use",
            group,
            resource: "podsecuritypolicies",
            namespace,
            name: policy,
            ..rbac::Attributes::default()
        };
        rbac::authorize(world, user, &attributes)
    };
    GROUPS.into_iter().map(decide).find(|it| it.allowed)
}

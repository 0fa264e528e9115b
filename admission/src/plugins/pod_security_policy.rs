//! `PodSecurityPolicy` (1.20 to 1.24): a pod gets a policy that allows it and that somebody may use
//! for it, and what that policy fills in.
//!
//! Upstream: `plugin/pkg/admission/security/podsecuritypolicy/admission.go`. One thing differs:
//! where several policies refuse a pod, upstream strings their errors together in random order, here
//! they come in the order of the policies' names.

use std::sync::Arc;

use podgate_policy::psp::{Edits, PodSecurityPolicy, PodView, Provider};
use podgate_policy::rules::Choice;

use crate::chain::Attributes;
use crate::podspec;
use crate::prepare::same;
use crate::request::Operation;
use crate::status::Status;
use crate::value::{Object, Value};

mod apply;
mod authorize;
pub mod explanation;
mod policy;
mod view;

pub use explanation::Explanation;

use authorize::Users;
use explanation::Phase;

/// The prefix of the audit annotations.
const AUDIT: &str = "podsecuritypolicy.policy.k8s.io/";
/// The annotation that names the policy of a pod.
const VALIDATED: &str = "kubernetes.io/psp";

/// Finds a new pod a policy, and lets it fill in what it has values for.
pub(crate) fn admit(attributes: &mut Attributes<'_>, pod: &mut Value<'_>) -> Result<(), Status> {
    if attributes.operation != Operation::Create || ignores(attributes, pod) {
        return Ok(());
    }
    let admitted = choose(attributes, pod, Phase::Admit)?;
    apply::edits(pod, &admitted.edits);
    if let Some(pod) = pod.as_object_mut() {
        pod.object_mut("metadata")
            .object_mut("annotations")
            .insert(VALIDATED, admitted.policy.clone());
    }
    attributes.audit(AUDIT, "admit-policy", &admitted.policy);
    Ok(())
}

/// Finds a policy that allows the pod as it is: what other plugins made of a new one, or an update
/// of nearly any kind.
pub(crate) fn validate(attributes: &mut Attributes<'_>, pod: &Value<'_>) -> Result<(), Status> {
    let passes = attributes.operation == Operation::Update
        && attributes.server.rules.choice() == Choice::UpdatesPass;
    if attributes.operation == Operation::Delete || passes || ignores(attributes, pod) {
        return Ok(());
    }
    let admitted = choose(attributes, pod, Phase::Validate)?;
    attributes.audit(AUDIT, "validate-policy", &admitted.policy);
    Ok(())
}

/// Whether policies have nothing to say: about other resources, about subresources of pods, and
/// about updates that change nothing but what garbage collectors do (`shouldIgnore`).
fn ignores(attributes: &Attributes<'_>, pod: &Value<'_>) -> bool {
    !attributes.is_pod()
        || attributes.operation == Operation::Update
            && attributes.old.is_some_and(|old| changes_owners(pod, old))
}

/// `IsOnlyMutatingGCFields`. The resource version has been compared before.
fn changes_owners(new: &Value<'_>, old: &Value<'_>) -> bool {
    const NOT_COMPARED: [&str; 5] = [
        "finalizers",
        "managedFields",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
    ];
    let metadata = |object: &Value<'_>| {
        let metadata = object.get("metadata").and_then(Value::as_object);
        let entries = metadata.into_iter().flat_map(Object::iter);
        let compared = entries.filter(|(key, _)| !NOT_COMPARED.contains(key));
        let compared = compared.map(|(key, value)| (key.to_owned(), value.clone().into_owned()));
        Value::from(compared.collect::<Object<'_>>())
    };
    same(Some(&metadata(new)), Some(&metadata(old)))
        && ["spec", "status"]
            .into_iter()
            .all(|part| same(new.get(part), old.get(part)))
}

/// The policy that a pod gets, and what it fills in.
struct Admitted {
    policy: String,
    edits: apply::Patch,
}

/// Chooses among the policies by name (`computeSecurityContext`): the first that allows the pod
/// without any change, else the first that allows it with its changes, of those that may be used.
/// Where nothing can be changed any more, the policy that the pod names is asked first.
fn choose(
    attributes: &mut Attributes<'_>,
    pod: &Value<'_>,
    phase: Phase,
) -> Result<Admitted, Status> {
    let mut objects = attributes.world.list("podsecuritypolicies", "");
    let hint = match phase {
        Phase::Admit => None,
        Phase::Validate => podspec::annotation(pod, VALIDATED),
    };
    objects.sort_by(|a, b| {
        let key = |object: &Arc<Value<'static>>| {
            let name = object.text_at(&["metadata", "name"]).to_owned();
            (Some(&*name) != hint, name)
        };
        key(a).cmp(&key(b))
    });
    let rules = attributes.server.rules;
    if rules.choice() == Choice::LastByName {
        objects.reverse();
    }
    let mut policies: Vec<_> = objects.iter().map(|object| policy::of(object)).collect();
    for policy in &mut policies {
        rules.read(policy);
    }
    let view = view::of(pod);
    let users = Users::new(attributes, pod);
    let found = find(attributes, &users, &policies, &view, phase);
    // What the second phase says of a pod that has been changed is of no news, unless it refuses it.
    let decides = attributes.explanation.is_none() || found.is_err();
    if attributes.wants_explanation && decides {
        let admitted_by = found.as_ref().ok().map(|(policy, _)| (*policy).to_owned());
        attributes.explanation = Some(explanation::of(
            attributes,
            &users,
            &policies,
            &view,
            phase,
            admitted_by,
        ));
    }
    match found {
        Ok((policy, edits)) => Ok(Admitted {
            policy: policy.to_owned(),
            edits: apply::Patch::from(&edits),
        }),
        Err(why) => {
            let why = format!("PodSecurityPolicy: {why}");
            Err(attributes.forbidden(pod, &why))
        }
    }
}

/// The policy and its edits, or the text of the refusal.
fn find<'v>(
    attributes: &Attributes<'_>,
    users: &Users<'_>,
    policies: &'v [PodSecurityPolicy<'v>],
    pod: &PodView<'v>,
    phase: Phase,
) -> Result<(&'v str, Edits<'v>), String> {
    let server = attributes.server.policy();
    let rules = attributes.server.rules;
    let choice = rules.choice();
    let may_use =
        |policy: &str| users.may_use(attributes.world, attributes.namespace, policy, choice);
    let mut providers = policies
        .iter()
        .filter_map(|policy| Some(Provider::new(policy).ok()?.judging_by(rules)))
        .peekable();
    if providers.peek().is_none() {
        return Err("no providers available to validate pod request".to_owned());
    }
    let mut first = None;
    let mut refusals = Vec::new();
    for provider in providers {
        let mut pod = pod.clone();
        let edits = provider.mutate(&mut pod);
        let errors = provider.validate(server, &pod);
        let name = provider.name();
        if !errors.is_empty() {
            refusals.push((name, errors));
        } else if edits.is_empty() {
            if may_use(name) {
                return Ok((name, edits));
            }
        } else if phase == Phase::Admit && first.is_none() && may_use(name) {
            if choice == Choice::FirstByName {
                return Ok((name, edits));
            }
            first = Some((name, edits));
        }
    }
    first.ok_or_else(|| {
        let errors = refusals
            .iter()
            .filter(|(policy, _)| may_use(policy))
            .flat_map(|(_, errors)| errors);
        let errors: Vec<_> = errors.map(ToString::to_string).collect();
        format!("unable to {} pod: [{}]", phase.verb(), errors.join(" "))
    })
}

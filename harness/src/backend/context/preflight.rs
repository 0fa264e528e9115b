//! What is looked at before a scenario counts: that the cluster answers and which version it is, that
//! the namespaces and the objects of the cluster file are there, and that the user may do what the
//! scenarios need.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use kube::Client;
use podgate_admission::controller;
use podgate_admission::decode::decode_untyped;
use podgate_admission::resource::Resource;
use podgate_policy::Minor;

use super::access::Permission;
use super::{Context, POD_SECURITY, Writes};
use crate::error::Error;
use crate::exchange::{Answer, Call, Identity, exchange};
use crate::run::{collection, of_scenario, served};
use crate::suite::{Action, Cluster, Manifest, Requester, Scenario};
use crate::versions::minor_of;

/// Asks the server of the context `name` for its version; it is the first request of all.
pub(super) async fn version(
    client: &Client,
    name: &str,
    server: &str,
) -> Result<(Minor, String), Error> {
    let call = Call {
        method: Method::GET,
        path: "/version".to_owned(),
        body: None,
        identity: &Identity::Admin,
    };
    let answer = exchange(client, call).await.map_err(|error| {
        let why = error.message().trim_start_matches("GET /version: ");
        Error::environment(format!("the cluster of context `{name}` does not answer at {server}: {why}"))
            .hint(format!("kubectl --context {name} version asks the same; is the cluster up, and the way to it open?"))
    })?;
    if answer.code == 401 {
        return Err(Error::environment(format!(
            "the cluster at {server} does not know the user of context `{name}`: {}",
            answer.message()
        ))
        .hint("the token or certificate in the kubeconfig has expired, or is another cluster's: log in again"));
    }
    let git = answer.body["gitVersion"].as_str().unwrap_or_default();
    let unknown = |what: String| {
        Error::environment(what).hint(format!(
            "podgate knows Kubernetes {} to {}",
            Minor::OLDEST,
            Minor::NEWEST
        ))
    };
    if !answer.succeeded() || git.is_empty() {
        return Err(unknown(format!(
            "the server of context `{name}` does not say its version: {} {}",
            answer.code,
            answer.message()
        )));
    }
    let minor = minor_of(git).ok_or_else(|| {
        unknown(format!(
            "the cluster of context `{name}` is {git}, which podgate does not know"
        ))
    })?;
    Ok((minor, git.to_owned()))
}

/// Looks at what `scenarios` need. Returned is what is worth knowing, one sentence each.
pub(super) async fn check(
    context: &Context,
    cluster: &Cluster,
    scenarios: &[&Scenario],
) -> Result<Vec<String>, Error> {
    let mut notes = Vec::new();
    if let Writes::DryRun(namespaces) = &context.options.writes {
        for namespace in namespaces {
            look_at(context, namespace, cluster, &mut notes).await?;
        }
    }
    objects(context, cluster, &mut notes).await?;
    permissions(context, cluster, scenarios, &mut notes).await?;
    Ok(notes)
}

/// Looks at a namespace that dry runs go to.
async fn look_at(
    context: &Context,
    namespace: &str,
    cluster: &Cluster,
    notes: &mut Vec<String>,
) -> Result<(), Error> {
    let name = &context.options.context;
    let answer = context
        .get(format!("/api/v1/namespaces/{namespace}"))
        .await?;
    match answer.code {
        404 => {
            return Err(Error::environment(format!(
                "context `{name}` has no namespace `{namespace}`"
            ))
            .hint("-n names one that exists; with --allow-writes each scenario gets its own"));
        }
        403 => {
            notes.push(format!(
                "whether the namespace {namespace} is there, and what it enforces, is not to be seen: {}",
                answer.message()
            ));
            return Ok(());
        }
        _ => succeeded(&answer, namespace)?,
    }
    if answer.body["status"]["phase"] == "Terminating" {
        return Err(Error::environment(format!(
            "the namespace `{namespace}` of context `{name}` is being deleted, and admits nothing"
        ))
        .hint("-n names one that stays"));
    }
    let labels = &answer.body["metadata"]["labels"];
    for (key, wanted) in &cluster.namespace.labels {
        let own = labels[key].as_str();
        if key.starts_with(POD_SECURITY) && own != Some(wanted) {
            let own = own.map_or("is not there".to_owned(), |own| format!("is {own}"));
            notes.push(format!(
                "in the namespace {namespace} the label {key} {own}, where cluster {} has {wanted}: its own labels decide",
                cluster.name
            ));
        }
    }
    Ok(())
}

/// Whether the objects of the cluster file are there: podgate makes none outside of its own
/// namespaces, and a policy that is not there must not look like one that admits.
async fn objects(
    context: &Context,
    cluster: &Cluster,
    notes: &mut Vec<String>,
) -> Result<(), Error> {
    let name = &context.options.context;
    for manifest in &cluster.objects {
        let Some(resource) = served(manifest, context.minor) else {
            continue;
        };
        let namespace = match (&context.options.writes, resource.namespaced) {
            (_, false) => None,
            (Writes::OwnNamespaces(_), true) if of_scenario(manifest, resource) => continue,
            (Writes::OwnNamespaces(_), true) => manifest.document.namespace(),
            (Writes::DryRun(namespaces), true) => manifest
                .document
                .namespace()
                .or(namespaces.first().map(String::as_str)),
        };
        let path = format!("{}/{}", collection(resource, namespace), manifest.name);
        let answer = context.get(path).await?;
        let object = manifest.reference();
        match answer.code {
            404 => {
                return Err(Error::environment(format!(
                    "context `{name}` has no {object}, which cluster {} has",
                    cluster.name
                ))
                .hint(format!(
                    "create it there yourself ({}), or name a cluster file without it",
                    cluster.file.display()
                )));
            }
            403 => notes.push(format!(
                "whether {object} is there is not to be seen: {}",
                answer.message()
            )),
            _ => succeeded(&answer, &object)?,
        }
    }
    Ok(())
}

fn succeeded(answer: &Answer, what: &str) -> Result<(), Error> {
    if answer.succeeded() {
        return Ok(());
    }
    Err(Error::environment(format!(
        "the cluster does not show {what}: {} {}",
        answer.code,
        answer.message()
    ))
    .hint("kubectl get with the same context asks the same"))
}

/// Whether the user may do what the scenarios need. What only leaves something undecided is noted.
async fn permissions(
    context: &Context,
    cluster: &Cluster,
    scenarios: &[&Scenario],
    notes: &mut Vec<String>,
) -> Result<(), Error> {
    let name = &context.options.context;
    let needs = Needs::of(context, cluster, scenarios);
    let mut missing = Vec::new();
    for permission in &needs.own {
        if !permission.is_granted(&context.client).await? {
            missing.push(permission.to_string());
        }
    }
    if !missing.is_empty() {
        return Err(Error::environment(format!(
            "the user of context `{name}` may not {}",
            missing.join(", nor ")
        ))
        .hint("a dry run takes the same permissions as the real thing; a Role and a RoleBinding grant them"));
    }
    for (permission, what) in &needs.others {
        if !permission.is_granted(&context.client).await? {
            notes.push(format!(
                "the user of context {name} may not {permission}: what {what} would be answered is undecided"
            ));
        }
    }
    Ok(())
}

/// The permissions that scenarios need.
#[derive(Default)]
struct Needs {
    /// Without these nothing can be asked.
    own: BTreeSet<Permission>,
    /// Without these what somebody else would be answered is undecided.
    others: BTreeMap<Permission, String>,
}

impl Needs {
    fn of(context: &Context, cluster: &Cluster, scenarios: &[&Scenario]) -> Self {
        let mut needs = Self::default();
        if let Writes::OwnNamespaces(_) = context.options.writes {
            for verb in ["create", "delete"] {
                needs.own.insert(Permission::new(verb, "", "namespaces"));
            }
        }
        for scenario in scenarios {
            let requester = scenario.requester.as_ref().or(cluster.requester.as_ref());
            for step in &scenario.steps {
                let Action::Apply(manifests) = &step.action else {
                    continue;
                };
                let requester = step.requester.as_ref().or(requester);
                for &at in manifests {
                    needs.add(context, scenario, &scenario.manifests[at], requester);
                }
            }
        }
        needs
    }

    fn add(
        &mut self,
        context: &Context,
        scenario: &Scenario,
        manifest: &Manifest,
        requester: Option<&Requester>,
    ) {
        let Some(resource) = served(manifest, context.minor) else {
            return;
        };
        let namespace = match &context.options.writes {
            // The namespace is not there yet: whoever may create in it may create in all.
            Writes::OwnNamespaces(_) => None,
            Writes::DryRun(namespaces) => manifest
                .document
                .namespace()
                .or(scenario.namespace.name.as_deref())
                .or(namespaces.first().map(String::as_str)),
        };
        match requester {
            None => {
                let namespace = namespace.filter(|_| resource.namespaced);
                let create = Permission::new("create", resource.group, resource.name);
                self.own.insert(create.within(namespace));
            }
            Some(requester) => {
                let identity = Identity::User {
                    name: requester.user.clone(),
                    groups: requester.groups.clone(),
                };
                for permission in Permission::impersonate(&identity) {
                    self.others.insert(permission, requester.user.clone());
                }
            }
        }
        if let Some(name) = controller_of(manifest, resource, context.minor) {
            let identity = Identity::User {
                name,
                groups: Vec::new(),
            };
            for permission in Permission::impersonate(&identity) {
                self.others
                    .insert(permission, format!("the pods of a {}", resource.kind));
            }
        }
    }
}

/// As whom the pods of a workload are created.
fn controller_of(manifest: &Manifest, resource: &Resource, minor: Minor) -> Option<String> {
    let object = decode_untyped(manifest.body.as_bytes()).ok()?;
    Some(controller::pod_of(resource, &object, minor)?.user.name)
}

//! What controllers make of a write, done before anybody can see that it is not: default service
//! accounts, their tokens, the end of namespaces, cluster roles that are gathered from others, and the
//! pods of workloads.
//!
//! The first ones follow the write at once. Workloads wait for the next request that could tell the
//! difference, since most scenarios have none.
//!
//! Upstream: `k8s.io/kubernetes/pkg/controller`.

mod aggregation;
mod condition;
mod daemon_set;
mod deployment;
mod event;
pub(crate) mod garbage;
mod job;
mod namespace;
mod replica_set;
mod rollout;
mod stateful_set;
mod sync;

pub(crate) use aggregation::settle as aggregate;

use podgate_admission::chain::Server;
use podgate_admission::request::{Source, World};
use podgate_admission::resource::Resource;
use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;

use crate::bootstrap::{meta, object};
use crate::state::State;

const DEFAULT: &str = "default";
/// The type of the secrets of service accounts.
const TOKEN: &str = "kubernetes.io/service-account-token";
/// The last minor in which every service account is given a token in a secret
/// (`LegacyServiceAccountTokenNoAutoGeneration` is on since 1.24).
const LAST_WITH_TOKENS: u8 = 23;

/// Lets the controllers see that an object was written or removed.
pub(crate) fn after(
    state: &mut State,
    minor: Minor,
    written: &Resource,
    namespace: &str,
    name: &str,
) {
    match (written.group, written.name) {
        ("", "namespaces") => after_namespace(state, minor, name),
        ("", "serviceaccounts") => after_service_account(state, minor, namespace, name),
        ("rbac.authorization.k8s.io", "clusterroles") => aggregate(state),
        _ => {}
    }
    match (written.name, written.namespaced) {
        ("events", _) => {}
        ("namespaces", _) => {
            state.unsettled.insert(name.to_owned());
        }
        (_, true) => {
            state.unsettled.insert(namespace.to_owned());
        }
        // What is in no namespace may make a difference in each of them.
        (_, false) => {
            let namespaces = state.store.list("namespaces", "");
            let names = namespaces
                .iter()
                .map(|n| n.text_at(&["metadata", "name"]).to_owned());
            state.unsettled.extend(names);
        }
    }
}

/// Lets the workload controllers run wherever something was written.
pub(crate) fn settle(server: &Server, state: &mut State) {
    let since = state.settled;
    for name in std::mem::take(&mut state.unsettled) {
        match state.store.find("namespaces", "", &name) {
            Some(namespace) if is_live(namespace) => sync::run(server, state, &name, since),
            Some(_) => namespace::end(server, state, &name),
            None => {}
        }
    }
    state.store.forget_removed();
    state.settled = state.store.revision();
}

/// Every namespace has a default service account until it ends, and nothing outlives it.
pub(crate) fn after_namespace(state: &mut State, minor: Minor, name: &str) {
    match state.store.find("namespaces", "", name) {
        Some(namespace) if is_live(namespace) => default_service_account(state, minor, name),
        Some(_) => {}
        None => state.store.remove_namespace(name),
    }
}

fn after_service_account(state: &mut State, minor: Minor, namespace: &str, name: &str) {
    if state
        .store
        .find("serviceaccounts", namespace, name)
        .is_some()
    {
        token(state, minor, namespace, name);
        return;
    }
    remove_tokens(state, namespace, name);
    if name == DEFAULT {
        let live = state.store.find("namespaces", "", namespace);
        if live.is_some_and(|namespace| is_live(namespace)) {
            default_service_account(state, minor, namespace);
        }
    }
}

fn is_live(object: &Value<'_>) -> bool {
    object
        .text_at(&["metadata", "deletionTimestamp"])
        .is_empty()
}

fn default_service_account(state: &mut State, minor: Minor, namespace: &str) {
    if state
        .store
        .find("serviceaccounts", namespace, DEFAULT)
        .is_some()
    {
        return;
    }
    let account = object("v1", "ServiceAccount", meta(state, namespace, DEFAULT));
    state.put("serviceaccounts", namespace, DEFAULT, account);
    token(state, minor, namespace, DEFAULT);
}

/// The secrets of a service account go with it (`syncServiceAccount` in
/// `pkg/controller/serviceaccount/tokens_controller.go`).
fn remove_tokens(state: &mut State, namespace: &str, name: &str) {
    let about = |secret: &Value<'_>, what: &str| {
        let key = format!("kubernetes.io/service-account.{what}");
        let path = ["metadata", "annotations", &key];
        secret.text_at(&path).to_owned()
    };
    let lost: Vec<String> = state
        .store
        .scan("secrets", namespace)
        .filter(|secret| {
            secret.text_at(&["type"]) == TOKEN
                && about(secret, "name") == name
                && state.store.was_removed(&about(secret, "uid"))
        })
        .map(|secret| secret.text_at(&["metadata", "name"]).to_owned())
        .collect();
    for secret in lost {
        state.store.remove("secrets", namespace, &secret);
    }
}

/// Gives a service account its secret. What the secret says of the account is what admission reads;
/// there is no token in it, since nothing could be done with one.
fn token(state: &mut State, minor: Minor, namespace: &str, name: &str) {
    if minor.number() > LAST_WITH_TOKENS {
        return;
    }
    let Some(account) = state
        .store
        .find("serviceaccounts", namespace, name)
        .cloned()
    else {
        return;
    };
    let prefix = format!("{name}-token-");
    let has_one = account
        .list_at(&["secrets"])
        .iter()
        .any(|secret| secret.text_at(&["name"]).starts_with(&prefix));
    if has_one || !is_live(&account) {
        return;
    }
    let secret_name = format!("{prefix}{}", state.source.suffix());
    let mut metadata = meta(state, namespace, &secret_name);
    let about = [
        ("kubernetes.io/service-account.name", name.to_owned()),
        (
            "kubernetes.io/service-account.uid",
            account.text_at(&["metadata", "uid"]).to_owned(),
        ),
    ];
    metadata.insert("annotations", Object::from_iter(about));
    let mut secret = object("v1", "Secret", metadata);
    secret.insert("type", TOKEN);
    state.put("secrets", namespace, &secret_name, secret);
    let mut account = Value::clone(&account);
    if let Some(account) = account.as_object_mut() {
        let named = Object::from_iter([("name", secret_name)]);
        account.list_mut("secrets").push(Value::from(named));
    }
    if let Value::Object(account) = account {
        state.put("serviceaccounts", namespace, name, account);
    }
}

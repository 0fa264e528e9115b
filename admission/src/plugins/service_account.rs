//! `ServiceAccount`: a pod runs as an account that exists, and gets its token and its secrets for
//! pulling images.
//!
//! Upstream: `plugin/pkg/admission/serviceaccount/admission.go`.

use std::sync::Arc;

use crate::chain::Attributes;
use crate::podspec;
use crate::request::Operation;
use crate::status::Status;
use crate::value::{Object, Value};
use crate::versions;

const MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const MIRROR: &str = "kubernetes.io/config.mirror";
const ENFORCE_MOUNTABLE: &str = "kubernetes.io/enforce-mountable-secrets";
/// Tokens are bound to the pod for an hour, and last some seconds longer to tell who does not
/// renew them (`WarnOnlyBoundTokenExpirationSeconds`).
const EXPIRATION_SECONDS: i64 = 60 * 60 + 7;

pub(crate) fn admit(attributes: &mut Attributes<'_>, pod: &mut Value<'_>) -> Result<(), Status> {
    if !attributes.is_pod() || attributes.operation != Operation::Create {
        return Ok(());
    }
    if podspec::annotation(pod, MIRROR).is_some() {
        return validate(attributes, pod);
    }
    let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) else {
        return Ok(());
    };
    let named = spec.get("serviceAccountName").and_then(Value::as_str);
    if named.unwrap_or_default().is_empty() {
        spec.insert("serviceAccountName", "default");
        spec.insert("serviceAccount", "default");
    }
    let runs_as = account(attributes, pod)?;
    let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) else {
        return Ok(());
    };
    let automount = spec
        .get("automountServiceAccountToken")
        .or_else(|| runs_as.get("automountServiceAccountToken"))
        .and_then(Value::as_bool)
        .unwrap_or(true);
    if automount {
        mount_token(attributes, &runs_as, spec);
    }
    let pull_secrets = runs_as.list_at(&["imagePullSecrets"]);
    let own = spec.get("imagePullSecrets").and_then(Value::as_list);
    if own.unwrap_or_default().is_empty() && !pull_secrets.is_empty() {
        let references = pull_secrets.iter().map(|secret| {
            let mut reference = Object::new();
            reference.insert("name", secret.text_at(&["name"]).to_owned());
            Value::from(reference)
        });
        let references: Vec<_> = references.collect();
        spec.insert("imagePullSecrets", references);
    }
    validate(attributes, pod)
}

pub(crate) fn validate(attributes: &mut Attributes<'_>, pod: &Value<'_>) -> Result<(), Status> {
    if !attributes.is("", "pods") {
        return Ok(());
    }
    let updates = versions::SERVICE_ACCOUNT_ON_UPDATE.contain(attributes.server.minor());
    match (attributes.operation, attributes.subresource) {
        (Operation::Create, None) => {}
        (Operation::Update, Some("ephemeralcontainers")) if updates => {
            let account = required(attributes, pod)?;
            if enforces_mountable(&account) {
                let secrets = mountable(&account);
                env_secrets(
                    attributes,
                    &account,
                    &secrets,
                    "ephemeral container",
                    pod,
                    "ephemeralContainers",
                )?;
            }
            return Ok(());
        }
        _ => return Ok(()),
    }
    if podspec::annotation(pod, MIRROR).is_some() {
        return mirror(attributes, pod);
    }
    let account = if updates {
        required(attributes, pod)?
    } else {
        account(attributes, pod)?
    };
    if enforces_mountable(&account) {
        limit_secrets(attributes, &account, pod)?;
    }
    Ok(())
}

fn required(attributes: &Attributes<'_>, pod: &Value<'_>) -> Result<Arc<Value<'static>>, Status> {
    if pod.text_at(&["spec", "serviceAccountName"]).is_empty() {
        let why = format!(
            "no service account specified for pod {}/{}",
            attributes.namespace,
            pod.text_at(&["metadata", "name"])
        );
        return Err(attributes.forbidden(pod, &why));
    }
    account(attributes, pod)
}

fn account(attributes: &Attributes<'_>, pod: &Value<'_>) -> Result<Arc<Value<'static>>, Status> {
    let (namespace, name) = (
        attributes.namespace,
        pod.text_at(&["spec", "serviceAccountName"]),
    );
    let found = attributes.world.get("serviceaccounts", namespace, name);
    found.ok_or_else(|| {
        let quoted = crate::quote::quote(name);
        let why = format!(
            "error looking up service account {namespace}/{name}: serviceaccount {quoted} not found"
        );
        attributes.forbidden(pod, &why)
    })
}

/// `mountServiceAccountToken`
fn mount_token(attributes: &mut Attributes<'_>, account: &Value<'_>, spec: &mut Object<'_>) {
    let projected = versions::PROJECTED_TOKEN.contain(attributes.server.minor());
    let secret = if projected {
        String::new()
    } else {
        token_secret(attributes, account)
    };
    let volumes = || {
        spec.get("volumes")
            .and_then(Value::as_list)
            .unwrap_or_default()
    };
    let existing = volumes().iter().find(|volume| {
        if projected {
            volume.text_at(&["name"]).starts_with("kube-api-access-")
        } else {
            volume.text_at(&["secret", "secretName"]) == secret
        }
    });
    let existing = existing.map(|volume| volume.text_at(&["name"]).to_owned());
    let name = existing.clone().unwrap_or_else(|| {
        if projected {
            return format!("kube-api-access-{}", attributes.source.suffix());
        }
        let name = secret.replace('.', "-");
        if volumes()
            .iter()
            .any(|volume| volume.text_at(&["name"]) == name)
        {
            return format!("{name}-{}", attributes.source.suffix());
        }
        name
    });
    let mut mounted = false;
    for list in ["initContainers", "containers"] {
        let Some(containers) = spec.get_mut(list).and_then(Value::as_list_mut) else {
            continue;
        };
        for container in containers.iter_mut().filter_map(Value::as_object_mut) {
            let mounts = container.get("volumeMounts").and_then(Value::as_list);
            let taken = mounts.unwrap_or_default();
            if taken
                .iter()
                .any(|m| m.text_at(&["mountPath"]) == MOUNT_PATH)
            {
                continue;
            }
            let mut mount = Object::new();
            mount.insert("name", name.clone());
            mount.insert("readOnly", true);
            mount.insert("mountPath", MOUNT_PATH);
            container.list_mut("volumeMounts").push(mount.into());
            mounted = true;
        }
    }
    if mounted && existing.is_none() {
        let mut volume = Object::new();
        volume.insert("name", name);
        if projected {
            volume.insert("projected", token_projection());
        } else {
            let mut source = Object::new();
            source.insert("secretName", secret);
            source.insert("defaultMode", 0o644_i64);
            volume.insert("secret", source);
        }
        spec.list_mut("volumes").push(volume.into());
    }
}

/// The secret with the account's token (`getReferencedServiceAccountToken`). Where there is none yet, the token controller of
/// a real cluster is about to make it; podgate stands for a cluster where it has.
fn token_secret(attributes: &mut Attributes<'_>, account: &Value<'_>) -> String {
    let (world, namespace) = (attributes.world, attributes.namespace);
    let found = account.list_at(&["secrets"]).iter().find(|reference| {
        let secret = world.get("secrets", namespace, reference.text_at(&["name"]));
        secret.is_some_and(|s| s.text_at(&["type"]) == "kubernetes.io/service-account-token")
    });
    match found {
        Some(reference) => reference.text_at(&["name"]).to_owned(),
        None => format!(
            "{}-token-{}",
            account.text_at(&["metadata", "name"]),
            attributes.source.suffix()
        ),
    }
}

/// `TokenVolumeSource`
fn token_projection() -> Object<'static> {
    fn object<const N: usize>(entries: [(&'static str, Value<'static>); N]) -> Value<'static> {
        Value::Object(entries.into_iter().collect())
    }
    let token = object([
        ("expirationSeconds", EXPIRATION_SECONDS.into()),
        ("path", "token".into()),
    ]);
    let certificate = object([("key", "ca.crt".into()), ("path", "ca.crt".into())]);
    let certificates = object([
        ("name", "kube-root-ca.crt".into()),
        ("items", vec![certificate].into()),
    ]);
    let field = object([
        ("apiVersion", "v1".into()),
        ("fieldPath", "metadata.namespace".into()),
    ]);
    let namespace = object([("path", "namespace".into()), ("fieldRef", field)]);
    let namespaces = object([("items", vec![namespace].into())]);
    let sources = vec![
        object([("serviceAccountToken", token)]),
        object([("configMap", certificates)]),
        object([("downwardAPI", namespaces)]),
    ];
    [
        ("sources", Value::from(sources)),
        ("defaultMode", 0o644_i64.into()),
    ]
    .into_iter()
    .collect()
}

/// What a mirror pod may not have, as the kubelet made it from a file.
fn mirror(attributes: &Attributes<'_>, pod: &Value<'_>) -> Result<(), Status> {
    let refuse = |why| Err(attributes.forbidden(pod, why));
    if !pod.text_at(&["spec", "serviceAccountName"]).is_empty() {
        return refuse("a mirror pod may not reference service accounts");
    }
    let Some(spec) = pod.get("spec") else {
        return Ok(());
    };
    if references_secrets(spec) {
        return refuse("a mirror pod may not reference secrets");
    }
    let token = spec.list_at(&["volumes"]).iter().any(|volume| {
        let sources = volume.list_at(&["projected", "sources"]);
        sources
            .iter()
            .any(|s| s.get("serviceAccountToken").is_some())
    });
    if token {
        return refuse("a mirror pod may not use ServiceAccountToken volume projections");
    }
    Ok(())
}

/// `VisitPodSecretNames` of `pkg/api/pod/util.go`, empty names left out.
fn references_secrets(spec: &Value<'_>) -> bool {
    const VOLUMES: [&[&str]; 9] = [
        &["azureFile", "secretName"],
        &["cephfs", "secretRef", "name"],
        &["cinder", "secretRef", "name"],
        &["flexVolume", "secretRef", "name"],
        &["rbd", "secretRef", "name"],
        &["secret", "secretName"],
        &["scaleIO", "secretRef", "name"],
        &["iscsi", "secretRef", "name"],
        &["storageos", "secretRef", "name"],
    ];
    let any = |items: &[Value<'_>], path: &[&str]| {
        items.iter().any(|item| podspec::text(item, path).is_some())
    };
    any(spec.list_at(&["imagePullSecrets"]), &["name"])
        || podspec::containers(spec).any(|(_, _, container)| {
            any(container.list_at(&["envFrom"]), &["secretRef", "name"])
                || any(
                    container.list_at(&["env"]),
                    &["valueFrom", "secretKeyRef", "name"],
                )
        })
        || spec.list_at(&["volumes"]).iter().any(|volume| {
            VOLUMES
                .iter()
                .any(|path| podspec::text(volume, path).is_some())
                || podspec::text(volume, &["csi", "nodePublishSecretRef", "name"]).is_some()
                || any(
                    volume.list_at(&["projected", "sources"]),
                    &["secret", "name"],
                )
        })
}

/// Go's `strconv.ParseBool` on the account's annotation.
fn enforces_mountable(account: &Value<'_>) -> bool {
    matches!(
        podspec::annotation(account, ENFORCE_MOUNTABLE),
        Some("1" | "t" | "T" | "true" | "TRUE" | "True")
    )
}

fn mountable(account: &Value<'_>) -> Vec<String> {
    let secrets = account.list_at(&["secrets"]).iter();
    secrets.map(|s| s.text_at(&["name"]).to_owned()).collect()
}

/// `limitSecretReferences`
fn limit_secrets(
    attributes: &Attributes<'_>,
    account: &Value<'_>,
    pod: &Value<'_>,
) -> Result<(), Status> {
    let name = account.text_at(&["metadata", "name"]);
    let secrets = mountable(account);
    for volume in pod.list_at(&["spec", "volumes"]) {
        let Some(source) = volume.get("secret").filter(|s| s.as_object().is_some()) else {
            continue;
        };
        let secret = source.text_at(&["secretName"]);
        if !secrets.iter().any(|s| s == secret) {
            let why = format!(
                "volume with secret.secretName=\"{secret}\" is not allowed because service account {name} does not reference that secret"
            );
            return Err(attributes.forbidden(pod, &why));
        }
    }
    env_secrets(
        attributes,
        account,
        &secrets,
        "init container",
        pod,
        "initContainers",
    )?;
    env_secrets(
        attributes,
        account,
        &secrets,
        "container",
        pod,
        "containers",
    )?;
    let pull: Vec<_> = account.list_at(&["imagePullSecrets"]).iter().collect();
    for (index, reference) in pod
        .list_at(&["spec", "imagePullSecrets"])
        .iter()
        .enumerate()
    {
        let secret = reference.text_at(&["name"]);
        if !pull.iter().any(|p| p.text_at(&["name"]) == secret) {
            let why = format!(
                "imagePullSecrets[{index}].name=\"{secret}\" is not allowed because service account {name} does not reference that imagePullSecret"
            );
            return Err(attributes.forbidden(pod, &why));
        }
    }
    Ok(())
}

fn env_secrets(
    attributes: &Attributes<'_>,
    account: &Value<'_>,
    secrets: &[String],
    what: &str,
    pod: &Value<'_>,
    list: &str,
) -> Result<(), Status> {
    let refuse = |container: &str, with: &str, secret: &str| {
        let account = account.text_at(&["metadata", "name"]);
        let why = format!(
            "{what} {container} with {with} referencing secret.secretName=\"{secret}\" is not allowed because service account {account} does not reference that secret"
        );
        Err(attributes.forbidden(pod, &why))
    };
    let missing = |secret: &str| !secrets.iter().any(|s| s == secret);
    for container in pod.list_at(&["spec", list]) {
        let name = container.text_at(&["name"]);
        for env in container.list_at(&["env"]) {
            if let Some(source) = env.at(&["valueFrom", "secretKeyRef"])
                && missing(source.text_at(&["name"]))
            {
                let with = format!("envVar {}", env.text_at(&["name"]));
                return refuse(name, &with, source.text_at(&["name"]));
            }
        }
        if !versions::MOUNTABLE_ENV_FROM.contain(attributes.server.minor()) {
            continue;
        }
        for env in container.list_at(&["envFrom"]) {
            if let Some(source) = env.get("secretRef")
                && missing(source.text_at(&["name"]))
            {
                return refuse(name, "envFrom", source.text_at(&["name"]));
            }
        }
    }
    Ok(())
}

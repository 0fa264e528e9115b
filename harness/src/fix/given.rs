//! What objects refer to and the input does not have: service accounts, priority and runtime classes
//! of other files. A check refuses what refers to them, as a server would; to be fixed, an object
//! needs them no more than they need it, so they are taken as given.

use podgate_admission::resource;
use podgate_manifest::{Source, read_documents, to_yaml};
use podgate_policy::Minor;
use serde_json::{Value, json};

use crate::suite::Manifest;

/// The objects that `judged` refers to and that `context` does not have. What a cluster has already
/// is made once all the same.
pub(super) fn by(
    judged: &[&Manifest],
    context: &[Manifest],
    default_namespace: &str,
) -> Vec<Manifest> {
    let mut given: Vec<Manifest> = Vec::new();
    for manifest in judged {
        let namespace = manifest.document.namespace().unwrap_or(default_namespace);
        for object in referred_to(manifest, namespace) {
            let source = Source::new("<given>", to_yaml(&object));
            let made = read_documents(&source).flatten().map(Manifest::new);
            for made in made {
                let is_it = |other: &Manifest| {
                    let other_namespace = other.document.namespace().unwrap_or(default_namespace);
                    other.reference() == made.reference()
                        && made
                            .document
                            .namespace()
                            .is_none_or(|own| own == other_namespace)
                };
                if !context.iter().chain(&given).any(is_it) {
                    given.push(made);
                }
            }
        }
    }
    given
}

/// Whether a server makes an object of that name: those of `system-` are there already.
fn can_be_made(name: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    let is_outer = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.starts_with(is_outer)
        && name.ends_with(is_outer)
        && name.chars().all(is_inner)
        && !name.contains("..")
        && !name.starts_with("system-")
}

fn referred_to(manifest: &Manifest, namespace: &str) -> Vec<Value> {
    let mut minors = Minor::all().rev();
    let template = minors.find_map(|minor| {
        resource::by_kind(manifest.api_version(), manifest.kind(), minor)?.template
    });
    let (Some(template), Ok(object)) = (template, serde_json::from_str::<Value>(&manifest.body))
    else {
        return Vec::new();
    };
    let pod = template.iter().fold(&object, |value, key| &value[*key]);
    let named = |field: &str| pod["spec"][field].as_str().filter(|name| can_be_made(name));
    let account = named("serviceAccountName").or(named("serviceAccount")).map(|name| {
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}})
    });
    let priority = named("priorityClassName").map(|name| {
        json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": 0})
    });
    let runtime = named("runtimeClassName").map(|name| {
        json!({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}, "handler": name})
    });
    [account, priority, runtime].into_iter().flatten().collect()
}

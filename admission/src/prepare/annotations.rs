//! The syncs between the old annotations of seccomp and `AppArmor` and the fields that replaced
//! them, for pods that are created.
//!
//! Upstream: `applySeccompVersionSkew` (until 1.26) and `applyAppArmorVersionSkew` (from 1.30) in
//! `pkg/registry/core/pod/strategy.go`.

use crate::chain::Attributes;
use crate::podspec;
use crate::value::{Object, Value};
use crate::versions;

const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

pub(super) fn sync(attributes: &mut Attributes<'_>, pod: &mut Value<'_>) {
    let minor = attributes.server.minor();
    let annotations = pod
        .at(&["metadata", "annotations"])
        .and_then(Value::as_object);
    let given = annotations.cloned().unwrap_or_default().into_owned();
    let mut added = Object::new();
    let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    if versions::SECCOMP_TO_FIELD.contain(minor) {
        let back = versions::SECCOMP_TO_ANNOTATION.contain(minor);
        seccomp(&given, back, spec, SECCOMP_POD.to_owned(), &mut added);
        podspec::for_each_container(spec, |_, container| {
            let key = format!("{SECCOMP_CONTAINER}{}", name(container));
            seccomp(&given, back, container, key, &mut added);
        });
    }
    let windows = spec
        .get("os")
        .is_some_and(|os| os.text_at(&["name"]) == "windows");
    if versions::APP_ARMOR_TO_FIELD.contain(minor) && !windows {
        let back = versions::APP_ARMOR_TO_ANNOTATION.contain(minor);
        let of_pod = profile(spec, "appArmorProfile").cloned();
        podspec::for_each_container(spec, |_, container| {
            app_armor(
                attributes,
                &given,
                back,
                of_pod.as_ref(),
                container,
                &mut added,
            );
        });
    }
    if !added.is_empty()
        && let Some(root) = pod.as_object_mut()
    {
        let annotations = root.object_mut("metadata").object_mut("annotations");
        for (key, value) in added {
            annotations.insert(key, value);
        }
    }
}

fn name<'v>(container: &'v Object<'_>) -> &'v str {
    container
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The profile in the security context of a pod's spec or a container.
fn profile<'v, 'a>(holder: &'v Object<'a>, key: &str) -> Option<&'v Value<'a>> {
    let profile = holder.get("securityContext")?.get(key)?;
    profile.as_object().map(|_| profile)
}

/// Between one annotation and the field of a pod's spec or a container.
fn seccomp(
    given: &Object<'static>,
    back: bool,
    holder: &mut Object<'_>,
    key: String,
    added: &mut Object<'static>,
) {
    let annotation = given.get(&key).and_then(Value::as_str);
    match (profile(holder, "seccompProfile"), annotation) {
        (Some(field), None) if back => {
            if let Some(value) = annotation_for(field) {
                added.insert(key, value);
            }
        }
        (None, Some(annotation)) => {
            let annotation = match annotation {
                "docker/default" => "runtime/default",
                annotation => annotation,
            };
            if let Some(field) = field_for(annotation) {
                holder
                    .object_mut("securityContext")
                    .insert("seccompProfile", field);
            }
        }
        _ => {}
    }
}

/// Between one annotation and the field of a container. A container that says what its pod says
/// anyway needs no field.
fn app_armor(
    attributes: &mut Attributes<'_>,
    given: &Object<'static>,
    back: bool,
    of_pod: Option<&Value<'_>>,
    container: &mut Object<'_>,
    added: &mut Object<'static>,
) {
    let key = format!("{APP_ARMOR}{}", name(container));
    let own = profile(container, "appArmorProfile");
    match (own, given.get(&key).and_then(Value::as_str)) {
        (own, None) if back => {
            let value = own.or(of_pod).and_then(annotation_for);
            if let Some(value) = value {
                added.insert(key, value);
            }
        }
        (None, Some(annotation)) => {
            let field = field_for(annotation).filter(is_valid);
            let copied = match field {
                Some(field) => {
                    let differs = of_pod.is_none_or(|of_pod| !says(of_pod, &field));
                    if differs {
                        container
                            .object_mut("securityContext")
                            .insert("appArmorProfile", field);
                    }
                    differs
                }
                // An annotation that makes no field is warned about, too.
                None => true,
            };
            if copied
                && let Some(text) = versions::APP_ARMOR_ANNOTATION.of(attributes.server.minor())
            {
                attributes.warn(&format!("metadata.annotations[{key}]: {text}"));
            }
        }
        _ => {}
    }
}

/// Whether two profiles are the same.
pub(crate) fn says(one: &Value<'_>, other: &Object<'_>) -> bool {
    ["type", "localhostProfile"]
        .iter()
        .all(|key| one.get(key) == other.get(key))
}

/// `ValidateAppArmorProfileField`, as far as an annotation can break it.
fn is_valid(field: &Object<'static>) -> bool {
    const LONGEST: usize = 4095;
    let path = field.get("localhostProfile").and_then(Value::as_str);
    path.is_none_or(|path| path.trim() == path && path.len() <= LONGEST)
}

/// The field that an annotation stands for, in the words that seccomp and `AppArmor` share.
pub(crate) fn field_for(annotation: &str) -> Option<Object<'static>> {
    let mut field = Object::new();
    match annotation {
        "unconfined" => field.insert("type", "Unconfined"),
        "runtime/default" => field.insert("type", "RuntimeDefault"),
        _ => {
            let path = annotation
                .strip_prefix("localhost/")
                .filter(|p| !p.is_empty())?;
            field.insert("type", "Localhost");
            field.insert("localhostProfile", path.to_owned());
        }
    }
    Some(field)
}

/// The annotation that a field stands for.
fn annotation_for(field: &Value<'_>) -> Option<String> {
    match field.text_at(&["type"]) {
        "Unconfined" => Some("unconfined".to_owned()),
        "RuntimeDefault" => Some("runtime/default".to_owned()),
        "Localhost" => {
            let path = field.get("localhostProfile")?.as_str()?;
            Some(format!("localhost/{path}"))
        }
        _ => None,
    }
}

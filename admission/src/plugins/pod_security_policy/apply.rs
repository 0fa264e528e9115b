//! The edits of a policy, made to the tree of a pod.

use podgate_policy::psp::Edits;
use podgate_policy::view::Role;

use crate::podspec;
use crate::value::{Object, Value};

/// The values that the tree is given, freed from the pod and the policies that they were read from.
#[derive(Debug, Default)]
pub(super) struct Patch {
    annotations: Vec<(String, String)>,
    spec: Object<'static>,
    context: Object<'static>,
    containers: Vec<(Role, usize, Object<'static>)>,
}

impl From<&Edits<'_>> for Patch {
    fn from(edits: &Edits<'_>) -> Self {
        let mut patch = Self::default();
        for (key, value) in &edits.annotations {
            let owned = (key.clone().into_owned(), value.clone().into_owned());
            patch.annotations.push(owned);
        }
        if let Some(class) = edits.runtime_class {
            patch.spec.insert("runtimeClassName", class.to_owned());
        }
        if let Some(group) = edits.supplemental_group {
            let groups = vec![Value::from(group)];
            patch.context.insert("supplementalGroups", groups);
        }
        if let Some(group) = edits.fs_group {
            patch.context.insert("fsGroup", group);
        }
        if let Some(options) = edits.se_linux {
            let texts = [
                ("user", options.user),
                ("role", options.role),
                ("type", options.kind),
                ("level", options.level),
            ];
            let set = texts.into_iter().filter(|(_, text)| !text.is_empty());
            let options: Object<'_> = set.map(|(key, text)| (key, text.to_owned())).collect();
            patch.context.insert("seLinuxOptions", options);
        }
        for container in &edits.containers {
            let mut context = Object::new();
            if let Some(capabilities) = &container.capabilities {
                let mut lists = Object::new();
                for (key, list) in [("add", &capabilities.add), ("drop", &capabilities.drop)] {
                    if !list.is_empty() {
                        let list = list.iter().map(|&name| Value::from(name.to_owned()));
                        lists.insert(key, list.collect::<Vec<_>>());
                    }
                }
                context.insert("capabilities", lists);
            }
            for (key, id) in [
                ("runAsUser", container.run_as_user),
                ("runAsGroup", container.run_as_group),
            ] {
                if let Some(id) = id {
                    context.insert(key, id);
                }
            }
            for (key, flag) in [
                ("runAsNonRoot", container.run_as_non_root),
                (
                    "readOnlyRootFilesystem",
                    container.read_only_root_filesystem,
                ),
                (
                    "allowPrivilegeEscalation",
                    container.allow_privilege_escalation,
                ),
            ] {
                if let Some(flag) = flag {
                    context.insert(key, flag);
                }
            }
            patch
                .containers
                .push((container.role, container.index, context));
        }
        patch
    }
}

/// Gives the pod the values.
pub(super) fn edits(pod: &mut Value<'_>, patch: &Patch) {
    let Some(pod) = pod.as_object_mut() else {
        return;
    };
    if !patch.annotations.is_empty() {
        let annotations = pod.object_mut("metadata").object_mut("annotations");
        for (key, value) in &patch.annotations {
            annotations.insert(key.clone(), value.clone());
        }
    }
    let spec = pod.object_mut("spec");
    set(spec, &patch.spec);
    if !patch.context.is_empty() {
        set(spec.object_mut("securityContext"), &patch.context);
    }
    let mut counts = [0; 3];
    podspec::for_each_container(spec, |role, container| {
        let count = &mut counts[role as usize];
        let index = *count;
        *count += 1;
        let edits = patch.containers.iter();
        for (_, _, context) in edits.filter(|(r, i, _)| *r == role && *i == index) {
            set(container.object_mut("securityContext"), context);
        }
    });
}

fn set(object: &mut Object<'_>, values: &Object<'static>) {
    for (key, value) in values.iter() {
        object.insert(key.to_owned(), value.clone());
    }
}

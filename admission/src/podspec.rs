//! Where the parts of a pod lie in the tree: its template, its containers, its annotations.
//!
//! Upstream's counterparts are `VisitContainers` in `pkg/api/pod/util.go` and
//! `VisitContainersWithPath` in `pkg/apis/core/pods/helpers.go`, which visit in the same order.

use podgate_policy::view::Role;

use crate::resource::Resource;
use crate::value::{Object, Value};

/// The lists of containers, in the order in which upstream visits them.
pub(crate) const ROLES: [Role; 3] = [Role::Init, Role::Regular, Role::Ephemeral];

/// The pod or pod template in an object of `resource`; `None` where it has none.
pub(crate) fn template<'v, 'a>(
    resource: &Resource,
    object: &'v Value<'a>,
) -> Option<&'v Value<'a>> {
    object
        .at(resource.template?)
        .filter(|t| t.as_object().is_some())
}

/// The same, to be changed.
pub(crate) fn template_mut<'v, 'a>(
    resource: &Resource,
    object: &'v mut Value<'a>,
) -> Option<&'v mut Value<'a>> {
    object
        .at_mut(resource.template?)
        .filter(|t| t.as_object().is_some())
}

/// The containers of a pod's spec, each with the list that it stands in and its index there.
pub(crate) fn containers<'v, 'a>(
    spec: &'v Value<'a>,
) -> impl Iterator<Item = (Role, usize, &'v Value<'a>)> {
    ROLES.into_iter().flat_map(move |role| {
        spec.list_at(&[role.field()])
            .iter()
            .enumerate()
            .map(move |(index, container)| (role, index, container))
    })
}

/// Calls `visit` with each container of a pod's spec.
pub(crate) fn for_each_container<'a>(
    spec: &mut Object<'a>,
    mut visit: impl FnMut(Role, &mut Object<'a>),
) {
    for role in ROLES {
        let Some(list) = spec.get_mut(role.field()).and_then(Value::as_list_mut) else {
            continue;
        };
        for container in list {
            if let Some(container) = container.as_object_mut() {
                visit(role, container);
            }
        }
    }
}

/// The annotation `key` of an object or template.
pub(crate) fn annotation<'v>(object: &'v Value<'_>, key: &str) -> Option<&'v str> {
    object.at(&["metadata", "annotations", key])?.as_str()
}

/// The ports of the host that a container asks for, in its order; 0 where it asks for none.
pub(crate) fn host_ports(container: &Value<'_>) -> Vec<i64> {
    let ports = container.list_at(&["ports"]).iter();
    ports
        .map(|port| port.get("hostPort").and_then(Value::as_int).unwrap_or(0))
        .collect()
}

/// Whether a text lies below `path`, and what it says; an empty text counts as absent, as for a Go
/// string.
pub(crate) fn text<'v>(value: &'v Value<'_>, path: &[&str]) -> Option<&'v str> {
    value.at(path)?.as_str().filter(|text| !text.is_empty())
}

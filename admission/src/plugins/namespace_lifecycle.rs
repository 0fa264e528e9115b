//! `NamespaceLifecycle`: nothing is made in a namespace that is missing or on its way out.
//!
//! Upstream: `k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go`.

use crate::chain::Attributes;
use crate::request::Operation;
use crate::status::{Cause, Grouped, Status};
use crate::value::Value;

const NAMESPACES: Grouped<'static> = Grouped {
    group: "",
    name: "namespaces",
};

/// Namespaces that may not be deleted.
const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

pub(crate) fn admit(attributes: &mut Attributes<'_>, object: &mut Value<'_>) -> Result<(), Status> {
    let is_namespace = attributes.is("", "namespaces");
    if is_namespace {
        let immortal = IMMORTAL.contains(&attributes.name.as_str());
        if attributes.operation == Operation::Delete && immortal {
            return Err(attributes.forbidden(object, "this namespace may not be deleted"));
        }
        return Ok(());
    }
    if attributes.namespace.is_empty() || attributes.operation == Operation::Delete {
        return Ok(());
    }
    let Some(namespace) = attributes.world.get("namespaces", "", attributes.namespace) else {
        return Err(Status::not_found(NAMESPACES, attributes.namespace));
    };
    let terminating = namespace.text_at(&["status", "phase"]) == "Terminating";
    if attributes.operation == Operation::Create && terminating {
        let name = attributes.namespace;
        let why = format!(
            "unable to create new content in namespace {name} because it is being terminated"
        );
        let mut status = attributes.forbidden(object, &why);
        if let Some(details) = &mut status.details {
            details.causes.push(Cause {
                reason: "NamespaceTerminating",
                message: format!("namespace {name} is being terminated"),
                field: "metadata.namespace".to_owned(),
            });
        }
        return Err(status);
    }
    Ok(())
}

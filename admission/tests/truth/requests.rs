//! Requests as the recordings have them, and responses in the form of the recordings.

use podgate_admission::chain::Server;
use podgate_admission::config::admission_configuration;
use podgate_admission::encode::encode;
use podgate_admission::request::{Body, FieldValidation, Operation, Request, Response, User};
use podgate_admission::resource::{self, Resource};
use podgate_policy::Minor;
use serde_json::Value as Json;

use crate::world::{Objects, tree};

pub(crate) const NAMESPACE: &str = "truth";

pub(crate) fn admin() -> User {
    User {
        name: "admin".to_owned(),
        groups: vec![
            "system:masters".to_owned(),
            "system:authenticated".to_owned(),
        ],
    }
}

/// A namespace with these labels and its service account.
pub(crate) fn world(labels: &Json) -> Objects {
    let mut objects = Objects::default();
    objects.namespace(NAMESPACE, labels);
    objects
}

pub(crate) fn resource_of(object: &Json, minor: Minor) -> &'static Resource {
    let text = |key: &str| object[key].as_str().unwrap_or_default();
    resource::by_kind(text("apiVersion"), text("kind"), minor)
        .unwrap_or_else(|| panic!("{minor} serves no {}", text("kind")))
}

/// A create request for that document in the test's own namespace.
pub(crate) fn create<'a>(
    body: &'a [u8],
    resource: &'static Resource,
    user: &'a User,
) -> Request<'a> {
    create_in(NAMESPACE, body, resource, user)
}

/// A create request for that document.
pub(crate) fn create_in<'a>(
    namespace: &'a str,
    body: &'a [u8],
    resource: &'static Resource,
    user: &'a User,
) -> Request<'a> {
    Request {
        operation: Operation::Create,
        resource,
        subresource: None,
        namespace,
        name: "",
        user,
        dry_run: true,
        field_validation: FieldValidation::Warn,
        body: Body::Json(body),
        old: None,
    }
}

/// Code, message and warnings of a response in the form of the recordings.
pub(crate) fn answered(response: &Response<'_>, created: u16) -> Json {
    let (code, message) = match &response.outcome {
        Ok(_) => (created, Json::Null),
        Err(status) => (status.code, status.message.clone().into()),
    };
    serde_json::json!({"code": code, "message": message, "warnings": response.warnings})
}

/// The audit annotations of a response.
pub(crate) fn audited(response: &Response<'_>) -> Json {
    let entries = response.audit.iter();
    entries
        .map(|(key, value)| (key.clone(), Json::from(value.as_str())))
        .collect()
}

/// What a line says was told.
pub(crate) fn told(line: &Json) -> Json {
    serde_json::json!({
        "code": line["code"],
        "message": line["message"],
        "warnings": line["warnings"].as_array().cloned().unwrap_or_default(),
    })
}

/// The stored object as a client reads it.
pub(crate) fn stored(response: &Response<'_>, resource: &Resource, minor: Minor) -> Option<Json> {
    let object = response.outcome.as_ref().ok()?;
    let json = encode(object, resource.schema, minor);
    Some(serde_json::from_str(&json).expect("the chain writes JSON"))
}

/// A server with that `AdmissionConfiguration`.
pub(crate) fn configured(minor: Minor, file: &Json) -> Server {
    let mut server = Server::new(minor);
    let file = tree(file);
    for plugin in admission_configuration(&file).expect("the configuration is read") {
        let configuration = plugin.configuration.expect("the configuration is inline");
        server
            .configure_plugin(plugin.name, configuration)
            .expect("the configuration is good");
    }
    server
}

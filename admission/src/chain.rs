//! The order of one request, which decides what error the user sees: decode, default, mutating
//! plugins, name generation, drops and syncs, validation, warnings, validating plugins.
//!
//! Upstream: the handlers in `k8s.io/apiserver/pkg/endpoints/handlers/{create,update,patch}.go`,
//! `pkg/registry/rest/{create,update}.go` there, and the order of the plugins in
//! `pkg/kubeapiserver/options/plugins.go`.

use crate::decode::{self, DecodeError};
use crate::default;
use crate::encode;
use crate::plugins::{
    Built, Plugin, default_toleration_seconds, namespace_lifecycle, pod_security,
    pod_security_policy, priority, runtime_class, service_account,
};
use crate::prepare;
use crate::request::{Body, FieldValidation, Operation, Request, Response, Source, User, World};
use crate::resource::Resource;
use crate::status::{Grouped, Status};
use crate::validation;
use crate::value::Value;
use crate::versions::{self, Gate};
use crate::warning_header::Recorder;
use crate::warnings;

pub use crate::config::Server;

/// The plugins that podgate has built, in the order in which they run in both phases.
static PLUGINS: [Built; 7] = [
    // First, since nothing else makes sense in a namespace that is not there.
    Built {
        plugin: Plugin::NamespaceLifecycle,
        admit: Some(namespace_lifecycle::admit),
        validate: None,
    },
    // Adds the token volume, which policies then see.
    Built {
        plugin: Plugin::ServiceAccount,
        admit: Some(service_account::admit),
        validate: Some(service_account::validate),
    },
    // Only looks, and only at what all others and validation have left.
    Built {
        plugin: Plugin::PodSecurity,
        admit: None,
        validate: Some(pod_security::validate),
    },
    // Its changes are seen by validation and by PodSecurity, which only runs later.
    Built {
        plugin: Plugin::PodSecurityPolicy,
        admit: Some(pod_security_policy::admit),
        validate: Some(pod_security_policy::validate),
    },
    Built {
        plugin: Plugin::Priority,
        admit: Some(priority::admit),
        validate: Some(priority::validate),
    },
    Built {
        plugin: Plugin::DefaultTolerationSeconds,
        admit: Some(default_toleration_seconds::admit),
        validate: None,
    },
    // Behind the tolerations, as it merges those of the class into them.
    Built {
        plugin: Plugin::RuntimeClass,
        admit: Some(runtime_class::admit),
        validate: Some(runtime_class::validate),
    },
];

/// Runs one request through the chain of `server`.
pub fn admit<'a>(
    server: &Server,
    world: &dyn World,
    source: &mut dyn Source,
    request: Request<'a>,
) -> Response<'a> {
    admit_request(server, world, source, request, Wants::default()).0
}

/// Does the same, and tells of every `PodSecurityPolicy` what came of it; `None` where that plugin
/// did not look for one.
pub fn admit_explained<'a>(
    server: &Server,
    world: &dyn World,
    source: &mut dyn Source,
    request: Request<'a>,
) -> (Response<'a>, Option<pod_security_policy::Explanation>) {
    let wants = Wants {
        explanation: true,
        ..Wants::default()
    };
    let (response, extra) = admit_request(server, world, source, request, wants);
    (response, extra.explanation)
}

/// Does the same, and returns the object as the request has it: decoded and with its defaults, before
/// any plugin or registry has changed it. That is what a field manager owns. `None` where it did not
/// get that far.
pub fn admit_owned<'a>(
    server: &Server,
    world: &dyn World,
    source: &mut dyn Source,
    request: Request<'a>,
) -> (Response<'a>, Option<Value<'static>>) {
    let wants = Wants {
        requested: true,
        ..Wants::default()
    };
    let (response, extra) = admit_request(server, world, source, request, wants);
    (response, extra.requested)
}

/// What a caller wants to know beyond the response.
#[derive(Clone, Copy, Default)]
struct Wants {
    explanation: bool,
    requested: bool,
}

/// What it is told.
#[derive(Default)]
struct Extra {
    explanation: Option<pod_security_policy::Explanation>,
    requested: Option<Value<'static>>,
}

fn admit_request<'a>(
    server: &Server,
    world: &dyn World,
    source: &mut dyn Source,
    request: Request<'a>,
    wants: Wants,
) -> (Response<'a>, Extra) {
    let Request {
        operation,
        resource,
        subresource,
        namespace,
        name,
        user,
        // Nothing in the chain stores anything, so a dry run is no different.
        dry_run: _,
        field_validation,
        body,
        old,
    } = request;
    let mut attributes = Attributes {
        server,
        world,
        source,
        operation,
        resource,
        subresource,
        namespace,
        name: name.to_owned(),
        user,
        old,
        labelled: false,
        recorder: Recorder::default(),
        audit: Vec::new(),
        wants_explanation: wants.explanation,
        explanation: None,
        wants_requested: wants.requested,
        requested: None,
    };
    if let Some(warning) = resource.deprecation_warning(server.minor()) {
        attributes.warn(&warning);
    }
    let outcome = run(&mut attributes, field_validation, body);
    let response = Response {
        outcome,
        warnings: attributes.recorder.into_texts(),
        audit: attributes.audit,
    };
    let extra = Extra {
        explanation: attributes.explanation,
        requested: attributes.requested,
    };
    (response, extra)
}

fn run<'a>(
    attributes: &mut Attributes<'_>,
    field_validation: FieldValidation,
    body: Body<'a>,
) -> Result<Value<'a>, Status> {
    let mut object = match body {
        Body::Json(bytes) => decode_body(attributes, field_validation, bytes)?,
        Body::Decoded(object) => object,
    };
    if attributes.operation == Operation::Delete {
        mutate(attributes, &mut object)?;
        validate(attributes, &object)?;
        return Ok(object);
    }
    attributes.labelled = object
        .at(&["metadata", "labels"])
        .and_then(Value::as_object)
        .is_some_and(|labels| !labels.is_empty());
    default::apply(attributes.server, attributes.resource, &mut object);
    match attributes.operation {
        Operation::Create => {
            name_of(attributes, &object);
            namespace_of(attributes, &mut object)?;
            prepare::wipe(&mut object);
            prepare::dedup_owners(attributes, &mut object, false);
            attributes.keep_requested(&object);
            mutate(attributes, &mut object)?;
            prepare::dedup_owners(attributes, &mut object, true);
            prepare::for_create(attributes, &mut object);
            validate_create(attributes, &object)?;
        }
        Operation::Update => {
            namespace_of(attributes, &mut object)?;
            attributes.keep_requested(&object);
            mutate(attributes, &mut object)?;
            prepare::dedup_owners(attributes, &mut object, true);
            if let Some(old) = attributes.old {
                prepare::for_update(attributes, &mut object, old);
                validate_update(attributes, &object, old)?;
            }
        }
        Operation::Delete => {}
    }
    for text in warnings::of(attributes, &object) {
        attributes.warn(&text);
    }
    validate(attributes, &object)?;
    prepare::stored(attributes, &mut object);
    let minor = attributes.server.minor();
    encode::as_stored(&mut object, attributes.resource.schema, minor);
    Ok(object)
}

/// Decodes, and says what it left out, as the request and the minor will have it.
fn decode_body<'a>(
    attributes: &mut Attributes<'_>,
    field_validation: FieldValidation,
    bytes: &'a [u8],
) -> Result<Value<'a>, Status> {
    let (minor, resource) = (attributes.server.minor(), attributes.resource);
    let bad = |error: DecodeError| Status::bad_request(error.message);
    let decoded = decode::decode_as(bytes, resource, minor).map_err(bad)?;
    if !versions::FIELD_VALIDATION.contain(minor) {
        return Ok(decoded.object);
    }
    match field_validation {
        FieldValidation::Ignore => {}
        FieldValidation::Warn => {
            for error in &decoded.strict {
                attributes.warn(&error.to_string());
            }
        }
        FieldValidation::Strict => {
            if let Some(error) = DecodeError::strict(&decoded.strict) {
                let (kind, version) = (resource.kind, resource.version);
                return Err(Status::bad_request(format!(
                    "{kind} in version {version:?} cannot be handled as a {kind}: {error}"
                )));
            }
        }
    }
    Ok(decoded.object)
}

/// On create the attributes' name is the object's, and a namespace is in itself.
fn name_of(attributes: &mut Attributes<'_>, object: &Value<'_>) {
    if attributes.name.is_empty() {
        object
            .text_at(&["metadata", "name"])
            .clone_into(&mut attributes.name);
    }
}

/// `EnsureObjectNamespaceMatchesRequestNamespace`: an object without a namespace gets the request's,
/// and one that can have none loses it.
fn namespace_of(attributes: &Attributes<'_>, object: &mut Value<'_>) -> Result<(), Status> {
    let Some(object) = object.as_object_mut() else {
        return Ok(());
    };
    let metadata = object.object_mut("metadata");
    if !attributes.resource.namespaced {
        metadata.remove("namespace");
        return Ok(());
    }
    let given = metadata.get("namespace").and_then(Value::as_str);
    if given == Some(attributes.namespace) {
        return Ok(());
    }
    if given.unwrap_or_default().is_empty() {
        metadata.insert("namespace", attributes.namespace.to_owned());
        return Ok(());
    }
    Err(Status::bad_request(
        "the namespace of the provided object does not match the namespace sent on the request",
    ))
}

/// The first phase of admission: the first error ends it.
fn mutate(attributes: &mut Attributes<'_>, object: &mut Value<'_>) -> Result<(), Status> {
    for built in &PLUGINS {
        if let Some(admit) = built.admit
            && attributes.server.has(built.plugin)
        {
            admit(attributes, object)?;
        }
    }
    Ok(())
}

/// The second phase of admission: the first error ends it, and is the only one that is told.
fn validate(attributes: &mut Attributes<'_>, object: &Value<'_>) -> Result<(), Status> {
    for built in &PLUGINS {
        if let Some(validate) = built.validate
            && attributes.server.has(built.plugin)
        {
            validate(attributes, object)?;
        }
    }
    Ok(())
}

/// What of the configuration decides about validity.
fn settings(server: &Server) -> validation::Settings {
    validation::Settings {
        windows_host_process: server.enabled(Gate::WindowsHostProcessContainers),
        ..validation::Settings::new(server.minor())
    }
}

fn validate_create(attributes: &Attributes<'_>, object: &Value<'_>) -> Result<(), Status> {
    let settings = settings(attributes.server);
    let errors = validation::validate_create(object, attributes.resource, &settings);
    invalid(attributes, object, &errors)
}

fn validate_update(
    attributes: &Attributes<'_>,
    object: &Value<'_>,
    old: &Value<'_>,
) -> Result<(), Status> {
    let settings = settings(attributes.server);
    let errors = validation::validate_update(
        object,
        old,
        attributes.resource,
        attributes.subresource,
        &settings,
    );
    invalid(attributes, object, &errors)
}

fn invalid(
    attributes: &Attributes<'_>,
    object: &Value<'_>,
    errors: &[validation::field::Error],
) -> Result<(), Status> {
    if errors.is_empty() {
        return Ok(());
    }
    let settings = validation::Settings::new(attributes.server.minor());
    let name = object.text_at(&["metadata", "name"]);
    Err(validation::invalid(
        attributes.resource,
        name,
        errors,
        &settings,
    ))
}

/// A request on its way through the chain, as plugins see it: upstream's `admission.Attributes`.
pub(crate) struct Attributes<'r> {
    pub(crate) server: &'r Server,
    pub(crate) world: &'r dyn World,
    pub(crate) source: &'r mut dyn Source,
    pub(crate) operation: Operation,
    pub(crate) resource: &'static Resource,
    pub(crate) subresource: Option<&'r str>,
    pub(crate) namespace: &'r str,
    /// The name in the URL or of the object; empty until one is generated.
    pub(crate) name: String,
    pub(crate) user: &'r User,
    pub(crate) old: Option<&'r Value<'static>>,
    /// Whether the request has labels of its own, rather than those of a template by default.
    pub(crate) labelled: bool,
    recorder: Recorder,
    audit: Vec<(String, String)>,
    /// Whether somebody wants to know more than the server tells.
    pub(crate) wants_explanation: bool,
    pub(crate) explanation: Option<pod_security_policy::Explanation>,
    wants_requested: bool,
    requested: Option<Value<'static>>,
}

impl Attributes<'_> {
    /// Keeps the object as it is now, if somebody wants it: as the conversion to the internal type and
    /// back makes it.
    fn keep_requested(&mut self, object: &Value<'_>) {
        if self.wants_requested {
            let mut object = object.clone().into_owned();
            encode::as_converted(&mut object, self.resource.schema, self.server.minor());
            self.requested = Some(object);
        }
    }

    /// Whether the request is about that resource, in whatever version.
    pub(crate) fn is(&self, group: &str, name: &str) -> bool {
        self.resource.group == group && self.resource.name == name
    }

    /// The resource as messages name it.
    pub(crate) fn grouped(&self) -> Grouped<'static> {
        Grouped {
            group: self.resource.group,
            name: self.resource.name,
        }
    }

    /// Whether it is about a pod as a whole.
    pub(crate) fn is_pod(&self) -> bool {
        self.is("", "pods") && self.subresource.is_none()
    }

    /// Adds a warning.
    pub(crate) fn warn(&mut self, text: &str) {
        self.recorder.add(text);
    }

    /// Adds an audit annotation.
    pub(crate) fn audit(&mut self, prefix: &str, key: &str, value: &str) {
        self.audit
            .push((format!("{prefix}{key}"), value.to_owned()));
    }

    /// A 403 about the object, named as far as it has a name (`admission.NewForbidden`).
    pub(crate) fn forbidden(&self, object: &Value<'_>, why: &str) -> Status {
        let own = |key| object.text_at(&["metadata", key]);
        let candidates = [
            self.name.as_str(),
            own("name"),
            own("generateName"),
            "Unknown",
        ];
        let name = candidates.into_iter().find(|name| !name.is_empty());
        Status::forbidden(self.grouped(), name.unwrap_or_default(), why)
    }
}

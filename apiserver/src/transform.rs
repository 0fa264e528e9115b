//! Objects and lists in the form that the client asked for.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/handlers/response.go`. An object in a list has neither
//! kind nor version of its own.

use std::fmt::Write as _;

use podgate_admission::encode::{encode, encode_untyped};
use podgate_admission::quote::quote;
use podgate_admission::resource::Resource;
use podgate_admission::schema::Type;
use podgate_admission::status::Status;
use podgate_admission::value::Value;
use podgate_policy::Minor;

use crate::answer::Answer;
use crate::call::Call;
use crate::failure;
use crate::negotiation::{Kind, Representation};
use crate::printers;

/// What a list says of itself: `metadata` as JSON, `{"resourceVersion":"7"}`.
pub(crate) struct ListMeta(pub(crate) String);

/// What decides how an object is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form<'a> {
    pub(crate) minor: Minor,
    pub(crate) resource: &'static Resource,
    pub(crate) representation: Representation,
    /// `includeObject`
    pub(crate) include: &'a str,
}

impl<'a> Form<'a> {
    /// As a request wants it.
    pub(crate) fn of(call: &'a Call<'_>) -> Self {
        Self {
            minor: call.minor,
            resource: call.resource,
            representation: call.representation,
            include: &call.options.include_object,
        }
    }
}

/// One object, in the version of the request.
pub(crate) fn object(code: u16, object: &Value<'_>, call: &Call<'_>) -> Answer {
    match embedded(object, &Form::of(call), &call.now, true) {
        Ok(json) => Answer::json(code, json),
        Err(status) => status.into(),
    }
}

/// One object as a watch has it too, which names the columns of tables only in its first event.
pub(crate) fn embedded(
    object: &Value<'_>,
    form: &Form<'_>,
    now: &str,
    headers: bool,
) -> Result<String, Status> {
    Ok(match form.representation.kind {
        Kind::Own => encode(object, form.resource.schema, form.minor),
        Kind::Table => {
            let version = object.text_at(&["metadata", "resourceVersion"]);
            let metadata = if version.is_empty() {
                ListMeta("{}".to_owned())
            } else {
                ListMeta(format!("{{\"resourceVersion\":\"{version}\"}}"))
            };
            table(&metadata, [object], form, now, headers)?
        }
        Kind::PartialObjectMetadata => partial(object, form),
        Kind::PartialObjectMetadataList => {
            return Err(failure::not_convertible(format!(
                "you requested PartialObjectMetadataList, but the requested object is not a list (*{})",
                go_type(form.resource)
            )));
        }
    })
}

/// A list of objects.
pub(crate) fn list<'o, 'v: 'o>(
    metadata: &ListMeta,
    objects: impl IntoIterator<Item = &'o Value<'v>>,
    call: &Call<'_>,
) -> Answer {
    let form = &Form::of(call);
    let body = match call.representation.kind {
        Kind::Own => Ok(own_list(metadata, objects, form)),
        Kind::Table => table(metadata, objects, form, &call.now, true),
        Kind::PartialObjectMetadataList => Ok(partial_list(metadata, objects, form)),
        Kind::PartialObjectMetadata => Err(failure::not_convertible(format!(
            "you requested PartialObjectMetadata, but the requested object is a list (*{}List)",
            go_type(call.resource)
        ))),
    };
    match body {
        Ok(body) => Answer::json(200, body),
        Err(status) => status.into(),
    }
}

fn own_list<'o, 'v: 'o>(
    ListMeta(metadata): &ListMeta,
    objects: impl IntoIterator<Item = &'o Value<'v>>,
    form: &Form<'_>,
) -> String {
    let (kind, version) = (form.resource.kind, form.resource.api_version());
    let mut body = format!(
        "{{\"kind\":\"{kind}List\",\"apiVersion\":\"{version}\",\"metadata\":{metadata},\"items\":["
    );
    for (at, object) in objects.into_iter().enumerate() {
        let item = encode(object, form.resource.schema, form.minor);
        // The kind and the version are what stands before the metadata.
        body.push_str(if at == 0 { "{" } else { ",{" });
        body.push_str(&item[item.find("\"metadata\"").unwrap_or(1)..]);
    }
    body.push_str("]}");
    body
}

fn partial_list<'o, 'v: 'o>(
    ListMeta(metadata): &ListMeta,
    objects: impl IntoIterator<Item = &'o Value<'v>>,
    form: &Form<'_>,
) -> String {
    let items: Vec<String> = objects
        .into_iter()
        .map(|object| partial(object, form))
        .collect();
    // Upstream appends to a list that it never makes.
    let items = if items.is_empty() {
        "null".to_owned()
    } else {
        format!("[{}]", items.join(","))
    };
    format!(
        "{{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/{}\",\"metadata\":{metadata},\
         \"items\":{items}}}",
        form.representation.version
    )
}

/// `PartialObjectMetadata`
fn partial(object: &Value<'_>, form: &Form<'_>) -> String {
    let schema = form.resource.schema.field("metadata", form.minor);
    let metadata = match (schema.map(|field| &field.ty), object.get("metadata")) {
        (Some(Type::Struct(schema)), Some(metadata)) => encode(metadata, schema, form.minor),
        _ => "{}".to_owned(),
    };
    format!(
        "{{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/{}\",\"metadata\":{metadata}}}",
        form.representation.version
    )
}

/// `asTable`
fn table<'o, 'v: 'o>(
    ListMeta(metadata): &ListMeta,
    objects: impl IntoIterator<Item = &'o Value<'v>>,
    form: &Form<'_>,
    now: &str,
    headers: bool,
) -> Result<String, Status> {
    let include = form.include;
    if !matches!(include, "" | "Metadata" | "Object" | "None") {
        return Err(Status::bad_request(format!(
            "Unable to convert to Table as requested: includeObject: Invalid value: {}: must be \
             'Metadata', 'Object', 'None', or empty",
            quote(include)
        )));
    }
    let definitions = if headers {
        encode_untyped(&printers::column_definitions(form.resource, form.minor))
    } else {
        "null".to_owned()
    };
    let mut rows = String::new();
    for object in objects {
        let cells = encode_untyped(&printers::cells(form.resource, object, now, form.minor));
        let conditions = printers::row_conditions(form.resource, object)
            .map_or_else(String::new, |conditions| {
                format!(",\"conditions\":{}", encode_untyped(&conditions))
            });
        let shown = match include {
            "Object" => encode(object, form.resource.schema, form.minor),
            "None" => "null".to_owned(),
            _ => partial(object, form),
        };
        let comma = if rows.is_empty() { "" } else { "," };
        // Writing to a text does not fail.
        let _ = write!(
            rows,
            "{comma}{{\"cells\":{cells}{conditions},\"object\":{shown}}}"
        );
    }
    let rows = if rows.is_empty() && printers::empty_is_null(form.resource) {
        "null".to_owned()
    } else {
        format!("[{rows}]")
    };
    Ok(format!(
        "{{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/{}\",\"metadata\":{metadata},\
         \"columnDefinitions\":{definitions},\"rows\":{rows}}}",
        form.representation.version
    ))
}

/// The Go type of the internal version: `core.Pod`.
fn go_type(resource: &Resource) -> String {
    let package = match resource.group {
        "" => "core",
        group => group.split('.').next().unwrap_or(group),
    };
    format!("{package}.{}", resource.kind)
}

//! Field selectors: `metadata.name=web,status.phase!=Running`.
//!
//! Upstream: `k8s.io/apimachinery/pkg/fields/selector.go`, and for the fields of each kind the label
//! conversions in `k8s.io/kubernetes/pkg/apis/*/v1/conversion.go`.

use podgate_admission::resource::Resource;
use podgate_admission::status::Status;
use podgate_admission::value::Value;

/// Fields that must have, or must not have, a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSelector {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    path: Vec<String>,
    equal: bool,
    value: String,
}

/// The fields that may be selected by, besides the metadata's.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "pods",
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
    ),
    ("namespaces", &["status.phase"]),
    ("secrets", &["type"]),
    ("nodes", &["spec.unschedulable"]),
    ("replicationcontrollers", &["status.replicas"]),
    ("replicasets", &["status.replicas"]),
    ("jobs", &["status.successful"]),
    (
        "events",
        &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
    ),
];

impl FieldSelector {
    /// Reads a selector on `resource`; the empty one selects everything.
    pub(crate) fn parse(text: &str, resource: &Resource) -> Result<Self, Status> {
        let mut terms = Vec::new();
        for term in text.split(',').filter(|term| !term.is_empty()) {
            let (field, equal, value) = split(term).ok_or_else(|| {
                Status::bad_request(format!(
                    "invalid selector: '{text}'; can't understand '{term}'"
                ))
            })?;
            if !selectable(field, resource) {
                return Err(Status::bad_request(unknown(field, resource)));
            }
            // Of the source of an event it is the component (`ToSelectableFields` of its strategy).
            let path = if field == "source" {
                "source.component"
            } else {
                field
            };
            terms.push(Term {
                path: path.split('.').map(str::to_owned).collect(),
                equal,
                value: value.to_owned(),
            });
        }
        Ok(Self { terms })
    }

    /// Whether it selects everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Selects by name alone.
    pub(crate) fn named(name: &str) -> Self {
        let path = vec!["metadata".to_owned(), "name".to_owned()];
        let (equal, value) = (true, name.to_owned());
        let terms = vec![Term { path, equal, value }];
        Self { terms }
    }

    /// The name that a selector on any resource asks for, where a role may be about that name alone
    /// (`RequiresExactMatch`, and `IsPathSegmentName` in `k8s.io/apimachinery`).
    pub(crate) fn name_in(text: &str) -> Option<&str> {
        let terms = text.split(',').filter(|term| !term.is_empty());
        let terms: Vec<_> = terms.map(split).collect::<Option<_>>()?;
        let mut names = terms
            .iter()
            .filter(|(field, equal, _)| *equal && *field == "metadata.name");
        let (_, _, name) = names.next()?;
        (!matches!(*name, "." | "..") && !name.contains(['/', '%'])).then_some(*name)
    }

    /// The name that objects must have, where they must have one.
    pub(crate) fn name(&self) -> Option<&str> {
        let named = |term: &&Term| term.equal && term.path == ["metadata", "name"];
        self.terms.iter().find(named).map(|term| &*term.value)
    }

    /// Whether the object's fields meet the selector.
    pub(crate) fn selects(&self, object: &Value<'_>) -> bool {
        self.terms.iter().all(|term| {
            let value = term
                .path
                .iter()
                .try_fold(object, |value, key| value.get(key));
            let equal = match value {
                Some(Value::String(text)) => *text == term.value,
                Some(Value::Bool(truth)) => truth.to_string() == term.value,
                Some(Value::Int(number)) => number.to_string() == term.value,
                _ => matches!(&*term.value, "" | "false" | "0"),
            };
            equal == term.equal
        })
    }
}

/// `field=value`, `field==value` or `field!=value`, whichever comes first.
fn split(term: &str) -> Option<(&str, bool, &str)> {
    let at = term.find(['=', '!'])?;
    let (field, rest) = term.split_at(at);
    let (equal, value) = if let Some(value) = rest.strip_prefix("!=") {
        (false, value)
    } else {
        (true, rest.strip_prefix("==").or(rest.strip_prefix('='))?)
    };
    Some((field, equal, value))
}

fn selectable(field: &str, resource: &Resource) -> bool {
    field == "metadata.name"
        || field == "metadata.namespace"
        || FIELDS
            .iter()
            .any(|(name, fields)| *name == resource.name && fields.contains(&field))
}

fn unknown(field: &str, resource: &Resource) -> String {
    if FIELDS.iter().any(|(name, _)| *name == resource.name) {
        format!("field label not supported: {field}")
    } else {
        format!(
            "{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        )
    }
}

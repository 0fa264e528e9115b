//! In which form a client wants its answer: the object itself, a table of it, or its metadata; and as JSON
//! or as protobuf.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/handlers/negotiation/negotiate.go`, and
//! `AllowsMediaTypeTransform` in `endpoints/handlers/rest.go`.

use std::cmp::Reverse;

use http::HeaderMap;
use http::header::ACCEPT;
use podgate_admission::status::Status;

use crate::{failure, protobuf};

/// The media types that this server writes.
const TYPES: &str = "application/json, application/vnd.kubernetes.protobuf";

/// What an answer shows of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Representation {
    pub(crate) kind: Kind,
    /// The version of `meta.k8s.io` that the form has: `v1` or `v1beta1`.
    pub(crate) version: &'static str,
    /// Whether it is written as protobuf, and not as JSON.
    pub(crate) protobuf: bool,
}

/// The kind of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The kind of the resource.
    Own,
    Table,
    PartialObjectMetadata,
    PartialObjectMetadataList,
}

/// A part of `Accept`: the type, what is below it, and the parameters.
pub(crate) struct Clause<'h> {
    quality: f32,
    ty: &'h str,
    parameters: Vec<(&'h str, &'h str)>,
}

impl Default for Representation {
    fn default() -> Self {
        Self {
            kind: Kind::Own,
            version: "v1",
            protobuf: false,
        }
    }
}

/// The first of the forms that a client accepts and the server has.
pub(crate) fn negotiate(headers: &HeaderMap) -> Result<Representation, Status> {
    let clauses = clauses(headers);
    if clauses.is_empty() {
        return Ok(Representation::default());
    }
    let mut found = clauses.iter().filter_map(Clause::representation);
    found.next().ok_or_else(|| failure::not_acceptable(TYPES))
}

/// What a client accepts, the best first.
pub(crate) fn clauses(headers: &HeaderMap) -> Vec<Clause<'_>> {
    let values = headers.get_all(ACCEPT).iter();
    let mut clauses: Vec<Clause<'_>> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|clause| {
            let mut parts = clause.split(';').map(str::trim);
            let ty = parts.next().filter(|ty| !ty.is_empty())?;
            let parameters = parts.filter_map(|part| part.split_once('='));
            let (quality, parameters): (Vec<_>, Vec<_>) =
                parameters.partition(|(key, _)| *key == "q");
            let quality = quality.last().and_then(|(_, value)| value.parse().ok());
            Some(Clause {
                quality: quality.unwrap_or(1.0),
                ty,
                parameters,
            })
        })
        .collect();
    let vague = |clause: &Clause<'_>| clause.ty.matches('*').count();
    clauses.sort_by(|a, b| {
        let by_quality = b.quality.total_cmp(&a.quality);
        by_quality.then_with(|| Reverse(vague(b)).cmp(&Reverse(vague(a))))
    });
    clauses
}

impl Clause<'_> {
    /// The media type without its parameters.
    pub(crate) fn ty(&self) -> &str {
        self.ty
    }

    /// Whether JSON is of this type.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.ty, "*/*" | "application/*" | "application/json")
    }

    /// The value of a parameter: `as`.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let mut found = self.parameters.iter().filter(|(key, _)| *key == name);
        found.next_back().map(|(_, value)| *value)
    }

    /// The form that it asks for; nothing where this server does not write it.
    fn representation(&self) -> Option<Representation> {
        let protobuf = self.ty == protobuf::TYPE;
        if !protobuf && !self.is_json() {
            return None;
        }
        let parameter = |name| self.parameter(name);
        if parameter("stream").is_some_and(|stream| !matches!(stream, "" | "watch")) {
            return None;
        }
        let (kind, group, version) = (parameter("as"), parameter("g"), parameter("v"));
        if kind.is_none() && group.is_none() && version.is_none() {
            return Some(Representation {
                protobuf,
                ..Representation::default()
            });
        }
        let kind = match kind? {
            "Table" => Kind::Table,
            "PartialObjectMetadata" => Kind::PartialObjectMetadata,
            "PartialObjectMetadataList" => Kind::PartialObjectMetadataList,
            _ => return None,
        };
        let version = match version? {
            "v1" => "v1",
            "v1beta1" => "v1beta1",
            _ => return None,
        };
        (group? == "meta.k8s.io").then_some(Representation {
            kind,
            version,
            protobuf,
        })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;

    const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

    fn of(accept: &str) -> Option<(Kind, &'static str)> {
        let value = HeaderValue::from_str(accept).expect("a header");
        let found = negotiate(&HeaderMap::from_iter([(ACCEPT, value)])).ok()?;
        Some((found.kind, found.version))
    }

    #[rstest]
    #[case("", Some((Kind::Own, "v1")))]
    #[case("*/*", Some((Kind::Own, "v1")))]
    #[case("application/json, */*", Some((Kind::Own, "v1")))]
    #[case(TABLE, Some((Kind::Table, "v1")))]
    #[case("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", Some((Kind::Table, "v1beta1")))]
    #[case("application/json;as=Table;v=v2;g=meta.k8s.io,application/json", Some((Kind::Own, "v1")))]
    #[case("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", Some((Kind::PartialObjectMetadataList, "v1")))]
    #[case("application/json;as=Table;v=v1;g=meta.k8s.io;q=0.5,application/json;q=0.8", Some((Kind::Own, "v1")))]
    #[case("application/vnd.kubernetes.protobuf,application/json", Some((Kind::Own, "v1")))]
    #[case("application/json;stream=watch", Some((Kind::Own, "v1")))]
    #[case("application/vnd.kubernetes.protobuf", Some((Kind::Own, "v1")))]
    #[case("application/yaml", None)]
    #[case("application/json;as=Table", None)]
    #[case("text/html", None)]
    fn forms(#[case] accept: &str, #[case] expected: Option<(Kind, &'static str)>) {
        assert_eq!(of(accept), expected);
    }
}

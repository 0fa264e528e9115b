//! `/openapi/v2` and `/openapi/v3`: the served kinds for clients that validate, explain and patch.
//!
//! Upstream: `k8s.io/kube-openapi/pkg/{handler,handler3}`. The documents are made of the schema
//! tables when somebody asks for the first one.

mod definitions;
mod operations;
mod protobuf;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use http::header::{ACCEPT_RANGES, CACHE_CONTROL, ETAG, LOCATION, VARY};
use http::request::Parts;
use podgate_admission::encode::encode_untyped;
use podgate_admission::resource::RESOURCES;
use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;

use crate::answer::{Answer, hash};
use crate::discovery::group_versions;
use crate::negotiation::{Clause, clauses};
use crate::registry;
use definitions::Definitions;
use operations::Names;

/// The first minor that serves version 3 without a feature gate.
const FIRST_WITH_V3: u8 = 24;
/// The first minor that says the media type of a document; the older ones leave it to a guess at the
/// content (`http.DetectContentType`).
const FIRST_WITH_TYPES: u8 = 27;
const GUESSED_TEXT: &str = "text/plain; charset=utf-8";
const GUESSED_BYTES: &str = "application/octet-stream";
const PROTOBUF_AT: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
const PROTOBUF_DOTS: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// A version of `OpenAPI`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V2,
    V3,
}

/// The documents of a server.
#[derive(Debug)]
pub(crate) struct Documents {
    /// Version 2 as JSON and as protobuf.
    v2: [Document; 2],
    /// The list of those of version 3.
    index: Document,
    /// Those of version 3, by what stands behind `/openapi/v3/`: `api/v1`, `apis/apps/v1`.
    v3: BTreeMap<String, Document>,
}

struct Document {
    body: Vec<u8>,
    hash: String,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hash)
    }
}

impl Document {
    fn new(body: Vec<u8>) -> Self {
        let hash = hash(&body);
        Self { body, hash }
    }
}

/// The paths of the documents on a server of `minor`.
pub(crate) fn paths(minor: Minor) -> impl Iterator<Item = &'static str> {
    let v3 = minor.number() >= FIRST_WITH_V3;
    let paths = [
        ("/openapi/v2", true),
        ("/openapi/v3", v3),
        ("/openapi/v3/", v3),
    ];
    paths
        .into_iter()
        .filter(|(_, there)| *there)
        .map(|(path, _)| path)
}

/// Whether a path is one of `OpenAPI`.
pub(crate) fn is_below(path: &str, minor: Minor) -> bool {
    let below = path.strip_prefix("/openapi/");
    below == Some("v2")
        || minor.number() >= FIRST_WITH_V3
            && below.is_some_and(|below| below == "v3" || below.starts_with("v3/"))
}

impl Documents {
    /// Makes the documents of a server of `minor`.
    pub(crate) fn new(minor: Minor) -> Self {
        let all = document(Version::V2, minor, |_, _| true);
        let v2 = [
            Document::new(encode_untyped(&all).into_bytes()),
            Document::new(protobuf::document(&all)),
        ];
        let mut v3 = BTreeMap::new();
        for (group, versions) in group_versions(minor) {
            for version in versions {
                let only = document(Version::V3, minor, |g, v| g == group && v == version);
                let name = if group.is_empty() {
                    format!("api/{version}")
                } else {
                    format!("apis/{group}/{version}")
                };
                v3.insert(name, Document::new(encode_untyped(&only).into_bytes()));
            }
        }
        let paths: Object<'static> = v3
            .iter()
            .map(|(name, document)| {
                let url = format!("/openapi/v3/{name}?hash={}", document.hash);
                let entry = Object::from_iter([("serverRelativeURL", url)]);
                (name.clone(), Value::from(entry))
            })
            .collect();
        let index = Value::from(Object::from_iter([("paths", paths)]));
        let index = Document::new(encode_untyped(&index).into_bytes());
        Self { v2, index, v3 }
    }

    /// The answer to a request for a path that [`is_below`].
    pub(crate) fn answer(&self, path: &str, parts: &Parts, minor: Minor) -> Answer {
        if path == "/openapi/v2" {
            return self.v2(parts, minor);
        }
        let name = path
            .strip_prefix("/openapi/v3")
            .unwrap_or_default()
            .trim_start_matches('/');
        if name.is_empty() {
            // The aggregator leaves the type to a guess at the content.
            return tagged(&self.index, GUESSED_TEXT, parts);
        }
        let Some(document) = self.v3.get(name) else {
            return Answer::no_page();
        };
        let clauses = clauses(&parts.headers);
        if !clauses.is_empty() && !clauses.iter().any(Clause::is_json) {
            return Answer::empty(406);
        }
        let query = parts.uri.query().unwrap_or_default();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let json = if minor.number() >= FIRST_WITH_TYPES {
            "application/json"
        } else {
            GUESSED_TEXT
        };
        let asked = pairs.find(|(key, _)| key == "hash").map(|(_, value)| value);
        match asked {
            Some(asked) if asked != document.hash.as_str() => Answer::empty(301).with_header(
                LOCATION,
                &format!("/openapi/v3/{name}?hash={}", document.hash),
            ),
            Some(_) => tagged(document, json, parts)
                .with_header(VARY, "Accept")
                .with_header(CACHE_CONTROL, "public, immutable"),
            None => tagged(document, json, parts).with_header(VARY, "Accept"),
        }
    }

    fn v2(&self, parts: &Parts, minor: Minor) -> Answer {
        let clauses = clauses(&parts.headers);
        let (json, protobuf) = if minor.number() >= FIRST_WITH_TYPES {
            ("application/json", PROTOBUF_DOTS)
        } else {
            (GUESSED_TEXT, GUESSED_BYTES)
        };
        let wanted = if clauses.is_empty() {
            Some((&self.v2[0], json))
        } else {
            clauses.iter().find_map(|clause| match clause.ty() {
                PROTOBUF_AT | PROTOBUF_DOTS => Some((&self.v2[1], protobuf)),
                _ if clause.is_json() => Some((&self.v2[0], json)),
                _ => None,
            })
        };
        match wanted {
            Some((document, ty)) => tagged(document, ty, parts).with_header(VARY, "Accept"),
            None => Answer::empty(406),
        }
    }
}

/// A document with its tag, or without body where that is the one that the client has.
fn tagged(document: &Document, ty: &str, parts: &Parts) -> Answer {
    let tag = format!("\"{}\"", document.hash);
    let known = parts.headers.get(http::header::IF_NONE_MATCH);
    let answer = if known.is_some_and(|known| known == tag.as_str()) {
        Answer::empty(304)
    } else {
        Answer::bytes(document.body.clone(), ty)
    };
    answer
        .with_header(ETAG, &tag)
        .with_header(ACCEPT_RANGES, "bytes")
}

/// The document of all resources that are wanted by their group and version.
fn document(version: Version, minor: Minor, wanted: impl Fn(&str, &str) -> bool) -> Value<'static> {
    let mut definitions = Definitions::new(version, minor);
    let mut paths = BTreeMap::new();
    let served = RESOURCES.iter().filter(|r| r.exists_in(minor));
    for resource in served.filter(|r| wanted(r.group, r.version)) {
        let (own, list) = definitions.add(resource);
        let subresources = registry::subresources(resource, minor);
        let of_subresources = subresources
            .filter_map(|subresource| {
                let (_, _, kind) = registry::subresource_kind(resource, subresource.name, minor);
                let name = definitions.add_of_subresource(kind)?;
                Some((subresource.name, definitions.reference(&name)))
            })
            .collect();
        let names = Names {
            own: &definitions.reference(&own),
            list: &definitions.reference(&list),
            of_subresources,
        };
        paths.extend(operations::paths(resource, &names, version, minor));
    }
    let paths: Object<'static> = paths.into_iter().collect();
    let info = Object::from_iter([
        ("title", "Kubernetes".to_owned()),
        ("version", format!("v1.{}.0+podgate", minor.number())),
    ]);
    let mut found = Object::new();
    match version {
        Version::V2 => found.insert("swagger", "2.0"),
        Version::V3 => found.insert("openapi", "3.0.0"),
    }
    found.insert("info", info);
    found.insert("paths", paths);
    let definitions = definitions.finish();
    match version {
        Version::V2 => found.insert("definitions", definitions),
        Version::V3 => {
            let components = Object::from_iter([("schemas", definitions)]);
            found.insert("components", components);
        }
    }
    Value::from(found)
}

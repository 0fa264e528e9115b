//! What is asked of every document: kind, version, name, namespace, and whether it is a list.
//!
//! Upstream: `decode` of `UnstructuredJSONScheme` and the accessors of `Unstructured`, in
//! k8s.io/apimachinery `pkg/apis/meta/v1/unstructured`.

use std::borrow::Cow;

use crate::{
    error::Flaw,
    json::{Reader, Token},
    resolve::Scalar,
    tree::{Kind, NodeId, Tree},
};

/// What is asked of every document. A field that is no text counts as absent, as in Kubernetes'
/// accessors of unstructured objects.
#[derive(Debug, Clone, Default)]
pub(crate) struct Header {
    pub(crate) api_version: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) has_items: bool,
    /// The items are a sequence, not just any value.
    pub(crate) has_item_sequence: bool,
    /// The kind and version come from the list that the object is an item of.
    pub(crate) inherited: bool,
    /// The object is an item of a list.
    pub(crate) is_item: bool,
}

impl Header {
    pub(crate) fn of_tree(tree: &Tree, node: NodeId) -> Result<Self, Flaw> {
        let text = |id: NodeId| -> Result<Option<String>, Flaw> {
            Ok(match tree.scalar(tree.target(id))? {
                Some(Scalar::String(text)) if !text.is_empty() => Some(text.into_owned()),
                _ => None,
            })
        };
        let mut header = Self::default();
        for entry in tree.entries(node)? {
            match &*entry.name {
                "apiVersion" => header.api_version = text(entry.value)?,
                "kind" => header.kind = text(entry.value)?,
                "items" => {
                    header.has_items = true;
                    let items = tree.kind(tree.target(entry.value));
                    header.has_item_sequence = matches!(items, Kind::Sequence(_));
                }
                "metadata" => {
                    let metadata = tree.target(entry.value);
                    if let Kind::Mapping(_) = tree.kind(metadata) {
                        for entry in tree.entries(metadata)? {
                            match &*entry.name {
                                "name" => header.name = text(entry.value)?,
                                "namespace" => header.namespace = text(entry.value)?,
                                _ => {}
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(header)
    }

    pub(crate) fn of_json(text: &str, at: usize) -> Result<Self, Flaw> {
        let mut reader = Reader::new(text, at);
        match reader.token()? {
            Token::Object => {}
            other => return Err(not_an_object(at, other)),
        }
        let string = |at: usize| -> Option<String> {
            let mut reader = Reader::new(text, at);
            match reader.token() {
                Ok(Token::String) => reader
                    .string()
                    .ok()
                    .filter(|s| !s.is_empty())
                    .map(Cow::into_owned),
                _ => None,
            }
        };
        let mut header = Self::default();
        let mut metadata = None;
        reader.members(|name, value| match &*name {
            "apiVersion" => header.api_version = string(value.start),
            "kind" => header.kind = string(value.start),
            "items" => {
                header.has_items = true;
                header.has_item_sequence = text[value].starts_with('[');
            }
            "metadata" => metadata = Some(value.start),
            _ => {}
        })?;
        if let Some(at) = metadata {
            let mut reader = Reader::new(text, at);
            if reader.token()? == Token::Object {
                reader.members(|name, value| match &*name {
                    "name" => header.name = string(value.start),
                    "namespace" => header.namespace = string(value.start),
                    _ => {}
                })?;
            }
        }
        Ok(header)
    }
}

/// The words of `UnstructuredJSONScheme` for a document that is no object.
pub(crate) fn not_an_object(at: usize, token: Token) -> Flaw {
    let message = format!(
        "json: cannot unmarshal {} into Go value of type unstructured.detector",
        token.name()
    );
    Flaw::new(at, message).hint("a manifest is a mapping with apiVersion and kind")
}

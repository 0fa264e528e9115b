//! What is asked of every document: kind, version, name, namespace, and whether it is a list.
//!
//! Upstream: `decode` of `UnstructuredJSONScheme` and the accessors of `Unstructured`, in
//! k8s.io/apimachinery `pkg/apis/meta/v1/unstructured`.

use crate::{
    error::Flaw,
    json::{RawString, Token, Visit},
    resolve::Scalar,
    tree::{Kind, NodeId, Style, Tree},
};

/// What is asked of every document. A field that is no text counts as absent, as in Kubernetes'
/// accessors of unstructured objects.
#[derive(Debug, Clone, Default)]
pub(crate) struct Header {
    pub(crate) api_version: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) items: ItemsField,
    pub(crate) origin: Origin,
}

/// The field `items`, which makes an object a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum ItemsField {
    #[default]
    Absent,
    Sequence,
    /// Some other value, which makes it a list too, but not one inside a list.
    Other,
}

/// Where an object stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Origin {
    #[default]
    Document,
    /// It is an item of a list.
    Item,
    /// It is an item of a list and takes its kind and version from there.
    TypedItem,
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
                    header.items = match tree.kind(tree.target(entry.value)) {
                        Kind::Sequence(_) => ItemsField::Sequence,
                        _ => ItemsField::Other,
                    };
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
}

/// Collects the header of a JSON value while the value is checked.
#[derive(Debug, Default)]
pub(crate) struct HeaderOfJson {
    pub(crate) header: Header,
    /// Where the items begin, if there are any.
    pub(crate) items_at: usize,
    depth: usize,
    in_metadata: bool,
    /// The member of the object, or of its metadata, that is being read.
    member: Member,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Member {
    #[default]
    Other,
    ApiVersion,
    Kind,
    Items,
    Metadata,
    Name,
    Namespace,
}

impl HeaderOfJson {
    /// Takes the value of the member at hand; of several with one name the last counts.
    fn take(&mut self, at: usize, value: Option<RawString<'_>>, items: ItemsField) {
        let text = || {
            value
                .map(|value| value.decode().into_owned())
                .filter(|v| !v.is_empty())
        };
        match (self.depth, self.member) {
            (1, Member::ApiVersion) => self.header.api_version = text(),
            (1, Member::Kind) => self.header.kind = text(),
            (1, Member::Items) => {
                self.header.items = items;
                self.items_at = at;
            }
            (1, Member::Metadata) => {
                self.header.name = None;
                self.header.namespace = None;
            }
            (2, Member::Name) => self.header.name = text(),
            (2, Member::Namespace) => self.header.namespace = text(),
            _ => {}
        }
    }
}

impl Visit for HeaderOfJson {
    fn name(&mut self, _: usize, name: RawString<'_>) -> Result<(), Flaw> {
        self.member = match self.depth {
            1 => match &*name.decode() {
                "apiVersion" => Member::ApiVersion,
                "kind" => Member::Kind,
                "items" => Member::Items,
                "metadata" => Member::Metadata,
                _ => Member::Other,
            },
            2 if self.in_metadata => match &*name.decode() {
                "name" => Member::Name,
                "namespace" => Member::Namespace,
                _ => Member::Other,
            },
            _ => return Ok(()),
        };
        Ok(())
    }

    fn string(&mut self, at: usize, value: RawString<'_>) -> Result<(), Flaw> {
        self.take(at, Some(value), ItemsField::Other);
        Ok(())
    }

    fn scalar(&mut self, at: usize, _: Style, _: &str) -> Result<(), Flaw> {
        self.take(at, None, ItemsField::Other);
        Ok(())
    }

    fn open(&mut self, at: usize, is_object: bool) -> Result<(), Flaw> {
        let items = if is_object {
            ItemsField::Other
        } else {
            ItemsField::Sequence
        };
        self.take(at, None, items);
        if self.depth == 1 {
            self.in_metadata = is_object && self.member == Member::Metadata;
        }
        self.depth += 1;
        if self.depth == 2 {
            // What stands in a list, or deeper, is no member of these.
            self.member = Member::Other;
        }
        Ok(())
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.member = Member::Other;
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

//! One document of a file: the body that kubectl would send, and where its parts are written.
//!
//! Upstream: `mapper.infoForData` in k8s.io/cli-runtime `pkg/resource/mapper.go`, which decodes with
//! `UnstructuredJSONScheme` (k8s.io/apimachinery `pkg/apis/meta/v1/unstructured/helpers.go`).

use std::{borrow::Cow, ops::Range, sync::Arc};

use crate::{
    Error, Location, Position, Segment, Source,
    encode::{encode, encode_with},
    error::Flaw,
    header::{Header, HeaderOfJson, ItemsField, Origin, not_an_object},
    hints,
    items::Items,
    json::{Reader, Token},
    metadata,
    rendered::{self, Rendered},
    resolve::Scalar,
    source::{Cursor, position},
    tree::{Kind, NodeId, Tree},
    yaml,
};

/// One object as it was written: a document of a file, or an item of a list.
///
/// It is always an object (a mapping); anything else is an [`Error`].
#[derive(Debug, Clone)]
pub struct Document {
    file: Arc<str>,
    start: Position,
    content: Content,
    header: Header,
    rendered: Option<Arc<Rendered>>,
}

/// Where the object is written.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// A node of a parsed YAML document, and its body.
    Yaml {
        document: Arc<Yaml>,
        node: NodeId,
        body: Arc<str>,
    },
    /// A part of a text that holds JSON; the rest is worked out when it is asked for.
    Json {
        text: Arc<str>,
        range: Range<usize>,
        items_at: usize,
    },
}

/// A parsed YAML document, shared by the items of a list.
#[derive(Debug)]
pub(crate) struct Yaml {
    pub(crate) text: String,
    pub(crate) first_line: usize,
    pub(crate) tree: Tree,
}

impl Yaml {
    /// The position of a byte.
    fn place(&self, at: usize) -> Position {
        let mut position = position(&self.text, at);
        position.line += self.first_line - 1;
        position
    }

    /// The position of a node, or of what it is an alias of.
    pub(crate) fn position(&self, node: NodeId) -> Position {
        self.place(self.tree.at(self.tree.target(node)))
    }
}

impl Document {
    /// The file as the user named it, or `<stdin>`.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Where the object begins: its first key in YAML, its brace in JSON.
    #[must_use]
    pub fn start(&self) -> Position {
        self.start
    }

    /// The file that the object was rendered from, where that is known: of a chart the template, of a
    /// kustomization the manifest. The lines of this document are not those of that file.
    ///
    /// helm's comment says it, or kustomize's annotation; and where podgate had it rendered, what it
    /// was rendered from. It is the path on disk where such a file is there. `None` for what stands in a
    /// file, rendered or not: there the place is the one in that file.
    #[must_use]
    pub fn source_file(&self) -> Option<String> {
        let Content::Yaml { document, node, .. } = &self.content else {
            return None;
        };
        let rendered = self.rendered.as_deref();
        if rendered.is_none() && *self.file != *Source::STDIN {
            return None;
        }
        if let Some(named) = rendered::of_comment(&document.text) {
            let on_disk = rendered.and_then(|it| it.template(named));
            return Some(on_disk.unwrap_or_else(|| named.to_owned()));
        }
        if let Some(named) = rendered::of_annotation(&document.tree, *node) {
            let on_disk = rendered.and_then(|it| it.on_disk(&named));
            return Some(on_disk.unwrap_or(named));
        }
        let whole = rendered?.whole.as_ref()?;
        Some(whole.display().to_string())
    }

    /// Says what the text was rendered from that holds it.
    pub(crate) fn rendered(self, rendered: Option<Arc<Rendered>>) -> Self {
        Self { rendered, ..self }
    }

    /// The `apiVersion`, if it is a text and not empty.
    #[must_use]
    pub fn api_version(&self) -> Option<&str> {
        self.header.api_version.as_deref()
    }

    /// The `kind`, if it is a text and not empty.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.header.kind.as_deref()
    }

    /// The `metadata.name`, if it is a text and not empty.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.header.name.as_deref()
    }

    /// The `metadata.namespace`, if it is a text and not empty.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.header.namespace.as_deref()
    }

    /// The object as kubectl sends it: JSON without white space, members sorted by name, numbers in
    /// their shortest form, of duplicate keys the last, without a final line feed.
    ///
    /// For JSON input this is worked out at each call; [`Document::raw_json`] costs nothing.
    #[must_use]
    pub fn body(&self) -> Cow<'_, str> {
        match &self.content {
            Content::Yaml { body, .. } => Cow::Borrowed(body),
            Content::Json { range, .. } => {
                let mut body = String::with_capacity(range.len());
                // The text was checked when it was read, its numbers too.
                let _ = self.with_tree(|tree, root| self.encode(tree, root, &mut body));
                Cow::Owned(body)
            }
        }
    }

    /// The object as it stands in a JSON file, for bulk work: duplicate keys, the order of keys and
    /// the spelling of numbers are the user's. `None` for YAML, and for an item that takes its kind
    /// from its list.
    #[must_use]
    pub fn raw_json(&self) -> Option<&str> {
        match &self.content {
            Content::Json { text, range, .. } if self.header.origin != Origin::TypedItem => {
                Some(&text[range.clone()])
            }
            _ => None,
        }
    }

    /// Whether kubectl takes the object for a list: it has a field `items`, whatever its kind.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.header.items != ItemsField::Absent
    }

    /// The items of a list, in order; nothing for any other object. See [`Items`].
    #[must_use]
    pub fn items(&self) -> Items {
        Items::new(self.clone())
    }

    /// The objects of the document: the items of a list, or the object itself.
    pub fn flatten(self) -> impl Iterator<Item = Result<Document, Error>> {
        let items = self.items();
        items.chain((!self.is_list()).then_some(Ok(self)))
    }

    /// Refuses what kubectl itself refuses to send: an object without a kind, and metadata that does
    /// not fit `ObjectMeta` (`labels: {a: yes}`). An item of a list needs only its kind.
    ///
    /// kubectl adds the whole body to its message about the kind; here the position stands for it.
    pub fn check_object(&self) -> Result<(), Error> {
        if self.kind().is_none() {
            let hint = "a manifest has apiVersion and kind; an empty one does not count".to_owned();
            let path = ["kind".into()];
            return Err(self.error_at(&path, false, "Object 'Kind' is missing", Some(hint)));
        }
        if self.header.origin != Origin::Document {
            return Ok(());
        }
        self.with_tree(metadata::check)
            .map_err(|flaw| self.error(flaw))
    }

    /// Where a field is written; `None` if it is not there.
    ///
    /// Through an alias or a merge key it is where the value was written.
    #[must_use]
    pub fn position(&self, path: &[Segment]) -> Option<Location> {
        let (found, location) = self.nearest(path);
        (found == path.len()).then_some(location)
    }

    /// Where the deepest part of a path is written that is there, and how many segments that is.
    #[must_use]
    pub fn nearest(&self, path: &[Segment]) -> (usize, Location) {
        self.with_tree(|tree, root| {
            let (found, key, value) = walk(tree, root, path);
            let place = |id: NodeId| self.place(tree.at(id));
            (
                found,
                Location {
                    key: key.map(place),
                    value: place(value),
                },
            )
        })
    }

    /// An error at a field of this document, or at the deepest part of its path that is there.
    ///
    /// The caret stands under the key, or under the value if `at_value` says so.
    #[must_use]
    pub fn error_at(
        &self,
        path: &[Segment],
        at_value: bool,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> Error {
        let at = self.with_tree(|tree, root| match walk(tree, root, path) {
            (_, Some(key), _) if !at_value => tree.at(key),
            (_, _, value) => tree.at(value),
        });
        self.error(Flaw {
            at,
            message: message.into(),
            hint,
        })
    }

    /// Reads one YAML document; `None` if it is empty or null.
    pub(crate) fn of_yaml(
        file: &Arc<str>,
        text: String,
        first_line: usize,
    ) -> Result<Option<Self>, Error> {
        let read = || -> Result<Option<(Tree, String)>, Flaw> {
            let Some(tree) = yaml::parse(&text)? else {
                return Ok(None);
            };
            crate::check::check(&tree, &text)?;
            if matches!(tree.scalar(tree.target(NodeId::ROOT))?, Some(Scalar::Null)) {
                return Ok(None);
            }
            let mut body = String::new();
            encode(&tree, NodeId::ROOT, &mut body)?;
            Ok(Some((tree, body)))
        };
        let (tree, body) = match read() {
            Ok(None) => return Ok(None),
            Ok(Some(read)) => read,
            Err(flaw) => {
                let hint = hints::of_template(&text, flaw.at).or(flaw.hint);
                return Err(Error::of_flaw(
                    file,
                    &text,
                    first_line,
                    Flaw { hint, ..flaw },
                ));
            }
        };
        let document = Arc::new(Yaml {
            text,
            first_line,
            tree,
        });
        let start = document.position(NodeId::ROOT);
        Self::of_node(file, &document, NodeId::ROOT, start, body.into()).map(Some)
    }

    fn of_node(
        file: &Arc<str>,
        document: &Arc<Yaml>,
        node: NodeId,
        start: Position,
        body: Arc<str>,
    ) -> Result<Self, Error> {
        let tree = &document.tree;
        let node = tree.target(node);
        let in_file = |flaw| Error::of_flaw(file, &document.text, document.first_line, flaw);
        let header = match metadata::token(tree, node).map_err(in_file)? {
            Token::Object => Header::of_tree(tree, node).map_err(in_file)?,
            other => return Err(in_file(not_an_object(tree.at(node), other))),
        };
        let content = Content::Yaml {
            document: Arc::clone(document),
            node,
            body,
        };
        Ok(Self {
            file: Arc::clone(file),
            start,
            content,
            header,
            rendered: None,
        })
    }

    /// Reads the JSON value at hand, which begins at `start`.
    pub(crate) fn of_json(
        file: &Arc<str>,
        text: &Arc<str>,
        reader: &mut Reader<'_>,
        start: Position,
    ) -> Result<Self, Flaw> {
        let token = reader.token()?;
        let mut found = HeaderOfJson::default();
        let range = reader.visit(&mut found)?;
        if token != Token::Object {
            return Err(not_an_object(range.start, token));
        }
        let content = Content::Json {
            text: Arc::clone(text),
            range,
            items_at: found.items_at,
        };
        Ok(Self {
            file: Arc::clone(file),
            start,
            content,
            header: found.header,
            rendered: None,
        })
    }

    pub(crate) fn content(&self) -> &Content {
        &self.content
    }

    pub(crate) fn shared_file(&self) -> &Arc<str> {
        &self.file
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// Makes a document of an item of this list.
    pub(crate) fn item_of_node(
        &self,
        yaml: &Arc<Yaml>,
        node: NodeId,
        start: Position,
    ) -> Result<Self, Error> {
        let mut item = Self::of_node(&self.file, yaml, node, start, Arc::from(""))?;
        self.bequeath(&mut item);
        let mut text = String::new();
        // The whole document was encoded before, so its parts can be.
        let _ = item.encode(&yaml.tree, node, &mut text);
        if let Content::Yaml { body, .. } = &mut item.content {
            *body = text.into();
        }
        Ok(item)
    }

    /// Gives an item without kind and version those of this list: `decodeToList`.
    pub(crate) fn bequeath(&self, item: &mut Self) {
        item.header.origin = Origin::Item;
        item.rendered.clone_from(&self.rendered);
        if item.header.kind.is_none() && item.header.api_version.is_none() {
            let kind = self.kind().unwrap_or_default();
            let kind = kind.strip_suffix("List").unwrap_or(kind);
            item.header.kind = (!kind.is_empty()).then(|| kind.to_owned());
            item.header.api_version.clone_from(&self.header.api_version);
            item.header.origin = Origin::TypedItem;
        }
    }

    fn encode(&self, tree: &Tree, node: NodeId, out: &mut String) -> Result<(), Flaw> {
        if self.header.origin != Origin::TypedItem {
            return encode(tree, node, out);
        }
        let inherited = [
            ("apiVersion", self.api_version().unwrap_or_default()),
            ("kind", self.kind().unwrap_or_default()),
        ];
        encode_with(tree, node, &inherited, out)
    }

    /// Looks at the tree of the document, which a JSON document does not keep.
    fn with_tree<R>(&self, look: impl FnOnce(&Tree, NodeId) -> R) -> R {
        match &self.content {
            Content::Yaml { document, node, .. } => look(&document.tree, *node),
            Content::Json { text, range, .. } => {
                // The text was checked when it was read.
                let tree = Reader::new(text, range.start).tree().unwrap_or_default();
                look(&tree, NodeId::ROOT)
            }
        }
    }

    /// An error at a byte of the text that holds the document.
    pub(crate) fn error(&self, flaw: Flaw) -> Error {
        let text = match &self.content {
            Content::Yaml { document, .. } => &document.text,
            Content::Json { text, .. } => &**text,
        };
        Error::at_position(&self.file, text, self.place(flaw.at), flaw)
    }

    /// The position of a byte of the text that holds the document.
    fn place(&self, at: usize) -> Position {
        let (text, begin) = match &self.content {
            Content::Yaml { document, node, .. } => (&*document.text, document.tree.at(*node)),
            Content::Json { text, range, .. } => (&**text, range.start),
        };
        match &self.content {
            // What an alias or a merge key stands for may be written above.
            Content::Yaml { document, .. } if at < begin => document.place(at),
            _ => Cursor::new(begin, self.start).advance(text, at),
        }
    }
}

/// Follows a path as far as it goes: how many segments, the last key, the last value.
fn walk(tree: &Tree, root: NodeId, path: &[Segment]) -> (usize, Option<NodeId>, NodeId) {
    let mut key = None;
    let mut value = tree.target(root);
    for (found, segment) in path.iter().enumerate() {
        let next = match (segment, tree.kind(value)) {
            (Segment::Key(name), Kind::Mapping(_)) => tree
                .get(value, name)
                .map(|entry| (Some(entry.key), entry.value)),
            (Segment::Index(index), Kind::Sequence(first)) => {
                tree.siblings(first).nth(*index).map(|item| (None, item))
            }
            _ => None,
        };
        let Some((next_key, next_value)) = next else {
            return (found, key, value);
        };
        key = next_key;
        value = tree.target(next_value);
    }
    (path.len(), key, value)
}

#[cfg(test)]
pub(crate) mod tests;

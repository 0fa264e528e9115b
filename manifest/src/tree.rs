//! One parsed document, compact: every node is a few words, all text lies in one string.
//!
//! YAML and JSON are read into the same tree. It keeps what was written, aliases and merge keys
//! included; what that means is worked out where it is asked for ([`Tree::entries`]), by the rules
//! of go-yaml's `decode.go`.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{
    error::Flaw,
    number::yaml_float_key,
    resolve::{Scalar, resolve},
};

/// The number of a node in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(u32);

impl NodeId {
    /// The first node of every tree.
    pub(crate) const ROOT: Self = Self(0);
}

/// A document.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    text: String,
    tags: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    /// The byte of the document where the node begins, its tag and anchor included.
    at: u32,
    next: Option<NodeId>,
    kind: Kind,
}

/// What was written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Text, and how to read it.
    Scalar(Style, Text),
    /// The first item.
    Sequence(Option<NodeId>),
    /// The first key; keys and values take turns.
    Mapping(Option<NodeId>),
    /// Another place of the same document.
    Alias(NodeId),
}

/// A part of the tree's text, and the number of the tag plus one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    start: u32,
    end: u32,
    tag: u32,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// YAML without quotes and without a tag.
    Plain,
    /// YAML with quotes, or with a tag, or a block, or a JSON string.
    Explicit,
    /// A number of a JSON text.
    JsonNumber,
}

/// A member of a mapping, after merge keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry<'t> {
    pub(crate) name: Cow<'t, str>,
    pub(crate) key: NodeId,
    pub(crate) value: NodeId,
}

impl Tree {
    pub(crate) fn kind(&self, id: NodeId) -> Kind {
        self.node(id).kind
    }

    /// The node that an alias stands for; any other node is itself.
    pub(crate) fn target(&self, id: NodeId) -> NodeId {
        match self.node(id).kind {
            Kind::Alias(target) => target,
            _ => id,
        }
    }

    /// The byte of the document where the node begins.
    pub(crate) fn at(&self, id: NodeId) -> usize {
        self.node(id).at as usize
    }

    pub(crate) fn next(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).next
    }

    /// The value of a scalar; `None` for anything else.
    pub(crate) fn scalar(&self, id: NodeId) -> Result<Option<Scalar<'_>>, Flaw> {
        let Kind::Scalar(style, text) = self.node(id).kind else {
            return Ok(None);
        };
        let value = self.str(text);
        if text.tag == 0 && style == Style::Explicit {
            return Ok(Some(Scalar::String(Cow::Borrowed(value))));
        }
        let tag = text
            .tag
            .checked_sub(1)
            .map_or("", |tag| &self.tags[tag as usize]);
        let resolved = resolve(tag, value).map_err(|message| Flaw::new(self.at(id), message))?;
        Ok(Some(resolved))
    }

    /// The text of a scalar as it was written, without quotes.
    pub(crate) fn written(&self, text: Text) -> &str {
        self.str(text)
    }

    /// The members of a mapping as go-yaml leaves them: in the order of their names, merge keys
    /// applied where they stand, and of several members with one name the last.
    ///
    /// The tree must not hold a merge key that reaches itself, see [`crate::check`].
    pub(crate) fn entries(&self, mapping: NodeId) -> Result<Vec<Entry<'_>>, Flaw> {
        let mut entries = Vec::new();
        // Each cursor is the next key of a mapping whose members are being read.
        let mut cursors = vec![self.first(mapping)];
        while let Some(cursor) = cursors.pop() {
            let Some(key) = cursor else { continue };
            let Some(value) = self.next(key) else {
                continue;
            };
            cursors.push(self.next(value));
            if self.is_merge(key) {
                // The last one pushed is read first, and what is read later wins: so the first
                // of a list of merges has to be pushed first.
                match self.kind(value) {
                    Kind::Sequence(first) => {
                        cursors.extend(self.siblings(first).map(|m| self.first(self.target(m))));
                    }
                    _ => cursors.push(self.first(self.target(value))),
                }
            } else {
                entries.push(Entry {
                    name: self.key_name(key)?,
                    key,
                    value,
                });
            }
        }
        // The sort is stable: among equal names the last one read stays behind the others.
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries.reverse();
        entries.dedup_by(|later, kept| later.name == kept.name);
        entries.reverse();
        Ok(entries)
    }

    /// The member of a mapping with a name, after merge keys.
    pub(crate) fn get(&self, mapping: NodeId, name: &str) -> Option<Entry<'_>> {
        let entries = self.entries(mapping).ok()?;
        entries.into_iter().find(|entry| entry.name == name)
    }

    /// A node and those that follow it.
    pub(crate) fn siblings(&self, first: Option<NodeId>) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(first, |id| self.next(*id))
    }

    /// The nodes that aliases stand for, in order.
    pub(crate) fn alias_targets(&self) -> Vec<NodeId> {
        let targets = self.nodes.iter().filter_map(|node| match node.kind {
            Kind::Alias(target) => Some(target),
            _ => None,
        });
        let mut targets: Vec<NodeId> = targets.collect();
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    /// Upstream: `isMerge` in go-yaml's `decode.go`.
    pub(crate) fn is_merge(&self, key: NodeId) -> bool {
        let Kind::Scalar(style, text) = self.kind(key) else {
            return false;
        };
        self.str(text) == "<<"
            && (style == Style::Plain
                || text.tag.checked_sub(1).is_some_and(|tag| {
                    matches!(self.tags[tag as usize].as_str(), "tag:yaml.org,2002:merge")
                }))
    }

    /// The name of a key: `convertToJSONableObject` of sigs.k8s.io/yaml.
    fn key_name(&self, key: NodeId) -> Result<Cow<'_, str>, Flaw> {
        let unsupported =
            |kind: &str| Flaw::new(self.at(key), format!("unsupported map key of type: {kind}"));
        let name = match self.scalar(self.target(key))? {
            Some(Scalar::String(name)) => name,
            Some(Scalar::Bool(value)) => Cow::Borrowed(if value { "true" } else { "false" }),
            Some(Scalar::Int(value)) => Cow::Owned(value.to_string()),
            Some(Scalar::Float(value)) => Cow::Owned(yaml_float_key(value)),
            Some(Scalar::Uint(_)) => {
                return Err(unsupported("uint64").hint("put the key in quotes"));
            }
            Some(Scalar::Null) => {
                // The words are those of Go's fmt for the type of nil.
                return Err(unsupported("%!s(<nil>)")
                    .hint("a key is empty or null: name it, or put it in quotes"));
            }
            None => return Err(unsupported("collection")),
        };
        Ok(name)
    }

    fn first(&self, mapping: NodeId) -> Option<NodeId> {
        match self.node(mapping).kind {
            Kind::Mapping(first) => first,
            _ => None,
        }
    }

    fn str(&self, text: Text) -> &str {
        &self.text[text.start as usize..text.end as usize]
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }
}

/// Collections deeper than this are refused: go-yaml's and encoding/json's bound.
pub(crate) const MAX_DEPTH: usize = 10_000;

/// Puts a [`Tree`] together in the order of the text.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    tree: Tree,
    /// The open collections, each with its last child so far.
    open: Vec<(NodeId, Option<NodeId>)>,
    /// The tags so far and their numbers plus one.
    tags: BTreeMap<String, u32>,
}

impl Builder {
    pub(crate) fn scalar(
        &mut self,
        at: usize,
        style: Style,
        tag: Option<String>,
        value: &str,
    ) -> Result<NodeId, Flaw> {
        let tag = match tag {
            None => 0,
            Some(tag) => self.tag(tag),
        };
        let start = self.tree.text.len();
        self.tree.text.push_str(value);
        let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(self.tree.text.len()))
        else {
            return Err(Flaw::new(at, "the document is larger than 4 GiB"));
        };
        self.push(at, Kind::Scalar(style, Text { start, end, tag }))
    }

    pub(crate) fn alias(&mut self, at: usize, target: NodeId) -> Result<NodeId, Flaw> {
        self.push(at, Kind::Alias(target))
    }

    pub(crate) fn open_sequence(&mut self, at: usize) -> Result<NodeId, Flaw> {
        self.open(at, Kind::Sequence(None))
    }

    pub(crate) fn open_mapping(&mut self, at: usize) -> Result<NodeId, Flaw> {
        self.open(at, Kind::Mapping(None))
    }

    pub(crate) fn close(&mut self) {
        self.open.pop();
    }

    pub(crate) fn finish(self) -> Tree {
        self.tree
    }

    fn open(&mut self, at: usize, kind: Kind) -> Result<NodeId, Flaw> {
        let id = self.push(at, kind)?;
        if self.open.len() == MAX_DEPTH {
            return Err(Flaw::new(at, format!("exceeded max depth of {MAX_DEPTH}")));
        }
        self.open.push((id, None));
        Ok(id)
    }

    fn push(&mut self, at: usize, kind: Kind) -> Result<NodeId, Flaw> {
        let (Ok(number), Ok(place)) = (u32::try_from(self.tree.nodes.len()), u32::try_from(at))
        else {
            return Err(Flaw::new(at, "the document is larger than 4 GiB"));
        };
        let id = NodeId(number);
        self.tree.nodes.push(Node {
            at: place,
            next: None,
            kind,
        });
        if let Some((parent, last)) = self.open.last_mut() {
            if let Some(last) = last.replace(id) {
                self.tree.nodes[last.0 as usize].next = Some(id);
            } else if let Kind::Sequence(first) | Kind::Mapping(first) =
                &mut self.tree.nodes[parent.0 as usize].kind
            {
                *first = Some(id);
            }
        }
        Ok(id)
    }

    /// The number of a tag plus one.
    fn tag(&mut self, tag: String) -> u32 {
        if let Some(number) = self.tags.get(&tag) {
            return *number;
        }
        self.tree.tags.push(tag.clone());
        // There are no more tags than nodes, and the nodes are counted with 32 bits.
        let number = u32::try_from(self.tree.tags.len()).unwrap_or(u32::MAX);
        self.tags.insert(tag, number);
        number
    }
}

//! Changes a manifest where it is written, and nowhere else: comments, order, indentation, quotes,
//! line breaks and every other byte stay.
//!
//! An [`Edit`] says what shall become of a document, [`Document::edit`] turns it into [`Change`]s of
//! the file's text, and [`apply`] makes them. Three things are known: a scalar takes the place of
//! another, a mapping gets members, a list gets items; the last two are made where there is none.
//! How new lines are indented, whether items stand deeper than their key, which quotes and how many
//! blanks are used, is learned from what stands around them.
//!
//! Every edit is proved before it is handed out: the changed text is read again, and must say what
//! was meant and nothing else. Whatever cannot be proved is refused, as is what a text shares with
//! other places by an anchor, an alias or a merge key.
//!
//! Upstream has no counterpart: `kubectl edit` and kustomize write the whole document anew.

mod flow;
mod meaning;
mod place;
mod spans;

use std::{fmt::Write, ops::Range};

use crate::{
    Document, Error, Segment, Source,
    document::Content,
    error::Flaw,
    json::Reader,
    tree::{Kind, NodeId, Tree},
};
use flow::Flow;
use spans::Spans;

/// What shall become of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// This scalar takes the place of a scalar, or of nothing.
    Set(Leaf),
    /// These items are added to the end of a list.
    Append(Vec<Leaf>),
    /// Members of a mapping are edited; those that are not there are added to its end.
    Members(Vec<(String, Edit)>),
    /// Items of a list are edited, by their indices.
    Items(Vec<(usize, Edit)>),
}

/// A scalar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaf {
    /// `true` or `false`
    Bool(bool),
    /// A text.
    Text(String),
}

/// A part of a file's text, and what takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The bytes of [`Source::text`].
    pub range: Range<usize>,
    /// The new text.
    pub text: String,
}

impl Edit {
    /// The edit of a document that does nothing yet.
    #[must_use]
    pub const fn none() -> Self {
        Self::Members(Vec::new())
    }

    /// Adds an edit of the value at `path` to an edit of a mapping. False where the two contradict
    /// each other: then nothing was added.
    pub fn add(&mut self, path: &[Segment], edit: Edit) -> bool {
        let Some((first, rest)) = path.split_first() else {
            return match (self, edit) {
                (Self::Append(items), Self::Append(more)) => {
                    items.extend(more);
                    true
                }
                (Self::Members(members), Self::Members(more)) if members.is_empty() => {
                    *members = more;
                    true
                }
                (one, other) => *one == other,
            };
        };
        let new = |rest: &[Segment]| match rest.first() {
            None => edit.clone(),
            Some(Segment::Key(_)) => Self::Members(Vec::new()),
            Some(Segment::Index(_)) => Self::Items(Vec::new()),
        };
        match (self, first) {
            (Self::Members(members), Segment::Key(key)) => {
                let found = members.iter_mut().find(|(name, _)| name == key);
                if let Some((_, below)) = found {
                    return below.add(rest, edit);
                }
                let mut below = new(rest);
                let added = rest.is_empty() || below.add(rest, edit);
                members.push((key.clone(), below));
                added
            }
            (Self::Items(items), Segment::Index(index)) => {
                if let Some((_, below)) = items.iter_mut().find(|(at, _)| at == index) {
                    return below.add(rest, edit);
                }
                let mut below = new(rest);
                let added = rest.is_empty() || below.add(rest, edit);
                items.push((*index, below));
                added
            }
            _ => false,
        }
    }
}

/// The text of a source with changes made, which must not overlap. Of several insertions at one
/// place the first in `changes` comes first.
#[must_use]
pub fn apply(text: &str, changes: &[Change]) -> String {
    let mut order: Vec<&Change> = changes.iter().collect();
    order.sort_by_key(|change| change.range.start);
    let mut out = String::with_capacity(text.len() + 256);
    let mut at = 0;
    for change in order {
        out.push_str(&text[at..change.range.start]);
        out.push_str(&change.text);
        at = change.range.end;
    }
    out.push_str(&text[at..]);
    out
}

impl Document {
    /// The changes of the text of `source`, which this document was read from, that make `edit`.
    ///
    /// An error says at its place in the file why the edit cannot be made there.
    pub fn edit(&self, source: &Source, edit: &Edit) -> Result<Vec<Change>, Error> {
        match self.content() {
            Content::Yaml { document, node, .. } => {
                let text = &document.text;
                let spans = Spans::of_yaml(text).map_err(|flaw| self.error(flaw))?;
                let mut editor = Editor::new(text, &document.tree, spans, false);
                let changes = editor.run(*node, edit).map_err(|flaw| self.error(flaw))?;
                let before = whole(&document.tree, NodeId::ROOT);
                let path = self.path_in_document();
                let meant = path.and_then(|path| Some(meaning::edited(before?, &path, edit)));
                let read = crate::yaml::parse(&apply(text, &changes)).ok().flatten();
                let says = read.and_then(|tree| whole(&tree, NodeId::ROOT));
                if says.is_none() || meant.flatten() != says {
                    return Err(self.error(unproved(document.tree.at(*node))));
                }
                let at = place::line_start(source.text(), document.first_line);
                Ok(changes
                    .into_iter()
                    .map(|change| place::in_file(source.text(), at, text, &change))
                    .collect())
            }
            Content::Json { text, range, .. } => {
                let refused = |flaw| self.error(flaw);
                if **text != *source.text() {
                    let why = "JSON Lines are records, not manifests: they are not changed";
                    return Err(refused(Flaw::new(range.start, why)));
                }
                let tree = Reader::new(text, range.start).tree().map_err(refused)?;
                let mut editor = Editor::new(text, &tree, Spans::of_json(), true);
                let changes = editor.run(NodeId::ROOT, edit).map_err(refused)?;
                let before = whole(&tree, NodeId::ROOT);
                let meant = before.and_then(|before| meaning::edited(before, &[], edit));
                let after = apply(text, &changes);
                let read = Reader::new(&after, range.start).tree().ok();
                let says = read.and_then(|tree| whole(&tree, NodeId::ROOT));
                if says.is_none() || meant != says {
                    return Err(refused(unproved(range.start)));
                }
                Ok(changes)
            }
        }
    }

    /// Where the object lies in its YAML document: nowhere deeper, or in its `items`.
    fn path_in_document(&self) -> Option<Vec<Segment>> {
        let Content::Yaml { document, node, .. } = self.content() else {
            return Some(Vec::new());
        };
        let tree = &document.tree;
        if *node == tree.target(NodeId::ROOT) {
            return Some(Vec::new());
        }
        let items = tree.get(tree.target(NodeId::ROOT), "items")?;
        let Kind::Sequence(first) = tree.kind(tree.target(items.value)) else {
            return None;
        };
        let index = tree.siblings(first).position(|item| item == *node)?;
        Some(vec!["items".into(), index.into()])
    }
}

/// What a node says.
fn whole(tree: &Tree, node: NodeId) -> Option<serde_json::Value> {
    let mut body = String::new();
    crate::encode::encode(tree, node, &mut body).ok()?;
    serde_json::from_str(&body).ok()
}

fn unproved(at: usize) -> Flaw {
    Flaw::new(
        at,
        "the text is written in a way that cannot be changed without changing something else",
    )
}

/// How the block style around a place is written.
#[derive(Debug, Clone, Copy)]
struct Block {
    /// How much deeper a mapping stands than its key.
    step: usize,
    /// How much deeper the dashes of a list stand than its key.
    dash: usize,
}

/// Makes the changes of one text.
struct Editor<'t> {
    text: &'t str,
    tree: &'t Tree,
    spans: Spans,
    /// Whether the text is JSON.
    json: bool,
    /// The nodes that aliases stand for, in order.
    shared: Vec<NodeId>,
    changes: Vec<Change>,
}

impl<'t> Editor<'t> {
    fn new(text: &'t str, tree: &'t Tree, spans: Spans, json: bool) -> Self {
        Self {
            text,
            tree,
            spans,
            json,
            shared: tree.alias_targets(),
            changes: Vec::new(),
        }
    }

    /// The changes that make `edit` of the object at `node`.
    fn run(&mut self, node: NodeId, edit: &Edit) -> Result<Vec<Change>, Flaw> {
        let style = Block { step: 2, dash: 0 };
        self.value(node, None, edit, style)?;
        Ok(std::mem::take(&mut self.changes))
    }

    /// Edits a value; `owner` are the mapping and the key that it belongs to.
    fn value(
        &mut self,
        node: NodeId,
        owner: Option<(NodeId, NodeId)>,
        edit: &Edit,
        style: Block,
    ) -> Result<(), Flaw> {
        let at = self.tree.at(node);
        if let Kind::Alias(_) = self.tree.kind(node) {
            let why = "an alias stands here: what it stands for is written, and used, elsewhere";
            return Err(Flaw::new(at, why));
        }
        if self.shared.binary_search(&node).is_ok() {
            let why = "an alias elsewhere stands for this, and would change with it";
            return Err(Flaw::new(at, why));
        }
        match (edit, self.tree.kind(node)) {
            (Edit::Set(leaf), Kind::Scalar(..)) => self.set(node, leaf),
            (Edit::Members(members), Kind::Mapping(Some(_))) => self.members(node, members, style),
            (Edit::Items(items), Kind::Sequence(first)) => {
                for (index, edit) in items {
                    let Some(item) = self.tree.siblings(first).nth(*index) else {
                        return Err(Flaw::new(at, format!("there is no item {index}")));
                    };
                    self.value(item, None, edit, style)?;
                }
                Ok(())
            }
            (Edit::Append(items), Kind::Sequence(Some(_))) => self.append(node, items),
            (Edit::Members(_) | Edit::Append(_), kind) if self.is_empty(node, kind) => {
                self.fill(node, owner, edit, style)
            }
            _ => Err(Flaw::new(
                at,
                "what stands here is of another type than the API's",
            )),
        }
    }

    /// Whether a mapping, a list or null stands there without anything in it.
    fn is_empty(&self, node: NodeId, kind: Kind) -> bool {
        match kind {
            Kind::Mapping(first) | Kind::Sequence(first) => first.is_none(),
            Kind::Scalar(..) => matches!(
                self.tree.scalar(node),
                Ok(Some(crate::resolve::Scalar::Null))
            ),
            Kind::Alias(_) => false,
        }
    }

    fn set(&mut self, node: NodeId, leaf: &Leaf) -> Result<(), Flaw> {
        let range = self.tree.at(node)..self.end(node);
        let old = &self.text[range.clone()];
        let text = match (old.as_bytes().first(), leaf) {
            (None, _) => format!(" {}", self.leaf(leaf, None)),
            (Some(b'|' | b'>'), _) => {
                let why = "a block of text stands where a word is expected";
                return Err(Flaw::new(range.start, why));
            }
            (Some(quote @ (b'"' | b'\'')), Leaf::Text(_)) => self.leaf(leaf, Some(*quote)),
            (Some(_), _) => self.leaf(leaf, None),
        };
        self.changes.push(Change { range, text });
        Ok(())
    }

    fn members(
        &mut self,
        mapping: NodeId,
        members: &[(String, Edit)],
        style: Block,
    ) -> Result<(), Flaw> {
        let style = self.learned(mapping, style);
        let mut missing = Vec::new();
        for (name, edit) in members {
            let Some(entry) = self.tree.get(mapping, name) else {
                missing.push((name.as_str(), edit));
                continue;
            };
            let (key, value) = (entry.key, entry.value);
            if !self.pairs(mapping).any(|pair| pair.0 == key) {
                let why = format!("`{name}` comes here by a merge key, from where others take it");
                return Err(Flaw::new(self.tree.at(mapping), why));
            }
            self.value(value, Some((mapping, key)), edit, style)?;
        }
        if missing.is_empty() {
            return Ok(());
        }
        if self.is_flow(mapping) {
            let flow = self.flow_of(mapping);
            let text = flow.more_members(&missing);
            let at = self.end_of_last(mapping);
            self.changes.push(Change {
                range: at..at,
                text,
            });
            return Ok(());
        }
        let column = self.column(self.tree.at(mapping));
        let at = self.line_after(self.last(mapping))?;
        let text = self.block_members(&missing, column, style);
        self.changes.push(Change {
            range: at..at,
            text,
        });
        Ok(())
    }

    fn append(&mut self, sequence: NodeId, items: &[Leaf]) -> Result<(), Flaw> {
        let last = self.last(sequence);
        let quote = match self.text.as_bytes().get(self.tree.at(last)) {
            Some(quote @ (b'"' | b'\'')) => Some(*quote),
            _ => None,
        };
        let (at, text) = if self.is_flow(sequence) {
            let flow = self.flow_of(sequence);
            (self.end(last), flow.more_items(items, quote))
        } else {
            let column = self.column(self.tree.at(sequence));
            let text = items
                .iter()
                .map(|item| format!("{:column$}- {}\n", "", self.leaf(item, quote)));
            (self.line_after(last)?, text.collect())
        };
        self.changes.push(Change {
            range: at..at,
            text,
        });
        Ok(())
    }

    /// Puts something where null, `{}` or `[]` stands.
    fn fill(
        &mut self,
        node: NodeId,
        owner: Option<(NodeId, NodeId)>,
        edit: &Edit,
        style: Block,
    ) -> Result<(), Flaw> {
        let range = self.tree.at(node)..self.end(node);
        let Some((mapping, key)) = owner else {
            return Err(Flaw::new(range.start, "an item without anything in it"));
        };
        let keeps_brackets = matches!(
            (edit, self.tree.kind(node)),
            (Edit::Append(_), Kind::Sequence(_))
        );
        if self.is_flow(mapping) || keeps_brackets {
            let blank = if range.is_empty() { " " } else { "" };
            let text = format!("{blank}{}", self.flow_of(mapping).value(edit));
            self.changes.push(Change { range, text });
            return Ok(());
        }
        // In block style the value moves to lines of its own.
        let line = self.line_end(range.end)?;
        let before = self.text[..range.start].trim_end_matches([' ', '\t']);
        // Where it has a line of its own, as helm's toYaml leaves it, that line goes.
        let before = before.strip_suffix('\n').unwrap_or(before);
        let before = before.strip_suffix('\r').unwrap_or(before).len();
        if !range.is_empty() {
            self.changes.push(Change {
                range: before..range.end,
                text: String::new(),
            });
        }
        let column = self.column(self.tree.at(key));
        let text = self.block_value(edit, column, style);
        self.changes.push(Change {
            range: line..line,
            text,
        });
        Ok(())
    }

    /// Lines for members of a mapping whose keys stand in `column`.
    fn block_members(&self, members: &[(&str, &Edit)], column: usize, style: Block) -> String {
        let mut text = String::new();
        for (name, edit) in members {
            let key = self.key(name);
            match edit {
                Edit::Set(leaf) => {
                    let _ = writeln!(text, "{:column$}{key}: {}", "", self.leaf(leaf, None));
                }
                edit => {
                    let _ = writeln!(text, "{:column$}{key}:", "");
                    text.push_str(&self.block_value(edit, column, style));
                }
            }
        }
        text
    }

    /// Lines for what stands below a key in `column`.
    fn block_value(&self, edit: &Edit, column: usize, style: Block) -> String {
        match edit {
            Edit::Set(leaf) => format!(" {}", self.leaf(leaf, None)),
            Edit::Members(members) => {
                let members: Vec<(&str, &Edit)> = members
                    .iter()
                    .map(|(key, edit)| (key.as_str(), edit))
                    .collect();
                self.block_members(&members, column + style.step, style)
            }
            Edit::Append(items) => {
                let column = column + style.dash;
                let line = |item| format!("{:column$}- {}\n", "", self.leaf(item, None));
                items.iter().map(line).collect()
            }
            // There are no items to edit; the proof refuses it.
            Edit::Items(_) => String::new(),
        }
    }

    /// The style of a mapping's own members, where they show one, and else that around it.
    fn learned(&self, mapping: NodeId, mut style: Block) -> Block {
        if self.json || self.is_flow(mapping) {
            return style;
        }
        for (key, value) in self.pairs(mapping) {
            let (key, at) = (self.tree.at(key), self.tree.at(value));
            let is_below = self.text.get(key..at).is_some_and(|t| t.contains('\n'));
            if !is_below || self.is_flow(value) {
                continue;
            }
            let (outer, inner) = (self.column(key), self.column(at));
            match self.tree.kind(value) {
                Kind::Mapping(Some(_)) if inner > outer => style.step = inner - outer,
                Kind::Sequence(Some(_)) if inner >= outer => style.dash = inner - outer,
                _ => {}
            }
        }
        style
    }

    fn flow_of(&self, collection: NodeId) -> Flow {
        let first = self.first(collection);
        let key = first.map(|key| self.tree.at(key)..self.end(key));
        let value = first.and_then(|key| match self.tree.kind(collection) {
            Kind::Mapping(_) => self.tree.next(key).map(|value| self.tree.at(value)),
            _ => None,
        });
        let at = self.tree.at(collection);
        Flow::learned(self.text, at..self.end(collection), key, value, self.json)
    }

    fn leaf(&self, leaf: &Leaf, quote: Option<u8>) -> String {
        flow::leaf(leaf, quote.or(self.json.then_some(b'"')))
    }

    fn key(&self, name: &str) -> String {
        flow::key(name, self.json)
    }

    /// Keys and values as they are written, merge keys included.
    fn pairs(&self, mapping: NodeId) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        let first = self.first(mapping);
        std::iter::successors(first.and_then(|key| self.pair(key)), |(_, value)| {
            self.tree.next(*value).and_then(|key| self.pair(key))
        })
    }

    fn pair(&self, key: NodeId) -> Option<(NodeId, NodeId)> {
        Some((key, self.tree.next(key)?))
    }

    fn first(&self, collection: NodeId) -> Option<NodeId> {
        match self.tree.kind(collection) {
            Kind::Mapping(first) | Kind::Sequence(first) => first,
            Kind::Scalar(..) | Kind::Alias(_) => None,
        }
    }

    /// The last value or item of a collection; the collection itself where it has none.
    fn last(&self, collection: NodeId) -> NodeId {
        let last = self.tree.siblings(self.first(collection)).last();
        last.unwrap_or(collection)
    }

    fn end_of_last(&self, collection: NodeId) -> usize {
        self.end(self.last(collection))
    }

    fn is_flow(&self, collection: NodeId) -> bool {
        let is_collection = matches!(
            self.tree.kind(collection),
            Kind::Mapping(_) | Kind::Sequence(_)
        );
        is_collection && (self.json || self.spans.flow_end(self.tree.at(collection)).is_some())
    }

    /// The byte behind a node.
    fn end(&self, node: NodeId) -> usize {
        let mut node = node;
        loop {
            let at = self.tree.at(node);
            if self.json {
                let mut reader = Reader::new(self.text, at);
                // The text was read before.
                let _ = reader.tree();
                return reader.at();
            }
            match self.tree.kind(node) {
                Kind::Scalar(..) | Kind::Alias(_) => {
                    return self.spans.scalar_end(at).unwrap_or(at);
                }
                Kind::Mapping(_) | Kind::Sequence(_) => {
                    if let Some(end) = self.spans.flow_end(at) {
                        return end;
                    }
                    let last = self.last(node);
                    if last == node {
                        return at;
                    }
                    node = last;
                }
            }
        }
    }

    /// The beginning of the line behind a value in block style, where new lines may go in.
    fn line_after(&self, value: NodeId) -> Result<usize, Flaw> {
        let mut innermost = value;
        while !self.is_flow(innermost) && self.last(innermost) != innermost {
            innermost = self.last(innermost);
        }
        let (at, end) = (self.tree.at(innermost), self.end(innermost));
        let header = self.text[at..end].lines().next().unwrap_or_default();
        if !header.starts_with(['|', '>']) {
            return self.line_end(end);
        }
        let header = header.split('#').next().unwrap_or_default();
        if header.contains('+') {
            // Every line break to its end is a part of the text.
            return Ok(end);
        }
        let shown = self.text[..end].trim_end_matches(['\n', ' ']).len();
        self.line_end(shown.max(at))
    }

    /// The beginning of the line behind `at`, where nothing but a comment may follow.
    fn line_end(&self, at: usize) -> Result<usize, Flaw> {
        let rest = &self.text[at..];
        let line = rest.lines().next().unwrap_or_default();
        let trimmed = line.trim_start_matches([' ', '\t']);
        let is_comment = trimmed.starts_with('#') && trimmed.len() < line.len();
        if trimmed.is_empty() || is_comment {
            return Ok((at + line.len() + 1).min(self.text.len()));
        }
        Err(Flaw::new(at, "something else stands on this line"))
    }

    /// How many characters stand before a byte on its line.
    fn column(&self, at: usize) -> usize {
        let line = self.text[..at].rfind('\n').map_or(0, |feed| feed + 1);
        self.text[line..at].chars().count()
    }
}

#[cfg(test)]
mod tests;

//! The items of a list.
//!
//! Upstream: `decodeToList` in k8s.io/apimachinery `pkg/apis/meta/v1/unstructured/helpers.go`, and
//! `FlattenListVisitor` in k8s.io/cli-runtime `pkg/resource/visitor.go`.

use std::sync::Arc;

use crate::{
    Document, Error,
    document::{Content, Yaml},
    error::Flaw,
    json::{Reader, Token},
    source::Cursor,
    tree::{Kind, NodeId},
};

/// The items of a list, in order, read one at a time.
///
/// An item without kind and version takes them from a typed list (`PodList` gives `Pod`). A list is
/// taken apart by one level only: an item that is a list itself is an error, as in kubectl.
#[derive(Debug)]
pub struct Items<'d> {
    list: &'d Document,
    state: State<'d>,
}

#[derive(Debug)]
enum State<'d> {
    Yaml {
        document: &'d Arc<Yaml>,
        next: Option<NodeId>,
    },
    Json {
        text: &'d Arc<str>,
        at: usize,
        cursor: Cursor,
    },
    /// The list cannot be read at all.
    Broken(Error),
    Done,
}

impl<'d> Items<'d> {
    pub(crate) fn new(list: &'d Document) -> Self {
        let state = if list.is_list() {
            State::begin(list)
        } else {
            State::Done
        };
        Self { list, state }
    }
}

impl<'d> State<'d> {
    fn begin(list: &'d Document) -> Self {
        match list.content() {
            Content::Yaml { document, node, .. } => {
                let tree = &document.tree;
                let Some(items) = tree
                    .get(*node, "items")
                    .map(|entry| tree.target(entry.value))
                else {
                    return Self::Done;
                };
                match tree.kind(items) {
                    Kind::Sequence(first) => Self::Yaml {
                        document,
                        next: first,
                    },
                    Kind::Mapping(_) => Self::broken(list, Some(Token::Object)),
                    Kind::Scalar(..) | Kind::Alias(_) => {
                        use crate::resolve::Scalar;
                        let token = match tree.scalar(items) {
                            Ok(Some(Scalar::Null)) => None,
                            Ok(Some(Scalar::Bool(_))) => Some(Token::Bool),
                            Ok(Some(Scalar::String(_))) => Some(Token::String),
                            _ => Some(Token::Number),
                        };
                        Self::broken(list, token)
                    }
                }
            }
            Content::Json { text, range } => {
                let mut items = range.start;
                let read = Reader::new(text, range.start).members(|name, value| {
                    if name == "items" {
                        items = value.start;
                    }
                });
                let token = read.and_then(|_| Reader::new(text, items).token());
                match token {
                    Ok(Token::Array) => Self::Json {
                        text,
                        at: items,
                        cursor: Cursor::new(range.start, list.start()),
                    },
                    Ok(Token::Null) | Err(_) => Self::Done,
                    Ok(other) => Self::broken(list, Some(other)),
                }
            }
        }
    }

    /// `items` holds something that is no list; null is an empty one.
    fn broken(list: &Document, token: Option<Token>) -> Self {
        let Some(token) = token else {
            return Self::Done;
        };
        let message = format!(
            "json: cannot unmarshal {} into Go struct field decodeList.items of type []json.RawMessage",
            token.name()
        );
        let hint = "an object with a field `items` is a list to kubectl".to_owned();
        Self::Broken(list.error_at(&["items".into()], true, message, Some(hint)))
    }
}

impl Iterator for Items<'_> {
    type Item = Result<Document, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let file = self.list.shared_file();
        let item = match &mut self.state {
            State::Done => return None,
            State::Broken(error) => {
                let error = error.clone();
                self.state = State::Done;
                return Some(Err(error));
            }
            State::Yaml { document, next } => {
                let node = (*next)?;
                *next = document.tree.next(node);
                let target = document.tree.target(node);
                if let Kind::Mapping(_) = document.tree.kind(target) {
                    self.list.item_of_node(document, node)
                } else {
                    let flaw = not_an_item(document.tree.at(target));
                    Err(Error::of_flaw(
                        file,
                        &document.text,
                        document.first_line,
                        flaw,
                    ))
                }
            }
            State::Json { text, at, cursor } => {
                let mut reader = Reader::new(text, *at);
                if !reader.next_item() {
                    return None;
                }
                let start = cursor.advance(text, reader.at());
                let range = reader.skip_value().ok()?;
                *at = reader.at();
                if text[range.clone()].starts_with('{') {
                    Document::of_json(file, text, range, start).map(|mut item| {
                        self.list.bequeath(&mut item);
                        item
                    })
                } else {
                    Err(Error::at_position(
                        file,
                        text,
                        start,
                        not_an_item(range.start),
                    ))
                }
            }
        };
        Some(item.and_then(|item| {
            if item.header().has_item_sequence {
                let message =
                    "*unstructured.Unstructured is not a list: no Items field in this object";
                let hint = "kubectl takes a list apart by one level: move the inner items up";
                return Err(item.error_at(
                    &["items".into()],
                    false,
                    message,
                    Some(hint.to_owned()),
                ));
            }
            Ok(item)
        }))
    }
}

/// An item that is no object.
fn not_an_item(at: usize) -> Flaw {
    Flaw::new(at, "json: cannot unmarshal an item that is no object into Go value of type map[string]interface {}")
        .hint("each item of a list is a mapping with apiVersion and kind")
}

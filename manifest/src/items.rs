//! The items of a list.
//!
//! Upstream: `decodeToList` in k8s.io/apimachinery `pkg/apis/meta/v1/unstructured/helpers.go`, and
//! `FlattenListVisitor` in k8s.io/cli-runtime `pkg/resource/visitor.go`.

use std::sync::Arc;

use crate::{
    Document, Error,
    document::{Content, Yaml},
    error::Flaw,
    header::ItemsField,
    json::{Reader, Token},
    metadata,
    source::Cursor,
    tree::{Kind, NodeId},
};

/// The items of a list, in order, read one at a time.
///
/// An item without kind and version takes them from a typed list (`PodList` gives `Pod`). A list is
/// taken apart by one level only: an item that is a list itself is an error, as in kubectl.
#[derive(Debug)]
pub struct Items {
    list: Document,
    state: State,
}

#[derive(Debug)]
enum State {
    Yaml {
        document: Arc<Yaml>,
        next: Option<NodeId>,
        cursor: Cursor,
    },
    Json {
        text: Arc<str>,
        at: usize,
        cursor: Cursor,
    },
    /// The list cannot be read at all.
    Broken(Error),
    Done,
}

impl Items {
    pub(crate) fn new(list: Document) -> Self {
        let state = if list.is_list() {
            State::begin(&list)
        } else {
            State::Done
        };
        Self { list, state }
    }
}

impl State {
    fn begin(list: &Document) -> Self {
        match list.content() {
            Content::Yaml { document, node, .. } => {
                let tree = &document.tree;
                let Some(items) = tree
                    .get(*node, "items")
                    .map(|entry| tree.target(entry.value))
                else {
                    return Self::Done;
                };
                match (tree.kind(items), metadata::token(tree, items)) {
                    (Kind::Sequence(first), _) => Self::Yaml {
                        document: Arc::clone(document),
                        next: first,
                        cursor: Cursor::new(tree.at(items), document.position(items)),
                    },
                    (_, Ok(Token::Null) | Err(_)) => Self::Done,
                    (_, Ok(token)) => Self::broken(list, token),
                }
            }
            Content::Json {
                text,
                range,
                items_at,
            } => match Reader::new(text, *items_at).token() {
                Ok(Token::Array) => Self::Json {
                    text: Arc::clone(text),
                    at: *items_at,
                    cursor: Cursor::new(range.start, list.start()),
                },
                Ok(Token::Null) | Err(_) => Self::Done,
                Ok(other) => Self::broken(list, other),
            },
        }
    }

    /// `items` holds something that is no list.
    fn broken(list: &Document, token: Token) -> Self {
        let message = format!(
            "json: cannot unmarshal {} into Go struct field decodeList.items of type []json.RawMessage",
            token.name()
        );
        let hint = "an object with a field `items` is a list to kubectl".to_owned();
        Self::Broken(list.error_at(&["items".into()], true, message, Some(hint)))
    }
}

impl Iterator for Items {
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
            State::Yaml {
                document,
                next,
                cursor,
            } => {
                let node = (*next)?;
                *next = document.tree.next(node);
                let start = if document.tree.target(node) == node {
                    cursor.advance(&document.text, document.tree.at(node))
                } else {
                    document.position(node)
                };
                match metadata::token(&document.tree, node) {
                    Ok(Token::Object) => self.list.item_of_node(document, node, start),
                    token => {
                        let flaw = not_an_item(0, token.unwrap_or(Token::Null));
                        let at = document.tree.at(document.tree.target(node));
                        Err(Error::at_position(
                            file,
                            &document.text,
                            start,
                            Flaw { at, ..flaw },
                        ))
                    }
                }
            }
            State::Json { text, at, cursor } => {
                let mut reader = Reader::new(text, *at);
                if !reader.next_item() {
                    return None;
                }
                let start = cursor.advance(text, reader.at());
                let begin = reader.at();
                let token = reader.token().ok()?;
                let item = Document::of_json(file, text, &mut reader, start);
                *at = reader.at();
                if let Ok(mut item) = item {
                    self.list.bequeath(&mut item);
                    Ok(item)
                } else {
                    let flaw = not_an_item(begin, token);
                    Err(Error::at_position(file, text, start, flaw))
                }
            }
        };
        Some(item.and_then(|item| {
            if item.header().items == ItemsField::Sequence {
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
fn not_an_item(at: usize, token: Token) -> Flaw {
    let message = format!(
        "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
        token.name()
    );
    Flaw::new(at, message).hint("each item of a list is a mapping with apiVersion and kind")
}

#[cfg(test)]
mod tests;

//! Edits of made documents in every style: what comes out says what was meant, and every line that
//! was not meant to change is there as it was.

use std::fmt::Write as _;

use podgate_manifest::edit::{Edit, Leaf, apply};
use podgate_manifest::{Segment, Source, read_documents};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};

/// A value of a document, and how it is written.
#[derive(Debug, Clone)]
enum Node {
    Null,
    /// A scalar as it is written.
    Scalar(&'static str),
    /// A block of text: its header and its lines.
    Block(&'static str, Vec<&'static str>),
    Map {
        members: Vec<Node>,
        flow: bool,
    },
    List {
        items: Vec<Node>,
        flow: bool,
    },
}

/// How a document is written.
#[derive(Debug, Clone)]
struct Style {
    step: usize,
    dash: usize,
    comments: bool,
    ending: &'static str,
    final_break: bool,
}

fn scalar() -> impl Strategy<Value = Node> {
    let scalars = vec![
        "1",
        "true",
        "plain words",
        "\"a: # b\"",
        "'it''s'",
        "'{[,]}'",
    ];
    prop::sample::select(scalars).prop_map(Node::Scalar)
}

fn node() -> impl Strategy<Value = Node> {
    let block = (
        prop::sample::select(vec!["|", "|-", "|+", ">"]),
        prop::sample::select(vec![
            vec!["one"],
            vec!["one", "", "two # no comment"],
            vec!["one", ""],
        ]),
    );
    let leaf = prop_oneof![
        1 => Just(Node::Null),
        5 => scalar(),
        1 => block.prop_map(|(header, lines)| Node::Block(header, lines)),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        let values = prop::collection::vec(inner, 0..4);
        (values, any::<bool>(), any::<bool>()).prop_map(|(values, is_map, flow)| {
            let flow = flow || values.is_empty();
            if is_map {
                Node::Map {
                    members: values,
                    flow,
                }
            } else {
                Node::List {
                    items: values,
                    flow,
                }
            }
        })
    })
}

fn style() -> impl Strategy<Value = Style> {
    (
        prop::sample::select(vec![1_usize, 2, 4]),
        any::<bool>(),
        any::<bool>(),
        prop::sample::select(vec!["\n", "\r\n"]),
        any::<bool>(),
    )
        .prop_map(|(step, deeper, comments, ending, final_break)| Style {
            step,
            dash: if deeper { step } else { 0 },
            comments,
            ending,
            final_break,
        })
}

/// Writes a document whose root is a mapping in block style.
fn written(root: &[Node], style: &Style) -> String {
    let mut writer = Writer {
        text: String::new(),
        style: style.clone(),
        comments: 0,
    };
    writer.members(root, 0, false);
    let text = writer.text.replace('\n', style.ending);
    if style.final_break {
        return text;
    }
    text.strip_suffix(style.ending).unwrap_or(&text).to_owned()
}

struct Writer {
    text: String,
    style: Style,
    comments: usize,
}

impl Writer {
    fn comment(&mut self) -> String {
        self.comments += 1;
        if self.style.comments && self.comments.is_multiple_of(2) {
            format!(" # c{}", self.comments)
        } else {
            String::new()
        }
    }

    fn members(&mut self, members: &[Node], indent: usize, first_is_placed: bool) {
        for (index, node) in members.iter().enumerate() {
            if index > 0 || !first_is_placed {
                let own_line = self.comment();
                if !own_line.is_empty() {
                    let _ = writeln!(self.text, "{:indent$}{}", "", own_line.trim_start());
                }
                let _ = write!(self.text, "{:indent$}", "");
            }
            let _ = write!(self.text, "k{index}:");
            self.value(
                node,
                indent,
                indent + self.style.step,
                indent + self.style.dash,
            );
        }
    }

    /// Writes a value behind `k:` or `-`; a collection below it stands in these columns.
    fn value(&mut self, node: &Node, indent: usize, map: usize, list: usize) {
        match node {
            Node::Map {
                members,
                flow: false,
            } => {
                let comment = self.comment();
                let _ = writeln!(self.text, "{comment}");
                self.members(members, map, false);
            }
            Node::List { items, flow: false } => {
                let comment = self.comment();
                let _ = writeln!(self.text, "{comment}");
                for item in items {
                    let _ = write!(self.text, "{:list$}-", "");
                    match item {
                        Node::Map {
                            members,
                            flow: false,
                        } => {
                            self.text.push(' ');
                            self.members(members, list + 2, true);
                        }
                        Node::List { items, .. } => {
                            let flow = Node::List {
                                items: items.clone(),
                                flow: true,
                            };
                            self.value(&flow, list, list + 2, list + 2);
                        }
                        item => self.value(item, list, list + 2, list + 2),
                    }
                }
            }
            Node::Block(header, lines) => {
                let _ = writeln!(self.text, " {header}");
                for line in lines {
                    let indent = if line.is_empty() {
                        0
                    } else {
                        indent + self.style.step
                    };
                    let _ = writeln!(self.text, "{:indent$}{line}", "");
                }
            }
            node => {
                let comment = self.comment();
                let text = flow(node);
                let blank = if text.is_empty() { "" } else { " " };
                let _ = writeln!(self.text, "{blank}{text}{comment}");
            }
        }
    }
}

fn flow(node: &Node) -> String {
    match node {
        Node::Null => String::new(),
        Node::Scalar(text) => (*text).to_owned(),
        Node::Block(..) => "text".to_owned(),
        Node::Map { members, .. } => {
            let inner = members.iter().enumerate();
            let inner: Vec<String> = inner
                .map(|(index, node)| format!("k{index}: {}", flow(node)).trim_end().to_owned())
                .collect();
            format!("{{{}}}", inner.join(", "))
        }
        Node::List { items, .. } => {
            let inner: Vec<String> = items
                .iter()
                .map(|node| {
                    if matches!(node, Node::Null) {
                        "null".to_owned()
                    } else {
                        flow(node)
                    }
                })
                .collect();
            format!("[{}]", inner.join(", "))
        }
    }
}

/// The places that can be edited, with an edit for each.
fn places(
    node: &Node,
    path: &mut Vec<Segment>,
    in_list: bool,
    found: &mut Vec<(Vec<Segment>, Edit)>,
) {
    let all = || Leaf::Text("ALL".to_owned());
    let new = vec![
        ("new".to_owned(), Edit::Set(Leaf::Bool(false))),
        (
            "deep".to_owned(),
            Edit::Members(vec![
                (
                    "type".to_owned(),
                    Edit::Set(Leaf::Text("RuntimeDefault".to_owned())),
                ),
                ("drop".to_owned(), Edit::Append(vec![all()])),
            ]),
        ),
    ];
    match node {
        Node::Null if !in_list => found.push((path.clone(), Edit::Members(new))),
        Node::Scalar(..) => found.push((path.clone(), Edit::Set(all()))),
        Node::Map { members, .. } => {
            if !members.is_empty() || !in_list {
                found.push((path.clone(), Edit::Members(new)));
            }
            for (index, member) in members.iter().enumerate() {
                path.push(Segment::Key(format!("k{index}")));
                places(member, path, false, found);
                path.pop();
            }
        }
        Node::List { items, .. } => {
            let all_scalars = items.iter().all(|item| matches!(item, Node::Scalar(..)));
            if all_scalars && (!items.is_empty() || !in_list) {
                found.push((path.clone(), Edit::Append(vec![all()])));
            }
            for (index, item) in items.iter().enumerate() {
                path.push(Segment::Index(index));
                places(item, path, true, found);
                path.pop();
            }
        }
        Node::Null | Node::Block(..) => {}
    }
}

/// What an edit means, said once more and otherwise than the crate does.
fn meant(value: &mut Value, path: &[Segment], edit: &Edit) {
    let Some((first, rest)) = path.split_first() else {
        let leaf = |leaf: &Leaf| match leaf {
            Leaf::Bool(value) => json!(value),
            Leaf::Text(text) => json!(text),
        };
        match edit {
            Edit::Set(it) => *value = leaf(it),
            Edit::Append(items) => {
                let list = value.as_array().cloned().unwrap_or_default();
                *value = list.into_iter().chain(items.iter().map(leaf)).collect();
            }
            Edit::Members(members) => {
                let mut object = value.as_object().cloned().unwrap_or_else(Map::new);
                for (key, edit) in members {
                    meant(object.entry(key).or_insert(Value::Null), &[], edit);
                }
                *value = Value::Object(object);
            }
            Edit::Items(_) => unreachable!("no edit of these tests"),
        }
        return;
    };
    match first {
        Segment::Key(key) => meant(&mut value[key], rest, edit),
        Segment::Index(index) => meant(&mut value[index], rest, edit),
    }
}

fn read(text: &str) -> (Source, Value) {
    let source = Source::new("f.yaml", text);
    let document = read_documents(&source).next().expect("a document");
    let body = document.unwrap_or_else(|error| panic!("{}\n{text}", error.render()));
    let value = serde_json::from_str(&body.body()).expect("JSON");
    (source, value)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn change_what_is_meant_and_nothing_else(
        root in prop::collection::vec(node(), 1..5),
        style in style(),
        picks in prop::collection::vec(any::<Index>(), 1..4),
    ) {
        let text = written(&root, &style);
        let (source, before) = read(&text);
        let mut found = Vec::new();
        places(&Node::Map { members: root, flow: false }, &mut Vec::new(), false, &mut found);

        let mut edit = Edit::none();
        let mut expected = before;
        let mut taken: Vec<Vec<Segment>> = Vec::new();
        for pick in picks {
            let (path, one) = pick.get(&found);
            if taken.contains(path) || !edit.add(path, one.clone()) {
                continue;
            }
            meant(&mut expected, path, one);
            taken.push(path.clone());
        }

        let document = read_documents(&source).next().expect("a document").expect("read before");
        let changes = document.edit(&source, &edit);
        let changes = changes.unwrap_or_else(|error| panic!("{}\n{text}", error.render()));
        let after = apply(source.text(), &changes);
        prop_assert_eq!(&read(&after).1, &expected, "\n{}\n=>\n{}", text, after);

        // All that is gone are old scalars and empty brackets.
        let mut at = 0;
        let mut order: Vec<_> = changes.iter().collect();
        order.sort_by_key(|change| change.range.start);
        for change in order {
            let gone = &text[change.range.clone()];
            prop_assert!(!gone.contains(['#', '\n', ':']) || gone.starts_with('"'), "{gone:?}");
            prop_assert!(change.range.start >= at);
            at = change.range.end;
        }
        let endings = |text: &str| (text.matches("\r\n").count(), text.matches('\n').count());
        let (windows, all) = endings(&after);
        // A single line without a break shows none to go by.
        if text.contains('\n') {
            prop_assert_eq!(windows, if style.ending == "\r\n" { all } else { 0 }, "{:?}", after);
        }
        prop_assert_eq!(text.ends_with('\n'), after.ends_with('\n'));
    }
}

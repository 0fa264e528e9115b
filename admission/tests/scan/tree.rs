//! JSON that may be wrong: keys that stand twice, texts written with escapes, values of any type.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

/// A value; texts and keys as they are written, with their quotes.
#[derive(Clone, Debug)]
enum Node {
    Object(Vec<(String, Node)>),
    List(Vec<Node>),
    Written(String),
}

/// One change of a document.
#[derive(Clone, Debug)]
pub(crate) struct Mutation {
    /// Which of its nodes.
    node: Index,
    /// Which of the node's members or items.
    member: Index,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    /// Another value.
    Replace(&'static str),
    /// One level more.
    Wrap { list: bool, levels: usize },
    /// A member or item is gone.
    Remove,
    /// It stands there twice, the second time with that value.
    Twice(Option<&'static str>),
    /// Its key is another.
    Rename(&'static str),
    /// Its key is written otherwise.
    Respell(Spelling),
    /// There is another key with that value, or another item.
    Insert(&'static str, &'static str),
    /// It changes places with the first.
    Swap,
}

#[derive(Clone, Copy, Debug)]
enum Spelling {
    Upper,
    Lower,
    Escaped,
    Longer,
}

/// Bytes that are changed after the document was written.
#[derive(Clone, Debug)]
pub(crate) enum Damage {
    Truncate(Index),
    Insert(Index, &'static [u8]),
    Replace(Index, u8),
    Remove(Index),
    Append(&'static [u8]),
}

const VALUES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "-0",
    "80",
    "1.0",
    "1e2",
    "1E400",
    "0.5",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    r#""""#,
    r#""x""#,
    r#""v1""#,
    r#""v2""#,
    r#""Pod""#,
    r#""Node""#,
    r#""windows""#,
    r#""true""#,
    r#""5""#,
    r#""\u0061""#,
    r#""\ud800""#,
    r#""\ud83d\ude00""#,
    r#""a\/b\n""#,
    "\"\u{e4}\u{1f600}\"",
    r#""100m""#,
    r#""2026-01-01T00:00:00Z""#,
    "{}",
    "[]",
    "[null]",
    "[{}]",
    "[[]]",
    r#"{"a":1}"#,
    r#"{"name":null}"#,
    r#"{"name":"n"}"#,
    r#"{"host":"h"}"#,
    r#"{"type":"Unconfined"}"#,
    r#"{"type":null}"#,
    r#"{"hostPath":null,"emptyDir":{}}"#,
    r#"{"add":null}"#,
    r#"["A"]"#,
    r#"["A",null]"#,
    r#"["A",1]"#,
    r#"[{"name":"a"},null]"#,
    r#"[{"hostPort":5},{"hostPort":null}]"#,
    // What is no value.
    "tru",
    "nul",
    "01",
    "+1",
    ".5",
    "1.",
    "1e",
    "NaN",
    "'x'",
    r#""\x""#,
    r#""\u12""#,
    "\"\u{1}\"",
    "\"\t\"",
    "",
    "/**/1",
];

const KEYS: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata",
    "spec",
    "status",
    "name",
    "namespace",
    "annotations",
    "labels",
    "ownerReferences",
    "controller",
    "pod-template-hash",
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "hostUsers",
    "runtimeClassName",
    "os",
    "securityContext",
    "initContainers",
    "containers",
    "ephemeralContainers",
    "volumes",
    "privileged",
    "allowPrivilegeEscalation",
    "capabilities",
    "procMount",
    "runAsNonRoot",
    "runAsUser",
    "seLinuxOptions",
    "seccompProfile",
    "appArmorProfile",
    "windowsOptions",
    "hostProcess",
    "sysctls",
    "add",
    "drop",
    "type",
    "user",
    "role",
    "ports",
    "hostPort",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
    "postStart",
    "preStop",
    "httpGet",
    "tcpSocket",
    "host",
    "hostPath",
    "emptyDir",
    "image",
    "projected",
    "nfs",
    "csi",
    "configMap",
    "restartPolicy",
    "items",
    "",
    "nonsense",
    "seccomp.security.alpha.kubernetes.io/pod",
    "seccomp.security.alpha.kubernetes.io/podx",
    "container.apparmor.security.beta.kubernetes.io/",
    "container.seccomp.security.alpha.kubernetes.io/c",
];

const BYTES: &[&[u8]] = &[
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\\",
    b" ",
    b"\n",
    b"\0",
    b"\x1f",
    b"\x7f",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"0",
    b"-",
    b"e",
    b".",
    b"null",
    b"//",
    b"\\u0000",
    b"x",
];

/// Any change.
pub(crate) fn mutation() -> impl Strategy<Value = Mutation> {
    let spelling = select(
        &[
            Spelling::Upper,
            Spelling::Lower,
            Spelling::Escaped,
            Spelling::Longer,
        ][..],
    );
    let change = prop_oneof![
        6 => select(VALUES).prop_map(Change::Replace),
        1 => (any::<bool>(), select(&[1_usize, 2, 63, 64, 65, 130][..])).prop_map(|(list, levels)| Change::Wrap { list, levels }),
        2 => Just(Change::Remove),
        3 => prop::option::of(select(VALUES)).prop_map(Change::Twice),
        2 => select(KEYS).prop_map(Change::Rename),
        2 => spelling.prop_map(Change::Respell),
        4 => (select(KEYS), select(VALUES)).prop_map(|(key, value)| Change::Insert(key, value)),
        1 => Just(Change::Swap),
    ];
    (any::<Index>(), any::<Index>(), change).prop_map(|(node, member, change)| Mutation {
        node,
        member,
        change,
    })
}

/// Any damage.
pub(crate) fn damage() -> impl Strategy<Value = Damage> {
    let bytes = || select(BYTES);
    prop_oneof![
        any::<Index>().prop_map(Damage::Truncate),
        (any::<Index>(), bytes()).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Replace(at, byte)),
        (any::<Index>(), bytes()).prop_map(|(at, bytes)| Damage::Replace(at, bytes[0])),
        any::<Index>().prop_map(Damage::Remove),
        bytes().prop_map(Damage::Append),
    ]
}

impl Damage {
    pub(crate) fn done_to(&self, json: &mut Vec<u8>) {
        match self {
            Self::Append(bytes) => json.extend_from_slice(bytes),
            Self::Insert(at, bytes) => {
                let at = at.index(json.len() + 1);
                json.splice(at..at, bytes.iter().copied());
            }
            _ if json.is_empty() => {}
            Self::Truncate(at) => json.truncate(at.index(json.len())),
            Self::Replace(at, byte) => {
                let at = at.index(json.len());
                json[at] = *byte;
            }
            Self::Remove(at) => {
                json.remove(at.index(json.len()));
            }
        }
    }
}

/// The document after these changes, as JSON with more or less white space.
pub(crate) fn written(base: &str, mutations: &[Mutation], spaces: u8) -> Vec<u8> {
    let value: Value = serde_json::from_str(base).expect("the document is JSON");
    let mut root = node(value);
    for mutation in mutations {
        let mut nodes = Vec::new();
        count(&root, &mut Vec::new(), &mut nodes);
        let path = mutation.node.get(&nodes);
        let mut at = &mut root;
        for step in path {
            at = match at {
                Node::Object(members) => &mut members[*step].1,
                Node::List(items) => &mut items[*step],
                Node::Written(_) => unreachable!("the path was found in this tree"),
            };
        }
        mutation.done_to(at);
    }
    let mut out = String::new();
    write(&root, spaces, &mut out);
    out.into_bytes()
}

fn node(value: Value) -> Node {
    match value {
        Value::Object(members) => Node::Object(
            members
                .into_iter()
                .map(|(key, value)| (quoted(&key), node(value)))
                .collect(),
        ),
        Value::Array(items) => Node::List(items.into_iter().map(node).collect()),
        other => Node::Written(other.to_string()),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The paths of all nodes.
fn count(node: &Node, path: &mut Vec<usize>, nodes: &mut Vec<Vec<usize>>) {
    nodes.push(path.clone());
    let below: Vec<&Node> = match node {
        Node::Object(members) => members.iter().map(|(_, node)| node).collect(),
        Node::List(items) => items.iter().collect(),
        Node::Written(_) => Vec::new(),
    };
    for (at, node) in below.into_iter().enumerate() {
        path.push(at);
        count(node, path, nodes);
        path.pop();
    }
}

impl Mutation {
    fn done_to(&self, node: &mut Node) {
        let written = |value: &str| Node::Written(value.to_owned());
        match (&self.change, node) {
            (Change::Replace(value), node) => *node = written(value),
            (Change::Wrap { list, levels }, node) => {
                for _ in 0..*levels {
                    let inner = std::mem::replace(node, Node::List(Vec::new()));
                    *node = if *list {
                        Node::List(vec![inner])
                    } else {
                        Node::Object(vec![(quoted("name"), inner)])
                    };
                }
            }
            (Change::Insert(key, value), Node::Object(members)) => {
                let at = self.member.index(members.len() + 1);
                members.insert(at, (quoted(key), written(value)));
            }
            (Change::Insert(_, value), Node::List(items)) => {
                let at = self.member.index(items.len() + 1);
                items.insert(at, written(value));
            }
            (change, Node::Object(members)) if !members.is_empty() => {
                let at = self.member.index(members.len());
                match change {
                    Change::Remove => {
                        members.remove(at);
                    }
                    Change::Twice(value) => {
                        let (key, old) = members[at].clone();
                        members.push((key, value.map_or(old, written)));
                    }
                    Change::Rename(key) => members[at].0 = quoted(key),
                    Change::Respell(spelling) => respell(&mut members[at].0, *spelling),
                    _ => members.swap(0, at),
                }
            }
            (change, Node::List(items)) if !items.is_empty() => {
                let at = self.member.index(items.len());
                match change {
                    Change::Remove => {
                        items.remove(at);
                    }
                    Change::Twice(value) => {
                        let old = items[at].clone();
                        items.push(value.map_or(old, written));
                    }
                    _ => items.swap(0, at),
                }
            }
            (Change::Respell(spelling), Node::Written(text)) => respell(text, *spelling),
            _ => {}
        }
    }
}

/// Writes a text in quotes otherwise; anything else stays.
fn respell(text: &mut String, spelling: Spelling) {
    let Some(inner) = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return;
    };
    let inner = match spelling {
        Spelling::Upper => inner.to_uppercase(),
        Spelling::Lower => inner.to_lowercase(),
        Spelling::Longer => format!("{inner} "),
        Spelling::Escaped => match inner.chars().next() {
            Some(first) if first.is_ascii_alphanumeric() => {
                format!("\\u{:04x}{}", u32::from(first), &inner[1..])
            }
            _ => inner.to_owned(),
        },
    };
    *text = format!("\"{inner}\"");
}

fn write(node: &Node, spaces: u8, out: &mut String) {
    let space = ["", " ", "\n", "\r\n\t "][usize::from(spaces)];
    let mut first = true;
    let mut comma = |out: &mut String| {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        out.push_str(space);
    };
    match node {
        Node::Written(text) => out.push_str(text),
        Node::Object(members) => {
            out.push('{');
            for (key, value) in members {
                comma(out);
                out.push_str(key);
                out.push_str(space);
                out.push(':');
                write(value, spaces, out);
            }
            out.push_str(space);
            out.push('}');
        }
        Node::List(items) => {
            out.push('[');
            for item in items {
                comma(out);
                write(item, spaces, out);
            }
            out.push_str(space);
            out.push(']');
        }
    }
}

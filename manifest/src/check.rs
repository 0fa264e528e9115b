//! What go-yaml refuses while it decodes a document that parsed: bad tags, bad merges, collections
//! as keys, aliases that reach themselves, and documents that are mostly aliases.
//!
//! Upstream: `decoder.unmarshal`, `alias`, `mapping`, `sequence` and `merge` in
//! go.yaml.in/yaml/v2 `decode.go`, decoding into an `interface{}`.

use std::collections::BTreeSet;

use crate::{
    error::Flaw,
    tree::{Kind, NodeId, Tree},
};

/// What is left to do, the next task last: documents may be nested deeper than a stack allows.
enum Task {
    Visit(NodeId),
    Items(Option<NodeId>),
    Members(Option<NodeId>),
    KeyIsScalar(NodeId),
    /// A mapping that a merge key names.
    Merge(NodeId),
    LeaveAlias(NodeId),
}

/// Walks the document as go-yaml decodes it, aliases expanded.
pub(crate) fn check(tree: &Tree, text: &str) -> Result<(), Flaw> {
    // Upstream counts the document as well.
    let mut budget = Budget {
        decoded: 1,
        by_alias: 0,
    };
    let mut active: BTreeSet<NodeId> = BTreeSet::new();
    let mut tasks = vec![Task::Visit(NodeId::ROOT)];
    while let Some(task) = tasks.pop() {
        match task {
            Task::Visit(id) => {
                budget.spend(!active.is_empty()).map_err(|flaw| Flaw {
                    at: tree.at(id),
                    ..flaw
                })?;
                match tree.kind(id) {
                    Kind::Scalar(..) => {
                        tree.scalar(id)?;
                    }
                    Kind::Sequence(first) => tasks.push(Task::Items(first)),
                    Kind::Mapping(first) => tasks.push(Task::Members(first)),
                    Kind::Alias(target) => {
                        if !active.insert(id) {
                            return Err(contains_itself(tree.at(id), text));
                        }
                        tasks.push(Task::LeaveAlias(id));
                        tasks.push(Task::Visit(target));
                    }
                }
            }
            Task::LeaveAlias(id) => {
                active.remove(&id);
            }
            Task::Items(item) => {
                if let Some(item) = item {
                    tasks.push(Task::Items(tree.next(item)));
                    tasks.push(Task::Visit(item));
                }
            }
            Task::Members(key) => {
                let Some((key, value)) = key.and_then(|key| Some((key, tree.next(key)?))) else {
                    continue;
                };
                tasks.push(Task::Members(tree.next(value)));
                if tree.is_merge(key) {
                    // Of several mappings the last one is read first.
                    match tree.kind(value) {
                        Kind::Sequence(first) => {
                            tasks.extend(tree.siblings(first).map(Task::Merge));
                        }
                        _ => tasks.push(Task::Merge(value)),
                    }
                } else {
                    tasks.push(Task::Visit(value));
                    tasks.push(Task::KeyIsScalar(key));
                    tasks.push(Task::Visit(key));
                }
            }
            Task::KeyIsScalar(key) => key_is_scalar(tree, key)?,
            Task::Merge(source) => {
                if !matches!(tree.kind(tree.target(source)), Kind::Mapping(_)) {
                    let message = "map merge requires map or sequence of maps as the value";
                    return Err(Flaw::new(tree.at(source), message));
                }
                tasks.push(Task::Visit(source));
            }
        }
    }
    Ok(())
}

/// The tree does not keep the names of aliases, so it is read where it stands.
fn contains_itself(at: usize, text: &str) -> Flaw {
    let name = text.get(at + 1..).unwrap_or_default();
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let name = &name[..name.find(|c| !is_word(c)).unwrap_or(name.len())];
    Flaw::new(at, format!("anchor '{name}' value contains itself"))
}

fn key_is_scalar(tree: &Tree, key: NodeId) -> Result<(), Flaw> {
    if matches!(tree.kind(tree.target(key)), Kind::Scalar(..)) {
        return Ok(());
    }
    let hint = "a key is a single value: put it in quotes if it is text";
    let message = format!("invalid map key: {}", go_syntax(tree, key, 8)?);
    Err(Flaw::new(tree.at(key), message).hint(hint))
}

/// A value as Go's `%#v` writes it, cut off below `depth` levels.
fn go_syntax(tree: &Tree, id: NodeId, depth: usize) -> Result<String, Flaw> {
    use crate::resolve::Scalar;

    if depth == 0 {
        return Ok("...".to_owned());
    }
    let id = tree.target(id);
    let list = |ids: &mut dyn Iterator<Item = NodeId>| -> Result<String, Flaw> {
        let items: Result<Vec<_>, _> = ids
            .take(8)
            .map(|id| go_syntax(tree, id, depth - 1))
            .collect();
        Ok(items?.join(", "))
    };
    Ok(match tree.kind(id) {
        Kind::Sequence(first) => {
            format!("[]interface {{}}{{{}}}", list(&mut tree.siblings(first))?)
        }
        Kind::Mapping(_) => {
            let mut members = Vec::new();
            // A key that has no name is left out.
            for entry in tree.entries(id).unwrap_or_default().into_iter().take(8) {
                let value = go_syntax(tree, entry.value, depth - 1)?;
                members.push(format!("{:?}:{value}", entry.name));
            }
            format!(
                "map[interface {{}}]interface {{}}{{{}}}",
                members.join(", ")
            )
        }
        _ => match tree.scalar(id)? {
            Some(Scalar::String(text)) => format!("{text:?}"),
            Some(Scalar::Bool(value)) => value.to_string(),
            Some(Scalar::Int(value)) => value.to_string(),
            Some(Scalar::Uint(value)) => format!("{value:#x}"),
            Some(Scalar::Float(value)) => crate::number::json_float(value),
            Some(Scalar::Null) | None => "interface {}(nil)".to_owned(),
        },
    })
}

/// How much of a document may come from aliases: `allowedAliasRatio`.
struct Budget {
    decoded: u32,
    by_alias: u32,
}

impl Budget {
    fn spend(&mut self, in_alias: bool) -> Result<(), Flaw> {
        self.decoded = self.decoded.saturating_add(1);
        self.by_alias = self.by_alias.saturating_add(u32::from(in_alias));
        let ratio = f64::from(self.by_alias) / f64::from(self.decoded);
        if self.by_alias > 100 && self.decoded > 1000 && ratio > allowed_ratio(self.decoded) {
            return Err(Flaw::new(0, "document contains excessive aliasing")
                .hint("write the repeated parts out, or split the document"));
        }
        Ok(())
    }
}

fn allowed_ratio(decoded: u32) -> f64 {
    const LOW: u32 = 400_000;
    const HIGH: u32 = 4_000_000;
    match decoded {
        ..=LOW => 0.99,
        HIGH.. => 0.10,
        _ => 0.99 - 0.89 * (f64::from(decoded - LOW) / f64::from(HIGH - LOW)),
    }
}

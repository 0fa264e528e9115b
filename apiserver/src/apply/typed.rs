//! Objects by their schema, as server-side apply sees them: which fields one has, how two differ, and
//! what becomes of one when another is applied to it or fields are taken out.
//!
//! Upstream: `sigs.k8s.io/structured-merge-diff/typed`, one file for each of the functions here.

use std::collections::{BTreeMap, BTreeSet};

use podgate_admission::value::{Object, Value};

use super::set::{Element, Set};
use super::shape::{Atom, Relation, Shape};

/// How two objects differ.
#[derive(Clone, Debug, Default)]
pub(super) struct Difference {
    pub(super) removed: Set,
    pub(super) modified: Set,
    pub(super) added: Set,
}

/// The fields that an object has (`ToFieldSet`).
pub(super) fn fields(value: &Value<'_>, shape: Shape) -> Set {
    let mut set = Set::default();
    collect(value, shape, &mut Vec::new(), &mut set);
    set
}

fn collect(value: &Value<'_>, shape: Shape, path: &mut Vec<Element>, set: &mut Set) {
    match (shape.atom(value), value) {
        (Atom::Scalar | Atom::List(Relation::Atomic, _) | Atom::Map { atomic: true }, _) => {
            set.insert(path);
        }
        (Atom::List(relation, below), Value::List(items)) => {
            let mut named: BTreeMap<Element, Vec<&Value<'_>>> = BTreeMap::new();
            for item in items {
                if let Ok(element) = below.element(relation, item) {
                    named.entry(element).or_default().push(item);
                }
            }
            for (element, items) in named {
                path.push(element);
                // Of what is there twice nothing is told apart but its name.
                if let [item] = &*items {
                    collect(item, below, path, set);
                }
                set.insert(path);
                path.pop();
            }
        }
        (Atom::Map { .. }, Value::Object(object)) => {
            for (name, value) in object.iter() {
                let (below, declared) = shape.below(name);
                path.push(Element::field(name));
                collect(value, below, path, set);
                let empty = value.as_object().is_some_and(Object::is_empty);
                if matches!(value, Value::Null) || empty || !declared {
                    set.insert(path);
                }
                path.pop();
            }
        }
        _ => {}
    }
}

/// How `new` differs from `old` (`Compare`).
pub(super) fn compare(old: &Value<'_>, new: &Value<'_>, shape: Shape) -> Difference {
    let mut difference = Difference::default();
    differ(
        Some(old),
        Some(new),
        shape,
        &mut Vec::new(),
        &mut difference,
    );
    difference
}

fn differ(
    old: Option<&Value<'_>>,
    new: Option<&Value<'_>>,
    shape: Shape,
    path: &mut Vec<Element>,
    found: &mut Difference,
) {
    let Some(either) = new.or(old) else {
        return;
    };
    match shape.atom(either) {
        Atom::List(relation, below)
            if !matches!(relation, Relation::Atomic) && (has_items(old) || has_items(new)) =>
        {
            differ_items(items(old), items(new), relation, below, path, found);
        }
        Atom::Map { atomic: false } if has_items(old) || has_items(new) => {
            let (old, new) = (Entries::of(old), Entries::of(new));
            for (name, value) in old.iter() {
                path.push(Element::field(name));
                differ(Some(value), new.get(name), shape.below(name).0, path, found);
                path.pop();
            }
            for (name, value) in new.iter().filter(|(name, _)| old.get(name).is_none()) {
                path.push(Element::field(name));
                differ(None, Some(value), shape.below(name).0, path, found);
                path.pop();
            }
        }
        _ => {
            if let (Some(old), Some(new)) = (old, new)
                && !same(old, new)
            {
                found.modified.insert(path);
            }
        }
    }
    match (old, new) {
        (None, Some(_)) => found.added.insert(path),
        (Some(_), None) => found.removed.insert(path),
        _ => {}
    }
}

fn differ_items(
    old: &[Value<'_>],
    new: &[Value<'_>],
    relation: Relation,
    below: Shape,
    path: &mut Vec<Element>,
    found: &mut Difference,
) {
    let mut named: BTreeMap<Element, [Vec<&Value<'_>>; 2]> = BTreeMap::new();
    for (side, items) in [old, new].into_iter().enumerate() {
        for item in items {
            if let Ok(element) = below.element(relation, item) {
                named.entry(element).or_default()[side].push(item);
            }
        }
    }
    for (element, [before, after]) in named {
        path.push(element);
        match (&*before, &*after) {
            (before @ ([] | [_]), after @ ([] | [_])) => {
                let (before, after) = (before.first().copied(), after.first().copied());
                differ(before, after, below, path, found);
            }
            ([_, _, ..], [_, _, ..]) => {
                let equal = before.len() == after.len()
                    && before.iter().zip(&after).all(|(old, new)| same(old, new));
                if !equal {
                    found.modified.insert(path);
                }
            }
            ([_, _, ..], after) => {
                if let Some(after) = after.first() {
                    differ(None, Some(after), below, path, found);
                }
                found.removed.insert(path);
            }
            (before, _) => {
                if let Some(before) = before.first() {
                    differ(Some(before), None, below, path, found);
                }
                found.added.insert(path);
            }
        }
        path.pop();
    }
}

/// What becomes of `live` when `applied` is applied to it (`Merge`). What neither has is nothing.
pub(super) fn merge(
    live: &Value<'static>,
    applied: &Value<'static>,
    shape: Shape,
) -> Value<'static> {
    merged(Some(live), Some(applied), shape).unwrap_or_default()
}

fn merged(
    live: Option<&Value<'static>>,
    applied: Option<&Value<'static>>,
    shape: Shape,
) -> Option<Value<'static>> {
    let either = applied.or(live)?;
    match shape.atom(either) {
        Atom::List(relation, below)
            if !matches!(relation, Relation::Atomic) && (has_items(live) || has_items(applied)) =>
        {
            let list = merged_items(items(live), items(applied), relation, below);
            (!list.is_empty()).then_some(Value::List(list))
        }
        Atom::Map { atomic: false } if has_items(live) || has_items(applied) => {
            let (live, applied) = (Entries::of(live), Entries::of(applied));
            let mut object = Object::new();
            for (name, value) in live.iter() {
                if let Some(value) = merged(Some(value), applied.get(name), shape.below(name).0) {
                    object.push(name.to_owned().into(), value);
                }
            }
            for (name, value) in applied.iter().filter(|(name, _)| live.get(name).is_none()) {
                if let Some(value) = merged(None, Some(value), shape.below(name).0) {
                    object.push(name.to_owned().into(), value);
                }
            }
            (!object.is_empty()).then_some(Value::Object(object))
        }
        _ => Some(either.clone()),
    }
}

/// The items of both lists: in the order of the applied one, and those that only the live one has
/// where they stood (`visitListItems`).
fn merged_items(
    live: &[Value<'static>],
    applied: &[Value<'static>],
    relation: Relation,
    below: Shape,
) -> Vec<Value<'static>> {
    let named = |items: &'_ [Value<'static>]| -> Vec<Element> {
        let element = |item| below.element(relation, item).ok();
        items.iter().filter_map(element).collect()
    };
    let (old, new) = (named(live), named(applied));
    // Of an item that the live list has twice nothing is kept but its name.
    let mut old_items: BTreeMap<&Element, &Value<'static>> = BTreeMap::new();
    for (element, item) in old.iter().zip(live) {
        old_items
            .entry(element)
            .and_modify(|item| *item = &Value::Null)
            .or_insert(item);
    }
    let new_items: BTreeMap<&Element, &Value<'static>> = new.iter().zip(applied).collect();
    let both = |element: &Element| {
        let (old, new) = (old_items.get(element), new_items.get(element));
        merged(old.copied(), new.copied(), below)
    };
    let mut shared = new.iter().filter(|element| old_items.contains_key(element));
    let mut next = shared.next();
    let mut done: BTreeSet<&Element> = BTreeSet::new();
    let mut out = Vec::with_capacity(old.len().max(new.len()));
    let (mut l, mut r) = (0, 0);
    while l < old.len() || r < new.len() {
        if let (Some(element), Some(other)) = (old.get(l), new.get(r)) {
            if element == other {
                done.insert(element);
                out.extend(both(element));
                (l, r) = (l + 1, r + 1);
                next = shared.next();
                continue;
            }
            if new_items.contains_key(element) && next.is_some_and(|next| next != element) {
                // It comes later, in the place that the applied list gives it.
                l += 1;
                continue;
            }
        }
        if let Some(element) = old.get(l) {
            if !new_items.contains_key(element) {
                out.extend(merged(Some(&live[l]), None, below));
                l += 1;
                continue;
            }
            if done.contains(element) {
                l += 1;
            }
        }
        if let Some(element) = new.get(r) {
            done.insert(element);
            out.extend(both(element));
            r += 1;
            if next == Some(element) {
                next = shared.next();
            }
        }
    }
    out
}

/// The value without the fields of a set (`RemoveItems`).
pub(super) fn remove(value: &Value<'static>, unwanted: &Set, shape: Shape) -> Value<'static> {
    match (shape.atom(value), value) {
        (Atom::Scalar, value) => value.clone(),
        (Atom::List(relation, below), Value::List(items))
            if !matches!(relation, Relation::Atomic) =>
        {
            let kept: Vec<_> = items
                .iter()
                .filter_map(|item| {
                    let Ok(element) = below.element(relation, item) else {
                        return Some(item.clone());
                    };
                    if unwanted.has_member(&element) {
                        return None;
                    }
                    Some(match unwanted.below(&element) {
                        Some(unwanted) => remove(item, unwanted, below),
                        None => item.clone(),
                    })
                })
                .collect();
            if kept.is_empty() {
                Value::Null
            } else {
                Value::List(kept)
            }
        }
        (Atom::Map { atomic: false }, Value::Object(object)) => {
            let mut kept = Object::new();
            for (name, value) in object.iter() {
                let element = Element::field(name);
                if unwanted.has_member(&element) {
                    continue;
                }
                let value = match unwanted.below(&element) {
                    Some(unwanted) => remove(value, unwanted, shape.below(name).0),
                    None => value.clone(),
                };
                kept.push(name.to_owned().into(), value);
            }
            if kept.is_empty() {
                Value::Null
            } else {
                Value::Object(kept)
            }
        }
        _ => Value::Null,
    }
}

/// Whether two values are equal: the order of an object's keys does not matter, and numbers are
/// compared as numbers (`value.Equals`).
#[expect(
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "upstream compares a mixed pair as floats"
)]
pub(super) fn same(a: &Value<'_>, b: &Value<'_>) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(_), Value::Object(_)) => {
            let (a, b) = (Entries::of(Some(a)), Entries::of(Some(b)));
            a.iter().count() == b.iter().count()
                && a.iter()
                    .all(|(name, value)| b.get(name).is_some_and(|b| same(value, b)))
        }
        (Value::Int(a), Value::Float(b)) | (Value::Float(b), Value::Int(a)) => *a as f64 == *b,
        (a, b) => a == b,
    }
}

/// Whether it is a list or an object that is not empty.
fn has_items(value: Option<&Value<'_>>) -> bool {
    match value {
        Some(Value::List(items)) => !items.is_empty(),
        Some(Value::Object(object)) => !object.is_empty(),
        _ => false,
    }
}

fn items<'v, 'a>(value: Option<&'v Value<'a>>) -> &'v [Value<'a>] {
    value.and_then(Value::as_list).unwrap_or_default()
}

/// The entries of an object, found quickly where there are many.
struct Entries<'v, 'a> {
    object: Option<&'v Object<'a>>,
    many: BTreeMap<&'v str, &'v Value<'a>>,
}

impl<'v, 'a> Entries<'v, 'a> {
    /// From here on a map beats looking through.
    const MANY: usize = 32;

    fn of(value: Option<&'v Value<'a>>) -> Self {
        let object = value.and_then(Value::as_object);
        let many = object.filter(|object| object.len() >= Self::MANY);
        Self {
            object,
            many: many.into_iter().flat_map(Object::iter).collect(),
        }
    }

    fn iter(&self) -> impl Iterator<Item = (&'v str, &'v Value<'a>)> + use<'v, 'a> {
        self.object.into_iter().flat_map(Object::iter)
    }

    fn get(&self, name: &str) -> Option<&'v Value<'a>> {
        if self.many.is_empty() {
            self.object?.get(name)
        } else {
            self.many.get(name).copied()
        }
    }
}

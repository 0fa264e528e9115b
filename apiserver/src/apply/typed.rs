//! Objects by their schema, as server-side apply sees them: which fields one has, how two differ, and
//! what becomes of one when another is applied to it or fields are taken out.
//!
//! Upstream: `sigs.k8s.io/structured-merge-diff/typed`, one file for each of the functions here.

use std::collections::{BTreeMap, BTreeSet};

use podgate_admission::quote::quote;
use podgate_admission::schema::{self, Apply, Struct, Type};
use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;

use super::set::{Element, Scalar, Set};

/// The type of a value, and how it is merged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    ty: Type,
    apply: Apply,
    minor: Minor,
}

/// What of a [`Shape`] decides how a value is walked.
#[derive(Clone, Copy, Debug)]
enum Atom {
    Scalar,
    List(Relation, Shape),
    Map { atomic: bool },
}

/// How the items of a list belong together.
#[derive(Clone, Copy, Debug)]
enum Relation {
    Atomic,
    Set,
    Keys(&'static [&'static str]),
}

/// How two objects differ.
#[derive(Clone, Debug, Default)]
pub(super) struct Difference {
    pub(super) removed: Set,
    pub(super) modified: Set,
    pub(super) added: Set,
}

impl Shape {
    pub(super) const fn root(schema: &'static Struct, minor: Minor) -> Self {
        Self {
            ty: Type::Struct(schema),
            apply: Apply::Granular,
            minor,
        }
    }

    /// `deduceAtom`: what has no schema is known by its value.
    fn atom(self, value: &Value<'_>) -> Atom {
        let atomic = matches!(self.apply, Apply::Atomic);
        let of = |ty| Self {
            ty,
            apply: Apply::Granular,
            minor: self.minor,
        };
        match self.ty {
            Type::Struct(schema) => Atom::Map {
                atomic: atomic
                    || schema
                        .atomic_since
                        .is_some_and(|first| first <= self.minor.number()),
            },
            Type::Map(..) => Atom::Map { atomic },
            Type::List(item, _) => {
                let relation = match self.apply {
                    Apply::Set => Relation::Set,
                    Apply::Map(keys) => Relation::Keys(keys),
                    Apply::Atomic | Apply::Granular => Relation::Atomic,
                };
                Atom::List(relation, of(*item))
            }
            Type::Raw(_) => match value {
                Value::Object(_) => Atom::Map { atomic },
                Value::List(_) => Atom::List(Relation::Atomic, self),
                _ => Atom::Scalar,
            },
            _ => Atom::Scalar,
        }
    }

    /// What is at `name`, and whether the schema names that field.
    fn field(self, name: &str) -> Option<(Self, bool)> {
        let (ty, apply, declared) = match self.ty {
            Type::Struct(schema) => {
                let field = schema.field(name, self.minor)?;
                (field.ty, field.apply, true)
            }
            Type::Map(item, _) => (*item, Apply::Granular, false),
            Type::Raw(_) => (self.ty, Apply::Granular, false),
            _ => return None,
        };
        let minor = self.minor;
        Some((Self { ty, apply, minor }, declared))
    }

    /// What is below `name`; values that no schema knows are walked by what they are.
    fn below(self, name: &str) -> (Self, bool) {
        let unknown = Self {
            ty: Type::Raw(""),
            apply: Apply::Granular,
            minor: self.minor,
        };
        self.field(name).unwrap_or((unknown, true))
    }

    /// What names an item in a list of this shape's items (`listItemToPathElement`).
    fn element(self, relation: Relation, item: &Value<'_>) -> Result<Element, String> {
        match relation {
            Relation::Atomic => Err("invalid indexing of non-associative list".to_owned()),
            Relation::Set => match item {
                Value::Object(_) => {
                    Err("associative list without keys has an element that's a map type".to_owned())
                }
                Value::List(_) => {
                    Err("not supported: associative list with lists as elements".to_owned())
                }
                Value::Null => Err(
                    "associative list without keys has an element that's an explicit null"
                        .to_owned(),
                ),
                scalar => Ok(Element::Value(Scalar::of(scalar).unwrap_or(Scalar::Null))),
            },
            Relation::Keys(names) => self.keyed(names, item).map(Element::Key),
        }
    }

    fn keyed(
        self,
        names: &[&'static str],
        item: &Value<'_>,
    ) -> Result<Vec<(String, Scalar)>, String> {
        let fields = match item {
            Value::Object(fields) => fields,
            Value::Null => {
                return Err("associative list with keys may not have a null element".to_owned());
            }
            _ => {
                return Err("associative list with keys may not have non-map elements".to_owned());
            }
        };
        let mut key = Vec::with_capacity(names.len());
        for &name in names {
            let value = match fields.get(name) {
                Some(value) => Scalar::of(value),
                None => self.default(name),
            };
            key.extend(value.map(|value| (name.to_owned(), value)));
        }
        if key.is_empty() {
            let names: Vec<_> = names.iter().map(|name| quote(name)).collect();
            return Err(format!(
                "associative list with keys has an element that omits all key fields [{}] (and \
                 doesn't have default values for any key fields)",
                names.join(" ")
            ));
        }
        key.sort();
        Ok(key)
    }

    /// The default of a field that is part of a key.
    fn default(self, name: &str) -> Option<Scalar> {
        let Type::Struct(schema) = self.ty else {
            return None;
        };
        Some(match schema.field(name, self.minor)?.default? {
            schema::Scalar::Text(text) => Scalar::Text(text.to_owned()),
            schema::Scalar::Int(number) => Scalar::Int(number),
            schema::Scalar::Bool(truth) => Scalar::Bool(truth),
            schema::Scalar::Empty => return None,
        })
    }
}

/// Whether an element is a field that the schema names, and what is below it.
pub(super) fn declared(shape: Shape, element: &Element) -> (bool, Shape) {
    match element {
        Element::Field(name) => {
            let (below, declared) = shape.below(name);
            (declared && shape.field(name).is_some(), below)
        }
        Element::Key(_) => match shape.ty {
            Type::List(item, _) => {
                let (ty, apply, minor) = (*item, Apply::Granular, shape.minor);
                (false, Shape { ty, apply, minor })
            }
            _ => (false, shape),
        },
        Element::Value(_) | Element::Index(_) => (false, shape),
    }
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

/// What of an object does not fit its schema, as upstream words it; a list that may not have an item
/// twice has none twice unless `duplicates` are allowed (`AsTyped`).
pub(super) fn check(value: &Value<'_>, shape: Shape, duplicates: bool) -> Result<(), String> {
    let mut errors = Vec::new();
    validate(value, shape, duplicates, &mut String::new(), &mut errors);
    match &*errors {
        [] => Ok(()),
        [error] => Err(error.clone()),
        errors => Err(format!("errors:\n  {}", errors.join("\n  "))),
    }
}

fn validate(
    value: &Value<'_>,
    shape: Shape,
    duplicates: bool,
    path: &mut String,
    errors: &mut Vec<String>,
) {
    let wrong = |expected: &str, path: &str| {
        let found = if expected == "numeric (int or float)" {
            go_type(value).to_owned()
        } else if expected == "string" {
            go_syntax(value)
        } else {
            format!("&{{{}}}", crate::patch::print(value))
        };
        located(path, &format!("expected {expected}, got {found}"))
    };
    match (shape.atom(value), value) {
        (_, Value::Null) => {}
        (Atom::Scalar, value) => errors.extend(expected(shape.ty, value).map(|e| wrong(e, path))),
        (Atom::List(relation, below), Value::List(items)) => {
            let mut seen = BTreeSet::new();
            for (at, item) in items.iter().enumerate() {
                let element = match relation {
                    Relation::Atomic => Element::Index(i64::try_from(at).unwrap_or(i64::MAX)),
                    _ => match below.element(relation, item) {
                        Ok(element) => element,
                        Err(error) => {
                            errors.push(located(path, &format!("element {at}: {error}")));
                            return;
                        }
                    },
                };
                if !duplicates && seen.contains(&element) {
                    errors.push(located(
                        path,
                        &format!("duplicate entries for key {element}"),
                    ));
                }
                deeper(path, &element, |path| {
                    validate(item, below, duplicates, path, errors);
                });
                seen.insert(element);
            }
        }
        (Atom::List(..), _) => errors.push(wrong("list", path)),
        (Atom::Map { .. }, Value::Object(object)) => {
            for (name, value) in object.iter() {
                let element = Element::field(name);
                let Some((below, _)) = shape.field(name) else {
                    errors.push(format!("{path}{element}: field not declared in schema"));
                    return;
                };
                deeper(path, &element, |path| {
                    validate(value, below, duplicates, path, errors);
                });
            }
        }
        (Atom::Map { .. }, _) => errors.push(wrong("map", path)),
    }
}

fn deeper(path: &mut String, element: &Element, walk: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push_str(&element.to_string());
    walk(path);
    path.truncate(length);
}

fn located(path: &str, error: &str) -> String {
    if path.is_empty() {
        error.to_owned()
    } else {
        format!("{path}: {error}")
    }
}

/// What a scalar has to be, where it is not that (`validateScalar`).
fn expected(ty: Type, value: &Value<'_>) -> Option<&'static str> {
    let scalar = !matches!(value, Value::List(_) | Value::Object(_));
    let (fits, expected) = match ty {
        Type::Bool => (matches!(value, Value::Bool(_)), "boolean"),
        Type::Int32 | Type::Int64 | Type::Float64 => (
            matches!(value, Value::Int(_) | Value::Float(_)),
            "numeric (int or float)",
        ),
        Type::String(_) | Type::Bytes => (matches!(value, Value::String(_)), "string"),
        _ => (scalar, "any scalar"),
    };
    (!fits).then_some(expected)
}

/// `%T` of a decoded value.
fn go_type(value: &Value<'_>) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::Float(_) => "float64",
        Value::String(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// `%#v` of a decoded value.
fn go_syntax(value: &Value<'_>) -> String {
    fn inner(value: &Value<'_>) -> String {
        match value {
            Value::String(text) => quote(text),
            Value::List(items) => {
                let items: Vec<_> = items.iter().map(inner).collect();
                format!("[]interface {{}}{{{}}}", items.join(", "))
            }
            Value::Object(object) => {
                let mut entries: Vec<_> = object
                    .iter()
                    .map(|(name, value)| format!("{}:{}", quote(name), inner(value)))
                    .collect();
                entries.sort();
                format!("map[string]interface {{}}{{{}}}", entries.join(", "))
            }
            Value::Null => "interface {}(nil)".to_owned(),
            scalar => crate::patch::print(scalar),
        }
    }
    format!("&value.valueUnstructured{{Value:{}}}", inner(value))
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

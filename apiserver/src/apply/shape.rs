//! How server-side apply walks a value: what its schema says of its type, and how the items of a list belong
//! together.
//!
//! Upstream: `sigs.k8s.io/structured-merge-diff/typed/helpers.go`, over the schema that
//! `k8s.io/kube-openapi` makes.

use podgate_admission::quote::quote;
use podgate_admission::schema::{self, Apply, Struct, Type};
use podgate_admission::value::Value;
use podgate_policy::Minor;

use super::set::{Element, Scalar};

/// The type of a value, and how it is merged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) ty: Type,
    apply: Apply,
    minor: Minor,
}

/// What of a [`Shape`] decides how a value is walked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Atom {
    Scalar,
    List(Relation, Shape),
    Map { atomic: bool },
}

/// How the items of a list belong together.
#[derive(Clone, Copy, Debug)]
pub(super) enum Relation {
    Atomic,
    Set,
    Keys(&'static [&'static str]),
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
    pub(super) fn atom(self, value: &Value<'_>) -> Atom {
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
    pub(super) fn field(self, name: &str) -> Option<(Self, bool)> {
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
    pub(super) fn below(self, name: &str) -> (Self, bool) {
        let unknown = Self {
            ty: Type::Raw(""),
            apply: Apply::Granular,
            minor: self.minor,
        };
        self.field(name).unwrap_or((unknown, true))
    }

    /// What names an item in a list of this shape's items (`listItemToPathElement`).
    pub(super) fn element(self, relation: Relation, item: &Value<'_>) -> Result<Element, String> {
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

//! Sets of fields: which parts of an object somebody owns, and how they are written (`fieldsV1`).
//!
//! Upstream: `sigs.k8s.io/structured-merge-diff/fieldpath` (`element.go`, `set.go`, `serialize.go`,
//! `serialize-pe.go`).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};

use podgate_admission::decode::decode_untyped;
use podgate_admission::encode::encode_untyped;
use podgate_admission::quote::quote;
use podgate_admission::value::{Object, Value};

/// One step of a path. The order is that in which sets are written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Element {
    /// A field of a struct, or a key of a map.
    Field(String),
    /// The item of a list that these fields tell apart, sorted by name.
    Key(Vec<(String, Scalar)>),
    /// The item of a list of distinct scalars.
    Value(Scalar),
    /// The item of a list that nothing tells apart.
    Index(i64),
}

/// A value that tells an item apart.
#[derive(Clone, Debug)]
pub(crate) enum Scalar {
    Float(f64),
    Int(i64),
    Text(String),
    Bool(bool),
    Null,
}

/// Fields, each named by its path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set {
    /// What of this level is in the set.
    members: BTreeSet<Element>,
    /// What is in the set below; a field and what is below it are in it independently.
    children: BTreeMap<Element, Set>,
}

impl Element {
    pub(crate) fn field(name: &str) -> Self {
        Self::Field(name.to_owned())
    }

    /// The key that stands for it in `fieldsV1`.
    fn key(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(fields) => {
                let fields: Object<'_> = fields.iter().map(|(n, v)| (&**n, v.value())).collect();
                format!("k:{}", encode_untyped(&Value::from(fields)))
            }
            Self::Value(value) => format!("v:{}", encode_untyped(&value.value())),
            Self::Index(index) => format!("i:{index}"),
        }
    }

    /// The other way round. `Ok(None)`: of a kind that nobody knows, which is left out.
    fn parse(key: &str) -> Result<Option<Self>, ()> {
        let Some((kind, rest)) = key.split_once(':').filter(|(kind, _)| kind.len() == 1) else {
            return Err(());
        };
        Ok(Some(match kind {
            "f" => Self::field(rest),
            "v" => {
                let value = decode_untyped(rest.as_bytes()).map_err(|_| ())?;
                Self::Value(Scalar::of(&value).ok_or(())?)
            }
            "k" => {
                let value = decode_untyped(rest.as_bytes()).map_err(|_| ())?;
                let fields = value.as_object().ok_or(())?.iter();
                let mut fields = fields
                    .map(|(name, value)| Some((name.to_owned(), Scalar::of(value)?)))
                    .collect::<Option<Vec<_>>>()
                    .ok_or(())?;
                fields.sort();
                Self::Key(fields)
            }
            "i" => Self::Index(rest.parse().map_err(|_| ())?),
            _ => return Ok(None),
        }))
    }
}

/// As conflicts name it: `.spec`, `[name="c"]`, `[="x"]`, `[3]`.
impl Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(fields) => {
                let fields: Vec<_> = fields.iter().map(|(n, v)| format!("{n}={v}")).collect();
                write!(f, "[{}]", fields.join(","))
            }
            Self::Value(value) => write!(f, "[={value}]"),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// A path as conflicts name it.
pub(crate) fn print(path: &[Element]) -> String {
    path.iter().map(Element::to_string).collect()
}

impl Scalar {
    /// The scalar that a value is; nothing for lists and objects.
    pub(crate) fn of(value: &Value<'_>) -> Option<Self> {
        Some(match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Int(number) => Self::Int(*number),
            Value::Float(number) => Self::Float(*number),
            Value::String(text) => Self::Text(text.clone().into_owned()),
            Value::List(_) | Value::Object(_) => return None,
        })
    }

    fn value(&self) -> Value<'_> {
        match self {
            Self::Float(number) => Value::Float(*number),
            Self::Int(number) => Value::Int(*number),
            Self::Text(text) => Value::from(&**text),
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Null => Value::Null,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Float(_) | Self::Int(_) => 0,
            Self::Text(_) => 1,
            Self::Bool(_) => 2,
            Self::Null => 3,
        }
    }
}

impl Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&quote(text)),
            other => f.write_str(&encode_untyped(&other.value())),
        }
    }
}

/// `value.Compare`: numbers by their value, texts behind them.
#[expect(
    clippy::cast_precision_loss,
    reason = "upstream compares a mixed pair as floats"
)]
impl Ord for Scalar {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Int(a), Self::Float(b)) => (*a as f64).total_cmp(b),
            (Self::Float(a), Self::Int(b)) => a.total_cmp(&(*b as f64)),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Scalar {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Scalar {}

impl Set {
    /// The set of these paths of plain fields.
    pub(crate) fn of_fields(paths: &[&[&str]]) -> Self {
        let mut set = Self::default();
        for path in paths {
            let path: Vec<_> = path.iter().map(|name| Element::field(name)).collect();
            set.insert(&path);
        }
        set
    }

    /// Adds what `path` names; an empty path names nothing.
    pub(crate) fn insert(&mut self, path: &[Element]) {
        let Some((last, above)) = path.split_last() else {
            return;
        };
        let mut set = self;
        for element in above {
            // Looking first spares a copy of the element.
            if !set.children.contains_key(element) {
                set.children.insert(element.clone(), Self::default());
            }
            let Some(child) = set.children.get_mut(element) else {
                return;
            };
            set = child;
        }
        set.members.insert(last.clone());
    }

    pub(crate) fn has(&self, path: &[Element]) -> bool {
        let Some((last, above)) = path.split_last() else {
            return false;
        };
        let found = above.iter().try_fold(self, |set, e| set.children.get(e));
        found.is_some_and(|set| set.members.contains(last))
    }

    /// Whether `element` itself is in the set.
    pub(crate) fn has_member(&self, element: &Element) -> bool {
        self.members.contains(element)
    }

    /// What of the set is below `element`, where anything is.
    pub(crate) fn below(&self, element: &Element) -> Option<&Self> {
        self.children.get(element).filter(|set| !set.is_empty())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.values().all(Self::is_empty)
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        all.extend(other);
        all
    }

    fn extend(&mut self, other: &Self) {
        self.members.extend(other.members.iter().cloned());
        for (element, set) in &other.children {
            self.children
                .entry(element.clone())
                .or_default()
                .extend(set);
        }
    }

    pub(crate) fn intersection(&self, other: &Self) -> Self {
        let both = self.children.iter().filter_map(|(element, set)| {
            let both = set.intersection(other.children.get(element)?);
            (!both.is_empty()).then(|| (element.clone(), both))
        });
        Self {
            members: self.members.intersection(&other.members).cloned().collect(),
            children: both.collect(),
        }
    }

    pub(crate) fn difference(&self, other: &Self) -> Self {
        self.without(other, false)
    }

    /// The difference in which a member of `other` takes out all that is below it too.
    pub(crate) fn recursive_difference(&self, other: &Self) -> Self {
        self.without(other, true)
    }

    fn without(&self, other: &Self, recursive: bool) -> Self {
        let left = self.children.iter().filter_map(|(element, set)| {
            if recursive && other.members.contains(element) {
                return None;
            }
            let left = match other.children.get(element) {
                Some(other) => set.without(other, recursive),
                None => set.clone(),
            };
            (!left.is_empty()).then(|| (element.clone(), left))
        });
        Self {
            members: self.members.difference(&other.members).cloned().collect(),
            children: left.collect(),
        }
    }

    /// What is at or below one of the paths (`FilterIncludeMatches`); `None` in one stands for
    /// anything.
    pub(crate) fn only(&self, paths: &[&[Option<&str>]]) -> Self {
        let named = |step: Option<&str>, element: &Element| match (step, element) {
            (None, _) => true,
            (Some(name), Element::Field(field)) => name == *field,
            _ => false,
        };
        let first = |element: &Element| -> Vec<&[Option<&str>]> {
            let fits = |path: &&&[Option<&str>]| path.first().is_some_and(|s| named(*s, element));
            paths.iter().filter(fits).map(|path| &path[1..]).collect()
        };
        let below = self.children.iter().filter_map(|(element, set)| {
            let rest = first(element);
            let kept = match &*rest {
                [] => return None,
                rest if rest.iter().any(|path| path.is_empty()) => set.clone(),
                rest => set.only(rest),
            };
            (!kept.is_empty()).then(|| (element.clone(), kept))
        });
        Self {
            members: self
                .members
                .iter()
                .filter(|element| !first(element).is_empty())
                .cloned()
                .collect(),
            children: below.collect(),
        }
    }

    /// The set with each declared field that something is below of; `declared` tells by an element
    /// whether it is one, and what is to be asked below it (`EnsureNamedFieldsAreMembers`).
    pub(crate) fn with_parents<C: Copy>(
        &self,
        context: C,
        declared: &impl Fn(C, &Element) -> (bool, C),
    ) -> Self {
        let mut members = self.members.clone();
        let mut children = BTreeMap::new();
        for (element, set) in &self.children {
            let (named, below) = declared(context, element);
            if named {
                members.insert(element.clone());
            }
            children.insert(element.clone(), set.with_parents(below, declared));
        }
        Self { members, children }
    }

    /// All paths: those that end on a level before those that go deeper.
    pub(crate) fn paths(&self) -> Vec<Vec<Element>> {
        let mut found = Vec::new();
        self.collect(&mut Vec::new(), &mut found);
        found
    }

    fn collect(&self, above: &mut Vec<Element>, found: &mut Vec<Vec<Element>>) {
        for element in &self.members {
            let mut path = above.clone();
            path.push(element.clone());
            found.push(path);
        }
        for (element, set) in &self.children {
            above.push(element.clone());
            set.collect(above, found);
            above.pop();
        }
    }

    /// As `fieldsV1` has it.
    pub(crate) fn to_value(&self) -> Value<'static> {
        self.write(false)
    }

    fn write(&self, with_itself: bool) -> Value<'static> {
        let mut object = Object::new();
        if with_itself && !(self.members.is_empty() && self.children.is_empty()) {
            object.push(".".into(), Object::new().into());
        }
        let all: BTreeSet<&Element> = self.members.iter().chain(self.children.keys()).collect();
        for element in all {
            let written = match self.children.get(element) {
                Some(set) => set.write(self.members.contains(element)),
                None => Value::from(Object::new()),
            };
            object.push(element.key().into(), written);
        }
        Value::from(object)
    }

    /// Reads `fieldsV1`; an error where a key is none.
    pub(crate) fn parse(fields: &Value<'_>) -> Result<Self, ()> {
        Ok(Self::read(fields)?.0)
    }

    /// The set in an object, and whether what the object stands for is in the set itself.
    fn read(fields: &Value<'_>) -> Result<(Self, bool), ()> {
        let (mut set, mut itself) = (Self::default(), false);
        for (key, below) in fields.as_object().ok_or(())?.iter() {
            if key == "." {
                itself = true;
                continue;
            }
            let Some(element) = Element::parse(key)? else {
                continue;
            };
            let (child, member) = Self::read(below)?;
            if member {
                set.members.insert(element.clone());
            }
            if !child.members.is_empty() || !child.children.is_empty() {
                set.children.insert(element, child);
            }
        }
        itself |= set.members.is_empty() && set.children.is_empty();
        Ok((set, itself))
    }
}

//! The tree of an object: JSON with keys in order, borrowed from the request where it can be.

use std::borrow::Cow;

/// A text that is borrowed from the request or from the schema where that is possible.
pub type Text<'a> = Cow<'a, str>;

/// A JSON value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value<'a> {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number without fraction and exponent that fits into 64 bits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A text.
    String(Text<'a>),
    /// A list.
    List(Vec<Value<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// A JSON object with its keys in the order in which they were inserted. Objects of the Kubernetes
/// API are small, so keys are found by looking through them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object<'a> {
    entries: Vec<(Text<'a>, Value<'a>)>,
}

impl<'a> Object<'a> {
    /// An empty object.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    /// The value at `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.entries.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// The value at `key`, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value<'a>> {
        self.entries
            .iter_mut()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v)
    }

    /// Sets `key` to `value`; a new key goes last.
    pub fn insert(&mut self, key: impl Into<Text<'a>>, value: impl Into<Value<'a>>) {
        let (key, value) = (key.into(), value.into());
        match self.get_mut(&key) {
            Some(old) => *old = value,
            None => self.entries.push((key, value)),
        }
    }

    /// Appends a key that the object does not have, without looking.
    pub fn push(&mut self, key: Text<'a>, value: Value<'a>) {
        self.entries.push((key, value));
    }

    /// Sorts the entries by key, as Go writes maps.
    pub fn sort(&mut self) {
        self.entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    }

    /// The value at `key`, set to an empty object first where there is none or a null.
    pub fn object_mut(&mut self, key: &'static str) -> &mut Object<'a> {
        let at = if let Some(at) = self.entries.iter().position(|(k, _)| k == key) {
            at
        } else {
            self.entries.push((Cow::Borrowed(key), Value::Null));
            self.entries.len() - 1
        };
        let value = &mut self.entries[at].1;
        if !matches!(value, Value::Object(_)) {
            *value = Value::Object(Object::new());
        }
        match value {
            Value::Object(object) => object,
            _ => unreachable!("set just above"),
        }
    }

    /// The value at `key`, set to an empty list first where there is none.
    pub fn list_mut(&mut self, key: &'static str) -> &mut Vec<Value<'a>> {
        let at = if let Some(at) = self.entries.iter().position(|(k, _)| k == key) {
            at
        } else {
            self.entries.push((Cow::Borrowed(key), Value::Null));
            self.entries.len() - 1
        };
        let value = &mut self.entries[at].1;
        if !matches!(value, Value::List(_)) {
            *value = Value::List(Vec::new());
        }
        match value {
            Value::List(list) => list,
            _ => unreachable!("set just above"),
        }
    }

    /// Takes the value at `key` out; the order of the others stays.
    pub fn remove(&mut self, key: &str) -> Option<Value<'a>> {
        let at = self.entries.iter().position(|(k, _)| k == key)?;
        Some(self.entries.remove(at).1)
    }

    /// Whether there is a value at `key`.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The entries in order.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Value<'a>)> + ExactSizeIterator {
        self.entries.iter().map(|(k, v)| (k.as_ref(), v))
    }

    /// The entries in order, values to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Value<'a>)> {
        self.entries.iter_mut().map(|(k, v)| (&**k, v))
    }

    /// Keeps the entries that `keep` says yes to.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Value<'a>) -> bool) {
        self.entries.retain_mut(|(k, v)| keep(k, v));
    }

    /// Sorts the entries by `key`, stable.
    pub fn sort_by_key<K: Ord>(&mut self, mut key: impl FnMut(&str) -> K) {
        self.entries.sort_by_key(|(k, _)| key(k));
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The same object with texts of its own.
    #[must_use]
    pub fn into_owned(self) -> Object<'static> {
        Object {
            entries: self
                .entries
                .into_iter()
                .map(|(k, v)| (Cow::Owned(k.into_owned()), v.into_owned()))
                .collect(),
        }
    }
}

impl<'a> IntoIterator for Object<'a> {
    type Item = (Text<'a>, Value<'a>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<'a, K: Into<Text<'a>>, V: Into<Value<'a>>> FromIterator<(K, V)> for Object<'a> {
    /// Later values of a key win.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut object = Self::new();
        for (key, value) in entries {
            object.insert(key, value);
        }
        object
    }
}

impl<'a> Value<'a> {
    /// The value at `key`, if this is an object that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.as_object()?.get(key)
    }

    /// The value at `key`, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value<'a>> {
        self.as_object_mut()?.get_mut(key)
    }

    /// The value below the keys of `path`, one after the other.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Value<'a>> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The value below the keys of `path`, to be changed.
    pub fn at_mut(&mut self, path: &[&str]) -> Option<&mut Value<'a>> {
        path.iter().try_fold(self, |value, key| value.get_mut(key))
    }

    /// The text below `path`, or an empty one.
    #[must_use]
    pub fn text_at(&self, path: &[&str]) -> &str {
        self.at(path).and_then(Value::as_str).unwrap_or_default()
    }

    /// The items of the list below `path`, or none.
    #[must_use]
    pub fn list_at(&self, path: &[&str]) -> &[Value<'a>] {
        self.at(path).and_then(Value::as_list).unwrap_or_default()
    }

    /// The truth value, if this is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The integer, if this is one.
    #[must_use]
    pub const fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// The text, if this is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(s) => Some(s),
            _ => None,
        }
    }

    /// The items, if this is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value<'a>]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The items, if this is a list, to be changed.
    pub fn as_list_mut(&mut self) -> Option<&mut Vec<Value<'a>>> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The object, if this is one.
    #[must_use]
    pub const fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The object, if this is one, to be changed.
    pub fn as_object_mut(&mut self) -> Option<&mut Object<'a>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The same value with texts of its own.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(b),
            Self::Int(n) => Value::Int(n),
            Self::Float(n) => Value::Float(n),
            Self::String(s) => Value::String(Cow::Owned(s.into_owned())),
            Self::List(items) => Value::List(items.into_iter().map(Value::into_owned).collect()),
            Self::Object(object) => Value::Object(object.into_owned()),
        }
    }
}

impl From<bool> for Value<'_> {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<i64> for Value<'_> {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(s: &'a str) -> Self {
        Self::String(Cow::Borrowed(s))
    }
}

impl From<String> for Value<'_> {
    fn from(s: String) -> Self {
        Self::String(Cow::Owned(s))
    }
}

impl<'a> From<Text<'a>> for Value<'a> {
    fn from(s: Text<'a>) -> Self {
        Self::String(s)
    }
}

impl<'a> From<Vec<Value<'a>>> for Value<'a> {
    fn from(items: Vec<Value<'a>>) -> Self {
        Self::List(items)
    }
}

impl<'a> From<Object<'a>> for Value<'a> {
    fn from(object: Object<'a>) -> Self {
        Self::Object(object)
    }
}

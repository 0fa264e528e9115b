//! The schema of the served kinds: for each field its JSON name, its type, the minors that have it,
//! its default and its merge key. One table drives decoding, defaulting, drops, merge patches and
//! the documents of `OpenAPI`.
//!
//! The tables are generated from the Go types of `k8s.io/api` of each minor (`cargo xtask codegen`).

mod tables;

pub use tables::{STRUCTS, roots};

use podgate_policy::Minor;

/// A Go struct of the API, with its embedded structs unfolded.
#[derive(Debug)]
pub struct Struct {
    /// Its Go name without package, as decode errors print it: `PodSpec`.
    pub name: &'static str,
    /// Its fields in the order of the Go type, which is the order in which a server writes them.
    pub fields: &'static [Field],
}

/// A field of a [`Struct`].
#[derive(Debug)]
pub struct Field {
    /// Its JSON name.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// The first minor that has it (as the number behind the dot).
    pub since: u8,
    /// The last minor that has it; [`u8::MAX`] where the newest still has it.
    pub until: u8,
    /// Whether the Go field is a pointer: then a zero value that was sent is kept.
    pub pointer: bool,
    /// Whether a zero value is left out when the object is written.
    pub omitempty: bool,
    /// The value that the server fills in where the field is absent (or zero, if it is no pointer),
    /// whatever the other fields say. Defaults with conditions are code, in `default.rs`.
    pub default: Option<Scalar>,
    /// How strategic merge patches and server-side apply treat the list or map.
    pub merge: Option<Merge>,
}

/// The type of a field, an item or a map's value.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// Go `bool`
    Bool,
    /// Go `int32`
    Int32,
    /// Go `int64`
    Int64,
    /// Go `float64`
    Float64,
    /// Go `string`, or a named string type (its Go name matters in decode errors)
    String(&'static str),
    /// `[]byte`: base64 in JSON
    Bytes,
    /// A struct.
    Struct(&'static Struct),
    /// A list.
    List(&'static Type),
    /// A map from texts.
    Map(&'static Type),
    /// `intstr.IntOrString`
    IntOrString,
    /// `resource.Quantity`
    Quantity,
    /// `metav1.Time`
    Time,
    /// `metav1.MicroTime`
    MicroTime,
    /// JSON that the server keeps as it is (`runtime.RawExtension`, `metav1.FieldsV1`)
    Raw,
}

/// A default that depends on nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A text.
    Text(&'static str),
}

/// Go's `patchStrategy` and `patchMergeKey`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merge {
    /// Whether lists are merged item by item (`merge`).
    pub merge: bool,
    /// Whether keys that the patch does not name are dropped (`retainKeys`).
    pub retain_keys: bool,
    /// The field that tells items apart; `None` for lists of scalars.
    pub key: Option<&'static str>,
}

impl Field {
    /// Whether a server of `minor` knows the field.
    #[must_use]
    pub const fn exists_in(&self, minor: Minor) -> bool {
        self.since <= minor.number() && minor.number() <= self.until
    }
}

impl Struct {
    /// The field called `name` (exact case, as the server reads keys) on a server of `minor`.
    #[must_use]
    pub fn field(&self, name: &str, minor: Minor) -> Option<&'static Field> {
        self.fields
            .iter()
            .find(|f| f.name == name && f.exists_in(minor))
    }
}

//! The schema of the served kinds: for each field its JSON name, its type, the minors that have it,
//! its number in protobuf, its default and its merge key. One table drives decoding, defaulting, drops,
//! merge patches and the documents of `OpenAPI`.
//!
//! The tables are generated from the Go types of `k8s.io/api` of each minor (`cargo xtask codegen`).

// Generated, with one field a line: rustfmt would make it three times as long.
#[rustfmt::skip]
mod tables;
#[cfg(test)]
mod tests;

pub use tables::{STRUCTS, roots};

use podgate_policy::Minor;

/// A Go struct of the API, with its embedded structs unfolded: their fields stand in the outer
/// struct, which is also the struct that Go names in a decode error.
#[derive(Debug)]
pub struct Struct {
    /// Its Go name without package, as decode errors print it before a field: `PodSpec`.
    pub name: &'static str,
    /// Its Go name with package, as decode errors print it as a type: `v1.PodSpec`.
    pub go: &'static str,
    /// The first minor in which server-side apply takes it as a whole, also where it is the item of
    /// a list or map (`+structType=atomic`).
    pub atomic_since: Option<u8>,
    /// Its fields in the order of the Go type, which is the order in which a server writes them.
    pub fields: &'static [Field],
}

/// A field of a [`Struct`]. Where a field's type, pointer or tags changed between two minors, there
/// is an entry for each, and no minor has both.
#[derive(Debug)]
pub struct Field {
    /// Its JSON name.
    pub name: &'static str,
    /// Its Go name.
    pub go: &'static str,
    /// Its type.
    pub ty: Type,
    /// The first minor that has it (as the number behind the dot).
    pub since: u8,
    /// The last minor that has it; [`u8::MAX`] where the newest still has it.
    pub until: u8,
    /// Whether the Go field is a pointer: then a zero value that was sent is kept.
    pub pointer: bool,
    /// Whether a zero value is left out when the object is written. Go ignores `omitempty` on a
    /// struct that is no pointer, so it is `false` there, save for `omitzero`.
    pub omitempty: bool,
    /// What leads to it in protobuf: the numbers of the embedded structs that it lies in, which are messages
    /// of their own there, and its own. Empty where protobuf does not have it, as with the kind.
    pub numbers: &'static [u32],
    /// The value that the server fills in where the field is absent (or zero, if it is no pointer),
    /// whatever the other fields say. A struct that is no pointer is never absent: the defaults of
    /// its fields hold even where the object does not name it. Defaults with conditions are code,
    /// in `default.rs`; `admission/schema/defaults.txt` lists both.
    pub default: Option<Scalar>,
    /// How strategic merge patches treat it; `None`: a list is replaced, an object merged.
    pub merge: Option<Merge>,
    /// How server-side apply treats it.
    pub apply: Apply,
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
    /// Go `string`, or a named string type: `v1.RestartPolicy`
    String(&'static str),
    /// `[]byte`: base64 in JSON
    Bytes,
    /// A struct.
    Struct(&'static Struct),
    /// A list, and its Go type: `[]v1.Container`.
    List(&'static Type, &'static str),
    /// A map from texts to values, and its Go type: `map[string]string`, `v1.ResourceList`.
    Map(&'static Type, &'static str),
    /// `intstr.IntOrString`
    IntOrString,
    /// `resource.Quantity`
    Quantity,
    /// `metav1.Time`
    Time,
    /// `metav1.MicroTime`
    MicroTime,
    /// JSON that the server keeps as it is: `runtime.RawExtension`, `v1.FieldsV1`
    Raw(&'static str),
}

/// A default that depends on nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A text; for an `intstr.IntOrString` or a `resource.Quantity` one that is sent as a text.
    Text(&'static str),
    /// A struct in which every field has its own default or is zero: `{}`.
    Empty,
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

/// Who can own what of a field in server-side apply, and how it is merged: the markers
/// `+listType`, `+mapType` and `+structType`, or else what follows from the patch strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apply {
    /// A scalar, or an object in which each field or key has its own owners.
    Granular,
    /// A list or object that is owned and replaced as a whole.
    Atomic,
    /// A list of distinct scalars, each with its own owners.
    Set,
    /// A list of objects that these fields tell apart; one that an item leaves out has its default.
    Map(&'static [&'static str]),
}

impl Type {
    /// The Go type as decode errors print it: `int32`, `v1.PodSpec`, `[]v1.Container`. Pointers
    /// are not in it: Go prints the type that they point to.
    #[must_use]
    pub const fn go(&self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Float64 => "float64",
            Self::String(go) | Self::List(_, go) | Self::Map(_, go) | Self::Raw(go) => go,
            Self::Bytes => "[]uint8",
            Self::Struct(s) => s.go,
            Self::IntOrString => "intstr.IntOrString",
            Self::Quantity => "resource.Quantity",
            Self::Time => "v1.Time",
            Self::MicroTime => "v1.MicroTime",
        }
    }
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

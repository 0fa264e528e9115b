//! From the bytes of a request to the tree of an object, in one pass that the schema drives.
//!
//! Upstream's counterpart is `sigs.k8s.io/json` (`internal/golang/encoding/json/decode.go`, with the
//! strict errors of `kubernetes_patch.go`) under the serializer of
//! `k8s.io/apimachinery/pkg/runtime/serializer/json`. The tree is what Go's struct holds:
//!
//! - a field has its exact name; an unknown one is dropped; null is absent (a zero in lists and maps);
//! - of two equal keys the second wins, but structs, maps and items are filled over what was there;
//! - a zero value of a field that is no pointer is absent, one of a pointer is kept;
//! - an empty list or map that was sent is kept, since Go tells it from none until the object is
//!   stored: see [`as_stored`](crate::encode::as_stored);
//! - quantities, times and base64 are as the server writes them, and maps are sorted by key.

use std::borrow::Cow;
use std::collections::HashMap;

use podgate_policy::Minor;

use crate::json::{Lexer, RawText, SyntaxError, Token};
use crate::schema::{Field, Struct, Type};
use crate::value::{Object, Text, Value};

mod error;
mod jsoniter;
mod kind;
mod place;
mod scalar;
mod unmarshal;
mod untyped;

pub use error::{DecodeError, Location, Segment, StrictError, StrictErrorKind};
pub use kind::{Kind, cannot_be_handled, decode_as, kind_of, not_registered, unrecognized};
pub use untyped::{MAX_TREE_DEPTH, decode_untyped};

pub(crate) use scalar::base64;

use place::Place;

/// What a request's bytes hold.
#[derive(Debug)]
pub struct Decoded<'a> {
    /// The object as Go's struct holds it.
    pub object: Value<'a>,
    /// The unknown and duplicate fields in the order of the document, at most
    /// [`MAX_STRICT_ERRORS`]. What becomes of them is the request's `fieldValidation`; servers before
    /// 1.25 do not look for them.
    pub strict: Vec<StrictError>,
}

/// How many unknown and duplicate fields a server names.
pub const MAX_STRICT_ERRORS: usize = 100;

/// Decodes an object of the kind that `schema` describes, as a server of `minor` does.
///
/// The error's text is Go's own, without what the API server writes around it. Where the bytes are
/// no JSON that is the error, else the first value that its field's type cannot even try to read (a
/// bad quantity or time), else the first value of a wrong type.
pub fn decode<'a>(
    bytes: &'a [u8],
    schema: &'static Struct,
    minor: Minor,
) -> Result<Decoded<'a>, DecodeError> {
    let mut decoder = Decoder {
        lexer: Lexer::new(bytes),
        bytes,
        minor,
        strict: Vec::new(),
        failure: None,
        fatal: false,
    };
    let object = decoder.root(schema).map_err(DecodeError::syntax)?;
    match decoder.failure {
        Some(failure) => Err(failure),
        None => Ok(Decoded {
            object: Value::Object(object),
            strict: decoder.strict,
        }),
    }
}

struct Decoder<'a> {
    lexer: Lexer<'a>,
    bytes: &'a [u8],
    minor: Minor,
    strict: Vec<StrictError>,
    /// The error to report: decoding goes on behind it, since a syntax error would beat it.
    failure: Option<DecodeError>,
    /// Whether Go would have stopped at that error.
    fatal: bool,
}

/// The first minor that decodes with `sigs.k8s.io/json`; those before used json-iterator.
const KJSON: Minor = Minor::known(23);

type Read<T> = Result<T, SyntaxError>;

impl<'a> Decoder<'a> {
    fn root(&mut self, schema: &'static Struct) -> Read<Object<'a>> {
        let place = Place::ROOT;
        let object = match self.lexer.peek()? {
            Token::Object => self.fields(schema, Object::new(), &place)?,
            Token::Null => {
                self.lexer.null()?;
                Object::new()
            }
            token => {
                let offset = self.lexer.offset();
                self.mismatch(described(token), &Type::Struct(schema), &place, offset);
                self.lexer.skip()?;
                Object::new()
            }
        };
        self.lexer.end()?;
        Ok(object)
    }

    /// Reads the fields of a struct over what `object` has.
    fn fields(
        &mut self,
        schema: &'static Struct,
        mut object: Object<'a>,
        place: &Place<'_>,
    ) -> Read<Object<'a>> {
        self.lexer.open_object()?;
        let filled = !object.is_empty();
        let mut seen = Seen::default();
        let mut next = 0;
        let mut first = true;
        while let Some(key) = self.lexer.key(first)? {
            first = false;
            let Some(index) = find(schema, key, self.minor, next) else {
                self.strict(StrictErrorKind::Unknown, &key.text(), place, key.offset);
                self.lexer.skip()?;
                continue;
            };
            next = index + 1;
            let field = &schema.fields[index];
            let duplicate = seen.again(index);
            if duplicate {
                self.strict(StrictErrorKind::Duplicate, field.name, place, key.offset);
            }
            let old = (duplicate || filled)
                .then(|| object.remove(field.name))
                .flatten();
            let value = self.field(field, old, &place.field(schema, field))?;
            if let Some(value) = value {
                object.push(Cow::Borrowed(field.name), value);
            }
        }
        Ok(object)
    }

    fn field(
        &mut self,
        field: &'static Field,
        old: Option<Value<'a>>,
        place: &Place<'_>,
    ) -> Read<Option<Value<'a>>> {
        if self.lexer.peek()? == Token::Null {
            self.lexer.null()?;
            // A null empties what can be nil, and what reads null itself; the rest ignores it.
            return Ok(old.filter(|old| !field.pointer && ignores_null(&field.ty, old)));
        }
        let value = self.value(&field.ty, old, place)?;
        Ok(value.filter(|value| field.pointer || !is_zero(&field.ty, value)))
    }

    /// Reads a value that is no null over `old`; `None` where it has the wrong type and there is
    /// nothing older.
    fn value(
        &mut self,
        ty: &'static Type,
        old: Option<Value<'a>>,
        place: &Place<'_>,
    ) -> Read<Option<Value<'a>>> {
        let token = self.lexer.peek()?;
        let offset = self.lexer.offset();
        let value = match (ty, token) {
            (Type::Bool, Token::Bool) => Value::Bool(self.lexer.bool()?),
            (Type::String(_), Token::String) => Value::String(self.lexer.text()?.text()),
            (Type::Int32 | Type::Int64 | Type::Float64, Token::Number) => {
                let digits = self.lexer.number()?;
                let Some(value) = scalar::number(ty, digits) else {
                    self.mismatch(&format!("number {digits}"), ty, place, offset);
                    return Ok(old);
                };
                value
            }
            (Type::Struct(schema), Token::Object) => {
                let object = match old {
                    Some(Value::Object(object)) => object,
                    _ => Object::new(),
                };
                Value::Object(self.fields(schema, object, place)?)
            }
            (Type::List(item, _), Token::List) => Value::List(self.list(item, old, place)?),
            (Type::Map(item, _), Token::Object) => Value::Object(self.map(item, old, place)?),
            (Type::Bytes, Token::String) => {
                match scalar::base64_again(&self.lexer.text()?.text()) {
                    Ok(text) => Value::from(text),
                    Err(message) => {
                        self.fail(false, message, place, offset);
                        return Ok(old);
                    }
                }
            }
            (Type::Bytes, Token::List) => Value::from(self.bytes(place)?),
            (Type::IntOrString, _) => return self.int_or_string(token, place),
            (Type::Quantity, _) => return self.quantity(place),
            (Type::Time | Type::MicroTime, _) => {
                return self.time(token, matches!(ty, Type::MicroTime), place);
            }
            (Type::Raw(_), _) => untyped::value(&mut self.lexer)?,
            _ => {
                self.mismatch(described(token), ty, place, offset);
                self.lexer.skip()?;
                return Ok(old);
            }
        };
        Ok(Some(value))
    }

    fn list(
        &mut self,
        ty: &'static Type,
        old: Option<Value<'a>>,
        place: &Place<'_>,
    ) -> Read<Vec<Value<'a>>> {
        let mut old = match old {
            Some(Value::List(items)) => items,
            _ => Vec::new(),
        }
        .into_iter();
        let mut items = Vec::new();
        self.lexer.open_list()?;
        while self.lexer.item(items.is_empty())? {
            let before = old.next();
            let item = if self.lexer.peek()? == Token::Null {
                self.lexer.null()?;
                before.filter(|before| ignores_null(ty, before))
            } else {
                self.value(ty, before, &place.index(items.len()))?
            };
            items.push(item.unwrap_or_else(|| zero(ty)));
        }
        Ok(items)
    }

    fn map(
        &mut self,
        ty: &'static Type,
        old: Option<Value<'a>>,
        place: &Place<'_>,
    ) -> Read<Object<'a>> {
        let mut entries: Vec<(Text<'a>, Value<'a>)> = Vec::new();
        // Few maps are large, but one that is must not take quadratic time.
        let mut large: HashMap<Text<'a>, usize> = HashMap::new();
        self.lexer.open_object()?;
        let mut first = true;
        while let Some(raw) = self.lexer.key(first)? {
            first = false;
            let key = raw.text();
            let before = if large.is_empty() {
                entries.iter().position(|(k, _)| *k == key)
            } else {
                large.get(&key).copied()
            };
            if before.is_some() {
                self.strict(StrictErrorKind::Duplicate, &key, place, raw.offset);
            }
            let value = if self.lexer.peek()? == Token::Null {
                self.lexer.null()?;
                None
            } else {
                self.value(ty, None, &place.key(&key))?
            };
            let value = value.unwrap_or_else(|| zero(ty));
            if let Some(at) = before {
                entries[at].1 = value;
                continue;
            }
            if !large.is_empty() {
                large.insert(key.clone(), entries.len());
            }
            entries.push((key, value));
            if large.is_empty() && entries.len() == 64 {
                large = (0..)
                    .zip(&entries)
                    .map(|(at, (key, _))| (key.clone(), at))
                    .collect();
            }
        }
        let mut object = match old {
            Some(Value::Object(object)) => object,
            _ => Object::new(),
        };
        if object.is_empty() {
            for (key, value) in entries {
                object.push(key, value);
            }
        } else {
            for (key, value) in entries {
                object.insert(key, value);
            }
        }
        object.sort();
        Ok(object)
    }

    fn strict(&mut self, kind: StrictErrorKind, key: &str, place: &Place<'_>, offset: usize) {
        if self.strict.len() >= MAX_STRICT_ERRORS {
            return;
        }
        let path = place.strict_path(key);
        if !self.strict.iter().any(|e| e.kind == kind && e.path == path) {
            let mut location = Location {
                path: place.segments(),
                offset,
            };
            location.path.push(Segment::Key(key.to_owned()));
            self.strict.push(StrictError {
                kind,
                path,
                location,
            });
        }
    }

    /// A value of the wrong type: Go reads on.
    fn mismatch(&mut self, found: &str, ty: &Type, place: &Place<'_>, offset: usize) {
        if self.failure.is_none() {
            let message = if self.minor < KJSON {
                jsoniter::mismatch(self.bytes, offset, ty, place)
            } else {
                cannot_unmarshal(found, ty, place.go_field(self.minor))
            };
            self.fail(false, message, place, offset);
        }
    }

    /// A value that its type, which reads JSON itself, cannot use: Go stops.
    fn fatal_mismatch(&mut self, found: &str, ty: &Type, place: &Place<'_>, offset: usize) {
        let field = (self.minor >= KJSON).then(|| place.go_field(self.minor));
        self.fatal(cannot_unmarshal(found, ty, field.flatten()), place, offset);
    }

    fn fatal(&mut self, message: String, place: &Place<'_>, offset: usize) {
        let message = if self.minor < KJSON {
            jsoniter::unmarshaler(self.bytes, self.lexer.offset(), &message, place)
        } else {
            message
        };
        self.fail(true, message, place, offset);
    }

    fn fail(&mut self, fatal: bool, message: String, place: &Place<'_>, offset: usize) {
        if self.failure.is_none() || (fatal && !self.fatal) {
            self.failure = Some(DecodeError {
                message,
                location: Location {
                    path: place.segments(),
                    offset,
                },
            });
            self.fatal = fatal;
        }
    }
}

/// The fields of a struct that were there before, one bit each.
#[derive(Default)]
struct Seen([u64; 4]);

impl Seen {
    /// Whether `index` was there before; it is from now on.
    fn again(&mut self, index: usize) -> bool {
        // No struct of the API has 256 fields.
        let bit = 1 << (index % 64);
        let word = &mut self.0[index / 64];
        let again = *word & bit != 0;
        *word |= bit;
        again
    }
}

/// The index of the field called `key`. Documents often name fields in order, so the search starts
/// behind the one before.
fn find(schema: &'static Struct, key: RawText<'_>, minor: Minor, next: usize) -> Option<usize> {
    let named = |&index: &usize| {
        let field = &schema.fields[index];
        key.is(field.name) && field.exists_in(minor)
    };
    (next..schema.fields.len())
        .find(named)
        .or_else(|| (0..next).find(named))
}

fn cannot_unmarshal(found: &str, ty: &Type, field: Option<String>) -> String {
    let go = ty.go();
    match field {
        Some(field) => {
            format!("json: cannot unmarshal {found} into Go struct field {field} of type {go}")
        }
        None => format!("json: cannot unmarshal {found} into Go value of type {go}"),
    }
}

/// How Go names what it found where it has no use for it.
fn described(token: Token) -> &'static str {
    match token {
        Token::Object => "object",
        Token::List => "array",
        Token::String => "string",
        Token::Number => "number",
        Token::Bool => "bool",
        Token::Null => "null",
    }
}

/// Whether Go leaves a value of that type as it is where the document says null.
fn ignores_null(ty: &Type, old: &Value<'_>) -> bool {
    match ty {
        Type::Bool
        | Type::Int32
        | Type::Int64
        | Type::Float64
        | Type::String(_)
        | Type::Struct(_) => true,
        // `IntOrString.UnmarshalJSON` takes null for an integer and leaves that as it is.
        Type::IntOrString => matches!(old, Value::Int(_)),
        _ => false,
    }
}

/// The zero value of a type, as an item of a list or map.
pub(crate) fn zero<'a>(ty: &Type) -> Value<'a> {
    match ty {
        Type::Bool => Value::Bool(false),
        Type::Int32 | Type::Int64 | Type::IntOrString => Value::Int(0),
        Type::Float64 => Value::Float(0.0),
        Type::String(_) | Type::Bytes => Value::from(""),
        Type::Struct(_) => Value::Object(Object::new()),
        Type::Quantity => Value::from("0"),
        Type::List(..) | Type::Map(..) | Type::Time | Type::MicroTime | Type::Raw(_) => Value::Null,
    }
}

/// Whether a value is what its type's field holds anyway. Empty lists and maps are not.
pub(crate) fn is_zero(ty: &Type, value: &Value<'_>) -> bool {
    match (ty, value) {
        (Type::Struct(_), Value::Object(object)) => object.is_empty(),
        (Type::Quantity, Value::String(text)) => text == "0",
        (Type::String(_) | Type::Bytes, Value::String(text)) => text.is_empty(),
        (_, Value::Bool(b)) => !b,
        (_, Value::Int(n)) => *n == 0,
        (_, Value::Float(n)) => *n == 0.0,
        (_, Value::Null) => true,
        _ => false,
    }
}

#[cfg(test)]
mod recorded;
#[cfg(test)]
mod tests;

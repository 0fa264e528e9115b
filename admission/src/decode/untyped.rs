//! Any JSON as a tree: patches, and fields that the server keeps as they are.

use super::error::{DecodeError, Location};
use crate::json::{Lexer, SyntaxError, Token};
use crate::value::{Object, Text, Value};

/// How deep a tree without a schema may nest. Go allows 10,000 levels; trees are walked by
/// recursion, so podgate allows what a thread's stack holds for certain, with Go's error.
pub const MAX_TREE_DEPTH: usize = 500;

/// Reads any JSON value. Of two equal keys the second wins. A number without point and exponent
/// that fits into 64 bits is an integer, any other a float (`UnmarshalCaseSensitivePreserveInts`).
pub fn decode_untyped(bytes: &[u8]) -> Result<Value<'_>, DecodeError> {
    let mut reader = Reader {
        lexer: Lexer::new(bytes),
        overflow: None,
    };
    let value = reader.value(0).map_err(DecodeError::syntax)?;
    reader.lexer.end().map_err(DecodeError::syntax)?;
    match reader.overflow {
        Some(error) => Err(error),
        None => Ok(value),
    }
}

/// Reads the value that stands next, for a field that keeps its JSON.
pub(super) fn value<'a>(lexer: &mut Lexer<'a>) -> Result<Value<'a>, SyntaxError> {
    let mut reader = Reader {
        lexer: lexer.clone(),
        overflow: None,
    };
    let value = reader.value(0)?;
    *lexer = reader.lexer;
    Ok(value)
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    /// The first number that is too large even for a float.
    overflow: Option<DecodeError>,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Value<'a>, SyntaxError> {
        let token = self.lexer.peek()?;
        if depth >= MAX_TREE_DEPTH && matches!(token, Token::Object | Token::List) {
            return Err(self.lexer.too_deep());
        }
        Ok(match token {
            Token::Null => {
                self.lexer.null()?;
                Value::Null
            }
            Token::Bool => Value::Bool(self.lexer.bool()?),
            Token::Number => self.number()?,
            Token::String => Value::String(self.lexer.text()?.text()),
            Token::List => {
                let mut items = Vec::new();
                self.lexer.open_list()?;
                while self.lexer.item(items.is_empty())? {
                    items.push(self.value(depth + 1)?);
                }
                Value::List(items)
            }
            Token::Object => {
                let mut entries = Vec::new();
                self.lexer.open_object()?;
                while let Some(key) = self.lexer.key(entries.is_empty())? {
                    entries.push((key.text(), self.value(depth + 1)?));
                }
                Value::Object(last_of_each(entries))
            }
        })
    }

    fn number(&mut self) -> Result<Value<'a>, SyntaxError> {
        let offset = self.lexer.offset();
        let digits = self.lexer.number()?;
        if let Ok(n) = digits.parse() {
            return Ok(Value::Int(n));
        }
        match digits.parse() {
            Ok(float) if f64::is_finite(float) => Ok(Value::Float(float)),
            _ => {
                self.overflow.get_or_insert_with(|| DecodeError {
                    message: format!(
                        "json: cannot unmarshal number {digits} into Go value of type float64"
                    ),
                    location: Location {
                        path: Vec::new(),
                        offset,
                    },
                });
                Ok(Value::Null)
            }
        }
    }
}

/// Of equal keys the last value, at the place of the first.
fn last_of_each<'a>(entries: Vec<(Text<'a>, Value<'a>)>) -> Object<'a> {
    let mut keys: Vec<&str> = entries.iter().map(|(key, _)| &**key).collect();
    keys.sort_unstable();
    let unique = keys.windows(2).all(|pair| pair[0] != pair[1]);
    if !unique {
        return entries.into_iter().collect();
    }
    let mut object = Object::new();
    for (key, value) in entries {
        object.push(key, value);
    }
    object
}

//! Types that read their JSON themselves, as Go's `UnmarshalJSON` does, and bytes, which have two
//! forms.

use std::borrow::Cow;

use super::place::Place;
use super::{Decoder, Read, described, scalar};
use crate::json::Token;
use crate::quantity::Quantity;
use crate::schema::Type;
use crate::value::Value;

impl<'a> Decoder<'a> {
    /// Go takes a list of small numbers for bytes, too; they are written as base64.
    pub(super) fn bytes(&mut self, place: &Place<'_>) -> Read<String> {
        let mut bytes: Vec<u8> = Vec::new();
        self.lexer.open_list()?;
        while self.lexer.item(bytes.is_empty())? {
            let token = self.lexer.peek()?;
            let offset = self.lexer.offset();
            let found = match token {
                Token::Number => {
                    let digits = self.lexer.number()?;
                    if let Ok(byte) = digits.parse() {
                        bytes.push(byte);
                        continue;
                    }
                    Cow::Owned(format!("number {digits}"))
                }
                token => {
                    self.lexer.skip()?;
                    Cow::Borrowed(described(token))
                }
            };
            bytes.push(0);
            if token != Token::Null {
                let place = place.index(bytes.len() - 1);
                self.mismatch(&found, &Type::String("uint8"), &place, offset);
            }
        }
        Ok(scalar::base64(&bytes))
    }

    /// `IntOrString.UnmarshalJSON`: a text, or an `int32`.
    pub(super) fn int_or_string(
        &mut self,
        token: Token,
        place: &Place<'_>,
    ) -> Read<Option<Value<'a>>> {
        let offset = self.lexer.offset();
        let found = match token {
            Token::String => return Ok(Some(Value::String(self.lexer.text()?.text()))),
            Token::Number => {
                let digits = self.lexer.number()?;
                if let Some(value) = scalar::number(&Type::Int32, digits) {
                    return Ok(Some(value));
                }
                Cow::Owned(format!("number {digits}"))
            }
            token => {
                self.lexer.skip()?;
                Cow::Borrowed(described(token))
            }
        };
        self.fatal_mismatch(&found, &Type::Int32, place, offset);
        Ok(None)
    }

    /// `Quantity.UnmarshalJSON`: whatever stands there, without its quotes. Escapes stay as they
    /// are, so none makes a quantity.
    pub(super) fn quantity(&mut self, place: &Place<'_>) -> Read<Option<Value<'a>>> {
        let offset = self.lexer.offset();
        self.lexer.skip()?;
        let raw = &self.bytes[offset..self.lexer.offset()];
        let bare = raw
            .strip_prefix(b"\"")
            .and_then(|raw| raw.strip_suffix(b"\""))
            .unwrap_or(raw);
        let text = String::from_utf8_lossy(bare);
        match Quantity::parse(text.trim()) {
            Ok(quantity) => {
                let canonical = quantity.canonical();
                Ok(Some(match std::str::from_utf8(bare) {
                    Ok(bare) if bare == canonical => Value::from(bare),
                    _ => Value::from(canonical.into_owned()),
                }))
            }
            Err(error) => {
                self.fatal(error.to_string(), place, offset);
                Ok(None)
            }
        }
    }

    /// `Time.UnmarshalJSON` and `MicroTime.UnmarshalJSON`.
    pub(super) fn time(
        &mut self,
        token: Token,
        micro: bool,
        place: &Place<'_>,
    ) -> Read<Option<Value<'a>>> {
        let offset = self.lexer.offset();
        if token != Token::String {
            self.lexer.skip()?;
            self.fatal_mismatch(described(token), &Type::String("string"), place, offset);
            return Ok(None);
        }
        match scalar::time(&self.lexer.text()?.text(), micro) {
            Ok(time) => Ok(time.map(Value::from)),
            Err(message) => {
                self.fatal(message, place, offset);
                Ok(None)
            }
        }
    }
}

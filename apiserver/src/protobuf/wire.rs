//! Protobuf on the wire: fields with their numbers, and nothing of what they mean.
//!
//! Upstream: what gogo's `protoc-gen-gogo` generates into each `generated.pb.go` (`Unmarshal`,
//! `skipGenerated`, `encodeVarintGenerated`), whose errors these are.

/// That something is no message of its type: Go's error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) String);

impl From<String> for Malformed {
    fn from(why: String) -> Self {
        Self(why)
    }
}

impl From<&str> for Malformed {
    fn from(why: &str) -> Self {
        Self(why.to_owned())
    }
}

/// A value on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    /// Four or eight bytes: no type of the API is written so.
    Fixed(u8),
}

impl Wire<'_> {
    /// The number of the wire type.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Varint(_) => 0,
            Self::Bytes(_) => 2,
            Self::Fixed(number) => number,
        }
    }
}

/// Reads a message field by field.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    /// The Go type, which errors name.
    of: &'a str,
}

const UNEXPECTED_END: &str = "unexpected EOF";
const OVERFLOW: &str = "proto: integer overflow";
const NEGATIVE_LENGTH: &str = "proto: negative length found during unmarshaling";
const END_OF_GROUP: &str = "proto: unexpected end of group";

impl<'a> Reader<'a> {
    pub(crate) const fn new(message: &'a [u8], of: &'a str) -> Self {
        Self { rest: message, of }
    }

    /// The number and the value of the next field; nothing at the end. Groups, which nobody writes, are
    /// read over.
    pub(crate) fn next(&mut self) -> Result<Option<(u32, Wire<'a>)>, Malformed> {
        while !self.rest.is_empty() {
            let tag = self.varint()?;
            let (number, wire) = (tag >> 3, tag & 7);
            if wire == 4 {
                let of = self.of;
                return Err(format!("proto: {of}: wiretype end group for non-group").into());
            }
            // Go keeps the lower half of it, with a sign.
            #[expect(clippy::cast_possible_truncation, reason = "as Go does")]
            let number = number as i32;
            if number <= 0 {
                let of = self.of;
                return Err(format!("proto: {of}: illegal tag {number} (wire type {tag})").into());
            }
            let number = number.cast_unsigned();
            if let Some(value) = self.value(wire)? {
                return Ok(Some((number, value)));
            }
        }
        Ok(None)
    }

    /// The value of a field of that wire type; nothing where it is a group.
    fn value(&mut self, wire: u64) -> Result<Option<Wire<'a>>, Malformed> {
        Ok(Some(match wire {
            0 => Wire::Varint(self.varint()?),
            1 => {
                self.take(8)?;
                Wire::Fixed(1)
            }
            2 => {
                let length = self.varint()?;
                let length = i64::try_from(length).map_err(|_| NEGATIVE_LENGTH)?;
                Wire::Bytes(self.take(usize::try_from(length).map_err(|_| UNEXPECTED_END)?)?)
            }
            3 => {
                self.skip_group()?;
                return Ok(None);
            }
            4 => return Err(END_OF_GROUP.into()),
            5 => {
                self.take(4)?;
                Wire::Fixed(5)
            }
            other => return Err(format!("proto: illegal wireType {other}").into()),
        }))
    }

    fn skip_group(&mut self) -> Result<(), Malformed> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.varint()? & 7 {
                3 => depth += 1,
                4 => depth -= 1,
                wire => {
                    self.value(wire)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn varint(&mut self) -> Result<u64, Malformed> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let [first, rest @ ..] = self.rest else {
                return Err(UNEXPECTED_END.into());
            };
            self.rest = rest;
            number |= u64::from(first & 0x7f) << shift;
            if first & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(OVERFLOW.into())
    }

    /// Whether all has been read.
    pub(crate) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(UNEXPECTED_END)?;
        self.rest = rest;
        Ok(taken)
    }
}

/// A message in the making.
#[derive(Debug, Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    /// A number without a field.
    pub(crate) fn bare_varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    pub(crate) fn varint(&mut self, field: u32, number: u64) {
        self.bare_varint(u64::from(field) << 3);
        self.bare_varint(number);
    }

    pub(crate) fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.bare_varint(u64::from(field) << 3 | 2);
        self.bare_varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn message(&mut self, field: u32, message: &Self) {
        self.bytes(field, &message.0);
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut inner = Message::default();
        inner.bytes(1, b"x");
        let mut message = Message::default();
        message.varint(1, u64::MAX);
        message.message(16, &inner);
        message.varint(2, 0);
        let bytes = message.into_bytes();
        let mut reader = Reader::new(&bytes, "T");
        assert_eq!(reader.next(), Ok(Some((1, Wire::Varint(u64::MAX)))));
        assert_eq!(
            reader.next(),
            Ok(Some((16, Wire::Bytes(b"\x0a\x01x".as_slice()))))
        );
        assert_eq!(reader.next(), Ok(Some((2, Wire::Varint(0)))));
        assert_eq!(reader.next(), Ok(None));
    }

    // The texts are those of `generated.pb.go`.
    #[rstest]
    #[case(b"\x0a", "unexpected EOF")]
    #[case(b"\x0a\x05abc", "unexpected EOF")]
    #[case(b"\x08", "unexpected EOF")]
    #[case(
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        "proto: integer overflow"
    )]
    #[case(
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        "proto: negative length found during unmarshaling"
    )]
    #[case(b"\x00\x00", "proto: T: illegal tag 0 (wire type 0)")]
    #[case(b"\x0c", "proto: T: wiretype end group for non-group")]
    #[case(b"\x0f", "proto: illegal wireType 7")]
    #[case(b"\x0b\x0b\x0c", "unexpected EOF")]
    fn what_is_malformed(#[case] message: &[u8], #[case] expected: &str) {
        let error = Reader::new(message, "T").next().expect_err("malformed");
        assert_eq!(error.0, expected);
    }

    #[test]
    fn groups_are_read_over() {
        let message = b"\x0b\x08\x01\x0b\x0c\x0c\x10\x05";
        assert_eq!(
            Reader::new(message, "T").next(),
            Ok(Some((2, Wire::Varint(5))))
        );
    }
}

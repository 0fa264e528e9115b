//! The token with which a client asks for the next page of a list.
//!
//! Upstream: `k8s.io/apiserver/pkg/storage/continue.go`.

use base64::alphabet::URL_SAFE;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, Engine as _};
use podgate_admission::decode::decode_untyped;
use podgate_admission::encode::encode_untyped;
use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;

/// Go's `base64.RawURLEncoding`.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

const VERSION: &str = "meta.k8s.io/v1";

/// Where a list goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Continuation {
    /// The revision of the first page; below zero for whatever is newest.
    pub(crate) revision: i64,
    /// The first key that may follow, behind what all keys of the list have in common.
    pub(crate) start: String,
}

impl Continuation {
    /// After `key` at a revision.
    pub(crate) fn after(key: &str, revision: u64) -> Self {
        Self {
            revision: i64::try_from(revision).unwrap_or(i64::MAX),
            start: format!("{key}\0"),
        }
    }

    /// The token. Pages of the watch cache, where lists come from since 1.31, count the slash to the key.
    pub(crate) fn encode(&self, minor: Minor) -> String {
        let slash = minor.number() >= 31 && self.revision > 0;
        let start = if slash {
            format!("/{}", self.start)
        } else {
            self.start.clone()
        };
        let mut token = Object::new();
        token.insert("v", VERSION);
        token.insert("rv", Value::Int(self.revision));
        token.insert("start", start);
        BASE64.encode(encode_untyped(&Value::from(token)))
    }

    /// Reads a token that a client sent, or says why it is none.
    pub(crate) fn decode(token: &str, minor: Minor) -> Result<Self, String> {
        let not_valid = |why: &str| format!("continue key is not valid: {why}");
        // Go skips line ends.
        let token: String = token
            .chars()
            .filter(|c| !matches!(c, '\r' | '\n'))
            .collect();
        let bytes = BASE64.decode(&token).map_err(|error| {
            let at = match error {
                DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => at,
                DecodeError::InvalidLength(length) => length - 1,
                DecodeError::InvalidPadding => token.len(),
            };
            not_valid(&format!("illegal base64 data at input byte {at}"))
        })?;
        let object = decode_untyped(&bytes).map_err(|error| {
            // Servers up to 1.23 were recorded with the escape of a character, later ones with that of
            // a byte.
            let message = match bytes.first() {
                Some(byte @ 0x80..) if minor.number() <= 23 => {
                    format!(r"invalid character '\u{byte:04x}' looking for beginning of value")
                }
                Some(byte @ 0x80..) => {
                    format!(r"invalid character '\x{byte:02x}' looking for beginning of value")
                }
                _ => error.message,
            };
            not_valid(&message)
        })?;
        let version = object.text_at(&["v"]);
        if version != VERSION {
            let shown = if minor.number() <= 24 {
                format!("{version:?}")
            } else {
                version.to_owned()
            };
            return Err(not_valid(&format!(
                "server does not recognize this encoded version {shown}"
            )));
        }
        let revision = object.get("rv").and_then(Value::as_int).unwrap_or_default();
        if revision == 0 {
            return Err(not_valid(
                "incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
            ));
        }
        let start = object.text_at(&["start"]);
        if start.is_empty() {
            return Err(not_valid(
                "encoded start key empty (version meta.k8s.io/v1)",
            ));
        }
        let key = start.strip_prefix('/').unwrap_or(start);
        // `path.Clean` leaves nothing else as it is.
        if key.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(not_valid(start));
        }
        Ok(Self {
            revision,
            start: key.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // The tokens as recorded.
    #[rstest]
    #[case(
        23,
        "gen-4htxk",
        208,
        "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MjA4LCJzdGFydCI6Imdlbi00aHR4a1x1MDAwMCJ9"
    )]
    #[case(
        36,
        "gen-qvx8b",
        213,
        "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MjEzLCJzdGFydCI6Ii9nZW4tcXZ4OGJcdTAwMDAifQ"
    )]
    fn there_and_back(
        #[case] minor: u8,
        #[case] key: &str,
        #[case] revision: u64,
        #[case] token: &str,
    ) {
        let minor = Minor::known(minor);
        let continuation = Continuation::after(key, revision);
        assert_eq!(continuation.encode(minor), token);
        assert_eq!(Continuation::decode(token, minor), Ok(continuation));
    }

    #[rstest]
    // As recorded.
    #[case(
        23,
        "garbage",
        r"invalid character '\u0081' looking for beginning of value"
    )]
    #[case(
        36,
        "garbage",
        r"invalid character '\x81' looking for beginning of value"
    )]
    // From source only.
    #[case(36, "a=", "illegal base64 data at input byte 1")]
    #[case(36, "e30", "server does not recognize this encoded version ")]
    #[case(
        36,
        "eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ",
        "incorrect encoded start resourceVersion (version meta.k8s.io/v1)"
    )]
    fn what_is_none(#[case] minor: u8, #[case] token: &str, #[case] why: &str) {
        let found = Continuation::decode(token, Minor::known(minor));
        assert_eq!(found, Err(format!("continue key is not valid: {why}")));
    }

    #[test]
    fn a_key_that_leads_elsewhere_is_refused() {
        for start in ["../x", "a//b", "a/../b", "/."] {
            let token = BASE64.encode(format!(
                r#"{{"v":"meta.k8s.io/v1","rv":5,"start":"{start}"}}"#
            ));
            assert!(
                Continuation::decode(&token, Minor::NEWEST).is_err(),
                "{start}"
            );
        }
    }
}

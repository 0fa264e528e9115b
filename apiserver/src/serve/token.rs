//! The bearer token of the cluster's admin.
//!
//! Upstream: `k8s.io/apiserver/pkg/authentication/request/bearertoken/bearertoken.go`.

use std::fmt::{self, Write};
use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::ConstantTimeEq;
use tokio_rustls::rustls::crypto::ring;

use super::Error;

/// How many random bytes a token has.
const BYTES: usize = 32;

/// A token, in hexadecimal digits. Debug output does not show it.
#[derive(Clone)]
pub(super) struct Token(Arc<str>);

impl Token {
    /// Draws a token of 256 bits.
    pub(super) fn draw() -> Result<Self, Error> {
        let mut bytes = [0; BYTES];
        ring::default_provider()
            .secure_random
            .fill(&mut bytes)
            .map_err(|_| Error::Token)?;
        let mut text = String::with_capacity(2 * BYTES);
        for byte in bytes {
            // Writing into a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        Ok(Self(text.into()))
    }

    /// A token that somebody else drew.
    pub(super) fn given(token: &str) -> Self {
        Self(token.into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes the token out of the headers; whether it was there. Nothing behind has a use for it.
    pub(super) fn take(&self, headers: &mut HeaderMap) -> bool {
        let known = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(bearer)
            .is_some_and(|given| given.as_bytes().ct_eq(self.0.as_bytes()).into());
        headers.remove(AUTHORIZATION);
        known
    }
}

/// The token of an `Authorization` header. What stands behind a second space is ignored.
fn bearer(value: &str) -> Option<&str> {
    let mut parts = value.trim().splitn(3, ' ');
    let scheme = parts.next()?;
    let token = parts.next()?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Bearer abc", true)]
    #[case("bearer abc", true)]
    #[case(" BEARER abc ", true)]
    #[case("Bearer abc more", true)]
    #[case("Bearer  abc", false)]
    #[case("Bearer abcd", false)]
    #[case("Bearer ab", false)]
    #[case("Bearer", false)]
    #[case("Bearer ", false)]
    #[case("Basic abc", false)]
    #[case("abc", false)]
    fn who_gets_in(#[case] header: &str, #[case] expected: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, header.parse().expect("a value"));
        assert_eq!(Token("abc".into()).take(&mut headers), expected);
        assert!(headers.is_empty());
    }

    #[test]
    fn nobody_gets_in_without_a_header() {
        assert!(!Token("abc".into()).take(&mut HeaderMap::new()));
    }

    #[test]
    fn tokens_differ_and_are_not_shown() {
        let [one, other] = [(); 2].map(|()| Token::draw().expect("a token"));
        assert_eq!(one.as_str().len(), 64);
        assert_ne!(one.as_str(), other.as_str());
        assert!(!format!("{one:?}").contains(one.as_str()));
    }
}

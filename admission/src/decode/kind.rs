//! What kind of object a document is, and whether a path of the API takes it.
//!
//! Upstream's counterpart: `SimpleMetaFactory.Interpret` (`runtime/serializer/json/meta.go`) reads
//! `apiVersion` and `kind` before anything else, with plain `encoding/json`, so in any case of their
//! letters; `Decode` (`runtime/serializer/json/json.go`) and the codec (`runtime/serializer/versioning`)
//! go on from there; `transformDecodeError` (`apiserver/pkg/endpoints/handlers/rest.go`) writes the
//! sentence around each error.

use std::fmt::Write as _;

use podgate_policy::Minor;

use super::error::{DecodeError, Location, Segment};
use super::{Decoded, decode, described};
use crate::json::{Lexer, RawText, SyntaxError, Token};
use crate::quote::quote;
use crate::resource::{self, Resource};
use crate::value::Text;

/// What a document says about itself; what it does not say is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kind<'a> {
    /// `apiVersion`
    pub api_version: Text<'a>,
    /// `kind`
    pub kind: Text<'a>,
    /// `metadata.namespace`
    pub namespace: Text<'a>,
    /// `metadata.name`
    pub name: Text<'a>,
}

/// Looks through a document for its kind, namespace and name; the rest is skipped, but must be JSON.
pub fn kind_of(bytes: &[u8]) -> Result<Kind<'_>, DecodeError> {
    let mut found = Kind::default();
    let mut wrong: Option<DecodeError> = None;
    interpret(bytes, &mut found, &mut wrong).map_err(DecodeError::syntax)?;
    let error = match wrong {
        Some(error) => error,
        // `schema.ParseGroupVersion`
        None if found.api_version.matches('/').count() > 1 => {
            return Err(DecodeError {
                message: format!("unexpected GroupVersion string: {}", found.api_version),
                location: key("apiVersion", 0),
            });
        }
        None => return Ok(found),
    };
    Err(error)
}

fn interpret<'a>(
    bytes: &'a [u8],
    found: &mut Kind<'a>,
    wrong: &mut Option<DecodeError>,
) -> Result<(), SyntaxError> {
    let mut lexer = Lexer::new(bytes);
    match lexer.peek()? {
        Token::Object => {}
        Token::Null => {
            lexer.null()?;
            return lexer.end();
        }
        token => {
            let offset = lexer.offset();
            lexer.skip()?;
            *wrong = Some(DecodeError {
                message: format!(
                    "json: cannot unmarshal {} into Go value of type struct {{ APIVersion string \
                     \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \
                     \"json:\\\"kind,omitempty\\\"\" }}",
                    described(token)
                ),
                location: Location {
                    path: Vec::new(),
                    offset,
                },
            });
            return lexer.end();
        }
    }
    lexer.open_object()?;
    let mut first = true;
    while let Some(raw) = lexer.key(first)? {
        first = false;
        if folds_to(raw, "apiVersion") {
            text(&mut lexer, "apiVersion", &mut found.api_version, wrong)?;
        } else if folds_to(raw, "kind") {
            text(&mut lexer, "kind", &mut found.kind, wrong)?;
        } else if raw.is("metadata") && lexer.peek()? == Token::Object {
            metadata(&mut lexer, found)?;
        } else {
            lexer.skip()?;
        }
    }
    lexer.end()
}

fn metadata<'a>(lexer: &mut Lexer<'a>, found: &mut Kind<'a>) -> Result<(), SyntaxError> {
    lexer.open_object()?;
    let mut first = true;
    while let Some(raw) = lexer.key(first)? {
        first = false;
        // What is no text here is the decoder's to refuse.
        let is_text = lexer.peek()? == Token::String;
        if is_text && raw.is("namespace") {
            found.namespace = lexer.text()?.text();
        } else if is_text && raw.is("name") {
            found.name = lexer.text()?.text();
        } else {
            lexer.skip()?;
        }
    }
    Ok(())
}

fn text<'a>(
    lexer: &mut Lexer<'a>,
    name: &str,
    into: &mut Text<'a>,
    wrong: &mut Option<DecodeError>,
) -> Result<(), SyntaxError> {
    match lexer.peek()? {
        Token::String => *into = lexer.text()?.text(),
        Token::Null => lexer.null()?,
        token => {
            let location = key(name, lexer.offset());
            lexer.skip()?;
            wrong.get_or_insert_with(|| DecodeError {
                message: format!(
                    "json: cannot unmarshal {} into Go struct field .{name} of type string",
                    described(token)
                ),
                location,
            });
        }
    }
    Ok(())
}

fn key(name: &str, offset: usize) -> Location {
    Location {
        path: vec![Segment::Key(name.to_owned())],
        offset,
    }
}

/// Whether Go's `encoding/json` takes the key for the field called `name`: without regard to case,
/// which for `k` and `s` includes the Kelvin sign and the long s (`fold.go`).
fn folds_to(key: RawText<'_>, name: &str) -> bool {
    let fold = |c: char| match c {
        '\u{212a}' => 'k',
        '\u{17f}' => 's',
        c => c.to_ascii_lowercase(),
    };
    // Each of the two signs is longer than the letter, but no key is three times as long.
    (name.len()..=3 * name.len()).contains(&key.bytes().len())
        && key
            .text()
            .chars()
            .map(fold)
            .eq(name.chars().map(|c| c.to_ascii_lowercase()))
}

/// Decodes the body of a request for `resource`, as a server of `minor` does.
///
/// The error's text is the whole message of the server's 400 answer.
pub fn decode_as<'a>(
    bytes: &'a [u8],
    resource: &Resource,
    minor: Minor,
) -> Result<Decoded<'a>, DecodeError> {
    // In nearly every request the kind is the path's, so the first look is spared.
    if let Ok(decoded) = decode(bytes, resource.schema, minor)
        && says(&decoded, resource)
    {
        return Ok(decoded);
    }

    let found = kind_of(bytes).map_err(|error| {
        let parsed = !error.message.starts_with("unexpected GroupVersion");
        let prefix = if parsed {
            "couldn't get version/kind; json parse error: "
        } else {
            ""
        };
        error.with(|message| unrecognized(resource.kind, &format!("{prefix}{message}"), bytes))
    })?;
    let (api_version, kind) = with_defaults(&found, resource);
    let version = api_version.rsplit('/').next().unwrap_or_default();
    let wrapped = |error: DecodeError| {
        error.with(|message| cannot_be_handled(&kind, version, resource.kind, &message))
    };

    let ours = kind == resource.kind && api_version == resource.api_version();
    let actual = if ours {
        resource
    } else {
        match resource::by_kind(&api_version, &kind, minor) {
            Some(other) => other,
            None => {
                return Err(wrapped(DecodeError {
                    message: not_registered(&kind, &api_version),
                    location: key("kind", 0),
                }));
            }
        }
    };
    let decoded = decode(bytes, actual.schema, minor).map_err(wrapped)?;
    if ours {
        return Ok(decoded);
    }
    if actual.kind == resource.kind && actual.group == resource.group {
        // Versions of one kind convert into each other, but each path takes its own.
        return Err(DecodeError {
            message: format!(
                "the API version in the data ({api_version}) does not match the expected API \
                 version ({})",
                resource.api_version()
            ),
            location: key("apiVersion", 0),
        });
    }
    let internal = |group: &str| match group.split('.').next() {
        None | Some("") => "core".to_owned(),
        Some(first) => first.to_owned(),
    };
    Err(wrapped(DecodeError {
        message: format!(
            "converting ({}) to ({}.{}): unknown conversion",
            actual.schema.go,
            internal(resource.group),
            resource.kind
        ),
        location: key("kind", 0),
    }))
}

/// Whether a decoded object names no other kind than `resource`'s, and no key of it could be
/// another spelling of `kind` and `apiVersion`.
fn says(decoded: &Decoded<'_>, resource: &Resource) -> bool {
    let text = |key| decoded.object.text_at(&[key]);
    let (kind, api_version) = (text("kind"), text("apiVersion"));
    (kind.is_empty() || kind == resource.kind)
        && (api_version.is_empty() || api_version == resource.api_version())
        && decoded
            .strict
            .iter()
            .all(|error| error.location.path.len() > 1)
        && decoded.strict.len() < super::MAX_STRICT_ERRORS
}

/// `gvkWithDefaults`: what the document does not say is as the path says.
fn with_defaults(found: &Kind<'_>, resource: &Resource) -> (String, String) {
    let kind = if found.kind.is_empty() {
        resource.kind
    } else {
        &*found.kind
    };
    let (group, version) = match found.api_version.split_once('/') {
        Some(parts) => parts,
        None => ("", &*found.api_version),
    };
    let api_version = match (group, version) {
        ("", "") => resource.api_version(),
        ("", version) => version.to_owned(),
        (group, "") if group == resource.group => resource.api_version(),
        (group, version) => format!("{group}/{version}"),
    };
    (api_version, kind.to_owned())
}

/// The message of the 400 answer to a document of a known kind.
#[must_use]
pub fn cannot_be_handled(kind: &str, version: &str, expected: &str, message: &str) -> String {
    format!(
        "{kind} in version {} cannot be handled as a {expected}: {message}",
        quote(version)
    )
}

/// The message of the 400 answer to a document that does not say its kind.
#[must_use]
pub fn unrecognized(expected: &str, message: &str, document: &[u8]) -> String {
    format!(
        "the object provided is unrecognized (must be of type {expected}): {message} ({})",
        summary(document)
    )
}

/// The error of a kind that the server does not have.
#[must_use]
pub fn not_registered(kind: &str, api_version: &str) -> String {
    format!(
        "no kind {} is registered for version {} in scheme \
         \"k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30\"",
        quote(kind),
        quote(api_version)
    )
}

/// The start of a body that is no object (`summarizeData`): as it is, or in hexadecimal where it
/// does not even start like JSON.
fn summary(bytes: &[u8]) -> String {
    const LENGTH: usize = 30;
    let start = &bytes[..bytes.len().min(LENGTH)];
    let mut summary = match bytes.first() {
        None => return "<empty>".to_owned(),
        Some(b'{') => String::from_utf8_lossy(start).into_owned(),
        Some(_) => start.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        }),
    };
    if bytes.len() > LENGTH {
        summary.push_str(" ...");
    }
    summary
}

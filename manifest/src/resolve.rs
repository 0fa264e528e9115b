//! What a scalar means: the YAML 1.1 resolver of go-yaml v2.
//!
//! Upstream: go.yaml.in/yaml/v2 `resolve.go` (`resolve`, `parseTimestamp`) and `decoder.scalar` in
//! `decode.go`, decoding into an `interface{}`.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The value of a scalar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar<'a> {
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// A number that fits an int64.
    Int(i64),
    /// A number between the greatest int64 and the greatest uint64.
    Uint(u64),
    /// A floating point number, infinite and NaN too.
    Float(f64),
    /// Text.
    String(Cow<'a, str>),
}

/// The prefix of the tags that YAML itself defines; `!!` stands for it.
const YAML_ORG: &str = "tag:yaml.org,2002:";

impl Scalar<'_> {
    /// The short tag that go-yaml gives the value in messages.
    fn tag(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Uint(_) => "int",
            Self::Float(_) => "float",
            Self::String(_) => "str",
        }
    }
}

/// Resolves a scalar that is plain, or that has a tag; the tag is in its long form, or empty.
pub(crate) fn resolve<'a>(tag: &str, text: &'a str) -> Result<Scalar<'a>, String> {
    let string = Scalar::String(Cow::Borrowed(text));
    if tag.is_empty() {
        return Ok(untagged(text).unwrap_or(string));
    }
    let short = match tag
        .strip_prefix(YAML_ORG)
        .or_else(|| tag.strip_prefix("!!"))
    {
        Some(short @ ("bool" | "int" | "float" | "null" | "timestamp")) => short,
        Some("binary") => return binary(text),
        // Any other tag, `!!str` among them, leaves the text as it is.
        _ => return Ok(string),
    };
    if short == "timestamp" && is_timestamp(text) {
        return Ok(string);
    }
    match untagged(text).unwrap_or(string) {
        value if value.tag() == short => Ok(value),
        #[expect(clippy::cast_precision_loss, reason = "as upstream: float64(v)")]
        Scalar::Int(value) if short == "float" => Ok(Scalar::Float(value as f64)),
        value => Err(mismatch(value.tag(), text, short)),
    }
}

fn mismatch(is: &str, text: &str, tag: &str) -> String {
    format!("cannot decode !!{is} `{text}` as a !!{tag}")
}

fn binary(text: &str) -> Result<Scalar<'_>, String> {
    // Go's decoder skips line breaks and nothing else.
    let packed: Cow<'_, str> = if text.contains(['\r', '\n']) {
        Cow::Owned(text.replace(['\r', '\n'], ""))
    } else {
        Cow::Borrowed(text)
    };
    match STANDARD.decode(packed.as_bytes()) {
        Ok(bytes) => Ok(Scalar::String(Cow::Owned(go_string(&bytes)))),
        Err(_) => Err("!!binary value contains invalid base64 data".to_owned()),
    }
}

/// A Go string as encoding/json writes it: one U+FFFD for each byte that is not UTF-8.
fn go_string(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

/// The value of a plain scalar that is more than text.
fn untagged(text: &str) -> Option<Scalar<'static>> {
    let value = match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ => match text.as_bytes()[0] {
            // Here upstream reads with Go's ParseFloat, which needs digits as well.
            b'.' => return yaml_float(text),
            b'+' | b'-' | b'0'..=b'9' => return number(&text.replace('_', "")),
            _ => return None,
        },
    };
    Some(value)
}

/// An integer of any base, or a float, without underscores.
fn number(plain: &str) -> Option<Scalar<'static>> {
    if let Some(value) = int_any_base(plain) {
        return Some(value);
    }
    if let Some(value) = yaml_float(plain) {
        return Some(value);
    }
    // Upstream tries binary numbers once more on its own, with a sign after the prefix as well.
    if let Some(digits) = plain.strip_prefix("0b") {
        return int(digits, 2);
    }
    if let Some(digits) = plain.strip_prefix("-0b") {
        return signed(&format!("-{digits}"), 2).map(Scalar::Int);
    }
    None
}

/// Go's `strconv.ParseInt(text, 0, 64)`, then `ParseUint`.
fn int_any_base(plain: &str) -> Option<Scalar<'static>> {
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(plain);
    let sign = &plain[..plain.len() - unsigned.len()];
    let (base, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &unsigned[2..]),
        [b'0', b'b' | b'B', ..] => (2, &unsigned[2..]),
        [b'0', b'o' | b'O', ..] => (8, &unsigned[2..]),
        [b'0', _, ..] => (8, &unsigned[1..]),
        _ => (10, unsigned),
    };
    // A second sign is no digit.
    if digits.starts_with(['+', '-']) {
        return None;
    }
    int(&format!("{sign}{digits}"), base)
}

/// Go's `ParseInt`, then its `ParseUint`, which takes no sign, in one base.
fn int(text: &str, base: u32) -> Option<Scalar<'static>> {
    if let Some(value) = signed(text, base) {
        return Some(Scalar::Int(value));
    }
    if text.starts_with('+') {
        return None;
    }
    u64::from_str_radix(text, base).ok().map(Scalar::Uint)
}

fn signed(text: &str, base: u32) -> Option<i64> {
    i64::from_str_radix(text, base).ok()
}

/// What upstream's `yamlStyleFloat` matches and float64 can hold.
fn yaml_float(plain: &str) -> Option<Scalar<'static>> {
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(plain);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits.is_empty() || !all_digits(digits) {
            return None;
        }
    }
    // Beyond float64 Go reports a range error, and the text stays a string.
    plain
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
        .map(Scalar::Float)
}

/// Whether one of upstream's four layouts fits; only an explicit `!!timestamp` asks.
fn is_timestamp(text: &str) -> bool {
    let Some((date, time)) =
        text.split_at_checked(text.find(['T', 't', ' ']).unwrap_or(text.len()))
    else {
        return false;
    };
    let mut parts = date.split('-');
    let (Some(year), Some(month), Some(day), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (Some(year), Some(month), Some(day)) =
        (digits(year, 4, 4), digits(month, 1, 2), digits(day, 1, 2))
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => return false,
    };
    if !(1..=days).contains(&day) {
        return false;
    }
    match time.split_at_checked(1) {
        None => true,
        // With a `T` a zone must follow, with a blank none may.
        Some((" ", clock)) => is_clock(clock),
        Some((_, rest)) => match rest.strip_suffix('Z') {
            Some(clock) => is_clock(clock),
            None => rest.rfind(['+', '-']).is_some_and(|at| {
                is_clock(&rest[..at])
                    && rest[at + 1..]
                        .split_once(':')
                        .is_some_and(|(hours, minutes)| {
                            digits(hours, 2, 2).is_some_and(|h| h <= 24)
                                && digits(minutes, 2, 2).is_some_and(|m| m <= 60)
                        })
            }),
        },
    }
}

/// `15:4:5.999999999`; the fraction is optional and may follow a comma.
fn is_clock(clock: &str) -> bool {
    let mut parts = clock.splitn(3, ':');
    let (Some(hour), Some(minute), Some(second)) = (parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (second, fraction) = match second.find(['.', ',']) {
        Some(at) => (&second[..at], Some(&second[at + 1..])),
        None => (second, None),
    };
    digits(hour, 1, 2).is_some_and(|h| h < 24)
        && digits(minute, 1, 2).is_some_and(|m| m < 60)
        && digits(second, 1, 2).is_some_and(|s| s < 60)
        && fraction.is_none_or(|f| !f.is_empty() && f.bytes().all(|b| b.is_ascii_digit()))
}

fn digits(text: &str, least: usize, most: usize) -> Option<u32> {
    let fits = (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;

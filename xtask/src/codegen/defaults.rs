//! Reads `admission/schema/defaults.txt`: one default a line, as `Struct.field value [minors]`.

use std::fmt;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::go::{self, Kind};

/// A default that depends on no other field.
#[derive(Debug)]
pub(super) struct Default {
    line: usize,
    /// The Go name of the struct, without package: the default holds in each version of it.
    pub structure: String,
    /// The JSON name of the field.
    pub field: String,
    value: Value,
    pub since: Option<u8>,
    pub until: Option<u8>,
}

impl fmt::Display for Default {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}.{}", self.line, self.structure, self.field)
    }
}

impl Default {
    /// The value as a `Scalar` of the tables, if a field of that type can have it.
    pub(super) fn value_for(&self, field: &go::Field) -> Result<String> {
        Ok(match (&self.value, field.ty.kind) {
            (Value::Bool(b), Kind::Bool) => format!("Bool({b})"),
            (Value::Number(n), Kind::Int32 | Kind::Int64) => format!("Int({n})"),
            (Value::String(s), Kind::String | Kind::IntOrString | Kind::Quantity) => {
                format!("Text({s:?})")
            }
            (Value::Object(o), Kind::Struct | Kind::Map) if o.is_empty() => "Empty".to_owned(),
            _ => bail!("{} is no {}", self.value, field.ty.go),
        })
    }
}

/// Reads the file; `#` opens a comment.
pub(super) fn parse(text: &str) -> Result<Vec<Default>> {
    (1..)
        .zip(text.lines())
        .map(|(n, line)| (n, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(n, line)| parse_line(n, line).with_context(|| format!("line {n}: {line}")))
        .collect()
}

fn parse_line(line: usize, text: &str) -> Result<Default> {
    let (path, rest) = text.split_once(' ').context("a value is missing")?;
    let (structure, field) = path.split_once('.').context("it names no field")?;
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    let value = values.next().context("a value is missing")??;
    let minors = rest[values.byte_offset()..].trim();
    let (since, until) = if minors.is_empty() {
        (None, None)
    } else {
        let (since, until) = minors
            .split_once("..")
            .context("minors are a range: 1.21..1.24, 1.21.. or ..1.24")?;
        (minor(since)?, minor(until)?)
    };
    Ok(Default {
        line,
        structure: structure.to_owned(),
        field: field.to_owned(),
        value,
        since,
        until,
    })
}

fn minor(text: &str) -> Result<Option<u8>> {
    if text.is_empty() {
        return Ok(None);
    }
    let number = text
        .strip_prefix("1.")
        .with_context(|| format!("{text:?} is no minor"))?;
    Ok(Some(number.parse()?))
}

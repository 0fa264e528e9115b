//! Amounts of resources, compared as the server compares them.
//!
//! Upstream: `apimachinery/pkg/api/resource/quantity.go`. The tree has quantities in canonical
//! form, so their texts are printed as they are; only their values are computed here.

use crate::value::Value;

/// A quantity in billionths, the finest unit there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Quantity(i128);

const UNIT: i128 = 1_000_000_000;

impl Quantity {
    pub(crate) const ZERO: Self = Self(0);

    /// The quantity in the tree; zero where it cannot be read, as decoding has refused it then.
    pub(crate) fn of(value: &Value<'_>) -> Self {
        match value {
            Value::String(text) => Self::parse(text).unwrap_or(Self::ZERO),
            Value::Int(n) => Self(i128::from(*n) * UNIT),
            _ => Self::ZERO,
        }
    }

    /// Reads a quantity; what is finer than a billionth is rounded away from zero.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let digits = format!("{whole}{fraction}");
        let digits: i128 = match digits.trim_start_matches('0') {
            "" => 0,
            digits if digits.len() > 30 => i128::MAX / UNIT,
            digits => digits.parse().ok()?,
        };
        let fraction = i32::try_from(fraction.len()).ok()?;
        let (exponent, factor) = match suffix {
            "n" => (-9, 1),
            "u" => (-6, 1),
            "m" => (-3, 1),
            "" => (0, 1),
            "k" => (3, 1),
            "M" => (6, 1),
            "G" => (9, 1),
            "T" => (12, 1),
            "P" => (15, 1),
            "E" => (18, 1),
            "Ki" => (0, 1 << 10),
            "Mi" => (0, 1 << 20),
            "Gi" => (0, 1 << 30),
            "Ti" => (0, 1 << 40),
            "Pi" => (0, 1 << 50),
            "Ei" => (0, 1 << 60),
            _ => (suffix.strip_prefix(['e', 'E'])?.parse().ok()?, 1_i128),
        };
        let scale = exponent - fraction + 9;
        let value = digits.saturating_mul(factor);
        let value = if scale >= 0 {
            let power = 10_i128
                .checked_pow(scale.unsigned_abs())
                .unwrap_or(i128::MAX);
            value.saturating_mul(power)
        } else {
            let power = 10_i128
                .checked_pow(scale.unsigned_abs())
                .unwrap_or(i128::MAX);
            value / power + i128::from(value % power != 0)
        };
        Some(Self(if negative { -value } else { value }))
    }

    /// `Value`: the quantity as an integer, rounded away from zero.
    pub(crate) fn value(self) -> i128 {
        let up = i128::from(self.0 % UNIT != 0) * self.0.signum();
        self.0 / UNIT + up
    }

    /// Whether `MilliValue` is a whole number of units.
    pub(crate) fn is_whole_in_thousandths(self) -> bool {
        let thousandth = UNIT / 1000;
        let milli = self.0 / thousandth + i128::from(self.0 % thousandth != 0) * self.0.signum();
        milli % 1000 == 0
    }

    /// The canonical text, with binary suffixes where `like` has one.
    pub(crate) fn canonical(self, like: &str) -> String {
        let binary = like.ends_with('i');
        if binary && self.0.abs() >= 1024 * UNIT {
            let (mut value, mut suffix) = (self.value(), 0);
            while value % 1024 == 0 && suffix < 6 {
                value /= 1024;
                suffix += 1;
            }
            return format!(
                "{value}{}",
                ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][suffix]
            );
        }
        let (mut value, mut suffix) = (self.0, 0);
        while value != 0 && value % 1000 == 0 && suffix < 9 {
            value /= 1000;
            suffix += 1;
        }
        if value == 0 {
            return "0".to_owned();
        }
        format!(
            "{value}{}",
            ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"][suffix]
        )
    }

    /// The sum.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("100m", "0.1")]
    #[case("1Ki", "1024")]
    #[case("1e3", "1k")]
    #[case("1.5Gi", "1610612736")]
    #[case("-1", "-1000m")]
    #[case("0.0000000001", "1n")]
    fn reads_equal_amounts(#[case] a: &str, #[case] b: &str) {
        assert!(Quantity::parse(a).is_some());
        assert_eq!(Quantity::parse(a), Quantity::parse(b));
    }

    #[rstest]
    #[case("1500m", "1", "1500m")]
    #[case("2000m", "1", "2")]
    #[case("1024Mi", "1Mi", "1Gi")]
    #[case("1000", "1Mi", "1k")]
    #[case("0", "1", "0")]
    fn writes_canonical_texts(#[case] text: &str, #[case] like: &str, #[case] canonical: &str) {
        let quantity = Quantity::parse(text).unwrap();
        assert_eq!(quantity.canonical(like), canonical);
    }

    #[rstest]
    #[case("1500m", 2)]
    #[case("-1500m", -2)]
    #[case("2", 2)]
    fn rounds_away_from_zero(#[case] text: &str, #[case] value: i128) {
        assert_eq!(Quantity::parse(text).map(Quantity::value), Some(value));
    }
}

//! Numbers as Go prints them, which is how they stand in the body that kubectl sends.
//!
//! Upstream: `floatEncoder` of Go's encoding/json, `convertNumber` of sigs.k8s.io/json (an integer
//! that fits 64 bits stays one, anything else is a float64), and the key of a float in
//! `convertToJSONableObject` of sigs.k8s.io/yaml (`strconv.FormatFloat(key, 'g', -1, 32)`).

use std::borrow::Cow;

/// A finite float64 as encoding/json writes it.
pub(crate) fn json_float(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        // Go writes the exponent's sign always, and here without a leading zero.
        return signed_exponent(&format!("{value:e}"), 1);
    }
    // Rust's Display prints the shortest digits that read back, without an exponent, as Go's 'f'.
    value.to_string()
}

/// A float64 that stands as a key in YAML.
#[expect(
    clippy::cast_possible_truncation,
    reason = "upstream prints keys with 32 bits"
)]
pub(crate) fn yaml_float_key(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    let value = value as f32;
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let exponent: i32 = scientific
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or(0);
    // The 'g' format with the shortest digits turns scientific outside of these exponents.
    if !(-4..6).contains(&exponent) {
        return signed_exponent(&scientific, 2);
    }
    value.to_string()
}

/// `1.5e7` as `1.5e+07`, with at least `digits` digits in the exponent.
fn signed_exponent(scientific: &str, digits: usize) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{exponent:0>digits$}")
}

/// A number of a JSON text as it stands after a round trip through `map[string]interface{}`.
///
/// `None` stands for a number beyond float64.
pub(crate) fn json_number(token: &str) -> Option<Cow<'_, str>> {
    if !token.contains(['.', 'e', 'E']) {
        if token == "-0" {
            return Some(Cow::Borrowed("0"));
        }
        if token.parse::<i64>().is_ok() {
            return Some(Cow::Borrowed(token));
        }
    }
    let value: f64 = token.parse().ok()?;
    value.is_finite().then(|| Cow::Owned(json_float(value)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(1000.0, "1000")]
    #[case(0.5, "0.5")]
    #[case(1e21, "1e+21")]
    #[case(1.5e300, "1.5e+300")]
    #[case(1e20, "100000000000000000000")]
    #[case(1e-6, "0.000001")]
    #[case(1e-7, "1e-7")]
    #[case(1.25e-12, "1.25e-12")]
    #[case(12_345_678_901_234_567_890.0, "12345678901234567000")]
    #[case(-0.0, "-0")]
    fn floats(#[case] value: f64, #[case] expected: &str) {
        assert_eq!(json_float(value), expected);
    }

    #[rstest]
    #[case(1000.0, "1000")]
    #[case(1e5, "100000")]
    #[case(1e6, "1e+06")]
    #[case(1_234_567.0, "1.234567e+06")]
    #[case(1e21, "1e+21")]
    #[case(0.0001, "0.0001")]
    #[case(0.00001, "1e-05")]
    #[case(16_777_217.0, "1.6777216e+07")]
    #[case(0.1, "0.1")]
    #[case(100_000.5, "100000.5")]
    #[case(1e39, ".inf")]
    #[case(f64::NEG_INFINITY, "-.inf")]
    #[case(f64::NAN, ".nan")]
    fn float_keys(#[case] value: f64, #[case] expected: &str) {
        assert_eq!(yaml_float_key(value), expected);
    }

    #[rstest]
    #[case("5", Some("5"))]
    #[case("5.0", Some("5"))]
    #[case("1e3", Some("1000"))]
    #[case("-0", Some("0"))]
    #[case("-0.0", Some("-0"))]
    #[case("9223372036854775807", Some("9223372036854775807"))]
    #[case("9223372036854775808", Some("9223372036854776000"))]
    #[case("12345678901234567890", Some("12345678901234567000"))]
    #[case("1e400", None)]
    fn json_numbers(#[case] token: &str, #[case] expected: Option<&str>) {
        assert_eq!(json_number(token).as_deref(), expected);
    }
}

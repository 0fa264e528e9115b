//! The expectations are what `resource.ParseQuantity` and `String` of `k8s.io/apimachinery` 0.36
//! gave for the same texts.

use super::{MILLI, Quantity, QuantityError};
use rstest::rstest;

#[rstest]
// Zeros, and what upstream's quick path takes for one.
#[case("0", "0")]
#[case("00", "0")]
#[case(".", "0")]
#[case("m", "0")]
#[case("Ki", "0")]
// Decimal suffixes.
#[case("1", "1")]
#[case("100m", "100m")]
#[case("0.1", "100m")]
#[case("1.5", "1500m")]
#[case("1000m", "1")]
#[case("1024", "1024")]
#[case("1048576", "1048576")]
#[case("1000k", "1M")]
#[case("0.1m", "100u")]
#[case("0.1n", "1n")]
#[case("-0.1n", "-1n")]
#[case("0.0000000001", "1n")]
#[case("12345678901234567890", "12345678901234567890")]
// Texts that a quick test takes for canonical.
#[case("1.500", "1.500")]
#[case("+1Ki", "+1Ki")]
#[case("01Ki", "01Ki")]
// Beyond the largest suffix there is none.
#[case("1000E", "1")]
// Binary suffixes.
#[case("1Ki", "1Ki")]
#[case("8Ki", "8Ki")]
#[case("1024Ki", "1Mi")]
#[case("2048Mi", "2Gi")]
#[case("1000Mi", "1000Mi")]
#[case("1.5Gi", "1536Mi")]
#[case("-1.5Gi", "-1536Mi")]
#[case("0.5Ki", "512")]
#[case("1.1Mi", "1153433600m")]
#[case("1.0000000001Ki", "1024000000103n")]
#[case("8Ei", "9223372036854775807")]
#[case("16Ei", "9223372036854775807")]
#[case("9223372036854775808Ki", "9223372036854775807")]
// Exponents.
#[case("1e3", "1e3")]
#[case("1E3", "1E3")]
#[case("1.5e3", "1500")]
#[case("1e0", "1e0")]
#[case("1e-3", "1e-3")]
#[case("1e-12", "1e-9")]
#[case("1e21", "1e21")]
#[case("5e1000000000", "50e999999999")]
fn canonical(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(Quantity::parse(text).unwrap().canonical(), expected);
}

#[rstest]
#[case("", QuantityError::Format)]
#[case("1.5x", QuantityError::Format)]
#[case("1KiB", QuantityError::Format)]
#[case("1.5.5", QuantityError::Format)]
#[case("1 k", QuantityError::Format)]
#[case("é", QuantityError::Format)]
#[case("1Kii", QuantityError::Suffix)]
#[case("1e", QuantityError::Suffix)]
#[case("1k5", QuantityError::Suffix)]
#[case("-.e-20", QuantityError::Numeric)]
fn refused(#[case] text: &str, #[case] expected: QuantityError) {
    assert_eq!(Quantity::parse(text).unwrap_err(), expected);
}

#[rstest]
#[case("1", "1000m", true)]
#[case("1Ki", "1024", true)]
#[case("1Ki", "1k", false)]
#[case("-1", "1", false)]
#[case("0", "-0", true)]
#[case("1e1000000000", "10e999999999", true)]
#[case("1e1000000000", "1e999999999", false)]
fn equal(#[case] a: &str, #[case] b: &str, #[case] expected: bool) {
    let (a, b) = (Quantity::parse(a).unwrap(), Quantity::parse(b).unwrap());
    assert_eq!(a == b, expected);
    assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
}

#[rstest]
#[case(&["-2Gi", "-1Gi", "-1", "-1m", "0", "1n", "999m", "1", "1000", "1Ki", "1M", "1Mi", "1e100"])]
fn ordered(#[case] texts: &[&str]) {
    let quantities: Vec<_> = texts.iter().map(|t| Quantity::parse(t).unwrap()).collect();
    assert!(quantities.is_sorted(), "{quantities:?}");
}

#[rstest]
#[case("1", 1, 1000)]
#[case("1m", 1, 1)]
#[case("1u", 1, 1)]
#[case("-1500m", -2, -1500)]
#[case("2500m", 3, 2500)]
#[case("1Ki", 1024, 1_024_000)]
#[case("1e30", i64::MAX, i64::MAX)]
fn values(#[case] text: &str, #[case] value: i64, #[case] milli: i64) {
    let quantity = Quantity::parse(text).unwrap();
    assert_eq!((quantity.value(), quantity.milli_value()), (value, milli));
}

#[rstest]
#[case("100u", "1m")]
#[case("1.5m", "2m")]
#[case("-1u", "-1m")]
#[case("1.500", "1.500")]
#[case("1Gi", "1Gi")]
#[case("0.0001Ki", "103m")]
fn rounds_up_to_milli(#[case] text: &str, #[case] expected: &str) {
    let mut quantity = Quantity::parse(text).unwrap();
    quantity.round_up(MILLI);
    assert_eq!(quantity.canonical(), expected);
}

#[rstest]
#[case("1Gi", "1Gi", "2Gi")]
#[case("1", "500m", "1500m")]
#[case("0", "1Ki", "1Ki")]
#[case("512Mi", "1000", "536871912")]
#[case("9223372036854775807", "1", "9223372036854775808")]
#[case("1e1000000000", "1", "10e999999999")]
fn sums(#[case] a: &str, #[case] b: &str, #[case] expected: &str) {
    let mut sum = Quantity::parse(a).unwrap();
    sum.add(&Quantity::parse(b).unwrap());
    assert_eq!(sum.canonical(), expected);
}

//! What scalars become, by facts read from real kubectl.

use rstest::rstest;

use crate::{Source, read_documents};

/// What a text stands for as a value, or the message that refuses it.
fn value(text: &str) -> String {
    let source = Source::new("f.yaml", format!("k: {text}\n"));
    match read_documents(&source).next().expect("a document") {
        Ok(document) => {
            let body = document.body();
            body.strip_prefix(r#"{"k":"#)
                .and_then(|b| b.strip_suffix('}'))
                .expect("k")
                .to_owned()
        }
        Err(error) => error.message().to_owned(),
    }
}

#[rstest]
fn true_words(
    #[values(
        "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"
    )]
    text: &str,
) {
    assert_eq!(value(text), "true");
}

#[rstest]
fn false_words(
    #[values(
        "n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"
    )]
    text: &str,
) {
    assert_eq!(value(text), "false");
}

#[rstest]
fn null_words(#[values("", "~", "null", "Null", "NULL", "!!null ''")] text: &str) {
    assert_eq!(value(text), "null");
}

#[rstest]
#[case("0644", "420")]
#[case("010", "8")]
#[case("0o644", "420")]
#[case("0x1F", "31")]
#[case("0b101", "5")]
#[case("1_000", "1000")]
#[case("+1", "1")]
#[case("-0", "0")]
#[case("-0x1f", "-31")]
#[case("-0o17", "-15")]
#[case("0b-101", "-5")]
#[case("-0b101", "-5")]
#[case("08", "8")]
#[case("09", "9")]
#[case("-08", "-8")]
#[case("0", "0")]
#[case("00", "0")]
#[case("0_8", "8")]
#[case("1_", "1")]
#[case("9223372036854775807", "9223372036854775807")]
#[case("-9223372036854775808", "-9223372036854775808")]
#[case("9223372036854775808", "9223372036854776000")]
#[case("12345678901234567890", "12345678901234567000")]
#[case("123456789012345678901234567890", "1.2345678901234568e+29")]
#[case("0xFFFFFFFFFFFFFFFF", "18446744073709552000")]
fn integers(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(value(text), expected);
}

#[rstest]
#[case("1e3", "1000")]
#[case("1.0", "1")]
#[case("5.", "5")]
#[case(".5", "0.5")]
#[case("1.50", "1.5")]
#[case("1e21", "1e+21")]
#[case("1E-7", "1e-7")]
#[case("-0.0", "0")]
#[case("+.5", "0.5")]
#[case("1_0.5", "10.5")]
#[case("0.000001", "0.000001")]
fn floats(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(value(text), expected);
}

#[rstest]
#[case("tRue", "tRue")]
#[case("nULL", "nULL")]
#[case("1:30", "1:30")]
#[case("190:20:30", "190:20:30")]
#[case("2001-01-01", "2001-01-01")]
#[case("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00")]
#[case("1.2.3", "1.2.3")]
#[case("1e400", "1e400")]
#[case("0x", "0x")]
#[case("0xg", "0xg")]
#[case("0b102", "0b102")]
#[case("1e", "1e")]
#[case(".", ".")]
#[case("-x", "-x")]
#[case("+", "+")]
#[case("--1", "--1")]
#[case("0x-1", "0x-1")]
#[case("_1", "_1")]
#[case("'5'", "5")]
#[case("\"yes\"", "yes")]
#[case("!!str 1", "1")]
#[case("!!str yes", "yes")]
#[case("!!str", "")]
#[case("!other 5", "5")]
#[case("!!set 5", "5")]
#[case("! 5", "5")]
#[case("!!binary aGVsbG8=", "hello")]
#[case("!!timestamp 2001-01-01", "2001-01-01")]
#[case("!!timestamp '2001-1-1 1:2:3'", "2001-1-1 1:2:3")]
#[case("500m", "500m")]
#[case("1Gi", "1Gi")]
fn strings(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(value(text), format!("{expected:?}"));
}

#[rstest]
#[case("!!int \"5\"", "5")]
#[case("!!int 0x10", "16")]
#[case("!!float 1", "1")]
#[case("!!bool 'yes'", "true")]

fn tagged(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(value(text), expected);
}

#[rstest]
#[case(".inf", "json: unsupported value: +Inf")]
#[case("-.Inf", "json: unsupported value: -Inf")]
#[case(".nan", "json: unsupported value: NaN")]
#[case("!!int x", "cannot decode !!str `x` as a !!int")]
#[case("!!int 1.5", "cannot decode !!float `1.5` as a !!int")]
#[case("!!float yes", "cannot decode !!bool `yes` as a !!float")]
#[case("!!null x", "cannot decode !!str `x` as a !!null")]
#[case("!!binary '*'", "!!binary value contains invalid base64 data")]
#[case(
    "!!timestamp 2001-13-01",
    "cannot decode !!str `2001-13-01` as a !!timestamp"
)]
fn refused(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(value(text), expected);
}

/// The name that a key gets, or the message that refuses it.
fn key(text: &str) -> String {
    let source = Source::new("f.yaml", format!("? {text}\n: 1\n"));
    match read_documents(&source).next().expect("a document") {
        Ok(document) => {
            let body = document.body();
            body.strip_prefix("{\"")
                .and_then(|b| b.strip_suffix("\":1}"))
                .expect("k")
                .to_owned()
        }
        Err(error) => error.message().to_owned(),
    }
}

#[rstest]
#[case("1", "1")]
#[case("0x10", "16")]
#[case("yes", "true")]
#[case("n", "false")]
#[case("1e3", "1000")]
#[case("1.5", "1.5")]
#[case("1.10", "1.1")]
#[case("1e6", "1e+06")]
#[case(".inf", ".inf")]
#[case("-.inf", "-.inf")]
#[case(".nan", ".nan")]
#[case("'yes'", "yes")]
#[case("2001-01-01", "2001-01-01")]
#[case("~", "unsupported map key of type: %!s(<nil>)")]
#[case("", "unsupported map key of type: %!s(<nil>)")]
#[case("12345678901234567890", "unsupported map key of type: uint64")]
#[case("[a, b]", "invalid map key: []interface {}{\"a\", \"b\"}")]
#[case("{a: 1}", "invalid map key: map[interface {}]interface {}{\"a\":1}")]
fn keys(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(key(text), expected);
}

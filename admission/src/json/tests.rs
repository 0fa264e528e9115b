//! The error texts and the texts read are Go's; what is accepted is compared with serde, too.

use super::{Lexer, MAX_DEPTH, Token};
use crate::decode::decode_untyped;
use rstest::rstest;

/// Go's text for the error in `json` and its offset, or nothing.
fn skipped(json: &[u8]) -> Option<(String, usize)> {
    let mut lexer = Lexer::new(json);
    let result = lexer.skip().and_then(|()| lexer.end());
    result.err().map(|e| (e.to_string(), e.offset))
}

// The texts are those of Go 1.26's `encoding/json`.
#[rstest]
#[case("", "unexpected end of JSON input", 0)]
#[case(" ", "unexpected end of JSON input", 1)]
#[case("{", "unexpected end of JSON input", 1)]
#[case("{\"a\"", "unexpected end of JSON input", 4)]
#[case("{\"a\":", "unexpected end of JSON input", 5)]
#[case("{\"a\":1", "unexpected end of JSON input", 6)]
#[case("[", "unexpected end of JSON input", 1)]
#[case("[1", "unexpected end of JSON input", 2)]
#[case("\"a", "unexpected end of JSON input", 2)]
#[case("x", "invalid character 'x' looking for beginning of value", 0)]
#[case("'", r"invalid character '\'' looking for beginning of value", 0)]
#[case(
    "\u{feff}{}",
    "invalid character 'ï' looking for beginning of value",
    0
)]
#[case("\u{1}", r"invalid character '\x01' looking for beginning of value", 0)]
#[case("[1,]", "invalid character ']' looking for beginning of value", 3)]
#[case(
    "{,}",
    "invalid character ',' looking for beginning of object key string",
    1
)]
#[case(
    "{\"a\":1,}",
    "invalid character '}' looking for beginning of object key string",
    7
)]
#[case(
    "{a:1}",
    "invalid character 'a' looking for beginning of object key string",
    1
)]
#[case("{\"a\" 1}", "invalid character '1' after object key", 5)]
#[case(
    "{\"a\":1 \"b\"}",
    "invalid character '\"' after object key:value pair",
    7
)]
#[case("[1 2]", "invalid character '2' after array element", 3)]
#[case("{} x", "invalid character 'x' after top-level value", 3)]
#[case("\"\n\"", r"invalid character '\n' in string literal", 1)]
#[case(r#""\x""#, "invalid character 'x' in string escape code", 2)]
#[case(r#""\"#, "invalid character ' ' in string escape code", 2)]
#[case(
    r#""\u12g4""#,
    r"invalid character 'g' in \u hexadecimal character escape",
    5
)]
#[case("-", "invalid character ' ' in numeric literal", 1)]
#[case("-a", "invalid character 'a' in numeric literal", 1)]
#[case("01", "invalid character '1' after top-level value", 1)]
#[case(
    "1.",
    "invalid character ' ' after decimal point in numeric literal",
    2
)]
#[case(
    "1.e5",
    "invalid character 'e' after decimal point in numeric literal",
    2
)]
#[case("1e+", "invalid character ' ' in exponent of numeric literal", 3)]
#[case("tru", "invalid character ' ' in literal true (expecting 'e')", 3)]
#[case("folse", "invalid character 'o' in literal false (expecting 'a')", 1)]
#[case("nuLl", "invalid character 'L' in literal null (expecting 'l')", 2)]
fn syntax_errors(#[case] json: &str, #[case] text: &str, #[case] offset: usize) {
    assert_eq!(skipped(json.as_bytes()), Some((text.to_owned(), offset)));
}

#[rstest]
#[case(br#""plain""#, "plain")]
#[case(br#""""#, "")]
#[case(br#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t")]
#[case(br#""\u0041\u00e9\u65e5""#, "Aé日")]
#[case(br#""\ud83c\udf89""#, "🎉")]
// Half a surrogate pair, and what follows read on its own.
#[case(br#""\ud83c""#, "\u{fffd}")]
#[case(br#""\ud83cx""#, "\u{fffd}x")]
#[case(br#""\ud83c\u0041""#, "\u{fffd}A")]
#[case(br#""\udf89\ud83c\udf89""#, "\u{fffd}🎉")]
// One U+FFFD for each byte that is no UTF-8, also in a sequence that starts well.
#[case(b"\"a\xffb\"", "a\u{fffd}b")]
#[case(b"\"\xe2\x82\"", "\u{fffd}\u{fffd}")]
#[case(b"\"\xed\xa0\x80\\n\"", "\u{fffd}\u{fffd}\u{fffd}\n")]
#[case("\"é\u{2028}\"".as_bytes(), "é\u{2028}")]
#[case(b"\"\x7f\"", "\u{7f}")]
fn texts(#[case] json: &[u8], #[case] expected: &str) {
    let mut lexer = Lexer::new(json);
    assert_eq!(lexer.peek().unwrap(), Token::String);
    let raw = lexer.text().unwrap();
    assert_eq!(raw.text(), expected);
    assert!(raw.is(expected) || raw.borrowed().is_none());
    lexer.end().unwrap();
}

/// Every position of a special byte in a long text is found, eight bytes at a time or one.
#[rstest]
fn a_text_ends_where_it_ends(#[values(b'"', b'\\', 0x1f, 0x00)] special: u8) {
    for length in 0..40 {
        // Bytes beyond ASCII and those next to the special ones must not be taken for them.
        let mut json = b"\"".to_vec();
        json.extend(
            [0xff, b' ', b'!', b'#', b'[', b']', 0x80, 0xa2]
                .iter()
                .cycle()
                .take(length),
        );
        json.push(special);
        let error = skipped(&json);
        match special {
            b'"' => assert_eq!(error, None, "{length}"),
            b'\\' => assert_eq!(error.unwrap().1, length + 2),
            _ => assert_eq!(error.unwrap().1, length + 1),
        }
    }
}

#[test]
fn nests_as_deep_as_go() {
    let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    assert_eq!(skipped(&nested(MAX_DEPTH)), None);
    let error = skipped(&nested(MAX_DEPTH + 1)).unwrap();
    assert_eq!(
        error,
        (
            "invalid character '[' exceeded max depth".to_owned(),
            MAX_DEPTH
        )
    );

    // Lists and objects in turn, over several words of the bits that tell them apart.
    let depth = 200;
    let json = "[{\"a\":".repeat(depth) + "1" + &"}]".repeat(depth);
    assert_eq!(skipped(json.as_bytes()), None);
    let crossed = "[{\"a\":".repeat(depth) + "1" + &"]}".repeat(depth);
    assert!(skipped(crossed.as_bytes()).is_some());
}

/// What serde accepts and refuses is accepted and refused, in documents with random damage.
#[test]
fn agrees_with_serde() {
    let seed =
        br#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","labels":{"a/b":"\u00e9\n"}},
        "spec":{"n":[0,-1,10,1.5,-0.25,1e3,2E-2],"t":true,"f":false,"z":null,"e":{},"l":[ ]}}"#;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut accepted = 0;
    for _ in 0..20_000 {
        let mut json = seed.to_vec();
        for _ in 0..=random.below(2) {
            let at = random.below(json.len());
            match random.below(3) {
                0 => drop(json.remove(at)),
                1 => json[at] = b"{}[]\",:\\0123456789eE+-.tfnu /\x01a"[random.below(31)],
                _ => json.insert(
                    at,
                    b"{}[]\",:\\0123456789eE+-.tfnu /\x01a"[random.below(31)],
                ),
            }
        }
        let serde = serde_json::from_slice::<serde_json::Value>(&json);
        // The differences that there shall be: half of a surrogate pair, and infinite numbers.
        if serde.as_ref().is_err_and(|e| {
            let text = e.to_string();
            text.contains("surrogate")
                || text.contains("hex escape")
                || text.contains("out of range")
        }) {
            continue;
        }
        let ours = decode_untyped(&json);
        assert_eq!(skipped(&json).is_none(), ours.is_ok());
        assert_eq!(
            serde.is_ok(),
            ours.is_ok(),
            "{}",
            String::from_utf8_lossy(&json)
        );
        accepted += usize::from(ours.is_ok());
    }
    assert!((2_000..18_000).contains(&accepted), "{accepted} accepted");
}

/// A repeatable sequence without a crate (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

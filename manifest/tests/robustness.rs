//! Whatever stands in a file: an answer, no panic, and no more work than the text is worth.

use std::fmt::Write as _;

use podgate_manifest::{FieldPath, Source, read_documents};

#[path = "corpus/mod.rs"]
#[expect(dead_code, reason = "the texts are for the comparison with kubectl")]
mod corpus;

/// Reads a text and uses everything that it gives.
fn exhaust(bytes: &[u8]) -> usize {
    let source = Source::new("f.yaml", bytes);
    let path = FieldPath::parse("spec.containers[0].env[1].value").0;
    let mut read = 0;
    for document in read_documents(&source) {
        read += 1;
        match document {
            Ok(document) => {
                read += document.body().len() + document.nearest(&path).0;
                let _ = document.check_object();
                for object in document.flatten() {
                    read += object.map_or_else(|error| error.render().len(), |o| o.body().len());
                }
            }
            Err(error) => {
                let position = error.position().expect("a position");
                assert!(position.line >= 1 && position.column >= 1);
                read += error.render().len();
            }
        }
    }
    read
}

#[test]
fn every_prefix() {
    for manifest in corpus::MANIFESTS {
        for end in 0..=manifest.len() {
            exhaust(&manifest.as_bytes()[..end]);
            exhaust(&manifest.as_bytes()[end..]);
        }
    }
}

#[test]
fn flipped_bytes() {
    let mut random = corpus::Random(7);
    for _ in 0..4000 {
        let mut bytes = random.pick(corpus::MANIFESTS).as_bytes().to_vec();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            bytes[at] = random.next().to_le_bytes()[0];
        }
        exhaust(&bytes);
    }
}

/// The bytes that mean something, and some that do not.
const SIGNS: &[u8] = b" \n\t:-?#[]{},&*!|>'\"%@`~.0a\\<=\r\xC2\x85\xE2\x80\xA8";

#[test]
fn noise() {
    let mut random = corpus::Random(9);
    for _ in 0..4000 {
        let length = random.below(40);
        let bytes: Vec<u8> = (0..length).map(|_| *random.pick(SIGNS)).collect();
        exhaust(&bytes);
    }
}

#[track_caller]
fn refused(text: &str, message: &str) {
    let source = Source::new("f.yaml", text);
    let error = read_documents(&source)
        .next()
        .expect("a document")
        .expect_err("an error");
    assert_eq!(error.message(), message);
    exhaust(text.as_bytes());
}

#[test]
fn alias_bombs() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(text, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    refused(&text, "document contains excessive aliasing");

    let mut text = String::from("a0: &a0 {k0: x}\n");
    for level in 1..40 {
        let before = level - 1;
        let merge = format!("<<: [*a{before}, *a{before}]");
        writeln!(text, "a{level}: &a{level} {{{merge}, k{level}: x}}").unwrap();
    }
    refused(&text, "document contains excessive aliasing");
}

#[test]
fn deep_nesting() {
    refused(
        &format!("a: {}", "[".repeat(200_000)),
        "exceeded max depth of 10000",
    );
    refused(
        &format!("a: {}", "{a: ".repeat(200_000)),
        "exceeded max depth of 10000",
    );
    refused(
        &format!("{}a", "- ".repeat(200_000)),
        "exceeded max depth of 10000",
    );
    refused(
        &format!("{{\"a\": {}", "[".repeat(200_000)),
        "exceeded max depth",
    );
    refused(&"{\"a\":".repeat(200_000), "exceeded max depth");
    // As deep as it may be, and every part of it is used without a deep stack.
    exhaust(format!("a: {}{}", "[".repeat(9_990), "]".repeat(9_990)).as_bytes());
    exhaust(format!("{{\"a\":{}{}}}", "[".repeat(9_990), "]".repeat(9_990)).as_bytes());
    // Aliases may be nested deeper than the text.
    let nested = |inner: &str| format!("{}{inner}{}", "[".repeat(6_000), "]".repeat(6_000));
    let text = format!("a: &a {}\nb: &b {}\n", nested("x"), nested("*a"));
    refused(&text, "exceeded max depth");
}

#[test]
fn large_texts() {
    // A scalar of several megabytes, a mapping of many keys, and many documents.
    exhaust(format!("a: \"{}\"\n", "x".repeat(4 << 20)).as_bytes());
    exhaust(format!("a: {}\n", "x y ".repeat(1 << 19)).as_bytes());
    let mut keys = String::new();
    for i in 0..20_000 {
        writeln!(keys, "key-{i}: {{a: &x{i} !t{i} [1, x], b: *x{i}}}").unwrap();
    }
    exhaust(keys.as_bytes());
    exhaust("a: 1\n---\n".repeat(20_000).as_bytes());
    exhaust("{\"a\":1}".repeat(20_000).as_bytes());
    exhaust(format!("a:{}\n", " [a: b,".repeat(3_000)).as_bytes());
    exhaust(format!("{{{}", "\"a\": \"".repeat(20_000)).as_bytes());
}

//! Files that are packed: whole ones, ones in several parts, and ones that were cut off.

use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use rstest::rstest;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    compress_to_vec(text, CompressionLevel::Fastest)
}

/// More than a chunk of records.
fn records() -> Vec<String> {
    let record = |at: usize| format!(r#"{{"at":{at},"x":"{}"}}"#, "x".repeat(at % 200));
    (0..20_000).map(record).collect()
}

/// The records of a file with that content, and the errors with their lines.
fn read(name: &str, content: &[u8]) -> (Vec<String>, Vec<(String, usize)>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, content).unwrap();
    let counted = Arc::new(AtomicU64::new(0));
    let mut inputs = Inputs::new(&[file], false, Arc::clone(&counted));
    let (mut records, mut unread, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(chunk) = inputs.next(bytes) {
        let mut add = |record: &[u8]| records.push(String::from_utf8(record.to_vec()).unwrap());
        chunk.each(|record, _, _| add(record));
        unread.extend(chunk.unread.map(|unread| (unread.error, unread.line)));
        bytes = chunk.bytes;
    }
    // The progress is told by what is stored.
    assert_eq!(
        counted.load(Ordering::Relaxed),
        content.len() as u64 - magic(content)
    );
    (records, unread)
}

/// The bytes that tell how a file is packed are read before any are counted.
fn magic(content: &[u8]) -> u64 {
    content.len().min(4) as u64
}

#[rstest]
#[case::plain("dump.jsonl", <[u8]>::to_vec)]
#[case::gzip("dump.jsonl.gz", gzip)]
#[case::zstd("dump.jsonl.zst", zstd)]
#[case::by_its_bytes_alone("dump", gzip)]
fn reads_what_is_packed(#[case] name: &str, #[case] pack: fn(&[u8]) -> Vec<u8>) {
    let expected = records();
    let text = expected.join("\n").into_bytes();
    assert_eq!(read(name, &pack(&text)), (expected.clone(), Vec::new()));
    // As `cat a.gz b.gz` makes it; where one part ends means nothing.
    let (one, other) = text.split_at(text.len() / 3);
    let parts = [pack(one), pack(other)].concat();
    assert_eq!(read(name, &parts), (expected, Vec::new()));
}

/// The records in front of the end are read; then it is said that there is no more.
#[rstest]
#[case::gzip("dump.jsonl.gz", gzip)]
#[case::zstd("dump.jsonl.zst", zstd)]
fn tells_what_was_cut_off(#[case] name: &str, #[case] pack: fn(&[u8]) -> Vec<u8>) {
    let expected = records();
    let packed = pack(&expected.join("\n").into_bytes());
    let (found, unread) = read(name, &packed[..packed.len() * 2 / 3]);
    assert!(!found.is_empty() && found.len() < expected.len());
    assert_eq!(found, expected[..found.len()]);
    assert_eq!(unread.len(), 1, "{unread:?}");
    assert!(unread[0].0.starts_with("cannot be read: "), "{unread:?}");
    assert_eq!(unread[0].1, found.len() + 1);
}

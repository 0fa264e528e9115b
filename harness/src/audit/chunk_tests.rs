//! How a stream is cut: whole records, right lines, nothing lost, whatever the form and the size.

use std::io;

use rstest::rstest;

use super::*;

fn stream(text: &[u8]) -> Stream {
    Stream::new(
        Reader::Other(Box::new(io::Cursor::new(text.to_vec()))),
        Vec::new(),
    )
}

/// A reader that gives a byte at a time, as a slow pipe does.
struct Slow(io::Cursor<Vec<u8>>);

impl Read for Slow {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let length = bytes.len().min(1);
        self.0.read(&mut bytes[..length])
    }
}

/// The records of all chunks with their lines, and what could not be read with its line.
#[derive(Debug, Default, PartialEq)]
struct Cut {
    records: Vec<(String, usize)>,
    numbers: Vec<usize>,
    unread: Vec<(String, usize)>,
    pods: bool,
}

impl Cut {
    fn add(&mut self, chunk: &Chunk) {
        if let Some(unread) = &chunk.unread {
            self.unread.push((unread.error.clone(), unread.line));
        }
        self.pods |= chunk.pods;
        chunk.each(|bytes, line, number| {
            self.records
                .push((String::from_utf8_lossy(bytes).into_owned(), line));
            self.numbers.push(number);
        });
    }
}

fn lines(stream: Stream) -> Cut {
    let mut lines = Lines::new("f".into(), stream);
    let mut cut = Cut::default();
    let mut bytes = Vec::new();
    while let Some(chunk) = lines.next(bytes).unwrap() {
        cut.add(&chunk);
        bytes = chunk.bytes;
    }
    cut
}

fn documents(stream: Stream) -> Cut {
    let mut documents = Documents::new("f".into(), stream);
    let mut cut = Cut::default();
    let mut bytes = Vec::new();
    while let Some(chunk) = documents.next(bytes).unwrap() {
        cut.add(&chunk);
        bytes = chunk.bytes;
    }
    cut
}

fn records(expected: &[(&str, usize)]) -> Vec<(String, usize)> {
    expected
        .iter()
        .map(|(text, line)| ((*text).to_owned(), *line))
        .collect()
}

#[rstest]
#[case("", &[])]
#[case("\n \n", &[])]
#[case("{}\n{\"a\":1}\n", &[("{}", 1), ("{\"a\":1}", 2)])]
#[case("{}\r\n\r\n[]", &[("{}\r", 1), ("[]", 3)])]
#[case("x\n{}", &[("x", 1), ("{}", 2)])]
fn cuts_lines(#[case] text: &str, #[case] expected: &[(&str, usize)]) {
    let cut = lines(stream(text.as_bytes()));
    assert_eq!(cut.records, records(expected));
    assert_eq!(cut.unread, []);
    let slow = Slow(io::Cursor::new(text.as_bytes().to_vec()));
    assert_eq!(
        lines(Stream::new(Reader::Other(Box::new(slow)), Vec::new())),
        cut
    );
}

#[rstest]
#[case::empty("", &[], None)]
#[case::blank(" \n", &[], None)]
#[case::objects("{}\n{\n\"a\":1}\n", &[("{}", 1), ("{\n\"a\":1}", 2)], None)]
#[case::list(r#"{"kind":"List","items":[{"a":1}, {"b":[]}],"x":{}}"#, &[("{\"a\":1}", 1), ("{\"b\":[]}", 1)], None)]
#[case::sorted("{\"apiVersion\":\"v1\",\"items\":[\n {},\n\n {}\n],\"kind\":\"List\"}", &[("{}", 2), ("{}", 4)], None)]
#[case::two_lists("{\"items\":[1]}\n{\"items\":[]}{\"items\":[2]}", &[("1", 1), ("2", 2)], None)]
#[case::items_of_something_else(r#"{"kind":"Thing","items":[1]}"#, &[(r#"{"kind":"Thing","items":[1]}"#, 1)], None)]
#[case::cut_off("{\"items\":[{\"a\":1},\n{\"b\":", &[("{\"a\":1}", 1)], Some(("unexpected end of JSON input: it was cut off", 2)))]
#[case::cut_off_behind_items("{\"items\":[1]", &[("1", 1)], Some(("unexpected end of JSON input: it was cut off", 1)))]
#[case::cut_off_number("{\"a\":1", &[], Some(("unexpected end of JSON input: it was cut off", 1)))]
#[case::wrong("{\"items\":[1,\n{\"a\" 2},3]}", &[("1", 1)], Some(("invalid character '2' after object key; nothing behind it was read", 2)))]
#[case::no_comma("{\"items\":[1 2]}", &[("1", 1)], Some(("invalid character '2' after array element; nothing behind it was read", 1)))]
#[case::comma_at_the_end("{\"items\":[1,]}", &[("1", 1)], Some(("invalid character ']' looking for beginning of value; nothing behind it was read", 1)))]
#[case::wrong_key("{\"items\":[1],2:3}", &[("1", 1)], Some(("invalid character '2' after array element; nothing behind it was read", 1)))]
fn cuts_documents(
    #[case] text: &str,
    #[case] expected: &[(&str, usize)],
    #[case] unread: Option<(&str, usize)>,
) {
    let cut = documents(stream(text.as_bytes()));
    assert_eq!(cut.records, records(expected));
    assert_eq!(cut.unread, records(&unread.into_iter().collect::<Vec<_>>()));
    assert_eq!(cut.numbers, (0..expected.len()).collect::<Vec<_>>());
    let slow = Slow(io::Cursor::new(text.as_bytes().to_vec()));
    assert_eq!(
        documents(Stream::new(Reader::Other(Box::new(slow)), Vec::new())),
        cut
    );
}

/// 100,000 items of a list, indented as kubectl prints it: over many chunks none is lost or told twice.
#[test]
fn cuts_a_long_list() {
    let mut text = String::from("{\n    \"apiVersion\": \"v1\",\n    \"items\": [\n");
    for item in 0..100_000 {
        let comma = if item > 0 { ",\n" } else { "" };
        text += comma;
        text += "        {\n            \"n\": ";
        text += &item.to_string();
        text += "\n        }";
    }
    text.push_str("\n    ],\n    \"kind\": \"List\"\n}\n");
    assert!(text.len() > 3 * CHUNK);
    let cut = documents(stream(text.as_bytes()));
    assert_eq!(cut.unread, []);
    assert_eq!(cut.records.len(), 100_000);
    for (at, (record, line)) in cut.records.iter().enumerate() {
        assert!(record.contains(&format!("\"n\": {at}\n")), "{record}");
        assert_eq!(*line, 4 + 3 * at);
    }
}

#[test]
fn knows_the_items_of_a_pod_list() {
    let text = br#"{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{}}]}"#;
    assert!(documents(stream(text)).pods);
}

/// A line that is longer than anything that is read costs no more memory than the longest that is.
#[rstest]
#[case(LONGEST + 1)]
#[case(5 * LONGEST + 12_345)]
fn reads_over_a_line_that_is_too_long(#[case] length: usize) {
    let length = u64::try_from(length).unwrap();
    let text = io::Cursor::new(b"{}\n".to_vec())
        .chain(io::repeat(b'x').take(length))
        .chain(io::Cursor::new(b"\n{\"a\":1}\n".to_vec()));
    let mut lines = Lines::new(
        "f".into(),
        Stream::new(Reader::Other(Box::new(text)), Vec::new()),
    );
    let mut cut = Cut::default();
    let mut bytes = Vec::new();
    while let Some(chunk) = lines.next(bytes).unwrap() {
        assert!(chunk.bytes.capacity() <= 2 * LONGEST);
        cut.add(&chunk);
        bytes = chunk.bytes;
    }
    assert_eq!(cut.records, records(&[("{}", 1), ("{\"a\":1}", 3)]));
    let error = "the line is longer than 64 MiB, the longest that is read".to_owned();
    assert_eq!(cut.unread, [(error, 2)]);
}

#[rstest]
#[case("{}\n{}\n", Form::Lines)]
#[case("{\"a\":1}", Form::Lines)]
#[case("{\"items\":[]}", Form::Documents)]
#[case("{\n}", Form::Documents)]
#[case("{} {}", Form::Documents)]
#[case("[]", Form::Lines)]
#[case("{\"a\":\n", Form::Documents)]
#[case("{\"a\":\n{\"b\":1}\n", Form::Lines)]
#[case("a: 1", Form::Other)]
#[case("", Form::Other)]
fn tells_the_form(#[case] text: &str, #[case] expected: Form) {
    assert_eq!(form(text.as_bytes(), true), expected);
}

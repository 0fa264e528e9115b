//! A stretch of the input with whole records, and how a stream of bytes is cut into such stretches.
//!
//! JSON Lines are cut at line ends. Any other JSON is walked with the lexer: objects one after the
//! other, and the items of a `List`, indented or not, each a record of its own.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use memchr::{memchr, memchr_iter, memrchr};
use podgate_admission::json::{Lexer, SyntaxError, Token};

use super::report::Unread;

/// How much is read at a time, in bytes.
pub(super) const CHUNK: usize = 1 << 20;

/// The longest record that is read, in bytes: a longer line or object is counted as unread. (etcd takes
/// objects of 1.5 MiB.)
pub const LONGEST: usize = 64 << 20;

/// A stretch of the input.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// The records, and what stands between them.
    pub bytes: Vec<u8>,
    /// Where the records are.
    pub records: Records,
    /// The line of the first byte, counted from one.
    pub line: usize,
    /// How many records of the file come before.
    pub before: usize,
    /// Whether the records are items of a `PodList`, which say neither `apiVersion` nor `kind`.
    pub pods: bool,
    /// What was met in front of the records that could not be read.
    pub unread: Option<Unread>,
}

/// Where the records of a chunk are.
#[derive(Clone, Debug, Default)]
pub enum Records {
    /// One on each line that is not blank.
    #[default]
    Lines,
    /// At these ranges, each with its line.
    At(Vec<(Range<usize>, usize)>),
}

impl Chunk {
    /// Calls `record` with each record: its bytes, its line, and its number in the file, from zero.
    pub(super) fn each<'c>(&'c self, mut record: impl FnMut(&'c [u8], usize, usize)) {
        match &self.records {
            Records::Lines => {
                let (mut line, mut start) = (self.line, 0);
                let ends = memchr_iter(b'\n', &self.bytes).chain([self.bytes.len()]);
                for end in ends {
                    let bytes = &self.bytes[start..end];
                    if !bytes.iter().all(u8::is_ascii_whitespace) {
                        // Lines are their own numbers, so that a chunk need not count the records before.
                        record(bytes, line, line - 1);
                    }
                    (line, start) = (line + 1, end + 1);
                }
            }
            Records::At(ranges) => {
                for (at, (range, line)) in ranges.iter().enumerate() {
                    record(&self.bytes[range.clone()], *line, self.before + at);
                }
            }
        }
    }
}

/// A stream of bytes and what was read of it, but not handed out.
pub(super) struct Stream {
    reader: Reader,
    rest: Vec<u8>,
    ended: bool,
}

/// What a stream is read from.
pub(super) enum Reader {
    /// A file as it is, with the counter of its bytes: the kernel writes right into the chunk.
    Plain(File, Arc<AtomicU64>),
    /// Anything else.
    Other(Box<dyn Read + Send>),
}

impl Stream {
    /// A stream of which `rest` is read already.
    pub(super) const fn new(reader: Reader, rest: Vec<u8>) -> Self {
        Self {
            reader,
            rest,
            ended: false,
        }
    }

    /// Reads until there are `length` bytes in `bytes`, or the stream ends.
    fn fill(&mut self, bytes: &mut Vec<u8>, length: usize) -> io::Result<()> {
        while !self.ended && bytes.len() < length {
            let room = length - bytes.len();
            bytes.reserve(room);
            let room = u64::try_from(room).unwrap_or(u64::MAX);
            let read = match &mut self.reader {
                Reader::Plain(file, count) => {
                    let read = file.take(room).read_to_end(bytes)?;
                    count.fetch_add(u64::try_from(read).unwrap_or_default(), Ordering::Relaxed);
                    read
                }
                Reader::Other(reader) => reader.take(room).read_to_end(bytes)?,
            };
            self.ended = read == 0;
        }
        Ok(())
    }

    /// The first bytes, a chunk of them at most; they stay to be read.
    pub(super) fn peek(&mut self) -> io::Result<&[u8]> {
        let mut rest = std::mem::take(&mut self.rest);
        let filled = self.fill(&mut rest, CHUNK);
        if rest.starts_with("\u{feff}".as_bytes()) {
            rest.drain(..3);
        }
        self.rest = rest;
        filled.map(|()| &self.rest[..])
    }

    /// All that is left.
    pub(super) fn whole(mut self) -> io::Result<Vec<u8>> {
        let mut whole = std::mem::take(&mut self.rest);
        while !self.ended {
            let length = whole.len() + CHUNK;
            self.fill(&mut whole, length)?;
        }
        Ok(whole)
    }
}

/// JSON Lines, cut into chunks.
pub(super) struct Lines {
    file: Arc<str>,
    stream: Stream,
    line: usize,
}

impl Lines {
    /// The file, and the line where reading stands.
    pub(super) fn place(&self) -> (Arc<str>, usize) {
        (Arc::clone(&self.file), self.line)
    }

    pub(super) fn new(file: Arc<str>, stream: Stream) -> Self {
        Self {
            file,
            stream,
            line: 1,
        }
    }

    /// The next chunk, in `bytes`; `None` at the end.
    pub(super) fn next(&mut self, mut bytes: Vec<u8>) -> io::Result<Option<Chunk>> {
        bytes.clear();
        bytes.append(&mut self.stream.rest);
        let mut unread = None;
        let mut length = CHUNK;
        loop {
            self.stream.fill(&mut bytes, length)?;
            if self.stream.ended {
                break;
            }
            if let Some(end) = memrchr(b'\n', &bytes) {
                self.stream.rest.extend_from_slice(&bytes[end + 1..]);
                bytes.truncate(end + 1);
                break;
            }
            if bytes.len() >= LONGEST {
                unread = Some(self.too_long(&mut bytes)?);
                length = CHUNK;
            } else {
                length = (2 * length).min(LONGEST);
            }
        }
        if bytes.is_empty() && unread.is_none() {
            return Ok(None);
        }
        let line = self.line;
        self.line += memchr_iter(b'\n', &bytes).count();
        Ok(Some(Chunk {
            file: Arc::clone(&self.file),
            bytes,
            records: Records::Lines,
            line,
            before: 0,
            pods: false,
            unread,
        }))
    }

    /// Reads over the rest of a line that is too long; `bytes` then starts behind it.
    fn too_long(&mut self, bytes: &mut Vec<u8>) -> io::Result<Unread> {
        let unread = Unread {
            error: format!(
                "the line is longer than {} MiB, the longest that is read",
                LONGEST >> 20
            ),
            file: self.file.to_string(),
            line: self.line,
        };
        loop {
            bytes.clear();
            bytes.shrink_to(CHUNK);
            self.stream.fill(bytes, CHUNK)?;
            if let Some(end) = memchr(b'\n', bytes) {
                bytes.drain(..=end);
                self.line += 1;
                return Ok(unread);
            }
            if self.stream.ended {
                bytes.clear();
                return Ok(unread);
            }
        }
    }
}

/// JSON that is not one object a line, cut into chunks.
pub(super) struct Documents {
    file: Arc<str>,
    stream: Stream,
    line: usize,
    before: usize,
    at: Place,
}

/// Where in a file of objects reading stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Between two objects.
    Between,
    /// Among the items of a list, `pods` where it is a `PodList`; `first` in front of all items.
    Items { pods: bool, first: bool },
    /// Behind the items of a list, inside of its object.
    BehindItems,
    /// At the end, or behind something that is no JSON.
    Lost,
}

/// What stands next.
#[derive(Debug)]
enum Step {
    /// A record.
    Record(Range<usize>),
    /// Nothing; it goes on there.
    Moved(usize),
    /// Something that has not been read to its end.
    More,
    /// Something that is no JSON, from there on.
    Fault(SyntaxError, usize),
}

impl Documents {
    /// The file, and the line where reading stands.
    pub(super) fn place(&self) -> (Arc<str>, usize) {
        (Arc::clone(&self.file), self.line)
    }

    pub(super) fn new(file: Arc<str>, stream: Stream) -> Self {
        Self {
            file,
            stream,
            line: 1,
            before: 0,
            at: Place::Between,
        }
    }

    /// The next chunk, in `bytes`; `None` at the end.
    pub(super) fn next(&mut self, mut bytes: Vec<u8>) -> io::Result<Option<Chunk>> {
        if self.at == Place::Lost {
            return Ok(None);
        }
        bytes.clear();
        bytes.append(&mut self.stream.rest);
        let (mut ranges, mut at, mut unread) = (Vec::new(), 0, None);
        let pods = loop {
            let pods = matches!(self.at, Place::Items { pods: true, .. });
            match self.step(&bytes, at) {
                Step::Record(range) => {
                    at = range.end;
                    ranges.push(range);
                }
                Step::Moved(to) => {
                    at = to;
                    // The records of a chunk are of one kind.
                    if !ranges.is_empty() {
                        break pods;
                    }
                }
                Step::More if self.stream.ended => {
                    let blank = bytes[at..].iter().all(u8::is_ascii_whitespace);
                    if self.at != Place::Between || !blank {
                        let error = "unexpected end of JSON input: it was cut off".to_owned();
                        unread = Some(self.unread(&bytes, bytes.len(), error));
                    }
                    self.at = Place::Lost;
                    break pods;
                }
                Step::More if !ranges.is_empty() => break pods,
                Step::More if bytes.len() - at >= LONGEST => {
                    let error = format!(
                        "the object is longer than {} MiB, the longest that is read; nothing behind it was read",
                        LONGEST >> 20
                    );
                    unread = Some(self.unread(&bytes, at, error));
                    self.at = Place::Lost;
                    break pods;
                }
                Step::More => {
                    let length = (2 * (bytes.len() - at)).clamp(CHUNK, LONGEST);
                    self.stream.fill(&mut bytes, at + length)?;
                }
                Step::Fault(error, offset) => {
                    let error = format!("{error}; nothing behind it was read");
                    unread = Some(self.unread(&bytes, offset, error));
                    self.at = Place::Lost;
                    break pods;
                }
            }
        };
        if ranges.is_empty() && unread.is_none() {
            return Ok(None);
        }
        self.stream.rest.extend_from_slice(&bytes[at..]);
        let (line, before) = (self.line, self.before);
        let (mut counted, mut here) = (0, line);
        let place = |range: Range<usize>| {
            here += memchr_iter(b'\n', &bytes[counted..range.start]).count();
            counted = range.start;
            (range, here)
        };
        let records: Vec<_> = ranges.into_iter().map(place).collect();
        self.line += memchr_iter(b'\n', &bytes[..at]).count();
        self.before += records.len();
        Ok(Some(Chunk {
            file: Arc::clone(&self.file),
            bytes,
            records: Records::At(records),
            line,
            before,
            pods,
            unread,
        }))
    }

    fn unread(&self, bytes: &[u8], at: usize, error: String) -> Unread {
        Unread {
            error,
            file: self.file.to_string(),
            line: self.line + memchr_iter(b'\n', &bytes[..at]).count(),
        }
    }

    /// What stands at `at`; the place where reading stands moves along.
    fn step(&mut self, bytes: &[u8], at: usize) -> Step {
        self.read(bytes, at).unwrap_or_else(|(error, offset)| {
            // What ends with the bytes may go on behind them.
            if offset >= bytes.len() {
                Step::More
            } else {
                Step::Fault(error, offset)
            }
        })
    }

    fn read(&mut self, bytes: &[u8], at: usize) -> Result<Step, (SyntaxError, usize)> {
        let mut start = at + space(&bytes[at..]);
        let next = bytes.get(start);
        match (self.at, next) {
            (Place::Lost, _) | (_, None) => Ok(Step::More),
            (Place::Between, _) => match object(bytes, start)? {
                Object::Whole(end) => Ok(Step::Record(start..end)),
                Object::List { items, pods } => {
                    self.at = Place::Items { pods, first: true };
                    Ok(Step::Moved(items))
                }
            },
            (Place::Items { .. }, Some(b']')) => {
                self.at = Place::BehindItems;
                Ok(Step::Moved(start + 1))
            }
            (Place::Items { pods, first }, Some(next)) => {
                if !first {
                    if *next != b',' {
                        return Err(wrong(bytes, start));
                    }
                    start += 1 + space(&bytes[start + 1..]);
                }
                let end = value(bytes, start)?;
                self.at = Place::Items { pods, first: false };
                Ok(Step::Record(start..end))
            }
            (Place::BehindItems, Some(b'}')) => {
                self.at = Place::Between;
                Ok(Step::Moved(start + 1))
            }
            (Place::BehindItems, Some(b',')) => {
                let key = start + 1 + space(&bytes[start + 1..]);
                if bytes.get(key).is_some_and(|byte| *byte != b'"') {
                    return Err(wrong(bytes, key));
                }
                let key = value(bytes, key)?;
                let colon = key + space(&bytes[key..]);
                if bytes.get(colon).is_some_and(|byte| *byte != b':') {
                    return Err(wrong(bytes, colon));
                }
                let end = value(bytes, (colon + 1).min(bytes.len()))?;
                Ok(Step::Moved(end))
            }
            (Place::BehindItems, Some(_)) => Err(wrong(bytes, start)),
        }
    }
}

/// What an object of a file is.
enum Object {
    /// It ends there.
    Whole(usize),
    /// A list whose first item comes from there on.
    List { items: usize, pods: bool },
}

/// The object at `start`. A list says its kind in front of its items as the server sends it; as
/// kubectl prints it, its keys are sorted and each item says its own.
fn object(bytes: &[u8], start: usize) -> Result<Object, (SyntaxError, usize)> {
    let mut lexer = Lexer::new(&bytes[start..]);
    let fault = |error: SyntaxError| (error, start + error.offset);
    if lexer.peek().map_err(fault)? != Token::Object {
        return value(bytes, start).map(Object::Whole);
    }
    lexer.open_object().map_err(fault)?;
    let (mut first, mut kind) = (true, None);
    while let Some(key) = lexer.key(first).map_err(fault)? {
        first = false;
        let token = lexer.peek().map_err(fault)?;
        if key.is("kind") && token == Token::String {
            kind = lexer.text().map_err(fault)?.borrowed();
            continue;
        }
        let of_list = kind.is_none_or(|kind| kind.ends_with("List"));
        if key.is("items") && token == Token::List && of_list {
            return Ok(Object::List {
                items: start + lexer.offset() + 1,
                pods: kind == Some("PodList"),
            });
        }
        lexer.skip().map_err(fault)?;
    }
    Ok(Object::Whole(start + lexer.offset()))
}

/// Where the value ends that stands at `start`.
fn value(bytes: &[u8], start: usize) -> Result<usize, (SyntaxError, usize)> {
    let mut lexer = Lexer::new(&bytes[start..]);
    match lexer.skip() {
        Ok(()) => Ok(start + lexer.offset()),
        Err(error) => Err((error, start + error.offset)),
    }
}

/// The error for something else than a value, a comma or the end of what it stands in.
fn wrong(bytes: &[u8], at: usize) -> (SyntaxError, usize) {
    let error = Lexer::new(&bytes[at..]).misplaced();
    (error, at)
}

/// How much white space stands in front.
fn space(bytes: &[u8]) -> usize {
    let space = |byte: &&u8| matches!(byte, b' ' | b'\n' | b'\t' | b'\r');
    bytes.iter().take_while(space).count()
}

/// What the first bytes of a JSON file say about the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// An object on each line.
    Lines,
    /// Objects one after the other, or a list.
    Documents,
    /// No JSON, as far as the first byte tells.
    Other,
}

/// Tells how a file is read by its first bytes, all of them where `whole`.
pub(super) fn form(bytes: &[u8], whole: bool) -> Form {
    let start = space(bytes);
    match bytes.get(start) {
        Some(b'{' | b'[') => {}
        _ => return Form::Other,
    }
    let ends_line = |end: usize| {
        let rest = &bytes[end..];
        let line = memchr(b'\n', rest).unwrap_or(rest.len());
        rest[..line].iter().all(u8::is_ascii_whitespace)
    };
    match object(bytes, start) {
        Ok(Object::List { .. }) => Form::Documents,
        Ok(Object::Whole(end)) => {
            let one_line = memchr(b'\n', &bytes[start..end]).is_none();
            if one_line && ends_line(end) {
                Form::Lines
            } else {
                Form::Documents
            }
        }
        Err((_, offset)) => {
            let line = memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |end| start + end);
            // The first line is cut off or wrong: there are others behind it, or it is long.
            let others = memchr::memmem::find(&bytes[line..], b"\n{\"").is_some();
            if others || (!whole && line == bytes.len() && offset >= bytes.len()) {
                Form::Lines
            } else {
                Form::Documents
            }
        }
    }
}

#[cfg(test)]
#[path = "chunk_tests.rs"]
mod tests;

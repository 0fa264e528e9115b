//! The files of an audit, one chunk after the other: plain, gzip or zstd; JSON Lines, JSON, or YAML.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use podgate_manifest::{Document, Input, Source, WalkOptions, read_documents, walk};

use super::chunk::{CHUNK, Chunk, Documents, Form, Lines, Reader, Records, Stream, form};
use super::report::Unread;

/// All input, in order.
pub(super) struct Inputs {
    waiting: VecDeque<Result<Input, podgate_manifest::Error>>,
    current: Option<Current>,
    read: Arc<AtomicU64>,
}

/// How a file is read.
enum Current {
    Lines(Lines),
    Documents(Documents),
    Manifests(Manifests),
}

/// A YAML file, which is read as a whole.
type Manifests = Box<dyn Iterator<Item = Result<Document, podgate_manifest::Error>> + Send>;

impl Inputs {
    pub(super) fn new(files: &[PathBuf], recursive: bool, read: Arc<AtomicU64>) -> Self {
        let dumps = true;
        let options = WalkOptions { recursive, dumps };
        Self {
            waiting: walk(files, options).into(),
            current: None,
            read,
        }
    }

    /// How many bytes the files have, as they are stored; `None` where standard input is among them.
    pub(super) fn size(&self) -> Option<u64> {
        let sizes = self.waiting.iter().map(|input| match input {
            Ok(Input::Stdin) => None,
            Ok(Input::Named(path) | Input::Found(path)) => {
                Some(path.metadata().map_or(0, |file| file.len()))
            }
            Err(_) => Some(0),
        });
        sizes.sum()
    }

    /// The next chunk, in `bytes`; `None` at the end of all input.
    pub(super) fn next(&mut self, mut bytes: Vec<u8>) -> Option<Chunk> {
        loop {
            let Some(current) = &mut self.current else {
                match self.open()? {
                    Ok(current) => self.current = Some(current),
                    Err(unread) => return Some(only(unread)),
                }
                continue;
            };
            let next = match current {
                Current::Lines(lines) => lines.next(std::mem::take(&mut bytes)),
                Current::Documents(documents) => documents.next(std::mem::take(&mut bytes)),
                Current::Manifests(manifests) => Ok(manifests.next().map(manifest)),
            };
            match next {
                Ok(Some(chunk)) => return Some(chunk),
                Ok(None) => self.current = None,
                Err(error) => {
                    let file = match current {
                        Current::Lines(lines) => lines.place(),
                        Current::Documents(documents) => documents.place(),
                        Current::Manifests(_) => (Arc::from(""), 1),
                    };
                    self.current = None;
                    return Some(only(Unread {
                        error: format!("cannot be read: {error}"),
                        file: file.0.to_string(),
                        line: file.1,
                    }));
                }
            }
        }
    }

    /// Opens the next file; `None` where there is none.
    fn open(&mut self) -> Option<Result<Current, Unread>> {
        Some(match self.waiting.pop_front()? {
            Ok(input) => self.begin(&input),
            Err(error) => Err(unread(&error)),
        })
    }

    fn begin(&self, input: &Input) -> Result<Current, Unread> {
        let (name, file): (Arc<str>, Option<File>) = match input {
            Input::Stdin => (Source::STDIN.into(), None),
            Input::Named(path) | Input::Found(path) => {
                let name = path.display().to_string();
                let file = File::open(path).map_err(|error| Unread {
                    error: format!("cannot be read: {error}"),
                    file: name.clone(),
                    line: 1,
                })?;
                (name.into(), Some(file))
            }
        };
        let fault = |error: io::Error| Unread {
            error: format!("cannot be read: {error}"),
            file: name.to_string(),
            line: 1,
        };
        let mut stream = stream(file, &self.read).map_err(fault)?;
        let first = stream.peek().map_err(fault)?;
        let form = match input {
            Input::Named(path) | Input::Found(path) => match kind(path) {
                Kind::Lines => Form::Lines,
                Kind::Yaml => Form::Other,
                Kind::Unknown => form(first, first.len() < CHUNK),
            },
            Input::Stdin => form(first, first.len() < CHUNK),
        };
        Ok(match form {
            Form::Lines => Current::Lines(Lines::new(name, stream)),
            Form::Documents => Current::Documents(Documents::new(name, stream)),
            Form::Other => {
                let whole = stream.whole().map_err(fault)?;
                let source = Source::new(Arc::clone(&name), whole);
                let items = |document: Result<Document, podgate_manifest::Error>| {
                    let items: Vec<_> = match document {
                        Ok(document) => document.flatten().collect(),
                        Err(error) => vec![Err(error)],
                    };
                    items
                };
                Current::Manifests(Box::new(read_documents(&source).flat_map(items)))
            }
        })
    }
}

/// What a file's name says about its content.
enum Kind {
    Lines,
    Yaml,
    Unknown,
}

fn kind(path: &Path) -> Kind {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or_default();
    let name = [".gz", ".zst", ".zstd"]
        .iter()
        .find_map(|packed| name.strip_suffix(packed))
        .unwrap_or(name);
    match name.rsplit_once('.') {
        Some((_, "jsonl" | "ndjson")) => Kind::Lines,
        Some((_, "yaml" | "yml")) => Kind::Yaml,
        _ => Kind::Unknown,
    }
}

/// One object of a YAML file as a chunk of its own.
fn manifest(document: Result<Document, podgate_manifest::Error>) -> Chunk {
    match document {
        Err(error) => only(unread(&error)),
        Ok(document) => {
            let bytes = document.body().into_owned().into_bytes();
            let line = document.start().line;
            Chunk {
                file: document.file().into(),
                records: Records::At(vec![(0..bytes.len(), line)]),
                bytes,
                line,
                ..Chunk::default()
            }
        }
    }
}

fn only(unread: Unread) -> Chunk {
    Chunk {
        file: unread.file.as_str().into(),
        records: Records::At(Vec::new()),
        unread: Some(unread),
        ..Chunk::default()
    }
}

fn unread(error: &podgate_manifest::Error) -> Unread {
    Unread {
        error: error.message().to_owned(),
        file: error.file().to_owned(),
        line: error.position().map_or(1, |position| position.line),
    }
}

/// A stream whose bytes are counted, for the progress.
struct Counted {
    reader: Box<dyn Read + Send>,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(bytes)?;
        self.count
            .fetch_add(u64::try_from(read).unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok(read)
    }
}

/// The stream of a file, or of standard input: as it is, or behind gzip or zstd, told by its first bytes.
fn stream(file: Option<File>, count: &Arc<AtomicU64>) -> io::Result<Stream> {
    let mut magic = Vec::with_capacity(4);
    let reader: Box<dyn Read + Send> = if let Some(mut file) = file {
        file.by_ref().take(4).read_to_end(&mut magic)?;
        if !is_packed(&magic) {
            return Ok(Stream::new(Reader::Plain(file, Arc::clone(count)), magic));
        }
        Box::new(file)
    } else {
        let mut stdin = io::stdin();
        stdin.by_ref().take(4).read_to_end(&mut magic)?;
        Box::new(stdin)
    };
    let count = Arc::clone(count);
    let counted = Counted { reader, count };
    let gzip = magic.starts_with(&GZIP);
    let zstd = magic == ZSTD;
    if !gzip && !zstd {
        return Ok(Stream::new(Reader::Other(Box::new(counted)), magic));
    }
    let whole = BufReader::with_capacity(CHUNK / 8, io::Cursor::new(magic).chain(counted));
    let unpacked: Box<dyn Read + Send> = if gzip {
        Box::new(flate2::bufread::MultiGzDecoder::new(whole))
    } else {
        Box::new(zstd::Frames::new(whole))
    };
    Ok(Stream::new(Reader::Other(unpacked), Vec::new()))
}

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

fn is_packed(magic: &[u8]) -> bool {
    magic.starts_with(&GZIP) || magic == ZSTD
}

mod zstd {
    //! Zstandard, of which a file may hold several frames.

    use std::io::{self, BufRead, Read};

    use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

    pub(super) struct Frames<R: BufRead> {
        frame: Option<StreamingDecoder<R, FrameDecoder>>,
        between: Option<R>,
    }

    impl<R: BufRead> Frames<R> {
        pub(super) const fn new(reader: R) -> Self {
            Self {
                frame: None,
                between: Some(reader),
            }
        }
    }

    impl<R: BufRead> Read for Frames<R> {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            loop {
                if let Some(mut reader) = self.between.take() {
                    if reader.fill_buf()?.is_empty() {
                        self.between = Some(reader);
                        return Ok(0);
                    }
                    self.frame = Some(StreamingDecoder::new(reader).map_err(io::Error::other)?);
                }
                let Some(frame) = &mut self.frame else {
                    return Ok(0);
                };
                let read = frame.read(bytes)?;
                if read > 0 || bytes.is_empty() {
                    return Ok(read);
                }
                self.between = self.frame.take().map(StreamingDecoder::into_inner);
            }
        }
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;

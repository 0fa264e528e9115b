//! Takes a file apart into its documents, as kubectl does.
//!
//! Upstream: `YAMLOrJSONDecoder`, `YAMLReader` and `LineReader` in k8s.io/apimachinery
//! `pkg/util/yaml/decoder.go`, and `StreamVisitor.Visit` in k8s.io/cli-runtime
//! `pkg/resource/visitor.go`. Whether a file is JSON or YAML is decided once, by its first
//! character, as kubectl up to 1.32 does; later ones fall back to YAML after the first JSON object.

use std::{io::BufRead, sync::Arc};

use crate::{
    Document, Error, Position, Rendered, Source,
    error::Flaw,
    hints,
    json::{self, Reader},
    source::{Cursor, line_at},
};

/// The documents of a source, in order; empty ones are left out.
///
/// kubectl stops at the first document that it cannot read. Here reading goes on behind it, so that
/// one run reports all of them: after the next `---` in YAML, and in JSON on the next line that
/// begins with `{`. A document right before a malformed separator is lost with it, as in kubectl.
#[derive(Debug)]
pub struct Documents {
    file: Arc<str>,
    text: Arc<str>,
    rendered: Option<Arc<Rendered>>,
    at: usize,
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// The line of the byte to be read next.
    Yaml {
        line: usize,
    },
    Json {
        cursor: Cursor,
    },
}

/// Reads the documents of a file: YAML, JSON, or JSON objects one after the other.
#[must_use]
pub fn read_documents(source: &Source) -> Documents {
    let text = source.shared_text();
    let form = if json::is_json(&text) {
        Form::Json {
            cursor: Cursor::default(),
        }
    } else {
        Form::Yaml { line: 1 }
    };
    Documents {
        file: source.shared_name(),
        text,
        rendered: source.shared_rendered(),
        at: 0,
        form,
    }
}

/// Reads JSON Lines from a stream, one line at a time: for input that is larger than memory.
///
/// The documents hold their own line and nothing else. A line that cannot be read does not stop
/// those after it; an error of the stream does.
pub fn read_json_lines(
    file: impl Into<Arc<str>>,
    mut lines: impl BufRead,
) -> impl Iterator<Item = Result<Document, Error>> {
    let file = file.into();
    let mut number = 0;
    let mut failed = false;
    std::iter::from_fn(move || {
        let mut bytes = Vec::new();
        while !failed {
            bytes.clear();
            number += 1;
            match lines.read_until(b'\n', &mut bytes) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => {
                    failed = true;
                    let message = format!("cannot be read: {error}");
                    return Some(Err(Error::of_file(&file, message, None)));
                }
            }
            if number == 1 && bytes.starts_with("\u{FEFF}".as_bytes()) {
                bytes.drain(..3);
            }
            let text: Arc<str> = String::from_utf8_lossy(&bytes).into();
            let document = json_line(&file, &text, number);
            if document.is_some() {
                return document;
            }
        }
        None
    })
}

fn json_line(file: &Arc<str>, text: &Arc<str>, line: usize) -> Option<Result<Document, Error>> {
    let mut cursor = Cursor::new(0, Position { line, column: 1 });
    let mut at = 0;
    let document = next_json(file, text, &mut at, &mut cursor)?;
    let mut rest = Reader::new(text, at);
    if document.is_ok() && rest.skip_space() {
        let flaw = Flaw::new(rest.at(), "a line holds more than one JSON value")
            .hint("put each object on a line of its own");
        return Some(Err(Error::of_flaw(file, text, line, flaw)));
    }
    Some(document)
}

impl Iterator for Documents {
    type Item = Result<Document, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.form {
            Form::Json { cursor } => {
                let document = next_json(&self.file, &self.text, &mut self.at, cursor);
                if let Some(Err(_)) = &document {
                    self.at = resume(&self.text, self.at);
                }
                document
            }
            Form::Yaml { .. } => loop {
                let chunk = match self.next_chunk()? {
                    Ok(chunk) => chunk,
                    Err(error) => return Some(Err(error)),
                };
                let document = Document::of_yaml(&self.file, chunk.text, chunk.first_line);
                if let Some(document) = document.transpose() {
                    return Some(document.map(|it| it.rendered(self.rendered.clone())));
                }
            },
        }
    }
}

/// The text of one YAML document with the line on which it begins.
struct Chunk {
    text: String,
    first_line: usize,
}

impl Documents {
    /// `YAMLReader.Read`: lines up to the next separator. A separator before any other line stays.
    fn next_chunk(&mut self) -> Option<Result<Chunk, Error>> {
        let Form::Yaml { line } = &mut self.form else {
            return None;
        };
        let mut chunk = Chunk {
            text: String::new(),
            first_line: *line,
        };
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            let end = memchr::memchr(b'\n', rest.as_bytes());
            let full = &rest[..end.map_or(rest.len(), |end| end + 1)];
            let content = match full.strip_suffix('\n') {
                Some(content) => content.strip_suffix('\r').unwrap_or(content),
                None => full,
            };
            let here = *line;
            let from = self.at;
            self.at += full.len();
            *line += 1;
            if let Some(after) = content.strip_prefix("---") {
                let trimmed = after.trim();
                if !trimmed.is_empty() && !trimmed.starts_with('#') {
                    let at = from + content.len() - after.trim_start().len();
                    let flaw = Flaw::new(at, format!("invalid Yaml document separator: {trimmed}"))
                        .hint("after --- only a comment may follow: put the rest on its own line");
                    let mut error = Error::of_flaw(
                        &self.file,
                        &self.text[from..],
                        here,
                        Flaw {
                            at: at - from,
                            ..flaw
                        },
                    );
                    // What stood before the separator is lost with it, and said so.
                    if !chunk.text.trim().is_empty() {
                        error = error.and_hint(&format!(
                            "; kubectl drops the document before it, which begins on line {}",
                            chunk.first_line,
                        ));
                    }
                    return Some(Err(error));
                }
                if !chunk.text.is_empty() {
                    return Some(Ok(chunk));
                }
            }
            chunk.text.push_str(content);
            chunk.text.push('\n');
        }
        (!chunk.text.is_empty()).then_some(Ok(chunk))
    }
}

/// Reads the next JSON value that is not null.
fn next_json(
    file: &Arc<str>,
    text: &Arc<str>,
    at: &mut usize,
    cursor: &mut Cursor,
) -> Option<Result<Document, Error>> {
    loop {
        let mut reader = Reader::new(text, *at);
        if !reader.skip_space() {
            return None;
        }
        let start = cursor.advance(text, reader.at());
        let begin = reader.at();
        let read = Document::of_json(file, text, &mut reader, start);
        *at = reader.at();
        if &text[begin..*at] == "null" {
            continue;
        }
        return Some(read.map_err(|flaw| {
            let flaw = after_json(text, flaw);
            let position = cursor.advance(text, flaw.at);
            Error::at_position(file, text, position, flaw)
        }));
    }
}

/// Says what users mistake for JSON: templates, and `---` behind an object, where kubectl up to 1.32
/// reads no further.
fn after_json(text: &str, flaw: Flaw) -> Flaw {
    if let Some(hint) = hints::of_template(text, flaw.at) {
        return flaw.hint(hint);
    }
    if line_at(text, flaw.at).starts_with("---") {
        return flaw.hint(
            "a file that begins with { is JSON and takes no `---`: \
             begin it with `---`, or drop the separators",
        );
    }
    flaw
}

/// The next line behind `at` that begins with `{`, or the end.
fn resume(text: &str, at: usize) -> usize {
    memchr::memmem::find(&text.as_bytes()[at..], b"\n{").map_or(text.len(), |found| at + found + 1)
}

#[cfg(test)]
mod tests;

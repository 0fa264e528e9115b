//! The file around the text of a snapshot, in insta's format, so that `cargo insta review` and
//! `cargo insta test` work on it: a YAML header between lines of `---`, then the text.
//!
//! The reader and the writer are our own, because insta's are private and its macros bake in the
//! folder of the crate that they are compiled in (`Snapshot::from_file` and `serialize_snapshot` in
//! insta's `snapshot.rs`). A test has insta read what is written here.

use super::format::FormatError;
use super::text::write_quoted;

/// What the header of a snapshot says. It is for the reviewer alone: no comparison looks at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The file of the scenario, relative to the repository's root.
    pub source: String,
    /// What the scenario shows.
    pub description: Option<String>,
    /// How the outcomes were observed: `podgate test web --cluster psa-restricted`.
    pub expression: Option<String>,
}

/// Writes a file of that header and text.
#[must_use]
pub fn write(header: &Header, text: &str) -> String {
    let mut file = String::with_capacity(text.len() + 200);
    file.push_str("---\n");
    let fields = [
        ("source", Some(&header.source)),
        ("description", header.description.as_ref()),
        ("expression", header.expression.as_ref()),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            // A JSON string is a YAML string.
            file.push_str(name);
            file.push_str(": ");
            write_quoted(&mut file, value);
            file.push('\n');
        }
    }
    file.push_str("---\n");
    file.push_str(text.trim_end());
    file.push('\n');
    file
}

/// The text in a file, with a newline at the end unless it is empty, and the number of lines in
/// front of it.
pub fn read(file: &str) -> Result<(String, usize), FormatError> {
    let mut lines = file.lines().enumerate();
    let is_mark = |line: &str| line.trim_end() == "---";
    if !lines.next().is_some_and(|(_, line)| is_mark(line)) {
        return Err(FormatError {
            line: 1,
            reason: "expected the header of a snapshot, `---`".to_owned(),
        });
    }
    let Some((end, _)) = lines.by_ref().find(|(_, line)| is_mark(line)) else {
        let line = file.lines().count();
        return Err(FormatError {
            line,
            reason: "the header has no end, `---`".to_owned(),
        });
    };
    let mut text = String::with_capacity(file.len());
    for (_, line) in lines {
        text.push_str(line);
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    if !text.is_empty() {
        text.push('\n');
    }
    Ok((text, end + 1))
}

//! Reading files of a suite, with errors that name the place and the nearest name.

use std::path::{Path, PathBuf};

use podgate_manifest::{Document, FieldPath, Input, Source, WalkOptions};

use crate::error::Error;
use crate::versions::{MinorRange, RangeError};

/// Every document of a file. An empty file is an error: it would silently test nothing.
pub(super) fn documents(file: &Path) -> Result<Vec<Document>, Error> {
    let source = Source::open(file)?;
    let documents = podgate_manifest::read_documents(&source).collect::<Result<Vec<_>, _>>()?;
    if documents.is_empty() {
        return Err(
            Error::input(format!("{}: there is no object in it", file.display()))
                .hint("the file is empty, or holds only comments"),
        );
    }
    Ok(documents)
}

/// The first document of a file; there is one, or [`documents`] fails.
pub(super) fn first(file: &Path) -> Result<Document, Error> {
    let empty = || Error::input(format!("{}: there is no object in it", file.display()));
    documents(file)?.into_iter().next().ok_or_else(empty)
}

/// A file itself, or the manifests of a folder in the order of their names.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    paths(path, WalkOptions::default())
}

/// The files of a folder and of the folders below it.
pub(super) fn tree(path: &Path) -> Result<Vec<PathBuf>, Error> {
    paths(
        path,
        WalkOptions {
            recursive: true,
            ..WalkOptions::default()
        },
    )
}

fn paths(path: &Path, options: WalkOptions) -> Result<Vec<PathBuf>, Error> {
    let mut paths = Vec::new();
    for input in podgate_manifest::walk([path], options) {
        match input? {
            Input::Named(path) | Input::Found(path) => paths.push(path),
            Input::Stdin => return Err(Error::input("a suite is not read from standard input")),
        }
    }
    Ok(paths)
}

/// An error at a field of a document; `path` is written as in `spec.expect[0].object`.
pub(super) fn at(
    document: &Document,
    path: &str,
    message: impl Into<String>,
    hint: impl Into<String>,
) -> Error {
    place(document, path, false, message.into(), hint.into())
}

/// The same, with the caret at the value of the field.
pub(super) fn at_value(
    document: &Document,
    path: &str,
    message: impl Into<String>,
    hint: impl Into<String>,
) -> Error {
    place(document, path, true, message.into(), hint.into())
}

fn place(document: &Document, path: &str, at_value: bool, message: String, hint: String) -> Error {
    let path = FieldPath::parse(path).0;
    document
        .error_at(&path, at_value, message, Some(hint))
        .into()
}

/// Refuses a file or folder that is not there, at the field of the document that names it.
pub(super) fn referenced(document: &Document, path: &str, file: &Path) -> Result<(), Error> {
    let error = podgate_manifest::walk([file], WalkOptions::default())
        .into_iter()
        .find_map(Result::err);
    match error {
        None => Ok(()),
        Some(error) => {
            let hint = error
                .hint()
                .unwrap_or("a path is relative to the file that names it");
            Err(at_value(
                document,
                path,
                format!("{}: {}", error.file(), error.message()),
                hint,
            ))
        }
    }
}

/// The version of podgate's own kinds.
pub(super) const API_VERSION: &str = "podgate.dev/v1alpha1";

/// Refuses another version of podgate's own kinds than the one that this podgate reads.
pub(super) fn own_api_version(document: &Document) -> Result<(), Error> {
    match document.api_version() {
        Some(API_VERSION) => Ok(()),
        other => {
            let message = format!(
                "`{}` is no version of podgate's kinds",
                other.unwrap_or_default()
            );
            Err(at_value(
                document,
                "apiVersion",
                message,
                format!("this podgate reads {API_VERSION}"),
            ))
        }
    }
}

/// The range of minors at `path`, where the document has one.
pub(super) fn range(
    document: &Document,
    path: &str,
    text: Option<&str>,
) -> Result<Option<MinorRange>, Error> {
    const HINT: &str = "write it like \"1.25\", \"1.23..\", \"..1.24\" or \"1.20..1.24\"";
    let read = |text: &str| {
        text.parse()
            .map_err(|error: RangeError| at_value(document, path, error.to_string(), HINT))
    };
    text.map(read).transpose()
}

/// `did you mean X?`, or the list of what there is.
#[must_use]
pub fn nearest_hint(name: &str, known: &[String], intro: &str) -> String {
    match podgate_manifest::nearest_name(name, known.iter().map(String::as_str)) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None if known.is_empty() => "there are none".to_owned(),
        None => {
            let mut known = known.to_vec();
            known.dedup();
            format!("{intro}: {}", known.join(", "))
        }
    }
}

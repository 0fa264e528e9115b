//! Expands the files and folders of a command line as `kubectl -f` does.
//!
//! Upstream: `ExpandPathsToFileVisitors` in k8s.io/cli-runtime `pkg/resource/visitor.go` and
//! `Builder.Path` in `builder.go`: of a folder the files that end in `.json`, `.yaml` or `.yml`, in
//! the order of their names.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{Document, Error, Source, nearest_name, read_documents, read_json_lines};

/// The extensions that count in a folder. A file that is named counts with any.
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

/// The extensions of JSON Lines, which podgate takes in folders too if asked to.
const JSON_LINES: [&str; 2] = ["jsonl", "ndjson"];

/// The extensions of packed files.
const PACKED: [&str; 3] = ["gz", "zst", "zstd"];

/// A file to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Standard input, named as `-`.
    Stdin,
    /// A file that was named itself.
    Named(PathBuf),
    /// A file that was found in a folder.
    Found(PathBuf),
}

impl Input {
    /// Whether the user named it, rather than a folder that holds it.
    #[must_use]
    pub fn is_named(&self) -> bool {
        !matches!(self, Self::Found(_))
    }

    /// Whether its name says that it holds JSON Lines.
    #[must_use]
    pub fn is_json_lines(&self) -> bool {
        match self {
            Self::Stdin => false,
            Self::Named(path) | Self::Found(path) => has_extension(path, &JSON_LINES),
        }
    }

    /// Reads its documents: JSON Lines one line at a time, anything else as a whole.
    pub fn documents(
        &self,
    ) -> Result<Box<dyn Iterator<Item = Result<Document, Error>> + Send>, Error> {
        match self {
            Self::Named(path) | Self::Found(path) if self.is_json_lines() => {
                let file = fs::File::open(path).map_err(|error| unreadable(path, &error))?;
                let lines = io::BufReader::with_capacity(1 << 20, file);
                Ok(Box::new(read_json_lines(path.display().to_string(), lines)))
            }
            _ => Ok(Box::new(read_documents(&self.read()?))),
        }
    }

    /// Reads it to its end.
    pub fn read(&self) -> Result<Source, Error> {
        match self {
            Self::Stdin => Source::read(Source::STDIN, io::stdin().lock()),
            Self::Named(path) | Self::Found(path) => Source::open(path),
        }
    }
}

/// How folders are expanded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WalkOptions {
    /// Folders in folders too, `kubectl -R`.
    pub recursive: bool,
    /// Of a folder the dumps, too: JSON Lines, and files that are packed with gzip or zstd.
    pub dumps: bool,
}

/// Expands files, folders and `-` into inputs, in the order given.
///
/// A path that is not there, a folder that cannot be read, one without manifests and a Helm chart are
/// errors in their place; the other paths are expanded all the same.
pub fn walk<P: AsRef<Path>>(
    paths: impl IntoIterator<Item = P>,
    options: WalkOptions,
) -> Vec<Result<Input, Error>> {
    let mut inputs = Vec::new();
    for path in paths {
        let path = path.as_ref();
        if path == Path::new("-") {
            inputs.push(Ok(Input::Stdin));
            continue;
        }
        match fs::metadata(path) {
            Err(error) => inputs.push(Err(unreadable(path, &error))),
            Ok(metadata) if !metadata.is_dir() => inputs.push(Ok(Input::Named(path.to_owned()))),
            Ok(_) if is_chart(path) => inputs.push(Err(unrendered(path))),
            Ok(_) => {
                let before = inputs.len();
                expand(path, options, &mut inputs);
                if inputs.len() == before {
                    inputs.push(Err(without_manifests(path, options)));
                }
            }
        }
    }
    inputs
}

/// Adds the manifests of a folder, in the order of the names, folders where their name stands.
fn expand(folder: &Path, options: WalkOptions, inputs: &mut Vec<Result<Input, Error>>) {
    let mut entries = match fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
        Ok(entries) => entries,
        Err(error) => {
            inputs.push(Err(unreadable(folder, &error)));
            return;
        }
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // A link to a folder is no folder here, as in Go's filepath.Walk: so no walk is endless.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if options.recursive && is_chart(&path) {
                inputs.push(Err(unrendered(&path)));
            } else if options.recursive {
                expand(&path, options, inputs);
            }
        } else if has_extension(&path, &EXTENSIONS)
            || (options.dumps && (has_extension(&path, &JSON_LINES) || is_packed(&path)))
        {
            inputs.push(Ok(Input::Found(path)));
        }
    }
}

/// Whether it is the folder of a Helm chart: it has templates, which are no manifests.
fn is_chart(folder: &Path) -> bool {
    folder.join("Chart.yaml").is_file() && folder.join("templates").is_dir()
}

fn unrendered(folder: &Path) -> Error {
    let folder = folder.display().to_string();
    let hint = format!(
        "render it: podgate check, diff and fix do with --helm {folder}; elsewhere helm template {folder}"
    );
    let message = "it is a Helm chart: its templates are no manifests until they are rendered";
    Error::of_file(&folder, message, Some(hint))
}

/// Whether it is a packed file that would count if it were not packed.
fn is_packed(path: &Path) -> bool {
    let plain = path.with_extension("");
    has_extension(path, &PACKED)
        && (has_extension(&plain, &EXTENSIONS) || has_extension(&plain, &JSON_LINES))
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    // Go's filepath.Ext takes `.yaml` itself for an extension, Rust's for a name.
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    name.rsplit_once('.')
        .is_some_and(|(_, extension)| extensions.contains(&extension))
}

fn without_manifests(folder: &Path, options: WalkOptions) -> Error {
    let nested = !options.recursive
        && fs::read_dir(folder).is_ok_and(|mut entries| {
            entries.any(|entry| entry.is_ok_and(|entry| entry.path().is_dir()))
        });
    let hint = if nested {
        "folders in it are read with --recursive"
    } else {
        "a file with another name counts where it is named itself"
    };
    let hint = Some(hint.to_owned());
    let message = "no manifests: recognized file extensions are [.json .yaml .yml]";
    Error::of_file(&folder.display().to_string(), message, hint)
}

/// A path that cannot be read, with what the user may have meant.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Error {
    let file = path.display().to_string();
    match error.kind() {
        io::ErrorKind::NotFound => Error::of_file(
            &file,
            format!("the path {file:?} does not exist"),
            nearest_path(path),
        ),
        io::ErrorKind::PermissionDenied => {
            let hint = "make it readable for the user who runs podgate".to_owned();
            Error::of_file(&file, "cannot be read: permission denied", Some(hint))
        }
        io::ErrorKind::IsADirectory => {
            Error::of_file(&file, "cannot be read: it is a folder", None)
        }
        _ => Error::of_file(&file, format!("cannot be read: {error}"), None),
    }
}

/// The nearest name in the deepest folder of the path that is there.
fn nearest_path(path: &Path) -> Option<String> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new("."));
    if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
        return Some(format!("the folder `{}` does not exist", parent.display()));
    }
    let mut names: Vec<String> = fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    let wanted = path.file_name()?.to_str()?;
    // The same name with another extension is nearer than any other name.
    let stem = |name: &str| name.rsplit_once('.').map(|(stem, _)| stem.to_owned());
    let near = names
        .iter()
        .map(String::as_str)
        .find(|name| stem(name).is_some() && stem(name) == stem(wanted))
        .or_else(|| nearest_name(wanted, names.iter().map(String::as_str)))?;
    let near = parent.map_or_else(|| PathBuf::from(near), |parent| parent.join(near));
    Some(format!("did you mean `{}`?", near.display()))
}

#[cfg(test)]
mod tests;

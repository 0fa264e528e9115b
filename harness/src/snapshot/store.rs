//! The folder of snapshots: `<cluster>/<path of the scenario>.snap`, and beside a snapshot what is
//! proposed in its place, `.snap.new`, as insta has it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use super::Comparison;
use super::compare::changes;
use super::fold::Outcomes;
use super::format::{self, FormatError};
use super::insta::{self, Header};
use super::minors::Minors;

/// A folder of snapshots.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
    writing: Writing,
}

/// Whether files may be written and removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// They may.
    Allowed,
    /// They may not: in CI nothing is written.
    Forbidden,
}

/// Why a snapshot cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refuses.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// `read`, `write`, `remove` or `list`.
        action: &'static str,
        /// Which file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is no snapshot.
    #[error("{} is no snapshot: {source}", path.display())]
    Format {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: FormatError,
    },
    /// The path of a scenario or the name of a cluster leads out of the folder.
    #[error("{} is no path inside of the folder of snapshots", .0.display())]
    Path(PathBuf),
    /// What was reviewed is not what the files say now.
    #[error("{} changed since it was read", .0.display())]
    Changed(PathBuf),
    /// Nothing may be written, and writing is what was asked for.
    #[error("{} is left as it is: snapshots are not written in CI", .0.display())]
    Forbidden(PathBuf),
}

impl Store {
    /// The snapshots below `root`. The folder need not exist.
    pub fn new(root: impl Into<PathBuf>, writing: Writing) -> Self {
        Self {
            root: root.into(),
            writing,
        }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The snapshot of a scenario on a cluster. `scenario` is the file relative to the folder of
    /// scenarios: `psa/root.yaml` is kept as `<cluster>/psa/root.snap`.
    pub fn path(&self, cluster: &str, scenario: &Path) -> Result<PathBuf, StoreError> {
        let relative = Path::new(cluster).join(scenario);
        let inside = relative
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        let name = scenario.file_name().and_then(|name| name.to_str());
        let (true, Some(name)) = (inside, name) else {
            return Err(StoreError::Path(relative));
        };
        let stem = [".yaml", ".yml", ".json"]
            .iter()
            .find_map(|end| name.strip_suffix(end));
        Ok(self
            .root
            .join(relative.with_file_name(format!("{}.snap", stem.unwrap_or(name)))))
    }

    /// The text of a snapshot; `None` where there is none.
    pub fn read(&self, path: &Path) -> Result<Option<String>, StoreError> {
        let Some(file) = read_file(path)? else {
            return Ok(None);
        };
        Ok(Some(split(path, &file)?.0))
    }

    /// Compares the snapshot at `path` with what a run observed: see [`Comparison::of`].
    pub fn compare(
        &self,
        path: &Path,
        observed: &Outcomes,
        applicable: Minors,
    ) -> Result<Comparison, StoreError> {
        let (text, before) = match read_file(path)? {
            Some(file) => split(path, &file).map(|(text, before)| (Some(text), before))?,
            None => (None, 0),
        };
        Comparison::of(text.as_deref(), observed, applicable)
            .map_err(|error| at(path, error, before))
    }

    /// Writes what a run proposes for the snapshot at `path`, for review. Returns where, or `None`
    /// where nothing may be written. An older proposal is replaced.
    pub fn propose(
        &self,
        path: &Path,
        header: &Header,
        text: &str,
    ) -> Result<Option<PathBuf>, StoreError> {
        if self.writing == Writing::Forbidden {
            return Ok(None);
        }
        let new = proposal_of(path);
        write_file(&new, &insta::write(header, text))?;
        Ok(Some(new))
    }

    /// Removes an older proposal for the snapshot at `path` once a run over the minors `ran` agrees
    /// with the snapshot. It stays where it also changes minors that did not run.
    pub fn settle(&self, path: &Path, ran: Minors) -> Result<(), StoreError> {
        let new = proposal_of(path);
        if self.writing == Writing::Forbidden {
            return Ok(());
        }
        let Some(proposed) = read_file(&new)? else {
            return Ok(());
        };
        let recorded = self.outcomes(path);
        let outdated = match (recorded, outcomes(&new, &proposed)) {
            (Ok(recorded), Ok(proposed)) => changes(&recorded, &proposed, Minors::ALL)
                .iter()
                .all(|change| change.minors.is_within(ran)),
            _ => false,
        };
        if outdated { remove_file(&new) } else { Ok(()) }
    }

    /// Every snapshot, sorted by path.
    pub fn snapshots(&self) -> Result<BTreeSet<PathBuf>, StoreError> {
        self.files(".snap")
    }

    /// The snapshots that something is proposed for, sorted by path.
    pub fn proposals(&self) -> Result<BTreeSet<PathBuf>, StoreError> {
        let new = self.files(".snap.new")?;
        Ok(new.iter().map(|path| path.with_extension("")).collect())
    }

    /// The snapshots that no cluster and scenario has any more. `referenced` are the paths of all
    /// of them, whether they ran or not.
    pub fn unreferenced(
        &self,
        referenced: &BTreeSet<PathBuf>,
    ) -> Result<BTreeSet<PathBuf>, StoreError> {
        Ok(&self.snapshots()? - referenced)
    }

    /// Writes a snapshot in place of what is there, and removes what was proposed for it.
    pub(super) fn replace(&self, path: &Path, file: &str) -> Result<(), StoreError> {
        self.may_write(path)?;
        write_file(path, file)?;
        remove_file(&proposal_of(path))
    }

    /// Removes what is proposed for a snapshot.
    pub(super) fn withdraw(&self, path: &Path) -> Result<(), StoreError> {
        self.may_write(path)?;
        remove_file(&proposal_of(path))
    }

    /// Removes a snapshot, and what was proposed for it.
    pub fn remove(&self, path: &Path) -> Result<(), StoreError> {
        self.may_write(path)?;
        remove_file(path)?;
        remove_file(&proposal_of(path))
    }

    /// Writes what is kept beside the snapshots and is none.
    pub(crate) fn write_beside(&self, path: &Path, file: &str) -> Result<(), StoreError> {
        self.may_write(path)?;
        write_file(path, file)
    }

    /// What is recorded in the snapshot at `path`; nothing where there is none.
    pub fn outcomes(&self, path: &Path) -> Result<Outcomes, StoreError> {
        read_file(path)?.map_or(Ok(Outcomes::new()), |file| outcomes(path, &file))
    }

    fn may_write(&self, path: &Path) -> Result<(), StoreError> {
        match self.writing {
            Writing::Allowed => Ok(()),
            Writing::Forbidden => Err(StoreError::Forbidden(path.to_owned())),
        }
    }

    fn files(&self, end: &str) -> Result<BTreeSet<PathBuf>, StoreError> {
        let mut found = BTreeSet::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            let failed = |source| StoreError::Io {
                action: "list",
                path: folder.clone(),
                source,
            };
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(error)),
            };
            for entry in entries {
                let entry = entry.map_err(failed)?;
                if entry.file_type().map_err(failed)?.is_dir() {
                    folders.push(entry.path());
                } else if entry.file_name().to_string_lossy().ends_with(end) {
                    found.insert(entry.path());
                }
            }
        }
        Ok(found)
    }
}

/// Where a proposal for the snapshot at `path` stands.
#[must_use]
pub fn proposal_of(path: &Path) -> PathBuf {
    path.with_extension("snap.new")
}

/// A file of the store; `None` where there is none.
pub(super) fn read_file(path: &Path) -> Result<Option<String>, StoreError> {
    match fs::read_to_string(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        }),
    }
}

/// The text in a file and the number of lines in front of it.
pub(super) fn split(path: &Path, file: &str) -> Result<(String, usize), StoreError> {
    insta::read(file).map_err(|error| at(path, error, 0))
}

/// The outcomes in a file.
pub(super) fn outcomes(path: &Path, file: &str) -> Result<Outcomes, StoreError> {
    let (text, before) = split(path, file)?;
    format::read(&text).map_err(|error| at(path, error, before))
}

/// An error in the text of a file that has so many lines before the text.
fn at(path: &Path, mut source: FormatError, before: usize) -> StoreError {
    source.line += before;
    StoreError::Format {
        path: path.to_owned(),
        source,
    }
}

/// Writes a file whole or not at all: beside it first, then in its place.
fn write_file(path: &Path, file: &str) -> Result<(), StoreError> {
    let failed = |path: &Path, source| StoreError::Io {
        action: "write",
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = PathBuf::from(beside);
    fs::write(&beside, file).map_err(|error| failed(path, error))?;
    fs::rename(&beside, path).map_err(|error| {
        // The error of the rename is the one that matters.
        let _ = fs::remove_file(&beside);
        failed(path, error)
    })
}

fn remove_file(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(StoreError::Io {
            action: "remove",
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

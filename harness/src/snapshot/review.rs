//! The review of what runs proposed: list, accept, reject. What a person sees and types is the
//! command line's.

use std::path::{Path, PathBuf};

use super::compare::{Change, changes};
use super::diff::{DiffLine, diff};
use super::fold::Outcomes;
use super::insta;
use super::minors::Minors;
use super::store::{Store, StoreError, outcomes, proposal_of, read_file, split};

/// A proposal for one snapshot.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The snapshot that it is for.
    pub path: PathBuf,
    /// What it changes, the most dangerous change first; none where it only rewrites the form.
    pub changes: Vec<Change>,
    /// Why one of the two files cannot be read, so that what changes cannot be known.
    pub problem: Option<String>,
    /// The files as they were read: nothing else may be accepted.
    recorded: Option<String>,
    proposed: String,
}

/// What became of accepting everything.
#[derive(Debug, Default)]
pub struct Accepted {
    /// What was accepted.
    pub accepted: Vec<PathBuf>,
    /// What was left, because it would admit what was rejected: to be accepted one by one.
    pub dangerous: Vec<Pending>,
}

impl Pending {
    /// Whether it would admit what was rejected, or may, as far as can be known.
    #[must_use]
    pub fn is_dangerous(&self) -> bool {
        self.problem.is_some() || self.changes.iter().any(Change::is_dangerous)
    }

    /// The lines that it changes, with `context` lines around them.
    #[must_use]
    pub fn diff(&self, context: usize) -> Vec<DiffLine> {
        // A file without a header is shown as it is.
        let text =
            |file: &str| insta::read(file).map_or_else(|_| file.to_owned(), |(text, _)| text);
        let recorded = self.recorded.as_deref().map(text).unwrap_or_default();
        diff(&recorded, &text(&self.proposed), context)
    }

    /// Whether the snapshot is new.
    #[must_use]
    pub const fn is_new(&self) -> bool {
        self.recorded.is_none()
    }
}

impl Store {
    /// Everything that is proposed, the dangerous first, then by path.
    pub fn pending(&self) -> Result<Vec<Pending>, StoreError> {
        let mut pending: Vec<Pending> = self
            .proposals()?
            .iter()
            .map(|path| read(path))
            .collect::<Result<_, _>>()?;
        pending.sort_by_key(|pending| !pending.is_dangerous());
        Ok(pending)
    }

    /// Accepts one proposal: it becomes the snapshot. Refused where the files are not what the
    /// reviewer saw.
    pub fn accept(&self, pending: &Pending) -> Result<(), StoreError> {
        let seen = read_file(&pending.path)? == pending.recorded
            && read_file(&proposal_of(&pending.path))?.as_ref() == Some(&pending.proposed);
        if !seen {
            return Err(StoreError::Changed(pending.path.clone()));
        }
        let (text, before) = split(&proposal_of(&pending.path), &pending.proposed)?;
        if text.is_empty() {
            return self.remove(&pending.path);
        }
        // Insta notes the line of the assertion while a snapshot is pending, and drops it then.
        let header = pending.proposed.lines().take(before);
        let header = header.filter(|line| !line.starts_with("assertion_line:"));
        let file: Vec<&str> = header.chain(text.lines()).collect();
        self.replace(&pending.path, &(file.join("\n") + "\n"))
    }

    /// Rejects one proposal: the snapshot stays as it is.
    pub fn reject(&self, pending: &Pending) -> Result<(), StoreError> {
        self.withdraw(&pending.path)
    }

    /// Accepts every proposal that admits nothing which was rejected, and returns the others.
    pub fn accept_all(&self) -> Result<Accepted, StoreError> {
        let mut all = Accepted::default();
        for pending in self.pending()? {
            if pending.is_dangerous() {
                all.dangerous.push(pending);
            } else {
                self.accept(&pending)?;
                all.accepted.push(pending.path);
            }
        }
        Ok(all)
    }
}

fn read(path: &Path) -> Result<Pending, StoreError> {
    let new = proposal_of(path);
    let recorded = read_file(path)?;
    let proposed = read_file(&new)?.unwrap_or_default();
    let before = recorded
        .as_deref()
        .map_or(Ok(Outcomes::new()), |file| outcomes(path, file));
    let (changes, problem) = match (before, outcomes(&new, &proposed)) {
        (Ok(before), Ok(after)) => (changes(&before, &after, Minors::ALL), None),
        (Err(error), _) | (_, Err(error)) => (Vec::new(), Some(error.to_string())),
    };
    Ok(Pending {
        path: path.to_owned(),
        changes,
        problem,
        recorded,
        proposed,
    })
}

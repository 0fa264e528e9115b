//! The ledger of a run: a file in the user's state folder with a line for each thing that is about
//! to be made, and one for each that is gone.
//!
//! A run holds the lock of its ledger for as long as it lives; the kernel lets go of it however the
//! process ends. So whether a run is alive needs no look at process ids, which are used again.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::thing::Thing;
use crate::error::Error;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Line {
    /// A thing is about to be made.
    Made(u32, Thing),
    /// More is known of it: a process has an id.
    Known(u32, Thing),
    /// It is gone.
    Gone(u32),
    /// The run ends, and what stands is kept; how to reach it.
    Kept(String),
}

/// What a ledger says.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries {
    pub(super) things: BTreeMap<u32, Thing>,
    /// How to reach what was kept on purpose.
    pub(super) kept: Vec<String>,
}

/// A ledger that is open and locked.
#[derive(Debug)]
pub(super) struct Ledger {
    file: File,
    path: PathBuf,
}

/// An id that no other run has, with all likelihood: [`Ledger::create`] makes sure.
pub(super) fn new_id() -> Result<String, Error> {
    let bits = getrandom::u32().map_err(|error| {
        Error::environment(format!("the operating system has no randomness: {error}"))
    })?;
    Ok(format!("{bits:08x}"))
}

/// The folder of all ledgers: `$XDG_STATE_HOME/podgate/runs`, in `~/.local/state` by default.
pub(super) fn folder() -> Result<PathBuf, Error> {
    let absolute = |name: &str| {
        let path = PathBuf::from(std::env::var_os(name)?);
        path.is_absolute().then_some(path)
    };
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| Some(absolute("HOME")?.join(".local/state")))
        .ok_or_else(|| {
            Error::environment(
                "neither XDG_STATE_HOME nor HOME says where a run can note what it makes",
            )
            .hint("set one of them to a folder of yours")
        })?;
    Ok(state.join("podgate/runs"))
}

impl Ledger {
    /// Makes the ledger of a new run and locks it.
    pub(super) fn create(id: &str) -> Result<Self, Error> {
        let folder = folder()?;
        let path = folder.join(format!("{id}.jsonl"));
        let failed = |error: io::Error| {
            Error::environment(format!("cannot write {}: {error}", path.display()))
                .hint("a run notes there what it makes, so that podgate clean finds it; XDG_STATE_HOME names another folder")
        };
        fs::create_dir_all(&folder).map_err(failed)?;
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&path)
            .map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(Self { file, path })
    }

    /// Opens the ledger of a run that is dead; `None` where it is alive, or gone meanwhile.
    pub(super) fn take_over(path: &Path) -> io::Result<Option<(Self, Entries)>> {
        let file = match OpenOptions::new().read(true).append(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // A run that has just ended removes its ledger before it lets go of the lock.
        if !path.exists() {
            return Ok(None);
        }
        let entries = read(&fs::read_to_string(path)?)?;
        let path = path.to_owned();
        Ok(Some((Self { file, path }, entries)))
    }

    /// Notes a thing that is about to be made. It is on the disk before this returns: not even a
    /// power cut loses it.
    pub(super) fn made(&mut self, at: u32, thing: &Thing) -> Result<(), Error> {
        self.write(&Line::Made(at, thing.clone()))
            .and_then(|()| self.file.sync_data())
            .map_err(|error| {
                Error::environment(format!("cannot write {}: {error}", self.path.display()))
                    .hint("is the disk full?")
            })
    }

    /// Notes what became known of a thing.
    pub(super) fn known(&mut self, at: u32, thing: &Thing) {
        // The thing is found without it, too.
        let _ = self.write(&Line::Known(at, thing.clone()));
    }

    /// Notes that a thing is gone.
    pub(super) fn gone(&mut self, at: u32) {
        // Without the line, `podgate clean` finds that there is nothing left to remove.
        let _ = self.write(&Line::Gone(at));
    }

    /// Notes that what stands is kept.
    pub(super) fn keep(&mut self, reach: &str) -> Result<(), Error> {
        self.write(&Line::Kept(reach.to_owned())).map_err(|error| {
            Error::environment(format!("cannot write {}: {error}", self.path.display()))
        })
    }

    /// Everything was removed: removes the ledger too, unless something could not be removed.
    pub(super) fn end(&mut self) {
        let left = fs::read_to_string(&self.path)
            .and_then(|text| read(&text))
            .is_ok_and(|entries| !entries.things.is_empty());
        if !left {
            let _ = fs::remove_file(&self.path);
        }
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)
    }
}

/// Reads a ledger. A last line that was cut off, by a power cut or a full disk, says nothing.
pub(super) fn read(text: &str) -> io::Result<Entries> {
    let mut entries = Entries::default();
    for line in text.split_inclusive('\n').filter(|l| l.ends_with('\n')) {
        match serde_json::from_str(line)? {
            Line::Made(at, thing) | Line::Known(at, thing) => {
                entries.things.insert(at, thing);
            }
            Line::Gone(at) => {
                entries.things.remove(&at);
            }
            Line::Kept(reach) => entries.kept.push(reach),
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_line_that_was_cut_off_says_nothing() {
        let made = |at: u32| {
            let thing = Thing::Folder {
                path: PathBuf::from(format!("/tmp/{at}")),
            };
            serde_json::to_string(&Line::Made(at, thing)).expect("a line") + "\n"
        };
        let gone = serde_json::to_string(&Line::Gone(0)).expect("a line") + "\n";
        let whole = [made(0), made(1), gone, made(2)].concat();
        let at = |text: &str| {
            let entries = read(text).expect("a ledger");
            entries.things.into_keys().collect::<Vec<u32>>()
        };
        assert_eq!(at(&whole), [1, 2]);
        assert_eq!(at(&whole[..whole.len() - 1]), [1]);
        assert_eq!(at(&whole[..whole.len() - 5]), [1]);
        assert!(read("no ledger\n").is_err());
    }
}

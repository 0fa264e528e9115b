//! What dead runs left, found by their ledgers, and its removal.

use std::fs;
use std::io;
use std::path::Path;

use super::ledger::{self, Entries, Ledger};
use super::process::Seen;
use super::thing::{self, Thing};
use crate::error::Error;

/// What a run left that has ended.
#[derive(Clone, Debug)]
pub struct Left {
    /// The run's id.
    pub id: String,
    /// What its ledger names, the newest first.
    pub things: Vec<Thing>,
    /// How to reach what was kept on purpose.
    pub kept: Vec<String>,
}

/// What became of one run's things.
#[derive(Debug)]
pub struct Removed {
    /// The run's id.
    pub id: String,
    /// What was there and is gone.
    pub things: Vec<Thing>,
    /// What could not be removed, and why not.
    pub failed: Vec<Error>,
}

/// The runs that have ended and have something in their ledgers. Runs that are alive are not among
/// them.
pub fn left() -> Result<Vec<Left>, Error> {
    let mut left = Vec::new();
    for_each_dead(|id, _, entries| {
        left.push(Left {
            id: id.to_owned(),
            things: entries.things.into_values().rev().collect(),
            kept: entries.kept,
        });
    })?;
    Ok(left)
}

/// Removes what dead runs left, but for what they kept on purpose.
pub fn clean() -> Result<Vec<Removed>, Error> {
    let mut removed = Vec::new();
    for_each_dead(|id, ledger, entries| {
        if entries.kept.is_empty() {
            removed.push(remove_all(id, ledger, entries));
        }
    })?;
    Ok(removed)
}

/// Removes what the run `id` left or kept; `None` where no such run has ended.
pub fn remove(id: &str) -> Result<Option<Removed>, Error> {
    let mut removed = None;
    for_each_dead(|found, ledger, entries| {
        if found == id {
            removed = Some(remove_all(found, ledger, entries));
        }
    })?;
    Ok(removed)
}

fn remove_all(id: &str, ledger: &mut Ledger, entries: Entries) -> Removed {
    let mut removed = Removed {
        id: id.to_owned(),
        things: Vec::new(),
        failed: Vec::new(),
    };
    // Processes that the run had started when it died, but had not noted yet, and those that left
    // their group. They go before the folders that they write to.
    for seen in Seen::marked(id) {
        let noted = |thing: &Thing| matches!(thing, Thing::Process { pid: Some(pid), .. } if *pid == seen.pid);
        if !entries.things.values().any(noted) {
            let same = |now: &Seen| now.started == seen.started;
            match thing::end_process(seen.pid, same) {
                Ok(()) => removed.things.push(Thing::Process {
                    component: "process".to_owned(),
                    pid: Some(seen.pid),
                    started: Some(seen.started),
                }),
                Err(error) => removed.failed.push(error),
            }
        }
    }
    for (at, thing) in entries.things.into_iter().rev() {
        match thing.remove_left(id) {
            Ok(was_there) => {
                ledger.gone(at);
                if was_there {
                    removed.things.push(thing);
                }
            }
            Err(error) => removed.failed.push(error),
        }
    }
    ledger.end();
    removed
}

/// Calls `each` with the ledger of every run that has ended, which nobody else can take meanwhile.
fn for_each_dead(mut each: impl FnMut(&str, &mut Ledger, Entries)) -> Result<(), Error> {
    let folder = ledger::folder()?;
    let failed = |path: &Path, error: &io::Error| {
        Error::environment(format!("cannot read {}: {error}", path.display())).hint(
            "podgate keeps there what its runs made; remove the file if it is none of podgate's",
        )
    };
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(&folder, &error)),
    };
    let mut paths: Vec<_> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy());
        let Some(id) = name.as_deref().and_then(|n| n.strip_suffix(".jsonl")) else {
            continue;
        };
        if let Some((mut ledger, entries)) =
            Ledger::take_over(&path).map_err(|error| failed(&path, &error))?
        {
            each(id, &mut ledger, entries);
        }
    }
    Ok(())
}

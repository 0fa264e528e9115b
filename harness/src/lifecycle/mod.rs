//! Disposable means gone: what a run makes outside of its own memory, and how it is removed again.
//!
//! A run has an id, a folder for its files, and a ledger in the user's state folder that names each
//! thing before it is made. Things go when their owner is dropped; what is left goes with the run,
//! also where that ends in an error, a panic, Ctrl-C or SIGTERM. After SIGKILL the ledger is still
//! there, and nobody holds its lock: [`clean`] removes what it names.

mod clean;
mod interrupt;
mod ledger;
mod process;
mod thing;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use ledger::Ledger;

pub use clean::{Left, Removed, clean, left, remove};
pub use process::{Process, on_path};
pub use thing::Thing;

/// The environment variable by which every process of a run carries the run's id.
pub const MARK: &str = "PODGATE_RUN";

/// How a run treats what it makes.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What was booted stays when the run ends without being interrupted.
    pub keep: bool,
    /// The folder that keeps the logs of all components.
    pub logs: Option<PathBuf>,
}

/// A run that makes things. Dropping it removes them.
#[derive(Debug)]
pub struct Run {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    id: String,
    folder: PathBuf,
    logs: PathBuf,
    keep: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    ledger: Ledger,
    things: BTreeMap<u32, Standing>,
    next: u32,
    /// Whether something is to outlive the run.
    kept: bool,
    /// How many things could not be removed.
    failed: usize,
}

#[derive(Debug)]
struct Standing {
    thing: Thing,
    child: Option<Child>,
}

/// A thing of a run. Dropping it removes the thing, unless the run keeps what it makes.
#[derive(Debug)]
pub struct Claim {
    shared: Arc<Shared>,
    at: u32,
}

/// A folder in that of the run. Dropping it removes it, unless the run keeps what it makes.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    keep: bool,
}

impl Scratch {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.keep {
            // What stays goes with the run's folder.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

impl Run {
    /// Starts a run: from here on Ctrl-C and SIGTERM remove what it makes before the process ends.
    pub fn start(options: &Options) -> Result<Self, Error> {
        let id = ledger::new_id()?;
        let ledger = Ledger::create(&id)?;
        let folder = std::env::temp_dir().join(format!("podgate-{id}"));
        let logs = options.logs.clone().unwrap_or_else(|| folder.join("logs"));
        let shared = Arc::new(Shared {
            id,
            folder: folder.clone(),
            logs,
            keep: options.keep,
            state: Mutex::new(State {
                ledger,
                things: BTreeMap::new(),
                next: 0,
                kept: false,
                failed: 0,
            }),
        });
        interrupt::listen(&shared)?;
        let run = Self { shared };
        let own = run.claim(Thing::Folder {
            path: folder.clone(),
        })?;
        thing::make_private_folder(&folder)?;
        // It goes last, with the run.
        std::mem::forget(own);
        fs::create_dir_all(&run.shared.logs).map_err(|error| {
            Error::environment(format!(
                "cannot make the folder {} for logs: {error}",
                run.shared.logs.display()
            ))
            .hint("--logs takes a folder that can be written")
        })?;
        Ok(run)
    }

    /// What tells this run's things from others': eight hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// The run's own folder, which nobody else may read.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// A folder in it, made where it is not there yet. As with all that a run makes, whoever ends the
    /// run goes first: a folder that was removed must not come back.
    pub fn subfolder(&self, name: &str) -> Result<PathBuf, Error> {
        let folder = self.folder().join(name);
        let _state = self.shared.state();
        fs::create_dir_all(&folder).map_err(|error| {
            Error::environment(format!("cannot make {}: {error}", folder.display()))
        })?;
        Ok(folder)
    }

    /// A new folder in it, which goes with the returned value.
    pub fn scratch(&self, name: &str) -> Result<Scratch, Error> {
        let path = self.folder().join(name);
        let _state = self.shared.state();
        thing::make_private_folder(&path)?;
        Ok(Scratch {
            path,
            keep: self.keeps(),
        })
    }

    /// Where the log of a component goes: `etcd.log` of a boot.
    pub fn log(&self, boot: &str, component: &str) -> Result<PathBuf, Error> {
        let folder = self.shared.logs.join(boot);
        let _state = self.shared.state();
        fs::create_dir_all(&folder).map_err(|error| {
            Error::environment(format!("cannot make {}: {error}", folder.display()))
                .hint("--logs takes a folder that can be written")
        })?;
        Ok(folder.join(format!("{component}.log")))
    }

    /// Whether what is booted stays.
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.shared.keep
    }

    /// Notes a thing that is about to be made. It is removed with the claim, at the latest with the
    /// run.
    pub fn claim(&self, thing: Thing) -> Result<Claim, Error> {
        let mut state = self.shared.state();
        let at = state.note(thing, None)?;
        Ok(Claim {
            shared: Arc::clone(&self.shared),
            at,
        })
    }

    /// Starts a process of a group of its own; what it prints goes to `log`. It ends with the
    /// returned value.
    pub fn spawn(
        &self,
        component: &str,
        command: std::process::Command,
        log: &Path,
    ) -> Result<Process, Error> {
        Ok(Process::spawn(&self.shared, component, command, log, false)?.0)
    }

    /// The same of one whose output is read here: what it says on standard error goes to `log`.
    pub(crate) fn spawn_piped(
        &self,
        component: &str,
        command: std::process::Command,
        log: &Path,
    ) -> Result<(Process, ChildStdout), Error> {
        match Process::spawn(&self.shared, component, command, log, true)? {
            (process, Some(output)) => Ok((process, output)),
            (_, None) => Err(Error::environment(format!("{component} has no output"))),
        }
    }

    /// Keeps what stands, although the run ends, and notes how to reach it.
    pub fn keep(&self, reach: &str) -> Result<(), Error> {
        let mut state = self.shared.state();
        state.kept = true;
        state.ledger.keep(reach)
    }

    /// Ends the run. An error where something that it made could not be removed; what it was is told already.
    pub fn end(self) -> Result<(), Error> {
        let mut state = self.shared.state();
        if !state.kept {
            state.remove_all();
        }
        if state.failed == 0 {
            return Ok(());
        }
        Err(Error::environment(format!(
            "not everything that the run {} made could be removed",
            self.shared.id
        ))
        .hint("podgate clean tries again"))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        if !state.kept || std::thread::panicking() {
            state.remove_all();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, thing: Thing, child: Option<Child>) -> Result<u32, Error> {
        let at = self.next;
        self.next += 1;
        self.ledger.made(at, &thing)?;
        self.things.insert(at, Standing { thing, child });
        Ok(at)
    }

    /// Removes one thing. What cannot be removed stays in the ledger, for `podgate clean`.
    fn remove(&mut self, at: u32) {
        let Some(mut standing) = self.things.remove(&at) else {
            return;
        };
        match standing.thing.remove(standing.child.as_mut()) {
            Ok(()) => self.ledger.gone(at),
            Err(error) => {
                eprintln!("podgate: {error}");
                self.failed += 1;
            }
        }
    }

    /// Removes everything, the newest thing first, and the ledger where nothing is left.
    fn remove_all(&mut self) {
        while let Some((&at, _)) = self.things.last_key_value() {
            self.remove(at);
        }
        self.ledger.end();
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.shared.keep || std::thread::panicking() {
            self.shared.state().remove(self.at);
        }
    }
}

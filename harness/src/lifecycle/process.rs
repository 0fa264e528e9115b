//! Processes of a run: each leads a group of its own, so that Ctrl-C reaches podgate alone, and
//! carries the run's id in its environment.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;

use sysinfo::{Pid, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};

use super::{Claim, MARK, Shared, Thing};
use crate::error::Error;

/// A process that runs. Dropping it kills its group, unless the run keeps what it makes.
#[derive(Debug)]
pub struct Process {
    claim: Claim,
    component: String,
    log: PathBuf,
}

impl Process {
    pub(super) fn spawn(
        shared: &Arc<Shared>,
        component: &str,
        mut command: Command,
        log: &Path,
        piped: bool,
    ) -> Result<(Self, Option<ChildStdout>), Error> {
        let program = command.get_program().to_owned();
        let failed = |what: &dyn fmt::Display| {
            Error::environment(format!("cannot start {}: {what}", program.display()))
        };
        let errors = File::create(log).map_err(|e| failed(&format!("{}: {e}", log.display())))?;
        let output = if piped {
            Stdio::piped()
        } else {
            errors.try_clone().map_err(|e| failed(&e))?.into()
        };
        command
            .env(MARK, &shared.id)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        let mut thing = Thing::Process {
            component: component.to_owned(),
            pid: None,
            started: None,
        };
        // Whoever ends the run has to wait: nothing starts behind their back.
        let mut state = shared.state();
        let at = state.note(thing.clone(), None)?;
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                state.remove(at);
                return Err(failed(&error).hint(not_started(&program, &error)));
            }
        };
        if let Thing::Process { pid, started, .. } = &mut thing {
            *pid = Some(child.id());
            *started = Seen::of(child.id()).map(|seen| seen.started);
        }
        let output = child.stdout.take();
        state.ledger.known(at, &thing);
        if let Some(standing) = state.things.get_mut(&at) {
            standing.thing = thing;
            standing.child = Some(child);
        }
        drop(state);
        let process = Self {
            claim: Claim {
                shared: Arc::clone(shared),
                at,
            },
            component: component.to_owned(),
            log: log.to_owned(),
        };
        Ok((process, output))
    }

    /// What it is to podgate: `etcd`.
    #[must_use]
    pub fn component(&self) -> &str {
        &self.component
    }

    /// How it ended, if it has.
    #[must_use]
    pub fn exited(&self) -> Option<ExitStatus> {
        let mut state = self.claim.shared.state();
        let child = state.things.get_mut(&self.claim.at)?.child.as_mut()?;
        child.try_wait().ok().flatten()
    }

    /// The last lines that it wrote.
    #[must_use]
    pub fn last_lines(&self, count: usize) -> String {
        last_lines(&self.log, count)
    }
}

/// The last lines of a file; nothing where it cannot be read.
pub(crate) fn last_lines(log: &Path, count: usize) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

fn not_started(program: &OsStr, error: &std::io::Error) -> String {
    let program = program.display();
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => format!("chmod +x {program}"),
        std::io::ErrorKind::ExecutableFileBusy => format!("somebody is writing {program}"),
        _ => format!("is {program} a program for this machine?"),
    }
}

/// A program on `PATH`.
#[must_use]
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// A process as the operating system shows it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) pid: u32,
    /// In seconds since 1970.
    pub(super) started: u64,
    command: Vec<String>,
    mark: Option<String>,
}

impl Seen {
    /// The process of that id, unless it only waits for somebody to ask how it ended.
    pub(super) fn of(pid: u32) -> Option<Self> {
        Self::look(ProcessesToUpdate::Some(&[Pid::from_u32(pid)])).pop()
    }

    /// Every process that carries the mark of run `id`.
    pub(super) fn marked(id: &str) -> Vec<Self> {
        let mut seen = Self::look(ProcessesToUpdate::All);
        seen.retain(|process| process.mark.as_deref() == Some(id));
        seen
    }

    /// Whether the run `id` started it: it says so in its environment, or where that cannot be read
    /// in its command line, which names the run's folder.
    pub(super) fn belongs_to(&self, id: &str) -> bool {
        match &self.mark {
            Some(mark) => mark == id,
            None => self.command.iter().any(|word| word.contains(id)),
        }
    }

    fn look(which: ProcessesToUpdate<'_>) -> Vec<Self> {
        let what = ProcessRefreshKind::nothing()
            .with_cmd(UpdateKind::Always)
            .with_environ(UpdateKind::Always)
            .without_tasks();
        // Where sysinfo knows no processes, nothing is ever taken for a run's.
        let Ok(mut system) = System::new() else {
            return Vec::new();
        };
        system.refresh_processes_specifics(which, true, what);
        let alive = |status| !matches!(status, ProcessStatus::Zombie | ProcessStatus::Dead);
        let processes = system.processes().values();
        let mut seen: Vec<Self> = processes
            .filter(|process| alive(process.status()))
            .map(|process| Self {
                pid: process.pid().as_u32(),
                started: process.start_time(),
                command: words(process.cmd()),
                mark: words(process.environ())
                    .iter()
                    .find_map(|variable| variable.strip_prefix(MARK)?.strip_prefix('='))
                    .map(str::to_owned),
            })
            .collect();
        seen.sort_by_key(|process| process.pid);
        seen
    }
}

fn words(words: &[std::ffi::OsString]) -> Vec<String> {
    let words = words.iter().map(|word| word.to_string_lossy().into_owned());
    words.collect()
}

//! How a run on real servers goes: on a terminal a line for each server that is up, in a pipe a line
//! for each thing that happens. Both on stderr, with times. And of what is rendered, where it takes long.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use podgate_harness::backend::{Event, Watch};

use super::{counted, note};

/// Somebody watches.
pub(crate) struct Progress {
    started: Instant,
    /// The lines of a terminal, by title.
    lines: Option<(MultiProgress, Mutex<BTreeMap<String, ProgressBar>>)>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self {
            started: Instant::now(),
            lines: terminal.then(|| (MultiProgress::new(), Mutex::default())),
        }
    }

    /// Takes the lines of a terminal away.
    pub(crate) fn end(&self) {
        if let Some((all, _)) = &self.lines {
            // A terminal that is gone needs no clearing.
            let _ = all.clear();
        }
    }

    /// Says something about a boot; `lasting` where it is the last that is said.
    fn say(&self, boot: &str, text: &str, lasting: bool) {
        let Some((all, lines)) = &self.lines else {
            let seconds = self.started.elapsed().as_secs_f64();
            return note(&format!("{seconds:6.1} s  {boot}: {text}"));
        };
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.entry(boot.to_owned()).or_insert_with(|| {
            let line = all.add(ProgressBar::new_spinner());
            if let Ok(style) =
                ProgressStyle::with_template("{spinner} {elapsed:>4}  {prefix}: {msg}")
            {
                line.set_style(style);
            }
            line.set_prefix(boot.to_owned());
            line.enable_steady_tick(Duration::from_millis(120));
            line
        });
        line.set_message(text.to_owned());
        if lasting {
            line.finish_and_clear();
            lines.remove(boot);
        }
    }
}

impl Watch for Progress {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Stage { boot, stage } => self.say(boot, stage, false),
            Event::Booted {
                boot,
                version,
                took,
            } => {
                let took = took.as_secs_f64();
                self.say(boot, &format!("{version} is up after {took:.1} s"), false);
            }
            Event::Cell { boot, done, all } => {
                // In a pipe the last one says it all.
                if self.lines.is_some() || done == all {
                    self.say(boot, &format!("{done} of {}", counted(all, "cell")), false);
                }
            }
            Event::Ended { boot, took } => {
                let took = took.as_secs_f64();
                self.say(boot, &format!("gone after {took:.1} s"), true);
            }
            Event::Kept { boot, reach } => {
                self.say(boot, "kept", true);
                let line = format!("{boot} is up: {reach}");
                match &self.lines {
                    Some((all, _)) => all.suspend(|| note(&line)),
                    None => note(&line),
                }
            }
            Event::Note(text) => match &self.lines {
                Some((all, _)) => all.suspend(|| note(text)),
                None => note(text),
            },
        }
    }
}

/// What is being rendered: a line on a terminal; in a pipe a line once it takes long.
pub(crate) struct Rendering {
    line: Option<ProgressBar>,
    told: Cell<Duration>,
}

impl Rendering {
    /// After how long it is told in a pipe, and after how long again.
    const LONG: Duration = Duration::from_secs(10);

    pub(crate) fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self {
            line: terminal.then(ProgressBar::new_spinner),
            told: Cell::default(),
        }
    }

    pub(crate) fn tell(&self, what: &str, elapsed: Duration) {
        let text = format!("{what}: {} s", elapsed.as_secs());
        match &self.line {
            Some(line) => {
                line.set_message(text);
                line.tick();
            }
            None if elapsed >= self.told.get() + Self::LONG => {
                self.told.set(elapsed);
                note(&text);
            }
            None => {}
        }
    }

    /// Takes the line away.
    pub(crate) fn end(&self) {
        if let Some(line) = &self.line {
            line.finish_and_clear();
        }
    }
}

//! A folder that is gone after the test, with podgate in it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A folder with files.
pub(crate) struct Folder(TempDir);

/// What a run of podgate came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// What the tests set of the environment; everything else that podgate looks at is taken out.
const CLEARED: [&str; 6] = [
    "CI",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "TERM",
];

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// A folder with the example of `podgate init`: two clusters, a scenario, its snapshots.
    pub(crate) fn suite() -> Self {
        let folder = Self::new();
        let run = folder.podgate(&["init"]);
        assert_eq!(run.code, 0, "{run:?}");
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Replaces a text that has to stand in the file.
    #[track_caller]
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) -> &Self {
        let text = self.read(name);
        assert!(text.contains(from), "{name} has no {from:?}:\n{text}");
        self.write(name, &text.replace(from, to))
    }

    pub(crate) fn remove(&self, name: &str) -> &Self {
        let path = self.path().join(name);
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else {
            std::fs::remove_file(path).unwrap();
        }
        self
    }

    pub(crate) fn rename(&self, from: &str, to: &str) -> &Self {
        std::fs::rename(self.path().join(from), self.path().join(to)).unwrap();
        self
    }

    /// Every file below a folder, with its text, sorted.
    pub(crate) fn files(&self, name: &str) -> Vec<(PathBuf, String)> {
        let mut files = Vec::new();
        let mut folders = vec![self.path().join(name)];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else {
                continue;
            };
            for entry in entries {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = std::fs::read_to_string(&path).unwrap();
                    files.push((path, text));
                }
            }
        }
        files.sort();
        files
    }

    /// podgate in this folder, for more than arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_podgate"));
        command.args(arguments).current_dir(self.path());
        for name in CLEARED {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn podgate(&self, arguments: &[&str]) -> Run {
        run(&mut self.command(arguments), "")
    }

    /// The same as a CI job sees it.
    pub(crate) fn in_ci(&self, arguments: &[&str]) -> Run {
        run(self.command(arguments).env("CI", "true"), "")
    }

    /// The same with somebody at a terminal, who types these lines.
    #[cfg(unix)]
    pub(crate) fn at_a_terminal(&self, arguments: &[&str], typed: &str) -> Run {
        use rustix::fs::{Mode, OFlags, open};
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap();
        let terminal = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        // The terminal keeps what is typed until podgate asks.
        std::fs::File::from(person.try_clone().unwrap())
            .write_all(typed.as_bytes())
            .unwrap();
        let output = self.command(arguments).stdin(terminal).output().unwrap();
        drop(person);
        Run::of(output)
    }

    pub(crate) fn with_stdin(&self, arguments: &[&str], stdin: &str) -> Run {
        run(&mut self.command(arguments), stdin)
    }
}

/// Runs a command to its end. A panic of podgate never passes.
#[track_caller]
pub(crate) fn run(command: &mut Command, stdin: &str) -> Run {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // podgate may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    Run::of(child.wait_with_output().unwrap())
}

impl Run {
    #[track_caller]
    fn of(output: Output) -> Self {
        let run = Self {
            code: output.status.code().expect("no signal ends podgate"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        run
    }

    /// Asserts the exit code, and shows everything where it is another.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// Asserts that stdout has these texts, in this order.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        in_order(&self.stdout, texts);
        self
    }

    /// Asserts that stderr has these texts, in this order.
    #[track_caller]
    pub(crate) fn tells(self, texts: &[&str]) -> Self {
        in_order(&self.stderr, texts);
        self
    }

    /// The lines of stdout as JSON.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<serde_json::Value> {
        let lines = self.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    }
}

#[track_caller]
pub(crate) fn in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => panic!("{part:?} is not in\n{rest}\nof\n{text}"),
        }
    }
}

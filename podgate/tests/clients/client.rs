//! A program that is a client of a cluster, what it is told to do, and the server.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// One command: its words, what it reads, how it ends, and what it says among other things.
pub(crate) struct Step {
    words: &'static str,
    input: &'static str,
    code: i32,
    says: Vec<&'static str>,
}

pub(crate) fn step(words: &'static str, says: &[&'static str]) -> Step {
    Step {
        words,
        input: "",
        code: 0,
        says: says.to_vec(),
    }
}

pub(crate) fn refused(words: &'static str, says: &[&'static str]) -> Step {
    Step {
        code: 1,
        ..step(words, says)
    }
}

impl Step {
    pub(crate) fn reads(self, input: &'static str) -> Self {
        Self { input, ..self }
    }
}

/// A client.
pub(crate) struct Client(PathBuf);

impl Client {
    /// The program that the environment names as `variable`, else one called `name`; where there is none,
    /// that is said.
    pub(crate) fn find(variable: &str, name: &str) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let named = std::env::var_os(variable).map(PathBuf::from);
        let found = named.or_else(|| {
            std::env::split_paths(&path)
                .map(|folder| folder.join(name))
                .find(|program| program.is_file())
        });
        if found.is_none() {
            eprintln!("LEFT OUT: no {name}; {variable} names one");
        }
        found.map(Self)
    }

    /// Runs all steps, one after the other, and compares.
    #[track_caller]
    pub(crate) fn follow(&self, server: &Serving, steps: &[Step]) {
        let mut wrong = Vec::new();
        for step in steps {
            let (code, said) = self.run(server, step);
            let missing: Vec<_> = step
                .says
                .iter()
                .filter(|text| !said.contains(**text))
                .collect();
            if code != step.code || !missing.is_empty() {
                wrong.push(format!(
                    "{}\n  ended with {code}, not {}; did not say {missing:?}\n{said}",
                    step.words, step.code
                ));
            }
        }
        assert!(
            wrong.is_empty(),
            "{} wrong:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }

    /// Its exit code, and what it printed on both of its outputs.
    fn run(&self, server: &Serving, step: &Step) -> (i32, String) {
        let mut child = Command::new(&self.0)
            .args(step.words.split(' '))
            .env("KUBECONFIG", server.kubeconfig())
            // Its cache of discovery documents is of this server alone.
            .env("HOME", server.folder.path())
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the client runs");
        let mut input = child.stdin.take().expect("its input");
        // What does not read its input may have ended already.
        let _ = input.write_all(step.input.as_bytes());
        drop(input);
        let output = child.wait_with_output().expect("it ends");
        let said = [output.stderr, output.stdout].concat();
        (
            output.status.code().expect("a code"),
            String::from_utf8(said).expect("text"),
        )
    }
}

/// A server that is ready. It is killed in the end.
pub(crate) struct Serving {
    child: Child,
    folder: TempDir,
}

impl Serving {
    /// Starts one with these arguments.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(env!("CARGO_BIN_EXE_podgate"))
            .arg("serve")
            .args(arguments)
            .arg("--write-kubeconfig")
            .arg(Self::kubeconfig_in(folder.path()))
            .current_dir(&folder)
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("podgate runs");
        let stdout = child.stdout.take().expect("its output");
        let mut ready = String::new();
        BufReader::new(stdout).read_line(&mut ready).expect("text");
        assert!(ready.starts_with("ready: "), "{ready}");
        Self { child, folder }
    }

    fn kubeconfig(&self) -> PathBuf {
        Self::kubeconfig_in(self.folder.path())
    }

    fn kubeconfig_in(folder: &Path) -> PathBuf {
        folder.join("kubeconfig")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // One that has ended is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! The first session that README tells, as it stands there: each command in a new folder, and what
//! podgate says to it.

#![cfg(unix)]

use crate::folder::{Folder, in_order};

/// A command, and what follows it in the transcript.
struct Told<'a> {
    command: &'a str,
    answer: Vec<&'a str>,
}

/// The transcript below the heading.
fn transcript(readme: &str) -> Vec<Told<'_>> {
    let (_, section) = readme.split_once("\n## A first session\n").unwrap();
    let (_, block) = section.split_once("\n```console,ignore\n").unwrap();
    let (block, _) = block.split_once("\n```\n").unwrap();
    let mut told: Vec<Told<'_>> = Vec::new();
    for line in block.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => told.push(Told {
                command,
                answer: Vec::new(),
            }),
            None => told.last_mut().unwrap().answer.push(line),
        }
    }
    told
}

/// What ends a prompt of review; and the same where the answer stands behind it.
const PROMPT: &str = "(q)uit? ";
const ANSWERED: &str = "(q)uit! ";

/// What a person answers in a line of the transcript, where it is a prompt.
fn answered<'a>(line: &&'a str) -> Option<&'a str> {
    line.split_once(PROMPT).map(|(_, answer)| answer)
}

impl Told<'_> {
    /// Runs the command, holds what it says against the transcript, where `...` is anything, and
    /// returns the exit code of podgate.
    fn holds(&self, folder: &Folder) -> Option<i32> {
        // `sed -i` is not the same everywhere.
        if let Some(edit) = self.command.strip_prefix("sed -i 's/") {
            let (edit, file) = edit.split_once("/' ").unwrap();
            let (from, to) = edit.split_once('/').unwrap();
            folder.edit(file, from, to);
            return None;
        }
        let arguments: Vec<&str> = self.command.split(' ').collect();
        assert_eq!(arguments[0], "podgate", "{}", self.command);
        let answers = self.answer.iter().filter_map(|line| answered(line));
        let typed: String = answers.clone().flat_map(|answer| [answer, "\n"]).collect();
        let run = folder.at_a_terminal(&arguments[1..], &typed);
        // What is typed is echoed by the terminal, and not by podgate.
        let mut said = run.stdout;
        for answer in answers {
            said = said.replacen(PROMPT, &format!("{ANSWERED}{answer}\n"), 1);
        }
        let said = said.replace(ANSWERED, PROMPT) + &run.stderr;
        let answer: String = self.answer.iter().flat_map(|line| [line, "\n"]).collect();
        let parts: Vec<&str> = answer.split("...\n").collect();
        in_order(&said, &parts);
        let (first, last) = (parts[0], parts[parts.len() - 1]);
        assert!(said.starts_with(first) && said.ends_with(last), "{said}");
        Some(run.code)
    }
}

#[test]
fn the_session_goes_as_told() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let folder = Folder::new();
    let told = transcript(&readme);
    let codes: Vec<i32> = told.iter().filter_map(|told| told.holds(&folder)).collect();
    // The edit is what differs.
    assert_eq!(codes, [0, 0, 1, 0, 0]);
}

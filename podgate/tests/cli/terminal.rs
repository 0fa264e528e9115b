//! Colour, the width of lines, pipes that close, and other folders.

use std::io::Read;
use std::process::Stdio;

use rstest::rstest;

use crate::folder::{Folder, run};

const COMMANDS: [&[&str]; 4] = [
    &["test"],
    &["check", "scenarios/hello.yaml", "--enforce", "restricted"],
    &["explain", "privileged"],
    &["versions"],
];

#[test]
fn colour() {
    let suite = Folder::suite();
    for arguments in COMMANDS {
        let plain = suite.podgate(arguments).stdout;
        assert!(!plain.contains('\x1b'), "a pipe gets no colour: {plain}");
        let always: Vec<&str> = arguments
            .iter()
            .chain(&["--color", "always"])
            .copied()
            .collect();
        assert!(
            suite.podgate(&always).stdout.contains("\x1b["),
            "{arguments:?}"
        );
        let never: Vec<&str> = arguments
            .iter()
            .chain(&["--color", "never"])
            .copied()
            .collect();
        assert!(
            !run(suite.command(&never).env("CLICOLOR_FORCE", "1"), "")
                .stdout
                .contains('\x1b')
        );
        let forced = run(suite.command(arguments).env("CLICOLOR_FORCE", "1"), "").stdout;
        assert!(forced.contains('\x1b'), "{arguments:?}");
        let no_color = run(
            suite
                .command(arguments)
                .env("CLICOLOR_FORCE", "1")
                .env("NO_COLOR", "1"),
            "",
        )
        .stdout;
        assert!(!no_color.contains('\x1b'), "{arguments:?}");
    }
    let failed = suite
        .podgate(&[
            "--color",
            "always",
            "check",
            "none.yaml",
            "--enforce",
            "baseline",
        ])
        .ends(2);
    assert!(failed.stderr.contains("\x1b["), "{}", failed.stderr);
    assert!(
        !suite
            .podgate(&["check", "none.yaml", "--enforce", "baseline"])
            .stderr
            .contains('\x1b')
    );
}

/// `podgate ... | head -1`
#[rstest]
#[case(&["check", "pods.yaml", "--enforce", "restricted", "--kubernetes", "all", "-o", "jsonl"])]
#[case(&["check", "pods.yaml", "--enforce", "restricted"])]
#[case(&["completions", "bash"])]
fn a_pipe_that_closes_is_no_error(#[case] arguments: &[&str]) {
    let folder = Folder::new();
    let pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n";
    folder.write("pods.yaml", &pod.repeat(60));
    let mut child = folder
        .command(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 1];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    let code = output.status.code().expect("no signal ends podgate");
    assert!(code == 0 || code == 1, "{code}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        !stderr.contains("panicked") && !stderr.contains("roken pipe"),
        "{stderr}"
    );
}

/// No line is longer than the terminal, unless a single word is; and no name is broken at a hyphen.
#[rstest]
#[case("60")]
#[case("80")]
#[case("100")]
fn lines_fit(#[case] columns: &str) {
    let suite = Folder::suite();
    suite.rename(
        "scenarios/hello.yaml",
        "scenarios/a-scenario-with-a-docs-like-and-rather-long-name.yaml",
    );
    suite.edit(
        "clusters/psa-restricted.yaml",
        "enforce: restricted",
        "enforce: baseline",
    );
    let width: usize = columns.parse().unwrap();
    for arguments in [
        &["test"][..],
        &[
            "check",
            "scenarios",
            "--enforce",
            "baseline",
            "--warn",
            "restricted",
        ],
        &["explain", "seccompProfile_restricted"],
    ] {
        let text = run(suite.command(arguments).env("COLUMNS", columns), "").stdout;
        for line in text.lines().filter(|line| line.chars().count() > width) {
            // A path, a quoted field or a name alone cannot be broken.
            let words = line.split_whitespace().count();
            assert!(words <= 4, "{} columns: {line:?}", line.chars().count());
        }
        assert!(!text.contains("docs-\n"), "{text}");
    }
}

#[test]
fn another_folder() {
    let suite = Folder::suite();
    let outside = Folder::new();
    let path = suite.path().to_str().unwrap();
    outside.podgate(&["-C", path, "test"]).ends(0);
    outside.podgate(&["test", "-C", path, "-q"]).ends(0);
    outside
        .podgate(&[
            "-C",
            path,
            "check",
            "scenarios/hello.yaml",
            "--cluster",
            "psa-restricted",
        ])
        .ends(1)
        .says(&["Pod/default/root  scenarios/hello.yaml:"]);
}

//! What every file of the repository must have, and what none may have.

use std::collections::BTreeSet;
use std::path::Path;

/// Folders of data: a path in them is one of a container or a node.
const DATA: &[&str] = &["clusters/", "scenarios/", "snapshots/"];

/// Homes of people. The needles are written in two halves, so that this file has none of them.
const HOMES: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("C:\\Us", "ers\\"),
];

/// Code that stands for code, and tests that do not run.
const UNFINISHED: &[&str] = &[
    concat!("to", "do!("),
    concat!("unimpl", "emented!("),
    concat!("#[ig", "nore"),
];

/// What reaches out of a pure crate: files, environment, sockets, processes, threads, clock. That no
/// hash map is iterated is clippy's `iter_over_hash_type`.
const IMPURE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::process",
    "std::thread",
    "std::time",
    "Instant::now",
    "SystemTime",
    "TcpListener",
    "TcpStream",
    "ToSocketAddrs",
    "UdpSocket",
    "println!",
];

/// The top-level folders in git that the architecture page does not name.
pub(super) fn check_code_map(architecture: &str, files: &[String]) -> Vec<String> {
    let folders: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| file.split_once('/'))
        .map(|(folder, _)| folder)
        .collect();
    folders
        .into_iter()
        .filter(|folder| !architecture.contains(&format!("`{folder}/`")))
        .map(|folder| format!("ARCHITECTURE.md does not name `{folder}/`"))
        .collect()
}

/// What in one file breaks a rule, with the line.
pub(super) fn check_file(path: &str, text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    let rust = Path::new(path).extension().is_some_and(|e| e == "rs");
    if rust && !text.starts_with("//!") {
        broken.push(format!("{path}:1: a file opens with `//!`: what it is for"));
    }
    let homes = if DATA.iter().any(|folder| path.starts_with(folder)) {
        &[]
    } else {
        HOMES
    };
    let impure = if is_pure(path) { IMPURE } else { &[] };
    let mut in_tests = false;
    let mut before = "";
    for (n, line) in (1..).zip(text.lines()) {
        let mut find = |needles: &[&str], why: &str| {
            for needle in needles.iter().filter(|needle| line.contains(**needle)) {
                broken.push(format!("{path}:{n}: {needle}: {why}"));
            }
        };
        find(homes, "a path of somebody's machine");
        if rust {
            find(UNFINISHED, "unfinished, or a test that does not run");
        }
        // Inline tests stand last in a file.
        in_tests |= before == "#[cfg(test)]" && line.starts_with("mod ") && line.ends_with('{');
        before = line;
        if !in_tests && !line.trim_start().starts_with("//") {
            find(impure, "policy and admission see only what is handed in");
        }
    }
    broken
}

/// Whether the file is code of the crates that decide from what is handed in. Their tests may read
/// recorded answers.
fn is_pure(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    (path.starts_with("policy/src/") || path.starts_with("admission/src/"))
        && !path.contains("/tests/")
        && !name.ends_with("tests.rs")
        && name != "truth.rs"
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{HOMES, UNFINISHED, check_code_map, check_file};

    #[rstest]
    #[case("policy/src/a.rs", "//! A.\n", &[])]
    #[case("policy/src/a.rs", "use b;\n", &[":1:"])]
    #[case("upstream/schema/main.go", "package main\n", &[])]
    #[case("policy/src/a.rs", "//! A.\n\nuse std::fs;\n", &[":3: std::fs"])]
    #[case("policy/src/a.rs", "//! A.\n// Not std::fs: files are handed in.\n", &[])]
    #[case("policy/src/a.rs", "//! A.\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n", &[])]
    #[case("policy/src/a.rs", "//! A.\n#[cfg(test)]\nmod tests;\nuse std::fs;\n", &[":4:"])]
    #[case("admission/src/truth.rs", "//! A.\nuse std::fs;\n", &[])]
    #[case("harness/src/a.rs", "//! A.\nuse std::fs;\n", &[])]
    fn files(#[case] path: &str, #[case] text: &str, #[case] expected: &[&str]) {
        check(path, text, expected);
    }

    #[test]
    fn unfinished_code_and_homes() {
        for needle in UNFINISHED {
            check("xtask/src/a.rs", &format!("//! A.\n{needle}"), &[":2:"]);
            check("README.md", needle, &[]);
        }
        for needle in HOMES {
            check("README.md", &format!("see {needle}me/x"), &[":1:"]);
            check("scenarios/a.yaml", &format!("path: {needle}x"), &[]);
        }
    }

    #[track_caller]
    fn check(path: &str, text: &str, expected: &[&str]) {
        let broken = check_file(path, text);
        assert_eq!(broken.len(), expected.len(), "{broken:?}");
        for (broken, expected) in broken.iter().zip(expected) {
            assert!(broken.contains(expected), "{broken}");
        }
    }

    #[test]
    fn folders() {
        let files = ["a/b/c.rs", "d/e", "README.md"].map(str::to_owned);
        assert_eq!(
            check_code_map("Of `a/` and d/.", &files),
            ["ARCHITECTURE.md does not name `d/`"]
        );
    }
}

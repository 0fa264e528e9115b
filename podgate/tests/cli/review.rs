//! `podgate review`: what is pending, accepted, rejected.

use crate::folder::Folder;

const PROPOSED: &str = "snapshots/psa-restricted/hello.snap.new";

/// A suite in which one snapshot would admit what was rejected, and another changes its warnings.
fn pending() -> Folder {
    let suite = Folder::suite();
    suite
        .edit(
            "clusters/psa-restricted.yaml",
            "enforce: restricted",
            "enforce: baseline",
        )
        .edit(
            "clusters/psa-baseline-warn-restricted.yaml",
            "warn: restricted",
            "warn: baseline",
        );
    suite.podgate(&["test", "-q"]).ends(1);
    suite
}

#[test]
fn nothing_is_pending() {
    for arguments in [
        &["review"][..],
        &["review", "--list"],
        &["review", "--accept"],
    ] {
        Folder::suite()
            .podgate(arguments)
            .ends(0)
            .tells(&["nothing is pending"]);
    }
}

#[test]
fn lists_the_dangerous_first() {
    pending().podgate(&["review", "--list"]).ends(1).says(&[
        "psa-restricted/hello\n  Pod/root on 1.23..: was rejected, is admitted\n",
        "psa-baseline-warn-restricted/hello\n  Pod/root on 1.23..: the warnings differ\n",
    ]);
}

#[test]
fn without_a_terminal_it_shows_and_asks_nothing() {
    pending()
        .podgate(&["review"])
        .ends(2)
        .says(&[
            "psa-restricted/hello\n",
            "-   1.23..      rejected 403 PodSecurity",
            "+   1.23..      admitted",
        ])
        .tells(&[
            "standard input is no terminal",
            "hint: podgate review --accept, --reject or --list",
        ]);
}

#[test]
fn accepts_in_bulk_but_for_the_dangerous() {
    let suite = pending();
    let before = suite.read("snapshots/psa-restricted/hello.snap");
    suite.podgate(&["review", "--accept"]).ends(1).tells(&[
        "accepted 1 snapshot\n",
        "left, because something that was rejected would be admitted",
        "psa-restricted/hello\n  Pod/root on 1.23..: was rejected, is admitted\n",
        "podgate review --accept psa-restricted/hello\n",
    ]);
    assert_eq!(suite.read("snapshots/psa-restricted/hello.snap"), before);
    assert!(suite.read(PROPOSED).contains("admitted"));
    suite
        .podgate(&["review", "--accept", "psa-restricted/hello"])
        .ends(0)
        .tells(&["accepted 1 snapshot\n"]);
    assert!(
        suite
            .read("snapshots/psa-restricted/hello.snap")
            .contains("Pod/root   applied by admin\n  1.23..      admitted\n")
    );
    assert_eq!(suite.files("snapshots").len(), 2);
}

#[test]
fn several_names_are_no_look_at_each() {
    let suite = pending();
    suite
        .podgate(&[
            "review",
            "--accept",
            "psa-restricted/hello",
            "psa-baseline-warn-restricted/hello",
        ])
        .ends(1)
        .tells(&["left, because"]);
}

#[test]
fn rejects() {
    let suite = pending();
    let before = suite.read("snapshots/psa-restricted/hello.snap");
    suite
        .podgate(&["review", "--reject", "psa-restricted/hello"])
        .ends(0)
        .tells(&["rejected 1 snapshot\n"]);
    suite
        .podgate(&["review", "--reject"])
        .ends(0)
        .tells(&["rejected 1 snapshot\n"]);
    assert_eq!(suite.files("snapshots").len(), 2);
    assert_eq!(suite.read("snapshots/psa-restricted/hello.snap"), before);
}

#[test]
fn a_name_that_is_not_pending() {
    pending()
        .podgate(&["review", "--accept", "psa-restricted/helo"])
        .ends(2)
        .tells(&[
            "nothing is pending for `psa-restricted/helo`",
            "hint: did you mean `psa-restricted/hello`?",
        ]);
}

#[test]
fn new_snapshots_are_said_to_be_new() {
    let suite = Folder::suite();
    suite.rename("scenarios/hello.yaml", "scenarios/hi.yaml");
    suite.podgate(&["test", "-q"]).ends(1);
    suite
        .podgate(&["review", "--list"])
        .ends(1)
        .says(&["psa-restricted/hi  (new)\n"]);
    suite
        .podgate(&["review", "--accept"])
        .ends(0)
        .tells(&["accepted 2 snapshots\n"]);
    suite
        .podgate(&["review", "--remove-unreferenced"])
        .ends(0)
        .tells(&["removed 2 snapshots\n"]);
    suite.podgate(&["test", "-q"]).ends(0);
}

#[test]
fn in_ci_nothing_is_written() {
    let suite = pending();
    let before = suite.files("snapshots");
    for arguments in [
        &["review", "--accept"][..],
        &["review", "--reject"],
        &["review", "--accept", "psa-restricted/hello"],
    ] {
        suite
            .in_ci(arguments)
            .ends(2)
            .tells(&["snapshots are not written in CI", "hint: "]);
    }
    assert_eq!(suite.files("snapshots"), before);
    suite.write(
        "snapshots/psa-restricted/old.snap",
        &suite.read("snapshots/psa-restricted/hello.snap"),
    );
    suite.in_ci(&["review", "--remove-unreferenced"]).ends(2);
    suite.read("snapshots/psa-restricted/old.snap");
}

#[test]
fn accept_and_reject_exclude_each_other() {
    pending()
        .podgate(&["review", "--accept", "--reject"])
        .ends(2)
        .tells(&["cannot be used with"]);
}

/// Somebody at a terminal is asked about one snapshot after the other, the dangerous one first.
#[cfg(unix)]
mod asked {
    use rstest::rstest;

    use super::{PROPOSED, pending};

    const SNAPSHOT: &str = "snapshots/psa-restricted/hello.snap";
    const OTHER: &str = "snapshots/psa-baseline-warn-restricted/hello.snap.new";

    #[test]
    fn accepts_what_was_looked_at() {
        let suite = pending();
        suite
            .at_a_terminal(&["review"], "a\naccept\n")
            .ends(0)
            .says(&[
                "psa-restricted/hello\n  Pod/root on 1.23..: was rejected, is admitted\n",
                "1/2 something that was rejected would be admitted. (a)ccept, (r)eject, (s)kip or (q)uit? ",
                "psa-baseline-warn-restricted/hello\n",
                "2/2 (a)ccept, (r)eject, (s)kip or (q)uit? ",
            ])
            .tells(&["accepted 2, rejected 0, skipped 0\n"]);
        assert_eq!(suite.files("snapshots").len(), 2);
        assert!(suite.read(SNAPSHOT).contains("  1.23..      admitted\n"));
        // The snapshots hold; what the scenario expects does not.
        suite
            .podgate(&["test", "-q"])
            .ends(1)
            .says(&["all 2 snapshots agree\n1 expectation does not hold\n"]);
    }

    #[rstest]
    #[case::reject_and_skip("r\ns\n", "accepted 0, rejected 1, skipped 1\n", 1, [false, true])]
    #[case::skip_and_accept("s\na\n", "accepted 1, rejected 0, skipped 1\n", 1, [true, false])]
    #[case::reject_both("r\nreject\n", "accepted 0, rejected 2, skipped 0\n", 0, [false, false])]
    #[case::quit("q\n", "accepted 0, rejected 0, skipped 2\n", 1, [true, true])]
    #[case::the_end_of_input("\u{4}", "accepted 0, rejected 0, skipped 2\n", 1, [true, true])]
    #[case::what("what?\n\nr\nq\n", "accepted 0, rejected 1, skipped 1\n", 1, [false, true])]
    fn does_what_is_answered(
        #[case] typed: &str,
        #[case] told: &str,
        #[case] code: i32,
        #[case] pending_still: [bool; 2],
    ) {
        let suite = pending();
        let before = suite.read(SNAPSHOT);
        suite
            .at_a_terminal(&["review"], typed)
            .ends(code)
            .tells(&[told]);
        let there = [PROPOSED, OTHER].map(|name| suite.path().join(name).exists());
        assert_eq!(there, pending_still);
        assert_eq!(suite.read(SNAPSHOT), before);
    }
}

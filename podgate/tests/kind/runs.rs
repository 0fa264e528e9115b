//! `podgate test` on kind: outcomes as the snapshots have them, several clusters at a time, and an end in the middle.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::folder::run;
use crate::standin::{Fault, StandIn};

/// A suite with two clusters that need a server each, and its snapshots by the embedded server.
fn suite() -> StandIn {
    let standin = StandIn::new(Fault::None);
    standin
        .folder
        .write("clusters/defaults.yaml", crate::boots::DEFAULTS)
        .write("clusters/policies.yaml", crate::boots::POLICIES)
        .write(
            "scenarios/pods.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: plain}\nspec: {containers: [{name: c, image: pause}]}\n",
        );
    standin.podgate(&["test"]).ends(1);
    standin.podgate(&["review", "--accept"]).ends(0);
    standin.podgate(&["test"]).ends(0);
    standin
}

#[test]
fn clusters_side_by_side_agree_with_the_snapshots() {
    let standin = suite();
    let arguments = [
        "test",
        "--backend",
        "kind",
        "--kubernetes",
        "1.23..1.24",
        "--parallel",
        "4",
    ];
    let run = standin.podgate(&arguments).ends(0);
    for boot in [
        "defaults on 1.23",
        "defaults on 1.24",
        "policies on 1.23",
        "policies on 1.24",
    ] {
        assert!(
            run.stderr.contains(&format!("{boot}: ")),
            "{boot}: {}",
            run.stderr
        );
    }
    assert_eq!(standin.asked().matches("kind create cluster").count(), 4);
    assert_eq!(standin.asked().matches("kind delete cluster").count(), 4);
    standin.nothing_is_left();
}

#[test]
fn minors_that_this_kind_does_not_run_are_left_out_loudly() {
    let standin = suite();
    standin.set("version", "kind v0.20.0 go1.20.4 linux/amd64\n");
    // The kind of this machine runs 1.22, and neither 1.23 nor 1.24.
    let run = standin
        .podgate(&["test", "--cluster", "policies", "--backend", "kind"])
        .ends(0);
    assert!(
        run.stdout
            .contains("1.23..1.24: kind v0.20.0 is too old for that version, whose node image was built for v0.22.0"),
        "{}",
        run.stdout
    );
    standin
        .podgate(&[
            "test",
            "--cluster",
            "policies",
            "--kubernetes",
            "1.24",
            "--backend",
            "kind",
        ])
        .ends(3)
        .tells(&["kind v0.20.0 is too old", "hint: install kind v0.22.0"]);
    standin.nothing_is_left();
}

#[test]
fn two_runs_at_a_time_do_not_meet() {
    let standin = suite();
    let arguments = [
        "test",
        "--cluster",
        "defaults",
        "--backend",
        "kind",
        "--kubernetes",
        "1.36",
    ];
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(|| standin.podgate(&arguments));
        let other = scope.spawn(|| standin.podgate(&arguments));
        (one.join().unwrap(), other.join().unwrap())
    });
    one.ends(0);
    other.ends(0);
    standin.nothing_is_left();
}

/// Ends podgate while a cluster is being created, or while scenarios could run.
#[track_caller]
fn ended_by(signal: Signal, when: impl Fn(&StandIn) -> bool) -> StandIn {
    let standin = suite();
    // The node never comes up.
    standin.set("hold", "");
    let mut command = standin.command(&["test", "--backend", "kind", "--kubernetes", "1.24"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let started = Instant::now();
    while !when(&standin) {
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "the moment does not come"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    kill_process(Pid::from_child(&child), signal).unwrap();
    let status = child.wait().unwrap();
    assert_ne!(status.code(), Some(0));
    standin
}

fn is_creating(standin: &StandIn) -> bool {
    !standin.clusters().is_empty()
}

#[test]
fn sigterm_while_a_cluster_is_created() {
    let standin = ended_by(Signal::TERM, is_creating);
    standin.nothing_is_left();
    assert!(
        standin.asked().contains("kind delete cluster"),
        "{}",
        standin.asked()
    );
}

#[test]
fn sigkill_leaves_what_clean_removes_and_a_foreign_cluster_stays() {
    let standin = ended_by(Signal::KILL, is_creating);
    let left = standin.clusters();
    assert!(!left.is_empty());
    fs::write(
        standin.folder.path().join("standin/nodes/kind"),
        "kind-control-plane\n",
    )
    .unwrap();
    let clean = run(&mut standin.command(&["clean"]), "").ends(0);
    for cluster in left {
        assert!(
            clean
                .stdout
                .contains(&format!("removed kind cluster {cluster}")),
            "{clean:?}"
        );
    }
    assert_eq!(
        standin.clusters(),
        ["kind"],
        "nobody's cluster but the run's is deleted"
    );
}

#[test]
fn a_cluster_that_stays_makes_a_run_fail_that_agreed() {
    let standin = suite();
    standin.set("stuck", "device or resource busy");
    let arguments = [
        "test",
        "--cluster",
        "defaults",
        "--backend",
        "kind",
        "--kubernetes",
        "1.36",
    ];
    standin.podgate(&arguments).ends(3).tells(&[
        "cannot be deleted: device or resource busy",
        "podgate clean tries again",
        "not everything that the run",
    ]);
    assert_eq!(standin.clusters().len(), 1);
    fs::remove_file(standin.folder.path().join("standin/stuck")).unwrap();
    standin.podgate(&["clean"]).ends(0);
    standin.nothing_is_left();
}

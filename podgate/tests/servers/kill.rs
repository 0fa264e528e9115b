//! Nothing of a run is left, whoever ends it and when: Ctrl-C and SIGTERM remove everything, and after
//! SIGKILL `podgate clean` does. What podgate did not make is never touched.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::folder::{Folder, Running, text};
use crate::trial;

/// Moments of a run: what they are called, the line of stderr that comes before, and what the
/// stand-ins do so that the run does not go on too fast.
const MOMENTS: [(&str, &str, &str); 5] = [
    (
        "at_the_first_process",
        "starting etcd and kube-apiserver",
        "",
    ),
    (
        "before_it_is_ready",
        "waiting for /readyz",
        "waits for:/nowhere",
    ),
    ("when_it_is_up", "is up after", ""),
    ("after_its_scenarios", "1 of 1 cell", ""),
    ("when_the_first_server_is_gone", "gone after", ""),
];

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (moment, line, stand_in) in MOMENTS {
        for (word, signal, code) in [("INT", Signal::INT, 130), ("TERM", Signal::TERM, 143)] {
            let name = format!("kill::{word}_{moment}");
            trials.push(trial(name, move || {
                interrupted(signal, code, line, stand_in);
            }));
        }
        let name = format!("kill::KILL_{moment}");
        trials.push(trial(name, move || killed(line, stand_in)));
    }
    trials.push(trial(
        "kill::a_live_run_is_left_alone",
        a_live_run_is_left_alone,
    ));
    trials.push(trial("kill::a_panic", a_panic));
    trials.push(trial(
        "kill::a_process_id_is_used_again",
        a_process_id_is_used_again,
    ));
    trials.push(trial(
        "kill::a_folder_of_somebody_else",
        a_folder_of_somebody_else,
    ));
    trials
}

/// One server at a time, so that a run has a second one before it when the first is gone.
const ONE_BY_ONE: [&str; 2] = ["--parallel", "1"];

fn interrupted(signal: Signal, code: i32, line: &str, stand_in: &str) {
    let folder = Folder::new();
    let mut run = folder.start(&ONE_BY_ONE, stand_in);
    run.until(line);
    run.signal(signal);
    let (status, said) = run.ended();
    assert_eq!(status.code(), Some(code), "{said}");
    folder.is_clean();
}

fn killed(line: &str, stand_in: &str) {
    let folder = Folder::new();
    let mut foreign = Foreign::start(&folder);
    let mut run = folder.start(&ONE_BY_ONE, stand_in);
    run.until(line);
    run.signal(Signal::KILL);
    run.ended();
    // There is something to clean, or this shows nothing.
    assert_eq!(folder.names("tmp").len(), 1);
    assert_eq!(folder.names("state/podgate/runs").len(), 1);
    clean(&folder);
    assert!(foreign.runs());
    foreign.end();
    folder.is_clean();
}

fn clean(folder: &Folder) {
    let listed = folder.run(&["clean", "--list"], &[]);
    assert!(text(&listed.stdout).contains("died  folder"), "{listed:?}");
    let output = folder.run(&["clean"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).contains("removed folder"),
        "{}",
        text(&output.stdout)
    );
    let again = folder.run(&["clean"], &[]);
    assert!(
        text(&again.stderr).contains("nothing to remove"),
        "{again:?}"
    );
}

fn a_live_run_is_left_alone() {
    let folder = Folder::new();
    let mut run = folder.start(&ONE_BY_ONE, "waits for:/nowhere");
    run.until("waiting for /readyz");
    let running = folder.processes();
    let output = folder.run(&["clean"], &[]);
    assert!(
        text(&output.stderr).contains("nothing to remove"),
        "{output:?}"
    );
    // What it has started since may have come.
    let still = folder.processes();
    for process in &running {
        assert!(still.contains(process), "{process} is gone: {still:?}");
    }
    end(run);
    folder.is_clean();
}

fn a_panic() {
    let folder = Folder::new();
    let this = std::env::current_exe().expect("this program");
    let panics = folder.path("panics");
    symlink(this, &panics).expect("a link");
    let mut child = Command::new(&panics)
        .arg(folder.path("assets/etcd"))
        .envs(folder.places())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut ready = String::new();
    let mut stdout = BufReader::new(child.stdout.take().expect("its output"));
    stdout.read_line(&mut ready).expect("a line");
    // The kernel shows the words of a program a moment after it has started.
    let patience = Instant::now() + Duration::from_secs(10);
    while folder.processes().len() < 2 && Instant::now() < patience {
        thread::yield_now();
    }
    // There is something to remove, or this shows nothing.
    assert_eq!(folder.processes().len(), 2, "{ready}");
    assert_eq!(folder.names("tmp").len(), 1);
    drop(child.stdin.take());
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(101));
    folder.is_clean();
}

fn end(run: Running) {
    run.signal(Signal::TERM);
    run.ended();
}

/// A ledger names a process that has ended; somebody else's has its id now.
fn a_process_id_is_used_again() {
    let folder = Folder::new();
    let mut foreign = Foreign::start(&folder);
    let pid = foreign.child.id();
    folder.write(
        "state/podgate/runs/0badcafe.jsonl",
        &format!("{{\"made\":[0,{{\"process\":{{\"component\":\"etcd\",\"pid\":{pid},\"started\":1}}}}]}}\n"),
    );
    let output = folder.run(&["clean"], &[]);
    assert!(
        text(&output.stderr).contains("nothing to remove"),
        "{output:?}"
    );
    assert!(foreign.runs());
    foreign.end();
    folder.is_clean();
}

/// A ledger names a folder that is none of its run's.
fn a_folder_of_somebody_else() {
    let folder = Folder::new();
    let own = folder.path("precious");
    fs::create_dir(&own).expect("a folder");
    let line = serde_json::json!({"made": [0, {"folder": {"path": own}}]});
    folder.write("state/podgate/runs/0badcafe.jsonl", &format!("{line}\n"));
    folder.run(&["clean"], &[]);
    assert!(own.is_dir());
}

/// A process of somebody else, which looks like one of podgate's but was not started by it.
struct Foreign {
    child: Child,
}

impl Foreign {
    fn start(folder: &Folder) -> Self {
        let mut command = Command::new(folder.path("assets/etcd"));
        command
            .process_group(0)
            .arg("--data-dir=/tmp/podgate-elsewhere");
        Self {
            child: command.spawn().expect("a stand-in"),
        }
    }

    fn runs(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_none()
    }

    fn end(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

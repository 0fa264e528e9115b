//! Snapshots as files: written, proposed, reviewed, and accepted by insta.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use podgate_harness::outcome::{Action, By, Outcome, Rejection, Stage, Verdict};
use podgate_harness::snapshot::store::proposal_of;
use podgate_harness::snapshot::{
    Comparison, Header, Minors, Outcomes, Store, StoreError, Writing, format, insta as file,
};
use podgate_policy::Minor;
use rstest::rstest;

/// A pod that is admitted on every minor, or rejected from 1.25 on.
fn outcomes(rejected: bool) -> Outcomes {
    let on = |minor: Minor| {
        let verdict = if rejected && minor.number() >= 25 {
            Verdict::Rejected(Rejection {
                code: 403,
                by: By::PodSecurity,
                checks: vec!["privileged".into()],
                message: "pods \"a\" is forbidden: \\ \"---\"\n---\n  more\u{202e}\n".into(),
            })
        } else {
            Verdict::Admitted
        };
        let own = Stage {
            requester: "admin".into(),
            verdict,
            warnings: vec!["unknown field \"spec.foo\"".into()],
            psp: None,
            audit_annotations: Some(BTreeMap::new()),
        };
        let object = "Pod/a".into();
        (
            minor,
            vec![Outcome {
                step: None,
                object,
                action: Action::Applied,
                own,
                pods: None,
            }],
        )
    };
    Minor::all().map(on).collect()
}

fn header() -> Header {
    Header {
        source: "scenarios/psa/a b.yaml".into(),
        description: Some("What \"it\" shows: #1\nand more".into()),
        expression: Some("podgate test psa/a --cluster c".into()),
    }
}

fn store(folder: &Path) -> Store {
    Store::new(folder, Writing::Allowed)
}

/// Has a run propose what it observed, as `podgate test` does.
fn propose(store: &Store, scenario: &str, observed: &Outcomes) -> std::path::PathBuf {
    let path = store.path("c", Path::new(scenario)).unwrap();
    let compared = store.compare(&path, observed, Minors::ALL).unwrap();
    assert!(!compared.agrees());
    store.propose(&path, &header(), &compared.text).unwrap();
    path
}

fn agrees(store: &Store, path: &Path, observed: &Outcomes) -> bool {
    store.compare(path, observed, Minors::ALL).unwrap().agrees()
}

#[rstest]
#[case("c", "psa/root.yaml", Some("c/psa/root.snap"))]
#[case("c", "a.b.yml", Some("c/a.b.snap"))]
#[case("c", "a.b", Some("c/a.b.snap"))]
#[case("..", "a.yaml", None)]
#[case("c", "../a.yaml", None)]
#[case("c", "/etc/a.yaml", None)]
fn paths(#[case] cluster: &str, #[case] scenario: &str, #[case] expected: Option<&str>) {
    let path = store(Path::new("s")).path(cluster, Path::new(scenario));
    assert_eq!(
        path.ok(),
        expected.map(|expected| Path::new("s").join(expected))
    );
}

#[test]
fn a_proposal_becomes_the_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let path = propose(&store, "psa/a.yaml", &outcomes(false));
    assert!(!path.exists() && proposal_of(&path).exists());

    let pending = store.pending().unwrap();
    assert_eq!(pending.len(), 1);
    assert!(pending[0].is_new() && !pending[0].is_dangerous());
    store.accept(&pending[0]).unwrap();
    assert!(path.exists() && !proposal_of(&path).exists());
    assert!(agrees(&store, &path, &outcomes(false)));
    assert_eq!(store.snapshots().unwrap(), BTreeSet::from([path.clone()]));
    // Nothing else is left behind.
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn what_would_admit_is_left_by_accept_all() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let strict = propose(&store, "strict.yaml", &outcomes(true));
    let lax = propose(&store, "lax.yaml", &outcomes(false));
    assert_eq!(
        store.accept_all().unwrap().accepted,
        [lax.clone(), strict.clone()]
    );

    propose(&store, "strict.yaml", &outcomes(false));
    propose(&store, "lax.yaml", &outcomes(true));
    let pending = store.pending().unwrap();
    assert_eq!(pending[0].path, strict, "the dangerous one comes first");
    let lines: Vec<String> = pending[0]
        .diff(0)
        .iter()
        .map(|l| format!("{}{}", l.tag.sign(), l.text))
        .collect();
    assert!(lines.contains(&"-  1.25..      rejected 403 PodSecurity [privileged]".to_owned()));
    assert!(lines.contains(&"+  1.20..      admitted".to_owned()));

    let all = store.accept_all().unwrap();
    assert_eq!(all.accepted, [lax]);
    let [dangerous] = &all.dangerous[..] else {
        panic!("{:?}", all.dangerous)
    };
    assert_eq!(dangerous.path, strict);
    assert!(agrees(&store, &strict, &outcomes(true)));
    // A person who looks at it may accept it.
    store.accept(dangerous).unwrap();
    assert!(agrees(&store, &strict, &outcomes(false)));
}

#[test]
fn only_what_was_reviewed_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let path = propose(&store, "a.yaml", &outcomes(true));
    let seen = store.pending().unwrap().remove(0);
    propose(&store, "a.yaml", &outcomes(false));
    assert!(matches!(store.accept(&seen), Err(StoreError::Changed(changed)) if changed == path));
    store.reject(&seen).unwrap();
    assert!(!path.exists() && store.pending().unwrap().is_empty());
}

#[test]
fn a_proposal_that_a_run_outdates_goes() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let path = propose(&store, "a.yaml", &outcomes(false));
    store.accept_all().unwrap();
    propose(&store, "a.yaml", &outcomes(true));
    // A run over minors that the proposal does not change says nothing about it.
    store.settle(&path, Minors::only(Minor::OLDEST)).unwrap();
    assert!(proposal_of(&path).exists());
    store.settle(&path, Minors::ALL).unwrap();
    assert!(!proposal_of(&path).exists());
}

#[test]
fn nothing_is_written_in_ci() {
    let folder = tempfile::tempdir().unwrap();
    let ci = Store::new(folder.path(), Writing::Forbidden);
    let path = propose(&ci, "a.yaml", &outcomes(true));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    // What is there already may be looked at, but not accepted or removed.
    propose(&store(folder.path()), "a.yaml", &outcomes(true));
    let pending = ci.pending().unwrap();
    assert!(matches!(
        ci.accept(&pending[0]),
        Err(StoreError::Forbidden(_))
    ));
    assert!(matches!(
        ci.reject(&pending[0]),
        Err(StoreError::Forbidden(_))
    ));
    ci.settle(&path, Minors::ALL).unwrap();
    assert!(proposal_of(&path).exists() && !path.exists());
}

#[test]
fn what_no_scenario_has_is_unreferenced() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    assert!(store.snapshots().unwrap().is_empty());
    let kept = propose(&store, "kept.yaml", &outcomes(true));
    let stale = propose(&store, "psa/stale.yaml", &outcomes(true));
    store.accept_all().unwrap();
    let referenced = BTreeSet::from([kept]);
    assert_eq!(
        store.unreferenced(&referenced).unwrap(),
        BTreeSet::from([stale.clone()])
    );
    store.remove(&stale).unwrap();
    assert!(store.unreferenced(&referenced).unwrap().is_empty());
}

#[test]
fn a_snapshot_that_cannot_be_read_is_named_and_never_accepted_in_bulk() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let path = propose(&store, "a.yaml", &outcomes(true));
    store.accept_all().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("PodSecurity [", "Nobody [")).unwrap();
    let error = store
        .compare(&path, &outcomes(true), Minors::ALL)
        .unwrap_err()
        .to_string();
    let expected = "c/a.snap is no snapshot: line 9: `Nobody` is none of those who reject requests";
    assert!(error.ends_with(expected), "{error}");

    let compared = Comparison::of(None, &outcomes(false), Minors::ALL).unwrap();
    store.propose(&path, &header(), &compared.text).unwrap();
    let all = store.accept_all().unwrap();
    assert!(all.accepted.is_empty());
    assert!(
        all.dangerous[0]
            .problem
            .as_ref()
            .unwrap()
            .contains("line 9")
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("snapshots");
    fs::write(&blocked, "a file in the place of the folder").unwrap();
    let store = store(&blocked);
    let path = store.path("c", Path::new("a.yaml")).unwrap();
    let error = store
        .propose(&path, &header(), "x")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("cannot write ") && error.contains("snapshots/c"),
        "{error}"
    );
}

/// Asserts with insta that the snapshot `name` in `folder` holds `text`.
fn insta_accepts(folder: &Path, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn insta_reads_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let text = format::write(&outcomes(true));
    let path = folder.path().join("a.snap");
    fs::write(&path, file::write(&header(), &text)).unwrap();

    let read = insta::Snapshot::from_file(&path).unwrap();
    assert_eq!(read.metadata().source(), Some(header().source.as_str()));
    assert_eq!(
        read.metadata().description(),
        header().description.as_deref()
    );
    assert_eq!(read.metadata().expression(), header().expression.as_deref());
    assert_eq!(read.as_text().unwrap().to_string() + "\n", text);

    insta_accepts(folder.path(), "a", &text);
    assert!(!proposal_of(&path).exists());
}

#[test]
fn insta_writes_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let path = store.path("c", Path::new("a.yaml")).unwrap();
    fs::create_dir(folder.path().join("c")).unwrap();
    let text = format::write(&outcomes(true));
    // As insta saves it on review: with fields of its own in the header.
    let mut file = file::write(&header(), &text);
    file.insert_str(4, "assertion_line: 12\ninfo:\n  a: 1\n");
    fs::write(proposal_of(&path), file).unwrap();
    store.accept_all().unwrap();
    assert!(agrees(&store, &path, &outcomes(true)));
    let saved = fs::read_to_string(&path).unwrap();
    assert!(
        !saved.contains("assertion_line") && saved.contains("info:"),
        "{saved}"
    );
    insta_accepts(path.parent().unwrap(), "a", &text);
}

//! The rejections that real servers recorded: by whom each was, and that redaction and a snapshot
//! leave it so. Left out, with a line that says so, where the recordings are not there.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use podgate_harness::attribute::{StatusView, attribute};
use podgate_harness::outcome::{Action, By, Outcome, Stage, Verdict};
use podgate_harness::redact::Redaction;
use podgate_harness::snapshot::{Outcomes, format};
use podgate_policy::{Minor, Server, checks_in_message};
use serde_json::Value;

/// A recorded failure, as much of its Status as the recording has.
#[derive(Debug)]
struct Failure {
    minor: Minor,
    file: String,
    resource: &'static str,
    code: u16,
    reason: String,
    message: String,
    name: String,
    group: String,
    kind: String,
}

impl Failure {
    fn status<'a>(&'a self, message: &'a str, name: &'a str) -> StatusView<'a> {
        let Self {
            resource,
            code,
            reason,
            group,
            kind,
            ..
        } = self;
        StatusView {
            resource,
            code: *code,
            reason,
            message,
            name,
            group,
            kind,
        }
    }
}

/// Every recorded failure; none where there are no recordings.
fn failures() -> Vec<Failure> {
    let folder = std::env::var_os("PODGATE_TRUTH").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/truth"),
        PathBuf::from,
    );
    let Ok(minors) = fs::read_dir(&folder) else {
        eprintln!("LEFT OUT: no recorded answers; PODGATE_TRUTH names their folder");
        return Vec::new();
    };
    let mut failures = Vec::new();
    for folder in minors
        .map(|minor| minor.unwrap().path())
        .filter(|path| path.is_dir())
    {
        let minor = folder
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        for path in fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            let file = path
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .replace(".ndjson.gz", "");
            for line in BufReader::new(GzDecoder::new(fs::File::open(&path).unwrap())).lines() {
                let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
                collect(&line, minor, &file, &mut failures);
            }
        }
    }
    assert!(
        failures.len() > 1000,
        "{} failures in {}",
        failures.len(),
        folder.display()
    );
    failures
}

/// Collects the failures in a recorded line: itself, and the answers in its lists.
fn collect(line: &Value, minor: Minor, file: &str, failures: &mut Vec<Failure>) {
    for list in ["truth", "requests"] {
        for answer in line[list].as_array().into_iter().flatten() {
            collect(answer, minor, file, failures);
        }
    }
    let Some(code) = line["code"].as_u64().filter(|code| *code >= 400) else {
        return;
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let path = text(&line["path"]);
    let of_namespaces = file == "namespaces"
        || path
            .trim_end_matches(char::is_alphanumeric)
            .ends_with("namespaces/")
        || path.ends_with("/namespaces");
    let mut failure = Failure {
        minor,
        file: file.to_owned(),
        resource: if of_namespaces { "namespaces" } else { "pods" },
        code: u16::try_from(code).unwrap(),
        reason: String::new(),
        message: text(&line["message"]),
        name: String::new(),
        group: String::new(),
        kind: String::new(),
    };
    if file == "http" {
        let status = &line["answer"];
        failure.reason = text(&status["reason"]);
        failure.message = text(status.get("message").unwrap_or(status));
        failure.name = text(&status["details"]["name"]);
        failure.group = text(&status["details"]["group"]);
        failure.kind = text(&status["details"]["kind"]);
    } else if let Some((before, rest)) = failure.message.split_once(" \"") {
        // The details are not recorded, but say what the message starts with.
        let (kind, group) = before.split_once('.').unwrap_or((before, ""));
        (failure.kind, failure.group) = (kind.to_owned(), group.to_owned());
        rest.split('"')
            .next()
            .unwrap_or_default()
            .clone_into(&mut failure.name);
    }
    failures.push(failure);
}

#[test]
fn by_whom() {
    let mut seen: BTreeMap<(&str, By), usize> = BTreeMap::new();
    let failures = failures();
    for failure in &failures {
        let by = attribute(&failure.status(&failure.message, &failure.name));
        *seen.entry((&failure.file, by)).or_default() += 1;
        // What the recordings are of leaves no other choice.
        let expected: &[By] = match (failure.file.as_str(), failure.code) {
            ("config", 403) if failure.message.contains("RuntimeClass") => &[By::RuntimeClass],
            ("pods" | "updates" | "config", 403) => &[By::PodSecurity],
            ("psp" | "psp-rbac", 403) => &[By::PodSecurityPolicy],
            ("http", 400 | 415) => &[By::Decode],
            ("http", 403) => &[
                By::PodSecurity,
                By::RBAC,
                By::ServiceAccount,
                By::NamespaceLifecycle,
            ],
            ("http", 404) => &[By::NotFound],
            ("http", 409) => &[By::Conflict],
            (_, 422) => &[By::Validation],
            // A watch or list at a resource version that is not there yet.
            ("http", 500 | 504) => &[By::Other],
            _ => &[],
        };
        assert!(expected.contains(&by), "{by} rejected {failure:#?}");
        if by == By::PodSecurity {
            let server = Server::new(failure.minor);
            assert!(
                !checks_in_message(server, &failure.message).is_empty(),
                "{failure:#?}"
            );
        }
    }
    let count = |file, by| seen.get(&(file, by)).copied().unwrap_or_default();
    // A session of a client has each of these, twice per minor that it was recorded on.
    let sessions = count("http", By::ServiceAccount);
    for (by, times) in [
        (By::RBAC, 2),
        (By::NamespaceLifecycle, 1),
        (By::PodSecurity, 3),
    ] {
        assert_eq!(count("http", by), times * sessions, "{by}: {seen:#?}");
    }
}

#[test]
fn redaction_and_a_snapshot_leave_it_so() {
    let mut outcomes = Outcomes::new();
    for failure in failures() {
        let server = Server::new(failure.minor);
        let checks = |message: &str| {
            let checks = checks_in_message(server, message);
            checks.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let verdict = Verdict::rejected(&failure.status(&failure.message, &failure.name), checks);
        let own = Stage {
            requester: "admin".into(),
            verdict: verdict.clone(),
            warnings: vec![failure.message.clone()],
            psp: None,
            audit_annotations: Some(BTreeMap::new()),
        };
        let object = format!("Pod/{}", failure.name);
        let mut outcome = Outcome {
            step: None,
            object,
            action: Action::Applied,
            own,
            pods: None,
        };
        Redaction::new().pod(&failure.name).outcome(&mut outcome);

        let (before, after) = (
            verdict.rejection().unwrap(),
            outcome.own.verdict.rejection().unwrap(),
        );
        assert_eq!((before.by, &before.checks), (after.by, &after.checks));
        if before.by == By::PodSecurity {
            let status = failure.status(&after.message, "<pod>");
            assert_eq!(
                Verdict::rejected(&status, checks),
                outcome.own.verdict,
                "{failure:#?}"
            );
        }
        outcomes.entry(failure.minor).or_default().push(outcome);
    }
    let text = format::write(&outcomes);
    let read = format::read(&text).unwrap();
    assert_eq!(format::write(&read), text);
    for (minor, outcomes) in outcomes {
        let mut read = read[&minor].clone();
        for outcome in outcomes {
            let at = read.iter().position(|other| *other == outcome);
            read.swap_remove(at.unwrap_or_else(|| panic!("{outcome:#?} is lost")));
        }
        assert!(read.is_empty());
    }
}

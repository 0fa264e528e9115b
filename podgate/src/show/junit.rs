//! `JUnit`, as Jenkins, GitLab and others read it. What a scenario does on a cluster is a test case.

use std::fmt::Write;

use podgate_harness::check::Item;
use podgate_harness::check::diff::Compared;
use podgate_harness::error::Error;
use podgate_harness::record::{Record, folded};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::problems::{self, Problem, Severity};

/// The cases of a report, in suites.
pub(crate) struct Suite {
    pub(crate) name: String,
    pub(crate) cases: Vec<Case>,
}

/// A case: something that was judged, and what is wrong with it.
pub(crate) struct Case {
    pub(crate) name: String,
    /// What it belongs to: a scenario, a file.
    pub(crate) class: String,
    pub(crate) status: Status,
}

/// What became of a case.
pub(crate) enum Status {
    /// All is as it should be.
    Holds,
    /// Nothing was asked, for this reason.
    Skipped(String),
    /// Something is wrong.
    Wrong(Vec<Problem>),
}

/// The document.
pub(crate) fn document(suites: Vec<Suite>) -> Result<String, Error> {
    let mut report = Report::new("podgate");
    for suite in suites {
        let mut shown = TestSuite::new(suite.name);
        for case in suite.cases {
            let mut test = TestCase::new(case.name, status(&case.status));
            test.set_classname(case.class);
            shown.add_test_case(test);
        }
        report.add_test_suite(shown);
    }
    let text = report
        .to_string()
        .map_err(|error| Error::environment(format!("cannot write JUnit: {error}")))?;
    // The schema of Jenkins' xUnit plugin counts what is skipped in suites, not at the root.
    Ok(match text.split_once("<testsuites ") {
        Some((before, rest)) => {
            let (root, rest) = rest.split_once('>').unwrap_or((rest, ""));
            let root: Vec<&str> = root
                .split(' ')
                .filter(|attribute| !attribute.starts_with("skipped="))
                .collect();
            format!("{before}<testsuites {}>{rest}", root.join(" "))
        }
        None => text,
    })
}

fn status(status: &Status) -> TestCaseStatus {
    match status {
        Status::Holds => TestCaseStatus::success(),
        Status::Skipped(why) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(why.as_str());
            status
        }
        Status::Wrong(problems) => {
            // What cannot be known is an error of the run, and no verdict.
            let unknown = |problem: &Problem| matches!(problem.rule, "undecided" | "unreadable");
            let kind = if problems.iter().any(unknown) {
                NonSuccessKind::Error
            } else {
                NonSuccessKind::Failure
            };
            let mut status = TestCaseStatus::non_success(kind);
            if let Some(first) = problems.first() {
                status.set_type(first.rule);
                status.set_message(format!("{}: {}", first.subject(), first.title));
            }
            let texts: Vec<String> = problems.iter().map(text).collect();
            status.set_description(texts.join("\n\n"));
            status
        }
    }
}

fn text(problem: &Problem) -> String {
    let mut text = format!("{}: {}", problem.subject(), problem.title);
    for line in problem.message.lines() {
        text.push_str("\n  ");
        text.push_str(line);
    }
    for fault in &problem.faults {
        let _ = write!(text, "\n  at {} {}", fault.place, fault.field);
    }
    text
}

/// The cases of a run: a suite for each cluster, in it a case for each scenario.
pub(crate) fn of_run(record: &Record, problems: &[Problem]) -> Vec<Suite> {
    let about = |cluster: &str, scenario: &str| -> Vec<Problem> {
        let about = problems
            .iter()
            .filter(|p| p.cluster == cluster && p.scenario == scenario);
        about.cloned().collect()
    };
    let mut suites: Vec<Suite> = Vec::new();
    for cluster in &record.clusters {
        let of_cluster = record.snapshots.iter().filter(|s| s.cluster == *cluster);
        let mut cases: Vec<Case> = of_cluster
            .map(|snapshot| {
                let problems = about(cluster, &snapshot.scenario);
                Case {
                    name: snapshot.scenario.clone(),
                    class: cluster.clone(),
                    status: if problems.is_empty() {
                        Status::Holds
                    } else {
                        Status::Wrong(problems)
                    },
                }
            })
            .collect();
        let skipped = record
            .not_applicable
            .iter()
            .filter(|cells| cells.cluster == *cluster);
        cases.extend(skipped.map(|cells| {
            let minors = folded(&cells.kubernetes);
            let what = cells.scenario.as_deref().unwrap_or("all scenarios");
            Case {
                name: format!("{what} on Kubernetes {minors}"),
                class: cluster.clone(),
                status: Status::Skipped(format!("not applicable on Kubernetes {minors}")),
            }
        }));
        suites.push(Suite {
            name: cluster.clone(),
            cases,
        });
    }
    let unreferenced = problems
        .iter()
        .filter(|problem| problem.scenario.is_empty());
    let cases: Vec<Case> = unreferenced
        .map(|problem| Case {
            name: problem.message.clone(),
            class: "snapshots".to_owned(),
            status: Status::Wrong(vec![problem.clone()]),
        })
        .collect();
    if !cases.is_empty() {
        suites.push(Suite {
            name: "snapshots".to_owned(),
            cases,
        });
    }
    suites
}

/// The cases of what was checked: a suite for each cluster and minor, in it a case for each object.
pub(crate) fn of_check(items: &[Item]) -> Vec<Suite> {
    let mut suites: Vec<Suite> = Vec::new();
    for item in items {
        match item {
            Item::Judged(findings, _) => {
                for finding in findings {
                    let cluster = finding.cluster.as_deref();
                    let cluster = cluster.map(|name| format!("{name}, ")).unwrap_or_default();
                    let found = problems::of_finding(finding).into_iter();
                    let errors: Vec<Problem> = found
                        .map(|(problem, _)| problem)
                        .filter(|problem| problem.level == Severity::Error)
                        .collect();
                    let case = Case {
                        name: finding.object.clone(),
                        class: finding.source.as_ref().unwrap_or(&finding.file).clone(),
                        status: if errors.is_empty() {
                            Status::Holds
                        } else {
                            Status::Wrong(errors)
                        },
                    };
                    let name = format!("{cluster}Kubernetes {}", finding.minor);
                    add(&mut suites, name, case);
                }
            }
            Item::Unreadable(_, place) => {
                let case = Case {
                    name: format!("{}:{}", place.file, place.line),
                    class: place.file.clone(),
                    status: Status::Wrong(problems::of_check(std::slice::from_ref(item))),
                };
                add(&mut suites, "manifests".to_owned(), case);
            }
            Item::Context(_) | Item::NotJudged(_) => {}
        }
    }
    suites
}

/// The cases of what was compared: one suite, in it a case for each object.
pub(crate) fn of_diff(items: &[Item<Compared>], name: &str) -> Vec<Suite> {
    let mut suites = Vec::new();
    for item in items {
        let (name, case) = match item {
            Item::Judged(compared, _) => {
                let place = &compared.place;
                let problems = problems::of_compared(compared);
                let status = if problems.is_empty() {
                    Status::Holds
                } else {
                    Status::Wrong(problems)
                };
                let case = Case {
                    name: place.object.clone(),
                    class: place.source.as_ref().unwrap_or(&place.file).clone(),
                    status,
                };
                (name, case)
            }
            Item::Unreadable(_, place) => {
                let case = Case {
                    name: format!("{}:{}", place.file, place.line),
                    class: place.file.clone(),
                    status: Status::Wrong(problems::of_diff(std::slice::from_ref(item))),
                };
                ("manifests", case)
            }
            Item::Context(_) | Item::NotJudged(_) => continue,
        };
        add(&mut suites, name.to_owned(), case);
    }
    suites
}

fn add(suites: &mut Vec<Suite>, name: String, case: Case) {
    match suites.iter_mut().find(|suite| suite.name == name) {
        Some(suite) => suite.cases.push(case),
        None => suites.push(Suite {
            name,
            cases: vec![case],
        }),
    }
}

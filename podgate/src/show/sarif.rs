//! SARIF 2.1.0, as GitHub's code scanning and others read it: each problem at its line and column.
//! The structures are the part of the standard that podgate fills in.

use std::fmt::Write;
use std::path::Path;

use podgate_harness::error::Error;
use podgate_harness::fault::Place;
use podgate_policy::Check;
use serde::Serialize;

use super::problems::Problem;
use crate::args::Output;
use crate::show;

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'a str,
    version: &'a str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    column_kind: &'a str,
    results: Vec<Finding>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'a str,
    semantic_version: &'a str,
    information_uri: &'a str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    short_description: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    full_description: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<Text>,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: String,
    level: &'static str,
    message: Text,
    locations: Vec<Location>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Physical,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    /// Absent where it is all of the file: of what was rendered no line of the template is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
}

/// The document.
pub(crate) fn document(problems: &[Problem]) -> Result<String, Error> {
    let mut rules: Vec<Rule> = Vec::new();
    let mut results = Vec::new();
    for problem in problems {
        for finding in findings(problem) {
            if !rules.iter().any(|rule| rule.id == finding.rule_id) {
                rules.push(rule(&finding.rule_id, problem));
            }
            results.push(finding);
        }
    }
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "podgate",
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    information_uri: env!("CARGO_PKG_REPOSITORY"),
                    rules,
                },
            },
            column_kind: "unicodeCodePoints",
            results,
        }],
    };
    Ok(show::serialized(&log, Output::Json)?.unwrap_or_default())
}

/// One finding for each field at fault; where none is known, one for the problem.
fn findings(problem: &Problem) -> Vec<Finding> {
    let finding = |rule: &str, text: String, place: Option<&Place>| Finding {
        rule_id: rule.to_owned(),
        level: problem.level.as_str(),
        message: Text { text },
        locations: place.map(location).into_iter().collect(),
    };
    if problem.faults.is_empty() {
        let text = format!(
            "{}: {}\n{}",
            problem.subject(),
            problem.title,
            problem.message
        );
        return vec![finding(problem.rule, text, problem.place.as_ref())];
    }
    let of_fault = problem.faults.iter().map(|fault| {
        // A changed verdict is told as such, whichever check is behind it.
        let rule = if problem.scenario.is_empty() && !fault.check.is_empty() {
            &fault.check
        } else {
            problem.rule
        };
        let text = format!("{}: {}: {}", problem.subject(), problem.title, fault.text);
        finding(rule, text, Some(&fault.place))
    });
    of_fault.collect()
}

fn rule(id: &str, problem: &Problem) -> Rule {
    let text = |text: &str| Text {
        text: text.to_owned(),
    };
    match Check::find(id) {
        Some(check) => Rule {
            id: id.to_owned(),
            short_description: text(check.documentation.title),
            full_description: Some(text(check.documentation.rule)),
            help: Some(text(check.documentation.fix)),
        },
        None => Rule {
            id: id.to_owned(),
            short_description: text(&problem.title),
            full_description: None,
            help: None,
        },
    }
}

fn location(place: &Place) -> Location {
    Location {
        physical_location: Physical {
            artifact_location: Artifact {
                uri: uri(super::place::file(place)),
            },
            region: place.source.is_none().then(|| Region {
                start_line: place.line.max(1),
                start_column: place.column.max(1),
            }),
        },
    }
}

/// A path as a reference: relative where it is, with everything encoded that is more than a name.
fn uri(file: &str) -> String {
    let relative = Path::new(file).strip_prefix(".").unwrap_or(Path::new(file));
    let mut uri = String::new();
    for byte in relative.to_string_lossy().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            b'\\' if cfg!(windows) => uri.push('/'),
            byte => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn a_path_is_a_reference() {
        assert_eq!(uri("./k8s/web.yaml"), "k8s/web.yaml");
        assert_eq!(uri("a b/ü:#?.yaml"), "a%20b/%C3%BC%3A%23%3F.yaml");
        assert_eq!(uri("<stdin>"), "%3Cstdin%3E");
    }
}

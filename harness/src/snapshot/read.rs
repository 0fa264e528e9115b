//! Reads the text of a snapshot back into the outcomes of each minor.

use super::fold::Outcomes;
use super::format::{FormatError, ONLY_BY_MASTERS, POLICY, WARNING};
use super::minors::{Minors, Range};
use super::text::{read_line, take_word};
use crate::outcome::{Action, Outcome, Rejection, Stage, Step, Verdict};
use crate::psp::{AppliedPolicy, NoChange};

/// The deepest indentation of a text.
const INDENT: &str = "      ";

/// Reads the outcomes that a snapshot holds for each minor. Blank lines, spaces at the end of a
/// line and between words, and how minors are grouped into ranges are free.
pub fn read(text: &str) -> Result<Outcomes, FormatError> {
    let mut reader = Reader::default();
    for (at, line) in text.lines().enumerate() {
        let fail = |reason| FormatError {
            line: at + 1,
            reason,
        };
        let line = line.trim_end();
        if !line.is_empty() {
            reader.line(line).map_err(fail)?;
        }
    }
    reader.end_entry();
    Ok(reader.outcomes)
}

#[derive(Default)]
struct Reader {
    outcomes: Outcomes,
    step: Option<Step>,
    entry: Option<ReadEntry>,
}

struct ReadEntry {
    step: Option<Step>,
    object: String,
    action: Action,
    own: Block,
    pods: Vec<Block>,
}

/// The ranges of one requester.
struct Block {
    requester: String,
    ranges: Vec<(Minors, Answer)>,
}

#[derive(Default)]
struct Answer {
    verdict: Word,
    lines: Vec<String>,
    psp: Option<AppliedPolicy>,
    warnings: Vec<String>,
}

#[derive(Default)]
enum Word {
    #[default]
    Admitted,
    Undecided,
    Rejected(Rejection),
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if indent == 0 {
            return self.heading(line);
        }
        let entry = self
            .entry
            .as_mut()
            .ok_or("the object that this belongs to is missing")?;
        let (column, block) = match entry.pods.last_mut() {
            None => (2, &mut entry.own),
            Some(pods) => (4, pods),
        };
        if indent > column {
            let (_, answer) = block
                .ranges
                .last_mut()
                .ok_or("a range of minors is missing")?;
            let line = line.strip_prefix(&INDENT[..column + 2]);
            return answer.line(line.ok_or("this is indented by one space too few or too many")?);
        }
        if indent == 2
            && let Some(rest) = line.trim_start().strip_prefix("pods ")
        {
            let mut rest = rest
                .trim_start()
                .strip_prefix("created by")
                .ok_or("`created by` is missing")?;
            let requester = take_word(&mut rest).ok_or("who creates the pods is missing")?;
            end_of_line(rest)?;
            entry.pods.push(Block {
                requester,
                ranges: Vec::new(),
            });
            return Ok(());
        }
        if indent != column {
            return Err(format!(
                "expected {column} spaces in front, or `pods   created by`"
            ));
        }
        let (minors, answer) = range(line)?;
        let seen = match column {
            2 => entry.own.minors(),
            _ => entry
                .pods
                .iter()
                .fold(Minors::NONE, |seen, block| seen | block.minors()),
        };
        if !(minors & seen).is_empty() {
            return Err(format!("{} stands here twice", minors & seen));
        }
        if column == 4 && !minors.is_within(entry.own.minors()) {
            let alone = minors - entry.own.minors();
            return Err(format!("there are pods on {alone}, but no object"));
        }
        let block = entry.pods.last_mut().unwrap_or(&mut entry.own);
        block.ranges.push((minors, answer));
        Ok(())
    }

    fn heading(&mut self, line: &str) -> Result<(), String> {
        self.end_entry();
        if let Some((number, label)) = line
            .strip_prefix("step ")
            .and_then(|rest| rest.split_once(": "))
            && let Ok(number) = number.trim().parse()
        {
            let label = read_line(label).ok_or("this is no JSON string")?;
            self.step = Some(Step { number, label });
            return Ok(());
        }
        let mut rest = line;
        let object = take_word(&mut rest).ok_or("the name of an object is missing")?;
        let action = take_word(&mut rest).unwrap_or_default();
        let action = Action::ALL
            .into_iter()
            .find(|known| known.as_str() == action);
        let action = action.ok_or_else(|| {
            let known = Action::ALL.map(Action::as_str).join(", ");
            format!("what was done with the object is missing (one of {known})")
        })?;
        if take_word(&mut rest).as_deref() != Some("by") {
            return Err("`by` and the requester are missing".to_owned());
        }
        let requester = take_word(&mut rest).ok_or("the requester is missing")?;
        end_of_line(rest)?;
        self.entry = Some(ReadEntry {
            step: self.step.clone(),
            object,
            action,
            own: Block {
                requester,
                ranges: Vec::new(),
            },
            pods: Vec::new(),
        });
        Ok(())
    }

    fn end_entry(&mut self) {
        let Some(entry) = self.entry.take() else {
            return;
        };
        for (minors, answer) in &entry.own.ranges {
            for minor in minors.iter() {
                let pods = entry.pods.iter().find_map(|block| {
                    let (_, answer) = block.ranges.iter().find(|(on, _)| on.contains(minor))?;
                    Some(answer.stage(&block.requester))
                });
                self.outcomes.entry(minor).or_default().push(Outcome {
                    step: entry.step.clone(),
                    object: entry.object.clone(),
                    action: entry.action,
                    own: answer.stage(&entry.own.requester),
                    pods,
                });
            }
        }
    }
}

impl Block {
    fn minors(&self) -> Minors {
        self.ranges
            .iter()
            .fold(Minors::NONE, |all, (minors, _)| all | *minors)
    }
}

impl Answer {
    /// Takes a line below the range, without the indentation that all of them have.
    fn line(&mut self, line: &str) -> Result<(), String> {
        const NO_STRING: &str = "this is no JSON string";
        if let Some(warning) = line.strip_prefix(WARNING) {
            self.warnings.push(read_line(warning).ok_or(NO_STRING)?);
        } else if let Some(warning) = self.warnings.last_mut() {
            let line = line.strip_prefix("  ").ok_or("expected a warning")?;
            warning.push('\n');
            warning.push_str(&read_line(line).ok_or(NO_STRING)?);
        } else if matches!(self.verdict, Word::Admitted) {
            return self.policy(line);
        } else {
            self.lines.push(read_line(line).ok_or(NO_STRING)?);
        }
        Ok(())
    }

    /// Takes the line with the policy, or one below it.
    fn policy(&mut self, line: &str) -> Result<(), String> {
        if let Some(applied) = &mut self.psp {
            let change = line.strip_prefix("  ").ok_or("expected a warning")?;
            let change = read_line(change).ok_or("this is no JSON string")?;
            let change = change
                .parse()
                .map_err(|error: NoChange| error.to_string())?;
            applied.changes.push(change);
            return Ok(());
        }
        let rest = line.strip_prefix(POLICY);
        let mut rest = rest.ok_or("expected a policy or a warning")?;
        let policy = take_word(&mut rest).ok_or("the name of a policy is missing")?;
        let only_by_masters = rest == ONLY_BY_MASTERS;
        if !only_by_masters {
            end_of_line(rest)?;
        }
        self.psp = Some(AppliedPolicy {
            policy,
            only_by_masters,
            changes: Vec::new(),
        });
        Ok(())
    }

    fn stage(&self, requester: &str) -> Stage {
        let text = || self.lines.join("\n");
        Stage {
            requester: requester.to_owned(),
            verdict: match &self.verdict {
                Word::Admitted => Verdict::Admitted,
                Word::Undecided => Verdict::Undecided { reason: text() },
                Word::Rejected(rejection) => Verdict::Rejected(Rejection {
                    message: text(),
                    ..rejection.clone()
                }),
            },
            psp: self.psp.clone(),
            warnings: self.warnings.clone(),
            audit_annotations: Some(std::collections::BTreeMap::new()),
        }
    }
}

/// Reads `1.23..1.25  rejected 403 PodSecurity [privileged]`.
fn range(line: &str) -> Result<(Minors, Answer), String> {
    let mut rest = line;
    let range = take_word(&mut rest).ok_or("a range of minors is missing")?;
    let Range(first, last) = range.parse::<Range>().map_err(|error| error.to_string())?;
    let verdict = match take_word(&mut rest).as_deref() {
        Some("admitted") => Word::Admitted,
        Some("undecided") => Word::Undecided,
        Some("rejected") => {
            let code = take_word(&mut rest).and_then(|code| code.parse().ok());
            let code = code.ok_or("the HTTP code is missing")?;
            let by = take_word(&mut rest).ok_or("who rejected it is missing")?;
            let by = by
                .parse()
                .map_err(|error: crate::outcome::UnknownBy| error.to_string())?;
            let checks = checks(&mut rest)?;
            Word::Rejected(Rejection {
                code,
                by,
                checks,
                message: String::new(),
            })
        }
        _ => return Err("expected `admitted`, `rejected` or `undecided`".to_owned()),
    };
    end_of_line(rest)?;
    let answer = Answer {
        verdict,
        ..Answer::default()
    };
    Ok((Minors::between(first, last), answer))
}

fn checks(rest: &mut &str) -> Result<Vec<String>, String> {
    let mut checks = Vec::new();
    let Some(mut list) = rest.trim_start().strip_prefix('[') else {
        return Ok(checks);
    };
    loop {
        checks.push(take_word(&mut list).ok_or("a check is missing")?);
        list = list.trim_start();
        if let Some(more) = list.strip_prefix(',') {
            list = more;
        } else {
            *rest = list
                .strip_prefix(']')
                .ok_or("the list of checks has no end")?;
            return Ok(checks);
        }
    }
}

fn end_of_line(rest: &str) -> Result<(), String> {
    match rest.trim() {
        "" => Ok(()),
        rest => Err(format!("`{rest}` is too much")),
    }
}

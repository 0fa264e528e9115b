//! GitHub's workflow commands: annotations at lines of files. The words are those of
//! `actions/toolkit`, `packages/core/src/command.ts`.

use std::fmt::Write;

use super::place;
use super::problems::Problem;

/// A line for each problem, or for each field at fault.
pub(crate) fn annotations(problems: &[Problem]) -> String {
    let mut text = String::new();
    for problem in problems {
        let title = format!("{}: {}", problem.subject(), problem.title);
        let level = problem.level.as_str();
        let mut line = |place: Option<&podgate_harness::fault::Place>, message: &str| {
            let mut properties = Vec::new();
            if let Some(place) = place {
                properties.push(format!("file={}", property(place::file(place))));
                // The lines of what was rendered are none of the template's.
                if place.source.is_none() {
                    properties.push(format!("line={}", place.line));
                    properties.push(format!("col={}", place.column));
                }
            }
            properties.push(format!("title={}", property(&title)));
            let _ = writeln!(
                text,
                "::{level} {}::{}",
                properties.join(","),
                data(message)
            );
        };
        if problem.faults.is_empty() {
            line(problem.place.as_ref(), &problem.message);
        }
        for fault in &problem.faults {
            line(Some(&fault.place), &fault.text);
        }
    }
    text
}

/// A message: it must not end its line, nor begin another command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_begin_a_command() {
        assert_eq!(data("a\n::error::b%"), "a%0A::error::b%25");
        assert_eq!(property("a,b:c"), "a%2Cb%3Ac");
    }
}

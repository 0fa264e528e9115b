//! Markdown: for a pull request, a step summary or a page.

use std::fmt::Write;

use podgate_harness::record::Record;

use super::matrix::{self, Row};
use super::problems::Problem;
use super::run;

/// A run: what differs, then the matrix, folded away.
pub(crate) fn run(record: &Record, problems: &[Problem]) -> String {
    let mut text = format!("## podgate\n\n{}\n\n", escaped(&run::ran(record)));
    if problems.is_empty() {
        text.push_str("All is as recorded and as expected.\n");
    }
    list(&mut text, problems);
    let confirmed = anstream::adapter::strip_str(&run::confirmed(record)).to_string();
    if !confirmed.is_empty() {
        text.push('\n');
    }
    for line in confirmed.lines() {
        let _ = writeln!(text, "- {}", escaped(line));
    }
    let matrix = matrix(record);
    let _ = writeln!(
        text,
        "\n<details><summary>The matrix</summary>\n\n{matrix}\n</details>"
    );
    text
}

/// What was checked: everything that is wrong with it; `nothing` says what it means where that is
/// nothing.
pub(crate) fn check(problems: &[Problem], nothing: &str) -> String {
    let mut text = "## podgate\n\n".to_owned();
    if problems.is_empty() {
        let _ = writeln!(text, "{nothing}");
    }
    list(&mut text, problems);
    text
}

fn list(text: &mut String, problems: &[Problem]) {
    for problem in problems {
        let _ = writeln!(
            text,
            "- **{}** {}",
            escaped(&problem.title),
            escaped(&problem.subject())
        );
        for line in problem.message.lines() {
            let _ = writeln!(text, "  - {}", escaped(line));
        }
        for fault in &problem.faults {
            let at = format!("{} {}", fault.place, fault.field);
            let _ = writeln!(text, "  - at {}", escaped(&at));
        }
    }
}

/// The matrix, a table for each scenario.
pub(crate) fn matrix(record: &Record) -> String {
    let clusters = record.columns();
    let mut text = String::new();
    for row in matrix::rows(record) {
        match row {
            Row::Scenario(id) => {
                let _ = writeln!(text, "\n### {}\n", escaped(id));
                let _ = write!(text, "| |");
                for cluster in &clusters {
                    let _ = write!(text, " {} |", escaped(cluster));
                }
                let _ = writeln!(text, "\n| --- |{}", " --- |".repeat(clusters.len()));
            }
            Row::Object(label, sights) => {
                let _ = write!(text, "| {} |", escaped(&label));
                for sights in sights {
                    let lines =
                        matrix::fold(&sights)
                            .into_iter()
                            .map(|(range, sight)| match range {
                                Some(range) => format!("{range} {}", sight.sign()),
                                None => sight.sign().to_owned(),
                            });
                    let lines: Vec<String> = lines.collect();
                    let _ = write!(text, " {} |", lines.join("<br>"));
                }
                text.push('\n');
            }
        }
    }
    let _ = writeln!(text, "\n{}", escaped(&matrix::legend(record)));
    text.trim_start().to_owned()
}

/// A text of a user or a server so that it stands as it is, on one line, also in a table.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\n' | '\r' => escaped.push(' '),
            // A name with an at sign would notify somebody.
            '@' => escaped.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '-' | '!'
            | '|' | '~' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(
            escaped("a|b <img src=x> [x](y) @team\n# h"),
            "a\\|b &lt;img src=x&gt; \\[x\\]\\(y\\) &#64;team \\# h"
        );
    }
}

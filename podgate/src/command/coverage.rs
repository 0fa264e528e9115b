//! `podgate coverage`: which checks a suite trips and passes, at which versions.

use std::collections::BTreeSet;
use std::fmt::Write;

use podgate_harness::coverage::Coverage;
use podgate_harness::error::Error;
use podgate_harness::execute;

use crate::args::{CoverageArgs, Output};
use crate::exit::Exit;
use crate::show::style::{ADMITTED, FAINT, Painted, REJECTED, STRONG};
use crate::show::{self, counted, verdicts};

pub(crate) fn run(args: &CoverageArgs) -> Result<Exit, Error> {
    let (_, plan) = super::plan(&args.select)?;
    if plan.cells() == 0 {
        return Ok(super::nothing_to_run(&plan));
    }
    let results = execute::execute(&plan)?;
    let coverage = Coverage::of(&plan, &results);
    let text = match args.output {
        Output::Jsonl => {
            let lines = coverage.checks.iter().map(show::json_line);
            let lines = lines.chain(coverage.policy_fields.iter().map(show::json_line));
            lines.collect::<Result<String, Error>>()?
        }
        output => match show::serialized(&coverage, output)? {
            Some(text) => text,
            None => table(&coverage),
        },
    };
    show::data(&text)?;
    Ok(
        if coverage.holes().count() + coverage.field_holes().count() > 0 {
            Exit::Different
        } else {
            Exit::Expected
        },
    )
}

fn table(coverage: &Coverage) -> String {
    let mut text = String::new();
    let checks = coverage.checks.iter();
    let mut rows = vec![[
        "check".to_owned(),
        "from".into(),
        "tripped".into(),
        "passed".into(),
    ]];
    rows.extend(checks.map(|check| {
        let version = check.version.clone();
        [
            check.id.to_owned(),
            version,
            tripped(check.unreachable, &check.tripped),
            by(&check.passed),
        ]
    }));
    write_rows(&mut text, &rows);
    if !coverage.policy_fields.is_empty() {
        let fields = coverage.policy_fields.iter();
        let mut rows = vec![[
            "PodSecurityPolicy".to_owned(),
            "rule".into(),
            "tripped".into(),
        ]];
        rows.extend(fields.map(|field| {
            [
                field.field.to_owned(),
                field.rule.to_owned(),
                tripped(field.unreachable, &field.tripped),
            ]
        }));
        text.push('\n');
        write_rows(&mut text, &rows);
    }
    let holes: Vec<String> = coverage
        .holes()
        .map(|check| {
            let tripped = check.tripped.is_empty() && check.unreachable.is_none();
            let missing = match (tripped, check.passed.is_empty()) {
                (true, true) => "no scenario trips it, none passes it",
                (true, false) => "no scenario trips it",
                _ => "no scenario passes it",
            };
            format!("{} {}: {missing}", check.id, check.version)
        })
        .chain(coverage.field_holes().map(|field| {
            let rule = if field.rule.is_empty() { "" } else { " " };
            format!(
                "{}{rule}{}: no scenario is refused by it",
                field.field, field.rule
            )
        }))
        .collect();
    text.push('\n');
    let unreachable = coverage
        .checks
        .iter()
        .filter_map(|it| Some((format!("{} {}", it.id, it.version), it.unreachable?)))
        .chain(
            coverage
                .policy_fields
                .iter()
                .filter_map(|it| Some((it.field.to_owned(), it.unreachable?))),
        );
    for (what, why) in unreachable {
        let line = format!("{what}: nothing can trip it: {why}");
        text.push_str(&verdicts::filled(&line, "", "  ", show::width()));
    }
    if holes.is_empty() {
        let all = counted(coverage.checks.len(), "version");
        let line = format!("all {all} of the checks are tripped and passed");
        let _ = writeln!(text, "{}", Painted(ADMITTED, &line));
        if !coverage.policy_fields.is_empty() {
            let line = format!(
                "all {} fields of policies that can refuse a pod do",
                coverage
                    .policy_fields
                    .iter()
                    .filter(|it| it.unreachable.is_none())
                    .count()
            );
            let _ = writeln!(text, "{}", Painted(ADMITTED, &line));
        }
        return text;
    }
    let _ = writeln!(text, "{}", Painted(REJECTED, &counted(holes.len(), "hole")));
    for hole in holes {
        text.push_str(&verdicts::filled(&hole, "  ", "    ", show::width()));
    }
    text
}

/// Who trips something; what nothing can trip is no hole.
fn tripped(unreachable: Option<&str>, scenarios: &BTreeSet<String>) -> String {
    match unreachable {
        Some(_) if scenarios.is_empty() => "none can".to_owned(),
        _ => by(scenarios),
    }
}

/// How many scenarios, and the first of them.
fn by(scenarios: &BTreeSet<String>) -> String {
    match scenarios.first() {
        None => "none".to_owned(),
        Some(only) if scenarios.len() == 1 => only.clone(),
        Some(first) => format!("{first} and {} more", scenarios.len() - 1),
    }
}

fn write_rows<const N: usize>(text: &mut String, rows: &[[String; N]]) {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    for (at, row) in rows.iter().enumerate() {
        for (column, cell) in row.iter().enumerate() {
            let style = match (at, cell.as_str()) {
                (0, _) => STRONG,
                (_, "none") => REJECTED,
                _ if column == 0 => anstyle::Style::new(),
                _ => FAINT,
            };
            let gap = if column + 1 == N {
                String::new()
            } else {
                " ".repeat(widths[column] - cell.len() + 2)
            };
            let _ = write!(text, "{}{gap}", Painted(style, cell));
        }
        text.push('\n');
    }
}

//! `podgate explain`: what a check demands, since when, and how to satisfy it.

use std::fmt::Write;

use podgate_harness::error::Error;
use podgate_policy::checks::{CHECKS, Check};
use serde_json::{Value, json};

use crate::args::ExplainArgs;
use crate::exit::Exit;
use crate::show;
use crate::show::style::{FAINT, Painted, STRONG};
use crate::show::verdicts;

pub(crate) fn run(args: &ExplainArgs) -> Result<Exit, Error> {
    let Some(id) = &args.check else {
        let list: Vec<Value> = CHECKS.iter().map(|check| summary(check)).collect();
        let text = match show::serialized(&list, args.output)? {
            Some(text) => text,
            None => overview(),
        };
        show::data(&text)?;
        return Ok(Exit::Expected);
    };
    let check = CHECKS.iter().find(|check| check.id == id).ok_or_else(|| {
        let known: Vec<String> = CHECKS.iter().map(|check| check.id.to_owned()).collect();
        Error::input(format!("there is no check `{id}`")).hint(
            podgate_harness::suite::nearest_hint(id, &known, "the checks are"),
        )
    })?;
    let text = match show::serialized(&whole(check), args.output)? {
        Some(text) => text,
        None => page(check),
    };
    show::data(&text)?;
    Ok(Exit::Expected)
}

fn summary(check: &Check) -> Value {
    json!({
        "id": check.id,
        "level": check.level.to_string(),
        "title": check.documentation.title,
        "versions": check.revisions.iter().map(|r| format!("v1.{}", r.since)).collect::<Vec<_>>(),
    })
}

fn whole(check: &Check) -> Value {
    let documentation = &check.documentation;
    json!({
        "id": check.id,
        "level": check.level.to_string(),
        "title": documentation.title,
        "rule": documentation.rule,
        "versions": check.revisions.iter().map(|revision| json!({
            "since": format!("v1.{}", revision.since),
            "change": revision.change,
        })).collect::<Vec<_>>(),
        "fields": documentation.fields,
        "allowed": documentation.allowed,
        "fix": documentation.fix,
        "example": documentation.example,
    })
}

fn overview() -> String {
    let widest = CHECKS.iter().map(|check| check.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    let mut level = None;
    for check in CHECKS {
        if level != Some(check.level) {
            level = Some(check.level);
            let _ = writeln!(text, "{}", Painted(STRONG, &check.level.to_string()));
        }
        let _ = writeln!(
            text,
            "  {:widest$}  {}",
            check.id, check.documentation.title
        );
    }
    let _ = writeln!(
        text,
        "{}",
        Painted(
            FAINT,
            "restricted demands what baseline demands, too. podgate explain CHECK tells more."
        )
    );
    text
}

fn page(check: &Check) -> String {
    let documentation = &check.documentation;
    let width = show::width();
    let mut text = String::new();
    let title = format!("{}: {}", check.id, documentation.title);
    let _ = writeln!(text, "{}\n", Painted(STRONG, &title));
    text.push_str(&verdicts::filled(documentation.rule, "", "", width));

    let mut section = |name: &str, lines: &[String]| {
        let _ = writeln!(text, "\n{}", Painted(STRONG, name));
        for line in lines {
            text.push_str(&verdicts::filled(line, "  ", "  ", width));
        }
    };
    let since: Vec<String> = check
        .revisions
        .iter()
        .map(|revision| match (revision.since, revision.change) {
            (0, _) => "every version of the policy".to_owned(),
            (since, "") => format!("v1.{since}"),
            (since, change) => format!("v1.{since}: {change}"),
        })
        .collect();
    section(
        "Level",
        &[match check.overridden_by {
            Some(other) => format!(
                "{} (at restricted, {} takes its place)",
                check.level, other.id
            ),
            None => check.level.to_string(),
        }],
    );
    section("Since", &since);
    let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    section("Fields", &owned(documentation.fields));
    section("Allowed", &owned(documentation.allowed));
    section("What to do", &[documentation.fix.to_owned()]);
    let _ = writeln!(text);
    for line in documentation.example.lines() {
        let _ = writeln!(text, "    {line}");
    }
    text
}

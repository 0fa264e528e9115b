//! `podgate explain`: what a check demands, since when, and how to satisfy it; and what a field of a
//! `PodSecurityPolicy` did, and what takes its place.

use std::fmt::Write;

use podgate_harness::error::Error;
use podgate_policy::checks::{CHECKS, Check};
use podgate_policy::psp::{DOCUMENTATION, Documentation};
use serde_json::{Value, json};

use crate::args::ExplainArgs;
use crate::exit::Exit;
use crate::show;
use crate::show::style::{FAINT, Painted, STRONG};
use crate::show::verdicts;

pub(crate) fn run(args: &ExplainArgs) -> Result<Exit, Error> {
    let Some(id) = &args.check else {
        let checks = CHECKS.iter().map(|check| summary(check));
        let list: Vec<Value> = checks
            .chain(DOCUMENTATION.iter().map(summary_of_field))
            .collect();
        let text = match show::serialized(&list, args.output)? {
            Some(text) => text,
            None => overview(),
        };
        show::data(&text)?;
        return Ok(Exit::Expected);
    };
    let check = CHECKS.iter().find(|check| check.id == id);
    let field = DOCUMENTATION.iter().find(|field| field.id == id);
    let (value, text) = match (check, field) {
        (Some(check), None) => (whole(check), page(check)),
        (None, Some(field)) => (whole_field(field), page_of_field(field)),
        // Some names stand for both.
        (Some(check), Some(field)) => {
            let mut value = whole(check);
            value["podSecurityPolicy"] = whole_field(field);
            (value, format!("{}\n{}", page(check), page_of_field(field)))
        }
        (None, None) => return Err(unknown(id)),
    };
    let text = show::serialized(&value, args.output)?.unwrap_or(text);
    show::data(&text)?;
    Ok(Exit::Expected)
}

fn unknown(id: &str) -> Error {
    let checks = CHECKS.iter().map(|check| check.id);
    let fields = DOCUMENTATION.iter().map(|field| field.id);
    let mut known: Vec<String> = checks.map(str::to_owned).collect();
    for field in fields {
        if !known.iter().any(|known| known == field) {
            known.push(field.to_owned());
        }
    }
    Error::input(format!(
        "there is no check and no field of a PodSecurityPolicy `{id}`"
    ))
    .hint(podgate_harness::suite::nearest_hint(
        id,
        &known,
        "there are",
    ))
}

fn summary(check: &Check) -> Value {
    json!({
        "id": check.id,
        "of": "PodSecurity",
        "level": check.level.to_string(),
        "title": check.documentation.title,
        "versions": check.revisions.iter().map(|r| format!("v1.{}", r.since)).collect::<Vec<_>>(),
    })
}

fn summary_of_field(field: &Documentation) -> Value {
    json!({
        "id": field.id,
        "of": "PodSecurityPolicy",
        "title": field.title,
        "checks": field.checks,
    })
}

fn whole_field(field: &Documentation) -> Value {
    json!({
        "id": field.id,
        "of": "PodSecurityPolicy",
        "fields": field.paths,
        "title": field.title,
        "rule": field.rule,
        "fillsIn": field.fills_in,
        "checks": field.checks,
        "counterpart": field.counterpart,
    })
}

fn whole(check: &Check) -> Value {
    let documentation = &check.documentation;
    json!({
        "id": check.id,
        "of": "PodSecurity",
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
    let checks = CHECKS.iter().map(|check| check.id.len());
    let fields = DOCUMENTATION.iter().map(|field| field.id.len());
    let widest = checks.chain(fields).max().unwrap_or(0);
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
    let heading = "PodSecurityPolicy, up to Kubernetes 1.24";
    let _ = writeln!(text, "{}", Painted(STRONG, heading));
    for field in &DOCUMENTATION {
        let _ = writeln!(text, "  {:widest$}  {}", field.id, field.title);
    }
    let more = "restricted demands what baseline demands, too. podgate explain NAME tells more.";
    let _ = writeln!(text, "{}", Painted(FAINT, more));
    text
}

fn page(check: &Check) -> String {
    let documentation = &check.documentation;
    let mut text = opening(check.id, documentation.title, documentation.rule);
    let mut section = |name: &str, lines: &[String]| section(&mut text, name, lines);
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
    let more = "podgate fix FILE --enforce LEVEL changes what can be changed without asking";
    section("What to do", &owned(&[documentation.fix, more]));
    let _ = writeln!(text);
    for line in documentation.example.lines() {
        let _ = writeln!(text, "    {line}");
    }
    text
}

fn page_of_field(field: &Documentation) -> String {
    let title = format!("{} (PodSecurityPolicy)", field.title);
    let mut text = opening(field.id, &title, field.rule);
    let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    section(&mut text, "Fields", &owned(field.paths));
    let fills_in = field.fills_in.unwrap_or("nothing: it only judges");
    section(&mut text, "Fills in", &[fills_in.to_owned()]);
    let mut counterpart = vec![field.counterpart.to_owned()];
    if !field.checks.is_empty() {
        counterpart.push(format!("podgate explain {}", field.checks.join(", or ")));
    }
    section(&mut text, "In Pod Security", &counterpart);
    text
}

fn opening(id: &str, title: &str, rule: &str) -> String {
    let title = format!("{id}: {title}");
    let mut text = format!("{}\n\n", Painted(STRONG, &title));
    text.push_str(&verdicts::filled(rule, "", "", show::width()));
    text
}

fn section(text: &mut String, name: &str, lines: &[String]) {
    let _ = writeln!(text, "\n{}", Painted(STRONG, name));
    for line in lines {
        text.push_str(&verdicts::filled(line, "  ", "  ", show::width()));
    }
}

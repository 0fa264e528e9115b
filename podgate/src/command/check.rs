//! `podgate check`: verdicts on manifests, ad hoc, without snapshots.

use std::fmt::Write;
use std::path::Path;

use podgate_harness::check::{self, AnswerLine, Finding, Item, Options, Place, Policy, Target};
use podgate_harness::error::Error;
use podgate_harness::suite::{Project, Requester, Suite};
use podgate_harness::versions::MinorRange;
use podgate_policy::{LevelVersion, Minor, Server};
use serde_json::{Value, json};

use crate::args::{CheckArgs, Output};
use crate::exit::Exit;
use crate::show;
use crate::show::style::{ADMITTED, FAINT, Painted, REJECTED, STRONG, UNDECIDED, WARNED};
use crate::show::verdicts;

pub(crate) fn run(args: &CheckArgs) -> Result<Exit, Error> {
    let files: Vec<_> = args.files.iter().chain(&args.filenames).cloned().collect();
    if files.is_empty() {
        return Err(Error::input("there is nothing to check")
            .hint("name files or folders, or `-` for standard input: podgate check k8s/ --enforce restricted"));
    }
    let policy = Policy {
        enforce: level("--enforce", args.enforce.as_deref())?,
        warn: level("--warn", args.warn.as_deref())?,
        audit: level("--audit", args.audit.as_deref())?,
    };
    let requester = args.requester.as_ref().map(|user| Requester {
        user: user.clone(),
        groups: args.groups.clone(),
    });
    let options = Options {
        files,
        recursive: args.recursive,
        namespace: args.namespace.clone(),
        policy,
        requester,
        show_object: args.show_object,
        targets: targets(args)?,
    };
    inert_labels(&options);
    let items = check::check(&options)?;
    match args.output {
        Output::Text => show::data(&text(&items, &options))?,
        Output::Jsonl => show::data(&lines(&items)?)?,
        output => {
            let document = Value::Array(items.iter().flat_map(values).collect());
            if let Some(text) = show::serialized(&document, output) {
                show::data(&text?)?;
            }
        }
    }
    for item in &items {
        if let Item::Unreadable(error, _) = item {
            show::error(error);
        }
    }
    Ok(exit(&items))
}

fn level(flag: &str, text: Option<&str>) -> Result<Option<LevelVersion>, Error> {
    let read = |text: &str| {
        // A level without a version is at the latest.
        let whole = if text.contains(':') {
            text.to_owned()
        } else {
            format!("{text}:latest")
        };
        whole.parse().map_err(|error| {
            Error::input(format!("{flag} {text}: {error}"))
                .hint("write a level, and a version if you like: restricted, baseline:v1.29, privileged:latest")
        })
    };
    text.map(read).transpose()
}

fn targets(args: &CheckArgs) -> Result<Vec<Target>, Error> {
    let asked = args.kubernetes.as_deref().map(super::range).transpose()?;
    if args.cluster.is_empty() {
        let range = asked.unwrap_or(MinorRange::only(Minor::NEWEST));
        return Ok(range
            .minors()
            .map(|minor| Target {
                cluster: None,
                minor,
            })
            .collect());
    }
    let suite = Suite::clusters(&Project::load(Path::new(""))?)?;
    let mut targets = Vec::new();
    for name in &args.cluster {
        let cluster = suite.cluster(name)?;
        let own = cluster.minors()?;
        let minors: Vec<Minor> = match asked {
            Some(range) => range.minors().collect(),
            // The newest minor that the cluster is for.
            None => own.last().copied().into_iter().collect(),
        };
        if let Some(outside) = minors.iter().find(|minor| !own.contains(minor)) {
            let ranges: Vec<String> = podgate_harness::versions::ranges(&own)
                .iter()
                .map(ToString::to_string)
                .collect();
            return Err(
                Error::input(format!("cluster `{name}` is not for Kubernetes {outside}"))
                    .hint(format!("it is for {}", ranges.join(", "))),
            );
        }
        targets.extend(minors.into_iter().map(|minor| Target {
            cluster: Some(cluster.clone()),
            minor,
        }));
    }
    Ok(targets)
}

/// Says once that labels change nothing on servers without the plugin.
fn inert_labels(options: &Options) {
    if options.policy.is_empty() {
        return;
    }
    let inert: Vec<Minor> = options
        .targets
        .iter()
        .map(|target| target.minor)
        .filter(|minor| !Server::new(*minor).has_pod_security() || minor.number() == 22)
        .collect();
    if !inert.is_empty() {
        let ranges: Vec<String> = podgate_harness::versions::ranges(&inert)
            .iter()
            .map(ToString::to_string)
            .collect();
        show::note(&format!(
            "{} Pod Security Admission is not on in Kubernetes {}: --enforce, --warn and --audit change nothing there",
            Painted(WARNED, "note:"),
            ranges.join(", ")
        ));
    }
}

fn exit(items: &[Item]) -> Exit {
    let mut exit = Exit::NothingToRun;
    for item in items {
        exit = exit.max(match item {
            Item::Judged(findings) => findings
                .iter()
                .map(of_finding)
                .max()
                .unwrap_or(Exit::Expected),
            Item::Unreadable(error, _) => Exit::of(error),
            Item::Context(_) | Item::NotJudged(_) => continue,
        });
    }
    match exit {
        // At least one object was judged, and all is well.
        Exit::NothingToRun if items.iter().any(|item| matches!(item, Item::Judged(_))) => {
            Exit::Expected
        }
        exit => exit,
    }
}

fn of_finding(finding: &Finding) -> Exit {
    let pods = finding.pods.iter().flatten().map(|pod| &pod.answer);
    if std::iter::once(&finding.answer)
        .chain(pods)
        .any(|answer| answer.admitted.is_none())
    {
        Exit::BadInput
    } else if finding.ok {
        Exit::Expected
    } else {
        Exit::Different
    }
}

fn values(item: &Item) -> Vec<Value> {
    match item {
        Item::Judged(findings) => findings
            .iter()
            .filter_map(|finding| serde_json::to_value(finding).ok())
            .collect(),
        Item::Unreadable(error, place) => vec![error_value(error, place)],
        Item::Context(_) | Item::NotJudged(_) => Vec::new(),
    }
}

fn error_value(error: &Error, place: &Place) -> Value {
    json!({"error": error.message(), "file": place.file, "line": place.line})
}

fn lines(items: &[Item]) -> Result<String, Error> {
    let mut text = String::new();
    for item in items {
        match item {
            Item::Judged(findings) => {
                for finding in findings {
                    let line = serde_json::to_string(finding)
                        .map_err(|e| Error::environment(e.to_string()))?;
                    text.push_str(&line);
                    text.push('\n');
                }
            }
            Item::Unreadable(error, place) => {
                let _ = writeln!(text, "{}", error_value(error, place));
            }
            Item::Context(_) | Item::NotJudged(_) => {}
        }
    }
    for item in items {
        if let Item::NotJudged(place) = item {
            show::note(&format!("not judged: {}", shown(place)));
        }
    }
    Ok(text)
}

fn shown(place: &Place) -> String {
    if place.object.is_empty() {
        format!("{}: no Kubernetes object", place.file)
    } else {
        format!("{} ({}:{})", place.object, place.file, place.line)
    }
}

fn text(items: &[Item], options: &Options) -> String {
    let mut text = String::new();
    let (mut ok, mut not_ok, mut undecided) = (0, 0, 0);
    for item in items {
        let Item::Judged(findings) = item else {
            continue;
        };
        match findings.iter().map(of_finding).max() {
            Some(Exit::Expected) | None => ok += 1,
            Some(Exit::Different) => not_ok += 1,
            Some(_) => undecided += 1,
        }
        object(&mut text, findings);
    }
    let context: Vec<String> = items
        .iter()
        .filter_map(|item| match item {
            Item::Context(place) => Some(place.object.clone()),
            _ => None,
        })
        .collect();
    if !context.is_empty() {
        let _ = writeln!(
            text,
            "{} {}",
            Painted(FAINT, "context:"),
            context.join(", ")
        );
    }
    for item in items {
        if let Item::NotJudged(place) = item {
            let _ = writeln!(text, "{} {}", Painted(FAINT, "not judged:"), shown(place));
        }
    }
    let judged = ok + not_ok + undecided;
    let _ = writeln!(text, "{}", Painted(FAINT, &against(options)));
    let mut summary = format!("{judged} judged: ");
    let _ = write!(summary, "{}", Painted(ADMITTED, &format!("{ok} ok")));
    if not_ok > 0 {
        let _ = write!(
            summary,
            ", {}",
            Painted(REJECTED, &format!("{not_ok} not admitted"))
        );
    }
    if undecided > 0 {
        let _ = write!(
            summary,
            ", {}",
            Painted(UNDECIDED, &format!("{undecided} undecided"))
        );
    }
    let unreadable = items
        .iter()
        .filter(|item| matches!(item, Item::Unreadable(..)))
        .count();
    if unreadable > 0 {
        let _ = write!(
            summary,
            ", {}",
            Painted(REJECTED, &format!("{unreadable} unreadable"))
        );
    }
    let _ = writeln!(text, "{summary}");
    text
}

/// What was judged against: versions, and where the policy comes from.
fn against(options: &Options) -> String {
    let mut parts = Vec::new();
    let mut clusters: Vec<Option<&str>> = Vec::new();
    for target in &options.targets {
        let name = target.cluster.as_ref().map(|c| c.name.as_str());
        if !clusters.contains(&name) {
            clusters.push(name);
        }
    }
    for cluster in clusters {
        let minors: Vec<Minor> = options
            .targets
            .iter()
            .filter(|t| t.cluster.as_ref().map(|c| c.name.as_str()) == cluster)
            .map(|t| t.minor)
            .collect();
        let ranges: Vec<String> = podgate_harness::versions::ranges(&minors)
            .iter()
            .map(ToString::to_string)
            .collect();
        let on = cluster
            .map(|name| format!("cluster {name}, "))
            .unwrap_or_default();
        parts.push(format!("{on}Kubernetes {}", ranges.join(", ")));
    }
    let modes = [
        ("enforce", options.policy.enforce),
        ("warn", options.policy.warn),
        ("audit", options.policy.audit),
    ];
    for (mode, level) in modes {
        if let Some(level) = level {
            parts.push(format!("{mode} {level}"));
        }
    }
    format!("judged as {}", parts.join("; "))
}

/// One object with the verdicts on it. Minors that agree are told together.
fn object(text: &mut String, findings: &[Finding]) {
    let Some(first) = findings.first() else {
        return;
    };
    let sign = match findings.iter().map(of_finding).max() {
        Some(Exit::Different) => Painted(REJECTED, "✗").to_string(),
        Some(Exit::BadInput) => Painted(UNDECIDED, "?").to_string(),
        _ => Painted(ADMITTED, "✓").to_string(),
    };
    let _ = writeln!(
        text,
        "{sign} {}  {}",
        Painted(STRONG, &first.object),
        Painted(FAINT, &format!("{}:{}", first.file, first.line))
    );
    let mut groups: Vec<(&Finding, Vec<Minor>)> = Vec::new();
    for finding in findings {
        let minor: Minor = finding.kubernetes.parse().unwrap_or(Minor::NEWEST);
        let known = groups.iter_mut().find(|(other, _)| alike(other, finding));
        match known {
            Some((_, minors)) => minors.push(minor),
            None => groups.push((finding, vec![minor])),
        }
    }
    let several = groups.len() > 1 || findings.iter().any(|f| f.cluster != first.cluster);
    for (finding, minors) in groups {
        let mut indent = "  ";
        if several {
            let ranges: Vec<String> = podgate_harness::versions::ranges(&minors)
                .iter()
                .map(ToString::to_string)
                .collect();
            let on = finding.cluster.as_deref().unwrap_or("Kubernetes");
            let _ = writeln!(text, "  {on} {}", Painted(STRONG, &ranges.join(", ")));
            indent = "    ";
        }
        answer(text, &finding.answer, None, indent, minors[0]);
        for pod in finding.pods.iter().flatten() {
            answer(text, &pod.answer, Some("pods"), indent, minors[0]);
        }
        if let Some(stored) = &finding.stored {
            stored_object(text, "stored", stored, indent);
        }
        for pod in finding.pods.iter().flatten() {
            if let Some(stored) = &pod.stored {
                stored_object(text, "pod stored", stored, indent);
            }
        }
    }
}

fn alike(a: &Finding, b: &Finding) -> bool {
    let same = |a: &AnswerLine, b: &AnswerLine| {
        a.admitted == b.admitted
            && a.by == b.by
            && a.checks == b.checks
            && a.warnings == b.warnings
            && (a.message == b.message || !a.checks.is_empty())
    };
    let pods = |finding: &Finding| finding.pods.as_ref().map_or(0, Vec::len);
    a.cluster == b.cluster
        && same(&a.answer, &b.answer)
        && pods(a) == pods(b)
        && a.pods
            .iter()
            .flatten()
            .zip(b.pods.iter().flatten())
            .all(|(a, b)| same(&a.answer, &b.answer))
}

fn answer(text: &mut String, answer: &AnswerLine, of: Option<&str>, indent: &str, minor: Minor) {
    let who = match of {
        Some(of) => format!("{of} (created by {}): ", answer.r#as),
        None => String::new(),
    };
    let inner = format!("{indent}  ");
    match (answer.admitted, &answer.message) {
        (Some(true), _) => {
            let _ = writeln!(text, "{indent}{who}{}", Painted(ADMITTED, "admitted"));
        }
        (Some(false), message) => {
            let by = answer.by.map(|by| by.to_string()).unwrap_or_default();
            let code = answer.code.unwrap_or_default();
            let _ = writeln!(
                text,
                "{indent}{who}{}",
                Painted(REJECTED, &format!("rejected {code} by {by}"))
            );
            if let Some(message) = message {
                text.push_str(&verdicts::message(message, minor, &inner, show::width()));
            }
            if !answer.checks.is_empty() {
                let _ = writeln!(
                    text,
                    "{inner}{}",
                    Painted(
                        FAINT,
                        &format!("podgate explain {}", answer.checks.join(" | "))
                    )
                );
            }
        }
        (None, _) => {
            let reason = answer.undecided.as_deref().unwrap_or_default();
            let _ = writeln!(
                text,
                "{indent}{who}{} {reason}",
                Painted(UNDECIDED, "undecided:")
            );
        }
    }
    for warning in &answer.warnings {
        text.push_str(&verdicts::warning(warning, minor, &inner, show::width()));
    }
}

fn stored_object(text: &mut String, what: &str, stored: &Value, indent: &str) {
    let _ = writeln!(text, "{indent}{}", Painted(FAINT, &format!("{what}:")));
    let yaml = serde_yaml::to_string(stored).unwrap_or_default();
    for line in yaml.lines() {
        let _ = writeln!(text, "{indent}  {line}");
    }
}

//! `podgate check`: verdicts on manifests, ad hoc, without snapshots.

use std::path::Path;

use podgate_harness::check::{self, Finding, Item, Options, Place, Policy, Target};
use podgate_harness::error::Error;
use podgate_harness::suite::{Project, Suite};
use podgate_harness::versions::MinorRange;
use podgate_policy::{LevelVersion, Minor, Server};
use serde::Serialize;

use super::render::{rendered, unbuilt};
use crate::args::{CheckArgs, Format, Output, Reports};
use crate::exit::Exit;
use crate::show;
use crate::show::style::{Painted, WARNED};
use crate::show::{findings, github, junit, markdown, problems, report, sarif};

pub(crate) fn run(args: &CheckArgs) -> Result<Exit, Error> {
    if args.input.files.is_empty() && args.rendered.is_empty() {
        return Err(Error::input("there is nothing to check")
            .hint("name files or folders, or `-` for standard input: podgate check k8s/ --enforce restricted"));
    }
    let policy = Policy {
        enforce: level("--enforce", args.enforce.as_deref())?,
        warn: level("--warn", args.warn.as_deref())?,
        audit: level("--audit", args.audit.as_deref())?,
    };
    let targets = targets(&args.cluster, args.kubernetes.as_deref())?;
    let minors = targets.iter().map(|target| target.minor);
    let options = Options {
        files: args.input.files.clone(),
        recursive: args.input.recursive,
        rendered: rendered(&args.rendered, &args.input, minors)?,
        templates: args.templates.with(&Project::load(Path::new(""))?)?,
        namespace: args.input.namespace.clone(),
        policy,
        requester: args.applies.requester(),
        show_object: args.show_object,
        locate: args.reports.all().any(Format::has_places),
        targets,
    };
    unbuilt(&args.input);
    let items = check::check(&options)?;
    inert_labels(&options.policy, options.targets.iter().map(|it| it.minor));
    tell(&items, &options, &args.reports)?;
    for item in &items {
        if let Item::Unreadable(error, _) | Item::Judged(_, Some(error)) = item {
            show::error(error);
        }
    }
    Ok(exit(&items))
}

pub(super) fn level(flag: &str, text: Option<&str>) -> Result<Option<LevelVersion>, Error> {
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

/// The servers that judge. Without `--kubernetes` that is what `podgate.yaml` says, and else the
/// newest minor, or the newest that a cluster is for.
pub(super) fn targets(clusters: &[String], kubernetes: Option<&str>) -> Result<Vec<Target>, Error> {
    let project = Project::load(Path::new(""))?;
    let asked = kubernetes.map(super::range).transpose()?;
    if clusters.is_empty() {
        let range = asked.or(project.kubernetes);
        let minors = range.unwrap_or(MinorRange::only(Minor::NEWEST)).minors();
        let target = |minor| Target {
            cluster: None,
            minor,
        };
        return Ok(minors.map(target).collect());
    }
    let suite = Suite::clusters(&project)?;
    let mut targets: Vec<Target> = Vec::new();
    for name in clusters {
        let cluster = suite.cluster(name)?;
        let own = &cluster.minors;
        let minors: Vec<Minor> = match (asked, project.kubernetes) {
            (Some(range), _) => range.minors().collect(),
            // Nobody typed the project's range, so it only narrows the cluster's.
            (None, Some(range)) if range.minors().any(|minor| own.contains(&minor)) => {
                range.minors().filter(|minor| own.contains(minor)).collect()
            }
            (None, _) => own.last().copied().into_iter().collect(),
        };
        if let Some(outside) = minors.iter().find(|minor| !own.contains(minor)) {
            return Err(
                Error::input(format!("cluster `{name}` is not for Kubernetes {outside}"))
                    .hint(format!("it is for {}", show::minors(own))),
            );
        }
        for minor in minors {
            let known = |t: &Target| {
                t.minor == minor && t.cluster.as_ref().is_some_and(|c| c.name == cluster.name)
            };
            // A cluster that is named twice judges once.
            if !targets.iter().any(known) {
                targets.push(Target {
                    cluster: Some(cluster.clone()),
                    minor,
                });
            }
        }
    }
    Ok(targets)
}

/// Says once that labels change nothing on servers without the plugin.
pub(super) fn inert_labels(policy: &Policy, minors: impl Iterator<Item = Minor>) {
    if policy.is_empty() {
        return;
    }
    let mut inert: Vec<Minor> = minors
        // In 1.22 it is there, and off unless its feature gate is set.
        .filter(|minor| !Server::new(*minor).has_pod_security() || minor.number() == 22)
        .collect();
    inert.dedup();
    if !inert.is_empty() {
        show::note(&format!(
            "{} Pod Security Admission is not on in Kubernetes {}: --enforce, --warn and --audit change nothing there",
            Painted(WARNED, "note:"),
            show::minors(&inert)
        ));
    }
}

fn exit(items: &[Item]) -> Exit {
    let mut exit = None;
    for item in items {
        exit = exit.max(match item {
            Item::Judged(findings, unreadable) => findings
                .iter()
                .map(of_finding)
                .chain(unreadable.as_ref().map(Exit::of))
                .max(),
            Item::Unreadable(error, _) => Some(Exit::of(error)),
            Item::Context(_) | Item::NotJudged(_) => None,
        });
    }
    exit.unwrap_or(Exit::NothingToRun)
}

pub(crate) fn of_finding(finding: &Finding) -> Exit {
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

/// One line of a machine's format.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Line<'a, T> {
    Judged(&'a T),
    Unreadable {
        error: &'a str,
        file: &'a str,
        line: usize,
    },
}

impl<'a, T> Line<'a, T> {
    pub(super) fn unreadable(error: &'a Error, place: &'a Place) -> Self {
        Self::Unreadable {
            // The file and the line have fields of their own.
            error: error
                .place()
                .map_or(error.message(), |place| place.message()),
            file: &place.file,
            line: place.line,
        }
    }
}

fn lines(items: &[Item]) -> Vec<Line<'_, Finding>> {
    let mut lines = Vec::new();
    for item in items {
        match item {
            Item::Judged(findings, _) => lines.extend(findings.iter().map(Line::Judged)),
            Item::Unreadable(error, place) => lines.push(Line::unreadable(error, place)),
            Item::Context(_) | Item::NotJudged(_) => {}
        }
    }
    lines
}

/// Writes the files, then prints.
fn tell(items: &[Item], options: &Options, reports: &Reports) -> Result<(), Error> {
    for (format, file) in &reports.written {
        report::write(file, &render(items, options, *format)?)?;
    }
    show::data(&render(items, options, reports.output)?)?;
    if reports.output == Format::Text {
        return Ok(());
    }
    for item in items {
        if let Item::NotJudged(place) = item {
            show::note(&format!("not judged: {}", findings::shown(place)));
        }
    }
    Ok(())
}

fn render(items: &[Item], options: &Options, format: Format) -> Result<String, Error> {
    let data = |output| Ok(show::serialized(&lines(items), output)?.unwrap_or_default());
    match format {
        Format::Text => Ok(findings::text(items, options)),
        Format::Json => data(Output::Json),
        Format::Yaml => data(Output::Yaml),
        Format::Jsonl => lines(items).iter().map(show::json_line).collect(),
        Format::Junit => junit::document(junit::of_check(items)),
        Format::Sarif => sarif::document(&problems::of_check(items)),
        Format::Github => Ok(github::annotations(&problems::of_check(items))),
        Format::Markdown => Ok(markdown::check(
            &problems::of_check(items),
            "Everything is admitted.",
        )),
        Format::Html => Err(Error::input("the HTML page is of a run of scenarios")
            .hint("podgate test writes it; of check there are junit, sarif, github and markdown")),
    }
}

//! `podgate diff`: what changes for manifests between two configurations or two Kubernetes versions.

use std::path::Path;

use podgate_harness::check::diff::{self, Change, Compared, Difference, Options};
use podgate_harness::check::{Item, Policy, Target};
use podgate_harness::error::Error;
use podgate_harness::suite::{Project, Suite};
use podgate_harness::versions::MinorRange;
use podgate_policy::Minor;

use super::check::{Line, inert_labels, level};
use super::render::{rendered, unbuilt};
use crate::args::{DiffArgs, Format, Output};
use crate::exit::Exit;
use crate::show::{self, compared, findings, github, junit, markdown, problems, report, sarif};

pub(crate) fn run(args: &DiffArgs) -> Result<Exit, Error> {
    if args.input.files.is_empty() && args.rendered.is_empty() {
        return Err(Error::input("there is nothing to compare").hint(
            "name files or folders, or `-` for standard input: podgate diff k8s/ --from psa-baseline --to psa-restricted",
        ));
    }
    let project = Project::load(Path::new(""))?;
    let suite = Suite::clusters(&project)?;
    let side = |flag: &str, text: &str| target(flag, text, &suite, project.kubernetes);
    let (from, to) = (side("--from", &args.from)?, side("--to", &args.to)?);
    let named = |target: &Target| target.cluster.as_ref().map(|it| it.name.clone());
    if named(&from) == named(&to) && from.minor == to.minor {
        return Err(Error::input(format!(
            "--from and --to are both {}",
            compared::side(&from)
        ))
        .hint(
            "name another cluster, or another version behind an at sign: --to psa-restricted@1.36",
        ));
    }
    let options = Options {
        files: args.input.files.clone(),
        recursive: args.input.recursive,
        rendered: rendered(
            &args.rendered,
            &args.input,
            [from.minor, to.minor].into_iter(),
        )?,
        templates: args.templates.with(&project)?,
        namespace: args.input.namespace.clone(),
        policy: Policy {
            enforce: level("--enforce", args.enforce.as_deref())?,
            ..Policy::default()
        },
        requester: args.applies.requester(),
        locate: args.reports.all().any(Format::has_places),
        from,
        to,
    };
    unbuilt(&args.input);
    let items = diff::diff(&options)?;
    inert_labels(
        &options.policy,
        [options.from.minor, options.to.minor].into_iter(),
    );
    let told = Told {
        items: &items,
        options: &options,
        all: args.all,
    };
    for (format, file) in &args.reports.written {
        report::write(file, &told.render(*format)?)?;
    }
    show::data(&told.render(args.reports.output)?)?;
    for item in &items {
        match item {
            Item::Unreadable(error, _) | Item::Judged(_, Some(error)) => show::error(error),
            Item::NotJudged(place) if args.reports.output != Format::Text => {
                show::note(&format!("not judged: {}", findings::shown(place)));
            }
            _ => {}
        }
    }
    Ok(exit(&items))
}

/// Reads `CLUSTER`, `CLUSTER@VERSION` or `@VERSION`.
pub(super) fn target(
    flag: &str,
    text: &str,
    suite: &Suite,
    project: Option<MinorRange>,
) -> Result<Target, Error> {
    const HINT: &str =
        "write a cluster, a version or both: psa-restricted, psa-restricted@1.36, @1.36";
    let wrong = |message: String| Error::input(format!("{flag} {text}: {message}")).hint(HINT);
    let (name, version) = match text.rsplit_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    };
    let cluster = match name {
        "" => None,
        name => Some(suite.cluster(name)?.clone()),
    };
    let minor = if let Some(version) = version {
        version
            .parse::<Minor>()
            .map_err(|error| wrong(error.to_string()))?
    } else {
        let own = cluster.as_ref().map_or(&[][..], |it| &it.minors);
        let of_project = |minor: &&Minor| project.is_none_or(|range| range.contains(**minor));
        let newest = own.iter().rfind(of_project).or(own.last());
        *newest.ok_or_else(|| wrong("it names neither a cluster nor a version".to_owned()))?
    };
    if let Some(cluster) = &cluster
        && !cluster.minors.contains(&minor)
    {
        let message = format!("cluster `{name}` is not for Kubernetes {minor}");
        return Err(Error::input(format!("{flag} {text}: {message}"))
            .hint(format!("it is for {}", show::minors(&cluster.minors))));
    }
    Ok(Target { cluster, minor })
}

fn exit(items: &[Item<Compared>]) -> Exit {
    let exits = items.iter().filter_map(|item| match item {
        Item::Judged(compared, unreadable) => {
            let change = compared.difference.as_ref().map(|it| it.change);
            let exit = match change {
                Some(Change::Breaks) => Exit::Different,
                Some(Change::Undecided) => Exit::BadInput,
                _ => Exit::Expected,
            };
            Some(
                unreadable
                    .as_ref()
                    .map_or(exit, |error| exit.max(Exit::of(error))),
            )
        }
        Item::Unreadable(error, _) => Some(Exit::of(error)),
        Item::Context(_) | Item::NotJudged(_) => None,
    });
    exits.max().unwrap_or(Exit::NothingToRun)
}

/// What was compared, and how much of it is told.
struct Told<'a> {
    items: &'a [Item<Compared>],
    options: &'a Options,
    all: bool,
}

impl Told<'_> {
    fn lines(&self) -> Vec<Line<'_, Difference>> {
        let lines = self.items.iter().filter_map(|item| match item {
            Item::Judged(compared, _) => {
                let difference = compared.difference.as_deref()?;
                (self.all || difference.change.is_verdict()).then_some(Line::Judged(difference))
            }
            Item::Unreadable(error, place) => Some(Line::unreadable(error, place)),
            Item::Context(_) | Item::NotJudged(_) => None,
        });
        lines.collect()
    }

    fn render(&self, format: Format) -> Result<String, Error> {
        let data = |output| Ok(show::serialized(&self.lines(), output)?.unwrap_or_default());
        let problems = || problems::of_diff(self.items);
        match format {
            Format::Text => Ok(compared::text(self.items, self.options, self.all)),
            Format::Json => data(Output::Json),
            Format::Yaml => data(Output::Yaml),
            Format::Jsonl => self.lines().iter().map(show::json_line).collect(),
            Format::Junit => {
                let name = compared::sides(self.options);
                junit::document(junit::of_diff(self.items, &name))
            }
            Format::Sarif => sarif::document(&problems()),
            Format::Github => Ok(github::annotations(&problems())),
            Format::Markdown => Ok(markdown::check(&problems(), "Nothing newly breaks.")),
            Format::Html => Err(Error::input("the HTML page is of a run of scenarios").hint(
                "podgate test writes it; of diff there are junit, sarif, github and markdown",
            )),
        }
    }
}

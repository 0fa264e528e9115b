//! `podgate audit`: what a configuration would do to the pods of a dump or of a live cluster.

use std::path::Path;

use podgate_harness::audit::live::{self, Live};
use podgate_harness::audit::{self, Detail, Document, Known, Options, Report};
use podgate_harness::check::{Policy, Target};
use podgate_harness::error::Error;
use podgate_harness::suite::{Project, Suite};
use podgate_policy::Minor;

use super::check::level;
use super::diff;
use crate::args::{AuditArgs, AuditOutput, Output};
use crate::exit::Exit;
use crate::show;
use crate::show::audit::Reading;
use crate::show::compared;

pub(crate) fn run(args: &AuditArgs) -> Result<Exit, Error> {
    if detail(args) == Detail::Lines && args.write_known.is_some() {
        return Err(
            Error::input("--write-known needs the report by namespace and owner")
                .hint("leave -o jsonl out"),
        );
    }
    if let Some(context) = &args.context {
        return live(args, context);
    }
    if args.input.files.is_empty() {
        return Err(Error::input("there is nothing to audit").hint(
            "name dumps, folders of them, or `-` for standard input: kubectl get namespaces,pods -A -o json | podgate audit -; \
             --context names a live cluster",
        ));
    }
    let sides = Sides::of(args, None)?;
    let options = Options {
        files: args.input.files.clone(),
        recursive: args.input.recursive,
        namespace: args.input.namespace.clone(),
        policy: policy(args)?,
        from: sides.from.clone(),
        to: sides.to.clone(),
        requester: None,
        detail: detail(args),
        shard: args.shard.as_deref().map(super::shard).transpose()?,
        known: known(args)?,
        templates: args.templates.with(&Project::load(Path::new(""))?)?,
    };
    let reading = Reading::new();
    let report = audit::audit(&options, &reading);
    reading.end();
    tell(args, &report?, &sides)
}

/// Audits the cluster of a context.
fn live(args: &AuditArgs, context: &str) -> Result<Exit, Error> {
    let policy = policy(args)?;
    let templates = args.templates.with(&Project::load(Path::new(""))?)?;
    // What is wrong with the flags is told before anybody is asked.
    Sides::of(args, None)?;
    let live = Live::open(context, args.kubeconfig.as_deref())?;
    let sides = Sides::of(args, Some(live.minor()))?;
    show::note(&format!("context {context} is {}", live.version()));
    if sides.from.is_none() {
        show::note(
            "the AdmissionConfiguration cannot be read from a live cluster: today is what the labels of its namespaces say; \
             --from CLUSTER names a cluster file that has its defaults and exemptions",
        );
    }
    let options = live::Options {
        policy,
        from: sides.from.clone(),
        to: sides.to.clone(),
        requester: None,
        detail: detail(args),
        known: known(args)?,
        templates,
    };
    let reading = Reading::new();
    let report = live.audit(&options, &reading);
    reading.end();
    tell(args, &report?, &sides)
}

/// The two configurations.
struct Sides {
    /// That of today, where it was named.
    from: Option<Target>,
    /// The one that is asked about.
    to: Target,
}

impl Sides {
    /// What the flags say. `here` is the minor that runs, where that is known.
    fn of(args: &AuditArgs, here: Option<Minor>) -> Result<Self, Error> {
        let (mut from, mut cluster) = (None, None);
        if args.from.is_some() || args.to.is_some() {
            let project = Project::load(Path::new(""))?;
            let suite = Suite::clusters(&project)?;
            if let Some(text) = &args.from {
                from = Some(diff::target("--from", text, &suite, project.kubernetes)?);
            }
            // Without another, the configuration that is to come is that of today with what flags say.
            cluster = match &args.to {
                Some(name) => Some(suite.cluster(name)?.clone()),
                None => from.as_ref().and_then(|from| from.cluster.clone()),
            };
        }
        let runs = here.map(|here| here.to_string());
        let asked = args.kubernetes.as_deref().or(runs.as_deref());
        let minor = match (asked, &from, &args.to) {
            (None, Some(from), None) => from.minor,
            _ => super::minor_of(asked, cluster.as_ref())?,
        };
        let to = Target { cluster, minor };
        let from = from.map(|from| today(args, from, here.unwrap_or(minor), here.is_some()));
        let from = from.transpose()?;
        if let Some(from) = &from
            && args.enforce.is_none()
            && compared::side(from) == compared::side(&to)
        {
            let side = compared::side(from);
            return Err(
                Error::input(format!("what is to come is what judges today: {side}")).hint(
                    "name what is to come: --to CLUSTER, --enforce LEVEL, or another --kubernetes VERSION",
                ),
            );
        }
        Ok(Self { from, to })
    }
}

/// The configuration of today at the minor `here`, unless its own was named. What runs has to be one that
/// the cluster is for; files may come from another.
fn today(args: &AuditArgs, from: Target, here: Minor, runs: bool) -> Result<Target, Error> {
    let text = args.from.as_deref().unwrap_or_default();
    let Some(cluster) = from.cluster.as_ref().filter(|_| !text.contains('@')) else {
        return Ok(from);
    };
    if cluster.minors.contains(&here) {
        let minor = here;
        return Ok(Target { minor, ..from });
    }
    if runs {
        let name = &cluster.name;
        let message = format!(
            "--from {text}: cluster `{name}` is not for Kubernetes {here}, which runs there"
        );
        return Err(Error::input(message).hint(format!(
            "it is for {}; name the version that is meant: --from {text}@{}",
            show::minors(&cluster.minors),
            from.minor
        )));
    }
    Ok(from)
}

fn policy(args: &AuditArgs) -> Result<Policy, Error> {
    Ok(Policy {
        enforce: level("--enforce", args.enforce.as_deref())?,
        ..Policy::default()
    })
}

fn known(args: &AuditArgs) -> Result<Known, Error> {
    match &args.known {
        Some(file) => Known::read(file),
        None => Ok(Known::default()),
    }
}

const fn detail(args: &AuditArgs) -> Detail {
    match args.output {
        AuditOutput::Text | AuditOutput::Json => Detail::Groups,
        AuditOutput::Jsonl => Detail::Lines,
    }
}

fn tell(args: &AuditArgs, report: &Report, sides: &Sides) -> Result<Exit, Error> {
    let minor = sides.to.minor;
    match args.output {
        AuditOutput::Text => show::data(&show::audit::text(report, minor))?,
        AuditOutput::Json => {
            let document = Document::of(report, &sides.to, sides.from.as_ref());
            let text = show::serialized(&document, Output::Json)?;
            show::data(&text.unwrap_or_default())?;
            show::note(show::audit::summary(report, minor).trim_end());
        }
        AuditOutput::Jsonl => show::note(show::audit::summary(report, minor).trim_end()),
    }
    if let Some(file) = &args.write_known {
        show::report::write(file, &Known::of(report).text())?;
    }
    show::audit::unread(report);
    Ok(exit(report))
}

fn exit(report: &Report) -> Exit {
    let counts = &report.counts;
    if counts.unread > 0 || counts.undecided > 0 || !report.late.is_empty() {
        Exit::BadInput
    } else if counts.pods + counts.workloads == 0 {
        Exit::NothingToRun
    } else if counts.failing > 0 {
        Exit::Different
    } else {
        Exit::Expected
    }
}

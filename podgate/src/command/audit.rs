//! `podgate audit`: what a configuration would do to the pods of a dump or of a live cluster.

use std::path::Path;

use podgate_harness::audit::live::{self, Live, TemplateError};
use podgate_harness::audit::{self, Detail, Known, Options, Report};
use podgate_harness::check::{Policy, Target};
use podgate_harness::error::Error;
use podgate_harness::suite::{Cluster, Project, Suite};
use podgate_policy::Minor;

use super::check::level;
use crate::args::{AuditArgs, AuditOutput};
use crate::exit::Exit;
use crate::show;
use crate::show::audit::Reading;

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
    let cluster = cluster(args)?;
    let minor = super::minor_of(args.kubernetes.as_deref(), cluster.as_ref())?;
    let options = Options {
        files: args.input.files.clone(),
        recursive: args.input.recursive,
        namespace: args.input.namespace.clone(),
        policy: policy(args)?,
        to: Target { cluster, minor },
        requester: None,
        detail: detail(args),
        shard: args.shard.as_deref().map(super::shard).transpose()?,
        known: known(args)?,
    };
    let reading = Reading::new();
    let report = audit::audit(&options, &reading);
    reading.end();
    tell(args, &report?, minor)
}

/// Audits the cluster of a context.
fn live(args: &AuditArgs, context: &str) -> Result<Exit, Error> {
    let cluster = cluster(args)?;
    let policy = policy(args)?;
    let templates = args.templates.iter().map(|text| {
        text.parse()
            .map_err(|error: TemplateError| Error::input(format!("--template: {error}")))
    });
    let templates = templates.collect::<Result<_, _>>()?;
    let live = Live::open(context, args.kubeconfig.as_deref())?;
    let minor = match &args.kubernetes {
        Some(asked) => super::minor_of(Some(asked), cluster.as_ref())?,
        None => super::minor_of(Some(&live.minor().to_string()), cluster.as_ref())?,
    };
    show::note(&format!("context {context} is {}", live.version()));
    if cluster.is_none() {
        show::note(
            "its AdmissionConfiguration cannot be seen: its defaults and exemptions are in a cluster file (--to), or do not count",
        );
    }
    let options = live::Options {
        policy,
        to: Target { cluster, minor },
        requester: None,
        detail: detail(args),
        known: known(args)?,
        templates,
    };
    let reading = Reading::new();
    let report = live.audit(&options, &reading);
    reading.end();
    tell(args, &report?, minor)
}

fn cluster(args: &AuditArgs) -> Result<Option<Cluster>, Error> {
    let Some(name) = &args.to else {
        return Ok(None);
    };
    let project = Project::load(Path::new(""))?;
    Ok(Some(Suite::clusters(&project)?.cluster(name)?.clone()))
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
        AuditOutput::Text => Detail::Groups,
        AuditOutput::Jsonl => Detail::Lines,
    }
}

fn tell(args: &AuditArgs, report: &Report, minor: Minor) -> Result<Exit, Error> {
    if args.output == AuditOutput::Text {
        show::data(&show::audit::text(report, minor))?;
    } else {
        show::note(show::audit::summary(report, minor).trim_end());
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
    } else if counts.violating > counts.known || counts.breaking > 0 {
        Exit::Different
    } else {
        Exit::Expected
    }
}

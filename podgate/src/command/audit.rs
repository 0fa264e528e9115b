//! `podgate audit`: what a configuration would do to the pods of a dump, however large.

use std::path::Path;

use podgate_harness::audit::{self, Detail, Options, Report};
use podgate_harness::check::{Policy, Target};
use podgate_harness::error::Error;
use podgate_harness::suite::{Project, Suite};

use super::check::level;
use crate::args::{AuditArgs, AuditOutput};
use crate::exit::Exit;
use crate::show;
use crate::show::audit::Reading;

pub(crate) fn run(args: &AuditArgs) -> Result<Exit, Error> {
    if args.files.is_empty() {
        return Err(Error::input("there is nothing to audit").hint(
            "name dumps, folders of them, or `-` for standard input: kubectl get namespaces,pods -A -o json | podgate audit -",
        ));
    }
    let project = Project::load(Path::new(""))?;
    let cluster = match &args.to {
        Some(name) => Some(Suite::clusters(&project)?.cluster(name)?.clone()),
        None => None,
    };
    let minor = super::minor_of(args.kubernetes.as_deref(), cluster.as_ref())?;
    let options = Options {
        files: args.files.clone(),
        recursive: args.recursive,
        namespace: args.namespace.clone(),
        policy: Policy {
            enforce: level("--enforce", args.enforce.as_deref())?,
            ..Policy::default()
        },
        to: Target { cluster, minor },
        requester: None,
        detail: match args.output {
            AuditOutput::Text => Detail::Groups,
            AuditOutput::Jsonl => Detail::Lines,
        },
        shard: args.shard.as_deref().map(super::shard).transpose()?,
    };
    let reading = Reading::new();
    let report = audit::audit(&options, &reading);
    reading.end();
    let report = report?;
    if args.output == AuditOutput::Text {
        show::data(&show::audit::text(&report, minor))?;
    } else {
        show::note(show::audit::summary(&report, minor).trim_end());
    }
    show::audit::unread(&report);
    Ok(exit(&report))
}

fn exit(report: &Report) -> Exit {
    let counts = &report.counts;
    if counts.unread > 0 || counts.undecided > 0 {
        Exit::BadInput
    } else if counts.pods + counts.workloads == 0 {
        Exit::NothingToRun
    } else if counts.violating > counts.known || counts.breaking > 0 {
        Exit::Different
    } else {
        Exit::Expected
    }
}

//! `podgate clean`: what dead runs left is removed, and nothing else.

use podgate_harness::error::Error;
use podgate_harness::lifecycle::{self, Removed};

use crate::args::CleanArgs;
use crate::exit::Exit;
use crate::show;

pub(crate) fn run(args: &CleanArgs) -> Result<Exit, Error> {
    if args.list {
        return list();
    }
    let mut removed = Vec::new();
    if args.runs.is_empty() {
        removed = lifecycle::clean()?;
    }
    for id in &args.runs {
        let found = lifecycle::remove(id)?.ok_or_else(|| {
            Error::input(format!("there is no run `{id}` that has ended"))
                .hint("podgate clean --list shows those that left something")
        })?;
        removed.push(found);
    }
    let mut exit = Exit::Expected;
    for Removed { id, things, failed } in &removed {
        for thing in things {
            show::data(&format!("removed {thing} of run {id}\n"))?;
        }
        for error in failed {
            show::error(error);
            exit = Exit::Environment;
        }
    }
    if removed
        .iter()
        .all(|r| r.things.is_empty() && r.failed.is_empty())
    {
        show::note("nothing to remove");
    }
    for kept in lifecycle::left()?
        .iter()
        .filter(|left| !left.kept.is_empty())
    {
        let id = &kept.id;
        show::note(&format!(
            "run {id} was kept on purpose: podgate clean {id} removes it"
        ));
    }
    Ok(exit)
}

fn list() -> Result<Exit, Error> {
    let left = lifecycle::left()?;
    if left.is_empty() {
        show::note("no run left anything");
    }
    for run in left {
        let why = if run.kept.is_empty() { "died" } else { "kept" };
        for thing in &run.things {
            show::data(&format!("{} {why}  {thing}\n", run.id))?;
        }
        for reach in &run.kept {
            show::data(&format!("{} {why}  {reach}\n", run.id))?;
        }
    }
    Ok(Exit::Expected)
}

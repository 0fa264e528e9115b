//! `podgate review`: shows pending snapshots, and accepts or rejects them.

use std::fmt::Write;
use std::io::{BufRead, IsTerminal, Write as _};
use std::path::Path;

use podgate_harness::error::Error;
use podgate_harness::plan::{Plan, Selection};
use podgate_harness::report;
use podgate_harness::snapshot::diff::LineTag;
use podgate_harness::snapshot::{Pending, Store};
use podgate_harness::suite::{Project, Suite, nearest_hint};

use crate::args::ReviewArgs;
use crate::exit::Exit;
use crate::show::style::{ADMITTED, FAINT, Painted, REJECTED, STRONG, WARNED};
use crate::show::{self, counted};

pub(crate) fn run(args: &ReviewArgs) -> Result<Exit, Error> {
    let project = Project::load(Path::new(""))?;
    let store = Store::new(&project.snapshots, super::writing());
    if args.remove_unreferenced {
        return remove_unreferenced(&project, &store);
    }
    let mut pending = store.pending()?;
    if !args.snapshots.is_empty() {
        let wanted = |p: &Pending| args.snapshots.iter().any(|name| *name == title(&store, p));
        if let Some(name) = args
            .snapshots
            .iter()
            .find(|name| !pending.iter().any(|p| **name == title(&store, p)))
        {
            let known: Vec<String> = pending.iter().map(|p| title(&store, p)).collect();
            return Err(Error::input(format!("nothing is pending for `{name}`"))
                .hint(nearest_hint(name, &known, "what is pending is")));
        }
        pending.retain(wanted);
    }
    if pending.is_empty() {
        show::note("nothing is pending");
        return Ok(Exit::Expected);
    }
    if args.list {
        show::data(
            &pending
                .iter()
                .map(|p| listed(&store, p))
                .collect::<String>(),
        )?;
        return Ok(Exit::Different);
    }
    if args.reject {
        for one in &pending {
            store.reject(one)?;
        }
        show::note(&format!("rejected {}", counted(pending.len(), "snapshot")));
        return Ok(Exit::Expected);
    }
    if args.accept {
        return accept(args, &store, &pending);
    }
    if !std::io::stdin().is_terminal() {
        show::data(&pending.iter().map(|p| page(&store, p)).collect::<String>())?;
        return Err(
            Error::input("standard input is no terminal, so nobody can be asked")
                .hint("podgate review --accept, --reject or --list ask nothing"),
        );
    }
    ask(&store, &pending)
}

/// `CLUSTER/SCENARIO`
fn title(store: &Store, pending: &Pending) -> String {
    let path = pending
        .path
        .strip_prefix(store.root())
        .unwrap_or(&pending.path)
        .with_extension("");
    path.components()
        .map(|c| c.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}

fn listed(store: &Store, pending: &Pending) -> String {
    let mut text = String::new();
    let new = if pending.is_new() { "  (new)" } else { "" };
    let _ = writeln!(text, "{}{new}", Painted(STRONG, &title(store, pending)));
    if !pending.is_new() {
        for change in &pending.changes {
            let style = if change.is_dangerous() {
                REJECTED
            } else {
                WARNED
            };
            let _ = writeln!(text, "  {}", Painted(style, &change.to_string()));
        }
    }
    text
}

fn page(store: &Store, pending: &Pending) -> String {
    let mut text = listed(store, pending);
    for line in pending.diff(3) {
        let style = match line.tag {
            LineTag::Added => ADMITTED,
            LineTag::Removed => REJECTED,
            LineTag::Context | LineTag::Gap => FAINT,
        };
        let _ = writeln!(
            text,
            "{}",
            Painted(style, &format!("{} {}", line.tag.sign(), line.text))
        );
    }
    text.push('\n');
    text
}

/// Accepts what is pending. Named snapshots were looked at, so a dangerous one is accepted there
/// where it is the only one named.
fn accept(args: &ReviewArgs, store: &Store, pending: &[Pending]) -> Result<Exit, Error> {
    let mut left = Vec::new();
    for one in pending {
        if one.is_dangerous() && args.snapshots.len() != 1 {
            left.push(one);
        } else {
            store.accept(one)?;
        }
    }
    let accepted = pending.len() - left.len();
    show::note(&format!("accepted {}", counted(accepted, "snapshot")));
    if left.is_empty() {
        return Ok(Exit::Expected);
    }
    show::note("left, because something that was rejected would be admitted:");
    for one in &left {
        show::note(listed(store, one).trim_end());
    }
    show::note("where that is right, accept it by its name:");
    for one in &left {
        show::note(&format!("  podgate review --accept {}", title(store, one)));
    }
    Ok(Exit::Different)
}

fn ask(store: &Store, pending: &[Pending]) -> Result<Exit, Error> {
    let (mut accepted, mut rejected, mut skipped) = (0, 0, 0);
    let mut lines = std::io::stdin().lock().lines();
    for (at, one) in pending.iter().enumerate() {
        show::data(&page(store, one))?;
        loop {
            let danger = if one.is_dangerous() {
                format!(
                    "{} ",
                    Painted(REJECTED, "something that was rejected would be admitted.")
                )
            } else {
                String::new()
            };
            let mut stdout = anstream::stdout().lock();
            let _ = write!(
                stdout,
                "{}/{} {danger}(a)ccept, (r)eject, (s)kip or (q)uit? ",
                at + 1,
                pending.len()
            );
            let _ = stdout.flush();
            drop(stdout);
            let answer = match lines.next() {
                Some(Ok(answer)) => answer,
                Some(Err(_)) | None => "q".to_owned(),
            };
            match answer.trim() {
                "a" | "accept" => {
                    store.accept(one)?;
                    accepted += 1;
                }
                "r" | "reject" => {
                    store.reject(one)?;
                    rejected += 1;
                }
                "s" | "skip" => skipped += 1,
                "q" | "quit" => {
                    skipped += pending.len() - at;
                    return Ok(told(accepted, rejected, skipped));
                }
                _ => continue,
            }
            break;
        }
    }
    Ok(told(accepted, rejected, skipped))
}

fn told(accepted: usize, rejected: usize, skipped: usize) -> Exit {
    show::note(&format!(
        "accepted {accepted}, rejected {rejected}, skipped {skipped}"
    ));
    if skipped == 0 {
        Exit::Expected
    } else {
        Exit::Different
    }
}

fn remove_unreferenced(project: &Project, store: &Store) -> Result<Exit, Error> {
    let suite = Suite::load(project)?;
    let plan = Plan::new(&suite, &Selection::default())?;
    let unreferenced = report::unreferenced(&suite, store)?;
    if plan.cells() == 0 {
        return Err(Error::input(
            "the suite runs nothing, so every snapshot would be removed",
        ));
    }
    for path in &unreferenced {
        store.remove(path)?;
        show::note(&format!("removed {}", path.display()));
    }
    let removed = counted(unreferenced.len(), "snapshot");
    show::note(&format!("removed {removed}"));
    Ok(Exit::Expected)
}
